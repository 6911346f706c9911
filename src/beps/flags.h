/* flags.h - marks of loops that lack something or are not to be trusted. */
#ifndef RS_BEPS_FLAGS_H
#define RS_BEPS_FLAGS_H

#include <stdbool.h>
#include <stdint.h>

#include "beps/loop.h"
#include "beps/loopfit.h"

enum {
    /* The area is below five times its noise, a branch of a closed loop does not pass the mid level,
     * or a straight line describes the loop better. */
    RS_LOOP_NO_SWITCHING = 1 << 0,
    /* Less than 95 % of a transition is made one step before the end. */
    RS_LOOP_UNSATURATED = 1 << 1,
    RS_LOOP_CLOCKWISE = 1 << 2, /* the signed area is negative */
    RS_LOOP_SPIKES = 1 << 3,    /* samples were skipped */
    RS_LOOP_FIT_FAILED = 1 << 4,
    RS_LOOP_FIT_AT_BOUND = 1 << 5,   /* a parameter other than a width below half a step */
    RS_LOOP_OUTLIER = 1 << 6,        /* stands out from the map; see analyse.h */
    RS_LOOP_NO_DATA = 1 << 7,        /* too few finite samples to measure anything */
    RS_LOOP_FLIPPED = 1 << 8,        /* the sign of the response was changed; see analyse.h */
    RS_LOOP_NOT_CLOSED = 1 << 9,     /* it ends in another state than it began; rs_loop_closes */
    RS_LOOP_CYCLES_DIFFER = 1 << 10, /* by more than their noise; see analyse.h */
    RS_LOOP_BAD_SPECTRA =
        1 << 11, /* more than a quarter of the steps have no response, or one from a
                                     spectrum of two modes or a clipped one */
    /* A branch passes the mid level more than once, to and fro beyond its noise. */
    RS_LOOP_CROSSINGS = 1 << 12,
    /* A nucleation bias of the fit lies outside the voltages that were applied, or beyond the
     * coercive voltage that it comes before. */
    RS_LOOP_NUCLEATION = 1 << 13
};
#define RS_LOOP_FLAGS 14
/* The flags that say that a loop's numbers are not to be trusted. */
#define RS_LOOP_BAD                                                                                \
    (RS_LOOP_NO_SWITCHING | RS_LOOP_UNSATURATED | RS_LOOP_FIT_FAILED | RS_LOOP_FIT_AT_BOUND |      \
     RS_LOOP_OUTLIER | RS_LOOP_NO_DATA | RS_LOOP_NOT_CLOSED | RS_LOOP_CYCLES_DIFFER |              \
     RS_LOOP_BAD_SPECTRA | RS_LOOP_CROSSINGS | RS_LOOP_NUCLEATION)
/* Whether flags, kept as a number in a table of metrics, have such a bit. False for NaN. */
bool rs_loop_flags_bad(double flags);
/* Short name of flag bit k, 0 <= k < RS_LOOP_FLAGS. */
const char *rs_loop_flag_name(int k);

/* The flags that follow from a loop's metrics [RS_METRIC_COUNT] and its fit (NULL: not fitted);
 * closed as in rs_metrics_compute. */
uint32_t rs_loop_flags(const rs_sweep *s, bool closed, const double *metrics,
                       const rs_loop_fit *fit);

#endif
