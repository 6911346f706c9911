#include "spm/scan/reference.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The metrics that are compared. */
static const char *const watched[] = {"width_mid", "area"};
enum { WATCHED = sizeof watched / sizeof *watched };

static double metric_of(const rs_scan_loops *loops, const double *metric, const char *name)
{
    const int i = rs_loop_value_find(name);
    return i >= 0 && i < loops->setup->metrics ? metric[i] : NAN;
}

/* Compares later loops with this one when there is a loop in it; else a later one has to do. */
static void take_first(rs_reference *r, const rs_scan_loops *loops)
{
    const double *metric = loops->loop.metric;
    for (int i = 0; i < WATCHED; i++)
        if (!isfinite(metric_of(loops, metric, watched[i]))) return;
    memcpy(r->first, metric, (size_t)loops->setup->metrics * sizeof *metric);
    r->known = true;
}

reshed_status rs_reference_init(rs_reference *r, rs_scan_loops *loops, reshed_error *err)
{
    rs_session *session = loops->context->session;
    rs_session_progress p;
    *r = (rs_reference){.known = false};
    reshed_status st = rs_session_get_progress(session, &p, err);
    if (st != RESHED_OK) return st;
    r->count = p.references;
    for (int k = 0; st == RESHED_OK && k < p.references && !r->known; k++) {
        rs_session_loop earlier = {.metric = loops->loop.metric};
        st = rs_session_read_loop(session, RS_SESSION_REFERENCES, k, &earlier, err);
        if (st == RESHED_OK) take_first(r, loops);
    }
    return st;
}

static double relative(double a, double b)
{
    return fabs(a - b) / fmax(fabs(b), 1e-30);
}

/* *changed: the latest loop differs from the first by more than it may, or is none any more (NaN: a tip
 * that has gone), which is noted in the session. */
static reshed_status compare(const rs_reference *r, const rs_scan_loops *loops, bool *changed,
                             reshed_error *err)
{
    const rs_scan_context *c = loops->context;
    reshed_status st = RESHED_OK;
    *changed = false;
    for (int i = 0; st == RESHED_OK && i < WATCHED; i++) {
        char text[RS_SESSION_EVENT_TEXT];
        const double is = metric_of(loops, loops->loop.metric, watched[i]),
                     was = metric_of(loops, r->first, watched[i]);
        if (relative(is, was) <= c->settings->reference_change) continue;
        *changed = true;
        snprintf(text, sizeof text, "reference loop: %s is %.4g, was %.4g", watched[i], is, was);
        st = rs_scan_log(c, RS_SESSION_WARNING, text, err);
    }
    return st;
}

rs_outcome rs_reference_measure(rs_reference *r, rs_scan_loops *loops, double x, double y)
{
    const rs_scan_context *c = loops->context;
    reshed_error err = {0};
    bool changed = false;
    const rs_driver_status driver = rs_scan_loops_measure(loops, x, y, &err);
    if (driver == RS_DRIVER_RETRY) return rs_outcome_of(RS_END_INTERRUPTED);
    if (driver == RS_DRIVER_LOST) return rs_outcome_driver(driver, &err);
    if (driver != RS_DRIVER_OK)
        return rs_outcome_status(
            rs_scan_log(c, RS_SESSION_WARNING, "the reference loop was lost", &err), &err);
    reshed_status st = rs_session_put_spectrum(c->session, RS_SESSION_REFERENCES, r->count,
                                               &loops->spectrum, &err);
    if (st == RESHED_OK) st = rs_scan_loops_analyse(loops, RS_SESSION_REFERENCES, r->count, &err);
    if (st == RESHED_OK) r->count++;
    if (st == RESHED_OK && r->known)
        st = compare(r, loops, &changed, &err);
    else if (st == RESHED_OK)
        take_first(r, loops);
    if (st != RESHED_OK) return rs_outcome_status(st, &err);
    return rs_outcome_of(changed ? RS_END_TIP_CHANGED : RS_END_DONE);
}
