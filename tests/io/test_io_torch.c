#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/torch_build.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/tensors.h"
#include "io/weights/model.h"
#include "io/weights/torch.h"

static rs_model_file load(const char *path)
{
    rs_model_file m = {0};
    reshed_error err = {0};
    assert_ok(rs_torch_read(path, &m, &err), &err);
    return m;
}

static const rs_tensor *get(const rs_model_file *m, int member, const char *name)
{
    const rs_tensor *t = rs_tensors_find(&m->member[member], name);
    if (!t) fail_msg("no tensor %s", name);
    return t;
}

static void assert_dims(const rs_tensor *t, int ndim, const int64_t *dims)
{
    assert_int_equal(t->ndim, ndim);
    size_t count = 1;
    for (int k = 0; k < ndim; k++) {
        assert_int_equal(t->dims[k], dims[k]);
        count *= (size_t)dims[k];
    }
    assert_int_equal(t->count, count);
}

/* ----------------------------------------------------------------------- files written by torch */
/* Files that AtomAI's own trainer wrote; the sums were taken in Python by torch. */
static void reads_atomai_files(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        int members, classes, filters, layers[3], tensors;
        const char *upsampling;
        double sum; /* of all values of the last member */
    } cases[] = {
        {"golden/reshednet_f4_ensemble_metadict.tar",
         3,
         1,
         4,
         {3, 4, 5},
         215,
         "bilinear",
         1199.4139839952086},
        {"golden/reshednet_f4_3class_ensemble_metadict.tar",
         2,
         3,
         4,
         {3, 4, 5},
         215,
         "bilinear",
         1586.3589193440155},
        {"golden/reshednet_f8_nearest_ensemble_metadict.tar",
         2,
         1,
         8,
         {2, 2, 2},
         119,
         "nearest",
         945.0116380215524},
    };
    for (int i = 0; i < 3; i++) {
        rs_model_file m = load(test_shared(cases[i].file));
        assert_string_equal(m.model, "ResHedNet");
        assert_string_equal(m.upsampling, cases[i].upsampling);
        assert_int_equal(m.members, cases[i].members);
        assert_int_equal(m.classes, cases[i].classes);
        assert_int_equal(m.filters, cases[i].filters);
        assert_int_equal(m.levels, 3);
        for (int k = 0; k < 3; k++) assert_int_equal(m.layers[k], cases[i].layers[k]);
        double sum = 0;
        const rs_tensors *last = &m.member[m.members - 1];
        for (int k = 0; k < last->n; k++)
            for (size_t j = 0; j < last->t[k].count; j++) sum += rs_tensor_at(&last->t[k], j);
        assert_true(fabs(sum - cases[i].sum) < 1e-6 * fabs(cases[i].sum));
        for (int k = 0; k < m.members; k++) assert_int_equal(m.member[k].n, cases[i].tensors);
        assert_string_equal(last->t[0].name, "net1.res_module.0.c0.weight");
        assert_string_equal(last->t[last->n - 1].name, "out.bias");
        int64_t f = cases[i].filters, c = cases[i].classes;
        assert_dims(get(&m, 0, "net3.1.res_module.1.c2.weight"), 4,
                    (int64_t[]){4 * f, 4 * f, 3, 3});
        assert_dims(get(&m, 0, "net2score.1.running_var"), 1, &c);
        assert_dims(get(&m, 0, "out.weight"), 4, (int64_t[]){c, 3 * c, 1, 1});
        const rs_tensor *tracked = get(&m, 0, "net1.res_module.0.bn1.num_batches_tracked");
        assert_int_equal(tracked->ndim, 0);
        assert_int_equal(tracked->dtype, RS_I64);
        assert_true(rs_tensor_at(tracked, 0) > 0);
        rs_model_file_clear(&m);
    }
}

/* The optimizer is an object with state of its own: passed over. One state_dict is one member. */
static void passes_over_a_pickled_optimizer(void **state)
{
    (void)state;
    rs_model_file m = load(test_data("torch_adam.tar"));
    assert_int_equal(m.members, 1);
    assert_int_equal(m.member[0].n, 7);
    /* After Adam's first step of 1e-3 every weight has moved by just that. */
    const rs_tensor *w = get(&m, 0, "bn.weight");
    for (size_t i = 0; i < 2; i++) assert_true(fabs(fabs(rs_tensor_at(w, i) - 1) - 1e-3) < 1e-5);
    assert_true(rs_tensor_at(get(&m, 0, "bn.num_batches_tracked"), 0) == 1);
    rs_model_file_clear(&m);
}

