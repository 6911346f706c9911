/* The points of an acquisition, on the twin: a tip that changes, a budget, a person's yes, and what
 * the limits refuse. */
#include "support/scan_rig.h"
#include "base/alloc.h"
#include "base/os.h"
#include "spm/scan/loops.h"
#include "support/driver_rig.h"
#include "support/session_sim.h"

#include <math.h>
#include <string.h>

/* ------------------------------------------------------------------------------- tip and budget */

static void a_changed_tip_pauses_the_list(void **state)
{
    (void)state;
    test_not_quick();
    for (int contrast = 0; contrast < 2; contrast++) { /* seen by the patch, by the loop */
        scan_rig r;
        rs_session_progress p;
        reshed_error err = {0};
        rs_session *s = NULL;
        scan_rig_init(&r, contrast ? "tip_patch.h5" : "tip_loop.h5");
        scan_rig_option(&r, "seed", "3"); /* a change that dims the picture */
        scan_rig_option(&r, "tip_change", "1");
        scan_rig_option(&r, "tip_change_time", contrast ? "97" : "66");
        r.set.patch = 32; /* the first is over at 96 s */
        r.set.max_points = 12;
        r.set.drift_every = contrast ? 3 : 0;
        r.set.reference_every = contrast ? 0 : 3;
        r.set.reference_change = 0.1;
        scan_rig_do(&r, RS_END_TIP_CHANGED);
        assert_ok(rs_session_open(r.path, &s, &err), &err);
        assert_ok(rs_session_get_progress(s, &p, &err), &err);
        assert_true(p.measured > 0 && p.measured < p.points && !p.complete);
        for (int k = p.measured; k < p.points; k++) {
            rs_session_point q;
            assert_ok(rs_session_read_points(s, k, 1, &q, &err), &err);
            assert_int_equal(q.state, RS_SESSION_PENDING);
        }
        rs_session_finish(s, RESHED_OK, NULL);
        assert_true(session_has_event(r.path, contrast ? "tip seems changed" : "reference loop"));
        /* With the tip as it was (this twin is opened anew) the rest is measured. */
        r.options -= 2;
        scan_rig_resume(&r, RS_END_DONE);
        scan_rig_check_analysis(&r, true, &p);
        assert_int_equal(p.measured, p.points);
    }
}

static void the_budget_thins_and_ends_the_list(void **state)
{
    (void)state;
    scan_rig r;
    rs_session_progress p;
    /* Thinned: a loop of 0.256 s and its share of the rest, in an hour's time. */
    scan_rig_init(&r, "budget.h5");
    scan_rig_option(&r, "clock", "100");
    r.set.drift_every = r.set.reference_every = 0;
    r.set.budget = 1.95; /* a loop takes 0.256 s and the way to it about 0.1 */
    scan_rig_do(&r, RS_END_DONE);
    reshed_error err = {0};
    rs_session *s = NULL;
    assert_ok(rs_session_open(r.path, &s, &err), &err);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    printf("# %d points\n", p.points);
    assert_int_equal(p.points, 5);
    /* Points that did not fit after all are left out, which is noted. */
    int measured = 0, skipped = 0;
    for (int k = 0; k < p.points; k++) {
        rs_session_point q;
        assert_ok(rs_session_read_points(s, k, 1, &q, &err), &err);
        measured += q.state == RS_SESSION_MEASURED;
        skipped += q.state == RS_SESSION_SKIPPED;
    }
    rs_session_finish(s, RESHED_OK, NULL);
    assert_int_equal(measured + skipped, 5);
    assert_true(measured >= 1);
    assert_int_equal(session_has_event(r.path, "out of time"), skipped > 0);
    /* Analysed again without the thinning: the map and the metrics, not the choice. */
    scan_rig_check_analysis(&r, false, &p);
}

static void sleep_a_little(scan_rig *r, int k)
{
    (void)r, (void)k;
    rs_os_sleep(0.05);
}

/* A list that takes longer than was told is thinned on the way; test_thinning says which points go. */
static void a_slow_list_is_thinned_along_its_way(void **state)
{
    (void)state;
    test_not_quick();
    scan_rig r;
    rs_session *s = NULL;
    rs_session_progress p;
    reshed_error err = {0};
    int measured = 0;
    scan_rig_init(&r, "slow_list.h5");
    r.set.drift_every = r.set.reference_every = 0;
    r.set.max_points = 20;
    r.set.budget = 0.8;
    r.measured = sleep_a_little;
    scan_rig_do(&r, RS_END_DONE);
    assert_ok(rs_session_open(r.path, &s, &err), &err);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    assert_int_equal(p.points, 20);
    assert_int_equal(p.first_pending, p.points);
    for (int k = 0; k < p.points; k++) {
        rs_session_point q;
        assert_ok(rs_session_read_points(s, k, 1, &q, &err), &err);
        assert_true(q.state == RS_SESSION_MEASURED || q.state == RS_SESSION_SKIPPED);
        measured += q.state == RS_SESSION_MEASURED;
    }
    rs_session_finish(s, RESHED_OK, NULL);
    printf("# %d of 20 points\n", measured);
    assert_true(measured >= 1 && measured < 20);
    assert_true(session_has_event(r.path, "out of time"));
}

