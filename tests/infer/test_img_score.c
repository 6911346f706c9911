#include "support/support.h"
#include "support/tolerance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/image/skeleton.h"
#include "imgproc/image/threshold.h"
#include "infer/tally.h"

/* ------------------------------------------------------------------------------------- matching */

/* The largest matching of the predicted pixels from the k-th on, trying everything. */
static int try_all(const int *p, int np, const int *t, int nt, int w, double radius, int k,
                   unsigned used)
{
    if (k == np) return 0;
    int best = try_all(p, np, t, nt, w, radius, k + 1, used);
    for (int j = 0; j < nt; j++) {
        int dy = p[k] / w - t[j] / w, dx = p[k] % w - t[j] % w;
        if (used >> j & 1 || dy * dy + dx * dx > radius * radius) continue;
        int with = 1 + try_all(p, np, t, nt, w, radius, k + 1, used | 1u << j);
        if (with > best) best = with;
    }
    return best;
}

static int list_pixels(const uint8_t *mask, int n, int *list)
{
    int k = 0;
    for (int i = 0; i < n; i++)
        if (mask[i]) list[k++] = i;
    return k;
}

static void matches_like_trying_everything(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    int deepest = 0;
    for (int k = 0; k < 3000; k++) {
        int h = 1 + (int)test_below(&r, 6), w = 1 + (int)test_below(&r, 6), p[36], t[36];
        double radius = k % 3 == 0 ? 1.5 : test_uniform(&r, 0, 3);
        uint8_t a[36] = {0}, b[36] = {0};
        for (int i = 0; i < 8; i++) a[test_below(&r, (uint64_t)(h * w))] = 1;
        for (int i = 0; i < 8; i++) b[test_below(&r, (uint64_t)(h * w))] = 200;
        int np = list_pixels(a, h * w, p), nt = list_pixels(b, h * w, t);
        int want = try_all(p, np, t, nt, w, radius, 0, 0);
        rs_edge_score s, reverse;
        reshed_error err = {0};
        assert_ok(rs_score_edges(a, b, h, w, radius, &s, &err), &err);
        assert_ok(rs_score_edges(b, a, h, w, radius, &reverse, &err), &err);
        if (s.matched != want)
            fail_msg("case %d: %lld pairs, not %d", k, (long long)s.matched, want);
        assert_int_equal(reverse.matched, want);
        assert_int_equal(s.predicted, np);
        assert_int_equal(s.truth, nt);
        assert_true(s.precision == reverse.recall && s.recall == reverse.precision);
        assert_true(s.f == reverse.f);
        assert_true(fabs(s.precision - (double)want / np) < TOL_ROUNDING);
        assert_true(fabs(s.recall - (double)want / nt) < TOL_ROUNDING);
        deepest += want < np && want < nt;
    }
    assert_true(deepest > 100); /* the cases are not all trivial */
}

/* Two lines of n pixels end to end, one shifted by a pixel: every pair must move along, which takes
 * an augmenting path as long as the wall when the first choice was wrong. */
static void long_paths_are_found(void **state)
{
    (void)state;
    enum { N = 20000 };
    uint8_t *a = rs_zalloc(N, 1), *b = rs_zalloc(N, 1);
    assert_non_null(a);
    assert_non_null(b);
    rs_edge_score s;
    for (int shift = 0; shift < 2; shift++) {
        memset(a, 0, N);
        memset(b, 0, N);
        for (int i = 1; i < N - 1; i++) a[i] = b[i + (shift ? 1 : -1)] = 1;
        assert_ok(rs_score_edges(a, b, 1, N, RS_SCORE_RADIUS, &s, NULL), &(reshed_error){0});
        assert_int_equal(s.matched, N - 2);
        assert_true(s.precision == 1 && s.recall == 1 && s.f == 1);
    }
    /* Every second true pixel gone: one to one, so only half of the line can match. */
    for (int i = 0; i < N; i++) a[i] = 1, b[i] = i % 2 == 0;
    assert_ok(rs_score_edges(a, b, 1, N, RS_SCORE_RADIUS, &s, NULL), &(reshed_error){0});
    assert_int_equal(s.matched, N / 2);
    assert_true(s.precision == 0.5 && s.recall == 1 && fabs(s.f - 2.0 / 3) < TOL_ROUNDING);
    rs_free(a);
    rs_free(b);
}

