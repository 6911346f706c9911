/* reshed-scan and signals: whatever ends a program ends a scan safely, and trouble with its output
 * does not end it at all. */
#define _GNU_SOURCE
#include "support/scan_program.h"
#include "support/support.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/os.h"

/* Waits until a session has a line; false after a minute. */
static bool wait_for_lines(const char *path)
{
    const double until = rs_os_monotonic() + 60;
    while (!rs_os_is_file(path) && rs_os_monotonic() < until) rs_os_sleep(0.02);
    rs_os_sleep(0.4);
    return rs_os_is_file(path);
}

/* It ended by itself, said how, and has left a session that can be resumed. */
static void check_ended(const char *path, int status, int number)
{
    char err[1024], text[8192];
    read_text(scan_temp(err, "err"), text, sizeof text);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 1)
        fail_msg("signal %d: status %#x, %s", number, (unsigned)status, text);
    if (!strstr(text, "interrupted: --resume goes on")) fail_msg("signal %d: %s", number, text);
    assert_null(strstr(text, "could not be halted"));
    const rs_session_progress p = scan_progress(path);
    assert_true(!p.complete && !p.live);
    assert_true(p.lines < 64);
}

static void a_signal_during_lines_ends_it_safely(void **state)
{
    (void)state;
    static const int signals[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGUSR1,   SIGUSR2,  SIGALRM,
                                  SIGXCPU, SIGPROF, SIGSYS,  SIGTRAP, SIGVTALRM, SIGPWR,   SIGPOLL,
                                  SIGABRT, SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,    SIGSTKFLT};
    enum { N = sizeof signals / sizeof *signals };
    for (int i = 0; i <= N + 1; i += (int)test_tier(8, 1, 1)) {
        const int number = i < N ? signals[i] : i == N ? SIGRTMIN : SIGRTMAX;
        char args[4096], path[1024], name[32];
#if defined(__SANITIZE_ADDRESS__)
        if (number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL) continue;
#endif
        snprintf(name, sizeof name, "signal%d.h5", i);
        /* Without --quiet, for its last words. */
        snprintf(args, sizeof args, TWIN20 LOUD "--report none -o %s", scan_temp(path, name));
        signal(number,
               SIG_DFL); /* whoever runs the tests may ignore it, and what is ignored stays so */
        const pid_t pid = scan_start(args);
        assert_true(wait_for_lines(path));
        assert_int_equal(kill(pid, number), 0);
        check_ended(path, scan_wait(pid), number);
    }
}

/* Nobody reads what it says, or a full disk takes it: the scan goes on to its end. */
static void trouble_with_output_does_not_end_a_scan(void **state)
{
    (void)state;
    test_not_quick();
    static const char *const where[] = {"2>&1 >/dev/null | true", "2>/dev/full", "2>&-"};
    for (size_t i = 0; i < sizeof where / sizeof *where; i++) {
        char args[4096], path[1024], name[32];
        snprintf(name, sizeof name, "output%zu.h5", i);
        snprintf(args, sizeof args, TWIN LOUD "--report none -o %s %s", scan_temp(path, name),
                 where[i]);
        scan_wait(scan_start(args));
        const rs_session_progress p = scan_progress(path);
        assert_true(p.complete);
        assert_int_equal(p.lines, 64);
        assert_int_equal(p.measured, p.points);
    }
}

/* Signals that are no reason to end: those are errors of a write. */
static void a_broken_pipe_and_a_size_limit_are_no_end(void **state)
{
    (void)state;
    test_not_quick();
    static const int signals[] = {SIGPIPE, SIGXFSZ};
    for (int i = 0; i < 2; i++) {
        char args[4096], path[1024], name[32];
        snprintf(name, sizeof name, "no_end%d.h5", i);
        snprintf(args, sizeof args, TWIN20 LOUD "-s voltage=0 --report none -o %s",
                 scan_temp(path, name));
        const pid_t pid = scan_start(args);
        assert_true(wait_for_lines(path));
        assert_int_equal(kill(pid, signals[i]), 0);
        const int status = scan_wait(pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        assert_true(scan_progress(path).complete);
    }
}

/* A hangup that the caller ignores (nohup) stays ignored. */
static void nohup_holds(void **state)
{
    (void)state;
    test_not_quick();
    char args[4096], path[1024];
    snprintf(args, sizeof args, TWIN20 LOUD "-s voltage=0 --report none -o %s",
             scan_temp(path, "nohup.h5"));
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    assert_int_equal(sigaction(SIGHUP, &ignore, &before), 0);
    const pid_t pid = scan_start(args);
    sigaction(SIGHUP, &before, NULL);
    assert_true(wait_for_lines(path));
    assert_int_equal(kill(pid, SIGHUP), 0);
    const int status = scan_wait(pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_during_lines_ends_it_safely),
        cmocka_unit_test(trouble_with_output_does_not_end_a_scan),
        cmocka_unit_test(a_broken_pipe_and_a_size_limit_are_no_end),
        cmocka_unit_test(nohup_holds),
    };
    return cmocka_run_group_tests_name("scan_signals", tests, NULL, NULL);
}
