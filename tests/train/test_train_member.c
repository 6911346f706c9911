/* A member in training: its gradient against the double oracle, and what its interface promises. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "nn/plan.h"
#include "support/model.h"
#include "support/tolerance.h"
#include "support/train_oracle.h"
#include "train/net/member.h"
#include "train/net/rate.h"

/* Single precision through some thirty layers and back, relative to a tensor's largest number. */
#define TOL_TRAIN_GRADIENT 1e-4

typedef struct scene {
    rs_model_file file;
    rs_arch arch;
    rs_batch batch;
    rs_member_options options;
} scene;

static float *numbers(size_t n)
{
    float *p = rs_alloc(n, sizeof *p);
    assert_non_null(p);
    return p;
}

static scene scene_make(int filters, const int layers[3], const char *upsampling, int n, int h,
                        int w)
{
    scene s = {.options = rs_member_defaults()};
    const size_t px = (size_t)h * (size_t)w, all = (size_t)n * px;
    test_rng r = {test_seed()};
    test_model(&s.file, 1, filters, 1, layers, upsampling, (uint64_t)filters);
    assert_ok(rs_arch_from_file(&s.file, &s.arch, NULL), NULL);
    s.batch = (rs_batch){n, h, w, numbers(all), numbers(all), numbers(all)};
    for (int i = 0; i < n; i++) test_image(s.batch.image + (size_t)i * px, h, w, (uint64_t)i);
    for (size_t i = 0; i < all; i++) {
        s.batch.target[i] = test_uniform(&r, 0, 1) < 0.2;
        s.batch.weight[i] = test_uniform(&r, 0, 1) < 0.9;
    }
    s.options.batch = n;
    s.options.height = h;
    s.options.width = w;
    return s;
}

static void scene_clear(scene *s)
{
    rs_model_file_clear(&s->file);
    rs_free(s->batch.image);
    rs_free(s->batch.target);
    rs_free(s->batch.weight);
}

static rs_member *member_make(const scene *s)
{
    rs_member *m = NULL;
    reshed_error err = {0};
    assert_ok(rs_member_create(&s->arch, &s->options, 1, &m, &err), &err);
    assert_ok(rs_member_load(m, &s->file.member[0], &err), &err);
    return m;
}

static scene small_scene(void)
{
    return scene_make(4, (const int[]){1, 1, 1}, "bilinear", 2, 20, 24);
}

/* ---------------------------------------------------------------------------------------- gradient */

static void gradient_case(scene *s)
{
    reshed_error err = {0};
    rs_tensors got = {0}, want = {0};
    const double loss =
        test_train_oracle(&s->arch, &s->file.member[0], &s->batch, s->options.frozen, &want);
    rs_member *m = member_make(s);
    assert_near(rs_member_gradient(m, &s->batch), loss, 1e-5);
    assert_ok(rs_member_gradient_tensors(m, &got, &err), &err);
    assert_int_equal(got.n, want.n);
    for (int i = 0; i < got.n; i++) {
        const rs_tensor *a = &got.t[i], *b = rs_tensors_find(&want, a->name);
        double most = 0, worst = 0;
        assert_non_null(b);
        for (size_t k = 0; k < a->count; k++) {
            most = fmax(most, fabs(rs_tensor_at(b, k)));
            worst = fmax(worst, fabs(rs_tensor_at(a, k) - rs_tensor_at(b, k)));
        }
        if (!(worst <= TOL_TRAIN_GRADIENT * fmax(most, 1e-3)))
            fail_msg("%s: %s is off by %g where the largest is %g", rs_isa_name(s->options.isa),
                     a->name, worst, most);
    }
    rs_tensors_clear(&got);
    rs_tensors_clear(&want);
    rs_member_free(m);
}

