/* TIFF images, built here entry by entry. */
#include "support/io_support.h"
#include "support/tolerance.h"

#include <math.h>
#include <string.h>

#include "io/image_file.h"
#include "io/common/stack.h"
#include "io/tiff.h"

typedef struct picture {
    bool big;
    int bits, format, samples, photometric, pages;
    bool packed;             /* PackBits */
    int tile;                /* side, 0: lines in strips of two */
    const char *description; /* 20 bytes or more */
    uint32_t width, height;  /* claimed; 0: the pattern's */
    int extra_tag;
    uint32_t extra_value; /* 0: Park's magic */
    int described;        /* pages with the description, 0: all */
    int other_bits;       /* of the pages after the first, 0: the same */
} picture;

static const picture usual = {.bits = 8, .format = 1, .samples = 1, .photometric = 1, .pages = 1};

static void put_sample(file_bytes *b, const picture *p, int v)
{
    const float f = (float)v;
    const double d = v;
    uint32_t u;
    uint64_t w;
    memcpy(&u, &f, sizeof u);
    memcpy(&w, &d, sizeof w);
    put_uint(b, p->format != 3 ? (uint64_t)(int64_t)v : p->bits == 32 ? u : w, p->bits / 8, p->big);
}

/* One line, or one line of a tile, of page k: from column `first`, `n` columns, zeros beyond the frame. */
static void put_line(file_bytes *b, const picture *p, int k, int r, int first, int n)
{
    static file_bytes line;
    line.n = 0;
    if (p->bits == 1) put_uint(&line, 0xa8 >> (r & 1), 1, false); /* 101010.. or 010101.. */
    for (int c = first; p->bits > 1 && c < first + n; c++)
        for (int s = 0; s < p->samples; s++)
            put_sample(&line, p, r < PATTERN_H && c < PATTERN_W ? pattern_at(r, c) + 40 * k : 0);
    if (p->packed) put_uint(b, line.n - 1, 1, false);
    memcpy(b->data + b->n, line.data, line.n);
    b->n += line.n;
}

static void patch(file_bytes *b, size_t at, uint64_t v, int size, bool big)
{
    const size_t n = b->n;
    b->n = at;
    put_uint(b, v, size, big);
    b->n = n;
}

static void put_entry(file_bytes *b, const picture *p, int tag, int type, uint32_t count,
                      uint32_t value)
{
    put_uint(b, (uint64_t)tag, 2, p->big);
    put_uint(b, (uint64_t)type, 2, p->big);
    put_uint(b, count, 4, p->big);
    if (type == 3 && count == 1) {
        put_uint(b, value, 2, p->big);
        put_uint(b, 0, 2, p->big);
    } else {
        put_uint(b, value, 4, p->big);
    }
}

