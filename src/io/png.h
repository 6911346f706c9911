/* png.h - PNG images: read as values from 0 to 1, written from 8- or 16-bit grey or 8-bit RGB. */
#ifndef RS_IO_PNG_H
#define RS_IO_PNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/image.h"

/* Reads bytes[len] into *out (rs_image_clear), an image of unknown scale whose first row is the
 * top. A pixel is its stored count over the largest (255, 65535; 1, 3, 15 for the smaller depths),
 * so all 16 bits count and no gamma is applied. Colours become the luminance
 *
 *     Y = 0.2126 R + 0.7152 G + 0.0722 B        (ITU-R BT.709)
 *
 * of the stored values, which leaves a grey picture saved as RGB or with a palette unchanged. Alpha
 * and pHYs are ignored. Nothing is allocated for more pixels than the compressed bytes can hold. */
reshed_status rs_png_read_mem(const uint8_t *bytes, size_t len, rs_image *out, reshed_error *err);

typedef enum rs_png_kind {
    RS_PNG_GREY8,     /* uint8_t [H,W] */
    RS_PNG_GREY16,    /* uint16_t [H,W], native byte order */
    RS_PNG_RGB8,      /* uint8_t [H,W,3] */
    RS_PNG_RGB8_QUICK /* the same, in less time and somewhat larger */
} rs_png_kind;

/* Writes pixels, row 0 at the top. The _mem form gives the file's bytes (rs_free). Sides are 1 to
 * RS_IMAGE_MAX_SIDE. */
reshed_status rs_png_write(const char *path, rs_png_kind kind, int height, int width,
                           const void *pixels, reshed_error *err);
reshed_status rs_png_write_mem(rs_png_kind kind, int height, int width, const void *pixels,
                               uint8_t **bytes, size_t *len, reshed_error *err);

/* The same of what was drawn, with colours, bars and text; such a file says that it is no data, which
 * rs_png_is_picture reads and rs_image_read refuses. dpi: dots per inch on paper (pHYs), 0: not said. */
reshed_status rs_png_write_picture(const char *path, rs_png_kind kind, double dpi, int height,
                                   int width, const void *pixels, reshed_error *err);
bool rs_png_is_picture(const uint8_t *bytes, size_t len);

#endif
