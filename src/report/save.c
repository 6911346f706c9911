#include "report/save.h"

#include <stdio.h>
#include <string.h>

reshed_status rs_report_save(reshed_status st, rs_rgb8 *picture, rs_png_kind kind, const char *path,
                             reshed_error *err)
{
    if (st == RESHED_OK)
        st = rs_png_write(path, kind, picture->height, picture->width, picture->data, err);
    rs_rgb8_clear(picture);
    return st;
}

reshed_status rs_report_save_named(reshed_status st, rs_rgb8 *picture, rs_png_kind kind,
                                   const char *prefix, const char *name, reshed_error *err)
{
    char path[4096];
    size_t len = strlen(prefix) + strlen(name) + strlen("_.png");
    if (st == RESHED_OK && len >= sizeof path)
        st = rs_fail(err, RESHED_EINVAL, "name of a picture|less than %zu bytes|%zu", sizeof path,
                     len);
    if (st == RESHED_OK) snprintf(path, sizeof path, "%s_%s.png", prefix, name);
    return rs_report_save(st, picture, kind, path, err);
}

reshed_status rs_report_save_figure(reshed_status st, rs_figure *f, const char *path,
                                    reshed_error *err)
{
    rs_rgb8 picture = {0};
    if (st == RESHED_OK) st = rs_figure_draw(f, &picture, err);
    rs_figure_free(f);
    return rs_report_save(st, &picture, RS_PNG_RGB8, path, err);
}
