#include "spm/instrument/instrument.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "spm/instrument/drivers.h"
#include "spm/instrument/private.h"

#define CLOSING 10.0 /* s: for a halt that nobody has asked for */

/* ----------------------------------------------------------------------------------- the handle */

void rs_instrument_read_caps(rs_instrument *i)
{
    rs_driver_caps *c = &i->caps;
    memset(c, 0, sizeof *c);
    i->ops->caps(i->self, c);
    c->instrument[sizeof c->instrument - 1] = '\0';
    for (int k = 0; k < RS_DRIVER_MAX_CHANNELS; k++) {
        c->channel[k][sizeof c->channel[k] - 1] = '\0';
        c->unit[k][sizeof c->unit[k] - 1] = '\0';
    }
}

/* Checks the capabilities before sizes are taken from them. */
static reshed_status check_caps(rs_instrument *i, reshed_error *err)
{
    const rs_driver_caps *c = &i->caps;
    rs_instrument_read_caps(i);
    if (c->channels < 0 || c->channels > RS_DRIVER_MAX_CHANNELS)
        return rs_fail(err, RESHED_EUNSUPPORTED, "channels of the driver %s|0 to %d|%d",
                       i->ops->name, RS_DRIVER_MAX_CHANNELS, c->channels);
    if (c->bins < 0 || (c->bins == 0) != !c->band_excitation)
        return rs_fail(err, RESHED_EUNSUPPORTED, "bins of the driver %s|%s|%d", i->ops->name,
                       c->band_excitation ? "1 or more" : "0 without band excitation", c->bins);
    if (!(c->clock_rate > 0))
        return rs_fail(err, RESHED_EUNSUPPORTED, "clock of the driver %s|above 0|%g", i->ops->name,
                       c->clock_rate);
    return rs_instrument_limit(i, NULL, err);
}

/* table NULL: the driver of that name. */
static rs_driver_status open_driver(const char *name, const rs_driver_ops *table,
                                    const rs_driver_option *option, int n, double timeout,
                                    rs_instrument **out, reshed_error *err)
{
    reshed_error own = {0};
    rs_driver_status st = RS_DRIVER_REFUSED;
    if (!err) err = &own;
    rs_instrument *i = rs_zalloc(1, sizeof *i);
    if (!i) {
        rs_fail_nomem(err, "an instrument", sizeof *i);
        return st;
    }
    i->ops = table;
    if ((table ? rs_driver_check(table, err) : rs_driver_find(name, &i->ops, &i->library, err)) !=
        RESHED_OK)
        goto done;
    st = i->ops->open(option, n, timeout, &i->self, err);
    if (st != RS_DRIVER_OK) goto done;
    if (check_caps(i, err) != RESHED_OK) {
        i->ops->close(i->self);
        st = RS_DRIVER_REFUSED;
    }
done:
    if (st == RS_DRIVER_OK) {
        *out = i;
    } else {
        rs_os_library_close(i->library);
        rs_free(i);
    }
    return st;
}

rs_driver_status rs_instrument_open(const char *name, const rs_driver_option *option, int n,
                                    double timeout, rs_instrument **out, reshed_error *err)
{
    return open_driver(name, NULL, option, n, timeout, out, err);
}

rs_driver_status rs_instrument_open_table(const rs_driver_ops *table,
                                          const rs_driver_option *option, int n, double timeout,
                                          rs_instrument **out, reshed_error *err)
{
    return open_driver(table->name, table, option, n, timeout, out, err);
}

void rs_instrument_close(rs_instrument *i)
{
    if (!i) return;
    rs_instrument_stop(i, CLOSING, NULL);
    i->ops->close(i->self);
    rs_os_library_close(i->library);
    rs_free(i);
}

const rs_driver_caps *rs_instrument_caps(const rs_instrument *i)
{
    return &i->caps;
}

reshed_status rs_instrument_limit(rs_instrument *i, const rs_limits *user, reshed_error *err)
{
    return rs_limits_join(&i->caps.limits, user, &i->limits, err);
}

const rs_limits *rs_instrument_limits(const rs_instrument *i)
{
    return &i->limits;
}

bool rs_instrument_can_scan(const rs_instrument *i)
{
    return i->ops->start != NULL;
}

bool rs_instrument_can_measure(const rs_instrument *i)
{
    return i->ops->set_spectroscopy != NULL;
}

bool rs_instrument_can_drive(const rs_instrument *i)
{
    return i->ops->set_drive != NULL && i->caps.limits.drive_max > 0;
}

/* ---------------------------------------------------------------------- one request, one answer */

