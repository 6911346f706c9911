/* Lists of points that end once a test of the walls is decided: the order, the rule, its error and power on films of the
 * twin (without network and spectra: walls from the truth, widths as the film has them, with noise), and a
 * whole acquisition. */
#include "support/scan_rig.h"
#include "support/driver_rig.h"
#include "support/session_sim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/walls/sequential.h"
#include "imgproc/walls/tests.h"
#include "spm/scan/choose.h"
#include "spm/twin/sample.h"
#include "spm/twin/switching.h"

/* ----------------------------------------------------------------------------------------- order */

static void rounds_take_one_point_of_each_wall(void **state)
{
    (void)state;
    static const int unit[] = {0, 0, 0, 0, 0, -1, 1, 1, 2, 2, 2};
    int order[11], seen[3] = {0}, at[11] = {0};
    reshed_error err = {0};
    assert_ok(rs_sequential_order(RS_SEQUENTIAL_ALTERNATION, unit, 11, order, &err), &err);
    for (int i = 0; i < 11; i++) at[order[i]]++;
    for (int i = 0; i < 11; i++) assert_int_equal(at[i], 1);
    assert_int_equal(order[10], 5); /* of no wall: last */
    static const int round[] = {0, 0, 0, 1, 1, 1, 2, 2, 3, 4};
    for (int i = 0; i < 10; i++) assert_int_equal(seen[unit[order[i]]]++, round[i]);
    /* The second point of a wall is far from its first. */
    assert_int_equal(order[0], 0);
    for (int i = 1; i < 10; i++)
        if (unit[order[i]] == 0) {
            assert_int_equal(order[i], 4);
            break;
        }
    /* Eight passes over the walls of a round. */
    int each[40], turn[40];
    for (int i = 0; i < 40; i++) each[i] = i;
    assert_ok(rs_sequential_order(RS_SEQUENTIAL_LENGTHS, each, 40, turn, &err), &err);
    for (int i = 0; i < 40; i++)
        assert_int_equal(turn[i] % 8, ((int[]){0, 4, 2, 6, 1, 5, 3, 7})[i / 5]);
    assert_ok(rs_sequential_order(RS_SEQUENTIAL_LENGTHS, unit, 0, order, &err), &err);
}

/* ------------------------------------------------------------------------------------------ rule */

enum { UNITS = 24, LOOKS = 4 };

/* Means at looks, ever less noise; the effect is the walls' own. */
static void draw(test_rng *rng, rs_sequential_kind kind, double effect, uint8_t *longer,
                 double *value)
{
    double wall[UNITS], sum[UNITS] = {0};
    for (int i = 0; i < UNITS; i++) {
        longer[i] = i % 3 == 0;
        const bool up = kind == RS_SEQUENTIAL_LENGTHS ? longer[i] : i % 2;
        wall[i] = test_gauss(rng) + (up ? effect : 0);
    }
    for (int k = 0; k < LOOKS; k++)
        for (int i = 0; i < UNITS; i++) {
            sum[i] += wall[i] + test_gauss(rng);
            value[k * UNITS + i] = sum[i] / (k + 1);
            if (kind == RS_SEQUENTIAL_LENGTHS && k == 0 && i % 2) value[i] = NAN;
        }
}

