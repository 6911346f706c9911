/* Normalisation, percentiles and gaps. */
#include "support/support.h"
#include "support/tolerance.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/statistics.h"
#include "imgproc/image/fill.h"
#include "imgproc/image/normalise.h"

/* The outputs of numpy 1.24.2: y = float32 array; (y - np.amin(y)) / np.ptp(y). */
static void frame_range_has_numpys_bits(void **state)
{
    (void)state;
    const float y[6] = {0x1.359f5ap-40f, 0x1.a74fdep-31f, 0x1.224564p-35f,
                        0x1.102120p-30f, 0x1.e3c8fep-32f, -0x1.c25c26p-43f};
    const float want[6] = {0x1.5828dep-10f, 0x1.8e3eaep-1f, 0x1.12aa76p-5f,
                           0x1.000000p+0f,  0x1.c739c2p-2f, 0};
    float out[8] = {NAN, NAN, NAN, NAN, NAN, NAN, 7, 7};
    rs_norm_range r;
    reshed_error err = {0};
    assert_ok(rs_norm_range_frame(y, 6, &r, &err), &err);
    assert_true(r.lo == y[5] && r.hi == y[3]);
    for (int clip = 0; clip < 2; clip++) {
        assert_ok(rs_norm_apply(y, 6, r, clip, out, &err), &err);
        for (int i = 0; i < 6; i++) assert_true(out[i] == want[i]);
        assert_true(out[6] == 7 && out[7] == 7);
    }
}

static void apply_clips_only_when_asked(void **state)
{
    (void)state;
    const float x[5] = {-1, 0, 1, 2, 7};
    float out[5];
    rs_norm_range r;
    reshed_error err = {0};
    assert_ok(rs_norm_range_fixed(0, 2, &r, &err), &err);
    assert_ok(rs_norm_apply(x, 5, r, false, out, &err), &err);
    const float open[5] = {-0.5f, 0, 0.5f, 1, 3.5f}, clipped[5] = {0, 0, 0.5f, 1, 1};
    assert_memory_equal(out, open, sizeof out);
    assert_ok(rs_norm_apply(x, 5, r, true, out, &err), &err);
    assert_memory_equal(out, clipped, sizeof out);
}

static void constant_and_extreme_images(void **state)
{
    (void)state;
    float x[4] = {5, 5, 5, 5};
    rs_norm_range r;
    reshed_error err = {0};
    assert_ok(rs_norm_range_frame(x, 4, &r, &err), &err);
    assert_ok(rs_norm_apply(x, 4, r, false, x, &err), &err);
    for (int i = 0; i < 4; i++) assert_true(x[i] == 0);

    float wide[3] = {-FLT_MAX, 0, FLT_MAX}; /* the span is no float32 */
    assert_ok(rs_norm_range_frame(wide, 3, &r, &err), &err);
    assert_ok(rs_norm_apply(wide, 3, r, false, wide, &err), &err);
    assert_true(wide[0] == 0 && wide[1] == 0.5f && wide[2] == 1);

    float tiny[2] = {0, FLT_TRUE_MIN};
    assert_ok(rs_norm_range_frame(tiny, 2, &r, &err), &err);
    assert_ok(rs_norm_apply(tiny, 2, r, false, tiny, &err), &err);
    assert_true(tiny[0] == 0 && tiny[1] == 1);
}

static void not_finite_is_refused(void **state)
{
    (void)state;
    const float bad[3] = {NAN, INFINITY, -INFINITY};
    for (int k = 0; k < 3; k++)
        for (int at = 0; at < 3; at++) {
            float x[3] = {1, 2, 3}, out[3] = {9, 9, 9};
            double p = 9, q = 50;
            rs_norm_range r = {9, 9};
            reshed_error err = {0};
            x[at] = bad[k];
            assert_int_equal(rs_norm_range_frame(x, 3, &r, &err), RESHED_EINVAL);
            assert_int_equal(rs_norm_range_robust(x, 3, &r, &err), RESHED_EINVAL);
            assert_int_equal(rs_percentiles(x, 3, &q, 1, &p, &err), RESHED_EINVAL);
            assert_true(r.lo == 9 && r.hi == 9 && p == 9);
            assert_int_equal(rs_norm_apply(x, 3, (rs_norm_range){0, 1}, true, out, &err),
                             RESHED_EINVAL);
            assert_true(out[0] == 9 && out[1] == 9 && out[2] == 9);
        }
    rs_norm_range r = {0};
    reshed_error err = {0};
    float x = 1, out = 9;
    assert_int_equal(rs_norm_range_frame(&x, 0, &r, &err), RESHED_EINVAL);
    assert_int_equal(rs_norm_range_fixed(1, 1, &r, &err), RESHED_EINVAL);
    assert_int_equal(rs_norm_range_fixed(2, 1, &r, &err), RESHED_EINVAL);
    assert_int_equal(rs_norm_range_fixed(NAN, 1, &r, &err), RESHED_EINVAL);
    assert_int_equal(rs_norm_range_fixed(0, 1e300, &r, &err), RESHED_EINVAL);
    assert_int_equal(rs_norm_apply(&x, 1, (rs_norm_range){2, 1}, true, &out, &err), RESHED_EINVAL);
    assert_int_equal(rs_norm_apply(&x, 1, (rs_norm_range){NAN, 1}, true, &out, &err),
                     RESHED_EINVAL);
    assert_true(out == 9);
}

