/* stream_work.c - members are independent: a unit of work is one parallel loop over them, and the
 * clock is looked at between units. */
#include "nn/stream_work.h"

#include <string.h>

#include "base/numeric.h"
#include "base/parallel.h"
#include "nn/stream_state.h"

static rs_exec exec_of(const rs_stream *s, const network *net, int member)
{
    return (rs_exec){.graph = &s->graph,
                     .stages = s->graph.nodes,
                     .stage = net->stage,
                     .kernels = &s->kernels,
                     .weights = &net->packed[member],
                     .height = s->height,
                     .width = s->width,
                     .image = s->seen,
                     .zero = s->zero,
                     .sampling = s->sampling};
}

static rs_scratch scratch_of(const rs_stream *s, int worker)
{
    rs_scratch r = rs_scratch_at(s->scratch + (size_t)worker * rs_scratch_floats(&s->scratch_size),
                                 &s->scratch_size);
    r.worker = worker;
    return r;
}

static size_t row_floats(const rs_stream *s)
{
    return (size_t)s->width * (size_t)s->arch.classes;
}

static void mix(const rs_stream *s, const rs_exec *e, int member, int y, const rs_scratch *scratch)
{
    const size_t n = row_floats(s);
    rs_exec_mix(e, y, scratch, s->prob + ((size_t)member * (size_t)s->height + (size_t)y) * n);
}

/* Mean and variance of a row that all members have mixed. */
static void moments(rs_stream *s, int y, row_kind kind)
{
    const size_t n = row_floats(s), at = (size_t)y * n;
    rs_moments(s->prob + at, n * (size_t)s->height, s->members, n, s->mean + at, s->variance + at);
    s->kind[y] = (uint8_t)kind;
    s->clean[y] = 1;
}

/* The multiply-adds and weights of rows of a stage, by all members. */
static void count(rs_stream *s, const rs_stage *st, rs_span rows)
{
    if (rs_span_empty(rows)) return;
    const double c2 = (double)st->layer.cin * st->layer.cout;
    const double pixels = (double)(rows.hi - rows.lo) * st->width;
    const int m = rs_conv_algo_tile(st->layer.algo);
    const int down = m ? (rows.hi - rows.lo + m - 1) / m : 0,
              across = m ? (st->width + m - 1) / m : 0;
    const double products = m ? (double)(m + 2) * (m + 2) * down * across * c2 : 9 * pixels * c2;
    s->done.macs += s->members * 9 * pixels * c2;
    s->done.products += s->members * products;
    s->done.weight_bytes += s->members * rs_step_tasks(st, rows.lo, rows.hi) * 4.0 *
                            (double)rs_packed_size3(st->layer.algo, st->layer.cin, st->layer.cout);
}

/* ---- rows that have become final */

/* Rows computed in one go: a few while there is a time limit, so that the newest are soon
 * there; else as many as there are, since each go costs the rows around them too. */
static int most_rows(const rs_stream *s, rs_stream_late *late)
{
    return late ? PATCH_ROWS : s->height;
}

/* The contiguous scanned rows around the latest one. */
static rs_span scanned_block(const rs_stream *s)
{
    rs_span b = {s->latest, s->latest + 1};
    while (b.lo > 0 && s->scanned[b.lo - 1]) b.lo--;
    while (b.hi < s->height && s->scanned[b.hi]) b.hi++;
    return b;
}

/* Rows that finals take in which start anew: from early enough on for every row that can become
 * final from now on, and for at most `most` of those that are waiting. */
static rs_span start_rows(const rs_stream *s, rs_span block, bool up, int most)
{
    int next = -1; /* the output row that comes first */
    for (int i = 0; i < block.hi - block.lo && next < 0; i++) {
        const int y = up ? block.lo + i : block.hi - 1 - i;
        if (rs_stream_can_be_final(s, y)) next = y;
    }
    if (next < 0) return block; /* none is final yet: nothing to save */
    for (int i = 0; i < most; i++) {
        const int y = up ? next + 1 : next - 1;
        if (y < block.lo || y >= block.hi || !rs_stream_wants_final(s, y)) break;
        next = y;
    }
    next = rs_max_int(block.lo, rs_min_int(next, block.hi - 1));
    rs_span from = block;
    if (up)
        from.hi = rs_min_int(block.hi, s->field[next].hi);
    else
        from.lo = rs_max_int(block.lo, s->field[next].lo);
    /* all of a short block costs little more */
    if (from.lo - block.lo < PATCH_ROWS && block.hi - from.hi < PATCH_ROWS) return block;
    return from;
}

