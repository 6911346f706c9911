/* The recipe against its steps, called one by one; its exclusions and orders; the programs'
 * defaults. */
#include "support/walls.h"
#include "support/tolerance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "imgproc/image/skeleton.h"
#include "imgproc/image/threshold.h"
#include "imgproc/walls/graph/build.h"
#include "imgproc/walls/compare.h"
#include "imgproc/walls/family.h"
#include "imgproc/walls/find.h"
#include "imgproc/walls/graph/line.h"

/* Every wall counts, up to the edge. */
static void start_from(rs_find_options *o)
{
    rs_find_defaults(o);
    o->low = 0.4;
    o->every = 5;
    o->min_wall.value = o->margin.value = 0;
    o->control_distance.value = 3;
}

enum { H = 70, W = 100 };

static float map[H * W], variance[H * W];

/* Two slanted walls that bound a domain, a third one across, and a scrap of five pixels. The value
 * falls off to either side; the scrap is faint. */
static void draw_map(void)
{
    for (int i = 0; i < H * W; i++) {
        const double x = i % W, y = i / W;
        const double a = fabs(y - 20 - 0.1 * x), b = fabs(y - 28 - 0.1 * x), c = fabs(x - 80);
        double nearest = fmin(fmin(a, b), y > 45 ? c : 99);
        map[i] = (float)fmax(0.02, 0.9 - 0.25 * nearest);
        if (y == 60 && x >= 20 && x < 25) map[i] = 0.5f;
        variance[i] = x < 30 ? 0.2f : 0.01f;
    }
}

static rs_find_input input_of(double size)
{
    return (rs_find_input){.grid = {H, W, size, size}, .map = map};
}

static void assert_found_is_sound(const rs_found *f)
{
    assert_graph_is_sound(&f->graph);
    uint8_t *seen = rs_zalloc((size_t)f->points.n + 1, 1);
    int set = 0;
    for (int i = 0; i < f->points.n; i++) {
        const rs_point *p = &f->points.p[i];
        assert_true(p->at.row >= 0 && p->at.row < H && p->at.col >= 0 && p->at.col < W);
        assert_true(f->target[i] >= 0 && f->target[i] < f->points.n && !seen[f->target[i]]);
        seen[f->target[i]] = 1;
        if (p->kind == RS_POINT_WALL)
            assert_int_equal(f->graph.wall_at[p->at.row * W + p->at.col], p->wall);
    }
    for (int i = 0; i < H * W; i++) set += f->graph.skeleton[i];
    assert_int_equal(set, f->skeleton_pixels);
    rs_free(seen);
}

