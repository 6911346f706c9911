/* The flat functions that the Python package calls: what Python's own tests cannot do, which is to make every
 * allocation fail. Values are checked there (python/tests). */
#include "python/rooms.h"
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/image/centres.h"

enum { SIDE = 32, STEPS = 32 };

static float map[SIDE * SIDE];

static void draw_map(void)
{
    for (int i = 0; i < SIDE * SIDE; i++) map[i] = i % SIDE == 12 || i / SIDE == 20 ? 0.9f : 0.1f;
}

/* Fails every allocation of a call in turn: RESHED_ENOMEM each time, and in the end a success. */
static void each_alloc(reshed_status (*call)(reshed_error *err))
{
    for (long n = 0;; n++) {
        reshed_error err = {0};
        test_alloc_fail_at(n);
        const reshed_status st = call(&err);
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_ok(st, &err);
            return;
        }
        assert_int_equal(st, RESHED_ENOMEM);
        assert_true(err.what[0] != 0);
    }
}

static reshed_status find_walls(reshed_error *err)
{
    const rs_py_walls_input in = {.height = SIDE, .width = SIDE, .dx = 1, .dy = 1, .map = map};
    const rs_py_setting setting[] = {{"every", 4}, {"min_wall", 4}, {"margin", 1}};
    rs_py_walls *w = NULL;
    rs_py_walls_view v;
    const reshed_status st = rs_py_walls_find(&in, setting, 3, &w, err);
    if (st == RESHED_OK) {
        rs_py_walls_get(w, &v);
        assert_true(v.walls >= 2 && v.points > 4);
        for (int i = 0; i < v.points; i++)
            assert_true(v.skeleton[v.point[i].row * SIDE + v.point[i].col]);
    } else {
        assert_null(w);
    }
    rs_py_walls_free(w);
    return st;
}

static reshed_status find_loops(reshed_error *err)
{
    double v[STEPS], re[4 * STEPS], im[4 * STEPS];
    for (int i = 0; i < 4 * STEPS; i++) {
        const double phase = 2 * 3.14159265358979 * (i % STEPS) / STEPS;
        v[i % STEPS] = 8 * sin(phase);
        re[i] = 0.8 * tanh(8 * sin(phase) - 3 * cos(phase));
        im[i] = 0.6 * re[i];
    }
    const rs_py_loops_input in = {
        .v = v, .re = re, .im = im, .steps = STEPS, .cycles = 1, .points = 4};
    const rs_py_setting setting[] = {{"threads", 1}};
    rs_py_loops *l = NULL;
    rs_py_loops_view view;
    const reshed_status st = rs_py_loops_find(&in, setting, 1, &l, err);
    if (st == RESHED_OK) {
        rs_py_loops_get(l, &view);
        assert_int_equal(view.points, 4);
        assert_true(strlen(rs_py_metric_id(view.metrics - 1)) > 0);
        assert_string_equal(rs_py_metric_id(view.metrics), "");
        assert_string_equal(rs_py_metric_unit(-1), "");
    }
    rs_py_loops_free(l);
    return st;
}

static reshed_status fit_spectra(reshed_error *err)
{
    double frequency[16];
    float spectra[2 * 16 * 2];
    rs_py_sho fit[2];
    for (int i = 0; i < 16; i++) frequency[i] = 300e3 + 1e3 * i;
    for (int i = 0; i < 64; i++) spectra[i] = (float)(i % 5);
    const rs_py_setting setting[] = {{"threads", 1}};
    rs_py_sho_plan *p = NULL;
    reshed_status st = rs_py_sho_create(frequency, 16, setting, 1, &p, err);
    if (st == RESHED_OK) st = rs_py_sho_run(p, spectra, 2, fit, err);
    rs_py_sho_free(p);
    return st;
}

