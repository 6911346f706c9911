/* twin.c - lines and spectra of the digital twin.
 *
 *     stage position + drift -> film -> complex response, resonance, Q -> spectrum -> noise
 *
 * The response of a pixel is what the tip's footprint takes in: a few points with weights, one for
 * an ideal tip. Each line and each spectrum draws its noise from a stream of its own, named by the
 * scan, the row and the direction, so nothing depends on the order in which they are asked for. */
#include "spm/instrument/sim/twin.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/random.h"
#include "spm/twin/films.h"
#include "spm/instrument/words.h"
#include "spm/instrument/sim/private.h"

enum { STREAM_LINE_NOISE = 501, STREAM_LINE_GAIN, STREAM_SPECTRUM, STREAM_TIP_CHANGE };

/* V; m/s: what a common instrument allows. */
#define BIAS_MAX 10
#define DRIVE_MAX 5
#define SPEED_MAX 1e-4
/* m, of the frame that a kind of film is drawn for: 256 pixels on 2 um. */
#define PIXEL 8e-9

typedef struct twin_options {
    double be;               /* 1: band excitation, 0: amplitude and phase */
    double noise;            /* standard deviation in each quadrature of a bin, of the c level's
                                response at resonance for a drive of 1 V */
    double line_noise;       /* relative standard deviation of a line's gain */
    double height_noise;     /* m */
    double drift_x, drift_y; /* m/s of time worked */
    double resonance_drift;  /* Hz/s of time worked */
    double retrace_shift;    /* m, by which the retrace sees the film further along the line */
    double tip_radius;       /* m, standard deviation of the footprint */
    double tip_change;       /* 0 ... 1, strength of one sudden change of the tip */
    double tip_change_row;   /* when that row is first scanned, -1: not there */
    double tip_change_time;  /* s of time worked, -1: not then */
    double sensitivity;      /* V of the detector per m */
} twin_options;

static const rs_twin_field option_fields[] = {
#define PLAIN(field, least, most)                                                                  \
    {                                                                                              \
#field, offsetof(twin_options, field), least, most                                         \
    }
    PLAIN(be, 0, 1),
    PLAIN(noise, 0, 100),
    PLAIN(line_noise, 0, 10),
    PLAIN(height_noise, 0, 1e-6),
    PLAIN(drift_x, -1e-6, 1e-6),
    PLAIN(drift_y, -1e-6, 1e-6),
    PLAIN(resonance_drift, -1e5, 1e5),
    PLAIN(retrace_shift, -1e-6, 1e-6),
    PLAIN(tip_radius, 0, 1e-6),
    PLAIN(tip_change, 0, 1),
    PLAIN(tip_change_row, -1, 1e9),
    PLAIN(tip_change_time, -1, 1e12),
    PLAIN(sensitivity, 1e-3, 1e15),
#undef PLAIN
};

static const char help_text[] =
    "seed=N                 another film and other noise (1)\n"
    "film=NAME              kind of film: pzt, pto, laminate, relaxor, defects, mix (pzt)\n"
    "clock=real|N           instrument seconds in a real one; 0: as fast as it goes (real)\n"
    "be=1|0                 complex spectra of band excitation, or amplitude and phase (1)\n"
    "noise=X                of a bin, in each quadrature, of the c domain's response (0.03)\n"
    "line_noise=X           relative, of each line's gain (0.01)\n"
    "height_noise=M         (5e-11)\n"
    "drift_x=M drift_y=M    m/s while the instrument works (0)\n"
    "resonance_drift=HZ     Hz/s (0)\n"
    "retrace_shift=M        between trace and retrace (2e-9)\n"
    "tip_radius=M           standard deviation of the tip's footprint (0)\n"
    "tip_change=X           strength of a sudden change of the tip, 0 to 1 (0) ...\n"
    "tip_change_row=N       ... when that row is first scanned (-1)\n"
    "tip_change_time=S      ... after so many seconds of work (-1)\n"
    "sensitivity=V          of the detector, V/m (1e7)\n"
    "alternate=X short=X    of the loops' widths: with the lean of parallel walls (0.25), and of\n"
    "                       short walls with a needle's end (0.3); 0: not at all\n"
    "queue=N                lines kept for a late caller, 64 or more (512)\n"
    "stall=ROW              the scan hangs there for stall_seconds=S (5)\n"
    "lose=ROW nan=ROW       a line that will not come, one that comes as NaN\n"
    "disconnect=ROW         the instrument is lost there; with reconnect=1 a scan that starts at\n"
    "                       that row goes on\n"
    "reply_delay=S          of every reply, in real seconds (0)\n"
    "lose_spectrum=N nan_spectrum=N  the same of the N-th spectrum, from 0\n"
    "width=M height=M spacing[0]=M ... every number of the film (twin/sample.h)\n"
    "coercive=V scatter=X imprint=V ... every number of its switching (twin/switching.h)\n";

