#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "beps/blm.h"
#include "beps/branchfit.h"
#include "beps/loopfit.h"
#include "base/statistics.h"
#include "support/loop_sim.h"
#include "support/tolerance.h"

/* The loop of the specification's golden numbers: a0..a4, b0..b3. */
static const double golden[RS_LOOP_PARAMS] = {-1, 2, -3, 2, 0, 1, 0.5, 0.8, 1.6};

static void make_sweep(int n, double amplitude, rs_sweep *s)
{
    double v[512];
    reshed_error err = {0};
    sim_triangle(n, amplitude, v);
    assert_ok(rs_sweep_create(v, n, s, &err), &err);
}

/* --------------------------------------------------------------------------------------- solver */
static void erfinv_inverts_erf(void **state)
{
    (void)state;
    /* scipy.special.erfinv */
    assert_true(fabs(rs_erfinv(0.3) - 0.2724627147267543) < TOL_ROUNDING);
    assert_true(fabs(rs_erfinv(0.7) - 0.7328690779592167) < TOL_ROUNDING);
    assert_true(fabs(rs_erfinv(-0.999999) + 3.458910737275499) < 1e-10);
    assert_true(fabs(rs_erfinv(1e-12) - 8.86226925452758e-13) < 1e-27);
    assert_true(fabs(rs_erfinv(1 - 1e-12) - 5.042031898572696) < 1e-4);
    for (double x = -3; x < 3; x += 0.01) assert_true(fabs(rs_erfinv(erf(x)) - x) < 1e-11);
    assert_true(isinf(rs_erfinv(1)) && rs_erfinv(-1) < 0);
    assert_true(isnan(rs_erfinv(1.01)) && isnan(rs_erfinv(NAN)));
}

static void rosenbrock(void *ctx, const double *p, double *r, double *jac)
{
    ++*(int *)ctx;
    r[0] = 10 * (p[1] - p[0] * p[0]);
    r[1] = 1 - p[0];
    jac[0] = -20 * p[0];
    jac[1] = 10;
    jac[2] = -1;
    jac[3] = 0;
}

static void solver_reaches_known_minima(void **state)
{
    (void)state;
    const rs_blm_options o = {200, 1e-14, 1e-12};
    const double inf[2] = {-INFINITY, -INFINITY}, far[2] = {INFINITY, INFINITY};
    double work[64], p[2] = {-1.2, 1};
    int calls = 0;
    rs_blm_result r;
    assert_true(rs_blm_work(2, 2) <= 64);
    rs_blm_solve(rosenbrock, &calls, 2, 2, inf, far, &o, work, p, NULL, &r);
    assert_int_equal(r.stop, RS_BLM_CONVERGED);
    assert_true(fabs(p[0] - 1) < 1e-6 && fabs(p[1] - 1) < 1e-6);
    assert_int_equal(r.at_bound, 0);
    assert_true(calls < 60);
    /* x <= 0.5: on the bound the best y is x^2. From inside and from outside the bounds. */
    for (int k = 0; k < 2; k++) {
        const double hi[2] = {0.5, INFINITY};
        double q[2] = {k ? 4 : -1.2, k ? -7 : 1};
        rs_blm_solve(rosenbrock, &calls, 2, 2, inf, hi, &o, work, q, NULL, &r);
        assert_true(fabs(q[0] - 0.5) < TOL_LEAST_SQUARES && fabs(q[1] - 0.25) < 1e-6);
        assert_int_equal(r.at_bound, 1);
        assert_true(fabs(r.sum - 0.25) < TOL_LEAST_SQUARES);
    }
    /* Two bounds meet: the corner. */
    const double hi[2] = {0.5, 0.1};
    double q[2] = {0, 0};
    rs_blm_solve(rosenbrock, &calls, 2, 2, inf, hi, &o, work, q, NULL, &r);
    double best = INFINITY;
    for (double x = 0; x <= 0.5; x += 1e-5)
        best = fmin(best, 100 * pow(0.1 - x * x, 2) + (1 - x) * (1 - x));
    assert_true(fabs(r.sum - best) < 1e-6);
}

