/* From maps to points: pictures with known walls, in frames straight and turned; the rows that do
 * not count, the three orders, thinning; and the twin's film, on whose walls the points must lie.
 */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "spm/scan/choose.h"
#include "spm/instrument/coords.h"
#include "spm/twin/sample.h"

enum { H = 60, W = 80 };

static float map[H * W];

/* frame of 20 nm pixels */
static rs_frame frame_of(int rows, int cols, double angle)
{
    return (rs_frame){.cx = 3e-6,
                      .cy = -1e-6,
                      .width = 20e-9 * cols,
                      .height = 20e-9 * rows,
                      .angle = angle,
                      .rows = rows,
                      .cols = cols};
}

/* Three pixels wide; nothing about the picture is symmetric: a long wall down column 60, a shorter
 * one along row 10 at the upper left, a scrap of four pixels below. */
static void draw(void)
{
    for (int i = 0; i < H * W; i++) {
        int r = i / W, c = i % W;
        bool on = abs(c - 60) <= 1 || (abs(r - 10) <= 1 && c >= 8 && c <= 40) ||
                  (r == 45 && c >= 20 && c < 24);
        map[i] = on ? 0.9f : 0.1f;
    }
}

static void choose(const rs_frame *f, const uint8_t *rows, const rs_choose_options *o,
                   rs_choice *out)
{
    reshed_error err = {0};
    memset(out, 0x5a, sizeof *out);
    assert_ok(rs_choose(f, map, NULL, rows, NULL, o, out, &err), &err);
}

/* Asserts what holds for every choice. */
static void check_choice(const rs_choice *c, const rs_frame *f)
{
    uint8_t *seen = rs_zalloc((size_t)c->n + 1, 1);
    double ca = cos(f->angle), sa = sin(f->angle);
    for (int i = 0; i < c->n; i++) {
        const rs_session_point *p = &c->point[i];
        assert_true(p->target >= 0 && p->target < c->n && !seen[p->target]);
        seen[p->target] = 1;
        assert_true(p->row == floor(p->row) && p->col == floor(p->col));
        if (p->kind == RS_POINT_WALL) {
            int at = (int)p->row * c->cols + (int)p->col;
            assert_true(p->wall >= 0 && p->wall < c->walls);
            assert_true(c->skeleton[at] == 1 && c->binary[at] == 1);
        } else {
            assert_int_equal(p->wall, -1);
        }
        /* The stage by hand: row 0 is up, column 0 left, angles counter-clockwise. */
        double x = ((p->col + 0.5) / f->cols - 0.5) * f->width;
        double y = (0.5 - (p->row + 0.5) / f->rows) * f->height;
        assert_near(p->x, f->cx + x * ca - y * sa, 1e-17);
        assert_near(p->y, f->cy + x * sa + y * ca, 1e-17);
        assert_true(p->device_x == p->x && p->device_y == p->y);
        assert_true(isnan(p->measured_x) && isnan(p->measured_y) && isnan(p->time));
        assert_int_equal(p->state, RS_SESSION_PENDING);
    }
    for (int i = 0; i < c->rows * c->cols; i++)
        assert_true(c->binary[i] <= 1 && c->skeleton[i] <= c->binary[i]);
    rs_free(seen);
}

