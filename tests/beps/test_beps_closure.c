/* Loops that do not close, cycles that do not agree, and crossings that are not there. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "beps/analyse.h"
#include "support/loop_sim.h"

enum { N = 64 };
#define V_PLUS 3.45
#define V_MINUS (-2.54)

/* A sample of grains, each up or down: grain k switches at its own voltages, spread about V+ and
 * V-. It keeps its state from cycle to cycle. */
enum { GRAINS = 200 };
typedef struct sample {
    double up[GRAINS], down[GRAINS];
    bool state[GRAINS];
} sample;

/* spread: standard deviation of the switching voltages; part of the grains up at first. */
static void prepare(sample *s, test_rng *r, double spread, double up)
{
    for (int k = 0; k < GRAINS; k++) {
        s->up[k] = V_PLUS + spread * test_gauss(r);
        s->down[k] = V_MINUS + spread * test_gauss(r);
        s->state[k] = test_uniform(r, 0, 1) < up;
    }
}

/* The response, -1 to 1, after each of the n voltages in turn. */
static void apply(sample *s, test_rng *r, const double *v, int n, double noise, double *y)
{
    for (int i = 0; i < n; i++) {
        int up = 0;
        for (int k = 0; k < GRAINS; k++) {
            if (v[i] >= s->up[k]) s->state[k] = true;
            if (v[i] <= s->down[k]) s->state[k] = false;
            up += s->state[k];
        }
        y[i] = 2.0 * up / GRAINS - 1 + noise * test_gauss(r);
    }
}

/* The triangle of 8 V, begun `quarters` quarters of a cycle late. */
static void late_triangle(int cycles, int quarters, double *v)
{
    double one[N];
    sim_triangle(N, 8, one);
    for (int i = 0; i < cycles * N; i++) v[i] = one[(i + quarters * N / 4) % N];
}

static void analyse(const double *v, int cycles, const double *y, int64_t points, bool keep_first,
                    rs_loops *l)
{
    rs_loops_options o;
    reshed_error err = {0};
    rs_loops_defaults(&o);
    o.drop_first = !keep_first;
    o.outlier = 0;
    assert_ok(rs_loops_analyse(v, N, cycles, y, points, &o, l, &err), &err);
}

/* A region poled up, then 0, +8, -8, 0 V: where it would have switched up cannot be known. */
static void poled_region_is_flagged(void **state)
{
    (void)state;
    double v[2 * N], y[2 * N];
    test_rng r = {test_seed()};
    sample s;
    rs_loops l = {0};
    late_triangle(2, 0, v);
    prepare(&s, &r, 0.3, 1);
    apply(&s, &r, v, 2 * N, 0.01, y);

    analyse(v, 1, y, 1, false, &l);
    assert_int_equal(l.flags[0], RS_LOOP_NOT_CLOSED);
    assert_int_equal(rs_loops_count(&l, RS_LOOP_BAD), 0);
    assert_near(l.value[RS_M_V_MINUS_MID], V_MINUS, 0.1);
    static const rs_metric none[] = {
        RS_M_V_PLUS_MID,   RS_M_WIDTH_MID,   RS_M_IMPRINT_MID,    RS_M_V_PLUS_ZERO,
        RS_M_WIDTH_ZERO,   RS_M_R_MINUS_0,   RS_M_FIT_V_PLUS,     RS_M_FIT_WIDTH,
        RS_M_COERCIVE_MID, RS_M_OPENING_0,   RS_M_NUCLEATION_POS, RS_M_NUCLEATION_POS_SLOPE,
        RS_M_FIT_IMPRINT,  RS_M_FIT_COERCIVE};
    for (size_t k = 0; k < sizeof none / sizeof *none; k++)
        if (!isnan(l.value[none[k]])) fail_msg("%s is a number", rs_metric_get(none[k])->id);
    rs_loops_clear(&l);

    /* Of two cycles the second is as it should be. */
    analyse(v, 2, y, 1, false, &l);
    assert_int_equal(l.used, 1);
    assert_int_equal(l.flags[0], 0);
    assert_near(l.value[RS_M_V_PLUS_MID], V_PLUS, 0.1);
    rs_loops_clear(&l);
    analyse(v, 2, y, 1, true, &l);
    assert_int_equal(l.flags[0], RS_LOOP_NOT_CLOSED | RS_LOOP_CYCLES_DIFFER);
    rs_loops_clear(&l);
}

/* Regions with any part of the grains up, cycles that begin anywhere, and noise: V+ and V- are
 * right within 0.1 V and half a step, or not there, or flagged. Loops that close are not. */
