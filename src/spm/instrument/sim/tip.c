/* tip.c - tip, voltages and spectroscopy of the simulated instrument. */
#include "spm/instrument/sim/sim.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "spm/instrument/sim/private.h"

/* ------------------------------------------------------------------------------------------ tip */

/* The edge of the row that is scanned now, or was last. */
static void scan_where(const rs_sim *sim, double *x, double *y)
{
    const rs_frame *f = &sim->frame;
    int each = sim_lines_per_row(sim), done = sim_lines_done(sim);
    int k = done / each, last = sim->scan.stop - 1;
    if (k > last) k = last < 0 ? 0 : last;
    int row = f->upward ? sim->scan.first - k : sim->scan.first + k;
    double u = each == 1 && done > 0 ? 0.5 * f->width : -0.5 * f->width;
    double v = 0.5 * f->height - (row + 0.5) * f->height / f->rows;
    *x = f->cx + cos(f->angle) * u - sin(f->angle) * v;
    *y = f->cy + sin(f->angle) * u + cos(f->angle) * v;
}

void sim_where(rs_sim *sim, double *x, double *y)
{
    const rs_sim_motion *m = &sim->motion;
    *x = sim->x;
    *y = sim->y;
    if (m->active) {
        double t = m->seconds > 0 ? (rs_sim_now(sim) - m->began) / m->seconds : 1;
        t = t < 0 ? 0 : t > 1 ? 1 : t;
        *x = m->x0 + t * (m->x1 - m->x0);
        *y = m->y0 + t * (m->y1 - m->y0);
    } else if (sim->scan.serial >= 0 && sim->scan.period > 0 && !sim->scan.left)
        scan_where(sim, x, y);
}

void sim_stop_motion(rs_sim *sim)
{
    if (!sim->motion.active) return;
    sim_where(sim, &sim->x, &sim->y);
    sim->worked += fmin(fmax(rs_sim_now(sim) - sim->motion.began, 0), sim->motion.seconds);
    sim->motion.active = false;
}

rs_driver_status rs_sim_move_tip(void *self, double x, double y, double speed, double timeout,
                                 reshed_error *err)
{
    rs_sim *sim = self;
    rs_sim_motion *m = &sim->motion;
    rs_driver_status st = sim_enter(sim, timeout, err);
    if (st != RS_DRIVER_OK) return st;
    const rs_limits limits = sim_limits(sim);
    if (rs_limits_check_place(&limits, x, y, err) != RESHED_OK ||
        rs_limits_check_speed(&limits, speed, err) != RESHED_OK)
        return RS_DRIVER_REFUSED;
    bool same = m->active && m->x1 == x && m->y1 == y;
    if (!same) {
        sim_stop_motion(sim); /* a new way from where it is */
        st = sim_ready(sim, "a move of the tip", err);
        if (st != RS_DRIVER_OK) return st;
        double x0, y0;
        sim_where(sim, &x0, &y0);
        *m = (rs_sim_motion){.active = true,
                             .x0 = x0,
                             .y0 = y0,
                             .x1 = x,
                             .y1 = y,
                             .began = rs_sim_now(sim),
                             .seconds = hypot(x - x0, y - y0) / speed};
        sim->scan.left = true;
    }
    st = sim_wait(sim, m->began + m->seconds, timeout, err);
    if (st != RS_DRIVER_OK) return st;
    sim->x = x;
    sim->y = y;
    sim->worked += m->seconds;
    m->active = false;
    return RS_DRIVER_OK;
}

rs_driver_status rs_sim_get_tip(void *self, double *x, double *y, double timeout, reshed_error *err)
{
    rs_sim *sim = self;
    rs_driver_status st = sim_enter(sim, timeout, err);
    if (st == RS_DRIVER_OK) sim_where(sim, x, y);
    return st;
}

/* ------------------------------------------------------------------------------------- voltages */

rs_driver_status rs_sim_set_setpoint(void *self, double value, double timeout, reshed_error *err)
{
    rs_sim *sim = self;
    rs_driver_status st = sim_enter(sim, timeout, err);
    if (st != RS_DRIVER_OK) return st;
    if (!isfinite(value)) return sim_refuse(err, "setpoint|a number|%g", value);
    sim->setpoint = value;
    return RS_DRIVER_OK;
}

rs_driver_status rs_sim_get_setpoint(void *self, double *value, double timeout, reshed_error *err)
{
    rs_sim *sim = self;
    rs_driver_status st = sim_enter(sim, timeout, err);
    if (st == RS_DRIVER_OK) *value = sim->setpoint;
    return st;
}

