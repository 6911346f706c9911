/* Asylum's data files, built here. */
#include "support/crc32.h"
#include "support/io_support.h"
#include "support/tolerance.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "io/image_file.h"
#include "io/instruments/ardf.h"

enum { IMAGES = 2, LINE = 16 + 4 * PATTERN_W };

static const char *const names[IMAGES] = {"HeightTrace", "Amplitude1Trace"};

typedef struct ardf {
    const char *unit; /* of x and y */
    int missing;      /* lines from the top of the file's order that were not scanned */
    uint32_t points;  /* that IDEF says */
    bool curves;      /* volumes instead of images */
} ardf;

static const ardf usual = {"m", 0, PATTERN_W, false};

static void put_at(file_bytes *b, size_t at, uint64_t v, int size)
{
    for (int i = 0; i < size; i++) b->data[at + (size_t)i] = (uint8_t)(v >> (8 * i));
}

/* Returns where the node is, for node_end, which gives it its checksum. */
static size_t node(file_bytes *b, const char *name, uint32_t size)
{
    const size_t at = b->n;
    put_uint(b, 0, 4, false);
    put_uint(b, size, 4, false);
    put_text(b, name, 4);
    put_uint(b, 0, 4, false);
    return at;
}

static void node_end(file_bytes *b, size_t at)
{
    uint32_t size = 0;
    for (int i = 0; i < 4; i++) size |= (uint32_t)b->data[at + 4 + (size_t)i] << (8 * i);
    put_at(b, at, test_crc32(b->data + at + 4, size - 4), 4);
}

static void table(file_bytes *b, const char *name, uint32_t entries, uint32_t stride)
{
    const size_t at = node(b, name, 32);
    put_uint(b, 32 + (uint64_t)entries * stride, 8, false);
    put_uint(b, entries, 4, false);
    put_uint(b, stride, 4, false);
    node_end(b, at);
}

static size_t entry(file_bytes *b, const char *name, uint32_t size, uint64_t pointer)
{
    const size_t at = node(b, name, size);
    if (size == 32) put_uint(b, 0, 8, false);
    put_uint(b, pointer, 8, false);
    node_end(b, at);
    return b->n - 8;
}

static void image(file_bytes *b, const ardf *a, int k)
{
    table(b, "IMAG", 1, 24);
    put_text(b, "", 24); /* spare */
    table(b, "TTOC", 0, 32);
    size_t at = node(b, "IDEF", 16 + 40 + 128);
    put_uint(b, a->points, 4, false);
    put_uint(b, PATTERN_H, 4, false);
    put_text(b, "", 16);
    put_double(b, 3e-9, false);
    put_double(b, -2e-9, false);
    put_text(b, a->unit, 32);
    put_text(b, a->unit, 32);
    put_text(b, names[k], 32);
    put_text(b, "V", 32);
    node_end(b, at);
    table(b, "IBOX", PATTERN_H, LINE);
    for (int r = PATTERN_H - 1; r >= 0; r--) { /* the bottom one is first */
        const bool there = PATTERN_H - 1 - r < PATTERN_H - a->missing;
        at = node(b, there ? "IDAT" : "\0\0\0\0", LINE);
        for (int c = 0; c < PATTERN_W; c++) {
            const float v = (float)(pattern_at(r, c) * (k + 1));
            uint32_t u;
            memcpy(&u, &v, sizeof u);
            put_uint(b, there ? u : 0, 4, false);
        }
        if (there) node_end(b, at);
    }
    at = node(b, "GAMI", 16);
    node_end(b, at);
}

static void ardf_file(file_bytes *b, const ardf *a)
{
    static const char note[] = "ScanSize: 3e-06\rXOffset: 1e-06\rYOffset: -2e-06\rIsARDF: 1\r";
    size_t pointer[IMAGES];
    b->n = 0;
    size_t at = node(b, "ARDF", 16);
    node_end(b, at);
    table(b, "FTOC", IMAGES + 1, 24);
    for (int k = 0; k < IMAGES; k++) pointer[k] = entry(b, a->curves ? "VOLM" : "IMAG", 24, 0);
    put_text(b, "", 24);
    table(b, "TTOC", 1, 32);
    const size_t text = entry(b, "TOFF", 32, 0);
    put_at(b, text, b->n, 8);
    node_end(b, text - 24);
    at = node(b, "TEXT", 24 + sizeof note);
    put_uint(b, 0, 4, false);
    put_uint(b, sizeof note - 1, 4, false);
    put_text(b, note, sizeof note);
    node_end(b, at);
    for (int k = 0; k < IMAGES && !a->curves; k++) {
        put_at(b, pointer[k], b->n, 8);
        node_end(b, pointer[k] - 16);
        image(b, a, k);
    }
}

