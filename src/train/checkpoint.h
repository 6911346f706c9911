/* checkpoint.h - a member in training as a file: after kill -9, power failure or a full disk it is the
 * last one that was complete.
 *
 *   8 bytes  "reshedCK"          u32 version 1      u32 0x01020304 in the writer's byte order
 *   32 bytes SHA-256 of the recipe's words          i32 member, i32 done (0 or 1)
 *   i64 step                     f64 loss since the last point, i64 steps in it
 *   u64 points                   i64 step, f64 loss, f64 F of each
 *   u64 bytes of the state       the state (rs_member_state_save)
 *   32 bytes SHA-256 of all that
 *
 * A checkpoint belongs to the machine's kind that wrote it: the bits that follow depend on it. */
#ifndef RS_TRAIN_CHECKPOINT_H
#define RS_TRAIN_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "train/curve.h"
#include "train/net/member.h"

typedef struct rs_checkpoint {
    int member;
    bool done; /* the member is finished: averaged, its statistics taken */
    int64_t step;
    double loss; /* sum since the last point of the curve */
    int64_t losses;
    rs_curve curve; /* owned */
} rs_checkpoint;

/* FOLDER/member_007.state into path[room]; RESHED_EINVAL when it does not fit. */
reshed_status rs_checkpoint_path(const char *folder, int member, char *path, size_t room,
                                 reshed_error *err);

/* Writes c and the state of m, of a training described by words, in one step. */
reshed_status rs_checkpoint_save(const char *path, const char *words, const rs_checkpoint *c,
                                 const rs_member *m, reshed_error *err);
/* Reads it into *c (c->member is expected) and m. RESHED_EINVAL for one of another recipe or member,
 * RESHED_ECORRUPT for one that is damaged; m and *c are then as before. */
reshed_status rs_checkpoint_load(const char *path, const char *words, rs_checkpoint *c,
                                 rs_member *m, reshed_error *err);

#endif
