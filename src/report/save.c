#include "report/save.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/os.h"

static reshed_status save_picture(reshed_status st, rs_rgb8 *picture, rs_png_kind kind, double dpi,
                                  const char *path, reshed_error *err)
{
    if (st == RESHED_OK)
        st = rs_png_write_picture(path, kind, dpi, picture->height, picture->width, picture->data,
                                  err);
    rs_rgb8_clear(picture);
    return st;
}

reshed_status rs_report_save(reshed_status st, rs_rgb8 *picture, rs_png_kind kind, const char *path,
                             reshed_error *err)
{
    return save_picture(st, picture, kind, 0, path, err);
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

/* The kind of a path: 0 PNG, 1 SVG, 2 PDF, -1 none of these. */
static int kind_of(const char *path)
{
    static const char *const ending[] = {".png", ".svg", ".pdf"};
    const size_t len = strlen(path);
    for (int i = 0; i < 3; i++)
        if (len > 4 && strcasecmp(path + len - 4, ending[i]) == 0) return i;
    return -1;
}

bool rs_report_figure_path(const char *path)
{
    return kind_of(path) >= 0;
}

static reshed_status save_document(rs_figure *f, rs_document_kind kind, const char *path,
                                   reshed_error *err)
{
    uint8_t *data = NULL;
    size_t len = 0;
    reshed_status st = rs_figure_document(f, kind, &data, &len, err);
    if (st == RESHED_OK) st = rs_os_write_file(path, data, len, err);
    rs_free(data);
    return st;
}

reshed_status rs_report_save_figure(reshed_status st, rs_figure *f, const char *path,
                                    reshed_error *err)
{
    rs_rgb8 picture = {0};
    const int kind = kind_of(path);
    if (st == RESHED_OK && kind < 0)
        st = rs_fail(err, RESHED_EINVAL, "name of a figure|*.png, *.svg or *.pdf|%s", path);
    if (st == RESHED_OK && kind > 0)
        st = save_document(f, kind == 1 ? RS_DOCUMENT_SVG : RS_DOCUMENT_PDF, path, err);
    if (st == RESHED_OK && kind == 0) {
        st = rs_figure_draw(f, &picture, err);
        st = save_picture(st, &picture, RS_PNG_RGB8, rs_figure_dpi(f), path, err);
    }
    rs_figure_free(f);
    return st;
}
