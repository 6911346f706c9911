/* The replay of recorded images and loops as an instrument. */
#include "support/driver_rig.h"
#include "support/tolerance.h"
#include "support/h5_bare.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "beps/sho.h"
#include "io/gsf.h"
#include "io/hdf5/h5.h"
#include "io/image_file.h"
#include "io/npy.h"
#include "io/nsid/write.h"
#include "spm/instrument/instrument.h"
#include "spm/instrument/private.h"
#include "spm/instrument/words.h"

/* --------------------------------------------------------------------------------------- replay */

enum { H = 6, W = 10 };

/* No symmetry, and values that floats hold exactly. */
static void write_image(const char *path)
{
    rs_image im = {0};
    reshed_error err = {0};
    assert_ok(rs_image_init(&im, H, W, &err), &err);
    for (int i = 0; i < H * W; i++) im.data[i] = (float)(i * i % 37) + 0.25f * (float)(i / W);
    im.data[3 * W + 7] = NAN;
    im.dx = 2e-9;
    im.dy = 3e-9;
    im.x0 = 1e-7;
    im.y0 = -5e-8;
    snprintf(im.unit, sizeof im.unit, "m");
    assert_ok(rs_gsf_write(path, &im, &err), &err);
    rs_image_clear(&im);
}

static bool same(float a, float b)
{
    return a == b || (isnan(a) && isnan(b));
}

static void an_image_comes_back_line_by_line(void **state)
{
    (void)state;
    write_image(test_temp("image.gsf"));
    rs_image im = {0};
    reshed_error err = {0};
    assert_ok(rs_image_read(test_temp("image.gsf"), NULL, &im, &err), &err);
    for (int up = 0; up < 2; up++) {
        const rs_driver_option option[] = {{"file", test_temp("image.gsf")},
                                           {"clock", "0"},
                                           {"rate", "4"},
                                           {"direction", up ? "up" : "down"}};
        rs_instrument *d = driver_open("replay", option, 4);
        rs_frame f;
        assert_int_equal(d->caps.channels, 1);
        assert_false(d->caps.retrace || d->caps.band_excitation);
        assert_status(d->ops->get_frame(d->self, &f, 1, &err), RS_DRIVER_OK);
        assert_near(f.cx, im.x0, TOL_PLACE);
        assert_near(f.cy, im.y0, TOL_PLACE);
        assert_near(f.width, W * im.dx, TOL_PLACE);
        assert_near(f.height, H * im.dy, TOL_PLACE);
        assert_int_equal(f.rows, H);
        assert_int_equal(f.upward, up);
        assert_status(d->ops->start(d->self, up ? H - 1 : 0, 1, &err), RS_DRIVER_OK);
        float row[W + 2];
        for (int i = 0; i < H; i++) {
            for (int c = 0; c < W + 2; c++) row[c] = -1;
            rs_line line = {.cols = W, .channels = 1, .channel = row};
            assert_status(d->ops->wait_line(d->self, 1, &line, &err), RS_DRIVER_OK);
            assert_int_equal(line.row, up ? H - 1 - i : i);
            assert_false(line.retrace);
            assert_near(line.time, 0.25 * (i + 1), TOL_DOUBLE);
            for (int c = 0; c < W; c++) assert_true(same(row[c], im.data[line.row * W + c]));
            assert_true(row[W] == -1);
        }
        float whole[H * W];
        assert_status(d->ops->grab_frame(d->self, 0, false, whole, 1, &err), RS_DRIVER_OK);
        for (int i = 0; i < H * W; i++) assert_true(same(whole[i], im.data[i]));
        assert_status(d->ops->set_spectroscopy(d->self, &(rs_spectroscopy){.steps = 1}, 1, &err),
                      RS_DRIVER_REFUSED);
        /* A quarter turn: columns become rows. */
        rs_frame turned = f;
        turned.angle = acos(-1) / 2;
        turned.width = H * im.dy;
        turned.height = W * im.dx;
        turned.rows = W;
        turned.cols = H;
        turned.upward = false;
        assert_status(d->ops->set_frame(d->self, &turned, 1, &err), RS_DRIVER_OK);
        assert_status(d->ops->start(d->self, 0, 1, &err), RS_DRIVER_OK);
        for (int r = 0; r < W; r++) {
            rs_line line = {.cols = H, .channels = 1, .channel = row};
            assert_status(d->ops->wait_line(d->self, 1, &line, &err), RS_DRIVER_OK);
            /* Along the row the stage's y rises; from row to row its x falls less and less. */
            for (int c = 0; c < H; c++) assert_true(same(row[c], im.data[(H - 1 - c) * W + r]));
        }
        /* Outside the image there is nothing. */
        f.cx += 1e-9;
        assert_status(d->ops->set_frame(d->self, &f, 1, &err), RS_DRIVER_REFUSED);
        rs_instrument_close(d);
    }
    rs_image_clear(&im);
}

