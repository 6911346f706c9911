#include "support/support.h"
#include "support/tolerance.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/image/resample.h"

/* ------------------------------------------------------------------------------- the definition */
/* A second, slower way to the same numbers: every weight from the formula, the image in one go. */

static double kernel(rs_growing growing, double d)
{
    d = fabs(d);
    if (growing == RS_GROW_BILINEAR) return d < 1 ? 1 - d : 0;
    if (d < 1) return 1.5 * d * d * d - 2.5 * d * d + 1;
    return d < 2 ? -0.5 * d * d * d + 2.5 * d * d - 4 * d + 2 : 0;
}

static double weight(int in, int out, rs_growing growing, int j, int i)
{
    double sum = 0;
    if (in == out) return i == j;
    if (out < in) {
        double a = fmax((double)j * in / out, i), b = fmin((double)(j + 1) * in / out, i + 1);
        return b > a ? (b - a) * out / in : 0;
    }
    double at = (j + 0.5) * in / out - 0.5;
    for (int k = -3; k < in + 3; k++)
        if ((k < 0 ? 0 : k >= in ? in - 1 : k) == i) sum += kernel(growing, at - k);
    return sum;
}

static void check(int h, int w, int c, int oh, int ow, rs_growing growing, test_rng *r)
{
    enum { GUARD = 8 };
    size_t n = (size_t)(h * w * c), m = (size_t)(oh * ow * c);
    float *in = rs_alloc(n, sizeof *in), *buffer = rs_alloc(m + 2 * GUARD, sizeof *buffer);
    assert_non_null(in);
    assert_non_null(buffer);
    float *out = buffer + GUARD;
    reshed_error err = {0};
    for (size_t i = 0; i < n; i++) in[i] = (float)test_gauss(r);
    for (size_t i = 0; i < m + 2 * GUARD; i++) buffer[i] = NAN;
    assert_ok(rs_resample(in, h, w, c, growing, out, oh, ow, &err), &err);
    for (int i = 0; i < GUARD; i++)
        assert_true(isnan(buffer[i]) && isnan(buffer[GUARD + m + (size_t)i]));
    for (int y = 0; y < oh; y++)
        for (int x = 0; x < ow; x++)
            for (int k = 0; k < c; k++) {
                double want = 0;
                for (int i = 0; i < h; i++)
                    for (int j = 0; j < w; j++)
                        want += weight(h, oh, growing, y, i) * weight(w, ow, growing, x, j) *
                                (double)in[(i * w + j) * c + k];
                double got = out[(y * ow + x) * c + k];
                if (!(fabs(got - want) <= TOL_FLOAT))
                    fail_msg("%dx%dx%d to %dx%d, growing %d, at (%d,%d,%d): %g, not %g", h, w, c,
                             oh, ow, growing, y, x, k, got, want);
            }
    rs_free(in);
    rs_free(buffer);
}

static void equals_the_definition(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    for (int k = 0; k < 300; k++)
        check(1 + (int)test_below(&r, 14), 1 + (int)test_below(&r, 14), 1 + k % 3,
              1 + (int)test_below(&r, 14), 1 + (int)test_below(&r, 14), (rs_growing)(k % 2), &r);
    for (int in = 1; in <= 7; in++)
        for (int out = 1; out <= 7; out++) check(in, out, 1, out, in, (rs_growing)(in % 2), &r);
}

/* ----------------------------------------------------------------------------------- properties */

static void constants_stay(void **state)
{
    (void)state;
    static float in[31 * 23], out[97 * 61];
    static const int size[][2] = {{31, 23}, {7, 5}, {97, 61}, {10, 61}, {97, 3}, {1, 1}};
    for (int i = 0; i < 31 * 23; i++) in[i] = 0.1f;
    for (size_t k = 0; k < sizeof size / sizeof *size; k++)
        for (int g = 0; g < 2; g++) {
            for (int i = 0; i < 97 * 61; i++) out[i] = NAN;
            assert_ok(rs_resample(in, 31, 23, 1, (rs_growing)g, out, size[k][0], size[k][1], NULL),
                      &(reshed_error){0});
            for (int i = 0; i < size[k][0] * size[k][1]; i++) assert_true(out[i] == 0.1f);
        }
}

/* A ramp over the sample is the same ramp on any grid, away from the edges. */
static void ramps_stay_where_they_are(void **state)
{
    (void)state;
    enum { H = 20, W = 30 };
    static float in[H * W], out[70 * 90];
    static const int size[][2] = {{10, 10}, {20, 15}, {70, 90}, {33, 47}, {5, 77}};
    for (int i = 0; i < H * W; i++) in[i] = (float)(2 * (i % W + 0.5) / W - 3 * (i / W + 0.5) / H);
    for (size_t k = 0; k < sizeof size / sizeof *size; k++)
        for (int g = 0; g < 2; g++) {
            int h = size[k][0], w = size[k][1];
            assert_ok(rs_resample(in, H, W, 1, (rs_growing)g, out, h, w, NULL), &(reshed_error){0});
            for (int i = 0; i < h * w; i++) {
                double x = (i % w + 0.5) / w, y = (i / w + 0.5) / h;
                if (x * W < 2 || x * W > W - 2 || y * H < 2 || y * H > H - 2) continue;
                assert_true(fabs((double)out[i] - (2 * x - 3 * y)) < TOL_FLOAT);
            }
        }
}

