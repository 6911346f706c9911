/* A list that has too little time, on a clock of the test's own: which of its points are measured. */
#include "support/support.h"
#include "spm/scan/request/duration.h"

#include <math.h>

#define MOST 400

typedef struct list_run {
    int n;            /* points */
    double budget;    /* s */
    double plan;      /* s that a point was planned to take */
    double takes;     /* s that it takes */
    double growth;    /* s that each takes more than the one before it */
    double reference; /* s of a reference loop before every fifth point; 0: none */
    int kept[MOST];   /* out: the points that were measured, */
    int measured;     /* so many, */
    double spent;     /* in so many s */
} list_run;

/* Goes along the list as rs_measure_points does. */
static void walk(list_run *r)
{
    const rs_scan_settings s = {.reference_every = r->reference > 0 ? 5 : 0};
    const rs_durations planned = {.point = r->plan, .reference = r->reference};
    rs_durations_seen seen = {0};
    rs_thinning thin = {0};
    r->measured = 0;
    r->spent = 0;
    for (int k = 0; k < r->n && r->spent <= r->budget; k++) {
        const rs_durations t = rs_durations_known(&planned, &seen);
        if (!rs_thinning_keeps(&thin, &t, &s, r->measured, r->n - k, r->budget - r->spent))
            continue;
        if (r->reference > 0 && r->measured % 5 == 0) {
            rs_durations_add(&seen.reference, r->reference);
            r->spent += r->reference;
        }
        const double takes = r->takes + r->growth * r->measured;
        rs_durations_add(&seen.point, takes);
        r->spent += takes;
        r->kept[r->measured++] = k;
    }
}

/* The longest way between two points that are measured, from the first of the list to its end. */
static int longest_gap(const list_run *r)
{
    int gap = r->n - 1 - r->kept[r->measured - 1];
    for (int i = 1; i < r->measured; i++) {
        const int g = r->kept[i] - r->kept[i - 1];
        if (g > gap) gap = g;
    }
    return gap;
}

/* What 41 points do that have time for 21: every other one, as plain division has it. */
static void half_the_time_is_every_other_point(void **state)
{
    (void)state;
    list_run r = {.n = 41, .budget = 21.5, .plan = 0.5, .takes = 1};
    walk(&r);
    assert_int_equal(r.measured, 21);
    for (int i = 0; i < r.measured; i++) assert_int_equal(r.kept[i], 2 * i);
    r.budget =
        31.5; /* two of three: never two that are passed over in a row, never all at the end */
    walk(&r);
    assert_int_equal(r.measured, 31);
    assert_int_equal(longest_gap(&r), 2);
    for (int i = 4; i < r.measured; i++) assert_true(r.kept[i] - r.kept[i - 4] >= 5);
}

/* Any list, any time: all the time is used, and no gap is longer than the share says, one more at most. */
static void gaps_are_even_whatever_the_share(void **state)
{
    (void)state;
    for (int n = 2; n <= MOST; n += n < 40 ? 1 : 37)
        for (int fit = 1; fit <= n; fit++) {
            list_run r = {.n = n, .budget = fit + 0.5, .plan = 0.25, .takes = 1};
            walk(&r);
            assert_int_equal(r.measured, fit);
            assert_int_equal(r.kept[0], 0);
            if (fit < 2) continue;
            assert_true(longest_gap(&r) <= (n - 2) / (fit - 1) + 1);
            const double even = (n - 1.0) / (fit - 1);
            for (int i = 0; i < fit; i++) assert_true(fabs(r.kept[i] - i * even) <= even + 1);
        }
}

/* Durations that are learnt on the way. Each half of the list gets its share. */
static void a_list_that_slows_down_is_thinned_to_its_end(void **state)
{
    (void)state;
    for (int references = 0; references < 2; references++) {
        list_run r = {.n = 200,
                      .budget = 100,
                      .plan = 0.5,
                      .takes = 0.5,
                      .growth = 0.002,
                      .reference = references ? 0.7 : 0};
        walk(&r);
        int half = 0;
        for (int i = 0; i < r.measured; i++) half += r.kept[i] >= r.n / 2;
        printf("# %d of %d points, %d in the second half, longest gap %d, %.1f of %.0f s\n",
               r.measured, r.n, half, longest_gap(&r), r.spent, r.budget);
        assert_true(r.spent < r.budget + 1 && r.spent > 0.9 * r.budget);
        assert_true(longest_gap(&r) <= 4);
        assert_true(half > 0.35 * r.measured);
    }
}

/* A list that has time for all of it is measured whole, one that has none but for its first point. */
static void all_or_only_the_first(void **state)
{
    (void)state;
    list_run r = {.n = 100, .budget = 100.5, .plan = 3, .takes = 1};
    walk(&r);
    assert_int_equal(r.measured, 100);
    r.budget = 1;
    walk(&r);
    assert_int_equal(r.measured, 1);
    assert_int_equal(r.kept[0], 0);
    rs_thinning thin = {0}; /* a plan is asked for at a list that has ended */
    const rs_durations t = {.point = 1};
    const rs_scan_settings s = {0};
    assert_false(rs_thinning_keeps(&thin, &t, &s, 1, 0, 10));
    assert_int_equal(thin.fit, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_the_time_is_every_other_point),
        cmocka_unit_test(gaps_are_even_whatever_the_share),
        cmocka_unit_test(a_list_that_slows_down_is_thinned_to_its_end),
        cmocka_unit_test(all_or_only_the_first),
    };
    return cmocka_run_group_tests_name("thinning", tests, NULL, NULL);
}
