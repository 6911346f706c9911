#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/statistics.h"
#include "beps/bootstrap.h"
#include "beps/electrostatic.h"
#include "beps/flags.h"
#include "beps/metrics.h"
#include "beps/phase.h"
#include "support/loop_sim.h"
#include "support/tolerance.h"

enum { N = 64 };

static void compute(const rs_sweep *s, const double *y, const uint8_t *skip,
                    const rs_metric_options *o, double *out)
{
    rs_metric_options usual;
    rs_metric_defaults(&usual);
    double *work = rs_alloc(rs_metric_work(s->n), sizeof *work);
    for (int m = 0; m < RS_METRIC_COUNT; m++) out[m] = 12345;
    rs_metrics_compute(s, y, skip, true, o ? o : &usual, work, out, NULL);
    for (int m = 0; m < RS_METRIC_COUNT; m++) assert_true(out[m] != 12345);
    rs_free(work);
}

/* -------------------------------------------------------------------------------------- metrics */
static void metrics_of_a_loop_of_straight_pieces(void **state)
{
    (void)state;
    rs_sweep s = {0};
    double y[N], m[RS_METRIC_COUNT];
    sim_sweep(N, 8, &s);
    sim_straight_loop(&s, 0.5, 0, y);
    compute(&s, y, NULL, NULL, m);
    const double tiny = 1e-12;
    assert_near(m[RS_M_V_PLUS_MID], 3, tiny);
    assert_near(m[RS_M_V_MINUS_MID], -4, tiny);
    assert_near(m[RS_M_WIDTH_MID], 7, tiny);
    assert_near(m[RS_M_COERCIVE_MID], 3.5, tiny);
    assert_near(m[RS_M_IMPRINT_MID], -0.5, tiny);
    assert_near(m[RS_M_LEVEL_MID], 0.5, tiny);
    assert_near(m[RS_M_V_PLUS_ZERO], 2.5, tiny);
    assert_near(m[RS_M_V_MINUS_ZERO], -4.5, tiny);
    assert_near(m[RS_M_WIDTH_ZERO], 7, tiny);
    assert_near(m[RS_M_COERCIVE_ZERO], 3.5, tiny);
    assert_near(m[RS_M_IMPRINT_ZERO], -1, tiny);
    assert_near(m[RS_M_AREA], 14, tiny);
    assert_near(m[RS_M_AREA_SIGNED], 14, tiny);
    assert_near(m[RS_M_AREA_OPEN], 13.875, tiny); /* less the edge (-0.5,-0.5) to (0,-0.5) */
    assert_near(m[RS_M_BGLIB_AREA], 13.875, tiny);
    assert_near(m[RS_M_CENTROID_V], -0.5, tiny);
    assert_near(m[RS_M_CENTROID_R], 0.5, tiny);
    /* The edge left out is a triangle of -0.125 with the origin, centroid (-1/6, -1/3). */
    assert_near(m[RS_M_BGLIB_CENTROID_V], (14 * -0.5 - 0.125 * (-1.0 / 6)) / 13.875, tiny);
    assert_near(m[RS_M_BGLIB_CENTROID_R], (14 * 0.5 - 0.125 * (-1.0 / 3)) / 13.875, tiny);
    assert_near(m[RS_M_R_PLUS_0], 1.5, tiny);
    assert_near(m[RS_M_R_MINUS_0], -0.5, tiny);
    assert_near(m[RS_M_OPENING_0], 2, tiny);
    assert_near(m[RS_M_OPENING_IMPRINT], 2, tiny);
    assert_near(m[RS_M_R_PLUS_SAT], 1.5, tiny);
    assert_near(m[RS_M_R_MINUS_SAT], -0.5, tiny);
    assert_near(m[RS_M_SWITCHABLE], 2, tiny);
    assert_near(m[RS_M_VERTICAL_SHIFT], 0.5, tiny);
    assert_near(m[RS_M_SQUARENESS], 1, tiny);
    assert_near(m[RS_M_WORK], 14, tiny);
    assert_near(m[RS_M_NOISE], 0, tiny);
    assert_true(isinf(m[RS_M_SNR]) && isinf(m[RS_M_AREA_SNR]));
    assert_true(m[RS_M_SPIKES] == 0);
    assert_near(m[RS_M_ES_SLOPE], 0, tiny);
    /* Falling samples 16..47: 23 at +1, 3 that cancel, 6 at -1; rising: 21 at -1, 8 at +1. */
    assert_near(m[RS_M_AUTHOR_AREA], 17 + 13, tiny);
    for (int k = RS_M_SSPFM_X0_R; k <= RS_M_SSPFM_R2; k++) assert_true(isnan(m[k]));

    /* Upside down: same voltages, area negative, levels exchanged. */
    for (int i = 0; i < N; i++) y[i] = -y[i];
    compute(&s, y, NULL, NULL, m);
    assert_near(m[RS_M_V_PLUS_MID], 3, tiny);
    assert_near(m[RS_M_V_MINUS_MID], -4, tiny);
    assert_near(m[RS_M_AREA_SIGNED], -14, tiny);
    assert_near(m[RS_M_AREA], 14, tiny);
    assert_near(m[RS_M_R_PLUS_0], -1.5, tiny);
    assert_near(m[RS_M_SWITCHABLE], -2, tiny);
    rs_sweep_clear(&s);
}