static void gradients_of(scene s)
{
    const int first = test_quick() ? (int)rs_isa_best() : RS_ISA_GENERIC;
    for (int isa = first; isa <= (int)rs_isa_best(); isa = test_next_isa(isa))
        for (int frozen = 0; frozen < 2; frozen++) {
            s.options.isa = (rs_isa)isa;
            s.options.frozen = frozen;
            gradient_case(&s);
        }
    scene_clear(&s);
}

/* Whole panels of channels, several rows of tiles; a last narrow panel; odd sizes. */
static void gradient_is_the_oracles(void **state)
{
    (void)state;
    gradients_of(scene_make(16, (const int[]){2, 1, 1}, "bilinear", 2, 21, 30));
    gradients_of(scene_make(24, (const int[]){1, 1, 1}, "nearest", 1, 16, 17));
    gradients_of(scene_make(1, (const int[]){1, 2, 1}, "bilinear", 3, 23, 16));
}

static void evaluation_is_the_engines(void **state)
{
    (void)state;
    scene s = scene_make(8, (const int[]){1, 2, 1}, "bilinear", 2, 37, 26);
    const size_t px = 37 * 26;
    float *p = numbers(2 * px), *mean = numbers(px), *variance = numbers(px);
    reshed_error err = {0};
    rs_member *m = member_make(&s);
    rs_plan *plan = NULL;
    const rs_plan_options o = {.threads = 1, .isa = rs_isa_best()};
    for (size_t i = 0; i < 2 * px; i++) p[i] = NAN;
    assert_true(isfinite(rs_member_evaluate(m, &s.batch, p)));
    assert_ok(rs_plan_create(&s.file, NULL, 37, 26, &o, &plan, &err), &err);
    for (int i = 0; i < 2; i++) {
        rs_plan_run(plan, s.batch.image + (size_t)i * px, mean, variance, NULL);
        for (size_t k = 0; k < px; k++)
            assert_near((double)p[(size_t)i * px + k], (double)mean[k], 2 * TOL_NET_WINOGRAD);
    }
    rs_plan_free(plan);
    rs_member_free(m);
    rs_free(p);
    rs_free(mean);
    rs_free(variance);
    scene_clear(&s);
}

/* ------------------------------------------------------------------------------------------- steps */

static void learning_lowers_the_loss(void **state)
{
    (void)state;
    scene s = small_scene();
    rs_member *m = NULL;
    assert_ok(rs_member_create(&s.arch, &s.options, 5, &m, NULL), NULL);
    /* what is bright is a wall */
    for (int i = 0; i < 2 * 20 * 24; i++) s.batch.target[i] = s.batch.image[i] > 0.5f;
    double first = rs_member_step(m, &s.batch, 1e-2), last = 0;
    for (int i = 0; i < 60; i++) last = rs_member_step(m, &s.batch, 1e-2);
    assert_true(last < 0.3 * first);
    assert_true(rs_member_gradient_norm(m) > 0);
    rs_member_free(m);
    scene_clear(&s);
}

static void what_is_ignored_may_be_anything(void **state)
{
    (void)state;
    scene s = small_scene();
    rs_member *m = member_make(&s);
    size_t n;
    rs_member_parameters(m, &n);
    const double loss = rs_member_gradient(m, &s.batch);
    float *g = numbers(n);
    memcpy(g, rs_member_gradient_values(m), n * sizeof *g);
    for (int i = 0; i < 2 * 20 * 24; i++)
        if (s.batch.weight[i] == 0) s.batch.target[i] = i % 2 ? NAN : 17;
    assert_true(rs_member_gradient(m, &s.batch) == loss);
    assert_memory_equal(g, rs_member_gradient_values(m), n * sizeof *g);
    /* nothing to learn from at all */
    for (int i = 0; i < 2 * 20 * 24; i++) s.batch.weight[i] = 0;
    assert_true(rs_member_gradient(m, &s.batch) == 0);
    assert_true(rs_member_gradient_norm(m) == 0);
    rs_free(g);
    rs_member_free(m);
    scene_clear(&s);
}