static void robust_range_ignores_hot_pixels(void **state)
{
    (void)state;
    enum { N = 1001 };
    float x[N], flat[N];
    rs_norm_range r;
    reshed_error err = {0};
    for (int i = 0; i < N; i++) x[i] = (float)i / 1000, flat[i] = 2;
    assert_ok(rs_norm_range_robust(x, N, &r, &err), &err);
    assert_true(fabsf(r.lo - 0.005f) < TOL_FLOAT && fabsf(r.hi - 0.995f) < TOL_FLOAT);
    x[500] = 1e6f; /* moves the upper percentile by one rank */
    assert_ok(rs_norm_range_robust(x, N, &r, &err), &err);
    assert_true(fabsf(r.hi - 0.996f) < TOL_FLOAT);
    flat[3] = 7; /* both percentiles are 2: the frame's range is the only useful one */
    assert_ok(rs_norm_range_robust(flat, N, &r, &err), &err);
    assert_true(r.lo == 2 && r.hi == 7);
}

/* ----------------------------------------------------------------------------------------- gaps */

static void gaps_are_interpolated(void **state)
{
    (void)state;
    const float N = NAN, I = INFINITY;
    float x[6 * 5] = {
        N, N, N,  N, N, /* above the first row: takes its values */
        N, 1, N,  N, 4, /* */
        N, N, -I, N, N, /* a third and two thirds of the way */
        I, N, N,  N, N, /* */
        7, N, 7,  N, 7, /* */
        N, N, N,  N, I, /* below the last */
    };
    const float want[6 * 5] = {
        1, 1, 2,         3,         4, /* */
        1, 1, 2,         3,         4, /* */
        3, 3, 11.0f / 3, 13.0f / 3, 5, /* */
        5, 5, 16.0f / 3, 17.0f / 3, 6, /* */
        7, 7, 7,         7,         7, /* */
        7, 7, 7,         7,         7, /* */
    };
    size_t filled = 99;
    reshed_error err = {0};
    assert_ok(rs_fill_gaps(x, 6, 5, &filled, &err), &err);
    assert_int_equal(filled, 25);
    for (int i = 0; i < 30; i++) assert_true(fabsf(x[i] - want[i]) < TOL_FLOAT);
    float again[30];
    memcpy(again, x, sizeof x);
    assert_ok(rs_fill_gaps(x, 6, 5, &filled, &err), &err);
    assert_int_equal(filled, 0);
    assert_memory_equal(again, x, sizeof x);
}

static void gaps_without_any_value_are_an_error(void **state)
{
    (void)state;
    float x[4] = {NAN, INFINITY, -INFINITY, NAN};
    size_t filled = 99;
    reshed_error err = {0};
    assert_int_equal(rs_fill_gaps(x, 2, 2, &filled, &err), RESHED_EINVAL);
    assert_int_equal(filled, 99);
    assert_true(isnan(x[0]) && isinf(x[1]));
    assert_int_equal(rs_fill_gaps(x, 0, 2, &filled, &err), RESHED_EINVAL);
}

/* Gaps in a plane come back exactly where they lie between values of their row or of two rows. */
static void gaps_keep_a_plane(void **state)
{
    (void)state;
    enum { H = 12, W = 17 };
    test_rng r = {test_seed()};
    for (int k = 0; k < 200; k++) {
        float x[H * W];
        size_t holes = 0, filled;
        for (int i = 0; i < H * W; i++) {
            int row = i / W, column = i % W;
            bool hole = row > 0 && row < H - 1 && (row % 5 == 3 || test_below(&r, 3) == 0) &&
                        (row % 5 == 3 || (column > 0 && column < W - 1));
            x[i] = hole ? NAN : (float)(3 * column - 2 * row);
            holes += hole;
        }
        assert_ok(rs_fill_gaps(x, H, W, &filled, NULL), &(reshed_error){0});
        assert_int_equal(filled, holes);
        for (int i = 0; i < H * W; i++)
            assert_true(fabsf(x[i] - (float)(3 * (i % W) - 2 * (i / W))) < 1e-5f);
    }
}

static void gaps_survive_extreme_values(void **state)
{
    (void)state;
    float x[3] = {-FLT_MAX, NAN, FLT_MAX};
    size_t filled;
    assert_ok(rs_fill_gaps(x, 1, 3, &filled, NULL), &(reshed_error){0});
    assert_true(x[1] == 0 && filled == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_range_has_numpys_bits),
        cmocka_unit_test(apply_clips_only_when_asked),
        cmocka_unit_test(constant_and_extreme_images),
        cmocka_unit_test(not_finite_is_refused),
        cmocka_unit_test(robust_range_ignores_hot_pixels),
        cmocka_unit_test(gaps_are_interpolated),
        cmocka_unit_test(gaps_without_any_value_are_an_error),
        cmocka_unit_test(gaps_keep_a_plane),
        cmocka_unit_test(gaps_survive_extreme_values),
    };
    return cmocka_run_group_tests_name("img_values", tests, NULL, NULL);
}
