/* From spectra to loops and from lines to rows: against loops that are known, and against the truth
 * of the twin. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/os.h"
#include "beps/loopfit.h"
#include "beps/flags.h"
#include "beps/metrics.h"
#include "beps/waveform.h"
#include "spm/instrument/sim/twin.h"
#include "spm/instrument/instrument.h"
#include "spm/instrument/private.h"
#include "spectra/lines.h"
#include "spectra/loops.h"

enum { STEPS = 64, BINS = 33, CYCLES = 3, ALL = STEPS * CYCLES };
#define PHASE 0.7 /* rad, of the instrument */
#define F0 335e3
#define Q0 120.0

static double voltage[ALL], axis[BINS];
static float spectra[2 * ALL * BINS * 2];

static void prepare(int cycles)
{
    rs_wave_spec spec;
    rs_waveform w = {0};
    reshed_error err = {0};
    rs_wave_defaults(&spec);
    spec.amplitude = 8;
    spec.steps = STEPS;
    spec.cycles = cycles;
    assert_ok(rs_waveform_create(&spec, &w, &err), &err);
    memcpy(voltage, w.v, (size_t)w.n * sizeof *voltage);
    rs_waveform_clear(&w);
    for (int k = 0; k < BINS; k++) axis[k] = F0 + 500.0 * (k - BINS / 2);
}

/* Spectra of one step with the signed response r (V). */
static void put_step(float *at, double r, test_rng *rng, double noise)
{
    double h[2 * BINS];
    const rs_sho p = {fabs(r), F0 + 100 * r, Q0, rs_wrap_angle(PHASE + (r < 0 ? RS_PI : 0))};
    rs_sho_eval(&p, axis, BINS, h);
    for (int k = 0; k < 2 * BINS; k++)
        at[k] = (float)(h[k] + (noise > 0 ? noise * test_gauss(rng) : 0));
}

/* The loop of parameters p, off field; on field the same plus slope*v. response [2][steps]. */
static void put_loop(const double p[RS_LOOP_PARAMS], double slope, int cycle, int cycles,
                     double *response)
{
    rs_sweep s = {0};
    reshed_error err = {0};
    double y[STEPS];
    int steps = STEPS * cycles;
    assert_ok(rs_sweep_create(voltage, STEPS, &s, &err), &err);
    rs_loop_function(&s, p, y);
    rs_sweep_clear(&s);
    for (int i = 0; i < STEPS; i++) {
        int at = cycle * STEPS + i;
        response[at] = y[i] + slope * voltage[i];
        response[steps + at] = y[i];
        put_step(spectra + (size_t)at * BINS * 2, response[at], NULL, 0);
        put_step(spectra + (size_t)(steps + at) * BINS * 2, y[i], NULL, 0);
    }
}

static const double known[RS_LOOP_PARAMS] = {-0.9, 2.1, -2.2, 3.1, 0, 0.9, 0.5, 0.6, 1.0};

typedef struct result {
    float amplitude[2 * ALL], frequency[2 * ALL], q[2 * ALL], phase[2 * ALL], response[2 * ALL];
    double value[RS_LOOP_VALUES];
} result;

static rs_loop_result loop_of(result *r)
{
    memset(r, 0x5a, sizeof *r);
    return (rs_loop_result){r->amplitude, r->frequency, r->q, r->phase, r->response, r->value};
}

static double value(const result *r, const char *name)
{
    int m = rs_loop_value_find(name);
    assert_true(m >= 0);
    return r->value[m];
}

static rs_loop_analysis *create(int cycles, int fields, int bins, const rs_loop_analysis_options *o)
{
    rs_loop_analysis *a = NULL;
    reshed_error err = {0};
    assert_ok(rs_loop_analysis_create(voltage, STEPS * cycles, fields, axis, bins, o, &a, &err),
              &err);
    return a;
}

static void run(rs_loop_analysis *a, const rs_loop_readings *in, result *r)
{
    reshed_error err = {0};
    rs_loop_result out = loop_of(r);
    assert_ok(rs_loop_analysis_run(a, in, &out, &err), &err);
}