static void equals_its_steps(void **state)
{
    (void)state;
    reshed_error err = {0};
    const double size = 3e-9;
    static uint8_t mask[H * W], skeleton[H * W];
    draw_map();
    rs_find_input in = input_of(size);
    in.variance = variance;
    rs_find_options o;
    rs_found f;
    memset(&f, 0x5a, sizeof f);
    start_from(&o);
    o.min_wall = (rs_length){6, false};
    assert_ok(rs_find(&in, &o, &f, &err), &err);
    assert_found_is_sound(&f);

    rs_threshold(map, H * W, 0.4, mask);
    assert_memory_equal(f.mask, mask, sizeof mask);
    assert_ok(rs_thin(mask, H, W, skeleton, &err), &err);
    const rs_wallgraph_input steps = {.grid = in.grid,
                                      .skeleton = skeleton,
                                      .mask = mask,
                                      .probability = map,
                                      .variance = variance};
    rs_wallgraph_options go;
    rs_wallgraph g;
    rs_points p = {0};
    int families;
    rs_wallgraph_options_defaults(&go);
    go.blunt_ends = go.near_joints = true;
    go.min_wall = 6 * sqrt(size) * sqrt(size);
    assert_ok(rs_wallgraph_build(&steps, &go, &g, &err), &err);
    assert_ok(rs_wall_families(&g, 10 * RS_DEGREE, 0, &families, &err), &err);
    assert_ok(rs_select_even(&g, 5 * sqrt(size) * sqrt(size), NULL, &p, &err), &err);
    assert_ok(rs_route_points(&g.grid, NULL, &p, NULL, &err), &err);
    assert_int_equal(f.graph.walls, g.walls);
    assert_int_equal(f.families, families);
    assert_int_equal(f.graph.walls, 3); /* without the scrap */
    assert_int_equal(f.families, 2);
    assert_memory_equal(f.graph.skeleton, g.skeleton, H * W);
    for (int w = 0; w < g.walls; w++) {
        assert_int_equal(f.graph.wall[w].family, g.wall[w].family);
        assert_true(f.graph.wall[w].line.length == g.wall[w].line.length);
        assert_true(f.graph.wall[w].line.variance == g.wall[w].line.variance);
    }
    assert_int_equal(f.points.n, p.n);
    for (int i = 0; i < p.n; i++)
        assert_memory_equal(&f.points.p[i].at, &p.p[i].at, sizeof p.p->at);
    assert_near(f.threshold, 0.4, 0);
    int set = 0;
    for (int i = 0; i < H * W; i++) set += mask[i];
    assert_int_equal(f.mask_pixels, set);
    rs_points_clear(&p);
    rs_wallgraph_clear(&g);
    rs_found_clear(&f);
    rs_found_clear(&f); /* twice does no harm */
}

static void lengths_in_metres_and_pixels(void **state)
{
    (void)state;
    reshed_error err = {0};
    const rs_grid flat = {4, 4, 2e-9, 8e-9};
    assert_near(rs_length_on(&flat, (rs_length){3, false}), 12e-9, TOL_PIXEL);
    assert_near(rs_length_on(&flat, (rs_length){3e-9, true}), 3e-9, 0);
    draw_map();
    rs_find_input in = input_of(3e-9);
    rs_find_options o;
    rs_found f[2];
    for (int k = 0; k < 2; k++) {
        const double unit = k ? 3e-9 : 1;
        start_from(&o);
        o.min_wall = (rs_length){6.5 * unit, k == 1};
        o.spur = (rs_length){2.5 * unit, k == 1};
        o.spacing = (rs_length){8 * unit, k == 1};
        o.margin = (rs_length){10 * unit, k == 1};
        o.control[RS_FIND_C_DOMAIN] = 3;
        o.control_distance = (rs_length){9 * unit, k == 1};
        assert_ok(rs_find(&in, &o, &f[k], &err), &err);
        assert_found_is_sound(&f[k]);
        assert_int_equal(f[k].controls[RS_FIND_C_DOMAIN], 3);
    }
    assert_int_equal(f[0].points.n, f[1].points.n);
    for (int i = 0; i < f[0].points.n; i++) {
        const rs_pixel a = f[0].points.p[i].at, b = f[1].points.p[i].at;
        assert_true(a.row == b.row && a.col == b.col);
        assert_true(a.row >= 10 && a.row <= H - 11 && a.col >= 10 && a.col <= W - 11);
    }
    rs_found_clear(&f[0]);
    rs_found_clear(&f[1]);
}

static void thresholds(void **state)
{
    (void)state;
    reshed_error err = {0};
    draw_map();
    const rs_find_input in = input_of(1);
    rs_find_options o;
    rs_found f;
    static uint8_t mask[H * W];
    double t;
    start_from(&o);
    o.rule = RS_FIND_OTSU;
    assert_ok(rs_find_walls(&in, &o, &f, &err), &err);
    assert_ok(rs_threshold_otsu(map, H * W, &t, &err), &err);
    assert_true(f.threshold == t && f.points.n == 0 && !f.target);
    rs_found_clear(&f);
    o.rule = RS_FIND_HYSTERESIS; /* the scrap does not reach 0.8 */
    o.low = 0.3;
    o.high = 0.8;
    assert_ok(rs_find_walls(&in, &o, &f, &err), &err);
    assert_ok(rs_threshold_hysteresis(map, H, W, 0.3, 0.8, mask, &err), &err);
    assert_memory_equal(f.mask, mask, sizeof mask);
    assert_true(f.threshold == 0.8 && !f.mask[60 * W + 22]);
    rs_found_clear(&f);
    o.high = 0.95; /* nothing does */
    assert_ok(rs_find(&in, &o, &f, &err), &err);
    assert_true(f.graph.walls == 0 && f.points.n == 0 && f.mask_pixels == 0 && f.families == 0);
    rs_found_clear(&f);
}

