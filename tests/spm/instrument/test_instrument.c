/* The one door to an instrument: limits that are checked before every driver, waits for what takes
 * its time, and a halt that does not wait for other calls. */
#include "support/support.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/os.h"
#include "base/thread.h"
#include "spm/instrument/instrument.h"
#include "spm/instrument/private.h"
#include "spm/instrument/words.h"

#define assert_status(expr, want)                                                                  \
    assert_string_equal(rs_driver_status_text(expr), rs_driver_status_text(want))

/* --------------------------------------------------------------------------------------- limits */

/* A driver that only counts what reaches it. */

typedef struct counter {
    int calls;
} counter;

static rs_driver_status count(void *self)
{
    ((counter *)self)->calls++;
    return RS_DRIVER_OK;
}

static rs_driver_status count_frame(void *self, const rs_frame *f, double t, reshed_error *err)
{
    (void)f, (void)t, (void)err;
    return count(self);
}

static rs_driver_status count_be(void *self, const rs_be_setup *b, double t, reshed_error *err)
{
    (void)b, (void)t, (void)err;
    return count(self);
}

static rs_driver_status count_move(void *self, double x, double y, double v, double t,
                                   reshed_error *err)
{
    (void)x, (void)y, (void)v, (void)t, (void)err;
    return count(self);
}

static rs_driver_status count_one(void *self, double v, double t, reshed_error *err)
{
    (void)v, (void)t, (void)err;
    return count(self);
}

static rs_driver_status count_pulse(void *self, double v, double w, double t, reshed_error *err)
{
    (void)v, (void)w, (void)t, (void)err;
    return count(self);
}

static rs_driver_status count_spectroscopy(void *self, const rs_spectroscopy *s, double t,
                                           reshed_error *err)
{
    (void)s, (void)t, (void)err;
    return count(self);
}

static void count_caps(void *self, rs_driver_caps *caps)
{
    (void)self;
    *caps = (rs_driver_caps){.clock_rate = 1};
}

static const rs_driver_ops counting = {.name = "counter",
                                       .caps = count_caps,
                                       .set_frame = count_frame,
                                       .set_be = count_be,
                                       .move_tip = count_move,
                                       .set_bias = count_one,
                                       .set_drive = count_one,
                                       .pulse = count_pulse,
                                       .set_spectroscopy = count_spectroscopy};

/* Assert that a call is refused without reaching the driver, or passes. */
#define refused(call)                                                                              \
    do {                                                                                           \
        int before = counter_.calls;                                                               \
        reshed_error err_ = {0}, *err = &err_;                                                     \
        assert_status(call, RS_DRIVER_REFUSED);                                                    \
        assert_int_equal(counter_.calls, before);                                                  \
        assert_int_equal(err_.status, RESHED_EINVAL);                                              \
        assert_true(err_.what[0] && err_.expected[0] && err_.found[0]);                            \
    } while (0)
#define passed(call)                                                                               \
    do {                                                                                           \
        int before = counter_.calls;                                                               \
        reshed_error *err = NULL;                                                                  \
        assert_status(call, RS_DRIVER_OK);                                                         \
        assert_int_equal(counter_.calls, before + 1);                                              \
    } while (0)

static rs_instrument counting_driver(counter *c)
{
    rs_instrument d = {.ops = &counting, .self = c};
    d.caps.limits = (rs_driver_limits){.x_min = -1e-6,
                                       .x_max = 3e-6,
                                       .y_min = -2e-6,
                                       .y_max = 2e-6,
                                       .bias_max = 10,
                                       .drive_max = 2,
                                       .speed_max = 1e-5};
    return d;
}

