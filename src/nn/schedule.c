#include "nn/schedule.h"

#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"

static int ceil_div(int a, int b)
{
    return (a + b - 1) / b;
}

size_t rs_wino_stride(int tiles, int channels)
{
    return (((size_t)tiles * (size_t)channels / 16) | 1) * 16;
}

size_t rs_wino_stride_bf16(int tiles, int channels)
{
    return (((size_t)tiles * (size_t)channels + 31) / 32 | 1) * 32;
}

/* ----------------------------------------------------------------------------------- task sizes */

/* Tiles of one task. The task's V and M ((m+2)^2 * tiles * channels floats each) should stay in a 1
 * MiB second-level cache, but each task reads all of the layer's weights, so wide layers want many
 * tiles: measured, docs/speed.md. */
static int tiles_wanted(int m, int channels)
{
    if (channels <= 64) return m == 6 ? 24 : 40;
    if (channels <= 128) return 88;
    return 128;
}

static void choose_wino_task(rs_stage *s)
{
    const int m = rs_conv_algo_tile(s->layer.algo), d = s->phases;
    const int across = ceil_div(ceil_div(s->width, d), m) * d;
    const int want = tiles_wanted(m, rs_max_int(s->layer.cin, s->layer.cout));
    if (across >= want && d == 1) { /* part of a tile row: equal chunks */
        s->task_cols = ceil_div(across, ceil_div(across, want)) * m;
        s->task_rows = m;
    } else {
        s->task_cols = across * m;
        s->task_rows = rs_max_int(1, rs_min_int(want / across, ceil_div(s->height, m * d))) * m * d;
    }
}

static bool is_wino(const rs_stage *s)
{
    return s->layer.kind == RS_OP_CONV && rs_conv_algo_tile(s->layer.algo) > 0;
}

static void choose_task(rs_stage *s)
{
    const int even = s->width + (s->width & 1);
    s->phases = is_wino(s) ? s->layer.dilation : 1;
    if (is_wino(s)) {
        choose_wino_task(s);
    } else if (s->layer.algo == RS_CONV_GEMM && s->layer.kind == RS_OP_CONV) {
        /* about 256 pixels at a time, so that im2col stays in cache */
        s->task_cols = rs_min_int(even, 256);
        s->task_rows = 2 * rs_min_int(ceil_div(256, 2 * s->task_cols), ceil_div(s->height, 2));
    } else {
        s->task_cols = even;
        s->task_rows = 2;
    }
}

int rs_stage_reach(const rs_stage *s)
{
    const int m = is_wino(s) ? rs_conv_algo_tile(s->layer.algo) : 1;
    return ceil_div(ceil_div(s->width, s->phases), m) * m * s->phases;
}

/* Rows of a step: whole tasks, enough of them for `tasks` threads to share, and never fewer than
 * eight rows, so that the bookkeeping of steps stays small. Which rows a task has does not change
 * with it. */
static void choose_step(rs_stage *s, int tasks)
{
    const int across = ceil_div(s->width, s->task_cols) * s->phases,
              most = ceil_div(s->height, s->task_rows);
    int down = ceil_div(tasks, across), eight = ceil_div(is_wino(s) ? 1 : 8, s->task_rows);
    if (down < eight) down = eight;
    s->step_rows = rs_min_int(down, most) * s->task_rows;
}

int rs_step_tasks(const rs_stage *s, int row0, int row1)
{
    return ceil_div(row1 - row0, s->task_rows) * ceil_div(s->width, s->task_cols) * s->phases;
}

rs_task rs_step_task(const rs_stage *s, int row0, int row1, int i)
{
    const int phase = i % s->phases, at = i / s->phases, across = ceil_div(s->width, s->task_cols);
    const int top = row0 + at / across * s->task_rows, end = rs_min_int(top + s->task_rows, row1);
    rs_task t = {.r0 = top + phase, .step = s->phases, .c0 = at % across * s->task_cols};
    t.n = rs_max_int(0, ceil_div(end - t.r0, s->phases));
    t.c1 = rs_min_int(t.c0 + s->task_cols, s->width);
    return t;
}

/* ------------------------------------------------------------------------------------ the order */

typedef struct progress {
    const rs_graph *g;
    int height;
    int image;     /* rows */
    int *made;     /* [nodes]: rows of each */
    rs_span *link; /* [places]: the nodes that have to do with it */
    int *ready;    /* [places]: rows that all writers have left */
    int *most;     /* [places]: rows that the first of them has left */
} progress;

/* Rows of node i's input that it must have before it makes rows up to r1. */
static int rows_needed(const progress *p, int i, int r1)
{
    const rs_op *n = &p->g->node[i];
    const int all = rs_level_size(p->height, p->g->place[n->in].level);
    switch (n->kind) {
    case RS_OP_CONV: return rs_min_int(r1 + n->dilation, all);
    case RS_OP_POINT: return r1;
    case RS_OP_GROW: return rs_min_int(r1 / 2 + 1, all);
    }
    return all;
}

