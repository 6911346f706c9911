/* state.c - a member's numbers: from and to named tensors, as bytes, averaged. */
#include <string.h>

#include "train/net/member.h"
#include "train/net/private.h"

/* ------------------------------------------------------------------------------------- averages */

/* Sums, so that the order of adding and dividing is one for every number of them. */
static void add_to(double *sum, const float *v, size_t n, bool first)
{
    for (size_t i = 0; i < n; i++) sum[i] = first ? (double)v[i] : sum[i] + (double)v[i];
}

long rs_member_average_add(rs_member *m)
{
    const bool first = m->averaged++ == 0;
    add_to(m->mean_p, m->p, m->places.parameters, first);
    add_to(m->mean_s, m->s, m->places.statistics, first);
    return m->averaged;
}

long rs_member_average_finish(rs_member *m)
{
    const double n = (double)m->averaged;
    if (m->averaged == 0) return 0;
    for (size_t i = 0; i < m->places.parameters; i++) m->p[i] = (float)(m->mean_p[i] / n);
    for (size_t i = 0; i < m->places.statistics; i++) m->s[i] = (float)(m->mean_s[i] / n);
    return m->averaged;
}

/* --------------------------------------------------------------------------------------- padding */

static reshed_status mark_tensor(void *ctx, const rs_place *p)
{
    uint8_t *real = ctx;
    size_t n = 1;
    if (p->kind != RS_PLACE_WEIGHT && p->kind != RS_PLACE_VECTOR) return RESHED_OK;
    for (int i = 0; i < p->ndim; i++) n *= (size_t)p->dims[i];
    for (size_t i = 0; i < n; i++) real[rs_place_index(p, i)] = 1;
    return RESHED_OK;
}

void rs_member_real(const rs_member *m, uint8_t *real)
{
    memset(real, 0, m->places.parameters);
    rs_places_visit(&m->places, mark_tensor, real);
}

/* --------------------------------------------------------------------------------------- tensors */

typedef struct transfer {
    rs_member *m;
    const rs_tensors *from;
    double share; /* of these tensors in what the member has then */
    bool seen_count;
} transfer;

static reshed_status find(const rs_tensors *t, const rs_place *p, const rs_tensor **out,
                          reshed_error *err)
{
    const rs_tensor *x = rs_tensors_find(t, p->name);
    bool same = x && x->ndim == p->ndim;
    for (int i = 0; same && i < p->ndim; i++) same = x->dims[i] == p->dims[i];
    *out = x;
    return same ? RESHED_OK
                : rs_fail(err, RESHED_ECORRUPT, "%s|of the shape of the network|%s", p->name,
                          x ? "another shape" : "missing");
}

typedef struct check {
    const rs_tensors *from;
    reshed_error *err;
} check;

static reshed_status check_tensor(void *ctx, const rs_place *p)
{
    const check *c = ctx;
    const rs_tensor *x;
    return p->kind == RS_PLACE_COUNT ? RESHED_OK : find(c->from, p, &x, c->err);
}

static reshed_status load_tensor(void *ctx, const rs_place *p)
{
    transfer *t = ctx;
    const rs_tensor *x = rs_tensors_find(t->from, p->name);
    if (p->kind == RS_PLACE_COUNT && t->share < 1) return RESHED_OK;
    if (p->kind == RS_PLACE_COUNT) { /* one number stands for all: they are always alike */
        if (x && !t->seen_count && x->count == 1) t->m->tracked = (long)rs_tensor_at(x, 0);
        t->seen_count = t->seen_count || x;
        return RESHED_OK;
    }
    float *to = p->kind == RS_PLACE_STATISTIC ? t->m->s : t->m->p;
    for (size_t i = 0; i < x->count; i++) {
        float *v = &to[rs_place_index(p, i)];
        const double there = rs_tensor_at(x, i);
        *v = (float)(t->share < 1 ? t->share * there + (1 - t->share) * (double)*v : there);
    }
    return RESHED_OK;
}

reshed_status rs_member_load(rs_member *m, const rs_tensors *t, reshed_error *err)
{
    check c = {t, err};
    transfer tr = {.m = m, .from = t, .share = 1};
    const reshed_status st = rs_places_visit(&m->places, check_tensor, &c);
    if (st != RESHED_OK) return st;
    m->steps = m->averaged = m->tracked = m->batches = 0;
    memset(m->m, 0, m->places.parameters * sizeof *m->m);
    memset(m->v, 0, m->places.parameters * sizeof *m->v);
    return rs_places_visit(&m->places, load_tensor, &tr);
}

reshed_status rs_member_keep(rs_member *m, const rs_tensors *t, double share, reshed_error *err)
{
    check c = {t, err};
    transfer tr = {.m = m, .from = t, .share = share};
    const reshed_status st = rs_places_visit(&m->places, check_tensor, &c);
    return st == RESHED_OK ? rs_places_visit(&m->places, load_tensor, &tr) : st;
}

