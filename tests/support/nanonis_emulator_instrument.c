/* The emulator's instrument: what each command does, and the bytes of its reply. */
#define _POSIX_C_SOURCE 200809L
#include "support/nanonis_emulator.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "support/nanonis_emulator_private.h"

/* ----------------------------------------------------------------------------------- the sample */

const char *emu_signal_name(int signal)
{
    static char name[EMU_SIGNALS][32];
    const char *special = signal == 6    ? "LI Demod 1 R (m)"
                          : signal == 9  ? "LI Demod 1 Phi (deg)"
                          : signal == 12 ? "Z (m)"
                          : signal == 24 ? "Bias (V)"
                                         : NULL;
    if (!name[signal][0]) snprintf(name[signal], 32, "Input %d (V)", signal);
    return special ? special : name[signal];
}

float emu_pixel(int scan, int signal, bool backward, int row, int col)
{
    return (float)(1 + scan * 7 + signal * 16384 + row * 128 + col) + (backward ? 0.25f : 0);
}

float emu_reading(int signal, int point, float volts)
{
    return (float)(signal + 1) * 0.5f + (float)point + 0.125f * volts;
}

/* Puts what has been scanned into the frames. Of the half-line that is being scanned the first
 * packet of 16 pixels is there already. */
static void fill_frames(emulator *e)
{
    for (int c = 0; c < e->channels; c++)
        for (int h = 0; h <= e->done && h < 2 * e->lines; h++) {
            const int line = h / 2, back = h % 2;
            const int row = e->up ? e->lines - 1 - line : line;
            const int stored = e->space_order ? row : line;
            const int pixels = h < e->done ? e->pixels : e->running ? 16 : 0;
            const int signal = e->slots ? 3 * e->channel[c] : e->channel[c];
            if (line == e->lost_line) continue;
            for (int k = 0; k < pixels; k++) { /* in the order of time */
                const int col = back ? e->pixels - 1 - k : k;
                const int at = back && e->space_backward ? col : k;
                e->private->frame[c][back][stored * e->pixels + at] =
                    emu_pixel(e->scans, signal, back, row, col);
            }
        }
}

void emu_clear_frames(emulator *e)
{
    for (int c = 0; c < 16; c++)
        for (int d = 0; d < 2; d++)
            for (int i = 0; i < EMU_SIDE * EMU_SIDE; i++) e->private->frame[c][d][i] = NAN;
}

/* The scan goes on a little. */
static void look(emulator *e)
{
    if (!e->running || e->paused) return;
    e->done += e->per_look;
    if (e->done > 2 * e->lines) e->done = 2 * e->lines;
    if (e->done == 2 * e->lines || (e->stop_at && e->done >= e->stop_at)) e->running = false;
    fill_frames(e);
}

/* ---------------------------------------------------------------------------------------- bytes */

typedef struct call {
    emulator *e;
    const uint8_t *in;
    int n, at; /* bytes of the request's body, and of these read */
    uint8_t *out;
    int m; /* bytes of the reply's body */
} call;

static uint64_t get(call *c, int n)
{
    uint64_t v = 0;
    for (int i = 0; i < n; i++) v = v << 8 | (c->at < c->n ? c->in[c->at] : 0), c->at++;
    return v;
}
static int32_t get_i(call *c)
{
    return (int32_t)get(c, 4);
}
static float get_f(call *c)
{
    uint32_t u = (uint32_t)get(c, 4);
    float f;
    memcpy(&f, &u, 4);
    return f;
}
static double get_d(call *c)
{
    uint64_t u = get(c, 8);
    double d;
    memcpy(&d, &u, 8);
    return d;
}
static void get_s(call *c, char *s, int n)
{
    int size = get_i(c);
    for (int i = 0; i < size && c->at < c->n; i++) {
        int ch = (int)get(c, 1);
        if (i < n - 1) s[i] = (char)ch;
    }
    s[size < n - 1 ? size < 0 ? 0 : size : n - 1] = '\0';
}

