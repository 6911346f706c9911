/* others.c (ref) - AtomAI's Unet, dilnet and SegResNet in double precision: as their definition reads,
 * without the graph of the engine. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "nn/kernels/ref/ref.h"

/* Activations [c,h,w]; v NULL where memory has run out, and everything made of it likewise. */
typedef struct map {
    int c, h, w;
    double *v; /* owned by whoever holds the map; functions below take their arguments over */
} map;

typedef struct pass {
    const rs_tensors *t;
    const rs_arch *a;
} pass;

static size_t count(const map *m)
{
    return (size_t)m->c * (size_t)m->h * (size_t)m->w;
}

static map map_make(int c, int h, int w)
{
    map m = {c, h, w, NULL};
    m.v = rs_alloc(count(&m), sizeof *m.v);
    return m;
}

/* A tensor as double; NULL without memory. */
static double *values(const pass *p, const char *prefix, const char *part, int *first)
{
    char name[128];
    snprintf(name, sizeof name, "%s.%s", prefix, part);
    const rs_tensor *t = rs_tensors_find(p->t, name);
    double *v = rs_alloc(t->count, sizeof *v);
    for (size_t i = 0; v && i < t->count; i++) v[i] = rs_tensor_at(t, i);
    if (first) *first = (int)t->dims[0];
    return v;
}

static map conv(const pass *p, const char *prefix, map in, int k, int dilation)
{
    int cout = 0;
    double *w = values(p, prefix, "weight", &cout), *b = values(p, prefix, "bias", NULL);
    map out = map_make(cout, in.h, in.w);
    if (in.v && w && b && out.v) {
        rs_ref_conv(in.v, in.c, in.h, in.w, w, b, cout, k, dilation, out.v);
    } else {
        rs_free(out.v);
        out.v = NULL;
    }
    rs_free(in.v);
    rs_free(w);
    rs_free(b);
    return out;
}

static map norm(const pass *p, const char *prefix, map m)
{
    double *gamma = values(p, prefix, "weight", NULL), *beta = values(p, prefix, "bias", NULL);
    double *mean = values(p, prefix, "running_mean", NULL),
           *var = values(p, prefix, "running_var", NULL);
    if (m.v && gamma && beta && mean && var) {
        rs_ref_batch_norm(m.v, m.c, m.h, m.w, gamma, beta, mean, var, RS_BN_EPS, m.v);
    } else {
        rs_free(m.v);
        m.v = NULL;
    }
    rs_free(gamma);
    rs_free(beta);
    rs_free(mean);
    rs_free(var);
    return m;
}

static map act(map m)
{
    if (m.v) rs_ref_leaky_relu(m.v, count(&m), 0.01);
    return m;
}

static map copy(const map *m)
{
    map c = map_make(m->c, m->h, m->w);
    if (m->v && c.v) memcpy(c.v, m->v, count(m) * sizeof *c.v);
    return c;
}

/* sum += m */
static void add(map *sum, const map *m)
{
    for (size_t i = 0; sum->v && m->v && i < count(m); i++) sum->v[i] += m->v[i];
}

static map pool(const map *in)
{
    map out = map_make(in->c, in->h / 2, in->w / 2);
    if (in->v && out.v) rs_ref_max_pool(in->v, in->c, in->h, in->w, out.v);
    return out;
}

static map join(map a, map b)
{
    map out = map_make(a.c + b.c, a.h, a.w);
    if (a.v && b.v && out.v) {
        memcpy(out.v, a.v, count(&a) * sizeof *out.v);
        memcpy(out.v + count(&a), b.v, count(&b) * sizeof *out.v);
    }
    rs_free(a.v);
    rs_free(b.v);
    return out;
}

static map upsample(const pass *p, const char *prefix, map in)
{
    char name[64];
    map out = map_make(in.c, 2 * in.h, 2 * in.w);
    if (in.v && out.v) rs_ref_resize(in.v, in.c, in.h, in.w, p->a->upsampling, out.h, out.w, out.v);
    rs_free(in.v);
    snprintf(name, sizeof name, "%s.conv", prefix);
    return conv(p, name, out, 1, 1);
}

/* Entries of an nn.Sequential: convolution, dropout, activation, normalisation. */
static map conv_block(const pass *p, const char *prefix, int n, map m, bool dropout)
{
    char name[64];
    for (int i = 0, at = 0; i < n; i++) {
        snprintf(name, sizeof name, "%s.block.%d", prefix, at++);
        m = conv(p, name, m, 3, 1);
        if (dropout) at++;
        m = act(m);
        at++;
        if (!p->a->batch_norm) continue;
        snprintf(name, sizeof name, "%s.block.%d", prefix, at++);
        m = norm(p, name, m);
    }
    return m;
}

