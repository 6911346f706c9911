/* Drift from a rescanned patch: pictures with known shifts in all directions, their errors against
 * the errors that are claimed, what must not be found, signs against coords.h and against the
 * twin's drift; and contrast against known gains and blurs. */
#include "support/support.h"
#include "support/tolerance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "spm/instrument/coords.h"
#include "spm/scan/drift/drift.h"
#include "spm/scan/follow.h"
#include "spm/instrument/sim/twin.h"
#include "spm/instrument/instrument.h"
#include "spm/instrument/private.h"

enum { N = 96, PATCH = 40, BLOBS = 60 };

/* A picture that is known everywhere: blobs, and a bent stripe. */
typedef struct scene {
    double row[BLOBS], col[BLOBS], size[BLOBS], height[BLOBS];
    double blur; /* pixels^2, variance of a Gaussian it is seen through */
} scene;

static scene make_scene(test_rng *r)
{
    scene s = {.blur = 0};
    for (int k = 0; k < BLOBS; k++) {
        s.row[k] = test_uniform(r, -20, N + 20);
        s.col[k] = test_uniform(r, -20, N + 20);
        s.size[k] = test_uniform(r, 2, 6);
        s.height[k] = test_uniform(r, -1, 1);
    }
    return s;
}

static double look(const scene *s, double row, double col)
{
    double v = 0;
    for (int k = 0; k < BLOBS; k++) {
        double var = s->size[k] * s->size[k] + s->blur, dr = row - s->row[k], dc = col - s->col[k];
        double d = (dr * dr + dc * dc) / (2 * var);
        if (d < 20) v += s->height[k] * s->size[k] * s->size[k] / var * exp(-d);
    }
    return v;
}

/* [h][w] from (row0, col0), whose sample went (drow, dcol) away. */
static void take(const scene *s, int h, int w, double row0, double col0, double drow, double dcol,
                 double noise, test_rng *r, float *out)
{
    for (int i = 0; i < h; i++)
        for (int j = 0; j < w; j++) {
            double v = look(s, row0 + i - drow, col0 + j - dcol);
            out[i * w + j] = (float)(v + (noise > 0 ? noise * test_gauss(r) : 0));
        }
}

static float survey[N * N], patch[PATCH * PATCH];

static rs_drift_shift match_at(int row0, int col0, const rs_drift_options *o)
{
    reshed_error err = {0};
    rs_drift_shift shift;
    memset(&shift, 0x5a, sizeof shift);
    assert_ok(rs_drift_match(survey, N, N, patch, PATCH, PATCH, row0, col0, o, &shift, &err), &err);
    assert_int_equal(shift.found, shift.reason == RS_DRIFT_FOUND);
    assert_int_equal(isnan(shift.drow), !shift.found);
    assert_int_equal(isnan(shift.dcol), !shift.found);
    return shift;
}

static void shifts_in_all_directions(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    rs_drift_options o;
    rs_drift_defaults(&o);
    double worst = 0;
    for (int trial = 0; trial < 60; trial++) {
        scene s = make_scene(&r);
        double angle = trial * 2 * RS_PI / 60, size = test_uniform(&r, 0, 13);
        double drow = size * sin(angle), dcol = size * cos(angle);
        int row0 = 20 + (int)test_below(&r, 16), col0 = 20 + (int)test_below(&r, 16);
        take(&s, N, N, 0, 0, 0, 0, 0, &r, survey);
        take(&s, PATCH, PATCH, row0, col0, drow, dcol, 0, &r, patch);
        for (int i = 0; i < PATCH * PATCH; i++) patch[i] = 1.7f * patch[i] + 40;
        rs_drift_shift m = match_at(row0, col0, &o);
        assert_true(m.found);
        worst = fmax(worst, hypot(m.drow - drow, m.dcol - dcol));
        assert_true(m.peak > 0.95 && !(m.second >= m.peak));
        assert_true(m.sigma >= m.sigma_row - 1e-12 && m.sigma >= m.sigma_col - 1e-12);
        assert_true(m.sigma < 0.05);
    }
    print_message("# without noise: worst error %.4f pixels\n", worst);
    assert_true(worst < 0.03);
}

