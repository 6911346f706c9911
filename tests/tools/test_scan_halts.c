/* reshed-scan against the nanonis emulator: every signal that can be caught, whatever the instrument
 * is doing, ends in a halt; every step of a good end that fails does, too; and nothing that becomes
 * of the output is a reason to stop, or to wait. */
#define _GNU_SOURCE
#include "support/scan_nanonis.h"
#include "support/support.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os.h"

/* All that would end a program and can be caught; of the real-time ones the first and the last. */
static int signal_number(int k)
{
    static const int signals[] = {SIGTERM, SIGHUP,  SIGINT, SIGQUIT, SIGUSR1,   SIGUSR2,  SIGALRM,
                                  SIGXCPU, SIGPROF, SIGSYS, SIGTRAP, SIGVTALRM, SIGPWR,   SIGPOLL,
                                  SIGABRT, SIGSEGV, SIGBUS, SIGFPE,  SIGILL,    SIGSTKFLT};
    enum { N = sizeof signals / sizeof *signals };
    return k < N ? signals[k] : k == N ? SIGRTMIN : k == N + 1 ? SIGRTMAX : 0;
}

/* A fault's handlers are a sanitizer's own there. */
static bool is_theirs(int number)
{
#if defined(__SANITIZE_ADDRESS__)
    return number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL;
#else
    (void)number;
    return false;
#endif
}

static void check_interrupted(pid_t pid, int number, const char *what)
{
    char text[128];
    snprintf(text, sizeof text, "signal %d during %s", number, what);
    const int status = scan_wait(pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 1)
        fail_msg("%s: status %#x", text, (unsigned)status);
    nano_wait_safe(true, text);
    nano_wait_says("interrupted: --resume goes on");
    nano_wait_says("halted: bias 0 V, drive off, nothing moves");
}

static void a_signal_is_a_halt_whatever_it_does(void **state)
{
    (void)state;
    int number;
    const int step = (int)test_tier(40, 13, 1);
    for (int k = 0; (number = signal_number(k / NANO_DOINGS)) != 0; k += step) {
        char path[1024];
        const nano_doing what = (nano_doing)(k % NANO_DOINGS);
        if (is_theirs(number)) continue;
        signal(number, SIG_DFL); /* whoever runs the tests may ignore it */
        const pid_t pid = nano_start_at(what, "", path);
        assert_int_equal(kill(pid, number), 0);
        check_interrupted(pid, number, nano_doing_names[what]);
        nano_start_anew();
    }
}

/* A second one comes while the halt waits for an answer. */
static void a_signal_during_a_halt_does_not_break_it(void **state)
{
    (void)state;
    int number;
    const int step = (int)test_tier(22, 11, 1);
    for (int k = 0; (number = signal_number(k)) != 0; k += step) {
        char path[1024];
        if (is_theirs(number)) continue;
        signal(number, SIG_DFL);
        const pid_t pid = nano_start_at(NANO_LINES, "", path);
        emu_set_fault(nano.emu, EMU_LATE, "ZCtrl.Withdraw", 1);
        assert_int_equal(kill(pid, SIGINT), 0);
        assert_true(emu_wait_for(nano.emu, "ZCtrl.Withdraw", 1));
        assert_int_equal(kill(pid, number), 0);
        emu_release(nano.emu);
        check_interrupted(pid, number, "a halt");
        nano_start_anew();
    }
}

/* The drive may be on, or not: it is off afterwards, and the program says so. */
static void a_beginning_that_fails_is_a_halt(void **state)
{
    (void)state;
    static const char *const commands[] = {"LockIn.ModAmpSet", "LockIn.ModOnOffSet"};
    static const emu_fault faults[] = {EMU_ERROR_VALUES, EMU_CLOSE};
    for (int k = 0; k < 4; k += (int)test_tier(3, 1, 1)) {
        char args[4096], path[1024], name[32];
        snprintf(name, sizeof name, "begin%d.h5", k);
        nano_engage_by_hand();
        emu_set_fault(nano.emu, faults[k % 2], commands[k / 2], 1);
        nano_arguments(args, scan_temp(path, name), "-s voltage=0");
        const outcome *o = run_program("reshed-scan", args);
        if (o->status != 1 || !strstr(o->err, "instrument: halted: bias 0 V, drive off"))
            fail_msg("%s, fault %d: exit %d, %s", commands[k / 2], faults[k % 2], o->status,
                     o->err);
        nano_wait_safe(true, commands[k / 2]);
        nano_start_anew();
    }
}

