/* gap.h - walls that continue each other across a gap. */
#ifndef RS_IMGPROC_WALLS_GAP_H
#define RS_IMGPROC_WALLS_GAP_H

#include "imgproc/walls/graph/graph.h"

/* A wall that is faint in places is found in pieces, and a piece of a long wall is not a short one.
 * Joins two ends where the walls head for each other: no farther apart than `gap` metres or than
 * the shorter of the two is long, the directions within 15 degrees, and beside each other by no
 * more than 1.5 pixels and a tenth of the gap. The straightest and nearest are joined first, and an
 * end once. first[graph->walls]: the lowest number (so the longest) of the walls that each is part
 * of, itself for a wall alone. Errors: RESHED_EINVAL for a gap that is negative or not finite,
 * RESHED_ENOMEM. */
reshed_status rs_wall_gaps(const rs_wallgraph *graph, double gap, int *first, reshed_error *err);

#define RS_WALL_GAP_PIXELS 12 /* the gap that the tests of a metric bridge, see tests.h */

#endif