static void walls_and_points(void **state)
{
    (void)state;
    rs_choose_options o;
    rs_choice c;
    rs_choose_defaults(&o);
    o.every = 10;
    draw();
    for (int k = 0; k < 4; k++) {
        rs_frame f = frame_of(H, W, 0.8 * k);
        choose(&f, NULL, &o, &c);
        check_choice(&c, &f);
        assert_true(c.rows == H && c.cols == W && c.walls == 2 && c.families == 2);
        assert_near(c.graph.wall[0].line.length, (H - 1) * 20e-9, 3 * 20e-9);
        assert_near(c.graph.wall[1].line.length, 32 * 20e-9, 4 * 20e-9);
        for (int i = 0; i < H * W; i++) {
            bool scrap = i / W == 45 && i % W >= 20 && i % W < 24;
            assert_int_equal(c.binary[i], map[i] > 0.5f);
            assert_true(!scrap || !c.skeleton[i]);
        }
        /* Ten pixels apart, none within four pixels of the edge. */
        int count[2] = {0, 0};
        for (int i = 0; i < c.n; i++) {
            const rs_session_point *p = &c.point[i];
            assert_true(p->row >= 4 && p->row <= H - 5 && p->col >= 4 && p->col <= W - 5);
            count[p->wall]++;
            if (p->wall == 0)
                assert_near(p->col, 60, 1);
            else
                assert_near(p->row, 10, 1);
            assert_int_equal(p->kind, RS_POINT_WALL);
        }
        assert_true(count[0] >= 5 && count[0] <= 6);
        assert_true(count[1] >= 3 && count[1] <= 4);
        rs_choice_clear(&c);
    }
    rs_choice_clear(&c);
}

/* In noise walls meet everywhere: no place is measured twice unless that is asked for. */
static void points_keep_their_distance(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    rs_frame f = frame_of(H, W, 0.3);
    for (int i = 0; i < H * W; i++) map[i] = (float)test_uniform(&r, 0, 1);
    for (int k = 0; k < 3; k++) {
        static const double least[] = {2, 0, 5};
        rs_choose_options o;
        rs_choice c;
        rs_choose_defaults(&o);
        o.min_wall = 0;
        if (k) o.min_distance = least[k];
        choose(&f, NULL, &o, &c);
        double nearest = INFINITY;
        for (int i = 0; i < c.n; i++)
            for (int j = 0; j < i; j++)
                nearest = fmin(nearest, hypot(c.point[i].row - c.point[j].row,
                                              c.point[i].col - c.point[j].col));
        assert_true(c.n > 20 && (least[k] > 0 ? nearest >= least[k] : nearest < 2));
        rs_choice_clear(&c);
    }
}

static void rows_that_are_not_final_do_not_count(void **state)
{
    (void)state;
    static uint8_t rows[H];
    rs_frame f = frame_of(H, W, 0);
    rs_choose_options o;
    rs_choice c;
    rs_choose_defaults(&o);
    draw();
    for (int r = 0; r < H; r++)
        rows[r] = r < 20   ? RS_SESSION_PROVISIONAL
                  : r < 48 ? RS_SESSION_FINAL
                  : r < 50 ? RS_SESSION_STALE
                           : RS_SESSION_UNSCANNED;
    choose(&f, rows, &o, &c);
    check_choice(&c, &f);
    assert_int_equal(c.walls, 1);
    assert_near(c.graph.wall[0].line.length, 27 * 20e-9, 4 * 20e-9);
    assert_true(c.n >= 2);
    for (int i = 0; i < H * W; i++)
        if (i / W < 20 || i / W >= 48) assert_true(!c.binary[i] && !c.skeleton[i]);
    for (int i = 0; i < c.n; i++) assert_true(c.point[i].row >= 20 && c.point[i].row < 48);
    rs_choice_clear(&c);
    memset(rows, RS_SESSION_PROVISIONAL, H);
    choose(&f, rows, &o, &c);
    assert_true(c.n == 0 && c.walls == 0);
    rs_choice_clear(&c);
}

