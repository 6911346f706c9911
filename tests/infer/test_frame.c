/* The frame pipeline: its maps are compared, bit by bit, with the parts called one by one. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/image/fill.h"
#include "imgproc/image/threshold.h"
#include "infer/frame.h"
#include "infer/judge.h"

#define BILINEAR "tiny_bilinear_ensemble_metadict.tar" /* one class */
#define NEAREST "tiny_nearest3_ensemble_metadict.tar"  /* three */

enum { H = 30, W = 43, N = H * W };

static rs_ensemble *load(const char *name)
{
    rs_ensemble *e = NULL;
    reshed_error err = {0};
    assert_ok(rs_ensemble_load(test_data(name), &e, &err), &err);
    return e;
}

static rs_frame_options options(rs_frame_norm norm)
{
    rs_frame_options o;
    rs_frame_defaults(&o);
    o.norm = norm;
    o.lo = 2.8, o.hi = 4;
    o.engine.threads = 1;
    return o;
}

static rs_frame *make(const rs_ensemble *e, const rs_frame_options *o)
{
    rs_frame *f = NULL;
    reshed_error err = {0};
    assert_ok(rs_frame_create(e, o, &f, &err), &err);
    return f;
}

/* Stripes about 3.5, with noise. */
static void draw(float *image, int height, int width)
{
    test_rng r = {test_seed()};
    for (int i = 0; i < height * width; i++)
        image[i] =
            3 + (float)((i % width + i / width / 2) / 6 % 2) + (float)test_uniform(&r, -0.2, 0.2);
}

static rs_frame_view run(rs_frame *f, const float *image, int height, int width, double pixel)
{
    rs_frame_view v;
    reshed_error err = {0};
    assert_ok(rs_frame_run(f, image, height, width, pixel, pixel, &err), &err);
    rs_frame_get(f, &v);
    return v;
}

/* The parts, one by one. th, tw: the network's grid. Results in new memory of the test. */
typedef struct by_hand {
    float image[N], mean[3 * N], variance[3 * N];
    float input[4 * N], small_mean[12 * N], small_variance[12 * N];
    rs_norm_range range;
} by_hand;

static void do_by_hand(const rs_ensemble *e, const rs_frame_options *o, const float *image, int th,
                       int tw, by_hand *out)
{
    const int c = e->arch.classes;
    const size_t n = (size_t)th * (size_t)tw;
    rs_plan_options po;
    rs_plan *plan = NULL;
    size_t filled = 0;
    reshed_error err = {0};
    for (size_t i = 0; i < sizeof *out / sizeof(float); i++) ((float *)out)[i] = NAN;
    memcpy(out->image, image, sizeof out->image);
    assert_ok(rs_fill_gaps(out->image, H, W, &filled, &err), &err);
    assert_ok(rs_resample(out->image, H, W, 1, RS_GROW_CATMULL_ROM, out->input, th, tw, &err),
              &err);
    switch (o->norm) {
    case RS_FRAME_MIN_MAX:
        assert_ok(rs_norm_range_frame(out->input, n, &out->range, &err), &err);
        break;
    case RS_FRAME_ROBUST:
        assert_ok(rs_norm_range_robust(out->input, n, &out->range, &err), &err);
        break;
    case RS_FRAME_FIXED: out->range = (rs_norm_range){(float)o->lo, (float)o->hi}; break;
    }
    assert_ok(
        rs_norm_apply(out->input, n, out->range, o->norm != RS_FRAME_MIN_MAX, out->input, &err),
        &err);
    assert_ok(rs_engine_plan_options(&o->engine, &po, &err), &err);
    assert_ok(rs_plan_create(&e->model, NULL, th, tw, &po, &plan, &err), &err);
    rs_plan_run(plan, out->input, out->small_mean, out->small_variance, NULL);
    rs_plan_free(plan);
    assert_ok(rs_resample(out->small_mean, th, tw, c, RS_GROW_BILINEAR, out->mean, H, W, &err),
              &err);
    assert_ok(
        rs_resample(out->small_variance, th, tw, c, RS_GROW_BILINEAR, out->variance, H, W, &err),
        &err);
}