/* ------------------------------------------------------------------------------------- the list */

static void check_unit(const char *name, const char *response, const char *expected)
{
    char unit[32];
    assert_string_equal(rs_loop_value_unit(rs_loop_value_find(name), response, unit, sizeof unit),
                        expected);
}

static void names_are_those_of_beps(void **state)
{
    (void)state;
    char unit[32];
    const char *const wanted[] = {
        "width_mid", "coercive_mid", "v_plus_mid",     "v_minus_mid",    "imprint_mid",
        "area",      "area_refined", "nucleation_neg", "nucleation_pos", "r_plus_0",
        "r_minus_0", "switchable",   "fit_r2",         "fit_width",      "flags",
        "cycles",    "unfold_angle", "unfold_ratio",   "failed_steps"};
    assert_true(RS_LOOP_VALUES > 50);
    for (int i = 0; i < RS_LOOP_VALUES; i++) {
        const char *name = rs_loop_value_name(i);
        assert_true(name[0] && rs_loop_value_unit(i, "V", unit, sizeof unit)[0]);
        assert_int_equal(rs_loop_value_find(name), i);
        for (int k = 0; k < i; k++) assert_string_not_equal(name, rs_loop_value_name(k));
        assert_null(strstr(name, "bglib"));
    }
    for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++)
        assert_true(rs_loop_value_find(wanted[k]) >= 0);
    assert_int_equal(rs_loop_value_find("no_such"), -1);
    assert_int_equal(rs_loop_value_find("bglib_area"), -1);
    check_unit("width_mid", "V", "V");
    check_unit("switchable", "m", "m");
    check_unit("area", "m", "V*m");
    check_unit("unfold_angle", "m", "rad");
}

/* ------------------------------------------------------------------------------------ one cycle */

static void check_known(const result *r, double level, double tolerance)
{
    double plus = rs_loop_crossing(known, false, 0.5), minus = rs_loop_crossing(known, true, 0.5);
    assert_near(value(r, "fit_v_plus"), plus, tolerance);
    assert_near(value(r, "fit_v_minus"), minus, tolerance);
    assert_near(value(r, "fit_width"), plus - minus, tolerance);
    assert_near(value(r, "v_plus_mid"), plus, 0.1); /* steps of 0.5 V */
    assert_near(value(r, "v_minus_mid"), minus, 0.1);
    assert_near(value(r, "nucleation_pos"), rs_loop_crossing(known, false, 0.03), 5 * tolerance);
    assert_near(value(r, "nucleation_neg"), rs_loop_crossing(known, true, 0.97), 5 * tolerance);
    assert_near(value(r, "fit_switchable"), 2.1, tolerance);
    assert_near(value(r, "switchable"), 2.1, 0.05);
    assert_near(value(r, "area"), rs_loop_function_area(known, -8, 8), 0.2);
    assert_true(value(r, "fit_r2") > 1 - level);
    assert_near(value(r, "flags"), 0, 0);
}