/* Scans and measures nothing: these commands are those of the end. */
static void a_good_end_that_fails_is_a_halt(void **state)
{
    (void)state;
    static const char *const commands[] = {"Bias.Get",         "Bias.Set",
                                           "LockIn.ModAmpSet", "LockIn.ModOnOffSet",
                                           "ZCtrl.Withdraw",   "ZCtrl.OnOffGet"};
    static const emu_fault faults[] = {EMU_ERROR_VALUES, EMU_CLOSE, EMU_NAME, EMU_SIZE_HUGE,
                                       EMU_SILENT};
    for (int k = 0; k < 30; k += (int)test_tier(17, 7, 1)) {
        char args[4096], path[1024], name[32];
        const char *command = commands[k / 5];
        const emu_fault fault = test_long() ? faults[k % 5] : faults[k % 4];
        snprintf(name, sizeof name, "end%d.h5", k);
        nano_engage_by_hand();
        /* The drive is also switched on, at the beginning. */
        emu_set_fault_after(nano.emu, fault, command, strncmp(command, "LockIn", 6) == 0, 1);
        nano_arguments(args, scan_temp(path, name), "-s voltage=0 --json");
        const outcome *o = run_program("reshed-scan", args);
        if (o->status != 1 || !strstr(o->out, ": FAILED") || !strstr(o->out, "; halted: "))
            fail_msg("%s, fault %d: exit %d, %s%s", command, fault, o->status, o->out, o->err);
        nano_wait_safe(true, command);
        nano_start_anew();
    }
}

/* Standard error is a pipe that is full and that nobody reads, as behind a viewer that was stopped:
 * the scan goes on and comes to its end. */
static void a_reader_that_sleeps_stops_nothing(void **state)
{
    (void)state;
    int ends[2], status = -1;
    char args[4096], path[1024], program[1024], command[6000], junk[4096] = {0};
    const char *bin = getenv("BIN");
    snprintf(program, sizeof program, "%s/reshed-scan", bin ? bin : "build");
    if (!rs_os_is_file(program)) skip();
    nano_engage_by_hand();
    nano_arguments(args, scan_temp(path, "sleep.h5"), "-s voltage=0");
    snprintf(command, sizeof command, "exec %s %s >/dev/null", program, args);
    assert_int_equal(pipe(ends), 0);
    assert_true(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0);
    while (write(ends[1], junk, sizeof junk) > 0) {
    }
    while (write(ends[1], junk, 1) > 0) {
    }
    assert_true(fcntl(ends[1], F_SETFL, 0) == 0);
    fflush(NULL);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    /* Safe, while nobody has read a byte. */
    assert_true(emu_wait_for(nano.emu, "ZCtrl.Withdraw", 1));
    nano_wait_safe(true, "a sleeping reader");
    const double until = rs_os_monotonic() + 30;
    while (waitpid(pid, &status, WNOHANG) == 0 && rs_os_monotonic() < until) rs_os_sleep(0.02);
    if (status == -1) kill(pid, SIGKILL);
    assert_int_equal(status, 0);
    close(ends[0]);
    assert_true(scan_progress(path).complete);
}

#define T_(f) cmocka_unit_test_setup_teardown(f, nano_setup, nano_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T_(a_signal_is_a_halt_whatever_it_does), T_(a_signal_during_a_halt_does_not_break_it),
        T_(a_beginning_that_fails_is_a_halt),    T_(a_good_end_that_fails_is_a_halt),
        T_(a_reader_that_sleeps_stops_nothing),
    };
    return cmocka_run_group_tests_name("scan_halts", tests, NULL, NULL);
}
