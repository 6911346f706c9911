/* budget.h - the number of steps that a training of some minutes has. */
#ifndef RS_TRAIN_BUDGET_H
#define RS_TRAIN_BUDGET_H

#include "train/recipe.h"

/* Sets the steps of *r to what fits into that many minutes with `threads` members at a time (0: all
 * processors), by the pace of a few steps on this machine; at least 10. With a folder of checkpoints the
 * number is kept there and found again, so that a training that goes on has as many steps as it
 * began with. */
reshed_status rs_train_budget(rs_train_recipe *r, double minutes, int threads, const char *folder,
                              reshed_error *err);

#endif
