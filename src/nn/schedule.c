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

static void choose_task(rs_stage *s)
{
    const int m = rs_conv_algo_tile(s->layer.algo);
    const int even = s->width + (s->width & 1);
    if (m) {
        const int across = ceil_div(s->width, m), want = tiles_wanted(m, s->layer.channels);
        if (across >= want) { /* part of a tile row: equal chunks */
            s->task_cols = ceil_div(across, ceil_div(across, want)) * m;
            s->task_rows = m;
        } else {
            s->task_cols = across * m;
            s->task_rows = rs_min_int(want / across, ceil_div(s->height, m)) * m;
        }
    } else if (s->layer.algo == RS_CONV_DIRECT) {
        s->task_cols = even;
        s->task_rows = 2;
    } else { /* gemm: about 256 pixels at a time, so that im2col stays in cache */
        s->task_cols = rs_min_int(even, 256);
        s->task_rows = 2 * rs_min_int(ceil_div(256, 2 * s->task_cols), ceil_div(s->height, 2));
    }
}

/* Rows of a step: whole tasks, enough of them for `tasks` threads to share, and never fewer than
 * eight rows, so that the bookkeeping of steps stays small. Which rows a task has does not change
 * with it. */
static void choose_step(rs_stage *s, int tasks)
{
    const int across = ceil_div(s->width, s->task_cols), most = ceil_div(s->height, s->task_rows);
    int down = ceil_div(tasks, across),
        eight = ceil_div(rs_conv_algo_tile(s->layer.algo) ? 1 : 8, s->task_rows);
    if (down < eight) down = eight;
    s->step_rows = rs_min_int(down, most) * s->task_rows;
}

int rs_step_tasks(const rs_stage *s, int row0, int row1)
{
    return ceil_div(row1 - row0, s->task_rows) * ceil_div(s->width, s->task_cols);
}

void rs_step_task(const rs_stage *s, int row0, int row1, int i, int *r0, int *r1, int *c0, int *c1)
{
    const int across = ceil_div(s->width, s->task_cols);
    *r0 = row0 + i / across * s->task_rows;
    *r1 = rs_min_int(*r0 + s->task_rows, row1);
    *c0 = i % across * s->task_cols;
    *c1 = rs_min_int(*c0 + s->task_cols, s->width);
}

/* ------------------------------------------------------------------------------------ the order */

/* Rows that are ready: made[i] of stage i's output, x_made[i] of c1 stage i's input. */
typedef struct progress {
    int *made, *x_made;
} progress;

/* Rows below that stage i must have before it makes rows up to r1. */
static int rows_needed(const rs_stage *s, int r1)
{
    return rs_min_int(r1 + 1, s->height);
}

static int rows_ready(const rs_stage *st, int i, const progress *p)
{
    return st[i].layer.role == RS_C1 ? p->x_made[i] : p->made[i - 1];
}

/* Marks rows [.., r1) of stage i as made, and what follows from them. */
static void advance(const rs_schedule *s, int i, int r1, progress *p)
{
    p->made[i] = r1;
    if (s->stage[i].layer.role != RS_C2 || i + 1 == s->stages) return;
    if (s->stage[i + 1].layer.level == s->stage[i].layer.level)
        p->x_made[i + 1] = r1;
    else
        p->x_made[i + 1] = r1 == s->stage[i].height ? s->stage[i + 1].height : r1 / 2;
}

/* Enlarges the rings so that they hold every row from the oldest still read to the newest. */
static void grow_rings(rs_schedule *s, const progress *p)
{
    for (int i = 0; i < s->stages; i += 2) { /* c1 at i, c2 at i+1 */
        rs_stage *c1 = &s->stage[i];
        int oldest_x = rs_min_int(p->made[i] - 1, p->made[i + 1]);
        int oldest_y = p->made[i + 1] - 1;
        int x = p->x_made[i] - (oldest_x < 0 ? 0 : oldest_x);
        int y = p->made[i] - (oldest_y < 0 ? 0 : oldest_y);
        if (x > c1->x.capacity) c1->x.capacity = x;
        if (y > c1->y.capacity) c1->y.capacity = y;
    }
}

/* One pass of the wavefront; steps NULL: only counts. The last stage that can move goes first, so
 * rows are used while they are fresh. */
static int simulate(rs_schedule *s, progress *p, rs_step *steps)
{
    int n = 0, image_rows = 0;
    memset(p->made, 0, (size_t)s->stages * sizeof *p->made);
    memset(p->x_made, 0, (size_t)s->stages * sizeof *p->x_made);
    for (;;) {
        rs_step step = {.stage = -2};
        for (int i = s->stages - 1; i >= 0; i--) {
            const rs_stage *st = &s->stage[i];
            int r0 = p->made[i], r1 = rs_min_int(r0 + st->step_rows, st->height);
            if (r0 < st->height && rows_ready(s->stage, i, p) >= rows_needed(st, r1)) {
                step = (rs_step){i, r0, r1};
                break;
            }
        }
        if (step.stage == -2 && image_rows < s->height) {
            step = (rs_step){-1, image_rows, rs_min_int(image_rows + 8, s->height)};
        }
        if (step.stage == -2) return n; /* all rows of all stages are made */
        if (steps) steps[n] = step;
        n++;
        if (step.stage < 0)
            p->x_made[0] = image_rows = step.row1;
        else /* its readers have not moved: the ring must hold old and new rows together */
            advance(s, step.stage, step.row1, p);
        grow_rings(s, p);
    }
}

