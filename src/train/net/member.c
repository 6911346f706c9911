#include "train/net/member.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/carve.h"
#include "base/random.h"
#include "nn/layers.h"
#include "train/net/private.h"
#include "train/net/wino.h"

rs_member_options rs_member_defaults(void)
{
    return (rs_member_options){.batch = 8,
                               .height = 112,
                               .width = 112,
                               .isa = rs_isa_best(),
                               .entropy = 1,
                               .dice = 1,
                               .decay = 1e-4,
                               .beta1 = 0.9,
                               .beta2 = 0.999,
                               .epsilon = 1e-8,
                               .clip = 1,
                               .momentum = 0.1};
}

static reshed_status options_check(const rs_arch *a, const rs_member_options *o, reshed_error *err)
{
    const int least = 4 << (a->levels - 1);
    if (a->classes != 1)
        return rs_fail(err, RESHED_EUNSUPPORTED, "classes of a network in training|1|%d",
                       a->classes);
    if (o->batch < 1 || o->batch > RS_MEMBER_MAX_BATCH)
        return rs_fail(err, RESHED_EINVAL, "images of a batch|1 to %d|%d", RS_MEMBER_MAX_BATCH,
                       o->batch);
    if (o->height < least || o->height > RS_MEMBER_MAX_SIDE || o->width < least ||
        o->width > RS_MEMBER_MAX_SIDE)
        return rs_fail(err, RESHED_EINVAL, "size of a training image|%d to %d pixels|%d x %d",
                       least, RS_MEMBER_MAX_SIDE, o->height, o->width);
    if (!(o->entropy >= 0 && o->dice >= 0 && o->decay >= 0 && o->clip >= 0 && o->epsilon > 0))
        return rs_fail(err, RESHED_EINVAL,
                       "weights of the loss, decay, clip, epsilon|none negative|%g, %g, %g, %g, %g",
                       o->entropy, o->dice, o->decay, o->clip, o->epsilon);
    if (!(o->beta1 >= 0 && o->beta1 < 1 && o->beta2 >= 0 && o->beta2 < 1 && o->momentum >= 0 &&
          o->momentum <= 1))
        return rs_fail(err, RESHED_EINVAL, "betas and momentum|in [0,1)|%g, %g, %g", o->beta1,
                       o->beta2, o->momentum);
    return RESHED_OK;
}

/* --------------------------------------------------------------------------------------- memory */

static double *carve_doubles(rs_carver *c, size_t n)
{
    return (double *)(void *)rs_carve(c, 2 * n);
}

