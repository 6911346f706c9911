#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "beps/loop.h"
#include "beps/metrics.h"
#include "base/statistics.h"
#include "imgproc/figures/plot.h"
#include "report/overlay.h"
#include "report/sections.h"

enum { PICKED = 5 };

/* The loops of the session, in the shape that this section needs. The sweep is empty where the
 * voltages are no loop. */
typedef struct loops {
    const rs_report_data *d;
    const double *v; /* [steps] of one cycle */
    rs_sweep sweep;
    uint8_t *skip;     /* [points][steps] samples that stand away from their loop */
    double *work;      /* [points + 3*steps + rs_metric_work] */
    double *mean, *sd; /* [steps] over the trusted loops */
    double *x, *y;     /* [points] m, in the frame, y up */
} loops;

static void loops_clear(loops *l)
{
    rs_sweep_clear(&l->sweep);
    rs_free(l->skip);
    rs_free(l->work);
    rs_free(l->mean);
    rs_free(l->sd);
    rs_free(l->x);
    rs_free(l->y);
}

/* Mean and standard deviation of each step, failed samples left out. */
static void average(loops *l)
{
    const rs_report_data *d = l->d;
    for (int i = 0; i < d->steps; i++) {
        double n = 0, mean = 0, sum = 0;
        for (int k = 0; k < d->progress.points; k++) {
            size_t at = (size_t)k * (size_t)d->steps + (size_t)i;
            if (!d->trusted[k] || l->skip[at] || !isfinite(d->response[at])) continue;
            double delta = d->response[at] - mean;
            mean += delta / ++n;
            sum += delta * (d->response[at] - mean);
        }
        l->mean[i] = n > 0 ? mean : NAN;
        l->sd[i] = n > 1 ? sqrt(sum / (n - 1)) : 0;
    }
}

static reshed_status loops_take(const rs_report_data *d, loops *l, reshed_error *err)
{
    size_t points = (size_t)d->progress.points, steps = (size_t)d->steps;
    *l = (loops){.d = d, .v = d->setup->spectroscopy.voltage};
    l->skip = rs_zalloc(points * steps, sizeof *l->skip);
    l->work = rs_alloc(points + 3 * steps + rs_metric_work(d->steps), sizeof *l->work);
    l->mean = rs_alloc(steps, sizeof *l->mean);
    l->sd = rs_alloc(steps, sizeof *l->sd);
    l->x = rs_alloc(points, sizeof *l->x);
    l->y = rs_alloc(points, sizeof *l->y);
    if (!l->skip || !l->work || !l->mean || !l->sd || !l->x || !l->y)
        return rs_fail_nomem(err, "loops", points * steps);
    reshed_status st = rs_sweep_create(l->v, d->steps, &l->sweep, err);
    if (st != RESHED_OK && st != RESHED_EUNSUPPORTED && st != RESHED_EINVAL) return st;
    for (size_t k = 0; k < points; k++) {
        if (l->sweep.n && d->loop[k])
            rs_loop_spikes(&l->sweep, d->response + k * steps, l->skip + k * steps, l->work);
        l->x[k] = (d->point[k].col + 0.5) * (d->dx > 0 ? d->dx : 1);
        l->y[k] = (d->rows - 0.5 - d->point[k].row) * (d->dx > 0 ? d->dy : 1);
        if (!isfinite(l->x[k]) || !isfinite(l->y[k])) l->x[k] = l->y[k] = NAN;
    }
    average(l);
    return RESHED_OK;
}

/* ------------------------------------------------------------------------------------- one loop */
/* A closed line through the samples that count. */
static void draw_loop(rs_panel *p, const loops *l, const double *y, const uint8_t *skip,
                      const rs_style *style, double *work)
{
    int n = l->d->steps;
    for (int i = 0; i < n; i++) work[i] = skip && skip[i] ? NAN : y[i];
    if (l->sweep.n)
        rs_panel_loop(p, l->v, work, (size_t)n, style, NULL);
    else
        rs_panel_line(p, l->v, work, (size_t)n, style, NULL);
}

/* Draws the width at the mid level of a loop as an arrow and returns it; NaN where the loop has
 * none. */
