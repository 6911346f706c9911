#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "imgproc/image/skeleton.h"
#include "spm/twin/random.h"

#define N 96
#define PX 10e-9

/* A film with no objects and no texture; the tests add what they look at. */
static rs_twin_options bare(void)
{
    rs_twin_options o;
    rs_twin_options_defaults(&o);
    o.width = o.height = 1.2 * N * PX;
    o.spacing[0] = o.spacing[1] = o.run = 0;
    o.thin_density = o.inplane_density = 0;
    o.minus_fraction = o.offset = 0;
    o.curve_density = o.ring_density = o.spot_density = 0;
    o.slow = o.texture = o.height_roughness = o.resonance_slow = 0;
    o.wedge = o.uneven = o.tilt_spread = o.bend = o.roughness = o.asymmetry = o.rim = o.shadow = 0;
    o.mixed_tilt = 0;
    return o;
}

static rs_twin_view whole(int n)
{
    rs_twin_view v = {.width = n * PX, .height = n * PX, .rows = n, .cols = n, .row_end = n};
    return v;
}

/* Everything that can be drawn, [n,n] each. */
typedef struct canvas {
    float amplitude[N * N], phase[N * N], resonance[N * N], q[N * N], height[N * N];
    uint8_t wall[N * N], domain[N * N];
} canvas;

static rs_twin_channels channels(canvas *c, int from)
{
    size_t at = (size_t)from * N;
    rs_twin_channels out = {c->amplitude + at, c->phase + at, c->resonance + at, c->q + at,
                            c->height + at,    c->wall + at,  c->domain + at};
    return out;
}

static rs_twin_sample *make(const rs_twin_options *o)
{
    reshed_error err = {0};
    rs_twin_sample *s = NULL;
    assert_ok(rs_twin_sample_create(o, &s, &err), &err);
    return s;
}

static canvas *draw(const rs_twin_options *o)
{
    reshed_error err = {0};
    canvas *c = rs_alloc(1, sizeof *c);
    assert_non_null(c);
    memset(c, 0xff, sizeof *c); /* NaN */
    rs_twin_sample *s = make(o);
    rs_twin_view v = whole(N);
    rs_twin_channels out = channels(c, 0);
    assert_ok(rs_twin_render(s, &v, &out, &err), &err);
    rs_twin_sample_free(s);
    return c;
}

static size_t count(const uint8_t *a, size_t n, uint8_t value)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) k += a[i] == value;
    return k;
}

/* ------------------------------------------------------------------------------ reproducibility */

static void equal_seeds_give_equal_bits(void **state)
{
    (void)state;
    rs_twin_options o;
    rs_twin_options_defaults(&o);
    o.minus_fraction = 0.3;
    canvas *a = draw(&o), *b = draw(&o);
    assert_memory_equal(a, b, sizeof *a);
    rs_free(b);
    o.seed++;
    b = draw(&o);
    assert_int_not_equal(memcmp(a->amplitude, b->amplitude, sizeof a->amplitude), 0);
    assert_int_not_equal(memcmp(a->wall, b->wall, sizeof a->wall), 0);
    rs_free(a);
    rs_free(b);
}

static void a_row_does_not_depend_on_the_others(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_twin_options o;
    rs_twin_options_defaults(&o);
    o.minus_fraction = 0.4;
    o.spot_density = 3e13;
    rs_twin_sample *s = make(&o);
    float dx[N], dy[N];
    for (int i = 0; i < N; i++) {
        dx[i] = (float)(20e-9 * sin(i));
        dy[i] = (float)(1e-10 * i);
    }
    rs_twin_view v = whole(N);
    v.dx = dx;
    v.dy = dy;
    canvas *a = rs_zalloc(1, sizeof *a), *b = rs_zalloc(1, sizeof *b);
    rs_twin_channels out = channels(a, 0);
    assert_ok(rs_twin_render(s, &v, &out, &err), &err);
    static const int cut[] = {0, 1, 2, 9, 40, 41, N};
    for (int i = 0; i + 1 < (int)(sizeof cut / sizeof cut[0]); i++) {
        v.row_begin = cut[i];
        v.row_end = cut[i + 1];
        out = channels(b, cut[i]);
        assert_ok(rs_twin_render(s, &v, &out, &err), &err);
    }
    assert_memory_equal(a, b, sizeof *a);
    rs_free(a);
    rs_free(b);
    rs_twin_sample_free(s);
}

#define FRAMES 12
typedef struct frames {
    float image[FRAMES][N * N];
    uint8_t wall[FRAMES][N * N];
} frames;

