/* Samples of weights: the walk on posteriors that are known in closed form, SWAG's statistics, and runs. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "io/weights/model.h"
#include "train/net/walk.h"
#include "train/sample.h"

/* ------------------------------------------------------------------------------------- the walk */
/* In a parabola exp(-images k p^2 / 2 / temperature) is a Gaussian; the walk's long-time variance is
 * that of its stationary distribution, but for terms of the order of the rate. */
static void walks_in_a_parabola_find_its_variance(void **state)
{
    (void)state;
    enum { N = 64 };
    const double images = 50, temperature = 0.5, stiff = 2;
    const rs_walk w = {.rate = 0.002, .friction = 0.1, .noise = sqrt(temperature / images)};
    float p[N], v[N] = {0}, g[N];
    uint8_t real[N];
    memset(real, 1, sizeof real);
    for (int i = 0; i < N; i++) p[i] = 0.3f;
    rs_random random = {7};
    double sum = 0, square = 0, count = 0;
    const int steps = test_tier(6000, 20000, 200000);
    for (int s = 0; s < steps; s++) {
        for (int i = 0; i < N; i++) g[i] = (float)stiff * p[i];
        rs_walk_step(&w, p, v, g, real, N, 1, &random);
        if (s < 3000) continue; /* the way there: 1 / (rate stiff / friction) = 25 steps */
        for (int i = 0; i < N; i++) {
            sum += (double)p[i];
            square += (double)p[i] * (double)p[i];
            count++;
        }
    }
    const double want = temperature / (images * stiff);
    assert_near(sum / count, 0, 0.1 * sqrt(want));
    assert_near(square / count / want, 1, 0.1);
}

/* Without noise it is descent with momentum, by hand. Padding and what is not finite change nothing. */
static void walks_without_noise_are_momentum(void **state)
{
    (void)state;
    const rs_walk w = {.rate = 0.5, .friction = 0.25, .decay = 0.5, .clip = 1};
    float p[3] = {1, 2, 0}, v[3] = {0.5f, 0, 0};
    const float g[3] = {4, 0, 0};
    const uint8_t real[3] = {1, 1, 0};
    rs_random random = {1};
    rs_walk_step(&w, p, v, g, real, 3, 4, &random);
    /* the gradient 4 is cut to 1: v = 0.75 * 0.5 - 0.5 (1 + 0.5 * 1); v = -0.5 * 0.5 * 2 */
    assert_near(v[0], -0.375, 1e-6);
    assert_near(p[0], 0.625, 1e-6);
    assert_near(v[1], -0.5, 1e-6);
    assert_near(p[1], 1.5, 1e-6);
    assert_int_equal(random.state, 1); /* nothing was drawn */
    const float p0 = p[0];
    rs_walk_step(&w, p, v, g, real, 3, NAN, &random);
    assert_true(p[0] == p0);
    const rs_walk noisy = {.rate = 0.5, .friction = 0.25, .noise = 1};
    rs_walk_step(&noisy, p, v, g, real, 3, 4, &random);
    assert_true(p[2] == 0 && v[2] == 0 && p[0] != p0);
}

static void cycles_begin_at_the_rate_and_end_near_nothing(void **state)
{
    (void)state;
    assert_near(rs_walk_cycle_rate(0.4, 0, 50), 0.4, 1e-12);
    assert_near(rs_walk_cycle_rate(0.4, 25, 50), 0.2, 1e-12);
    assert_true(rs_walk_cycle_rate(0.4, 49, 50) > 0 && rs_walk_cycle_rate(0.4, 49, 50) < 1e-3);
}

/* ---------------------------------------------------------------------------------------- SWAG */
/* Weights of a Gaussian with a common part: samples have its mean, its variances, and with all
 * deviations kept its covariance, half of it as in the paper. */
static void samples_have_the_walks_statistics(void **state)
{
    (void)state;
    enum { N = 3, KEPT = 200 };
    const int draws = test_tier(4000, 20000, 100000);
    reshed_error err = {0};
    rs_swag s;
    assert_ok(rs_swag_make(N, KEPT, &s, &err), &err);
    rs_random random = {5};
    double mean[N] = {0}, cov[N][N] = {{0}};
    static float all[KEPT][N];
    for (int k = 0; k < KEPT; k++) {
        const double common = rs_random_gauss(&random);
        all[k][0] = (float)(1 + common + 0.1 * rs_random_gauss(&random));
        all[k][1] = (float)(-2 + 0.5 * common);
        all[k][2] = 3;
        rs_swag_add(&s, all[k]);
        for (int i = 0; i < N; i++) mean[i] += (double)all[k][i] / KEPT;
    }
    for (int k = 0; k < KEPT; k++)
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++)
                cov[i][j] +=
                    ((double)all[k][i] - mean[i]) * ((double)all[k][j] - mean[j]) / (KEPT - 1);
    double m[N] = {0}, c[N][N] = {{0}};
    for (int d = 0; d < draws; d++) {
        float p[N];
        rs_swag_draw(&s, &random, p);
        for (int i = 0; i < N; i++) {
            m[i] += ((double)p[i] - mean[i]) / draws;
            for (int j = 0; j < N; j++)
                c[i][j] += ((double)p[i] - mean[i]) * ((double)p[j] - mean[j]) / draws;
        }
        assert_true(p[2] == 3); /* what never varied does not vary */
    }
    const double close = 6 / sqrt(draws);
    for (int i = 0; i < 2; i++) {
        assert_near(m[i], 0, close * sqrt(cov[i][i]));
        /* deviations are from the mean of their time: a little less than the whole for early ones */
        assert_near(c[i][i] / cov[i][i], 1, 0.1);
    }
    assert_near(c[0][1] / cov[0][1], 0.5, 0.1);
    rs_swag_clear(&s);
    rs_swag_clear(&s); /* is fine */
}

