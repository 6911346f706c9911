/* live.c - normalisation and the time budget around nn/stream.h.
 *
 * The raw rows are kept, because a change of range means that the network has to see all of them
 * anew. */
#include "infer/live.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/parallel.h"
#include "base/statistics.h"
#include "imgproc/image/fill.h"
#include "imgproc/image/normalise.h"

/* Lines from which the robust range is taken, and those after it before it may be widened. */
#define FIRST_LINES 16
#define LATER_LINES 4
#define CLIPPED_MOST 0.02

struct rs_live {
    rs_stream *stream;
    rs_live_options options;
    int height, width, members, classes;
    float *raw;       /* [H,W] */
    float *work;      /* [H,W]: a copy for percentiles, rows on their way to the network */
    size_t *space;    /* for percentiles */
    uint8_t *scanned; /* [H] */
    uint8_t *ranged;  /* [H]: the robust range has taken note of it */
    int ranged_lines, latest;
    bool going_up; /* rows of a push came from the last to the first */
    int lines;     /* scanned */
    bool have_range, finished;
    rs_norm_range range;
    int range_changes;
    size_t filled, outside;      /* pixels; outside the range in force */
    size_t later, later_outside; /* since the robust range was fixed */
    double deadline, front_seconds;
    bool asked, front_skipped; /* the clock, in this call; the front, in the last one */
};

void rs_live_defaults(rs_live_options *o)
{
    *o = (rs_live_options){.norm = RS_LIVE_ROBUST, .hi = 1};
}

reshed_status rs_live_check(const rs_live_options *o, reshed_error *err)
{
    if (o->threads < 0 || o->threads > 1024)
        return rs_fail(err, RESHED_EINVAL, "threads|0 to 1024|%d", o->threads);
    if (o->norm < RS_LIVE_ROBUST || o->norm > RS_LIVE_FIXED)
        return rs_fail(err, RESHED_EINVAL, "norm|a value of reshed_stream_norm|%d", (int)o->norm);
    if (o->norm == RS_LIVE_FIXED && !(isfinite(o->lo) && isfinite(o->hi) && o->lo < o->hi))
        return rs_fail(err, RESHED_EINVAL, "range|finite, lo < hi|%g,%g", (double)o->lo,
                       (double)o->hi);
    if (o->front != RS_FRONT_ZERO && o->front != RS_FRONT_REFLECT)
        return rs_fail(err, RESHED_EINVAL, "front|a value of reshed_front|%d", (int)o->front);
    if (o->preview < RS_PREVIEW_FP32 || o->preview > RS_PREVIEW_OFF)
        return rs_fail(err, RESHED_EINVAL, "preview|a value of reshed_preview|%d", (int)o->preview);
    if (!(o->budget >= 0)) return rs_fail(err, RESHED_EINVAL, "budget|seconds >= 0|%g", o->budget);
    return RESHED_OK;
}

static reshed_status create(const rs_ensemble *e, rs_model_file *take, int height, int width,
                            const rs_live_options *options, rs_live **out, reshed_error *err)
{
    if (!e || !out) return rs_fail(err, RESHED_EINVAL, "ensemble and result|not NULL|NULL");
    reshed_status st = rs_ensemble_check_there(e, err);
    if (st != RESHED_OK) return st;
    rs_live *s = rs_zalloc(1, sizeof *s);
    if (!s) return rs_fail_nomem(err, "a stream", sizeof *s);
    rs_live_defaults(&s->options);
    if (options) s->options = *options;
    s->height = height;
    s->width = width;
    s->members = e->model.members;
    s->classes = e->arch.classes;
    rs_stream_options o = {.reflect = s->options.front == RS_FRONT_REFLECT,
                           .preview = s->options.preview};
    st = rs_live_check(&s->options, err);
    if (st == RESHED_OK) st = rs_isa_select(&o.isa, err);
    if (st != RESHED_OK) goto done;
    o.threads = rs_threads_or_all(s->options.threads);
    if (o.threads > s->members) o.threads = s->members; /* members are the units of work */
    if ((st = rs_stream_create(&e->model, take, height, width, &o, &s->stream, err)) != RESHED_OK)
        goto done;
    const size_t h = (size_t)height, n = h * (size_t)width;
    s->raw = rs_zalloc(n, sizeof *s->raw);
    s->work = rs_zalloc(n, sizeof *s->work);
    s->space = rs_alloc(RS_PERCENTILES_SPACE, sizeof *s->space);
    s->scanned = rs_zalloc(h, 1);
    s->ranged = rs_zalloc(h, 1);
    if (!s->raw || !s->work || !s->space || !s->scanned || !s->ranged) {
        st = rs_fail_nomem(err, "the rows of a stream", n * sizeof *s->raw);
        goto done;
    }
    rs_live_reset(s);
done:
    if (st == RESHED_OK)
        *out = s;
    else
        rs_live_free(s);
    return st;
}