static void a_known_loop(void **state)
{
    (void)state;
    static result r;
    double want[2 * STEPS];
    prepare(1);
    put_loop(known, 0.05, 0, 1, want);
    rs_loop_analysis *a = create(1, 2, BINS, NULL);
    rs_loop_readings in = {.steps = STEPS, .bins = BINS, .fields = 2, .spectra = spectra};
    run(a, &in, &r);
    for (int i = 0; i < 2 * STEPS; i++) {
        assert_near(r.response[i], want[i], 1e-5);
        assert_near(r.amplitude[i], fabs(want[i]), 1e-5);
        assert_near(r.frequency[i], F0 + 100 * want[i], 0.1);
        assert_near(r.q[i], Q0, 0.01);
        if (fabs(want[i]) > 0.01)
            assert_near(cos((double)r.phase[i] - PHASE), want[i] > 0 ? 1 : -1, 1e-6);
    }
    check_known(&r, 1e-6, 0.01);
    assert_near(value(&r, "unfold_angle"), PHASE, 1e-4);
    assert_near(value(&r, "unfold_ratio"), 0, 1e-4);
    assert_near(value(&r, "failed_steps"), 0, 0);
    assert_near(value(&r, "cycles"), 1, 0);
    /* Only what is wanted is written. */
    rs_loop_result some = {.value = r.value};
    reshed_error err = {0};
    memset(r.response, 0x5a, sizeof r.response);
    assert_ok(rs_loop_analysis_run(a, &in, &some, &err), &err);
    assert_int_equal(((unsigned char *)r.response)[9], 0x5a);
    /* The on-field reading alone: its slope comes off first. */
    rs_loop_readings on = in;
    on.fields = 1;
    run(a, &on, &r);
    check_known(&r, 1e-4, 0.05);
    assert_near(value(&r, "es_slope"), 0.05, 0.002);
    for (int i = 0; i < STEPS; i++) {
        assert_near(r.response[i], want[i], 1e-5);
        assert_true(isnan(r.response[STEPS + i]) && isnan(r.amplitude[STEPS + i]) &&
                    isnan(r.frequency[STEPS + i]) && isnan(r.q[STEPS + i]));
    }
    rs_loop_analysis_free(a);
    /* The same on demand, though there is an off-field one. */
    rs_loop_analysis_options o;
    rs_loop_analysis_defaults(&o);
    o.on_field = true;
    a = create(1, 2, BINS, &o);
    run(a, &in, &r);
    assert_near(value(&r, "es_slope"), 0.05, 0.002);
    rs_loop_analysis_free(a);
    /* A reference on the other side turns it over. */
    rs_loop_analysis_defaults(&o);
    o.reference = PHASE + 2.9;
    a = create(1, 2, BINS, &o);
    run(a, &in, &r);
    for (int i = 0; i < 2 * STEPS; i++) assert_near(r.response[i], -want[i], 1e-5);
    assert_true((unsigned)value(&r, "flags") & RS_LOOP_CLOCKWISE);
    rs_loop_analysis_free(a);
}

/* On field the electrostatic part can be so large that the area alone would not tell the side. */
static void on_field_is_on_the_side_of_off_field(void **state)
{
    (void)state;
    static result r;
    double want[2 * STEPS];
    prepare(1);
    put_loop(known, -0.83, 0, 1, want);
    rs_loop_analysis *a = create(1, 2, BINS, NULL);
    rs_loop_readings in = {.steps = STEPS, .bins = BINS, .fields = 2, .spectra = spectra};
    run(a, &in, &r);
    for (int i = 0; i < 2 * STEPS; i++) assert_near(r.response[i], want[i], 1e-4);
    check_known(&r, 1e-6, 0.01);
    rs_loop_analysis_free(a);
}

static void amplitude_and_phase_do_as_well(void **state)
{
    (void)state;
    static result r;
    double want[2 * STEPS];
    static float amplitude[2 * STEPS], phase[2 * STEPS];
    prepare(1);
    put_loop(known, 0.05, 0, 1, want);
    for (int i = 0; i < 2 * STEPS; i++) {
        amplitude[i] = (float)fabs(want[i]);
        phase[i] = (float)(PHASE + (want[i] < 0 ? 3.14159265 : 0));
    }
    rs_loop_analysis *a = create(1, 2, 0, NULL);
    rs_loop_readings in = {.steps = STEPS, .fields = 2, .amplitude = amplitude, .phase = phase};
    run(a, &in, &r);
    for (int i = 0; i < 2 * STEPS; i++) {
        assert_near(r.response[i], want[i], 1e-6);
        assert_near(r.amplitude[i], amplitude[i], 1e-6);
        assert_near(cos((double)r.phase[i] - (double)phase[i]), 1, 1e-6);
        assert_true(isnan(r.frequency[i]) && isnan(r.q[i]));
    }
    check_known(&r, 1e-6, 0.01);
    reshed_error err = {0};
    rs_loop_result out = loop_of(&r);
    in.phase = NULL;
    assert_int_equal(rs_loop_analysis_run(a, &in, &out, &err), RESHED_EINVAL);
    rs_loop_analysis_free(a);
}