static void shrinking_keeps_the_mean(void **state)
{
    (void)state;
    enum { H = 41, W = 53 };
    static float in[H * W], out[H * W];
    test_rng r = {test_seed()};
    double mean = 0;
    for (int i = 0; i < H * W; i++) mean += (double)(in[i] = (float)test_gauss(&r)) / (H * W);
    for (int h = 1; h <= H; h += 3)
        for (int w = 1; w <= W; w += 4) {
            double sum = 0;
            assert_ok(rs_resample(in, H, W, 1, RS_GROW_BILINEAR, out, h, w, NULL),
                      &(reshed_error){0});
            for (int i = 0; i < h * w; i++) sum += (double)out[i];
            assert_true(fabs(sum / (h * w) - mean) < 1e-7);
        }
}

/* Grown by a whole factor and averaged back: bilinear blurs, but a smooth image survives. */
static void there_and_back(void **state)
{
    (void)state;
    enum { H = 24, W = 32 };
    static float in[H * W], big[3 * H * 3 * W], back[H * W];
    for (int i = 0; i < H * W; i++) in[i] = (float)(sin(0.25 * (i % W)) + cos(0.2 * (i / W)));
    double worst[2] = {0, 0};
    for (int g = 0; g < 2; g++) {
        assert_ok(rs_resample(in, H, W, 1, (rs_growing)g, big, 3 * H, 3 * W, NULL),
                  &(reshed_error){0});
        assert_ok(rs_resample(big, 3 * H, 3 * W, 1, (rs_growing)g, back, H, W, NULL),
                  &(reshed_error){0});
        for (int i = 0; i < H * W; i++) {
            bool inside = i % W > 1 && i % W < W - 2 && i / W > 1 && i / W < H - 2;
            if (inside) worst[g] = fmax(worst[g], fabs((double)(back[i] - in[i])));
        }
    }
    /* Bilinear mixes in 1/9 of each neighbour: error f''/9 <= (0.25^2 + 0.2^2)/9 = 0.0114. */
    assert_true(worst[RS_GROW_BILINEAR] < 0.0115);
    assert_true(worst[RS_GROW_CATMULL_ROM] < worst[RS_GROW_BILINEAR]);
}

static void bilinear_stays_in_range(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    float in[12 * 12], out[31 * 29];
    for (int i = 0; i < 144; i++) in[i] = (float)test_below(&r, 2);
    assert_ok(rs_resample(in, 12, 12, 1, RS_GROW_BILINEAR, out, 31, 29, NULL), &(reshed_error){0});
    for (int i = 0; i < 31 * 29; i++) assert_true(out[i] >= 0 && out[i] <= 1);
}

static void refuses_bad_sizes_and_survives_short_memory(void **state)
{
    (void)state;
    float in[6] = {1, 2, 3, 4, 5, 6}, out[6] = {9, 9, 9, 9, 9, 9};
    reshed_error err = {0};
    assert_int_equal(rs_resample(in, 0, 3, 1, RS_GROW_BILINEAR, out, 2, 2, &err), RESHED_EINVAL);
    assert_int_equal(rs_resample(in, 2, 3, 1, RS_GROW_BILINEAR, out, 2, -2, &err), RESHED_EINVAL);
    assert_int_equal(rs_resample(in, 2, 3, 0, RS_GROW_BILINEAR, out, 2, 2, &err), RESHED_EINVAL);
    for (long n = 0;; n++) {
        test_alloc_fail_at(n);
        reshed_status st = rs_resample(in, 2, 3, 1, RS_GROW_CATMULL_ROM, out, 3, 2, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) break;
        assert_int_equal(st, RESHED_ENOMEM);
        for (int i = 0; i < 6; i++) assert_true(out[i] == 9);
    }
    assert_true(out[0] != 9);
}

/* --------------------------------------------------------------------------------- the decision */

static rs_resample_plan decide(int h, int w, double dx, double dy, double lo, double hi,
                               const char *option)
{
    rs_resample_request request;
    rs_resample_plan p;
    reshed_error err = {0};
    assert_ok(rs_resample_parse(option, &request, &err), &err);
    assert_ok(rs_resample_decide(h, w, dx, dy, lo, hi, &request, &p, &err), &err);
    return p;
}

