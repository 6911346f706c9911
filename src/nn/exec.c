#include "nn/exec.h"

#include <math.h>
#include <string.h>

#include "nn/blas.h"

static size_t round16(size_t n)
{
    return (n + 15) & ~(size_t)15;
}

size_t rs_scratch_floats(const rs_scratch_size *s)
{
    return round16(s->v) + round16(s->m) + round16(s->o) + round16(s->p) + round16(s->col);
}

rs_scratch rs_scratch_at(float *block, const rs_scratch_size *size)
{
    rs_scratch s = {.v = block};
    s.m = s.v + round16(size->v);
    s.o = s.m + round16(size->m);
    s.p = s.o + round16(size->o);
    s.col = s.p + round16(size->p);
    return s;
}

/* ----------------------------------------------------------------------------------------- rows */

/* The buffers of a stage's block. */
static const rs_block_rows *rows_of(const rs_exec *e, const rs_stage *stage)
{
    return &e->rows[(stage - e->stage) / 2];
}

/* Row r of a stage's input, at the zero pixel left of column 0; rows outside the frame are zero. */
static const float *row_at(const rs_exec *e, const rs_stage *stage, float *const *rows, int r)
{
    const rs_span there = e->there[stage->layer.level];
    return r < there.lo || r >= there.hi ? e->zero : rows[r];
}

/* Column c of row r, for writing. */
static float *pixel_at(float *const *rows, int channels, int r, int c)
{
    return rows[r] + (size_t)(c + 1) * (size_t)channels;
}

/* out = act(in * w + b (+ res)) for a run of pixels, channels contiguous. */
static void pointwise(const rs_exec *e, const rs_packed_conv *c, const float *in, int pixels,
                      float *out, const rs_scratch *s)
{
    if (c->w16) {
        uint16_t *in16 = (uint16_t *)(void *)s->col;
        e->kernels->round_bf16(in, (size_t)pixels * (size_t)c->cin, in16);
        const rs_mac_bf16 a = {.in = in16,
                               .in_stride = (size_t)c->cin,
                               .cin = c->cin,
                               .cout = c->cout,
                               .w = c->w16,
                               .bias = c->b,
                               .out = out,
                               .out_stride = (size_t)c->cout,
                               .pixels = pixels};
        e->kernels->mac_bf16(&a);
    } else if (c->cin == 1) {
        e->kernels->from_one(in, pixels, c->cout, c->w, c->b, out);
    } else if (e->gemm) {
        rs_sgemm(pixels, c->cout, c->cin, in, c->cin, c->w, c->cout, out, c->cout);
        e->kernels->bias_act(out, pixels, c->cout, c->b, NULL, 1);
    } else {
        const rs_mac a = {.in = {in},
                          .in_stride = (size_t)c->cin,
                          .kh = 1,
                          .kw = 1,
                          .cin = c->cin,
                          .cout = c->cout,
                          .w = c->w,
                          .bias = c->b,
                          .slope = 1,
                          .out = out,
                          .out_stride = (size_t)c->cout,
                          .pixels = pixels};
        e->kernels->mac(&a);
    }
}

/* --------------------------------------------------------------------- a 3x3 convolution's task */

/* The rectangle of output pixels of one task, where its rows go, and what is added to them. */
typedef struct task {
    const rs_stage *stage;
    const rs_packed_conv *conv;
    float *const *in; /* rows */
    int r0, r1, c0, c1;
    float *out;             /* row r0, column c0 */
    size_t out_stride;      /* floats from row to row, when out is scratch */
    float *const *out_rows; /* else the rows it goes to */
    bool residual;          /* add the block's x */
} task;

static float *out_row(const task *t, int r)
{
    return t->out_rows ? pixel_at(t->out_rows, t->conv->cout, r, t->c0)
                       : t->out + (size_t)(r - t->r0) * t->out_stride;
}

