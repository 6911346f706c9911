/* NSID in HDF5: files written by h5py (tests/data/make_nsid.py) and by this library. */
#include "support/h5_bare.h"
#include "support/io_support.h"
#include "support/nsid_sample.h"
#include "support/tolerance.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/statistics.h"
#include "io/hdf5/h5.h"
#include "io/image_file.h"
#include "io/nsid/image.h"
#include "io/nsid/write.h"

/* ------------------------------------------------------------------------ what h5py has written */
static void lists_main_datasets_in_order(void **state)
{
    (void)state;
    static const char *const paths[] = {"/Measurement_000/Channel_000/Height/Height",
                                        "/Measurement_000/Channel_001/Amp/Amp",
                                        "/Measurement_000/Channel_002/Phase/Phase",
                                        "/Measurement_000/Channel_003/BE/BE", "/fixed/fixed"};
    rs_nsid_file *f = open_nsid(test_data("nsid_h5py.h5"));
    assert_int_equal(rs_nsid_count(f), 5);
    for (int k = 0; k < 5; k++) assert_string_equal(rs_nsid_info(f, k)->path, paths[k]);
    const rs_nsid_data *d = rs_nsid_info(f, 3);
    assert_true(d->ndim == 3 && d->is_complex && d->count == 12 && !d->data);
    assert_string_equal(d->data_type, "SPECTRAL_IMAGE");
    assert_string_equal(d->dim[2].name, "Frequency");
    assert_string_equal(d->dim[2].units, "Hz");
    assert_string_equal(d->dim[2].type, "SPECTRAL");
    assert_string_equal(d->dim[0].quantity, "Position");
    assert_string_equal(rs_nsid_info(f, 2)->title, "Phase map");
    assert_string_equal(rs_nsid_label(f, 2), "Phase map");
    assert_string_equal(rs_nsid_label(f, 1), "PFM Amplitude");
    rs_nsid_close(f);
}

static void images_keep_the_pattern(void **state)
{
    (void)state;
    static const struct {
        const char *file, *channel, *name, *unit;
        double factor;
    } cases[] = {
        {"nsid_h5py.h5", NULL, "PFM Amplitude", "V", 0.5},
        {"nsid_h5py.h5", "height", "HeightRetrace", "m", 1},
        {"nsid_h5py.h5", "Channel_002", "Phase map", "deg", -1},
        {"nsid_h5py.h5", "/fixed/fixed", "Fixed", "generic", 1},
        {"nsid_h5py.h5", "0", "HeightRetrace", "m", 1},
        {"nsid_latest.h5", NULL, "One layer", "nm", 1},
    };
    reshed_error err = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rs_image im;
        assert_ok(rs_image_read(test_data(cases[i].file), cases[i].channel, &im, &err), &err);
        assert_pattern(&im, cases[i].factor);
        assert_string_equal(im.channel, cases[i].name);
        assert_string_equal(im.unit, cases[i].unit);
        assert_true(fabs(im.dx - 3e-9) < TOL_PIXEL && fabs(im.dy - 2e-9) < TOL_PIXEL);
        assert_true(fabs(im.x0 - 7.5e-9) < TOL_PIXEL && fabs(im.y0 - 3e-9) < TOL_PIXEL);
        rs_image_clear(&im);
    }
    rs_channels list;
    assert_ok(rs_image_list(test_data("nsid_h5py.h5"), &list, &err), &err);
    assert_int_equal(list.n, 4); /* the spectra are no image */
    rs_channels_clear(&list);
}

static void reads_complex_spectra(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_nsid_data d;
    assert_ok(rs_nsid_read_channel(test_data("nsid_h5py.h5"), "Response", &d, &err), &err);
    assert_true(d.ndim == 3 && d.is_complex && d.count == 12);
    assert_true(d.dim[0].n == 2 && d.dim[1].n == 2 && d.dim[2].n == 3);
    for (int i = 0; i < 12; i++) assert_true(d.data[2 * i] == i && d.data[2 * i + 1] == 12 - i);
    assert_true(d.dim[2].values[1] == 325e3 && d.dim[0].values[1] == 1e-6);
    rs_nsid_data_clear(&d);
}

