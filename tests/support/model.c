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

void test_any_thread_count(rs_model_file *m, int h, int w, const rs_plan_options *options)
{
    static const int threads[] = {1, 2, 3, 7};
    const size_t n = (size_t)h * (size_t)w * (size_t)m->classes, all = n * (size_t)(m->members + 2);
    float *image = rs_alloc((size_t)h * (size_t)w, sizeof *image), *map[2];
    assert_non_null(image);
    test_image(image, h, w, 5);
    for (int i = 0; i < 2; i++) assert_non_null(map[i] = rs_alloc(all, sizeof **map));
    for (int t = 0; t < 4; t++) {
        rs_plan_options o = *options;
        rs_plan *plan = NULL;
        reshed_error err = {0};
        float *p = map[t > 0];
        o.threads = threads[t];
        assert_ok(rs_plan_create(m, NULL, h, w, &o, &plan, &err), &err);
        for (int again = 0; again < 2; again++) {
            for (size_t i = 0; i < all; i++) p[i] = NAN;
            rs_plan_run(plan, image, p, p + n, p + 2 * n);
        }
        rs_plan_free(plan);
        assert_memory_equal(map[0], p, all * sizeof *p);
    }
    for (size_t i = 0; i < all; i++) assert_true(isfinite(map[0][i]));
    for (int i = 0; i < 2; i++) rs_free(map[i]);
    rs_free(image);
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