static void nothing_out_of_range_reaches_a_driver(void **state)
{
    (void)state;
    counter counter_ = {0};
    rs_instrument d = counting_driver(&counter_);
    rs_limits user;
    reshed_error error = {0};
    rs_limits_none(&user);
    user.driver.bias_max = 5; /* narrower than the driver's */
    user.driver.drive_max = 50;
    user.driver.x_max = 2e-6;
    user.step_max = 0.5;
    assert_ok(rs_instrument_limit(&d, &user, &error), &error);
    const double nan = NAN, inf = INFINITY;
    passed(rs_instrument_move_tip(&d, 2e-6, -2e-6, 1e-5, 1, err));
    refused(rs_instrument_move_tip(&d, 2.01e-6, 0, 1e-5, 1, err));
    refused(rs_instrument_move_tip(&d, -1.01e-6, 0, 1e-5, 1, err));
    refused(rs_instrument_move_tip(&d, 0, 2.01e-6, 1e-5, 1, err));
    refused(rs_instrument_move_tip(&d, 0, -2.01e-6, 1e-5, 1, err));
    refused(rs_instrument_move_tip(&d, nan, 0, 1e-5, 1, err));
    refused(rs_instrument_move_tip(&d, 0, nan, 1e-5, 1, err));
    refused(rs_instrument_move_tip(&d, 0, 0, 1.01e-5, 1, err));
    refused(rs_instrument_move_tip(&d, 0, 0, 0, 1, err));
    refused(rs_instrument_move_tip(&d, 0, 0, -1e-6, 1, err));
    refused(rs_instrument_move_tip(&d, 0, 0, nan, 1, err));
    passed(rs_instrument_set_bias(&d, -5, 1, err));
    refused(rs_instrument_set_bias(&d, 5.01, 1, err));
    refused(rs_instrument_set_bias(&d, -5.01, 1, err));
    refused(rs_instrument_set_bias(&d, nan, 1, err));
    refused(rs_instrument_set_bias(&d, inf, 1, err));
    passed(rs_instrument_set_drive(&d, 2, 1, err));
    passed(rs_instrument_set_drive(&d, 0, 1, err));
    refused(rs_instrument_set_drive(&d, 2.01, 1, err));
    refused(rs_instrument_set_drive(&d, -0.01, 1, err));
    refused(rs_instrument_set_drive(&d, nan, 1, err));
    passed(rs_instrument_pulse(&d, 5, 0.5, 1, err));
    refused(rs_instrument_pulse(&d, 5.01, 0.5, 1, err));
    refused(rs_instrument_pulse(&d, 5, 0.51, 1, err));
    refused(rs_instrument_pulse(&d, 5, -1, 1, err));
    refused(rs_instrument_pulse(&d, 5, nan, 1, err));
    /* Without limits of the user's own the driver's hold. */
    assert_ok(rs_instrument_limit(&d, NULL, &error), &error);
    passed(rs_instrument_set_bias(&d, 10, 1, err));
    refused(rs_instrument_set_bias(&d, 10.01, 1, err));
    passed(rs_instrument_pulse(&d, 5, 1e6, 1, err));
    refused(rs_instrument_pulse(&d, 5, inf, 1, err));
}

static void frames_are_checked_at_their_corners(void **state)
{
    (void)state;
    counter counter_ = {0};
    rs_instrument d = counting_driver(&counter_);
    reshed_error error = {0};
    assert_ok(rs_instrument_limit(&d, NULL, &error), &error);
    const rs_frame good = {
        .cx = 1e-6, .width = 4e-6, .height = 4e-6, .rows = 256, .cols = 256, .line_rate = 1};
    rs_frame f = good;
    passed(rs_instrument_set_frame(&d, &f, 1, err));
    f.angle = acos(-1) / 2; /* its corners are rounded, not out */
    passed(rs_instrument_set_frame(&d, &f, 1, err));
    f.angle = 0.1; /* turned, the corners stick out */
    refused(rs_instrument_set_frame(&d, &f, 1, err));
    f.width = f.height = 2.8e-6;
    passed(rs_instrument_set_frame(&d, &f, 1, err));
    f.angle = acos(-1) / 4;
    passed(rs_instrument_set_frame(&d, &f, 1, err));
    f.width = 2.9e-6;
    refused(rs_instrument_set_frame(&d, &f, 1, err));
    f = good, f.cx = 1.01e-6;
    refused(rs_instrument_set_frame(&d, &f, 1, err));
    f = good, f.cy = 1e-8;
    refused(rs_instrument_set_frame(&d, &f, 1, err));
    f = good, f.cy = NAN;
    refused(rs_instrument_set_frame(&d, &f, 1, err));
    f = good, f.angle = INFINITY;
    refused(rs_instrument_set_frame(&d, &f, 1, err));
    f = good, f.width = 0;
    refused(rs_instrument_set_frame(&d, &f, 1, err));
    f = good, f.height = NAN;
    refused(rs_instrument_set_frame(&d, &f, 1, err));
    f = good, f.rows = 0;
    refused(rs_instrument_set_frame(&d, &f, 1, err));
    f = good, f.cols = 1 << 20;
    refused(rs_instrument_set_frame(&d, &f, 1, err));
    f = good, f.rows = f.cols = 60000;
    refused(rs_instrument_set_frame(&d, &f, 1, err));
    f = good, f.line_rate = 1.26; /* 8 um there and back, 1e-5 m/s at 1.25 lines a second */
    refused(rs_instrument_set_frame(&d, &f, 1, err));
    f = good, f.line_rate = 1.25;
    passed(rs_instrument_set_frame(&d, &f, 1, err));
    f = good, f.line_rate = 0;
    refused(rs_instrument_set_frame(&d, &f, 1, err));
}

