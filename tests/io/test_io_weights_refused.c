/* Weights that must not be written, and files that must not be read. */
#include "support/io_support.h"
#include "support/weights_sample.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/hdf5/h5.h"

static void bad_models_are_not_written(void **state)
{
    (void)state;
    const char *path = test_temp("bad.h5");
    for (int c = 0; c < 13; c++) {
        rs_model_file m = weights_sample();
        rs_tensor *t = &m.member[1].t[1];
        if (c == 0) m.classes = 0;
        if (c == 1) m.levels = RS_MODEL_MAX_LEVELS + 1;
        if (c == 2) m.pixel_size_max = 1e-9; /* below the smallest */
        if (c == 3) strcpy(m.upsampling, "cubic");
        if (c == 4) strcpy(t->name, "z.weight");
        if (c == 5) strcpy(t->name, "a/b");
        if (c == 6) t->dims[0] = 6;
        if (c == 7) t->dims[0] = 0;
        if (c == 8) m.ood_threshold = NAN;
        if (c == 9) m.ood.features = RS_OOD_MAX_FEATURES + 1;
        if (c == 10) m.ood.features = 0;
        if (c == 11) m.ood.whiten[2][0] = INFINITY;
        if (c == 12) m.ood.version = -1;
        reshed_error err = {0};
        reshed_status st = rs_weights_write_h5(path, &m, NULL, &err);
        if (st == RESHED_OK || rs_os_is_file(path)) fail_msg("case %d was written", c);
        rs_model_file_clear(&m);
    }
}

/* Changes one thing in a good file through HDF5, and tells what must be said of the result. */
typedef void (*change)(hid_t file);

