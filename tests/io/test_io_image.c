/* NPY, GSF and the front door. */
#include "support/io_support.h"
#include "support/tolerance.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/tensors.h"
#include "io/gsf.h"
#include "io/image_file.h"
#include "io/npy.h"
#include "io/png.h"

/* ------------------------------------------------------------------------------------------ NPY */
static void npy_file(file_bytes *b, int version, const char *dict)
{
    b->n = 0;
    put_text(b, "\x93NUMPY", 6);
    put_uint(b, (uint64_t)version, 1, false);
    put_uint(b, 0, 1, false);
    put_uint(b, strlen(dict) + 1, version == 1 ? 2 : 4, false);
    put_text(b, dict, strlen(dict));
    put_uint(b, '\n', 1, false);
}

static uint64_t number_bits(char kind, int size, int v)
{
    float f = (float)v;
    double d = v;
    uint32_t u;
    uint64_t w;
    memcpy(&u, &f, 4);
    memcpy(&w, &d, 8);
    if (kind == 'f') return size == 2 ? rs_float_to_half(f) : size == 4 ? u : w;
    return (uint64_t)(int64_t)v;
}

static void npy_reads_every_type_and_order(void **state)
{
    (void)state;
    const char *types[] = {"u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"};
    const char *shapes[] = {"(4, 6)", "(4, 6, 1)", "(4L,6L,)"};
    file_bytes b;
    reshed_error err = {0};
    for (size_t t = 0; t < 11 * 2 * 2 * 3 * 3; t++) {
        const char *type = types[t % 11];
        bool big = t / 11 % 2, fortran = t / 22 % 2;
        int size = type[1] - '0', version = 1 + (int)(t / 44 % 3), sign = type[0] == 'u' ? 1 : -1;
        char dict[128];
        snprintf(dict, sizeof dict, "{'descr': '%c%s', 'fortran_order': %s, 'shape': %s, }",
                 size == 1 ? '|'
                 : big     ? '>'
                           : '<',
                 type, fortran ? "True" : "False", shapes[t / 132]);
        npy_file(&b, version, dict);
        for (int i = 0; i < PATTERN_H * PATTERN_W; i++) {
            int row = fortran ? i % PATTERN_H : i / PATTERN_W;
            int column = fortran ? i / PATTERN_H : i % PATTERN_W;
            put_uint(&b, number_bits(type[0], size, sign * pattern_at(row, column)), size, big);
        }
        rs_image im;
        assert_ok(rs_image_read_mem(b.data, b.n, NULL, &im, &err), &err);
        assert_pattern(&im, sign);
        rs_image_clear(&im);
    }
    npy_file(&b, 1, "{\"descr\": '|b1', 'shape':(1,3), 'fortran_order':False}");
    put_uint(&b, 0x000100, 3, true);
    rs_image im;
    assert_ok(rs_npy_image_read_mem(b.data, b.n, RS_FRAME_ONLY, &im, &err), &err);
    assert_true(im.data[0] == 0 && im.data[1] == 1 && im.data[2] == 0);
    rs_image_clear(&im);
}

static void npy_round_trips(void **state)
{
    (void)state;
    const rs_npy_type types[] = {RS_NPY_F4, RS_NPY_F8, RS_NPY_U1, RS_NPY_I4, RS_NPY_C8};
    const size_t dims[4] = {2, 3, 1, 4};
    uint8_t data[24 * 8];
    reshed_error err = {0};
    test_rng r = {test_seed()};
    for (size_t k = 0; k < sizeof data; k++) data[k] = (uint8_t)test_rand(&r);
    for (int t = 0; t < 5; t++)
        for (int ndim = 0; ndim <= 4; ndim++) {
            rs_npy a;
            size_t n = 1;
            const char *path = test_temp("round.npy");
            for (int i = 0; i < ndim; i++) n *= dims[i];
            assert_ok(rs_npy_write(path, types[t], ndim, dims, data, &err), &err);
            assert_ok(rs_npy_read(path, &a, &err), &err);
            assert_true(a.type == types[t] && a.ndim == ndim && a.count == n);
            assert_memory_equal(a.dims, dims, (size_t)ndim * sizeof *dims);
            assert_memory_equal(a.data, data, n * rs_npy_size(types[t]));
            size_t len;
            uint8_t *file = test_read_file(path, &len);
            assert_int_equal((len - n * rs_npy_size(types[t])) % 64, 0);
            rs_free(file);
            rs_npy_clear(&a);
        }
}

