/* loop.h - from amplitude and phase to a hysteresis loop with two branches.
 *
 * A loop is one voltage cycle: n samples in the order of measurement. rs_sweep knows which of them
 * belong to the ascending branch (lowest to highest voltage) and which to the descending one;
 * everything that is measured on a loop goes through it.
 *
 * Unfolding turns the complex response z = A exp(i phase) of a cycle into a signed real one: the
 * two polarisations respond with phases 180 degrees apart, so all z lie along a line through the
 * origin of the complex plane (or beside it, when the instrument adds a constant). Its direction is
 * found by total least squares, because both coordinates carry the noise:
 *
 *         Im z                    theta = atan2(2 Sxy, Sxx - Syy) / 2,  S: covariances,
 *          |    o oo              PR = Re(z exp(-i theta)),
 *          |  oo  /               and the mean of Im(z exp(-i theta)) is the offset of the line
 *      ----+-----/------ Re z     from the origin, reported and never mixed into PR.
 *     ooo  |    /
 *      oo  |  theta               theta is known only up to 180 degrees, that is PR up to its sign.
 *
 * BGlib (be_loop.py projectLoop) takes the tangent of the slope where its arctangent is meant, so
 * its loops are scaled by |cos(alpha + tan(tan alpha))| of the true height, 0.34 to 1 for phase
 * offsets alpha met in practice; rs_unfold_bglib repeats it for comparison. */
#ifndef RS_BEPS_LOOP_H
#define RS_BEPS_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* Samples of one cycle that a sweep accepts. */
#define RS_LOOP_MIN_STEPS 8
#define RS_LOOP_MAX_STEPS 65536

typedef struct rs_sweep {
    int n;
    double *v;        /* [n], V, in the order of measurement; owned */
    uint8_t *falling; /* [n], 1: on the descending branch (the top sample is, the bottom is not) */
    int *asc, *desc;  /* sample numbers of each branch by rising voltage; both hold the top and the
                         bottom sample, so that each spans the whole range; owned */
    int n_asc, n_desc;
    int top, bottom; /* first sample of the highest and of the lowest voltage */
    double v_min, v_max;
    double step; /* V, median distance of neighbouring voltages */
} rs_sweep;

/* v [n], one cycle from any starting point, cyclic: the sample before the first is the last. It
 * must fall from its highest to its lowest value and rise again without turning back between, and
 * hold at least three samples between the ends on each branch, else RESHED_EUNSUPPORTED (a quarter
 * cycle is not a loop). */
reshed_status rs_sweep_create(const double *v, int n, rs_sweep *out, reshed_error *err);
void rs_sweep_clear(rs_sweep *s);

/* A branch by rising voltage. One of the two branches joins the end of the recording to its start;
 * what was measured there is two states of the sample, one before and one after all the cycle, and
 * only in a loop that closes are they the same. */
typedef struct rs_loop_half {
    int n;
    double *v, *y; /* [n]; the caller's */
    int gap;       /* samples gap-1 and gap are not joined; 0: no such place */
} rs_loop_half;

/* The samples of a branch that are not skipped into out->v and out->y [n_asc or n_desc], which the
 * caller gives. skip may be NULL; non-finite samples are always left out. closed as rs_loop_closes
 * says: else, and where the voltage leaps, the branch has its gap at the start of the recording. */
void rs_sweep_branch(const rs_sweep *s, const double *y, const uint8_t *skip, bool descending,
                     bool closed, rs_loop_half *out);

/* Returns whether the loop ends in the state in which it began: the response moves from the last
 * sample to the first no farther than between its neighbours, but for the noise and a twentieth of
 * the loop's height. A region poled before its first cycle gives a loop that does not close. before
 * [n], with its skipped samples: the preceding cycle of the same voltages, or NULL. When that ended
 * as this one does, a leap at the seam is the sample's own. scratch [3*n]. */
bool rs_loop_closes(const rs_sweep *s, const double *y, const uint8_t *skip, const double *before,
                    const uint8_t *before_skip, double *scratch);

/* Signed area of the closed polygon of the samples (V times the unit of y), > 0 when the loop runs
 * counter-clockwise with the voltage to the right. Skipped samples are cut off. */
double rs_loop_area(const rs_sweep *s, const double *y, const uint8_t *skip);

/* Returns the voltage at which a branch passes `level`, by linear interpolation; NaN when it does
 * not, or only across its gap. direction +1: from below to above as v rises. Noise can cross a level
 * several times; the crossing taken is the one that leaves the fewest samples on the wrong side, and
 * the mean of several equally good ones. */