static void put_int(hid_t file, const char *name, int value)
{
    H5Adelete(file, name);
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t a = H5Acreate2(file, name, H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(a, H5T_NATIVE_INT, &value) >= 0);
    H5Aclose(a);
    H5Sclose(space);
}
static void newer_version(hid_t file)
{
    put_int(file, "format_version", 3);
}
static void no_members(hid_t file)
{
    put_int(file, "n_members", 0);
}
static void more_members(hid_t file)
{
    put_int(file, "n_members", 3);
}
static void negative_filters(hid_t file)
{
    put_int(file, "nb_filters", -8);
}
static void no_layers(hid_t file)
{
    H5Adelete(file, "layers");
}
static void no_format(hid_t file)
{
    H5Adelete(file, "format");
}
static void text_for_a_number(hid_t file)
{
    H5Adelete(file, "nb_classes");
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    hid_t a = H5Acreate2(file, "nb_classes", type, space, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(a, type, "3");
    H5Aclose(a);
    H5Sclose(space);
    H5Tclose(type);
}
/* Replaces the centre of the OOD model by n numbers of a type. */
static void put_centre(hid_t file, hid_t type, hsize_t n)
{
    static const double zeros[32];
    H5Adelete(file, "ood_centre");
    hid_t space = H5Screate_simple(1, &n, NULL);
    hid_t a = H5Acreate2(file, "ood_centre", type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(a, H5T_NATIVE_DOUBLE, zeros) >= 0);
    H5Aclose(a);
    H5Sclose(space);
}
static void more_features(hid_t file)
{
    put_centre(file, H5T_IEEE_F64LE, 4); /* than rows of ood_whiten */
}
static void far_more_features(hid_t file)
{
    put_centre(file, H5T_IEEE_F64LE, RS_OOD_MAX_FEATURES + 1);
}
static void single_features(hid_t file)
{
    put_centre(file, H5T_IEEE_F32LE, 3);
}
static void no_whiten(hid_t file)
{
    H5Adelete(file, "ood_whiten");
}
static void no_ood(hid_t file)
{
    H5Adelete(file, "ood_version");
}
/* Replaces a tensor by one of another type, layout or filter. */
static void replace(hid_t file, hid_t type, int ndim, int layout, hsize_t chunk, bool deflate)
{
    const hsize_t dims[6] = {7, 1, 1, 1, 1, 1}, chunks[6] = {chunk, 1, 1, 1, 1, 1};
    static const double zeros[16];
    hid_t p = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(ndim, dims, NULL);
    H5Ldelete(file, "member_001/a.bias", H5P_DEFAULT);
    H5Pset_layout(p, (H5D_layout_t)layout);
    if (layout == H5D_CHUNKED) {
        H5Pset_chunk(p, ndim, chunks);
        H5Pset_fletcher32(p);
        if (deflate) H5Pset_deflate(p, 6);
    }
    hid_t d = H5Dcreate2(file, "member_001/a.bias", type, space, H5P_DEFAULT, p, H5P_DEFAULT);
    assert_true(d >= 0);
    assert_true(H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros) >= 0);
    H5Dclose(d);
    H5Sclose(space);
    H5Pclose(p);
}
static void as_it_was(hid_t file)
{
    replace(file, H5T_IEEE_F32LE, 1, H5D_CHUNKED, 7, false);
}
static void in_three_chunks(hid_t file)
{
    replace(file, H5T_IEEE_F32LE, 1, H5D_CHUNKED, 3, false);
}
static void bytes_for_floats(hid_t file)
{
    replace(file, H5T_STD_I8LE, 1, H5D_CHUNKED, 7, false);
}
static void big_endian(hid_t file)
{
    replace(file, H5T_IEEE_F32BE, 1, H5D_CHUNKED, 7, false);
}
static void without_checksum(hid_t file)
{
    replace(file, H5T_IEEE_F32LE, 1, H5D_CONTIGUOUS, 0, false);
}
static void compressed(hid_t file)
{
    replace(file, H5T_IEEE_F32LE, 1, H5D_CHUNKED, 7, true);
}
static void too_many_dimensions(hid_t file)
{
    replace(file, H5T_IEEE_F32LE, 5, H5D_CHUNKED, 7, false);
}
static void a_linked_tensor(hid_t file)
{
    H5Ldelete(file, "member_001/a.bias", H5P_DEFAULT);
    H5Lcreate_soft("/member_000/a.bias", file, "member_001/a.bias", H5P_DEFAULT, H5P_DEFAULT);
}
static void a_tensor_of_another_file(hid_t file)
{
    H5Ldelete(file, "member_001/a.bias", H5P_DEFAULT);
    H5Lcreate_external("/dev/null", "/x", file, "member_001/a.bias", H5P_DEFAULT, H5P_DEFAULT);
}
static void a_linked_member(hid_t file)
{
    H5Ldelete(file, "member_001", H5P_DEFAULT);
    H5Lcreate_soft("/member_000", file, "member_001", H5P_DEFAULT, H5P_DEFAULT);
}
static void a_missing_tensor(hid_t file)
{
    H5Ldelete(file, "member_001/a.bias", H5P_DEFAULT);
}
static void a_group_for_a_tensor(hid_t file)
{
    H5Ldelete(file, "member_001/a.bias", H5P_DEFAULT);
    hid_t g = H5Gcreate2(file, "member_001/a.bias", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(g);
}
/* A terabyte that was never written: a small file may claim it. */
static void unwritten_terabyte(hid_t file)
{
    const hsize_t dims = (hsize_t)1 << 38, chunk = 1024;
    hid_t p = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &dims, NULL);
    H5Ldelete(file, "member_001/a.bias", H5P_DEFAULT);
    H5Pset_chunk(p, 1, &chunk);
    H5Pset_fletcher32(p);
    hid_t d =
        H5Dcreate2(file, "member_001/a.bias", H5T_IEEE_F32LE, space, H5P_DEFAULT, p, H5P_DEFAULT);
    assert_true(d >= 0);
    H5Dclose(d);
    H5Sclose(space);
    H5Pclose(p);
}
/* Of the right size, but its chunks are not in the file: HDF5 would read zeros. */
static void unwritten_values(hid_t file)
{
    const hsize_t dims = 7;
    hid_t p = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &dims, NULL);
    H5Ldelete(file, "member_001/a.bias", H5P_DEFAULT);
    H5Pset_chunk(p, 1, &dims);
    H5Pset_fletcher32(p);
    hid_t d =
        H5Dcreate2(file, "member_001/a.bias", H5T_IEEE_F32LE, space, H5P_DEFAULT, p, H5P_DEFAULT);
    assert_true(d >= 0);
    H5Dclose(d);
    H5Sclose(space);
    H5Pclose(p);
}

