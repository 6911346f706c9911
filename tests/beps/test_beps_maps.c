/* Whole maps of loops: the bars for accuracy on simulated loops, the real grid, and that nothing
 * depends on threads. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/os.h"
#include "beps/analyse.h"
#include "beps/phase.h"
#include "base/statistics.h"
#include "beps/waveform.h"
#include "io/nsid/nsid.h"
#include "support/loop_sim.h"
#include "support/tolerance.h"

enum { N = 64 };

/* ------------------------------------------------------------------------------ simulated loops */

static double truth(const sim_truth *t, int which)
{
    switch (which) {
    case 0: return t->v_plus;
    case 1: return t->v_minus;
    case 2: return t->v_plus - t->v_minus;
    default: return t->area;
    }
}

/* 2,000 loops (10,000 in the long form) of grains at 2 % and 5 % noise: V+, V- and width within 0.1
 * V plus half a step, area within 3 %, for at least 95 %. */
static void simulated_loops_meet_the_bars(void **state)
{
    (void)state;
    int loops = (int)test_tier(200, 2000, 10000);
    const double amplitude = 8.5, step = 4 * amplitude / N, near = 0.1 + 0.5 * step;
    double v[N], *y = rs_alloc((size_t)loops * N, sizeof *y);
    sim_truth *t = rs_alloc((size_t)loops, sizeof *t);
    sim_triangle(N, amplitude, v);
    for (int k = 0; k < 2; k++) {
        static const double noise[] = {0.02, 0.05};
        static const struct {
            rs_metric m;
            int truth;
        } judged[] = {{RS_M_V_PLUS_MID, 0},  {RS_M_V_MINUS_MID, 1}, {RS_M_WIDTH_MID, 2},
                      {RS_M_FIT_V_PLUS, 0},  {RS_M_FIT_V_MINUS, 1}, {RS_M_FIT_WIDTH, 2},
                      {RS_M_AREA_REFINED, 3}};
        test_rng r = {test_seed()};
        rs_loops_options o;
        rs_loops l = {0};
        reshed_error err = {0};
        for (int i = 0; i < loops; i++) sim_loop(&r, v, N, noise[k], y + (size_t)i * N, &t[i]);
        rs_loops_defaults(&o);
        assert_ok(rs_loops_analyse(v, N, 1, y, loops, &o, &l, &err), &err);
        printf("# %d simulated loops, noise %g %% of the amplitude:", loops, 100 * noise[k]);
        bool ok = true;
        for (size_t j = 0; j < sizeof judged / sizeof *judged; j++) {
            const double *map = rs_loops_map(&l, judged[j].m);
            int inside = 0;
            for (int i = 0; i < loops; i++) {
                double want = truth(&t[i], judged[j].truth), miss = fabs(map[i] - want);
                inside += miss <= (judged[j].truth == 3 ? 0.03 * want : near);
            }
            printf(" %s %.1f %%", rs_metric_get(judged[j].m)->id, 100.0 * inside / loops);
            ok = ok && inside >= 0.95 * loops;
        }
        printf("\n");
        int spiky = 0, lost = 0;
        for (int i = 0; i < loops; i++) {
            spiky += (l.flags[i] & RS_LOOP_SPIKES) != 0;
            lost += (l.flags[i] & (RS_LOOP_NO_SWITCHING | RS_LOOP_FIT_FAILED)) != 0;
        }
        rs_loops_clear(&l);
        assert_true(ok);
        assert_int_equal(spiky, 0);
        assert_int_equal(lost, 0);
    }
    rs_free(y);
    rs_free(t);
}

