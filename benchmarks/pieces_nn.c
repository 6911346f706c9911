/* The network's kernels on the shapes that they have in the network. */
#include "benchmarks/pieces.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "benchmarks/random_model.h"
#include "imgproc/image/normalise.h"
#include "nn/blas.h"
#include "nn/tables.h"

#define BLOCKS 8

typedef struct state {
    const rs_kernels *k;
    float *block[BLOCKS]; /* owned */
    int blocks;
    rs_random random;
    int m, down, times; /* tile; rows of tiles; calls of a run */
    rs_mac mac;
    rs_wino_in in;
    rs_wino_out out;
    rs_schedule schedule; /* owned */
    rs_graph graph;       /* owned */
    rs_layer *layers;     /* owned */
    rs_packed packed;     /* its conv owned */
    rs_exec exec;
    rs_scratch scratch;
    rs_sampling *sampling;            /* owned */
    rs_tables tables;                 /* owned */
    size_t step_in, step_w, step_out; /* floats from one call's operands to the next's */
} state;

static void release(void *p)
{
    state *s = p;
    for (int i = 0; i < s->blocks; i++) rs_free(s->block[i]);
    rs_free(s->sampling);
    rs_free(s->layers);
    rs_free(s->packed.conv);
    rs_graph_clear(&s->graph);
    rs_tables_clear(&s->tables);
    rs_schedule_clear(&s->schedule);
}

static state *state_make(const bench_env *env, bench_run *out, void (*run)(void *),
                         reshed_error *err)
{
    state *s = rs_zalloc(1, sizeof *s);
    if (!s) {
        rs_fail_nomem(err, "a piece", sizeof *s);
        return NULL;
    }
    s->k = env->kernels;
    s->random.state = env->seed;
    out->state = s;
    out->run = run;
    out->release = release;
    return s;
}

/* n floats of order one, or NULL; padded as the rows of the network are. */
static float *floats(state *s, size_t n)
{
    float *p = rs_alloc(n + 64, sizeof *p);
    if (!p) return NULL;
    s->block[s->blocks++] = p;
    for (size_t i = 0; i < n + 64; i++) p[i] = (float)bench_gauss(&s->random);
    return p;
}

static reshed_status enough(const state *s, int blocks, reshed_error *err)
{
    return s->blocks == blocks ? RESHED_OK
                               : rs_fail(err, RESHED_ENOMEM, "cannot allocate a piece's data");
}

static int channels_of(const bench_env *env, int level)
{
    return rs_pad_channels(env->filters << level);
}

static int width_of(const bench_env *env, int level)
{
    const int w = rs_level_size(env->size, level);
    return w < 1 ? 1 : w;
}

/* -------------------------------------------------------------------------- multiply-accumulate */

static void run_mac(void *p)
{
    const state *s = p;
    rs_mac a = s->mac;
    for (int i = 0; i < s->times; i++) {
        s->k->mac(&a);
        a.in[0] += s->step_in;
        a.w += s->step_w;
        a.out += s->step_out;
    }
}

/* One row of a 3x3 convolution; arg is not used. */
static reshed_status make_direct(const bench_env *env, const bench_piece *p, bench_run *out,
                                 reshed_error *err)
{
    const int c = channels_of(env, p->level), w = width_of(env, p->level);
    const size_t ch = (size_t)c, row = ((size_t)w + 2) * ch;
    state *s = state_make(env, out, run_mac, err);
    if (!s) return RESHED_ENOMEM;
    const float *in = floats(s, 3 * row), *weights = floats(s, 9 * ch * ch), *bias = floats(s, ch);
    float *o = floats(s, (size_t)w * ch);
    if (enough(s, 4, err) != RESHED_OK) return RESHED_ENOMEM;
    s->times = 1;
    s->mac = (rs_mac){.in = {in, in + row, in + 2 * row},
                      .in_stride = ch,
                      .tap_stride = ch,
                      .kh = 3,
                      .kw = 3,
                      .cin = c,
                      .cout = c,
                      .w = weights,
                      .bias = bias,
                      .slope = RS_LRELU_SLOPE,
                      .out = o,
                      .out_stride = ch,
                      .pixels = w};
    snprintf(out->shape, sizeof out->shape, "%d ch, %d px", c, w);
    out->flops = 18.0 * c * c * w;
    out->bytes = 4.0 * (3 * (double)row + 9.0 * c * c + (double)w * c);
    return RESHED_OK;
}

