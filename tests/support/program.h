/* program.h - runs a program of this build and keeps what scripts rely on: its exit status, its
 * words and its JSON. */
#ifndef RS_TESTS_SUPPORT_PROGRAM_H
#define RS_TESTS_SUPPORT_PROGRAM_H

#include <stddef.h>

typedef struct outcome {
    int status; /* of the exit */
    char out[1 << 16], err[4096];
} outcome;

/* Runs build program `name` ("reshed-infer") with these arguments (shell syntax) and waits for it;
 * skips the running test without it. The next run overwrites the outcome. */
const outcome *run_program(const char *name, const char *args);

/* Reads the beginning of a file, at most room - 1 bytes, as a string; fails the test without a
 * file. */
void read_text(const char *path, char *buf, size_t room);

/* The value of a key in a JSON object; fails the test when there is none. */
double json_number(const char *json, const char *key);

#endif