static map dilated_block(const pass *p, const char *prefix, int n, map m, bool dropout)
{
    char name[64];
    map sum = {0};
    for (int i = 0, at = 0; i < n; i++) {
        snprintf(name, sizeof name, "%s.atrous_module.%d", prefix, at++);
        m = conv(p, name, m, 3, 2 * (i + 1));
        if (i == 0)
            sum = copy(&m);
        else
            add(&sum, &m);
        if (dropout) { /* passes on what it gets */
            add(&sum, &m);
            at++;
        }
        m = act(m);
        add(&sum, &m);
        at++;
        if (!p->a->batch_norm) continue;
        snprintf(name, sizeof name, "%s.atrous_module.%d", prefix, at++);
        m = norm(p, name, m);
        add(&sum, &m);
    }
    rs_free(m.v);
    return sum;
}

static map res_module(const pass *p, const char *prefix, int n, map m)
{
    char name[64];
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "%s.res_module.%d.c0", prefix, i);
        map x = conv(p, name, m, 1, 1);
        m = copy(&x);
        for (int j = 1; j <= 2; j++) {
            snprintf(name, sizeof name, "%s.res_module.%d.c%d", prefix, i, j);
            m = conv(p, name, m, 3, 1);
            snprintf(name, sizeof name, "%s.res_module.%d.bn%d", prefix, i, j);
            if (p->a->batch_norm) m = norm(p, name, m);
            if (j == 1) m = act(m);
        }
        add(&m, &x);
        m = act(m);
        rs_free(x.v);
    }
    return m;
}

static map unet(const pass *p, map m)
{
    const int *n = p->a->layers;
    const bool drop = p->a->dropout;
    map c1 = conv_block(p, "c1", n[0], m, false);
    map c2 = conv_block(p, "c2", n[1], pool(&c1), false);
    map c3 = conv_block(p, "c3", n[2], pool(&c2), drop);
    m = pool(&c3);
    m = p->a->dilated ? dilated_block(p, "bn", n[3], m, drop) : conv_block(p, "bn", n[3], m, drop);
    m = conv_block(p, "c4", n[2], join(c3, upsample(p, "upsample_block1", m)), drop);
    m = conv_block(p, "c5", n[1], join(c2, upsample(p, "upsample_block2", m)), false);
    m = conv_block(p, "c6", n[0], join(c1, upsample(p, "upsample_block3", m)), false);
    return conv(p, "px", m, 1, 1);
}

static map dilnet(const pass *p, map m)
{
    const int *n = p->a->layers;
    map c1 = conv_block(p, "c1", n[0], m, false);
    m = dilated_block(p, "at1", n[1], pool(&c1), p->a->dropout);
    m = dilated_block(p, "at2", n[2], m, p->a->dropout);
    m = conv_block(p, "c2", n[3], join(c1, upsample(p, "up1", m)), false);
    return conv(p, "px", m, 1, 1);
}

static map segresnet(const pass *p, map m)
{
    const int *n = p->a->layers;
    map c1 = conv_block(p, "c1", 1, m, false);
    map c2 = res_module(p, "c2", n[0], pool(&c1));
    m = res_module(p, "bn", n[1], pool(&c2));
    m = res_module(p, "c3", n[2], join(c2, upsample(p, "upsample_block1", m)));
    m = conv_block(p, "c4", 1, join(c1, upsample(p, "upsample_block2", m)), false);
    return conv(p, "px", m, 1, 1);
}

reshed_status rs_ref_other(const rs_arch *a, const rs_tensors *t, const double *image, int h, int w,
                           double *logits, reshed_error *err)
{
    const pass p = {t, a};
    map m = map_make(1, h, w);
    if (m.v) memcpy(m.v, image, count(&m) * sizeof *m.v);
    switch (a->net) {
    case RS_UNET: m = unet(&p, m); break;
    case RS_DILNET: m = dilnet(&p, m); break;
    case RS_SEGRESNET: m = segresnet(&p, m); break;
    case RS_RESHEDNET: break;
    }
    if (!m.v) return rs_fail_nomem(err, "the reference network", (size_t)h * (size_t)w);
    memcpy(logits, m.v, count(&m) * sizeof *logits);
    rs_free(m.v);
    return RESHED_OK;
}
