/* Responses and recorded loops from files whose axes stand in unusual orders and units. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "io/hdf5/h5.h"
#include "io/nsid/write.h"
#include "spectra/axes.h"
#include "spectra/recorded.h"
#include "spectra/responses.h"
#include "support/h5_bare.h"
#include "support/loop_sim.h"

enum { NX = 3, NY = 2, STEPS = 16, BINS = 12, POINTS = NX * NY };

static double volts[STEPS], millivolts[STEPS], xs[NX], ys[NY], bins[BINS];

static int prepare(void **state)
{
    (void)state;
    sim_triangle(STEPS, 4, volts);
    for (int i = 0; i < STEPS; i++) millivolts[i] = 1e3 * volts[i];
    for (int i = 0; i < NX; i++) xs[i] = 10.0 * i;
    for (int i = 0; i < NY; i++) ys[i] = 20.0 * i;
    for (int i = 0; i < BINS; i++) bins[i] = 300 + 4.0 * i;
    return 0;
}

/* A number for each reading, by which it is known again. */
static double reading(int ix, int iy, int step)
{
    return ix + 10 * iy + 0.01 * step;
}

static void set(rs_nsid_dim *d, const char *name, const char *units, const char *type, int64_t n,
                double *v)
{
    rs_axis_name(d, name, "", units, type, n);
    d->values = v;
}

static void write_main(const char *path, rs_nsid_data *d)
{
    rs_nsid_writer *w = NULL;
    reshed_error err = {0};
    strcpy(d->name, "loops");
    strcpy(d->units, "V");
    strcpy(d->data_type, "IMAGE_4D");
    assert_ok(rs_nsid_create(path, RS_NSID_ATOMIC, &w, &err), &err);
    reshed_status st = rs_nsid_add(w, "/M", d, RS_NSID_F64, NULL, 0, &err);
    assert_ok(rs_nsid_finish(w, st, &err), &err);
}

/* Y, voltage in mV, X in nm: real. */
static void write_map(const char *path)
{
    double data[POINTS * STEPS];
    rs_nsid_data d = {.ndim = 3, .data = data};
    set(&d.dim[0], "Y", "nm", "SPATIAL", NY, ys);
    set(&d.dim[1], "Voltage", "mV", "SPECTRAL", STEPS, millivolts);
    set(&d.dim[2], "X", "nm", "SPATIAL", NX, xs);
    for (int iy = 0; iy < NY; iy++)
        for (int s = 0; s < STEPS; s++)
            for (int ix = 0; ix < NX; ix++) data[(iy * STEPS + s) * NX + ix] = reading(ix, iy, s);
    write_main(path, &d);
}

static void maps_may_have_y_first(void **state)
{
    (void)state;
    write_map(test_temp("map.h5"));
    reshed_error err = {0};
    rs_responses r = {0};
    const rs_responses_source source = {.degrees = -1};
    assert_ok(rs_responses_read(test_temp("map.h5"), &source, &r, &err), &err);
    assert_true(r.on_axes && r.x_axis == 1 && r.y_axis == 0 && r.points == POINTS);
    for (int iy = 0; iy < NY; iy++)
        for (int ix = 0; ix < NX; ix++) {
            assert_near(r.x[iy * NX + ix], xs[ix], 0);
            assert_near(r.y[iy * NX + ix], ys[iy], 0);
        }
    rs_responses_clear(&r);

    rs_recorded l;
    double far;
    assert_ok(rs_recorded_read(test_temp("map.h5"), NULL, true, &l, &err), &err);
    assert_true(l.points == POINTS && l.steps == STEPS && l.bins == 0 && l.off && !l.on);
    for (int i = 0; i < STEPS; i++) assert_near(l.v[i], volts[i], 1e-12);
    for (int iy = 0; iy < NY; iy++)
        for (int ix = 0; ix < NX; ix++) {
            int64_t p = rs_recorded_nearest(&l, 1e-9 * xs[ix] + 3e-9, 1e-9 * ys[iy], &far);
            assert_near(far, 3e-9, 1e-18);
            assert_near(l.x[p], 1e-9 * xs[ix], 1e-20);
            for (int s = 0; s < STEPS; s++) {
                assert_near(l.z[(p * STEPS + s) * 2], reading(ix, iy, s), 1e-5);
                assert_near(l.z[(p * STEPS + s) * 2 + 1], 0, 0);
            }
        }
    rs_recorded_clear(&l);
    assert_ok(rs_recorded_read(test_temp("map.h5"), "loops", false, &l, &err), &err);
    assert_true(l.on && !l.off);
    rs_recorded_clear(&l);
}

