/* replay.c - recorded images line by line, and recorded loops point by point.
 *
 * The image lies on the stage where its file says (else about the origin). A frame may be the image
 * itself, which comes back exactly, or any other within it, which is sampled between the pixels'
 * centres. A loop is that of the recorded point nearest to the tip. */
#include "spm/instrument/sim/replay.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "beps/sho_fit.h"
#include "io/image_file.h"
#include "spm/instrument/coords.h"
#include "spm/instrument/words.h"
#include "spectra/recorded.h"
#include "spm/instrument/sim/private.h"

#define SPEED_MAX 1e-2
#define BIAS_MAX 200
/* Distances from a pixel's centre, in pixels, that are taken for rounding. */
#define ON_CENTRE 1e-6

typedef struct replay_options {
    double rate;  /* lines per second, of the frame it begins with */
    double pixel; /* m, where the file does not say */
    double reach; /* m, from the tip to the recorded loop that counts as being there; 0: any */
} replay_options;

static const rs_twin_field option_fields[] = {
    {"rate", offsetof(replay_options, rate), 1e-6, 1e6},
    {"pixel", offsetof(replay_options, pixel), 1e-12, 1},
    {"reach", offsetof(replay_options, reach), 0, 1},
};

static const char help_text[] =
    "file=PATH              the image: PNG, NPY, GSF, IBW or NSID\n"
    "channel=NAME|N         what comes first of its channels, and is the image (as reshed-infer)\n"
    "loops=PATH             recorded loops, NSID or USID; loops_channel=NAME their dataset\n"
    "loops_field=off|on     what readings are whose field the file does not tell (off)\n"
    "reach=M                a loop farther from the tip is not taken; 0: any (0)\n"
    "rate=HZ                lines per second (1)\n"
    "direction=down|up      of the scan (down)\n"
    "pixel=M                size of a pixel where the file does not say (1e-8)\n"
    "clock=real|N           instrument seconds in a real one; 0: as fast as it goes (real)\n"
    "queue=N                lines kept for a late caller, 64 or more (512)\n"
    "stall=ROW stall_seconds=S lose=ROW nan=ROW disconnect=ROW reconnect=1 reply_delay=S\n"
    "lose_spectrum=N nan_spectrum=N   faults, as the twin has them\n";

typedef struct replay_driver {
    rs_sim sim; /* first: the functions of sim.h take it */
    replay_options opt;
    rs_image image[RS_DRIVER_MAX_CHANNELS];
    int images;
    rs_recorded loops; /* points 0: none */
} replay_driver;

/* ---------------------------------------------------------------------------------------- lines */

static double snap(double v)
{
    double whole = floor(v + 0.5);
    return fabs(v - whole) < ON_CENTRE ? whole : v;
}

/* Between the four centres around; the outer half pixel has the value of its pixel. */
static float sample(const rs_image *im, double row, double col)
{
    double r = fmin(fmax(snap(row), 0), im->height - 1),
           c = fmin(fmax(snap(col), 0), im->width - 1);
    int r0 = (int)r, c0 = (int)c;
    double v = 0;
    for (int k = 0; k < 4; k++) {
        int dr = k >> 1, dc = k & 1;
        double w = (dr ? r - r0 : 1 - (r - r0)) * (dc ? c - c0 : 1 - (c - c0));
        if (w > 0)
            v += w * (double)im->data[(size_t)(r0 + dr) * (size_t)im->width + (size_t)(c0 + dc)];
    }
    return (float)v;
}

static rs_driver_status replay_line(rs_sim *sim, const rs_sim_moment *when, rs_line *line,
                                    reshed_error *err)
{
    const replay_driver *d = (const replay_driver *)sim;
    rs_coords coords;
    rs_device device = rs_device_metres();
    rs_coords_frame frame = rs_coords_frame_of(&sim->frame);
    (void)when;
    if (rs_coords_init(&coords, &frame, &device, err) != RESHED_OK) return RS_DRIVER_REFUSED;
    const rs_image *im = d->image;
    for (int c = 0; c < sim->frame.cols; c++) {
        rs_rowcol pixel = {line->row, c};
        rs_xy place;
        rs_pixel_to_stage(&coords, &pixel, 1, &place);
        double col = (place.x - im->x0) / im->dx + 0.5 * (im->width - 1);
        double row = (im->y0 - place.y) / im->dy + 0.5 * (im->height - 1);
        for (int k = 0; k < line->channels; k++)
            line->channel[(size_t)k * (size_t)sim->frame.cols + (size_t)c] =
                sample(&d->image[k], row, col);
    }
    return RS_DRIVER_OK;
}

/* -------------------------------------------------------------------------------------- spectra */