static void straight_line(void *ctx, const double *p, double *r, double *jac)
{
    const double *y = ctx;
    for (int i = 0; i < 20; i++) {
        r[i] = p[0] + p[1] * i - y[i];
        jac[2 * i] = 1;
        jac[2 * i + 1] = i;
    }
}

/* The covariance of a straight line has a closed form. */
static void covariance_is_the_text_book_one(void **state)
{
    (void)state;
    const rs_blm_options o = {50, 1e-14, 1e-12};
    const double lo[2] = {-INFINITY, -INFINITY}, hi[2] = {INFINITY, INFINITY};
    double y[20], work[200], p[2] = {0, 0}, cov[4], mean = 9.5, sxx = 0;
    test_rng rng = {test_seed()};
    rs_blm_result r;
    for (int i = 0; i < 20; i++) {
        y[i] = 3 - 0.2 * i + test_gauss(&rng);
        sxx += (i - mean) * (i - mean);
    }
    rs_blm_solve(straight_line, y, 2, 20, lo, hi, &o, work, p, cov, &r);
    double s2 = r.sum / 18;
    assert_true(fabs(cov[3] / (s2 / sxx) - 1) < TOL_LEAST_SQUARES);
    assert_true(fabs(cov[0] / (s2 * (1.0 / 20 + mean * mean / sxx)) - 1) < TOL_LEAST_SQUARES);
    assert_true(fabs(cov[1] / (-s2 * mean / sxx) - 1) < TOL_LEAST_SQUARES);
    assert_true(fabs(cov[1] / cov[2] - 1) < TOL_DOUBLE);
}

/* ------------------------------------------------------------------------------------- function */
static void function_matches_bglib(void **state)
{
    (void)state;
    rs_sweep s = {0};
    test_rng r = {test_seed()};
    make_sweep(64, 8, &s);
    for (int k = 0; k < 200; k++) {
        double p[RS_LOOP_PARAMS], ours[64], v[64], theirs[64];
        for (int j = 0; j < 5; j++) p[j] = test_uniform(&r, -5, 5);
        p[RS_A4] = test_uniform(&r, -0.1, 0.1);
        for (int j = RS_B0; j <= RS_B3; j++) p[j] = test_uniform(&r, 0.1, 4);
        rs_loop_function(&s, p, ours);
        for (int i = 0; i < 64; i++) v[i] = s.v[(i + 16) % 64]; /* rolled to begin at the top */
        rs_loop_function_bglib(v, 64, p, theirs);
        for (int i = 0; i < 64; i++) {
            assert_true(fabs(theirs[i] - ours[(i + 16) % 64]) < 1e-7 * (1 + fabs(p[RS_A1])));
            assert_true(ours[i] == rs_loop_branch(p, i >= 16 && i < 48, s.v[i]));
        }
    }
    rs_sweep_clear(&s);
    /* y is b_left/(b_left + b_right) at the junction. */
    assert_true(fabs(rs_loop_branch(golden, true, -3) - (-1 + 2 * 1 / 1.5)) < TOL_ROUNDING);
}

static void crossings_and_area_are_exact(void **state)
{
    (void)state;
    for (double level = 0.02; level < 1; level += 0.02)
        for (int d = 0; d < 2; d++) {
            double at = rs_loop_crossing(golden, d, level);
            assert_true(fabs(rs_loop_branch(golden, d, at) - (-1 + 2 * level)) < TOL_DOUBLE);
        }
    /* Against a fine sum, with ends inside the transitions too. */
    static const double ends[][2] = {{-8, 8}, {-3.2, 1.1}, {-1, 1}, {-2.9, 2.4}};
    for (int k = 0; k < 4; k++) {
        double lo = ends[k][0], hi = ends[k][1], sum = 0, h = (hi - lo) / 100000;
        for (int i = 0; i < 100000; i++) {
            double v = lo + (i + 0.5) * h;
            sum += h * (rs_loop_branch(golden, true, v) - rs_loop_branch(golden, false, v));
        }
        assert_true(fabs(rs_loop_function_area(golden, lo, hi) - sum) < 1e-7);
    }
    /* Saturated at both ends: a1 times the distance of the mean switching voltages. */
    double closed = 2 * ((2 + (1.6 - 0.8) / sqrt(acos(-1))) - (-3 + (0.5 - 1) / sqrt(acos(-1))));
    assert_true(fabs(rs_loop_function_area(golden, -30, 30) - closed) < TOL_DOUBLE);
}

