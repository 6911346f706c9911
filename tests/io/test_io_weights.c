#include "support/support.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/h5_bare.h"
#include "support/io_support.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/sha256.h"
#include "io/hdf5/h5.h"
#include "io/weights/model.h"
#include "io/weights/torch.h"
#include "io/weights/weights.h"

/* -------------------------------------------------------------------------------------- SHA-256 */
static void sha256_text(const void *data, size_t n, char hex[65])
{
    rs_sha256 s;
    uint8_t digest[32];
    rs_sha256_start(&s);
    rs_sha256_add(&s, data, n);
    rs_sha256_end(&s, digest);
    rs_sha256_hex(digest, hex);
}

/* The examples of FIPS 180-4 and NIST's long one. */
static void sha256_known_answers(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hex;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopq"
         "klmnopqrlmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    char hex[65];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sha256_text(cases[i].text, strlen(cases[i].text), hex);
        assert_string_equal(hex, cases[i].hex);
    }
    char *a = malloc(1000000);
    memset(a, 'a', 1000000);
    sha256_text(a, 1000000, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    /* However the message is cut: every length across three blocks, in pieces of every size. */
    for (size_t n = 0; n < 200; n += 1 + n / 20)
        for (size_t piece = 1; piece <= n; piece++) {
            char whole[65], parts[65];
            rs_sha256 s;
            uint8_t digest[32];
            sha256_text(a, n, whole);
            rs_sha256_start(&s);
            for (size_t at = 0; at < n; at += piece)
                rs_sha256_add(&s, a + at, n - at < piece ? n - at : piece);
            rs_sha256_end(&s, digest);
            rs_sha256_hex(digest, parts);
            assert_string_equal(parts, whole);
        }
    free(a);
}

/* ----------------------------------------------------------------------------------- the models */
/* Two members of every type and rank, with values that show their place; NaN and -0 among them. */
static rs_model_file make_model(void)
{
    rs_model_file m = {.classes = 3, .filters = 5, .levels = 2, .layers = {1, 4}, .members = 2};
    strcpy(m.model, "ResHedNet");
    strcpy(m.upsampling, "nearest");
    m.pixel_size_min = 2e-9;
    m.pixel_size_max = 40e-9;
    m.ood_threshold = 0.125;
    m.ood = (rs_ood_model){.version = 7, .features = 3, .frames = 50};
    for (int i = 0; i < 9; i++) m.ood.whiten[i / 3][i % 3] = 1.0 / (i + 3) - 0.1;
    for (int i = 0; i < 3; i++) m.ood.centre[i] = i ? -1e-300 * i : 1.0 / 3;
    m.member = rs_zalloc(2, sizeof *m.member);
    assert_non_null(m.member);
    static const struct {
        const char *name;
        rs_dtype dtype;
        int ndim;
        int64_t dims[4];
    } parts[] = {
        {"z.weight", RS_F32, 4, {3, 2, 3, 3}}, {"a.bias", RS_F32, 1, {7}},
        {"n.half", RS_F16, 2, {4, 5}},         {"b.double", RS_F64, 3, {2, 1, 6}},
        {"c.count", RS_I64, 0, {0}},           {"d.list", RS_I64, 1, {1}},
        {"e.scale", RS_F32, 0, {0}},
    };
    for (int i = 0; i < 2; i++)
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
            rs_tensor *t = rs_tensors_add(&m.member[i], parts[k].name, parts[k].dtype,
                                          parts[k].ndim, parts[k].dims);
            assert_non_null(t);
            for (size_t j = 0; j < t->count; j++) {
                double v = (double)(100 * (i + 1)) + (double)j / 3 - 50 * (double)k;
                if (t->dtype == RS_F16) ((uint16_t *)t->data)[j] = rs_float_to_half((float)v);
                if (t->dtype == RS_F32) ((float *)t->data)[j] = (float)v;
                if (t->dtype == RS_F64) ((double *)t->data)[j] = v;
                if (t->dtype == RS_I64) ((int64_t *)t->data)[j] = INT64_MIN + (int64_t)j + i;
            }
            if (k == 0) {
                ((float *)t->data)[3] = NAN;
                ((float *)t->data)[4] = -0.0f;
                ((float *)t->data)[5] = 0x1p-149f;
            }
        }
    return m;
}

