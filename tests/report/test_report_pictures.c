#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "report/pictures.h"
#include "report/save.h"
#include "support/report_scene.h"
#include "support/support.h"

enum { H = 64, W = 64 };

typedef struct preview {
    float amplitude[H * W], mean[H * W], variance[H * W];
    uint8_t state[H];
    rs_session_point point[3];
    char prefix[512];
} preview;

static void make_preview(preview *v, const char *name)
{
    const report_scene scene = {.rows = H, .cols = W, .lines = H};
    memset(v, 0, sizeof *v);
    report_scene_maps(&scene, v->amplitude, v->mean, v->variance);
    for (int r = 0; r < H; r++)
        v->state[r] = r < 30   ? RS_SESSION_FINAL
                      : r < 40 ? RS_SESSION_PROVISIONAL
                               : RS_SESSION_UNSCANNED;
    for (int i = 0; i < 3; i++)
        v->point[i] =
            (rs_session_point){.row = 10 * i + 5, .col = 20, .state = (rs_session_point_state)i};
    snprintf(v->prefix, sizeof v->prefix, "%s", test_temp(name));
}

static rs_image picture(const preview *v, const char *name)
{
    char path[600];
    reshed_error err = {0};
    rs_image im = {0};
    size_t len;
    snprintf(path, sizeof path, "%s_%s.png", v->prefix, name);
    uint8_t *bytes = test_read_file(path, &len);
    assert_ok(rs_png_read_mem(bytes, len, &im, &err), &err);
    rs_free(bytes);
    return im;
}

/* Returns the luminance of the picture at the centre of a pixel of the map, moved by (dx, dy)
 * picture pixels. */
static double tone(const rs_image *im, double row, double col, int dx, int dy)
{
    int k = 512 / W, x = (int)(col * k + k / 2.0) + dx, y = (int)(row * k + k / 2.0) + dy;
    assert_true(x >= 0 && y >= 0 && x < im->width && y < im->height);
    return im->data[(size_t)y * (size_t)im->width + (size_t)x];
}

/* The luminance of what is not measured. */
#define GREY ((0.2126 * 0x9a + 0.7152 * 0x9a + 0.0722 * 0xa2) / 255)

static void rows_in_the_pictures(void **state)
{
    (void)state;
    static const char *const name[] = {"amplitude", "mean", "variance", "walls"};
    static preview v;
    reshed_error err = {0};
    char path[600];
    make_preview(&v, "rows");
    assert_ok(rs_report_pictures(v.prefix, H, W, 1e-8, v.amplitude, v.mean, v.variance, v.state,
                                 NULL, 0, &err),
              &err);
    for (int i = 0; i < 4; i++) {
        rs_image im = picture(&v, name[i]);
        assert_int_equal(im.height, 512);
        /* not scanned: grey, whatever the maps hold there */
        for (int c = 30; c < W; c++) assert_float_equal(tone(&im, 45, c, 0, 0), GREY, 0.01);
        double bar = (0.2126 * 0xff + 0.7152 * 0x8c) / 255; /* orange, at the provisional rows */
        for (int r = 31; r < 39; r++) assert_float_equal(tone(&im, r, 0, -3, 0), bar, 0.02);
        for (int r = 42; r < 50; r++) assert_float_equal(tone(&im, r, 0, -3, 0), GREY, 0.02);
        bool varies = false;
        for (int c = 1; c < W; c++)
            varies = varies || fabs(tone(&im, 20, c, 0, 0) - tone(&im, 20, c - 1, 0, 0)) > 0.1;
        assert_true(varies);
        rs_image_clear(&im);
    }
    snprintf(path, sizeof path, "%s_points.png", v.prefix);
    assert_false(rs_os_is_file(path));
    /* With all rows final there is no bar. */
    assert_ok(
        rs_report_pictures(v.prefix, H, W, 0, v.amplitude, v.mean, v.variance, NULL, NULL, 0, &err),
        &err);
    rs_image im = picture(&v, "mean");
    for (int r = 0; r < H; r++) assert_true(tone(&im, r, 0, -3, 0) < 0.99);
    assert_true(fabs(tone(&im, 35, 0, -3, 0) - (0.2126 * 0xff + 0.7152 * 0x8c) / 255) > 0.02 ||
                v.mean[35 * W] > 0.5F);
    rs_image_clear(&im);
}

static void points_in_the_picture(void **state)
{
    (void)state;
    static preview v;
    reshed_error err = {0};
    make_preview(&v, "points");
    assert_ok(rs_report_pictures(v.prefix, H, W, 1e-8, v.amplitude, v.mean, v.variance, NULL,
                                 v.point, 3, &err),
              &err);
    rs_image im = picture(&v, "points"), plain = picture(&v, "amplitude");
    assert_int_equal(im.width, plain.width);
    /* a ring leaves its centre, a disc and a cross cover it */
    double disc = (0.7152 * 0xb8 + 0.0722 * 0x84) / 255;
    double cross = (0.2126 * 0xff + 0.7152 * 0x3b + 0.0722 * 0x1f) / 255;
    assert_float_equal(tone(&im, 5, 20, 0, 0), tone(&plain, 5, 20, 0, 0), 0.02);
    assert_float_equal(tone(&im, 15, 20, 0, 0), disc, 0.02);
    assert_float_equal(tone(&im, 25, 20, 0, 0), cross, 0.05);
    rs_image_clear(&im);
    rs_image_clear(&plain);
}