static void reads_attributes_and_arrays(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_nsid_array a;
    double v;
    char text[16];
    const char *meta = "/Measurement_000/Channel_001/Amp/original_metadata";
    rs_nsid_file *f = open_nsid(test_data("nsid_h5py.h5"));
    assert_ok(rs_nsid_get_number(f, meta, "ScanAngle", &v, &err), &err); /* a text */
    assert_true(v == 90);
    assert_ok(rs_nsid_get_number(f, meta, "ScanSize", &v, &err), &err);
    assert_true(v == 0.5);
    assert_ok(rs_nsid_get_text(f, meta, "ScanLines", text, sizeof text, &err), &err);
    assert_string_equal(text, "4");
    assert_ok(rs_nsid_get_text(f, "/fixed/fixed", "data_type", text, 4, &err), &err);
    assert_string_equal(text, "IMA");
    assert_error(rs_nsid_get_number(f, meta, "Missing", &v, &err), RESHED_ECORRUPT, &err,
                 "Missing");
    assert_error(rs_nsid_get_text(f, "/nowhere", "x", text, sizeof text, &err), RESHED_ECORRUPT,
                 &err, "/nowhere");
    assert_ok(rs_nsid_read_array(f, "/plain", &a, &err), &err);
    assert_true(a.ndim == 2 && a.dims[0] == 2 && a.dims[1] == 3 && a.data[5] == 5 && !a.is_complex);
    rs_nsid_array_clear(&a);
    assert_ok(rs_nsid_read_array(f, "/alias", &a, &err), &err); /* a link within the file */
    rs_nsid_array_clear(&a);
    a.ndim = 7;
    assert_error(rs_nsid_read_array(f, "/elsewhere", &a, &err), RESHED_ECORRUPT, &err,
                 "/elsewhere");
    assert_error(rs_nsid_read_array(f, "/text", &a, &err), RESHED_EUNSUPPORTED, &err,
                 "another type");
    assert_error(rs_nsid_read_array(f, "/No", &a, &err), RESHED_ECORRUPT, &err, "/No");
    assert_error(rs_nsid_read_array(f, "/missing", &a, &err), RESHED_ECORRUPT, &err, "/missing");
    assert_int_equal(a.ndim, 7);
    assert_true(rs_nsid_exists(f, "/No/a") && !rs_nsid_exists(f, "/No/x") &&
                !rs_nsid_exists(f, "/elsewhere"));
    rs_nsid_close(f);
}

static void names_what_is_missing(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_image im = {.height = 7};
    rs_nsid_data d = {.ndim = 7};
    const char *path = test_data("nsid_h5py.h5");
    assert_error(rs_image_read(path, "Current", &im, &err), RESHED_EINVAL, &err,
                 "one of HeightRetrace, PFM Amplitude, Phase map, Fixed");
    assert_error(rs_image_read(path, "Channel_00", &im, &err), RESHED_EINVAL, &err, "ambiguous");
    assert_error(rs_image_read(path, "Response", &im, &err), RESHED_EUNSUPPORTED, &err,
                 "complex SPECTRAL_IMAGE of 3 axes");
    assert_error(rs_nsid_read_channel(path, "5", &d, &err), RESHED_EINVAL, &err, "no channel '5'");
    assert_true(im.height == 7 && d.ndim == 7);
    rs_nsid_file *f = open_nsid(path);
    assert_error(rs_nsid_read(f, 5, &d, &err), RESHED_EINVAL, &err, "0 to 4");
    assert_error(rs_nsid_read(f, -1, &d, &err), RESHED_EINVAL, &err, "-1");
    rs_nsid_close(f);
}

/* The library's error printing belongs to the program: it is left as it was, and not used. */
static herr_t count_prints(hid_t stack, void *ctx)
{
    (void)stack;
    ++*(int *)ctx;
    return 0;
}

