/* rgb8.h - a finished picture: the drawing code of this room gives it, the PNG writer takes it. */
#ifndef RS_IMGPROC_FIGURES_RGB8_H
#define RS_IMGPROC_FIGURES_RGB8_H

#include <stdint.h>

#include "base/status.h"

typedef struct rs_rgb8 {
    int height, width;
    uint8_t *data; /* [height,width,3] row-major, sRGB, top row first; owned (rs_rgb8_clear) */
} rs_rgb8;

/* Allocates data (uninitialised). Sides outside 1..RS_IMAGE_MAX_SIDE or more than
 * RS_IMAGE_MAX_PIXELS are RESHED_EUNSUPPORTED. */
reshed_status rs_rgb8_init(rs_rgb8 *picture, int64_t height, int64_t width, reshed_error *err);

/* Frees data and zeroes *picture. */
void rs_rgb8_clear(rs_rgb8 *picture);

#endif
