/* threshold.h - from a map of wall probability to a mask. */
#ifndef RS_IMGPROC_IMAGE_THRESHOLD_H
#define RS_IMGPROC_IMAGE_THRESHOLD_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* A pixel is wall when its value is strictly above it. (The paper's author takes 0.4, which joins
 * walls that lie close.) */
#define RS_THRESHOLD_DEFAULT 0.5

/* mask[i] = map[i] > t, for n values; 0 or 1. The comparison is made in float32, as OpenCV's
 * THRESH_BINARY and NumPy do with a float32 map, so a pixel that holds 0.5f is not above 0.5. NaN
 * is no wall. */
void rs_threshold(const float *map, size_t n, double t, uint8_t *mask);

/* *t = Otsu's threshold (IEEE Trans. SMC 9, 62, 1979): the split {<= t, > t} of the n finite values
 * with the largest variance between its two classes, found over all splits of the sorted values
 * rather than over a histogram's bins; the lowest such t. NaN and infinities are left out. Errors:
 * RESHED_EINVAL when fewer than two different values are left, RESHED_ENOMEM. */
reshed_status rs_threshold_otsu(const float *map, size_t n, double *t, reshed_error *err);

/* Double threshold: the 8-connected regions of map > low that hold at least one pixel > high.
 * mask [height,width], 0 or 1. Errors: RESHED_EINVAL unless low <= high, or for a bad size;
 * RESHED_ENOMEM. */
reshed_status rs_threshold_hysteresis(const float *map, int height, int width, double low,
                                      double high, uint8_t *mask, reshed_error *err);

#endif