static void tiff_file(file_bytes *b, const picture *all)
{
    b->n = 0;
    put_text(b, all->big ? "MM" : "II", 2);
    put_uint(b, 42, 2, all->big);
    size_t link = b->n;
    put_uint(b, 0, 4, all->big);
    for (int k = 0; k < all->pages; k++) {
        picture one = *all;
        const picture *p = &one;
        if (all->described && k >= all->described) one.description = NULL;
        if (all->other_bits && k > 0) one.bits = all->other_bits;
        uint32_t at[8], size[8];
        int parts = 0;
        const int lines = p->tile ? p->tile : 2; /* of a strip, or of the only tile */
        for (int r = 0; r < (p->tile ? 1 : PATTERN_H); r += lines) {
            at[parts] = (uint32_t)b->n;
            for (int i = 0; i < lines; i++)
                put_line(b, p, k, r + i, 0, p->tile ? p->tile : PATTERN_W);
            size[parts] = (uint32_t)b->n - at[parts];
            parts++;
        }
        const uint32_t lists = (uint32_t)b->n;
        for (int i = 0; i < parts; i++) put_uint(b, at[i], 4, p->big);
        for (int i = 0; i < parts; i++) put_uint(b, size[i], 4, p->big);
        const uint32_t text = (uint32_t)b->n;
        if (p->description) put_text(b, p->description, strlen(p->description) + 1);
        const uint32_t resolution = (uint32_t)b->n;
        put_uint(b, 4, 4, p->big);
        put_uint(b, 2, 4, p->big);
        put_uint(b, 5, 4, p->big);
        put_uint(b, 1, 4, p->big);
        patch(b, link, b->n, 4, p->big);
        put_uint(
            b,
            (uint64_t)(11 + (p->description ? 3 : 0) + (p->tile ? 1 : 0) + (p->extra_tag ? 1 : 0)),
            2, p->big);
        put_entry(b, p, 256, 4, 1, p->width ? p->width : PATTERN_W);
        put_entry(b, p, 257, 4, 1, p->height ? p->height : PATTERN_H);
        put_entry(b, p, 258, 3, 1, (uint32_t)p->bits);
        put_entry(b, p, 259, 3, 1, p->packed ? 32773 : 1);
        put_entry(b, p, 262, 3, 1, (uint32_t)p->photometric);
        if (p->description) put_entry(b, p, 270, 2, (uint32_t)strlen(p->description) + 1, text);
        if (!p->tile) put_entry(b, p, 273, 4, (uint32_t)parts, parts == 1 ? at[0] : lists);
        put_entry(b, p, 277, 3, 1, (uint32_t)p->samples);
        if (!p->tile) put_entry(b, p, 278, 4, 1, 2);
        if (!p->tile)
            put_entry(b, p, 279, 4, (uint32_t)parts,
                      parts == 1 ? size[0] : lists + 4 * (uint32_t)parts);
        if (p->description) {
            put_entry(b, p, 282, 5, 1, resolution);
            put_entry(b, p, 283, 5, 1, resolution + 8);
        }
        put_entry(b, p, 284, 3, 1, 1);
        if (p->tile) {
            put_entry(b, p, 322, 4, 1, (uint32_t)p->tile);
            put_entry(b, p, 323, 4, 1, (uint32_t)p->tile);
            put_entry(b, p, 324, 4, (uint32_t)parts, parts == 1 ? at[0] : lists);
            put_entry(b, p, 325, 4, (uint32_t)parts,
                      parts == 1 ? size[0] : lists + 4 * (uint32_t)parts);
        }
        put_entry(b, p, 339, 3, 1, (uint32_t)p->format);
        if (p->extra_tag)
            put_entry(b, p, p->extra_tag, 4, 1, p->extra_value ? p->extra_value : 0x0e031301);
        link = b->n;
        put_uint(b, 0, 4, p->big);
    }
}

static void assert_page(const rs_image *im, int k)
{
    assert_int_equal(im->height, PATTERN_H);
    assert_int_equal(im->width, PATTERN_W);
    for (int i = 0; i < PATTERN_H * PATTERN_W; i++)
        assert_near((double)im->data[i], pattern_at(i / PATTERN_W, i % PATTERN_W) + 40 * k, 1e-4);
}

