/* resample.h - an image on another grid over the same frame.
 *
 * Pixels are cells: a frame of width L holds W cells of L/W, pixel j being centred at (j+1/2)*L/W.
 * A pixel keeps its place on the sample whatever the grid: nothing shifts by half a pixel. */
#ifndef RS_IMGPROC_IMAGE_RESAMPLE_H
#define RS_IMGPROC_IMAGE_RESAMPLE_H

#include <stdbool.h>

#include "base/status.h"

/* The interpolation along an axis that gets more pixels. */
typedef enum rs_growing {
    RS_GROW_BILINEAR,   /* never leaves the range of its neighbours: maps, probabilities */
    RS_GROW_CATMULL_ROM /* sharper, may overshoot at edges: images */
} rs_growing;

/* in[in_h,in_w,channels] -> out[out_h,out_w,channels], every value finite, no overlap. Each axis by
 * itself: with fewer pixels, the mean over the area of the new pixel (so the image's mean is kept);
 * with more, interpolation; with as many, a copy. Beyond the outermost pixel centres the edge pixel
 * is repeated. Sums in double. */
reshed_status rs_resample(const float *in, int in_h, int in_w, int channels, rs_growing growing,
                          float *out, int out_h, int out_w, reshed_error *err);

/* ------------------------------------------------------------------------- to the trained scale */

typedef enum rs_resample_mode {
    RS_RESAMPLE_AUTO, /* into the range of pixel sizes seen in training */
    RS_RESAMPLE_OFF,
    RS_RESAMPLE_PIXEL_SIZE /* to the pixel size given */
} rs_resample_mode;

typedef struct rs_resample_request {
    rs_resample_mode mode;
    double pixel_size; /* metres, for RS_RESAMPLE_PIXEL_SIZE */
} rs_resample_request;

typedef struct rs_resample_plan {
    bool needed;       /* false: use the image as it is; the sizes below are its own */
    int height, width; /* the target */
    double dx, dy;     /* metres: the target's pixel size, exactly frame/pixels; 0 when unknown */
    char reason[192];  /* for the user, e.g. "pixel size 4.0 nm, trained on 8.0 to 16.0 nm" */
} rs_resample_plan;

/* "auto", "off" or a number of nanometres per pixel. */
reshed_status rs_resample_parse(const char *text, rs_resample_request *out, reshed_error *err);

/* Decides. dx, dy: metres, 0 when unknown; trained_min, trained_max: metres, 0 when unknown.
 * Automatic: the finer of dx and dy, moved to the nearer end of the trained range when outside it,
 * becomes the size of square pixels; nothing is done when both axes are within 5 % of that, and no
 * axis grows more than fourfold (interpolation brings no detail). A pixel size that is asked for is
 * met to the nearest whole number of pixels, and is RESHED_EINVAL when the image's own is unknown.
 * A target below 4 pixels a side or above the limits of an image is RESHED_EUNSUPPORTED. */
reshed_status rs_resample_decide(int height, int width, double dx, double dy, double trained_min,
                                 double trained_max, const rs_resample_request *request,
                                 rs_resample_plan *out, reshed_error *err);

#endif
