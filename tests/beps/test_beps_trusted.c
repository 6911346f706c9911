/* What is to be trusted is: flags of loops whose numbers are none, and the best of several fits. */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "beps/analyse.h"
#include "beps/flags.h"
#include "beps/loopfit.h"

enum { N = 64 };

/* 0, 8, 0, -8, 0 V, in the middle of the steps. */
static void triangle(double v[N])
{
    for (int i = 0; i < N; i++) {
        const double t = 4.0 * (i + 0.5) / N;
        v[i] = 8 * (t < 1 ? t : t < 3 ? 2 - t : t - 4);
    }
}

static const double plain[RS_LOOP_PARAMS] = {-1, 2, -3, 3, 0, 0.8, 0.8, 0.8, 0.8};

static uint32_t flags_of(const double *v, const double *y)
{
    rs_loops l = {0};
    rs_loops_options o;
    reshed_error err = {0};
    rs_loops_defaults(&o);
    o.outlier = 0;
    o.threads = 1;
    assert_ok(rs_loops_analyse(v, N, 1, y, 1, &o, &l, &err), &err);
    const uint32_t flags = l.flags[0];
    assert_int_equal(rs_loops_count(&l, RS_LOOP_BAD), !(flags & RS_LOOP_BAD));
    rs_loops_clear(&l);
    return flags;
}

/* The function with noise. */
static void draw(const double *v, const double *p, double noise, test_rng *r, double *y)
{
    rs_sweep s = {0};
    reshed_error err = {0};
    assert_ok(rs_sweep_create(v, N, &s, &err), &err);
    rs_loop_function(&s, p, y);
    for (int i = 0; i < N; i++) y[i] += noise * test_gauss(r);
    rs_sweep_clear(&s);
}

static void each_reason_is_a_flag(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    double v[N], y[N], p[RS_LOOP_PARAMS];
    triangle(v);
    draw(v, plain, 0.02, &r, y);
    assert_int_equal(flags_of(v, y) & RS_LOOP_BAD, 0);

    /* Back across the middle and forth again, on the way up from -8 V. */
    for (int i = N * 3 / 4; i < N; i++)
        if (v[i] > -5.4 && v[i] < -3) y[i] = 0.7;
    assert_true(flags_of(v, y) & RS_LOOP_CROSSINGS);

    /* Not through at the end of the range. */
    memcpy(p, plain, sizeof p);
    p[RS_A3] = 7.2;
    p[RS_B3] = 4;
    draw(v, p, 0.02, &r, y);
    assert_true(flags_of(v, y) & RS_LOOP_UNSATURATED);
    assert_true(flags_of(v, y) & RS_LOOP_BAD);

    /* Flags kept as a number. */
    assert_true(rs_loop_flags_bad(RS_LOOP_UNSATURATED) && rs_loop_flags_bad(RS_LOOP_NUCLEATION));
    assert_false(rs_loop_flags_bad(RS_LOOP_SPIKES) || rs_loop_flags_bad(NAN) ||
                 rs_loop_flags_bad(0) || rs_loop_flags_bad(-1));
}

/* By the metrics alone: an onset that was not applied, or that comes after what it precedes. */
static void onsets_out_of_place_are_flagged(void **state)
{
    (void)state;
    double v[N], m[RS_METRIC_COUNT] = {0};
    rs_sweep s = {0};
    reshed_error err = {0};
    const rs_loop_fit fit = {.ok = true};
    triangle(v);
    assert_ok(rs_sweep_create(v, N, &s, &err), &err);
    m[RS_M_AREA_SNR] = m[RS_M_DELTA_BIC] = 100;
    m[RS_M_SATURATED_POS] = m[RS_M_SATURATED_NEG] = m[RS_M_WIDTH_MID] = 1;
    m[RS_M_V_PLUS_MID] = m[RS_M_FIT_V_PLUS] = 3;
    m[RS_M_V_MINUS_MID] = m[RS_M_FIT_V_MINUS] = -3;
    m[RS_M_NUCLEATION_POS] = 2;
    m[RS_M_NUCLEATION_NEG] = -2;
    assert_false(rs_loop_flags(&s, true, m, &fit) & RS_LOOP_BAD);
    m[RS_M_NUCLEATION_POS] = NAN;
    assert_true(rs_loop_flags(&s, true, m, &fit) & RS_LOOP_NUCLEATION);
    m[RS_M_NUCLEATION_POS] = 4.5;
    assert_true(rs_loop_flags(&s, true, m, &fit) & RS_LOOP_NUCLEATION);
    m[RS_M_NUCLEATION_POS] = 2;
    m[RS_M_NUCLEATION_NEG] = -4.5;
    assert_true(rs_loop_flags(&s, true, m, &fit) & RS_LOOP_NUCLEATION);
    rs_sweep_clear(&s);
}

static void passes_are_counted_beyond_noise(void **state)
{
    (void)state;
    double v[8] = {0, 1, 2, 3, 4, 5, 6, 7}, y[8] = {-1, -1, 0.1, -0.1, 0.1, 1, 1, 1};
    const rs_loop_half b = {.n = 8, .v = v, .y = y};
    assert_int_equal(rs_branch_passes(&b, 0, 0.3), 1);
    assert_int_equal(rs_branch_passes(&b, 0, 0.05), 3);
    assert_int_equal(rs_branch_passes(&b, 5, 0.05), 0);
}

/* Loops of any shape, inverted ones too: the fit is as good as the function that they were made of. */
static void the_best_minimum_is_found(void **state)
{
    (void)state;
    test_rng r = {7};
    double v[N], y[N], p[RS_LOOP_PARAMS], *work = calloc(rs_loop_fit_work(N), sizeof(double));
    rs_sweep s = {0};
    reshed_error err = {0};
    assert_non_null(work);
    triangle(v);
    assert_ok(rs_sweep_create(v, N, &s, &err), &err);
    int worse = 0;
    for (int k = 0; k < 60; k++) {
        double rss = 0, model[N];
        p[RS_A0] = test_uniform(&r, -1, 1);
        p[RS_A1] = (k % 2 ? 1 : -1) * test_uniform(&r, 0.5, 1.5);
        p[RS_A2] = test_uniform(&r, -7, 7);
        p[RS_A3] = test_uniform(&r, -7, 7);
        p[RS_A4] = test_uniform(&r, -0.05, 0.05);
        for (int j = RS_B0; j <= RS_B3; j++) p[j] = exp(test_uniform(&r, log(0.3), log(6)));
        draw(v, p, 0.15, &r, y);
        rs_loop_function(&s, p, model);
        for (int i = 0; i < N; i++) rss += (y[i] - model[i]) * (y[i] - model[i]);
        rs_loop_fit fit;
        rs_loop_fit_run(&s, y, NULL, RS_BOUNDS_SCALED, work, &fit);
        worse += !(fit.ok && fit.rss_loop <= rss);
    }
    assert_int_equal(worse, 0);
    rs_sweep_clear(&s);
    free(work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reason_is_a_flag),
        cmocka_unit_test(onsets_out_of_place_are_flagged),
        cmocka_unit_test(passes_are_counted_beyond_noise),
        cmocka_unit_test(the_best_minimum_is_found),
    };
    return cmocka_run_group_tests_name("beps_trusted", tests, NULL, NULL);
}