/* The bytes that NumPy itself writes for np.save(f, np.array([[1.5, -2]], '<f4')). */
static void npy_writes_what_numpy_writes(void **state)
{
    (void)state;
    static const char want[] =
        "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }";
    const float data[2] = {1.5f, -2};
    const size_t dims[2] = {1, 2};
    uint8_t *b;
    size_t len;
    reshed_error err = {0};
    assert_ok(rs_npy_write_mem(RS_NPY_F4, 2, dims, data, &b, &len, &err), &err);
    assert_int_equal(len, 128 + 8);
    assert_memory_equal(b, want, sizeof want - 1);
    for (size_t i = sizeof want - 1; i < 127; i++) assert_int_equal(b[i], ' ');
    assert_int_equal(b[127], '\n');
    assert_memory_equal(b + 128, "\x00\x00\xc0\x3f\x00\x00\x00\xc0", 8);
    rs_free(b);
}

static void npy_keeps_nan_and_infinity(void **state)
{
    (void)state;
    const float data[3] = {NAN, INFINITY, -INFINITY};
    const size_t dims[2] = {1, 3};
    uint8_t *b;
    size_t len;
    rs_image im;
    reshed_error err = {0};
    assert_ok(rs_npy_write_mem(RS_NPY_F4, 2, dims, data, &b, &len, &err), &err);
    assert_ok(rs_image_read_mem(b, len, NULL, &im, &err), &err);
    assert_true(isnan(im.data[0]) && im.data[1] == INFINITY && im.data[2] == -INFINITY);
    rs_image_clear(&im);
    rs_free(b);
}

static reshed_status read_npy(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_npy a;
    rs_image im;
    reshed_status st = rs_npy_read_mem(data, len, &a, err);
    if (st != RESHED_OK) return st;
    size_t n = 1;
    for (int i = 0; i < a.ndim; i++) n *= a.dims[i];
    assert_true(a.ndim <= 4 && n == a.count);
    volatile double sum = 0;
    for (size_t i = 0; i < n; i++) sum = sum + rs_npy_at(&a, i);
    st = rs_npy_to_image(&a, RS_FRAME_ONLY, &im, err);
    if (st == RESHED_OK) rs_image_clear(&im);
    if (st == RESHED_EUNSUPPORTED) st = RESHED_OK; /* an array, but no image */
    rs_npy_clear(&a);
    return st;
}

