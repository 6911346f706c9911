#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/figures/render.h"

static const uint8_t *at(const rs_rgb8 *p, int x, int y)
{
    assert_true(x >= 0 && y >= 0 && x < p->width && y < p->height);
    return p->data + 3 * ((size_t)y * (size_t)p->width + (size_t)x);
}

static bool is(const uint8_t *rgb, int r, int g, int b)
{
    return rgb[0] == r && rgb[1] == g && rgb[2] == b;
}

static rs_render_options plain(void)
{
    rs_render_options o;
    rs_render_options_defaults(&o);
    o.colour_bar = o.scale_bar = false;
    return o;
}

static void pixels_keep_their_place_and_colour(void **state)
{
    (void)state;
    enum { H = 9, W = 13 };
    test_rng r = {test_seed()};
    float v[H * W];
    uint8_t table[RS_MAP_ENTRIES][3];
    rs_rgb8 p = {0};
    reshed_error err = {0};
    rs_render_options o = plain();
    o.min_width = 50; /* enlarged fourfold to 52 */
    for (int i = 0; i < H * W; i++) v[i] = (float)test_uniform(&r, 0, 1);
    v[17] = NAN;
    assert_ok(rs_render_mean(v, H, W, &o, &p, &err), &err);
    assert_int_equal(p.width, 4 * W);
    assert_int_equal(p.height, 4 * H);
    rs_colour_table(RS_MAP_VIRIDIS, table);
    for (int y = 0; y < p.height; y++)
        for (int x = 0; x < p.width; x++) {
            int i = y / 4 * W + x / 4;
            const uint8_t *c = at(&p, x, y);
            if (i == 17)
                assert_true(c[0] == c[1] && abs(c[2] - c[0]) < 10); /* neutral */
            else
                assert_memory_equal(c, table[(int)(v[i] * 255 + 0.5f)], 3);
        }
    rs_rgb8_clear(&p);
}

static void pixels_have_true_proportions(void **state)
{
    (void)state;
    float v[30 * 40] = {0};
    static const struct {
        double dx, dy;
        int width, height;
    } cases[] = {
        {1e-8, 1e-8, 520, 390}, /* 13 x 13 */
        {1e-8, 2e-8, 520, 780}, /* 13 x 26 */
        {2e-8, 1e-8, 560, 210}, /* 14 x 7 */
        {1e-8, 1.5e-8, 520, 585}, {0, 0, 520, 390},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rs_rgb8 p = {0};
        rs_render_options o = plain();
        o.dx = cases[i].dx;
        o.dy = cases[i].dy;
        assert_ok(rs_render_mean(v, 30, 40, &o, &p, NULL), &(reshed_error){0});
        assert_int_equal(p.width, cases[i].width);
        assert_int_equal(p.height, cases[i].height);
        rs_rgb8_clear(&p);
    }
    /* A tall, narrow map is not enlarged beyond reason. */
    float *tall = rs_zalloc(4000 * 4, sizeof *tall);
    assert_non_null(tall);
    rs_rgb8 p = {0};
    rs_render_options o = plain();
    assert_ok(rs_render_mean(tall, 4000, 4, &o, &p, NULL), &(reshed_error){0});
    assert_int_equal(p.height, 4000);
    rs_rgb8_clear(&p);
    rs_free(tall);
}

/* The longest run of white in any row. */
static int longest_white(const rs_rgb8 *p)
{
    int best = 0;
    for (int y = 0; y < p->height; y++)
        for (int x = 0, run = 0; x < p->width; x++) {
            run = is(at(p, x, y), 255, 255, 255) ? run + 1 : 0;
            if (run > best) best = run;
        }
    return best;
}