static rs_driver_status replay_set_spectroscopy(void *self, const rs_spectroscopy *s,
                                                double timeout, reshed_error *err)
{
    replay_driver *d = self;
    const rs_recorded *l = &d->loops;
    const rs_limits limits = sim_limits(&d->sim);
    if (l->points == 0) return sim_refuse(err, "spectroscopy|the option loops|no recorded loops");
    if (rs_limits_check_spectroscopy(&limits, s, err) != RESHED_OK) return RS_DRIVER_REFUSED;
    if (!s->off_field && !l->on)
        return sim_refuse(err, "spectroscopy|reading off field too, as recorded|on field only");
    double top = 0;
    for (int i = 0; i < l->steps; i++) top = fmax(top, fabs(l->v[i]));
    if (s->steps != l->steps)
        return sim_refuse(err, "steps of the spectroscopy|%d, as recorded, up to %g V|%d", l->steps,
                          top, s->steps);
    for (int i = 0; i < l->steps; i++)
        if (fabs(s->voltage[i] - l->v[i]) > 1e-3 * top)
            return sim_refuse(err, "voltage of the spectroscopy|%g V, as recorded|%g V|step %d",
                              l->v[i], s->voltage[i], i);
    return rs_sim_set_spectroscopy(self, s, timeout, err);
}

/* Amplitude and phase [steps] of one field's readings, NaN when z is NULL or a fit failed; NULL
 * where not wanted. Beside an image without spectra, recorded spectra are given as what the
 * oscillator's fit says of them, so that lines and loops are of one kind. */
static reshed_status write_polar(const replay_driver *d, const float *z, float *amplitude,
                                 float *phase, reshed_error *err)
{
    const rs_recorded *l = &d->loops;
    size_t steps = (size_t)l->steps;
    rs_sho_plan *plan = NULL;
    rs_sho_fit *fit = NULL;
    reshed_status st = RESHED_OK;
    if (z && l->bins > 0) {
        rs_sho_options o;
        rs_sho_options_defaults(&o);
        o.threads = 1;
        fit = rs_alloc(steps, sizeof *fit);
        st = fit ? rs_sho_plan_create(l->frequency, l->bins, &o, &plan, err)
                 : rs_fail_nomem(err, "fits", steps * sizeof *fit);
        if (st == RESHED_OK) rs_sho_fit_f32(plan, z, l->steps, fit);
    }
    for (size_t i = 0; st == RESHED_OK && i < steps; i++) {
        float a = NAN, p = NAN;
        if (z && !fit) {
            a = hypotf(z[2 * i], z[2 * i + 1]);
            p = atan2f(z[2 * i + 1], z[2 * i]);
        } else if (z && !(fit[i].flags & RS_SHO_FAILED)) {
            a = (float)fit[i].p.amplitude;
            p = (float)fit[i].p.phase;
        }
        if (amplitude) amplitude[i] = a;
        if (phase) phase[i] = p;
    }
    rs_sho_plan_free(plan);
    rs_free(fit);
    return st;
}

static rs_driver_status replay_spectrum(rs_sim *sim, const rs_sim_moment *when, rs_spectrum *out,
                                        reshed_error *err)
{
    const replay_driver *d = (const replay_driver *)sim;
    const rs_recorded *l = &d->loops;
    double far;
    (void)when;
    int64_t p = rs_recorded_nearest(l, out->x, out->y, &far);
    if (d->opt.reach > 0 && far > d->opt.reach)
        return sim_refuse(err, "a recorded loop|within %g m of the tip|%g m", d->opt.reach, far);
    size_t fields = (size_t)l->on + l->off, steps = (size_t)l->steps;
    size_t each = steps * (l->bins > 0 ? (size_t)l->bins : 1) * 2;
    reshed_status st = RESHED_OK;
    for (int field = 0; st == RESHED_OK && field < out->fields; field++) {
        /* Field 0 is on field; a field that was not recorded is NaN. */
        bool have = field == 0 ? l->on : l->off;
        const float *z = l->z + ((size_t)p * fields + (field == 1 && l->on)) * each;
        size_t at = (size_t)field * steps;
        float *amplitude = out->amplitude ? out->amplitude + at : NULL;
        float *phase = out->phase ? out->phase + at : NULL;
        for (size_t i = 0; sim->caps.bins > 0 && out->spectra && i < each; i++)
            out->spectra[(size_t)field * each + i] = have ? z[i] : NAN;
        if (sim->caps.bins == 0) st = write_polar(d, have ? z : NULL, amplitude, phase, err);
    }
    if (st != RESHED_OK) return RS_DRIVER_REFUSED;
    for (int k = 0; out->frequency && k < out->bins; k++) out->frequency[k] = l->frequency[k];
    out->x = l->x[p];
    out->y = l->y[p];
    return RS_DRIVER_OK;
}