static void changed_files_are_refused(void **state)
{
    (void)state;
    static const struct {
        change apply;
        reshed_status status;
        const char *words;
    } cases[] = {
        {as_it_was, RESHED_OK, NULL},
        {in_three_chunks, RESHED_OK, NULL},
        {newer_version, RESHED_EUNSUPPORTED, "version"},
        {no_members, RESHED_ECORRUPT, "members"},
        {more_members, RESHED_ECORRUPT, "member_002"},
        {negative_filters, RESHED_ECORRUPT, "nb_filters"},
        {no_layers, RESHED_ECORRUPT, "'layers'"},
        {more_features, RESHED_ECORRUPT, "ood_whiten"},
        {far_more_features, RESHED_ECORRUPT, "ood_centre"},
        {single_features, RESHED_ECORRUPT, "ood_centre"},
        {no_whiten, RESHED_ECORRUPT, "ood_whiten"},
        {no_ood, RESHED_OK, NULL},
        {no_format, RESHED_EUNSUPPORTED, "not a weights file"},
        {text_for_a_number, RESHED_ECORRUPT, "nb_classes"},
        {bytes_for_floats, RESHED_EUNSUPPORTED, "type of a tensor"},
        {big_endian, RESHED_EUNSUPPORTED, "type of a tensor"},
        {without_checksum, RESHED_EUNSUPPORTED, "Fletcher32"},
        {compressed, RESHED_EUNSUPPORTED, "Fletcher32"},
        {too_many_dimensions, RESHED_ECORRUPT, "dimensions"},
        {a_linked_tensor, RESHED_ECORRUPT, "member_001"},
        {a_tensor_of_another_file, RESHED_ECORRUPT, "member_001"},
        {a_linked_member, RESHED_ECORRUPT, "member_001"},
        {a_missing_tensor, RESHED_ECORRUPT, "number of tensors"},
        {a_group_for_a_tensor, RESHED_ECORRUPT, "a.bias"},
        {unwritten_terabyte, RESHED_ECORRUPT, "larger than its file"},
        {unwritten_values, RESHED_ECORRUPT, "stored bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rs_model_file m = weights_sample(), back = {0};
        const char *path = write_weights("changed.h5", &m, NULL);
        hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
        assert_true(file >= 0);
        cases[i].apply(file);
        H5Fclose(file);
        reshed_error err = {0};
        char text[640];
        reshed_status st = rs_weights_load(path, &back, &err);
        reshed_error_text(&err, text, sizeof text);
        if (st != cases[i].status || (cases[i].words && !strstr(text, cases[i].words)))
            fail_msg("case %zu: %s: %s", i, reshed_status_text(st), text);
        rs_model_file_clear(&back);
        rs_model_file_clear(&m);
    }
}

/* A bit of a weight flips in the file: Fletcher32 notices. */
static void damage_to_the_weights_is_noticed(void **state)
{
    (void)state;
    rs_model_file m = weights_sample();
    const char *path = write_weights("flip.h5", &m, NULL);
    size_t n;
    uint8_t *d = test_read_file(path, &n);
    const rs_tensor *t = &m.member[1].t[0];
    long hits = 0;
    for (size_t i = 0; i + 4 * t->count <= n; i++) {
        if (memcmp(d + i, t->data, 4 * t->count) != 0) continue;
        hits++;
        for (size_t k = 0; k < 4 * t->count; k += 5) {
            rs_model_file back = {0};
            reshed_error err = {0};
            d[i + k] ^= (uint8_t)(1u << (k % 8));
            assert_ok(rs_os_write_file(path, d, n, &err), &err);
            assert_int_equal(rs_weights_load(path, &back, &err), RESHED_ECORRUPT);
            assert_string_equal(err.where, "z.weight");
            d[i + k] ^= (uint8_t)(1u << (k % 8));
        }
    }
    assert_int_equal(hits, 1);
    rs_free(d);
    rs_model_file_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_models_are_not_written),
        cmocka_unit_test(changed_files_are_refused),
        cmocka_unit_test(damage_to_the_weights_is_noticed),
    };
    return cmocka_run_group_tests_name("io_weights_refused", tests, NULL, NULL);
}
