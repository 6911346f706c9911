/* train_oracle.h - the loss of a whole network in training and its gradient, in double precision
 * with the oracle's layers. */
#ifndef RS_TESTS_SUPPORT_TRAIN_ORACLE_H
#define RS_TESTS_SUPPORT_TRAIN_ORACLE_H

#include "base/tensors.h"
#include "nn/net.h"
#include "train/net/batch.h"

/* gradient: NULL, or zeroed: gets float64 tensors with the parameters' names. frozen: running
 * statistics instead of the batch's. The loss is 1:1 of cross-entropy and Dice. */
double test_train_oracle(const rs_arch *arch, const rs_tensors *t, const rs_batch *batch,
                         bool frozen, rs_tensors *gradient);

#endif