static void excitation_and_waveforms_are_checked(void **state)
{
    (void)state;
    counter counter_ = {0};
    rs_instrument d = counting_driver(&counter_);
    rs_limits user;
    reshed_error error = {0};
    rs_limits_none(&user);
    user.step_max = 0.1;
    assert_ok(rs_instrument_limit(&d, &user, &error), &error);
    const rs_be_setup be = {335e3, 50e3, 2, 1, 1, 1e-3};
    rs_be_setup b = be;
    passed(rs_instrument_set_be(&d, &b, 1, err));
    b.amplitude = 2.1;
    refused(rs_instrument_set_be(&d, &b, 1, err));
    b = be, b.centre = 20e3;
    refused(rs_instrument_set_be(&d, &b, 1, err));
    b = be, b.band = NAN;
    refused(rs_instrument_set_be(&d, &b, 1, err));
    b = be, b.repeats = 0;
    refused(rs_instrument_set_be(&d, &b, 1, err));
    b = be, b.duration = -1;
    refused(rs_instrument_set_be(&d, &b, 1, err));
    b = be, b.phase_variation = NAN;
    refused(rs_instrument_set_be(&d, &b, 1, err));
    double v[4] = {0, 10, 0, -10};
    const rs_spectroscopy good = {
        .voltage = v, .steps = 4, .off_field = true, .dwell = 0.06, .settle = 0.04};
    rs_spectroscopy p = good;
    passed(rs_instrument_set_spectroscopy(&d, &p, 1, err));
    for (int i = 0; i < 4; i++) {
        const double bad[] = {10.1, -10.1, NAN, INFINITY};
        double keep = v[i];
        for (int k = 0; k < 4; k++) {
            v[i] = bad[k];
            refused(rs_instrument_set_spectroscopy(&d, &p, 1, err));
        }
        v[i] = keep;
    }
    p.steps = 0;
    refused(rs_instrument_set_spectroscopy(&d, &p, 1, err));
    p = good, p.voltage = NULL;
    refused(rs_instrument_set_spectroscopy(&d, &p, 1, err));
    p = good, p.dwell = 0.07; /* with the settling above the limit */
    refused(rs_instrument_set_spectroscopy(&d, &p, 1, err));
    p = good, p.on_time = 0.11;
    refused(rs_instrument_set_spectroscopy(&d, &p, 1, err));
    p = good, p.read_bias = 11;
    refused(rs_instrument_set_spectroscopy(&d, &p, 1, err));
    p = good, p.ramp_rate = -1;
    refused(rs_instrument_set_spectroscopy(&d, &p, 1, err));
    p = good, p.settle = NAN;
    refused(rs_instrument_set_spectroscopy(&d, &p, 1, err));
}

static void limits_must_make_sense(void **state)
{
    (void)state;
    counter c = {0};
    rs_instrument d = counting_driver(&c);
    rs_limits user;
    reshed_error err = {0};
    rs_limits_none(&user);
    user.driver.bias_max = NAN;
    assert_int_equal(rs_instrument_limit(&d, &user, &err), RESHED_EINVAL);
    rs_limits_none(&user);
    user.step_max = -1;
    assert_int_equal(rs_instrument_limit(&d, &user, &err), RESHED_EINVAL);
    rs_limits_none(&user);
    user.driver.x_min = NAN;
    assert_int_equal(rs_instrument_limit(&d, &user, &err), RESHED_EINVAL);
    rs_limits_none(&user);
    user.driver.x_min = 4e-6; /* beyond the driver's end */
    assert_int_equal(rs_instrument_limit(&d, &user, &err), RESHED_EINVAL);
    assert_non_null(strstr(err.expected, "place for the tip"));
    assert_non_null(strstr(err.found, "4e-06"));
}

/* ------------------------------------------------------------------------------------- patience */

/* A driver whose every call takes as many tries as `retries` says. */
typedef struct slow_driver {
    int retries, calls, asked;
    bool stop;          /* what the caller answers when asked */
    atomic_int halts;   /* from any thread */
    atomic_bool inside; /* a call is under way, which ends when halted */
} slow_driver;

static rs_driver_status slow(slow_driver *d, double timeout, reshed_error *err)
{
    assert_non_null(err);
    d->calls++;
    rs_os_sleep(timeout);
    if (d->retries < 0 || d->calls <= d->retries) return RS_DRIVER_RETRY;
    return RS_DRIVER_OK;
}

