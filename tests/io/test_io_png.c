/* PNG. */
#include "support/crc32.h"
#include "support/io_support.h"

#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/image_file.h"

static reshed_status read_png(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_image im;
    reshed_status st = rs_png_read_mem(data, len, &im, err);
    if (st != RESHED_OK) return st;
    assert_true(image_is_sane(&im));
    for (int i = 0; i < im.height * im.width; i++) assert_true(im.data[i] >= 0 && im.data[i] <= 1);
    rs_image_clear(&im);
    return st;
}

static void png_keeps_pattern(void **state)
{
    (void)state;
    reshed_error err = {0};
    const rs_png_kind kinds[] = {RS_PNG_GREY8, RS_PNG_GREY16, RS_PNG_RGB8};
    for (int k = 0; k < 3; k++) {
        rs_image im;
        size_t len;
        uint8_t *bytes = pattern_png(kinds[k], 0, &len);
        assert_ok(rs_image_read_mem(bytes, len, NULL, &im, &err), &err);
        /* pattern * 257 / 65535 is pattern / 255; the products 10000 v / 10000 are exact too */
        for (int i = 0; i < PATTERN_H * PATTERN_W; i++) {
            int v = pattern_at(i / PATTERN_W, i % PATTERN_W);
            assert_true(im.data[i] == (float)(v / 255.0));
        }
        assert_true(im.dx == 0 && im.dy == 0);
        rs_image_clear(&im);
        rs_free(bytes);
    }
}

static void png_keeps_all_16_bits(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_image im;
    size_t len;
    uint8_t *bytes = pattern_png(RS_PNG_GREY16, 3, &len);
    assert_ok(rs_png_read_mem(bytes, len, &im, &err), &err);
    assert_true(im.data[0] == (float)((257 + 3) / 65535.0));
    rs_image_clear(&im);
    rs_free(bytes);
}

static void png_colours_become_luminance(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_image im;
    size_t len;
    uint8_t *bytes;
    const uint8_t rgb[] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255};
    assert_ok(rs_png_write_mem(RS_PNG_RGB8, 1, 4, rgb, &bytes, &len, &err), &err);
    assert_ok(rs_png_read_mem(bytes, len, &im, &err), &err);
    assert_true(im.data[0] == 0.2126f && im.data[1] == 0.7152f && im.data[2] == 0.0722f);
    assert_true(im.data[3] == 1.0f);
    rs_image_clear(&im);
    rs_free(bytes);
}

/* ---- PNG files of kinds that our writer does not make: assembled with stored deflate blocks. */
static void put_chunk(file_bytes *b, const char *type, const uint8_t *data, size_t n)
{
    put_uint(b, n, 4, true);
    size_t at = b->n;
    put_text(b, type, 4);
    for (size_t i = 0; i < n; i++) put_uint(b, data[i], 1, true);
    put_uint(b, test_crc32(b->data + at, b->n - at), 4, true);
}

/* rows: the filtered rows as they are inflated. */
static void raw_png(file_bytes *b, uint32_t w, uint32_t h, int depth, int colour, int interlace,
                    const uint8_t *palette, size_t palette_n, const uint8_t *rows, size_t n)
{
    uint8_t z[512] = {0x78, 0x01, 1};
    uint32_t s1 = 1, s2 = 0;
    b->n = 0;
    for (int i = 0; i < 8; i++) put_uint(b, (uint8_t) "\x89PNG\r\n\x1a\n"[i], 1, true);
    file_bytes head = {.n = 0};
    put_uint(&head, w, 4, true);
    put_uint(&head, h, 4, true);
    put_uint(&head, (uint64_t)depth << 32 | (uint64_t)colour << 24 | (uint64_t)interlace, 5, true);
    put_chunk(b, "IHDR", head.data, head.n);
    if (palette_n) put_chunk(b, "PLTE", palette, palette_n);
    assert_true(n < 400);
    z[3] = (uint8_t)n, z[4] = (uint8_t)(n >> 8), z[5] = (uint8_t)~n, z[6] = (uint8_t)(~n >> 8);
    memcpy(z + 7, rows, n);
    for (size_t i = 0; i < n; i++) {
        s1 = (s1 + rows[i]) % 65521;
        s2 = (s2 + s1) % 65521;
    }
    z[7 + n] = (uint8_t)(s2 >> 8), z[8 + n] = (uint8_t)s2;
    z[9 + n] = (uint8_t)(s1 >> 8), z[10 + n] = (uint8_t)s1;
    put_chunk(b, "IDAT", z, n + 11);
    put_chunk(b, "IEND", NULL, 0);
}

