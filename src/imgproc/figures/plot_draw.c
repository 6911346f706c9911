#include "imgproc/figures/plot_draw.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/text.h"
#include "imgproc/figures/plot_notes.h"
#include "imgproc/figures/scale_bar.h"

static const uint8_t no_value[3] = {0xb4, 0xb4, 0xb4};

/* ---------------------------------------------------------------------------------------- data */

static reshed_status draw_image(rs_plot_pen *pen, const rs_plot_item *it, reshed_error *err)
{
    uint8_t *rgb = rs_alloc(it->n, 3);
    if (!rgb) return rs_fail_nomem(err, "an image in a figure", 3 * it->n);
    double x = rs_plot_x(pen, it->x0), y = rs_plot_y(pen, it->y1);
    rs_colour_map_apply(it->image, it->n, it->lo, it->hi, it->scale.map, no_value, rgb);
    rs_canvas_pixels(pen->c, rgb, it->height, it->width, x, y, rs_plot_x(pen, it->x1) - x,
                     rs_plot_y(pen, it->y0) - y);
    rs_free(rgb);
    return RESHED_OK;
}

static bool known(const rs_plot_item *it, size_t i)
{
    return !isnan(it->x[i]) && !isnan(it->y[i]) && !(it->y2 && isnan(it->y2[i]));
}

/* Draws one field for each run of points without a NaN: along the lower edge, back along the
 * upper. */
static void draw_band(rs_plot_pen *pen, const rs_plot_item *it)
{
    cairo_t *cr = pen->c->cr;
    rs_canvas_colour(pen->c, it->style.colour, it->style.opacity);
    for (size_t from = 0, to; from < it->n; from = to) {
        to = from;
        while (to < it->n && known(it, to)) to++;
        for (size_t i = from; i < to; i++)
            cairo_line_to(cr, rs_plot_x(pen, it->x[i]), rs_plot_y(pen, it->y[i]));
        for (size_t i = to; i > from; i--)
            cairo_line_to(cr, rs_plot_x(pen, it->x[i - 1]), rs_plot_y(pen, it->y2[i - 1]));
        cairo_close_path(cr);
        cairo_fill(cr);
        for (size_t i = from + 1; i < to; i++) {
            double x0 = rs_plot_x(pen, it->x[i - 1]), x1 = rs_plot_x(pen, it->x[i]);
            rs_ink_segment(&pen->ink, x0, rs_plot_y(pen, it->y[i - 1]), x1,
                           rs_plot_y(pen, it->y[i]), RS_INK_DATA);
            rs_ink_segment(&pen->ink, x0, rs_plot_y(pen, it->y2[i - 1]), x1,
                           rs_plot_y(pen, it->y2[i]), RS_INK_DATA);
        }
        if (to == from) to++;
    }
}

static void draw_bars(rs_plot_pen *pen, const rs_plot_item *it)
{
    cairo_t *cr = pen->c->cr;
    double zero = rs_plot_y(pen, 0);
    rs_canvas_colour(pen->c, it->style.colour, it->style.opacity);
    for (size_t i = 0; i < it->n; i++) {
        if (!known(it, i)) continue;
        double x0 = rs_plot_x(pen, it->x[i] - it->bar_width / 2), y = rs_plot_y(pen, it->y[i]);
        double w = rs_plot_x(pen, it->x[i] + it->bar_width / 2) - x0;
        double seam = w > 4 ? 1 : 0; /* a gap between neighbours, where there is room */
        rs_plot_box b = {x0, fmin(y, zero), w, fabs(y - zero)};
        cairo_rectangle(cr, b.x + seam / 2, b.y, b.w - seam, b.h);
        rs_ink_box(&pen->ink, b, RS_INK_DATA);
    }
    cairo_fill(cr);
}