/* One row of a 1x1 convolution: within the level, or (arg 1) from the level above into it. */
static reshed_status make_point(const bench_env *env, const bench_piece *p, bench_run *out,
                                reshed_error *err)
{
    const int c = channels_of(env, p->level), w = width_of(env, p->level);
    const int cin = p->arg ? channels_of(env, p->level - 1) : c;
    state *s = state_make(env, out, run_mac, err);
    if (!s) return RESHED_ENOMEM;
    const float *in = floats(s, (size_t)w * (size_t)cin);
    const float *weights = floats(s, (size_t)c * (size_t)cin), *bias = floats(s, (size_t)c);
    float *o = floats(s, (size_t)w * (size_t)c);
    if (enough(s, 4, err) != RESHED_OK) return RESHED_ENOMEM;
    s->times = 1;
    s->mac = (rs_mac){.in = {in},
                      .in_stride = (size_t)cin,
                      .kh = 1,
                      .kw = 1,
                      .cin = cin,
                      .cout = c,
                      .w = weights,
                      .bias = bias,
                      .slope = 1,
                      .out = o,
                      .out_stride = (size_t)c,
                      .pixels = w};
    snprintf(out->shape, sizeof out->shape, "%d to %d ch, %d px", cin, c, w);
    out->flops = 2.0 * c * cin * w;
    out->bytes = 4.0 * ((double)w * (cin + c) + (double)c * cin);
    return RESHED_OK;
}

/* ------------------------------------------------------------------------------------- Winograd */

/* The task that the schedule gives to a level's convolution with tiles of m: rows and columns of
 * tiles. */
static reshed_status wino_task(const bench_env *env, state *s, int level, int m, int *down,
                               int *across, reshed_error *err)
{
    rs_arch arch = {.levels = BENCH_LEVELS, .filters = channels_of(env, 0), .classes = 1};
    for (int k = 0; k < BENCH_LEVELS; k++) arch.layers[k] = 1;
    reshed_status st = rs_graph_make(&arch, &s->graph, err);
    if (st != RESHED_OK) return st;
    s->layers = rs_layers_make(&s->graph, RS_ALGO_WINOGRAD, RS_FP32);
    if (!s->layers) return rs_fail_nomem(err, "a piece's layers", sizeof *s->layers);
    for (int i = 0; i < s->graph.nodes; i++)
        s->layers[i].algo = m == 4 ? RS_CONV_WINO4 : RS_CONV_WINO6;
    st = rs_schedule_make(&s->graph, s->layers, env->size, env->size, 1, &s->schedule, err);
    if (st != RESHED_OK) return st;
    const rs_stage *stage = &s->schedule.stage[2 * level];
    const rs_task t = rs_step_task(
        stage, 0, stage->step_rows < stage->height ? stage->step_rows : stage->height, 0);
    *down = (t.n + m - 1) / m;
    *across = (t.c1 - t.c0 + m - 1) / m;
    return RESHED_OK;
}

/* The (m+2)^2 products of a task's tiles with all weights of the layer; arg is m. */
static reshed_status make_product(const bench_env *env, const bench_piece *p, bench_run *out,
                                  reshed_error *err)
{
    const int c = channels_of(env, p->level), elements = (p->arg + 2) * (p->arg + 2);
    int down, across;
    state *s = state_make(env, out, run_mac, err);
    if (!s) return RESHED_ENOMEM;
    reshed_status st = wino_task(env, s, p->level, p->arg, &down, &across, err);
    if (st != RESHED_OK) return st;
    const int tiles = down * across;
    const size_t ch = (size_t)c, n = (size_t)elements;
    s->times = elements;
    s->step_in = s->step_out = rs_wino_stride(tiles, c);
    s->step_w = ch * ch;
    const float *v = floats(s, n * s->step_in), *w = floats(s, n * s->step_w);
    float *o = floats(s, n * s->step_out);
    if ((st = enough(s, 3, err)) != RESHED_OK) return st;
    s->mac = (rs_mac){.in = {v},
                      .in_stride = ch,
                      .kh = 1,
                      .kw = 1,
                      .cin = c,
                      .cout = c,
                      .w = w,
                      .slope = 1,
                      .out = o,
                      .out_stride = ch,
                      .pixels = tiles};
    snprintf(out->shape, sizeof out->shape, "%d ch, %d tiles", c, tiles);
    out->flops = 2.0 * elements * c * c * tiles;
    out->bytes = 4.0 * elements * ((double)c * c + 2.0 * tiles * c);
    out->items = tiles;
    out->item = "tile";
    return RESHED_OK;
}

