/* The twin's film and frames: equal bits, hostile options, short memory. */
#include "support/film.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"

/* ------------------------------------------------------------------------------ reproducibility */

static void equal_seeds_give_equal_bits(void **state)
{
    (void)state;
    rs_twin_options o;
    rs_twin_options_defaults(&o);
    o.minus_fraction = 0.3;
    film_canvas *a = film_draw(&o), *b = film_draw(&o);
    assert_memory_equal(a, b, sizeof *a);
    rs_free(b);
    o.seed++;
    b = film_draw(&o);
    assert_int_not_equal(memcmp(a->amplitude, b->amplitude, sizeof a->amplitude), 0);
    assert_int_not_equal(memcmp(a->wall, b->wall, sizeof a->wall), 0);
    rs_free(a);
    rs_free(b);
}

static void a_row_does_not_depend_on_the_others(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_twin_options o;
    rs_twin_options_defaults(&o);
    o.minus_fraction = 0.4;
    o.spot_density = 3e13;
    rs_twin_sample *s = film_make(&o);
    float dx[FILM_N], dy[FILM_N];
    for (int i = 0; i < FILM_N; i++) {
        dx[i] = (float)(20e-9 * sin(i));
        dy[i] = (float)(1e-10 * i);
    }
    rs_twin_view v = film_view();
    v.dx = dx;
    v.dy = dy;
    film_canvas *a = rs_zalloc(1, sizeof *a), *b = rs_zalloc(1, sizeof *b);
    rs_twin_channels out = film_channels(a, 0);
    assert_ok(rs_twin_render(s, &v, &out, &err), &err);
    static const int cut[] = {0, 1, 2, 9, 40, 41, FILM_N};
    for (int i = 0; i + 1 < (int)(sizeof cut / sizeof cut[0]); i++) {
        v.row_begin = cut[i];
        v.row_end = cut[i + 1];
        out = film_channels(b, cut[i]);
        assert_ok(rs_twin_render(s, &v, &out, &err), &err);
    }
    assert_memory_equal(a, b, sizeof *a);
    rs_free(a);
    rs_free(b);
    rs_twin_sample_free(s);
}

#define FRAMES 12
typedef struct frames {
    float image[FRAMES][FILM_N * FILM_N];
    uint8_t wall[FRAMES][FILM_N * FILM_N];
} frames;

static void one_frame(void *ctx, int64_t i, int worker)
{
    (void)worker;
    frames *f = ctx;
    if (film_random_frame((uint64_t)i, 1, f->image[i], f->wall[i]) != RESHED_OK) abort();
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    frames *a = rs_zalloc(1, sizeof *a), *b = rs_zalloc(1, sizeof *b);
    rs_parallel_for(1, FRAMES, one_frame, a);
    rs_parallel_for(5, FRAMES, one_frame, b);
    assert_memory_equal(a, b, sizeof *a);
    rs_free(a);
    rs_free(b);
}

/* ------------------------------------------------------------------------------ hostile options */

static void each_option_has_its_range(void **state)
{
    (void)state;
    reshed_error err = {0};
    int n;
    rs_twin_sample *s = NULL;
    const rs_twin_field *f = rs_twin_option_fields(&n);
    assert_int_equal((size_t)n * sizeof(double), sizeof(rs_twin_options) - sizeof(uint64_t));
    for (int i = 0; i < n; i++) {
        const double bad[] = {f[i].lo - 1, f[i].hi * 1.01 + 1, NAN, INFINITY, -INFINITY};
        for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
            rs_twin_options o;
            rs_twin_options_defaults(&o);
            rs_twin_field_set(&f[i], &o, bad[k]);
            assert_int_equal(rs_twin_sample_create(&o, &s, &err), RESHED_EINVAL);
            assert_null(s);
            assert_non_null(strstr(err.what, f[i].name));
        }
    }
    rs_twin_effects fx;
    f = rs_twin_effect_fields(&n);
    for (int i = 0; i < n; i++) {
        rs_twin_effects_defaults(&fx);
        rs_twin_field_set(&f[i], &fx, NAN);
        assert_int_equal(rs_twin_effects_check(&fx, &err), RESHED_EINVAL);
        rs_twin_effects_defaults(&fx);
        rs_twin_field_set(&f[i], &fx, f[i].hi * 1.01 + 1);
        assert_int_equal(rs_twin_effects_check(&fx, &err), RESHED_EINVAL);
    }
    rs_twin_options o;
    rs_twin_options_defaults(&o);
    o.thin_width = (rs_twin_range){50e-9, 20e-9};
    assert_int_equal(rs_twin_sample_create(&o, &s, &err), RESHED_EINVAL);
    rs_twin_options_defaults(&o);
    o.spacing[0] = o.width / 1000;
    assert_int_equal(rs_twin_sample_create(&o, &s, &err), RESHED_EINVAL);
}

