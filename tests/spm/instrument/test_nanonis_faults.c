/* The nanonis driver when things go wrong: halt from another thread, and every way in which the
 * emulator can fail. */
#include "support/nanonis_rig.h"

#include <pthread.h>
#include <string.h>

#include "base/os.h"

/* ----------------------------------------------------------------------------------------- halt */

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
    rs_line l = {.cols = EMU_SIDE, .channels = 3, .channel = nano.values};
    return nano.ops->wait_line(nano.self, T, &l, &other_err);
}

static rs_driver_status work_move(void)
{
    return nano.ops->move_tip(nano.self, 5e-6, 5e-6, 1e-6, T, &other_err);
}

static rs_driver_status work_spectrum(void)
{
    rs_spectrum out = nano_spectrum(600);
    return nano.ops->run_spectroscopy(nano.self, T, &out, &other_err);
}

static rs_driver_status work_ramp(void)
{
    return nano.ops->set_bias(nano.self, 10, T, &other_err);
}

static void is_safe(void)
{
    const emulator *e = emu_state(nano.emu);
    assert_true(!e->running && !e->moving && !e->spectrum_running && !e->approaching);
    assert_true(e->bias == 0 && !e->z_on && !e->modulated);
    assert_true(e->withdrawals >= 1);
}

static void halt_while_a_line_is_awaited(void **state)
{
    (void)state;
    OPEN("modulator=1", "ramp=100");
    is(OK, nano.ops->engage(nano.self, T, &nano.err));
    is(OK, nano.ops->set_drive(nano.self, 0.5, T, &nano.err));
    is(OK, nano.ops->set_bias(nano.self, 3, T, &nano.err));
    assert_true(GET(largest_step) <= 2.001f); /* 100 V/s times 20 ms */
    nano_set_frame(8, 32, false);
    SET(per_look, 0);
    nano_start(0);
    worker w;
    int before = emu_count(nano.emu, "Scan.WaitEndOfLine");
    begin_work(&w, work_line);
    assert_true(emu_wait_for(nano.emu, "Scan.WaitEndOfLine", before + 1));
    is(OK, nano.ops->halt(nano.self, T, &nano.err));
    nano_check(end_work(&w), RS_DRIVER_REFUSED, "wait_line", __FILE__, __LINE__);
    assert_non_null(strstr(other_err.what, "halted"));
    is_safe();
    assert_true(GET(largest_step) == 3); /* at once: a halt does not ramp */
    /* Until the tip is engaged, nothing acts; reading goes on. */
    rs_frame f = nano_frame(8, 32, false);
    double v;
    is(REFUSED, nano.ops->move_tip(nano.self, 0, 0, 1e-6, T, &nano.err));
    is(REFUSED, nano.ops->set_bias(nano.self, 1, T, &nano.err));
    is(REFUSED, nano.ops->pulse(nano.self, 1, 0.1, T, &nano.err));
    is(REFUSED, nano.ops->set_frame(nano.self, &f, T, &nano.err));
    is(REFUSED, nano.ops->start(nano.self, 0, T, &nano.err));
    is(OK, nano.ops->get_bias(nano.self, &v, T, &nano.err));
    is(OK, nano.ops->set_bias(nano.self, 0, T, &nano.err)); /* and what is safe */
    is(OK, nano.ops->set_drive(nano.self, 0, T, &nano.err));
    is(OK, nano.ops->withdraw(nano.self, T, &nano.err));
    is(OK, nano.ops->halt(nano.self, T, &nano.err)); /* twice */
    is(OK, nano.ops->engage(nano.self, T, &nano.err));
    SET(per_look, 1);
    nano_set_frame(8, 32, false);
    nano_start(0);
    rs_line l;
    is(OK, nano_next(&l));
    assert_int_equal(l.row, 0);
}

static void halt_stops_a_move(void **state)
{
    (void)state;
    OPEN(PLAIN);
    emu_set_fault(nano.emu, EMU_LATE, "FolMe.XYPosSet", 1);
    worker w;
    begin_work(&w, work_move);
    assert_true(emu_wait_for(nano.emu, "FolMe.XYPosSet", 1));
    is(OK, nano.ops->halt(nano.self, T, &nano.err));
    nano_check(end_work(&w), RS_DRIVER_REFUSED, "move_tip", __FILE__, __LINE__);
    is_safe();
    assert_true(GET(x) == 2.5e-6); /* half-way */
}

