#include "spm/instrument/selftest.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "spm/instrument/private.h"

#define CALL 10.0  /* s: a simple request */
#define OPEN 30.0  /* s */
#define POLL 0.25  /* s */
#define SLOW 1e-6  /* m/s, of the tip, or its limit */
#define SAME 1e-3  /* relative: a frame that comes back */
#define NEAR 20e-9 /* m: where the tip is */
enum { STEPS = 8, LINES = 2 };

typedef struct self_test {
    rs_instrument *i;
    rs_selftest_told *told;
    void *ctx;
    int failed;
    rs_frame frame;
    bool has_frame;
} self_test;

static void tell(self_test *t, const char *call, rs_selftest_result result, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    t->failed += result == RS_SELFTEST_FAILED;
    t->told(t->ctx, call, result, text);
}

/* Tells what a call without a result of its own was answered; true when it went well. there: the
 * driver has such a function. */
static bool answered(self_test *t, const char *call, bool there, rs_driver_status st,
                     const reshed_error *err)
{
    char text[512];
    if (st == RS_DRIVER_OK) {
        tell(t, call, RS_SELFTEST_OK, "%s", "");
        return true;
    }
    tell(t, call, there ? RS_SELFTEST_FAILED : RS_SELFTEST_MISSING, "%s",
         there ? reshed_error_text(err, text, sizeof text) : "");
    return false;
}

/* ------------------------------------------------------------------------------------- the steps */

static void try_caps(self_test *t)
{
    const rs_driver_caps *c = rs_instrument_caps(t->i);
    const rs_driver_limits *l = &c->limits;
    tell(
        t, "caps", c->instrument[0] ? RS_SELFTEST_OK : RS_SELFTEST_FAILED,
        "%s; %d channels, %d bins%s; x %g to %g m, y %g to %g m, bias %g V, drive %g V, tip %g m/s",
        c->instrument[0] ? c->instrument : "no name of the instrument", c->channels, c->bins,
        c->retrace ? ", both ways" : "", l->x_min, l->x_max, l->y_min, l->y_max, l->bias_max,
        l->drive_max, l->speed_max);
}

static void try_voltages(self_test *t)
{
    reshed_error err = {0};
    double before = NAN, after = NAN;
    const rs_driver_status had = rs_instrument_get_bias(t->i, &before, CALL, &err);
    if (had == RS_DRIVER_OK)
        tell(t, "get_bias", RS_SELFTEST_OK, "%g V", before);
    else
        answered(t, "get_bias", t->i->ops->get_bias, had, &err);
    memset(&err, 0, sizeof err);
    if (answered(t, "set_bias", t->i->ops->set_bias, rs_instrument_set_bias(t->i, 0, CALL, &err),
                 &err) &&
        had == RS_DRIVER_OK) {
        const rs_driver_status st = rs_instrument_get_bias(t->i, &after, CALL, &err);
        tell(t, "bias after 0",
             st == RS_DRIVER_OK && after == 0 ? RS_SELFTEST_OK : RS_SELFTEST_FAILED, "%g V", after);
    }
    memset(&err, 0, sizeof err);
    if (rs_instrument_can_drive(t->i))
        answered(t, "set_drive", t->i->ops->set_drive, rs_instrument_set_drive(t->i, 0, CALL, &err),
                 &err);
    else
        tell(t, "set_drive", RS_SELFTEST_MISSING, "the drive is not this driver's");
    tell(t, "set_be", t->i->ops->set_be ? RS_SELFTEST_LEFT : RS_SELFTEST_MISSING, "%s",
         t->i->ops->set_be ? "needs a voltage" : "");
    tell(t, "pulse", t->i->ops->pulse ? RS_SELFTEST_LEFT : RS_SELFTEST_MISSING, "%s",
         t->i->ops->pulse ? "needs a voltage" : "");
}

static bool is_near(double a, double b, double scale)
{
    return fabs(a - b) <= SAME * scale;
}

/* The frame that the instrument has is set again, and must come back as it was. */
static void try_frame(self_test *t)
{
    reshed_error err = {0};
    rs_frame f = {0}, *have = &t->frame;
    rs_driver_status st = rs_instrument_get_frame(t->i, have, CALL, &err);
    if (st != RS_DRIVER_OK) {
        answered(t, "get_frame", t->i->ops->get_frame, st, &err);
        return;
    }
    tell(t, "get_frame", RS_SELFTEST_OK, "%g x %g m at (%g, %g), %g rad, %d x %d, %g lines/s",
         have->width, have->height, have->cx, have->cy, have->angle, have->rows, have->cols,
         have->line_rate);
    if (!answered(t, "set_frame", t->i->ops->set_frame,
                  rs_instrument_set_frame(t->i, have, CALL, &err), &err))
        return;
    st = rs_instrument_get_frame(t->i, &f, CALL, &err);
    const double side = hypot(have->width, have->height);
    t->has_frame = st == RS_DRIVER_OK && f.rows == have->rows && f.cols == have->cols &&
                   is_near(f.width, have->width, side) && is_near(f.height, have->height, side) &&
                   is_near(f.cx, have->cx, side) && is_near(f.cy, have->cy, side) &&
                   is_near(f.angle, have->angle, 1);
    tell(t, "frame after set", t->has_frame ? RS_SELFTEST_OK : RS_SELFTEST_FAILED,
         "%g x %g m at (%g, %g), %g rad, %d x %d", f.width, f.height, f.cx, f.cy, f.angle, f.rows,
         f.cols);
}

