/* skeleton.h - thinning a mask to lines one pixel wide. */
#ifndef RS_IMGPROC_IMAGE_SKELETON_H
#define RS_IMGPROC_IMAGE_SKELETON_H

#include <stdint.h>

#include "base/status.h"

/* Thins mask[height,width] (0: background, anything else: object) to lines one pixel wide and keeps
 * every line: what is connected stays connected (along rows, columns and diagonals), nothing
 * vanishes, and an end recedes by no more than half the line's width and a pixel and a half, in
 * every direction. By Guo and Hall (Comm. ACM 32, 359, 1989, algorithm A1); corners of staircases
 * are taken out afterwards. An image that is turned or mirrored gives the same lines within a
 * pixel. skeleton[height,width] receives 0 or 1 and may be mask itself. Pixels outside count as
 * background. Errors: RESHED_EINVAL for a bad size, RESHED_ENOMEM. */
reshed_status rs_thin(const uint8_t *mask, int height, int width, uint8_t *skeleton,
                      reshed_error *err);

/* Thins mask[height,width] (0: background, anything else: object) by the parallel algorithm of
 * Zhang and Suen (Comm. ACM 27, 236, 1984) with the removal patterns of scikit-image's
 * `skeletonize`, whose result it equals pixel for pixel; with its fault: diagonal lines of an even
 * width, and whatever else two passes remove from both sides, are lost. skeleton[height,width]
 * receives 0 or 1 and may be mask itself. Pixels outside count as background. Errors: RESHED_EINVAL
 * for a bad size, RESHED_ENOMEM. */
reshed_status rs_skeletonize(const uint8_t *mask, int height, int width, uint8_t *skeleton,
                             reshed_error *err);

#endif
