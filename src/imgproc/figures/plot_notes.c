#include "imgproc/figures/plot_notes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/numeric.h"
#include "base/text.h"

#define LINE_HEIGHT 1.35 /* of the text, em */
#define MAX_LINES 12     /* of a note, entries of a legend */
#define FREE 4.0         /* ink that a block may cover and still count as well placed */
#define FARTHEST 1e6     /* picture pixels: cairo's fixed-point numbers end at 8e6 */

/* ------------------------------------------------------------------------------------ geometry */

static double reachable(double v)
{
    return v < -FARTHEST ? -FARTHEST : v > FARTHEST ? FARTHEST : v; /* NaN stays */
}

double rs_plot_x(const rs_plot_pen *pen, double x)
{
    const rs_plot_place *q = pen->q;
    return reachable(q->box.x + (x - q->x_lo) / (q->x_hi - q->x_lo) * q->box.w);
}

double rs_plot_y(const rs_plot_pen *pen, double y)
{
    const rs_plot_place *q = pen->q;
    return reachable(q->box.y + (q->y_hi - y) / (q->y_hi - q->y_lo) * q->box.h);
}

void rs_plot_stroke_style(rs_plot_pen *pen, const rs_style *s)
{
    double w = s->width;
    const double dashed[2] = {4 * w + 2, 2 * w + 2}, dotted[2] = {0.01, 2 * w + 1};
    rs_canvas_colour(pen->c, s->colour, s->opacity);
    cairo_set_line_width(pen->c->cr, w);
    cairo_set_line_join(pen->c->cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(pen->c->cr,
                       s->dash == RS_DASHED ? CAIRO_LINE_CAP_BUTT : CAIRO_LINE_CAP_ROUND);
    cairo_set_dash(pen->c->cr, s->dash == RS_DASHED ? dashed : dotted, s->dash == RS_SOLID ? 0 : 2,
                   0);
}

void rs_plot_marker(rs_plot_pen *pen, const rs_style *s, double x, double y)
{
    cairo_t *cr = pen->c->cr;
    double r = s->marker_size / 2;
    if (s->marker == RS_MARKER_NONE || isnan(x) || isnan(y)) return;
    rs_canvas_colour(pen->c, s->colour, s->opacity);
    cairo_set_line_width(cr, fmax(1, s->marker_size / 5));
    cairo_set_dash(cr, NULL, 0, 0);
    cairo_new_path(cr);
    switch (s->marker) {
    case RS_MARKER_NONE: break;
    case RS_MARKER_DISC:
        cairo_arc(cr, x, y, r, 0, 2 * RS_PI);
        cairo_fill(cr);
        break;
    case RS_MARKER_RING:
        cairo_arc(cr, x, y, r, 0, 2 * RS_PI);
        cairo_stroke(cr);
        break;
    case RS_MARKER_SQUARE:
        cairo_rectangle(cr, x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r);
        cairo_fill(cr);
        break;
    case RS_MARKER_TRIANGLE:
        cairo_move_to(cr, x, y - 1.15 * r);
        cairo_line_to(cr, x + r, y + 0.7 * r);
        cairo_line_to(cr, x - r, y + 0.7 * r);
        cairo_close_path(cr);
        cairo_fill(cr);
        break;
    case RS_MARKER_PLUS:
        cairo_move_to(cr, x - r, y);
        cairo_line_to(cr, x + r, y);
        cairo_move_to(cr, x, y - r);
        cairo_line_to(cr, x, y + r);
        cairo_stroke(cr);
        break;
    case RS_MARKER_CROSS:
        cairo_move_to(cr, x - 0.8 * r, y - 0.8 * r);
        cairo_line_to(cr, x + 0.8 * r, y + 0.8 * r);
        cairo_move_to(cr, x - 0.8 * r, y + 0.8 * r);
        cairo_line_to(cr, x + 0.8 * r, y - 0.8 * r);
        cairo_stroke(cr);
        break;
    }
}

/* -------------------------------------------------------------------------------------- labels */

/* A list of places for a label of w x h, the preferred first. */
typedef struct choices {
    int n;
    double w, h;
    rs_plot_box box[32];
} choices;

/* Adds the place whose point (ax,ay), 0..1 from the upper left corner, is at (x,y). */
static void offer(choices *k, double x, double y, double ax, double ay)
{
    if (k->n < (int)(sizeof k->box / sizeof *k->box))
        k->box[k->n++] = (rs_plot_box){x - ax * k->w, y - ay * k->h, k->w, k->h};
}

static choices choices_for(rs_plot_pen *pen, const char *label)
{
    rs_text t = {.size = pen->font};
    return (choices){.w = rs_text_width(pen->c, &t, label), .h = 1.1 * pen->font};
}

/* Writes the label at the best of the places and keeps the place. */
static void write_best(rs_plot_pen *pen, const choices *k, uint32_t colour, const char *label)
{
    rs_plot_box b = k->box[rs_ink_best(&pen->ink, k->box, k->n)];
    rs_text t = {.size = pen->font, .ax = 0, .ay = 0.5, .halo = true};
    rs_canvas_colour(pen->c, colour, 1);
    rs_text_draw(pen->c, &t, b.x, b.y + b.h / 2, label);
    rs_ink_box(&pen->ink, b, RS_INK_TEXT);
}

static void label_vertical(rs_plot_pen *pen, const rs_plot_item *it)
{
    double x = rs_plot_x(pen, it->x[0]), gap = 0.4 * pen->font;
    const rs_plot_box *f = &pen->q->box;
    choices k = choices_for(pen, it->label);
    for (int row = 0; row < 4; row++) {
        double y = f->y + gap + row * 1.4 * pen->font;
        offer(&k, x + gap, y, 0, 0);
        offer(&k, x - gap, y, 1, 0);
    }
    for (int row = 0; row < 4; row++) {
        double y = f->y + f->h - gap - row * 1.4 * pen->font;
        offer(&k, x + gap, y, 0, 1);
        offer(&k, x - gap, y, 1, 1);
    }
    write_best(pen, &k, it->style.colour, it->label);
}

static void label_horizontal(rs_plot_pen *pen, const rs_plot_item *it)
{
    double y = rs_plot_y(pen, it->y[0]), gap = 0.4 * pen->font;
    const rs_plot_box *f = &pen->q->box;
    choices k = choices_for(pen, it->label);
    for (int i = 0; i <= 4; i++) { /* from the right end to the left one */
        double at = 1 - i / 4.0, x = f->x + gap + at * (f->w - 2 * gap);
        offer(&k, x, y - 0.5 * gap, at, 1);
        offer(&k, x, y + 0.5 * gap, at, 0);
    }
    write_best(pen, &k, it->style.colour, it->label);
}

static void label_arrow(rs_plot_pen *pen, const rs_plot_item *it)
{
    double x0 = rs_plot_x(pen, it->x[0]), x1 = rs_plot_x(pen, it->x[1]), gap = 0.5 * pen->font;
    double y0 = rs_plot_y(pen, it->y[0]), y1 = rs_plot_y(pen, it->y[1]);
    static const double along[] = {0.5, 0.35, 0.65, 0.2, 0.8};
    choices k = choices_for(pen, it->label);
    for (int i = 0; i < 5; i++) {
        double x = x0 + along[i] * (x1 - x0), y = y0 + along[i] * (y1 - y0);
        if (fabs(x1 - x0) >= fabs(y1 - y0)) {
            offer(&k, x, y - 0.7 * gap, 0.5, 1);
            offer(&k, x, y + 0.7 * gap, 0.5, 0);
        } else {
            offer(&k, x + gap, y, 0, 0.5);
            offer(&k, x - gap, y, 1, 0.5);
        }
    }
    write_best(pen, &k, it->style.colour, it->label);
}

static void label_point(rs_plot_pen *pen, const rs_plot_item *it)
{
    double x = rs_plot_x(pen, it->x[0]), y = rs_plot_y(pen, it->y[0]);
    choices k = choices_for(pen, it->label);
    for (double d = 0.6; d < 4; d *= 1.7) {
        double g = d * pen->font;
        offer(&k, x + g, y - g, 0, 1);
        offer(&k, x - g, y - g, 1, 1);
        offer(&k, x + g, y + g, 0, 0);
        offer(&k, x - g, y + g, 1, 0);
        offer(&k, x, y - g, 0.5, 1);
        offer(&k, x, y + g, 0.5, 0);
    }
    write_best(pen, &k, it->style.colour, it->label);
}

static void draw_arrow(rs_plot_pen *pen, const rs_plot_item *it)
{
    cairo_t *cr = pen->c->cr;
    double x[2] = {rs_plot_x(pen, it->x[0]), rs_plot_x(pen, it->x[1])};
    double y[2] = {rs_plot_y(pen, it->y[0]), rs_plot_y(pen, it->y[1])};
    double length = hypot(x[1] - x[0], y[1] - y[0]), head = fmin(0.65 * pen->font, 0.45 * length);
    if (!(length > 0)) return;
    double ux = (x[1] - x[0]) / length, uy = (y[1] - y[0]) / length;
    rs_plot_stroke_style(pen, &it->style);
    cairo_move_to(cr, x[0] + ux * head, y[0] + uy * head);
    cairo_line_to(cr, x[1] - ux * head, y[1] - uy * head);
    cairo_stroke(cr);
    for (int end = 0; end < 2; end++) {
        double s = end ? -head : head, across = 0.38 * head;
        cairo_move_to(cr, x[end], y[end]);
        cairo_line_to(cr, x[end] + s * ux - across * uy, y[end] + s * uy + across * ux);
        cairo_line_to(cr, x[end] + s * ux + across * uy, y[end] + s * uy - across * ux);
        cairo_close_path(cr);
        cairo_fill(cr);
    }
    rs_ink_segment(&pen->ink, x[0], y[0], x[1], y[1], RS_INK_MARK);
}

/* ----------------------------------------------------------------------------- legend and notes */

/* Returns the best place within the frame for a block of w x h: a corner or the middle of a side
 * where one is free, else anywhere. */
static rs_plot_box place_block(rs_plot_pen *pen, double w, double h)
{
    static const double spot[][2] = {{1, 0},   {0, 0},   {1, 1},   {0, 1},
                                     {0.5, 0}, {1, 0.5}, {0, 0.5}, {0.5, 1}};
    enum { SPOTS = sizeof spot / sizeof *spot, SIDE = 25 };
    const rs_plot_box *f = &pen->q->box;
    double pad = 0.5 * pen->font, least = INFINITY;
    rs_plot_box best = {0};
    for (int i = 0; i < SPOTS + SIDE * SIDE && least > 0; i++) {
        int k = i - SPOTS;
        double u = k < 0 ? spot[i][0] : k % SIDE / (SIDE - 1.0);
        double v = k < 0 ? spot[i][1] : k / SIDE / (SIDE - 1.0);
        rs_plot_box b = {f->x + pad + u * (f->w - 2 * pad - w),
                         f->y + pad + v * (f->h - 2 * pad - h), w, h};
        double cost = rs_ink_cost(&pen->ink, b);
        if (cost < least) {
            least = cost;
            best = b;
        }
    }
    if (least > FREE) pen->crowded = fmax(pen->crowded, h + pad);
    return best;
}

static void draw_block(rs_plot_pen *pen, rs_plot_box b)
{
    rs_canvas_colour(pen->c, 0xffffff, 0.85);
    cairo_rectangle(pen->c->cr, b.x, b.y, b.w, b.h);
    cairo_fill(pen->c->cr);
    rs_ink_box(&pen->ink, b, RS_INK_TEXT);
}

/* Draws a line or a field of the item's colour, over `width` pixels from x. */
static void draw_sample(rs_plot_pen *pen, const rs_plot_item *it, double x, double y, double width)
{
    cairo_t *cr = pen->c->cr;
    if (it->kind == RS_PLOT_LINE) {
        if (it->style.width > 0) {
            rs_plot_stroke_style(pen, &it->style);
            cairo_move_to(cr, x, y);
            cairo_line_to(cr, x + width, y);
            cairo_stroke(cr);
        }
        rs_plot_marker(pen, &it->style, x + width / 2, y);
    } else {
        rs_canvas_colour(pen->c, it->style.colour, it->style.opacity);
        cairo_rectangle(cr, x, y - 0.35 * pen->font, width, 0.7 * pen->font);
        cairo_fill(cr);
    }
}

static bool in_legend(const rs_plot_item *it)
{
    return *it->label &&
           (it->kind == RS_PLOT_LINE || it->kind == RS_PLOT_BAND || it->kind == RS_PLOT_BARS);
}

static void draw_legend(rs_plot_pen *pen)
{
    const rs_panel *p = pen->p;
    double f = pen->font, sample = 1.9 * f, widest = 0;
    rs_text t = {.size = f, .ay = 0.5};
    int lines = 0;
    for (int i = 0; i < p->n; i++) {
        if (!in_legend(&p->item[i])) continue;
        widest = fmax(widest, rs_text_width(pen->c, &t, p->item[i].label));
        lines++;
    }
    if (lines == 0) return;
    double pad = 0.4 * f;
    rs_plot_box b = place_block(pen, sample + 0.5 * f + widest + 2 * pad,
                                lines * LINE_HEIGHT * f + 2 * pad - 0.3 * f);
    draw_block(pen, b);
    double y = b.y + pad + 0.5 * f;
    for (int i = 0; i < p->n; i++) {
        if (!in_legend(&p->item[i])) continue;
        draw_sample(pen, &p->item[i], b.x + pad, y, sample);
        rs_canvas_colour(pen->c, RS_BLACK, 1);
        rs_text_draw(pen->c, &t, b.x + pad + sample + 0.5 * f, y, p->item[i].label);
        y += LINE_HEIGHT * f;
    }
}

/* Copies the line of text at *s into buf and moves *s to the next; false at the end. */
static bool next_line(const char **s, char *buf, size_t n)
{
    if (!*s) return false;
    const char *end = strchr(*s, '\n');
    size_t len = end ? (size_t)(end - *s) : strlen(*s);
    snprintf(buf, n, "%.*s", (int)len, *s);
    *s = end ? end + 1 : NULL;
    return true;
}

static void draw_note(rs_plot_pen *pen, const rs_plot_item *it)
{
    char line[256];
    double f = pen->font, widest = 0, pad = 0.4 * f;
    rs_text t = {.size = f, .ay = 0.5};
    int lines = 0;
    for (const char *s = it->label; lines < MAX_LINES && next_line(&s, line, sizeof line); lines++)
        widest = fmax(widest, rs_text_width(pen->c, &t, line));
    rs_plot_box b = place_block(pen, widest + 2 * pad, lines * LINE_HEIGHT * f + 2 * pad - 0.3 * f);
    draw_block(pen, b);
    const char *s = it->label;
    rs_canvas_colour(pen->c, it->style.colour, 1);
    for (int i = 0; i < lines && next_line(&s, line, sizeof line); i++)
        rs_text_draw(pen->c, &t, b.x + pad, b.y + pad + (0.5 + LINE_HEIGHT * i) * f, line);
}

void rs_plot_annotations(rs_plot_pen *pen)
{
    const rs_panel *p = pen->p;
    for (int i = 0; i < p->n; i++)
        if (p->item[i].kind == RS_PLOT_ARROW) draw_arrow(pen, &p->item[i]);
    for (int i = 0; i < p->n; i++) {
        const rs_plot_item *it = &p->item[i];
        if (!*it->label) continue;
        if (it->kind == RS_PLOT_VERTICAL) label_vertical(pen, it);
        if (it->kind == RS_PLOT_HORIZONTAL) label_horizontal(pen, it);
        if (it->kind == RS_PLOT_ARROW) label_arrow(pen, it);
        if (it->kind == RS_PLOT_TEXT) label_point(pen, it);
    }
    draw_legend(pen);
    for (int i = 0; i < p->n; i++)
        if (p->item[i].kind == RS_PLOT_NOTE && *p->item[i].label) draw_note(pen, &p->item[i]);
}
