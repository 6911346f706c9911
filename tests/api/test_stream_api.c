#define _POSIX_C_SOURCE 200809L
/* The public stream: its checks at the door, normalisation, budget, gaps and ends of frames. What
 * the rows hold is compared with RESHED_ALGO_DIRECT of the whole frame; the network's own streaming
 * is tested row by row in test_stream.c. */
#include "reshed.h"
#include "support/support.h"
#include "support/tolerance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/image/fill.h"
#include "imgproc/image/normalise.h"

#define ENSEMBLE "tiny_bilinear_ensemble_metadict.tar"

/* Higher than two receptive fields, so that rows become final; small enough to be cheap. */
enum { H = 148, W = 27, N = H * W };

static reshed_ensemble *load(void)
{
    reshed_ensemble *e = NULL;
    reshed_error err = {0};
    assert_ok(reshed_ensemble_load(test_data(ENSEMBLE), &e, &err), &err);
    return e;
}

static reshed_stream_options options(reshed_stream_norm norm)
{
    reshed_stream_options o;
    reshed_stream_defaults(&o);
    o.norm = norm;
    o.threads = 1;
    return o;
}

static reshed_stream *make(const reshed_ensemble *e, const reshed_stream_options *o)
{
    reshed_stream *s = NULL;
    reshed_error err = {0};
    assert_ok(reshed_stream_create(e, H, W, o, &s, &err), &err);
    return s;
}

static void push(reshed_stream *s, int first, int rows, const float *image)
{
    reshed_error err = {0};
    assert_ok(reshed_stream_push(s, first, rows, image + (size_t)first * W, &err), &err);
}

static reshed_stream_view view_of(const reshed_stream *s)
{
    reshed_stream_view v;
    reshed_stream_get(s, &v);
    return v;
}

/* Stripes and noise about `offset`; later rows reach further by `growth`, so that ranges move. */
static void draw(float *image, float offset, float growth)
{
    test_rng r = {test_seed()};
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            image[y * W + x] =
                offset + (1 + growth * (float)y / H) *
                             ((float)((x + y / 2) / 5 % 2) + (float)test_uniform(&r, -0.2, 0.2));
}

/* RESHED_ALGO_DIRECT of canvas [rows,W], as it is. */
static void whole(const reshed_ensemble *e, int rows, const float *canvas, float *mean,
                  float *variance, float *members)
{
    reshed_plan *p = NULL;
    reshed_error err = {0};
    const reshed_options o = {.size = sizeof o, .threads = 1, .algo = RESHED_ALGO_DIRECT};
    assert_ok(reshed_plan_create(e, rows, W, &o, &p, &err), &err);
    assert_ok(reshed_plan_run(p, canvas, mean, variance, members, &err), &err);
    reshed_plan_free(p);
}

/* Every row is final and has the bits of the whole frame: image [H,W] without gaps, normalised with
 * the range in force. */
static void assert_complete(const reshed_ensemble *e, const reshed_stream *s, const float *image,
                            bool clip)
{
    static float canvas[N], mean[N], variance[N], members[8 * N];
    reshed_error err = {0};
    const reshed_stream_view v = view_of(s);
    const rs_norm_range r = {v.lo, v.hi};
    assert_true(v.members <= 8);
    assert_int_equal(v.lag, 0);
    for (int y = 0; y < H; y++) {
        assert_int_equal(v.state[y], RESHED_ROW_FINAL);
        assert_int_equal(v.stale[y], 0);
    }
    assert_ok(rs_norm_apply(image, N, r, clip, canvas, &err), &err);
    assert_memory_equal(v.input, canvas, sizeof canvas);
    whole(e, H, canvas, mean, variance, members);
    assert_memory_equal(v.mean, mean, sizeof mean);
    assert_memory_equal(v.variance, variance, sizeof variance);
    assert_memory_equal(v.member, members, (size_t)v.members * sizeof mean);
}

/* ------------------------------------------------------------------------------------- the door */

