#include "support/support.h"
#include "support/tolerance.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "infer/baseline.h"
#include "imgproc/image/smooth.h"

#define GUARD 0xA5

/* ------------------------------------------------------------------------------------ smoothing */

static void smoothing_keeps_what_it_must(void **state)
{
    (void)state;
    enum { H = 41, W = 37 };
    static float a[H * W], out[H * W + 8];
    reshed_error err = {0};
    /* A point becomes the product of two sampled Gaussians, with sum 1. */
    memset(a, 0, sizeof a);
    a[20 * W + 18] = 1;
    for (int i = 0; i < H * W + 8; i++) out[i] = NAN;
    assert_ok(rs_smooth_gaussian(a, H, W, 2, out, &err), &err);
    double sum = 0, tap[9], norm = 0;
    for (int k = -8; k <= 8; k++) norm += exp(-k * k / 8.0);
    for (int k = 0; k <= 8; k++) tap[k] = exp(-k * k / 8.0) / norm;
    for (int i = 0; i < H * W; i++) sum += (double)out[i];
    assert_true(fabs(sum - 1) < TOL_FLOAT);
    for (int dy = -8; dy <= 8; dy++)
        for (int dx = -8; dx <= 8; dx++)
            assert_true(fabs((double)out[(20 + dy) * W + 18 + dx] -
                             tap[dy < 0 ? -dy : dy] * tap[dx < 0 ? -dx : dx]) < 1e-8);
    for (int i = H * W; i < H * W + 8; i++) assert_true(isnan(out[i]));
    /* A constant stays constant, also at the frame's edge; sigma 0 copies; in place. */
    for (int i = 0; i < H * W; i++) a[i] = 3;
    assert_ok(rs_smooth_gaussian(a, H, W, 9, a, &err), &err);
    for (int i = 0; i < H * W; i++) assert_true(fabs((double)a[i] - 3) < TOL_FLOAT);
    a[5] = 7;
    assert_ok(rs_smooth_gaussian(a, H, W, 0, out, &err), &err);
    assert_memory_equal(a, out, sizeof a);
    assert_int_equal(rs_smooth_gaussian(a, H, W, -1, out, &err), RESHED_EINVAL);
    assert_int_equal(rs_smooth_gaussian(a, H, W, NAN, out, &err), RESHED_EINVAL);
    assert_int_equal(rs_smooth_gaussian(a, 0, W, 1, out, &err), RESHED_EINVAL);
}

/* --------------------------------------------------------------------------- threshold boundary */

static void boundary_of_a_ramp_is_its_level_line(void **state)
{
    (void)state;
    enum { H = 5, W = 11 };
    float a[H * W];
    uint8_t mask[H * W + 4];
    reshed_error err = {0};
    for (int i = 0; i < H * W; i++) a[i] = 0.1f * (float)(i % W);
    memset(mask, GUARD, sizeof mask);
    /* Between 0.4 and 0.5 the value 0.42 is nearer to column 4, 0.48 to column 5. */
    assert_ok(rs_baseline_boundary(a, H, W, 0.42, mask, &err), &err);
    for (int i = 0; i < H * W; i++) assert_int_equal(mask[i], i % W == 4);
    assert_ok(rs_baseline_boundary(a, H, W, 0.48, mask, &err), &err);
    for (int i = 0; i < H * W; i++) assert_int_equal(mask[i], i % W == 5);
    for (int i = H * W; i < H * W + 4; i++) assert_int_equal(mask[i], GUARD);
    /* Nothing is darker, everything is. */
    assert_ok(rs_baseline_boundary(a, H, W, -1, mask, &err), &err);
    for (int i = 0; i < H * W; i++) assert_int_equal(mask[i], 0);
    assert_ok(rs_baseline_boundary(a, H, W, 2, mask, &err), &err);
    for (int i = 0; i < H * W; i++) assert_int_equal(mask[i], 0);
}

static void boundary_goes_round_a_spot(void **state)
{
    (void)state;
    /* A dark spot of one pixel and its grey neighbour: the spot is as near to the threshold as the
     * bright pixels, the grey one nearer. */
    static const float a[4 * 5] = {
        1, 1, 1,     1, 1, /**/
        1, 0, 0.75f, 1, 1, /**/
        1, 1, 1,     1, 1, /**/
        1, 1, 1,     1, 1,
    };
    static const uint8_t want[4 * 5] = {
        0, 0, 0, 0, 0, /**/
        0, 1, 1, 0, 0, /**/
        0, 0, 0, 0, 0, /**/
        0, 0, 0, 0, 0,
    };
    uint8_t mask[4 * 5];
    reshed_error err = {0};
    assert_ok(rs_baseline_boundary(a, 4, 5, 0.5, mask, &err), &err);
    assert_memory_equal(mask, want, sizeof want);
    assert_int_equal(rs_baseline_boundary(a, 4, 0, 0.5, mask, &err), RESHED_EINVAL);
}