static void scale_bar_has_a_round_length(void **state)
{
    (void)state;
    static float v[256 * 256];
    static const struct {
        double dx;
        double metres; /* the largest 1-2-5 length up to 0.3 of the frame */
    } cases[] = {{1e-8, 5e-7}, {3.9e-9, 2e-7}, {1e-9, 5e-8}, {2e-8, 1e-6}, {4e-10, 2e-8}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rs_rgb8 p = {0};
        rs_render_options o = plain();
        o.scale_bar = true;
        o.dx = o.dy = cases[i].dx;
        assert_ok(rs_render_mean(v, 256, 256, &o, &p, NULL), &(reshed_error){0});
        assert_int_equal(p.width, 512);
        double want = cases[i].metres / cases[i].dx * 2;
        assert_true(want <= 0.3 * 512 && want >= 0.12 * 512);
        assert_true(fabs(longest_white(&p) - want) <= 1.5);
        rs_rgb8_clear(&p);
        o.dx = 0; /* without a pixel size there is nothing to say */
        assert_ok(rs_render_mean(v, 256, 256, &o, &p, NULL), &(reshed_error){0});
        assert_int_equal(longest_white(&p), 0);
        rs_rgb8_clear(&p);
    }
}

static void colour_bar_runs_from_lo_to_hi(void **state)
{
    (void)state;
    static float v[256 * 256];
    uint8_t table[RS_MAP_ENTRIES][3];
    rs_rgb8 p = {0};
    rs_render_options o;
    rs_render_options_defaults(&o);
    assert_ok(
        rs_render_map(v, 256, 256, -1e-10, 1e-10, RS_MAP_DIVERGING, "response", "m", &o, &p, NULL),
        &(reshed_error){0});
    rs_colour_table(RS_MAP_DIVERGING, table);
    assert_int_equal(p.height, 512);
    assert_true(p.width > 540 && p.width < 700);
    int x = 532; /* inside the bar */
    for (int y = 8; y < 504; y++) {
        double k = 255.0 * (511 - y) / 511;
        const uint8_t *c = at(&p, x, y), *want = table[(int)(k + 0.5)];
        for (int j = 0; j < 3; j++) assert_true(abs(c[j] - want[j]) <= 6);
    }
    int ink = 0; /* labels beside it */
    for (int y = 0; y < 40; y++)
        for (int i = 550; i < p.width; i++) ink += at(&p, i, y)[0] < 128;
    assert_true(ink > 20);
    rs_rgb8_clear(&p);
}

static void variance_range_ignores_gaps(void **state)
{
    (void)state;
    float v[40 * 40];
    uint8_t table[RS_MAP_ENTRIES][3];
    rs_rgb8 p = {0};
    rs_render_options o = plain();
    o.min_width = 0;
    rs_colour_table(RS_MAP_MAGMA, table);
    for (int i = 0; i < 1600; i++) v[i] = i < 800 ? NAN : 0.1f * (float)(i - 800) / 799;
    assert_ok(rs_render_variance(v, 40, 40, &o, &p, NULL), &(reshed_error){0});
    assert_memory_equal(at(&p, 39, 39), table[255], 3);
    assert_memory_equal(at(&p, 0, 20), table[0], 3);
    rs_rgb8_clear(&p);
    for (int k = 0; k < 2; k++) { /* nothing measured, nothing uncertain */
        for (int i = 0; i < 1600; i++) v[i] = k ? 0 : NAN;
        assert_ok(rs_render_variance(v, 40, 40, &o, &p, NULL), &(reshed_error){0});
        if (k) assert_memory_equal(at(&p, 5, 5), table[0], 3);
        rs_rgb8_clear(&p);
    }
}

static void overlay_is_grey_without_walls_and_red_with(void **state)
{
    (void)state;
    enum { N = 60 };
    float a[N * N], m[N * N];
    rs_rgb8 p = {0};
    rs_render_options o = plain();
    o.min_width = 0;
    for (int i = 0; i < N * N; i++) {
        a[i] = 1e-10f * (float)(i % N);
        m[i] = i / N < 20 ? 0 : i / N < 40 ? 1 : NAN;
    }
    a[0] = NAN;
    assert_ok(rs_render_overlay(a, m, N, N, &o, &p, NULL), &(reshed_error){0});
    for (int x = 1; x < N; x++) {
        const uint8_t *bare = at(&p, x, 10), *wall = at(&p, x, 30), *unknown = at(&p, x, 50);
        assert_true(bare[0] == bare[1] && bare[1] == bare[2]);
        assert_memory_equal(bare, unknown, 3);
        assert_true(bare[0] >= at(&p, x - 1, 10)[0]);
        assert_true(abs(wall[0] - (int)(0.2 * bare[0] + 0.8 * 0xE8)) <= 1);
        assert_true(abs(wall[1] - (int)(0.2 * bare[0] + 0.8 * 0x11)) <= 1);
        assert_true(abs(wall[2] - (int)(0.2 * bare[0] + 0.8 * 0x2D)) <= 1);
    }
    assert_true(at(&p, 1, 10)[0] <= 6 && at(&p, N - 1, 10)[0] == 255);
    rs_rgb8_clear(&p);
}

