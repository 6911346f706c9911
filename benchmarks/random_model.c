#include "benchmarks/random_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "nn/graph.h"

double bench_uniform(rs_random *r)
{
    return (double)(rs_random_next(r) >> 11) * 0x1p-53;
}

double bench_gauss(rs_random *r)
{
    const uint64_t v = rs_random_next(r);
    const double sum = (double)((v & 0xffff) + (v >> 16 & 0xffff) + (v >> 32 & 0xffff) + (v >> 48));
    return (sum / 65536 - 2 + 2.0 / 65536) * 1.7320508075688772; /* four of variance 1/12 */
}

/* Values of a tensor are mean + spread * gauss; variances are kept positive. */
typedef struct spread {
    double mean, spread;
    bool positive;
} spread;

static bool add(rs_tensors *set, rs_random *r, const char *prefix, const char *part, int ndim,
                const int64_t *dims, spread d)
{
    char name[96];
    snprintf(name, sizeof name, "%s.%s", prefix, part);
    rs_tensor *t = rs_tensors_add(set, name, RS_F32, ndim, dims);
    if (!t) return false;
    for (size_t i = 0; i < t->count; i++) {
        const double v = d.mean + d.spread * bench_gauss(r);
        ((float *)t->data)[i] = (float)(d.positive ? fabs(v) + 0.1 : v);
    }
    return true;
}

static bool conv(rs_tensors *set, rs_random *r, const char *prefix, int cin, int cout, int k,
                 double gain)
{
    return add(set, r, prefix, "weight", 4, (int64_t[]){cout, cin, k, k},
               (spread){.spread = gain / sqrt((double)cin * k * k)}) &&
           add(set, r, prefix, "bias", 1, (int64_t[]){cout}, (spread){.spread = 0.2});
}

static bool norm(rs_tensors *set, rs_random *r, const char *prefix, int c)
{
    const int64_t dims[] = {c};
    return add(set, r, prefix, "weight", 1, dims, (spread){0.7, 0.2, false}) &&
           add(set, r, prefix, "bias", 1, dims, (spread){0, 0.2, false}) &&
           add(set, r, prefix, "running_mean", 1, dims, (spread){0, 0.3, false}) &&
           add(set, r, prefix, "running_var", 1, dims, (spread){1, 0.3, true});
}

static bool member(rs_tensors *set, const rs_graph *g, double gain, rs_random *r)
{
    for (int i = 0; i < g->filters; i++) {
        const rs_filter *f = &g->filter[i];
        if (!conv(set, r, f->conv, f->cin[0] + f->cin[1], f->cout, f->k, f->head ? gain : 1))
            return false;
        if (f->norm_kind != RS_NORM_NONE && !norm(set, r, f->norm, f->cout)) return false;
    }
    return true;
}

reshed_status bench_random_model(const bench_shape *s, uint64_t seed, rs_model_file *out,
                                 reshed_error *err)
{
    const bool four = s->net == RS_UNET || s->net == RS_DILNET;
    rs_model_file m = {.classes = s->classes,
                       .filters = s->filters,
                       .levels = four ? 4 : BENCH_LEVELS,
                       .no_batch_norm = s->no_batch_norm,
                       .dropout = s->dropout,
                       .dilated = s->dilated,
                       .members = s->members};
    rs_random r = {seed};
    rs_arch arch;
    rs_graph g = {0};
    snprintf(m.model, sizeof m.model, "%s", rs_net_name(s->net));
    snprintf(m.upsampling, sizeof m.upsampling, "%s", s->upsampling);
    memcpy(m.layers, s->layers, sizeof s->layers);
    reshed_status st = rs_arch_from_file(&m, &arch, err);
    if (st == RESHED_OK) st = rs_graph_make(&arch, &g, err);
    if (st != RESHED_OK) return st;
    m.member = rs_zalloc((size_t)s->members, sizeof *m.member);
    bool ok = m.member != NULL;
    /* without normalisation the sums of dilated blocks grow */
    const double gain = s->no_batch_norm ? s->net == RS_DILNET ? 0.2 : 1 : 2;
    for (int i = 0; ok && i < s->members; i++) ok = member(&m.member[i], &g, gain, &r);
    rs_graph_clear(&g);
    if (!ok) {
        rs_model_file_clear(&m);
        return rs_fail(err, RESHED_ENOMEM, "cannot allocate a random ensemble");
    }
    *out = m;
    return RESHED_OK;
}

void bench_random_image(float *image, int h, int w, uint64_t seed)
{
    rs_random r = {seed};
    const double k = 0.1 + 0.5 * bench_uniform(&r), l = -0.4 + 0.8 * bench_uniform(&r);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            image[(size_t)y * (size_t)w + (size_t)x] =
                (float)(0.4 + 0.3 * sin(k * x + l * y) + 0.1 * sin(0.9 * y) +
                        0.2 * bench_uniform(&r));
}
