/* NSID in HDF5: hostile and damaged files, want of memory, a full disk, two programs. */
#include "support/h5_damage.h"
#include "support/io_support.h"
#include "support/nsid_sample.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/hdf5/h5.h"
#include "io/image_file.h"
#include "io/nsid/image.h"

/* A file made by the bare library. */
static hid_t raw_file(const char *path)
{
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(f >= 0);
    return f;
}

static void raw_dataset(hid_t f, const char *name, hid_t type, int ndim, const hsize_t *dims,
                        hid_t plist)
{
    const hsize_t any[6] = {H5S_UNLIMITED, H5S_UNLIMITED, H5S_UNLIMITED,
                            H5S_UNLIMITED, H5S_UNLIMITED, H5S_UNLIMITED};
    bool chunked = plist != H5P_DEFAULT && H5Pget_layout(plist) == H5D_CHUNKED;
    hid_t space = H5Screate_simple(ndim, dims, chunked ? any : NULL);
    hid_t d = H5Dcreate2(f, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    assert_true(d >= 0);
    H5Dclose(d);
    H5Sclose(space);
}

static void refuses_sizes_and_storage_that_harm(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_nsid_array a = {.ndim = 7};
    const char *path = test_temp("hostile.h5");
    const hsize_t huge[2] = {1u << 20, 1u << 20}, large[1] = {1u << 27}, chunk[1] = {1u << 26};
    const hsize_t small_chunk[2] = {16, 16}, four[1] = {4}, six[6] = {1, 1, 1, 1, 1, 1};
    hid_t f = raw_file(path), p = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(p, 2, small_chunk);
    raw_dataset(f, "huge", H5T_IEEE_F32LE, 2, huge, p);
    H5Pset_chunk(p, 1, small_chunk);
    raw_dataset(f, "large", H5T_IEEE_F64LE, 1, large, p); /* 1 GiB, nothing stored */
    raw_dataset(f, "unwritten", H5T_IEEE_F64LE, 1, four, p);
    H5Pset_chunk(p, 1, chunk);
    raw_dataset(f, "chunk", H5T_IEEE_F32LE, 1, four, p);
    H5Pset_chunk(p, 1, four);
    H5Pset_scaleoffset(p, H5Z_SO_INT, 0);
    raw_dataset(f, "filter", H5T_STD_I32LE, 1, four, p);
    H5Pclose(p);
    p = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(p, "secret.txt", 0, 4 * sizeof(double));
    raw_dataset(f, "external", H5T_IEEE_F64LE, 1, four, p);
    H5Pclose(p);
    p = H5Pcreate(H5P_DATASET_CREATE);
    hid_t space = H5Screate_simple(1, four, NULL);
    H5Pset_virtual(p, space, "other.h5", "/x", space);
    H5Sclose(space);
    raw_dataset(f, "virtual", H5T_IEEE_F64LE, 1, four, p);
    H5Pclose(p);
    raw_dataset(f, "six", H5T_IEEE_F64LE, 6, six, H5P_DEFAULT);
    hid_t odd = H5Tcopy(H5T_STD_I32LE);
    H5Tset_precision(odd, 17);
    raw_dataset(f, "odd", odd, 1, four, H5P_DEFAULT);
    H5Tclose(odd);
    H5Fclose(f);

    static const struct {
        const char *path, *part;
        reshed_status st;
    } cases[] = {
        {"/huge", "elements", RESHED_EUNSUPPORTED},
        {"/large", "what the file stores", RESHED_ECORRUPT},
        {"/chunk", "chunk", RESHED_ECORRUPT},
        {"/filter", "filter 6", RESHED_EUNSUPPORTED},
        {"/external", "another file", RESHED_EUNSUPPORTED},
        {"/virtual", "virtual", RESHED_EUNSUPPORTED},
        {"/six", "axes", RESHED_EUNSUPPORTED},
        {"/odd", "another type", RESHED_EUNSUPPORTED},
    };
    rs_nsid_file *n = open_nsid(path);
    assert_int_equal(rs_nsid_count(n), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_error(rs_nsid_read_array(n, cases[i].path, &a, &err), cases[i].st, &err,
                     cases[i].part);
    assert_int_equal(a.ndim, 7);
    assert_ok(rs_nsid_read_array(n, "/unwritten", &a, &err), &err); /* the fill value */
    assert_true(a.count == 4 && a.data[3] == 0);
    rs_nsid_array_clear(&a);
    int k;
    assert_error(rs_nsid_find(n, "0", &k, &err), RESHED_EINVAL, &err, "no NSID main dataset");
    rs_nsid_close(n);
    rs_image im;
    assert_error(rs_image_read(path, NULL, &im, &err), RESHED_EUNSUPPORTED, &err, "elements");
}

static void stops_in_deep_and_looping_groups(void **state)
{
    (void)state;
    reshed_error err = {0};
    const char *path = test_temp("deep.h5");
    hid_t f = raw_file(path), g = H5Gcreate2(f, "loop", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_hard(f, "/", g, "up", H5P_DEFAULT, H5P_DEFAULT);
    H5Gclose(g);
    H5Fclose(f);
    rs_nsid_close(open_nsid(path)); /* each group is entered once */
    f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    char name[256] = "";
    for (int i = 0; i < 40; i++) {
        strcat(name, "/g");
        H5Gclose(H5Gcreate2(f, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    }
    H5Fclose(f);
    rs_nsid_file *n = NULL;
    assert_error(rs_nsid_open(path, &n, &err), RESHED_EUNSUPPORTED, &err, "levels");
    assert_null(n);
}

/* Everything that the reader can do with a file. */
static reshed_status read_all(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_nsid_file *f = NULL;
    rs_image im;
    char text[64];
    double v;
    reshed_status st = rs_nsid_open_mem(data, len, &f, err);
    if (st != RESHED_OK) return st;
    for (int k = 0; k < rs_nsid_count(f) && st == RESHED_OK; k++) {
        rs_nsid_data d;
        st = rs_nsid_read(f, k, &d, err);
        if (st != RESHED_OK) break;
        uint64_t n = 1;
        for (int i = 0; i < d.ndim; i++) n *= (uint64_t)d.dim[i].n;
        if (n != d.count || !d.data) abort();
        if (rs_nsid_is_image(&d)) {
            st = rs_nsid_to_image(&d, &im, err);
            if (st == RESHED_OK && !image_is_sane(&im)) abort();
            if (st == RESHED_OK) rs_image_clear(&im);
        }
        if (st == RESHED_OK) {
            rs_nsid_get_text(f, d.path, "quantity", text, sizeof text, NULL);
            rs_nsid_get_number(f, d.path, "units", &v, NULL);
        }
        rs_nsid_data_clear(&d);
    }
    if (st == RESHED_OK) {
        st = rs_nsid_image_read(f, NULL, RS_FRAME_ONLY, &im, err);
        if (st == RESHED_OK) rs_image_clear(&im);
    }
    rs_nsid_close(f);
    return st;
}

static void survives_no_memory(void **state)
{
    (void)state;
    const char *names[] = {"nsid_h5py.h5", "nsid_latest.h5"};
    for (int i = 0; i < 2; i++) {
        size_t len;
        uint8_t *file = test_read_file(test_data(names[i]), &len);
        test_each_alloc(read_all, file, len);
        rs_free(file);
    }
    assert_int_equal(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0); /* nothing stayed open */
}

static reshed_status write_all(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_nsid_writer *w = NULL;
    rs_nsid_data d = nsid_sample(3, true);
    (void)data, (void)len;
    reshed_status st = rs_nsid_create(test_temp("nomem.h5"), RS_NSID_ATOMIC, &w, err);
    if (st == RESHED_OK) st = rs_nsid_add(w, "/m", &d, RS_NSID_F32, NULL, 0, err);
    return rs_nsid_finish(w, st, err);
}

static void writer_survives_no_memory(void **state)
{
    (void)state;
    test_each_alloc(write_all, (const uint8_t *)"", 0);
    assert_int_equal(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL), 0);
}

/* ---- a disk that is full after i * 97 bytes: an error, no rests, and the library ends in peace
 * (told of failed writes, libhdf5 faults in H5close, which also runs when a program exits) */
static bool full_disk_is_survived(void *ctx, long i)
{
    const char *const *paths = ctx;
    reshed_error err = {0};
    rs_nsid_data d = nsid_sample(3, true);
    rs_nsid_writer *w = NULL;
    bool ok = true;
    for (int k = 0; k < 2; k++) {
        limit_file_size(i * 97);
        if (k) rs_os_discard_temp(paths[k]);
        reshed_status st = rs_nsid_create(paths[k], k ? RS_NSID_LIVE : RS_NSID_ATOMIC, &w, &err);
        if (st != RESHED_OK) return false; /* nothing is written before the first flush */
        st = rs_nsid_add(w, "/m", &d, RS_NSID_F64, NULL, 0, &err);
        if (st == RESHED_OK) st = rs_nsid_flush(w, &err);
        st = rs_nsid_finish(w, st, &err);
        w = NULL;
        if (st == RESHED_OK) fork_count();
        ok = ok && (st == RESHED_OK || (st == RESHED_EIO && strstr(err.what, "cannot write")));
    }
    return H5close() >= 0 && ok;
}

static bool bare_nothing(void *ctx, long i)
{
    (void)ctx, (void)i;
    return true;
}

static void survives_a_full_disk(void **state)
{
    (void)state;
    test_not_quick();
    char *paths[2] = {rs_strdup(test_temp("full.h5")), rs_strdup(test_temp("full_live.h5"))};
    forked f = run_forked(200, full_disk_is_survived, bare_nothing, paths);
    assert_true(f.wrong == 0 && f.ours == 0 && f.librarys == 0);
    assert_true(f.passed > 20 && f.passed < 380); /* both outcomes were there */
    assert_int_equal(files_beside(paths[0], ".tmp"), 0);
    rs_free(paths[0]);
    rs_free(paths[1]);
}

static bool second_writer_is_refused(void *ctx, long i)
{
    reshed_error err = {0};
    rs_nsid_writer *w = NULL;
    (void)i;
    return rs_nsid_create(ctx, RS_NSID_APPEND, &w, &err) == RESHED_EIO &&
           strstr(err.found, "in use");
}

static void one_program_writes_and_others_read(void **state)
{
    (void)state;
    char *path = rs_strdup(test_temp("one.h5"));
    reshed_error err = {0};
    rs_nsid_writer *w = NULL;
    rs_os_file *f = NULL;
    uint8_t head[8];
    assert_ok(rs_nsid_create(path, RS_NSID_LIVE, &w, &err), &err);
    assert_ok(rs_nsid_flush(w, &err), &err);
    assert_ok(rs_os_open(path, RS_OS_READ, &f, NULL, &err), &err);
    assert_int_equal(rs_os_read_at(f, 0, head, 8), 8);
    assert_memory_equal(head, rs_h5_signature, 8);
    rs_os_close(f);
    forked other = run_forked(1, second_writer_is_refused, bare_nothing, path);
    assert_true(other.wrong == 0 && other.ours == 0 && other.librarys == 0);
    assert_ok(rs_nsid_finish(w, RESHED_OK, &err), &err);
    rs_nsid_close(open_nsid(path));
    rs_free(path);
}

static void survives_damage(void **state)
{
    (void)state;
    const char *ours = test_temp("damage.h5");
    rs_nsid_data one = nsid_sample(2, false);
    strcpy(one.data_type, "IMAGE");
    write_nsid(ours, &one, RS_NSID_F32);
    const char *paths[] = {ours, test_data("nsid_h5py.h5"), test_data("nsid_latest.h5")};
    const char *names[] = {"nsid, our file", "nsid, h5py's file", "nsid, h5py's newest layout"};
    for (int i = 0; i < 3; i++) {
        size_t len;
        uint8_t *data = test_read_file(paths[i], &len);
        long n = i == 1 ? test_h5_mutations() / 4 : test_h5_mutations() / 8 * 3;
        h5_survives_mutation(names[i], read_all, data, len, n);
        if (i == 0) h5_survives_cutting(names[i], read_all, data, len);
        rs_free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_sizes_and_storage_that_harm),
        cmocka_unit_test(stops_in_deep_and_looping_groups),
        cmocka_unit_test(survives_no_memory),
        cmocka_unit_test(writer_survives_no_memory),
        cmocka_unit_test(survives_a_full_disk),
        cmocka_unit_test(one_program_writes_and_others_read),
        cmocka_unit_test(survives_damage),
    };
    return cmocka_run_group_tests_name("io_nsid_hostile", tests, NULL, NULL);
}
