#include "report/loop_figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/statistics.h"
#include "imgproc/figures/plot.h"
#include "report/save.h"

/* Where the figures go. paper: NULL for pictures on a screen. */
typedef struct target {
    const char *path;
    const rs_paper *paper;
} target;

static reshed_status save(reshed_status st, rs_figure *f, const target *to, reshed_error *err)
{
    if (st == RESHED_OK && to->paper) rs_figure_paper(f, to->paper);
    return rs_report_save_figure(st, f, to->path, err);
}

/* Limits that a few wild values do not move: percentiles 2 and 98, but no farther from the median
 * than four robust standard deviations. scratch [n]. */
static void robust_limits(const double *x, size_t n, double *scratch, double *lo, double *hi)
{
    double centre = rs_median(x, n, scratch), spread = rs_mad(x, n, centre, scratch);
    *lo = rs_quantile(x, n, 0.02, scratch);
    *hi = rs_quantile(x, n, 0.98, scratch);
    if (spread > 0) {
        *lo = fmax(*lo, centre - 4 * spread);
        *hi = fmin(*hi, centre + 4 * spread);
    }
    if (!(*hi > *lo)) {
        double pad = fabs(centre) > 0 && isfinite(centre) ? fabs(centre) * 0.05 : 1;
        *lo = (isfinite(centre) ? centre : 0) - pad;
        *hi = (isfinite(centre) ? centre : 0) + pad;
    }
}

/* Draws the samples [from, to) and, when they are a closed cycle, the way back to the first. */
static void draw_loop(rs_panel *p, const double *v, const double *y, int n, const rs_style *style,
                      const char *label)
{
    rs_panel_line(p, v, y, (size_t)n, style, label);
    double back_v[2] = {v[n - 1], v[0]}, back_y[2] = {y[n - 1], y[0]};
    rs_style thin = *style;
    thin.marker = RS_MARKER_NONE;
    rs_panel_line(p, back_v, back_y, 2, &thin, NULL);
}

/* ------------------------------------------------------------------------------------- averages */
/* The width of an average loop, as an arrow between its branches at their mid level; where the
 * slope was taken off before measuring, along that slope. */
static void draw_width(rs_panel *p, const double *m, bool slope_removed, uint32_t colour)
{
    char text[64];
    double slope = slope_removed && isfinite(m[RS_M_ES_SLOPE]) ? m[RS_M_ES_SLOPE] : 0;
    double minus = m[RS_M_V_MINUS_MID], plus = m[RS_M_V_PLUS_MID], level = m[RS_M_LEVEL_MID];
    if (!isfinite(m[RS_M_WIDTH_MID])) return;
    snprintf(text, sizeof text, "width %.2f V", m[RS_M_WIDTH_MID]);
    rs_panel_arrow(p, minus, level + slope * minus, plus, level + slope * plus, colour, text);
}

