#include "report/maps.h"

#include <math.h>

enum { MAP = 440 }; /* CSS pixels of a map beside its colour bar */

void rs_report_fresh_take(rs_page *p, const rs_report_data *d, rs_report_fresh *m)
{
    reshed_error err = {0};
    *m = (rs_report_fresh){0};
    rs_page_fail(p, rs_report_fresh_rows(d->state, d->rows, &m->rows, &err), &err);
    m->layer = rs_report_fresh_layer(&m->rows);
}

rs_render_options rs_report_map_options(const rs_report_data *d, const rs_render_layer *layer,
                                        int layers)
{
    rs_render_options o;
    rs_render_options_defaults(&o);
    o.dx = d->dx;
    o.dy = d->dy;
    o.layer = layer;
    o.layers = layers;
    return o;
}

bool rs_report_map_range(rs_page *p, const rs_report_data *d, rs_session_map map, double *lo,
                         double *hi)
{
    reshed_error err = {0};
    reshed_status st =
        rs_report_robust_range(d->map[map], (size_t)d->rows * (size_t)d->cols, lo, hi, &err);
    rs_page_fail(p, st, &err);
    return st == RESHED_OK;
}

void rs_report_map_picture(rs_page *p, const rs_report_data *d, const rs_rgb8 *picture,
                           const char *caption)
{
    double ratio = d->dx > 0 ? d->rows * d->dy / (d->cols * d->dx) : (double)d->rows / d->cols;
    double width = MAP * ratio * picture->width / picture->height;
    rs_page_picture(p, picture, (int)fmin(fmax(width, 200), RS_REPORT_SMALL), caption);
}

void rs_report_map(rs_page *p, const rs_report_data *d, rs_session_map map, double lo, double hi,
                   rs_colour_map colours, const char *name, const char *unit,
                   const rs_render_options *o, const char *caption)
{
    rs_rgb8 picture = {0};
    reshed_error err = {0};
    if (!rs_page_sound(p)) return;
    reshed_status st = rs_render_map(d->map[map], d->rows, d->cols, lo, hi, colours, name, unit, o,
                                     &picture, &err);
    rs_page_fail(p, st, &err);
    if (st == RESHED_OK) rs_report_map_picture(p, d, &picture, caption);
    rs_rgb8_clear(&picture);
}

void rs_report_overlay(rs_page *p, const rs_report_data *d, const rs_render_layer *layer,
                       int layers, int width, const char *caption)
{
    rs_render_options o = rs_report_map_options(d, layer, layers);
    double lo, hi;
    rs_rgb8 picture = {0};
    reshed_error err = {0};
    o.colour_bar = false;
    o.min_width = RS_REPORT_LARGE_PIXELS;
    if (!rs_page_sound(p) || !rs_report_map_range(p, d, RS_SESSION_AMPLITUDE, &lo, &hi)) return;
    reshed_status st = rs_render_map(d->map[RS_SESSION_AMPLITUDE], d->rows, d->cols, lo, hi,
                                     RS_MAP_GREY, "", "", &o, &picture, &err);
    rs_page_fail(p, st, &err);
    if (st == RESHED_OK) rs_page_picture(p, &picture, width, caption);
    rs_rgb8_clear(&picture);
}
