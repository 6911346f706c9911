/* An acquisition from the first line to the last loop, on the twin, and everything that can go
 * wrong on the way. */
#include "support/scan_rig.h"
#include "support/session_sim.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"

/* ------------------------------------------------------------------------------------- complete */

static void a_region_is_measured_to_the_end(void **state)
{
    (void)state;
    scan_rig r;
    rs_session_progress p;
    scan_rig_init(&r, "complete.h5");
    scan_rig_do(&r, RS_END_DONE);
    assert_int_equal(r.arrived, 64);
    scan_rig_check_analysis(&r, true, &p);
    assert_true(p.complete);
    assert_int_equal(p.lines, 64);
    assert_int_equal(p.lost, 0);
    assert_true(p.points >= 6 && p.points <= 12);
    assert_int_equal(p.measured, p.points);
    assert_int_equal(r.points, p.points);
    assert_int_equal(p.patches, (p.points + 4) / 5);
    assert_int_equal(p.references, (p.points + 4) / 5);
    printf("# %d points, %d patches, %d drifts\n", p.points, p.patches, p.drifts);
}

static void the_same_seed_gives_the_same_raw_data(void **state)
{
    (void)state;
    test_not_quick();
    scan_rig a, b;
    scan_rig_init(&a, "same_a.h5");
    scan_rig_init(&b, "same_b.h5");
    a.set.voltage = b.set.voltage = 0; /* no points */
    b.set.queue = 8;
    b.line_sleep = 0.01; /* however slowly it goes */
    scan_rig_open(&a);
    scan_rig_run(&a);
    scan_rig_open(&b);
    scan_rig_run(&b);
    assert_true(scan_rig_digest(a.session, 8) != 0);
    assert_int_equal(scan_rig_rows(a.session, false, RS_SESSION_ARRIVED), 64);
    assert_int_equal(scan_rig_rows(b.session, true, RS_SESSION_ARRIVED), 64);
    scan_rig_close(&a);
    scan_rig_close(&b);
    rs_session_progress p;
    scan_rig_check_analysis(&a, false, &p);
    assert_int_equal(p.points, 0);
    scan_rig_check_analysis(&b, false, &p);
}

/* ---------------------------------------------------------------------------------- twin faults */

static void check_rows(const scan_rig *r, int arrived, int lost)
{
    reshed_error err = {0};
    rs_session *s = NULL;
    assert_ok(rs_session_open(r->path, &s, &err), &err);
    for (int retrace = 0; retrace < 2; retrace++) {
        assert_int_equal(scan_rig_rows(s, retrace, RS_SESSION_ARRIVED), arrived);
        assert_int_equal(scan_rig_rows(s, retrace, RS_SESSION_LOST), lost);
    }
    rs_session_finish(s, RESHED_OK, NULL);
}

static void a_short_stall_is_waited_for(void **state)
{
    (void)state;
    scan_rig r;
    rs_session_progress p;
    scan_rig_init(&r, "stall.h5");
    scan_rig_option(&r, "clock", "1000");
    scan_rig_option(&r, "stall", "20");
    scan_rig_option(&r, "stall_seconds", "400"); /* 0.4 s of real time */
    r.set.max_points = 4;
    scan_rig_do(&r, RS_END_DONE);
    scan_rig_check_analysis(&r, true, &p);
    check_rows(&r, 64, 0);
}

static bool is_halted(rs_instrument *d)
{
    reshed_error err = {0};
    double bias = 1, drive = 1;
    assert_int_equal(rs_instrument_read_signal(d, "Bias", &bias, 1, &err), RS_DRIVER_OK);
    assert_int_equal(rs_instrument_read_signal(d, "Drive", &drive, 1, &err), RS_DRIVER_OK);
    /* Nothing starts by itself after it. */
    assert_int_equal(rs_instrument_start(d, 0, 1, &err), RS_DRIVER_REFUSED);
    return bias == 0 && drive == 0;
}

/* The scan hangs for longer than a line may be late; the rows before are safe, and with another
 * start the rest comes. */