typedef struct twin_driver {
    rs_sim sim; /* first: the functions of sim.h take it */
    twin_options opt;
    rs_twin_options film_options;
    rs_twin_sample *film;
    rs_twin_switching switching;
    double changed; /* s of time worked when the tip changed; INFINITY: not yet */
} twin_driver;

/* -------------------------------------------------------------------------------------- the tip */

typedef struct twin_tap {
    double dx, dy, weight;
} twin_tap;

#define TAPS_MAX 14

/* A Gaussian footprint as seven points, exact for polynomials to the fifth degree: half the weight
 * in the middle, the rest on a hexagon of two standard deviations. */
static int footprint(double radius, double dx, double dy, double weight, twin_tap *tap)
{
    if (radius <= 0) {
        *tap = (twin_tap){dx, dy, weight};
        return 1;
    }
    tap[0] = (twin_tap){dx, dy, 0.5 * weight};
    for (int k = 0; k < 6; k++) {
        double a = acos(-1) / 3 * k;
        tap[k + 1] = (twin_tap){dx + 2 * radius * cos(a), dy + 2 * radius * sin(a), weight / 12};
    }
    return 7;
}

static int tip_taps(const twin_driver *t, double worked, twin_tap tap[TAPS_MAX], double *gain)
{
    double radius = t->opt.tip_radius;
    *gain = 1;
    if (worked < t->changed) return footprint(radius, 0, 0, 1, tap);
    rs_random r = rs_random_at(t->film_options.seed, STREAM_TIP_CHANGE, 0);
    double s = t->opt.tip_change;
    *gain = exp(s * rs_random_between(&r, -0.9, 0.4));
    radius = hypot(radius, 15e-9 * s * rs_random_between(&r, 0.3, 1));
    double second = 0.6 * s * rs_random_unit(&r);
    double dx = rs_random_between(&r, -40e-9, 40e-9), dy = rs_random_between(&r, -40e-9, 40e-9);
    int n = footprint(radius, 0, 0, 1 / (1 + second), tap);
    return n + footprint(radius, dx, dy, second / (1 + second), tap + n);
}

/* -------------------------------------------------------------------------------------- the row */

/* A row as the tip meets it, without noise: each [cols]. */
typedef struct twin_row {
    float *re, *im;   /* m */
    float *resonance; /* Hz */
    float *q, *height;
    float *part[5]; /* scratch of one tap */
} twin_row;

/* The film under pixels `from` to `to` of the row, seen dx, dy away from them. */
static reshed_status render_tap(const twin_driver *t, int row, double dx, double dy,
                                const twin_row *out, reshed_error *err)
{
    const rs_frame *f = &t->sim.frame;
    double px = f->width / f->cols, py = f->height / f->rows;
    double v = 0.5 * f->height - (row + 0.5) * py;
    if (f->angle == 0) {
        rs_twin_view view = {.cx = f->cx + dx,
                             .cy = f->cy + v + dy,
                             .width = f->width,
                             .height = py,
                             .rows = 1,
                             .cols = f->cols,
                             .row_end = 1};
        rs_twin_channels ch = {out->part[0], out->part[1], out->part[2], out->part[3],
                               out->part[4], NULL,         NULL,         NULL};
        return rs_twin_render(t->film, &view, &ch, err);
    }
    /* The film is drawn along its own axes: a turned row is drawn pixel by pixel. */
    double c = cos(f->angle), s = sin(f->angle);
    for (int i = 0; i < f->cols; i++) {
        double u = (i + 0.5) * px - 0.5 * f->width;
        rs_twin_view view = {.cx = f->cx + c * u - s * v + dx,
                             .cy = f->cy + s * u + c * v + dy,
                             .width = px,
                             .height = py,
                             .rows = 1,
                             .cols = 1,
                             .row_end = 1};
        rs_twin_channels ch = {out->part[0] + i,
                               out->part[1] + i,
                               out->part[2] + i,
                               out->part[3] + i,
                               out->part[4] + i,
                               NULL,
                               NULL,
                               NULL};
        reshed_status st = rs_twin_render(t->film, &view, &ch, err);
        if (st != RESHED_OK) return st;
    }
    return RESHED_OK;
}

