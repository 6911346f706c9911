#include "spm/scan/analyse.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "beps/flags.h"
#include "spm/scan/loops.h"

rs_outcome rs_analyse(const rs_scan_context *c, rs_live *stream, const rs_survey_options *o,
                      const rs_flow_step *step, float *mean, float *variance, rs_choice *choice,
                      double *metrics)
{
    const rs_session_setup *setup = rs_session_get_setup(c->session);
    const size_t n = (size_t)setup->frame.rows * (size_t)setup->frame.cols;
    rs_survey *survey = NULL;
    reshed_error err = {0};
    reshed_status st = rs_survey_create(c, stream, o, &survey, &err);
    if (st != RESHED_OK) return rs_outcome_status(st, &err);
    rs_outcome end = rs_survey_replay(survey, false);
    if (end.end == RS_END_DONE) end = rs_survey_finish(survey, false);
    if (end.end == RS_END_DONE) {
        if (mean) memcpy(mean, rs_survey_map(survey, RS_SESSION_MEAN), n * sizeof *mean);
        if (variance)
            memcpy(variance, rs_survey_map(survey, RS_SESSION_VARIANCE), n * sizeof *variance);
        if (choice) st = rs_region_choose(c, stream, step, choice, &err);
        if (st == RESHED_OK && metrics && setup->spectroscopy.steps > 0)
            st = rs_scan_loops_again(c, metrics, &err);
        end = rs_outcome_status(st, &err);
    }
    rs_survey_free(survey);
    return end;
}

/* ------------------------------------------------------------------------------- the comparison */

/* Marks in settled [rows] the rows in which the session and its analysis must agree. */
static reshed_status settled_rows(rs_session *s, bool complete, int rows, uint8_t *settled,
                                  int *count, reshed_error *err)
{
    reshed_status st = rs_session_read_states(s, 0, rows, settled, err);
    *count = 0;
    for (int r = 0; st == RESHED_OK && r < rows; r++) {
        settled[r] = complete || settled[r] == RS_SESSION_FINAL;
        *count += settled[r];
    }
    return st;
}

/* The larger of worst and |a - b|; NaN once there was a value on one side only. */
static double worse(double worst, double a, double b)
{
    if (isnan(worst) || (isnan(a) && isnan(b))) return worst;
    return fabs(a - b) <= worst ? worst : fabs(a - b);
}

/* Largest difference of a map from the session's, in the rows marked in `settled`. was [rows,cols]
 * is room for the session's. */
static reshed_status compare_map(rs_session *s, rs_session_map map, const float *now, float *was,
                                 const uint8_t *settled, double *worst, reshed_error *err)
{
    const rs_frame *f = &rs_session_get_setup(s)->frame;
    reshed_status st = rs_session_read_map(s, map, 0, f->rows, was, err);
    *worst = 0;
    for (int r = 0; st == RESHED_OK && r < f->rows; r++)
        for (int k = 0; settled[r] && k < f->cols; k++) {
            const size_t i = (size_t)r * (size_t)f->cols + (size_t)k;
            *worst = worse(*worst, (double)now[i], (double)was[i]);
        }
    return st;
}

static reshed_status compare_loops(rs_session *s, const double *metrics, rs_analysis *out,
                                   reshed_error *err)
{
    const int n = rs_session_get_setup(s)->metrics;
    double was[RS_SESSION_MAX_METRICS];
    rs_session_loop loop = {.metric = was};
    reshed_status st = RESHED_OK;
    for (int k = 0; st == RESHED_OK && k < out->progress.points; k++) {
        rs_session_point p;
        st = rs_session_read_points(s, k, 1, &p, err);
        if (st != RESHED_OK || p.state != RS_SESSION_MEASURED) continue;
        st = rs_session_read_loop(s, RS_SESSION_POINTS, k, &loop, err);
        for (int i = 0; st == RESHED_OK && i < n; i++)
            out->metric = worse(out->metric, was[i], metrics[(size_t)k * (size_t)n + (size_t)i]);
        out->loops++;
    }
    return st;
}

static reshed_status compare(rs_session *s, const float *mean, const float *variance,
                             const double *metrics, float *was, uint8_t *settled, rs_analysis *out,
                             reshed_error *err)
{
    const int rows = rs_session_get_setup(s)->frame.rows;
    reshed_status st = settled_rows(s, out->progress.complete, rows, settled, &out->rows, err);
    if (st == RESHED_OK) st = compare_map(s, RS_SESSION_MEAN, mean, was, settled, &out->mean, err);
    if (st == RESHED_OK)
        st = compare_map(s, RS_SESSION_VARIANCE, variance, was, settled, &out->variance, err);
    if (st == RESHED_OK) st = compare_loops(s, metrics, out, err);
    return st == RESHED_OK ? rs_scan_loops_trusted(s, &out->trusted, err) : st;
}

