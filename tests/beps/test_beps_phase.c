#include "support/support.h"
#include "support/tolerance.h"

#include <math.h>

#include "base/numeric.h"
#include "beps/phase.h"

#define N 4000

/* Phases of a switching sample: forward at `forward`, reverse at `reverse` (degrees), scattered, on
 * a branch that begins at `branch`; voltages such that high ones leave the forward state. */
static void sample(test_rng *r, double forward, double reverse, double scatter, double branch,
                   double share, double *phase, double *amplitude, double *v)
{
    for (int i = 0; i < N; i++) {
        bool up = test_uniform(r, 0, 1) < share;
        double noise = scatter * test_gauss(r);
        phase[i] =
            rs_phase_wrap(((up ? forward : reverse) + noise) * RS_DEGREE, branch * RS_DEGREE);
        amplitude[i] = test_uniform(r, 0.5, 1);
        v[i] = up ? test_uniform(r, 0, 8) : test_uniform(r, -8, 0);
    }
}

static double degrees_apart(double a, double b)
{
    return fabs(remainder(a - b, 2 * RS_PI)) / RS_DEGREE;
}

static void wrap_gives_the_branch(void **state)
{
    (void)state;
    static const double lowers[] = {-RS_PI, -RS_PI / 2, 0, 1};
    for (int k = 0; k < 4; k++)
        for (double p = -20; p < 20; p += 0.01) {
            double w = rs_phase_wrap(p, lowers[k]);
            assert_true(w >= lowers[k] && w < lowers[k] + 2 * RS_PI);
            assert_true(fabs(remainder(w - p, 2 * RS_PI)) < TOL_DOUBLE);
        }
    assert_true(rs_phase_wrap(270 * RS_DEGREE, -90 * RS_DEGREE) < 0); /* the end is not in it */
    assert_true(rs_phase_wrap(-1e-18, 0) == 0); /* rounding must not give the far end */
}

/* The offset is found for any offset, on any branch, whichever class is larger. */
static void offset_is_found_on_any_branch(void **state)
{
    (void)state;
    static const double branches[] = {-180, -90, 0, 37};
    static double phase[N], amplitude[N], v[N];
    test_rng r = {test_seed()};
    rs_phase_options o;
    rs_phase_defaults(&o);
    for (double offset = -175; offset <= 180; offset += 17)
        for (int b = 0; b < 4; b++) {
            rs_phase_cal c;
            reshed_error err = {0};
            sample(&r, offset, offset + 180, 12, branches[b], 0.4, phase, amplitude, v);
            assert_ok(rs_phase_calibrate(phase, amplitude, N, &o, &c, &err), &err);
            assert_false(c.single);
            assert_true(fabs(c.separation / RS_DEGREE - 180) < 2);
            assert_true(c.weight[0] > c.weight[1]); /* before orientation: the larger is forward */
            rs_phase_orient_by_bias(&c, phase, amplitude, v, N, true);
            assert_true(degrees_apart(c.offset, -offset * RS_DEGREE) < 1.5);
            assert_true(degrees_apart(c.peak[0], offset * RS_DEGREE) < 1.5);
            assert_true(degrees_apart(c.peak[1], (offset + 180) * RS_DEGREE) < 1.5);
            /* The samples' calibrated phases are near 0 and 180 degrees, and the response has the
             * sign of the voltage. */
            double pr[N];
            rs_phase_to_response(&c, amplitude, phase, N, pr);
            for (int i = 0; i < N; i++)
                if (fabs(pr[i]) > 0.7 * amplitude[i]) assert_true((pr[i] > 0) == (v[i] > 0));
        }
}

/* Peaks that are not 180 degrees apart share the misfit. */
static void uneven_peaks_share_the_misfit(void **state)
{
    (void)state;
    static double phase[N], amplitude[N], v[N];
    test_rng r = {test_seed() + 1};
    rs_phase_options o;
    rs_phase_cal c;
    reshed_error err = {0};
    rs_phase_defaults(&o);
    sample(&r, 100, 260, 5, -90, 0.6, phase, amplitude, v);
    assert_ok(rs_phase_calibrate(phase, NULL, N, &o, &c, &err), &err);
    assert_true(fabs(c.separation / RS_DEGREE - 160) < 1);
    assert_true(degrees_apart(rs_phase_apply(&c, 100 * RS_DEGREE), 10 * RS_DEGREE) < 1);
    assert_true(degrees_apart(rs_phase_apply(&c, 260 * RS_DEGREE), 170 * RS_DEGREE) < 1);
}

/* Conventions of +-90 and of 270 degrees are targets. */
static void targets_are_a_convention(void **state)
{
    (void)state;
    static double phase[N], amplitude[N], v[N];
    test_rng r = {test_seed() + 2};
    rs_phase_options o;
    rs_phase_cal c;
    reshed_error err = {0};
    rs_phase_defaults(&o);
    o.forward = 90 * RS_DEGREE;
    o.reverse = 270 * RS_DEGREE;
    sample(&r, 20, 200, 8, -90, 0.6, phase, amplitude, v);
    assert_ok(rs_phase_calibrate(phase, amplitude, N, &o, &c, &err), &err);
    assert_true(degrees_apart(rs_phase_apply(&c, 20 * RS_DEGREE), 90 * RS_DEGREE) < 1);
    assert_true(degrees_apart(rs_phase_apply(&c, 200 * RS_DEGREE), -90 * RS_DEGREE) < 1);
    double a = 2, p = 20 * RS_DEGREE, pr;
    rs_phase_to_response(&c, &a, &p, 1, &pr);
    assert_true(fabs(pr - 2) < 0.01);
}

