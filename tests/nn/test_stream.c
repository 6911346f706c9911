/* Streaming inference against the whole frame: after every push each scanned row of the map is
 * compared with the network run on the canvas as it then is. */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "support/model.h"
#include "nn/plan.h"
#include "nn/stream.h"
#include "support/tolerance.h"

static const int paper_layers[3] = {3, 4, 5}, short_layers[3] = {1, 2, 1};

/* One frame under test. */
typedef struct bench {
    rs_model_file model;
    int h, w;
    rs_stream_options options;
    rs_stream *stream;
    rs_plan *plan;          /* direct, whole frame */
    float *image, *canvas;  /* all rows; what the network should see */
    float *mean, *variance; /* of the plan */
    bool *scanned;
    double worst;              /* provisional rows so far */
    long finals, provisionals; /* rows compared */
} bench;

static void bench_make(bench *b, int members, int filters, int classes, const int *layers,
                       const char *upsampling, int h, int w, rs_stream_options options,
                       uint64_t seed)
{
    reshed_error err = {0};
    memset(b, 0, sizeof *b);
    const size_t n = (size_t)h * (size_t)w;
    b->h = h;
    b->w = w;
    b->options = options;
    test_model(&b->model, members, filters, classes, layers, upsampling, seed);
    rs_plan_options po = {.threads = 1, .isa = options.isa, .algo = RS_ALGO_DIRECT};
    assert_ok(rs_plan_create(&b->model, NULL, h, w, &po, &b->plan, &err), &err);
    assert_ok(rs_stream_create(&b->model, NULL, h, w, &options, &b->stream, &err), &err);
    b->image = rs_alloc(n, sizeof *b->image);
    b->canvas = rs_zalloc(n, sizeof *b->canvas);
    b->mean = rs_alloc(n * (size_t)classes, sizeof *b->mean);
    b->variance = rs_alloc(n * (size_t)classes, sizeof *b->variance);
    b->scanned = rs_zalloc((size_t)h, sizeof *b->scanned);
    assert_true(b->image && b->canvas && b->mean && b->variance && b->scanned);
    test_image(b->image, h, w, seed + 1);
}

static void bench_clear(bench *b)
{
    rs_stream_free(b->stream);
    rs_plan_free(b->plan);
    rs_free(b->image);
    rs_free(b->canvas);
    rs_free(b->mean);
    rs_free(b->variance);
    rs_free(b->scanned);
    rs_model_file_clear(&b->model);
}

static float *row(float *image, const bench *b, int y)
{
    return image + (size_t)y * (size_t)b->w;
}

/* The image that the network should see, by the words of stream.h. */
static void draw_canvas(bench *b)
{
    const size_t bytes = (size_t)b->w * sizeof(float);
    memset(b->canvas, 0, (size_t)b->h * bytes);
    for (int y = 0; y < b->h; y++)
        if (b->scanned[y]) memcpy(row(b->canvas, b, y), row(b->image, b, y), bytes);
    for (int y = 0; b->options.reflect && y < b->h; y++) {
        int nearest = -1;
        if (b->scanned[y]) continue;
        for (int z = 0; z < b->h; z++)
            if (b->scanned[z] && (nearest < 0 || abs(z - y) < abs(nearest - y))) nearest = z;
        if (nearest < 0) continue;
        const int j = nearest < y ? 2 * nearest + 1 - y : 2 * nearest - 1 - y;
        if (j >= 0 && j < b->h && b->scanned[j])
            memcpy(row(b->canvas, b, y), row(b->image, b, j), bytes);
    }
}

static int classes_of(const bench *b)
{
    return b->model.classes;
}

/* Every scanned row against the whole frame: final rows bit for bit, provisional ones within the
 * contract. */
