/* The nanonis driver against an emulator made from the vendor's description: opening, frames and
 * lines. */
#include "support/nanonis_rig.h"

#include <math.h>
#include <string.h>

#include "base/numeric.h"

/* -------------------------------------------------------------------------------------- opening */

static void opens_and_tells_what_it_has(void **state)
{
    (void)state;
    rs_driver_caps c;
    OPEN("also=z", "retrace=yes", PLAIN, "x_max=3e-6");
    nano.ops->caps(nano.self, &c);
    assert_string_equal(c.instrument,
                        "SPECS Nanonis Mimea, Generic 5e, host R13742, RT engine R13741");
    assert_false(c.band_excitation || c.off_field || c.simulated);
    assert_true(c.retrace && c.clock_rate == 1 && c.bins == 0);
    assert_int_equal(c.channels, 3);
    assert_string_equal(c.channel[0], "Amplitude");
    assert_string_equal(c.unit[0], "m");
    assert_string_equal(c.channel[1], "Phase");
    assert_string_equal(c.unit[1], "rad");
    assert_string_equal(c.channel[2], "Z");
    assert_true(fabs(c.limits.x_min + 10e-6) < 1e-12 && c.limits.x_max == 3e-6);
    assert_true(fabs(c.limits.y_max - 8e-6) < 1e-12);
    assert_true(c.limits.bias_max == 10 && c.limits.drive_max == 0);
    assert_null(nano.ops->set_be);
    /* Two connections: one for commands, one for halt. */
    assert_int_equal(emu_count(nano.emu, "Util.VersionGet"), 2);
}

static void refuses_what_it_cannot_open(void **state)
{
    (void)state;
    is(REFUSED, nano_open((const char *const[]){"phase=No such signal", NULL}));
    is(REFUSED, nano_open((const char *const[]){"nonsense=1", NULL}));
    assert_null(nano.self);
    rs_driver_option o[] = {{"channel", "Z"}, {"ports", "1,2"}}; /* nobody listens there */
    is(LOST, nano.ops->open(o, 2, T, &nano.self, &nano.err));
    assert_null(nano.self);
    /* Only one port that answers: halt would have no connection. */
    char ports[32];
    snprintf(ports, sizeof ports, "1,%d", emu_port(nano.emu, 0));
    o[1].value = ports;
    is(LOST, nano.ops->open(o, 2, T, &nano.self, &nano.err));
    assert_null(nano.self);
}

/* A port that takes connections but does not serve them is passed over. */
static void passes_over_a_deaf_port(void **state)
{
    (void)state;
    test_not_quick();
    emu_set_fault(nano.emu, EMU_SILENT, "Util.VersionGet", 1);
    OPEN(PLAIN, "silence=2");
    assert_int_equal(emu_count(nano.emu, "Util.VersionGet"), 3);
    double v;
    is(OK, nano.ops->get_bias(nano.self, &v, T, &nano.err));
}

static void opens_without_version(void **state)
{
    (void)state;
    rs_driver_caps c;
    emu_set_fault(nano.emu, EMU_ERROR, "Util.VersionGet", 2);
    OPEN(PLAIN);
    nano.ops->caps(nano.self, &c);
    assert_string_equal(c.instrument, "SPECS Nanonis, version unknown");
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        nano.self = NULL;
        test_alloc_fail_at(n);
        rs_driver_status st = nano_open((const char *const[]){PLAIN, NULL});
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            nano_check(st, RS_DRIVER_OK, "open", __FILE__, __LINE__);
            assert_true(n > 4);
            break;
        }
        assert_true(st == RS_DRIVER_RETRY || st == RS_DRIVER_LOST);
        assert_int_equal(nano.err.status, RESHED_ENOMEM);
        assert_null(nano.self);
    }
    /* And in the middle of the work: the same call may be made again. */
    nano_set_frame(8, 32, false);
    nano_start(0);
    for (long n = 0; n < 4; n++) {
        rs_frame f = nano_frame(8, 32, false);
        test_alloc_fail_at(n);
        rs_driver_status st = nano.ops->set_frame(nano.self, &f, T, &nano.err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) break;
        nano_check(st, RS_DRIVER_RETRY, "set_frame", __FILE__, __LINE__);
    }
    nano_set_frame(8, 32, false);
}

/* ------------------------------------------------------------------------------------ the frame */

