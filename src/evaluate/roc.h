/* roc.h - separation of two groups by a score. */
#ifndef RS_EVALUATE_ROC_H
#define RS_EVALUATE_ROC_H

#include <stddef.h>

#include "base/status.h"

typedef struct rs_roc {
    double auroc;     /* chance that a positive scores above a negative, ties counting half */
    double low, high; /* its 95 % interval, within [0,1] */
} rs_roc;

/* negative[n], positive[m]: scores, no NaN, n and m >= 2. The interval is auroc +- 1.96 standard
 * errors by DeLong, DeLong and Clarke-Pearson, Biometrics 44, 837 (1988). Groups that are wholly
 * separated have no such error; then the other end is 3/min(n,m) away, the rule of three for an
 * event that was never seen. O(n m) time. */
reshed_status rs_roc_area(const double *negative, size_t n, const double *positive, size_t m,
                          rs_roc *out, reshed_error *err);

#endif
