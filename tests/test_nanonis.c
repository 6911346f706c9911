/* The nanonis driver against an emulator made from the vendor's description. Times are generous and
 * never decide: where something has to be late or pending, the emulator holds it. */
#include "support.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "nanonis_emulator.h"
#include "spm/driver_nanonis.h"

#define T 60.0 /* a timeout that no test reaches */
#define AMPLITUDE 6
#define PHASE 9
#define HEIGHT 12
#define RAD 0.017453292519943295

static emulator *emu;
static const rs_driver_ops *ops;
static void *self;
static reshed_error err;

/* ------------------------------------------------------------------------------------- helpers */
#define SET(member, value) (emu_lock(emu), emu->member = (value), emu_unlock(emu))
#define GET(member) (emu_state(emu)->member)

static void check_status(rs_driver_status st, rs_driver_status want, const char *what, int line)
{
    char text[600];
    if (st == want) return;
    print_error("%s: status %d (expected %d): %s\n", what, st, want,
                reshed_error_text(&err, text, sizeof text));
    _fail(__FILE__, line);
}
#define is(want, call) check_status((call), RS_DRIVER_##want, #call, __LINE__)

/* Options beside channel and ports: "name=value" each, NULL at the end. */
static rs_driver_status open_with(const char *const *more)
{
    static char ports[64], text[24][64];
    rs_driver_option o[26] = {{"channel", "LI Demod 1 R"}, {"ports", ports}};
    int n = 2;
    snprintf(ports, sizeof ports, "%d,%d,%d,%d", emu_port(emu, 0), emu_port(emu, 1),
             emu_port(emu, 2), emu_port(emu, 3));
    for (; more && *more; more++, n++) {
        char *eq = strcpy(text[n - 2], *more);
        eq = strchr(eq, '=');
        *eq = '\0';
        o[n] = (rs_driver_option){text[n - 2], eq + 1};
    }
    memset(&err, 0, sizeof err);
    return ops->open(o, n, T, &self, &err);
}

#define OPEN(...) is(OK, open_with((const char *const[]){__VA_ARGS__, NULL}))
#define PLAIN "phase=LI Demod 1 Phi", "ramp=0"

static int setup(void **state)
{
    (void)state;
    ops = rs_driver_nanonis();
    self = NULL;
    emu = emu_start();
    return emu ? 0 : -1;
}

/* Whatever the test did, every request was well formed. */
static int teardown(void **state)
{
    (void)state;
    emu_release(emu);
    if (self) ops->close(self);
    const char *complaint = GET(complaint);
    if (complaint[0]) print_error("ill-formed request: %s\n", complaint);
    int rc = complaint[0] ? -1 : 0;
    emu_stop(emu);
    return rc;
}

static rs_frame a_frame(int rows, int cols, bool upward)
{
    return (rs_frame){.cx = 1e-6,
                      .cy = -2e-6,
                      .width = 4e-6,
                      .height = 2e-6,
                      .angle = 0.3,
                      .rows = rows,
                      .cols = cols,
                      .line_rate = 1,
                      .upward = upward};
}

static void set_frame(int rows, int cols, bool upward)
{
    rs_frame f = a_frame(rows, cols, upward);
    is(OK, ops->set_frame(self, &f, T, &err));
}

static void start(int row)
{
    is(OK, ops->start(self, row, T, &err));
}

static float values[3 * EMU_SIDE];

static rs_driver_status next(rs_line *line)
{
    for (int i = 0; i < 3 * EMU_SIDE; i++) values[i] = -777;
    *line = (rs_line){.cols = EMU_SIDE, .channels = 3, .channel = values};
    return ops->wait_line(self, T, line, &err);
}

/* A line is row `row` of that scan, left to right, in all channels. */
static void check_line(const rs_line *l, int row, bool retrace, int cols, int channels, int scan)
{
    static const int signal[] = {AMPLITUDE, PHASE, HEIGHT};
    assert_int_equal(l->row, row);
    assert_int_equal(l->retrace, retrace);
    assert_int_equal(l->cols, cols);
    assert_int_equal(l->bins, 0);
    assert_int_equal(l->channels, channels);
    assert_true(l->time >= 0);
    for (int c = 0; c < channels; c++)
        for (int i = 0; i < cols; i++) {
            const float want =
                (float)(emu_pixel(scan, signal[c], retrace, row, i) * (c == 1 ? RAD : 1));
            const float have = values[c * cols + i];
            if (fabsf(have - want) > 1e-6f * fabsf(want))
                fail_msg("row %d, channel %d, pixel %d: %g (expected %g)", row, c, i, (double)have,
                         (double)want);
        }
    assert_true(values[channels * cols] == -777); /* and nothing behind them */
}

static void whole_scan(int rows, int cols, bool upward, bool retrace, int channels, int scan)
{
    rs_line l;
    for (int k = 0; k < rows; k++)
        for (int d = 0; d <= retrace; d++) {
            is(OK, next(&l));
            check_line(&l, upward ? rows - 1 - k : k, d, cols, channels, scan);
        }
    is(REFUSED, next(&l));
}

/* -------------------------------------------------------------------------------------- opening */
static void opens_and_tells_what_it_has(void **state)
{
    (void)state;
    rs_driver_caps c;
    OPEN("also=z", "retrace=yes", PLAIN, "x_max=3e-6");
    ops->caps(self, &c);
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
    assert_null(ops->set_be);
    /* Two connections: one for commands, one for halt. */
    assert_int_equal(emu_count(emu, "Util.VersionGet"), 2);
}

static void refuses_what_it_cannot_open(void **state)
{
    (void)state;
    is(REFUSED, open_with((const char *const[]){"phase=No such signal", NULL}));
    is(REFUSED, open_with((const char *const[]){"nonsense=1", NULL}));
    assert_null(self);
    rs_driver_option o[] = {{"channel", "Z"}, {"ports", "1,2"}}; /* nobody listens there */
    is(LOST, ops->open(o, 2, T, &self, &err));
    assert_null(self);
    /* Only one port that answers: halt would have no connection. */
    char ports[32];
    snprintf(ports, sizeof ports, "1,%d", emu_port(emu, 0));
    o[1].value = ports;
    is(LOST, ops->open(o, 2, T, &self, &err));
    assert_null(self);
}

