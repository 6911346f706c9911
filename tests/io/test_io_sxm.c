/* Nanonis .sxm, built here. */
#include "support/io_support.h"
#include "support/tolerance.h"

#include <math.h>
#include <string.h>

#include "io/image_file.h"
#include "io/instruments/sxm.h"

typedef struct scan {
    const char *version, *direction, *pixels, *table;
    int frames;       /* that follow */
    bool up, flipped; /* as the frames are stored: from the bottom; every second one from +x */
    const char *end;
} scan;

#define TABLE_HEAD "\tChannel\tName\tUnit\tDirection\tCalibration\tOffset\n"
#define ROW(number, name, unit, direction)                                                         \
    "\t" number "\t" name "\t" unit "\t" direction "\t1E+0\t0E+0\n"

static const scan usual = {
    "2",   "down",
    "6 4", TABLE_HEAD ROW("14", "Z", "m", "both") ROW("20", "LIX_1_amplitude", "V", "both"),
    4,     false,
    true,  "\n\x1a\x04"};

/* Frame k holds the pattern plus 40 k. */
static void scan_file(file_bytes *b, const scan *s)
{
    char head[2048];
    b->n = 0;
    const int n =
        snprintf(head, sizeof head,
                 ":NANONIS_VERSION:\n%s\n:SCANIT_TYPE:\n FLOAT LSBFIRST\n:REC_DATE:\n 24.07.2024\n"
                 ":SCAN_PIXELS:\n       %s\n:SCAN_RANGE:\n   3.0E-6   1.0E-6\n:SCAN_OFFSET:\n"
                 "  5.0E-7  -2.5E-6\n:SCAN_ANGLE:\n   30.0\n:SCAN_DIR:\n%s\n:BIAS:\n 1.0\n"
                 ":DATA_INFO:\n%s\n:COMMENT:\n\xb5 is no UTF-8\n\n:SCANIT_END:\n\n",
                 s->version, s->pixels, s->direction, s->table);
    put_text(b, head, (size_t)n);
    put_text(b, s->end, strlen(s->end));
    for (int k = 0; k < s->frames; k++)
        for (int r = 0; r < PATTERN_H; r++)
            for (int c = 0; c < PATTERN_W; c++) {
                const bool turned = s->flipped && k % 2;
                const float v = (float)(40 * k + pattern_at(s->up ? PATTERN_H - 1 - r : r,
                                                            turned ? PATTERN_W - 1 - c : c));
                uint32_t u;
                memcpy(&u, &v, sizeof u);
                put_uint(b, u, 4, true);
            }
}

static void assert_frame(const rs_image *im, int k)
{
    assert_int_equal(im->height, PATTERN_H);
    assert_int_equal(im->width, PATTERN_W);
    for (int i = 0; i < PATTERN_H * PATTERN_W; i++)
        assert_true(im->data[i] == (float)(40 * k + pattern_at(i / PATTERN_W, i % PATTERN_W)));
}

static void reads_every_direction(void **state)
{
    (void)state;
    static const struct {
        const char *channel, *name, *scan;
        int frame;
    } cases[] = {{"Z", "Z forward", "forward", 0},
                 {"z backward", "Z backward", "backward", 1},
                 {NULL, "LIX_1_amplitude forward", "forward", 2},
                 {"LIX_1_amplitude", "LIX_1_amplitude forward", "forward", 2},
                 {"3", "LIX_1_amplitude backward", "backward", 3}};
    for (int up = 0; up < 2; up++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            file_bytes b;
            rs_image im;
            reshed_error err = {0};
            char scanned[32];
            scan s = usual;
            s.up = up, s.direction = up ? "up" : "down";
            scan_file(&b, &s);
            assert_ok(rs_image_read_mem(b.data, b.n, cases[i].channel, &im, &err), &err);
            assert_frame(&im, cases[i].frame);
            assert_string_equal(im.channel, cases[i].name);
            assert_string_equal(im.unit, cases[i].frame < 2 ? "m" : "V");
            snprintf(scanned, sizeof scanned, "%s, %s", cases[i].scan, up ? "up" : "down");
            assert_string_equal(im.scan, scanned);
            assert_near(im.dx, 0.5e-6, TOL_PLACE);
            assert_near(im.dy, 0.25e-6, TOL_PLACE);
            assert_true(im.x0 == 5e-7 && im.y0 == -2.5e-6 && im.angle == -30);
            rs_image_clear(&im);
        }
}

