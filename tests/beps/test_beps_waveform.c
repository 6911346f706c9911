#include "support/support.h"
#include "support/tolerance.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "beps/waveform.h"

static rs_wave_spec spec_of(int steps)
{
    rs_wave_spec s;
    rs_wave_defaults(&s);
    s.steps = steps;
    return s;
}

/* The waveform of the real 50x50 grid: 64 steps of 0.53125 V, 8.5 V, from 0 upwards. */
static void triangle_is_that_of_the_instrument(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_wave_spec s = spec_of(64);
    rs_waveform w = {0};
    s.amplitude = 8.5;
    assert_ok(rs_waveform_create(&s, &w, &err), &err);
    assert_int_equal(w.n, 64);
    assert_int_equal(w.cycles, 1);
    assert_int_equal(w.lost_steps, 0);
    for (int i = 0; i < 64; i++) {
        double want = i < 16   ? 0.53125 * i
                      : i < 48 ? 8.5 - 0.53125 * (i - 16)
                               : -0.53125 * (64 - i);
        assert_true(w.v[i] == want);
        assert_int_equal(w.cycle[i], 0);
    }
    rs_waveform_clear(&w);
}

static void strict_rule_names_what_fits(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_waveform w = {0};
    rs_wave_spec s = spec_of(66);
    char text[300];
    assert_int_equal(rs_waveform_create(&s, &w, &err), RESHED_EINVAL);
    assert_null(w.v);
    assert_string_equal(reshed_error_text(&err, text, sizeof text),
                        "quarters of a triangle (expected a multiple of 4 steps, such as 68, found "
                        "66 steps)");
    /* Three quarters of a cycle: 48 of 64 steps. */
    s.fraction = 0.75;
    s.steps = 48;
    assert_ok(rs_wave_check(&s, &err), &err);
    s.steps = 49;
    assert_int_equal(rs_wave_check(&s, &err), RESHED_EINVAL);
    s.fraction = 0.25; /* one quarter is as long as one likes */
    assert_ok(rs_wave_check(&s, &err), &err);
}

static void sampled_rule_loses_nothing(void **state)
{
    (void)state;
    reshed_error err = {0};
    for (int n = 4; n < 131; n++) {
        rs_wave_spec s = spec_of(n);
        rs_waveform w = {0};
        s.rule = RS_WAVE_SAMPLED;
        s.cycles = 3;
        assert_ok(rs_waveform_create(&s, &w, &err), &err);
        assert_int_equal(w.n, 3 * n);
        assert_int_equal(w.lost_steps, 0);
        double step = 4.0 / n;
        for (int i = 0; i + 1 < w.n; i++) {
            /* On the triangle, neighbours differ by a step except across a peak. */
            double d = fabs(w.v[i + 1] - w.v[i]);
            assert_true(d <= step * (1 + 1e-12));
            if (fabs(w.v[i]) < 1 - step && fabs(w.v[i + 1]) < 1 - step)
                assert_true(fabs(d - step) < TOL_DOUBLE);
            assert_int_equal(w.cycle[i], i / n);
            if (i + n < w.n) assert_true(w.v[i] == w.v[i + n]);
        }
        rs_waveform_clear(&w);
    }
}

/* BGlib's generator, step by step: concatenate, roll, cut. */
static int bglib_oracle(int steps, double fraction, double phase, double *out)
{
    int full = (int)floor(steps / fraction), q = full / 4, n = 4 * q, shift = (int)(phase * full);
    double v[1024];
    for (int i = 0; i < q; i++) {
        v[i] = (double)i / q;
        v[q + i] = 1 - (double)i / q;
        v[2 * q + i] = -(double)i / q;
        v[3 * q + i] = -1 + (double)i / q;
    }
    int made = n < steps ? n : steps;
    for (int i = 0; i < made; i++) out[i] = v[((i - shift) % n + n) % n];
    return made;
}