static rs_driver_status slow_move(void *self, double x, double y, double v, double timeout,
                                  reshed_error *err)
{
    assert_true(x == 1e-6 && y == -1e-6 && v == 1e-5);
    return slow(self, timeout, err);
}

static rs_driver_status slow_spectrum(void *self, double timeout, rs_spectrum *out,
                                      reshed_error *err)
{
    out->steps = 7;
    return slow(self, timeout, err);
}

static rs_driver_status slow_line(void *self, double timeout, rs_line *line, reshed_error *err)
{
    line->row = 3;
    return slow(self, timeout, err);
}

/* Blocks until it is halted, as a driver within a long reply. */
static rs_driver_status blocked(void *self, double timeout, reshed_error *err)
{
    slow_driver *d = self;
    const double until = rs_os_monotonic() + timeout;
    atomic_store(&d->inside, true);
    while (atomic_load(&d->halts) == 0 && rs_os_monotonic() < until) rs_os_sleep(1e-3);
    rs_fail(err, RESHED_EIO, "halted");
    return atomic_load(&d->halts) ? RS_DRIVER_REFUSED : RS_DRIVER_RETRY;
}

static rs_driver_status slow_halt(void *self, double timeout, reshed_error *err)
{
    assert_true(timeout > 0 && err != NULL);
    atomic_fetch_add(&((slow_driver *)self)->halts, 1);
    return RS_DRIVER_OK;
}

static bool asks(void *ctx)
{
    slow_driver *d = ctx;
    d->asked++;
    return d->stop;
}

static const rs_driver_ops slow_ops = {.name = "slow",
                                       .move_tip = slow_move,
                                       .run_spectroscopy = slow_spectrum,
                                       .wait_line = slow_line,
                                       .pause = blocked,
                                       .halt = slow_halt};

static rs_instrument slow_instrument(slow_driver *d)
{
    rs_instrument i = {.ops = &slow_ops, .self = d};
    rs_limits_none(&i.limits);
    return i;
}

static rs_driver_status go(rs_instrument *i, const rs_wait *w, reshed_error *err)
{
    return rs_instrument_go(i, 1e-6, -1e-6, 1e-5, w, err);
}

static rs_driver_status measure(rs_instrument *i, const rs_wait *w, reshed_error *err)
{
    rs_spectrum s = {0};
    const rs_driver_status st = rs_instrument_measure(i, w, &s, err);
    assert_int_equal(s.steps, 7);
    return st;
}

static void what_takes_its_time_is_waited_for(void **state)
{
    (void)state;
    static rs_driver_status (*const waits[])(rs_instrument *, const rs_wait *,
                                             reshed_error *) = {go, measure};
    for (int k = 0; k < 2; k++) {
        reshed_error err = {0};
        slow_driver d = {.retries = 4};
        rs_instrument i = slow_instrument(&d);
        rs_wait w = {.poll = 1e-3, .since = rs_os_monotonic(), .within = 60};
        assert_status(waits[k](&i, &w, NULL), RS_DRIVER_OK);
        assert_int_equal(d.calls, 5);

        /* A caller that wants it to end is asked after each try. */
        d = (slow_driver){.retries = -1, .stop = true};
        w.interrupted = asks;
        w.ctx = &d;
        assert_status(waits[k](&i, &w, &err), RS_DRIVER_RETRY);
        assert_int_equal(d.calls, 1);
        assert_int_equal(d.asked, 1);

        /* One that is through is not interrupted any more. */
        d = (slow_driver){.stop = true};
        assert_status(waits[k](&i, &w, &err), RS_DRIVER_OK);
        assert_int_equal(d.asked, 0);

        /* An instrument that never comes to an end is lost. */
        d = (slow_driver){.retries = -1};
        w.since = rs_os_monotonic();
        w.within = 0.02;
        assert_status(waits[k](&i, &w, &err), RS_DRIVER_LOST);
        assert_int_equal(err.status, RESHED_ETIMEOUT);
        assert_true(d.calls >= 2 && d.asked == d.calls);
    }
}

static void a_line_may_be_late_but_not_for_ever(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_line line = {.row = -1};
    slow_driver d = {.retries = -1};
    rs_instrument i = slow_instrument(&d);
    rs_wait w = {.poll = 1e-3, .since = rs_os_monotonic(), .within = 60, .interrupted = asks, &d};
    assert_status(rs_instrument_next_line(&i, &w, &line, &err), RS_DRIVER_RETRY);
    assert_int_equal(d.calls, 1); /* one only: the caller may want to pause the scan */
    assert_int_equal(d.asked, 0);
    w.since -= 61;
    assert_status(rs_instrument_next_line(&i, &w, &line, &err), RS_DRIVER_LOST);
    assert_int_equal(err.status, RESHED_ETIMEOUT);
    assert_non_null(strstr(err.expected, "60 s"));
    d.retries = 0;
    assert_status(rs_instrument_next_line(&i, &w, &line, NULL), RS_DRIVER_OK); /* late, but there */
    assert_int_equal(line.row, 3);
}