static double draw_width(rs_panel *p, const loops *l, const double *y, const uint8_t *skip,
                         bool named)
{
    double m[RS_METRIC_COUNT];
    char text[64];
    rs_metric_options o;
    if (!l->sweep.n) return NAN;
    rs_metric_defaults(&o);
    o.fit = false;
    const bool closed = rs_loop_closes(&l->sweep, y, skip, NULL, NULL, l->work);
    rs_metrics_compute(&l->sweep, y, skip, closed, &o, l->work, m, NULL);
    if (!isfinite(m[RS_M_WIDTH_MID]) || !isfinite(m[RS_M_LEVEL_MID])) return NAN;
    snprintf(text, sizeof text, "%s%.2f V", named ? "width " : "", m[RS_M_WIDTH_MID]);
    rs_panel_arrow(p, m[RS_M_V_MINUS_MID], m[RS_M_LEVEL_MID], m[RS_M_V_PLUS_MID], m[RS_M_LEVEL_MID],
                   RS_VERMILION, text);
    return m[RS_M_WIDTH_MID];
}

static void name_axes(rs_panel *p, const loops *l)
{
    rs_panel_x_axis(p, "Bias", "V");
    rs_panel_y_axis(p, "Piezoresponse", l->d->response_unit);
    rs_panel_grid(p);
}

/* One standard deviation to either side, a band for each branch. */
static void draw_spread(rs_panel *p, const loops *l, double *work)
{
    const rs_sweep *s = &l->sweep;
    for (int branch = 0; branch < 2; branch++) {
        const int *at = branch ? s->desc : s->asc;
        size_t n = (size_t)(branch ? s->n_desc : s->n_asc), steps = (size_t)l->d->steps;
        for (size_t i = 0; i < n; i++) {
            work[i] = l->v[at[i]];
            work[steps + i] = l->mean[at[i]] - l->sd[at[i]];
            work[2 * steps + i] = l->mean[at[i]] + l->sd[at[i]];
        }
        rs_panel_band(p, work, work + steps, work + 2 * steps, n, RS_SKY, 0.35,
                      branch ? NULL : "\302\261 1 standard deviation of the loops");
    }
}

/* Mean of the trusted loops on field, beside the off-field one. */
static void draw_on_field(rs_panel *p, const loops *l, double *work)
{
    const rs_report_data *d = l->d;
    const size_t steps = (size_t)d->steps;
    double *mean = work, *drawn = work + steps;
    for (size_t i = 0; i < steps; i++) {
        double sum = 0;
        int n = 0;
        for (size_t k = 0; k < (size_t)d->progress.points; k++) {
            const double y = d->on_field[k * steps + i];
            if (!d->trusted[k] || !isfinite(y)) continue;
            sum += y;
            n++;
        }
        mean[i] = n ? sum / n : NAN;
    }
    rs_style line = {
        .colour = RS_VERMILION, .width = 2.2, .marker = RS_MARKER_DISC, .marker_size = 5};
    name_axes(p, l);
    draw_loop(p, l, mean, NULL, &line, drawn);
    rs_panel_title(p, "On field");
}

/* Returns the width of the averaged loop, NaN where it has none. */
static double put_average(rs_page *page, loops *l)
{
    const rs_report_data *d = l->d;
    rs_figure *f = NULL;
    reshed_error err = {0};
    char caption[256];
    const int panels = d->on_field ? 2 : 1;
    reshed_status st =
        rs_figure_create(panels * (d->on_field ? 620 : 900), 560, 1, panels, &f, &err);
    rs_page_fail(page, st, &err);
    if (st != RESHED_OK) return NAN;
    rs_panel *p = rs_figure_panel(f, 0, 0, 1, 1);
    name_axes(p, l);
    if (d->on_field) {
        rs_panel_title(p, "Off field");
        draw_on_field(rs_figure_panel(f, 0, 1, 1, 1), l, l->work);
    }
    /* draw_width uses the first part of work for itself: it comes after what is copied. */
    if (l->sweep.n && d->trusted_loops > 1) draw_spread(p, l, l->work);
    rs_style line = {.colour = RS_BLUE, .width = 2.2, .marker = RS_MARKER_DISC, .marker_size = 5};
    draw_loop(p, l, l->mean, NULL, &line, l->work);
    double width = draw_width(p, l, l->mean, NULL, true);
    int used = snprintf(caption, sizeof caption, "Averaged %s loop of %d of %d measured points",
                        d->field ? "off-field" : "on-field", d->trusted_loops, d->loops);
    if (isfinite(width) && used > 0 && (size_t)used < sizeof caption)
        snprintf(caption + used, sizeof caption - (size_t)used,
                 "; width %.2f V at the middle of its height%s", width,
                 d->on_field ? "; beside it the mean on field of the same points" : "");
    rs_page_figure(page, f, RS_PAGE_SVG, d->on_field ? 1130 : 760, caption);
    return width;
}

