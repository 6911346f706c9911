/* The descriptions of AtomAI's Unet, dilnet and SegResNet in both kinds of weights files. */
#include "support/support.h"

#include <string.h>

#include "support/io_support.h"
#include "support/weights_sample.h"

#include "benchmarks/random_model.h"
#include "io/hdf5/h5.h"
#include "io/weights/model.h"
#include "io/weights/torch.h"
#include "io/weights/torch_write.h"
#include "io/weights/weights.h"

static const bench_shape shapes[] = {
    {2, 2, 1, {1, 2, 1, 2}, "bilinear", .net = RS_UNET},
    {1, 2, 3, {1, 1, 1, 2}, "nearest", .net = RS_UNET, .dropout = true, .dilated = true},
    {2, 3, 1, {1, 2, 1, 1}, "bilinear", .net = RS_DILNET, .dropout = true, .no_batch_norm = true},
    {1, 2, 2, {1, 2, 1}, "nearest", .net = RS_SEGRESNET, .no_batch_norm = true},
};

static rs_model_file sample(int i)
{
    rs_model_file m;
    reshed_error err = {0};
    assert_ok(bench_random_model(&shapes[i], 5, &m, &err), &err);
    return m;
}

static void check_same(const rs_model_file *a, const rs_model_file *b)
{
    char x[65], y[65];
    assert_same_weights(a, b);
    assert_string_equal(a->model, b->model);
    assert_int_equal(a->no_batch_norm, b->no_batch_norm);
    assert_int_equal(a->dropout, b->dropout);
    assert_int_equal(a->dilated, b->dilated);
    rs_model_file_digest(a, x);
    rs_model_file_digest(b, y);
    assert_string_equal(x, y);
}

static void descriptions_come_back(void **state)
{
    (void)state;
    char digest[4][65];
    for (int i = 0; i < 4; i++) {
        rs_model_file m = sample(i), back = load_weights(write_weights("net.h5", &m, NULL)), tar;
        reshed_error err = {0};
        check_same(&m, &back);
        const char *path = test_temp("net.tar");
        assert_ok(rs_torch_write(path, &m, &err), &err);
        assert_ok(rs_torch_read(path, &tar, &err), &err);
        check_same(&m, &tar);
        rs_model_file_digest(&m, digest[i]);
        m.dilated = !m.dilated; /* the digest sees what decides the output */
        char other[65];
        rs_model_file_digest(&m, other);
        assert_string_not_equal(other, digest[i]);
        rs_model_file_clear(&m);
        rs_model_file_clear(&back);
        rs_model_file_clear(&tar);
    }
}

static void keep(hid_t file)
{
    (void)file;
}
static void no_flag(hid_t file)
{
    H5Adelete(file, "dropout");
}
static void odd_flag(hid_t file)
{
    H5Adelete(file, "with_dilation");
    assert_true(rs_h5_set_int(file, "with_dilation", 2));
}
static void text_flag(hid_t file)
{
    H5Adelete(file, "batch_norm");
    assert_true(rs_h5_set_text(file, "batch_norm", "yes"));
}
static void old_version(hid_t file) /* what says nothing of them has none of them */
{
    H5Adelete(file, "format_version");
    assert_true(rs_h5_set_int(file, "format_version", 1));
}
static void future_version(hid_t file)
{
    H5Adelete(file, "format_version");
    assert_true(rs_h5_set_int(file, "format_version", 3));
}

static void changed_descriptions_are_refused(void **state)
{
    (void)state;
    static const struct {
        void (*apply)(hid_t file);
        reshed_status status;
        const char *words;
    } cases[] = {
        {keep, RESHED_OK, NULL},
        {no_flag, RESHED_ECORRUPT, "'dropout'"},
        {odd_flag, RESHED_ECORRUPT, "'with_dilation'"},
        {text_flag, RESHED_ECORRUPT, "'batch_norm'"},
        {old_version, RESHED_OK, NULL},
        {future_version, RESHED_EUNSUPPORTED, "1 or 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rs_model_file m = sample(1), back = {0};
        const char *path = write_weights("changed.h5", &m, NULL);
        hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
        assert_true(file >= 0);
        cases[i].apply(file);
        H5Fclose(file);
        reshed_error err = {0};
        char text[640];
        const reshed_status st = rs_weights_load(path, &back, &err);
        reshed_error_text(&err, text, sizeof text);
        if (st != cases[i].status || (cases[i].words && !strstr(text, cases[i].words)))
            fail_msg("case %zu: %s: %s", i, reshed_status_text(st), text);
        rs_model_file_clear(&back);
        rs_model_file_clear(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptions_come_back),
        cmocka_unit_test(changed_descriptions_are_refused),
    };
    return cmocka_run_group_tests_name("networks in weights files", tests, NULL, NULL);
}
