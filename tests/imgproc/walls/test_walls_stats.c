#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "imgproc/walls/stats.h"
#include "support/walls.h"
#include "support/tolerance.h"

/* -------------------------------------------------------------------------------------- by wall */

static void summaries_of_known_values(void **state)
{
    (void)state;
    reshed_error err = {0};
    const int wall[] = {2, 0, 2, 2, 4, -1, 0, 2, 3};
    const double value[] = {1, 10, 2, 6, NAN, 99, 20, 3, 7};
    rs_wall_summary s[5];
    int n = 0;
    assert_ok(rs_stats_by_wall(wall, value, 9, 5, s, &n, &err), &err);
    assert_int_equal(n, 3);
    assert_int_equal(s[0].wall, 0);
    assert_int_equal(s[0].n, 2);
    assert_near(s[0].mean, 15, 0);
    assert_near(s[0].sd, sqrt(50), TOL_DOUBLE);
    assert_int_equal(s[1].wall, 2);
    assert_int_equal(s[1].n, 4);
    assert_near(s[1].mean, 3, 0);
    assert_near(s[1].sd, sqrt(14.0 / 3), TOL_DOUBLE);
    assert_near(s[1].sem, sqrt(14.0 / 3) / 2, TOL_DOUBLE);
    assert_near(s[1].median, 2.5, 0);
    assert_near(s[1].min, 1, 0);
    assert_near(s[1].max, 6, 0);
    assert_int_equal(s[2].wall, 3);
    assert_true(isnan(s[2].sd));
    n = -7;
    assert_int_equal(rs_stats_by_wall(wall, value, 9, 4, s, &n, &err), RESHED_EINVAL);
    assert_int_equal(n, -7);
    assert_ok(rs_stats_by_wall(wall, value, 0, 4, s, &n, &err), &err);
    assert_int_equal(n, 0);
}

/* ---------------------------------------------------------------------------------- alternation */

/* Values that the C compiler cannot tell from a lab's: gaussian, one per wall. */
static void gaussians(test_rng *r, double *v, int n)
{
    for (int i = 0; i < n; i++) v[i] = test_gauss(r);
}

static void alternation_of_strict_pattern(void **state)
{
    (void)state;
    reshed_error err = {0};
    double v[12];
    rs_alternation a;
    for (int i = 0; i < 12; i++) v[i] = 5 + (i % 2 ? -0.5 : 0.5);
    assert_ok(rs_alternation_test(v, 12, 99999, test_seed(), &a, &err), &err);
    assert_int_equal(a.walls, 12);
    assert_near(a.difference, 1, TOL_DOUBLE);
    assert_near(a.successive, 1, TOL_DOUBLE);
    assert_near(a.autocorrelation, -11.0 / 12, TOL_DOUBLE);
    /* 2 of the C(12,6) = 924 ways to deal six high values have this difference. */
    assert_near(a.p, 2.0 / 924, 6 * sqrt(2.0 / 924 / 1e5));
    assert_near(a.p_successive, 2.0 / 924, 6 * sqrt(2.0 / 924 / 1e5));
    rs_alternation again;
    assert_ok(rs_alternation_test(v, 12, 99999, test_seed(), &again, &err), &err);
    assert_true(a.p == again.p && a.p_successive == again.p_successive);
    v[3] = 4.75;
    assert_ok(rs_alternation_test(v, 11, 999, 1, &a, &err), &err);
    assert_near(a.difference, 5.5 - (4.5 * 4 + 4.75) / 5, TOL_DOUBLE);
}

/* One wall of the family was not found: the parity of the rest is turned over. */
static void alternation_survives_a_missing_wall(void **state)
{
    (void)state;
    reshed_error err = {0};
    test_rng r = {test_seed()};
    double v[15];
    rs_alternation a;
    for (int i = 0; i < 15; i++) v[i] = ((i < 7 ? i : i + 1) % 2 ? -1 : 1) + 0.2 * test_gauss(&r);
    assert_ok(rs_alternation_test(v, 15, 4999, test_seed(), &a, &err), &err);
    assert_true(a.p > 0.2);
    assert_true(a.p_successive < 0.005);
}

