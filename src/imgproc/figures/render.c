#include "imgproc/figures/render.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/image.h"
#include "base/numeric.h"
#include "base/statistics.h"
#include "base/text.h"
#include "imgproc/figures/canvas.h"
#include "imgproc/image/normalise.h"
#include "imgproc/figures/scale_bar.h"
#include "imgproc/figures/ticks.h"

#define TALLEST 4096 /* picture rows to which a map is enlarged at most */
#define WALL_RED 0xE8112D
#define WALL_OPACITY 0.8 /* of a pixel that is a wall for certain: the amplitude shows through */

static const uint8_t not_measured[3] = {0x9a, 0x9a, 0xa2};

/* The colours and their range, for the colour bar. */
typedef struct legend {
    uint8_t table[RS_MAP_ENTRIES][3];
    double lo, hi;
    const char *name, *unit;
} legend;

/* The parts of the picture, in picture pixels. */
typedef struct layout {
    double px, py; /* picture pixels per map pixel */
    double map_w, map_h;
    double font;
    double bar_x, bar_w; /* of the colour bar */
    double width, height;
} layout;

void rs_render_options_defaults(rs_render_options *o)
{
    memset(o, 0, sizeof *o);
    o->min_width = 512;
    o->scale_bar = true;
    o->colour_bar = true;
}

static bool has_pixel_size(const rs_render_options *o)
{
    return o->dx > 0 && o->dy > 0 && isfinite(o->dx) && isfinite(o->dy);
}

static reshed_status check(int height, int width, const rs_render_options *o, reshed_error *err)
{
    if (height < 1 || width < 1 || height > RS_IMAGE_MAX_SIDE || width > RS_IMAGE_MAX_SIDE)
        return rs_fail(err, RESHED_EINVAL, "size of the map|1 to %d a side|%d x %d",
                       RS_IMAGE_MAX_SIDE, height, width);
    if (o->min_width < 0 || o->min_width > 8192)
        return rs_fail(err, RESHED_EINVAL, "least width of a picture|0 to 8192|%d", o->min_width);
    double ratio = has_pixel_size(o) ? o->dy / o->dx : 1;
    if (!(ratio >= 0.01 && ratio <= 100))
        return rs_fail(err, RESHED_EUNSUPPORTED, "height to width of a pixel|0.01 to 100|%g",
                       ratio);
    return RESHED_OK;
}

/* Writes both ends with as many digits as it takes to tell them apart. */
static void text_range(const legend *l, char lo[64], char hi[64])
{
    double largest = fmax(fabs(l->lo), fabs(l->hi)), span = l->hi - l->lo;
    double more = span > 0 && largest > 10 * span ? ceil(log10(largest / span)) - 1 : 0;
    int digits = 3 + (int)fmin(more, 4);
    rs_si_text(l->lo, digits, l->unit, lo, 64);
    rs_si_text(l->hi, digits, l->unit, hi, 64);
    if (l->lo == 0) snprintf(lo, 64, "0");
    if (l->hi == 1 && !*l->unit) snprintf(hi, 64, "1");
}

/* The finer side of a pixel gets a whole number of picture pixels; the other one follows from the
 * true proportions. */
static layout arrange(rs_canvas *measure, int height, int width, const legend *l,
                      const rs_render_options *o)
{
    layout a = {.px = 1, .py = 1};
    if (has_pixel_size(o)) {
        double finer = fmin(o->dx, o->dy);
        a.px = o->dx / finer;
        a.py = o->dy / finer;
        if (fabs(a.px - a.py) < 0.005) a.px = a.py = 1;
    }
    double k = fmax(1, ceil(o->min_width / (width * a.px)));
    k = fmin(k, fmax(1, floor(TALLEST / (height * a.py))));
    a.px *= k;
    a.py *= k;
    a.map_w = round(width * a.px);
    a.map_h = round(height * a.py);
    a.font = fmin(fmax(round(fmin(a.map_w, a.map_h) / 36), 12), 40);
    a.width = a.map_w;
    a.height = a.map_h;
    if (!o->colour_bar) return a;
    char lo[64], hi[64];
    rs_text t = {.size = a.font};
    text_range(l, lo, hi);
    double labels = fmax(rs_text_width(measure, &t, lo), rs_text_width(measure, &t, hi));
    a.bar_x = a.map_w + a.font;
    a.bar_w = round(1.1 * a.font);
    a.width = ceil(a.bar_x + a.bar_w + 0.5 * a.font + fmax(labels, 1.2 * a.font) + 0.5 * a.font);
    a.height = fmax(a.height, 4 * a.font);
    return a;
}

