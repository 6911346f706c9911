/* prune.h - a skeleton without its spurs, traced. */
#ifndef RS_IMGPROC_WALLS_PRUNE_H
#define RS_IMGPROC_WALLS_PRUNE_H

#include "imgproc/walls/graph/graph.h"

/* Clears from graph->skeleton the branches that end free, begin at a junction and are shorter than
 * `spur` metres, the shortest first at each junction, until there are none, counts them in
 * spurs_removed, and leaves the traced result (trace.h).
 *
 * mask [H,W] (NULL: none): what was thinned. Its blunt ends are then cleared as well: the legs that
 * run from a junction into the corners of a wall's end, or into a bump of its side, and the pixels
 * of a free end that lie beyond the place where the wall first has its full width. So a bar's line
 * ends half the bar's width before the bar does, in every direction. Errors: RESHED_ENOMEM. */
reshed_status rs_trace_pruned(rs_wallgraph *graph, double border, double spur, const uint8_t *mask,
                              reshed_error *err);

#endif