/* ------------------------------------------------------------------------------------------ fit */
static void fit_recovers_all_nine(void **state)
{
    (void)state;
    rs_sweep s = {0};
    test_rng r = {test_seed()};
    make_sweep(96, 10, &s);
    double *work = rs_alloc(rs_loop_fit_work(s.n), sizeof *work);
    int exact = 0;
    for (int k = 0; k < 200; k++) {
        /* The ranges of BGlib's generator of fake loops, in a unit of a few picometres. */
        double unit = k % 2 ? 1e-12 : 1;
        double p[RS_LOOP_PARAMS] = {test_uniform(&r, -6, -3) * unit,
                                    test_uniform(&r, 15, 25) * unit,
                                    test_uniform(&r, -5, -2.5),
                                    test_uniform(&r, 1, 3.5),
                                    test_uniform(&r, -0.5, 0.5) * unit,
                                    test_uniform(&r, 0.6, 3),
                                    test_uniform(&r, 0.6, 3),
                                    test_uniform(&r, 0.6, 3),
                                    test_uniform(&r, 0.6, 4)};
        double y[96];
        rs_loop_fit f;
        rs_loop_function(&s, p, y);
        rs_loop_fit_run(&s, y, NULL, RS_BOUNDS_SCALED, work, &f);
        assert_true(f.ok);
        assert_true(f.r2 > 0.99999);
        bool all = true;
        for (int j = 0; j < RS_LOOP_PARAMS; j++) {
            double scale = j == RS_A0 || j == RS_A1 || j == RS_A4 ? unit : 1;
            all = all && fabs(f.p[j] - p[j]) < 1e-3 * scale;
        }
        exact += all;
    }
    assert_true(exact >= 196);
    rs_free(work);
    rs_sweep_clear(&s);
}

/* Over noise, estimates scatter as their standard errors say, and nothing depends on the unit, on
 * an offset, or on which sample comes first. */
static void fit_errors_cover(void **state)
{
    (void)state;
    enum { RUNS = 400 };
    /* Widths of several steps: of narrower ones a loop tells too little for normal errors. */
    static const double wide[RS_LOOP_PARAMS] = {-1, 2, -3, 2, 0, 1, 1.3, 1.2, 1.6};
    rs_sweep s = {0};
    test_rng r = {test_seed()};
    make_sweep(64, 8, &s);
    double *work = rs_alloc(rs_loop_fit_work(s.n), sizeof *work), clean[64], y[64];
    int inside[RS_LOOP_PARAMS] = {0};
    rs_loop_function(&s, wide, clean);
    for (int k = 0; k < RUNS; k++) {
        rs_loop_fit f;
        for (int i = 0; i < 64; i++) y[i] = clean[i] + 0.03 * test_gauss(&r);
        rs_loop_fit_run(&s, y, NULL, RS_BOUNDS_SCALED, work, &f);
        assert_true(f.ok && f.n == 64 && f.at_bound == 0);
        assert_true(f.bic_line - f.bic_loop > 50 && f.aic_line > f.aic_loop);
        assert_true(fabs(f.rms - sqrt(f.rss_loop / 64)) < TOL_DOUBLE);
        for (int j = 0; j < RS_LOOP_PARAMS; j++)
            inside[j] += fabs(f.p[j] - wide[j]) <= 1.96 * f.se[j];
    }
    for (int j = 0; j < RS_LOOP_PARAMS; j++) {
        double cover = (double)inside[j] / RUNS;
        if (cover < 0.90 || cover > 0.99) fail_msg("parameter %d: coverage %.3f", j, cover);
    }
    rs_loop_fit f, g;
    rs_loop_fit_run(&s, y, NULL, RS_BOUNDS_SCALED, work, &f);
    for (int i = 0; i < 64; i++) y[i] = 1e-11 * (y[i] + 5);
    rs_loop_fit_run(&s, y, NULL, RS_BOUNDS_SCALED, work, &g);
    assert_true(fabs(g.p[RS_A0] / 1e-11 - 5 - f.p[RS_A0]) < 1e-6);
    assert_true(fabs(g.p[RS_A1] / 1e-11 - f.p[RS_A1]) < 1e-6);
    assert_true(fabs(g.se[RS_A1] / 1e-11 - f.se[RS_A1]) < 1e-6);
    assert_true(fabs(g.se[RS_B2] - f.se[RS_B2]) < 1e-5);
    assert_true(fabs((g.bic_line - g.bic_loop) - (f.bic_line - f.bic_loop)) < 1e-5);
    rs_free(work);
    rs_sweep_clear(&s);
}