static void inverted_instrument_counts_backwards(void **state)
{
    (void)state;
    static double phase[N], amplitude[N], v[N];
    test_rng r = {test_seed() + 3};
    rs_phase_options o;
    rs_phase_cal c;
    reshed_error err = {0};
    rs_phase_defaults(&o);
    o.inverted = true;
    sample(&r, 30, 210, 8, -180, 0.6, phase, amplitude, v);
    assert_ok(rs_phase_calibrate(phase, amplitude, N, &o, &c, &err), &err);
    assert_int_equal(c.sign, -1);
    assert_true(degrees_apart(rs_phase_apply(&c, 30 * RS_DEGREE), 0) < 1);
    assert_true(degrees_apart(rs_phase_apply(&c, 50 * RS_DEGREE), -20 * RS_DEGREE) < 1);
    assert_true(degrees_apart(rs_phase_apply(&c, 210 * RS_DEGREE), RS_PI) < 1);
    assert_true(degrees_apart(c.peak[0], 30 * RS_DEGREE) < 1);
}

static void reference_decides_the_class(void **state)
{
    (void)state;
    static double phase[N], amplitude[N], v[N];
    test_rng r = {test_seed() + 4};
    rs_phase_options o;
    rs_phase_cal c;
    reshed_error err = {0};
    rs_phase_defaults(&o);
    sample(&r, -60, 120, 8, -180, 0.6, phase, amplitude, v);
    assert_ok(rs_phase_calibrate(phase, amplitude, N, &o, &c, &err), &err);
    assert_false(rs_phase_orient(&c, -50 * RS_DEGREE, true));
    assert_true(rs_phase_orient(&c, -50 * RS_DEGREE, false));
    assert_true(degrees_apart(rs_phase_apply(&c, 120 * RS_DEGREE), 0) < 1);
    assert_true(rs_phase_orient(&c, -50 * RS_DEGREE, true));
    assert_true(degrees_apart(rs_phase_apply(&c, -60 * RS_DEGREE), 0) < 1);
    /* d33 < 0, or the sample grounded: high voltages leave the reverse state. */
    assert_true(rs_phase_orient_by_bias(&c, phase, amplitude, v, N, false));
    assert_false(rs_phase_orient_by_bias(&c, phase, amplitude, v, N, false));
    assert_true(degrees_apart(rs_phase_apply(&c, -60 * RS_DEGREE), RS_PI) < 1);
}

static void one_state_is_said_to_be_one(void **state)
{
    (void)state;
    static double phase[N], amplitude[N], v[N];
    test_rng r = {test_seed() + 5};
    rs_phase_options o;
    rs_phase_cal c;
    reshed_error err = {0};
    rs_phase_defaults(&o);
    sample(&r, 70, 250, 10, -90, 2, phase, amplitude, v);
    assert_ok(rs_phase_calibrate(phase, amplitude, N, &o, &c, &err), &err);
    assert_true(c.single);
    assert_true(degrees_apart(c.offset, -70 * RS_DEGREE) < 1);
    rs_phase_orient(&c, 70 * RS_DEGREE, false);
    assert_true(degrees_apart(rs_phase_apply(&c, 70 * RS_DEGREE), RS_PI) < 1);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    double phase[3] = {NAN, 1, 2}, weight[3] = {1, 0, NAN};
    rs_phase_options o;
    rs_phase_cal c = {.offset = 5};
    rs_phase_defaults(&o);
    assert_int_equal(rs_phase_calibrate(phase, weight, 3, &o, &c, NULL), RESHED_EINVAL);
    assert_int_equal(rs_phase_calibrate(phase, NULL, 0, &o, &c, NULL), RESHED_EINVAL);
    o.bins = 3;
    assert_int_equal(rs_phase_calibrate(phase, NULL, 3, &o, &c, NULL), RESHED_EINVAL);
    rs_phase_defaults(&o);
    o.smoothing = 0;
    assert_int_equal(rs_phase_calibrate(phase, NULL, 3, &o, &c, NULL), RESHED_EINVAL);
    rs_phase_defaults(&o);
    test_alloc_fail_at(0);
    assert_int_equal(rs_phase_calibrate(phase, NULL, 3, &o, &c, NULL), RESHED_ENOMEM);
    test_alloc_fail_at(-1);
    assert_true(c.offset == 5);
    assert_int_equal(rs_phase_calibrate(phase, NULL, 3, &o, &c, NULL), RESHED_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrap_gives_the_branch),
        cmocka_unit_test(offset_is_found_on_any_branch),
        cmocka_unit_test(uneven_peaks_share_the_misfit),
        cmocka_unit_test(targets_are_a_convention),
        cmocka_unit_test(inverted_instrument_counts_backwards),
        cmocka_unit_test(reference_decides_the_class),
        cmocka_unit_test(one_state_is_said_to_be_one),
        cmocka_unit_test(bad_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