static void electrostatic_slope_is_separated(void **state)
{
    (void)state;
    rs_sweep s = {0};
    double on[N], off[N], m[RS_METRIC_COUNT];
    rs_electrostatic es;
    sim_sweep(N, 8, &s);
    sim_straight_loop(&s, 0.5, 0.04, on);
    compute(&s, on, NULL, NULL, m);
    assert_near(m[RS_M_ES_SLOPE], 0.04, TOL_DOUBLE);
    assert_near(m[RS_M_ES_CPD], -0.5 / 0.04, TOL_LEAST_SQUARES);
    assert_near(m[RS_M_ES_R2], 1, TOL_LEAST_SQUARES);
    /* On-field = ferroelectric + slope (V - cpd); off-field is read at 0 V. */
    double slope = -0.03, cpd = 0.4;
    sim_straight_loop(&s, 0, 0, off);
    for (int i = 0; i < N; i++) on[i] = off[i] + slope * (s.v[i] - cpd);
    rs_electrostatic_difference(&s, on, off, NULL, -5, 5, &es);
    assert_near(es.slope, slope, TOL_DOUBLE);
    assert_near(es.cpd, cpd, TOL_LEAST_SQUARES);
    assert_near(es.r2, 1, TOL_LEAST_SQUARES);
    on[3] = NAN;
    rs_electrostatic_difference(&s, on, off, NULL, -5, 5, &es);
    assert_near(es.slope, slope, TOL_DOUBLE);
    rs_electrostatic_difference(&s, on, off, NULL, 20, 30, &es);
    assert_true(isnan(es.slope) && isnan(es.cpd));
    rs_sweep_clear(&s);
}

