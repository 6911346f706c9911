/* Switching of the twin: the population against its own closed forms, the findings that it is to
 * show, and the whole way of a measurement: complex spectra, oscillator fits, unfolding, metrics,
 * against the truth. */
#include "support/support.h"
#include "support/tolerance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "beps/analyse.h"
#include "beps/sho_fit.h"
#include "beps/waveform.h"
#include "spm/instrument/sim/twin.h"
#include "spm/instrument/instrument.h"
#include "spm/instrument/private.h"

#define STEPS 64
#define V_MAX 8.5

static rs_twin_sample *film_of(const rs_twin_options *o)
{
    reshed_error err = {0};
    rs_twin_sample *film = NULL;
    assert_ok(rs_twin_sample_create(o, &film, &err), &err);
    return film;
}

static void triangle(double *v)
{
    reshed_error err = {0};
    rs_wave_spec spec;
    rs_waveform w = {0};
    rs_wave_defaults(&spec);
    spec.amplitude = V_MAX;
    spec.steps = STEPS;
    assert_ok(rs_waveform_create(&spec, &w, &err), &err);
    memcpy(v, w.v, STEPS * sizeof *v);
    rs_waveform_clear(&w);
}

/* ------------------------------------------------------------------------------- the population */

static void options_are_checked(void **state)
{
    (void)state;
    rs_twin_switching o;
    reshed_error err = {0};
    rs_twin_switching_defaults(&o);
    assert_ok(rs_twin_switching_check(&o, &err), &err);
    int n;
    const rs_twin_field *f = rs_twin_switching_fields(&n);
    assert_int_equal((size_t)n * sizeof(double), sizeof o);
    for (int i = 0; i < n; i++) {
        rs_twin_switching bad = o;
        rs_twin_field_set(&f[i], &bad, NAN);
        assert_int_equal(rs_twin_switching_check(&bad, &err), RESHED_EINVAL);
        assert_non_null(strstr(err.what, f[i].name));
    }
    rs_twin_switching bad = o;
    rs_twin_site site;
    rs_twin_options film_options;
    rs_twin_options_defaults(&film_options);
    rs_twin_sample *film = film_of(&film_options);
    bad.spread = -1;
    memset(&site, 0x5a, sizeof site);
    assert_int_equal(rs_twin_site_init(film, &bad, 0, 0, &site, &err), RESHED_EINVAL);
    assert_int_equal(((unsigned char *)&site)[17], 0x5a);
    rs_twin_loop_truth truth;
    assert_int_equal(rs_twin_switching_truth(film, &o, 0, 0, 1, 1, &truth, &err), RESHED_EINVAL);
    assert_int_equal(rs_twin_switching_truth(film, &o, 0, 0, NAN, 1, &truth, &err), RESHED_EINVAL);
    rs_twin_sample_free(film);
}

/* One sharp population: every volume switches at imprint +- coercive, so the loop is a rectangle.
 */