static void run_wino_in(void *p)
{
    const state *s = p;
    const size_t row = s->step_in, ch = (size_t)s->in.channels;
    rs_wino_in a = s->in;
    for (int d = 0; d < s->down; d++) {
        for (int i = 0; i < s->m + 2; i++) a.row[i] = s->in.row[0] + (size_t)(d * s->m + i) * row;
        a.v = s->in.v + (size_t)(d * a.tiles) * ch;
        s->k->wino_in[s->m == 6](&a);
    }
}

/* The input transform of a task; arg is m. */
static reshed_status make_wino_in(const bench_env *env, const bench_piece *p, bench_run *out,
                                  reshed_error *err)
{
    const int c = channels_of(env, p->level), m = p->arg;
    int across;
    state *s = state_make(env, out, run_wino_in, err);
    if (!s) return RESHED_ENOMEM;
    reshed_status st = wino_task(env, s, p->level, m, &s->down, &across, err);
    if (st != RESHED_OK) return st;
    const int tiles = s->down * across;
    const size_t ch = (size_t)c, stride = rs_wino_stride(tiles, c);
    s->m = m;
    s->step_in = ((size_t)(across * m) + 2) * ch;
    const float *in = floats(s, (size_t)(s->down * m + 2) * s->step_in);
    float *v = floats(s, (size_t)((m + 2) * (m + 2)) * stride);
    if ((st = enough(s, 2, err)) != RESHED_OK) return st;
    s->in = (rs_wino_in){
        .row = {in}, .tiles = across, .channels = c, .step = ch, .v = v, .v_stride = stride};
    snprintf(out->shape, sizeof out->shape, "%d ch, %d tiles", c, tiles);
    out->bytes = 4.0 * ((double)(s->down * m + 2) * (double)s->step_in +
                        (double)tiles * (m + 2) * (m + 2) * c);
    out->items = tiles;
    out->item = "tile";
    return RESHED_OK;
}

static void run_wino_out(void *p)
{
    const state *s = p;
    const size_t row = s->step_out, ch = (size_t)s->out.channels;
    rs_wino_out a = s->out;
    for (int d = 0; d < s->down; d++) {
        for (int i = 0; i < s->m; i++) {
            a.res[i] = s->out.res[0] + (size_t)(d * s->m + i) * row;
            a.out[i] = s->out.out[0] + (size_t)(d * s->m + i) * row;
        }
        a.prod = s->out.prod + (size_t)(d * a.tiles) * ch;
        s->k->wino_out[s->m == 6](&a);
    }
}

/* The output transform of a task with bias, residual and activation; arg is m. */
static reshed_status make_wino_out(const bench_env *env, const bench_piece *p, bench_run *out,
                                   reshed_error *err)
{
    const int c = channels_of(env, p->level), m = p->arg;
    int across;
    state *s = state_make(env, out, run_wino_out, err);
    if (!s) return RESHED_ENOMEM;
    reshed_status st = wino_task(env, s, p->level, m, &s->down, &across, err);
    if (st != RESHED_OK) return st;
    const int tiles = s->down * across;
    const size_t ch = (size_t)c, stride = rs_wino_stride(tiles, c);
    s->m = m;
    s->step_out = (size_t)(across * m) * ch;
    const size_t block = (size_t)(s->down * m) * s->step_out;
    const float *prod = floats(s, (size_t)((m + 2) * (m + 2)) * stride), *bias = floats(s, ch);
    const float *res = floats(s, block);
    float *o = floats(s, block);
    if ((st = enough(s, 4, err)) != RESHED_OK) return st;
    s->out = (rs_wino_out){.prod = prod,
                           .prod_stride = stride,
                           .tiles = across,
                           .channels = c,
                           .bias = bias,
                           .slope = RS_LRELU_SLOPE,
                           .rows = m,
                           .width = across * m,
                           .res_step = ch,
                           .step = ch,
                           .res = {res},
                           .out = {o}};
    snprintf(out->shape, sizeof out->shape, "%d ch, %d tiles", c, tiles);
    out->bytes = 4.0 * (2.0 * (double)block + (double)tiles * (m + 2) * (m + 2) * c);
    out->items = tiles;
    out->item = "tile";
    return RESHED_OK;
}

