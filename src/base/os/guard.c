#define _POSIX_C_SOURCE 200809L
#include "base/os/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"

enum { LEAVE = 1000 };  /* a word of rs_os_guard_end's */
enum { FILES = 1024 };  /* descriptors that the guard may have inherited */
#define DEATH 2.0       /* s: a killed process is given so long to be gone */
#define PATIENCE 60.0   /* s, until the first word about it */
#define LONGEST 86400.0 /* s */

struct rs_os_guard {
    pid_t pid;
    int to;
};

/* Short enough for a pipe to take it whole or not at all. */
typedef struct word {
    int what;
    double value;
} word;

/* ------------------------------------------------------------------------------------ the guard */

static void stand_alone(int keep)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    setsid(); /* a hangup, Ctrl-C and a kill of the group are not for the guard */
    sigemptyset(&ignore.sa_mask);
    for (int k = 1; k < 32; k++) sigaction(k, &ignore, NULL); /* but KILL and STOP */
    const int null = open("/dev/null", O_RDWR);
    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
    }
    for (int fd = STDERR_FILENO + 1; fd < FILES; fd++)
        if (fd != keep) close(fd);
}

/* 1: a word has come; 0: the other end is closed; -1: neither within the time (< 0: ever). */
static int listen_for(int from, double seconds, word *w)
{
    struct pollfd p = {.fd = from, .events = POLLIN};
    for (;;) {
        const int ms = seconds < 0 ? -1 : (int)(1e3 * fmin(seconds, LONGEST));
        const int ready = poll(&p, 1, ms);
        if (ready < 0 && errno == EINTR) continue;
        if (ready == 0) return -1;
        const ssize_t n = read(from, w, sizeof *w);
        if (n < 0 && errno == EINTR) continue;
        return n == (ssize_t)sizeof *w ? 1 : 0;
    }
}

static void watch(int from, pid_t parent, void (*act)(void *ctx, bool died), void *ctx)
{
    double patience = PATIENCE;
    bool busy = false;
    for (;;) {
        word w;
        const int heard = listen_for(from, busy ? patience : -1, &w);
        if (heard > 0) {
            if (w.what == LEAVE) return;
            if (w.what == RS_GUARD_BUSY) busy = true;
            if (w.what == RS_GUARD_IDLE) busy = false;
            if (w.what == RS_GUARD_PATIENCE) patience = w.value;
            continue;
        }
        if (!busy) return;
        if (heard < 0 && getppid() == parent) kill(parent, SIGKILL);
        while (heard < 0 && listen_for(from, DEATH, &w) > 0) {
        }
        act(ctx, heard == 0);
        return;
    }
}

/* ---------------------------------------------------------------------------------- this process */

reshed_status rs_os_guard_start(void (*act)(void *ctx, bool died), void *ctx, rs_os_guard **out,
                                reshed_error *err)
{
    int ends[2];
    rs_os_guard *g = rs_zalloc(1, sizeof *g);
    if (!g) return rs_fail_nomem(err, "a second process", sizeof *g);
    if (pipe(ends) != 0) {
        rs_free(g);
        return rs_fail(err, RESHED_EIO, "cannot talk to a second process||%s", strerror(errno));
    }
    const pid_t parent = getpid();
    g->pid = fork();
    if (g->pid == 0) {
        close(ends[1]);
        stand_alone(ends[0]);
        watch(ends[0], parent, act, ctx);
        _exit(0);
    }
    close(ends[0]);
    if (g->pid < 0) {
        const int e = errno;
        close(ends[1]);
        rs_free(g);
        return rs_fail(err, RESHED_EIO, "cannot start a second process||%s", strerror(e));
    }
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    g->to = ends[1];
    *out = g;
    return RESHED_OK;
}

static bool say(rs_os_guard *g, int what, double value)
{
    word w;
    memset(&w, 0, sizeof w);
    w.what = what;
    w.value = value;
    ssize_t n;
    do n = write(g->to, &w, sizeof w);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof w;
}

bool rs_os_guard_say(rs_os_guard *g, rs_guard_word what, double value)
{
    return say(g, (int)what, value);
}

void rs_os_guard_end(rs_os_guard *g)
{
    if (!g) return;
    /* One that does not listen any more is not waited for. */
    if (!say(g, LEAVE, 0)) kill(g->pid, SIGKILL);
    close(g->to);
    while (waitpid(g->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    rs_free(g);
}
