/* shift.h - the effect of changes of the instrument on an ensemble and on baselines, and how well
 * the out-of-distribution score tells such frames.
 *
 * Blocks of simulated frames, each of its own seed, so that no frame serves twice:
 *   fit        the score's model: mean and covariance of the features
 *   threshold  the 98.5th percentile of the score there becomes the threshold; of another kind of film
 *              than the default, the larger one of that kind's frames and the default's
 *   usual      what shifted frames are compared with; nothing is fitted to it
 *   shifted    one block for all effects and strengths; its unshifted row is the reference of the
 *              edge scores, and the baselines' parameters are tuned on it */
#ifndef RS_EVALUATE_SHIFT_H
#define RS_EVALUATE_SHIFT_H

#include <stdbool.h>
#include <stdint.h>

#include "evaluate/roc.h"
#include "infer/judge.h"
#include "spm/twin/films.h"

typedef struct eval_shift_options {
    const char *weights; /* path */
    int threads;         /* >= 1, or 0 for all processors; the result does not depend on it */
    long frames;         /* of a row, >= 2 */
    long fit;            /* frames that the score's model is fitted to */
    int size;            /* pixels a side */
    uint64_t seed;
    double harsh;       /* strength of the instrument in usual frames */
    bool plain;         /* the default film */
    rs_twin_film film;  /* kind of the films else */
    bool store;         /* fit the score anew, and put it into the weights file */
    const char *effect; /* only these, with commas; NULL: all */
    bool separation;    /* the AUROC of each feature alone as well */
} eval_shift_options;

enum { EVAL_WITH_BOUNDARY, EVAL_WITH_RAW_BOUNDARY, EVAL_WITH_CANNY, EVAL_SHIFT_BASELINES };

/* Of one frame. */
typedef struct eval_shift_frame {
    double features[RS_OOD_FEATURES], wall_share;
} eval_shift_frame;

typedef struct eval_shift_row {
    double f, change; /* edge score of the ensemble; less that of unshifted frames */
    double baseline[EVAL_SHIFT_BASELINES], variance, ece;
    double alarms;                      /* share of the frames */
    rs_roc roc;                         /* of the score: these frames against usual ones */
    double separation[RS_OOD_FEATURES]; /* AUROC of each feature alone; NaN when not asked for */
} eval_shift_row;

typedef enum eval_shift_stage {
    EVAL_SHIFT_FIT,       /* frames only */
    EVAL_SHIFT_USUAL,     /* frames; threshold, alarms, correlation */
    EVAL_SHIFT_UNSHIFTED, /* row; parameter */
    EVAL_SHIFT_SHIFTED    /* frames; row */
} eval_shift_stage;

/* A block that has been scored; everything is borrowed for the time of the call. */
typedef struct eval_shift_news {
    eval_shift_stage stage;
    const char *effect; /* "fit", "usual", "none", then those of the instrument */
    double strength;
    long frames;
    const eval_shift_frame *frame;
    double threshold, alarms; /* of the score; share of usual frames above it */
    double correlation;       /* of usual frames' score with their share of walls: should be none */
    char parameter[EVAL_SHIFT_BASELINES][40]; /* of the baselines, tuned on unshifted frames */
    eval_shift_row row;
} eval_shift_news;

/* Calls `news` for each block in order. */
reshed_status eval_shift_run(const eval_shift_options *o,
                             void (*news)(void *ctx, const eval_shift_news *n), void *ctx,
                             reshed_error *err);

#endif
