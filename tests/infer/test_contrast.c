/* Frames without contrast: told by themselves, and an alarm in the frame pipeline whatever the weights. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/image/normalise.h"
#include "imgproc/image/resample.h"
#include "infer/contrast.h"
#include "infer/frame.h"
#include "infer/judge.h"

enum { SIDE = 48, MOST = SIDE * SIDE };

/* Stripes with noise: a frame like those that people have. */
static void draw(float *x, int h, int w)
{
    test_rng r = {test_seed()};
    for (int i = 0; i < h * w; i++)
        x[i] = 2e-10f + 1e-10f * (float)((i % w + i / w / 2) / 6 % 2) +
               (float)test_uniform(&r, -3e-11, 3e-11);
}

typedef enum fault {
    AS_DRAWN,
    CONSTANT,
    ZERO,
    LARGE_CONSTANT,
    TINY, /* all contrast in the last bits of denormal numbers */
    ON_A_LARGE_OFFSET,
    CLIPPED,
    CLIPPED_ABOVE,
    CLIPPED_BELOW,
    TWO_VALUES,
    HOT,
    COLD,
    HALF_SCANNED,
    LAST_SCANNED,
    CONTRAST_OF_1E30,
    FAULTS
} fault;

static void spoil(float *x, int h, int w, fault f)
{
    const int n = h * w;
    for (int i = 0; i < n; i++) switch (f) {
        case CONSTANT: x[i] = 3.3e-10f; break;
        case ZERO: x[i] = 0; break;
        case LARGE_CONSTANT: x[i] = -3e38f; break;
        case TINY: x[i] = x[i] * 1e-34f; break;
        case ON_A_LARGE_OFFSET: x[i] = x[i] + 1e-3f; break;
        case CLIPPED: x[i] = fminf(fmaxf(x[i], 2.0e-10f), 3.0e-10f); break;
        case CLIPPED_ABOVE: x[i] = fminf(x[i], 2.5e-10f); break;
        case CLIPPED_BELOW: x[i] = fmaxf(x[i], 2.5e-10f); break;
        case TWO_VALUES: x[i] = x[i] > 2.5e-10f; break;
        case HALF_SCANNED: x[i] = i / w >= h / 2 ? 0 : x[i]; break;
        case LAST_SCANNED: x[i] = i / w < h / 2 ? 0 : x[i]; break;
        case CONTRAST_OF_1E30: x[i] = x[i] * 1e38f; break;
        default: break;
        }
    if (f == HOT) x[n / 3] = 1e-8f;
    if (f == COLD) x[n / 3] = -1e-8f;
}

static const rs_contrast expected[FAULTS] = {[CONSTANT] = RS_CONTRAST_NONE,
                                             [ZERO] = RS_CONTRAST_NONE,
                                             [LARGE_CONSTANT] = RS_CONTRAST_NONE,
                                             [TINY] = RS_CONTRAST_ROUNDED,
                                             [ON_A_LARGE_OFFSET] = RS_CONTRAST_ROUNDED,
                                             [CLIPPED] = RS_CONTRAST_SATURATED,
                                             [CLIPPED_ABOVE] = RS_CONTRAST_SATURATED,
                                             [CLIPPED_BELOW] = RS_CONTRAST_SATURATED,
                                             [TWO_VALUES] = RS_CONTRAST_MASK,
                                             [HOT] = RS_CONTRAST_SQUEEZED,
                                             [COLD] = RS_CONTRAST_SQUEEZED};

static rs_contrast look(const float *x, int h, int w)
{
    float input[MOST];
    const size_t n = (size_t)h * (size_t)w;
    rs_norm_range range;
    rs_contrast out = (rs_contrast)-1;
    reshed_error err = {0};
    for (int i = 0; i < MOST; i++) input[i] = NAN;
    assert_ok(rs_norm_range_frame(x, n, &range, &err), &err);
    assert_ok(rs_norm_apply(x, n, range, false, input, &err), &err);
    assert_ok(rs_contrast_look(x, h, w, input, h, w, &out, &err), &err);
    return out;
}