/* ------------------------------------------------------------------------------------ the files */

static reshed_status add_image(replay_driver *d, const char *path, const char *channel,
                               reshed_error *err)
{
    rs_image *im = &d->image[d->images];
    reshed_status st = rs_image_read(path, channel, im, err);
    if (st != RESHED_OK) return st;
    if (!(im->dx > 0 && im->dy > 0)) {
        im->dx = im->dy = d->opt.pixel;
        im->x0 = im->y0 = 0;
    }
    d->images++;
    return RESHED_OK;
}

/* The channel that was asked for, then the others of its size. */
static reshed_status load_images(replay_driver *d, const char *path, const char *channel,
                                 reshed_error *err)
{
    rs_channels list = {0};
    int first = 0;
    reshed_status st = rs_image_list(path, &list, err);
    if (st == RESHED_OK) st = rs_channel_choose(&list, channel, RS_QUANTITY_AMPLITUDE, &first, err);
    if (st == RESHED_OK) st = add_image(d, path, channel, err);
    for (int i = 0; st == RESHED_OK && i < list.n && d->images < RS_DRIVER_MAX_CHANNELS; i++) {
        char number[16];
        if (i == first) continue;
        snprintf(number, sizeof number, "%d", i);
        st = add_image(d, path, number, err);
        if (st != RESHED_OK) break;
        rs_image *new = &d->image[d->images - 1];
        if (new->width != d->image[0].width || new->height != d->image[0].height)
            rs_image_clear(&d->image[--d->images]);
    }
    rs_channels_clear(&list);
    return st;
}

/* The rectangle that holds image and loops, and the frame to begin with. */
static void place_stage(const replay_driver *d, rs_driver_limits *l, rs_frame *frame)
{
    if (d->images > 0) {
        const rs_image *im = d->image;
        double w = im->width * im->dx, h = im->height * im->dy;
        *frame = (rs_frame){.cx = im->x0,
                            .cy = im->y0,
                            .width = w,
                            .height = h,
                            .rows = im->height,
                            .cols = im->width};
        l->x_min = im->x0 - 0.5 * w;
        l->x_max = im->x0 + 0.5 * w;
        l->y_min = im->y0 - 0.5 * h;
        l->y_max = im->y0 + 0.5 * h;
    } else {
        l->x_min = l->y_min = INFINITY;
        l->x_max = l->y_max = -INFINITY;
    }
    for (int64_t i = 0; i < d->loops.points; i++) {
        l->x_min = fmin(l->x_min, d->loops.x[i]);
        l->x_max = fmax(l->x_max, d->loops.x[i]);
        l->y_min = fmin(l->y_min, d->loops.y[i]);
        l->y_max = fmax(l->y_max, d->loops.y[i]);
    }
    if (d->images > 0) return;
    *frame = (rs_frame){.cx = 0.5 * (l->x_min + l->x_max),
                        .cy = 0.5 * (l->y_min + l->y_max),
                        .width = fmax(l->x_max - l->x_min, 1e-12),
                        .height = fmax(l->y_max - l->y_min, 1e-12),
                        .rows = 1,
                        .cols = 1};
}

static void replay_caps(const replay_driver *d, rs_driver_caps *caps, rs_frame *frame)
{
    *caps = (rs_driver_caps){
        .instrument = "reshed replay " RESHED_VERSION,
        .band_excitation = d->images == 0 && d->loops.bins > 0,
        .off_field = d->loops.off,
        .simulated = true,
        .channels = d->images,
        .limits = {.bias_max = BIAS_MAX, .drive_max = BIAS_MAX, .speed_max = SPEED_MAX}};
    place_stage(d, &caps->limits, frame);
    for (int i = 0; i < d->images; i++) {
        char fallback[16];
        snprintf(fallback, sizeof fallback, "%d", i);
        const char *name = d->image[i].channel[0] ? d->image[i].channel : fallback;
        rs_text_copy(caps->channel[i], sizeof caps->channel[i], name);
        rs_text_copy(caps->unit[i], sizeof caps->unit[i], d->image[i].unit);
    }
}

/* ----------------------------------------------------------------------------------------- life */

static void replay_close(void *self)
{
    replay_driver *d = self;
    if (!d) return;
    for (int i = 0; i < d->images; i++) rs_image_clear(&d->image[i]);
    rs_recorded_clear(&d->loops);
    rs_sim_clear(&d->sim);
    rs_free(d);
}

static bool one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0) return true;
    return false;
}