static void halt_stops_a_spectrum(void **state)
{
    (void)state;
    OPEN(PLAIN);
    double v[20];
    for (int i = 0; i < 20; i++) v[i] = 0.1 * i;
    rs_spectroscopy s = nano_staircase(v, 20);
    is(OK, nano.ops->set_spectroscopy(nano.self, &s, T, &nano.err));
    emu_set_fault(nano.emu, EMU_LATE, "BiasSpectr.Start", 1);
    worker w;
    begin_work(&w, work_spectrum);
    assert_true(emu_wait_for(nano.emu, "BiasSpectr.Start", 1));
    is(OK, nano.ops->halt(nano.self, T, &nano.err));
    nano_check(end_work(&w), RS_DRIVER_REFUSED, "run_spectroscopy", __FILE__, __LINE__);
    is_safe();
}

/* The other thread is ramping up; after the halt the bias is 0 and stays there. */
static void halt_wins_over_a_ramp(void **state)
{
    (void)state;
    OPEN("ramp=1");
    worker w;
    begin_work(&w, work_ramp);
    assert_true(emu_wait_for(nano.emu, "Bias.Set", 5));
    is(OK, nano.ops->halt(nano.self, T, &nano.err));
    nano_check(end_work(&w), RS_DRIVER_REFUSED, "set_bias", __FILE__, __LINE__);
    is_safe();
}

static rs_driver_status work_halt(void)
{
    return nano.ops->halt(nano.self, T, &other_err);
}

static void halt_from_two_threads(void **state)
{
    (void)state;
    OPEN("ramp=100");
    is(OK, nano.ops->set_bias(nano.self, 5, T, &nano.err));
    worker w;
    begin_work(&w, work_halt);
    is(OK, nano.ops->halt(nano.self, T, &nano.err));
    nano_check(end_work(&w), RS_DRIVER_OK, "halt", __FILE__, __LINE__);
    is_safe();
}

static void halt_after_the_connections_are_gone(void **state)
{
    (void)state;
    double v;
    OPEN(PLAIN);
    is(OK, nano.ops->engage(nano.self, T, &nano.err));
    is(OK, nano.ops->set_bias(nano.self, 3, T, &nano.err));
    emu_disconnect(nano.emu);
    is(LOST, nano.ops->get_bias(nano.self, &v, T, &nano.err));
    is(LOST, nano.ops->get_bias(nano.self, &v, T, &nano.err)); /* and stays so */
    is(OK, nano.ops->halt(nano.self, T, &nano.err));
    is_safe();
    /* A connection that does not answer is replaced as well. */
    SET(bias, 2);
    emu_set_fault(nano.emu, EMU_SILENT, "Scan.Action", 1);
    is(OK, nano.ops->halt(nano.self, 4, &nano.err));
    is_safe();
}

/* A command that the instrument refuses does not keep the others from being given. */
static void halt_goes_on_after_an_error(void **state)
{
    (void)state;
    OPEN(PLAIN, "modulator=2");
    is(OK, nano.ops->engage(nano.self, T, &nano.err));
    is(OK, nano.ops->set_drive(nano.self, 1, T, &nano.err));
    is(OK, nano.ops->set_bias(nano.self, 3, T, &nano.err));
    emu_set_fault(nano.emu, EMU_ERROR_VALUES, "FolMe.Stop", 1);
    is(REFUSED, nano.ops->halt(nano.self, T, &nano.err));
    assert_non_null(strstr(nano.err.what, "FolMe.Stop"));
    is_safe();
    /* Modules that were never used need not exist. */
    emu_set_fault(nano.emu, EMU_ERROR, "BiasSpectr.Stop", 1);
    is(OK, nano.ops->halt(nano.self, T, &nano.err));
}

/* Waits for what the emulator still has to read; names the case that stays unsafe. */
static void wait_safe(const char *command, emu_fault fault, int count)
{
    const double until = rs_os_monotonic() + 2;
    for (;;) {
        const emulator *e = emu_state(nano.emu);
        if (e->bias == 0 && !e->modulated && !e->running && !e->approaching && !e->z_on) return;
        if (rs_os_monotonic() > until)
            fail_msg("%s, fault %d x %d: bias %g, drive %d, scan %d, approach %d, feedback %d",
                     command, fault, count, (double)e->bias, e->modulated, e->running,
                     e->approaching, e->z_on);
        rs_os_sleep(0.01);
    }
}

/* A reply of halt that is refused, garbled, missing or cut: the instrument obeys all the same, and
 * the error names what it did not confirm. `count` 100: every such reply, also through a new
 * connection. */
