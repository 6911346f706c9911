/* centres.h - what a map of probability shows as spots: regions above a threshold, and their
 * centres. */
#ifndef RS_IMGPROC_IMAGE_CENTRES_H
#define RS_IMGPROC_IMAGE_CENTRES_H

#include "base/status.h"

typedef struct rs_centre {
    double row, col; /* pixels */
    int pixels;
} rs_centre;

/* Finds the 4-connected regions of map > threshold and the centre of mass of the pixels of each
 * (all of weight 1). map [height,width]; value k lies at map[k * stride]: one class of several. NaN is
 * in no region. *out (rs_free) gets *n of them, by their first pixel row by row; centres less than
 * `edge` pixels from the edge of the frame, as counted from the outermost pixels' centres, are left
 * out. Errors: RESHED_EINVAL for a bad size or edge, RESHED_ENOMEM. */
reshed_status rs_centres(const float *map, int height, int width, int stride, double threshold,
                         double edge, rs_centre **out, int *n, reshed_error *err);

#endif