static void radius_is_a_distance(void **state)
{
    (void)state;
    uint8_t a[25] = {0}, b[25] = {0};
    rs_edge_score s;
    a[12] = 1; /* the centre */
    for (int i = 0; i < 25; i++) {
        memset(b, 0, sizeof b);
        b[i] = 1;
        int d2 = (i / 5 - 2) * (i / 5 - 2) + (i % 5 - 2) * (i % 5 - 2);
        assert_ok(rs_score_edges(a, b, 5, 5, 1.5, &s, NULL), &(reshed_error){0});
        assert_int_equal(s.matched, d2 <= 2);
        assert_ok(rs_score_edges(a, b, 5, 5, 2, &s, NULL), &(reshed_error){0});
        assert_int_equal(s.matched, d2 <= 4);
        assert_ok(rs_score_edges(a, b, 5, 5, 0, &s, NULL), &(reshed_error){0});
        assert_int_equal(s.matched, d2 == 0);
    }
}

static void empty_maps_have_defined_scores(void **state)
{
    (void)state;
    const uint8_t none[6] = {0}, one[6] = {0, 1, 0, 0, 0, 0};
    rs_edge_score s;
    assert_ok(rs_score_edges(none, none, 2, 3, 1.5, &s, NULL), &(reshed_error){0});
    assert_true(s.precision == 1 && s.recall == 1 && s.f == 1 && s.matched == 0);
    for (int k = 0; k < 2; k++) {
        assert_ok(rs_score_edges(k ? none : one, k ? one : none, 2, 3, 1.5, &s, NULL),
                  &(reshed_error){0});
        assert_true(s.precision == 0 && s.recall == 0 && s.f == 0);
    }
}

/* ---------------------------------------------------------------------------------- calibration */

/* The reliability of p[H,W] as a prediction of truth, near walls. */
static reshed_status calibration_of(const float *p, const uint8_t *predicted, const uint8_t *truth,
                                    int height, int width, double near, rs_calibration *out,
                                    reshed_error *err)
{
    rs_judged *list = NULL;
    size_t n = 0;
    reshed_status st =
        rs_score_near_pixels(p, predicted, truth, height, width, near, &list, &n, err);
    if (st != RESHED_OK) return st;
    rs_score_reliability(list, n, out);
    rs_free(list);
    return RESHED_OK;
}

static int by_pair(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (x[0] > y[0]) - (x[0] < y[0]);
}

/* Distinct probabilities: sort, cut into equal parts, compare. */
static void calibration_equals_the_definition(void **state)
{
    (void)state;
    enum { H = 37, W = 29, N = H * W };
    test_rng r = {test_seed()};
    for (int k = 0; k < 40; k++) {
        float p[N];
        uint8_t predicted[N], truth[N];
        double pair[N][2];
        int n = 0;
        for (int i = 0; i < N; i++) {
            p[i] = (float)test_uniform(&r, 0, 1);
            predicted[i] = test_below(&r, 1 + (uint64_t)k * 20) == 0;
            truth[i] = test_below(&r, 1 + (uint64_t)k * 20) == 0;
        }
        for (int i = 0; i < N; i++) {
            bool close = false;
            for (int j = 0; j < N; j++) {
                int dy = i / W - j / W, dx = i % W - j % W;
                close |= (predicted[j] || truth[j]) && dy * dy + dx * dx <= 25;
            }
            if (close) pair[n][0] = p[i], pair[n++][1] = truth[i];
        }
        qsort(pair, (size_t)n, sizeof pair[0], by_pair);
        rs_calibration c;
        reshed_error err = {0};
        assert_ok(calibration_of(p, predicted, truth, H, W, RS_SCORE_NEAR, &c, &err), &err);
        assert_int_equal(c.pixels, n);
        assert_int_equal(c.bins, n < RS_SCORE_BINS ? n : RS_SCORE_BINS);
        double ece = 0;
        for (int b = 0; b < c.bins; b++) {
            int from = b * n / c.bins, to = (b + 1) * n / c.bins;
            double confidence = 0, accuracy = 0;
            for (int i = from; i < to; i++) {
                confidence += pair[i][0] / (to - from);
                accuracy += pair[i][1] / (to - from);
            }
            assert_int_equal(c.count[b], to - from);
            assert_true(fabs(c.confidence[b] - confidence) < TOL_DOUBLE);
            assert_true(fabs(c.accuracy[b] - accuracy) < TOL_DOUBLE);
            ece += (double)(to - from) / n * fabs(confidence - accuracy);
        }
        assert_true(fabs(c.ece - ece) < TOL_DOUBLE);
    }
}