static void rows_and_variance_keep_points_away(void **state)
{
    (void)state;
    reshed_error err = {0};
    static uint8_t rows[H];
    draw_map();
    memset(rows, 0, sizeof rows);
    memset(rows + 10, 1, 40);
    for (int walls = 0; walls < 2; walls++) {
        rs_find_input in = input_of(1);
        rs_find_options o;
        rs_found f;
        in.variance = variance;
        in.point_rows = rows;
        if (walls) in.wall_rows = rows;
        start_from(&o);
        o.max_variance = 0.1;
        assert_ok(rs_find(&in, &o, &f, &err), &err);
        assert_found_is_sound(&f);
        assert_true(f.points.n > 20);
        for (int i = 0; i < f.points.n; i++) {
            const rs_pixel p = f.points.p[i].at;
            assert_true(p.row >= 10 && p.row < 50 && p.col >= 30);
        }
        int below = 0;
        for (int i = 50 * W; i < H * W; i++) below += f.mask[i];
        assert_int_equal(below == 0, walls);
        rs_found_clear(&f);
    }
}

/* A skeleton that is known is taken as it is; without a mask there are no widths. */
static void begins_with_a_skeleton(void **state)
{
    (void)state;
    reshed_error err = {0};
    draw_map();
    rs_find_input in = input_of(2e-9);
    rs_find_options o;
    rs_found f, again;
    start_from(&o);
    assert_ok(rs_find_walls(&in, &o, &f, &err), &err);
    in.skeleton = f.graph.skeleton;
    in.mask = f.mask;
    for (int k = 0; k < 2; k++) {
        assert_ok(rs_find_walls(&in, &o, &again, &err), &err);
        assert_true(!again.mask && again.graph.walls == f.graph.walls);
        assert_memory_equal(again.graph.skeleton, f.graph.skeleton, H * W);
        for (int w = 0; w < f.graph.walls; w++) {
            assert_int_equal(again.graph.wall[w].family, f.graph.wall[w].family);
            if (k == 0) assert_true(again.graph.wall[w].line.width == f.graph.wall[w].line.width);
            if (k == 1) assert_true(isnan(again.graph.wall[w].line.width));
        }
        rs_found_clear(&again);
        in.mask = NULL;
        in.map = NULL;
    }
    rs_found_clear(&f);
}

