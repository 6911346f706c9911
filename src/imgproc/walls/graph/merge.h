/* merge.h - which branches continue each other: from branches to walls. */
#ifndef RS_IMGPROC_WALLS_MERGE_H
#define RS_IMGPROC_WALLS_MERGE_H

#include "imgproc/walls/graph/graph.h"

/* Appends to graph->wall one wall for each chain of branches, and its pixels to graph->pixel:
 * first, count and end[] of each are set. graph must be traced (rs_trace) and its branches measured
 * (line.length, line.width), smooth[graph->pixels] holds their pixels as rs_line_smooth gives them.
 * Branches no longer than twice their width, or than three pixels, that join two junctions count as
 * part of one wide junction. On failure graph->wall stays NULL. Errors: RESHED_ENOMEM. */
reshed_status rs_merge_walls(rs_wallgraph *graph, const rs_xy *smooth,
                             const rs_wallgraph_options *options, reshed_error *err);

#endif
