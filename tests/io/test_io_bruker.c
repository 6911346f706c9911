/* Bruker NanoScope images, built here. */
#include "support/io_support.h"
#include "support/tolerance.h"

#include <math.h>
#include <string.h>

#include "io/instruments/bruker.h"
#include "io/image_file.h"

typedef struct scope {
    const char *version, *size, *own_size, *scale, *more; /* more: lines of the image list */
    int bytes, stated, offset;                            /* offset 0: where the data are */
} scope;

static const scope usual = {
    "0x08150300", "3000 nm", "3 1.5 ~m", "V [Sens. Zsens] (0.006 V/LSB) 32.0 V", "", 2, 2, 0};

enum { HEAD = 3072 };

/* Two channels: the pattern, and the pattern plus 40; the bottom line first. */
static void scope_file(file_bytes *b, const scope *s)
{
    char head[HEAD];
    int n = snprintf(
        head, sizeof head,
        "\\*File list\r\n\\Version: %s\r\n\\Date: 01:02:03 PM\r\n"
        "\\*Scanner list\r\n\\@Sens. Zsens: V 10.0 nm/V\r\n\\@Sens. Amp: V 250.0 pm/V\r\n"
        "\\*Ciao scan list\r\n\\Scan Size: %s\r\n\\X Offset: -250 nm\r\n\\Y Offset: 2 ~m\r\n"
        "\\Rotate Ang.: 45\r\n\\Lines: 4\r\n",
        s->version, s->size);
    for (int k = 0; k < 2; k++)
        n += snprintf(head + n, sizeof head - (size_t)n,
                      "\\*Ciao image list\r\n\\Data offset: %d\r\n\\Data length: %d\r\n"
                      "\\Bytes/pixel: %d\r\n\\Samps/line: 6\r\n\\Number of lines: 4\r\n"
                      "%s%s%s\\Line Direction: %s\r\n\\Frame direction: Down\r\n"
                      "\\@2:Image Data: S [%s] \"%s\"\r\n\\@2:Z scale: %s\r\n%s",
                      s->offset ? s->offset : HEAD + k * 24 * s->bytes, 24 * s->bytes, s->stated,
                      s->own_size ? "\\Scan Size: " : "", s->own_size ? s->own_size : "",
                      s->own_size ? "\r\n" : "", k ? "Trace" : "Retrace",
                      k ? "Amplitude" : "Height", k ? "PFM Amplitude" : "Height",
                      k ? "V [Sens. Amp] (0.0001 mV/LSB) 65.536 mV" : s->scale, s->more);
    n += snprintf(head + n, sizeof head - (size_t)n, "\\*File list end\r\n\x1a");
    b->n = 0;
    put_text(b, head, (size_t)n);
    put_text(b, "", HEAD - (size_t)n);
    for (int k = 0; k < 2; k++)
        for (int r = PATTERN_H - 1; r >= 0; r--)
            for (int c = 0; c < PATTERN_W; c++)
                put_uint(b, (uint64_t)(pattern_at(r, c) + 40 * k), s->bytes, false);
}

static void assert_scaled(const rs_image *im, int more, double scale)
{
    assert_int_equal(im->height, PATTERN_H);
    assert_int_equal(im->width, PATTERN_W);
    for (int i = 0; i < PATTERN_H * PATTERN_W; i++)
        assert_near((double)im->data[i] / scale, pattern_at(i / PATTERN_W, i % PATTERN_W) + more,
                    1e-4);
}

static void reads_channels(void **state)
{
    (void)state;
    for (int wide = 0; wide < 2; wide++) {
        file_bytes b;
        rs_image im;
        reshed_error err = {0};
        scope s = usual;
        if (wide) s.version = "0x09200000", s.bytes = 4;
        scope_file(&b, &s);
        assert_ok(rs_image_read_mem(b.data, b.n, "Height", &im, &err), &err);
        assert_scaled(&im, 0, 32.0 / 65536 * 10);
        assert_string_equal(im.channel, "Height Retrace");
        assert_string_equal(im.unit, "nm");
        assert_string_equal(im.scan, "backward, down");
        assert_near(im.dx, 0.5e-6, TOL_PLACE);
        assert_near(im.dy, 0.375e-6, TOL_PLACE);
        assert_near(im.x0, -0.25e-6, TOL_PLACE);
        assert_near(im.y0, 2e-6, TOL_PLACE);
        assert_true(im.angle == 45);
        rs_image_clear(&im);
        assert_ok(rs_image_read_mem(b.data, b.n, NULL, &im, &err), &err);
        assert_scaled(&im, 40, 65.536e-3 / 65536 * 250);
        assert_string_equal(im.channel, "PFM Amplitude Trace");
        assert_string_equal(im.unit, "pm");
        assert_string_equal(im.scan, "forward, down");
        rs_image_clear(&im);
    }
}

