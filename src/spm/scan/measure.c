#include "spm/scan/measure.h"

#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/os.h"
#include "spm/scan/decide.h"
#include "spm/scan/follow.h"
#include "spm/scan/loops.h"
#include "spm/scan/reference.h"
#include "spm/scan/steer.h"

/* s between two looks at whether to stop. */
#define LOOK 0.2

/* The list at work. */
typedef struct point_list {
    const rs_scan_context *context;
    rs_session_point *point; /* [n]; owned */
    int n;
    rs_scan_loops loops;
    rs_reference reference;
    rs_follower follower;
    double
        time; /* of the latest loop, on the instrument's clock; NaN: unknown, or before a patch */
    rs_decide *decide; /* NULL: the list goes to its end */
    rs_thinning thinning;
    rs_durations planned;
    rs_durations_seen seen;
    const rs_measure_options *options;
    double begin;   /* on the clock of now() */
    double stood;   /* s of pauses, on the same clock */
    bool look;      /* for drift, before the next loop: the first, and after a long pause */
    int done, left; /* points of this run, and those that are to come */
} point_list;

/* Instrument's seconds in a real one; 1 where it takes no time. */
static double clock_rate(const rs_instrument *instrument)
{
    const double rate = rs_instrument_caps(instrument)->clock_rate;
    return isfinite(rate) && rate > 0 ? rate : 1;
}

rs_durations rs_measure_planned(const rs_instrument *instrument, const rs_scan_settings *s, int n)
{
    const rs_driver_caps *caps = rs_instrument_caps(instrument);
    const double loop = rs_instrument_spectroscopy_seconds(instrument) * clock_rate(instrument);
    rs_durations t = rs_durations_planned(s, caps->band_excitation, n);
    if (isfinite(caps->clock_rate) && loop > 0) {
        const rs_durations plain = t;
        const double told = rs_durations_loop(s, caps->band_excitation);
        t.point = plain.point - told + loop;
        t.reference = plain.reference - told + loop;
    }
    if (!isfinite(caps->clock_rate)) t.survey = t.point = t.patch = t.reference = 0;
    return t;
}

static double now(const rs_scan_context *c)
{
    return rs_os_monotonic() * clock_rate(c->instrument);
}

/* ------------------------------------------------------------------------------- before a point */

static bool due(double every, int done)
{
    return every > 0 && done % (int)every == 0;
}

/* Scans a patch around the next point, where the session has room for patches. */
static rs_outcome look_for_drift(point_list *l, const rs_session_point *next)
{
    l->look = false;
    if (l->follower.setup->patch_rows <= 0) return rs_outcome_of(RS_END_DONE);
    const double begin = now(l->context);
    const rs_outcome o = rs_follower_look(&l->follower, next);
    rs_durations_add(&l->seen.patch, now(l->context) - begin);
    l->time = NAN;
    return o;
}

/* Looks at drift and reference before the next point, when they are due. TIP_CHANGED: by either. */
static rs_outcome look_around(point_list *l, const rs_session_point *next, int done)
{
    const rs_scan_settings *s = l->context->settings;
    rs_outcome o = rs_outcome_of(RS_END_DONE);
    if (l->look || due(s->drift_every, done)) o = look_for_drift(l, next);
    if ((o.end == RS_END_DONE || o.end == RS_END_TIP_CHANGED) && due(s->reference_every, done)) {
        const rs_xy moved = rs_follower_shift(&l->follower, l->point[0].row, l->time);
        const double begin = now(l->context);
        const rs_outcome loop = rs_reference_measure(
            &l->reference, &l->loops, l->point[0].x + moved.x, l->point[0].y + moved.y);
        rs_durations_add(&l->seen.reference, now(l->context) - begin);
        if (loop.end != RS_END_DONE) o = loop;
    }
    if (rs_outcome_failed(&o) || !rs_scan_interrupted(l->context)) return o;
    return rs_outcome_of(RS_END_INTERRUPTED);
}