static void reads_every_kind_of_number(void **state)
{
    (void)state;
    static const int kinds[][2] = {{8, 1},  {8, 2},  {16, 1}, {16, 2},
                                   {32, 1}, {32, 2}, {32, 3}, {64, 3}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (int k = 0; k < 16; k++) {
            file_bytes b;
            rs_image im;
            reshed_error err = {0};
            picture p = usual;
            p.bits = kinds[i][0], p.format = kinds[i][1], p.big = k & 1;
            p.packed = k & 2;
            p.samples = k & 4 ? 3 : 1, p.photometric = k & 4 ? 2 : 1;
            if (k & 8) p.samples++; /* alpha */
            if (p.packed && p.bits / 8 * p.samples * PATTERN_W > 128) continue;
            tiff_file(&b, &p);
            assert_ok(rs_image_read_mem(b.data, b.n, NULL, &im, &err), &err);
            assert_page(&im, 0);
            assert_string_equal(im.channel, "image");
            assert_true(im.dx == 0);
            rs_image_clear(&im);
        }
}

static void reads_tiles(void **state)
{
    (void)state;
    file_bytes b;
    rs_image im;
    reshed_error err = {0};
    picture p = usual;
    p.tile = 16, p.bits = 16, p.format = 2;
    tiff_file(&b, &p);
    assert_ok(rs_image_read_mem(b.data, b.n, NULL, &im, &err), &err);
    assert_page(&im, 0);
    rs_image_clear(&im);
}

static void reads_masks_and_inverted_grey(void **state)
{
    (void)state;
    for (int white = 0; white < 2; white++) {
        file_bytes b;
        rs_image im;
        reshed_error err = {0};
        picture p = usual;
        p.bits = 1, p.photometric = !white;
        tiff_file(&b, &p);
        assert_ok(rs_image_read_mem(b.data, b.n, NULL, &im, &err), &err);
        for (int i = 0; i < PATTERN_H * PATTERN_W; i++)
            assert_true(im.data[i] == ((i / PATTERN_W + i % PATTERN_W + white) % 2 == 0));
        rs_image_clear(&im);
        p.bits = 8;
        tiff_file(&b, &p);
        assert_ok(rs_image_read_mem(b.data, b.n, NULL, &im, &err), &err);
        assert_true(im.data[1] == (float)(white ? 255 - pattern_at(0, 1) : pattern_at(0, 1)));
        rs_image_clear(&im);
    }
}

static void reads_pages_and_scales(void **state)
{
    (void)state;
    file_bytes b;
    rs_image im;
    reshed_error err = {0};
    picture p = usual;
    p.pages = 3, p.bits = 16;
    tiff_file(&b, &p);
    for (int k = 0; k < 3; k++) {
        assert_ok(rs_reader_image(&rs_tiff_reader, b.data, b.n, NULL, k, &im, &err), &err);
        assert_page(&im, k);
        assert_true(im.frame == k && im.frames == 3);
        assert_string_equal(im.channel, "image");
        rs_image_clear(&im);
    }
    assert_error(rs_image_read_mem(b.data, b.n, NULL, &im, &err), RESHED_EINVAL, &err,
                 "a stack of 3 frames");
    p = usual,
    p.description = "ImageJ=1.53t\nunit=\\u00B5m\nmin=0.0\n"; /* 2 pixels, 5 pixels in one */
    tiff_file(&b, &p);
    assert_ok(rs_image_read_mem(b.data, b.n, NULL, &im, &err), &err);
    assert_near(im.dx, 0.5e-6, TOL_PLACE);
    assert_near(im.dy, 0.2e-6, TOL_PLACE);
    rs_image_clear(&im);
}

/* ImageJ describes a stack in its first page only. */
static void every_frame_has_the_scale_of_the_stack(void **state)
{
    (void)state;
    file_bytes b;
    reshed_error err = {0};
    picture p = usual;
    p.pages = 3, p.described = 1;
    p.description = "ImageJ=1.53t\nimages=3\nunit=nm\n";
    tiff_file(&b, &p);
    for (int k = 0; k < 3; k++) {
        rs_image im;
        assert_ok(rs_reader_image(&rs_tiff_reader, b.data, b.n, NULL, k, &im, &err), &err);
        assert_page(&im, k);
        assert_near(im.dx, 0.5e-9, TOL_PLACE);
        assert_near(im.dy, 0.2e-9, TOL_PLACE);
        rs_image_clear(&im);
    }
}

/* A label of 8 bits after an image of 16 is no second frame of it. */
static void pages_of_other_numbers_are_channels(void **state)
{
    (void)state;
    file_bytes b;
    rs_image im;
    rs_channels list = {0};
    reshed_error err = {0};
    picture p = usual;
    p.pages = 2, p.bits = 16, p.other_bits = 8;
    tiff_file(&b, &p);
    assert_ok(rs_tiff_reader.list(b.data, b.n, &list, &err), &err);
    assert_int_equal(list.n, 2);
    rs_channels_clear(&list);
    for (int k = 0; k < 2; k++) {
        assert_ok(
            rs_reader_image(&rs_tiff_reader, b.data, b.n, k ? "1" : "0", RS_FRAME_ONLY, &im, &err),
            &err);
        assert_page(&im, k);
        assert_true(im.frames == 0);
        rs_image_clear(&im);
    }
}

/* Park's tag with whatever in it, in either byte order: the picture is a preview and never read. */
static void a_preview_is_no_image(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        file_bytes b;
        rs_image im = {0};
        rs_channels list = {0};
        reshed_error err = {0};
        picture p = usual;
        p.extra_tag = 50432, p.extra_value = k & 1 ? 0x0e031302 : 0, p.big = k & 2;
        tiff_file(&b, &p);
        assert_error(rs_image_read_mem(b.data, b.n, NULL, &im, &err), RESHED_ECORRUPT, &err,
                     "Park");
        assert_error(rs_tiff_reader.list(b.data, b.n, &list, &err), RESHED_ECORRUPT, &err, "Park");
    }
}