static void fit_knows_a_line_from_a_loop(void **state)
{
    (void)state;
    rs_sweep s = {0};
    test_rng r = {test_seed()};
    make_sweep(64, 8, &s);
    double *work = rs_alloc(rs_loop_fit_work(s.n), sizeof *work), y[64];
    int lines = 0;
    for (int k = 0; k < 200; k++) {
        rs_loop_fit f;
        for (int i = 0; i < 64; i++) y[i] = 0.5 - 0.03 * s.v[i] + 0.1 * test_gauss(&r);
        rs_loop_fit_run(&s, y, NULL, RS_BOUNDS_SCALED, work, &f);
        assert_true(f.ok);
        lines += f.bic_line < f.bic_loop;
    }
    assert_true(lines >= 198);
    /* Too little to fit: constant, mostly missing. */
    rs_loop_fit f;
    for (int i = 0; i < 64; i++) y[i] = 2;
    rs_loop_fit_run(&s, y, NULL, RS_BOUNDS_SCALED, work, &f);
    assert_false(f.ok);
    assert_true(isnan(f.p[RS_A2]) && isnan(f.r2));
    for (int i = 0; i < 64; i++) y[i] = i < 11 ? i : NAN;
    rs_loop_fit_run(&s, y, NULL, RS_BOUNDS_SCALED, work, &f);
    assert_false(f.ok);
    rs_free(work);
    rs_sweep_clear(&s);
}

static void skipped_samples_do_not_count(void **state)
{
    (void)state;
    rs_sweep s = {0};
    make_sweep(64, 8, &s);
    double *work = rs_alloc(rs_loop_fit_work(s.n), sizeof *work), y[64];
    uint8_t skip[64] = {0};
    rs_loop_fit f;
    rs_loop_function(&s, golden, y);
    for (int i = 3; i < 64; i += 11) {
        skip[i] = 1;
        y[i] = i % 2 ? 1e6 : -1e6;
    }
    y[20] = NAN;
    rs_loop_fit_run(&s, y, skip, RS_BOUNDS_SCALED, work, &f);
    assert_int_equal(f.n, 64 - 6 - 1);
    for (int j = 0; j < RS_LOOP_PARAMS; j++)
        assert_true(fabs(f.p[j] - golden[j]) < TOL_LOOP_PARAMETER);
    rs_free(work);
    rs_sweep_clear(&s);
}

static void bglib_bounds_and_guess(void **state)
{
    (void)state;
    rs_sweep s = {0};
    make_sweep(64, 8, &s);
    double *work = rs_alloc(rs_loop_fit_work(s.n), sizeof *work), y[64], p[RS_LOOP_PARAMS];
    rs_loop_fit f;
    rs_loop_function(&s, golden, y);
    rs_loop_fit_run(&s, y, NULL, RS_BOUNDS_BGLIB, work, &f);
    for (int j = 0; j < RS_LOOP_PARAMS; j++)
        assert_true(fabs(f.p[j] - golden[j]) < TOL_LOOP_PARAMETER);
    /* The hull makes BGlib's start too wide: -4.96 and 4.57 for crossings at -3 and 2. */
    rs_loop_guess_bglib(s.v, y, 64, work, p);
    assert_true(fabs(p[RS_A2] + 4.96) < 0.005 && fabs(p[RS_A3] - 4.57) < 0.005);
    assert_true(p[RS_A4] == 0 && p[RS_B0] == 2 && p[RS_B3] == 2);
    assert_true(fabs(p[RS_A0] + 1) < 0.02 && fabs(p[RS_A1] - 2) < 0.02);
    /* Their slope bound bites on steep data. */
    for (int i = 0; i < 64; i++) y[i] += 0.5 * s.v[i];
    rs_loop_fit_run(&s, y, NULL, RS_BOUNDS_BGLIB, work, &f);
    assert_true(f.ok && fabs(f.p[RS_A4] - 0.1) < TOL_DOUBLE && (f.at_bound & 1u << RS_A4));
    assert_true(isnan(f.se[RS_A4]));
    rs_free(work);
    rs_sweep_clear(&s);
}

