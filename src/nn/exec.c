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

static const rs_row_place *place_of(const rs_exec *e, int place)
{
    return &e->graph->place[place];
}

/* Row r of a place at the first of its border's pixels, for reading; rows outside the frame are zero. */
static const float *row_at(const rs_exec *e, int place, int r)
{
    const rs_span there = e->there[place_of(e, place)->level];
    return r < there.lo || r >= there.hi ? e->zero : e->rows[place][r];
}

/* Channel 0 of column c of row r, for writing. */
static float *pixel_at(const rs_exec *e, int place, int r, int c)
{
    const rs_row_place *p = place_of(e, place);
    return e->rows[place][r] + (size_t)(c + p->border) * (size_t)p->channels;
}

/* out = in * w + b for a run of pixels, channels contiguous. */
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
        const rs_mac a = rs_mac_point(in, pixels, c->cin, c->cout, c->w, c->b, out);
        e->kernels->mac(&a);
    }
}

/* --------------------------------------------------------------------- a 3x3 convolution's task */

/* The pixels of one task, and where they go: into the node's place, or scratch o for its uses. */
typedef struct task {
    const rs_stage *stage;
    const rs_op *node;
    const rs_packed_conv *conv;
    rs_task at;
    float *out;    /* scratch, rows one after another; NULL: the node's place */
    size_t stride; /* floats from pixel to pixel of the output */
} task;

/* Output row j of the task, at its first column. */
static float *out_row(const rs_exec *e, const task *t, int j)
{
    if (t->out) return t->out + (size_t)j * (size_t)(t->at.c1 - t->at.c0) * t->stride;
    return pixel_at(e, t->node->to, t->at.r0 + j * t->at.step, t->at.c0) + t->node->offset;
}

static const float *residual_row(const rs_exec *e, const task *t, int j)
{
    const int from = t->node->residual;
    return from < 0 ? NULL : pixel_at(e, from, t->at.r0 + j * t->at.step, t->at.c0);
}

/* Row r of the input at the leftmost tap of the task's first column. */
static const float *tap_row(const rs_exec *e, const task *t, int r)
{
    const rs_row_place *p = place_of(e, t->node->in);
    return row_at(e, t->node->in, r) +
           (size_t)(t->at.c0 + p->border - t->node->dilation) * (size_t)p->channels;
}

static void mark(const rs_exec *e, const task *t, const rs_scratch *s, rs_phase phase)
{
    rs_mark(s, (int)(t->stage - e->stage), phase);
}

static void conv_direct(const rs_exec *e, const task *t, const rs_scratch *s)
{
    const int d = t->node->dilation;
    const size_t in = (size_t)t->conv->cin;
    for (int j = 0; j < t->at.n; j++) {
        rs_mac a = {.in_stride = in,
                    .tap_stride = (size_t)d * in,
                    .kh = 3,
                    .kw = 3,
                    .cin = t->conv->cin,
                    .cout = t->conv->cout,
                    .w = t->conv->w,
                    .bias = t->conv->b,
                    .res = residual_row(e, t, j),
                    .res_stride = (size_t)t->conv->cout,
                    .slope = t->node->slope,
                    .scale = t->conv->scale,
                    .shift = t->conv->shift,
                    .out = out_row(e, t, j),
                    .out_stride = t->stride,
                    .pixels = t->at.c1 - t->at.c0};
        for (int dy = 0; dy < 3; dy++) a.in[dy] = tap_row(e, t, t->at.r0 + j + (dy - 1) * d);
        e->kernels->mac(&a);
    }
    mark(e, t, s, RS_PHASE_PRODUCT);
}

static void gather_taps(const rs_exec *e, const task *t, float *col)
{
    const int d = t->node->dilation, width = t->at.c1 - t->at.c0;
    const size_t ch = (size_t)t->conv->cin;
    for (int j = 0; j < t->at.n; j++) {
        const float *in[3];
        for (int dy = 0; dy < 3; dy++) in[dy] = tap_row(e, t, t->at.r0 + j + (dy - 1) * d);
        for (int x = 0; x < width; x++)
            for (int dy = 0; dy < 3; dy++)
                for (int dx = 0; dx < 3; dx++, col += ch)
                    memcpy(col, in[dy] + (size_t)(x + dx * d) * ch, ch * sizeof *col);
    }
}

