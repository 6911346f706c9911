/* Kinds of films: names, bits, and the truth of every wall's kind against the drawn response. */
#include "support/film.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "spm/twin/films.h"
#include "spm/twin/random.h"

enum { N = FILM_N, PIXELS = N * N };

static rs_twin_options film_of(rs_twin_film kind, uint64_t seed)
{
    rs_twin_options o;
    rs_twin_options_defaults(&o);
    o.width = o.height = 1.2 * N * FILM_PX;
    o.seed = seed;
    rs_twin_film_options(kind, FILM_PX, &o);
    return o;
}

static void render(const rs_twin_options *o, const rs_twin_view *v, const rs_twin_channels *out)
{
    reshed_error err = {0};
    rs_twin_sample *s = film_make(o);
    assert_ok(rs_twin_render(s, v, out, &err), &err);
    rs_twin_sample_free(s);
}

static void every_kind_has_a_name(void **state)
{
    (void)state;
    rs_twin_film found = RS_TWIN_FILMS;
    for (int k = 0; k < RS_TWIN_FILMS; k++) {
        assert_true(rs_twin_film_find(rs_twin_film_name((rs_twin_film)k), &found));
        assert_int_equal(found, k);
    }
    assert_false(rs_twin_film_find("perovskite", &found));
    assert_false(rs_twin_film_find("", &found));
    for (int k = 0; k <= RS_TWIN_MIXED; k++)
        assert_true(strlen(rs_twin_kind_name((rs_twin_kind)k)) > 2 || k == RS_TWIN_180);
}

static void the_default_film_keeps_its_options(void **state)
{
    (void)state;
    rs_twin_options o, p;
    rs_twin_effects fx, gx;
    double pixel;
    rs_twin_options_defaults(&o);
    p = o;
    rs_twin_film_options(RS_TWIN_FILM_PZT, 1e-8, &p);
    assert_memory_equal(&o, &p, sizeof o);
    rs_twin_randomise(3, N, N, 0, 1, &o, &fx, &pixel);
    p = o;
    gx = fx;
    rs_twin_film_randomise(RS_TWIN_FILM_PZT, N, N, pixel, 1, &p, &gx);
    assert_memory_equal(&o, &p, sizeof o);
    assert_memory_equal(&fx, &gx, sizeof fx);
    /* In the mix it has what real edges have besides. */
    while (rs_twin_film_drawn(RS_TWIN_FILM_MIX, p.seed) != RS_TWIN_FILM_PZT) p.seed++;
    rs_twin_film_randomise(RS_TWIN_FILM_MIX, N, N, pixel, 1, &p, &gx);
    assert_true(p.tail_size < 10 * pixel && p.marked > 0);
}

static void the_mix_draws_every_kind(void **state)
{
    (void)state;
    int count[RS_TWIN_FILMS] = {0};
    for (uint64_t seed = 0; seed < 1000; seed++)
        count[rs_twin_film_drawn(RS_TWIN_FILM_MIX, seed)]++;
    for (int k = 0; k < RS_TWIN_FILM_MIX; k++) assert_true(count[k] > 30);
    assert_int_equal(count[RS_TWIN_FILM_MIX], 0);
    assert_int_equal(rs_twin_film_drawn(RS_TWIN_FILM_PTO, 5), RS_TWIN_FILM_PTO);
}

/* Random films of every kind are within the options' ranges, and so are their instruments. */
static void random_films_are_sound(void **state)
{
    (void)state;
    static float a[PIXELS];
    static uint8_t kind[PIXELS];
    for (uint64_t seed = 0; seed < (uint64_t)test_tier(20, 60, 600); seed++) {
        rs_twin_options o;
        rs_twin_effects fx;
        rs_twin_sample *s = NULL;
        reshed_error err = {0};
        double px;
        const rs_twin_film film = (rs_twin_film)(seed % RS_TWIN_FILMS);
        rs_twin_randomise(seed, N, N, 0, 1, &o, &fx, &px);
        rs_twin_film_randomise(film, N, N, px, 1, &o, &fx);
        assert_ok(rs_twin_sample_create(&o, &s, &err), &err);
        rs_twin_view v = {.width = N * px, .height = N * px, .rows = N, .cols = N, .row_end = N};
        rs_twin_channels out = {.amplitude = a, .kind = kind};
        assert_ok(rs_twin_frame(s, o.level, &fx, &v, &out, &err), &err);
        for (int i = 0; i < PIXELS; i++) {
            assert_true(isfinite(a[i]) && a[i] >= 0);
            assert_true(kind[i] <= RS_TWIN_MIXED);
        }
        rs_twin_sample_free(s);
    }
}

