/* The nanonis driver: tip, voltages and spectroscopy, against the emulator. */
#include "support/nanonis_rig.h"

#include <math.h>
#include <string.h>

#include "base/numeric.h"

/* ------------------------------------------------------------------------------------------ tip */

static void the_tip(void **state)
{
    (void)state;
    OPEN(PLAIN);
    double x, y;
    is(OK, nano.ops->move_tip(nano.self, 10e-9, 15e-9, 1e-6, T, &nano.err));
    is(OK, nano.ops->get_tip(nano.self, &x, &y, T, &nano.err));
    assert_true(x == 10e-9 && y == 15e-9);
    assert_true(GET(tip_speed) == 1e-6f);
    is(REFUSED, nano.ops->move_tip(nano.self, 11e-6, 0, 1e-6, T, &nano.err));
    is(REFUSED, nano.ops->move_tip(nano.self, NAN, 0, 1e-6, T, &nano.err));
    is(REFUSED, nano.ops->move_tip(nano.self, 0, 0, 1, T, &nano.err));
    is(REFUSED, nano.ops->move_tip(nano.self, 0, 0, 0, T, &nano.err));
    assert_int_equal(emu_count(nano.emu, "FolMe.XYPosSet"), 1);
    is(OK, nano.ops->set_setpoint(nano.self, 0.75, T, &nano.err));
    is(OK, nano.ops->get_setpoint(nano.self, &x, T, &nano.err));
    assert_true(x == 0.75);
    is(REFUSED, nano.ops->set_setpoint(nano.self, NAN, T, &nano.err));
    SET(approach_looks, 3);
    is(OK, nano.ops->engage(nano.self, T, &nano.err));
    assert_true(GET(z_on));
    is(OK, nano.ops->withdraw(nano.self, T, &nano.err));
    assert_false(GET(z_on));
    /* An approach that takes longer than the call is looked after by the next one. */
    SET(approach_looks, 1000000);
    is(RETRY, nano.ops->engage(nano.self, 0.1, &nano.err));
    SET(approach_looks, 2);
    is(OK, nano.ops->engage(nano.self, T, &nano.err));
    assert_int_equal(emu_count(nano.emu, "AutoApproach.OnOffSet"), 2);
    is(OK, nano.ops->read_signal(nano.self, "input 40", &x, T, &nano.err));
    assert_true(x == 20);
    is(REFUSED, nano.ops->read_signal(nano.self, "Input", &x, T, &nano.err));
}

static void engages_by_feedback(void **state)
{
    (void)state;
    OPEN(PLAIN, "engage=feedback");
    is(OK, nano.ops->engage(nano.self, T, &nano.err));
    assert_true(GET(z_on));
    assert_int_equal(emu_count(nano.emu, "AutoApproach.OnOffSet"), 0);
}

static void a_move_that_is_late_is_made_once(void **state)
{
    (void)state;
    OPEN(PLAIN);
    emu_set_fault(nano.emu, EMU_LATE, "FolMe.XYPosSet", 1);
    for (int i = 0; i < 3; i++)
        is(RETRY, nano.ops->move_tip(nano.self, 1e-6, 2e-6, 1e-6, 0.05, &nano.err));
    emu_release(nano.emu);
    is(OK, nano.ops->move_tip(nano.self, 1e-6, 2e-6, 1e-6, T, &nano.err));
    assert_int_equal(emu_count(nano.emu, "FolMe.XYPosSet"), 1);
    assert_int_equal(emu_count(nano.emu, "FolMe.SpeedSet"), 1);
}

/* ------------------------------------------------------------------------------------- voltages */

static void the_bias_is_ramped(void **state)
{
    (void)state;
    OPEN("ramp=20", "bias_max=5");
    double v;
    is(OK, nano.ops->set_bias(nano.self, 2, T, &nano.err));
    is(OK, nano.ops->get_bias(nano.self, &v, T, &nano.err));
    assert_true(v == 2);
    assert_true(GET(largest_step) <= 0.4001f); /* 20 V/s times 20 ms */
    assert_true(emu_count(nano.emu, "Bias.Set") >= 5);
    is(REFUSED, nano.ops->set_bias(nano.self, 5.1, T, &nano.err));
    is(REFUSED, nano.ops->set_bias(nano.self, NAN, T, &nano.err));
    /* It comes back before it is there, and goes on from where it is. */
    rs_driver_status st = RS_DRIVER_RETRY;
    int calls = 0;
    for (; calls < 1000 && st == RS_DRIVER_RETRY; calls++)
        st = nano.ops->set_bias(nano.self, -5, 0.03, &nano.err);
    nano_check(st, RS_DRIVER_OK, "set_bias", __FILE__, __LINE__);
    assert_true(calls > 1 && GET(bias) == -5 && GET(largest_step) <= 0.4001f);
}

