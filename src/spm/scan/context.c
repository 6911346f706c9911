#include "spm/scan/context.h"

#include <math.h>
#include <stdio.h>

#include "base/os.h"

double rs_scan_now(const rs_scan_context *c)
{
    return rs_os_monotonic() - c->time_zero;
}

bool rs_scan_interrupted(const rs_scan_context *c)
{
    if (c->instrument) {
        rs_instrument_alive(c->instrument);
        if (rs_instrument_is_taken(c->instrument, NULL)) return true;
    }
    if (c->watch && rs_watch_take_loss(c->watch)) {
        reshed_error why = {0};
        rs_fail(&why, RESHED_EIO,
                "nobody halts the instrument if this program dies|a second process|none any more");
        rs_scan_warn(c, "the watchdog's second process has gone", &why);
    }
    return c->interrupted && c->interrupted(c->ctx);
}

void rs_scan_warn(const rs_scan_context *c, const char *what, const reshed_error *why)
{
    char text[RS_SESSION_EVENT_TEXT], words[512];
    if (c->warn) c->warn(c->ctx, true, what, why);
    snprintf(text, sizeof text, "%s: %.150s", what, reshed_error_text(why, words, sizeof words));
    rs_scan_log(c, RS_SESSION_WARNING, text, NULL);
}

reshed_status rs_scan_log(const rs_scan_context *c, rs_session_level level, const char *text,
                          reshed_error *err)
{
    const double now = rs_scan_now(c);
    if (c->helm) c->helm->log(c->helm->ctx, now, level, text);
    return rs_session_add_event(c->session, now, level, text, err);
}

reshed_status rs_scan_wait_for_disk(const rs_scan_context *c, reshed_status st, reshed_error *err)
{
    const double start = rs_os_monotonic(), wait = c->settings->disk_wait;
    char text[RS_SESSION_EVENT_TEXT];
    if (st != RESHED_EIO) return st;
    if (c->warn) c->warn(c->ctx, true, "the disk takes no data: the scan waits for it", err);
    while (st == RESHED_EIO && !rs_scan_interrupted(c) && rs_os_monotonic() - start < wait) {
        reshed_error latest = {0};
        rs_os_sleep(fmin(1, wait / 4));
        st = rs_session_commit(c->session, &latest);
        if (st != RESHED_OK) *err = latest;
    }
    const double seconds = rs_os_monotonic() - start;
    if (st == RESHED_OK) {
        snprintf(text, sizeof text, "the disk took no data for %.0f s", seconds);
        return rs_scan_log(c, RS_SESSION_WARNING, text, err);
    }
    if (st == RESHED_EIO && seconds >= wait) {
        const reshed_error last = *err;
        rs_fail(err, st, "%s|a disk that takes data within disk_wait, %g s|none", last.what, wait);
    }
    return st;
}

rs_wait rs_scan_patience(const rs_scan_context *c, double seconds)
{
    return (rs_wait){.poll = RS_SCAN_POLL,
                     .since = rs_os_monotonic(),
                     .within = 2 * seconds + c->settings->line_timeout,
                     .interrupted = c->interrupted,
                     .ctx = c->ctx};
}