/* With few distinct probabilities the order of equal pixels must not matter. */
static void calibration_does_not_depend_on_pixel_order(void **state)
{
    (void)state;
    enum { N = 400 };
    test_rng r = {test_seed()};
    float p[N];
    uint8_t t[N];
    rs_calibration first, c;
    for (int i = 0; i < N; i++) {
        p[i] = (float)test_below(&r, 4) / 3;
        t[i] = test_uniform(&r, 0, 1) < (double)p[i];
    }
    t[0] = 1;
    assert_ok(calibration_of(p, t, t, 1, N, N, &first, NULL), &(reshed_error){0});
    for (int k = 0; k < 20; k++) {
        for (int i = N - 1; i > 0; i--) {
            size_t j = (size_t)test_below(&r, (uint64_t)i + 1);
            float pf = p[i];
            uint8_t tf = t[i];
            p[i] = p[j], p[j] = pf;
            t[i] = t[j], t[j] = tf;
        }
        assert_ok(calibration_of(p, t, t, 1, N, N, &c, NULL), &(reshed_error){0});
        for (int b = 0; b < RS_SCORE_BINS; b++)
            assert_true(c.accuracy[b] == first.accuracy[b] && c.count[b] == first.count[b]);
        assert_true(c.ece == first.ece);
    }
}

static void calibration_known_cases(void **state)
{
    (void)state;
    enum { N = 3000 };
    float p[N];
    uint8_t t[N], all[N];
    rs_calibration c;
    reshed_error err = {0};
    memset(all, 1, sizeof all);
    for (int i = 0; i < N; i++) t[i] = i % 4 == 0, p[i] = 0.25f; /* right on average */
    assert_ok(calibration_of(p, all, t, 30, 100, 5, &c, &err), &err);
    assert_true(c.ece < 1e-12 && c.pixels == N);
    for (int i = 0; i < N; i++) p[i] = 0.75f; /* too sure by a half */
    assert_ok(calibration_of(p, all, t, 30, 100, 5, &c, &err), &err);
    assert_true(fabs(c.ece - 0.5) < TOL_DOUBLE);
    for (int i = 0; i < N; i++) p[i] = t[i]; /* perfect */
    assert_ok(calibration_of(p, all, t, 30, 100, 5, &c, &err), &err);
    assert_true(c.ece == 0);

    uint8_t none[N] = {0};
    assert_ok(calibration_of(p, none, none, 30, 100, 5, &c, &err), &err);
    assert_true(isnan(c.ece) && c.pixels == 0 && c.bins == 0);
    none[0] = 1; /* far from the only wall, nothing is judged, not even NaN */
    for (int i = 0; i < N; i++) p[i] = i % 100 < 3 && i / 100 < 3 ? 0.5f : NAN;
    assert_ok(calibration_of(p, none, none, 30, 100, 1, &c, &err), &err);
    assert_int_equal(c.pixels, 3);
    c.bins = 99;
    assert_int_equal(calibration_of(p, none, none, 30, 100, 5, &c, &err), RESHED_EINVAL);
    p[0] = 1.0001f;
    assert_int_equal(calibration_of(p, none, none, 30, 100, 1, &c, &err), RESHED_EINVAL);
    assert_int_equal(calibration_of(p, none, none, 30, 100, -1, &c, &err), RESHED_EINVAL);
    assert_int_equal(c.bins, 99);
}