static void orders_and_their_targets(void **state)
{
    (void)state;
    reshed_error err = {0};
    draw_map();
    rs_find_input in = input_of(1);
    rs_find_options o;
    rs_found f;
    rs_route_comparison c;
    const double start[] = {62, 78};
    start_from(&o);
    o.control[RS_FIND_A_DOMAIN] = 2;
    o.control_distance = (rs_length){2, false};
    in.start = start;
    for (int order = RS_FIND_ROUTE; order <= RS_FIND_RASTER; order++) {
        o.order = (rs_find_order)order;
        assert_ok(rs_find(&in, &o, &f, &err), &err);
        assert_found_is_sound(&f);
        assert_int_equal(f.controls[RS_FIND_A_DOMAIN], 2);
        const int n = f.points.n;
        for (int i = 0; i < n; i++)
            for (int k = 0; k < n; k++) {
                const rs_point *a = &f.points.p[i], *b = &f.points.p[k];
                const bool before = f.target[i] < f.target[k];
                if (a->kind != b->kind)
                    assert_int_equal(before, a->kind == RS_POINT_WALL);
                else if (a->kind == RS_POINT_WALL && order == RS_FIND_ROUTE)
                    assert_true(i == k || a->wall == b->wall ? !before || a->along < b->along
                                                             : before == (a->wall < b->wall));
                else if (a->kind == RS_POINT_WALL)
                    assert_int_equal(before, a->at.row * W + a->at.col < b->at.row * W + b->at.col);
            }
        if (order == RS_FIND_ROUTE) assert_true(f.points.p[0].at.row > 55);
        assert_ok(rs_compare_routes(&in.grid, &f.points, &c, &err), &err);
        if (order == RS_FIND_ROUTE) assert_true(c.length < 1.2 * c.author_length); /* fixed start */
        if (order == RS_FIND_RASTER) assert_true(c.length > c.author_length);
        rs_found_clear(&f);
    }
}

/* The least distance of two points, of any kind. */
static double nearest(const rs_found *f)
{
    double least = INFINITY;
    for (int i = 0; i < f->points.n; i++)
        for (int k = 0; k < i; k++)
            least = fmin(least,
                         rs_pixel_distance(&f->graph.grid, f->points.p[i].at, f->points.p[k].at));
    return least;
}

/* In noise walls meet everywhere, and one junction would be measured for each of them. */
static void points_keep_their_distance(void **state)
{
    (void)state;
    reshed_error err = {0};
    test_rng r = {test_seed()};
    for (int i = 0; i < H * W; i++) map[i] = (float)test_uniform(&r, 0, 1);
    for (int order = RS_FIND_ROUTE; order <= RS_FIND_RASTER; order++)
        for (int k = 0; k < 12; k++) {
            static const double asked[] = {-1, 0, 3, 7.5, 1000, 2};
            const bool metres = asked[k / 2] == 7.5;
            rs_find_input in = {.grid = {30, 50, 1, 1}, .map = map};
            rs_find_options o;
            rs_found f;
            start_from(&o);
            o.order = (rs_find_order)order;
            o.thinning = k % 3 ? RS_FIND_KEEP : RS_FIND_SKIMAGE;
            o.every = k % 2 ? 1 : 5;
            o.min_distance = (rs_length){asked[k / 2], metres};
            o.control[RS_FIND_C_DOMAIN] = 60;
            o.control_distance = (rs_length){1, false};
            if (metres) in.grid.dx = 0.8, in.grid.dy = 2.5; /* and not square */
            const double least = asked[k / 2] < 0 ? fmin(2, o.every) : asked[k / 2];
            assert_near(rs_find_min_distance(&in.grid, &o), least, 1e-12);
            assert_ok(rs_find(&in, &o, &f, &err), &err);
            assert_true(f.points.n > 0);
            if (!(nearest(&f) >= least * (1 - 1e-9)))
                fail_msg("order %d, %g asked: two points are %g apart (seed %llu)", order, least,
                         nearest(&f), (unsigned long long)test_seed());
            if (least == 0 && order == RS_FIND_ROUTE) assert_true(nearest(&f) == 0);
            if (least == 1000) assert_int_equal(f.points.n, 1);
            rs_found_clear(&f);
        }
}

/* Lines far enough apart lose nothing: all pixels of lines side by side when all are asked for,
 * and as many points with a distance as without. Where a wall begins on another, its first point
 * gives way. */
