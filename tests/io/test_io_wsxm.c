/* WSxM images, NumPy's archives and the kinds that are only named, built here. */
#include "support/io_support.h"
#include "support/tolerance.h"
#include "support/torch_build.h"

#include <string.h>

#include "base/alloc.h"
#include "io/image_file.h"
#include "io/npy.h"
#include "io/npz.h"
#include "io/instruments/wsxm.h"

typedef struct stp {
    const char *type, *columns, *z, *x;
    int bytes;
} stp;

static const stp usual = {"double", "6", "59.7 nm", "3 \xb5m", 8};

static void stp_file(file_bytes *b, const stp *s)
{
    char head[1024];
    const int n = snprintf(
        head, sizeof head,
        "WSxM file copyright UAM\r\nSxM Image file\r\nImage header size: 9\r\n\r\n"
        "[Control]\r\n\r\n    Angle: 12\r\n    X Amplitude: %s\r\n    X Offset: -250 nm\r\n"
        "    Y Amplitude: 1 um\r\n    Y Offset: 2 um\r\n    X scanning direction: Backward\r\n"
        "\r\n[General Info]\r\n\r\n    Acquisition channel: Amplitude\r\n"
        "    Image Data Type: %s\r\n    Number of columns: %s\r\n    Number of rows: 4\r\n"
        "    Z Amplitude: %s\r\n\r\n[Other]\r\n    Number of columns: 99\r\n[Header end]\r\n",
        s->x, s->type, s->columns, s->z);
    b->n = 0;
    put_text(b, head, (size_t)n);
    for (int i = PATTERN_H * PATTERN_W - 1; i >= 0; i--) { /* from the bottom right */
        const int v = pattern_at(i / PATTERN_W, i % PATTERN_W);
        const float f = (float)v;
        uint32_t u;
        memcpy(&u, &f, sizeof u);
        if (s->bytes == 8)
            put_double(b, v, false);
        else
            put_uint(b, s->bytes == 4 ? u : (uint64_t)v, s->bytes, false);
    }
}

static void reads_wsxm(void **state)
{
    (void)state;
    static const stp cases[] = {{"double", "6", "59.7 nm", "3 \xb5m", 8},
                                {"float", "6", "0.1 V", "3000 nm", 4},
                                {"short", "6", "7 nm", "3 um", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_bytes b;
        rs_image im;
        reshed_error err = {0};
        stp_file(&b, &cases[i]);
        assert_ok(rs_image_read_mem(b.data, b.n, NULL, &im, &err), &err);
        assert_int_equal(im.width, PATTERN_W);
        const double range = pattern_at(PATTERN_H - 1, PATTERN_W - 1) - pattern_at(0, 0);
        const double scale = i == 2 ? 7 / range : 1;
        for (int k = 0; k < PATTERN_H * PATTERN_W; k++)
            assert_near((double)im.data[k], pattern_at(k / PATTERN_W, k % PATTERN_W) * scale, 1e-4);
        assert_string_equal(im.channel, "Amplitude");
        assert_string_equal(im.unit, i == 1 ? "V" : "nm");
        assert_string_equal(im.scan, "backward");
        assert_near(im.dx, 0.5e-6, TOL_PLACE);
        assert_near(im.dy, 0.25e-6, TOL_PLACE);
        assert_near(im.x0, -0.25e-6, TOL_PLACE);
        assert_near(im.y0, 2e-6, TOL_PLACE);
        assert_true(im.angle == 12);
        rs_image_clear(&im);
    }
    static const stp wrong[] = {{"complex", "6", "1 nm", "3 um", 8},
                                {"double", "0", "1 nm", "3 um", 8},
                                {"double", "6.5", "1 nm", "3 um", 8},
                                {"double", "65536", "1 nm", "3 um", 8},
                                {"double", "1e300", "1 nm", "3 um", 8}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        file_bytes b;
        rs_image im;
        reshed_error err = {0};
        stp_file(&b, &wrong[i]);
        assert_error(rs_image_read_mem(b.data, b.n, NULL, &im, &err),
                     i ? RESHED_ECORRUPT : RESHED_EUNSUPPORTED, &err, "");
    }
}

static reshed_status read_wsxm(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_image im = {0};
    const reshed_status st =
        rs_reader_image(&rs_wsxm_reader, data, len, NULL, RS_FRAME_ONLY, &im, err);
    if (st == RESHED_OK) assert_true(image_is_sane(&im));
    rs_image_clear(&im);
    return st;
}

static void wsxm_survives_damage(void **state)
{
    (void)state;
    file_bytes b;
    stp_file(&b, &usual);
    test_truncate(read_wsxm, b.data, b.n, b.n);
    test_each_alloc(read_wsxm, b.data, b.n);
    test_mutate("wsxm", read_wsxm, b.data, b.n, test_mutations());
}

/* Two arrays, and a member that is none. */
static bytes npz_file(bool deflate)
{
    uint8_t *npy[2];
    size_t len[2];
    reshed_error err = {0};
    for (int k = 0; k < 2; k++) {
        const size_t dims[2] = {PATTERN_H, PATTERN_W};
        float v[PATTERN_H * PATTERN_W];
        for (int i = 0; i < PATTERN_H * PATTERN_W; i++)
            v[i] = (float)(pattern_at(i / PATTERN_W, i % PATTERN_W) + 40 * k);
        assert_ok(rs_npy_write_mem(RS_NPY_F4, 2, dims, v, &npy[k], &len[k], &err), &err);
    }
    const zip_part parts[] = {{"readme.txt", "no array", 8, false},
                              {"height.npy", npy[0], len[0], deflate},
                              {"amplitude.npy", npy[1], len[1], deflate}};
    bytes b = zip_build(parts, 3);
    rs_free(npy[0]);
    rs_free(npy[1]);
    return b;
}

static void reads_npz(void **state)
{
    (void)state;
    static const struct {
        const char *channel, *name;
        int more;
    } cases[] = {{NULL, "amplitude", 40},
                 {"height", "height", 0},
                 {"0", "height", 0},
                 {"1", "amplitude", 40}};
    for (int deflate = 0; deflate < 2; deflate++) {
        bytes b = npz_file(deflate);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            rs_image im;
            reshed_error err = {0};
            assert_ok(rs_image_read_mem(b.p, b.n, cases[i].channel, &im, &err), &err);
            assert_string_equal(im.channel, cases[i].name);
            for (int k = 0; k < PATTERN_H * PATTERN_W; k++)
                assert_true(im.data[k] ==
                            (float)(pattern_at(k / PATTERN_W, k % PATTERN_W) + cases[i].more));
            rs_image_clear(&im);
        }
        bytes_free(&b);
    }
    rs_image im;
    reshed_error err = {0};
    const zip_part other = {"readme.txt", "no array", 8, false};
    bytes b = zip_build(&other, 1);
    assert_error(rs_image_read_mem(b.p, b.n, NULL, &im, &err), RESHED_EUNSUPPORTED, &err,
                 "no array");
    bytes_free(&b);
    const size_t most = (size_t)32 << 20; /* a bomb */
    uint8_t *zeros = rs_zalloc(most, 1);
    assert_non_null(zeros);
    const zip_part bomb = {"a.npy", zeros, most, true};
    b = zip_build(&bomb, 1);
    rs_free(zeros);
    assert_error(rs_image_read_mem(b.p, b.n, NULL, &im, &err), RESHED_EUNSUPPORTED, &err, "");
    bytes_free(&b);
}

