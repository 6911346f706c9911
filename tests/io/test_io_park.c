/* Park's TIFF, built here: a header and numbers in tags of their own. */
#include "support/io_support.h"
#include "support/tolerance.h"

#include <math.h>
#include <string.h>

#include "io/image_file.h"
#include "io/instruments/park.h"
#include "io/tiff.h"

typedef struct wanted {
    int version, type; /* 1 or 2; 0 int16, 1 int32, 2 float */
    uint32_t kind, width, height;
    size_t header; /* bytes of it */
} wanted;

static const wanted usual = {2, 0, 0, PATTERN_W, PATTERN_H, 580};

static void put_wide(file_bytes *b, const char *s, int n)
{
    for (int i = 0; i < n; i++) {
        put_uint(b, (uint8_t)*s, 2, false);
        if (*s) s++;
    }
}

static void put_header(file_bytes *b, const wanted *w)
{
    const size_t first = b->n;
    put_uint(b, w->kind, 4, false);
    put_wide(b, "PFM Amplitude", 32);
    put_wide(b, "PFM", 8);
    put_double(b, 0, false);
    put_uint(b, 0, 4, false);
    put_uint(b, 0, 4, false);
    put_uint(b, w->width, 4, false);
    put_uint(b, w->height, 4, false);
    put_double(b, 30, false);
    put_uint(b, 0, 4, false);
    put_double(b, 0, false);
    put_uint(b, 1, 4, false); /* forward */
    put_uint(b, 0, 4, false); /* down */
    put_uint(b, 0, 4, false);
    const double um[4] = {PATTERN_W * 0.003, PATTERN_H * 0.002, 1, -2};
    for (int i = 0; i < 4; i++) put_double(b, um[i], false);
    put_double(b, 1, false);
    put_double(b, 0, false);
    put_wide(b, "V", 8);
    put_double(b, 0, false);
    put_double(b, 0, false);
    put_double(b, 0.5, false); /* gain */
    put_double(b, 0, false);   /* scale: 1 */
    put_double(b, 10, false);  /* offset */
    put_wide(b, "pm", 8);
    for (int i = 0; i < 6; i++) put_uint(b, 0, 4, false);
    assert_int_equal(b->n - first, 284);
    put_double(b, 0, false);
    put_double(b, 0, false);
    for (int i = 0; i < 3; i++) put_wide(b, "", 8);
    put_uint(b, (uint64_t)w->type, 4, false);
    while (b->n - first < w->header) put_uint(b, 0, 1, false);
    b->n = first + w->header;
}

static void put_entry(file_bytes *b, int tag, int type, size_t count, size_t value)
{
    put_uint(b, (uint64_t)tag, 2, false);
    put_uint(b, (uint64_t)type, 2, false);
    put_uint(b, count, 4, false);
    put_uint(b, value, 4, false);
}

static void park_file(file_bytes *b, const wanted *w)
{
    b->n = 0;
    put_text(b, "II*", 4);
    put_uint(b, 0, 4, false);
    const size_t data = b->n;
    for (int i = 0; i < PATTERN_H * PATTERN_W; i++) { /* the bottom row first */
        const float f = (float)(2 * pattern_at(PATTERN_H - 1 - i / PATTERN_W, i % PATTERN_W) - 10);
        uint32_t u;
        memcpy(&u, &f, sizeof u);
        put_uint(b, w->type == 2 ? u : (uint64_t)(int64_t)f, w->type == 0 ? 2 : 4, false);
    }
    const size_t bytes = b->n - data, header = b->n;
    put_header(b, w);
    const size_t directory = b->n;
    put_uint(b, 8, 2, false);
    put_entry(b, 256, 4, 1, 1);
    put_entry(b, 257, 4, 1, 1);
    put_entry(b, 258, 3, 1, 8);
    put_entry(b, 273, 4, 1, 8); /* the picture: one pixel */
    put_entry(b, 50432, 4, 1, 0x0E031301);
    put_entry(b, 50433, 4, 1, w->version == 1 ? 0x01000001 : 0x01000002);
    put_entry(b, 50434, 1, bytes, data);
    put_entry(b, 50435, 1, w->header, header);
    put_uint(b, 0, 4, false);
    const size_t n = b->n;
    b->n = 4;
    put_uint(b, directory, 4, false);
    b->n = n;
}

static void reads_its_numbers_and_scales(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        file_bytes b;
        rs_image im;
        reshed_error err = {0};
        wanted w = usual;
        if (k == 3) w.version = 1, w.header = 284;
        w.type = k % 3;
        park_file(&b, &w);
        assert_ok(rs_image_read_mem(b.data, b.n, NULL, &im, &err), &err);
        assert_pattern(&im, 1);
        assert_string_equal(im.channel, "PFM Amplitude");
        assert_string_equal(im.unit, "pm");
        assert_string_equal(im.scan, "forward, down");
        assert_near(im.dx, 3e-9, TOL_PLACE);
        assert_near(im.dy, 2e-9, TOL_PLACE);
        assert_near(im.x0, 1e-6, TOL_PLACE);
        assert_near(im.y0, -2e-6, TOL_PLACE);
        assert_near(im.angle, 30, 1e-12);
        rs_image_clear(&im);
        assert_error(rs_reader_image(&rs_tiff_reader, b.data, b.n, NULL, 1, &im, &err),
                     RESHED_EINVAL, &err, "frame");
    }
}

static void refuses_and_says_why(void **state)
{
    (void)state;
    static const struct {
        wanted w;
        reshed_status st;
        const char *part;
    } cases[] = {
        {{2, 0, 2, PATTERN_W, PATTERN_H, 580}, RESHED_EUNSUPPORTED, "spectroscopy"},
        {{2, 3, 0, PATTERN_W, PATTERN_H, 580}, RESHED_EUNSUPPORTED, "numbers"},
        {{2, 0, 0, PATTERN_W, PATTERN_H, 200}, RESHED_ECORRUPT, "shorter header"},
        {{2, 0, 0, PATTERN_W, PATTERN_H + 1, 580}, RESHED_ECORRUPT, "data of the Park"},
        {{2, 0, 0, 0, PATTERN_H, 580}, RESHED_EUNSUPPORTED, "size"},
        {{2, 0, 0, 1u << 31, 1u << 31, 580}, RESHED_EUNSUPPORTED, "size"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_bytes b;
        rs_image im = {0};
        reshed_error err = {0};
        park_file(&b, &cases[i].w);
        assert_error(rs_image_read_mem(b.data, b.n, NULL, &im, &err), cases[i].st, &err,
                     cases[i].part);
    }
}

static reshed_status read_one(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_image im = {0};
    const reshed_status st = rs_reader_image(&rs_tiff_reader, data, len, NULL, 0, &im, err);
    if (st == RESHED_OK) assert_true(image_is_sane(&im));
    rs_image_clear(&im);
    return st;
}

static void survives_damage(void **state)
{
    (void)state;
    file_bytes b;
    park_file(&b, &usual);
    test_truncate(read_one, b.data, b.n, 0);
    test_each_alloc(read_one, b.data, b.n);
    test_mutate("park", read_one, b.data, b.n, test_mutations());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_its_numbers_and_scales),
        cmocka_unit_test(refuses_and_says_why),
        cmocka_unit_test(survives_damage),
    };
    return cmocka_run_group_tests_name("io_park", tests, NULL, NULL);
}
