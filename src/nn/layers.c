/* layers.c - packs folded weights for the kernels.
 *
 * mac      panels of nr output channels (the last of the vector length if cout is not a multiple):
 *          panel, tap row, tap column, input channel, output channel of the panel
 * gemm     [tap row][tap column][input channel][output channel], the right-hand matrix of im2col
 * Winograd for each of the (m+2)^2 elements a mac layout of depth cin, holding U = G g G^T
 * bf16     the mac layout in panels of RS_BF16_NR, with pairs of input channels for channels */
#include "nn/layers.h"

#include <string.h>

#include "base/alloc.h"
#include "base/carve.h"
#include "base/os/memory.h"
#include "base/parallel.h"
#include "nn/kernels/bf16.h"

const char *rs_algo_name(rs_algo algo)
{
    switch (algo) {
    case RS_ALGO_AUTO: return "auto";
    case RS_ALGO_WINOGRAD: return "winograd";
    case RS_ALGO_DIRECT: return "direct";
    case RS_ALGO_GEMM: return "gemm";
    }
    return "?";
}

const char *rs_precision_name(rs_precision precision)
{
    switch (precision) {
    case RS_FP32: return "fp32";
    case RS_BF16: return "bf16";
    }
    return "?";
}

const char *rs_conv_algo_name(rs_conv_algo a)
{
    switch (a) {
    case RS_CONV_GEMM: return "gemm";
    case RS_CONV_DIRECT: return "direct";
    case RS_CONV_WINO4: return "F(4x4,3x3)";
    case RS_CONV_WINO6: return "F(6x6,3x3)";
    case RS_CONV_WINO4_BF16: return "F(4x4), bf16";
    }
    return "?";
}

int rs_conv_algo_tile(rs_conv_algo a)
{
    switch (a) {
    case RS_CONV_WINO4:
    case RS_CONV_WINO4_BF16: return 4;
    case RS_CONV_WINO6: return 6;
    case RS_CONV_GEMM:
    case RS_CONV_DIRECT: break;
    }
    return 0;
}

size_t rs_packed_size3(rs_conv_algo algo, int cin, int cout)
{
    const int m = rs_conv_algo_tile(algo);
    const size_t taps = m ? (size_t)(m + 2) * (size_t)(m + 2) : 9;
    const size_t all = taps * (size_t)cin * (size_t)cout;
    return algo == RS_CONV_WINO4_BF16 ? all / 2 : all;
}

size_t rs_packed_size1(rs_conv_algo algo, int cin, int cout)
{
    const size_t all = (size_t)cin * (size_t)cout;
    return algo == RS_CONV_WINO4_BF16 ? all / 2 : all;
}

/* ------------------------------------------------------------------------- choice of algorithms */

/* The table behind --algo auto, from measurements in docs/speed.md:
 * - a ResHedNet's layers up to 128 channels F(6x6,3x3): 5.06 times fewer multiplications, and its
 *   packed weights (64 floats per pair of channels) still stream from cache;
 * - from 256 channels on F(4x4,3x3): weights of 36 floats per pair instead of 64, no waste at the
 *   edge of the small images down there, and the ensemble's memory stays bounded;
 * - the other networks F(4x4,3x3) throughout: they have few channels at full resolution, where the
 *   transforms weigh as much as the products, and sum up or scale what they have normalised, so that
 *   the larger tile's errors grow (2.0e-5 to 4.1e-5 in random networks);
 * - dilated layers never in bf16, for the same reason. */
static rs_conv_algo choose(const rs_graph *g, const rs_op *n, rs_algo algo, rs_precision precision,
                           int channels)
{
    if (precision == RS_BF16 && n->dilation == 1) return RS_CONV_WINO4_BF16;
    switch (algo) {
    case RS_ALGO_GEMM: return RS_CONV_GEMM;
    case RS_ALGO_DIRECT: return RS_CONV_DIRECT;
    case RS_ALGO_AUTO:
    case RS_ALGO_WINOGRAD: break;
    }
    return g->arch.net == RS_RESHEDNET && channels <= 128 ? RS_CONV_WINO6 : RS_CONV_WINO4;
}

