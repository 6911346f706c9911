#include "spm/scan/region.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

_Static_assert(RS_LOOP_VALUES <= RS_SESSION_MAX_METRICS,
               "the session has room for a loop's values");

/* Names and units of a loop's values, responses being in volts. */
static void name_metrics(rs_session_metric *metric)
{
    for (int k = 0; k < RS_LOOP_VALUES; k++) {
        snprintf(metric[k].name, sizeof metric[k].name, "%s", rs_loop_value_name(k));
        rs_loop_value_unit(k, "V", metric[k].unit, sizeof metric[k].unit);
    }
}

reshed_status rs_region_setup(const rs_instrument *instrument, const rs_frame *frame,
                              const rs_scan_settings *s, double *frequency, double *voltage,
                              rs_session_metric *metric, rs_session_setup *out, reshed_error *err)
{
    const int bins = rs_instrument_caps(instrument)->bins, side = (int)s->patch;
    rs_session_setup r = {.caps = *rs_instrument_caps(instrument), .frame = *frame};
    for (int i = 0; i < bins; i++) /* as include/reshed_driver.h lays the bins out */
        frequency[i] = s->be_centre + (i - 0.5 * (bins - 1)) / s->be_duration;
    if (bins) {
        r.frequency = frequency;
        r.be = rs_scan_be(s);
    }
    if (s->voltage > 0) {
        reshed_status st = rs_scan_waveform(s, voltage, err);
        if (st != RESHED_OK) return st;
        r.spectroscopy = rs_scan_spectroscopy(s, voltage);
        if (!rs_instrument_caps(instrument)->off_field) r.spectroscopy.off_field = false;
        r.spectrum_bins = bins;
        r.spectrum_frequency = bins ? frequency : NULL;
        name_metrics(metric);
        r.metrics = RS_LOOP_VALUES;
        r.metric = metric;
        if (s->drift_every > 0 && side <= frame->rows && side <= frame->cols)
            r.patch_rows = r.patch_cols = side;
    }
    *out = r;
    return RESHED_OK;
}

/* --------------------------------------------------------------------------------------- points */

static rs_choose_options choose_options(const rs_scan_settings *s)
{
    rs_choose_options o;
    rs_choose_defaults(&o);
    o.threshold = s->threshold;
    o.thinning = (rs_find_thinning)(int)s->thinning;
    o.every = (int)s->every;
    o.min_wall = s->min_wall;
    o.min_distance = s->min_distance;
    o.margin = s->margin;
    o.max_points = (int)s->max_points;
    o.order = (rs_choose_order)(int)s->order;
    return o;
}

reshed_status rs_region_choose(const rs_scan_context *c, rs_live *stream, rs_choice *out,
                               reshed_error *err)
{
    const rs_frame *frame = &rs_session_get_setup(c->session)->frame;
    const rs_choose_options o = choose_options(c->settings);
    uint8_t *state = rs_zalloc((size_t)frame->rows, 1);
    rs_live_view v;
    if (!state) return rs_fail_nomem(err, "row states", (size_t)frame->rows);
    rs_live_get(stream, &v);
    for (int y = 0; y < v.height; y++)
        state[y] =
            v.state[y] == RS_ROW_FINAL && !v.stale[y] ? RS_SESSION_FINAL : RS_SESSION_UNSCANNED;
    reshed_status st = rs_choose(frame, v.mean, v.variance, state, NULL, &o, out, err);
    rs_free(state);
    return st;
}

static reshed_status put_masks(rs_session *s, const rs_choice *c, reshed_error *err)
{
    reshed_status st = rs_session_put_mask(s, RS_SESSION_BINARY, 0, c->rows, c->binary, err);
    if (st == RESHED_OK)
        st = rs_session_put_mask(s, RS_SESSION_SKELETON, 0, c->rows, c->skeleton, err);
    return st;
}

/* Keeps as many points as the budget has time for. The instrument has to know the loop to say how
 * long it takes. */
