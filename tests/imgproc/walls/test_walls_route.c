#include "support/support.h"
#include "support/tolerance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "imgproc/walls/author_route.h"
#include "imgproc/walls/route.h"

static void assert_permutation(const int32_t *order, int n)
{
    assert_true(n >= 0 && n <= 1 << 20);
    bool *seen = rs_zalloc((size_t)(unsigned)n, sizeof *seen);
    for (int i = 0; i < n; i++) {
        assert_in_range(order[i], 0, n - 1);
        assert_false(seen[order[i]]);
        seen[order[i]] = true;
    }
    rs_free(seen);
}

/* --------------------------------------------------------------------------- the author's route */

/* His rule from its words. */
static void author_plainly(const rs_pixel *p, int n, int32_t *order)
{
    bool *gone = rs_zalloc((size_t)n, sizeof *gone);
    for (int k = 0, at = 0; k < n; k++) {
        order[k] = at;
        gone[at] = true;
        int best = -1;
        int64_t least = 0;
        for (int i = 0; i < n; i++) {
            int64_t r = p[i].row - p[at].row, c = p[i].col - p[at].col, d = r * r + c * c;
            if (gone[i] || (best >= 0 && d > least)) continue;
            best = i; /* ties: the last one listed */
            least = d;
        }
        at = best;
    }
    rs_free(gone);
}

static void author_route_equals_its_rule(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    reshed_error err = {0};
    for (int trial = 0; trial < 120; trial++) {
        int h = 1 + (int)test_below(&r, 60), w = 1 + (int)test_below(&r, 60), n = 0;
        double density = trial % 3 ? 0.3 : 0.01;
        rs_pixel p[3600];
        int32_t got[3600], want[3600];
        for (int row = 0; row < h; row++)
            for (int col = 0; col < w; col++)
                if (test_uniform(&r, 0, 1) < density) p[n++] = (rs_pixel){row, col};
        assert_ok(rs_route_author(p, n, h, w, got, &err), &err);
        author_plainly(p, n, want);
        assert_memory_equal(got, want, (size_t)n * sizeof *got);
    }
}

static void author_route_takes_the_last_of_ties(void **state)
{
    (void)state;
    reshed_error err = {0};
    /* A plus: from its top the centre; then left, right and bottom are equally near, and the bottom
     * is listed last; from there right and left tie, and right is last. */
    const rs_pixel p[] = {{0, 1}, {1, 0}, {1, 1}, {1, 2}, {2, 1}};
    const int32_t want[] = {0, 2, 4, 3, 1};
    int32_t got[5];
    assert_ok(rs_route_author(p, 5, 3, 3, got, &err), &err);
    assert_memory_equal(got, want, sizeof want);
}

static void author_route_refuses_and_survives(void **state)
{
    (void)state;
    reshed_error err = {0};
    const rs_pixel p[] = {{0, 0}, {5, 5}, {0, 0}};
    int32_t got[3] = {7, 7, 7};
    assert_int_equal(rs_route_author(p, 3, 9, 9, got, &err), RESHED_EINVAL);
    assert_int_equal(rs_route_author(p, 2, 5, 9, got, &err), RESHED_EINVAL);
    assert_int_equal(rs_route_author(p, -1, 9, 9, got, &err), RESHED_EINVAL);
    assert_ok(rs_route_author(p, 0, 9, 9, got, &err), &err);
    for (int n = 0; n < 2; n++) {
        test_alloc_fail_at(n);
        assert_int_equal(rs_route_author(p, 2, 9, 9, got, &err), RESHED_ENOMEM);
        test_alloc_fail_at(-1);
    }
    assert_int_equal(got[0], 7);
}

/* --------------------------------------------------------------------------------- short routes */

static void short_route_follows_a_line(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    reshed_error err = {0};
    rs_xy at[400];
    int32_t order[400];
    for (int i = 0; i < 400; i++) { /* points on a slope, shuffled: the best tour is its length */
        int j = (int)test_below(&r, (uint64_t)i + 1);
        at[i] = at[j];
        at[j] = (rs_xy){i * 3e-9, i * 4e-9};
    }
    assert_ok(rs_route_short(at, 400, NULL, order, &err), &err);
    assert_permutation(order, 400);
    double longest;
    assert_true(fabs(rs_route_length(at, 400, order, &longest) - 399 * 5e-9) < TOL_PLACE);
    assert_true(fabs(longest - 5e-9) < TOL_PLACE);
}

static void short_route_of_a_ring_and_a_grid(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_xy at[144];
    int32_t order[144];
    for (int i = 0; i < 100; i++)
        at[i] =
            (rs_xy){cos(2 * RS_PI * (37 * i % 100) / 100), sin(2 * RS_PI * (37 * i % 100) / 100)};
    assert_ok(rs_route_short(at, 100, NULL, order, &err), &err);
    double chord = 2 * sin(RS_PI / 100);
    assert_true(fabs(rs_route_length(at, 100, order, NULL) - 99 * chord) < 1e-9);
    for (int i = 0; i < 144; i++) at[i] = (rs_xy){i % 12, i / 12};
    assert_ok(rs_route_short(at, 144, NULL, order, &err), &err);
    assert_permutation(order, 144);
    assert_true(rs_route_length(at, 144, order, NULL) <= 143 * 1.05);
}