static void png_reads_every_colour_type(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_image im;
    file_bytes b;
    /* 1-bit grey, 5 pixels: 1 0 1 1 0 */
    raw_png(&b, 5, 1, 1, 0, 0, NULL, 0, (const uint8_t[]){0, 0xb0}, 2);
    assert_ok(rs_png_read_mem(b.data, b.n, &im, &err), &err);
    assert_true(im.data[0] == 1 && im.data[1] == 0 && im.data[2] == 1 && im.data[3] == 1 &&
                im.data[4] == 0);
    rs_image_clear(&im);
    /* 4-bit grey: 15, 3 */
    raw_png(&b, 2, 1, 4, 0, 0, NULL, 0, (const uint8_t[]){0, 0xf3}, 2);
    assert_ok(rs_png_read_mem(b.data, b.n, &im, &err), &err);
    assert_true(im.data[0] == 1 && im.data[1] == (float)(3 / 15.0));
    rs_image_clear(&im);
    /* 16-bit grey with alpha, two rows: the alpha is left out */
    raw_png(&b, 1, 2, 16, 4, 0, NULL, 0,
            (const uint8_t[]){0, 0x12, 0x34, 0, 1, 0, 0xff, 0xff, 9, 9}, 10);
    assert_ok(rs_png_read_mem(b.data, b.n, &im, &err), &err);
    assert_true(im.height == 2 && im.data[0] == (float)(0x1234 / 65535.0) && im.data[1] == 1);
    rs_image_clear(&im);
    /* 8-bit RGBA */
    raw_png(&b, 1, 1, 8, 6, 0, NULL, 0, (const uint8_t[]){0, 255, 0, 0, 7}, 5);
    assert_ok(rs_png_read_mem(b.data, b.n, &im, &err), &err);
    assert_true(im.data[0] == 0.2126f);
    rs_image_clear(&im);
    /* 2-bit palette: green, grey 51 */
    const uint8_t palette[] = {0, 255, 0, 51, 51, 51};
    raw_png(&b, 2, 1, 2, 3, 0, palette, sizeof palette, (const uint8_t[]){0, 0x10}, 2);
    assert_ok(rs_png_read_mem(b.data, b.n, &im, &err), &err);
    assert_true(im.data[0] == 0.7152f && im.data[1] == (float)(51 / 255.0));
    rs_image_clear(&im);
    /* Adam7, 2 x 2: pass 1 has (0,0), pass 6 (0,1), pass 7 row 1 */
    raw_png(&b, 2, 2, 8, 0, 1, NULL, 0, (const uint8_t[]){0, 10, 0, 20, 0, 30, 40}, 7);
    assert_ok(rs_png_read_mem(b.data, b.n, &im, &err), &err);
    for (int i = 0; i < 4; i++) assert_true(im.data[i] == (float)((10 + 10 * i) / 255.0));
    rs_image_clear(&im);
}

static void png_refuses_what_it_cannot_hold(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_image im = {.height = 7};
    file_bytes b;
    /* A few bytes that claim 2^28 pixels, and more than the limits */
    raw_png(&b, 16384, 16384, 8, 0, 0, NULL, 0, (const uint8_t[]){0, 0}, 2);
    assert_error(rs_png_read_mem(b.data, b.n, &im, &err), RESHED_ECORRUPT, &err, "16384 x 16384");
    raw_png(&b, 65536, 65536, 1, 0, 0, NULL, 0, (const uint8_t[]){0, 0}, 2);
    assert_error(rs_png_read_mem(b.data, b.n, &im, &err), RESHED_EUNSUPPORTED, &err,
                 "65536 x 65536");
    raw_png(&b, 65537, 1, 8, 0, 0, NULL, 0, (const uint8_t[]){0, 0}, 2);
    assert_int_not_equal(rs_png_read_mem(b.data, b.n, &im, &err), RESHED_OK);
    raw_png(&b, 0, 1, 8, 0, 0, NULL, 0, (const uint8_t[]){0, 0}, 2);
    assert_int_not_equal(rs_png_read_mem(b.data, b.n, &im, &err), RESHED_OK);
    raw_png(&b, 3, 3, 8, 0, 0, NULL, 0, (const uint8_t[]){0, 1, 2, 3}, 4); /* rows missing */
    assert_error(rs_png_read_mem(b.data, b.n, &im, &err), RESHED_ECORRUPT, &err, "PNG");
    assert_int_equal(im.height, 7); /* no failure touched it */
}

/* An honest file may shrink as far as deflate goes. */
static void png_reads_an_all_black_image(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_image im;
    const int side = 2048;
    uint8_t *black = rs_zalloc((size_t)side, (size_t)side), *file;
    size_t len;
    assert_non_null(black);
    assert_ok(rs_png_write_mem(RS_PNG_GREY8, side, side, black, &file, &len, &err), &err);
    assert_true(len < (size_t)side * (size_t)side / 500);
    assert_ok(rs_png_read_mem(file, len, &im, &err), &err);
    assert_true(im.height == side && im.data[side * side - 1] == 0);
    rs_image_clear(&im);
    rs_free(file);
    rs_free(black);
}

