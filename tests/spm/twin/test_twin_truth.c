/* The twin's truth against its objects: walls and domains are where the film has them. */
#include "support/film.h"

#include <math.h>

#include "base/alloc.h"
#include "imgproc/image/skeleton.h"
#include "spm/twin/canvas.h"

/* Every wall pixel touches both a and c, and every a-c neighbourhood has a wall pixel. */
static void walls_lie_between_a_and_c(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        rs_twin_options o;
        rs_twin_options_defaults(&o);
        o.seed = seed;
        o.minus_fraction = seed % 2 ? 0.4 : 0;
        film_canvas *c = film_draw(&o);
        size_t missed = 0, borders = 0;
        for (int y = 0; y < FILM_N; y++)
            for (int x = 0; x < FILM_N; x++) {
                bool a = false, not_a = false, wall = false;
                for (int v = y > 0 ? y - 1 : 0; v <= y + 1 && v < FILM_N; v++)
                    for (int u = x > 0 ? x - 1 : 0; u <= x + 1 && u < FILM_N; u++) {
                        *(c->domain[v * FILM_N + u] == RS_TWIN_A ? &a : &not_a) = true;
                        wall = wall || c->wall[v * FILM_N + u];
                    }
                if (c->wall[y * FILM_N + x] && !(a && not_a))
                    fail_msg("seed %d: wall pixel (%d,%d) lies in one class", (int)seed, y, x);
                bool here = c->domain[y * FILM_N + x] == RS_TWIN_A;
                bool right = x + 1 < FILM_N && (c->domain[y * FILM_N + x + 1] == RS_TWIN_A) != here;
                bool below =
                    y + 1 < FILM_N && (c->domain[(y + 1) * FILM_N + x] == RS_TWIN_A) != here;
                borders += right || below;
                missed += (right || below) && !wall;
            }
        assert_true(borders > 100);
        assert_true(missed * 200 <= borders); /* rough corners of stripe ends */
        rs_free(c);
    }
}

static void walls_of_180_degrees_are_not_truth(void **state)
{
    (void)state;
    rs_twin_options o = film_bare();
    o.minus_fraction = 0.5;
    o.minus_size = 300e-9;
    film_canvas *c = film_draw(&o);
    assert_int_equal(film_count(c->wall, FILM_N * FILM_N, 1), 0);
    assert_int_equal(film_count(c->domain, FILM_N * FILM_N, RS_TWIN_A), 0);
    size_t minus = film_count(c->domain, FILM_N * FILM_N, RS_TWIN_CMINUS);
    size_t wall = film_count(c->domain, FILM_N * FILM_N, RS_TWIN_WALL180);
    assert_true(minus > FILM_N * FILM_N / 5 && minus < FILM_N * FILM_N * 4 / 5);
    assert_true(wall > FILM_N && wall < FILM_N * FILM_N / 5);
    /* Seen in the channels: opposite phase, and a dip of the amplitude at the wall. */
    double at_wall = 0, away = 0;
    for (int i = 0; i < FILM_N * FILM_N; i++) {
        if (c->domain[i] == RS_TWIN_CPLUS) assert_true(fabsf(c->phase[i]) < 0.1f);
        if (c->domain[i] == RS_TWIN_CMINUS) assert_true(fabsf(c->phase[i]) > 3.0f);
        *(c->domain[i] == RS_TWIN_WALL180 ? &at_wall : &away) += (double)c->amplitude[i];
    }
    assert_true(at_wall / (double)wall < 0.6 * away / (double)(FILM_N * FILM_N - wall));
    rs_free(c);
}

static void the_share_of_minus_domains_is_as_asked(void **state)
{
    (void)state;
    for (int k = 1; k < 4; k++) {
        double sum = 0;
        for (uint64_t seed = 1; seed <= 24; seed++) {
            rs_twin_options o = film_bare();
            o.seed = seed;
            o.minus_fraction = 0.2 * k;
            o.minus_size = 150e-9;
            film_canvas *c = film_draw(&o);
            size_t wall = film_count(c->domain, FILM_N * FILM_N, RS_TWIN_WALL180);
            size_t minus = film_count(c->domain, FILM_N * FILM_N, RS_TWIN_CMINUS);
            sum += (double)minus / (double)(FILM_N * FILM_N - wall) / 24;
            rs_free(c);
        }
        assert_true(fabs(sum - 0.2 * k) < 0.06);
    }
}