static void draw_colour_bar(rs_canvas *c, const layout *a, const legend *l)
{
    uint8_t column[RS_MAP_ENTRIES][3];
    char lo[64], hi[64];
    double inset = 0.5, h = a->height - 2 * inset, x = a->bar_x + a->bar_w + 0.5 * a->font;
    for (int i = 0; i < RS_MAP_ENTRIES; i++) memcpy(column[i], l->table[RS_MAP_ENTRIES - 1 - i], 3);
    rs_canvas_pixels(c, column[0], RS_MAP_ENTRIES, 1, a->bar_x, inset, a->bar_w, h);
    rs_canvas_colour(c, 0, 1);
    cairo_set_line_width(c->cr, 1);
    cairo_rectangle(c->cr, a->bar_x, inset, a->bar_w, h);
    cairo_stroke(c->cr);
    text_range(l, lo, hi);
    rs_text t = {.size = a->font, .ay = 0};
    rs_text_draw(c, &t, x, 0.25 * a->font, hi);
    t.ay = 1;
    rs_text_draw(c, &t, x, a->height - 0.25 * a->font, lo);
    rs_text name = {.size = a->font, .ax = 0.5, .ay = 0, .upwards = true};
    if (rs_text_width(c, &name, l->name) < a->height - 4 * a->font)
        rs_text_draw(c, &name, x + 0.1 * a->font, a->height / 2, l->name);
}

/* Writes a number beside a mark of the given reach, where it stays inside the map. */
static void draw_number(rs_canvas *c, const layout *a, double x, double y, double reach, int value)
{
    char number[16];
    rs_text t = {.size = 0.85 * a->font, .halo = true};
    if (value < 1 || !(x >= 0 && y >= 0 && x <= a->map_w && y <= a->map_h)) return;
    snprintf(number, sizeof number, "%d", value);
    bool right = x + reach + rs_text_width(c, &t, number) < a->map_w;
    t.ax = right ? 0 : 1;
    t.ay = y - reach - rs_text_height(&t) > 0 ? 1 : 0;
    rs_canvas_colour(c, 0x000000, 1);
    rs_text_draw(c, &t, x + (right ? 0.6 : -0.6) * reach, y + (t.ay > 0 ? -0.6 : 0.6) * reach,
                 number);
}

static void trace_mark(cairo_t *cr, rs_render_shape shape, double x, double y, double r)
{
    if (shape == RS_RENDER_CROSSES) {
        cairo_move_to(cr, x - r, y - r);
        cairo_line_to(cr, x + r, y + r);
        cairo_move_to(cr, x - r, y + r);
        cairo_line_to(cr, x + r, y - r);
    } else {
        cairo_new_sub_path(cr);
        cairo_arc(cr, x, y, r, 0, 2 * RS_PI);
    }
}