static void assert_same(const rs_frame_view *v, const by_hand *b, int th, int tw)
{
    const size_t bytes = sizeof(float) * N;
    assert_int_equal(v->height, H);
    assert_int_equal(v->width, W);
    assert_int_equal(v->input_height, th);
    assert_int_equal(v->input_width, tw);
    assert_memory_equal(v->image, b->image, bytes);
    assert_memory_equal(v->input, b->input, sizeof(float) * (size_t)th * (size_t)tw);
    assert_memory_equal(v->mean, b->mean, bytes * (size_t)v->classes);
    assert_memory_equal(v->variance, b->variance, bytes * (size_t)v->classes);
    assert_true(v->range.lo == b->range.lo && v->range.hi == b->range.hi);
}

static void maps_are_those_of_the_parts(void **state)
{
    (void)state;
    static float image[N];
    static by_hand b;
    draw(image, H, W);
    for (int norm = RS_FRAME_MIN_MAX; norm <= RS_FRAME_FIXED; norm++)
        for (int several = 0; several < 2; several++) {
            rs_ensemble *e = load(several ? NEAREST : BILINEAR);
            const rs_frame_options o = options((rs_frame_norm)norm);
            rs_frame *f = make(e, &o);
            const rs_frame_view v = run(f, image, H, W, 0);
            do_by_hand(e, &o, image, H, W, &b);
            assert_same(&v, &b, H, W);
            assert_string_equal(v.resampled, "");
            assert_true(v.filled == 0 && v.classes == (several ? 3 : 1));
            assert_int_equal(v.members, e->model.members);
            assert_true(isnan(v.ood_score) && !v.alarm && !v.checked && v.seconds > 0);
            double sum = 0, walls = 0;
            for (int i = 0; i < N * v.classes; i++) sum += (double)v.variance[i];
            for (int i = 0; i < N; i++) {
                const float wall = several ? 1 - v.mean[3 * i] : v.mean[i];
                assert_true(v.wall[i] == wall);
                assert_true(v.wall_variance[i] == v.variance[several ? 3 * i : i]);
                walls += wall > (float)RS_THRESHOLD_DEFAULT;
            }
            assert_true(v.mean_uncertainty == sum / (N * v.classes));
            assert_true(v.wall_fraction == walls / N && walls > 0);
            rs_frame_free(f);
            rs_ensemble_free(e);
        }
}

/* Pixels of 12 nm, trained on 6 to 8: the grid grows; at 3 nm it shrinks. */
static void another_pixel_size_is_resampled_and_back(void **state)
{
    (void)state;
    static const struct {
        double pixel;
        int height, width;
    } grid[] = {{12e-9, 45, 65}, {3e-9, 15, 22}, {7e-9, H, W}, {0, H, W}};
    static float image[N];
    static by_hand b;
    draw(image, H, W);
    rs_ensemble *e = load(BILINEAR);
    e->model.pixel_size_min = 6e-9;
    e->model.pixel_size_max = 8e-9;
    const rs_frame_options o = options(RS_FRAME_ROBUST);
    rs_frame *f = make(e, &o);
    for (size_t i = 0; i < sizeof grid / sizeof *grid; i++) {
        const rs_frame_view v = run(f, image, H, W, grid[i].pixel);
        do_by_hand(e, &o, image, grid[i].height, grid[i].width, &b);
        assert_same(&v, &b, grid[i].height, grid[i].width);
        assert_int_equal(*v.resampled != '\0', grid[i].height != H);
    }
    rs_frame_free(f);
    rs_ensemble_free(e);
}

/* As AtomAI's SegPredictor: zeros at the bottom and on the right of the raw image, then the range. The maps
 * are those of the image. */
