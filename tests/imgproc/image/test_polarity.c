/* Signs of the response: on drawings with one wall, and on simulated films of every kind. */
#include "support/film.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "imgproc/image/distance.h"
#include "imgproc/image/polarity.h"
#include "spm/twin/films.h"

enum { H = 48, W = 64, N = H * W };

/* A band of a domain, 2 half pixels wide, about column `at`: c+ on its left, on its right c+ or c-. The phase
 * has an offset, wraps, and is noise where nothing responds. */
static void draw(double at, double half, bool changes, double offset, float *a, float *phase)
{
    test_rng r = {11};
    for (int i = 0; i < N; i++) {
        const double d = i % W - at, in = fabs(d) - half;
        double s = in <= 0 ? 0 : tanh(0.9 * in) * (changes && d > 0 ? -1 : 1);
        const double re = s + 0.02 * test_gauss(&r), im = 0.02 * test_gauss(&r);
        a[i] = (float)hypot(re, im);
        phase[i] = (float)rs_wrap_angle(atan2(im, re) + offset);
    }
}

static rs_polarity polarity(const float *a, const float *phase, int h, int w)
{
    rs_polarity p = {0};
    reshed_error err = {0};
    assert_ok(rs_polarity_make(a, phase, h, w, &p, &err), &err);
    return p;
}

static void a_180_degree_wall_is_found_whatever_the_offset(void **state)
{
    (void)state;
    static float a[N], phase[N];
    for (double offset = -3; offset < 3.1; offset += 0.75) {
        draw(30.5, 0, true, offset, a, phase);
        rs_polarity p = polarity(a, phase, H, W);
        assert_near(fabs(cos(p.axis - offset)), 1, 0.01);
        assert_true(p.concentration > 0.9);
        for (int r = 0; r < H; r++) {
            int line = 0;
            for (int c = 0; c < W; c++) {
                const int i = r * W + c;
                line += p.line[i];
                if (p.line[i]) assert_in_range(c, 29, 32);
                if (abs(c - 30) <= 3) assert_int_equal(p.kind[i], RS_POLARITY_180);
                if (abs(c - 30) >= 8) assert_int_equal(p.kind[i], RS_POLARITY_SAME);
                assert_true(p.sure[i] >= 0.5f && p.sure[i] <= 1);
                if (abs(c - 30) <= 2 || abs(c - 30) >= 9) assert_true(p.sure[i] > 0.95f);
            }
            assert_in_range(line, 1, 2);
        }
        rs_polarity_clear(&p);
    }
}

static void a_domain_of_one_sign_is_no_180_degree_wall(void **state)
{
    (void)state;
    static float a[N], phase[N];
    for (int half = 0; half <= 8; half += 2) {
        draw(30.5, half, false, 1, a, phase);
        rs_polarity p = polarity(a, phase, H, W);
        for (int i = 0; i < N; i++) assert_int_equal(p.kind[i], RS_POLARITY_SAME);
        rs_polarity_clear(&p);
    }
}

static void edges_of_a_domain_between_signs_are_mixed(void **state)
{
    (void)state;
    static float a[N], phase[N];
    draw(30.5, 6, true, -2, a, phase);
    rs_polarity p = polarity(a, phase, H, W);
    for (int r = 0; r < H; r++)
        for (int c = 0; c < W; c++) {
            const int i = r * W + c;
            if (fabs(fabs(c - 30.5) - 6) <= 1) assert_int_equal(p.kind[i], RS_POLARITY_MIXED);
            if (fabs(c - 30.5) > 12) assert_int_equal(p.kind[i], RS_POLARITY_SAME);
            assert_int_equal(p.line[i], 0);
        }
    rs_polarity_clear(&p);
}

/* Where the phase turns through a right angle at full amplitude, the response passes zero, but there is no
 * wall. */
static void a_turning_phase_is_no_wall(void **state)
{
    (void)state;
    static float a[N], phase[N];
    for (int i = 0; i < N; i++) {
        a[i] = 1;
        phase[i] = (float)(i % W < 40 ? 0.1 : fmin(0.1 + 0.3 * (i % W - 40), 2.2));
    }
    rs_polarity p = polarity(a, phase, H, W);
    for (int i = 0; i < N; i++) assert_int_equal(p.line[i], 0);
    rs_polarity_clear(&p);
}