static void bad_arguments_and_short_memory(void **state)
{
    (void)state;
    const uint8_t m[6] = {0, 1, 0, 1, 1, 0};
    const float p[6] = {0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f};
    rs_edge_score s = {.matched = 99};
    rs_calibration c = {.bins = 99};
    reshed_error err = {0};
    assert_int_equal(rs_score_edges(m, m, 0, 3, 1.5, &s, &err), RESHED_EINVAL);
    assert_int_equal(rs_score_edges(m, m, 2, 3, -1, &s, &err), RESHED_EINVAL);
    assert_int_equal(rs_score_edges(m, m, 2, 3, NAN, &s, &err), RESHED_EINVAL);
    assert_int_equal(rs_score_edges(m, m, 2, 3, 65, &s, &err), RESHED_EINVAL);
    bool done[2] = {false, false};
    for (long n = 0; !done[0] || !done[1]; n++) {
        assert_true(n < 100);
        for (int k = 0; k < 2; k++) {
            if (done[k]) continue;
            test_alloc_fail_at(n);
            reshed_status st = k ? calibration_of(p, m, m, 2, 3, 5, &c, &err)
                                 : rs_score_edges(m, m, 2, 3, 1.5, &s, &err);
            done[k] = !test_alloc_failed();
            test_alloc_fail_at(-1);
            assert_int_equal(st, done[k] ? RESHED_OK : RESHED_ENOMEM);
            if (!done[k]) assert_true(k ? c.bins == 99 : s.matched == 99);
        }
    }
    assert_true(c.bins == 6 && s.matched == 3);
}

/* ------------------------------------------------------------------------------------ wall maps */

enum { TH = 23, TW = 31, TN = TH * TW };

/* A wall two pixels wide with a bend, and a map that knows most of it. */
static void draw_walls(float *map, uint8_t *truth, test_rng *r)
{
    for (int i = 0; i < TN; i++) {
        const int y = i / TW, x = i % TW, at = 6 + y / 2;
        truth[i] = x == at || x == at + 1 ? 7 : 0;
        map[i] = (float)test_uniform(r, 0, truth[i] ? 1 : 0.55);
    }
}

/* By hand, from the parts. */
static void scores_of_a_map_are_those_of_its_parts(void **state)
{
    (void)state;
    static float map[TN];
    static uint8_t truth[TN], thin[TN], mask[TN], line[TN];
    test_rng r = {test_seed()};
    rs_wall_scores s;
    rs_calibration c, expected;
    rs_edge_score e;
    reshed_error err = {0};
    draw_walls(map, truth, &r);
    assert_ok(rs_wall_scores_of_map(map, truth, TH, TW, &s, &c, &err), &err);
    assert_ok(rs_skeletonize(truth, TH, TW, thin, &err), &err);
    double best = -1, best_at = 0;
    for (int k = 1; k < 20; k++) {
        rs_threshold(map, TN, 0.05 * k, mask);
        assert_ok(rs_skeletonize(mask, TH, TW, line, &err), &err);
        assert_ok(rs_score_edges(line, thin, TH, TW, RS_SCORE_RADIUS, &e, &err), &err);
        if (e.f > best) best = e.f, best_at = 0.05 * k;
        if (k != 10) continue;
        assert_true(s.precision == e.precision && s.recall == e.recall && s.f == e.f);
        assert_true(s.f > 0 && s.f < 1);
        assert_ok(rs_score_edges(line, thin, TH, TW, 1, &e, &err), &err);
        assert_true(s.strict == e.f);
        assert_ok(rs_score_edges(line, thin, TH, TW, 2, &e, &err), &err);
        assert_true(s.loose == e.f);
        assert_ok(calibration_of(map, mask, truth, TH, TW, RS_SCORE_NEAR, &expected, &err), &err);
        assert_true(s.ece == expected.ece && c.ece == s.ece && c.pixels == expected.pixels);
        int both = 0, either = 0;
        for (int i = 0; i < TN; i++) both += mask[i] && truth[i], either += mask[i] || truth[i];
        assert_true(s.iou == (double)both / either);
    }
    assert_true(s.best == best && s.best_threshold == best_at);
}

