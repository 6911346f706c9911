/* AtomAI's Unet, dilnet and SegResNet through the engine, against the double oracle, which does not
 * know the engine's graph. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cpu.h"
#include "benchmarks/random_model.h"
#include "nn/graph.h"
#include "nn/plan.h"
#include "nn/stream.h"
#include "support/model.h"
#include "support/tolerance.h"

typedef struct network_case {
    bench_shape shape;
    int h, w;
} network_case;

#define UNET .net = RS_UNET
#define DILNET .net = RS_DILNET
#define SEGRESNET .net = RS_SEGRESNET

/* Filters around the lanes of the kernels; sides around the tiles of all levels, and phases of
 * dilated layers that are shorter than a tile. */
static const network_case cases[] = {
    {{2, 4, 1, {1, 2, 2, 3}, "bilinear", UNET}, 48, 56},
    {{2, 4, 3, {1, 1, 2, 3}, "nearest", UNET, .dropout = true, .dilated = true}, 40, 88},
    {{2, 5, 1, {1, 2, 2, 1}, "bilinear", DILNET, .dropout = true}, 46, 58},
    {{2, 6, 1, {2, 1, 2}, "bilinear", SEGRESNET}, 44, 60},
    {{1, 16, 1, {2, 1, 1, 2}, "nearest", UNET, .no_batch_norm = true}, 24, 104},
    {{1, 3, 1, {1, 1, 1, 2}, "bilinear", UNET, .no_batch_norm = true, .dilated = true}, 56, 32},
    {{2, 17, 2, {1, 3, 1, 2}, "nearest", DILNET, .no_batch_norm = true}, 30, 34},
    {{1, 8, 1, {1, 1, 3, 1}, "bilinear", DILNET}, 4, 6},
    {{2, 20, 2, {1, 1, 2}, "nearest", SEGRESNET, .no_batch_norm = true}, 12, 28},
    {{1, 2, 1, {1, 1, 1, 1}, "bilinear", UNET}, 8, 8},
};

static void make_model(const bench_shape *s, rs_model_file *m)
{
    reshed_error err = {0};
    assert_ok(bench_random_model(s, test_seed(), m, &err), &err);
    assert_ok(rs_net_check(m, &err), &err);
}

static float *nan_block(size_t n)
{
    float *p = rs_alloc(n, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++) p[i] = NAN;
    return p;
}

static double distance(const float *a, const double *b, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)a[i] - b[i]);
        if (!(d <= worst)) worst = d; /* NaN gets through */
    }
    return worst;
}

static rs_plan *make_plan(rs_model_file *m, int h, int w, const rs_plan_options *o)
{
    rs_plan *plan = NULL;
    reshed_error err = {0};
    assert_ok(rs_plan_create(m, NULL, h, w, o, &plan, &err), &err);
    return plan;
}

/* One case by every algorithm and instruction set. */
static void check_case(const network_case *c)
{
    static const struct {
        rs_plan_options o;
        double limit;
    } ways[] = {
        {{.threads = 2, .algo = RS_ALGO_GEMM}, TOL_NET_GEMM},
        {{.threads = 1, .algo = RS_ALGO_DIRECT}, TOL_NET_DIRECT},
        {{.threads = 3, .algo = RS_ALGO_AUTO}, TOL_NET_WINOGRAD},
        {{.threads = 1, .precision = RS_BF16}, TOL_GOLDEN_BF16},
    };
    const size_t n = (size_t)c->h * (size_t)c->w * (size_t)c->shape.classes;
    rs_model_file m;
    make_model(&c->shape, &m);
    float *image = nan_block((size_t)c->h * (size_t)c->w);
    double *em = rs_alloc(n, sizeof *em), *ev = rs_alloc(n, sizeof *ev);
    test_image(image, c->h, c->w, 7);
    test_oracle(&m, image, c->h, c->w, em, ev);
    double least = 1, most = 0;
    for (size_t i = 0; i < n; i++) {
        least = fmin(least, em[i]);
        most = fmax(most, em[i]);
    }
    if (!(most - least > 0.02 && least < 0.9 && most > 0.1)) /* saturated */
        fail_msg("%s of %d filters: probabilities from %g to %g", m.model, m.filters, least, most);
    const long first = test_tier((long)rs_isa_best(), RS_ISA_GENERIC, RS_ISA_GENERIC);
    for (int isa = (int)first; isa <= (int)rs_isa_best(); isa = test_next_isa(isa))
        for (int k = 0; k < 4; k++) {
            rs_plan_options o = ways[k].o;
            o.isa = (rs_isa)isa;
            rs_plan *plan = make_plan(&m, c->h, c->w, &o);
            float *mean = nan_block(n + 16), *variance = nan_block(n + 16);
            rs_plan_run(plan, image, mean, variance, NULL);
            const double dm = distance(mean, em, n), dv = distance(variance, ev, n);
            if (!(dm <= ways[k].limit && dv <= ways[k].limit))
                fail_msg("%s of %d filters, %d x %d, way %d, %s: mean off by %g, variance by %g",
                         m.model, m.filters, c->h, c->w, k, rs_isa_name((rs_isa)isa), dm, dv);
            for (size_t i = n; i < n + 16; i++) assert_true(isnan(mean[i]) && isnan(variance[i]));
            rs_free(mean);
            rs_free(variance);
            rs_plan_free(plan);
        }
    rs_free(image);
    rs_free(em);
    rs_free(ev);
    rs_model_file_clear(&m);
}

