/* private.h - shared by the files of the public interface. */
#ifndef RS_API_PRIVATE_H
#define RS_API_PRIVATE_H

#include <stdbool.h>

#include "infer/ensemble.h"

struct reshed_ensemble {
    rs_ensemble *inner;
};

/* The caller's cancel function, asked no more often than every RS_CANCEL_EVERY seconds: one that
 * belongs to an interpreter may wait long for its turn. */
#define RS_CANCEL_EVERY 0.05
typedef struct rs_cancel {
    int (*ask)(void *ctx);
    void *ctx;
    double next; /* rs_os_monotonic */
} rs_cancel;

/* As nn/plan.h wants it; cancel is a rs_cancel. */
bool rs_cancel_asked(void *cancel);

#endif
