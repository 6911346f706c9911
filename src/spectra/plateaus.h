/* plateaus.h - a bias recorded over time is taken apart into the steps that it was held at. */
#ifndef RS_SPECTRA_PLATEAUS_H
#define RS_SPECTRA_PLATEAUS_H

#include <stdint.h>

#include "base/status.h"

typedef struct rs_plateaus {
    int64_t n;
    double *v;            /* [n], V; steps at the same voltage have the same number; owned */
    int64_t *begin, *end; /* [n], samples [begin, end) in which it is held and has settled; owned */
} rs_plateaus;

/* bias [n], all finite. A step ends where the bias leaves its mean by more than its noise and 1/500
 * of its range; what is much shorter than the others is the way between two. A bias that moves with
 * every sample (a ramp) is a step for each. The first 30 % of a step are left out, for what measures
 * needs time as well. */
reshed_status rs_plateaus_find(const double *bias, int64_t n, rs_plateaus *out, reshed_error *err);
void rs_plateaus_clear(rs_plateaus *p);

#endif