static const float *residual_row(const rs_exec *e, const task *t, int r)
{
    return t->residual ? pixel_at(rows_of(e, t->stage)->x, t->conv->cout, r, t->c0) : NULL;
}

static void mark(const rs_exec *e, const task *t, const rs_scratch *s, rs_phase phase)
{
    rs_mark(s, (int)(t->stage - e->stage), phase);
}

static void conv_direct(const rs_exec *e, const task *t, const rs_scratch *s)
{
    const int c = t->conv->cout;
    for (int r = t->r0; r < t->r1; r++) {
        rs_mac a = {.in_stride = (size_t)c,
                    .kh = 3,
                    .kw = 3,
                    .cin = c,
                    .cout = c,
                    .w = t->conv->w,
                    .bias = t->conv->b,
                    .res = residual_row(e, t, r),
                    .res_stride = (size_t)c,
                    .slope = RS_LRELU_SLOPE,
                    .out = out_row(t, r),
                    .out_stride = (size_t)c,
                    .pixels = t->c1 - t->c0};
        for (int dy = 0; dy < 3; dy++)
            a.in[dy] = row_at(e, t->stage, t->in, r + dy - 1) + (size_t)t->c0 * (size_t)c;
        e->kernels->mac(&a);
    }
    mark(e, t, s, RS_PHASE_PRODUCT);
}

static void conv_gemm(const rs_exec *e, const task *t, const rs_scratch *s)
{
    const int c = t->conv->cout, width = t->c1 - t->c0;
    const size_t ch = (size_t)c, px = (size_t)width * (size_t)(t->r1 - t->r0);
    float *col = s->col;
    for (int r = t->r0; r < t->r1; r++) {
        const float *in[3];
        for (int dy = 0; dy < 3; dy++)
            in[dy] = row_at(e, t->stage, t->in, r + dy - 1) + (size_t)t->c0 * ch;
        for (int x = 0; x < width; x++)
            for (int dy = 0; dy < 3; dy++, col += 3 * ch)
                memcpy(col, in[dy] + (size_t)x * ch, 3 * ch * sizeof *col);
    }
    mark(e, t, s, RS_PHASE_IN);
    /* A task's rows lie one after another in scratch o, or (c1) go row by row to the ring. */
    float *dst = t->out_rows ? s->m : t->out;
    rs_sgemm((int)px, c, 9 * c, s->col, 9 * c, t->conv->w, c, dst, c);
    mark(e, t, s, RS_PHASE_PRODUCT);
    for (int r = t->r0; r < t->r1; r++) {
        float *o = dst + (size_t)(r - t->r0) * (size_t)width * ch;
        e->kernels->bias_act(o, width, c, t->conv->b, residual_row(e, t, r), RS_LRELU_SLOPE);
        if (t->out_rows) memcpy(out_row(t, r), o, (size_t)width * ch * sizeof *o);
    }
    mark(e, t, s, RS_PHASE_OUT);
}

/* V of the tile row d of a task. */
static void wino_in(const rs_exec *e, const task *t, int d, int across, int tiles, float *v)
{
    const int m = rs_conv_algo_tile(t->stage->layer.algo), c = t->conv->cout;
    const size_t ch = (size_t)c, first = (size_t)(d * across) * ch;
    const float *row[8];
    for (int i = 0; i < m + 2; i++)
        row[i] = row_at(e, t->stage, t->in, t->r0 + d * m - 1 + i) + (size_t)t->c0 * ch;
    if (t->conv->w16) {
        rs_wino_in_bf16 a = {.tiles = across,
                             .channels = c,
                             .v = (uint16_t *)(void *)v + first,
                             .v_stride = rs_wino_stride_bf16(tiles, c)};
        memcpy(a.row, row, sizeof a.row);
        e->kernels->wino_in_bf16(&a);
    } else {
        rs_wino_in a = {
            .tiles = across, .channels = c, .v = v + first, .v_stride = rs_wino_stride(tiles, c)};
        memcpy(a.row, row, sizeof a.row);
        e->kernels->wino_in[m == 6](&a);
    }
}