static void padding_is_zeros_before_the_range(void **state)
{
    (void)state;
    enum { PH = 32, PW = 48 };
    static const char *const weights[] = {"tiny_unet_ensemble_metadict.tar",
                                          "tiny_unet_dilated_ensemble_metadict.tar"};
    static float image[N], padded[PH * PW];
    draw(image, H, W);
    for (int y = 0; y < H; y++) memcpy(padded + y * PW, image + y * W, W * sizeof *image);
    for (int k = 0; k < 2; k++) {
        rs_ensemble *e = load(weights[k]);
        rs_frame_options o = options(RS_FRAME_MIN_MAX);
        rs_frame *plain = make(e, &o), *f;
        reshed_error err = {0};
        assert_int_equal(rs_frame_run(plain, image, H, W, 0, 0, &err), RESHED_EUNSUPPORTED);
        assert_non_null(strstr(err.expected, "24 x 40 or 32 x 48"));
        const rs_frame_view want = run(plain, padded, PH, PW, 0);
        o.pad = true;
        f = make(e, &o);
        const rs_frame_view v = run(f, image, H, W, 0);
        assert_true(v.height == H && v.width == W && v.input_height == PH && v.input_width == PW);
        assert_memory_equal(v.image, image, sizeof image);
        assert_memory_equal(v.input, want.input, sizeof padded);
        assert_true(v.range.lo == want.range.lo && v.range.hi == want.range.hi && v.range.lo == 0);
        const size_t c = (size_t)v.classes;
        for (size_t y = 0; y < H; y++) {
            assert_memory_equal(v.mean + y * W * c, want.mean + y * PW * c, W * c * sizeof(float));
            assert_memory_equal(v.variance + y * W * c, want.variance + y * PW * c,
                                W * c * sizeof(float));
        }
        const rs_frame_view whole = run(f, padded, PH, PW, 0); /* nothing to pad */
        assert_memory_equal(whole.mean, want.mean, PH * PW * c * sizeof(float));
        rs_frame_free(plain);
        rs_frame_free(f);
        rs_ensemble_free(e);
    }
}

/* The network's grid is padded, not the image's. */
static void a_resampled_image_is_padded_too(void **state)
{
    (void)state;
    static float image[N];
    draw(image, H, W);
    rs_ensemble *e = load("tiny_dilnet_ensemble_metadict.tar");
    e->model.pixel_size_min = 6e-9;
    e->model.pixel_size_max = 8e-9;
    rs_frame_options o = options(RS_FRAME_MIN_MAX);
    o.pad = true;
    rs_frame *f = make(e, &o);
    const rs_frame_view v = run(f, image, H, W, 12e-9);
    assert_true(v.height == H && v.width == W && v.input_height == 46 && v.input_width == 66);
    for (int i = 0; i < N; i++) assert_true(v.mean[i] >= 0 && v.mean[i] <= 1 && v.variance[i] >= 0);
    rs_frame_free(f);
    rs_ensemble_free(e);
}

/* Each turn done by hand, as an image of its own, and its maps turned back. */
static void turns_are_averaged(void **state)
{
    (void)state;
    static float image[N], turned[N], mean[8][3 * N], variance[8][3 * N];
    draw(image, H, W);
    for (int several = 0; several < 2; several++) {
        rs_ensemble *e = load(several ? NEAREST : BILINEAR);
        e->model.ood = (rs_ood_model){.version = RS_OOD_VERSION, .features = RS_OOD_FEATURES};
        rs_frame_options o = options(RS_FRAME_MIN_MAX);
        rs_frame *plain = make(e, &o);
        const size_t c = (size_t)e->arch.classes;
        const double score = run(plain, image, H, W, 0).ood_score;
        for (int k = 0; k < 8; k++) { /* half turn, rows, columns flipped; then swapped */
            const bool rows = k % 4 == 1 || k % 4 == 2, cols = k % 4 == 1 || k % 4 == 3;
            const int h = k < 4 ? H : W, w = k < 4 ? W : H;
            for (int pass = 0; pass < 2; pass++) {
                rs_frame_view v = {0};
                if (pass) v = run(plain, turned, h, w, 0);
                for (int y = 0; y < H; y++)
                    for (int x = 0; x < W; x++) {
                        const int a = rows ? H - 1 - y : y, b = cols ? W - 1 - x : x;
                        const size_t at = (size_t)(k < 4 ? a * W + b : b * H + a),
                                     i = (size_t)(y * W + x);
                        if (!pass) turned[at] = image[i];
                        for (size_t j = 0; pass && j < c; j++) {
                            mean[k][i * c + j] = v.mean[at * c + j];
                            variance[k][i * c + j] = v.variance[at * c + j];
                        }
                    }
            }
        }
        for (int n = 1; n <= 8; n *= 2) {
            o.average = n;
            rs_frame *f = make(e, &o);
            run(f, image, W, H, 0); /* another shape before */
            const rs_frame_view v = run(f, image, H, W, 0);
            assert_true(several ? isnan(v.ood_score) : v.ood_score == score);
            for (size_t i = 0; i < N * c; i++) {
                double m = 0, s = 0;
                for (int k = 0; k < n; k++) m += (double)mean[k][i] / n;
                for (int k = 0; k < n; k++)
                    s += ((double)variance[k][i] + pow((double)mean[k][i] - m, 2)) / n;
                assert_true(fabs((double)v.mean[i] - m) < 1e-6);
                assert_true(fabs((double)v.variance[i] - s) < 1e-6);
            }
            if (n == 1) assert_memory_equal(v.mean, mean[0], N * c * sizeof(float));
            rs_frame_free(f);
        }
        rs_frame_free(plain);
        rs_ensemble_free(e);
    }
}