/* ------------------------------------------------------------------------------------- branches */
static double sigmoid_branch(double v, double x0, double coef, bool arctan)
{
    return arctan ? atan(coef * (v - x0)) : 1 / (1 + exp(-coef * (v - x0))) - 0.5;
}

static void branch_fit_recovers_pysspfm(void **state)
{
    (void)state;
    rs_sweep s = {0};
    make_sweep(96, 10, &s);
    double *work = rs_alloc(rs_loop_fit_work(s.n), sizeof *work), y[96];
    for (int kind = 0; kind < 8; kind++) {
        bool arctan = kind & 1, asymmetric = kind & 2, slope = kind & 4;
        double r = 3.2, l = -2.1, cr = 1.8, cl = asymmetric ? 0.9 : 1.8, k = slope ? 0.04 : 0;
        for (int i = 0; i < 96; i++)
            y[i] =
                0.3 + k * s.v[i] +
                1.5 * sigmoid_branch(s.v[i], s.falling[i] ? l : r, s.falling[i] ? cl : cr, arctan);
        rs_branch_options o = {arctan ? RS_MODEL_ARCTAN : RS_MODEL_SIGMOID, asymmetric, slope};
        rs_branch_fit f;
        rs_branch_fit_run(&s, y, NULL, &o, work, &f);
        assert_true(f.ok && f.r2 > 0.999999);
        const double want[RS_SIG_PARAMS] = {0.3, k, 1.5, cr, cl, r, l};
        for (int j = 0; j < RS_SIG_PARAMS; j++)
            assert_true(fabs(f.p[j] - want[j]) < TOL_LOOP_PARAMETER);
        /* The definitions, by differences: slope at the inflection, value at the saturation, zero
         * at the crossing. */
        const double h = 1e-5;
        for (int side = 0; side < 2; side++) {
            double x0 = side ? l : r, c = side ? cl : cr, at = f.inflection[side];
            double there =
                sigmoid_branch(at + h, x0, c, arctan) - sigmoid_branch(at - h, x0, c, arctan);
            double steepest =
                sigmoid_branch(x0 + h, x0, c, arctan) - sigmoid_branch(x0 - h, x0, c, arctan);
            assert_true(fabs(there / steepest - 0.1) < TOL_LOOP_PARAMETER);
            assert_true((at < x0) == (side == 0));
            double sat = sigmoid_branch(f.saturation[side], x0, c, arctan);
            assert_true(fabs(fabs(sat) - 0.45) < TOL_LOOP_PARAMETER);
            assert_true((f.saturation[side] > x0) == (side == 0));
            double zero = f.crossing[side];
            assert_true(fabs(0.3 + k * zero + 1.5 * sigmoid_branch(zero, x0, c, arctan)) <
                        TOL_LOOP_PARAMETER);
        }
    }
    rs_branch_options none = {RS_MODEL_NONE, false, false};
    rs_branch_fit f;
    rs_branch_fit_run(&s, y, NULL, &none, work, &f);
    assert_false(f.ok);
    rs_free(work);
    rs_sweep_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(erfinv_inverts_erf),
        cmocka_unit_test(solver_reaches_known_minima),
        cmocka_unit_test(covariance_is_the_text_book_one),
        cmocka_unit_test(function_matches_bglib),
        cmocka_unit_test(crossings_and_area_are_exact),
        cmocka_unit_test(fit_recovers_all_nine),
        cmocka_unit_test(fit_errors_cover),
        cmocka_unit_test(fit_knows_a_line_from_a_loop),
        cmocka_unit_test(skipped_samples_do_not_count),
        cmocka_unit_test(bglib_bounds_and_guess),
        cmocka_unit_test(branch_fit_recovers_pysspfm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