static void noise_and_gaps_are_no_walls(void **state)
{
    (void)state;
    static float a[N], phase[N];
    test_rng r = {3};
    for (int i = 0; i < N; i++) {
        const double re = 0.1 * test_gauss(&r), im = 0.1 * test_gauss(&r);
        a[i] = (float)hypot(re, im);
        phase[i] = (float)atan2(im, re);
    }
    rs_polarity p = polarity(a, phase, H, W);
    int lines = 0;
    for (int i = 0; i < N; i++) {
        lines += p.line[i];
        assert_true(p.sure[i] >= 0.5f);
    }
    assert_true(lines < N / 100);
    rs_polarity_clear(&p);
    for (int i = 0; i < N; i++) phase[i] = NAN;
    p = polarity(a, phase, H, W);
    for (int i = 0; i < N; i++)
        assert_true(p.line[i] == 0 && p.kind[i] == RS_POLARITY_SAME && p.nearest[i] == -1);
    rs_polarity_clear(&p);
    draw(30.5, 0, true, 0, a, phase);
    for (int i = 0; i < N; i += 97) a[i] = i % 2 ? NAN : INFINITY;
    p = polarity(NULL, phase, H, W); /* the phase alone */
    rs_polarity_clear(&p);
    p = polarity(a, phase, H, W);
    for (int i = 0; i < N; i++) assert_true(isfinite(p.response[i]) && isfinite(p.sure[i]));
    rs_polarity_clear(&p);
}

/* Ridges along the sign change are taken out, one that crosses it is only cut. */
static void crossing_walls_stay(void **state)
{
    (void)state;
    static float a[N], phase[N], walls[N], part[N];
    reshed_error err = {0};
    draw(30.5, 0, true, 0, a, phase);
    for (int i = 0; i < N; i++) {
        const double flank = fabs(fabs(i % W - 30.5) - 2.5), across = abs(i / W - 20);
        walls[i] = (float)fmax(exp(-flank * flank), exp(-across * across));
        part[i] = NAN;
    }
    rs_polarity p = polarity(a, phase, H, W);
    assert_ok(rs_polarity_part(&p, walls, part, &err), &err);
    for (int r = 0; r < H; r++) {
        if (abs(r - 20) > 6)
            for (int c = 28; c <= 33; c++) assert_near(part[r * W + c], 0, 0);
        for (int c = 0; c < W; c++)
            if (c < 25 || c > 36) assert_near(part[r * W + c], walls[r * W + c], 0);
    }
    int crossing = 0;
    for (int c = 24; c < 38; c++) crossing += part[20 * W + c] > 0.5f;
    assert_true(crossing >= 8 && part[20 * W + 30] == 0);
    rs_polarity_clear(&p);
}

/* A broad ridge beside a sign change goes whole: its slope beyond the reach is no wall of its own. */
static void slopes_of_ridges_go_with_them(void **state)
{
    (void)state;
    static float a[N], phase[N], walls[N], part[N];
    reshed_error err = {0};
    draw(30, 1.5, true, 0.4, a, phase);
    for (int i = 0; i < N; i++) {
        const int c = i % W;
        walls[i] = (float)fmax(0, 1 - 0.15 * abs(c - 33)) + (c == 50 ? 0.9f : 0);
    }
    rs_polarity p = polarity(a, phase, H, W);
    assert_ok(rs_polarity_part(&p, walls, part, &err), &err);
    for (int r = 4; r < H - 4; r++) {
        for (int c = 30; c <= 35; c++) assert_near(part[r * W + c], 0, 0);
        assert_near(part[r * W + 50], 0.9, 1e-6);
    }
    rs_polarity_clear(&p);
}

/* Shares of the true 180-degree walls that are found, of the lines found that are true, and of ferroelastic
 * walls away from sign changes that are left alone. */
