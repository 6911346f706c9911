/* The emulator's connections, and what tests do with it. */
#define _POSIX_C_SOURCE 200809L
#include "support/nanonis_emulator.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/nanonis_emulator_private.h"

/* ---------------------------------------------------------------------------------- connections */

static bool send_bytes(int fd, const uint8_t *p, int n, int piece)
{
    while (n > 0) {
        ssize_t k = send(fd, p, (size_t)(n < piece ? n : piece), MSG_NOSIGNAL);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return false;
        p += k;
        n -= (int)k;
    }
    return true;
}

static bool receive_bytes(emu_port_state *p, uint8_t *to, int n)
{
    while (n > 0) {
        ssize_t k = recv(p->connection, to, (size_t)n, 0);
        if (k < 0 && errno == EINTR) continue;
        if (k <= 0) return false;
        to += k;
        n -= (int)k;
    }
    return true;
}

static emu_fault fault_for(emulator *e, const char *name)
{
    static const char *const safe[] = {"Bias.Set", "LockIn.ModOnOffSet", "Scan.Action"};
    const bool any = strcmp(e->fault_command, "*") == 0;
    if (e->fault_count < 1 || (!any && strcmp(name, e->fault_command) != 0)) return EMU_NO_FAULT;
    if (e->fault_after > 0) {
        e->fault_after--;
        return EMU_NO_FAULT;
    }
    e->fault_count--;
    for (int k = 0; k < 3; k++) e->disobeyed |= e->fault == EMU_ERROR && !strcmp(name, safe[k]);
    return e->fault;
}

/* One request; false: the connection is over. */
static bool serve(emu_port_state *p)
{
    emulator *e = p->e;
    uint8_t head[40];
    char name[33] = "";
    if (!receive_bytes(p, head, 40)) return false;
    memcpy(name, head, 32);
    int32_t body = head[32] << 24 | head[33] << 16 | head[34] << 8 | head[35];
    if (body < 0 || body > EMU_MAX_BODY || !receive_bytes(p, p->in, body)) return false;
    pthread_mutex_lock(&e->private->lock);
    if (head[36] != 0 || head[37] != 1 || head[38] != 0 || head[39] != 0)
        emu_complain(e, name, "the last four bytes of the header");
    if (e->logged < 4096) {
        strcpy(e->log[e->logged].name, name);
        e->log[e->logged++].port = p->index;
    }
    pthread_cond_broadcast(&e->private->changed);
    emu_fault fault = fault_for(e, name);
    int n = emu_answer(e, name, p->in, body, fault, p->out), piece = e->trickle ? 1 : 1 << 20;
    pthread_mutex_unlock(&e->private->lock);
    if (fault == EMU_CLOSE) {
        send_bytes(p->connection, p->out, n / 2, piece);
        return false;
    }
    return send_bytes(p->connection, p->out, n, piece);
}

static bool stopping(emulator *e)
{
    pthread_mutex_lock(&e->private->lock);
    bool stop = e->private->stop;
    pthread_mutex_unlock(&e->private->lock);
    return stop;
}

static void set_connection(emu_port_state *p, int fd)
{
    pthread_mutex_lock(&p->e->private->lock);
    if (fd < 0) close(p->connection);
    p->connection = fd;
    pthread_mutex_unlock(&p->e->private->lock);
}

static void *run_port(void *arg)
{
    emu_port_state *p = arg;
    const int on = 1;
    while (!stopping(p->e)) {
        struct pollfd f = {.fd = p->listener, .events = POLLIN};
        if (poll(&f, 1, 20) <= 0) continue;
        int fd = accept(p->listener, NULL, NULL);
        if (fd < 0) continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        set_connection(p, fd);
        while (!stopping(p->e) && serve(p)) {
        }
        set_connection(p, -1);
    }
    return NULL;
}