/* ----------------------------------------------------------------------------------------- BLAS */

static void run_gemm(void *p)
{
    const state *s = p;
    const rs_mac *a = &s->mac;
    rs_sgemm(a->pixels, a->cout, a->cin, a->in[0], a->cin, a->w, a->cout, a->out, a->cout);
}

/* The matrix product of im2col for 256 pixels. */
static reshed_status make_gemm(const bench_env *env, const bench_piece *p, bench_run *out,
                               reshed_error *err)
{
    enum { PIXELS = 256 };
    const int c = channels_of(env, p->level);
    const size_t ch = (size_t)c;
    state *s = state_make(env, out, run_gemm, err);
    if (!s) return RESHED_ENOMEM;
    const float *in = floats(s, PIXELS * 9 * ch), *w = floats(s, 9 * ch * ch);
    float *o = floats(s, PIXELS * ch);
    if (enough(s, 3, err) != RESHED_OK) return RESHED_ENOMEM;
    rs_blas_init();
    s->mac = (rs_mac){.in = {in}, .cin = 9 * c, .cout = c, .w = w, .out = o, .pixels = PIXELS};
    snprintf(out->shape, sizeof out->shape, "%d x %d x %d", PIXELS, c, 9 * c);
    out->flops = 2.0 * PIXELS * 9 * c * c;
    out->bytes = 4.0 * (PIXELS * 10.0 * c + 9.0 * c * c);
    return RESHED_OK;
}

/* ----------------------------------------------------------------------------------- pixel-wise */

static void run_pool(void *p)
{
    const state *s = p;
    s->k->pool_row(s->block[0], s->block[1], (size_t)s->mac.cin, s->mac.pixels, s->mac.cin,
                   s->block[2]);
}

static reshed_status make_pool(const bench_env *env, const bench_piece *p, bench_run *out,
                               reshed_error *err)
{
    const int c = channels_of(env, p->level), w = width_of(env, p->level + 1);
    const size_t row = (size_t)w * (size_t)c;
    state *s = state_make(env, out, run_pool, err);
    if (!s) return RESHED_ENOMEM;
    s->mac = (rs_mac){.pixels = w, .cin = c};
    for (int i = 0; i < 2; i++) floats(s, 2 * row);
    floats(s, row);
    snprintf(out->shape, sizeof out->shape, "%d ch, to %d px", c, w);
    out->bytes = 4.0 * 5 * (double)row;
    return enough(s, 3, err);
}

static void run_head(void *p)
{
    const state *s = p;
    s->k->head_row(s->block[0], s->mac.pixels, s->mac.cin, 1, s->block[1], s->block[2],
                   s->block[3]);
}

static reshed_status make_head(const bench_env *env, const bench_piece *p, bench_run *out,
                               reshed_error *err)
{
    const int c = channels_of(env, p->level), w = width_of(env, p->level);
    state *s = state_make(env, out, run_head, err);
    if (!s) return RESHED_ENOMEM;
    s->mac = (rs_mac){.pixels = w, .cin = c};
    floats(s, (size_t)w * (size_t)c);
    floats(s, (size_t)c);
    floats(s, 1);
    floats(s, (size_t)w);
    snprintf(out->shape, sizeof out->shape, "%d ch, %d px", c, w);
    out->flops = 2.0 * w * c;
    out->bytes = 4.0 * w * (c + 1.0);
    return enough(s, 4, err);
}

static void run_from_one(void *p)
{
    const state *s = p;
    s->k->from_one(s->block[0], s->mac.pixels, s->mac.cout, s->block[1], s->block[2], s->block[3]);
}