/* All of a layer is one path, stroked for the rim and again for the colour. */
static void draw_layer(rs_canvas *c, const layout *a, const rs_render_layer *l)
{
    cairo_t *cr = c->cr;
    bool lines = l->shape == RS_RENDER_SEGMENTS, disc = l->shape == RS_RENDER_DISCS;
    double pen = lines ? l->size : fmax(1.5, 0.22 * l->size);
    double r = disc ? l->size / 2 : (l->shape == RS_RENDER_RINGS ? 0.5 : 0.36) * l->size - pen / 2;
    cairo_new_path(cr);
    for (int i = 0; i + (lines ? 1 : 0) < l->n; i += lines ? 2 : 1) {
        double x = (l->x[i] + 0.5) * a->px, y = (l->y[i] + 0.5) * a->py;
        if (!(fabs(x) < 1e6 && fabs(y) < 1e6)) continue;
        if (lines) {
            cairo_move_to(cr, x, y);
            cairo_line_to(cr, (l->x[i + 1] + 0.5) * a->px, (l->y[i + 1] + 0.5) * a->py);
        } else {
            trace_mark(cr, l->shape, x, y, fmax(r, 0.5));
        }
    }
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    if (l->rim_width > 0) {
        rs_canvas_colour(c, l->rim, 1);
        cairo_set_line_width(cr, (disc ? 0 : pen) + 2 * l->rim_width);
        cairo_stroke_preserve(cr);
    }
    rs_canvas_colour(c, l->colour, 1);
    cairo_set_line_width(cr, pen);
    if (disc)
        cairo_fill(cr);
    else
        cairo_stroke(cr);
    for (int i = 0; l->number && i < l->n; i++)
        draw_number(c, a, (l->x[i] + 0.5) * a->px, (l->y[i] + 0.5) * a->py, 0.6 * l->size,
                    l->number[i]);
}

static void draw_layers(rs_canvas *c, const layout *a, const rs_render_options *o)
{
    cairo_save(c->cr);
    cairo_rectangle(c->cr, 0, 0, a->map_w, a->map_h);
    cairo_clip(c->cr);
    for (int k = 0; k < o->layers; k++) draw_layer(c, a, &o->layer[k]);
    cairo_restore(c->cr);
}

static void draw_points(rs_canvas *c, const layout *a, const rs_render_options *o)
{
    double arm = fmax(4, 0.35 * a->font);
    cairo_save(c->cr);
    cairo_rectangle(c->cr, 0, 0, a->map_w, a->map_h);
    cairo_clip(c->cr);
    for (int pass = 0; pass < 2; pass++) { /* a dark rim under every cross */
        cairo_set_line_width(c->cr, pass ? 1.5 : 3.5);
        rs_canvas_colour(c, pass ? 0xffe600 : 0x000000, pass ? 1 : 0.8);
        for (int i = 0; i < o->points; i++) {
            double x = (o->x[i] + 0.5) * a->px, y = (o->y[i] + 0.5) * a->py;
            if (!(x >= -arm && y >= -arm && x <= a->map_w + arm && y <= a->map_h + arm)) continue;
            cairo_move_to(c->cr, x - arm, y);
            cairo_line_to(c->cr, x + arm, y);
            cairo_move_to(c->cr, x, y - arm);
            cairo_line_to(c->cr, x, y + arm);
        }
        cairo_stroke(c->cr);
    }
    for (int i = 0; o->number_points && i < o->points; i++)
        draw_number(c, a, (o->x[i] + 0.5) * a->px, (o->y[i] + 0.5) * a->py, arm, i + 1);
    cairo_restore(c->cr);
}

static reshed_status draw(const uint8_t *rgb, int height, int width, const legend *l,
                          const rs_render_options *o, rs_rgb8 *out, reshed_error *err)
{
    rs_canvas measure = {0}, c = {0};
    reshed_status st = rs_canvas_open(&measure, 1, 1, 1, err);
    if (st != RESHED_OK) return st;
    layout a = arrange(&measure, height, width, l, o);
    rs_canvas_close(&measure);
    st = rs_canvas_open(&c, a.width, a.height, 1, err);
    if (st != RESHED_OK) return st;
    rs_canvas_pixels(&c, rgb, height, width, 0, 0, a.map_w, a.map_h);
    if (o->layers > 0) draw_layers(&c, &a, o);
    if (o->points > 0) draw_points(&c, &a, o);
    if (o->scale_bar && has_pixel_size(o))
        rs_scale_bar_draw(&c, 0, 0, a.map_w, a.map_h, o->dx / a.px, a.font);
    if (o->colour_bar) draw_colour_bar(&c, &a, l);
    st = rs_canvas_picture(&c, out, err);
    rs_canvas_close(&c);
    return st;
}

