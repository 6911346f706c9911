/* A main loop that is stuck in a write to a disk that does not come back: the watchdog's thread halts
 * the instrument, and the run, once it can go on, ends as a failure and touches nothing any more. */
#include "support/disk.h"
#include "support/nanonis_rig.h"
#include "support/support.h"

#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "spm/scan/run.h"

/* What was warned of. */
typedef struct warned {
    int n;
    char what[512], why[512];
} warned;

static void keep(void *ctx, bool serious, const char *what, const reshed_error *why)
{
    warned *w = ctx;
    w->n += serious;
    snprintf(w->what, sizeof w->what, "%s", what);
    reshed_error_text(why, w->why, sizeof w->why);
}

enum { AT = 6 }; /* the call that blocks: while the first lines are stored */

static void a_blocked_disk_is_a_halt(void **state)
{
    (void)state;
    static const char *const given[] = {"rows", "cols", "width", "height"};
    char ports[64];
    snprintf(ports, sizeof ports, "%d,%d", emu_port(nano.emu, 0), emu_port(nano.emu, 1));
    const rs_driver_option option[] = {
        {"channel", "LI Demod 1 R"}, {"ports", ports}, {"modulator", "1"}};
    reshed_error err = {0};
    rs_scan_plan plan;
    rs_scan_plan_defaults(&plan);
    plan.driver = "nanonis";
    plan.option = option;
    plan.options = 3;
    plan.given = given;
    plan.givens = 4;
    plan.settings.rows = plan.settings.cols = 32;
    plan.settings.width = plan.settings.height = 1e-6;
    plan.settings.voltage = 0;
    plan.settings.watch = 1.5;
    plan.stream.threads = 1;
    rs_scan_run r = {.plan = &plan};
    /* Of a driver without rescue: the thread alone, since this process must not be killed. */
    assert_ok(rs_watch_start("twin", NULL, 0, NULL, NULL, &r.watch, &err), &err);
    assert_ok(rs_scan_run_load_weights(&r, "weights/tiny8x4.h5", &err), &err);
    assert_ok(rs_scan_run_open(&r, &err), &err);
    assert_ok(rs_scan_run_make_stream(&r, &err), &err);
    assert_ok(rs_scan_run_create(&r, test_temp("blocked.h5"), 0, "2026-11-25T00:00:00Z", &err),
              &err);
    SET(bias, 2.5f);
    SET(z_on, true);
    SET(modulated, true);
    disk_fail_at(AT, DISK_BLOCKS, 1);
    const rs_outcome end = rs_scan_run_region(&r, &(rs_region_options){.measure_news = NULL});
    if (disk_calls() <= AT)
        fail_msg("%ld calls: %d %s | %s | %s", disk_calls(), end.end, end.err.what,
                 end.err.expected, end.err.found);
    disk_fail_at(0, DISK_FINE, 1);
    assert_int_equal(end.end, RS_END_FAILED);
    assert_non_null(strstr(end.err.what, "watchdog"));
    assert_non_null(strstr(r.left, "halted"));
    const emulator *e = emu_state(nano.emu);
    assert_true(e->bias == 0 && !e->modulated && !e->running && !e->z_on);
    assert_true(rs_instrument_is_taken(r.instrument, &err));
    rs_watch *watch = r.watch;
    rs_scan_run_close(&r); /* the session is whole and can be resumed */
    rs_watch_end(watch);
    rs_session *s = NULL;
    rs_session_progress p;
    assert_ok(rs_session_open(test_temp("blocked.h5"), &s, &err), &err);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    assert_true(!p.complete);
    rs_session_finish(s, RESHED_OK, NULL);
}

static void no_news(void *ctx, const rs_survey_news *news)
{
    (void)ctx;
    (void)news;
}

/* A disk that takes nothing for longer than it may is a halt with a reason, not a scan that waits for
 * ever. */