static void alternation_holds_its_level(void **state)
{
    (void)state;
    enum { TRIALS = 400 };
    reshed_error err = {0};
    test_rng r = {test_seed()};
    int by_difference = 0, by_steps = 0, found = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        double v[14];
        rs_alternation a;
        gaussians(&r, v, 14);
        assert_ok(rs_alternation_test(v, 14, 399, test_rand(&r), &a, &err), &err);
        by_difference += a.p <= 0.05;
        by_steps += a.p_successive <= 0.05;
        for (int i = 0; i < 14; i++) v[i] += i % 2 ? 1 : -1;
        assert_ok(rs_alternation_test(v, 14, 399, test_rand(&r), &a, &err), &err);
        found += a.p <= 0.05;
    }
    print_message("# alternation: %.3f and %.3f of null families below 0.05; planted 2 sd found in "
                  "%.3f\n",
                  by_difference / (double)TRIALS, by_steps / (double)TRIALS,
                  found / (double)TRIALS);
    /* 0.05 within four standard deviations of 400 trials (0.0109). */
    assert_true(fabs(by_difference / (double)TRIALS - 0.05) < 0.044);
    assert_true(fabs(by_steps / (double)TRIALS - 0.05) < 0.044);
    assert_true(found > 0.85 * TRIALS);
}

