#include "nn/filters.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

#define NAME_SIZE 96

/* ------------------------------------------------------------------------------------- checking */

static reshed_status need(const rs_tensors *t, int member, const char *name, int ndim,
                          const int64_t *dims, reshed_error *err)
{
    const rs_tensor *x = rs_tensors_find(t, name);
    if (!x)
        return rs_fail(err, RESHED_ECORRUPT, "tensor missing: %s||member %d of %d tensors", name,
                       member, t->n);
    bool same = x->ndim == ndim;
    for (int i = 0; same && i < ndim; i++) same = x->dims[i] == dims[i];
    if (!same) {
        char want[80] = "", have[80] = "";
        for (int i = 0; i < ndim; i++)
            snprintf(want + strlen(want), sizeof want - strlen(want), "%s%lld", i ? "," : "",
                     (long long)dims[i]);
        for (int i = 0; i < x->ndim; i++)
            snprintf(have + strlen(have), sizeof have - strlen(have), "%s%lld", i ? "," : "",
                     (long long)x->dims[i]);
        return rs_fail(err, RESHED_ECORRUPT, "shape of %s|[%s]|[%s]|member %d", name, want, have,
                       member);
    }
    for (size_t i = 0; i < x->count; i++)
        if (!isfinite(rs_tensor_at(x, i)))
            return rs_fail(err, RESHED_ECORRUPT, "value in %s|a finite number|%g|member %d", name,
                           rs_tensor_at(x, i), member);
    return RESHED_OK;
}

static reshed_status need_conv(const rs_tensors *t, int member, const char *prefix, int cin,
                               int cout, int k, reshed_error *err)
{
    char name[NAME_SIZE + 16];
    snprintf(name, sizeof name, "%s.weight", prefix);
    reshed_status st = need(t, member, name, 4, (int64_t[]){cout, cin, k, k}, err);
    if (st != RESHED_OK) return st;
    snprintf(name, sizeof name, "%s.bias", prefix);
    return need(t, member, name, 1, (int64_t[]){cout}, err);
}

static reshed_status need_bn(const rs_tensors *t, int member, const char *prefix, int c,
                             reshed_error *err)
{
    static const char *const part[] = {"weight", "bias", "running_mean", "running_var"};
    char name[NAME_SIZE + 16];
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s.%s", prefix, part[i]);
        reshed_status st = need(t, member, name, 1, (int64_t[]){c}, err);
        if (st != RESHED_OK) return st;
    }
    const rs_tensor *var = rs_tensors_find(t, name);
    for (size_t i = 0; i < var->count; i++)
        if (rs_tensor_at(var, i) < 0)
            return rs_fail(err, RESHED_ECORRUPT, "value in %s|a variance >= 0|%g|member %d", name,
                           rs_tensor_at(var, i), member);
    return RESHED_OK;
}

static reshed_status check_filter(const rs_filter *f, const rs_tensors *t, int member,
                                  reshed_error *err)
{
    const reshed_status st =
        need_conv(t, member, f->conv, f->cin[0] + f->cin[1], f->cout, f->k, err);
    if (st != RESHED_OK || f->norm_kind == RS_NORM_NONE) return st;
    return need_bn(t, member, f->norm, f->cout, err);
}

reshed_status rs_net_check(const rs_model_file *m, reshed_error *err)
{
    rs_arch a;
    rs_graph g = {0};
    reshed_status st = rs_arch_from_file(m, &a, err);
    if (st == RESHED_OK) st = rs_graph_make(&a, &g, err);
    for (int i = 0; st == RESHED_OK && i < m->members; i++)
        for (int j = 0; st == RESHED_OK && j < g.filters; j++)
            st = check_filter(&g.filter[j], &m->member[i], i, err);
    rs_graph_clear(&g);
    return st;
}

/* -------------------------------------------------------------------------------------- folding */