static void decides_the_target(void **state)
{
    (void)state;
    const double nm = 1e-9;
    static const struct {
        int h, w;
        double dx, dy, lo, hi; /* nm */
        const char *option;
        int want_h, want_w; /* 0: nothing to do */
        const char *reason;
    } cases[] = {
        {256, 256, 10, 10, 8, 16, "auto", 0, 0,
         "pixel size 10 nm, trained on 8 to 16 nm: used as it is"},
        {256, 256, 7.7, 7.7, 8, 16, "auto", 0, 0,
         "pixel size 7.7 nm, trained on 8 to 16 nm: used as it is"}, /* within 5 % */
        {512, 512, 4, 4, 8, 16, "auto", 256, 256,
         "pixel size 4 nm, trained on 8 to 16 nm: 512 x 512 resampled to 256 x 256 pixels"},
        {128, 128, 20, 20, 8, 16, "auto", 160, 160,
         "pixel size 20 nm, trained on 8 to 16 nm: 128 x 128 resampled to 160 x 160 pixels"},
        {128, 256, 10, 20, 8, 16, "auto", 256, 256,
         "pixel size 10 x 20 nm (not square), trained on 8 to 16 nm: 128 x 256 resampled to "
         "256 x 256 pixels"},
        {128, 256, 10, 20, 0, 0, "auto", 256, 256,
         "pixel size 10 x 20 nm (not square), training range unknown: 128 x 256 resampled to "
         "256 x 256 pixels"},
        {64, 64, 100, 100, 8, 16, "auto", 256, 256,
         "pixel size 100 nm, trained on 8 to 16 nm, enlarged at most 4 times: 64 x 64 resampled "
         "to 256 x 256 pixels"},
        {256, 256, 10, 10, 0, 0, "auto", 0, 0,
         "pixel size 10 nm, training range unknown: used as it is"},
        {256, 256, 0, 0, 8, 16, "auto", 0, 0, "the image does not say its pixel size"},
        {256, 256, 1, 7, 8, 16, "off", 0, 0, "resampling is off"},
        {256, 256, 10, 10, 8, 16, "10.3", 249, 249,
         "pixel size 10 nm, 10.3 nm asked for: 256 x 256 resampled to 249 x 249 pixels"},
        {256, 256, 10, 10, 8, 16, "10.01", 0, 0,
         "pixel size 10 nm, 10 nm asked for: used as it is"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rs_resample_plan p = decide(cases[i].h, cases[i].w, cases[i].dx * nm, cases[i].dy * nm,
                                    cases[i].lo * nm, cases[i].hi * nm, cases[i].option);
        assert_string_equal(p.reason, cases[i].reason);
        assert_int_equal(p.needed, cases[i].want_h > 0);
        assert_int_equal(p.height, p.needed ? cases[i].want_h : cases[i].h);
        assert_int_equal(p.width, p.needed ? cases[i].want_w : cases[i].w);
        /* The frame on the sample stays the same. */
        assert_true(fabs(p.dx * p.width - cases[i].dx * nm * cases[i].w) < TOL_PIXEL);
        assert_true(fabs(p.dy * p.height - cases[i].dy * nm * cases[i].h) < TOL_PIXEL);
    }
}

static void refuses_impossible_targets(void **state)
{
    (void)state;
    rs_resample_request r;
    rs_resample_plan p = {.height = 77};
    reshed_error err = {0};
    static const char *const bad[] = {"", "automatic", "-3", "0", "nan", "inf", "5 nm", "1e12"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(rs_resample_parse(bad[i], &r, &err), RESHED_EINVAL);
    assert_ok(rs_resample_parse("1000", &r, &err), &err);
    assert_int_equal(rs_resample_decide(64, 64, 1e-8, 1e-8, 0, 0, &r, &p, &err),
                     RESHED_EUNSUPPORTED); /* less than a pixel */
    assert_int_equal(rs_resample_decide(64, 64, 0, 0, 0, 0, &r, &p, &err), RESHED_EINVAL);
    assert_ok(rs_resample_parse("1e-6", &r, &err), &err);
    assert_int_equal(rs_resample_decide(64, 64, 1e-8, 1e-8, 0, 0, &r, &p, &err),
                     RESHED_EUNSUPPORTED);
    assert_int_equal(rs_resample_decide(0, 64, 1e-8, 1e-8, 0, 0, &r, &p, &err), RESHED_EINVAL);
    assert_int_equal(p.height, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_definition),
        cmocka_unit_test(constants_stay),
        cmocka_unit_test(ramps_stay_where_they_are),
        cmocka_unit_test(shrinking_keeps_the_mean),
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(bilinear_stays_in_range),
        cmocka_unit_test(refuses_bad_sizes_and_survives_short_memory),
        cmocka_unit_test(decides_the_target),
        cmocka_unit_test(refuses_impossible_targets),
    };
    return cmocka_run_group_tests_name("img_resample", tests, NULL, NULL);
}
