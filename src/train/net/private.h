/* private.h - a member at work. The order of a step:
 *
 *   forward, level by level, block by block (forward.c). A block's activations stay:
 *     x = c0(in)   z1 = c1(x)   z2 = c2(act(n1(z1)))   out = act(n2(z2) + x)
 *     with the sums of z1 and z2 for the normalisation taken while their rows are in cache, and
 *     act(n1(z1)) made row by row as c2 asks for it, never stored
 *   heads, loss and its gradient (head.c)
 *   backward in the opposite order (backward.c): two gradients are kept, the one that comes from
 *     above and, within a block, that of n1's output
 *   clip and AdamW (member.c)
 *
 * The 3x3 convolutions, their gradients to the input and to the weights go tile by tile in
 * Winograd's domain (wino.h). */
#ifndef RS_TRAIN_PRIVATE_H
#define RS_TRAIN_PRIVATE_H

#include "nn/exec.h"
#include "train/net/batch.h"
#include "train/net/options.h"
#include "train/net/places.h"

typedef enum rs_stats { RS_STATS_BATCH, RS_STATS_RUNNING } rs_stats;

/* Batch normalisation of one step, y = a z + c. All arrays: [padded channels]. */
typedef struct rs_bn {
    const rs_norm_place *place;
    float *a, *c, *mean;
    float *da, *db, *dc; /* dz = da dy + db z + dc */
    float *sum, *dot;    /* over some rows */
    double *sums, *dots; /* over the batch */
    double *inv;         /* 1 / sqrt(var + eps) */
} rs_bn;

typedef struct rs_block {
    const rs_block_place *place;
    const float *in; /* [n,h,w,cin]: pooled, or the output of the block before, or the image */
    float *x, *z1, *z2, *out; /* [n,h,w,c] */
    rs_bn n1, n2;
} rs_block;

typedef struct rs_level {
    int height, width, channels; /* padded */
    int across, down;            /* tiles of an image */
    int task;                    /* rows of tiles that are transformed together */
    float *pooled;               /* [n,h,w,channels of the level above]; NULL for the first */
    float *raw, *score;          /* [n,h,w]: of the head, and normalised */
    float *up;                   /* [n,H,W]: score resized; the first level's score itself */
    rs_sampling *rows, *columns; /* [H], [W]: what a pixel of the image samples; NULL for the
                                    first */
    rs_bn norm;
} rs_level;

struct rs_member {
    rs_arch arch;
    rs_member_options o;
    rs_kernels k;
    rs_places places; /* owned */
    float *memory;    /* owned: all that follows */
    size_t bytes;

    float *p, *g, *m, *v;                   /* parameters, gradient, moments */
    float *s;                               /* running statistics */
    double *mean_p, *mean_s;                /* sums of averaged weights and statistics */
    long steps, averaged, tracked, batches; /* batches: since rs_member_statistics_begin */
    double norm;

    rs_level level[RS_MODEL_MAX_LEVELS];
    rs_block *block; /* [places.blocks]; owned */
    float *ga, *gb;  /* gradients, each as large as the largest activation */
    float *logit, *dlogit, *probability;

    /* scratch of Winograd's passes */
    float *ring[2], *tv, *tm, *u, *du, *turned, *point, *rows, *zeros;
};

static inline size_t rs_pixels(const rs_level *l, int images)
{
    return (size_t)images * (size_t)l->height * (size_t)l->width;
}

/* Row r of image i of an activation of the level with that many channels. */
static inline size_t rs_row_at(const rs_level *l, int channels, int i, int r)
{
    return ((size_t)i * (size_t)l->height + (size_t)r) * (size_t)l->width * (size_t)channels;
}

/* bn.c: statistics of a batch. rs_bn_begin clears the sums, rs_bn_take adds those of some
 * rows and clears these; rs_bn_forward makes a, c and mean of them, and gives the running
 * statistics a share of them (momentum 0: none); rs_bn_running makes a and c of those. */
void rs_bn_begin(rs_bn *n);
void rs_bn_take(rs_bn *n);
void rs_bn_forward(rs_member *m, rs_bn *n, size_t pixels, double momentum);
void rs_bn_running(const rs_member *m, rs_bn *n);
/* From the sums of dy and of dy (z - mean): the parameters' gradient, and da, db, dc. */
void rs_bn_backward(rs_member *m, rs_bn *n, size_t pixels, rs_stats stats);

/* forward.c: up to the heads' raw scores. momentum: see rs_bn_forward. */
void rs_forward(rs_member *m, const rs_batch *b, rs_stats stats, double momentum);
/* A 1x1 convolution's weights [cin][cout] as mac wants them. */
void rs_pack_point(const rs_kernels *k, const float *w, int cin, int cout, float *out);

/* head.c: scores to logits. */
void rs_heads_forward(rs_member *m, int images, rs_stats stats, double momentum);
/* The loss of the logits; gradient: dlogit as well. Probabilities are left in m->probability when there
 * is no gradient. */
double rs_loss(rs_member *m, const rs_batch *b, bool gradient);
/* From dlogit: gradients of `out`, of the heads' normalisation, and of raw, left in level.score. */
void rs_heads_backward(rs_member *m, int images, rs_stats stats);

/* backward.c: after rs_heads_backward, the gradient of all other parameters. */
void rs_backward(rs_member *m, int images, rs_stats stats);

#endif