static void alternation_refuses(void **state)
{
    (void)state;
    reshed_error err = {0};
    double v[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    rs_alternation a = {.walls = -7};
    assert_int_equal(rs_alternation_test(v, 9, 99, 1, &a, &err), RESHED_EINVAL);
    assert_int_equal(rs_alternation_test(v, 12, 0, 1, &a, &err), RESHED_EINVAL);
    v[5] = NAN;
    assert_int_equal(rs_alternation_test(v, 12, 99, 1, &a, &err), RESHED_EINVAL);
    v[5] = 0;
    test_alloc_fail_at(0);
    assert_int_equal(rs_alternation_test(v, 12, 99, 1, &a, &err), RESHED_ENOMEM);
    test_alloc_fail_at(-1);
    assert_int_equal(a.walls, -7);
    memset(v, 0, sizeof v); /* all walls alike */
    assert_ok(rs_alternation_test(v, 12, 99, 1, &a, &err), &err);
    assert_near(a.p, 1, 0);
    assert_true(isnan(a.autocorrelation));
    for (int i = 0; i < 12; i++) v[i] = 0.1; /* the mean of which is not 0.1 */
    assert_ok(rs_alternation_test(v, 12, 99, 1, &a, &err), &err);
    assert_true(isnan(a.autocorrelation));
}

/* ------------------------------------------------------------------------------------- rank sum */

/* U and p from all ways to choose the first group. */
static void rank_sum_plainly(const double *v, int na, int n, double *u, double *p)
{
    double all = 0, extreme = 0, mean = na * (n - na) / 2.0, seen = 0;
    for (int pass = 0; pass < 2; pass++)
        for (unsigned set = 0; set < 1u << n; set++) {
            double sum = 0;
            int size = 0;
            for (int i = 0; i < n; i++) size += set >> i & 1;
            if (size != na || (pass == 0 && set != (1u << na) - 1)) continue;
            for (int i = 0; i < n; i++)
                for (int j = 0; j < n; j++)
                    if (set >> i & 1 && !(set >> j & 1))
                        sum += v[i] > v[j] ? 1 : v[i] == v[j] ? 0.5 : 0;
            if (pass == 0) seen = sum;
            all += pass;
            extreme += pass && fabs(sum - mean) >= fabs(seen - mean) - 1e-9;
        }
    *u = seen;
    *p = extreme / all;
}

static void rank_sum_equals_enumeration(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    reshed_error err = {0};
    for (int trial = 0; trial < 60; trial++) {
        int na = 1 + (int)test_below(&r, 5), nb = 1 + (int)test_below(&r, 6);
        double v[12], u, p;
        for (int i = 0; i < na + nb; i++)
            v[i] =
                trial % 2 ? (double)test_below(&r, 4) : test_gauss(&r); /* with and without ties */
        rs_rank_test t;
        assert_ok(rs_rank_sum_test(v, na, v + na, nb, &t, &err), &err);
        rank_sum_plainly(v, na, na + nb, &u, &p);
        assert_int_equal(t.exact, 1);
        assert_near(t.u, u, TOL_DOUBLE);
        assert_near(t.p, p, TOL_DOUBLE);
        assert_near(t.effect, u / (na * nb), TOL_DOUBLE);
    }
}

static void rank_sum_equals_scipy(void **state)
{
    (void)state;
    reshed_error err = {0};
    const double a[] = {1.1, 2.3, 2.9, 4.0, 5.5, 7.7}, b[] = {2.0, 3.5, 6.1, 8.0, 9.2, 10.5, 11.0};
    rs_rank_test t;
    assert_ok(rs_rank_sum_test(a, 6, b, 7, &t, &err), &err);
    assert_near(t.u, 9, 0); /* scipy.stats.mannwhitneyu(a, b, method="exact") */
    assert_near(t.p, 0.10139860139860139, 1e-14);
    assert_near(t.median[0], 3.45, 1e-14);
    assert_near(t.median[1], 8, 0);
    double c[50], d[40];
    for (int i = 0; i < 50; i++) c[i] = i * 37 % 50 / 2;
    for (int i = 0; i < 40; i++) d[i] = (i * 29 % 40 + 12) / 2;
    assert_ok(rs_rank_sum_test(c, 50, d, 40, &t, &err), &err);
    assert_int_equal(t.exact, 0);
    assert_near(t.u, 722, 0); /* method="asymptotic" */
    assert_near(t.p, 0.02412557878655712, TOL_DOUBLE);
}

static void rank_sum_shift_is_hodges_lehmann(void **state)
{
    (void)state;
    reshed_error err = {0};
    const double a[] = {1, 5, 11}, b[] = {2, 4};
    rs_rank_test t; /* differences -1 -3 3 1 9 7: median of -3 -1 1 3 7 9 */
    assert_ok(rs_rank_sum_test(a, 3, b, 2, &t, &err), &err);
    assert_near(t.shift, 2, TOL_ROUNDING);
    assert_near(t.median[0], 5, 0);
    assert_near(t.median[1], 3, 0);
}

/* With 28 and 32 walls the exact p is close to that of the normal distribution. */
static void rank_sum_tends_to_normal(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    reshed_error err = {0};
    for (int trial = 0; trial < 20; trial++) {
        enum { A = 28, B = 32, N = A + B };
        double v[N], ties = 0;
        rs_rank_test t;
        for (int i = 0; i < N; i++) v[i] = floor(6 * test_gauss(&r));
        assert_ok(rs_rank_sum_test(v, A, v + A, B, &t, &err), &err);
        assert_int_equal(t.exact, 1);
        for (int i = 0; i < N; i++) { /* each of k equal values adds k^2 - 1: k^3 - k in all */
            double k = 0;
            for (int j = 0; j < N; j++) k += v[i] == v[j];
            ties += k * k - 1;
        }
        double sd = sqrt(A * B / 12.0 * (N + 1 - ties / (N * (N - 1.0))));
        double away = fmax(0, fabs(t.u - A * B / 2.0) - 0.5);
        assert_near(t.p, erfc(away / sd / sqrt(2)), 0.005);
    }
}

static void rank_sum_holds_its_level(void **state)
{
    (void)state;
    enum { TRIALS = 1000 };
    test_rng r = {test_seed()};
    reshed_error err = {0};
    int null = 0, found = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        double v[27];
        rs_rank_test t;
        gaussians(&r, v, 27);
        assert_ok(rs_rank_sum_test(v, 12, v + 12, 15, &t, &err), &err);
        null += t.p <= 0.05;
        for (int i = 0; i < 12; i++) v[i] += 1.5;
        assert_ok(rs_rank_sum_test(v, 12, v + 12, 15, &t, &err), &err);
        found += t.p <= 0.05;
    }
    print_message("# rank sum: %.3f of null comparisons below 0.05; a shift of 1.5 sd found in "
                  "%.3f\n",
                  null / (double)TRIALS, found / (double)TRIALS);
    assert_true(fabs(null / (double)TRIALS - 0.05) < 0.028); /* four standard deviations */
    assert_true(found > 0.9 * TRIALS);
}

