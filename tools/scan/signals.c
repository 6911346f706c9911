#define _GNU_SOURCE /* SIGPOLL, SIGPWR, SIGSTKFLT and the real-time signals */
#include "tools/scan/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

/* Signals that a fault raises, too. */
static const int faults[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};
enum { FAULTS = sizeof faults / sizeof *faults };

static volatile sig_atomic_t caught; /* with `before`, all that a handler touches */
static struct sigaction before[FAULTS];

static void on_signal(int number)
{
    caught = number;
}

/* A fault comes again as soon as the handler returns, and then ends the program as it would have. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (info->si_code <= 0) {
        caught = number; /* somebody sent it */
        return;
    }
    for (int i = 0; i < FAULTS; i++)
        if (faults[i] == number) sigaction(number, &before[i], NULL);
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction a = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&a.sa_mask);
    sigaction(number, &a, NULL);
}

static bool is_ignored(int number)
{
    struct sigaction a;
    return sigaction(number, NULL, &a) == 0 && a.sa_handler == SIG_IGN;
}

void scan_guard_output(void)
{
    int fd;
    do fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) close(fd);
}

void scan_catch_signals(void)
{
    static const int ends[] = {
        SIGINT,    SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU, SIGPROF, SIGVTALRM,
#ifdef SIGPOLL
        SIGPOLL,
#endif
#ifdef SIGPWR
        SIGPWR,
#endif
#ifdef SIGSTKFLT
        SIGSTKFLT,
#endif
    };
    struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_RESTART | SA_SIGINFO};
    sigemptyset(&fault.sa_mask);
    if (!is_ignored(SIGHUP)) handle(SIGHUP, on_signal);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) handle(ends[i], on_signal);
#ifdef SIGRTMIN
    for (int k = SIGRTMIN; k <= SIGRTMAX; k++) handle(k, on_signal);
#endif
    for (int i = 0; i < FAULTS; i++) sigaction(faults[i], &fault, &before[i]);
    handle(SIGPIPE, SIG_IGN);
    handle(SIGXFSZ, SIG_IGN);
}

bool scan_interrupted(void *ctx)
{
    (void)ctx;
    return caught != 0;
}