/* -------------------------------------------------------------------------------------- a point */

/* Notes that a point gave no spectrum. */
static reshed_status put_missed(point_list *l, int k, rs_driver_status driver, const char *why,
                                reshed_error *err)
{
    const rs_scan_context *c = l->context;
    rs_session_point *p = &l->point[k];
    char text[RS_SESSION_EVENT_TEXT];
    snprintf(text, sizeof text, "point %d: %s", k, why);
    p->state = driver == RS_DRIVER_LOST_LINE ? RS_SESSION_POINT_LOST : RS_SESSION_SKIPPED;
    for (int i = 0; i < l->loops.setup->metrics; i++) l->loops.loop.metric[i] = NAN;
    reshed_status st = rs_session_put_points(c->session, k, 1, p, err);
    return st == RESHED_OK ? rs_scan_log(c, RS_SESSION_WARNING, text, err) : st;
}

/* The same of a point that is measured again: what it has stays. */
static reshed_status note_kept(const point_list *l, int k, const char *why, reshed_error *err)
{
    char text[RS_SESSION_EVENT_TEXT];
    snprintf(text, sizeof text, "point %d, again: %s; it stays as it was", k, why);
    return rs_scan_log(l->context, RS_SESSION_WARNING, text, err);
}

/* Measures the spectrum of point k, and once more when its spectra are bad: a tip that was not in contact
 * yet, a disturbance. */
static rs_driver_status measure_spectrum(point_list *l, int k, reshed_error *why)
{
    const rs_session_point *p = &l->point[k];
    char text[RS_SESSION_EVENT_TEXT];
    reshed_error err = {0};
    bool bad = false;
    const rs_driver_status first = rs_scan_loops_measure(&l->loops, p->device_x, p->device_y, why);
    if (first != RS_DRIVER_OK || rs_scan_loops_judge(&l->loops, &bad, &err) != RESHED_OK || !bad ||
        rs_scan_interrupted(l->context))
        return first;
    snprintf(text, sizeof text, "point %d: bad spectra, measured once more", k);
    rs_scan_log(l->context, RS_SESSION_WARNING, text, &err);
    return rs_scan_loops_measure(&l->loops, p->device_x, p->device_y, why);
}

/* Writes down what l->loops measured at point k. */
static rs_outcome put_measured(point_list *l, int k)
{
    rs_session *session = l->context->session;
    rs_session_point *p = &l->point[k];
    reshed_error err = {0};
    l->time = l->loops.spectrum.time;
    rs_session_hold(session, true); /* where it was asked for, with the sync of what came of it */
    reshed_status st = rs_session_put_points(session, k, 1, p, &err);
    rs_session_hold(session, false);
    if (st == RESHED_OK)
        st = rs_session_put_spectrum(session, RS_SESSION_POINTS, k, &l->loops.spectrum, &err);
    if (st == RESHED_OK) p->state = RS_SESSION_MEASURED;
    if (st == RESHED_OK) st = rs_scan_loops_analyse(&l->loops, RS_SESSION_POINTS, k, &err);
    return rs_outcome_status(st, &err);
}

/* DONE: point k is measured, lost or skipped; one that was not pending before stays as it was when no
 * loop came. INTERRUPTED: it stays as it was. */
static rs_outcome measure_point(point_list *l, int k, bool *measured)
{
    rs_session_point *p = &l->point[k];
    const rs_session_point before = *p;
    reshed_error why = {0}, err = {0};
    const rs_xy moved = rs_follower_shift(&l->follower, p->row, l->time);
    p->device_x = p->x + moved.x;
    p->device_y = p->y + moved.y;
    const rs_driver_status driver = measure_spectrum(l, k, &why);
    *measured = driver == RS_DRIVER_OK;
    if (*measured) return put_measured(l, k);
    if (before.state != RS_SESSION_PENDING) *p = before;
    if (driver == RS_DRIVER_LOST) return rs_outcome_driver(driver, &why);
    if (driver == RS_DRIVER_RETRY) return rs_outcome_of(RS_END_INTERRUPTED);
    const reshed_status st = before.state == RS_SESSION_PENDING
                                 ? put_missed(l, k, driver, why.what, &err)
                                 : note_kept(l, k, why.what, &err);
    return rs_outcome_status(st, &err);
}