rs_layer *rs_layers_make(const rs_graph *g, rs_algo algo, rs_precision precision)
{
    rs_layer *layer = rs_zalloc((size_t)g->nodes, sizeof *layer);
    if (!layer) return NULL;
    for (int i = 0; i < g->nodes; i++) {
        const rs_op *n = &g->node[i];
        rs_layer *l = &layer[i];
        *l = (rs_layer){.kind = n->kind, .level = n->level, .dilation = n->dilation};
        if (n->kind == RS_OP_GROW) {
            l->cin = l->cout = g->place[n->in].channels;
            l->algo = RS_CONV_DIRECT;
            continue;
        }
        const rs_filter *f = &g->filter[n->filter];
        l->cin = rs_filter_inputs(f);
        l->cout = rs_pad_channels(f->cout);
        if (n->kind == RS_OP_CONV && l->cin > 1)
            l->algo = choose(g, n, algo, precision, l->cin > l->cout ? l->cin : l->cout);
        else if (l->cin > 1 && precision == RS_BF16)
            l->algo = RS_CONV_WINO4_BF16;
        else /* an image has too few channels for anything else */
            l->algo = algo == RS_ALGO_GEMM ? RS_CONV_GEMM : RS_CONV_DIRECT;
    }
    return layer;
}

/* ---------------------------------------------------------------------------------- the layouts */

/* Index of output channel n at depth d (of `depth`) in the mac layout with cout channels. */
static size_t mac_index(int cout, size_t depth, int nr, size_t d, int n)
{
    /* All panels are nr wide but those after the last full one, which are RS_LANES wide at most. */
    int full = cout / nr * nr, start, width;
    if (n < full) {
        start = n / nr * nr;
        width = nr;
    } else {
        width = nr < RS_LANES ? nr : RS_LANES;
        start = full + (n - full) / width * width;
    }
    return (size_t)start * depth + d * (size_t)width + (size_t)(n - start);
}

static void pack_mac(const rs_conv *c, int cin, int cout, const rs_kernels *k, float *dst)
{
    const int taps = c->k * c->k;
    const size_t depth = (size_t)taps * (size_t)cin;
    for (int n = 0; n < c->cout; n++)
        for (int i = 0; i < c->cin; i++)
            for (int t = 0; t < taps; t++)
                dst[mac_index(cout, depth, k->nr, (size_t)t * (size_t)cin + (size_t)i, n)] =
                    c->w[((size_t)n * (size_t)c->cin + (size_t)i) * (size_t)taps + (size_t)t];
}

static void pack_gemm(const rs_conv *c, int cin, int cout, float *dst)
{
    const int taps = c->k * c->k;
    for (int n = 0; n < c->cout; n++)
        for (int i = 0; i < c->cin; i++)
            for (int t = 0; t < taps; t++)
                dst[((size_t)t * (size_t)cin + (size_t)i) * (size_t)cout + (size_t)n] =
                    c->w[((size_t)n * (size_t)c->cin + (size_t)i) * (size_t)taps + (size_t)t];
}

/* G for m=4 (6x3) and m=6 (8x3); the points and the matrices A, B that go with them:
 * kernels/body/wino.h */
#define ROOT2 1.4142135623730950488
static const double g4[6][3] = {{1, 0, 0},
                                {-ROOT2 / 3, -1. / 3, -ROOT2 / 6},
                                {-ROOT2 / 3, 1. / 3, -ROOT2 / 6},
                                {ROOT2 / 6, 1. / 3, ROOT2 / 3},
                                {ROOT2 / 6, -1. / 3, ROOT2 / 3},
                                {0, 0, 1}};
static const double g6[8][3] = {{1, 0, 0},
                                {-2. / 9, -2. / 9, -2. / 9},
                                {-2. / 9, 2. / 9, -2. / 9},
                                {1. / 90, 1. / 45, 2. / 45},
                                {1. / 90, -1. / 45, 2. / 45},
                                {32. / 45, 16. / 45, 8. / 45},
                                {32. / 45, -16. / 45, 8. / 45},
                                {0, 0, 1}};

