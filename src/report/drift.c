#include <math.h>

#include "report/sections.h"

enum { DRIFT_ROWS = 100 };

void rs_report_drift(rs_page *page, const rs_report_data *d)
{
    int n = d->progress.drifts, first = n > DRIFT_ROWS ? n - DRIFT_ROWS : 0;
    rs_page_raw(page, "<h2>Drift</h2>\n");
    if (n == 0) {
        rs_page_raw(page, "<p class=\"none\">The drift was not measured.</p>\n");
        return;
    }
    rs_page_raw(
        page,
        "<table><tr><th>Instrument's time (s)</th><th>dx</th><th>dy</th><th>Standard error</th>"
        "<th>Velocity x</th><th>Velocity y</th><th class=\"t\">From</th></tr>\n");
    for (int i = first; i < n; i++) {
        const rs_session_drift *v = &d->drift[i];
        const double length[] = {v->dx, v->dy, v->sigma};
        if (isfinite(v->time))
            rs_page_format(page, "<tr><td>%.1f</td>", v->time);
        else
            rs_page_raw(page, "<tr><td>&#8211;</td>");
        for (int k = 0; k < 3; k++) {
            rs_page_raw(page, "<td>");
            rs_page_quantity(page, length[k], 3, "m");
            rs_page_raw(page, "</td>");
        }
        for (int k = 0; k < 2; k++) {
            rs_page_raw(page, "<td>");
            rs_page_quantity(page, k ? v->vy : v->vx, 2, "m/s");
            rs_page_raw(page, "</td>");
        }
        if (v->source >= 0)
            rs_page_format(page, "<td class=\"t\">patch %d</td></tr>\n", v->source);
        else
            rs_page_raw(page, "<td class=\"t\">model or user</td></tr>\n");
    }
    rs_page_raw(page, "</table>\n");
    if (first) rs_page_format(page, "<p>The last %d of %d entries.</p>\n", n - first, n);
}