static void a_long_stall_is_a_lost_instrument(void **state)
{
    (void)state;
    test_not_quick();
    scan_rig r;
    rs_session_progress p;
    reshed_error err = {0};
    scan_rig_init(&r, "hang.h5");
    scan_rig_option(&r, "clock", "1000");
    scan_rig_option(&r, "stall", "20");
    scan_rig_option(&r, "stall_seconds", "1e7");
    r.set.line_timeout = 0.6;
    r.set.max_points = 4;
    scan_rig_open(&r);
    assert_int_equal(scan_rig_run(&r), RS_END_LOST);
    assert_int_equal(r.outcome.driver, RS_DRIVER_LOST);
    assert_int_equal(r.outcome.err.status, RESHED_ETIMEOUT);
    assert_int_equal(rs_instrument_halt(r.instrument, 1, &err), RS_DRIVER_OK);
    assert_true(is_halted(r.instrument));
    const uint64_t before = scan_rig_digest(r.session, 20);
    scan_rig_close(&r);
    check_rows(&r, 20, 0);

    r.options -= 2; /* it does not hang again */
    r.set.line_timeout = 5;
    scan_rig_resume(&r, RS_END_DONE);
    scan_rig_check_analysis(&r, true, &p);
    check_rows(&r, 64, 0);
    rs_session *s = NULL;
    assert_ok(rs_session_open(r.path, &s, &err), &err);
    assert_true(scan_rig_digest(s, 20) == before);
    rs_session_finish(s, RESHED_OK, NULL);
}

static void a_line_that_does_not_come_is_noted_and_the_scan_goes_on(void **state)
{
    (void)state;
    scan_rig r;
    rs_session_progress p;
    static const char *const at[] = {"0", "17", "63"};
    for (int i = 0; i < 3; i++) {
        char name[32];
        snprintf(name, sizeof name, "lost%d.h5", i);
        scan_rig_init(&r, name);
        scan_rig_option(&r, "lose", at[i]);
        r.set.max_points = 2;
        scan_rig_do(&r, RS_END_DONE);
        scan_rig_check_analysis(&r, true, &p);
        assert_int_equal(p.lines, 63);
        assert_int_equal(p.lost, 1);
        assert_int_equal(r.lost, 1);
        check_rows(&r, 63, 1);
    }
}

static void a_line_of_nan_arrives_and_is_counted(void **state)
{
    (void)state;
    scan_rig r;
    rs_session_progress p;
    reshed_error err = {0};
    rs_session *s = NULL;
    rs_session_arrival a[64];
    scan_rig_init(&r, "nan.h5");
    scan_rig_option(&r, "nan", "30");
    r.set.max_points = 2;
    scan_rig_do(&r, RS_END_DONE);
    scan_rig_check_analysis(&r, true, &p);
    assert_int_equal(p.lines, 64);
    assert_ok(rs_session_open(r.path, &s, &err), &err);
    assert_ok(rs_session_read_arrivals(s, false, a, &err), &err);
    for (int i = 0; i < 64; i++) assert_int_equal(a[i].nans, i == 30 ? 64 : 0);
    rs_session_finish(s, RESHED_OK, NULL);
}