static void assert_same_model(const rs_model_file *a, const rs_model_file *b)
{
    assert_string_equal(a->model, b->model);
    assert_string_equal(a->upsampling, b->upsampling);
    assert_int_equal(a->classes, b->classes);
    assert_int_equal(a->filters, b->filters);
    assert_int_equal(a->levels, b->levels);
    assert_memory_equal(a->layers, b->layers, sizeof a->layers);
    assert_true(a->pixel_size_min == b->pixel_size_min);
    assert_true(a->pixel_size_max == b->pixel_size_max);
    assert_true(a->ood_threshold == b->ood_threshold);
    assert_memory_equal(&a->ood, &b->ood, sizeof a->ood);
    assert_int_equal(a->members, b->members);
    for (int i = 0; i < a->members; i++) {
        assert_int_equal(a->member[i].n, b->member[i].n);
        for (int k = 0; k < a->member[i].n; k++) {
            const rs_tensor *s = &a->member[i].t[k], *t = &b->member[i].t[k];
            assert_string_equal(s->name, t->name); /* the order, too */
            assert_int_equal(s->dtype, t->dtype);
            assert_int_equal(s->ndim, t->ndim);
            assert_memory_equal(s->dims, t->dims, sizeof s->dims);
            assert_memory_equal(s->data, t->data, s->count * rs_dtype_size(s->dtype));
        }
    }
}

static const char *write_model(const char *name, const rs_model_file *m,
                               const rs_weights_options *options)
{
    const char *path = test_temp(name);
    reshed_error err = {0};
    assert_ok(rs_weights_write_h5(path, m, options, &err), &err);
    return path;
}

static rs_model_file load(const char *path)
{
    rs_model_file m = {0};
    reshed_error err = {0};
    assert_ok(rs_weights_load(path, &m, &err), &err);
    return m;
}

/* ---------------------------------------------------------------------------------- round trips */
static void every_bit_comes_back(void **state)
{
    (void)state;
    rs_model_file m = make_model();
    rs_model_file back = load(write_model("all.h5", &m, NULL));
    assert_same_model(&m, &back);
    rs_model_file_clear(&back);
    m.ood.features = RS_OOD_MAX_FEATURES;
    back = load(write_model("all.h5", &m, NULL));
    assert_same_model(&m, &back);
    rs_model_file_clear(&back);
    m.pixel_size_min = m.pixel_size_max = m.ood_threshold = 0; /* unknown: not written */
    m.ood = (rs_ood_model){0};
    back = load(write_model("all.h5", &m, NULL));
    assert_same_model(&m, &back);
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
        rs_model_file m = load(test_data(files[i]));
        rs_model_file back = load(write_model("import.h5", &m, NULL));
        assert_same_model(&m, &back);
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
    rs_model_file m = make_model();
    size_t n, k;
    uint8_t *a = test_read_file(write_model("one.h5", &m, NULL), &n);
    uint8_t *b = test_read_file(write_model("two.h5", &m, NULL), &k);
    assert_int_equal(n, k);
    assert_memory_equal(a, b, n);
    rs_free(a);
    rs_free(b);
    rs_model_file_clear(&m);
}

static void fp16_rounds_the_convolutions_only(void **state)
{
    (void)state;
    rs_model_file m = make_model();
    rs_model_file back = load(write_model("half.h5", &m, &(rs_weights_options){.fp16 = true}));
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
    const char *path = write_model("keep.h5", &m, NULL);
    ((float *)m.member[1].t[0].data)[9] = -65520;
    assert_int_equal(rs_weights_write_h5(path, &m, &(rs_weights_options){.fp16 = true}, &err),
                     RESHED_EUNSUPPORTED);
    assert_non_null(strstr(err.where, "z.weight"));
    back = load(path);
    assert_true(((float *)back.member[1].t[0].data)[9] != -65520);
    rs_model_file_clear(&back);
    rs_model_file_clear(&m);
}

/* A tensor above 32 MB is cut into chunks along its first axes. */
static void large_tensors_come_back(void **state)
{
    (void)state;
    rs_model_file m = {.classes = 1, .filters = 1, .levels = 1, .layers = {1}, .members = 1};
    strcpy(m.model, "ResHedNet");
    strcpy(m.upsampling, "bilinear");
    m.member = rs_zalloc(1, sizeof *m.member);
    rs_tensor *t = rs_tensors_add(m.member, "w", RS_F32, 3, (int64_t[]){1, 9, 1000003});
    assert_non_null(t);
    for (size_t i = 0; i < t->count; i++) ((float *)t->data)[i] = (float)(i % 16777213);
    rs_model_file back = load(write_model("large.h5", &m, NULL));
    assert_same_model(&m, &back);
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
    sha256_text(message, sizeof head - 1 + 32, expected);
    rs_model_file_digest(&m, hex);
    assert_string_equal(hex, expected);
    rs_model_file_clear(&m);
}

