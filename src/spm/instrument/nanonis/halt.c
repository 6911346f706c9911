/* Halt, from any thread, while another one may be in the middle of a call.
 *
 * It has a connection of its own, since commands on one connection wait for each other. First the
 * gate is closed, so that the other thread sends nothing more that acts (nanonis/link.h); then the
 * instrument is told, in this order: no more scan, no more tip movement, no spectrum, no approach,
 * drive off, bias to zero, tip up. A command that is refused does not keep the others from being
 * given. A connection that has gone, or gives no answer in half of the time that is left, is
 * opened again, once, on any of the ports. */
#include "spm/instrument/nanonis/private.h"

#include <string.h>

#include "base/os.h"
#include "base/status.h"

typedef struct halting {
    rs_nano *n;
    double deadline;
    bool reconnected;
    rs_driver_status worst; /* and its error, the first of that kind */
    reshed_error *err;
} halting;

static void note(halting *h, rs_driver_status st, const reshed_error *e)
{
    if (st <= h->worst) return; /* the enum rises with what it means */
    h->worst = st;
    *h->err = *e;
}

static bool reconnect(halting *h, reshed_error *e)
{
    rs_nano *n = h->n;
    int used;
    if (h->reconnected) return false;
    h->reconnected = true;
    /* The other connection's port last: it may still be in use. */
    return rs_nano_connect(n, &n->halt_link, n->port + 1, n->set.ports, h->deadline, &used, e) ==
           RS_DRIVER_OK;
}

/* Opens another connection where that may help; true when there is one. */
static bool try_again(halting *h, rs_driver_status st, reshed_error *e)
{
    return (st == RS_DRIVER_LOST || st == RS_DRIVER_RETRY) && reconnect(h, e);
}

/* The middle between now and the end. */
static double half_way(const halting *h)
{
    return 0.5 * (rs_os_monotonic() + h->deadline);
}

/* needed: a refusal is a failure of the halt. */
static void command(halting *h, const char *name, const char *format, const double *argument,
                    bool needed)
{
    reshed_error e = {0};
    rs_driver_status st;
    do st = rs_nano_tell(&h->n->halt_link, name, format, argument, true, half_way(h), &e);
    while (try_again(h, st, &e));
    if (needed || st != RS_DRIVER_REFUSED) note(h, st, &e);
}

/* Ramped when there is time for it: at most half of what is left. Asked afterwards, since a command
 * of the other thread may have been on its way. */
static void bias_to_zero(halting *h)
{
    reshed_error e = {0};
    rs_nano_link *link = &h->n->halt_link;
    rs_driver_status st;
    double v = 0;
    do {
        st = rs_nano_ramp(link, 0, h->n->set.ramp, half_way(h), &e);
        if (st == RS_DRIVER_RETRY) st = rs_nano_ramp(link, 0, 0, half_way(h), &e);
        if (st == RS_DRIVER_OK)
            st = rs_nano_query(link, "Bias.Get", "", NULL, "f", &v, half_way(h), &e);
        if (st == RS_DRIVER_OK && v != 0) st = rs_nano_ramp(link, 0, 0, half_way(h), &e);
    } while (try_again(h, st, &e));
    note(h, st, &e);
}

static bool wait_for_others(rs_nano *n, double deadline)
{
    while (atomic_flag_test_and_set(&n->halting)) {
        if (rs_os_monotonic() > deadline) return false;
        rs_socket_pause(0.001);
    }
    return true;
}

rs_driver_status rs_nano_halt(void *self, double timeout, reshed_error *err)
{
    rs_nano *n = self;
    const double start = rs_os_monotonic();
    halting h = {.n = n, .deadline = rs_nano_deadline(timeout), .err = err};
    memset(err, 0, sizeof *err);
    atomic_store(&n->gate.closed, true);
    if (!wait_for_others(n, h.deadline)) {
        rs_fail(err, RESHED_ETIMEOUT, "another thread is halting the instrument");
        return RS_DRIVER_RETRY;
    }
    /* What another thread is sending at this moment comes before what follows, or is stuck. */
    while (atomic_load(&n->gate.senders) > 0 && rs_os_monotonic() < start + 0.2)
        rs_socket_pause(0.001);
    const bool spectra = atomic_load(&n->used_spectroscopy),
               approach = atomic_load(&n->used_approach);
    command(&h, "Scan.Action", "HI", (double[]){1, 0}, true);
    command(&h, "FolMe.Stop", "", NULL, true);
    command(&h, "BiasSpectr.Stop", "", NULL, spectra);
    command(&h, "AutoApproach.OnOffSet", "H", (double[]){0}, approach);
    if (n->set.modulator > 0)
        command(&h, "LockIn.ModOnOffSet", "iI", (double[]){n->set.modulator, 0}, true);
    bias_to_zero(&h);
    command(&h, "ZCtrl.Withdraw", "Ii", (double[]){0, 0}, true);
    atomic_flag_clear(&n->halting);
    return h.worst;
}
