/* Building a figure: arguments are checked and copied here, drawn in plot_draw.c. */
#include "imgproc/figures/plot.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/image.h"
#include "base/statistics.h"
#include "imgproc/figures/canvas.h"
#include "imgproc/figures/plot_draw.h"
#include "imgproc/figures/plot_model.h"

#define LARGEST_VALUE 1e300 /* so that differences of limits stay finite */

uint32_t rs_series_colour(int i)
{
    static const uint32_t colour[] = {RS_BLUE,   RS_VERMILION, RS_GREEN, RS_PURPLE,
                                      RS_ORANGE, RS_SKY,       RS_BLACK};
    return colour[(unsigned)i % (sizeof colour / sizeof *colour)];
}

void rs_robust_limits(const double *x, size_t n, double *scratch, double *lo, double *hi)
{
    double centre = rs_median(x, n, scratch), spread = rs_mad(x, n, centre, scratch);
    *lo = rs_quantile(x, n, 0.02, scratch);
    *hi = rs_quantile(x, n, 0.98, scratch);
    if (spread > 0) {
        *lo = fmax(*lo, centre - 4 * spread);
        *hi = fmin(*hi, centre + 4 * spread);
    }
    if (!(*hi > *lo)) {
        if (!isfinite(centre)) centre = 0;
        double pad = centre != 0 ? 0.05 * fabs(centre) : 1;
        *lo = centre - pad;
        *hi = centre + pad;
    }
}

/* ------------------------------------------------------------------------------------- figures */

static bool sound(const rs_figure *f)
{
    return f->failure.status == RESHED_OK;
}

static void no_memory(rs_figure *f, size_t bytes)
{
    if (sound(f)) rs_fail_nomem(&f->failure, "a figure", bytes);
}

static void invalid(rs_figure *f, const char *what, const char *expected, double found)
{
    if (sound(f)) rs_fail(&f->failure, RESHED_EINVAL, "%s|%s|%g", what, expected, found);
}

/* Replaces *field by a copy of text (NULL: ""). */
static void set_text(rs_figure *f, char **field, const char *text)
{
    char *copy = rs_strdup(text ? text : "");
    if (!copy) {
        no_memory(f, text ? strlen(text) + 1 : 1);
        return;
    }
    rs_free(*field);
    *field = copy;
}

reshed_status rs_figure_create(int width, int height, int rows, int columns, rs_figure **out,
                               reshed_error *err)
{
    if (width < 64 || width > 16384 || height < 64 || height > 16384)
        return rs_fail(err, RESHED_EINVAL, "size of the figure|64 to 16384 a side|%d x %d", width,
                       height);
    if (rows < 1 || rows > RS_PLOT_MAX_CELLS || columns < 1 || columns > RS_PLOT_MAX_CELLS)
        return rs_fail(err, RESHED_EINVAL, "grid of panels|1 to %d a side|%d x %d",
                       RS_PLOT_MAX_CELLS, rows, columns);
    rs_figure *f = rs_zalloc(1, sizeof *f);
    if (!f) return rs_fail_nomem(err, "a figure", sizeof *f);
    f->width = width;
    f->height = height;
    f->pixels = f->points = 1;
    f->rows = rows;
    f->columns = columns;
    for (int i = 0; i < RS_PLOT_MAX_CELLS; i++) f->column_weight[i] = f->row_weight[i] = 1;
    set_text(f, &f->title, "");
    if (!sound(f)) {
        if (err) *err = f->failure;
        rs_figure_free(f);
        return RESHED_ENOMEM;
    }
    *out = f;
    return RESHED_OK;
}

static void item_free(rs_plot_item *it)
{
    rs_free(it->x);
    rs_free(it->y);
    rs_free(it->y2);
    rs_free(it->image);
    rs_free(it->label);
    rs_free(it->scale_name);
    rs_free(it->scale_unit);
}

static void panel_free(rs_panel *p)
{
    if (!p) return;
    for (int i = 0; i < p->n; i++) item_free(&p->item[i]);
    rs_free(p->item);
    rs_free(p->title);
    rs_free(p->x.name);
    rs_free(p->x.unit);
    rs_free(p->y.name);
    rs_free(p->y.unit);
    rs_free(p);
}

void rs_figure_free(rs_figure *f)
{
    if (!f) return;
    for (int i = 0; i < f->n; i++) panel_free(f->panel[i]);
    rs_free(f->panel);
    rs_free(f->title);
    rs_free(f);
}