/* Readies the finals for the block of rows around the latest; where they begin. */
static rs_span ready_finals(rs_stream *s, rs_span block, int most)
{
    rs_finals *f = &s->finals[0];
    const bool goes_on = s->finals_valid && rs_span_within(f->image, block) &&
                         (f->up ? block.hi == f->image.hi || s->latest < f->image.hi
                                : block.lo == f->image.lo || s->latest >= f->image.lo);
    if (goes_on) return f->up ? (rs_span){block.lo, f->image.hi} : (rs_span){f->image.lo, block.hi};
    bool up = s->going_up;
    if (block.lo == 0) up = false;
    if (block.hi == s->height && block.lo > 0) up = true;
    const rs_span rows = start_rows(s, block, up, most);
    for (int i = 0; i < s->members; i++) rs_finals_start(&s->finals[i], s->extent, up);
    s->finals_valid = true;
    return rows;
}

typedef struct finals_job {
    rs_stream *s;
    rs_span known;
    rs_span rows; /* that may be mixed */
} finals_job;

static void run_finals(void *ctx, int64_t member, int worker)
{
    const finals_job *j = ctx;
    rs_stream *s = j->s;
    rs_finals *f = &s->finals[member];
    rs_exec e = exec_of(s, &s->direct, (int)member);
    const rs_scratch scratch = scratch_of(s, worker);
    rs_finals_advance(f, j->known, &e, &scratch);
    for (int y = j->rows.lo; y < j->rows.hi; y++)
        if (rs_stream_wants_final(s, y) && rs_finals_has(f, y))
            mix(s, &e, (int)member, y, &scratch);
}

/* Collects what the finals say they have done. */
static void take_counts(rs_stream *s, rs_finals *f)
{
    s->done.macs += f->macs;
    s->done.products += f->macs;
    s->done.weight_bytes += f->weight_bytes;
    f->macs = f->weight_bytes = 0;
}

/* The next few rows of the image on the way to `goal`. */
static rs_span next_unit(const rs_finals *f, rs_span goal)
{
    const rs_span was = f->image;
    if (f->up)
        return (rs_span){rs_max_int(goal.lo, (rs_span_empty(was) ? goal.hi : was.lo) - UNIT_ROWS),
                         goal.hi};
    return (rs_span){goal.lo,
                     rs_min_int(goal.hi, (rs_span_empty(was) ? goal.lo : was.hi) + UNIT_ROWS)};
}

/* False when it was stopped before the finals had taken in every row of the block. */
static bool finals_phase(rs_stream *s, rs_span block, rs_stream_late *late, void *ctx)
{
    const rs_span goal = ready_finals(s, block, most_rows(s, late));
    const rs_finals *f = &s->finals[0];
    finals_job j = {.s = s, .rows = block};
    while (rs_span_empty(f->image) || !rs_span_within(goal, f->image)) {
        if (!rs_span_empty(f->image) && late && late(ctx)) return false;
        j.known = next_unit(f, goal);
        rs_parallel_for(s->options.threads, s->members, run_finals, &j);
        for (int i = 0; i < s->members; i++) take_counts(s, &s->finals[i]);
        for (int y = block.lo; y < block.hi; y++)
            if (rs_stream_wants_final(s, y) && rs_finals_has(f, y)) {
                moments(s, y, EXACT);
                s->done.rows_final++;
            }
    }
    return true;
}

/* ---- the front */

/* Rows of the block that cannot be final yet, on the side where the scan goes on. */
static rs_span front_rows(const rs_stream *s, rs_span block, bool up)
{
    rs_span p = block;
    if (up) {
        for (int y = block.lo; y < block.hi; y++)
            if (rs_stream_can_be_final(s, y)) {
                p.hi = y;
                break;
            }
    } else {
        for (int y = block.hi - 1; y >= block.lo; y--)
            if (rs_stream_can_be_final(s, y)) {
                p.lo = y + 1;
                break;
            }
    }
    return p;
}

