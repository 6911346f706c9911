/* Gwyddion's .gwy, built here. */
#include "support/io_support.h"
#include "support/tolerance.h"

#include <math.h>
#include <string.h>

#include "io/gwy.h"
#include "io/image_file.h"

static void put_name(file_bytes *b, const char *name, char type)
{
    put_text(b, name, strlen(name) + 1);
    put_uint(b, (uint8_t)type, 1, false);
}

/* Begins an object; end_object fills in its size. */
static size_t begin_object(file_bytes *b, const char *name)
{
    put_text(b, name, strlen(name) + 1);
    put_uint(b, 0, 4, false);
    return b->n;
}

static void end_object(file_bytes *b, size_t start)
{
    for (int i = 0; i < 4; i++) b->data[start - 4 + (size_t)i] = (uint8_t)((b->n - start) >> 8 * i);
}

static void put_unit(file_bytes *b, const char *name, const char *unit)
{
    put_name(b, name, 'o');
    const size_t start = begin_object(b, "GwySIUnit");
    put_name(b, "unitstr", 's');
    put_text(b, unit, strlen(unit) + 1);
    end_object(b, start);
}

typedef struct field {
    const char *name, *unit_xy, *unit_z;
    int xres, yres, count;
    double xreal, yreal, xoff, yoff;
} field;

static const field usual = {"/0/data", "m",  "V",  PATTERN_W, PATTERN_H, PATTERN_W *PATTERN_H,
                            3e-6,      1e-6, 2e-6, -1e-6};

/* The pattern plus `more`. */
static void put_field(file_bytes *b, const field *f, int more)
{
    put_name(b, f->name, 'o');
    const size_t start = begin_object(b, "GwyDataField");
    put_name(b, "xres", 'i');
    put_uint(b, (uint32_t)f->xres, 4, false);
    put_name(b, "yres", 'i');
    put_uint(b, (uint32_t)f->yres, 4, false);
    const double real[4] = {f->xreal, f->yreal, f->xoff, f->yoff};
    static const char *const names[4] = {"xreal", "yreal", "xoff", "yoff"};
    for (int i = 0; i < 4; i++) {
        if (isnan(real[i])) continue;
        put_name(b, names[i], 'd');
        put_double(b, real[i], false);
    }
    put_unit(b, "si_unit_xy", f->unit_xy);
    put_unit(b, "si_unit_z", f->unit_z);
    put_name(b, "data", 'D');
    put_uint(b, (uint32_t)f->count, 4, false);
    for (int i = 0; i < f->count; i++)
        put_double(b, pattern_at(i / PATTERN_W, i % PATTERN_W) + more, false);
    end_object(b, start);
}

static void put_title(file_bytes *b, const char *name, const char *title)
{
    put_name(b, name, 's');
    put_text(b, title, strlen(title) + 1);
}

/* Three channels out of order, a mask, and what else Gwyddion keeps. */
static void gwy_file(file_bytes *b)
{
    b->n = 0;
    put_text(b, "GWYP", 4);
    const size_t start = begin_object(b, "GwyContainer");
    put_name(b, "/0/data/visible", 'b');
    put_uint(b, 1, 1, false);
    put_title(b, "/10/data/title", "Phase");
    field f = usual;
    f.name = "/10/data", f.unit_z = "deg";
    put_field(b, &f, 40);
    put_name(b, "/0/select/numbers", 'Q');
    put_uint(b, 2, 4, false);
    put_double(b, 1, false);
    put_double(b, 2, false);
    put_name(b, "/filename/list", 'S');
    put_uint(b, 2, 4, false);
    put_text(b, "one", 4);
    put_text(b, "two", 4);
    put_field(b, &usual, 0);
    put_title(b, "/0/data/title", "Amplitude");
    f.name = "/2/data", f.unit_z = "m", f.unit_xy = "", f.xreal = NAN;
    put_field(b, &f, 80);
    f = usual, f.name = "/0/mask", f.unit_z = "";
    put_field(b, &f, 120);
    put_name(b, "/0/meta", 'o');
    const size_t meta = begin_object(b, "GwyContainer");
    put_title(b, "/0/data/title", "no title");
    end_object(b, meta);
    end_object(b, start);
}