static reshed_status read_npz(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_image im = {0};
    const reshed_status st =
        rs_reader_image(&rs_npz_reader, data, len, "0", RS_FRAME_ONLY, &im, err);
    if (st == RESHED_OK) assert_true(image_is_sane(&im));
    rs_image_clear(&im);
    return st;
}

static void npz_survives_damage(void **state)
{
    (void)state;
    for (int deflate = 0; deflate < 2; deflate++) {
        bytes b = npz_file(deflate);
        test_truncate(read_npz, b.p, b.n, b.n);
        test_each_alloc(read_npz, b.p, b.n);
        test_mutate(deflate ? "npz, deflated" : "npz", read_npz, b.p, b.n, test_mutations() / 2);
        bytes_free(&b);
    }
}

static void names_what_it_cannot_read(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        size_t n;
        const char *name, *advice;
    } cases[] = {{"ONTMATRX0101TLKB", 16, "Omicron MATRIX", "Gwyddion"},
                 {"Experiment\tbias spectroscopy", 27, "Nanonis", ".sxm"},
                 {"\x01\xb0\x93\xff\0", 5, "NT-MDT", "Gwyddion"},
                 {"MATLAB 5.0 MAT-file", 19, "MATLAB", "-v7.3"},
                 {"\xff\xd8\xff\xe0", 4, "JPEG", "PNG"},
                 {"rubbish", 7, "kind of the file", "TIFF"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = test_temp("unknown.bin");
        rs_image im;
        reshed_error err = {0};
        test_write_file(path, cases[i].head, cases[i].n);
        const reshed_status st = rs_image_read(path, NULL, &im, &err);
        assert_error(st, RESHED_EUNSUPPORTED, &err, cases[i].name);
        assert_error(st, RESHED_EUNSUPPORTED, &err, cases[i].advice);
        assert_int_equal(
            rs_image_read_mem((const uint8_t *)cases[i].head, cases[i].n, NULL, &im, &err),
            RESHED_EUNSUPPORTED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_wsxm),
        cmocka_unit_test(wsxm_survives_damage),
        cmocka_unit_test(reads_npz),
        cmocka_unit_test(npz_survives_damage),
        cmocka_unit_test(names_what_it_cannot_read),
    };
    return cmocka_run_group_tests_name("io_wsxm", tests, NULL, NULL);
}