/* What is told before anything is opened is what the instrument takes: its clock runs by itself here. */
static void what_is_told_is_what_it_takes(void **state)
{
    (void)state;
    test_not_quick();
    scan_rig r;
    rs_session *s = NULL;
    rs_session_progress p;
    rs_session_point q;
    reshed_error err = {0};
    scan_rig_init(&r, "told.h5");
    r.set.drift_every = 7;
    r.set.reference_every = 5;
    r.set.max_points = 24;
    scan_rig_do(&r, RS_END_DONE);
    assert_ok(rs_session_open(r.path, &s, &err), &err);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    assert_int_equal(p.points, p.measured);
    assert_ok(rs_session_read_points(s, p.points - 1, 1, &q, &err), &err);
    const bool bands = rs_session_get_setup(s)->caps.band_excitation;
    rs_session_finish(s, RESHED_OK, NULL);
    const rs_durations t = rs_durations_planned(&r.set, bands, p.points);
    const double told = t.survey + rs_durations_of_points(&t, &r.set, 0, p.points);
    printf("# %d points: %.1f s told, %.1f s taken\n", p.points, told, q.time);
    assert_true(p.points >= 15 && fabs(told - q.time) < 0.1 * q.time);
    /* The most points that fit, whatever has been done before. */
    for (int done = 0; done < 12; done++)
        for (int n = 0; n < 30; n++) {
            const double seconds = rs_durations_of_points(&t, &r.set, done, n);
            assert_true(rs_durations_fit(&t, &r.set, done, 100, seconds + 1e-9) == n);
            assert_true(rs_durations_fit(&t, &r.set, done, n / 2, seconds + 1e-9) == n / 2);
        }
    assert_int_equal(rs_durations_fit(&t, &r.set, 0, 100, -1), 0);
}

/* Two points at the frame's centre, wherever walls were found. */
static bool two_points(void *ctx, const rs_choice *choice, rs_session_point **points, int *n)
{
    const scan_rig *r = ctx;
    (void)choice;
    if (r->ctx) { /* from now on another band */
        rs_be_setup be = rs_scan_be(&r->set);
        be.centre *= 2;
        reshed_error err = {0};
        assert_status(rs_instrument_set_be(r->instrument, &be, 10, &err), RS_DRIVER_OK);
    }
    rs_free(*points);
    *points = rs_zalloc(2, sizeof **points);
    *n = 2;
    for (int k = 0; k < 2; k++) {
        rs_session_point *p = &(*points)[k];
        *p = (rs_session_point){.row = (r->frame.rows - 1) / 2.0, .col = (r->frame.cols - 1) / 2.0};
        p->x = r->frame.cx;
        p->y = r->frame.cy;
        p->measured_x = p->measured_y = p->time = NAN;
        p->target = k;
        p->wall = -1;
    }
    return true;
}

/* A band without a resonance: each point is measured twice, which is noted, and none is trusted. */
static void bad_spectra_are_measured_once_more(void **state)
{
    (void)state;
    for (int noisy = test_quick(); noisy < 2; noisy++) {
        scan_rig r;
        rs_session_progress p;
        reshed_error err = {0};
        rs_session *s = NULL;
        int trusted = -1;
        scan_rig_init(&r, noisy ? "once_more.h5" : "once.h5");
        r.ctx = noisy ? &r : NULL;
        r.confirm = two_points;
        r.set.drift_every = r.set.reference_every = 0;
        scan_rig_do(&r, RS_END_DONE);
        assert_int_equal(session_has_event(r.path, "measured once more"), noisy);
        assert_ok(rs_session_open(r.path, &s, &err), &err);
        assert_ok(rs_session_get_progress(s, &p, &err), &err);
        assert_ok(rs_scan_loops_trusted(s, &trusted, &err), &err);
        assert_int_equal(p.points, 2);
        assert_int_equal(p.measured, p.points);
        assert_true(noisy ? trusted == 0 : trusted > 0);
        rs_session_finish(s, RESHED_OK, NULL);
    }
}

/* --------------------------------------------------------------------------- confirm and safety */