/* A front grows out of final rows, or of the frame's edge, into an empty frame. */
static bool front_fits(const rs_stream *s, rs_span block, rs_span rows)
{
    const rs_finals *f = &s->finals[0];
    if (s->options.preview == RS_PREVIEW_OFF || !s->finals_valid) return false;
    if (f->up ? f->image.lo != block.lo : f->image.hi != block.hi) return false;
    const bool from_edge = f->up ? f->image.hi == s->height : f->image.lo == 0;
    if (!from_edge && rows.lo == block.lo && rows.hi == block.hi) return false;
    if (!from_edge)
        for (int b = 0; b < f->made.blocks; b++)
            if (rs_span_empty(f->made.out[b])) return false;
    const rs_span beyond = f->up ? (rs_span){0, block.lo} : (rs_span){block.hi, s->height};
    return rs_stream_marked(s, beyond) == 0;
}

static bool any_unclean(const rs_stream *s, rs_span rows)
{
    for (int y = rows.lo; y < rows.hi; y++)
        if (s->scanned[y] && !s->clean[y]) return true;
    return false;
}

static void run_blank(void *ctx, int64_t member, int worker)
{
    rs_stream *s = ctx;
    rs_exec e = exec_of(s, &s->direct, (int)member);
    const rs_scratch scratch = scratch_of(s, worker);
    e.image = s->empty;
    rs_front_blank(&s->shape, &e, &s->patch[worker], &scratch,
                   s->blank_rows[0] + (size_t)member * s->shape.blank_floats[0],
                   s->blank_rows[1] + (size_t)member * s->shape.blank_floats[1]);
}

void rs_stream_empty(rs_stream *s)
{
    if (s->blank_valid) return;
    for (size_t i = 0; i < (size_t)s->shape.blank_height * (size_t)s->width; i++)
        s->empty[i] = s->blank;
    rs_parallel_for(s->options.threads, s->members, run_blank, s);
    for (int i = 0; i < s->options.threads; i++) take_counts(s, &s->patch[i]);
    s->blank_valid = true;
}

typedef struct front_job {
    rs_stream *s;
    rs_span rows;
} front_job;

static void run_front(void *ctx, int64_t member, int worker)
{
    const front_job *j = ctx;
    rs_stream *s = j->s;
    const rs_finals *f = &s->finals[member];
    float *blank = s->blank_rows[f->up] + (size_t)member * s->shape.blank_floats[f->up];
    rs_exec e = exec_of(s, &s->quick, (int)member);
    const rs_scratch scratch = scratch_of(s, worker);
    rs_front_run(&s->shape, &s->front[worker], &s->window, j->rows, f, blank, &e, &scratch);
    for (int y = j->rows.lo; y < j->rows.hi; y++) mix(s, &e, (int)member, y, &scratch);
}

static bool front_phase(rs_stream *s, rs_span block)
{
    const bool up = s->finals[0].up;
    front_job j = {.s = s, .rows = front_rows(s, block, up)};
    if (!front_fits(s, block, j.rows) || !any_unclean(s, j.rows)) return false;
    rs_stream_empty(s);
    rs_front_windows(&s->shape, up, block, j.rows, &s->finals[0].made, &s->need, &s->touched,
                     &s->window);
    if (!rs_front_holds(&s->shape, &s->window)) return false;
    rs_parallel_for(s->options.threads, s->members, run_front, &j);
    for (int b = 0; b < s->window.blocks; b++) {
        count(s, &s->quick.stage[2 * b], s->window.y[b]);
        count(s, &s->quick.stage[2 * b + 1], s->window.out[b]);
    }
    for (int y = j.rows.lo; y < j.rows.hi; y++) moments(s, y, QUICK);
    s->done.rows_front += j.rows.hi - j.rows.lo;
    return true;
}

/* ---- everything else: rows computed anew from the canvas */

typedef struct patch_job {
    rs_stream *s;
    rs_span known, rows;
} patch_job;

static void run_patch(void *ctx, int64_t member, int worker)
{
    const patch_job *j = ctx;
    rs_stream *s = j->s;
    rs_finals *f = &s->patch[worker];
    rs_exec e = exec_of(s, &s->direct, (int)member);
    const rs_scratch scratch = scratch_of(s, worker);
    rs_finals_start(f, s->extent, false);
    rs_finals_advance(f, j->known, &e, &scratch);
    for (int y = j->rows.lo; y < j->rows.hi; y++) mix(s, &e, (int)member, y, &scratch);
}

