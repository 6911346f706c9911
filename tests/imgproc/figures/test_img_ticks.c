#include "support/support.h"
#include "support/tolerance.h"

#include <math.h>
#include <string.h>

#include "imgproc/figures/ticks.h"

static bool is_125(double step)
{
    for (int e = -30; e <= 30; e++)
        for (int k = 0; k < 3; k++) {
            const int m[3] = {1, 2, 5};
            if (fabs(step / (m[k] * pow(10, e)) - 1) < 1e-9) return true;
        }
    return false;
}

static void steps_are_round_and_as_fine_as_allowed(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    for (int k = 0; k < 20000; k++) {
        double size = pow(10, test_uniform(&r, -13, 13)), lo = test_uniform(&r, -2, 2) * size;
        double hi = lo + test_uniform(&r, 0.01, 3) * size;
        int most = 2 + (int)test_below(&r, RS_TICKS_MAX - 1), within = 0;
        rs_ticks t;
        rs_ticks_make(lo, hi, most, "m", &t);
        assert_true(is_125(t.step));
        assert_true(t.n <= most);
        for (int i = 0; i < t.n; i++) {
            double slack = 1e-8 * t.step;
            assert_true(t.at[i] >= lo - slack && t.at[i] <= hi + slack);
            double m = t.at[i] / t.step;
            assert_true(fabs(m - round(m)) < 1e-6);
            if (i > 0) assert_true(fabs(t.at[i] - t.at[i - 1] - t.step) < 1e-6 * t.step);
        }
        /* Nothing is left out at the ends, and the next finer step has too many. */
        if (t.n > 0) assert_true(t.at[0] - t.step < lo && t.at[t.n - 1] + t.step > hi);
        double finer = rs_round_down_125(t.step * 0.99);
        for (double i = floor(lo / finer) - 1; i * finer <= hi + 1e-8 * finer; i++)
            within += i * finer >= lo - 1e-8 * finer;
        assert_true(within > most);
    }
}

static void check_labels(double lo, double hi, int most, const char *unit, const char *want_unit,
                         const char *want)
{
    char all[512] = "", one[64];
    rs_ticks t;
    rs_ticks_make(lo, hi, most, unit, &t);
    for (int i = 0; i < t.n; i++) {
        strcat(all, i ? " " : "");
        strcat(all, rs_ticks_label(&t, i, one, sizeof one));
    }
    assert_string_equal(all, want);
    assert_string_equal(t.unit, want_unit);
}

static void labels_are_what_one_would_write(void **state)
{
    (void)state;
    check_labels(0, 2e-6, 5, "m", "µm", "0.0 0.5 1.0 1.5 2.0");
    check_labels(-8.5, 8.5, 6, "V", "V", "−5 0 5");
    check_labels(-8.5, 8.5, 9, "V", "V", "−8 −6 −4 −2 0 2 4 6 8");
    check_labels(0, 3.1e-10, 8, "m", "pm", "0 50 100 150 200 250 300");
    check_labels(300e3, 350e3, 6, "Hz", "kHz", "300 310 320 330 340 350");
    check_labels(-7e-5, 3e-5, 6, "a.u.", "10⁻⁵ a.u.", "−6 −4 −2 0 2");
    check_labels(-4.6e-5, 5.4e-5, 12, "a.u.", "10⁻⁵ a.u.", "−4 −3 −2 −1 0 1 2 3 4 5");
    check_labels(0, 2.5e5, 3, "", "10⁵", "0 1 2");
    check_labels(0, 1, 6, "", "", "0.0 0.2 0.4 0.6 0.8 1.0");
    check_labels(0, 0.02, 3, "", "", "0.00 0.01 0.02");
    check_labels(-180, 180, 5, "deg", "deg", "−180 −90 0 90 180");
    check_labels(0, 12, 7, "deg", "deg", "0 2 4 6 8 10 12");
    check_labels(-100, 100, 5, "°", "°", "−90 −45 0 45 90");
    check_labels(0, 100, 6, "%", "%", "0 20 40 60 80 100");
    check_labels(0, 4e-11, 5, "m/V", "pm/V", "0 10 20 30 40");
}

static void only_plain_units_take_prefixes(void **state)
{
    (void)state;
    static const char *const yes[] = {"m", "V", "Hz", "m/V", "V·m", "Pa", "Ω", "s"};
    static const char *const no[] = {"", "a.u.", "%", "px", "deg", "m²", "m^2", "mm", "°", "min"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) assert_true(rs_unit_takes_prefix(yes[i]));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) assert_false(rs_unit_takes_prefix(no[i]));
}

static void check_text(double value, int digits, const char *unit, const char *want)
{
    char buf[64];
    assert_string_equal(rs_si_text(value, digits, unit, buf, sizeof buf), want);
}

static void quantities_read_well(void **state)
{
    (void)state;
    check_text(2e-7, 1, "m", "200 nm");
    check_text(500e-9, 1, "m", "500 nm");
    check_text(1e-6, 1, "m", "1 µm");
    check_text(8.27, 3, "V", "8.27 V");
    check_text(999.6e-9, 3, "m", "1.00 µm");
    check_text(999.4e-9, 3, "m", "999 nm");
    check_text(-0.00125, 3, "V", "−1.25 mV");
    check_text(0, 2, "V", "0 V");
    check_text(0.25, 2, "", "0.25");
    check_text(2.5e-5, 2, "a.u.", "2.5 × 10⁻⁵ a.u.");
    check_text(2e-12, 1, "", "2 × 10⁻¹²");
    check_text(NAN, 2, "V", "–");
    check_text(-INFINITY, 2, "V", "−∞");
    char tiny[4];
    assert_string_equal(rs_si_text(2e-7, 1, "m", tiny, sizeof tiny), "200");
}

static void rounds_down_to_125(void **state)
{
    (void)state;
    for (int e = -20; e <= 20; e++) {
        double p = pow(10, e);
        assert_true(fabs(rs_round_down_125(p) / p - 1) < TOL_DOUBLE);
        assert_true(fabs(rs_round_down_125(1.999 * p) / p - 1) < TOL_DOUBLE);
        assert_true(fabs(rs_round_down_125(2 * p) / p - 2) < TOL_DOUBLE);
        assert_true(fabs(rs_round_down_125(4.99 * p) / p - 2) < TOL_DOUBLE);
        assert_true(fabs(rs_round_down_125(5 * p) / p - 5) < TOL_DOUBLE);
        assert_true(fabs(rs_round_down_125(9.99 * p) / p - 5) < TOL_DOUBLE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_round_and_as_fine_as_allowed),
        cmocka_unit_test(labels_are_what_one_would_write),
        cmocka_unit_test(only_plain_units_take_prefixes),
        cmocka_unit_test(quantities_read_well),
        cmocka_unit_test(rounds_down_to_125),
    };
    return cmocka_run_group_tests_name("img_ticks", tests, NULL, NULL);
}
