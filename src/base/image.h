/* image.h - one channel of one frame with its physical scale: what the readers give and the rooms
 * pass on. Row 0 is the +y (top) edge of the frame, column 0 its -x edge. */
#ifndef RS_BASE_IMAGE_H
#define RS_BASE_IMAGE_H

#include <stddef.h>

#include "base/status.h"

/* The largest image side and pixel count that any reader accepts. */
#define RS_IMAGE_MAX_SIDE 65536
#define RS_IMAGE_MAX_PIXELS ((size_t)1 << 28)

typedef struct rs_image {
    int height, width;
    float *data;       /* [height,width] row-major, contiguous; owned (rs_image_clear) */
    double dx, dy;     /* pixel size in metres along a row and along a column; 0 when unknown */
    double x0, y0;     /* metres: centre of the frame; 0 when unknown */
    double angle;      /* degrees by which the frame is turned counter-clockwise; 0 when unknown */
    int frame, frames; /* of a stack: its number from 0, and how many there are; 0: no stack */
    char scan[24];     /* how the tip moved: "forward, down", ..., "" when unknown */
    char unit[16];     /* of the values, "" when unknown */
    char channel[64];  /* name, "" when the format has none */
    /* For the user: decisions of the reader, and things it could not understand; sentences split
     * by "; ", "" when there is nothing. */
    char note[480];
} rs_image;

/* Allocates data (uninitialised) for height x width and clears everything else. Sizes outside
 * 1..RS_IMAGE_MAX_SIDE or above RS_IMAGE_MAX_PIXELS are RESHED_EUNSUPPORTED. */
reshed_status rs_image_init(rs_image *im, int64_t height, int64_t width, reshed_error *err);

/* Adds to the note, cut to fit. Bytes of the text that no terminal should see are escaped. */
void rs_image_note(rs_image *im, const char *format, ...) RS_PRINTF(2, 3);

/* Frees data and zeroes *im. */
void rs_image_clear(rs_image *im);

#endif
