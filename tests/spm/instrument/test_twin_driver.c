/* The twin as an instrument: its lines against the film drawn at once, orientation, drift, clock,
 * queue, faults, halt. Nothing here depends on how fast the machine is. */
#include "support/support.h"
#include "support/tolerance.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/os.h"
#include "beps/sho_fit.h"
#include "spm/instrument/coords.h"
#include "spm/instrument/sim/twin.h"
#include "spm/instrument/instrument.h"
#include "spm/instrument/private.h"
#include "spm/instrument/words.h"

#define assert_status(expr, want)                                                                  \
    assert_string_equal(rs_driver_status_text(expr), rs_driver_status_text(want))

/* "clock=0 noise=0" to an open driver. */
static rs_instrument *open_with(const char *options)
{
    char text[512], *save = text;
    rs_driver_option option[32];
    int n = 0;
    rs_instrument *d = NULL;
    reshed_error err = {0};
    snprintf(text, sizeof text, "%s", options);
    while (*save) {
        char *end = strchr(save, ' ');
        if (end) *end = '\0';
        char *equals = strchr(save, '=');
        *equals = '\0';
        option[n++] = (rs_driver_option){save, equals + 1};
        if (!end) break;
        save = end + 1;
    }
    rs_driver_status st = rs_instrument_open("twin", option, n, 10, &d, &err);
    if (st != RS_DRIVER_OK) print_message("# %s: %s (%s)\n", options, err.what, err.found);
    assert_status(st, RS_DRIVER_OK);
    return d;
}

static void set_frame(rs_instrument *d, rs_frame f)
{
    reshed_error err = {0};
    if (f.line_rate == 0) f.line_rate = 1;
    assert_status(d->ops->set_frame(d->self, &f, 1, &err), RS_DRIVER_OK);
}

static void start(rs_instrument *d, int row)
{
    reshed_error err = {0};
    assert_status(d->ops->start(d->self, row, 1, &err), RS_DRIVER_OK);
}

static rs_driver_status next_line(rs_instrument *d, double timeout, rs_line *line)
{
    reshed_error err = {0};
    rs_driver_status st = d->ops->wait_line(d->self, timeout, line, &err);
    assert_true((st == RS_DRIVER_OK) == (err.status == RESHED_OK));
    assert_true((st == RS_DRIVER_OK) == (err.what[0] == '\0'));
    return st;
}

/* A whole scan of channel 0 from its beginning: image [rows][cols] of each direction; NULL where
 * not wanted. */
static void scan(rs_instrument *d, const rs_frame *f, float *trace, float *retrace)
{
    size_t cols = (size_t)f->cols;
    int n = d->caps.channels;
    float *channel = rs_alloc(cols, (size_t)n * sizeof *channel);
    start(d, f->upward ? f->rows - 1 : 0);
    for (int i = 0; i < 2 * f->rows; i++) {
        rs_line line = {.cols = f->cols, .channels = n, .channel = channel};
        assert_status(next_line(d, 10, &line), RS_DRIVER_OK);
        assert_int_equal(line.row, f->upward ? f->rows - 1 - i / 2 : i / 2);
        assert_int_equal(line.retrace, i % 2);
        float *to = line.retrace ? retrace : trace;
        if (to) memcpy(to + (size_t)line.row * cols, channel, cols * sizeof *to);
    }
    rs_line line = {.cols = f->cols, .channels = n, .channel = channel};
    assert_status(next_line(d, 1, &line), RS_DRIVER_REFUSED);
    rs_free(channel);
}

static float *image(int rows, int cols)
{
    float *im = rs_alloc((size_t)rows, (size_t)cols * sizeof *im);
    for (int i = 0; i < rows * cols; i++) im[i] = NAN;
    return im;
}

static const rs_frame patch = {
    .cx = 2e-7, .cy = -1e-7, .width = 9e-7, .height = 6e-7, .rows = 12, .cols = 40};

/* ------------------------------------------------------------------------- spectra and channels */

static void spectra_give_back_the_channels(void **state)
{
    (void)state;
    rs_instrument *d = open_with("clock=0 noise=0 line_noise=0 retrace_shift=0 seed=5 "
                                 "minus_fraction=0.4");
    const rs_frame f = patch;
    const int bins = d->caps.bins, n = f.rows * f.cols;
    float *a = image(f.rows, f.cols), *p = image(f.rows, f.cols), *res = image(f.rows, f.cols);
    float *q = image(f.rows, f.cols), *h = image(f.rows, f.cols);
    rs_twin_view view = {.cx = f.cx,
                         .cy = f.cy,
                         .width = f.width,
                         .height = f.height,
                         .rows = f.rows,
                         .cols = f.cols,
                         .row_end = f.rows};
    rs_twin_channels ch = {.amplitude = a, .phase = p, .resonance = res, .q = q, .height = h};
    reshed_error err = {0};
    assert_ok(rs_twin_render(rs_driver_twin_sample(d->self), &view, &ch, &err), &err);
    assert_int_equal(bins, 65);
    assert_true(d->caps.band_excitation && d->caps.retrace && d->caps.simulated);
    assert_string_equal(d->caps.channel[0], "Height");
    set_frame(d, f);
    assert_status(d->ops->set_drive(d->self, 2, 1, &err), RS_DRIVER_OK);
    start(d, 0);
    float *spectra = rs_alloc((size_t)f.cols * (size_t)bins, 2 * sizeof *spectra);
    float *height = rs_alloc((size_t)f.cols, sizeof *height);
    double *frequency = rs_alloc((size_t)bins, sizeof *frequency);
    rs_sho_fit *fit = rs_alloc((size_t)f.cols, sizeof *fit);
    rs_sho_plan *plan = NULL;
    for (int i = 0; i < 2 * f.rows; i++) {
        rs_line line = {.cols = f.cols,
                        .bins = bins,
                        .channels = 1,
                        .channel = height,
                        .spectra = spectra,
                        .frequency = frequency};
        assert_status(next_line(d, 1, &line), RS_DRIVER_OK);
        assert_int_equal(line.bins, bins);
        if (!plan) assert_ok(rs_sho_plan_create(frequency, bins, NULL, &plan, &err), &err);
        rs_sho_fit_f32(plan, spectra, f.cols, fit);
        for (int c = 0; c < f.cols; c++) {
            int at = line.row * f.cols + c;
            double volts = 2 * rs_driver_twin_sensitivity(d->self) * (double)a[at];
            assert_near(fit[c].p.amplitude / volts, 1, 1e-4);
            assert_near(fit[c].p.frequency, res[at], 0.1);
            assert_near(fit[c].p.q / (double)q[at], 1, 1e-4);
            assert_near(rs_wrap_angle(fit[c].p.phase - (double)p[at]), 0, 1e-4);
            assert_near(height[c], h[at], 5 * 5e-11);
        }
    }
    assert_near(frequency[32], 335e3, 1e-6);
    assert_near(frequency[64] - frequency[0], 50e3, 1e-6);
    assert_int_equal(n, 480);
    rs_sho_plan_free(plan);
    rs_free(fit);
    rs_free(spectra);
    rs_free(height);
    rs_free(frequency);
    rs_free(a);
    rs_free(p);
    rs_free(res);
    rs_free(q);
    rs_free(h);
    rs_instrument_close(d);
}

