#include "model.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "nn/kernels/ref/ref.h"
#include "nn/net.h"
#include "support.h"

static void fill(rs_tensors *set, test_rng *r, const char *name, int ndim, const int64_t *dims,
                 double mean, double spread, bool positive)
{
    rs_tensor *t = rs_tensors_add(set, name, RS_F32, ndim, dims);
    assert_non_null(t);
    for (size_t i = 0; i < t->count; i++) {
        double v = mean + spread * test_gauss(r);
        ((float *)t->data)[i] = (float)(positive ? fabs(v) + 0.1 : v);
    }
}

static void conv(rs_tensors *set, test_rng *r, const char *prefix, int cin, int cout, int k,
                 double gain)
{
    char name[128];
    snprintf(name, sizeof name, "%s.weight", prefix);
    fill(set, r, name, 4, (int64_t[]){cout, cin, k, k}, 0, gain / sqrt(cin * k * k), false);
    snprintf(name, sizeof name, "%s.bias", prefix);
    fill(set, r, name, 1, (int64_t[]){cout}, 0, 0.2, false);
}

static void norm(rs_tensors *set, test_rng *r, const char *prefix, int c)
{
    char name[128];
    snprintf(name, sizeof name, "%s.weight", prefix);
    fill(set, r, name, 1, (int64_t[]){c}, 0.7, 0.2, false);
    snprintf(name, sizeof name, "%s.bias", prefix);
    fill(set, r, name, 1, (int64_t[]){c}, 0, 0.2, false);
    snprintf(name, sizeof name, "%s.running_mean", prefix);
    fill(set, r, name, 1, (int64_t[]){c}, 0, 0.3, false);
    snprintf(name, sizeof name, "%s.running_var", prefix);
    fill(set, r, name, 1, (int64_t[]){c}, 1, 0.3, true);
}

void test_model(rs_model_file *m, int members, int filters, int classes, const int layers[3],
                const char *upsampling, uint64_t seed)
{
    test_rng r = {seed};
    char name[128];
    memset(m, 0, sizeof *m);
    strcpy(m->model, "ResHedNet");
    strcpy(m->upsampling, upsampling);
    m->classes = classes;
    m->filters = filters;
    m->levels = 3;
    memcpy(m->layers, layers, 3 * sizeof *layers);
    m->members = members;
    m->member = rs_zalloc((size_t)members, sizeof *m->member);
    assert_non_null(m->member);
    for (int i = 0; i < members; i++) {
        rs_tensors *set = &m->member[i];
        for (int k = 0; k < 3; k++) {
            const int c = filters << k;
            for (int b = 0; b < layers[k]; b++) {
                const int cin = b ? c : k ? c / 2 : 1;
                rs_block_name(name, k, b, "c0");
                conv(set, &r, name, cin, c, 1, 1);
                for (int j = 1; j <= 2; j++) {
                    char part[8];
                    snprintf(part, sizeof part, "c%d", j);
                    rs_block_name(name, k, b, part);
                    conv(set, &r, name, c, c, 3, 1);
                    snprintf(part, sizeof part, "bn%d", j);
                    rs_block_name(name, k, b, part);
                    norm(set, &r, name, c);
                }
            }
            snprintf(name, sizeof name, "net%dscore.0", k + 1);
            conv(set, &r, name, c, classes, 1, 2);
            snprintf(name, sizeof name, "net%dscore.1", k + 1);
            norm(set, &r, name, classes);
        }
        conv(set, &r, "out", 3 * classes, classes, 1, 2);
    }
}

void test_oracle(const rs_model_file *m, const float *image, int h, int w, double *mean,
                 double *variance)
{
    const size_t n = (size_t)h * (size_t)w, all = n * (size_t)m->classes;
    double *in = rs_alloc(n, sizeof *in), *p = rs_alloc(all * (size_t)m->members, sizeof *p);
    reshed_error err = {0};
    assert_non_null(in);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++) in[i] = image[i];
    for (int k = 0; k < m->members; k++)
        assert_ok(rs_ref_forward(m, k, in, h, w, p + (size_t)k * all, &err), &err);
    for (size_t i = 0; i < all; i++) {
        double s = 0, q = 0;
        for (int k = 0; k < m->members; k++) s += p[(size_t)k * all + i];
        mean[i] = s / m->members;
        for (int k = 0; k < m->members; k++) q += pow(p[(size_t)k * all + i] - mean[i], 2);
        variance[i] = q / m->members;
    }
    rs_free(in);
    rs_free(p);
}

void test_image(float *image, int h, int w, uint64_t seed)
{
    test_rng r = {seed};
    double k = test_uniform(&r, 0.1, 0.6), l = test_uniform(&r, -0.4, 0.4);
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            image[(size_t)y * (size_t)w + (size_t)x] =
                (float)(0.4 + 0.3 * sin(k * x + l * y) + 0.1 * sin(0.9 * y) +
                        0.2 * test_uniform(&r, 0, 1));
}