reshed_status rs_live_create(const rs_ensemble *e, int height, int width,
                             const rs_live_options *options, rs_live **out, reshed_error *err)
{
    return create(e, NULL, height, width, options, out, err);
}

reshed_status rs_live_create_taking(rs_ensemble *e, int height, int width,
                                    const rs_live_options *options, rs_live **out,
                                    reshed_error *err)
{
    reshed_status st = create(e, e ? &e->model : NULL, height, width, options, out, err);
    rs_ensemble_note_taken(e);
    return st;
}

void rs_live_free(rs_live *s)
{
    if (!s) return;
    rs_stream_free(s->stream);
    rs_free(s->raw);
    rs_free(s->work);
    rs_free(s->space);
    rs_free(s->scanned);
    rs_free(s->ranged);
    rs_free(s);
}

void rs_live_reset(rs_live *s)
{
    memset(s->scanned, 0, (size_t)s->height);
    memset(s->ranged, 0, (size_t)s->height);
    s->ranged_lines = 0;
    s->latest = -1;
    s->going_up = false;
    s->lines = s->range_changes = 0;
    s->finished = s->front_skipped = false;
    s->filled = s->outside = s->later = s->later_outside = 0;
    s->range = (rs_norm_range){s->options.lo, s->options.hi};
    s->have_range = s->options.norm == RS_LIVE_FIXED;
    rs_stream_set_blank(s->stream, 0);
    rs_stream_reset(s->stream);
}

/* -------------------------------------------------------------------------------- normalisation */

/* The rows that are marked, one after another, in s->work; how many pixels. */
static size_t gather(rs_live *s, const uint8_t *marked)
{
    const size_t w = (size_t)s->width;
    size_t n = 0;
    for (int y = 0; y < s->height; y++) {
        if (!marked[y]) continue;
        memcpy(s->work + n, s->raw + (size_t)y * w, w * sizeof *s->work);
        n += w;
    }
    return n;
}

static size_t count_outside(const float *x, size_t n, rs_norm_range r)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) k += x[i] < r.lo || x[i] > r.hi;
    return k;
}

static rs_norm_range hull(rs_norm_range a, rs_norm_range b)
{
    return (rs_norm_range){a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi};
}

/* Line by line in the order in which they came, so that it does not matter in which portions. */
static reshed_status robust_range(rs_live *s, int first, int n, rs_norm_range *range,
                                  reshed_error *err)
{
    const size_t w = (size_t)s->width;
    bool have = s->have_range;
    reshed_status st = RESHED_OK;
    for (int i = 0; st == RESHED_OK && i < n; i++) {
        const int y = s->going_up ? first + n - 1 - i : first + i;
        rs_norm_range r;
        s->ranged_lines += !s->ranged[y];
        s->ranged[y] = 1;
        if (s->ranged_lines <= FIRST_LINES || !have) {
            s->later = s->later_outside = 0;
            st = rs_norm_range_robust_in(s->work, gather(s, s->ranged), s->space, range, err);
            have = true;
            continue;
        }
        s->later += w;
        s->later_outside += count_outside(s->raw + (size_t)y * w, w, *range);
        if (s->later < LATER_LINES * w ||
            (double)s->later_outside <= CLIPPED_MOST * (double)s->later)
            continue;
        s->later = s->later_outside = 0;
        st = rs_norm_range_robust_in(s->work, gather(s, s->ranged), s->space, &r, err);
        if (st == RESHED_OK) *range = hull(r, *range);
    }
    return st;
}

/* The range that should be in force now that rows [first, first+n) have come. */
static reshed_status new_range(rs_live *s, int first, int n, rs_norm_range *out, reshed_error *err)
{
    rs_norm_range r = s->range;
    reshed_status st = RESHED_OK;
    *out = r;
    switch (s->options.norm) {
    case RS_LIVE_FIXED: return RESHED_OK;
    case RS_LIVE_SCANNED:
    case RS_LIVE_FRAME: /* anew: a row that was scanned again may have held an extreme */
        st = rs_norm_range_frame(s->work, gather(s, s->scanned), &r, err);
        if (st == RESHED_OK && s->options.norm == RS_LIVE_FRAME && s->lines < s->height)
            r = hull(r, (rs_norm_range){0, 0});
        break;
    case RS_LIVE_ROBUST: st = robust_range(s, first, n, &r, err); break;
    }
    if (st == RESHED_OK) *out = r;
    return st;
}