static void rank_sum_refuses(void **state)
{
    (void)state;
    reshed_error err = {0};
    double v[70];
    rs_rank_test t = {.u = -7};
    for (int i = 0; i < 70; i++) v[i] = i % 5;
    assert_int_equal(rs_rank_sum_test(v, 0, v, 3, &t, &err), RESHED_EINVAL);
    assert_int_equal(rs_rank_sum_test(v, 3, v, 0, &t, &err), RESHED_EINVAL);
    v[2] = INFINITY;
    assert_int_equal(rs_rank_sum_test(v, 3, v + 5, 3, &t, &err), RESHED_EINVAL);
    assert_int_equal(rs_rank_sum_test(v + 5, 3, v, 3, &t, &err), RESHED_EINVAL);
    v[2] = 0;
    for (long n = 0;; n++) {
        test_alloc_fail_at(n);
        reshed_status st = rs_rank_sum_test(v, 10, v + 10, 10, &t, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) break;
        assert_int_equal(st, RESHED_ENOMEM);
        assert_near(t.u, -7, 0);
    }
    for (int i = 0; i < 70; i++) v[i] = 3; /* nothing but ties, exact and normal */
    assert_ok(rs_rank_sum_test(v, 10, v, 10, &t, &err), &err);
    assert_near(t.p, 1, 0);
    assert_ok(rs_rank_sum_test(v, 35, v, 35, &t, &err), &err);
    assert_near(t.p, 1, 0);
}

/* ---------------------------------------------------------------------------------------- trend */

static void trend_equals_scipy(void **state)
{
    (void)state;
    reshed_error err = {0};
    const double x[] = {1, 2, 3, 4, 5, 6, 7.5, 7.5, 9, 10}, y[] = {2, 1, 4, 3, 7, 5, 9, 9, 8, 12};
    const double z[] = {2, 1, 4, 3, 6, 5};
    rs_trend t;
    assert_ok(rs_trend_test(x, y, 10, 20000, test_seed(), &t, &err), &err);
    assert_near(t.rho, 0.9268292682926831, TOL_DOUBLE); /* scipy.stats.spearmanr */
    assert_int_equal(t.exact, 0);
    assert_true(t.p < 0.002);
    assert_ok(rs_trend_test(x, z, 6, 1, 0, &t, &err), &err);
    assert_near(t.rho, 0.8285714285714287, TOL_DOUBLE);
    assert_int_equal(t.exact, 1);
    assert_near(t.p, 42.0 / 720, TOL_ROUNDING); /* orders counted with itertools.permutations */
}

/* Random permutations tend to the exact count: n = 8 beside n = 9 with a value that ties nothing.
 */
static void trend_of_monotone_values(void **state)
{
    (void)state;
    reshed_error err = {0};
    double x[9], y[9];
    rs_trend t;
    for (int i = 0; i < 9; i++) {
        x[i] = i;
        y[i] = -exp(i);
    }
    assert_ok(rs_trend_test(x, y, 8, 1, 0, &t, &err), &err);
    assert_near(t.rho, -1, TOL_ROUNDING);
    assert_near(t.p, 2.0 / 40320, TOL_ROUNDING);
    assert_ok(rs_trend_test(x, y, 9, 999, 5, &t, &err), &err);
    assert_near(t.rho, -1, TOL_ROUNDING);
    assert_near(t.p, 1.0 / 1000, 1e-3 + 1e-12);
    for (int i = 0; i < 9; i++) y[i] = 4;
    assert_ok(rs_trend_test(x, y, 9, 999, 5, &t, &err), &err);
    assert_true(isnan(t.rho) && isnan(t.p));
}