static void orders(void **state)
{
    (void)state;
    rs_frame f = frame_of(H, W, 0.3);
    rs_choose_options o;
    rs_choice c;
    rs_choose_defaults(&o);
    draw();
    o.every = 5;
    o.order = RS_CHOOSE_RASTER;
    choose(&f, NULL, &o, &c);
    check_choice(&c, &f);
    assert_true(c.n > 12);
    for (int i = 0; i < c.n; i++) assert_int_equal(c.point[i].target, i);
    for (int i = 1; i < c.n; i++)
        assert_true(c.point[i].row * W + c.point[i].col >
                    c.point[i - 1].row * W + c.point[i - 1].col);
    rs_choice_clear(&c);
    o.order = RS_CHOOSE_AUTHOR; /* targets row by row, measured along the route */
    choose(&f, NULL, &o, &c);
    check_choice(&c, &f);
    double longest = 0;
    bool another = false;
    for (int i = 0; i < c.n; i++) {
        for (int k = 0; k < c.n; k++)
            assert_int_equal(c.point[i].target < c.point[k].target,
                             c.point[i].row * W + c.point[i].col <
                                 c.point[k].row * W + c.point[k].col);
        another = another || c.point[i].target != i;
        if (i)
            longest = fmax(longest, hypot(c.point[i].row - c.point[i - 1].row,
                                          c.point[i].col - c.point[i - 1].col));
    }
    assert_true(another && longest < 60);
    rs_choice_clear(&c);
    o.order = RS_CHOOSE_ROUTE; /* targets wall by wall; begins near the tip */
    rs_coords coords;
    rs_coords_frame cf = rs_coords_frame_of(&f);
    rs_device device = rs_device_metres();
    reshed_error err = {0};
    assert_ok(rs_coords_init(&coords, &cf, &device, &err), &err);
    const rs_rowcol near[] = {{55, 70}, {2, 2}};
    for (int k = 0; k < 2; k++) {
        rs_xy tip;
        rs_pixel_to_stage(&coords, &near[k], 1, &tip);
        assert_ok(rs_choose(&f, map, NULL, NULL, &tip, &o, &c, &err), &err);
        check_choice(&c, &f);
        for (int i = 0; i < c.n; i++)
            assert_true(hypot(c.point[0].row - near[k].row, c.point[0].col - near[k].col) <=
                        hypot(c.point[i].row - near[k].row, c.point[i].col - near[k].col));
        for (int i = 0; i < c.n; i++)
            for (int j = 0; j < c.n; j++)
                if (c.point[i].wall < c.point[j].wall)
                    assert_true(c.point[i].target < c.point[j].target);
        rs_choice_clear(&c);
    }
}

static void missing_values_and_variance(void **state)
{
    (void)state;
    static float variance[H * W];
    rs_frame f = frame_of(H, W, 0);
    rs_choose_options o;
    rs_choice c;
    reshed_error err = {0};
    rs_choose_defaults(&o);
    draw();
    for (int i = 0; i < H * W; i++) {
        if (i / W == 30) map[i] = NAN;
        variance[i] = i % W > 50 ? 0.2f : 0.01f;
    }
    o.max_variance = 0.1;
    o.max_points = 3;
    assert_ok(rs_choose(&f, map, variance, NULL, NULL, &o, &c, &err), &err);
    check_choice(&c, &f);
    assert_int_equal(c.walls, 3);
    assert_int_equal(c.n, 3);
    for (int i = 0; i < c.n; i++) assert_near(c.point[i].row, 10, 1);
    rs_choice_clear(&c);
    /* Control points stay away from the walls. */
    draw();
    rs_choose_defaults(&o);
    o.c_domain = 5;
    choose(&f, NULL, &o, &c);
    check_choice(&c, &f);
    int controls = 0;
    for (int i = 0; i < c.n; i++) {
        if (c.point[i].kind != RS_POINT_C_DOMAIN) continue;
        controls++;
        for (int k = 0; k < H * W; k++)
            assert_true(!c.skeleton[k] ||
                        hypot(k / W - c.point[i].row, k % W - c.point[i].col) >= 6 - 1e-9);
    }
    assert_int_equal(controls, 5);
    rs_choice_clear(&c);
}