/* A single spot: no picture can be read the wrong way round. */
static void what_the_signs_mean(void **state)
{
    (void)state;
    rs_drift_options o;
    rs_drift_defaults(&o);
    scene s = {.row = {40}, .col = {50}, .size = {3}, .height = {1}};
    for (int k = 1; k < BLOBS; k++) s.size[k] = 1;
    take(&s, N, N, 0, 0, 0, 0, 0, NULL, survey);
    s.row[0] = 37; /* up */
    s.col[0] = 55; /* to the right */
    take(&s, PATCH, PATCH, 20, 30, 0, 0, 0, NULL, patch);
    rs_drift_shift m = match_at(20, 30, &o);
    assert_true(m.found);
    assert_near(m.drow, -3, 0.01);
    assert_near(m.dcol, 5, 0.01);
    /* In metres it has gone to +x and +y, wherever the frame lies, and as coords.h has it. */
    for (int k = 0; k < 5; k++) {
        rs_frame f = {.cx = 1e-6,
                      .cy = -2e-6,
                      .width = 3e-6,
                      .height = 1e-6,
                      .angle = 0.5 * k,
                      .rows = N,
                      .cols = N};
        rs_coords c;
        rs_coords_frame cf = rs_coords_frame_of(&f);
        rs_device device = rs_device_metres();
        reshed_error err = {0};
        const rs_rowcol pixel[] = {{40, 50}, {37, 55}};
        rs_xy at[2];
        double dx, dy;
        assert_ok(rs_coords_init(&c, &cf, &device, &err), &err);
        rs_pixel_to_stage(&c, pixel, 2, at);
        rs_drift_metres(&f, -3, 5, &dx, &dy);
        assert_near(dx, at[1].x - at[0].x, TOL_PLACE);
        assert_near(dy, at[1].y - at[0].y, TOL_PLACE);
        if (k == 0) assert_true(dx > 0 && dy > 0);
        /* The patch's frame puts its pixels where the survey's are. */
        rs_frame p = rs_drift_patch_frame(&f, 20, 30, 40, 30);
        rs_coords pc;
        rs_coords_frame pf = rs_coords_frame_of(&p);
        const rs_rowcol inside[] = {{0, 0}, {39, 29}, {7, 3}};
        assert_ok(rs_coords_init(&pc, &pf, &device, &err), &err);
        for (int i = 0; i < 3; i++) {
            const rs_rowcol same = {inside[i].row + 20, inside[i].col + 30};
            rs_xy a, b;
            rs_pixel_to_stage(&pc, &inside[i], 1, &a);
            rs_pixel_to_stage(&c, &same, 1, &b);
            assert_near(a.x, b.x, TOL_PLACE);
            assert_near(a.y, b.y, TOL_PLACE);
        }
        m.sigma = 2;
        assert_near(rs_drift_sigma_metres(&f, &m), 2 * 3e-6 / N, TOL_PLACE);
    }
}

/* The spread of the errors is what is claimed. */
static void errors_are_as_claimed(void **state)
{
    (void)state;
    const double noise[] = {0.05, 0.2, 0.4};
    test_rng r = {test_seed() + 1};
    rs_drift_options o;
    rs_drift_defaults(&o);
    for (int k = 0; k < 3; k++) {
        double claimed = 0, square = 0, mean = 0;
        int n = 0, wild = 0, trials = 60;
        for (int trial = 0; trial < trials; trial++) {
            scene s = make_scene(&r);
            double drow = test_uniform(&r, -9, 9), dcol = test_uniform(&r, -9, 9);
            take(&s, N, N, 0, 0, 0, 0, noise[k], &r, survey);
            take(&s, PATCH, PATCH, 28, 28, drow, dcol, noise[k], &r, patch);
            rs_drift_shift m = match_at(28, 28, &o);
            if (!m.found) continue;
            double er = m.drow - drow, ec = m.dcol - dcol;
            if (hypot(er, ec) > 1) {
                wild++;
                continue;
            }
            square += er * er + ec * ec;
            mean += er + ec;
            claimed += m.sigma_row * m.sigma_row + m.sigma_col * m.sigma_col;
            n++;
        }
        print_message("# noise %.2f: %d of %d found, %d wrong, error %.3f, claimed %.3f, bias "
                      "%+.3f pixels\n",
                      noise[k], n, trials, wild, sqrt(square / (2 * n)), sqrt(claimed / (2 * n)),
                      mean / (2 * n));
        assert_true(n > (k == 0 ? 0.95 : k == 1 ? 0.6 : 0.1) * trials);
        assert_true(square < 2 * claimed && claimed < 2.5 * square);
    }
}

