#include "support/support.h"

#include <math.h>
#include <string.h>

#include "imgproc/figures/colour.h"

/* CIE lightness L*, 0 to 100, and OKLab, of an sRGB colour: both by the inverse of what the maps
 * use. */
static void linear_of(const uint8_t rgb[3], double out[3])
{
    for (int i = 0; i < 3; i++) {
        double v = rgb[i] / 255.0;
        out[i] = v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
    }
}

static double lightness(const uint8_t rgb[3])
{
    double c[3];
    linear_of(rgb, c);
    double y = 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
    return y > 216.0 / 24389 ? 116 * cbrt(y) - 16 : y * 24389 / 27;
}

static void oklab_of(const uint8_t rgb[3], double lab[3])
{
    double c[3];
    linear_of(rgb, c);
    double l = cbrt(0.4122214708 * c[0] + 0.5363325363 * c[1] + 0.0514459929 * c[2]);
    double m = cbrt(0.2119034982 * c[0] + 0.6806995451 * c[1] + 0.1073969566 * c[2]);
    double s = cbrt(0.0883024619 * c[0] + 0.2817188376 * c[1] + 0.6299787005 * c[2]);
    lab[0] = 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s;
    lab[1] = 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s;
    lab[2] = 0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s;
}

static double difference(const uint8_t a[3], const uint8_t b[3])
{
    double x[3], y[3];
    oklab_of(a, x);
    oklab_of(b, y);
    return sqrt((x[0] - y[0]) * (x[0] - y[0]) + (x[1] - y[1]) * (x[1] - y[1]) +
                (x[2] - y[2]) * (x[2] - y[2]));
}

/* Light means large: from any entry to one four later the lightness rises (8-bit rounding allows no
 * less). */
static void sequential_maps_get_lighter(void **state)
{
    (void)state;
    static const rs_colour_map maps[] = {RS_MAP_GREY, RS_MAP_VIRIDIS, RS_MAP_MAGMA};
    for (int m = 0; m < 3; m++) {
        uint8_t t[RS_MAP_ENTRIES][3];
        memset(t, 0x5A, sizeof t);
        rs_colour_table(maps[m], t);
        for (int i = 4; i < RS_MAP_ENTRIES; i++) assert_true(lightness(t[i]) > lightness(t[i - 4]));
        for (int i = 1; i < RS_MAP_ENTRIES; i++)
            assert_true(lightness(t[i]) > lightness(t[i - 1]) - 0.3);
    }
}

static void tables_have_the_published_ends(void **state)
{
    (void)state;
    uint8_t t[RS_MAP_ENTRIES][3];
    rs_colour_table(RS_MAP_VIRIDIS, t);
    assert_memory_equal(t[0], "\x44\x01\x54", 3);
    assert_memory_equal(t[255], "\xfd\xe7\x25", 3);
    rs_colour_table(RS_MAP_MAGMA, t);
    assert_memory_equal(t[0], "\x00\x00\x04", 3);
    assert_memory_equal(t[255], "\xfc\xfd\xbf", 3);
    rs_colour_table(RS_MAP_GREY, t);
    for (int i = 0; i < 256; i++) assert_true(t[i][0] == i && t[i][1] == i && t[i][2] == i);
}

/* Over eight entries, so that 8-bit rounding is small against the step. */
static void curves_have_equal_steps(void **state)
{
    (void)state;
    for (rs_colour_map m = RS_MAP_DIVERGING; m <= RS_MAP_CYCLIC; m++) {
        uint8_t t[RS_MAP_ENTRIES][3];
        double least = 1, most = 0;
        rs_colour_table(m, t);
        for (int i = 8; i < RS_MAP_ENTRIES; i++) {
            if (m == RS_MAP_DIVERGING && i > 120 && i < 144) continue; /* around the turn */
            double d = difference(t[i], t[i - 8]);
            least = fmin(least, d);
            most = fmax(most, d);
        }
        assert_true(least > 0.02 && most < 1.25 * least);
    }
}

