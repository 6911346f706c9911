/* The size of the frames depends on the room that tick labels need, and the ticks depend on the
 * size of the frames; so the layout starts from guessed margins and goes round three times, which
 * settles. Panels of one column share their left and right margins, panels of one row their upper
 * and lower ones, so that frames line up. */
#include "imgproc/figures/plot_layout.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/statistics.h"

#define MARGIN 0.05 /* of the data's range, left free at both ends */

/* ---------------------------------------------------------------------------------- the colours */

static reshed_status find_scale(rs_plot_item *it, reshed_error *err)
{
    static const double percent[4] = {0, 1, 99, 100};
    double p[4] = {0, 0, 1, 1};
    size_t k = 0;
    float *v = rs_alloc(it->n, sizeof *v);
    if (!v) return rs_fail_nomem(err, "a range of colours", it->n * sizeof *v);
    for (size_t i = 0; i < it->n; i++) {
        float value = it->image ? it->image[i] : (float)it->y2[i];
        if (isfinite(value)) v[k++] = value;
    }
    reshed_status st = k ? rs_percentiles(v, k, percent, 4, p, err) : RESHED_OK;
    rs_free(v);
    if (st != RESHED_OK) return st;
    it->lo = it->scale.lo;
    it->hi = it->scale.hi;
    if (it->lo == it->hi) {
        it->lo = p[1];
        it->hi = p[2];
        if (it->scale.map == RS_MAP_DIVERGING) {
            it->hi = fmax(fabs(p[1]), fabs(p[2]));
            it->lo = -it->hi;
        }
        if (it->lo == it->hi) { /* constant, but for a few */
            double half = it->lo != 0 ? 0.5 * fabs(it->lo) : 0.5;
            it->lo -= half;
            it->hi += half;
        }
    }
    it->below = p[0] < it->lo && it->scale.map != RS_MAP_CYCLIC;
    it->above = p[3] > it->hi && it->scale.map != RS_MAP_CYCLIC;
    return RESHED_OK;
}

/* ----------------------------------------------------------------------------------- the limits */

typedef struct range {
    double lo, hi;
    bool any;
} range;

static void include(range *r, double v)
{
    if (!(fabs(v) <= 1e300)) return;
    r->lo = r->any ? fmin(r->lo, v) : v;
    r->hi = r->any ? fmax(r->hi, v) : v;
    r->any = true;
}

static void item_ranges(const rs_plot_item *it, const rs_plot_axis *ax, range *x, range *y)
{
    if (it->kind == RS_PLOT_IMAGE) {
        include(x, it->x0);
        include(x, it->x1);
        include(y, it->y0);
        include(y, it->y1);
        return;
    }
    for (size_t i = 0; i < it->n; i++) {
        bool shown = !ax->fixed || (it->x[i] >= ax->lo && it->x[i] <= ax->hi);
        double half = it->kind == RS_PLOT_BARS ? it->bar_width / 2 : 0;
        if (it->kind != RS_PLOT_HORIZONTAL) {
            include(x, it->x[i] - half);
            include(x, it->x[i] + half);
        }
        if (it->kind == RS_PLOT_VERTICAL || !shown) continue;
        include(y, it->y[i]);
        if (it->kind == RS_PLOT_BAND) include(y, it->y2[i]);
        if (it->kind == RS_PLOT_BARS) include(y, 0);
    }
}

static void settle(const rs_plot_axis *a, range r, bool tight_low, bool tight, double *lo,
                   double *hi)
{
    if (a->fixed) {
        *lo = a->lo;
        *hi = a->hi;
        return;
    }
    if (!r.any) r.lo = 0, r.hi = 1;
    double span = r.hi - r.lo;
    if (!(span > 1e-12 * fmax(fabs(r.lo), fabs(r.hi)))) { /* one value */
        double half = r.lo != 0 ? 0.1 * fabs(r.lo) : 1;
        *lo = r.lo - half;
        *hi = r.hi + half;
        return;
    }
    *lo = tight || tight_low ? r.lo : r.lo - MARGIN * span;
    *hi = tight ? r.hi : r.hi + MARGIN * span;
}

static void find_limits(const rs_panel *p, double headroom, rs_plot_place *q)
{
    range x = {0, 0, false}, y = x, image_x = x, image_y = x;
    bool images = false, bars = false;
    for (int i = 0; i < p->n; i++) {
        const rs_plot_item *it = &p->item[i];
        images |= it->kind == RS_PLOT_IMAGE;
        bars |= it->kind == RS_PLOT_BARS;
        if (it->kind == RS_PLOT_IMAGE)
            item_ranges(it, &p->x, &image_x, &image_y);
        else
            item_ranges(it, &p->x, &x, &y);
    }
    settle(&p->x, images ? image_x : x, false, images, &q->x_lo, &q->x_hi);
    settle(&p->y, images ? image_y : y, bars && y.any && y.lo >= 0, images, &q->y_lo, &q->y_hi);
    if (!p->y.fixed && !images) q->y_hi += (q->y_hi - q->y_lo) * headroom / (1 - headroom);
}