static reshed_status draw_average(const target *to, const rs_responses *in, const rs_field_loops *r,
                                  reshed_error *err)
{
    rs_figure *f = NULL;
    char text[512], title[128];
    int n = in->steps, first = r->loops.first;
    reshed_status st = rs_figure_create(1100, 760, 1, 1, &f, err);
    rs_panel *p = st == RESHED_OK ? rs_figure_panel(f, 0, 0, 1, 1) : NULL;
    snprintf(title, sizeof title, "Averaged %s loop, %lld of %lld points", rs_field_name(r->field),
             (long long)rs_loops_count(&r->loops, RS_LOOP_BAD), (long long)in->points);
    rs_panel_title(p, title);
    rs_panel_x_axis(p, "Bias", "V");
    rs_panel_y_axis(p, "Piezoresponse", in->units);
    rs_panel_grid(p);
    for (int c = 0; c < in->cycles; c++) {
        size_t at = (size_t)c * (size_t)n;
        char name[48];
        snprintf(name, sizeof name, "mean of the trusted loops, cycle %d", c + 1);
        if (in->cycles == 1) snprintf(name, sizeof name, "mean of the trusted loops");
        rs_style line = {.colour = in->cycles == 1 ? RS_BLUE : rs_series_colour(c),
                         .width = 2,
                         .marker = RS_MARKER_DISC};
        draw_loop(p, in->v + at, r->mean + at, n, &line, name);
    }
    rs_style median = {.colour = RS_GREY, .width = 1.5, .dash = RS_DASHED};
    draw_loop(p, in->v + (size_t)first * (size_t)n, r->median + (size_t)first * (size_t)n, n,
              &median,
              in->cycles == 1 ? "median of all loops" : "median of all loops, first cycle");
    draw_width(p, r->mean_metrics, r->slope_removed, RS_BLACK);
    /* Where both averages are the same, one arrow is enough. */
    double apart = fabs(r->mean_metrics[RS_M_LEVEL_MID] - r->median_metrics[RS_M_LEVEL_MID]);
    if (apart > 0.04 * fabs(r->mean_metrics[RS_M_SWITCHABLE]))
        draw_width(p, r->median_metrics, r->slope_removed, RS_GREY);
    size_t used = 0;
    const double *sets[] = {r->mean_metrics, r->median_metrics};
    for (int k = 0; k < 2; k++) {
        const double *m = sets[k];
        used += (size_t)snprintf(
            text + used, sizeof text - used,
            "%s%s\nwidth %.2f V (mid), %.2f V (zero)\nV+ %.2f V, V- %.2f V (zero)\n"
            "imprint %.2f V (zero)\nnucleation %.2f V, %.2f V",
            k ? "\n\n" : "", k ? "Median" : "Mean", m[RS_M_WIDTH_MID], m[RS_M_WIDTH_ZERO],
            m[RS_M_V_PLUS_ZERO], m[RS_M_V_MINUS_ZERO], m[RS_M_IMPRINT_ZERO], m[RS_M_NUCLEATION_POS],
            m[RS_M_NUCLEATION_NEG]);
    }
    rs_panel_note(p, text);
    return save(st, f, to, err);
}

/* ----------------------------------------------------------------------------- histograms, maps */
static int summary_metrics(const rs_loops *l, rs_metric *list, double *work)
{
    int k = 0;
    for (int m = 0; m < RS_METRIC_COUNT; m++)
        if (rs_metric_get(m)->in_summary && rs_field_loops_trusted(l, m, work) > 0) list[k++] = m;
    return k;
}

static reshed_status draw_histograms(const target *to, const rs_responses *in,
                                     const rs_field_loops *r, double *work, reshed_error *err)
{
    rs_figure *f = NULL;
    rs_metric list[RS_METRIC_COUNT];
    double *x = work, *scratch = work + in->points;
    int n = summary_metrics(&r->loops, list, work), columns = to->paper ? 3 : 4,
        rows = (n + columns - 1) / columns;
    if (n == 0) rows = 1;
    reshed_status st = rs_figure_create(400 * columns, 60 + 330 * rows, rows, columns, &f, err);
    for (int k = 0; st == RESHED_OK && k < n; k++) {
        const rs_metric_info *info = rs_metric_get(list[k]);
        char unit[64];
        double lo, hi;
        rs_panel *p = rs_figure_panel(f, k / columns, k % columns, 1, 1);
        rs_field_loops_trusted(&r->loops, list[k], x);
        robust_limits(x, (size_t)in->points, scratch, &lo, &hi);
        rs_metric_unit(list[k], in->units, unit, sizeof unit);
        rs_panel_title(p, info->name);
        rs_panel_x_axis(p, info->id, strcmp(unit, "1") == 0 ? "" : unit);
        rs_panel_y_axis(p, "Loops", "");
        int bins = (int)sqrt((double)in->points);
        bins = bins < 8 ? 8 : bins > 40 ? 40 : bins;
        rs_panel_histogram(p, x, (size_t)in->points, bins, lo, hi, RS_BLUE, 0.8, NULL);
        double centre = rs_median(x, (size_t)in->points, scratch);
        rs_style line = {.colour = RS_VERMILION, .width = 2};
        rs_panel_vertical(p, centre, &line, "median");
    }
    return save(st, f, to, err);
}

