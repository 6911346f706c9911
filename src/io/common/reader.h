/* reader.h - what a reader of a format with several channels gives, and the choice among them. */
#ifndef RS_IO_COMMON_READER_H
#define RS_IO_COMMON_READER_H

#include <stddef.h>
#include <stdint.h>

#include "io/common/channel.h"

typedef struct rs_reader {
    /* The channels of bytes[len] (rs_channels_clear). Succeeds only when the sizes are proved: reading
     * any of them then takes memory for that channel alone. */
    reshed_status (*list)(const uint8_t *bytes, size_t len, rs_channels *out, reshed_error *err);
    /* Channel `index` of that list (rs_image_clear). */
    reshed_status (*read)(const uint8_t *bytes, size_t len, int index, rs_image *out,
                          reshed_error *err);
    /* The same of formats with stacks, NULL for others: a frame of it, see stack.h. `read` refuses a
     * stack of several. */
    reshed_status (*read_frame)(const uint8_t *bytes, size_t len, int index, int frame,
                                rs_image *out, reshed_error *err);
} rs_reader;

/* Reads the channel that `channel` names (rs_channel_choose), with the list's name and a note when
 * others were as good; of a stack the frame (stack.h). */
reshed_status rs_reader_image(const rs_reader *reader, const uint8_t *bytes, size_t len,
                              const char *channel, int frame, rs_image *out, reshed_error *err);

#endif