static void the_library_stays_quiet(void **state)
{
    (void)state;
    int prints = 0;
    H5E_auto2_t old, now;
    void *old_data, *now_data;
    rs_nsid_file *f = NULL;
    rs_image im;
    uint8_t head[64];
    memset(head, 0, sizeof head);
    memcpy(head, rs_h5_signature, 8);
    H5Eget_auto2(H5E_DEFAULT, &old, &old_data);
    H5Eset_auto2(H5E_DEFAULT, count_prints, &prints);
    assert_int_not_equal(rs_nsid_open_mem(head, sizeof head, &f, NULL), RESHED_OK);
    assert_int_not_equal(rs_image_read(test_data("nsid_h5py.h5"), "zzz", &im, NULL), RESHED_OK);
    f = open_nsid(test_data("nsid_h5py.h5"));
    assert_false(rs_nsid_exists(f, "/elsewhere"));
    rs_nsid_close(f);
    H5Eget_auto2(H5E_DEFAULT, &now, &now_data);
    H5Eset_auto2(H5E_DEFAULT, old, old_data);
    assert_int_equal(prints, 0);
    assert_true(now == count_prints && now_data == &prints);
}

/* -------------------------------------------------------------------------------- what we write */
static void round_trips_every_rank(void **state)
{
    (void)state;
    reshed_error err = {0};
    for (int ndim = 1; ndim <= 5; ndim++)
        for (int variant = 0; variant < 4; variant++) {
            char name[32];
            snprintf(name, sizeof name, "round%d%d.h5", ndim, variant);
            const char *path = test_temp(name);
            rs_nsid_data d = nsid_sample(ndim, variant & 1), back;
            write_nsid(path, &d, variant & 2 ? RS_NSID_F32 : RS_NSID_F64);
            assert_ok(rs_nsid_read_channel(path, "loops", &back, &err), &err);
            assert_true(back.ndim == ndim && back.is_complex == d.is_complex);
            uint64_t count = 1;
            for (int i = 0; i < ndim; i++) {
                assert_int_equal(back.dim[i].n, d.dim[i].n);
                assert_string_equal(back.dim[i].name, d.dim[i].name);
                assert_string_equal(back.dim[i].quantity, d.dim[i].quantity);
                assert_string_equal(back.dim[i].units, d.dim[i].units);
                assert_string_equal(back.dim[i].type, d.dim[i].type);
                for (int64_t k = 0; k < d.dim[i].n; k++)
                    assert_true(back.dim[i].values[k] == (i == 2 ? d.dim[2].values[k] : (double)k));
                count *= (uint64_t)d.dim[i].n;
            }
            assert_int_equal(back.count, count);
            for (uint64_t k = 0; k < count * (d.is_complex ? 2 : 1); k++)
                assert_true(back.data[k] == d.data[k]);
            assert_string_equal(back.name, d.name);
            assert_string_equal(back.quantity, d.quantity);
            assert_string_equal(back.units, d.units);
            assert_string_equal(back.data_type, d.data_type);
            assert_string_equal(back.modality, d.modality);
            assert_string_equal(back.source, d.source);
            rs_nsid_data_clear(&back);
        }
}

static void images_go_there_and_back(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_image im, back;
    rs_nsid_data d;
    rs_nsid_writer *w = NULL;
    for (int k = 0; k < 2; k++) {
        const char *path = test_temp(k ? "image1.h5" : "image0.h5");
        pattern_image(&im);
        if (k) im.dx = im.dy = 0;
        assert_ok(rs_nsid_from_image(&im, &d, &err), &err);
        assert_true(d.dim[0].n == PATTERN_W && d.dim[1].n == PATTERN_H);
        assert_true(d.data[1] == pattern_at(PATTERN_H - 2, 0)); /* x first, then y upwards */
        assert_ok(rs_nsid_create(path, RS_NSID_ATOMIC, &w, &err), &err);
        assert_ok(rs_nsid_add(w, "/Measurement_000", &d, RS_NSID_F32, NULL, 0, &err), &err);
        assert_ok(rs_nsid_finish(w, RESHED_OK, &err), &err);
        rs_nsid_data_clear(&d);
        assert_ok(rs_image_read(path, NULL, &back, &err), &err);
        assert_pattern(&back, 1);
        assert_true(fabs(back.dx - im.dx) < TOL_PIXEL && fabs(back.dy - im.dy) < TOL_PIXEL);
        if (!k) assert_true(fabs(back.x0 - im.x0) < 1e-15 && fabs(back.y0 - im.y0) < 1e-15);
        assert_string_equal(back.channel, "Pattern");
        assert_string_equal(back.unit, "V");
        rs_image_clear(&back);
        rs_image_clear(&im);
    }
}

