#define _POSIX_C_SOURCE 200809L
#include "base/os/child.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"

extern char **environ;

struct rs_child {
    pid_t pid;
    int to;   /* socket: writing to a child that has gone is an error, not a signal */
    int from; /* pipe */
};

static void close_fd(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

static void keep_ours(int fd)
{
    fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* in, out: what the child's standard input and output become; -1: the null device. */
static reshed_status start(const char *const *argv, int in, int out, pid_t *pid, reshed_error *err)
{
    posix_spawn_file_actions_t actions;
    int e = posix_spawn_file_actions_init(&actions);
    if (e != 0) return rs_fail(err, RESHED_ENOMEM, "cannot start %s: %s", argv[0], strerror(e));
    if (in >= 0)
        e = posix_spawn_file_actions_adddup2(&actions, in, 0);
    else
        e = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (e == 0 && out >= 0)
        e = posix_spawn_file_actions_adddup2(&actions, out, 1);
    else if (e == 0)
        e = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    /* posix_spawnp does not write to the strings. */
    if (e == 0) e = posix_spawnp(pid, argv[0], &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (e != 0) return rs_fail(err, RESHED_EIO, "cannot start %s: %s", argv[0], strerror(e));
    return RESHED_OK;
}

reshed_status rs_child_start(const char *const *argv, rs_child **out, reshed_error *err)
{
    int in[2] = {-1, -1}, back[2] = {-1, -1};
    rs_child *c = rs_alloc(1, sizeof *c);
    reshed_status st = RESHED_OK;
    if (!c) return rs_fail_nomem(err, "a child process", sizeof *c);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, in) != 0 || pipe(back) != 0) {
        st = rs_fail(err, RESHED_EIO, "cannot connect to %s: %s", argv[0], strerror(errno));
        goto cleanup;
    }
    keep_ours(in[0]);
    keep_ours(in[1]);
    keep_ours(back[0]);
    keep_ours(back[1]);
    if ((st = start(argv, in[1], back[1], &c->pid, err)) != RESHED_OK) goto cleanup;
    c->to = in[0];
    c->from = back[0];
    in[0] = back[0] = -1;
    *out = c;
    c = NULL;
cleanup:
    for (int i = 0; i < 2; i++) {
        close_fd(&in[i]);
        close_fd(&back[i]);
    }
    rs_free(c);
    return st;
}

static reshed_status send_all(rs_child *c, const char *s, size_t n, reshed_error *err)
{
    while (n > 0) {
        ssize_t k = send(c->to, s, n, MSG_NOSIGNAL);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return rs_fail(err, RESHED_EIO, "child process: %s", strerror(errno));
        s += k;
        n -= (size_t)k;
    }
    return RESHED_OK;
}

reshed_status rs_child_ask(rs_child *c, const char *line, char *reply, size_t n, reshed_error *err)
{
    size_t len = 0;
    if (line) {
        reshed_status st = send_all(c, line, strlen(line), err);
        if (st == RESHED_OK) st = send_all(c, "\n", 1, err);
        if (st != RESHED_OK) return st;
    }
    for (;;) { /* replies are short: byte by byte is enough, and nothing of a next line is taken */
        char ch;
        ssize_t k = read(c->from, &ch, 1);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return rs_fail(err, RESHED_EIO, "child process: %s", strerror(errno));
        if (k == 0) return rs_fail(err, RESHED_EIO, "child process|a reply|its end");
        if (ch == '\n') break;
        if (len + 1 >= n)
            return rs_fail(err, RESHED_ECORRUPT, "child's reply|less than %zu bytes|more", n);
        reply[len++] = ch;
    }
    reply[len] = '\0';
    return RESHED_OK;
}

static bool wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void rs_child_end(rs_child *c)
{
    if (!c) return;
    close_fd(&c->to);
    close_fd(&c->from);
    wait_for(c->pid);
    rs_free(c);
}

reshed_status rs_child_run(const char *const *argv, reshed_error *err)
{
    pid_t pid;
    reshed_status st = start(argv, -1, -1, &pid, err);
    if (st != RESHED_OK) return st;
    if (!wait_for(pid)) return rs_fail(err, RESHED_EIO, "%s failed", argv[0]);
    return RESHED_OK;
}