/* ------------------------------------------------------------------------------------ the ticks */

static double widest_label(rs_canvas *c, const rs_text *t, const rs_ticks *ticks)
{
    double widest = 0;
    char s[64];
    for (int i = 0; i < ticks->n; i++)
        widest = fmax(widest, rs_text_width(c, t, rs_ticks_label(ticks, i, s, sizeof s)));
    return widest;
}

/* Makes as many ticks as have room along an axis of `length`, labels side by side or one above the
 * other, at most one to each `apart` of the font size. */
static void find_ticks(rs_canvas *c, const rs_text *t, double lo, double hi, const char *unit,
                       double length, bool horizontal, double apart, rs_ticks *out)
{
    int most = (int)(length / (apart * t->size));
    most = most > 10 ? 10 : most < 2 ? 2 : most;
    for (;; most--) {
        rs_ticks_make(lo, hi, most, unit, out);
        double room = length * out->step / (hi - lo);
        double need = horizontal ? widest_label(c, t, out) + 0.8 * t->size : 1.3 * t->size;
        if (need <= room || most == 2) return;
    }
}

void rs_plot_axis_text(const char *name, const rs_ticks *ticks, char *buf, size_t n)
{
    const char *u = ticks->unit;
    snprintf(buf, n, "%s%s%s%s%s", name, *name && *u ? " " : "", *u ? "(" : "", u, *u ? ")" : "");
}

/* --------------------------------------------------------------------------- margins and frames */

typedef struct margins {
    double left, right, top, bottom;
} margins;

static void ticks_for_box(const rs_panel *p, rs_canvas *c, const rs_text *t, rs_plot_place *q)
{
    if (p->scale_bar) {
        memset(&q->x_ticks, 0, sizeof q->x_ticks);
        memset(&q->y_ticks, 0, sizeof q->y_ticks);
        q->y_labels = 0;
    } else {
        find_ticks(c, t, q->x_lo, q->x_hi, p->x.unit, q->box.w, true, 2.2, &q->x_ticks);
        find_ticks(c, t, q->y_lo, q->y_hi, p->y.unit, q->box.h, false, 2.2, &q->y_ticks);
        q->y_labels = widest_label(c, t, &q->y_ticks);
    }
    if (!q->bar) return;
    find_ticks(c, t, q->bar->lo, q->bar->hi, q->bar->scale_unit, q->box.h, false, 3.5,
               &q->bar_ticks);
    q->bar_labels = widest_label(c, t, &q->bar_ticks);
}

static margins margins_of(const rs_panel *p, const rs_plot_place *q, double f)
{
    double tick = (RS_PLOT_TICK + RS_PLOT_GAP) * f;
    margins m = {.left = tick + q->y_labels, .right = 0.9 * f, .top = 0.5 * f};
    m.bottom = tick + 0.75 * f;
    if (p->scale_bar) m.left = m.bottom = 0.3 * f;
    if (!p->scale_bar && (*p->y.name || *q->y_ticks.unit)) m.left += (1.25 + RS_PLOT_GAP) * f;
    if (!p->scale_bar && (*p->x.name || *q->x_ticks.unit)) m.bottom += (1.05 + RS_PLOT_GAP) * f;
    if (*p->title || (p->figure->letters && p->figure->n > 1)) m.top = 1.8 * f;
    if (q->bar) {
        m.right = (RS_PLOT_BAR_GAP + RS_PLOT_BAR_WIDTH + 0.3) * f + tick + q->bar_labels;
        if (*q->bar->scale_name || *q->bar_ticks.unit) m.right += (1.25 + RS_PLOT_GAP) * f;
    }
    return m;
}

/* Returns where the k-th of n cells over `length` pixels starts, in proportion to their weights. */
static double cell_start(const double *weight, int n, int k, double length, double gap)
{
    double sum = 0, before = 0;
    for (int i = 0; i < n; i++) {
        sum += weight[i];
        if (i < k) before += weight[i];
    }
    return (length - gap * (n - 1)) * before / sum + gap * k;
}

