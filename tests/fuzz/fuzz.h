/* fuzz.h - what libFuzzer calls, and the readers that it is turned on.
 *
 *     make fuzz                              all targets, a minute each
 *     make fuzz TARGETS="png tiff" SECONDS=600
 *
 * One program holds all targets; RESHED_FUZZ names the one of a run. Started with RESHED_FUZZ_SEEDS=FOLDER
 * it writes the target's seeds there and ends. */
#ifndef RS_TESTS_FUZZ_FUZZ_H
#define RS_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

typedef struct fuzz_target {
    const char *name;
    void (*read)(const uint8_t *data, size_t n); /* frees what it reads */
    void (*seeds)(const char *folder);           /* writes inputs that are read */
} fuzz_target;

extern const fuzz_target fuzz_targets[];
extern const int fuzz_target_count;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Writes a seed, FOLDER/NAME. */
void fuzz_seed(const char *folder, const char *name, const void *bytes, size_t n);

#endif