/* Frequency first, then X, cycles, voltages, Y: complex. */
static void spectra_may_have_their_bins_first(void **state)
{
    (void)state;
    static double data[2 * BINS * NX * 2 * STEPS * NY];
    double one[2] = {0, 1};
    rs_nsid_data d = {.ndim = 5, .data = data, .is_complex = true};
    set(&d.dim[0], "Frequency", "kHz", "SPECTRAL", BINS, bins);
    set(&d.dim[1], "X", "nm", "SPATIAL", NX, xs);
    set(&d.dim[2], "Cycle", "", "CHANNEL", 2, one);
    set(&d.dim[3], "Voltage", "V", "SPECTRAL", STEPS, volts);
    set(&d.dim[4], "Y", "nm", "SPATIAL", NY, ys);
    for (int b = 0, at = 0; b < BINS; b++)
        for (int ix = 0; ix < NX; ix++)
            for (int c = 0; c < 2; c++)
                for (int s = 0; s < STEPS; s++)
                    for (int iy = 0; iy < NY; iy++) {
                        data[at++] = reading(ix, iy, s) + 100 * c;
                        data[at++] = b;
                    }
    write_main(test_temp("spectra.h5"), &d);
    reshed_error err = {0};
    rs_recorded l;
    assert_ok(rs_recorded_read(test_temp("spectra.h5"), NULL, true, &l, &err), &err);
    assert_true(l.points == POINTS && l.steps == 2 * STEPS && l.bins == BINS && l.off && !l.on);
    for (int b = 0; b < BINS; b++) assert_near(l.frequency[b], 1e3 * bins[b], 1e-6);
    const float *z = l.z;
    for (int ix = 0; ix < NX; ix++)
        for (int iy = 0; iy < NY; iy++)
            for (int s = 0; s < 2 * STEPS; s++)
                for (int b = 0; b < BINS; b++, z += 2) {
                    assert_near(z[0], reading(ix, iy, s % STEPS) + 100 * (s / STEPS), 1e-4);
                    assert_near(z[1], b, 0);
                }
    rs_recorded_clear(&l);
}

