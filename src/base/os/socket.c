#define _DEFAULT_SOURCE /* getaddrinfo with -std=c11; everything here is POSIX.1-2008 */
#include "base/os/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/os.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* macOS: SO_NOSIGPIPE does it */
#endif

struct rs_socket {
    int fd; /* non-blocking */
};

/* Waits until fd can be read (or written), has failed, or the deadline is past. False: past. A
 * signal only makes it look at the clock again. */
static bool wait_for(int fd, short events, double deadline)
{
    struct pollfd p = {.fd = fd, .events = events};
    for (;;) {
        double left = deadline - rs_os_monotonic();
        /* Rounded up: a wait of less than a millisecond must not become a busy loop. */
        int ms = left <= 0 ? 0 : left > 3600 ? 3600000 : (int)(left * 1e3) + 1;
        int k = poll(&p, 1, ms);
        if (k > 0) return true;
        if (k < 0 && errno != EINTR) return true; /* the call that follows will say what it is */
        if (left <= 0) return false;
    }
}

static void prepare(int fd)
{
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
#ifdef SO_NOSIGPIPE
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
}

/* One address. *why: errno of the failure, ETIMEDOUT at the deadline. */
static int connect_to(const struct addrinfo *a, double deadline, int *why)
{
    int e = 0;
    socklen_t n = sizeof e;
    int fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
    if (fd < 0) {
        *why = errno;
        return -1;
    }
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) e = errno;
    if (e == 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
        e = errno;
        /* Interrupted, the connection is made all the same; both end in the socket's own error. */
        if (e == EINPROGRESS || e == EINTR)
            e = !wait_for(fd, POLLOUT, deadline)                    ? ETIMEDOUT
                : getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n) != 0 ? errno
                                                                    : e;
    }
    if (e == 0) {
        prepare(fd);
        return fd;
    }
    close(fd);
    *why = e;
    return -1;
}

/* The port that a listening socket got, < 0: none. */
static int port_of(int fd)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    if (getsockname(fd, (struct sockaddr *)&a, &n) != 0) return -1;
    if (a.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&a)->sin_port);
    return a.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&a)->sin6_port) : -1;
}

/* Peers that wait to be taken in; one too many is only heard again after a second, or three. */
#define WAITING 1024

/* < 0: errno says why. */
static int listen_at(const struct addrinfo *a)
{
    const int on = 1;
    const int fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0 &&
        bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, WAITING) == 0)
        return fd;
    const int why = errno;
    close(fd);
    errno = why;
    return -1;
}

reshed_status rs_socket_listen(const char *address, int port, int *fd, int *bound,
                               reshed_error *err)
{
    char service[16];
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list = NULL;
    if (port < 0 || port > 65535)
        return rs_fail(err, RESHED_EINVAL, "TCP port|0 to 65535|%d", port);
    snprintf(service, sizeof service, "%d", port);
    hints.ai_flags = AI_NUMERICSERV | AI_PASSIVE;
    const int e = getaddrinfo(address, service, &hints, &list);
    if (e != 0) return rs_fail(err, RESHED_EIO, "cannot find %s: %s", address, gai_strerror(e));
    *fd = -1;
    for (const struct addrinfo *a = list; a && *fd < 0; a = a->ai_next) *fd = listen_at(a);
    const int why = errno;
    freeaddrinfo(list);
    if (*fd < 0)
        return rs_fail(err, RESHED_EIO, "cannot listen at %s port %d: %s", address, port,
                       strerror(why));
    *bound = port_of(*fd);
    if (*bound > 0) return RESHED_OK;
    close(*fd);
    return rs_fail(err, RESHED_EIO, "cannot listen at %s: no port", address);
}

void rs_socket_unlisten(int fd)
{
    if (fd >= 0) close(fd);
}

void rs_socket_hang_up(int fd)
{
    shutdown(fd, SHUT_RDWR);
}

void rs_socket_give_up_after(int fd, double seconds)
{
#ifdef TCP_USER_TIMEOUT
    const unsigned ms = (unsigned)(1e3 * seconds);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
#else
    (void)fd;
    (void)seconds;
#endif
}

reshed_status rs_socket_connect(const char *host, int port, double deadline, rs_socket **out,
                                reshed_error *err)
{
    char service[16];
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list = NULL;
    int fd = -1, why = 0;
    if (port < 1 || port > 65535)
        return rs_fail(err, RESHED_EINVAL, "TCP port|1 to 65535|%d", port);
    rs_socket *s = rs_alloc(1, sizeof *s);
    if (!s) return rs_fail_nomem(err, "a connection", sizeof *s);
    snprintf(service, sizeof service, "%d", port);
    hints.ai_flags = AI_NUMERICSERV;
    int e = getaddrinfo(host, service, &hints, &list);
    if (e != 0) {
        rs_free(s);
        return rs_fail(err, RESHED_EIO, "cannot find %s: %s", host, gai_strerror(e));
    }
    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
        fd = connect_to(a, deadline, &why);
    freeaddrinfo(list);
    if (fd < 0) {
        rs_free(s);
        return rs_fail(err, why == ETIMEDOUT ? RESHED_ETIMEOUT : RESHED_EIO,
                       "cannot connect to %s port %d: %s", host, port, strerror(why));
    }
    s->fd = fd;
    *out = s;
    return RESHED_OK;
}

static bool would_block(int e)
{
#if EAGAIN != EWOULDBLOCK
    if (e == EWOULDBLOCK) return true;
#endif
    return e == EAGAIN;
}

reshed_status rs_socket_send(rs_socket *s, const void *data, size_t n, double deadline,
                             reshed_error *err)
{
    const char *p = data;
    while (n > 0) {
        ssize_t k = send(s->fd, p, n, MSG_NOSIGNAL);
        if (k >= 0) {
            p += k;
            n -= (size_t)k;
        } else if (would_block(errno)) {
            if (!wait_for(s->fd, POLLOUT, deadline))
                return rs_fail(err, RESHED_ETIMEOUT, "the connection takes no more bytes");
        } else if (errno != EINTR) {
            return rs_fail(err, RESHED_EIO, "cannot send: %s", strerror(errno));
        }
    }
    return RESHED_OK;
}

reshed_status rs_socket_receive(rs_socket *s, void *buf, size_t n, size_t *got, double deadline,
                                reshed_error *err)
{
    while (*got < n) {
        ssize_t k = recv(s->fd, (char *)buf + *got, n - *got, 0);
        if (k > 0) {
            *got += (size_t)k;
        } else if (k == 0) {
            return rs_fail(err, RESHED_EIO, "the connection was closed at the other end");
        } else if (would_block(errno)) {
            if (!wait_for(s->fd, POLLIN, deadline))
                return rs_fail(err, RESHED_ETIMEOUT, "no answer in time|%zu bytes|%zu bytes", n,
                               *got);
        } else if (errno != EINTR) {
            return rs_fail(err, RESHED_EIO, "cannot receive: %s", strerror(errno));
        }
    }
    return RESHED_OK;
}

void rs_socket_close(rs_socket *s)
{
    if (!s) return;
    close(s->fd);
    rs_free(s);
}

void rs_socket_pause(double seconds)
{
    const double end = rs_os_monotonic() + seconds;
    for (double left = seconds; left > 0; left = end - rs_os_monotonic())
        poll(NULL, 0, left > 3600 ? 3600000 : (int)(left * 1e3) + 1);
}
