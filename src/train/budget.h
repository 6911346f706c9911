/* budget.h - the number of steps that a training of some minutes has. */
#ifndef RS_TRAIN_BUDGET_H
#define RS_TRAIN_BUDGET_H

#include "train/recipe.h"

typedef struct rs_train_limit {
    double minutes;
    int threads;        /* members at a time; 0: all processors */
    double pixels;      /* scored by the whole ensemble before and after the training */
    const char *folder; /* of checkpoints, or NULL */
} rs_train_limit;

/* Sets the steps of *r to what fits into the limit with all that a training does beside them
 * (statistics of averaged weights, which a short one takes over fewer batches, and scores), by the
 * pace of a few steps on this machine; at least 10. With a folder of checkpoints the number is kept
 * there and found again for the same recipe, minutes and threads, so that a training that goes on
 * has as many steps as it began with. */
reshed_status rs_train_budget(rs_train_recipe *r, const rs_train_limit *limit, reshed_error *err);

#endif