static void nothing_predicted_and_nothing_true_is_perfect(void **state)
{
    (void)state;
    static float map[TN];
    static uint8_t truth[TN];
    rs_wall_scores s;
    reshed_error err = {0};
    memset(map, 0, sizeof map);
    memset(truth, 0, sizeof truth);
    assert_ok(rs_wall_scores_of_map(map, truth, TH, TW, &s, NULL, &err), &err);
    assert_true(s.precision == 1 && s.recall == 1 && s.f == 1 && s.iou == 1 && isnan(s.ece));
    truth[TN / 2] = 1;
    assert_ok(rs_wall_scores_of_map(map, truth, TH, TW, &s, NULL, &err), &err);
    assert_true(s.precision == 0 && s.recall == 0 && s.f == 0 && s.iou == 0);
}

/* Two maps as one: counts are summed, and calibration is over all pixels. */
static void tallies_join(void **state)
{
    (void)state;
    static float map[2][TN], both[2 * TN];
    static uint8_t truth[2][TN], thin[TN];
    test_rng r = {test_seed() + 1};
    rs_wall_tally sum = {0}, part = {0};
    rs_wall_scores s, one;
    int64_t matched = 0, pixels = 0;
    reshed_error err = {0};
    for (int k = 0; k < 2; k++) {
        rs_calibration c;
        draw_walls(map[k], truth[k], &r);
        memcpy(both + k * TN, map[k], sizeof map[k]);
        assert_ok(rs_skeletonize(truth[k], TH, TW, thin, &err), &err);
        assert_ok(rs_wall_tally_map(map[k], truth[k], thin, TH, TW, false, &part, &err), &err);
        matched += part.at[1].matched;
        assert_int_equal(part.over[3].predicted, 0); /* not asked for */
        assert_ok(rs_wall_tally_add(&sum, &part, &err), &err);
        assert_null(part.near);
        assert_ok(rs_wall_scores_of_map(map[k], truth[k], TH, TW, &one, &c, &err), &err);
        pixels += c.pixels;
    }
    rs_calibration c;
    rs_wall_tally_scores(&sum, &s, &c);
    assert_int_equal(sum.at[1].matched, matched);
    assert_int_equal(c.pixels, pixels);
    assert_true(s.f > 0 && s.f < 1);
    rs_wall_tally_clear(&sum);
}

static void scoring_survives_short_memory(void **state)
{
    (void)state;
    static float map[TN];
    static uint8_t truth[TN];
    test_rng r = {test_seed()};
    rs_wall_scores s = {.f = 99};
    reshed_error err = {0};
    draw_walls(map, truth, &r);
    for (long n = 0;; n++) {
        assert_true(n < 2000);
        test_alloc_fail_at(n);
        const reshed_status st = rs_wall_scores_of_map(map, truth, TH, TW, &s, NULL, &err);
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        assert_int_equal(st, failed ? RESHED_ENOMEM : RESHED_OK);
        if (!failed) break;
        assert_true(s.f == 99);
    }
    assert_true(s.f < 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_like_trying_everything),
        cmocka_unit_test(long_paths_are_found),
        cmocka_unit_test(radius_is_a_distance),
        cmocka_unit_test(empty_maps_have_defined_scores),
        cmocka_unit_test(calibration_equals_the_definition),
        cmocka_unit_test(calibration_does_not_depend_on_pixel_order),
        cmocka_unit_test(calibration_known_cases),
        cmocka_unit_test(bad_arguments_and_short_memory),
        cmocka_unit_test(scores_of_a_map_are_those_of_its_parts),
        cmocka_unit_test(nothing_predicted_and_nothing_true_is_perfect),
        cmocka_unit_test(tallies_join),
        cmocka_unit_test(scoring_survives_short_memory),
    };
    return cmocka_run_group_tests_name("img_score", tests, NULL, NULL);
}
