/* wino.h - a 3x3 convolution over all images of a batch, tile by tile in Winograd's domain F(4x4,
 * 3x3), forward or backward:
 *
 *     rows of the input --fill--> ring --B^T . B--> V --times U--> M --A^T . A--> rows of the output
 *
 * and for the gradient to the weights, from the rows of the output's gradient (in the first ring)
 * and of the convolution's input (in a second one):  dU += (B^T x B)^T (A dy A^T).
 *
 * A ring holds the rows that a row of tiles needs, each between zero pixels, so that inputs can be
 * made on the way and need not be stored. */
#ifndef RS_TRAIN_WINO_H
#define RS_TRAIN_WINO_H

#include "train/net/private.h"

typedef struct rs_wino_pass {
    int level, images;
    const float *bias; /* [channels] */
    /* Puts row r of image i, width times channels floats, to dst. */
    void (*fill)(void *ctx, int i, int r, float *dst);
    /* The same of the input for the gradient to the weights, into m->du; NULL: none. */
    void (*fill_input)(void *ctx, int i, int r, float *dst);
    /* Where row r of image i of the output goes; *res: what is added, or NULL. */
    float *(*row)(void *ctx, int i, int r, const float **res);
    /* Rows [r0,r1) are there. */
    void (*after)(void *ctx, int i, int r0, int r1);
    void *ctx;
} rs_wino_pass;

/* With the filters in m->u. */
void rs_wino_run(rs_member *m, const rs_wino_pass *p);

/* Filters of a convolution into m->u: for its output, or turned by half a turn and with inputs and
 * outputs exchanged for the gradient to its input. */
void rs_wino_filters(rs_member *m, const rs_conv_place *c);
void rs_wino_filters_turned(rs_member *m, const rs_conv_place *c);

/* Floats of a ring, of V and M each, at a level. */
size_t rs_wino_ring_floats(const rs_level *l);
size_t rs_wino_task_floats(const rs_level *l);

#endif
