/* The production paths against the double oracle. */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "support/model.h"
#include "nn/plan.h"
#include "support/tolerance.h"

static const int paper_layers[3] = {3, 4, 5}, short_layers[3] = {1, 2, 1};

typedef struct shape {
    int filters, classes, members, h, w;
    const int *layers;
    const char *upsampling;
} shape;

static float *nan_block(size_t n)
{
    float *p = rs_alloc(n, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++) p[i] = NAN;
    return p;
}

static rs_plan *make_plan(rs_model_file *m, int h, int w, rs_algo algo, rs_isa isa, int threads)
{
    rs_plan *plan = NULL;
    reshed_error err = {0};
    rs_plan_options o = {.threads = threads, .isa = isa, .algo = algo};
    assert_ok(rs_plan_create(m, NULL, h, w, &o, &plan, &err), &err);
    return plan;
}

/* Largest distance between the float map and the oracle's. */
static double distance(const float *a, const double *b, size_t n)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - b[i]);
        if (!(d <= worst)) worst = d; /* NaN gets through */
    }
    return worst;
}

static void check_shape(const shape *s, rs_algo algo, rs_isa isa)
{
    rs_model_file m;
    const size_t n = (size_t)s->h * (size_t)s->w * (size_t)s->classes;
    test_model(&m, s->members, s->filters, s->classes, s->layers, s->upsampling, test_seed());
    reshed_error err = {0};
    assert_ok(rs_net_check(&m, &err), &err);
    float *image = nan_block((size_t)s->h * (size_t)s->w);
    float *mean = nan_block(n + 16), *variance = nan_block(n + 16);
    double *em = rs_alloc(n, sizeof *em), *ev = rs_alloc(n, sizeof *ev);
    test_image(image, s->h, s->w, 7);
    test_oracle(&m, image, s->h, s->w, em, ev);
    rs_plan *plan = make_plan(&m, s->h, s->w, algo, isa, 2);
    rs_plan_run(plan, image, mean, variance, NULL);
    const double limit = algo == RS_ALGO_GEMM     ? TOL_NET_GEMM
                         : algo == RS_ALGO_DIRECT ? TOL_NET_DIRECT
                                                  : TOL_NET_WINOGRAD;
    double dm = distance(mean, em, n), dv = distance(variance, ev, n);
    if (!(dm <= limit && dv <= limit))
        fail_msg(
            "%d filters, %d classes, %d x %d, algorithm %d, %s: mean off by %g, variance by %g",
            s->filters, s->classes, s->h, s->w, (int)algo, rs_isa_name(isa), dm, dv);
    for (size_t i = n; i < n + 16; i++) assert_true(isnan(mean[i]) && isnan(variance[i]));
    rs_plan_free(plan);
    rs_free(image);
    rs_free(mean);
    rs_free(variance);
    rs_free(em);
    rs_free(ev);
    rs_model_file_clear(&m);
}

/* Odd sizes, the smallest, and sizes around the tiles of all levels. */
static const shape shapes[] = {
    {4, 1, 3, 4, 4, paper_layers, "bilinear"},    {4, 1, 2, 5, 7, paper_layers, "bilinear"},
    {4, 3, 2, 13, 29, paper_layers, "bilinear"},  {8, 1, 2, 31, 23, short_layers, "nearest"},
    {16, 1, 2, 24, 25, short_layers, "bilinear"}, {16, 2, 2, 50, 47, short_layers, "nearest"},
    {16, 1, 2, 61, 83, paper_layers, "bilinear"}, {20, 1, 1, 17, 18, short_layers, "bilinear"},
    {32, 1, 2, 26, 37, short_layers, "bilinear"}, {64, 1, 1, 27, 30, short_layers, "bilinear"},
};

static void all_paths_match_the_oracle(void **state)
{
    (void)state;
    static const rs_algo algos[] = {RS_ALGO_GEMM, RS_ALGO_DIRECT, RS_ALGO_WINOGRAD, RS_ALGO_AUTO};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i += (size_t)test_tier(5, 1, 1))
        for (size_t a = 0; a < 4; a++)
            for (int isa = RS_ISA_GENERIC; isa <= (int)rs_isa_best(); isa = test_next_isa(isa))
                check_shape(&shapes[i], algos[a], (rs_isa)isa);
}

static void same_bits_for_any_thread_count(void **state)
{
    (void)state;
    static const rs_algo algos[] = {RS_ALGO_GEMM, RS_ALGO_DIRECT, RS_ALGO_WINOGRAD};
    rs_model_file m;
    test_model(&m, 3, 16, 1, short_layers, "bilinear", 3);
    for (int a = 0; a < 3; a++) {
        const rs_plan_options o = {.isa = rs_isa_best(), .algo = algos[a]};
        test_any_thread_count(&m, 45, 70, &o);
    }
    rs_model_file_clear(&m);
}

static void run_allocates_nothing(void **state)
{
    (void)state;
    enum { H = 33, W = 34 };
    static float image[H * W], mean[H * W], variance[H * W];
    rs_model_file m;
    test_model(&m, 2, 8, 1, short_layers, "bilinear", 3);
    test_image(image, H, W, 5);
    for (int a = RS_ALGO_AUTO; a <= RS_ALGO_GEMM; a++) {
        rs_plan *plan = make_plan(&m, H, W, (rs_algo)a, rs_isa_best(), 2);
        test_alloc_reset();
        rs_plan_run(plan, image, mean, variance, NULL);
        assert_int_equal(test_alloc_count(), 0);
        rs_plan_free(plan);
    }
    rs_model_file_clear(&m);
}

