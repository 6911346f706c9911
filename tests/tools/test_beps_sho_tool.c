/* `reshed-beps sho` from file to file, and the USID reader behind it. */
#define _POSIX_C_SOURCE 200809L
#include "support/support.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "tools/beps/sho.h"
#include "base/alloc.h"
#include "base/os.h"
#include "beps/sho_fit.h"
#include "io/hdf5/h5.h"
#include "io/nsid/write.h"
#include "io/nsid/usid.h"
#include "support/h5_bare.h"
#include "support/h5_damage.h"
#include "support/io_support.h"

#define NY 5
#define NX 7
#define BINS 48
#define COUNT (NY * NX)

/* The spectra of all files: one noisy resonance per pixel, and what a fit by the library gives. */
static double axis[BINS], spectra[COUNT * 2 * BINS];
static rs_sho truth[COUNT];
static rs_sho_fit expected[COUNT];

static int prepare(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    rs_sho_plan *plan = NULL;
    for (int k = 0; k < BINS; k++) axis[k] = 300e3 + 1e3 * k;
    for (int i = 0; i < COUNT; i++) {
        double *y = spectra + (size_t)i * 2 * BINS;
        truth[i] = (rs_sho){test_uniform(&r, 1e-4, 2e-4), test_uniform(&r, 310e3, 337e3),
                            test_uniform(&r, 50, 200), test_uniform(&r, -3, 3)};
        rs_sho_eval(&truth[i], axis, BINS, y);
        for (int k = 0; k < 2 * BINS; k++)
            y[k] += 0.02 * truth[i].amplitude * truth[i].q * test_gauss(&r);
    }
    memset(spectra + 2 * BINS * 11, 0, 2 * BINS * sizeof *spectra); /* one dead pixel */
    if (rs_sho_plan_create(axis, BINS, NULL, &plan, NULL) != RESHED_OK) return -1;
    rs_sho_fit_f64(plan, spectra, COUNT, expected);
    rs_sho_plan_free(plan);
    for (int i = 0; i < COUNT; i++)
        if (i != 11 &&
            fabs(expected[i].p.frequency - truth[i].frequency) > 5 * expected[i].se.frequency)
            return -1;
    return 0;
}

/* ----------------------------------------------------------------------------------- running it */
/* Runs the subcommand with the words of `line` (blanks between) and gives its exit status; what it
 * says goes to the files "out" and "err". */