static void every_fault_is_told_at_any_size(void **state)
{
    (void)state;
    static const int sizes[][2] = {{4, 4}, {5, 7}, {8, 8}, {16, 16}, {23, 24}, {32, 20}, {48, 48}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (fault f = AS_DRAWN; f < FAULTS; f++) {
            float x[MOST];
            const int h = sizes[s][0], w = sizes[s][1];
            if (w < 8 && f >= CLIPPED && f <= TWO_VALUES) continue; /* less than a stripe */
            draw(x, h, w);
            spoil(x, h, w, f);
            const rs_contrast c = look(x, h, w);
            if (c != expected[f])
                fail_msg("fault %d of %d x %d: '%s'", (int)f, h, w, rs_contrast_text(c));
        }
}

/* No fault in what is steep, flat or thin, as long as there is something to see. */
static void usual_frames_have_none(void **state)
{
    (void)state;
    float x[MOST];
    test_rng r = {test_seed()};
    for (int kind = 0; kind < 4; kind++) {
        for (int i = 0; i < MOST; i++) {
            const double u = test_uniform(&r, 0, 1), line = fabs(i % SIDE - 20.3);
            x[i] = (float)(kind == 0   ? u
                           : kind == 1 ? test_gauss(&r)
                           : kind == 2 ? floor(40 * u) /* eight bits, little used */
                                       : fmin(1, line / 3) + 0.05 * u);
        }
        assert_int_equal(look(x, SIDE, SIDE), RS_CONTRAST_SEEN);
    }
}

/* Grown to the network's pixels, a hot pixel is many; and pixels without a value are no contrast. */
static void a_hot_pixel_that_was_grown_is_told(void **state)
{
    (void)state;
    enum { N = 12, GROWN = 4 * N };
    for (int hot = 0; hot < N * N; hot += 7) {
        float x[N * N], large[GROWN * GROWN], input[GROWN * GROWN];
        rs_norm_range range;
        rs_contrast out = RS_CONTRAST_NONE;
        reshed_error err = {0};
        draw(x, N, N);
        for (int turn = 0; turn < 2; turn++) {
            assert_ok(rs_resample(x, N, N, 1, RS_GROW_BILINEAR, large, GROWN, GROWN, &err), &err);
            assert_ok(rs_norm_range_frame(large, GROWN * GROWN, &range, &err), &err);
            assert_ok(rs_norm_apply(large, GROWN * GROWN, range, false, input, &err), &err);
            assert_ok(rs_contrast_look(x, N, N, input, GROWN, GROWN, &out, &err), &err);
            assert_int_equal(out, turn ? RS_CONTRAST_SQUEEZED : RS_CONTRAST_SEEN);
            x[hot] = 5e-9f;
        }
    }
}

static void values_alone_tell_what_has_none(void **state)
{
    (void)state;
    float x[64];
    rs_contrast out;
    reshed_error err = {0};
    for (int kind = 0; kind < 4; kind++) {
        for (int i = 0; i < 64; i++) x[i] = i % 3 ? 2e-10f : NAN;
        if (kind == 1) x[7] = INFINITY;
        if (kind == 2) x[7] = nextafterf(2e-10f, 1);
        if (kind == 3) x[7] = 3e-10f;
        out = (rs_contrast)-1;
        assert_ok(rs_contrast_look(x, 8, 8, NULL, 0, 0, &out, &err), &err);
        assert_int_equal(out, kind < 2    ? RS_CONTRAST_NONE
                              : kind == 2 ? RS_CONTRAST_ROUNDED
                                          : RS_CONTRAST_SEEN);
    }
}

static void the_pipeline_raises_the_alarm(void **state)
{
    (void)state;
    rs_ensemble *e = NULL;
    rs_frame *frame = NULL;
    reshed_error err = {0};
    assert_ok(rs_ensemble_load(test_data("tiny_bilinear_ensemble_metadict.tar"), &e, &err), &err);
    assert_ok(rs_frame_create(e, NULL, &frame, &err), &err); /* weights without a model */
    for (fault f = AS_DRAWN; f < FAULTS; f++)
        for (int h = 8; h <= 32; h *= 4) {
            float x[MOST];
            rs_frame_view v;
            draw(x, h, h);
            spoil(x, h, h, f);
            assert_ok(rs_frame_run(frame, x, h, h, 0, 0, &err), &err);
            rs_frame_get(frame, &v);
            assert_int_equal(v.contrast, expected[f]);
            assert_int_equal(v.alarm, expected[f] != RS_CONTRAST_SEEN);
            if (v.alarm)
                assert_true(v.ood_score == RS_OOD_NO_CONTRAST);
            else
                assert_true(isnan(v.ood_score));
            for (int i = 0; i < h * h; i++)
                assert_true(isfinite(v.mean[i]) && isfinite(v.variance[i]));
        }
    rs_frame_free(frame);
    rs_ensemble_free(e);
}

static void survives_no_memory(void **state)
{
    (void)state;
    float x[16] = {0, 1, 2, 3, 4};
    rs_contrast c = (rs_contrast)7;
    reshed_error err = {0};
    test_alloc_fail_at(0);
    const reshed_status st = rs_contrast_look(x, 4, 4, x, 4, 4, &c, &err);
    test_alloc_fail_at(-1);
    assert_int_equal(st, RESHED_ENOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_is_told_at_any_size),
        cmocka_unit_test(usual_frames_have_none),
        cmocka_unit_test(a_hot_pixel_that_was_grown_is_told),
        cmocka_unit_test(values_alone_tell_what_has_none),
        cmocka_unit_test(the_pipeline_raises_the_alarm),
        cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests_name("contrast", tests, NULL, NULL);
}