static void points_are_where_they_should_be(void **state)
{
    (void)state;
    static float v[64 * 64];
    const double x[5] = {10, 40.25, 63, -1000, NAN}, y[5] = {20, 50.75, 0, 5, 5};
    rs_rgb8 p = {0}, bare = {0};
    rs_render_options o = plain();
    assert_ok(rs_render_mean(v, 64, 64, &o, &bare, NULL), &(reshed_error){0});
    o.x = x;
    o.y = y;
    o.points = 5;
    for (int numbers = 0; numbers < 2; numbers++) {
        o.number_points = numbers;
        assert_ok(rs_render_mean(v, 64, 64, &o, &p, NULL), &(reshed_error){0});
        for (int i = 0; i < 3; i++) {
            const uint8_t *c = at(&p, (int)(8 * (x[i] + 0.5)), (int)(8 * (y[i] + 0.5)));
            assert_true(c[0] > 200 && c[1] > 180 && c[2] < 80);
        }
        int changed = 0;
        for (int i = 0; i < p.width * p.height; i++)
            changed += memcmp(p.data + 3 * i, bare.data + 3 * i, 3) != 0;
        /* Three crosses, one of them cut by the corner; more with numbers. */
        assert_true(numbers ? changed > 250 : changed > 60 && changed < 250);
        rs_rgb8_clear(&p);
    }
    rs_rgb8_clear(&bare);
}

static void bad_arguments_and_short_memory(void **state)
{
    (void)state;
    float v[16] = {0};
    rs_rgb8 p = {.width = 77};
    reshed_error err = {0};
    rs_render_options o;
    rs_render_options_defaults(&o);
    assert_int_equal(rs_render_mean(v, 0, 4, &o, &p, &err), RESHED_EINVAL);
    assert_int_equal(rs_render_map(v, 4, 4, 1, 0, RS_MAP_GREY, "", "", &o, &p, &err),
                     RESHED_EINVAL);
    assert_int_equal(rs_render_map(v, 4, 4, NAN, 0, RS_MAP_GREY, "", "", &o, &p, &err),
                     RESHED_EINVAL);
    o.dx = 1, o.dy = 1e-6;
    assert_int_equal(rs_render_mean(v, 4, 4, &o, &p, &err), RESHED_EUNSUPPORTED);
    o.dx = o.dy = 1e-9;
    o.min_width = 100000;
    assert_int_equal(rs_render_mean(v, 4, 4, &o, &p, &err), RESHED_EINVAL);
    o.min_width = 512;
    /* A name from a hostile file: broken UTF-8, control characters, too long. */
    char name[2000];
    memset(name, 'n', sizeof name);
    memcpy(name, "\xff\xc3 \x1b[2J\xed\xa0\x80\xf8", 12);
    name[sizeof name - 1] = '\0';
    assert_ok(rs_render_map(v, 4, 4, 0, 1, RS_MAP_GREY, name, "\xe2\x82", &o, &p, &err), &err);
    rs_rgb8_clear(&p);
    p.width = 77;
    for (long n = 0;; n++) {
        test_alloc_fail_at(n);
        reshed_status st = rs_render_overlay(v, v, 4, 4, &o, &p, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) break;
        assert_int_equal(st, RESHED_ENOMEM);
        assert_int_equal(p.width, 77);
    }
    assert_true(p.width > 512);
    rs_rgb8_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_keep_their_place_and_colour),
        cmocka_unit_test(pixels_have_true_proportions),
        cmocka_unit_test(scale_bar_has_a_round_length),
        cmocka_unit_test(colour_bar_runs_from_lo_to_hi),
        cmocka_unit_test(variance_range_ignores_gaps),
        cmocka_unit_test(overlay_is_grey_without_walls_and_red_with),
        cmocka_unit_test(points_are_where_they_should_be),
        cmocka_unit_test(bad_arguments_and_short_memory),
    };
    return cmocka_run_group_tests_name("img_render", tests, NULL, NULL);
}
