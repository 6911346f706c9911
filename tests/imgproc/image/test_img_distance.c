#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/image/distance.h"

enum { GUARD = 16 };

/* The definition, word for word. */
static int64_t brute_force(const uint8_t *mask, int h, int w, int y, int x)
{
    int64_t best = RS_DISTANCE_NONE;
    for (int i = 0; i < h; i++)
        for (int j = 0; j < w; j++) {
            int64_t d = (int64_t)(i - y) * (i - y) + (int64_t)(j - x) * (j - x);
            if (mask[i * w + j] && d < best) best = d;
        }
    return best;
}

static void check_against_brute_force(const uint8_t *mask, int h, int w)
{
    size_t n = (size_t)h * (size_t)w;
    reshed_error err = {0};
    int64_t *d = rs_alloc(n + 2 * GUARD, sizeof *d);
    int32_t *near = rs_alloc(n + 2 * GUARD, sizeof *near);
    assert_non_null(d);
    assert_non_null(near);
    memset(d, 0x5A, (n + 2 * GUARD) * sizeof *d);
    memset(near, 0x5A, (n + 2 * GUARD) * sizeof *near);
    assert_ok(rs_distance_transform(mask, h, w, d + GUARD, near + GUARD, &err), &err);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            int64_t want = brute_force(mask, h, w, y, x), got = d[GUARD + y * w + x];
            int32_t at = near[GUARD + y * w + x];
            if (got != want)
                fail_msg("%dx%d at (%d,%d): %lld, not %lld", h, w, y, x, (long long)got,
                         (long long)want);
            if (want == RS_DISTANCE_NONE) {
                assert_int_equal(at, -1);
                continue;
            }
            assert_true(at >= 0 && (size_t)at < n && mask[at]);
            int64_t dy = at / w - y, dx = at % w - x;
            assert_int_equal(dy * dy + dx * dx, want);
        }
    for (int i = 0; i < GUARD; i++) {
        assert_int_equal(d[i], 0x5A5A5A5A5A5A5A5A);
        assert_int_equal(d[GUARD + n + (size_t)i], 0x5A5A5A5A5A5A5A5A);
        assert_int_equal(near[i], 0x5A5A5A5A);
        assert_int_equal(near[GUARD + n + (size_t)i], 0x5A5A5A5A);
    }
    rs_free(d);
    rs_free(near);
}

static void equals_brute_force(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    uint8_t mask[40 * 40];
    for (int k = 0; k < 400; k++) {
        int h = 1 + (int)test_below(&r, k % 4 ? 17 : 40), w = 1 + (int)test_below(&r, 40);
        uint64_t one_in = 1 + test_below(&r, k % 3 ? 12 : 600);
        for (int i = 0; i < h * w; i++) mask[i] = test_below(&r, one_in) == 0 ? 255 : 0;
        check_against_brute_force(mask, h, w);
    }
}

static void equals_brute_force_on_every_3x4(void **state)
{
    (void)state;
    uint8_t mask[12];
    for (unsigned bits = 0; bits < 1u << 12; bits++) {
        for (int i = 0; i < 12; i++) mask[i] = (uint8_t)(bits >> i & 1);
        check_against_brute_force(mask, 3, 4);
        check_against_brute_force(mask, 12, 1);
        check_against_brute_force(mask, 1, 12);
    }
}

static void one_pixel_gives_circles(void **state)
{
    (void)state;
    enum { H = 301, W = 203 };
    uint8_t *mask = rs_zalloc(H * W, 1);
    int64_t *d = rs_alloc(H * W, sizeof *d);
    assert_non_null(mask);
    assert_non_null(d);
    mask[17 * W + 150] = 1;
    assert_ok(rs_distance_transform(mask, H, W, d, NULL, NULL), &(reshed_error){0});
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            assert_int_equal(d[y * W + x], (y - 17) * (y - 17) + (x - 150) * (x - 150));
    rs_free(mask);
    rs_free(d);
}