/* One family of straight stripes: every wall is a known line. */
static rs_twin_options ruled(double angle, double width)
{
    rs_twin_options o = film_bare();
    o.angle = angle;
    o.spacing[0] = 240e-9;
    o.stripe_width = (rs_twin_range){width, width};
    o.stripe_contrast = (rs_twin_range){0.8, 0.8};
    o.softness = (rs_twin_range){1e-9, 1e-9};
    return o;
}

static void walls_are_where_the_objects_say(void **state)
{
    (void)state;
    static const double angle[] = {0, 0.2, 0.785398163, 1.1, 1.5707963, 2.5};
    for (size_t k = 0; k < sizeof angle / sizeof angle[0]; k++) {
        rs_twin_options o = ruled(angle[k], 60e-9);
        rs_twin_sample *s = film_make(&o);
        film_canvas *c = film_draw(&o);
        int walls = rs_twin_wall_count(s);
        assert_true(walls >= 4);
        for (int y = 0; y < FILM_N; y++)
            for (int x = 0; x < FILM_N; x++) {
                double px = (x + 0.5 - FILM_N / 2.0) * FILM_PX,
                       py = (FILM_N / 2.0 - y - 0.5) * FILM_PX, best = 1;
                for (int i = 0; i < walls; i++) {
                    rs_twin_wall w;
                    rs_twin_wall_get(s, i, &w);
                    double dx = w.x[1] - w.x[0], dy = w.y[1] - w.y[0];
                    double n = fabs((px - w.x[0]) * dy - (py - w.y[0]) * dx) / hypot(dx, dy);
                    best = n < best ? n : best;
                }
                /* The nearer of two neighbours is within half a step along the grid. */
                if (c->wall[y * FILM_N + x]) assert_true(best <= 0.5001 * FILM_PX);
                bool rim = x == 0 || y == 0 || x == FILM_N - 1 || y == FILM_N - 1;
                if (best < 0.34 * FILM_PX && !rim) assert_int_equal(c->wall[y * FILM_N + x], 1);
            }
        rs_free(c);
        rs_twin_sample_free(s);
    }
}

/* Where a wall runs at 45 degrees, or two cross there, neighbouring pixels are crossed in different
 * directions; the wall goes on all the same. */
static void walls_have_no_gaps_at_45_degrees(void **state)
{
    (void)state;
    long borders = 0, open = 0;
    for (uint64_t seed = 1; seed <= 24; seed++) {
        rs_twin_options o;
        rs_twin_options_defaults(&o);
        o.seed = seed;
        o.angle = 0.785398163 + 0.01 * ((double)seed - 12);
        film_canvas *c = film_draw(&o);
        for (int y = 0; y < FILM_N; y++)
            for (int x = 0; x < FILM_N; x++)
                for (int down = 0; down < 2; down++) {
                    const int at = y * FILM_N + x, next = at + (down ? FILM_N : 1);
                    const int along = down ? x : y; /* at the rim the pixel may lie beyond */
                    if ((down ? y : x) + 1 >= FILM_N || along == 0 || along == FILM_N - 1 ||
                        (c->domain[at] == RS_TWIN_A) == (c->domain[next] == RS_TWIN_A))
                        continue;
                    borders++;
                    open += !c->wall[at] && !c->wall[next];
                }
        rs_free(c);
    }
    printf("# %ld of %ld borders without a wall pixel\n", open, borders);
    assert_true(borders > 10000 && open * 2000 <= borders);
}