/* A port that takes connections but does not serve them is passed over. */
static void passes_over_a_deaf_port(void **state)
{
    (void)state;
    emu_set_fault(emu, EMU_SILENT, "Util.VersionGet", 1);
    OPEN(PLAIN, "silence=2");
    assert_int_equal(emu_count(emu, "Util.VersionGet"), 3);
    double v;
    is(OK, ops->get_bias(self, &v, T, &err));
}

static void opens_without_version(void **state)
{
    (void)state;
    rs_driver_caps c;
    emu_set_fault(emu, EMU_ERROR, "Util.VersionGet", 2);
    OPEN(PLAIN);
    ops->caps(self, &c);
    assert_string_equal(c.instrument, "SPECS Nanonis, version unknown");
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        self = NULL;
        test_alloc_fail_at(n);
        rs_driver_status st = open_with((const char *const[]){PLAIN, NULL});
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            check_status(st, RS_DRIVER_OK, "open", __LINE__);
            assert_true(n > 4);
            break;
        }
        assert_true(st == RS_DRIVER_RETRY || st == RS_DRIVER_LOST);
        assert_int_equal(err.status, RESHED_ENOMEM);
        assert_null(self);
    }
    /* And in the middle of the work: the same call may be made again. */
    set_frame(8, 32, false);
    start(0);
    for (long n = 0; n < 4; n++) {
        rs_frame f = a_frame(8, 32, false);
        test_alloc_fail_at(n);
        rs_driver_status st = ops->set_frame(self, &f, T, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) break;
        check_status(st, RS_DRIVER_RETRY, "set_frame", __LINE__);
    }
    set_frame(8, 32, false);
}

/* -------------------------------------------------------------------------------------- the frame
 */
static void frame_goes_there_and_back(void **state)
{
    (void)state;
    OPEN(PLAIN);
    rs_frame f = a_frame(24, 48, true), g;
    is(OK, ops->set_frame(self, &f, T, &err));
    const emulator *e = emu_state(emu);
    assert_true(e->frame[0] == 1e-6f && e->frame[1] == -2e-6f);
    assert_true(e->frame[2] == 4e-6f && e->frame[3] == 2e-6f);
    /* Ours turns counter-clockwise, theirs clockwise. */
    assert_true(fabsf(e->frame[4] + (float)(0.3 / RAD)) < 1e-4f);
    assert_true(e->pixels == 48 && e->lines == 24 && e->channels == 2);
    assert_true(e->channel[0] == AMPLITUDE && e->channel[1] == PHASE);
    assert_true(e->speed[2] == 0.5f && e->speed[3] == 0.5f && e->speed[4] == 2);
    assert_true(e->speed[0] == 8e-6f && e->speed[5] == 1);
    assert_true(e->continuous == 2 && e->bouncy == 2 && e->autosave == 0);
    assert_string_equal(e->series, "scan"); /* the operator's texts stay */
    assert_string_equal(e->comment, "PZT");
    is(OK, ops->get_frame(self, &g, T, &err));
    assert_true(fabs(g.cx - f.cx) < 1e-12 && fabs(g.cy - f.cy) < 1e-12);
    assert_true(fabs(g.width - f.width) < 1e-12 && fabs(g.height - f.height) < 1e-12);
    assert_true(fabs(g.angle - f.angle) < 1e-6 && g.rows == 24 && g.cols == 48);
    assert_true(g.line_rate == 1 && g.upward);
    /* What it makes of the request is told. */
    SET(lines_become, 20);
    is(OK, ops->set_frame(self, &f, T, &err));
    is(OK, ops->get_frame(self, &g, T, &err));
    assert_int_equal(g.rows, 20);
}

static void angle_of_the_other_sign(void **state)
{
    (void)state;
    OPEN(PLAIN, "angle=counterclockwise", "props=keep");
    rs_frame f = a_frame(24, 48, false), g;
    is(OK, ops->set_frame(self, &f, T, &err));
    assert_true(fabsf(GET(frame[4]) - (float)(0.3 / RAD)) < 1e-4f);
    is(OK, ops->get_frame(self, &g, T, &err));
    assert_true(fabs(g.angle - 0.3) < 1e-6);
    assert_int_equal(emu_count(emu, "Scan.PropsSet"), 0);
}

static void frames_out_of_range(void **state)
{
    (void)state;
    OPEN(PLAIN, "speed_max=9e-6");
    const rs_frame good = a_frame(24, 48, false);
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
    for (int i = 0; i < 9; i++) is(REFUSED, ops->set_frame(self, &bad[i], T, &err));
    assert_int_equal(emu_count(emu, "Scan.FrameSet"), 0); /* nothing was done */
    is(OK, ops->set_frame(self, &good, T, &err));
}

/* ------------------------------------------------------------------------------------------ lines
 */
static void lines_of_a_scan(void **state)
{
    (void)state;
    OPEN(PLAIN, "also=Z (m)");
    set_frame(10, 48, false);
    start(0);
    whole_scan(10, 48, false, false, 3, 1);
}

static void lines_both_ways_upward(void **state)
{
    (void)state;
    OPEN(PLAIN, "retrace=yes");
    set_frame(7, 32, true);
    start(6);
    assert_true(GET(up));
    whole_scan(7, 32, true, true, 2, 1);
    start(6);
    whole_scan(7, 32, true, true, 2, 2);
}

static void grabbed_arrays_in_the_order_of_space(void **state)
{
    (void)state;
    OPEN(PLAIN, "retrace=yes", "order=top", "backward=space");
    SET(space_order, true);
    SET(space_backward, true);
    set_frame(7, 32, true);
    start(6);
    whole_scan(7, 32, true, true, 2, 1);
    set_frame(6, 32, false);
    start(0);
    whole_scan(6, 32, false, true, 2, 2);
}

