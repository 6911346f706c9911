#include "nn/finals.h"

#include <string.h>

#include "base/alloc.h"

size_t rs_finals_rings(const rs_graph *g, int width, rs_ring *ring)
{
    size_t used = 0;
    for (int i = 0; i < g->places; i++) {
        if (g->place[i].score) continue;
        const int w = rs_level_size(width, g->place[i].level);
        const int six = (w + 5) / 6 * 6, four = (w + 3) / 4 * 4;
        const size_t stride =
            (size_t)((six > four ? six : four) + 2) * (size_t)g->place[i].channels;
        ring[i] = (rs_ring){RS_FINALS_ROWS, stride, used};
        used += RS_FINALS_ROWS * stride;
    }
    return used;
}

reshed_status rs_finals_make(const rs_graph *g, const rs_ring *ring, int height, int width,
                             size_t ring_floats, rs_finals *out, reshed_error *err)
{
    rs_finals s = {0};
    reshed_status st = rs_tables_make(g, height, &s.table, err);
    if (st == RESHED_OK) st = rs_spans_make(&g->arch, &s.made, err);
    if (st != RESHED_OK) goto done;
    const size_t scores = rs_tables_scores(NULL, g, height, width, NULL);
    s.rings = rs_zalloc(ring_floats, sizeof *s.rings);
    s.score = rs_zalloc(scores, sizeof *s.score);
    s.bytes = (ring_floats + scores) * sizeof(float) + s.table.bytes;
    if (!s.rings || !s.score) {
        st = rs_fail_nomem(err, "rows of a stream", s.bytes);
        goto done;
    }
    rs_tables_rings(&s.table, g, height, ring, s.rings);
    rs_tables_scores(&s.table, g, height, width, s.score);
done:
    if (st == RESHED_OK)
        *out = s;
    else
        rs_finals_clear(&s);
    return st;
}

void rs_finals_clear(rs_finals *s)
{
    rs_tables_clear(&s->table);
    rs_spans_clear(&s->made);
    rs_free(s->rings);
    rs_free(s->score);
    memset(s, 0, sizeof *s);
}

void rs_finals_start(rs_finals *s, rs_extent extent, bool up)
{
    s->extent = extent;
    s->up = up;
    s->image = (rs_span){0, 0};
    for (int i = 0; i < 3 * s->made.blocks; i++) s->made.x[i] = (rs_span){0, 0};
}

/* The next rows of a buffer on the way from `made` to `target`: at most two, and a pair (2i, 2i+1)
 * never apart, so that its pool is made with it. */
static rs_span next_rows(const rs_finals *s, rs_span made, rs_span target)
{
    if (rs_span_empty(target)) return (rs_span){0, 0};
    if (!s->up) {
        const int r0 = rs_span_empty(made) ? target.lo : made.hi;
        const int two = r0 & 1 ? r0 + 1 : r0 + 2;
        return (rs_span){r0, two < target.hi ? two : target.hi};
    }
    const int r1 = rs_span_empty(made) ? target.hi : made.lo;
    const int two = r1 & 1 ? r1 - 1 : r1 - 2;
    return (rs_span){two > target.lo ? two : target.lo, r1};
}

static rs_span joined(rs_span made, rs_span rows)
{
    if (rs_span_empty(made)) return rows;
    return (rs_span){rows.lo < made.lo ? rows.lo : made.lo, rows.hi > made.hi ? rows.hi : made.hi};
}

/* Rows of block b's output that can be made: whole pairs where a pool follows. */
static rs_span out_target(const rs_finals *s, int b, int level)
{
    const rs_span there = s->extent.there[level];
    rs_span t = rs_span_erode(s->made.y[b], there);
    if (!rs_block_pooled(s->extent.arch, b)) return t;
    if (t.lo != there.lo) t.lo = (t.lo + 1) & ~1;
    if (t.hi != there.hi) t.hi &= ~1;
    return t;
}

static void note(rs_finals *s, int stage, rs_span rows)
{
    const int b = stage / 2;
    if (stage % 2 == 0) {
        s->made.y[b] = joined(s->made.y[b], rows);
        return;
    }
    const rs_span out = s->made.out[b] = joined(s->made.out[b], rows);
    if (b + 1 == s->made.blocks) return;
    s->made.x[b + 1] =
        rs_block_pooled(s->extent.arch, b)
            ? rs_span_pooled(out, s->extent.there[rs_block_level(s->extent.arch, b) + 1])
            : out;
}

bool rs_finals_step(rs_finals *s, rs_span known, rs_exec *e, const rs_scratch *scratch,
                    rs_step *step)
{
    rs_span rows = {0, 0};
    int stage = e->stages;
    memcpy(e->there, s->extent.there, sizeof e->there);
    e->rows = s->table.rows;
    /* The last stage that can move goes first: the rings stay short. */
    while (rs_span_empty(rows) && --stage >= 0) {
        const int b = stage / 2, level = e->stage[stage].layer.level;
        rows = stage % 2 == 0
                   ? next_rows(s, s->made.y[b], rs_span_erode(s->made.x[b], s->extent.there[level]))
                   : next_rows(s, s->made.out[b], out_target(s, b, level));
    }
    if (stage < 0) rows = next_rows(s, s->image, known);
    if (rs_span_empty(rows)) return false;
    *step = (rs_step){stage, rows.lo, rows.hi};
    for (int t = 0, n = rs_exec_tasks(e, step); t < n; t++) rs_exec_task(e, step, t, scratch);
    if (stage >= 0) {
        const rs_stage *st = &e->stage[stage];
        const rs_layer *l = &st->layer;
        s->macs += 9.0 * l->cin * l->cout * st->width * (rows.hi - rows.lo);
        s->weight_bytes += 4.0 * (double)rs_packed_size3(l->algo, l->cin, l->cout);
    }
    if (stage < 0)
        s->image = s->made.x[0] = joined(s->image, rows);
    else
        note(s, stage, rows);
    return true;
}

void rs_finals_advance(rs_finals *s, rs_span known, rs_exec *e, const rs_scratch *scratch)
{
    rs_step step;
    while (rs_finals_step(s, known, e, scratch, &step)) continue;
}

bool rs_finals_has(const rs_finals *s, int y)
{
    int last = -1;
    for (int k = 0; k < s->extent.arch->levels; k++) {
        last += s->extent.arch->layers[k];
        if (!rs_span_within(rs_span_sampled(&s->extent, k, (rs_span){y, y + 1}), s->made.out[last]))
            return false;
    }
    return true;
}