static void walls_are_one_pixel_wide(void **state)
{
    (void)state;
    static const double angle[] = {0.1, 0.6, 1.3, 2.2};
    for (int k = 0; k < 4; k++) {
        rs_twin_options o = ruled(angle[k], 80e-9);
        film_canvas *c = film_draw(&o);
        bool steep = fabs(sin(angle[k])) > fabs(cos(angle[k]));
        /* Across the stripes, each edge is crossed once. */
        for (int i = 0; i < FILM_N; i++) {
            size_t walls = 0, crossings = 0;
            for (int j = 0; j < FILM_N; j++) {
                int at = steep ? i * FILM_N + j : j * FILM_N + i,
                    next = steep ? at + 1 : at + FILM_N;
                walls += c->wall[at];
                if (j + 1 < FILM_N)
                    crossings += (c->domain[at] == RS_TWIN_A) != (c->domain[next] == RS_TWIN_A);
            }
            assert_int_equal(walls, crossings);
        }
        rs_free(c);
    }
    /* Crossings, ends and roughness included, thinning has little to remove. */
    rs_twin_options o;
    rs_twin_options_defaults(&o);
    o.thin_density = 0;
    film_canvas *c = film_draw(&o);
    uint8_t *thin = rs_alloc(FILM_N * FILM_N, 1);
    assert_ok(rs_skeletonize(c->wall, FILM_N, FILM_N, thin, NULL), NULL);
    size_t before = film_count(c->wall, FILM_N * FILM_N, 1),
           after = film_count(thin, FILM_N * FILM_N, 1);
    assert_true(before > 200 && after * 100 >= before * 93);
    rs_free(thin);
    rs_free(c);
}

/* The amplitude at a wall is half-way between c and a. */
static void walls_are_at_half_height(void **state)
{
    (void)state;
    for (int k = 0; k < 5; k++) {
        rs_twin_options o = ruled(0, (30 + 17.3 * k) * 1e-9);
        o.softness = (rs_twin_range){8e-9, 8e-9};
        rs_twin_sample *s = film_make(&o);
        film_canvas *c = film_draw(&o);
        int seen = 0;
        for (int i = 0; i < rs_twin_wall_count(s); i++) {
            rs_twin_wall w;
            rs_twin_wall_get(s, i, &w);
            double row = FILM_N / 2.0 - 0.5 - w.y[0] / FILM_PX;
            int r = (int)floor(row);
            if (r < 2 || r > FILM_N - 4) continue;
            double t = row - r, a = (double)c->amplitude[r * FILM_N + 5];
            double b = (double)c->amplitude[(r + 1) * FILM_N + 5];
            double half = o.level * (1 - 0.5 * 0.8);
            assert_true(fabs(a + t * (b - a) - half) < 0.06 * o.level);
            seen++;
        }
        assert_true(seen >= 4);
        rs_free(c);
        rs_twin_sample_free(s);
    }
}

/* The height of the half-open dark run in one column, against the width asked for. */
static void stripe_widths_are_as_asked(void **state)
{
    (void)state;
    double sum = 0, n = 0, least = 1, most = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        rs_twin_options o = ruled(0, 1);
        o.seed = seed;
        o.stripe_width = (rs_twin_range){30e-9, 90e-9};
        film_canvas *c = film_draw(&o);
        for (int y = 1, from = -1; y < FILM_N; y++) {
            bool a = c->domain[y * FILM_N + 7] == RS_TWIN_A;
            bool before = c->domain[(y - 1) * FILM_N + 7] == RS_TWIN_A;
            if (a && !before) from = y;
            if (!a && before && from > 0) {
                double w = (y - from) * FILM_PX;
                sum += w;
                n++;
                least = w < least ? w : least;
                most = w > most ? w : most;
            }
        }
        rs_free(c);
    }
    assert_true(n > 60);
    /* Log-uniform over a factor of 3: mean (hi-lo)/ln(3); pieces vary by a fifth. */
    assert_true(fabs(sum / n - 60e-9 / log(3)) < 6e-9);
    assert_true(least >= (0.8 * 30e-9) - FILM_PX && most <= (1.2 * 90e-9) + FILM_PX);
}