static void put(call *c, uint64_t v, int n)
{
    for (int i = n - 1; i >= 0 && c->m < EMU_MAX_BODY; i--) c->out[c->m++] = (uint8_t)(v >> 8 * i);
}
static void put_f(call *c, float f)
{
    uint32_t u;
    memcpy(&u, &f, 4);
    put(c, u, 4);
}
static void put_d(call *c, double d)
{
    uint64_t u;
    memcpy(&u, &d, 8);
    put(c, u, 8);
}
static void put_s(call *c, const char *s)
{
    put(c, strlen(s), 4);
    for (; *s; s++) put(c, (uint8_t)*s, 1);
}

/* ------------------------------------------------------------------------------------- commands */

/* Waits for the test, or for *until to become false; with the lock. */
static void hold(emulator *e, const bool *until)
{
    while (!e->private->stop && !e->private->release && (!until || *until))
        pthread_cond_wait(&e->private->changed, &e->private->lock);
}

static void scan_action(call *c)
{
    emulator *e = c->e;
    int action = (int)get(c, 2), dir = (int)get(c, 4);
    if (action == 0) {
        e->running = true;
        e->paused = false;
        e->up = dir == 1;
        e->done = 0;
        e->scans++;
        if (!e->keeps_buffer) emu_clear_frames(e);
        fill_frames(e);
    } else if (action == 1) {
        e->running = e->paused = false;
    } else if (action == 2) {
        e->paused = true;
    } else if (action == 3) {
        e->paused = false;
    }
}
static void scan_status(call *c)
{
    look(c->e);
    put(c, c->e->running, 4);
}
static void scan_wait_line(call *c)
{
    emulator *e = c->e;
    int ms = get_i(c), before = e->done;
    struct timespec t;
    look(e);
    if (e->done == before) { /* nothing moves: it takes its time */
        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_nsec += (long)(ms % 1000) * 1000000;
        t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
        t.tv_nsec %= 1000000000;
        while (!e->private->stop &&
               pthread_cond_timedwait(&e->private->changed, &e->private->lock, &t) == 0) {
        }
    }
    put(c, e->done == before, 4);
    put(c, (uint32_t)(e->done / 2), 4);
    put(c, (uint16_t)(e->done % 2), 2);
    put(c, 0, 4);
}
static void frame_set(call *c)
{
    for (int i = 0; i < 5; i++) c->e->frame[i] = get_f(c);
}
static void frame_get(call *c)
{
    for (int i = 0; i < 5; i++) put_f(c, c->e->frame[i]);
}
static void buffer_set(call *c)
{
    emulator *e = c->e;
    int n = get_i(c);
    for (int i = 0; i < n && i < 16; i++) e->channel[i] = get_i(c);
    e->channels = n;
    e->pixels = (get_i(c) + 8) / 16 * 16;
    e->lines = get_i(c);
    if (e->lines_become) e->lines = e->lines_become;
    emu_clear_frames(e);
}
static void buffer_get(call *c)
{
    emulator *e = c->e;
    put(c, (uint32_t)e->channels, 4);
    for (int i = 0; i < e->channels; i++) put(c, (uint32_t)e->channel[i], 4);
    put(c, (uint32_t)e->pixels, 4);
    put(c, (uint32_t)e->lines, 4);
}
static void props_get(call *c)
{
    emulator *e = c->e;
    put(c, e->continuous == 1, 4);
    put(c, e->bouncy == 1, 4);
    put(c, 1, 4);
    put_s(c, e->series);
    put_s(c, e->comment);
    put(c, 4, 4); /* what newer releases add: an array with one empty string, autopaste */
    put(c, 1, 4);
    put(c, 0, 4);
    put(c, 2, 4);
}
static void props_set(call *c)
{
    emulator *e = c->e;
    e->continuous = (uint32_t)get(c, 4);
    e->bouncy = (uint32_t)get(c, 4);
    e->autosave = (uint32_t)get(c, 4);
    get_s(c, e->series, sizeof e->series);
    get_s(c, e->comment, sizeof e->comment);
    get(c, 8);
}
static void speed_set(call *c)
{
    for (int i = 0; i < 4; i++) c->e->speed[i] = get_f(c);
    c->e->speed[4] = (float)get(c, 2);
    c->e->speed[5] = get_f(c);
}
static void speed_get(call *c)
{
    for (int i = 0; i < 4; i++) put_f(c, c->e->speed[i]);
    put(c, c->e->speed[4] == 2, 2);
    put_f(c, c->e->speed[5]);
}
static void frame_grab(call *c)
{
    emulator *e = c->e;
    int index = get_i(c), forward = get_i(c), k = 0;
    while (k < e->channels && e->channel[k] != index) k++;
    put_s(c, emu_signal_name(e->slots ? 3 * index : index));
    if (k == e->channels) {
        put(c, 0, 4);
        put(c, 0, 4);
    } else {
        put(c, (uint32_t)e->lines, 4);
        put(c, (uint32_t)e->pixels, 4);
        for (int i = 0; i < e->lines * e->pixels; i++)
            put_f(c, e->private->frame[k][forward ? 0 : 1][i]);
    }
    put(c, e->up != e->wrong_way, 4);
}
static void tip_speed(call *c)
{
    c->e->tip_speed = get_f(c);
    get(c, 4);
}
static void tip_set(call *c)
{
    c->e->x = get_d(c);
    c->e->y = get_d(c);
    get(c, 4);
}
static void tip_get(call *c)
{
    get(c, 4);
    put_d(c, c->e->x);
    put_d(c, c->e->y);
}
static void nothing(call *c)
{
    pthread_cond_broadcast(&c->e->private->changed);
}
static void tip_stop(call *c)
{
    c->e->moving = false;
    nothing(c);
}
static void spectrum_stop(call *c)
{
    c->e->spectrum_running = false;
    nothing(c);
}
static void bias_set(call *c)
{
    float v = get_f(c), step = fabsf(v - c->e->bias);
    if (step > c->e->largest_step) c->e->largest_step = step;
    c->e->bias = v;
}
static void bias_get(call *c)
{
    put_f(c, c->e->bias);
}
static void bias_pulse(call *c)
{
    emulator *e = c->e;
    get(c, 4);
    e->pulse_width = get_f(c);
    e->pulse_volts = get_f(c);
    e->pulse_hold = (int)get(c, 2);
    e->pulse_absolute = (int)get(c, 2);
    e->pulses++;
}
static void mod_amp(call *c)
{
    get(c, 4);
    c->e->modulation = get_f(c);
}
static void mod_on(call *c)
{
    get(c, 4);
    c->e->modulated = get(c, 4) != 0;
}
static void z_set(call *c)
{
    c->e->z_on = get(c, 4) != 0;
}
static void z_get(call *c)
{
    put(c, c->e->z_on, 4);
}
static void setpoint_set(call *c)
{
    c->e->setpoint = get_f(c);
}
static void setpoint_get(call *c)
{
    put_f(c, c->e->setpoint);
}
static void withdraw(call *c)
{
    get(c, 8);
    c->e->z_on = false;
    c->e->withdrawals++;
}
static void approach_set(call *c)
{
    c->e->approaching = get(c, 2) != 0;
}
static void approach_get(call *c)
{
    emulator *e = c->e;
    if (e->approaching && --e->approach_looks <= 0) {
        e->approaching = false;
        e->z_on = true;
    }
    put(c, e->approaching, 2);
}
static void put_names(call *c, int step)
{
    int n = EMU_SIGNALS / step, bytes = 0;
    if (n > 24 && step > 1) n = 24;
    for (int i = 0; i < n; i++) bytes += 4 + (int)strlen(emu_signal_name(i * step));
    put(c, (uint32_t)bytes, 4);
    put(c, (uint32_t)n, 4);
    for (int i = 0; i < n; i++) put_s(c, emu_signal_name(i * step));
    if (step == 1) return;
    put(c, (uint32_t)n, 4);
    for (int i = 0; i < n; i++) put(c, (uint32_t)(i * step), 4);
}
static void names_get(call *c)
{
    put_names(c, 1);
}
static void slots_get(call *c)
{
    put_names(c, 3);
}
static void value_get(call *c)
{
    int index = get_i(c);
    get(c, 4);
    put_f(c, index == 24 ? c->e->bias : 0.5f * (float)index);
}
static void version_get(call *c)
{
    put_s(c, "Mimea");
    put_s(c, "Generic 5e");
    put(c, 13742, 4);
    put(c, 13741, 4);
}
static void range_get(call *c)
{
    put_f(c, 20e-6f);
    put_f(c, 16e-6f);
    put_f(c, 2e-6f);
}
static void spectrum_open(call *c)
{
    c->e->spectroscopy_open = true;
}
static void spectrum_channels(call *c)
{
    int n = get_i(c);
    for (int i = 0; i < n && i < 16; i++) c->e->spectrum_channel[i] = get_i(c);
    c->e->spectrum_channels = n;
}
static void spectrum_props(call *c)
{
    emulator *e = c->e;
    e->props[0] = (int)get(c, 2);
    e->props[1] = get_i(c);
    e->props[2] = (int)get(c, 2);
    int points = get_i(c);
    if (points > 0) e->points = points;
    get(c, 8);
}
static void spectrum_advanced(call *c)
{
    for (int i = 0; i < 4; i++) c->e->advanced[i] = (int)get(c, 2);
}
static void spectrum_limits(call *c)
{
    for (int i = 0; i < 2; i++) c->e->limits[i] = get_f(c);
}
static void spectrum_timing(call *c)
{
    for (int i = 0; i < 8; i++) c->e->timing[i] = get_f(c);
}
static void spectrum_mode(call *c)
{
    char mode[16];
    get_s(c, mode, sizeof mode);
    c->e->mls = strcmp(mode, "MLS") == 0 ? 1 : 0;
}
static void spectrum_segments(call *c)
{
    emulator *e = c->e;
    int n = get_i(c);
    e->mls = n;
    for (int i = 0; i < n; i++) e->mls_start[i & 15] = get_f(c);
    for (int i = 0; i < n; i++) e->mls_end[i & 15] = get_f(c);
    for (int i = 0; i < n; i++) get(c, 4);
    for (int i = 0; i < n; i++) e->mls_settle[i & 15] = get_f(c);
    for (int i = 0; i < n; i++) e->mls_integrate[i & 15] = get_f(c);
    for (int i = 0; i < n; i++) e->mls_points[i & 15] = get_i(c);
    for (int i = 0; i < n; i++) get(c, 4);
}
static float between(float a, float b, int i, int n)
{
    return n < 2 ? a : a + (b - a) * (float)i / (float)(n - 1);
}
static void spectrum_start(call *c)
{
    emulator *e = c->e;
    static float volts[8192];
    int n = 0, bytes = 4 + 13;
    char name[8];
    get(c, 4);
    get_s(c, name, sizeof name);
    if (e->mls == 0)
        for (; n < e->points; n++) volts[n] = between(e->limits[0], e->limits[1], n, e->points);
    for (int s = 0; s < e->mls; s++)
        for (int i = 0; i < e->mls_points[s]; i++)
            volts[n++] = between(e->mls_start[s], e->mls_end[s], i,
                                 e->mls_points[s] + (e->repeats_points ? 1 : 0));
    for (int k = 0; k < e->spectrum_channels; k++)
        bytes += 4 + (int)strlen(emu_signal_name(e->spectrum_channel[k]));
    put(c, (uint32_t)bytes, 4);
    put(c, (uint32_t)(1 + e->spectrum_channels), 4);
    put_s(c, "Bias calc (V)");
    for (int k = 0; k < e->spectrum_channels; k++)
        put_s(c, emu_signal_name(e->spectrum_channel[k]));
    put(c, (uint32_t)(1 + e->spectrum_channels), 4);
    put(c, (uint32_t)n, 4);
    for (int i = 0; i < n; i++) put_f(c, volts[i]);
    for (int k = 0; k < e->spectrum_channels; k++)
        for (int i = 0; i < n; i++) put_f(c, emu_reading(e->spectrum_channel[k], i, volts[i]));
    put(c, 2, 4);
    put_f(c, 1);
    put_f(c, 2);
}

