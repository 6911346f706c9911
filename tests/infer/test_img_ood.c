#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "infer/judge.h"

enum { H = 96, W = 80, F = RS_OOD_FEATURES };

static int feature(const char *name)
{
    for (int i = 0; i < F; i++)
        if (strcmp(rs_ood_feature_name(i), name) == 0) return i;
    fail_msg("no feature '%s'", name);
    return -1;
}

/* Soft dark stripes on a bright ground, with noise, and maps to go with them. */
static void make_frame(uint64_t seed, double noise, float *a, float *mean, float *variance)
{
    test_rng r = {seed};
    double phase = test_uniform(&r, 0, 20);
    for (int i = 0; i < H * W; i++) {
        double x = fmod(i % W + 0.4 * (i / W) + phase, 20);
        double d = fabs(x - 10) - 3; /* a stripe of 6 pixels in 20 */
        a[i] = (float)(0.8 - 0.6 / (1 + exp(2 * d)) + noise * test_gauss(&r));
        mean[i] = (float)exp(-d * d);
        variance[i] = 0.1f * mean[i] * (1 - mean[i]);
    }
}

typedef struct maps {
    float a[H * W], mean[H * W], variance[H * W];
} maps;

static void features_of(const maps *m, int from, int to, double x[F])
{
    reshed_error err = {0};
    for (int i = 0; i < F; i++) x[i] = NAN;
    assert_ok(rs_ood_features(m->a, m->mean, m->variance, W, from, to, x, &err), &err);
    for (int i = 0; i < F; i++) assert_true(isfinite(x[i]));
}

/* ----------------------------------------------------------------------------------- invariance */

static void gain_and_offset_change_nothing_but_the_range(void **state)
{
    (void)state;
    static maps m;
    double x[F], y[F];
    make_frame(test_seed(), 0.02, m.a, m.mean, m.variance);
    features_of(&m, 0, H, x);
    for (int i = 0; i < H * W; i++) m.a[i] = 0.1f + 0.25f * m.a[i];
    features_of(&m, 0, H, y);
    for (int i = 0; i < F; i++) {
        if (i == feature("range")) {
            assert_true(fabs(y[i] - x[i] - log(0.25)) < 1e-5);
        } else if (fabs(x[i] - y[i]) > 2e-3) {
            fail_msg("%s: %g became %g", rs_ood_feature_name(i), x[i], y[i]);
        }
    }
}

/* The rows outside must not be looked at: NaN there would show. */
static void only_the_rows_given_count(void **state)
{
    (void)state;
    static maps m, part;
    double x[F], y[F];
    make_frame(test_seed(), 0.02, m.a, m.mean, m.variance);
    const size_t skip = 20 * W, n = 50 * W;
    memcpy(part.a, m.a + skip, n * sizeof(float));
    memcpy(part.mean, m.mean + skip, n * sizeof(float));
    memcpy(part.variance, m.variance + skip, n * sizeof(float));
    features_of(&part, 0, 50, x);
    for (int i = 0; i < H * W; i++)
        if (i < 20 * W || i >= 70 * W) m.a[i] = m.mean[i] = m.variance[i] = NAN;
    features_of(&m, 20, 70, y);
    assert_memory_equal(x, y, sizeof x);
}

/* Half of a frame is as usual as all of it, and twice the walls are as usual as half: the spread
 * over frames is what a shift is measured by. */
static void more_rows_shift_little(void **state)
{
    (void)state;
    test_not_quick();
#if defined(__SANITIZE_ADDRESS__)
    enum { N = 4 * F, TRIED = 20 }; /* frames take long there */
#else
    enum { N = 100, TRIED = 100 };
#endif
    static maps m;
    static double x[N * F];
    rs_ood_model model = {0};
    reshed_error err = {0};
    test_rng r = {test_seed()};
    for (int i = 0; i < N; i++) {
        make_frame(test_rand(&r), test_uniform(&r, 0.01, 0.04), m.a, m.mean, m.variance);
        features_of(&m, 0, H, x + i * F);
    }
    assert_ok(rs_ood_fit(x, N, &model, &err), &err);
    int above = 0;
    for (int i = 0; i < TRIED; i++) {
        double half[F], score;
        make_frame(test_rand(&r), test_uniform(&r, 0.01, 0.04), m.a, m.mean, m.variance);
        features_of(&m, 0, H / 2, half);
        assert_ok(rs_ood_score(&model, half, &score, &err), &err);
        above += score > 3;
    }
    assert_true(above <= TRIED / 10);
}