/* -------------------------------------------------------------------------------- the real grid */
static void real_grid_has_the_known_numbers(void **state)
{
    (void)state;
    test_not_quick();
    const char *path = test_shared("data/beps/BEPS_PTO_50x50.h5");
    reshed_error err = {0};
    rs_nsid_data d = {0};
    assert_ok(rs_nsid_read_channel(path, NULL, &d, &err), &err);
    assert_int_equal(d.ndim, 3);
    assert_int_equal(d.count, 2500 * 64);
    const double *v = d.dim[2].values;

    /* The waveform is the strict triangle. */
    rs_wave_spec w;
    rs_waveform wave = {0};
    rs_wave_defaults(&w);
    w.amplitude = 8.5;
    assert_ok(rs_waveform_create(&w, &wave, &err), &err);
    for (int i = 0; i < 64; i++) assert_true(fabs(wave.v[i] - v[i]) < TOL_DOUBLE);
    rs_waveform_clear(&wave);

    rs_loops_options o;
    rs_loops l = {0};
    rs_loops_defaults(&o);
    o.threads = 2;
    assert_true(rs_loops_by_area(v, 64, 1, d.data, 2500));
    o.orient = true;
    double start = rs_os_monotonic();
    assert_ok(rs_loops_analyse(v, 64, 1, d.data, 2500, &o, &l, &err), &err);
    printf("# 2500 real loops, all metrics, 2 threads: %.2f s\n", rs_os_monotonic() - start);

    /* Part F, number 3: the pixel-wise median loop. */
    double median[64], m[RS_METRIC_COUNT], *work = rs_alloc(rs_metric_work(64), sizeof *work);
    rs_sweep s = {0};
    assert_ok(rs_loops_median(d.data, 2500, 64, 1, NULL, 0, median, &err), &err);
    assert_ok(rs_sweep_create(v, 64, &s, &err), &err);
    rs_metrics_compute(&s, median, NULL, true, &o.metric, work, m, NULL);
#define NEAR(id, want, tolerance) assert_true(fabs(m[id] - (want)) <= (tolerance))
    NEAR(RS_M_V_PLUS_ZERO, 5.398, 5e-4);
    NEAR(RS_M_V_MINUS_ZERO, -2.981, 5e-4);
    NEAR(RS_M_WIDTH_ZERO, 8.38, 5e-3);
    NEAR(RS_M_IMPRINT_ZERO, 1.21, 5e-3);
    NEAR(RS_M_LEVEL_MID, -6.71e-6, 5e-9);
    NEAR(RS_M_V_PLUS_MID, 5.0015, 5e-5);
    NEAR(RS_M_V_MINUS_MID, -3.2703, 5e-5);
    NEAR(RS_M_WIDTH_MID, 8.27, 5e-3);
    NEAR(RS_M_AREA_OPEN, 5.3602e-4, 5e-9);
    NEAR(RS_M_AREA, 5.4558e-4, 5e-9);
    NEAR(RS_M_AUTHOR_AREA, 1.0935e-3, 5e-8);
    NEAR(RS_M_R_MINUS_0, -3.597e-5, 5e-9);
    NEAR(RS_M_R_PLUS_0, 2.516e-5, 5e-9);
#undef NEAR
    assert_true(m[RS_M_FIT_R2] > 0.998);
    rs_free(work);
    rs_sweep_clear(&s);

    /* The loops that a failed sample had turned over: on average, they run the other way. */
    int64_t flipped = 0;
    for (int i = 0; i < 2500; i++) flipped += (l.flags[i] & RS_LOOP_FLIPPED) != 0;
    assert_true(flipped > 250 && flipped < 400);
    assert_int_equal(rs_loops_count(&l, RS_LOOP_CLOCKWISE), 2500);
    assert_true(rs_loops_count(&l, RS_LOOP_BAD) > 1000);
    double scratch[2500], mean[64];
    assert_true(fabs(rs_median(rs_loops_map(&l, RS_M_WIDTH_MID), 2500, scratch) - 8.09) < 0.05);
    rs_loops_mean(d.data, 2500, 64, 1, &l, RS_LOOP_BAD, mean);
    assert_true(mean[32] > mean[0] && mean[20] > 0 && mean[50] < 0);
    rs_loops_clear(&l);
    rs_nsid_data_clear(&d);
}