static void draw_line(rs_plot_pen *pen, const rs_plot_item *it)
{
    cairo_t *cr = pen->c->cr;
    bool down = false; /* the pen is on the paper */
    double last_x = 0, last_y = 0;
    for (size_t i = 0; i < it->n; i++) {
        double x = rs_plot_x(pen, it->x[i]), y = rs_plot_y(pen, it->y[i]);
        if (!known(it, i)) {
            down = false;
            continue;
        }
        if (it->style.width > 0) {
            if (down) cairo_line_to(cr, x, y);
            if (down) rs_ink_segment(&pen->ink, last_x, last_y, x, y, RS_INK_DATA);
            if (!down) cairo_move_to(cr, x, y);
        }
        if (it->style.marker != RS_MARKER_NONE) rs_ink_segment(&pen->ink, x, y, x, y, RS_INK_DATA);
        down = true;
        last_x = x;
        last_y = y;
    }
    if (it->style.width > 0) {
        rs_plot_stroke_style(pen, &it->style);
        cairo_stroke(cr);
    }
}

static void draw_markers(rs_plot_pen *pen, const rs_plot_item *it)
{
    for (size_t i = 0; i < it->n; i++)
        if (known(it, i))
            rs_plot_marker(pen, &it->style, rs_plot_x(pen, it->x[i]), rs_plot_y(pen, it->y[i]));
}

