#include "io/common/reader.h"

#include "base/text.h"
#include "io/common/stack.h"

reshed_status rs_reader_image(const rs_reader *reader, const uint8_t *bytes, size_t len,
                              const char *channel, int frame, rs_image *out, reshed_error *err)
{
    rs_channels list = {0};
    rs_image im;
    int index = 0;
    reshed_status st = reader->list(bytes, len, &list, err);
    if (st == RESHED_OK) st = rs_channel_choose(&list, channel, RS_QUANTITY_AMPLITUDE, &index, err);
    if (st == RESHED_OK && reader->read_frame) {
        st = reader->read_frame(bytes, len, index, frame, &im, err);
    } else if (st == RESHED_OK) {
        st = rs_stack_choose(1, frame, &frame, err);
        if (st == RESHED_OK) st = reader->read(bytes, len, index, &im, err);
    }
    if (st == RESHED_OK) {
        rs_text_copy(im.channel, sizeof im.channel, list.c[index].name);
        rs_channel_note(&list, channel, RS_QUANTITY_AMPLITUDE, index, &im);
        *out = im;
    }
    rs_channels_clear(&list);
    return st;
}