static void lines_by_polling(void **state)
{
    (void)state;
    SET(no_wait_line, true);
    OPEN(PLAIN);
    rs_frame f = a_frame(6, 32, false);
    f.line_rate = 40; /* so that polling is quick */
    f.width = 4e-7;
    is(OK, ops->set_frame(self, &f, T, &err));
    start(0);
    whole_scan(6, 32, false, false, 2, 1);
    /* Asked once, found missing, not asked again. */
    assert_int_equal(emu_count(emu, "Scan.WaitEndOfLine"), 1);
    ops->close(self);
    OPEN(PLAIN, "wait=poll");
    is(OK, ops->set_frame(self, &f, T, &err));
    start(0);
    whole_scan(6, 32, false, false, 2, 2);
    assert_int_equal(emu_count(emu, "Scan.WaitEndOfLine"), 1);
}

/* The scan runs far ahead of the one who asks. */
static void lines_that_were_not_asked_for_in_time(void **state)
{
    (void)state;
    OPEN(PLAIN);
    SET(per_look, 200);
    set_frame(64, 16, false);
    start(0);
    whole_scan(64, 16, false, false, 2, 1);
}

static void old_lines_are_not_taken_for_new(void **state)
{
    (void)state;
    OPEN(PLAIN, "retrace=yes");
    SET(keeps_buffer, true);
    set_frame(9, 48, false);
    for (int scan = 1; scan <= 3; scan++) {
        start(0);
        whole_scan(9, 48, false, true, 2, scan);
    }
}

static void not_yet_is_retry(void **state)
{
    (void)state;
    OPEN(PLAIN);
    set_frame(4, 32, false);
    rs_line l = {.cols = EMU_SIDE, .channels = 3, .channel = values};
    is(REFUSED, ops->wait_line(self, T, &l, &err));
    SET(per_look, 0);
    start(0);
    for (int i = 0; i < 3; i++) is(RETRY, ops->wait_line(self, 0.05, &l, &err));
    is(RETRY, ops->wait_line(self, 0, &l, &err));
    SET(per_look, 1);
    whole_scan(4, 32, false, false, 2, 1);
}

static void lines_without_end_of_time(void **state)
{
    (void)state;
    OPEN(PLAIN);
    set_frame(12, 32, false);
    start(0);
    rs_line l;
    /* Calls that give no time still get somewhere. */
    for (int row = 0; row < 12; row++) {
        rs_driver_status st = RS_DRIVER_RETRY;
        for (int i = 0; i < 10000 && st == RS_DRIVER_RETRY; i++) {
            l = (rs_line){.cols = EMU_SIDE, .channels = 3, .channel = values};
            for (int k = 0; k < 3 * EMU_SIDE; k++) values[k] = -777;
            st = ops->wait_line(self, 0, &l, &err);
        }
        check_status(st, RS_DRIVER_OK, "wait_line", __LINE__);
        check_line(&l, row, false, 32, 2, 1);
    }
}

static void starts_in_the_middle(void **state)
{
    (void)state;
    OPEN(PLAIN);
    set_frame(8, 32, false);
    rs_line l;
    is(REFUSED, ops->start(self, 8, T, &err));
    is(REFUSED, ops->start(self, -1, T, &err));
    start(5); /* a whole frame, of which the first rows are not handed out */
    for (int row = 5; row < 8; row++) {
        is(OK, next(&l));
        check_line(&l, row, false, 32, 2, 1);
    }
    is(REFUSED, next(&l));
    set_frame(8, 32, true);
    start(2);
    for (int row = 2; row >= 0; row--) {
        is(OK, next(&l));
        check_line(&l, row, false, 32, 2, 2);
        assert_int_equal(l.frame, 1);
    }
}

static void pauses_and_goes_on(void **state)
{
    (void)state;
    OPEN(PLAIN);
    set_frame(8, 32, false);
    is(OK, ops->pause(self, T, &err)); /* there is nothing to pause */
    rs_line l;
    start(0);
    for (int row = 0; row < 3; row++) is(OK, next(&l));
    is(OK, ops->pause(self, T, &err));
    assert_true(GET(paused));
    /* What was scanned before the pause is there; then there is nothing until it goes on. */
    int row = 3;
    for (;; row++) {
        l = (rs_line){.cols = EMU_SIDE, .channels = 3, .channel = values};
        rs_driver_status st = ops->wait_line(self, T, &l, &err);
        if (st == RS_DRIVER_REFUSED) break;
        check_status(st, RS_DRIVER_OK, "wait_line", __LINE__);
        assert_int_equal(l.row, row);
    }
    assert_true(row < 7);
    assert_non_null(strstr(err.what, "paused"));
    start(row);
    for (; row < 8; row++) {
        is(OK, next(&l));
        check_line(&l, row, false, 32, 2, 1);
    }
    assert_int_equal(GET(scans), 1);
}

static void a_lost_line(void **state)
{
    (void)state;
    OPEN(PLAIN);
    SET(lost_line, 3);
    set_frame(8, 32, true);
    start(7);
    rs_line l;
    for (int row = 7; row >= 0; row--) {
        if (row == 4) {
            is(LOST_LINE, next(&l));
            assert_int_equal(l.row, 4);
        } else {
            is(OK, next(&l));
            check_line(&l, row, false, 32, 2, 1);
        }
    }
    is(REFUSED, next(&l));
}