static void refuses_and_says_why(void **state)
{
    (void)state;
    static const struct {
        int bits, samples, photometric, tag;
        uint32_t side;
        reshed_status st;
        const char *part;
    } cases[] = {
        {8, 4, 5, 0, 0, RESHED_EUNSUPPORTED, "colours"},
        {8, 5, 2, 0, 0, RESHED_EUNSUPPORTED, "colours"},
        {4, 1, 1, 0, 0, RESHED_EUNSUPPORTED, "4 bits"},
        {8, 1, 1, 50432, 0, RESHED_ECORRUPT, "Park"},
        {8, 1, 1, 0, 70000, RESHED_EUNSUPPORTED, "size of the TIFF"},
        {8, 1, 1, 0, 16000, RESHED_ECORRUPT, "TIFF"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_bytes b;
        rs_image im = {0};
        reshed_error err = {0};
        picture p = usual;
        p.samples = cases[i].samples, p.photometric = cases[i].photometric;
        p.extra_tag = cases[i].tag, p.width = p.height = cases[i].side;
        tiff_file(&b, &p);
        for (size_t k = 0; k + 12 < b.n && cases[i].bits != 8; k++) /* BitsPerSample */
            if (memcmp(b.data + k, "\2\1\3\0\1\0\0\0", 8) == 0)
                b.data[k + 8] = (uint8_t)cases[i].bits;
        assert_error(rs_image_read_mem(b.data, b.n, NULL, &im, &err), cases[i].st, &err,
                     cases[i].part);
    }
}

static reshed_status read_all(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_channels list = {0};
    rs_image im = {0};
    reshed_status st = rs_tiff_reader.list(data, len, &list, err);
    for (int i = 0; st == RESHED_OK && i < list.n && i < 8; i++) {
        st = rs_tiff_reader.read_frame(data, len, i, i ? RS_FRAME_ONLY : 0, &im, err);
        if (st == RESHED_OK) assert_true(image_is_sane(&im));
        rs_image_clear(&im);
    }
    rs_channels_clear(&list);
    if (st == RESHED_OK) st = rs_reader_image(&rs_tiff_reader, data, len, "0", 0, &im, err);
    rs_image_clear(&im);
    return st;
}

static void survives_damage(void **state)
{
    (void)state;
    file_bytes b;
    for (int k = 0; k < 2; k++) {
        picture p = usual;
        p.bits = 16, p.pages = 2, p.packed = k, p.big = k;
        tiff_file(&b, &p);
        test_truncate(read_all, b.data, b.n, 0);
        test_each_alloc(read_all, b.data, b.n);
        test_mutate(k ? "tiff, packed" : "tiff", read_all, b.data, b.n, test_mutations() / 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind_of_number),
        cmocka_unit_test(reads_tiles),
        cmocka_unit_test(reads_masks_and_inverted_grey),
        cmocka_unit_test(reads_pages_and_scales),
        cmocka_unit_test(every_frame_has_the_scale_of_the_stack),
        cmocka_unit_test(pages_of_other_numbers_are_channels),
        cmocka_unit_test(a_preview_is_no_image),
        cmocka_unit_test(refuses_and_says_why),
        cmocka_unit_test(survives_damage),
    };
    return cmocka_run_group_tests_name("io_tiff", tests, NULL, NULL);
}
