/* layers.h - the algorithm of each convolution, and the packed weights of a member. */
#ifndef RS_NN_LAYERS_H
#define RS_NN_LAYERS_H

#include "nn/filters.h"
#include "nn/kernels/kernels.h"

/* The caller's choice; the public interface has the same values (reshed_algo, reshed_precision). */
typedef enum rs_algo {
    RS_ALGO_AUTO = 0, /* the fastest known for each layer */
    RS_ALGO_WINOGRAD,
    RS_ALGO_DIRECT, /* row-independent: a row's bits depend on its receptive rows only */
    RS_ALGO_GEMM    /* im2col and a BLAS matrix product */
} rs_algo;

typedef enum rs_precision { RS_FP32 = 0, RS_BF16 } rs_precision;

/* "auto", "winograd", "direct", "gemm"; "fp32", "bf16": the names that command lines, files and
 * reports use. */
const char *rs_algo_name(rs_algo algo);
const char *rs_precision_name(rs_precision precision);

/* The algorithm of one layer. */
typedef enum rs_conv_algo {
    RS_CONV_GEMM,
    RS_CONV_DIRECT,
    RS_CONV_WINO4,
    RS_CONV_WINO6,
    RS_CONV_WINO4_BF16 /* operands of the product in bf16 */
} rs_conv_algo;

/* "gemm", "direct", "F(4x4,3x3)", "F(6x6,3x3)", "F(4x4), bf16" */
const char *rs_conv_algo_name(rs_conv_algo a);

/* Output tile of Winograd, 0 for the others. */
int rs_conv_algo_tile(rs_conv_algo a);

/* A node of the graph with everything that does not depend on the image's size. */
typedef struct rs_layer {
    rs_op_kind kind;
    int level;
    int cin, cout; /* as the kernels see them; cin is 1 for an image */
    int dilation;
    rs_conv_algo algo; /* of a 1x1 convolution: RS_CONV_DIRECT, RS_CONV_GEMM, RS_CONV_WINO4_BF16 */
} rs_layer;

/* The nodes of a network, in order, with their algorithms: [g->nodes], rs_free; NULL without
 * memory. */
rs_layer *rs_layers_make(const rs_graph *g, rs_algo algo, rs_precision precision);

/* ---- packed weights: all owned by the member, in one block of memory. */
typedef struct rs_packed_conv {
    const float *w;             /* in the layout of its algorithm, or NULL */
    const uint16_t *w16;        /* in bf16 instead, or NULL */
    const float *b;             /* [padded cout] */
    const float *scale, *shift; /* [padded cout]: normalisation after the activation, or NULL */
    /* A layer of a dilated block: what its next layer takes, and its part of the sum, as slopes for
     * positive and negative sums of the convolution, and shifts (kernels.h, bend_row): [3][cout] */
    const float *state, *sum;
    int cin, cout; /* padded; cin 1 for an image; not padded for heads' cout */
} rs_packed_conv;

typedef struct rs_packed {
    rs_packed_conv *conv; /* [filters of the graph]; owned */
    float *memory;        /* owned */
    size_t bytes;
} rs_packed;

/* Floats of a packed 3x3 and 1x1 convolution. */
size_t rs_packed_size3(rs_conv_algo algo, int cin, int cout);
size_t rs_packed_size1(rs_conv_algo algo, int cin, int cout);

/* Folds and packs one member. layers: of the graph's nodes; gemm: 1x1 convolutions are for BLAS as
 * well. */
reshed_status rs_pack_member(const rs_graph *g, const rs_tensors *t, const rs_layer *layers,
                             bool gemm, const rs_kernels *k, rs_packed *out, reshed_error *err);
void rs_packed_clear(rs_packed *p);

/* One set of algorithms for all members: what rs_pack_member takes, and packed [members],
 * zeroed. */
typedef struct rs_pack_set {
    const rs_layer *layers;
    bool gemm;
    const rs_kernels *kernels;
    rs_packed *packed; /* filled; the caller clears them, also after a failure */
} rs_pack_set;

/* Packs every member for each set, members side by side, and adds their bytes to *bytes. take:
 * NULL, or the same model to have each member's tensors cleared once all sets have them. Errors:
 * RESHED_ENOMEM, and those of tensors that have not passed rs_net_check. */
reshed_status rs_pack_all(const rs_graph *g, const rs_model_file *model, rs_model_file *take,
                          const rs_pack_set *set, int sets, int threads, size_t *bytes,
                          reshed_error *err);

#endif