static reshed_status row_alloc(int cols, twin_row *row, reshed_error *err)
{
    size_t n = (size_t)cols;
    float *p = rs_zalloc(n, 10 * sizeof *p);
    if (!p) return rs_fail_nomem(err, "a line", 10 * n * sizeof *p);
    *row = (twin_row){.re = p,
                      .im = p + n,
                      .resonance = p + 2 * n,
                      .q = p + 3 * n,
                      .height = p + 4 * n,
                      .part = {p + 5 * n, p + 6 * n, p + 7 * n, p + 8 * n, p + 9 * n}};
    return RESHED_OK;
}

static void drift_at(const twin_driver *t, double worked, double *dx, double *dy)
{
    *dx = t->opt.drift_x * worked;
    *dy = t->opt.drift_y * worked;
}

static reshed_status render_row(const twin_driver *t, double worked, int row, bool retrace,
                                const twin_row *out, reshed_error *err)
{
    const rs_frame *f = &t->sim.frame;
    twin_tap tap[TAPS_MAX];
    double gain, x, y;
    int n = tip_taps(t, worked, tap, &gain);
    drift_at(t, worked, &x, &y);
    if (retrace) {
        x += t->opt.retrace_shift * cos(f->angle);
        y += t->opt.retrace_shift * sin(f->angle);
    }
    for (int k = 0; k < n; k++) {
        reshed_status st = render_tap(t, row, x + tap[k].dx, y + tap[k].dy, out, err);
        if (st != RESHED_OK) return st;
        float w = (float)tap[k].weight, wg = (float)(tap[k].weight * gain);
        for (int c = 0; c < f->cols; c++) {
            out->re[c] += wg * out->part[0][c] * cosf(out->part[1][c]);
            out->im[c] += wg * out->part[0][c] * sinf(out->part[1][c]);
            out->resonance[c] += w * out->part[2][c];
            out->q[c] += w * out->part[3][c];
            out->height[c] += w * out->part[4][c];
        }
    }
    for (int c = 0; c < f->cols; c++) out->resonance[c] += (float)(t->opt.resonance_drift * worked);
    return RESHED_OK;
}

/* --------------------------------------------------------------------------------- the detector */

/* V, standard deviation in each quadrature of a bin. */
static double bin_noise(const twin_driver *t)
{
    return t->opt.noise * t->film_options.level * t->opt.sensitivity * t->film_options.q /
           sqrt(t->sim.be.repeats);
}

/* The response a = re + i im (V) of an oscillator, with noise: H = a/(u^2 - 1 - i u/Q), u = w/w0;
 * h[bins][2]. */
static void write_spectrum(const twin_driver *t, double re, double im, double resonance, double q,
                           rs_random *noise, float *h)
{
    const double *w = t->sim.be_frequency;
    double scale = 1 / resonance, damp = 1 / fmax(q, 0.5); /* below that nothing resonates */
    float sd = (float)bin_noise(t);
    int bins = t->sim.caps.bins;
    for (int k = 0; k < bins; k++) {
        double u = w[k] * scale, a = u * u - 1, b = u * damp, d = 1 / (a * a + b * b);
        h[2 * k] = (float)((re * a - im * b) * d);
        h[2 * k + 1] = (float)((re * b + im * a) * d);
    }
    if (!(sd > 0)) return;
    for (int k = 0; k < bins; k++) {
        float x, y;
        rs_random_gauss2(noise, &x, &y);
        h[2 * k] += sd * x;
        h[2 * k + 1] += sd * y;
    }
}