/* Somebody presses stop at the instrument. */
static void a_scan_that_ends_early(void **state)
{
    (void)state;
    for (int keeps = 0; keeps < 2; keeps++) {
        OPEN(PLAIN);
        SET(keeps_buffer, keeps);
        set_frame(6, 32, false);
        start(0); /* the last frame, which must not be taken for this one */
        whole_scan(6, 32, false, false, 2, GET(scans));
        SET(stop_at, 8);
        start(0);
        rs_line l;
        for (int row = 0; row < 6; row++) {
            rs_driver_status st = next(&l);
            check_status(st, row < 4 ? RS_DRIVER_OK : RS_DRIVER_LOST_LINE, "next", __LINE__);
            assert_int_equal(l.row, row);
        }
        is(REFUSED, next(&l));
        SET(stop_at, 0);
        ops->close(self);
        self = NULL;
    }
}

static void a_whole_frame(void **state)
{
    (void)state;
    OPEN(PLAIN, "retrace=yes");
    set_frame(6, 32, true);
    float data[6 * 32 + 1];
    SET(per_look, 0);
    start(5);
    is(RETRY, ops->grab_frame(self, 0, false, data, T, &err));
    SET(per_look, 2);
    whole_scan(6, 32, true, true, 2, 1);
    for (int c = 0; c < 2; c++)
        for (int d = 0; d < 2; d++) {
            data[6 * 32] = -777;
            is(OK, ops->grab_frame(self, c, d, data, T, &err));
            for (int i = 0; i < 6 * 32; i++) {
                float want = emu_pixel(1, c ? PHASE : AMPLITUDE, d, i / 32, i % 32);
                if (c) want *= (float)RAD;
                assert_true(fabsf(data[i] - want) <= 1e-6f * want);
            }
            assert_true(data[6 * 32] == -777);
        }
    is(REFUSED, ops->grab_frame(self, 2, false, data, T, &err));
    is(REFUSED, ops->grab_frame(self, -1, false, data, T, &err));
}

static void channels_by_slot(void **state)
{
    (void)state;
    SET(slots, true);
    OPEN(PLAIN, "index=slot");
    set_frame(4, 32, false);
    assert_true(GET(channel[0]) == AMPLITUDE / 3 && GET(channel[1]) == PHASE / 3);
    start(0);
    whole_scan(4, 32, false, false, 2, 1);
    double v;
    is(OK, ops->read_signal(self, "Z", &v, T, &err)); /* values go by RT index all the same */
    assert_true(v == 6);
    /* With the wrong kind of index the names show it. */
    ops->close(self);
    OPEN(PLAIN);
    set_frame(4, 32, false);
    is(LOST, ops->start(self, 0, T, &err));
    assert_non_null(strstr(err.what, "index"));
}

/* The operator changes the size of the frame at the panel. */
static void a_frame_of_another_size(void **state)
{
    (void)state;
    OPEN(PLAIN);
    set_frame(8, 32, false);
    start(0);
    rs_line l;
    is(OK, next(&l));
    SET(lines, 7);
    rs_driver_status st = RS_DRIVER_OK;
    for (int i = 0; i < 10 && st == RS_DRIVER_OK; i++) st = next(&l);
    check_status(st, RS_DRIVER_LOST, "next", __LINE__);
}

/* ------------------------------------------------------------------------------------------ tip */
static void the_tip(void **state)
{
    (void)state;
    OPEN(PLAIN);
    double x, y;
    is(OK, ops->move_tip(self, 10e-9, 15e-9, 1e-6, T, &err));
    is(OK, ops->get_tip(self, &x, &y, T, &err));
    assert_true(x == 10e-9 && y == 15e-9);
    assert_true(GET(tip_speed) == 1e-6f);
    is(REFUSED, ops->move_tip(self, 11e-6, 0, 1e-6, T, &err));
    is(REFUSED, ops->move_tip(self, NAN, 0, 1e-6, T, &err));
    is(REFUSED, ops->move_tip(self, 0, 0, 1, T, &err));
    is(REFUSED, ops->move_tip(self, 0, 0, 0, T, &err));
    assert_int_equal(emu_count(emu, "FolMe.XYPosSet"), 1);
    is(OK, ops->set_setpoint(self, 0.75, T, &err));
    is(OK, ops->get_setpoint(self, &x, T, &err));
    assert_true(x == 0.75);
    is(REFUSED, ops->set_setpoint(self, NAN, T, &err));
    SET(approach_looks, 3);
    is(OK, ops->engage(self, T, &err));
    assert_true(GET(z_on));
    is(OK, ops->withdraw(self, T, &err));
    assert_false(GET(z_on));
    /* An approach that takes longer than the call is looked after by the next one. */
    SET(approach_looks, 1000000);
    is(RETRY, ops->engage(self, 0.1, &err));
    SET(approach_looks, 2);
    is(OK, ops->engage(self, T, &err));
    assert_int_equal(emu_count(emu, "AutoApproach.OnOffSet"), 2);
    is(OK, ops->read_signal(self, "input 40", &x, T, &err));
    assert_true(x == 20);
    is(REFUSED, ops->read_signal(self, "Input", &x, T, &err));
}

static void engages_by_feedback(void **state)
{
    (void)state;
    OPEN(PLAIN, "engage=feedback");
    is(OK, ops->engage(self, T, &err));
    assert_true(GET(z_on));
    assert_int_equal(emu_count(emu, "AutoApproach.OnOffSet"), 0);
}

static void a_move_that_is_late_is_made_once(void **state)
{
    (void)state;
    OPEN(PLAIN);
    emu_set_fault(emu, EMU_LATE, "FolMe.XYPosSet", 1);
    for (int i = 0; i < 3; i++) is(RETRY, ops->move_tip(self, 1e-6, 2e-6, 1e-6, 0.05, &err));
    emu_release(emu);
    is(OK, ops->move_tip(self, 1e-6, 2e-6, 1e-6, T, &err));
    assert_int_equal(emu_count(emu, "FolMe.XYPosSet"), 1);
    assert_int_equal(emu_count(emu, "FolMe.SpeedSet"), 1);
}