static void reads_one_direction_and_old_versions(void **state)
{
    (void)state;
    static const scan cases[] = {
        {"1", "down", "4 6", TABLE_HEAD ROW("0", "A", "V", "forward"), 1, false, false, "\x1a\x04"},
        {"2", "down", "6 4", TABLE_HEAD ROW("0", "A", "V", "forward") "\n", 3, false, false,
         "\n\n\x1a\x04"},
        /* made by another program: one frame, though it says both */
        {"2", "up", "6 4", TABLE_HEAD ROW("0", "A", "V", "both"), 1, true, false, "\x1a\x04"},
        /* columns in another order */
        {"2", "down", "6 4", "\tDirection\tName\n\tforward\tA\n", 1, false, false, "\x1a\x04"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_bytes b;
        rs_image im;
        reshed_error err = {0};
        scan_file(&b, &cases[i]);
        assert_ok(rs_image_read_mem(b.data, b.n, "A", &im, &err), &err);
        assert_frame(&im, 0);
        assert_string_equal(im.channel, "A forward");
        rs_image_clear(&im);
    }
    /* stored from +x to -x, and nothing else */
    file_bytes b;
    rs_image im;
    reshed_error err = {0};
    scan s = usual;
    s.table = TABLE_HEAD ROW("0", "A", "V", "backward"), s.frames = 1;
    scan_file(&b, &s);
    assert_ok(rs_image_read_mem(b.data, b.n, NULL, &im, &err), &err);
    assert_string_equal(im.channel, "A backward");
    assert_true(im.data[0] == pattern_at(0, PATTERN_W - 1));
    rs_image_clear(&im);
}

static void keeps_lines_that_were_not_scanned(void **state)
{
    (void)state;
    file_bytes b;
    rs_image im;
    reshed_error err = {0};
    scan_file(&b, &usual);
    const uint8_t nan[4] = {0x7f, 0xc0, 0, 0};
    for (int i = 0; i < PATTERN_W; i++) memcpy(b.data + b.n - 4 * (size_t)(i + 1), nan, 4);
    assert_ok(rs_image_read_mem(b.data, b.n, "3", &im, &err), &err);
    for (int i = 0; i < PATTERN_W; i++)
        assert_true(isnan(im.data[(PATTERN_H - 1) * PATTERN_W + i]));
    assert_true(im.data[0] == 40 * 3 + pattern_at(0, 0));
    rs_image_clear(&im);
}

static void refuses_and_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *pixels, *table, *end, *part;
        int frames;
    } cases[] = {
        {"6 4", TABLE_HEAD ROW("0", "A", "V", "both"), "", "1A 04", 0},
        {"0 4", TABLE_HEAD ROW("0", "A", "V", "both"), "\x1a\x04", "SCAN_PIXELS", 2},
        {"6 -4", TABLE_HEAD ROW("0", "A", "V", "both"), "\x1a\x04", "SCAN_PIXELS", 2},
        {"6.5 4", TABLE_HEAD ROW("0", "A", "V", "both"), "\x1a\x04", "SCAN_PIXELS", 2},
        {"1e9 1e9", TABLE_HEAD ROW("0", "A", "V", "both"), "\x1a\x04", "SCAN_PIXELS", 2},
        {"65536 65536", TABLE_HEAD ROW("0", "A", "V", "both"), "\x1a\x04", "data of the SXM", 2},
        {"6", TABLE_HEAD ROW("0", "A", "V", "both"), "\x1a\x04", "SCAN_PIXELS", 2},
        {"6 4", TABLE_HEAD, "\x1a\x04", "data of the SXM", 2},
        {"6 4", "\tUnit\n\tm\n", "\x1a\x04", "columns Name and Direction", 2},
        {"6 4", TABLE_HEAD ROW("0", "A", "V", "both") ROW("1", "B", "V", "both"), "\x1a\x04",
         "data of the SXM", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file_bytes b;
        rs_image im = {0};
        reshed_error err = {0};
        scan s = usual;
        s.pixels = cases[i].pixels, s.table = cases[i].table, s.end = cases[i].end;
        s.frames = cases[i].frames;
        scan_file(&b, &s);
        assert_error(rs_image_read_mem(b.data, b.n, "0", &im, &err), RESHED_ECORRUPT, &err,
                     cases[i].part);
    }
}

static reshed_status read_all(const uint8_t *data, size_t len, reshed_error *err)
{
    rs_channels list = {0};
    rs_image im = {0};
    reshed_status st = rs_sxm_reader.list(data, len, &list, err);
    for (int i = 0; st == RESHED_OK && i < list.n; i++) {
        st = rs_sxm_reader.read(data, len, i, &im, err);
        if (st == RESHED_OK) assert_true(image_is_sane(&im));
        rs_image_clear(&im);
    }
    rs_channels_clear(&list);
    if (st == RESHED_OK)
        st = rs_reader_image(&rs_sxm_reader, data, len, "0", RS_FRAME_ONLY, &im, err);
    rs_image_clear(&im);
    return st;
}

static void survives_damage(void **state)
{
    (void)state;
    file_bytes b;
    scan_file(&b, &usual);
    test_truncate(read_all, b.data, b.n, b.n - 2 * 4 * PATTERN_H * PATTERN_W);
    test_each_alloc(read_all, b.data, b.n);
    test_mutate("sxm", read_all, b.data, b.n, test_mutations());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_direction),
        cmocka_unit_test(reads_one_direction_and_old_versions),
        cmocka_unit_test(keeps_lines_that_were_not_scanned),
        cmocka_unit_test(refuses_and_says_why),
        cmocka_unit_test(survives_damage),
    };
    return cmocka_run_group_tests_name("io_sxm", tests, NULL, NULL);
}
