/* run.h - trains the members of an ensemble side by side, each on one thread.
 *
 *     rs_train_run(&job, &result, &err);
 *     rs_weights_write_h5(path, &result.model, NULL, &err);
 *     rs_train_result_clear(&result);
 *
 * With a folder for checkpoints a training that was ended in any way goes on from its members' last
 * ones when it is run again, to the same bits. */
#ifndef RS_TRAIN_RUN_H
#define RS_TRAIN_RUN_H

#include "train/curve.h"
#include "train/recipe.h"

typedef struct rs_train_news {
    int member;
    long step, steps; /* of this member */
    bool resumed;     /* step is where a checkpoint takes it up */
    double loss, f;   /* of the last point of its curve, NaN before and where it was not taken */
} rs_train_news;

typedef struct rs_train_job {
    const rs_train_recipe *recipe;
    const rs_model_file *start; /* tune: member i starts as member i % members of these */
    const char *folder;         /* of checkpoints, which exists; NULL: none */
    int threads;                /* members at a time; 0: all processors; the result does not depend
                                   on it */
    /* Called after each step, by one thread at a time; NULL is fine. */
    void (*news)(void *ctx, const rs_train_news *n);
    void *ctx;
} rs_train_job;

typedef struct rs_train_result {
    rs_model_file model; /* with the recipe; without the model of a score */
    rs_curve *curve;     /* [members] */
} rs_train_result;

/* On success *out is to be cleared. */
reshed_status rs_train_run(const rs_train_job *job, rs_train_result *out, reshed_error *err);
void rs_train_result_clear(rs_train_result *r);

/* Seconds that parts of a training take on this machine with as many members at work at once. */
typedef struct rs_train_pace {
    double step;       /* of a member, batch included */
    double statistics; /* a batch of the averaged weights' statistics, that included */
    double judge;      /* a batch of frames to judge by, scored */
} rs_train_pace;

/* Medians of `times` of each in every one of `threads` members, after a first; then their mean. */
reshed_status rs_train_measure(const rs_train_recipe *recipe, int threads, int times,
                               rs_train_pace *out, reshed_error *err);

#endif