static void reads_channels_and_masks(void **state)
{
    (void)state;
    static const struct {
        const char *channel, *name, *unit;
        int more;
    } cases[] = {{NULL, "Amplitude", "V", 0},
                 {"0", "Amplitude", "V", 0},
                 {"1", "Amplitude mask", "", 120},
                 {"2", "channel 2", "m", 80},
                 {"phase", "Phase", "deg", 40}};
    file_bytes b;
    rs_channels list = {0};
    reshed_error err = {0};
    gwy_file(&b);
    assert_ok(rs_gwy_reader.list(b.data, b.n, &list, &err), &err);
    assert_int_equal(list.n, 4);
    rs_channels_clear(&list);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rs_image im;
        assert_ok(rs_image_read_mem(b.data, b.n, cases[i].channel, &im, &err), &err);
        assert_string_equal(im.channel, cases[i].name);
        assert_string_equal(im.unit, cases[i].unit);
        assert_int_equal(im.height, PATTERN_H);
        for (int k = 0; k < PATTERN_H * PATTERN_W; k++)
            assert_true(im.data[k] ==
                        (float)(pattern_at(k / PATTERN_W, k % PATTERN_W) + cases[i].more));
        const bool known = cases[i].more != 80;
        assert_near(im.dx, known ? 0.5e-6 : 0, TOL_PLACE);
        assert_near(im.dy, known ? 0.25e-6 : 0, TOL_PLACE);
        assert_near(im.x0, known ? 3.5e-6 : 0, TOL_PLACE);
        assert_near(im.y0, known ? -0.5e-6 : 0, TOL_PLACE);
        rs_image_clear(&im);
    }
}

/* A file with one field. */
static void one_field(file_bytes *b, const field *f, const field *second)
{
    b->n = 0;
    put_text(b, "GWYP", 4);
    const size_t start = begin_object(b, "GwyContainer");
    put_field(b, f, 0);
    if (second) put_field(b, second, 0);
    end_object(b, start);
}

static void refuses_and_says_why(void **state)
{
    (void)state;
    static const struct {
        int xres, yres, count;
        const char *name, *part;
    } cases[] = {
        {6, 5, 24, "/0/data", "GwyDataField"},       {0, 4, 0, "/0/data", "GwyDataField"},
        {-6, -4, 24, "/0/data", "GwyDataField"},     {65537, 1, 24, "/0/data", "GwyDataField"},
        {6, 4, 24, "/x/data", "no image"},           {6, 4, 24, "/0/show", "no image"},
        {6, 4, 24, "/99999999999/data", "no image"},
    };
    file_bytes b;
    rs_image im = {0};
    reshed_error err = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        field f = usual;
        f.xres = cases[i].xres, f.yres = cases[i].yres, f.count = cases[i].count;
        f.name = cases[i].name;
        one_field(&b, &f, NULL);
        const bool none = strcmp(cases[i].part, "no image") == 0;
        assert_error(rs_image_read_mem(b.data, b.n, NULL, &im, &err),
                     none ? RESHED_EUNSUPPORTED : RESHED_ECORRUPT, &err, cases[i].part);
    }
    one_field(&b, &usual, &usual);
    assert_error(rs_image_read_mem(b.data, b.n, NULL, &im, &err), RESHED_ECORRUPT, &err, "twice");
    one_field(&b, &usual, NULL);
    for (size_t i = 0; i + 8 < b.n; i++) /* an array that is said to be longer than the file */
        if (memcmp(b.data + i, "data\0D", 6) == 0) memset(b.data + i + 6, 0xff, 4);
    assert_error(rs_image_read_mem(b.data, b.n, NULL, &im, &err), RESHED_ECORRUPT, &err,
                 "components");
}

static reshed_status read_all(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_channels list = {0};
    rs_image im = {0};
    reshed_status st = rs_gwy_reader.list(data, len, &list, err);
    for (int i = 0; st == RESHED_OK && i < list.n; i++) {
        st = rs_gwy_reader.read(data, len, i, &im, err);
        if (st == RESHED_OK) assert_true(image_is_sane(&im));
        rs_image_clear(&im);
    }
    rs_channels_clear(&list);
    if (st == RESHED_OK)
        st = rs_reader_image(&rs_gwy_reader, data, len, "0", RS_FRAME_ONLY, &im, err);
    rs_image_clear(&im);
    return st;
}

static void survives_damage(void **state)
{
    (void)state;
    file_bytes b;
    gwy_file(&b);
    test_truncate(read_all, b.data, b.n, b.n);
    test_each_alloc(read_all, b.data, b.n);
    test_mutate("gwy", read_all, b.data, b.n, test_mutations());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_channels_and_masks),
        cmocka_unit_test(refuses_and_says_why),
        cmocka_unit_test(survives_damage),
    };
    return cmocka_run_group_tests_name("io_gwy", tests, NULL, NULL);
}