static void missing_pixels_do_not_pull(void **state)
{
    (void)state;
    test_rng r = {test_seed() + 2};
    rs_drift_options o;
    rs_drift_defaults(&o);
    double worst = 0;
    for (int trial = 0; trial < 20; trial++) {
        scene s = make_scene(&r);
        double drow = test_uniform(&r, -9, 9), dcol = test_uniform(&r, -9, 9);
        take(&s, N, N, 0, 0, 0, 0, 0.02, &r, survey);
        take(&s, PATCH, PATCH, 30, 25, drow, dcol, 0.02, &r, patch);
        for (int i = 0; i < N * N; i++)
            if (test_below(&r, 100) < 4 || i / N == 50 || i / N > 80) survey[i] = NAN;
        for (int i = 0; i < PATCH * PATCH; i++)
            if (test_below(&r, 100) < 4 || i % PATCH == 11) patch[i] = i % 2 ? NAN : INFINITY;
        rs_drift_shift m = match_at(30, 25, &o);
        assert_true(m.found);
        worst = fmax(worst, hypot(m.drow - drow, m.dcol - dcol));
    }
    print_message("# with missing pixels: worst error %.3f pixels\n", worst);
    assert_true(worst < 0.2);
    /* A patch that lies partly outside the survey. */
    scene s = make_scene(&r);
    take(&s, N, N, 0, 0, 0, 0, 0, &r, survey);
    take(&s, PATCH, PATCH, -6, 65, 3.25, -2.5, 0, &r, patch);
    rs_drift_shift m = match_at(-6, 65, &o);
    assert_true(m.found);
    assert_near(m.drow, 3.25, 0.03);
    assert_near(m.dcol, -2.5, 0.03);
    assert_true(m.overlap < PATCH * PATCH * 0.85);
}

static void expect(rs_drift_reason a, rs_drift_reason b, const rs_drift_options *o)
{
    rs_drift_shift m = match_at(28, 28, o);
    if (m.reason != a && m.reason != b)
        print_message("# %s, not %s\n", rs_drift_reason_text(m.reason), rs_drift_reason_text(a));
    assert_true(!m.found && (m.reason == a || m.reason == b));
}

static void what_must_not_be_found(void **state)
{
    (void)state;
    test_rng r = {test_seed() + 3};
    rs_drift_options o;
    rs_drift_defaults(&o);
    int found = 0;
    for (int trial = 0; trial < 20; trial++) { /* nothing in common */
        for (int i = 0; i < N * N; i++) survey[i] = (float)test_gauss(&r);
        for (int i = 0; i < PATCH * PATCH; i++) patch[i] = (float)test_gauss(&r);
        expect(RS_DRIFT_WEAK, RS_DRIFT_WEAK, &o);
    }
    for (int trial = 0; trial < 20; trial++) { /* other pictures */
        scene a = make_scene(&r), b = make_scene(&r);
        take(&a, N, N, 0, 0, 0, 0, 0.1, &r, survey);
        take(&b, PATCH, PATCH, 28, 28, 0, 0, 0.1, &r, patch);
        rs_drift_shift m = match_at(28, 28, &o);
        found += m.found;
    }
    print_message("# other pictures: %d of 20 taken for the same\n", found);
    assert_true(found <= 4);
    for (int trial = 0; trial < 20; trial++) { /* farther than the search */
        scene s = make_scene(&r);
        double angle = test_uniform(&r, 0, 6.28);
        take(&s, N, N, 0, 0, 0, 0, 0.05, &r, survey);
        take(&s, PATCH, PATCH, 28, 28, 12 * sin(angle), 12 * cos(angle), 0.05, &r, patch);
        rs_drift_options near = o;
        near.search = 7;
        rs_drift_shift m = match_at(28, 28, &near);
        assert_false(m.found && hypot(m.drow, m.dcol) < 4);
    }
    for (int trial = 0; trial < 10; trial++) { /* parallel walls */
        double angle = test_uniform(&r, 0, 3.14);
        for (int k = 0; k < 2; k++) {
            int n = k ? PATCH : N;
            float *im = k ? patch : survey;
            for (int i = 0; i < n * n; i++) {
                double d = (i / n + 28 * k) * cos(angle) + (i % n + 28 * k) * sin(angle);
                im[i] = (float)(sin(0.2 * d) + cos(0.31 * d + 1) + sin(0.083 * d) +
                                0.2 * test_gauss(&r));
            }
        }
        rs_drift_shift m = match_at(28, 28, &o);
        assert_true(!m.found && m.reason != RS_DRIFT_WEAK && m.reason != RS_DRIFT_NO_DATA);
    }
    for (int k = 0; k < 2; k++) { /* a lattice */
        int n = k ? PATCH : N;
        float *im = k ? patch : survey;
        for (int i = 0; i < n * n; i++)
            im[i] = (float)(sin((i / n + 28 * k) * 0.6) * sin((i % n + 28 * k) * 0.5) +
                            0.05 * test_gauss(&r));
    }
    expect(RS_DRIFT_TWO, RS_DRIFT_TWO, &o);
    for (int i = 0; i < PATCH * PATCH; i++) patch[i] = 0.1f; /* flat, and 0.1f is not exact */
    expect(RS_DRIFT_NO_DATA, RS_DRIFT_NO_DATA, &o);
    for (int i = 0; i < PATCH * PATCH; i++) patch[i] = NAN;
    expect(RS_DRIFT_NO_DATA, RS_DRIFT_NO_DATA, &o);
}

