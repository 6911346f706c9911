#include <math.h>

#include "base/alloc.h"
#include "base/statistics.h"
#include "imgproc/figures/plot.h"
#include "report/report.h"
#include "report/sections.h"

typedef enum timing { LATENCY, INFERENCE, LAG } timing;

/* Returns one timing of a line, NaN where it is not known. */
static double timing_of(const rs_session_processed *p, timing t)
{
    double v = t == LATENCY ? p->latency : t == INFERENCE ? p->inference : p->lag;
    return v >= 0 ? v : NAN;
}

/* Fills out[n] with the quantiles share[n] of a timing of the rows; returns how many rows have one.
 * x, work [rows]. */
static int quantiles(const rs_session_processed *row, int rows, timing t, const double *share,
                     int n, double *x, double *work, double *out)
{
    int known = 0;
    for (int r = 0; r < rows; r++) {
        x[r] = timing_of(&row[r], t);
        known += isfinite(x[r]) != 0;
    }
    for (int i = 0; i < n; i++) out[i] = rs_quantile(x, (size_t)rows, share[i], work);
    return known;
}

reshed_status rs_report_latency(rs_session *s, const double *share, int n, double *seconds,
                                reshed_error *err)
{
    int rows = rs_session_get_setup(s)->frame.rows;
    rs_session_processed *row = rs_alloc((size_t)rows, sizeof *row);
    double *x = rs_alloc((size_t)rows, 2 * sizeof *x);
    reshed_status st = RESHED_OK;
    for (int i = 0; i < n; i++) seconds[i] = NAN;
    if (!row || !x) {
        st = rs_fail_nomem(err, "timings", (size_t)rows * sizeof *row);
        goto done;
    }
    st = rs_session_read_processed(s, row, err);
    if (st == RESHED_OK) quantiles(row, rows, LATENCY, share, n, x, x + rows, seconds);
done:
    rs_free(row);
    rs_free(x);
    return st;
}

static void put_row(rs_page *page, const rs_report_data *d, timing t, const char *name, double *x,
                    double *work)
{
    static const double share[4] = {0.5, 0.9, 0.99, 1};
    double q[4];
    int n = quantiles(d->processed, d->rows, t, share, 4, x, work, q);
    if (n == 0) return;
    rs_page_format(page, "<tr><td class=\"t\">%s</td><td>%d</td>", name, n);
    for (int i = 0; i < 4; i++) {
        rs_page_raw(page, "<td>");
        if (t == LAG)
            rs_page_format(page, "%.0f rows", q[i]);
        else
            rs_page_quantity(page, q[i], 3, "s");
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
        double v = timing_of(&d->processed[r], LATENCY);
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
        known += isfinite(timing_of(&d->processed[r], LATENCY)) != 0;
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
    put_row(page, d, LATENCY, "Latency, arrival to prediction", x, work);
    put_row(page, d, INFERENCE, "Inference", x, work);
    put_row(page, d, LAG, "Lag of the last final row", x, work);
    rs_page_raw(page, "</table>\n");
    if (most > 1)
        rs_page_format(page, "<p>At most %d lines went through the network together.</p>\n", most);
    put_latency_plot(page, d, x, work);
    rs_free(x);
}
