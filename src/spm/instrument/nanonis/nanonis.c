/* The driver's table, opening and closing, and signals by name. The files beside this one:
 *
 *     nanonis_wire      messages to and from bytes
 *     nanonis_link      a connection: questions, answers, late answers
 *     nanonis_rows      which lines of a running scan are there
 *     driver_nanonis_*  frame, scan, tip and voltages, halt, spectroscopy */
#include "spm/instrument/nanonis/nanonis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/os.h"
#include "base/status.h"
#include "base/text.h"
#include "spm/instrument/nanonis/private.h"

#define NAMES_LIMIT ((size_t)1 << 20)

double rs_nano_deadline(double timeout)
{
    return rs_os_monotonic() + (timeout > 0.02 ? timeout : 0.02);
}

rs_driver_status rs_nano_tell(rs_nano_link *link, const char *name, const char *format,
                              const double *argument, bool acts, double deadline, reshed_error *err)
{
    rs_nano_message m;
    const rs_nano_wish wish = {.acts = acts};
    rs_nano_request(&m, name, format, argument);
    return rs_nano_ask_numbers(link, &m, &wish, "", NULL, deadline, err);
}

rs_driver_status rs_nano_query(rs_nano_link *link, const char *name, const char *format,
                               const double *argument, const char *reply_format, double *value,
                               double deadline, reshed_error *err)
{
    rs_nano_message m;
    rs_nano_request(&m, name, format, argument);
    return rs_nano_ask_numbers(link, &m, NULL, reply_format, value, deadline, err);
}

rs_driver_status rs_nano_check_halted(rs_nano *n, reshed_error *err)
{
    if (!atomic_load(&n->gate.closed)) return RS_DRIVER_OK;
    return rs_nano_refuse(err, "the instrument was halted; engage goes on");
}

/* -------------------------------------------------------------------------------------- signals */

/* The first n characters of a are all of b, letter case aside. */
static bool equal(const char *a, size_t n, const char *b)
{
    return strlen(b) == n && rs_text_same(a, b, n);
}

/* Length of a name without its unit: "Current (A)" has 7. */
static size_t bare_length(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || name[n - 1] != ')') return n;
    const char *open = strrchr(name, '(');
    if (!open || open == name) return n;
    n = (size_t)(open - name);
    while (n > 0 && name[n - 1] == ' ') n--;
    return n;
}

int rs_nano_find_signal(const rs_nano_names *names, const char *name)
{
    int found = -1, count = 0;
    for (int i = 0; i < names->n; i++) {
        if (strcmp(names->name[i], name) == 0) return i;
        if (!equal(names->name[i], strlen(names->name[i]), name) &&
            !equal(names->name[i], bare_length(names->name[i]), name))
            continue;
        found = i;
        count++;
    }
    return count == 1 ? found : -1;
}

static void describe_channel(rs_nano_channel *c, const char *signal, const char *role)
{
    const size_t bare = bare_length(signal), n = strlen(signal);
    snprintf(c->name, sizeof c->name, "%.*s", role ? (int)strlen(role) : (int)bare,
             role ? role : signal);
    c->unit[0] = '\0';
    if (bare < n) {
        const char *open = strrchr(signal, '(') + 1;
        snprintf(c->unit, sizeof c->unit, "%.*s", (int)(signal + n - 1 - open), open);
    }
    c->scale = 1;
    if (strcmp(c->unit, "deg") == 0 || strcmp(c->unit, "\xc2\xb0") == 0) {
        c->scale = RS_PI / 180;
        strcpy(c->unit, "rad");
    }
}

static rs_driver_status ask_names(rs_nano *n, const char *command, rs_nano_names *names,
                                  int **slots, double deadline, reshed_error *err)
{
    rs_nano_message m;
    rs_nano_reply reply;
    const rs_nano_wish wish = {.limit = NAMES_LIMIT};
    rs_nano_request(&m, command, "", NULL);
    rs_driver_status st = rs_nano_ask(&n->link, &m, &wish, deadline, &reply, err);
    if (st != RS_DRIVER_OK) return st;
    return rs_nano_judge(&n->link, rs_nano_read_names(&reply, names, slots, err));
}