static reshed_status random_frame(uint64_t seed, double harsh, float *image, uint8_t *wall)
{
    rs_twin_options o;
    rs_twin_effects fx;
    rs_twin_sample *s = NULL;
    reshed_error err = {0};
    double px;
    rs_twin_randomise(seed, N, N, 0, harsh, &o, &fx, &px);
    reshed_status st = rs_twin_sample_create(&o, &s, &err);
    rs_twin_view v = {.width = N * px, .height = N * px, .rows = N, .cols = N, .row_end = N};
    rs_twin_channels out = {.amplitude = image, .wall = wall};
    if (st == RESHED_OK) st = rs_twin_frame(s, o.level, &fx, &v, &out, &err);
    rs_twin_sample_free(s);
    return st;
}

static void one_frame(void *ctx, int64_t i, int worker)
{
    (void)worker;
    frames *f = ctx;
    if (random_frame((uint64_t)i, 1, f->image[i], f->wall[i]) != RESHED_OK) abort();
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    frames *a = rs_zalloc(1, sizeof *a), *b = rs_zalloc(1, sizeof *b);
    rs_parallel_for(1, FRAMES, one_frame, a);
    rs_parallel_for(5, FRAMES, one_frame, b);
    assert_memory_equal(a, b, sizeof *a);
    rs_free(a);
    rs_free(b);
}

/* ------------------------------------------------------------------------------------- the truth
 */

/* Every wall pixel touches both a and c, and every a-c neighbourhood has a wall pixel. */
static void walls_lie_between_a_and_c(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        rs_twin_options o;
        rs_twin_options_defaults(&o);
        o.seed = seed;
        o.minus_fraction = seed % 2 ? 0.4 : 0;
        canvas *c = draw(&o);
        size_t missed = 0, borders = 0;
        for (int y = 0; y < N; y++)
            for (int x = 0; x < N; x++) {
                bool a = false, not_a = false, wall = false;
                for (int v = y > 0 ? y - 1 : 0; v <= y + 1 && v < N; v++)
                    for (int u = x > 0 ? x - 1 : 0; u <= x + 1 && u < N; u++) {
                        *(c->domain[v * N + u] == RS_TWIN_A ? &a : &not_a) = true;
                        wall = wall || c->wall[v * N + u];
                    }
                if (c->wall[y * N + x] && !(a && not_a))
                    fail_msg("seed %d: wall pixel (%d,%d) lies in one class", (int)seed, y, x);
                bool here = c->domain[y * N + x] == RS_TWIN_A;
                bool right = x + 1 < N && (c->domain[y * N + x + 1] == RS_TWIN_A) != here;
                bool below = y + 1 < N && (c->domain[(y + 1) * N + x] == RS_TWIN_A) != here;
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
    rs_twin_options o = bare();
    o.minus_fraction = 0.5;
    o.minus_size = 300e-9;
    canvas *c = draw(&o);
    assert_int_equal(count(c->wall, N * N, 1), 0);
    assert_int_equal(count(c->domain, N * N, RS_TWIN_A), 0);
    size_t minus = count(c->domain, N * N, RS_TWIN_CMINUS);
    size_t wall = count(c->domain, N * N, RS_TWIN_WALL180);
    assert_true(minus > N * N / 5 && minus < N * N * 4 / 5);
    assert_true(wall > N && wall < N * N / 5);
    /* Seen in the channels: opposite phase, and a dip of the amplitude at the wall. */
    double at_wall = 0, away = 0;
    for (int i = 0; i < N * N; i++) {
        if (c->domain[i] == RS_TWIN_CPLUS) assert_true(fabsf(c->phase[i]) < 0.1f);
        if (c->domain[i] == RS_TWIN_CMINUS) assert_true(fabsf(c->phase[i]) > 3.0f);
        *(c->domain[i] == RS_TWIN_WALL180 ? &at_wall : &away) += (double)c->amplitude[i];
    }
    assert_true(at_wall / (double)wall < 0.6 * away / (double)(N * N - wall));
    rs_free(c);
}

static void the_share_of_minus_domains_is_as_asked(void **state)
{
    (void)state;
    for (int k = 1; k < 4; k++) {
        double sum = 0;
        for (uint64_t seed = 1; seed <= 24; seed++) {
            rs_twin_options o = bare();
            o.seed = seed;
            o.minus_fraction = 0.2 * k;
            o.minus_size = 150e-9;
            canvas *c = draw(&o);
            size_t wall = count(c->domain, N * N, RS_TWIN_WALL180);
            size_t minus = count(c->domain, N * N, RS_TWIN_CMINUS);
            sum += (double)minus / (double)(N * N - wall) / 24;
            rs_free(c);
        }
        assert_true(fabs(sum - 0.2 * k) < 0.06);
    }
}

/* One family of straight stripes: every wall is a known line. */
static rs_twin_options ruled(double angle, double width)
{
    rs_twin_options o = bare();
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
        rs_twin_sample *s = make(&o);
        canvas *c = draw(&o);
        int walls = rs_twin_wall_count(s);
        assert_true(walls >= 4);
        for (int y = 0; y < N; y++)
            for (int x = 0; x < N; x++) {
                double px = (x + 0.5 - N / 2.0) * PX, py = (N / 2.0 - y - 0.5) * PX, best = 1;
                for (int i = 0; i < walls; i++) {
                    rs_twin_wall w;
                    rs_twin_wall_get(s, i, &w);
                    double dx = w.x[1] - w.x[0], dy = w.y[1] - w.y[0];
                    double n = fabs((px - w.x[0]) * dy - (py - w.y[0]) * dx) / hypot(dx, dy);
                    best = n < best ? n : best;
                }
                /* The nearer of two neighbours is within half a step along the grid. */
                if (c->wall[y * N + x]) assert_true(best <= 0.5001 * PX);
                bool rim = x == 0 || y == 0 || x == N - 1 || y == N - 1;
                if (best < 0.34 * PX && !rim) assert_int_equal(c->wall[y * N + x], 1);
            }
        rs_free(c);
        rs_twin_sample_free(s);
    }
}

