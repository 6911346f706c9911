/* Relations of walls: pairs that bound a domain, families of parallel ones, pieces of one wall. */
#include "support/walls.h"
#include "support/tolerance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "imgproc/walls/graph/build.h"
#include "imgproc/walls/domains.h"
#include "imgproc/walls/family.h"
#include "imgproc/walls/gap.h"
#include "imgproc/walls/graph/line.h"

/* ---------------------------------------------------------------------------------------- pairs */

static void needle_is_a_pair(void **state)
{
    (void)state;
    drawing d;
    rs_wallgraph g;
    drawing_init(&d, 31, 150);
    const double c[5][2] = {{6, 15}, {75, 9}, {144, 15}, {75, 21}, {6, 15}};
    for (int i = 0; i < 4; i++) draw_segment(&d, c[i][0], c[i][1], c[i + 1][0], c[i + 1][1], 0.6);
    thin(&d);
    rs_wallgraph_options o;
    rs_wallgraph_options_defaults(&o);
    o.spur = 6;
    build_graph(&d, 1e-9, &o, &g);
    assert_int_equal(g.walls, 2);
    assert_int_equal(count_ends(&g, RS_END_CORNER), 4);
    assert_int_equal(g.pairs, 1);
    /* The lines touch up to six pixels from either tip, where they are less than one apart. */
    assert_near(g.wall[0].line.length, 126e-9, 4e-9);
    assert_near(g.pair[0].separation, 6e-9, 1.2e-9); /* 12 in the middle, 0 at the tips */
    assert_near(g.pair[0].separation_sd, 12e-9 / sqrt(12), 1e-9);
    assert_true(g.pair[0].cover > 0.85);
    assert_int_equal(g.wall[0].pair, 0);
    assert_int_equal(g.wall[1].pair, 0);
    /* The domain: half of 138 x 12, less the lines. */
    int32_t domain[31 * 150];
    reshed_error err = {0};
    int area = 0;
    assert_ok(rs_pair_domains(&g, domain, &err), &err);
    for (int i = 0; i < 31 * 150; i++) {
        assert_in_range(domain[i], 0, 1);
        assert_false(domain[i] && g.skeleton[i]);
        area += domain[i];
    }
    assert_near(area, 138 * 12 / 2 - 138, 60);
    assert_int_equal(domain[15 * 150 + 75], 1);
    assert_int_equal(domain[5 * 150 + 75], 0);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

/* Stripes across the frame at y = 10, 16, 30, 36, 50, 56, ...: narrow and wide gaps in turn. */
static void draw_stripes(drawing *d, int n, double slope)
{
    for (int i = 0; i < n; i++) {
        double y = 10 + 20 * (i / 2) + 6 * (i % 2);
        draw_segment(d, -20, y - 20 * slope, 140, y + 140 * slope, 0.6);
    }
}

static void stripes_pair_over_the_narrow_gap(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        drawing d;
        rs_wallgraph g;
        reshed_error err = {0};
        double slope = k ? 0.15 : 0;
        drawing_init(&d, 130, 120);
        draw_stripes(&d, 10, slope);
        thin(&d);
        build_graph(&d, 1e-9, NULL, &g);
        assert_int_equal(g.walls, 10);
        assert_int_equal(g.pairs, 5);
        int families, order[10];
        assert_ok(rs_wall_families(&g, 5 * RS_DEGREE, 0, &families, &err), &err);
        assert_int_equal(families, 1);
        assert_int_equal(rs_family_walls(&g, 0, order), 10);
        double across = cos(atan(slope));
        for (int i = 0; i + 1 < 10; i++) { /* places rise, so walls come from the bottom up */
            double gap = g.wall[order[i + 1]].place - g.wall[order[i]].place;
            assert_near(gap, (i % 2 ? 14 : 6) * across * 1e-9, 0.6e-9);
            if (i % 2) continue;
            int pair = g.wall[order[i]].pair;
            assert_true(pair >= 0 && pair == g.wall[order[i + 1]].pair);
            assert_near(g.pair[pair].separation, 6 * across * 1e-9, 0.35e-9);
            assert_true(g.pair[pair].cover > 0.9);
            assert_near(g.pair[pair].overlap, 119 / across * 1e-9, 6e-9);
        }
        rs_wallgraph_clear(&g);
        drawing_clear(&d);
    }
}