/* The raw lines that were there stay as they were, and all others come. */
static void a_lost_instrument_can_be_resumed(void **state)
{
    (void)state;
    test_not_quick();
    scan_rig r;
    rs_session_progress p;
    reshed_error err = {0};
    rs_session *s = NULL;
    for (int upward = 0; upward < 2; upward++) {
        scan_rig_init(&r, upward ? "gone_up.h5" : "gone.h5");
        r.set.upward = upward;
        r.set.max_points = 4;
        scan_rig_option(&r, "disconnect", "40");
        scan_rig_open(&r);
        assert_int_equal(scan_rig_run(&r), RS_END_LOST);
        assert_int_equal(r.outcome.driver, RS_DRIVER_LOST);
        /* It says that it cannot be halted, and does not crash. */
        assert_int_equal(rs_instrument_halt(r.instrument, 1, &err), RS_DRIVER_LOST);
        scan_rig_close(&r);
        check_rows(&r, upward ? 23 : 40, 0);
        assert_ok(rs_session_open(r.path, &s, &err), &err);
        rs_line line = {.spectra = rs_alloc(2 * 64 * 65, sizeof(float)), .cols = 64, .bins = 65};
        float *again = rs_alloc(2 * 64 * 65, sizeof(float));
        const int row = upward ? 50 : 11;
        assert_ok(rs_session_read_line(s, row, false, &line, NULL, &err), &err);
        rs_session_finish(s, RESHED_OK, NULL);

        scan_rig_option(&r, "reconnect", "1");
        scan_rig_resume(&r, RS_END_DONE);
        scan_rig_check_analysis(&r, true, &p);
        check_rows(&r, 64, 0);
        assert_ok(rs_session_open(r.path, &s, &err), &err);
        float *first = line.spectra;
        line.spectra = again;
        assert_ok(rs_session_read_line(s, row, false, &line, NULL, &err), &err);
        assert_memory_equal(first, again, 2 * 64 * 65 * sizeof(float));
        assert_true(isfinite(first[0]) && first[0] != 0);
        rs_session_finish(s, RESHED_OK, NULL);
        rs_free(first);
        rs_free(again);
    }
}

static void slow_replies_make_it_slower_and_no_worse(void **state)
{
    (void)state;
    test_not_quick();
    scan_rig r;
    rs_session_progress p;
    scan_rig_init(&r, "slow.h5");
    scan_rig_option(&r, "reply_delay", "0.003");
    r.set.max_points = 2;
    scan_rig_do(&r, RS_END_DONE);
    scan_rig_check_analysis(&r, true, &p);
    check_rows(&r, 64, 0);
}

static void a_lost_spectrum_costs_its_point_and_no_other(void **state)
{
    (void)state;
    test_not_quick();
    scan_rig r;
    rs_session_progress p;
    scan_rig_init(&r, "lost_spectrum.h5");
    scan_rig_option(&r, "lose_spectrum", "3"); /* the first is the reference */
    r.set.max_points = 6;
    r.set.reference_every = 50;
    scan_rig_do(&r, RS_END_DONE);
    scan_rig_check_analysis(&r, true, &p);
    assert_int_equal(p.points, 6);
    assert_int_equal(p.measured, 5);
    for (int k = 0; k < 6; k++)
        assert_int_equal(scan_rig_point(&r, k, NULL, NULL),
                         k == 2 ? RS_SESSION_POINT_LOST : RS_SESSION_MEASURED);
    assert_true(session_has_event(r.path, "point 2"));
}

static void a_spectrum_of_nan_is_measured_once_more(void **state)
{
    (void)state;
    test_not_quick();
    scan_rig r;
    rs_session_progress p;
    double width = 0;
    scan_rig_init(&r, "nan_spectrum.h5");
    scan_rig_option(&r, "nan_spectrum", "2");
    r.set.max_points = 4;
    r.set.reference_every = 50;
    scan_rig_do(&r, RS_END_DONE);
    scan_rig_check_analysis(&r, true, &p);
    for (int k = 0; k < 4; k++) {
        assert_int_equal(scan_rig_point(&r, k, "width_mid", &width), RS_SESSION_MEASURED);
        assert_true(isfinite(width)); /* a spectrum that stays bad: test_scan_points */
    }
    assert_true(session_has_event(r.path, "point 1: bad spectra, measured once more"));
}

/* A first reference without a loop is no reference: a later one has to take its place, or a
 * changed tip would go unnoticed. */
static void a_reference_of_nan_is_not_what_others_are_compared_with(void **state)
{
    (void)state;
    test_not_quick();
    for (int fault = 0; fault < 2; fault++) {
        scan_rig r;
        scan_rig_init(&r, fault ? "nan_reference.h5" : "lost_reference.h5");
        scan_rig_option(&r, fault ? "nan_spectrum" : "lose_spectrum", "0");
        scan_rig_option(&r, "tip_change", "1");
        scan_rig_option(&r, "tip_change_time", "67"); /* s: after the second reference */
        r.set.max_points = 12;
        r.set.drift_every = 0;
        r.set.reference_every = 3;
        r.set.reference_change = 0.1;
        scan_rig_do(&r, RS_END_TIP_CHANGED);
        assert_true(session_has_event(r.path, "reference loop"));
    }
}