/* make_tiny_ensemble.py: element i is i/4 - 2, whatever the type that stores it. */
static void check_types(const rs_model_file *m, int member)
{
    static const struct {
        const char *name;
        rs_dtype dtype;
        double scale, shift;
    } cases[] = {
        {"double", RS_F64, 0.25, -2},    {"float", RS_F32, 0.25, -2}, {"half", RS_F16, 0.25, -2},
        {"bfloat16", RS_F32, 0.25, -2},  {"long", RS_I64, 1, -8},     {"int", RS_I64, 1, -8},
        {"short", RS_I64, 1, -8},        {"char", RS_I64, 1, -8},     {"byte", RS_I64, 1, 100},
        {"parameter", RS_F32, 0.25, -2},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const rs_tensor *t = get(m, member, cases[k].name);
        assert_int_equal(t->dtype, cases[k].dtype);
        assert_dims(t, 3, (int64_t[]){2, 3, 4});
        for (size_t i = 0; i < 24; i++)
            assert_true(rs_tensor_at(t, i) == cases[k].scale * (double)i + cases[k].shift);
    }
    const rs_tensor *b = get(m, member, "bool");
    assert_int_equal(b->dtype, RS_I64);
    for (size_t i = 0; i < 24; i++) assert_true(rs_tensor_at(b, i) == (double)(i % 2));
    assert_int_equal(get(m, member, "scalar")->ndim, 0);
    assert_true(rs_tensor_at(get(m, member, "scalar"), 0) == -7);
}

static void reads_every_type_and_protocol(void **state)
{
    (void)state;
    rs_model_file m = load(test_data("torch_types.tar"));
    assert_int_equal(m.members, 1);
    assert_string_equal(m.member[0].t[3].name, "bfloat16"); /* the order of the file */
    check_types(&m, 0);
    rs_model_file_clear(&m);
    const char *files[] = {"torch_protocol3.tar", "torch_protocol4.tar", "torch_protocol5.tar"};
    for (int i = 0; i < 3; i++) {
        m = load(test_data(files[i]));
        assert_int_equal(m.members, 2);
        check_types(&m, 0);
        check_types(&m, 1); /* shares every storage with member 0 */
        rs_model_file_clear(&m);
    }
}

/* Views of one storage, whose element i is i: every value says where it was read. */
static void reads_shared_strided_storages(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int ndim;
        int64_t dims[3];
        int offset, stride[3];
    } cases[] = {
        {"whole", 1, {60}, 0, {1}},
        {"offset", 2, {3, 4}, 7, {4, 1}},
        {"transposed", 2, {4, 3}, 0, {1, 4}},
        {"strided", 3, {3, 2, 3}, 5, {20, 10, 2}},
        {"column", 1, {12}, 4, {5}},
        {"repeated", 2, {3, 4}, 3, {1, 0}},
        {"permuted", 3, {5, 3, 4}, 0, {1, 20, 5}},
        {"one", 0, {0}, 59, {0}},
    };
    rs_model_file m = load(test_data("torch_views.tar"));
    assert_int_equal(m.member[0].n, 8);
    for (size_t c = 0; c < 8; c++) {
        const rs_tensor *t = get(&m, 0, cases[c].name);
        assert_dims(t, cases[c].ndim, cases[c].dims);
        for (size_t i = 0; i < t->count; i++) {
            size_t rest = i, at = (size_t)cases[c].offset;
            for (int k = cases[c].ndim - 1; k >= 0; k--) {
                at += rest % (size_t)cases[c].dims[k] * (size_t)cases[c].stride[k];
                rest /= (size_t)cases[c].dims[k];
            }
            assert_true(rs_tensor_at(t, i) == (double)at);
        }
    }
    rs_model_file_clear(&m);
}