/* Long and short walls are all walls, and the recipe of reshed-walls knows them by the same word. */
static void long_and_short_are_all(void **state)
{
    (void)state;
    rs_frame f = frame_of(H, W, 0);
    rs_choose_options o;
    rs_find_options find;
    rs_choice all, c;
    int n = 0;
    draw();
    rs_choose_defaults(&o);
    choose(&f, NULL, &o, &all);
    const double limit = all.graph.wall[(all.walls - 1) / 2].line.length;
    for (int k = RS_CHOOSE_LONG; k <= RS_CHOOSE_SHORT; k++) {
        o.walls = (rs_choose_walls)k;
        choose(&f, NULL, &o, &c);
        check_choice(&c, &f);
        for (int i = 0; i < c.n; i++)
            assert_true((c.graph.wall[c.point[i].wall].line.length >= limit) ==
                        (k == RS_CHOOSE_LONG));
        n += c.n;
        rs_choice_clear(&c);
        rs_find_defaults(&find);
        assert_true(rs_find_set(&find, "walls", k) && (int)find.which == k);
    }
    assert_true(all.n > 0 && n == all.n);
    rs_choice_clear(&all);
    reshed_error err = {0};
    rs_find_set(&find, "walls", 5);
    assert_int_equal(rs_find_check(&find, &err), RESHED_EINVAL);
}

static void errors(void **state)
{
    (void)state;
    rs_frame f = frame_of(H, W, 0);
    rs_choose_options good;
    reshed_error err = {0};
    rs_choice c;
    rs_choose_defaults(&good);
    assert_ok(rs_choose_check(&good, &err), &err);
    memset(&c, 0x5a, sizeof c);
    rs_choose_options bad[8] = {good, good, good, good, good, good, good, good};
    bad[0].threshold = NAN;
    bad[1].every = 0;
    bad[2].min_wall = -1;
    bad[3].margin = INFINITY;
    bad[4].max_points = -1;
    bad[5].order = (rs_choose_order)7;
    bad[6].max_variance = NAN;
    bad[7].family_angle = -1;
    draw();
    for (int i = 0; i < 8; i++)
        assert_int_equal(rs_choose(&f, map, NULL, NULL, NULL, &bad[i], &c, &err), RESHED_EINVAL);
    f.width = 0;
    assert_int_equal(rs_choose(&f, map, NULL, NULL, NULL, &good, &c, &err), RESHED_EINVAL);
    f = frame_of(H, W, 0);
    rs_xy nowhere = {NAN, 0};
    assert_int_equal(rs_choose(&f, map, NULL, NULL, &nowhere, &good, &c, &err), RESHED_EINVAL);
    assert_int_equal(((unsigned char *)&c)[9], 0x5a);
    for (int i = 0; i < H * W; i++) map[i] = NAN;
    choose(&f, NULL, &good, &c);
    assert_true(c.n == 0 && c.walls == 0 && c.binary && c.skeleton);
    rs_choice_clear(&c);
    f = frame_of(1, 1, 0);
    choose(&f, NULL, &good, &c);
    assert_int_equal(c.n, 0);
    rs_choice_clear(&c);
}

static void memory_may_fail(void **state)
{
    (void)state;
    static uint8_t rows[H];
    rs_frame f = frame_of(H, W, 0);
    reshed_error err = {0};
    rs_choose_options o;
    int failures = 0;
    memset(rows, RS_SESSION_FINAL, H);
    draw();
    for (int order = 0; order < 3; order++)
        for (long k = 0;; k++) {
            rs_choice c;
            rs_choose_defaults(&o);
            o.order = (rs_choose_order)order;
            o.max_points = 5;
            memset(&c, 0x5a, sizeof c);
            test_alloc_fail_at(k);
            reshed_status st = rs_choose(&f, map, NULL, rows, NULL, &o, &c, &err);
            bool failed = test_alloc_failed();
            test_alloc_fail_at(-1);
            if (!failed) {
                assert_ok(st, &err);
                assert_int_equal(c.n, 5);
                rs_choice_clear(&c);
                break;
            }
            failures++;
            assert_int_equal(st, RESHED_ENOMEM);
            assert_int_equal(((unsigned char *)&c)[9], 0x5a);
        }
    assert_true(failures > 40);
}