reshed_status rs_render_map(const float *values, int height, int width, double lo, double hi,
                            rs_colour_map map, const char *name, const char *unit,
                            const rs_render_options *options, rs_rgb8 *out, reshed_error *err)
{
    legend l = {.lo = lo, .hi = hi, .name = name, .unit = unit};
    reshed_status st = check(height, width, options, err);
    if (st != RESHED_OK) return st;
    if (!isfinite(lo) || !isfinite(hi) || lo > hi)
        return rs_fail(err, RESHED_EINVAL, "range of colours|LO <= HI, both finite|%g,%g", lo, hi);
    size_t n = (size_t)height * (size_t)width;
    uint8_t *rgb = rs_alloc(n, 3);
    if (!rgb) return rs_fail_nomem(err, "a picture", 3 * n);
    rs_colour_table(map, l.table);
    rs_colour_map_apply(values, n, lo, hi, map, not_measured, rgb);
    st = draw(rgb, height, width, &l, options, out, err);
    rs_free(rgb);
    return st;
}

reshed_status rs_render_mean(const float *mean, int height, int width,
                             const rs_render_options *options, rs_rgb8 *out, reshed_error *err)
{
    return rs_render_map(mean, height, width, 0, 1, RS_MAP_VIRIDIS, "wall probability", "", options,
                         out, err);
}

reshed_status rs_render_variance(const float *variance, int height, int width,
                                 const rs_render_options *options, rs_rgb8 *out, reshed_error *err)
{
    static const double percent[2] = {0, RS_NORM_ROBUST_HIGH};
    double p[2] = {0, 0};
    reshed_status st = check(height, width, options, err);
    if (st != RESHED_OK) return st;
    st = rs_finite_percentiles(variance, (size_t)height * (size_t)width, percent, p, err);
    if (st != RESHED_OK) return st;
    double hi = p[1] > 0 ? fmin(p[1], 0.25) : 0.25; /* 0 everywhere: any range will do */
    return rs_render_map(variance, height, width, 0, hi, RS_MAP_MAGMA, "variance", "", options, out,
                         err);
}

/* The colours of a layer of the given opacity over a grey level. */
static void lay_over(uint8_t grey, double opacity, uint8_t rgb[3])
{
    for (int i = 0; i < 3; i++) {
        double red = WALL_RED >> (16 - 8 * i) & 255;
        rgb[i] = (uint8_t)((1 - opacity) * grey + opacity * red + 0.5);
    }
}

reshed_status rs_render_overlay(const float *amplitude, const float *mean, int height, int width,
                                const rs_render_options *options, rs_rgb8 *out, reshed_error *err)
{
    static const double percent[2] = {RS_NORM_ROBUST_LOW, RS_NORM_ROBUST_HIGH};
    legend l = {.lo = 0, .hi = 1, .name = "wall probability", .unit = ""};
    double p[2] = {0, 1};
    reshed_status st = check(height, width, options, err);
    if (st != RESHED_OK) return st;
    size_t n = (size_t)height * (size_t)width;
    uint8_t *rgb = NULL;
    st = rs_finite_percentiles(amplitude, n, percent, p, err);
    if (st != RESHED_OK) return st;
    if (!(rgb = rs_alloc(n, 3))) return rs_fail_nomem(err, "a picture", 3 * n);
    rs_colour_map_apply(amplitude, n, p[0], p[1], RS_MAP_GREY, not_measured, rgb);
    for (size_t i = 0; i < n; i++)
        if (!isnan(amplitude[i]) && mean[i] > 0)
            lay_over(rgb[3 * i], WALL_OPACITY * fmin((double)mean[i], 1), rgb + 3 * i);
    for (int i = 0; i < RS_MAP_ENTRIES; i++)
        lay_over(0xa0, WALL_OPACITY * i / (RS_MAP_ENTRIES - 1), l.table[i]);
    st = draw(rgb, height, width, &l, options, out, err);
    rs_free(rgb);
    return st;
}