static reshed_status draw_twin(reshed_error *err)
{
    float amplitude[64 + 2];
    uint8_t wall[64];
    for (int i = 0; i < 66; i++) amplitude[i] = NAN;
    rs_py_twin_maps maps = {.amplitude = amplitude + 1, .wall = wall};
    const reshed_status st = rs_py_twin(8, 8, 0, 3, "pzt", 0, 1, NULL, 0, &maps, err);
    assert_true(isnan(amplitude[0]) && isnan(amplitude[65]));
    for (int i = 1; i <= 64; i++)
        assert_true(st == RESHED_OK ? isfinite(amplitude[i]) : isnan(amplitude[i]));
    return st;
}

static reshed_status locate(reshed_error *err)
{
    double at[3 * 2];
    int found = -1;
    const reshed_status st = rs_py_locate(map, SIDE, SIDE, 1, 0.5, 0, at, 2, &found, err);
    if (st == RESHED_OK) assert_int_equal(found, 1); /* a cross */
    return st;
}

static reshed_status find_route(reshed_error *err)
{
    const double xy[] = {0, 0, 5, 5, 1, 1, 4, 4};
    int32_t order[4];
    double length;
    return rs_py_route(xy, 4, xy, order, &length, err);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    draw_map();
    each_alloc(find_walls);
    each_alloc(find_loops);
    each_alloc(fit_spectra);
    each_alloc(draw_twin);
    each_alloc(locate);
    each_alloc(find_route);
}

static void options_are_checked(void **state)
{
    (void)state;
    reshed_error err = {0};
    double frequency[16] = {0};
    const rs_py_setting unknown = {"speed", 1}, half = {"threads", 0.5}, huge = {"threads", 1e300};
    rs_py_sho_plan *p = NULL;
    rs_py_loops *l = NULL;
    assert_int_equal(rs_py_sho_create(frequency, 16, &unknown, 1, &p, &err), RESHED_EINVAL);
    assert_string_equal(err.found, "speed");
    assert_int_equal(rs_py_sho_create(frequency, 16, &half, 1, &p, &err), RESHED_EINVAL);
    assert_int_equal(rs_py_sho_create(frequency, 16, &huge, 1, &p, &err), RESHED_EINVAL);
    assert_int_equal(rs_py_sho_create(frequency, 16, NULL, 0, &p, &err), RESHED_EINVAL);
    assert_null(p);
    const rs_py_loops_input none = {.steps = 8, .cycles = 1, .points = 0};
    assert_int_equal(rs_py_loops_find(&none, NULL, 0, &l, &err), RESHED_EINVAL);
    assert_null(l);
}

/* Two regions that touch by a corner only are two, and what is NaN is in none. */
static void centres_of_regions(void **state)
{
    (void)state;
    rs_centre *c = NULL;
    reshed_error err = {0};
    int n = -1;
    const float corner[3 * 4] = {1, 1, 0, 0, 0, 0, 1, NAN, 0, 0, 1, 0};
    assert_ok(rs_centres(corner, 3, 4, 1, 0.5, 0, &c, &n, &err), &err);
    assert_int_equal(n, 2);
    assert_near(c[0].row, 0, 0);
    assert_near(c[0].col, 0.5, 0);
    assert_near(c[1].row, 1.5, 0);
    assert_int_equal(c[1].pixels, 2);
    rs_free(c);
    c = NULL;
    assert_ok(rs_centres(corner, 3, 4, 1, 0.5, 1, &c, &n, &err), &err);
    assert_int_equal(n, 0); /* nothing lies a pixel inside but row 1 */
    rs_free(c);
    assert_int_equal(rs_centres(corner, 0, 4, 1, 0.5, 0, &c, &n, &err), RESHED_EINVAL);
    assert_int_equal(rs_centres(corner, 3, 4, 1, 0.5, NAN, &c, &n, &err), RESHED_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failed_allocation_is_told),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(centres_of_regions),
    };
    return cmocka_run_group_tests_name("python_rooms", tests, NULL, NULL);
}
