/* places.h - where the parameters and running statistics of a network lie in two plain arrays.
 *
 * Channels are padded to RS_LANES (the image's one stays one), so that the arrays can be read by
 * the kernels as they are; padding is zero and stays zero, since its gradient is. A convolution's
 * weights are [tap row][tap column][input][output], output channels side by side. */
#ifndef RS_TRAIN_PLACES_H
#define RS_TRAIN_PLACES_H

#include "nn/net.h"

typedef struct rs_conv_place {
    int cin, cout; /* padded; 1 stays 1 */
    int inputs, outputs, k;
    size_t w, b; /* offsets in the parameters */
} rs_conv_place;

typedef struct rs_norm_place {
    int channels, padded;
    size_t gamma, beta; /* offsets in the parameters */
    size_t mean, var;   /* offsets in the statistics */
} rs_norm_place;

typedef struct rs_block_place {
    rs_conv_place c0, c1, c2;
    rs_norm_place n1, n2;
} rs_block_place;

typedef struct rs_head_place {
    rs_conv_place conv;
    rs_norm_place norm;
} rs_head_place;

typedef struct rs_places {
    rs_arch arch;
    int blocks;
    int first[RS_MODEL_MAX_LEVELS + 1]; /* block of each level */
    rs_block_place *block;              /* [blocks]; owned */
    rs_head_place head[RS_MODEL_MAX_LEVELS];
    rs_conv_place out;
    size_t parameters, statistics; /* floats */
} rs_places;

reshed_status rs_places_make(const rs_arch *arch, rs_places *out, reshed_error *err);
void rs_places_clear(rs_places *l);

/* A tensor as files have it, and where its numbers are. */
typedef struct rs_place {
    char name[96];
    int ndim;
    int64_t dims[4];
    enum { RS_PLACE_WEIGHT, RS_PLACE_VECTOR, RS_PLACE_STATISTIC, RS_PLACE_COUNT } kind;
    size_t at;     /* offset in the parameters or statistics */
    int cin, cout; /* of a weight: the padded sizes */
} rs_place;

/* Element i of the tensor's row-major numbers, as an offset in its array. */
size_t rs_place_index(const rs_place *p, size_t i);

/* Calls visit for every tensor in AtomAI's order until one call does not return RESHED_OK; returns
 * its status. */
reshed_status rs_places_visit(const rs_places *l,
                              reshed_status (*visit)(void *ctx, const rs_place *p), void *ctx);

#endif
