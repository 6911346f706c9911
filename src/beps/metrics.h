/* metrics.h - the numbers of a hysteresis loop, each with one definition.
 *
 *                R  ^          ____________   R+ (saturation)     a loop that runs
 * counter-clockwise: |   .----'''        . '                       the ascending branch switches up
 * at descending  |  /               /                          V+, the descending one down at V-.
 *   ................|./.............../.....  mid level           width = V+ - V-, imprint =
 *                  /|      width     /                            (V+ + V-)/2, coercive = width/2.
 *         ____.--'  |  _____.----''''  ascending                  "mid" measures them at the middle
 * of R-  '------------'----------+--------->  V                   the loop's height, "zero" at R =
 * 0, V-            V+                                  "fit" on the fitted function.
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

typedef enum rs_metric {
    /* crossings of the measured branches */
    RS_M_V_PLUS_MID,
    RS_M_V_MINUS_MID,
    RS_M_WIDTH_MID,
    RS_M_COERCIVE_MID,
    RS_M_IMPRINT_MID,
    RS_M_LEVEL_MID,
    RS_M_V_PLUS_ZERO,
    RS_M_V_MINUS_ZERO,
    RS_M_WIDTH_ZERO,
    RS_M_COERCIVE_ZERO,
    RS_M_IMPRINT_ZERO,
    /* polygon */
    RS_M_AREA,
    RS_M_AREA_SIGNED,
    RS_M_AREA_OPEN,
    RS_M_CENTROID_V,
    RS_M_CENTROID_R,
    /* response levels */
    RS_M_R_PLUS_0,
    RS_M_R_MINUS_0,
    RS_M_OPENING_0,
    RS_M_OPENING_IMPRINT,
    RS_M_R_PLUS_SAT,
    RS_M_R_MINUS_SAT,
    RS_M_SWITCHABLE,
    RS_M_VERTICAL_SHIFT,
    RS_M_SQUARENESS,
    RS_M_WORK,
    /* nine-parameter function */
    RS_M_FIT_V_PLUS,
    RS_M_FIT_V_MINUS,
    RS_M_FIT_WIDTH,
    RS_M_FIT_COERCIVE,
    RS_M_FIT_IMPRINT,
    RS_M_FIT_AREA,
    RS_M_AREA_REFINED,
    RS_M_FIT_R_PLUS,
    RS_M_FIT_R_MINUS,
    RS_M_FIT_SWITCHABLE,
    RS_M_FIT_WORK,
    RS_M_FIT_SLOPE,
    RS_M_NUCLEATION_POS,
    RS_M_NUCLEATION_NEG,
    RS_M_NUCLEATION_POS_SLOPE,
    RS_M_NUCLEATION_NEG_SLOPE,
    RS_M_SATURATED_POS,
    RS_M_SATURATED_NEG,
    RS_M_FIT_R2,
    RS_M_FIT_RMS,
    RS_M_DELTA_AIC,
    RS_M_DELTA_BIC,
    RS_M_FIT_A0,
    RS_M_FIT_A1,
    RS_M_FIT_A2,
    RS_M_FIT_A3,
    RS_M_FIT_A4,
    RS_M_FIT_B0,
    RS_M_FIT_B1,
    RS_M_FIT_B2,
    RS_M_FIT_B3,
    /* electrostatics */
    RS_M_ES_SLOPE,
    RS_M_ES_CPD,
    RS_M_ES_R2,
    /* quality */
    RS_M_NOISE,
    RS_M_SNR,
    RS_M_AREA_SNR,
    RS_M_SPIKES,
    /* sigmoid or arctangent branches */
    RS_M_SSPFM_X0_R,
    RS_M_SSPFM_X0_L,
    RS_M_SSPFM_X0_WID,
    RS_M_SSPFM_X_SHIFT,
    RS_M_SSPFM_X_INTER_R,
    RS_M_SSPFM_X_INTER_L,
    RS_M_SSPFM_X_WDW,
    RS_M_SSPFM_INFL_R,
    RS_M_SSPFM_INFL_L,
    RS_M_SSPFM_SAT_R,
    RS_M_SSPFM_SAT_L,
    RS_M_SSPFM_AMPLI,
    RS_M_SSPFM_OFFSET,
    RS_M_SSPFM_SLOPE,
    RS_M_SSPFM_COEF_R,
    RS_M_SSPFM_COEF_L,
    RS_M_SSPFM_DIFF_COEF,
    RS_M_SSPFM_AREA,
    RS_M_SSPFM_R2,
    /* other programs' definitions, on the loop as measured */
    RS_M_BGLIB_AREA,
    RS_M_BGLIB_CENTROID_V,
    RS_M_BGLIB_CENTROID_R,
    RS_M_BGLIB_V_PLUS,
    RS_M_BGLIB_V_MINUS,
    RS_M_BGLIB_IMPRINT,
    RS_M_BGLIB_R_PLUS,
    RS_M_BGLIB_R_MINUS,
    RS_M_BGLIB_SWITCHABLE,
    RS_M_BGLIB_WORK,
    RS_M_BGLIB_NUCLEATION_1,
    RS_M_BGLIB_NUCLEATION_2,
    RS_M_BGLIB_NUCLEATION_1_OLD,
    RS_M_BGLIB_NUCLEATION_2_OLD,
    RS_M_BGLIB_R2,
    RS_M_BGLIB_AIC_LOOP,
    RS_M_BGLIB_BIC_LOOP,
    RS_M_BGLIB_AIC_LINE,
    RS_M_BGLIB_BIC_LINE,
    RS_M_AUTHOR_AREA,
    RS_METRIC_COUNT
} rs_metric;

