/* Orders between two lines of a survey, and what a session has to tell before its scan goes on. */
#include "spm/scan/survey_steer.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/os.h"

static void order_pause(rs_survey *s, rs_acquire *a, const rs_order *o)
{
    if (s->held) {
        rs_steer_answer(&s->context, o, false, "it is paused already");
        return;
    }
    rs_acquire_hold(a, true);
    s->held = s->pausing = true;
    s->held_since = rs_os_monotonic();
    s->pause = *o;
}

void rs_survey_release(rs_survey *s, rs_acquire *a)
{
    rs_acquire_hold(a, false);
    if (s->pausing) rs_steer_answer(&s->context, &s->pause, false, "something else came first");
    if (s->held) rs_steer_phase(&s->context, RS_HELM_SURVEY, false, "");
    s->held = s->pausing = false;
}

static void order_rescan(rs_survey *s, rs_acquire *a, const rs_order *o)
{
    const bool upward = s->setup->frame.upward;
    const bool passed =
        s->latest >= 0 && o->row < s->rows && (upward ? o->row >= s->latest : o->row <= s->latest);
    if (!passed || s->again >= 0) {
        rs_steer_answer(&s->context, o, false,
                        passed ? "it is about to begin again" : "not scanned yet");
        return;
    }
    rs_survey_release(s, a);
    s->again = o->row;
    s->rescan = *o;
    rs_acquire_stop(a);
}

bool rs_survey_heed_helm(rs_survey *s, rs_acquire *a)
{
    const rs_scan_context *c = &s->context;
    rs_order o;
    if (!c->helm) return true;
    while (rs_steer_next(
        c, RS_STEER(RS_ORDER_PAUSE) | RS_STEER(RS_ORDER_GO_ON) | RS_STEER(RS_ORDER_RESCAN), 0,
        &o)) {
        if (o.kind == RS_ORDER_PAUSE) {
            order_pause(s, a, &o);
        } else if (o.kind == RS_ORDER_RESCAN) {
            order_rescan(s, a, &o);
        } else if (s->held) {
            rs_survey_release(s, a);
            rs_steer_answer(c, &o, true, "the scan goes on after row %d", s->latest);
        } else {
            rs_steer_answer(c, &o, false, "it is not paused");
        }
    }
    if (s->pausing && rs_acquire_is_held(a)) {
        s->pausing = false;
        rs_steer_answer(c, &s->pause, true, "the scan is paused after row %d", s->latest);
        rs_steer_phase(c, RS_HELM_SURVEY, true, "paused");
    }
    return !s->held || !rs_steer_is_late(c, s->held_since, "paused");
}

/* ------------------------------------------------------------------------------ lines that are there */

static int by_order(const void *a, const void *b)
{
    const rs_survey_arrival *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

reshed_status rs_survey_list_arrivals(rs_survey *s, rs_survey_arrival *rows, int *n,
                                      reshed_error *err)
{
    rs_session_arrival *a = rs_zalloc((size_t)s->rows, sizeof *a);
    *n = 0;
    if (!a) return rs_fail_nomem(err, "a replay", (size_t)s->rows * sizeof *a);
    reshed_status st = rs_session_read_arrivals(s->session, false, a, err);
    for (int y = 0; st == RESHED_OK && y < s->rows; y++) {
        s->lost += a[y].state == RS_SESSION_LOST;
        if (a[y].state == RS_SESSION_ARRIVED) rows[(*n)++] = (rs_survey_arrival){a[y].order, y};
    }
    if (*n > 0) qsort(rows, (size_t)*n, sizeof *rows, by_order);
    rs_free(a);
    return st;
}

reshed_status rs_survey_forget_rows(rs_survey *s, reshed_error *err)
{
    const bool upward = s->setup->frame.upward;
    rs_session_arrival *a = rs_zalloc((size_t)s->rows, sizeof *a);
    if (!a) return rs_fail_nomem(err, "lines that are scanned again", (size_t)s->rows * sizeof *a);
    const reshed_status st = rs_session_read_arrivals(s->session, false, a, err);
    for (int y = 0; st == RESHED_OK && y < s->rows; y++) {
        if (upward ? y > s->again : y < s->again) continue;
        s->arrived -= a[y].state == RS_SESSION_ARRIVED;
        s->lost -= a[y].state == RS_SESSION_LOST;
    }
    s->scored = s->scored < s->arrived ? s->scored : s->arrived;
    rs_free(a);
    return st;
}

reshed_status rs_survey_find_gap(rs_survey *s, int *first, reshed_error *err)
{
    const bool upward = s->setup->frame.upward;
    const int row = *first >= s->rows ? upward ? 0 : s->rows - 1 : upward ? *first + 1 : *first - 1;
    if (row < 0 || row >= s->rows) return RESHED_OK;
    rs_line line = {0};
    rs_session_arrival trace, retrace;
    reshed_status st = rs_session_read_line(s->session, row, false, &line, &trace, err);
    if (st == RESHED_OK) st = rs_session_read_line(s->session, row, true, &line, &retrace, err);
    if (st != RESHED_OK || trace.state != RS_SESSION_ARRIVED || retrace.state != RS_SESSION_MISSING)
        return st;
    *first = s->kept = row;
    return RESHED_OK;
}

reshed_status rs_survey_note_older(const rs_survey *s, reshed_error *err)
{
    const bool upward = s->setup->frame.upward;
    rs_session_arrival *a = rs_zalloc((size_t)s->rows, sizeof *a);
    char text[RS_SESSION_EVENT_TEXT];
    int newest = -1, from = -1, to = -1;
    if (!a) return rs_fail_nomem(err, "lines of the session", (size_t)s->rows * sizeof *a);
    reshed_status st = rs_session_read_arrivals(s->session, false, a, err);
    for (int i = 0; st == RESHED_OK && i < s->rows; i++) {
        const int y = upward ? s->rows - 1 - i : i;
        if (a[y].state != RS_SESSION_ARRIVED) continue;
        if (a[y].order > newest) {
            newest = a[y].order;
            continue;
        }
        if (from < 0) from = y;
        to = y;
    }
    if (st == RESHED_OK && from >= 0) {
        snprintf(
            text, sizeof text,
            "rows %d to %d were to be scanned again, and were not: their lines are those of before",
            from, to);
        st = rs_scan_log(&s->context, RS_SESSION_WARNING, text, err);
    }
    rs_free(a);
    return st;
}

rs_outcome rs_survey_note_lost(const rs_survey *s, int lost, int of)
{
    char text[RS_SESSION_EVENT_TEXT];
    reshed_error err = {0};
    snprintf(text, sizeof text,
             "%d of %d lines that were scanned again are lost: the ones before stay", lost, of);
    reshed_status st = rs_scan_log(&s->context, RS_SESSION_WARNING, text, &err);
    if (st != RESHED_OK || lost < of) return rs_outcome_status(st, &err);
    rs_fail(&err, RESHED_EIO, "rescan|a line|none of %d came", of);
    return rs_outcome_driver(RS_DRIVER_LOST_LINE, &err);
}
