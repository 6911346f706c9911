/* The questions to walls, on drawings with planted answers: places brought to walls, pieces joined,
 * and each of the three tests against stats.h on means that are summed here. */
#include "support/walls.h"
#include "support/tolerance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/walls/findings.h"
#include "imgproc/walls/tests.h"

enum { STRIPES = 12, H = 130, W = 160, PER_PIECE = 4, MOST = 2 * STRIPES * PER_PIECE };

/* Twelve level walls ten pixels apart, each of two pieces with a gap of eight pixels between; the
 * right pieces of the odd walls are missing. */
static void draw_stripes(drawing *d, double size, rs_wallgraph *g)
{
    drawing_init(d, H, W);
    for (int k = 0; k < STRIPES; k++) {
        draw_segment(d, 5, 10 + 10 * k, 80, 10 + 10 * k, 0.4);
        if (k % 2 == 0) draw_segment(d, 88, 10 + 10 * k, 150, 10 + 10 * k, 0.4);
    }
    thin(d);
    build_graph(d, size, NULL, g);
    assert_int_equal(g->walls, STRIPES + STRIPES / 2);
}

/* Four values on each piece, beside the line by up to 0.6 pixels. Returns how many. */
static int draw_values(double even, double odd, rs_place *place, double *value)
{
    test_rng r = {test_seed()};
    int n = 0;
    for (int k = 0; k < STRIPES; k++)
        for (int piece = 0; piece < 2 - k % 2; piece++)
            for (int i = 0; i < PER_PIECE; i++) {
                const double col = (piece ? 92 : 10) + 14 * i;
                place[n] = (rs_place){10 + 10 * k + test_uniform(&r, -0.6, 0.6), col};
                value[n++] = (k % 2 ? odd : even) + 0.1 * test_gauss(&r);
            }
    return n;
}