static void distance_costs_no_points(void **state)
{
    (void)state;
    reshed_error err = {0};
    for (int diagonal = 0; diagonal < 2; diagonal++)
        for (int every = 1; every <= 8; every += 7) {
            int n[2];
            for (int k = 0; k < 2; k++) {
                rs_find_input in = input_of(1);
                rs_find_options o;
                rs_found f;
                memset(map, 0, sizeof map);
                for (int i = 5; i < 60; i++)
                    for (int line = 0; line < 3; line++)
                        map[diagonal ? i * W + i + 3 * line : (20 + 2 * line) * W + i] = 1;
                start_from(&o);
                o.every = every;
                o.min_distance.value = k - 1; /* the default; 0 */
                assert_ok(rs_find(&in, &o, &f, &err), &err);
                assert_int_equal(f.graph.walls, 3);
                n[k] = f.points.n;
                if (every == 1 && !diagonal) assert_int_equal(n[k], 3 * 54);
                rs_found_clear(&f);
            }
            assert_int_equal(n[0], n[1]);
        }
    memset(map, 0, sizeof map);
    for (int i = 5; i < 85; i++) map[30 * W + i] = 1;
    for (int i = 0; i < 9; i++) map[(31 + i) * W + 44] = 1; /* one point, in its middle */
    rs_find_input in = input_of(1);
    rs_find_options o;
    rs_found f;
    start_from(&o);
    o.every = 8;
    o.min_distance.value = 7;
    assert_ok(rs_find(&in, &o, &f, &err), &err);
    int on[2] = {0, 0};
    for (int i = 0; i < f.points.n; i++) on[f.points.p[i].wall]++;
    assert_true(f.graph.walls == 2 && on[0] == 10 && on[1] == 1 && nearest(&f) >= 7);
    rs_found_clear(&f);
}

/* Points listed in the author's own order give the same tour twice; a place given twice counts once
 * for the author. */
static void tours_are_compared(void **state)
{
    (void)state;
    reshed_error err = {0};
    const rs_grid grid = {20, 30, 5e-9, 7e-9}; /* lengths are in pixels all the same */
    rs_point list[] = {{.at = {0, 0}}, {.at = {0, 4}}, {.at = {3, 4}}, {.at = {19, 4}}};
    rs_points p = {4, list};
    rs_route_comparison c;
    assert_ok(rs_compare_routes(&grid, &p, &c, &err), &err);
    assert_near(c.length, 4 + 3 + 16, TOL_DOUBLE);
    assert_near(c.longest, 16, TOL_DOUBLE);
    assert_true(c.author_length == c.length && c.author_longest == c.longest);
    list[3].at = (rs_pixel){0, 0};
    assert_ok(rs_compare_routes(&grid, &p, &c, &err), &err);
    assert_near(c.length, 4 + 3 + 5, TOL_DOUBLE);
    assert_near(c.author_length, 4 + 3, TOL_DOUBLE);
    p.n = 0;
    assert_ok(rs_compare_routes(&grid, &p, &c, &err), &err);
    assert_true(c.length == 0 && c.author_length == 0 && c.author_longest == 0);
    p.n = 4;
    for (long n = 0;; n++) {
        rs_route_comparison out = {.length = -7};
        test_alloc_fail_at(n);
        reshed_status st = rs_compare_routes(&grid, &p, &out, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_true(n > 4);
            break;
        }
        assert_int_equal(st, RESHED_ENOMEM);
        assert_true(out.length == -7);
    }
}

