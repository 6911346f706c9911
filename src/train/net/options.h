/* options.h - what a member in training is made with; see member.h. */
#ifndef RS_TRAIN_OPTIONS_H
#define RS_TRAIN_OPTIONS_H

#include <stdbool.h>

#include "base/cpu.h"

typedef struct rs_member rs_member;

typedef struct rs_member_options {
    int batch, height, width; /* images of a batch: 1 to `batch`, all of this size */
    rs_isa isa;
    double entropy, dice; /* the loss: entropy * cross-entropy + dice * (1 - Dice's coefficient) */
    double decay;         /* AdamW's, decoupled: of all parameters */
    double beta1, beta2, epsilon;
    double clip;     /* the gradient's norm is cut to this; 0: never */
    double momentum; /* weight of a batch in the running statistics */
    bool frozen; /* batch normalisation takes its running statistics and leaves them as they are */
} rs_member_options;

#define RS_MEMBER_MAX_SIDE 4096
#define RS_MEMBER_MAX_BATCH 1024

/* Batch 8 of 112 x 112, the best instruction set, loss 1:1, decay 1e-4, betas 0.9 and 0.999,
 * epsilon 1e-8, clip 1, momentum 0.1, not frozen. */
rs_member_options rs_member_defaults(void);

#endif