/* ------------------------------------------------------------------------------------- the rest */
/* points loops of `cycles` cycles, whose widths grow from cycle to cycle. */
static void make_cycles(int64_t points, int cycles, const double *v, double *y, double noise)
{
    test_rng r = {test_seed() + 5};
    for (int64_t p = 0; p < points; p++)
        for (int c = 0; c < cycles; c++)
            for (int i = 0; i < N; i++) {
                bool falling = i >= N / 4 && i < 3 * N / 4;
                double x = v[c * N + i] - (falling ? -2 - 0.5 * c : 3);
                y[(p * cycles + c) * N + i] = erf(x) + noise * test_gauss(&r);
            }
}

static void cycles_are_averaged(void **state)
{
    (void)state;
    enum { POINTS = 20, CYCLES = 3 };
    double v[CYCLES * N], y[POINTS * CYCLES * N];
    reshed_error err = {0};
    rs_loops_options o;
    rs_loops l = {0};
    for (int c = 0; c < CYCLES; c++) sim_triangle(N, 8, v + c * N);
    make_cycles(POINTS, CYCLES, v, y, 0.01);
    rs_loops_defaults(&o);
    o.metric.fit = false;
    o.outlier = 0;
    assert_true(o.drop_first);
    o.drop_first = false;
    assert_ok(rs_loops_analyse(v, N, CYCLES, y, POINTS, &o, &l, &err), &err);
    assert_int_equal(l.used, 3);
    assert_null(l.error);
    for (int p = 0; p < POINTS; p++) {
        /* Widths 5, 5.5, 6. */
        size_t at = (size_t)RS_M_WIDTH_MID * POINTS + (size_t)p;
        assert_true(fabs(l.value[at] - 5.5) < 0.05);
        assert_true(fabs(l.spread[at] - 0.5) < 0.05);
        for (int c = 0; c < CYCLES; c++)
            assert_true(fabs(l.cycle_value[(size_t)c * RS_METRIC_COUNT * POINTS + at] - 5 -
                             0.5 * c) < 0.05);
        assert_int_equal(l.flags[p], RS_LOOP_CYCLES_DIFFER); /* two steps */
    }
    rs_loops_clear(&l);
    o.drop_first = true;
    y[N + 7] = NAN; /* one sample of the second cycle of the first point */
    assert_ok(rs_loops_analyse(v, N, CYCLES, y, POINTS, &o, &l, &err), &err);
    assert_int_equal(l.used, 2);
    assert_true(fabs(rs_loops_map(&l, RS_M_WIDTH_MID)[3] - 5.75) < 0.05);
    assert_int_equal(l.flags[0], RS_LOOP_SPIKES);
    assert_int_equal(l.skip[N + 7], 1);
    assert_int_equal(l.flags[1], 0);
    /* Averages leave it out. */
    double mean[CYCLES * N], median[CYCLES * N];
    rs_loops_mean(y, POINTS, N, CYCLES, &l, 0, mean);
    assert_ok(rs_loops_median(y, POINTS, N, CYCLES, &l, 0, median, &err), &err);
    assert_true(fabs(mean[N + 7] - erf(v[N + 7] - 3)) < 0.02);
    assert_true(fabs(median[N + 7] - erf(v[N + 7] - 3)) < 0.02);
    rs_loops_clear(&l);
}