/* The defaults of all programs: a change of these changes their results. */
static void programs_start_from(void **state)
{
    (void)state;
    rs_find_options o;
    rs_find_defaults(&o);
    assert_true(o.low == 0.5 && o.thinning == RS_FIND_KEEP && o.order == RS_FIND_ROUTE);
    assert_true(o.every == 8 && o.min_wall.value == 12 && o.margin.value == 4 &&
                o.control_distance.value == 6 && o.min_distance.value < 0 && o.max_points == 0 &&
                o.spacing.value == 0 && isinf(o.max_variance));
    assert_true(rs_find_set(&o, "threshold", 0.3) && o.low == 0.3);
    assert_true(rs_find_set(&o, "every", 3) && o.every == 3);
    assert_true(rs_find_set(&o, "min_wall", 5) && o.min_wall.value == 5 && !o.min_wall.metres);
    assert_true(rs_find_set(&o, "control_180", 2) && o.control[RS_FIND_180_WALL] == 2);
    assert_true(rs_find_set(&o, "order", 1) && o.order == RS_FIND_AUTHOR);
    assert_false(rs_find_set(&o, "voltage", 8));
    static const char *const whole[] = {"thinning", "every", "max_points", "order", "control_a"};
    static const double wrong[] = {1e300, -1e300, 2147483648.0, -2, NAN, INFINITY};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
            rs_find_options bad = o;
            reshed_error err = {0};
            assert_true(rs_find_set(&bad, whole[i], wrong[k]));
            assert_int_equal(rs_find_check(&bad, &err), RESHED_EINVAL);
        }
    rs_find_unnamed(&o);
    assert_true(o.thinning == RS_FIND_SKIMAGE && o.min_distance.value == 0 && o.every == 3);
}

/* Each wall keeps its share of the points, and they keep their order. */
static void fewer_points_are_shared_out(void **state)
{
    (void)state;
    reshed_error err = {0};
    draw_map();
    const rs_find_input in = input_of(1);
    rs_find_options o;
    rs_found all, some;
    start_from(&o);
    assert_ok(rs_find(&in, &o, &all, &err), &err);
    assert_true(all.points.n > 12);
    o.max_points = all.points.n / 3;
    assert_ok(rs_find(&in, &o, &some, &err), &err);
    assert_int_equal(some.points.n, o.max_points);
    int at = 0, on[64] = {0}, seen[512] = {0};
    for (int i = 0; i < some.points.n; i++) {
        while (at < all.points.n &&
               memcmp(&all.points.p[at].at, &some.points.p[i].at, sizeof all.points.p[at].at) != 0)
            at++;
        assert_true(at < all.points.n);
        if (some.points.p[i].wall >= 0) on[some.points.p[i].wall]++;
        assert_in_range(some.target[i], 0, some.points.n - 1);
        assert_int_equal(seen[some.target[i]]++, 0);
    }
    for (int w = 0; w < some.graph.walls && w < 64; w++) assert_true(on[w] > 0);
    o.max_points = -1;
    assert_int_equal(rs_find_check(&o, &err), RESHED_EINVAL);
    rs_found_clear(&all);
    rs_found_clear(&some);
}

/* c+ on the left of column 60, c- on the right of it: the wall that runs there is a 180-degree one and
 * gets no points unless they are asked for; control points on it stay possible. Walls of the map that
 * cross it keep their kind. */