static void conv_gemm(const rs_exec *e, const task *t, const rs_scratch *s)
{
    const rs_packed_conv *c = t->conv;
    const int width = t->at.c1 - t->at.c0, k = 9 * c->cin;
    const size_t ch = (size_t)c->cout;
    gather_taps(e, t, s->col);
    mark(e, t, s, RS_PHASE_IN);
    /* A task's rows lie one after another in scratch o, or go row by row to the ring. */
    float *dst = t->out ? t->out : s->m;
    rs_sgemm(width * t->at.n, c->cout, k, s->col, k, c->w, c->cout, dst, c->cout);
    mark(e, t, s, RS_PHASE_PRODUCT);
    for (int j = 0; j < t->at.n; j++) {
        float *o = dst + (size_t)j * (size_t)width * ch, *to = out_row(e, t, j);
        e->kernels->bias_act(o, width, c->cout, c->b, residual_row(e, t, j), t->node->slope);
        if (c->scale)
            e->kernels->bend_row(o, width, c->cout, c->scale, c->scale, c->shift, false, to,
                                 t->stride);
        else if (to != o)
            for (int x = 0; x < width; x++)
                memcpy(to + (size_t)x * t->stride, o + (size_t)x * ch, ch * sizeof *o);
    }
    mark(e, t, s, RS_PHASE_OUT);
}

/* The tiles of a task: down rows of them, in each `across` for every phase of columns. */
typedef struct tiles {
    int m, phases, across, down, all;
} tiles;

static tiles tiles_of(const task *t)
{
    tiles g = {.m = rs_conv_algo_tile(t->stage->layer.algo), .phases = t->stage->phases};
    const int columns = (t->at.c1 - t->at.c0 + g.phases - 1) / g.phases;
    g.across = (columns + g.m - 1) / g.m;
    g.down = (t->at.n + g.m - 1) / g.m;
    g.all = g.down * g.phases * g.across;
    return g;
}

/* V of the tiles in row d and phase p of a task. */
static void wino_in(const rs_exec *e, const task *t, const tiles *g, int d, int p, float *v)
{
    const int c = t->conv->cin, step = t->at.step;
    const size_t ch = (size_t)c, first = (size_t)((d * g->phases + p) * g->across) * ch;
    const float *row[8];
    for (int i = 0; i < g->m + 2; i++)
        row[i] = tap_row(e, t, t->at.r0 + (d * g->m - 1 + i) * step) + (size_t)p * ch;
    if (t->conv->w16) {
        rs_wino_in_bf16 a = {.tiles = g->across,
                             .channels = c,
                             .step = (size_t)g->phases * ch,
                             .v = (uint16_t *)(void *)v + first,
                             .v_stride = rs_wino_stride_bf16(g->all, c)};
        memcpy(a.row, row, sizeof a.row);
        e->kernels->wino_in_bf16(&a);
    } else {
        rs_wino_in a = {.tiles = g->across,
                        .channels = c,
                        .step = (size_t)g->phases * ch,
                        .v = v + first,
                        .v_stride = rs_wino_stride(g->all, c)};
        memcpy(a.row, row, sizeof a.row);
        e->kernels->wino_in[g->m == 6](&a);
    }
}

/* M of element f: V of it times U of it. */
static void wino_product(const rs_exec *e, const task *t, int f, int all, const rs_scratch *s)
{
    const int in = t->conv->cin, out = t->conv->cout;
    const size_t per = (size_t)in * (size_t)out;
    float *to = s->m + (size_t)f * rs_wino_stride(all, out);
    if (t->conv->w16) {
        const rs_mac_bf16 a = {.in = (const uint16_t *)(const void *)s->v +
                                     (size_t)f * rs_wino_stride_bf16(all, in),
                               .in_stride = (size_t)in,
                               .cin = in,
                               .cout = out,
                               .w = t->conv->w16 + (size_t)f * per,
                               .out = to,
                               .out_stride = (size_t)out,
                               .pixels = all};
        e->kernels->mac_bf16(&a);
    } else {
        const rs_mac a = rs_mac_point(s->v + (size_t)f * rs_wino_stride(all, in), all, in, out,
                                      t->conv->w + (size_t)f * per, NULL, to);
        e->kernels->mac(&a);
    }
}

/* Output of the tiles in row d and phase p of a task. */
static void wino_out(const rs_exec *e, const task *t, const tiles *g, int d, int p,
                     const rs_scratch *s)
{
    const int c = t->conv->cout, top = d * g->m, left = t->at.n - top;
    const size_t ch = (size_t)c, phase = (size_t)p;
    rs_wino_out a = {.prod = s->m + (size_t)((d * g->phases + p) * g->across) * ch,
                     .prod_stride = rs_wino_stride(g->all, c),
                     .tiles = g->across,
                     .channels = c,
                     .bias = t->conv->b,
                     .slope = t->node->slope,
                     .scale = t->conv->scale,
                     .shift = t->conv->shift,
                     .rows = left < g->m ? left : g->m,
                     .width = (t->at.c1 - t->at.c0 - p + g->phases - 1) / g->phases,
                     .res_step = (size_t)g->phases * ch,
                     .step = (size_t)g->phases * t->stride};
    for (int i = 0; i < a.rows; i++) {
        const float *res = residual_row(e, t, top + i);
        a.res[i] = res ? res + phase * ch : NULL;
        a.out[i] = out_row(e, t, top + i) + phase * t->stride;
    }
    e->kernels->wino_out[g->m == 6](&a);
}

