/* Switching spectroscopy by the Bias Spectroscopy module: the bias goes down a staircase, and the
 * amplitude (and phase) are averaged on each step. All readings are on field; Nanonis has no pulsed
 * off-field reading.
 *
 * A staircase that is one straight line is a Linear sweep; another one is up to 16 segments of MLS
 * mode. Each segment is taken to measure its points from its start to its end, both included, and
 * segments follow each other without repeating a point. Where the instrument returns the calculated
 * bias as well ("Bias calc"), it is held against what was asked for, so that an instrument that
 * counts otherwise is found out at the first spectrum. */
#include "spm/instrument/nanonis/private.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/status.h"
#include "spm/instrument/nanonis/segments.h"

#define MAX_SEGMENTS 16
#define MAX_STEPS 100000

static rs_driver_status check(const rs_nano *n, const rs_spectroscopy *s, reshed_error *err)
{
    if (s->off_field)
        return rs_nano_refuse(err, "spectroscopy|readings on field|off-field readings as well, "
                                   "which Nanonis cannot pulse");
    if (s->steps < 2 || s->steps > MAX_STEPS)
        return rs_nano_refuse(err, "steps of the staircase|2 to %d|%d", MAX_STEPS, s->steps);
    for (int i = 0; i < s->steps; i++)
        if (!(fabs(s->voltage[i]) <= n->limits.bias_max))
            return rs_nano_refuse(err, "bias of step %d|at most %g V either way|%g V", i,
                                  n->limits.bias_max, s->voltage[i]);
    if (!(s->settle >= 0 && s->dwell > s->settle && s->dwell <= 3600))
        return rs_nano_refuse(err, "time of a step|above the %g s of settling|%g s", s->settle,
                              s->dwell);
    if (!(s->ramp_rate >= 0 && isfinite(s->ramp_rate)))
        return rs_nano_refuse(err, "ramp rate|0 or above|%g V/s", s->ramp_rate);
    return RS_DRIVER_OK;
}

static rs_driver_status send_linear(rs_nano *n, const rs_spectroscopy *s, double deadline,
                                    reshed_error *err)
{
    rs_nano_message m;
    rs_nano_request(&m, "BiasSpectr.MLSModeSet", "", NULL);
    rs_nano_put_string(&m, "Linear");
    rs_driver_status st = rs_nano_ask_numbers(&n->link, &m, NULL, "", NULL, deadline, err);
    if (st != RS_DRIVER_OK) return st;
    return rs_nano_tell(&n->link, "BiasSpectr.LimitsSet", "ff",
                        (double[]){s->voltage[0], s->voltage[s->steps - 1]}, false, deadline, err);
}

static rs_driver_status send_segments(rs_nano *n, const rs_spectroscopy *s,
                                      const rs_nano_segment *segment, int count, double deadline,
                                      reshed_error *err)
{
    rs_nano_message m;
    rs_nano_request(&m, "BiasSpectr.MLSModeSet", "", NULL);
    rs_nano_put_string(&m, "MLS");
    rs_driver_status st = rs_nano_ask_numbers(&n->link, &m, NULL, "", NULL, deadline, err);
    if (st != RS_DRIVER_OK) return st;
    rs_nano_request(&m, "BiasSpectr.MLSValsSet", "i", (double[]){count});
    for (int k = 0; k < count; k++) rs_nano_put(&m, "f", &s->voltage[segment[k].first]);
    for (int k = 0; k < count; k++)
        rs_nano_put(&m, "f", &s->voltage[segment[k].first + segment[k].points - 1]);
    for (int k = 0; k < count; k++) rs_nano_put(&m, "f", (double[]){0}); /* initial settling */
    for (int k = 0; k < count; k++) rs_nano_put(&m, "f", &s->settle);
    for (int k = 0; k < count; k++) rs_nano_put(&m, "f", (double[]){s->dwell - s->settle});
    for (int k = 0; k < count; k++) rs_nano_put(&m, "i", (double[]){segment[k].points});
    for (int k = 0; k < count; k++) rs_nano_put(&m, "I", (double[]){1}); /* the lock-in runs */
    return rs_nano_ask_numbers(&n->link, &m, NULL, "", NULL, deadline, err);
}