static rs_outcome thin(const rs_scan_context *c, rs_session_point *points, int *n)
{
    const rs_spectroscopy *loop = &rs_session_get_setup(c->session)->spectroscopy;
    const double budget = c->settings->budget;
    reshed_error err = {0};
    if (*n > 0) {
        const rs_driver_status st =
            rs_instrument_set_spectroscopy(c->instrument, loop, RS_SCAN_CALL, &err);
        if (st != RS_DRIVER_OK) return rs_outcome_driver(st, &err);
    }
    const double each = rs_measure_seconds(c->instrument, c->settings);
    if (budget <= 0 || each <= 0 || each * *n <= budget) return rs_outcome_of(RS_END_DONE);
    return rs_outcome_status(rs_choose_thin(points, *n, (int)(budget / each), n, &err), &err);
}

static rs_outcome check_places(const rs_scan_context *c, const rs_session_point *points, int n)
{
    reshed_error err = {0};
    reshed_status st = RESHED_OK;
    for (int i = 0; st == RESHED_OK && i < n; i++)
        st = rs_limits_check_place(rs_instrument_limits(c->instrument), points[i].x, points[i].y,
                                   &err);
    return rs_outcome_limits(st, &err);
}

static rs_outcome put_points(const rs_scan_context *c, const rs_session_point *points, int n,
                             int walls)
{
    char text[RS_SESSION_EVENT_TEXT];
    reshed_error err = {0};
    snprintf(text, sizeof text, "%d walls, %d points", walls, n);
    reshed_status st = rs_scan_log(c, RS_SESSION_NOTE, text, &err);
    if (st == RESHED_OK && n > 0) st = rs_session_put_points(c->session, 0, n, points, &err);
    return rs_outcome_status(st, &err);
}

/* Thins the choice, asks the caller, checks, and puts the points into the session. */
static rs_outcome settle_points(const rs_scan_context *c, const rs_region_options *o,
                                const rs_choice *choice)
{
    int n = choice->n;
    reshed_error err = {0};
    rs_session_point *points = rs_alloc((size_t)n + 1, sizeof *points);
    if (!points)
        return rs_outcome_status(rs_fail_nomem(&err, "points", (size_t)n * sizeof *points), &err);
    if (n) memcpy(points, choice->point, (size_t)n * sizeof *points);
    rs_outcome end = thin(c, points, &n);
    if (end.end == RS_END_DONE && o->confirm && !o->confirm(c->ctx, choice, &points, &n))
        end = rs_outcome_of(RS_END_UNCONFIRMED);
    if (end.end == RS_END_DONE) end = check_places(c, points, n);
    if (end.end == RS_END_DONE) end = put_points(c, points, n, choice->walls);
    rs_free(points);
    return end;
}

static rs_outcome choose_step(const rs_scan_context *c, rs_live *stream, const rs_region_options *o)
{
    rs_choice choice = {0};
    reshed_error err = {0};
    reshed_status st = rs_region_choose(c, stream, &choice, &err);
    if (st == RESHED_OK) st = put_masks(c->session, &choice, &err);
    const rs_outcome end =
        st == RESHED_OK ? settle_points(c, o, &choice) : rs_outcome_status(st, &err);
    rs_choice_clear(&choice);
    return end;
}

/* ------------------------------------------------------------------------------------ the steps */

static rs_outcome note_alarm(const rs_scan_context *c, const rs_region_options *o,
                             const rs_survey *survey)
{
    char text[RS_SESSION_EVENT_TEXT];
    reshed_error err = {0};
    const bool stop = c->settings->alarm != RS_SCAN_ALARM_CONTINUE;
    const char *fault = rs_survey_fault(survey), *then = stop ? "; no points are chosen" : "";
    if (*fault)
        snprintf(text, sizeof text, "no contrast to see walls by: %s%s", fault, then);
    else
        snprintf(text, sizeof text, "out of distribution: score %.3g exceeds %.3g%s",
                 rs_survey_score(survey, NULL), o->survey.alarm_score, then);
    const reshed_status st = rs_scan_log(c, RS_SESSION_WARNING, text, &err);
    if (st != RESHED_OK) return rs_outcome_status(st, &err);
    return rs_outcome_of(stop ? RS_END_ALARMED : RS_END_DONE);
}