static void options_and_sizes_are_checked(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_drift_options good;
    rs_drift_shift m;
    memset(&m, 0x5a, sizeof m);
    rs_drift_defaults(&good);
    rs_drift_options bad[6] = {good, good, good, good, good, good};
    bad[0].search = 0;
    bad[1].smooth = NAN;
    bad[2].min_overlap = 0;
    bad[3].min_lead = NAN;
    bad[4].max_sigma = 0;
    bad[5].threads = -1;
    for (int i = 0; i < 6; i++)
        assert_int_equal(rs_drift_match(survey, N, N, patch, PATCH, PATCH, 0, 0, &bad[i], &m, &err),
                         RESHED_EINVAL);
    assert_int_equal(rs_drift_match(survey, N, 0, patch, PATCH, PATCH, 0, 0, &good, &m, &err),
                     RESHED_EINVAL);
    assert_int_equal(rs_drift_match(survey, N, N, NULL, PATCH, PATCH, 0, 0, &good, &m, &err),
                     RESHED_EINVAL);
    assert_int_equal(rs_drift_match(survey, N, N, patch, PATCH, PATCH, 1 << 30, 0, &good, &m, &err),
                     RESHED_EINVAL);
    assert_int_equal(((unsigned char *)&m)[0], 0x5a);
    for (int k = 0; k <= RS_DRIFT_LOOSE; k++)
        assert_true(strlen(rs_drift_reason_text((rs_drift_reason)k)) > 1);
    /* Tiny patches are no data, not a crash. */
    for (int n = 1; n < 12; n++)
        for (int q = 1; q < 12; q += 3) {
            assert_ok(rs_drift_match(survey, N, N, patch, n, q, 5, 5, &good, &m, &err), &err);
            assert_false(m.found);
        }
}

static void threads_change_nothing_and_memory_may_fail(void **state)
{
    (void)state;
    test_rng r = {test_seed() + 4};
    reshed_error err = {0};
    rs_drift_options o;
    rs_drift_defaults(&o);
    scene s = make_scene(&r);
    take(&s, N, N, 0, 0, 0, 0, 0.1, &r, survey);
    take(&s, PATCH, PATCH, 28, 28, 2.3, -4.6, 0.1, &r, patch);
    o.threads = 1;
    rs_drift_shift one = match_at(28, 28, &o);
    o.threads = 3;
    rs_drift_shift three = match_at(28, 28, &o);
    assert_true(one.drow == three.drow && one.dcol == three.dcol && one.sigma == three.sigma &&
                one.peak == three.peak && one.second == three.second);
    int failures = 0;
    for (long k = 0;; k++) {
        rs_drift_shift m = {.overlap = -7};
        o.threads = 1;
        test_alloc_fail_at(k);
        reshed_status st = rs_drift_match(survey, N, N, patch, PATCH, PATCH, 28, 28, &o, &m, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_int_equal(st, RESHED_OK);
            break;
        }
        assert_int_equal(st, RESHED_ENOMEM);
        assert_int_equal(m.overlap, -7);
        failures++;
    }
    assert_true(failures >= 8);
    for (long k = 0;; k++) {
        rs_contrast c = {.pixels = -7};
        rs_contrast_options co;
        rs_contrast_defaults(&co);
        test_alloc_fail_at(k);
        reshed_status st = rs_contrast_compare(survey, N, N, patch, PATCH, PATCH, 28, 28, 2.3, -4.6,
                                               &co, &c, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) break;
        assert_int_equal(st, RESHED_ENOMEM);
        assert_int_equal(c.pixels, -7);
    }
}