/* Part F, number 2: coef [-1,2,-3,2,0,1,.5,.8,1.6], 64-step triangle of 8 V. */
static void golden_nine_parameter_loop(void **state)
{
    (void)state;
    static const double p[RS_LOOP_PARAMS] = {-1, 2, -3, 2, 0, 1, 0.5, 0.8, 1.6};
    rs_sweep s = {0};
    double y[N], m[RS_METRIC_COUNT];
    sim_sweep(N, 8, &s);
    rs_loop_function(&s, p, y);
    compute(&s, y, NULL, NULL, m);
    for (int k = 0; k < RS_LOOP_PARAMS; k++) assert_near(m[RS_M_FIT_A0 + k], p[k], TOL_LOOP_FIT);
    assert_near(m[RS_M_BGLIB_AREA], 11.2158, 5e-5);
    assert_near(m[RS_M_BGLIB_CENTROID_V], -0.37964, 5e-6);
    assert_near(m[RS_M_BGLIB_CENTROID_R], 0.04608, 5e-6);
    assert_near(m[RS_M_BGLIB_V_PLUS], 2, TOL_LOOP_FIT);
    assert_near(m[RS_M_BGLIB_V_MINUS], -3, TOL_LOOP_FIT);
    assert_near(m[RS_M_BGLIB_IMPRINT], -0.5, TOL_LOOP_FIT);
    assert_near(m[RS_M_BGLIB_R_PLUS], 1, TOL_LOOP_FIT);
    assert_near(m[RS_M_BGLIB_R_MINUS], -1, TOL_LOOP_FIT);
    assert_near(m[RS_M_BGLIB_SWITCHABLE], 2, TOL_LOOP_FIT);
    assert_near(m[RS_M_BGLIB_WORK], 10, 2e-4);
    assert_near(m[RS_M_BGLIB_NUCLEATION_1], 1.0409, 5e-5);
    assert_near(m[RS_M_BGLIB_NUCLEATION_2], -2.572, 5e-4);
    assert_near(m[RS_M_NUCLEATION_POS], 1.0409, 5e-5);
    assert_near(m[RS_M_NUCLEATION_NEG], -2.4006, 5e-5);
    /* scipy: b3 erfinv(0.955) - |a2|; and no value at all for the other. */
    assert_near(m[RS_M_BGLIB_NUCLEATION_1_OLD], -0.73199, 5e-5);
    assert_true(isnan(m[RS_M_BGLIB_NUCLEATION_2_OLD]));
    assert_near(m[RS_M_BGLIB_R2], 0, 1e-8);
    assert_near(m[RS_M_FIT_R2], 1, 1e-8);
    assert_near(m[RS_M_FIT_RMS], 0, 1e-5);
    /* Ours, in closed form. */
    double root = sqrt(RS_PI), area = 2 * (2 + 0.8 / root - (-3 - 0.5 / root));
    assert_near(m[RS_M_FIT_AREA], area, TOL_LOOP_CURVE);
    assert_near(m[RS_M_AREA_REFINED], area, 1e-3);
    assert_near(m[RS_M_FIT_V_PLUS], rs_loop_crossing(p, false, 0.5), TOL_LOOP_CURVE);
    assert_near(m[RS_M_FIT_V_MINUS], rs_loop_crossing(p, true, 0.5), TOL_LOOP_CURVE);
    assert_near(rs_loop_branch(p, false, m[RS_M_FIT_V_PLUS]), 0, TOL_LOOP_CURVE);
    assert_near(rs_loop_branch(p, true, m[RS_M_FIT_V_MINUS]), 0, TOL_LOOP_CURVE);
    assert_near(m[RS_M_FIT_WIDTH], m[RS_M_FIT_V_PLUS] - m[RS_M_FIT_V_MINUS], TOL_ROUNDING);
    assert_near(m[RS_M_FIT_COERCIVE], m[RS_M_FIT_WIDTH] / 2, TOL_ROUNDING);
    assert_near(m[RS_M_FIT_IMPRINT], (m[RS_M_FIT_V_PLUS] + m[RS_M_FIT_V_MINUS]) / 2, TOL_ROUNDING);
    assert_near(m[RS_M_FIT_R_PLUS], 1, TOL_LOOP_FIT);
    assert_near(m[RS_M_FIT_R_MINUS], -1, TOL_LOOP_FIT);
    assert_near(m[RS_M_FIT_SWITCHABLE], 2, TOL_LOOP_FIT);
    assert_near(m[RS_M_FIT_WORK], 2 * m[RS_M_FIT_WIDTH], TOL_LOOP_CURVE);
    assert_near(m[RS_M_FIT_SLOPE], 0, 1e-5);
    assert_near(m[RS_M_NUCLEATION_POS_SLOPE], 2 - 0.8 * sqrt(log(10)), TOL_LOOP_CURVE);
    assert_near(m[RS_M_NUCLEATION_NEG_SLOPE], -3 + 0.5 * sqrt(log(10)), TOL_LOOP_CURVE);
    /* The slope there, by differences, is a tenth of the steepest. */
    double h = 1e-4, at = m[RS_M_NUCLEATION_POS_SLOPE];
    double there = rs_loop_branch(p, false, at + h) - rs_loop_branch(p, false, at - h);
    double most = rs_loop_branch(p, false, 2 + h) - rs_loop_branch(p, false, 2 - h);
    assert_near(there / most, 0.1, 1e-3);
    assert_near(m[RS_M_SATURATED_POS], 1, 1e-6);
    assert_near(m[RS_M_SATURATED_NEG], 1, 1e-6);
    assert_true(m[RS_M_DELTA_AIC] > 100 && m[RS_M_DELTA_BIC] > 100);
    rs_sweep_clear(&s);
}

/* BGlib's criteria against scipy.stats.norm.logpdf and numpy.polyfit, on the golden loop with known
 * residuals; the fit is replaced by the truth through bounds that hold it there. */