static void all_paths_match_the_oracle(void **state)
{
    (void)state;
    const long n = test_tier(2, 10, 10);
    for (long i = 0; i < n; i++) check_case(&cases[i]);
}

static void same_bits_for_any_thread_count(void **state)
{
    (void)state;
    const long nets = test_tier(1, 4, 4),
               algos = test_tier(RS_ALGO_AUTO, RS_ALGO_GEMM, RS_ALGO_GEMM);
    for (long i = 0; i < nets; i++) {
        rs_model_file m;
        bench_shape s = cases[i].shape;
        s.classes = 1;
        make_model(&s, &m);
        for (long a = RS_ALGO_AUTO; a <= algos; a++) {
            const rs_plan_options o = {.isa = rs_isa_best(), .algo = (rs_algo)a};
            test_any_thread_count(&m, 48, 80, &o);
        }
        rs_model_file_clear(&m);
    }
}

/* Direct convolutions give a row the same bits in a taller frame, where every place's ring turns
 * over many times. */
static void rings_turn_over(void **state)
{
    (void)state;
    enum { H = 400, SMALL = 240, W = 24 };
    static float image[H * W], tall[H * W], low[H * W], v[H * W];
    const rs_plan_options o = {.threads = 1, .isa = rs_isa_best(), .algo = RS_ALGO_DIRECT};
    test_image(image, H, W, 9);
    const long nets = test_tier(1, 4, 4);
    for (long i = 0; i < nets; i++) {
        rs_model_file m;
        rs_arch arch;
        rs_graph g;
        reshed_error err = {0};
        bench_shape s = cases[i].shape;
        s.classes = 1;
        make_model(&s, &m);
        assert_ok(rs_arch_from_file(&m, &arch, &err), &err);
        assert_ok(rs_graph_make(&arch, &g, &err), &err);
        const int radius = rs_graph_radius(&g);
        assert_true(radius > 8 && radius < SMALL);
        rs_plan *plan = make_plan(&m, H, W, &o);
        rs_plan_run(plan, image, tall, v, NULL);
        assert_ok(rs_plan_resize(plan, SMALL, W, &err), &err);
        rs_plan_run(plan, image, low, v, NULL);
        const size_t same = (size_t)(SMALL - radius) * W * sizeof *low;
        assert_memory_equal(tall, low, same); /* and so the radius holds */
        rs_plan_free(plan);
        rs_graph_clear(&g);
        rs_model_file_clear(&m);
    }
}

static void refused(rs_model_file *m, int h, int w, const char *sizes)
{
    const rs_plan_options o = {.threads = 1, .isa = rs_isa_best()};
    rs_plan *plan = NULL;
    reshed_error err = {0};
    assert_int_equal(rs_plan_create(m, NULL, h, w, &o, &plan, &err), RESHED_EUNSUPPORTED);
    assert_null(plan);
    if (!strstr(err.expected, sizes)) fail_msg("'%s' is not in '%s'", sizes, err.expected);
}

