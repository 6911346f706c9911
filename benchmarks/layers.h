/* layers.h - the time of an inference by layer and by phase. */
#ifndef RS_BENCHMARKS_LAYERS_H
#define RS_BENCHMARKS_LAYERS_H

#include "nn/plan.h"

/* Of one member, in processor seconds. */
typedef struct bench_layer {
    char name[32];    /* "1.2 c1": level and block from 1, or block and layer of
                        other networks; "image", "mix", "rest" */
    const char *algo; /* "" for those */
    double phase[RS_PHASES];
    double seconds; /* sum of the phases */
    double macs;    /* direct convolution's, with the 1x1 convolutions and the head that follow */
    size_t weight_bytes; /* packed, of the 3x3 convolution */
} bench_layer;

/* Runs the plan `runs` times on image [H,W] with clocks at every phase. out[stages + 3]: the
 * image's 1x1 convolution, the stages in order, the mix of scores, and the rest (mean and variance,
 * turning round while waiting for other threads, the clocks). threads: the plan's. */
reshed_status bench_layers(rs_plan *plan, int members, int threads, const float *image, int runs,
                           bench_layer *out, reshed_error *err);

#endif
