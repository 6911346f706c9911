/* image.h - between an NSID image (axis 0 is x, axis 1 is y upwards) and an rs_image (rows
 * from the top). */
#ifndef RS_IO_NSID_IMAGE_H
#define RS_IO_NSID_IMAGE_H

#include "base/image.h"
#include "io/common/channel.h"
#include "io/common/stack.h"
#include "io/nsid/nsid.h"

/* Returns whether d can be read as an image: real, and two axes longer than 1 (or exactly two). */
bool rs_nsid_is_image(const rs_nsid_data *d);

/* *out from d, which keeps its data. An axis whose name begins with 'y' or 'Y' when the other's
 * begins with 'x' or 'X' is y wherever it stands, else axis 0 is x. Falling coordinates turn the
 * axis round. dx, dy, x0, y0 from the coordinates when they are evenly spaced lengths, else 0. */
reshed_status rs_nsid_to_image(const rs_nsid_data *d, rs_image *out, reshed_error *err);

/* *out (rs_nsid_data_clear) from an image: IMAGE, axes x and y in metres, x0 and y0 at the middle.
 * Pixels of unknown size give coordinates in pixels with units "px". */
reshed_status rs_nsid_from_image(const rs_image *im, rs_nsid_data *out, reshed_error *err);

/* Image channels only; channel NULL: the amplitude (rs_channel_choose). */
reshed_status rs_nsid_image_read(rs_nsid_file *file, const char *channel, int frame, rs_image *out,
                                 reshed_error *err);
reshed_status rs_nsid_image_list(rs_nsid_file *file, rs_channels *out, reshed_error *err);
reshed_status rs_nsid_image_read_mem(const uint8_t *bytes, size_t len, const char *channel,
                                     int frame, rs_image *out, reshed_error *err);

#endif
