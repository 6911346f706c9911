/* The loops of a file's field: signs by each method, averages, summaries, tables, and the summary
 * of fits. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "beps/sho_fit.h"
#include "spectra/field_loops.h"
#include "spectra/fits.h"
#include "spectra/results.h"
#include "support/loop_sim.h"

enum { POINTS = 12, STEPS = 64 };
#define PHASE 0.6 /* rad, of the instrument */

/* Complex responses, both fields: the same loop everywhere, twice as high at the last point; on
 * field 0.02 V^-1 of slope is added. */
static void make(rs_responses *r)
{
    rs_sweep s = {0};
    double y[STEPS];
    size_t n = POINTS * STEPS;
    *r = (rs_responses){.is_complex = true,
                        .has = {true, true},
                        .steps = STEPS,
                        .cycles = 1,
                        .points = POINTS,
                        .ndim = 1};
    strcpy(r->units, "V");
    r->v = rs_alloc(STEPS, sizeof *r->v);
    for (int f = 0; f < 2; f++) {
        r->re[f] = rs_alloc(n, sizeof(double));
        r->im[f] = rs_alloc(n, sizeof(double));
    }
    sim_triangle(STEPS, 8, r->v);
    sim_sweep(STEPS, 8, &s);
    for (int f = 0; f < 2; f++)
        for (size_t i = 0; i < n; i++) {
            if (i % STEPS == 0) sim_straight_loop(&s, 0, f == RS_FIELD_ON ? 0.02 : 0, y);
            double height = i / STEPS == POINTS - 1 ? 2 : 1;
            r->re[f][i] = height * y[i % STEPS] * cos(PHASE);
            r->im[f][i] = height * y[i % STEPS] * sin(PHASE);
        }
    rs_sweep_clear(&s);
}

static void each_method_gives_the_sign(void **state)
{
    (void)state;
    for (int m = RS_UNFOLD_MAP; m <= RS_UNFOLD_PHASE; m++)
        for (int point = -1; point < 1; point++) {
            rs_responses in;
            rs_unfolded u;
            reshed_error err = {0};
            make(&in);
            assert_ok(rs_responses_unfold(&in, RS_FIELD_OFF, (rs_unfolding)m, point, 1, &u, &err),
                      &err);
            assert_true(u.how && u.how[0]);
            assert_int_equal(u.line != NULL, m != RS_UNFOLD_PHASE);
            /* The histogram of the phase has bins of one degree. */
            if (m == RS_UNFOLD_MAP || m == RS_UNFOLD_FIXED) assert_near(u.reference, PHASE, 1e-9);
            if (m == RS_UNFOLD_PHASE) assert_near(u.reference, PHASE, RS_DEGREE);
            for (int i = 0; i < POINTS * STEPS; i++) {
                double true_one = in.re[RS_FIELD_OFF][i] / cos(PHASE);
                assert_near(u.response[i], true_one, 1e-3 * (1 + fabs(true_one)));
            }
            rs_unfolded_clear(&u);
            rs_responses_clear(&in);
        }
}

static void real_responses_are_taken_over(void **state)
{
    (void)state;
    rs_responses in;
    rs_unfolded u;
    reshed_error err = {0};
    make(&in);
    in.is_complex = false;
    const double *was = in.re[RS_FIELD_ON];
    assert_ok(rs_responses_unfold(&in, RS_FIELD_ON, RS_UNFOLD_MAP, -1, 1, &u, &err), &err);
    assert_ptr_equal(u.response, was);
    assert_null(in.re[RS_FIELD_ON]);
    assert_true(isnan(u.reference) && !u.line);
    rs_unfolded_clear(&u);
    rs_responses_clear(&in);
}

static reshed_status analyse(rs_responses *in, rs_field_loops r[2], reshed_error *err)
{
    rs_field_options o = {.by_area = RS_ANSWER_AUTO};
    rs_loops_defaults(&o.analysis);
    o.analysis.threads = 1;
    o.analysis.metric.fit = false;
    reshed_status st = RESHED_OK;
    for (int f = 0; st == RESHED_OK && f < 2; f++) {
        r[f].field = (rs_field)f;
        st = rs_responses_unfold(in, r[f].field, RS_UNFOLD_AREA, -1, 1, &r[f].unfolded, err);
        if (st == RESHED_OK) st = rs_field_loops_analyse(in, &o, &r[f], err);
    }
    if (st == RESHED_OK) st = rs_field_loops_difference(in, &r[0], &r[1], err);
    return st;
}

