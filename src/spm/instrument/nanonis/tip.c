/* The tip's place and height, and the voltages. */
#include "spm/instrument/nanonis/private.h"

#include <math.h>

#include "base/os.h"
#include "base/status.h"

#define RAMP_STEP 0.02 /* s between two steps of a ramp */
#define POLL 0.05      /* s between two looks at an approach */

rs_driver_status rs_nano_get_tip(void *self, double *x, double *y, double timeout,
                                 reshed_error *err)
{
    rs_nano *n = self;
    double v[2];
    rs_driver_status st = rs_nano_query(&n->link, "FolMe.XYPosGet", "I", (double[]){1}, "dd", v,
                                        rs_nano_deadline(timeout), err);
    if (st != RS_DRIVER_OK) return st;
    *x = v[0];
    *y = v[1];
    return RS_DRIVER_OK;
}

/* FolMe.XYPosSet answers when the tip is there, "or the movement is stopped": where it is is asked
 * afterwards. A move that is still owed goes on without its speed being set again. */
rs_driver_status rs_nano_move_tip(void *self, double x, double y, double speed, double timeout,
                                  reshed_error *err)
{
    rs_nano *n = self;
    const rs_driver_limits *l = &n->limits;
    const double deadline = rs_nano_deadline(timeout);
    rs_nano_message m;
    double v[2];
    if (!(x >= l->x_min && x <= l->x_max && y >= l->y_min && y <= l->y_max))
        return rs_nano_refuse(err,
                              "place of the tip|x from %g to %g and y from %g to %g m|%g, %g m",
                              l->x_min, l->x_max, l->y_min, l->y_max, x, y);
    if (!(speed > 0 && speed <= l->speed_max))
        return rs_nano_refuse(err, "speed of the tip|above 0, at most %g m/s|%g m/s", l->speed_max,
                              speed);
    rs_driver_status st = rs_nano_check_halted(n, err);
    if (st != RS_DRIVER_OK) return st;
    if (!(n->move_owed && n->move_x == x && n->move_y == y)) {
        n->move_owed = false;
        st = rs_nano_tell(&n->link, "FolMe.SpeedSet", "fI", (double[]){speed, 1}, true, deadline,
                          err);
        if (st != RS_DRIVER_OK) return st;
    }
    const rs_nano_wish wish = {.acts = true,
                               .busy = hypot(l->x_max - l->x_min, l->y_max - l->y_min) / speed};
    rs_nano_request(&m, "FolMe.XYPosSet", "ddI", (double[]){x, y, 1});
    st = rs_nano_ask_numbers(&n->link, &m, &wish, "", NULL, deadline, err);
    n->move_owed = st == RS_DRIVER_RETRY && n->link.is_owed;
    n->move_x = x;
    n->move_y = y;
    if (st != RS_DRIVER_OK) return st;
    st = rs_nano_query(&n->link, "FolMe.XYPosGet", "I", (double[]){1}, "dd", v, deadline, err);
    if (st != RS_DRIVER_OK) return st;
    if (hypot(v[0] - x, v[1] - y) <= n->set.arrive) return RS_DRIVER_OK;
    if ((st = rs_nano_check_halted(n, err)) != RS_DRIVER_OK) return st;
    rs_fail(err, RESHED_ETIMEOUT, "the tip stopped on its way|%g, %g m|%g, %g m", x, y, v[0], v[1]);
    return RS_DRIVER_RETRY;
}

rs_driver_status rs_nano_set_setpoint(void *self, double value, double timeout, reshed_error *err)
{
    rs_nano *n = self;
    if (!isfinite(value)) return rs_nano_refuse(err, "setpoint|a number|%g", value);
    return rs_nano_tell(&n->link, "ZCtrl.SetpntSet", "f", &value, true, rs_nano_deadline(timeout),
                        err);
}

rs_driver_status rs_nano_get_setpoint(void *self, double *value, double timeout, reshed_error *err)
{
    rs_nano *n = self;
    return rs_nano_query(&n->link, "ZCtrl.SetpntGet", "", NULL, "f", value,
                         rs_nano_deadline(timeout), err);
}

static rs_driver_status feedback_on(rs_nano *n, double *on, double deadline, reshed_error *err)
{
    return rs_nano_query(&n->link, "ZCtrl.OnOffGet", "", NULL, "I", on, deadline, err);
}

/* Starts the approach, or looks after the one that runs, until the instrument says that it is over:
 * then the Z controller must have taken over. Engaging is what a user does deliberately, so it is
 * also what ends a halt. */
rs_driver_status rs_nano_engage(void *self, double timeout, reshed_error *err)
{
    rs_nano *n = self;
    const double deadline = rs_nano_deadline(timeout);
    double on;
    rs_driver_status st = feedback_on(n, &on, deadline, err);
    if (st != RS_DRIVER_OK) return st;
    if (atomic_exchange(&n->gate.closed, false)) {
        n->scan.started = n->approaching = n->move_owed = n->spectrum.running = false;
        n->scan.starting = RS_NANO_IDLE;
    }
    if (n->set.feedback_only)
        return rs_nano_tell(&n->link, "ZCtrl.OnOffSet", "I", (double[]){1}, true, deadline, err);
    if (!n->approaching) {
        atomic_store(&n->used_approach, true);
        st = rs_nano_tell(&n->link, "AutoApproach.Open", "", NULL, false, deadline, err);
        if (st == RS_DRIVER_OK)
            st = rs_nano_tell(&n->link, "AutoApproach.OnOffSet", "H", (double[]){1}, true, deadline,
                              err);
        if (st != RS_DRIVER_OK) return st;
        n->approaching = true;
    }
    for (;;) {
        double running;
        if ((st = rs_nano_check_halted(n, err)) != RS_DRIVER_OK) return st;
        st = rs_nano_query(&n->link, "AutoApproach.OnOffGet", "", NULL, "H", &running, deadline,
                           err);
        if (st != RS_DRIVER_OK) return st;
        if (running == 0) break;
        if (rs_os_monotonic() > deadline) {
            rs_fail(err, RESHED_ETIMEOUT, "the approach has not arrived yet");
            return RS_DRIVER_RETRY;
        }
        rs_socket_pause(POLL);
    }
    if ((st = feedback_on(n, &on, deadline, err)) != RS_DRIVER_OK) return st;
    n->approaching = false;
    if (on != 0) return RS_DRIVER_OK;
    return rs_nano_refuse(err, "the approach ended without the Z controller being on");
}

