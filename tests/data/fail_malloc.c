/* fail_malloc.c - preloaded into a program, it makes one allocation of the whole process fail, or all from
 * one on, libraries included: what --wrap (support.c) cannot reach. Read from the environment:
 *   FAIL_AT=N     the N-th allocation from 0 fails; without it none
 *   FAIL_REST=1   and all after it
 *   FAIL_LOG=FILE gets the number of allocations at a usual end, or of a crash the frames, innermost first
 * glibc only: its own allocator is called by the names that it keeps for this. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t alignment, size_t n);

static atomic_long count;
static long fail_at = -1;
static int fail_rest, armed, log_fd = -1;

static int fails(void)
{
    if (!armed) return 0;
    const long i = atomic_fetch_add(&count, 1);
    if (fail_at < 0 || i < fail_at || (i > fail_at && !fail_rest)) return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t n)
{
    return fails() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return fails() ? NULL : __libc_realloc(p, n);
}

void *memalign(size_t alignment, size_t n)
{
    return fails() ? NULL : __libc_memalign(alignment, n);
}

void *aligned_alloc(size_t alignment, size_t n)
{
    return memalign(alignment, n);
}

int posix_memalign(void **p, size_t alignment, size_t n)
{
    void *q = memalign(alignment, n);
    if (!q) return ENOMEM;
    *p = q;
    return 0;
}

static void crashed(int sig)
{
    void *frame[64];
    static const char word[] = "crash\n";
    armed = 0;
    const int n = backtrace(frame, 64);
    if (write(log_fd, word, sizeof word - 1) > 0) backtrace_symbols_fd(frame, n, log_fd);
    _exit(128 + sig);
}

/* The signals of a crash stay ours, whatever the program would do on them. */
static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
enum { SIGNALS = sizeof signals / sizeof *signals };
typedef int set_action(int, const struct sigaction *, struct sigaction *);
static set_action *real_sigaction;

int sigaction(int sig, const struct sigaction *new, struct sigaction *old)
{
    if (!real_sigaction) *(void **)&real_sigaction = dlsym(RTLD_NEXT, "sigaction");
    for (int i = 0; armed && new &&i < SIGNALS; i++)
        if (sig == signals[i]) new = NULL;
    return real_sigaction(sig, new, old);
}

__attribute__((constructor)) static void begin(void)
{
    static char stack[1 << 16];
    const char *at = getenv("FAIL_AT"), *path = getenv("FAIL_LOG");
    void *frame[4];
    if (!path || (log_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0) return;
    backtrace(frame, 4); /* loads what it needs */
    const stack_t s = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction a = {.sa_handler = crashed, .sa_flags = SA_ONSTACK};
    sigaltstack(&s, NULL);
    for (int i = 0; i < SIGNALS; i++) sigaction(signals[i], &a, NULL);
    if (at) fail_at = strtol(at, NULL, 10);
    fail_rest = getenv("FAIL_REST") != NULL;
    armed = 1;
}

__attribute__((destructor)) static void end(void)
{
    char text[32];
    armed = 0;
    const int n = snprintf(text, sizeof text, "%ld\n", atomic_load(&count));
    if (log_fd >= 0 && write(log_fd, text, (size_t)n) != n) _exit(99);
}