static void options_are_checked(void **state)
{
    (void)state;
    reshed_ensemble *e = load();
    reshed_stream_options good, bad[12];
    reshed_stream_defaults(&good);
    assert_int_equal(good.norm, RESHED_STREAM_ROBUST);
    for (size_t i = 0; i < 12; i++) bad[i] = good;
    bad[0].threads = -1;
    bad[1].threads = 1025;
    bad[2].norm = (reshed_stream_norm)4;
    bad[3].norm = (reshed_stream_norm)-1;
    bad[4].front = (reshed_front)2;
    bad[5].preview = (reshed_preview)3;
    bad[6].budget = -0.1;
    bad[7].budget = NAN;
    bad[8].norm = bad[9].norm = bad[10].norm = bad[11].norm = RESHED_STREAM_FIXED;
    bad[8].lo = bad[8].hi = 1;
    bad[9].lo = NAN;
    bad[10].hi = INFINITY;
    bad[11].lo = 2, bad[11].hi = 1;
    static const char *const what[] = {"threads", "threads", "norm",  "norm",  "front", "preview",
                                       "budget",  "budget",  "range", "range", "range", "range"};
    for (size_t i = 0; i < 12; i++) {
        reshed_stream *s = NULL;
        reshed_error err = {0};
        assert_int_equal(reshed_stream_create(e, 16, 16, &bad[i], &s, &err), RESHED_EINVAL);
        assert_null(s);
        assert_string_equal(err.what, what[i]);
    }
    static const int sizes[][2] = {{15, 16}, {16, 15},      {0, 16},
                                   {-5, 16}, {16, 1 << 20}, {1 << 20, 16}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        reshed_stream *s = NULL;
        assert_int_equal(reshed_stream_create(e, sizes[i][0], sizes[i][1], &good, &s, NULL),
                         RESHED_EINVAL);
        assert_null(s);
    }
    reshed_stream *s = NULL;
    reshed_error err = {0};
    assert_int_equal(reshed_stream_create(NULL, 16, 16, NULL, &s, &err), RESHED_EINVAL);
    assert_int_equal(reshed_stream_create(e, 16, 16, NULL, NULL, &err), RESHED_EINVAL);
    assert_int_equal(reshed_stream_create_taking(NULL, 16, 16, NULL, &s, &err), RESHED_EINVAL);
    assert_int_equal(reshed_stream_push(NULL, 0, 1, NULL, &err), RESHED_EINVAL);
    assert_int_equal(reshed_stream_work(NULL, &err), RESHED_EINVAL);
    assert_int_equal(reshed_stream_finish(NULL, &err), RESHED_EINVAL);
    /* a refused stream takes nothing from the ensemble */
    assert_int_equal(reshed_stream_create_taking(e, 16, 16, &bad[0], &s, &err), RESHED_EINVAL);
    assert_ok(reshed_stream_create(e, 16, 16, NULL, &s, &err), &err);
    const reshed_stream_view v = view_of(s);
    assert_true(v.height == 16 && v.width == 16 && v.classes == 1 && v.members > 1);
    reshed_stream_free(s);
    reshed_stream_free(NULL);
    reshed_ensemble_free(e);
}

/* All that a view shows, to compare before and after. */
typedef struct snapshot {
    float mean[N], variance[N], input[N];
    uint8_t state[H], stale[H];
    reshed_stream_view v;
} snapshot;

static void take(const reshed_stream *s, snapshot *out)
{
    memset(out, 0, sizeof *out);
    out->v = view_of(s);
    memcpy(out->mean, out->v.mean, sizeof out->mean);
    memcpy(out->variance, out->v.variance, sizeof out->variance);
    memcpy(out->input, out->v.input, sizeof out->input);
    memcpy(out->state, out->v.state, sizeof out->state);
    memcpy(out->stale, out->v.stale, sizeof out->stale);
}

static void assert_unchanged(const reshed_stream *s, const snapshot *before)
{
    static snapshot after;
    take(s, &after);
    assert_memory_equal(&after, before, sizeof after);
}

