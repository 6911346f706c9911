#include "spm/instrument/nanonis/link.h"

#include <string.h>

#include "base/alloc.h"
#include "base/os.h"

#define USUAL_LIMIT ((size_t)64 << 10)
#define FIRST_ROOM ((size_t)4 << 10)

rs_driver_status rs_nano_link_open(rs_nano_link *link, const char *host, int port, double deadline,
                                   reshed_error *err)
{
    rs_nano_link_close(link);
    reshed_status st = rs_socket_connect(host, port, deadline, &link->socket, err);
    if (st == RESHED_OK) return RS_DRIVER_OK;
    return st == RESHED_EINVAL ? RS_DRIVER_REFUSED : RS_DRIVER_LOST;
}

void rs_nano_link_close(rs_nano_link *link)
{
    rs_socket_close(link->socket);
    rs_free(link->buffer);
    link->socket = NULL;
    link->buffer = NULL;
    link->room = link->got = 0;
    link->is_owed = false;
}

static rs_driver_status lost(rs_nano_link *link)
{
    rs_nano_link_close(link);
    return RS_DRIVER_LOST;
}

rs_driver_status rs_nano_judge(rs_nano_link *link, reshed_status status)
{
    switch (status) {
    case RESHED_OK: return RS_DRIVER_OK;
    case RESHED_EUNSUPPORTED:
    case RESHED_EINVAL: return RS_DRIVER_REFUSED;
    case RESHED_ENOMEM:
    case RESHED_ETIMEOUT: return RS_DRIVER_RETRY;
    case RESHED_EIO:
    case RESHED_ECORRUPT:
    case RESHED_EINTERNAL:
    case RESHED_ECANCELLED: break;
    }
    return lost(link);
}

/* Makes room for `size` bytes of reply, but not for many more than have come: a size that the peer
 * only claims costs no memory. */
static reshed_status grow(rs_nano_link *link, size_t size, reshed_error *err)
{
    size_t room = link->room ? 2 * link->room : FIRST_ROOM;
    if (link->got < link->room || link->room >= size) return RESHED_OK;
    if (room > size && link->room > 0) room = size;
    uint8_t *p = rs_regrow(link->buffer, link->got, room, 1);
    if (!p) return rs_fail_nomem(err, "the instrument's reply", room);
    link->buffer = p;
    link->room = room;
    return RESHED_OK;
}

/* Receives until the reply has `size` bytes; goes on where an earlier call stopped. */
static reshed_status receive(rs_nano_link *link, size_t size, double deadline, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    while (st == RESHED_OK && link->got < size) {
        if ((st = grow(link, size, err)) != RESHED_OK) break;
        const size_t before = link->got, end = size < link->room ? size : link->room;
        st = rs_socket_receive(link->socket, link->buffer, end, &link->got, deadline, err);
        if (link->got > before) link->heard = rs_os_monotonic();
    }
    return st;
}

/* The whole reply to what is owed; afterwards nothing is. */
static rs_driver_status receive_owed(rs_nano_link *link, const rs_nano_wish *wish, double deadline,
                                     size_t *body, reshed_error *err)
{
    const size_t limit = wish->limit ? wish->limit : USUAL_LIMIT;
    reshed_status st = receive(link, RS_NANO_HEADER, deadline, err);
    if (st == RESHED_OK) st = rs_nano_read_header(link->buffer, link->owed.name, limit, body, err);
    if (st == RESHED_OK) st = receive(link, RS_NANO_HEADER + *body, deadline, err);
    if (st == RESHED_OK) {
        link->is_owed = false;
        return RS_DRIVER_OK;
    }
    const double silent = rs_os_monotonic() - link->heard;
    if (st == RESHED_ETIMEOUT && silent > link->patience + link->owed_busy) {
        rs_fail(err, RESHED_ETIMEOUT, "%s: the instrument has not answered for %.1f s",
                link->owed.name, silent);
        return lost(link);
    }
    return rs_nano_judge(link, st);
}

static bool enter(rs_nano_gate *gate)
{
    if (!gate) return true;
    atomic_fetch_add(&gate->senders, 1);
    if (!atomic_load(&gate->closed)) return true;
    atomic_fetch_sub(&gate->senders, 1);
    return false;
}

static void leave(rs_nano_gate *gate)
{
    if (gate) atomic_fetch_sub(&gate->senders, 1);
}

