#include "support/support.h"

#include <string.h>

#include "tools/twin/job.h"
#include "base/alloc.h"
#include "base/os.h"
#include "base/tensors.h"
#include "io/hdf5/dataset.h"
#include "io/hdf5/h5.h"
#include "io/nsid/image.h"

enum { ITEMS = 37, H = 5, W = 7 };

static void make_items(uint8_t *images, uint8_t *labels, double *pixel)
{
    for (int i = 0; i < ITEMS * H * W; i++) {
        images[i] = (uint8_t)(i * 31);
        labels[i] = (uint8_t)(i % 5 == 0);
    }
    for (int i = 0; i < ITEMS; i++) pixel[i] = 1e-9 * (i + 1);
}

static const rs_dataset_info info_u8 = {.count = ITEMS,
                                        .height = H,
                                        .width = W,
                                        .type = RS_DATASET_U8,
                                        .seed = 0xfedcba9876543210u,
                                        .program = "test",
                                        .options = "--some \xc3\xa9"};

/* Writes the items in uneven blocks, the last ones first. */
static reshed_status write_items(const char *path, const rs_dataset_info *info, const void *images,
                                 const uint8_t *labels, const double *pixel, reshed_error *err)
{
    static const int cut[] = {0, 1, 17, 33, ITEMS};
    rs_dataset *d = NULL;
    size_t bytes = rs_dataset_pixel_bytes(info->type) * H * W;
    reshed_status st = rs_dataset_create(path, info, &d, err);
    for (int k = 3; k >= 0 && st == RESHED_OK; k--)
        st = rs_dataset_write(d, cut[k], cut[k + 1] - cut[k],
                              (const uint8_t *)images + (size_t)cut[k] * bytes,
                              labels + cut[k] * H * W, pixel + cut[k], err);
    return rs_dataset_finish(d, st, err);
}

static void read_set(const char *path, const char *name, hid_t type, void *out, hsize_t dims[3])
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t set = H5Dopen2(file, name, H5P_DEFAULT), space = H5Dget_space(set);
    assert_true(set >= 0 && space >= 0);
    H5Sget_simple_extent_dims(space, dims, NULL);
    assert_true(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0);
    rs_h5_close(space);
    rs_h5_close(set);
    H5Fclose(file);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    reshed_error err = {0};
    const char *path = test_temp("set.h5");
    static uint8_t images[ITEMS * H * W], labels[ITEMS * H * W], got[ITEMS * H * W];
    double pixel[ITEMS], got_pixel[ITEMS];
    hsize_t dims[3] = {0};
    make_items(images, labels, pixel);
    assert_ok(write_items(path, &info_u8, images, labels, pixel, &err), &err);
    read_set(path, "images", H5T_NATIVE_UINT8, got, dims);
    assert_int_equal(dims[0], ITEMS);
    assert_int_equal(dims[1], H);
    assert_int_equal(dims[2], W);
    assert_memory_equal(got, images, sizeof got);
    read_set(path, "labels", H5T_NATIVE_UINT8, got, dims);
    assert_memory_equal(got, labels, sizeof got);
    read_set(path, "pixel_size", H5T_NATIVE_DOUBLE, got_pixel, dims);
    assert_memory_equal(got_pixel, pixel, sizeof pixel);

    rs_h5_file *file = NULL;
    assert_ok(rs_h5_open(path, NULL, 0, &file, &err), &err);
    char text[64];
    uint64_t value = 0;
    assert_true(rs_h5_text(file, file->id, "format", text, sizeof text));
    assert_string_equal(text, "reshed-dataset");
    assert_true(rs_h5_text(file, file->id, "options", text, sizeof text));
    assert_string_equal(text, info_u8.options);
    hid_t seed = H5Aopen(file->id, "seed", H5P_DEFAULT);
    assert_true(H5Aread(seed, H5T_NATIVE_UINT64, &value) >= 0);
    assert_true(value == info_u8.seed);
    rs_h5_close(seed);
    rs_h5_file_close(file);
}