/* The points that are pending from k on. */
static rs_outcome skip_rest(point_list *l, int k, const char *why)
{
    reshed_error err = {0};
    reshed_status st = RESHED_OK;
    for (; st == RESHED_OK && k < l->n; k++) {
        if (l->point[k].state != RS_SESSION_PENDING) continue;
        l->point[k].state = RS_SESSION_SKIPPED;
        st = rs_session_put_points(l->context->session, k, 1, &l->point[k], &err);
    }
    if (st == RESHED_OK) st = rs_scan_log(l->context, RS_SESSION_NOTE, why, &err);
    return st == RESHED_OK ? rs_outcome_of(RS_END_OUT_OF_TIME) : rs_outcome_status(st, &err);
}

/* Ends the list before point k when the test that it is measured for is decided. */
static rs_outcome look_at_walls(point_list *l, int k)
{
    char why[RS_SESSION_EVENT_TEXT];
    reshed_error err = {0};
    bool over;
    const reshed_status st = rs_decide_look(l->decide, k, &over, why, sizeof why, &err);
    if (st != RESHED_OK) return rs_outcome_status(st, &err);
    return over ? skip_rest(l, k, why) : rs_outcome_of(RS_END_DONE);
}

/* ------------------------------------------------------------------------------------- the list */

static int pending_from(const point_list *l, int k)
{
    int n = 0;
    for (; k < l->n; k++) n += l->point[k].state == RS_SESSION_PENDING;
    return n;
}

/* Returns false if point k is passed over, since there is no time for all that are to come. */
static bool keeps(point_list *l, int k, double seconds)
{
    const rs_durations t = rs_durations_known(&l->planned, &l->seen);
    const bool kept = rs_thinning_keeps(&l->thinning, &t, l->context->settings, l->done,
                                        pending_from(l, k), seconds);
    if (l->done > 0) l->left = l->thinning.fit;
    return kept;
}

/* s of real time that the rest takes. */
static double time_left(const point_list *l)
{
    const rs_scan_context *c = l->context;
    const rs_durations t = rs_durations_known(&l->planned, &l->seen);
    return rs_durations_of_points(&t, c->settings, l->done, l->left) / clock_rate(c->instrument);
}

/* s that the list has been at work: nobody's pauses are of the budget. */
static double at_work(const point_list *l)
{
    return now(l->context) - l->begin - l->stood;
}

/* s of the budget. */
static double seconds_left(const point_list *l)
{
    return l->context->settings->budget - *l->options->spent - at_work(l);
}

static void give_news(const point_list *l, int k, int upto)
{
    const rs_session_point *p = &l->point[k];
    const rs_measure_news n = {.index = k,
                               .point = p,
                               .loop = p->state == RS_SESSION_MEASURED ? &l->loops.loop : NULL,
                               .done = upto,
                               .of = l->n,
                               .metric = l->loops.loop.metric,
                               .left = time_left(l)};
    if (l->options->news) l->options->news(l->context->ctx, &n);
}

static bool out_of_time(const point_list *l)
{
    return l->context->settings->budget > 0 && seconds_left(l) < 0;
}

static void tell_point(const point_list *l, int k)
{
    const rs_helm *h = l->context->helm;
    const rs_durations t = rs_durations_known(&l->planned, &l->seen);
    if (h) h->loops(h->ctx, k, t.point / clock_rate(l->context->instrument), time_left(l));
}