static rs_driver_status send(rs_nano_link *link, const rs_nano_message *m, const rs_nano_wish *wish,
                             double deadline, reshed_error *err)
{
    rs_nano_gate *gate = wish->acts ? link->gate : NULL;
    if (!enter(gate)) {
        rs_fail(err, RESHED_EINVAL, "%s: the instrument was halted", m->name);
        return RS_DRIVER_REFUSED;
    }
    reshed_status st = rs_socket_send(link->socket, m->bytes, m->size, deadline, err);
    leave(gate);
    /* Part of a request may have gone out: nothing that follows would be understood. */
    if (st != RESHED_OK) return lost(link);
    link->owed = *m;
    link->is_owed = true;
    link->owed_busy = wish->busy;
    link->got = 0;
    link->heard = rs_os_monotonic();
    return RS_DRIVER_OK;
}

/* True when the owed request is asked again. A short question is not: its answer would be old. */
static bool goes_on(const rs_nano_link *link, const rs_nano_message *m, const rs_nano_wish *wish)
{
    return link->is_owed && (wish->acts || wish->busy > 0) && link->owed.size == m->size &&
           memcmp(link->owed.bytes, m->bytes, m->size) == 0;
}

rs_driver_status rs_nano_ask(rs_nano_link *link, const rs_nano_message *m, const rs_nano_wish *wish,
                             double deadline, rs_nano_reply *reply, reshed_error *err)
{
    static const rs_nano_wish usual = {0};
    /* A reply that is not waited for any more may be of any command. */
    static const rs_nano_wish any = {.limit = (size_t)1 << 30};
    rs_driver_status st = RS_DRIVER_OK;
    size_t body = 0;
    if (!wish) wish = &usual;
    if (m->overflow) {
        rs_fail(err, RESHED_EINVAL, "%s: the request is too long", m->name);
        return RS_DRIVER_REFUSED;
    }
    if (!link->socket) {
        rs_fail(err, RESHED_EIO, "%s: the connection is lost", m->name);
        return RS_DRIVER_LOST;
    }
    if (link->is_owed && !goes_on(link, m, wish))
        if ((st = receive_owed(link, &any, deadline, &body, err)) != RS_DRIVER_OK) return st;
    if (!link->is_owed)
        if ((st = send(link, m, wish, deadline, err)) != RS_DRIVER_OK) return st;
    if ((st = receive_owed(link, wish, deadline, &body, err)) != RS_DRIVER_OK) return st;
    *reply = (rs_nano_reply){
        .name = link->owed.name, .body = link->buffer + RS_NANO_HEADER, .size = body};
    return RS_DRIVER_OK;
}

rs_driver_status rs_nano_post(rs_nano_link *link, const uint8_t *bytes, size_t n, double deadline,
                              reshed_error *err)
{
    if (!link->socket) {
        rs_fail(err, RESHED_EIO, "the connection is lost");
        return RS_DRIVER_LOST;
    }
    if (rs_socket_send(link->socket, bytes, n, deadline, err) == RESHED_OK) return RS_DRIVER_OK;
    return lost(link);
}

rs_driver_status rs_nano_collect(rs_nano_link *link, const rs_nano_message *m, double deadline,
                                 reshed_error *err)
{
    const double patient = rs_os_monotonic() + link->patience;
    size_t body = 0;
    if (patient < deadline) deadline = patient;
    if (!link->socket) {
        rs_fail(err, RESHED_EIO, "%s: the connection is lost", m->name);
        return RS_DRIVER_LOST;
    }
    link->got = 0;
    reshed_status st = receive(link, RS_NANO_HEADER, deadline, err);
    if (st == RESHED_OK) st = rs_nano_read_header(link->buffer, m->name, USUAL_LIMIT, &body, err);
    if (st == RESHED_OK) st = receive(link, RS_NANO_HEADER + body, deadline, err);
    if (st == RESHED_OK) {
        const rs_nano_reply reply = {
            .name = m->name, .body = link->buffer + RS_NANO_HEADER, .size = body};
        st = rs_nano_read(&reply, "", NULL, err);
    }
    if (st == RESHED_ETIMEOUT) rs_fail(err, st, "%s: the instrument has not answered", m->name);
    return st == RESHED_OK             ? RS_DRIVER_OK
           : st == RESHED_EUNSUPPORTED ? RS_DRIVER_REFUSED
                                       : RS_DRIVER_LOST;
}

rs_driver_status rs_nano_ask_numbers(rs_nano_link *link, const rs_nano_message *m,
                                     const rs_nano_wish *wish, const char *format, double *value,
                                     double deadline, reshed_error *err)
{
    rs_nano_reply reply;
    rs_driver_status st = rs_nano_ask(link, m, wish, deadline, &reply, err);
    if (st != RS_DRIVER_OK) return st;
    return rs_nano_judge(link, rs_nano_read(&reply, format, value, err));
}
