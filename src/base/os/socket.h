/* socket.h - TCP, the part of os.h for connections: a client's, with a deadline for every call.
 *
 *     double deadline = rs_os_monotonic() + 2.0;
 *     rs_socket *s = NULL;
 *     size_t got = 0;
 *     if ((st = rs_socket_connect("127.0.0.1", 6501, deadline, &s, err)) == RESHED_OK &&
 *         (st = rs_socket_send(s, request, n, deadline, err)) == RESHED_OK)
 *         st = rs_socket_receive(s, reply, 40, &got, deadline, err);
 *     rs_socket_close(s);
 *
 * Deadlines are moments of rs_os_monotonic(). RESHED_ETIMEOUT: the deadline came first; RESHED_EIO:
 * the connection cannot be used any more. A peer that has gone is an error, never a signal. */
#ifndef RS_BASE_OS_SOCKET_H
#define RS_BASE_OS_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

typedef struct rs_socket rs_socket;

/* host: a name or an address; its addresses are tried in turn. The look-up of a name (not of an
 * address in figures) takes the time that the system's resolver takes. Small messages are sent at
 * once (no Nagle). */
reshed_status rs_socket_connect(const char *host, int port, double deadline, rs_socket **out,
                                reshed_error *err);

/* Sends all n bytes. After a failure an unknown part has gone out. */
reshed_status rs_socket_send(rs_socket *s, const void *data, size_t n, double deadline,
                             reshed_error *err);

/* Fills buf[*got .. n) and moves *got on, also when it fails: after a timeout the same call goes on
 * where it stopped. What has arrived already is taken even when the deadline is past. */
reshed_status rs_socket_receive(rs_socket *s, void *buf, size_t n, size_t *got, double deadline,
                                reshed_error *err);

/* NULL is fine. */
void rs_socket_close(rs_socket *s);

/* A socket that listens at a name or an address, as the system knows it, for a library that serves on it and closes
 * it. port 0: a free one; *bound is what it became. RESHED_EIO: no such address, or the port is taken. */
reshed_status rs_socket_listen(const char *address, int port, int *fd, int *bound,
                               reshed_error *err);
/* Closes it where nobody took it over; < 0 is fine. */
void rs_socket_unlisten(int fd);

/* Of a connection that somebody else owns: ends it in both directions, without closing it. */
void rs_socket_hang_up(int fd);
/* It breaks when what was sent stays unconfirmed that long; nothing where the system cannot do that. */
void rs_socket_give_up_after(int fd, double seconds);

/* Sleeps, between two questions to an instrument; returns at once unless seconds is above 0. */
void rs_socket_pause(double seconds);

#endif