static int run(const char *line)
{
    char words[1024], *argv[40] = {(char[]){"sho"}}, out[512], err[512];
    int argc = 1;
    snprintf(words, sizeof words, "%s", line);
    snprintf(out, sizeof out, "%s", test_temp("out"));
    snprintf(err, sizeof err, "%s", test_temp("err"));
    for (char *w = strtok(words, " "); w; w = strtok(NULL, " ")) argv[argc++] = w;
    argv[argc] = NULL;
    fflush(NULL);
    int saved_out = dup(1), saved_err = dup(2);
    int to_out = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int to_err = open(err, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(to_out >= 0 && to_err >= 0 && dup2(to_out, 1) >= 0 && dup2(to_err, 2) >= 0);
    int rc = beps_sho_main(argc, argv);
    fflush(NULL);
    dup2(saved_out, 1), dup2(saved_err, 2);
    close(saved_out), close(saved_err), close(to_out), close(to_err);
    return rc;
}

/* Returns whether the file "out" or "err" holds the text. */
static bool said(const char *which, const char *text)
{
    size_t n;
    char *s = (char *)test_read_file(test_temp(which), &n);
    char *z = rs_alloc(n + 1, 1);
    assert_non_null(z);
    memcpy(z, s, n);
    z[n] = '\0';
    bool found = strstr(z, text) != NULL;
    rs_free(s);
    rs_free(z);
    return found;
}

static int run_on(const char *input, const char *options)
{
    char line[1024], path[512];
    snprintf(path, sizeof path, "%s", test_temp(input));
    snprintf(line, sizeof line, "%s -o %s %s", path, test_temp("maps.h5"), options);
    return run(line);
}

/* The map `name` of the result; its shape must be dims[ndim]. */
static void read_map(const char *name, int ndim, const int64_t *dims, rs_nsid_data *d)
{
    reshed_error err = {0};
    rs_nsid_file *f = NULL;
    int k = -1;
    char path[256];
    snprintf(path, sizeof path, "/Measurement_000/SHO_Fit/%s/%s", name, name);
    assert_ok(rs_nsid_open(test_temp("maps.h5"), &f, &err), &err);
    assert_ok(rs_nsid_find(f, path, &k, &err), &err);
    assert_ok(rs_nsid_read(f, k, d, &err), &err);
    rs_nsid_close(f);
    assert_int_equal(d->ndim, ndim);
    for (int i = 0; i < ndim; i++) assert_int_equal(d->dim[i].n, dims[i]);
}

/* Compares the maps with the library's fits of the same spectra, to the rounding of stored spectra.
 */
static void check_maps(int ndim, const int64_t *dims, double tolerance)
{
    static const char *const names[] = {"Amplitude",   "Frequency",      "Quality Factor",
                                        "Phase",       "Peak Amplitude", "Frequency Error",
                                        "R2 Criterion"};
    static const char *const units[] = {"V", "Hz", "a.u.", "rad", "V", "Hz", "a.u."};
    for (size_t m = 0; m < sizeof names / sizeof *names; m++) {
        rs_nsid_data d = {0};
        read_map(names[m], ndim, dims, &d);
        assert_string_equal(d.units, units[m]);
        assert_int_equal(d.count, COUNT);
        for (int i = 0; i < COUNT; i++) {
            const rs_sho_fit *f = &expected[i];
            const double want[] = {f->p.amplitude, f->p.frequency,  f->p.q, f->p.phase,
                                   f->peak,        f->se.frequency, f->r2};
            const double scale[] = {f->se.amplitude, f->se.frequency, f->se.q, f->se.phase,
                                    f->se_peak,      f->se.frequency, 1};
            if (i == 11)
                assert_true(isnan(d.data[i]));
            else
                assert_true(fabs(d.data[i] - want[m]) <= tolerance * scale[m]);
        }
        rs_nsid_data_clear(&d);
    }
    rs_nsid_data d = {0};
    read_map("Flags", ndim, dims, &d);
    for (int i = 0; i < COUNT; i++) assert_true(d.data[i] == expected[i].flags);
    rs_nsid_data_clear(&d);
}

/* ---------------------------------------------------------------------------- NSID in, maps out */
static rs_nsid_dim dimension(const char *name, const char *quantity, const char *units,
                             const char *type, int64_t n, double *values)
{
    rs_nsid_dim d = {.n = n, .values = values};
    snprintf(d.name, sizeof d.name, "%s", name);
    snprintf(d.quantity, sizeof d.quantity, "%s", quantity);
    snprintf(d.units, sizeof d.units, "%s", units);
    snprintf(d.type, sizeof d.type, "%s", type);
    return d;
}

/* Writes data (complex, or real when is_complex is false) over these axes as one dataset. */
static void write_nsid(const char *file, const char *group, int ndim, const rs_nsid_dim *dims,
                       double *data, bool is_complex, const char *frequency)
{
    reshed_error err = {0};
    rs_nsid_writer *w = NULL;
    rs_nsid_data d = {.ndim = ndim, .is_complex = is_complex, .data = data};
    uint64_t bins = BINS;
    strcpy(d.name, "Complex Spectra"), strcpy(d.units, "V"), strcpy(d.data_type, "SPECTRAL_IMAGE");
    for (int i = 0; i < ndim; i++) d.dim[i] = dims[i];
    assert_ok(rs_nsid_create(test_temp(file), RS_NSID_ATOMIC, &w, &err), &err);
    assert_ok(rs_nsid_add(w, group, &d, RS_NSID_F64, NULL, 0, &err), &err);
    if (frequency)
        assert_ok(rs_nsid_put_array(w, frequency, 1, &bins, axis, RS_NSID_F64, &err), &err);
    assert_ok(rs_nsid_finish(w, RESHED_OK, &err), &err);
}

static void nsid_with_a_frequency_axis(void **state)
{
    (void)state;
    double khz[BINS], ys[NY];
    const int64_t shape[2] = {NY, NX};
    for (int k = 0; k < BINS; k++) khz[k] = axis[k] / 1e3;
    for (int i = 0; i < NY; i++) ys[i] = 1e-8 * i + 3e-6;
    const rs_nsid_dim last[3] = {dimension("y axis", "Length", "m", "SPATIAL", NY, ys),
                                 dimension("x axis", "Length", "m", "SPATIAL", NX, NULL),
                                 dimension("f", "Frequency", "kHz", "SPECTRAL", BINS, khz)};
    write_nsid("last.h5", "/Measurement_000/Channel_000", 3, last, spectra, true, NULL);
    assert_int_equal(run_on("last.h5", ""), 0);
    assert_true(said("out", "35 spectra of 48 bins") && said("out", "1: all bins have one value"));
    check_maps(2, shape, 1e-6);
    rs_nsid_data d = {0};
    read_map("Amplitude", 2, shape, &d);
    assert_string_equal(d.dim[0].name, "y axis");
    assert_string_equal(d.dim[0].units, "m");
    assert_string_equal(d.data_type, "IMAGE");
    for (int i = 0; i < NY; i++) assert_true(d.dim[0].values[i] == ys[i]);
    rs_nsid_data_clear(&d);

    /* First instead of last, falling instead of rising, and conjugated. */
    static double turned[COUNT * 2 * BINS];
    double falling[BINS];
    for (int k = 0; k < BINS; k++) {
        falling[k] = axis[BINS - 1 - k];
        for (int i = 0; i < COUNT; i++) {
            const double *from = spectra + 2 * ((size_t)i * BINS + (size_t)(BINS - 1 - k));
            double *to = turned + 2 * ((size_t)k * COUNT + (size_t)i);
            to[0] = from[0], to[1] = -from[1];
        }
    }
    const rs_nsid_dim first[3] = {dimension("bin", "generic", "Hz", "SPECTRAL", BINS, falling),
                                  last[0], last[1]};
    write_nsid("first.h5", "/Measurement_000/Channel_000", 3, first, turned, true, NULL);
    assert_int_equal(run_on("first.h5", "--json"), 0);
    assert_true(said("out", "\"conjugated\": true") && said("out", "\"failed\": 1,") &&
                said("out", "\"all bins have one value\": 1"));
    check_maps(2, shape, 1e-6);
    assert_int_equal(run_on("first.h5", "--quiet --conjugate no"), 0);
    assert_false(said("out", "s"));
    read_map("R2 Criterion", 2, shape, &d);
    assert_true(d.data[0] < 0.9);
    rs_nsid_data_clear(&d);
    assert_int_equal(run_on("first.h5", "--quiet --conjugate yes"), 0);
    check_maps(2, shape, 1e-6);
}

static void files_of_the_paper_s_author(void **state)
{
    (void)state;
    const char *group = "/BE Complex Spectra/Complex Spectra", *f = "/BE Parameters/frequency";
    const rs_nsid_dim lines[2] = {
        dimension("location index y", "index", "generic", "SPATIAL", NY, NULL),
        dimension("location index x", "index", "Hz", "SPATIAL", NX * BINS, NULL)};
    const int64_t shape[2] = {NY, NX};
    rs_nsid_data d = {0};
    write_nsid("raster.hf5", group, 2, lines, spectra, true, f);
    assert_int_equal(run_on("raster.hf5", "--quiet"), 0);
    check_maps(2, shape, 1e-6);
    read_map("Phase", 2, shape, &d);
    assert_string_equal(d.dim[0].name, "y");
    assert_string_equal(d.dim[1].name, "x");
    assert_string_equal(d.data_type, "IMAGE");
    rs_nsid_data_clear(&d);

    /* With a waveform the pulses are steps, and the waveform comes along. */
    reshed_error err = {0};
    rs_nsid_writer *w = NULL;
    rs_nsid_file *r = NULL;
    rs_nsid_array a = {0};
    uint64_t steps = NX;
    double volts[NX] = {0, 1, 2, 1, 0, -1, -2};
    assert_ok(rs_nsid_create(test_temp("raster.hf5"), RS_NSID_APPEND, &w, &err), &err);
    assert_ok(rs_nsid_put_array(w, "/BEPS/vdc_waveform", 1, &steps, volts, RS_NSID_F64, &err),
              &err);
    assert_ok(rs_nsid_finish(w, RESHED_OK, &err), &err);
    assert_int_equal(run_on("raster.hf5", "--quiet"), 0);
    check_maps(2, shape, 1e-6);
    read_map("Phase", 2, shape, &d);
    assert_string_equal(d.dim[1].name, "Step");
    rs_nsid_data_clear(&d);
    assert_ok(rs_nsid_open(test_temp("maps.h5"), &r, &err), &err);
    assert_ok(rs_nsid_read_array(r, "/BEPS/vdc_waveform", &a, &err), &err);
    assert_memory_equal(a.data, volts, sizeof volts);
    rs_nsid_array_clear(&a);
    assert_ok(rs_nsid_read_array(r, "/BE Parameters/frequency", &a, &err), &err);
    assert_memory_equal(a.data, axis, sizeof axis);
    rs_nsid_array_clear(&a);
    rs_nsid_close(r);
}

static void options_reach_the_fit_and_the_maps(void **state)
{
    (void)state;
    const int64_t shape[2] = {NY, NX}, five[3] = {NY, NX, 5};
    const rs_nsid_dim dims[3] = {dimension("y", "Length", "m", "SPATIAL", NY, NULL),
                                 dimension("x", "Length", "m", "SPATIAL", NX, NULL),
                                 dimension("k", "bin", "a.u.", "SPECTRAL", BINS, NULL)};
    rs_nsid_data d = {0}, e = {0};
    write_nsid("bins.h5", "/Measurement_000/Channel_000", 3, dims, spectra, true, "/my/axis");
    assert_int_equal(run_on("bins.h5", ""), 1);
    assert_true(said("err", "reshed-beps sho: ") && said("err", "frequencies of the bins"));
    assert_int_equal(run_on("bins.h5", "--frequency /my/axis --quiet --sho32 --threads 3"), 0);
    check_maps(2, shape, 1e-6);
    read_map("sho32", 3, five, &d);
    read_map("Quality Factor", 2, shape, &e);
    for (int i = 0; i < COUNT; i++)
        if (i != 11) assert_true(fabs(d.data[5 * i + 2] - e.data[i]) <= 1e-6 * e.data[i]);
    rs_nsid_data_clear(&d);
    rs_nsid_data_clear(&e);
    assert_int_equal(run_on("bins.h5", "--band 300e3,347e3 --quiet"), 0);
    check_maps(2, shape, 1e-6);

    /* Limits make failures, and --mask empties them. */
    assert_int_equal(run_on("bins.h5", "--band 300e3,347e3 --q 2,100 --mask --json"), 0);
    read_map("Amplitude", 2, shape, &d);
    read_map("Flags", 2, shape, &e);
    int limited = 0;
    for (int i = 0; i < COUNT; i++) {
        bool failed = ((unsigned)e.data[i] & RS_SHO_FAILED) != 0;
        assert_true(failed == isnan(d.data[i]));
        limited += ((unsigned)e.data[i] & RS_SHO_Q_LIM) != 0;
        if (truth[i].q < 80 && i != 11) assert_false(failed);
        if (truth[i].q > 130 && i != 11) assert_true(failed);
    }
    assert_true(limited > 5 && limited < COUNT - 5);
    rs_nsid_data_clear(&d);
    rs_nsid_data_clear(&e);
    assert_int_equal(run_on("bins.h5", "--band 300e3,347e3 --min-r2 0.99999 --json"), 0);
    assert_true(said("out", "\"failed\": 35,") && said("out", "\"r2_median\": null"));
    assert_int_equal(run_on("bins.h5", "--band 300e3,347e3 --plain --w0 1e5,4e5 --amplitude 0,1"
                                       " --quiet"),
                     0);
    assert_int_equal(run_on("bins.h5", "--band 300e3,347e3 --channel nope"), 1);
}

static void wrong_use_and_wrong_files_are_told(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "a.h5",
                                        "-o x.h5",
                                        "a.h5 b.h5 -o x.h5",
                                        "a.h5 -o a.h5",
                                        "a.h5 -o",
                                        "a.h5 --nope",
                                        "--band 3 a.h5",
                                        "--band 2,1 a.h5",
                                        "--q 0,1 a.h5",
                                        "--w0 1,x a",
                                        "--threads 0 a",
                                        "--conjugate may a",
                                        "--min-r2 2 a",
                                        "a.h5 -o x.h5 --frequency /f --band 1,2"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(run(wrong[i]), 2);
        assert_true(said("err", "Try 'reshed-beps sho --help'."));
    }
    assert_int_equal(run("--help"), 0);
    assert_true(said("out", "Usage: reshed-beps sho"));
    assert_int_equal(run("--version"), 0);
    assert_true(said("out", RESHED_VERSION));
    assert_int_equal(run_on("absent.h5", ""), 1);
    assert_true(said("err", "absent.h5: cannot open"));

    const rs_nsid_dim dims[2] = {dimension("x", "Length", "m", "SPATIAL", COUNT * 2, NULL),
                                 dimension("f", "Frequency", "Hz", "SPECTRAL", BINS, axis)};
    write_nsid("real.h5", "/M", 2, dims, spectra, false, NULL);
    assert_int_equal(run_on("real.h5", ""), 1);
    assert_true(said("err", "a complex NSID or USID dataset"));
    assert_int_equal(run_on("real.h5", "--channel 0"), 1);
    assert_true(said("err", "complex numbers"));
    double twice[BINS];
    memcpy(twice, axis, sizeof twice);
    twice[7] = twice[6];
    const rs_nsid_dim bad[2] = {dimension("x", "Length", "m", "SPATIAL", COUNT, NULL),
                                dimension("f", "Frequency", "Hz", "SPECTRAL", BINS, twice)};
    write_nsid("twice.h5", "/M", 2, bad, spectra, true, NULL);
    assert_int_equal(run_on("twice.h5", ""), 1);
    assert_true(said("err", "rising frequencies"));
    const rs_nsid_dim odd[2] = {dimension("x", "", "m", "SPATIAL", COUNT * BINS / 5, NULL),
                                dimension("k", "", "", "SPECTRAL", 5, NULL)};
    write_nsid("odd.h5", "/M", 2, odd, spectra, true, "/BE Parameters/frequency");
    assert_int_equal(run_on("odd.h5", ""), 1);
    assert_true(said("err", "divides the last axis"));

    char line[1024], path[512];
    snprintf(path, sizeof path, "%s", test_temp("twice.h5"));
    snprintf(line, sizeof line, "%s --band 1e3,2e3 -o /nonexistent/x.h5", path);
    assert_int_equal(run(line), 1);
    assert_true(said("err", "/nonexistent/x.h5: cannot create"));
}