/* All orders of n points, by recursion. */
static double best_tour(const rs_xy *at, int n, int last, unsigned left)
{
    double best = left ? HUGE_VAL : 0;
    for (int i = 0; i < n; i++)
        if (left >> i & 1)
            best = fmin(best, hypot(at[i].x - at[last].x, at[i].y - at[last].y) +
                                  best_tour(at, n, i, left & ~(1u << i)));
    return best;
}

/* Local moves need not find the best tour, but with seven points they nearly always do. */
static void short_route_is_near_the_best(void **state)
{
    (void)state;
    enum { N = 7 };
    test_rng r = {test_seed()};
    reshed_error err = {0};
    int equal = 0;
    double worst = 1;
    for (int trial = 0; trial < 200; trial++) {
        rs_xy at[N];
        int32_t order[N];
        double best = HUGE_VAL;
        for (int i = 0; i < N; i++) at[i] = (rs_xy){test_uniform(&r, 0, 1), test_uniform(&r, 0, 1)};
        bool fixed = trial % 2;
        for (int i = 0; i < N; i++)
            if (!fixed || i == 3) best = fmin(best, best_tour(at, N, i, 127u & ~(1u << i)));
        assert_ok(rs_route_short(at, N, fixed ? &at[3] : NULL, order, &err), &err);
        assert_permutation(order, N);
        if (fixed) assert_int_equal(order[0], 3);
        double ratio = rs_route_length(at, N, order, NULL) / best;
        assert_true(ratio > 1 - 1e-12);
        equal += ratio < 1 + 1e-9;
        worst = fmax(worst, ratio);
    }
    print_message("# routes of 7 points: %d of 200 the shortest, the worst %.3f times as long\n",
                  equal, worst);
    assert_true(equal >= 190 && worst < 1.1);
}

/* Random points in a square: the best tour tends to 0.7124 sqrt(n A) (Johnson and McGeoch). */
static void short_route_of_random_points(void **state)
{
    (void)state;
    enum { N = 3000 };
    test_rng r = {test_seed()};
    reshed_error err = {0};
    rs_xy *at = rs_alloc(N, sizeof *at);
    int32_t *order = rs_alloc(N, 2 * sizeof *order);
    for (int i = 0; i < N; i++) at[i] = (rs_xy){test_uniform(&r, 0, 1), test_uniform(&r, 0, 1)};
    assert_ok(rs_route_short(at, N, NULL, order, &err), &err);
    assert_permutation(order, N);
    double ratio = rs_route_length(at, N, order, NULL) / (0.7124 * sqrt(N));
    print_message("# route of %d random points: %.3f times the best expected\n", N, ratio);
    assert_true(ratio < 1.06);
    assert_ok(rs_route_short(at, N, NULL, order + N, &err), &err);
    assert_memory_equal(order, order + N, N * sizeof *order);
    rs_free(order);
    rs_free(at);
}

static void short_route_of_odd_sets(void **state)
{
    (void)state;
    reshed_error err = {0};
    test_rng r = {test_seed()};
    rs_xy at[60], far = {1e3, -1e3};
    int32_t order[60];
    assert_ok(rs_route_short(at, 0, NULL, order, &err), &err);
    for (int trial = 0; trial < 300; trial++) {
        int n = 1 + (int)test_below(&r, trial % 2 ? 5 : 60);
        for (int i = 0; i < n; i++) /* few places: many points coincide */
            at[i] = (rs_xy){(double)test_below(&r, trial % 7 + 1), (double)test_below(&r, 3)};
        assert_ok(rs_route_short(at, n, trial % 3 ? NULL : &far, order, &err), &err);
        assert_permutation(order, n);
        /* Never longer than visiting the rows in turn. */
        assert_true(rs_route_length(at, n, order, NULL) <= 3 * 7 + 3);
    }
    at[4].y = NAN;
    order[0] = 77;
    assert_int_equal(rs_route_short(at, 5, NULL, order, &err), RESHED_EINVAL);
    at[4].y = 0;
    far.x = INFINITY;
    assert_int_equal(rs_route_short(at, 5, &far, order, &err), RESHED_EINVAL);
    assert_int_equal(rs_route_short(at, -5, NULL, order, &err), RESHED_EINVAL);
    for (long n = 0;; n++) {
        test_alloc_fail_at(n);
        reshed_status st = rs_route_short(at, 5, NULL, order, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) break;
        assert_int_equal(st, RESHED_ENOMEM);
        assert_int_equal(order[0], 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(author_route_equals_its_rule),
        cmocka_unit_test(author_route_takes_the_last_of_ties),
        cmocka_unit_test(author_route_refuses_and_survives),
        cmocka_unit_test(short_route_follows_a_line),
        cmocka_unit_test(short_route_of_a_ring_and_a_grid),
        cmocka_unit_test(short_route_is_near_the_best),
        cmocka_unit_test(short_route_of_random_points),
        cmocka_unit_test(short_route_of_odd_sets),
    };
    return cmocka_run_group_tests_name("walls_route", tests, NULL, NULL);
}
