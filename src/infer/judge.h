/* judge.h - tells frames that are unlike those of training: the out-of-distribution score.
 *
 * An ensemble's variance alone does not tell: blur and inversion can lower it. So a frame is
 * described by a dozen numbers, some of the maps and some of the image itself: how noisy, how
 * sharp, how steady from line to line, on which side of its level its features are, how much the
 * members disagree. Each is a ratio, so that it does not depend on how many walls there are, on the
 * image's gain, or on how many rows have been scanned. What they are on simulated frames like those
 * of training is kept with the weights as a mean and a covariance; the score of a frame is its
 * Mahalanobis distance from there over the square root of the number of features: about 1 for
 * frames like those, more for others.
 *
 *     double score;
 *     st = rs_ood_judge(&model->ood, classes, image, mean, variance, width, 0, rows, &score, err);
 *     if (st == RESHED_OK && score > model->ood_threshold) warn();
 */
#ifndef RS_INFER_JUDGE_H
#define RS_INFER_JUDGE_H

#include <stdbool.h>

#include "base/status.h"
#include "base/tensors.h"

#define RS_OOD_VERSION 1 /* changes with the set of features or their definition */
#define RS_OOD_FEATURES 16
#define RS_OOD_MIN_ROWS 24 /* fewer say too little */
#define RS_OOD_MIN_COLS 24

/* The score of a frame without contrast, or with another of the faults of contrast.h: far above any
 * threshold. */
#define RS_OOD_NO_CONTRAST 100.0

/* "noise", ...; 0 <= i < RS_OOD_FEATURES */
const char *rs_ood_feature_name(int i);

/* The features of rows [row_begin,row_end) of image (normalised, as the network saw it), mean and
 * variance (of the wall probability over the members), each [rows,width] and finite. Rows that are
 * not scanned or not final must be left out. Fewer than RS_OOD_MIN_ROWS x RS_OOD_MIN_COLS pixels,
 * or an image without contrast, are RESHED_EUNSUPPORTED: no score can be given. */
reshed_status rs_ood_features(const float *image, const float *mean, const float *variance,
                              int width, int row_begin, int row_end, double out[RS_OOD_FEATURES],
                              reshed_error *err);

/* Rows from the top to the last one that is not all zero: what is below was not scanned. */
int rs_ood_scanned_rows(const float *image, int height, int width);

/* The model of x [n,RS_OOD_FEATURES], n >= 4 * RS_OOD_FEATURES frames like those of training. */
reshed_status rs_ood_fit(const double *x, int n, rs_ood_model *out, reshed_error *err);

/* True when m can give scores: it is there, and of this program's version. */
bool rs_ood_known(const rs_ood_model *m);
reshed_status rs_ood_score(const rs_ood_model *m, const double x[RS_OOD_FEATURES], double *score,
                           reshed_error *err);

/* Everything in one: *score of rows [row_begin,row_end) of a frame, RS_OOD_NO_CONTRAST when there is no
 * contrast, or NaN where none can be given: several classes, no model that this program knows, too
 * few rows. Other failures (memory) are failures. */
reshed_status rs_ood_judge(const rs_ood_model *m, int classes, const float *image,
                           const float *mean, const float *variance, int width, int row_begin,
                           int row_end, double *score, reshed_error *err);

#endif
