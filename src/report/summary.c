#include "report/summary.h"

#include <math.h>

#include "base/alloc.h"
#include "base/statistics.h"
#include "base/text.h"
#include "report/wall_data.h"

_Static_assert(RS_REPORT_METRICS == RS_REPORT_ROLES, "a place for each metric");

/* The quantiles of the metrics, work [points]. */
static void take_metrics(const rs_report_data *d, double *work, rs_report_summary *out)
{
    for (int r = 0; r < RS_REPORT_ROLES; r++) {
        const double *value = rs_report_metric(d, (rs_report_role)r);
        const size_t points = (size_t)d->progress.points;
        int n = 0;
        for (size_t k = 0; value && k < points; k++) n += isfinite(value[k]) != 0;
        if (n == 0) continue;
        rs_text_copy(out->metric[out->metrics].name, 64, d->setup->metric[d->role[r]].name);
        rs_text_copy(out->metric[out->metrics].unit, 16, rs_report_unit(d, (rs_report_role)r));
        out->metric[out->metrics].n = n;
        out->metric[out->metrics].median = rs_quantile(value, points, 0.5, work);
        out->metric[out->metrics].q1 = rs_quantile(value, points, 0.25, work);
        out->metric[out->metrics].q3 = rs_quantile(value, points, 0.75, work);
        out->metric[out->metrics].least = rs_quantile(value, points, 0, work);
        out->metric[out->metrics++].greatest = rs_quantile(value, points, 1, work);
    }
}

static void take_walls(const rs_report_data *d, rs_report_walls_data *w, rs_report_summary *out)
{
    out->walls = w->found.graph.walls;
    out->families = w->found.families;
    out->wall_length = rs_wallgraph_length(&w->found.graph);
    if (w->stats.measured == 0) return;
    rs_text_copy(out->tested, sizeof out->tested, d->setup->metric[d->role[w->role]].name);
    out->tests = w->stats;
    w->stats = (rs_wall_tests){0};
}

reshed_status rs_report_summarise(rs_session *s, rs_report_summary *out, reshed_error *err)
{
    rs_report_data d = {0};
    rs_report_walls_data w = {0};
    double *work = NULL;
    *out = (rs_report_summary){0};
    reshed_status st = rs_report_data_read(s, &d, err);
    if (st == RESHED_OK && !(work = rs_alloc((size_t)d.progress.points + 1, sizeof *work)))
        st = rs_fail_nomem(err, "a summary", (size_t)d.progress.points * sizeof *work);
    if (st == RESHED_OK && d.has_mask[RS_SESSION_SKELETON]) st = rs_report_walls_take(&d, &w, err);
    if (st == RESHED_OK) {
        out->lines = d.progress.lines;
        out->lost = d.progress.lost;
        out->points = d.progress.points;
        out->measured = d.progress.measured;
        out->loops = d.loops;
        out->trusted = d.trusted_loops;
        take_metrics(&d, work, out);
        take_walls(&d, &w, out);
    }
    rs_free(work);
    rs_report_walls_clear(&w);
    rs_report_data_clear(&d);
    return st;
}

void rs_report_summary_clear(rs_report_summary *s)
{
    rs_wall_tests_clear(&s->tests);
}
