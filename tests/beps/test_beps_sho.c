/* The oscillator's model against closed forms and finite differences, and guesses of its
 * parameters. */
#include "support/support.h"
#include "support/tolerance.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "beps/sho.h"
#include "beps/sho_errors.h"
#include "beps/sho_guess.h"
#include "support/sho_sim.h"

/* ---------------------------------------------------------------------------------------- model */
static void golden_spectrum(void **state)
{
    (void)state;
    double w[65], y[130], h[2], w0 = 325.3e3;
    const rs_sho p = {1e-4, w0, 120, 0.7}, conj = {1e-4, w0, -120, -0.7};
    rs_sho g;
    sho_axis(w, 65, 300e3, 350e3);
    rs_sho_eval(&p, w, 65, y);
    assert_true(rs_sho_guess(w, y, 65, &g));
    assert_same_sho(&g, &p, 1e-12);
    for (int k = 0; k < 65; k++) y[2 * k + 1] = -y[2 * k + 1];
    assert_true(rs_sho_guess(w, y, 65, &g));
    assert_same_sho(&g, &conj, 1e-12);
    rs_sho_eval(&p, &w0, 1, h);
    assert_near(hypot(h[0], h[1]), 0.012, TOL_ROUNDING);
    assert_near(atan2(h[1], h[0]), 0.7 + RS_PI / 2, TOL_ROUNDING); /* 2.2708 */
    w0 = 1;
    rs_sho_eval(&p, &w0, 1, h); /* far below resonance */
    assert_near(hypot(h[0], h[1]), 1e-4, 1e-14);
    assert_near(atan2(h[1], h[0]), 0.7 - RS_PI, 1e-6);
}

static void jacobian_is_the_derivative(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    double w[64], jac[8 * 64], lo[128], hi[128];
    sho_axis(w, 64, 300e3, 350e3);
    for (int i = 0; i < 200; i++) {
        rs_sho p = sho_random(&r, w, 64);
        const double step[4] = {1e-5 * p.amplitude, 1e-6 * p.frequency / p.q, 1e-5 * p.q, 1e-5};
        rs_sho_jacobian(&p, w, 64, jac);
        for (int j = 0; j < 4; j++) {
            rs_sho a = p, b = p;
            double *pa[4] = {&a.amplitude, &a.frequency, &a.q, &a.phase};
            double *pb[4] = {&b.amplitude, &b.frequency, &b.q, &b.phase};
            double largest = 0;
            *pa[j] -= step[j], *pb[j] += step[j];
            rs_sho_eval(&a, w, 64, lo);
            rs_sho_eval(&b, w, 64, hi);
            for (int k = 0; k < 128; k++) largest = fmax(largest, fabs(jac[128 * j + k]));
            for (int k = 0; k < 128; k++)
                assert_near((hi[k] - lo[k]) / (2 * step[j]), jac[128 * j + k], 1e-7 * largest);
        }
    }
}

/* The closed form against the inverse of J^T J. */
static void bound_is_the_inverse_information(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    double w[64], jac[4][2 * SHO_MAX_BINS], m[4][4], peak;
    sho_axis(w, 64, 300e3, 350e3);
    for (int i = 0; i < 200; i++) {
        rs_sho p = sho_random(&r, w, 64), se;
        double sigma = 1e-4, c[4][4];
        sho_information(&p, w, 64, jac, m);
        for (int j = 0; j < 4; j++) {
            double unit[4] = {0};
            unit[j] = 1;
            assert_true(sho_solve4(m, unit, c[j]));
        }
        rs_sho_bound(&p, w, 64, sigma, &se, &peak);
        double rel = 1e-9 * sigma;
        assert_near(se.amplitude, sigma * p.amplitude * sqrt(c[0][0]), rel * se.amplitude / sigma);
        assert_near(se.frequency, sigma * p.frequency * sqrt(c[1][1]), rel * se.frequency / sigma);
        assert_near(se.q, sigma * p.q * sqrt(c[2][2]), rel * se.q / sigma);
        assert_near(se.phase, sigma * sqrt(c[3][3]), rel * se.phase / sigma);
        double v = c[0][0] + 2 * c[0][2] + c[2][2]; /* ln A + ln Q */
        assert_near(peak, sigma * p.amplitude * p.q * sqrt(v), 1e-6 * peak);
        double twice;
        rs_sho_bound(&p, w, 64, 2 * sigma, &se, &twice);
        assert_near(twice, 2 * peak, 1e-12 * peak);
    }
}

/* rs_sho_bias works in (z, d, c); Box's formula holds in any parameters, here in (A, w0, Q, phi)
 * with the second derivatives taken as differences of the Jacobian. */
