#include "support/model.h"

#include <math.h>

#include "benchmarks/random_model.h"
#include "base/alloc.h"
#include "nn/kernels/ref/ref.h"
#include "support/support.h"

void test_model(rs_model_file *m, int members, int filters, int classes, const int layers[3],
                const char *upsampling, uint64_t seed)
{
    const bench_shape shape = {.members = members,
                               .filters = filters,
                               .classes = classes,
                               .layers = {layers[0], layers[1], layers[2]},
                               .upsampling = upsampling};
    reshed_error err = {0};
    assert_ok(bench_random_model(&shape, seed, m, &err), &err);
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
    bench_random_image(image, h, w, seed);
}