static void several_cycles(void **state)
{
    (void)state;
    static result r;
    static double want[2 * ALL];
    double virgin[RS_LOOP_PARAMS];
    prepare(CYCLES);
    memcpy(virgin, known, sizeof virgin);
    virgin[RS_A3] += 1.5;
    for (int c = 0; c < CYCLES; c++) put_loop(c ? known : virgin, 0, c, CYCLES, want);
    rs_loop_readings in = {.steps = ALL, .bins = BINS, .fields = 2, .spectra = spectra};
    rs_loop_analysis_options o;
    rs_loop_analysis_defaults(&o);
    assert_true(o.drop_first);
    o.drop_first = false;
    rs_loop_analysis *a = create(CYCLES, 2, BINS, &o);
    run(a, &in, &r);
    assert_true((unsigned)value(&r, "flags") & RS_LOOP_CYCLES_DIFFER);
    double width = rs_loop_crossing(known, false, 0.5) - rs_loop_crossing(known, true, 0.5);
    assert_near(value(&r, "fit_width"), width + 0.5, 0.01);
    assert_near(value(&r, "cycles"), 3, 0);
    for (int i = 0; i < 2 * ALL; i++) assert_near(r.response[i], want[i], 1e-5);
    rs_loop_analysis_free(a);
    o.drop_first = true;
    a = create(CYCLES, 2, BINS, &o);
    run(a, &in, &r);
    check_known(&r, 1e-6, 0.01);
    assert_near(value(&r, "cycles"), 2, 0);
    rs_loop_analysis_free(a);
    reshed_error err = {0};
    o.cycles = 5;
    assert_int_equal(rs_loop_analysis_create(voltage, ALL, 2, axis, BINS, &o, &a, &err),
                     RESHED_EINVAL);
}

/* ---------------------------------------------------------------------------------- bad spectra */

static void missing_steps_and_spectra(void **state)
{
    (void)state;
    static result r;
    double want[2 * STEPS];
    prepare(1);
    put_loop(known, 0, 0, 1, want);
    rs_loop_analysis *a = create(1, 2, BINS, NULL);
    rs_loop_readings in = {.steps = STEPS, .bins = BINS, .fields = 2, .spectra = spectra};
    const int bad[] = {STEPS + 3, STEPS + 20, STEPS + 45};
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 2 * BINS; i++) spectra[bad[k] * 2 * BINS + i] = NAN;
    run(a, &in, &r);
    for (int i = 0; i < 2 * STEPS; i++) {
        bool none = i == bad[0] || i == bad[1] || i == bad[2];
        assert_int_equal(isnan(r.response[i]), none);
        assert_int_equal(isnan(r.frequency[i]), none);
        if (!none) assert_near(r.response[i], want[i], 1e-5);
    }
    assert_near(value(&r, "failed_steps"), 3, 0);
    assert_near(value(&r, "flags"), RS_LOOP_SPIKES, 0);
    assert_near(value(&r, "fit_v_plus"), rs_loop_crossing(known, false, 0.5), 0.01);
    assert_near(value(&r, "fit_switchable"), 2.1, 0.01);
    rs_loop_analysis_free(a);
}