static void bias_is_box_s(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    enum { N = 64 };
    static double w[N], jac[4][2 * SHO_MAX_BINS], up[4][2 * SHO_MAX_BINS],
        down[4][2 * SHO_MAX_BINS];
    sho_axis(w, N, 300e3, 350e3);
    for (int i = 0; i < 100; i++) {
        rs_sho p = sho_random(&r, w, N);
        double m[4][4], c[4][4], curve[2 * N] = {0}, g[4] = {0}, want[4], got[RS_SHO_RELATIVES];
        double variance = 1e-4 * p.amplitude * p.amplitude * p.q * p.q;
        sho_information(&p, w, N, jac, m);
        for (int j = 0; j < 4; j++) {
            double unit[4] = {0};
            unit[j] = 1;
            assert_true(sho_solve4(m, unit, c[j]));
        }
        for (int j = 0; j < 4; j++) {
            rs_sho a = p, b = p;
            double *pa[4] = {&a.amplitude, &a.frequency, &a.q, &a.phase};
            double *pb[4] = {&b.amplitude, &b.frequency, &b.q, &b.phase};
            double unit[4] = {p.amplitude, p.frequency, p.q, 1}, rel = j == 1 ? 1e-4 / p.q : 1e-4;
            double unused[4][4];
            *pa[j] -= rel * unit[j], *pb[j] += rel * unit[j];
            sho_information(&b, w, N, up, unused);
            sho_information(&a, w, N, down, unused);
            for (int q = 0; q < 4; q++) {
                /* The rows carry the units of the moved parameters. */
                double *ua[4] = {&a.amplitude, &a.frequency, &a.q, &unit[3]};
                double *ub[4] = {&b.amplitude, &b.frequency, &b.q, &unit[3]};
                for (int k = 0; k < 2 * N; k++)
                    curve[k] += variance * c[j][q] * unit[q] *
                                (up[q][k] / *ub[q] - down[q][k] / *ua[q]) / (2 * rel);
            }
        }
        for (int j = 0; j < 4; j++)
            for (int k = 0; k < 2 * N; k++) g[j] -= 0.5 * jac[j][k] * curve[k];
        assert_true(sho_solve4(m, g, want));

        double d = 1, cc = 1 / p.q;
        rs_sho_moments s = {0};
        rs_sho_moments2 t = {0};
        for (int k = 0; k < N; k++) {
            double u = w[k] / p.frequency, er = u * u - d, ei = -cc * u, size = er * er + ei * ei;
            double br = er / size, bi = -ei / size, b2 = 1 / size, uj = 1;
            s.s1 += b2, s.s2r += b2 * br, s.s2i += b2 * bi, s.s2wr += u * b2 * br;
            s.s2wi += u * b2 * bi, s.s4 += b2 * b2, s.s4w += u * u * b2 * b2;
            t.s4u += u * b2 * b2;
            for (int j = 0; j < 4; j++, uj *= u) {
                if (j < 3) t.t[j][0] += uj * b2 * (br * br - bi * bi);
                if (j < 3) t.t[j][1] += uj * b2 * 2 * br * bi;
                t.v[j][0] += uj * b2 * b2 * br, t.v[j][1] += uj * b2 * b2 * bi;
            }
        }
        rs_sho_bias(&s, &t, d, cc, variance / (p.amplitude * p.amplitude), got);
        double peak = want[0] + want[2] + variance * c[0][2]; /* E[A Q] has their covariance */
        double scale = variance * (c[0][0] + c[2][2] + c[3][3]);
        assert_near(got[RS_SHO_LN_A], want[0], 1e-4 * scale);
        assert_near(got[RS_SHO_LN_W0], want[1], 1e-4 * scale / p.q);
        assert_near(got[RS_SHO_LN_Q], want[2], 1e-4 * scale);
        assert_near(got[RS_SHO_PHI], want[3], 1e-4 * scale);
        assert_near(got[RS_SHO_LN_AQ], peak, 1e-4 * scale);
    }
}

/* ---------------------------------------------------------------------------------------- guess */
/* Numbers from another solver: the pairs' linear equations by LU, weighted as the header says. */
static void guess_weights_the_pairs(void **state)
{
    (void)state;
    double w[65], y[130];
    const rs_sho p = {1e-4, 325.3e3, 120, 0.7};
    const rs_sho want = {0.000100422357625, 325238.915832, 120.330652949, 0.696754831031};
    rs_sho g;
    sho_axis(w, 65, 300e3, 350e3);
    rs_sho_eval(&p, w, 65, y);
    for (int k = 0; k < 65; k++) {
        y[2 * k] += 0.05 * 0.012 * sin(37.0 * k);
        y[2 * k + 1] += 0.05 * 0.012 * cos(53.0 * k);
    }
    assert_true(rs_sho_guess(w, y, 65, &g));
    assert_same_sho(&g, &want, 1e-11);
}