static const struct command {
    const char *name;
    void (*act)(call *c);
} commands[] = {
    {"Scan.Action", scan_action},
    {"Scan.StatusGet", scan_status},
    {"Scan.WaitEndOfLine", scan_wait_line},
    {"Scan.FrameSet", frame_set},
    {"Scan.FrameGet", frame_get},
    {"Scan.BufferSet", buffer_set},
    {"Scan.BufferGet", buffer_get},
    {"Scan.PropsGet", props_get},
    {"Scan.PropsSet", props_set},
    {"Scan.SpeedSet", speed_set},
    {"Scan.SpeedGet", speed_get},
    {"Scan.FrameDataGrab", frame_grab},
    {"FolMe.SpeedSet", tip_speed},
    {"FolMe.XYPosSet", tip_set},
    {"FolMe.XYPosGet", tip_get},
    {"FolMe.Stop", tip_stop},
    {"Bias.Set", bias_set},
    {"Bias.Get", bias_get},
    {"Bias.Pulse", bias_pulse},
    {"LockIn.ModAmpSet", mod_amp},
    {"LockIn.ModOnOffSet", mod_on},
    {"ZCtrl.OnOffSet", z_set},
    {"ZCtrl.OnOffGet", z_get},
    {"ZCtrl.SetpntSet", setpoint_set},
    {"ZCtrl.SetpntGet", setpoint_get},
    {"ZCtrl.Withdraw", withdraw},
    {"AutoApproach.Open", nothing},
    {"AutoApproach.OnOffSet", approach_set},
    {"AutoApproach.OnOffGet", approach_get},
    {"Signals.NamesGet", names_get},
    {"Signals.InSlotsGet", slots_get},
    {"Signals.ValGet", value_get},
    {"Util.VersionGet", version_get},
    {"Piezo.RangeGet", range_get},
    {"BiasSpectr.Open", spectrum_open},
    {"BiasSpectr.ChsSet", spectrum_channels},
    {"BiasSpectr.PropsSet", spectrum_props},
    {"BiasSpectr.AdvPropsSet", spectrum_advanced},
    {"BiasSpectr.LimitsSet", spectrum_limits},
    {"BiasSpectr.TimingSet", spectrum_timing},
    {"BiasSpectr.MLSModeSet", spectrum_mode},
    {"BiasSpectr.MLSValsSet", spectrum_segments},
    {"BiasSpectr.Start", spectrum_start},
    {"BiasSpectr.Stop", spectrum_stop},
};