static void a_sharp_population_is_a_rectangle(void **state)
{
    (void)state;
    rs_twin_options film_options;
    rs_twin_switching o = {
        .coercive = 2, .short_length = 1e-7, .reach = 1e-9, .imprint = 0.5, .scatter_size = 1e-8};
    rs_twin_options_defaults(&film_options);
    rs_twin_sample *film = film_of(&film_options);
    reshed_error err = {0};
    rs_twin_site site;
    rs_twin_loop_truth t;
    assert_ok(rs_twin_switching_truth(film, &o, 1e-8, 2e-8, -8, 8, &t, &err), &err);
    assert_near(t.v_plus, 2.5, TOL_DOUBLE);
    assert_near(t.v_minus, -1.5, TOL_DOUBLE);
    assert_near(t.width, 4, TOL_DOUBLE);
    assert_near(t.imprint, 0.5, TOL_DOUBLE);
    assert_near(t.saturation, 1, TOL_DOUBLE);
    assert_near(t.height / 2, film_options.level, 1e-21);
    assert_near(t.area, 4 * 2 * film_options.level, 1e-20);
    assert_ok(rs_twin_site_init(film, &o, 1e-8, 2e-8, &site, &err), &err);
    assert_near(rs_twin_site_state(&site), 1, TOL_DOUBLE); /* a c+ film: up */
    rs_twin_site_apply(&site, 2.49);
    assert_near(rs_twin_site_state(&site), 1, TOL_DOUBLE);
    rs_twin_site_apply(&site, 2.51);
    assert_near(rs_twin_site_state(&site), -1, TOL_DOUBLE);
    rs_twin_site_apply(&site, 0);
    rs_twin_site_apply(&site, -1.49);
    assert_near(rs_twin_site_state(&site), -1, TOL_DOUBLE); /* it stays so */
    rs_twin_site_apply(&site, -1.51);
    assert_near(rs_twin_site_state(&site), 1, TOL_DOUBLE);
    assert_ok(rs_twin_switching_truth(film, &o, 1e-8, 2e-8, -1, 8, &t, &err), &err);
    assert_true(isnan(t.v_plus) && isnan(t.width) && t.area == 0 && t.height == 0);
    rs_twin_sample_free(film);
}

/* The truth is a sum over the population; a loop swept in steps of 2 mV must have the same area and
 * pass its middle at the same voltages. */
static void truth_is_that_of_a_fine_loop(void **state)
{
    (void)state;
    rs_twin_options film_options;
    rs_twin_switching o;
    reshed_error err = {0};
    test_rng r = {test_seed()};
    rs_twin_options_defaults(&film_options);
    rs_twin_switching_defaults(&o);
    rs_twin_sample *film = film_of(&film_options);
    const int half = 8000;
    const double dv = 16.0 / half;
    double *up = rs_alloc((size_t)half + 1, sizeof *up),
           *down = rs_alloc((size_t)half + 1, sizeof *up);
    for (int trial = 0; trial < 10; trial++) {
        double x = test_uniform(&r, -9e-7, 9e-7), y = test_uniform(&r, -9e-7, 9e-7);
        rs_twin_site site;
        rs_twin_loop_truth t;
        assert_ok(rs_twin_switching_truth(film, &o, x, y, -8, 8, &t, &err), &err);
        assert_ok(rs_twin_site_init(film, &o, x, y, &site, &err), &err);
        rs_twin_site_apply(&site, 8);
        rs_twin_site_apply(&site, -8);
        double area = 0;
        for (int i = 0; i <= half; i++) {
            rs_twin_site_apply(&site, -8 + i * dv);
            up[i] = site.response * rs_twin_site_state(&site);
        }
        for (int i = half; i >= 0; i--) {
            rs_twin_site_apply(&site, -8 + i * dv);
            down[i] = site.response * rs_twin_site_state(&site);
        }
        double top = up[0], bottom = up[half];
        for (int i = 0; i < half; i++)
            area += 0.5 * dv * (up[i] - down[i] + up[i + 1] - down[i + 1]);
        assert_near(area / t.area, 1, 2e-3);
        assert_near((top - bottom) / t.height, 1, 1e-9);
        double mid = 0.5 * (top + bottom), v_plus = NAN, v_minus = NAN;
        for (int i = 1; i <= half; i++)
            if (up[i - 1] > mid && up[i] <= mid) v_plus = -8 + i * dv;
        for (int i = half - 1; i >= 0; i--)
            if (down[i + 1] < mid && down[i] >= mid) v_minus = -8 + i * dv;
        /* The truth lies between the middles of two volumes, the fine loop at one of them. */
        assert_near(v_plus, t.v_plus, 0.15);
        assert_near(v_minus, t.v_minus, 0.15);
    }
    rs_free(up);
    rs_free(down);
    rs_twin_sample_free(film);
}

/* The same place gives the same bits, a place 0.2 nm away nearly the same, one 200 nm away another
 * loop. */
