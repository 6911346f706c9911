/* distance.h - exact Euclidean distances to a set of pixels. */
#ifndef RS_IMGPROC_IMAGE_DISTANCE_H
#define RS_IMGPROC_IMAGE_DISTANCE_H

#include <stdint.h>

#include "base/status.h"

/* The squared distance where no pixel is set: larger than any real one. */
#define RS_DISTANCE_NONE INT64_MAX

/* squared[H,W]: the squared distance, in pixels and exact, of each pixel's centre to the nearest
 * pixel that is non-zero in mask[H,W] (0 on such a pixel), or RS_DISTANCE_NONE everywhere when
 * there is none. nearest (may be NULL) [H,W]: index row*W+column of one such nearest pixel, -1 when
 * there is none. The outputs must not overlap mask. Linear time: Meijster, Roerdink and Hesselink,
 * "A general algorithm for computing distance transforms in linear time" (2000). */
reshed_status rs_distance_transform(const uint8_t *mask, int height, int width, int64_t *squared,
                                    int32_t *nearest, reshed_error *err);

/* distance[H,W]: the distance in metres to the nearest pixel of the mask, for pixels dx wide and dy
 * high; infinite everywhere when there is none. nearest as above, or NULL. With dx unlike dy the
 * ratio of the two is rounded to one part in 1000 to find the nearest pixel, so of two that are
 * equally far to within that the farther may be taken. */
reshed_status rs_distance_metres(const uint8_t *mask, int height, int width, double dx, double dy,
                                 double *distance, int32_t *nearest, reshed_error *err);

#endif