static void trend_holds_its_level(void **state)
{
    (void)state;
    enum { TRIALS = 400 };
    test_rng r = {test_seed()};
    reshed_error err = {0};
    int null = 0, found = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        double x[16], y[16];
        rs_trend t;
        gaussians(&r, x, 16);
        gaussians(&r, y, 16);
        assert_ok(rs_trend_test(x, y, 16, 399, test_rand(&r), &t, &err), &err);
        null += t.p <= 0.05;
        for (int i = 0; i < 16; i++) y[i] += 1.5 * x[i];
        assert_ok(rs_trend_test(x, y, 16, 399, test_rand(&r), &t, &err), &err);
        found += t.p <= 0.05;
    }
    print_message("# trend: %.3f of null sets below 0.05; a slope of 1.5 found in %.3f\n",
                  null / (double)TRIALS, found / (double)TRIALS);
    assert_true(fabs(null / (double)TRIALS - 0.05) < 0.044);
    assert_true(found > 0.85 * TRIALS);
}

static void trend_refuses(void **state)
{
    (void)state;
    reshed_error err = {0};
    double v[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, w[10] = {3, 1, NAN};
    rs_trend t = {.n = -7};
    assert_int_equal(rs_trend_test(v, v, 2, 9, 1, &t, &err), RESHED_EINVAL);
    assert_int_equal(rs_trend_test(v, v, 9, 0, 1, &t, &err), RESHED_EINVAL);
    assert_int_equal(rs_trend_test(v, w, 9, 9, 1, &t, &err), RESHED_EINVAL);
    assert_int_equal(rs_trend_test(w, v, 9, 9, 1, &t, &err), RESHED_EINVAL);
    for (int n = 0; n < 2; n++) {
        test_alloc_fail_at(n);
        assert_int_equal(rs_trend_test(v, v, 9, 9, 1, &t, &err), RESHED_ENOMEM);
        test_alloc_fail_at(-1);
    }
    for (int n = 0; n < 2; n++) {
        rs_wall_summary s[3];
        int wall[3] = {0, 1, 2}, count = -7;
        test_alloc_fail_at(n);
        assert_int_equal(rs_stats_by_wall(wall, v, 3, 3, s, &count, &err), RESHED_ENOMEM);
        test_alloc_fail_at(-1);
        assert_int_equal(count, -7);
    }
    assert_int_equal(t.n, -7);
}

/* The interval of the shift holds exactly the shifts that the test does not refuse at 5 %. */
static void shift_interval_inverts_the_test(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    reshed_error err = {0};
    for (int trial = 0; trial < 20; trial++) {
        const int na = 4 + (int)test_below(&r, 6), nb = 4 + (int)test_below(&r, 6);
        double v[20];
        rs_rank_test t, moved;
        gaussians(&r, v, na + nb);
        assert_ok(rs_rank_sum_test(v, na, v + na, nb, &t, &err), &err);
        assert_true(t.lo < t.shift && t.shift < t.hi);
        const double at[] = {t.lo - 1e-9, t.lo + 1e-9, t.hi - 1e-9, t.hi + 1e-9};
        for (int k = 0; k < 4; k++) {
            double w[20];
            for (int i = 0; i < na + nb; i++) w[i] = i < na ? v[i] - at[k] : v[i];
            assert_ok(rs_rank_sum_test(w, na, w + na, nb, &moved, &err), &err);
            assert_true((moved.p <= 0.05) == (k == 0 || k == 3));
        }
    }
    const double few[] = {1, 2, 3, 4};
    rs_rank_test t;
    assert_ok(rs_rank_sum_test(few, 2, few + 2, 2, &t, &err), &err);
    assert_true(isnan(t.lo) && isnan(t.hi)); /* no shift can be refused */
    /* Beyond the exact range the same within a hundredth of the groups' spread. */
    double many[80];
    for (int i = 0; i < 80; i++) many[i] = i % 40 + (i < 40 ? 0.3 : 0);
    rs_rank_test a, b;
    assert_ok(rs_rank_sum_test(many, 30, many + 50, 30, &a, &err), &err);
    assert_ok(rs_rank_sum_test(many, 31, many + 50, 30, &b, &err), &err);
    assert_true(a.exact && !b.exact && fabs(a.lo - b.lo) <= 1 && fabs(a.hi - b.hi) <= 1);
}

/* The smallest p of a test is what groups wholly apart, or values in perfect order, give. */
static void the_least_p_is_that_of_perfect_data(void **state)
{
    (void)state;
    reshed_error err = {0};
    double v[12];
    for (int i = 0; i < 12; i++) v[i] = i;
    for (int na = 1; na < 12; na++)
        for (int nb = 1; na + nb <= 12; nb++) {
            rs_rank_test t;
            assert_ok(rs_rank_sum_test(v, na, v + na, nb, &t, &err), &err);
            assert_near(t.p, t.least, 1e-12);
        }
    for (int n = 3; n <= 12; n++) {
        rs_trend t;
        assert_ok(rs_trend_test(v, v, n, 99, 1, &t, &err), &err);
        if (t.exact) assert_near(t.p, t.least, 1e-12);
        if (!t.exact) assert_near(t.least, 0.01, 1e-12);
    }
    double strict[12];
    rs_alternation a;
    for (int i = 0; i < 12; i++) strict[i] = i % 2;
    assert_ok(rs_alternation_test(strict, 12, 9, 1, &a, &err), &err);
    assert_near(a.least, 0.1, 1e-12);
    assert_true(a.p_successive >= a.least);
}

/* Intervals of 14 walls cover what they estimate: no alternation, a planted one, no trend. The seed is
 * fixed, since a share of 400 trials is off by three hundredths now and then. */
static void intervals_cover(void **state)
{
    (void)state;
    test_rng r = {14};
    reshed_error err = {0};
    enum { TRIALS = 400, N = 14 };
    int none = 0, planted = 0, rho = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        double v[N], x[N];
        rs_alternation a;
        rs_trend t;
        gaussians(&r, v, N);
        assert_ok(rs_alternation_test(v, N, 1, 1, &a, &err), &err);
        none += a.lo <= 0 && a.hi >= 0;
        for (int i = 0; i < N; i++) x[i] = i;
        assert_ok(rs_trend_test(x, v, N, 1, 1, &t, &err), &err);
        assert_true(t.lo < t.rho && t.rho < t.hi);
        rho += t.lo <= 0 && t.hi >= 0;
        for (int i = 0; i < N; i++) v[i] += 2 * (i % 2);
        assert_ok(rs_alternation_test(v, N, 1, 1, &a, &err), &err);
        planted += a.lo <= 0.445 && a.hi >= 0.445; /* the mean of 10,000 such series */
    }
    printf("# covered: alternation %.3f without and %.3f with it, trend %.3f\n",
           (double)none / TRIALS, (double)planted / TRIALS, (double)rho / TRIALS);
    assert_true(none >= 0.92 * TRIALS && planted >= 0.89 * TRIALS && rho >= 0.92 * TRIALS);
    /* Any two of 1, 2, ..., n differ by (n + 1)/3, neighbours by 1. */
    double v[12];
    for (int i = 0; i < 12; i++) v[i] = i;
    rs_alternation a;
    assert_ok(rs_alternation_test(v, 12, 1, 1, &a, &err), &err);
    assert_near(a.chance, 13.0 / 3, 1e-12);
    assert_near(a.successive, 1, 1e-12);
    assert_true(a.lo < 1 - 13.0 / 3 && a.hi > 1 - 13.0 / 3 && a.hi < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(summaries_of_known_values),
        cmocka_unit_test(alternation_of_strict_pattern),
        cmocka_unit_test(alternation_survives_a_missing_wall),
        cmocka_unit_test(alternation_holds_its_level),
        cmocka_unit_test(alternation_refuses),
        cmocka_unit_test(rank_sum_equals_enumeration),
        cmocka_unit_test(rank_sum_equals_scipy),
        cmocka_unit_test(rank_sum_shift_is_hodges_lehmann),
        cmocka_unit_test(rank_sum_tends_to_normal),
        cmocka_unit_test(rank_sum_holds_its_level),
        cmocka_unit_test(rank_sum_refuses),
        cmocka_unit_test(shift_interval_inverts_the_test),
        cmocka_unit_test(the_least_p_is_that_of_perfect_data),
        cmocka_unit_test(intervals_cover),
        cmocka_unit_test(trend_equals_scipy),
        cmocka_unit_test(trend_of_monotone_values),
        cmocka_unit_test(trend_holds_its_level),
        cmocka_unit_test(trend_refuses),
    };
    return cmocka_run_group_tests_name("walls_stats", tests, NULL, NULL);
}