static void frame_goes_there_and_back(void **state)
{
    (void)state;
    OPEN(PLAIN);
    rs_frame f = nano_frame(24, 48, true), g;
    is(OK, nano.ops->set_frame(nano.self, &f, T, &nano.err));
    const emulator *e = emu_state(nano.emu);
    assert_true(e->frame[0] == 1e-6f && e->frame[1] == -2e-6f);
    assert_true(e->frame[2] == 4e-6f && e->frame[3] == 2e-6f);
    /* Ours turns counter-clockwise, theirs clockwise. */
    assert_true(fabsf(e->frame[4] + (float)(0.3 / RS_DEGREE)) < 1e-4f);
    assert_true(e->pixels == 48 && e->lines == 24 && e->channels == 2);
    assert_true(e->channel[0] == AMPLITUDE && e->channel[1] == PHASE);
    assert_true(e->speed[2] == 0.5f && e->speed[3] == 0.5f && e->speed[4] == 2);
    assert_true(e->speed[0] == 8e-6f && e->speed[5] == 1);
    assert_true(e->continuous == 2 && e->bouncy == 2 && e->autosave == 0);
    assert_string_equal(e->series, "scan"); /* the operator's texts stay */
    assert_string_equal(e->comment, "PZT");
    is(OK, nano.ops->get_frame(nano.self, &g, T, &nano.err));
    assert_true(fabs(g.cx - f.cx) < 1e-12 && fabs(g.cy - f.cy) < 1e-12);
    assert_true(fabs(g.width - f.width) < 1e-12 && fabs(g.height - f.height) < 1e-12);
    assert_true(fabs(g.angle - f.angle) < 1e-6 && g.rows == 24 && g.cols == 48);
    assert_true(g.line_rate == 1 && g.upward);
    /* get_frame tells the frame that came of the request. */
    SET(lines_become, 20);
    is(OK, nano.ops->set_frame(nano.self, &f, T, &nano.err));
    is(OK, nano.ops->get_frame(nano.self, &g, T, &nano.err));
    assert_int_equal(g.rows, 20);
}

static void angle_of_the_other_sign(void **state)
{
    (void)state;
    OPEN(PLAIN, "angle=counterclockwise", "props=keep");
    rs_frame f = nano_frame(24, 48, false), g;
    is(OK, nano.ops->set_frame(nano.self, &f, T, &nano.err));
    assert_true(fabsf(GET(frame[4]) - (float)(0.3 / RS_DEGREE)) < 1e-4f);
    is(OK, nano.ops->get_frame(nano.self, &g, T, &nano.err));
    assert_true(fabs(g.angle - 0.3) < 1e-6);
    assert_int_equal(emu_count(nano.emu, "Scan.PropsSet"), 0);
}

static void frames_out_of_range(void **state)
{
    (void)state;
    OPEN(PLAIN, "speed_max=9e-6");
    const rs_frame good = nano_frame(24, 48, false);
    rs_frame bad[9];
    for (int i = 0; i < 9; i++) bad[i] = good;
    bad[0].cols = 50; /* not a multiple of 16 */
    bad[1].cols = 0;
    bad[2].rows = 0;
    bad[3].cx = 9e-6; /* over the edge of the piezo's range */
    bad[4].width = -1;
    bad[5].angle = NAN;
    bad[6].line_rate = 2; /* too fast */
    bad[7].cy = NAN;
    bad[8].line_rate = 0;
    for (int i = 0; i < 9; i++) is(REFUSED, nano.ops->set_frame(nano.self, &bad[i], T, &nano.err));
    assert_int_equal(emu_count(nano.emu, "Scan.FrameSet"), 0); /* nothing was done */
    is(OK, nano.ops->set_frame(nano.self, &good, T, &nano.err));
}

/* ---------------------------------------------------------------------------------------- lines */

static void lines_of_a_scan(void **state)
{
    (void)state;
    OPEN(PLAIN, "also=Z (m)");
    nano_set_frame(10, 48, false);
    nano_start(0);
    nano_whole_scan(10, 48, false, false, 3, 1);
}

static void lines_both_ways_upward(void **state)
{
    (void)state;
    OPEN(PLAIN, "retrace=yes");
    nano_set_frame(7, 32, true);
    nano_start(6);
    assert_true(GET(up));
    nano_whole_scan(7, 32, true, true, 2, 1);
    nano_start(6);
    nano_whole_scan(7, 32, true, true, 2, 2);
}