static void reads_scales_and_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *size, *own, *scale, *more, *unit;
        double value, dx, dy;
    } cases[] = {
        {"3 ~m", NULL, "V (0.001 V/LSB) 65.536 V", "", "V", 1e-3, 0.5e-6, 0.75e-6},
        {"3000 nm", NULL, "V [Sens. Phase] (0.01 /LSB) 655.36", "", "deg", 1e-2, 0.5e-6, 0.75e-6},
        {"3000 nm", "9 9 ~m", "V [Sens. Gone] (1 deg/LSB) 65536 deg", "", "deg", 1, 0.5e-6,
         0.75e-6},
        {"3.0 um", NULL, "V 65536 mV", "\\Aspect Ratio: 2:1\r\n", "mV", 1, 0.5e-6, 0.375e-6},
        {"3 \xb5m", NULL, "V 65536 V", "", "V", 1, 0.5e-6, 0.75e-6},
        {"3 furlongs", NULL, "V 65536 V", "", "V", 1, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_bytes b;
        rs_image im;
        reshed_error err = {0};
        scope s = usual;
        s.size = cases[i].size, s.own_size = cases[i].own, s.scale = cases[i].scale;
        s.more = cases[i].more;
        scope_file(&b, &s);
        assert_ok(rs_image_read_mem(b.data, b.n, "0", &im, &err), &err);
        assert_scaled(&im, 0, cases[i].value);
        assert_string_equal(im.unit, cases[i].unit);
        assert_near(im.dx, cases[i].dx, TOL_PLACE);
        assert_near(im.dy, cases[i].dy, TOL_PLACE);
        rs_image_clear(&im);
    }
}

static void refuses_and_says_why(void **state)
{
    (void)state;
    file_bytes b;
    rs_image im = {0};
    reshed_error err = {0};
    scope s = usual;
    s.offset = 99999999;
    scope_file(&b, &s);
    assert_error(rs_image_read_mem(b.data, b.n, "0", &im, &err), RESHED_ECORRUPT, &err,
                 "from offset 99999999");
    s = usual, s.scale = "V nothing";
    scope_file(&b, &s);
    assert_error(rs_image_read_mem(b.data, b.n, "0", &im, &err), RESHED_ECORRUPT, &err, "Z scale");
    static const char force[] = "\\*Force file list\r\n\\Version: 0x09200000\r\n";
    assert_error(rs_image_read_mem((const uint8_t *)force, sizeof force - 1, NULL, &im, &err),
                 RESHED_EUNSUPPORTED, &err, "force curves");
    static const char none[] = "\\*File list\r\n\\Version: 0x09200000\r\n\\*File list end\r\n";
    assert_error(rs_image_read_mem((const uint8_t *)none, sizeof none - 1, NULL, &im, &err),
                 RESHED_EUNSUPPORTED, &err, "no image");
}

static reshed_status read_all(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_channels list = {0};
    rs_image im = {0};
    reshed_status st = rs_bruker_reader.list(data, len, &list, err);
    for (int i = 0; st == RESHED_OK && i < list.n; i++) {
        st = rs_bruker_reader.read(data, len, i, &im, err);
        if (st == RESHED_OK) assert_true(image_is_sane(&im));
        rs_image_clear(&im);
    }
    rs_channels_clear(&list);
    if (st == RESHED_OK)
        st = rs_reader_image(&rs_bruker_reader, data, len, "0", RS_FRAME_ONLY, &im, err);
    rs_image_clear(&im);
    return st;
}

static void survives_damage(void **state)
{
    (void)state;
    file_bytes b;
    scope_file(&b, &usual);
    test_truncate(read_all, b.data, b.n, b.n);
    test_each_alloc(read_all, b.data, b.n);
    test_mutate("bruker", read_all, b.data, b.n, test_mutations());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_channels),
        cmocka_unit_test(reads_scales_and_sizes),
        cmocka_unit_test(refuses_and_says_why),
        cmocka_unit_test(survives_damage),
    };
    return cmocka_run_group_tests_name("io_bruker", tests, NULL, NULL);
}
