#include "benchmarks/random_model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "nn/net.h"

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

static bool block(rs_tensors *set, rs_random *r, int level, int b, int cin, int c)
{
    static const char *const convs[] = {"c1", "c2"}, *const norms[] = {"bn1", "bn2"};
    char name[96];
    rs_block_name(name, level, b, "c0");
    if (!conv(set, r, name, cin, c, 1, 1)) return false;
    for (int j = 0; j < 2; j++) {
        rs_block_name(name, level, b, convs[j]);
        if (!conv(set, r, name, c, c, 3, 1)) return false;
        rs_block_name(name, level, b, norms[j]);
        if (!norm(set, r, name, c)) return false;
    }
    return true;
}

static bool member(rs_tensors *set, const bench_shape *s, rs_random *r)
{
    char name[96];
    for (int k = 0; k < BENCH_LEVELS; k++) {
        const int c = s->filters << k;
        for (int b = 0; b < s->layers[k]; b++)
            if (!block(set, r, k, b, b ? c : k ? c / 2 : 1, c)) return false;
        snprintf(name, sizeof name, "net%dscore.0", k + 1);
        if (!conv(set, r, name, c, s->classes, 1, 2)) return false;
        snprintf(name, sizeof name, "net%dscore.1", k + 1);
        if (!norm(set, r, name, s->classes)) return false;
    }
    return conv(set, r, "out", BENCH_LEVELS * s->classes, s->classes, 1, 2);
}

reshed_status bench_random_model(const bench_shape *s, uint64_t seed, rs_model_file *out,
                                 reshed_error *err)
{
    rs_model_file m = {.model = "ResHedNet",
                       .classes = s->classes,
                       .filters = s->filters,
                       .levels = BENCH_LEVELS,
                       .members = s->members};
    rs_random r = {seed};
    snprintf(m.upsampling, sizeof m.upsampling, "%s", s->upsampling);
    memcpy(m.layers, s->layers, sizeof s->layers);
    m.member = rs_zalloc((size_t)s->members, sizeof *m.member);
    bool ok = m.member != NULL;
    for (int i = 0; ok && i < s->members; i++) ok = member(&m.member[i], s, &r);
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