/* M of element f: V of it times U of it. */
static void wino_product(const rs_exec *e, const task *t, int f, int tiles, const rs_scratch *s)
{
    const int c = t->conv->cout;
    const size_t ch = (size_t)c, per = ch * ch, stride = rs_wino_stride(tiles, c);
    float *out = s->m + (size_t)f * stride;
    if (t->conv->w16) {
        const rs_mac_bf16 a = {.in = (const uint16_t *)(const void *)s->v +
                                     (size_t)f * rs_wino_stride_bf16(tiles, c),
                               .in_stride = ch,
                               .cin = c,
                               .cout = c,
                               .w = t->conv->w16 + (size_t)f * per,
                               .out = out,
                               .out_stride = ch,
                               .pixels = tiles};
        e->kernels->mac_bf16(&a);
    } else {
        const rs_mac a = {.in = {s->v + (size_t)f * stride},
                          .in_stride = ch,
                          .kh = 1,
                          .kw = 1,
                          .cin = c,
                          .cout = c,
                          .w = t->conv->w + (size_t)f * per,
                          .slope = 1,
                          .out = out,
                          .out_stride = ch,
                          .pixels = tiles};
        e->kernels->mac(&a);
    }
}

static void conv_wino(const rs_exec *e, const task *t, const rs_scratch *s)
{
    const int m = rs_conv_algo_tile(t->stage->layer.algo), which = m == 6, c = t->conv->cout;
    const int width = t->c1 - t->c0, across = (width + m - 1) / m;
    const int down = (t->r1 - t->r0 + m - 1) / m, tiles = across * down;

    for (int d = 0; d < down; d++) wino_in(e, t, d, across, tiles, s->v);
    mark(e, t, s, RS_PHASE_IN);
    for (int f = 0; f < (m + 2) * (m + 2); f++) wino_product(e, t, f, tiles, s);
    mark(e, t, s, RS_PHASE_PRODUCT);
    for (int d = 0; d < down; d++) {
        const int top = t->r0 + d * m, rows = t->r1 - top < m ? t->r1 - top : m;
        rs_wino_out a = {.prod = s->m + (size_t)(d * across) * (size_t)c,
                         .prod_stride = rs_wino_stride(tiles, c),
                         .tiles = across,
                         .channels = c,
                         .bias = t->conv->b,
                         .slope = RS_LRELU_SLOPE,
                         .rows = rows,
                         .width = width};
        for (int i = 0; i < rows; i++) {
            a.res[i] = residual_row(e, t, top + i);
            a.out[i] = out_row(t, top + i);
        }
        e->kernels->wino_out[which](&a);
    }
    mark(e, t, s, RS_PHASE_OUT);
}

static void conv(const rs_exec *e, const task *t, const rs_scratch *s)
{
    switch (t->stage->layer.algo) {
    case RS_CONV_DIRECT: conv_direct(e, t, s); break;
    case RS_CONV_GEMM: conv_gemm(e, t, s); break;
    case RS_CONV_WINO4:
    case RS_CONV_WINO6:
    case RS_CONV_WINO4_BF16: conv_wino(e, t, s); break;
    }
}

/* ---------------------------------------------------------------- what follows a block's output */

/* Pool rows of the task, and the next level's first 1x1 convolution of them. */
static void pool_and_enter(const rs_exec *e, const task *t, const rs_scratch *s)
{
    const rs_stage *next = t->stage + 1;
    const rs_packed_conv *c0 = &e->weights->block[next->layer.level][0].c0;
    const size_t c = (size_t)t->conv->cout;
    const int left = t->c0 / 2, px = (t->c1 < 2 * next->width ? t->c1 : 2 * next->width) / 2 - left;
    for (int r = t->r0 + (t->r0 & 1); r + 1 < t->r1 && r / 2 < e->there[next->layer.level].hi;
         r += 2) {
        const float *o = t->out + (size_t)(r - t->r0) * t->out_stride;
        e->kernels->pool_row(o, o + t->out_stride, px, (int)c, s->p);
        pointwise(e, c0, s->p, px, pixel_at(rows_of(e, next)->x, c0->cout, r / 2, left), s);
    }
}