static void gaps_are_filled_and_counted(void **state)
{
    (void)state;
    static float image[N], filled[N];
    static by_hand b;
    rs_ensemble *e = load(BILINEAR);
    const rs_frame_options o = options(RS_FRAME_MIN_MAX);
    rs_frame *f = make(e, &o);
    draw(image, H, W);
    for (int x = 0; x < W; x++) image[5 * W + x] = NAN; /* a lost line */
    image[0] = INFINITY;
    image[N - 1] = -INFINITY;
    rs_frame_view v = run(f, image, H, W, 0);
    assert_int_equal(v.filled, W + 2);
    do_by_hand(e, &o, image, H, W, &b);
    assert_same(&v, &b, H, W);
    memcpy(filled, v.image, sizeof filled);
    assert_true(filled[0] == image[1] && isnan(image[5 * W])); /* the caller's image stays */
    v = run(f, filled, H, W, 0);
    assert_int_equal(v.filled, 0);
    assert_memory_equal(v.mean, b.mean, sizeof(float) * N);
    rs_frame_free(f);
    rs_ensemble_free(e);
}

/* Larger, smaller, and the first again: the same bits, and no more memory than for the largest. */
static void sizes_may_change(void **state)
{
    (void)state;
    static float image[2 * N], first[N];
    rs_ensemble *e = load(BILINEAR);
    const rs_frame_options o = options(RS_FRAME_MIN_MAX);
    rs_frame *f = make(e, &o);
    draw(image, H, 2 * W);
    memcpy(first, run(f, image, H, W, 0).mean, sizeof first);
    run(f, image, H, 2 * W, 0);
    const size_t bytes = rs_frame_bytes(f);
    run(f, image, 4, 4, 0);
    assert_memory_equal(run(f, image, H, W, 0).mean, first, sizeof first);
    run(f, image, H, 2 * W, 0);
    assert_int_equal(rs_frame_bytes(f), bytes);
    assert_true(bytes > sizeof(float) * 8 * N);
    rs_frame_free(f);
    rs_ensemble_free(e);
}

static void unusable_images_leave_no_results(void **state)
{
    (void)state;
    static float image[N], empty[N];
    static const int sizes[][2] = {{3, W},  {H, 3},       {0, W},
                                   {-1, W}, {H, 1 << 20}, {1 << 30, 1 << 30}};
    rs_ensemble *e = load(BILINEAR);
    rs_frame_options o = options(RS_FRAME_MIN_MAX);
    rs_frame *f = make(e, &o);
    rs_frame_view v;
    reshed_error err = {0};
    draw(image, H, W);
    rs_frame_get(f, &v);
    assert_true(v.mean == NULL && v.height == 0); /* before the first */
    for (int i = 0; i < N; i++) empty[i] = NAN;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        run(f, image, H, W, 0);
        assert_true(rs_frame_run(f, image, sizes[i][0], sizes[i][1], 0, 0, &err) != RESHED_OK);
        rs_frame_get(f, &v);
        assert_true(v.mean == NULL && v.height == 0);
    }
    assert_int_equal(rs_frame_run(f, empty, H, W, 0, 0, &err), RESHED_EINVAL);
    rs_frame_free(f);
    o.resample = (rs_resample_request){RS_RESAMPLE_PIXEL_SIZE, 5e-9};
    f = make(e, &o);
    assert_int_equal(rs_frame_run(f, image, H, W, 0, 0, &err), RESHED_EINVAL); /* of what size? */
    run(f, image, H, W, 5e-9);
    rs_frame_free(f);
    rs_ensemble_free(e);
}