static void npy_refuses_and_says_why(void **state)
{
    (void)state;
    static const struct {
        int version;
        const char *dict, *part;
        reshed_status st;
    } cases[] = {
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 5), }", "80 bytes",
         RESHED_ECORRUPT},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551616,), }",
         "a length", RESHED_ECORRUPT},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
         "elements", RESHED_EUNSUPPORTED},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1073741825,), }", "elements",
         RESHED_EUNSUPPORTED},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1), }", "axes",
         RESHED_EUNSUPPORTED},
        {1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "structured",
         RESHED_EUNSUPPORTED},
        {1, "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "'|O'",
         RESHED_EUNSUPPORTED},
        {1, "{'descr': '<U8', 'fortran_order': False, 'shape': (1,), }", "'<U8'",
         RESHED_EUNSUPPORTED},
        {1, "{'fortran_order': False, 'shape': (1,), }", "no descr", RESHED_ECORRUPT},
        {1, "{'descr': '<f4', 'shape': (1,), }", "no fortran_order", RESHED_ECORRUPT},
        {1, "{'descr': '<f4', 'fortran_order': False}", "no shape", RESHED_ECORRUPT},
        {1, "{'descr': '<f4', 'descr': '<f4'}", "once each", RESHED_ECORRUPT},
        {1, "{'descr': '<f4', 'fortran_order': 0}", "True or False", RESHED_ECORRUPT},
        {1, "{'descr': '<f4' 'fortran_order': 0}", "',' or '}'", RESHED_ECORRUPT},
        {1, "{'descr': '<f4', 'shape': (-1,)}", "a length", RESHED_ECORRUPT},
        {1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x", "the end",
         RESHED_ECORRUPT},
        {1, "['descr']", "'{'", RESHED_ECORRUPT},
        {4, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", "4.0",
         RESHED_EUNSUPPORTED},
    };
    file_bytes b;
    rs_npy a = {.ndim = 3};
    reshed_error err = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        npy_file(&b, cases[i].version, cases[i].dict);
        put_uint(&b, 0, 4, false);
        assert_error(rs_npy_read_mem(b.data, b.n, &a, &err), cases[i].st, &err, cases[i].part);
    }
    assert_int_equal(a.ndim, 3);
    rs_image im = {.height = 7};
    npy_file(&b, 1, "{'descr': '<c8', 'fortran_order': False, 'shape': (1,1), }");
    put_uint(&b, 0, 8, false);
    assert_error(rs_npy_image_read_mem(b.data, b.n, RS_FRAME_ONLY, &im, &err), RESHED_EUNSUPPORTED,
                 &err, "complex");
    npy_file(&b, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,2,2,2), }");
    for (int i = 0; i < 8; i++) put_uint(&b, 0, 8, false);
    assert_error(rs_npy_image_read_mem(b.data, b.n, RS_FRAME_ONLY, &im, &err), RESHED_EUNSUPPORTED,
                 &err, "4 axes");
    npy_file(&b, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (0,5), }");
    assert_error(rs_npy_image_read_mem(b.data, b.n, RS_FRAME_ONLY, &im, &err), RESHED_EUNSUPPORTED,
                 &err, "0 x 5");
    npy_file(&b, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (0,4294967296000), }");
    assert_error(rs_npy_image_read_mem(b.data, b.n, RS_FRAME_ONLY, &im, &err), RESHED_EUNSUPPORTED,
                 &err, "shape");
    assert_int_equal(im.height, 7);
}

static void npy_survives_damage(void **state)
{
    (void)state;
    file_bytes b;
    npy_file(&b, 1, "{'descr': '>f4', 'fortran_order': True, 'shape': (2, 3), }");
    for (int i = 0; i < 6; i++) put_uint(&b, number_bits('f', 4, i), 4, true);
    test_truncate(read_npy, b.data, b.n, b.n);
    test_each_alloc(read_npy, b.data, b.n);
    test_mutate("npy", read_npy, b.data, b.n, test_mutations());
}

static void npy_reads_shared_labels(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_image im;
    assert_ok(rs_image_read(test_shared("data/pzt_labelled/pzt_a_amplitude.npy"), NULL, &im, &err),
              &err);
    assert_true(im.height == 204 && im.width == 205);
    for (int i = 0; i < im.height * im.width; i++) assert_true(isfinite(im.data[i]));
    rs_image_clear(&im);
    assert_ok(rs_image_read(test_shared("data/pzt_labelled/pzt_a_walls.npy"), NULL, &im, &err),
              &err);
    assert_true(im.height == 204 && im.width == 205);
    rs_image_clear(&im);
}

/* ------------------------------------------------------------------------------------------ GSF */
static void gsf_file(file_bytes *b, const char *lines, int pad, int pixels)
{
    b->n = 0;
    put_text(b, "Gwyddion Simple Field 1.0\n", 26);
    put_text(b, lines, strlen(lines));
    put_uint(b, 0, pad < 0 ? 4 - (int)(b->n % 4) : pad, false);
    for (int i = 0; i < pixels; i++)
        put_uint(b, number_bits('f', 4, pattern_at(i / PATTERN_W, i % PATTERN_W)), 4, false);
}

static reshed_status read_gsf(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_image im;
    reshed_status st = rs_gsf_read_mem(data, len, &im, err);
    if (st != RESHED_OK) return st;
    assert_true(image_is_sane(&im));
    rs_image_clear(&im);
    return st;
}