static void grabbed_arrays_in_the_order_of_space(void **state)
{
    (void)state;
    OPEN(PLAIN, "retrace=yes", "order=top", "backward=space");
    SET(space_order, true);
    SET(space_backward, true);
    nano_set_frame(7, 32, true);
    nano_start(6);
    nano_whole_scan(7, 32, true, true, 2, 1);
    nano_set_frame(6, 32, false);
    nano_start(0);
    nano_whole_scan(6, 32, false, true, 2, 2);
}

static void lines_by_polling(void **state)
{
    (void)state;
    SET(no_wait_line, true);
    OPEN(PLAIN);
    rs_frame f = nano_frame(6, 32, false);
    f.line_rate = 40; /* so that polling is quick */
    f.width = 4e-7;
    is(OK, nano.ops->set_frame(nano.self, &f, T, &nano.err));
    nano_start(0);
    nano_whole_scan(6, 32, false, false, 2, 1);
    /* Asked once, found missing, not asked again. */
    assert_int_equal(emu_count(nano.emu, "Scan.WaitEndOfLine"), 1);
    nano.ops->close(nano.self);
    OPEN(PLAIN, "wait=poll");
    is(OK, nano.ops->set_frame(nano.self, &f, T, &nano.err));
    nano_start(0);
    nano_whole_scan(6, 32, false, false, 2, 2);
    assert_int_equal(emu_count(nano.emu, "Scan.WaitEndOfLine"), 1);
}

/* The scan runs far ahead of the one who asks. */
static void lines_that_were_not_asked_for_in_time(void **state)
{
    (void)state;
    OPEN(PLAIN);
    SET(per_look, 200);
    nano_set_frame(64, 16, false);
    nano_start(0);
    nano_whole_scan(64, 16, false, false, 2, 1);
}

static void old_lines_are_not_taken_for_new(void **state)
{
    (void)state;
    OPEN(PLAIN, "retrace=yes");
    SET(keeps_buffer, true);
    nano_set_frame(9, 48, false);
    for (int scan = 1; scan <= 3; scan++) {
        nano_start(0);
        nano_whole_scan(9, 48, false, true, 2, scan);
    }
}

static void not_yet_is_retry(void **state)
{
    (void)state;
    OPEN(PLAIN);
    nano_set_frame(4, 32, false);
    rs_line l = {.cols = EMU_SIDE, .channels = 3, .channel = nano.values};
    is(REFUSED, nano.ops->wait_line(nano.self, T, &l, &nano.err));
    SET(per_look, 0);
    nano_start(0);
    for (int i = 0; i < 3; i++) is(RETRY, nano.ops->wait_line(nano.self, 0.05, &l, &nano.err));
    is(RETRY, nano.ops->wait_line(nano.self, 0, &l, &nano.err));
    SET(per_look, 1);
    nano_whole_scan(4, 32, false, false, 2, 1);
}

static void lines_without_end_of_time(void **state)
{
    (void)state;
    OPEN(PLAIN);
    nano_set_frame(12, 32, false);
    nano_start(0);
    rs_line l;
    /* Calls that give no time still get somewhere. */
    for (int row = 0; row < 12; row++) {
        rs_driver_status st = RS_DRIVER_RETRY;
        for (int i = 0; i < 10000 && st == RS_DRIVER_RETRY; i++) {
            l = (rs_line){.cols = EMU_SIDE, .channels = 3, .channel = nano.values};
            for (int k = 0; k < 3 * EMU_SIDE; k++) nano.values[k] = -777;
            st = nano.ops->wait_line(nano.self, 0, &l, &nano.err);
        }
        nano_check(st, RS_DRIVER_OK, "wait_line", __FILE__, __LINE__);
        nano_check_line(&l, row, false, 32, 2, 1);
    }
}

static void starts_in_the_middle(void **state)
{
    (void)state;
    OPEN(PLAIN);
    nano_set_frame(8, 32, false);
    rs_line l;
    is(REFUSED, nano.ops->start(nano.self, 8, T, &nano.err));
    is(REFUSED, nano.ops->start(nano.self, -1, T, &nano.err));
    nano_start(5); /* a whole frame, of which the first rows are not handed out */
    for (int row = 5; row < 8; row++) {
        is(OK, nano_next(&l));
        nano_check_line(&l, row, false, 32, 2, 1);
    }
    is(REFUSED, nano_next(&l));
    nano_set_frame(8, 32, true);
    nano_start(2);
    for (int row = 2; row >= 0; row--) {
        is(OK, nano_next(&l));
        nano_check_line(&l, row, false, 32, 2, 2);
        assert_int_equal(l.frame, 1);
    }
}

