/* The wall map file, written by walls_h5.h and read back. */
#include "support/h5_damage.h"
#include "support/io_support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/hdf5/h5.h"
#include "io/walls_h5.h"
#include "io/walls_read.h"

enum { H = 5, W = 7 };

static float MEAN[H * W * 3], VARIANCE[H * W * 3], INPUT[H * W];

static rs_walls_file sample(int classes)
{
    for (int i = 0; i < H * W * classes; i++) {
        MEAN[i] = (float)i / 128;
        VARIANCE[i] = (float)(i % 11) / 64;
    }
    for (int i = 0; i < H * W; i++) INPUT[i] = (float)(H * W - i);
    return (rs_walls_file){.height = H,
                           .width = W,
                           .classes = classes,
                           .mean = MEAN,
                           .variance = VARIANCE,
                           .input = INPUT,
                           .dx = 3e-9,
                           .dy = 2e-9,
                           .x0 = 1e-6,
                           .y0 = -2e-6,
                           .hi = 1,
                           .normalisation = "frame",
                           .weights_checksum = "abc",
                           .program = "reshed-infer",
                           .source = "scan_0001.ibw",
                           .channel = "Amplitude"};
}

static const char *write_sample(int classes)
{
    reshed_error err = {0};
    const char *path = test_temp("walls.h5");
    rs_walls_file f = sample(classes);
    assert_ok(rs_walls_write(path, &f, &err), &err);
    return path;
}

static void reads_what_was_written(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_walls_map m;
    assert_ok(rs_walls_read(write_sample(1), &m, &err), &err);
    assert_true(m.height == H && m.width == W && m.classes == 1);
    assert_memory_equal(m.mean, MEAN, sizeof(float) * H * W);
    assert_memory_equal(m.variance, VARIANCE, sizeof(float) * H * W);
    assert_memory_equal(m.input, INPUT, sizeof INPUT);
    assert_true(m.dx == 3e-9 && m.dy == 2e-9 && m.x0 == 1e-6 && m.y0 == -2e-6);
    assert_string_equal(m.source, "scan_0001.ibw");
    assert_string_equal(m.channel, "Amplitude");
    rs_walls_map_clear(&m);
}

static void the_phase_comes_back_where_there_is_one(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_walls_map m;
    const char *path = test_temp("phase.h5");
    rs_walls_file f = sample(1);
    f.phase = MEAN;
    f.wall180 = VARIANCE;
    f.phase_channel = "Phase";
    assert_ok(rs_walls_write(path, &f, &err), &err);
    assert_ok(rs_walls_read(path, &m, &err), &err);
    assert_memory_equal(m.phase, MEAN, sizeof(float) * H * W);
    rs_walls_map_clear(&m);
    assert_ok(rs_walls_read(write_sample(1), &m, &err), &err);
    assert_null(m.phase);
    rs_walls_map_clear(&m);
}

/* Of several classes the first is the background. */
static void several_classes_become_wall_probability(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_walls_map m;
    assert_ok(rs_walls_read(write_sample(3), &m, &err), &err);
    assert_int_equal(m.classes, 3);
    for (int i = 0; i < H * W; i++) {
        assert_true(m.mean[i] == 1 - MEAN[3 * i]);
        assert_true(m.variance[i] == VARIANCE[3 * i]);
    }
    rs_walls_map_clear(&m);
}

/* Changes the sample through the library itself. */
static const char *changed(void (*change)(hid_t file))
{
    const char *path = write_sample(1);
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(f >= 0);
    change(f);
    H5Fclose(f);
    return path;
}

static void other_format(hid_t f)
{
    rs_h5_set_text(f, "format", "reshed-weights");
}

static void other_version(hid_t f)
{
    rs_h5_set_int(f, "format_version", 2);
}

static void no_format(hid_t f)
{
    H5Adelete(f, "format");
}

static void no_variance(hid_t f)
{
    H5Ldelete(f, "variance", H5P_DEFAULT);
}

static void small_variance(hid_t f)
{
    hsize_t dims[2] = {H, W - 1};
    no_variance(f);
    hid_t s = H5Screate_simple(2, dims, NULL);
    hid_t d = H5Dcreate2(f, "variance", H5T_IEEE_F32LE, s, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(d, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, VARIANCE);
    H5Dclose(d);
    H5Sclose(s);
}

static void no_scale(hid_t f)
{
    H5Adelete(f, "dx");
}

static void negative_scale(hid_t f)
{
    rs_h5_set_number(f, "dy", -1);
}

static void no_input(hid_t f)
{
    H5Ldelete(f, "input", H5P_DEFAULT);
    H5Adelete(f, "source");
}

static void refuses_other_content(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_walls_map m = {.height = 77};
    const struct {
        void (*change)(hid_t);
        reshed_status status;
        const char *part;
    } cases[] = {{other_format, RESHED_EUNSUPPORTED, "reshed-weights"},
                 {no_format, RESHED_EUNSUPPORTED, "no format"},
                 {other_version, RESHED_EUNSUPPORTED, "2"},
                 {no_variance, RESHED_ECORRUPT, "variance"},
                 {small_variance, RESHED_ECORRUPT, "5 x 6"},
                 {no_scale, RESHED_ECORRUPT, "dx"},
                 {negative_scale, RESHED_ECORRUPT, "dy"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_error(rs_walls_read(changed(cases[i].change), &m, &err), cases[i].status, &err,
                     cases[i].part);
        assert_int_equal(m.height, 77);
    }
    assert_int_equal(rs_walls_read("/nonexistent/x.h5", &m, &err), RESHED_EIO);
    assert_ok(rs_walls_read(changed(no_input), &m, &err), &err);
    assert_null(m.input);
    assert_string_equal(m.source, "");
    rs_walls_map_clear(&m);
}

/* --------------------------------------------------------------------------------------- damage */

static reshed_status read_bytes(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_walls_map m = {0};
    reshed_status st = rs_walls_read_mem(data, len, &m, err);
    if (st) return st;
    for (int i = 0; i < m.height * m.width; i++)
        if (m.mean[i] == 77 && m.variance[i] == 77) st = RESHED_EINTERNAL; /* touches every value */
    if (m.height < 1 || m.width < 1 || !m.mean || !m.variance) st = RESHED_EINTERNAL;
    rs_walls_map_clear(&m);
    return st;
}

static void survives_damage(void **state)
{
    (void)state;
    size_t len;
    uint8_t *data = test_read_file(write_sample(1), &len);
    h5_survives_mutation("wall map", read_bytes, data, len, test_h5_mutations());
    for (size_t n = 0; n < len; n += 97) {
        reshed_error err = {0};
        assert_true(read_bytes(data, n, &err) != RESHED_OK);
    }
    test_each_alloc(read_bytes, data, len);
    rs_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_was_written),
        cmocka_unit_test(the_phase_comes_back_where_there_is_one),
        cmocka_unit_test(several_classes_become_wall_probability),
        cmocka_unit_test(refuses_other_content),
        cmocka_unit_test(survives_damage),
    };
    return cmocka_run_group_tests_name("walls_io", tests, NULL, NULL);
}
