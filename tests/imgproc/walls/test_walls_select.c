#include "support/walls.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "imgproc/walls/graph/line.h"
#include "imgproc/walls/author_route.h"
#include "imgproc/walls/route.h"
#include "imgproc/walls/select.h"

/* Two slanted walls, a ring and a short piece. */
static void draw_scene(drawing *d, rs_wallgraph *g)
{
    drawing_init(d, 90, 120);
    draw_segment(d, 6, 80, 90, 62, 0.6);
    draw_segment(d, 6, 70, 90, 52, 0.6);
    draw_circle(d, 40, 25, 15, 0.6);
    draw_segment(d, 100, 20, 104, 20, 0.4);
    thin(d);
    build_graph(d, 1e-9, NULL, g);
    assert_int_equal(g->walls, 4);
}

static int skeleton_size(const rs_wallgraph *g)
{
    int n = 0;
    for (int i = 0; i < g->grid.height * g->grid.width; i++) n += g->skeleton[i];
    return n;
}

static void every_kth_of_both_orders(void **state)
{
    (void)state;
    reshed_error err = {0};
    drawing d;
    rs_wallgraph g;
    draw_scene(&d, &g);
    int n = skeleton_size(&g);
    rs_pixel *list = rs_alloc((size_t)n, sizeof *list);
    int32_t *order = rs_alloc((size_t)n, sizeof *order);
    for (int i = 0, k = 0; i < d.height * d.width; i++)
        if (g.skeleton[i]) list[k++] = (rs_pixel){i / d.width, i % d.width};
    assert_ok(rs_route_author(list, n, d.height, d.width, order, &err), &err);
    for (int every = 1; every <= 7; every += 3) {
        rs_points author = {0}, raster = {0};
        assert_ok(rs_select_author(&g, every, NULL, &author, &err), &err);
        assert_ok(rs_select_raster(&g, every, NULL, &raster, &err), &err);
        assert_int_equal(author.n, (n + every - 1) / every);
        assert_int_equal(raster.n, author.n);
        for (int k = 0; k < author.n; k++) {
            rs_pixel a = list[order[k * every]], r = list[k * every];
            assert_true(author.p[k].at.row == a.row && author.p[k].at.col == a.col);
            assert_true(raster.p[k].at.row == r.row && raster.p[k].at.col == r.col);
            assert_int_equal(author.p[k].kind, RS_POINT_WALL);
            assert_int_equal(author.p[k].wall, g.wall_at[a.row * d.width + a.col]);
        }
        rs_points_clear(&author);
        rs_points_clear(&raster);
    }
    rs_free(order);
    rs_free(list);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

static void even_points_are_even(void **state)
{
    (void)state;
    reshed_error err = {0};
    drawing d;
    rs_wallgraph g;
    draw_scene(&d, &g);
    rs_points p = {0};
    double spacing = 7e-9;
    assert_ok(rs_select_even(&g, spacing, NULL, &p, &err), &err);
    for (int w = 0; w < 4; w++) {
        const rs_wall_line *line = &g.wall[w].line;
        bool closed = g.wall[w].end[0] == RS_END_CLOSED;
        int want = (int)fmax(1, floor(line->length / spacing + 0.5)), n = 0;
        double step = line->length / want, last = -1;
        for (int i = 0; i < p.n; i++) {
            if (p.p[i].wall != w) continue;
            rs_pixel at = p.p[i].at;
            assert_int_equal(g.wall_at[at.row * d.width + at.col], w);
            double place = closed ? n * step : (n + 0.5) * step;
            assert_near(p.p[i].along, place, 0.75e-9); /* at the nearest pixel */
            assert_true(p.p[i].along > last);
            last = p.p[i].along;
            n++;
        }
        assert_int_equal(n, want);
    }
    /* The short piece has one point, in its middle. */
    assert_int_equal(p.p[p.n - 1].wall, 3);
    assert_int_equal(p.p[p.n - 1].at.col, 102);
    /* Appending keeps what is there. */
    int before = p.n;
    assert_ok(rs_select_even(&g, spacing, NULL, &p, &err), &err);
    assert_int_equal(p.n, 2 * before);
    assert_memory_equal(&p.p[before].at, &p.p[0].at, sizeof p.p[0].at);
    rs_points_clear(&p);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

static void exclusions_hold_for_every_order(void **state)
{
    (void)state;
    reshed_error err = {0};
    drawing d;
    rs_wallgraph g;
    draw_scene(&d, &g);
    uint8_t rows[90];
    float *variance = rs_alloc(90 * 120, sizeof *variance);
    for (int i = 0; i < 90; i++) rows[i] = i < 66;
    for (int i = 0; i < 90 * 120; i++)
        variance[i] = i % 120 == 35 ? 0.2f : i % 120 == 36 ? NAN : 0.1f;
    const rs_exclusion e = {
        .margin = 13e-9, .row_ok = rows, .variance = variance, .variance_max = 0.15};
    for (int k = 0; k < 5; k++) {
        rs_points p = {0};
        reshed_status st =
            k == 0   ? rs_select_author(&g, 1, &e, &p, &err)
            : k == 1 ? rs_select_raster(&g, 1, &e, &p, &err)
            : k == 2 ? rs_select_even(&g, 1e-9, &e, &p, &err)
            : k == 3 ? rs_select_control(&g, RS_POINT_A_DOMAIN, 1000, 2e-9, NULL, &e, &p, &err)
                     : rs_select_control(&g, RS_POINT_C_DOMAIN, 1000, 2e-9, NULL, &e, &p, &err);
        assert_ok(st, &err);
        assert_true(p.n > 20);
        bool at_margin = false;
        for (int i = 0; i < p.n; i++) {
            rs_pixel q = p.p[i].at;
            assert_true(q.row >= 13 && q.row < 66 && q.col >= 13 && q.col <= 106);
            assert_true(q.col != 35 && q.col != 36);
            at_margin = at_margin || q.col == 13 || q.row == 13;
        }
        if (k < 2) assert_true(at_margin); /* 13 pixels of 1 nm are a margin of 13 nm */
        rs_points_clear(&p);
    }
    rs_exclusion bad = {.margin = -1};
    rs_points p = {0};
    assert_int_equal(rs_select_even(&g, 1e-9, &bad, &p, &err), RESHED_EINVAL);
    bad = (rs_exclusion){.variance = variance, .variance_max = NAN};
    assert_int_equal(rs_select_raster(&g, 1, &bad, &p, &err), RESHED_EINVAL);
    rs_free(variance);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

/* The least distance of any skeleton pixel, in pixels. */
static double from_skeleton(const rs_wallgraph *g, rs_pixel p)
{
    double least = HUGE_VAL;
    for (int i = 0; i < g->grid.height * g->grid.width; i++)
        if (g->skeleton[i])
            least = fmin(least, hypot(i / g->grid.width - p.row, i % g->grid.width - p.col));
    return least;
}

static void control_points_lie_in_their_domains(void **state)
{
    (void)state;
    reshed_error err = {0};
    drawing d;
    rs_wallgraph g;
    draw_scene(&d, &g);
    assert_int_equal(g.pairs, 1);
    rs_points p = {0};
    assert_ok(rs_select_control(&g, RS_POINT_A_DOMAIN, 5, 3e-9, NULL, NULL, &p, &err), &err);
    assert_int_equal(p.n, 5);
    for (int i = 0; i < 5; i++) {
        rs_pixel q = p.p[i].at;
        double y = 80 - (q.col - 6) * 18.0 / 84; /* the lower wall; the upper is 10 rows above */
        assert_true(q.row < y - 2 && q.row > y - 8);
        assert_true(from_skeleton(&g, q) >= 3);
        assert_int_equal(p.p[i].kind, RS_POINT_A_DOMAIN);
        assert_int_equal(p.p[i].wall, 0);
        for (int k = 0; k < i; k++)
            assert_true(hypot(q.row - p.p[k].at.row, q.col - p.p[k].at.col) > 12);
    }
    assert_ok(rs_select_control(&g, RS_POINT_C_DOMAIN, 4, 8e-9, NULL, NULL, &p, &err), &err);
    assert_int_equal(p.n, 9);
    for (int i = 5; i < 9; i++) {
        rs_pixel q = p.p[i].at;
        double y = 80 - (q.col - 6) * 18.0 / 84;
        assert_false(q.row < y && q.row > y - 10 && q.col > 6 && q.col < 90);
        assert_true(from_skeleton(&g, q) >= 8);
    }
    /* There is no place in an a-domain five pixels wide that is six from its walls. */
    assert_ok(rs_select_control(&g, RS_POINT_A_DOMAIN, 5, 6e-9, NULL, NULL, &p, &err), &err);
    assert_int_equal(p.n, 9);
    assert_ok(rs_select_control(&g, RS_POINT_C_DOMAIN, 0, 0, NULL, NULL, &p, &err), &err);
    assert_int_equal(p.n, 9);
    rs_points_clear(&p);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

/* The phase turns over at column 70, to the left also of a noisy spot that is no wall. */
static void control_points_on_180_degree_walls(void **state)
{
    (void)state;
    reshed_error err = {0};
    drawing d;
    rs_wallgraph g;
    draw_scene(&d, &g);
    float *phase = rs_alloc(90 * 120, sizeof *phase);
    test_rng r = {test_seed()};
    for (int i = 0; i < 90 * 120; i++)
        phase[i] = (float)((i % 120 < 70 ? 2.6 : 2.6 - RS_PI) + 0.1 * test_gauss(&r));
    phase[30 * 120 + 90] = 2.6f;
    phase[31 * 120 + 90] = NAN;
    rs_points p = {0};
    assert_ok(rs_select_control(&g, RS_POINT_180_WALL, 6, 5e-9, phase, NULL, &p, &err), &err);
    assert_int_equal(p.n, 6);
    for (int i = 0; i < p.n; i++) {
        assert_in_range(p.p[i].at.col, 69, 69);
        assert_true(from_skeleton(&g, p.p[i].at) >= 5);
        assert_int_equal(p.p[i].wall, -1);
    }
    assert_int_equal(rs_select_control(&g, RS_POINT_180_WALL, 6, 5e-9, NULL, NULL, &p, &err),
                     RESHED_EINVAL);
    assert_int_equal(rs_select_control(&g, RS_POINT_WALL, 6, 5e-9, phase, NULL, &p, &err),
                     RESHED_EINVAL);
    assert_int_equal(rs_select_control(&g, RS_POINT_A_DOMAIN, -1, 5e-9, phase, NULL, &p, &err),
                     RESHED_EINVAL);
    assert_int_equal(rs_select_control(&g, RS_POINT_A_DOMAIN, 1, NAN, phase, NULL, &p, &err),
                     RESHED_EINVAL);
    assert_int_equal(p.n, 6);
    rs_points_clear(&p);
    rs_free(phase);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

static void routes_reorder_points(void **state)
{
    (void)state;
    reshed_error err = {0};
    drawing d;
    rs_wallgraph g;
    draw_scene(&d, &g);
    rs_points p = {0}, q = {0};
    assert_ok(rs_select_raster(&g, 2, NULL, &p, &err), &err);
    assert_ok(rs_select_raster(&g, 2, NULL, &q, &err), &err);
    rs_xy start = {104e-9, -20e-9};
    int32_t *order = rs_alloc((size_t)q.n, sizeof *order);
    assert_ok(rs_route_points(&g.grid, &start, &q, order, &err), &err);
    assert_int_equal(q.p[0].at.row, 20);
    assert_in_range(q.p[0].at.col, 103, 104);
    double length[2] = {0, 0};
    int *seen = rs_zalloc(90 * 120, sizeof *seen);
    for (int i = 0; i < p.n; i++) {
        assert_memory_equal(&q.p[i].at, &p.p[order[i]].at, sizeof p.p[0].at);
        seen[p.p[i].at.row * 120 + p.p[i].at.col]++;
        seen[q.p[i].at.row * 120 + q.p[i].at.col]--;
        if (i == 0) continue;
        length[0] += rs_pixel_distance(&g.grid, p.p[i - 1].at, p.p[i].at);
        length[1] += rs_pixel_distance(&g.grid, q.p[i - 1].at, q.p[i].at);
    }
    for (int i = 0; i < 90 * 120; i++) assert_int_equal(seen[i], 0);
    assert_true(length[1] < 0.4 * length[0]);
    rs_free(order);
    rs_free(seen);
    rs_points_clear(&p);
    rs_points_clear(&q);
    assert_ok(rs_route_points(&g.grid, NULL, &p, NULL, &err), &err); /* no points: no route */
    rs_points_clear(&p);
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

static void selection_refuses(void **state)
{
    (void)state;
    reshed_error err = {0};
    drawing d;
    rs_wallgraph g;
    draw_scene(&d, &g);
    rs_points p = {0};
    assert_int_equal(rs_select_author(&g, 0, NULL, &p, &err), RESHED_EINVAL);
    assert_int_equal(rs_select_raster(&g, -1, NULL, &p, &err), RESHED_EINVAL);
    assert_int_equal(rs_select_even(&g, 0, NULL, &p, &err), RESHED_EINVAL);
    assert_int_equal(rs_select_even(&g, INFINITY, NULL, &p, &err), RESHED_EINVAL);
    for (int k = 0; k < 5; k++)
        for (long n = 0;; n++) {
            rs_points q = {0};
            if (k == 4) assert_ok(rs_select_raster(&g, 9, NULL, &q, &err), &err);
            int before = q.n;
            test_alloc_fail_at(n);
            reshed_status st =
                k == 0   ? rs_select_author(&g, 3, NULL, &q, &err)
                : k == 1 ? rs_select_raster(&g, 3, NULL, &q, &err)
                : k == 2 ? rs_select_even(&g, 3e-9, NULL, &q, &err)
                : k == 3 ? rs_select_control(&g, RS_POINT_C_DOMAIN, 3, 3e-9, NULL, NULL, &q, &err)
                         : rs_route_points(&g.grid, NULL, &q, NULL, &err);
            bool failed = test_alloc_failed();
            test_alloc_fail_at(-1);
            if (failed) {
                assert_int_equal(st, RESHED_ENOMEM);
                assert_int_equal(q.n, before);
            }
            rs_points_clear(&q);
            if (!failed) break;
        }
    rs_wallgraph_clear(&g);
    drawing_clear(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kth_of_both_orders),
        cmocka_unit_test(even_points_are_even),
        cmocka_unit_test(exclusions_hold_for_every_order),
        cmocka_unit_test(control_points_lie_in_their_domains),
        cmocka_unit_test(control_points_on_180_degree_walls),
        cmocka_unit_test(routes_reorder_points),
        cmocka_unit_test(selection_refuses),
    };
    return cmocka_run_group_tests_name("walls_select", tests, NULL, NULL);
}