static rs_driver_status cannot(const rs_instrument *i, const char *verb, reshed_error *err)
{
    rs_fail(err, RESHED_EUNSUPPORTED, "the driver %s cannot %s", i->ops->name, verb);
    return RS_DRIVER_REFUSED;
}

/* Calls that act begin and end with these two: from then on the instrument is not at rest. False:
 * the watchdog has taken it over. */
static bool begin_act(rs_instrument *i, reshed_error *err)
{
    atomic_fetch_add(&i->acting, 1);
    if (atomic_load(&i->taken)) {
        atomic_fetch_sub(&i->acting, 1);
        rs_instrument_is_taken(i, err);
        return false;
    }
    if (atomic_load(&i->busy)) return true;
    rs_instrument_alive(i);
    atomic_store(&i->busy, true);
    if (i->say) i->say(i->watch, true);
    return true;
}

static rs_driver_status end_act(rs_instrument *i, rs_driver_status st)
{
    atomic_fetch_sub(&i->acting, 1);
    return st;
}

/* Checks, then calls. The driver's err is never NULL. */
#define CHECK(function, verb, check)                                                               \
    reshed_error own = {0};                                                                        \
    if (!err) err = &own;                                                                          \
    if (!i->ops->function) return cannot(i, verb, err);                                            \
    if ((check) != RESHED_OK) return RS_DRIVER_REFUSED

#define CALL(function, verb, check, ...)                                                           \
    CHECK(function, verb, check);                                                                  \
    return i->ops->function(i->self, __VA_ARGS__)

/* A call that acts on tip, scan or sample. */
#define ACT(function, verb, check, ...)                                                            \
    CHECK(function, verb, check);                                                                  \
    if (!begin_act(i, err)) return RS_DRIVER_REFUSED;                                              \
    return end_act(i, i->ops->function(i->self, __VA_ARGS__))

rs_driver_status rs_instrument_set_frame(rs_instrument *i, const rs_frame *frame, double timeout,
                                         reshed_error *err)
{
    ACT(set_frame, "scan", rs_limits_check_frame(&i->limits, frame, err), frame, timeout, err);
}

rs_driver_status rs_instrument_get_frame(rs_instrument *i, rs_frame *frame, double timeout,
                                         reshed_error *err)
{
    CALL(get_frame, "scan", RESHED_OK, frame, timeout, err);
}

static rs_driver_status set_be(rs_instrument *i, const rs_be_setup *be, double timeout,
                               reshed_error *err)
{
    ACT(set_be, "excite a band", rs_limits_check_be(&i->limits, be, err), be, timeout, err);
}

rs_driver_status rs_instrument_set_be(rs_instrument *i, const rs_be_setup *be, double timeout,
                                      reshed_error *err)
{
    const rs_driver_status st = set_be(i, be, timeout, err);
    if (st == RS_DRIVER_OK) rs_instrument_read_caps(i);
    return st;
}

rs_driver_status rs_instrument_start(rs_instrument *i, int row, double timeout, reshed_error *err)
{
    ACT(start, "scan", RESHED_OK, row, timeout, err);
}

rs_driver_status rs_instrument_pause(rs_instrument *i, double timeout, reshed_error *err)
{
    CALL(pause, "scan", RESHED_OK, timeout, err);
}

rs_driver_status rs_instrument_move_tip(rs_instrument *i, double x, double y, double speed,
                                        double timeout, reshed_error *err)
{
    ACT(move_tip, "move the tip", rs_limits_check_move(&i->limits, x, y, speed, err), x, y, speed,
        timeout, err);
}

rs_driver_status rs_instrument_get_tip(rs_instrument *i, double *x, double *y, double timeout,
                                       reshed_error *err)
{
    CALL(get_tip, "say where the tip is", RESHED_OK, x, y, timeout, err);
}

rs_driver_status rs_instrument_set_bias(rs_instrument *i, double volts, double timeout,
                                        reshed_error *err)
{
    ACT(set_bias, "set the bias", rs_limits_check_bias(&i->limits, volts, err), volts, timeout,
        err);
}

rs_driver_status rs_instrument_get_bias(rs_instrument *i, double *volts, double timeout,
                                        reshed_error *err)
{
    CALL(get_bias, "say its bias", RESHED_OK, volts, timeout, err);
}

rs_driver_status rs_instrument_withdraw(rs_instrument *i, double timeout, reshed_error *err)
{
    ACT(withdraw, "withdraw the tip", RESHED_OK, timeout, err);
}

rs_driver_status rs_instrument_pulse(rs_instrument *i, double volts, double width, double timeout,
                                     reshed_error *err)
{
    ACT(pulse, "give pulses", rs_limits_check_pulse(&i->limits, volts, width, err), volts, width,
        timeout, err);
}

