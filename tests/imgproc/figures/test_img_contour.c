#include <math.h>

#include "imgproc/figures/contour.h"
#include "support/support.h"

/* A cone's level is a circle: closed, of the right radius, each point met by two pieces. */
static void a_contour_is_a_closed_line(void **state)
{
    (void)state;
    enum { N = 41 };
    float cone[N * N];
    rs_segments s = {0};
    reshed_error err = {0};
    double length = 0;
    for (int r = 0; r < N; r++)
        for (int c = 0; c < N; c++) cone[r * N + c] = (float)(20 - hypot(r - 20.2, c - 19.7));
    assert_ok(rs_contour(cone, N, N, 7.5, &s, &err), &err);
    for (int i = 0; i < 2 * s.n; i++) {
        int met = 0;
        assert_float_equal(hypot(s.y[i] - 20.2, s.x[i] - 19.7), 12.5, 0.02);
        for (int j = 0; j < 2 * s.n; j++)
            met += fabs(s.x[i] - s.x[j]) < 1e-6 && fabs(s.y[i] - s.y[j]) < 1e-6;
        assert_int_equal(met, 2);
    }
    for (int i = 0; i < s.n; i++)
        length += hypot(s.x[2 * i + 1] - s.x[2 * i], s.y[2 * i + 1] - s.y[2 * i]);
    assert_float_equal(length, 2 * 3.14159265 * 12.5, 0.5);
    rs_segments_clear(&s);
    /* NaN pixels take their squares away; both ways through a saddle. */
    for (int i = 0; i < N * N; i++) cone[i] = NAN;
    assert_ok(rs_contour(cone, N, N, 7.5, &s, &err), &err);
    assert_int_equal(s.n, 0);
    rs_segments_clear(&s);
    for (int high = 0; high < 2; high++) {
        const float saddle[4] = {1, 0, 0, high ? 1.5F : 0.7F};
        assert_ok(rs_contour(saddle, 2, 2, 0.5, &s, &err), &err);
        assert_int_equal(s.n, 2);
        /* the mean above the level: the two low corners are cut off, the upper right one first */
        bool joined = high, right = false;
        for (int i = 0; i < 2; i++)
            right = right || (fmin(s.y[2 * i], s.y[2 * i + 1]) == 0 &&
                              fmax(s.x[2 * i], s.x[2 * i + 1]) == 1);
        assert_int_equal(right, joined);
        rs_segments_clear(&s);
    }
    assert_int_equal(rs_contour(cone, 0, N, 1, &s, &err), RESHED_EINVAL);
}

static void a_skeleton_becomes_lines(void **state)
{
    (void)state;
    /* an L whose corner has no diagonal, a diagonal, and a lone pixel */
    static const uint8_t on[5][6] = {{1, 0, 0, 0, 0, 1},
                                     {1, 0, 0, 0, 1, 0},
                                     {1, 1, 0, 0, 0, 0},
                                     {0, 0, 0, 0, 0, 0},
                                     {0, 0, 1, 0, 0, 0}};
    rs_segments s = {0};
    reshed_error err = {0};
    assert_ok(rs_skeleton_segments(on[0], 5, 6, &s, &err), &err);
    assert_int_equal(s.n, 5); /* three of the L, one diagonal, the lone one */
    int lone = 0, diagonal = 0;
    for (int i = 0; i < s.n; i++) {
        double step = hypot(s.x[2 * i + 1] - s.x[2 * i], s.y[2 * i + 1] - s.y[2 * i]);
        lone += step == 0;
        diagonal += step > 1.1;
    }
    assert_int_equal(lone, 1);
    assert_int_equal(diagonal, 1);
    rs_segments_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_contour_is_a_closed_line),
        cmocka_unit_test(a_skeleton_becomes_lines),
    };
    return cmocka_run_group_tests_name("img_contour", tests, NULL, NULL);
}
