#include "spm/scan/region.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "spm/scan/decide.h"
#include "spm/scan/steer.h"

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

static rs_choose_options choose_options(const rs_scan_settings *s, const rs_flow_step *step)
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
    o.on_180 = s->on_180 != 0;
    if (!step) return o;
    o.walls = step->walls;
    o.a_domain = step->a_domain;
    o.c_domain = step->c_domain;
    o.control_distance = step->control_distance;
    return o;
}

/* Amplitude and phase of the session, [rows,cols] each, one block that is the caller's. They are the
 * bits that reshed-walls reads. */
static reshed_status read_phase(const rs_scan_context *c, float **maps, reshed_error *err)
{
    const rs_frame *frame = &rs_session_get_setup(c->session)->frame;
    const size_t n = (size_t)frame->rows * (size_t)frame->cols;
    *maps = rs_alloc(n, 2 * sizeof **maps);
    if (!*maps) return rs_fail_nomem(err, "amplitude and phase", 2 * n * sizeof **maps);
    reshed_status st =
        rs_session_read_map(c->session, RS_SESSION_AMPLITUDE, 0, frame->rows, *maps, err);
    if (st == RESHED_OK)
        st = rs_session_read_map(c->session, RS_SESSION_PHASE, 0, frame->rows, *maps + n, err);
    if (st != RESHED_OK) {
        rs_free(*maps);
        *maps = NULL;
    }
    return st;
}