/* ------------------------------------------------------------------------------------- thinning */

static void thinning_keeps_every_wall(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    for (int trial = 0; trial < 300; trial++) {
        enum { MOST = 200 };
        static rs_session_point p[MOST], q[MOST];
        int n = 1 + (int)test_below(&r, MOST), walls = 1 + (int)test_below(&r, 20), left = -1;
        int keep = (int)test_below(&r, (uint64_t)n + 3), before[32] = {0}, after[32] = {0};
        int place = 0, wall = 0, groups = 0, represented = 0;
        reshed_error err = {0};
        for (int i = 0; i < n; i++) { /* runs along walls, as a route has them */
            if (test_below(&r, 6) == 0) wall = (int)test_below(&r, (uint64_t)walls + 2);
            bool control = wall >= walls;
            p[i] = (rs_session_point){.row = i,
                                      .wall = control ? -1 : wall,
                                      .kind = control ? RS_POINT_A_DOMAIN + wall - walls
                                                      : RS_POINT_WALL,
                                      .target = (i * 7919 + trial) % n};
            before[wall]++;
        }
        if (n % 7919 == 0) continue;
        memcpy(q, p, sizeof q);
        assert_ok(rs_choose_thin(q, n, keep, &left, &err), &err);
        assert_int_equal(left, keep < n ? keep : n);
        static uint8_t seen[MOST];
        memset(seen, 0, sizeof seen);
        for (int i = 0; i < left; i++) { /* a part of the list, in its order */
            while (p[place].row != q[i].row) place++;
            assert_true(q[i].wall == p[place].wall && q[i].kind == p[place].kind);
            int group = q[i].wall >= 0 ? q[i].wall : walls + q[i].kind - RS_POINT_A_DOMAIN;
            after[group]++;
            assert_true(q[i].target >= 0 && q[i].target < left && !seen[q[i].target]);
            seen[q[i].target] = 1;
            for (int k = 0; k < i; k++)
                assert_int_equal(q[k].target < q[i].target,
                                 p[(int)q[k].row].target < p[(int)q[i].row].target);
        }
        for (int g = 0; g < 32; g++) {
            groups += before[g] > 0;
            represented += after[g] > 0;
            /* Its share, to a point and what the smallest are given in advance. */
            if (left < n && keep >= 2 * groups)
                assert_true(after[g] <= 1 + (double)before[g] * keep / n + 1);
        }
        assert_int_equal(represented, left < groups ? left : groups);
    }
    /* Evenly along one wall. */
    static rs_session_point p[100];
    reshed_error err = {0};
    int left;
    for (int i = 0; i < 100; i++) p[i] = (rs_session_point){.row = i, .target = i};
    assert_ok(rs_choose_thin(p, 100, 10, &left, &err), &err);
    for (int i = 0; i < left; i++) assert_near(p[i].row, 10 * i + 5, 0);
    for (int i = 0; i < 100; i++) p[i] = (rs_session_point){.row = i, .target = i};
    assert_ok(rs_choose_thin(p, 100, 70, &left, &err), &err);
    for (int i = 1; i < left; i++) assert_true(p[i].row - p[i - 1].row <= 2);
    for (int k = 0; k < 4; k++) {
        for (int i = 0; i < 100; i++) p[i] = (rs_session_point){.row = i, .target = i};
        test_alloc_fail_at(k);
        assert_int_equal(rs_choose_thin(p, 100, 10, &left, &err), RESHED_ENOMEM);
        test_alloc_fail_at(-1);
        for (int i = 0; i < 100; i++) assert_true(p[i].row == i && p[i].target == i);
    }
}

/* ----------------------------------------------------------------------------------------- twin */

/* A perfect map of the twin's walls in a turned frame away from the middle: every point must lie on
 * a wall of the film, where its stage position says. */