static void each_allocation_failure_is_an_error(void **state)
{
    (void)state;
    const rs_nsid_dim dims[3] = {dimension("y", "Length", "m", "SPATIAL", NY, NULL),
                                 dimension("f", "Frequency", "Hz", "SPECTRAL", BINS, axis),
                                 dimension("x", "Length", "m", "SPATIAL", NX, NULL)};
    write_nsid("moved.h5", "/M", 3, dims, spectra, true, NULL);
    for (long n = 0;; n++) {
        remove(test_temp("maps.h5"));
        test_alloc_fail_at(n);
        int rc = run_on("moved.h5", "--quiet --sho32 --threads 1");
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_int_equal(rc, 0);
            assert_true(n > 20);
            break;
        }
        assert_int_equal(rc, 1);
        assert_false(rs_os_is_file(test_temp("maps.h5")));
    }
}

/* -------------------------------------------------------------------------------------- USID in */
/* One ancillary dataset [rows][columns] and the main dataset's reference to it. */
static void add_ancillary(hid_t group, hid_t main, const char *name, int rows, int columns,
                          const double *v, const char *const *labels, const char *const *units,
                          int n)
{
    hobj_ref_t ref;
    h5_put_ancillary(group, name, rows, columns, v, labels, units, n);
    assert_true(H5Rcreate(&ref, group, name, H5R_OBJECT, -1) >= 0);
    hid_t scalar = H5Screate(H5S_SCALAR);
    hid_t attr = H5Acreate2(main, name, H5T_STD_REF_OBJ, scalar, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(attr, H5T_STD_REF_OBJ, &ref) >= 0);
    H5Aclose(attr), H5Sclose(scalar);
}