static void options_are_checked(void **state)
{
    (void)state;
    rs_frame_options bad[15];
    reshed_error err = {0};
    rs_ensemble *e = load(BILINEAR);
    for (size_t i = 0; i < 14; i++) rs_frame_defaults(&bad[i]);
    assert_ok(rs_frame_check(&bad[0], &err), &err);
    bad[0].engine.threads = -1;
    bad[1].engine.algo = (rs_algo)9;
    bad[2].engine.precision = (rs_precision)2;
    bad[3].engine = (rs_engine_options){.algo = RS_ALGO_GEMM, .precision = RS_BF16};
    bad[4].norm = (rs_frame_norm)3;
    bad[5].norm = bad[6].norm = bad[7].norm = RS_FRAME_FIXED;
    bad[5].lo = bad[5].hi = 1;
    bad[6].lo = NAN;
    bad[7].hi = INFINITY;
    bad[8].resample.mode = (rs_resample_mode)3;
    bad[9].resample = (rs_resample_request){RS_RESAMPLE_PIXEL_SIZE, 0};
    bad[10].resample = (rs_resample_request){RS_RESAMPLE_PIXEL_SIZE, NAN};
    bad[11].threshold = 1.1;
    bad[12].threshold = NAN;
    bad[13].check_precision = true;
    bad[14].average = 3;
    static const char *const what[] = {"threads",
                                       "algorithm",
                                       "precision",
                                       "algorithm for bf16",
                                       "norm",
                                       "range",
                                       "range",
                                       "range",
                                       "resampling",
                                       "pixel size",
                                       "pixel size",
                                       "threshold",
                                       "threshold",
                                       "precision to be checked",
                                       "turns to be averaged"};
    for (size_t i = 0; i < 14; i++) {
        rs_frame *f = NULL;
        assert_int_equal(rs_frame_create(e, &bad[i], &f, &err), RESHED_EINVAL);
        assert_null(f);
        assert_string_equal(err.what, what[i]);
        /* a refused frame takes nothing from the ensemble */
        assert_int_equal(rs_frame_create_taking(e, &bad[i], &f, NULL), RESHED_EINVAL);
    }
    assert_false(e->taken);
    rs_ensemble_free(e);
    rs_frame_free(NULL);
}

static void taking_gives_the_same_bits(void **state)
{
    (void)state;
    static float image[N];
    rs_ensemble *e = load(BILINEAR);
    const rs_frame_options o = options(RS_FRAME_MIN_MAX);
    rs_frame *sharing = make(e, &o), *taking = NULL, *none = NULL;
    reshed_error err = {0};
    draw(image, H, W);
    assert_ok(rs_frame_create_taking(e, &o, &taking, &err), &err);
    assert_int_equal(rs_frame_create(e, &o, &none, &err), RESHED_EINVAL);
    rs_ensemble_free(e);
    assert_memory_equal(run(sharing, image, H, W, 0).mean, run(taking, image, H, W, 0).mean,
                        sizeof image);
    rs_frame_free(sharing);
    rs_frame_free(taking);
}

/* A model of the score: all features are of variance 1 about 0. */
static void frames_are_judged(void **state)
{
    (void)state;
    static float image[N];
    double x[RS_OOD_FEATURES], score;
    reshed_error err = {0};
    draw(image, H, W);
    rs_ensemble *e = load(BILINEAR);
    rs_ood_model *m = &e->model.ood;
    *m = (rs_ood_model){.version = RS_OOD_VERSION, .features = RS_OOD_FEATURES, .frames = 100};
    for (int i = 0; i < RS_OOD_FEATURES; i++) m->whiten[i][i] = 1;
    const rs_frame_options o = options(RS_FRAME_MIN_MAX);
    for (int k = 0; k < 3; k++) {
        e->model.ood_threshold = k == 0 ? 0 : k == 1 ? 1e-3 : 1e9;
        rs_frame *f = make(e, &o);
        const rs_frame_view v = run(f, image, H, W, 0);
        assert_ok(rs_ood_features(v.input, v.mean, v.variance, W, 0, H, x, &err), &err);
        assert_ok(rs_ood_score(m, x, &score, &err), &err);
        assert_true(v.ood_score == score && v.ood_threshold == e->model.ood_threshold);
        assert_int_equal(v.alarm, k == 1);
        const rs_frame_view small = run(f, image, 20, 20, 0); /* too small for a score */
        assert_true(isnan(small.ood_score) && !small.alarm && small.mean);
        rs_frame_free(f);
    }
    rs_ensemble_free(e);
    e = load(NEAREST); /* nor with several classes */
    e->model.ood = (rs_ood_model){.version = RS_OOD_VERSION, .features = RS_OOD_FEATURES};
    rs_frame *f = make(e, &o);
    assert_true(isnan(run(f, image, H, W, 0).ood_score));
    rs_frame_free(f);
    rs_ensemble_free(e);
}