static void fills_in_block_by_block(void **state)
{
    (void)state;
    reshed_error err = {0};
    const char *path = test_temp("live.h5");
    rs_nsid_data d = nsid_sample(3, false), back;
    rs_nsid_writer *w = NULL, *second = NULL;
    char where[256];
    const double *ramp = d.data;
    d.data = NULL;
    assert_ok(rs_nsid_create(path, RS_NSID_LIVE, &w, &err), &err);
    assert_true(rs_os_is_file(path));
    assert_error(rs_nsid_create(path, RS_NSID_LIVE, &second, &err), RESHED_EIO, &err,
                 "cannot create");
    assert_ok(rs_nsid_add(w, "", &d, RS_NSID_F32, where, sizeof where, &err), &err);
    assert_ok(rs_nsid_flush(w, &err), &err);
    const uint64_t start[3] = {1, 0, 1}, size[3] = {1, 2, 2}, outside[3] = {1, 1, 3};
    const double block[4] = {10, 11, 12, 13};
    assert_ok(rs_nsid_put(w, where, 3, start, size, block, &err), &err);
    assert_error(rs_nsid_put(w, where, 3, start, outside, block, &err), RESHED_EINVAL, &err,
                 "block on axis 2");
    assert_error(rs_nsid_put(w, where, 2, start, size, block, &err), RESHED_EINVAL, &err,
                 "axes of a block");
    assert_error(rs_nsid_put(w, "/none", 3, start, size, block, &err), RESHED_EINVAL, &err,
                 "/none");
    assert_error(rs_nsid_add(w, "", &d, RS_NSID_F32, NULL, 0, &err), RESHED_EINVAL, &err,
                 "exists already");
    assert_ok(rs_nsid_finish(w, RESHED_OK, &err), &err);
    assert_ok(rs_nsid_read_channel(path, NULL, &back, &err), &err);
    for (int i = 0; i < 12; i++) {
        int x = i / 6, y = i / 3 % 2, v = i % 3;
        if (x == 1 && v >= 1)
            assert_true(back.data[i] == 10 + 2 * y + v - 1);
        else
            assert_true(isnan(back.data[i]));
    }
    rs_nsid_data_clear(&back);

    /* The same file again, with more in it. */
    const uint64_t shape[2] = {2, 3};
    double v;
    char text[32];
    assert_ok(rs_nsid_create(path, RS_NSID_APPEND, &w, &err), &err);
    assert_ok(rs_nsid_put_array(w, "/Images/Raw", 2, shape, ramp, RS_NSID_F32, &err), &err);
    assert_ok(rs_nsid_put_array(w, "/count", 0, NULL, ramp, RS_NSID_F64, &err), &err);
    assert_int_equal(rs_nsid_put_array(w, "/count", 0, NULL, ramp, RS_NSID_F64, &err), RESHED_EIO);
    assert_error(rs_nsid_put_array(w, "count", 0, NULL, ramp, RS_NSID_F64, &err), RESHED_EINVAL,
                 &err, "/group/name");
    assert_ok(rs_nsid_group(w, "/Coordinates/Target", &err), &err);
    assert_int_equal(rs_nsid_group(w, "/Images/Raw", &err), RESHED_EIO); /* a dataset */
    assert_ok(rs_nsid_set_text(w, "/Images/Raw", "unit", "\xc2\xb5V", &err), &err);
    assert_ok(rs_nsid_set_text(w, "/Images/Raw", "unit", "V", &err), &err); /* replaces */
    assert_ok(rs_nsid_set_text(w, "/Notes/New", "empty", "", &err), &err);
    assert_ok(rs_nsid_set_number(w, "/", "lines", 256, &err), &err);
    assert_ok(rs_nsid_finish(w, RESHED_OK, &err), &err);
    rs_nsid_file *f = open_nsid(path);
    rs_nsid_array a;
    assert_ok(rs_nsid_read_array(f, "/Images/Raw", &a, &err), &err);
    assert_true(a.ndim == 2 && a.count == 6 && a.data[5] == ramp[5]);
    rs_nsid_array_clear(&a);
    assert_ok(rs_nsid_read_array(f, "/count", &a, &err), &err);
    assert_true(a.ndim == 0 && a.count == 1);
    rs_nsid_array_clear(&a);
    assert_ok(rs_nsid_get_text(f, "/Images/Raw", "unit", text, sizeof text, &err), &err);
    assert_string_equal(text, "V");
    assert_ok(rs_nsid_get_text(f, "/Notes/New", "empty", text, sizeof text, &err), &err);
    assert_string_equal(text, "");
    assert_ok(rs_nsid_get_number(f, "/", "lines", &v, &err), &err);
    assert_true(v == 256 && rs_nsid_exists(f, "/Coordinates/Target"));
    rs_nsid_close(f);
}

