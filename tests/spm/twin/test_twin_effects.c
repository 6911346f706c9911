/* The effects of the instrument on a frame: each alone, off at its neutral value. */
#include "support/film.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

static rs_twin_effects off(void)
{
    rs_twin_effects fx;
    rs_twin_effects_defaults(&fx);
    return fx;
}

static void apply(const rs_twin_effects *fx, float *a)
{
    reshed_error err = {0};
    assert_ok(rs_twin_effects_apply(fx, FILM_N, FILM_N, FILM_PX, FILM_PX, 1.0, a, NULL, &err),
              &err);
}

static void flat(float *a, float value)
{
    for (int i = 0; i < FILM_N * FILM_N; i++) a[i] = value;
}

static void mean_sd(const float *a, size_t n, double *mean, double *sd)
{
    double s = 0, q = 0;
    for (size_t i = 0; i < n; i++) s += (double)a[i];
    s /= (double)n;
    for (size_t i = 0; i < n; i++) q += ((double)a[i] - s) * ((double)a[i] - s);
    *mean = s;
    *sd = sqrt(q / (double)n);
}

static void effects_at_rest_change_nothing(void **state)
{
    (void)state;
    rs_twin_options o;
    rs_twin_options_defaults(&o);
    film_canvas *c = film_draw(&o), *d = film_draw(&o);
    rs_twin_effects fx = off();
    assert_ok(rs_twin_effects_apply(&fx, FILM_N, FILM_N, FILM_PX, FILM_PX, o.level, c->amplitude,
                                    c->phase, NULL),
              NULL);
    assert_memory_equal(c, d, sizeof *c);
    rs_free(c);
    rs_free(d);
}

/* Every effect, switched on alone, changes the picture; only those that move the tip or end the
 * scan change the truth. */
static void each_effect_switches_on(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double value;
        bool moves;
    } effect[] = {{"drift_x", 90e-9, true}, {"drift_y", 90e-9, true}, {"jumps", 4, true},
                  {"tip_radius", 12e-9, 0}, {"second_tip", 0.4, 0},   {"blur", 1, 0},
                  {"tip_change", 0.8, 0},   {"gain", 2, 0},           {"contrast", 0.5, 0},
                  {"contrast", -1, 0},      {"gamma", 0.6, 0},        {"tilt_x", 0.3, 0},
                  {"tilt_y", 0.3, 0},       {"noise", 0.05, 0},       {"line_noise", 0.05, 0},
                  {"level_jumps", 4, 0},    {"scars", 5, 0},          {"hot_pixels", 1e-3, 0},
                  {"scanned", 0.5, true}};
    rs_twin_options o;
    rs_twin_options_defaults(&o);
    rs_twin_sample *s = film_make(&o);
    rs_twin_view v = film_view();
    film_canvas *a = rs_zalloc(1, sizeof *a), *b = rs_zalloc(1, sizeof *b);
    rs_twin_effects fx = off();
    rs_twin_channels out = film_channels(a, 0);
    assert_ok(rs_twin_frame(s, o.level, &fx, &v, &out, NULL), NULL);
    int n;
    const rs_twin_field *f = rs_twin_effect_fields(&n);
    for (size_t k = 0; k < sizeof effect / sizeof effect[0]; k++) {
        fx = off();
        fx.jump_size = 30e-9;
        fx.second_x = 40e-9;
        rs_twin_field_set(rs_twin_field_find(f, n, effect[k].name), &fx, effect[k].value);
        out = film_channels(b, 0);
        assert_ok(rs_twin_frame(s, o.level, &fx, &v, &out, NULL), NULL);
        if (memcmp(a->amplitude, b->amplitude, sizeof a->amplitude) == 0)
            fail_msg("%s does nothing", effect[k].name);
        if ((memcmp(a->wall, b->wall, sizeof a->wall) != 0) != effect[k].moves)
            fail_msg("%s: the truth is wrong", effect[k].name);
        for (int i = 0; i < FILM_N * FILM_N; i++)
            assert_true(isfinite(b->amplitude[i]) && b->amplitude[i] >= 0);
    }
    rs_free(a);
    rs_free(b);
    rs_twin_sample_free(s);
}

static void noise_has_the_strength_asked_for(void **state)
{
    (void)state;
    static float a[FILM_N * FILM_N], b[FILM_N * FILM_N];
    double mean, sd;
    rs_twin_effects fx = off();
    fx.noise = 0.1;
    flat(a, 1);
    apply(&fx, a);
    mean_sd(a, FILM_N * FILM_N, &mean, &sd);
    assert_true(fabs(sd - 0.1) < 0.005);
    assert_true(fabs(mean - 1.005) < 0.005); /* Rice: about A + s^2/2A */
    flat(b, 0);
    apply(&fx, b);
    mean_sd(b, FILM_N * FILM_N, &mean, &sd);
    assert_true(fabs(mean - 0.1 * sqrt(acos(-1) / 2)) < 0.003); /* Rayleigh */
    /* Each line draws from its own stream: another strength gives the same noise, scaled. */
    fx.noise = 0.05;
    flat(b, 0);
    apply(&fx, b);
    flat(a, 0);
    fx.noise = 0.1;
    apply(&fx, a);
    for (int i = 0; i < FILM_N * FILM_N; i++) assert_true(fabsf(a[i] - 2 * b[i]) < 1e-6f);
    /* Line noise is one offset a line. */
    fx = off();
    fx.line_noise = 0.1;
    flat(a, 1);
    apply(&fx, a);
    for (int r = 0; r < FILM_N; r++)
        for (int c = 1; c < FILM_N; c++) assert_true(a[r * FILM_N + c] == a[r * FILM_N]);
    mean_sd(a, FILM_N * FILM_N, &mean, &sd);
    assert_true(sd > 0.05 && sd < 0.2);
}

