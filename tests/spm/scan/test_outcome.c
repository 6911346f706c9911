/* Ends of runs: statuses as outcomes, and an analysis that cannot be done. */
#include "support/scan_rig.h"

#include <math.h>
#include <string.h>

#include "base/os.h"

static void a_status_says_why_it_ended(void **state)
{
    (void)state;
    reshed_error err = {.what = "it"};
    static const struct {
        reshed_status st;
        rs_end end;
    } own[] = {
        {RESHED_EIO, RS_END_DISK}, {RESHED_ENOMEM, RS_END_FAILED}, {RESHED_EINVAL, RS_END_FAILED}};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        const rs_outcome o = rs_outcome_status(own[i].st, &err);
        assert_int_equal(o.end, own[i].end);
        assert_int_equal(o.err.status, own[i].st); /* also where err had none */
        assert_string_equal(o.err.what, "it");
        assert_int_equal(o.driver, RS_DRIVER_OK);
        assert_true(rs_outcome_failed(&o));
    }
    static const struct {
        rs_driver_status driver;
        rs_end end;
        reshed_status st;
    } driver[] = {{RS_DRIVER_REFUSED, RS_END_REFUSED, RESHED_EIO},
                  {RS_DRIVER_LOST, RS_END_LOST, RESHED_EIO},
                  {RS_DRIVER_LOST_LINE, RS_END_FAILED, RESHED_EIO},
                  {RS_DRIVER_RETRY, RS_END_FAILED, RESHED_ETIMEOUT}};
    for (size_t i = 0; i < sizeof driver / sizeof *driver; i++) {
        const rs_outcome o = rs_outcome_driver(driver[i].driver, &err);
        assert_int_equal(o.end, driver[i].end);
        assert_int_equal(o.err.status, driver[i].st);
        assert_int_equal(o.driver, driver[i].driver);
        assert_true(rs_outcome_failed(&o));
    }
    /* An error that an earlier call left does not get into the outcome of one that went well. */
    err.status = RESHED_EINVAL;
    const rs_outcome well[] = {rs_outcome_status(RESHED_OK, &err),
                               rs_outcome_driver(RS_DRIVER_OK, &err),
                               rs_outcome_limits(RESHED_OK, &err)};
    for (size_t i = 0; i < sizeof well / sizeof *well; i++) {
        assert_int_equal(well[i].end, RS_END_DONE);
        assert_int_equal(well[i].err.status, RESHED_OK);
        assert_false(rs_outcome_failed(&well[i]));
    }
    const rs_outcome limit = rs_outcome_limits(RESHED_EINVAL, &err);
    assert_int_equal(limit.end, RS_END_REFUSED);
    assert_int_equal(limit.driver, RS_DRIVER_REFUSED);
    assert_int_equal(limit.err.status, RESHED_EINVAL);
    for (int end = RS_END_INTERRUPTED; end < RS_END_REFUSED; end++) {
        const rs_outcome o = rs_outcome_of((rs_end)end);
        assert_false(rs_outcome_failed(&o));
    }
}

/* ------------------------------------------------------------------------------------- analyses */

/* A small region, scanned and measured. */
static void small_region(scan_rig *r, const char *name, int points)
{
    scan_rig_init(r, name);
    r->set.rows = r->set.cols = 32;
    r->set.width = r->set.height = 0.45e-6;
    r->set.patch = 16;
    r->set.max_points = points;
    if (points == 0) r->set.voltage = 0;
    scan_rig_do(r, RS_END_DONE);
}

static bool yes(void *ctx)
{
    (void)ctx;
    return true;
}

static void an_analysis_finds_what_the_session_says(void **state)
{
    (void)state;
    test_not_quick();
    for (int points = 0; points < 4; points += 3) {
        scan_rig r;
        reshed_error err = {0};
        rs_analysis a = {0};
        small_region(&r, points ? "again.h5" : "again_lines.h5", points);
        rs_scan_context c = {.settings = &r.set, .threads = 1};
        const rs_survey_options so = {.news = NULL};
        assert_ok(rs_session_open(r.path, &c.session, &err), &err);
        rs_outcome o = rs_analyse_compare(&c, r.stream, &so, NULL, &a);
        assert_int_equal(o.end, RS_END_DONE);
        assert_int_equal(a.progress.lines, 32);
        assert_int_equal(a.progress.points, points);
        assert_int_equal(a.rows, 32);
        assert_int_equal(a.loops, points);
        assert_true(a.mean == 0 && a.variance == 0 && a.metric == 0);
        assert_true(points == 0 || a.walls > 0);
        rs_analysis_clear(&a);

        /* Interrupted, it is no comparison. */
        rs_analysis none = {.rows = -1};
        c.interrupted = yes;
        o = rs_analyse_compare(&c, r.stream, &so, NULL, &none);
        assert_int_equal(o.end, RS_END_INTERRUPTED);
        assert_int_equal(none.rows, -1);
        rs_session_finish(c.session, RESHED_OK, NULL);
    }
}

/* Above all while the progress is read, which says how much room the rest needs. */
static void an_analysis_without_memory_says_so(void **state)
{
    (void)state;
    scan_rig r;
    reshed_error err = {0};
    small_region(&r, "nomem.h5", 3);
    rs_scan_context c = {.settings = &r.set, .threads = 1};
    const rs_survey_options so = {.news = NULL};
    assert_ok(rs_session_open(r.path, &c.session, &err), &err);
    int failed = 0;
    for (long n = 0; n < 25; n++) {
        rs_analysis a;
        memset(&a, 0xff, sizeof a);
        const rs_analysis before = a;
        test_alloc_fail_at(n);
        const rs_outcome o = rs_analyse_compare(&c, r.stream, &so, NULL, &a);
        const bool hit = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!hit) break;
        if (o.end == RS_END_DONE) rs_analysis_clear(&a);
        if (o.end == RS_END_DONE) continue; /* the HDF5 library can do without that one */
        failed++;
        assert_true(rs_outcome_failed(&o));
        assert_int_equal(o.err.status, RESHED_ENOMEM);
        assert_memory_equal(&a, &before, sizeof a);
    }
    printf("# %d allocations failed in turn\n", failed);
    assert_true(failed >= 8);
    rs_session_finish(c.session, RESHED_OK, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_says_why_it_ended),
        cmocka_unit_test(an_analysis_finds_what_the_session_says),
        cmocka_unit_test(an_analysis_without_memory_says_so),
    };
    return cmocka_run_group_tests_name("outcome", tests, NULL, scan_rig_teardown);
}
