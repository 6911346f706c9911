/* grid.h - the raster that a map lies on, and how its pixels are named.
 *
 * Row 0 is the +y (top) edge of the frame, column 0 its -x edge. A pixel is always written row
 * first (as in map[row*width + col]); a place in metres is always written x first. The two have
 * different types, so that one cannot stand where the other is meant. */
#ifndef RS_IMGPROC_IMAGE_GRID_H
#define RS_IMGPROC_IMAGE_GRID_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct rs_grid {
    int height, width;
    double dx, dy; /* metres between neighbours along a row and along a column, > 0. When the size
                      is unknown give 1 and 1: every length is then in pixels. */
} rs_grid;

typedef struct rs_pixel {
    int32_t row, col;
} rs_pixel;

/* A place or a step in metres; +y is up. */
typedef struct rs_xy {
    double x, y;
} rs_xy;

/* RESHED_EINVAL unless the sides are >= 1 and within the limits of base/image.h and dx, dy are
 * finite and positive. */
reshed_status rs_grid_check(const rs_grid *grid, reshed_error *err);

/* height*width */
size_t rs_grid_count(const rs_grid *grid);

/* The centre of a pixel in metres from the centre of pixel (0,0): x to the right, y up. */
rs_xy rs_pixel_xy(const rs_grid *grid, rs_pixel p);

/* Metres between the centres of two pixels. */
double rs_pixel_distance(const rs_grid *grid, rs_pixel a, rs_pixel b);

#endif