typedef struct rs_metric_info {
    const char *id;     /* short, [a-z0-9_]: names the map, the CSV column, the JSON key */
    const char *name;   /* for a figure's title */
    const char *unit;   /* "V", "1", or in terms of the response's unit R: "R", "V*R", "R/V" */
    const char *method; /* how it is found, in a word or two */
    const char *description;
    const char *source;
    bool in_summary; /* one of the dozen that a summary shows */
} rs_metric_info;

/* The table's entry; never NULL. */
const rs_metric_info *rs_metric_get(rs_metric m);
/* The metric of that id, or -1. */
int rs_metric_find(const char *id);
/* The unit with R replaced by the response's unit, into buf (cut to fit); returns buf. */
const char *rs_metric_unit(rs_metric m, const char *response_unit, char *buf, size_t n);

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

/* All metrics of one loop into out [RS_METRIC_COUNT]; NaN where one is not defined. y [s->n] in the
 * order of measurement, skip as in loop.h or NULL. fit (may be NULL) gets the fitted function. */
void rs_metrics_compute(const rs_sweep *s, const double *y, const uint8_t *skip,
                        const rs_metric_options *o, double *work, double *out, rs_loop_fit *fit);

/* Standard deviation of each metric by `samples` residual bootstraps: the residuals of the loop
 * from the fitted function (from the running median of five where the fit fails), enlarged for the
 * parameters spent on it, are drawn with replacement and added to that curve. sd [RS_METRIC_COUNT];
 * NaN where fewer than half the resamples have a value. The same seed and key give the same bits.
 * work [rs_metric_work(n) + rs_bootstrap_work(n, samples)]. */
void rs_metrics_bootstrap(const rs_sweep *s, const double *y, const uint8_t *skip,
                          const rs_metric_options *o, int samples, uint64_t seed, uint64_t key,
                          double *work, double *sd);
size_t rs_bootstrap_work(int n, int samples);

/* -------------------------------------------------------------------------------------- flags */
enum {
    RS_LOOP_NO_SWITCHING = 1 << 0, /* the area is below five times its noise, a branch does not pass
                                      the mid level, or a straight line describes the loop better */
    RS_LOOP_UNSATURATED =
        1 << 1,                 /* less than 95 % of a transition is made one step before the end */
    RS_LOOP_CLOCKWISE = 1 << 2, /* the signed area is negative */
    RS_LOOP_SPIKES = 1 << 3,    /* samples were skipped */
    RS_LOOP_FIT_FAILED = 1 << 4,
    RS_LOOP_FIT_AT_BOUND = 1 << 5, /* a parameter other than a width below half a step */
    RS_LOOP_OUTLIER = 1 << 6,      /* stands out from the map; see analyse.h */
    RS_LOOP_NO_DATA = 1 << 7,      /* too few finite samples to measure anything */
    RS_LOOP_FLIPPED = 1 << 8       /* the sign of the response was changed; see analyse.h */
};
#define RS_LOOP_FLAGS 9
/* The flags that say that a loop's numbers are not to be trusted. */
#define RS_LOOP_BAD (RS_LOOP_NO_SWITCHING | RS_LOOP_FIT_FAILED | RS_LOOP_OUTLIER | RS_LOOP_NO_DATA)
/* Short name of flag bit k, 0 <= k < RS_LOOP_FLAGS. */
const char *rs_loop_flag_name(int k);

uint32_t rs_loop_flags(const rs_sweep *s, const double *metrics, const rs_loop_fit *fit);

/* ----------------------------------------------------------------------------- electrostatics */
typedef struct rs_electrostatic {
    double slope; /* R/V; NaN when it cannot be found */
    double y0;    /* R at V = 0 */
    double cpd;   /* V: -y0/slope */
    double r2;
} rs_electrostatic;

/* One slope through both saturated ends (samples as rs_loop_saturation takes them), each with its
 * own level, of which y0 is the mean. For on-field loops: there the electrostatic force adds
 * slope*(V - cpd) to the response (domain of validity: saturated loops). */
void rs_electrostatic_saturation(const rs_sweep *s, const double *y, const uint8_t *skip,
                                 double fraction, rs_electrostatic *out);

/* Regression of the on-field minus the off-field response, mean of both branches, against the write
 * voltage within [lo,hi] (PySSPFM: -5 to 5 V). on, off [s->n]. */
void rs_electrostatic_difference(const rs_sweep *s, const double *on, const double *off,
                                 const uint8_t *skip, double lo, double hi, rs_electrostatic *out);

#endif
