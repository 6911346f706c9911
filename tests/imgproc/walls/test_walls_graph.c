/* Skeletons drawn by hand, and what nodes, branches and walls become of them. */
#include "support/walls.h"
#include "support/tolerance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "imgproc/walls/domains.h"
#include "imgproc/walls/graph/line.h"
#include "imgproc/walls/graph/build.h"
#include "imgproc/walls/family.h"

static int count_nodes(const rs_wallgraph *g, rs_node_kind kind)
{
    int n = 0;
    for (int i = 0; i < g->nodes; i++) n += g->node[i].kind == kind;
    return n;
}

static double angle_apart(double a, double b)
{
    return fabs(remainder(a - b, RS_PI));
}

/* ---------------------------------------------------------------------------------------- lines */

static void single_line_is_one_wall(void **state)
{
    (void)state;
    const char *rows[] = {"..........", ".#######..", "..........", "........#."};
    drawing d;
    rs_wallgraph g;
    drawing_from_text(&d, rows, 4);
    build_graph(&d, 2e-9, NULL, &g);
    assert_int_equal(g.walls, 2);
    assert_int_equal(g.branches, 2);
    const rs_wall_line *line = &g.wall[0].line;
    assert_int_equal(line->count, 7);
    assert_near(line->length_px, 6, 0);
    assert_near(line->length, 12e-9, TOL_PIXEL);
    assert_near(line->chord, 12e-9, TOL_PIXEL);
    assert_near(line->orientation, 0, 0);
    assert_near(line->width, 2e-9, TOL_PIXEL);
    assert_true(isnan(line->probability));
    assert_int_equal(g.wall[0].end[0], RS_END_BORDER); /* row 1 is within 1.5 pixels of the edge */
    /* The single pixel is a node, a branch and a wall. */
    assert_int_equal(count_nodes(&g, RS_NODE_ISOLATED), 1);
    assert_int_equal(g.wall[1].line.count, 1);
    assert_near(g.wall[1].line.length, 0, 0);
    assert_true(isnan(g.wall[1].line.orientation));
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

/* Length, direction and width of bars at any angle, against what was drawn. */
static void oblique_bars_are_measured(void **state)
{
    (void)state;
    double worst_length = 0, worst_angle = 0, worst_width = 0;
    for (int deg = 0; deg < 180; deg += 3)
        for (int thick = 0; thick < 3; thick++) {
            double a = (deg + 0.3) * RS_DEGREE, half = 1.0 + 0.8 * thick;
            double x = 60 * cos(a), y = 60 * sin(a); /* half the line, y up */
            drawing d;
            rs_wallgraph g;
            drawing_init(&d, 160, 161);
            draw_segment(&d, 80.2 - x, 79.7 + y, 80.2 + x, 79.7 - y, half);
            thin(&d);
            rs_wallgraph_options o;
            rs_wallgraph_options_defaults(&o);
            o.spur = 2.5 * half;
            build_graph(&d, 1, &o, &g);
            assert_int_equal(g.walls, 1);
            assert_int_equal(count_ends(&g, RS_END_FREE), 2);
            /* The line's own ends are uncertain by the width of the bar: compare with the chord. */
            const rs_wall_line *line = &g.wall[0].line;
            worst_length = fmax(worst_length, fabs(line->length / line->chord - 1));
            worst_angle = fmax(worst_angle, angle_apart(line->orientation, a));
            worst_width = fmax(worst_width, fabs(line->width - 2 * half));
            assert_true(fabs(line->chord - 120) < 2 * half + 2);
            rs_wallgraph_clear(&g);
            drawing_clear(&d);
        }
    print_message("# bars: length within %.2f %%, direction %.2f degrees, width %.2f pixels\n",
                  100 * worst_length, worst_angle / RS_DEGREE, worst_width);
    assert_true(worst_length < 0.015 && worst_angle < 0.5 * RS_DEGREE && worst_width < 0.35);
}

static void circle_is_a_closed_wall(void **state)
{
    (void)state;
    for (int r = 15; r <= 45; r += 5) {
        drawing d;
        rs_wallgraph g;
        drawing_init(&d, 101, 103);
        draw_circle(&d, 51.3, 50.1, r, 1.6);
        thin(&d);
        rs_wallgraph_options o;
        rs_wallgraph_options_defaults(&o);
        o.spur = 3;
        build_graph(&d, 1e-8, &o, &g);
        assert_int_equal(g.walls, 1);
        assert_int_equal(g.nodes, 0);
        assert_int_equal(g.wall[0].end[0], RS_END_CLOSED);
        assert_near(g.wall[0].line.length, 2 * RS_PI * r * 1e-8, 0.015 * 2 * RS_PI * r * 1e-8);
        assert_near(g.wall[0].line.width, 3.2e-8, 0.3e-8);
        assert_near(g.wall[0].line.chord, 0, 0);
        rs_wallgraph_clear(&g);
        drawing_clear(&d);
    }
}

/* Pixels twice as wide as high. */
static void metres_follow_both_pixel_sizes(void **state)
{
    (void)state;
    drawing d;
    rs_wallgraph g;
    reshed_error err = {0};
    rs_wallgraph_options o;
    rs_wallgraph_options_defaults(&o);
    drawing_init(&d, 60, 60);
    draw_segment(&d, 10, 50, 50, 10, 0.4);
    memcpy(d.skeleton, d.mask, 3600);
    rs_wallgraph_input in = {.grid = {60, 60, 2e-9, 1e-9}, .skeleton = d.skeleton, .mask = d.mask};
    assert_ok(rs_wallgraph_build(&in, &o, &g, &err), &err);
    assert_int_equal(g.walls, 1);
    assert_near(g.wall[0].line.length_px, 40 * sqrt(2), 1e-9);
    assert_near(g.wall[0].line.length, 40e-9 * sqrt(5), TOL_PIXEL);
    assert_near(g.wall[0].line.chord, 40e-9 * sqrt(5), TOL_PIXEL);
    assert_near(g.wall[0].line.orientation, atan2(1, 2), 1e-9); /* up to the right */
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

static void maps_are_averaged_over_the_line(void **state)
{
    (void)state;
    drawing d;
    rs_wallgraph g;
    reshed_error err = {0};
    float p[5 * 12], v[5 * 12];
    rs_wallgraph_options o;
    rs_wallgraph_options_defaults(&o);
    drawing_init(&d, 5, 12);
    draw_segment(&d, 1, 2, 10, 2, 0.4);
    thin(&d);
    for (int i = 0; i < 60; i++) {
        p[i] = i / 12 == 2 ? 0.1f * (float)(i % 12) : 77;
        v[i] = i == 2 * 12 + 3 ? NAN : i / 12 == 2 ? 0.25f : 99;
    }
    rs_wallgraph_input in = {
        .grid = {5, 12, 1, 1}, .skeleton = d.skeleton, .probability = p, .variance = v};
    assert_ok(rs_wallgraph_build(&in, &o, &g, &err), &err);
    assert_near(g.wall[0].line.probability, 0.55, TOL_FLOAT);
    assert_near(g.wall[0].line.variance, 0.25, 0);
    assert_true(isnan(g.wall[0].line.width));
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

/* ------------------------------------------------------------------------------------ junctions */

static void cross_is_two_walls(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        drawing d;
        rs_wallgraph g;
        drawing_init(&d, 80, 80);
        draw_segment(&d, 5, 40, 75, 40, 0.4 + 1.5 * k);
        draw_segment(&d, 40, 10, 40, 70, 0.4 + 1.5 * k);
        thin(&d);
        build_graph(&d, 1, NULL, &g);
        assert_int_equal(g.walls, 2);
        assert_int_equal(count_nodes(&g, RS_NODE_END), 4);
        assert_int_equal(count_ends(&g, RS_END_FREE), 4);
        assert_near(angle_apart(g.wall[0].line.orientation, 0), 0, 0.5 * RS_DEGREE);
        assert_near(angle_apart(g.wall[1].line.orientation, RS_PI / 2), 0, 0.5 * RS_DEGREE);
        assert_near(g.wall[0].line.length, 70, 3);
        assert_near(g.wall[1].line.length, 60, 3);
        rs_wallgraph_clear(&g);
        drawing_clear(&d);
    }
}

/* A slanted crossing of thick walls thins to two junctions with a bridge between. */
static void bridge_belongs_to_the_crossing(void **state)
{
    (void)state;
    drawing d;
    rs_wallgraph g;
    drawing_init(&d, 70, 128);
    draw_segment(&d, 6, 6, 122, 63, 2.4);
    draw_segment(&d, 6, 63, 122, 6, 2.4);
    thin(&d);
    build_graph(&d, 1, NULL, &g);
    assert_true(count_nodes(&g, RS_NODE_JUNCTION) >= 2);
    assert_int_equal(g.walls, 2);
    for (int w = 0; w < 2; w++) {
        assert_near(g.wall[w].line.length, hypot(116, 57), 8);
        double a = atan2(57, 116), o = g.wall[w].line.orientation;
        assert_true(angle_apart(o, a) < 2 * RS_DEGREE || angle_apart(o, -a) < 2 * RS_DEGREE);
    }
    assert_true(angle_apart(g.wall[0].line.orientation, g.wall[1].line.orientation) >
                40 * RS_DEGREE);
    assert_int_equal(count_ends(&g, RS_END_JUNCTION), 0);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

static void t_ends_at_the_junction(void **state)
{
    (void)state;
    drawing d;
    rs_wallgraph g;
    drawing_init(&d, 50, 90);
    draw_segment(&d, -5, 12, 95, 12, 1.2);
    draw_segment(&d, 45, 12, 45, 44, 1.2);
    thin(&d);
    build_graph(&d, 1, NULL, &g);
    assert_int_equal(g.walls, 2);
    assert_int_equal(g.wall[0].end[0], RS_END_BORDER);
    assert_int_equal(g.wall[0].end[1], RS_END_BORDER);
    assert_true(g.wall[1].end[0] == RS_END_JUNCTION || g.wall[1].end[1] == RS_END_JUNCTION);
    assert_int_equal(count_ends(&g, RS_END_FREE), 1);
    assert_near(g.wall[0].line.length, 89, 2);
    assert_near(g.wall[1].line.length, 31, 3);
    /* With no turn allowed at all, only the two halves of the straight line could be joined. */
    rs_wallgraph_options o;
    rs_wallgraph_options_defaults(&o);
    o.turn = 0;
    rs_wallgraph_clear(&g);
    build_graph(&d, 1, &o, &g);
    assert_in_range(g.walls, 2, 3);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

static void sharp_turns_cut_walls(void **state)
{
    (void)state;
    drawing d;
    rs_wallgraph g;
    rs_wallgraph_options o;
    rs_wallgraph_options_defaults(&o);
    drawing_init(&d, 60, 60);
    draw_segment(&d, 10, 10, 50, 10, 0.4);
    draw_segment(&d, 50, 10, 50, 45, 0.4);
    thin(&d);
    build_graph(&d, 1, &o, &g);
    assert_int_equal(g.walls, 2);
    assert_int_equal(count_ends(&g, RS_END_CORNER), 2);
    assert_near(g.wall[0].line.length + g.wall[1].line.length, 75, 2);
    rs_wallgraph_clear(&g);
    o.corner = RS_PI;
    build_graph(&d, 1, &o, &g);
    assert_int_equal(g.walls, 1);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
    /* A square ring has four corners. */
    const double c[5][2] = {{8, 8}, {51, 8}, {51, 51}, {8, 51}, {8, 8}};
    drawing_init(&d, 60, 60);
    for (int i = 0; i < 4; i++) draw_segment(&d, c[i][0], c[i][1], c[i + 1][0], c[i + 1][1], 0.4);
    thin(&d);
    build_graph(&d, 1, NULL, &g);
    assert_int_equal(g.walls, 4);
    assert_int_equal(count_ends(&g, RS_END_CORNER), 8);
    for (int w = 0; w < 4; w++) assert_near(g.wall[w].line.length, 43, 2);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

static void spurs_are_pruned_on_request(void **state)
{
    (void)state;
    drawing d;
    rs_wallgraph g;
    rs_wallgraph_options o;
    rs_wallgraph_options_defaults(&o);
    drawing_init(&d, 40, 80);
    draw_segment(&d, 5, 20, 74, 20, 0.4);
    draw_segment(&d, 20, 20, 20, 15, 0.4); /* 5 pixels */
    draw_segment(&d, 40, 20, 40, 30, 0.4); /* 10 pixels */
    draw_segment(&d, 74, 20, 78, 16, 0.4); /* the end forks: 4 diagonal steps, */
    draw_segment(&d, 74, 20, 77, 23, 0.4); /* and 3 */
    thin(&d);
    build_graph(&d, 1, &o, &g);
    assert_int_equal(g.spurs_removed, 0);
    assert_int_equal(count_nodes(&g, RS_NODE_JUNCTION), 3);
    rs_wallgraph_clear(&g);
    o.spur = 6.5;
    build_graph(&d, 1, &o, &g);
    /* Of the fork only the shorter prong goes: then the longer one continues the line. */
    assert_int_equal(g.spurs_removed, 2);
    assert_int_equal(count_nodes(&g, RS_NODE_JUNCTION), 1);
    assert_int_equal(g.walls, 2);
    assert_int_equal(g.skeleton[16 * 80 + 20], 0);
    assert_int_equal(g.skeleton[30 * 80 + 40], 1);
    assert_int_equal(g.skeleton[16 * 80 + 78], 1);
    assert_near(g.wall[0].line.length, 69 + 4 * sqrt(2), 1);
    rs_wallgraph_clear(&g);
    o.spur = 0;
    o.min_wall = 6.5;
    build_graph(&d, 1, &o, &g);
    for (int w = 0; w < g.walls; w++) assert_true(g.wall[w].line.length >= 6.5);
    assert_int_equal(g.skeleton[16 * 80 + 20], 0);
    assert_int_equal(g.skeleton[30 * 80 + 40], 1);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

/* ------------------------------------------------------------------------------------ any input */

static void fill_at_random(drawing *d, test_rng *r, double density)
{
    for (int i = 0; i < d->height * d->width; i++) d->mask[i] = test_uniform(r, 0, 1) < density;
}

static int count_set(const uint8_t *m, int n)
{
    int k = 0;
    for (int i = 0; i < n; i++) k += m[i] != 0;
    return k;
}

/* Every pixel of any skeleton, and of masks that are none, is in some wall, and in a branch or at a
 * junction. */
static void no_pixel_is_lost(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    for (int trial = 0; trial < test_tier(30, 300, 3000); trial++) {
        drawing d;
        rs_wallgraph g;
        drawing_init(&d, 1 + (int)test_below(&r, 40), 1 + (int)test_below(&r, 50));
        fill_at_random(&d, &r, test_uniform(&r, 0, 1));
        int n = d.height * d.width;
        if (trial % 2)
            thin(&d);
        else
            memcpy(d.skeleton, d.mask, (size_t)n);
        build_graph(&d, 1, NULL, &g);
        assert_memory_equal(g.skeleton, d.skeleton, (size_t)n);
        uint8_t *on_branch = rs_zalloc((size_t)n, 1);
        int ends = 0;
        for (int b = 0; b < g.branches; b++) {
            for (int i = 0; i < g.branch[b].line.count; i++) {
                rs_pixel p = g.pixel[g.branch[b].line.first + i];
                on_branch[p.row * d.width + p.col] = 1;
            }
            if (g.branch[b].node[0] >= 0 && g.branch[b].line.count > 1) ends += 2;
        }
        int degrees = 0;
        for (int i = 0; i < g.nodes; i++) degrees += g.node[i].degree;
        assert_int_equal(degrees, ends);
        for (int i = 0; i < n; i++) { /* what is on no branch lies inside a junction */
            if (!d.skeleton[i] || on_branch[i]) continue;
            int around = -1;
            for (int k = 0; k < 9; k++) {
                int row = i / d.width + k / 3 - 1, col = i % d.width + k % 3 - 1;
                if (row < 0 || row >= d.height || col < 0 || col >= d.width) continue;
                around += d.skeleton[row * d.width + col] != 0;
            }
            assert_true(around >= 3);
        }
        rs_free(on_branch);
        rs_wallgraph_clear(&g);
        drawing_clear(&d);
    }
}

static void empty_and_full_maps(void **state)
{
    (void)state;
    drawing d;
    rs_wallgraph g;
    reshed_error err = {0};
    drawing_init(&d, 7, 9);
    build_graph(&d, 1, NULL, &g);
    assert_int_equal(g.walls + g.branches + g.nodes + g.pairs + g.pixels, 0);
    int32_t domain[63];
    assert_ok(rs_pair_domains(&g, domain, &err), &err);
    int families = 9;
    assert_ok(rs_wall_families(&g, 0.1, 0, &families, &err), &err);
    assert_int_equal(families, 0);
    rs_wallgraph_clear(&g);
    memset(d.skeleton, 255, 63);
    build_graph(&d, 1, NULL, &g);
    assert_int_equal(count_set(g.skeleton, 63), 63);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

static void bad_input_is_refused(void **state)
{
    (void)state;
    reshed_error err = {0};
    uint8_t skeleton[12] = {0};
    rs_wallgraph g = {.walls = -7};
    rs_wallgraph_options good, o;
    rs_wallgraph_options_defaults(&good);
    rs_wallgraph_input in = {.grid = {3, 4, 1, 1}, .skeleton = skeleton}, bad;
#define REFUSED(change)                                                                            \
    o = good;                                                                                      \
    bad = in;                                                                                      \
    change;                                                                                        \
    assert_int_equal(rs_wallgraph_build(&bad, &o, &g, &err), RESHED_EINVAL);                       \
    assert_int_equal(g.walls, -7)
    REFUSED(bad.grid.height = 0);
    REFUSED(bad.grid.dx = 0);
    REFUSED(bad.grid.dy = NAN);
    REFUSED(bad.skeleton = NULL);
    REFUSED(o.spur = -1);
    REFUSED(o.min_wall = NAN);
    REFUSED(o.reach = 1);
    REFUSED(o.turn = 4);
    REFUSED(o.corner = -1);
    REFUSED(o.border = -1);
    REFUSED(o.domain_max = -1);
    REFUSED(o.domain_cover = 1.5);
#undef REFUSED
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    reshed_error err = {0};
    drawing d;
    drawing_init(&d, 60, 60);
    draw_segment(&d, 5, 20, 55, 22, 1.6);
    draw_segment(&d, 5, 28, 55, 30, 1.6);
    draw_segment(&d, 30, 5, 33, 55, 1.6);
    draw_circle(&d, 45, 45, 9, 1);
    thin(&d);
    rs_wallgraph_input in = {.grid = {60, 60, 1, 1}, .skeleton = d.skeleton, .mask = d.mask};
    rs_wallgraph_options o;
    rs_wallgraph_options_defaults(&o);
    o.spur = 4;
    long failures = 0;
    for (long n = 0;; n++) {
        rs_wallgraph g = {.walls = -7};
        test_alloc_fail_at(n);
        reshed_status st = rs_wallgraph_build(&in, &o, &g, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_int_equal(st, RESHED_OK);
            int32_t domain[3600];
            for (int k = 0; k < 2; k++) {
                test_alloc_fail_at(k);
                assert_int_equal(rs_pair_domains(&g, domain, &err), RESHED_ENOMEM);
                test_alloc_fail_at(-1);
            }
            rs_wallgraph_clear(&g);
            break;
        }
        assert_int_equal(st, RESHED_ENOMEM);
        assert_int_equal(g.walls, -7);
        failures++;
    }
    assert_true(failures > 25);
    drawing_clear(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_line_is_one_wall),
        cmocka_unit_test(oblique_bars_are_measured),
        cmocka_unit_test(circle_is_a_closed_wall),
        cmocka_unit_test(metres_follow_both_pixel_sizes),
        cmocka_unit_test(maps_are_averaged_over_the_line),
        cmocka_unit_test(cross_is_two_walls),
        cmocka_unit_test(bridge_belongs_to_the_crossing),
        cmocka_unit_test(t_ends_at_the_junction),
        cmocka_unit_test(sharp_turns_cut_walls),
        cmocka_unit_test(spurs_are_pruned_on_request),
        cmocka_unit_test(no_pixel_is_lost),
        cmocka_unit_test(empty_and_full_maps),
        cmocka_unit_test(bad_input_is_refused),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("walls_graph", tests, NULL, NULL);
}