static void compare(bench *b, const char *when)
{
    rs_stream_view v;
    const size_t n = (size_t)b->w * (size_t)classes_of(b);
    draw_canvas(b);
    rs_plan_run(b->plan, b->canvas, b->mean, b->variance, NULL);
    rs_stream_get(b->stream, &v);
    for (int y = 0; y < b->h; y++) {
        const rs_span f = rs_stream_field(b->stream, y);
        bool complete = true;
        for (int z = f.lo; z < f.hi; z++) complete &= b->scanned[z];
        const int want = !b->scanned[y] ? RS_ROW_UNSCANNED
                         : complete     ? RS_ROW_FINAL
                                        : RS_ROW_PROVISIONAL;
        if (v.state[y] != want)
            fail_msg("%s: row %d is %d, should be %d", when, y, v.state[y], want);
        if (want == RS_ROW_UNSCANNED) continue;
        if (v.stale[y]) fail_msg("%s: row %d is stale", when, y);
        const size_t at = (size_t)y * n;
        if (want == RS_ROW_FINAL) {
            b->finals++;
            if (memcmp(v.mean + at, b->mean + at, n * sizeof *v.mean) != 0 ||
                memcmp(v.variance + at, b->variance + at, n * sizeof *v.mean) != 0)
                fail_msg("%s: final row %d differs from the whole frame", when, y);
            continue;
        }
        b->provisionals++;
        for (size_t i = at; i < at + n; i++) {
            const double d = fmax(fabs((double)v.mean[i] - b->mean[i]),
                                  fabs((double)v.variance[i] - b->variance[i]));
            if (!(d <= b->worst)) b->worst = d;
            const double limit = b->options.preview == RS_PREVIEW_BF16 ? 4 * TOL_NET_BF16 : 2e-5;
            if (!(d <= limit)) fail_msg("%s: provisional row %d is off by %g", when, y, d);
        }
    }
}

static void push(bench *b, int first, int n)
{
    for (int i = 0; i < n; i++) b->scanned[first + i] = true;
    rs_stream_put(b->stream, first, n, row(b->image, b, first));
    rs_stream_work(b->stream, RS_STREAM_ALL, NULL, NULL);
}

static int batch(test_rng *r)
{
    return test_below(r, 3) == 0 ? 1 : 1 + (int)test_below(r, 17);
}

/* A frame in random batches, down, up, or from somewhere in the middle, with lines scanned
 * again. */
static void scan(bench *b, test_rng *r, bool check_all)
{
    const int way = (int)test_below(r, 5); /* 0, 1 down; 2, 3 up; 4 down from the middle */
    int at = way < 2 ? 0 : way < 4 ? b->h : (int)test_below(r, (uint64_t)b->h / 2);
    const int stop = test_below(r, 3) == 0 ? b->h / 2 : b->h; /* some frames are left unfinished */
    char when[96];
    for (int done = 0; done < stop;) {
        int n = batch(r);
        if (way == 2 || way == 3) {
            if (n > at) n = at;
            at -= n;
            push(b, at, n);
        } else {
            if (n > b->h - at) n = b->h - at;
            push(b, at, n);
            at += n;
        }
        done += n;
        snprintf(when, sizeof when, "way %d, rows to %d in a batch of %d", way, at, n);
        if (check_all || test_below(r, 6) == 0) compare(b, when);
        if (test_below(r, 25) == 0) { /* scan some of it again */
            int y = (int)test_below(r, (uint64_t)b->h), k = 0;
            while (y + k < b->h && b->scanned[y + k] && k < 5) k++;
            if (k) {
                for (int i = 0; i < b->w * k; i++)
                    row(b->image, b, y)[i] = (float)test_uniform(r, 0, 1);
                push(b, y, k);
                snprintf(when, sizeof when, "way %d, rows %d to %d again", way, y, y + k - 1);
                compare(b, when);
            }
        }
        if (at == 0 || at == b->h) break;
    }
    compare(b, "at the end");
}

/* The portable kernels are several times slower: fewer sequences for them. */
static const rs_isa isas[6] = {RS_ISA_GENERIC, RS_ISA_AVX2,   RS_ISA_AVX512,
                               RS_ISA_AVX2,    RS_ISA_AVX512, RS_ISA_AVX512};

