/* The bookkeeping of the nanonis driver: lines of a frame that is being filled, staircases as
 * segments, options. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "spm/instrument/nanonis/options.h"
#include "spm/instrument/nanonis/rows.h"
#include "spm/instrument/nanonis/segments.h"

/* ---------------------------------------------------------------------------------------- lines */

#define R 3
#define C 32

/* Channel 0 of one direction from a list of values by stored row and column. */
static void put_frame(rs_nano_rows *r, int direction, const float *v)
{
    uint8_t data[4 * R * C];
    for (int i = 0; i < R * C; i++) {
        uint32_t u;
        memcpy(&u, &v[i], 4);
        for (int k = 0; k < 4; k++) data[4 * i + k] = (uint8_t)(u >> (24 - 8 * k));
    }
    rs_nano_rows_put(r, 0, direction, data);
}

static void fill_row(float *v, int row, int from, int to, float base)
{
    for (int i = from; i < to; i++) v[row * C + i] = base + (float)i;
}

static void rows_become_complete(void **state)
{
    (void)state;
    rs_nano_rows r = {0};
    reshed_error err = {0};
    float v[R * C];
    for (int i = 0; i < R * C; i++) v[i] = NAN;
    assert_ok(rs_nano_rows_size(&r, 1, 1, R, C, &err), &err);
    rs_nano_rows_start(&r);
    put_frame(&r, 0, v);
    rs_nano_rows_update(&r);
    assert_int_equal(r.furthest, -1);
    fill_row(v, 0, 0, 16, 5);
    put_frame(&r, 0, v);
    rs_nano_rows_update(&r);
    assert_int_equal(r.state[0], RS_NANO_BEGUN);
    assert_int_equal(r.furthest, 0);
    fill_row(v, 0, 0, C, 5);
    put_frame(&r, 0, v);
    rs_nano_rows_update(&r);
    assert_int_equal(r.state[0], RS_NANO_COMPLETE);
    assert_int_equal(r.state[1], RS_NANO_EMPTY);
    v[3] = NAN; /* a hole in a line that was scanned */
    put_frame(&r, 0, v);
    rs_nano_rows_update(&r);
    assert_int_equal(r.state[0], RS_NANO_BEGUN);
    rs_nano_rows_free(&r);
}

/* The old frame is still there and is overwritten packet by packet. */
static void old_rows_do_not_count(void **state)
{
    (void)state;
    rs_nano_rows r = {0};
    reshed_error err = {0};
    float v[R * C];
    for (int i = 0; i < R; i++) fill_row(v, i, 0, C, (float)(100 * i));
    assert_ok(rs_nano_rows_size(&r, 1, 1, R, C, &err), &err);
    put_frame(&r, 0, v);
    rs_nano_rows_start(&r);
    rs_nano_rows_update(&r);
    assert_int_equal(r.furthest, -1);
    fill_row(v, 0, 0, 16, 7);
    put_frame(&r, 0, v);
    rs_nano_rows_update(&r);
    assert_int_equal(r.state[0], RS_NANO_BEGUN); /* no NaN in it, and yet half of it is old */
    fill_row(v, 0, 0, 16, 0);
    fill_row(v, 0, 16, C, 7); /* one that is scanned from the right */
    put_frame(&r, 0, v);
    rs_nano_rows_update(&r);
    assert_int_equal(r.state[0], RS_NANO_BEGUN);
    fill_row(v, 0, 0, 16, 7);
    fill_row(v, 0, 16, C, 7);
    v[5] = 5; /* a pixel may well have its old value */
    put_frame(&r, 0, v);
    rs_nano_rows_update(&r);
    assert_int_equal(r.state[0], RS_NANO_COMPLETE);
    assert_int_equal(r.state[1], RS_NANO_EMPTY);
    /* Once a row has been seen empty, its old values may come again. */
    for (int i = 0; i < C; i++) v[C + i] = NAN;
    put_frame(&r, 0, v);
    rs_nano_rows_update(&r);
    fill_row(v, 1, 0, C, 100);
    put_frame(&r, 0, v);
    rs_nano_rows_update(&r);
    assert_int_equal(r.state[1], RS_NANO_COMPLETE);
    rs_nano_rows_free(&r);
}