static void atomic_files_appear_whole_or_not(void **state)
{
    (void)state;
    reshed_error err = {0};
    const char *path = test_temp("atomic.h5");
    rs_nsid_writer *w = NULL;
    rs_nsid_data d = nsid_sample(2, false);
    assert_ok(rs_os_write_file(path, "old", 3, &err), &err);
    assert_ok(rs_nsid_create(path, RS_NSID_ATOMIC, &w, &err), &err);
    assert_ok(rs_nsid_add(w, "/a", &d, RS_NSID_F64, NULL, 0, &err), &err);
    rs_fail(&err, RESHED_ETIMEOUT, "stopped");
    assert_int_equal(rs_nsid_finish(w, RESHED_ETIMEOUT, &err), RESHED_ETIMEOUT);
    assert_string_equal(err.what, "stopped");
    size_t len;
    uint8_t *now = test_read_file(path, &len);
    assert_true(len == 3 && memcmp(now, "old", 3) == 0);
    rs_free(now);
    assert_int_equal(rs_nsid_finish(NULL, RESHED_EIO, &err), RESHED_EIO);
    w = NULL;
    assert_int_equal(rs_nsid_create(test_temp("no/such/folder.h5"), RS_NSID_ATOMIC, &w, &err),
                     RESHED_EIO);
    assert_int_equal(rs_nsid_create(test_temp("missing.h5"), RS_NSID_APPEND, &w, &err), RESHED_EIO);
    assert_null(w);
}

static void refuses_what_pynsid_would(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_nsid_writer *w = NULL;
    assert_ok(rs_nsid_create(test_temp("refused.h5"), RS_NSID_ATOMIC, &w, &err), &err);
    rs_nsid_data good = nsid_sample(3, false), d;
#define REFUSED(change, part)                                                                      \
    d = good;                                                                                      \
    change;                                                                                        \
    assert_error(rs_nsid_add(w, "/m", &d, RS_NSID_F64, NULL, 0, &err), RESHED_EINVAL, &err, part)
    REFUSED(d.ndim = 0, "axes of a dataset");
    REFUSED(d.ndim = 6, "axes of a dataset");
    REFUSED(strcpy(d.data_type, "PICTURE"), "PICTURE");
    REFUSED(strcpy(d.dim[1].type, "spatial"), "type of axis 1");
    REFUSED(strcpy(d.dim[1].name, "X"), "unlike axis 0");
    REFUSED(strcpy(d.dim[1].name, "BEPS_run_1"), "unlike the dataset's");
    REFUSED(strcpy(d.dim[1].name, "a/b"), "name of axis 1");
    REFUSED(strcpy(d.dim[1].name, ""), "name of axis 1");
    REFUSED(d.dim[1].n = 0, "length of axis 1");
    REFUSED(d.dim[1].n = INT64_MAX, "length of axis 1");
#undef REFUSED
    char deep[300];
    memset(deep, 'a', sizeof deep);
    deep[0] = '/', deep[299] = '\0';
    assert_error(rs_nsid_add(w, deep, &good, RS_NSID_F64, NULL, 0, &err), RESHED_EINVAL, &err,
                 "path");
    assert_ok(rs_nsid_add(w, "/m", &good, RS_NSID_F64, NULL, 0, &err), &err);
    assert_ok(rs_nsid_finish(w, RESHED_OK, &err), &err);
}