/* U = G g G^T of one 3x3 filter, element f at u[f*stride]. */
static void transform_filter(const float *w, int m, float *u, size_t stride)
{
    const int t = m + 2;
    const double(*g)[3] = m == 4 ? g4 : g6;
    for (int r = 0; r < t; r++) {
        double gw[3]; /* row r of G g */
        for (int x = 0; x < 3; x++)
            gw[x] =
                g[r][0] * (double)w[x] + g[r][1] * (double)w[3 + x] + g[r][2] * (double)w[6 + x];
        for (int s = 0; s < t; s++)
            u[(size_t)(r * t + s) * stride] =
                (float)(gw[0] * g[s][0] + gw[1] * g[s][1] + gw[2] * g[s][2]);
    }
}

/* A panel's width of output channels at a time, so that whole cache lines are written: the elements
 * of one filter lie cin*cout floats apart. */
static void pack_wino(const rs_conv *c, int cin, int cout, int m, const rs_kernels *k, float *dst)
{
    const int elements = (m + 2) * (m + 2);
    const size_t per = (size_t)cin * (size_t)cout;
    float u[64][RS_LANES];
    for (int n = 0; n < c->cout; n += RS_LANES) {
        const int some = c->cout - n < RS_LANES ? c->cout - n : RS_LANES;
        /* panels narrower than RS_LANES are written in pieces of their width */
        const int piece = k->nr < RS_LANES ? k->nr : RS_LANES;
        memset(u, 0, sizeof u);
        for (int i = 0; i < c->cin; i++) {
            for (int j = 0; j < some; j++)
                transform_filter(c->w + ((size_t)(n + j) * (size_t)c->cin + (size_t)i) * 9, m,
                                 &u[0][j], RS_LANES);
            for (int j = 0; j < RS_LANES; j += piece) {
                float *to = dst + mac_index(cout, (size_t)cin, k->nr, (size_t)i, n + j);
                for (int f = 0; f < elements; f++)
                    memcpy(to + (size_t)f * per, &u[f][j], (size_t)piece * sizeof(float));
            }
        }
    }
}

/* A 1x1 convolution, or a 3x3 one for F(4x4,3x3), in bf16: a line at a time, RS_LANES output
 * channels by a pair of input channels. */
static void pack_bf16(const rs_conv *c, int cin, int cout, uint16_t *dst)
{
    const int elements = c->k == 3 ? 36 : 1, taps = c->k * c->k;
    const size_t per = (size_t)cin * (size_t)cout, pairs = (size_t)cin / 2;
    float u[36][2 * RS_LANES];
    for (int n = 0; n < c->cout; n += RS_LANES) {
        const int some = c->cout - n < RS_LANES ? c->cout - n : RS_LANES;
        for (int i = 0; i < c->cin; i += 2) {
            memset(u, 0, sizeof u);
            for (int j = 0; j < some; j++) {
                for (int h = 0; h < 2 && i + h < c->cin; h++) {
                    const float *w =
                        c->w + ((size_t)(n + j) * (size_t)c->cin + (size_t)(i + h)) * (size_t)taps;
                    if (c->k == 3)
                        transform_filter(w, 4, &u[0][2 * j + h], 2 * RS_LANES);
                    else
                        u[0][2 * j + h] = w[0];
                }
            }
            uint16_t *to = dst + 2 * mac_index(cout, pairs, RS_BF16_NR, (size_t)i / 2, n);
            for (int f = 0; f < elements; f++)
                for (int j = 0; j < 2 * RS_LANES; j++)
                    to[(size_t)f * per + (size_t)j] = rs_to_bf16(u[f][j]);
        }
    }
}

/* ------------------------------------------------------------------------------------- a member */

static float *carve_bias(rs_carver *c, const rs_conv *conv, int cout)
{
    float *b = rs_carve(c, (size_t)cout);
    if (b) memcpy(b, conv->b, (size_t)conv->cout * sizeof *b);
    return b;
}

/* count values of v in room for `all`, the rest zero; NULL while counting. */
static float *carve_values(rs_carver *m, const float *v, int count, int all)
{
    float *p = rs_carve(m, (size_t)all);
    if (p) memcpy(p, v, (size_t)count * sizeof *p);
    return p;
}

/* With z the convolution's sum, l = act(z) and b = l*scale + shift: sz*z + sl*l + sb*b as slopes and
 * a shift. scale NULL: there is no b, and its part is l's. */
