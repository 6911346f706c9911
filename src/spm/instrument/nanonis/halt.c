/* Halt, from any thread, while another one may be in the middle of a call.
 *
 * It has a connection of its own, since commands on one connection wait for each other. First the
 * gate is closed, so that the other thread sends nothing more that acts (nanonis/link.h). Then all
 * commands are sent in one go, before a single reply is read: bias to zero, drive off, no more scan,
 * no more tip movement, no spectrum, no approach, tip up, and once more bias and drive, because a
 * command of the other thread or the end of a spectrum may have set them in between. A reply that is
 * refused, garbled or missing therefore keeps no command from being given.
 *
 * Afterwards the replies are read, and the bias is asked for. When the connection was gone or its
 * replies make no sense, everything is sent again through a new one, once for each port, beginning
 * after the step that failed: to halt twice does no harm, and a step that breaks the connection keeps
 * no other from being given. What the instrument did not confirm is in the error, by name. */
#include "spm/instrument/nanonis/private.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/status.h"

#define DRAIN 0.1 /* s that the instrument has to read on, after a reply that makes no sense */

enum { STEPS = 9, STEP_BYTES = RS_NANO_HEADER + 16 };

typedef struct step {
    const char *name, *format;
    double argument[2];
    bool needed; /* a refusal is a failure of the halt */
    rs_nano_message message;
    rs_driver_status answer;
} step;

typedef struct halting {
    rs_nano *n;
    double deadline;
    step step[STEPS];
    int steps;
    int begin;  /* the step that is sent first */
    bool heard; /* something came back through the latest connection */
    rs_driver_status worst;
    reshed_error first; /* of that kind */
} halting;

static void add(halting *h, const char *name, const char *format, double a, double b, bool needed)
{
    step *s = &h->step[h->steps++];
    *s = (step){.name = name,
                .format = format,
                .argument = {a, b},
                .needed = needed,
                .answer = RS_DRIVER_LOST};
    rs_nano_request(&s->message, name, format, s->argument);
}

static void list_steps(halting *h)
{
    rs_nano *n = h->n;
    const int k = n->set.modulator;
    add(h, "Bias.Set", "f", 0, 0, true);
    if (k > 0) add(h, "LockIn.ModOnOffSet", "iI", k, 0, true);
    add(h, "Scan.Action", "HI", 1, 0, true);
    add(h, "FolMe.Stop", "", 0, 0, true);
    add(h, "BiasSpectr.Stop", "", 0, 0, atomic_load(&n->used_spectroscopy));
    add(h, "AutoApproach.OnOffSet", "H", 0, 0, atomic_load(&n->used_approach));
    add(h, "ZCtrl.Withdraw", "Ii", 0, 0, true);
    add(h, "Bias.Set", "f", 0, 0, true);
    if (k > 0) add(h, "LockIn.ModOnOffSet", "iI", k, 0, true);
}

static void note(halting *h, rs_driver_status st, const reshed_error *e)
{
    if (st <= h->worst) return; /* the enum rises with what it means */
    h->worst = st;
    h->first = *e;
}

/* The middle between now and `end`. */
static double half_way(double end)
{
    return 0.5 * (rs_os_monotonic() + end);
}

/* Sends everything at once, nothing read in between: a connection that breaks at the first step takes
 * no part of the others with it. */
static rs_driver_status post_all(halting *h, double end, reshed_error *e)
{
    uint8_t bytes[STEPS * STEP_BYTES];
    size_t n = 0;
    for (int k = 0; k < h->steps; k++) {
        const rs_nano_message *m = &h->step[(h->begin + k) % h->steps].message;
        memcpy(bytes + n, m->bytes, m->size);
        n += m->size;
    }
    return rs_nano_post(&h->n->halt_link, bytes, n, end, e);
}

/* Everything through the open connection, then the replies. False when one of them did not come: the
 * connection is closed then. */
static bool give(halting *h, double end)
{
    rs_nano_link *link = &h->n->halt_link;
    reshed_error e = {0};
    const int begin = h->begin;
    h->worst = RS_DRIVER_OK;
    h->heard = false;
    for (int i = 0; i < h->steps; i++) h->step[i].answer = RS_DRIVER_LOST;
    const rs_driver_status sent = post_all(h, end, &e);
    note(h, sent, &e);
    if (sent != RS_DRIVER_OK) h->begin = (begin + 1) % h->steps;
    for (int k = 0; k < h->steps && sent == RS_DRIVER_OK; k++) {
        step *s = &h->step[(begin + k) % h->steps];
        memset(&e, 0, sizeof e);
        s->answer = rs_nano_collect(link, &s->message, end, &e);
        if (s->needed || s->answer != RS_DRIVER_REFUSED) note(h, s->answer, &e);
        h->heard |= s->answer != RS_DRIVER_LOST || e.status == RESHED_ECORRUPT;
        if (s->answer != RS_DRIVER_LOST) continue;
        h->begin = (begin + k + 1) % h->steps;
        /* Closed at once, the connection might take with it what the instrument has not read. */
        if (e.status == RESHED_ECORRUPT) rs_socket_pause(DRAIN);
        rs_nano_link_close(link);
        return false;
    }
    return sent == RS_DRIVER_OK;
}