/* A row has the same bits whatever the row range, in every channel and in the truth. */
static void rows_have_the_same_bits(void **state)
{
    (void)state;
    static uint8_t whole[PIXELS], part[PIXELS];
    for (int k = 1; k < RS_TWIN_FILM_MIX; k++) {
        const rs_twin_options o = film_of((rs_twin_film)k, 7);
        film_canvas *a = film_draw(&o), *b = rs_zalloc(1, sizeof *b);
        rs_twin_view v = film_view();
        rs_twin_channels out = {.kind = whole};
        render(&o, &v, &out);
        for (int row = 0; row < N; row += 19) {
            v.row_begin = row;
            v.row_end = row + 19 < N ? row + 19 : N;
            out = film_channels(b, row);
            out.kind = part + (size_t)row * N;
            render(&o, &v, &out);
        }
        assert_memory_equal(a, b, sizeof *a);
        assert_memory_equal(whole, part, sizeof whole);
        rs_free(a);
        rs_free(b);
    }
}

/* The sign of the response at a pixel without background. */
static int sign_at(const float *phase, int r, int c)
{
    return fabsf(phase[r * N + c]) > 1.6f ? -1 : 1;
}

static bool sees_both_signs(const float *phase, int r, int c, int reach)
{
    bool seen[2] = {false, false};
    for (int i = -reach; i <= reach; i++)
        for (int j = -reach; j <= reach; j++)
            if (r + i >= 0 && r + i < N && c + j >= 0 && c + j < N)
                seen[sign_at(phase, r + i, c + j) > 0] = true;
    return seen[0] && seen[1];
}

/* Ferroelastic and mixed pixels are those of the wall map; the response changes sign beside every
 * 180-degree and mixed pixel, and the amplitude falls to less than half on the former. */
static void kinds_follow_the_response(void **state)
{
    (void)state;
    static uint8_t kind[PIXELS];
    int count[4] = {0}, frames = 0;
    double depth = 0;
    for (uint64_t seed = 1; seed < 9; seed++) {
        rs_twin_options o = film_of(seed % 2 ? RS_TWIN_FILM_PTO : RS_TWIN_FILM_LAMINATE, seed);
        o.offset = 0;
        o.island_mixed = 0.6;
        o.island_density *= 3;
        film_canvas *f = film_draw(&o);
        rs_twin_view v = film_view();
        rs_twin_channels out = {.kind = kind};
        render(&o, &v, &out);
        double on = 0, all = 0;
        for (int i = 0; i < PIXELS; i++) {
            const bool edge = kind[i] == RS_TWIN_FERROELASTIC || kind[i] == RS_TWIN_MIXED;
            count[kind[i]]++;
            assert_int_equal(edge, f->wall[i]);
            all += (double)f->amplitude[i] / PIXELS;
            if (kind[i] == RS_TWIN_180) on += (double)f->amplitude[i];
            if (kind[i] == RS_TWIN_180) assert_true(sees_both_signs(f->phase, i / N, i % N, 1));
            if (kind[i] == RS_TWIN_MIXED) assert_true(sees_both_signs(f->phase, i / N, i % N, 26));
        }
        const size_t lines = film_count(kind, PIXELS, RS_TWIN_180);
        if (lines > 20) depth += on / (double)lines / all;
        frames += lines > 20;
        rs_free(f);
    }
    for (int k = 1; k < 4; k++) assert_true(count[k] > 100);
    assert_true(frames >= 4 && depth < 0.5 * frames);
}

/* Without islands and waves, no wall but the ferroelastic one; without stripes, none at all: the
 * borders of patches, ridges, scratches and dust are no walls. */
static void what_is_no_wall_is_not_marked(void **state)
{
    (void)state;
    static uint8_t kind[PIXELS];
    static float a[PIXELS];
    for (int k = RS_TWIN_FILM_PTO; k < RS_TWIN_FILM_MIX; k++) {
        rs_twin_options o = film_of((rs_twin_film)k, 11);
        rs_twin_view v = film_view();
        rs_twin_channels out = {.amplitude = a, .kind = kind};
        o.island_density = o.minus_fraction = 0;
        render(&o, &v, &out);
        assert_int_equal(film_count(kind, PIXELS, RS_TWIN_180), 0);
        assert_int_equal(film_count(kind, PIXELS, RS_TWIN_MIXED), 0);
        o.spacing[0] = o.spacing[1] = o.thin_density = o.inplane_density = o.patch_fill = 0;
        render(&o, &v, &out);
        assert_int_equal(film_count(kind, PIXELS, RS_TWIN_NO_WALL), PIXELS);
    }
}

