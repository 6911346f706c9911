/* reshed-walls on maps whose values tell little: no value at all, gaps, classes that are hard to tell
 * apart. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "io/image_file.h"
#include "io/npy.h"
#include "io/walls_h5.h"
#include "support/program.h"

enum { H = 40, W = 48, C = 3 };

static const char *write_map(const char *name, const float *map)
{
    const size_t dims[2] = {H, W};
    reshed_error err = {0};
    const char *path = test_temp(name);
    assert_ok(rs_npy_write(path, RS_NPY_F4, 2, dims, map, &err), &err);
    return path;
}

/* A wall along row 20 of 0.9 on 0.05. */
static void draw(float *map)
{
    for (int i = 0; i < H * W; i++) map[i] = i / W >= 19 && i / W <= 21 ? 0.9f : 0.05f;
}

static void a_map_without_a_value_is_none(void **state)
{
    (void)state;
    static float map[H * W];
    char args[1024];
    for (int i = 0; i < H * W; i++) map[i] = i % 3 ? NAN : INFINITY;
    snprintf(args, sizeof args, "%s", write_map("nan.npy", map));
    const outcome *o = run_program("reshed-walls", args);
    assert_int_equal(o->status, 1);
    assert_non_null(strstr(o->err, "nan.npy: values of the map"));
    assert_non_null(strstr(o->err, "no finite value"));
    assert_string_equal(o->out, "");
}

static void gaps_are_counted(void **state)
{
    (void)state;
    static float map[H * W];
    char args[1024];
    draw(map);
    for (int i = 0; i < 100; i++) map[i] = NAN;
    map[21 * W + 5] = -INFINITY;
    snprintf(args, sizeof args, "--json %s", write_map("gaps.npy", map));
    const outcome *o = run_program("reshed-walls", args);
    assert_int_equal(o->status, 0);
    assert_non_null(strstr(o->err, "101 of 1920 pixels have no finite value"));
    assert_near(json_number(o->out, "undefined_pixels"), 101, 0);
    assert_near(json_number(o->out, "walls"), 1, 0);
}

static void nothing_above_the_threshold_is_said(void **state)
{
    (void)state;
    static float map[H * W];
    char args[1024];
    draw(map);
    for (int i = 0; i < H * W; i++) map[i] *= 0.25f;
    snprintf(args, sizeof args, "%s", write_map("low.npy", map));
    const outcome *o = run_program("reshed-walls", args);
    assert_int_equal(o->status, 0);
    assert_non_null(strstr(o->err, "no pixel is above 0.5 (values from 0.0125 to 0.225)"));
    snprintf(args, sizeof args, "--threshold=0.1 %s", test_temp("low.npy"));
    o = run_program("reshed-walls", args);
    assert_null(strstr(o->err, "no pixel"));
    assert_non_null(strstr(o->out, "1 walls"));
}

/* Three classes at 0.3 to 0.4 each: the likeliest is wall although no probability is above 0.5. */
static void the_likeliest_class_is_wall(void **state)
{
    (void)state;
    static float wall[H * W], layers[H * W * C], variance[H * W * C];
    char npy[512], h5[512], args[2048];
    const size_t dims[3] = {H, W, C};
    reshed_error err = {0};
    draw(wall);
    for (int i = 0; i < H * W; i++) {
        const int most = wall[i] > 0.5f ? 1 : i / W < 4 ? 2 : 0;
        for (int k = 0; k < C; k++) layers[i * C + k] = k == most ? 0.36f : 0.32f;
    }
    snprintf(npy, sizeof npy, "%s", test_temp("classes.npy"));
    snprintf(h5, sizeof h5, "%s", test_temp("classes.h5"));
    assert_ok(rs_npy_write(npy, RS_NPY_F4, 3, dims, layers, &err), &err);
    const rs_walls_file f = {.height = H,
                             .width = W,
                             .classes = C,
                             .mean = layers,
                             .variance = variance,
                             .input = wall,
                             .normalisation = "frame",
                             .precision = "fp32",
                             .weights_checksum = "",
                             .program = "test",
                             .source = "",
                             .channel = ""};
    assert_ok(rs_walls_write(h5, &f, &err), &err);
    for (int k = 0; k < 2; k++) {
        const char *path = k ? h5 : npy;
        static const double share[C] = {33.0 / H, 3.0 / H, 4.0 / H};
        for (int c = 0; c < C; c++) {
            snprintf(args, sizeof args, "--json --class=%d %s", c, path);
            const outcome *o = run_program("reshed-walls", args);
            assert_int_equal(o->status, 0);
            assert_near(json_number(o->out, "wall_fraction"), share[c], 1e-9);
            assert_null(strstr(o->err, "no pixel"));
        }
        snprintf(args, sizeof args, "--class=1 %s", path);
        const outcome *o = run_program("reshed-walls", args);
        assert_non_null(strstr(o->out, "144 pixels above 0.5 or of no likelier class"));
        /* A threshold that is given counts alone. */
        snprintf(args, sizeof args, "--json --class=1 --threshold=0.5 %s", path);
        o = run_program("reshed-walls", args);
        assert_near(json_number(o->out, "wall_fraction"), 0, 0);
        assert_non_null(strstr(o->err, "no pixel is above 0.5"));
    }
}

