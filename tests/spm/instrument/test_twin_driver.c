/* The twin as an instrument: its lines against the film drawn at once, orientation, drift, bits,
 * options. Nothing here depends on how fast the machine is. */
#include "support/driver_rig.h"
#include "support/tolerance.h"

#include <math.h>
#include <pthread.h>
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
#include "spm/twin/films.h"

static const rs_frame patch = {
    .cx = 2e-7, .cy = -1e-7, .width = 9e-7, .height = 6e-7, .rows = 12, .cols = 40};

/* ------------------------------------------------------------------------- spectra and channels */

static void spectra_give_back_the_channels(void **state)
{
    (void)state;
    rs_instrument *d = twin_open("clock=0 noise=0 line_noise=0 retrace_shift=0 seed=5 "
                                 "minus_fraction=0.4");
    const rs_frame f = patch;
    const int bins = d->caps.bins, n = f.rows * f.cols;
    float *a = rig_twin_image(f.rows, f.cols), *p = rig_twin_image(f.rows, f.cols),
          *res = rig_twin_image(f.rows, f.cols);
    float *q = rig_twin_image(f.rows, f.cols), *h = rig_twin_image(f.rows, f.cols);
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
    twin_set_frame(d, f);
    assert_status(d->ops->set_drive(d->self, 2, 1, &err), RS_DRIVER_OK);
    twin_start(d, 0);
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
        assert_status(twin_next_line(d, 1, &line), RS_DRIVER_OK);
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

/* The kind of a film comes before single numbers of it, in whatever order they are given. */
static void a_kind_of_film_is_an_option(void **state)
{
    (void)state;
    static const char *const order[] = {"film=pto seed=9 offset=0.5 clock=0",
                                        "offset=0.5 seed=9 clock=0 film=pto"};
    rs_twin_options want;
    rs_twin_options_defaults(&want);
    want.seed = 9;
    rs_twin_film_options(RS_TWIN_FILM_PTO, 8e-9, &want);
    want.offset = 0.5;
    rs_twin_sample *film = NULL;
    reshed_error err = {0};
    assert_ok(rs_twin_sample_create(&want, &film, &err), &err);
    for (int k = 0; k < 2; k++) {
        float a[64], b[64];
        rs_instrument *d = twin_open(order[k]);
        rs_twin_view v = {.width = 1e-6, .height = 1e-6, .rows = 8, .cols = 8, .row_end = 8};
        rs_twin_channels one = {.amplitude = a}, two = {.amplitude = b};
        assert_ok(rs_twin_render(film, &v, &one, &err), &err);
        assert_ok(rs_twin_render(rs_driver_twin_sample(d->self), &v, &two, &err), &err);
        assert_memory_equal(a, b, sizeof a);
        rs_instrument_close(d);
    }
    rs_twin_sample_free(film);
}

/* The residual of a fit has the noise that was asked for, and no structure. */
static void noise_is_what_was_asked_for(void **state)
{
    (void)state;
    rs_instrument *d = twin_open("clock=0 noise=0.05 line_noise=0");
    rs_twin_options film;
    rs_twin_options_defaults(&film);
    rs_frame f = {.width = 1e-6, .height = 1e-6, .rows = 4, .cols = 64};
    float *spectra = rs_alloc(64 * 65, 2 * sizeof *spectra);
    double frequency[65], sum = 0;
    rs_sho_fit fit[64];
    rs_sho_plan *plan = NULL;
    reshed_error err = {0};
    twin_set_frame(d, f);
    twin_start(d, 0);
    rs_line line = {.cols = 64, .bins = 65, .spectra = spectra, .frequency = frequency};
    assert_status(twin_next_line(d, 1, &line), RS_DRIVER_OK);
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
    rs_instrument *d = twin_open("clock=0");
    reshed_error err = {0};
    rs_frame f = {.width = 1e-6, .height = 1e-6, .rows = 2, .cols = 8, .line_rate = 50}, got;
    rs_be_setup be = {.centre = 335e3,
                      .band = 100e3,
                      .amplitude = 0.5,
                      .phase_variation = 1,
                      .repeats = 2,
                      .duration = 4e-3};
    twin_set_frame(d, f);
    assert_status(d->ops->get_frame(d->self, &got, 1, &err), RS_DRIVER_OK);
    assert_near(got.line_rate, 1 / (2 * 8 * 1.28e-3), 1e-6); /* as fast as the pulses allow */
    assert_status(d->ops->set_be(d->self, &be, 1, &err), RS_DRIVER_OK);
    rs_instrument_read_caps(d);
    assert_int_equal(d->caps.bins, 401);
    assert_status(d->ops->get_frame(d->self, &got, 1, &err), RS_DRIVER_OK);
    assert_near(got.line_rate, 1 / (2 * 8 * 8e-3), 1e-6);
    double frequency[401], drive;
    float *spectra = rs_alloc(8 * 401, 2 * sizeof *spectra);
    twin_start(d, 0);
    rs_line line = {.cols = 8, .bins = 400, .spectra = spectra, .frequency = frequency};
    assert_status(twin_next_line(d, 1, &line),
                  RS_DRIVER_REFUSED); /* no room, and the line is kept */
    line.bins = 401;
    assert_status(twin_next_line(d, 1, &line), RS_DRIVER_OK);
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
    rs_instrument *d = twin_open("clock=0 be=0 noise=0 line_noise=0 retrace_shift=0");
    rs_frame f = patch;
    float *down = rig_twin_image(f.rows, f.cols), *back = rig_twin_image(f.rows, f.cols);
    float *up = rig_twin_image(f.rows, f.cols), *all = rig_twin_image(f.rows, f.cols);
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
    twin_set_frame(d, f);
    twin_scan(d, &f, down, back);
    f.upward = true;
    twin_set_frame(d, f);
    twin_scan(d, &f, up, NULL);
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
    float *grabbed = rig_twin_image(f.rows, f.cols);
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
    rs_instrument *d = twin_open("clock=0 be=0 noise=0 line_noise=0 retrace_shift=0");
    rs_frame f = patch;
    f.angle = 0.7;
    f.cx = f.cy = 0;
    float *turned = rig_twin_image(f.rows, f.cols);
    rs_coords coords;
    rs_device device = rs_device_metres();
    rs_coords_frame cf = rs_coords_frame_of(&f);
    reshed_error err = {0};
    assert_ok(rs_coords_init(&coords, &cf, &device, &err), &err);
    twin_set_frame(d, f);
    twin_scan(d, &f, turned, NULL);
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
    rs_instrument *d = twin_open("clock=0 be=0 noise=0 line_noise=0 retrace_shift=2.25e-8");
    rs_frame f = patch;
    float *trace = rig_twin_image(f.rows, f.cols), *retrace = rig_twin_image(f.rows, f.cols);
    twin_set_frame(d, f);
    twin_scan(d, &f, trace, retrace);
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
        twin_open("clock=0 be=0 noise=0 line_noise=0 retrace_shift=0 drift_x=1.125e-9");
    rs_frame f = patch;
    f.line_rate = 0.1;
    float *image0 = rig_twin_image(f.rows, f.cols);
    reshed_error err = {0};
    double x, y;
    twin_set_frame(d, f);
    twin_scan(d, &f, image0, NULL);
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
    rs_instrument *plain = twin_open("clock=0 be=0 noise=0 line_noise=0");
    rs_instrument *changed = twin_open("clock=0 be=0 noise=0 line_noise=0 tip_change=1 "
                                       "tip_change_row=5");
    rs_instrument *later = twin_open("clock=0 be=0 noise=0 line_noise=0 tip_change=1 "
                                     "tip_change_time=5.6");
    rs_frame f = patch;
    size_t n = (size_t)(f.rows * f.cols);
    float *a = rig_twin_image(f.rows, f.cols), *b = rig_twin_image(f.rows, f.cols),
          *c = rig_twin_image(f.rows, f.cols);
    twin_set_frame(plain, f);
    twin_set_frame(changed, f);
    twin_set_frame(later, f);
    twin_scan(plain, &f, a, NULL);
    twin_scan(changed, &f, b, NULL);
    twin_scan(later, &f, c, NULL);
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
    float *again = rig_twin_image(f.rows, f.cols);
    twin_scan(changed, &f, again, NULL);
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
    rs_instrument *sharp = twin_open("clock=0 be=0 noise=0 line_noise=0");
    rs_instrument *blunt = twin_open("clock=0 be=0 noise=0 line_noise=0 tip_radius=2e-8");
    rs_frame f = {.width = 1.5e-6, .height = 1.5e-6, .rows = 64, .cols = 64};
    float *a = rig_twin_image(64, 64), *b = rig_twin_image(64, 64);
    double mean[2] = {0, 0}, square[2] = {0, 0};
    twin_set_frame(sharp, f);
    twin_set_frame(blunt, f);
    twin_scan(sharp, &f, a, NULL);
    twin_scan(blunt, &f, b, NULL);
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
        rs_instrument *d = twin_open(text);
        float *a = rig_twin_image(f.rows, f.cols), *b = rig_twin_image(f.rows, f.cols);
        twin_set_frame(d, f);
        twin_scan(d, &f, a, b);
        if (k == 2) rs_os_sleep(0.02); /* idle time does not count */
        twin_scan(d, &f, NULL, b);
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
        twin_open("clock=real width=5e-6 height=4e-6 alternate=0 short=0 coercive=4");
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
    rs_instrument *d = twin_open("clock=0");
    double v[8] = {0};
    rs_spectroscopy s = {.voltage = v, .steps = 8, .dwell = 1e-3};
    rs_be_setup be = {335e3, 60e3, 1, 1, 1, 1e-3};
    rs_frame f = patch;
    f.line_rate = 1;
    for (int what = 0; what < 5; what++)
        for (long n = 0;; n++) {
            reshed_error err = {0};
            rs_line line = {.cols = 40};
            if (what == 3) twin_start(d, 0);
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
        cmocka_unit_test(a_kind_of_film_is_an_option),
        cmocka_unit_test(noise_is_what_was_asked_for),
        cmocka_unit_test(excitation_can_be_changed),
        cmocka_unit_test(both_directions_show_one_film),
        cmocka_unit_test(a_turned_frame_lies_where_coords_say),
        cmocka_unit_test(retrace_sees_the_film_further_along),
        cmocka_unit_test(the_film_drifts_with_the_work),
        cmocka_unit_test(a_tip_changes_once),
        cmocka_unit_test(a_blunt_tip_blurs),
        cmocka_unit_test(bits_do_not_depend_on_the_clock),
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