static void places_are_smooth(void **state)
{
    (void)state;
    rs_twin_options film_options;
    rs_twin_switching o;
    reshed_error err = {0};
    test_rng r = {test_seed() + 1};
    double differ = 0;
    rs_twin_options_defaults(&film_options);
    film_options.spacing[0] = film_options.spacing[1] = 0; /* a c domain without walls */
    film_options.thin_density = film_options.inplane_density = 0;
    rs_twin_switching_defaults(&o);
    rs_twin_sample *film = film_of(&film_options);
    for (int trial = 0; trial < 50; trial++) {
        double x = test_uniform(&r, -8e-7, 8e-7), y = test_uniform(&r, -8e-7, 8e-7);
        rs_twin_loop_truth a, b, c, d;
        assert_ok(rs_twin_switching_truth(film, &o, x, y, -9, 9, &a, &err), &err);
        assert_ok(rs_twin_switching_truth(film, &o, x, y, -9, 9, &b, &err), &err);
        assert_ok(rs_twin_switching_truth(film, &o, x + 2e-10, y, -9, 9, &c, &err), &err);
        assert_ok(rs_twin_switching_truth(film, &o, x + 2e-7, y, -9, 9, &d, &err), &err);
        assert_memory_equal(&a, &b, sizeof a);
        assert_near(a.width, c.width, 0.02 * a.width);
        assert_near(a.area, c.area, 0.02 * a.area);
        differ += fabs(a.width - d.width) / 50;
    }
    assert_true(differ > 0.15);
    rs_twin_sample_free(film);
}

/* --------------------------------------------------------------------------------- the findings */

/* Points at walls: in the middle of a random wall's length, at its edge as probed. */
typedef struct wall_point {
    double x, y;
    rs_twin_point at;
    double length;
    bool needle;
} wall_point;

static int wall_points(const rs_twin_sample *film, test_rng *r, double inside, int want,
                       wall_point *out)
{
    int n = 0, walls = rs_twin_wall_count(film);
    for (int trial = 0; n < want && trial < 400 * want; trial++) {
        rs_twin_wall w;
        rs_twin_wall_get(film, (int)test_below(r, (uint64_t)walls), &w);
        double t = test_uniform(r, 0.1, 0.9);
        wall_point p = {.x = w.x[0] + t * (w.x[1] - w.x[0]), .y = w.y[0] + t * (w.y[1] - w.y[0])};
        if (fabs(p.x) > inside || fabs(p.y) > inside) continue;
        rs_twin_probe(film, p.x, p.y, &p.at);
        if (fabs((double)p.at.wall) > 6e-9) continue;
        rs_twin_wall_get(film, 2 * p.at.stripe, &w);
        p.length = w.length;
        p.needle = w.end[0] == RS_TWIN_END_NEEDLE || w.end[1] == RS_TWIN_END_NEEDLE;
        out[n++] = p;
    }
    return n;
}

/* Mean width of the points in each of two classes, by the truth. */
static void class_means(const rs_twin_sample *film, const rs_twin_switching *o, const wall_point *p,
                        int n, bool by_length, double mean[2], int count[2])
{
    reshed_error err = {0};
    double sum[2] = {0, 0};
    count[0] = count[1] = 0;
    for (int i = 0; i < n; i++) {
        rs_twin_loop_truth t;
        if (by_length && p[i].length > 300e-9 && p[i].length < 600e-9) continue;
        int k = by_length ? p[i].needle && p[i].length < 300e-9 : p[i].at.tilt > 0;
        assert_ok(rs_twin_switching_truth(film, o, p[i].x, p[i].y, -15, 15, &t, &err), &err);
        sum[k] += t.width;
        count[k]++;
    }
    mean[0] = sum[0] / count[0];
    mean[1] = sum[1] / count[1];
}