/* Says how the averaged loop's width and the median of the loops' widths go together. */
static void put_two_widths(rs_page *page, const loops *l, double averaged)
{
    const double *width = rs_report_metric(l->d, RS_REPORT_WIDTH);
    if (!width || !isfinite(averaged)) return;
    const double median = rs_median(width, (size_t)l->d->progress.points, l->work);
    if (!isfinite(median)) return;
    rs_page_raw(page, "<p>The averaged loop is ");
    rs_page_quantity(page, averaged, 3, "V");
    rs_page_raw(page, " wide, the median of the loops' own widths is ");
    rs_page_quantity(page, median, 3, "V");
    rs_page_raw(page, fabs(averaged - median) > 0.05 * fabs(median)
                          ? ". They differ because loops that switch at different biases, or have "
                            "responses of different size, add up to branches with a slope, whose "
                            "middle is no loop's own. Maps, table and tests take each loop by "
                            "itself.</p>\n"
                          : ".</p>\n");
}

/* Counts the loops that are left out by each reason; one may have several. */
static void put_left_out(rs_page *page, const rs_report_data *d)
{
    bool any = false;
    if (d->trusted_loops == d->loops) return;
    rs_page_format(page, "<p>Left out of averages, maps and statistics: %d of %d loops",
                   d->loops - d->trusted_loops, d->loops);
    for (int b = 0; b < RS_LOOP_FLAGS; b++) {
        if (d->of_flag[b] < 1) continue;
        rs_page_format(page, "%s%d <code>%s</code>", any ? ", " : ": ", d->of_flag[b],
                       rs_loop_flag_name(b));
        any = true;
    }
    rs_page_raw(page, any ? " (a loop may have several reasons, which the session file explains)"
                            ".</p>\n"
                          : ".</p>\n");
}

/* ----------------------------------------------------------------------------------------- maps */
static int finite_values(const double *x, int n)
{
    int k = 0;
    for (int i = 0; i < n; i++) k += isfinite(x[i]) != 0;
    return k;
}

/* The amplitude in grey, brightened so that coloured points stand out. */
static void draw_background(rs_page *page, rs_panel *p, const rs_report_data *d)
{
    double lo, hi;
    reshed_error err = {0};
    reshed_status st = rs_report_robust_range(d->map[RS_SESSION_AMPLITUDE],
                                              (size_t)d->rows * (size_t)d->cols, &lo, &hi, &err);
    rs_page_fail(page, st, &err);
    if (st != RESHED_OK) return;
    const rs_colour_scale grey = {.map = RS_MAP_GREY, .lo = lo - 0.6 * (hi - lo), .hi = hi};
    double dx = d->dx > 0 ? d->dx : 1, dy = d->dx > 0 ? d->dy : 1;
    rs_panel_image(p, d->map[RS_SESSION_AMPLITUDE], d->rows, d->cols, 0, d->cols * dx, 0,
                   d->rows * dy, &grey);
    rs_panel_x_axis(p, "x", d->dx > 0 ? "m" : "px");
    rs_panel_y_axis(p, "y", d->dx > 0 ? "m" : "px");
}

static double mark_size(const rs_report_data *d)
{
    return d->progress.points < 150 ? 12 : d->progress.points < 600 ? 9 : 7;
}

static void put_metric_map(rs_page *page, loops *l, rs_report_role role)
{
    const rs_report_data *d = l->d;
    const double *value = rs_report_metric(d, role);
    rs_figure *f = NULL;
    reshed_error err = {0};
    char caption[160];
    rs_colour_scale scale = {
        .map = RS_MAP_VIRIDIS, .name = rs_report_role_name(role), .unit = rs_report_unit(d, role)};
    if (!rs_page_sound(page)) return;
    rs_robust_limits(value, (size_t)d->progress.points, l->work, &scale.lo, &scale.hi);
    reshed_status st = rs_figure_create(900, 740, 1, 1, &f, &err);
    rs_page_fail(page, st, &err);
    if (st != RESHED_OK) return;
    rs_figure_font(f, 20);
    rs_panel *p = rs_figure_panel(f, 0, 0, 1, 1);
    draw_background(page, p, d);
    rs_panel_scatter(p, l->x, l->y, value, (size_t)d->progress.points, mark_size(d), &scale);
    snprintf(caption, sizeof caption, "%s (%s), %d values", rs_report_role_name(role),
             d->setup->metric[d->role[role]].name, finite_values(value, d->progress.points));
    rs_page_figure(page, f, RS_PAGE_PNG, 560, caption);
}

