/* calibrate.h - scale and shift of the last layer of every member. Trained on pixels, a network says 0.3
 * where a wall is certain and its place is not, and at probability 0.5 thin walls break; a member's
 * logit z becomes scale z + shift, which its last layer takes up. Nothing real is looked at. */
#ifndef RS_TRAIN_CALIBRATE_H
#define RS_TRAIN_CALIBRATE_H

#include "base/tensors.h"
#include "infer/tally.h"
#include "train/picture.h"

typedef struct rs_calibration_trial {
    double scale, shift;
    rs_wall_scores scores; /* f and ece decide */
} rs_calibration_trial;

/* Scores every pair of scale[scales] and shift[shifts] on the ensemble's maps of p[n]: trial [scales *
 * shifts], shifts inside. Sets *best to the index of the largest F among those whose calibration
 * error is at most most_error, -1 when there is none. */
reshed_status rs_calibrate(const rs_model_file *m, const rs_picture *p, int n, int threads,
                           const double *scale, int scales, const double *shift, int shifts,
                           double most_error, rs_calibration_trial *trial, int *best,
                           reshed_error *err);

/* Changes the last layer of every member, and says so in the recipe. RESHED_EUNSUPPORTED where its tensors are not there in single
 * or half precision. */
reshed_status rs_calibrate_apply(rs_model_file *m, double scale, double shift, reshed_error *err);

#endif