static void bad_views_are_refused(void **state)
{
    (void)state;
    rs_twin_options o;
    rs_twin_options_defaults(&o);
    rs_twin_sample *s = film_make(&o);
    static float a[4 * 4];
    rs_twin_channels out = {.amplitude = a};
    float nan_drift[4] = {0, 0, NAN, 0};
    const rs_twin_view good = {.width = 1e-6, .height = 1e-6, .rows = 4, .cols = 4, .row_end = 4};
    assert_ok(rs_twin_render(s, &good, &out, NULL), NULL);
    rs_twin_view v[9];
    for (int i = 0; i < 9; i++) v[i] = good;
    v[0].width = 0;
    v[1].height = NAN;
    v[2].rows = 0;
    v[3].cols = 1 << 20;
    v[4].row_begin = 4;
    v[5].row_end = 5;
    v[6].row_begin = -1;
    v[7].dx = nan_drift;
    v[8].cx = INFINITY;
    for (int i = 0; i < 9; i++)
        assert_int_equal(rs_twin_render(s, &v[i], &out, NULL), RESHED_EINVAL);
    rs_twin_sample_free(s);
}

/* Options anywhere in their ranges: a film and a frame, or a refusal, and every value finite. */
static void any_options_are_survived(void **state)
{
    (void)state;
    test_not_quick();
    test_rng r = {test_seed()};
    int n, m, drawn = 0;
    const rs_twin_field *f = rs_twin_option_fields(&n), *g = rs_twin_effect_fields(&m);
    enum { SIDE = 24 };
    static float a[SIDE * SIDE], ph[SIDE * SIDE], re[SIDE * SIDE], q[SIDE * SIDE], h[SIDE * SIDE];
    static uint8_t wall[SIDE * SIDE], domain[SIDE * SIDE];
    rs_twin_channels out = {a, ph, re, q, h, wall, domain, NULL};
    for (int k = 0; k < test_tier(80, 80, 4000); k++) {
        rs_twin_options o;
        rs_twin_effects fx;
        rs_twin_options_defaults(&o);
        rs_twin_effects_defaults(&fx);
        for (int i = 0; i < n + m; i++) {
            const rs_twin_field *p = i < n ? &f[i] : &g[i - n];
            void *where = i < n ? (void *)&o : (void *)&fx;
            if (test_below(&r, 4) != 0) continue;
            double lo = p->lo > 0 ? p->lo : p->lo == 0 ? p->hi * 1e-9 : 0;
            double value = lo > 0 ? lo * pow(p->hi / lo, test_uniform(&r, 0, 1))
                                  : test_uniform(&r, p->lo, p->hi);
            if (test_below(&r, 5) == 0) value = test_below(&r, 2) ? p->lo : p->hi;
            rs_twin_field_set(p, where, value);
        }
        for (int i = 0; i + 1 < n; i++) { /* ranges the right way round */
            double lo = rs_twin_field_get(&f[i], &o), hi = rs_twin_field_get(&f[i + 1], &o);
            if (strstr(f[i].name, ".lo") && lo > hi) rs_twin_field_set(&f[i], &o, hi);
        }
        for (int i = 0; i < 2; i++)
            if (o.spacing[i] > 0) o.spacing[i] = fmax(o.spacing[i], hypot(o.width, o.height) / 300);
        o.seed = fx.seed = test_rand(&r);
        rs_twin_sample *s = NULL;
        if (rs_twin_sample_create(&o, &s, NULL) != RESHED_OK) continue;
        double px = o.width / SIDE * pow(10, test_uniform(&r, -3, 1));
        if (px * SIDE > 1) px = 1.0 / SIDE;
        rs_twin_view v = {.width = px * SIDE, .height = px * SIDE, .rows = SIDE, .cols = SIDE};
        v.row_end = SIDE;
        reshed_status st = rs_twin_frame(s, o.level, &fx, &v, &out, NULL);
        if (st != RESHED_OK) assert_int_equal(st, RESHED_EINVAL); /* drift beyond the frame */
        for (int i = 0; st == RESHED_OK && i < SIDE * SIDE; i++) {
            assert_true(isfinite(a[i]) && isfinite(ph[i]) && isfinite(re[i]));
            assert_true(isfinite(q[i]) && isfinite(h[i]));
            assert_true(wall[i] <= 1 && domain[i] <= RS_TWIN_WALL180);
        }
        drawn += st == RESHED_OK;
        rs_twin_sample_free(s);
    }
    assert_true(drawn >= 20);
}

static void random_frames_are_sound(void **state)
{
    (void)state;
    static float a[FILM_N * FILM_N];
    static uint8_t wall[FILM_N * FILM_N];
    double walls = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        assert_int_equal(film_random_frame(seed, 0.5 + (double)(seed % 4) / 2, a, wall), RESHED_OK);
        for (int i = 0; i < FILM_N * FILM_N; i++) assert_true(isfinite(a[i]) && a[i] >= 0);
        walls += (double)film_count(wall, FILM_N * FILM_N, 1) / (FILM_N * FILM_N) / 100;
    }
    assert_true(walls > 0.05 && walls < 0.25);
}

static void want_of_memory_is_reported(void **state)
{
    (void)state;
    static float a[FILM_N * FILM_N];
    static uint8_t wall[FILM_N * FILM_N];
    for (long n = 0; n < 100; n++) {
        test_alloc_fail_at(n);
        reshed_status st = film_random_frame(3, 1, a, wall);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_int_equal(st, RESHED_OK);
            assert_true(n >= 6);
            return;
        }
        assert_int_equal(st, RESHED_ENOMEM);
    }
    fail();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_seeds_give_equal_bits),
        cmocka_unit_test(a_row_does_not_depend_on_the_others),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(each_option_has_its_range),
        cmocka_unit_test(bad_views_are_refused),
        cmocka_unit_test(any_options_are_survived),
        cmocka_unit_test(random_frames_are_sound),
        cmocka_unit_test(want_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