static void points_lie_on_the_walls_of_the_film(void **state)
{
    (void)state;
    enum { SIDE = 128 };
    float *mean = rs_alloc(SIDE * SIDE, sizeof *mean);
    rs_twin_options film;
    rs_twin_sample *sample = NULL;
    reshed_error err = {0};
    rs_twin_options_defaults(&film);
    assert_ok(rs_twin_sample_create(&film, &sample, &err), &err);
    for (int k = 0; k < 3; k++) {
        rs_frame f = {.cx = 1e-7,
                      .cy = -2e-7,
                      .width = 1.1e-6,
                      .height = 1.1e-6,
                      .angle = 0.6 * k,
                      .rows = SIDE,
                      .cols = SIDE};
        double pixel = f.width / SIDE, worst = 0;
        rs_coords c;
        rs_coords_frame cf = rs_coords_frame_of(&f);
        rs_device device = rs_device_metres();
        rs_choose_options o;
        rs_choice choice;
        rs_twin_point p;
        assert_ok(rs_coords_init(&c, &cf, &device, &err), &err);
        for (int i = 0; i < SIDE * SIDE; i++) {
            const rs_rowcol at = {i / SIDE, i % SIDE};
            rs_xy xy;
            rs_pixel_to_stage(&c, &at, 1, &xy);
            rs_twin_probe(sample, xy.x, xy.y, &p);
            mean[i] = fabs((double)p.wall) < 0.8 * pixel ? 0.9f : 0.05f;
        }
        rs_choose_defaults(&o);
        o.every = 6;
        assert_ok(rs_choose(&f, mean, NULL, NULL, NULL, &o, &choice, &err), &err);
        check_choice(&choice, &f);
        for (int i = 0; i < choice.n; i++) {
            rs_twin_probe(sample, choice.point[i].x, choice.point[i].y, &p);
            worst = fmax(worst, fabs((double)p.wall) / pixel);
        }
        print_message("# frame at %.1f rad: %d points on %d walls, at most %.2f pixels from one\n",
                      f.angle, choice.n, choice.walls, worst);
        assert_true(choice.n > 30);
        assert_true(worst <= 1.5);
        rs_choice_clear(&choice);
    }
    rs_twin_sample_free(sample);
    rs_free(mean);
}

/* Where the phase says that a wall is one of 180 degrees, nothing is measured unless asked for. */
static void no_points_on_180_degree_walls(void **state)
{
    (void)state;
    static float amplitude[H * W], phase[H * W];
    rs_choose_options o;
    rs_choice c;
    const rs_frame f = frame_of(H, W, 0);
    draw();
    for (int i = 0; i < H * W; i++) {
        amplitude[i] = (float)fabs(tanh(i % W - 60.1));
        phase[i] = i % W < 61 ? 1 : -2;
    }
    for (int way = 0; way < 3; way++) {
        rs_choose_defaults(&o);
        assert_false(o.on_180);
        o.on_180 = way == 2;
        o.amplitude = way ? amplitude : NULL;
        o.phase = way ? phase : NULL;
        choose(&f, NULL, &o, &c);
        check_choice(&c, &f);
        int on = 0;
        for (int i = 0; i < c.n; i++) on += c.point[i].col == 60;
        assert_int_equal(on == 0, way == 1);
        assert_true(c.n - on > 1);
        assert_int_equal(c.graph.wall[0].kind, way ? RS_WALL_180 : -1);
        rs_choice_clear(&c);
    }
}

/* ------------------------------------------------------------------------------ a person's place */

/* The place for point k of the list (k = n: a new one); says: why it is refused, NULL: it is not. */
static void put_there(const rs_frame *f, rs_choice *c, int k, double row, double col,
                      const char *says)
{
    reshed_error err = {0};
    rs_session_point added = {.wall = 7, .kind = 7}, *p = k < c->n ? &c->point[k] : &added;
    const rs_session_point before = *p;
    char text[256];
    const reshed_status st = rs_choose_place(f, c, row, col, c->point, c->n, p, &err);
    if (says) {
        assert_int_equal(st, RESHED_EINVAL);
        reshed_error_text(&err, text, sizeof text);
        if (!strstr(text, says)) fail_msg("not because of '%s': %s", says, text);
        assert_memory_equal(p, &before, sizeof before);
    } else {
        assert_ok(st, &err);
        assert_true(p->row == row && p->col == col && p->device_x == p->x);
        assert_int_equal(p->kind == RS_POINT_WALL, p->wall >= 0);
    }
}