static void bglib_criteria_match_scipy(void **state)
{
    (void)state;
    static const double p[RS_LOOP_PARAMS] = {-1, 2, -3, 2, 0, 1, 0.5, 0.8, 1.6};
    rs_sweep s = {0};
    double y[N], m[RS_METRIC_COUNT];
    sim_sweep(N, 8, &s);
    rs_loop_function(&s, p, y);
    for (int i = 0; i < N; i++) y[i] += 0.01 * (i % 2 ? -1 : 1) * (1 + i % 3);
    compute(&s, y, NULL, NULL, m);
    /* scipy's values at the true parameters; the fitted ones are a little better. */
    assert_near(m[RS_M_BGLIB_AIC_LOOP], -294.0397, 12);
    assert_true(m[RS_M_BGLIB_AIC_LOOP] < -294.0397);
    assert_near(m[RS_M_BGLIB_BIC_LOOP] - m[RS_M_BGLIB_AIC_LOOP], 8 * log(64) - 16,
                TOL_LEAST_SQUARES);
    assert_near(m[RS_M_BGLIB_AIC_LINE], 115.08368696865527, TOL_LEAST_SQUARES);
    assert_near(m[RS_M_BGLIB_BIC_LINE], 117.24257005201494, TOL_LEAST_SQUARES);
    /* And exactly, from the residuals of the fit that was made. */
    double q[RS_LOOP_PARAMS], f[N], mean = 0, var = 0, sum = 0;
    memcpy(q, &m[RS_M_FIT_A0], sizeof q);
    rs_loop_function(&s, q, f);
    for (int i = 0; i < N; i++) mean += (y[i] - f[i]) / N;
    for (int i = 0; i < N; i++) {
        var += pow(y[i] - f[i] - mean, 2) / N;
        sum += pow(y[i] - f[i], 2);
    }
    double l = -N * 0.5 * log(2 * RS_PI * var) - sum / (2 * var);
    assert_near(m[RS_M_BGLIB_AIC_LOOP], 16 - 2 * l, TOL_LEAST_SQUARES);
    rs_sweep_clear(&s);
}

static void branch_metrics_in_closed_form(void **state)
{
    (void)state;
    rs_sweep s = {0};
    double y[N], m[RS_METRIC_COUNT];
    rs_metric_options o;
    rs_metric_defaults(&o);
    o.branches = (rs_branch_options){RS_MODEL_SIGMOID, true, false};
    sim_sweep(N, 8, &s);
    for (int i = 0; i < N; i++)
        y[i] = 0.2 + 2 / (1 + exp(s.falling[i] ? -3 * (s.v[i] + 4) : -2 * (s.v[i] - 3))) - 1;
    compute(&s, y, NULL, &o, m);
    const double tol = 1e-4;
    assert_near(m[RS_M_SSPFM_X0_R], 3, tol);
    assert_near(m[RS_M_SSPFM_X0_L], -4, tol);
    assert_near(m[RS_M_SSPFM_X0_WID], 7, tol);
    assert_near(m[RS_M_SSPFM_X_SHIFT], -0.5, tol);
    assert_near(m[RS_M_SSPFM_X_INTER_R], 3 + log(0.4 / 0.6) / 2, tol);
    assert_near(m[RS_M_SSPFM_X_INTER_L], -4 + log(0.4 / 0.6) / 3, tol);
    assert_near(m[RS_M_SSPFM_X_WDW], 7 + log(0.4 / 0.6) / 6, tol);
    assert_near(m[RS_M_SSPFM_INFL_R], 3 - 2 * acosh(sqrt(10)) / 2, tol);
    assert_near(m[RS_M_SSPFM_INFL_L], -4 + 2 * acosh(sqrt(10)) / 3, tol);
    assert_near(m[RS_M_SSPFM_SAT_R], 3 + log(19) / 2, tol);
    assert_near(m[RS_M_SSPFM_SAT_L], -4 - log(19) / 3, tol);
    assert_near(m[RS_M_SSPFM_AMPLI], 2, tol);
    assert_near(m[RS_M_SSPFM_OFFSET], 0.2, tol);
    assert_near(m[RS_M_SSPFM_SLOPE], 0, tol);
    assert_near(m[RS_M_SSPFM_COEF_R], 2, 1e-3);
    assert_near(m[RS_M_SSPFM_COEF_L], 3, 1e-3);
    assert_near(m[RS_M_SSPFM_DIFF_COEF], 0.5, 1e-3);
    assert_near(m[RS_M_SSPFM_AREA], 14, 1e-3);
    assert_near(m[RS_M_SSPFM_R2], 1, 1e-6);
    rs_sweep_clear(&s);
}

