/* Weights in HDF5: round trips, digests, manners, hostile bytes. */
#include "support/support.h"

#include <dirent.h>
#include <string.h>

#include "support/h5_damage.h"
#include "support/io_support.h"
#include "support/weights_sample.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/sha256.h"
#include "io/hdf5/h5.h"
#include "io/weights/model.h"
#include "io/weights/weights.h"

/* ---------------------------------------------------------------------------------- round trips */
static void every_bit_comes_back(void **state)
{
    (void)state;
    rs_model_file m = weights_sample();
    rs_model_file back = load_weights(write_weights("all.h5", &m, NULL));
    assert_same_weights(&m, &back);
    rs_model_file_clear(&back);
    m.ood.features = RS_OOD_MAX_FEATURES;
    back = load_weights(write_weights("all.h5", &m, NULL));
    assert_same_weights(&m, &back);
    rs_model_file_clear(&back);
    m.pixel_size_min = m.pixel_size_max = m.ood_threshold = 0; /* unknown: not written */
    m.ood = (rs_ood_model){0};
    back = load_weights(write_weights("all.h5", &m, NULL));
    assert_same_weights(&m, &back);
    rs_model_file_clear(&back);
    rs_model_file_clear(&m);
}

static void import_then_read_is_exact(void **state)
{
    (void)state;
    static const char *const files[] = {"tiny_bilinear_ensemble_metadict.tar",
                                        "tiny_nearest3_ensemble_metadict.tar", "torch_types.tar",
                                        "torch_views.tar", "torch_adam.tar"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        rs_model_file m = load_weights(test_data(files[i]));
        rs_model_file back = load_weights(write_weights("import.h5", &m, NULL));
        assert_same_weights(&m, &back);
        char a[65], b[65];
        rs_model_file_digest(&m, a);
        rs_model_file_digest(&back, b);
        assert_string_equal(a, b);
        rs_model_file_clear(&m);
        rs_model_file_clear(&back);
    }
}

static void the_same_model_gives_the_same_bytes(void **state)
{
    (void)state;
    rs_model_file m = weights_sample();
    size_t n, k;
    uint8_t *a = test_read_file(write_weights("one.h5", &m, NULL), &n);
    uint8_t *b = test_read_file(write_weights("two.h5", &m, NULL), &k);
    assert_int_equal(n, k);
    assert_memory_equal(a, b, n);
    rs_free(a);
    rs_free(b);
    rs_model_file_clear(&m);
}

static void fp16_rounds_the_convolutions_only(void **state)
{
    (void)state;
    rs_model_file m = weights_sample();
    rs_model_file back =
        load_weights(write_weights("half.h5", &m, &(rs_weights_options){.fp16 = true}));
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < m.member[i].n; k++) {
            const rs_tensor *s = &m.member[i].t[k], *t = &back.member[i].t[k];
            bool rounded = s->dtype == RS_F32 && s->ndim >= 2;
            assert_int_equal(t->dtype, rounded ? RS_F16 : s->dtype);
            if (!rounded) assert_memory_equal(s->data, t->data, s->count * rs_dtype_size(s->dtype));
            for (size_t j = 0; rounded && j < s->count; j++)
                assert_int_equal(((const uint16_t *)t->data)[j],
                                 rs_float_to_half(((const float *)s->data)[j]));
        }
    rs_model_file_clear(&back);
    /* A value that half precision cannot hold is an error, and the file of before stays. */
    reshed_error err = {0};
    const char *path = write_weights("keep.h5", &m, NULL);
    ((float *)m.member[1].t[0].data)[9] = -65520;
    assert_int_equal(rs_weights_write_h5(path, &m, &(rs_weights_options){.fp16 = true}, &err),
                     RESHED_EUNSUPPORTED);
    assert_non_null(strstr(err.where, "z.weight"));
    back = load_weights(path);
    assert_true(((float *)back.member[1].t[0].data)[9] != -65520);
    rs_model_file_clear(&back);
    rs_model_file_clear(&m);
}