/* Distances past 2^31 must not wrap: the longest image has 65536 pixels a side. */
static void long_images_do_not_overflow(void **state)
{
    (void)state;
    enum { N = 65536 };
    uint8_t *mask = rs_zalloc(N, 2);
    int64_t *d = rs_alloc(2 * N, sizeof *d);
    assert_non_null(mask);
    assert_non_null(d);
    mask[0] = 1;
    assert_ok(rs_distance_transform(mask, N, 2, d, NULL, NULL), &(reshed_error){0});
    assert_true(d[2 * N - 1] == (int64_t)(N - 1) * (N - 1) + 1);
    assert_ok(rs_distance_transform(mask, 2, N, d, NULL, NULL), &(reshed_error){0});
    assert_true(d[2 * N - 1] == (int64_t)(N - 1) * (N - 1) + 1);
    rs_free(mask);
    rs_free(d);
}

static void bad_sizes_and_short_memory(void **state)
{
    (void)state;
    reshed_error err = {0};
    uint8_t mask[4] = {1, 0, 0, 0};
    int64_t d[4] = {-7, -7, -7, -7};
    assert_int_equal(rs_distance_transform(mask, 0, 4, d, NULL, &err), RESHED_EINVAL);
    assert_int_equal(rs_distance_transform(mask, 4, -1, d, NULL, &err), RESHED_EINVAL);
    for (long n = 0; n < 4; n++) {
        test_alloc_fail_at(n);
        assert_int_equal(rs_distance_transform(mask, 2, 2, d, NULL, &err), RESHED_ENOMEM);
        test_alloc_fail_at(-1);
        for (int i = 0; i < 4; i++) assert_int_equal(d[i], -7);
    }
    assert_ok(rs_distance_transform(mask, 2, 2, d, NULL, &err), &err);
}

static void metric_distance_equals_brute_force(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    reshed_error err = {0};
    uint8_t mask[30 * 40];
    double got[30 * 40];
    int32_t nearest[30 * 40];
    const double size[][2] = {
        {1e-9, 1e-9}, {2e-9, 1e-9}, {1e-9, 5e-9}, {3e-9, 7.1e-9}, {1e-9, 1e3}};
    for (int trial = 0; trial < 100; trial++) {
        double dx = size[trial % 5][0], dy = size[trial % 5][1];
        int h = 1 + (int)test_below(&r, 30), w = 1 + (int)test_below(&r, 40);
        for (int i = 0; i < h * w; i++) mask[i] = test_below(&r, 40) == 0;
        mask[test_below(&r, (uint64_t)(h * w))] = 1;
        assert_ok(rs_distance_metres(mask, h, w, dx, dy, got, nearest, &err), &err);
        for (int i = 0; i < h * w; i++) {
            double least = HUGE_VAL;
            for (int k = 0; k < h * w; k++)
                if (mask[k]) least = fmin(least, hypot((i % w - k % w) * dx, (i / w - k / w) * dy));
            assert_true(mask[nearest[i]]);
            assert_true(fabs(got[i] - least) <= (trial % 5 < 3 ? 1e-12 : 1.5e-3) * least);
        }
    }
    memset(mask, 0, sizeof mask);
    assert_ok(rs_distance_metres(mask, 30, 40, 1, 2, got, NULL, &err), &err);
    assert_true(isinf(got[77]));
    assert_int_equal(rs_distance_metres(mask, 30, 40, 0, 2, got, NULL, &err), RESHED_EINVAL);
    assert_int_equal(rs_distance_metres(mask, 30, 40, 1, INFINITY, got, NULL, &err), RESHED_EINVAL);
    assert_int_equal(rs_distance_metres(mask, 0, 40, 1, 1, got, NULL, &err), RESHED_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_brute_force),
        cmocka_unit_test(equals_brute_force_on_every_3x4),
        cmocka_unit_test(one_pixel_gives_circles),
        cmocka_unit_test(long_images_do_not_overflow),
        cmocka_unit_test(bad_sizes_and_short_memory),
        cmocka_unit_test(metric_distance_equals_brute_force),
    };
    return cmocka_run_group_tests_name("img_distance", tests, NULL, NULL);
}