static void halt_whatever_is_answered(void **state)
{
    (void)state;
    test_not_quick();
    static const emu_fault faults[] = {EMU_ERROR_VALUES,  EMU_NAME,       EMU_SIZE_HUGE,
                                       EMU_SIZE_NEGATIVE, EMU_SIZE_INNER, EMU_SILENT,
                                       EMU_CLOSE};
    static const char *const commands[] = {
        "Bias.Set",       "LockIn.ModOnOffSet", "Scan.Action",
        "FolMe.Stop",     "BiasSpectr.Stop",    "AutoApproach.OnOffSet",
        "ZCtrl.Withdraw", "Bias.Get",           "Util.VersionGet"};
    enum { FAULTS = sizeof faults / sizeof *faults, COMMANDS = sizeof commands / sizeof *commands };
    for (int k = 0; k < 2 * FAULTS * COMMANDS; k++) {
        const char *command = commands[k / 2 / FAULTS];
        const int count = k % 2 ? 100 : 1;
        const emu_fault fault = faults[k / 2 % FAULTS];
        OPEN(PLAIN, "modulator=2", "silence=0.3");
        is(OK, nano.ops->engage(nano.self, T, &nano.err));
        is(OK, nano.ops->set_drive(nano.self, 1, T, &nano.err));
        is(OK, nano.ops->set_bias(nano.self, 1.5, T, &nano.err));
        nano_set_frame(8, 32, false);
        SET(per_look, 0);
        nano_start(0);
        SET(approaching, true);
        emu_set_fault(nano.emu, fault, command, count);
        memset(&nano.err, 0, sizeof nano.err);
        const rs_driver_status st = nano.ops->halt(nano.self, 3, &nano.err);
        emu_set_fault(nano.emu, EMU_NO_FAULT, "", 0);
        wait_safe(command, fault, count);
        is_safe();
        if (st != RS_DRIVER_OK) {
            assert_true(nano.err.status != RESHED_OK && nano.err.what[0]);
            if (strcmp(command, "Bias.Get") != 0 && !strstr(nano.err.found, command))
                fail_msg("%s, fault %d: says %s, %s", command, fault, nano.err.what,
                         nano.err.found);
        } else if (count == 100 && strcmp(command, "Util.VersionGet") != 0 &&
                   strcmp(command, "BiasSpectr.Stop") != 0) {
            if (!(fault == EMU_SIZE_INNER && strcmp(command, "Bias.Get") == 0))
                fail_msg("%s, fault %d: halt claims success", command, fault);
        }
        SET(approaching, false);
        nano.ops->close(nano.self);
        nano.self = NULL;
    }
}

/* Bias and drive come first, and nothing is asked before them. */
static void halt_sends_the_voltages_first(void **state)
{
    (void)state;
    OPEN(PLAIN, "modulator=2");
    is(OK, nano.ops->set_bias(nano.self, 1.5, T, &nano.err));
    const int before = GET(logged);
    is(OK, nano.ops->halt(nano.self, T, &nano.err));
    const emulator *e = emu_state(nano.emu);
    assert_string_equal(e->log[before].name, "Bias.Set");
    assert_string_equal(e->log[before + 1].name, "LockIn.ModOnOffSet");
    assert_string_equal(e->log[before + 2].name, "Scan.Action");
    assert_string_equal(e->log[e->logged - 1].name, "Bias.Get");
    is_safe();
}

/* --------------------------------------------------------------------------------------- faults */

static void replies_byte_by_byte(void **state)
{
    (void)state;
    SET(trickle, true);
    OPEN(PLAIN);
    nano_set_frame(4, 16, true);
    nano_start(3);
    nano_whole_scan(4, 16, true, false, 2, 1);
}

static void errors_leave_the_connection_alive(void **state)
{
    (void)state;
    double v;
    OPEN(PLAIN);
    for (int k = 0; k < 2; k++) {
        emu_set_fault(nano.emu, k ? EMU_ERROR_VALUES : EMU_ERROR, "Bias.Get", 1);
        is(REFUSED, nano.ops->get_bias(nano.self, &v, T, &nano.err));
        assert_non_null(strstr(nano.err.what, k ? "that is not possible now" : "Bias.Get"));
        is(OK, nano.ops->get_bias(nano.self, &v, T, &nano.err));
        emu_set_fault(nano.emu, k ? EMU_ERROR_VALUES : EMU_ERROR, "Scan.FrameSet", 1);
        rs_frame f = nano_frame(4, 16, false);
        is(REFUSED, nano.ops->set_frame(nano.self, &f, T, &nano.err));
    }
}

/* Rubbish and closed connections end that connection; closing and opening begins a new one. */
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
            nano_set_frame(4, 16, false);
            nano_start(0);
            is(OK, nano_next(&l));
            emu_set_fault(nano.emu, faults[k], commands[c], 1);
            rs_driver_status st = RS_DRIVER_OK;
            for (int i = 0; i < 20 && st == RS_DRIVER_OK; i++) {
                st = nano.ops->get_bias(nano.self, &v, T, &nano.err);
                if (st == RS_DRIVER_OK) st = nano_next(&l);
            }
            nano_check(st, RS_DRIVER_LOST, commands[c], __FILE__, __LINE__);
            is(LOST, nano.ops->get_bias(nano.self, &v, T, &nano.err));
            nano.ops->close(nano.self);
        }
    OPEN(PLAIN);
    nano_set_frame(4, 16, false);
    nano_start(0);
    nano_whole_scan(4, 16, false, false, 2, GET(scans));
}

