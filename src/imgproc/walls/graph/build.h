/* build.h - from a skeleton to its graph of walls.
 *
 *     rs_wallgraph_input in = {.grid = {height, width, dx, dy}, .skeleton = skeleton,
 *                              .mask = mask, .probability = mean, .variance = variance};
 *     rs_wallgraph_options options;
 *     rs_wallgraph graph = {0};
 *     rs_wallgraph_options_defaults(&options);
 *     st = rs_wallgraph_build(&in, &options, &graph, err);
 *     for (int w = 0; w < graph.walls; w++) printf("%g m\n", graph.wall[w].line.length);
 *     rs_wallgraph_clear(&graph);
 *
 * find.h begins one step earlier, with the map of wall probability. */
#ifndef RS_IMGPROC_WALLS_BUILD_H
#define RS_IMGPROC_WALLS_BUILD_H

#include "imgproc/walls/graph/graph.h"

/* All maps are [height,width] and borrowed; only skeleton is needed. */
typedef struct rs_wallgraph_input {
    rs_grid grid;
    const uint8_t *skeleton;  /* non-zero on the line, e.g. of rs_thin */
    const uint8_t *mask;      /* what was thinned; NULL: widths are NaN */
    const float *probability; /* NULL: mean probabilities are NaN */
    const float *variance;    /* NULL: mean variances are NaN */
    const float *amplitude;   /* NULL: the contrast of pairs is NaN, and pairs are chosen by
                                 their shape alone */
} rs_wallgraph_input;

/* Fills *out (rs_wallgraph_clear). Errors: RESHED_EINVAL (a size, an option), RESHED_ENOMEM. */
reshed_status rs_wallgraph_build(const rs_wallgraph_input *in, const rs_wallgraph_options *options,
                                 rs_wallgraph *out, reshed_error *err);

#endif
