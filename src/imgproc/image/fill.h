/* fill.h - pixels without a value. */
#ifndef RS_IMGPROC_IMAGE_FILL_H
#define RS_IMGPROC_IMAGE_FILL_H

#include <stddef.h>

#include "base/status.h"

/* Replaces every NaN and infinity of image[H,W], in place, and counts them in *filled:
 * - within a row, linearly between the nearest finite pixels left and right, or by the nearer end's
 *   value outside them;
 * - a row without a finite pixel, linearly, pixel by pixel, between the nearest rows above and
 *   below that have one (filled first), or by the one there is.
 * An image without a single finite pixel is RESHED_EINVAL. *filled is changed only on success. */
reshed_status rs_fill_gaps(float *image, int height, int width, size_t *filled, reshed_error *err);

#endif