static void places_are_brought_to_walls(void **state)
{
    (void)state;
    reshed_error err = {0};
    drawing d;
    rs_wallgraph g;
    draw_stripes(&d, 3e-9, &g);
    const struct {
        rs_place at;
        bool on;
    } list[] = {
        {{10, 40}, true},    {{11.4, 40.4}, true}, {{12.4, 39}, true},      {{12.6, 39}, false},
        {{8, 40}, true},     {{7.4, 40}, false},   {{10, 152}, true},       {{10, 153}, false},
        {{-0.6, 40}, false}, {{10, -0.51}, false}, {{H, 40}, false},        {{10, W - 0.4}, false},
        {{NAN, 40}, false},  {{10, NAN}, false},   {{INFINITY, 40}, false}, {{1e300, 0}, false}};
    enum { N = sizeof list / sizeof *list };
    rs_place place[N];
    int wall[N];
    for (int i = 0; i < N; i++) place[i] = list[i].at;
    memset(wall, 0x7f, sizeof wall);
    assert_ok(rs_walls_of_places(&g, place, N, wall, &err), &err);
    for (int i = 0; i < N; i++) {
        if (list[i].on)
            assert_int_equal(wall[i], g.wall_at[10 * W + (place[i].col > 84 ? 120 : 40)]);
        else
            assert_int_equal(wall[i], -1);
    }
    assert_ok(rs_walls_of_places(&g, NULL, 0, NULL, &err), &err);
    for (long n = 0;; n++) {
        test_alloc_fail_at(n);
        reshed_status st = rs_walls_of_places(&g, place, N, wall, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_true(n > 1);
            break;
        }
        assert_int_equal(st, RESHED_ENOMEM);
    }
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

/* Both pieces of a wall count as one: eighteen walls of the graph are twelve. */
static void alternation_joins_pieces_on_a_line(void **state)
{
    (void)state;
    reshed_error err = {0};
    drawing d;
    rs_wallgraph g;
    rs_place place[MOST];
    double value[MOST], mean[STRIPES];
    int wall[MOST], in_stripe[STRIPES] = {0};
    rs_wall_tests_options o;
    rs_wall_tests t;
    rs_alternation a;
    draw_stripes(&d, 3e-9, &g);
    const int n = draw_values(5, 6, place, value);
    rs_wall_tests_defaults(&g.grid, &o);
    memset(&t, 0x5a, sizeof t);
    assert_ok(rs_walls_of_places(&g, place, n, wall, &err), &err);
    assert_ok(rs_wall_tests_run(&g, &o, wall, value, n, &t, &err), &err);
    assert_int_equal(t.points, n);
    assert_int_equal(t.measured, g.walls);
    assert_true(t.has_alternation);
    assert_int_equal(t.family, 0);
    /* Places across run up, the drawing's rows down. */
    memset(mean, 0, sizeof mean);
    for (int i = 0; i < n; i++) {
        const int k = STRIPES - (int)(place[i].row / 10 + 0.5);
        mean[k] += value[i];
        in_stripe[k]++;
    }
    for (int k = 0; k < STRIPES; k++) mean[k] /= in_stripe[k];
    assert_ok(rs_alternation_test(mean, STRIPES, 9999, 1, &a, &err), &err);
    assert_int_equal(t.alternation.walls, STRIPES);
    assert_near(t.alternation.difference, a.difference, TOL_DOUBLE);
    assert_near(fabs(t.alternation.difference), 1, 0.1);
    assert_near(t.alternation.successive, a.successive, TOL_DOUBLE);
    assert_near(t.alternation.p, a.p, 0);
    assert_near(t.alternation.p_successive, a.p_successive, 0);
    assert_true(t.alternation.p < 0.01);
    for (int i = 1; i < t.measured; i++) assert_true(t.wall[i].wall > t.wall[i - 1].wall);
    rs_wall_tests_clear(&t);
    /* Nine measured walls are too few. */
    for (int i = 0; i < n; i++)
        if (place[i].row < 35) value[i] = NAN;
    assert_ok(rs_wall_tests_run(&g, &o, wall, value, n, &t, &err), &err);
    assert_false(t.has_alternation);
    assert_int_equal(t.measured, g.walls - 5);
    rs_wall_tests_clear(&t);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

/* The even walls are long, though neither of their pieces is. */
static void lengths_join_over_gaps(void **state)
{
    (void)state;
    reshed_error err = {0};
    drawing d;
    rs_wallgraph g;
    rs_place place[MOST];
    double value[MOST], mean[2][STRIPES / 2] = {{0}};
    int wall[MOST];
    rs_wall_tests_options o;
    rs_wall_tests t;
    rs_rank_test r;
    draw_stripes(&d, 3e-9, &g);
    const int n = draw_values(5, 6, place, value);
    rs_wall_tests_defaults(&g.grid, &o);
    o.long_wall = 100 * 3e-9;
    assert_ok(rs_walls_of_places(&g, place, n, wall, &err), &err);
    assert_ok(rs_wall_tests_run(&g, &o, wall, value, n, &t, &err), &err);
    assert_true(t.has_lengths && t.limit == o.long_wall);
    assert_int_equal(t.lengths.n[0], STRIPES / 2);
    assert_int_equal(t.lengths.n[1], STRIPES / 2);
    for (int i = 0; i < n; i++) {
        const int k = (int)(place[i].row / 10 - 0.5);
        mean[k % 2][k / 2] += value[i] / (k % 2 ? PER_PIECE : 2 * PER_PIECE);
    }
    assert_ok(rs_rank_sum_test(mean[0], STRIPES / 2, mean[1], STRIPES / 2, &r, &err), &err);
    assert_near(t.lengths.shift, r.shift, TOL_DOUBLE);
    assert_near(t.lengths.shift, -1, 0.1);
    assert_near(t.lengths.p, r.p, TOL_ROUNDING);
    rs_wall_tests_clear(&t);
    /* The limit is the median of the measured walls by default; all on one side: no test. */
    o.long_wall = 0;
    assert_ok(rs_wall_tests_run(&g, &o, wall, value, n, &t, &err), &err);
    assert_near(t.limit, g.wall[(g.walls - 1) / 2].line.length, 0);
    rs_wall_tests_clear(&t);
    o.long_wall = 1;
    assert_ok(rs_wall_tests_run(&g, &o, wall, value, n, &t, &err), &err);
    assert_false(t.has_lengths);
    rs_wall_tests_clear(&t);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

/* The metric falls off with the distance from a band at the top that lies in the plane. */
static void distance_is_from_large_domains(void **state)
{
    (void)state;
    reshed_error err = {0};
    drawing d;
    rs_wallgraph g;
    rs_place place[MOST];
    double value[MOST];
    int wall[MOST];
    static uint8_t in_plane[H * W];
    rs_wall_tests_options o;
    rs_wall_tests t;
    draw_stripes(&d, 2, &g);
    const int n = draw_values(0, 0, place, value);
    for (int i = 0; i < n; i++) value[i] = -place[i].row;
    memset(in_plane, 0, sizeof in_plane);
    memset(in_plane, 1, 4 * W); /* a band of 640 pixels */
    in_plane[100 * W + 50] = 1; /* and a spot */
    rs_wall_tests_defaults(&g.grid, &o);
    assert_near(o.large_domain, 30, TOL_DOUBLE); /* 15 pixels of 2 */
    o.in_plane = in_plane;
    assert_ok(rs_walls_of_places(&g, place, n, wall, &err), &err);
    assert_ok(rs_wall_tests_run(&g, &o, wall, value, n, &t, &err), &err);
    assert_int_equal(t.domains, 1);
    assert_true(t.has_trend && t.trend.rho < -0.95 && t.trend.p < 0.01);
    assert_int_equal(t.trend.n, STRIPES); /* a wall in two pieces counts once */
    for (int i = 0; i < t.measured; i++) {
        const rs_pixel p = g.pixel[g.wall[t.wall[i].wall].line.first];
        assert_near(t.distance[i], 2 * (p.row - 3), 1e-9);
    }
    rs_wall_tests_clear(&t);
    memset(in_plane, 0, sizeof in_plane); /* no domain, no trend */
    assert_ok(rs_wall_tests_run(&g, &o, wall, value, n, &t, &err), &err);
    assert_true(t.domains == 0 && !t.has_trend);
    rs_wall_tests_clear(&t);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

/* Control points are on no wall, also where they lie on a line of the map; the walls, joined as for
 * lengths, are compared with each kind of them. */
static void control_points_are_compared(void **state)
{
    (void)state;
    reshed_error err = {0};
    drawing d;
    rs_wallgraph g;
    rs_place place[MOST + 20];
    double value[MOST + 20];
    int kind[MOST + 20] = {0};
    rs_wall_tests_options o;
    rs_wall_tests t;
    rs_finding f[RS_FINDINGS];
    draw_stripes(&d, 1, &g);
    int n = draw_values(5, 5.01, place, value);
    const int on = n;
    for (int i = 0; i < 16; i++, n++) {
        place[n] = (rs_place){10 + 5 * (i % 8), 30}; /* every other one on a line */
        kind[n] = i < 8 ? RS_POINT_A_DOMAIN : RS_POINT_180_WALL;
        value[n] = i < 8 ? 3 + 0.01 * i : NAN;
    }
    place[n] = (rs_place){15, 30}; /* on no wall, and no control */
    value[n++] = 1;
    rs_wall_tests_defaults(&g.grid, &o);
    o.long_wall = 100;
    assert_ok(rs_wall_tests_places(&g, &o, place, kind, value, n, &t, &err), &err);
    assert_int_equal(t.points, on);
    assert_int_equal(t.off, 1);
    assert_int_equal(t.unmeasured, 8);
    assert_true(t.controls[0] == 8 && t.controls[1] == 0 && t.controls[2] == 0);
    assert_true(t.has_control[0] && !t.has_control[1] && !t.has_control[2]);
    assert_true(t.control[0].n[0] == STRIPES && t.control[0].n[1] == 8);
    assert_near(t.control[0].shift, 2, 0.1);
    assert_true(t.control[0].lo > 1.8 && t.control[0].hi < 2.2 && t.control[0].p < 1e-4);
    assert_int_equal(t.in_family, g.walls);
    int few;
    const int k = rs_wall_findings(&t, f, &few);
    assert_int_equal(k, 3); /* the drawing has no large domain */
    assert_int_equal(few, 0);
    assert_string_equal(f[0].question, "alternation");
    assert_string_equal(f[1].question, "long_short");
    assert_string_equal(f[2].question, "a_domain");
    assert_near(f[2].p_holm, 3 * f[2].p, TOL_DOUBLE); /* the smallest of three */
    assert_true(f[2].walls == STRIPES && f[2].controls == 8);
    for (int i = 0; i < k; i++) {
        assert_true(f[i].p_holm >= f[i].p && f[i].p_holm <= 1);
        for (int j = 0; j < k; j++)
            if (f[i].p <= f[j].p) assert_true(f[i].p_holm <= f[j].p_holm);
    }
    rs_wall_tests_clear(&t);
    kind[0] = 4;
    t.points = -7;
    assert_int_equal(rs_wall_tests_places(&g, &o, place, kind, value, n, &t, &err), RESHED_EINVAL);
    assert_int_equal(t.points, -7);
    kind[0] = 0;
    for (long at = 0;; at++) {
        test_alloc_fail_at(at);
        reshed_status st = rs_wall_tests_places(&g, &o, place, kind, value, n, &t, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_ok(st, &err);
            break;
        }
        assert_int_equal(st, RESHED_ENOMEM);
        assert_int_equal(t.points, -7);
    }
    rs_wall_tests_clear(&t);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

/* One control point of a kind cannot differ from twelve walls at p = 0.05, whatever it is: it is named,
 * and costs the other tests nothing. */
static void what_cannot_be_found_is_no_test(void **state)
{
    (void)state;
    reshed_error err = {0};
    drawing d;
    rs_wallgraph g;
    rs_place place[MOST + 3];
    double value[MOST + 3];
    int kind[MOST + 3] = {0};
    rs_wall_tests_options o;
    rs_wall_tests t;
    rs_finding alone[RS_FINDINGS], f[RS_FINDINGS];
    draw_stripes(&d, 1, &g);
    const int on = draw_values(5, 5.1, place, value);
    rs_wall_tests_defaults(&g.grid, &o);
    o.long_wall = 100;
    assert_ok(rs_wall_tests_places(&g, &o, place, kind, value, on, &t, &err), &err);
    assert_int_equal(rs_wall_findings(&t, alone, NULL), 2);
    rs_wall_tests_clear(&t);
    for (int i = 0; i < RS_WALL_CONTROLS; i++) {
        place[on + i] = (rs_place){15, 30 + 10 * i};
        kind[on + i] = RS_POINT_A_DOMAIN + i;
        value[on + i] = -100;
    }
    assert_ok(rs_wall_tests_places(&g, &o, place, kind, value, on + RS_WALL_CONTROLS, &t, &err),
              &err);
    int few = -1;
    memset(f, 0x5a, sizeof f);
    assert_int_equal(rs_wall_findings(&t, f, &few), 2);
    assert_int_equal(few, RS_WALL_CONTROLS);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(f[i].question, alone[i].question);
        assert_near(f[i].p_holm, alone[i].p_holm, 0);
    }
    assert_string_equal(f[2].question, "a_domain");
    assert_string_equal(f[4].question, "180_wall");
    for (int i = 2; i < 5; i++)
        assert_true(f[i].controls == 1 && isnan(f[i].p_holm) && f[i].p > RS_FINDING_LEVEL);
    rs_wall_tests_clear(&t);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

static void nothing_measured_is_no_error(void **state)
{
    (void)state;
    reshed_error err = {0};
    drawing d;
    rs_wallgraph g;
    rs_wall_tests_options o;
    rs_wall_tests t;
    draw_stripes(&d, 1, &g);
    rs_wall_tests_defaults(&g.grid, &o);
    assert_ok(rs_wall_tests_run(&g, &o, NULL, NULL, 0, &t, &err), &err);
    assert_true(t.measured == 0 && t.points == 0);
    assert_true(!t.has_alternation && !t.has_lengths && !t.has_trend);
    assert_true(g.wall[0].family == 0); /* families are set all the same */
    rs_wall_tests_clear(&t);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

static void bad_options_and_short_memory(void **state)
{
    (void)state;
    reshed_error err = {0};
    drawing d;
    rs_wallgraph g;
    rs_place place[MOST];
    double value[MOST];
    int wall[MOST];
    rs_wall_tests_options good, o;
    rs_wall_tests t = {.points = -7};
    draw_stripes(&d, 1, &g);
    const int n = draw_values(1, 2, place, value);
    assert_ok(rs_walls_of_places(&g, place, n, wall, &err), &err);
    rs_wall_tests_defaults(&g.grid, &good);
    good.permutations = 9;
    good.long_wall = 100;
    good.large_domain = 0;
    assert_ok(rs_wall_tests_check(&good, &err), &err);
#define REFUSED(change)                                                                            \
    o = good;                                                                                      \
    change;                                                                                        \
    assert_int_equal(rs_wall_tests_check(&o, &err), RESHED_EINVAL);                                \
    assert_int_equal(rs_wall_tests_run(&g, &o, wall, value, n, &t, &err), RESHED_EINVAL);          \
    assert_int_equal(t.points, -7)
    REFUSED(o.family_angle = -1);
    REFUSED(o.family_angle = 2);
    REFUSED(o.long_wall = NAN);
    REFUSED(o.large_domain = -1);
    REFUSED(o.permutations = 0);
#undef REFUSED
    wall[3] = g.walls;
    assert_int_equal(rs_wall_tests_run(&g, &good, wall, value, n, &t, &err), RESHED_EINVAL);
    assert_int_equal(t.points, -7);
    wall[3] = 0;
    for (long k = 0;; k++) {
        test_alloc_fail_at(k);
        reshed_status st = rs_wall_tests_run(&g, &good, wall, value, n, &t, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_ok(st, &err);
            assert_true(t.has_alternation && t.has_lengths && k > 15);
            break;
        }
        assert_int_equal(st, RESHED_ENOMEM);
        assert_int_equal(t.points, -7);
    }
    rs_wall_tests_clear(&t);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

/* The program at the top of tests.h. */
static void the_program_of_the_header_runs(void **state)
{
    (void)state;
    drawing d;
    rs_wallgraph graph;
    rs_place place[MOST];
    double value[MOST];
    int wall[MOST];
    reshed_status st;
    reshed_error e = {0}, *err = &e;
    draw_stripes(&d, 1, &graph);
    const int n = draw_values(1, 2, place, value);
    rs_wall_tests_options options;
    rs_wall_tests tests;
    rs_wall_tests_defaults(&graph.grid, &options);
    st = rs_walls_of_places(&graph, place, n, wall, err);
    if (st == RESHED_OK) st = rs_wall_tests_run(&graph, &options, wall, value, n, &tests, err);
    assert_ok(st, err);
    if (tests.has_lengths) printf("# long against short: p = %g\n", tests.lengths.p);
    rs_wall_tests_clear(&tests);
    rs_wallgraph_clear(&graph);
    drawing_clear(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_brought_to_walls),
        cmocka_unit_test(alternation_joins_pieces_on_a_line),
        cmocka_unit_test(lengths_join_over_gaps),
        cmocka_unit_test(distance_is_from_large_domains),
        cmocka_unit_test(control_points_are_compared),
        cmocka_unit_test(what_cannot_be_found_is_no_test),
        cmocka_unit_test(nothing_measured_is_no_error),
        cmocka_unit_test(bad_options_and_short_memory),
        cmocka_unit_test(the_program_of_the_header_runs),
    };
    return cmocka_run_group_tests_name("walls_tests", tests, NULL, NULL);
}