static void noise_metrics_have_the_stated_scale(void **state)
{
    (void)state;
    rs_sweep s = {0};
    double y[N], m[RS_METRIC_COUNT], areas[400], mean = 0, var = 0, predicted = 0;
    rs_metric_options o;
    rs_metric_defaults(&o);
    o.fit = false;
    test_rng r = {test_seed()};
    sim_sweep(N, 8, &s);
    for (int k = 0; k < 400; k++) {
        sim_straight_loop(&s, 0, 0, y);
        for (int i = 0; i < N; i++) y[i] += 0.05 * test_gauss(&r);
        compute(&s, y, NULL, &o, m);
        areas[k] = m[RS_M_AREA];
        mean += areas[k] / 400;
        predicted += m[RS_M_AREA] / m[RS_M_AREA_SNR] / 400;
        assert_true(fabs(m[RS_M_SNR] / (m[RS_M_SWITCHABLE] / m[RS_M_NOISE]) - 1) < TOL_DOUBLE);
        assert_true(isnan(m[RS_M_FIT_A0]) && isnan(m[RS_M_BGLIB_WORK]));
    }
    for (int k = 0; k < 400; k++) var += pow(areas[k] - mean, 2) / 399;
    assert_near(predicted / sqrt(var), 1, 0.15);
    rs_sweep_clear(&s);
}

