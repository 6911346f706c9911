/* compare.h - an ensemble before and after a tuning: what it has learnt, and whether it has forgotten. */
#ifndef RS_TRAIN_COMPARE_H
#define RS_TRAIN_COMPARE_H

#include "train/score.h"

typedef struct rs_train_scores {
    double holdout; /* F on simulated frames that no training sees */
    double own;     /* F on the own frames; NaN without any */
} rs_train_scores;

/* frames: of the hold-out, 128 x 128 each, of that kind of film. */
reshed_status rs_train_compare(const rs_model_file *m, rs_twin_film film, int frames,
                               const rs_picture *own, int owns, int threads, rs_train_scores *out,
                               reshed_error *err);
/* How many pixels one comparison scores. */
double rs_train_compared_pixels(int frames, const rs_picture *own, int owns);

#endif
