/* trace.h - from a skeleton to its nodes and branches. */
#ifndef RS_IMGPROC_WALLS_TRACE_H
#define RS_IMGPROC_WALLS_TRACE_H

#include "imgproc/walls/graph/graph.h"

/* Fills graph->node, ->branch and ->pixel from graph->skeleton (0 or 1) on graph->grid; these
 * arrays must be NULL before. Of each branch the pixels, nodes and length_px are set. border: see
 * rs_wallgraph_options. On failure they are NULL again. Errors: RESHED_ENOMEM. */
reshed_status rs_trace(rs_wallgraph *graph, double border, reshed_error *err);

#endif