/* Voltages other than 0 are for an engaged tip, and not after a halt. */
static rs_driver_status check_volts(rs_sim *sim, const char *what, double volts, reshed_error *err)
{
    if (volts != 0 && atomic_load(&sim->halted))
        return sim_refuse(err, "%s after a halt|0 V, or the tip engaged|%g V", what, volts);
    return RS_DRIVER_OK;
}

rs_driver_status rs_sim_set_bias(void *self, double volts, double timeout, reshed_error *err)
{
    rs_sim *sim = self;
    rs_driver_status st = sim_enter(sim, timeout, err);
    if (st != RS_DRIVER_OK) return st;
    const rs_limits limits = sim_limits(sim);
    if (rs_limits_check_bias(&limits, volts, err) != RESHED_OK) return RS_DRIVER_REFUSED;
    st = check_volts(sim, "bias", volts, err);
    if (st == RS_DRIVER_OK) sim->bias = volts;
    return st;
}

rs_driver_status rs_sim_get_bias(void *self, double *volts, double timeout, reshed_error *err)
{
    rs_sim *sim = self;
    rs_driver_status st = sim_enter(sim, timeout, err);
    if (st == RS_DRIVER_OK) *volts = sim->bias;
    return st;
}

rs_driver_status rs_sim_pulse(void *self, double volts, double width, double timeout,
                              reshed_error *err)
{
    rs_sim *sim = self;
    rs_driver_status st = sim_enter(sim, timeout, err);
    if (st != RS_DRIVER_OK) return st;
    const rs_limits limits = sim_limits(sim);
    if (rs_limits_check_pulse(&limits, volts, width, err) != RESHED_OK) return RS_DRIVER_REFUSED;
    st = sim_ready(sim, "a pulse", err);
    if (st != RS_DRIVER_OK) return st;
    if (!sim->engaged) return sim_refuse(err, "a pulse|the tip engaged|it is withdrawn");
    sim->worked += width;
    return sim_wait(sim, rs_sim_now(sim) + width, timeout, err);
}

rs_driver_status rs_sim_set_drive(void *self, double volts, double timeout, reshed_error *err)
{
    rs_sim *sim = self;
    rs_driver_status st = sim_enter(sim, timeout, err);
    if (st != RS_DRIVER_OK) return st;
    const rs_limits limits = sim_limits(sim);
    if (rs_limits_check_drive(&limits, volts, err) != RESHED_OK) return RS_DRIVER_REFUSED;
    st = check_volts(sim, "drive", volts, err);
    if (st == RS_DRIVER_OK) sim->drive = volts;
    return st;
}

rs_driver_status rs_sim_read_signal(void *self, const char *name, double *value, double timeout,
                                    reshed_error *err)
{
    rs_sim *sim = self;
    rs_driver_status st = sim_enter(sim, timeout, err);
    if (st != RS_DRIVER_OK) return st;
    double x, y;
    sim_where(sim, &x, &y);
    const struct {
        const char *name;
        double value;
    } signal[] = {{"Bias", sim->bias},
                  {"Drive", sim->drive},
                  {"Setpoint", sim->setpoint},
                  {"X", x},
                  {"Y", y},
                  {"Time", rs_sim_now(sim)}};
    for (size_t i = 0; i < sizeof signal / sizeof signal[0]; i++)
        if (strcmp(signal[i].name, name) == 0) {
            *value = signal[i].value;
            return RS_DRIVER_OK;
        }
    return sim_refuse(err, "signal|Bias, Drive, Setpoint, X, Y or Time|%s", name);
}

/* --------------------------------------------------------------------------------- spectroscopy */

/* s of the instrument's clock. */
static double spectroscopy_seconds(const rs_sim *sim)
{
    const rs_spectroscopy *s = &sim->spectroscopy;
    double read = s->dwell, ramp = 0, before = sim->bias;
    if (sim->caps.band_excitation) read = fmax(read, sim->be.repeats * sim->be.duration);
    double on = s->settle + fmax(read, s->on_time), off = s->off_field ? s->settle + read : 0;
    for (int i = 0; s->ramp_rate > 0 && i < s->steps; i++) {
        ramp += fabs(s->voltage[i] - before);
        before = s->off_field ? s->read_bias : s->voltage[i];
        if (s->off_field) ramp += fabs(s->voltage[i] - before);
    }
    return s->steps * (on + off) + (s->ramp_rate > 0 ? ramp / s->ramp_rate : 0);
}