/* ----------------------------------------------------------------------------------------- ends */

/* A call from another thread; what it answered. */
typedef struct pausing {
    rs_instrument *i;
    rs_driver_status status;
} pausing;

static void pauses(void *ctx)
{
    pausing *p = ctx;
    p->status = rs_instrument_pause(p->i, 30, NULL);
}

static void a_halt_goes_past_a_call_that_is_under_way(void **state)
{
    (void)state;
    reshed_error err = {0};
    slow_driver d = {.retries = 0};
    rs_instrument i = slow_instrument(&d);
    pausing p = {.i = &i};
    rs_thread *thread = NULL;
    const double start = rs_os_monotonic();
    assert_ok(rs_thread_start(pauses, &p, &thread, &err), &err);
    while (!atomic_load(&d.inside)) rs_os_sleep(1e-3);
    assert_status(rs_instrument_halt(&i, 1, NULL), RS_DRIVER_OK);
    rs_thread_join(thread);
    assert_true(rs_os_monotonic() - start < 20);
    assert_status(p.status, RS_DRIVER_REFUSED);
    assert_status(rs_instrument_halt(&i, 1, &err), RS_DRIVER_OK); /* and twice */
    assert_int_equal(atomic_load(&d.halts), 2);
}

static void a_halt_asks_no_limit(void **state)
{
    (void)state;
    reshed_error err = {0};
    slow_driver d = {.retries = 0};
    rs_instrument i = slow_instrument(&d);
    i.limits = (rs_limits){.driver = {.x_min = NAN}}; /* nothing at all would pass */
    assert_status(rs_instrument_move_tip(&i, 0, 0, 1e-6, 1, &err), RS_DRIVER_REFUSED);
    assert_status(rs_instrument_halt(&i, 1, &err), RS_DRIVER_OK);
    assert_int_equal(atomic_load(&d.halts), 1);
}

static void what_a_driver_does_not_have_is_refused(void **state)
{
    (void)state;
    rs_instrument i = {.ops = &(const rs_driver_ops){.name = "bare"}};
    rs_frame f = {0};
    rs_line line = {0};
    rs_spectrum out = {0};
    double v, w;
    reshed_error err = {0};
    rs_limits_none(&i.limits);
    assert_false(rs_instrument_can_scan(&i) || rs_instrument_can_measure(&i) ||
                 rs_instrument_can_drive(&i));
    assert_true(isnan(rs_instrument_spectroscopy_seconds(&i)));
    assert_status(rs_instrument_get_frame(&i, &f, 1, &err), RS_DRIVER_REFUSED);
    assert_int_equal(err.status, RESHED_EUNSUPPORTED);
    assert_non_null(strstr(err.what, "bare cannot scan"));
    assert_status(rs_instrument_start(&i, 0, 1, NULL), RS_DRIVER_REFUSED);
    assert_status(rs_instrument_pause(&i, 1, &err), RS_DRIVER_REFUSED);
    assert_status(rs_instrument_wait_line(&i, 1, &line, &err), RS_DRIVER_REFUSED);
    assert_status(rs_instrument_get_tip(&i, &v, &w, 1, &err), RS_DRIVER_REFUSED);
    assert_status(rs_instrument_run_spectroscopy(&i, 1, &out, &err), RS_DRIVER_REFUSED);
    assert_status(rs_instrument_read_signal(&i, "Bias", &v, 1, &err), RS_DRIVER_REFUSED);
    assert_status(rs_instrument_set_bias(&i, 0, 1, &err), RS_DRIVER_REFUSED);
    assert_non_null(strstr(err.what, "bare cannot set the bias"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_out_of_range_reaches_a_driver),
        cmocka_unit_test(frames_are_checked_at_their_corners),
        cmocka_unit_test(excitation_and_waveforms_are_checked),
        cmocka_unit_test(limits_must_make_sense),
        cmocka_unit_test(what_takes_its_time_is_waited_for),
        cmocka_unit_test(a_line_may_be_late_but_not_for_ever),
        cmocka_unit_test(a_halt_goes_past_a_call_that_is_under_way),
        cmocka_unit_test(a_halt_asks_no_limit),
        cmocka_unit_test(what_a_driver_does_not_have_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