static void the_scale_changes_by_its_formulas(void **state)
{
    (void)state;
    static float a[FILM_N * FILM_N];
    rs_twin_effects fx = off();
    for (int i = 0; i < FILM_N * FILM_N; i++) a[i] = (float)(i % 20) / 10;
    fx.gain = 0.5;
    fx.gamma = 2;
    fx.contrast = -1;
    apply(&fx, a);
    for (int i = 0; i < FILM_N * FILM_N; i++) {
        double t = (i % 20) / 20.0, want = 2 - t * t;
        assert_true(fabs((double)a[i] - want) < 1e-5);
    }
    fx = off();
    fx.tilt_x = 0.4;
    fx.tilt_y = 0.2;
    flat(a, 1);
    apply(&fx, a);
    assert_true(fabsf(a[FILM_N - 1] - a[0] - 0.4f * (FILM_N - 1) / FILM_N) < 1e-5f);
    assert_true(fabsf(a[0] - a[(FILM_N - 1) * FILM_N] - 0.2f * (FILM_N - 1) / FILM_N) <
                1e-5f); /* up is +y */
}

static void blur_spreads_by_its_radius(void **state)
{
    (void)state;
    static float a[FILM_N * FILM_N];
    for (int k = 0; k < 2; k++) {
        rs_twin_effects fx = off();
        fx.blur = k ? 0 : 2;
        fx.tip_radius = k ? 2 * FILM_PX : 0;
        flat(a, 0);
        a[48 * FILM_N + 40] = 1;
        apply(&fx, a);
        double sum = 0, xx = 0, yy = 0, x = 0;
        for (int i = 0; i < FILM_N * FILM_N; i++) {
            sum += (double)a[i];
            x += (double)a[i] * (i % FILM_N - 40);
            xx += (double)a[i] * (i % FILM_N - 40) * (i % FILM_N - 40);
            yy += (double)a[i] * (i / FILM_N - 48) * (i / FILM_N - 48);
        }
        assert_true(fabs(sum - 1) < 1e-5 && fabs(x) < 1e-4);
        assert_true(fabs(sqrt(xx) - 2) < 0.05 && fabs(sqrt(yy) - 2) < 0.05);
        flat(a, 3);
        apply(&fx, a);
        for (int i = 0; i < FILM_N * FILM_N; i++) assert_true(fabsf(a[i] - 3) < 1e-5f);
    }
}

static void lines_to_come_are_empty(void **state)
{
    (void)state;
    static float a[FILM_N * FILM_N];
    rs_twin_effects fx = off();
    fx.scanned = 0.25;
    fx.noise = 0.1;
    fx.hot_pixels = 0.01;
    flat(a, 1);
    apply(&fx, a);
    for (int i = 0; i < FILM_N * FILM_N; i++)
        assert_true((a[i] == 0) == (i >= FILM_N / 4 * FILM_N) || a[i] == 0);
    for (int i = FILM_N / 4 * FILM_N; i < FILM_N * FILM_N; i++) assert_true(a[i] == 0);
    assert_int_equal(rs_twin_scanned_rows(&fx, FILM_N), FILM_N / 4);
    fx.scanned = 0;
    assert_int_equal(rs_twin_scanned_rows(&fx, FILM_N), 1);
}

static void drift_ends_where_it_is_asked_to(void **state)
{
    (void)state;
    rs_twin_effects fx = off();
    float dx[1000], dy[1000];
    fx.drift_x = 1e-6;
    fx.drift_y = -2e-6;
    rs_twin_drift(&fx, 1000, dx, dy);
    assert_true(fabsf(dx[999] - 1e-6f) < 2e-9f && fabsf(dy[999] + 2e-6f) < 4e-9f);
    for (int i = 1; i < 1000; i++) assert_true(dx[i] > dx[i - 1] && dy[i] < dy[i - 1]);
    assert_true(dx[99] > 0.1e-6f); /* creep: faster at the start */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(effects_at_rest_change_nothing),
        cmocka_unit_test(each_effect_switches_on),
        cmocka_unit_test(noise_has_the_strength_asked_for),
        cmocka_unit_test(the_scale_changes_by_its_formulas),
        cmocka_unit_test(blur_spreads_by_its_radius),
        cmocka_unit_test(lines_to_come_are_empty),
        cmocka_unit_test(drift_ends_where_it_is_asked_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