static void digest_sees_content_not_container(void **state)
{
    (void)state;
    char first[65], hex[65];
    rs_model_file m = make_model();
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

/* ------------------------------------------------------------------------------ what is refused */
static void bad_models_are_not_written(void **state)
{
    (void)state;
    const char *path = test_temp("bad.h5");
    for (int c = 0; c < 13; c++) {
        rs_model_file m = make_model();
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
    put_int(file, "format_version", 2);
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
        rs_model_file m = make_model(), back = {0};
        const char *path = write_model("changed.h5", &m, NULL);
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
    rs_model_file m = make_model();
    const char *path = write_model("flip.h5", &m, NULL);
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
    rs_model_file m = make_model();
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

/* -- in child processes, for HDF5 1.10 itself faults on some damaged files */
typedef struct damage {
    uint8_t *data, *mutant; /* mutant has room for 256 bytes more */
    size_t len;
} damage;

/* A failure carries its status and a text. */
static bool reads_safely(const uint8_t *data, size_t len, reshed_status *st)
{
    reshed_error err = {0};
    *st = read_bytes(data, len, &err);
    if (*st == RESHED_OK) fork_count();
    return *st == RESHED_OK || (err.status == *st && err.what[0]);
}
static bool mutant_is_safe(void *ctx, long i)
{
    const damage *d = ctx;
    reshed_status st;
    return reads_safely(d->mutant, test_mutant(i, d->data, d->len, d->mutant), &st);
}
static bool prefix_fails(void *ctx, long i)
{
    const damage *d = ctx;
    reshed_status st;
    return reads_safely(d->data, (size_t)i, &st) && st != RESHED_OK;
}
static bool bare_mutant(void *ctx, long i)
{
    const damage *d = ctx;
    h5_walk(d->mutant, test_mutant(i, d->data, d->len, d->mutant));
    return true;
}
static bool bare_prefix(void *ctx, long i)
{
    h5_walk(((const damage *)ctx)->data, (size_t)i);
    return true;
}

static void check_damage(const char *what, const char *path, long n)
{
    damage d = {0};
    d.data = test_read_file(path, &d.len);
    d.mutant = malloc(d.len + 256);
    assert_non_null(d.mutant);
    forked f = n ? run_forked(n, mutant_is_safe, bare_mutant, &d)
                 : run_forked((long)d.len, prefix_fails, bare_prefix, &d);
    printf("# weights HDF5, %s: %ld cases (seed %llu), %ld read, %ld ended by a fault or hang of "
           "libhdf5 alone\n",
           what, n ? n : (long)d.len, (unsigned long long)test_seed(), f.passed, f.librarys);
    if (f.wrong || f.ours)
        fail_msg("%s: %ld wrong results, %ld faults; the first is case %ld", what, f.wrong, f.ours,
                 f.first_wrong);
    free(d.mutant);
    rs_free(d.data);
}

static void survives_truncation_and_mutation(void **state)
{
    (void)state;
    rs_model_file m = load(test_data("torch_views.tar"));
    const char *ours = write_model("hostile.h5", &m, NULL), *oldest = test_temp("oldest.h5");
    write_oldest(oldest, ours, &m);
    rs_model_file back = load(oldest); /* without the order of creation: by name */
    char a[65], b[65];
    rs_model_file_digest(&m, a);
    rs_model_file_digest(&back, b);
    assert_string_equal(a, b);
    check_damage("cut at every length", ours, 0);
    check_damage("our file", ours, test_h5_mutations() / 4 * 3);
    check_damage("oldest layout", oldest, test_h5_mutations() / 4);
    rs_model_file_clear(&back);
    rs_model_file_clear(&m);
}

static void survives_want_of_memory(void **state)
{
    (void)state;
    size_t n;
    rs_model_file m = make_model();
    uint8_t *d = test_read_file(write_model("want.h5", &m, NULL), &n);
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
        cmocka_unit_test(sha256_known_answers),
        cmocka_unit_test(every_bit_comes_back),
        cmocka_unit_test(import_then_read_is_exact),
        cmocka_unit_test(the_same_model_gives_the_same_bytes),
        cmocka_unit_test(fp16_rounds_the_convolutions_only),
        cmocka_unit_test(large_tensors_come_back),
        cmocka_unit_test(digest_is_as_documented),
        cmocka_unit_test(digest_sees_content_not_container),
        cmocka_unit_test(bad_models_are_not_written),
        cmocka_unit_test(changed_files_are_refused),
        cmocka_unit_test(damage_to_the_weights_is_noticed),
        cmocka_unit_test(the_front_door_knows_its_files),
        cmocka_unit_test(hdf5_is_silenced_and_restored),
        cmocka_unit_test(survives_want_of_memory),
        cmocka_unit_test(survives_truncation_and_mutation),
        cmocka_unit_test(nothing_is_left_behind),
    };
    return cmocka_run_group_tests_name("io_weights", tests, NULL, NULL);
}
