#define _GNU_SOURCE
#include "support/trace.h"

#ifdef __linux__
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_POSSIBLE = 99 };

/* A string of the traced process; cut to fit. */
static void read_string(pid_t pid, uint64_t at, char *to, size_t n)
{
    size_t got = 0;
    while (got + 1 < n) { /* to the end of a page at most, since the next may not be there */
        size_t part = 4096 - (size_t)((at + got) & 4095);
        if (part > n - 1 - got) part = n - 1 - got;
        struct iovec here = {to + got, part}, there = {(void *)(uintptr_t)(at + got), part};
        const ssize_t k = process_vm_readv(pid, &here, 1, &there, 1, 0);
        if (k <= 0) break;
        if (memchr(to + got, 0, (size_t)k)) return;
        got += (size_t)k;
    }
    to[got] = '\0';
}

/* Which arguments of a system call are paths, and whether it changes what they name. */
typedef struct watched {
    long number;
    int path, second; /* -1: none */
    int flags;        /* of an open; -1: it changes or removes what is there */
} watched;

static const watched calls[] = {
    {SYS_openat, 1, -1, 2},    {SYS_unlinkat, 1, -1, -1}, {SYS_renameat2, 1, 3, -1},
    {SYS_mkdirat, 1, -1, -1},  {SYS_linkat, 1, 3, -1},    {SYS_symlinkat, 2, -1, -1},
    {SYS_truncate, 0, -1, -1},
#ifdef SYS_renameat
    {SYS_renameat, 1, 3, -1},
#endif
#ifdef SYS_open
    {SYS_open, 0, -1, 1},      {SYS_creat, 0, -1, -1},    {SYS_unlink, 0, -1, -1},
    {SYS_rename, 0, 1, -1},    {SYS_mkdir, 0, -1, -1},    {SYS_rmdir, 0, -1, -1},
    {SYS_link, 0, 1, -1},      {SYS_symlink, 1, -1, -1},
#endif
};

static void show_call(pid_t pid, const struct __ptrace_syscall_info *s, trace_seen *seen, void *ctx)
{
    const uint64_t *a = s->entry.args;
    const long number = (long)s->entry.nr;
    char text[4096];
    if (number == SYS_execve) {
        read_string(pid, a[0], text, sizeof text);
        seen(ctx, TRACE_EXEC, text);
    }
    if (number == SYS_connect) {
        struct sockaddr to = {0};
        struct iovec here = {&to, sizeof to.sa_family},
                     there = {(void *)(uintptr_t)a[1], sizeof to.sa_family};
        if (process_vm_readv(pid, &here, 1, &there, 1, 0) < 0) to.sa_family = 0;
        snprintf(text, sizeof text, "%d", to.sa_family);
        seen(ctx, TRACE_CONNECT, text);
    }
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const watched *w = &calls[i];
        if (w->number != number) continue;
        const bool writes = w->flags < 0 || (a[w->flags] & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC));
        read_string(pid, a[w->path], text, sizeof text);
        seen(ctx, writes ? TRACE_WRITE : TRACE_READ, text);
        if (w->second < 0) continue;
        read_string(pid, a[w->second], text, sizeof text);
        seen(ctx, TRACE_WRITE, text);
    }
}

static pid_t start(const char *const *argv)
{
    fflush(NULL);
    const pid_t pid = fork();
    if (pid != 0) return pid;
    const int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++) dup2(null, fd);
    /* A sanitizer's search for leaks uses ptrace itself. */
    setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(NOT_POSSIBLE);
    raise(SIGSTOP);
    execv(argv[0], (char *const *)argv);
    _exit(127);
}

bool trace_run(const char *const *argv, trace_seen *seen, void *ctx, int *status)
{
    int how;
    const pid_t first = start(argv);
    if (first < 0 || waitpid(first, &how, 0) < 0 || !WIFSTOPPED(how)) return false;
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                         PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
    ptrace(PTRACE_SETOPTIONS, first, NULL, (void *)options);
    ptrace(PTRACE_SYSCALL, first, NULL, NULL);
    for (pid_t pid; (pid = waitpid(-1, &how, __WALL)) > 0;) {
        int deliver = 0;
        if (WIFEXITED(how) || WIFSIGNALED(how)) {
            if (pid == first) *status = WIFEXITED(how) ? WEXITSTATUS(how) : -1;
            continue; /* until none is left, the watchdog's process included */
        }
        const int number = WSTOPSIG(how);
        if (number == (SIGTRAP | 0x80)) {
            struct __ptrace_syscall_info s = {0};
            if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof s, &s) > 0 &&
                s.op == PTRACE_SYSCALL_INFO_ENTRY)
                show_call(pid, &s, seen, ctx);
        } else if (number != SIGTRAP && number != SIGSTOP) {
            deliver = number;
        }
        ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)deliver);
    }
    return true;
}
#else
bool trace_run(const char *const *argv, trace_seen *seen, void *ctx, int *status)
{
    (void)argv, (void)seen, (void)ctx, (void)status;
    return false;
}
#endif