static void other_sizes_are_refused_with_those_that_do(void **state)
{
    (void)state;
    static const char *const sizes[] = {"96 x 120 or 104 x 128", "96 x 120 or 104 x 128",
                                        "98 x 126 or 100 x 126", "96 x 124 or 100 x 128"};
    for (int i = 0; i < 4; i++) {
        rs_model_file m;
        make_model(&cases[i].shape, &m);
        refused(&m, 99, 126, sizes[i]);
        refused(&m, 96, 127, "96 x 12");
        const rs_plan_options o = {.threads = 1, .isa = rs_isa_best()};
        rs_plan *plan = make_plan(&m, 16, 24, &o);
        reshed_error err = {0};
        assert_int_equal(rs_plan_resize(plan, 17, 24, &err), RESHED_EUNSUPPORTED);
        rs_plan_free(plan);
        rs_model_file_clear(&m);
    }
}

static void no_stream_of_them(void **state)
{
    (void)state;
    const rs_stream_options o = {.threads = 1, .isa = rs_isa_best()};
    for (int i = 0; i < 4; i++) {
        rs_model_file m;
        rs_stream *s = NULL;
        reshed_error err = {0};
        make_model(&cases[i].shape, &m);
        assert_int_equal(rs_stream_create(&m, NULL, 32, 32, &o, &s, &err), RESHED_EUNSUPPORTED);
        assert_non_null(strstr(err.found, m.model));
        assert_non_null(strstr(err.found, "whole images"));
        rs_model_file_clear(&m);
    }
}

static void plan_survives_each_failed_allocation(void **state)
{
    (void)state;
    rs_model_file m;
    const rs_plan_options o = {.threads = 1, .isa = rs_isa_best(), .algo = RS_ALGO_AUTO};
    make_model(&cases[1].shape, &m);
    for (long n = 0;; n += test_tier(9, 1, 1)) {
        rs_plan *plan = NULL;
        reshed_error err = {0};
        test_alloc_fail_at(n);
        const reshed_status st = rs_plan_create(&m, NULL, 16, 24, &o, &plan, &err);
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_ok(st, &err);
            rs_plan_free(plan);
            break;
        }
        assert_int_equal(st, RESHED_ENOMEM);
        assert_null(plan);
    }
    rs_model_file_clear(&m);
}

/* The description of a file decides which tensors there must be. */
static void a_bad_network_is_named(void **state)
{
    (void)state;
    rs_model_file m;
    reshed_error err = {0};
    make_model(&cases[2].shape, &m); /* a dilnet with dropout */
    m.dropout = false;
    assert_int_equal(rs_net_check(&m, &err), RESHED_ECORRUPT);
    assert_non_null(strstr(err.what, "at1.atrous_module.2.weight")); /* a norm without dropout */
    m.dropout = true;
    m.filters = 6;
    assert_int_equal(rs_net_check(&m, &err), RESHED_ECORRUPT);
    assert_non_null(strstr(err.what, "c1.block.0.weight"));
    m.filters = 5;
    m.layers[1] = 65;
    assert_int_equal(rs_net_check(&m, &err), RESHED_EUNSUPPORTED);
    m.layers[1] = 2;
    m.levels = 3;
    assert_int_equal(rs_net_check(&m, &err), RESHED_EUNSUPPORTED);
    assert_non_null(strstr(err.what, "dilnet"));
    m.levels = 4;
    ((float *)m.member[1].t[4].data)[0] = -1;
    assert_ok(rs_net_check(&m, &err), &err);
    rs_tensor *var = NULL;
    for (int i = 0; i < m.member[1].n; i++)
        if (strstr(m.member[1].t[i].name, "at2.atrous_module.3.running_var"))
            var = &m.member[1].t[i];
    assert_non_null(var);
    ((float *)var->data)[2] = -0.5f;
    assert_int_equal(rs_net_check(&m, &err), RESHED_ECORRUPT);
    assert_non_null(strstr(err.expected, "variance"));
    rs_model_file_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_paths_match_the_oracle),
        cmocka_unit_test(same_bits_for_any_thread_count),
        cmocka_unit_test(rings_turn_over),
        cmocka_unit_test(other_sizes_are_refused_with_those_that_do),
        cmocka_unit_test(no_stream_of_them),
        cmocka_unit_test(plan_survives_each_failed_allocation),
        cmocka_unit_test(a_bad_network_is_named),
    };
    return cmocka_run_group_tests_name("networks", tests, NULL, NULL);
}
