/* metrics.h - the numbers of a hysteresis loop, each with one definition.
 *
 *                   R ^
 *                     |    .----------------------  R+ (saturation)
 *                     |.--'               .-'
 *      descending   .'|                 .'
 *     . . . . . . ./. | . . . . . . . ./. . . . . .  mid level
 *                .'   |     width    .'  ascending
 *             .-'     |           .-'
 *     R- ----'-------------------'
 *     ------------+---+---------------+------------>  V
 *                 V-                  V+
 *
 * A loop that runs counter-clockwise: the ascending branch switches up at V+, the descending one
 * down at V-. width = V+ - V-, imprint = (V+ + V-)/2, coercive = width/2. "mid" measures them at
 * the middle of the loop's height, "zero" at R = 0, "fit" on the fitted function.
 *
 * The literature uses the same words for different numbers, so a metric's name carries its method,
 * and the table gives unit, definition and source. BGlib's and PySSPFM's own definitions stand
 * beside ours as bglib_* and sspfm_*; they repeat those programs, known defects included. */
#ifndef RS_BEPS_METRICS_H
#define RS_BEPS_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "beps/branchfit.h"
#include "beps/loop.h"
#include "beps/loopfit.h"
#include "beps/metric_table.h"

typedef struct rs_metric_options {
    double sat_fraction; /* of the voltage range, after each end, taken as saturated; (0, 0.5] */
    double nucleation;   /* part of the transition that counts as its onset; (0, 0.5) */
    double onset_slope;  /* part of the steepest slope that counts as its onset; (0, 1) */
    bool fit;            /* the nine-parameter function */
    rs_loop_bounds bounds;
    rs_branch_options branches; /* RS_MODEL_NONE: no sspfm_* */
} rs_metric_options;

/* 0.15, 0.03, 0.1, fit with scaled bounds, no branches. */
void rs_metric_defaults(rs_metric_options *o);
reshed_status rs_metric_options_check(const rs_metric_options *o, reshed_error *err);

/* Doubles of workspace for a loop of n samples. */
size_t rs_metric_work(int n);

/* All metrics of one loop into out [RS_METRIC_COUNT]; NaN where one is not defined: a voltage at
 * which a branch switches is a number only where the branch does. y [s->n] in the order of
 * measurement, skip as in loop.h or NULL; closed as rs_loop_closes says. fit (may be NULL) gets the
 * fitted function. */
void rs_metrics_compute(const rs_sweep *s, const double *y, const uint8_t *skip, bool closed,
                        const rs_metric_options *o, double *work, double *out, rs_loop_fit *fit);

#endif