/* Tests the loops' width on the walls, as the report does. metrics: of all points, anew. */
static reshed_status test_walls(rs_session *s, rs_choice *choice, const double *metrics,
                                rs_analysis *out, reshed_error *err)
{
    const rs_session_setup *setup = rs_session_get_setup(s);
    const int n = out->progress.points, m = rs_loop_value_find("width_mid"),
              flags = rs_loop_value_find("flags");
    rs_wall_tests_options o;
    reshed_status st = RESHED_OK;
    if (setup->metrics <= m || setup->metrics <= flags || out->trusted == 0) return RESHED_OK;
    rs_place *place = rs_alloc((size_t)n, sizeof *place);
    double *value = rs_alloc((size_t)n, sizeof *value);
    int *kind = rs_alloc((size_t)n, sizeof *kind);
    if (!place || !value || !kind) st = rs_fail_nomem(err, "values", (size_t)n * sizeof *place);
    for (int k = 0; st == RESHED_OK && k < n; k++) {
        const double *metric = metrics + (size_t)k * (size_t)setup->metrics;
        rs_session_point p;
        st = rs_session_read_points(s, k, 1, &p, err);
        if (st != RESHED_OK) break;
        place[k] = (rs_place){p.row, p.col};
        kind[k] = p.kind > RS_POINT_WALL && p.kind <= RS_WALL_CONTROLS ? p.kind : RS_POINT_WALL;
        const bool good = p.state == RS_SESSION_MEASURED && !rs_loop_flags_bad(metric[flags]);
        value[k] = good ? metric[m] : NAN;
    }
    rs_wall_tests_defaults(&choice->graph.grid, &o);
    if (st == RESHED_OK)
        st = rs_wall_tests_places(&choice->graph, &o, place, kind, value, n, &out->tests, err);
    if (st == RESHED_OK) out->tested = "width_mid";
    rs_free(place);
    rs_free(kind);
    rs_free(value);
    return st;
}

void rs_analysis_clear(rs_analysis *a)
{
    rs_wall_tests_clear(&a->tests);
}

rs_outcome rs_analyse_compare(const rs_scan_context *c, rs_live *stream, const rs_survey_options *o,
                              const rs_flow_step *step, rs_analysis *out)
{
    const rs_session_setup *setup = rs_session_get_setup(c->session);
    const size_t n = (size_t)setup->frame.rows * (size_t)setup->frame.cols;
    rs_analysis a = {.mean = NAN, .variance = NAN, .tested = NULL};
    rs_choice choice = {0};
    reshed_error err = {0};
    /* The room that is needed is only known once the progress could be read. */
    reshed_status st = rs_session_get_progress(c->session, &a.progress, &err);
    if (st == RESHED_OK && a.progress.lines == 0)
        st = rs_fail(&err, RESHED_EINVAL,
                     "nothing to analyse|a session with lines|none: it ended before its first one");
    if (st != RESHED_OK) return rs_outcome_status(st, &err);
    const size_t values = (size_t)a.progress.points * (size_t)setup->metrics;
    float *map = rs_alloc(3 * n, sizeof *map);
    double *metrics = rs_zalloc(values + 1, sizeof *metrics);
    uint8_t *settled = rs_zalloc((size_t)setup->frame.rows, 1);
    rs_outcome end;
    if (!map || !metrics || !settled) {
        st = rs_fail_nomem(&err, "maps", 3 * n * sizeof *map + values * sizeof *metrics);
        end = rs_outcome_status(st, &err);
    } else {
        end = rs_analyse(c, stream, o, step, map, map + n, &choice, metrics);
    }
    if (end.end == RS_END_DONE) {
        a.walls = choice.walls;
        a.families = choice.families;
        a.chosen = choice.n;
        a.wall_length = rs_wallgraph_length(&choice.graph);
        st = compare(c->session, map, map + n, metrics, map + 2 * n, settled, &a, &err);
        if (st == RESHED_OK) st = test_walls(c->session, &choice, metrics, &a, &err);
        end = rs_outcome_status(st, &err);
    }
    if (end.end == RS_END_DONE)
        *out = a;
    else
        rs_analysis_clear(&a);
    rs_choice_clear(&choice);
    rs_free(map);
    rs_free(metrics);
    rs_free(settled);
    return end;
}