/* The next line: 1 when there is one, 0 when its time is over, -1 after any other answer. */
static int next_line(self_test *t, rs_line *line, double within, reshed_error *err)
{
    const double until = rs_os_monotonic() + within;
    rs_driver_status st;
    do st = rs_instrument_wait_line(t->i, POLL, line, err);
    while (st == RS_DRIVER_RETRY && rs_os_monotonic() < until);
    return st == RS_DRIVER_OK || st == RS_DRIVER_LOST_LINE ? 1 : st == RS_DRIVER_RETRY ? 0 : -1;
}

static void take_lines(self_test *t, float *values, float *spectra)
{
    const rs_frame *f = &t->frame;
    const rs_driver_caps *c = rs_instrument_caps(t->i);
    const double rate = isfinite(c->clock_rate) ? f->line_rate * c->clock_rate : INFINITY;
    const double within = CALL + (rate > 0 ? 4 / rate : 60);
    reshed_error err = {0};
    char text[512];
    int row = f->upward ? f->rows - 1 : 0, got = 0, right = 0, how = 1;
    for (; got < LINES && how > 0; got += how > 0) {
        rs_line line = {.cols = f->cols,
                        .bins = c->bins,
                        .channels = c->channels,
                        .channel = values,
                        .spectra = spectra};
        how = next_line(t, &line, within, &err);
        if (how <= 0) break;
        right += line.row == row && line.cols == f->cols && line.retrace == (c->retrace && got % 2);
        if (!c->retrace || line.retrace) row += f->upward ? -1 : 1;
    }
    tell(t, "wait_line", right == LINES ? RS_SELFTEST_OK : RS_SELFTEST_FAILED,
         "%d lines, %d as expected%s%s", got, right, how <= 0 ? ": " : "",
         how <= 0 ? reshed_error_text(&err, text, sizeof text) : "");
}

static void try_scan(self_test *t)
{
    reshed_error err = {0};
    const rs_driver_caps *c = rs_instrument_caps(t->i);
    if (!t->has_frame) {
        tell(t, "start", RS_SELFTEST_LEFT, "there is no frame");
        return;
    }
    const size_t cols = (size_t)t->frame.cols;
    float *values = rs_alloc(cols * (size_t)c->channels + 1, sizeof *values);
    float *spectra = rs_alloc(2 * cols * (size_t)c->bins + 1, sizeof *spectra);
    const int first = t->frame.upward ? t->frame.rows - 1 : 0;
    if (!values || !spectra)
        tell(t, "start", RS_SELFTEST_FAILED, "no memory for a line");
    else if (answered(t, "start", t->i->ops->start, rs_instrument_start(t->i, first, CALL, &err),
                      &err)) {
        take_lines(t, values, spectra);
        rs_driver_status st;
        const double until = rs_os_monotonic() + 2 * CALL;
        do st = rs_instrument_pause(t->i, CALL, &err);
        while (st == RS_DRIVER_RETRY && rs_os_monotonic() < until);
        answered(t, "pause", t->i->ops->pause, st, &err);
    }
    rs_free(values);
    rs_free(spectra);
}

static void try_tip(self_test *t)
{
    reshed_error err = {0};
    double x = NAN, y = NAN, nx = NAN, ny = NAN;
    const rs_limits *l = rs_instrument_limits(t->i);
    const double speed = fmin(SLOW, l->driver.speed_max);
    rs_driver_status st = rs_instrument_get_tip(t->i, &x, &y, CALL, &err);
    if (st != RS_DRIVER_OK) {
        answered(t, "get_tip", t->i->ops->get_tip, st, &err);
        return;
    }
    const bool in = rs_limits_check_place(l, x, y, &err) == RESHED_OK;
    tell(t, "get_tip", in ? RS_SELFTEST_OK : RS_SELFTEST_FAILED, "%g, %g m%s", x, y,
         in ? "" : ", outside the limits");
    if (!in) return;
    const rs_wait wait = {.poll = POLL, .since = rs_os_monotonic(), .within = 3 * CALL};
    if (!answered(t, "move_tip", t->i->ops->move_tip,
                  rs_instrument_go(t->i, x, y, speed, &wait, &err), &err))
        return;
    st = rs_instrument_get_tip(t->i, &nx, &ny, CALL, &err);
    tell(t, "tip after move",
         st == RS_DRIVER_OK && hypot(nx - x, ny - y) <= NEAR ? RS_SELFTEST_OK : RS_SELFTEST_FAILED,
         "%g, %g m", nx, ny);
}

