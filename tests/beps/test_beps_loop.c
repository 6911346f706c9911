#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "beps/loop.h"
#include "beps/phase.h"
#include "support/loop_sim.h"
#include "support/tolerance.h"

enum { N = 64 };

/* --------------------------------------------------------------------------------------- sweeps */
static void sweep_cuts_the_branches(void **state)
{
    (void)state;
    reshed_error err = {0};
    double v[N], w[N];
    sim_triangle(N, 8, v);
    /* Whatever sample comes first. */
    for (int shift = 0; shift < N; shift++) {
        rs_sweep s = {0};
        for (int i = 0; i < N; i++) w[i] = v[(i + shift) % N];
        assert_ok(rs_sweep_create(w, N, &s, &err), &err);
        assert_int_equal(s.n_asc, 33);
        assert_int_equal(s.n_desc, 33);
        assert_true(s.v[s.top] == 8 && s.v[s.bottom] == -8 && s.step == 0.5);
        for (int k = 0; k < 33; k++) {
            assert_true(s.v[s.asc[k]] == -8 + 0.5 * k && s.v[s.desc[k]] == -8 + 0.5 * k);
            if (k < 32) assert_int_equal(s.falling[s.asc[k]], 0);
            if (k > 0) assert_int_equal(s.falling[s.desc[k]], 1);
        }
        assert_int_equal(s.asc[0], s.desc[0]);
        assert_int_equal(s.asc[32], s.desc[32]);
        rs_sweep_clear(&s);
    }
    /* Held ends (a plateau) are fine; a minor loop between 1 and 5 V too. */
    double held[12] = {0, 1, 2, 2, 2, 1, 0, -1, -2, -2, -1.5, -1};
    rs_sweep s = {0};
    assert_ok(rs_sweep_create(held, 12, &s, &err), &err);
    assert_int_equal(s.n_asc + s.n_desc, 14);
    rs_sweep_clear(&s);
}

static void sweep_refuses_what_is_no_loop(void **state)
{
    (void)state;
    double v[N];
    rs_sweep s = {0};
    reshed_error err = {0};
    for (int i = 0; i < N; i++) v[i] = i; /* a quarter cycle */
    assert_int_equal(rs_sweep_create(v, N, &s, &err), RESHED_EUNSUPPORTED);
    sim_triangle(32, 8, v); /* two cycles at once */
    sim_triangle(32, 8, v + 32);
    assert_int_equal(rs_sweep_create(v, N, &s, &err), RESHED_EUNSUPPORTED);
    assert_non_null(strstr(err.found, "turns back"));
    sim_triangle(N, 8, v);
    v[5] = NAN;
    assert_int_equal(rs_sweep_create(v, N, &s, &err), RESHED_EINVAL);
    assert_int_equal(rs_sweep_create(v, 7, &s, &err), RESHED_EUNSUPPORTED);
    for (int i = 0; i < N; i++) v[i] = 1;
    assert_int_equal(rs_sweep_create(v, N, &s, &err), RESHED_EUNSUPPORTED);
    assert_null(s.v);
    sim_triangle(N, 8, v);
    for (long n = 0;; n++) {
        test_alloc_fail_at(n);
        reshed_status st = rs_sweep_create(v, N, &s, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) break;
        assert_int_equal(st, RESHED_ENOMEM);
        assert_null(s.v);
    }
    rs_sweep_clear(&s);
}