static void the_error_is_held(void **state)
{
    (void)state;
    static const double share[LOOKS] = {0.25, 0.5, 0.75, 1};
    const long trials = test_tier(60, 400, 4000);
    for (int kind = 0; kind < 2; kind++)
        for (int with = 0; with < 2; with++) {
            test_rng rng = {test_seed() + (uint64_t)kind};
            long found = 0, early = 0;
            for (long t = 0; t < trials; t++) {
                double value[LOOKS * UNITS];
                uint8_t longer[UNITS];
                rs_sequential s = {0};
                reshed_error err = {0};
                draw(&rng, (rs_sequential_kind)kind, with ? 4 : 0, longer, value);
                for (int looks = 1; looks <= LOOKS; looks++) {
                    assert_ok(rs_sequential_test((rs_sequential_kind)kind, value, longer, share,
                                                 UNITS, looks, 0.05, 499, 1, &s, &err),
                              &err);
                    assert_true(s.p > 0 && s.p <= 1);
                    if (s.found < 0) continue;
                    assert_int_equal(s.found, looks - 1); /* an earlier look had found it */
                    early += looks == 1;
                    break;
                }
                found += s.found >= 0;
            }
            const double rate = (double)found / (double)trials;
            if (with)
                assert_true(rate > 0.95 && early > 0);
            else /* three standard errors */
                assert_true(rate <= 0.05 + 3 * sqrt(0.05 * 0.95 / (double)trials));
        }
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    double value[4] = {1, 2, 3, 4}, share[2] = {0.5, 1};
    const uint8_t longer[2] = {1, 0};
    rs_sequential s;
    reshed_error err = {0};
    const rs_sequential_kind a = RS_SEQUENTIAL_ALTERNATION;
    assert_ok(rs_sequential_test(a, value, longer, share, 2, 2, 0.05, 99, 1, &s, &err), &err);
    assert_int_equal(rs_sequential_test(a, value, longer, share, 1, 2, 0.05, 99, 1, &s, &err),
                     RESHED_EINVAL);
    assert_int_equal(rs_sequential_test(a, value, longer, share, 2, 2, 0, 99, 1, &s, &err),
                     RESHED_EINVAL);
    assert_int_equal(rs_sequential_test(a, value, longer, share, 2, 2, 0.05, 0, 1, &s, &err),
                     RESHED_EINVAL);
    share[0] = 1.5;
    assert_int_equal(rs_sequential_test(a, value, longer, share, 2, 2, 0.05, 99, 1, &s, &err),
                     RESHED_EINVAL);
    share[0] = 0.5;
    value[2] = NAN;
    assert_int_equal(rs_sequential_test(a, value, longer, share, 2, 2, 0.05, 99, 1, &s, &err),
                     RESHED_EINVAL);
    value[2] = 3;
    for (long n = 0;; n++) {
        test_alloc_fail_at(n);
        const reshed_status st =
            rs_sequential_test(a, value, longer, share, 2, 2, 0.05, 99, 1, &s, &err);
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        assert_int_equal(st, failed ? RESHED_ENOMEM : RESHED_OK);
        if (!failed) break;
    }
}

/* ----------------------------------------------------------------------------------------- films */

enum { SIDE = 256, POINTS = 200 };
#define NOISE 0.3 /* V, of a width */

/* What a list on a film came to, measured to its end and by the rule. */
typedef struct verdict {
    bool whole, found;
    double used; /* share of the list that the rule needed */
} verdict;

/* Widths of the loops at the points; short walls get 1 + `shorter` times theirs. */
static void measure_film(const rs_twin_sample *film, double alternate, double shorter,
                         const rs_wall_units *u, const rs_session_point *p, const int *unit, int n,
                         test_rng *rng, double *value)
{
    rs_twin_switching o;
    reshed_error err = {0};
    rs_twin_switching_defaults(&o);
    o.alternate = alternate;
    o.shorter = 0;
    for (int i = 0; i < n; i++) {
        rs_twin_loop_truth t;
        assert_ok(rs_twin_switching_truth(film, &o, p[i].x, p[i].y, -8, 8, &t, &err), &err);
        value[i] = t.width + NOISE * test_gauss(rng);
        if (unit[i] >= 0 && !u->longer[unit[i]]) value[i] += shorter * t.width;
    }
}

static void follow_rule(rs_sequential_kind kind, const rs_wall_units *u, const int *unit,
                        const int *order, const double *value, int n, verdict *v)
{
    double *mean = rs_zalloc((size_t)12 * (size_t)(u->n + 1), sizeof *mean), share[12], last = 0;
    double *sum = rs_zalloc((size_t)u->n + 1, sizeof *sum);
    int *count = rs_zalloc((size_t)u->n + 1, sizeof *count), looks = 0, counted = 0;
    reshed_error err = {0};
    assert_true(mean && sum && count);
    for (int i = 0; i < n; i++) counted += unit[i] >= 0;
    v->found = false;
    v->used = (double)counted / n;
    for (int k = 0; k < counted; k++) {
        rs_sequential s;
        const int w = unit[order[k]];
        sum[w] += value[order[k]];
        count[w]++;
        const double now = (k + 1.0) / counted;
        const bool over = k + 1 == counted, ends = over || kind == RS_SEQUENTIAL_LENGTHS ||
                                                   count[unit[order[k + 1]]] + 1 != count[w];
        if (!ends || (!over && now - last < 0.1)) continue;
        last = now;
        for (int i = 0; i < u->n; i++) mean[looks * u->n + i] = count[i] ? sum[i] / count[i] : NAN;
        share[looks++] = now;
        assert_ok(
            rs_sequential_test(kind, mean, u->longer, share, u->n, looks, 0.05, 1999, 1, &s, &err),
            &err);
        if (s.found < 0) continue;
        v->found = true;
        v->used = (k + 1.0) / n;
        break;
    }
    rs_free(mean);
    rs_free(sum);
    rs_free(count);
}