static void random_sequences(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    const int sequences = 18; /* seven times as slow, and the plain run does all of them */
#else
    const int sequences = (int)test_tier(20, 200, 2000);
#endif
    test_rng r = {test_seed()};
    double worst = 0;
    long finals = 0, provisionals = 0;
    for (int i = 0; i < sequences; i++) {
        bench b;
        rs_isa isa = isas[(size_t)i % 6];
        if (isa > rs_isa_best()) isa = rs_isa_best();
        const rs_stream_options o = {.threads = 1 + (int)test_below(&r, 3),
                                     .isa = isa,
                                     .reflect = i / 6 % 2 == 1,
                                     .preview = RS_PREVIEW_FP32};
        const int h = 160 + (int)test_below(&r, 24), w = 17 + 2 * (int)test_below(&r, 6);
        bench_make(&b, 1 + (int)test_below(&r, 2), 8, 1, paper_layers,
                   i % 7 == 0 ? "nearest" : "bilinear", h, w, o, test_seed() + (uint64_t)i);
        scan(&b, &r, false);
        if (b.worst > worst) worst = b.worst;
        finals += b.finals;
        provisionals += b.provisionals;
        bench_clear(&b);
    }
    printf("# %d sequences: %ld final rows equal, %ld provisional rows within %.2g\n", sequences,
           finals, provisionals, worst);
}

/* Other networks and settings, whole frames in order. */
static void shapes_and_previews(void **state)
{
    (void)state;
    static const struct {
        int members, filters, classes, h, w;
        const int *layers;
        const char *upsampling;
        rs_preview preview;
        bool reflect;
    } c[] = {
        {2, 8, 3, 90, 31, short_layers, "bilinear", RS_PREVIEW_FP32, false},
        {1, 20, 1, 61, 18, short_layers, "nearest", RS_PREVIEW_FP32, true},
        {3, 8, 1, 170, 33, paper_layers, "bilinear", RS_PREVIEW_BF16, false},
        {1, 8, 2, 165, 16, paper_layers, "bilinear", RS_PREVIEW_BF16, true},
        {1, 8, 1, 16, 16, short_layers, "bilinear", RS_PREVIEW_FP32, false},
        {1, 8, 1, 47, 29, paper_layers, "bilinear", RS_PREVIEW_FP32, true}, /* lower than the
                                                                               radius */
    };
    for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
        test_rng r = {test_seed() + i};
        bench b;
        const rs_stream_options o = {
            .threads = 2, .isa = rs_isa_best(), .reflect = c[i].reflect, .preview = c[i].preview};
        bench_make(&b, c[i].members, c[i].filters, c[i].classes, c[i].layers, c[i].upsampling,
                   c[i].h, c[i].w, o, test_seed() + i);
        for (int k = 0; k < (int)test_tier(1, 3, 3); k++) {
            scan(&b, &r, true);
            rs_stream_reset(b.stream);
            memset(b.scanned, 0, (size_t)b.h * sizeof *b.scanned);
        }
        bench_clear(&b);
    }
}

/* Without a preview only final rows have values. */
static void final_rows_only(void **state)
{
    (void)state;
    bench b;
    rs_stream_view v;
    const rs_stream_options o = {.threads = 1, .isa = rs_isa_best(), .preview = RS_PREVIEW_OFF};
    bench_make(&b, 1, 8, 1, paper_layers, "bilinear", 180, 40, o, 5);
    int finals = 0;
    for (int y = 0; y < 140; y += 4) push(&b, y, 4);
    draw_canvas(&b);
    rs_plan_run(b.plan, b.canvas, b.mean, b.variance, NULL);
    rs_stream_get(b.stream, &v);
    for (int y = 0; y < b.h; y++) {
        if (v.state[y] == RS_ROW_FINAL) {
            finals++;
            assert_memory_equal(row((float *)(uintptr_t)v.mean, &b, y), row(b.mean, &b, y),
                                (size_t)b.w * sizeof(float));
        } else {
            assert_true(isnan(row((float *)(uintptr_t)v.mean, &b, y)[0]));
        }
    }
    assert_int_equal(v.lag, 0);
    assert_true(finals > 60);
    bench_clear(&b);
}