/* FORC: each cycle has voltages of its own. */
static void reversal_curves_are_loops_of_their_own(void **state)
{
    (void)state;
    enum { CURVES = 4, POINTS = 3 };
    rs_wave_spec w;
    rs_waveform wave = {0};
    reshed_error err = {0};
    rs_wave_defaults(&w);
    w.kind = RS_WAVE_FORC;
    w.forc_cycles = CURVES;
    w.high[0] = 2;
    w.high[1] = 8;
    w.low[0] = w.low[1] = -6;
    assert_ok(rs_waveform_create(&w, &wave, &err), &err);
    double y[POINTS * CURVES * N];
    for (int p = 0; p < POINTS; p++)
        for (int i = 0; i < CURVES * N; i++) {
            /* Switches up at +3 V only when the curve gets there, and back at -2 V. */
            bool falling = i % N >= N / 4 && i % N < 3 * N / 4;
            double x = wave.v[i], up = 1 + erf(2 * (x - 3)),
                   top = 1 + erf(2 * (wave.v[i / N * N + 16] - 3));
            y[p * CURVES * N + i] = falling ? fmin(top, 1 + erf(2 * (x + 2))) : up;
        }
    rs_loops_options o;
    rs_loops l = {0};
    rs_loops_defaults(&o);
    o.metric.fit = false;
    assert_ok(rs_loops_analyse(wave.v, N, CURVES, y, POINTS, &o, &l, &err), &err);
    double area[CURVES];
    for (int c = 0; c < CURVES; c++)
        area[c] = l.cycle_value[((size_t)c * RS_METRIC_COUNT + RS_M_AREA) * POINTS];
    assert_true(area[0] < 0.05); /* does not reach 3 V */
    assert_true(area[1] > 1 && area[2] > 9.5 && area[3] > 9.5 && area[3] < 10.5);
    rs_loops_clear(&l);
    rs_waveform_clear(&wave);
}

static void on_field_slope_is_taken_off(void **state)
{
    (void)state;
    enum { POINTS = 16 };
    double v[N], y[POINTS * N];
    reshed_error err = {0};
    rs_loops_options o;
    rs_loops l = {0};
    sim_triangle(N, 8, v);
    make_cycles(POINTS, 1, v, y, 0.005);
    for (int i = 0; i < POINTS * N; i++) y[i] += 0.2 * v[i % N];
    rs_loops_defaults(&o);
    o.metric.fit = false;
    o.remove_slope = true;
    assert_ok(rs_loops_analyse(v, N, 1, y, POINTS, &o, &l, &err), &err);
    for (int p = 0; p < POINTS; p++) {
        assert_true(fabs(rs_loops_map(&l, RS_M_ES_SLOPE)[p] - 0.2) < 0.01);
        assert_true(fabs(rs_loops_map(&l, RS_M_WIDTH_MID)[p] - 5) < 0.1);
        assert_true(fabs(rs_loops_map(&l, RS_M_SWITCHABLE)[p] - 2) < 0.1);
    }
    rs_loops_clear(&l);
}

static void outliers_stand_out(void **state)
{
    (void)state;
    enum { POINTS = 100 };
    double v[N], *y = rs_alloc(POINTS * N, sizeof *y);
    reshed_error err = {0};
    rs_loops_options o;
    rs_loops l = {0};
    sim_triangle(N, 8, v);
    make_cycles(POINTS, 1, v, y, 0.02);
    test_rng r = {test_seed()};
    for (int p = 0; p < POINTS; p++) { /* heights scatter by 20 % */
        double h = exp(0.2 * test_gauss(&r));
        for (int i = 0; i < N; i++) y[p * N + i] *= h;
    }
    for (int i = 0; i < N; i++) y[13 * N + i] *= 1000;
    for (int i = 0; i < N; i++) /* far narrower */
        y[57 * N + i] = erf(v[i] - (i >= 16 && i < 48 ? 0 : 1)) + 0.02 * test_gauss(&r);
    rs_loops_defaults(&o);
    assert_ok(rs_loops_analyse(v, N, 1, y, POINTS, &o, &l, &err), &err);
    for (int p = 0; p < POINTS; p++)
        assert_int_equal((l.flags[p] & RS_LOOP_OUTLIER) != 0, p == 13 || p == 57);
    assert_int_equal(rs_loops_count(&l, RS_LOOP_OUTLIER), 98);
    rs_loops_clear(&l);
    rs_free(y);
}

