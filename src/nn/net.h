/* net.h - the ResHedNet as a graph: which tensors it needs, of which shapes, and its folded
 * weights.
 *
 * Per level k = 0..levels-1, with C = filters * 2^k channels at 1/2^k of the resolution:
 *
 *   in -> [2x2 max pool if k > 0] -> block -> block -> ... -> out of the level
 *                                                      |-> score head: 1x1 conv to `classes` + BN
 *   block: x = c0(in) (1x1)   y = lrelu(bn1(c1(x)))   out = lrelu(bn2(c2(y)) + x)  (c1, c2: 3x3)
 *
 * The heads' scores are resized to the input's size, concatenated in level order, and mixed by a
 * 1x1 convolution `out`; a sigmoid (softmax for more than one class) follows. Names are AtomAI's:
 * net1.res_module.0.c0.weight, net2.1.res_module.0..., net1score.0.weight, out.weight. */
#ifndef RS_NN_NET_H
#define RS_NN_NET_H

#include "base/tensors.h"

#define RS_BN_EPS 1e-5
#define RS_LRELU_SLOPE 0.01f
#define RS_MAX_CLASSES 64

typedef enum rs_upsampling { RS_BILINEAR, RS_NEAREST } rs_upsampling;

typedef struct rs_arch {
    int levels, layers[RS_MODEL_MAX_LEVELS];
    int filters, classes;
    rs_upsampling upsampling;
} rs_arch;

/* One convolution with its batch normalisation folded in (in double, rounded once). */
typedef struct rs_conv {
    int cin, cout, k; /* k x k kernel: 1 or 3 */
    float *w;         /* [cout][cin][k][k]; owned */
    float *b;         /* [cout]; owned */
} rs_conv;

typedef enum rs_conv_role { RS_C0, RS_C1, RS_C2 } rs_conv_role;

/* The architecture that a weights file states; RESHED_EUNSUPPORTED names what it is instead. */
reshed_status rs_arch_from_file(const rs_model_file *m, rs_arch *arch, reshed_error *err);

/* Every member has every tensor of the architecture, with the right shape and finite values. */
reshed_status rs_net_check(const rs_model_file *m, reshed_error *err);

/* Channels of level k, and of the input of a block. */
int rs_level_channels(const rs_arch *arch, int level);
int rs_block_inputs(const rs_arch *arch, int level, int block);

/* Height or width n at level k. */
int rs_level_size(int n, int level);

/* Folded weights of one convolution of a block, of a level's score head, and of the last
 * convolution. The tensors must have passed rs_net_check. Free with rs_conv_clear. */
reshed_status rs_fold_block(const rs_tensors *t, int level, int block, rs_conv_role role,
                            rs_conv *out, reshed_error *err);
reshed_status rs_fold_score(const rs_tensors *t, int level, rs_conv *out, reshed_error *err);
reshed_status rs_fold_out(const rs_tensors *t, rs_conv *out, reshed_error *err);
void rs_conv_clear(rs_conv *c);

/* "net1.res_module.0.c1.weight" and the like into buf of 96 bytes. part: "c1.weight", "bn1.bias",
 * ... */
void rs_block_name(char *buf, int level, int block, const char *part);

/* Rows (and columns) of input on each side beyond which nothing can change an output pixel: exact
 * within a few rows, and never too small, for every image size. */
int rs_receptive_radius(const rs_arch *arch);

#endif