/* --------------------------------------------------------------------------------- the contrast */

static rs_contrast contrast_of(double drow, double dcol)
{
    reshed_error err = {0};
    rs_contrast c;
    rs_contrast_options o;
    rs_contrast_defaults(&o);
    assert_ok(
        rs_contrast_compare(survey, N, N, patch, PATCH, PATCH, 28, 28, drow, dcol, &o, &c, &err),
        &err);
    return c;
}

static void contrast_is_measured(void **state)
{
    (void)state;
    test_rng r = {test_seed() + 5};
    const double blur[] = {0, 0.5, 2, 4};
    for (int k = 0; k < 4; k++)
        for (int sharper = 0; sharper < 2; sharper++) {
            double mean = 0, within = 0;
            for (int trial = 0; trial < 20; trial++) {
                scene s = make_scene(&r), t = s;
                double drow = test_uniform(&r, -5, 5), dcol = test_uniform(&r, -5, 5);
                if (sharper)
                    s.blur = blur[k];
                else
                    t.blur = blur[k];
                take(&s, N, N, 0, 0, 0, 0, 0.03, &r, survey);
                take(&t, PATCH, PATCH, 28, 28, drow, dcol, 0.03, &r, patch);
                rs_contrast c = contrast_of(drow, dcol);
                assert_true(c.known);
                assert_true(c.correlation > 0.95);
                mean += c.blur / 20;
                within += fabs(c.blur) < 3 * c.blur_sigma + 0.1;
                if (k == 0) assert_int_equal(c.changed, 0);
                if (k == 3) assert_true(c.changed & RS_CONTRAST_BLUR);
            }
            double want = sharper ? -blur[k] : blur[k];
            print_message("# blur %+.1f pixels^2: measured %+.2f\n", want, mean);
            assert_near(mean, want, 0.2 + 0.1 * blur[k]);
            if (k == 0) assert_true(within >= 18);
        }
    scene s = make_scene(&r);
    take(&s, N, N, 0, 0, 0, 0, 0.02, &r, survey);
    take(&s, PATCH, PATCH, 28, 28, 1.5, 0.25, 0.02, &r, patch);
    for (int i = 0; i < PATCH * PATCH; i++) patch[i] *= 0.5f;
    rs_contrast c = contrast_of(1.5, 0.25);
    assert_near(c.gain, 0.5, 0.01);
    assert_near(c.level, 0.5, 0.05);
    assert_int_equal(c.changed, RS_CONTRAST_GAIN);
    c = contrast_of(11.5, -8); /* not where it is */
    assert_true(c.changed & RS_CONTRAST_PATTERN);
    for (int i = 0; i < PATCH * PATCH; i++) patch[i] = 3;
    c = contrast_of(0, 0);
    assert_true(!c.known && c.changed == 0 && isnan(c.gain) && isnan(c.blur));
    reshed_error err = {0};
    rs_contrast_options o;
    rs_contrast_defaults(&o);
    assert_int_equal(
        rs_contrast_compare(survey, N, N, patch, PATCH, PATCH, 28, 28, NAN, 0, &o, &c, &err),
        RESHED_EINVAL);
    o.max_gain = 1;
    assert_int_equal(
        rs_contrast_compare(survey, N, N, patch, PATCH, PATCH, 28, 28, 0, 0, &o, &c, &err),
        RESHED_EINVAL);
}

/* ------------------------------------------------------------------------------------- the twin */

static void scan(rs_instrument *d, const rs_frame *f, float *out)
{
    reshed_error err = {0};
    float *channel = rs_alloc((size_t)f->cols, RS_DRIVER_MAX_CHANNELS * sizeof *channel);
    assert_int_equal(rs_instrument_set_frame(d, f, 1, &err), RS_DRIVER_OK);
    assert_int_equal(rs_instrument_start(d, 0, 1, &err), RS_DRIVER_OK);
    for (int i = 0; i < 2 * f->rows; i++) {
        rs_line line = {.cols = f->cols, .channels = RS_DRIVER_MAX_CHANNELS, .channel = channel};
        assert_int_equal(rs_instrument_wait_line(d, 10, &line, &err), RS_DRIVER_OK);
        if (!line.retrace) memcpy(out + line.row * f->cols, channel, (size_t)f->cols * sizeof *out);
    }
    rs_free(channel);
}