void rs_figure_title(rs_figure *f, const char *text)
{
    set_text(f, &f->title, text);
}

void rs_figure_font(rs_figure *f, double size)
{
    if (!(size >= 6 && size <= 64))
        invalid(f, "height of the text", "6 to 64 pixels", size);
    else
        f->font = size;
}

void rs_paper_defaults(rs_paper *paper)
{
    *paper = (rs_paper){.width_mm = 174, .font_pt = 8, .dpi = 300, .letters = true};
}

/* The layout keeps its usual size of text, and the paper is so many of its units wide that this
 * becomes the size asked for. */
void rs_figure_paper(rs_figure *f, const rs_paper *paper)
{
    enum { FONT = 12 };
    if (!(paper->width_mm >= 20 && paper->width_mm <= 500))
        invalid(f, "width of a figure", "20 to 500 mm", paper->width_mm);
    else if (!(paper->font_pt >= 4 && paper->font_pt <= 24))
        invalid(f, "size of a figure's text", "4 to 24 pt", paper->font_pt);
    else if (!(paper->dpi >= 50 && paper->dpi <= 1200))
        invalid(f, "pixels of a figure", "50 to 1200 per inch", paper->dpi);
    if (!sound(f)) return;
    const double ratio = f->height / f->width;
    f->points = paper->font_pt / FONT;
    f->pixels = f->points * paper->dpi / 72;
    f->width = paper->width_mm / 25.4 * 72 / f->points;
    f->height = f->width * ratio;
    f->font = FONT;
    f->letters = paper->letters;
    f->dpi = paper->dpi;
    f->recoloured = paper->recoloured;
    f->colours = paper->colours;
    snprintf(f->family, sizeof f->family, "%s", paper->family);
}

double rs_figure_dpi(const rs_figure *f)
{
    return f ? f->dpi : 0;
}

static void set_weights(rs_figure *f, double *to, const double *from, int n)
{
    for (int i = 0; i < n; i++) {
        double w = from ? from[i] : 1;
        if (!(w > 0 && w <= 1e6))
            invalid(f, "relative size of a grid cell", "above 0", w);
        else
            to[i] = w;
    }
}

void rs_figure_grid(rs_figure *f, const double *widths, const double *heights)
{
    set_weights(f, f->column_weight, widths, f->columns);
    set_weights(f, f->row_weight, heights, f->rows);
}

rs_panel *rs_figure_panel(rs_figure *f, int row, int column, int row_span, int column_span)
{
    if (!sound(f)) return NULL;
    if (row < 0 || row_span < 1 || row_span > f->rows - row || column < 0 || column_span < 1 ||
        column_span > f->columns - column) {
        rs_fail(&f->failure, RESHED_EINVAL, "place of a panel|within %d x %d|%d+%d, %d+%d", f->rows,
                f->columns, row, row_span, column, column_span);
        return NULL;
    }
    if (f->n == f->capacity) {
        size_t more = f->capacity ? 2 * (size_t)f->capacity : 8;
        rs_panel **grown = rs_regrow(f->panel, (size_t)f->n, more, sizeof *grown);
        if (!grown) {
            no_memory(f, more * sizeof *grown);
            return NULL;
        }
        f->panel = grown;
        f->capacity = (int)more;
    }
    rs_panel *p = rs_zalloc(1, sizeof *p);
    if (!p) {
        no_memory(f, sizeof *p);
        return NULL;
    }
    p->figure = f;
    p->row = row;
    p->column = column;
    p->row_span = row_span;
    p->column_span = column_span;
    set_text(f, &p->title, "");
    set_text(f, &p->x.name, "");
    set_text(f, &p->x.unit, "");
    set_text(f, &p->y.name, "");
    set_text(f, &p->y.unit, "");
    if (!sound(f)) {
        panel_free(p);
        return NULL;
    }
    return f->panel[f->n++] = p;
}

reshed_status rs_figure_draw(rs_figure *f, rs_rgb8 *out, reshed_error *err)
{
    rs_canvas c = {0};
    if (!sound(f)) {
        if (err) *err = f->failure;
        return f->failure.status;
    }
    reshed_status st = rs_canvas_open(&c, f->width, f->height, f->pixels, err);
    if (st != RESHED_OK) return st;
    st = rs_plot_draw_figure(f, &c, err);
    if (st == RESHED_OK) st = rs_canvas_picture(&c, out, err);
    rs_canvas_close(&c);
    return st;
}