/* A map as an image for a grid, as coloured points for a list with positions, else along the
 * list. x0.. of the image include half a pixel around the outer points. */
static void draw_map(rs_panel *p, const rs_responses *in, const double *values,
                     const rs_colour_scale *scale, float *image)
{
    const rs_nsid_dim *x = &in->dim[in->x_axis], *y = &in->dim[in->y_axis];
    if (in->on_axes && in->ndim == 2 && x->n > 1 && y->n > 1) {
        /* A picture has its top row, the largest y, first. */
        int width = (int)x->n, height = (int)y->n;
        int x_stride = in->x_axis == 0 ? height : 1, y_stride = in->x_axis == 0 ? 1 : width;
        const double *xs = x->values, *ys = y->values;
        double dx = (xs[width - 1] - xs[0]) / (width - 1) / 2;
        double dy = (ys[height - 1] - ys[0]) / (height - 1) / 2;
        for (int row = 0; row < height; row++)
            for (int column = 0; column < width; column++)
                image[row * width + column] =
                    (float)values[column * x_stride + (height - 1 - row) * y_stride];
        rs_panel_image(p, image, height, width, xs[0] - dx, xs[width - 1] + dx, ys[0] - dy,
                       ys[height - 1] + dy, scale);
        rs_panel_x_axis(p, "x", in->position_units);
        rs_panel_y_axis(p, "y", in->position_units);
    } else if (in->x) {
        rs_panel_scatter(p, in->x, in->y, values, (size_t)in->points, 8, scale);
        rs_panel_equal_aspect(p);
        rs_panel_x_axis(p, "x", in->position_units);
        rs_panel_y_axis(p, "y", in->position_units);
    } else {
        rs_style dots = {.colour = RS_BLUE, .marker = RS_MARKER_DISC, .marker_size = 4};
        double *index = rs_alloc((size_t)in->points, sizeof *index);
        for (int64_t i = 0; index && i < in->points; i++) index[i] = (double)i;
        if (index) rs_panel_line(p, index, values, (size_t)in->points, &dots, NULL);
        rs_panel_x_axis(p, "Point", "");
        rs_panel_y_axis(p, scale->name, scale->unit);
        rs_panel_y_limits(p, scale->lo, scale->hi);
        rs_free(index);
    }
}

static reshed_status draw_maps(const target *to, const rs_responses *in, const rs_field_loops *r,
                               double *work, reshed_error *err)
{
    rs_figure *f = NULL;
    rs_metric list[RS_METRIC_COUNT];
    double *x = work, *scratch = work + in->points;
    int n = summary_metrics(&r->loops, list, work), columns = to->paper ? 3 : 4,
        rows = (n + columns - 1) / columns;
    if (n == 0) rows = 1;
    float *image = rs_alloc((size_t)in->points, sizeof *image);
    if (!image) return rs_fail_nomem(err, "a map", (size_t)in->points * sizeof *image);
    reshed_status st = rs_figure_create(475 * columns, 40 + 385 * rows, rows, columns, &f, err);
    for (int k = 0; st == RESHED_OK && k < n; k++) {
        const rs_metric_info *info = rs_metric_get(list[k]);
        char unit[64];
        rs_panel *p = rs_figure_panel(f, k / columns, k % columns, 1, 1);
        rs_colour_scale scale = {.map = RS_MAP_VIRIDIS, .name = info->id, .unit = unit};
        rs_field_loops_trusted(&r->loops, list[k], x);
        robust_limits(x, (size_t)in->points, scratch, &scale.lo, &scale.hi);
        rs_metric_unit(list[k], in->units, unit, sizeof unit);
        if (strcmp(unit, "1") == 0) unit[0] = '\0';
        rs_panel_title(p, info->name);
        draw_map(p, in, x, &scale, image);
    }
    rs_free(image);
    return save(st, f, to, err);
}