enum { ROWS = 192, PIECE = 64 };

typedef struct twin_run {
    rs_instrument *d;
    rs_frame frame;
    float *before, *after; /* [ROWS*ROWS], [PIECE*PIECE] */
} twin_run;

/* Opens a twin at its default noise and scans the survey. */
static void twin_open(twin_run *t, const rs_driver_option *option, int n, double side, double angle)
{
    reshed_error err = {0};
    t->frame = (rs_frame){
        .width = side, .height = side, .angle = angle, .rows = ROWS, .cols = ROWS, .line_rate = 20};
    t->before = rs_alloc(ROWS * ROWS, sizeof *t->before);
    t->after = rs_alloc(PIECE * PIECE, sizeof *t->after);
    assert_int_equal(rs_instrument_open("twin", option, n, 10, &t->d, &err), RS_DRIVER_OK);
    scan(t->d, &t->frame, t->before);
}

static void twin_close(twin_run *t)
{
    rs_instrument_close(t->d);
    rs_free(t->before);
    rs_free(t->after);
}

static rs_drift_shift rescan(twin_run *t, int row0, int col0, rs_contrast *c)
{
    reshed_error err = {0};
    rs_drift_options o;
    rs_drift_shift m;
    rs_contrast_options co;
    rs_frame f = rs_drift_patch_frame(&t->frame, row0, col0, PIECE, PIECE);
    rs_drift_defaults(&o);
    rs_contrast_defaults(&co);
    scan(t->d, &f, t->after);
    assert_ok(
        rs_drift_match(t->before, ROWS, ROWS, t->after, PIECE, PIECE, row0, col0, &o, &m, &err),
        &err);
    if (m.found)
        assert_ok(rs_contrast_compare(t->before, ROWS, ROWS, t->after, PIECE, PIECE, row0, col0,
                                      m.drow, m.dcol, &co, c, &err),
                  &err);
    return m;
}

/* The film creeps for some minutes in some direction; frames straight and turned. */
static void the_twin_drifts(void **state)
{
    (void)state;
    const double velocity = 4e-10;
    int found = 0, all = 0, changed = 0;
    double worst = 0, square = 0, claimed = 0;
    for (int trial = 0; trial < test_tier(1, 3, 12); trial++) {
        char vx[40], vy[40], seed[24];
        double angle = 1 + 2 * trial, ax, ay, bx, by;
        snprintf(vx, sizeof vx, "%.4g", velocity * cos(angle));
        snprintf(vy, sizeof vy, "%.4g", velocity * sin(angle));
        snprintf(seed, sizeof seed, "%d", 100 + trial);
        const rs_driver_option option[] = {
            {"clock", "0"}, {"be", "0"}, {"seed", seed}, {"drift_x", vx}, {"drift_y", vy}};
        twin_run t;
        reshed_error err = {0};
        twin_open(&t, option, 5, trial % 2 ? 1.2e-6 : 2e-6, trial % 2 ? 0.4 : 0);
        rs_driver_twin_place(t.d->self, 0, 0, &ax, &ay);
        assert_int_equal(rs_instrument_move_tip(t.d, 0, 0, 8e-9, 1, &err), RS_DRIVER_OK);
        for (int place = 0; place < 4; place++, all++) {
            int row0 = place / 2 ? 100 : 30, col0 = place % 2 ? 96 : 32;
            rs_contrast c;
            rs_drift_shift m = rescan(&t, row0, col0, &c);
            double dx, dy;
            if (!m.found) continue;
            /* place() tells of the end of each scan; the rows that are compared came before, by
             * half the patch, and by what followed them in the survey. drift_x moves the tip over
             * the film, so the film goes the other way. */
            rs_driver_twin_place(t.d->self, 0, 0, &bx, &by);
            double later = (ROWS - row0 - PIECE / 2 - PIECE / 2) / t.frame.line_rate;
            double wx = -(bx - ax) - velocity * cos(angle) * later;
            double wy = -(by - ay) - velocity * sin(angle) * later;
            rs_drift_metres(&t.frame, m.drow, m.dcol, &dx, &dy);
            double e = hypot(dx - wx, dy - wy) / (t.frame.width / t.frame.cols);
            assert_true(hypot(wx, wy) > 3 * (t.frame.width / t.frame.cols));
            found++;
            changed += c.changed != 0;
            worst = fmax(worst, e);
            square += e * e;
            claimed += m.sigma_row * m.sigma_row + m.sigma_col * m.sigma_col;
        }
        twin_close(&t);
    }
    print_message("# twin: %d of %d found, worst error %.2f, rms %.3f, claimed %.3f pixels; %d "
                  "taken for another tip\n",
                  found, all, worst, sqrt(square / found), sqrt(claimed / found), changed);
    assert_true(found >= 0.9 * all);
    assert_true(worst < 0.25);
    assert_true(changed <= 0.05 * all);
}