/* ------------------------------------------------------------------------------------- voltages */
static void the_bias_is_ramped(void **state)
{
    (void)state;
    OPEN("ramp=20", "bias_max=5");
    double v;
    is(OK, ops->set_bias(self, 2, T, &err));
    is(OK, ops->get_bias(self, &v, T, &err));
    assert_true(v == 2);
    assert_true(GET(largest_step) <= 0.4001f); /* 20 V/s times 20 ms */
    assert_true(emu_count(emu, "Bias.Set") >= 5);
    is(REFUSED, ops->set_bias(self, 5.1, T, &err));
    is(REFUSED, ops->set_bias(self, NAN, T, &err));
    /* It comes back before it is there, and goes on from where it is. */
    rs_driver_status st = RS_DRIVER_RETRY;
    int calls = 0;
    for (; calls < 1000 && st == RS_DRIVER_RETRY; calls++) st = ops->set_bias(self, -5, 0.03, &err);
    check_status(st, RS_DRIVER_OK, "set_bias", __LINE__);
    assert_true(calls > 1 && GET(bias) == -5 && GET(largest_step) <= 0.4001f);
}

static void pulses(void **state)
{
    (void)state;
    OPEN(PLAIN, "hold=on");
    is(OK, ops->pulse(self, -7, 0.01, T, &err));
    const emulator *e = emu_state(emu);
    assert_true(e->pulses == 1 && e->pulse_volts == -7 && e->pulse_width == 0.01f);
    assert_true(e->pulse_absolute == 2 && e->pulse_hold == 1);
    is(REFUSED, ops->pulse(self, 11, 0.01, T, &err));
    is(REFUSED, ops->pulse(self, 1, 0, T, &err));
    /* A pulse whose answer is late is given once. */
    emu_set_fault(emu, EMU_LATE, "Bias.Pulse", 1);
    for (int i = 0; i < 3; i++) is(RETRY, ops->pulse(self, 3, 0.02, 0.05, &err));
    emu_release(emu);
    is(OK, ops->pulse(self, 3, 0.02, T, &err));
    assert_true(GET(pulses) == 2 && GET(pulse_volts) == 3);
}

static void the_drive(void **state)
{
    (void)state;
    OPEN(PLAIN, "modulator=1", "drive_max=1.5");
    rs_driver_caps c;
    ops->caps(self, &c);
    assert_true(c.limits.drive_max == 1.5);
    is(OK, ops->set_drive(self, 0.5, T, &err));
    assert_true(GET(modulation) == 0.5f && GET(modulated));
    is(OK, ops->set_drive(self, 0, T, &err));
    assert_false(GET(modulated));
    is(REFUSED, ops->set_drive(self, 1.6, T, &err));
    is(REFUSED, ops->set_drive(self, -1, T, &err));
    ops->close(self);
    OPEN(PLAIN);
    is(REFUSED, ops->set_drive(self, 0.1, T, &err));
}

/* ------------------------------------------------------------------------------------ spectroscopy
 */
static rs_spectroscopy staircase(const double *v, int n)
{
    return (rs_spectroscopy){.voltage = v, .steps = n, .dwell = 0.01, .settle = 0.002};
}

static float amplitude[600], phase[600];

static rs_spectrum empty_spectrum(int steps)
{
    for (int i = 0; i < 600; i++) amplitude[i] = phase[i] = -777;
    return (rs_spectrum){.steps = steps, .amplitude = amplitude, .phase = phase};
}

static void check_spectrum(const rs_spectrum *s, const double *v, int n, bool has_phase)
{
    assert_true(s->steps == n && s->bins == 0 && s->fields == 1);
    for (int i = 0; i < n; i++) {
        const float a = emu_reading(AMPLITUDE, i, (float)v[i]);
        const float p = emu_reading(PHASE, i, (float)v[i]) * (float)RAD;
        assert_true(fabsf(amplitude[i] - a) < 1e-4f * fabsf(a));
        if (has_phase)
            assert_true(fabsf(phase[i] - p) < 1e-4f * fabsf(p));
        else
            assert_true(isnan(phase[i]));
    }
    assert_true(amplitude[n] == -777 && phase[n] == -777);
}

static void a_linear_sweep(void **state)
{
    (void)state;
    OPEN("hold=off");
    double v[41];
    for (int i = 0; i < 41; i++) v[i] = -2 + 0.1 * i;
    rs_spectrum out = empty_spectrum(600);
    is(REFUSED, ops->run_spectroscopy(self, T, &out, &err));
    rs_spectroscopy s = staircase(v, 41);
    s.ramp_rate = 50;
    is(OK, ops->set_spectroscopy(self, &s, T, &err));
    const emulator *e = emu_state(emu);
    assert_true(e->mls == 0 && e->points == 41 && e->limits[0] == -2 && e->limits[1] == 2);
    assert_true(e->props[0] == 2 && e->props[1] == 1 && e->props[2] == 2);
    assert_true(e->advanced[0] == 1 && e->advanced[1] == 2); /* the bias goes back afterwards */
    assert_true(isnan(e->timing[0]) && e->timing[1] == 0 && e->timing[3] == 50);
    assert_true(e->timing[4] == 0.002f && fabsf(e->timing[5] - 0.008f) < 1e-7f);
    const double seconds = ops->spectroscopy_seconds(self);
    assert_true(seconds > 0.41 && seconds < 0.6);
    is(OK, ops->move_tip(self, 3e-6, -1e-6, 1e-6, T, &err));
    is(OK, ops->run_spectroscopy(self, T, &out, &err));
    check_spectrum(&out, v, 41, false);
    assert_true(out.x == 3e-6 && out.y == -1e-6 && out.time > 0);
    out = empty_spectrum(40);
    is(REFUSED, ops->run_spectroscopy(self, T, &out, &err));
}

