/* Labelled images: the recipe, one frame and its files, a data set. */
#include "support/support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "io/hdf5/h5.h"
#include "io/nsid/image.h"
#include "spm/labelled/dataset.h"
#include "spm/labelled/frame.h"
#include "spm/twin/random.h"
#include "support/h5_bare.h"
#include "support/io_support.h"

enum { COUNT = 150 /* more than a batch */, ROWS = 20, COLS = 24, PIXELS = ROWS * COLS };

static const rs_labelled_recipe plain = {
    .height = ROWS, .width = COLS, .seed = 5, .harsh = 1, .program = "test 1", .options = "--some"};

/* ----------------------------------------------------------------------------------- the recipe */
static void settings_are_found_by_name(void **state)
{
    (void)state;
    rs_labelled_setting s;
    assert_true(rs_labelled_find("spacing[1]", &s) && !s.effect);
    assert_true(rs_labelled_find("noise", &s) && s.effect);
    assert_false(rs_labelled_find("no_such", &s));
    assert_false(rs_labelled_find("", &s));
}

static void a_scene_is_the_recipes_alone(void **state)
{
    (void)state;
    rs_labelled_setting set[2];
    rs_labelled_recipe r = plain;
    assert_true(rs_labelled_find("noise", &set[0]) && rs_labelled_find("run", &set[1]));
    set[0].value = 0.25;
    set[1].value = 3e-7;
    rs_labelled_scene s = rs_labelled_draw(&r, 0);
    assert_true(s.pixel == 10e-9 && s.film.seed == 5 && s.effects.seed == 5);
    assert_true(s.view.rows == ROWS && s.view.cols == COLS && s.view.row_end == ROWS);
    assert_true(s.view.width == COLS * 10e-9 && s.view.height == ROWS * 10e-9);
    r.setting = set;
    r.settings = 2;
    r.random = true;
    s = rs_labelled_draw(&r, 7);
    assert_true(s.effects.noise == 0.25 && s.film.run == 3e-7);
    assert_true(s.pixel >= RS_TWIN_PIXEL_MIN && s.pixel <= RS_TWIN_PIXEL_MAX);
    /* Equal but for what is set. */
    rs_twin_options film;
    rs_twin_effects effects;
    double pixel;
    rs_twin_randomise(rs_twin_image_seed(5, 7), ROWS, COLS, 0, 1, &film, &effects, &pixel);
    assert_true(film.seed == s.film.seed && effects.seed == s.effects.seed && pixel == s.pixel);
    assert_true(rs_labelled_draw(&r, 8).film.seed != s.film.seed);
    r.seed = 6;
    assert_true(rs_labelled_draw(&r, 7).film.seed != s.film.seed);
}

static void impossible_recipes_are_refused(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_labelled_frame f = {0};
    rs_labelled_recipe r = plain;
    r.height = 0;
    assert_error(rs_labelled_frame_make(&r, &f, &err), RESHED_EINVAL, &err, "size");
    assert_error(rs_labelled_dataset(&r, 1, RS_DATASET_U8, 1, test_temp("no.h5"), NULL, NULL, &err),
                 RESHED_EINVAL, &err, "size");
    r = plain;
    r.pixel = -1;
    assert_error(rs_labelled_frame_make(&r, &f, &err), RESHED_EINVAL, &err, "pixel size");
    rs_labelled_frame_clear(&f);
    rs_labelled_setting set;
    r = plain;
    assert_true(rs_labelled_find("level", &set));
    set.value = -1;
    r.setting = &set;
    r.settings = 1;
    assert_error(rs_labelled_frame_make(&r, &f, &err), RESHED_EINVAL, &err, "level");
    rs_labelled_frame_clear(&f);
    assert_int_equal(
        rs_labelled_dataset(&r, 1, RS_DATASET_U8, 1, test_temp("no.h5"), NULL, NULL, &err),
        RESHED_EINVAL);
    assert_int_equal(
        rs_labelled_dataset(&plain, 0, RS_DATASET_U8, 1, test_temp("no.h5"), NULL, NULL, &err),
        RESHED_EINVAL);
    assert_false(rs_os_is_file(test_temp("no.h5")));
}

