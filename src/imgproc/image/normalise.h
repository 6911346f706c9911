/* normalise.h - an image in the units that the network was trained in: [0,1].
 *
 * Two steps, so that a range found on the scanned part of a frame, or given by the user, can be
 * applied to rows that come later. */
#ifndef RS_IMGPROC_IMAGE_NORMALISE_H
#define RS_IMGPROC_IMAGE_NORMALISE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* The values that become 0 and 1: finite, lo <= hi. lo == hi is the range of a constant image. */
typedef struct rs_norm_range {
    float lo, hi;
} rs_norm_range;

/* The part of the values, in percent, that the robust range lies between. */
#define RS_NORM_ROBUST_LOW 0.5
#define RS_NORM_ROBUST_HIGH 99.5

/* Smallest and largest of x[n], n >= 1. A value that is not finite is RESHED_EINVAL (fill.h). */
reshed_status rs_norm_range_frame(const float *x, size_t n, rs_norm_range *out, reshed_error *err);

/* Between two percentiles: one hot pixel does not rescale the image. When they are equal (an image
 * that is constant but for a few pixels) the range of the frame is given instead. */
reshed_status rs_norm_range_robust(const float *x, size_t n, rs_norm_range *out, reshed_error *err);
/* The same without an allocation, in space[RS_PERCENTILES_SPACE] (base/statistics.h). */
reshed_status rs_norm_range_robust_in(const float *x, size_t n, size_t *space, rs_norm_range *out,
                                      reshed_error *err);

/* A range given by the user; lo < hi, finite. */
reshed_status rs_norm_range_fixed(double lo, double hi, rs_norm_range *out, reshed_error *err);

/* out[i] = (x[i] - lo) / (hi - lo); 0 for every value when lo == hi. clip: values outside [lo,hi]
 * become 0 or 1, else they leave [0,1]. out may be x. A value that is not finite is RESHED_EINVAL
 * and leaves out unchanged.
 *
 * Difference, range and quotient are each rounded to float32, as numpy does for a float32 array in
 * AtomAI's (image - np.amin(image)) / np.ptp(image): with the frame's range the bits are the same.
 * Where hi - lo exceeds the largest float32, the quotient is taken in double. */
reshed_status rs_norm_apply(const float *x, size_t n, rs_norm_range range, bool clip, float *out,
                            reshed_error *err);

#endif