static void refused_pushes_change_nothing(void **state)
{
    (void)state;
    static float image[N];
    static snapshot before;
    reshed_ensemble *e = load();
    const reshed_stream_options o = options(RESHED_STREAM_SCANNED);
    reshed_stream *s = make(e, &o);
    draw(image, 3, 1);
    push(s, 0, 20, image);
    take(s, &before);
    static const int rows[][2] = {{-1, 1}, {H, 1},         {H - 1, 2},     {0, 0},        {0, -1},
                                  {5, H},  {0, INT32_MAX}, {INT32_MAX, 1}, {INT32_MIN, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        reshed_error err = {0};
        assert_int_equal(reshed_stream_push(s, rows[i][0], rows[i][1], image, &err), RESHED_EINVAL);
        assert_string_equal(err.what, "rows");
        assert_unchanged(s, &before);
    }
    assert_int_equal(reshed_stream_push(s, 20, 1, NULL, NULL), RESHED_EINVAL);
    assert_unchanged(s, &before);
    push(s, 20, H - 20, image);
    assert_complete(e, s, image, false);
    reshed_stream_free(s);
    reshed_ensemble_free(e);
}

/* -------------------------------------------------------------------------------- normalisation */

static void each_range_ends_in_the_whole_frame(void **state)
{
    (void)state;
    static float image[N];
    reshed_ensemble *e = load();
    for (int norm = RESHED_STREAM_ROBUST; norm <= RESHED_STREAM_FIXED; norm++) {
        for (int k = 0; k < 3; k++) {
            /* down, up with a mirror, down in batches without a preview */
            if (test_quick() && k != norm % 3) continue;
            reshed_stream_options o = options((reshed_stream_norm)norm);
            o.lo = 2.5f, o.hi = 4.5f;
            o.front = k == 1 ? RESHED_FRONT_REFLECT : RESHED_FRONT_ZERO;
            o.preview = k == 2 ? RESHED_PREVIEW_OFF : RESHED_PREVIEW_FP32;
            draw(image, 3, 1);
            reshed_stream *s = make(e, &o);
            const int step = k == 2 ? 9 : 2;
            for (int y = 0; y < H; y += step) {
                const int n = y + step < H ? step : H - y;
                push(s, k == 1 ? H - y - n : y, n, image);
            }
            assert_complete(e, s, image, norm == RESHED_STREAM_ROBUST);
            const reshed_stream_view v = view_of(s);
            size_t outside = 0;
            float least = image[0], greatest = image[0];
            for (int i = 0; i < N; i++) {
                outside += image[i] < v.lo || image[i] > v.hi;
                if (image[i] < least) least = image[i];
                if (image[i] > greatest) greatest = image[i];
            }
            assert_true(fabs(v.clipped - (double)outside / N) < TOL_DOUBLE);
            assert_int_equal(v.filled, 0);
            if (norm == RESHED_STREAM_FIXED) {
                assert_true(v.lo == 2.5f && v.hi == 4.5f && v.range_changes == 0);
            } else if (norm != RESHED_STREAM_ROBUST) { /* a whole canvas has no unscanned zeros */
                assert_true(v.lo == least && v.hi == greatest && v.range_changes > 0);
            } else {
                assert_true(v.clipped <= 0.02);
            }
            reshed_stream_free(s);
        }
    }
    reshed_ensemble_free(e);
}

/* Changes of the least or greatest value are counted as lines come, one at a time. */
static void changes_of_range_are_counted(void **state)
{
    (void)state;
    static float image[N];
    reshed_ensemble *e = load();
    const reshed_stream_options o = options(RESHED_STREAM_SCANNED);
    reshed_stream *s = make(e, &o);
    draw(image, -1, 0.3f);
    float lo = INFINITY, hi = -INFINITY;
    int changes = -1; /* the first range is no change */
    for (int y = 0; y < 40; y++) {
        const float was_lo = lo, was_hi = hi;
        for (int x = 0; x < W; x++) {
            lo = fminf(lo, image[y * W + x]);
            hi = fmaxf(hi, image[y * W + x]);
        }
        changes += lo != was_lo || hi != was_hi;
        push(s, y, 1, image);
        const reshed_stream_view v = view_of(s);
        assert_int_equal(v.range_changes, changes);
        assert_true(v.lo == lo && v.hi == hi && v.clipped == 0);
    }
    assert_true(changes > 2 && changes < 39);
    reshed_stream_free(s);
    reshed_ensemble_free(e);
}

/* As AtomAI's predictor does with the paper's canvas: unscanned rows are 0, then min-max. */
static void frame_is_the_whole_canvas(void **state)
{
    (void)state;
    static float image[N], canvas[N], mean[N], variance[N];
    reshed_ensemble *e = load();
    for (int k = 0; k < 2; k++) { /* zero lies below all values; within them */
        const reshed_stream_options o = options(RESHED_STREAM_FRAME);
        reshed_stream *s = make(e, &o);
        draw(image, k ? -0.5f : 3, 0.5f);
        memset(canvas, 0, sizeof canvas);
        int finals = 0;
        for (int y = 0, n; y < H; y += n) {
            n = y % 3 == 0 ? 1 : 17;
            if (n > H - y) n = H - y;
            push(s, y, n, image);
            reshed_error err = {0};
            memset(canvas, 0, sizeof canvas);
            memcpy(canvas, image, (size_t)(y + n) * W * sizeof *canvas);
            assert_ok(reshed_normalise(canvas, N, &err), &err);
            whole(e, H, canvas, mean, variance, NULL);
            const reshed_stream_view v = view_of(s);
            assert_memory_equal(v.input, canvas, sizeof canvas);
            for (int i = 0; i < (y + n) * W; i++) {
                assert_true(fabsf(v.mean[i] - mean[i]) <= TOL_NET_WINOGRAD);
                assert_true(fabsf(v.variance[i] - variance[i]) <= TOL_NET_WINOGRAD);
            }
            for (int r = 0; r < H; r++) {
                assert_int_equal(v.stale[r], 0);
                if (v.state[r] != RESHED_ROW_FINAL) continue;
                finals++;
                assert_memory_equal(v.mean + r * W, mean + r * W, W * sizeof *mean);
            }
        }
        assert_true(finals > H);
        reshed_stream_free(s);
    }
    reshed_ensemble_free(e);
}

/* One hot pixel, after the first lines and within them. */
static void a_hot_pixel_does_not_rescale(void **state)
{
    (void)state;
    static float image[N], input[N];
    static const float hot[] = {1e6f, -1e6f, 3e38f};
    reshed_ensemble *e = load();
    const reshed_stream_options o = options(RESHED_STREAM_ROBUST);
    draw(image, 3, 0);
    for (int i = 0; i < N; i++) image[i] = fminf(fmaxf(image[i], 2.9f), 4.1f);
    reshed_stream *s = make(e, &o);
    for (int y = 0; y < 60; y++) push(s, y, 1, image);
    const reshed_stream_view plain = view_of(s);
    memcpy(input, plain.input, sizeof input);
    for (int i = 0; i < 3; i++) {
        static float spoilt[N];
        const int at = 33 * W + 11; /* a later line: nothing else notices */
        memcpy(spoilt, image, sizeof spoilt);
        spoilt[at] = hot[i];
        reshed_stream_reset(s);
        for (int y = 0; y < 60; y++) push(s, y, 1, spoilt);
        reshed_stream_view v = view_of(s);
        assert_true(v.lo == plain.lo && v.hi == plain.hi && v.range_changes == plain.range_changes);
        for (int k = 0; k < N; k++)
            if (k == at)
                assert_true(v.input[k] == (hot[i] > 0 ? 1.0f : 0.0f));
            else
                assert_true(v.input[k] == input[k]);
        /* one of the first lines: a percentile moves by one pixel in its order, no more */
        memcpy(spoilt, image, sizeof spoilt);
        spoilt[5 * W + 11] = hot[i];
        reshed_stream_reset(s);
        for (int y = 0; y < 60; y++) push(s, y, 1, spoilt);
        v = view_of(s);
        assert_true(fabsf(v.lo - plain.lo) < 0.05f && fabsf(v.hi - plain.hi) < 0.05f);
    }
    reshed_stream_free(s);
    reshed_ensemble_free(e);
}

/* The range of the first 16 lines, kept while few later pixels leave it, then widened. */
static void robust_widens_when_many_clip(void **state)
{
    (void)state;
    static float image[N];
    reshed_ensemble *e = load();
    reshed_error err = {0};
    const reshed_stream_options o = options(RESHED_STREAM_ROBUST);
    reshed_stream *s = make(e, &o);
    rs_norm_range first, all;
    draw(image, 0, 0);
    for (int y = 40; y < H; y++)
        for (int x = 0; x < W; x++) image[y * W + x] = 3 * image[y * W + x] - 1;
    for (int y = 16; y < 40; y++) /* one pixel in a hundred leaves it */
        for (int x = 0; x < W; x++) {
            float *v = &image[y * W + x];
            *v = fminf(fmaxf(*v, -0.1f), 1.1f);
            if ((y * W + x) % 100 == 0) *v = 7;
        }
    for (int y = 0; y < 16; y++) push(s, y, 1, image);
    assert_ok(rs_norm_range_robust(image, 16 * W, &first, &err), &err);
    reshed_stream_view v = view_of(s);
    assert_true(v.lo == first.lo && v.hi == first.hi);
    const int changes = v.range_changes;
    for (int y = 16; y < 40; y++) push(s, y, 1, image);
    v = view_of(s);
    assert_int_equal(v.range_changes, changes);
    assert_true(v.clipped > 0 && v.clipped < 0.02);
    int y = 40;
    while (view_of(s).range_changes == changes && y < 60) push(s, y, 1, image), y++;
    assert_true(y < 45);
    v = view_of(s);
    assert_ok(rs_norm_range_robust(image, (size_t)y * W, &all, &err), &err);
    assert_true(v.lo == fminf(all.lo, first.lo) && v.hi == fmaxf(all.hi, first.hi));
    assert_true(v.lo < first.lo && v.hi > first.hi);
    for (; y < H; y++) push(s, y, 1, image);
    assert_complete(e, s, image, true);
    reshed_stream_free(s);
    reshed_ensemble_free(e);
}

/* --------------------------------------------------------------------------------------- budget */

/* Every look at it takes a while. */
typedef struct fake_clock {
    double now, step;
} fake_clock;

static double tick(void *ctx)
{
    fake_clock *c = ctx;
    return c->now += c->step;
}

static void time_enough_means_no_lag(void **state)
{
    (void)state;
    static float image[N];
    reshed_ensemble *e = load();
    fake_clock clock = {0, 1e-3};
    reshed_stream_options o = options(RESHED_STREAM_SCANNED);
    o.budget = 1e6;
    o.clock = tick;
    o.clock_ctx = &clock;
    reshed_stream *s = make(e, &o);
    draw(image, 0, 1);
    for (int y = 0; y < H; y++) {
        push(s, y, 1, image);
        const reshed_stream_view v = view_of(s);
        assert_int_equal(v.lag, 0);
        for (int r = 0; r <= y; r++) assert_int_equal(v.stale[r], 0);
    }
    assert_complete(e, s, image, false);
    reshed_stream_free(s);
    reshed_ensemble_free(e);
}

/* The time is up at every look: each push still takes its rows in, and the front is renewed at
 * least every second time. */
static void a_small_budget_coalesces_lines(void **state)
{
    (void)state;
    static float image[N];
    reshed_ensemble *e = load();
    fake_clock clock = {0, 1};
    reshed_stream_options o = options(RESHED_STREAM_FIXED);
    o.hi = 2;
    o.budget = 0.5;
    o.clock = tick;
    o.clock_ctx = &clock;
    reshed_stream *s = make(e, &o);
    draw(image, 0, 1);
    int lagging = 0;
    for (int y = 0; y < H; y++) {
        push(s, y, 1, image);
        const reshed_stream_view v = view_of(s);
        assert_in_range(v.lag, 0, 1);
        lagging += v.lag;
        assert_int_equal(v.stale[y], v.lag);
        assert_int_equal(isnan(v.mean[y * W]) != 0, v.lag);
        if (y > 0 && v.lag) assert_int_equal(isnan(v.mean[(y - 1) * W]), 0);
    }
    assert_in_range(lagging, H / 4, H / 2 + 1); /* some were put together, none waited longer */
    for (int i = 0; i < 3; i++) assert_int_equal(reshed_stream_work(s, NULL), RESHED_OK);
    assert_complete(e, s, image, false);
    reshed_stream_free(s);
    reshed_ensemble_free(e);
}

/* Stale rows, of which without a preview those that only wait for lines to come do not count. */
static int stale_rows(const reshed_stream *s, int scanned, bool preview)
{
    const reshed_stream_view v = view_of(s);
    int n = 0, first, end;
    for (int y = 0; y < H; y++) {
        reshed_stream_field(s, y, &first, &end);
        n += v.stale[y] && (preview || end <= scanned);
    }
    return n;
}

/* A late line changes the range; with no time, the rows of the old range say that they are stale
 * and are renewed from the newest on, and nothing is lost. */
static void stale_rows_are_renewed_newest_first(void **state)
{
    (void)state;
    static float image[N];
    for (int preview = RESHED_PREVIEW_FP32; preview <= RESHED_PREVIEW_OFF;
         preview += RESHED_PREVIEW_OFF) {
        reshed_ensemble *e = load();
        fake_clock clock = {0, 0};
        reshed_stream_options o = options(RESHED_STREAM_SCANNED);
        o.preview = (reshed_preview)preview;
        o.budget = 0.5;
        o.clock = tick;
        o.clock_ctx = &clock;
        reshed_stream *s = make(e, &o);
        draw(image, 0, 0);
        enum { LATE = 140 };
        image[LATE * W + 3] = 9;
        for (int y = 0; y < LATE; y++) push(s, y, 1, image);
        reshed_stream_view v = view_of(s);
        const bool shows = preview != RESHED_PREVIEW_OFF;
        assert_int_equal(stale_rows(s, LATE, shows), 0);
        assert_int_equal(v.lag, 0);
        clock.step = 1; /* from here on the time is always up */
        const int changes = v.range_changes;
        push(s, LATE, 1, image);
        v = view_of(s);
        assert_int_equal(v.range_changes, changes + 1);
        assert_true(v.hi == 9 && stale_rows(s, LATE + 1, shows) > LATE / 2);
        for (int y = 0; y <= LATE; y++)
            if (v.stale[y]) assert_int_equal(v.state[y], RESHED_ROW_PROVISIONAL);
        int calls = 0, cleared = 0, last = H;
        bool was[H];
        for (int y = 0; y < H; y++) was[y] = v.stale[y];
        while (stale_rows(s, LATE + 1, shows) > 0 && ++calls < 100) {
            const bool shown = v.lag == 0 && (!v.stale[LATE] || !shows);
            assert_int_equal(reshed_stream_work(s, NULL), RESHED_OK);
            v = view_of(s);
            int newest = -1, oldest = H;
            for (int y = 0; y < H; y++) {
                if (was[y] && !v.stale[y]) {
                    cleared++;
                    newest = y;
                    if (oldest == H) oldest = y;
                }
                was[y] = v.stale[y];
            }
            if (newest < 0 || !shown) continue; /* the latest line's own work came first */
            assert_true(newest < last);
            last = oldest;
        }
        assert_true(calls > 2 && calls < 100 && cleared > LATE / 2 && last == 0);
        assert_int_equal(v.lag, 0);
        for (int y = LATE + 1; y < H; y++) push(s, y, 1, image);
        for (int i = 0; i < 100; i++) assert_int_equal(reshed_stream_work(s, NULL), RESHED_OK);
        assert_complete(e, s, image, false);
        reshed_stream_free(s);
        reshed_ensemble_free(e);
    }
}

/* ----------------------------------------------------------------------------------- gaps, ends */

static void gaps_are_filled_and_counted(void **state)
{
    (void)state;
    static float image[N], filled[N];
    reshed_ensemble *e = load();
    reshed_error err = {0};
    reshed_stream_options o = options(RESHED_STREAM_FIXED);
    o.hi = 2;
    reshed_stream *s = make(e, &o);
    draw(image, 0, 1);
    image[3 * W] = image[3 * W + 1] = NAN; /* at the edge */
    image[9 * W + 7] = INFINITY;           /* within a row */
    for (int x = 0; x < W; x++)            /* whole rows: one, and two at the frame's last line */
        image[70 * W + x] = image[77 * W + x] = image[78 * W + x] = NAN;
    memcpy(filled, image, sizeof filled);
    size_t pixels = 0;
    assert_ok(rs_fill_gaps(filled, H, W, &pixels, &err), &err);
    assert_int_equal(pixels, 3 + 3 * W);
    for (int y = 0; y < H; y += 4) push(s, y, 4, image); /* rows 70, 77, 78 within portions */
    reshed_stream_view v = view_of(s);
    assert_int_equal(v.filled, 3);
    for (int y = 0; y < H; y++) {
        assert_int_equal(v.state[y] == RESHED_ROW_UNSCANNED, y == 70 || y == 77 || y == 78);
        if (v.state[y] == RESHED_ROW_UNSCANNED)
            for (int x = 0; x < W; x++)
                assert_true(v.input[y * W + x] == 0 && isnan(v.mean[y * W + x]));
    }
    assert_int_equal(v.state[71], RESHED_ROW_PROVISIONAL);
    push(s, 9, 1, image); /* a lost line does not replace one that came */
    const float *nothing = image + 70 * W;
    assert_ok(reshed_stream_push(s, 10, 1, nothing, &err), &err);
    assert_int_equal(view_of(s).state[10] == RESHED_ROW_UNSCANNED, 0);
    assert_ok(reshed_stream_finish(s, &err), &err);
    assert_int_equal(view_of(s).filled, 3 + 1 + 3 * W);
    assert_complete(e, s, filled, false);
    reshed_stream_free(s);
    reshed_ensemble_free(e);
}

static void a_frame_can_end_early(void **state)
{
    (void)state;
    enum { ROWS = 92 };
    static float image[N], canvas[N], mean[N], variance[N];
    static snapshot before;
    reshed_ensemble *e = load();
    reshed_error err = {0};
    const reshed_stream_options o = options(RESHED_STREAM_ROBUST);
    reshed_stream *s = make(e, &o);
    draw(image, 1, 0.2f);
    assert_int_equal(reshed_stream_finish(s, &err), RESHED_EINVAL); /* no row at all */
    push(s, 0, 1, image);
    push(s, 2, 1, image); /* too few, even with the row between */
    take(s, &before);
    assert_int_equal(reshed_stream_finish(s, &err), RESHED_EINVAL);
    assert_non_null(strstr(err.expected, "coarsest"));
    assert_unchanged(s, &before);
    push(s, 1, 1, image);
    for (int y = 3; y < ROWS; y++) push(s, y, 1, image);
    assert_ok(reshed_stream_finish(s, &err), &err);
    reshed_stream_view v = view_of(s);
    for (int y = 0; y < H; y++)
        assert_int_equal(v.state[y], y < ROWS ? RESHED_ROW_FINAL : RESHED_ROW_UNSCANNED);
    assert_true(isnan(v.mean[ROWS * W]));
    assert_ok(rs_norm_apply(image, ROWS * W, (rs_norm_range){v.lo, v.hi}, true, canvas, &err),
              &err);
    whole(e, ROWS, canvas, mean, variance, NULL); /* sides of four: as the lower frame */
    assert_memory_equal(v.mean, mean, ROWS * W * sizeof *mean);
    assert_memory_equal(v.variance, variance, ROWS * W * sizeof *mean);
    take(s, &before);
    assert_int_equal(reshed_stream_push(s, ROWS, 1, image + ROWS * W, &err), RESHED_EINVAL);
    assert_non_null(strstr(err.found, "finished"));
    assert_unchanged(s, &before);
    assert_ok(reshed_stream_work(s, &err), &err); /* nothing left to do */
    assert_ok(reshed_stream_finish(s, &err), &err);
    assert_unchanged(s, &before);

    reshed_stream_reset(s);
    v = view_of(s);
    assert_true(v.lag == 0 && v.range_changes == 0 && v.filled == 0 && v.clipped == 0);
    for (int y = 0; y < H; y++) {
        assert_int_equal(v.state[y], RESHED_ROW_UNSCANNED);
        assert_int_equal(v.stale[y], 0);
    }
    for (int i = 0; i < N; i++) assert_true(isnan(v.mean[i]) && v.input[i] == 0);
    for (int y = 0; y < H; y += 4) push(s, y, 4, image);
    assert_complete(e, s, image, true);
    reshed_stream_free(s);
    reshed_ensemble_free(e);
}

/* --------------------------------------------------------------------------- threads and memory */

static void threads_and_taking_give_the_same_bits(void **state)
{
    (void)state;
    static float image[N];
    static snapshot first, other;
    draw(image, 2, 0.4f);
    for (int k = 0; k < 4; k++) {
        if (test_quick() && k == 1) continue;
        reshed_ensemble *e = load();
        reshed_error err = {0};
        reshed_stream *s = NULL, *none = NULL;
        reshed_stream_options o = options(RESHED_STREAM_ROBUST);
        o.threads = k + 1;
        if (k < 3) {
            s = make(e, &o);
        } else {
            reshed_plan *plan = NULL;
            o.threads = 1;
            assert_ok(reshed_stream_create_taking(e, H, W, &o, &s, &err), &err);
            assert_int_equal(reshed_stream_create(e, H, W, &o, &none, &err), RESHED_EINVAL);
            assert_int_equal(reshed_plan_create(e, H, W, NULL, &plan, &err), RESHED_EINVAL);
        }
        reshed_ensemble_free(e); /* not needed any more */
        for (int y = 0; y < 120; y += 3) push(s, y, 3, image);
        take(s, k ? &other : &first);
        reshed_stream_free(s);
        if (k == 0) continue;
        assert_memory_equal(other.mean, first.mean, sizeof first.mean); /* provisional rows too */
        assert_memory_equal(other.variance, first.variance, sizeof first.variance);
        assert_memory_equal(other.state, first.state, sizeof first.state);
    }
}

static void memory_is_counted_and_may_run_out(void **state)
{
    (void)state;
    static float image[N];
    reshed_ensemble *e = load();
    reshed_stream_options o = options(RESHED_STREAM_ROBUST);
    long n = 0;
    for (;; n++) {
        reshed_stream *s = NULL;
        reshed_error err = {0};
        test_alloc_fail_at(n);
        const reshed_status st = reshed_stream_create(e, 20, 24, &o, &s, &err);
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_int_equal(st, RESHED_OK);
            reshed_stream_free(s);
            break;
        }
        assert_int_equal(st, RESHED_ENOMEM);
        assert_null(s);
        assert_true(err.status == RESHED_ENOMEM && err.what[0]);
    }
    assert_true(n > 20);
    size_t weights, state_bytes, fewer, less;
    reshed_stream *s = make(e, &o);
    draw(image, 0, 1);
    test_alloc_reset();
    for (int y = 0; y < H; y += 5) push(s, y, y + 5 < H ? 5 : H - y, image);
    assert_ok(reshed_stream_finish(s, NULL), NULL);
    assert_int_equal(test_alloc_count(), 0);
    reshed_stream_bytes(s, &weights, &state_bytes);
    reshed_stream_free(s);
    reshed_ensemble_info info;
    reshed_ensemble_get_info(e, &info);
    assert_true(weights > 4 * 9 * (size_t)info.members * 16);
    /* at least its maps: input, raw, work, mean, variance, a probability a member */
    assert_true(state_bytes > (5 + (size_t)info.members) * N * sizeof(float));
    o.preview = RESHED_PREVIEW_OFF; /* neither its weights nor its rows */
    s = make(e, &o);
    reshed_stream_bytes(s, &fewer, &less);
    assert_true(fewer < weights && less < state_bytes);
    reshed_stream_free(s);
    reshed_ensemble_free(e);
}