static void films_of_every_kind_are_told_apart(void **state)
{
    (void)state;
    enum { F = FILM_N, P = F * F };
    static float a[P], phase[P];
    static uint8_t kind[P], sign[P], line[P];
    static int64_t to_sign[P], to_line[P];
    long true180 = 0, found = 0, lines = 0, right = 0, plain = 0, kept = 0;
    reshed_error err = {0};
    for (uint64_t seed = 1; seed <= (uint64_t)test_tier(6, 16, 60); seed++) {
        static const rs_twin_film of[] = {RS_TWIN_FILM_PTO, RS_TWIN_FILM_LAMINATE, RS_TWIN_FILM_PTO,
                                          RS_TWIN_FILM_DEFECTS};
        rs_twin_options o;
        rs_twin_effects fx;
        rs_twin_options_defaults(&o);
        rs_twin_effects_defaults(&fx);
        o.width = o.height = 1.2 * F * FILM_PX;
        o.seed = fx.seed = seed;
        rs_twin_film_options(of[seed % 4], FILM_PX, &o);
        fx.noise = 0.03;
        rs_twin_view v = film_view();
        rs_twin_channels out = {.amplitude = a, .phase = phase, .kind = kind};
        rs_twin_sample *s = film_make(&o);
        assert_ok(rs_twin_frame(s, o.level, &fx, &v, &out, &err), &err);
        rs_twin_sample_free(s);
        for (int i = 0; i < P; i++) {
            phase[i] = (float)rs_wrap_angle((double)phase[i] + 0.9 * (double)seed);
            sign[i] = kind[i] >= RS_TWIN_180;
        }
        rs_polarity p = polarity(a, phase, F, F);
        memcpy(line, p.line, sizeof line);
        assert_ok(rs_distance_transform(sign, F, F, to_sign, NULL, &err), &err);
        assert_ok(rs_distance_transform(line, F, F, to_line, NULL, &err), &err);
        for (int i = 0; i < P; i++) {
            true180 += kind[i] == RS_TWIN_180;
            found += kind[i] == RS_TWIN_180 && to_line[i] <= 4;
            lines += line[i];
            right += line[i] && to_sign[i] <= 16;
            if (kind[i] != RS_TWIN_FERROELASTIC || to_sign[i] <= 64) continue;
            plain++;
            kept += p.kind[i] == RS_POLARITY_SAME;
        }
        rs_polarity_clear(&p);
    }
    print_message("180-degree walls found %.3f, right %.3f; ferroelastic kept %.3f\n",
                  (double)found / (double)true180, (double)right / (double)lines,
                  (double)kept / (double)plain);
    assert_true(found > 0.85 * (double)true180);
    assert_true(right > 0.85 * (double)lines);
    assert_true(kept > 0.98 * (double)plain);
}

static void want_of_memory_is_reported(void **state)
{
    (void)state;
    static float a[N], phase[N], part[N];
    rs_polarity p = {.height = -7};
    draw(30.5, 0, true, 0, a, phase);
    assert_int_equal(rs_polarity_make(a, phase, 0, W, &p, NULL), RESHED_EINVAL);
    reshed_status st = RESHED_ENOMEM;
    for (long n = 0; st != RESHED_OK; n++) {
        test_alloc_fail_at(n);
        st = rs_polarity_make(a, phase, H, W, &p, NULL);
        test_alloc_fail_at(-1);
        if (st == RESHED_OK) break;
        assert_int_equal(st, RESHED_ENOMEM);
        assert_int_equal(p.height, -7);
    }
    st = RESHED_ENOMEM;
    for (long n = 0; st != RESHED_OK; n++) {
        test_alloc_fail_at(n);
        st = rs_polarity_part(&p, a, part, NULL);
        test_alloc_fail_at(-1);
        if (st != RESHED_OK) assert_int_equal(st, RESHED_ENOMEM);
    }
    rs_polarity_clear(&p);
    for (int k = 0; k < RS_POLARITY_KINDS; k++)
        assert_true(strlen(rs_polarity_name((rs_polarity_kind)k)) > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_180_degree_wall_is_found_whatever_the_offset),
        cmocka_unit_test(a_domain_of_one_sign_is_no_180_degree_wall),
        cmocka_unit_test(edges_of_a_domain_between_signs_are_mixed),
        cmocka_unit_test(a_turning_phase_is_no_wall),
        cmocka_unit_test(noise_and_gaps_are_no_walls),
        cmocka_unit_test(crossing_walls_stay),
        cmocka_unit_test(slopes_of_ridges_go_with_them),
        cmocka_unit_test(films_of_every_kind_are_told_apart),
        cmocka_unit_test(want_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
