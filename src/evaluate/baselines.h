/* baselines.h - edge finders without a network, over a range of their parameters. */
#ifndef RS_EVALUATE_BASELINES_H
#define RS_EVALUATE_BASELINES_H

#include "evaluate/labelled.h"
#include "infer/tally.h"

#define EVAL_BOUNDARIES 37 /* thresholds 0.05, 0.075 ... 0.95 of the image */
#define EVAL_CANNYS 40     /* 4 smoothings x 10 thresholds */

/* The parameter of baseline k: "threshold 0.425", "sigma 1.5, gradient 0.04". */
void eval_boundary_text(int k, char *text, size_t n);
void eval_canny_text(int k, char *text, size_t n);

/* Matches within 1.5 pixels of the boundary of image darker than threshold k, and of Canny. */
reshed_status eval_boundary(const eval_frame *f, const float *image, int k, rs_edge_count *c,
                            reshed_error *err);
reshed_status eval_canny(const eval_frame *f, int k, rs_edge_count *c, reshed_error *err);

#endif
