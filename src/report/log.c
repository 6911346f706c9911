#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/figures/plot.h"
#include "report/part.h"

enum { DRIFT_ROWS = 100 };

static bool ready(const scan_page *p)
{
    return p->failure.status == RESHED_OK;
}

/* --------------------------------------------------------------------------------------- timings
 */
/* Where a number of each processed line is found; NaN where it is not known. */
static double seconds(const rs_session_processed *p, int which)
{
    double v = which == 0 ? p->latency : which == 1 ? p->inference : p->lag;
    return v >= 0 ? v : NAN;
}

static void put_timing_row(scan_page *page, const scan_data *d, int which, const char *name,
                           double *x, double *work)
{
    static const double at[] = {0.5, 0.9, 0.99, 1};
    int n = 0;
    for (int r = 0; r < d->rows; r++) {
        x[r] = seconds(&d->processed[r], which);
        n += isfinite(x[r]) != 0;
    }
    if (n == 0) return;
    scan_page_format(page, "<tr><td class=\"t\">%s</td><td>%d</td>", name, n);
    for (int i = 0; i < 4; i++) {
        double q = scan_quantile(x, d->rows, at[i], work);
        scan_page_raw(page, "<td>");
        if (which < 2)
            scan_page_quantity(page, q, 3, "s");
        else
            scan_page_format(page, "%.0f rows", q);
        scan_page_raw(page, "</td>");
    }
    scan_page_raw(page, "</tr>\n");
}

static void put_latency_plot(scan_page *page, const scan_data *d, double *x, double *y)
{
    rs_figure *f = NULL;
    reshed_error err = {0};
    size_t n = 0;
    if (!ready(page)) return;
    for (int r = 0; r < d->rows; r++) {
        double v = seconds(&d->processed[r], 0);
        if (!isfinite(v)) continue;
        x[n] = d->arrival[r].order >= 0 ? d->arrival[r].order : r;
        y[n++] = v;
    }
    reshed_status st = rs_figure_create(900, 320, 1, 1, &f, &err);
    scan_page_fail(page, st, &err);
    if (st != RESHED_OK) return;
    rs_panel *p = rs_figure_panel(f, 0, 0, 1, 1);
    rs_style dot = {.colour = RS_BLUE, .marker = RS_MARKER_DISC, .marker_size = 4};
    rs_panel_line(p, x, y, n, &dot, NULL);
    rs_panel_x_axis(p, "Lines in the order of their arrival", "");
    rs_panel_y_axis(p, "Latency", "s");
    rs_panel_grid(p);
    scan_page_figure(page, f, SCAN_SVG, 760, "From a line's arrival to its published prediction");
}

static void put_timings(scan_page *page, const scan_data *d)
{
    size_t rows = (size_t)d->rows;
    int known = 0, most = 0;
    scan_page_raw(page, "<h2>Timings</h2>\n");
    for (int r = 0; r < d->rows; r++) {
        known += isfinite(seconds(&d->processed[r], 0)) != 0;
        if (d->processed[r].coalesced > most) most = d->processed[r].coalesced;
    }
    if (!known) {
        scan_page_raw(page, "<p class=\"none\">No timings have been recorded.</p>\n");
        return;
    }
    double *x = rs_alloc(rows, 2 * sizeof *x), *work = x ? x + rows : NULL;
    if (!x) {
        reshed_error err = {0};
        scan_page_fail(page, rs_fail_nomem(&err, "timings", rows * 16), &err);
        return;
    }
    scan_page_raw(page, "<table><tr><th class=\"t\">Per line</th><th>Lines</th><th>Median</th>"
                        "<th>90 %</th><th>99 %</th><th>Largest</th></tr>\n");
    put_timing_row(page, d, 0, "Latency, arrival to prediction", x, work);
    put_timing_row(page, d, 1, "Inference", x, work);
    put_timing_row(page, d, 2, "Lag of the last final row", x, work);
    scan_page_raw(page, "</table>\n");
    if (most > 1)
        scan_page_format(page, "<p>At most %d lines went through the network together.</p>\n",
                         most);
    put_latency_plot(page, d, x, work);
    rs_free(x);
}

/* ----------------------------------------------------------------------------------------- drift
 */