/* ------------------------------------------------------------------------------------ one frame */
static void a_frame_is_the_twins(void **state)
{
    (void)state;
    static float amplitude[PIXELS], height[PIXELS];
    static uint8_t wall[PIXELS];
    reshed_error err = {0};
    rs_labelled_frame f = {0};
    rs_twin_sample *film = NULL;
    const rs_labelled_scene s = rs_labelled_draw(&plain, 0);
    const rs_twin_channels out = {.amplitude = amplitude, .height = height, .wall = wall};
    assert_ok(rs_twin_sample_create(&s.film, &film, &err), &err);
    assert_ok(rs_twin_frame(film, s.film.level, &s.effects, &s.view, &out, &err), &err);
    rs_twin_sample_free(film);
    assert_ok(rs_labelled_frame_make(&plain, &f, &err), &err);
    assert_true(f.height == ROWS && f.width == COLS && f.pixel == 10e-9);
    assert_memory_equal(f.channel[RS_LABELLED_AMPLITUDE].data, amplitude, sizeof amplitude);
    assert_memory_equal(f.channel[RS_LABELLED_HEIGHT].data, height, sizeof height);
    assert_memory_equal(f.wall, wall, sizeof wall);
    assert_string_equal(f.channel[RS_LABELLED_PHASE].unit, "rad");
    rs_labelled_frame_clear(&f);
    rs_labelled_frame_clear(&f);
}

static void files_are_read_back_the_right_way_up(void **state)
{
    (void)state;
    char prefix[512], path[600];
    reshed_error err = {0};
    rs_labelled_frame f = {0};
    rs_nsid_file *file = NULL;
    rs_image im;
    strcpy(prefix, test_temp("frame"));
    assert_ok(rs_labelled_frame_make(&plain, &f, &err), &err);
    assert_ok(rs_labelled_write_h5(&f, &plain, prefix, &err), &err);
    assert_ok(rs_labelled_write_npy(&f, prefix, &err), &err);
    assert_ok(rs_labelled_write_png(&f, prefix, &err), &err);
    assert_ok(rs_labelled_write_csv(&f, prefix, &err), &err);
    snprintf(path, sizeof path, "%s.h5", prefix);
    assert_ok(rs_nsid_open(path, &file, &err), &err);
    assert_int_equal(rs_nsid_count(file), RS_LABELLED_CHANNELS + 3);
    assert_ok(rs_nsid_image_read(file, "Amplitude", RS_FRAME_ONLY, &im, &err), &err);
    assert_true(im.height == ROWS && im.width == COLS);
    assert_true(im.dx > 9.99e-9 && im.dx < 10.01e-9);
    assert_memory_equal(im.data, f.channel[RS_LABELLED_AMPLITUDE].data, PIXELS * sizeof *im.data);
    rs_image_clear(&im);
    assert_ok(rs_nsid_image_read(file, "Truth walls", RS_FRAME_ONLY, &im, &err), &err);
    for (int i = 0; i < PIXELS; i++) assert_true(im.data[i] == f.wall[i]);
    rs_image_clear(&im);
    rs_nsid_close(file);
    static const char *const ending[] = {".npy",       ".png",       "_walls.npy", "_domains.npy",
                                         "_walls.png", "_walls.csv", "_kinds.npy"};
    for (int k = 0; k < 7; k++) {
        snprintf(path, sizeof path, "%s%s", prefix, ending[k]);
        assert_true(rs_os_is_file(path));
    }
    rs_labelled_frame_clear(&f);
}

static void long_names_are_refused(void **state)
{
    (void)state;
    static char name[5000];
    reshed_error err = {0};
    rs_labelled_frame f = {0};
    memset(name, 'a', sizeof name - 1);
    assert_ok(rs_labelled_frame_make(&plain, &f, &err), &err);
    assert_error(rs_labelled_write_h5(&f, &plain, name, &err), RESHED_EINVAL, &err, "too long");
    assert_error(rs_labelled_write_npy(&f, name, &err), RESHED_EINVAL, &err, "too long");
    assert_error(rs_labelled_write_png(&f, name, &err), RESHED_EINVAL, &err, "too long");
    assert_error(rs_labelled_write_csv(&f, name, &err), RESHED_EINVAL, &err, "too long");
    rs_labelled_frame_clear(&f);
}

static void a_frame_survives_short_memory(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_labelled_frame f = {0};
    long failed = 0;
    for (reshed_status st = RESHED_ENOMEM; st != RESHED_OK; failed++) {
        test_alloc_fail_at(failed);
        st = rs_labelled_frame_make(&plain, &f, &err);
        test_alloc_fail_at(-1);
        if (st != RESHED_OK) assert_int_equal(st, RESHED_ENOMEM);
        rs_labelled_frame_clear(&f);
    }
    assert_true(failed > 2 + RS_LABELLED_CHANNELS);
}

/* ----------------------------------------------------------------------------------- a data set */
static void note(void *ctx, int64_t done)
{
    int64_t *last = ctx;
    assert_true(done > *last);
    *last = done;
}