/* An island that has a stripe for one side: the wall object is mixed, and the map says so. */
static void a_stripe_between_signs_is_mixed(void **state)
{
    (void)state;
    static uint8_t kind[PIXELS];
    int mixed = 0, maps = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        rs_twin_options o = film_bare();
        o.seed = seed;
        o.spacing[0] = 300e-9;
        o.stripe_contrast = (rs_twin_range){0.9, 0.9};
        o.island_density = 3 / (o.width * o.height);
        o.island_size = (rs_twin_range){1.5e-6, 1.5e-6};
        o.island_mixed = 1;
        rs_twin_sample *s = film_make(&o);
        for (int i = 0; i < rs_twin_wall_count(s); i++) {
            rs_twin_wall w;
            rs_twin_wall_get(s, i, &w);
            mixed += w.kind == RS_TWIN_MIXED;
        }
        rs_twin_sample_free(s);
        rs_twin_view v = film_view();
        rs_twin_channels out = {.kind = kind};
        render(&o, &v, &out);
        maps += film_count(kind, PIXELS, RS_TWIN_MIXED) > 50;
    }
    assert_true(mixed >= 6 && maps >= 2);
}

/* Where the film hardly responds, no edge is true. */
static void invisible_walls_are_left_out(void **state)
{
    (void)state;
    static uint8_t kind[PIXELS];
    rs_twin_options o = film_of(RS_TWIN_FILM_PTO, 4);
    rs_twin_view v = film_view();
    rs_twin_channels out = {.kind = kind};
    o.visible = 0;
    o.patch_dark = 1; /* patches alone: through-going stripes run through dark ones */
    o.mottle = 0;
    o.spacing[0] = 200e-9;
    render(&o, &v, &out);
    assert_true(film_count(kind, PIXELS, RS_TWIN_NO_WALL) < PIXELS - 100);
    o.visible = 0.6;
    o.curve_density = o.ring_density = o.spot_density = 0;
    render(&o, &v, &out);
    assert_int_equal(film_count(kind, PIXELS, RS_TWIN_NO_WALL), PIXELS);
}

/* Walls drawn outside the half height move to the bright side, by what was asked. */
static void the_truth_can_lie_outside(void **state)
{
    (void)state;
    static uint8_t a[PIXELS], b[PIXELS];
    rs_twin_options o = film_bare();
    o.angle = 0;
    o.spacing[0] = 250e-9;
    o.stripe_width = (rs_twin_range){100e-9, 100e-9};
    rs_twin_view v = film_view();
    rs_twin_channels out = {.wall = a};
    render(&o, &v, &out);
    o.outward = 2 * FILM_PX;
    out.wall = b;
    render(&o, &v, &out);
    int moved = 0, edges = 0;
    for (int r = 4; r < N - 4; r++) {
        const int at = r * N + N / 2;
        edges += a[at];
        moved += a[at] && !b[at] && (b[at - 2 * N] != b[at + 2 * N]);
    }
    assert_true(edges >= 2 && moved == edges);
}

/* Tails darken what is beside a stripe, less and less away from it, and move no wall. */
static void tails_fade_beside_a_stripe(void **state)
{
    (void)state;
    static float plain[PIXELS], dark[PIXELS];
    static uint8_t a[PIXELS], b[PIXELS];
    rs_twin_options o = film_bare();
    o.angle = 0;
    o.spacing[0] = 300e-9;
    o.stripe_width = (rs_twin_range){60e-9, 60e-9};
    rs_twin_view v = film_view();
    rs_twin_channels out = {.amplitude = plain, .wall = a};
    render(&o, &v, &out);
    o.tail = 0.6;
    o.tail_size = 8 * FILM_PX;
    out = (rs_twin_channels){.amplitude = dark, .wall = b};
    render(&o, &v, &out);
    assert_memory_equal(a, b, sizeof a);
    int beside = 0;
    for (int r = 6; r + 7 < N; r++) {
        const int at = r * N + N / 2;
        const bool upper = a[at] && plain[at - 3 * N] > plain[at + 2 * N];
        if (!upper) continue;
        float last = 1;
        for (int k = 2; k <= 6; k++) {
            const float lost = 1 - dark[at - k * N] / plain[at - k * N];
            assert_true(lost >= 0 && lost < last);
            last = lost;
        }
        assert_true(1 - dark[at - 2 * N] / plain[at - 2 * N] > 0.04f);
        beside++;
    }
    assert_true(beside >= 1);
}