static void pulses(void **state)
{
    (void)state;
    OPEN(PLAIN, "hold=on");
    is(OK, nano.ops->pulse(nano.self, -7, 0.01, T, &nano.err));
    const emulator *e = emu_state(nano.emu);
    assert_true(e->pulses == 1 && e->pulse_volts == -7 && e->pulse_width == 0.01f);
    assert_true(e->pulse_absolute == 2 && e->pulse_hold == 1);
    is(REFUSED, nano.ops->pulse(nano.self, 11, 0.01, T, &nano.err));
    is(REFUSED, nano.ops->pulse(nano.self, 1, 0, T, &nano.err));
    /* A pulse whose answer is late is given once. */
    emu_set_fault(nano.emu, EMU_LATE, "Bias.Pulse", 1);
    for (int i = 0; i < 3; i++) is(RETRY, nano.ops->pulse(nano.self, 3, 0.02, 0.05, &nano.err));
    emu_release(nano.emu);
    is(OK, nano.ops->pulse(nano.self, 3, 0.02, T, &nano.err));
    assert_true(GET(pulses) == 2 && GET(pulse_volts) == 3);
}

static void the_drive(void **state)
{
    (void)state;
    OPEN(PLAIN, "modulator=1", "drive_max=1.5");
    rs_driver_caps c;
    nano.ops->caps(nano.self, &c);
    assert_true(c.limits.drive_max == 1.5);
    is(OK, nano.ops->set_drive(nano.self, 0.5, T, &nano.err));
    assert_true(GET(modulation) == 0.5f && GET(modulated));
    is(OK, nano.ops->set_drive(nano.self, 0, T, &nano.err));
    assert_false(GET(modulated));
    is(REFUSED, nano.ops->set_drive(nano.self, 1.6, T, &nano.err));
    is(REFUSED, nano.ops->set_drive(nano.self, -1, T, &nano.err));
    nano.ops->close(nano.self);
    OPEN(PLAIN);
    is(REFUSED, nano.ops->set_drive(nano.self, 0.1, T, &nano.err));
}

/* --------------------------------------------------------------------------------- spectroscopy */

static void check_spectrum(const rs_spectrum *s, const double *v, int n, bool has_phase)
{
    assert_true(s->steps == n && s->bins == 0 && s->fields == 1);
    for (int i = 0; i < n; i++) {
        const float a = emu_reading(AMPLITUDE, i, (float)v[i]);
        const float p = emu_reading(PHASE, i, (float)v[i]) * (float)RS_DEGREE;
        assert_true(fabsf(nano.amplitude[i] - a) < 1e-4f * fabsf(a));
        if (has_phase)
            assert_true(fabsf(nano.phase[i] - p) < 1e-4f * fabsf(p));
        else
            assert_true(isnan(nano.phase[i]));
    }
    assert_true(nano.amplitude[n] == -777 && nano.phase[n] == -777);
}

static void a_linear_sweep(void **state)
{
    (void)state;
    OPEN("hold=off");
    double v[41];
    for (int i = 0; i < 41; i++) v[i] = -2 + 0.1 * i;
    rs_spectrum out = nano_spectrum(600);
    is(REFUSED, nano.ops->run_spectroscopy(nano.self, T, &out, &nano.err));
    rs_spectroscopy s = nano_staircase(v, 41);
    s.ramp_rate = 50;
    is(OK, nano.ops->set_spectroscopy(nano.self, &s, T, &nano.err));
    const emulator *e = emu_state(nano.emu);
    assert_true(e->mls == 0 && e->points == 41 && e->limits[0] == -2 && e->limits[1] == 2);
    assert_true(e->props[0] == 2 && e->props[1] == 1 && e->props[2] == 2);
    assert_true(e->advanced[0] == 1 && e->advanced[1] == 2); /* the bias goes back afterwards */
    assert_true(isnan(e->timing[0]) && e->timing[1] == 0 && e->timing[3] == 50);
    assert_true(e->timing[4] == 0.002f && fabsf(e->timing[5] - 0.008f) < 1e-7f);
    const double seconds = nano.ops->spectroscopy_seconds(nano.self);
    assert_true(seconds > 0.41 && seconds < 0.6);
    is(OK, nano.ops->move_tip(nano.self, 3e-6, -1e-6, 1e-6, T, &nano.err));
    is(OK, nano.ops->run_spectroscopy(nano.self, T, &out, &nano.err));
    check_spectrum(&out, v, 41, false);
    assert_true(out.x == 3e-6 && out.y == -1e-6 && out.time > 0);
    out = nano_spectrum(40);
    is(REFUSED, nano.ops->run_spectroscopy(nano.self, T, &out, &nano.err));
}

