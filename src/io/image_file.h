/* image_file.h - the front door: reads one channel of an image file of any kind that we know (PNG,
 * NPY, GSF, IBW, Nanonis SXM, Gwyddion GWY, Bruker NanoScope, TIFF, WSxM, NPZ, HDF5).
 *
 *     rs_image im;
 *     if (rs_image_read("scan.ibw", NULL, &im, err) == RESHED_OK) {
 *         ...
 *         rs_image_clear(&im);
 *     }
 *
 * Every reader gives row 0 = +y (top) edge and column 0 = -x edge, pixel sizes in metres, and NaN
 * or infinite pixels as they are in the file. */
#ifndef RS_IO_IMAGE_FILE_H
#define RS_IO_IMAGE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/image.h"
#include "io/common/channel.h"
#include "io/common/stack.h"

typedef enum rs_format {
    RS_FORMAT_UNKNOWN = 0,
    RS_FORMAT_PNG,
    RS_FORMAT_NPY,
    RS_FORMAT_GSF,
    RS_FORMAT_IBW,
    RS_FORMAT_ARDF,
    RS_FORMAT_ISO28600,
    RS_FORMAT_SXM,
    RS_FORMAT_GWY,
    RS_FORMAT_BRUKER,
    RS_FORMAT_TIFF,
    RS_FORMAT_WSXM,
    RS_FORMAT_NPZ,
    RS_FORMAT_HDF5
} rs_format;

/* Bytes of a file's start that rs_format_of_bytes looks at. */
#define RS_FORMAT_HEAD 1032

/* By the ending of the name, any case; no file is opened. */
rs_format rs_format_of_name(const char *path);
/* By the first bytes: head[n] holds the start of the file, n < RS_FORMAT_HEAD only when the file is
 * shorter. */
rs_format rs_format_of_bytes(const uint8_t *head, size_t n);
/* "PNG", "NPY", ...; never NULL. */
const char *rs_format_name(rs_format format);

/* Reads a channel of path into *out (rs_image_clear). The bytes decide what the file is; the name
 * only helps the message when they say nothing. channel: NULL for the amplitude (rs_channel_choose;
 * the only channel of a file is taken whatever it is called), or a name or number as
 * rs_channel_find takes it. PNG, NPY and GSF have one channel. */
reshed_status rs_image_read(const char *path, const char *channel, rs_image *out,
                            reshed_error *err);
/* The same with another quantity than the amplitude when channel is NULL. */
reshed_status rs_image_read_quantity(const char *path, const char *channel, rs_quantity quantity,
                                     rs_image *out, reshed_error *err);
/* The same of a stack, its frame number `frame` (io/common/stack.h): RS_FRAME_ONLY, as the others read,
 * refuses one of several. out->frame and out->frames say what it was. */
reshed_status rs_image_read_frame(const char *path, const char *channel, rs_quantity quantity,
                                  int frame, rs_image *out, reshed_error *err);
/* How many frames that channel has; 1 for what is no stack. */
reshed_status rs_image_frames(const char *path, const char *channel, rs_quantity quantity,
                              int *frames, reshed_error *err);
/* As rs_image_read from bytes in memory. */
reshed_status rs_image_read_mem(const uint8_t *bytes, size_t len, const char *channel,
                                rs_image *out, reshed_error *err);

/* The channels of path (rs_channels_clear), in file order. */
reshed_status rs_image_list(const char *path, rs_channels *out, reshed_error *err);

#endif
