/* images.h - two pictures of one place laid over each other: smoothing and shifting of images
 * with missing pixels, for drift.h. */
#ifndef RS_SPM_SCAN_DRIFT_IMAGES_H
#define RS_SPM_SCAN_DRIFT_IMAGES_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Values of which some are missing: value 0 where valid is 0. */
typedef struct rs_masked {
    int rows, cols;
    double *value, *valid; /* [rows][cols]; valid 0 or 1; owned */
} rs_masked;

/* The part of image [H,W] whose pixel (0,0) is (row0, col0), which may lie outside: there, and
 * where the image is not finite, values are missing. Smoothed by a Gaussian of standard deviation
 * `smooth` pixels (0: not) over the valid pixels alone, which fills lone missing ones; what has
 * much of its weight on missing pixels, so that its mean lies to one side, counts as missing. The
 * mean of the valid ones is subtracted. */
reshed_status rs_masked_take(const float *image, int H, int W, int row0, int col0, int rows,
                             int cols, double smooth, rs_masked *out, reshed_error *err);
void rs_masked_clear(rs_masked *m);

/* Pixels of context that rs_masked_shift and the smoothing want around what they are asked for. */
int rs_masked_margin(double smooth);

/* out [rows][cols] = in at (i + row, j + col), by cubic convolution (Keys 1981, a = -1/2), and its
 * derivatives along rows' and columns' numbers (NULL: not wanted). A value is missing where one of
 * its 16 neighbours is. out and the derivatives are allocated by the caller; their value is 0 where
 * missing. */
void rs_masked_shift(const rs_masked *in, double row, double col, rs_masked *out, double *d_row,
                     double *d_col);

/* Allocates [rows][cols], all missing. */
reshed_status rs_masked_init(rs_masked *m, int rows, int cols, reshed_error *err);

#endif
