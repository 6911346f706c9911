/* analyse.h - the loops of a whole map or point list: every metric of every loop, what its cycles
 * and its noise say about it, and which loops not to trust.
 *
 *     rs_loops_options o;
 *     rs_loops maps = {0};
 *     rs_loops_defaults(&o);
 *     if (rs_loops_analyse(v, 64, 1, response, 2500, &o, &maps, &err) == RESHED_OK)
 *         width = rs_loops_map(&maps, RS_M_WIDTH_MID);     // [2500], V
 *     rs_loops_clear(&maps);
 */
#ifndef RS_BEPS_ANALYSE_H
#define RS_BEPS_ANALYSE_H

#include <stdbool.h>
#include <stdint.h>

#include "beps/flags.h"
#include "beps/loop.h"
#include "beps/metrics.h"

typedef struct rs_loops_options {
    rs_metric_options metric;
    bool keep_spikes; /* use every finite sample; by default rs_loop_spikes picks out failed ones */
    bool drop_first;  /* leave the first of several cycles out of mean, spread and flags: it starts
                         from the state that something else left. Only where all have the same
                         voltages. */
    bool orient;      /* turn loops over whose closed area, without spikes, is negative. For files
                         whose responses were unfolded by the area rule: there one failed sample is
                         enough to turn a loop over (318 of 2500 in the reference map). Never for
                         on-field loops, or where the sign carries a calibrated phase. */
    bool remove_slope; /* subtract the slope of the saturated ends first: for on-field loops */
    double outlier;    /* robust z above which a loop is an outlier of the map; 0: no test */
    int bootstrap;     /* resamples for the errors; 0: none */
    uint64_t seed;     /* of the resampling */
    int threads;       /* >= 1, or 0 for all; the result does not depend on it */
    /* Called from any thread, in no fixed order, after each loop; may be NULL. */
    void (*done)(void *ctx, int64_t point);
    void *done_ctx;
} rs_loops_options;

/* rs_metric_defaults, spikes skipped, the first of several cycles left out, outliers beyond z = 6,
 * no bootstrap. */
void rs_loops_defaults(rs_loops_options *o);

typedef struct rs_loops {
    int64_t points;
    int cycles;      /* measured */
    int first, used; /* the cycles that value stands for: from first on */
    bool apart;      /* cycles have voltages of their own (growing, reversal curves): value is that
                         of the widest, the last of several */
    double *value;   /* [RS_METRIC_COUNT, points]: mean over the used cycles that have a value */
    double *spread;  /* the same shape: standard deviation over the cycles; NULL when used < 2 */
    double *error;   /* the same shape: bootstrap standard deviation of value; NULL unless asked */
    double *cycle_value; /* [cycles, RS_METRIC_COUNT, points]; NULL when there is one cycle */
    uint32_t *flags;     /* [points], RS_LOOP_*: of any used cycle. RS_LOOP_CYCLES_DIFFER: in two of
                            them a branch passes the mid level a step and a half apart, or in one
                            only, or the heights differ by 15 %, each beyond five times its noise */
    uint32_t *cycle_flags; /* [cycles, points]; NULL when there is one cycle */
    double *z;             /* [points]: the largest robust z of the loop within the map */
    uint8_t *skip;         /* [points, cycles*steps]: samples left out */
    int8_t *sign;          /* [points, cycles]: -1 where the loop was turned over, else 1 */
} rs_loops;

/* v [cycles*steps] V, the same for every point; response [points, cycles*steps] in the order of
 * measurement. Each cycle may have voltages of its own (FORC). Fails as rs_sweep_create does, and
 * with RESHED_EINVAL on sizes below 1 or options out of range. */
reshed_status rs_loops_analyse(const double *v, int steps, int cycles, const double *response,
                               int64_t points, const rs_loops_options *o, rs_loops *out,
                               reshed_error *err);
void rs_loops_clear(rs_loops *l);

/* One metric's map, [points]; borrowed. */
const double *rs_loops_map(const rs_loops *l, rs_metric m);

/* Returns whether every loop's open area, as measured, is positive (or zero): the mark of responses
 * whose sign was decided by the area, as BGlib does. False for fewer than 16 points, where that may
 * be chance. */
bool rs_loops_by_area(const double *v, int steps, int cycles, const double *response,
                      int64_t points);

/* Loops with none of these flags. */
int64_t rs_loops_count(const rs_loops *l, uint32_t without);

/* The sample-wise median or mean of the loops, out [cycles*steps]. l NULL: all points as they are.
 * Else the points whose flags & without is 0, their skipped samples left out and their signs as in
 * l->sign. Non-finite samples never count; NaN where nothing is left. RESHED_ENOMEM only. */
reshed_status rs_loops_median(const double *response, int64_t points, int steps, int cycles,
                              const rs_loops *l, uint32_t without, double *out, reshed_error *err);
void rs_loops_mean(const double *response, int64_t points, int steps, int cycles, const rs_loops *l,
                   uint32_t without, double *out);

/* Unfolds every cycle of every point: re, im [points, cycles*steps] to response of the same shape.
 * With RS_SIGN_REFERENCE or RS_SIGN_FIXED and a NaN reference, the reference is taken from the map
 * (rs_unfold_reference). units [points, cycles] or NULL gets each cycle's unfolding; *reference the
 * angle used (NaN for RS_SIGN_AREA). bglib: BGlib's projection instead. */
typedef struct rs_unfold_options {
    rs_unfold_sign sign;
    double reference; /* rad, or NaN */
    bool bglib;
    int threads;
} rs_unfold_options;
reshed_status rs_loops_unfold(const double *v, int steps, int cycles, const double *re,
                              const double *im, int64_t points, const rs_unfold_options *o,
                              double *response, rs_unfold *units, double *reference,
                              reshed_error *err);

#endif