static void a_triangle(void **state)
{
    (void)state;
    OPEN(PLAIN);
    double v[512];
    for (int i = 0; i < 512; i++) {
        const double t = (i % 256) / 256.0; /* two cycles of 0, +8, -8, 0 */
        v[i] = 8 * (t < 0.25 ? 4 * t : t < 0.75 ? 2 - 4 * t : 4 * t - 4);
    }
    rs_spectroscopy s = staircase(v, 512);
    is(OK, ops->set_spectroscopy(self, &s, T, &err));
    const emulator *e = emu_state(emu);
    int total = 0;
    assert_true(e->mls >= 4 && e->mls <= 6 && isnan(e->timing[3]));
    for (int k = 0; k < e->mls; k++) {
        total += e->mls_points[k];
        assert_true(e->mls_points[k] >= 2);
        assert_true(e->mls_settle[k] == 0.002f && fabsf(e->mls_integrate[k] - 0.008f) < 1e-7f);
    }
    assert_int_equal(total, 512);
    for (int i = 0; i < 2; i++) {
        rs_spectrum out = empty_spectrum(512);
        is(OK, ops->run_spectroscopy(self, T, &out, &err));
        check_spectrum(&out, v, 512, true);
    }
}

static void spectra_that_cannot_be(void **state)
{
    (void)state;
    OPEN(PLAIN, "bias_max=6");
    double v[64];
    for (int i = 0; i < 64; i++) v[i] = i * i % 7;
    v[0] = 0;
    rs_spectroscopy s = staircase(v, 64), bad[6];
    is(REFUSED, ops->set_spectroscopy(self, &s, T, &err)); /* more than 16 pieces */
    s.steps = 3;
    for (int i = 0; i < 6; i++) bad[i] = s;
    bad[0].off_field = true;
    bad[1].steps = 1;
    bad[2].settle = 0.02;
    bad[3].ramp_rate = -1;
    bad[4].dwell = INFINITY;
    double high[3] = {0, 1, 6.5};
    bad[5].voltage = high;
    for (int i = 0; i < 6; i++) is(REFUSED, ops->set_spectroscopy(self, &bad[i], T, &err));
    assert_int_equal(emu_count(emu, "BiasSpectr.Open"), 0);
    assert_true(ops->spectroscopy_seconds(self) == 0);
}

static void a_spectrum_that_is_late_is_taken_once(void **state)
{
    (void)state;
    OPEN(PLAIN);
    double v[20];
    for (int i = 0; i < 20; i++) v[i] = 0.1 * i;
    rs_spectroscopy s = staircase(v, 20);
    is(OK, ops->set_spectroscopy(self, &s, T, &err));
    emu_set_fault(emu, EMU_LATE, "BiasSpectr.Start", 1);
    rs_spectrum out = empty_spectrum(20);
    for (int i = 0; i < 3; i++) is(RETRY, ops->run_spectroscopy(self, 0.05, &out, &err));
    emu_release(emu);
    is(OK, ops->run_spectroscopy(self, T, &out, &err));
    check_spectrum(&out, v, 20, true);
    assert_int_equal(emu_count(emu, "BiasSpectr.Start"), 1);
}

/* An instrument whose segments leave out their end: the calculated bias shows it. */
static void a_spectrum_of_another_staircase(void **state)
{
    (void)state;
    OPEN(PLAIN);
    double v[24];
    for (int i = 0; i < 24; i++) v[i] = i < 12 ? i * 0.5 : (23 - i) * 0.5;
    rs_spectroscopy s = staircase(v, 24);
    SET(repeats_points, true);
    is(OK, ops->set_spectroscopy(self, &s, T, &err));
    rs_spectrum out = empty_spectrum(24);
    is(LOST_LINE, ops->run_spectroscopy(self, T, &out, &err));
    assert_non_null(strstr(err.what, "bias of step"));
    assert_true(amplitude[0] == -777);
    SET(repeats_points, false);
    is(OK, ops->run_spectroscopy(self, T, &out, &err));
}

/* ------------------------------------------------------------------------------------------- halt
 */
typedef struct worker {
    pthread_t thread;
    rs_driver_status (*run)(void);
    rs_driver_status result;
} worker;

static void *work(void *arg)
{
    worker *w = arg;
    w->result = w->run();
    return NULL;
}

static void begin_work(worker *w, rs_driver_status (*run)(void))
{
    w->run = run;
    assert_int_equal(pthread_create(&w->thread, NULL, work, w), 0);
}

static rs_driver_status end_work(worker *w)
{
    assert_int_equal(pthread_join(w->thread, NULL), 0);
    return w->result;
}

static reshed_error other_err;

static rs_driver_status work_line(void)
{
    rs_line l = {.cols = EMU_SIDE, .channels = 3, .channel = values};
    return ops->wait_line(self, T, &l, &other_err);
}

static rs_driver_status work_move(void)
{
    return ops->move_tip(self, 5e-6, 5e-6, 1e-6, T, &other_err);
}

static rs_driver_status work_spectrum(void)
{
    rs_spectrum out = empty_spectrum(600);
    return ops->run_spectroscopy(self, T, &out, &other_err);
}

static rs_driver_status work_ramp(void)
{
    return ops->set_bias(self, 10, T, &other_err);
}

static void is_safe(void)
{
    const emulator *e = emu_state(emu);
    assert_true(!e->running && !e->moving && !e->spectrum_running && !e->approaching);
    assert_true(e->bias == 0 && !e->z_on && !e->modulated);
    assert_true(e->withdrawals >= 1);
}

