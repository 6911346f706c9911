#include "spm/scan/region.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"

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

reshed_status rs_region_setup(rs_instrument *instrument, const rs_frame *frame,
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

/* -------------------------------------------------------------------------------------- points */

static rs_choose_options choose_options(const rs_scan_settings *s)
{
    rs_choose_options o;
    rs_choose_defaults(&o);
    o.threshold = s->threshold;
    o.every = (int)s->every;
    o.min_wall = s->min_wall;
    o.margin = s->margin;
    o.max_points = (int)s->max_points;
    o.order = (rs_choose_order)(int)s->order;
    return o;
}

static reshed_status choose(const rs_session_setup *setup, rs_live *stream,
                            const rs_scan_settings *settings, rs_choice *out, reshed_error *err)
{
    const rs_choose_options o = choose_options(settings);
    uint8_t *state = rs_zalloc((size_t)setup->frame.rows, 1);
    rs_live_view v;
    if (!state) return rs_fail_nomem(err, "row states", (size_t)setup->frame.rows);
    rs_live_get(stream, &v);
    for (int y = 0; y < v.height; y++)
        state[y] =
            v.state[y] == RS_ROW_FINAL && !v.stale[y] ? RS_SESSION_FINAL : RS_SESSION_UNSCANNED;
    reshed_status st = rs_choose(&setup->frame, v.mean, v.variance, state, NULL, &o, out, err);
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

/* As many points as the budget has time for. */
static reshed_status thin(rs_instrument *instrument, const rs_scan_settings *s,
                          rs_session_point *points, int *n, reshed_error *err)
{
    const double each = rs_measure_seconds(instrument, s);
    if (s->budget <= 0 || each <= 0 || each * *n <= s->budget) return RESHED_OK;
    return rs_choose_thin(points, *n, (int)(s->budget / each), n, err);
}

/* Chooses, asks, and puts the points into the session. */
static rs_region_end choose_points(rs_session *session, rs_instrument *instrument, rs_live *stream,
                                   const rs_region_options *o, rs_driver_status *status,
                                   reshed_error *err)
{
    const rs_session_setup *setup = rs_session_get_setup(session);
    rs_choice c = {0};
    rs_session_point *points = NULL;
    rs_region_end end = RS_REGION_FAILED;
    int n = 0;
    char text[RS_SESSION_EVENT_TEXT];
    reshed_status st = choose(setup, stream, o->settings, &c, err);
    if (st == RESHED_OK) st = put_masks(session, &c, err);
    if (st != RESHED_OK) goto cleanup;
    n = c.n;
    points = rs_alloc((size_t)n + 1, sizeof *points);
    if (!points) {
        rs_fail_nomem(err, "points", (size_t)n * sizeof *points);
        goto cleanup;
    }
    if (n) memcpy(points, c.point, (size_t)n * sizeof *points);
    if (n > 0) { /* the instrument has to know a loop to say how long it takes */
        *status = rs_instrument_set_spectroscopy(instrument, &setup->spectroscopy, 10, err);
        if (*status != RS_DRIVER_OK) goto cleanup;
    }
    if (thin(instrument, o->settings, points, &n, err) != RESHED_OK) goto cleanup;
    if (o->confirm && !o->confirm(o->ctx, &c, &points, &n)) {
        end = RS_REGION_UNCONFIRMED;
        goto cleanup;
    }
    for (int i = 0; i < n; i++)
        if (rs_limits_check_place(rs_instrument_limits(instrument), points[i].x, points[i].y,
                                  err) != RESHED_OK)
            goto cleanup;
    snprintf(text, sizeof text, "%d walls, %d points", c.walls, n);
    st =
        rs_session_add_event(session, rs_os_monotonic() - o->time_zero, RS_SESSION_NOTE, text, err);
    if (st == RESHED_OK && n > 0) st = rs_session_put_points(session, 0, n, points, err);
    if (st == RESHED_OK) end = RS_REGION_COMPLETE;
cleanup:
    rs_free(points);
    rs_choice_clear(&c);
    return end;
}

/* ---------------------------------------------------------------------------------- the steps */

static rs_survey_options survey_options(const rs_region_options *o)
{
    return (rs_survey_options){.threads = o->threads,
                               .queue = {.queue = (int)o->settings->queue,
                                         .poll = 0.25,
                                         .line_timeout = o->settings->line_timeout},
                               .time_zero = o->time_zero,
                               .ctx = o->ctx,
                               .news = o->survey_news,
                               .interrupted = o->interrupted,
                               .score = o->score,
                               .alarm_score = o->alarm_score,
                               .stop_at_alarm = o->settings->alarm == RS_SCAN_ALARM_STOP};
}

static rs_region_end note_alarm(rs_session *session, const rs_region_options *o, double score,
                                reshed_error *err)
{
    char text[RS_SESSION_EVENT_TEXT];
    const bool stop = o->settings->alarm != RS_SCAN_ALARM_CONTINUE;
    snprintf(text, sizeof text, "out of distribution: score %.3g exceeds %.3g%s", score,
             o->alarm_score, stop ? "; no points are chosen" : "");
    const reshed_status st = rs_session_add_event(session, rs_os_monotonic() - o->time_zero,
                                                  RS_SESSION_WARNING, text, err);
    if (st != RESHED_OK) return RS_REGION_FAILED;
    return stop ? RS_REGION_ALARMED : RS_REGION_COMPLETE;
}

/* Lines and map, once. COMPLETE: the frame is finished, with or without an alarm. */
static rs_region_end scan_once(rs_survey *survey, rs_session *session, rs_instrument *instrument,
                               bool again, rs_driver_status *status, reshed_error *err)
{
    switch (rs_survey_scan(survey, instrument, &rs_session_get_setup(session)->frame, again, status,
                           err)) {
    case RS_SURVEY_COMPLETE: break;
    case RS_SURVEY_INTERRUPTED: return RS_REGION_INTERRUPTED;
    case RS_SURVEY_ALARMED: return RS_REGION_ALARMED;
    case RS_SURVEY_FAILED: return RS_REGION_FAILED;
    }
    return rs_survey_finish(survey, true, err) == RESHED_OK ? RS_REGION_COMPLETE : RS_REGION_FAILED;
}

/* Lines and map, with what the alarm asks for. COMPLETE: go on. */
static rs_region_end survey_step(rs_survey *survey, rs_session *session, rs_instrument *instrument,
                                 const rs_region_options *o, rs_driver_status *status,
                                 reshed_error *err)
{
    rs_session_progress p;
    bool alarm;
    reshed_status st = rs_session_get_progress(session, &p, err);
    if (st == RESHED_OK && p.lines + p.lost > 0) st = rs_survey_replay(survey, true, err);
    if (st != RESHED_OK) return RS_REGION_FAILED;
    rs_region_end end = scan_once(survey, session, instrument, false, status, err);
    double score = rs_survey_score(survey, &alarm);
    if (end == RS_REGION_COMPLETE && alarm && p.points == 0 &&
        o->settings->alarm == RS_SCAN_ALARM_RESCAN) {
        st = rs_session_add_event(session, rs_os_monotonic() - o->time_zero, RS_SESSION_WARNING,
                                  "out of distribution: the region is scanned again", err);
        if (st != RESHED_OK) return RS_REGION_FAILED;
        end = scan_once(survey, session, instrument, true, status, err);
        score = rs_survey_score(survey, &alarm);
    }
    if (end != RS_REGION_COMPLETE && end != RS_REGION_ALARMED) return end;
    return alarm ? note_alarm(session, o, score, err) : end;
}

static rs_region_end measure_step(rs_survey *survey, rs_session *session, rs_instrument *instrument,
                                  const rs_region_options *o, rs_driver_status *status,
                                  reshed_error *err)
{
    const rs_spectroscopy *sp = &rs_session_get_setup(session)->spectroscopy;
    const rs_measure_options mo = {.time_zero = o->time_zero,
                                   .threads = o->threads,
                                   .ctx = o->ctx,
                                   .news = o->measure_news,
                                   .interrupted = o->interrupted};
    *status = rs_instrument_set_spectroscopy(instrument, sp, 10, err);
    if (*status != RS_DRIVER_OK) return RS_REGION_FAILED;
    switch (rs_measure_points(session, instrument, o->settings,
                              rs_survey_map(survey, RS_SESSION_AMPLITUDE), &mo, status, err)) {
    case RS_MEASURE_COMPLETE:
    case RS_MEASURE_OUT_OF_TIME: return RS_REGION_COMPLETE;
    case RS_MEASURE_INTERRUPTED: return RS_REGION_INTERRUPTED;
    case RS_MEASURE_TIP_CHANGED: return RS_REGION_TIP_CHANGED;
    case RS_MEASURE_FAILED: break;
    }
    return RS_REGION_FAILED;
}

rs_region_end rs_region_run(rs_session *session, rs_instrument *instrument, rs_live *stream,
                            const rs_region_options *o, rs_driver_status *status, reshed_error *err)
{
    const rs_survey_options so = survey_options(o);
    const rs_session_setup *setup = rs_session_get_setup(session);
    rs_survey *survey = NULL;
    rs_session_progress p;
    *status = RS_DRIVER_OK;
    if (setup->spectroscopy.steps > 0 && /* before anything moves, not after an hour's scan */
        rs_limits_check_spectroscopy(rs_instrument_limits(instrument), &setup->spectroscopy, err) !=
            RESHED_OK) {
        *status = RS_DRIVER_REFUSED;
        return RS_REGION_FAILED;
    }
    if (rs_survey_create(session, stream, &so, &survey, err) != RESHED_OK) return RS_REGION_FAILED;
    rs_region_end end = survey_step(survey, session, instrument, o, status, err);
    if (end == RS_REGION_COMPLETE && rs_session_get_progress(session, &p, err) != RESHED_OK)
        end = RS_REGION_FAILED;
    if (end == RS_REGION_COMPLETE && setup->spectroscopy.steps > 0) {
        if (p.points == 0) end = choose_points(session, instrument, stream, o, status, err);
        if (end == RS_REGION_COMPLETE && rs_session_get_progress(session, &p, err) != RESHED_OK)
            end = RS_REGION_FAILED;
        if (end == RS_REGION_COMPLETE && p.first_pending < p.points)
            end = measure_step(survey, session, instrument, o, status, err);
    }
    rs_survey_free(survey);
    return end;
}

reshed_status rs_region_analyse(rs_session *session, rs_live *stream, const rs_region_options *o,
                                float *mean, float *variance, rs_choice *choice, double *metrics,
                                reshed_error *err)
{
    const rs_session_setup *setup = rs_session_get_setup(session);
    const size_t n = (size_t)setup->frame.rows * (size_t)setup->frame.cols;
    const rs_survey_options so = survey_options(o);
    rs_survey *survey = NULL;
    reshed_status st = rs_survey_create(session, stream, &so, &survey, err);
    if (st == RESHED_OK) st = rs_survey_replay(survey, false, err);
    if (st == RESHED_OK) st = rs_survey_finish(survey, false, err);
    if (st == RESHED_OK && mean)
        memcpy(mean, rs_survey_map(survey, RS_SESSION_MEAN), n * sizeof *mean);
    if (st == RESHED_OK && variance)
        memcpy(variance, rs_survey_map(survey, RS_SESSION_VARIANCE), n * sizeof *variance);
    if (st == RESHED_OK && choice) st = choose(setup, stream, o->settings, choice, err);
    if (st == RESHED_OK && setup->spectroscopy.steps > 0)
        st = rs_measure_analyse(session, o->settings, false, metrics, err);
    rs_survey_free(survey);
    return st;
}