static void fewer_images_than_there_is_room_for(void **state)
{
    (void)state;
    scene s = small_scene();
    rs_member *exact = member_make(&s), *roomy = NULL;
    s.options.batch = 5;
    roomy = member_make(&s);
    for (int i = 0; i < 3; i++)
        assert_true(rs_member_step(exact, &s.batch, 1e-3) == rs_member_step(roomy, &s.batch, 1e-3));
    size_t n;
    const float *p = rs_member_parameters(exact, &n);
    assert_memory_equal(p, rs_member_parameters(roomy, &n), n * sizeof *p);
    rs_member_free(exact);
    rs_member_free(roomy);
    scene_clear(&s);
}

static void a_step_allocates_nothing(void **state)
{
    (void)state;
    scene s = small_scene();
    rs_member *m = member_make(&s);
    char *bytes = rs_alloc(rs_member_state_size(m), 1);
    assert_non_null(bytes);
    test_alloc_reset();
    rs_member_step(m, &s.batch, 1e-3);
    rs_member_average_add(m);
    rs_member_average_finish(m);
    rs_member_statistics_begin(m);
    rs_member_statistics_add(m, &s.batch);
    rs_member_statistics_end(m);
    rs_member_evaluate(m, &s.batch, NULL);
    rs_member_state_save(m, bytes);
    assert_ok(rs_member_state_restore(m, bytes, rs_member_state_size(m), NULL), NULL);
    assert_int_equal(test_alloc_count(), 0);
    rs_free(bytes);
    rs_member_free(m);
    scene_clear(&s);
}

static void a_gradient_that_is_not_finite_changes_nothing(void **state)
{
    (void)state;
    scene s = small_scene();
    rs_member *m = member_make(&s);
    size_t n;
    float *p = rs_member_parameters(m, &n), *before = numbers(n);
    memcpy(before, p, n * sizeof *p);
    s.batch.image[7] = INFINITY;
    rs_member_step(m, &s.batch, 1e-3);
    assert_memory_equal(before, p, n * sizeof *p);
    rs_free(before);
    rs_member_free(m);
    scene_clear(&s);
}

/* ------------------------------------------------------------------------------------------- state */

static void resumed_steps_have_the_same_bits(void **state)
{
    (void)state;
    scene s = small_scene();
    rs_member *a = member_make(&s), *b = NULL;
    const size_t size = rs_member_state_size(a);
    char *bytes = rs_alloc(2 * size, 1), *other = bytes + size;
    reshed_error err = {0};
    for (int i = 0; i < 3; i++) rs_member_step(a, &s.batch, 1e-2);
    rs_member_average_add(a);
    rs_member_state_save(a, bytes);
    assert_ok(rs_member_create(&s.arch, &s.options, 99, &b, &err), &err);
    assert_ok(rs_member_state_restore(b, bytes, size, &err), &err);
    assert_int_equal(rs_member_steps(b), 3);
    rs_member *both[] = {a, b};
    for (int k = 0; k < 2; k++) {
        rs_member_step(both[k], &s.batch, 1e-2);
        rs_member_average_add(both[k]);
        rs_member_average_finish(both[k]);
        rs_member_state_save(both[k], bytes + (size_t)k * size);
    }
    assert_memory_equal(bytes, other, size);

    /* another network's, or cut: the member stays as it is */
    s.arch.layers[0] = 2;
    rs_member *c = NULL;
    assert_ok(rs_member_create(&s.arch, &s.options, 1, &c, &err), &err);
    assert_int_equal(rs_member_state_restore(c, bytes, size, &err), RESHED_ECORRUPT);
    bytes[0] ^= 1;
    assert_int_equal(rs_member_state_restore(a, bytes, size, &err), RESHED_ECORRUPT);
    assert_int_equal(rs_member_state_restore(a, other, size - 1, &err), RESHED_ECORRUPT);
    rs_member_state_save(a, bytes);
    assert_memory_equal(bytes, other, size);
    rs_free(bytes);
    rs_member_free(a);
    rs_member_free(b);
    rs_member_free(c);
    scene_clear(&s);
}