static bool refuse(void *ctx, const rs_choice *choice, rs_session_point **points, int *n)
{
    scan_rig *r = ctx;
    (void)points;
    assert_true(choice->n >= *n);
    *(int *)r->ctx = *n;
    return false;
}

static bool keep_every_other(void *ctx, const rs_choice *choice, rs_session_point **points, int *n)
{
    scan_rig *r = ctx;
    (void)choice;
    const int kept = (*n + 1) / 2;
    for (int i = 0; i < kept; i++) {
        (*points)[i] = (*points)[2 * i];
        (*points)[i].target = i;
    }
    *n = kept;
    *(int *)r->ctx = kept;
    return true;
}

static void points_wait_for_a_yes(void **state)
{
    (void)state;
    test_not_quick();
    scan_rig r;
    rs_session_progress p;
    reshed_error err = {0};
    rs_session *s = NULL;
    int n = 0;
    scan_rig_init(&r, "confirm.h5");
    r.ctx = &n;
    r.confirm = refuse;
    scan_rig_do(&r, RS_END_UNCONFIRMED);
    assert_true(n > 2);
    assert_ok(rs_session_open(r.path, &s, &err), &err);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    assert_int_equal(p.points, 0);
    rs_session_finish(s, RESHED_OK, NULL);
    r.confirm = keep_every_other;
    scan_rig_resume(&r, RS_END_DONE);
    scan_rig_check_analysis(&r, false, &p);
    assert_int_equal(p.points, n);
    assert_int_equal(p.measured, n);
}

static bool outside(void *ctx, const rs_choice *choice, rs_session_point **points, int *n)
{
    (void)ctx;
    (void)choice;
    (*points)[*n - 1].x = 1.2e-6; /* the stage ends at 1.05 um */
    return true;
}

static void where_is_the_tip(const scan_rig *r, double *x, double *y)
{
    reshed_error err = {0};
    assert_int_equal(rs_instrument_get_tip(r->instrument, x, y, 1, &err), RS_DRIVER_OK);
}

static void a_point_beyond_the_stage_refuses_the_whole_list(void **state)
{
    (void)state;
    test_not_quick();
    scan_rig r;
    double x, y;
    scan_rig_init(&r, "outside.h5");
    r.confirm = outside;
    scan_rig_open(&r);
    assert_int_equal(scan_rig_run(&r), RS_END_REFUSED);
    assert_int_equal(r.outcome.err.status, RESHED_EINVAL);
    assert_int_equal(r.points, 0);
    where_is_the_tip(&r, &x, &y);
    assert_true(fabs(y) > 0.4e-6); /* still where the last line ended */
    scan_rig_close(&r);
    r.confirm = NULL;
    scan_rig_resume(&r, RS_END_DONE);
}

static void a_bias_beyond_the_limit_is_refused_before_anything_moves(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        scan_rig r;
        rs_session_progress p;
        reshed_error err = {0};
        scan_rig_init(&r, i ? "bias_user.h5" : "bias_driver.h5");
        r.set.voltage = i ? 6 : 11; /* the twin allows 10 V */
        r.set.max_bias = i ? 5 : 0;
        scan_rig_open(&r);
        assert_int_equal(scan_rig_run(&r), RS_END_REFUSED);
        assert_int_equal(r.outcome.err.status, RESHED_EINVAL);
        assert_int_equal(r.outcome.driver, RS_DRIVER_REFUSED);
        assert_int_equal(r.arrived, 0);
        assert_ok(rs_session_get_progress(r.session, &p, &err), &err);
        assert_int_equal(p.lines, 0);
        scan_rig_close(&r);
    }
}

static void a_frame_beyond_the_stage_is_refused(void **state)
{
    (void)state;
    scan_rig r;
    scan_rig_init(&r, "frame.h5");
    r.set.x = 0.7e-6; /* + 0.45 um is more than 1.05 um */
    assert_false(scan_rig_connect(&r));
    assert_int_equal(r.status, RS_DRIVER_REFUSED);
    rs_instrument_close(r.instrument);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_changed_tip_pauses_the_list),
        cmocka_unit_test(the_budget_thins_and_ends_the_list),
        cmocka_unit_test(a_slow_list_is_thinned_along_its_way),
        cmocka_unit_test(what_is_told_is_what_it_takes),
        cmocka_unit_test(points_wait_for_a_yes),
        cmocka_unit_test(bad_spectra_are_measured_once_more),
        cmocka_unit_test(a_point_beyond_the_stage_refuses_the_whole_list),
        cmocka_unit_test(a_bias_beyond_the_limit_is_refused_before_anything_moves),
        cmocka_unit_test(a_frame_beyond_the_stage_is_refused),
    };
    return cmocka_run_group_tests_name("scan_points", tests, NULL, scan_rig_teardown);
}