/* ---------------------------------------------------------------------------------------- runs */
static rs_sampling tiny(rs_sample_kind kind)
{
    rs_sampling s = rs_sampling_defaults(kind);
    s.recipe.arch = (rs_arch){.levels = 3, .layers = {1, 1, 1}, .filters = 2, .classes = 1};
    s.recipe.batches.batch = 2;
    s.recipe.batches.augment.size = 24;
    s.recipe.batches.scene.size = 32;
    s.recipe.members = 4;
    s.recipe.statistics = 2;
    s.cycles = 2;
    rs_sampling_set_steps(&s, 48);
    return s;
}

static bool same_tensors(const rs_tensors *a, const rs_tensors *b)
{
    bool same = a->n == b->n;
    for (int i = 0; same && i < a->n; i++)
        same = a->t[i].dtype != RS_F32 ||
               memcmp(a->t[i].data, b->t[i].data, a->t[i].count * sizeof(float)) == 0;
    return same;
}

static void count(void *ctx, const rs_sample_news *n)
{
    rs_sample_news *last = ctx;
    assert_true(n->step >= last->step && n->step <= n->steps && n->samples >= last->samples);
    assert_true(isfinite(n->loss));
    *last = *n;
}

static void samples_differ_and_threads_do_not_matter(void **state)
{
    (void)state;
    reshed_error err = {0};
    for (int kind = 0; kind < 2; kind++) {
        const rs_sampling s = tiny(kind ? RS_SAMPLE_SGHMC : RS_SAMPLE_SWAG);
        rs_model_file m[2];
        memset(m, 0, sizeof m);
        for (int i = 0; i < 2; i++) {
            rs_sample_news last = {0};
            assert_ok(rs_sample_run(&s, i, count, &last, &m[i], &err), &err);
            assert_int_equal(last.step, 48);
            assert_int_equal(last.samples, 4);
            assert_ok(rs_model_file_check(&m[i], &err), &err);
        }
        assert_int_equal(m[0].members, 4);
        for (int a = 0; a < 4; a++) {
            assert_true(same_tensors(&m[0].member[a], &m[1].member[a]));
            for (int b = 0; b < a; b++)
                assert_false(same_tensors(&m[0].member[a], &m[0].member[b]));
        }
        assert_non_null(
            strstr(m[0].recipe, kind ? "cyclical SGHMC: cycles 2, friction 0.1" : "SWAG"));
        for (int i = 0; i < 2; i++) rs_model_file_clear(&m[i]);
    }
}

/* Without noise a chain of one cycle has nothing random but its batches; with it the weights go elsewhere. */
static void the_temperature_counts(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_model_file m[2];
    memset(m, 0, sizeof m);
    for (int i = 0; i < 2; i++) {
        rs_sampling s = tiny(RS_SAMPLE_SGHMC);
        s.cycles = 1;
        s.temperature = i;
        assert_ok(rs_sample_run(&s, 0, NULL, NULL, &m[i], &err), &err);
    }
    assert_false(same_tensors(&m[0].member[0], &m[1].member[0]));
    for (int i = 0; i < 2; i++) rs_model_file_clear(&m[i]);
}

static void what_cannot_be_is_refused_by_name(void **state)
{
    (void)state;
    static const char *const what[] = {
        "cycles", "steps of a cycle", "friction", "temperature", "images", "start", "steps"};
    for (int k = 0; k < 7; k++) {
        reshed_error err = {0};
        rs_model_file m = {0};
        rs_sampling s = tiny(k == 6 ? RS_SAMPLE_SWAG : RS_SAMPLE_SGHMC);
        if (k == 0) s.cycles = 5;
        if (k == 1) rs_sampling_set_steps(&s, 47);
        if (k == 2) s.friction = 0;
        if (k == 3) s.temperature = NAN;
        if (k == 4) s.images = 0;
        if (k == 5) s.recipe.member.frozen = true;
        if (k == 6) rs_sampling_set_steps(&s, 4);
        assert_int_not_equal(rs_sample_run(&s, 0, NULL, NULL, &m, &err), RESHED_OK);
        if (!strstr(err.what, what[k])) fail_msg("%s", err.what);
        assert_int_equal(m.members, 0);
    }
}

static void short_of_memory_it_says_so(void **state)
{
    (void)state;
    const long stride = test_tier(97, 29, 1);
    for (int kind = 0; kind < 2; kind++) {
        rs_sampling s = tiny(kind ? RS_SAMPLE_SGHMC : RS_SAMPLE_SWAG);
        s.recipe.members = 2;
        rs_sampling_set_steps(&s, 32);
        for (long n = 0;; n += stride) {
            reshed_error err = {0};
            rs_model_file m = {0};
            test_alloc_fail_at(n);
            const reshed_status st = rs_sample_run(&s, 0, NULL, NULL, &m, &err);
            const bool failed = test_alloc_failed();
            test_alloc_fail_at(-1);
            rs_model_file_clear(&m);
            if (!failed) break;
            assert_int_equal(st, RESHED_ENOMEM);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walks_in_a_parabola_find_its_variance),
        cmocka_unit_test(walks_without_noise_are_momentum),
        cmocka_unit_test(cycles_begin_at_the_rate_and_end_near_nothing),
        cmocka_unit_test(samples_have_the_walks_statistics),
        cmocka_unit_test(samples_differ_and_threads_do_not_matter),
        cmocka_unit_test(the_temperature_counts),
        cmocka_unit_test(what_cannot_be_is_refused_by_name),
        cmocka_unit_test(short_of_memory_it_says_so),
    };
    return cmocka_run_group_tests_name("train_sample", tests, NULL, NULL);
}
