#include "spm/instrument/rest.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "spm/instrument/private.h"

#define POLL 0.25 /* s: longest single call while the tip is on its way */

static rs_rest_step *begin(rs_rest_report *r, const char *what, bool there)
{
    rs_rest_step *s = &r->step[r->n++];
    *s = (rs_rest_step){.what = what, .missing = !there};
    return s;
}

static rs_driver_status withdraw(rs_instrument *i, double within, reshed_error *err)
{
    const double until = rs_os_monotonic() + within;
    rs_driver_status st;
    do st = rs_instrument_withdraw(i, fmax(POLL, 1), err);
    while (st == RS_DRIVER_RETRY && rs_os_monotonic() < until);
    return st;
}

static rs_driver_status park(rs_instrument *i, const rs_rest *how, reshed_error *err)
{
    const rs_driver_limits *l = &i->limits.driver;
    const double way = hypot(l->x_max - l->x_min, l->y_max - l->y_min) / how->speed;
    const rs_wait wait = {.poll = POLL,
                          .since = rs_os_monotonic(),
                          .within = how->within + (isfinite(way) ? 2 * way : 0)};
    return rs_instrument_go(i, how->x, how->y, how->speed, &wait, err);
}

/* The tip's steps; it is not moved when it was not withdrawn. */
static void leave_tip(rs_instrument *i, const rs_rest *how, rs_rest_report *r)
{
    if (how->tip == RS_TIP_LEAVE) {
        begin(r, "tip left on the sample", true);
        return;
    }
    rs_rest_step *s = begin(r, "tip withdrawn", i->ops->withdraw != NULL);
    if (!s->missing) s->status = withdraw(i, how->within, &s->err);
    if (how->tip != RS_TIP_PARK) return;
    const rs_rest_step up = *s;
    s = begin(r, "tip parked", i->ops->move_tip != NULL && !up.missing);
    if (s->missing) return;
    if (up.status == RS_DRIVER_OK) {
        s->status = park(i, how, &s->err);
    } else {
        s->status = up.status;
        s->err = up.err;
    }
}

rs_driver_status rs_instrument_rest(rs_instrument *i, const rs_rest *how, double timeout,
                                    rs_rest_report *report, reshed_error *err)
{
    rs_rest_report own, *r = report ? report : &own;
    rs_driver_status worst = RS_DRIVER_OK;
    memset(r, 0, sizeof *r);
    rs_rest_step *s = begin(r, "bias 0 V", i->ops->set_bias != NULL);
    if (!s->missing) s->status = rs_instrument_set_bias(i, 0, timeout, &s->err);
    s = begin(r, "drive off", rs_instrument_can_drive(i));
    if (!s->missing) s->status = rs_instrument_set_drive(i, 0, timeout, &s->err);
    leave_tip(i, how, r);
    for (int k = 0; k < r->n; k++) {
        if (r->step[k].status <= worst) continue; /* the enum rises with what it means */
        worst = r->step[k].status;
        if (err) *err = r->step[k].err;
    }
    if (worst == RS_DRIVER_OK) rs_instrument_settled(i);
    return worst;
}

reshed_status rs_rest_check(const rs_instrument *i, const rs_rest *how, reshed_error *err)
{
    if (how->tip == RS_TIP_LEAVE) return RESHED_OK;
    const bool moves = how->tip == RS_TIP_PARK;
    if (!i->ops->withdraw || (moves && !i->ops->move_tip))
        return rs_fail(err, RESHED_EUNSUPPORTED, "end=%s|a driver that can %s|%s",
                       moves ? "park" : "withdraw",
                       i->ops->withdraw ? "move the tip" : "withdraw the tip", i->ops->name);
    if (!moves) return RESHED_OK;
    return rs_limits_check_move(&i->limits, how->x, how->y, how->speed, err);
}

const char *rs_rest_text(const rs_rest_report *report, char *buf, size_t n)
{
    size_t at = 0;
    buf[0] = '\0';
    for (int k = 0; k < report->n && at + 1 < n; k++) {
        const rs_rest_step *s = &report->step[k];
        const int m = snprintf(buf + at, n - at, "%s%s%s", k ? ", " : "", s->what,
                               s->missing                  ? ": not by this driver"
                               : s->status == RS_DRIVER_OK ? ""
                                                           : ": FAILED");
        if (m > 0) at += (size_t)m;
    }
    return buf;
}