/* The answer to the start is late: the scan is started once all the same. */
static void starts_once(void **state)
{
    (void)state;
    OPEN(PLAIN);
    nano_set_frame(8, 32, false);
    emu_set_fault(nano.emu, EMU_LATE, "Scan.Action", 1);
    for (int i = 0; i < 3; i++) is(RETRY, nano.ops->start(nano.self, 0, 0.05, &nano.err));
    emu_release(nano.emu);
    nano_start(0);
    nano_whole_scan(8, 32, false, false, 2, 1);
    assert_int_equal(emu_count(nano.emu, "Scan.Action"), 1);
}

static void pauses_and_goes_on(void **state)
{
    (void)state;
    OPEN(PLAIN);
    nano_set_frame(8, 32, false);
    is(OK, nano.ops->pause(nano.self, T, &nano.err)); /* there is nothing to pause */
    rs_line l;
    nano_start(0);
    for (int row = 0; row < 3; row++) is(OK, nano_next(&l));
    is(OK, nano.ops->pause(nano.self, T, &nano.err));
    assert_true(GET(paused));
    /* Lines that were scanned before the pause come; then none until it goes on. */
    int row = 3;
    for (;; row++) {
        l = (rs_line){.cols = EMU_SIDE, .channels = 3, .channel = nano.values};
        rs_driver_status st = nano.ops->wait_line(nano.self, T, &l, &nano.err);
        if (st == RS_DRIVER_REFUSED) break;
        nano_check(st, RS_DRIVER_OK, "wait_line", __FILE__, __LINE__);
        assert_int_equal(l.row, row);
    }
    assert_true(row < 7);
    assert_non_null(strstr(nano.err.what, "paused"));
    nano_start(row);
    for (; row < 8; row++) {
        is(OK, nano_next(&l));
        nano_check_line(&l, row, false, 32, 2, 1);
    }
    assert_int_equal(GET(scans), 1);
}

static void a_lost_line(void **state)
{
    (void)state;
    OPEN(PLAIN);
    SET(lost_line, 3);
    nano_set_frame(8, 32, true);
    nano_start(7);
    rs_line l;
    for (int row = 7; row >= 0; row--) {
        if (row == 4) {
            is(LOST_LINE, nano_next(&l));
            assert_int_equal(l.row, 4);
        } else {
            is(OK, nano_next(&l));
            nano_check_line(&l, row, false, 32, 2, 1);
        }
    }
    is(REFUSED, nano_next(&l));
}

/* It is given up while the scan still runs, not only at its end. */
static void a_lost_line_is_told_in_time(void **state)
{
    (void)state;
    rs_line l;
    OPEN(PLAIN);
    nano_set_frame(8, 32, false);
    SET(lost_line, 1);
    SET(per_look, 10);
    nano_start(0);
    SET(per_look, 0);
    is(OK, nano_next(&l));
    is(LOST_LINE, nano_next(&l));
    assert_int_equal(l.row, 1);
    is(OK, nano_next(&l));
    nano_check_line(&l, 2, false, 32, 2, 1);
    assert_true(GET(running));
}

/* Data that a scan of the other direction left there are no line of this one. */
static void a_frame_that_runs_the_other_way(void **state)
{
    (void)state;
    rs_line l = {.cols = EMU_SIDE, .channels = 3, .channel = nano.values};
    OPEN(PLAIN);
    nano_set_frame(8, 32, false);
    SET(wrong_way, true);
    SET(per_look, 6);
    nano_start(0);
    SET(per_look, 0);
    is(RETRY, nano.ops->wait_line(nano.self, 0.1, &l, &nano.err));
    SET(wrong_way, false);
    SET(per_look, 1);
    nano_whole_scan(8, 32, false, false, 2, 1);
}

/* Somebody presses stop at the instrument. */
static void a_scan_that_ends_early(void **state)
{
    (void)state;
    for (int keeps = 0; keeps < 2; keeps++) {
        OPEN(PLAIN);
        SET(keeps_buffer, keeps);
        nano_set_frame(6, 32, false);
        nano_start(0); /* the last frame, which must not be taken for this one */
        nano_whole_scan(6, 32, false, false, 2, GET(scans));
        SET(stop_at, 8);
        nano_start(0);
        rs_line l;
        for (int row = 0; row < 6; row++) {
            rs_driver_status st = nano_next(&l);
            nano_check(st, row < 4 ? RS_DRIVER_OK : RS_DRIVER_LOST_LINE, "next", __FILE__,
                       __LINE__);
            assert_int_equal(l.row, row);
        }
        is(REFUSED, nano_next(&l));
        SET(stop_at, 0);
        nano.ops->close(nano.self);
        nano.self = NULL;
    }
}