/* The residual of a fit has the noise that was asked for, and no structure. */
static void noise_is_what_was_asked_for(void **state)
{
    (void)state;
    rs_instrument *d = open_with("clock=0 noise=0.05 line_noise=0");
    rs_twin_options film;
    rs_twin_options_defaults(&film);
    rs_frame f = {.width = 1e-6, .height = 1e-6, .rows = 4, .cols = 64};
    float *spectra = rs_alloc(64 * 65, 2 * sizeof *spectra);
    double frequency[65], sum = 0;
    rs_sho_fit fit[64];
    rs_sho_plan *plan = NULL;
    reshed_error err = {0};
    set_frame(d, f);
    start(d, 0);
    rs_line line = {.cols = 64, .bins = 65, .spectra = spectra, .frequency = frequency};
    assert_status(next_line(d, 1, &line), RS_DRIVER_OK);
    assert_ok(rs_sho_plan_create(frequency, 65, NULL, &plan, &err), &err);
    rs_sho_fit_f32(plan, spectra, 64, fit);
    for (int c = 0; c < 64; c++) sum += fit[c].noise * fit[c].noise / 64;
    double want = 0.05 * film.level * rs_driver_twin_sensitivity(d->self) * film.q;
    assert_near(sqrt(sum) / want, 1, 0.03); /* 64 x 126 degrees of freedom: 0.8 % */
    rs_sho_plan_free(plan);
    rs_free(spectra);
    rs_instrument_close(d);
}