/* Between the pixels' centres the image is linear. */
static void other_frames_are_sampled(void **state)
{
    (void)state;
    float ramp[8 * 8], row[16];
    size_t dims[2] = {8, 8};
    reshed_error err = {0};
    for (int i = 0; i < 64; i++) ramp[i] = (float)(i / 8) + 10 * (float)(i % 8);
    assert_ok(rs_npy_write(test_temp("ramp.npy"), RS_NPY_F4, 2, dims, ramp, &err), &err);
    const rs_driver_option option[] = {
        {"file", test_temp("ramp.npy")}, {"clock", "0"}, {"pixel", "1e-9"}};
    rs_instrument *d = driver_open("replay", option, 3);
    rs_frame f = {.width = 6e-9, .height = 4e-9, .rows = 8, .cols = 16, .line_rate = 1, .angle = 0};
    assert_near(d->caps.limits.x_max, 4e-9, TOL_PIXEL);
    assert_status(d->ops->set_frame(d->self, &f, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->start(d->self, 0, 1, &err), RS_DRIVER_OK);
    for (int r = 0; r < 8; r++) {
        rs_line line = {.cols = 16, .channels = 1, .channel = row};
        assert_status(d->ops->wait_line(d->self, 1, &line, &err), RS_DRIVER_OK);
        for (int c = 0; c < 16; c++) {
            double col = -3 + (c + 0.5) * 6 / 16 + 3.5, at = -2 + (r + 0.5) * 4 / 8 + 3.5;
            assert_near(row[c], at + 10 * col, 1e-4);
        }
    }
    rs_instrument_close(d);
}

static void wrong_replays_are_refused(void **state)
{
    (void)state;
    write_image(test_temp("image.gsf"));
    const struct {
        rs_driver_option option[2];
        int n;
    } wrong[] = {{{{"file", "absent.gsf"}}, 1},
                 {{{"rate", "1"}}, 1},
                 {{{"file", test_temp("image.gsf")}, {"rate", "0"}}, 2},
                 {{{"file", test_temp("image.gsf")}, {"direction", "left"}}, 2},
                 {{{"file", test_temp("image.gsf")}, {"channel", "Phase"}}, 2},
                 {{{"file", test_temp("image.gsf")}, {"loops", test_temp("image.gsf")}}, 2},
                 {{{"file", test_temp("image.gsf")}, {"seed", "1"}}, 2},
                 {{{"file", test_temp("image.gsf")}, {"loops_field", "both"}}, 2}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        rs_instrument *d = NULL;
        reshed_error err = {0};
        assert_status(rs_instrument_open("replay", wrong[i].option, wrong[i].n, 1, &d, &err),
                      RS_DRIVER_REFUSED);
        assert_null(d);
        assert_true(err.what[0] != '\0');
    }
    for (long n = 0; n < 300; n++) {
        const rs_driver_option option[] = {{"file", test_temp("image.gsf")}, {"clock", "0"}};
        rs_instrument *d = NULL;
        reshed_error err = {0};
        test_alloc_fail_at(n);
        rs_driver_status st = rs_instrument_open("replay", option, 2, 1, &d, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_status(st, RS_DRIVER_OK);
            rs_instrument_close(d);
            break;
        }
        assert_status(st, RS_DRIVER_REFUSED);
        assert_int_equal(err.status, RESHED_ENOMEM);
    }
}

/* ------------------------------------------------------------------------------- recorded loops */

enum { NX = 3, NY = 2, STEPS = 8, BINS = 24 };

static double loop_at(int ix, int iy, int step)
{
    return 1e-3 * (1 + ix + 10 * iy) * sin(0.9 * step + 0.2);
}

static const double *loop_volts(void)
{
    static double v[STEPS];
    for (int i = 0; i < STEPS; i++) v[i] = 4 * sin(2 * acos(-1) * i / STEPS);
    return v;
}

static const double *loop_axis(void)
{
    static double f[BINS];
    for (int i = 0; i < BINS; i++) f[i] = 300e3 + 2e3 * i;
    return f;
}

/* An oscillator whose A is |loop_at| and whose phase is 0 or pi. */
static void loop_spectrum(int ix, int iy, int step, bool on, double *h)
{
    double r = (on ? 2 : 1) * loop_at(ix, iy, step);
    rs_sho p = {fabs(r), 325e3 + 100 * step, 80, r < 0 ? acos(-1) : 0};
    rs_sho_eval(&p, loop_axis(), BINS, h);
}

/* X, Y, Voltage (real), or X, Y, Voltage, Field, Frequency (complex). */
static void write_loops(const char *path, bool spectra)
{
    double x[NX], y[NY], v[STEPS], f[BINS], field[2] = {1, 0};
    rs_nsid_writer *w = NULL;
    reshed_error err = {0};
    rs_nsid_data d = {.name = "loops", .quantity = "Response", .units = "V", .is_complex = spectra};
    snprintf(d.data_type, sizeof d.data_type, "%s", spectra ? "IMAGE_4D" : "SPECTRAL_IMAGE");
    for (int i = 0; i < NX; i++) x[i] = 1e-8 * i;
    for (int i = 0; i < NY; i++) y[i] = 2e-8 * i;
    memcpy(v, loop_volts(), sizeof v);
    memcpy(f, loop_axis(), sizeof f);
    d.ndim = spectra ? 5 : 3;
    d.dim[0] = (rs_nsid_dim){"X", "Position", "m", "SPATIAL", NX, x};
    d.dim[1] = (rs_nsid_dim){"Y", "Position", "m", "SPATIAL", NY, y};
    d.dim[2] = (rs_nsid_dim){"Voltage", "Bias", "V", "SPECTRAL", STEPS, v};
    d.dim[3] = (rs_nsid_dim){"Field", "Field", "a.u.", "CHANNEL", 2, field};
    d.dim[4] = (rs_nsid_dim){"Frequency", "Frequency", "Hz", "SPECTRAL", BINS, f};
    d.count = NX * NY * STEPS;
    if (spectra) d.count *= 2 * BINS;
    d.data = rs_alloc((size_t)d.count, 2 * sizeof *d.data);
    double *to = d.data;
    for (int ix = 0; ix < NX; ix++)
        for (int iy = 0; iy < NY; iy++)
            for (int s = 0; s < STEPS; s++) {
                if (!spectra) *to++ = loop_at(ix, iy, s);
                for (int k = 0; spectra && k < 2; k++, to += 2 * BINS)
                    loop_spectrum(ix, iy, s, k == 0, to);
            }
    remove(path);
    assert_ok(rs_nsid_create(path, RS_NSID_ATOMIC, &w, &err), &err);
    reshed_status st = rs_nsid_add(w, "/M/C", &d, RS_NSID_F64, NULL, 0, &err);
    assert_ok(rs_nsid_finish(w, st, &err), &err);
    rs_free(d.data);
}

static rs_spectroscopy as_recorded(void)
{
    return (rs_spectroscopy){
        .voltage = loop_volts(), .steps = STEPS, .off_field = true, .dwell = 1e-3};
}

static void recorded_loops_come_from_the_nearest_point(void **state)
{
    (void)state;
    write_loops(test_temp("loops.h5"), false);
    const rs_driver_option option[] = {
        {"loops", test_temp("loops.h5")}, {"clock", "0"}, {"reach", "6e-9"}};
    rs_instrument *d = driver_open("replay", option, 3);
    float amplitude[2 * STEPS], phase[2 * STEPS];
    reshed_error err = {0};
    rs_spectroscopy s = as_recorded();
    assert_true(d->caps.off_field && d->caps.bins == 0);
    assert_near(d->caps.limits.x_max, 2e-8, TOL_PIXEL);
    assert_status(d->ops->start(d->self, 0, 1, &err), RS_DRIVER_REFUSED); /* there is no image */
    assert_status(d->ops->set_spectroscopy(d->self, &s, 1, &err), RS_DRIVER_OK);
    for (int ix = 0; ix < NX; ix++)
        for (int iy = 0; iy < NY; iy++) {
            rs_spectrum out = {.steps = STEPS, .amplitude = amplitude, .phase = phase};
            double off = ix < 2 ? 3e-9 : -3e-9;
            assert_status(d->ops->move_tip(d->self, 1e-8 * ix + off, 2e-8 * iy, 1e-6, 1, &err),
                          RS_DRIVER_OK);
            assert_status(d->ops->run_spectroscopy(d->self, 1, &out, &err), RS_DRIVER_OK);
            assert_int_equal(out.fields, 2);
            assert_int_equal(out.bins, 0);
            assert_near(out.x, 1e-8 * ix, TOL_PIXEL);
            for (int i = 0; i < STEPS; i++) {
                assert_true(isnan(amplitude[i]) && isnan(phase[i])); /* on field: not recorded */
                double r = amplitude[STEPS + i] * cosf(phase[STEPS + i]);
                assert_near(r, loop_at(ix, iy, i), 1e-9);
            }
        }
    assert_status(d->ops->move_tip(d->self, 0, 1e-8, 1e-6, 1, &err), RS_DRIVER_OK);
    rs_spectrum out = {.steps = STEPS, .amplitude = amplitude, .phase = phase};
    assert_status(d->ops->run_spectroscopy(d->self, 1, &out, &err), RS_DRIVER_REFUSED); /* 10 nm */
    s.steps = STEPS - 1;
    assert_status(d->ops->set_spectroscopy(d->self, &s, 1, &err), RS_DRIVER_REFUSED);
    assert_says(&err, "8, as recorded", "found 7");
    s = as_recorded(), s.off_field = false;
    assert_status(d->ops->set_spectroscopy(d->self, &s, 1, &err), RS_DRIVER_REFUSED);
    double v[STEPS];
    memcpy(v, loop_volts(), sizeof v);
    v[3] += 0.1;
    s = as_recorded(), s.voltage = v;
    assert_status(d->ops->set_spectroscopy(d->self, &s, 1, &err), RS_DRIVER_REFUSED);
    assert_says(&err, "as recorded", "step 3");
    rs_instrument_close(d);
    /* The same readings, called on-field. */
    const rs_driver_option on[] = {
        {"loops", test_temp("loops.h5")}, {"clock", "0"}, {"loops_field", "on"}};
    d = driver_open("replay", on, 3);
    assert_false(d->caps.off_field);
    s = as_recorded(), s.off_field = false;
    assert_status(d->ops->set_spectroscopy(d->self, &s, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->move_tip(d->self, 0, 0, 1e-6, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->run_spectroscopy(d->self, 1, &out, &err), RS_DRIVER_OK);
    assert_int_equal(out.fields, 1);
    for (int i = 0; i < STEPS; i++)
        assert_near(amplitude[i] * cosf(phase[i]), loop_at(0, 0, i), 1e-9);
    rs_instrument_close(d);
}

static void check_spectra(rs_instrument *d, int ix, int iy)
{
    static float spectra[2 * STEPS * BINS * 2];
    double frequency[BINS], want[2 * BINS];
    reshed_error err = {0};
    rs_spectrum out = {.steps = STEPS, .bins = BINS, .spectra = spectra, .frequency = frequency};
    assert_status(d->ops->move_tip(d->self, 1e-8 * ix, 2e-8 * iy, 1e-6, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->run_spectroscopy(d->self, 1, &out, &err), RS_DRIVER_OK);
    assert_int_equal(out.bins, BINS);
    assert_int_equal(out.fields, 2);
    assert_memory_equal(frequency, loop_axis(), sizeof frequency);
    for (int k = 0; k < 2; k++)
        for (int s = 0; s < STEPS; s++) {
            loop_spectrum(ix, iy, s, k == 0, want);
            for (int b = 0; b < 2 * BINS; b++)
                assert_near(spectra[(k * STEPS + s) * 2 * BINS + b], want[b], 1e-6);
        }
}

static void recorded_spectra_come_back(void **state)
{
    (void)state;
    write_loops(test_temp("spectra.h5"), true);
    const rs_driver_option option[] = {{"loops", test_temp("spectra.h5")}, {"clock", "0"}};
    rs_instrument *d = driver_open("replay", option, 2);
    reshed_error err = {0};
    rs_spectroscopy s = as_recorded();
    assert_true(d->caps.band_excitation);
    assert_int_equal(d->caps.bins, BINS);
    assert_status(d->ops->set_spectroscopy(d->self, &s, 1, &err), RS_DRIVER_OK);
    for (int i = 0; i < NX * NY; i++) check_spectra(d, i % NX, i / NX);
    rs_instrument_close(d);
    /* Beside an image the oscillator's amplitude and phase stand for them. */
    write_image(test_temp("image.gsf"));
    const rs_driver_option both[] = {
        {"loops", test_temp("spectra.h5")}, {"clock", "0"}, {"file", test_temp("image.gsf")}};
    d = driver_open("replay", both, 3);
    float amplitude[2 * STEPS], phase[2 * STEPS];
    rs_spectrum out = {.steps = STEPS, .amplitude = amplitude, .phase = phase};
    assert_false(d->caps.band_excitation);
    assert_status(d->ops->set_spectroscopy(d->self, &s, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->move_tip(d->self, 2e-8, 2e-8, 1e-6, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->run_spectroscopy(d->self, 1, &out, &err), RS_DRIVER_OK);
    assert_int_equal(out.bins, 0);
    for (int i = 0; i < 2 * STEPS; i++)
        assert_near(amplitude[i] * cosf(phase[i]) / loop_at(2, 1, i % STEPS), i < STEPS ? 2 : 1,
                    1e-3);
    rs_instrument_close(d);
}

/* The field changes from reading to reading, or (later) after all steps. */
static void write_usid(const char *path, bool later)
{
    static const char *const xy[2] = {"X", "Y"}, *const m[2] = {"um", "um"};
    static const char *const names[3] = {"Frequency", "DC_Offset", "Field"};
    static const char *const units[3] = {"kHz", "V", ""};
    static double pos[2 * NX * NY], spec[3 * 2 * STEPS * BINS], data[NX * NY * 4 * STEPS * BINS];
    const int points = 2 * STEPS * BINS;
    for (int i = 0; i < points; i++) {
        int reading = i / BINS, s = later ? reading % STEPS : reading / 2;
        bool on = later ? reading < STEPS : reading % 2 == 0;
        spec[i] = 1e-3 * loop_axis()[i % BINS];
        spec[points + i] = loop_volts()[s];
        spec[2 * points + i] = on;
        for (int p = 0; p < NX * NY && i % BINS == 0; p++)
            loop_spectrum(p % NX, p / NX, s, on, data + 2 * (p * points + i));
    }
    for (int p = 0; p < NX * NY; p++) {
        pos[2 * p] = 1e-2 * (p % NX);
        pos[2 * p + 1] = 2e-2 * (p / NX);
    }
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t m0 = H5Gcreate2(f, "Measurement_000", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t c0 = H5Gcreate2(m0, "Channel_000", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t pair = H5Tcreate(H5T_COMPOUND, 16);
    hsize_t size[2] = {NX * NY, (hsize_t)points};
    H5Tinsert(pair, "r", 0, H5T_IEEE_F64LE), H5Tinsert(pair, "i", 8, H5T_IEEE_F64LE);
    hid_t space = H5Screate_simple(2, size, NULL);
    hid_t raw = H5Dcreate2(c0, "Raw_Data", pair, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(raw >= 0 && H5Dwrite(raw, pair, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    assert_true(rs_h5_set_text(raw, "quantity", "Cantilever deflection"));
    assert_true(rs_h5_set_text(raw, "units", "V"));
    h5_put_ancillary(c0, "Position_Indices", NX * NY, 2, pos, xy, m, 2);
    h5_put_ancillary(c0, "Position_Values", NX * NY, 2, pos, xy, m, 2);
    h5_put_ancillary(c0, "Spectroscopic_Indices", 3, points, spec, names, units, 3);
    h5_put_ancillary(c0, "Spectroscopic_Values", 3, points, spec, names, units, 3);
    H5Dclose(raw), H5Sclose(space), H5Tclose(pair), H5Gclose(c0), H5Gclose(m0), H5Fclose(f);
}

static void recorded_usid_spectra_come_back(void **state)
{
    (void)state;
    for (int later = 0; later < 2; later++) {
        write_usid(test_temp("usid.h5"), later);
        const rs_driver_option option[] = {{"loops", test_temp("usid.h5")}, {"clock", "0"}};
        rs_instrument *d = driver_open("replay", option, 2);
        reshed_error err = {0};
        rs_spectroscopy s = as_recorded();
        assert_near(d->caps.limits.y_max, 2e-8, TOL_PIXEL);
        assert_status(d->ops->set_spectroscopy(d->self, &s, 1, &err), RS_DRIVER_OK);
        for (int i = 0; i < NX * NY; i++) check_spectra(d, i % NX, i / NX);
        rs_instrument_close(d);
    }
}

/* The real frames and the real grid, where they are at hand. */
static void shared_frames_are_replayed(void **state)
{
    (void)state;
    const char *frame = test_shared("data/pfm/PTO_Funakubo0001.h5");
    rs_image im = {0};
    reshed_error err = {0};
    assert_ok(rs_image_read(frame, NULL, &im, &err), &err);
    const rs_driver_option option[] = {{"file", frame}, {"clock", "0"}};
    rs_instrument *d = driver_open("replay", option, 2);
    int n = d->caps.channels;
    float *row = rs_alloc((size_t)im.width, (size_t)n * sizeof *row);
    assert_true(n > 2);
    assert_status(d->ops->start(d->self, 0, 1, &err), RS_DRIVER_OK);
    for (int r = 0; r < im.height; r++) {
        rs_line line = {.cols = im.width, .channels = n, .channel = row};
        assert_status(d->ops->wait_line(d->self, 1, &line, &err), RS_DRIVER_OK);
        assert_memory_equal(row, im.data + (size_t)r * (size_t)im.width,
                            (size_t)im.width * sizeof *row);
    }
    rs_free(row);
    rs_image_clear(&im);
    rs_instrument_close(d);
}

static void shared_loops_are_replayed(void **state)
{
    (void)state;
    const char *grid = test_shared("data/beps/BEPS_PTO_50x50.h5");
    const rs_driver_option option[] = {{"loops", grid}, {"clock", "0"}};
    rs_instrument *d = driver_open("replay", option, 2);
    double v[64];
    float amplitude[2 * 64], phase[2 * 64];
    reshed_error err = {0};
    for (int i = 0; i < 64; i++) { /* 8.5 V, from 0 upwards */
        int q = i % 64;
        v[i] = 8.5 / 16 * (q < 16 ? q : q < 48 ? 32 - q : q - 64);
    }
    rs_spectroscopy s = {.voltage = v, .steps = 64, .off_field = true, .dwell = 1e-3};
    rs_spectrum out = {.steps = 64, .amplitude = amplitude, .phase = phase};
    assert_status(d->ops->set_spectroscopy(d->self, &s, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->move_tip(d->self, 1e-6, 1e-6, 1e-6, 1, &err), RS_DRIVER_OK);
    assert_status(d->ops->run_spectroscopy(d->self, 1, &out, &err), RS_DRIVER_OK);
    for (int i = 64; i < 128; i++) assert_true(isfinite(amplitude[i]) && amplitude[i] >= 0);
    rs_instrument_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_comes_back_line_by_line),
        cmocka_unit_test(other_frames_are_sampled),
        cmocka_unit_test(wrong_replays_are_refused),
        cmocka_unit_test(recorded_loops_come_from_the_nearest_point),
        cmocka_unit_test(recorded_spectra_come_back),
        cmocka_unit_test(recorded_usid_spectra_come_back),
        cmocka_unit_test(shared_frames_are_replayed),
        cmocka_unit_test(shared_loops_are_replayed),
    };
    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