static verdict judge_film(uint64_t seed, rs_sequential_kind kind, double alternate, double shorter)
{
    static uint8_t wall[SIDE * SIDE];
    static float mean[SIDE * SIDE];
    const rs_twin_view view = {
        .width = 2e-6, .height = 2e-6, .rows = SIDE, .cols = SIDE, .row_end = SIDE};
    const rs_twin_channels out = {.wall = wall};
    const rs_frame frame = {
        .width = 2e-6, .height = 2e-6, .rows = SIDE, .cols = SIDE, .line_rate = 1};
    rs_twin_options o;
    rs_twin_sample *film = NULL;
    rs_choose_options how;
    rs_choice c = {0};
    rs_wall_units u = {0};
    rs_wall_tests_options test;
    rs_wall_tests whole = {0};
    reshed_error err = {0};
    verdict v = {0};
    test_rng rng = {seed * 7919 + 1};
    rs_twin_options_defaults(&o);
    o.seed = seed;
    assert_ok(rs_twin_sample_create(&o, &film, &err), &err);
    assert_ok(rs_twin_render(film, &view, &out, &err), &err);
    for (int i = 0; i < SIDE * SIDE; i++) mean[i] = wall[i];
    rs_choose_defaults(&how);
    how.max_points = POINTS;
    assert_ok(rs_choose(&frame, mean, NULL, NULL, NULL, &how, &c, &err), &err);
    uint8_t *there = rs_zalloc((size_t)c.walls + 1, 1);
    int unit[POINTS], order[POINTS], on[POINTS];
    double value[POINTS];
    assert_non_null(there);
    for (int i = 0; i < c.n; i++)
        if (c.point[i].wall >= 0) there[c.point[i].wall] = 1;
    assert_ok(rs_wall_units_find(&c.graph, c.families, kind, there, &u, &err), &err);
    for (int i = 0; i < c.n; i++) {
        on[i] = c.point[i].wall;
        unit[i] = on[i] >= 0 ? u.of[on[i]] : -1;
    }
    assert_ok(rs_sequential_order(kind, unit, c.n, order, &err), &err);
    measure_film(film, alternate, shorter, &u, c.point, unit, c.n, &rng, value);
    rs_wall_tests_defaults(&c.graph.grid, &test);
    test.permutations = 1999;
    assert_ok(rs_wall_tests_run(&c.graph, &test, on, value, c.n, &whole, &err), &err);
    v.whole = kind == RS_SEQUENTIAL_LENGTHS
                  ? whole.has_lengths && whole.lengths.p <= 0.05
                  : whole.has_alternation && whole.alternation.p_successive <= 0.05;
    if (u.n > 1) follow_rule(kind, &u, unit, order, value, c.n, &v);
    rs_wall_tests_clear(&whole);
    rs_wall_units_clear(&u);
    rs_choice_clear(&c);
    rs_free(there);
    rs_twin_sample_free(film);
    return v;
}

/* Power, false findings and pulses on films; numbers are printed, and stand in docs/scan.md. */
static void films_need_fewer_pulses(void **state)
{
    (void)state;
    test_not_quick();
    const long films = test_tier(0, 12, 200);
    for (int kind = 0; kind < 2; kind++)
        for (int with = 0; with < 2; with++) {
            int whole = 0, found = 0;
            double used = 0, squares = 0;
            for (long f = 0; f < films; f++) {
                const verdict v =
                    judge_film(1000 + (uint64_t)f, (rs_sequential_kind)kind,
                               kind == 0 && with ? 0.25 : 0, kind == 1 && with ? 0.1 : 0);
                whole += v.whole;
                found += v.found;
                used += v.used;
                squares += v.used * v.used;
            }
            const double n = (double)films, mean = used / n;
            print_message("# %s, %s: %ld films, found by the whole list %d, by the rule %d, with "
                          "%.3f of its points (standard error %.3f)\n",
                          kind ? "lengths" : "alternation", with ? "with the effect" : "without",
                          films, whole, found, mean, sqrt(fmax(squares / n - mean * mean, 0) / n));
            if (with) {
                assert_true(found >= whole - 0.05 * n - 1);
                assert_true(mean <= 0.6);
            } else {
                assert_true(found <= 0.05 * n + 3 * sqrt(0.05 * 0.95 * n));
            }
        }
}