static void a_phase_tells_the_kinds(void **state)
{
    (void)state;
    static float amplitude[H * W], phase[H * W];
    reshed_error err = {0};
    rs_find_options o;
    rs_found f = {0};
    draw_map();
    for (int i = 0; i < H * W; i++) {
        const double x = i % W - 60.5;
        if (i / W > 40) map[i] = (float)fmax(0.02, 0.9 - 0.25 * fabs(fabs(x) - 2));
        amplitude[i] = (float)fabs(tanh(0.7 * x));
        phase[i] = x < 0 ? 0.4f : (float)(0.4 - RS_PI);
    }
    start_from(&o);
    rs_find_input in = input_of(1);
    for (int way = 0; way < 4; way++) { /* no phase; with it; asked for; control points */
        in.phase = way ? phase : NULL;
        in.strength = amplitude;
        o.on_180 = way == 2;
        o.control[RS_FIND_180_WALL] = way == 3 ? 3 : 0;
        o.control_distance.value = 0;
        assert_ok(rs_find(&in, &o, &f, &err), &err);
        int on = 0, elsewhere = 0;
        for (int i = 0; i < f.points.n; i++) {
            if (f.points.p[i].kind != RS_POINT_WALL) continue;
            on += abs(f.points.p[i].at.col - 60) <= 4;
            elsewhere += f.points.p[i].at.col < 50;
        }
        assert_true(elsewhere > 10);
        assert_int_equal(way == 1 || way == 3, on == 0);
        assert_int_equal(way != 0, f.kind != NULL);
        if (way == 3) assert_int_equal(f.controls[RS_FIND_180_WALL], 3);
        for (int w = 0; w < f.graph.walls; w++) {
            const rs_wall *wall = &f.graph.wall[w];
            const rs_pixel *p = f.graph.pixel + wall->line.first;
            const bool flank = p[0].row > 40 && abs(p[0].col - 60) <= 4;
            if (!way) assert_true(wall->kind == -1 && isnan(wall->sure));
            if (way) assert_int_equal(wall->kind, flank ? RS_WALL_180 : RS_WALL_FERROELASTIC);
            if (way && flank) assert_true(wall->sure > 0.9 && wall->sure <= 1);
        }
        if (way) assert_true(f.kinds[RS_WALL_180] >= 1 && f.kinds[RS_WALL_MIXED] == 0);
        rs_found_clear(&f);
    }
    for (int i = 0; i < H * W; i++) phase[i] = i % 2 ? NAN : 0; /* nothing was recorded */
    o.control[RS_FIND_180_WALL] = 0;
    assert_ok(rs_find(&in, &o, &f, &err), &err);
    assert_null(f.kind);
    rs_found_clear(&f);
    assert_string_equal(rs_wall_kind_name(-1), "");
    assert_string_equal(rs_wall_kind_name(RS_WALL_MIXED), "mixed");
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    reshed_error err = {0};
    draw_map();
    const double nowhere[] = {NAN, 3};
    rs_find_input good_in = input_of(1), in;
    rs_find_options good, o;
    rs_found f = {.families = -7};
    start_from(&good);
    assert_ok(rs_find_check(&good, &err), &err);
#define REFUSED(change)                                                                            \
    o = good;                                                                                      \
    in = good_in;                                                                                  \
    change;                                                                                        \
    assert_int_equal(rs_find(&in, &o, &f, &err), RESHED_EINVAL);                                   \
    assert_int_equal(f.families, -7)
    REFUSED(o.rule = (rs_find_threshold)9);
    REFUSED(o.low = NAN);
    REFUSED(o.high = INFINITY);
    REFUSED(o.rule = RS_FIND_HYSTERESIS; o.low = 0.5; o.high = 0.4);
    REFUSED(o.order = (rs_find_order)3);
    REFUSED(o.every = 0);
    REFUSED(o.spacing.value = -1);
    REFUSED(o.spacing.value = INFINITY);
    REFUSED(o.min_distance.value = NAN);
    REFUSED(o.min_distance.value = INFINITY);
    REFUSED(o.min_wall.value = NAN);
    REFUSED(o.spur.value = -1);
    REFUSED(o.domain_max.value = -1);
    REFUSED(o.margin.value = INFINITY);
    REFUSED(o.control_distance.value = NAN);
    REFUSED(o.control[RS_FIND_C_DOMAIN] = -1);
    REFUSED(o.control[RS_FIND_180_WALL] = 1); /* no phase */
    REFUSED(o.max_variance = NAN);
    REFUSED(o.family_angle = 2);
    REFUSED(o.reach = 1);
    REFUSED(o.turn = -1);
    REFUSED(o.corner = 4);
    REFUSED(in.grid.dx = 0);
    REFUSED(in.map = NULL);
    REFUSED(in.start = nowhere);
#undef REFUSED
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    reshed_error err = {0};
    draw_map();
    rs_find_input in = input_of(1);
    rs_find_options o;
    start_from(&o);
    o.control[RS_FIND_A_DOMAIN] = o.control[RS_FIND_C_DOMAIN] = 1;
    for (int order = RS_FIND_ROUTE; order <= RS_FIND_RASTER; order++)
        for (long n = 0;; n++) {
            rs_found f = {.families = -7};
            o.order = (rs_find_order)order;
            test_alloc_fail_at(n);
            reshed_status st = rs_find(&in, &o, &f, &err);
            bool failed = test_alloc_failed();
            test_alloc_fail_at(-1);
            if (!failed) {
                assert_int_equal(st, RESHED_OK);
                assert_true(n > 40);
                rs_found_clear(&f);
                break;
            }
            assert_int_equal(st, RESHED_ENOMEM);
            assert_int_equal(f.families, -7);
        }
}

