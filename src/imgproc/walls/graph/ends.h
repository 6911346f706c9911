/* ends.h - where a wall ends: half its width before its mask does. */
#ifndef RS_IMGPROC_WALLS_ENDS_H
#define RS_IMGPROC_WALLS_ENDS_H

#include "imgproc/walls/graph/graph.h"

/* Draws the free ends of the lines of a traced graph anew in graph->skeleton, as far as thinning may
 * have bent or shortened them: straight on from where the line is sure, to half the wall's width
 * before the edge of mask[H,W], or to the edge of the frame where the mask goes on to it. depth[H,W]:
 * metres to the nearest pixel outside the mask. Ends of lines that are too short to have a direction
 * stay, as do those whose way is not free. Returns how many were drawn; the graph's lines are then
 * those of the old skeleton. */
int rs_redraw_ends(rs_wallgraph *graph, const uint8_t *mask, const double *depth);

#endif