static void precision_is_checked(void **state)
{
    (void)state;
    static float image[N];
    rs_ensemble *e = load(BILINEAR);
    rs_frame_options o = options(RS_FRAME_MIN_MAX);
    rs_frame *full = make(e, &o);
    o.engine.precision = RS_BF16;
    o.check_precision = true;
    rs_frame *half = make(e, &o);
    draw(image, H, W);
    const rs_frame_view a = run(full, image, H, W, 0), b = run(half, image, H, W, 0);
    double largest = 0, sum = 0;
    for (int i = 0; i < N; i++) {
        const double d = fabs((double)a.mean[i] - (double)b.mean[i]);
        largest = fmax(largest, d);
        sum += d / N;
    }
    assert_true(b.checked && b.mean_error.largest == largest && b.mean_error.average == sum);
    assert_true(largest > 0 && b.variance_error.largest > 0);
    rs_frame_free(full);
    rs_frame_free(half);
    rs_ensemble_free(e);
}

static void short_memory_is_reported(void **state)
{
    (void)state;
    static float image[N], mean[N];
    rs_frame_options o = options(RS_FRAME_ROBUST);
    o.resample = (rs_resample_request){RS_RESAMPLE_PIXEL_SIZE, 6e-9};
    o.average = 8;
    rs_ensemble *e = load(BILINEAR);
    e->model.ood = (rs_ood_model){.version = RS_OOD_VERSION, .features = RS_OOD_FEATURES};
    draw(image, H, W);
    image[7] = NAN;
    rs_frame *f = make(e, &o);
    memcpy(mean, run(f, image, H, W, 4e-9).mean, sizeof mean);
    rs_frame_free(f);
    f = NULL;
    for (long n = 0;; n++) { /* of creation */
        assert_true(n < 1000);
        test_alloc_fail_at(n);
        const reshed_status st = rs_frame_create(e, &o, &f, NULL);
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        assert_int_equal(st, failed ? RESHED_ENOMEM : RESHED_OK);
        if (!failed) break;
        assert_null(f);
    }
    for (long n = 0;; n++) { /* of the first run */
        assert_true(n < 1000);
        test_alloc_fail_at(n);
        const reshed_status st = rs_frame_run(f, image, H, W, 4e-9, 4e-9, NULL);
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        rs_frame_view v;
        rs_frame_get(f, &v);
        assert_int_equal(st, failed ? RESHED_ENOMEM : RESHED_OK);
        if (!failed) break;
        assert_null(v.mean);
        if (n % 5 == 4) { /* some of the memory may stay with it */
            rs_frame_free(f);
            f = make(e, &o);
        }
    }
    assert_memory_equal(run(f, image, H, W, 4e-9).mean, mean, sizeof mean);
    rs_frame_free(f);
    rs_ensemble_free(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_are_those_of_the_parts),
        cmocka_unit_test(another_pixel_size_is_resampled_and_back),
        cmocka_unit_test(padding_is_zeros_before_the_range),
        cmocka_unit_test(a_resampled_image_is_padded_too),
        cmocka_unit_test(turns_are_averaged),
        cmocka_unit_test(gaps_are_filled_and_counted),
        cmocka_unit_test(sizes_may_change),
        cmocka_unit_test(unusable_images_leave_no_results),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(taking_gives_the_same_bits),
        cmocka_unit_test(frames_are_judged),
        cmocka_unit_test(precision_is_checked),
        cmocka_unit_test(short_memory_is_reported),
    };
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