static void a_triangle(void **state)
{
    (void)state;
    OPEN(PLAIN);
    double v[512];
    for (int i = 0; i < 512; i++) {
        const double t = (i % 256) / 256.0; /* two cycles of 0, +8, -8, 0 */
        v[i] = 8 * (t < 0.25 ? 4 * t : t < 0.75 ? 2 - 4 * t : 4 * t - 4);
    }
    rs_spectroscopy s = nano_staircase(v, 512);
    is(OK, nano.ops->set_spectroscopy(nano.self, &s, T, &nano.err));
    const emulator *e = emu_state(nano.emu);
    int total = 0;
    assert_true(e->mls >= 4 && e->mls <= 6 && isnan(e->timing[3]));
    for (int k = 0; k < e->mls; k++) {
        total += e->mls_points[k];
        assert_true(e->mls_points[k] >= 2);
        assert_true(e->mls_settle[k] == 0.002f && fabsf(e->mls_integrate[k] - 0.008f) < 1e-7f);
    }
    assert_int_equal(total, 512);
    for (int i = 0; i < 2; i++) {
        rs_spectrum out = nano_spectrum(512);
        is(OK, nano.ops->run_spectroscopy(nano.self, T, &out, &nano.err));
        check_spectrum(&out, v, 512, true);
    }
}

static void spectra_that_cannot_be(void **state)
{
    (void)state;
    OPEN(PLAIN, "bias_max=6");
    double v[64];
    for (int i = 0; i < 64; i++) v[i] = i * i % 7;
    v[0] = 0;
    rs_spectroscopy s = nano_staircase(v, 64), bad[6];
    is(REFUSED, nano.ops->set_spectroscopy(nano.self, &s, T, &nano.err)); /* more than 16 pieces */
    s.steps = 3;
    for (int i = 0; i < 6; i++) bad[i] = s;
    bad[0].off_field = true;
    bad[1].steps = 1;
    bad[2].settle = 0.02;
    bad[3].ramp_rate = -1;
    bad[4].dwell = INFINITY;
    double high[3] = {0, 1, 6.5};
    bad[5].voltage = high;
    for (int i = 0; i < 6; i++)
        is(REFUSED, nano.ops->set_spectroscopy(nano.self, &bad[i], T, &nano.err));
    assert_int_equal(emu_count(nano.emu, "BiasSpectr.Open"), 0);
    assert_true(nano.ops->spectroscopy_seconds(nano.self) == 0);
}

static void a_spectrum_that_is_late_is_taken_once(void **state)
{
    (void)state;
    OPEN(PLAIN);
    double v[20];
    for (int i = 0; i < 20; i++) v[i] = 0.1 * i;
    rs_spectroscopy s = nano_staircase(v, 20);
    is(OK, nano.ops->set_spectroscopy(nano.self, &s, T, &nano.err));
    emu_set_fault(nano.emu, EMU_LATE, "BiasSpectr.Start", 1);
    rs_spectrum out = nano_spectrum(20);
    for (int i = 0; i < 3; i++)
        is(RETRY, nano.ops->run_spectroscopy(nano.self, 0.05, &out, &nano.err));
    emu_release(nano.emu);
    is(OK, nano.ops->run_spectroscopy(nano.self, T, &out, &nano.err));
    check_spectrum(&out, v, 20, true);
    assert_int_equal(emu_count(nano.emu, "BiasSpectr.Start"), 1);
}

/* An instrument whose segments leave out their end: the calculated bias shows it. */
static void a_spectrum_of_another_staircase(void **state)
{
    (void)state;
    OPEN(PLAIN);
    double v[24];
    for (int i = 0; i < 24; i++) v[i] = i < 12 ? i * 0.5 : (23 - i) * 0.5;
    rs_spectroscopy s = nano_staircase(v, 24);
    SET(repeats_points, true);
    is(OK, nano.ops->set_spectroscopy(nano.self, &s, T, &nano.err));
    rs_spectrum out = nano_spectrum(24);
    is(LOST_LINE, nano.ops->run_spectroscopy(nano.self, T, &out, &nano.err));
    assert_non_null(strstr(nano.err.what, "bias of step"));
    assert_true(nano.amplitude[0] == -777);
    SET(repeats_points, false);
    is(OK, nano.ops->run_spectroscopy(nano.self, T, &out, &nano.err));
}

#define T_(f) cmocka_unit_test_setup_teardown(f, nano_setup, nano_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T_(the_tip),
        T_(engages_by_feedback),
        T_(a_move_that_is_late_is_made_once),
        T_(the_bias_is_ramped),
        T_(pulses),
        T_(the_drive),
        T_(a_linear_sweep),
        T_(a_triangle),
        T_(spectra_that_cannot_be),
        T_(a_spectrum_that_is_late_is_taken_once),
        T_(a_spectrum_of_another_staircase),
    };
    return cmocka_run_group_tests_name("nanonis tip", tests, NULL, NULL);
}
