#include "spm/scan/context.h"

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
    return c->interrupted && c->interrupted(c->ctx);
}

reshed_status rs_scan_log(const rs_scan_context *c, rs_session_level level, const char *text,
                          reshed_error *err)
{
    return rs_session_add_event(c->session, rs_scan_now(c), level, text, err);
}

rs_wait rs_scan_patience(const rs_scan_context *c, double seconds)
{
    return (rs_wait){.poll = RS_SCAN_POLL,
                     .since = rs_os_monotonic(),
                     .within = 2 * seconds + c->settings->line_timeout,
                     .interrupted = c->interrupted,
                     .ctx = c->ctx};
}