/* A tensor above 32 MB is cut into chunks along its first axes. */
static void large_tensors_come_back(void **state)
{
    (void)state;
    test_not_quick();
    rs_model_file m = {.classes = 1, .filters = 1, .levels = 1, .layers = {1}, .members = 1};
    strcpy(m.model, "ResHedNet");
    strcpy(m.upsampling, "bilinear");
    m.member = rs_zalloc(1, sizeof *m.member);
    rs_tensor *t = rs_tensors_add(m.member, "w", RS_F32, 3, (int64_t[]){1, 9, 1000003});
    assert_non_null(t);
    for (size_t i = 0; i < t->count; i++) ((float *)t->data)[i] = (float)(i % 16777213);
    rs_model_file back = load_weights(write_weights("large.h5", &m, NULL));
    assert_same_weights(&m, &back);
    rs_model_file_clear(&back);
    rs_model_file_clear(&m);
}

/* --------------------------------------------------------------------------------------- digest */
/* The message is written out in model.h: here it is put together once more, by other means. */
static void digest_is_as_documented(void **state)
{
    (void)state;
    rs_model_file m = {.classes = 1, .filters = 2, .levels = 3, .layers = {3, 4, 5}, .members = 1};
    strcpy(m.model, "ResHedNet");
    strcpy(m.upsampling, "bilinear");
    m.member = rs_zalloc(1, sizeof *m.member);
    rs_tensor *b = rs_tensors_add(m.member, "b", RS_I64, 0, NULL);
    *(int64_t *)b->data = 258;
    rs_tensor *a = rs_tensors_add(m.member, "a", RS_F32, 2, (int64_t[]){1, 2});
    ((float *)a->data)[0] = 1;
    ((float *)a->data)[1] = -2;
    static const char member[] = "a float32 2 1 2\n\0\0\x80\x3f\0\0\0\xc0"
                                 "b int64 0\n\x02\x01\0\0\0\0\0";
    uint8_t message[200];
    rs_sha256 s;
    static const char head[] = "reshed-weights 1\nResHedNet\n1 2\n3 4 5\nbilinear\n1\n";
    memcpy(message, head, sizeof head - 1);
    rs_sha256_start(&s);
    rs_sha256_add(&s, member, sizeof member); /* with the NUL that ends the literal: 258's last */
    rs_sha256_end(&s, message + sizeof head - 1);
    char expected[65], hex[65];
    rs_sha256_start(&s);
    rs_sha256_add(&s, message, sizeof head - 1 + 32);
    rs_sha256_end(&s, message);
    rs_sha256_hex(message, expected);
    rs_model_file_digest(&m, hex);
    assert_string_equal(hex, expected);
    rs_model_file_clear(&m);
}

static void digest_sees_content_not_container(void **state)
{
    (void)state;
    char first[65], hex[65];
    rs_model_file m = weights_sample();
    rs_model_file_digest(&m, first);
    m.pixel_size_max = 1; /* says nothing about the network */
    rs_tensor t = m.member[1].t[0];
    m.member[1].t[0] = m.member[1].t[3]; /* nor does the order */
    m.member[1].t[3] = t;
    rs_model_file_digest(&m, hex);
    assert_string_equal(hex, first);
    ((uint8_t *)m.member[0].t[1].data)[0] ^= 1;
    rs_model_file_digest(&m, hex);
    assert_string_not_equal(hex, first);
    ((uint8_t *)m.member[0].t[1].data)[0] ^= 1;
    m.layers[0] = 2;
    rs_model_file_digest(&m, hex);
    assert_string_not_equal(hex, first);
    m.layers[0] = 1;
    rs_tensors swap = m.member[0];
    m.member[0] = m.member[1];
    m.member[1] = swap;
    rs_model_file_digest(&m, hex);
    assert_string_not_equal(hex, first);
    rs_model_file_clear(&m);
}