static float *carve_bend(rs_carver *m, const rs_conv *c, int cout, float sz, float sl, float sb)
{
    float *p = rs_carve(m, 3 * (size_t)cout);
    for (int n = 0; p && n < c->cout; n++) {
        const double scale = c->scale ? (double)c->scale[n] : 1, all = (double)sl + sb * scale;
        p[n] = (float)(sz + all);
        p[cout + n] = (float)(sz + (double)RS_LRELU_SLOPE * all);
        p[2 * cout + n] = c->shift ? (float)(sb * (double)c->shift[n]) : 0;
    }
    return p;
}

static void pack_weights(rs_carver *m, const rs_conv *c, rs_conv_algo algo, const rs_kernels *k,
                         rs_packed_conv *out)
{
    if (out->cin == 1 && c->k == 1) algo = RS_CONV_GEMM; /* [cout], whatever the algorithm */
    float *w = rs_carve(m, c->k == 3 ? rs_packed_size3(algo, out->cin, out->cout)
                                     : rs_packed_size1(algo, out->cin, out->cout));
    const int tile = rs_conv_algo_tile(algo);
    out->w = w;
    if (!w) return;
    if (algo == RS_CONV_WINO4_BF16) {
        uint16_t *w16 = (uint16_t *)(void *)w;
        pack_bf16(c, out->cin, out->cout, w16);
        out->w = NULL;
        out->w16 = w16;
    } else if (c->k == 3 && tile) {
        pack_wino(c, out->cin, out->cout, tile, k, w);
    } else if (algo == RS_CONV_GEMM) {
        pack_gemm(c, out->cin, out->cout, w);
    } else {
        pack_mac(c, out->cin, out->cout, k, w);
    }
}

static void pack_conv(rs_carver *m, const rs_conv *c, const rs_filter *f, rs_conv_algo algo,
                      const rs_kernels *k, rs_packed_conv *out)
{
    out->cin = rs_filter_inputs(f);
    out->cout = rs_pad_channels(f->cout);
    pack_weights(m, c, algo, k, out);
    out->b = carve_bias(m, c, out->cout);
    const bool after = f->norm_kind == RS_NORM_AFTER;
    if (f->bends) {
        out->state = carve_bend(m, c, out->cout, 0, 0, 1);
        out->sum = carve_bend(m, c, out->cout, (float)f->bends, 1, after ? 1 : 0);
    } else if (after) {
        out->scale = carve_values(m, c->scale, c->cout, out->cout);
        out->shift = carve_values(m, c->shift, c->cout, out->cout);
    }
}

static void pack_head(rs_carver *m, const rs_conv *c, int channels, rs_packed_conv *out)
{
    out->cin = channels;
    out->cout = c->cout;
    float *w = rs_carve(m, (size_t)c->cout * (size_t)channels);
    out->w = w;
    out->b = carve_bias(m, c, c->cout);
    for (int n = 0; w && n < c->cout; n++)
        memcpy(w + (size_t)n * (size_t)channels, c->w + (size_t)n * (size_t)c->cin,
               (size_t)c->cin * sizeof *w);
}

/* The algorithm of each filter: its node's, or that of all 1x1 convolutions. */
static rs_conv_algo algo_of(const rs_graph *g, const rs_layer *layers, bool gemm, int filter)
{
    bool bf16 = false;
    for (int i = 0; i < g->nodes; i++) {
        if (g->node[i].filter == filter) return layers[i].algo;
        bf16 |= layers[i].algo == RS_CONV_WINO4_BF16;
    }
    return bf16 ? RS_CONV_WINO4_BF16 : gemm ? RS_CONV_GEMM : RS_CONV_DIRECT;
}

