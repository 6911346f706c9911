/* Transfers that convert in a small block (rs_h5_transfer of io/hdf5/library.h). */
#include "support/support.h"

#include <stdlib.h>

#include "io/hdf5/library.h"

static hid_t new_file(const char *name)
{
    const hid_t f = H5Fcreate(test_temp(name), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(f >= 0);
    return f;
}

/* Many blocks of values: each is converted, in its place. */
static void a_long_array_is_converted_block_by_block(void **state)
{
    (void)state;
    enum { N = 100003 };
    const hsize_t n = N;
    double *put = malloc(N * sizeof *put);
    float *get = malloc(N * sizeof *get);
    assert_true(put && get);
    for (int i = 0; i < N; i++) put[i] = i, get[i] = -1;
    hid_t file = new_file("long.h5"), space = H5Screate_simple(1, &n, NULL);
    hid_t set = H5Dcreate2(file, "v", H5T_STD_I32BE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t how = rs_h5_transfer(set, H5T_NATIVE_DOUBLE);
    assert_true(set >= 0 && H5Pget_buffer(how, NULL, NULL) == 65536);
    assert_true(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, how, put) >= 0);
    rs_h5_close(how);
    how = rs_h5_transfer(set, H5T_NATIVE_FLOAT);
    assert_true(H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, how, get) >= 0);
    for (int i = 0; i < N; i++) assert_true(get[i] == (float)i);
    rs_h5_close(how);
    rs_h5_close(set);
    rs_h5_close(space);
    rs_h5_close(file);
    free(put);
    free(get);
}

/* A record may be longer than the block. */
static void a_record_longer_than_the_block_is_read(void **state)
{
    (void)state;
    enum { RECORD = 70000, N = 3 };
    const hsize_t n = N;
    double get[N] = {-1, -1, -1};
    char *put = calloc(N, RECORD);
    assert_non_null(put);
    for (int i = 0; i < N; i++) *(float *)(void *)(put + (size_t)i * RECORD) = (float)(i + 5);
    hid_t stored = H5Tcreate(H5T_COMPOUND, RECORD), memory = H5Tcreate(H5T_COMPOUND, sizeof *get);
    assert_true(H5Tinsert(stored, "a", 0, H5T_NATIVE_FLOAT) >= 0);
    assert_true(H5Tinsert(memory, "a", 0, H5T_NATIVE_DOUBLE) >= 0);
    hid_t file = new_file("record.h5"), space = H5Screate_simple(1, &n, NULL);
    hid_t set = H5Dcreate2(file, "v", stored, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(set >= 0 && H5Dwrite(set, stored, H5S_ALL, H5S_ALL, H5P_DEFAULT, put) >= 0);
    hid_t how = rs_h5_transfer(set, memory);
    assert_true(H5Dread(set, memory, H5S_ALL, H5S_ALL, how, get) >= 0);
    for (int i = 0; i < N; i++) assert_true(get[i] == i + 5);
    const hid_t open[] = {how, set, space, file, stored, memory};
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) rs_h5_close(open[i]);
    free(put);
}

/* Without properties nothing is transferred, rather than by way of the library's own block. */
static void what_has_no_type_is_not_transferred(void **state)
{
    (void)state;
    const hsize_t n = 4;
    const double put[4] = {1, 2, 3, 4};
    double get[4] = {-1, -1, -1, -1};
    rs_h5_hush hush = rs_h5_hush_begin();
    hid_t file = new_file("none.h5"), space = H5Screate_simple(1, &n, NULL);
    hid_t set = H5Dcreate2(file, "v", H5T_STD_I16LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(rs_h5_transfer(set, -1) < 0);
    assert_true(rs_h5_transfer(-1, H5T_NATIVE_DOUBLE) < 0);
    assert_true(rs_h5_transfer(space, H5T_NATIVE_DOUBLE) < 0);
    assert_false(rs_h5_write(set, -1, H5S_ALL, H5S_ALL, put));
    assert_false(rs_h5_read(set, -1, H5S_ALL, H5S_ALL, get));
    assert_true(get[0] == -1 && get[3] == -1);
    assert_true(rs_h5_write(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, put));
    assert_true(rs_h5_read(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, get));
    assert_memory_equal(get, put, sizeof put);
    rs_h5_hush_end(hush);
    const hid_t open[] = {set, space, file};
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) rs_h5_close(open[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_array_is_converted_block_by_block),
        cmocka_unit_test(a_record_longer_than_the_block_is_read),
        cmocka_unit_test(what_has_no_type_is_not_transferred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