static void a_full_disk_is_waited_for_so_long(void **state)
{
    (void)state;
    for (int fails = 0; fails < 2; fails++) {
        static const char *const given[] = {"rows", "cols", "width", "height"};
        warned w = {0};
        reshed_error err = {0};
        rs_scan_plan plan;
        char path[512];
        snprintf(path, sizeof path, "%s", test_temp(fails ? "full.h5" : "fine.h5"));
        rs_scan_plan_defaults(&plan);
        plan.driver = "twin";
        plan.option = (const rs_driver_option[]){{"clock", "0"}};
        plan.options = 1;
        plan.given = given;
        plan.givens = 4;
        plan.settings.rows = plan.settings.cols = 32;
        plan.settings.width = plan.settings.height = 1e-6;
        plan.settings.voltage = 0;
        plan.settings.disk_wait = fails ? 0.2 : 100;
        plan.stream.threads = 1;
        rs_scan_run r = {.plan = &plan, .ctx = &w, .warn = keep};
        assert_ok(rs_scan_run_load_weights(&r, "weights/tiny8x4.h5", &err), &err);
        assert_ok(rs_scan_run_open(&r, &err), &err);
        assert_ok(rs_scan_run_make_stream(&r, &err), &err);
        assert_ok(rs_scan_run_create(&r, path, 0, "2026-11-25T00:00:00Z", &err), &err);
        w.n = 0;
        if (fails) disk_fail_at(60, DISK_FULL, 1);
        const rs_region_options o = {.survey = {.news = no_news}};
        const rs_outcome end = rs_scan_run_region(&r, &o);
        disk_fail_at(0, DISK_FINE, 1);
        if (!fails) {
            assert_int_equal(end.end, RS_END_DONE);
            assert_int_equal(w.n, 0);
        } else {
            assert_int_equal(end.end, RS_END_DISK);
            assert_non_null(strstr(end.err.expected, "disk_wait, 0.2 s"));
            assert_true(w.n > 0);
            assert_non_null(strstr(r.left, "halted"));
        }
        rs_session_finish(r.session, fails ? RESHED_EIO : RESHED_OK, NULL);
        r.session = NULL;
        rs_scan_run_close(&r);
    }
}

/* Without band excitation be_amplitude, where it is given, is the drive of the first region, too; what nobody gave
 * is not set, and between several regions it has to be known. */
static void the_drive_is_set_where_it_is_given(void **state)
{
    (void)state;
    for (int k = 0; k < 3; k++) { /* given; not given; not given for two regions */
        static const char *const given[] = {"rows", "cols", "width", "height", "be_amplitude"};
        char ports[64];
        snprintf(ports, sizeof ports, "%d,%d", emu_port(nano.emu, 0), emu_port(nano.emu, 1));
        const rs_driver_option option[] = {
            {"channel", "LI Demod 1 R"}, {"ports", ports}, {"modulator", "1"}};
        reshed_error err = {0};
        rs_scan_plan plan;
        rs_scan_plan_defaults(&plan);
        plan.driver = "nanonis";
        plan.option = option;
        plan.options = 3;
        plan.given = given;
        plan.givens = k == 0 ? 5 : 4;
        plan.regions = k == 2;
        plan.settings.be_amplitude = 0.75;
        plan.settings.rows = plan.settings.cols = 32;
        plan.settings.width = plan.settings.height = 1e-6;
        plan.settings.voltage = 0;
        rs_scan_run r = {.plan = &plan};
        SET(modulation, 0.2f);
        SET(modulated, true);
        assert_int_equal(rs_scan_run_open(&r, &err), k == 2 ? RESHED_EINVAL : RESHED_OK);
        if (k == 2) assert_non_null(strstr(err.what, "be_amplitude"));
        assert_true(emu_state(nano.emu)->modulation == (k == 0 ? 0.75f : 0.2f));
        rs_scan_run_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_blocked_disk_is_a_halt, nano_setup, nano_teardown),
        cmocka_unit_test(a_full_disk_is_waited_for_so_long),
        cmocka_unit_test_setup_teardown(the_drive_is_set_where_it_is_given, nano_setup,
                                        nano_teardown),
    };
    return cmocka_run_group_tests_name("scan_blocked", tests, NULL, NULL);
}
