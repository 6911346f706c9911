#define _POSIX_C_SOURCE 200809L
#include "nanonis_emulator.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_BODY 65536

typedef struct port {
    emulator *e;
    int index, listener, number;
    int connection; /* -1: none */
    pthread_t thread;
    uint8_t in[MAX_BODY], out[40 + MAX_BODY + 256];
} port;

struct emu_private {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stop, release;
    port ports[EMU_PORTS];
    float frame[16][2][EMU_SIDE * EMU_SIDE]; /* as grabbed */
};

/* ------------------------------------------------------------------------------------ the sample
 */
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

static void clear_frames(emulator *e)
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
    for (int i = n - 1; i >= 0 && c->m < MAX_BODY; i--) c->out[c->m++] = (uint8_t)(v >> 8 * i);
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
        if (!e->keeps_buffer) clear_frames(e);
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
    clear_frames(e);
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
    put(c, e->up, 4);
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

static bool receive_bytes(port *p, uint8_t *to, int n)
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

static void complain(emulator *e, const char *name, const char *what)
{
    if (!e->complaint[0]) snprintf(e->complaint, sizeof e->complaint, "%s: %s", name, what);
}

static void put_error(call *c, const char *text)
{
    put(c, 1, 4);
    put_s(c, text);
}

static emu_fault fault_for(emulator *e, const char *name)
{
    if (e->fault_count < 1 || strcmp(name, e->fault_command) != 0) return EMU_NO_FAULT;
    e->fault_count--;
    return e->fault;
}

/* The reply of one request into p->out; returns its size, 0: none. With the lock. */
static int answer(port *p, const char *name, int body, emu_fault fault)
{
    emulator *e = p->e;
    call c = {.e = e, .in = p->in, .n = body, .out = p->out + 40};
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
        if (c.at != c.n) complain(e, name, "the request has another size");
        pthread_cond_broadcast(&e->private->changed);
    }
    if (fault == EMU_ERROR_VALUES)
        put_error(&c, "that is not possible now");
    else if (fault == EMU_ERROR || !known)
        put_error(&c, known ? "" : "no such command");
    else
        put(&c, 0, 8);
    uint8_t *h = p->out;
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

/* One request; false: the connection is over. */
static bool serve(port *p)
{
    emulator *e = p->e;
    uint8_t head[40];
    char name[33] = "";
    if (!receive_bytes(p, head, 40)) return false;
    memcpy(name, head, 32);
    int32_t body = head[32] << 24 | head[33] << 16 | head[34] << 8 | head[35];
    if (body < 0 || body > MAX_BODY || !receive_bytes(p, p->in, body)) return false;
    pthread_mutex_lock(&e->private->lock);
    if (head[36] != 0 || head[37] != 1 || head[38] != 0 || head[39] != 0)
        complain(e, name, "the last four bytes of the header");
    if (e->logged < 4096) {
        strcpy(e->log[e->logged].name, name);
        e->log[e->logged++].port = p->index;
    }
    pthread_cond_broadcast(&e->private->changed);
    emu_fault fault = fault_for(e, name);
    int n = answer(p, name, body, fault), piece = e->trickle ? 1 : 1 << 20;
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

static void set_connection(port *p, int fd)
{
    pthread_mutex_lock(&p->e->private->lock);
    if (fd < 0) close(p->connection);
    p->connection = fd;
    pthread_mutex_unlock(&p->e->private->lock);
}

static void *run_port(void *arg)
{
    port *p = arg;
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

static bool open_port(port *p)
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

/* ------------------------------------------------------------------------------------- for tests
 */
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
    clear_frames(e);
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
    emu_lock(e);
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