static void rows_and_columns_of_every_order(void **state)
{
    (void)state;
    for (int k = 0; k < 12; k++) {
        const int order = k % 3;
        const bool up = k / 3 % 2, mirror = k / 6;
        rs_nano_rows r = {.up = up, .order = order, .backward_mirror = mirror};
        reshed_error err = {0};
        float v[2][R * C], line[C];
        assert_ok(rs_nano_rows_size(&r, 1, 2, R, C, &err), &err);
        /* The image has 1000*row + col at row 0 = top; backward 0.5 more. */
        for (int row = 0; row < R; row++)
            for (int col = 0; col < C; col++) {
                const int stored = order == RS_NANO_ORDER_TOP      ? row
                                   : order == RS_NANO_ORDER_BOTTOM ? R - 1 - row
                                   : up                            ? R - 1 - row
                                                                   : row;
                v[0][stored * C + col] = (float)(1000 * row + col);
                v[1][stored * C + (mirror ? C - 1 - col : col)] = (float)(1000 * row + col) + 0.5f;
            }
        put_frame(&r, 0, v[0]);
        put_frame(&r, 1, v[1]);
        for (int p = 0; p < 2 * R; p++) {
            const int row = rs_nano_rows_row(&r, p);
            assert_int_equal(row, up ? R - 1 - p / 2 : p / 2);
            assert_int_equal(rs_nano_rows_position(&r, row), p / 2 * 2);
            rs_nano_rows_line(&r, 0, p % 2, row, 2, line);
            for (int i = 0; i < C; i++)
                assert_true(line[i] == 2 * ((float)(1000 * row + i) + (p % 2 ? 0.5f : 0)));
        }
        rs_nano_rows_free(&r);
    }
}

static void frames_that_cannot_be(void **state)
{
    (void)state;
    rs_nano_rows r = {0};
    reshed_error err = {0};
    assert_int_equal(rs_nano_rows_size(&r, 1, 1, 0, 16, &err), RESHED_EINVAL);
    assert_int_equal(rs_nano_rows_size(&r, 1, 1, 65536, 65536, &err), RESHED_EINVAL);
    for (long n = 0; n < 3; n++) {
        test_alloc_fail_at(n);
        reshed_status st = rs_nano_rows_size(&r, 2, 2, R, C, &err);
        test_alloc_fail_at(-1);
        assert_int_equal(st, RESHED_ENOMEM);
        assert_null(r.data);
    }
}

/* ----------------------------------------------------------------------------------- staircases */

/* Every point lies in one piece and on its line. */
static int check_segments(const double *v, int n, int room)
{
    rs_nano_segment s[64];
    int count = rs_nano_segments(v, n, s, room), at = 0;
    for (int k = 0; k < count && k < room; k++) {
        assert_int_equal(s[k].first, at);
        assert_true(s[k].points >= 1);
        for (int i = 0; i < s[k].points; i++) {
            const double a = v[at], b = v[at + s[k].points - 1];
            const double want = s[k].points > 1 ? a + (b - a) * i / (s[k].points - 1) : a;
            assert_true(fabs(v[at + i] - want) <= 1e-4 * 10);
        }
        at += s[k].points;
    }
    if (count <= room) assert_int_equal(at, n);
    return count;
}

static void staircases_in_pieces(void **state)
{
    (void)state;
    double v[512];
    for (int i = 0; i < 100; i++) v[i] = -5 + 0.1 * i;
    assert_int_equal(check_segments(v, 100, 16), 1);
    for (int n = 8; n <= 512; n += 4) { /* the triangle 0, +, 0, -, 0 of one cycle */
        for (int i = 0; i < n; i++) {
            double t = (double)i / n;
            v[i] = 10 * (t < 0.25 ? 4 * t : t < 0.75 ? 2 - 4 * t : 4 * t - 4);
        }
        assert_true(check_segments(v, n, 16) <= 4);
    }
    /* A single point at the end takes one from the piece before. */
    double tail[] = {0, 1, 2, 3, 0};
    rs_nano_segment s[4];
    assert_int_equal(rs_nano_segments(tail, 5, s, 4), 2);
    assert_true(s[0].points == 3 && s[1].first == 3 && s[1].points == 2);
    double one[] = {3};
    assert_int_equal(check_segments(one, 1, 16), 1);
    /* More pieces than there is room for: counted, not written. */
    for (int i = 0; i < 512; i++) v[i] = (double)(i * i % 7);
    assert_true(check_segments(v, 512, 16) > 16);
    assert_int_equal(rs_nano_segments(v, 0, s, 4), 0);
}