/* -------------------------------------------------------------------------------------- manners */
static void the_front_door_knows_its_files(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_model_file m = {0};
    uint8_t tar[512] = "model/data.pkl";
    memcpy(tar + 257, "ustar", 5);
    static const struct {
        const char *bytes;
        size_t n;
        const char *words;
    } cases[] = {{"", 0, "an empty file"}, {"\x93NUMPY", 6, "other bytes"}};
    const char *path = test_temp("door");
    for (size_t i = 0; i < 2; i++) {
        assert_ok(rs_os_write_file(path, cases[i].bytes, cases[i].n, &err), &err);
        assert_int_equal(rs_weights_load(path, &m, &err), RESHED_EUNSUPPORTED);
        assert_string_equal(err.found, cases[i].words);
    }
    assert_ok(rs_os_write_file(path, tar, sizeof tar, &err), &err);
    assert_int_equal(rs_weights_load(path, &m, &err), RESHED_EUNSUPPORTED);
    assert_non_null(strstr(err.found, "POSIX tar"));
    assert_int_equal(rs_weights_load(test_temp("absent"), &m, &err), RESHED_EIO);
    assert_int_equal(rs_weights_load(test_data("torch_legacy.tar"), &m, &err), RESHED_EUNSUPPORTED);
    assert_null(m.member);
}

static herr_t my_printer(hid_t stack, void *ctx)
{
    (void)stack;
    (*(int *)ctx)++;
    return 0;
}

static void hdf5_is_silenced_and_restored(void **state)
{
    (void)state;
    int calls = 0;
    H5E_auto2_t old, now;
    void *old_data, *now_data;
    reshed_error err = {0};
    rs_model_file m = weights_sample();
    H5Eget_auto2(H5E_DEFAULT, &old, &old_data);
    H5Eset_auto2(H5E_DEFAULT, my_printer, &calls);
    assert_int_equal(rs_weights_read_h5(test_data("torch_views.tar"), &m, &err), RESHED_ECORRUPT);
    assert_int_equal(rs_weights_write_h5("/nonexistent/x.h5", &m, NULL, &err), RESHED_EIO);
    assert_int_equal(calls, 0);
    H5Eget_auto2(H5E_DEFAULT, &now, &now_data);
    assert_true(now == my_printer && now_data == &calls);
    H5Eset_auto2(H5E_DEFAULT, old, old_data);
    rs_model_file_clear(&m);
}

/* After every other test: neither temporary files nor open HDF5 objects are left. */
static void nothing_is_left_behind(void **state)
{
    (void)state;
    char folder[512];
    snprintf(folder, sizeof folder, "%s", test_temp("x"));
    *strrchr(folder, '/') = '\0';
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));)
        if (strstr(e->d_name, ".tmp")) fail_msg("%s was left", e->d_name);
    closedir(d);
    assert_int_equal(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
}

/* -------------------------------------------------------------------------------- hostile bytes */
static reshed_status read_bytes(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_model_file m = {0};
    reshed_status st = rs_weights_read_h5_mem(data, len, &m, err);
    rs_model_file_clear(&m);
    return st;
}

/* The same content in HDF5's oldest layout: without checksums of the metadata, damage gets
 * further. */
static herr_t copy_attribute(hid_t from, const char *name, const H5A_info_t *info, void *to)
{
    char block[256];
    (void)info;
    hid_t a = H5Aopen(from, name, H5P_DEFAULT), t = H5Aget_type(a), s = H5Aget_space(a);
    hid_t b = H5Acreate2(*(hid_t *)to, name, t, s, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Aread(a, t, block) >= 0 && H5Awrite(b, t, block) >= 0);
    if (H5Tis_variable_str(t) > 0) H5Dvlen_reclaim(t, s, H5P_DEFAULT, block);
    H5Aclose(b);
    H5Sclose(s);
    H5Tclose(t);
    H5Aclose(a);
    return 0;
}