static void nothing_at_all(void **state)
{
    (void)state;
    static result r;
    prepare(1);
    for (size_t i = 0; i < sizeof spectra / sizeof *spectra; i++) spectra[i] = NAN;
    rs_loop_analysis *a = create(1, 2, BINS, NULL);
    rs_loop_readings in = {.steps = STEPS, .bins = BINS, .fields = 2, .spectra = spectra};
    run(a, &in, &r);
    for (int i = 0; i < 2 * STEPS; i++)
        assert_true(isnan(r.amplitude[i]) && isnan(r.frequency[i]) && isnan(r.q[i]) &&
                    isnan(r.phase[i]) && isnan(r.response[i]));
    const char *const none[] = {"width_mid", "fit_width",  "area",        "nucleation_neg",
                                "fit_r2",    "switchable", "unfold_angle"};
    for (size_t k = 0; k < sizeof none / sizeof *none; k++) assert_true(isnan(value(&r, none[k])));
    assert_true((unsigned)value(&r, "flags") & RS_LOOP_NO_DATA);
    assert_near(value(&r, "failed_steps"), STEPS, 0);
    /* Noise, and one value everywhere. */
    test_rng rng = {test_seed()};
    for (size_t i = 0; i < sizeof spectra / sizeof *spectra; i++)
        spectra[i] = (float)test_gauss(&rng);
    run(a, &in, &r);
    assert_true((unsigned)value(&r, "flags") & (RS_LOOP_NO_DATA | RS_LOOP_NO_SWITCHING));
    for (size_t i = 0; i < sizeof spectra / sizeof *spectra; i++) spectra[i] = 0;
    run(a, &in, &r);
    assert_true(isnan(value(&r, "width_mid")));
    rs_loop_analysis_free(a);
}

static void errors(void **state)
{
    (void)state;
    static result r;
    reshed_error err = {0};
    rs_loop_analysis *a = NULL;
    prepare(1);
    assert_int_equal(rs_loop_analysis_create(voltage, 0, 2, axis, BINS, NULL, &a, &err),
                     RESHED_EINVAL);
    assert_int_equal(rs_loop_analysis_create(voltage, STEPS, 3, axis, BINS, NULL, &a, &err),
                     RESHED_EINVAL);
    assert_int_equal(rs_loop_analysis_create(voltage, STEPS, 2, NULL, BINS, NULL, &a, &err),
                     RESHED_EINVAL);
    assert_int_equal(rs_loop_analysis_create(voltage, STEPS, 2, axis, -1, NULL, &a, &err),
                     RESHED_EINVAL);
    assert_int_equal(rs_loop_analysis_create(voltage, STEPS, 2, axis, 2, NULL, &a, &err),
                     RESHED_EUNSUPPORTED);
    assert_int_equal(rs_loop_analysis_create(voltage, STEPS / 4, 2, axis, BINS, NULL, &a, &err),
                     RESHED_EUNSUPPORTED); /* a quarter of a cycle */
    double flat[STEPS] = {0};
    assert_int_equal(rs_loop_analysis_create(flat, STEPS, 2, axis, BINS, NULL, &a, &err),
                     RESHED_EUNSUPPORTED);
    flat[3] = NAN;
    assert_int_equal(rs_loop_analysis_create(flat, STEPS, 2, axis, BINS, NULL, &a, &err),
                     RESHED_EINVAL);
    assert_null(a);
    a = create(1, 1, BINS, NULL);
    rs_loop_result out = loop_of(&r);
    rs_loop_readings bad[] = {{.steps = STEPS - 1, .bins = BINS, .fields = 1, .spectra = spectra},
                              {.steps = STEPS, .bins = BINS + 1, .fields = 1, .spectra = spectra},
                              {.steps = STEPS, .bins = BINS, .fields = 2, .spectra = spectra},
                              {.steps = STEPS, .bins = BINS, .fields = 0, .spectra = spectra},
                              {.steps = STEPS, .bins = BINS, .fields = 1}};
    for (int i = 0; i < 5; i++)
        assert_int_equal(rs_loop_analysis_run(a, &bad[i], &out, &err), RESHED_EINVAL);
    assert_int_equal(((unsigned char *)r.value)[5], 0x5a);
    rs_loop_analysis_free(a);
    rs_loop_analysis_free(NULL);
    rs_line_fit_free(NULL);
    rs_line_fit *f = NULL;
    assert_int_equal(rs_line_fit_create(axis, BINS, 0, NULL, &f, &err), RESHED_EINVAL);
    assert_int_equal(rs_line_fit_create(axis, 1, 8, NULL, &f, &err), RESHED_EUNSUPPORTED);
}