static void plan_survives_each_failed_allocation(void **state)
{
    (void)state;
    rs_model_file m;
    test_model(&m, 2, 4, 1, short_layers, "bilinear", 3);
    const rs_plan_options o = {.threads = 1, .isa = rs_isa_best(), .algo = RS_ALGO_AUTO};
    for (long n = 0;; n++) {
        rs_plan *plan = NULL;
        reshed_error err = {0};
        test_alloc_fail_at(n);
        reshed_status st = rs_plan_create(&m, NULL, 20, 20, &o, &plan, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_ok(st, &err);
            /* a resize that fails leaves the plan as it was */
            test_alloc_fail_at(2);
            assert_int_equal(rs_plan_resize(plan, 40, 44, &err), RESHED_ENOMEM);
            test_alloc_fail_at(-1);
            static float image[400], mean[400], variance[400];
            rs_plan_run(plan, image, mean, variance, NULL);
            rs_plan_free(plan);
            break;
        }
        assert_int_equal(st, RESHED_ENOMEM);
        assert_null(plan);
    }
    rs_model_file_clear(&m);
}

static void resize_gives_what_a_new_plan_gives(void **state)
{
    (void)state;
    enum { H = 37, W = 52 };
    static float image[H * W], a[H * W], b[H * W], v[H * W], w[H * W];
    reshed_error err = {0};
    rs_model_file m;
    test_model(&m, 2, 8, 1, short_layers, "bilinear", 4);
    test_image(image, H, W, 5);
    rs_plan *one = make_plan(&m, H, W, RS_ALGO_AUTO, rs_isa_best(), 1);
    rs_plan *two = make_plan(&m, 12, 90, RS_ALGO_AUTO, rs_isa_best(), 1);
    assert_ok(rs_plan_resize(two, H, W, &err), &err);
    assert_int_equal(rs_plan_bytes(one), rs_plan_bytes(two));
    rs_plan_run(one, image, a, v, NULL);
    rs_plan_run(two, image, b, w, NULL);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_equal(v, w, sizeof v);
    assert_int_equal(rs_plan_resize(two, 3, 50, &err), RESHED_EINVAL);
    assert_int_equal(rs_plan_resize(two, 50, 1 << 20, &err), RESHED_EINVAL);
    rs_plan_free(one);
    rs_plan_free(two);
    rs_model_file_clear(&m);
}

/* A changed row must change nothing beyond the stated radius, and something near it. */
static void receptive_radius_holds(void **state)
{
    (void)state;
    enum { W = 12, MOST = 180 };
    static float image[MOST * W], a[MOST * W], b[MOST * W], v[MOST * W];
    static const char *const mode[] = {"bilinear", "nearest"};
    const rs_plan_options o = {.threads = 1, .isa = rs_isa_best(), .algo = RS_ALGO_DIRECT};
    for (int k = 0; k < 2; k++) {
        rs_model_file m;
        rs_arch arch;
        reshed_error err = {0};
        test_model(&m, 1, 4, 1, paper_layers, mode[k], 6);
        assert_ok(rs_arch_from_file(&m, &arch, &err), &err);
        const int radius = rs_receptive_radius(&arch);
        int reach = 0;
        for (int h = 173; h < 177; h++) { /* every remainder of 4 */
            rs_plan *plan = NULL;
            assert_ok(rs_plan_create(&m, NULL, h, W, &o, &plan, &err), &err);
            test_image(image, h, W, 5);
            rs_plan_run(plan, image, a, v, NULL);
            for (int row = 80; row < 88; row++) {
                for (int x = 0; x < W; x++) image[row * W + x] += 40;
                rs_plan_run(plan, image, b, v, NULL);
                for (int x = 0; x < W; x++) image[row * W + x] -= 40;
                for (int y = 0; y < h; y++)
                    if (memcmp(a + y * W, b + y * W, W * sizeof *a) != 0 && abs(y - row) > reach)
                        reach = abs(y - row);
                test_image(image, h, W, 5); /* undo the rounding of += and -= */
            }
            rs_plan_free(plan);
        }
        if (reach > radius || reach < radius - 8)
            fail_msg("%s: rows %d away changed, the stated radius is %d", mode[k], reach, radius);
        rs_model_file_clear(&m);
    }
}

static void a_bad_network_is_named(void **state)
{
    (void)state;
    rs_model_file m;
    reshed_error err = {0};
    test_model(&m, 2, 4, 1, short_layers, "bilinear", 4);
    strcpy(m.model, "VGG");
    assert_int_equal(rs_net_check(&m, &err), RESHED_EUNSUPPORTED);
    assert_string_equal(err.found, "VGG");
    strcpy(m.model, "ResHedNet");
    m.layers[1] = 3; /* one block more than there are tensors */
    assert_int_equal(rs_net_check(&m, &err), RESHED_ECORRUPT);
    assert_non_null(strstr(err.what, "net2.1.res_module.2.c0.weight"));
    m.layers[1] = 2;
    ((float *)m.member[1].t[9].data)[0] = NAN;
    assert_int_equal(rs_net_check(&m, &err), RESHED_ECORRUPT);
    assert_non_null(strstr(err.expected, "finite"));
    rs_model_file_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_paths_match_the_oracle),
        cmocka_unit_test(same_bits_for_any_thread_count),
        cmocka_unit_test(run_allocates_nothing),
        cmocka_unit_test(plan_survives_each_failed_allocation),
        cmocka_unit_test(resize_gives_what_a_new_plan_gives),
        cmocka_unit_test(receptive_radius_holds),
        cmocka_unit_test(a_bad_network_is_named),
    };
    return cmocka_run_group_tests_name("nn", tests, NULL, NULL);
}
