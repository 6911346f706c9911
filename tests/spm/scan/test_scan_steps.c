/* What bounds an acquisition of several steps: alarms after a rescan, lines that are lost in one, a tip that
 * has gone, budget and number of points of all steps together, and drift after an interruption. */
#include "support/scan_rig.h"
#include "support/session_sim.h"

#include <math.h>
#include <string.h>

#include "base/os.h"

static void parse(rs_flow *steps, const char *text)
{
    reshed_error err = {0};
    assert_ok(rs_flow_parse(text, steps, &err), &err);
}

static rs_session_progress progress_of(const scan_rig *r)
{
    rs_session_progress p;
    reshed_error err = {0};
    rs_session *s = NULL;
    assert_ok(rs_session_open(r->path, &s, &err), &err);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    rs_session_finish(s, RESHED_OK, NULL);
    return p;
}

/* 32 x 32 pixels, which take less time, and neither drift nor reference. */
static void small(scan_rig *r, const char *name)
{
    scan_rig_init(r, name);
    remove(r->path);
    r->set.rows = r->set.cols = 32;
    r->set.width = r->set.height = 0.45e-6;
    r->set.every = 3;
    r->set.drift_every = r->set.reference_every = 0;
}

/* No loop at the reference any more is the largest change there is. */
static void a_tip_that_has_gone_pauses_the_list(void **state)
{
    (void)state;
    scan_rig r;
    small(&r, "gone.h5");
    scan_rig_option(&r, "nan_spectrum", "4"); /* the second reference */
    r.set.reference_every = 3;
    r.set.reference_change = 0.5;
    scan_rig_do(&r, RS_END_TIP_CHANGED);
    assert_int_equal(progress_of(&r).measured, 3);
    assert_true(session_has_event(r.path, "reference loop: width_mid is nan"));
}

/* alarm=stop holds for the map that a rescan makes, too; a repeat that waits for calm has its rounds first. */
static void an_alarm_after_a_rescan_is_obeyed(void **state)
{
    (void)state;
    test_not_quick();
    static const struct {
        const char *steps, *says;
        rs_end end;
        int alarm;
    } cases[] = {{"survey; rescan rows=20-22; choose; loops", "; it goes no further",
                  RS_END_ALARMED, RS_SCAN_ALARM_STOP},
                 {"survey; rescan rows=20-22; choose; loops", "; it goes no further",
                  RS_END_ALARMED, RS_SCAN_ALARM_RESCAN},
                 {"survey; rescan rows=20-22; choose; loops", "out of distribution", RS_END_DONE,
                  RS_SCAN_ALARM_CONTINUE},
                 {"survey; rescan rows=20-22; repeat steps=1 until=calm times=2; choose; loops",
                  "step 3 of 5: back to step 2, round 2", RS_END_ALARMED, RS_SCAN_ALARM_STOP},
                 {"survey; rescan rows=20-22; choose; loops; repeat steps=3 until=calm times=2",
                  "; it goes no further", RS_END_ALARMED, RS_SCAN_ALARM_STOP}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scan_rig r;
        rs_flow steps;
        small(&r, "rescan_alarm.h5");
        parse(&steps, cases[i].steps);
        r.steps = &steps;
        r.set.alarm = cases[i].alarm;
        r.set.max_points = 1;
        r.score = 1;
        r.rescan_score = 3;
        r.alarm_score = 2;
        scan_rig_do(&r, cases[i].end);
        assert_true(session_has_event(r.path, cases[i].says));
        assert_int_equal(progress_of(&r).measured, cases[i].end == RS_END_DONE);
        if (i != 0) continue;
        scan_rig_resume(&r, RS_END_ALARMED); /* nothing has changed */
        r.set.alarm = RS_SCAN_ALARM_CONTINUE;
        scan_rig_resume(&r, RS_END_DONE);
        assert_int_equal(progress_of(&r).measured, 1);
    }
}

static void a_rescan_that_brings_nothing_is_a_failure(void **state)
{
    (void)state;
    test_not_quick();
    for (int rows = 1; rows <= 2; rows++) {
        scan_rig r;
        rs_flow steps;
        small(&r, "rescan_lost.h5");
        parse(&steps, rows == 1 ? "survey; rescan rows=20-20" : "survey; rescan rows=20-21");
        r.steps = &steps;
        r.stop_at_line = 32;
        scan_rig_do(&r, RS_END_INTERRUPTED);
        r.stop_at_line = 0;
        scan_rig_option(&r, "lose", "20");
        scan_rig_resume(&r, rows == 1 ? RS_END_FAILED : RS_END_DONE);
        assert_true(session_has_event(
            r.path, rows == 1 ? "1 of 1 lines that were scanned again are lost" : "1 of 2 lines"));
        assert_int_equal(progress_of(&r).lines, 32);
    }
}

