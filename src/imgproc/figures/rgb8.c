#include "imgproc/figures/rgb8.h"

#include <string.h>

#include "base/alloc.h"
#include "base/image.h"

reshed_status rs_rgb8_init(rs_rgb8 *picture, int64_t height, int64_t width, reshed_error *err)
{
    if (height < 1 || width < 1 || height > RS_IMAGE_MAX_SIDE || width > RS_IMAGE_MAX_SIDE ||
        (uint64_t)height * (uint64_t)width > RS_IMAGE_MAX_PIXELS)
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "size of the picture|1 to %d a side, at most %zu pixels|%lld x %lld",
                       RS_IMAGE_MAX_SIDE, RS_IMAGE_MAX_PIXELS, (long long)height, (long long)width);
    uint8_t *data = rs_alloc((size_t)height * (size_t)width, 3);
    if (!data) return rs_fail_nomem(err, "a picture", (size_t)height * (size_t)width * 3);
    *picture = (rs_rgb8){.height = (int)height, .width = (int)width, .data = data};
    return RESHED_OK;
}

void rs_rgb8_clear(rs_rgb8 *picture)
{
    rs_free(picture->data);
    memset(picture, 0, sizeof *picture);
}
