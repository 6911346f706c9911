/* The good end, step by step: voltages off, then the tip where the user wants it; whatever fails is
 * reported and keeps no other voltage on. And an instrument that is closed at work is halted. */
#include "support/driver_rig.h"

#include <math.h>
#include <string.h>

#include "spm/instrument/private.h"
#include "spm/instrument/rest.h"

/* A driver that writes down what it is told, and fails where it is asked to. */
typedef struct teller {
    char told[64];        /* b, d, w, m, h: bias, drive, withdraw, move, halt */
    char fails;           /* that step ... */
    rs_driver_status how; /* ... with this answer */
    int times;            /* so often */
} teller;

static rs_driver_status tell(void *self, char step, reshed_error *err)
{
    teller *t = self;
    const size_t n = strlen(t->told);
    if (n == 0 || t->told[n - 1] != step) t->told[n] = step; /* tries count once */
    if (t->fails != step || t->times-- <= 0) return RS_DRIVER_OK;
    rs_fail(err, RESHED_EIO, "step %c does not work", step);
    return t->how;
}

static rs_driver_status tell_bias(void *self, double v, double t, reshed_error *err)
{
    (void)t;
    assert_true(v == 0);
    return tell(self, 'b', err);
}

static rs_driver_status tell_drive(void *self, double v, double t, reshed_error *err)
{
    (void)t;
    assert_true(v == 0);
    return tell(self, 'd', err);
}

static rs_driver_status tell_withdraw(void *self, double t, reshed_error *err)
{
    (void)t;
    return tell(self, 'w', err);
}

static rs_driver_status tell_move(void *self, double x, double y, double v, double t,
                                  reshed_error *err)
{
    (void)t;
    assert_true(x == 1e-6 && y == -2e-6 && v == 1e-5);
    return tell(self, 'm', err);
}

static rs_driver_status tell_halt(void *self, double t, reshed_error *err)
{
    (void)t;
    return tell(self, 'h', err);
}

static void tell_close(void *self)
{
    (void)self;
}

static const rs_driver_ops telling = {.name = "teller",
                                      .close = tell_close,
                                      .set_bias = tell_bias,
                                      .set_drive = tell_drive,
                                      .withdraw = tell_withdraw,
                                      .move_tip = tell_move,
                                      .halt = tell_halt};

static rs_instrument of(teller *t, const rs_driver_ops *ops)
{
    rs_instrument i = {.ops = ops, .self = t};
    rs_limits_none(&i.limits);
    i.caps.limits.drive_max = 1;
    return i;
}

static const rs_rest how[] = {{.tip = RS_TIP_WITHDRAW, .within = 0.05},
                              {.tip = RS_TIP_LEAVE},
                              {.tip = RS_TIP_PARK, .x = 1e-6, .y = -2e-6, .speed = 1e-5}};

static void voltages_first_then_the_tip(void **state)
{
    (void)state;
    static const char *const told[] = {"bdw", "bd", "bdwm"};
    static const char *const text[] = {"bias 0 V, drive off, tip withdrawn",
                                       "bias 0 V, drive off, tip left on the sample",
                                       "bias 0 V, drive off, tip withdrawn, tip parked"};
    for (int k = 0; k < 3; k++) {
        char buf[128];
        teller t = {.times = 0};
        rs_rest_report report;
        reshed_error err = {0};
        rs_instrument i = of(&t, &telling);
        i.busy = true;
        assert_ok(rs_rest_check(&i, &how[k], &err), &err);
        assert_status(rs_instrument_rest(&i, &how[k], 1, &report, &err), RS_DRIVER_OK);
        assert_string_equal(t.told, told[k]);
        assert_string_equal(rs_rest_text(&report, buf, sizeof buf), text[k]);
        assert_false(i.busy);
        assert_status(rs_instrument_rest(&i, &how[k], 1, NULL, NULL), RS_DRIVER_OK);
        memset(buf, 'x', sizeof buf);
        rs_rest_text(&report, buf, 11);
        assert_int_equal(strlen(buf), 10);
        assert_int_equal(buf[11], 'x');
    }
}

/* Each step fails in each way: the other voltages are switched off all the same, the report and the
 * answer say so, and a tip that is still down is not dragged away. */