static reshed_status make_from_one(const bench_env *env, const bench_piece *p, bench_run *out,
                                   reshed_error *err)
{
    const int c = channels_of(env, p->level), w = width_of(env, p->level);
    state *s = state_make(env, out, run_from_one, err);
    if (!s) return RESHED_ENOMEM;
    s->mac = (rs_mac){.pixels = w, .cout = c};
    floats(s, (size_t)w);
    floats(s, (size_t)c);
    floats(s, (size_t)c);
    floats(s, (size_t)w * (size_t)c);
    snprintf(out->shape, sizeof out->shape, "%d ch, %d px", c, w);
    out->flops = 2.0 * w * c;
    out->bytes = 4.0 * w * (c + 1.0);
    return enough(s, 4, err);
}

static void run_bias_act(void *p)
{
    const state *s = p;
    /* In place, run after run: a negative bias and the slope of 0.01 let the values settle. */
    s->k->bias_act(s->block[0], s->mac.pixels, s->mac.cin, s->block[1], NULL, RS_LRELU_SLOPE);
}

static reshed_status make_bias_act(const bench_env *env, const bench_piece *p, bench_run *out,
                                   reshed_error *err)
{
    const int c = channels_of(env, p->level), w = width_of(env, p->level);
    state *s = state_make(env, out, run_bias_act, err);
    if (!s) return RESHED_ENOMEM;
    s->mac = (rs_mac){.pixels = w, .cin = c};
    floats(s, (size_t)w * (size_t)c);
    float *bias = floats(s, (size_t)c);
    for (int i = 0; bias && i < c; i++) bias[i] = -0.1f;
    snprintf(out->shape, sizeof out->shape, "%d ch, %d px", c, w);
    out->bytes = 4.0 * 2 * w * c;
    return enough(s, 2, err);
}

/* ----------------------------------------------------------------------------- scores and image */

static void run_mix(void *p)
{
    const state *s = p;
    float *out = s->block[BENCH_LEVELS];
    for (int y = 0; y < s->schedule.height; y++, out += s->schedule.width)
        rs_exec_mix(&s->exec, y, &s->scratch, out);
}

/* Scores of all levels resized, mixed, and made probabilities. */
static reshed_status make_mix(const bench_env *env, const bench_piece *p, bench_run *out,
                              reshed_error *err)
{
    int down, across;
    const size_t pixels = (size_t)env->size * (size_t)env->size;
    float *rows[BENCH_LEVELS] = {NULL};
    state *s = state_make(env, out, run_mix, err);
    if (!s) return RESHED_ENOMEM;
    reshed_status st = wino_task(env, s, 0, 6, &down, &across, err); /* for a schedule */
    if (st != RESHED_OK) return st;
    double bytes = (double)pixels;
    for (int k = 0; k < BENCH_LEVELS; k++) {
        const size_t side = (size_t)width_of(env, k);
        float *score = floats(s, side * side);
        if (score) rows[k] = score;
        bytes += (double)(side * side);
    }
    floats(s, pixels);
    const float *w = floats(s, BENCH_LEVELS), *b = floats(s, 1);
    s->scratch.o = floats(s, s->schedule.scratch.o);
    if ((st = enough(s, BENCH_LEVELS + 4, err)) != RESHED_OK) return st;
    s->sampling = rs_alloc(BENCH_LEVELS * (size_t)env->size, sizeof *s->sampling);
    if (!s->sampling) return rs_fail_nomem(err, "a piece's data", BENCH_LEVELS * pixels);
    s->packed.conv = rs_zalloc((size_t)s->graph.filters, sizeof *s->packed.conv);
    if (!s->packed.conv) return rs_fail_nomem(err, "a piece's data", sizeof *s->packed.conv);
    s->packed.conv[s->graph.mix] = (rs_packed_conv){.w = w, .b = b, .cin = BENCH_LEVELS, .cout = 1};
    rs_sampling_fill(&s->graph, env->size, s->sampling);
    s->exec.sampling = s->sampling;
    s->exec.graph = &s->graph;
    s->exec.height = s->exec.width = env->size;
    st = rs_tables_make(&s->graph, env->size, &s->tables, err);
    if (st != RESHED_OK) return st;
    for (int k = 0; k < BENCH_LEVELS; k++) {
        const int side = width_of(env, k);
        float **score = s->tables.rows[s->graph.score[k]];
        for (int r = 0; r < side; r++) score[r] = rows[k] + r * side;
        s->exec.there[k] = (rs_span){0, side};
    }
    s->exec.kernels = s->k;
    s->exec.rows = s->tables.rows;
    s->exec.weights = &s->packed;
    (void)p;
    snprintf(out->shape, sizeof out->shape, "%d x %d", env->size, env->size);
    out->bytes = 4 * bytes;
    out->items = (double)pixels;
    out->item = "pixel";
    return RESHED_OK;
}

