#include <math.h>

#include "report/sections.h"

/* Returns the time of the first record, from which the page counts: the caller's clock began at an
 * arbitrary moment. */
static double first_moment(const rs_report_data *d)
{
    double t = INFINITY;
    for (int r = 0; r < d->rows; r++)
        if (d->arrival[r].state != RS_SESSION_MISSING) t = fmin(t, d->arrival[r].acquired);
    for (int i = 0; i < d->progress.events; i++) t = fmin(t, d->event[i].time);
    return isfinite(t) ? t : 0;
}

static void put_event(rs_page *page, const rs_session_event *e, double t0)
{
    bool error = e->level == RS_SESSION_ERROR, warning = e->level == RS_SESSION_WARNING;
    rs_page_format(page, "<tr%s><td>", error ? " class=\"e\"" : warning ? " class=\"w\"" : "");
    if (isfinite(e->time))
        rs_page_format(page, "%.1f", e->time - t0);
    else
        rs_page_raw(page, "&#8211;");
    rs_page_format(page, "</td><td class=\"t\">%s</td><td class=\"t\">",
                   error     ? "error"
                   : warning ? "warning"
                             : "note");
    rs_page_text(page, e->text);
    rs_page_raw(page, "</td></tr>\n");
}

static void put_events_of(rs_page *page, const rs_report_data *d, bool notes)
{
    double t0 = first_moment(d);
    rs_page_raw(page, "<table><tr><th>Time (s)</th><th class=\"t\">Kind</th><th class=\"t\">Event"
                      "</th></tr>\n");
    for (int i = 0; i < d->progress.events; i++) {
        bool note =
            d->event[i].level != RS_SESSION_WARNING && d->event[i].level != RS_SESSION_ERROR;
        if (note == notes) put_event(page, &d->event[i], t0);
    }
    rs_page_raw(page, "</table>\n");
}

void rs_report_events(rs_page *page, const rs_report_data *d)
{
    int warnings = 0, errors = 0;
    for (int i = 0; i < d->progress.events; i++) {
        warnings += d->event[i].level == RS_SESSION_WARNING;
        errors += d->event[i].level == RS_SESSION_ERROR;
    }
    int notes = d->progress.events - warnings - errors;
    rs_page_raw(page, "<h2>Events</h2>\n");
    if (warnings + errors) {
        rs_page_format(page,
                       "<p>%d error%s, %d warning%s. Times count from the first record.</p>\n",
                       errors, errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
        put_events_of(page, d, false);
    } else {
        rs_page_raw(page, "<p class=\"none\">No warnings and no errors.</p>\n");
    }
    if (!notes) return;
    rs_page_format(page, "<details><summary>%d note%s</summary>\n", notes, notes == 1 ? "" : "s");
    put_events_of(page, d, true);
    rs_page_raw(page, "</details>\n");
}