static void both_fields_are_measured(void **state)
{
    (void)state;
    rs_responses in;
    rs_field_loops r[2] = {{0}};
    reshed_error err = {0};
    double work[2 * POINTS], median = NAN, robust_sd = NAN;
    make(&in);
    assert_ok(analyse(&in, r, &err), &err);
    assert_true(!r[0].slope_removed && r[1].slope_removed && !r[0].orient);
    for (int p = 0; p < POINTS; p++) {
        double height = p == POINTS - 1 ? 2 : 1;
        assert_near(r[1].difference_slope[p], 0.02 * height, 1e-9);
        assert_near(r[1].difference_cpd[p], 0, 1e-9);
        assert_near(rs_loops_map(&r[0].loops, RS_M_WIDTH_MID)[p], 7, 1e-9);
        assert_near(rs_loops_map(&r[1].loops, RS_M_WIDTH_MID)[p], 7, 1e-9);
    }
    /* The median of all loops is that of the many; their mean is not. */
    assert_near(r[0].median_metrics[RS_M_SWITCHABLE], 2, 1e-9);
    assert_near(r[0].mean_metrics[RS_M_WIDTH_MID], 7, 1e-9);
    assert_int_equal(rs_field_loops_spread(&r[0].loops, RS_M_WIDTH_MID, work, &median, &robust_sd),
                     rs_loops_count(&r[0].loops, RS_LOOP_BAD));
    assert_near(median, 7, 1e-9);
    assert_near(robust_sd, 0, 1e-9);
    r[0].loops.flags[3] |= RS_LOOP_OUTLIER;
    rs_field_loops_trusted(&r[0].loops, RS_M_WIDTH_MID, work);
    assert_true(isnan(work[3]) && work[2] == work[4]);
    for (int f = 0; f < 2; f++) rs_field_loops_clear(&r[f]);
    rs_responses_clear(&in);
}

static void fields_are_chosen(void **state)
{
    (void)state;
    rs_field f[2];
    rs_responses in = {.has = {true, true}};
    assert_true(rs_field_choose(&in, RS_WANT_AUTO, f) == 1 && f[0] == RS_FIELD_OFF);
    assert_true(rs_field_choose(&in, RS_WANT_ON, f) == 1 && f[0] == RS_FIELD_ON);
    assert_int_equal(rs_field_choose(&in, RS_WANT_BOTH, f), 2);
    in.has[RS_FIELD_OFF] = false;
    assert_true(rs_field_choose(&in, RS_WANT_AUTO, f) == 1 && f[0] == RS_FIELD_ON);
    assert_int_equal(rs_field_choose(&in, RS_WANT_OFF, f), 0);
    assert_int_equal(rs_field_choose(&in, RS_WANT_BOTH, f), 0);
    assert_string_equal(rs_field_name(RS_FIELD_ON), "on-field");
}

static void words(void **state)
{
    (void)state;
    rs_metric_choice c;
    char text[64];
    assert_string_equal(rs_loop_flag_words(0, text, sizeof text), "");
    assert_string_equal(rs_loop_flag_words(RS_LOOP_SPIKES | RS_LOOP_UNSATURATED, text, sizeof text),
                        "unsaturated spikes");
    rs_loop_flag_words(~0u, text, 8);
    assert_true(strlen(text) < 8);
    assert_true(rs_metric_choose("width_mid,area", &c, text, sizeof text));
    assert_true(c.chosen[RS_M_WIDTH_MID] && c.chosen[RS_M_AREA] && !c.chosen[RS_M_NOISE]);
    assert_true(rs_metric_choose("all", &c, text, sizeof text) && c.chosen[RS_M_NOISE]);
    assert_true(rs_metric_choose("summary", &c, text, sizeof text) && c.chosen[RS_M_WIDTH_MID]);
    assert_false(rs_metric_choose("area,breadth", &c, text, 4));
    assert_string_equal(text, "bre");
}

static void memory_may_fail(void **state)
{
    (void)state;
    for (long k = 0;; k++) {
        rs_responses in;
        rs_field_loops r[2] = {{0}};
        reshed_error err = {0};
        make(&in);
        test_alloc_fail_at(k);
        reshed_status st = analyse(&in, r, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        for (int f = 0; f < 2; f++) rs_field_loops_clear(&r[f]);
        rs_responses_clear(&in);
        assert_int_equal(st, failed ? RESHED_ENOMEM : RESHED_OK);
        if (!failed) break;
    }
}

static void fits_are_summarised(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_sho_fit f[5];
    rs_fits_summary s;
    memset(f, 0, sizeof f);
    memset(&s, 0x5a, sizeof s);
    for (int i = 0; i < 5; i++) {
        f[i].p.frequency = 300 + i;
        f[i].p.q = 100 - i;
        f[i].r2 = 0.9 + 0.01 * i;
    }
    f[4].flags = RS_SHO_FAILED;
    assert_ok(rs_fits_summarise(f, 5, &s, &err), &err);
    assert_int_equal(s.failed, 1);
    assert_near(s.frequency, 301.5, 1e-12);
    assert_near(s.q, 98.5, 1e-12);
    assert_near(s.r2, 0.915, 1e-12);
    assert_ok(rs_fits_summarise(f + 4, 1, &s, &err), &err);
    assert_true(s.failed == 1 && isnan(s.q));
    test_alloc_fail_at(0);
    assert_int_equal(rs_fits_summarise(f, 5, &s, &err), RESHED_ENOMEM);
    test_alloc_fail_at(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_method_gives_the_sign),
        cmocka_unit_test(real_responses_are_taken_over),
        cmocka_unit_test(both_fields_are_measured),
        cmocka_unit_test(fields_are_chosen),
        cmocka_unit_test(words),
        cmocka_unit_test(memory_may_fail),
        cmocka_unit_test(fits_are_summarised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