rs_driver_status rs_instrument_set_drive(rs_instrument *i, double volts, double timeout,
                                         reshed_error *err)
{
    ACT(set_drive, "set the drive", rs_limits_check_drive(&i->limits, volts, err), volts, timeout,
        err);
}

rs_driver_status rs_instrument_set_spectroscopy(rs_instrument *i,
                                                const rs_spectroscopy *spectroscopy, double timeout,
                                                reshed_error *err)
{
    ACT(set_spectroscopy, "measure loops",
        rs_limits_check_spectroscopy(&i->limits, spectroscopy, err), spectroscopy, timeout, err);
}

rs_driver_status rs_instrument_run_spectroscopy(rs_instrument *i, double timeout, rs_spectrum *out,
                                                reshed_error *err)
{
    ACT(run_spectroscopy, "measure loops", RESHED_OK, timeout, out, err);
}

double rs_instrument_spectroscopy_seconds(const rs_instrument *i)
{
    return i->ops->spectroscopy_seconds ? i->ops->spectroscopy_seconds(i->self) : NAN;
}

rs_driver_status rs_instrument_read_signal(rs_instrument *i, const char *name, double *value,
                                           double timeout, reshed_error *err)
{
    CALL(read_signal, "read signals", RESHED_OK, name, value, timeout, err);
}

rs_driver_status rs_instrument_wait_line(rs_instrument *i, double timeout, rs_line *line,
                                         reshed_error *err)
{
    CALL(wait_line, "scan", RESHED_OK, timeout, line, err);
}

/* -------------------------------------------------------------------------- what takes its time */

static bool overdue(const rs_wait *w)
{
    return rs_os_monotonic() > w->since + w->within;
}

/* True when a call that was answered with *st is to be made again. *st becomes LOST when its
 * time is over. */
static bool goes_on(rs_instrument *i, const rs_wait *w, rs_driver_status *st, const char *what,
                    reshed_error *err)
{
    rs_instrument_alive(i);
    if (*st != RS_DRIVER_RETRY || (w->interrupted && w->interrupted(w->ctx))) return false;
    if (atomic_load(&i->taken)) return false;
    if (!overdue(w)) return true;
    *st = RS_DRIVER_LOST;
    rs_fail(err, RESHED_ETIMEOUT, "%s|done in time|the instrument is still at it", what);
    return false;
}

rs_driver_status rs_instrument_go(rs_instrument *i, double x, double y, double speed,
                                  const rs_wait *wait, reshed_error *err)
{
    rs_driver_status st;
    do st = rs_instrument_move_tip(i, x, y, speed, wait->poll, err);
    while (goes_on(i, wait, &st, "move of the tip", err));
    return st;
}

rs_driver_status rs_instrument_measure(rs_instrument *i, const rs_wait *wait, rs_spectrum *out,
                                       reshed_error *err)
{
    rs_driver_status st;
    do st = rs_instrument_run_spectroscopy(i, wait->poll, out, err);
    while (goes_on(i, wait, &st, "spectroscopy", err));
    return st;
}

rs_driver_status rs_instrument_next_line(rs_instrument *i, const rs_wait *wait, rs_line *line,
                                         reshed_error *err)
{
    const rs_driver_status st = rs_instrument_wait_line(i, wait->poll, line, err);
    if (st != RS_DRIVER_RETRY || !overdue(wait)) return st;
    rs_fail(err, RESHED_ETIMEOUT, "line of the scan|within %g s|none", wait->within);
    return RS_DRIVER_LOST;
}

/* ----------------------------------------------------------------------------------------- ends */

rs_driver_status rs_instrument_halt(rs_instrument *i, double timeout, reshed_error *err)
{
    reshed_error own = {0};
    const rs_driver_status st = i->ops->halt(i->self, timeout, err ? err : &own);
    if (st == RS_DRIVER_OK) rs_instrument_settled(i);
    return st;
}

void rs_instrument_settled(rs_instrument *i)
{
    if (atomic_exchange(&i->busy, false) && i->say) i->say(i->watch, false);
}

rs_driver_status rs_instrument_stop(rs_instrument *i, double timeout, reshed_error *err)
{
    return atomic_load(&i->busy) ? rs_instrument_halt(i, timeout, err) : RS_DRIVER_OK;
}

void rs_instrument_alive(rs_instrument *i)
{
    atomic_store(&i->alive, rs_os_monotonic());
}

bool rs_instrument_is_taken(const rs_instrument *i, reshed_error *err)
{
    if (!atomic_load(&i->taken)) return false;
    rs_fail(err, RESHED_ETIMEOUT, "no progress: the watchdog has halted the instrument");
    return true;
}