static void the_average_is_the_mean(void **state)
{
    (void)state;
    scene s = small_scene();
    rs_member *m = member_make(&s);
    size_t n;
    float *p = rs_member_parameters(m, &n);
    double *sum = rs_zalloc(n, sizeof *sum);
    assert_non_null(sum);
    assert_int_equal(rs_member_average_finish(m), 0);
    for (int i = 1; i <= 3; i++) {
        rs_member_step(m, &s.batch, 1e-2);
        assert_int_equal(rs_member_average_add(m), i);
        for (size_t k = 0; k < n; k++) sum[k] += (double)p[k];
    }
    assert_int_equal(rs_member_average_finish(m), 3);
    for (size_t k = 0; k < n; k++) assert_true(p[k] == (float)(sum[k] / 3));
    rs_free(sum);
    rs_member_free(m);
    scene_clear(&s);
}

static void tensors_go_round(void **state)
{
    (void)state;
    scene s = small_scene();
    rs_member *m = NULL;
    rs_model_file out = s.file;
    rs_tensors t = {0};
    reshed_error err = {0};
    assert_ok(rs_member_create(&s.arch, &s.options, 7, &m, &err), &err);
    assert_ok(rs_member_tensors(m, &t, &err), &err);
    out.member = &t;
    assert_ok(rs_net_check(&out, &err), &err);
    double most = 0;
    for (int i = 0; i < t.n; i++) {
        const rs_tensor *w = &t.t[i];
        if (strcmp(w->name, "net2.1.res_module.0.c1.weight") != 0) continue;
        for (size_t k = 0; k < w->count; k++) most = fmax(most, fabs(rs_tensor_at(w, k)));
    }
    const double bound = 1 / sqrt(8 * 9);
    assert_true(most <= bound && most > 0.98 * bound);
    /* a tensor that is missing, or of another shape */
    char *name = s.file.member[0].t[4].name;
    name[0] = 'x';
    assert_int_equal(rs_member_load(m, &s.file.member[0], &err), RESHED_ECORRUPT);
    name[0] = 'n';
    s.file.member[0].t[4].dims[0]++;
    assert_int_equal(rs_member_load(m, &s.file.member[0], &err), RESHED_ECORRUPT);
    s.file.member[0].t[4].dims[0]--;
    rs_tensors_clear(&t);
    rs_member_free(m);
    scene_clear(&s);
}

static void other_seeds_start_elsewhere(void **state)
{
    (void)state;
    scene s = small_scene();
    rs_member *m[3];
    size_t n;
    for (int i = 0; i < 3; i++)
        assert_ok(rs_member_create(&s.arch, &s.options, i < 2 ? 1 : 2, &m[i], NULL), NULL);
    const float *a = rs_member_parameters(m[0], &n), *b = rs_member_parameters(m[1], &n);
    assert_memory_equal(a, b, n * sizeof *a);
    assert_memory_not_equal(a, rs_member_parameters(m[2], &n), n * sizeof *a);
    for (int i = 0; i < 3; i++) rs_member_free(m[i]);
    scene_clear(&s);
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    scene s = small_scene();
    rs_member *m = NULL;
    for (long n = 0;; n++) {
        test_alloc_fail_at(n);
        const reshed_status st = rs_member_create(&s.arch, &s.options, 1, &m, NULL);
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_int_equal(st, RESHED_OK);
            break;
        }
        assert_int_equal(st, RESHED_ENOMEM);
        assert_null(m);
    }
    rs_tensors t = {0};
    test_alloc_fail_at(3);
    assert_int_equal(rs_member_tensors(m, &t, NULL), RESHED_ENOMEM);
    test_alloc_fail_at(-1);
    rs_tensors_clear(&t);
    rs_member_free(m);
    scene_clear(&s);
}