static void png_survives_damage(void **state)
{
    (void)state;
    size_t len;
    uint8_t *bytes = pattern_png(RS_PNG_RGB8, 0, &len);
    test_truncate(read_png, bytes, len, len);
    test_each_alloc(read_png, bytes, len);
    test_mutate("png", read_png, bytes, len, test_mutations());
    rs_free(bytes);
}

/* The checksums stop most mutants early: change the inflated rows, not the file. */
static void png_survives_wrong_rows(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    for (long i = 0; i < test_mutations() / 4; i++) {
        uint8_t rows[64];
        file_bytes b;
        reshed_error err = {0};
        for (size_t k = 0; k < sizeof rows; k++) rows[k] = (uint8_t)test_rand(&r);
        const int depths[] = {1, 2, 4, 8, 16}, colours[] = {0, 2, 3, 4, 6};
        raw_png(&b, 1 + (uint32_t)test_below(&r, 9), 1 + (uint32_t)test_below(&r, 9),
                depths[test_below(&r, 5)], colours[test_below(&r, 5)], (int)test_below(&r, 2), rows,
                3 * (size_t)test_below(&r, 20), rows, (size_t)test_below(&r, sizeof rows));
        read_png(b.data, b.n, &err);
    }
}

static reshed_status write_png(const uint8_t *data, size_t len, reshed_error *err)
{
    uint8_t *bytes;
    size_t n;
    (void)len;
    reshed_status st = rs_png_write_mem(RS_PNG_GREY8, 2, 3, data, &bytes, &n, err);
    if (st == RESHED_OK) rs_free(bytes);
    return st;
}

static void png_writer_survives_no_memory(void **state)
{
    (void)state;
    reshed_error err = {0};
    test_each_alloc(write_png, (const uint8_t *)"abcdef", 6);
    assert_error(rs_png_write("nowhere/x.png", RS_PNG_GREY8, 0, 3, "", &err), RESHED_EINVAL, &err,
                 "0 x 3");
    assert_int_equal(rs_png_write(test_temp("no/such/dir.png"), RS_PNG_GREY8, 2, 3, "abcdef", &err),
                     RESHED_EIO);
}

/* What was drawn says so, with its size on paper, and is refused where data are read. */
static void pictures_are_no_data(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_image im;
    size_t n;
    const char *path = test_temp("drawn.png");
    assert_ok(rs_png_write_picture(path, RS_PNG_GREY8, 300, 2, 3, "abcdef", &err), &err);
    uint8_t *bytes = test_read_file(path, &n);
    const uint8_t per_metre[] = {'p', 'H', 'Y', 's', 0, 0, 0x2e, 0x23, 0, 0, 0x2e, 0x23, 1};
    bool found = false;
    for (size_t i = 0; i + sizeof per_metre <= n; i++)
        found = found || memcmp(bytes + i, per_metre, sizeof per_metre) == 0;
    assert_true(found && rs_png_is_picture(bytes, n));
    assert_error(rs_image_read(path, NULL, &im, &err), RESHED_EUNSUPPORTED, &err, "no data");
    for (size_t i = 0; i < n; i++) { /* cut at any place, or damaged: read within its bytes */
        uint8_t *cut = rs_alloc(i + 1, 1);
        assert_non_null(cut);
        memcpy(cut, bytes, i);
        (void)rs_png_is_picture(cut, i);
        rs_free(cut);
        bytes[i] ^= 0xff;
        (void)rs_png_is_picture(bytes, n);
        bytes[i] ^= 0xff;
    }
    rs_free(bytes);
    assert_ok(rs_png_write(path, RS_PNG_GREY8, 2, 3, "abcdef", &err), &err);
    assert_ok(rs_image_read(path, NULL, &im, &err), &err);
    rs_image_clear(&im);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_keeps_pattern),
        cmocka_unit_test(png_keeps_all_16_bits),
        cmocka_unit_test(png_colours_become_luminance),
        cmocka_unit_test(png_reads_every_colour_type),
        cmocka_unit_test(png_refuses_what_it_cannot_hold),
        cmocka_unit_test(png_reads_an_all_black_image),
        cmocka_unit_test(png_survives_damage),
        cmocka_unit_test(png_survives_wrong_rows),
        cmocka_unit_test(png_writer_survives_no_memory),
        cmocka_unit_test(pictures_are_no_data),
    };
    return cmocka_run_group_tests_name("io_png", tests, NULL, NULL);
}