/* ------------------------------------------------------------------------------- slow inference */

/* The network takes 16 periods of a line for every push. The queue fills, the scan pauses at the
 * end of a line, and nothing is lost. */
static void a_slow_network_makes_the_scan_pause(void **state)
{
    (void)state;
    test_not_quick();
    scan_rig r;
    rs_session_progress p;
    scan_rig_init(&r, "behind.h5");
    scan_rig_option(&r, "clock", "200"); /* a row each 5 ms */
    scan_rig_option(&r, "queue", "64");
    r.set.queue = 8;
    r.set.voltage = 0;
    r.line_sleep = 16 * 5e-3;
    scan_rig_do(&r, RS_END_DONE);
    scan_rig_check_analysis(&r, false, &p);
    check_rows(&r, 64, 0);
    assert_true(r.pauses >= 3 && r.pauses <= 32); /* not one for each line */
    printf("# %d pauses for 64 rows and a queue of 8 lines\n", r.pauses);
}

/* -------------------------------------------------------------------------------- interruptions */

/* A line of the scan, and a loop, that take an hour: neither is waited for. */
static void interrupted_means_at_once(void **state)
{
    (void)state;
    test_not_quick();
    scan_rig r;
    rs_session_progress p;
    reshed_error err = {0};
    rs_session *s = NULL;
    scan_rig_init(&r, "at_once.h5");
    scan_rig_option(&r, "clock", "real");
    r.set.line_rate = 1.0 / 3600;
    r.set.line_timeout = 1e4;
    r.stop_at_ask = 5;
    scan_rig_do(&r, RS_END_INTERRUPTED);
    assert_ok(rs_session_open(r.path, &s, &err), &err);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    assert_int_equal(p.lines, 0);
    rs_session_finish(s, RESHED_OK, NULL);

    scan_rig_init(&r, "at_once_too.h5");
    r.set.drift_every = r.set.reference_every = 0;
    r.set.dwell = 100;
    r.stop_at_line = 64; /* the survey on a clock that takes no time, the list on a real one */
    scan_rig_do(&r, RS_END_INTERRUPTED);
    scan_rig_option(&r, "clock", "real");
    r.stop_at_line = 0;
    r.stop_at_ask = 8;
    scan_rig_resume(&r, RS_END_INTERRUPTED);
    assert_ok(rs_session_open(r.path, &s, &err), &err);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    assert_int_equal(p.measured, 0);
    assert_true(p.first_pending == 0 && p.points > 0);
    rs_session_finish(s, RESHED_OK, NULL);
}

static void it_can_be_interrupted_anywhere_and_goes_on(void **state)
{
    (void)state;
    test_not_quick();
    scan_rig r;
    rs_session_progress p;
    reshed_error err = {0};
    rs_session *s = NULL;
    scan_rig_init(&r, "stop.h5");
    r.stop_at_line = 13;
    scan_rig_do(&r, RS_END_INTERRUPTED);
    assert_ok(rs_session_open(r.path, &s, &err), &err);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    assert_false(p.complete);
    assert_true(p.lines >= 13 && p.lines < 64);
    const int held = p.lines;
    const uint64_t before = scan_rig_digest(s, held);
    rs_session_finish(s, RESHED_OK, NULL);

    r.stop_at_line = 40; /* a second time, counted from the beginning */
    scan_rig_resume(&r, RS_END_INTERRUPTED);
    r.stop_at_line = 0;
    r.stop_at_point = 4;
    scan_rig_resume(&r, RS_END_INTERRUPTED);
    assert_ok(rs_session_open(r.path, &s, &err), &err);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    assert_int_equal(p.lines, 64);
    assert_int_equal(p.measured, 4);
    assert_true(scan_rig_digest(s, held) == before);
    rs_session_finish(s, RESHED_OK, NULL);

    r.stop_at_point = 0;
    scan_rig_resume(&r, RS_END_DONE);
    scan_rig_check_analysis(&r, true, &p);
    assert_true(p.complete && p.points > 4);
    assert_int_equal(p.measured, p.points);
    check_rows(&r, 64, 0);
}

