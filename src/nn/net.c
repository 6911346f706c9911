#include "nn/net.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

#define NAME_SIZE 96

reshed_status rs_arch_from_file(const rs_model_file *m, rs_arch *arch, reshed_error *err)
{
    rs_arch a = {.levels = m->levels, .filters = m->filters, .classes = m->classes};
    if (strcmp(m->model, "ResHedNet") != 0)
        return rs_fail(err, RESHED_EUNSUPPORTED, "model|ResHedNet|%s", m->model);
    if (m->levels != 3)
        return rs_fail(err, RESHED_EUNSUPPORTED, "levels of the network|3|%d", m->levels);
    if (m->filters < 1 || m->filters > 1024)
        return rs_fail(err, RESHED_EUNSUPPORTED, "nb_filters|1 to 1024|%d", m->filters);
    if (m->classes < 1 || m->classes > RS_MAX_CLASSES)
        return rs_fail(err, RESHED_EUNSUPPORTED, "nb_classes|1 to %d|%d", RS_MAX_CLASSES,
                       m->classes);
    if (m->members < 1 || m->members > RS_MODEL_MAX_MEMBERS)
        return rs_fail(err, RESHED_EUNSUPPORTED, "members of the ensemble|1 to %d|%d",
                       RS_MODEL_MAX_MEMBERS, m->members);
    for (int k = 0; k < m->levels; k++) {
        if (m->layers[k] < 1 || m->layers[k] > 64)
            return rs_fail(err, RESHED_EUNSUPPORTED, "blocks of level %d|1 to 64|%d", k + 1,
                           m->layers[k]);
        a.layers[k] = m->layers[k];
    }
    if (strcmp(m->upsampling, "bilinear") == 0)
        a.upsampling = RS_BILINEAR;
    else if (strcmp(m->upsampling, "nearest") == 0)
        a.upsampling = RS_NEAREST;
    else
        return rs_fail(err, RESHED_EUNSUPPORTED, "upsampling|bilinear or nearest|%s",
                       m->upsampling);
    *arch = a;
    return RESHED_OK;
}

int rs_level_channels(const rs_arch *arch, int level)
{
    return arch->filters << level;
}

int rs_block_inputs(const rs_arch *arch, int level, int block)
{
    if (block > 0) return rs_level_channels(arch, level);
    return level == 0 ? 1 : rs_level_channels(arch, level - 1);
}

int rs_level_size(int n, int level)
{
    return n >> level; /* each pool floors, and floors of halves compose */
}

void rs_block_name(char *buf, int level, int block, const char *part)
{
    /* From the second level on the module is a Sequential whose first entry is the pool. */
    snprintf(buf, NAME_SIZE, "net%d%s.res_module.%d.%s", level + 1, level ? ".1" : "", block, part);
}

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

static reshed_status check_block(const rs_arch *a, const rs_tensors *t, int member, int level,
                                 int block, reshed_error *err)
{
    const int c = rs_level_channels(a, level), cin = rs_block_inputs(a, level, block);
    char name[NAME_SIZE];
    reshed_status st;
    rs_block_name(name, level, block, "c0");
    if ((st = need_conv(t, member, name, cin, c, 1, err)) != RESHED_OK) return st;
    rs_block_name(name, level, block, "c1");
    if ((st = need_conv(t, member, name, c, c, 3, err)) != RESHED_OK) return st;
    rs_block_name(name, level, block, "bn1");
    if ((st = need_bn(t, member, name, c, err)) != RESHED_OK) return st;
    rs_block_name(name, level, block, "c2");
    if ((st = need_conv(t, member, name, c, c, 3, err)) != RESHED_OK) return st;
    rs_block_name(name, level, block, "bn2");
    return need_bn(t, member, name, c, err);
}

reshed_status rs_net_check(const rs_model_file *m, reshed_error *err)
{
    rs_arch a;
    reshed_status st = rs_arch_from_file(m, &a, err);
    for (int i = 0; st == RESHED_OK && i < m->members; i++) {
        const rs_tensors *t = &m->member[i];
        for (int k = 0; st == RESHED_OK && k < a.levels; k++) {
            for (int b = 0; st == RESHED_OK && b < a.layers[k]; b++)
                st = check_block(&a, t, i, k, b, err);
            char name[NAME_SIZE];
            snprintf(name, sizeof name, "net%dscore.0", k + 1);
            if (st == RESHED_OK)
                st = need_conv(t, i, name, rs_level_channels(&a, k), a.classes, 1, err);
            snprintf(name, sizeof name, "net%dscore.1", k + 1);
            if (st == RESHED_OK) st = need_bn(t, i, name, a.classes, err);
        }
        if (st == RESHED_OK) st = need_conv(t, i, "out", a.levels * a.classes, a.classes, 1, err);
    }
    return st;
}