/* Through new connections, the other connection's port last: it may still be in use. Software that
 * is busy with another client may accept a connection and leave it alone. */
static bool give_again(halting *h)
{
    rs_nano *n = h->n;
    for (int k = 0; k < n->set.ports; k++) {
        const double now = rs_os_monotonic();
        const double end = now + (h->deadline - now) / (n->set.ports - k);
        const int i = (n->port + 1 + k) % n->set.ports;
        reshed_error e = {0};
        if (now > h->deadline) return false;
        const rs_driver_status st =
            rs_nano_link_open(&n->halt_link, n->set.host, n->set.port[i], end, &e);
        if (st != RS_DRIVER_OK) {
            note(h, RS_DRIVER_LOST, &e);
            continue;
        }
        if (give(h, end)) return true;
        if (h->heard) return false; /* it is served, as well as it can be */
    }
    return false;
}

/* Asks, since a command of the other thread may have been on its way. */
static void check_bias(halting *h)
{
    rs_nano_link *link = &h->n->halt_link;
    reshed_error e = {0};
    double v = 0;
    rs_driver_status st =
        rs_nano_query(link, "Bias.Get", "", NULL, "f", &v, half_way(h->deadline), &e);
    if (st == RS_DRIVER_OK && v != 0) {
        st = rs_nano_tell(link, "Bias.Set", "f", (double[]){0}, false, half_way(h->deadline), &e);
        if (st == RS_DRIVER_OK)
            st = rs_nano_query(link, "Bias.Get", "", NULL, "f", &v, half_way(h->deadline), &e);
    }
    if (st == RS_DRIVER_OK && v != 0) {
        rs_fail(&e, RESHED_EIO, "Bias.Get: the bias does not go to 0|0 V|%g V", v);
        st = RS_DRIVER_LOST;
    }
    note(h, st, &e);
}

/* The first failure, and the names of all steps that were not confirmed. */
static void report(const halting *h, reshed_error *err)
{
    char names[128] = "";
    const reshed_error *e = &h->first;
    for (int i = 0; i < h->steps; i++) {
        const step *s = &h->step[i];
        if (s->answer == RS_DRIVER_OK || (s->answer == RS_DRIVER_REFUSED && !s->needed)) continue;
        if (strstr(names, s->name)) continue;
        const size_t n = strlen(names);
        snprintf(names + n, sizeof names - n, "%s%s", n ? ", " : "", s->name);
    }
    if (!names[0]) {
        *err = *e;
        return;
    }
    rs_fail(err, e->status, "halt: %s|every step confirmed|not: %s", e->what, names);
}

static bool wait_for_others(rs_nano *n, double deadline)
{
    while (atomic_flag_test_and_set(&n->halting)) {
        if (rs_os_monotonic() > deadline) return false;
        rs_socket_pause(0.001);
    }
    return true;
}

/* Gives all steps, through the open connection or a new one, and fills err when one was not
 * confirmed. */
static void halt_all(halting *h, reshed_error *err)
{
    rs_nano_link *link = &h->n->halt_link;
    list_steps(h);
    const bool had = link->socket != NULL;
    bool given = had && give(h, half_way(h->deadline));
    if (!given) given = give_again(h);
    /* A connection that breaks at one step has been tried once only if it was a new one. */
    if (!given && !had) given = give_again(h);
    if (given) check_bias(h);
    if (h->worst != RS_DRIVER_OK) report(h, err);
}

rs_driver_status rs_nano_halt(void *self, double timeout, reshed_error *err)
{
    rs_nano *n = self;
    const double start = rs_os_monotonic();
    halting h = {.n = n, .deadline = rs_nano_deadline(timeout)};
    memset(err, 0, sizeof *err);
    atomic_store(&n->gate.closed, true);
    if (!wait_for_others(n, h.deadline)) {
        rs_fail(err, RESHED_ETIMEOUT, "another thread is halting the instrument");
        return RS_DRIVER_RETRY;
    }
    /* A command that another thread is sending now comes before those that follow, or is stuck. */
    while (atomic_load(&n->gate.senders) > 0 && rs_os_monotonic() < start + 0.2)
        rs_socket_pause(0.001);
    halt_all(&h, err);
    atomic_flag_clear(&n->halting);
    return h.worst;
}

/* From a process of its own, which has no connection yet. The last ports come first: those of the
 * program that is dead or stopped may still be taken. */
rs_driver_status rs_nano_rescue(const rs_driver_option *option, int count, double timeout,
                                reshed_error *err)
{
    rs_nano *n = rs_zalloc(1, sizeof *n);
    if (!n) {
        rs_fail_nomem(err, "a halt", sizeof *n);
        return RS_DRIVER_RETRY;
    }
    halting h = {.n = n, .deadline = rs_nano_deadline(timeout)};
    h.worst = RS_DRIVER_REFUSED;
    if (rs_nano_options(option, count, &n->set, err) == RESHED_OK) {
        n->port = 1; /* the program's are the first two that answered */
        n->halt_link.patience = n->set.silence;
        h.worst = RS_DRIVER_OK;
        halt_all(&h, err);
    }
    rs_nano_link_close(&n->halt_link);
    rs_free(n);
    return h.worst;
}