/* ---------------------------------------------------------------------------------------- alarm */

static void the_alarm_does_what_was_asked(void **state)
{
    (void)state;
    test_not_quick();
    static const rs_end ends[] = {RS_END_DONE, RS_END_ALARMED, RS_END_ALARMED};
    for (int policy = 0; policy < 3; policy++) {
        scan_rig r;
        rs_session_progress p;
        char name[32];
        snprintf(name, sizeof name, "alarm%d.h5", policy);
        scan_rig_init(&r, name);
        r.set.alarm = policy;
        r.set.max_points = 2;
        r.score = 3;
        r.alarm_score = 2;
        scan_rig_do(&r, ends[policy]);
        assert_true(session_has_event(r.path, "out of distribution"));
        reshed_error err = {0};
        rs_session *s = NULL;
        assert_ok(rs_session_open(r.path, &s, &err), &err);
        assert_ok(rs_session_get_progress(s, &p, &err), &err);
        assert_int_equal(p.points, policy == RS_SCAN_ALARM_CONTINUE ? 2 : 0);
        rs_session_finish(s, RESHED_OK, NULL);
        if (policy == RS_SCAN_ALARM_CONTINUE) scan_rig_check_analysis(&r, true, &p);

        r.score = 1; /* what looked strange is gone */
        if (policy == RS_SCAN_ALARM_STOP) {
            scan_rig_resume(&r, RS_END_DONE);
            scan_rig_check_analysis(&r, true, &p);
            assert_int_equal(p.points, 2);
        }
    }
}

/* --------------------------------------------------------------------------------------- memory */

static void memory_stays_flat(void **state)
{
    (void)state;
    test_not_quick();
#if defined(__SANITIZE_ADDRESS__)
    skip(); /* it keeps what is freed */
#else
    size_t before = 0;
    for (int i = 0; i < 20; i++) {
        scan_rig r;
        char name[32];
        snprintf(name, sizeof name, "flat%d.h5", i);
        scan_rig_init(&r, name);
        r.set.rows = r.set.cols = 32;
        r.set.width = r.set.height = 0.45e-6;
        r.set.patch = 16;
        r.set.max_points = 3;
        scan_rig_open(&r);
        scan_rig_run(&r);
        scan_rig_close(&r);
        assert_int_equal(r.outcome.end, RS_END_DONE);
        remove(r.path);
        if (i == 4) before = rs_os_peak_rss();
    }
    const size_t after = rs_os_peak_rss();
    printf("# largest memory after 5 frames %.2f MiB, after 20 %.2f MiB\n",
           (double)before / 1048576, (double)after / 1048576);
    assert_true(after < before + (1 << 20));
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_region_is_measured_to_the_end),
        cmocka_unit_test(the_same_seed_gives_the_same_raw_data),
        cmocka_unit_test(a_short_stall_is_waited_for),
        cmocka_unit_test(a_long_stall_is_a_lost_instrument),
        cmocka_unit_test(a_line_that_does_not_come_is_noted_and_the_scan_goes_on),
        cmocka_unit_test(a_line_of_nan_arrives_and_is_counted),
        cmocka_unit_test(a_lost_instrument_can_be_resumed),
        cmocka_unit_test(slow_replies_make_it_slower_and_no_worse),
        cmocka_unit_test(a_lost_spectrum_costs_its_point_and_no_other),
        cmocka_unit_test(a_spectrum_of_nan_is_measured_once_more),
        cmocka_unit_test(a_reference_of_nan_is_not_what_others_are_compared_with),
        cmocka_unit_test(a_slow_network_makes_the_scan_pause),
        cmocka_unit_test(it_can_be_interrupted_anywhere_and_goes_on),
        cmocka_unit_test(interrupted_means_at_once),
        cmocka_unit_test(the_alarm_does_what_was_asked),
        cmocka_unit_test(memory_stays_flat),
    };
    return cmocka_run_group_tests_name("scan", tests, NULL, scan_rig_teardown);
}
