/* net.h - which network a weights file describes, and its folded weights.
 *
 * The networks are those of AtomAI for segmentation: ResHedNet, Unet, dilnet and SegResNet; networks.c
 * describes each as a graph (graph.h). Unet, dilnet and SegResNet halve the image a few times and come
 * back by doubling, so the image's sides must be multiples of rs_arch_unit. ResHedNet takes any size.
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

typedef enum rs_net { RS_RESHEDNET = 0, RS_UNET, RS_DILNET, RS_SEGRESNET } rs_net;

typedef struct rs_arch {
    rs_net net;
    int levels, layers[RS_MODEL_MAX_LEVELS]; /* `levels` counts of layers or blocks */
    int filters, classes;
    rs_upsampling upsampling;
    bool batch_norm; /* ResHedNet: always, whatever this says */
    bool dropout;    /* layers that do nothing now, but have numbers in the tensors' names */
    bool dilated;    /* Unet: a dilated block at the lowest level */
} rs_arch;

/* The architecture that a weights file states; RESHED_EUNSUPPORTED names what it is instead. */
reshed_status rs_arch_from_file(const rs_model_file *m, rs_arch *arch, reshed_error *err);

/* Channels of level k, and of the input of a block. */
int rs_level_channels(const rs_arch *arch, int level);
int rs_block_inputs(const rs_arch *arch, int level, int block);

/* Height or width n at level k. */
int rs_level_size(int n, int level);

/* "ResHedNet", "Unet", "dilnet", "SegResNet": AtomAI's names. */
const char *rs_net_name(rs_net net);

/* Sides of images are multiples of this: 1, 2, 4 or 8. */
int rs_arch_unit(const rs_arch *arch);
/* RESHED_EUNSUPPORTED when they are not; the message has the sizes that would do. */
reshed_status rs_arch_check_size(const rs_arch *arch, int height, int width, reshed_error *err);

/* "net1.res_module.0.c1.weight" and the like into buf of 96 bytes. part: "c1.weight", "bn1.bias",
 * ... */
void rs_block_name(char *buf, int level, int block, const char *part);

/* Rows (and columns) of input on each side beyond which nothing can change an output pixel of a
 * ResHedNet: exact within a few rows, and never too small, for every image size. */
int rs_receptive_radius(const rs_arch *arch);

#endif