/* pyNSID's check_if_main once more, on the bare library and without our reader: how the attributes
 * are stored is part of it (variable-length texts, or h5py gives bytes). */
static bool is_vlen_text(hid_t obj, const char *name)
{
    hid_t id = H5Aexists(obj, name) > 0 ? H5Aopen(obj, name, H5P_DEFAULT) : -1;
    hid_t type = id < 0 ? -1 : H5Aget_type(id), space = id < 0 ? -1 : H5Aget_space(id);
    bool ok = type >= 0 && H5Tis_variable_str(type) > 0 &&
              H5Sget_simple_extent_type(space) == H5S_SCALAR && H5Tget_cset(type) == H5T_CSET_UTF8;
    if (id >= 0) H5Sclose(space), H5Tclose(type), H5Aclose(id);
    return ok;
}

static void our_files_pass_check_if_main(void **state)
{
    (void)state;
    const char *path = test_temp("main.h5");
    const char *where = "/Measurement_000/Channel_000/BEPS_run_1";
    static const char *const on_main[] = {
        "quantity", "units", "main_data_name", "pyNSID_version", "data_type", "modality", "source"};
    static const char *const on_scale[] = {"name", "quantity", "units", "dimension_type"};
    rs_nsid_data d = nsid_sample(3, true);
    write_nsid(path, &d, RS_NSID_F32);
    hid_t f = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), g = H5Gopen2(f, where, H5P_DEFAULT);
    hid_t main = H5Dopen2(g, "BEPS_run_1", H5P_DEFAULT);
    assert_true(main >= 0 && is_vlen_text(g, "pyNSID_version"));
    for (int i = 0; i < 7; i++) assert_true(is_vlen_text(main, on_main[i]));

    char *labels[3];
    hid_t a = H5Aopen(main, "DIMENSION_LABELS", H5P_DEFAULT), t = H5Aget_type(a),
          s = H5Aget_space(a);
    assert_true(H5Sget_simple_extent_npoints(s) == 3 && H5Aread(a, t, labels) >= 0);
    hvl_t lists[3];
    hid_t b = H5Aopen(main, "DIMENSION_LIST", H5P_DEFAULT), bt = H5Aget_type(b),
          bs = H5Aget_space(b);
    assert_true(H5Sget_simple_extent_npoints(bs) == 3 && H5Aread(b, bt, lists) >= 0);
    for (int i = 0; i < 3; i++) {
        hsize_t n;
        char class[32] = "", name[64];
        assert_string_equal(labels[i], d.dim[i].name);
        hid_t sibling = H5Dopen2(g, labels[i], H5P_DEFAULT);
        hid_t scale = H5Rdereference2(main, H5P_DEFAULT, H5R_OBJECT, lists[i].p);
        assert_true(lists[i].len == 1 && sibling >= 0 && scale >= 0);
        assert_true(H5Iget_name(scale, name, sizeof name) > 0 && strstr(name, labels[i]));
        hid_t space = H5Dget_space(sibling);
        assert_true(H5Sget_simple_extent_ndims(space) == 1);
        H5Sget_simple_extent_dims(space, &n, NULL);
        assert_int_equal(n, d.dim[i].n);
        for (int k = 0; k < 4; k++) assert_true(is_vlen_text(sibling, on_scale[k]));
        hid_t ca = H5Aopen(sibling, "CLASS", H5P_DEFAULT), ct = H5Aget_type(ca);
        assert_true(H5Tget_size(ct) == 16 && H5Aread(ca, ct, class) >= 0);
        assert_string_equal(class, "DIMENSION_SCALE");
        struct {
            hobj_ref_t dataset;
            uint32_t dimension;
        } use[1];
        hid_t ra = H5Aopen(sibling, "REFERENCE_LIST", H5P_DEFAULT), rt = H5Aget_type(ra);
        assert_true(H5Tget_size(rt) == 16 && H5Aread(ra, rt, use) >= 0 &&
                    use[0].dimension == (uint32_t)i);
        hid_t back = H5Rdereference2(sibling, H5P_DEFAULT, H5R_OBJECT, &use[0].dataset);
        H5Iget_name(back, name, sizeof name);
        assert_true(strstr(name, "/BEPS_run_1/BEPS_run_1") != NULL);
        H5Tclose(rt), H5Aclose(ra), H5Tclose(ct), H5Aclose(ca), H5Sclose(space);
        H5Oclose(back), H5Oclose(scale), H5Dclose(sibling);
    }
    H5Dvlen_reclaim(t, s, H5P_DEFAULT, labels);
    H5Dvlen_reclaim(bt, bs, H5P_DEFAULT, lists);
    H5Tclose(t), H5Sclose(s), H5Aclose(a), H5Tclose(bt), H5Sclose(bs), H5Aclose(b);
    H5Dclose(main), H5Gclose(g), H5Fclose(f);
}