/* Scattered points in USID, in micrometres, voltages in mV. */
static void write_usid(const char *path)
{
    static const char *const xy[2] = {"X", "Y"}, *const um[2] = {"um", "um"};
    static const char *const names[2] = {"Frequency", "DC_Offset"}, *const units[2] = {"kHz", "mV"};
    static double pos[2 * POINTS], spec[2 * STEPS * BINS], data[2 * POINTS * STEPS * BINS];
    const int points = STEPS * BINS;
    for (int k = 0; k < points; k++) {
        spec[k] = bins[k % BINS];
        spec[points + k] = millivolts[k / BINS];
    }
    for (int p = 0; p < POINTS; p++) {
        pos[2 * p] = 0.1 * p * p;
        pos[2 * p + 1] = 0.3 * p;
        for (int k = 0; k < points; k++) data[2 * (p * points + k)] = reading(p, 0, k / BINS);
    }
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t m0 = H5Gcreate2(f, "Measurement_000", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t c0 = H5Gcreate2(m0, "Channel_000", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t pair = H5Tcreate(H5T_COMPOUND, 16);
    hsize_t size[2] = {POINTS, (hsize_t)points};
    H5Tinsert(pair, "r", 0, H5T_IEEE_F64LE), H5Tinsert(pair, "i", 8, H5T_IEEE_F64LE);
    hid_t space = H5Screate_simple(2, size, NULL);
    hid_t raw = H5Dcreate2(c0, "Raw_Data", pair, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(raw >= 0 && H5Dwrite(raw, pair, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    assert_true(rs_h5_set_text(raw, "units", "V"));
    h5_put_ancillary(c0, "Position_Indices", POINTS, 2, pos, xy, um, 2);
    h5_put_ancillary(c0, "Position_Values", POINTS, 2, pos, xy, um, 2);
    h5_put_ancillary(c0, "Spectroscopic_Indices", 2, points, spec, names, units, 2);
    h5_put_ancillary(c0, "Spectroscopic_Values", 2, points, spec, names, units, 2);
    H5Dclose(raw), H5Sclose(space), H5Tclose(pair), H5Gclose(c0), H5Gclose(m0), H5Fclose(f);
}

static void usid_points_may_be_scattered(void **state)
{
    (void)state;
    write_usid(test_temp("usid.h5"));
    reshed_error err = {0};
    rs_recorded l;
    assert_ok(rs_recorded_read(test_temp("usid.h5"), NULL, true, &l, &err), &err);
    assert_true(l.points == POINTS && l.steps == STEPS && l.bins == BINS);
    for (int p = 0; p < POINTS; p++) {
        assert_near(l.x[p], 1e-7 * p * p, 1e-20);
        assert_near(l.y[p], 3e-7 * p, 1e-20);
        for (int k = 0; k < STEPS * BINS; k++)
            assert_near(l.z[2 * (p * STEPS * BINS + k)], reading(p, 0, k / BINS), 1e-5);
    }
    for (int i = 0; i < STEPS; i++) assert_near(l.v[i], volts[i], 1e-12);
    rs_recorded_clear(&l);
}

static void what_has_no_place_is_refused(void **state)
{
    (void)state;
    double data[2 * NX * STEPS] = {0};
    reshed_error err = {0};
    rs_recorded l = {.points = 77};
    rs_nsid_data d = {.ndim = 2, .data = data};
    set(&d.dim[0], "Temperature", "K", "CHANNEL", NX, xs);
    set(&d.dim[1], "Voltage", "V", "SPECTRAL", STEPS, volts);
    write_main(test_temp("bad.h5"), &d);
    assert_int_equal(rs_recorded_read(test_temp("bad.h5"), NULL, true, &l, &err),
                     RESHED_EUNSUPPORTED);
    set(&d.dim[1], "Frequency", "kHz", "SPECTRAL", BINS, bins);
    write_main(test_temp("bad.h5"), &d);
    assert_int_equal(rs_recorded_read(test_temp("bad.h5"), NULL, true, &l, &err),
                     RESHED_EUNSUPPORTED); /* no voltages */
    assert_int_equal(rs_recorded_read(test_temp("bad.h5"), "none", true, &l, &err), RESHED_EINVAL);
    assert_int_equal(rs_recorded_read(test_temp("absent.h5"), NULL, true, &l, &err), RESHED_EIO);
    assert_int_equal(l.points, 77);
}

static void memory_may_fail(void **state)
{
    (void)state;
    const char *const files[] = {"map.h5", "usid.h5"};
    write_map(test_temp("map.h5"));
    write_usid(test_temp("usid.h5"));
    for (int f = 0; f < 2; f++)
        for (long k = 0;; k++) {
            reshed_error err = {0};
            rs_recorded l = {0};
            test_alloc_fail_at(k);
            reshed_status st = rs_recorded_read(test_temp(files[f]), NULL, true, &l, &err);
            bool failed = test_alloc_failed();
            test_alloc_fail_at(-1);
            if (!failed) {
                assert_ok(st, &err);
                rs_recorded_clear(&l);
                break;
            }
            assert_int_equal(st, RESHED_ENOMEM);
            assert_null(l.z);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_may_have_y_first),
        cmocka_unit_test(spectra_may_have_their_bins_first),
        cmocka_unit_test(usid_points_may_be_scattered),
        cmocka_unit_test(what_has_no_place_is_refused),
        cmocka_unit_test(memory_may_fail),
    };
    return cmocka_run_group_tests(tests, prepare, NULL);
}
