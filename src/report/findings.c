/* What the tests of the walls say, as a table: one row a question. */
#include "imgproc/walls/findings.h"

#include <math.h>

#include "report/sections.h"
#include "report/wall_data.h"

static const char *length_unit(const rs_report_walls_data *w)
{
    return w->sized ? "m" : "px";
}

static void put_p(rs_page *page, double p)
{
    if (p < 0.001)
        rs_page_raw(page, "&lt; 0.001");
    else
        rs_page_format(page, "%.2g", p);
}

static void put_row(rs_page *page, const rs_finding *f, const char *unit, bool corrected)
{
    const char *own = f->plain ? "" : unit;
    rs_page_format(page, "<tr><td class=\"t\">%s</td><td>", f->title);
    put_p(page, f->p);
    if (corrected) {
        rs_page_raw(page, "</td><td>");
        put_p(page, f->p_holm);
    }
    rs_page_format(page, "</td><td class=\"t\">%s</td><td>", f->test);
    rs_page_quantity(page, f->estimate, 3, own);
    rs_page_raw(page, "</td><td>");
    if (isfinite(f->lo))
        rs_page_pair(page, f->lo, " to ", f->hi, 3, own);
    else
        rs_page_raw(page, "&#8211;");
    rs_page_format(page, "</td><td class=\"t\">%s</td><td>", f->estimator);
    if (f->plain || !isfinite(f->effect))
        rs_page_raw(page, "&#8211;");
    else
        rs_page_format(page, "%.2f (%s)", f->effect, f->effect_name);
    rs_page_format(page, "</td><td>%d", f->walls);
    if (f->controls) rs_page_format(page, ", %d controls", f->controls);
    rs_page_raw(page, "</td></tr>\n");
}

static void put_table(rs_page *page, const rs_finding *f, int n, const char *unit)
{
    rs_page_raw(page, "<table><tr><th class=\"t\">Question</th><th>p</th>");
    if (n > 1) rs_page_raw(page, "<th>p, Holm</th>");
    rs_page_raw(page, "<th class=\"t\">Test</th><th>Estimate</th><th>95 % interval</th>"
                      "<th class=\"t\">Estimator</th><th>Effect size</th><th>Walls</th></tr>\n");
    for (int i = 0; i < n; i++) put_row(page, &f[i], unit, n > 1);
    rs_page_raw(page, "</table>\n");
    if (n > 1)
        rs_page_format(
            page,
            "<p>Holm: corrected for the %d tests of this table. A wall counts once, with "
            "the mean of its points; a control point counts as a wall does. Intervals "
            "are two-sided, also where p is one-sided.</p>\n",
            n);
}

/* Names the tests that could find nothing. */
static void put_few(rs_page *page, const rs_finding *f, int n)
{
    rs_page_format(page,
                   "<p>Not listed, as no p of so few could be %g or less: ", RS_FINDING_LEVEL);
    for (int i = 0; i < n; i++) {
        rs_page_format(page, "%s%s (%d walls", i ? "; " : "", f[i].title, f[i].walls);
        if (f[i].controls) rs_page_format(page, ", %d controls", f[i].controls);
        rs_page_raw(page, ")");
    }
    rs_page_raw(page, ".</p>\n");
}

/* Says how many walls each test counts, and why not all that were measured. */
static void put_counts(rs_page *page, const rs_report_walls_data *w)
{
    const rs_wall_tests *s = &w->stats;
    rs_page_raw(page, "<ul>\n<li>Neighbours: ");
    if (s->has_alternation)
        rs_page_format(page,
                       "%d of the %d measured walls of the map are parallel (family %d); those "
                       "that lie on one line are pieces of one wall, which leaves %d.",
                       s->in_family, s->measured, s->family + 1, s->alternation.walls);
    else
        rs_page_format(page, "not tested, no family has %d measured walls.",
                       RS_ALTERNATION_MIN_WALLS);
    rs_page_raw(page, "</li>\n<li>Lengths: ");
    if (s->has_lengths) {
        rs_page_format(
            page,
            "the %d measured walls of the map are %d once pieces that go on as each other "
            "over a gap are joined; %d of them are long, from ",
            s->measured, s->lengths.n[0] + s->lengths.n[1], s->lengths.n[0]);
        rs_page_quantity(page, s->limit, 3, length_unit(w));
        rs_page_raw(page, ".");
    } else {
        rs_page_raw(page, "not tested, too few walls were measured.");
    }
    if (s->has_trend && isfinite(s->trend.p))
        rs_page_format(page, "</li>\n<li>Distance: from %d large in-plane domains.", s->domains);
    rs_page_raw(page, "</li>\n</ul>\n");
}

void rs_report_findings(rs_page *page, const rs_report_walls_data *w)
{
    const rs_wall_tests *s = &w->stats;
    const rs_report_data *d = w->d;
    rs_finding f[RS_FINDINGS];
    int few;
    const int n = rs_wall_findings(s, f, &few);
    rs_page_format(page, "<p>%s: %d values on %d walls.", rs_report_role_name(w->role), s->points,
                   s->measured);
    rs_page_format(page,
                   " Left out: %d points without a loop, %d with one that is not to be trusted, %d "
                   "without this value, %d on no wall.</p>\n",
                   d->progress.points - d->loops, d->loops - d->trusted_loops,
                   s->unmeasured - (d->progress.points - d->trusted_loops), s->off);
    if (n) put_table(page, f, n, rs_report_unit(d, w->role));
    if (few) put_few(page, f + n, few);
    put_counts(page, w);
}
