#include "nn/stream.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "nn/plan.h"
#include "nn/stream_state.h"

/* ------------------------------------------------------------------------------------- creation */

static void *some(rs_stream *s, size_t n, size_t size)
{
    void *p = rs_zalloc(n, size);
    if (p) s->state_bytes += n * size;
    return p;
}

static reshed_status network_make(rs_stream *s, rs_algo algo, rs_precision precision, network *out,
                                  reshed_error *err)
{
    const size_t nodes = (size_t)s->graph.nodes;
    out->layer = rs_layers_make(&s->graph, algo, precision);
    if (!out->layer) return rs_fail_nomem(err, "the layer table", nodes * sizeof *out->layer);
    out->stage = some(s, nodes, sizeof *out->stage);
    out->packed = some(s, (size_t)s->members, sizeof *out->packed);
    if (!out->stage || !out->packed)
        return rs_fail_nomem(err, "a stream", nodes * sizeof *out->stage);
    rs_stages_make(&s->graph, out->layer, s->height, s->width, out->stage);
    return RESHED_OK;
}

static void network_clear(network *n, int members)
{
    for (int i = 0; n->packed && i < members; i++) rs_packed_clear(&n->packed[i]);
    rs_free(n->packed);
    rs_free(n->stage);
    rs_free(n->layer);
}

static reshed_status pack_all(rs_stream *s, const rs_model_file *model, rs_model_file *take,
                              reshed_error *err)
{
    const rs_pack_set set[] = {{s->direct.layer, false, &s->kernels, s->direct.packed},
                               {s->quick.layer, false, &s->kernels, s->quick.packed}};
    return rs_pack_all(&s->graph, model, take, set, s->options.preview == RS_PREVIEW_OFF ? 1 : 2,
                       s->options.threads, &s->weight_bytes, err);
}

/* Everything that depends on the frame's size alone. */
static reshed_status make_frame(rs_stream *s, reshed_error *err)
{
    const size_t h = (size_t)s->height, w = (size_t)s->width, c = (size_t)s->arch.classes;
    s->seen = some(s, h * w, sizeof *s->seen);
    s->field = some(s, h, sizeof *s->field);
    s->scanned = some(s, h, 1);
    s->kind = some(s, h, 1);
    s->clean = some(s, h, 1);
    s->state = some(s, h, 1);
    s->stale = some(s, h, 1);
    s->changed = some(s, h + 1, sizeof *s->changed);
    s->mean = some(s, h * w * c, sizeof *s->mean);
    s->variance = some(s, h * w * c, sizeof *s->variance);
    s->prob = some(s, (size_t)s->members, h * w * c * sizeof *s->prob);
    s->sampling = some(s, (size_t)s->arch.levels * w, sizeof *s->sampling);
    if (!s->seen || !s->field || !s->scanned || !s->kind || !s->clean || !s->state || !s->stale ||
        !s->changed || !s->mean || !s->variance || !s->prob || !s->sampling)
        return rs_fail_nomem(err, "the maps of a stream",
                             (size_t)s->members * h * w * c * sizeof *s->prob);
    rs_sampling_fill(&s->graph, s->width, s->sampling);
    return rs_spans_make(&s->arch, &s->need, err);
}

/* Rings, scratch, and what a front needs. */
static reshed_status make_rows(rs_stream *s, reshed_error *err)
{
    const int threads = s->options.threads;
    const rs_graph *g = &s->graph;
    size_t longest = 0;
    s->ring = some(s, (size_t)g->places, sizeof *s->ring);
    if (!s->ring) return rs_fail_nomem(err, "rings of rows", sizeof *s->ring);
    const size_t rings = rs_finals_rings(g, s->width, s->ring);
    for (int i = 0; i < g->places; i++)
        if (s->ring[i].stride > longest) longest = s->ring[i].stride;
    rs_scratch_measure(g, s->direct.stage, &s->scratch_size);
    if (s->quick.stage) rs_scratch_measure(g, s->quick.stage, &s->scratch_size);
    s->zero = some(s, longest, sizeof *s->zero);
    s->scratch = some(s, (size_t)threads, rs_scratch_floats(&s->scratch_size) * sizeof *s->scratch);
    s->finals = some(s, (size_t)s->members, sizeof *s->finals);
    s->patch = some(s, (size_t)threads, sizeof *s->patch);
    if (!s->zero || !s->scratch || !s->finals || !s->patch)
        return rs_fail_nomem(err, "the workspace of a stream", longest * sizeof *s->zero);
    for (int i = 0; i < s->members + threads; i++) {
        rs_finals *f = i < s->members ? &s->finals[i] : &s->patch[i - s->members];
        reshed_status st = rs_finals_make(g, s->ring, s->height, s->width, rings, f, err);
        if (st != RESHED_OK) return st;
        s->state_bytes += f->bytes;
    }
    if (!s->quick.stage) return RESHED_OK;
    reshed_status st =
        rs_front_shape_make(g, s->ring, s->height, s->width, s->options.reflect, &s->shape, err);
    if (st == RESHED_OK) st = rs_spans_make(&s->arch, &s->touched, err);
    if (st == RESHED_OK) st = rs_spans_make(&s->arch, &s->window, err);
    if (st != RESHED_OK) return st;
    s->front = some(s, (size_t)threads, sizeof *s->front);
    s->empty = some(s, (size_t)s->shape.blank_height, (size_t)s->width * sizeof *s->empty);
    if (!s->front || !s->empty) return rs_fail_nomem(err, "a scan front", sizeof *s->front);
    for (int i = 0; i < threads; i++) {
        if ((st = rs_front_make(&s->shape, &s->front[i], err)) != RESHED_OK) return st;
        s->state_bytes += s->front[i].bytes;
    }
    for (int up = 0; up < 2; up++) {
        s->blank_rows[up] = some(s, (size_t)s->members, s->shape.blank_floats[up] * sizeof(float));
        if (!s->blank_rows[up])
            return rs_fail_nomem(err, "rows of an empty frame",
                                 s->shape.blank_floats[up] * sizeof(float));
    }
    return RESHED_OK;
}