/* With the amplitude dark in the wide gaps, those are the a-domains. */
static void stripes_pair_over_the_dark_gap(void **state)
{
    (void)state;
    drawing d;
    rs_wallgraph g;
    reshed_error err = {0};
    rs_wallgraph_options o;
    rs_wallgraph_options_defaults(&o);
    drawing_init(&d, 130, 120);
    draw_stripes(&d, 10, 0);
    thin(&d);
    float *amplitude = rs_alloc(130 * 120, sizeof *amplitude);
    int32_t *domain = rs_alloc(130 * 120, sizeof *domain);
    for (int i = 0; i < 130 * 120; i++) {
        int y = i / 120;
        amplitude[i] = y > 16 && y < 96 && (y - 10) % 20 >= 6 ? 0.2f : 1.0f;
    }
    rs_wallgraph_input in = {
        .grid = {130, 120, 1, 1}, .skeleton = d.skeleton, .mask = d.mask, .amplitude = amplitude};
    assert_ok(rs_wallgraph_build(&in, &o, &g, &err), &err);
    assert_graph_is_sound(&g);
    assert_int_equal(g.pairs, 4); /* the outermost walls have no partner */
    for (int k = 0; k < 4; k++) {
        assert_near(g.pair[k].separation, 14, 0.01);
        assert_near(g.pair[k].contrast, (0.2 - 1) / (0.2 + 1), 0.05);
    }
    assert_ok(rs_pair_domains(&g, domain, &err), &err);
    for (int i = 0; i < 130 * 120; i++) {
        int y = i / 120, x = i % 120;
        if (x < 3 || x > 116) continue;
        bool inside = y > 16 && y < 90 && (y - 10) % 20 > 6;
        assert_int_equal(domain[i] > 0, inside);
    }
    rs_wallgraph_clear(&g);
    rs_free(domain);
    rs_free(amplitude);
    drawing_clear(&d);
}