static void tilt_alternates_along_a_family(void **state)
{
    (void)state;
    rs_twin_options o;
    rs_twin_options_defaults(&o);
    o.mixed_tilt = o.thin_density = o.inplane_density = 0;
    rs_twin_sample *s = film_make(&o);
    int walls = rs_twin_wall_count(s);
    assert_true(walls >= 8);
    for (int f = 0; f < 2; f++) {
        /* Walls in the order in which a line across the family meets them. */
        double last = -1e9;
        int sense = 0;
        for (;;) {
            double next = 1e9;
            rs_twin_wall best = {0};
            for (int i = 0; i < walls; i++) {
                rs_twin_wall w;
                rs_twin_wall_get(s, i, &w);
                double n = w.y[0] * cos(w.angle) - w.x[0] * sin(w.angle);
                if (w.family != f || n <= last + 4e-9 || n >= next) continue;
                next = n;
                best = w;
            }
            if (next > 1e8) break;
            if (sense) assert_int_equal(best.tilt, -sense);
            sense = best.tilt;
            last = next;
            if (o.run > 0) break; /* pieces of one line share a position: order is not unique */
        }
    }
    for (int i = 0; i < walls; i += 2) {
        rs_twin_wall w, v;
        rs_twin_wall_get(s, i, &w);
        rs_twin_wall_get(s, i + 1, &v);
        assert_int_equal(w.stripe, v.stripe);
        assert_int_equal(w.side, -v.side);
        assert_int_equal(w.tilt, -v.tilt);
        assert_true(w.length > 0 && w.length == v.length);
    }
    rs_twin_sample_free(s);
}

static void the_probe_agrees_with_the_drawing(void **state)
{
    (void)state;
    rs_twin_options o;
    rs_twin_options_defaults(&o);
    o.minus_fraction = 0.4;
    rs_twin_sample *s = film_make(&o);
    film_canvas *c = film_draw(&o);
    size_t wrong = 0;
    for (int y = 0; y < FILM_N; y++)
        for (int x = 0; x < FILM_N; x++) {
            rs_twin_point p;
            rs_twin_probe(s, (x + 0.5 - FILM_N / 2.0) * FILM_PX, (FILM_N / 2.0 - y - 0.5) * FILM_PX,
                          &p);
            bool a = c->domain[y * FILM_N + x] == RS_TWIN_A;
            wrong += (p.wall > 0) != a;
            if (!a && c->domain[y * FILM_N + x] == RS_TWIN_CPLUS) assert_true(p.c > 0);
            if (!a && c->domain[y * FILM_N + x] == RS_TWIN_CMINUS) assert_true(p.c < 0);
            assert_true(p.a >= 0 && p.a <= 1 && p.stripe < rs_twin_wall_count(s) / 2);
        }
    assert_true(wrong <= 4); /* edges are interpolated in the drawing */
    rs_free(c);
    rs_twin_sample_free(s);
}

/* Walls marked o pixels outside the edge are those of a field that is o larger, gaps closed as there. */
static void walls_outside_the_edge_are_marked_alike(void **state)
{
    (void)state;
    enum { N = 40 };
    test_rng r = {test_seed()};
    static float inside[N * N], larger[N * N], base[N * N];
    static uint8_t across[N * N], wall[N * N], other[N * N];
    for (int k = 0; k < 50; k++) {
        const float outward = (float)(k % 5 - 2) * 0.6f;
        const double turn = test_uniform(&r, 0, 3.14), at = test_uniform(&r, -4, 4);
        for (int i = 0; i < N * N; i++) { /* an edge, rough by half a pixel */
            inside[i] = (float)((i % N - N / 2) * cos(turn) + (i / N - N / 2) * sin(turn) + at +
                                test_uniform(&r, -0.5, 0.5));
            larger[i] = inside[i] + outward;
            across[i] = test_uniform(&r, 0, 1) > 0.5;
        }
        twin_canvas cv = {.rows = N, .cols = N, .base = base, .inside = inside, .across = across};
        cv.outward = outward;
        twin_mark_walls(&cv, 0, N, wall);
        cv.inside = larger;
        cv.outward = 0;
        twin_mark_walls(&cv, 0, N, other);
        assert_memory_equal(wall, other, N * N);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walls_lie_between_a_and_c),
        cmocka_unit_test(walls_of_180_degrees_are_not_truth),
        cmocka_unit_test(the_share_of_minus_domains_is_as_asked),
        cmocka_unit_test(walls_are_where_the_objects_say),
        cmocka_unit_test(walls_have_no_gaps_at_45_degrees),
        cmocka_unit_test(walls_outside_the_edge_are_marked_alike),
        cmocka_unit_test(walls_are_one_pixel_wide),
        cmocka_unit_test(walls_are_at_half_height),
        cmocka_unit_test(stripe_widths_are_as_asked),
        cmocka_unit_test(tilt_alternates_along_a_family),
        cmocka_unit_test(the_probe_agrees_with_the_drawing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
