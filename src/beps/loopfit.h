/* loopfit.h - model functions of a hysteresis loop and their least-squares fit.
 *
 * The nine-parameter loop (Jesse, Baddorf and Kalinin, Rev. Sci. Instrum. 77, 073702 (2006), in the
 * form of pycroscopy/BGlib be_loop.py):
 *
 *      a0+a1+a4*V  _________              each branch goes from the lower to the upper level with
 *                 /    /                  an error function whose width is b0 (left of a2) and b1
 *           b0->/b1 b2/<-b3               (right of it) on the descending branch, b2 and b3 around
 *        ------+-----+-----  V            a3 on the ascending one:
 *             a2    a3
 *      a0+a4*V ______/                    y = (b erf((V - a)/b) + b_left) / (b_left + b_right),
 *                                         b = b_left for V < a, b_right for V > a.
 *
 * a2 and a3 are where the width changes: there y is b_left/(b_left + b_right), one half only when
 * both are equal. The half-height crossings are rs_loop_crossing(p, branch, 0.5). BGlib blends the
 * two widths over 1 mV around a; the limit used here differs from it by less than 1e-9 of a1. */
#ifndef RS_BEPS_LOOPFIT_H
#define RS_BEPS_LOOPFIT_H

#include <stdbool.h>
#include <stddef.h>

#include "beps/blm.h"
#include "beps/loop.h"

enum { RS_A0, RS_A1, RS_A2, RS_A3, RS_A4, RS_B0, RS_B1, RS_B2, RS_B3, RS_LOOP_PARAMS };

/* The function on the samples of a sweep, y [s->n]: the top sample is on the descending branch, the
 * bottom sample on the ascending one, as in BGlib. */
void rs_loop_function(const rs_sweep *s, const double p[RS_LOOP_PARAMS], double *y);

/* One branch at one voltage. */
double rs_loop_branch(const double p[RS_LOOP_PARAMS], bool descending, double v);

/* BGlib's own evaluation, blending included: v [n] rolled so that the first half descends from the
 * top and the second half ascends. */
void rs_loop_function_bglib(const double *v, int n, const double p[RS_LOOP_PARAMS], double *y);

/* The voltage where a branch has made the part `level` (0..1) of its transition; NaN when the
 * arguments of erfinv leave [-1,1]. */
double rs_loop_crossing(const double p[RS_LOOP_PARAMS], bool descending, double level);

/* Area between the branches (slope-free) over [lo,hi], V times unit of a1. */
double rs_loop_function_area(const double p[RS_LOOP_PARAMS], double lo, double hi);

typedef enum rs_loop_bounds {
    RS_BOUNDS_SCALED = 0, /* in units of the loop's own height and voltage range */
    RS_BOUNDS_BGLIB       /* BGlib's numbers, meant for data of order 1: |a0..a3| <= 1000,
                             |a4| <= 0.1, widths 0.001 to 100 */
} rs_loop_bounds;

typedef struct rs_loop_fit {
    bool ok; /* converged, or at least as good as its start; else p is NaN */
    double p[RS_LOOP_PARAMS];
    double se[RS_LOOP_PARAMS]; /* standard errors; NaN for a parameter on its bound */
    unsigned at_bound;         /* bit k: parameter k */
    int iterations;
    int n;                     /* samples used */
    double rms;                /* sqrt(RSS/n) */
    double r2;                 /* 1 - RSS/TSS */
    double rss_loop, rss_line; /* of the loop and of one straight line through both branches */
    /* Information criteria with k = parameters + 1 (the variance): 10 and 3. Positive difference
     * (line minus loop): the loop is the better description. AIC with its small-sample term. */
    double aic_loop, aic_line, bic_loop, bic_line;
} rs_loop_fit;

/* Doubles of workspace for loops of n samples, for any function of this header. */
size_t rs_loop_fit_work(int n);

/* The fit, from up to 23 starts (the crossings of each branch at the quarters of the height; the
 * best shapes of a grid for each place of the switching), of which the best result is kept. y, skip as in loop.h. Loops with fewer
 * than 12 usable samples, or without any spread, are not fitted (ok false). */
void rs_loop_fit_run(const rs_sweep *s, const double *y, const uint8_t *skip, rs_loop_bounds bounds,
                     double *work, rs_loop_fit *out);

/* BGlib's initial guess (convex hull cut at the centroid of the open polygon); work [4*n]. */
void rs_loop_guess_bglib(const double *v, const double *y, int n, double *work,
                         double p[RS_LOOP_PARAMS]);

#endif
