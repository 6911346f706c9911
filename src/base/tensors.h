/* tensors.h - named tensors and the description of a network: what the weight readers give (io) and
 * the graph builder takes (nn). Neither side knows the other. */
#ifndef RS_BASE_TENSORS_H
#define RS_BASE_TENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef enum rs_dtype { RS_F32, RS_F16, RS_F64, RS_I64 } rs_dtype;

#define RS_TENSOR_MAX_DIMS 4

typedef struct rs_tensor {
    char name[96]; /* AtomAI's name, e.g. "net1.res_module.0.c1.weight" */
    rs_dtype dtype;
    int ndim; /* 0 for a scalar */
    int64_t dims[RS_TENSOR_MAX_DIMS];
    size_t count; /* product of dims */
    void *data;   /* count elements, row-major, native byte order; owned by the set */
} rs_tensor;

/* The tensors of one network, in the file's order. */
typedef struct rs_tensors {
    int n, capacity;
    rs_tensor *t; /* owned */
} rs_tensors;

/* The distribution of the features of training frames, for the out-of-distribution score:
 * infer/judge.h defines the features and the score. */
#define RS_OOD_MAX_FEATURES 16

typedef struct rs_ood_model {
    int version;                        /* of the set of features; 0: there is no model */
    int features;                       /* 1 to RS_OOD_MAX_FEATURES */
    int frames;                         /* that it was fitted to */
    double centre[RS_OOD_MAX_FEATURES]; /* [features] */
    double whiten[RS_OOD_MAX_FEATURES][RS_OOD_MAX_FEATURES]; /* [features,features]: the entries of
                                            whiten (x - centre) have variance 1, uncorrelated */
} rs_ood_model;

#define RS_MODEL_MAX_LEVELS 8
#define RS_MODEL_MAX_MEMBERS 1024

#define RS_MODEL_RECIPE 4096 /* room for the recipe of a training */

/* Everything a weights file says. */
typedef struct rs_model_file {
    char model[32]; /* "ResHedNet", "Unet", "dilnet", "SegResNet" */
    int classes, filters;
    int levels, layers[RS_MODEL_MAX_LEVELS]; /* residual blocks at each level, or what the network
                                                counts */
    char upsampling[16];                     /* "bilinear" or "nearest" */
    bool no_batch_norm;                      /* none, where the network leaves a choice */
    bool dropout, dilated;   /* likewise: trained with dropout; Unet's dilated block */
    bool upsampling_assumed; /* the file does not say; kept nowhere */
    double pixel_size_min, pixel_size_max; /* metres, seen in training; 0 when unknown */
    double ood_threshold; /* frame score above which a frame is unlike training; 0 when unknown */
    rs_ood_model ood;
    char recipe[RS_MODEL_RECIPE]; /* how it was trained, lines of text; "" when unknown */
    int members;
    rs_tensors *member; /* [members]; owned */
} rs_model_file;

/* Bytes of one element. */
size_t rs_dtype_size(rs_dtype dtype);
/* "float32", "float16", "float64", "int64" */
const char *rs_dtype_name(rs_dtype dtype);

/* Appends a tensor with uninitialised data and returns it (borrowed, valid until the next add), or
 * NULL when memory is short, the name does not fit, or a size overflows. Dimensions are >= 0. */
rs_tensor *rs_tensors_add(rs_tensors *set, const char *name, rs_dtype dtype, int ndim,
                          const int64_t *dims);
/* NULL when there is none of that name. */
const rs_tensor *rs_tensors_find(const rs_tensors *set, const char *name);
void rs_tensors_clear(rs_tensors *set);

/* Element i as a double, whatever the type. */
double rs_tensor_at(const rs_tensor *t, size_t i);

/* IEEE half precision to single: exact. */
float rs_half_to_float(uint16_t h);
/* Single to half, round to nearest even; overflow gives infinity. */
uint16_t rs_float_to_half(float f);

void rs_model_file_clear(rs_model_file *m);

#endif
