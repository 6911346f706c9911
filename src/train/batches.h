/* batches.h - what is learnt from in each step: simulated frames, each seen once, and pieces of the
 * user's own. A batch is a function of the settings, the member and the step alone, so that neither
 * threads nor interruptions change a bit of a training. */
#ifndef RS_TRAIN_BATCHES_H
#define RS_TRAIN_BATCHES_H

#include "train/augment.h"
#include "train/net/batch.h"

typedef struct rs_batches {
    uint64_t seed;
    int batch;          /* pieces, 1 to 1024 */
    rs_augment augment; /* of simulated frames */
    rs_picture_scene scene;
    int64_t repeat; /* frames that are drawn again and again; 0: no frame is seen twice */
    /* Own pictures, borrowed; each must have its distances. Large ones are taken more often. */
    const rs_picture *own;
    int owns;
    double share;    /* of the pieces that come from them, 0 to 1 */
    double own_turn; /* augment.turn of own pieces: they repeat, so they are turned more */
} rs_batches;

/* RESHED_EINVAL names what is out of its range. */
reshed_status rs_batches_check(const rs_batches *b, reshed_error *err);

/* Room for a batch of b's pieces (rs_batch_clear). */
reshed_status rs_batch_init(const rs_batches *b, rs_batch *out, reshed_error *err);
void rs_batch_clear(rs_batch *batch);

/* Fills *out, which has room. 0 <= member < RS_MODEL_MAX_MEMBERS, step >= 0. Any number of threads may
 * make batches at once. */
reshed_status rs_batches_make(const rs_batches *b, int member, int64_t step, rs_batch *out,
                              reshed_error *err);

/* The seed of the set of frames that a member sees: 1000 and above, since lower ones are for
 * judging (reshed-evaluate). */
uint64_t rs_batches_set(uint64_t seed, int member);

#endif