static void half_precision_is_numpys(void **state)
{
    (void)state;
    reshed_error err = {0};
    const char *path = test_temp("half.h5");
    static uint16_t images[ITEMS * H * W];
    static uint8_t labels[ITEMS * H * W];
    static float got[ITEMS * H * W];
    double pixel[ITEMS] = {0};
    hsize_t dims[3];
    for (int i = 0; i < ITEMS * H * W; i++) images[i] = (uint16_t)(i * 23 % 0x7c00);
    rs_dataset_info info = info_u8;
    info.type = RS_DATASET_F16;
    assert_ok(write_items(path, &info, images, labels, pixel, &err), &err);
    read_set(path, "images", H5T_NATIVE_FLOAT, got, dims);
    for (int i = 0; i < ITEMS * H * W; i++) assert_true(got[i] == rs_half_to_float(images[i]));
}

static void a_failed_set_leaves_the_old_one(void **state)
{
    (void)state;
    reshed_error err = {0};
    const char *path = test_temp("old.h5");
    static uint8_t images[ITEMS * H * W], labels[ITEMS * H * W];
    double pixel[ITEMS];
    make_items(images, labels, pixel);
    assert_ok(rs_os_write_file(path, "old", 3, &err), &err);
    rs_dataset *d = NULL;
    assert_ok(rs_dataset_create(path, &info_u8, &d, &err), &err);
    assert_int_equal(rs_dataset_write(d, ITEMS - 1, 2, images, labels, pixel, &err), RESHED_EINVAL);
    assert_int_equal(rs_dataset_write(d, -1, 1, images, labels, pixel, &err), RESHED_EINVAL);
    assert_int_equal(rs_dataset_write(d, 0, 0, images, labels, pixel, &err), RESHED_EINVAL);
    assert_int_equal(rs_dataset_finish(d, RESHED_EINVAL, &err), RESHED_EINVAL);
    size_t n;
    uint8_t *bytes = test_read_file(path, &n);
    assert_int_equal(n, 3);
    rs_free(bytes);
    assert_int_equal(rs_dataset_finish(NULL, RESHED_EIO, &err), RESHED_EIO);
}

static void bad_requests_are_refused(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_dataset *d = NULL;
    rs_dataset_info info = info_u8;
    info.count = 0;
    assert_int_equal(rs_dataset_create(test_temp("x.h5"), &info, &d, &err), RESHED_EINVAL);
    info = info_u8;
    info.width = 65537;
    assert_int_equal(rs_dataset_create(test_temp("x.h5"), &info, &d, &err), RESHED_EINVAL);
    assert_int_equal(rs_dataset_create("/nonexistent/x.h5", &info_u8, &d, &err), RESHED_EIO);
    assert_null(d);
    test_alloc_fail_at(0);
    assert_int_equal(rs_dataset_create(test_temp("x.h5"), &info_u8, &d, &err), RESHED_ENOMEM);
    test_alloc_fail_at(-1);
    assert_null(d);
}

/* ------------------------------------------------------------------------------- the program */

static const cli_program program = {"test", ""};

static twin_job small_job(const char *output)
{
    twin_job j = {.program = &program, .output = output, .formats = "h5,npy,png,csv"};
    j.count = 150; /* more than a batch */
    j.height = 20;
    j.width = 24;
    j.seed = 5;
    j.harsh = 1;
    j.quiet = true;
    return j;
}

static void a_data_set_does_not_depend_on_threads(void **state)
{
    (void)state;
    enum { PIXELS = 150 * 20 * 24 };
    static uint8_t a[PIXELS], b[PIXELS], walls[PIXELS];
    hsize_t dims[3];
    size_t wall = 0;
    twin_job j = small_job(test_temp("one.h5"));
    j.threads = 1;
    assert_int_equal(twin_dataset(&j), CLI_OK);
    read_set(j.output, "images", H5T_NATIVE_UINT8, a, dims);
    assert_int_equal(dims[0], 150);
    j.threads = 3;
    j.output = test_temp("three.h5");
    assert_int_equal(twin_dataset(&j), CLI_OK);
    read_set(j.output, "images", H5T_NATIVE_UINT8, b, dims);
    assert_memory_equal(a, b, PIXELS);
    read_set(j.output, "labels", H5T_NATIVE_UINT8, walls, dims);
    for (int i = 0; i < PIXELS; i++) {
        assert_true(walls[i] <= 1);
        wall += walls[i];
    }
    assert_true(wall > PIXELS / 50 && wall < PIXELS / 3);
    /* The first images of a larger set are those of a smaller one. */
    j.count = 10;
    assert_int_equal(twin_dataset(&j), CLI_OK);
    read_set(j.output, "images", H5T_NATIVE_UINT8, b, dims);
    assert_memory_equal(a, b, (size_t)10 * 20 * 24);
    j.output = "/nonexistent/x.h5";
    assert_int_equal(twin_dataset(&j), CLI_FAILED);
}