typedef struct export
{
    const rs_member *m;
    const float *parameters, *statistics; /* statistics NULL: parameters only */
    rs_tensors *out;
    reshed_error *err;
}
export;

static reshed_status export_tensor(void *ctx, const rs_place *p)
{
    const export *e = ctx;
    const bool learnt = p->kind == RS_PLACE_WEIGHT || p->kind == RS_PLACE_VECTOR;
    if (!learnt && !e->statistics) return RESHED_OK;
    rs_tensor *t = rs_tensors_add(e->out, p->name, p->kind == RS_PLACE_COUNT ? RS_I64 : RS_F32,
                                  p->ndim, p->dims);
    if (!t) return rs_fail_nomem(e->err, p->name, e->m->places.parameters * sizeof(float));
    if (p->kind == RS_PLACE_COUNT) {
        *(int64_t *)t->data = e->m->tracked;
        return RESHED_OK;
    }
    const float *from = learnt ? e->parameters : e->statistics;
    for (size_t i = 0; i < t->count; i++) ((float *)t->data)[i] = from[rs_place_index(p, i)];
    return RESHED_OK;
}

reshed_status rs_member_tensors(const rs_member *m, rs_tensors *out, reshed_error *err)
{
    export e = {m, m->p, m->s, out, err};
    return rs_places_visit(&m->places, export_tensor, &e);
}

reshed_status rs_member_gradient_tensors(const rs_member *m, rs_tensors *out, reshed_error *err)
{
    export e = {m, m->g, NULL, out, err};
    return rs_places_visit(&m->places, export_tensor, &e);
}

/* ------------------------------------------------------------------------------------ as bytes */

#define MAGIC 0x3174736d68737200u /* changes with the layout */

typedef struct header {
    uint64_t magic;
    uint64_t parameters, statistics;
    int64_t layers[RS_MODEL_MAX_LEVELS];
    int64_t levels, filters, upsampling;
    int64_t steps, averaged, tracked, batches;
} header;

static header header_of(const rs_member *m)
{
    header h = {.magic = MAGIC,
                .parameters = m->places.parameters,
                .statistics = m->places.statistics,
                .levels = m->arch.levels,
                .filters = m->arch.filters,
                .upsampling = m->arch.upsampling};
    for (int k = 0; k < m->arch.levels; k++) h.layers[k] = m->arch.layers[k];
    return h;
}

size_t rs_member_state_size(const rs_member *m)
{
    const size_t n = m->places.parameters, s = m->places.statistics;
    return sizeof(header) + (3 * n + s) * sizeof(float) + (n + s) * sizeof(double);
}

static void put(char **to, const void *from, size_t bytes)
{
    memcpy(*to, from, bytes);
    *to += bytes;
}

static void get(const char **from, void *to, size_t bytes)
{
    memcpy(to, *from, bytes);
    *from += bytes;
}

void rs_member_state_save(const rs_member *m, void *out)
{
    const size_t n = m->places.parameters, s = m->places.statistics;
    header h = header_of(m);
    h.steps = m->steps;
    h.averaged = m->averaged;
    h.tracked = m->tracked;
    h.batches = m->batches;
    char *to = out;
    put(&to, &h, sizeof h);
    put(&to, m->p, n * sizeof *m->p);
    put(&to, m->m, n * sizeof *m->m);
    put(&to, m->v, n * sizeof *m->v);
    put(&to, m->s, s * sizeof *m->s);
    put(&to, m->mean_p, n * sizeof *m->mean_p);
    put(&to, m->mean_s, s * sizeof *m->mean_s);
}

reshed_status rs_member_state_restore(rs_member *m, const void *state, size_t bytes,
                                      reshed_error *err)
{
    const size_t n = m->places.parameters, s = m->places.statistics;
    header h, want = header_of(m);
    if (bytes != rs_member_state_size(m))
        return rs_fail(err, RESHED_ECORRUPT, "state of a member|%zu bytes|%zu",
                       rs_member_state_size(m), bytes);
    memcpy(&h, state, sizeof h);
    want.steps = h.steps;
    want.averaged = h.averaged;
    want.tracked = h.tracked;
    want.batches = h.batches;
    if (memcmp(&h, &want, sizeof h) != 0 || h.steps < 0 || h.averaged < 0 || h.batches < 0)
        return rs_fail(err, RESHED_ECORRUPT, "state of a member|one of this network|another");
    m->steps = (long)h.steps;
    m->averaged = (long)h.averaged;
    m->tracked = (long)h.tracked;
    m->batches = (long)h.batches;
    const char *from = (const char *)state + sizeof h;
    get(&from, m->p, n * sizeof *m->p);
    get(&from, m->m, n * sizeof *m->m);
    get(&from, m->v, n * sizeof *m->v);
    get(&from, m->s, s * sizeof *m->s);
    get(&from, m->mean_p, n * sizeof *m->mean_p);
    get(&from, m->mean_s, s * sizeof *m->mean_s);
    return RESHED_OK;
}