/* --------------------------------------------------------------------------------------- memory */

static void size_rings(rs_schedule *s)
{
    for (int i = 0; i < s->stages; i += 2) {
        rs_stage *c1 = &s->stage[i], *c2 = &s->stage[i + 1];
        /* The right border reaches as far as the last tile of either reader. */
        int right = c1->width;
        for (int j = 0; j < 2; j++) {
            const rs_stage *st = &s->stage[i + j];
            int m = rs_conv_algo_tile(st->layer.algo);
            int end = m ? ceil_div(st->width, m) * m : st->width;
            if (end > right) right = end;
        }
        size_t stride = (size_t)(right + 2) * (size_t)c1->layer.channels;
        rs_ring *ring[2] = {&c1->x, &c1->y};
        for (int j = 0; j < 2; j++) {
            ring[j]->stride = stride;
            ring[j]->offset = s->ring_floats;
            s->ring_floats += stride * (size_t)ring[j]->capacity;
        }
        if (stride > s->zero_floats) s->zero_floats = stride;
        c2->x = c1->x;
        c2->y = c1->y;
    }
}

static void at_least(size_t *a, size_t b)
{
    if (b > *a) *a = b;
}

void rs_scratch_measure(const rs_stage *stage, int stages, int classes, rs_scratch_size *size)
{
    at_least(&size->o,
             (size_t)stage[0].width * (size_t)classes); /* a row between two rows of scores */
    for (int i = 0; i < stages; i++) {
        const rs_stage *st = &stage[i];
        const int m = rs_conv_algo_tile(st->layer.algo), c = st->layer.channels;
        const size_t px = (size_t)st->task_rows * (size_t)st->task_cols;
        if (m) {
            int tiles = (st->task_rows / m) * (st->task_cols / m);
            size_t vm = (size_t)((m + 2) * (m + 2)) * rs_wino_stride(tiles, c);
            at_least(&size->v, st->layer.algo == RS_CONV_WINO4_BF16
                                   ? 36 * rs_wino_stride_bf16(tiles, c) / 2
                                   : vm);
            at_least(&size->m, vm);
        }
        if (st->layer.algo == RS_CONV_WINO4_BF16) /* a row of the task in bf16 */
            at_least(&size->col, (size_t)st->task_cols * (size_t)c / 2);
        if (st->layer.algo == RS_CONV_GEMM) {
            at_least(&size->col, px * 9 * (size_t)c);
            at_least(&size->m, px * (size_t)c);
        }
        /* Output rows of a task; the gemm path's 1x1 convolutions write whole tasks here as
         * well. */
        at_least(&size->o, px * (size_t)c);
        at_least(&size->p, px / 4 * (size_t)c);
    }
}

void rs_stages_make(const rs_layer *layers, int n, int height, int width, rs_stage *out)
{
    for (int i = 0; i < n; i++) {
        out[i] = (rs_stage){.layer = layers[i],
                            .height = rs_level_size(height, layers[i].level),
                            .width = rs_level_size(width, layers[i].level)};
        choose_task(&out[i]);
    }
}

reshed_status rs_schedule_make(const rs_layer *layers, int n_layers, int classes, int height,
                               int width, int tasks, rs_schedule *out, reshed_error *err)
{
    rs_schedule s = {.height = height, .width = width, .stages = n_layers};
    progress p = {NULL, NULL};
    reshed_status st = RESHED_OK;
    s.stage = rs_zalloc((size_t)n_layers, sizeof *s.stage);
    p.made = rs_alloc((size_t)n_layers, sizeof *p.made);
    p.x_made = rs_alloc((size_t)n_layers, sizeof *p.x_made);
    if (!s.stage || !p.made || !p.x_made) {
        st = rs_fail_nomem(err, "a schedule", (size_t)n_layers * sizeof *s.stage);
        goto done;
    }
    rs_stages_make(layers, n_layers, height, width, s.stage);
    for (int i = 0; i < n_layers; i++) choose_step(&s.stage[i], tasks);
    s.steps = simulate(&s, &p, NULL);
    s.step = rs_alloc((size_t)s.steps, sizeof *s.step);
    if (!s.step) {
        st = rs_fail_nomem(err, "a schedule", (size_t)s.steps * sizeof *s.step);
        goto done;
    }
    simulate(&s, &p, s.step);
    size_rings(&s);
    rs_scratch_measure(s.stage, s.stages, classes, &s.scratch);
done:
    rs_free(p.made);
    rs_free(p.x_made);
    if (st != RESHED_OK)
        rs_schedule_clear(&s);
    else
        *out = s;
    return st;
}

void rs_schedule_clear(rs_schedule *s)
{
    rs_free(s->stage);
    rs_free(s->step);
    memset(s, 0, sizeof *s);
}
