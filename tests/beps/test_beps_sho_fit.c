/* The oscillator's fit against a textbook Levenberg-Marquardt and the Cramer-Rao bound. */
#include "support/support.h"
#include "support/tolerance.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "beps/sho_fit.h"
#include "support/sho_sim.h"

/* ------------------------------------------------------------------------------------------ fit */
static void fit_is_exact_without_noise(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    enum { COUNT = 500 };
    double w[SHO_MAX_BINS];
    for (int which = 0; which < 2; which++) {
        int n = sho_standard_axis(which, w);
        double *y = rs_alloc((size_t)COUNT * 2 * (size_t)n, sizeof *y);
        float *f = rs_alloc((size_t)COUNT * 2 * (size_t)n, sizeof *f);
        static rs_sho p[COUNT];
        static rs_sho_fit fit[COUNT + 1];
        assert_non_null(y);
        assert_non_null(f);
        for (int i = 0; i < COUNT; i++) {
            p[i] = sho_random(&r, w, n);
            if (i % 10 == 0) p[i].q = test_uniform(&r, 5, 1500);
            rs_sho_eval(&p[i], w, n, y + (size_t)i * 2 * (size_t)n);
        }
        for (size_t k = 0; k < (size_t)COUNT * 2 * (size_t)n; k++) f[k] = (float)y[k];
        memset(fit, 0xff, sizeof fit); /* NaN; the last one is the guard */
        rs_sho_plan *plan = sho_plan(w, n, NULL);
        rs_sho_fit_f64(plan, y, COUNT, fit);
        for (int i = 0; i < COUNT; i++) {
            assert_int_equal(fit[i].flags, 0);
            assert_same_sho(&fit[i].p, &p[i], 1e-10);
            assert_near(fit[i].peak, p[i].amplitude * p[i].q, 1e-12 * fit[i].peak);
            assert_near(fit[i].r2, 1, 1e-14);
            assert_true(fit[i].noise < 1e-14 * fit[i].peak);
        }
        rs_sho_fit_f32(plan, f, COUNT, fit);
        for (int i = 0; i < COUNT; i++) {
            assert_int_equal(fit[i].flags & RS_SHO_FAILED, 0);
            assert_same_sho(&fit[i].p, &p[i], 1e-4);
            assert_near(fit[i].p.frequency, p[i].frequency, 1e-6 * p[i].frequency / 30);
        }
        for (size_t k = 0; k < sizeof fit[COUNT]; k++)
            assert_int_equal(((unsigned char *)&fit[COUNT])[k], 0xff);
        rs_sho_plan_free(plan);
        rs_free(y);
        rs_free(f);
    }
}

/* The minimum is the one that a textbook method reaches from the truth, and none is missed: the
 * truth never has a smaller error. */
static void fit_is_the_least_squares_minimum(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    double w[SHO_MAX_BINS], y[2 * SHO_MAX_BINS];
    const double noise[3] = {0.01, 0.05, 0.1};
    for (int which = 0; which < 2; which++) {
        int n = sho_standard_axis(which, w), count = which ? 60 : 300;
        rs_sho_options o = sho_plain();
        rs_sho_plan *plan = sho_plan(w, n, &o);
        for (int i = 0; i < count; i++) {
            rs_sho p = sho_random(&r, w, n), best;
            rs_sho_fit f;
            sho_simulate(&r, &p, w, n, noise[i % 3], y);
            rs_sho_fit_f64(plan, y, 1, &f);
            if (f.flags & RS_SHO_FREQUENCY_LIM) continue; /* the textbook knows no limits */
            assert_int_equal(f.flags & RS_SHO_FAILED, 0);
            double e = sho_squared_error(&f.p, w, n, y);
            assert_true(e <= sho_squared_error(&p, w, n, y));
            best = p;
            sho_reference_fit(&best, -1, w, n, y);
            assert_true(e <= sho_squared_error(&best, w, n, y) * (1 + 1e-12));
            assert_near(f.p.amplitude, best.amplitude, TOL_OPTIMUM * f.se.amplitude);
            assert_near(f.p.frequency, best.frequency, TOL_OPTIMUM * f.se.frequency);
            assert_near(f.p.q, best.q, TOL_OPTIMUM * f.se.q);
            assert_near(rs_wrap_angle(f.p.phase - best.phase), 0, TOL_OPTIMUM * f.se.phase);
            assert_near(f.noise * f.noise, e / (2 * n - 4), 1e-9 * f.noise * f.noise);
            double mean_r = 0, mean_i = 0, spread = 0;
            for (int k = 0; k < n; k++) mean_r += y[2 * k] / n, mean_i += y[2 * k + 1] / n;
            for (int k = 0; k < n; k++)
                spread += pow(y[2 * k] - mean_r, 2) + pow(y[2 * k + 1] - mean_i, 2);
            assert_near(f.r2, 1 - e / spread, TOL_DOUBLE);
        }
        rs_sho_plan_free(plan);
    }
}