static void sizes_within_a_reply(void **state)
{
    (void)state;
    rs_line l;
    OPEN(PLAIN);
    nano_set_frame(4, 16, false);
    nano_start(0);
    emu_set_fault(nano.emu, EMU_SIZE_INNER, "Scan.FrameDataGrab", 1);
    rs_driver_status st = RS_DRIVER_OK;
    for (int i = 0; i < 10 && st == RS_DRIVER_OK; i++) st = nano_next(&l);
    nano_check(st, RS_DRIVER_LOST, "next", __FILE__, __LINE__);
    nano.ops->close(nano.self);
    emu_set_fault(nano.emu, EMU_SIZE_INNER, "Signals.NamesGet", 1);
    nano.self = NULL;
    is(LOST, nano_open(NULL));
    emu_set_fault(nano.emu, EMU_SIZE_INNER, "Scan.BufferGet", 1);
    OPEN(PLAIN);
    rs_frame f = nano_frame(4, 16, false);
    is(LOST, nano.ops->set_frame(nano.self, &f, T, &nano.err));
}

/* Silence is "not yet" for a while, and then the end. */
static void silence(void **state)
{
    (void)state;
    test_not_quick();
    double v;
    OPEN(PLAIN, "silence=1.5");
    emu_set_fault(nano.emu, EMU_SILENT, "Bias.Get", 1);
    is(RETRY, nano.ops->get_bias(nano.self, &v, 0.02, &nano.err));
    rs_driver_status st = RS_DRIVER_RETRY;
    for (int i = 0; i < 1000 && st == RS_DRIVER_RETRY; i++)
        st = nano.ops->get_bias(nano.self, &v, 0.02, &nano.err);
    nano_check(st, RS_DRIVER_LOST, "get_bias", __FILE__, __LINE__);
    assert_int_equal(nano.err.status, RESHED_ETIMEOUT);
    nano.ops->close(nano.self);
    OPEN(PLAIN);
    is(OK, nano.ops->get_bias(nano.self, &v, T, &nano.err));
}

/* A late answer to one question is not taken for the answer to the next. */
static void late_answers_are_dropped(void **state)
{
    (void)state;
    double v;
    OPEN(PLAIN);
    is(OK, nano.ops->set_setpoint(nano.self, 0.25, T, &nano.err));
    is(OK, nano.ops->set_bias(nano.self, 4, T, &nano.err));
    emu_set_fault(nano.emu, EMU_LATE, "Bias.Get", 1);
    is(RETRY, nano.ops->get_bias(nano.self, &v, 0.05, &nano.err));
    is(RETRY, nano.ops->get_setpoint(nano.self, &v, 0.05, &nano.err));
    emu_release(nano.emu);
    is(OK, nano.ops->get_setpoint(nano.self, &v, T, &nano.err));
    assert_true(v == 0.25);
}

static void lost_in_the_middle_of_a_scan(void **state)
{
    (void)state;
    rs_line l;
    OPEN(PLAIN);
    nano_set_frame(8, 32, false);
    nano_start(0);
    for (int row = 0; row < 3; row++) is(OK, nano_next(&l));
    emu_disconnect(nano.emu);
    is(LOST, nano_next(&l));
    nano.ops->close(nano.self);
    OPEN(PLAIN);
    nano_set_frame(8, 32, false);
    nano_start(3); /* the frame is scanned anew; what was had already is not handed out again */
    for (int row = 3; row < 8; row++) {
        is(OK, nano_next(&l));
        nano_check_line(&l, row, false, 32, 2, 2);
    }
}

#define T_(f) cmocka_unit_test_setup_teardown(f, nano_setup, nano_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T_(halt_while_a_line_is_awaited),
        T_(halt_stops_a_move),
        T_(halt_stops_a_spectrum),
        T_(halt_wins_over_a_ramp),
        T_(halt_from_two_threads),
        T_(halt_after_the_connections_are_gone),
        T_(halt_goes_on_after_an_error),
        T_(halt_whatever_is_answered),
        T_(halt_sends_the_voltages_first),
        T_(replies_byte_by_byte),
        T_(errors_leave_the_connection_alive),
        T_(rubbish_is_lost_and_opening_again_works),
        T_(sizes_within_a_reply),
        T_(silence),
        T_(late_answers_are_dropped),
        T_(lost_in_the_middle_of_a_scan),
    };
    return cmocka_run_group_tests_name("nanonis faults", tests, NULL, NULL);
}