reshed_status rs_stream_check(const rs_arch *arch, reshed_error *err)
{
    if (arch->net == RS_RESHEDNET) return RESHED_OK;
    return rs_fail(
        err, RESHED_EUNSUPPORTED,
        "network for a growing image|a ResHedNet, whose rows become final one by one|a %s, "
        "which joins rows of half the resolution with rows of the full one; it takes whole "
        "images",
        rs_net_name(arch->net));
}

reshed_status rs_stream_create(const rs_model_file *model, rs_model_file *take, int height,
                               int width, const rs_stream_options *options, rs_stream **out,
                               reshed_error *err)
{
    if (height < 16 || width < 16 || height > RS_PLAN_MAX_SIDE || width > RS_PLAN_MAX_SIDE)
        return rs_fail(err, RESHED_EINVAL, "frame size|sides from 16 to %d|%d x %d",
                       RS_PLAN_MAX_SIDE, height, width);
    rs_stream *s = rs_zalloc(1, sizeof *s);
    if (!s) return rs_fail_nomem(err, "a stream", sizeof *s);
    s->options = *options;
    s->height = height;
    s->width = width;
    s->members = model->members;
    rs_kernels_get(options->isa, &s->kernels);
    reshed_status st = rs_arch_from_file(model, &s->arch, err);
    if (st == RESHED_OK) st = rs_stream_check(&s->arch, err);
    if (st == RESHED_OK) st = rs_graph_make(&s->arch, &s->graph, err);
    if (st == RESHED_OK) st = network_make(s, RS_ALGO_DIRECT, RS_FP32, &s->direct, err);
    if (st == RESHED_OK && options->preview != RS_PREVIEW_OFF)
        st = network_make(s, RS_ALGO_AUTO, options->preview == RS_PREVIEW_BF16 ? RS_BF16 : RS_FP32,
                          &s->quick, err);
    if (st == RESHED_OK) st = make_frame(s, err);
    if (st == RESHED_OK) st = make_rows(s, err);
    if (st == RESHED_OK) st = pack_all(s, model, take, err);
    if (st != RESHED_OK) {
        rs_stream_free(s);
        return st;
    }
    rs_stream_reset(s);
    if (s->quick.stage) rs_stream_empty(s); /* now, not when the first line waits for it */
    *out = s;
    return RESHED_OK;
}

void rs_stream_free(rs_stream *s)
{
    if (!s) return;
    for (int i = 0; s->finals && i < s->members; i++) rs_finals_clear(&s->finals[i]);
    for (int i = 0; i < s->options.threads; i++) {
        if (s->patch) rs_finals_clear(&s->patch[i]);
        if (s->front) rs_front_clear(&s->front[i]);
    }
    rs_front_shape_clear(&s->shape);
    rs_spans_clear(&s->need);
    rs_spans_clear(&s->touched);
    rs_spans_clear(&s->window);
    network_clear(&s->direct, s->members);
    network_clear(&s->quick, s->members);
    rs_graph_clear(&s->graph);
    void *block[] = {s->ring,         s->scratch, s->zero,   s->sampling, s->field,
                     s->seen,         s->empty,   s->finals, s->patch,    s->front,
                     s->scanned,      s->kind,    s->clean,  s->state,    s->stale,
                     s->changed,      s->prob,    s->mean,   s->variance, s->blank_rows[0],
                     s->blank_rows[1]};
    for (size_t i = 0; i < sizeof block / sizeof *block; i++) rs_free(block[i]);
    rs_free(s);
}

void rs_stream_reset(rs_stream *s)
{
    const size_t h = (size_t)s->height, n = h * (size_t)s->width;
    memset(s->scanned, 0, h);
    memset(s->kind, NOTHING, h);
    memset(s->clean, 0, h);
    for (size_t i = 0; i < n; i++) s->seen[i] = s->blank;
    for (size_t i = 0; i < n * (size_t)s->arch.classes; i++) s->mean[i] = s->variance[i] = NAN;
    rs_stream_cut(s, (rs_span){0, s->height});
    s->finals_valid = s->finished = s->going_up = false;
    s->latest = -1;
    s->lag = 0;
    rs_stream_states(s);
}