static void wrong_numbers_are_flagged(void **state)
{
    (void)state;
    enum { LOOPS = 400 };
    static double v[2 * N], y[2 * N];
    const double near = 0.1 + 0.25;
    int flagged = 0, false_alarms = 0, wrong = 0;
    test_rng r = {test_seed()};
    for (int n = 0; n < LOOPS; n++) {
        sample s;
        rs_loops l = {0};
        const double noise = test_uniform(&r, 0, 0.05);
        late_triangle(2, (int)test_below(&r, 4), v);
        prepare(&s, &r, test_uniform(&r, 0.2, 1), test_uniform(&r, -0.2, 1.2));
        apply(&s, &r, v, 2 * N, noise, y);
        for (int cycle = 0; cycle < 2; cycle++) {
            analyse(v + cycle * N, 1, y + cycle * N, 1, false, &l);
            const double plus = l.value[RS_M_V_PLUS_MID], minus = l.value[RS_M_V_MINUS_MID];
            const bool bad = l.flags[0] & RS_LOOP_BAD;
            wrong += !bad && (fabs(plus - V_PLUS) > near || fabs(minus - V_MINUS) > near);
            if (cycle == 0)
                flagged += bad;
            else
                false_alarms += bad;
            rs_loops_clear(&l);
        }
        analyse(v, 2, y, 1, false, &l);
        wrong += !(fabs(l.value[RS_M_V_PLUS_MID] - V_PLUS) < near);
        false_alarms += (l.flags[0] & RS_LOOP_BAD) != 0;
        rs_loops_clear(&l);
    }
    printf("# %d first cycles: %d flagged; %d wrong, %d false alarms\n", LOOPS, flagged, wrong,
           false_alarms);
    assert_int_equal(wrong, 0);
    assert_int_equal(false_alarms, 0);
    assert_true(flagged > LOOPS / 4);
}

/* 0, 8, 0 V: a branch that never switches back has no voltage at which it does. */
static void unipolar_loops_have_one_crossing(void **state)
{
    (void)state;
    static double v[2 * N], y[2 * N];
    test_rng r = {test_seed()};
    for (int pass = 0; pass < 20; pass++) {
        sample s;
        rs_loops l = {0};
        for (int i = 0; i < 2 * N; i++) v[i] = 8 - fabs(8 - 0.25 * (i % N));
        prepare(&s, &r, 0.3, 0);
        apply(&s, &r, v, 2 * N, pass % 2 ? 0.02 : 0, y);
        analyse(v, 1, y, 1, false, &l);
        assert_int_equal(l.flags[0] & RS_LOOP_BAD & ~(RS_LOOP_UNSATURATED | RS_LOOP_FIT_AT_BOUND),
                         RS_LOOP_NOT_CLOSED);
        assert_near(l.value[RS_M_V_PLUS_MID], V_PLUS, 0.15);
        assert_near(l.value[RS_M_FIT_V_PLUS], V_PLUS, 0.15);
        static const rs_metric none[] = {RS_M_V_MINUS_MID,  RS_M_WIDTH_MID,     RS_M_V_MINUS_ZERO,
                                         RS_M_FIT_V_MINUS,  RS_M_FIT_WIDTH,     RS_M_IMPRINT_ZERO,
                                         RS_M_COERCIVE_MID, RS_M_NUCLEATION_NEG};
        for (size_t k = 0; k < sizeof none / sizeof *none; k++)
            if (!isnan(l.value[none[k]])) fail_msg("%s is a number", rs_metric_get(none[k])->id);
        rs_loops_clear(&l);
        /* The second time nothing switches at all. */
        analyse(v, 2, y, 1, false, &l);
        assert_true(l.flags[0] & RS_LOOP_NO_SWITCHING);
        assert_true(isnan(l.value[RS_M_V_PLUS_MID]) && isnan(l.value[RS_M_V_MINUS_MID]));
        rs_loops_clear(&l);
    }
}

/* All grains at once between the last and the first sample: alone that may be anything, after a
 * cycle that ended in the same way it is the sample's switching. */
static void a_step_at_the_seam_is_known_by_the_cycle_before(void **state)
{
    (void)state;
    double v[2 * N], y[2 * N], scratch[3 * N];
    uint8_t skip[2 * N] = {0};
    rs_sweep s = {0};
    rs_loops l = {0};
    late_triangle(2, 0, v);
    sim_sweep(N, 8, &s);
    test_rng r = {test_seed()};
    for (int i = 0; i < 2 * N; i++)
        y[i] = (v[i] > (s.falling[i % N] ? -4 : -0.1) ? 1 : -1) + 0.01 * test_gauss(&r);
    assert_false(rs_loop_closes(&s, y + N, skip, NULL, NULL, scratch));
    assert_true(rs_loop_closes(&s, y + N, skip, y, skip, scratch));
    analyse(v, 2, y, 1, false, &l);
    assert_int_equal(l.flags[0] & RS_LOOP_BAD, 0);
    assert_near(l.value[RS_M_V_PLUS_MID], -0.1, 0.25);
    rs_loops_clear(&l);
    analyse(v, 1, y, 1, false, &l);
    assert_int_equal(l.flags[0] & RS_LOOP_BAD & ~RS_LOOP_UNSATURATED, RS_LOOP_NOT_CLOSED);
    rs_loops_clear(&l);
    /* Too few samples to say anything. */
    memset(skip, 1, sizeof skip);
    assert_true(rs_loop_closes(&s, y, skip, NULL, NULL, scratch));
    rs_sweep_clear(&s);
}