/* Amplitude (m) and phase of a response of re + i im (m at a drive of 1 V), as a lock-in reads. */
static void write_lockin(const twin_driver *t, double re, double im, rs_random *noise,
                         float *amplitude, float *phase)
{
    float sd = (float)(t->opt.noise * t->film_options.level), x = 0, y = 0;
    if (sd > 0) rs_random_gauss2(noise, &x, &y);
    float a = (float)(re * t->sim.drive) + sd * x, b = (float)(im * t->sim.drive) + sd * y;
    if (amplitude) *amplitude = sqrtf(a * a + b * b);
    if (phase) *phase = atan2f(b, a);
}

static rs_driver_status twin_line(rs_sim *sim, const rs_sim_moment *when, rs_line *line,
                                  reshed_error *err)
{
    twin_driver *t = (twin_driver *)sim;
    twin_row row = {0};
    bool be = sim->caps.band_excitation;
    if (t->opt.tip_change > 0 && line->row == (int)t->opt.tip_change_row)
        t->changed = fmin(t->changed, when->worked);
    reshed_status st = row_alloc(sim->frame.cols, &row, err);
    if (st == RESHED_OK) st = render_row(t, when->worked, line->row, line->retrace, &row, err);
    if (st != RESHED_OK) {
        rs_free(row.re);
        return RS_DRIVER_REFUSED;
    }
    uint64_t name = rs_hash64((uint64_t)when->serial) + 2 * (uint64_t)line->row + line->retrace;
    rs_random noise = rs_random_at(t->film_options.seed, STREAM_LINE_NOISE, name);
    rs_random gain = rs_random_at(t->film_options.seed, STREAM_LINE_GAIN, name);
    double factor = 1 + t->opt.line_noise * rs_random_gauss(&gain);
    double volts = factor * t->opt.sensitivity * sim->drive;
    size_t cols = (size_t)sim->frame.cols, bins = (size_t)sim->caps.bins;
    float *channel[3] = {NULL, NULL, NULL}; /* amplitude, phase, height */
    for (int k = 0; k < line->channels && k < 3; k++)
        channel[be ? 2 : k] = line->channel + (size_t)k * cols;
    for (size_t c = 0; c < cols; c++) {
        double re = (double)row.re[c], im = (double)row.im[c];
        if (be && line->spectra)
            write_spectrum(t, volts * re, volts * im, (double)row.resonance[c], (double)row.q[c],
                           &noise, line->spectra + 2 * bins * c);
        if (!be)
            write_lockin(t, factor * re, factor * im, &noise, channel[0] ? channel[0] + c : NULL,
                         channel[1] ? channel[1] + c : NULL);
        if (channel[2])
            channel[2][c] = row.height[c] + (float)(t->opt.height_noise * rs_random_gauss(&gain));
    }
    for (size_t k = 0; line->frequency && k < bins; k++) line->frequency[k] = sim->be_frequency[k];
    rs_free(row.re);
    return RS_DRIVER_OK;
}

static rs_driver_status twin_spectrum(rs_sim *sim, const rs_sim_moment *when, rs_spectrum *out,
                                      reshed_error *err)
{
    twin_driver *t = (twin_driver *)sim;
    const rs_spectroscopy *s = &sim->spectroscopy;
    rs_twin_site site;
    twin_tap tap[TAPS_MAX];
    double gain, dx, dy;
    bool be = sim->caps.band_excitation;
    tip_taps(t, when->worked, tap, &gain);
    drift_at(t, when->worked, &dx, &dy);
    if (rs_twin_site_init(t->film, &t->switching, out->x + dx, out->y + dy, &site, err) !=
        RESHED_OK)
        return RS_DRIVER_REFUSED;
    rs_random noise = rs_random_at(t->film_options.seed, STREAM_SPECTRUM, (uint64_t)when->serial);
    double volts = gain * t->opt.sensitivity * sim->drive;
    for (int i = 0; i < s->steps; i++)
        for (int field = 0; field < out->fields; field++) {
            double v = field == 0 ? s->voltage[i] : s->read_bias;
            size_t at = (size_t)field * (size_t)s->steps + (size_t)i;
            rs_twin_reading r;
            rs_twin_site_apply(&site, v);
            rs_twin_site_read(&site, &t->switching, v, &r);
            r.resonance += t->opt.resonance_drift * when->worked;
            if (be && out->spectra)
                write_spectrum(t, volts * r.re, volts * r.im, r.resonance, r.q, &noise,
                               out->spectra + 2 * at * (size_t)out->bins);
            if (!be)
                write_lockin(t, gain * r.re, gain * r.im, &noise,
                             out->amplitude ? out->amplitude + at : NULL,
                             out->phase ? out->phase + at : NULL);
        }
    for (int k = 0; out->frequency && k < out->bins; k++) out->frequency[k] = sim->be_frequency[k];
    return RS_DRIVER_OK;
}