/* A staircase of nothing but 0 V. */
static void try_spectroscopy(self_test *t)
{
    static const double zero[STEPS];
    reshed_error err = {0};
    const rs_driver_caps *c = rs_instrument_caps(t->i);
    const rs_spectroscopy s = {
        .voltage = zero, .steps = STEPS, .off_field = c->off_field, .dwell = 0.01, .settle = 0.001};
    if (!rs_instrument_can_measure(t->i)) {
        tell(t, "set_spectroscopy", RS_SELFTEST_MISSING, "%s", "");
        return;
    }
    if (!answered(t, "set_spectroscopy", t->i->ops->set_spectroscopy,
                  rs_instrument_set_spectroscopy(t->i, &s, CALL, &err), &err))
        return;
    float amplitude[2 * STEPS], phase[2 * STEPS];
    float *spectra = rs_alloc(4 * STEPS * (size_t)c->bins + 1, sizeof *spectra);
    if (!spectra) {
        tell(t, "run_spectroscopy", RS_SELFTEST_FAILED, "no memory for a spectrum");
        return;
    }
    rs_spectrum out = {.steps = STEPS,
                       .bins = c->bins,
                       .fields = c->off_field ? 2 : 1,
                       .spectra = spectra,
                       .amplitude = amplitude,
                       .phase = phase};
    const rs_wait wait = {.poll = POLL, .since = rs_os_monotonic(), .within = 3 * CALL};
    if (answered(t, "run_spectroscopy", t->i->ops->run_spectroscopy,
                 rs_instrument_measure(t->i, &wait, &out, &err), &err) &&
        out.steps != STEPS)
        tell(t, "spectrum", RS_SELFTEST_FAILED, "%d steps of %d", out.steps, STEPS);
    rs_free(spectra);
}

/* Tip up, then everything off, twice; afterwards nothing may act, and the bias be 0. */
static void try_ends(self_test *t)
{
    reshed_error err = {0};
    double x, y, bias = NAN;
    answered(t, "withdraw", t->i->ops->withdraw, rs_instrument_withdraw(t->i, CALL, &err), &err);
    for (int k = 0; k < 2; k++) {
        memset(&err, 0, sizeof err);
        answered(t, k ? "halt, again" : "halt", true, rs_instrument_halt(t->i, CALL, &err), &err);
    }
    if (rs_instrument_get_tip(t->i, &x, &y, CALL, NULL) == RS_DRIVER_OK) {
        const rs_driver_status st = rs_instrument_move_tip(t->i, x, y, SLOW, CALL, &err);
        tell(t, "move after halt", st == RS_DRIVER_REFUSED ? RS_SELFTEST_OK : RS_SELFTEST_FAILED,
             "%s", st == RS_DRIVER_REFUSED ? "refused, as it must be" : "not refused");
    }
    if (rs_instrument_get_bias(t->i, &bias, CALL, NULL) == RS_DRIVER_OK)
        tell(t, "bias after halt", bias == 0 ? RS_SELFTEST_OK : RS_SELFTEST_FAILED, "%g V", bias);
}

static void try_rescue(self_test *t, const rs_driver_option *option, int n)
{
    const rs_driver_ops *ops = t->i->ops;
    reshed_error err = {0};
    if (ops->size < sizeof *ops || !ops->rescue)
        tell(t, "rescue", RS_SELFTEST_MISSING, "the watchdog has no second process");
    else
        answered(t, "rescue", true, ops->rescue(option, n, CALL, &err), &err);
}

int rs_selftest(const char *driver, const rs_driver_option *option, int n, rs_selftest_told *told,
                void *ctx)
{
    self_test t = {.told = told, .ctx = ctx};
    reshed_error err = {0};
    rs_limits none;
    if (!answered(&t, "open", true, rs_instrument_open(driver, option, n, OPEN, &t.i, &err), &err))
        return t.failed ? t.failed : 1;
    rs_limits_none(&none);
    none.driver.bias_max = none.driver.drive_max = 0;
    if (rs_instrument_limit(t.i, &none, &err) == RESHED_OK) {
        try_caps(&t);
        try_voltages(&t);
        try_frame(&t);
        try_scan(&t);
        try_tip(&t);
        try_spectroscopy(&t);
    } else {
        tell(&t, "limits", RS_SELFTEST_FAILED, "%s", err.what);
    }
    try_ends(&t);
    try_rescue(&t, option, n);
    rs_instrument_close(t.i);
    tell(&t, "close", RS_SELFTEST_OK, "%s", "");
    return t.failed;
}