static void pictures_fail_cleanly(void **state)
{
    (void)state;
    static preview v;
    reshed_error err = {0};
    make_preview(&v, "fail");
    test_alloc_reset();
    assert_ok(rs_report_pictures(v.prefix, H, W, 1e-8, v.amplitude, v.mean, v.variance, v.state,
                                 v.point, 3, &err),
              &err);
    long total = test_alloc_count();
    for (long n = 0; n < total; n += n < 20 ? 1 : test_tier(97, 9, 1)) {
        test_alloc_fail_at(n);
        reshed_status st = rs_report_pictures(v.prefix, H, W, 1e-8, v.amplitude, v.mean, v.variance,
                                              v.state, v.point, 3, &err);
        assert_true(test_alloc_failed());
        test_alloc_fail_at(-1);
        if (st != RESHED_ENOMEM) fail_msg("allocation %ld of %ld: status %d", n, total, st);
    }
    rs_image im = picture(&v, "points"); /* the old one is whole */
    rs_image_clear(&im);
    assert_int_equal(rs_report_pictures("no/such/folder/x", H, W, 1e-8, v.amplitude, v.mean,
                                        v.variance, v.state, NULL, 0, &err),
                     RESHED_EIO);
    assert_int_equal(rs_report_pictures(v.prefix, 0, W, 1e-8, v.amplitude, v.mean, v.variance, NULL,
                                        NULL, 0, &err),
                     RESHED_EINVAL);
}

/* ----------------------------------------------------------------------------- saving a picture */

static void what_is_saved_is_freed(void **state)
{
    (void)state;
    char path[512], prefix[512];
    reshed_error err = {0};
    rs_rgb8 picture = {0};
    size_t len;
    snprintf(path, sizeof path, "%s", test_temp("save_one.png"));
    snprintf(prefix, sizeof prefix, "%s", test_temp("save"));
    for (int named = 0; named < 2; named++) {
        rs_image im = {0};
        assert_ok(rs_rgb8_init(&picture, 3, 5, &err), &err);
        memset(picture.data, 255, 45);
        if (named)
            assert_ok(
                rs_report_save_named(RESHED_OK, &picture, RS_PNG_RGB8_QUICK, prefix, "one", &err),
                &err);
        else
            assert_ok(rs_report_save(RESHED_OK, &picture, RS_PNG_RGB8, path, &err), &err);
        assert_null(picture.data);
        uint8_t *bytes = test_read_file(path, &len);
        assert_ok(rs_png_read_mem(bytes, len, &im, &err), &err);
        assert_true(im.height == 3 && im.width == 5 && im.data[14] == 1);
        rs_image_clear(&im);
        rs_free(bytes);
        assert_int_equal(remove(path), 0);
    }
    /* After a failure of the drawing nothing is written. */
    assert_ok(rs_rgb8_init(&picture, 3, 5, &err), &err);
    assert_int_equal(rs_report_save(RESHED_ECORRUPT, &picture, RS_PNG_RGB8, path, &err),
                     RESHED_ECORRUPT);
    assert_null(picture.data);
    assert_int_equal(rs_report_save_figure(RESHED_ENOMEM, NULL, path, &err), RESHED_ENOMEM);
    assert_false(rs_os_is_file(path));
}

static void bad_places_of_a_picture(void **state)
{
    (void)state;
    static char prefix[4096];
    reshed_error err = {0};
    rs_rgb8 picture = {0};
    memset(prefix, 'a', sizeof prefix - 1);
    for (int i = 0; i < 2; i++) {
        assert_ok(rs_rgb8_init(&picture, 3, 5, &err), &err);
        memset(picture.data, 0, 45);
        reshed_status st = rs_report_save_named(RESHED_OK, &picture, RS_PNG_RGB8,
                                                i ? prefix : "no/such/folder", "x", &err);
        assert_int_equal(st, i ? RESHED_EINVAL : RESHED_EIO);
        assert_null(picture.data);
    }
}

static void a_figure_is_saved(void **state)
{
    (void)state;
    static const double x[2] = {0, 1};
    char path[512];
    reshed_error err = {0};
    snprintf(path, sizeof path, "%s", test_temp("figure.png"));
    long total = 1;
    for (long n = -1; n < total; n += n < 0 ? 1 : test_tier(61, 7, 1)) {
        rs_figure *f = NULL;
        assert_ok(rs_figure_create(120, 100, 1, 1, &f, &err), &err);
        rs_panel_line(rs_figure_panel(f, 0, 0, 1, 1), x, x, 2, &(rs_style){.width = 1}, NULL);
        test_alloc_reset();
        test_alloc_fail_at(n);
        reshed_status st = rs_report_save_figure(RESHED_OK, f, path, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (n < 0) total = test_alloc_count();
        assert_int_equal(failed, n >= 0);
        assert_int_equal(st, failed ? RESHED_ENOMEM : RESHED_OK);
    }
    assert_true(rs_os_is_file(path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_in_the_pictures),    cmocka_unit_test(points_in_the_picture),
        cmocka_unit_test(pictures_fail_cleanly),   cmocka_unit_test(what_is_saved_is_freed),
        cmocka_unit_test(bad_places_of_a_picture), cmocka_unit_test(a_figure_is_saved),
    };
    return cmocka_run_group_tests_name("report_pictures", tests, NULL, NULL);
}