rs_driver_status rs_nano_withdraw(void *self, double timeout, reshed_error *err)
{
    rs_nano *n = self;
    const double deadline = rs_nano_deadline(timeout);
    rs_nano_message m;
    const double seconds = timeout > 0 && timeout < 1e6 ? timeout : 1;
    /* Withdrawing is safe at any time: it does not pass through the gate. */
    const rs_nano_wish wish = {.busy = seconds};
    double on;
    rs_nano_request(&m, "ZCtrl.Withdraw", "Ii", (double[]){1, ceil(1e3 * seconds)});
    rs_driver_status st = rs_nano_ask_numbers(&n->link, &m, &wish, "", NULL, deadline, err);
    if (st == RS_DRIVER_OK) st = feedback_on(n, &on, deadline, err);
    if (st != RS_DRIVER_OK) return st;
    if (on == 0) return RS_DRIVER_OK;
    rs_fail(err, RESHED_ETIMEOUT, "the Z controller is still on after the withdrawal");
    return RS_DRIVER_RETRY;
}

/* ------------------------------------------------------------------------------------- voltages */

rs_driver_status rs_nano_ramp(rs_nano_link *link, double volts, double rate, double deadline,
                              reshed_error *err)
{
    double v;
    const bool acts = volts != 0; /* towards 0 is safe, also after a halt */
    rs_driver_status st = rs_nano_query(link, "Bias.Get", "", NULL, "f", &v, deadline, err);
    if (st != RS_DRIVER_OK) return st;
    for (;;) {
        const double step = rate > 0 ? rate * RAMP_STEP : INFINITY;
        v = volts > v + step ? v + step : volts < v - step ? v - step : volts;
        st = rs_nano_tell(link, "Bias.Set", "f", &v, acts, deadline, err);
        if (st != RS_DRIVER_OK || v == volts) return st;
        if (rs_os_monotonic() + RAMP_STEP > deadline) {
            rs_fail(err, RESHED_ETIMEOUT, "the bias is still on its way|%g V|%g V", volts, v);
            return RS_DRIVER_RETRY;
        }
        rs_socket_pause(RAMP_STEP);
    }
}

static rs_driver_status check_bias(const rs_nano *n, double volts, reshed_error *err)
{
    if (fabs(volts) <= n->limits.bias_max) return RS_DRIVER_OK;
    return rs_nano_refuse(err, "bias|at most %g V either way|%g V", n->limits.bias_max, volts);
}

rs_driver_status rs_nano_set_bias(void *self, double volts, double timeout, reshed_error *err)
{
    rs_nano *n = self;
    rs_driver_status st = check_bias(n, volts, err);
    if (st == RS_DRIVER_OK && volts != 0) st = rs_nano_check_halted(n, err);
    if (st != RS_DRIVER_OK) return st;
    return rs_nano_ramp(&n->link, volts, n->set.ramp, rs_nano_deadline(timeout), err);
}

rs_driver_status rs_nano_get_bias(void *self, double *volts, double timeout, reshed_error *err)
{
    rs_nano *n = self;
    return rs_nano_query(&n->link, "Bias.Get", "", NULL, "f", volts, rs_nano_deadline(timeout),
                         err);
}

rs_driver_status rs_nano_pulse(void *self, double volts, double width, double timeout,
                               reshed_error *err)
{
    rs_nano *n = self;
    rs_nano_message m;
    rs_driver_status st = check_bias(n, volts, err);
    if (st != RS_DRIVER_OK) return st;
    if (!(width > 0 && width <= 3600))
        return rs_nano_refuse(err, "width of a pulse|above 0, at most 3600 s|%g s", width);
    const rs_nano_wish wish = {.acts = true, .busy = width};
    rs_nano_request(&m, "Bias.Pulse", "IffHH", (double[]){1, width, volts, n->set.hold, 2});
    return rs_nano_ask_numbers(&n->link, &m, &wish, "", NULL, rs_nano_deadline(timeout), err);
}

rs_driver_status rs_nano_set_drive(void *self, double volts, double timeout, reshed_error *err)
{
    rs_nano *n = self;
    const double deadline = rs_nano_deadline(timeout), k = n->set.modulator;
    if (k == 0) return rs_nano_refuse(err, "the drive needs option modulator=N");
    if (!(volts >= 0 && volts <= n->limits.drive_max))
        return rs_nano_refuse(err, "drive|0 to %g V|%g V", n->limits.drive_max, volts);
    const bool on = volts > 0;
    rs_driver_status st =
        rs_nano_tell(&n->link, "LockIn.ModAmpSet", "if", (double[]){k, volts}, on, deadline, err);
    if (st != RS_DRIVER_OK) return st;
    return rs_nano_tell(&n->link, "LockIn.ModOnOffSet", "iI", (double[]){k, on}, on, deadline, err);
}
