/* park.h - Park Systems' TIFF: one channel, whose numbers lie in a tag of their own beside a picture. */
#ifndef RS_IO_INSTRUMENTS_PARK_H
#define RS_IO_INSTRUMENTS_PARK_H

#include <stdbool.h>

#include "io/common/reader.h"

/* True for a TIFF whose first page has Park's tag 50432, readable as Park's or not: its picture is a
 * coloured preview, never the image. */
bool rs_park_is(const uint8_t *bytes, size_t len);

/* As rs_reader.list and rs_reader.read, of a file for which rs_park_is holds. */
reshed_status rs_park_list(const uint8_t *bytes, size_t len, rs_channels *out, reshed_error *err);
reshed_status rs_park_read(const uint8_t *bytes, size_t len, rs_image *out, reshed_error *err);

#endif