/* Sets the frame of a panel of true proportions, in the middle of the room there is. */
static void keep_aspect(rs_plot_place *q)
{
    double scale = fmin(q->box.w / (q->x_hi - q->x_lo), q->box.h / (q->y_hi - q->y_lo));
    double w = scale * (q->x_hi - q->x_lo), h = scale * (q->y_hi - q->y_lo);
    q->box.x += (q->box.w - w) / 2;
    q->box.y += (q->box.h - h) / 2;
    q->box.w = w;
    q->box.h = h;
}

/* Maps side by side have one size: all take the widest margins. */
static void share_margins(const rs_figure *f, margins *m)
{
    margins widest = {0};
    for (int i = 0; i < f->n; i++) {
        if (!f->panel[i]->scale_bar) return;
        widest.left = fmax(widest.left, m[i].left);
        widest.right = fmax(widest.right, m[i].right);
        widest.top = fmax(widest.top, m[i].top);
        widest.bottom = fmax(widest.bottom, m[i].bottom);
    }
    for (int i = 0; i < f->n; i++) m[i] = widest;
}

static void place_boxes(const rs_figure *f, const margins *m, double font, rs_plot_place *place)
{
    margins shared[RS_PLOT_MAX_CELLS] = {{0}}; /* left, right by column; top, bottom by row */
    double pad = 0.6 * font, gap = 0.8 * font, top = pad + (*f->title ? 2 * font : 0);
    for (int i = 0; i < f->n; i++) {
        const rs_panel *p = f->panel[i];
        double *left = &shared[p->column].left;
        double *right = &shared[p->column + p->column_span - 1].right;
        double *upper = &shared[p->row].top, *lower = &shared[p->row + p->row_span - 1].bottom;
        *left = fmax(*left, m[i].left);
        *right = fmax(*right, m[i].right);
        *upper = fmax(*upper, m[i].top);
        *lower = fmax(*lower, m[i].bottom);
    }
    for (int i = 0; i < f->n; i++) {
        const rs_panel *p = f->panel[i];
        int end_column = p->column + p->column_span, end_row = p->row + p->row_span;
        double w = f->width - 2 * pad, h = f->height - top - pad;
        double x0 = cell_start(f->column_weight, f->columns, p->column, w, gap);
        double x1 = cell_start(f->column_weight, f->columns, end_column, w, gap) - gap;
        double y0 = cell_start(f->row_weight, f->rows, p->row, h, gap);
        double y1 = cell_start(f->row_weight, f->rows, end_row, h, gap) - gap;
        rs_plot_box *b = &place[i].box;
        b->x = pad + x0 + shared[p->column].left;
        b->y = top + y0 + shared[p->row].top;
        b->w = fmax(pad + x1 - shared[end_column - 1].right - b->x, 2 * font);
        b->h = fmax(top + y1 - shared[end_row - 1].bottom - b->y, 2 * font);
        if (p->equal_aspect) keep_aspect(&place[i]);
    }
}

reshed_status rs_plot_layout(rs_figure *f, rs_canvas *c, const double *headroom,
                             rs_plot_place *place, double *font, reshed_error *err)
{
    double cell_w = f->width / f->columns, cell_h = f->height / f->rows;
    *font = f->font > 0 ? f->font : fmin(fmax(round(fmin(cell_w / 28, cell_h / 22)), 9), 15);
    rs_text t = {.size = *font};
    margins *m = rs_alloc((size_t)f->n, sizeof *m);
    reshed_status st = m ? RESHED_OK : rs_fail_nomem(err, "a figure", (size_t)f->n * sizeof *m);
    for (int i = 0; st == RESHED_OK && i < f->n; i++) {
        rs_panel *p = f->panel[i];
        memset(&place[i], 0, sizeof place[i]);
        for (int k = 0; st == RESHED_OK && k < p->n; k++) {
            rs_plot_item *it = &p->item[k];
            if (it->kind != RS_PLOT_IMAGE && it->kind != RS_PLOT_SCATTER) continue;
            st = find_scale(it, err);
            if (f->recoloured && (it->scale.map == RS_MAP_VIRIDIS || it->scale.map == RS_MAP_MAGMA))
                it->scale.map = f->colours;
            if (it->scale_name) place[i].bar = it;
        }
        find_limits(p, headroom[i], &place[i]);
        m[i] = (margins){4 * *font, 1 * *font, 2 * *font, 3 * *font};
    }
    for (int round = 0; st == RESHED_OK && round < 3; round++) {
        place_boxes(f, m, *font, place);
        for (int i = 0; i < f->n; i++) {
            ticks_for_box(f->panel[i], c, &t, &place[i]);
            m[i] = margins_of(f->panel[i], &place[i], *font);
        }
        share_margins(f, m);
    }
    if (st == RESHED_OK) place_boxes(f, m, *font, place);
    rs_free(m);
    return st;
}
