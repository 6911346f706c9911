/* pair.h - walls that face each other (see walls/graph.h for families and domains). */
#ifndef RS_IMGPROC_WALLS_PAIR_H
#define RS_IMGPROC_WALLS_PAIR_H

#include "imgproc/walls/graph/graph.h"

/* Fills graph->pair and each wall's pair. amplitude [H,W] may be NULL. On failure graph->pair stays
 * NULL. Errors: RESHED_ENOMEM. */
reshed_status rs_pair_walls(rs_wallgraph *graph, const float *amplitude,
                            const rs_wallgraph_options *options, reshed_error *err);

#endif