/* Twice for each member: with m->memory NULL it measures, which cannot fail, then it packs. */
static reshed_status pack_filters(const rs_graph *g, const rs_tensors *t, const rs_layer *layers,
                                  bool gemm, const rs_kernels *k, rs_carver *m, rs_packed *out,
                                  reshed_error *err)
{
    for (int i = 0; i < g->filters; i++) {
        const rs_filter *f = &g->filter[i];
        /* shapes are enough to count */
        rs_conv c = {.cout = f->cout, .k = f->k};
        if (m->memory) {
            const reshed_status st = rs_fold(t, f, &c, err);
            if (st != RESHED_OK) return st;
        }
        if (f->head)
            pack_head(m, &c, i == g->mix ? f->cin[0] : rs_pad_channels(f->cin[0]), &out->conv[i]);
        else
            pack_conv(m, &c, f, algo_of(g, layers, gemm, i), k, &out->conv[i]);
        rs_conv_clear(&c);
    }
    return RESHED_OK;
}

reshed_status rs_pack_member(const rs_graph *g, const rs_tensors *t, const rs_layer *layers,
                             bool gemm, const rs_kernels *k, rs_packed *out, reshed_error *err)
{
    rs_packed p = {0};
    rs_carver m = {0};
    reshed_status st = RESHED_OK;
    p.conv = rs_zalloc((size_t)g->filters, sizeof *p.conv);
    if (!p.conv) {
        st = rs_fail_nomem(err, "a packed member", (size_t)g->filters * sizeof *p.conv);
        goto done;
    }
    pack_filters(g, t, layers, gemm, k, &m, &p, NULL);
    p.bytes = m.used * sizeof(float);
    p.memory = rs_zalloc(m.used, sizeof(float)); /* padding channels are zero */
    if (!p.memory) {
        st = rs_fail_nomem(err, "packed weights", p.bytes);
        goto done;
    }
    m = (rs_carver){.memory = p.memory};
    if ((st = pack_filters(g, t, layers, gemm, k, &m, &p, err)) != RESHED_OK) goto done;
done:
    if (st == RESHED_OK)
        *out = p;
    else
        rs_packed_clear(&p);
    return st;
}

void rs_packed_clear(rs_packed *p)
{
    rs_free(p->conv);
    rs_free(p->memory);
    memset(p, 0, sizeof *p);
}

/* ---------------------------------------------------------------------------------- all members */

typedef struct pack_job {
    const rs_graph *graph;
    const rs_model_file *model;
    rs_model_file *take; /* NULL, or the model */
    const rs_pack_set *set;
    int sets;
    reshed_status *status; /* [members] */
    reshed_error *err;     /* [members] */
} pack_job;

static void pack_one(void *ctx, int64_t i, int worker)
{
    const pack_job *j = ctx;
    reshed_status st = RESHED_OK;
    (void)worker;
    for (int k = 0; st == RESHED_OK && k < j->sets; k++)
        st = rs_pack_member(j->graph, &j->model->member[i], j->set[k].layers, j->set[k].gemm,
                            j->set[k].kernels, &j->set[k].packed[i], &j->err[i]);
    j->status[i] = st;
    if (j->take) {
        rs_tensors_clear(&j->take->member[i]);
        /* Else the heap holds on to it beside the packed weights: 0.3 GB at 64 filters. */
        rs_os_trim();
    }
}

reshed_status rs_pack_all(const rs_graph *g, const rs_model_file *model, rs_model_file *take,
                          const rs_pack_set *set, int sets, int threads, size_t *bytes,
                          reshed_error *err)
{
    const size_t n = (size_t)model->members;
    pack_job j = {.graph = g, .model = model, .take = take, .set = set, .sets = sets};
    reshed_status st = RESHED_OK;
    j.status = rs_zalloc(n, sizeof *j.status);
    j.err = rs_zalloc(n, sizeof *j.err);
    if (!j.status || !j.err) {
        st = rs_fail_nomem(err, "packing", n * sizeof *j.err);
        goto done;
    }
    /* The first trim sets up glibc's heap, which two threads must not do at once; where another
     * allocator stands in front of that heap (a sanitizer's, a preloaded one) nothing has done it. */
    if (take) rs_os_trim();
    rs_parallel_for(threads, model->members, pack_one, &j);
    for (size_t i = 0; i < n; i++) {
        for (int k = 0; k < sets; k++) *bytes += set[k].packed[i].bytes;
        if (j.status[i] == RESHED_OK || st != RESHED_OK) continue;
        st = j.status[i];
        if (err) *err = j.err[i];
    }
done:
    rs_free(j.status);
    rs_free(j.err);
    return st;
}
