/* tally.h - scores of several frames taken as one: what is matched, predicted and true is
 * counted over all of them. */
#ifndef RS_EVALUATE_TALLY_H
#define RS_EVALUATE_TALLY_H

#include "evaluate/labelled.h"
#include "infer/score.h"

#define EVAL_RADII 3       /* 1, 1.5 and 2 pixels */
#define EVAL_THRESHOLDS 19 /* 0.05, 0.10 ... 0.95 */

typedef struct eval_count {
    int64_t matched, predicted, truth;
} eval_count;

void eval_count_add(eval_count *sum, const eval_count *part);
double eval_count_f(const eval_count *c);
double eval_count_precision(const eval_count *c);
double eval_count_recall(const eval_count *c);

/* Of one wall map at probability 0.5; start with a zeroed one. */
typedef struct eval_tally {
    eval_count at[EVAL_RADII];
    eval_count over[EVAL_THRESHOLDS]; /* within 1.5 pixels; only where it was asked for */
    int64_t both, either;             /* pixels, for the IoU */
    rs_judged *near;                  /* [n_near] pixels near walls; owned */
    size_t n_near;
} eval_tally;

void eval_tally_clear(eval_tally *t);

/* Scores a map against a frame's walls into a zeroed tally. */
reshed_status eval_tally_map(const eval_frame *f, const float *map, bool thresholds, eval_tally *t,
                             reshed_error *err);
/* Adds part, which is cleared. */
reshed_status eval_tally_add(eval_tally *sum, eval_tally *part, reshed_error *err);

/* The best of the thresholds; *at is the threshold. */
double eval_tally_best(const eval_tally *t, double *at);
/* Sorts t->near. */
void eval_tally_reliability(eval_tally *t, rs_calibration *c);

/* ------------------------------------------------------------------------------------ baselines */

#define EVAL_BOUNDARIES 37 /* thresholds 0.05, 0.075 ... 0.95 of the image */
#define EVAL_CANNYS 40     /* 4 smoothings x 10 thresholds */

/* What baseline k does: "threshold 0.425", "sigma 1.5, gradient 0.04". */
void eval_boundary_text(int k, char *text, size_t n);
void eval_canny_text(int k, char *text, size_t n);

/* Matches within 1.5 pixels of the boundary of image darker than threshold k, and of Canny. */
reshed_status eval_boundary(const eval_frame *f, const float *image, int k, eval_count *c,
                            reshed_error *err);
reshed_status eval_canny(const eval_frame *f, int k, eval_count *c, reshed_error *err);
/* The index with the largest F of counts[n]. */
int eval_best_count(const eval_count *counts, int n);

#endif
