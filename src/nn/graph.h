/* graph.h - a network as data: places for rows, and the nodes that fill them.
 *
 * A place holds rows of activations at 1/2^level of the resolution. A node makes rows of one level
 * out of a place: a 3x3 convolution (with what follows it pixel by pixel), a 1x1 convolution, or a
 * row grown to twice its width. Skip connections are places that two nodes write, each its own
 * channels: nothing is copied to join them. Nodes are in topological order. networks.c has the
 * description of each network; the planner (schedule.h), the packing (layers.h), the execution
 * (exec.h) and the oracle's checks take any graph. */
#ifndef RS_NN_GRAPH_H
#define RS_NN_GRAPH_H

#include "nn/net.h"

#define RS_GRAPH_NAME 64
#define RS_GRAPH_USES 3

/* Batch normalisation: of a convolution's sum (folded into its weights) or of what the activation
 * makes of it. The latter cannot be folded into the next convolution: zeros around the frame are not
 * normalised. */
typedef enum rs_norm_kind { RS_NORM_NONE, RS_NORM_BEFORE, RS_NORM_AFTER } rs_norm_kind;

/* A convolution and its tensors: conv.weight, conv.bias, norm.weight, ... */
typedef struct rs_filter {
    char conv[RS_GRAPH_NAME], norm[RS_GRAPH_NAME];
    rs_norm_kind norm_kind;
    int k;            /* k x k: 1 or 3 */
    int cin[2], cout; /* of the file; cin[1]: of the second of two joined inputs, else 0 */
    bool image;       /* its input is the image: one channel, unpadded */
    bool head;        /* a score for each class */
    int bends;        /* > 0: a layer of a dilated block, whose own output counts so often in the
                          block's sum, beside activation and normalisation */
} rs_filter;

typedef struct rs_row_place {
    int level;
    int channels; /* floats of a pixel; multiples of RS_LANES but for the image and scores */
    int border;   /* zero pixels on each side */
    bool score;   /* kept for the whole frame */
    int reach;    /* of rs_graph_radius */
} rs_row_place;

/* What is done with the rows that a node has just made, pooled first (2x2 maximum) if so. */
typedef enum rs_use_kind {
    RS_USE_COPY,  /* into a place of as many channels */
    RS_USE_POINT, /* a 1x1 convolution */
    RS_USE_HEAD,  /* scores */
    RS_USE_STATE, /* a dilated block: what its next layer takes */
    RS_USE_SUM    /* a dilated block: the layer's part of the block's output */
} rs_use_kind;

typedef struct rs_use {
    rs_use_kind kind;
    bool pool;
    bool add;   /* RS_USE_SUM: to what is there */
    int filter; /* -1: none */
    int to;     /* place, from its first channel on */
} rs_use;

typedef enum rs_op_kind { RS_OP_CONV, RS_OP_POINT, RS_OP_GROW } rs_op_kind;

typedef struct rs_op {
    rs_op_kind kind;
    char name[32];
    int level;      /* of the rows it makes; RS_OP_GROW takes those of level + 1 */
    int filter, in; /* filter -1: RS_OP_GROW */
    int residual;   /* place that is added before the activation; -1: none */
    int to, offset; /* place and its first channel; -1: for the uses only */
    int dilation;
    float slope; /* of the activation; 1: none */
    int uses;
    rs_use use[RS_GRAPH_USES];
} rs_op;

typedef struct rs_graph {
    rs_arch arch;
    int levels; /* of resolution */
    int places, filters, nodes, scores;
    rs_row_place *place;            /* owned */
    rs_filter *filter;              /* owned */
    rs_op *node;                    /* owned */
    rs_use image;                   /* what is done with the image's rows */
    int score[RS_MODEL_MAX_LEVELS]; /* places, of level 0, 1, ... */
    int mix;                        /* filter that mixes the scores; -1: there is one score, and it
                                       is the logits */
} rs_graph;

/* The graph of a network; rs_graph_clear. */
reshed_status rs_graph_make(const rs_arch *arch, rs_graph *out, reshed_error *err);
void rs_graph_clear(rs_graph *g);

/* Channels padded to what the kernels want. */
int rs_pad_channels(int channels);
/* Channels of a filter's input as it lies in memory: one alone, or each part padded. */
int rs_filter_inputs(const rs_filter *f);

/* Rows of a place that are there when a node (-1: the image) has made rows up to r1: what its uses
 * or its own output leave in it; -1: it does not write there. */
int rs_graph_written(const rs_graph *g, int node, int place, int r1, int height);

/* Rows (and columns) of the image on each side beyond which nothing can change an output pixel; never too
 * small. A ResHedNet's own (rs_receptive_radius) is closer. */
int rs_graph_radius(const rs_graph *g);

/* Multiply-adds of a node with its uses for a frame of that size (-1: the image's, nodes: the mix of
 * scores), of direct convolutions. */
double rs_graph_macs(const rs_graph *g, int node, int height, int width);

#endif