/* `positions` spectra of `steps` sweeps over `bins` of the axis; grid: X fast, else scattered. */
static void write_usid(const char *file, int positions, int columns, int steps, int bins,
                       const double *data, bool grid)
{
    static const char *const xy[2] = {"X", "Y"}, *const m[2] = {"m", "m"};
    static const char *const names[2] = {"Frequency", "DC_Offset"}, *const units[2] = {"Hz", "V"};
    static double pos[2 * COUNT], spec[2 * COUNT * BINS];
    int points = steps * bins;
    for (int i = 0; i < positions; i++) {
        pos[2 * i] = 1e-7 * (i % columns) + (grid ? 0 : 1e-9 * i), pos[2 * i + 1] = i / columns;
    }
    for (int k = 0; k < points; k++)
        spec[k] = axis[k % bins], spec[points + k] = 0.5 * (k / bins) - 1;
    hid_t f = H5Fcreate(test_temp(file), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t m0 = H5Gcreate2(f, "Measurement_000", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t c0 = H5Gcreate2(m0, "Channel_000", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t pair = H5Tcreate(H5T_COMPOUND, 16);
    hsize_t size[2] = {(hsize_t)positions, (hsize_t)points};
    H5Tinsert(pair, "r", 0, H5T_IEEE_F64LE), H5Tinsert(pair, "i", 8, H5T_IEEE_F64LE);
    hid_t space = H5Screate_simple(2, size, NULL);
    hid_t raw = H5Dcreate2(c0, "Raw_Data", pair, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(raw >= 0 && H5Dwrite(raw, pair, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    assert_true(rs_h5_set_text(raw, "quantity", "Cantilever deflection"));
    assert_true(rs_h5_set_text(raw, "units", "V"));
    add_ancillary(c0, raw, "Position_Indices", positions, 2, pos, xy, m, 2);
    add_ancillary(c0, raw, "Position_Values", positions, 2, pos, xy, m, 2);
    add_ancillary(c0, raw, "Spectroscopic_Indices", 2, points, spec, names, units, 2);
    add_ancillary(c0, raw, "Spectroscopic_Values", 2, points, spec, names, units, 2);
    H5Dclose(raw), H5Sclose(space), H5Tclose(pair), H5Gclose(c0), H5Gclose(m0), H5Fclose(f);
}

static void usid_files_of_bglib(void **state)
{
    (void)state;
    const int64_t image[2] = {NY, NX}, points[2] = {NY, NX}, list[1] = {COUNT};
    rs_nsid_data d = {0};
    rs_nsid_file *f = NULL;
    rs_nsid_array a = {0};
    reshed_error err = {0};
    write_usid("image.h5", COUNT, NX, 1, BINS, spectra, true);
    assert_int_equal(run_on("image.h5", "--json"), 0);
    assert_true(said("out", "\"layout\": \"USID\"") && said("out", "Channel_000/Raw_Data"));
    check_maps(2, image, 1e-6);
    read_map("Amplitude", 2, image, &d);
    assert_string_equal(d.dim[0].name, "Y");
    assert_string_equal(d.dim[1].name, "X");
    assert_true(d.dim[0].values[1] == 1 && fabs(d.dim[1].values[2] - 2e-7) < 1e-20);
    rs_nsid_data_clear(&d);

    /* Five scattered points with seven voltage steps each. */
    write_usid("points.h5", NY, 2, NX, BINS, spectra, false);
    assert_int_equal(run_on("points.h5", "--quiet --channel Raw_Data"), 0);
    check_maps(2, points, 1e-6);
    assert_ok(rs_nsid_open(test_temp("maps.h5"), &f, &err), &err);
    assert_ok(rs_nsid_read_array(f, "/Spectroscopic/DC_Offset", &a, &err), &err);
    assert_int_equal(a.count, NX);
    for (int i = 0; i < NX; i++) assert_true(a.data[i] == 0.5 * i - 1);
    rs_nsid_array_clear(&a);
    assert_ok(rs_nsid_read_array(f, "/Positions/Y", &a, &err), &err);
    assert_int_equal(a.count, NY);
    assert_true(a.data[4] == 2);
    rs_nsid_array_clear(&a);
    rs_nsid_close(f);

    write_usid("list.h5", COUNT, 4, 1, BINS, spectra, false);
    assert_int_equal(run_on("list.h5", "--quiet"), 0);
    check_maps(1, list, 1e-6);
    assert_int_equal(run_on("list.h5", "--channel Other"), 1);
}

/* --------------------------------------------------------------------------------- hostile USID */
/* A small file: 2 positions, 2 steps of 4 bins. */
static uint8_t *small_usid(size_t *len)
{
    write_usid("small.h5", 2, 2, 2, 4, spectra, true);
    return test_read_file(test_temp("small.h5"), len);
}

static volatile double sink; /* what was read is used */

/* Reads and walks over all of it; *sane: a success is whole, and a failure leaves nothing. */
static reshed_status read_and_walk(const uint8_t *data, size_t len, bool *sane, reshed_error *err)
{
    rs_usid_data d = {0};
    rs_nsid_file *file = NULL;
    char path[256];
    reshed_status st = rs_nsid_open_mem(data, len, &file, err);
    if (st == RESHED_OK && !rs_usid_find(file, NULL, path, sizeof path))
        st = rs_fail(err, RESHED_ECORRUPT, "no USID main dataset");
    if (st == RESHED_OK) st = rs_usid_read(file, path, &d, err);
    rs_nsid_close(file);
    const rs_usid_axes *axes[2] = {&d.position, &d.spectral};
    *sane = st == RESHED_OK ? d.data != NULL : d.data == NULL;
    if (st != RESHED_OK) return st;
    for (int a = 0; a < 2; a++) {
        *sane = *sane && axes[a]->n >= 1 && axes[a]->dims >= 1 && axes[a]->dims <= RS_USID_MAX_DIMS;
        for (int64_t i = 0; *sane && i < axes[a]->dims * axes[a]->n; i++) sink = axes[a]->values[i];
        for (int i = 0; *sane && i < axes[a]->dims; i++)
            *sane = memchr(axes[a]->label[i], 0, sizeof axes[a]->label[i]) &&
                    memchr(axes[a]->units[i], 0, sizeof axes[a]->units[i]);
    }
    for (int64_t i = 0; *sane && i < d.position.n * d.spectral.n * (d.is_complex ? 2 : 1); i++)
        sink = d.data[i];
    rs_usid_data_clear(&d);
    return RESHED_OK;
}

static reshed_status read_usid(const uint8_t *data, size_t len, reshed_error *err)
{
    bool sane;
    reshed_status st = read_and_walk(data, len, &sane, err);
    return sane ? st : rs_fail(err, RESHED_EINTERNAL, "a dataset that is not as it says");
}

static void usid_survives_allocation_failure(void **state)
{
    (void)state;
    size_t len;
    uint8_t *bytes = small_usid(&len);
    test_each_alloc(read_usid, bytes, len);
    rs_free(bytes);
}

static void usid_survives_damage(void **state)
{
    (void)state;
    size_t len;
    uint8_t *bytes = small_usid(&len);
    h5_survives_mutation("usid", read_usid, bytes, len, test_h5_mutations());
    h5_survives_cutting("usid", read_usid, bytes, len);
    rs_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nsid_with_a_frequency_axis),
        cmocka_unit_test(files_of_the_paper_s_author),
        cmocka_unit_test(options_reach_the_fit_and_the_maps),
        cmocka_unit_test(wrong_use_and_wrong_files_are_told),
        cmocka_unit_test(each_allocation_failure_is_an_error),
        cmocka_unit_test(usid_files_of_bglib),
        cmocka_unit_test(usid_survives_allocation_failure),
        cmocka_unit_test(usid_survives_damage),
    };
    return cmocka_run_group_tests_name("beps_sho_tool", tests, prepare, NULL);
}