static void write_oldest(const char *path, const char *like, const rs_model_file *m)
{
    hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(fapl, H5F_LIBVER_EARLIEST, H5F_LIBVER_V18);
    hid_t from = H5Fopen(like, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t to = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, fapl);
    assert_true(from >= 0 && to >= 0);
    assert_true(H5Aiterate2(from, H5_INDEX_NAME, H5_ITER_INC, NULL, copy_attribute, &to) >= 0);
    for (int i = 0; i < m->members; i++) {
        char name[32];
        snprintf(name, sizeof name, "member_%03d", i);
        hid_t g = H5Gcreate2(to, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        for (int k = 0; k < m->member[i].n; k++) {
            const rs_tensor *t = &m->member[i].t[k];
            hsize_t dims[4];
            for (int j = 0; j < t->ndim; j++) dims[j] = (hsize_t)t->dims[j];
            hid_t p = H5Pcreate(H5P_DATASET_CREATE);
            hid_t s = t->ndim ? H5Screate_simple(t->ndim, dims, NULL) : H5Screate(H5S_SCALAR);
            hid_t type = t->dtype == RS_F32 ? H5T_IEEE_F32LE : H5T_STD_I64LE;
            if (t->ndim) H5Pset_chunk(p, t->ndim, dims);
            if (t->ndim) H5Pset_fletcher32(p);
            hid_t d = H5Dcreate2(g, t->name, type, s, H5P_DEFAULT, p, H5P_DEFAULT);
            assert_true(H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, t->data) >= 0);
            H5Dclose(d);
            H5Sclose(s);
            H5Pclose(p);
        }
        H5Gclose(g);
    }
    H5Fclose(to);
    H5Fclose(from);
    H5Pclose(fapl);
}

static void check_damage(const char *what, const char *path, long n)
{
    size_t len;
    uint8_t *data = test_read_file(path, &len);
    if (n)
        h5_survives_mutation(what, read_bytes, data, len, n);
    else
        h5_survives_cutting(what, read_bytes, data, len);
    rs_free(data);
}

static void survives_truncation_and_mutation(void **state)
{
    (void)state;
    rs_model_file m = load_weights(test_data("torch_views.tar"));
    const char *ours = write_weights("hostile.h5", &m, NULL), *oldest = test_temp("oldest.h5");
    write_oldest(oldest, ours, &m);
    rs_model_file back = load_weights(oldest); /* without the order of creation: by name */
    char a[65], b[65];
    rs_model_file_digest(&m, a);
    rs_model_file_digest(&back, b);
    assert_string_equal(a, b);
    check_damage("weights, our file", ours, 0);
    check_damage("weights, our file", ours, test_h5_mutations() / 4 * 3);
    check_damage("weights, oldest layout", oldest, test_h5_mutations() / 4);
    rs_model_file_clear(&back);
    rs_model_file_clear(&m);
}

static void survives_want_of_memory(void **state)
{
    (void)state;
    size_t n;
    rs_model_file m = weights_sample();
    uint8_t *d = test_read_file(write_weights("want.h5", &m, NULL), &n);
    test_each_alloc(read_bytes, d, n);
    rs_free(d);
    /* The writer's allocations. */
    const char *path = test_temp("want_out.h5");
    for (long k = 0;; k++) {
        reshed_error err = {0};
        test_alloc_fail_at(k);
        reshed_status st = rs_weights_write_h5(path, &m, &(rs_weights_options){.fp16 = true}, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        assert_int_equal(st, failed ? RESHED_ENOMEM : RESHED_OK);
        assert_int_equal(rs_os_is_file(path), !failed);
        if (!failed) break;
    }
    rs_model_file_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_comes_back),
        cmocka_unit_test(import_then_read_is_exact),
        cmocka_unit_test(the_same_model_gives_the_same_bytes),
        cmocka_unit_test(fp16_rounds_the_convolutions_only),
        cmocka_unit_test(large_tensors_come_back),
        cmocka_unit_test(digest_is_as_documented),
        cmocka_unit_test(digest_sees_content_not_container),
        cmocka_unit_test(the_front_door_knows_its_files),
        cmocka_unit_test(hdf5_is_silenced_and_restored),
        cmocka_unit_test(survives_want_of_memory),
        cmocka_unit_test(survives_truncation_and_mutation),
        cmocka_unit_test(nothing_is_left_behind),
    };
    return cmocka_run_group_tests_name("io_weights", tests, NULL, NULL);
}
