/* gsf.h - Gwyddion's Simple Field: a text header and float32 pixels, top row first. */
#ifndef RS_IO_GSF_H
#define RS_IO_GSF_H

#include <stddef.h>
#include <stdint.h>

#include "base/image.h"

/* Reads bytes[len] into *out (rs_image_clear). dx and dy are |XReal|/XRes and |YReal|/YRes when
 * both lengths are given in a unit of length, else 0, with a note where something was given; x0 = XOffset + XReal/2 and y0 = YOffset + YReal/2,
 * as Gwyddion's own importers place a frame by its centre. channel is the Title. The length of the
 * file must be what the header says, as in Gwyddion. */
reshed_status rs_gsf_read_mem(const uint8_t *bytes, size_t len, rs_image *out, reshed_error *err);

/* Writes an image; the _mem form gives the file's bytes (rs_free). An image of unknown scale is
 * written without lengths. */
reshed_status rs_gsf_write(const char *path, const rs_image *im, reshed_error *err);
reshed_status rs_gsf_write_mem(const rs_image *im, uint8_t **bytes, size_t *len, reshed_error *err);

#endif
