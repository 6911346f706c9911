/* fail_calls.c - preloaded into a program, it makes one call of the whole process fail, or all from one on,
 * libraries included: what --wrap (support.c) cannot reach. Read from the environment:
 *   FAIL_WHAT=W   memory: allocations (default); files: reads, writes, syncs and renames of regular files;
 *                 signal: at such a call the process gets SIGTERM
 *   FAIL_AT=N     the N-th call from 0 fails; without it none
 *   FAIL_REST=1   and all after it
 *   FAIL_LOG=FILE gets the number of calls at a usual end, or of a crash the frames, innermost first
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
#include <sys/stat.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t alignment, size_t n);

static atomic_long count;
static long fail_at = -1;
static int fail_rest, armed, log_fd = -1;
static enum { MEMORY, FILES, SIGNAL } what;

static int is_next(void)
{
    const long i = atomic_fetch_add(&count, 1);
    return fail_at >= 0 && i >= fail_at && (i == fail_at || fail_rest);
}

static int fails(void)
{
    if (!armed || what != MEMORY || !is_next()) return 0;
    errno = ENOMEM;
    return 1;
}

/* Of a call on the file fd, -1: on a name. */
static int file_fails(int fd, int error)
{
    struct stat s;
    if (!armed || what == MEMORY || fd == log_fd) return 0;
    if (fd >= 0 && (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode))) return 0;
    if (!is_next()) return 0;
    if (what == SIGNAL) {
        raise(SIGTERM);
        return 0;
    }
    errno = error;
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

/* The file calls, each with the next library's function behind it. */
#define REAL(result, name, ...)                                                                    \
    static result (*real)(__VA_ARGS__);                                                            \
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name)

ssize_t read(int fd, void *p, size_t n)
{
    REAL(ssize_t, read, int, void *, size_t);
    return file_fails(fd, EIO) ? -1 : real(fd, p, n);
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
    REAL(ssize_t, pread, int, void *, size_t, off_t);
    return file_fails(fd, EIO) ? -1 : real(fd, p, n, at);
}

ssize_t pread64(int fd, void *p, size_t n, off64_t at)
{
    REAL(ssize_t, pread64, int, void *, size_t, off64_t);
    return file_fails(fd, EIO) ? -1 : real(fd, p, n, at);
}

ssize_t write(int fd, const void *p, size_t n)
{
    REAL(ssize_t, write, int, const void *, size_t);
    return file_fails(fd, ENOSPC) ? -1 : real(fd, p, n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    return file_fails(fd, ENOSPC) ? -1 : real(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
    return file_fails(fd, ENOSPC) ? -1 : real(fd, p, n, at);
}

int fsync(int fd)
{
    REAL(int, fsync, int);
    return file_fails(fd, EIO) ? -1 : real(fd);
}

int fdatasync(int fd)
{
    REAL(int, fdatasync, int);
    return file_fails(fd, EIO) ? -1 : real(fd);
}

int ftruncate(int fd, off_t n)
{
    REAL(int, ftruncate, int, off_t);
    return file_fails(fd, ENOSPC) ? -1 : real(fd, n);
}

int ftruncate64(int fd, off64_t n)
{
    REAL(int, ftruncate64, int, off64_t);
    return file_fails(fd, ENOSPC) ? -1 : real(fd, n);
}

int rename(const char *from, const char *to)
{
    REAL(int, rename, const char *, const char *);
    return file_fails(-1, EIO) ? -1 : real(from, to);
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
    const char *at = getenv("FAIL_AT"), *path = getenv("FAIL_LOG"), *which = getenv("FAIL_WHAT");
    void *frame[4];
    if (!path || (log_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0) return;
    backtrace(frame, 4); /* loads what it needs */
    const stack_t s = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction a = {.sa_handler = crashed, .sa_flags = SA_ONSTACK};
    sigaltstack(&s, NULL);
    for (int i = 0; i < SIGNALS; i++) sigaction(signals[i], &a, NULL);
    what = !which || strcmp(which, "memory") == 0 ? MEMORY
           : strcmp(which, "files") == 0          ? FILES
                                                  : SIGNAL;
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