static void crossing_is_the_best_split(void **state)
{
    (void)state;
    double v[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    double clean[8] = {-1, -1, -1, -1, 1, 1, 1, 1};
    assert_near(rs_branch_crossing(&(rs_loop_half){8, v, clean, 0}, 0, 1), 3.5, TOL_ROUNDING);
    assert_near(rs_branch_crossing(&(rs_loop_half){8, v, clean, 0}, 0.5, 1), 3.75, TOL_ROUNDING);
    double glitch[8] = {-1, 1, -1, -1, -1, 1, 1, 1}; /* one wrong sample far away changes nothing */
    assert_near(rs_branch_crossing(&(rs_loop_half){8, v, glitch, 0}, 0, 1), 4.5, TOL_ROUNDING);
    double twice[8] = {-1, -1, -1, 1, -1, 1, 1, 1}; /* two equally good ones: their mean */
    assert_near(rs_branch_crossing(&(rs_loop_half){8, v, twice, 0}, 0, 1), 3.5, TOL_ROUNDING);
    double down[8] = {1, 1, 1, 1, 1, 1, -3, -3};
    assert_near(rs_branch_crossing(&(rs_loop_half){8, v, down, 0}, 0, -1), 5.25, TOL_ROUNDING);
    assert_true(isnan(rs_branch_crossing(&(rs_loop_half){8, v, down, 0}, 2, -1)));
    assert_true(isnan(rs_branch_crossing(&(rs_loop_half){8, v, down, 0}, -5, -1)));
    assert_near(rs_branch_value(&(rs_loop_half){8, v, down, 0}, 5.5), -1, TOL_ROUNDING);
    assert_near(rs_branch_value(&(rs_loop_half){8, v, down, 0}, 7), -3, TOL_ROUNDING);
    assert_true(isnan(rs_branch_value(&(rs_loop_half){8, v, down, 0}, 7.1)));
}

static void spikes_are_found_and_loops_kept(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    double v[N], y[N], scratch[3 * N];
    uint8_t skip[N];
    sim_truth t;
    rs_sweep s = {0};
    sim_sweep(N, 8.5, &s);
    memcpy(v, s.v, sizeof v);
    for (int k = 0; k < 2000; k++) {
        sim_loop(&r, v, N, 0.05, y, &t);
        assert_int_equal(rs_loop_spikes(&s, y, skip, scratch), 0);
        /* Failed resonance fits: one far sample, a run of three, one missing. */
        int at = (int)test_below(&r, N), run = (at + 20) % N, lost = (at + 40) % N;
        y[at] = 1000 * t.height;
        for (int j = 0; j < 3; j++) y[(run + j) % N] = -30 * t.height * (j + 1);
        y[lost] = NAN;
        assert_int_equal(rs_loop_spikes(&s, y, skip, scratch), 5);
        assert_true(skip[at] && skip[run] && skip[(run + 2) % N] && skip[lost]);
    }
    /* A single sample that stands out of a flat part by its own height. */
    sim_straight_loop(&s, 0, 0, y);
    y[2] = 1.5;
    assert_int_equal(rs_loop_spikes(&s, y, skip, scratch), 1);
    assert_true(skip[2]);
    rs_sweep_clear(&s);
}

static void noise_is_estimated(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    double v[N], y[N], scratch[2 * N], mean = 0;
    sim_truth t;
    rs_sweep s = {0};
    sim_sweep(N, 8.5, &s);
    memcpy(v, s.v, sizeof v);
    for (int k = 0; k < 500; k++) {
        sim_loop(&r, v, N, 0.05, y, &t);
        mean += rs_loop_noise(&s, y, NULL, scratch) / (0.05 * t.height / 2) / 500;
    }
    /* Sloping transitions raise it a little. */
    assert_true(mean > 0.95 && mean < 1.3);
    rs_sweep_clear(&s);
}

/* ------------------------------------------------------------------------------------ unfolding */
static void unfolding_finds_the_line(void **state)
{
    (void)state;
    rs_sweep s = {0};
    double pr[N], re[N], im[N], out[N];
    sim_sweep(N, 8, &s);
    sim_straight_loop(&s, 0.3, 0, pr);
    for (double alpha = -3.1; alpha < 3.2; alpha += 0.1) {
        double off = 0.7;
        rs_unfold u;
        for (int i = 0; i < N; i++) {
            out[i] = NAN;
            re[i] = pr[i] * cos(alpha) - off * sin(alpha);
            im[i] = pr[i] * sin(alpha) + off * cos(alpha);
        }
        rs_unfold_loop(&s, re, im, NULL, RS_SIGN_AREA, 0, out, &u);
        assert_near(remainder(u.angle - alpha, 2 * RS_PI), 0, TOL_LEAST_SQUARES);
        assert_near(u.offset, off, TOL_LEAST_SQUARES);
        assert_near(u.ratio, 0, 1e-6);
        assert_near(u.area, 14, TOL_LEAST_SQUARES);
        for (int i = 0; i < N; i++) assert_near(out[i], pr[i], TOL_LEAST_SQUARES);
        /* The 180-degree class of a reference, the loop upside down. */
        rs_unfold_loop(&s, re, im, NULL, RS_SIGN_REFERENCE, alpha + 2.5, out, &u);
        assert_near(u.area, -14, TOL_LEAST_SQUARES);
        for (int i = 0; i < N; i++) assert_near(out[i], -pr[i], TOL_LEAST_SQUARES);
        rs_unfold_loop(&s, re, im, NULL, RS_SIGN_REFERENCE, alpha - 1.5, out, &u);
        assert_near(u.area, 14, TOL_LEAST_SQUARES);
        /* A given angle is used as it is. */
        rs_unfold_loop(&s, re, im, NULL, RS_SIGN_FIXED, alpha + 0.4, out, &u);
        assert_near(u.area, 14 * cos(0.4), TOL_LEAST_SQUARES);
        assert_near(remainder(u.angle - alpha - 0.4, 2 * RS_PI), 0, TOL_DOUBLE);
        double mean = 0;
        for (int i = 0; i < N; i++)
            mean += (im[i] * cos(alpha + 0.4) - re[i] * sin(alpha + 0.4)) / N;
        assert_near(u.offset, mean, TOL_LEAST_SQUARES);
        /* BGlib: the shape and the voltages are right, the height is not. */
        rs_unfold_bglib(&s, re, im, out, &u);
        double lo = INFINITY, hi = -INFINITY;
        for (int i = 0; i < N; i++) {
            lo = fmin(lo, out[i]);
            hi = fmax(hi, out[i]);
        }
        assert_near((hi - lo) / 2, fabs(cos(alpha + tan(tan(alpha)))), 1e-3);
        assert_true(u.area > 0);
    }
    rs_sweep_clear(&s);
}

/* The factors that were measured on BGlib itself with noisy loops; near 0.9 rad tan(tan alpha)
 * turns an error of a degree into one of ten. */
static void bglib_defect_has_the_known_size(void **state)
{
    (void)state;
    static const double table[][3] = {{0.001, 1.00, 0.01}, {0.2, 0.92, 0.01}, {0.5, 0.44, 0.01},
                                      {0.9, 0.68, 0.05},   {1.2, 0.84, 0.01}, {2.6, 0.34, 0.01}};
    rs_sweep s = {0};
    double pr[N], re[N], im[N], out[N];
    sim_sweep(N, 8, &s);
    sim_straight_loop(&s, 0, 0, pr);
    for (int k = 0; k < 6; k++) {
        rs_unfold u;
        for (int i = 0; i < N; i++) {
            re[i] = pr[i] * cos(table[k][0]);
            im[i] = pr[i] * sin(table[k][0]);
        }
        rs_unfold_bglib(&s, re, im, out, &u);
        double lo = INFINITY, hi = -INFINITY;
        for (int i = 0; i < N; i++) {
            lo = fmin(lo, out[i]);
            hi = fmax(hi, out[i]);
        }
        assert_near((hi - lo) / 2, table[k][1], table[k][2]);
    }
    rs_sweep_clear(&s);
}

static void map_reference_is_the_common_direction(void **state)
{
    (void)state;
    rs_unfold u[100];
    test_rng r = {test_seed()};
    for (int i = 0; i < 100; i++) {
        /* A tenth of the loops upside down, some without a direction. */
        double a = 1.9 + 0.1 * test_gauss(&r) + (i % 10 == 0 ? RS_PI : 0);
        bool bad = i % 7 == 3;
        u[i] = (rs_unfold){bad ? test_uniform(&r, -3, 3) : remainder(a, 2 * RS_PI), 0,
                           bad ? 0.97 : 0.1, 1};
    }
    u[50].ratio = NAN;
    assert_near(rs_unfold_reference(u, 100), 1.9, 0.05);
    assert_true(isnan(rs_unfold_reference(u, 0)));
}

/* Total least squares is unbiased where a fit of Im on Re is not. */
static void unfolding_is_unbiased_under_noise(void **state)
{
    (void)state;
    rs_sweep s = {0};
    double pr[N], re[N], im[N], out[N], sum = 0;
    test_rng r = {test_seed()};
    sim_sweep(N, 8, &s);
    sim_straight_loop(&s, 0, 0, pr);
    for (int k = 0; k < 400; k++) {
        rs_unfold u;
        for (int i = 0; i < N; i++) {
            re[i] = pr[i] * cos(0.9) + 0.2 * test_gauss(&r);
            im[i] = pr[i] * sin(0.9) + 0.2 * test_gauss(&r);
        }
        rs_unfold_loop(&s, re, im, NULL, RS_SIGN_AREA, 0, out, &u);
        sum += u.angle / 400;
    }
    assert_near(sum, 0.9, 0.005); /* one loop scatters by 0.025 */
    rs_sweep_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sweep_cuts_the_branches),
        cmocka_unit_test(sweep_refuses_what_is_no_loop),
        cmocka_unit_test(crossing_is_the_best_split),
        cmocka_unit_test(spikes_are_found_and_loops_kept),
        cmocka_unit_test(noise_is_estimated),
        cmocka_unit_test(unfolding_finds_the_line),
        cmocka_unit_test(bglib_defect_has_the_known_size),
        cmocka_unit_test(map_reference_is_the_common_direction),
        cmocka_unit_test(unfolding_is_unbiased_under_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
