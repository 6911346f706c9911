#include "train/net/places.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "nn/layers.h"

static size_t round_lanes(size_t n)
{
    return (n + RS_LANES - 1) / RS_LANES * RS_LANES;
}

static size_t take(size_t *used, size_t n)
{
    const size_t at = *used;
    *used += round_lanes(n);
    return at;
}

/* cin, cout: what inputs and outputs are padded to. */
static rs_conv_place place_conv(rs_places *l, int inputs, int cin, int outputs, int cout, int k)
{
    rs_conv_place c = {.cin = cin, .cout = cout, .inputs = inputs, .outputs = outputs, .k = k};
    c.w = take(&l->parameters, (size_t)(k * k) * (size_t)cin * (size_t)cout);
    c.b = take(&l->parameters, (size_t)cout);
    return c;
}

static rs_norm_place place_norm(rs_places *l, int channels, int padded)
{
    rs_norm_place n = {.channels = channels, .padded = padded};
    n.gamma = take(&l->parameters, (size_t)padded);
    n.beta = take(&l->parameters, (size_t)padded);
    n.mean = take(&l->statistics, (size_t)padded);
    n.var = take(&l->statistics, (size_t)padded);
    return n;
}

reshed_status rs_places_make(const rs_arch *arch, rs_places *out, reshed_error *err)
{
    rs_places l = {.arch = *arch};
    for (int k = 0; k < arch->levels; k++) {
        l.first[k] = l.blocks;
        l.blocks += arch->layers[k];
    }
    l.first[arch->levels] = l.blocks;
    l.block = rs_alloc((size_t)l.blocks, sizeof *l.block);
    if (!l.block)
        return rs_fail_nomem(err, "a network's layout", (size_t)l.blocks * sizeof *l.block);
    for (int k = 0; k < arch->levels; k++) {
        const int c = rs_level_channels(arch, k), pad = rs_pad_channels(c);
        for (int b = 0; b < arch->layers[k]; b++) {
            rs_block_place *p = &l.block[l.first[k] + b];
            const int inputs = rs_block_inputs(arch, k, b);
            p->c0 = place_conv(&l, inputs, k + b ? rs_pad_channels(inputs) : 1, c, pad, 1);
            p->c1 = place_conv(&l, c, pad, c, pad, 3);
            p->c2 = place_conv(&l, c, pad, c, pad, 3);
            p->n1 = place_norm(&l, c, pad);
            p->n2 = place_norm(&l, c, pad);
        }
        l.head[k].conv = place_conv(&l, c, pad, 1, 1, 1);
        l.head[k].norm = place_norm(&l, 1, 1);
    }
    l.out = place_conv(&l, arch->levels, arch->levels, 1, 1, 1);
    *out = l;
    return RESHED_OK;
}

void rs_places_clear(rs_places *l)
{
    rs_free(l->block);
    memset(l, 0, sizeof *l);
}

size_t rs_place_index(const rs_place *p, size_t i)
{
    if (p->kind != RS_PLACE_WEIGHT) return p->at + i;
    const size_t taps = (size_t)(p->dims[2] * p->dims[3]), inputs = (size_t)p->dims[1];
    const size_t t = i % taps, c = i / taps % inputs, n = i / taps / inputs;
    return p->at + (t * (size_t)p->cin + c) * (size_t)p->cout + n;
}

/* ------------------------------------------------------------------------------ all the tensors */

typedef struct tour {
    reshed_status (*visit)(void *ctx, const rs_place *p);
    void *ctx;
} tour;

static reshed_status visit_conv(const tour *t, const char *prefix, const rs_conv_place *c)
{
    rs_place p = {.kind = RS_PLACE_WEIGHT,
                  .ndim = 4,
                  .dims = {c->outputs, c->inputs, c->k, c->k},
                  .at = c->w,
                  .cin = c->cin,
                  .cout = c->cout};
    snprintf(p.name, sizeof p.name, "%s.weight", prefix);
    const reshed_status st = t->visit(t->ctx, &p);
    if (st != RESHED_OK) return st;
    p = (rs_place){.kind = RS_PLACE_VECTOR, .ndim = 1, .dims = {c->outputs}, .at = c->b};
    snprintf(p.name, sizeof p.name, "%s.bias", prefix);
    return t->visit(t->ctx, &p);
}

static reshed_status visit_norm(const tour *t, const char *prefix, const rs_norm_place *n)
{
    static const char *const part[] = {"weight", "bias", "running_mean", "running_var"};
    const size_t at[] = {n->gamma, n->beta, n->mean, n->var};
    for (int i = 0; i < 4; i++) {
        rs_place p = {.kind = i < 2 ? RS_PLACE_VECTOR : RS_PLACE_STATISTIC,
                      .ndim = 1,
                      .dims = {n->channels},
                      .at = at[i]};
        snprintf(p.name, sizeof p.name, "%s.%s", prefix, part[i]);
        const reshed_status st = t->visit(t->ctx, &p);
        if (st != RESHED_OK) return st;
    }
    rs_place p = {.kind = RS_PLACE_COUNT};
    snprintf(p.name, sizeof p.name, "%s.num_batches_tracked", prefix);
    return t->visit(t->ctx, &p);
}

static reshed_status visit_block(const tour *t, int level, int b, const rs_block_place *p)
{
    static const char *const conv[] = {"c0", "c1", "c2"}, *const norm[] = {"bn1", "bn2"};
    const rs_conv_place *c[] = {&p->c0, &p->c1, &p->c2};
    const rs_norm_place *n[] = {&p->n1, &p->n2};
    char name[80];
    reshed_status st = RESHED_OK;
    for (int i = 0; st == RESHED_OK && i < 3; i++) {
        snprintf(name, sizeof name, "net%d%s.res_module.%d.%s", level + 1, level ? ".1" : "", b,
                 conv[i]);
        st = visit_conv(t, name, c[i]);
    }
    for (int i = 0; st == RESHED_OK && i < 2; i++) {
        snprintf(name, sizeof name, "net%d%s.res_module.%d.%s", level + 1, level ? ".1" : "", b,
                 norm[i]);
        st = visit_norm(t, name, n[i]);
    }
    return st;
}

reshed_status rs_places_visit(const rs_places *l,
                              reshed_status (*visit)(void *ctx, const rs_place *p), void *ctx)
{
    const tour t = {visit, ctx};
    reshed_status st = RESHED_OK;
    char name[32];
    for (int k = 0; k < l->arch.levels; k++)
        for (int b = 0; st == RESHED_OK && b < l->arch.layers[k]; b++)
            st = visit_block(&t, k, b, &l->block[l->first[k] + b]);
    for (int k = 0; st == RESHED_OK && k < l->arch.levels; k++) {
        snprintf(name, sizeof name, "net%dscore.0", k + 1);
        st = visit_conv(&t, name, &l->head[k].conv);
        snprintf(name, sizeof name, "net%dscore.1", k + 1);
        if (st == RESHED_OK) st = visit_norm(&t, name, &l->head[k].norm);
    }
    return st == RESHED_OK ? visit_conv(&t, "out", &l->out) : st;
}