static void memory_may_fail(void **state)
{
    (void)state;
    static result r;
    double want[2 * STEPS];
    reshed_error err = {0};
    rs_loop_analysis_options o;
    prepare(1);
    put_loop(known, 0.05, 0, 1, want);
    rs_loop_analysis_defaults(&o);
    o.sho.threads = 1;
    rs_loop_readings in = {.steps = STEPS, .bins = BINS, .fields = 2, .spectra = spectra};
    int failures = 0;
    for (long k = 0;; k++) {
        rs_loop_analysis *a = NULL;
        rs_loop_result out = loop_of(&r);
        test_alloc_fail_at(k);
        reshed_status st = rs_loop_analysis_create(voltage, STEPS, 2, axis, BINS, &o, &a, &err);
        if (st == RESHED_OK) st = rs_loop_analysis_run(a, &in, &out, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        rs_loop_analysis_free(a);
        if (!failed) {
            assert_int_equal(st, RESHED_OK);
            break;
        }
        failures++;
        assert_int_equal(st, RESHED_ENOMEM);
        assert_int_equal(((unsigned char *)r.value)[5], 0x5a);
        assert_int_equal(((unsigned char *)r.response)[5], 0x5a);
    }
    assert_true(failures > 12);
    for (long k = 0;; k++) {
        rs_line_fit *f = NULL;
        test_alloc_fail_at(k);
        reshed_status st = rs_line_fit_create(axis, BINS, 16, &o.sho, &f, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        rs_line_fit_free(f);
        assert_int_equal(st, failed ? RESHED_ENOMEM : RESHED_OK);
        if (!failed) break;
    }
}

/* ---------------------------------------------------------------------------------------- lines */

/* 400 bins and 256 pixels, some of them missing or empty. */
static void a_line_becomes_rows(void **state)
{
    (void)state;
    enum { COLS = 256, WIDE = 400 };
    static float line[COLS * WIDE * 2], a[COLS + 1], f[COLS + 1], q[COLS + 1], p[COLS + 1];
    static double frequency[WIDE], h[2 * WIDE];
    rs_sho truth[COLS];
    rs_line_fit *fit = NULL;
    reshed_error err = {0};
    test_rng r = {test_seed() + 1};
    rs_sho_options o;
    rs_sho_options_defaults(&o);
    for (int k = 0; k < WIDE; k++) frequency[k] = 300e3 + 150.0 * k;
    for (int c = 0; c < COLS; c++) {
        truth[c] = (rs_sho){test_uniform(&r, 1e-5, 2e-4), test_uniform(&r, 320e3, 340e3),
                            test_uniform(&r, 80, 250), test_uniform(&r, -3, 3)};
        rs_sho_eval(&truth[c], frequency, WIDE, h);
        double noise = 0.03 * truth[c].amplitude * truth[c].q;
        for (int k = 0; k < 2 * WIDE; k++)
            line[c * 2 * WIDE + k] = (float)(h[k] + noise * test_gauss(&r));
    }
    for (int k = 0; k < 2 * WIDE; k++) {
        line[7 * 2 * WIDE + k] = NAN;
        line[100 * 2 * WIDE + k] = 0;
    }
    assert_ok(rs_line_fit_create(frequency, WIDE, COLS, &o, &fit, &err), &err);
    a[COLS] = f[COLS] = q[COLS] = p[COLS] = -7;
    double best = INFINITY;
    for (int k = 0; k < 5; k++) {
        double t = rs_os_monotonic();
        assert_int_equal(rs_line_fit_run(fit, line, COLS, a, f, q, p), 2);
        best = fmin(best, rs_os_monotonic() - t);
    }
    print_message("# %d spectra of %d bins: %.1f ms at best\n", COLS, WIDE, 1e3 * best);
    assert_true(a[COLS] == -7 && f[COLS] == -7 && q[COLS] == -7 && p[COLS] == -7);
    for (int c = 0; c < COLS; c++) {
        if (c == 7 || c == 100) {
            assert_true(isnan(a[c]) && isnan(f[c]) && isnan(q[c]) && isnan(p[c]));
            continue;
        }
        assert_near(a[c] / truth[c].amplitude, 1, 0.1);
        assert_near(f[c], truth[c].frequency, 0.05 * truth[c].frequency / truth[c].q);
        assert_near(q[c] / truth[c].q, 1, 0.1);
        assert_near(rs_wrap_angle((double)p[c] - truth[c].phase), 0, 0.05);
    }
    /* Part of a line, one row of results; the same bits on one thread. */
    static float again[COLS];
    for (int c = 0; c < COLS; c++) again[c] = -7;
    assert_int_equal(rs_line_fit_run(fit, line, 50, again, NULL, NULL, NULL), 1);
    for (int c = 0; c < COLS; c++)
        assert_true(c >= 50 ? again[c] == -7 : c == 7 ? isnan(again[c]) : again[c] == a[c]);
    rs_line_fit_free(fit);
    o.threads = 1;
    assert_ok(rs_line_fit_create(frequency, WIDE, COLS, &o, &fit, &err), &err);
    best = INFINITY;
    for (int k = 0; k < 3; k++) {
        double t = rs_os_monotonic();
        rs_line_fit_run(fit, line, COLS, again, NULL, NULL, NULL);
        best = fmin(best, rs_os_monotonic() - t);
    }
    print_message("# on one thread: %.1f ms at best\n", 1e3 * best);
    assert_memory_equal(again, a, sizeof again);
    rs_line_fit_free(fit);
}

/* ----------------------------------------------------------------------------------------- twin */

/* A line of the twin: its fitted amplitude is its amplitude channel, up to sensitivity and drive.
 */
static void amplitude_is_that_of_the_twin(void **state)
{
    (void)state;
    const rs_driver_option option[] = {
        {"clock", "0"}, {"noise", "0"}, {"line_noise", "0"}, {"retrace_shift", "0"}};
    enum { COLS = 64 };
    rs_instrument *d = NULL;
    reshed_error err = {0};
    float amplitude[2 * COLS], fitted[COLS];
    double frequency[65];
    float *line_spectra = rs_alloc(COLS * 65, 2 * sizeof *line_spectra);
    rs_frame f = {.width = 1e-6, .height = 1e-6, .rows = 2, .cols = COLS, .line_rate = 1};
    assert_int_equal(rs_instrument_open("twin", option, 4, 10, &d, &err), RS_DRIVER_OK);
    rs_twin_view view = {.width = 1e-6, .height = 1e-6, .rows = 2, .cols = COLS, .row_end = 2};
    rs_twin_channels ch = {.amplitude = amplitude};
    assert_ok(rs_twin_render(rs_driver_twin_sample(d->self), &view, &ch, &err), &err);
    assert_int_equal(rs_instrument_set_frame(d, &f, 1, &err), RS_DRIVER_OK);
    assert_int_equal(rs_instrument_set_drive(d, 2, 1, &err), RS_DRIVER_OK);
    assert_int_equal(rs_instrument_start(d, 0, 1, &err), RS_DRIVER_OK);
    rs_line line = {.cols = COLS, .bins = 65, .spectra = line_spectra, .frequency = frequency};
    assert_int_equal(rs_instrument_wait_line(d, 1, &line, &err), RS_DRIVER_OK);
    rs_line_fit *fit = NULL;
    assert_ok(rs_line_fit_create(frequency, 65, COLS, NULL, &fit, &err), &err);
    assert_int_equal(rs_line_fit_run(fit, line_spectra, COLS, fitted, NULL, NULL, NULL), 0);
    for (int c = 0; c < COLS; c++)
        assert_near((double)fitted[c] /
                        (2 * rs_driver_twin_sensitivity(d->self) * (double)amplitude[c]),
                    1, 1e-4);
    rs_line_fit_free(fit);
    rs_free(line_spectra);
    rs_instrument_close(d);
}

static double correlation(const double *a, const double *b, int n)
{
    double ma = 0, mb = 0, sab = 0, saa = 0, sbb = 0;
    for (int i = 0; i < n; i++) {
        ma += a[i] / n;
        mb += b[i] / n;
    }
    for (int i = 0; i < n; i++) {
        sab += (a[i] - ma) * (b[i] - mb);
        saa += (a[i] - ma) * (a[i] - ma);
        sbb += (b[i] - mb) * (b[i] - mb);
    }
    return sab / sqrt(saa * sbb);
}

/* Loops of the twin at its default noise, at a grid of places, against the truth. */
static void loops_of_the_twin(void **state)
{
    (void)state;
    enum { SIDE = 9, POINTS = SIDE * SIDE, M = 4 };
    const char *const name[M] = {"width_mid", "v_plus_mid", "v_minus_mid", "area_refined"};
    static double got[M][POINTS], truth[M][POINTS];
    static result r;
    const rs_driver_option option[] = {{"clock", "0"}};
    rs_instrument *d = NULL;
    reshed_error err = {0};
    double frequency[65];
    float *s = rs_alloc(2 * STEPS * 65, 2 * sizeof *s);
    rs_loop_analysis *a = NULL;
    int n = 0;
    prepare(1);
    assert_int_equal(rs_instrument_open("twin", option, 1, 10, &d, &err), RS_DRIVER_OK);
    rs_spectroscopy sp = {
        .voltage = voltage, .steps = STEPS, .off_field = true, .dwell = 2e-3, .settle = 1e-3};
    assert_int_equal(rs_instrument_set_spectroscopy(d, &sp, 1, &err), RS_DRIVER_OK);
    for (int i = 0; i < POINTS; i++) {
        rs_spectrum in = {.steps = STEPS, .bins = 65, .spectra = s, .frequency = frequency};
        double x = 1.7e-7 * (i % SIDE - SIDE / 2), y = 1.7e-7 * (i / SIDE - SIDE / 2);
        rs_twin_loop_truth t;
        assert_int_equal(rs_instrument_move_tip(d, x, y, 1e-6, 1, &err), RS_DRIVER_OK);
        assert_int_equal(rs_instrument_run_spectroscopy(d, 1, &in, &err), RS_DRIVER_OK);
        if (!a)
            assert_ok(rs_loop_analysis_create(voltage, STEPS, in.fields, frequency, in.bins, NULL,
                                              &a, &err),
                      &err);
        const rs_loop_readings readings = {
            .steps = in.steps, .bins = in.bins, .fields = in.fields, .spectra = in.spectra};
        run(a, &readings, &r);
        rs_driver_twin_place(d->self, in.x, in.y, &x, &y);
        assert_ok(rs_twin_switching_truth(rs_driver_twin_sample(d->self),
                                          rs_driver_twin_switching(d->self), x, y, -8, 8, &t, &err),
                  &err);
        if (t.saturation < 0.9) continue; /* not a loop that this sweep could show */
        const double w[M] = {t.width, t.v_plus, t.v_minus,
                             t.area * rs_driver_twin_sensitivity(d->self)};
        for (int m = 0; m < M; m++) {
            got[m][n] = value(&r, name[m]);
            truth[m][n] = w[m];
            assert_true(isfinite(got[m][n]));
        }
        n++;
    }
    assert_true(n > 40);
    for (int m = 0; m < M; m++) {
        double c = correlation(got[m], truth[m], n);
        print_message("# twin: %s of %d loops, correlation with the truth %.4f\n", name[m], n, c);
        assert_true(c >= 0.95);
    }
    rs_loop_analysis_free(a);
    rs_free(s);
    rs_instrument_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_of_beps),
        cmocka_unit_test(a_known_loop),
        cmocka_unit_test(on_field_is_on_the_side_of_off_field),
        cmocka_unit_test(amplitude_and_phase_do_as_well),
        cmocka_unit_test(several_cycles),
        cmocka_unit_test(missing_steps_and_spectra),
        cmocka_unit_test(nothing_at_all),
        cmocka_unit_test(errors),
        cmocka_unit_test(memory_may_fail),
        cmocka_unit_test(a_line_becomes_rows),
        cmocka_unit_test(amplitude_is_that_of_the_twin),
        cmocka_unit_test(loops_of_the_twin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