static void draw_scatter(rs_plot_pen *pen, const rs_plot_item *it)
{
    rs_style s = {.marker_size = it->style.marker_size, .opacity = 1};
    for (size_t i = 0; i < it->n; i++) {
        double x = rs_plot_x(pen, it->x[i]), y = rs_plot_y(pen, it->y[i]);
        float value = (float)it->y2[i];
        uint8_t rgb[3];
        if (isnan(x) || isnan(y)) continue;
        rs_ink_segment(&pen->ink, x, y, x, y, RS_INK_DATA);
        if (!isnan(value)) {
            rs_colour_map_apply(&value, 1, it->lo, it->hi, it->scale.map, no_value, rgb);
            s.marker = RS_MARKER_DISC;
            s.colour = (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
            rs_plot_marker(pen, &s, x, y);
        }
        cairo_set_line_width(pen->c->cr, 0.7); /* a rim, also of what has no value */
        rs_canvas_colour(pen->c, 0x202020, isnan(value) ? 0.5 : 0.8);
        cairo_arc(pen->c->cr, x, y, s.marker_size / 2, 0, 2 * RS_PI);
        cairo_stroke(pen->c->cr);
    }
}

static void draw_across(rs_plot_pen *pen, const rs_plot_item *it)
{
    const rs_plot_box *f = &pen->q->box;
    bool vertical = it->kind == RS_PLOT_VERTICAL;
    double x = rs_plot_x(pen, it->x[0]), y = rs_plot_y(pen, it->y[0]);
    double x0 = vertical ? x : f->x, x1 = vertical ? x : f->x + f->w;
    double y0 = vertical ? f->y : y, y1 = vertical ? f->y + f->h : y;
    rs_style s = it->style;
    if (s.width == 0) s.width = 1;
    rs_plot_stroke_style(pen, &s);
    cairo_move_to(pen->c->cr, x0, y0);
    cairo_line_to(pen->c->cr, x1, y1);
    cairo_stroke(pen->c->cr);
    rs_ink_segment(&pen->ink, x0, y0, x1, y1, RS_INK_MARK);
}

static void draw_grid(rs_plot_pen *pen)
{
    const rs_plot_place *q = pen->q;
    cairo_t *cr = pen->c->cr;
    rs_canvas_colour(pen->c, 0xd8d8d8, 1);
    cairo_set_line_width(cr, 1);
    cairo_set_dash(cr, NULL, 0, 0);
    for (int i = 0; i < q->x_ticks.n; i++) {
        double x = floor(rs_plot_x(pen, q->x_ticks.at[i])) + 0.5;
        cairo_move_to(cr, x, q->box.y);
        cairo_line_to(cr, x, q->box.y + q->box.h);
    }
    for (int i = 0; i < q->y_ticks.n; i++) {
        double y = floor(rs_plot_y(pen, q->y_ticks.at[i])) + 0.5;
        cairo_move_to(cr, q->box.x, y);
        cairo_line_to(cr, q->box.x + q->box.w, y);
    }
    cairo_stroke(cr);
}

/* Draws everything inside the frame, layer by layer; markers last and over the frame's edge. */
static reshed_status draw_data(rs_plot_pen *pen, reshed_error *err)
{
    static const rs_plot_kind layer[] = {RS_PLOT_IMAGE,      RS_PLOT_BAND,     RS_PLOT_BARS,
                                         RS_PLOT_HORIZONTAL, RS_PLOT_VERTICAL, RS_PLOT_LINE};
    const rs_panel *p = pen->p;
    const rs_plot_box *f = &pen->q->box;
    cairo_t *cr = pen->c->cr;
    reshed_status st = RESHED_OK;
    cairo_save(cr);
    cairo_rectangle(cr, f->x, f->y, f->w, f->h);
    cairo_clip(cr);
    if (p->grid) draw_grid(pen);
    for (size_t k = 0; k < sizeof layer / sizeof *layer; k++)
        for (int i = 0; st == RESHED_OK && i < p->n; i++) {
            const rs_plot_item *it = &p->item[i];
            if (it->kind != layer[k]) continue;
            if (it->kind == RS_PLOT_IMAGE) st = draw_image(pen, it, err);
            if (it->kind == RS_PLOT_BAND) draw_band(pen, it);
            if (it->kind == RS_PLOT_BARS) draw_bars(pen, it);
            if (it->kind == RS_PLOT_LINE) draw_line(pen, it);
            if (it->kind == RS_PLOT_HORIZONTAL || it->kind == RS_PLOT_VERTICAL)
                draw_across(pen, it);
        }
    cairo_restore(cr);
    cairo_save(cr); /* a marker on the frame is shown whole, one beyond it not at all */
    cairo_rectangle(cr, f->x - 4, f->y - 4, f->w + 8, f->h + 8);
    cairo_clip(cr);
    for (int i = 0; i < p->n; i++) {
        if (p->item[i].kind == RS_PLOT_LINE) draw_markers(pen, &p->item[i]);
        if (p->item[i].kind == RS_PLOT_SCATTER) draw_scatter(pen, &p->item[i]);
    }
    cairo_restore(cr);
    return st;
}

/* ------------------------------------------------------------------------------------ the frame */

/* Writes a text, smaller where it is longer than its axis: down to 60 %. */
static void draw_fitting(rs_plot_pen *pen, rs_text t, double x, double y, double length,
                         const char *s)
{
    double width = rs_text_width(pen->c, &t, s);
    if (width > length) t.size *= fmax(0.6, length / width);
    rs_canvas_colour(pen->c, RS_BLACK, 1);
    rs_text_draw(pen->c, &t, x, y, s);
}

static void draw_axes(rs_plot_pen *pen)
{
    const rs_plot_place *q = pen->q;
    const rs_plot_box *b = &q->box;
    cairo_t *cr = pen->c->cr;
    double f = pen->font, tick = RS_PLOT_TICK * f, out = tick + RS_PLOT_GAP * f;
    char s[256];
    for (int i = 0; i < q->x_ticks.n; i++) {
        cairo_move_to(cr, rs_plot_x(pen, q->x_ticks.at[i]), b->y + b->h);
        cairo_rel_line_to(cr, 0, tick);
    }
    for (int i = 0; i < q->y_ticks.n; i++) {
        cairo_move_to(cr, b->x, rs_plot_y(pen, q->y_ticks.at[i]));
        cairo_rel_line_to(cr, -tick, 0);
    }
    cairo_stroke(cr);
    rs_text t = {.size = f, .ax = 0.5, .ay = 0};
    for (int i = 0; i < q->x_ticks.n; i++)
        rs_text_draw(pen->c, &t, rs_plot_x(pen, q->x_ticks.at[i]), b->y + b->h + out,
                     rs_ticks_label(&q->x_ticks, i, s, sizeof s));
    rs_plot_axis_text(pen->p->x.name, &q->x_ticks, s, sizeof s);
    draw_fitting(pen, t, b->x + b->w / 2, b->y + b->h + out + (0.75 + RS_PLOT_GAP + 0.1) * f,
                 b->w + 4 * f, s);
    t = (rs_text){.size = f, .ax = 1, .ay = 0.5};
    rs_canvas_colour(pen->c, RS_BLACK, 1);
    for (int i = 0; i < q->y_ticks.n; i++)
        rs_text_draw(pen->c, &t, b->x - out, rs_plot_y(pen, q->y_ticks.at[i]),
                     rs_ticks_label(&q->y_ticks, i, s, sizeof s));
    rs_plot_axis_text(pen->p->y.name, &q->y_ticks, s, sizeof s);
    t = (rs_text){.size = f, .ax = 0.5, .ay = 1, .upwards = true};
    draw_fitting(pen, t, b->x - out - q->y_labels - (RS_PLOT_GAP + 0.15) * f, b->y + b->h / 2,
                 b->h + 3 * f, s);
}

/* number: of the panel in its figure. */
static void draw_frame(rs_plot_pen *pen, int number)
{
    const rs_plot_place *q = pen->q;
    const rs_plot_box *b = &q->box;
    const double f = pen->font, y = b->y - 0.6 * f;
    rs_text t = {.size = 1.08 * f, .bold = true, .ay = 1};
    rs_canvas_colour(pen->c, RS_BLACK, 1);
    cairo_set_line_width(pen->c->cr, 1);
    cairo_set_dash(pen->c->cr, NULL, 0, 0);
    cairo_rectangle(pen->c->cr, b->x, b->y, b->w, b->h);
    cairo_stroke(pen->c->cr);
    if (!pen->p->scale_bar)
        draw_axes(pen);
    else
        rs_scale_bar_draw(pen->c, b->x, b->y, b->w, b->h, (q->x_hi - q->x_lo) / b->w, f);
    if (pen->p->figure->letters && pen->p->figure->n > 1) { /* titles follow the letters */
        const char letter[2] = {(char)('a' + number % 26), '\0'};
        rs_canvas_colour(pen->c, RS_BLACK, 1);
        rs_text_draw(pen->c, &t, b->x, y, letter);
        draw_fitting(pen, t, b->x + 1.6 * f, y, b->w + 2 * f, pen->p->title);
    } else {
        t.ax = 0.5;
        draw_fitting(pen, t, b->x + b->w / 2, y, b->w + 4 * f, pen->p->title);
    }
}

/* Draws a triangle at the bar's end, which says that there are values beyond it. */
static void draw_bar_end(rs_plot_pen *pen, const rs_plot_box *b, bool top, const uint8_t rgb[3])
{
    cairo_t *cr = pen->c->cr;
    double y = top ? b->y : b->y + b->h, tip = top ? -0.55 * b->w : 0.55 * b->w;
    cairo_move_to(cr, b->x, y);
    cairo_line_to(cr, b->x + b->w / 2, y + tip);
    cairo_line_to(cr, b->x + b->w, y);
    rs_canvas_colour(pen->c, (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2], 1);
    cairo_fill_preserve(cr);
    rs_canvas_colour(pen->c, RS_BLACK, 1);
    cairo_stroke(cr);
}

static void draw_colour_bar(rs_plot_pen *pen)
{
    const rs_plot_place *q = pen->q;
    const rs_plot_item *it = q->bar;
    cairo_t *cr = pen->c->cr;
    double f = pen->font, tick = RS_PLOT_TICK * f;
    rs_plot_box b = {q->box.x + q->box.w + RS_PLOT_BAR_GAP * f, q->box.y, RS_PLOT_BAR_WIDTH * f,
                     q->box.h};
    uint8_t table[RS_MAP_ENTRIES][3], column[RS_MAP_ENTRIES][3];
    char s[256];
    if (it->above) b.y += 0.55 * b.w, b.h -= 0.55 * b.w;
    if (it->below) b.h -= 0.55 * b.w;
    rs_colour_table(it->scale.map, table);
    for (int i = 0; i < RS_MAP_ENTRIES; i++) memcpy(column[i], table[RS_MAP_ENTRIES - 1 - i], 3);
    rs_canvas_pixels(pen->c, column[0], RS_MAP_ENTRIES, 1, b.x, b.y, b.w, b.h);
    cairo_set_line_width(cr, 1);
    cairo_set_dash(cr, NULL, 0, 0);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    if (it->above) draw_bar_end(pen, &b, true, table[RS_MAP_ENTRIES - 1]);
    if (it->below) draw_bar_end(pen, &b, false, table[0]);
    rs_canvas_colour(pen->c, RS_BLACK, 1);
    cairo_rectangle(cr, b.x, b.y, b.w, b.h);
    rs_text t = {.size = f, .ax = 0, .ay = 0.5};
    double right = b.x + b.w + tick + RS_PLOT_GAP * f;
    for (int i = 0; i < q->bar_ticks.n; i++) {
        double y = b.y + b.h * (it->hi - q->bar_ticks.at[i]) / (it->hi - it->lo);
        cairo_move_to(cr, b.x + b.w, y);
        cairo_rel_line_to(cr, tick, 0);
    }
    cairo_stroke(cr);
    for (int i = 0; i < q->bar_ticks.n; i++) {
        double y = b.y + b.h * (it->hi - q->bar_ticks.at[i]) / (it->hi - it->lo);
        rs_text_draw(pen->c, &t, right, y, rs_ticks_label(&q->bar_ticks, i, s, sizeof s));
    }
    rs_plot_axis_text(it->scale_name, &q->bar_ticks, s, sizeof s);
    t = (rs_text){.size = f, .ax = 0.5, .ay = 0, .upwards = true};
    draw_fitting(pen, t, right + q->bar_labels + RS_PLOT_GAP * f, q->box.y + q->box.h / 2,
                 q->box.h + 2 * f, s);
}

static reshed_status draw_panel(rs_plot_pen *pen, int number, reshed_error *err)
{
    reshed_status st = rs_ink_open(&pen->ink, pen->q->box, err);
    if (st == RESHED_OK) st = draw_data(pen, err);
    if (st == RESHED_OK) {
        draw_frame(pen, number);
        if (pen->q->bar) draw_colour_bar(pen);
        rs_plot_annotations(pen);
    }
    rs_ink_close(&pen->ink);
    return st;
}

/* Lays the figure out and draws it on c. headroom[f->n] in: what to leave free; out: what legends
 * and notes that found no free place would need. */
static reshed_status draw_once(rs_figure *f, rs_canvas *c, rs_plot_place *place, double *headroom,
                               reshed_error *err)
{
    double font;
    if (*f->family) c->family = f->family;
    reshed_status st = rs_plot_layout(f, c, headroom, place, &font, err);
    for (int i = 0; st == RESHED_OK && i < f->n; i++) {
        rs_plot_pen pen = {.c = c, .p = f->panel[i], .q = &place[i], .font = font};
        st = draw_panel(&pen, i, err);
        headroom[i] = fmin(pen.crowded / place[i].box.h, 0.5);
    }
    if (st == RESHED_OK && *f->title) {
        rs_text t = {.size = 1.2 * font, .bold = true, .ax = 0.5, .ay = 0};
        rs_canvas_colour(c, RS_BLACK, 1);
        rs_text_draw(c, &t, f->width / 2, 0.8 * font, f->title);
    }
    return st == RESHED_OK ? rs_canvas_check(c, err) : st;
}

/* Draws twice: the first time on a surface of one pixel, to see where legends have no room. */
reshed_status rs_plot_draw_figure(rs_figure *f, rs_canvas *c, reshed_error *err)
{
    rs_canvas rehearsal = {0};
    size_t n = (size_t)f->n;
    rs_plot_place *place = rs_alloc(n, sizeof *place);
    double *headroom = rs_zalloc(n, sizeof *headroom);
    reshed_status st = RESHED_OK;
    if (!place || !headroom)
        st = rs_fail_nomem(err, "a figure", n * (sizeof *place + sizeof *headroom));
    if (st == RESHED_OK) st = rs_canvas_open(&rehearsal, 1, 1, 1, err);
    if (st == RESHED_OK) st = draw_once(f, &rehearsal, place, headroom, err);
    if (st == RESHED_OK) st = draw_once(f, c, place, headroom, err);
    rs_canvas_close(&rehearsal);
    rs_free(place);
    rs_free(headroom);
    return st;
}
