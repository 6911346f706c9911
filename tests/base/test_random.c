/* The numbers of every generator are fixed: shipped results depend on them. */
#include "base/random.h"

#include <math.h>

#include "support/support.h"

/* The reference sequence of splitmix64 from seed 0. */
static void splitmix64_as_published(void **state)
{
    (void)state;
    rs_random r = {0};
    assert_true(rs_random_next(&r) == 0xe220a8397b1dcdafu);
    assert_true(rs_random_next(&r) == 0x6e789e6aa1b965f4u);
    assert_true(rs_random_next(&r) == 0x06c45d188009454fu);
    assert_true(rs_hash64(0) == 0xe220a8397b1dcdafu);
}

static void generators_of_one_seed(void **state)
{
    (void)state;
    assert_true(rs_random_at(7, 3, 11).state == 0x8a62c3897faef3a7u);
    rs_random r = rs_random_keyed(20220613, 42);
    assert_true(r.state == 0xc5daf1498cb6e830u);
    assert_true(rs_random_next(&r) == 0x2e5367e2030af9a0u);
    static const int want[] = {16, 17, 6, 33, 22, 33, 34, 0};
    for (int i = 0; i < 8; i++) assert_int_equal(rs_random_below(&r, 37), want[i]);
}

/* Whole numbers exactly; those that pass through libm to a few units of the last place. */
static void distributions_keep_their_numbers(void **state)
{
    (void)state;
    rs_random r = rs_random_at(7, 3, 11);
    float a, b;
    assert_true(rs_random_next(&r) == 0x5c9ffce1cc935ce9u);
    assert_true(rs_random_unit(&r) == 0x1.213a4ee6bf859p-1);
    assert_true(rs_random_between(&r, -2, 5) == 0x1.4f721d3d0f458p+0);
    assert_near(rs_random_log(&r, 1, 100), 0x1.6f6308fd7f556p+6, 1e-13);
    assert_false(rs_random_chance(&r, 0.5));
    assert_int_equal(rs_random_index(&r, 1000000), 313644);
    assert_near(rs_random_exponential(&r, 3), 0x1.6678633b46533p+2, 1e-14);
    rs_random_gauss2(&r, &a, &b);
    assert_near(a, -0x1.2687e2p-4, 1e-7);
    assert_near(b, -0x1.51d6bcp-3, 1e-7);
    assert_near(rs_random_gauss(&r), 0x1.8ca16ap-1, 1e-6);
    assert_int_equal(rs_random_poisson(&r, 20), 20);
    assert_true(r.state == 0x14e307466a697e1du);
}

static void below_stays_below_and_is_even(void **state)
{
    (void)state;
    rs_random r = {test_seed()};
    int seen[7] = {0};
    for (int i = 0; i < 7000; i++) seen[rs_random_below(&r, 7)]++;
    for (int i = 0; i < 7; i++) assert_near(seen[i], 1000, 180); /* six standard deviations */
    const uint64_t many = UINT64_MAX / 2 + 2; /* half of the numbers are drawn again */
    for (int i = 0; i < 100; i++) assert_true(rs_random_below(&r, many) < many);
    for (int i = 0; i < 10; i++) assert_true(rs_random_below(&r, 1) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splitmix64_as_published),
        cmocka_unit_test(generators_of_one_seed),
        cmocka_unit_test(distributions_keep_their_numbers),
        cmocka_unit_test(below_stays_below_and_is_even),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