static void widths_alternate_with_the_lean(void **state)
{
    (void)state;
    static wall_point p[300];
    rs_twin_options film_options;
    rs_twin_switching o;
    test_rng r = {test_seed() + 2};
    double mean[2];
    int count[2];
    rs_twin_options_defaults(&film_options);
    rs_twin_switching_defaults(&o);
    rs_twin_sample *film = film_of(&film_options);
    int n = wall_points(film, &r, 9e-7, 300, p);
    assert_true(n >= 200);
    o.shorter = 0;
    class_means(film, &o, p, n, false, mean, count);
    assert_true(count[0] > 40 && count[1] > 40);
    /* Points lie up to 6 nm from the edge of a reach of 20 nm. */
    assert_near(mean[1] / mean[0], 1.25 / 0.75, 0.12);
    o.alternate = 0;
    class_means(film, &o, p, n, false, mean, count);
    assert_near(mean[1] / mean[0], 1, 0.05);
    /* Along one family of parallel stripes the two walls of a stripe differ. */
    o.alternate = 0.25;
    int alternating = 0, all = 0;
    reshed_error err = {0};
    for (int i = 0; i + 1 < rs_twin_wall_count(film); i += 2) {
        rs_twin_wall a, b;
        rs_twin_loop_truth ta, tb;
        rs_twin_wall_get(film, i, &a);
        rs_twin_wall_get(film, i + 1, &b);
        double xa = 0.5 * (a.x[0] + a.x[1]), ya = 0.5 * (a.y[0] + a.y[1]);
        double xb = 0.5 * (b.x[0] + b.x[1]), yb = 0.5 * (b.y[0] + b.y[1]);
        rs_twin_point pa, pb;
        rs_twin_probe(film, xa, ya, &pa);
        rs_twin_probe(film, xb, yb, &pb);
        if (pa.stripe != i / 2 || pb.stripe != i / 2 || pa.side == pb.side) continue;
        if (fabs((double)pa.wall) > 6e-9 || fabs((double)pb.wall) > 6e-9) continue;
        assert_int_equal(pa.tilt, -pb.tilt);
        assert_ok(rs_twin_switching_truth(film, &o, xa, ya, -15, 15, &ta, &err), &err);
        assert_ok(rs_twin_switching_truth(film, &o, xb, yb, -15, 15, &tb, &err), &err);
        alternating += (ta.width > tb.width) == (pa.tilt > 0);
        all++;
    }
    assert_true(all >= 20);
    assert_true(alternating > 0.97 * all);
    rs_twin_sample_free(film);
}

static void short_walls_are_wider(void **state)
{
    (void)state;
    static wall_point p[400];
    rs_twin_options film_options;
    rs_twin_switching o;
    test_rng r = {test_seed() + 3};
    double mean[2];
    int count[2];
    rs_twin_options_defaults(&film_options);
    film_options.thin_density = 4;
    film_options.needle_fraction = 1;
    rs_twin_switching_defaults(&o);
    o.alternate = 0;
    o.short_length = 600e-9;
    rs_twin_sample *film = film_of(&film_options);
    int n = wall_points(film, &r, 9e-7, 400, p);
    class_means(film, &o, p, n, true, mean, count);
    print_message("# short walls %d of %.2f V, long ones %d of %.2f V\n", count[1], mean[1],
                  count[0], mean[0]);
    assert_true(count[0] > 30 && count[1] > 30);
    assert_true(mean[1] / mean[0] > 1.15);
    o.shorter = 0;
    class_means(film, &o, p, n, true, mean, count);
    assert_near(mean[1] / mean[0], 1, 0.06);
    rs_twin_sample_free(film);
}