static void gsf_reads_scale_and_pattern(void **state)
{
    (void)state;
    file_bytes b;
    rs_image im;
    reshed_error err = {0};
    gsf_file(&b,
             "XRes = 6\nYRes = 4\nXReal = 0.6\nYReal=0.8\nXOffset = 1\nYOffset = -1\nXYUnits = "
             "\xc2\xb5m\n"
             "ZUnits = V\nTitle = PFM Amplitude\nOperator = someone = else\n",
             -1, 24);
    assert_ok(rs_image_read_mem(b.data, b.n, NULL, &im, &err), &err);
    assert_pattern(&im, 1);
    assert_true(fabs(im.dx - 1e-7) < TOL_PIXEL && fabs(im.dy - 2e-7) < TOL_PIXEL);
    assert_true(fabs(im.x0 - 1.3e-6) < TOL_PLACE && fabs(im.y0 + 0.6e-6) < TOL_PLACE);
    assert_string_equal(im.unit, "V");
    assert_string_equal(im.channel, "PFM Amplitude");
    rs_image_clear(&im);
    for (int k = 0; k < 4; k++) { /* each number of padding bytes */
        char lines[64];
        snprintf(lines, sizeof lines, "XRes = 6\nYRes = 4\nTitle = %.*s\n", k, "abcd");
        gsf_file(&b, lines, -1, 24);
        assert_ok(rs_gsf_read_mem(b.data, b.n, &im, &err), &err);
        assert_pattern(&im, 1);
        assert_true(im.dx == 0 && im.dy == 0);
        rs_image_clear(&im);
    }
    gsf_file(&b, "XRes = 6\nYRes = 4\nXReal = 6\nYReal = 4\nXYUnits = s\n", -1, 24);
    assert_ok(rs_gsf_read_mem(b.data, b.n, &im, &err), &err);
    assert_true(im.dx == 0);
    rs_image_clear(&im);
}

static void gsf_round_trips(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_image im, back;
    const char *path = test_temp("round.gsf");
    pattern_image(&im);
    im.data[5] = NAN;
    assert_ok(rs_gsf_write(path, &im, &err), &err);
    assert_ok(rs_image_read(path, "pattern", &back, &err), &err);
    assert_true(isnan(back.data[5]));
    back.data[5] = (float)pattern_at(0, 5);
    assert_pattern(&back, 1);
    assert_true(fabs(back.dx - im.dx) < TOL_PIXEL && fabs(back.dy - im.dy) < TOL_PIXEL);
    assert_true(fabs(back.x0 - im.x0) < TOL_PLACE && fabs(back.y0 - im.y0) < TOL_PLACE);
    assert_string_equal(back.unit, "V");
    assert_string_equal(back.channel, "Pattern");
    rs_image_clear(&back);
    strcpy(im.channel, "two\nlines"); /* must not make a line of its own */
    im.dx = 0;
    assert_ok(rs_gsf_write(path, &im, &err), &err);
    assert_ok(rs_image_read(path, NULL, &back, &err), &err);
    assert_string_equal(back.channel, "two lines");
    assert_true(back.dx == 0 && back.dy == 0);
    rs_image_clear(&back);
    rs_image_clear(&im);
}

static void gsf_refuses_and_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *lines, *part;
        int pad, pixels;
    } cases[] = {
        {"XRes = 6\nYRes = 4\n", "96 bytes", -1, 25},
        {"XRes = 6\nYRes = 4\n", "96 bytes", -1, 23},
        {"XRes = 6\n", "XRes and YRes", -1, 24},
        {"XRes = six\nYRes = 4\n", "'six'", -1, 24},
        {"XRes = -6\nYRes = -4\n", "whole numbers", -1, 24},
        {"XRes = 4e9\nYRes = 4e9\n", "whole numbers", -1, 24},
        {"XRes = 2.5\nYRes = 4\n", "whole numbers", -1, 24},
        {"XRes = nan\nYRes = 4\n", "whole numbers", -1, 24},
        {"XRes 6\n", "Name = value", -1, 24},
        {"XRes = 6\nYRes = 4\nTitle", "Name = value", -1, 24},
        {"XRes = 6\nYRes = 4\nA\x1b[2J\xff\xb5", "'A\\x1b[2J\\xff\\xb5'", -1, 24},
        {"XRes = 6\x07\xff\nYRes = 4\n", "'6\\x07\\xff'", -1, 24},
    };
    file_bytes b;
    rs_image im = {.height = 7};
    reshed_error err = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gsf_file(&b, cases[i].lines, cases[i].pad, cases[i].pixels);
        assert_error(rs_gsf_read_mem(b.data, b.n, &im, &err), RESHED_ECORRUPT, &err, cases[i].part);
    }
    gsf_file(&b, "XRes = 6\nYRes = 4\n", 0, 24); /* no padding at all */
    assert_int_equal(rs_gsf_read_mem(b.data, b.n, &im, &err), RESHED_ECORRUPT);
    assert_int_equal(im.height, 7);
}