static void a_whole_frame(void **state)
{
    (void)state;
    OPEN(PLAIN, "retrace=yes");
    nano_set_frame(6, 32, true);
    float data[6 * 32 + 1];
    SET(per_look, 0);
    nano_start(5);
    is(RETRY, nano.ops->grab_frame(nano.self, 0, false, data, T, &nano.err));
    SET(per_look, 2);
    nano_whole_scan(6, 32, true, true, 2, 1);
    for (int c = 0; c < 2; c++)
        for (int d = 0; d < 2; d++) {
            data[6 * 32] = -777;
            is(OK, nano.ops->grab_frame(nano.self, c, d, data, T, &nano.err));
            for (int i = 0; i < 6 * 32; i++) {
                float want = emu_pixel(1, c ? PHASE : AMPLITUDE, d, i / 32, i % 32);
                if (c) want *= (float)RS_DEGREE;
                assert_true(fabsf(data[i] - want) <= 1e-6f * want);
            }
            assert_true(data[6 * 32] == -777);
        }
    is(REFUSED, nano.ops->grab_frame(nano.self, 2, false, data, T, &nano.err));
    is(REFUSED, nano.ops->grab_frame(nano.self, -1, false, data, T, &nano.err));
}

static void channels_by_slot(void **state)
{
    (void)state;
    SET(slots, true);
    OPEN(PLAIN, "index=slot");
    nano_set_frame(4, 32, false);
    assert_true(GET(channel[0]) == AMPLITUDE / 3 && GET(channel[1]) == PHASE / 3);
    nano_start(0);
    nano_whole_scan(4, 32, false, false, 2, 1);
    double v;
    is(OK, nano.ops->read_signal(nano.self, "Z", &v, T,
                                 &nano.err)); /* nano.values go by RT index all the same */
    assert_true(v == 6);
    /* With the wrong kind of index the names show it. */
    nano.ops->close(nano.self);
    OPEN(PLAIN);
    nano_set_frame(4, 32, false);
    is(LOST, nano.ops->start(nano.self, 0, T, &nano.err));
    assert_non_null(strstr(nano.err.what, "index"));
}

/* The operator changes the size of the frame at the panel. */
static void a_frame_of_another_size(void **state)
{
    (void)state;
    OPEN(PLAIN);
    nano_set_frame(8, 32, false);
    nano_start(0);
    rs_line l;
    is(OK, nano_next(&l));
    SET(lines, 7);
    rs_driver_status st = RS_DRIVER_OK;
    for (int i = 0; i < 10 && st == RS_DRIVER_OK; i++) st = nano_next(&l);
    nano_check(st, RS_DRIVER_LOST, "next", __FILE__, __LINE__);
}

#define T_(f) cmocka_unit_test_setup_teardown(f, nano_setup, nano_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T_(opens_and_tells_what_it_has),
        T_(refuses_what_it_cannot_open),
        T_(passes_over_a_deaf_port),
        T_(opens_without_version),
        T_(every_allocation_may_fail),
        T_(frame_goes_there_and_back),
        T_(angle_of_the_other_sign),
        T_(frames_out_of_range),
        T_(lines_of_a_scan),
        T_(lines_both_ways_upward),
        T_(grabbed_arrays_in_the_order_of_space),
        T_(lines_by_polling),
        T_(lines_that_were_not_asked_for_in_time),
        T_(old_lines_are_not_taken_for_new),
        T_(not_yet_is_retry),
        T_(lines_without_end_of_time),
        T_(starts_in_the_middle),
        T_(starts_once),
        T_(pauses_and_goes_on),
        T_(a_lost_line),
        T_(a_lost_line_is_told_in_time),
        T_(a_frame_that_runs_the_other_way),
        T_(a_scan_that_ends_early),
        T_(a_whole_frame),
        T_(channels_by_slot),
        T_(a_frame_of_another_size),
    };
    return cmocka_run_group_tests_name("nanonis scan", tests, NULL, NULL);
}
