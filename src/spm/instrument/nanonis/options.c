#include "spm/instrument/nanonis/options.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/number.h"
#include "base/status.h"

const char rs_nano_options_help[] =
    "channel=NAME     signal of the PFM amplitude, as the Signals Manager names it (required)\n"
    "phase=NAME       signal of the phase (degrees become radians)\n"
    "also=NAME        another signal; may be given several times\n"
    "host=NAME        where the Nanonis software runs (127.0.0.1)\n"
    "ports=A,B,...    its TCP ports, of which two are used (6501,6502,6503,6504)\n"
    "retrace=no|yes   hand out the backward lines as well (no)\n"
    "bias_max=V       largest bias that is ever asked for (10)\n"
    "speed_max=M/S    fastest tip (50e-6)\n"
    "drive_max=V      largest modulation amplitude (2)\n"
    "x_min=M, x_max=M, y_min=M, y_max=M\n"
    "                 where the tip may go (the piezo's range)\n"
    "modulator=N      lock-in modulator that drives the tip, from 1 (none)\n"
    "ramp=V/S         how fast the bias is changed, 0: in one step (10)\n"
    "arrive=M         the tip has arrived when it is as near as this (5e-9)\n"
    "silence=S        the instrument is lost when it says nothing for so long (10)\n"
    "hold=panel|on|off\n"
    "                 Z controller on hold in pulses and spectra (panel: as it is set there)\n"
    "engage=approach|feedback\n"
    "                 by auto-approach, or only by switching the Z controller on (approach)\n"
    "Assumed until tried on the instrument (docs/nanonis.md says how):\n"
    "order=time|top|bottom\n"
    "                 the first row of a grabbed frame: the first scanned, or an edge (time)\n"
    "backward=time|space\n"
    "                 columns of a backward row: as scanned, or from -x to +x (time)\n"
    "angle=clockwise|counterclockwise\n"
    "                 sign of the frame's angle (clockwise)\n"
    "index=rt|slot    channels by RT index, or by slot as before R11798 (rt)\n"
    "wait=line|poll   Scan.WaitEndOfLine where there is one, or never (line)\n"
    "props=set|keep   single frames, scanned one way; keep: as on the panel (set)\n";

/* "a|b|c" in the order of the values. */
static bool choose(const char *value, const char *words, int *out)
{
    for (int k = 0;; k++) {
        size_t n = strcspn(words, "|");
        if (strlen(value) == n && strncmp(value, words, n) == 0) {
            *out = k;
            return true;
        }
        if (!words[n]) return false;
        words += n + 1;
    }
}

static reshed_status option_ports(const char *value, rs_nano_settings *s, reshed_error *err)
{
    int n = 0;
    for (const char *p = value;;) {
        size_t k = strcspn(p, ",");
        double port;
        if (n == RS_NANO_MAX_PORTS || !rs_number_parse(p, k, &port) ||
            !(port >= 1 && port <= 65535) || port != floor(port))
            return rs_fail(err, RESHED_EINVAL, "option ports|up to %d numbers from 1 to 65535|%s",
                           RS_NANO_MAX_PORTS, value);
        s->port[n++] = (int)port;
        if (!p[k]) break;
        p += k + 1;
    }
    if (n < 2)
        return rs_fail(err, RESHED_EINVAL,
                       "option ports|at least two, since halt has a connection of its own|%s",
                       value);
    s->ports = n;
    return RESHED_OK;
}

static reshed_status option_text(const char *name, const char *value, char *out, size_t n,
                                 reshed_error *err)
{
    size_t k = strlen(value);
    if (k < 1 || k >= n)
        return rs_fail(err, RESHED_EINVAL, "option %s|1 to %zu characters|%zu", name, n - 1, k);
    memcpy(out, value, k + 1);
    return RESHED_OK;
}

/* Names of signals: the amplitude first, the phase second, whatever the order of the options. */
static reshed_status option_signals(const rs_driver_option *option, int n, rs_nano_settings *s,
                                    reshed_error *err)
{
    static const char *const kind[] = {"channel", "phase", "also"};
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < n; i++) {
            if (strcmp(option[i].name, kind[k]) != 0) continue;
            if (k < 2 && s->signals > k)
                return rs_fail(err, RESHED_EINVAL, "option %s is given twice", kind[k]);
            if (s->signals == RS_DRIVER_MAX_CHANNELS)
                return rs_fail(err, RESHED_EINVAL, "too many signals|at most %d",
                               RS_DRIVER_MAX_CHANNELS);
            char *to = s->signal[s->signals];
            reshed_status st = option_text(kind[k], option[i].value, to, sizeof s->signal[0], err);
            if (st != RESHED_OK) return st;
            s->signals++;
            if (k == 1) s->phase = true;
        }
        if (k == 0 && s->signals == 0)
            return rs_fail(err, RESHED_EINVAL,
                           "option channel=NAME|the name of the amplitude's signal|none");
    }
    return RESHED_OK;
}