/* ----------------------------------------------------------------------------------------- life */

static void twin_close(void *self)
{
    twin_driver *t = self;
    if (!t) return;
    rs_twin_sample_free(t->film);
    rs_sim_clear(&t->sim);
    rs_free(t);
}

static rs_driver_status take_options(twin_driver *t, rs_sim_options *sim,
                                     const rs_driver_option *option, int n, reshed_error *err)
{
    struct {
        double seed;
    } plain = {1};
    static const rs_twin_field seed_field[] = {{"seed", 0, 0, 9007199254740992.0}};
    rs_option_table table[] = {
        {seed_field, 1, &plain},
        {option_fields, sizeof option_fields / sizeof option_fields[0], &t->opt},
        {NULL, 0, sim},
        {NULL, 0, &t->film_options},
        {NULL, 0, &t->switching}};
    table[2].field = rs_sim_fields(&table[2].n);
    table[3].field = rs_twin_option_fields(&table[3].n);
    table[4].field = rs_twin_switching_fields(&table[4].n);
    /* Kind and seed first, whatever the order: single numbers change what the kind has set. */
    const char *kind = rs_driver_option_find(option, n, "film");
    rs_twin_film film = RS_TWIN_FILM_PZT;
    if (kind && !rs_twin_film_find(kind, &film))
        return sim_refuse(err, "option film|pzt, pto, laminate, relaxor, defects or mix|'%s'",
                          kind);
    for (int i = 0; i < n; i++) {
        if (strcmp(option[i].name, "seed") != 0) continue;
        rs_driver_status st = rs_option_take(&option[i], table, 5, err);
        if (st != RS_DRIVER_OK) return st;
    }
    t->film_options.seed = (uint64_t)plain.seed;
    rs_twin_film_options(film, PIXEL, &t->film_options);
    for (int i = 0; i < n; i++) {
        if (strcmp(option[i].name, "film") == 0) continue;
        rs_driver_status st = rs_option_take(&option[i], table, 5, err);
        if (st != RS_DRIVER_OK) return st;
    }
    return RS_DRIVER_OK;
}

static void twin_caps(const twin_driver *t, rs_driver_caps *caps)
{
    const rs_twin_options *film = &t->film_options;
    bool be = t->opt.be >= 0.5;
    *caps = (rs_driver_caps){.instrument = "reshed digital twin " RESHED_VERSION,
                             .band_excitation = be,
                             .off_field = true,
                             .retrace = true,
                             .simulated = true,
                             .channels = be ? 1 : 3,
                             .limits = {.x_min = -0.5 * film->width,
                                        .x_max = 0.5 * film->width,
                                        .y_min = -0.5 * film->height,
                                        .y_max = 0.5 * film->height,
                                        .bias_max = BIAS_MAX,
                                        .drive_max = DRIVE_MAX,
                                        .speed_max = SPEED_MAX}};
    static const char *const name[] = {"Amplitude", "Phase", "Height"};
    static const char *const unit[] = {"m", "rad", "m"};
    for (int i = 0; i < caps->channels; i++) {
        int k = be ? 2 : i;
        memcpy(caps->channel[i], name[k], strlen(name[k]) + 1);
        memcpy(caps->unit[i], unit[k], strlen(unit[k]) + 1);
    }
}

