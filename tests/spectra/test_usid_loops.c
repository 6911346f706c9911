/* Loops from USID files: BGlib's oscillator fits, and what its raw spectra say. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/numeric.h"
#include "io/hdf5/h5.h"
#include "io/nsid/write.h"
#include "spectra/axes.h"
#include "spectra/responses.h"
#include "spectra/spectra.h"
#include "support/h5_bare.h"
#include "support/loop_sim.h"
#include "support/program.h"

enum { NX = 3, NY = 2, POINTS = NX * NY, STEPS = 32, MAX_READINGS = 4 * STEPS, BINS = 12 };

/* The five numbers of a fit. */
typedef struct fit {
    float amplitude, frequency, q, phase, r2;
} fit;

typedef struct sample {
    bool grid, both, records; /* both fields; fits, else plain responses */
    int cycles;
    const char *name; /* of the dataset in the channel, "A/B" */
} sample;

static double response(int point, double v, bool falling)
{
    return (1 + 0.1 * point) * erf(2 * (v - (falling ? -2.5 : 3)));
}

static hid_t group(hid_t in, const char *name)
{
    return H5Gcreate2(in, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
}

/* Readings of one point: V, field and cycle of each, the loop's response, on-field with a slope. */
static int make_steps(const sample *s, double *spec, double *y, int point)
{
    double v[STEPS];
    const int fields = s->both ? 2 : 1, n = STEPS * s->cycles * fields;
    sim_triangle(STEPS, 8, v);
    for (int i = 0; i < n; i++) {
        const int step = i / fields % STEPS, on = s->both && i % 2 == 0;
        spec[i] = v[step];
        spec[n + i] = on;
        spec[2 * n + i] = i / fields / STEPS;
        const bool falling = step >= STEPS / 4 && step < 3 * STEPS / 4;
        y[i] = response(point, v[step], falling) + (on ? 0.02 * v[step] : 0);
    }
    return n;
}

static void write_file(const char *path, const sample *s)
{
    static const char *const xy[2] = {"X", "Y"}, *const um[2] = {"um", "um"};
    static const char *const names[3] = {"DC_Offset", "Field", "Cycle"};
    static const char *const units[3] = {"V", "", ""};
    static double spec[3 * MAX_READINGS], y[MAX_READINGS], plain[POINTS * MAX_READINGS];
    static fit fits[POINTS * MAX_READINGS];
    double pos[2 * POINTS];
    int n = 0;
    for (int p = 0; p < POINTS; p++) {
        n = make_steps(s, spec, y, p);
        pos[2 * p] = s->grid ? 0.1 * (p % NX) : 0.1 * p * p;
        pos[2 * p + 1] = s->grid ? 0.2 * (p / NX) : 0.3 * p;
        for (int i = 0; i < n; i++) {
            plain[p * n + i] = y[i];
            fits[p * n + i] =
                (fit){(float)fabs(y[i]), 3.5e5f, 120, (float)(y[i] < 0 ? 0.4 - RS_PI : 0.4), 0.99f};
        }
    }
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t m0 = group(f, "Measurement_000"), c0 = group(m0, "Channel_000");
    char folder[64];
    const char *slash = strchr(s->name, '/');
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - s->name), s->name);
    hid_t g = group(c0, folder), type = H5Tcopy(H5T_IEEE_F64LE);
    if (s->records) {
        H5Tclose(type);
        type = H5Tcreate(H5T_COMPOUND, sizeof(fit));
        H5Tinsert(type, "Amplitude [V]", offsetof(fit, amplitude), H5T_NATIVE_FLOAT);
        H5Tinsert(type, "Frequency [Hz]", offsetof(fit, frequency), H5T_NATIVE_FLOAT);
        H5Tinsert(type, "Quality Factor", offsetof(fit, q), H5T_NATIVE_FLOAT);
        H5Tinsert(type, "Phase [rad]", offsetof(fit, phase), H5T_NATIVE_FLOAT);
        H5Tinsert(type, "R2 Criterion", offsetof(fit, r2), H5T_NATIVE_FLOAT);
    }
    hsize_t size[2] = {POINTS, (hsize_t)n};
    hid_t space = H5Screate_simple(2, size, NULL);
    hid_t set = H5Dcreate2(g, slash + 1, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                         s->records ? (void *)fits : (void *)plain) >= 0);
    h5_put_ancillary(g, "Position_Values", POINTS, 2, pos, xy, um, 2);
    h5_put_ancillary(g, "Spectroscopic_Values", 3, n, spec, names, units, 3);
    H5Dclose(set), H5Sclose(space), H5Tclose(type), H5Gclose(g), H5Gclose(c0), H5Gclose(m0);
    H5Fclose(f);
}