static rs_driver_status take_numbers(replay_driver *d, rs_sim_options *sim,
                                     const rs_driver_option *option, int n, reshed_error *err)
{
    static const char *const texts[] = {"file",        "channel",   "loops", "loops_channel",
                                        "loops_field", "direction", NULL};
    rs_option_table table[] = {
        {option_fields, sizeof option_fields / sizeof option_fields[0], &d->opt}, {NULL, 0, sim}};
    table[1].field = rs_sim_fields(&table[1].n);
    for (int i = 0; i < n; i++) {
        if (one_of(option[i].name, texts)) continue;
        rs_driver_status st = rs_option_take(&option[i], table, 2, err);
        if (st != RS_DRIVER_OK) return st;
    }
    return RS_DRIVER_OK;
}

/* *out: the option is `yes` rather than `no`; absent is `no`. */
static rs_driver_status take_choice(const rs_driver_option *option, int n, const char *name,
                                    const char *no, const char *yes, bool *out, reshed_error *err)
{
    const char *value = rs_driver_option_find(option, n, name);
    *out = value && strcmp(value, yes) == 0;
    if (value && !*out && strcmp(value, no) != 0)
        return sim_refuse(err, "option %s|%s or %s|'%s'", name, no, yes, value);
    return RS_DRIVER_OK;
}

static rs_driver_status replay_set_up(replay_driver *d, const rs_driver_option *option, int n,
                                      reshed_error *err)
{
    rs_sim_options sim;
    rs_driver_caps caps;
    rs_frame frame;
    bool up, on;
    const char *file = rs_driver_option_find(option, n, "file");
    const char *loops = rs_driver_option_find(option, n, "loops");
    rs_sim_defaults(&sim);
    d->opt = (replay_options){.rate = 1, .pixel = 1e-8};
    rs_driver_status st = take_numbers(d, &sim, option, n, err);
    if (st == RS_DRIVER_OK) st = take_choice(option, n, "direction", "down", "up", &up, err);
    if (st == RS_DRIVER_OK) st = take_choice(option, n, "loops_field", "off", "on", &on, err);
    if (st != RS_DRIVER_OK) return st;
    if (!file && !loops) return sim_refuse(err, "option file, or loops|a path|neither");
    if (file && load_images(d, file, rs_driver_option_find(option, n, "channel"), err) != RESHED_OK)
        return RS_DRIVER_REFUSED;
    if (loops && rs_recorded_read(loops, rs_driver_option_find(option, n, "loops_channel"), !on,
                                  &d->loops, err) != RESHED_OK)
        return RS_DRIVER_REFUSED;
    replay_caps(d, &caps, &frame);
    frame.line_rate = d->opt.rate;
    frame.upward = up;
    const rs_sim_source from = {replay_line, d->loops.points > 0 ? replay_spectrum : NULL};
    st = rs_sim_init(&d->sim, &sim, &from, &caps, &frame, 0, err);
    if (caps.band_excitation) d->sim.caps.bins = d->loops.bins;
    return st;
}

static rs_driver_status replay_open(const rs_driver_option *option, int n, double timeout,
                                    void **self, reshed_error *err)
{
    (void)timeout;
    replay_driver *d = rs_zalloc(1, sizeof *d);
    if (!d) {
        rs_fail_nomem(err, "the replay", sizeof *d);
        return RS_DRIVER_REFUSED;
    }
    rs_driver_status st = replay_set_up(d, option, n, err);
    if (st == RS_DRIVER_OK)
        *self = d;
    else
        replay_close(d);
    return st;
}

static rs_driver_status replay_start(void *self, int row, double timeout, reshed_error *err)
{
    const replay_driver *d = self;
    if (d->images == 0) return sim_refuse(err, "scanning|the option file|no image to replay");
    return rs_sim_start(self, row, timeout, err);
}

const rs_driver_ops *rs_driver_replay_ops(void)
{
    static const rs_driver_ops ops = {
        .abi = RS_DRIVER_ABI,
        .size = sizeof ops,
        .name = "replay",
        .help = help_text,
        .open = replay_open,
        .close = replay_close,
        .caps = rs_sim_caps,
        .set_frame = rs_sim_set_frame,
        .get_frame = rs_sim_get_frame,
        .start = replay_start,
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
        .set_drive = rs_sim_set_drive,
        .set_spectroscopy = replay_set_spectroscopy,
        .run_spectroscopy = rs_sim_run_spectroscopy,
        .spectroscopy_seconds = rs_sim_spectroscopy_seconds,
        .read_signal = rs_sim_read_signal,
        .halt = rs_sim_halt,
    };
    return &ops;
}