static void old_torch_files_say_how_to_save_again(void **state)
{
    (void)state;
    rs_model_file m = {0};
    reshed_error err = {0};
    assert_int_equal(rs_torch_read(test_data("torch_legacy.tar"), &m, &err), RESHED_EUNSUPPORTED);
    assert_non_null(strstr(err.expected, "torch.save("));
    size_t n;
    uint8_t *d = test_read_file(test_data("torch_legacy.tar"), &n);
    assert_true(rs_torch_detect(d, n));
    rs_free(d);
}

/* ----------------------------------------------------------------------- files built for a test */
static reshed_status read_bytes(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_model_file m = {0};
    reshed_status st = rs_torch_read_mem(data, len, &m, err);
    if (st == RESHED_OK) {
        assert_int_equal(rs_model_file_check(&m, NULL), RESHED_OK);
        volatile uint8_t sink = 0; /* every byte that a tensor claims is there */
        for (int i = 0; i < m.members; i++)
            for (int k = 0; k < m.member[i].n; k++) {
                const rs_tensor *t = &m.member[i].t[k];
                const uint8_t *p = t->data;
                for (size_t j = 0; j < t->count * rs_dtype_size(t->dtype); j++) sink ^= p[j];
            }
        (void)sink;
        rs_model_file_clear(&m);
    } else {
        assert_null(m.member);
    }
    return st;
}

/* Finishes the pickle, wraps it with a storage "0" of 12 floats, and frees it. */
static bytes wrap(bytes *pickle)
{
    bytes file = torch_build(pickle, 12);
    bytes_free(pickle);
    return file;
}

static void expect(bytes *pickle, reshed_status status, const char *words)
{
    reshed_error err = {0};
    char text[640];
    bytes file = wrap(pickle);
    reshed_status st = read_bytes(file.p, file.n, &err);
    bytes_free(&file);
    reshed_error_text(&err, text, sizeof text);
    if (st != status || (words && !strstr(text, words)))
        fail_msg("expected %s with '%s', found %s: %s", reshed_status_text(status), words,
                 reshed_status_text(st), text);
}

/* A sound single model of one tensor, its dict still open for keys that override earlier ones. */
static bytes sound(void)
{
    bytes b = {0};
    pickle_meta(&b);
    pickle_add(&b, "} %s", "a");
    pickle_vector(&b, "0", 12);
    pickle_add(&b, "s u");
    return b;
}

static void other_models_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value, *words;
    } cases[] = {
        {"model_type", "imspec", "expected 'seg' (a segmentation network), found 'imspec'"},
        {"model_type", "Seg", "'Seg'"},
        {"model", "fcrn", "expected 'ResHedNet', 'Unet', 'dilnet' or 'SegResNet', found 'fcrn'"},
        {"upsampling", "bicubic", "'bicubic'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bytes b = sound();
        pickle_add(&b, "%s %s s .", cases[i].key, cases[i].value);
        expect(&b, RESHED_EUNSUPPORTED, cases[i].words);
    }
    bytes b = sound(); /* AtomAI's file of a network of the user's own */
    pickle_add(&b, "%s %s s .", "torch.nn.Module", "custom");
    expect(&b, RESHED_EUNSUPPORTED, "a custom network");
    b = sound();
    pickle_add(&b, "%s %s s .", "batch_norm", "yes");
    expect(&b, RESHED_ECORRUPT, "'batch_norm'");

    const char *numbers[] = {"nb_classes", "nb_filters", "layers", "batch_norm", "weights"};
    for (size_t i = 0; i < 5; i++) {
        b = sound();
        pickle_add(&b, "%s N s .", numbers[i]);
        expect(&b, RESHED_ECORRUPT, numbers[i]);
    }
    b = sound(); /* True is no count, although Python would take it for 1 */
    pickle_add(&b, "%s T s .", "nb_classes");
    expect(&b, RESHED_ECORRUPT, "found True");
    b = sound();
    pickle_add(&b, "%s %i s .", "nb_filters", 1LL << 40);
    expect(&b, RESHED_ECORRUPT, "nb_filters");
    b = sound();
    pickle_add(&b, "%s (%i%i t s .", "layers", 3LL, 0LL);
    expect(&b, RESHED_ECORRUPT, "layers");
    b = sound(); /* any dropout will do */
    pickle_add(&b, "%s T s .", "dropout");
    expect(&b, RESHED_OK, NULL);

    pickle_add(&b, "} %s", "net.weight");
    pickle_vector(&b, "0", 12);
    pickle_add(&b, "s .");
    expect(&b, RESHED_EUNSUPPORTED, "state_dict");
    pickle_add(&b, "%g ) R .", "__torch__.net Unet");
    expect(&b, RESHED_EUNSUPPORTED, "an object of __torch__.net.Unet");
}