static void far_and_crossing_walls_are_no_pair(void **state)
{
    (void)state;
    drawing d;
    rs_wallgraph g;
    rs_wallgraph_options o;
    rs_wallgraph_options_defaults(&o);
    drawing_init(&d, 100, 100);
    draw_segment(&d, 5, 20, 95, 20, 0.4);
    draw_segment(&d, 5, 60, 95, 60, 0.4);  /* 40 pixels apart */
    draw_segment(&d, 20, 30, 50, 55, 0.4); /* 40 degrees off */
    thin(&d);
    build_graph(&d, 1, &o, &g);
    assert_int_equal(g.walls, 3);
    assert_int_equal(g.pairs, 0);
    rs_wallgraph_clear(&g);
    o.domain_max = 41;
    o.domain_cover = 0.4;
    build_graph(&d, 1, &o, &g);
    assert_int_equal(g.pairs, 1);
    assert_near(g.pair[0].separation, 40, 0.1);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

/* -------------------------------------------------------------------------- families and pieces */

static void families_are_by_direction(void **state)
{
    (void)state;
    drawing d;
    rs_wallgraph g;
    reshed_error err = {0};
    drawing_init(&d, 200, 200);
    for (int i = 0; i < 4; i++) draw_segment(&d, 10, 10 + 12 * i, 150, 12 + 12 * i, 0.6);
    for (int i = 0; i < 3; i++) draw_segment(&d, 10 + 15 * i, 80, 12 + 15 * i, 180, 0.6);
    draw_segment(&d, 120, 120, 125, 120, 0.4);
    thin(&d);
    build_graph(&d, 1, NULL, &g);
    int families, order[8];
    assert_ok(rs_wall_families(&g, 10 * RS_DEGREE, 20, &families, &err), &err);
    assert_int_equal(families, 2);
    assert_int_equal(rs_family_walls(&g, 0, order), 4);
    for (int i = 0; i < 3; i++)
        assert_near(g.wall[order[i + 1]].place - g.wall[order[i]].place, 12, 0.5);
    assert_int_equal(rs_family_walls(&g, 1, order), 3);
    assert_int_equal(rs_family_walls(&g, 2, order), 0);
    assert_int_equal(g.wall[7].family, -1); /* too short */
    assert_int_equal(rs_wall_families(&g, -1, 0, NULL, &err), RESHED_EINVAL);
    assert_int_equal(rs_wall_families(&g, 0.1, NAN, NULL, &err), RESHED_EINVAL);
    for (int n = 0; n < 2; n++) {
        test_alloc_fail_at(n);
        assert_int_equal(rs_wall_families(&g, 0.1, 0, NULL, &err), RESHED_ENOMEM);
        test_alloc_fail_at(-1);
    }
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

/* One wall in three pieces, beside it (two pixels off) another one, and a third of its own. */
static void pieces_of_a_wall_are_one(void **state)
{
    (void)state;
    drawing d;
    rs_wallgraph g;
    reshed_error err = {0};
    int families, order[8], piece[8], walls = 0;
    drawing_init(&d, 60, 160);
    draw_segment(&d, 5, 20, 40, 20, 0.4);
    draw_segment(&d, 50, 20, 95, 20, 0.4);
    draw_segment(&d, 105, 20, 150, 20, 0.4);
    draw_segment(&d, 5, 23, 150, 23, 0.4);
    draw_segment(&d, 5, 45, 150, 45, 0.4);
    thin(&d);
    build_graph(&d, 1, NULL, &g);
    assert_int_equal(g.walls, 5);
    assert_ok(rs_wall_families(&g, 10 * RS_DEGREE, 0, &families, &err), &err);
    assert_int_equal(families, 1);
    assert_int_equal(rs_family_walls(&g, 0, order), 5);
    rs_family_pieces(&g, order, 5, 1.5, piece);
    for (int i = 0; i < 5; i++) {
        const double length = g.wall[order[i]].line.length;
        walls += piece[i] == i;
        /* the long ones stand alone, the three short ones belong together */
        for (int k = 0; k < i; k++)
            assert_int_equal(piece[i] == piece[k],
                             length < 100 && g.wall[order[k]].line.length < 100);
    }
    assert_int_equal(walls, 3);
    rs_family_pieces(&g, order, 5, 0, piece); /* nothing is joined */
    for (int i = 0; i < 5; i++) assert_int_equal(piece[i], i);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

/* Pieces in line are one wall; a neighbour beside the gap, one that turns, and one too far away are
 * not part of it. */
static void gaps_are_bridged(void **state)
{
    (void)state;
    drawing d;
    rs_wallgraph g;
    reshed_error err = {0};
    int first[5];
    drawing_init(&d, 60, 160);
    draw_segment(&d, 5, 20, 45, 20, 0.4);
    draw_segment(&d, 52, 20, 90, 20, 0.4);   /* goes on */
    draw_segment(&d, 110, 20, 155, 20, 0.4); /* 20 pixels on */
    draw_segment(&d, 96, 25, 130, 25, 0.4);  /* beside the line */
    draw_segment(&d, 48, 24, 60, 50, 1);     /* heads elsewhere */
    thin(&d);
    build_graph(&d, 1, NULL, &g);
    assert_int_equal(g.walls, 5);
    assert_ok(rs_wall_gaps(&g, 12, first, &err), &err);
    int joined = 0;
    for (int w = 0; w < 5; w++) {
        const rs_pixel p = g.pixel[g.wall[w].line.first + g.wall[w].line.count / 2];
        const bool part = p.row == g.pixel[g.wall[first[w]].line.first].row && p.col < 100;
        joined += first[w] != w;
        assert_true(first[w] <= w && first[first[w]] == first[w]);
        if (first[w] != w) assert_true(part);
    }
    assert_int_equal(joined, 1);
    assert_ok(rs_wall_gaps(&g, 30, first, &err), &err); /* now over the wide one, too */
    joined = 0;
    for (int w = 0; w < 5; w++) joined += first[w] != w;
    assert_int_equal(joined, 2);
    assert_ok(rs_wall_gaps(&g, 0, first, &err), &err);
    for (int w = 0; w < 5; w++) assert_int_equal(first[w], w);
    assert_int_equal(rs_wall_gaps(&g, -1, first, &err), RESHED_EINVAL);
    assert_int_equal(rs_wall_gaps(&g, NAN, first, &err), RESHED_EINVAL);
    for (int i = 0; i < 2; i++) {
        test_alloc_fail_at(i);
        assert_int_equal(rs_wall_gaps(&g, 12, first, &err), RESHED_ENOMEM);
        test_alloc_fail_at(-1);
    }
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

/* -------------------------------------------------------------------------------------- regions */

static void large_regions_and_distances(void **state)
{
    (void)state;
    reshed_error err = {0};
    uint8_t mask[40 * 60] = {0}, large[40 * 60];
    rs_grid grid = {40, 60, 2e-9, 1e-9};
    for (int y = 0; y < 40; y++)
        for (int x = 0; x < 60; x++)
            mask[y * 60 + x] = (x < 4 && y < 30) || (x == 50 && y < 10) || (x == 4 && y == 30);
    int count;
    /* 120 pixels, one that touches it at a corner only, and 10: of 2 nm^2 each. */
    assert_ok(rs_large_regions(&grid, mask, 240e-18, large, &count, &err), &err);
    assert_int_equal(count, 1);
    for (int i = 0; i < 2400; i++) assert_int_equal(large[i], i % 60 < 4 && i / 60 < 30);
    assert_ok(rs_large_regions(&grid, mask, 241e-18, large, &count, &err), &err);
    assert_int_equal(count, 0);
    assert_ok(rs_large_regions(&grid, mask, 20e-18, large, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_int_equal(rs_large_regions(&grid, mask, NAN, large, &count, &err), RESHED_EINVAL);
    for (int n = 0; n < 2; n++) {
        test_alloc_fail_at(n);
        assert_int_equal(rs_large_regions(&grid, mask, 0, large, &count, &err), RESHED_ENOMEM);
        test_alloc_fail_at(-1);
    }

    drawing d;
    rs_wallgraph g;
    double distance[2];
    drawing_init(&d, 40, 60);
    draw_segment(&d, 13, 2, 13, 27, 0.4);
    draw_segment(&d, 33, 2, 33, 22, 0.4);
    thin(&d);
    build_graph(&d, 1e-9, NULL, &g);
    assert_ok(rs_large_regions(&grid, mask, 240e-18, large, NULL, &err), &err);
    assert_ok(rs_wall_distances(&g, large, distance, &err), &err);
    assert_near(distance[0], 10e-9, TOL_PIXEL);
    assert_near(distance[1], 30e-9, TOL_PIXEL);
    memset(large, 0, sizeof large);
    assert_ok(rs_wall_distances(&g, large, distance, &err), &err);
    assert_true(isinf(distance[0]));
    for (long n = 0;; n++) {
        test_alloc_fail_at(n);
        reshed_status st = rs_wall_distances(&g, large, distance, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) break;
        assert_int_equal(st, RESHED_ENOMEM);
    }
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needle_is_a_pair),
        cmocka_unit_test(stripes_pair_over_the_narrow_gap),
        cmocka_unit_test(stripes_pair_over_the_dark_gap),
        cmocka_unit_test(far_and_crossing_walls_are_no_pair),
        cmocka_unit_test(families_are_by_direction),
        cmocka_unit_test(pieces_of_a_wall_are_one),
        cmocka_unit_test(gaps_are_bridged),
        cmocka_unit_test(large_regions_and_distances),
    };
    return cmocka_run_group_tests_name("walls_relations", tests, NULL, NULL);
}