/* -------------------------------------------------------------------------------------- options */

static void options_are_checked(void **state)
{
    (void)state;
    rs_nano_settings s;
    reshed_error err = {0};
    const rs_driver_option good[] = {
        {"also", "Z (m)"},    {"phase", "Phi"},        {"channel", "R"},
        {"host", "10.0.0.3"}, {"ports", "7001, 7002"}, {"retrace", "yes"},
        {"order", "bottom"},  {"backward", "space"},   {"angle", "counterclockwise"},
        {"index", "slot"},    {"wait", "poll"},        {"props", "keep"},
        {"hold", "off"},      {"engage", "feedback"},  {"modulator", "2"},
        {"bias_max", "5.5"},  {"x_min", "-1e-6"}};
    assert_ok(rs_nano_options(good, 17, &s, &err), &err);
    assert_int_equal(s.signals, 3);
    assert_string_equal(s.signal[0], "R");
    assert_string_equal(s.signal[1], "Phi");
    assert_string_equal(s.signal[2], "Z (m)");
    assert_string_equal(s.host, "10.0.0.3");
    assert_true(s.ports == 2 && s.port[0] == 7001 && s.port[1] == 7002);
    assert_true(s.retrace && s.order == RS_NANO_ORDER_BOTTOM && !s.backward_in_time);
    assert_true(s.counterclockwise && s.slots && s.poll && s.keep_props && s.hold == 2);
    assert_true(s.feedback_only && s.modulator == 2 && s.limits.bias_max == 5.5);
    assert_true(s.limits.x_min == -1e-6 && isnan(s.limits.x_max));
    const rs_driver_option least[] = {{"channel", "R"}};
    assert_ok(rs_nano_options(least, 1, &s, &err), &err);
    assert_true(s.ports == 4 && s.port[0] == 6501 && s.port[3] == 6504 && s.backward_in_time);
    const rs_driver_option bad[][2] = {
        {{"channel", "R"}, {"channel", "S"}},    {{"channel", "R"}, {"ports", "6501"}},
        {{"channel", "R"}, {"ports", "a,b"}},    {{"channel", "R"}, {"ports", "6501,"}},
        {{"channel", "R"}, {"ports", "0,6501"}}, {{"channel", "R"}, {"order", "tim"}},
        {{"channel", "R"}, {"order", "times"}},  {{"channel", "R"}, {"nonsense", "1"}},
        {{"channel", "R"}, {"bias_max", "-1"}},  {{"channel", "R"}, {"bias_max", "nan"}},
        {{"channel", "R"}, {"silence", "1x"}},   {{"channel", "R"}, {"host", ""}},
        {{"channel", ""}, {"host", "a"}},        {{"phase", "R"}, {"host", "a"}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err = (reshed_error){0};
        assert_int_equal(rs_nano_options(bad[i], 2, &s, &err), RESHED_EINVAL);
        assert_true(err.what[0] != '\0');
    }
    /* Each option of the help is known, and the help names all of them. */
    for (size_t i = 0; i < 17; i++) assert_non_null(strstr(rs_nano_options_help, good[i].name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_complete),
        cmocka_unit_test(old_rows_do_not_count),
        cmocka_unit_test(rows_and_columns_of_every_order),
        cmocka_unit_test(frames_that_cannot_be),
        cmocka_unit_test(staircases_in_pieces),
        cmocka_unit_test(options_are_checked),
    };
    return cmocka_run_group_tests_name("nanonis rows", tests, NULL, NULL);
}