/* The accuracy bars: bias, standard deviation against the Cramer-Rao bound, coverage. */
static void accuracy_at(int which, double noise, int count)
{
    static const char *const name[5] = {"A", "w0", "Q", "phase", "peak"};
    test_rng r = {test_seed() + (uint64_t)(1000 * noise) + (uint64_t)which};
    double w[SHO_MAX_BINS], mean[5] = {0}, square[5] = {0}, in1[5] = {0}, in2[5] = {0};
    enum { BLOCK = 1000 };
    int n = sho_standard_axis(which, w), used = 0;
    double *y = rs_alloc((size_t)BLOCK * 2 * (size_t)n, sizeof *y);
    static rs_sho p[BLOCK];
    static rs_sho_fit f[BLOCK];
    rs_sho_plan *plan = sho_plan(w, n, NULL);
    assert_non_null(y);
    for (int done = 0; done < count; done += BLOCK) {
        for (int i = 0; i < BLOCK; i++) {
            p[i] = sho_random(&r, w, n);
            sho_simulate(&r, &p[i], w, n, noise, y + (size_t)i * 2 * (size_t)n);
        }
        rs_sho_fit_f64(plan, y, BLOCK, f);
        for (int i = 0; i < BLOCK; i++) {
            rs_sho b;
            double peak, true_peak = p[i].amplitude * p[i].q;
            if (f[i].flags & RS_SHO_FREQUENCY_LIM) continue; /* w0 on the edge of the band */
            assert_int_equal(f[i].flags & RS_SHO_FAILED, 0);
            rs_sho_bound(&p[i], w, n, noise * true_peak, &b, &peak);
            const double off[5] = {f[i].p.amplitude - p[i].amplitude,
                                   f[i].p.frequency - p[i].frequency, f[i].p.q - p[i].q,
                                   rs_wrap_angle(f[i].p.phase - p[i].phase), f[i].peak - true_peak};
            const double bound[5] = {b.amplitude, b.frequency, b.q, b.phase, peak};
            const double se[5] = {f[i].se.amplitude, f[i].se.frequency, f[i].se.q, f[i].se.phase,
                                  f[i].se_peak};
            for (int j = 0; j < 5; j++) {
                double z = off[j] / bound[j];
                mean[j] += z, square[j] += z * z;
                in1[j] += fabs(off[j]) <= se[j], in2[j] += fabs(off[j]) <= 1.96 * se[j];
            }
            used++;
        }
    }
    rs_sho_plan_free(plan);
    rs_free(y);
    assert_true(used > 0.99 * count);
    printf("# %d bins, %g %% noise, %d spectra:", n, 100 * noise, used);
    for (int j = 0; j < 5; j++) {
        double m = mean[j] / used, sd = sqrt(square[j] / used - m * m);
        printf(" %s bias %+.3f sd %.3f cover %.1f %.1f;", name[j], m / sd, sd, 100 * in1[j] / used,
               100 * in2[j] / used);
        if (!(fabs(m / sd) <= 0.1 && sd <= 1.2 && fabs(in1[j] / used - 0.6827) <= 0.02 &&
              fabs(in2[j] / used - 0.95) <= 0.02))
            fail_msg("accuracy of %s, seed %llu", name[j], (unsigned long long)test_seed());
    }
    puts("");
}

static void accuracy_reaches_the_bound(void **state)
{
    (void)state;
    const int count = test_long() ? 100000 : 10000;
    for (int which = 0; which < 2; which++) {
        accuracy_at(which, 0.05, count);
        if (test_quick()) continue;
        accuracy_at(which, 0.01, count);
        accuracy_at(which, 0.1, count);
    }
}