/* c2: the block's output rows in scratch o feed the next block, or the head and the next level. */
static void after_block(const rs_exec *e, const task *t, const rs_scratch *s)
{
    const int level = t->stage->layer.level, px = t->c1 - t->c0;
    const bool last_block = t->stage->layer.block + 1 == e->arch->layers[level];
    if (!last_block) {
        const rs_packed_conv *c0 = &e->weights->block[level][t->stage->layer.block + 1].c0;
        for (int r = t->r0; r < t->r1; r++)
            pointwise(e, c0, t->out + (size_t)(r - t->r0) * t->out_stride, px,
                      pixel_at(rows_of(e, t->stage + 1)->x, c0->cout, r, t->c0), s);
        return;
    }
    const rs_packed_conv *head = &e->weights->head[level];
    for (int r = t->r0; r < t->r1; r++)
        e->kernels->head_row(t->out + (size_t)(r - t->r0) * t->out_stride, px, head->cin,
                             head->cout, head->w, head->b,
                             e->score[level][r] + (size_t)t->c0 * (size_t)head->cout);
    if (level + 1 < e->arch->levels) pool_and_enter(e, t, s);
}

int rs_exec_tasks(const rs_exec *e, const rs_step *step)
{
    if (step->stage < 0) return step->row1 - step->row0;
    return rs_step_tasks(&e->stage[step->stage], step->row0, step->row1);
}

void rs_exec_task(const rs_exec *e, const rs_step *step, int i, const rs_scratch *s)
{
    if (step->stage < 0) {
        const rs_stage *first = &e->stage[0];
        const rs_packed_conv *c0 = &e->weights->block[0][0].c0;
        const int r = step->row0 + i;
        rs_mark(s, -1, RS_PHASE_START);
        pointwise(e, c0, e->image + (size_t)r * (size_t)first->width, first->width,
                  pixel_at(e->rows[0].x, c0->cout, r, 0), s);
        rs_mark(s, -1, RS_PHASE_AFTER);
        return;
    }
    const rs_stage *st = &e->stage[step->stage];
    const rs_packed_block *b = &e->weights->block[st->layer.level][st->layer.block];
    const rs_block_rows *rows = rows_of(e, st);
    task t = {.stage = st};
    rs_step_task(st, step->row0, step->row1, i, &t.r0, &t.r1, &t.c0, &t.c1);
    mark(e, &t, s, RS_PHASE_START);
    if (st->layer.role == RS_C1) {
        t.conv = &b->c1;
        t.in = rows->x;
        t.out_rows = rows->y;
        conv(e, &t, s);
    } else {
        t.conv = &b->c2;
        t.in = rows->y;
        t.out = s->o;
        t.out_stride = (size_t)(t.c1 - t.c0) * (size_t)st->layer.channels;
        t.residual = true;
        conv(e, &t, s);
        after_block(e, &t, s);
        mark(e, &t, s, RS_PHASE_AFTER);
    }
}

/* ---------------------------------------------------------------------- scores to probabilities */

void rs_sample(int i, int n, int m, rs_upsampling mode, int *lo, int *hi, float *t)
{
    const float scale = (float)m / (float)n;
    if (mode == RS_NEAREST || m == n) {
        const int k = (int)floorf((float)i * scale);
        *lo = *hi = k < m ? k : m - 1;
        *t = 0;
        return;
    }
    float x = ((float)i + 0.5f) * scale - 0.5f;
    if (x < 0) x = 0;
    const int k = (int)x < m ? (int)x : m - 1;
    *lo = k;
    *hi = k + 1 < m ? k + 1 : k;
    *t = x - (float)k;
}

