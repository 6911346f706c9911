/* The traces of a scan on the disk, and the number of its waits for it: syncs, and interruptions
 * between a trace and its retrace. */
#include "support/disk.h"
#include "support/scan_rig.h"

#include <string.h>

#include "base/alloc.h"

static void count_rows(const scan_rig *r, int *traces, int *retraces)
{
    reshed_error err = {0};
    rs_session *s = NULL;
    assert_ok(rs_session_open(r->path, &s, &err), &err);
    *traces = scan_rig_rows(s, false, RS_SESSION_ARRIVED);
    *retraces = scan_rig_rows(s, true, RS_SESSION_ARRIVED);
    rs_session_finish(s, RESHED_OK, NULL);
}

/* Lines that come one by one, on a clock: there and back they cost one sync. */
static void a_line_there_and_back_costs_one_sync(void **state)
{
    (void)state;
    enum { LINES = 24 };
    scan_rig r;
    int traces, retraces;
    scan_rig_init(&r, "syncs.h5");
    scan_rig_option(&r, "clock", "20");
    r.stop_at_line = LINES;
    scan_rig_open(&r);
    disk_fail_at(0, DISK_FINE, 0); /* counts from here */
    assert_int_equal(scan_rig_run(&r), RS_END_INTERRUPTED);
    const long syncs = disk_syncs();
    scan_rig_close(&r);
    count_rows(&r, &traces, &retraces);
    printf("# %ld syncs for %d lines there and %d back\n", syncs, traces, retraces);
    assert_true(traces >= LINES && retraces >= LINES - 1);
    assert_true(syncs <= traces);
}

static rs_line line_room(const rs_session_setup *setup)
{
    const size_t w = (size_t)setup->frame.cols;
    rs_line l = {.cols = setup->frame.cols,
                 .bins = setup->caps.bins,
                 .channels = setup->caps.channels,
                 .spectra = rs_alloc(2 * w * (size_t)setup->caps.bins + 1, sizeof(float)),
                 .channel = rs_alloc(w * (size_t)setup->caps.channels + 1, sizeof(float))};
    assert_true(l.spectra && l.channel);
    return l;
}

/* Puts n lines of the session at `from`, there and back, into r's, but for the last one back. */
static void copy_lines(const char *from, const scan_rig *r, int n, bool upward)
{
    reshed_error err = {0};
    rs_session *s = NULL;
    assert_ok(rs_session_open(from, &s, &err), &err);
    rs_line line = line_room(rs_session_get_setup(s));
    for (int i = 0; i < 2 * n - 1; i++) {
        const int row = upward ? 63 - i / 2 : i / 2;
        assert_ok(rs_session_read_line(s, row, i % 2, &line, NULL, &err), &err);
        assert_ok(rs_session_put_line(r->session, &line, 0, &err), &err);
    }
    rs_free(line.spectra);
    rs_free(line.channel);
    rs_session_finish(s, RESHED_OK, NULL);
}

/* The traces of n lines are those of the session at `from`, bit for bit. */
static void check_traces(const char *from, const char *path, int n, bool upward)
{
    reshed_error err = {0};
    rs_session *a = NULL, *b = NULL;
    assert_ok(rs_session_open(from, &a, &err), &err);
    assert_ok(rs_session_open(path, &b, &err), &err);
    rs_line one = line_room(rs_session_get_setup(a)), other = line_room(rs_session_get_setup(b));
    for (int i = 0; i < n; i++) {
        const int row = upward ? 63 - i : i;
        assert_ok(rs_session_read_line(a, row, false, &one, NULL, &err), &err);
        assert_ok(rs_session_read_line(b, row, false, &other, NULL, &err), &err);
        assert_memory_equal(one.channel, other.channel,
                            (size_t)(one.cols * one.channels) * sizeof(float));
        assert_memory_equal(one.spectra, other.spectra,
                            2 * (size_t)(one.cols * one.bins) * sizeof(float));
    }
    rs_free(one.spectra);
    rs_free(one.channel);
    rs_free(other.spectra);
    rs_free(other.channel);
    rs_session_finish(a, RESHED_OK, NULL);
    rs_session_finish(b, RESHED_OK, NULL);
}

/* The last trace is there and its retrace is not: the row is scanned again for it, and the traces
 * stay as they were. */
static void a_missing_retrace_is_scanned_again(void **state)
{
    (void)state;
    static const struct {
        int lines;
        bool upward;
    } cases[] = {{9, false}, {64, true}, {64, false}, {1, true}};
    scan_rig whole[2];
    for (int up = 0; up < 2; up++) {
        scan_rig_init(&whole[up], up ? "whole_up.h5" : "whole.h5");
        whole[up].set.voltage = 0;
        whole[up].set.upward = up;
        scan_rig_do(&whole[up], RS_END_DONE);
    }
    for (size_t i = 0; i < (size_t)test_tier(1, 2, 4); i++) {
        const char *from = whole[cases[i].upward].path;
        scan_rig r;
        char name[32];
        int traces, retraces;
        snprintf(name, sizeof name, "gap%zu.h5", i);
        scan_rig_init(&r, name);
        scan_rig_option(&r, "noise", "0.5"); /* what is scanned again is not what was there */
        r.set.voltage = 0;
        r.set.upward = cases[i].upward;
        scan_rig_open(&r);
        copy_lines(from, &r, cases[i].lines, cases[i].upward);
        r.outcome.end = RS_END_INTERRUPTED;
        scan_rig_close(&r);
        count_rows(&r, &traces, &retraces);
        assert_true(traces == cases[i].lines && retraces == traces - 1);
        scan_rig_resume(&r, RS_END_DONE);
        count_rows(&r, &traces, &retraces);
        assert_int_equal(traces, 64);
        assert_int_equal(retraces, 64);
        check_traces(from, r.path, cases[i].lines, cases[i].upward);
        rs_session_progress p;
        scan_rig_check_analysis(&r, false, &p);
        assert_true(p.complete);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_there_and_back_costs_one_sync),
        cmocka_unit_test(a_missing_retrace_is_scanned_again),
    };
    return cmocka_run_group_tests_name("scan_durable", tests, NULL, scan_rig_teardown);
}