/* Scanned rows as the network is to see them, into s->work at their places. */
static reshed_status normalise_rows(rs_live *s, int first, int n, reshed_error *err)
{
    const size_t w = (size_t)s->width;
    const bool clip = s->options.norm == RS_LIVE_ROBUST;
    reshed_status st = RESHED_OK;
    for (int y = first; st == RESHED_OK && y < first + n; y++)
        if (s->scanned[y])
            st = rs_norm_apply(s->raw + (size_t)y * w, w, s->range, clip, s->work + (size_t)y * w,
                               err);
    return st;
}

/* Hands rows [first, first+n), of which all are scanned, to the network; all rows when the range
 * changes. */
static reshed_status show_rows(rs_live *s, int first, int n, reshed_error *err)
{
    const size_t w = (size_t)s->width;
    rs_norm_range r;
    reshed_status st = new_range(s, first, n, &r, err);
    if (st != RESHED_OK) return st;
    const bool changed = !s->have_range || r.lo != s->range.lo || r.hi != s->range.hi;
    if (changed) {
        if (s->have_range) s->range_changes++;
        s->have_range = true;
        s->range = r;
        s->outside = count_outside(s->work, gather(s, s->scanned), r);
        float blank = 0;
        if (s->options.norm == RS_LIVE_FRAME) {
            st = rs_norm_apply(&blank, 1, r, false, &blank, err);
            if (st != RESHED_OK) return st;
        }
        rs_stream_set_blank(s->stream, blank);
        if ((st = normalise_rows(s, 0, s->height, err)) != RESHED_OK) return st;
        rs_stream_replace(s->stream, s->work);
    } else {
        s->outside += count_outside(s->raw + (size_t)first * w, (size_t)n * w, r);
        if ((st = normalise_rows(s, first, n, err)) != RESHED_OK) return st;
    }
    rs_stream_put(s->stream, first, n, s->work + (size_t)first * w);
    return RESHED_OK;
}

/* ------------------------------------------------------------------------------------- the work */

static double now(const rs_live *s)
{
    return s->options.clock ? s->options.clock(s->options.clock_ctx) : rs_os_monotonic();
}

/* Not at the first question of a call: however small the budget, each call gets something done. */
static bool late(void *ctx)
{
    rs_live *s = ctx;
    const bool first = !s->asked;
    s->asked = true;
    return !first && now(s) >= s->deadline;
}

/* Final rows first; the front if what it took last time fits, and at least every second time; stale
 * rows in what is left of the time, with or without a front. */
static void work(rs_live *s, double start)
{
    if (s->options.budget == 0) {
        rs_stream_work(s->stream, RS_STREAM_ALL, NULL, NULL);
        return;
    }
    s->deadline = start + s->options.budget;
    s->asked = false;
    rs_stream_work(s->stream, RS_STREAM_FINALS, late, s);
    const double before = now(s);
    s->front_skipped = !s->front_skipped && before + s->front_seconds > s->deadline;
    if (!s->front_skipped && rs_stream_work(s->stream, RS_STREAM_FRONT, late, s)) {
        /* An estimate that forgets: one slow push must not keep the front away for long. */
        const double took = now(s) - before;
        s->front_seconds = s->front_seconds > 0 ? 0.5 * (s->front_seconds + took) : took;
        if (s->front_seconds > s->options.budget) s->front_seconds = s->options.budget;
    }
    rs_stream_work(s->stream, s->front_skipped ? RS_STREAM_STALE : RS_STREAM_ALL, late, s);
}