reshed_status rs_figure_document(rs_figure *f, rs_document_kind kind, uint8_t **data, size_t *len,
                                 reshed_error *err)
{
    rs_canvas c = {0};
    rs_document d;
    if (!sound(f)) {
        if (err) *err = f->failure;
        return f->failure.status;
    }
    reshed_status st = rs_canvas_open_document(&c, &d, kind, f->width, f->height, f->points, err);
    if (st != RESHED_OK) return st;
    st = rs_plot_draw_figure(f, &c, err);
    if (st == RESHED_OK) {
        st = rs_canvas_finish_document(&c, &d, data, len, err);
        rs_canvas_close(&c);
    } else {
        rs_canvas_close(&c); /* before the bytes that it may still write */
        rs_free(d.data);
    }
    return st;
}

/* --------------------------------------------------------------------------------------- panels */

void rs_panel_title(rs_panel *p, const char *text)
{
    if (p) set_text(p->figure, &p->title, text);
}

void rs_panel_x_axis(rs_panel *p, const char *name, const char *unit)
{
    if (!p) return;
    set_text(p->figure, &p->x.name, name);
    set_text(p->figure, &p->x.unit, unit);
}

void rs_panel_y_axis(rs_panel *p, const char *name, const char *unit)
{
    if (!p) return;
    set_text(p->figure, &p->y.name, name);
    set_text(p->figure, &p->y.unit, unit);
}

static void set_limits(rs_panel *p, rs_plot_axis *a, double lo, double hi)
{
    if (!(fabs(lo) <= LARGEST_VALUE && fabs(hi) <= LARGEST_VALUE && lo < hi)) {
        if (sound(p->figure))
            rs_fail(&p->figure->failure, RESHED_EINVAL, "limits of an axis|LO < HI|%g, %g", lo, hi);
        return;
    }
    a->fixed = true;
    a->lo = lo;
    a->hi = hi;
}

void rs_panel_x_limits(rs_panel *p, double lo, double hi)
{
    if (p) set_limits(p, &p->x, lo, hi);
}

void rs_panel_y_limits(rs_panel *p, double lo, double hi)
{
    if (p) set_limits(p, &p->y, lo, hi);
}

void rs_panel_equal_aspect(rs_panel *p)
{
    if (p) p->equal_aspect = true;
}

void rs_panel_scale_bar(rs_panel *p)
{
    if (p) p->scale_bar = true;
}

void rs_panel_grid(rs_panel *p)
{
    if (p) p->grid = true;
}

/* ---------------------------------------------------------------------------------------- data */

/* A new item (borrowed until the next add) with a copy of the label; NULL on failure. */
static rs_plot_item *add(rs_panel *p, rs_plot_kind kind, size_t n, const char *label)
{
    if (!p || !sound(p->figure)) return NULL;
    if (p->n == p->capacity) {
        size_t more = p->capacity ? 2 * (size_t)p->capacity : 16;
        rs_plot_item *grown = rs_regrow(p->item, (size_t)p->n, more, sizeof *grown);
        if (!grown) {
            no_memory(p->figure, more * sizeof *grown);
            return NULL;
        }
        p->item = grown;
        p->capacity = (int)more;
    }
    rs_plot_item *it = &p->item[p->n++];
    memset(it, 0, sizeof *it);
    it->kind = kind;
    it->n = n;
    it->style.opacity = 1;
    set_text(p->figure, &it->label, label);
    return sound(p->figure) ? it : NULL;
}

static double *copy_values(rs_panel *p, const double *v, size_t n)
{
    double *copy = rs_alloc(n, sizeof *copy);
    if (!copy)
        no_memory(p->figure, n * sizeof *copy);
    else if (n)
        memcpy(copy, v, n * sizeof *copy);
    return copy;
}

static void set_style(rs_panel *p, rs_plot_item *it, const rs_style *style)
{
    it->style = *style;
    if (it->style.opacity == 0) it->style.opacity = 1;
    if (it->style.marker_size == 0) it->style.marker_size = 6;
    if (!(it->style.opacity > 0 && it->style.opacity <= 1))
        invalid(p->figure, "opacity", "0 to 1", it->style.opacity);
    if (!(it->style.width >= 0 && it->style.width <= 100))
        invalid(p->figure, "width of a line", "0 to 100 pixels", it->style.width);
    if (!(it->style.marker_size > 0 && it->style.marker_size <= 200))
        invalid(p->figure, "size of a marker", "0 to 200 pixels", it->style.marker_size);
}