static void unscanned_rows_are_found(void **state)
{
    (void)state;
    float a[5 * 4] = {0};
    assert_int_equal(rs_ood_scanned_rows(a, 5, 4), 0);
    a[2 * 4 + 3] = 0.5f;
    assert_int_equal(rs_ood_scanned_rows(a, 5, 4), 3);
    a[4 * 4] = -1;
    assert_int_equal(rs_ood_scanned_rows(a, 5, 4), 5);
}

/* ------------------------------------------------------------------------------- what they mean */

static void noise_is_measured(void **state)
{
    (void)state;
    static maps m;
    static const double sd[3] = {0.01, 0.05, 0.2};
    test_rng r = {test_seed()};
    for (int k = 0; k < 3; k++) {
        double x[F];
        /* A plane and a lower part without slope: second differences see the noise alone. */
        for (int i = 0; i < H * W; i++) m.a[i] = (float)(0.01 * (i % W) + sd[k] * test_gauss(&r));
        features_of(&m, 0, H, x);
        double range = exp(x[feature("range")]);
        double found = (exp(x[feature("noise")]) - 1e-3) * range;
        if (fabs(found / sd[k] - 1) > 0.06) fail_msg("noise %g found as %g", sd[k], found);
    }
}

static void a_step_of_the_level_shows(void **state)
{
    (void)state;
    static maps m;
    double x[F], y[F];
    make_frame(test_seed(), 0.01, m.a, m.mean, m.variance);
    features_of(&m, 0, H, x);
    for (int i = 40 * W; i < H * W; i++) m.a[i] += 0.2f;
    features_of(&m, 0, H, y);
    double range = exp(y[feature("range")]);
    double step = (exp(y[feature("largest step")]) - 1e-2) * range;
    assert_true(fabs(step - 0.2) < 0.03);
    assert_true(x[feature("largest step")] < y[feature("largest step")] - 1);
    /* One step does not make all lines rough. */
    assert_true(fabs(x[feature("rough lines")] - y[feature("rough lines")]) < 0.5);
}

static void blur_and_inversion_show(void **state)
{
    (void)state;
    static maps m;
    double x[F], y[F];
    make_frame(test_seed(), 0.005, m.a, m.mean, m.variance);
    features_of(&m, 0, H, x);
    for (int i = 0; i < H * W; i++) m.a[i] = 1 - m.a[i];
    features_of(&m, 0, H, y);
    assert_true(fabs(x[feature("skewness")] + y[feature("skewness")]) < 1e-3);
    assert_true(x[feature("wall polarity")] > 0.5 && y[feature("wall polarity")] < 0.5);
    assert_true(fabs(x[feature("wall polarity")] + y[feature("wall polarity")] - 1) < 0.01);
    assert_true(fabs(x[feature("noise")] - y[feature("noise")]) < 1e-3);
    /* A running mean over 5 columns. */
    for (int r = 0; r < H; r++)
        for (int c = 0; c < W; c++) {
            float sum = 0;
            for (int k = -2; k <= 2; k++) {
                int at = c + k < 0 ? 0 : c + k >= W ? W - 1 : c + k;
                sum += 1 - m.a[r * W + at];
            }
            m.variance[r * W + c] = sum / 5; /* room for it */
        }
    memcpy(m.a, m.variance, sizeof m.a);
    for (int i = 0; i < H * W; i++) m.variance[i] = 0.1f * m.mean[i] * (1 - m.mean[i]);
    features_of(&m, 0, H, y);
    assert_true(y[feature("coarse")] < x[feature("coarse")] - 0.1);
    assert_true(y[feature("wall steepness")] < x[feature("wall steepness")] - 0.1);
}

static void the_maps_are_measured(void **state)
{
    (void)state;
    static maps m;
    double x[F];
    make_frame(test_seed(), 0.01, m.a, m.mean, m.variance);
    for (int i = 0; i < H * W; i++) {
        m.mean[i] = i % 4 == 0 ? 0.8f : 0;
        m.variance[i] = i % 4 == 0 ? 0.04f : 0;
    }
    features_of(&m, 0, H, x);
    /* m(1-m) is 0.16 where the variance is 0.04; a thousandth of the pixels is added. */
    const double n = H * W;
    assert_true(fabs(x[feature("disagreement")] -
                     log((0.25 * n * 0.04 + 5e-5 * n) / (0.25 * n * 0.16 + 1e-3 * n))) < 1e-5);
    assert_true(fabs(x[feature("indecision")] -
                     log((0.25 * n * 0.16 + 5e-4 * n) / (0.25 * n * 0.8 + 1e-3 * n))) < 1e-5);
}