static void what_cannot_be_trained_is_refused(void **state)
{
    (void)state;
    scene s = small_scene();
    rs_member *m = NULL;
    rs_arch arch = s.arch;
    arch.classes = 3;
    assert_int_equal(rs_member_create(&arch, &s.options, 1, &m, NULL), RESHED_EUNSUPPORTED);
    for (int i = 0; i < 6; i++) {
        rs_member_options o = s.options;
        if (i == 0) o.batch = 0;
        if (i == 1) o.height = 15;
        if (i == 2) o.width = RS_MEMBER_MAX_SIDE + 1;
        if (i == 3) o.beta1 = 1;
        if (i == 4) o.decay = NAN;
        if (i == 5) o.batch = RS_MEMBER_MAX_BATCH + 1;
        assert_int_equal(rs_member_create(&s.arch, &o, 1, &m, NULL), RESHED_EINVAL);
    }
    assert_null(m);
    scene_clear(&s);
}

/* ------------------------------------------------------------------------------------------- rates */

static void rates(void **state)
{
    (void)state;
    rs_rate r = rs_rate_make(RS_RATE_COSINE, 1000, 2e-3);
    assert_near(rs_rate_at(&r, 0), 2e-3 / 50, TOL_ROUNDING);
    assert_near(rs_rate_at(&r, 49), 2e-3, TOL_ROUNDING);
    assert_near(rs_rate_at(&r, 400), 2e-3 * (0.25 + 0.375), TOL_ROUNDING); /* half way down */
    for (long i = 750; i < 1000; i++) assert_near(rs_rate_at(&r, i), 5e-4, TOL_ROUNDING);
    for (long i = 50; i < 750; i++) assert_true(rs_rate_at(&r, i) < rs_rate_at(&r, i - 1) + 1e-12);
    /* torch.optim.lr_scheduler.OneCycleLR(max_lr=0.01, total_steps=10), of PyTorch 1.13 */
    static const double torch[] = {
        0.0004000000000000002, 0.005200000000000001, 0.01,
        0.009504846320134737,  0.008117456539497632, 0.006112620219362893,
        0.003887419780637108,  0.001882583460502367, 0.0004951936798652637,
        4.0000000000000004e-08};
    r = rs_rate_make(RS_RATE_ONE_CYCLE, 10, 0.01);
    for (long i = 0; i < 10; i++) assert_near(rs_rate_at(&r, i), torch[i], 1e-8);
    r = rs_rate_make(RS_RATE_CONSTANT, 5, 0.1);
    assert_near(rs_rate_at(&r, 4), 0.1, 0);
    for (long n = 1; n < 8; n++)
        for (int shape = RS_RATE_CONSTANT; shape <= RS_RATE_ONE_CYCLE; shape++) {
            r = rs_rate_make((rs_rate_shape)shape, n, 1);
            for (long i = 0; i < n; i++)
                assert_true(rs_rate_at(&r, i) > 0 && rs_rate_at(&r, i) <= 1);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_is_the_oracles),
        cmocka_unit_test(evaluation_is_the_engines),
        cmocka_unit_test(learning_lowers_the_loss),
        cmocka_unit_test(what_is_ignored_may_be_anything),
        cmocka_unit_test(fewer_images_than_there_is_room_for),
        cmocka_unit_test(a_step_allocates_nothing),
        cmocka_unit_test(a_gradient_that_is_not_finite_changes_nothing),
        cmocka_unit_test(resumed_steps_have_the_same_bits),
        cmocka_unit_test(the_average_is_the_mean),
        cmocka_unit_test(tensors_go_round),
        cmocka_unit_test(other_seeds_start_elsewhere),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(what_cannot_be_trained_is_refused),
        cmocka_unit_test(rates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