/* A tensor that rs_net_check has seen; NULL otherwise. */
static const rs_tensor *part_of(const rs_tensors *t, const char *prefix, const char *part)
{
    char name[NAME_SIZE + 16];
    snprintf(name, sizeof name, "%s.%s", prefix, part);
    return rs_tensors_find(t, name);
}

/* Scale and shift of a batch normalisation. */
static void norm_at(const rs_tensor *const p[4], size_t i, double *scale, double *shift)
{
    *scale = rs_tensor_at(p[0], i) / sqrt(rs_tensor_at(p[3], i) + RS_BN_EPS);
    *shift = rs_tensor_at(p[1], i) - rs_tensor_at(p[2], i) * *scale;
}

/* w' = w * gamma/sqrt(var+eps),  b' = (b - mean) * gamma/sqrt(var+eps) + beta. Inputs that are two
 * joined parts come apart by the padding of the first. */
static void fold_values(const rs_filter *f, const rs_tensor *w, const rs_tensor *b,
                        const rs_tensor *const p[4], rs_conv *c)
{
    const size_t taps = (size_t)(f->k * f->k), all = (size_t)(f->cin[0] + f->cin[1]);
    const int gap = f->cin[1] ? rs_pad_channels(f->cin[0]) - f->cin[0] : 0;
    for (size_t n = 0; n < (size_t)c->cout; n++) {
        double scale = 1, shift = 0;
        if (f->norm_kind == RS_NORM_BEFORE) norm_at(p, n, &scale, &shift);
        c->b[n] = (float)(rs_tensor_at(b, n) * scale + shift);
        for (size_t i = 0; i < all; i++) {
            const size_t to = (int)i < f->cin[0] ? i : i + (size_t)gap;
            for (size_t j = 0; j < taps; j++)
                c->w[(n * (size_t)c->cin + to) * taps + j] =
                    (float)(rs_tensor_at(w, (n * all + i) * taps + j) * scale);
        }
        if (f->norm_kind != RS_NORM_AFTER) continue;
        norm_at(p, n, &scale, &shift);
        c->scale[n] = (float)scale;
        c->shift[n] = (float)shift;
    }
}

reshed_status rs_fold(const rs_tensors *t, const rs_filter *f, rs_conv *out, reshed_error *err)
{
    static const char *const part[] = {"weight", "bias", "running_mean", "running_var"};
    const rs_tensor *w = part_of(t, f->conv, "weight"), *b = part_of(t, f->conv, "bias");
    const rs_tensor *p[4] = {NULL};
    const bool norm = f->norm_kind != RS_NORM_NONE, after = f->norm_kind == RS_NORM_AFTER;
    for (int i = 0; norm && i < 4; i++) p[i] = part_of(t, f->norm, part[i]);
    if (!w || !b || (norm && (!p[0] || !p[1] || !p[2] || !p[3])))
        return rs_fail(err, RESHED_EINTERNAL, "unchecked tensors: %s", f->conv);
    const size_t n = (size_t)f->cout;
    rs_conv c = {.cin = f->cin[1] ? rs_filter_inputs(f) : f->cin[0], .cout = f->cout, .k = f->k};
    c.w = rs_zalloc(n * (size_t)c.cin, (size_t)(f->k * f->k) * sizeof *c.w);
    c.b = rs_alloc(n, sizeof *c.b);
    if (after) c.scale = rs_alloc(n, sizeof *c.scale);
    if (after) c.shift = rs_alloc(n, sizeof *c.shift);
    if (!c.w || !c.b || (after && (!c.scale || !c.shift))) {
        rs_conv_clear(&c);
        return rs_fail_nomem(err, "folded weights", w->count * sizeof *c.w);
    }
    fold_values(f, w, b, p, &c);
    *out = c;
    return RESHED_OK;
}

void rs_conv_clear(rs_conv *c)
{
    rs_free(c->w);
    rs_free(c->b);
    rs_free(c->scale);
    rs_free(c->shift);
    memset(c, 0, sizeof *c);
}