static void walls_are_one_pixel_wide(void **state)
{
    (void)state;
    static const double angle[] = {0.1, 0.6, 1.3, 2.2};
    for (int k = 0; k < 4; k++) {
        rs_twin_options o = ruled(angle[k], 80e-9);
        canvas *c = draw(&o);
        bool steep = fabs(sin(angle[k])) > fabs(cos(angle[k]));
        /* Across the stripes, each edge is crossed once. */
        for (int i = 0; i < N; i++) {
            size_t walls = 0, crossings = 0;
            for (int j = 0; j < N; j++) {
                int at = steep ? i * N + j : j * N + i, next = steep ? at + 1 : at + N;
                walls += c->wall[at];
                if (j + 1 < N)
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
    canvas *c = draw(&o);
    uint8_t *thin = rs_alloc(N * N, 1);
    assert_ok(rs_skeletonize(c->wall, N, N, thin, NULL), NULL);
    size_t before = count(c->wall, N * N, 1), after = count(thin, N * N, 1);
    assert_true(before > 200 && after * 100 >= before * 93);
    rs_free(thin);
    rs_free(c);
}

/* Where the wall is, the amplitude is half-way between c and a. */
static void walls_are_at_half_height(void **state)
{
    (void)state;
    for (int k = 0; k < 5; k++) {
        rs_twin_options o = ruled(0, (30 + 17.3 * k) * 1e-9);
        o.softness = (rs_twin_range){8e-9, 8e-9};
        rs_twin_sample *s = make(&o);
        canvas *c = draw(&o);
        int seen = 0;
        for (int i = 0; i < rs_twin_wall_count(s); i++) {
            rs_twin_wall w;
            rs_twin_wall_get(s, i, &w);
            double row = N / 2.0 - 0.5 - w.y[0] / PX;
            int r = (int)floor(row);
            if (r < 2 || r > N - 4) continue;
            double t = row - r, a = (double)c->amplitude[r * N + 5];
            double b = (double)c->amplitude[(r + 1) * N + 5];
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
        canvas *c = draw(&o);
        for (int y = 1, from = -1; y < N; y++) {
            bool a = c->domain[y * N + 7] == RS_TWIN_A;
            bool before = c->domain[(y - 1) * N + 7] == RS_TWIN_A;
            if (a && !before) from = y;
            if (!a && before && from > 0) {
                double w = (y - from) * PX;
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
    assert_true(least >= (0.8 * 30e-9) - PX && most <= (1.2 * 90e-9) + PX);
}

static void tilt_alternates_along_a_family(void **state)
{
    (void)state;
    rs_twin_options o;
    rs_twin_options_defaults(&o);
    o.mixed_tilt = o.thin_density = o.inplane_density = 0;
    rs_twin_sample *s = make(&o);
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
    rs_twin_sample *s = make(&o);
    canvas *c = draw(&o);
    size_t wrong = 0;
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) {
            rs_twin_point p;
            rs_twin_probe(s, (x + 0.5 - N / 2.0) * PX, (N / 2.0 - y - 0.5) * PX, &p);
            bool a = c->domain[y * N + x] == RS_TWIN_A;
            wrong += (p.wall > 0) != a;
            if (!a && c->domain[y * N + x] == RS_TWIN_CPLUS) assert_true(p.c > 0);
            if (!a && c->domain[y * N + x] == RS_TWIN_CMINUS) assert_true(p.c < 0);
            assert_true(p.a >= 0 && p.a <= 1 && p.stripe < rs_twin_wall_count(s) / 2);
        }
    assert_true(wrong <= 4); /* edges are interpolated in the drawing */
    rs_free(c);
    rs_twin_sample_free(s);
}

/* ------------------------------------------------------------------------------- hostile options
 */

static void each_option_has_its_range(void **state)
{
    (void)state;
    reshed_error err = {0};
    int n;
    rs_twin_sample *s = NULL;
    const rs_twin_field *f = rs_twin_option_fields(&n);
    assert_int_equal((size_t)n * sizeof(double), sizeof(rs_twin_options) - sizeof(uint64_t));
    for (int i = 0; i < n; i++) {
        const double bad[] = {f[i].lo - 1, f[i].hi * 1.01 + 1, NAN, INFINITY, -INFINITY};
        for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
            rs_twin_options o;
            rs_twin_options_defaults(&o);
            rs_twin_field_set(&f[i], &o, bad[k]);
            assert_int_equal(rs_twin_sample_create(&o, &s, &err), RESHED_EINVAL);
            assert_null(s);
            assert_non_null(strstr(err.what, f[i].name));
        }
    }
    rs_twin_effects fx;
    f = rs_twin_effect_fields(&n);
    for (int i = 0; i < n; i++) {
        rs_twin_effects_defaults(&fx);
        rs_twin_field_set(&f[i], &fx, NAN);
        assert_int_equal(rs_twin_effects_check(&fx, &err), RESHED_EINVAL);
        rs_twin_effects_defaults(&fx);
        rs_twin_field_set(&f[i], &fx, f[i].hi * 1.01 + 1);
        assert_int_equal(rs_twin_effects_check(&fx, &err), RESHED_EINVAL);
    }
    rs_twin_options o;
    rs_twin_options_defaults(&o);
    o.thin_width = (rs_twin_range){50e-9, 20e-9};
    assert_int_equal(rs_twin_sample_create(&o, &s, &err), RESHED_EINVAL);
    rs_twin_options_defaults(&o);
    o.spacing[0] = o.width / 1000;
    assert_int_equal(rs_twin_sample_create(&o, &s, &err), RESHED_EINVAL);
}

static void bad_views_are_refused(void **state)
{
    (void)state;
    rs_twin_options o;
    rs_twin_options_defaults(&o);
    rs_twin_sample *s = make(&o);
    static float a[4 * 4];
    rs_twin_channels out = {.amplitude = a};
    float nan_drift[4] = {0, 0, NAN, 0};
    const rs_twin_view good = {.width = 1e-6, .height = 1e-6, .rows = 4, .cols = 4, .row_end = 4};
    assert_ok(rs_twin_render(s, &good, &out, NULL), NULL);
    rs_twin_view v[9];
    for (int i = 0; i < 9; i++) v[i] = good;
    v[0].width = 0;
    v[1].height = NAN;
    v[2].rows = 0;
    v[3].cols = 1 << 20;
    v[4].row_begin = 4;
    v[5].row_end = 5;
    v[6].row_begin = -1;
    v[7].dx = nan_drift;
    v[8].cx = INFINITY;
    for (int i = 0; i < 9; i++)
        assert_int_equal(rs_twin_render(s, &v[i], &out, NULL), RESHED_EINVAL);
    rs_twin_sample_free(s);
}

/* Options anywhere in their ranges: a film and a frame, or a refusal, and every value finite. */
static void any_options_are_survived(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    int n, m, drawn = 0;
    const rs_twin_field *f = rs_twin_option_fields(&n), *g = rs_twin_effect_fields(&m);
    enum { SIDE = 24 };
    static float a[SIDE * SIDE], ph[SIDE * SIDE], re[SIDE * SIDE], q[SIDE * SIDE], h[SIDE * SIDE];
    static uint8_t wall[SIDE * SIDE], domain[SIDE * SIDE];
    rs_twin_channels out = {a, ph, re, q, h, wall, domain};
    for (int k = 0; k < (test_long() ? 4000 : 80); k++) {
        rs_twin_options o;
        rs_twin_effects fx;
        rs_twin_options_defaults(&o);
        rs_twin_effects_defaults(&fx);
        for (int i = 0; i < n + m; i++) {
            const rs_twin_field *p = i < n ? &f[i] : &g[i - n];
            void *where = i < n ? (void *)&o : (void *)&fx;
            if (test_below(&r, 4) != 0) continue;
            double lo = p->lo > 0 ? p->lo : p->lo == 0 ? p->hi * 1e-9 : 0;
            double value = lo > 0 ? lo * pow(p->hi / lo, test_uniform(&r, 0, 1))
                                  : test_uniform(&r, p->lo, p->hi);
            if (test_below(&r, 5) == 0) value = test_below(&r, 2) ? p->lo : p->hi;
            rs_twin_field_set(p, where, value);
        }
        for (int i = 0; i + 1 < n; i++) { /* ranges the right way round */
            double lo = rs_twin_field_get(&f[i], &o), hi = rs_twin_field_get(&f[i + 1], &o);
            if (strstr(f[i].name, ".lo") && lo > hi) rs_twin_field_set(&f[i], &o, hi);
        }
        for (int i = 0; i < 2; i++)
            if (o.spacing[i] > 0) o.spacing[i] = fmax(o.spacing[i], hypot(o.width, o.height) / 300);
        o.seed = fx.seed = test_rand(&r);
        rs_twin_sample *s = NULL;
        if (rs_twin_sample_create(&o, &s, NULL) != RESHED_OK) continue;
        double px = o.width / SIDE * pow(10, test_uniform(&r, -3, 1));
        if (px * SIDE > 1) px = 1.0 / SIDE;
        rs_twin_view v = {.width = px * SIDE, .height = px * SIDE, .rows = SIDE, .cols = SIDE};
        v.row_end = SIDE;
        reshed_status st = rs_twin_frame(s, o.level, &fx, &v, &out, NULL);
        if (st != RESHED_OK) assert_int_equal(st, RESHED_EINVAL); /* drift beyond the frame */
        for (int i = 0; st == RESHED_OK && i < SIDE * SIDE; i++) {
            assert_true(isfinite(a[i]) && isfinite(ph[i]) && isfinite(re[i]));
            assert_true(isfinite(q[i]) && isfinite(h[i]));
            assert_true(wall[i] <= 1 && domain[i] <= RS_TWIN_WALL180);
        }
        drawn += st == RESHED_OK;
        rs_twin_sample_free(s);
    }
    assert_true(drawn >= 20);
}

static void random_frames_are_sound(void **state)
{
    (void)state;
    static float a[N * N];
    static uint8_t wall[N * N];
    double walls = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        assert_int_equal(random_frame(seed, 0.5 + (double)(seed % 4) / 2, a, wall), RESHED_OK);
        for (int i = 0; i < N * N; i++) assert_true(isfinite(a[i]) && a[i] >= 0);
        walls += (double)count(wall, N * N, 1) / (N * N) / 100;
    }
    assert_true(walls > 0.05 && walls < 0.25);
}

static void want_of_memory_is_reported(void **state)
{
    (void)state;
    static float a[N * N];
    static uint8_t wall[N * N];
    for (long n = 0; n < 100; n++) {
        test_alloc_fail_at(n);
        reshed_status st = random_frame(3, 1, a, wall);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_int_equal(st, RESHED_OK);
            assert_true(n >= 6);
            return;
        }
        assert_int_equal(st, RESHED_ENOMEM);
    }
    fail();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_seeds_give_equal_bits),
        cmocka_unit_test(a_row_does_not_depend_on_the_others),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(walls_lie_between_a_and_c),
        cmocka_unit_test(walls_of_180_degrees_are_not_truth),
        cmocka_unit_test(the_share_of_minus_domains_is_as_asked),
        cmocka_unit_test(walls_are_where_the_objects_say),
        cmocka_unit_test(walls_are_one_pixel_wide),
        cmocka_unit_test(walls_are_at_half_height),
        cmocka_unit_test(stripe_widths_are_as_asked),
        cmocka_unit_test(tilt_alternates_along_a_family),
        cmocka_unit_test(the_probe_agrees_with_the_drawing),
        cmocka_unit_test(each_option_has_its_range),
        cmocka_unit_test(bad_views_are_refused),
        cmocka_unit_test(any_options_are_survived),
        cmocka_unit_test(random_frames_are_sound),
        cmocka_unit_test(want_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