static void conv_wino(const rs_exec *e, const task *t, const rs_scratch *s)
{
    const tiles g = tiles_of(t);
    for (int d = 0; d < g.down; d++)
        for (int p = 0; p < g.phases; p++) wino_in(e, t, &g, d, p, s->v);
    mark(e, t, s, RS_PHASE_IN);
    for (int f = 0; f < (g.m + 2) * (g.m + 2); f++) wino_product(e, t, f, g.all, s);
    mark(e, t, s, RS_PHASE_PRODUCT);
    for (int d = 0; d < g.down; d++)
        for (int p = 0; p < g.phases; p++) wino_out(e, t, &g, d, p, s);
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

/* --------------------------------------------------------------------------- the other nodes */

/* Row j of the task by a 1x1 convolution of all channels of its input. */
static void point_row(const rs_exec *e, const task *t, int j, const rs_scratch *s)
{
    pointwise(e, t->conv, pixel_at(e, t->node->in, t->at.r0 + j, t->at.c0), t->at.c1 - t->at.c0,
              out_row(e, t, j), s);
}

/* Row j of the task out of the two rows of half the size around it. */
static void grow_row(const rs_exec *e, const task *t, int j)
{
    const rs_row_place *p = place_of(e, t->node->in);
    const int y = t->at.r0 + j, k = y / 2, rows = e->there[p->level].hi;
    const bool linear = e->graph->arch.upsampling == RS_BILINEAR;
    const int other = y % 2 ? (k + 1 < rows ? k + 1 : k) : (k > 0 ? k - 1 : 0);
    e->kernels->grow_row(pixel_at(e, t->node->in, k, 0), pixel_at(e, t->node->in, other, 0),
                         linear ? 0.25f : 0, linear ? 0.25f : 0, t->stage->width / 2, p->channels,
                         out_row(e, t, j), t->stride);
}

/* ------------------------------------------------------------ what is done with a node's output */

/* The maximum of rows 2r, 2r+1 (r of the next level) for every such pair of the task. */
static void use_pooled(const rs_exec *e, const task *t, const rs_use *u, const rs_scratch *s)
{
    const int level = t->stage->layer.level + 1, width = t->stage->width / 2, left = t->at.c0 / 2;
    const int px = (t->at.c1 < 2 * width ? t->at.c1 : 2 * width) / 2 - left,
              end = t->at.r0 + t->at.n;
    for (int r = t->at.r0 + (t->at.r0 & 1); r + 1 < end && r / 2 < e->there[level].hi; r += 2) {
        const float *a = out_row(e, t, r - t->at.r0), *b = out_row(e, t, r + 1 - t->at.r0);
        float *to = pixel_at(e, u->to, r / 2, left);
        if (u->kind == RS_USE_COPY) {
            e->kernels->pool_row(a, b, t->stride, px, t->conv->cout, to);
            continue;
        }
        e->kernels->pool_row(a, b, t->stride, px, t->conv->cout, s->p);
        pointwise(e, &e->weights->conv[u->filter], s->p, px, to, s);
    }
}

/* Row j of the task; its pixels are contiguous. */
static void use_row(const rs_exec *e, const task *t, const rs_use *u, int j, const rs_scratch *s)
{
    const rs_packed_conv *c = &e->weights->conv[u->filter];
    const float *in = out_row(e, t, j);
    const int px = t->at.c1 - t->at.c0;
    float *to = pixel_at(e, u->to, t->at.r0 + j * t->at.step, t->at.c0);
    const float *bend = u->kind == RS_USE_STATE ? c->state : c->sum;
    switch (u->kind) {
    case RS_USE_POINT: pointwise(e, c, in, px, to, s); break;
    case RS_USE_HEAD: e->kernels->head_row(in, px, c->cin, c->cout, c->w, c->b, to); break;
    case RS_USE_STATE:
    case RS_USE_SUM:
        e->kernels->bend_row(in, px, c->cout, bend, bend + c->cout, bend + 2 * c->cout, u->add, to,
                             (size_t)c->cout);
        break;
    case RS_USE_COPY: break; /* only pooled */
    }
}

static void use_output(const rs_exec *e, const task *t, const rs_scratch *s)
{
    for (int i = 0; i < t->node->uses; i++) {
        const rs_use *u = &t->node->use[i];
        if (u->pool)
            use_pooled(e, t, u, s);
        else
            for (int j = 0; j < t->at.n; j++) use_row(e, t, u, j, s);
    }
}

/* ------------------------------------------------------------------------------------- the tasks */

int rs_exec_tasks(const rs_exec *e, const rs_step *step)
{
    if (step->stage < 0) return step->row1 - step->row0;
    return rs_step_tasks(&e->stage[step->stage], step->row0, step->row1);
}

static void take_image(const rs_exec *e, int r, const rs_scratch *s)
{
    const rs_use *u = &e->graph->image;
    const float *row = e->image + (size_t)r * (size_t)e->width;
    float *to = pixel_at(e, u->to, r, 0);
    if (u->kind == RS_USE_COPY)
        memcpy(to, row, (size_t)e->width * sizeof *row);
    else
        pointwise(e, &e->weights->conv[u->filter], row, e->width, to, s);
}

void rs_exec_task(const rs_exec *e, const rs_step *step, int i, const rs_scratch *s)
{
    if (step->stage < 0) {
        rs_mark(s, -1, RS_PHASE_START);
        take_image(e, step->row0 + i, s);
        rs_mark(s, -1, RS_PHASE_AFTER);
        return;
    }
    const rs_stage *st = &e->stage[step->stage];
    const rs_op *n = &e->graph->node[step->stage];
    task t = {.stage = st, .node = n, .at = rs_step_task(st, step->row0, step->row1, i)};
    if (n->filter >= 0) t.conv = &e->weights->conv[n->filter];
    if (n->to < 0) t.out = s->o;
    t.stride = (size_t)(n->to < 0 ? t.conv->cout : place_of(e, n->to)->channels);
    mark(e, &t, s, RS_PHASE_START);
    if (n->kind == RS_OP_CONV)
        conv(e, &t, s);
    else
        for (int j = 0; j < t.at.n; j++)
            if (n->kind == RS_OP_POINT)
                point_row(e, &t, j, s);
            else
                grow_row(e, &t, j);
    use_output(e, &t, s);
    if (n->uses > 0 || n->kind != RS_OP_CONV) mark(e, &t, s, RS_PHASE_AFTER);
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

void rs_sampling_fill(const rs_graph *g, int width, rs_sampling *table)
{
    for (int k = 0; k < g->scores; k++)
        for (int x = 0; x < width; x++) {
            rs_sampling *s = table + (size_t)k * (size_t)width + (size_t)x;
            rs_sample(x, width, rs_level_size(width, k), g->arch.upsampling, &s->lo, &s->hi, &s->t);
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
    const rs_graph *g = e->graph;
    const int cl = g->arch.classes, width = e->width, all = g->scores * cl;
    const int h = rs_level_size(e->height, level), w = rs_level_size(width, level);
    const float *weight = e->weights->conv[g->mix].w + level * cl;
    const rs_sampling *s = e->sampling + (size_t)level * (size_t)width;
    float *const *score = e->rows[g->score[level]];
    const size_t n = (size_t)w * (size_t)cl;
    int y0, y1;
    float t;
    rs_sample(y, e->height, h, g->arch.upsampling, &y0, &y1, &t);
    const float *a = score[clamp(y0, e->there[level])], *b = score[clamp(y1, e->there[level])];
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
    const rs_graph *g = e->graph;
    const int cl = g->arch.classes, width = e->width;
    const size_t n = (size_t)width * (size_t)cl;
    if (g->mix < 0) {
        memcpy(out, e->rows[g->score[0]][row], n * sizeof *out);
    } else {
        const float *bias = e->weights->conv[g->mix].b;
        for (size_t i = 0; i < n; i++) out[i] = bias[i % (size_t)cl];
        for (int k = 0; k < g->scores; k++) add_level(e, k, row, s->o, out);
    }
    if (cl == 1)
        e->kernels->sigmoid(out, n);
    else
        for (int x = 0; x < width; x++) softmax(out + (size_t)x * (size_t)cl, cl);
}

void rs_moments(const float *prob, size_t stride, int members, size_t n, float *mean,
                float *variance)
{
    enum { SOME = 64 }; /* values at a time, for the compiler to use vectors */
    for (size_t at = 0; at < n; at += SOME) {
        const size_t k = n - at < SOME ? n - at : SOME;
        double average[SOME] = {0}, square[SOME] = {0};
        for (int m = 0; m < members; m++) {
            const float *p = prob + (size_t)m * stride + at;
            for (size_t i = 0; i < k; i++) average[i] += p[i];
        }
        for (size_t i = 0; i < k; i++) average[i] /= members;
        for (int m = 0; m < members; m++) {
            const float *p = prob + (size_t)m * stride + at;
            for (size_t i = 0; i < k; i++) square[i] += (p[i] - average[i]) * (p[i] - average[i]);
        }
        for (size_t i = 0; i < k; i++) {
            mean[at + i] = (float)average[i];
            variance[at + i] = (float)(square[i] / members);
        }
    }
}