/* Stripes fainter than what is marked are drawn and have no walls. */
static void faint_stripes_may_be_unmarked(void **state)
{
    (void)state;
    static float with[PIXELS], without[PIXELS];
    static uint8_t wall[PIXELS];
    rs_twin_options o = film_bare();
    o.spacing[0] = 250e-9;
    o.stripe_contrast = (rs_twin_range){0.2, 0.2};
    rs_twin_view v = film_view();
    rs_twin_channels out = {.amplitude = with, .wall = wall};
    o.marked = 0.15;
    render(&o, &v, &out);
    assert_true(film_count(wall, PIXELS, 0) < PIXELS - 100);
    o.marked = 0.25;
    out.amplitude = without;
    render(&o, &v, &out);
    assert_int_equal(film_count(wall, PIXELS, 0), PIXELS);
    assert_memory_equal(with, without, sizeof with);
}

/* The stripes of a patch lie evenly, or drift from coarse to fine. */
static void periods_drift_within_a_patch(void **state)
{
    (void)state;
    rs_twin_options o = film_of(RS_TWIN_FILM_LAMINATE, 11);
    double spread[2] = {0, 0};
    for (int k = 0; k < 2; k++) {
        o.period_drift = 0.6 * k;
        rs_twin_sample *s = film_make(&o);
        const int n = rs_twin_wall_count(s);
        double sum = 0, squares = 0;
        for (int i = 0; i + 1 < n; i += 2) {
            rs_twin_wall w[2];
            rs_twin_wall_get(s, i, &w[0]);
            rs_twin_wall_get(s, i + 1, &w[1]);
            const double width = hypot(w[0].x[0] - w[1].x[0], w[0].y[0] - w[1].y[0]);
            sum += width;
            squares += width * width;
        }
        const double m = sum / (n / 2);
        spread[k] = sqrt(squares / (n / 2) - m * m) / m;
        rs_twin_sample_free(s);
    }
    assert_true(spread[1] > 1.2 * spread[0]);
}

static void want_of_memory_is_reported(void **state)
{
    (void)state;
    const rs_twin_options o = film_of(RS_TWIN_FILM_LAMINATE, 3);
    for (long n = 0; n < 200; n++) {
        rs_twin_sample *s = NULL;
        test_alloc_fail_at(n);
        reshed_status st = rs_twin_sample_create(&o, &s, NULL);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        rs_twin_sample_free(s);
        if (!failed) {
            assert_int_equal(st, RESHED_OK);
            assert_true(n >= 5);
            return;
        }
        assert_int_equal(st, RESHED_ENOMEM);
    }
    fail();
}

static void senseless_mosaics_are_refused(void **state)
{
    (void)state;
    rs_twin_options o = film_bare();
    o.patch_size = 1e-12;
    assert_int_equal(rs_twin_options_check(&o, NULL), RESHED_EINVAL);
    o = film_bare();
    o.period = (rs_twin_range){2e-7, 1e-7};
    assert_int_equal(rs_twin_options_check(&o, NULL), RESHED_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_a_name),
        cmocka_unit_test(the_default_film_keeps_its_options),
        cmocka_unit_test(the_mix_draws_every_kind),
        cmocka_unit_test(random_films_are_sound),
        cmocka_unit_test(rows_have_the_same_bits),
        cmocka_unit_test(kinds_follow_the_response),
        cmocka_unit_test(what_is_no_wall_is_not_marked),
        cmocka_unit_test(a_stripe_between_signs_is_mixed),
        cmocka_unit_test(invisible_walls_are_left_out),
        cmocka_unit_test(the_truth_can_lie_outside),
        cmocka_unit_test(tails_fade_beside_a_stripe),
        cmocka_unit_test(faint_stripes_may_be_unmarked),
        cmocka_unit_test(periods_drift_within_a_patch),
        cmocka_unit_test(want_of_memory_is_reported),
        cmocka_unit_test(senseless_mosaics_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