/* The first row of its input that node i still reads when it has made rows up to r1. */
static int oldest_read(const rs_op *n, int r1)
{
    switch (n->kind) {
    case RS_OP_CONV: return r1 - n->dilation;
    case RS_OP_POINT: return r1;
    case RS_OP_GROW: return r1 / 2 - 1;
    }
    return 0;
}

/* The place that link l of node i (-1: the image) writes, -1 past the last. */
static int written_by(const rs_graph *g, int i, int l)
{
    if (i < 0) return l == 0 ? g->image.to : -1;
    const rs_op *n = &g->node[i];
    if (l == 0) return n->to >= 0 ? n->to : g->places;
    return l <= n->uses ? n->use[l - 1].to : -1;
}

/* Rows of place k that all its writers have left. */
static int rows_ready(const progress *p, int k)
{
    int ready = 1 << 30;
    for (int i = p->link[k].lo; i < p->link[k].hi; i++) {
        const int rows = rs_graph_written(p->g, i, k, i < 0 ? p->image : p->made[i], p->height);
        if (rows >= 0) ready = rs_min_int(ready, rows);
    }
    return ready;
}

/* The first row of place k that someone still reads or adds to. */
static int oldest_needed(const progress *p, int k)
{
    int oldest = p->most[k];
    for (int i = rs_max_int(p->link[k].lo, 0); i < p->link[k].hi; i++) {
        const rs_op *n = &p->g->node[i];
        if (n->in == k) oldest = rs_min_int(oldest, oldest_read(n, p->made[i]));
        if (n->residual == k) oldest = rs_min_int(oldest, p->made[i]);
        for (int j = 0; j < n->uses; j++)
            if (n->use[j].to == k && n->use[j].add) oldest = rs_min_int(oldest, p->made[i]);
    }
    return rs_max_int(oldest, 0);
}

/* Marks rows up to r1 of node i (-1: the image) as made, and enlarges the rings it writes so that they
 * hold every row from the oldest still read to the newest. */
static void advance(rs_schedule *s, progress *p, int i, int r1)
{
    if (i < 0)
        p->image = r1;
    else
        p->made[i] = r1;
    for (int l = 0, k; (k = written_by(p->g, i, l)) >= 0; l++) {
        if (k == p->g->places) continue;
        p->ready[k] = rows_ready(p, k);
        p->most[k] = rs_max_int(p->most[k], rs_graph_written(p->g, i, k, r1, p->height));
        const int rows = p->most[k] - oldest_needed(p, k);
        if (rows > s->ring[k].capacity) s->ring[k].capacity = rows;
    }
}

/* The nodes (-1: the image) between which a place is written and read. */
static void find_links(const rs_graph *g, rs_span *link)
{
    for (int k = 0; k < g->places; k++) link[k] = (rs_span){g->nodes, 0};
    for (int i = -1; i < g->nodes; i++) {
        for (int l = 0, k; (k = written_by(g, i, l)) >= 0; l++) {
            if (k == g->places) continue;
            link[k] = (rs_span){rs_min_int(link[k].lo, i), rs_max_int(link[k].hi, i + 1)};
        }
        if (i < 0) continue;
        link[g->node[i].in].hi = rs_max_int(link[g->node[i].in].hi, i + 1);
        if (g->node[i].residual >= 0) link[g->node[i].residual].hi = i + 1;
    }
}

/* The last stage that can move; a step without rows when none can. */
static rs_step next_step(const rs_schedule *s, const progress *p)
{
    for (int i = s->stages - 1; i >= 0; i--) {
        const rs_stage *st = &s->stage[i];
        const int r0 = p->made[i], r1 = rs_min_int(r0 + st->step_rows, st->height);
        if (r0 < st->height && p->ready[p->g->node[i].in] >= rows_needed(p, i, r1))
            return (rs_step){i, r0, r1};
    }
    return (rs_step){-1, p->image, rs_min_int(p->image + 8, s->height)};
}

/* One pass of the wavefront; steps NULL: only counts. The last stage that can move goes first, so
 * rows are used while they are fresh. */
static int simulate(rs_schedule *s, progress *p, rs_step *steps)
{
    int n = 0;
    memset(p->made, 0, (size_t)s->stages * sizeof *p->made);
    memset(p->ready, 0, (size_t)s->places * sizeof *p->ready);
    memset(p->most, 0, (size_t)s->places * sizeof *p->most);
    p->image = 0;
    for (;;) {
        const rs_step step = next_step(s, p);
        if (step.row0 == step.row1) return n; /* all rows of all stages are made */
        if (steps) steps[n] = step;
        n++;
        /* its readers have not moved: the ring must hold old and new rows together */
        advance(s, p, step.stage, step.row1);
    }
}

/* --------------------------------------------------------------------------------------- memory */