void emu_complain(emulator *e, const char *name, const char *what)
{
    if (!e->complaint[0]) snprintf(e->complaint, sizeof e->complaint, "%s: %s", name, what);
}

static void put_error(call *c, const char *text)
{
    put(c, 1, 4);
    put_s(c, text);
}

int emu_answer(emulator *e, const char *name, const uint8_t *in, int n, emu_fault fault,
               uint8_t *out)
{
    call c = {.e = e, .in = in, .n = n, .out = out + 40};
    const struct command *k = commands, *end = commands + sizeof commands / sizeof *commands;
    while (k < end && strcmp(k->name, name) != 0) k++;
    const bool known = k < end && !(e->no_wait_line && k->act == scan_wait_line);
    bool cut = false;
    if (known && fault == EMU_LATE) {
        bool *until = k->act == spectrum_start ? &e->spectrum_running
                      : k->act == tip_set      ? &e->moving
                                               : NULL;
        if (until) *until = true;
        hold(e, until);
        cut = k->act == tip_set && !e->moving;
        e->moving = false;
    }
    if (known && fault != EMU_ERROR) {
        const double x = e->x, y = e->y;
        k->act(&c);
        if (cut) e->x = (x + e->x) / 2, e->y = (y + e->y) / 2;
        if (c.at != c.n) emu_complain(e, name, "the request has another size");
        pthread_cond_broadcast(&e->private->changed);
    }
    if (fault == EMU_ERROR_VALUES)
        put_error(&c, "that is not possible now");
    else if (fault == EMU_ERROR || !known)
        put_error(&c, known ? "" : "no such command");
    else
        put(&c, 0, 8);
    uint8_t *h = out;
    memset(h, 0, 40);
    if (fault == EMU_NAME) name = "Scan.Something";
    memcpy(h, name, strlen(name));
    int32_t size = fault == EMU_SIZE_HUGE ? 0x7ffffff0 : fault == EMU_SIZE_NEGATIVE ? -8 : c.m;
    for (int i = 0; i < 4; i++) h[32 + i] = (uint8_t)((uint32_t)size >> (24 - 8 * i));
    if (fault == EMU_SIZE_INNER) {
        memset(c.out, 0xff, 4);
        c.out[0] = 0x7f;
    }
    return fault == EMU_SILENT ? 0 : 40 + c.m;
}
