/* Order statistics, against numpy's numbers and against sorting. */
#include "base/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "support/support.h"
#include "support/tolerance.h"

static void sorting_of_every_length(void **state)
{
    (void)state;
    enum { MOST = 200 };
    test_rng r = {test_seed()};
    double x[MOST], want[MOST];
    for (int n = 0; n <= MOST; n++) {
        for (int i = 0; i < n; i++) x[i] = n % 2 ? test_gauss(&r) : (double)test_below(&r, 9);
        memcpy(want, x, sizeof x);
        qsort(want, (size_t)n, sizeof *want, rs_compare_doubles);
        rs_sort(x, (size_t)n);
        assert_memory_equal(x, want, (size_t)n * sizeof *x);
        for (int i = 1; i < n; i++) assert_true(x[i - 1] <= x[i]);
    }
}

static void quantiles_of_sorted_values(void **state)
{
    (void)state;
    const double odd[] = {1, 2, 4, 8, 16}, even[] = {1, 2, 4, 8};
    assert_true(rs_sorted_quantile(odd, 5, 0) == 1 && rs_sorted_quantile(odd, 5, 1) == 16);
    assert_true(rs_sorted_quantile(odd, 5, 0.5) == 4 && rs_sorted_quantile(even, 4, 0.5) == 3);
    assert_true(rs_sorted_quantile(odd, 5, 0.875) == 12);
    assert_true(rs_sorted_median(odd, 5) == 4 && rs_sorted_median(even, 4) == 3);
    assert_true(rs_sorted_step(odd, 5, 0) == 1 && rs_sorted_step(odd, 5, 1) == 16);
    assert_true(rs_sorted_step(odd, 5, 0.5) == 4 && rs_sorted_step(even, 4, 0.5) == 4);
    assert_true(rs_sorted_quantile(odd, 1, 0.9) == 1 && rs_sorted_median(odd, 1) == 1 &&
                rs_sorted_step(odd, 1, 0.9) == 1);
    assert_true(isnan(rs_sorted_quantile(odd, 0, 0.5)) && isnan(rs_sorted_median(odd, 0)) &&
                isnan(rs_sorted_step(odd, 0, 0.5)));
}

static void robust_ones_skip_what_is_not_finite(void **state)
{
    (void)state;
    double x[] = {5, NAN, 1, 4, INFINITY, 2, 3}, scratch[7];
    assert_true(rs_median(x, 7, scratch) == 3);
    assert_true(rs_quantile(x, 7, 0.25, scratch) == 2);
    assert_true(rs_quantile(x, 7, 0.1, scratch) == 1.4);
    assert_true(rs_quantile(x, 7, 1, scratch) == 5);
    assert_near(rs_mad(x, 7, 3, scratch), 1.4826022185056018, TOL_ROUNDING);
    assert_true(isnan(rs_median(x + 1, 1, scratch)));
    assert_true(isnan(rs_mad(x + 1, 1, 0, scratch)));
    assert_true(isnan(rs_quantile(x, 0, 0.5, scratch)));
}

/* numpy 1.24.2: np.percentile(x, (0, .5, 10, 33, 50, 90, 99.5, 100)), x as float64. */
static void percentiles_equal_numpys(void **state)
{
    (void)state;
    const float x[10] = {3.5f, -1.25f, 8, 0, 2.75f, 2.75f, 1e-3f, -7e4f, 6e5f, -0.0f};
    const double percent[8] = {0, 0.5, 10, 33, 50, 90, 99.5, 100};
    const double want[8] = {-70000.0,           -66850.05625,       -7001.124999999998, 0.0,
                            1.3755000000237487, 60007.199999999786, 573000.3600000001,  600000.0};
    double got[8];
    reshed_error err = {0};
    assert_ok(rs_percentiles(x, 10, percent, 8, got, &err), &err);
    for (int i = 0; i < 8; i++) assert_true(fabs(got[i] - want[i]) <= 4e-16 * 600000);
    assert_int_equal(rs_percentiles(x, 10, &(double){100.1}, 1, got, &err), RESHED_EINVAL);
    assert_int_equal(rs_percentiles(x, 10, &(double){NAN}, 1, got, &err), RESHED_EINVAL);
    test_alloc_fail_at(0);
    assert_int_equal(rs_percentiles(x, 10, percent, 8, got, &err), RESHED_ENOMEM);
    test_alloc_fail_at(-1);
}

static void percentiles_equal_sorting(void **state)
{
    (void)state;
    enum { MOST = 3000 };
    test_rng r = {test_seed()};
    float *x = rs_alloc(MOST, sizeof *x), *s = rs_alloc(MOST, sizeof *s);
    assert_non_null(x);
    assert_non_null(s);
    for (int k = 0; k < 60; k++) {
        int n = 1 + (int)test_below(&r, k < 40 ? 30 : MOST);
        for (int i = 0; i < n; i++) switch (k % 3) {
            case 0: x[i] = (float)test_gauss(&r); break;
            case 1: /* many ties */ x[i] = (float)test_below(&r, 5) - 2; break;
            default: /* all magnitudes */
                x[i] = (float)ldexp(test_uniform(&r, -1, 1), (int)test_below(&r, 240) - 130);
            }
        memcpy(s, x, (size_t)n * sizeof *s);
        qsort(s, (size_t)n, sizeof *s, rs_compare_floats);
        for (int q = 0; q < 20; q++) {
            double p = q < 2 ? 100.0 * q : test_uniform(&r, 0, 100), got;
            double at = p / 100 * (n - 1);
            int i = (int)at, j = i + 1 < n ? i + 1 : i;
            double want = s[i] + ((double)s[j] - s[i]) * (at - i);
            assert_ok(rs_percentiles(x, (size_t)n, &p, 1, &got, NULL), &(reshed_error){0});
            assert_true(got == want);
        }
    }
    rs_free(x);
    rs_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorting_of_every_length),
        cmocka_unit_test(quantiles_of_sorted_values),
        cmocka_unit_test(robust_ones_skip_what_is_not_finite),
        cmocka_unit_test(percentiles_equal_numpys),
        cmocka_unit_test(percentiles_equal_sorting),
    };
    return cmocka_run_group_tests_name("statistics", tests, NULL, NULL);
}
