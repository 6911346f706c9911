/* Data sets for training in HDF5 (io/hdf5/dataset.h). */
#include "support/support.h"

#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/tensors.h"
#include "io/hdf5/dataset.h"
#include "io/hdf5/h5.h"
#include "support/h5_bare.h"

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
    h5_read_set(path, "images", H5T_NATIVE_UINT8, got, dims);
    assert_int_equal(dims[0], ITEMS);
    assert_int_equal(dims[1], H);
    assert_int_equal(dims[2], W);
    assert_memory_equal(got, images, sizeof got);
    h5_read_set(path, "labels", H5T_NATIVE_UINT8, got, dims);
    assert_memory_equal(got, labels, sizeof got);
    h5_read_set(path, "pixel_size", H5T_NATIVE_DOUBLE, got_pixel, dims);
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
    h5_read_set(path, "images", H5T_NATIVE_FLOAT, got, dims);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(half_precision_is_numpys),
        cmocka_unit_test(a_failed_set_leaves_the_old_one),
        cmocka_unit_test(bad_requests_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
