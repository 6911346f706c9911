/* random_model.h - networks and images made from a seed, for benchmarks and tests: the time of a
 * network does not depend on what it has learnt. */
#ifndef RS_BENCHMARKS_RANDOM_MODEL_H
#define RS_BENCHMARKS_RANDOM_MODEL_H

#include "base/random.h"
#include "base/tensors.h"
#include "nn/net.h"

#define BENCH_LEVELS 3

/* The shape of an ensemble. */
typedef struct bench_shape {
    int members, filters, classes;
    int layers[4];          /* residual blocks of each level ({3, 4, 5} in the paper), or what else
                                 the network counts */
    const char *upsampling; /* "bilinear" or "nearest" */
    rs_net net;             /* 0: ResHedNet */
    bool no_batch_norm, dropout, dilated; /* of other networks */
} bench_shape;

/* A network for each member, scaled so that activations stay of order one and the
 * probabilities spread over (0,1). Clear with rs_model_file_clear. */
reshed_status bench_random_model(const bench_shape *shape, uint64_t seed, rs_model_file *out,
                                 reshed_error *err);

/* A smooth image with noise, about [0,1], of size [h,w]. */
void bench_random_image(float *image, int h, int w, uint64_t seed);

/* Uniform in [0,1). */
double bench_uniform(rs_random *r);
/* Mean 0 and variance 1, near enough to a normal distribution for weights: the sum of four uniform
 * numbers, out of one step of the generator. */
double bench_gauss(rs_random *r);

#endif