/* What a person adds or moves lies by the rules of the choice; so does all that was chosen. */
static void places_by_hand_keep_the_rules(void **state)
{
    (void)state;
    static uint8_t rows[H];
    static float amplitude[H * W], phase[H * W];
    const rs_frame f = frame_of(H, W, 0.3);
    reshed_error err = {0};
    rs_choose_options o;
    rs_choice c;
    rs_choose_defaults(&o);
    o.c_domain = 3;
    draw();
    for (int r = 0; r < H; r++) rows[r] = r < 40 ? RS_SESSION_FINAL : RS_SESSION_STALE;
    choose(&f, rows, &o, &c);
    check_choice(&c, &f);
    int controls = 0;
    for (int i = 0; i < c.n; i++) {
        const rs_session_point p = c.point[i];
        put_there(&f, &c, i, p.row, p.col, NULL);
        assert_true(c.point[i].x == p.x && c.point[i].y == p.y);
        assert_true(c.point[i].kind == p.kind && c.point[i].wall == p.wall);
        put_there(&f, &c, c.n, p.row, p.col, "from the others");
        controls += p.kind == RS_POINT_C_DOMAIN;
    }
    assert_true(controls > 0 && c.n > controls);
    put_there(&f, &c, c.n, -1, 60, "frame");
    put_there(&f, &c, c.n, NAN, 60, "frame");
    put_there(&f, &c, c.n, 20, W, "frame");
    put_there(&f, &c, c.n, 3, 60, "margin");
    put_there(&f, &c, c.n, 41, 60, "final");
    put_there(&f, &c, c.n, 20, 55, "on a wall");
    c.n = 0;
    put_there(&f, &c, 0, 30, 60.25, NULL);
    /* A control point that comes onto a wall is none any more, and the other way round. */
    rs_session_point p = {.kind = RS_POINT_C_DOMAIN, .wall = -1};
    assert_ok(rs_choose_place(&f, &c, 20, 61, NULL, 0, &p, &err), &err);
    assert_true(p.kind == RS_POINT_WALL && p.wall >= 0);
    assert_ok(rs_choose_place(&f, &c, 30, 30, NULL, 0, &p, &err), &err);
    assert_true(p.kind == RS_POINT_C_DOMAIN && p.wall == -1);
    rs_choice_clear(&c);
    for (int i = 0; i < H * W; i++) {
        amplitude[i] = (float)fabs(tanh(i % W - 60.1));
        phase[i] = i % W < 61 ? 1 : -2;
    }
    o.amplitude = amplitude;
    o.phase = phase;
    for (int on = 0; on < 2; on++) {
        o.on_180 = on;
        choose(&f, NULL, &o, &c);
        c.n = 0;
        put_there(&f, &c, 0, 20, 60, on ? NULL : "180-degree");
        put_there(&f, &c, 0, 20, 61.8, on ? NULL : "180-degree");
        rs_choice_clear(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walls_and_points),
        cmocka_unit_test(points_keep_their_distance),
        cmocka_unit_test(rows_that_are_not_final_do_not_count),
        cmocka_unit_test(orders),
        cmocka_unit_test(missing_values_and_variance),
        cmocka_unit_test(long_and_short_are_all),
        cmocka_unit_test(errors),
        cmocka_unit_test(memory_may_fail),
        cmocka_unit_test(thinning_keeps_every_wall),
        cmocka_unit_test(points_lie_on_the_walls_of_the_film),
        cmocka_unit_test(no_points_on_180_degree_walls),
        cmocka_unit_test(places_by_hand_keep_the_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