static void ensembles_have_keys_0_to_n(void **state)
{
    (void)state;
    static const struct {
        long long keys[3];
        reshed_status status;
    } cases[] = {
        {{0, 1, 2}, RESHED_OK}, {{2, 0, 1}, RESHED_OK}, {{0, 1, 1}, RESHED_ECORRUPT},
        {{5, 9, 7}, RESHED_OK}, {{1, 3, 2}, RESHED_OK},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        bytes b = {0};
        pickle_meta(&b);
        pickle_add(&b, "}");
        for (int i = 0; i < 3; i++) {
            pickle_add(&b, "%i } %s", cases[c].keys[i], "a");
            pickle_tensor(&b, "FloatStorage", "0", 12, cases[c].keys[i], 1, (long long[]){2},
                          (long long[]){1});
            pickle_add(&b, "s s");
        }
        pickle_end(&b);
        bytes file = wrap(&b);
        rs_model_file m = {0};
        reshed_status st = rs_torch_read_mem(file.p, file.n, &m, NULL);
        assert_int_equal(st, cases[c].status);
        /* In the order of the keys, whatever that of the file. */
        for (int i = 0; i < m.members; i++) {
            double smaller = 0;
            for (int k = 0; k < 3; k++)
                smaller += cases[c].keys[k] < (long long)rs_tensor_at(&m.member[i].t[0], 0);
            assert_true(smaller == i);
        }
        rs_model_file_clear(&m);
        bytes_free(&file);
    }
}

/* One tensor of the given description. */
static bytes one_tensor(const char *type, const char *key, long long count, long long offset,
                        int ndim, const long long *dims, const long long *strides)
{
    bytes b = {0};
    pickle_meta(&b);
    pickle_add(&b, "} %s", "a");
    pickle_tensor(&b, type, key, count, offset, ndim, dims, strides);
    pickle_add(&b, "s u .");
    return b;
}