static void noise_is_no_resonance(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    const int bins[3] = {8, 64, 400};
    enum { COUNT = 4000 };
    static rs_sho_fit f[COUNT];
    double w[SHO_MAX_BINS];
    for (int b = 0; b < 3; b++) {
        size_t n = (size_t)bins[b];
        sho_axis(w, bins[b], 300e3, 350e3);
        float *y = rs_alloc(COUNT * 2 * n, sizeof *y);
        int passed = 0;
        assert_non_null(y);
        for (size_t k = 0; k < COUNT * 2 * n; k++) y[k] = (float)test_gauss(&r);
        rs_sho_plan *plan = sho_plan(w, bins[b], NULL);
        rs_sho_fit_f32(plan, y, COUNT, f);
        for (int i = 0; i < COUNT; i++) passed += !(f[i].flags & RS_SHO_FAILED);
        assert_true(passed <= 5); /* 0.4 expected */
        rs_sho_plan_free(plan);
        rs_free(y);
    }
}

/* ------------------------------------------------------------------------- independence of bits */
static void results_depend_on_the_spectrum_alone(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    enum { COUNT = 203, N = 64 };
    static double w[N], y[COUNT * 2 * N], scaled[COUNT * 2 * N];
    static rs_sho_fit a[COUNT], b[COUNT], one;
    sho_axis(w, N, 300e3, 350e3);
    for (int i = 0; i < COUNT; i++) {
        double *s = y + (size_t)i * 2 * N;
        rs_sho p = sho_random(&r, w, N);
        sho_simulate(&r, &p, w, N, i % 4 * 0.04, s);
        if (i % 17 == 0) s[2 * (i % N)] = NAN;
        if (i % 29 == 0) memset(s, 0, 2 * N * sizeof *s);
        if (i % 31 == 0)
            for (int k = 0; k < 2 * N; k++) s[k] = test_gauss(&r);
        if (i % 37 == 0)
            for (int k = 0; k < 2 * N; k++) s[k] = NAN;
    }
    rs_sho_options o;
    rs_sho_options_defaults(&o);
    o.threads = 1;
    rs_sho_plan *plan = sho_plan(w, N, &o);
    rs_sho_fit_f64(plan, y, COUNT, a);
    for (int i = 0; i < COUNT; i++) { /* alone, and so beside other lanes */
        rs_sho_fit_f64(plan, y + (size_t)i * 2 * N, 1, &one);
        assert_memory_equal(&one, &a[i], sizeof one);
    }
    rs_sho_fit_f64(plan, y + 2 * N * 3, COUNT - 3, b);
    assert_memory_equal(b, a + 3, sizeof *b * (COUNT - 3));

    /* A power of two in the data is one in A, peak and noise. */
    for (size_t k = 0; k < COUNT * 2 * N; k++) scaled[k] = ldexp(y[k], -300);
    rs_sho_fit_f64(plan, scaled, COUNT, b);
    for (int i = 0; i < COUNT; i++) {
        if (isnan(a[i].r2)) continue;
        b[i].p.amplitude = ldexp(b[i].p.amplitude, 300), b[i].peak = ldexp(b[i].peak, 300);
        b[i].se.amplitude = ldexp(b[i].se.amplitude, 300);
        b[i].se_peak = ldexp(b[i].se_peak, 300), b[i].noise = ldexp(b[i].noise, 300);
        assert_memory_equal(&b[i], &a[i], sizeof b[i]);
    }
    rs_sho_plan_free(plan);

    for (int threads = 2; threads <= 5; threads++) {
        o.threads = threads;
        plan = sho_plan(w, N, &o);
        memset(b, 0xA5, sizeof b);
        test_alloc_reset();
        rs_sho_fit_f64(plan, y, COUNT, b);
        assert_int_equal(test_alloc_count(), 0);
        assert_memory_equal(b, a, sizeof b);
        rs_sho_plan_free(plan);
    }
}

