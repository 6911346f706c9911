/* A main loop that is stuck in a write to a disk that does not come back: the watchdog's thread halts
 * the instrument, and the run, once it can go on, ends as a failure and touches nothing any more. */
#include "support/disk.h"
#include "support/nanonis_rig.h"
#include "support/support.h"

#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "spm/scan/run.h"

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
    assert_true(disk_calls() > AT);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_blocked_disk_is_a_halt, nano_setup, nano_teardown),
    };
    return cmocka_run_group_tests_name("scan_blocked", tests, NULL, NULL);
}