static void reads_images(void **state)
{
    (void)state;
    for (int k = 0; k < IMAGES; k++) {
        file_bytes b;
        rs_image im;
        reshed_error err = {0};
        ardf_file(&b, &usual);
        assert_ok(rs_image_read_mem(b.data, b.n, k ? NULL : "height", &im, &err), &err);
        assert_pattern(&im, k + 1);
        assert_string_equal(im.channel, names[k]);
        assert_string_equal(im.unit, "V");
        assert_near(im.dx, 3e-9, TOL_PLACE);
        assert_near(im.dy, 2e-9, TOL_PLACE);
        assert_near(im.x0, 1e-6, TOL_PLACE);
        assert_near(im.y0, -2e-6, TOL_PLACE);
        assert_string_equal(im.note, "");
        rs_image_clear(&im);
    }
}

/* From a file as well, and by its bytes whatever it is called. */
static void is_known_by_its_bytes(void **state)
{
    (void)state;
    static const char *const paths[] = {"a.ardf", "a.bin"};
    file_bytes b;
    rs_image im;
    reshed_error err = {0};
    ardf_file(&b, &usual);
    for (int i = 0; i < 2; i++) {
        const char *path = test_temp(paths[i]);
        test_write_file(path, b.data, b.n);
        assert_ok(rs_image_read(path, "Amplitude1Trace", &im, &err), &err);
        assert_pattern(&im, 2);
        rs_image_clear(&im);
    }
}

static void interrupted_scans_have_gaps(void **state)
{
    (void)state;
    const ardf cut = {"m", 2, PATTERN_W, false};
    file_bytes b;
    rs_image im;
    reshed_error err = {0};
    ardf_file(&b, &cut);
    assert_ok(rs_image_read_mem(b.data, b.n, NULL, &im, &err), &err);
    for (int r = 0; r < PATTERN_H; r++)
        for (int c = 0; c < PATTERN_W; c++) {
            const float v = im.data[r * PATTERN_W + c];
            assert_true(r < 2 ? isnan(v) : v == (float)(2 * pattern_at(r, c)));
        }
    assert_non_null(strstr(im.note, "2 lines"));
    rs_image_clear(&im);
}

static void refuses_what_it_is_not(void **state)
{
    (void)state;
    static const struct {
        ardf a;
        reshed_status st;
        const char *says;
    } cases[] = {{{"m", 0, PATTERN_W + 1, false}, RESHED_ECORRUPT, "points"},
                 {{"m", 0, 0xffffffff, false}, RESHED_ECORRUPT, "points"},
                 {{"m", 0, PATTERN_W, true}, RESHED_EUNSUPPORTED, "force curves"}};
    file_bytes b;
    rs_image im;
    reshed_error err = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ardf_file(&b, &cases[i].a);
        assert_error(rs_image_read_mem(b.data, b.n, NULL, &im, &err), cases[i].st, &err,
                     cases[i].says);
    }
    ardf_file(&b, &usual);
    b.data[16 + 24]++; /* one entry more than the checksum is of */
    assert_error(rs_image_read_mem(b.data, b.n, NULL, &im, &err), RESHED_ECORRUPT, &err,
                 "checksum");
    const ardf odd = {"furlong", 0, PATTERN_W, false};
    ardf_file(&b, &odd);
    assert_ok(rs_image_read_mem(b.data, b.n, NULL, &im, &err), &err);
    assert_true(im.dx == 0 && im.dy == 0);
    assert_non_null(strstr(im.note, "furlong"));
    rs_image_clear(&im);
}

static reshed_status read_ardf(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_image im = {0};
    const reshed_status st =
        rs_reader_image(&rs_ardf_reader, data, len, NULL, RS_FRAME_ONLY, &im, err);
    if (st == RESHED_OK) assert_true(image_is_sane(&im));
    rs_image_clear(&im);
    return st;
}

/* Mutants with good checksums. */
static reshed_status read_mended(const uint8_t *data, size_t len, reshed_error *err)
{
    static file_bytes b;
    if (len > sizeof b.data) len = sizeof b.data;
    memcpy(b.data, data, len);
    for (size_t at = 0; at + 16 <= len; at++) {
        static const char *const nodes[] = {"ARDF", "FTOC", "IMAG", "TTOC", "IDEF", "IBOX", "TEXT"};
        for (size_t k = 0; k < sizeof nodes / sizeof *nodes; k++) {
            uint32_t size = 0;
            if (memcmp(b.data + at + 8, nodes[k], 4) != 0) continue;
            for (int i = 0; i < 4; i++) size |= (uint32_t)b.data[at + 4 + (size_t)i] << (8 * i);
            if (size >= 16 && size <= len - at) node_end(&b, at);
        }
    }
    return read_ardf(b.data, len, err);
}

static void survives_damage(void **state)
{
    (void)state;
    file_bytes b;
    ardf_file(&b, &usual);
    test_truncate(read_ardf, b.data, b.n, b.n - 16);
    test_each_alloc(read_ardf, b.data, b.n);
    test_mutate("ardf", read_ardf, b.data, b.n, test_mutations() / 2);
    test_mutate("ardf, checksums mended", read_mended, b.data, b.n, test_mutations() / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_images),
        cmocka_unit_test(is_known_by_its_bytes),
        cmocka_unit_test(interrupted_scans_have_gaps),
        cmocka_unit_test(refuses_what_it_is_not),
        cmocka_unit_test(survives_damage),
    };
    return cmocka_run_group_tests_name("io_ardf", tests, NULL, NULL);
}