static void table_is_complete(void **state)
{
    (void)state;
    char buf[16];
    int summary = 0;
    for (int m = 0; m < RS_METRIC_COUNT; m++) {
        const rs_metric_info *i = rs_metric_get(m);
        assert_true(i->id && i->name && i->unit && i->method && i->description && i->source);
        assert_int_equal(rs_metric_find(i->id), m); /* unique */
        assert_int_equal(strspn(i->id, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(i->id));
        assert_true(*i->unit && *i->method && *i->description && *i->source);
        summary += i->in_summary;
        /* A unit that is not the response's names volts or nothing. */
        static const char *const units[] = {"V", "1", "R", "V*R", "R/V", "1/V"};
        bool known = false;
        for (int u = 0; u < 6; u++) known = known || strcmp(i->unit, units[u]) == 0;
        assert_true(known);
    }
    assert_true(summary >= 8 && summary <= 20);
    assert_int_equal(rs_metric_find("nothing"), -1);
    assert_string_equal(rs_metric_unit(RS_M_AREA, "pm", buf, sizeof buf), "V*pm");
    assert_string_equal(rs_metric_unit(RS_M_FIT_SLOPE, "a.u.", buf, 4), "a.u");
    assert_string_equal(rs_metric_unit(RS_M_WIDTH_MID, "pm", buf, sizeof buf), "V");
    for (int k = 0; k < RS_LOOP_FLAGS; k++) assert_true(rs_loop_flag_name(k)[0]);
}

static void options_are_checked(void **state)
{
    (void)state;
    rs_metric_options o;
    rs_metric_defaults(&o);
    assert_int_equal(rs_metric_options_check(&o, NULL), RESHED_OK);
    o.sat_fraction = 0;
    assert_int_equal(rs_metric_options_check(&o, NULL), RESHED_EINVAL);
    rs_metric_defaults(&o);
    o.nucleation = 0.5;
    assert_int_equal(rs_metric_options_check(&o, NULL), RESHED_EINVAL);
    rs_metric_defaults(&o);
    o.onset_slope = NAN;
    assert_int_equal(rs_metric_options_check(&o, NULL), RESHED_EINVAL);
}

/* --------------------------------------------------------------------------- flags, uncertainty */
static uint32_t flags_of(const rs_sweep *s, const double *y, const uint8_t *skip)
{
    rs_metric_options o;
    rs_loop_fit f;
    double m[RS_METRIC_COUNT], *work = rs_alloc(rs_metric_work(s->n), sizeof *work);
    rs_metric_defaults(&o);
    rs_metrics_compute(s, y, skip, true, &o, work, m, &f);
    rs_free(work);
    return rs_loop_flags(s, true, m, &f);
}

static void flags_name_what_is_wrong(void **state)
{
    (void)state;
    rs_sweep s = {0};
    double y[N];
    uint8_t skip[N] = {0};
    test_rng r = {test_seed()};
    sim_sweep(N, 8, &s);
    sim_straight_loop(&s, 0, 0, y);
    for (int i = 0; i < N; i++) y[i] += 0.02 * test_gauss(&r);
    assert_int_equal(flags_of(&s, y, NULL), 0);
    skip[7] = 1;
    assert_int_equal(flags_of(&s, y, skip), RS_LOOP_SPIKES);
    for (int i = 0; i < N; i++) y[i] = -y[i];
    assert_int_equal(flags_of(&s, y, NULL), RS_LOOP_CLOCKWISE);
    for (int i = 0; i < N; i++) y[i] = test_gauss(&r);
    assert_true(flags_of(&s, y, NULL) & RS_LOOP_NO_SWITCHING);
    for (int i = 0; i < N; i++) y[i] = 3 + 0.1 * s.v[i] + 0.05 * test_gauss(&r);
    assert_true(flags_of(&s, y, NULL) & RS_LOOP_NO_SWITCHING);
    /* Half of the ascending transition lies beyond the largest voltage. */
    for (int i = 0; i < N; i++)
        y[i] = erf((s.v[i] - (s.falling[i] ? -3 : 7.5)) / 2.5) + 0.01 * test_gauss(&r);
    for (int i = 0; i < N; i++)
        if (s.falling[i]) y[i] = fmin(y[i], erf((8 - 7.5) / 2.5));
    assert_true(flags_of(&s, y, NULL) & RS_LOOP_UNSATURATED);
    for (int i = 0; i < N; i++) y[i] = NAN;
    assert_int_equal(flags_of(&s, y, NULL),
                     RS_LOOP_SPIKES | RS_LOOP_NO_DATA | RS_LOOP_NO_SWITCHING);
    rs_sweep_clear(&s);
}

/* The bootstrap's deviations are the scatter of repeated measurements. */
static void bootstrap_predicts_the_scatter(void **state)
{
    (void)state;
    test_not_quick();
    enum { RUNS = 150, SAMPLES = 60 };
    static const rs_metric watched[] = {RS_M_WIDTH_MID, RS_M_V_PLUS_MID,    RS_M_AREA,
                                        RS_M_FIT_WIDTH, RS_M_FIT_AREA,      RS_M_SWITCHABLE,
                                        RS_M_R_PLUS_0,  RS_M_NUCLEATION_POS};
    enum { W = sizeof watched / sizeof *watched };
    static const double p[RS_LOOP_PARAMS] = {-1, 2, -3, 2, 0, 1, 1.3, 1.2, 1.6};
    rs_sweep s = {0};
    double clean[N], y[N], sd[RS_METRIC_COUNT], m[RS_METRIC_COUNT];
    double mean[W] = {0}, square[W] = {0}, predicted[W] = {0};
    test_rng r = {test_seed()};
    rs_metric_options o;
    rs_metric_defaults(&o);
    sim_sweep(N, 8, &s);
    rs_loop_function(&s, p, clean);
    double *work = rs_alloc(rs_metric_work(N) + rs_bootstrap_work(N, SAMPLES), sizeof *work);
    for (int k = 0; k < RUNS; k++) {
        for (int i = 0; i < N; i++) y[i] = clean[i] + 0.05 * test_gauss(&r);
        compute(&s, y, NULL, &o, m);
        rs_metrics_bootstrap(&s, y, NULL, true, &o, SAMPLES, 7, (uint64_t)k, work, sd);
        for (int w = 0; w < W; w++) {
            mean[w] += m[watched[w]] / RUNS;
            square[w] += m[watched[w]] * m[watched[w]] / RUNS;
            predicted[w] += sd[watched[w]] / RUNS;
        }
    }
    for (int w = 0; w < W; w++) {
        double ratio = predicted[w] / sqrt(square[w] - mean[w] * mean[w]);
        if (!(ratio > 0.8 && ratio < 1.3))
            fail_msg("%s: predicted/actual %.3f", rs_metric_get(watched[w])->id, ratio);
    }
    /* Same seed and key, same bits; another key, others. */
    double again[RS_METRIC_COUNT];
    rs_metrics_bootstrap(&s, y, NULL, true, &o, SAMPLES, 7, RUNS - 1, work, again);
    assert_memory_equal(&sd[RS_M_AREA], &again[RS_M_AREA], sizeof *sd);
    rs_metrics_bootstrap(&s, y, NULL, true, &o, SAMPLES, 7, RUNS, work, again);
    assert_true(sd[RS_M_AREA] != again[RS_M_AREA]);
    rs_free(work);
    rs_sweep_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_of_a_loop_of_straight_pieces),
        cmocka_unit_test(electrostatic_slope_is_separated),
        cmocka_unit_test(golden_nine_parameter_loop),
        cmocka_unit_test(bglib_criteria_match_scipy),
        cmocka_unit_test(branch_metrics_in_closed_form),
        cmocka_unit_test(noise_metrics_have_the_stated_scale),
        cmocka_unit_test(table_is_complete),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(flags_name_what_is_wrong),
        cmocka_unit_test(bootstrap_predicts_the_scatter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