static void bglib_rule_matches_its_oracle(void **state)
{
    (void)state;
    static const double fractions[] = {1, 0.75, 0.5, 0.25}, phases[] = {0, 0.25, 0.5, 0.75};
    reshed_error err = {0};
    int lossy = 0;
    for (int n = 4; n < 90; n++)
        for (int f = 0; f < 4; f++)
            for (int p = 0; p < 4; p++) {
                rs_wave_spec s = spec_of(n);
                rs_waveform w = {0};
                double want[1024];
                s.rule = RS_WAVE_BGLIB;
                s.fraction = fractions[f];
                s.phase = phases[p];
                assert_ok(rs_waveform_create(&s, &w, &err), &err);
                assert_int_equal(w.n, bglib_oracle(n, s.fraction, s.phase, want));
                assert_int_equal(w.lost_steps, n - w.n);
                lossy += w.lost_steps > 0;
                for (int i = 0; i < w.n; i++) assert_true(fabs(w.v[i] - want[i]) < TOL_DOUBLE);
                rs_waveform_clear(&w);
                /* Where the quarters are whole, all rules agree. */
                s.rule = RS_WAVE_STRICT;
                if (rs_wave_check(&s, NULL) != RESHED_OK) continue;
                rs_waveform exact = {0}, sampled = {0};
                assert_ok(rs_waveform_create(&s, &exact, &err), &err);
                s.rule = RS_WAVE_SAMPLED;
                assert_ok(rs_waveform_create(&s, &sampled, &err), &err);
                assert_int_equal(exact.n, n);
                for (int i = 0; i < n; i++) {
                    assert_true(exact.v[i] == sampled.v[i]);
                    assert_true(fabs(exact.v[i] - want[i]) < TOL_DOUBLE);
                }
                rs_waveform_clear(&exact);
                rs_waveform_clear(&sampled);
            }
    assert_true(lossy > 0);
}

static void forc_ends_move_linearly(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_wave_spec s = spec_of(32);
    rs_waveform w = {0};
    s.kind = RS_WAVE_FORC;
    s.cycles = 2;
    s.forc_cycles = 5;
    s.forc_repeats = 3;
    s.high[0] = 1;
    s.high[1] = 9;
    s.low[0] = -2;
    s.low[1] = -4;
    assert_ok(rs_waveform_create(&s, &w, &err), &err);
    assert_int_equal(w.cycles, 30);
    assert_int_equal(w.n, 30 * 32);
    for (int c = 0; c < w.cycles; c++) {
        int k = c / 2 % 5;
        assert_true(fabs(w.v[32 * c + 8] - (1 + 2 * k)) < TOL_DOUBLE);
        assert_true(fabs(w.v[32 * c + 24] - (-2 - 0.5 * k)) < TOL_DOUBLE);
        assert_int_equal(w.cycle[32 * c + 31], c);
    }
    rs_waveform_clear(&w);
    /* BGlib divides by the largest voltage first: an offset moves the ends. */
    s.rule = RS_WAVE_BGLIB;
    s.cycles = s.forc_repeats = 1;
    s.amplitude = 2;
    s.offset = 1;
    assert_ok(rs_waveform_create(&s, &w, &err), &err);
    assert_true(fabs(w.v[8] - 1) < TOL_DOUBLE);                     /* (2+1)/3 = 1: the high end */
    assert_true(fabs(w.v[24] - (1.5 * -1 / 3 - 0.5)) < TOL_DOUBLE); /* (-2+1)/3: not the low one */
    rs_waveform_clear(&w);
}

static void user_waveform_and_interleave(void **state)
{
    (void)state;
    static const double volts[] = {0, 3, -2, 5, 1};
    reshed_error err = {0};
    rs_wave_spec s = spec_of(64);
    rs_waveform w = {0};
    s.kind = RS_WAVE_USER;
    s.user = volts;
    s.n_user = 5;
    s.cycles = 2;
    s.amplitude = 7; /* not used */
    assert_ok(rs_waveform_create(&s, &w, &err), &err);
    assert_int_equal(w.n, 10);
    for (int i = 0; i < 10; i++) assert_true(w.v[i] == volts[i % 5]);

    rs_dc_row rows[22];
    memset(rows, 0xA5, sizeof rows);
    rs_waveform_interleave(&w, RS_FIELD_OFF, 0.25, rows + 1);
    for (int i = 0; i < 10; i++) {
        const rs_dc_row *on = &rows[1 + 2 * i], *off = on + 1;
        assert_true(on->applied == w.v[i] && on->write == w.v[i]);
        assert_true(off->applied == 0.25 && off->write == w.v[i]);
        assert_int_equal(on->field, RS_FIELD_ON);
        assert_int_equal(off->field, RS_FIELD_OFF);
        assert_int_equal(on->step, i);
        assert_int_equal(off->step, i);
        assert_int_equal(on->measure, 0);
        assert_int_equal(off->measure, 1);
    }
    assert_int_equal(rows[0].step, (int32_t)0xA5A5A5A5);
    assert_int_equal(rows[21].step, (int32_t)0xA5A5A5A5);
    rs_waveform_interleave(&w, RS_FIELD_BOTH, 0, rows);
    assert_int_equal(rows[0].measure + rows[1].measure, 2);
    rs_waveform_interleave(&w, RS_FIELD_ON, 0, rows);
    assert_int_equal(rows[0].measure, 1);
    assert_int_equal(rows[1].measure, 0);
    rs_waveform_clear(&w);

    double data[6] = {1, 2, 3, 4, 5, 6}, on[3], off[3];
    rs_field_split(data, 3, on, off);
    assert_true(on[0] == 1 && on[1] == 3 && on[2] == 5);
    assert_true(off[0] == 2 && off[1] == 4 && off[2] == 6);
    rs_field_split(data, 3, NULL, off);
}