/* Sends the settings that both kinds of sweep need. */
static rs_driver_status send_common(rs_nano *n, const rs_spectroscopy *s, int points,
                                    double deadline, reshed_error *err)
{
    rs_nano_message m;
    const int recorded = n->set.phase ? 2 : 1;
    rs_driver_status st = rs_nano_tell(&n->link, "BiasSpectr.Open", "", NULL, false, deadline, err);
    if (st != RS_DRIVER_OK) return st;
    rs_nano_request(&m, "BiasSpectr.ChsSet", "i", (double[]){recorded});
    for (int i = 0; i < recorded; i++) rs_nano_put(&m, "i", (double[]){n->channel[i].index});
    st = rs_nano_ask_numbers(&n->link, &m, NULL, "", NULL, deadline, err);
    if (st != RS_DRIVER_OK) return st;
    /* No separate sweeps in the file, one sweep, not backward, the tip stays in contact, saving as
     * on the panel, no dialogue that would wait for a person. */
    st = rs_nano_tell(&n->link, "BiasSpectr.PropsSet", "HiHifHH",
                      (double[]){2, 1, 2, points, 0, 0, 2}, false, deadline, err);
    if (st != RS_DRIVER_OK) return st;
    /* The bias goes back to what it was; the lock-in is left alone. */
    st = rs_nano_tell(&n->link, "BiasSpectr.AdvPropsSet", "HHHH", (double[]){1, n->set.hold, 0, 0},
                      false, deadline, err);
    if (st != RS_DRIVER_OK) return st;
    return rs_nano_tell(&n->link, "BiasSpectr.TimingSet", "ffffffff",
                        (double[]){NAN, 0, s->settle, s->ramp_rate > 0 ? s->ramp_rate : NAN,
                                   s->settle, s->dwell - s->settle, NAN, NAN},
                        false, deadline, err);
}

rs_driver_status rs_nano_set_spectroscopy(void *self, const rs_spectroscopy *s, double timeout,
                                          reshed_error *err)
{
    rs_nano *n = self;
    rs_nano_spectroscopy *have = &n->spectrum;
    const double deadline = rs_nano_deadline(timeout);
    rs_nano_segment segment[MAX_SEGMENTS];
    rs_driver_status st = check(n, s, err);
    if (st != RS_DRIVER_OK) return st;
    const int count = rs_nano_segments(s->voltage, s->steps, segment, MAX_SEGMENTS);
    if (count > MAX_SEGMENTS)
        return rs_nano_refuse(err, "staircase|at most %d straight pieces|%d", MAX_SEGMENTS, count);
    float *voltage = rs_alloc((size_t)s->steps, sizeof *voltage);
    if (!voltage) {
        rs_fail_nomem(err, "a staircase", (size_t)s->steps * sizeof *voltage);
        return RS_DRIVER_RETRY;
    }
    have->steps = 0;
    have->running = false;
    atomic_store(&n->used_spectroscopy, true);
    st = send_common(n, s, count == 1 ? s->steps : 0, deadline, err);
    if (st == RS_DRIVER_OK)
        st = count == 1 ? send_linear(n, s, deadline, err)
                        : send_segments(n, s, segment, count, deadline, err);
    if (st != RS_DRIVER_OK) {
        rs_free(voltage);
        return st;
    }
    for (int i = 0; i < s->steps; i++) voltage[i] = (float)s->voltage[i];
    rs_free(have->voltage);
    have->voltage = voltage;
    have->steps = s->steps;
    have->seconds = s->steps * s->dwell + s->settle;
    if (s->ramp_rate > 0)
        for (int i = 1; i < s->steps; i++)
            have->seconds += fabs(s->voltage[i] - s->voltage[i - 1]) / s->ramp_rate;
    return RS_DRIVER_OK;
}

double rs_nano_spectroscopy_seconds(void *self)
{
    const rs_nano *n = self;
    return n->spectrum.steps ? n->spectrum.seconds : 0;
}

/* Row of a signal among those that came back; -1: it is not there. */
static int row_of(const rs_nano_curves *c, const char *name)
{
    return c->rows > 0 ? rs_nano_find_signal(&c->channel, name) : -1;
}

static const uint8_t *row_at(const rs_nano_curves *c, int row)
{
    return c->values + 4 * (size_t)row * (size_t)c->cols;
}