/* c+ and c- are imprinted in opposite senses, and their loops begin in opposite states. */
static void imprint_follows_the_domain(void **state)
{
    (void)state;
    rs_twin_options film_options;
    rs_twin_switching o;
    reshed_error err = {0};
    double sum[2] = {0, 0};
    int count[2] = {0, 0};
    rs_twin_options_defaults(&film_options);
    film_options.minus_fraction = 0.5;
    rs_twin_switching_defaults(&o);
    rs_twin_sample *film = film_of(&film_options);
    for (int i = 0; i < 400; i++) {
        double x = -9e-7 + 9e-8 * (i % 20), y = -9e-7 + 9e-8 * (i / 20);
        rs_twin_site site;
        assert_ok(rs_twin_site_init(film, &o, x, y, &site, &err), &err);
        if (fabs((double)site.point.c) < 0.98) continue;
        int k = site.point.c > 0;
        assert_near(rs_twin_site_state(&site), k ? 1 : -1, 0.05);
        sum[k] += site.imprint;
        count[k]++;
    }
    assert_true(count[0] > 50 && count[1] > 50);
    assert_near(sum[1] / count[1] - sum[0] / count[0], 2 * o.imprint_c, 0.1);
    rs_twin_sample_free(film);
}

/* -------------------------------------------------------------------------------- a measurement */

/* On field less off field is the force between charges, linear in the voltage, as read through
 * oscillator fits; the resonance moves with the voltage and with the state. */
static void on_field_has_a_linear_term(void **state)
{
    (void)state;
    const rs_driver_option option[] = {{"clock", "0"}, {"noise", "0"}, {"electrostatic", "0.05"}};
    enum { BINS = 65 };
    static float spectra[2 * STEPS * BINS * 2];
    double v[STEPS], frequency[BINS];
    rs_sho_fit fit[2 * STEPS];
    rs_sho_plan *plan = NULL;
    rs_instrument *d = NULL;
    reshed_error err = {0};
    triangle(v);
    assert_int_equal(rs_instrument_open("twin", option, 3, 10, &d, &err), RS_DRIVER_OK);
    rs_spectroscopy s = {.voltage = v, .steps = STEPS, .off_field = true, .dwell = 2e-3};
    rs_spectrum out = {.steps = STEPS, .bins = BINS, .spectra = spectra, .frequency = frequency};
    assert_int_equal(rs_instrument_set_spectroscopy(d, &s, 1, &err), RS_DRIVER_OK);
    assert_int_equal(rs_instrument_run_spectroscopy(d, 1, &out, &err), RS_DRIVER_OK);
    assert_ok(rs_sho_plan_create(frequency, BINS, NULL, &plan, &err), &err);
    rs_sho_fit_f32(plan, spectra, 2 * STEPS, fit);
    rs_twin_options film;
    rs_twin_options_defaults(&film);
    const rs_twin_switching *o = rs_driver_twin_switching(d->self);
    double unit = film.level * rs_driver_twin_sensitivity(d->self), most = 0;
    rs_twin_site site;
    assert_ok(rs_twin_site_init(rs_driver_twin_sample(d->self), o, out.x, out.y, &site, &err),
              &err);
    for (int i = 0; i < STEPS; i++) {
        const rs_sho *on = &fit[i].p, *off = &fit[STEPS + i].p;
        double re = on->amplitude * cos(on->phase) - off->amplitude * cos(off->phase);
        double im = on->amplitude * sin(on->phase) - off->amplitude * sin(off->phase);
        assert_near(re / unit, 0.05 * v[i], 1e-4);
        assert_near(im / unit, 0, 1e-4);
        assert_near(on->frequency - off->frequency, o->resonance_bias * v[i], 1);
        rs_twin_site_apply(&site, v[i]);
        double at = site.resonance + 0.5 * o->resonance_state * (rs_twin_site_state(&site) - 1);
        assert_near(off->frequency, at, 1);
        assert_near(off->q / site.q, 1, 1e-3);
        most = fmax(most, fabs(rs_twin_site_state(&site) - 1));
    }
    assert_near(most, 2, 0.1); /* it did switch */
    rs_sho_plan_free(plan);
    rs_instrument_close(d);
}

typedef struct measured {
    int n;
    double *width, *plus, *minus, *area; /* [n], of the analysis */
    rs_twin_loop_truth *truth;           /* [n] */
} measured;

