#include <math.h>

#include "base/alloc.h"
#include "base/statistics.h"
#include "imgproc/figures/plot.h"
#include "report/sections.h"

/* Returns the latency (0), the time of the inference (1) or the lag (2) of a line, NaN where it is
 * not known. */
static double seconds(const rs_session_processed *p, int which)
{
    double v = which == 0 ? p->latency : which == 1 ? p->inference : p->lag;
    return v >= 0 ? v : NAN;
}

static void put_timing_row(rs_page *page, const rs_report_data *d, int which, const char *name,
                           double *x, double *work)
{
    static const double at[] = {0.5, 0.9, 0.99, 1};
    int n = 0;
    for (int r = 0; r < d->rows; r++) {
        x[r] = seconds(&d->processed[r], which);
        n += isfinite(x[r]) != 0;
    }
    if (n == 0) return;
    rs_page_format(page, "<tr><td class=\"t\">%s</td><td>%d</td>", name, n);
    for (int i = 0; i < 4; i++) {
        double q = rs_quantile(x, (size_t)d->rows, at[i], work);
        rs_page_raw(page, "<td>");
        if (which < 2)
            rs_page_quantity(page, q, 3, "s");
        else
            rs_page_format(page, "%.0f rows", q);
        rs_page_raw(page, "</td>");
    }
    rs_page_raw(page, "</tr>\n");
}

static void put_latency_plot(rs_page *page, const rs_report_data *d, double *x, double *y)
{
    rs_figure *f = NULL;
    reshed_error err = {0};
    size_t n = 0;
    if (!rs_page_sound(page)) return;
    for (int r = 0; r < d->rows; r++) {
        double v = seconds(&d->processed[r], 0);
        if (!isfinite(v)) continue;
        x[n] = d->arrival[r].order >= 0 ? d->arrival[r].order : r;
        y[n++] = v;
    }
    reshed_status st = rs_figure_create(900, 320, 1, 1, &f, &err);
    rs_page_fail(page, st, &err);
    if (st != RESHED_OK) return;
    rs_panel *p = rs_figure_panel(f, 0, 0, 1, 1);
    rs_style dot = {.colour = RS_BLUE, .marker = RS_MARKER_DISC, .marker_size = 4};
    rs_panel_line(p, x, y, n, &dot, NULL);
    rs_panel_x_axis(p, "Lines in the order of their arrival", "");
    rs_panel_y_axis(p, "Latency", "s");
    rs_panel_grid(p);
    rs_page_figure(page, f, RS_PAGE_SVG, 760, "From a line's arrival to its published prediction");
}

void rs_report_timings(rs_page *page, const rs_report_data *d)
{
    size_t rows = (size_t)d->rows;
    int known = 0, most = 0;
    rs_page_raw(page, "<h2>Timings</h2>\n");
    for (int r = 0; r < d->rows; r++) {
        known += isfinite(seconds(&d->processed[r], 0)) != 0;
        if (d->processed[r].coalesced > most) most = d->processed[r].coalesced;
    }
    if (!known) {
        rs_page_raw(page, "<p class=\"none\">No timings have been recorded.</p>\n");
        return;
    }
    double *x = rs_alloc(rows, 2 * sizeof *x), *work = x ? x + rows : NULL;
    if (!x) {
        reshed_error err = {0};
        rs_page_fail(page, rs_fail_nomem(&err, "timings", rows * 16), &err);
        return;
    }
    rs_page_raw(page, "<table><tr><th class=\"t\">Per line</th><th>Lines</th><th>Median</th>"
                      "<th>90 %</th><th>99 %</th><th>Largest</th></tr>\n");
    put_timing_row(page, d, 0, "Latency, arrival to prediction", x, work);
    put_timing_row(page, d, 1, "Inference", x, work);
    put_timing_row(page, d, 2, "Lag of the last final row", x, work);
    rs_page_raw(page, "</table>\n");
    if (most > 1)
        rs_page_format(page, "<p>At most %d lines went through the network together.</p>\n", most);
    put_latency_plot(page, d, x, work);
    rs_free(x);
}