/* ---------------------------------------------------------------------------------------- Canny */

/* The inflection of a smooth step is where its gradient is largest, at any angle; and the gradient
 * there is the step's height over sqrt(2 pi) of its total width. */
static void canny_finds_the_steepest_line(void **state)
{
    (void)state;
    enum { N = 61 };
    static float a[N * N];
    static uint8_t mask[N * N + 16];
    reshed_error err = {0};
    for (int k = 0; k < 7; k++) {
        double angle = 0.27 + 0.9 * k, nx = cos(angle), ny = sin(angle), wide = 1.5, sigma = 1;
        for (int i = 0; i < N * N; i++) {
            double d = nx * (i % N - 30.2) + ny * (i / N - 30.1);
            a[i] = (float)(0.5 * erfc(-d / (wide * sqrt(2))));
        }
        double peak = 1 / sqrt(2 * RS_PI * (wide * wide + sigma * sigma));
        memset(mask, GUARD, sizeof mask);
        assert_ok(rs_baseline_canny(a, N, N, sigma, 0.3 * peak, 0.85 * peak, mask, &err), &err);
        int on = 0;
        for (int i = 0; i < N * N; i++) {
            int r = i / N, c = i % N;
            double d = nx * (c - 30.2) + ny * (r - 30.1);
            assert_true(mask[i] <= 1);
            if (r < 8 || c < 8 || r > N - 9 || c > N - 9) continue; /* smoothing sees the edge */
            if (mask[i] && fabs(d) > 0.8) fail_msg("edge %g pixels off at angle %g", d, angle);
            on += mask[i];
        }
        assert_true(on >= 40); /* it crosses 45 rows or columns */
        for (int i = N * N; i < N * N + 16; i++) assert_int_equal(mask[i], GUARD);
        /* A threshold above the steepest place leaves nothing. */
        assert_ok(rs_baseline_canny(a, N, N, sigma, 0.3 * peak, 1.1 * peak, mask, &err), &err);
        for (int i = 0; i < N * N; i++) assert_int_equal(mask[i], 0);
    }
}

/* A vertical step whose height falls along it: the weak end stays only by way of the strong one. */
static void canny_follows_an_edge_down(void **state)
{
    (void)state;
    enum { H = 30, W = 12 };
    static float a[H * W];
    static uint8_t mask[H * W];
    reshed_error err = {0};
    for (int i = 0; i < H * W; i++) {
        float height = 1 - 0.03f * (float)(i / W);
        a[i] = i % W < 5 ? 0 : i % W == 5 ? 0.5f * height : height;
    }
    /* Central differences: half the height at column 5, 0.5 to 0.065. */
    assert_ok(rs_baseline_canny(a, H, W, 0, 0.2, 0.45, mask, &err), &err);
    for (int r = 1; r < H - 1; r++) {
        double m = 0.5 * (1 - 0.03 * r);
        if (fabs(m - 0.2) > 0.02) assert_int_equal(mask[r * W + 5], m > 0.2);
        assert_int_equal(mask[r * W + 2], 0);
        assert_int_equal(mask[r * W + 9], 0);
    }
    assert_ok(rs_baseline_canny(a, H, W, 0, 0.2, 0.6, mask, &err), &err);
    for (int i = 0; i < H * W; i++) assert_int_equal(mask[i], 0);
    assert_int_equal(rs_baseline_canny(a, H, W, 0, 0.3, 0.2, mask, &err), RESHED_EINVAL);
    assert_int_equal(rs_baseline_canny(a, H, W, -1, 0.1, 0.2, mask, &err), RESHED_EINVAL);
    for (long k = 0; k < 8; k++) {
        test_alloc_fail_at(k);
        reshed_status st = rs_baseline_canny(a, H, W, 1, 0.1, 0.2, mask, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        assert_int_equal(st, failed ? RESHED_ENOMEM : RESHED_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smoothing_keeps_what_it_must),
        cmocka_unit_test(boundary_of_a_ramp_is_its_level_line),
        cmocka_unit_test(boundary_goes_round_a_spot),
        cmocka_unit_test(canny_finds_the_steepest_line),
        cmocka_unit_test(canny_follows_an_edge_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