/* The storage has 12 floats. */
static void views_stay_inside_their_storage(void **state)
{
    (void)state;
    static const struct {
        long long count, offset, dims[2], strides[2];
        reshed_status status;
    } cases[] = {
        {12, 0, {3, 4}, {4, 1}, RESHED_OK},
        {12, 0, {12, 1}, {1, 99}, RESHED_OK}, /* the stride of a size of 1 leads nowhere */
        {12, 11, {5, 1}, {0, 0}, RESHED_OK},
        {12, 1, {3, 4}, {4, 1}, RESHED_ECORRUPT},
        {12, 12, {1, 1}, {0, 0}, RESHED_ECORRUPT},
        {12, 0, {3, 4}, {5, 1}, RESHED_ECORRUPT},
        {12, 0, {3, 5}, {4, 1}, RESHED_ECORRUPT},
        {12, 0, {2, 2}, {1, 11}, RESHED_ECORRUPT},
        {12, -1, {3, 4}, {4, 1}, RESHED_ECORRUPT},
        {12, 11, {3, 4}, {-4, -1}, RESHED_ECORRUPT},
        {12, 0, {0, 4}, {4, 1}, RESHED_ECORRUPT},
        {12, 0, {-3, -4}, {4, 1}, RESHED_ECORRUPT},
        {13, 0, {3, 4}, {4, 1}, RESHED_ECORRUPT}, /* not the size of the member */
        {11, 0, {2, 4}, {4, 1}, RESHED_ECORRUPT},
        {1LL << 62, 0, {3, 4}, {4, 1}, RESHED_ECORRUPT},
        {12, INT64_MAX, {3, 4}, {4, 1}, RESHED_ECORRUPT},
        {12, 0, {INT64_MAX, 2}, {1, 1}, RESHED_ECORRUPT},
        {12, 0, {1LL << 40, 1LL << 40}, {0, 0}, RESHED_ECORRUPT},
        {12, 0, {2, 2}, {INT64_MAX, INT64_MAX}, RESHED_ECORRUPT},
        {12, 0, {1LL << 33, 3}, {1LL << 31, 1}, RESHED_ECORRUPT},
        /* in bounds, but 4 GB from 12 numbers */
        {12, 0, {1LL << 15, 1LL << 15}, {0, 0}, RESHED_ECORRUPT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bytes b = one_tensor("FloatStorage", "0", cases[i].count, cases[i].offset, 2, cases[i].dims,
                             cases[i].strides);
        bytes file = wrap(&b);
        reshed_status st = read_bytes(file.p, file.n, NULL);
        bytes_free(&file);
        if (st != cases[i].status) fail_msg("case %zu: %s", i, reshed_status_text(st));
    }
}

static void odd_tensors_are_refused(void **state)
{
    (void)state;
    const long long d[5] = {1, 1, 1, 1, 1};
    bytes b = one_tensor("ComplexFloatStorage", "0", 6, 0, 1, d, d);
    expect(&b, RESHED_EUNSUPPORTED, "torch.ComplexFloatStorage");
    b = one_tensor("QInt8Storage", "0", 48, 0, 1, d, d);
    expect(&b, RESHED_EUNSUPPORTED, "torch.QInt8Storage");
    b = one_tensor("FloatStorage", "0", 12, 0, 5, d, d);
    expect(&b, RESHED_EUNSUPPORTED, "dimensions");
    b = one_tensor("FloatStorage", "7", 12, 0, 1, d, d);
    expect(&b, RESHED_ECORRUPT, "no storage t/data/7");
    b = one_tensor("FloatStorage", "../../etc/passwd", 12, 0, 1, d, d);
    expect(&b, RESHED_ECORRUPT, "no storage");
    char too_long[97] = ""; /* by one character */
    memset(too_long, 'n', 96);
    const char *names[] = {"", "a/b", "..", "a b", "new\nline", too_long};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        pickle_meta(&b);
        pickle_add(&b, "} %s", names[i]);
        pickle_vector(&b, "0", 12);
        pickle_add(&b, "s u .");
        expect(&b, RESHED_ECORRUPT, "name of a tensor");
    }
    pickle_meta(&b); /* the same name twice */
    pickle_add(&b, "} (");
    for (int i = 0; i < 2; i++) {
        pickle_add(&b, "%s", "a");
        pickle_vector(&b, "0", 12);
    }
    pickle_add(&b, "u u .");
    expect(&b, RESHED_ECORRUPT, "two tensors named a");
    pickle_meta(&b);
    pickle_add(&b, "} %s %s s u .", "a", "no tensor");
    expect(&b, RESHED_ECORRUPT, "expected a tensor, found 'no tensor'");
    pickle_meta(&b); /* members that differ */
    for (long long i = 0; i < 2; i++) {
        pickle_add(&b, i ? "%i } %s" : "} %i } %s", i, i ? "a" : "b");
        pickle_vector(&b, "0", 12);
        pickle_add(&b, "s s");
    }
    pickle_add(&b, "u .");
    expect(&b, RESHED_ECORRUPT, "members differ");
}

/* 1024 members that all are one dict of many tensors, by reference: a few bytes each. */
static void references_do_not_multiply(void **state)
{
    (void)state;
    bytes b = {0};
    char name[16];
    pickle_meta(&b);
    pickle_add(&b, "} ( %i } (", 0LL);
    for (int i = 0; i < 4000; i++) {
        snprintf(name, sizeof name, "t%d", i);
        pickle_add(&b, "%s", name);
        if (i == 0) {
            pickle_vector(&b, "0", 12);
            pickle_add(&b, "r%b%b%b%b", 1, 0, 0, 0);
        } else {
            pickle_add(&b, "j%b%b%b%b", 1, 0, 0, 0);
        }
    }
    pickle_add(&b, "u r%b%b%b%b", 2, 0, 0, 0);
    for (long long i = 1; i < 1024; i++) pickle_add(&b, "%i j%b%b%b%b", i, 2, 0, 0, 0);
    pickle_add(&b, "u u .");
    test_alloc_reset();
    expect(&b, RESHED_ECORRUPT, "implausibly many");
    assert_true(test_alloc_count() < 20000);
}