/* ----------------------------------------------------------------------------------- edge cases */
static void spectra_without_a_resonance_are_flagged(void **state)
{
    (void)state;
    enum { N = 64 };
    double w[N], y[2 * N];
    sho_axis(w, N, 300e3, 350e3);
    memset(y, 0, sizeof y);
    rs_sho_fit f = sho_fit_one(w, N, y, NULL);
    assert_int_equal(f.flags, RS_SHO_FLAT);
    assert_true(isnan(f.p.amplitude) && isnan(f.p.phase) && isnan(f.se.q) && isnan(f.r2));
    for (int k = 0; k < N; k++) y[2 * k] = 0.3, y[2 * k + 1] = -0.7;
    assert_int_equal(sho_fit_one(w, N, y, NULL).flags, RS_SHO_FLAT);
    for (int k = 0; k < 2 * N; k++) y[k] = NAN;
    f = sho_fit_one(w, N, y, NULL);
    assert_int_equal(f.flags, RS_SHO_FEW_BINS | RS_SHO_NAN_BINS);
    assert_true(isnan(f.p.frequency) && isnan(f.peak) && isnan(f.noise));
    const rs_sho p = {1, 330e3, 100, 0};
    rs_sho_eval(&p, w, N, y);
    for (int k = 3; k < N; k++) y[2 * k] = NAN;
    assert_int_equal(sho_fit_one(w, N, y, NULL).flags, RS_SHO_FEW_BINS | RS_SHO_NAN_BINS);
}

static void bins_that_are_no_numbers_are_left_out(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    enum { N = 64 };
    double w[N], y[2 * N], w2[N], y2[2 * N];
    rs_sho_options o = sho_plain();
    sho_axis(w, N, 300e3, 350e3);
    for (int i = 0; i < 100; i++) {
        rs_sho p = sho_random(&r, w, N);
        p.frequency = test_uniform(&r, 305e3, 345e3);
        sho_simulate(&r, &p, w, N, 0.02, y);
        int m = 0;
        for (int k = 0; k < N; k++) {
            bool drop = k > 0 && k < N - 1 && test_below(&r, 4) == 0;
            w2[m] = w[k], y2[2 * m] = y[2 * k], y2[2 * m + 1] = y[2 * k + 1];
            m += !drop;
            if (drop) y[2 * k + (int)test_below(&r, 2)] = k % 2 ? NAN : INFINITY;
        }
        rs_sho_fit a = sho_fit_one(w, N, y, &o), b = sho_fit_one(w2, m, y2, &o);
        assert_int_equal(a.flags & ~RS_SHO_STRUCTURE, m < N ? RS_SHO_NAN_BINS : 0);
        assert_near(a.p.frequency, b.p.frequency, TOL_OPTIMUM * b.se.frequency);
        assert_near(a.p.q, b.p.q, TOL_OPTIMUM * b.se.q);
        assert_near(a.se.q, b.se.q, 1e-6 * b.se.q);
        assert_near(a.r2, b.r2, TOL_LEAST_SQUARES);
    }
}