/* Lines and map, once. */
static rs_outcome scan_once(rs_survey *survey, bool anew)
{
    const rs_outcome o = rs_survey_scan(survey, anew);
    return o.end == RS_END_DONE ? rs_survey_finish(survey, true) : o;
}

/* Lines and map, with what the alarm asks for. */
static rs_outcome survey_step(const rs_scan_context *c, rs_survey *survey,
                              const rs_region_options *o)
{
    rs_session_progress p;
    reshed_error err = {0};
    bool alarm;
    reshed_status st = rs_session_get_progress(c->session, &p, &err);
    if (st != RESHED_OK) return rs_outcome_status(st, &err);
    rs_outcome end = rs_outcome_of(RS_END_DONE);
    if (p.lines + p.lost > 0) end = rs_survey_replay(survey, true);
    if (end.end == RS_END_DONE) end = scan_once(survey, false);
    rs_survey_score(survey, &alarm);
    if (end.end == RS_END_DONE && alarm && p.points == 0 &&
        c->settings->alarm == RS_SCAN_ALARM_RESCAN) {
        st = rs_scan_log(c, RS_SESSION_WARNING, "out of distribution: the region is scanned again",
                         &err);
        if (st != RESHED_OK) return rs_outcome_status(st, &err);
        end = scan_once(survey, true);
        rs_survey_score(survey, &alarm);
    }
    if (end.end != RS_END_DONE && end.end != RS_END_ALARMED) return end;
    return alarm ? note_alarm(c, o, survey) : end;
}

static rs_outcome measure_step(const rs_scan_context *c, const rs_survey *survey,
                               const rs_region_options *o)
{
    const rs_spectroscopy *loop = &rs_session_get_setup(c->session)->spectroscopy;
    reshed_error err = {0};
    const rs_driver_status st =
        rs_instrument_set_spectroscopy(c->instrument, loop, RS_SCAN_CALL, &err);
    if (st != RS_DRIVER_OK) return rs_outcome_driver(st, &err);
    const rs_outcome end =
        rs_measure_points(c, rs_survey_map(survey, RS_SESSION_AMPLITUDE), o->measure_news);
    return end.end == RS_END_OUT_OF_TIME ? rs_outcome_of(RS_END_DONE) : end;
}

/* Chooses points unless the session has some, and measures those that are pending. */
static rs_outcome points_step(const rs_scan_context *c, rs_live *stream, const rs_survey *survey,
                              const rs_region_options *o)
{
    rs_session_progress p;
    reshed_error err = {0};
    reshed_status st = rs_session_get_progress(c->session, &p, &err);
    if (st == RESHED_OK && p.points == 0) {
        const rs_outcome end = choose_step(c, stream, o);
        if (end.end != RS_END_DONE) return end;
        st = rs_session_get_progress(c->session, &p, &err);
    }
    if (st != RESHED_OK) return rs_outcome_status(st, &err);
    return p.first_pending < p.points ? measure_step(c, survey, o) : rs_outcome_of(RS_END_DONE);
}

rs_outcome rs_region_run(const rs_scan_context *c, rs_live *stream, const rs_region_options *o)
{
    const rs_spectroscopy *loop = &rs_session_get_setup(c->session)->spectroscopy;
    rs_survey *survey = NULL;
    reshed_error err = {0};
    if (loop->steps > 0) { /* before anything moves, not after an hour's scan */
        const rs_outcome end = rs_outcome_limits(
            rs_limits_check_spectroscopy(rs_instrument_limits(c->instrument), loop, &err), &err);
        if (end.end != RS_END_DONE) return end;
    }
    const reshed_status st = rs_survey_create(c, stream, &o->survey, &survey, &err);
    if (st != RESHED_OK) return rs_outcome_status(st, &err);
    rs_outcome end = survey_step(c, survey, o);
    if (end.end == RS_END_DONE && loop->steps > 0) end = points_step(c, stream, survey, o);
    rs_survey_free(survey);
    return end;
}
