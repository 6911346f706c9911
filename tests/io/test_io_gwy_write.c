/* Files for Gwyddion: read back by our own reader, and, where it is installed, by Gwyddion itself. */
#define _GNU_SOURCE /* memmem */
#include "support/io_support.h"
#include "support/tolerance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "io/gwy_write.h"
#include "io/image_file.h"

enum { H = 9, W = 12, CURVES = 2, STEPS = 8 };

static float amplitude[H * W], walls[H * W];
static uint8_t mask[H * W];
static double points[CURVES * 2] = {0, 0, 8, 11}, x[STEPS], y[CURVES * STEPS];
static rs_gwy_map maps[2];

static rs_gwy_content content(bool turns_back)
{
    test_rng r = {test_seed()};
    for (int i = 0; i < H * W; i++) {
        amplitude[i] = (float)test_uniform(&r, -1, 1);
        walls[i] = (float)test_uniform(&r, 0, 1);
        mask[i] = walls[i] > 0.5f;
    }
    amplitude[3] = NAN;
    amplitude[4] = -INFINITY;
    for (int i = 0; i < STEPS; i++) x[i] = turns_back && i > 4 ? 8 - i : i;
    for (int i = 0; i < CURVES * STEPS; i++) y[i] = i;
    y[STEPS + 3] = NAN;
    maps[0] = (rs_gwy_map){"Amplitude", "V", amplitude, mask};
    maps[1] = (rs_gwy_map){"Wall probability", "", walls, NULL};
    return (rs_gwy_content){.height = H,
                            .width = W,
                            .dx = 3e-9,
                            .dy = 2e-9,
                            .x0 = 1e-6,
                            .y0 = -2e-6,
                            .maps = maps,
                            .n = 2,
                            .points = points,
                            .points_n = CURVES,
                            .curve_title = "Loops",
                            .x_unit = "V",
                            .y_unit = "pm",
                            .x_label = "Bias",
                            .y_label = "Response",
                            .places = points,
                            .x = x,
                            .y = y,
                            .curves = CURVES,
                            .steps = STEPS};
}

/* The maps and the mask as written, values to the bit. */
static void check_maps(const char *path)
{
    static const char *const names[3] = {"Amplitude", "Wall probability", "Amplitude mask"};
    reshed_error err = {0};
    for (int k = 0; k < 3; k++) {
        rs_image im;
        assert_ok(rs_image_read(path, names[k], &im, &err), &err);
        assert_true(im.height == H && im.width == W);
        assert_near(im.dx, 3e-9, TOL_PLACE);
        assert_near(im.dy, 2e-9, TOL_PLACE);
        assert_near(im.x0, 1e-6, TOL_PLACE);
        assert_near(im.y0, -2e-6, TOL_PLACE);
        if (k < 2) assert_string_equal(im.unit, k ? "" : "V");
        for (int i = 0; i < H * W; i++) {
            const float want = k == 2 ? mask[i] : k ? walls[i] : amplitude[i];
            if (isfinite(want))
                assert_true(im.data[i] == want);
            else
                assert_true(isfinite(im.data[i]));
        }
        rs_image_clear(&im);
    }
}

static bool holds(const char *path, const char *text, size_t n)
{
    size_t len;
    uint8_t *bytes = test_read_file(path, &len);
    const bool found = memmem(bytes, len, text, n) != NULL;
    rs_free(bytes);
    return found;
}

static void is_read_back(void **state)
{
    (void)state;
    reshed_error err = {0};
    for (int k = 0; k < 2; k++) {
        const char *path = test_temp("out.gwy");
        const rs_gwy_content c = content(k);
        assert_ok(rs_gwy_write(path, &c, &err), &err);
        check_maps(path);
        assert_true(holds(path, "GwySelectionPoint", 18) && holds(path, "GwySpectra", 11));
        assert_int_equal(holds(path, "0 1 2 3 4 3 2 1", 16), k);
    }
    rs_gwy_content c = content(false);
    c.n = 0;
    assert_error(rs_gwy_write(test_temp("none.gwy"), &c, &err), RESHED_EINVAL, &err, "maps");
    c.n = 1, c.width = 70000;
    assert_error(rs_gwy_write(test_temp("none.gwy"), &c, &err), RESHED_EINVAL, &err, "size");
    c = content(true);
    assert_true(rs_gwy_write("/nonexistent/out.gwy", &c, &err) == RESHED_EIO);
    for (long k = 0;; k++) {
        test_alloc_fail_at(k);
        const reshed_status st = rs_gwy_write(test_temp("none.gwy"), &c, &err);
        const bool hit = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!hit) break;
        assert_int_equal(st, RESHED_ENOMEM);
    }
}

/* Gwyddion reads the file and writes it anew: nothing may be lost. Where it is not installed, or has no
 * screen, there is nothing to compare with. */
static void gwyddion_reads_it(void **state)
{
    (void)state;
    char in[512], out[512], command[2048];
    reshed_error err = {0};
    if (test_quick() || system("command -v gwyddion xvfb-run >/dev/null 2>&1") != 0) {
        printf("# without Gwyddion\n");
        return;
    }
    snprintf(in, sizeof in, "%s", test_temp("in.gwy"));
    snprintf(out, sizeof out, "%s", test_temp("anew.gwy"));
    const rs_gwy_content c = content(true);
    assert_ok(rs_gwy_write(in, &c, &err), &err);
    snprintf(
        command, sizeof command,
        "HOME='%s' timeout 120 xvfb-run -a gwyddion --convert-to-gwy='%s' '%s' >/dev/null 2>&1",
        test_temp("."), out, in);
    if (system(command) != 0) {
        printf("# Gwyddion does not start\n");
        return;
    }
    check_maps(out);
    assert_true(holds(out, "/0/select/pointer", 18) && holds(out, "GwySelectionPoint", 18));
    assert_true(holds(out, "GwySpectra", 11) && holds(out, "Loops", 6));
    assert_true(holds(out, "0 1 2 3 4 3 2 1", 16));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_read_back),
        cmocka_unit_test(gwyddion_reads_it),
    };
    return cmocka_run_group_tests_name("io_gwy_write", tests, NULL, NULL);
}