static void diverging_is_balanced(void **state)
{
    (void)state;
    uint8_t t[RS_MAP_ENTRIES][3];
    rs_colour_table(RS_MAP_DIVERGING, t);
    for (int i = 0; i < 128; i++) {
        double a[3], b[3];
        oklab_of(t[i], a);
        oklab_of(t[255 - i], b);
        assert_true(fabs(a[0] - b[0]) < 0.006);                          /* lightness */
        assert_true(fabs(hypot(a[1], a[2]) - hypot(b[1], b[2])) < 0.01); /* chroma */
        if (i >= 4) assert_true(lightness(t[i]) > lightness(t[i - 4]));
    }
    assert_true(lightness(t[127]) > 90 && lightness(t[128]) > 90);
    assert_true(t[0][2] > t[0][0] + 60 && t[255][0] > t[255][2] + 60); /* blue, red */
}

static void cyclic_map_closes_and_tells_phases_apart(void **state)
{
    (void)state;
    uint8_t t[RS_MAP_ENTRIES][3];
    rs_colour_table(RS_MAP_CYCLIC, t);
    double step = difference(t[40], t[32]) / 8;
    assert_true(difference(t[0], t[255]) < 3 * step);
    for (int i = 0; i < 256; i++) {
        assert_true(difference(t[i], t[(i + 128) % 256]) > 0.18);
        for (int j = i + 24; j < i + 232; j++) assert_true(difference(t[i], t[j % 256]) > 0.05);
    }
}

static void values_go_to_their_colours(void **state)
{
    (void)state;
    const uint8_t nan_rgb[3] = {1, 2, 3};
    const float v[8] = {-INFINITY, 2, 3, 4, INFINITY, NAN, 2.5f, 1e30f};
    uint8_t t[RS_MAP_ENTRIES][3], rgb[27];
    for (rs_colour_map m = RS_MAP_GREY; m <= RS_MAP_DIVERGING; m++) {
        const int want[8] = {0, 0, 128, 255, 255, -1, 64, 255};
        rs_colour_table(m, t);
        memset(rgb, 0x5A, sizeof rgb);
        rs_colour_map_apply(v, 8, 2, 4, m, nan_rgb, rgb);
        for (int i = 0; i < 8; i++)
            assert_memory_equal(rgb + 3 * i, want[i] < 0 ? nan_rgb : t[want[i]], 3);
        assert_true(rgb[24] == 0x5A && rgb[25] == 0x5A && rgb[26] == 0x5A);
        rs_colour_map_apply(v + 1, 1, 2, 2, m, nan_rgb, rgb); /* a constant map */
        assert_memory_equal(rgb, t[m == RS_MAP_DIVERGING ? 128 : 0], 3);
    }
    const float phase[7] = {-180, 180, 0, 360, -90, 270, INFINITY};
    const int want[7] = {0, 0, 128, 128, 64, 64, 0};
    rs_colour_table(RS_MAP_CYCLIC, t);
    rs_colour_map_apply(phase, 7, -180, 180, RS_MAP_CYCLIC, nan_rgb, rgb);
    for (int i = 0; i < 7; i++) assert_memory_equal(rgb + 3 * i, t[want[i]], 3);
}

static void ranges_leave_out_what_is_not_finite(void **state)
{
    (void)state;
    const float v[7] = {NAN, 4, INFINITY, 0, 2, -INFINITY, 3};
    const double percent[2] = {0, 50};
    double out[2] = {NAN, NAN};
    reshed_error err = {0};
    assert_ok(rs_finite_percentiles(v, 7, percent, out, &err), &err);
    assert_true(out[0] == 0 && out[1] == 2.5);
    assert_ok(rs_finite_percentiles(v, 1, percent, out, &err), &err);
    assert_true(out[0] == 0 && out[1] == 2.5); /* none is finite: as it was */
    for (long n = 0; n < 2; n++) {
        test_alloc_fail_at(n);
        assert_int_equal(rs_finite_percentiles(v, 7, percent, out, &err), RESHED_ENOMEM);
        test_alloc_fail_at(-1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequential_maps_get_lighter),
        cmocka_unit_test(tables_have_the_published_ends),
        cmocka_unit_test(curves_have_equal_steps),
        cmocka_unit_test(diverging_is_balanced),
        cmocka_unit_test(cyclic_map_closes_and_tells_phases_apart),
        cmocka_unit_test(values_go_to_their_colours),
        cmocka_unit_test(ranges_leave_out_what_is_not_finite),
    };
    return cmocka_run_group_tests_name("img_colour", tests, NULL, NULL);
}