static double correlation(const double *a, const double *b, int n, int stride)
{
    double ma = 0, mb = 0, sab = 0, saa = 0, sbb = 0;
    for (int i = 0; i < n; i++) {
        ma += a[i] / n;
        mb += b[i * stride] / n;
    }
    for (int i = 0; i < n; i++) {
        double x = a[i] - ma, y = b[i * stride] - mb;
        sab += x * y;
        saa += x * x;
        sbb += y * y;
    }
    return sab / sqrt(saa * sbb);
}

static double mean_error(const double *a, const double *b, int n, int stride)
{
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (a[i] - b[i * stride]) / n;
    return sum;
}

/* effects: of the walls' lean and of their length. Loops at wall points by the driver: off-field
 * responses A cos, A sin of the oscillator fits. */
static void measure(const char *noise, const char *effects, int want, measured *m)
{
    static wall_point p[200];
    const rs_driver_option option[] = {
        {"clock", "0"}, {"noise", noise}, {"alternate", effects}, {"short", effects}};
    const int bins = 65;
    reshed_error err = {0};
    rs_instrument *d = NULL;
    double v[STEPS], reference;
    triangle(v);
    assert_int_equal(rs_instrument_open("twin", option, 4, 10, &d, &err), RS_DRIVER_OK);
    const rs_twin_sample *film = rs_driver_twin_sample(d->self);
    test_rng r = {test_seed() + 4};
    int n = wall_points(film, &r, 9e-7, want, p);
    assert_int_equal(n, want);
    rs_spectroscopy s = {
        .voltage = v, .steps = STEPS, .off_field = true, .dwell = 2e-3, .settle = 1e-3};
    assert_int_equal(rs_instrument_set_spectroscopy(d, &s, 1, &err), RS_DRIVER_OK);
    float *spectra = rs_alloc(2 * STEPS * (size_t)bins, 2 * sizeof *spectra);
    double *frequency = rs_alloc((size_t)bins, sizeof *frequency);
    rs_sho_fit *fit = rs_alloc(STEPS, sizeof *fit);
    rs_sho_plan *plan = NULL;
    double *re = rs_alloc((size_t)n * STEPS, sizeof *re),
           *im = rs_alloc((size_t)n * STEPS, sizeof *im);
    double *response = rs_alloc((size_t)n * STEPS, sizeof *response);
    *m = (measured){.n = n, .truth = rs_alloc((size_t)n, sizeof *m->truth)};
    for (int i = 0; i < n; i++) {
        rs_spectrum out = {
            .steps = STEPS, .bins = bins, .spectra = spectra, .frequency = frequency};
        double x, y;
        assert_int_equal(rs_instrument_move_tip(d, p[i].x, p[i].y, 1e-6, 1, &err), RS_DRIVER_OK);
        assert_int_equal(rs_instrument_run_spectroscopy(d, 1, &out, &err), RS_DRIVER_OK);
        assert_int_equal(out.fields, 2);
        if (!plan) assert_ok(rs_sho_plan_create(frequency, bins, NULL, &plan, &err), &err);
        rs_sho_fit_f32(plan, spectra + 2 * STEPS * bins, STEPS, fit);
        for (int k = 0; k < STEPS; k++) {
            bool good = !(fit[k].flags & RS_SHO_FAILED);
            re[i * STEPS + k] = good ? fit[k].p.amplitude * cos(fit[k].p.phase) : NAN;
            im[i * STEPS + k] = good ? fit[k].p.amplitude * sin(fit[k].p.phase) : NAN;
        }
        rs_driver_twin_place(d->self, out.x, out.y, &x, &y);
        assert_ok(rs_twin_switching_truth(film, rs_driver_twin_switching(d->self), x, y, -V_MAX,
                                          V_MAX, &m->truth[i], &err),
                  &err);
        m->truth[i].area *= rs_driver_twin_sensitivity(d->self);
    }
    rs_unfold_options u = {.sign = RS_SIGN_AREA, .reference = NAN, .threads = 1};
    rs_loops_options o;
    rs_loops loops = {0};
    rs_loops_defaults(&o);
    o.threads = 1;
    assert_ok(rs_loops_unfold(v, STEPS, 1, re, im, n, &u, response, NULL, &reference, &err), &err);
    assert_ok(rs_loops_analyse(v, STEPS, 1, response, n, &o, &loops, &err), &err);
    const rs_metric metric[] = {RS_M_WIDTH_MID, RS_M_V_PLUS_MID, RS_M_V_MINUS_MID, RS_M_AREA};
    double **to[] = {&m->width, &m->plus, &m->minus, &m->area};
    for (int k = 0; k < 4; k++) {
        *to[k] = rs_alloc((size_t)n, sizeof(double));
        memcpy(*to[k], rs_loops_map(&loops, metric[k]), (size_t)n * sizeof(double));
    }
    rs_loops_clear(&loops);
    rs_sho_plan_free(plan);
    rs_free(fit);
    rs_free(spectra);
    rs_free(frequency);
    rs_free(re);
    rs_free(im);
    rs_free(response);
    rs_instrument_close(d);
}