/* Finds the signals of the options among all, or among those that have a slot. */
static rs_driver_status find_channels(rs_nano *n, double deadline, reshed_error *err)
{
    rs_nano_names slot_names = {0};
    int *slots = NULL;
    rs_driver_status st = ask_names(n, "Signals.NamesGet", &n->names, NULL, deadline, err);
    if (st == RS_DRIVER_OK && n->set.slots)
        st = ask_names(n, "Signals.InSlotsGet", &slot_names, &slots, deadline, err);
    const rs_nano_names *among = n->set.slots ? &slot_names : &n->names;
    for (int i = 0; i < n->set.signals && st == RS_DRIVER_OK; i++) {
        const int k = rs_nano_find_signal(among, n->set.signal[i]);
        if (k < 0) {
            st =
                rs_nano_refuse(err, "signal %s|one of the %d %s|none, or several", n->set.signal[i],
                               among->n, n->set.slots ? "in slots" : "of Signals.NamesGet");
            break;
        }
        n->channel[i].index = k;
        describe_channel(&n->channel[i], among->name[k],
                         i == 0                   ? "Amplitude"
                         : i == 1 && n->set.phase ? "Phase"
                                                  : NULL);
        n->channels = i + 1;
    }
    rs_nano_names_free(&slot_names);
    rs_free(slots);
    return st;
}

static rs_driver_status read_signal(void *self, const char *name, double *value, double timeout,
                                    reshed_error *err)
{
    rs_nano *n = self;
    const int k = rs_nano_find_signal(&n->names, name);
    if (k < 0) return rs_nano_refuse(err, "signal %s|one of %d|none, or several", name, n->names.n);
    /* 1: waits for a full period of data newer than the last call. */
    return rs_nano_query(&n->link, "Signals.ValGet", "iI", (double[]){k, 1}, "f", value,
                         rs_nano_deadline(timeout), err);
}

/* ----------------------------------------------------------------------------- opening, closing */

/* Whoever answers this, even with an error, is a Nanonis and this connection is served: software
 * that is busy with another client may accept a connection and leave it alone. */
static rs_driver_status greet(rs_nano *n, rs_nano_link *link, double deadline, reshed_error *err)
{
    rs_nano_message m;
    rs_nano_reply reply;
    rs_nano_request(&m, "Util.VersionGet", "", NULL);
    rs_driver_status st = rs_nano_ask(link, &m, NULL, deadline, &reply, err);
    if (st != RS_DRIVER_OK) return st;
    if (link == &n->link &&
        rs_nano_read_version(&reply, n->instrument, sizeof n->instrument, NULL) != RESHED_OK)
        snprintf(n->instrument, sizeof n->instrument, "SPECS Nanonis, version unknown");
    return RS_DRIVER_OK;
}

rs_driver_status rs_nano_connect(rs_nano *n, rs_nano_link *link, int first, int count,
                                 double deadline, int *used, reshed_error *err)
{
    rs_fail(err, RESHED_EIO, "%s: no port is left to connect to", n->set.host);
    for (int k = 0; k < count; k++) {
        const double now = rs_os_monotonic(), share = fmax(deadline - now, 0) / (count - k);
        const double until = now + fmin(share, n->set.silence);
        const int i = (first + k) % n->set.ports;
        rs_driver_status st = rs_nano_link_open(link, n->set.host, n->set.port[i], until, err);
        if (st == RS_DRIVER_OK) st = greet(n, link, until, err);
        if (st == RS_DRIVER_OK) {
            *used = i;
            return st;
        }
        rs_nano_link_close(link);
        if (err->status == RESHED_ENOMEM) return RS_DRIVER_RETRY;
    }
    return RS_DRIVER_LOST;
}

static rs_driver_status find_limits(rs_nano *n, double deadline, reshed_error *err)
{
    rs_driver_limits *l = &n->limits;
    double range[3];
    *l = n->set.limits;
    if (!isnan(l->x_min) && !isnan(l->x_max) && !isnan(l->y_min) && !isnan(l->y_max))
        return RS_DRIVER_OK;
    rs_driver_status st =
        rs_nano_query(&n->link, "Piezo.RangeGet", "", NULL, "fff", range, deadline, err);
    if (st != RS_DRIVER_OK) return st;
    if (!(range[0] > 0 && range[0] < 1) || !(range[1] > 0 && range[1] < 1))
        return rs_nano_refuse(err, "the piezo's range|above 0|%g and %g m: give x_min .. y_max",
                              range[0], range[1]);
    if (isnan(l->x_min)) l->x_min = -range[0] / 2;
    if (isnan(l->x_max)) l->x_max = range[0] / 2;
    if (isnan(l->y_min)) l->y_min = -range[1] / 2;
    if (isnan(l->y_max)) l->y_max = range[1] / 2;
    return RS_DRIVER_OK;
}