/* No row outside a row's field changes it, and the field's first and last rows do. */
static void fields_hold(void **state)
{
    (void)state;
    bench b;
    const rs_stream_options o = {.threads = 1, .isa = rs_isa_best(), .preview = RS_PREVIEW_OFF};
    test_rng r = {test_seed()};
    for (int k = 0; k < 2; k++) {
        bench_make(&b, 1, 8, 1, k ? short_layers : paper_layers, "bilinear", 163 + k, 24, o, 3);
        float *base = rs_alloc((size_t)b.h * (size_t)b.w, sizeof *base);
        assert_non_null(base);
        rs_plan_run(b.plan, b.image, base, b.variance, NULL);
        int reached = 0, tried = 0;
        for (int i = 0; i < (int)test_tier(12, 60, 60); i++) {
            const int z = (int)test_below(&r, (uint64_t)b.h);
            float kept[64];
            memcpy(kept, row(b.image, &b, z), (size_t)b.w * sizeof *kept);
            for (int x = 0; x < b.w; x++) row(b.image, &b, z)[x] += 40.0f;
            rs_plan_run(b.plan, b.image, b.mean, b.variance, NULL);
            memcpy(row(b.image, &b, z), kept, (size_t)b.w * sizeof *kept);
            for (int y = 0; y < b.h; y++) {
                const rs_span f = rs_stream_field(b.stream, y);
                const bool same =
                    memcmp(row(base, &b, y), row(b.mean, &b, y), (size_t)b.w * sizeof *kept) == 0;
                if (z < f.lo || z >= f.hi) {
                    if (!same)
                        fail_msg("row %d changes row %d, which has [%d,%d)", z, y, f.lo, f.hi);
                } else if (z == f.lo || z == f.hi - 1) {
                    tried++;
                    reached += !same;
                }
            }
        }
        /* The outermost row reaches through many small weights: not always to the last bit. */
        printf("# the edge of the field: %d of %d changes arrive\n", reached, tried);
        assert_true(reached > 0);
        rs_free(base);
        bench_clear(&b);
    }
}

/* The same lines in other portions, on other numbers of threads: the same bits when all is done. */
static void order_does_not_matter(void **state)
{
    (void)state;
    enum { H = 176, W = 37 };
    static float first[2 * H * W];
    for (int k = 0; k < 6; k++) {
        bench b;
        rs_stream_view v;
        test_rng r = {test_seed() + (uint64_t)k};
        const rs_stream_options o = {.threads = 1 + k % 3,
                                     .isa = rs_isa_best(),
                                     .reflect = k % 2 == 1,
                                     .preview = k == 5 ? RS_PREVIEW_OFF : RS_PREVIEW_FP32};
        bench_make(&b, 3, 8, 1, paper_layers, "bilinear", H, W, o, 11);
        for (int y = 0; y < H;) {
            int n = batch(&r);
            if (n > H - y) n = H - y;
            push(&b, k % 2 ? H - y - n : y, n);
            y += n;
        }
        rs_stream_get(b.stream, &v);
        for (int y = 0; y < H; y++) assert_int_equal(v.state[y], RS_ROW_FINAL);
        const size_t n = (size_t)H * W;
        if (k == 0) {
            memcpy(first, v.mean, n * sizeof *first);
            memcpy(first + n, v.variance, n * sizeof *first);
        } else {
            assert_memory_equal(v.mean, first, n * sizeof *first);
            assert_memory_equal(v.variance, first + n, n * sizeof *first);
        }
        bench_clear(&b);
    }
}