/* One file for Gwyddion from either program. */
static void maps_go_to_gwyddion(void **state)
{
    (void)state;
    static float map[H * W];
    char path[512], gwy[512], args[2048];
    reshed_error err = {0};
    rs_image im;
    draw(map);
    snprintf(path, sizeof path, "%s", write_map("scan.npy", map));
    snprintf(gwy, sizeof gwy, "%s", test_temp("scan.gwy"));
    snprintf(args, sizeof args, "--pixel-size=5 --gwy=%s %s", gwy, path);
    assert_int_equal(run_program("reshed-walls", args)->status, 0);
    assert_ok(rs_image_read(gwy, "Wall probability", &im, &err), &err);
    assert_memory_equal(im.data, map, sizeof map);
    assert_near(im.dx, 5e-9, 1e-20);
    rs_image_clear(&im);
    assert_ok(rs_image_read(gwy, "Wall probability mask", &im, &err), &err);
    double lines = 0;
    for (int i = 0; i < H * W; i++) lines += (double)im.data[i];
    assert_true(lines >= W - 4 && lines <= W + 4);
    rs_image_clear(&im);
    snprintf(args, sizeof args, "--weights=%s --gwy=%s %s",
             test_data("tiny_bilinear_ensemble_metadict.tar"), gwy, path);
    assert_int_equal(run_program("reshed-infer", args)->status, 0);
    assert_ok(rs_image_read(gwy, "Image", &im, &err), &err);
    assert_memory_equal(im.data, map, sizeof map);
    rs_image_clear(&im);
    snprintf(args, sizeof args, "--gwy=%s %s", path, path);
    assert_int_equal(run_program("reshed-walls", args)->status, 2);
}

/* The same in the formats of others, read by our own readers: each has the values to the bit. */
static void maps_go_to_others(void **state)
{
    (void)state;
    static const char *const infer[][2] = {
        {"m_image.gsf", NULL}, {"m_mean.gsf", NULL}, {"m_variance.gsf", NULL}, {"m.spm", "Image"}};
    static float map[H * W];
    char path[512], prefix[512], iso[512], args[2048];
    reshed_error err = {0};
    rs_image im, mean;
    draw(map);
    snprintf(path, sizeof path, "%s", write_map("scan.npy", map));
    snprintf(prefix, sizeof prefix, "%s", test_temp("m"));
    snprintf(iso, sizeof iso, "%s", test_temp("m.spm"));
    snprintf(args, sizeof args, "--weights=%s --gsf=%s --iso=%s %s",
             test_data("tiny_bilinear_ensemble_metadict.tar"), prefix, iso, path);
    assert_int_equal(run_program("reshed-infer", args)->status, 0);
    for (size_t i = 0; i < sizeof infer / sizeof *infer; i++) {
        assert_ok(rs_image_read(test_temp(infer[i][0]), infer[i][1], &im, &err), &err);
        assert_true(im.height == H && im.width == W && im.dx == 0);
        if (i == 0 || i == 3) assert_memory_equal(im.data, map, sizeof map);
        rs_image_clear(&im);
    }
    assert_ok(rs_image_read(test_temp("m_mean.gsf"), NULL, &mean, &err), &err);
    assert_ok(rs_image_read(iso, "Wall probability", &im, &err), &err);
    assert_memory_equal(im.data, mean.data, sizeof map);
    rs_image_clear(&im);
    rs_image_clear(&mean);
    snprintf(args, sizeof args, "--weights=%s --gsf=%s --out=%s %s",
             test_data("tiny_bilinear_ensemble_metadict.tar"), prefix, test_temp("."), path);
    assert_int_equal(run_program("reshed-infer", args)->status, 2);

    snprintf(args, sizeof args, "--pixel-size=5 --gsf=%s.gsf --iso=%s %s", prefix, iso, path);
    assert_int_equal(run_program("reshed-walls", args)->status, 0);
    assert_ok(rs_image_read(test_temp("m.gsf"), NULL, &im, &err), &err);
    assert_near(im.dx, 5e-9, 1e-20);
    double lines = 0;
    for (int i = 0; i < H * W; i++) lines += (double)im.data[i];
    assert_true(lines >= W - 4 && lines <= W + 4);
    assert_ok(rs_image_read(iso, "Skeleton", &mean, &err), &err);
    assert_memory_equal(im.data, mean.data, sizeof map);
    assert_near(mean.dx, 5e-9, 1e-20);
    rs_image_clear(&im);
    rs_image_clear(&mean);
    snprintf(args, sizeof args, "--iso=%s --gsf=%s %s", iso, iso, path);
    assert_int_equal(run_program("reshed-walls", args)->status, 2);
    snprintf(args, sizeof args, "--gsf=/nonexistent/a.gsf %s", path);
    assert_int_equal(run_program("reshed-walls", args)->status, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_without_a_value_is_none),
        cmocka_unit_test(gaps_are_counted),
        cmocka_unit_test(nothing_above_the_threshold_is_said),
        cmocka_unit_test(the_likeliest_class_is_wall),
        cmocka_unit_test(maps_go_to_gwyddion),
        cmocka_unit_test(maps_go_to_others),
    };
    return cmocka_run_group_tests_name("walls_values", tests, NULL, NULL);
}
