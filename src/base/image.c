#include "base/image.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

reshed_status rs_image_init(rs_image *im, int64_t height, int64_t width, reshed_error *err)
{
    memset(im, 0, sizeof *im);
    if (height < 1 || width < 1 || height > RS_IMAGE_MAX_SIDE || width > RS_IMAGE_MAX_SIDE ||
        (uint64_t)height * (uint64_t)width > RS_IMAGE_MAX_PIXELS)
        return rs_fail(err, RESHED_EUNSUPPORTED,
                       "image size|sides from 1 to %d and at most %zu pixels|%lld x %lld",
                       RS_IMAGE_MAX_SIDE, RS_IMAGE_MAX_PIXELS, (long long)height, (long long)width);
    float *data = rs_alloc((size_t)height * (size_t)width, sizeof *data);
    if (!data) return rs_fail_nomem(err, "an image", (size_t)height * (size_t)width * sizeof *data);
    im->height = (int)height;
    im->width = (int)width;
    im->data = data;
    return RESHED_OK;
}

void rs_image_note(rs_image *im, const char *format, ...)
{
    char text[sizeof im->note], shown[sizeof im->note];
    const size_t used = strlen(im->note);
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    rs_text_escape(shown, sizeof shown, text);
    snprintf(im->note + used, sizeof im->note - used, "%s%s", used ? "; " : "", shown);
}

void rs_image_clear(rs_image *im)
{
    rs_free(im->data);
    memset(im, 0, sizeof *im);
}