static void limits_hold_and_are_reported(void **state)
{
    (void)state;
    enum { N = 64 };
    double w[N], y[2 * N];
    rs_sho_options o = sho_plain();
    sho_axis(w, N, 300e3, 350e3);
    rs_sho p = {1e-4, 362e3, 60, 1}; /* beyond the band */
    rs_sho_eval(&p, w, N, y);
    rs_sho_fit f = sho_fit_one(w, N, y, &o);
    assert_true(f.flags & RS_SHO_FREQUENCY_LIM);
    assert_near(f.p.frequency, 350e3, 1e-6);
    o.f_min = 250e3, o.f_max = 400e3; /* allowed to look there, it is found */
    f = sho_fit_one(w, N, y, &o);
    assert_int_equal(f.flags, 0);
    assert_same_sho(&f.p, &p, 1e-9);
    o.q_max = 50;
    f = sho_fit_one(w, N, y, &o);
    assert_true(f.flags & RS_SHO_Q_LIM);
    assert_near(f.p.q, 50, TOL_LEAST_SQUARES);
    o.q_min = 70, o.q_max = 500;
    f = sho_fit_one(w, N, y, &o);
    assert_true(f.flags & RS_SHO_Q_LIM);
    assert_near(f.p.q, 70, TOL_LEAST_SQUARES);

    /* A fit at a limit is the minimum of the other three parameters, also near the end of the band,
     * where frequency and Q depend on each other. */
    test_rng r = {test_seed()};
    for (int i = 0; i < 100; i++) {
        p = sho_random(&r, w, N);
        p.frequency = test_uniform(&r, 298e3, 312e3);
        p.q = test_uniform(&r, 30, 100);
        sho_simulate(&r, &p, w, N, 0.03, y);
        double off = test_uniform(&r, 0.15, 0.3) * p.frequency / p.q;
        o = sho_plain();
        o.f_min = 250e3, o.f_max = 350e3;
        if (i % 4 == 0) o.q_min = 1.5 * p.q;
        if (i % 4 == 1) o.q_max = 0.6 * p.q;
        if (i % 4 == 2) o.f_min = p.frequency + off;
        if (i % 4 == 3) o.f_max = p.frequency - off;
        f = sho_fit_one(w, N, y, &o);
        assert_int_equal(f.flags & RS_SHO_FAILED, i % 4 < 2 ? RS_SHO_Q_LIM : RS_SHO_FREQUENCY_LIM);
        rs_sho best = f.p;
        if (i % 4 < 2) best.q = i % 4 ? o.q_max : o.q_min;
        if (i % 4 > 1) best.frequency = i % 4 == 2 ? o.f_min : o.f_max;
        assert_near(f.p.q, best.q, 1e-12 * best.q);
        assert_near(f.p.frequency, best.frequency, 1e-12 * best.frequency);
        sho_reference_fit(&best, i % 4 < 2 ? 2 : 1, w, N, y);
        assert_near(f.p.frequency, best.frequency, 1e-3 * f.se.frequency);
        assert_near(f.p.q, best.q, 1e-3 * f.se.q);
        assert_near(f.p.amplitude, best.amplitude, 1e-3 * f.se.amplitude);
        assert_near(rs_wrap_angle(f.p.phase - best.phase), 0, 1e-3 * f.se.phase);
    }
    p = (rs_sho){1e-4, 325e3, 60, 1};
    rs_sho_eval(&p, w, N, y);
    o = sho_plain();
    o.a_min = 2e-4;
    assert_int_equal(sho_fit_one(w, N, y, &o).flags, RS_SHO_AMPLITUDE_LIM);
    o.a_min = 0, o.a_max = 0.5e-4;
    assert_int_equal(sho_fit_one(w, N, y, &o).flags, RS_SHO_AMPLITUDE_LIM);
    o = sho_plain();
    o.max_passes = 1;
    assert_int_equal(sho_fit_one(w, N, y, &o).flags & RS_SHO_FAILED, RS_SHO_UNCONVERGED);
    sho_simulate(&r, &p, w, N, 0.1, y);
    o = sho_plain();
    o.min_r2 = 0.999;
    assert_int_equal(sho_fit_one(w, N, y, &o).flags, RS_SHO_POOR);
}

static void of_two_peaks_the_stronger_is_fitted(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    enum { N = 128 };
    double w[N], y[2 * N], second[2 * N];
    sho_axis(w, N, 300e3, 400e3);
    for (int i = 0; i < 50; i++) {
        rs_sho p = {1e-4, 330e3, 150, test_uniform(&r, -RS_PI, RS_PI)}, s = {0.5e-4, 375e3, 150, 0};
        s.phase = test_uniform(&r, -RS_PI, RS_PI);
        if (i % 2) {
            double f = p.frequency;
            p.frequency = s.frequency, s.frequency = f;
        }
        sho_simulate(&r, &p, w, N, 0.01, y);
        rs_sho_eval(&s, w, N, second);
        for (int k = 0; k < 2 * N; k++) y[k] += second[k];
        rs_sho_fit f = sho_fit_one(w, N, y, NULL);
        assert_near(f.p.frequency, p.frequency, 0.1 * p.frequency / p.q);
        assert_int_equal(f.flags, RS_SHO_STRUCTURE | RS_SHO_TWO_MODES);
        /* Clipped at a quarter of the peak. */
        double top = 0;
        for (int k = 0; k < 2 * N; k++) top = fmax(top, fabs(y[k]));
        for (int k = 0; k < 2 * N; k++) y[k] = fmax(-0.25 * top, fmin(0.25 * top, y[k]));
        assert_true(sho_fit_one(w, N, y, NULL).flags & RS_SHO_SATURATED);
    }
    /* One wild bin is no resonance beside a real one. */
    rs_sho p = {1e-4, 350e3, 60, 0.5};
    sho_simulate(&r, &p, w, N, 0.01, y);
    y[2 * 20] = 3 * p.amplitude * p.q;
    rs_sho_fit f = sho_fit_one(w, N, y, NULL);
    assert_near(f.p.frequency, p.frequency, 0.1 * p.frequency / p.q);
}

