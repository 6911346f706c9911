/* reshed-scan and the nanonis emulator: what becomes of the instrument when the program does not go
 * on - killed, stopped, blocked - and when it ends as it should. The emulator's own state is what
 * counts. */
#define _GNU_SOURCE
#include "support/nanonis_rig.h"
#include "support/scan_program.h"
#include "support/support.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/os.h"

/* An engaged tip with voltages on it. */
static void engage_by_hand(void)
{
    emu_lock(nano.emu);
    nano.emu->bias = 1.5f;
    nano.emu->z_on = nano.emu->modulated = true;
    nano.emu->modulation = 0.5f;
    emu_unlock(nano.emu);
}

/* The arguments of a run against it, into args. */
static void arguments(char *args, size_t n, const char *session, const char *more)
{
    snprintf(args, n,
             "-w weights/tiny8x4.h5 -j 1 --pictures none --report none --driver nanonis "
             "-d 'channel=LI Demod 1 R' -d ports=%d,%d,%d,%d -d modulator=1 -d silence=0.5 "
             "-d bias_max=5 -d drive_max=1 -s rows=32 -s cols=32 -s width=1e-6 -s height=1e-6 "
             "-s steps=16 -s cycles=1 -s voltage=3 -s drop_first=0 -s every=6 -s max_points=3 "
             "-s be_amplitude=0.5 -o %s %s",
             emu_port(nano.emu, 0), emu_port(nano.emu, 1), emu_port(nano.emu, 2),
             emu_port(nano.emu, 3), session, more);
}

static bool is_safe(const emulator *e)
{
    return e->bias == 0 && !e->modulated && !e->running && !e->moving && !e->spectrum_running;
}

/* Waits until the emulator is safe and its tip up. */
static void wait_safe(const char *what)
{
    const double until = rs_os_monotonic() + 30;
    for (;;) {
        const emulator *e = emu_state(nano.emu);
        if (is_safe(e) && !e->z_on) return;
        if (rs_os_monotonic() > until)
            fail_msg("%s: bias %g, drive %d, scan %d, move %d, spectrum %d, feedback %d", what,
                     (double)e->bias, e->modulated, e->running, e->moving, e->spectrum_running,
                     e->z_on);
        rs_os_sleep(0.02);
    }
}

/* Waits for these words on its standard error. */
static void wait_says(const char *words)
{
    char path[1024], text[8192];
    const double until = rs_os_monotonic() + 30;
    for (;;) {
        read_text(scan_temp(path, "err"), text, sizeof text);
        if (strstr(text, words)) return;
        if (rs_os_monotonic() > until) fail_msg("not '%s' but: %s", words, text);
        rs_os_sleep(0.02);
    }
}

static void a_whole_run_ends_withdrawn(void **state)
{
    (void)state;
    char args[4096], path[1024];
    engage_by_hand();
    arguments(args, sizeof args, scan_temp(path, "whole.h5"), "--json");
    const outcome *o = run_program("reshed-scan", args);
    if (o->status != 0) fail_msg("exit %d: %s", o->status, o->err);
    assert_non_null(strstr(o->out, "bias 0 V, drive off, tip withdrawn"));
    wait_safe("a good end");
    assert_int_equal(emu_count(nano.emu, "Bias.Get"), 1); /* of the ramp: nothing was halted */
}

/* ------------------------------------------------------------------------------ what it is doing */

typedef enum doing { LINES, MOVE, SPECTRUM, DOINGS } doing;
static const char *const names[] = {"lines", "a move", "a spectrum"};