static void halt_while_a_line_is_awaited(void **state)
{
    (void)state;
    OPEN("modulator=1", "ramp=100");
    is(OK, ops->engage(self, T, &err));
    is(OK, ops->set_drive(self, 0.5, T, &err));
    is(OK, ops->set_bias(self, 3, T, &err));
    set_frame(8, 32, false);
    SET(per_look, 0);
    start(0);
    worker w;
    int before = emu_count(emu, "Scan.WaitEndOfLine");
    begin_work(&w, work_line);
    assert_true(emu_wait_for(emu, "Scan.WaitEndOfLine", before + 1));
    is(OK, ops->halt(self, T, &err));
    check_status(end_work(&w), RS_DRIVER_REFUSED, "wait_line", __LINE__);
    assert_non_null(strstr(other_err.what, "halted"));
    is_safe();
    assert_true(GET(largest_step) <= 2.001f); /* ramped there and back: 100 V/s times 20 ms */
    /* Until somebody engages, nothing acts; reading goes on. */
    rs_frame f = a_frame(8, 32, false);
    double v;
    is(REFUSED, ops->move_tip(self, 0, 0, 1e-6, T, &err));
    is(REFUSED, ops->set_bias(self, 1, T, &err));
    is(REFUSED, ops->pulse(self, 1, 0.1, T, &err));
    is(REFUSED, ops->set_frame(self, &f, T, &err));
    is(REFUSED, ops->start(self, 0, T, &err));
    is(OK, ops->get_bias(self, &v, T, &err));
    is(OK, ops->set_bias(self, 0, T, &err)); /* and what is safe */
    is(OK, ops->set_drive(self, 0, T, &err));
    is(OK, ops->withdraw(self, T, &err));
    is(OK, ops->halt(self, T, &err)); /* twice */
    is(OK, ops->engage(self, T, &err));
    SET(per_look, 1);
    set_frame(8, 32, false);
    start(0);
    rs_line l;
    is(OK, next(&l));
    assert_int_equal(l.row, 0);
}

static void halt_stops_a_move(void **state)
{
    (void)state;
    OPEN(PLAIN);
    emu_set_fault(emu, EMU_LATE, "FolMe.XYPosSet", 1);
    worker w;
    begin_work(&w, work_move);
    assert_true(emu_wait_for(emu, "FolMe.XYPosSet", 1));
    is(OK, ops->halt(self, T, &err));
    check_status(end_work(&w), RS_DRIVER_REFUSED, "move_tip", __LINE__);
    is_safe();
    assert_true(GET(x) == 2.5e-6); /* half-way */
}

static void halt_stops_a_spectrum(void **state)
{
    (void)state;
    OPEN(PLAIN);
    double v[20];
    for (int i = 0; i < 20; i++) v[i] = 0.1 * i;
    rs_spectroscopy s = staircase(v, 20);
    is(OK, ops->set_spectroscopy(self, &s, T, &err));
    emu_set_fault(emu, EMU_LATE, "BiasSpectr.Start", 1);
    worker w;
    begin_work(&w, work_spectrum);
    assert_true(emu_wait_for(emu, "BiasSpectr.Start", 1));
    is(OK, ops->halt(self, T, &err));
    check_status(end_work(&w), RS_DRIVER_REFUSED, "run_spectroscopy", __LINE__);
    is_safe();
}

/* The other thread is ramping up; after the halt the bias is 0 and stays there. */
static void halt_wins_over_a_ramp(void **state)
{
    (void)state;
    OPEN("ramp=1");
    worker w;
    begin_work(&w, work_ramp);
    assert_true(emu_wait_for(emu, "Bias.Set", 5));
    is(OK, ops->halt(self, T, &err));
    check_status(end_work(&w), RS_DRIVER_REFUSED, "set_bias", __LINE__);
    is_safe();
}

static rs_driver_status work_halt(void)
{
    return ops->halt(self, T, &other_err);
}

static void halt_from_two_threads(void **state)
{
    (void)state;
    OPEN("ramp=100");
    is(OK, ops->set_bias(self, 5, T, &err));
    worker w;
    begin_work(&w, work_halt);
    is(OK, ops->halt(self, T, &err));
    check_status(end_work(&w), RS_DRIVER_OK, "halt", __LINE__);
    is_safe();
}

static void halt_after_the_connections_are_gone(void **state)
{
    (void)state;
    double v;
    OPEN(PLAIN);
    is(OK, ops->engage(self, T, &err));
    is(OK, ops->set_bias(self, 3, T, &err));
    emu_disconnect(emu);
    is(LOST, ops->get_bias(self, &v, T, &err));
    is(LOST, ops->get_bias(self, &v, T, &err)); /* and stays so */
    is(OK, ops->halt(self, T, &err));
    is_safe();
    /* A connection that does not answer is replaced as well. */
    SET(bias, 2);
    emu_set_fault(emu, EMU_SILENT, "Scan.Action", 1);
    is(OK, ops->halt(self, 4, &err));
    is_safe();
}

/* A command that the instrument refuses does not keep the others from being given. */
static void halt_goes_on_after_an_error(void **state)
{
    (void)state;
    OPEN(PLAIN, "modulator=2");
    is(OK, ops->engage(self, T, &err));
    is(OK, ops->set_drive(self, 1, T, &err));
    is(OK, ops->set_bias(self, 3, T, &err));
    emu_set_fault(emu, EMU_ERROR_VALUES, "FolMe.Stop", 1);
    is(REFUSED, ops->halt(self, T, &err));
    assert_non_null(strstr(err.what, "FolMe.Stop"));
    is_safe();
    /* Modules that were never used need not exist. */
    emu_set_fault(emu, EMU_ERROR, "BiasSpectr.Stop", 1);
    is(OK, ops->halt(self, T, &err));
}

/* ----------------------------------------------------------------------------------------- faults
 */
static void replies_byte_by_byte(void **state)
{
    (void)state;
    SET(trickle, true);
    OPEN(PLAIN);
    set_frame(4, 16, true);
    start(3);
    whole_scan(4, 16, true, false, 2, 1);
}

static void errors_leave_the_connection_alive(void **state)
{
    (void)state;
    double v;
    OPEN(PLAIN);
    for (int k = 0; k < 2; k++) {
        emu_set_fault(emu, k ? EMU_ERROR_VALUES : EMU_ERROR, "Bias.Get", 1);
        is(REFUSED, ops->get_bias(self, &v, T, &err));
        assert_non_null(strstr(err.what, k ? "that is not possible now" : "Bias.Get"));
        is(OK, ops->get_bias(self, &v, T, &err));
        emu_set_fault(emu, k ? EMU_ERROR_VALUES : EMU_ERROR, "Scan.FrameSet", 1);
        rs_frame f = a_frame(4, 16, false);
        is(REFUSED, ops->set_frame(self, &f, T, &err));
    }
}