static void measured_clear(measured *m)
{
    rs_free(m->width);
    rs_free(m->plus);
    rs_free(m->minus);
    rs_free(m->area);
    rs_free(m->truth);
}

/* Correlations with the truth: width, V+, V-, area. */
static void compare(const measured *m, double r[4])
{
    const int stride = sizeof(rs_twin_loop_truth) / sizeof(double);
    const double *measure[] = {m->width, m->plus, m->minus, m->area};
    const double *truth[] = {&m->truth->width, &m->truth->v_plus, &m->truth->v_minus,
                             &m->truth->area};
    const char *name[] = {"width", "V+", "V-", "area"};
    for (int k = 0; k < 4; k++) {
        for (int i = 0; i < m->n; i++) assert_true(isfinite(measure[k][i]));
        r[k] = correlation(measure[k], truth[k], m->n, stride);
        print_message("# %-5s correlation %.4f, mean error %+.3g\n", name[k], r[k],
                      mean_error(measure[k], truth[k], m->n, stride));
    }
}

static void measured_loops_recover_the_truth(void **state)
{
    (void)state;
    measured m;
    double r[4];
    measure("0.03", "0.25", 120, &m); /* the default noise */
    compare(&m, r);
    for (int k = 0; k < 4; k++) assert_true(r[k] >= 0.95);
    measured_clear(&m);
    measure("0", "0.25", 60, &m);
    compare(&m, r);
    for (int k = 0; k < 4; k++) assert_true(r[k] >= 0.98);
    /* Mid-level crossings of 0.27 V steps: no bias beyond a step. */
    const int stride = sizeof(rs_twin_loop_truth) / sizeof(double);
    assert_near(mean_error(m.width, &m.truth->width, m.n, stride), 0, 0.3);
    measured_clear(&m);
    /* Without what tells walls apart, only the scatter from place to place is left to be seen; and
     * with it under three times the noise. */
    measure("0.03", "0", 120, &m);
    compare(&m, r);
    for (int k = 0; k < 4; k++) assert_true(r[k] >= 0.95);
    measured_clear(&m);
    measure("0.1", "0.25", 120, &m);
    compare(&m, r);
    for (int k = 0; k < 4; k++) assert_true(r[k] >= 0.95);
    measured_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(a_sharp_population_is_a_rectangle),
        cmocka_unit_test(truth_is_that_of_a_fine_loop),
        cmocka_unit_test(places_are_smooth),
        cmocka_unit_test(widths_alternate_with_the_lean),
        cmocka_unit_test(short_walls_are_wider),
        cmocka_unit_test(imprint_follows_the_domain),
        cmocka_unit_test(on_field_has_a_linear_term),
        cmocka_unit_test(measured_loops_recover_the_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