reshed_status rs_region_choose(const rs_scan_context *c, rs_live *stream, const rs_flow_step *step,
                               rs_choice *out, reshed_error *err)
{
    const rs_frame *frame = &rs_session_get_setup(c->session)->frame;
    const rs_scan_settings settings =
        step ? rs_flow_step_settings(c->settings, step) : *c->settings;
    rs_choose_options o = choose_options(&settings, step);
    float *maps = NULL;
    uint8_t *state = rs_zalloc((size_t)frame->rows, 1);
    rs_live_view v;
    if (!state) return rs_fail_nomem(err, "row states", (size_t)frame->rows);
    rs_live_get(stream, &v);
    for (int y = 0; y < v.height; y++)
        state[y] =
            v.state[y] == RS_ROW_FINAL && !v.stale[y] ? RS_SESSION_FINAL : RS_SESSION_UNSCANNED;
    reshed_status st = read_phase(c, &maps, err);
    if (maps) {
        o.amplitude = maps;
        o.phase = maps + (size_t)frame->rows * (size_t)frame->cols;
    }
    if (st == RESHED_OK) st = rs_choose(frame, v.mean, v.variance, state, NULL, &o, out, err);
    rs_free(maps);
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
static rs_outcome thin(const rs_scan_context *c, double spent, rs_session_point *points, int *n)
{
    const rs_spectroscopy *loop = &rs_session_get_setup(c->session)->spectroscopy;
    const double budget = c->settings->budget, left = fmax(budget - spent, 0);
    reshed_error err = {0};
    if (*n > 0) {
        const rs_driver_status st =
            rs_instrument_set_spectroscopy(c->instrument, loop, RS_SCAN_CALL, &err);
        if (st != RS_DRIVER_OK) return rs_outcome_driver(st, &err);
    }
    const rs_durations t = rs_measure_planned(c->instrument, c->settings, *n);
    if (budget <= 0 || t.point <= 0) return rs_outcome_of(RS_END_DONE);
    const int fit = rs_durations_fit(&t, c->settings, 0, *n, left);
    return rs_outcome_status(rs_choose_thin(points, *n, fit, n, &err), &err);
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

/* The steps at work. */
typedef struct work {
    const rs_scan_context *c;
    rs_live *stream;
    const rs_region_options *o;
    rs_survey *survey;
    rs_flow steps;
    rs_flow_place place;
    double spent; /* s of the budget, by all lists of this run */
} work;

static const rs_flow_step *step_of(const work *w)
{
    return &w->steps.step[w->place.at];
}

/* Goes on to the next step, and notes that, which becomes durable with the next put that does. */
static reshed_status mark(work *w, bool again, reshed_error *err)
{
    char text[RS_SESSION_EVENT_TEXT];
    rs_flow_mark(&w->steps, &w->place, again, text, sizeof text);
    return rs_scan_log(w->c, RS_SESSION_NOTE, text, err);
}

/* The same for a step that puts nothing else. */
static rs_outcome mark_alone(work *w, bool again)
{
    reshed_error err = {0};
    reshed_status st = mark(w, again, &err);
    if (st == RESHED_OK) st = rs_session_commit(w->c->session, &err);
    return rs_outcome_status(st, &err);
}

/* Adds the points to those that the session has. */
static rs_outcome put_points(work *w, rs_session_point *points, int n, int walls)
{
    char text[RS_SESSION_EVENT_TEXT];
    reshed_error err = {0};
    rs_session_progress p;
    snprintf(text, sizeof text, "%d walls, %d points", walls, n);
    reshed_status st = rs_session_get_progress(w->c->session, &p, &err);
    if (st == RESHED_OK) st = rs_scan_log(w->c, RS_SESSION_NOTE, text, &err);
    if (st == RESHED_OK) st = mark(w, false, &err);
    for (int i = 0; st == RESHED_OK && i < n; i++) points[i].target += p.points;
    if (st == RESHED_OK)
        st = n > 0 ? rs_session_put_points(w->c->session, p.points, n, points, &err)
                   : rs_session_commit(w->c->session, &err);
    return rs_outcome_status(st, &err);
}

/* The run's max_points is for all choices together; a step's own is for each time that it is done. */
static reshed_status find_most(const work *w, int *most, reshed_error *err)
{
    const rs_flow_step *t = step_of(w);
    rs_session_progress p;
    for (int k = 0; k < t->rules; k++)
        if (strcmp(t->rule[k].field->name, "max_points") == 0) {
            *most = (int)t->rule[k].value;
            return RESHED_OK;
        }
    const reshed_status st = rs_session_get_progress(w->c->session, &p, err);
    if (st == RESHED_OK) *most = (int)w->c->settings->max_points - p.points;
    return st;
}

/* Thins the choice, asks the caller, checks, and puts the points into the session. */
static rs_outcome settle_points(work *w, const rs_choice *choice)
{
    const rs_scan_context *c = w->c;
    int n = choice->n;
    reshed_error err = {0};
    rs_session_point *points = rs_alloc((size_t)n + 1, sizeof *points);
    if (!points)
        return rs_outcome_status(rs_fail_nomem(&err, "points", (size_t)n * sizeof *points), &err);
    if (n) memcpy(points, choice->point, (size_t)n * sizeof *points);
    int most = 0;
    reshed_status st = find_most(w, &most, &err);
    if (st == RESHED_OK) st = rs_choose_thin(points, n, most, &n, &err);
    rs_outcome end = rs_outcome_status(st, &err);
    if (end.end == RS_END_DONE) end = thin(c, w->spent, points, &n);
    if (end.end == RS_END_DONE && w->o->confirm && !w->o->confirm(c->ctx, choice, &points, &n))
        end = rs_outcome_of(RS_END_UNCONFIRMED);
    if (end.end == RS_END_DONE && w->o->ask && c->helm)
        end = rs_steer_confirm(c, choice, most, &points, &n);
    if (end.end == RS_END_DONE) end = check_places(c, points, n);
    if (end.end == RS_END_DONE)
        end = rs_outcome_status(
            rs_decide_order(&choice->graph, choice->families, c->settings, points, n, &err), &err);
    if (end.end == RS_END_DONE) end = put_points(w, points, n, choice->walls);
    rs_free(points);
    return end;
}

static rs_outcome choose_points(work *w)
{
    rs_choice choice = {0};
    reshed_error err = {0};
    rs_steer_phase(w->c, RS_HELM_CHOOSE, false, "");
    reshed_status st = rs_region_choose(w->c, w->stream, step_of(w), &choice, &err);
    if (st == RESHED_OK) st = put_masks(w->c->session, &choice, &err);
    const rs_outcome end =
        st == RESHED_OK ? settle_points(w, &choice) : rs_outcome_status(st, &err);
    rs_choice_clear(&choice);
    return end;
}

/* ------------------------------------------------------------------------------------ the steps */

/* The stop waits for a repeat that is under way until the map is calm, unless points come before its end. */
static bool waits_for_calm(const work *w)
{
    for (int i = w->place.at; i < w->steps.n; i++) {
        const rs_flow_step *t = &w->steps.step[i];
        if (t->kind == RS_STEP_CHOOSE || t->kind == RS_STEP_LOOPS) return false;
        if (t->kind == RS_STEP_REPEAT)
            return t->until == RS_STEP_CALM && (w->place.at > i - t->back || w->place.round > 1);
    }
    return false;
}

/* DONE without an alarm. */
static rs_outcome heed_alarm(const work *w)
{
    const rs_scan_context *c = w->c;
    char text[RS_SESSION_EVENT_TEXT];
    reshed_error err = {0};
    bool alarm;
    const double score = rs_survey_score(w->survey, &alarm);
    const bool stop = c->settings->alarm != RS_SCAN_ALARM_CONTINUE && !waits_for_calm(w);
    const char *fault = rs_survey_fault(w->survey), *then = !stop ? ""
                                                            : w->place.at == 0
                                                                ? "; no points are chosen"
                                                                : "; it goes no further";
    if (!alarm) return rs_outcome_of(RS_END_DONE);
    if (*fault)
        snprintf(text, sizeof text, "no contrast to see walls by: %s%s", fault, then);
    else
        snprintf(text, sizeof text, "out of distribution: score %.3g exceeds %.3g%s", score,
                 w->o->survey.alarm_score, then);
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
static rs_outcome survey_step(const work *w)
{
    const rs_scan_context *c = w->c;
    rs_survey *survey = w->survey;
    rs_session_progress p;
    reshed_error err = {0};
    bool alarm;
    rs_steer_phase(c, RS_HELM_SURVEY, false, "");
    reshed_status st = rs_session_get_progress(c->session, &p, &err);
    if (st != RESHED_OK) return rs_outcome_status(st, &err);
    rs_outcome end = rs_outcome_of(RS_END_DONE);
    if (p.lines + p.lost > 0) end = rs_survey_replay(survey, true);
    if (end.end == RS_END_DONE) end = scan_once(survey, false);
    rs_survey_score(survey, &alarm);
    if (end.end == RS_END_DONE && alarm && p.points == 0 && w->place.at == 0 &&
        c->settings->alarm == RS_SCAN_ALARM_RESCAN) {
        st = rs_scan_log(c, RS_SESSION_WARNING, "out of distribution: the region is scanned again",
                         &err);
        if (st != RESHED_OK) return rs_outcome_status(st, &err);
        end = scan_once(survey, true);
        rs_survey_score(survey, &alarm);
    }
    if (end.end != RS_END_DONE && end.end != RS_END_ALARMED) return end;
    const rs_outcome heeded = heed_alarm(w);
    return alarm ? heeded : end;
}

static rs_outcome rescan_step(work *w)
{
    const rs_flow_step *t = step_of(w);
    char text[RS_SESSION_EVENT_TEXT];
    reshed_error err = {0};
    snprintf(text, sizeof text, "rows %d to %d are scanned again", t->first, t->last);
    rs_steer_phase(w->c, RS_HELM_RESCAN, false, text);
    const reshed_status st = rs_scan_log(w->c, RS_SESSION_NOTE, text, &err);
    if (st != RESHED_OK) return rs_outcome_status(st, &err);
    rs_outcome end = rs_survey_rescan(w->survey, t->first, t->last);
    if (end.end == RS_END_DONE) end = mark_alone(w, false);
    return end.end == RS_END_DONE ? heed_alarm(w) : end;
}

/* Sessions of older programs have no notes of steps, but their points were chosen. */
static rs_outcome choose_step(work *w)
{
    rs_session_progress p;
    reshed_error err = {0};
    bool first = w->place.round == 1;
    for (int i = 0; i < w->place.at; i++) first &= w->steps.step[i].kind != RS_STEP_CHOOSE;
    const reshed_status st = rs_session_get_progress(w->c->session, &p, &err);
    if (st != RESHED_OK) return rs_outcome_status(st, &err);
    return first && p.points > 0 ? mark_alone(w, false) : choose_points(w);
}

static rs_outcome loops_step(work *w)
{
    const rs_scan_context *c = w->c;
    const rs_spectroscopy *loop = &rs_session_get_setup(c->session)->spectroscopy;
    rs_session_progress p;
    reshed_error err = {0};
    rs_outcome end;
    const reshed_status st = rs_session_get_progress(c->session, &p, &err);
    if (st != RESHED_OK) return rs_outcome_status(st, &err);
    if (p.first_pending >= p.points) return mark_alone(w, false);
    rs_steer_phase(c, RS_HELM_LOOPS, false, "");
    const rs_driver_status driver =
        rs_instrument_set_spectroscopy(c->instrument, loop, RS_SCAN_CALL, &err);
    if (driver != RS_DRIVER_OK) return rs_outcome_driver(driver, &err);
    const rs_measure_options o = {.survey = rs_survey_map(w->survey, RS_SESSION_AMPLITUDE),
                                  .fresh = rs_survey_fresh(w->survey),
                                  .spent = &w->spent,
                                  .news = w->o->measure_news};
    end = rs_measure_points(c, &o);
    if (end.end != RS_END_DONE && end.end != RS_END_OUT_OF_TIME) return end;
    return mark_alone(w, false);
}

static rs_outcome repeat_step(work *w)
{
    const rs_flow_step *t = step_of(w);
    bool alarm;
    rs_survey_score(w->survey, &alarm);
    const bool again = w->place.round < t->times && (t->until == RS_STEP_TIMES || alarm);
    const rs_outcome end = mark_alone(w, again);
    return end.end == RS_END_DONE && !again && t->until == RS_STEP_CALM ? heed_alarm(w) : end;
}

static rs_outcome do_step(work *w)
{
    switch (step_of(w)->kind) {
    case RS_STEP_RESCAN: return rescan_step(w);
    case RS_STEP_CHOOSE: return choose_step(w);
    case RS_STEP_LOOPS: return loops_step(w);
    case RS_STEP_REPEAT: return repeat_step(w);
    default: return mark_alone(w, false);
    }
}

/* The step that an interrupted run was at, from the notes in its session. */
static reshed_status find_place(work *w, reshed_error *err)
{
    rs_session_progress p;
    rs_session_event e;
    w->place = (rs_flow_place){.round = 1};
    reshed_status st = rs_session_get_progress(w->c->session, &p, err);
    for (int i = 0; st == RESHED_OK && i < p.events; i++) {
        st = rs_session_read_events(w->c->session, i, 1, &e, err);
        if (st == RESHED_OK) rs_flow_take_mark(&w->steps, &w->place, e.text);
    }
    return st;
}

/* Survey first, in any case: of a session that has the lines it makes the map. */
static rs_outcome do_steps(work *w, bool measures)
{
    reshed_error err = {0};
    const reshed_status st = find_place(w, &err);
    if (st != RESHED_OK) return rs_outcome_status(st, &err);
    rs_outcome end = survey_step(w);
    if (end.end == RS_END_DONE && w->place.at == 0) end = mark_alone(w, false);
    while (end.end == RS_END_DONE && w->place.at < w->steps.n) {
        const rs_flow_step_kind kind = step_of(w)->kind;
        const bool left_out = !measures && (kind == RS_STEP_CHOOSE || kind == RS_STEP_LOOPS ||
                                            kind == RS_STEP_REPEAT);
        if (rs_scan_interrupted(w->c)) return rs_outcome_of(RS_END_INTERRUPTED);
        end = left_out ? mark_alone(w, false) : do_step(w);
    }
    return end;
}

rs_outcome rs_region_run(const rs_scan_context *c, rs_live *stream, const rs_region_options *o)
{
    const rs_spectroscopy *loop = &rs_session_get_setup(c->session)->spectroscopy;
    work w = {.c = c, .stream = stream, .o = o};
    reshed_error err = {0};
    if (o->steps)
        w.steps = *o->steps;
    else
        rs_flow_default(&w.steps);
    if (loop->steps > 0) { /* before anything moves, not after an hour's scan */
        const rs_outcome end = rs_outcome_limits(
            rs_limits_check_spectroscopy(rs_instrument_limits(c->instrument), loop, &err), &err);
        if (end.end != RS_END_DONE) return end;
    }
    const reshed_status st = rs_survey_create(c, stream, &o->survey, &w.survey, &err);
    if (st != RESHED_OK) return rs_outcome_status(st, &err);
    const rs_outcome end = do_steps(&w, loop->steps > 0);
    rs_survey_free(w.survey);
    return end;
}
