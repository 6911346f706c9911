/* contour.h - lines to draw over a map: where it crosses a level, and its skeleton. */
#ifndef RS_IMGPROC_FIGURES_CONTOUR_H
#define RS_IMGPROC_FIGURES_CONTOUR_H

#include <stdint.h>

#include "base/status.h"

/* Straight pieces, from point 2i to point 2i+1. In pixels: (0,0) is the centre of the first one, x
 * along a row, y down the rows. */
typedef struct rs_segments {
    int n;         /* pieces */
    double *x, *y; /* [2*n]; owned (rs_segments_clear) */
} rs_segments;

void rs_segments_clear(rs_segments *s);

/* Draws the lines on which map[height,width] passes `level`, by linear interpolation between the
 * centres of neighbours (marching squares). Where the two diagonals of a square lie on different
 * sides, the mean of its corners decides which are joined. Squares with a NaN corner have no line.
 * Errors: RESHED_EINVAL for a bad size, RESHED_ENOMEM. */
reshed_status rs_contour(const float *map, int height, int width, double level, rs_segments *out,
                         reshed_error *err);

/* The links between neighbouring pixels of skeleton[height,width] (non-zero), a diagonal one only
 * where no two others go the same way; a lone pixel is a piece of length 0. Errors: as above. */
reshed_status rs_skeleton_segments(const uint8_t *skeleton, int height, int width, rs_segments *out,
                                   reshed_error *err);

#endif