/* --------------------------------------------------------------------------------- chosen loops */
/* Points at six places of the distribution of widths among the trusted loops. */
static int choose_points(const rs_loops *l, double *work, int64_t *out)
{
    static const double at[] = {0.05, 0.23, 0.41, 0.59, 0.77, 0.95};
    double *x = work, *scratch = work + l->points;
    if (rs_field_loops_trusted(l, RS_M_WIDTH_MID, x) == 0) {
        out[0] = 0;
        return 1;
    }
    int n = 0;
    for (int k = 0; k < 6; k++) {
        double want = rs_quantile(x, (size_t)l->points, at[k], scratch);
        int64_t best = -1;
        for (int64_t p = 0; p < l->points; p++)
            if (isfinite(x[p]) && (best < 0 || fabs(x[p] - want) < fabs(x[best] - want))) best = p;
        bool again = false;
        for (int j = 0; j < n; j++) again = again || out[j] == best;
        if (!again) out[n++] = best;
    }
    return n;
}

static void point_name(const rs_responses *in, int64_t p, char *buf, size_t n)
{
    if (in->ndim == 2)
        snprintf(buf, n, "Point %lld (%lld, %lld)", (long long)p, (long long)(p / in->dim[1].n),
                 (long long)(p % in->dim[1].n));
    else
        snprintf(buf, n, "Point %lld", (long long)p);
}

/* Samples that count as a line, skipped ones as crosses at the edge of the panel, the fit dashed.
 */
static reshed_status draw_point(rs_panel *p, const rs_responses *in, const rs_field_loops *r,
                                int64_t point, reshed_error *err)
{
    size_t n = (size_t)in->steps, per = n * (size_t)in->cycles;
    const rs_loops *l = &r->loops;
    char text[256], words[160], name[64];
    double *y = rs_alloc(n, 3 * sizeof *y), *vs = y ? y + n : NULL, *ys = y ? y + 2 * n : NULL;
    if (!y) return rs_fail_nomem(err, "a loop", n * 3 * sizeof *y);
    double low = INFINITY, high = -INFINITY;
    for (int c = l->apart ? 0 : l->first; c < in->cycles; c++) {
        size_t at = (size_t)point * per + (size_t)c * n, skipped = 0;
        int sign = l->sign[(size_t)point * (size_t)in->cycles + (size_t)c];
        for (size_t i = 0; i < n; i++) {
            y[i] = l->skip[at + i] ? NAN : sign * r->unfolded.response[at + i];
            if (isnan(y[i])) continue;
            low = fmin(low, y[i]);
            high = fmax(high, y[i]);
        }
        for (size_t i = 0; i < n; i++) {
            double out = sign * r->unfolded.response[at + i];
            if (!l->skip[at + i] || !isfinite(out)) continue;
            vs[skipped] = in->v[(size_t)c * n + i];
            ys[skipped++] = out > high ? high : out < low ? low : out;
        }
        rs_style line = {.colour = rs_series_colour(c),
                         .width = 1.2,
                         .marker = RS_MARKER_DISC,
                         .marker_size = 5};
        if (in->cycles == 1) line.colour = RS_BLUE;
        rs_panel_line(p, in->v + (size_t)c * n, y, n, &line, NULL);
        rs_style cross = {.colour = RS_VERMILION, .marker = RS_MARKER_CROSS, .marker_size = 8};
        if (skipped > 0) rs_panel_line(p, vs, ys, skipped, &cross, "skipped");
    }
    const double *value = l->value + point;
    double fit[RS_LOOP_PARAMS];
    size_t stride = (size_t)l->points;
    double slope = r->slope_removed ? value[RS_M_ES_SLOPE * stride] : 0;
    if (!isfinite(slope)) slope = 0;
    for (int k = 0; k < RS_LOOP_PARAMS; k++) fit[k] = value[(size_t)(RS_M_FIT_A0 + k) * stride];
    rs_sweep s = {0};
    if (isfinite(fit[RS_A2]) && in->cycles == 1 &&
        rs_sweep_create(in->v, in->steps, &s, NULL) == RESHED_OK) {
        fit[RS_A4] += slope;
        rs_loop_function(&s, fit, y);
        rs_style dashed = {.colour = RS_ORANGE, .width = 1.8};
        draw_loop(p, in->v, y, in->steps, &dashed, "fit");
        rs_sweep_clear(&s);
    }
    double plus = value[RS_M_V_PLUS_MID * stride], minus = value[RS_M_V_MINUS_MID * stride];
    double level = value[RS_M_LEVEL_MID * stride];
    if (isfinite(plus - minus) && in->cycles == 1) {
        snprintf(text, sizeof text, "%.2f V", plus - minus);
        rs_panel_arrow(p, minus, level + slope * minus, plus, level + slope * plus, RS_VERMILION,
                       text);
    }
    point_name(in, point, name, sizeof name);
    rs_loop_flag_words(l->flags[point], words, sizeof words);
    snprintf(text, sizeof text, "%s%s%s", name, *words ? ": " : "", words);
    rs_panel_title(p, text);
    rs_panel_x_axis(p, "Bias", "V");
    rs_panel_y_axis(p, "Piezoresponse", in->units);
    rs_panel_grid(p);
    rs_free(y);
    return RESHED_OK;
}