/* ------------------------------------------------------------------------------------- all steps */

static void sleep_once(scan_rig *r, int k)
{
    (void)k;
    if (r->points == 1) rs_os_sleep(0.4);
}

/* The time that one list has used up is no other's. */
static void the_budget_is_for_all_lists(void **state)
{
    (void)state;
    test_not_quick();
    scan_rig r;
    rs_flow steps;
    small(&r, "budget_steps.h5");
    parse(&steps, "survey; choose max_points=3; loops; choose max_points=2; loops");
    r.steps = &steps;
    r.set.budget = 0.3;
    r.measured = sleep_once;
    scan_rig_do(&r, RS_END_DONE);
    const rs_session_progress p = progress_of(&r);
    assert_int_equal(p.measured, 1);
    assert_true(session_has_event(r.path, "out of time"));
}

/* The run's number of points is that of all choices; a step's own is for each. */
static void the_number_of_points_is_for_all_choices(void **state)
{
    (void)state;
    test_not_quick();
    for (int own = 0; own < 2; own++) {
        scan_rig r;
        rs_flow steps;
        small(&r, "most.h5");
        parse(&steps, own ? "survey; choose max_points=2; repeat steps=1 times=3"
                          : "survey; choose; repeat steps=1 times=3");
        r.steps = &steps;
        r.set.max_points = 4;
        scan_rig_do(&r, RS_END_DONE);
        assert_int_equal(progress_of(&r).points, own ? 6 : 4);
    }
}

/* ----------------------------------------------------------------------------------------- drift */

/* Where the tip went to for point k, m from where the point was chosen; vx of the latest look. */
static double farthest(const scan_rig *r, int from, double *vx)
{
    rs_session *s = NULL;
    reshed_error err = {0};
    rs_session_progress p;
    rs_session_drift d;
    double most = 0;
    assert_ok(rs_session_open(r->path, &s, &err), &err);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    assert_true(p.drifts > 0);
    assert_ok(rs_session_read_drift(s, p.drifts - 1, 1, &d, &err), &err);
    *vx = d.vx;
    for (int k = from; k < p.points; k++) {
        rs_session_point q;
        assert_ok(rs_session_read_points(s, k, 1, &q, &err), &err);
        most = fmax(most, hypot(q.device_x - q.x, q.device_y - q.y));
    }
    rs_session_finish(s, RESHED_OK, NULL);
    return most;
}

/* After an interruption the survey's times are another run's: no velocity is made of them and of the clock
 * that the instrument has now. */
static void drift_after_an_interruption_is_a_plain_shift(void **state)
{
    (void)state;
    test_not_quick();
    for (int still = 0; still < 2; still++) {
        scan_rig r;
        double vx;
        scan_rig_init(&r, "drift_resume.h5");
        remove(r.path);
        scan_rig_option(&r, "drift_x", still ? "0" : "2e-10");
        r.set.patch = 32;
        r.set.drift_every = 3;
        r.set.reference_every = 0;
        r.stop_at_point = 2;
        scan_rig_do(&r, RS_END_INTERRUPTED);
        farthest(&r, 0, &vx);
        assert_true(isfinite(vx));
        r.stop_at_point = 0;
        scan_rig_resume(&r, RS_END_DONE);
        const double most = farthest(&r, 2, &vx);
        printf("# at most %.2f nm from where the points were chosen%s\n", 1e9 * most,
               still ? ", without a drift" : "");
        assert_true(isnan(vx));
        assert_true(most < (still ? 4e-9 : 40e-9));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tip_that_has_gone_pauses_the_list),
        cmocka_unit_test(an_alarm_after_a_rescan_is_obeyed),
        cmocka_unit_test(a_rescan_that_brings_nothing_is_a_failure),
        cmocka_unit_test(the_budget_is_for_all_lists),
        cmocka_unit_test(the_number_of_points_is_for_all_choices),
        cmocka_unit_test(drift_after_an_interruption_is_a_plain_shift),
    };
    return cmocka_run_group_tests_name("scan_steps", tests, NULL, scan_rig_teardown);
}