/* ---------------------------------------------------------------------------------------- model */

/* Over the frames that it was fitted to, the mean square of the score is (n-1)/n over the 1.02 by
 * which variances are enlarged, whatever the covariance; a far frame has a large score. */
static void scores_are_distances(void **state)
{
    (void)state;
    enum { N = 500 };
    static double x[N * F];
    test_rng r = {test_seed()};
    double mix[F][F];
    for (int i = 0; i < F * F; i++)
        mix[i / F][i % F] = i / F == i % F ? 1 + 0.3 * (i % F) : 0.1 * test_gauss(&r);
    for (int i = 0; i < N; i++) {
        double z[F];
        for (int k = 0; k < F; k++) z[k] = test_gauss(&r);
        for (int k = 0; k < F; k++) {
            x[i * F + k] = 3 * k;
            for (int j = 0; j < F; j++) x[i * F + k] += mix[k][j] * z[j];
        }
    }
    rs_ood_model m = {0};
    reshed_error err = {0};
    assert_ok(rs_ood_fit(x, N, &m, &err), &err);
    assert_true(rs_ood_known(&m) && m.frames == N);
    double square = 0, score, far[F];
    for (int i = 0; i < N; i++) {
        assert_ok(rs_ood_score(&m, x + i * F, &score, &err), &err);
        square += score * score / N;
    }
    assert_true(square > 0.93 && square < 1);
    assert_ok(rs_ood_score(&m, m.centre, &score, &err), &err);
    assert_true(score == 0);
    for (int k = 0; k < F; k++) far[k] = m.centre[k] + 40 * mix[k][0];
    assert_ok(rs_ood_score(&m, far, &score, &err), &err);
    /* 40 standard deviations along one of F directions. */
    assert_true(fabs(score * sqrt(F) - 40) < 6);

    assert_int_equal(rs_ood_fit(x, 4 * F - 1, &m, &err), RESHED_EINVAL);
    m.version = RS_OOD_VERSION + 1;
    assert_false(rs_ood_known(&m));
    assert_int_equal(rs_ood_score(&m, far, &score, &err), RESHED_EUNSUPPORTED);
    for (int i = 0; i < N * F; i++) x[i] = NAN;
    assert_int_equal(rs_ood_fit(x, N, &m, &err), RESHED_EINVAL);
}

static void what_cannot_be_scored_is_said(void **state)
{
    (void)state;
    test_not_quick();
    static maps m;
    double x[F], before[F];
    reshed_error err = {0};
    make_frame(test_seed(), 0.01, m.a, m.mean, m.variance);
    for (int i = 0; i < F; i++) x[i] = before[i] = i;
    assert_int_equal(rs_ood_features(m.a, m.mean, m.variance, W, 0, RS_OOD_MIN_ROWS - 1, x, &err),
                     RESHED_EUNSUPPORTED);
    assert_int_equal(rs_ood_features(m.a, m.mean, m.variance, RS_OOD_MIN_COLS - 1, 0, H, x, &err),
                     RESHED_EUNSUPPORTED);
    assert_int_equal(rs_ood_features(m.a, m.mean, m.variance, W, 5, 4, x, &err), RESHED_EINVAL);
    for (long k = 0; k < 1000; k++) {
        test_alloc_fail_at(k);
        reshed_status st = rs_ood_features(m.a, m.mean, m.variance, W, 0, H, x, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_int_equal(st, RESHED_OK);
            break;
        }
        assert_int_equal(st, RESHED_ENOMEM);
        assert_memory_equal(x, before, sizeof x);
    }
    for (int i = 0; i < H * W; i++) m.a[i] = 0.5f;
    assert_int_equal(rs_ood_features(m.a, m.mean, m.variance, W, 0, H, x, &err),
                     RESHED_EUNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gain_and_offset_change_nothing_but_the_range),
        cmocka_unit_test(only_the_rows_given_count),
        cmocka_unit_test(more_rows_shift_little),
        cmocka_unit_test(unscanned_rows_are_found),
        cmocka_unit_test(noise_is_measured),
        cmocka_unit_test(a_step_of_the_level_shows),
        cmocka_unit_test(blur_and_inversion_show),
        cmocka_unit_test(the_maps_are_measured),
        cmocka_unit_test(scores_are_distances),
        cmocka_unit_test(what_cannot_be_scored_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