double rs_sim_spectroscopy_seconds(void *self)
{
    rs_sim *sim = self;
    return sim->opt.clock == 0 ? 0 : spectroscopy_seconds(sim) / sim->opt.clock;
}

rs_driver_status rs_sim_set_spectroscopy(void *self, const rs_spectroscopy *s, double timeout,
                                         reshed_error *err)
{
    rs_sim *sim = self;
    rs_driver_status st = sim_enter(sim, timeout, err);
    if (st != RS_DRIVER_OK) return st;
    const rs_limits limits = sim_limits(sim);
    if (!sim->source.spectrum) return sim_refuse(err, "spectroscopy is not available");
    if (sim->measuring) return sim_refuse(err, "new spectroscopy|none under way|one");
    if (rs_limits_check_spectroscopy(&limits, s, err) != RESHED_OK) return RS_DRIVER_REFUSED;
    if (s->off_field && !sim->caps.off_field)
        return sim_refuse(err, "off-field reading is not available");
    double *voltage = rs_alloc((size_t)s->steps, sizeof *voltage);
    if (!voltage) {
        rs_fail_nomem(err, "the voltages", (size_t)s->steps * sizeof *voltage);
        return RS_DRIVER_REFUSED;
    }
    memcpy(voltage, s->voltage, (size_t)s->steps * sizeof *voltage);
    rs_free((void *)sim->spectroscopy.voltage);
    sim->spectroscopy = *s;
    sim->spectroscopy.voltage = voltage;
    return RS_DRIVER_OK;
}

static rs_driver_status fit_spectrum(const rs_sim *sim, rs_spectrum *out, reshed_error *err)
{
    int steps = sim->spectroscopy.steps, bins = sim->caps.bins;
    if (steps < 1) return sim_refuse(err, "no spectroscopy was set");
    if (out->steps < steps)
        return sim_refuse(err, "steps of the spectrum|room for %d|%d", steps, out->steps);
    if ((out->spectra || out->frequency) && out->bins < bins)
        return sim_refuse(err, "bins of the spectrum|room for %d|%d", bins, out->bins);
    out->steps = steps;
    out->bins = bins;
    out->fields = sim->spectroscopy.off_field ? 2 : 1;
    return RS_DRIVER_OK;
}

static void spoil_spectrum(rs_spectrum *out)
{
    size_t n = (size_t)out->fields * (size_t)out->steps;
    for (size_t i = 0; out->amplitude && i < n; i++) out->amplitude[i] = NAN;
    for (size_t i = 0; out->phase && i < n; i++) out->phase[i] = NAN;
    for (size_t i = 0; out->spectra && i < 2 * n * (size_t)out->bins; i++) out->spectra[i] = NAN;
}

rs_driver_status rs_sim_run_spectroscopy(void *self, double timeout, rs_spectrum *out,
                                         reshed_error *err)
{
    rs_sim *sim = self;
    rs_driver_status st = sim_enter(sim, timeout, err);
    if (st != RS_DRIVER_OK) return st;
    rs_spectrum o = *out;
    if (!sim->source.spectrum) return sim_refuse(err, "spectroscopy is not available");
    st = fit_spectrum(sim, &o, err);
    if (st != RS_DRIVER_OK) return st;
    double seconds = spectroscopy_seconds(sim);
    if (!sim->measuring) {
        st = sim_ready(sim, "spectroscopy", err);
        if (st != RS_DRIVER_OK) return st;
        if (!sim->engaged) return sim_refuse(err, "spectroscopy|the tip engaged|it is withdrawn");
        sim_where(sim, &sim->x, &sim->y);
        sim->scan.left = true;
        sim->measuring = true;
        sim->measured_at = rs_sim_now(sim) + seconds;
        sim->spectra++;
    }
    st = sim_wait(sim, sim->measured_at, timeout, err);
    if (st != RS_DRIVER_OK) return st;
    rs_sim_moment when = {sim->spectra - 1, sim->worked + 0.5 * seconds};
    sim->measuring = false;
    sim->worked += seconds;
    if (when.serial == (int64_t)sim->opt.lose_spectrum) {
        rs_fail(err, RESHED_EIO, "a spectrum was lost");
        return RS_DRIVER_LOST_LINE;
    }
    o.x = sim->x;
    o.y = sim->y;
    o.time = sim->measured_at;
    st = sim->source.spectrum(sim, &when, &o, err);
    if (st != RS_DRIVER_OK) return st;
    if (when.serial == (int64_t)sim->opt.nan_spectrum) spoil_spectrum(&o);
    *out = o;
    return RS_DRIVER_OK;
}