/* A frame that ends early: with sides that are multiples of four, the same as the smaller frame. */
static void unfinished_frames(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        bench b;
        rs_stream_view v;
        reshed_error err = {0};
        const int h = 176, lo = k == 1 ? 40 : k == 3 ? 8 : 0, hi = k == 0 ? 100 : k == 3 ? 20 : h;
        const rs_stream_options o = {.threads = 2, .isa = rs_isa_best(), .preview = k % 3};
        bench_make(&b, 2, 8, 1, paper_layers, "bilinear", h, 41, o, 17);
        for (int y = lo; y < hi; y += 4)
            if (k == 1) /* upwards */
                push(&b, h - 4 - (y - lo), 4);
            else
                push(&b, y, 4);
        float *before = rs_alloc((size_t)h * 41, sizeof *before);
        uint8_t was[176];
        assert_non_null(before);
        rs_stream_get(b.stream, &v);
        memcpy(before, v.mean, (size_t)h * 41 * sizeof *before);
        memcpy(was, v.state, sizeof was);
        assert_true(rs_stream_finish(b.stream));
        rs_plan *small = NULL;
        const rs_plan_options po = {.threads = 1, .isa = o.isa, .algo = RS_ALGO_DIRECT};
        assert_ok(rs_plan_create(&b.model, NULL, hi - lo, 41, &po, &small, &err), &err);
        rs_plan_run(small, row(b.image, &b, lo), b.mean, b.variance, NULL);
        rs_stream_get(b.stream, &v);
        for (int y = 0; y < h; y++) {
            assert_int_equal(v.state[y], y < lo || y >= hi ? RS_ROW_UNSCANNED : RS_ROW_FINAL);
            if (y < lo || y >= hi) continue;
            if (was[y] == RS_ROW_FINAL)
                assert_memory_equal(v.mean + y * 41, before + y * 41, 41 * sizeof *before);
            assert_memory_equal(v.mean + y * 41, b.mean + (y - lo) * 41, 41 * sizeof *before);
        }
        rs_plan_free(small);
        rs_free(before);
        bench_clear(&b);
    }
}

/* Stops after so many looks at the clock. */
static bool stop_after(void *ctx)
{
    int *left = ctx;
    return (*left)-- <= 0;
}

/* Work in pieces comes to the same as work at once, and nothing is dropped on the way. */
static void interrupted_work(void **state)
{
    (void)state;
    bench b;
    rs_stream_view v;
    test_rng r = {test_seed()};
    const rs_stream_options o = {.threads = 2, .isa = rs_isa_best(), .preview = RS_PREVIEW_FP32};
    bench_make(&b, 2, 8, 1, paper_layers, "bilinear", 170, 35, o, 23);
    int lagged = 0;
    for (int y = 0; y < b.h; y++) {
        int looks = (int)test_below(&r, 3);
        b.scanned[y] = true;
        rs_stream_put(b.stream, y, 1, row(b.image, &b, y));
        rs_stream_work(b.stream, test_below(&r, 3) == 0 ? RS_STREAM_ALL : RS_STREAM_STALE,
                       stop_after, &looks);
        rs_stream_get(b.stream, &v);
        assert_true(v.lag >= 0 && v.lag <= y + 1);
        lagged += v.lag > 1;
        if (y == 60) { /* all rows anew, as after a change of range */
            for (int i = 0; i < b.h * b.w; i++) b.image[i] *= 0.9f;
            rs_stream_replace(b.stream, b.image);
        }
    }
    assert_true(lagged > 0);
    rs_stream_work(b.stream, RS_STREAM_ALL, NULL, NULL);
    rs_stream_get(b.stream, &v);
    assert_int_equal(v.lag, 0);
    compare(&b, "after interruptions");
    bench_clear(&b);
}

static void memory_failures(void **state)
{
    (void)state;
    rs_model_file m;
    reshed_error err = {0};
    const rs_stream_options o = {.threads = 2, .isa = rs_isa_best(), .preview = RS_PREVIEW_FP32};
    test_model(&m, 2, 4, 1, short_layers, "bilinear", 1);
    for (long n = 0;; n++) {
        rs_stream *s = NULL;
        test_alloc_fail_at(n);
        const reshed_status st = rs_stream_create(&m, NULL, 32, 32, &o, &s, &err);
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        rs_stream_free(s);
        if (!failed) {
            assert_int_equal(st, RESHED_OK);
            break;
        }
        assert_int_equal(st, RESHED_ENOMEM);
        assert_null(s);
    }
    rs_model_file_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_sequences),      cmocka_unit_test(shapes_and_previews),
        cmocka_unit_test(final_rows_only),       cmocka_unit_test(fields_hold),
        cmocka_unit_test(order_does_not_matter), cmocka_unit_test(unfinished_frames),
        cmocka_unit_test(interrupted_work),      cmocka_unit_test(memory_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
