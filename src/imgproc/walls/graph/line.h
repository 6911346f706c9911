/* line.h - measures on a run of neighbouring pixels, taken as a curve. */
#ifndef RS_IMGPROC_WALLS_LINE_H
#define RS_IMGPROC_WALLS_LINE_H

#include <stdbool.h>

#include "imgproc/image/grid.h"

/* out[n]: the pixels' centres in metres, each replaced by the mean of itself and up to three others
 * on either side (equally many on both, so the ends of an open run stay where they are). This takes
 * away the steps of the raster: the length of a straight line is then right within 1 % whatever its
 * direction, where the chain of pixels is up to 8 % too long. closed: the last pixel neighbours the
 * first. */
void rs_line_smooth(const rs_grid *grid, const rs_pixel *pixel, int n, bool closed, rs_xy *out);

/* Length of the polyline at[n], back to its start when closed. */
double rs_line_length(const rs_xy *at, int n, bool closed);

/* Length of the chain of pixels, in pixels: each step's Euclidean length. */
double rs_chain_length(const rs_pixel *pixel, int n, bool closed);

/* Direction of the long axis of the points (the principal axis of their covariance), in [0,pi);
 * NaN when they have none. */
double rs_line_orientation(const rs_xy *at, int n);

/* Unit vector of the polyline's direction at point i, from the points `reach` before and after it
 * (fewer at the ends of an open line); {0,0} when these coincide. */
rs_xy rs_line_tangent(const rs_xy *at, int n, bool closed, int i, int reach);

/* Returns the angle by which the line turns at point i, in [0,pi]: between its course over `reach`
 * points before and after it. 0 where an open line is not that long on both sides. */
double rs_line_turn(const rs_xy *at, int n, bool closed, int i, int reach);

#endif
