/* Images in HDF5 that are no NSID: bare datasets, booleans, USID, MATLAB's, TopoStats', user blocks. */
#include "support/h5_bare.h"
#include "support/h5_damage.h"
#include "support/io_support.h"
#include "support/nsid_sample.h"
#include "support/tolerance.h"

#include <string.h>

#include "base/alloc.h"
#include "io/hdf5/h5.h"
#include "io/image_file.h"
#include "io/nsid/image.h"
#include "io/nsid/plain.h"

enum { H = 9, W = 12 };

static hid_t make(const char *path, hsize_t user_block)
{
    hid_t p = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_userblock(p, user_block);
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, p, H5P_DEFAULT);
    assert_true(f >= 0);
    H5Pclose(p);
    return f;
}

/* value[i] = i + more; the caller closes the dataset. */
static hid_t put(hid_t group, const char *name, hid_t type, hsize_t rows, hsize_t columns, int more,
                 hid_t plist)
{
    const hsize_t dims[2] = {rows, columns};
    int values[H * W];
    for (int i = 0; i < H * W; i++) values[i] = i + more;
    hid_t space = H5Screate_simple(2, dims, NULL);
    hid_t d = H5Dcreate2(group, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    assert_true(d >= 0 && rows * columns <= H * W);
    assert_true(H5Dwrite(d, H5T_NATIVE_INT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Sclose(space);
    return d;
}

static void assert_counts(const rs_image *im, int more)
{
    assert_int_equal(im->height, H);
    assert_int_equal(im->width, W);
    for (int i = 0; i < H * W; i++) assert_true(im->data[i] == (float)(i + more));
}

static void reads_bare_datasets(void **state)
{
    (void)state;
    const char *path = test_temp("plain.h5");
    reshed_error err = {0};
    rs_image im;
    hid_t f = make(path, 0);
    const hid_t types[] = {H5T_STD_U8LE, H5T_STD_I16BE, H5T_IEEE_F32LE, H5T_IEEE_F64BE};
    H5Dclose(put(f, "scan", H5T_STD_U16LE, H, W, 3, H5P_DEFAULT));
    H5Dclose(put(f, "points", H5T_IEEE_F32LE, H, 2, 0, H5P_DEFAULT)); /* no image */
    H5Fclose(f);
    assert_ok(rs_image_read(path, NULL, &im, &err), &err);
    assert_counts(&im, 3);
    assert_string_equal(im.channel, "scan");
    assert_true(im.dx == 0 && im.dy == 0);
    rs_image_clear(&im);
    f = make(path, 0);
    for (int i = 0; i < 4; i++) {
        const char *const names[] = {"one", "two", "three", "four"};
        hid_t g = H5Gcreate2(f, names[i], H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        hid_t d = put(g, i == 2 ? "amplitude" : "data", types[i], H, W, i, H5P_DEFAULT);
        assert_true(rs_h5_set_text(d, "units", "pm"));
        H5Dclose(d), H5Gclose(g);
    }
    H5Fclose(f);
    static const struct {
        const char *channel, *name;
        int more;
    } cases[] = {{NULL, "amplitude", 2},
                 {"/four/data", "/four/data", 3},
                 {"3", "/two/data", 1},
                 {"one", "/one/data", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_ok(rs_image_read(path, cases[i].channel, &im, &err), &err);
        assert_counts(&im, cases[i].more);
        assert_string_equal(im.channel, cases[i].name);
        assert_string_equal(im.unit, "pm");
        rs_image_clear(&im);
    }
    assert_error(rs_image_read(path, "data", &im, &err), RESHED_EINVAL, &err, "/two/data");
}

static void reads_booleans(void **state)
{
    (void)state;
    const char *path = test_temp("bool.h5");
    const hsize_t dims[2] = {H, W};
    int8_t value = 0, values[H * W];
    reshed_error err = {0};
    rs_image im;
    hid_t f = make(path, 0), type = H5Tenum_create(H5T_STD_I8LE);
    H5Tenum_insert(type, "FALSE", &value);
    value = 1;
    H5Tenum_insert(type, "TRUE", &value);
    for (int i = 0; i < H * W; i++) values[i] = i % 5 == 1;
    hid_t space = H5Screate_simple(2, dims, NULL);
    hid_t d = H5Dcreate2(f, "mask", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    H5Dclose(d), H5Sclose(space), H5Tclose(type), H5Fclose(f);
    assert_ok(rs_image_read(path, NULL, &im, &err), &err);
    for (int i = 0; i < H * W; i++) assert_true(im.data[i] == (i % 5 == 1));
    rs_image_clear(&im);
}

/* A USID image: position i = row * W + column, or the other way round. */
static void put_usid(hid_t f, const char *unit, bool by_columns)
{
    static const char *const labels[] = {"X", "Y"}, *const none[] = {"none"};
    const char *const units[] = {unit, unit};
    double place[H * W][2], zero[1] = {0};
    hid_t m = H5Gcreate2(f, "Measurement_000", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t c = H5Gcreate2(m, "Channel_000", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    for (int i = 0; i < H * W; i++) {
        place[i][0] = 2.0 * (by_columns ? i / H : i % W) + 5;
        place[i][1] = 0.5 * (by_columns ? i % H : i / W) - 3;
    }
    hid_t d = put(c, "Raw_Data", H5T_IEEE_F32LE, H * W, 1, 0, H5P_DEFAULT);
    h5_put_ancillary(c, "Position_Indices", H * W, 2, &place[0][0], labels, units, 2);
    h5_put_ancillary(c, "Position_Values", H * W, 2, &place[0][0], labels, units, 2);
    h5_put_ancillary(c, "Spectroscopic_Indices", 1, 1, zero, none, none, 1);
    h5_put_ancillary(c, "Spectroscopic_Values", 1, 1, zero, none, none, 1);
    assert_true(rs_h5_set_text(d, "Position_Values", "a reference") &&
                rs_h5_set_text(d, "units", "V") && rs_h5_set_text(d, "quantity", "Amplitude"));
    H5Dclose(d), H5Gclose(c), H5Gclose(m);
}

static void reads_usid_images(void **state)
{
    (void)state;
    const char *path = test_temp("usid_image.h5");
    for (int k = 0; k < 4; k++) {
        rs_image im;
        reshed_error err = {0};
        const bool lengths = k < 2, by_columns = k % 2;
        hid_t f = make(path, 0);
        put_usid(f, lengths ? "um" : "px", by_columns);
        H5Fclose(f);
        assert_ok(rs_image_read(path, NULL, &im, &err), &err);
        assert_int_equal(im.height, H);
        assert_int_equal(im.width, W);
        assert_string_equal(im.unit, "V");
        for (int r = 0; r < H; r++) /* lengths: y goes up */
            for (int c = 0; c < W; c++) {
                const int y = lengths ? H - 1 - r : r;
                assert_true(im.data[r * W + c] == (float)(by_columns ? c * H + y : y * W + c));
            }
        assert_near(im.dx, lengths ? 2e-6 : 0, TOL_PLACE);
        assert_near(im.dy, lengths ? 0.5e-6 : 0, TOL_PLACE);
        assert_near(im.x0, lengths ? 16e-6 : 0, TOL_PLACE);
        assert_near(im.y0, lengths ? -1e-6 : 0, TOL_PLACE);
        rs_image_clear(&im);
    }
}

static void reads_matlab_and_topostats(void **state)
{
    (void)state;
    const char *path = test_temp("matlab.mat");
    rs_image im;
    reshed_error err = {0};
    hid_t f = make(path, 512), d = put(f, "A", H5T_IEEE_F64LE, W, H, 0, H5P_DEFAULT);
    assert_true(rs_h5_set_text(d, "MATLAB_class", "double"));
    H5Dclose(d), H5Fclose(f);
    assert_ok(rs_image_read(path, NULL, &im, &err), &err);
    assert_int_equal(im.height, H);
    assert_int_equal(im.width, W);
    for (int i = 0; i < H * W; i++) assert_true(im.data[i] == (float)(i % W * H + i / W));
    rs_image_clear(&im);

    path = test_temp("stats.topostats");
    const hsize_t one = 1;
    const double nm = 1.5;
    f = make(path, 0);
    H5Dclose(put(f, "image", H5T_IEEE_F32LE, H, W, 1, H5P_DEFAULT));
    hid_t space = H5Screate_simple(1, &one, NULL);
    d = H5Dcreate2(f, "pixel_to_nm_scaling", H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT,
                   H5P_DEFAULT);
    assert_true(H5Dwrite(d, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, &nm) >= 0);
    H5Dclose(d), H5Sclose(space), H5Fclose(f);
    assert_ok(rs_image_read(path, NULL, &im, &err), &err);
    assert_counts(&im, 1);
    assert_near(im.dx, 1.5e-9, TOL_PIXEL);
    assert_near(im.dy, 1.5e-9, TOL_PIXEL);
    rs_image_clear(&im);
}

/* A whole NSID file, its texts on the heap, behind a block of another program. */
static void reads_behind_a_user_block(void **state)
{
    (void)state;
    static const size_t blocks[] = {512, 1024, 4096};
    char *source = rs_strdup(test_data("nsid_h5py.h5"));
    size_t len;
    uint8_t *file = test_read_file(source, &len), *moved = rs_zalloc(len + 4096, 1);
    rs_image want, im;
    reshed_error err = {0};
    assert_non_null(moved);
    assert_ok(rs_image_read(source, "0", &want, &err), &err);
    for (size_t i = 0; i < 3; i++) {
        char *path = rs_strdup(test_temp("block.h5"));
        memset(moved, 'x', 4096);
        memcpy(moved + blocks[i], file, len);
        test_write_file(path, moved, len + blocks[i]);
        assert_ok(rs_image_read(path, "0", &im, &err), &err);
        assert_true(im.height == want.height && im.width == want.width && im.dx == want.dx);
        assert_string_equal(im.channel, want.channel);
        assert_memory_equal(im.data, want.data,
                            sizeof(float) * (size_t)im.height * (size_t)im.width);
        rs_image_clear(&im);
        assert_ok(rs_nsid_image_read_mem(moved, len + blocks[i], "0", RS_FRAME_ONLY, &im, &err),
                  &err);
        assert_string_equal(im.channel, want.channel);
        rs_image_clear(&im);
        rs_free(path);
    }
    rs_image_clear(&want);
    rs_free(moved);
    rs_free(file);
    rs_free(source);
}

static void names_filters_and_what_lacks(void **state)
{
    (void)state;
    const char *path = test_temp("filter.h5");
    const hsize_t chunk[2] = {4, 4};
    rs_image im = {0};
    reshed_error err = {0};
    hid_t f = make(path, 0), p = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(p, 2, chunk);
    H5Pset_filter(p, (H5Z_filter_t)32000, H5Z_FLAG_OPTIONAL, 0, NULL);
    H5Dclose(put(f, "lzf", H5T_IEEE_F32LE, H, W, 0, p));
    H5Pclose(p), H5Fclose(f);
    reshed_status st = rs_image_read(path, NULL, &im, &err);
    assert_error(st, RESHED_EUNSUPPORTED, &err, "filter 32000 (LZF)");
    assert_error(st, RESHED_EUNSUPPORTED, &err, "h5py alone has, not h5repack");
    assert_error(st, RESHED_EUNSUPPORTED, &err, "compression='gzip')");
    /* A built-in one, which h5repack has, and a plug-in. */
    for (int k = 0; k < 2; k++) {
        f = make(path, 0), p = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_chunk(p, 2, chunk);
        if (k)
            H5Pset_filter(p, (H5Z_filter_t)32001, H5Z_FLAG_OPTIONAL, 0, NULL);
        else
            H5Pset_nbit(p);
        H5Dclose(put(f, "packed", H5T_IEEE_F32LE, H, W, 0, p));
        H5Pclose(p), H5Fclose(f);
        st = rs_image_read(path, NULL, &im, &err);
        assert_error(st, RESHED_EUNSUPPORTED, &err, k ? "(Blosc)" : "(nbit)");
        assert_error(st, RESHED_EUNSUPPORTED, &err, "h5repack -f GZIP=4 IN OUT");
    }
    f = make(path, 0);
    hid_t d = put(f, "nearly", H5T_IEEE_F32LE, H, W, 0, H5P_DEFAULT);
    assert_true(rs_h5_set_text(d, "pyNSID_version", "0.0.7") && rs_h5_set_text(d, "quantity", "q"));
    H5Dclose(d), H5Fclose(f);
    assert_ok(rs_image_read(path, NULL, &im, &err), &err);
    assert_non_null(strstr(im.note, "'units'"));
    rs_image_clear(&im);
}

static reshed_status read_any(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_image im;
    const reshed_status st = rs_nsid_image_read_mem(data, len, NULL, RS_FRAME_ONLY, &im, err);
    if (st == RESHED_OK && !image_is_sane(&im)) return RESHED_EINTERNAL;
    if (st == RESHED_OK) rs_image_clear(&im);
    return st;
}

static void survives_damage(void **state)
{
    (void)state;
    char *path = rs_strdup(test_temp("damage.h5"));
    for (int usid = 0; usid < 2; usid++) {
        size_t len;
        hid_t f = make(path, usid ? 0 : 512);
        if (usid)
            put_usid(f, "um", true);
        else
            H5Dclose(put(f, "scan", H5T_STD_U16LE, H, W, 3, H5P_DEFAULT));
        H5Fclose(f);
        uint8_t *file = test_read_file(path, &len);
        test_each_alloc(read_any, file, len);
        h5_survives_mutation(usid ? "usid image" : "plain", read_any, file, len,
                             test_h5_mutations() / 8);
        if (!usid) h5_survives_cutting("plain", read_any, file, len);
        rs_free(file);
    }
    rs_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_bare_datasets),       cmocka_unit_test(reads_booleans),
        cmocka_unit_test(reads_usid_images),         cmocka_unit_test(reads_matlab_and_topostats),
        cmocka_unit_test(reads_behind_a_user_block), cmocka_unit_test(names_filters_and_what_lacks),
        cmocka_unit_test(survives_damage),
    };
    return cmocka_run_group_tests_name("io_plain", tests, NULL, NULL);
}