static void period_is_the_cycle(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_wave_spec s = spec_of(24);
    rs_waveform w = {0};
    s.cycles = 4;
    s.amplitude = 1e-3;
    assert_ok(rs_waveform_create(&s, &w, &err), &err);
    assert_int_equal(rs_waveform_period(w.v, w.n), 24);
    assert_int_equal(rs_waveform_period(w.v, 24), 24);
    assert_int_equal(rs_waveform_period(w.v, 30), 30); /* not whole cycles */
    w.v[37] += 1e-4;
    assert_int_equal(rs_waveform_period(w.v, w.n), 96);
    rs_waveform_clear(&w);
    double one = 3;
    assert_int_equal(rs_waveform_period(&one, 1), 1);
}

static void bad_specs_are_refused(void **state)
{
    (void)state;
    double nan_volts[2] = {1, NAN};
    rs_wave_spec good = spec_of(64), s;
    rs_waveform w = {0};
#define REFUSED(change)                                                                            \
    s = good;                                                                                      \
    change;                                                                                        \
    {                                                                                              \
        reshed_error err = {0};                                                                    \
        assert_int_equal(rs_waveform_create(&s, &w, &err), RESHED_EINVAL);                         \
        assert_true(err.what[0]);                                                                  \
        assert_null(w.v);                                                                          \
    }
    REFUSED(s.steps = 0);
    REFUSED(s.steps = -4);
    REFUSED(s.cycles = 0);
    REFUSED(s.cycles = 1 << 24);
    REFUSED(s.fraction = 0.6);
    REFUSED(s.phase = 0.1);
    REFUSED(s.amplitude = NAN);
    REFUSED(s.offset = INFINITY);
    REFUSED(s.kind = (rs_wave_kind)7);
    REFUSED(s.rule = (rs_wave_rule)7);
    REFUSED((s.kind = RS_WAVE_USER, s.n_user = 3));
    REFUSED((s.kind = RS_WAVE_USER, s.user = nan_volts, s.n_user = 2));
    REFUSED((s.kind = RS_WAVE_FORC, s.high[0] = -1));
    REFUSED((s.kind = RS_WAVE_FORC, s.high[0] = s.high[1] = 1, s.forc_cycles = 1 << 24,
             s.forc_repeats = 1 << 24));
#undef REFUSED
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    rs_wave_spec s = spec_of(64);
    for (long n = 0;; n++) {
        rs_waveform w = {0};
        reshed_error err = {0};
        test_alloc_fail_at(n);
        reshed_status st = rs_waveform_create(&s, &w, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        rs_waveform_clear(&w);
        if (!failed) {
            assert_int_equal(st, RESHED_OK);
            assert_int_equal(n, 3);
            return;
        }
        assert_int_equal(st, RESHED_ENOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(triangle_is_that_of_the_instrument),
        cmocka_unit_test(strict_rule_names_what_fits),
        cmocka_unit_test(sampled_rule_loses_nothing),
        cmocka_unit_test(bglib_rule_matches_its_oracle),
        cmocka_unit_test(forc_ends_move_linearly),
        cmocka_unit_test(user_waveform_and_interleave),
        cmocka_unit_test(period_is_the_cycle),
        cmocka_unit_test(bad_specs_are_refused),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
