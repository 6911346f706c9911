/* trace.h - runs a program under ptrace and shows the test every file that it opens, changes or
 * removes, every connection and every program that it starts: what it does, not what it says. */
#ifndef RS_TESTS_SUPPORT_TRACE_H
#define RS_TESTS_SUPPORT_TRACE_H

#include <stdbool.h>

typedef enum trace_kind {
    TRACE_READ,    /* opened for reading */
    TRACE_WRITE,   /* opened for writing, made, renamed (either name), removed, ... */
    TRACE_CONNECT, /* text: the family of the address */
    TRACE_EXEC
} trace_kind;

typedef void trace_seen(void *ctx, trace_kind kind, const char *text);

/* Runs argv (NULL at the end) with its output thrown away; the exit status into *status, -1 when it
 * was ended by a signal. False where tracing is not possible: then nothing was run. */
bool trace_run(const char *const *argv, trace_seen *seen, void *ctx, int *status);

#endif