reshed_status rs_live_push(rs_live *s, int first, int rows, const float *data, reshed_error *err)
{
    if (!s || !data) return rs_fail(err, RESHED_EINVAL, "stream and data|not NULL|NULL");
    if (rows < 1 || first < 0 || first > s->height - rows)
        return rs_fail(err, RESHED_EINVAL, "rows|within 0 to %d|%d from row %d on", s->height - 1,
                       rows, first);
    if (s->finished)
        return rs_fail(err, RESHED_EINVAL, "frame|one that goes on|finished: reset it first");
    const double start = s->options.budget > 0 ? now(s) : 0;
    const size_t w = (size_t)s->width;
    reshed_status st = RESHED_OK;
    s->going_up = s->latest >= 0 ? first < s->latest : first > 0 && first + rows == s->height;
    s->latest = s->going_up ? first : first + rows - 1;
    for (int i = 0, from = 0; st == RESHED_OK && i <= rows; i++) {
        bool some = false;
        if (i < rows) { /* a row without a value is missing */
            const float *in = data + (size_t)i * w;
            float *row = s->raw + (size_t)(first + i) * w;
            for (size_t x = 0; x < w && !some; x++) some = isfinite(in[x]);
            if (some) {
                if (s->scanned[first + i]) s->outside -= count_outside(row, w, s->range);
                memcpy(row, in, w * sizeof *row);
                size_t filled = 0;
                rs_fill_gaps(row, 1, s->width, &filled, NULL);
                s->filled += filled;
                s->lines += !s->scanned[first + i];
                s->scanned[first + i] = 1;
            }
        }
        if (some) continue;
        if (i > from) st = show_rows(s, first + from, i - from, err);
        from = i + 1;
    }
    if (st == RESHED_OK) work(s, start);
    return st;
}

reshed_status rs_live_work(rs_live *s, reshed_error *err)
{
    if (!s) return rs_fail(err, RESHED_EINVAL, "stream|not NULL|NULL");
    work(s, s->options.budget > 0 ? now(s) : 0);
    return RESHED_OK;
}

/* Rows within [first, end), of which the outermost are scanned, that never came. */
static reshed_status fill_missing(rs_live *s, int first, int end, reshed_error *err)
{
    const size_t w = (size_t)s->width;
    bool any = false;
    for (int y = first; y < end; y++) {
        if (s->scanned[y]) continue;
        any = true;
        for (size_t x = 0; x < w; x++) s->raw[(size_t)y * w + x] = NAN;
    }
    if (!any) return RESHED_OK;
    size_t filled = 0;
    reshed_status st =
        rs_fill_gaps(s->raw + (size_t)first * w, end - first, s->width, &filled, err);
    for (int y = first; st == RESHED_OK && y < end; y++) {
        if (s->scanned[y]) continue;
        s->scanned[y] = 1;
        s->lines++;
        st = show_rows(s, y, 1, err);
    }
    if (st == RESHED_OK) s->filled += filled;
    return st;
}

reshed_status rs_live_finish(rs_live *s, reshed_error *err)
{
    if (!s) return rs_fail(err, RESHED_EINVAL, "stream|not NULL|NULL");
    if (s->finished) return RESHED_OK;
    int first = 0, end = s->height;
    while (first < end && !s->scanned[first]) first++;
    while (end > first && !s->scanned[end - 1]) end--;
    if (first == end || !rs_stream_can_finish(s->stream, (rs_span){first, end}))
        return rs_fail(err, RESHED_EINVAL, "rows scanned|a row of the network's coarsest level|%d",
                       s->lines);
    reshed_status st = fill_missing(s, first, end, err);
    if (st != RESHED_OK) return st;
    if (!rs_stream_finish(s->stream)) return rs_fail(err, RESHED_EINTERNAL, "end of a frame||");
    s->finished = true;
    return RESHED_OK;
}

/* -------------------------------------------------------------------------------------- results */

void rs_live_get(const rs_live *s, rs_live_view *v)
{
    rs_stream_view inner;
    rs_stream_get(s->stream, &inner);
    const double pixels = (double)s->lines * s->width;
    *v = (rs_live_view){.height = s->height,
                        .width = s->width,
                        .classes = s->classes,
                        .members = s->members,
                        .mean = inner.mean,
                        .variance = inner.variance,
                        .member = inner.members,
                        .input = inner.seen,
                        .state = inner.state,
                        .stale = inner.stale,
                        .lag = inner.lag,
                        .lo = s->range.lo,
                        .hi = s->range.hi,
                        .range_changes = s->range_changes,
                        .filled = s->filled,
                        .clipped = pixels > 0 ? (double)s->outside / pixels : 0};
}

void rs_live_field(const rs_live *s, int row, int *first, int *end)
{
    *first = *end = 0;
    if (row < 0 || row >= s->height) return;
    const rs_span f = rs_stream_field(s->stream, row);
    *first = f.lo;
    *end = f.hi;
}

void rs_live_bytes(const rs_live *s, size_t *weights, size_t *state)
{
    *weights = rs_stream_weight_bytes(s->stream);
    *state = rs_stream_state_bytes(s->stream) +
             (size_t)s->height * (2 * (size_t)s->width * sizeof *s->raw + 2) +
             RS_PERCENTILES_SPACE * sizeof *s->space + sizeof *s;
}