static void size_rings(const rs_graph *g, rs_schedule *s)
{
    for (int k = 0; k < s->places; k++) {
        const rs_row_place *p = &g->place[k];
        rs_ring *r = &s->ring[k];
        if (p->score) {
            *r = (rs_ring){0};
            continue;
        }
        /* The right border reaches as far as the last tile of any reader. */
        int right = rs_level_size(s->width, p->level);
        for (int i = 0; i < s->stages; i++)
            if (g->node[i].in == k && g->node[i].kind == RS_OP_CONV)
                right = rs_max_int(right, rs_stage_reach(&s->stage[i]));
        r->stride = (size_t)(right + 2 * p->border) * (size_t)p->channels;
        r->stride = (r->stride + 15) & ~(size_t)15;
        r->offset = s->ring_floats;
        s->ring_floats += r->stride * (size_t)r->capacity;
        if (r->stride > s->zero_floats) s->zero_floats = r->stride;
    }
}

static void at_least(size_t *a, size_t b)
{
    if (b > *a) *a = b;
}

static void measure_wino(const rs_stage *st, rs_scratch_size *size)
{
    const int m = rs_conv_algo_tile(st->layer.algo), d = st->phases;
    const size_t elements = (size_t)((m + 2) * (m + 2));
    const int tiles = (st->task_rows / (m * d)) * (st->task_cols / m);
    at_least(&size->v, st->layer.algo == RS_CONV_WINO4_BF16
                           ? elements * rs_wino_stride_bf16(tiles, st->layer.cin) / 2
                           : elements * rs_wino_stride(tiles, st->layer.cin));
    at_least(&size->m, elements * rs_wino_stride(tiles, st->layer.cout));
}

void rs_scratch_measure(const rs_graph *g, const rs_stage *stage, rs_scratch_size *size)
{
    /* a row between two rows of scores */
    at_least(&size->o, (size_t)stage[0].width * (size_t)g->arch.classes);
    for (int i = 0; i < g->nodes; i++) {
        const rs_stage *st = &stage[i];
        const size_t in = (size_t)st->layer.cin, out = (size_t)st->layer.cout;
        const size_t rows = (size_t)(st->task_rows / st->phases);
        const size_t px = rows * (size_t)st->task_cols;
        if (is_wino(st)) measure_wino(st, size);
        if (st->layer.algo == RS_CONV_WINO4_BF16) /* a row of the task in bf16 */
            at_least(&size->col, (size_t)st->task_cols * (in > out ? in : out) / 2);
        if (st->layer.algo == RS_CONV_GEMM) {
            at_least(&size->col, px * 9 * in);
            at_least(&size->m, px * out);
        }
        /* Output rows of a task; the gemm path's 1x1 convolutions write whole tasks here as
         * well. */
        at_least(&size->o, px * out);
        at_least(&size->p, px / 4 * out);
    }
}

void rs_stages_make(const rs_graph *g, const rs_layer *layers, int height, int width, rs_stage *out)
{
    for (int i = 0; i < g->nodes; i++) {
        out[i] = (rs_stage){.layer = layers[i],
                            .height = rs_level_size(height, layers[i].level),
                            .width = rs_level_size(width, layers[i].level)};
        choose_task(&out[i]);
    }
}

reshed_status rs_schedule_make(const rs_graph *g, const rs_layer *layers, int height, int width,
                               int tasks, rs_schedule *out, reshed_error *err)
{
    rs_schedule s = {.height = height, .width = width, .stages = g->nodes, .places = g->places};
    progress p = {.g = g, .height = height};
    const size_t nodes = (size_t)g->nodes, places = (size_t)g->places;
    reshed_status st = RESHED_OK;
    s.stage = rs_zalloc(nodes, sizeof *s.stage);
    s.ring = rs_zalloc(places, sizeof *s.ring);
    p.made = rs_alloc(nodes, sizeof *p.made);
    p.link = rs_alloc(places, sizeof *p.link);
    p.ready = rs_alloc(places, sizeof *p.ready);
    p.most = rs_alloc(places, sizeof *p.most);
    if (!s.stage || !s.ring || !p.made || !p.link || !p.ready || !p.most) {
        st = rs_fail_nomem(err, "a schedule", nodes * sizeof *s.stage);
        goto done;
    }
    find_links(g, p.link);
    rs_stages_make(g, layers, height, width, s.stage);
    for (int i = 0; i < s.stages; i++) choose_step(&s.stage[i], tasks);
    s.steps = simulate(&s, &p, NULL);
    s.step = rs_alloc((size_t)s.steps, sizeof *s.step);
    if (!s.step) {
        st = rs_fail_nomem(err, "a schedule", (size_t)s.steps * sizeof *s.step);
        goto done;
    }
    simulate(&s, &p, s.step);
    size_rings(g, &s);
    rs_scratch_measure(g, s.stage, &s.scratch);
done:
    rs_free(p.made);
    rs_free(p.link);
    rs_free(p.ready);
    rs_free(p.most);
    if (st != RESHED_OK)
        rs_schedule_clear(&s);
    else
        *out = s;
    return st;
}

void rs_schedule_clear(rs_schedule *s)
{
    rs_free(s->stage);
    rs_free(s->ring);
    rs_free(s->step);
    memset(s, 0, sizeof *s);
}