static void few_bins_and_uneven_axes_work(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    double w[40], y[80];
    for (int n = RS_SHO_MIN_BINS; n <= 40; n++)
        for (int i = 0; i < 20; i++) {
            double at = 300e3;
            for (int k = 0; k < n; k++) w[k] = at += test_uniform(&r, 500, 3000);
            rs_sho p = {1, test_uniform(&r, w[1], w[n - 2]), 0, test_uniform(&r, -RS_PI, RS_PI)};
            p.q = p.frequency / ((w[n - 1] - w[0]) * test_uniform(&r, 0.2, 0.6));
            rs_sho_eval(&p, w, n, y);
            rs_sho_fit f = sho_fit_one(w, n, y, NULL);
            assert_int_equal(f.flags, 0);
            assert_same_sho(&f.p, &p, 1e-8);
        }
}

/* ------------------------------------------------------------------------------------ arguments */
static void wrong_arguments_are_refused(void **state)
{
    (void)state;
    double w[8];
    reshed_error err = {0};
    rs_sho_plan *plan = (rs_sho_plan *)w;
    sho_axis(w, 8, 1e3, 2e3);
    assert_int_equal(rs_sho_plan_create(w, 3, NULL, &plan, &err), RESHED_EUNSUPPORTED);
    assert_int_equal(rs_sho_plan_create(w, INT64_MAX, NULL, &plan, &err), RESHED_EUNSUPPORTED);
    const double wrong[4] = {w[2], NAN, -1, INFINITY};
    for (int i = 0; i < 4; i++) {
        w[3] = wrong[i];
        assert_int_equal(rs_sho_plan_create(w, 8, NULL, &plan, &err), RESHED_EINVAL);
        assert_true(strstr(err.where, "bin 3") != NULL);
    }
    sho_axis(w, 8, 1e3, 2e3);
    for (int i = 0; i < 12; i++) {
        rs_sho_options o;
        rs_sho_options_defaults(&o);
        switch (i) {
        case 0: o.f_max = -1; break;
        case 1: o.f_min = 2, o.f_max = 1; break;
        case 2: o.f_min = 0, o.f_max = 1; break;
        case 3: o.q_min = 0; break;
        case 4: o.q_max = o.q_min; break;
        case 5: o.q_max = INFINITY; break;
        case 6: o.a_min = NAN; break;
        case 7: o.a_max = 0; break;
        case 8: o.min_r2 = 2; break;
        case 9: o.threads = -1; break;
        case 10: o.max_passes = 0; break;
        case 11: o.f_min = 1, o.f_max = INFINITY; break;
        }
        assert_int_equal(rs_sho_options_check(&o, &err), RESHED_EINVAL);
        assert_int_equal(rs_sho_plan_create(w, 8, &o, &plan, &err), RESHED_EINVAL);
    }
    assert_ptr_equal(plan, (rs_sho_plan *)w); /* untouched by all of these */
    rs_sho_plan_free(NULL);
    for (unsigned bit = 0; bit < 10; bit++) assert_true(strlen(rs_sho_flag_text(1u << bit)) > 5);
    assert_string_equal(rs_sho_flag_text(0), "");
    assert_string_equal(rs_sho_flag_text(1u << 15), "");
}

static void plan_survives_each_allocation_failure(void **state)
{
    (void)state;
    double w[64], y[128];
    sho_axis(w, 64, 300e3, 350e3);
    const rs_sho p = {1, 320e3, 100, 1};
    rs_sho_eval(&p, w, 64, y);
    for (long n = 0;; n++) {
        reshed_error err = {0};
        rs_sho_plan *plan = NULL;
        test_alloc_fail_at(n);
        reshed_status st = rs_sho_plan_create(w, 64, NULL, &plan, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_int_equal(st, RESHED_OK);
            assert_true(n > 3 && rs_sho_plan_bytes(plan) > 64 * 8);
            rs_sho_plan_free(plan);
            break;
        }
        assert_int_equal(st, RESHED_ENOMEM);
        assert_null(plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fit_is_exact_without_noise),
        cmocka_unit_test(fit_is_the_least_squares_minimum),
        cmocka_unit_test(accuracy_reaches_the_bound),
        cmocka_unit_test(noise_is_no_resonance),
        cmocka_unit_test(results_depend_on_the_spectrum_alone),
        cmocka_unit_test(spectra_without_a_resonance_are_flagged),
        cmocka_unit_test(bins_that_are_no_numbers_are_left_out),
        cmocka_unit_test(limits_hold_and_are_reported),
        cmocka_unit_test(of_two_peaks_the_stronger_is_fitted),
        cmocka_unit_test(few_bins_and_uneven_axes_work),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(plan_survives_each_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
