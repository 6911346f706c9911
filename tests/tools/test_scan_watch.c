/* reshed-scan and the nanonis emulator: what becomes of the instrument when the program does not go
 * on - killed, stopped, blocked - and when it ends as it should. The emulator's own state is what
 * counts. */
#define _GNU_SOURCE
#include "support/scan_nanonis.h"
#include "support/support.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/os.h"

static void a_whole_run_ends_withdrawn(void **state)
{
    (void)state;
    test_not_quick();
    char args[4096], path[1024];
    nano_engage_by_hand();
    nano_arguments(args, scan_temp(path, "whole.h5"), "--json");
    const outcome *o = run_program("reshed-scan", args);
    if (o->status != 0) fail_msg("exit %d: %s", o->status, o->err);
    assert_non_null(strstr(o->out, "bias 0 V, drive off, tip withdrawn"));
    nano_wait_safe(true, "a good end");
    assert_int_equal(emu_count(nano.emu, "Bias.Get"), 1); /* of the ramp: nothing was halted */
}

/* Nothing of it is left that could act: the second process does. */
static void a_killed_program_leaves_a_halted_instrument(void **state)
{
    (void)state;
    char path[1024];
    for (nano_doing what = test_quick() ? NANO_SPECTRUM : NANO_LINES; what < NANO_DOINGS; what++) {
        const pid_t pid = nano_start_at(what, "", path);
        assert_int_equal(kill(pid, SIGKILL), 0);
        const int status = scan_wait(pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        nano_wait_safe(true, nano_doing_names[what]);
        nano_wait_says("the program has died; the instrument has been halted");
        nano_start_anew();
    }
}

/* Ctrl-Z, a debugger: it is killed before it is halted for, so that it cannot wake up and go on. */
static void a_stopped_program_is_replaced(void **state)
{
    (void)state;
    char path[1024];
    for (nano_doing what = test_long() ? NANO_LINES : NANO_SPECTRUM; what < NANO_DOINGS; what++) {
        const pid_t pid = nano_start_at(what, "-s watch=5", path);
        assert_int_equal(kill(pid, SIGSTOP), 0);
        const int status = scan_wait(pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        nano_wait_safe(true, nano_doing_names[what]);
        nano_wait_says("no sign of life and was killed; the instrument has been halted");
        nano_start_anew();
    }
}

/* The rescue's replies are refused, missing or cut, or every port but one is dead. */
static void a_rescue_does_not_need_answers(void **state)
{
    (void)state;
    test_not_quick();
    static const emu_fault faults[] = {EMU_ERROR_VALUES, EMU_SILENT, EMU_CLOSE};
    static const char *const commands[] = {"Bias.Set", "Scan.Action"};
    char path[1024];
    for (int k = 0; k < 6; k++) {
        const pid_t pid = nano_start_at(NANO_LINES, "", path);
        assert_int_equal(kill(pid, SIGSTOP), 0);
        emu_set_fault(nano.emu, faults[k / 2], commands[k % 2], 100);
        assert_int_equal(kill(pid, SIGKILL), 0);
        scan_wait(pid);
        nano_wait_safe(true, commands[k % 2]);
        nano_wait_says("THE INSTRUMENT COULD NOT BE HALTED");
        nano_start_anew();
    }
}

/* With watch=0 there is one process, and a signal that can be caught is still a halt. */
static void without_a_watchdog(void **state)
{
    (void)state;
    test_not_quick();
    char path[1024];
    const pid_t pid = nano_start_at(NANO_LINES, "-s watch=0", path);
    assert_int_equal(kill(pid, SIGTERM), 0);
    const int status = scan_wait(pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    nano_wait_safe(true, "watch=0");
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