/* -------------------------------------------------------------------------------------- folding */

/* w' = w * gamma/sqrt(var+eps),  b' = (b - mean) * gamma/sqrt(var+eps) + beta; bn NULL: none. */
static reshed_status fold(const rs_tensors *t, const char *conv, const char *bn, rs_conv *out,
                          reshed_error *err)
{
    char name[NAME_SIZE + 16];
    snprintf(name, sizeof name, "%s.weight", conv);
    const rs_tensor *w = rs_tensors_find(t, name);
    snprintf(name, sizeof name, "%s.bias", conv);
    const rs_tensor *b = rs_tensors_find(t, name);
    const rs_tensor *p[4] = {NULL};
    static const char *const part[] = {"weight", "bias", "running_mean", "running_var"};
    for (int i = 0; bn && i < 4; i++) {
        snprintf(name, sizeof name, "%s.%s", bn, part[i]);
        p[i] = rs_tensors_find(t, name);
    }
    if (!w || !b || (bn && (!p[0] || !p[1] || !p[2] || !p[3])))
        return rs_fail(err, RESHED_EINTERNAL, "unchecked tensors: %s", conv);
    rs_conv c = {.cout = (int)w->dims[0], .cin = (int)w->dims[1], .k = (int)w->dims[2]};
    c.w = rs_alloc(w->count, sizeof *c.w);
    c.b = rs_alloc(b->count, sizeof *c.b);
    if (!c.w || !c.b) {
        rs_conv_clear(&c);
        return rs_fail_nomem(err, "folded weights", w->count * sizeof *c.w);
    }
    const size_t per = w->count / (size_t)c.cout;
    for (int n = 0; n < c.cout; n++) {
        const size_t i = (size_t)n;
        double scale = bn ? rs_tensor_at(p[0], i) / sqrt(rs_tensor_at(p[3], i) + RS_BN_EPS) : 1;
        double shift = bn ? rs_tensor_at(p[1], i) - rs_tensor_at(p[2], i) * scale : 0;
        c.b[n] = (float)(rs_tensor_at(b, i) * scale + shift);
        for (size_t j = i * per; j < (i + 1) * per; j++)
            c.w[j] = (float)(rs_tensor_at(w, j) * scale);
    }
    *out = c;
    return RESHED_OK;
}

reshed_status rs_fold_block(const rs_tensors *t, int level, int block, rs_conv_role role,
                            rs_conv *out, reshed_error *err)
{
    static const char *const conv[] = {"c0", "c1", "c2"}, *const norm[] = {NULL, "bn1", "bn2"};
    char c[NAME_SIZE], n[NAME_SIZE];
    rs_block_name(c, level, block, conv[role]);
    if (norm[role]) rs_block_name(n, level, block, norm[role]);
    return fold(t, c, norm[role] ? n : NULL, out, err);
}

reshed_status rs_fold_score(const rs_tensors *t, int level, rs_conv *out, reshed_error *err)
{
    char c[NAME_SIZE], n[NAME_SIZE];
    snprintf(c, sizeof c, "net%dscore.0", level + 1);
    snprintf(n, sizeof n, "net%dscore.1", level + 1);
    return fold(t, c, n, out, err);
}

reshed_status rs_fold_out(const rs_tensors *t, rs_conv *out, reshed_error *err)
{
    return fold(t, "out", NULL, out, err);
}

void rs_conv_clear(rs_conv *c)
{
    rs_free(c->w);
    rs_free(c->b);
    memset(c, 0, sizeof *c);
}

/* Output row i takes level k's score row j, which takes level k's rows j +- 2*blocks (two 3x3
 * convolutions a block), each the maximum of 2^k rows below and so on down to the image. With sizes
 * that are multiples of 2^k the bilinear resize reaches 2^k + 2^(k-1) - 1 rows and the nearest one
 * 2^k - 1; sizes that are not shift the resize by less than 2^k rows more, since each pool drops
 * its odd row. */
int rs_receptive_radius(const rs_arch *arch)
{
    int convs = 0, radius = 0;
    for (int k = 0; k < arch->levels; k++) {
        const int span = 1 << k;
        convs += 2 * arch->layers[k] * span;
        int resize = k == 0 ? 0 : arch->upsampling == RS_BILINEAR ? span + span / 2 - 1 : span - 1;
        int total = convs + resize + span - 1;
        if (total > radius) radius = total;
    }
    return radius;
}