static void an_image_is_read_back_the_right_way_up(void **state)
{
    (void)state;
    static float amplitude[20 * 24];
    reshed_error err = {0};
    rs_nsid_file *file = NULL;
    rs_image im;
    twin_job j = small_job(test_temp("frame"));
    assert_true(twin_add_setting(&j, "noise=0.05"));
    assert_int_equal(twin_image(&j), CLI_OK);

    rs_twin_options o;
    rs_twin_effects fx;
    rs_twin_sample *s = NULL;
    rs_twin_options_defaults(&o);
    rs_twin_effects_defaults(&fx);
    o.seed = fx.seed = 5;
    o.width = 1.1 * 24 * 10e-9;
    o.height = 1.1 * 20 * 10e-9;
    fx.noise = 0.05;
    assert_ok(rs_twin_sample_create(&o, &s, &err), &err);
    rs_twin_view v = {.width = 24 * 10e-9, .height = 20 * 10e-9, .rows = 20, .cols = 24};
    v.row_end = 20;
    rs_twin_channels out = {.amplitude = amplitude};
    assert_ok(rs_twin_frame(s, o.level, &fx, &v, &out, &err), &err);
    rs_twin_sample_free(s);

    char path[512];
    snprintf(path, sizeof path, "%s.h5", j.output);
    assert_ok(rs_nsid_open(path, &file, &err), &err);
    assert_int_equal(rs_nsid_count(file), 7);
    assert_ok(rs_nsid_image_read(file, "Amplitude", &im, &err), &err);
    assert_int_equal(im.height, 20);
    assert_int_equal(im.width, 24);
    assert_true(im.dx > 9.99e-9 && im.dx < 10.01e-9);
    assert_memory_equal(im.data, amplitude, sizeof amplitude);
    rs_image_clear(&im);
    rs_nsid_close(file);
    static const char *const ending[] = {".npy",         ".png",       "_walls.npy",
                                         "_domains.npy", "_walls.png", "_walls.csv"};
    for (int k = 0; k < 6; k++) {
        snprintf(path, sizeof path, "%s%s", j.output, ending[k]);
        assert_true(rs_os_is_file(path));
    }
}

static void wrong_words_are_usage_errors(void **state)
{
    (void)state;
    twin_job j = small_job(test_temp("none"));
    assert_false(twin_add_setting(&j, "noise"));
    assert_false(twin_add_setting(&j, "=1"));
    assert_false(twin_add_setting(&j, "no_such=1"));
    assert_false(twin_add_setting(&j, "noise=-1"));
    assert_false(twin_add_setting(&j, "noise=x"));
    assert_int_equal(j.sets, 0);
    assert_true(twin_add_setting(&j, "spacing[1]=0"));
    assert_true(twin_add_setting(&j, "stripe_width.lo=1e-8"));
    j.formats = "h5,jpeg";
    assert_int_equal(twin_image(&j), CLI_USAGE);
    j.formats = "";
    assert_int_equal(twin_image(&j), CLI_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(half_precision_is_numpys),
        cmocka_unit_test(a_failed_set_leaves_the_old_one),
        cmocka_unit_test(bad_requests_are_refused),
        cmocka_unit_test(a_data_set_does_not_depend_on_threads),
        cmocka_unit_test(an_image_is_read_back_the_right_way_up),
        cmocka_unit_test(wrong_words_are_usage_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