static void put_drift(scan_page *page, const scan_data *d)
{
    int n = d->progress.drifts, first = n > DRIFT_ROWS ? n - DRIFT_ROWS : 0;
    scan_page_raw(page, "<h2>Drift</h2>\n");
    if (n == 0) {
        scan_page_raw(page, "<p class=\"none\">The drift was not measured.</p>\n");
        return;
    }
    scan_page_raw(page, "<table><tr><th>Time (s)</th><th>dx</th><th>dy</th><th>Standard error</th>"
                        "<th>Velocity x</th><th>Velocity y</th><th class=\"t\">From</th></tr>\n");
    for (int i = first; i < n; i++) {
        const rs_session_drift *v = &d->drift[i];
        const double length[] = {v->dx, v->dy, v->sigma};
        if (isfinite(v->time))
            scan_page_format(page, "<tr><td>%.1f</td>", v->time);
        else
            scan_page_raw(page, "<tr><td>&#8211;</td>");
        for (int k = 0; k < 3; k++) {
            scan_page_raw(page, "<td>");
            scan_page_quantity(page, length[k], 3, "m");
            scan_page_raw(page, "</td>");
        }
        for (int k = 0; k < 2; k++) {
            scan_page_raw(page, "<td>");
            scan_page_quantity(page, k ? v->vy : v->vx, 2, "m/s");
            scan_page_raw(page, "</td>");
        }
        if (v->source >= 0)
            scan_page_format(page, "<td class=\"t\">patch %d</td></tr>\n", v->source);
        else
            scan_page_raw(page, "<td class=\"t\">model or user</td></tr>\n");
    }
    scan_page_raw(page, "</table>\n");
    if (first) scan_page_format(page, "<p>The last %d of %d entries.</p>\n", n - first, n);
}

/* ---------------------------------------------------------------------------------------- events
 */
/* The caller's clock began at an arbitrary moment: times count from the first thing recorded. */
static double first_moment(const scan_data *d)
{
    double t = INFINITY;
    for (int r = 0; r < d->rows; r++)
        if (d->arrival[r].state != RS_SESSION_MISSING) t = fmin(t, d->arrival[r].acquired);
    for (int i = 0; i < d->progress.events; i++) t = fmin(t, d->event[i].time);
    return isfinite(t) ? t : 0;
}

static void put_event(scan_page *page, const rs_session_event *e, double t0)
{
    bool error = e->level == RS_SESSION_ERROR, warning = e->level == RS_SESSION_WARNING;
    scan_page_format(page, "<tr%s><td>", error ? " class=\"e\"" : warning ? " class=\"w\"" : "");
    if (isfinite(e->time))
        scan_page_format(page, "%.1f", e->time - t0);
    else
        scan_page_raw(page, "&#8211;");
    scan_page_format(page, "</td><td class=\"t\">%s</td><td class=\"t\">",
                     error     ? "error"
                     : warning ? "warning"
                               : "note");
    scan_page_text(page, e->text);
    scan_page_raw(page, "</td></tr>\n");
}

static void put_events_of(scan_page *page, const scan_data *d, bool notes)
{
    double t0 = first_moment(d);
    scan_page_raw(page, "<table><tr><th>Time (s)</th><th class=\"t\">Kind</th><th class=\"t\">Event"
                        "</th></tr>\n");
    for (int i = 0; i < d->progress.events; i++) {
        bool note =
            d->event[i].level != RS_SESSION_WARNING && d->event[i].level != RS_SESSION_ERROR;
        if (note == notes) put_event(page, &d->event[i], t0);
    }
    scan_page_raw(page, "</table>\n");
}

static void put_events(scan_page *page, const scan_data *d)
{
    int warnings = 0, errors = 0;
    for (int i = 0; i < d->progress.events; i++) {
        warnings += d->event[i].level == RS_SESSION_WARNING;
        errors += d->event[i].level == RS_SESSION_ERROR;
    }
    int notes = d->progress.events - warnings - errors;
    scan_page_raw(page, "<h2>Events</h2>\n");
    if (warnings + errors) {
        scan_page_format(page,
                         "<p>%d error%s, %d warning%s. Times count from the first record.</p>\n",
                         errors, errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
        put_events_of(page, d, false);
    } else {
        scan_page_raw(page, "<p class=\"none\">No warnings and no errors.</p>\n");
    }
    if (!notes) return;
    scan_page_format(page, "<details><summary>%d note%s</summary>\n", notes, notes == 1 ? "" : "s");
    put_events_of(page, d, true);
    scan_page_raw(page, "</details>\n");
}

/* -------------------------------------------------------------------------------------- settings
 */
static void put_options(scan_page *page, const char *title, const rs_driver_option *option, int n)
{
    if (n < 1) return;
    scan_page_format(page,
                     "<details><summary>%s (%d)</summary>\n<table><tr><th class=\"t\">Name</th>"
                     "<th class=\"t\">Value</th></tr>\n",
                     title, n);
    for (int i = 0; i < n; i++) {
        scan_page_raw(page, "<tr><td class=\"t\"><code>");
        scan_page_text(page, option[i].name ? option[i].name : "");
        scan_page_raw(page, "</code></td><td class=\"t\">");
        scan_page_text(page, option[i].value ? option[i].value : "");
        scan_page_raw(page, "</td></tr>\n");
    }
    scan_page_raw(page, "</table>\n</details>\n");
}

void scan_report_log(scan_page *page, const scan_data *d)
{
    put_drift(page, d);
    put_events(page, d);
    put_timings(page, d);
    scan_page_raw(page, "<h2>Settings</h2>\n");
    if (d->setup->settings + d->setup->driver_options < 1)
        scan_page_raw(page, "<p class=\"none\">None have been recorded.</p>\n");
    put_options(page, "Settings of the run", d->setup->setting, d->setup->settings);
    put_options(page, "Options of the driver", d->setup->driver_option, d->setup->driver_options);
}