void rs_sampling_fill(const rs_arch *arch, int width, rs_sampling *table)
{
    for (int k = 0; k < arch->levels; k++)
        for (int x = 0; x < width; x++) {
            rs_sampling *s = table + (size_t)k * (size_t)width + (size_t)x;
            rs_sample(x, width, rs_level_size(width, k), arch->upsampling, &s->lo, &s->hi, &s->t);
        }
}

static void softmax(float *v, int n)
{
    float top = v[0], sum = 0;
    for (int i = 1; i < n; i++)
        if (v[i] > top) top = v[i];
    for (int i = 0; i < n; i++) sum += v[i] = expf(v[i] - top);
    for (int i = 0; i < n; i++) v[i] /= sum;
}

static int clamp(int r, rs_span there)
{
    return r < there.lo ? there.lo : r >= there.hi ? there.hi - 1 : r;
}

/* Adds one level's part of the mixing convolution to a row of logits: resize of its scores to row
 * y, then the columns of the 1x1 convolution that belong to the level. */
static void add_level(const rs_exec *e, int level, int y, float *between, float *out)
{
    const int cl = e->arch->classes, width = e->width, all = e->arch->levels * cl;
    const int h = rs_level_size(e->height, level), w = rs_level_size(width, level);
    const float *weight = e->weights->out.w + level * cl;
    const rs_sampling *s = e->sampling + (size_t)level * (size_t)width;
    const size_t n = (size_t)w * (size_t)cl;
    int y0, y1;
    float t;
    rs_sample(y, e->height, h, e->arch->upsampling, &y0, &y1, &t);
    const float *a = e->score[level][clamp(y0, e->there[level])],
                *b = e->score[level][clamp(y1, e->there[level])];
    for (size_t i = 0; i < n; i++) between[i] = a[i] + t * (b[i] - a[i]);
    if (cl == 1) {
        for (int x = 0; x < width; x++)
            out[x] +=
                weight[0] * (between[s[x].lo] + s[x].t * (between[s[x].hi] - between[s[x].lo]));
        return;
    }
    for (int x = 0; x < width; x++) {
        const float *lo = between + (size_t)s[x].lo * (size_t)cl,
                    *hi = between + (size_t)s[x].hi * (size_t)cl;
        for (int i = 0; i < cl; i++) {
            const float v = lo[i] + s[x].t * (hi[i] - lo[i]);
            for (int o = 0; o < cl; o++)
                out[(size_t)x * (size_t)cl + (size_t)o] += weight[o * all + i] * v;
        }
    }
}

void rs_exec_mix(const rs_exec *e, int row, const rs_scratch *s, float *out)
{
    const int cl = e->arch->classes, width = e->width;
    const size_t n = (size_t)width * (size_t)cl;
    for (size_t i = 0; i < n; i++) out[i] = e->weights->out.b[i % (size_t)cl];
    for (int k = 0; k < e->arch->levels; k++) add_level(e, k, row, s->o, out);
    if (cl == 1)
        e->kernels->sigmoid(out, n);
    else
        for (int x = 0; x < width; x++) softmax(out + (size_t)x * (size_t)cl, cl);
}

void rs_moments(const float *prob, size_t stride, int members, size_t n, float *mean,
                float *variance)
{
    for (size_t i = 0; i < n; i++) {
        double sum = 0, square = 0;
        for (int m = 0; m < members; m++) sum += prob[(size_t)m * stride + i];
        const double average = sum / members;
        for (int m = 0; m < members; m++) {
            const double d = prob[(size_t)m * stride + i] - average;
            square += d * d;
        }
        mean[i] = (float)average;
        variance[i] = (float)(square / members);
    }
}
