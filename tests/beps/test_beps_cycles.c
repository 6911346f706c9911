/* Pulses and cycles are found in voltages that do not tell them. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "beps/cycles.h"
#include "support/loop_sim.h"

enum { MAX = 1024 };

static void find(const double *v, int n, rs_cycles *c)
{
    reshed_error err = {0};
    assert_ok(rs_cycles_find(v, n, c, &err), &err);
}

/* count cycles of `steps` steps, the first from_first; the rest after them. */
static void expect(const double *v, int n, int count, int steps, int rest)
{
    rs_cycles c = {0};
    find(v, n, &c);
    if (c.cycles != count || c.steps != steps || c.rest != rest)
        fail_msg("%d cycles of %d steps, %d left, not %d of %d, %d left", c.cycles, c.steps, c.rest,
                 count, steps, rest);
    for (int k = 0; k < c.cycles; k++) assert_true(c.begin[k] + c.length[k] <= n);
    rs_cycles_clear(&c);
}

/* A triangle from 0 with `step` between the voltages; returns the number of steps. */
static int put_triangle(double amplitude, double step, double *v)
{
    const int quarter = (int)lround(amplitude / step);
    sim_triangle(4 * quarter, amplitude, v);
    return 4 * quarter;
}

static void repeated_cycles_of_any_length(void **state)
{
    (void)state;
    double v[MAX];
    for (int n = 8; n < 300; n++) {
        double one[64];
        sim_triangle(32, 8, one);
        for (int i = 0; i < n; i++) v[i] = one[i % 32] + 1e-9 * sin(i);
        if (n >= 32) expect(v, n, n / 32, 32, n % 32);
    }
    /* From the top, from below, and with each end held. */
    for (int shift = 0; shift < 32; shift++) {
        double one[32];
        sim_triangle(32, 8, one);
        for (int i = 0; i < 80; i++) v[i] = one[(i + shift) % 32];
        expect(v, 80, 2, 32, 16);
        expect(v, 64, 2, 32, 0);
        expect(v, 48, 1, 32, 16);
        expect(v, 32, 1, 32, 0);
    }
    /* A unipolar one with its start again at the end. */
    for (int i = 0; i < 33; i++) v[i] = 8 - fabs(8 - i / 2.0);
    expect(v, 33, 1, 32, 1);
}

static void cycles_that_change(void **state)
{
    (void)state;
    double v[MAX];
    int n = 0;
    /* Equally long ones, growing. */
    for (int k = 1; k <= 4; k++, n += 32) {
        sim_triangle(32, 8, v + n);
        for (int i = 0; i < 32; i++) v[n + i] *= k / 4.0;
    }
    expect(v, n, 4, 32, 0);
    /* Reversal curves: the lower end moves. */
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < 32; i++) {
            const double unit = v[96 + i] / 8, low = -2.0 * (k + 1);
            v[k * 32 + i] = (6 - low) / 2 * unit + (6 + low) / 2;
        }
    expect(v, 128, 4, 32, 0);
    /* Equal steps, so that wider cycles are longer; then a part of one. */
    n = 0;
    for (int k = 1; k <= 4; k++) n += put_triangle(2 * k, 0.5, v + n);
    rs_cycles c = {0};
    expect(v, n, 4, 64, 0);
    find(v, n, &c);
    for (int k = 0, at = 0; k < 4; at += 16 * ++k) {
        assert_int_equal(c.begin[k], at);
        assert_int_equal(c.length[k], 16 * (k + 1));
    }
    rs_cycles_clear(&c);
    for (int i = 0; i < 10; i++) v[n + i] = 0.5 * i;
    expect(v, n + 10, 4, 64, 10);
}

static void no_loop_is_one_cycle(void **state)
{
    (void)state;
    double v[MAX];
    test_rng r = {test_seed()};
    for (int i = 0; i < MAX; i++) v[i] = test_gauss(&r);
    expect(v, MAX, 1, MAX, 0);
    for (int i = 0; i < MAX; i++) v[i] = 3;
    expect(v, MAX, 1, MAX, 0);
    for (int i = 0; i < MAX; i++) v[i] = i;
    expect(v, MAX, 1, MAX, 0);
    v[5] = NAN;
    expect(v, MAX, 1, MAX, 0);
    v[5] = INFINITY;
    expect(v, 20, 1, 20, 0);
    expect(v, 1, 1, 1, 0);
}

static void pulses_stand_between_rests(void **state)
{
    (void)state;
    double w[64], v[MAX];
    int first = -1;
    sim_triangle(64, 8, w);
    assert_false(rs_pulses_find(w, 64, &first));
    for (int start = 0; start < 2; start++)
        for (int at_rest = 0; at_rest < 2; at_rest++) {
            for (int i = 0; i < 128; i++) v[i] = i % 2 == start ? w[i / 2] : at_rest ? 0.3 : 0;
            assert_true(rs_pulses_find(v, 128, &first));
            assert_int_equal(first, start);
            assert_true(rs_pulses_find(v, 127, &first));
            v[101 + start] = 0.1;
            assert_false(rs_pulses_find(v, 128, &first));
        }
    for (int i = 0; i < 128; i++) v[i] = 0;
    assert_false(rs_pulses_find(v, 128, &first));
    v[4] = 1; /* one pulse is no waveform */
    assert_false(rs_pulses_find(v, 128, &first));
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    double v[128];
    reshed_error err = {0};
    for (int i = 0; i < 128; i++) v[i] = (1 + i / 32) * sin(i * 0.19634954);
    for (long n = 0;; n++) {
        rs_cycles c = {.cycles = 7};
        test_alloc_fail_at(n);
        reshed_status st = rs_cycles_find(v, 128, &c, &err);
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_int_equal(st, RESHED_OK);
            rs_cycles_clear(&c);
            break;
        }
        assert_int_equal(st, RESHED_ENOMEM);
        assert_int_equal(c.cycles, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeated_cycles_of_any_length),
        cmocka_unit_test(cycles_that_change),
        cmocka_unit_test(no_loop_is_one_cycle),
        cmocka_unit_test(pulses_stand_between_rests),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