/* The program at the top of find.h. */
static int moves;

static void move_to(rs_pixel at)
{
    assert_true(at.row >= 0 && at.row < H && at.col >= 0 && at.col < W);
    moves++;
}

static void the_program_of_the_header_runs(void **state)
{
    (void)state;
    const int height = H, width = W;
    const double dx = 4e-9, dy = 4e-9;
    const float *mean = map;
    reshed_error e = {0}, *err = &e;
    reshed_status st;
    draw_map();
    rs_find_input in = {.grid = {height, width, dx, dy}, .map = mean};
    rs_find_options options;
    rs_found found;
    start_from(&options);
    options.spacing = (rs_length){20e-9, .metres = true};
    st = rs_find(&in, &options, &found, err);
    assert_ok(st, err);
    for (int i = 0; i < found.points.n; i++) move_to(found.points.p[i].at);
    assert_true(moves > 40);
    rs_found_clear(&found);
}

/* A line of the scan that differs from its neighbours is told by the amplitude where the map has made
 * three rows of it; the dip of a wall is not, nor a wall that slants. */
static void lines_of_the_scan_are_flagged(void **state)
{
    (void)state;
    static float amplitude[H * W];
    reshed_error err = {0};
    rs_find_options o;
    rs_found found;
    start_from(&o);
    for (int i = 0; i < H * W; i++) {
        const int r = i / W, c = i % W;
        const bool mark = abs(r - 15) <= 1, wall = abs(r - 40) <= 1;
        map[i] = (mark || wall) && c > 5 && c < 90 ? (r == 15 || r == 40 ? 0.9f : 0.6f) : 0.02f;
        amplitude[i] = 1 + 0.001f * (float)((7 * c + 3 * r) % 11);
        if (r == 15) amplitude[i] = 0.5f;
        amplitude[i] -= 0.6f * expf(-0.5f * (float)((r - 40) * (r - 40)));
    }
    rs_find_input in = input_of(10e-9);
    in.amplitude = amplitude;
    assert_ok(rs_find_walls(&in, &o, &found, &err), &err);
    assert_int_equal(found.graph.walls, 2);
    assert_int_equal(found.scan_lines, 1);
    for (int w = 0; w < 2; w++)
        assert_int_equal(found.graph.wall[w].scan_line,
                         found.graph.pixel[found.graph.wall[w].line.first + 20].row < 30);
    rs_found_clear(&found);
    in.amplitude = NULL; /* three rows high: nothing to tell it by */
    assert_ok(rs_find_walls(&in, &o, &found, &err), &err);
    assert_int_equal(found.scan_lines, 0);
    rs_found_clear(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_the_scan_are_flagged),
        cmocka_unit_test(equals_its_steps),
        cmocka_unit_test(lengths_in_metres_and_pixels),
        cmocka_unit_test(thresholds),
        cmocka_unit_test(rows_and_variance_keep_points_away),
        cmocka_unit_test(begins_with_a_skeleton),
        cmocka_unit_test(orders_and_their_targets),
        cmocka_unit_test(points_keep_their_distance),
        cmocka_unit_test(distance_costs_no_points),
        cmocka_unit_test(tours_are_compared),
        cmocka_unit_test(programs_start_from),
        cmocka_unit_test(fewer_points_are_shared_out),
        cmocka_unit_test(a_phase_tells_the_kinds),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(the_program_of_the_header_runs),
    };
    return cmocka_run_group_tests_name("walls_find", tests, NULL, NULL);
}