static void fields_are_those_of_the_network(void **state)
{
    (void)state;
    reshed_ensemble *e = load();
    reshed_ensemble_info info;
    reshed_ensemble_get_info(e, &info);
    const reshed_stream_options o = options(RESHED_STREAM_ROBUST);
    reshed_stream *s = make(e, &o);
    int widest = 0;
    for (int y = 0; y < H; y++) {
        int first = -1, end = -1;
        reshed_stream_field(s, y, &first, &end);
        assert_true(first >= 0 && first <= y && end > y && end <= H);
        if (y - first > widest) widest = y - first;
        if (end - 1 - y > widest) widest = end - 1 - y;
    }
    assert_in_range(widest, info.receptive_radius - 2, info.receptive_radius);
    static const int outside[] = {-1, H, INT32_MAX};
    for (int i = 0; i < 3; i++) {
        int first = 5, end = 5;
        reshed_stream_field(s, outside[i], &first, &end);
        assert_true(first == end);
    }
    reshed_stream_free(s);
    reshed_ensemble_free(e);
}

/* The example, compiled against the installed form of the library: a simulated image, and one from
 * a file. */
static void the_example_runs(void **state)
{
    (void)state;
    const char *build = getenv("B"), *san = getenv("SAN"), *cc = getenv("CC");
    if (!build || (san && *san)) skip(); /* run outside make, or built with a sanitizer's runtime */
    static float image[40 * W];
    FILE *f = fopen(test_temp("frame.raw"), "wb");
    assert_non_null(f);
    for (int i = 0; i < 40 * W; i++) image[i] = (float)(i % W / 7 % 2);
    assert_int_equal(fwrite(image, sizeof *image, 40 * W, f), 40 * W);
    assert_int_equal(fclose(f), 0);
    char frame[64], cmd[1024], line[128], last[128] = "";
    for (int k = 0; k < 3; k++) {
        const char *program = test_temp("example_stream");
        snprintf(frame, sizeof frame, "%d %d", k == 2 ? 41 : 40, W); /* 41: the file is too short */
        if (k == 0)
            snprintf(cmd, sizeof cmd,
                     "%s -std=c11 -Wall -Wextra -Werror -Iinclude examples/stream.c -o %s "
                     "-L%s -lreshed -lm -Wl,-rpath,%s && %s %s",
                     cc && *cc ? cc : "cc", program, build, build, program, test_data(ENSEMBLE));
        else
            snprintf(cmd, sizeof cmd, "%s %s %s %s 2>&1", program, test_data(ENSEMBLE),
                     test_temp("frame.raw"), frame);
        FILE *out = popen(cmd, "r");
        assert_non_null(out);
        int lines = 0, row, finals, provisional;
        double ms, uncertainty;
        while (fgets(line, sizeof line, out)) memcpy(last, line, sizeof last), lines++;
        const int status = pclose(out);
        if (k == 2) {
            assert_true(status != 0 && strncmp(last, "usage:", 6) == 0);
            break;
        }
        assert_int_equal(status, 0);
        assert_int_equal(lines, 1 + (k ? 40 : 128)); /* a heading, and every line of the frame */
        assert_int_equal(
            sscanf(last, "%d %d %d %lf %lf", &row, &finals, &provisional, &ms, &uncertainty), 5);
        assert_true(row == lines - 2 && finals == lines - 1 && provisional == 0);
        assert_true(ms > 0 && uncertainty > 0 && uncertainty < 0.25);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(refused_pushes_change_nothing),
        cmocka_unit_test(each_range_ends_in_the_whole_frame),
        cmocka_unit_test(changes_of_range_are_counted),
        cmocka_unit_test(frame_is_the_whole_canvas),
        cmocka_unit_test(a_hot_pixel_does_not_rescale),
        cmocka_unit_test(robust_widens_when_many_clip),
        cmocka_unit_test(time_enough_means_no_lag),
        cmocka_unit_test(a_small_budget_coalesces_lines),
        cmocka_unit_test(stale_rows_are_renewed_newest_first),
        cmocka_unit_test(gaps_are_filled_and_counted),
        cmocka_unit_test(a_frame_can_end_early),
        cmocka_unit_test(threads_and_taking_give_the_same_bits),
        cmocka_unit_test(memory_is_counted_and_may_run_out),
        cmocka_unit_test(fields_are_those_of_the_network),
        cmocka_unit_test(the_example_runs),
    };
    return cmocka_run_group_tests_name("stream_api", tests, NULL, NULL);
}