/* Loops whose sign one far sample decided are turned over, others are not touched. */
static void orientation_ignores_the_spike(void **state)
{
    (void)state;
    enum { POINTS = 20 };
    double v[N], y[POINTS * N];
    reshed_error err = {0};
    rs_loops_options o;
    rs_loops l = {0};
    sim_triangle(N, 8, v);
    make_cycles(POINTS, 1, v, y, 0.01);
    for (int p = 0; p < POINTS; p += 4) {
        for (int i = 0; i < N; i++) y[p * N + i] = -y[p * N + i];
        y[p * N + 30] = 500; /* makes the area positive */
    }
    assert_true(rs_loops_by_area(v, N, 1, y, POINTS));
    assert_false(rs_loops_by_area(v, N, 1, y, 15));
    rs_loops_defaults(&o);
    o.orient = true;
    assert_ok(rs_loops_analyse(v, N, 1, y, POINTS, &o, &l, &err), &err);
    double mean[N];
    rs_loops_mean(y, POINTS, N, 1, &l, RS_LOOP_BAD, mean);
    for (int p = 0; p < POINTS; p++) {
        assert_int_equal((l.flags[p] & RS_LOOP_FLIPPED) != 0, p % 4 == 0);
        assert_int_equal(l.sign[p], p % 4 ? 1 : -1);
        assert_true(rs_loops_map(&l, RS_M_AREA_SIGNED)[p] > 9);
        assert_true(rs_loops_map(&l, RS_M_SWITCHABLE)[p] > 1.9);
    }
    for (int i = 0; i < N; i++)
        assert_true(fabs(mean[i] - erf(v[i] - (i >= 16 && i < 48 ? -2 : 3))) < 0.02);
    rs_loops_clear(&l);
    y[0 * N + 30] = -500;
    assert_false(rs_loops_by_area(v, N, 1, y, POINTS));
}

static void count_done(void *ctx, int64_t point)
{
    (void)point;
    __atomic_fetch_add((int *)ctx, 1, __ATOMIC_RELAXED);
}

static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    enum { POINTS = 40, CYCLES = 2 };
    double v[CYCLES * N], *y = rs_alloc(POINTS * CYCLES * N, sizeof *y);
    rs_loops_options o;
    rs_loops one = {0}, four = {0};
    reshed_error err = {0};
    int calls = 0;
    for (int c = 0; c < CYCLES; c++) sim_triangle(N, 8, v + c * N);
    make_cycles(POINTS, CYCLES, v, y, 0.05);
    y[100] = NAN;
    rs_loops_defaults(&o);
    o.drop_first = false;
    o.bootstrap = 5;
    o.seed = 99;
    o.metric.branches.model = RS_MODEL_ARCTAN;
    o.threads = 1;
    assert_ok(rs_loops_analyse(v, N, CYCLES, y, POINTS, &o, &one, &err), &err);
    o.threads = 4;
    o.done = count_done;
    o.done_ctx = &calls;
    assert_ok(rs_loops_analyse(v, N, CYCLES, y, POINTS, &o, &four, &err), &err);
    assert_int_equal(calls, POINTS);
    size_t bytes = RS_METRIC_COUNT * POINTS * sizeof(double);
    assert_memory_equal(one.value, four.value, bytes);
    assert_memory_equal(one.spread, four.spread, bytes);
    assert_memory_equal(one.error, four.error, bytes);
    assert_memory_equal(one.cycle_value, four.cycle_value, bytes * CYCLES);
    assert_memory_equal(one.flags, four.flags, POINTS * sizeof *one.flags);
    assert_true(one.error[RS_M_WIDTH_MID * POINTS] > 0);
    rs_loops_clear(&one);
    rs_loops_clear(&four);
    rs_free(y);
}