static void guess_in_noise_and_without_signal(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    double w[65], y[130], worst[4] = {0};
    sho_axis(w, 65, 300e3, 350e3);
    const rs_sho p = {1e-4, 325.3e3, 120, 0.7};
    rs_sho g;
    double mean_q = 0;
    for (int i = 0; i < 200; i++) {
        sho_simulate(&r, &p, w, 65, 0.05, y);
        assert_true(rs_sho_guess(w, y, 65, &g));
        worst[0] = fmax(worst[0], fabs(g.frequency / p.frequency - 1));
        worst[1] = fmax(worst[1], fabs(g.q / p.q - 1));
        worst[2] = fmax(worst[2], fabs(rs_wrap_angle(g.phase - p.phase)));
        mean_q += g.q / 200;
    }
    assert_true(worst[0] < 2e-3 && worst[1] < 0.6 && worst[2] < 0.6);
    assert_near(mean_q, p.q, 0.1 * p.q);

    /* Without a resonance: mean |y|/200, the middle bin, Q 200. */
    for (int k = 0; k < 65; k++) y[2 * k] = 3, y[2 * k + 1] = 4;
    assert_false(rs_sho_guess(w, y, 65, &g));
    const rs_sho fast = {5.0 / 200, w[32], 200, atan2(4, 3)};
    assert_same_sho(&g, &fast, 1e-15);
    int usable = 0;
    for (int i = 0; i < 200; i++) {
        for (int k = 0; k < 130; k++) y[k] = test_gauss(&r);
        usable += rs_sho_guess(w, y, 65, &g);
        assert_true(g.amplitude > 0 && g.frequency >= w[0] && g.frequency <= w[64]);
    }
    assert_true(usable < 100);

    /* Bins without a number are left out. */
    rs_sho_eval(&p, w, 65, y);
    y[2 * 33] = NAN, y[2 * 31 + 1] = INFINITY;
    assert_true(rs_sho_guess(w, y, 65, &g));
    assert_same_sho(&g, &p, 1e-11);
    for (int k = 0; k < 130; k++) y[k] = NAN;
    assert_false(rs_sho_guess(w, y, 65, &g));
    memset(y, 0, sizeof y);
    assert_false(rs_sho_guess(w, y, 65, &g));
}

static void conjugated_data_are_recognised(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    enum { COUNT = 250, N = 64 };
    static double w[N], y[COUNT * 2 * N], z[COUNT * 2 * N];
    static float f[COUNT * 2 * N];
    static rs_sho_fit a[COUNT], b[COUNT];
    int votes;
    sho_axis(w, N, 300e3, 350e3);
    for (int i = 0; i < COUNT; i++) {
        rs_sho p = sho_random(&r, w, N);
        sho_simulate(&r, &p, w, N, 0.05, y + (size_t)i * 2 * N);
    }
    assert_false(rs_sho_conjugated_f64(w, y, COUNT, N, &votes));
    assert_true(votes > 50);
    for (int k = 0; k < COUNT * 2 * N; k++) z[k] = k % 2 ? -y[k] : y[k], f[k] = (float)z[k];
    assert_true(rs_sho_conjugated_f64(w, z, COUNT, N, NULL));
    assert_true(rs_sho_conjugated_f32(w, f, COUNT, N, &votes));
    assert_true(votes <= 100);
    memset(f, 0, sizeof f);
    assert_false(rs_sho_conjugated_f32(w, f, COUNT, N, &votes));
    assert_int_equal(votes, 0);

    /* Conjugated data, told to be so, give the same fits to the bit: Q and phase as well. A guess
     * says it with both signs turned. */
    rs_sho_options o;
    rs_sho_options_defaults(&o);
    rs_sho_plan *plan = sho_plan(w, N, &o);
    rs_sho_fit_f64(plan, y, COUNT, a);
    rs_sho_plan_free(plan);
    o.conjugate = true;
    plan = sho_plan(w, N, &o);
    rs_sho_fit_f64(plan, z, COUNT, b);
    rs_sho_plan_free(plan);
    assert_memory_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_spectrum),
        cmocka_unit_test(jacobian_is_the_derivative),
        cmocka_unit_test(bound_is_the_inverse_information),
        cmocka_unit_test(bias_is_box_s),
        cmocka_unit_test(guess_weights_the_pairs),
        cmocka_unit_test(guess_in_noise_and_without_signal),
        cmocka_unit_test(conjugated_data_are_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
