#include "nn/front.h"

#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"

/* Rows beyond a window that a tile may read; they change nothing but must be there. */
#define OVERHANG 8

/* ------------------------------------------------------------------------------- an empty frame */

/* Which rows of an empty frame differ from those in its middle: spans of the rows that neither edge
 * reaches. */
static void middle(const rs_front_shape *s, rs_spans *out)
{
    rs_extent endless = {.arch = s->arch, .height = s->blank_height};
    for (int k = 0; k < s->arch->levels; k++) endless.there[k] = (rs_span){-(1 << 28), 1 << 28};
    rs_spans_determined(&endless, (rs_span){0, s->blank_height}, out);
}

/* The rows at one edge that differ, and one of the middle. */
static rs_span kept_rows(rs_span same, int height, bool up)
{
    if (up) return (rs_span){0, rs_min_int(same.lo + 1, height)};
    return (rs_span){rs_max_int(rs_min_int(same.hi, height) - 1, 0), height};
}

static reshed_status plan_blank(rs_front_shape *s, reshed_error *err)
{
    /* high enough that its middle is out of reach of both edges, and odd where the frame is */
    const int unit = 1 << s->arch->levels;
    const int enough = 2 * rs_receptive_radius(s->arch) + 4 * unit;
    s->blank_height = s->height;
    if (s->height > enough + unit) s->blank_height -= (s->height - enough) / unit * unit;
    rs_spans same;
    reshed_status st = rs_spans_make(s->arch, &same, err);
    if (st != RESHED_OK) return st;
    middle(s, &same);
    for (int up = 0; up < 2; up++) {
        if ((st = rs_spans_make(s->arch, &s->kept[up], err)) != RESHED_OK) break;
        for (int b = 0; b < same.blocks; b++) {
            const int h = rs_level_size(s->blank_height, rs_block_level(s->arch, b));
            const rs_span x = kept_rows(same.x[b], h, up), y = kept_rows(same.y[b], h, up);
            s->kept[up].x[b] = x;
            s->kept[up].y[b] = y;
            s->blank_floats[up] += (size_t)(x.hi - x.lo + y.hi - y.lo) * s->ring[2 * b].stride;
        }
    }
    rs_spans_clear(&same);
    return st;
}

/* Offsets of the kept rows of block b's x and y. */
static float *kept_at(const rs_front_shape *s, bool up, float *blank, int block, bool y)
{
    const rs_spans *kept = &s->kept[up];
    for (int b = 0; b < block; b++)
        blank += (size_t)(kept->x[b].hi - kept->x[b].lo + kept->y[b].hi - kept->y[b].lo) *
                 s->ring[2 * b].stride;
    return y ? blank + (size_t)(kept->x[block].hi - kept->x[block].lo) * s->ring[2 * block].stride
             : blank;
}

static void keep(const rs_front_shape *s, float *const blank[2], int block, bool y, rs_span rows,
                 float *const *table)
{
    const size_t stride = s->ring[2 * block].stride;
    for (int up = 0; up < 2; up++) {
        const rs_span kept = y ? s->kept[up].y[block] : s->kept[up].x[block];
        float *at = kept_at(s, up, blank[up], block, y);
        for (int r = rs_max_int(rows.lo, kept.lo); r < rs_min_int(rows.hi, kept.hi); r++)
            memcpy(at + (size_t)(r - kept.lo) * stride, table[r], stride * sizeof *at);
    }
}

void rs_front_blank(const rs_front_shape *s, rs_exec *e, rs_finals *f, const rs_scratch *scratch,
                    float *down, float *up)
{
    const rs_span all = {0, s->blank_height};
    float *const blank[2] = {down, up};
    rs_step step;
    rs_finals_start(f, rs_extent_make(s->arch, s->blank_height, all), false);
    while (rs_finals_step(f, all, e, scratch, &step)) {
        const int b = step.stage / 2;
        rs_span rows = {step.row0, step.row1};
        if (step.stage < 0) {
            keep(s, blank, 0, false, rows, f->table.rows[0]);
        } else if (step.stage % 2 == 0) {
            keep(s, blank, b, true, rows, f->table.rows[2 * b + 1]);
        } else if (b + 1 < f->made.blocks) {
            if (rs_block_pooled(s->arch, b)) rows = (rs_span){rows.lo / 2, rows.hi / 2};
            keep(s, blank, b + 1, false, rows, f->table.rows[2 * b + 2]);
        }
    }
}