static void maps_are_unfolded_alike(void **state)
{
    (void)state;
    enum { POINTS = 30 };
    double v[N], y[POINTS * N], re[POINTS * N], im[POINTS * N], out[POINTS * N], reference = 0;
    rs_unfold u[POINTS];
    reshed_error err = {0};
    rs_unfold_options o = {RS_SIGN_AREA, NAN, false, 3};
    sim_triangle(N, 8, v);
    make_cycles(POINTS, 1, v, y, 0.02);
    for (int i = 0; i < POINTS * N; i++) {
        if (i / N % 5 == 2)
            y[i] = -y[i]; /* domains of the other orientation switch the other way */
        re[i] = y[i] * cos(2.2);
        im[i] = y[i] * sin(2.2);
    }
    re[7] = 300; /* a failed fit must not turn the line */
    im[7] = -400;
    assert_ok(rs_loops_unfold(v, N, 1, re, im, POINTS, &o, out, u, &reference, &err), &err);
    assert_true(isnan(reference));
    for (int p = 0; p < POINTS; p++) assert_true(u[p].area > 0);
    o.sign = RS_SIGN_REFERENCE;
    assert_ok(rs_loops_unfold(v, N, 1, re, im, POINTS, &o, out, u, &reference, &err), &err);
    assert_true(fabs(remainder(reference - 2.2, 2 * RS_PI)) < 0.01);
    for (int i = 0; i < POINTS * N; i++)
        if (i != 7) assert_true(fabs(out[i] - y[i]) < 0.05);
    o.sign = RS_SIGN_FIXED;
    o.reference = 2.2;
    assert_ok(rs_loops_unfold(v, N, 1, re, im, POINTS, &o, out, NULL, NULL, &err), &err);
    for (int i = 0; i < POINTS * N; i++)
        if (i != 7) assert_true(fabs(out[i] - y[i]) < TOL_DOUBLE);
    o.bglib = true;
    assert_ok(rs_loops_unfold(v, N, 1, re, im, POINTS, &o, out, u, &reference, &err), &err);
    assert_true(u[3].area > 0 && isnan(u[3].ratio));
}

static void bad_calls_change_nothing(void **state)
{
    (void)state;
    double v[2 * N], y[2 * N] = {0}, out[2 * N];
    rs_loops_options o;
    rs_loops l = {.points = 77};
    reshed_error err = {0};
    rs_unfold_options uo = {RS_SIGN_REFERENCE, NAN, false, 1};
    rs_loops_defaults(&o);
    o.bootstrap = 2;
    sim_triangle(N, 8, v);
    sim_triangle(N, 8, v + N);
    assert_int_equal(rs_loops_analyse(v, N, 0, y, 2, &o, &l, &err), RESHED_EINVAL);
    assert_int_equal(rs_loops_analyse(v, N, 1, y, 0, &o, &l, &err), RESHED_EINVAL);
    assert_int_equal(rs_loops_analyse(v, N, 1 << 30, y, INT64_MAX, &o, &l, &err),
                     RESHED_EUNSUPPORTED);
    assert_int_equal(rs_loops_analyse(v, 2 * N, 1, y, 1, &o, &l, &err), RESHED_EUNSUPPORTED);
    o.outlier = NAN;
    assert_int_equal(rs_loops_analyse(v, N, 1, y, 2, &o, &l, &err), RESHED_EINVAL);
    o.outlier = 6;
    assert_int_equal(l.points, 77);
    for (int what = 0; what < 3; what++)
        for (long n = 0;; n++) {
            test_alloc_fail_at(n);
            reshed_status st;
            if (what == 0)
                st = rs_loops_analyse(v, N, 2, y, 1, &o, &l, &err);
            else if (what == 1)
                st = rs_loops_unfold(v, N, 2, y, y, 1, &uo, out, NULL, NULL, &err);
            else
                st = rs_loops_median(y, 1, N, 2, NULL, 0, out, &err);
            bool failed = test_alloc_failed();
            test_alloc_fail_at(-1);
            if (!failed) {
                assert_int_equal(st, RESHED_OK);
                break;
            }
            assert_int_equal(st, RESHED_ENOMEM);
            if (what == 0) assert_int_equal(l.points, 77);
        }
    assert_int_equal(l.points, 1);
    assert_true(l.flags[0] & RS_LOOP_NO_SWITCHING); /* a loop of zeros */
    rs_loops_clear(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simulated_loops_meet_the_bars),
        cmocka_unit_test(real_grid_has_the_known_numbers),
        cmocka_unit_test(cycles_are_averaged),
        cmocka_unit_test(reversal_curves_are_loops_of_their_own),
        cmocka_unit_test(on_field_slope_is_taken_off),
        cmocka_unit_test(outliers_stand_out),
        cmocka_unit_test(orientation_ignores_the_spike),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(maps_are_unfolded_alike),
        cmocka_unit_test(bad_calls_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