static void a_data_set_does_not_depend_on_threads(void **state)
{
    (void)state;
    static uint8_t a[COUNT * PIXELS], b[COUNT * PIXELS], walls[COUNT * PIXELS];
    char one[512], three[512];
    reshed_error err = {0};
    hsize_t dims[3];
    size_t wall = 0;
    int64_t done = 0;
    rs_labelled_recipe r = plain;
    r.random = true;
    strcpy(one, test_temp("one.h5"));
    strcpy(three, test_temp("three.h5"));
    assert_ok(rs_labelled_dataset(&r, COUNT, RS_DATASET_U8, 1, one, note, &done, &err), &err);
    assert_int_equal(done, COUNT);
    h5_read_set(one, "images", H5T_NATIVE_UINT8, a, dims);
    assert_true(dims[0] == COUNT && dims[1] == ROWS && dims[2] == COLS);
    assert_ok(rs_labelled_dataset(&r, COUNT, RS_DATASET_U8, 3, three, NULL, NULL, &err), &err);
    h5_read_set(three, "images", H5T_NATIVE_UINT8, b, dims);
    assert_memory_equal(a, b, sizeof a);
    h5_read_set(three, "labels", H5T_NATIVE_UINT8, walls, dims);
    for (size_t i = 0; i < sizeof walls; i++) {
        assert_true(walls[i] <= 1);
        wall += walls[i];
    }
    assert_true(wall > sizeof walls / 50 && wall < sizeof walls / 3);
    /* The first images of a larger set are those of a smaller one. */
    assert_ok(rs_labelled_dataset(&r, 10, RS_DATASET_U8, 2, three, NULL, NULL, &err), &err);
    h5_read_set(three, "images", H5T_NATIVE_UINT8, b, dims);
    assert_memory_equal(a, b, (size_t)10 * PIXELS);
    assert_int_equal(
        rs_labelled_dataset(&r, 1, RS_DATASET_U8, 1, "/nonexistent/x.h5", NULL, NULL, &err),
        RESHED_EIO);
}

/* Each image fills [0,1] in every type. */
static void images_are_scaled(void **state)
{
    (void)state;
    enum { FEW = 4 };
    static float v[FEW * PIXELS], half[FEW * PIXELS];
    static uint8_t byte[FEW * PIXELS];
    reshed_error err = {0};
    hsize_t dims[3];
    char path[512];
    rs_labelled_recipe r = plain;
    r.random = true;
    strcpy(path, test_temp("scaled.h5"));
    assert_ok(rs_labelled_dataset(&r, FEW, RS_DATASET_F32, 1, path, NULL, NULL, &err), &err);
    h5_read_set(path, "images", H5T_NATIVE_FLOAT, v, dims);
    assert_ok(rs_labelled_dataset(&r, FEW, RS_DATASET_F16, 1, path, NULL, NULL, &err), &err);
    h5_read_set(path, "images", H5T_NATIVE_FLOAT, half, dims);
    assert_ok(rs_labelled_dataset(&r, FEW, RS_DATASET_U8, 1, path, NULL, NULL, &err), &err);
    h5_read_set(path, "images", H5T_NATIVE_UINT8, byte, dims);
    for (int k = 0; k < FEW; k++) {
        float lo = 1, hi = 0;
        for (int i = k * PIXELS; i < (k + 1) * PIXELS; i++) {
            lo = v[i] < lo ? v[i] : lo;
            hi = v[i] > hi ? v[i] : hi;
            assert_true(byte[i] == (uint8_t)(v[i] * 255 + 0.5f));
            assert_true(fabsf(half[i] - v[i]) <= 0x1p-11f * v[i] + 0x1p-25f);
        }
        assert_true(lo == 0 && fabsf(hi - 1) < 1e-6f); /* one rounding */
    }
}

static void a_data_set_survives_short_memory(void **state)
{
    (void)state;
    char path[512];
    reshed_error err = {0};
    rs_labelled_recipe r = plain;
    long failed = 0;
    r.random = true;
    strcpy(path, test_temp("short.h5"));
    remove(path);
    for (reshed_status st = RESHED_ENOMEM; st != RESHED_OK; failed++) {
        test_alloc_fail_at(failed);
        st = rs_labelled_dataset(&r, 2, RS_DATASET_U8, 1, path, NULL, NULL, &err);
        test_alloc_fail_at(-1);
        if (st == RESHED_OK) break;
        assert_int_equal(st, RESHED_ENOMEM);
        assert_false(rs_os_is_file(path));
    }
    assert_true(failed > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_found_by_name),
        cmocka_unit_test(a_scene_is_the_recipes_alone),
        cmocka_unit_test(impossible_recipes_are_refused),
        cmocka_unit_test(a_frame_is_the_twins),
        cmocka_unit_test(files_are_read_back_the_right_way_up),
        cmocka_unit_test(long_names_are_refused),
        cmocka_unit_test(a_frame_survives_short_memory),
        cmocka_unit_test(a_data_set_does_not_depend_on_threads),
        cmocka_unit_test(images_are_scaled),
        cmocka_unit_test(a_data_set_survives_short_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