/* Row r of block b in an empty frame; there rows exist. */
static float *blank_row(const rs_front_shape *s, bool up, float *blank, int b, bool y, int r)
{
    const int level = rs_block_level(s->arch, b);
    const rs_span kept = y ? s->kept[up].y[b] : s->kept[up].x[b];
    if (up)
        r = rs_min_int(r, kept.hi - 1);
    else
        r = rs_max_int(r - rs_level_size(s->height, level) + rs_level_size(s->blank_height, level),
                       kept.lo);
    return kept_at(s, up, blank, b, y) + (size_t)(r - kept.lo) * s->ring[2 * b].stride;
}

/* -------------------------------------------------------------------------------------- windows */

static rs_span window(bool up, rs_span need, rs_span touched, rs_span made, rs_span there,
                      bool pairs)
{
    rs_span w;
    if (rs_span_empty(made)) made.lo = made.hi = up ? there.hi : there.lo;
    if (up)
        w = (rs_span){rs_max_int(need.lo, touched.lo), made.lo};
    else
        w = (rs_span){made.hi, rs_min_int(need.hi, touched.hi)};
    if (pairs)
        w = (rs_span){rs_max_int(w.lo & ~1, there.lo), rs_min_int((w.hi + 1) & ~1, there.hi)};
    if (w.hi < w.lo) w.hi = w.lo;
    return w;
}

void rs_front_windows(const rs_front_shape *s, bool up, rs_span scanned, rs_span output,
                      const rs_spans *made, rs_spans *need, rs_spans *touched, rs_spans *w)
{
    const rs_extent e = rs_extent_make(s->arch, s->height, (rs_span){0, s->height});
    const int n = scanned.hi - scanned.lo;
    if (s->reflect) /* what the mirror shows */
        scanned = (rs_span){rs_max_int(scanned.lo - n, 0), rs_min_int(scanned.hi + n, s->height)};
    rs_spans_behind(&e, output, need);
    rs_spans_touched(&e, scanned, touched);
    w->x[0] = window(up, need->x[0], touched->x[0], made->x[0], e.there[0], false);
    for (int b = 0; b < w->blocks; b++) {
        const int k = rs_block_level(s->arch, b);
        const bool pooled = rs_block_pooled(s->arch, b);
        w->y[b] = window(up, need->y[b], touched->y[b], made->y[b], e.there[k], false);
        w->out[b] = window(up, need->out[b], touched->out[b], made->out[b], e.there[k], pooled);
        if (b + 1 == w->blocks) break;
        w->x[b + 1] = pooled ? rs_span_pooled(w->out[b], e.there[k + 1]) : w->out[b];
        if (w->x[b + 1].hi < w->x[b + 1].lo) w->x[b + 1].hi = w->x[b + 1].lo;
    }
}

static void grow(rs_span *capacity, rs_span w)
{
    capacity->hi = rs_max_int(capacity->hi, w.hi - w.lo);
}

static bool holds(rs_span capacity, rs_span w)
{
    return w.hi - w.lo <= capacity.hi + 2;
}

bool rs_front_holds(const rs_front_shape *s, const rs_spans *w)
{
    for (int b = 0; b < w->blocks; b++)
        if (!holds(s->capacity.x[b], w->x[b]) || !holds(s->capacity.y[b], w->y[b]) ||
            !holds(s->capacity.out[b], w->out[b]))
            return false;
    return true;
}