static bool open_port(emu_port_state *p)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    p->connection = -1;
    p->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (p->listener < 0 || bind(p->listener, (struct sockaddr *)&a, sizeof a) != 0 ||
        listen(p->listener, 4) != 0 || getsockname(p->listener, (struct sockaddr *)&a, &n) != 0)
        return false;
    p->number = ntohs(a.sin_port);
    return pthread_create(&p->thread, NULL, run_port, p) == 0;
}

/* ------------------------------------------------------------------------------------ for tests */

emulator *emu_start(void)
{
    emulator *e = calloc(1, sizeof *e);
    if (!e || !(e->private = calloc(1, sizeof *e->private))) return NULL;
    pthread_mutex_init(&e->private->lock, NULL);
    pthread_cond_init(&e->private->changed, NULL);
    for (int i = 0; i < EMU_SIGNALS; i++) emu_signal_name(i);
    e->per_look = 1;
    e->lost_line = -1;
    e->pixels = e->lines = 32;
    e->speed[2] = e->speed[3] = 0.5f;
    strcpy(e->series, "scan");
    strcpy(e->comment, "PZT");
    emu_clear_frames(e);
    for (int k = 0; k < EMU_PORTS; k++) {
        e->private->ports[k].e = e;
        e->private->ports[k].index = k;
        if (!open_port(&e->private->ports[k])) return NULL;
    }
    return e;
}

void emu_stop(emulator *e)
{
    emu_lock(e);
    e->private->stop = true;
    pthread_cond_broadcast(&e->private->changed);
    emu_unlock(e);
    emu_disconnect(e);
    for (int k = 0; k < EMU_PORTS; k++) {
        pthread_join(e->private->ports[k].thread, NULL);
        close(e->private->ports[k].listener);
    }
    pthread_mutex_destroy(&e->private->lock);
    pthread_cond_destroy(&e->private->changed);
    free(e->private);
    free(e);
}

int emu_port(const emulator *e, int k)
{
    return e->private->ports[k].number;
}

void emu_lock(emulator *e)
{
    pthread_mutex_lock(&e->private->lock);
}

void emu_unlock(emulator *e)
{
    pthread_mutex_unlock(&e->private->lock);
}

void emu_set_fault(emulator *e, emu_fault fault, const char *command, int count)
{
    emu_set_fault_after(e, fault, command, 0, count);
}

void emu_set_fault_after(emulator *e, emu_fault fault, const char *command, int after, int count)
{
    emu_lock(e);
    e->fault_after = after;
    e->private->release = false;
    e->fault = fault;
    strcpy(e->fault_command, command);
    e->fault_count = count;
    emu_unlock(e);
}

void emu_release(emulator *e)
{
    emu_lock(e);
    e->private->release = true;
    pthread_cond_broadcast(&e->private->changed);
    emu_unlock(e);
}

const emulator *emu_state(emulator *e)
{
    static emulator copy;
    emu_lock(e);
    copy = *e;
    emu_unlock(e);
    return &copy;
}

static int count(const emulator *e, const char *command)
{
    int n = 0;
    for (int i = 0; i < e->logged; i++) n += strcmp(e->log[i].name, command) == 0;
    return n;
}

bool emu_wait_for(emulator *e, const char *command, int times)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 60;
    emu_lock(e);
    while (count(e, command) < times &&
           pthread_cond_timedwait(&e->private->changed, &e->private->lock, &end) == 0) {
    }
    bool there = count(e, command) >= times;
    emu_unlock(e);
    return there;
}

int emu_count(emulator *e, const char *command)
{
    emu_lock(e);
    int n = count(e, command);
    emu_unlock(e);
    return n;
}

void emu_disconnect(emulator *e)
{
    emu_lock(e);
    for (int k = 0; k < EMU_PORTS; k++)
        if (e->private->ports[k].connection >= 0)
            shutdown(e->private->ports[k].connection, SHUT_RDWR);
    emu_unlock(e);
}