static reshed_status read_file(const char *path, const char *channel, rs_responses *r,
                               reshed_error *err)
{
    const rs_responses_source source = {.channel = channel, .degrees = -1, .single = RS_FIELD_OFF};
    return rs_responses_read(path, &source, r, err);
}

static void fits_of_bglib_are_loops(void **state)
{
    (void)state;
    for (int kind = 0; kind < 8; kind++) {
        const sample s = {.grid = kind & 1,
                          .both = kind & 2,
                          .records = true,
                          .cycles = kind & 4 ? 2 : 1,
                          .name =
                              kind & 1 ? "Raw_Data-SHO_Fit_003/Guess" : "Raw_Data-SHO_Fit_000/Fit"};
        const char *path = test_temp("sho_fit.h5");
        rs_responses r = {0};
        reshed_error err = {0};
        write_file(path, &s);
        assert_ok(read_file(path, NULL, &r, &err), &err);
        assert_int_equal(r.points, POINTS);
        assert_int_equal(r.steps, STEPS);
        assert_int_equal(r.cycles, s.cycles);
        assert_true(r.is_complex && r.has[RS_FIELD_OFF] && r.has[RS_FIELD_ON] == s.both);
        assert_string_equal(r.units, "V");
        assert_int_equal(r.on_axes, s.grid);
        assert_string_equal(r.position_units, "um");
        for (int p = 0; p < POINTS; p++) {
            assert_near(r.x[p], s.grid ? 0.1 * (p % NX) : 0.1 * p * p, 1e-12);
            assert_near(r.y[p], s.grid ? 0.2 * (p / NX) : 0.3 * p, 1e-12);
            for (int i = 0; i < STEPS * s.cycles; i++) {
                const int at = p * STEPS * s.cycles + i, step = i % STEPS;
                const bool falling = step >= STEPS / 4 && step < 3 * STEPS / 4;
                const double want = response(p, r.v[i], falling);
                assert_near(r.re[RS_FIELD_OFF][at], want * cos(0.4), 1e-6);
                assert_near(r.im[RS_FIELD_OFF][at], want * sin(0.4), 1e-6);
                if (s.both)
                    assert_near(r.re[RS_FIELD_ON][at], (want + 0.02 * r.v[i]) * cos(0.4), 1e-6);
            }
        }
        rs_responses_clear(&r);
    }
}

static void plain_responses_are_read_by_name(void **state)
{
    (void)state;
    const sample s = {.grid = true, .cycles = 1, .name = "Fit-Loop_Fit_000/Projected_Loops"};
    const char *path = test_temp("projected.h5");
    rs_responses r = {0};
    reshed_error err = {0};
    write_file(path, &s);
    assert_ok(read_file(path, s.name, &r, &err), &err);
    assert_true(!r.is_complex && r.points == POINTS && r.steps == STEPS);
    assert_near(r.re[RS_FIELD_OFF][STEPS / 4], response(0, 8, true), 1e-12);
    rs_responses_clear(&r);
    assert_int_equal(read_file(path, NULL, &r, &err), RESHED_EINVAL);
}