/* A tip that changes at random (gain, radius, a second apex) after the survey; some changes are too
 * small to see. */
static void a_changed_tip_is_noticed(void **state)
{
    (void)state;
    int trials = (int)test_tier(2, 5, 20), noticed = 0, lost = 0;
    for (int trial = 0; trial < trials; trial++) {
        char seed[24];
        snprintf(seed, sizeof seed, "%d", 300 + trial);
        const rs_driver_option option[] = {{"clock", "0"},
                                           {"be", "0"},
                                           {"seed", seed},
                                           {"tip_change", "1"},
                                           {"tip_change_time", "10"}}; /* survey: 9.6 s */
        twin_run t;
        rs_contrast c = {0};
        reshed_error err = {0};
        twin_open(&t, option, 5, 2e-6, 0);
        assert_int_equal(rs_instrument_move_tip(t.d, 0, 0, 8e-8, 1, &err), RS_DRIVER_OK);
        rs_drift_shift m = rescan(&t, 64, 64, &c);
        lost += !m.found;
        noticed += m.found && c.changed;
        print_message("# tip %d: %s, gain %.2f, blur %+.2f +- %.2f, correlation %.2f: %s\n", trial,
                      rs_drift_reason_text(m.reason), c.gain, c.blur, c.blur_sigma, c.correlation,
                      c.changed ? "changed" : "not seen");
        twin_close(&t);
    }
    assert_true(noticed + lost >= 0.6 * trials);
}

/* A velocity from a short time, or from a shift that is hardly one, is not carried on for long. */
static void a_velocity_is_used_as_far_as_it_is_known(void **state)
{
    (void)state;
    double row_time[64];
    const rs_session_setup setup = {.frame = {.rows = 64, .cols = 64}};
    for (int r = 0; r < 64; r++) row_time[r] = r;
    rs_follower f = {.setup = &setup,
                     .row_time = row_time,
                     .survey_time = 60,
                     .patch_time = 70,
                     .dx = 1e-9,
                     .dy = 0,
                     .vx = 1e-10,
                     .vy = 0,
                     .sigma = 0.5e-9};
    assert_near(rs_follower_shift(&f, 60, 75).x, 1.5e-9, 1e-15);
    assert_near(rs_follower_shift(&f, 60, 81).x, 1e-9, 1e-15);
    assert_near(rs_follower_shift(&f, 0, NAN).x, 1e-9, 1e-15);
    f.sigma = 0.3e-9;
    assert_near(rs_follower_shift(&f, 60, 81).x, 2.1e-9, 1e-15);
    row_time[60] = NAN; /* another run's */
    assert_near(rs_follower_shift(&f, 60, NAN).x, 1e-9, 1e-15);
    f.vx = f.vy = NAN;
    assert_near(rs_follower_shift(&f, 60, 81).x, 1e-9, 1e-15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shifts_in_all_directions),
        cmocka_unit_test(what_the_signs_mean),
        cmocka_unit_test(errors_are_as_claimed),
        cmocka_unit_test(missing_pixels_do_not_pull),
        cmocka_unit_test(what_must_not_be_found),
        cmocka_unit_test(options_and_sizes_are_checked),
        cmocka_unit_test(threads_change_nothing_and_memory_may_fail),
        cmocka_unit_test(contrast_is_measured),
        cmocka_unit_test(the_twin_drifts),
        cmocka_unit_test(a_changed_tip_is_noticed),
        cmocka_unit_test(a_velocity_is_used_as_far_as_it_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