static void excitation_can_be_changed(void **state)
{
    (void)state;
    rs_instrument *d = open_with("clock=0");
    reshed_error err = {0};
    rs_frame f = {.width = 1e-6, .height = 1e-6, .rows = 2, .cols = 8, .line_rate = 50}, got;
    rs_be_setup be = {.centre = 335e3,
                      .band = 100e3,
                      .amplitude = 0.5,
                      .phase_variation = 1,
                      .repeats = 2,
                      .duration = 4e-3};
    set_frame(d, f);
    assert_status(d->ops->get_frame(d->self, &got, 1, &err), RS_DRIVER_OK);
    assert_near(got.line_rate, 1 / (2 * 8 * 1.28e-3), 1e-6); /* as fast as the pulses allow */
    assert_status(d->ops->set_be(d->self, &be, 1, &err), RS_DRIVER_OK);
    rs_instrument_read_caps(d);
    assert_int_equal(d->caps.bins, 401);
    assert_status(d->ops->get_frame(d->self, &got, 1, &err), RS_DRIVER_OK);
    assert_near(got.line_rate, 1 / (2 * 8 * 8e-3), 1e-6);
    double frequency[401], drive;
    float *spectra = rs_alloc(8 * 401, 2 * sizeof *spectra);
    start(d, 0);
    rs_line line = {.cols = 8, .bins = 400, .spectra = spectra, .frequency = frequency};
    assert_status(next_line(d, 1, &line), RS_DRIVER_REFUSED); /* no room, and the line is kept */
    line.bins = 401;
    assert_status(next_line(d, 1, &line), RS_DRIVER_OK);
    assert_int_equal(line.row, 0);
    assert_false(line.retrace);
    assert_near(frequency[1] - frequency[0], 250, 1e-9);
    assert_near(frequency[0], 285e3, 1e-6);
    assert_status(d->ops->read_signal(d->self, "Drive", &drive, 1, &err), RS_DRIVER_OK);
    assert_near(drive, 0.5, 0);
    const rs_be_setup bad[] = {{335e3, 1e3, 1, 1, 1, 1e-3},  {335e3, 50e3, 1, 1, 1, 1},
                               {335e3, 50e3, 6, 1, 1, 1e-3}, {335e3, 50e3, NAN, 1, 1, 1e-3},
                               {10e3, 50e3, 1, 1, 1, 1e-3},  {335e3, 50e3, 1, 2, 1, 1e-3},
                               {335e3, 50e3, 1, 1, 0, 1e-3}, {335e3, 50e3, 1, 1, 1, 0}};
    assert_status(d->ops->pause(d->self, 1, &err), RS_DRIVER_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_status(d->ops->set_be(d->self, &bad[i], 1, &err), RS_DRIVER_REFUSED);
    rs_instrument_read_caps(d);
    assert_int_equal(d->caps.bins, 401);
    rs_free(spectra);
    rs_instrument_close(d);
}

/* ---------------------------------------------------------------------------------- orientation */

static void both_directions_show_one_film(void **state)
{
    (void)state;
    rs_instrument *d = open_with("clock=0 be=0 noise=0 line_noise=0 retrace_shift=0");
    rs_frame f = patch;
    float *down = image(f.rows, f.cols), *back = image(f.rows, f.cols);
    float *up = image(f.rows, f.cols), *all = image(f.rows, f.cols);
    rs_twin_view view = {.cx = f.cx,
                         .cy = f.cy,
                         .width = f.width,
                         .height = f.height,
                         .rows = f.rows,
                         .cols = f.cols,
                         .row_end = f.rows};
    rs_twin_channels ch = {.amplitude = all};
    reshed_error err = {0};
    assert_ok(rs_twin_render(rs_driver_twin_sample(d->self), &view, &ch, &err), &err);
    set_frame(d, f);
    scan(d, &f, down, back);
    f.upward = true;
    set_frame(d, f);
    scan(d, &f, up, NULL);
    double differ = 0;
    for (int i = 0; i < f.rows * f.cols; i++) {
        assert_near(down[i] / all[i], 1, 1e-5);
        assert_near(up[i] / all[i], 1, 1e-5);
        assert_near(back[i] / all[i], 1, 1e-5);
        /* The film has no symmetry that would hide a mistake. */
        int r = i / f.cols, c = i % f.cols;
        differ += fabs((double)all[i] - (double)all[(f.rows - 1 - r) * f.cols + c]);
        differ += fabs((double)all[i] - (double)all[r * f.cols + f.cols - 1 - c]);
    }
    assert_true(differ / (f.rows * f.cols) > 1e-11);
    float *grabbed = image(f.rows, f.cols);
    assert_status(d->ops->grab_frame(d->self, 0, false, grabbed, 1, &err), RS_DRIVER_OK);
    assert_memory_equal(grabbed, up, (size_t)(f.rows * f.cols) * sizeof *up);
    rs_free(grabbed);
    rs_free(down);
    rs_free(back);
    rs_free(up);
    rs_free(all);
    rs_instrument_close(d);
}

/* Each pixel of a turned frame shows the film where coords.h says that it lies. */
static void a_turned_frame_lies_where_coords_say(void **state)
{
    (void)state;
    rs_instrument *d = open_with("clock=0 be=0 noise=0 line_noise=0 retrace_shift=0");
    rs_frame f = patch;
    f.angle = 0.7;
    f.cx = f.cy = 0;
    float *turned = image(f.rows, f.cols);
    rs_coords coords;
    rs_device device = rs_device_metres();
    rs_coords_frame cf = rs_coords_frame_of(&f);
    reshed_error err = {0};
    assert_ok(rs_coords_init(&coords, &cf, &device, &err), &err);
    set_frame(d, f);
    scan(d, &f, turned, NULL);
    for (int i = 0; i < f.rows * f.cols; i++) {
        rs_rowcol pixel = {i / f.cols, i % f.cols};
        rs_xy at;
        float a;
        rs_pixel_to_stage(&coords, &pixel, 1, &at);
        rs_twin_view view = {.cx = at.x,
                             .cy = at.y,
                             .width = f.width / f.cols,
                             .height = f.height / f.rows,
                             .rows = 1,
                             .cols = 1,
                             .row_end = 1};
        rs_twin_channels ch = {.amplitude = &a};
        assert_ok(rs_twin_render(rs_driver_twin_sample(d->self), &view, &ch, &err), &err);
        assert_near(turned[i] / a, 1, 1e-4);
    }
    rs_free(turned);
    rs_instrument_close(d);
}

static void retrace_sees_the_film_further_along(void **state)
{
    (void)state;
    /* A shift of just one pixel: column c of the retrace is column c + 1 of the trace. */
    rs_instrument *d = open_with("clock=0 be=0 noise=0 line_noise=0 retrace_shift=2.25e-8");
    rs_frame f = patch;
    float *trace = image(f.rows, f.cols), *retrace = image(f.rows, f.cols);
    set_frame(d, f);
    scan(d, &f, trace, retrace);
    /* Bright curves end at whole pixels of the frame they are drawn in. */
    int same = 0, all = 0;
    for (int r = 0; r < f.rows; r++)
        for (int c = 0; c + 1 < f.cols; c++, all++)
            same += fabsf(retrace[r * f.cols + c] / trace[r * f.cols + c + 1] - 1) < 1e-3f;
    assert_true(same > 0.98 * all);
    rs_free(trace);
    rs_free(retrace);
    rs_instrument_close(d);
}

/* -------------------------------------------------------------------------------- drift and tip */

static void the_film_drifts_with_the_work(void **state)
{
    (void)state;
    /* A row of 10 s, and a drift of one pixel (22.5 nm) to the right in 20 s: half a pixel a row. */
    rs_instrument *d =
        open_with("clock=0 be=0 noise=0 line_noise=0 retrace_shift=0 drift_x=1.125e-9");
    rs_frame f = patch;
    f.line_rate = 0.1;
    float *image0 = image(f.rows, f.cols);
    reshed_error err = {0};
    double x, y;
    set_frame(d, f);
    scan(d, &f, image0, NULL);
    for (int r = 0; r < f.rows; r++) {
        float want[40];
        rs_twin_view view = {.cx = f.cx + 1.125e-9 * (10 * r + 2.5),
                             .cy = f.cy + 0.5 * f.height - (r + 0.5) * f.height / f.rows,
                             .width = f.width,
                             .height = f.height / f.rows,
                             .rows = 1,
                             .cols = f.cols,
                             .row_end = 1};
        rs_twin_channels ch = {.amplitude = want};
        assert_ok(rs_twin_render(rs_driver_twin_sample(d->self), &view, &ch, &err), &err);
        for (int c = 0; c < f.cols; c++) assert_near(image0[r * f.cols + c] / want[c], 1, 1e-3);
    }
    rs_driver_twin_place(d->self, 1e-7, 2e-7, &x, &y);
    assert_near(x, 1e-7 + 1.125e-9 * 120, 1e-15);
    assert_near(y, 2e-7, TOL_PLACE);
    /* A way of 1 um at 10 nm/s is 100 s of work. */
    double x0, y0;
    assert_status(d->ops->get_tip(d->self, &x0, &y0, 1, &err), RS_DRIVER_OK);
    assert_near(x0, f.cx - 0.5 * f.width, 1e-15); /* where the last retrace ended */
    assert_near(y0, f.cy - 0.5 * f.height + 0.5 * f.height / f.rows, 1e-15);
    assert_status(d->ops->move_tip(d->self, x0 + 1e-6, y0, 1e-8, 1, &err), RS_DRIVER_OK);
    rs_driver_twin_place(d->self, 0, 0, &x, &y);
    assert_near(x, 1.125e-9 * 220, 1e-15);
    rs_free(image0);
    rs_instrument_close(d);
}

static void a_tip_changes_once(void **state)
{
    (void)state;
    rs_instrument *plain = open_with("clock=0 be=0 noise=0 line_noise=0");
    rs_instrument *changed = open_with("clock=0 be=0 noise=0 line_noise=0 tip_change=1 "
                                       "tip_change_row=5");
    rs_instrument *later = open_with("clock=0 be=0 noise=0 line_noise=0 tip_change=1 "
                                     "tip_change_time=5.6");
    rs_frame f = patch;
    size_t n = (size_t)(f.rows * f.cols);
    float *a = image(f.rows, f.cols), *b = image(f.rows, f.cols), *c = image(f.rows, f.cols);
    set_frame(plain, f);
    set_frame(changed, f);
    set_frame(later, f);
    scan(plain, &f, a, NULL);
    scan(changed, &f, b, NULL);
    scan(later, &f, c, NULL);
    size_t before = 5 * (size_t)f.cols, row = (size_t)f.cols;
    assert_memory_equal(a, b, before * sizeof *a);
    for (int r = 5; r < f.rows; r++) {
        double sum = 0;
        for (int k = 0; k < f.cols; k++)
            sum += fabs((double)a[r * f.cols + k] - (double)b[r * f.cols + k]);
        assert_true(sum / f.cols > 2e-12);
    }
    assert_memory_equal(a, c, (before + row) * sizeof *a);
    assert_memory_equal(b + before + row, c + before + row, (n - before - row) * sizeof *a);
    /* The changed tip stays so in the next frame. */
    float *again = image(f.rows, f.cols);
    scan(changed, &f, again, NULL);
    assert_memory_equal(again + before, b + before, (n - before) * sizeof *a);
    assert_true(memcmp(again, a, before * sizeof *a) != 0);
    rs_free(again);
    rs_free(a);
    rs_free(b);
    rs_free(c);
    rs_instrument_close(plain);
    rs_instrument_close(changed);
    rs_instrument_close(later);
}

/* A footprint blurs: the spread of a row falls, its mean stays. */
static void a_blunt_tip_blurs(void **state)
{
    (void)state;
    rs_instrument *sharp = open_with("clock=0 be=0 noise=0 line_noise=0");
    rs_instrument *blunt = open_with("clock=0 be=0 noise=0 line_noise=0 tip_radius=2e-8");
    rs_frame f = {.width = 1.5e-6, .height = 1.5e-6, .rows = 64, .cols = 64};
    float *a = image(64, 64), *b = image(64, 64);
    double mean[2] = {0, 0}, square[2] = {0, 0};
    set_frame(sharp, f);
    set_frame(blunt, f);
    scan(sharp, &f, a, NULL);
    scan(blunt, &f, b, NULL);
    for (int i = 0; i < 64 * 64; i++) {
        const float *im[] = {a, b};
        for (int k = 0; k < 2; k++) {
            mean[k] += (double)im[k][i] / 4096;
            square[k] += (double)im[k][i] * (double)im[k][i] / 4096;
        }
    }
    assert_near(mean[1] / mean[0], 1, 0.02);
    assert_true(square[1] - mean[1] * mean[1] < 0.8 * (square[0] - mean[0] * mean[0]));
    rs_free(a);
    rs_free(b);
    rs_instrument_close(sharp);
    rs_instrument_close(blunt);
}

/* ------------------------------------------------------------------------------------ same bits */

static void bits_do_not_depend_on_the_clock(void **state)
{
    (void)state;
    const char *clock[] = {"0", "1e7", "2e5"};
    rs_frame f = patch;
    size_t n = (size_t)(f.rows * f.cols);
    float *first = NULL;
    for (int k = 0; k < 3; k++) {
        char text[200];
        snprintf(text, sizeof text, "clock=%s be=0 drift_x=1e-9 drift_y=-2e-9 seed=3", clock[k]);
        rs_instrument *d = open_with(text);
        float *a = image(f.rows, f.cols), *b = image(f.rows, f.cols);
        set_frame(d, f);
        scan(d, &f, a, b);
        if (k == 2) rs_os_sleep(0.02); /* idle time does not count */
        scan(d, &f, NULL, b);
        rs_instrument_close(d);
        if (first) {
            assert_memory_equal(first, a, n * sizeof *a);
            assert_memory_equal(first + n, b, n * sizeof *a);
        } else {
            first = rs_alloc(2 * n, sizeof *first);
            memcpy(first, a, n * sizeof *a);
            memcpy(first + n, b, n * sizeof *a);
            assert_true(memcmp(a, b, n * sizeof *a) != 0);
        }
        rs_free(a);
        rs_free(b);
    }
    rs_free(first);
}

/* ----------------------------------------------------------------------- start, pause and queue */

static void a_scan_can_be_stopped_and_taken_up(void **state)
{
    (void)state;
    rs_instrument *d = open_with("clock=0 be=0");
    rs_frame f = patch;
    reshed_error err = {0};
    float row[3 * 40];
    rs_line line = {.cols = 40, .channels = 3, .channel = row};
    assert_status(next_line(d, 1, &line), RS_DRIVER_REFUSED); /* nothing was started */
    set_frame(d, f);
    assert_status(d->ops->start(d->self, 12, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->start(d->self, -1, 1, &err), RS_DRIVER_REFUSED);
    start(d, 0);
    for (int i = 0; i < 5; i++) assert_status(next_line(d, 1, &line), RS_DRIVER_OK);
    assert_int_equal(line.row, 2);
    assert_false(line.retrace);
    assert_int_equal(line.frame, 0);
    assert_near(line.time, 2.5, TOL_DOUBLE);
    /* While it scans, no other frame and no other place. */
    assert_status(d->ops->set_frame(d->self, &f, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->move_tip(d->self, 0, 0, 1e-6, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->pause(d->self, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->pause(d->self, 1, &err), RS_DRIVER_OK);
    assert_status(next_line(d, 1, &line), RS_DRIVER_OK); /* the retrace of the row at hand */
    assert_int_equal(line.row, 2);
    assert_true(line.retrace);
    assert_status(next_line(d, 1, &line), RS_DRIVER_REFUSED);
    assert_status(d->ops->move_tip(d->self, 0, 0, 1e-6, 1, &err), RS_DRIVER_OK);
    start(d, 3);
    assert_status(next_line(d, 1, &line), RS_DRIVER_OK);
    assert_int_equal(line.row, 3);
    assert_int_equal(line.frame, 0); /* the same frame goes on */
    start(d, 0);                     /* a running scan gives way */
    assert_status(next_line(d, 1, &line), RS_DRIVER_OK);
    assert_int_equal(line.row, 0);
    assert_int_equal(line.frame, 1);
    assert_status(d->ops->pause(d->self, 1, &err), RS_DRIVER_OK);
    f.upward = true;
    set_frame(d, f);
    start(d, 7);
    for (int i = 0; i < 16; i++) {
        assert_status(next_line(d, 1, &line), RS_DRIVER_OK);
        assert_int_equal(line.row, 7 - i / 2);
        assert_int_equal(line.frame, 2);
    }
    assert_status(next_line(d, 1, &line), RS_DRIVER_REFUSED);
    float *grabbed = image(f.rows, f.cols);
    assert_status(d->ops->grab_frame(d->self, 0, true, grabbed, 1, &err), RS_DRIVER_OK);
    for (int i = 0; i < f.rows * f.cols; i++)
        assert_true(isnan(grabbed[i]) == (i / f.cols > 7)); /* rows that were never scanned */
    assert_memory_equal(grabbed, row, 40 * sizeof *row);
    assert_status(d->ops->grab_frame(d->self, 3, true, grabbed, 1, &err), RS_DRIVER_REFUSED);
    rs_free(grabbed);
    rs_instrument_close(d);
}

/* A line fills what it says and nothing else. */
static void a_line_stays_in_its_arrays(void **state)
{
    (void)state;
    rs_instrument *d = open_with("clock=0");
    float spectra[42 * 70 * 2], height[44];
    double frequency[70];
    for (size_t i = 0; i < sizeof spectra / sizeof *spectra; i++) spectra[i] = NAN;
    for (size_t i = 0; i < 44; i++) height[i] = NAN;
    for (size_t i = 0; i < 70; i++) frequency[i] = NAN;
    set_frame(d, patch);
    start(d, 0);
    rs_line line = {.cols = 42,
                    .bins = 69,
                    .channels = 1,
                    .channel = height,
                    .spectra = spectra,
                    .frequency = frequency};
    assert_status(next_line(d, 1, &line), RS_DRIVER_OK);
    assert_int_equal(line.cols, 40);
    assert_int_equal(line.bins, 65);
    assert_int_equal(line.channels, 1);
    for (int i = 0; i < 42 * 70 * 2; i++) assert_true(isnan(spectra[i]) == (i >= 40 * 65 * 2));
    for (int i = 0; i < 44; i++) assert_true(isnan(height[i]) == (i >= 40));
    for (int i = 0; i < 70; i++) assert_true(isnan(frequency[i]) == (i >= 65));
    line = (rs_line){.cols = 39};
    assert_status(next_line(d, 1, &line), RS_DRIVER_REFUSED);
    line = (rs_line){.cols = 40}; /* nothing wanted but the news */
    assert_status(next_line(d, 1, &line), RS_DRIVER_OK);
    assert_true(line.retrace);
    rs_instrument_close(d);
    d = open_with("clock=0 be=0"); /* room for two channels of three */
    float two[3 * 40];
    for (int i = 0; i < 120; i++) two[i] = NAN;
    set_frame(d, patch);
    start(d, 0);
    line = (rs_line){.cols = 40, .channels = 2, .channel = two};
    assert_status(next_line(d, 1, &line), RS_DRIVER_OK);
    assert_int_equal(line.channels, 2);
    for (int i = 0; i < 120; i++) assert_true(isnan(two[i]) == (i >= 80));
    rs_instrument_close(d);
}

/* 100 rows pass without a call: those that the queue holds come, the others are lost lines. */
static void a_late_caller_loses_the_oldest_lines(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        rs_instrument *d = open_with(k ? "clock=1e7 be=0 queue=64" : "clock=1e7 be=0 queue=200");
        rs_frame f = {.width = 1e-6, .height = 1e-6, .rows = 100, .cols = 8};
        float row[24];
        rs_line line = {.cols = 8, .channels = 3, .channel = row};
        int lost = 0, came = 0;
        set_frame(d, f);
        start(d, 0);
        rs_os_sleep(0.05); /* 500,000 s of its clock, where 100 would do */
        for (int i = 0; i < 200; i++) {
            rs_driver_status st = next_line(d, 1, &line);
            assert_true(st == RS_DRIVER_OK || st == RS_DRIVER_LOST_LINE);
            assert_int_equal(line.row, i / 2);
            assert_int_equal(line.retrace, i % 2);
            lost += st == RS_DRIVER_LOST_LINE;
            came += st == RS_DRIVER_OK;
            assert_true(st == RS_DRIVER_OK || came == 0);
        }
        assert_int_equal(lost, k ? 136 : 0);
        assert_int_equal(came, k ? 64 : 200);
        assert_status(next_line(d, 0, &line), RS_DRIVER_REFUSED);
        rs_instrument_close(d);
    }
}

static void what_takes_time_is_retried(void **state)
{
    (void)state;
    rs_instrument *d = open_with("clock=1 be=0");
    rs_frame f = patch;
    float row[120];
    reshed_error err = {0};
    rs_line line = {.cols = 40, .channels = 3, .channel = row};
    double x, y, v[16] = {0}, when;
    f.line_rate = 0.01;
    set_frame(d, f);
    start(d, 0);
    assert_status(next_line(d, 0, &line), RS_DRIVER_RETRY); /* half a line takes 50 s */
    assert_status(next_line(d, 0.02, &line), RS_DRIVER_RETRY);
    assert_status(d->ops->pause(d->self, 0.01, &err), RS_DRIVER_RETRY);
    assert_status(d->ops->move_tip(d->self, 0, 0, 1e-9, 0.01, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->halt(d->self, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->engage(d->self, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->move_tip(d->self, 1e-6, 1e-6, 1e-10, 0.01, &err), RS_DRIVER_RETRY);
    assert_status(d->ops->get_tip(d->self, &x, &y, 1, &err), RS_DRIVER_OK);
    assert_true(x < 0.9e-6);
    assert_status(d->ops->run_spectroscopy(d->self, 1, &(rs_spectrum){.steps = 16}, &err),
                  RS_DRIVER_REFUSED);
    /* Another target ends the way there. */
    assert_status(d->ops->move_tip(d->self, x, y, 1e-4, 10, &err), RS_DRIVER_OK);
    rs_spectroscopy s = {.voltage = v, .steps = 16, .dwell = 100};
    assert_status(d->ops->set_spectroscopy(d->self, &s, 1, &err), RS_DRIVER_OK);
    assert_near(d->ops->spectroscopy_seconds(d->self), 1600, 1e-9);
    rs_spectrum out = {.steps = 16};
    assert_status(d->ops->run_spectroscopy(d->self, 0.01, &out, &err), RS_DRIVER_RETRY);
    assert_status(d->ops->run_spectroscopy(d->self, 0.01, &out, &err), RS_DRIVER_RETRY);
    assert_status(d->ops->start(d->self, 0, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->read_signal(d->self, "Time", &when, 1, &err), RS_DRIVER_OK);
    assert_true(when > 0.03);
    rs_instrument_close(d);
}

/* --------------------------------------------------------------------------------------- faults */

static void faults_are_met_once(void **state)
{
    (void)state;
    rs_instrument *d = open_with("clock=0 be=0 lose=2 nan=4 stall=6 stall_seconds=3");
    rs_frame f = patch;
    float row[120];
    rs_line line = {.cols = 40, .channels = 3, .channel = row};
    set_frame(d, f);
    for (int pass = 0; pass < 2; pass++) {
        start(d, 0);
        int retries = 0;
        double before = 0;
        for (int i = 0; i < 24; i++) {
            rs_driver_status st = next_line(d, 1, &line);
            while (st == RS_DRIVER_RETRY && retries < 10) {
                assert_int_equal(i, 12);
                retries++;
                st = next_line(d, 1, &line);
            }
            bool lost = pass == 0 && i / 2 == 2, nan = pass == 0 && i / 2 == 4;
            assert_status(st, lost ? RS_DRIVER_LOST_LINE : RS_DRIVER_OK);
            assert_int_equal(line.row, i / 2);
            assert_int_equal(line.retrace, i % 2);
            if (lost) continue;
            for (int c = 0; c < 120; c++) assert_true(isnan(row[c]) == nan);
            if (pass == 0 && i == 12) assert_near(line.time - before, 3.5, 1e-9);
            before = line.time;
        }
        assert_int_equal(retries, pass == 0 ? 2 : 0); /* the third call has it */
    }
    rs_instrument_close(d);
}

static void a_connection_can_be_lost(void **state)
{
    (void)state;
    for (int reconnect = 0; reconnect < 2; reconnect++) {
        const char *options =
            reconnect ? "clock=0 be=0 disconnect=3 reconnect=1" : "clock=0 be=0 disconnect=3";
        rs_instrument *d = open_with(options);
        float row[120];
        double x, y;
        rs_frame f = patch, got;
        reshed_error err = {0};
        rs_line line = {.cols = 40, .channels = 3, .channel = row};
        set_frame(d, f);
        start(d, 0);
        for (int i = 0; i < 6; i++) assert_status(next_line(d, 1, &line), RS_DRIVER_OK);
        assert_status(next_line(d, 1, &line), RS_DRIVER_LOST);
        assert_status(next_line(d, 1, &line), RS_DRIVER_LOST);
        assert_status(d->ops->get_frame(d->self, &got, 1, &err), RS_DRIVER_LOST);
        assert_status(d->ops->get_tip(d->self, &x, &y, 1, &err), RS_DRIVER_LOST);
        assert_status(d->ops->halt(d->self, 1, &err), RS_DRIVER_LOST);
        rs_instrument_close(d);
        d = open_with(options);
        set_frame(d, f);
        start(d, 3);
        assert_status(next_line(d, 1, &line), reconnect ? RS_DRIVER_OK : RS_DRIVER_LOST);
        if (reconnect) assert_int_equal(line.row, 3);
        rs_instrument_close(d);
    }
}

static void replies_can_be_slow(void **state)
{
    (void)state;
    rs_instrument *d = open_with("clock=0 reply_delay=0.02");
    double x, y, before = rs_os_monotonic();
    reshed_error err = {0};
    assert_status(d->ops->get_tip(d->self, &x, &y, 0.001, &err), RS_DRIVER_RETRY);
    assert_int_equal(err.status, RESHED_ETIMEOUT);
    assert_status(d->ops->get_tip(d->self, &x, &y, 10, &err), RS_DRIVER_OK);
    assert_true(rs_os_monotonic() - before >= 0.02);
    rs_instrument_close(d);
}

static void spectra_can_be_lost(void **state)
{
    (void)state;
    rs_instrument *d = open_with("clock=0 lose_spectrum=1 nan_spectrum=2");
    double v[8] = {0, 2, 4, 2, 0, -2, -4, -2};
    float spectra[2 * 8 * 65 * 2];
    reshed_error err = {0};
    rs_spectroscopy s = {.voltage = v, .steps = 8, .off_field = true, .dwell = 1e-3};
    rs_spectrum out = {.steps = 8, .bins = 65, .spectra = spectra};
    assert_status(d->ops->run_spectroscopy(d->self, 1, &out, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->set_spectroscopy(d->self, &s, 1, &err), RS_DRIVER_OK);
    const rs_driver_status want[] = {RS_DRIVER_OK, RS_DRIVER_LOST_LINE, RS_DRIVER_OK, RS_DRIVER_OK};
    for (int i = 0; i < 4; i++) {
        memset(spectra, 0, sizeof spectra);
        assert_status(d->ops->run_spectroscopy(d->self, 1, &out, &err), want[i]);
        if (want[i] != RS_DRIVER_OK) continue;
        assert_true(isnan(spectra[0]) == (i == 2));
        assert_true(isnan(spectra[2 * 8 * 65 * 2 - 1]) == (i == 2));
    }
    out.steps = 7;
    assert_status(d->ops->run_spectroscopy(d->self, 1, &out, &err), RS_DRIVER_REFUSED);
    out.steps = 8;
    out.bins = 64;
    assert_status(d->ops->run_spectroscopy(d->self, 1, &out, &err), RS_DRIVER_REFUSED);
    v[3] = 11; /* the driver has a copy, and would refuse this one */
    assert_status(d->ops->set_spectroscopy(d->self, &s, 1, &err), RS_DRIVER_REFUSED);
    out.bins = 65;
    assert_status(d->ops->run_spectroscopy(d->self, 1, &out, &err), RS_DRIVER_OK);
    rs_instrument_close(d);
}

/* A loop measured again at the same place differs by its noise only, and not at all without. */
static void a_place_measured_again_gives_the_same_loop(void **state)
{
    (void)state;
    rs_instrument *d = open_with("clock=0 noise=0");
    double v[32];
    static float a[2 * 32 * 65 * 2], b[2 * 32 * 65 * 2];
    reshed_error err = {0};
    for (int i = 0; i < 32; i++) v[i] = 8 * sin(2 * acos(-1) * i / 32);
    rs_spectroscopy s = {.voltage = v, .steps = 32, .off_field = true, .dwell = 1e-3};
    rs_spectrum out = {.steps = 32, .bins = 65, .spectra = a};
    assert_status(d->ops->set_spectroscopy(d->self, &s, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->move_tip(d->self, 3e-7, 2e-7, 1e-6, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->run_spectroscopy(d->self, 1, &out, &err), RS_DRIVER_OK);
    assert_near(out.x, 3e-7, 0);
    assert_status(d->ops->move_tip(d->self, -5e-7, 2e-7, 1e-6, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->move_tip(d->self, 3e-7, 2e-7, 1e-6, 1, &err), RS_DRIVER_OK);
    out.spectra = b;
    assert_status(d->ops->run_spectroscopy(d->self, 1, &out, &err), RS_DRIVER_OK);
    assert_memory_equal(a, b, sizeof a);
    /* On field there is the force between charges too: at 0 V the two readings agree but for the
     * shift of the resonance that a voltage makes. */
    assert_memory_equal(a, a + 32 * 65 * 2, 65 * 2 * sizeof *a);
    assert_true(memcmp(a + 8 * 130, a + (32 + 8) * 130, 130 * sizeof *a) != 0);
    rs_instrument_close(d);
}

/* ----------------------------------------------------------------------------------------- halt */

static void *halts(void *self)
{
    reshed_error err = {0};
    rs_os_sleep(0.02);
    rs_driver_twin_ops()->halt(self, 1, &err);
    rs_driver_twin_ops()->halt(self, 1, &err);
    return NULL;
}

static void a_halt_comes_from_any_thread(void **state)
{
    (void)state;
    rs_instrument *d = open_with("clock=1 be=0");
    rs_frame f = patch;
    float row[120];
    double volts, drive;
    reshed_error err = {0};
    pthread_t thread;
    rs_line line = {.cols = 40, .channels = 3, .channel = row};
    f.line_rate = 1e-4;
    set_frame(d, f);
    assert_status(d->ops->set_bias(d->self, 3, 1, &err), RS_DRIVER_OK);
    start(d, 0);
    assert_int_equal(pthread_create(&thread, NULL, halts, d->self), 0);
    assert_status(next_line(d, 600, &line), RS_DRIVER_REFUSED); /* not RETRY after ten minutes */
    pthread_join(thread, NULL);
    assert_status(d->ops->get_bias(d->self, &volts, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->read_signal(d->self, "Drive", &drive, 1, &err), RS_DRIVER_OK);
    assert_true(volts == 0 && drive == 0);
    assert_status(d->ops->start(d->self, 0, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->move_tip(d->self, 0, 0, 1e-6, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->set_bias(d->self, 1, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->set_drive(d->self, 1, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->pulse(d->self, 1, 1e-3, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->set_bias(d->self, 0, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->engage(d->self, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->set_bias(d->self, 1, 1, &err), RS_DRIVER_OK);
    start(d, 0);
    /* The same while the tip moves and while it measures. */
    assert_status(d->ops->halt(d->self, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->engage(d->self, 1, &err), RS_DRIVER_OK);
    assert_int_equal(pthread_create(&thread, NULL, halts, d->self), 0);
    assert_status(d->ops->move_tip(d->self, 9e-7, 9e-7, 1e-12, 600, &err), RS_DRIVER_REFUSED);
    pthread_join(thread, NULL);
    assert_status(d->ops->engage(d->self, 1, &err), RS_DRIVER_OK);
    double v[8] = {0};
    rs_spectroscopy s = {.voltage = v, .steps = 8, .dwell = 1000};
    assert_status(d->ops->set_spectroscopy(d->self, &s, 1, &err), RS_DRIVER_OK);
    assert_int_equal(pthread_create(&thread, NULL, halts, d->self), 0);
    assert_status(d->ops->run_spectroscopy(d->self, 600, &(rs_spectrum){.steps = 8}, &err),
                  RS_DRIVER_REFUSED);
    pthread_join(thread, NULL);
    assert_status(d->ops->withdraw(d->self, 1, &err), RS_DRIVER_OK);
    rs_instrument_close(d);
}

static void a_withdrawn_tip_does_not_scan(void **state)
{
    (void)state;
    rs_instrument *d = open_with("clock=0");
    double v[8] = {0}, value;
    reshed_error err = {0};
    rs_spectroscopy s = {.voltage = v, .steps = 8, .dwell = 1e-3};
    assert_status(d->ops->set_spectroscopy(d->self, &s, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->withdraw(d->self, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->start(d->self, 0, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->run_spectroscopy(d->self, 1, &(rs_spectrum){.steps = 8}, &err),
                  RS_DRIVER_REFUSED);
    assert_status(d->ops->pulse(d->self, 1, 1e-3, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->move_tip(d->self, 0, 0, 1e-6, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->engage(d->self, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->pulse(d->self, 1, 1e-3, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->set_setpoint(d->self, 0.5, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->get_setpoint(d->self, &value, 1, &err), RS_DRIVER_OK);
    assert_near(value, 0.5, 0);
    assert_status(d->ops->set_setpoint(d->self, NAN, 1, &err), RS_DRIVER_REFUSED);
    assert_status(d->ops->read_signal(d->self, "Nonsense", &value, 1, &err), RS_DRIVER_REFUSED);
    rs_instrument_close(d);
}

/* -------------------------------------------------------------------------------------- options */

static void wrong_options_are_refused(void **state)
{
    (void)state;
    const rs_driver_option bad[] = {
        {"nonsense", "1"},     {"noise", "much"}, {"noise", "-1"},    {"noise", "nan"},
        {"clock", "-1"},       {"queue", "63"},   {"seed", "-1"},     {"alternate", "2"},
        {"spacing[0]", "1e3"}, {"short", ""},     {"level", "0x10"},  {"shorter", "0.1"},
        {"width", "0"},        {"clock", "fast"}, {"resonance", "0"}, {"tip_change", "1.5"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rs_instrument *d = NULL;
        reshed_error err = {0};
        assert_status(rs_instrument_open("twin", &bad[i], 1, 1, &d, &err), RS_DRIVER_REFUSED);
        assert_null(d);
        assert_true(err.what[0] != '\0');
    }
    rs_instrument *d =
        open_with("clock=real width=5e-6 height=4e-6 alternate=0 short=0 coercive=4");
    assert_near(d->caps.limits.x_max, 2.5e-6, TOL_PLACE);
    assert_near(d->caps.limits.y_min, -2e-6, TOL_PLACE);
    assert_near(d->caps.clock_rate, 1, 0);
    assert_near(rs_driver_twin_switching(d->self)->coercive, 4, 0);
    assert_near(rs_driver_twin_switching(d->self)->shorter, 0, 0);
    rs_instrument_close(d);
}

/* Every allocation may fail: the call is refused, nothing leaks, and it works afterwards. */
static void memory_may_run_out(void **state)
{
    (void)state;
    for (long n = 0; n < 200; n++) {
        const rs_driver_option option[] = {{"clock", "0"}};
        rs_instrument *d = NULL;
        reshed_error err = {0};
        test_alloc_fail_at(n);
        rs_driver_status st = rs_instrument_open("twin", option, 1, 1, &d, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_status(st, RS_DRIVER_OK);
            rs_instrument_close(d);
            break;
        }
        assert_status(st, RS_DRIVER_REFUSED);
        assert_int_equal(err.status, RESHED_ENOMEM);
        assert_true(n < 199);
    }
    rs_instrument *d = open_with("clock=0");
    double v[8] = {0};
    rs_spectroscopy s = {.voltage = v, .steps = 8, .dwell = 1e-3};
    rs_be_setup be = {335e3, 60e3, 1, 1, 1, 1e-3};
    rs_frame f = patch;
    f.line_rate = 1;
    for (int what = 0; what < 5; what++)
        for (long n = 0;; n++) {
            reshed_error err = {0};
            rs_line line = {.cols = 40};
            if (what == 3) start(d, 0);
            test_alloc_fail_at(n);
            rs_driver_status st =
                what == 0   ? d->ops->set_frame(d->self, &f, 1, &err)
                : what == 1 ? d->ops->set_be(d->self, &be, 1, &err)
                : what == 2 ? d->ops->set_spectroscopy(d->self, &s, 1, &err)
                : what == 3
                    ? d->ops->wait_line(d->self, 1, &line, &err)
                    : d->ops->run_spectroscopy(d->self, 1, &(rs_spectrum){.steps = 8}, &err);
            bool failed = test_alloc_failed();
            test_alloc_fail_at(-1);
            if (what == 3) d->ops->pause(d->self, 1, &err);
            if (!failed) {
                assert_status(st, RS_DRIVER_OK);
                break;
            }
            assert_status(st, RS_DRIVER_REFUSED);
            assert_true(n < 50);
        }
    rs_instrument_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spectra_give_back_the_channels),
        cmocka_unit_test(noise_is_what_was_asked_for),
        cmocka_unit_test(excitation_can_be_changed),
        cmocka_unit_test(both_directions_show_one_film),
        cmocka_unit_test(a_turned_frame_lies_where_coords_say),
        cmocka_unit_test(retrace_sees_the_film_further_along),
        cmocka_unit_test(the_film_drifts_with_the_work),
        cmocka_unit_test(a_tip_changes_once),
        cmocka_unit_test(a_blunt_tip_blurs),
        cmocka_unit_test(bits_do_not_depend_on_the_clock),
        cmocka_unit_test(a_scan_can_be_stopped_and_taken_up),
        cmocka_unit_test(a_line_stays_in_its_arrays),
        cmocka_unit_test(a_late_caller_loses_the_oldest_lines),
        cmocka_unit_test(what_takes_time_is_retried),
        cmocka_unit_test(faults_are_met_once),
        cmocka_unit_test(a_connection_can_be_lost),
        cmocka_unit_test(replies_can_be_slow),
        cmocka_unit_test(spectra_can_be_lost),
        cmocka_unit_test(a_place_measured_again_gives_the_same_loop),
        cmocka_unit_test(a_halt_comes_from_any_thread),
        cmocka_unit_test(a_withdrawn_tip_does_not_scan),
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