/* The largest windows of a scan of the whole frame, down or up, line by line. */
static reshed_status plan_capacity(rs_front_shape *s, reshed_error *err)
{
    rs_spans made = {0}, need = {0}, touched = {0}, w = {0};
    const rs_extent e = rs_extent_make(s->arch, s->height, (rs_span){0, s->height});
    const int reach = rs_receptive_radius(s->arch) + 2;
    reshed_status st = rs_spans_make(s->arch, &s->capacity, err);
    if (st == RESHED_OK) st = rs_spans_make(s->arch, &made, err);
    if (st == RESHED_OK) st = rs_spans_make(s->arch, &need, err);
    if (st == RESHED_OK) st = rs_spans_make(s->arch, &touched, err);
    if (st == RESHED_OK) st = rs_spans_make(s->arch, &w, err);
    for (int i = 0; st == RESHED_OK && i < 2 * s->height; i++) {
        const bool up = i >= s->height;
        const int r = i % s->height;
        const rs_span scanned = up ? (rs_span){r, s->height} : (rs_span){0, r + 1};
        const rs_span output = up ? (rs_span){r, rs_min_int(r + reach, s->height)}
                                  : (rs_span){rs_max_int(r + 1 - reach, 0), r + 1};
        rs_spans_determined(&e, scanned, &made);
        rs_front_windows(s, up, scanned, output, &made, &need, &touched, &w);
        for (int b = 0; b < w.blocks; b++) {
            grow(&s->capacity.x[b], w.x[b]);
            grow(&s->capacity.y[b], w.y[b]);
            grow(&s->capacity.out[b], w.out[b]);
        }
    }
    rs_spans_clear(&made);
    rs_spans_clear(&need);
    rs_spans_clear(&touched);
    rs_spans_clear(&w);
    return st;
}

/* ------------------------------------------------------------------------------------ the shape */

/* Pairs are made whole, and a pool of finals can be a row behind: two rows more than planned. */
static size_t buffer_rows(rs_span capacity)
{
    return (size_t)capacity.hi + 2;
}

static int last_block(const rs_arch *arch, int level)
{
    int b = -1;
    for (int k = 0; k <= level; k++) b += arch->layers[k];
    return b;
}

reshed_status rs_front_shape_make(const rs_graph *g, const rs_ring *ring, int height, int width,
                                  bool reflect, rs_front_shape *out, reshed_error *err)
{
    const rs_arch *arch = &g->arch;
    rs_front_shape s = {.graph = g,
                        .arch = arch,
                        .ring = ring,
                        .stages = g->nodes,
                        .height = height,
                        .width = width,
                        .reflect = reflect};
    reshed_status st = plan_blank(&s, err);
    if (st == RESHED_OK) st = plan_capacity(&s, err);
    if (st != RESHED_OK) {
        rs_front_shape_clear(&s);
        return st;
    }
    for (int b = 0; b < s.capacity.blocks; b++)
        s.row_floats +=
            (buffer_rows(s.capacity.x[b]) + buffer_rows(s.capacity.y[b])) * ring[2 * b].stride;
    for (int k = 0; k < arch->levels; k++)
        s.score_floats += buffer_rows(s.capacity.out[last_block(arch, k)]) *
                          (size_t)rs_level_size(width, k) * (size_t)arch->classes;
    *out = s;
    return RESHED_OK;
}

void rs_front_shape_clear(rs_front_shape *s)
{
    rs_spans_clear(&s->kept[0]);
    rs_spans_clear(&s->kept[1]);
    rs_spans_clear(&s->capacity);
    memset(s, 0, sizeof *s);
}

/* -------------------------------------------------------------------------------------- running */

reshed_status rs_front_make(const rs_front_shape *s, rs_front *out, reshed_error *err)
{
    rs_front f = {0};
    reshed_status st = rs_tables_make(s->graph, s->height, &f.table, err);
    if (st != RESHED_OK) return st;
    f.rows = rs_zalloc(s->row_floats, sizeof *f.rows);
    f.score = rs_zalloc(s->score_floats, sizeof *f.score);
    f.bytes = (s->row_floats + s->score_floats) * sizeof(float) + f.table.bytes;
    if (!f.rows || !f.score) {
        rs_front_clear(&f);
        return rs_fail_nomem(err, "rows of a scan front", f.bytes);
    }
    *out = f;
    return RESHED_OK;
}