/* The NULs end the last line as well, at each of their four counts. */
static void gsf_needs_no_last_line_end(void **state)
{
    (void)state;
    static const char *const titles[] = {"T", "Ti", "Tit", "Titl"};
    for (int k = 0; k < 8; k++) {
        file_bytes b;
        rs_image im;
        char lines[128];
        reshed_error err = {0};
        snprintf(lines, sizeof lines, "XRes = 6\nYRes = 4\nZUnits = V\nTitle = %s%s", titles[k % 4],
                 k < 4 ? "" : "\n");
        gsf_file(&b, lines, -1, 24);
        assert_ok(rs_gsf_read_mem(b.data, b.n, &im, &err), &err);
        assert_string_equal(im.channel, titles[k % 4]);
        assert_string_equal(im.unit, "V");
        assert_true(im.height == 4 && im.width == 6 && !im.note[0]);
        rs_image_clear(&im);
    }
}

static void gsf_says_what_it_makes_of_lengths(void **state)
{
    (void)state;
    static const struct {
        const char *lines, *note; /* NULL: none */
        double dx, dy, x0;
    } cases[] = {
        {"", NULL, 0, 0, 0},
        {"XReal = 6e-9\nYReal = 8e-9\nXYUnits = m\n", NULL, 1e-9, 2e-9, 0},
        {"XReal = -6e-9\nYReal = 8e-9\nXOffset = 1e-9\nXYUnits = m\n", "without their sign", 1e-9,
         2e-9, 4e-9},
        {"XReal = 6\nYReal = -8\nXYUnits = Nanometers\n", "without their sign", 1e-9, 2e-9, 0},
        {"XReal = 6\nYReal = 8\nXYUnits = furlong\x1b[2J\n", "unit 'furlong\\x1b[2J' of", 0, 0, 0},
        {"XReal = 6\nYReal = 8\n", "no unit", 0, 0, 0},
        {"XReal = 6\nYReal = 8\nXYUnits = px\n", NULL, 0, 0, 0},
        {"XReal = 0\nYReal = 8e-9\nXYUnits = m\n", "no lengths", 0, 0, 0},
        {"XReal = nan\nYReal = 8e-9\nXYUnits = m\n", "no lengths", 0, 0, 0},
        {"XReal = 6e-9\nXYUnits = m\n", "no lengths", 0, 0, 0},
        {"XReal = inf\nYReal = -inf\nXYUnits = m\n", "no lengths", 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_bytes b;
        rs_image im;
        char lines[256];
        reshed_error err = {0};
        snprintf(lines, sizeof lines, "XRes = 6\nYRes = 4\n%s", cases[i].lines);
        gsf_file(&b, lines, -1, 24);
        assert_ok(rs_gsf_read_mem(b.data, b.n, &im, &err), &err);
        if (cases[i].note ? !strstr(im.note, cases[i].note) : im.note[0])
            fail_msg("case %zu: '%s'", i, im.note);
        assert_near(im.dx, cases[i].dx, 1e-20);
        assert_near(im.dy, cases[i].dy, 1e-20);
        assert_near(im.x0, cases[i].x0, 1e-20);
        rs_image_clear(&im);
    }
}

static void gsf_survives_damage(void **state)
{
    (void)state;
    file_bytes b;
    gsf_file(&b, "XRes = 3\nYRes = 2\nXReal = 1e-6\nYReal = 2e-6\nXYUnits = m\nTitle = T\n", -1, 6);
    test_truncate(read_gsf, b.data, b.n, b.n);
    test_each_alloc(read_gsf, b.data, b.n);
    test_mutate("gsf", read_gsf, b.data, b.n, test_mutations());
}

/* ----------------------------------------------------------------------------------- front door */
static void front_door_goes_by_the_bytes(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_image im;
    rs_channels list;
    size_t len;
    uint8_t *bytes = pattern_png(RS_PNG_GREY8, 0, &len);
    const char *path = test_temp("really_a_png.npy");
    assert_ok(rs_os_write_file(path, bytes, len, &err), &err);
    assert_ok(rs_image_read(path, NULL, &im, &err), &err);
    assert_true(im.height == PATTERN_H && im.width == PATTERN_W);
    rs_image_clear(&im);
    assert_ok(rs_image_list(path, &list, &err), &err);
    assert_int_equal(list.n, 1);
    rs_channels_clear(&list);
    assert_ok(rs_image_read(path, "0", &im, &err), &err);
    rs_image_clear(&im);
    assert_error(rs_image_read(path, "Phase", &im, &err), RESHED_EINVAL, &err,
                 "no channel 'Phase'");
    rs_free(bytes);

    assert_int_equal(rs_format_of_name("a/b.PNG"), RS_FORMAT_PNG);
    assert_int_equal(rs_format_of_name("x.hf5"), RS_FORMAT_HDF5);
    assert_int_equal(rs_format_of_name("x.H5"), RS_FORMAT_HDF5);
    assert_int_equal(rs_format_of_name("png"), RS_FORMAT_UNKNOWN);
    assert_int_equal(rs_format_of_name(""), RS_FORMAT_UNKNOWN);
    assert_string_equal(rs_format_name(RS_FORMAT_GSF), "GSF");
    assert_string_equal(rs_format_name(RS_FORMAT_UNKNOWN), "unknown");
}

static void front_door_names_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *name, *content, *part;
        size_t n;
        reshed_status st;
    } cases[] = {
        {"a.tif", "II*\0abcd", "TIFF directory", 8, RESHED_ECORRUPT},
        {"a.xyz", "qwerty", "71 77 65 72", 6, RESHED_EUNSUPPORTED},
        {"b.dat", "", "empty", 0, RESHED_ECORRUPT},
        {"b.png", "", "PNG signature", 0, RESHED_ECORRUPT},
        {"c.png", "GIF89a", "GIF is not read", 6, RESHED_EUNSUPPORTED},
        {"d.png", "GIX89a", "PNG signature", 6, RESHED_ECORRUPT},
        {"d.npy", "hello", "93 'NUMPY'", 5, RESHED_ECORRUPT},
        {"e.gsf", "hello", "Gwyddion Simple Field", 5, RESHED_ECORRUPT},
        {"f.ibw", "hello", "384 bytes", 5, RESHED_ECORRUPT},
        {"g.h5", "hello", "HDF5 signature", 5, RESHED_ECORRUPT},
        {"h.x", "a", "61 00", 1, RESHED_EUNSUPPORTED},
    };
    reshed_error err = {0};
    rs_image im = {.height = 7};
    rs_channels list = {.n = 7};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = test_temp(cases[i].name);
        assert_ok(rs_os_write_file(path, cases[i].content, cases[i].n, &err), &err);
        assert_error(rs_image_read(path, NULL, &im, &err), cases[i].st, &err, cases[i].part);
        assert_error(rs_image_list(path, &list, &err), cases[i].st, &err, cases[i].part);
    }
    assert_error(rs_image_read(test_temp("missing.png"), NULL, &im, &err), RESHED_EIO, &err,
                 "open");
    assert_error(rs_image_read("/tmp", NULL, &im, &err), RESHED_EIO, &err, "regular file");
    assert_error(rs_image_read_mem((const uint8_t *)"x", 1, NULL, &im, &err), RESHED_EUNSUPPORTED,
                 &err, "something else");
    assert_true(im.height == 7 && list.n == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(npy_reads_every_type_and_order),
        cmocka_unit_test(npy_round_trips),
        cmocka_unit_test(npy_writes_what_numpy_writes),
        cmocka_unit_test(npy_keeps_nan_and_infinity),
        cmocka_unit_test(npy_refuses_and_says_why),
        cmocka_unit_test(npy_survives_damage),
        cmocka_unit_test(npy_reads_shared_labels),
        cmocka_unit_test(gsf_reads_scale_and_pattern),
        cmocka_unit_test(gsf_round_trips),
        cmocka_unit_test(gsf_refuses_and_says_why),
        cmocka_unit_test(gsf_needs_no_last_line_end),
        cmocka_unit_test(gsf_says_what_it_makes_of_lengths),
        cmocka_unit_test(gsf_survives_damage),
        cmocka_unit_test(front_door_goes_by_the_bytes),
        cmocka_unit_test(front_door_names_what_is_wrong),
    };
    return cmocka_run_group_tests_name("io_image", tests, NULL, NULL);
}