static void carve_norm(rs_carver *c, rs_bn *n, const rs_norm_place *place)
{
    const size_t ch = (size_t)place->padded;
    n->place = place;
    n->a = rs_carve(c, ch);
    n->c = rs_carve(c, ch);
    n->mean = rs_carve(c, ch);
    n->da = rs_carve(c, ch);
    n->db = rs_carve(c, ch);
    n->dc = rs_carve(c, ch);
    n->sum = rs_carve(c, ch);
    n->dot = rs_carve(c, ch);
    n->sums = carve_doubles(c, ch);
    n->dots = carve_doubles(c, ch);
    n->inv = carve_doubles(c, ch);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void carve_level(rs_member *m, rs_carver *c, int k)
{
    rs_level *l = &m->level[k];
    const size_t all = (size_t)m->o.batch * (size_t)m->o.height * (size_t)m->o.width;
    const size_t pixels = rs_pixels(l, m->o.batch), ch = (size_t)l->channels;
    l->raw = rs_carve(c, pixels);
    l->score = rs_carve(c, pixels);
    l->up = k ? rs_carve(c, all) : l->score;
    if (k) {
        const size_t per = sizeof(rs_sampling) / sizeof(float);
        l->pooled = rs_carve(c, pixels * (size_t)m->level[k - 1].channels);
        l->rows = (rs_sampling *)(void *)rs_carve(c, (size_t)m->o.height * per);
        l->columns = (rs_sampling *)(void *)rs_carve(c, (size_t)m->o.width * per);
    }
    carve_norm(c, &l->norm, &m->places.head[k].norm);
    for (int b = 0; b < m->arch.layers[k]; b++) {
        rs_block *block = &m->block[m->places.first[k] + b];
        block->place = &m->places.block[m->places.first[k] + b];
        block->in = b ? block[-1].out : l->pooled;
        block->x = rs_carve(c, pixels * ch);
        block->z1 = rs_carve(c, pixels * ch);
        block->z2 = rs_carve(c, pixels * ch);
        block->out = rs_carve(c, pixels * ch);
        carve_norm(c, &block->n1, &block->place->n1);
        carve_norm(c, &block->n2, &block->place->n2);
    }
}

static void carve_all(rs_member *m, rs_carver *c)
{
    const size_t n = m->places.parameters, s = m->places.statistics;
    const size_t all = (size_t)m->o.batch * (size_t)m->o.height * (size_t)m->o.width;
    size_t most = 0, ring = 0, task = 0, rows = (size_t)m->o.width, top = 0;
    for (int k = 0; k < m->arch.levels; k++) {
        const rs_level *l = &m->level[k];
        most = larger(most, rs_pixels(l, m->o.batch) * (size_t)l->channels);
        ring = larger(ring, rs_wino_ring_floats(l));
        task = larger(task, rs_wino_task_floats(l));
        rows = larger(rows, (size_t)(4 * l->task * l->width) * (size_t)l->channels);
        top = (size_t)l->channels;
    }
    m->p = rs_carve(c, n);
    m->g = rs_carve(c, n);
    m->m = rs_carve(c, n);
    m->v = rs_carve(c, n);
    m->s = rs_carve(c, s);
    m->mean_p = carve_doubles(c, n);
    m->mean_s = carve_doubles(c, s);
    for (int k = 0; k < m->arch.levels; k++) carve_level(m, c, k);
    m->ga = rs_carve(c, most);
    m->gb = rs_carve(c, most);
    m->logit = rs_carve(c, all);
    m->dlogit = rs_carve(c, all);
    m->probability = rs_carve(c, all);
    /* transforms ask for what follows a row's end */
    for (int i = 0; i < 2; i++) m->ring[i] = rs_carve(c, ring);
    m->tv = rs_carve(c, task);
    m->tm = rs_carve(c, task);
    m->u = rs_carve(c, 36 * top * top);
    m->du = rs_carve(c, 36 * top * top);
    m->turned = rs_carve(c, 9 * top * top);
    m->point = rs_carve(c, top * top);
    m->rows = rs_carve(c, rows);
    m->zeros = rs_carve(c, top);
}

/* Rows of tiles that go together: enough tiles to keep the products' registers full and to spread
 * the filters' way from memory, few enough that V and M stay in the second-level cache. */
static int task_rows(int across, int down, int channels)
{
    const int most = (512 << 10) / (2 * 36 * channels * (int)sizeof(float));
    int rows = most / across;
    if (rows < 1) rows = 1;
    return rows < down ? rows : down;
}

static void set_levels(rs_member *m)
{
    for (int k = 0; k < m->arch.levels; k++) {
        rs_level *l = &m->level[k];
        l->height = rs_level_size(m->o.height, k);
        l->width = rs_level_size(m->o.width, k);
        l->channels = rs_pad_channels(rs_level_channels(&m->arch, k));
        l->across = (l->width + 3) / 4;
        l->down = (l->height + 3) / 4;
        l->task = task_rows(l->across, l->down, l->channels);
    }
}

static void set_sampling(rs_member *m)
{
    for (int k = 1; k < m->arch.levels; k++) {
        rs_level *l = &m->level[k];
        for (int i = 0; i < m->o.height; i++)
            rs_sample(i, m->o.height, l->height, m->arch.upsampling, &l->rows[i].lo, &l->rows[i].hi,
                      &l->rows[i].t);
        for (int i = 0; i < m->o.width; i++)
            rs_sample(i, m->o.width, l->width, m->arch.upsampling, &l->columns[i].lo,
                      &l->columns[i].hi, &l->columns[i].t);
    }
}

/* ---------------------------------------------------------------------------------- life and start */

typedef struct start {
    rs_member *m;
    rs_random random;
    double bound; /* of the convolution at hand */
} start;

static bool ends_with(const char *s, const char *end)
{
    const size_t n = strlen(s), k = strlen(end);
    return n >= k && strcmp(s + n - k, end) == 0;
}

static reshed_status start_tensor(void *ctx, const rs_place *p)
{
    start *s = ctx;
    const size_t n = (size_t)p->dims[0];
    if (p->kind == RS_PLACE_WEIGHT) {
        const size_t inputs = (size_t)(p->dims[1] * p->dims[2] * p->dims[3]);
        s->bound = 1 / sqrt((double)inputs);
        for (size_t i = 0; i < n * inputs; i++)
            s->m->p[rs_place_index(p, i)] =
                (float)rs_random_between(&s->random, -s->bound, s->bound);
    } else if (p->kind == RS_PLACE_VECTOR) {
        const bool norm = strstr(p->name, ".bn") || strstr(p->name, "score.1.");
        for (size_t i = 0; i < n; i++)
            s->m->p[p->at + i] = norm ? (float)ends_with(p->name, ".weight")
                                      : (float)rs_random_between(&s->random, -s->bound, s->bound);
    } else if (p->kind == RS_PLACE_STATISTIC) {
        for (size_t i = 0; i < n; i++)
            s->m->s[p->at + i] = ends_with(p->name, ".running_var") ? 1 : 0;
    }
    return RESHED_OK;
}

reshed_status rs_member_create(const rs_arch *arch, const rs_member_options *options, uint64_t seed,
                               rs_member **out, reshed_error *err)
{
    reshed_status st = options_check(arch, options, err);
    if (st != RESHED_OK) return st;
    rs_member *m = rs_zalloc(1, sizeof *m);
    if (!m) return rs_fail_nomem(err, "a member in training", sizeof *m);
    m->arch = *arch;
    m->o = *options;
    rs_kernels_get(options->isa, &m->k);
    if ((st = rs_places_make(arch, &m->places, err)) != RESHED_OK) goto done;
    m->block = rs_zalloc((size_t)m->places.blocks, sizeof *m->block);
    if (!m->block) {
        st = rs_fail_nomem(err, "a member in training", sizeof *m->block);
        goto done;
    }
    set_levels(m);
    rs_carver c = {0};
    carve_all(m, &c);
    m->bytes = c.used * sizeof(float);
    m->memory = rs_zalloc(c.used, sizeof(float));
    if (!m->memory) {
        st = rs_fail_nomem(err, "a member in training", m->bytes);
        goto done;
    }
    c = (rs_carver){.memory = m->memory};
    carve_all(m, &c);
    set_sampling(m);
    start s = {.m = m, .random = rs_random_at(seed, 0x7261696e, 0)};
    rs_places_visit(&m->places, start_tensor, &s);
done:
    if (st == RESHED_OK)
        *out = m;
    else
        rs_member_free(m);
    return st;
}

void rs_member_free(rs_member *m)
{
    if (!m) return;
    rs_places_clear(&m->places);
    rs_free(m->block);
    rs_free(m->memory);
    rs_free(m);
}

/* ----------------------------------------------------------------------------------------- steps */

static void check_batch(const rs_member *m, const rs_batch *b)
{
    assert(b->n >= 1 && b->n <= m->o.batch);
    assert(b->height == m->o.height && b->width == m->o.width);
    (void)m;
    (void)b;
}

static double gradient_norm(const rs_member *m)
{
    double sum = 0;
    for (size_t i = 0; i < m->places.parameters; i++) sum += (double)m->g[i] * (double)m->g[i];
    return sqrt(sum);
}

double rs_member_gradient(rs_member *m, const rs_batch *batch)
{
    const rs_stats stats = m->o.frozen ? RS_STATS_RUNNING : RS_STATS_BATCH;
    check_batch(m, batch);
    memset(m->g, 0, m->places.parameters * sizeof *m->g);
    rs_forward(m, batch, stats, m->o.momentum);
    rs_heads_forward(m, batch->n, stats, m->o.momentum);
    if (!m->o.frozen) m->tracked++;
    const double loss = rs_loss(m, batch, true);
    rs_heads_backward(m, batch->n, stats);
    rs_backward(m, batch->n, stats);
    m->norm = gradient_norm(m);
    return loss;
}

double rs_member_step(rs_member *m, const rs_batch *batch, double rate)
{
    const rs_member_options *o = &m->o;
    const double loss = rs_member_gradient(m, batch);
    m->steps++;
    if (!isfinite(m->norm)) return loss; /* a step that would destroy the weights is left out */
    const double t = (double)m->steps, keep = 1 - rate * o->decay;
    const double scale = o->clip > 0 ? fmin(1, o->clip / (m->norm + 1e-6)) : 1;
    const rs_adamw a = {.scale = (float)scale,
                        .beta1 = (float)o->beta1,
                        .rest1 = (float)(1 - o->beta1),
                        .beta2 = (float)o->beta2,
                        .rest2 = (float)(1 - o->beta2),
                        .keep = (float)keep,
                        .rate = (float)(rate / (1 - pow(o->beta1, t))),
                        .root = (float)(1 / sqrt(1 - pow(o->beta2, t))),
                        .epsilon = (float)o->epsilon};
    m->k.grad.adamw(&a, m->g, m->places.parameters, m->p, m->m, m->v);
    return loss;
}

double rs_member_evaluate(rs_member *m, const rs_batch *batch, float *probability)
{
    check_batch(m, batch);
    rs_forward(m, batch, RS_STATS_RUNNING, 0);
    rs_heads_forward(m, batch->n, RS_STATS_RUNNING, 0);
    const double loss = rs_loss(m, batch, false);
    if (probability)
        memcpy(probability, m->probability,
               rs_pixels(&m->level[0], batch->n) * sizeof *probability);
    return loss;
}

long rs_member_steps(const rs_member *m)
{
    return m->steps;
}

double rs_member_gradient_norm(const rs_member *m)
{
    return m->norm;
}

float *rs_member_parameters(rs_member *m, size_t *n)
{
    *n = m->places.parameters;
    return m->p;
}

const float *rs_member_gradient_values(const rs_member *m)
{
    return m->g;
}

const rs_arch *rs_member_arch(const rs_member *m)
{
    return &m->arch;
}

size_t rs_member_bytes(const rs_member *m)
{
    return m->bytes + sizeof *m +
           (size_t)m->places.blocks * (sizeof *m->block + sizeof *m->places.block);
}

void rs_member_statistics_begin(rs_member *m)
{
    m->batches = 0;
}

void rs_member_statistics_add(rs_member *m, const rs_batch *batch)
{
    const double share = 1 / (double)++m->batches;
    check_batch(m, batch);
    rs_forward(m, batch, RS_STATS_BATCH, share);
    rs_heads_forward(m, batch->n, RS_STATS_BATCH, share);
}

void rs_member_statistics_end(rs_member *m)
{
    if (m->batches) m->tracked = m->batches;
    m->batches = 0;
}