/* ------------------------------------------------------------------------------- new image rows */

/* The row that unscanned row y shows, -1 for blank: the mirror image about the edge of the nearest
 * scanned row. */
static int mirrored(const rs_stream *s, int y)
{
    if (!s->options.reflect) return -1;
    const int reach = rs_receptive_radius(&s->arch) + 1; /* fields reach no further */
    for (int d = 1; d <= reach; d++) {
        const int above = y - d, below = y + d;
        if (above >= 0 && s->scanned[above]) {
            const int j = 2 * above + 1 - y;
            return j >= 0 && s->scanned[j] ? j : -1;
        }
        if (below < s->height && s->scanned[below]) {
            const int j = 2 * below - 1 - y;
            return j < s->height && s->scanned[j] ? j : -1;
        }
    }
    return -1;
}

/* Copies src to row y of what the network sees; src NULL: blank. Whether that changed anything. */
static bool show(rs_stream *s, int y, const float *src)
{
    const size_t w = (size_t)s->width;
    float *row = s->seen + (size_t)y * w;
    if (src) {
        if (memcmp(row, src, w * sizeof *row) == 0) return false;
        memcpy(row, src, w * sizeof *row);
        return true;
    }
    bool differs = false;
    for (size_t i = 0; i < w; i++) {
        differs |= row[i] != s->blank;
        row[i] = s->blank;
    }
    return differs;
}

/* Brings the unscanned rows up to date and marks every output row that depends on a changed row;
 * flag [H] says which scanned rows changed. */
static void spread(rs_stream *s, uint8_t *flag)
{
    for (int y = 0; y < s->height; y++) {
        if (s->scanned[y]) continue;
        const int j = mirrored(s, y);
        if (show(s, y, j < 0 ? NULL : s->seen + (size_t)j * (size_t)s->width)) flag[y] = 1;
    }
    rs_stream_sum(s, flag);
    for (int y = 0; y < s->height; y++)
        if (rs_stream_marked(s, s->field[y]) > 0) s->clean[y] = 0;
}

/* True when a change of image row y invalidates rows that the finals hold. */
static bool harms_finals(const rs_stream *s, int y)
{
    if (!s->finals_valid) return false;
    const rs_finals *f = &s->finals[0];
    const int reach = 2 * rs_receptive_radius(&s->arch) + 4 * UNIT_ROWS;
    if (y < f->image.lo || y >= f->image.hi) return false;
    return f->up ? y < f->image.lo + reach : y >= f->image.hi - reach;
}

void rs_stream_put(rs_stream *s, int first, int n, const float *data)
{
    uint8_t *flag = s->stale; /* rewritten by rs_stream_states */
    memset(flag, 0, (size_t)s->height);
    for (int i = 0; i < n; i++) {
        const int y = first + i;
        const bool differs = show(s, y, data + (size_t)i * (size_t)s->width);
        if (s->scanned[y] && !differs) continue; /* scanned again, the same */
        if (s->scanned[y] && harms_finals(s, y)) s->finals_valid = false;
        if (!s->scanned[y]) flag[y] = 1;
        flag[y] |= differs;
        s->scanned[y] = 1;
        s->lag++;
    }
    if (s->latest >= 0 && (first > s->latest || first + n <= s->latest))
        s->going_up = first < s->latest;
    s->latest = s->latest >= 0 && first + n - 1 < s->latest ? first : first + n - 1;
    spread(s, flag);
    rs_stream_states(s);
}

void rs_stream_replace(rs_stream *s, const float *data)
{
    uint8_t *flag = s->stale;
    memset(flag, 0, (size_t)s->height);
    for (int y = 0; y < s->height; y++) {
        if (!s->scanned[y]) continue;
        flag[y] = show(s, y, data + (size_t)y * (size_t)s->width);
        if (flag[y] && harms_finals(s, y)) s->finals_valid = false;
    }
    spread(s, flag);
    rs_stream_states(s);
}

void rs_stream_set_blank(rs_stream *s, float blank)
{
    if (blank == s->blank) return;
    s->blank = blank;
    s->blank_valid = false;
    uint8_t *flag = s->stale;
    memset(flag, 0, (size_t)s->height);
    spread(s, flag);
    rs_stream_states(s);
}

/* -------------------------------------------------------------------------------------- results */

void rs_stream_get(const rs_stream *s, rs_stream_view *v)
{
    *v = (rs_stream_view){.mean = s->mean,
                          .variance = s->variance,
                          .members = s->prob,
                          .seen = s->seen,
                          .state = s->state,
                          .stale = s->stale,
                          .lag = s->lag};
}

rs_span rs_stream_field(const rs_stream *s, int y)
{
    return s->field[y];
}

size_t rs_stream_weight_bytes(const rs_stream *s)
{
    return s->weight_bytes;
}

size_t rs_stream_state_bytes(const rs_stream *s)
{
    return s->state_bytes;
}