static void patch(rs_stream *s, rs_span rows)
{
    patch_job j = {.s = s, .rows = rows, .known = s->extent.there[0]};
    if (s->field[rows.lo].lo > j.known.lo) j.known.lo = s->field[rows.lo].lo;
    if (s->field[rows.hi - 1].hi < j.known.hi) j.known.hi = s->field[rows.hi - 1].hi;
    rs_parallel_for(s->options.threads, s->members, run_patch, &j);
    for (int i = 0; i < s->options.threads; i++) take_counts(s, &s->patch[i]);
    for (int y = rows.lo; y < rows.hi; y++)
        moments(s, y, s->finished || rs_stream_can_be_final(s, y) ? EXACT : QUICK);
    s->done.rows_patch += rows.hi - rows.lo;
}

/* True when row y waits for a patch. */
static bool waits(const rs_stream *s, int y, bool provisional)
{
    if (!s->scanned[y]) return false;
    if (s->finished) return !(s->kind[y] == EXACT && s->clean[y]);
    return rs_stream_wants_final(s, y) || (provisional && !s->clean[y]);
}

/* The waiting rows nearest to the latest line, at most so many. */
static rs_span next_patch(const rs_stream *s, bool provisional, int most)
{
    for (int d = 0; d < s->height; d++) {
        int y = s->latest - d;
        if (y < 0 || !waits(s, y, provisional)) y = s->latest + d;
        if (y < 0 || y >= s->height || !waits(s, y, provisional)) continue;
        rs_span p = {y, y + 1};
        while (p.hi - p.lo < most && p.lo > 0 && waits(s, p.lo - 1, provisional)) p.lo--;
        while (p.hi - p.lo < most && p.hi < s->height && waits(s, p.hi, provisional)) p.hi++;
        return p;
    }
    return (rs_span){0, 0};
}

/* False when it was stopped with rows left. */
static bool patch_phase(rs_stream *s, bool provisional, rs_stream_late *late, void *ctx)
{
    for (;;) {
        const rs_span p = next_patch(s, provisional, most_rows(s, late));
        if (rs_span_empty(p)) return true;
        if (late && late(ctx)) return false;
        patch(s, p);
    }
}

/* ------------------------------------------------------------------------------------------ all */

bool rs_stream_work(rs_stream *s, unsigned what, rs_stream_late *late, void *ctx)
{
    if (s->latest < 0) return false;
    rs_stream_sum(s, s->scanned);
    const bool never = s->options.preview == RS_PREVIEW_OFF;
    const bool preview = what & RS_STREAM_FRONT && !never;
    const rs_span block = scanned_block(s);
    bool front = false;
    if (s->finished || finals_phase(s, block, late, ctx)) {
        if (preview && !s->finished) front = front_phase(s, block);
        const bool all = what & RS_STREAM_STALE && patch_phase(s, preview, late, ctx);
        if (never || s->finished ||
            (preview && (all || !any_unclean(s, front_rows(s, block, s->finals[0].up)))))
            s->lag = 0;
    }
    rs_stream_states(s);
    return front;
}

bool rs_stream_can_finish(const rs_stream *s, rs_span there)
{
    const rs_extent cut = rs_extent_make(&s->arch, s->height, there);
    return !rs_span_empty(cut.there[s->arch.levels - 1]);
}

bool rs_stream_finish(rs_stream *s)
{
    rs_span there = {0, s->height};
    if (s->finished || s->latest < 0) return s->latest >= 0;
    while (there.lo < there.hi && !s->scanned[there.lo]) there.lo++;
    while (there.hi > there.lo && !s->scanned[there.hi - 1]) there.hi--;
    if (!rs_stream_can_finish(s, there)) return false;
    rs_stream_work(s, RS_STREAM_STALE, NULL, NULL); /* rows whose whole surroundings were scanned */
    rs_stream_cut(s, there);
    s->finished = true;
    rs_stream_work(s, RS_STREAM_STALE, NULL, NULL);
    return true;
}

void rs_stream_take_counts(rs_stream *s, rs_stream_work_done *out)
{
    *out = s->done;
    memset(&s->done, 0, sizeof s->done);
}