typedef struct number {
    const char *name;
    size_t at;
    double low, high;
} number;

#define AT(member) offsetof(rs_nano_settings, member)
static const number numbers[] = {
    {"x_min", AT(limits.x_min), -1, 1},          {"x_max", AT(limits.x_max), -1, 1},
    {"y_min", AT(limits.y_min), -1, 1},          {"y_max", AT(limits.y_max), -1, 1},
    {"bias_max", AT(limits.bias_max), 0, 1000},  {"speed_max", AT(limits.speed_max), 1e-12, 1},
    {"drive_max", AT(limits.drive_max), 0, 100}, {"ramp", AT(ramp), 0, 1e6},
    {"arrive", AT(arrive), 1e-12, 1e-3},         {"silence", AT(silence), 0.01, 3600},
};

typedef struct choice {
    const char *name, *words; /* the value is the word's place in the list */
    size_t at;                /* of an int */
} choice;

static const choice choices[] = {
    {"retrace", "no|yes", AT(retrace)},
    {"order", "time|top|bottom", AT(order)},
    {"backward", "space|time", AT(backward_in_time)},
    {"angle", "clockwise|counterclockwise", AT(counterclockwise)},
    {"index", "rt|slot", AT(slots)},
    {"wait", "line|poll", AT(poll)},
    {"props", "set|keep", AT(keep_props)},
    {"hold", "panel|on|off", AT(hold)},
    {"engage", "approach|feedback", AT(feedback_only)},
    {"modulator", "none|1|2|3|4|5|6|7|8", AT(modulator)},
};

/* One option that is not the name of a signal. */
static reshed_status option_one(const rs_driver_option *o, rs_nano_settings *s, reshed_error *err)
{
    double v;
    if (strcmp(o->name, "host") == 0)
        return option_text(o->name, o->value, s->host, sizeof s->host, err);
    if (strcmp(o->name, "ports") == 0) return option_ports(o->value, s, err);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const number *w = &numbers[i];
        if (strcmp(o->name, w->name) != 0) continue;
        if (!rs_number_parse(o->value, strlen(o->value), &v) || !(v >= w->low && v <= w->high))
            return rs_fail(err, RESHED_EINVAL, "option %s|a number from %g to %g|%s", o->name,
                           w->low, w->high, o->value);
        memcpy((char *)s + w->at, &v, sizeof v);
        return RESHED_OK;
    }
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        const choice *w = &choices[i];
        int k;
        if (strcmp(o->name, w->name) != 0) continue;
        if (!choose(o->value, w->words, &k))
            return rs_fail(err, RESHED_EINVAL, "option %s|%s|%s", o->name, w->words, o->value);
        memcpy((char *)s + w->at, &k, sizeof k);
        return RESHED_OK;
    }
    return rs_fail(err, RESHED_EINVAL, "unknown option %s of the nanonis driver", o->name);
}

reshed_status rs_nano_options(const rs_driver_option *option, int n, rs_nano_settings *out,
                              reshed_error *err)
{
    rs_nano_settings s = {
        .host = "127.0.0.1",
        .port = {6501, 6502, 6503, 6504},
        .ports = 4,
        .backward_in_time = true,
        .limits = {NAN, NAN, NAN, NAN, .bias_max = 10, .drive_max = 2, .speed_max = 50e-6},
        .ramp = 10,
        .arrive = 5e-9,
        .silence = 10,
    };
    reshed_status st = option_signals(option, n, &s, err);
    for (int i = 0; i < n && st == RESHED_OK; i++) {
        const char *name = option[i].name;
        if (strcmp(name, "channel") != 0 && strcmp(name, "phase") != 0 && strcmp(name, "also") != 0)
            st = option_one(&option[i], &s, err);
    }
    if (st == RESHED_OK && (s.limits.x_min >= s.limits.x_max || s.limits.y_min >= s.limits.y_max))
        st = rs_fail(err, RESHED_EINVAL, "options x_min .. y_max: nothing is left between them");
    if (st == RESHED_OK) *out = s;
    return st;
}
