#include "nn/kernels/ref/ref.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

/* The tensors of one member and three activation buffers, each large enough for any level. */
typedef struct pass {
    const rs_tensors *t;
    double *in, *x, *y; /* in: input and output of a block; owned */
    double *params;     /* one tensor as double */
} pass;

static double *param(pass *p, const char *prefix, const char *part, double *dst)
{
    char name[128];
    snprintf(name, sizeof name, "%s.%s", prefix, part);
    const rs_tensor *t = rs_tensors_find(p->t, name);
    for (size_t i = 0; i < t->count; i++) dst[i] = rs_tensor_at(t, i);
    return dst + t->count;
}

static void conv(pass *p, const char *prefix, const double *in, int cin, int h, int w, int cout,
                 int k, double *out)
{
    double *bias = param(p, prefix, "weight", p->params);
    param(p, prefix, "bias", bias);
    rs_ref_conv(in, cin, h, w, p->params, bias, cout, k, 1, out);
}

static void norm(pass *p, const char *prefix, double *v, int c, int h, int w)
{
    double *gamma = p->params, *beta = param(p, prefix, "weight", gamma);
    double *mean = param(p, prefix, "bias", beta), *var = param(p, prefix, "running_mean", mean);
    param(p, prefix, "running_var", var);
    rs_ref_batch_norm(v, c, h, w, gamma, beta, mean, var, RS_BN_EPS, v);
}

/* p->in [cin,h,w] -> p->in [c,h,w] */
static void block(pass *p, int level, int index, int cin, int c, int h, int w)
{
    char name[128];
    const size_t n = (size_t)c * (size_t)h * (size_t)w;
    const double slope = 0.01;
    rs_block_name(name, level, index, "c0");
    conv(p, name, p->in, cin, h, w, c, 1, p->x);
    rs_block_name(name, level, index, "c1");
    conv(p, name, p->x, c, h, w, c, 3, p->y);
    rs_block_name(name, level, index, "bn1");
    norm(p, name, p->y, c, h, w);
    rs_ref_leaky_relu(p->y, n, slope);
    rs_block_name(name, level, index, "c2");
    conv(p, name, p->y, c, h, w, c, 3, p->in);
    rs_block_name(name, level, index, "bn2");
    norm(p, name, p->in, c, h, w);
    for (size_t i = 0; i < n; i++) p->in[i] += p->x[i];
    rs_ref_leaky_relu(p->in, n, slope);
}

static size_t largest(const rs_arch *a, int h, int w)
{
    size_t most = 0;
    for (int k = 0; k < a->levels; k++) {
        size_t n = (size_t)rs_level_channels(a, k) * (size_t)(h >> k) * (size_t)(w >> k);
        if (n > most) most = n;
    }
    return most;
}

/* [classes,n] -> [n,classes] */
static void turn(const double *v, size_t classes, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < classes; c++) out[i * classes + c] = v[c * n + i];
}

static reshed_status forward_other(const rs_arch *a, const rs_tensors *t, const double *image,
                                   int h, int w, double *out, reshed_error *err)
{
    const size_t n = (size_t)h * (size_t)w, cl = (size_t)a->classes;
    double *logits = rs_alloc(cl * n, sizeof *logits);
    if (!logits) return rs_fail_nomem(err, "the reference network", cl * n * sizeof *logits);
    const reshed_status st = rs_ref_other(a, t, image, h, w, logits, err);
    if (st == RESHED_OK) {
        rs_ref_probability(logits, a->classes, n);
        turn(logits, cl, n, out);
    }
    rs_free(logits);
    return st;
}

reshed_status rs_ref_forward(const rs_model_file *m, int member, const double *image, int h, int w,
                             double *out, reshed_error *err)
{
    rs_arch a;
    reshed_status st = rs_arch_from_file(m, &a, err);
    if (st != RESHED_OK) return st;
    if (a.net != RS_RESHEDNET) return forward_other(&a, &m->member[member], image, h, w, out, err);
    const size_t n = (size_t)h * (size_t)w, most = largest(&a, h, w);
    const size_t top = (size_t)rs_level_channels(&a, a.levels - 1);
    const size_t cl = (size_t)a.classes;
    pass p = {.t = &m->member[member]};
    p.in = rs_alloc(most, sizeof *p.in);
    p.x = rs_alloc(most, sizeof *p.x);
    p.y = rs_alloc(most, sizeof *p.y);
    p.params = rs_alloc(top * top * 9 + 4 * top, sizeof *p.params);
    double *scores = rs_alloc((size_t)a.levels * cl * n, sizeof *scores);
    double *mixed = rs_alloc(cl * n, sizeof *mixed);
    if (!p.in || !p.x || !p.y || !p.params || !scores || !mixed) {
        st = rs_fail_nomem(err, "the reference network", most * 3 * sizeof(double));
        goto done;
    }
    memcpy(p.in, image, n * sizeof *image);
    for (int k = 0; k < a.levels; k++) {
        const int c = rs_level_channels(&a, k);
        const int hk = rs_level_size(h, k), wk = rs_level_size(w, k);
        if (k > 0) {
            rs_ref_max_pool(p.in, rs_level_channels(&a, k - 1), rs_level_size(h, k - 1),
                            rs_level_size(w, k - 1), p.x);
            double *swap = p.in;
            p.in = p.x;
            p.x = swap;
        }
        for (int b = 0; b < a.layers[k]; b++) block(&p, k, b, rs_block_inputs(&a, k, b), c, hk, wk);
        char name[128];
        snprintf(name, sizeof name, "net%dscore.0", k + 1);
        conv(&p, name, p.in, c, hk, wk, a.classes, 1, p.x);
        snprintf(name, sizeof name, "net%dscore.1", k + 1);
        norm(&p, name, p.x, a.classes, hk, wk);
        rs_ref_resize(p.x, a.classes, hk, wk, a.upsampling, h, w, scores + (size_t)k * cl * n);
    }
    conv(&p, "out", scores, a.levels * a.classes, h, w, a.classes, 1, mixed);
    rs_ref_probability(mixed, a.classes, n);
    turn(mixed, cl, n, out);
done:
    rs_free(p.in);
    rs_free(p.x);
    rs_free(p.y);
    rs_free(p.params);
    rs_free(scores);
    rs_free(mixed);
    return st;
}