static void put_histograms(rs_page *page, loops *l, const rs_report_role *role, int n)
{
    const rs_report_data *d = l->d;
    rs_figure *f = NULL;
    reshed_error err = {0};
    int columns = n < 3 ? n : 3, rows = (n + columns - 1) / columns;
    if (!rs_page_sound(page)) return;
    reshed_status st = rs_figure_create(380 * columns, 290 * rows, rows, columns, &f, &err);
    rs_page_fail(page, st, &err);
    if (st != RESHED_OK) return;
    for (int k = 0; k < n; k++) {
        const double *value = rs_report_metric(d, role[k]);
        double lo, hi, middle = rs_median(value, (size_t)d->progress.points, l->work);
        rs_style line = {.colour = RS_VERMILION, .width = 2};
        rs_panel *p = rs_figure_panel(f, k / columns, k % columns, 1, 1);
        rs_robust_limits(value, (size_t)d->progress.points, l->work, &lo, &hi);
        rs_panel_x_axis(p, rs_report_role_name(role[k]), rs_report_unit(d, role[k]));
        rs_panel_y_axis(p, "Points", "");
        rs_panel_histogram(p, value, (size_t)d->progress.points,
                           d->progress.points < 40    ? 10
                           : d->progress.points < 200 ? 16
                                                      : 28,
                           lo, hi, RS_BLUE, 0.8, NULL);
        rs_panel_vertical(p, middle, &line, "median");
    }
    rs_page_figure(page, f, RS_PAGE_SVG, 380 * columns < 1130 ? 380 * columns : 1130,
                   "Distributions within the colour ranges of the maps");
}

static void put_table(rs_page *page, loops *l, const rs_report_role *role, int n)
{
    const rs_report_data *d = l->d;
    int points = d->progress.points;
    rs_page_raw(page, "<table><tr><th class=\"t\">Metric</th><th>Points</th><th>Median</th>"
                      "<th>Quartiles</th><th>Smallest</th><th>Largest</th></tr>\n");
    for (int k = 0; k < n; k++) {
        static const double at[] = {0.5, 0.25, 0.75, 0, 1};
        const double *value = rs_report_metric(d, role[k]);
        double q[5];
        const char *unit = rs_report_unit(d, role[k]);
        for (int i = 0; i < 5; i++) q[i] = rs_quantile(value, (size_t)points, at[i], l->work);
        rs_page_format(page, "<tr><td class=\"t\">%s (", rs_report_role_name(role[k]));
        rs_page_text(page, d->setup->metric[d->role[role[k]]].name);
        rs_page_format(page, ")</td><td>%d</td><td>", finite_values(value, points));
        rs_page_quantity(page, q[0], 4, unit);
        rs_page_raw(page, "</td><td>");
        rs_page_pair(page, q[1], " to ", q[2], 4, unit);
        rs_page_raw(page, "</td><td>");
        rs_page_quantity(page, q[3], 4, unit);
        rs_page_raw(page, "</td><td>");
        rs_page_quantity(page, q[4], 4, unit);
        rs_page_raw(page, "</td></tr>\n");
    }
    rs_page_raw(page, "</table>\n");
}

/* --------------------------------------------------------------------------------- picked loops */
/* Picks the points nearest to quantiles of a metric, all different, from the smallest value. */
static int pick(const loops *l, const double *value, int out[PICKED])
{
    static const double at[PICKED] = {0, 0.25, 0.5, 0.75, 1};
    int points = l->d->progress.points, n = 0;
    for (int k = 0; k < PICKED; k++) {
        double want = rs_quantile(value, (size_t)points, at[k], l->work);
        int best = -1;
        for (int i = 0; i < points; i++) {
            bool taken = !isfinite(value[i]) || !l->d->loop[i];
            for (int j = 0; j < n; j++) taken = taken || out[j] == i;
            if (!taken && (best < 0 || fabs(value[i] - want) < fabs(value[best] - want))) best = i;
        }
        if (best >= 0) out[n++] = best;
    }
    for (int i = 1; i < n; i++) /* by value */
        for (int j = i; j > 0 && value[out[j]] < value[out[j - 1]]; j--) {
            int swap = out[j];
            out[j] = out[j - 1];
            out[j - 1] = swap;
        }
    return n;
}

static void draw_picked(rs_panel *p, loops *l, int point, char letter, uint32_t colour)
{
    size_t at = (size_t)point * (size_t)l->d->steps;
    char title[64];
    rs_style line = {.colour = colour, .width = 1.8, .marker = RS_MARKER_DISC, .marker_size = 4};
    draw_loop(p, l, l->d->response + at, l->skip + at, &line, l->work);
    draw_width(p, l, l->d->response + at, l->skip + at, false);
    name_axes(p, l);
    snprintf(title, sizeof title, "%c: point %d", letter, point + 1);
    rs_panel_title(p, title);
}