static bool bias_as_asked(const rs_nano *n, const rs_nano_curves *c, reshed_error *err)
{
    const float *asked = n->spectrum.voltage;
    const int row = row_of(c, "Bias calc");
    float low = asked[0], high = asked[0];
    if (row < 0) return true;
    for (int i = 1; i < c->cols; i++) {
        low = fminf(low, asked[i]);
        high = fmaxf(high, asked[i]);
    }
    for (int i = 0; i < c->cols; i++) {
        float v;
        rs_nano_floats(row_at(c, row) + 4 * (size_t)i, 1, &v);
        if (fabsf(v - asked[i]) <= 1e-3f + 0.01f * (high - low)) continue;
        rs_fail(err, RESHED_ECORRUPT, "bias of step %d of the spectrum|%g V|%g V", i,
                (double)asked[i], (double)v);
        return false;
    }
    return true;
}

static rs_driver_status fill(const rs_nano *n, const rs_nano_curves *c, rs_spectrum *out,
                             reshed_error *err)
{
    const rs_nano_spectroscopy *have = &n->spectrum;
    const int amplitude = row_of(c, n->set.signal[0]);
    const int phase = n->set.phase ? row_of(c, n->set.signal[1]) : -1;
    const size_t steps = (size_t)have->steps;
    if (c->cols != have->steps) {
        rs_fail(err, RESHED_ECORRUPT, "points of the spectrum|%d|%d", have->steps, c->cols);
        return RS_DRIVER_LOST_LINE;
    }
    if (amplitude < 0 || (n->set.phase && phase < 0)) {
        rs_fail(err, RESHED_ECORRUPT, "signal %s is not in the spectrum",
                n->set.signal[amplitude < 0 ? 0 : 1]);
        return RS_DRIVER_LOST_LINE;
    }
    if (!bias_as_asked(n, c, err)) return RS_DRIVER_LOST_LINE;
    if (out->amplitude) {
        rs_nano_floats(row_at(c, amplitude), steps, out->amplitude);
        for (size_t i = 0; i < steps; i++) out->amplitude[i] *= (float)n->channel[0].scale;
    }
    if (out->phase) {
        if (phase >= 0) rs_nano_floats(row_at(c, phase), steps, out->phase);
        for (size_t i = 0; i < steps; i++)
            out->phase[i] = phase < 0 ? NAN : out->phase[i] * (float)n->channel[1].scale;
    }
    out->steps = have->steps;
    out->bins = 0;
    out->fields = 1;
    out->x = have->x;
    out->y = have->y;
    out->time = rs_os_monotonic() - n->opened;
    return RS_DRIVER_OK;
}

rs_driver_status rs_nano_run_spectroscopy(void *self, double timeout, rs_spectrum *out,
                                          reshed_error *err)
{
    rs_nano *n = self;
    rs_nano_spectroscopy *have = &n->spectrum;
    const double deadline = rs_nano_deadline(timeout);
    rs_nano_message m;
    rs_nano_reply reply;
    rs_nano_curves curves;
    rs_driver_status st = rs_nano_check_halted(n, err);
    if (st != RS_DRIVER_OK) return st;
    if (have->steps == 0) return rs_nano_refuse(err, "set_spectroscopy has to come first");
    if (out->steps < have->steps)
        return rs_nano_refuse(err, "room for a spectrum|%d steps|%d", have->steps, out->steps);
    if (!have->running) {
        st = rs_nano_get_tip(n, &have->x, &have->y, deadline - rs_os_monotonic(), err);
        if (st != RS_DRIVER_OK) return st;
    }
    /* The answer is the data, so it comes when the spectrum is over; a call that cannot wait so
     * long comes back for it. */
    const rs_nano_wish wish = {.acts = true,
                               .busy = 2 * have->seconds,
                               .limit = ((size_t)1 << 20) + 64 * 4 * (size_t)have->steps};
    rs_nano_request(&m, "BiasSpectr.Start", "I", (double[]){1});
    rs_nano_put_string(&m, "");
    st = rs_nano_ask(&n->link, &m, &wish, deadline, &reply, err);
    have->running = st == RS_DRIVER_RETRY && n->link.is_owed;
    if (st == RS_DRIVER_OK) st = rs_nano_judge(&n->link, rs_nano_read_curves(&reply, &curves, err));
    if (st != RS_DRIVER_OK) return st;
    /* Stopped by a halt, it may have ended early with what it had. */
    st = rs_nano_check_halted(n, err);
    if (st == RS_DRIVER_OK) st = fill(n, &curves, out, err);
    rs_nano_names_free(&curves.channel);
    return st;
}
