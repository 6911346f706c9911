/* smooth.h - Gaussian smoothing. */
#ifndef RS_IMGPROC_IMAGE_SMOOTH_H
#define RS_IMGPROC_IMAGE_SMOOTH_H

#include "base/status.h"

/* The largest standard deviation taken, pixels. */
#define RS_SMOOTH_MAX_SIGMA 64.0

/* out[H,W] = in[H,W], every value finite, convolved with a Gaussian of standard deviation sigma
 * pixels (0 to RS_SMOOTH_MAX_SIGMA; 0 copies), sampled at whole pixels out to four sigma and
 * normalised to sum 1. Beyond the frame its edge pixels go on. out may be in. */
reshed_status rs_smooth_gaussian(const float *in, int height, int width, double sigma, float *out,
                                 reshed_error *err);

#endif