double rs_branch_crossing(const rs_loop_half *b, double level, int direction);

/* Returns how often a branch goes from `band` on one side of `level` to `band` on the other. */
int rs_branch_passes(const rs_loop_half *b, double level, double band);

/* Value of a branch at voltage `at`, by linear interpolation; NaN outside its range and inside its
 * gap. */
double rs_branch_value(const rs_loop_half *b, double at);

/* The saturated ends: the mean of the samples of the descending branch that lie within `fraction`
 * of the voltage range below the top (just after the largest voltage, where the switching is
 * complete), and of the ascending branch above the bottom. NaN when no sample is left. */
void rs_loop_saturation(const rs_sweep *s, const double *y, const uint8_t *skip, double fraction,
                        double *top, double *bottom);

/* Standard deviation of the noise of y: from the second differences in the order of measurement,
 * whose median does not see the few steps of the switching. scratch [2*n]. */
double rs_loop_noise(const rs_sweep *s, const double *y, const uint8_t *skip, double *scratch);

/* Marks in skip [n] the samples that stand away from the loop: non-finite ones; those outside the
 * range of the middle 80 % by 1.5 times that range, as failed fits of the resonance give; and those
 * farther from the median of their five neighbours than half the loop's height and eight times the
 * noise. A sample inside a switching step lies between its neighbours and stays. Returns the count.
 * scratch [3*n]. */
int rs_loop_spikes(const rs_sweep *s, const double *y, uint8_t *skip, double *scratch);

/* ------------------------------------------------------------------------------------ unfolding */
typedef struct rs_unfold {
    double angle;  /* rad, direction of the line in the complex plane, in (-pi, pi] */
    double offset; /* unit of z: signed distance of the line from the origin */
    double ratio;  /* standard deviation across the line over that along it: 0 for a perfect line */
    double area;   /* signed closed area of the resulting loop, V times unit of z */
} rs_unfold;

typedef enum rs_unfold_sign {
    RS_SIGN_AREA = 0,  /* each loop runs counter-clockwise: its area is > 0 */
    RS_SIGN_REFERENCE, /* each loop's own line, on the side of the reference angle */
    RS_SIGN_FIXED      /* the reference angle itself: one calibration for the whole map */
} rs_unfold_sign;

/* Direction by total least squares, then PR. re, im: z in the order of measurement, [n]; skip as
 * above (may be NULL); pr [n] is written whole, skipped samples too. `reference` in rad, not used
 * with RS_SIGN_AREA. */
void rs_unfold_loop(const rs_sweep *s, const double *re, const double *im, const uint8_t *skip,
                    rs_unfold_sign sign, double reference, double *pr, rs_unfold *out);

/* The common direction of a map, in (-pi, pi], from each loop's unfolding by area: the mean of the
 * doubled angles (so that opposite directions agree), each loop weighted by how straight its line
 * is; then the side that most loops' areas call for. NaN for an empty map. */
double rs_unfold_reference(const rs_unfold *u, int64_t n);

/* BGlib's projectLoop: the plane of least squared distance through (V, Re z, Im z), the offset by a
 * search over 100 samples of a line, the tangent of the slope as angle, the sign by the open area.
 * out->ratio is NaN. */
void rs_unfold_bglib(const rs_sweep *s, const double *re, const double *im, double *pr,
                     rs_unfold *out);

/* BGlib's area: the shoelace sum without the edge from the last to the first sample; and the
 * centroid of that open polygon. */
double rs_loop_area_open(const double *v, const double *y, int n, double *centroid_v,
                         double *centroid_y);

/* --------------------------------------------------------- samples and starting values for fits */

/* The usable samples of a loop, scaled to mid and height. */
typedef struct rs_loop_data {
    int n;
    double *v, *y;
    uint8_t *falling;
    double mid, height;
    double v_min, v_max, step;
    int n_asc, n_desc;
    /* Starting values, scaled: levels, and where each branch passes a quarter, a half and three
     * quarters of the height (NaN where it does not): [descending][k]. */
    double bottom, top, at[2][3];
} rs_loop_data;

/* Takes work [3*n] for v, y and falling, and uses scratch [2*n]. scaled: to the middle and the
 * height of the loop; else mid 0, height 1. False when there is too little to fit. */
bool rs_loop_data_take(const rs_sweep *s, const double *y, const uint8_t *skip, bool scaled,
                       double *work, double *scratch, rs_loop_data *d);

#endif
