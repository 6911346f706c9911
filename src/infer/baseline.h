/* baseline.h - edge finders without a network, for comparison: the boundary of the pixels darker
 * than a threshold, and Canny's detector. Both are as good as their parameter fits the image. */
#ifndef RS_INFER_BASELINE_H
#define RS_INFER_BASELINE_H

#include <stdint.h>

#include "base/status.h"

/* mask[H,W], 0 or 1: the line where image[H,W] crosses the threshold. Of two neighbours along a row
 * or a column of which one is darker (< threshold) and the other is not, the one whose value is
 * nearer to the threshold is on it (the darker one when both are as near). */
reshed_status rs_baseline_boundary(const float *image, int height, int width, double threshold,
                                   uint8_t *mask, reshed_error *err);

/* Canny, IEEE Trans. PAMI 8, 679 (1986): Gaussian smoothing by sigma pixels; gradient by central
 * differences; a pixel stays whose gradient is no smaller than those one pixel ahead and larger
 * than that one pixel behind along it (interpolated between neighbours); of the ridges left, those
 * above `low` that hold a pixel above `high`, 8-connected. Thresholds are in units of the image per
 * pixel, 0 <= low <= high. The outermost pixels are never edges. mask[H,W], 0 or 1. */
reshed_status rs_baseline_canny(const float *image, int height, int width, double sigma, double low,
                                double high, uint8_t *mask, reshed_error *err);

#endif