static rs_driver_status twin_open(const rs_driver_option *option, int n, double timeout,
                                  void **self, reshed_error *err)
{
    (void)timeout;
    const rs_sim_source source = {twin_line, twin_spectrum};
    rs_sim_options sim;
    rs_driver_caps caps;
    rs_driver_status st = RS_DRIVER_REFUSED;
    twin_driver *t = rs_zalloc(1, sizeof *t);
    if (!t) {
        rs_fail_nomem(err, "the twin", sizeof *t);
        return st;
    }
    t->opt = (twin_options){.be = 1,
                            .noise = 0.03,
                            .line_noise = 0.01,
                            .height_noise = 5e-11,
                            .retrace_shift = 2e-9,
                            .tip_change_row = -1,
                            .tip_change_time = -1,
                            .sensitivity = 1e7};
    rs_twin_options_defaults(&t->film_options);
    rs_twin_switching_defaults(&t->switching);
    rs_sim_defaults(&sim);
    st = take_options(t, &sim, option, n, err);
    if (st != RS_DRIVER_OK) goto done;
    t->changed =
        t->opt.tip_change > 0 && t->opt.tip_change_time >= 0 ? t->opt.tip_change_time : INFINITY;
    if (rs_twin_sample_create(&t->film_options, &t->film, err) != RESHED_OK) {
        st = RS_DRIVER_REFUSED;
        goto done;
    }
    twin_caps(t, &caps);
    double side = 2e-6, film = fmin(t->film_options.width, t->film_options.height);
    if (side > film) side = film;
    rs_frame frame = {.width = side, .height = side, .rows = 256, .cols = 256, .line_rate = 1};
    st = rs_sim_init(&t->sim, &sim, &source, &caps, &frame, t->film_options.resonance, err);
    if (st == RS_DRIVER_OK && caps.band_excitation && t->sim.caps.bins == 0)
        st = sim_refuse(err, "option resonance with band excitation|above 0|0");
done:
    if (st == RS_DRIVER_OK)
        *self = t;
    else
        twin_close(t);
    return st;
}

const rs_driver_ops *rs_driver_twin_ops(void)
{
    static const rs_driver_ops ops = {
        .abi = RS_DRIVER_ABI,
        .size = sizeof ops,
        .name = "twin",
        .help = help_text,
        .open = twin_open,
        .close = twin_close,
        .caps = rs_sim_caps,
        .set_frame = rs_sim_set_frame,
        .get_frame = rs_sim_get_frame,
        .set_be = rs_sim_set_be,
        .start = rs_sim_start,
        .pause = rs_sim_pause,
        .wait_line = rs_sim_wait_line,
        .grab_frame = rs_sim_grab_frame,
        .move_tip = rs_sim_move_tip,
        .get_tip = rs_sim_get_tip,
        .set_setpoint = rs_sim_set_setpoint,
        .get_setpoint = rs_sim_get_setpoint,
        .engage = rs_sim_engage,
        .withdraw = rs_sim_withdraw,
        .set_bias = rs_sim_set_bias,
        .get_bias = rs_sim_get_bias,
        .pulse = rs_sim_pulse,
        .set_drive = rs_sim_set_drive,
        .set_spectroscopy = rs_sim_set_spectroscopy,
        .run_spectroscopy = rs_sim_run_spectroscopy,
        .spectroscopy_seconds = rs_sim_spectroscopy_seconds,
        .read_signal = rs_sim_read_signal,
        .halt = rs_sim_halt,
    };
    return &ops;
}

const rs_twin_sample *rs_driver_twin_sample(void *self)
{
    return ((twin_driver *)self)->film;
}

const rs_twin_switching *rs_driver_twin_switching(void *self)
{
    return &((twin_driver *)self)->switching;
}

double rs_driver_twin_sensitivity(void *self)
{
    return ((twin_driver *)self)->opt.sensitivity;
}

void rs_driver_twin_place(void *self, double x, double y, double *film_x, double *film_y)
{
    twin_driver *t = self;
    double dx, dy;
    drift_at(t, rs_sim_worked(&t->sim), &dx, &dy);
    *film_x = x + dx;
    *film_y = y + dy;
}