/* Starts a run and waits until it is at that; there the emulator holds it. */
static pid_t start_at(doing what, const char *more)
{
    static const char *const command[] = {"Scan.FrameDataGrab", "FolMe.XYPosSet",
                                          "BiasSpectr.Start"};
    static const char list[] = "row,col\n10,10\n12,20\n";
    static int number;
    char args[4096], path[1024], points[1024], all[2048], name[32];
    engage_by_hand();
    test_write_file(scan_temp(points, "points.csv"), list, sizeof list - 1);
    snprintf(name, sizeof name, "run%d.h5", number++);
    scan_temp(path, name);
    snprintf(all, sizeof all, "--points %s -s drift_every=0 -s reference_every=0 %s", points, more);
    arguments(args, sizeof args, path, all);
    if (what == LINES)
        SET(per_look, 0);
    else
        emu_set_fault(nano.emu, EMU_LATE, command[what], 1);
    const pid_t pid = scan_start(args);
    if (!emu_wait_for(nano.emu, command[what], what == LINES ? 3 : 1)) {
        kill(pid, SIGKILL);
        char text[4096];
        read_text(scan_temp(path, "err"), text, sizeof text);
        fail_msg("%s: %s", names[what], text);
    }
    /* A bias that only a halt takes away. */
    SET(bias, 2.5f);
    return pid;
}

/* The next run finds an instrument as the last one found it. */
static void start_anew(void)
{
    emu_set_fault(nano.emu, EMU_NO_FAULT, "", 0);
    emu_release(nano.emu);
    emu_lock(nano.emu);
    nano.emu->per_look = 1;
    nano.emu->logged = 0;
    emu_unlock(nano.emu);
}

/* Nothing of it is left that could act: the second process does. */
static void a_killed_program_leaves_a_halted_instrument(void **state)
{
    (void)state;
    for (doing what = test_quick() ? SPECTRUM : LINES; what < DOINGS; what++) {
        const pid_t pid = start_at(what, "");
        assert_int_equal(kill(pid, SIGKILL), 0);
        const int status = scan_wait(pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        wait_safe(names[what]);
        wait_says("the program has died; the instrument has been halted");
        start_anew();
    }
}

/* Ctrl-Z, a debugger: it is killed before it is halted for, so that it cannot wake up and go on. */
static void a_stopped_program_is_replaced(void **state)
{
    (void)state;
    for (doing what = test_long() ? LINES : SPECTRUM; what < DOINGS; what++) {
        const pid_t pid = start_at(what, "-s watch=5");
        assert_int_equal(kill(pid, SIGSTOP), 0);
        const int status = scan_wait(pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        wait_safe(names[what]);
        wait_says("no sign of life and was killed; the instrument has been halted");
        start_anew();
    }
}

/* The rescue's replies are refused, missing or cut, or every port but one is dead. */
static void a_rescue_does_not_need_answers(void **state)
{
    (void)state;
    test_not_quick();
    static const emu_fault faults[] = {EMU_ERROR_VALUES, EMU_SILENT, EMU_CLOSE};
    static const char *const commands[] = {"Bias.Set", "Scan.Action"};
    for (int k = 0; k < 6; k++) {
        const pid_t pid = start_at(LINES, "");
        assert_int_equal(kill(pid, SIGSTOP), 0);
        emu_set_fault(nano.emu, faults[k / 2], commands[k % 2], 100);
        assert_int_equal(kill(pid, SIGKILL), 0);
        scan_wait(pid);
        wait_safe(commands[k % 2]);
        wait_says("THE INSTRUMENT COULD NOT BE HALTED");
        start_anew();
    }
}

/* With watch=0 there is one process, and a signal that can be caught is still a halt. */
static void without_a_watchdog(void **state)
{
    (void)state;
    test_not_quick();
    const pid_t pid = start_at(LINES, "-s watch=0");
    assert_int_equal(kill(pid, SIGTERM), 0);
    const int status = scan_wait(pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    wait_safe("watch=0");
}

#define T_(f) cmocka_unit_test_setup_teardown(f, nano_setup, nano_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T_(a_whole_run_ends_withdrawn),
        T_(a_killed_program_leaves_a_halted_instrument),
        T_(a_stopped_program_is_replaced),
        T_(a_rescue_does_not_need_answers),
        T_(without_a_watchdog),
    };
    return cmocka_run_group_tests_name("scan_watch", tests, NULL, NULL);
}