/* -------------------------------------------------------------------------------------- the ZIP */
static void archives_come_in_many_forms(void **state)
{
    (void)state;
    bytes b = sound();
    pickle_add(&b, ".");
    float ramp[12];
    uint8_t turned[48];
    for (int i = 0; i < 12; i++) {
        ramp[i] = (float)i;
        for (int k = 0; k < 4; k++) turned[4 * i + k] = ((const uint8_t *)&ramp[i])[3 - k];
    }
    const zip_part plain[] = {{"archive/data.pkl", b.p, b.n, true},
                              {"archive/data/0", ramp, 48, true}};
    const zip_part big[] = {{"x/byteorder", "big", 3, false},
                            {"x/data.pkl", b.p, b.n, false},
                            {"x/data/0", turned, 48, false},
                            {"x/.data/serialization_id", "1", 1, false},
                            {"x/deeper/data.pkl", "junk", 4, false}};
    for (int form = 0; form < 2; form++) {
        bytes file = form ? zip_build(big, 5) : zip_build(plain, 2);
        rs_model_file m = {0};
        reshed_error err = {0};
        assert_ok(rs_torch_read_mem(file.p, file.n, &m, &err), &err);
        for (size_t i = 0; i < 12; i++)
            assert_true(rs_tensor_at(&m.member[0].t[0], i) == (double)i);
        rs_model_file_clear(&m);
        bytes_free(&file);
    }
    const zip_part odd_order[] = {{"x/byteorder", "middle", 6, false}, big[1], big[2]};
    const zip_part two[] = {plain[0], plain[1], big[1]};
    const zip_part none[] = {plain[1]};
    const zip_part no_pickle[] = {{"x/data.pkl", "", 0, false}};
    bytes files[] = {zip_build(odd_order, 3), zip_build(two, 3), zip_build(none, 1),
                     zip_build(no_pickle, 1)};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(read_bytes(files[i].p, files[i].n, NULL), RESHED_ECORRUPT);
        bytes_free(&files[i]);
    }
    bytes_free(&b);
}

/* 64 MB of zeros deflate to 64 KB: refused by their stated size, before memory is taken. */
static void zip_bombs_are_refused(void **state)
{
    (void)state;
    enum { N = 16 << 20 };
    float *zeros = calloc(N, sizeof *zeros);
    assert_non_null(zeros);
    bytes b = {0};
    pickle_meta(&b);
    pickle_add(&b, "} %s", "a");
    pickle_tensor(&b, "FloatStorage", "0", N, 5, 1, (long long[]){2}, (long long[]){1});
    pickle_add(&b, "s u .");
    const zip_part parts[] = {{"t/data.pkl", b.p, b.n, false},
                              {"t/data/0", zeros, N * sizeof *zeros, true}};
    bytes file = zip_build(parts, 2);
    assert_true(file.n < 1 << 20);
    assert_int_equal(read_bytes(file.p, file.n, NULL), RESHED_EUNSUPPORTED);
    bytes_free(&file);
    bytes_free(&b);
    free(zeros);
}

/* A bit of a stored weight flips: the CRC of the member notices. */
static void damage_to_the_weights_is_noticed(void **state)
{
    (void)state;
    size_t n;
    uint8_t *d = test_read_file(test_data("torch_views.tar"), &n);
    const float mark[3] = {20, 21, 22};
    long hits = 0;
    for (size_t i = 0; i + sizeof mark <= n; i++) {
        if (memcmp(d + i, mark, sizeof mark) != 0) continue;
        hits++;
        d[i] ^= 1;
        reshed_error err = {0};
        assert_int_equal(read_bytes(d, n, &err), RESHED_ECORRUPT);
        assert_non_null(strstr(err.where, "data/"));
        d[i] ^= 1;
    }
    assert_int_equal(hits, 1);
    assert_int_equal(read_bytes(d, n, NULL), RESHED_OK);
    rs_free(d);
}