static void run_normalise(void *p)
{
    const state *s = p;
    const size_t n = (size_t)s->mac.pixels;
    rs_norm_range range;
    if (rs_norm_range_frame(s->block[0], n, &range, NULL) == RESHED_OK)
        rs_norm_apply(s->block[0], n, range, false, s->block[0], NULL);
}

static reshed_status make_normalise(const bench_env *env, const bench_piece *p, bench_run *out,
                                    reshed_error *err)
{
    state *s = state_make(env, out, run_normalise, err);
    if (!s) return RESHED_ENOMEM;
    s->mac.pixels = env->size * env->size;
    floats(s, (size_t)s->mac.pixels);
    (void)p;
    snprintf(out->shape, sizeof out->shape, "%d x %d", env->size, env->size);
    out->bytes = 4.0 * 2 * s->mac.pixels;
    out->items = s->mac.pixels;
    out->item = "pixel";
    return enough(s, 1, err);
}

static const bench_piece pieces[] = {
    {"nn", "direct 3x3, a row", make_direct, 0, 0},
    {"nn", "direct 3x3, a row", make_direct, 1, 0},
    {"nn", "direct 3x3, a row", make_direct, 2, 0},
    {"nn", "1x1, a row", make_point, 0, 0},
    {"nn", "1x1, a row", make_point, 1, 1},
    {"nn", "1x1, a row", make_point, 1, 0},
    {"nn", "1x1, a row", make_point, 2, 1},
    {"nn", "1x1, a row", make_point, 2, 0},
    {"nn", "F(4x4,3x3) input", make_wino_in, 0, 4},
    {"nn", "F(4x4,3x3) input", make_wino_in, 1, 4},
    {"nn", "F(4x4,3x3) input", make_wino_in, 2, 4},
    {"nn", "F(4x4,3x3) product", make_product, 0, 4},
    {"nn", "F(4x4,3x3) product", make_product, 1, 4},
    {"nn", "F(4x4,3x3) product", make_product, 2, 4},
    {"nn", "F(4x4,3x3) output", make_wino_out, 0, 4},
    {"nn", "F(4x4,3x3) output", make_wino_out, 1, 4},
    {"nn", "F(4x4,3x3) output", make_wino_out, 2, 4},
    {"nn", "F(6x6,3x3) input", make_wino_in, 0, 6},
    {"nn", "F(6x6,3x3) input", make_wino_in, 1, 6},
    {"nn", "F(6x6,3x3) input", make_wino_in, 2, 6},
    {"nn", "F(6x6,3x3) product", make_product, 0, 6},
    {"nn", "F(6x6,3x3) product", make_product, 1, 6},
    {"nn", "F(6x6,3x3) product", make_product, 2, 6},
    {"nn", "F(6x6,3x3) output", make_wino_out, 0, 6},
    {"nn", "F(6x6,3x3) output", make_wino_out, 1, 6},
    {"nn", "F(6x6,3x3) output", make_wino_out, 2, 6},
    {"nn", "im2col's GEMM (BLAS)", make_gemm, 0, 0},
    {"nn", "im2col's GEMM (BLAS)", make_gemm, 1, 0},
    {"nn", "im2col's GEMM (BLAS)", make_gemm, 2, 0},
    {"nn", "max pool, a row", make_pool, 0, 0},
    {"nn", "max pool, a row", make_pool, 1, 0},
    {"nn", "score head, a row", make_head, 0, 0},
    {"nn", "score head, a row", make_head, 2, 0},
    {"nn", "image 1x1, a row", make_from_one, 0, 0},
    {"nn", "bias and activation, a row", make_bias_act, 0, 0},
    {"nn", "resize, mix, sigmoid", make_mix, 0, 0},
    {"nn", "normalise", make_normalise, 0, 0},
};

const bench_piece *bench_pieces_nn(int *n)
{
    *n = (int)(sizeof pieces / sizeof *pieces);
    return pieces;
}