/* Why point k cannot be measured again now; NULL: it can. */
static const char *again_refused(const point_list *l, int k, bool paused)
{
    if (paused) return "the list is paused, and nothing is measured: go on first";
    if (k >= l->n) return "there is no such point";
    if (l->point[k].state == RS_SESSION_PENDING) return "it is not measured yet";
    return out_of_time(l) ? "out of time" : NULL;
}

/* Point o->index[0] once more, before point next. */
static rs_outcome measure_again(point_list *l, const rs_order *o, int next, bool paused)
{
    const rs_scan_context *c = l->context;
    const int k = o->index[0];
    const char *refused = again_refused(l, k, paused);
    rs_outcome end = rs_outcome_of(RS_END_DONE);
    bool measured = false;
    if (refused) {
        rs_steer_answer(c, o, false, "%s", refused);
        return end;
    }
    tell_point(l, k);
    if (l->look) end = look_for_drift(l, &l->point[k]);
    if (end.end == RS_END_TIP_CHANGED && l->done == 0) end = rs_outcome_of(RS_END_DONE);
    if (end.end == RS_END_DONE) end = measure_point(l, k, &measured);
    const bool ok = end.end == RS_END_DONE && measured;
    rs_steer_answer(c, o, ok, ok ? "point %d is measured again" : "point %d: no loop came", k);
    if (ok) give_news(l, k, next);
    return end;
}

/* A pause of the list. */
typedef struct pause_at {
    bool paused;
    double since, begin; /* rs_os_monotonic; on the clock of now() */
} pause_at;

/* The sample goes on drifting through a pause, and what was known of it becomes stale. */
static void end_pause(point_list *l, pause_at *p)
{
    const double stood = now(l->context) - p->begin;
    l->stood += stood;
    l->look |= stood > rs_durations_known(&l->planned, &l->seen).point;
    p->paused = false;
}

static void pause_or_go_on(point_list *l, const rs_order *o, int next, pause_at *p)
{
    const rs_scan_context *c = l->context;
    const bool pause = o->kind == RS_ORDER_PAUSE;
    if (pause == p->paused) {
        rs_steer_answer(c, o, false, pause ? "it is paused already" : "it is not paused");
        return;
    }
    if (pause)
        *p = (pause_at){true, rs_os_monotonic(), now(c)};
    else
        end_pause(l, p);
    rs_steer_phase(c, RS_HELM_LOOPS, pause, pause ? "paused" : "");
    rs_steer_answer(c, o, true, pause ? "paused before point %d" : "goes on with point %d", next);
}

/* Before point next. DONE: it goes on. */
static rs_outcome heed_helm(point_list *l, int next)
{
    static const unsigned orders =
        RS_STEER(RS_ORDER_PAUSE) | RS_STEER(RS_ORDER_GO_ON) | RS_STEER(RS_ORDER_AGAIN);
    const rs_scan_context *c = l->context;
    rs_outcome end = rs_outcome_of(RS_END_DONE);
    pause_at p = {0};
    rs_order o;
    if (!c->helm) return end;
    do {
        while (end.end == RS_END_DONE && rs_steer_next(c, orders, p.paused ? LOOK : 0, &o)) {
            if (o.kind == RS_ORDER_AGAIN)
                end = measure_again(l, &o, next, p.paused);
            else
                pause_or_go_on(l, &o, next, &p);
        }
        if (end.end == RS_END_DONE &&
            (rs_scan_interrupted(c) || (p.paused && rs_steer_is_late(c, p.since, "paused"))))
            end = rs_outcome_of(RS_END_INTERRUPTED);
    } while (p.paused && end.end == RS_END_DONE);
    if (p.paused) end_pause(l, &p);
    return end;
}