/* -------------------------------------------------------------------------------- hostile bytes */
static void survives_truncation(void **state)
{
    (void)state;
    size_t n;
    uint8_t *d = test_read_file(test_data("torch_views.tar"), &n);
    test_truncate(read_bytes, d, n, n);
    for (size_t cut = 4; cut < n - 22; cut += n / 7) { /* what a broken download leaves */
        reshed_error err = {0};
        char text[512];
        assert_int_equal(read_bytes(d, cut, &err), RESHED_ECORRUPT);
        assert_non_null(strstr(reshed_error_text(&err, text, sizeof text), "cut short"));
    }
    rs_free(d);
}

static void survives_mutation(void **state)
{
    (void)state;
    size_t n;
    uint8_t *d = test_read_file(test_data("torch_protocol4.tar"), &n);
    test_mutate("torch ZIP", read_bytes, d, n, test_mutations());
    rs_free(d);
}

/* The CRCs shield the pickle from the mutations above; here it is mutated before it is wrapped. */
static reshed_status read_wrapped(const uint8_t *data, size_t len, reshed_error *err)
{
    bytes b = {0};
    bytes_add(&b, data, len);
    bytes file = wrap(&b);
    reshed_status st = read_bytes(file.p, file.n, err);
    bytes_free(&file);
    return st;
}

static void survives_mutation_of_the_pickle(void **state)
{
    (void)state;
    bytes b = {0};
    pickle_meta(&b);
    pickle_add(&b, "} %i } %s", 0LL, "a");
    pickle_vector(&b, "0", 12);
    pickle_add(&b, "s s %i } %s", 1LL, "a");
    pickle_tensor(&b, "FloatStorage", "0", 12, 0, 2, (long long[]){4, 3}, (long long[]){1, 4});
    pickle_add(&b, "s s u .");
    assert_int_equal(read_wrapped(b.p, b.n, NULL), RESHED_ECORRUPT); /* shapes differ */
    bytes_free(&b);
    pickle_meta(&b);
    pickle_add(&b, "} %i } %s", 0LL, "a");
    pickle_tensor(&b, "FloatStorage", "0", 12, 3, 2, (long long[]){3, 3}, (long long[]){1, 3});
    pickle_add(&b, "s s %i } %s", 1LL, "a");
    pickle_tensor(&b, "FloatStorage", "0", 12, 0, 2, (long long[]){3, 3}, (long long[]){4, 1});
    pickle_add(&b, "s s u .");
    test_truncate(read_wrapped, b.p, b.n, b.n);
    test_mutate("torch pickle", read_wrapped, b.p, b.n, test_mutations());
    bytes_free(&b);
}

static reshed_status read_unchecked(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_model_file m = {0};
    reshed_status st = rs_torch_read_mem(data, len, &m, err);
    rs_model_file_clear(&m);
    return st;
}

static void survives_want_of_memory(void **state)
{
    (void)state;
    const char *files[] = {"torch_types.tar", "torch_views.tar", "torch_protocol5.tar"};
    for (int i = 0; i < 3; i++) {
        size_t n;
        uint8_t *d = test_read_file(test_data(files[i]), &n);
        test_each_alloc(read_unchecked, d, n);
        rs_free(d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_atomai_files),
        cmocka_unit_test(passes_over_a_pickled_optimizer),
        cmocka_unit_test(reads_every_type_and_protocol),
        cmocka_unit_test(reads_shared_strided_storages),
        cmocka_unit_test(old_torch_files_say_how_to_save_again),
        cmocka_unit_test(other_models_are_named),
        cmocka_unit_test(ensembles_have_keys_0_to_n),
        cmocka_unit_test(views_stay_inside_their_storage),
        cmocka_unit_test(odd_tensors_are_refused),
        cmocka_unit_test(references_do_not_multiply),
        cmocka_unit_test(archives_come_in_many_forms),
        cmocka_unit_test(zip_bombs_are_refused),
        cmocka_unit_test(damage_to_the_weights_is_noticed),
        cmocka_unit_test(survives_truncation),
        cmocka_unit_test(survives_mutation),
        cmocka_unit_test(survives_mutation_of_the_pickle),
        cmocka_unit_test(survives_want_of_memory),
    };
    return cmocka_run_group_tests_name("io_torch", tests, NULL, NULL);
}