static reshed_status draw_loops(const target *to, const rs_responses *in, const rs_field_loops *r,
                                const int64_t *chosen, int n_chosen, double *work,
                                reshed_error *err)
{
    int64_t own[6];
    rs_figure *f = NULL;
    if (n_chosen == 0) {
        n_chosen = choose_points(&r->loops, work, own);
        chosen = own;
    }
    int columns = n_chosen < 3 ? n_chosen : 3, rows = (n_chosen + columns - 1) / columns;
    reshed_status st =
        rs_figure_create(560 * columns + 20, 440 * rows + 20, rows, columns, &f, err);
    for (int k = 0; st == RESHED_OK && k < n_chosen; k++)
        st = draw_point(rs_figure_panel(f, k / columns, k % columns, 1, 1), in, r, chosen[k], err);
    return save(st, f, to, err);
}

reshed_status rs_loop_figures_paper(const char *prefix, const char *kind, const rs_paper *paper,
                                    const rs_responses *in, const rs_field_loops *r,
                                    const int64_t *chosen, int n_chosen, char failed[256],
                                    reshed_error *err)
{
    static const char *const names[] = {"average", "histograms", "maps", "loops"};
    const char *suffix = r->field == RS_FIELD_ON ? "_on" : "";
    const size_t room = strlen(prefix) + strlen(kind) + 32;
    double *work = rs_alloc((size_t)in->points, 2 * sizeof *work);
    char *path = rs_alloc(room, 1);
    const target to = {path, paper};
    reshed_status st = RESHED_OK;
    snprintf(failed, 256, "%.255s", prefix);
    if (!work || !path)
        st = rs_fail_nomem(err, "figures", (size_t)in->points * 2 * sizeof *work + room);
    for (int k = 0; st == RESHED_OK && k < 4; k++) {
        snprintf(path, room, "%s_%s%s.%s", prefix, names[k], suffix, kind);
        snprintf(failed, 256, "%.255s", path);
        st = k == 0   ? draw_average(&to, in, r, err)
             : k == 1 ? draw_histograms(&to, in, r, work, err)
             : k == 2 ? draw_maps(&to, in, r, work, err)
                      : draw_loops(&to, in, r, chosen, n_chosen, work, err);
    }
    rs_free(work);
    rs_free(path);
    return st;
}

reshed_status rs_loop_figures_write(const char *prefix, const rs_responses *in,
                                    const rs_field_loops *r, const int64_t *chosen, int n_chosen,
                                    char failed[256], reshed_error *err)
{
    return rs_loop_figures_paper(prefix, "png", NULL, in, r, chosen, n_chosen, failed, err);
}