static void put_picked(rs_page *page, loops *l, rs_report_role role)
{
    const rs_report_data *d = l->d;
    int chosen[PICKED];
    char caption[160];
    rs_figure *f = NULL;
    reshed_error err = {0};
    if (!rs_page_sound(page)) return;
    int n = pick(l, rs_report_metric(d, role), chosen);
    if (n == 0) return;
    reshed_status st = rs_figure_create(1700, n > 2 ? 1040 : 520, n > 2 ? 2 : 1, 3, &f, &err);
    rs_page_fail(page, st, &err);
    if (st != RESHED_OK) return;
    rs_figure_font(f, 19);
    rs_panel *map = rs_figure_panel(f, 0, 0, 1, 1);
    draw_background(page, map, d);
    rs_panel_title(map, "Where they were measured");
    for (int k = 0; k < n; k++) {
        char letter[2] = {(char)('A' + k), 0};
        uint32_t colour = rs_series_colour(k);
        double x = l->x[chosen[k]], y = l->y[chosen[k]];
        rs_style ring = {.colour = colour, .marker = RS_MARKER_RING, .marker_size = 18};
        rs_style rim = {.colour = RS_BLACK, .marker = RS_MARKER_DISC, .marker_size = 10};
        rs_style dot = {.colour = colour, .marker = RS_MARKER_DISC, .marker_size = 7};
        rs_panel_line(map, &x, &y, 1, &ring, NULL);
        rs_panel_line(map, &x, &y, 1, &rim, NULL);
        rs_panel_line(map, &x, &y, 1, &dot, NULL);
        if (isfinite(x)) rs_panel_text(map, x, y, RS_BLACK, letter);
        draw_picked(rs_figure_panel(f, (k + 1) / 3, (k + 1) % 3, 1, 1), l, chosen[k], *letter,
                    colour);
    }
    snprintf(caption, sizeof caption,
             "Loops along the range of the %s, from the smallest (A) to the largest (%c); failed "
             "samples left out",
             role == RS_REPORT_WIDTH ? "loop width" : rs_report_role_name(role), 'A' + n - 1);
    rs_page_figure(page, f, RS_PAGE_PNG, 1130, caption);
}

/* -------------------------------------------------------------------------------------- section */
static void put_loops(rs_page *page, loops *l)
{
    const rs_report_data *d = l->d;
    rs_report_role role[RS_REPORT_ROLES];
    int n = 0;
    for (int r = 0; r < RS_REPORT_ROLES; r++) {
        const double *value = rs_report_metric(d, (rs_report_role)r);
        if (value && finite_values(value, d->progress.points) > 0) role[n++] = (rs_report_role)r;
    }
    const double averaged = d->trusted_loops > 0 ? put_average(page, l) : NAN;
    if (n == 0) {
        rs_page_raw(page, "<p class=\"none\">No metrics of the loops have been recorded.</p>\n");
        return;
    }
    put_left_out(page, d);
    put_two_widths(page, l, averaged);
    put_table(page, l, role, n);
    rs_page_raw(page, "<h3>Maps over the walls</h3>\n<div class=\"row\">\n");
    for (int k = 0; k < n; k++) put_metric_map(page, l, role[k]);
    rs_page_raw(page, "</div>\n<p>Hollow: no value. Triangles at the ends of a colour bar: values "
                      "lie beyond it.</p>\n<h3>Representative loops</h3>\n");
    put_picked(page, l, role[0]);
    rs_page_raw(page, "<h3>Histograms</h3>\n");
    put_histograms(page, l, role, n);
}

void rs_report_loops(rs_page *page, const rs_report_data *d)
{
    loops l;
    reshed_error err = {0};
    rs_page_raw(page, "<h2>Hysteresis loops</h2>\n");
    if (d->setup->spectroscopy.steps < 1 || d->loops == 0) {
        rs_page_raw(page, d->setup->spectroscopy.steps < 1
                              ? "<p class=\"none\">This session has no spectroscopy.</p>\n"
                              : "<p class=\"none\">No loop has been analysed yet.</p>\n");
        return;
    }
    if (!rs_page_sound(page)) return;
    rs_page_fail(page, loops_take(d, &l, &err), &err);
    if (rs_page_sound(page)) put_loops(page, &l);
    loops_clear(&l);
}