/* A branch is not joined where the waveform leaps, closed or not. */
static void branches_have_gaps(void **state)
{
    (void)state;
    double v[N], y[N], bv[N], by[N];
    rs_sweep s = {0};
    rs_loop_half b = {.v = bv, .y = by};
    sim_sweep(N, 8, &s);
    for (int i = 0; i < N; i++) y[i] = s.v[i];
    rs_sweep_branch(&s, y, NULL, false, true, &b);
    assert_int_equal(b.gap, 0);
    assert_int_equal(b.n, N / 2 + 1);
    rs_sweep_branch(&s, y, NULL, true, false, &b);
    assert_int_equal(b.gap, 0);
    rs_sweep_branch(&s, y, NULL, false, false, &b);
    assert_int_equal(b.gap, N / 4);
    assert_near(b.v[b.gap], 0, 1e-12);
    assert_true(isnan(rs_branch_crossing(&b, -0.25, 1)));
    assert_near(rs_branch_crossing(&b, -0.75, 1), -0.75, 1e-12);
    assert_near(rs_branch_crossing(&b, 0.25, 1), 0.25, 1e-12);
    assert_true(isnan(rs_branch_value(&b, -0.25)));
    assert_near(rs_branch_value(&b, 0.25), 0.25, 1e-12);
    rs_sweep_clear(&s);

    /* Three quarters of a cycle. */
    reshed_error err = {0};
    late_triangle(1, 0, v);
    assert_ok(rs_sweep_create(v, 3 * N / 4 + 1, &s, &err), &err);
    rs_sweep_branch(&s, y, NULL, false, true, &b);
    assert_int_equal(b.gap, 1);
    assert_near(b.v[0], -8, 1e-12);
    assert_near(b.v[1], 0, 1e-12);
    rs_sweep_clear(&s);
}

/* Cycles agree when they scatter by their noise and by a step; a switching voltage that moves on,
 * or a height that changes, is seen. */
static void cycles_are_compared(void **state)
{
    (void)state;
    enum { CYCLES = 4, POINTS = 40 };
    static double v[CYCLES * N], y[POINTS * CYCLES * N];
    static const struct {
        double shift, grow;
        bool differ;
    } kinds[] = {{0, 0, false}, {0.1, 0, false}, {0.7, 0, true}, {0, 0.02, false}, {0, 0.25, true}};
    test_rng r = {test_seed()};
    late_triangle(CYCLES, 0, v);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        rs_loops l = {0};
        for (int i = 0; i < POINTS * CYCLES * N; i++) {
            const int c = i / N % CYCLES, at = i % N;
            const bool falling = at >= N / 4 && at < 3 * N / 4;
            const double centre = (falling ? V_MINUS : V_PLUS + kinds[k].shift * c);
            y[i] = (1 + kinds[k].grow * c) * erf(3 * (v[at] - centre)) + 0.03 * test_gauss(&r);
        }
        analyse(v, CYCLES, y, POINTS, false, &l);
        const int64_t differ = POINTS - rs_loops_count(&l, RS_LOOP_CYCLES_DIFFER);
        if (differ != (kinds[k].differ ? POINTS : 0))
            fail_msg("kind %zu: %d points of %d differ", k, (int)differ, POINTS);
        rs_loops_clear(&l);
    }
}

/* Cycles with voltages of their own are kept apart: the numbers are those of the widest. */
static void reversal_curves_are_kept_apart(void **state)
{
    (void)state;
    double v[2 * N], y[2 * N];
    rs_loops l = {0};
    late_triangle(2, 0, v);
    for (int i = 0; i < N; i++) v[i] *= 0.6;
    for (int i = 0; i < 2 * N; i++)
        y[i] = erf(v[i] - (i % N >= N / 4 && i % N < 3 * N / 4 ? -2 : 2));
    analyse(v, 2, y, 1, false, &l);
    assert_true(l.apart);
    assert_int_equal(l.used, 1);
    assert_int_equal(l.first, 1);
    assert_non_null(l.cycle_flags);
    assert_near(l.value[RS_M_V_PLUS_MID], l.cycle_value[RS_METRIC_COUNT + RS_M_V_PLUS_MID], 0);
    rs_loops_clear(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(poled_region_is_flagged),
        cmocka_unit_test(wrong_numbers_are_flagged),
        cmocka_unit_test(unipolar_loops_have_one_crossing),
        cmocka_unit_test(a_step_at_the_seam_is_known_by_the_cycle_before),
        cmocka_unit_test(branches_have_gaps),
        cmocka_unit_test(cycles_are_compared),
        cmocka_unit_test(reversal_curves_are_kept_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