static void close_driver(void *self)
{
    rs_nano *n = self;
    if (!n) return;
    rs_nano_link_close(&n->link);
    rs_nano_link_close(&n->halt_link);
    rs_nano_names_free(&n->names);
    rs_nano_rows_free(&n->scan.rows);
    rs_free(n->spectrum.voltage);
    rs_free(n);
}

static rs_driver_status open_driver(const rs_driver_option *option, int count, double timeout,
                                    void **self, reshed_error *err)
{
    const double deadline = rs_nano_deadline(timeout);
    rs_nano_settings set;
    int other;
    if (rs_nano_options(option, count, &set, err) != RESHED_OK) return RS_DRIVER_REFUSED;
    rs_nano *n = rs_zalloc(1, sizeof *n);
    if (!n) {
        rs_fail_nomem(err, "the nanonis driver", sizeof *n);
        return RS_DRIVER_RETRY;
    }
    n->set = set;
    n->link.gate = &n->gate;
    n->link.patience = n->halt_link.patience = set.silence;
    atomic_init(&n->gate.closed, false);
    atomic_init(&n->gate.senders, 0);
    atomic_init(&n->used_spectroscopy, false);
    atomic_init(&n->used_approach, false);
    atomic_flag_clear(&n->halting);
    n->no_wait = set.poll;
    n->opened = rs_os_monotonic();
    rs_driver_status st = rs_nano_connect(n, &n->link, 0, n->set.ports, deadline, &n->port, err);
    if (st == RS_DRIVER_OK)
        st = rs_nano_connect(n, &n->halt_link, n->port + 1, n->set.ports - n->port - 1, deadline,
                             &other, err);
    if (st == RS_DRIVER_OK) st = find_channels(n, deadline, err);
    if (st == RS_DRIVER_OK) st = find_limits(n, deadline, err);
    if (st != RS_DRIVER_OK) {
        close_driver(n);
        return st;
    }
    *self = n;
    return RS_DRIVER_OK;
}

static void caps(void *self, rs_driver_caps *out)
{
    const rs_nano *n = self;
    memset(out, 0, sizeof *out);
    strcpy(out->instrument, n->instrument);
    out->retrace = n->set.retrace;
    out->clock_rate = 1;
    out->limits = n->limits;
    if (n->set.modulator == 0) out->limits.drive_max = 0;
    out->channels = n->channels;
    for (int i = 0; i < n->channels; i++) {
        strcpy(out->channel[i], n->channel[i].name);
        strcpy(out->unit[i], n->channel[i].unit);
    }
}

const rs_driver_ops *rs_driver_nanonis(void)
{
    static const rs_driver_ops ops = {
        .abi = RS_DRIVER_ABI,
        .size = sizeof ops,
        .name = "nanonis",
        .help = rs_nano_options_help,
        .open = open_driver,
        .close = close_driver,
        .caps = caps,
        .set_frame = rs_nano_set_frame,
        .get_frame = rs_nano_get_frame,
        .start = rs_nano_start_scan,
        .pause = rs_nano_pause,
        .wait_line = rs_nano_wait_line,
        .grab_frame = rs_nano_grab_frame,
        .move_tip = rs_nano_move_tip,
        .get_tip = rs_nano_get_tip,
        .set_setpoint = rs_nano_set_setpoint,
        .get_setpoint = rs_nano_get_setpoint,
        .engage = rs_nano_engage,
        .withdraw = rs_nano_withdraw,
        .set_bias = rs_nano_set_bias,
        .get_bias = rs_nano_get_bias,
        .pulse = rs_nano_pulse,
        .set_drive = rs_nano_set_drive,
        .set_spectroscopy = rs_nano_set_spectroscopy,
        .run_spectroscopy = rs_nano_run_spectroscopy,
        .spectroscopy_seconds = rs_nano_spectroscopy_seconds,
        .read_signal = read_signal,
        .halt = rs_nano_halt,
        .rescue = rs_nano_rescue,
    };
    return &ops;
}