/* Raw spectra: frequency falling or rising inside each voltage. */
static void write_raw(const char *path, bool falling)
{
    static const char *const xy[2] = {"X", "Y"}, *const um[2] = {"um", "um"};
    static const char *const names[2] = {"Frequency", "DC_Offset"}, *const units[2] = {"Hz", "V"};
    static double spec[2 * STEPS * BINS], data[2 * STEPS * BINS];
    double v[STEPS], pos[2] = {0, 0};
    const int n = STEPS * BINS;
    sim_triangle(STEPS, 8, v);
    for (int k = 0; k < n; k++) {
        const int bin = falling ? BINS - 1 - k % BINS : k % BINS;
        spec[k] = 3e5 + 1e3 * bin;
        spec[n + k] = v[k / BINS];
        data[2 * k] = bin;
        data[2 * k + 1] = k / BINS;
    }
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t m0 = group(f, "Measurement_000"), c0 = group(m0, "Channel_000");
    hid_t pair = H5Tcreate(H5T_COMPOUND, 16);
    hsize_t size[2] = {1, (hsize_t)n};
    H5Tinsert(pair, "r", 0, H5T_IEEE_F64LE), H5Tinsert(pair, "i", 8, H5T_IEEE_F64LE);
    hid_t space = H5Screate_simple(2, size, NULL);
    hid_t raw = H5Dcreate2(c0, "Raw_Data", pair, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(raw, pair, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    h5_put_ancillary(c0, "Position_Values", 1, 2, pos, xy, um, 2);
    h5_put_ancillary(c0, "Spectroscopic_Values", 2, n, spec, names, units, 2);
    H5Dclose(raw), H5Sclose(space), H5Tclose(pair), H5Gclose(c0), H5Gclose(m0), H5Fclose(f);
}

static void raw_spectra_name_the_way(void **state)
{
    (void)state;
    for (int falling = 0; falling < 2; falling++) {
        const char *path = test_temp("raw.h5");
        rs_responses r = {0};
        rs_spectra s = {0};
        reshed_error err = {0};
        const rs_spectra_source source = {0};
        write_raw(path, falling);
        assert_int_equal(read_file(path, NULL, &r, &err), RESHED_EUNSUPPORTED);
        assert_non_null(strstr(err.what, "reshed-beps sho"));
        assert_ok(rs_spectra_read(path, &source, &s, &err), &err);
        assert_int_equal(s.bins, BINS);
        assert_int_equal(s.n, STEPS);
        for (int i = 0; i < STEPS; i++)
            for (int k = 0; k < BINS; k++) {
                assert_near(s.frequency[k], 3e5 + 1e3 * k, 1e-6);
                assert_near(s.data[2 * (i * BINS + k)], k, 0);
                assert_near(s.data[2 * (i * BINS + k) + 1], i, 0);
            }
        rs_spectra_clear(&s);
    }
}

/* The same of NSID. */
static void nsid_spectra_name_the_way(void **state)
{
    (void)state;
    static double data[2 * STEPS * BINS], f[BINS], v[STEPS];
    const char *path = test_temp("spectra.h5");
    rs_nsid_data d = {.ndim = 2, .data = data, .is_complex = true};
    rs_nsid_writer *w = NULL;
    rs_responses r = {0};
    reshed_error err = {0};
    sim_triangle(STEPS, 8, v);
    for (int k = 0; k < BINS; k++) f[k] = 3e5 + 1e3 * k;
    rs_axis_name(&d.dim[0], "Voltage", "Bias", "V", "SPECTRAL", STEPS);
    rs_axis_name(&d.dim[1], "Frequency", "Frequency", "Hz", "SPECTRAL", BINS);
    d.dim[0].values = v;
    d.dim[1].values = f;
    strcpy(d.name, "Spectra");
    strcpy(d.units, "V");
    strcpy(d.data_type, "SPECTRUM");
    assert_ok(rs_nsid_create(path, RS_NSID_ATOMIC, &w, &err), &err);
    reshed_status st = rs_nsid_add(w, "/M", &d, RS_NSID_F64, NULL, 0, &err);
    assert_ok(rs_nsid_finish(w, st, &err), &err);
    assert_int_equal(read_file(path, NULL, &r, &err), RESHED_EUNSUPPORTED);
    assert_non_null(strstr(err.what, "reshed-beps sho"));
}

static void memory_may_fail(void **state)
{
    (void)state;
    const sample s = {.grid = true,
                      .both = true,
                      .records = true,
                      .cycles = 2,
                      .name = "Raw_Data-SHO_Fit_000/Fit"};
    const char *path = test_temp("sho_fit.h5");
    write_file(path, &s);
    for (long k = 0;; k++) {
        rs_responses r = {.points = 77};
        reshed_error err = {0};
        test_alloc_fail_at(k);
        reshed_status st = read_file(path, NULL, &r, &err);
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_ok(st, &err);
            rs_responses_clear(&r);
            break;
        }
        assert_int_equal(st, RESHED_ENOMEM);
        assert_int_equal(r.points, 77);
    }
}

static void the_program_reads_fits(void **state)
{
    (void)state;
    const sample s = {.grid = true,
                      .both = true,
                      .records = true,
                      .cycles = 2,
                      .name = "Raw_Data-SHO_Fit_000/Fit"};
    char args[512];
    write_file(test_temp("sho_fit.h5"), &s);
    snprintf(args, sizeof args, "loops %s --json", test_temp("sho_fit.h5"));
    const outcome *o = run_program("reshed-beps", args);
    if (o->status != 0) fail_msg("%s", o->err);
    assert_near(json_number(o->out, "trusted"), POINTS, 0);
    assert_near(json_number(strstr(o->out, "\"median_loop\""), "v_plus_mid"), 3, 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fits_of_bglib_are_loops),
        cmocka_unit_test(plain_responses_are_read_by_name),
        cmocka_unit_test(raw_spectra_name_the_way),
        cmocka_unit_test(nsid_spectra_name_the_way),
        cmocka_unit_test(memory_may_fail),
        cmocka_unit_test(the_program_reads_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