void rs_front_clear(rs_front *f)
{
    rs_tables_clear(&f->table);
    rs_free(f->rows);
    rs_free(f->score);
    memset(f, 0, sizeof *f);
}

/* The job of pointing one buffer's rows at where they lie. */
typedef struct buffer {
    float **table, **finals;
    rs_span window, made;
    int block, height;
    bool y;
} buffer;

static void point(const rs_front_shape *s, bool up, const buffer *b, float *rows, float *blank,
                  const float *zero)
{
    const size_t stride = s->ring[2 * b->block].stride;
    for (int r = rs_max_int(b->window.lo - OVERHANG, 0);
         r < rs_min_int(b->window.hi + OVERHANG, b->height); r++) {
        if (r >= b->window.lo && r < b->window.hi)
            b->table[r] = rows + (size_t)(r - b->window.lo) * stride;
        else if (up ? r < b->window.lo : r >= b->window.hi)
            b->table[r] = blank_row(s, up, blank, b->block, b->y, r);
        else if (r >= b->made.lo && r < b->made.hi &&
                 (up ? r < b->made.lo + RS_FINALS_ROWS : r >= b->made.hi - RS_FINALS_ROWS))
            b->table[r] = b->finals[r];
        else /* only the overhang of a tile reads it, and nothing writes there */
            b->table[r] = (float *)(uintptr_t)zero;
    }
}

static void point_all(const rs_front_shape *s, rs_front *f, const rs_spans *w, rs_span output,
                      const rs_finals *finals, float *blank, const float *zero)
{
    const bool up = finals->up;
    float *rows = f->rows, *score = f->score;
    for (int b = 0; b < w->blocks; b++) {
        const int height = rs_level_size(s->height, s->graph->place[2 * b].level);
        const buffer x = {f->table.rows[2 * b],
                          finals->table.rows[2 * b],
                          w->x[b],
                          finals->made.x[b],
                          b,
                          height,
                          false};
        const buffer y = {f->table.rows[2 * b + 1],
                          finals->table.rows[2 * b + 1],
                          w->y[b],
                          finals->made.y[b],
                          b,
                          height,
                          true};
        point(s, up, &x, rows, blank, zero);
        rows += buffer_rows(s->capacity.x[b]) * s->ring[2 * b].stride;
        point(s, up, &y, rows, blank, zero);
        rows += buffer_rows(s->capacity.y[b]) * s->ring[2 * b].stride;
    }
    for (int k = 0; k < s->arch->levels; k++) {
        const int last = last_block(s->arch, k), place = s->graph->score[k];
        const size_t row = (size_t)rs_level_size(s->width, k) * (size_t)s->arch->classes;
        const rs_span mine = w->out[last];
        const rs_span read = rs_span_sampled(&finals->extent, k, output);
        for (int r = rs_min_int(read.lo, mine.lo); r < rs_max_int(read.hi, mine.hi); r++)
            f->table.rows[place][r] = r >= mine.lo && r < mine.hi
                                          ? score + (size_t)(r - mine.lo) * row
                                          : finals->table.rows[place][r];
        score += buffer_rows(s->capacity.out[last]) * row;
    }
}

void rs_front_run(const rs_front_shape *s, rs_front *f, const rs_spans *w, rs_span output,
                  const rs_finals *finals, float *blank, rs_exec *e, const rs_scratch *scratch)
{
    point_all(s, f, w, output, finals, blank, e->zero);
    memcpy(e->there, finals->extent.there, sizeof e->there);
    e->rows = f->table.rows;
    for (int i = -1; i < s->stages; i++) {
        const rs_span rows = i < 0 ? w->x[0] : i % 2 == 0 ? w->y[i / 2] : w->out[i / 2];
        const rs_step step = {i, rows.lo, rows.hi};
        if (rs_span_empty(rows)) continue;
        for (int t = 0, n = rs_exec_tasks(e, &step); t < n; t++) rs_exec_task(e, &step, t, scratch);
    }
}
