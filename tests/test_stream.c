/* Streaming inference against the whole frame: after every push each scanned row of the map is
 * compared with the network run on the canvas as it then is. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "model.h"
#include "nn/plan.h"
#include "nn/stream.h"
#include "tolerance.h"

static const int paper_layers[3] = {3, 4, 5}, short_layers[3] = {1, 2, 1};

/* One frame under test. */
typedef struct bench {
    rs_model_file model;
    int h, w;
    rs_stream_options options;
    rs_stream *stream;
    rs_plan *plan;                /* direct, whole frame */
    float *image, *canvas;        /* all rows; what the network should see */
    float *mean, *variance;       /* of the plan */
    bool *scanned;
    double worst;                 /* provisional rows so far */
    long finals, provisionals;    /* rows compared */
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
    rs_plan_options po = {.threads = 2, .isa = options.isa, .algo = RESHED_ALGO_DIRECT};
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

/* What the network should see, by the words of stream.h. */
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
    rs_stream_work(b->stream, true, NULL, NULL);
}

static int batch(test_rng *r)
{
    return test_below(r, 3) == 0 ? 1 : 1 + (int)test_below(r, 17);
}

/* A frame in random batches, down, up, or from somewhere in the middle, with lines scanned again. */
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
        if (check_all || test_below(r, 4) == 0) compare(b, when);
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

static const rs_isa isas[] = {RS_ISA_GENERIC, RS_ISA_AVX2, RS_ISA_AVX512};

static void random_sequences(void **state)
{
    (void)state;
    const int sequences = test_long() ? 2000 : 200;
    test_rng r = {test_seed()};
    double worst = 0;
    long finals = 0, provisionals = 0;
    for (int i = 0; i < sequences; i++) {
        bench b;
        rs_isa isa = isas[(size_t)i % 3];
        if (isa > rs_isa_best()) isa = rs_isa_best();
        const rs_stream_options o = {.threads = 1 + (int)test_below(&r, 3),
                                     .isa = isa,
                                     .reflect = i / 3 % 2 == 1,
                                     .preview = RS_PREVIEW_FP32};
        const int h = 160 + (int)test_below(&r, 24), w = 17 + 2 * (int)test_below(&r, 20);
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

int main(void)
{
    (void)short_layers;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_sequences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