/* ---------------------------------------------------------------------------------- shared data */
static void reads_shared_pfm_frames(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int channels;
        double size;
    } files[] = {
        {"PTO_Funakubo0001", 4, 1e-6}, {"PTO_Funakubo0003", 4, 1e-6}, {"PTO_Funakubo0005", 4, 1e-6},
        {"PZT_final0001", 8, 2e-6},    {"PZT_thick0004", 8, 3e-6},
    };
    reshed_error err = {0};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char name[64];
        rs_image im;
        rs_channels list;
        snprintf(name, sizeof name, "data/pfm/%s.h5", files[i].name);
        const char *path = test_shared(name);
        assert_ok(rs_image_list(path, &list, &err), &err);
        assert_int_equal(list.n, files[i].channels);
        assert_string_equal(list.c[0].name, "HeightRetrace");
        rs_channels_clear(&list);
        for (int k = -1; k < files[i].channels; k++) {
            char number[16];
            snprintf(number, sizeof number, "%d", k);
            assert_ok(rs_image_read(path, k < 0 ? NULL : number, &im, &err), &err);
            if (k < 0) assert_string_equal(im.channel, "AmplitudeRetrace");
            assert_true(im.height == 256 && im.width == 256);
            assert_true(fabs(im.dx / (files[i].size / 255) - 1) < 1e-9);
            assert_true(fabs(im.dy / (files[i].size / 255) - 1) < 1e-9);
            assert_string_equal(im.unit, strcmp(im.channel, "PhaseRetrace") == 0 ? "deg" : "m");
            rs_image_clear(&im);
        }
    }
}

/* Golden numbers of the specification (A4, F3). */
static void reads_shared_beps_grid(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_nsid_data d;
    assert_ok(
        rs_nsid_read_channel(test_shared("data/beps/BEPS_PTO_50x50.h5"), "Piezoresponse", &d, &err),
        &err);
    assert_true(d.ndim == 3 && d.dim[0].n == 50 && d.dim[1].n == 50 && d.dim[2].n == 64);
    assert_string_equal(d.data_type, "SPECTRAL_IMAGE");
    assert_true(d.dim[2].values[0] == 0 && d.dim[2].values[1] == 0.53125 &&
                d.dim[2].values[16] == 8.5 && d.dim[2].values[48] == -8.5);
    double start[2500];
    for (int i = 0; i < 2500; i++) start[i] = d.data[64 * i];
    rs_sort(start, 2500);
    assert_true(fabs(rs_sorted_median(start, 2500) + 3.597e-5) < 1e-8);
    rs_nsid_data_clear(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_main_datasets_in_order),
        cmocka_unit_test(images_keep_the_pattern),
        cmocka_unit_test(reads_complex_spectra),
        cmocka_unit_test(reads_attributes_and_arrays),
        cmocka_unit_test(names_what_is_missing),
        cmocka_unit_test(the_library_stays_quiet),
        cmocka_unit_test(round_trips_every_rank),
        cmocka_unit_test(images_go_there_and_back),
        cmocka_unit_test(fills_in_block_by_block),
        cmocka_unit_test(atomic_files_appear_whole_or_not),
        cmocka_unit_test(refuses_what_pynsid_would),
        cmocka_unit_test(our_files_pass_check_if_main),
        cmocka_unit_test(reads_shared_pfm_frames),
        cmocka_unit_test(reads_shared_beps_grid),
    };
    return cmocka_run_group_tests_name("io_nsid", tests, NULL, NULL);
}