void rs_panel_line(rs_panel *p, const double *x, const double *y, size_t n, const rs_style *style,
                   const char *label)
{
    rs_plot_item *it = add(p, RS_PLOT_LINE, n, label);
    if (!it) return;
    it->x = copy_values(p, x, n);
    it->y = copy_values(p, y, n);
    set_style(p, it, style);
}

void rs_panel_loop(rs_panel *p, const double *x, const double *y, size_t n, const rs_style *style,
                   const char *label)
{
    const double last_x[2] = {x[n - 1], x[0]}, last_y[2] = {y[n - 1], y[0]};
    rs_style plain = *style;
    plain.marker = RS_MARKER_NONE;
    rs_panel_line(p, x, y, n, style, label);
    rs_panel_line(p, last_x, last_y, 2, &plain, NULL);
}

void rs_panel_band(rs_panel *p, const double *x, const double *low, const double *high, size_t n,
                   uint32_t colour, double opacity, const char *label)
{
    rs_plot_item *it = add(p, RS_PLOT_BAND, n, label);
    if (!it) return;
    it->x = copy_values(p, x, n);
    it->y = copy_values(p, low, n);
    it->y2 = copy_values(p, high, n);
    set_style(p, it, &(rs_style){.colour = colour, .opacity = opacity});
}

void rs_panel_bars(rs_panel *p, const double *x, const double *height, size_t n, double width,
                   uint32_t colour, double opacity, const char *label)
{
    rs_plot_item *it = add(p, RS_PLOT_BARS, n, label);
    if (!it) return;
    if (!(width > 0 && width <= LARGEST_VALUE))
        invalid(p->figure, "width of a bar", "above 0", width);
    it->bar_width = width;
    it->x = copy_values(p, x, n);
    it->y = copy_values(p, height, n);
    set_style(p, it, &(rs_style){.colour = colour, .opacity = opacity});
}

/* Bins of width 2 (interquartile range) / n^(1/3) between lo and hi (Freedman and Diaconis 1981),
 * 5 to 200 of them. sorted[n], n > 0. */
static int bins_of(const double *sorted, size_t n, double lo, double hi)
{
    double quartiles = rs_sorted_step(sorted, n, 0.75) - rs_sorted_step(sorted, n, 0.25);
    double width = 2 * quartiles / cbrt((double)n), bins = (hi - lo) / width;
    return bins > 200 ? 200 : bins >= 5 ? (int)ceil(bins) : 5; /* 5 also for NaN */
}

void rs_panel_histogram(rs_panel *p, const double *values, size_t n, int bins, double lo, double hi,
                        uint32_t colour, double opacity, const char *label)
{
    if (!p || !sound(p->figure)) return;
    if (bins < 0 || bins > 10000 || !(fabs(lo) <= LARGEST_VALUE && fabs(hi) <= LARGEST_VALUE) ||
        lo > hi) {
        invalid(p->figure, "bins of a histogram", "0 to 10000, lo <= hi", bins);
        return;
    }
    size_t k = 0;
    double *v = copy_values(p, values, n), *x = NULL, *count = NULL;
    if (!v) return;
    for (size_t i = 0; i < n; i++)
        if (fabs(v[i]) <= LARGEST_VALUE) v[k++] = v[i];
    if (k == 0) goto done;
    rs_sort(v, k);
    if (lo == hi) lo = v[0], hi = v[k - 1];
    if (lo == hi) lo -= lo != 0 ? fabs(lo) / 2 : 0.5, hi += hi != 0 ? fabs(hi) / 2 : 0.5;
    if (bins == 0) bins = bins_of(v, k, lo, hi);
    x = rs_alloc((size_t)bins, sizeof *x);
    count = rs_zalloc((size_t)bins, sizeof *count);
    if (!x || !count) {
        no_memory(p->figure, 2 * (size_t)bins * sizeof *x);
        goto done;
    }
    double width = (hi - lo) / bins;
    for (int b = 0; b < bins; b++) x[b] = lo + (b + 0.5) * width;
    for (size_t i = 0; i < k; i++) {
        if (v[i] < lo || v[i] > hi) continue;
        int b = (int)((v[i] - lo) / width);
        count[b < bins ? b : bins - 1]++; /* the last bin holds its upper edge */
    }
    rs_panel_bars(p, x, count, (size_t)bins, width, colour, opacity, label);
done:
    rs_free(v);
    rs_free(x);
    rs_free(count);
}

