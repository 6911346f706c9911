#include "spm/scan/steer.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/os.h"

static const char *const words[] = {
    [RS_ORDER_PAUSE] = "pause",   [RS_ORDER_GO_ON] = "go on",     [RS_ORDER_STOP] = "stop",
    [RS_ORDER_RESCAN] = "rescan", [RS_ORDER_CONFIRM] = "confirm", [RS_ORDER_REMOVE] = "points",
    [RS_ORDER_ADD] = "points",    [RS_ORDER_MOVE] = "points",     [RS_ORDER_THIN] = "points",
    [RS_ORDER_ROUTE] = "points",  [RS_ORDER_AGAIN] = "again",     [RS_ORDER_NOTE] = "note"};

void rs_steer_answer(const rs_scan_context *c, const rs_order *o, bool done, const char *format,
                     ...)
{
    char what[160], text[RS_SESSION_EVENT_TEXT + 32];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (done) {
        snprintf(text, sizeof text, "%s: %s: %s", o->who, words[o->kind], what);
        rs_scan_log(c, RS_SESSION_NOTE, text, NULL);
    }
    c->helm->answer(c->helm->ctx, o, done, what);
}

static void take_note(const rs_scan_context *c, const rs_order *o)
{
    char text[RS_ORDER_TEXT + 64];
    reshed_error err = {0};
    snprintf(text, sizeof text, "%s: %s", o->who, o->text);
    const bool ok = rs_scan_log(c, RS_SESSION_NOTE, text, &err) == RESHED_OK;
    c->helm->answer(c->helm->ctx, o, ok, ok ? "noted" : err.what);
}

bool rs_steer_next(const rs_scan_context *c, unsigned allowed, double seconds, rs_order *out)
{
    if (!c->helm) {
        rs_os_sleep(seconds);
        return false;
    }
    while (c->helm->take(c->helm->ctx, seconds, out)) {
        seconds = 0;
        if (allowed & RS_STEER(out->kind)) return true;
        if (out->kind == RS_ORDER_NOTE)
            take_note(c, out);
        else if (out->kind == RS_ORDER_STOP)
            rs_steer_answer(c, out, true, "the run is halted");
        else
            rs_steer_answer(c, out, false, "not possible now");
    }
    return false;
}

void rs_steer_phase(const rs_scan_context *c, rs_helm_phase phase, bool paused, const char *text)
{
    if (c->helm) c->helm->phase(c->helm->ctx, phase, paused, text);
}

bool rs_steer_is_late(const rs_scan_context *c, double since, const char *what)
{
    char text[RS_SESSION_EVENT_TEXT];
    const double limit = c->helm ? c->helm->wait_limit : 0;
    if (limit <= 0 || rs_os_monotonic() - since < limit) return false;
    snprintf(text, sizeof text, "%s for %g s, and nobody said anything: the run ends", what, limit);
    rs_scan_log(c, RS_SESSION_WARNING, text, NULL);
    return true;
}