/* Rubbish and closed connections are the end of that connection; closing and opening is a new one.
 */
static void rubbish_is_lost_and_opening_again_works(void **state)
{
    (void)state;
    static const emu_fault faults[] = {EMU_SIZE_HUGE, EMU_SIZE_NEGATIVE, EMU_NAME, EMU_CLOSE};
    static const char *const commands[] = {"Bias.Get", "Scan.FrameDataGrab", "Scan.StatusGet"};
    for (size_t k = 0; k < 4; k++)
        for (size_t c = 0; c < 3; c++) {
            double v;
            rs_line l;
            OPEN(PLAIN);
            set_frame(4, 16, false);
            start(0);
            is(OK, next(&l));
            emu_set_fault(emu, faults[k], commands[c], 1);
            rs_driver_status st = RS_DRIVER_OK;
            for (int i = 0; i < 20 && st == RS_DRIVER_OK; i++) {
                st = ops->get_bias(self, &v, T, &err);
                if (st == RS_DRIVER_OK) st = next(&l);
            }
            check_status(st, RS_DRIVER_LOST, commands[c], __LINE__);
            is(LOST, ops->get_bias(self, &v, T, &err));
            ops->close(self);
        }
    OPEN(PLAIN);
    set_frame(4, 16, false);
    start(0);
    whole_scan(4, 16, false, false, 2, GET(scans));
}

static void sizes_within_a_reply(void **state)
{
    (void)state;
    rs_line l;
    OPEN(PLAIN);
    set_frame(4, 16, false);
    start(0);
    emu_set_fault(emu, EMU_SIZE_INNER, "Scan.FrameDataGrab", 1);
    rs_driver_status st = RS_DRIVER_OK;
    for (int i = 0; i < 10 && st == RS_DRIVER_OK; i++) st = next(&l);
    check_status(st, RS_DRIVER_LOST, "next", __LINE__);
    ops->close(self);
    emu_set_fault(emu, EMU_SIZE_INNER, "Signals.NamesGet", 1);
    self = NULL;
    is(LOST, open_with(NULL));
    emu_set_fault(emu, EMU_SIZE_INNER, "Scan.BufferGet", 1);
    OPEN(PLAIN);
    rs_frame f = a_frame(4, 16, false);
    is(LOST, ops->set_frame(self, &f, T, &err));
}

/* Silence is "not yet" for a while, and then the end. */
static void silence(void **state)
{
    (void)state;
    double v;
    OPEN(PLAIN, "silence=1.5");
    emu_set_fault(emu, EMU_SILENT, "Bias.Get", 1);
    is(RETRY, ops->get_bias(self, &v, 0.02, &err));
    rs_driver_status st = RS_DRIVER_RETRY;
    for (int i = 0; i < 1000 && st == RS_DRIVER_RETRY; i++)
        st = ops->get_bias(self, &v, 0.02, &err);
    check_status(st, RS_DRIVER_LOST, "get_bias", __LINE__);
    assert_int_equal(err.status, RESHED_ETIMEOUT);
    ops->close(self);
    OPEN(PLAIN);
    is(OK, ops->get_bias(self, &v, T, &err));
}

/* A late answer to one question is not taken for the answer to the next. */
static void late_answers_are_dropped(void **state)
{
    (void)state;
    double v;
    OPEN(PLAIN);
    is(OK, ops->set_setpoint(self, 0.25, T, &err));
    is(OK, ops->set_bias(self, 4, T, &err));
    emu_set_fault(emu, EMU_LATE, "Bias.Get", 1);
    is(RETRY, ops->get_bias(self, &v, 0.05, &err));
    is(RETRY, ops->get_setpoint(self, &v, 0.05, &err));
    emu_release(emu);
    is(OK, ops->get_setpoint(self, &v, T, &err));
    assert_true(v == 0.25);
}

static void lost_in_the_middle_of_a_scan(void **state)
{
    (void)state;
    rs_line l;
    OPEN(PLAIN);
    set_frame(8, 32, false);
    start(0);
    for (int row = 0; row < 3; row++) is(OK, next(&l));
    emu_disconnect(emu);
    is(LOST, next(&l));
    ops->close(self);
    OPEN(PLAIN);
    set_frame(8, 32, false);
    start(3); /* the frame is scanned anew; what was had already is not handed out again */
    for (int row = 3; row < 8; row++) {
        is(OK, next(&l));
        check_line(&l, row, false, 32, 2, 2);
    }
}

#define T_(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
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
        T_(pauses_and_goes_on),
        T_(a_lost_line),
        T_(a_scan_that_ends_early),
        T_(a_whole_frame),
        T_(channels_by_slot),
        T_(a_frame_of_another_size),
        T_(the_tip),
        T_(engages_by_feedback),
        T_(a_move_that_is_late_is_made_once),
        T_(the_bias_is_ramped),
        T_(pulses),
        T_(the_drive),
        T_(a_linear_sweep),
        T_(a_triangle),
        T_(spectra_that_cannot_be),
        T_(a_spectrum_that_is_late_is_taken_once),
        T_(a_spectrum_of_another_staircase),
        T_(halt_while_a_line_is_awaited),
        T_(halt_stops_a_move),
        T_(halt_stops_a_spectrum),
        T_(halt_wins_over_a_ramp),
        T_(halt_from_two_threads),
        T_(halt_after_the_connections_are_gone),
        T_(halt_goes_on_after_an_error),
        T_(replies_byte_by_byte),
        T_(errors_leave_the_connection_alive),
        T_(rubbish_is_lost_and_opening_again_works),
        T_(sizes_within_a_reply),
        T_(silence),
        T_(late_answers_are_dropped),
        T_(lost_in_the_middle_of_a_scan),
    };
    return cmocka_run_group_tests_name("nanonis", tests, NULL, NULL);
}