static rs_outcome run(point_list *l)
{
    const rs_scan_context *c = l->context;
    const double budget = c->settings->budget;
    bool measured;
    l->left = pending_from(l, 0);
    for (int k = 0; k < l->n; k++) {
        if (l->point[k].state != RS_SESSION_PENDING) continue;
        if (rs_scan_interrupted(c)) return rs_outcome_of(RS_END_INTERRUPTED);
        rs_outcome end = heed_helm(l, k);
        if (end.end != RS_END_DONE) return end;
        if (budget > 0) {
            if (seconds_left(l) < 0) return skip_rest(l, 0, "out of time: the rest is left out");
            if (!keeps(l, k, seconds_left(l))) continue;
        }
        end = look_at_walls(l, k);
        if (end.end != RS_END_DONE) return end;
        tell_point(l, k);
        rs_outcome o = look_around(l, &l->point[k], l->done);
        /* Before the first point there is nothing that another tip has measured. */
        if (o.end != RS_END_DONE && !(o.end == RS_END_TIP_CHANGED && l->done == 0)) return o;
        const double start = now(c);
        o = measure_point(l, k, &measured);
        if (o.end != RS_END_DONE) return o;
        const double end_of_loop = now(c);
        rs_durations_add(&l->seen.point, end_of_loop - start);
        l->done++;
        l->left--;
        give_news(l, k, k + 1);
        l->seen.point.sum += now(c) - end_of_loop; /* the list waits for that too */
    }
    if (c->helm) c->helm->loops(c->helm->ctx, -1, NAN, 0);
    if (pending_from(l, 0) > 0)
        return skip_rest(l, 0, "out of time: points evenly along the way are left out");
    return look_at_walls(l, l->n);
}

static reshed_status read_points(point_list *l, reshed_error *err)
{
    rs_session *session = l->context->session;
    rs_session_progress p;
    reshed_status st = rs_session_get_progress(session, &p, err);
    if (st != RESHED_OK || p.points == 0) return st;
    l->point = rs_zalloc((size_t)p.points, sizeof *l->point);
    if (!l->point) return rs_fail_nomem(err, "points", (size_t)p.points * sizeof *l->point);
    l->n = p.points;
    return rs_session_read_points(session, 0, l->n, l->point, err);
}

/* The list and the loops that it has, to the helm. */
static reshed_status tell_list(point_list *l, reshed_error *err)
{
    const rs_helm *h = l->context->helm;
    reshed_status st = RESHED_OK;
    if (!h) return st;
    h->points(h->ctx, l->point, l->n);
    for (int k = 0; st == RESHED_OK && k < l->n; k++) {
        if (l->point[k].state != RS_SESSION_MEASURED) continue;
        st = rs_session_read_loop(l->context->session, RS_SESSION_POINTS, k, &l->loops.loop, err);
        if (st == RESHED_OK) h->loop(h->ctx, k, &l->point[k], &l->loops.loop);
    }
    return st;
}

rs_outcome rs_measure_points(const rs_scan_context *c, const rs_measure_options *options)
{
    point_list l = {.context = c, .time = NAN, .options = options};
    reshed_error err = {0};
    reshed_status st = read_points(&l, &err);
    if (st == RESHED_OK) st = rs_scan_loops_init(&l.loops, c, &err);
    if (st == RESHED_OK) st = rs_reference_init(&l.reference, &l.loops, &err);
    if (st == RESHED_OK)
        st = rs_follower_init(&l.follower, c, options->survey, options->fresh, &err);
    if (st == RESHED_OK) st = rs_decide_create(c, l.point, l.n, &l.decide, &err);
    l.planned = rs_measure_planned(c->instrument, c->settings, l.n);
    l.begin = now(c);
    l.look = c->settings->drift_every > 0;
    if (st == RESHED_OK) st = tell_list(&l, &err);
    const rs_outcome o = st == RESHED_OK ? run(&l) : rs_outcome_status(st, &err);
    if (o.end == RS_END_INTERRUPTED) /* a loop may be under way: at once, not when it is over */
        rs_instrument_halt(c->instrument, RS_SCAN_CALL, NULL);
    rs_decide_free(l.decide);
    rs_follower_clear(&l.follower);
    rs_scan_loops_clear(&l.loops);
    rs_free(l.point);
    *options->spent += at_work(&l);
    return o;
}