/* ---------------------------------------------------------------------------------- acquisitions */

/* The list of a session by states, "MMSSP". */
static void states_of(const scan_rig *r, char *out, rs_session_progress *p)
{
    rs_session *s = NULL;
    reshed_error err = {0};
    assert_ok(rs_session_open(r->path, &s, &err), &err);
    assert_ok(rs_session_get_progress(s, p, &err), &err);
    for (int k = 0; k < p->points && k < 63; k++) {
        rs_session_point q;
        assert_ok(rs_session_read_points(s, k, 1, &q, &err), &err);
        out[k] = "PMLS"[q.state];
        out[k + 1] = '\0';
    }
    rs_session_finish(s, RESHED_OK, NULL);
}

static void a_list_ends_when_it_is_decided(void **state)
{
    (void)state;
    test_not_quick();
    for (int cut = 0; cut < 2; cut++) {
        scan_rig r;
        char states[64] = "";
        rs_session_progress p;
        scan_rig_init(&r, "decide.h5");
        r.set.until = RS_SCAN_LENGTHS;
        r.set.error = 0.5; /* so that few walls are enough */
        r.set.drift_every = r.set.reference_every = 0;
        r.set.every = 3;
        r.set.max_points = 40;
        if (cut) {
            r.stop_at_point = 3;
            scan_rig_do(&r, RS_END_INTERRUPTED);
            r.stop_at_point = 0;
            scan_rig_resume(&r, RS_END_DONE);
        } else {
            scan_rig_do(&r, RS_END_DONE);
        }
        states_of(&r, states, &p);
        assert_true(p.complete && p.points > 10);
        assert_true(session_has_event(r.path, "decided: long and short walls"));
        assert_null(strchr(states, 'P'));
        const char *skipped = strchr(states, 'S');
        if (skipped) assert_null(strchr(skipped, 'M')); /* none after the end */
        scan_rig_check_analysis(&r, false, &p);
        remove(r.path);
    }
}

/* The number of walls that the list was decided by; -1: it was not. */
static int walls_of_decision(const scan_rig *r)
{
    rs_session_progress p;
    rs_session_event e;
    reshed_error err = {0};
    rs_session *s = NULL;
    int walls = -1;
    assert_ok(rs_session_open(r->path, &s, &err), &err);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    for (int i = 0; i < p.events; i++) {
        assert_ok(rs_session_read_events(s, i, 1, &e, &err), &err);
        const char *at = strstr(e.text, " points, ");
        if (strstr(e.text, "decided: ") && at) sscanf(at, " points, %d walls", &walls);
    }
    rs_session_finish(s, RESHED_OK, NULL);
    return walls;
}

/* The points of a list that a person wrote: the choice's own, without their walls. */
static bool as_a_list(void *ctx, const rs_choice *choice, rs_session_point **points, int *n)
{
    (void)ctx;
    (void)choice;
    for (int i = 0; i < *n; i++) (*points)[i].wall = -1;
    return true;
}

/* Short walls count where the settings have them, and so do the walls that a list's points lie on. */
static void walls_that_count(void **state)
{
    (void)state;
    test_not_quick();
    int walls[3];
    for (int k = 0; k < 3; k++) { /* walls of 3 and of 12 pixels; a list */
        scan_rig r;
        scan_rig_init(&r, "count.h5");
        remove(r.path);
        r.set.until = RS_SCAN_LENGTHS;
        r.set.error = 1e-6; /* never, but at the end */
        r.set.drift_every = r.set.reference_every = 0;
        r.set.every = 3;
        r.set.min_wall = k == 1 ? 12 : 3;
        r.set.max_points = 60;
        if (k == 2) r.confirm = as_a_list;
        scan_rig_do(&r, RS_END_DONE);
        walls[k] = walls_of_decision(&r);
    }
    printf("# %d walls, %d of 12 pixels, %d of a list\n", walls[0], walls[1], walls[2]);
    assert_true(walls[1] > 0 && walls[0] > walls[1]);
    /* The simulated noise follows the clock, so other loops are bad ones in each run: 20 to 27 walls were seen. */
    assert_true(abs(walls[2] - walls[0]) <= 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_take_one_point_of_each_wall),
        cmocka_unit_test(the_error_is_held),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(films_need_fewer_pulses),
        cmocka_unit_test(a_list_ends_when_it_is_decided),
        cmocka_unit_test(walls_that_count),
    };
    return cmocka_run_group_tests(tests, NULL, scan_rig_teardown);
}