static void set_scale(rs_panel *p, rs_plot_item *it, const rs_colour_scale *scale)
{
    it->scale = *scale;
    it->scale.name = it->scale.unit = NULL;
    set_text(p->figure, &it->scale_unit, scale->unit);
    if (scale->name) set_text(p->figure, &it->scale_name, scale->name);
    if (!(fabs(scale->lo) <= LARGEST_VALUE && fabs(scale->hi) <= LARGEST_VALUE) ||
        scale->lo > scale->hi)
        invalid(p->figure, "range of colours", "lo <= hi", scale->lo);
}

void rs_panel_image(rs_panel *p, const float *values, int height, int width, double x0, double x1,
                    double y0, double y1, const rs_colour_scale *scale)
{
    rs_plot_item *it = add(p, RS_PLOT_IMAGE, 0, NULL);
    if (!it) return;
    if (height < 1 || width < 1 || height > 16384 || width > 16384) {
        invalid(p->figure, "side of an image", "1 to 16384", height < 1 ? height : width);
        return;
    }
    if (!(fabs(x0) <= LARGEST_VALUE && fabs(x1) <= LARGEST_VALUE && x0 < x1 &&
          fabs(y0) <= LARGEST_VALUE && fabs(y1) <= LARGEST_VALUE && y0 < y1)) {
        invalid(p->figure, "frame of an image", "x0 < x1, y0 < y1", x0);
        return;
    }
    it->n = (size_t)height * (size_t)width;
    it->height = height;
    it->width = width;
    it->x0 = x0;
    it->x1 = x1;
    it->y0 = y0;
    it->y1 = y1;
    set_scale(p, it, scale);
    it->image = rs_alloc(it->n, sizeof *it->image);
    if (!it->image)
        no_memory(p->figure, it->n * sizeof *it->image);
    else
        memcpy(it->image, values, it->n * sizeof *it->image);
    p->equal_aspect = true;
}

void rs_panel_scatter(rs_panel *p, const double *x, const double *y, const double *values, size_t n,
                      double marker_size, const rs_colour_scale *scale)
{
    rs_plot_item *it = add(p, RS_PLOT_SCATTER, n, NULL);
    if (!it) return;
    it->x = copy_values(p, x, n);
    it->y = copy_values(p, y, n);
    it->y2 = copy_values(p, values, n);
    set_style(p, it, &(rs_style){.marker_size = marker_size});
    set_scale(p, it, scale);
}

/* --------------------------------------------------------------------------------- annotations */

static void add_mark(rs_panel *p, rs_plot_kind kind, const double *x, const double *y, size_t n,
                     const rs_style *style, const char *label)
{
    for (size_t i = 0; p && i < n; i++)
        if (!(fabs(x[i]) <= LARGEST_VALUE && fabs(y[i]) <= LARGEST_VALUE)) {
            invalid(p->figure, "place of an annotation", "finite", x[i]);
            return;
        }
    rs_plot_item *it = add(p, kind, n, label);
    if (!it) return;
    it->x = copy_values(p, x, n);
    it->y = copy_values(p, y, n);
    set_style(p, it, style);
}

void rs_panel_vertical(rs_panel *p, double x, const rs_style *style, const char *label)
{
    add_mark(p, RS_PLOT_VERTICAL, &x, &(double){0}, 1, style, label);
}

void rs_panel_horizontal(rs_panel *p, double y, const rs_style *style, const char *label)
{
    add_mark(p, RS_PLOT_HORIZONTAL, &(double){0}, &y, 1, style, label);
}

void rs_panel_arrow(rs_panel *p, double x0, double y0, double x1, double y1, uint32_t colour,
                    const char *label)
{
    const double x[2] = {x0, x1}, y[2] = {y0, y1};
    add_mark(p, RS_PLOT_ARROW, x, y, 2, &(rs_style){.colour = colour, .width = 1.5}, label);
}

void rs_panel_text(rs_panel *p, double x, double y, uint32_t colour, const char *text)
{
    add_mark(p, RS_PLOT_TEXT, &x, &y, 1, &(rs_style){.colour = colour}, text);
}

void rs_panel_note(rs_panel *p, const char *text)
{
    add_mark(p, RS_PLOT_NOTE, NULL, NULL, 0, &(rs_style){.colour = RS_BLACK}, text);
}