static void a_step_that_fails_keeps_no_other(void **state)
{
    (void)state;
    static const rs_driver_status answers[] = {RS_DRIVER_REFUSED, RS_DRIVER_LOST, RS_DRIVER_RETRY};
    static const char steps[] = "bdwm";
    for (int k = 0; k < 4; k++)
        for (int a = 0; a < 3; a++) {
            char buf[256];
            teller t = {.fails = steps[k], .how = answers[a], .times = 1 << 30};
            rs_rest_report report;
            reshed_error err = {0};
            rs_instrument i = of(&t, &telling);
            rs_rest park = how[2];
            park.within = 0.02;
            i.limits.driver = (rs_driver_limits){-3e-6, 3e-6, -3e-6, 3e-6, 1, 1, 1};
            park.speed = 1e-5;
            i.busy = true;
            if (k == 3 && a == 2) continue; /* a move that takes too long is LOST: see below */
            assert_status(rs_instrument_rest(&i, &park, 1, &report, &err), answers[a]);
            assert_string_equal(t.told, k == 2 ? "bdw" : "bdwm");
            assert_true(i.busy);
            assert_int_equal(report.n, 4);
            for (int s = 0; s < 4; s++)
                assert_int_equal(report.step[s].status == RS_DRIVER_OK,
                                 s != k && !(k == 2 && s == 3));
            assert_non_null(strstr(err.what, "does not work"));
            assert_non_null(strstr(rs_rest_text(&report, buf, sizeof buf), ": FAILED"));
            rs_instrument_close(NULL);
        }
    /* One that withdraws slowly is waited for. */
    teller t = {.fails = 'w', .how = RS_DRIVER_RETRY, .times = 3};
    rs_instrument i = of(&t, &telling);
    const rs_rest patient = {.tip = RS_TIP_WITHDRAW, .within = 60};
    assert_status(rs_instrument_rest(&i, &patient, 1, NULL, NULL), RS_DRIVER_OK);
    assert_int_equal(t.times, 0 - 1);
}

static void what_a_driver_cannot_is_said(void **state)
{
    (void)state;
    char buf[256];
    const rs_driver_ops bare = {.name = "bare", .halt = tell_halt};
    teller t = {.times = 0};
    rs_rest_report report;
    reshed_error err = {0};
    rs_instrument i = of(&t, &bare);
    assert_status(rs_instrument_rest(&i, &how[2], 1, &report, &err), RS_DRIVER_OK);
    assert_string_equal(t.told, "");
    assert_string_equal(rs_rest_text(&report, buf, sizeof buf),
                        "bias 0 V: not by this driver, drive off: not by this driver, tip "
                        "withdrawn: not by this driver, tip parked: not by this driver");
    assert_int_equal(rs_rest_check(&i, &how[0], &err), RESHED_EUNSUPPORTED);
    assert_non_null(strstr(err.expected, "withdraw"));
    assert_ok(rs_rest_check(&i, &how[1], &err), &err);
    /* A drive that is not the driver's: its limits leave none. */
    i = of(&t, &telling);
    i.caps.limits.drive_max = 0;
    assert_false(rs_instrument_can_drive(&i));
    assert_status(rs_instrument_rest(&i, &how[0], 1, &report, &err), RS_DRIVER_OK);
    assert_string_equal(t.told, "bw");
    /* A place outside the limits. */
    i.limits.driver.x_max = 0;
    assert_int_equal(rs_rest_check(&i, &how[2], &err), RESHED_EINVAL);
    assert_status(rs_instrument_rest(&i, &how[2], 1, &report, &err), RS_DRIVER_REFUSED);
}

/* Whatever way a program takes out: what was set to work is halted before it is closed. */
static void an_instrument_at_work_is_halted_when_closed(void **state)
{
    (void)state;
    rs_instrument *d = twin_open("clock=0");
    reshed_error err = {0};
    rs_limits limits;
    rs_limits_none(&limits);
    assert_false(d->busy);
    assert_status(rs_instrument_set_bias(d, 2, 1, &err), RS_DRIVER_OK);
    assert_true(d->busy);
    teller t = {.times = 0};
    static rs_driver_ops ops; /* the twin's, but its halt writes down */
    ops = *d->ops;
    ops.halt = tell_halt;
    void *twin = d->self;
    void (*close_twin)(void *) = ops.close;
    ops.close = tell_close;
    d->ops = &ops;
    d->self = &t;
    rs_instrument_close(d);
    assert_string_equal(t.told, "h");
    close_twin(twin);

    d = twin_open("clock=0");
    assert_status(rs_instrument_set_bias(d, 2, 1, &err), RS_DRIVER_OK);
    assert_status(rs_instrument_rest(d, &how[1], 1, NULL, &err), RS_DRIVER_OK);
    assert_false(d->busy);
    double v = NAN;
    assert_status(rs_instrument_get_bias(d, &v, 1, &err), RS_DRIVER_OK);
    assert_true(v == 0);
    assert_status(rs_instrument_withdraw(d, 1, &err), RS_DRIVER_OK);
    assert_status(rs_instrument_halt(d, 1, &err), RS_DRIVER_OK);
    assert_false(d->busy);
    rs_instrument_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(voltages_first_then_the_tip),
        cmocka_unit_test(a_step_that_fails_keeps_no_other),
        cmocka_unit_test(what_a_driver_cannot_is_said),
        cmocka_unit_test(an_instrument_at_work_is_halted_when_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
