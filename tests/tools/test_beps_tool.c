/* reshed-beps loops as a program: files in, files and words out. */
#define _POSIX_C_SOURCE 200809L
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/os.h"
#include "beps/waveform.h"
#include "io/csv.h"
#include "io/nsid/nsid.h"
#include "io/nsid/write.h"
#include "io/png.h"
#include "support/loop_sim.h"
#include "report/loop_figures.h"
#include "spectra/results.h"
#include "spectra/responses.h"

enum { N = 64 };

/* A path in the test's folder that lasts (test_temp gives its own few in turn). */
typedef struct temp_path {
    char text[128];
} temp_path;
static temp_path temp(const char *name)
{
    temp_path p;
    snprintf(p.text, sizeof p.text, "%.127s", test_temp(name));
    return p;
}

/* The output of the last run. */
static char out[65536], err[65536];

static void read_text(const char *path, char *text)
{
    size_t n;
    uint8_t *d = test_read_file(path, &n);
    if (n >= sizeof out) n = sizeof out - 1;
    memcpy(text, d, n);
    text[n] = '\0';
    rs_free(d);
}

/* Runs the program with these arguments and gives its exit status. */
static int run(const char *arguments)
{
    const char *bin = getenv("BIN"), *files[2] = {test_temp("stdout"), test_temp("stderr")};
    char command[2048];
    snprintf(command, sizeof command, "%s/reshed-beps %s >%s 2>%s", bin ? bin : "build", arguments,
             files[0], files[1]);
    int status = system(command);
    assert_true(status != -1 && WIFEXITED(status));
    read_text(files[0], out);
    read_text(files[1], err);
    if (WEXITSTATUS(status) == 127) fail_msg("%s is not built", command);
    return WEXITSTATUS(status);
}

/* Runs and demands success. */
static const char *run_ok(const char *arguments)
{
    int rc = run(arguments);
    if (rc != 0) fail_msg("reshed-beps %s: exit %d: %s", arguments, rc, err);
    return out;
}

/* The number behind "key": in text, from `from` on. */
static double number_after(const char *text, const char *key)
{
    const char *s = strstr(text, key);
    if (!s) fail_msg("no %s in %s", key, text);
    return strtod(s + strlen(key), NULL);
}

static rs_nsid_dim axis(const char *name, const char *units, const char *type, int64_t n,
                        double *values)
{
    rs_nsid_dim d = {.n = n, .values = values};
    snprintf(d.name, sizeof d.name, "%s", name);
    snprintf(d.quantity, sizeof d.quantity, "%s", name);
    snprintf(d.units, sizeof d.units, "%s", units);
    snprintf(d.type, sizeof d.type, "%s", type);
    return d;
}

static void add(rs_nsid_writer *w, const char *group, const char *name, const char *units,
                bool is_complex, int ndim, const rs_nsid_dim *dims, double *data)
{
    reshed_error e = {0};
    rs_nsid_data d = {.ndim = ndim, .data = data, .is_complex = is_complex};
    snprintf(d.name, sizeof d.name, "%s", name);
    snprintf(d.title, sizeof d.title, "%s", name);
    snprintf(d.quantity, sizeof d.quantity, "%s", name);
    snprintf(d.units, sizeof d.units, "%s", units);
    snprintf(d.data_type, sizeof d.data_type, "%s", ndim == 3 ? "SPECTRAL_IMAGE" : "IMAGE");
    for (int i = 0; i < ndim; i++) d.dim[i] = dims[i];
    assert_ok(rs_nsid_add(w, group, &d, RS_NSID_F64, NULL, 0, &e), &e);
}

static rs_nsid_writer *begin(const char *path)
{
    rs_nsid_writer *w = NULL;
    reshed_error e = {0};
    assert_ok(rs_nsid_create(path, RS_NSID_ATOMIC, &w, &e), &e);
    return w;
}

static void end(rs_nsid_writer *w)
{
    reshed_error e = {0};
    assert_ok(rs_nsid_finish(w, RESHED_OK, &e), &e);
}

/* A loop of height 2 that is `width` wide around `imprint`. */
static double loop_at(double v, bool falling, double width, double imprint)
{
    return erf(1.2 * (v - imprint - (falling ? -width : width) / 2));
}

static bool falling(int i)
{
    return i >= N / 4 && i < 3 * N / 4;
}

static const double *read_map(const char *path, const char *name, rs_nsid_data *d)
{
    reshed_error e = {0};
    char full[128];
    snprintf(full, sizeof full, "/Measurement_000/%s", name);
    assert_ok(rs_nsid_read_channel(path, full, d, &e), &e);
    return d->data;
}

/* ---------------------------------------------------------------------------------------- grids */
/* 5 x 4 points; the width is 4 + 0.5 ix + 0.1 iy V. */
static void write_grid(const char *path)
{
    enum { X = 5, Y = 4 };
    static double y[X * Y * N], v[N], xs[X], ys[Y];
    test_rng r = {test_seed()};
    sim_triangle(N, 8, v);
    for (int i = 0; i < X; i++) xs[i] = 1e-7 * i;
    for (int i = 0; i < Y; i++) ys[i] = 1e-7 * i;
    for (int p = 0; p < X * Y; p++)
        for (int i = 0; i < N; i++)
            y[p * N + i] =
                1e-12 * (loop_at(v[i], falling(i), 4 + 0.5 * (p / Y) + 0.1 * (p % Y), 0.3) +
                         0.01 * test_gauss(&r));
    const rs_nsid_dim dims[] = {axis("X", "m", "SPATIAL", X, xs), axis("Y", "m", "SPATIAL", Y, ys),
                                axis("Bias", "V", "SPECTRAL", N, v)};
    rs_nsid_writer *w = begin(path);
    add(w, "/Measurement_000/Channel_000", "PR", "m", false, 3, dims, y);
    end(w);
}

static void grid_gives_maps_table_and_figures(void **state)
{
    (void)state;
    test_not_quick();
    temp_path in_path = temp("grid.h5"), h5_path = temp("maps.h5"), csv_path = temp("t.csv");
    const char *in = in_path.text, *h5 = h5_path.text, *csv = csv_path.text;
    char words[1024];
    write_grid(in);
    snprintf(words, sizeof words, "loops %s -o %s --csv %s --png %s/fig --points 3,2:1 --json", in,
             h5, csv, test_temp(""));
    run_ok(words);
    assert_true(number_after(out, "\"points\": ") == 20);
    assert_true(number_after(out, "\"steps\": ") == 64);
    assert_true(number_after(out, "\"trusted\": ") == 20);
    assert_non_null(strstr(out, "\"response_unit\": \"m\""));
    assert_true(fabs(number_after(strstr(out, "\"median_loop\""), "\"width_mid\": ") - 5.15) < 0.1);

    rs_nsid_data d = {0};
    const double *width = read_map(h5, "Loops/width_mid/width_mid", &d);
    assert_int_equal(d.ndim, 2);
    assert_int_equal(d.dim[0].n, 5);
    assert_string_equal(d.dim[0].name, "X");
    assert_string_equal(d.dim[1].units, "m");
    assert_string_equal(d.units, "V");
    assert_string_equal(d.data_type, "IMAGE");
    for (int p = 0; p < 20; p++)
        assert_true(fabs(width[p] - (4 + 0.5 * (p / 4) + 0.1 * (p % 4))) < 0.06);
    rs_nsid_data_clear(&d);
    const double *area = read_map(h5, "Loops/area/area", &d);
    assert_string_equal(d.units, "V*m");
    for (int p = 0; p < 20; p++) assert_true(area[p] > 7e-12 && area[p] < 14e-12);
    rs_nsid_data_clear(&d);
    const double *y = read_map(h5, "Loops/response/response", &d);
    assert_int_equal(d.count, 20 * N);
    assert_string_equal(d.data_type, "SPECTRAL_IMAGE");
    assert_true(y[16] > 0.9e-12 && y[48] < -0.9e-12);
    rs_nsid_data_clear(&d);
    /* Each map says how it was found. */
    rs_nsid_file *f = NULL;
    reshed_error e = {0};
    char text[128];
    assert_ok(rs_nsid_open(h5, &f, &e), &e);
    assert_ok(rs_nsid_get_text(f, "/Measurement_000/Loops/width_mid/width_mid", "definition", text,
                               sizeof text, &e),
              &e);
    assert_string_equal(text, "v_plus_mid - v_minus_mid");
    assert_true(rs_nsid_count(f) > 60);
    rs_nsid_close(f);

    rs_csv_table t = {0};
    size_t c;
    double value;
    assert_ok(rs_csv_read(csv, &t, &e), &e);
    assert_int_equal(t.rows, 20);
    assert_ok(rs_csv_column(&t, "width_mid", &c, &e), &e);
    assert_string_equal(rs_csv_name(&t, c), "width_mid (V)");
    assert_ok(rs_csv_cell_number(&t, 19, c, &value, &e), &e);
    assert_true(fabs(value - 6.3) < 0.06);
    assert_ok(rs_csv_column(&t, "y", &c, &e), &e);
    assert_ok(rs_csv_cell_number(&t, 5, c, &value, &e), &e);
    assert_true(fabs(value - 1e-7) < 1e-20); /* y runs fast */
    rs_csv_table_clear(&t);

    static const char *const figures[] = {"average", "histograms", "maps", "loops"};
    for (int k = 0; k < 4; k++) {
        rs_image im = {0};
        size_t n;
        snprintf(words, sizeof words, "fig_%s.png", figures[k]);
        uint8_t *bytes = test_read_file(test_temp(words), &n);
        assert_ok(rs_png_read_mem(bytes, n, &im, &e), &e);
        /* Something is drawn: not one colour. */
        float low = 1, high = 0;
        for (int i = 0; i < im.height * im.width; i++) {
            low = fminf(low, im.data[i]);
            high = fmaxf(high, im.data[i]);
        }
        assert_true(im.width >= 500 && low < 0.3f && high > 0.99f);
        rs_image_clear(&im);
        rs_free(bytes);
    }
}

/* The same figures for a paper: PDF by default, a PNG with its size. */
static void figures_for_a_paper(void **state)
{
    (void)state;
    test_not_quick();
    temp_path in_path = temp("paper.h5");
    char words[1024];
    size_t n;
    write_grid(in_path.text);
    snprintf(words, sizeof words, "loops %s --figures %s/paper --quiet", in_path.text,
             test_temp(""));
    run_ok(words);
    uint8_t *bytes = test_read_file(test_temp("paper_average.pdf"), &n);
    assert_true(n > 1000 && memcmp(bytes, "%PDF", 4) == 0);
    rs_free(bytes);
    snprintf(words, sizeof words,
             "loops %s --figures %s/paper --kind png --paper width=86,dpi=100,colours=grey "
             "--quiet",
             in_path.text, test_temp(""));
    run_ok(words);
    bytes = test_read_file(test_temp("paper_maps.png"), &n);
    rs_image im = {0};
    reshed_error e = {0};
    assert_ok(rs_png_read_mem(bytes, n, &im, &e), &e);
    assert_in_range(im.width, 337, 340); /* 86 mm */
    rs_image_clear(&im);
    rs_free(bytes);
    assert_true(rs_os_is_file(test_temp("paper_loops.png")));
    snprintf(words, sizeof words, "loops %s --json --kind svg", in_path.text);
    assert_int_equal(run(words), 2);
    snprintf(words, sizeof words, "loops %s --figures x --paper colours=jet", in_path.text);
    assert_int_equal(run(words), 2);
}

static void threads_do_not_change_the_table(void **state)
{
    (void)state;
    temp_path in_path = temp("grid.h5");
    const char *in = in_path.text;
    char words[1024];
    size_t n[2];
    uint8_t *d[2];
    write_grid(in);
    for (int k = 0; k < 2; k++) {
        const char *csv = test_temp(k ? "b.csv" : "a.csv");
        snprintf(words, sizeof words,
                 "loops %s --csv %s --threads %d --bootstrap 4 --model sigmoid --quiet", in, csv,
                 k ? 3 : 1);
        assert_string_equal(run_ok(words), "");
        d[k] = test_read_file(csv, &n[k]);
    }
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(d[0], d[1], n[0]);
    assert_non_null(strstr((char *)d[0], "sspfm_x0_r (V)"));
    assert_non_null(strstr((char *)d[0], "width_mid_error (V)"));
    rs_free(d[0]);
    rs_free(d[1]);
}

/* ---------------------------------------------------------------------------------- point lists */
/* Seven points of amplitude and phase on the branch -90..270 degrees, phase offset 130 degrees, one
 * point of the other orientation. */
static void point_list_of_amplitude_and_phase(void **state)
{
    (void)state;
    test_not_quick();
    enum { P = 7 };
    static double a[P * N], ph[P * N], v[N];
    temp_path in_path = temp("list.h5"), h5_path = temp("list_out.h5");
    const char *in = in_path.text, *h5 = h5_path.text;
    char words[1024];
    test_rng r = {test_seed()};
    sim_triangle(N, 8, v);
    for (int p = 0; p < P; p++)
        for (int i = 0; i < N; i++) {
            double y = loop_at(v[i], falling(i), 5, -0.5) + 0.01 * test_gauss(&r);
            double q = 0.01 * test_gauss(&r), alpha = 130.0 / 180 * acos(-1);
            if (p == 4) y = -y;
            double re = y * cos(alpha) - q * sin(alpha), im = y * sin(alpha) + q * cos(alpha);
            double degrees = atan2(im, re) * 180 / acos(-1);
            a[p * N + i] = hypot(re, im);
            ph[p * N + i] = degrees < -90 ? degrees + 360 : degrees;
        }
    const rs_nsid_dim dims[] = {axis("Point", "a.u.", "SPATIAL", P, NULL),
                                axis("DC Offset", "V", "SPECTRAL", N, v)};
    rs_nsid_writer *w = begin(in);
    add(w, "/Measurement_000/Fit", "Amplitude", "V", false, 2, dims, a);
    add(w, "/Measurement_000/Fit", "Phase", "deg", false, 2, dims, ph);
    end(w);
    static const struct {
        const char *method;
        bool keeps_sign;
    } methods[] = {{"map", true}, {"fixed", true}, {"phase", true}, {"area", false}};
    for (int k = 0; k < 4; k++) {
        snprintf(words, sizeof words, "loops %s -o %s --unfold %s --json --csv %s", in, h5,
                 methods[k].method, test_temp("l.csv"));
        run_ok(words);
        assert_true(number_after(out, "\"points\": ") == P);
        if (k < 3) {
            double angle = number_after(out, "\"reference_angle\": ") * 180 / acos(-1);
            assert_true(fabs(remainder(angle - 130, 360)) < 1);
        }
        rs_nsid_data d = {0};
        const double *area = read_map(h5, "Loops/area_signed/area_signed", &d);
        for (int p = 0; p < P; p++) {
            assert_true(fabs(fabs(area[p]) - 10) < 0.2);
            assert_true((area[p] > 0) == !(methods[k].keeps_sign && p == 4));
        }
        rs_nsid_data_clear(&d);
    }
    /* The reference point decides what is upside down. */
    for (int k = 0; k < 3; k++) {
        snprintf(words, sizeof words, "loops %s -o %s --unfold %s --reference 4 --quiet", in, h5,
                 methods[k].method);
        run_ok(words);
        rs_nsid_data d = {0};
        const double *area = read_map(h5, "Loops/area_signed/area_signed", &d);
        for (int p = 0; p < P; p++) assert_true((area[p] > 0) == (p == 4));
        rs_nsid_data_clear(&d);
    }
}

/* Amplitude and phase are found by their names and numbers; an amplitude alone is no loop. */
static void amplitude_and_phase_belong_together(void **state)
{
    (void)state;
    static double a[N], ph[N], other[N], v[N];
    temp_path in_path = temp("pairs.h5"), alone_path = temp("alone.h5");
    const char *in = in_path.text, *alone = alone_path.text;
    char words[1024];
    sim_triangle(N, 8, v);
    for (int i = 0; i < N; i++) {
        const double y = loop_at(v[i], falling(i), 5, -0.5);
        a[i] = fabs(y);
        ph[i] = y < 0 ? 180 : 0;
        other[i] = 90;
    }
    const rs_nsid_dim dims[] = {axis("DC Offset", "V", "SPECTRAL", N, v)};
    rs_nsid_writer *w = begin(in);
    add(w, "/Measurement_000/Fit", "Pha2", "deg", false, 1, dims, other);
    add(w, "/Measurement_000/Fit", "Amp1", "V", false, 1, dims, a);
    add(w, "/Measurement_000/Fit", "Pha1", "deg", false, 1, dims, ph);
    end(w);
    w = begin(alone);
    add(w, "/Measurement_000/Fit", "Amp1", "V", false, 1, dims, a);
    end(w);
    for (int k = 0; k < 2; k++) {
        snprintf(words, sizeof words, "loops %s --json --quiet %s", in, k ? "--channel Amp1" : "");
        run_ok(words);
        assert_near(number_after(out, "\"area\": "), 10, 0.2);
    }
    snprintf(words, sizeof words, "loops %s --json --quiet", alone);
    assert_int_equal(run(words), 1);
    assert_non_null(strstr(err, "--unsigned"));
    snprintf(words, sizeof words, "loops %s --json --quiet --unsigned", alone);
    run_ok(words);
}

/* ------------------------------------------------------------------- the acquisition program's
 * file */
static void author_file_with_both_fields(void **state)
{
    (void)state;
    test_not_quick();
    enum { P = 9, CYCLES = 2, STEPS = CYCLES * N };
    static double fit[P * 4 * 2 * STEPS], v[STEPS], xy[2 * P];
    temp_path in_path = temp("author.h5"), h5_path = temp("author_out.h5");
    const char *in = in_path.text, *h5 = h5_path.text;
    char words[1024];
    reshed_error e = {0};
    test_rng r = {test_seed()};
    for (int c = 0; c < CYCLES; c++) sim_triangle(N, 6, v + c * N);
    for (int p = 0; p < P; p++) {
        xy[p] = -1 + 0.25 * p;
        xy[P + p] = 0.1 * p;
        for (int s = 0; s < 2 * STEPS; s++) {
            bool on = s % 2 == 0;
            int i = s / 2;
            double y = loop_at(v[i], falling(i % N), 4 + i / N, 0) + 0.01 * test_gauss(&r);
            if (on) y += -0.05 * (v[i] - 1); /* electrostatics: slope -0.05 /V, balanced at 1 V */
            double *at = fit + p * 4 * 2 * STEPS + s;
            at[0] = 1e-3 * fabs(y);
            at[1 * 2 * STEPS] = 320e3;
            at[2 * 2 * STEPS] = 150;
            at[3 * 2 * STEPS] = y < 0 ? 0.4 - acos(-1) : 0.4;
        }
    }
    const rs_nsid_dim dims[] = {axis("points", "a.u.", "SPATIAL", P, NULL),
                                axis("parameter", "a.u.", "CHANNEL", 4, NULL),
                                axis("step", "a.u.", "SPECTRAL", 2 * STEPS, NULL)};
    rs_nsid_writer *w = begin(in);
    add(w, "/BE Quick Fitting/Quick Fitting", "Quick Fitting", "generic", false, 3, dims, fit);
    uint64_t n = STEPS, pairs[2] = {2, P};
    assert_ok(rs_nsid_put_array(w, "/BEPS/vdc_waveform", 1, &n, v, RS_NSID_F64, &e), &e);
    assert_ok(rs_nsid_put_array(w, "/BEPS/coordinates", 2, pairs, xy, RS_NSID_F64, &e), &e);
    end(w);

    snprintf(words, sizeof words,
             "loops %s -o %s --field both --keep-first --csv %s --png %s/author --json", in, h5,
             test_temp("author.csv"), test_temp(""));
    run_ok(words);
    assert_true(number_after(out, "\"cycles\": ") == CYCLES);
    assert_non_null(strstr(out, "\"field\": \"off-field\""));
    assert_non_null(strstr(out, "\"field\": \"on-field\""));
    rs_nsid_data d = {0};
    const double *m = read_map(h5, "Loops/width_mid/width_mid", &d);
    for (int p = 0; p < P; p++) assert_true(fabs(m[p] - 4.5) < 0.05);
    rs_nsid_data_clear(&d);
    m = read_map(h5, "Loops/width_mid_spread/width_mid_spread", &d);
    for (int p = 0; p < P; p++) assert_true(fabs(m[p] - sqrt(0.5)) < 0.05);
    rs_nsid_data_clear(&d);
    m = read_map(h5, "Loops/width_mid_cycles/width_mid_cycles", &d);
    assert_int_equal(d.count, P * CYCLES);
    assert_true(fabs(m[4] - 4) < 0.06 && fabs(m[5] - 5) < 0.06);
    rs_nsid_data_clear(&d);
    m = read_map(h5, "Loops_On_Field/es_slope/es_slope", &d);
    for (int p = 0; p < P; p++) assert_true(fabs(m[p] + 0.05e-3) < 0.008e-3);
    rs_nsid_data_clear(&d);
    m = read_map(h5, "Loops_On_Field/difference_slope/difference_slope", &d);
    for (int p = 0; p < P; p++) assert_true(fabs(m[p] + 0.05e-3) < 0.002e-3);
    rs_nsid_data_clear(&d);
    m = read_map(h5, "Loops_On_Field/difference_cpd/difference_cpd", &d);
    for (int p = 0; p < P; p++) assert_true(fabs(m[p] - 1) < 0.2);
    rs_nsid_data_clear(&d);
    rs_csv_table t = {0};
    size_t c;
    double x;
    assert_ok(rs_csv_read(test_temp("author.csv"), &t, &e), &e);
    assert_int_equal(t.rows, 2 * P);
    assert_ok(rs_csv_column(&t, "x", &c, &e), &e);
    assert_ok(rs_csv_cell_number(&t, 2, c, &x, &e), &e);
    assert_true(x == -0.75);
    rs_csv_table_clear(&t);
    assert_true(rs_os_is_file(test_temp("author_maps.png")));
    assert_true(rs_os_is_file(test_temp("author_average_on.png")));
    /* Off-field alone is the default. */
    snprintf(words, sizeof words, "loops %s --json --drop-first", in);
    run_ok(words);
    assert_null(strstr(out, "on-field"));
    assert_true(fabs(number_after(strstr(out, "\"metrics\""),
                                  "\"width_mid\": {\"unit\": \"V\", \"median\": ") -
                     5) < 0.05);
}

/* Complex response with axes for field and cycle, and voltages that the file lacks. */
static void complex_data_with_axes_for_everything(void **state)
{
    (void)state;
    enum { P = 3, CYCLES = 2 };
    static double z[P * CYCLES * 2 * N * 2], v[N];
    temp_path in_path = temp("complex.h5");
    const char *in = in_path.text;
    char words[1024];
    sim_triangle(N, 7, v);
    double fields[2] = {1, 0};
    for (int p = 0; p < P; p++)
        for (int i = 0; i < N; i++)
            for (int c = 0; c < CYCLES; c++)
                for (int f = 0; f < 2; f++) {
                    double *at = z + 2 * (((p * N + i) * CYCLES + c) * 2 + f);
                    double y =
                        loop_at(v[i], falling(i), 5 + c, 0) + (fields[f] > 0 ? 0.1 * v[i] : 0);
                    at[0] = y * cos(-2);
                    at[1] = y * sin(-2);
                }
    const rs_nsid_dim dims[] = {axis("Point", "a.u.", "SPATIAL", P, NULL),
                                axis("step", "a.u.", "SPECTRAL", N, NULL),
                                axis("Cycle", "a.u.", "CHANNEL", CYCLES, NULL),
                                axis("Field", "a.u.", "CHANNEL", 2, fields)};
    rs_nsid_writer *w = begin(in);
    add(w, "/Measurement_000/Channel_000", "Response", "V", true, 4, dims, z);
    end(w);
    snprintf(words, sizeof words, "loops %s --json --triangle 7 --field both --keep-first", in);
    run_ok(words);
    assert_true(number_after(out, "\"cycles\": ") == 2);
    const char *off = strstr(out, "\"off-field\""), *on = strstr(out, "\"on-field\"");
    assert_true(off && on && off < on);
    assert_true(fabs(number_after(strstr(off, "\"metrics\""),
                                  "\"width_mid\": {\"unit\": \"V\", \"median\": ") -
                     5.5) < 0.05);
    assert_true(fabs(number_after(strstr(on, "\"metrics\""),
                                  "\"es_slope\": {\"unit\": \"V/V\", \"median\": ") -
                     0.1) < 0.01);
    snprintf(words, sizeof words, "loops %s --json", in);
    assert_int_equal(run(words), 1);
    assert_non_null(strstr(err, "write voltages (expected an axis in V"));
}

/* ---------------------------------------------------------------------------------------- words */
static void errors_name_the_file_and_the_fault(void **state)
{
    (void)state;
    temp_path junk_path = temp("junk.h5"), in_path = temp("grid.h5");
    const char *junk = junk_path.text, *in = in_path.text;
    char words[1024];
    reshed_error e = {0};
    write_grid(in);
    assert_ok(rs_os_write_file(junk, "not a file", 10, &e), &e);
    assert_int_equal(run("loops /nonexistent.h5 -o /nonexistent/x.h5"), 1);
    assert_int_equal(strncmp(err, "reshed-beps loops: /nonexistent.h5: ", 36), 0);
    snprintf(words, sizeof words, "loops %s -o /nonexistent/x.h5", junk);
    assert_int_equal(run(words), 1);
    assert_non_null(strstr(err, "junk.h5: "));
    assert_string_equal(out, "");
    snprintf(words, sizeof words, "loops %s -o /nonexistent/x.h5", in);
    assert_int_equal(run(words), 1);
    assert_non_null(strstr(err, "/nonexistent/x.h5: "));
    snprintf(words, sizeof words, "loops %s --json --cycles 3", in);
    assert_int_equal(run(words), 1);
    assert_non_null(strstr(err, "a number that divides 64 steps"));

    static const char *const usage[] = {"",
                                        "nonsense",
                                        "loops",
                                        "loops a.h5",
                                        "loops a.h5 b.h5 -o c.h5",
                                        "loops a.h5 -o a.h5",
                                        "loops a.h5 -o b.h5 --amplitude x",
                                        "loops a.h5 -o b.h5 --unfold sideways",
                                        "loops a.h5 -o b.h5 --metrics width_mid,banana",
                                        "loops a.h5 -o b.h5 --nucleation 0.7",
                                        "loops a.h5 -o b.h5 --threads 0",
                                        "loops a.h5 -o b.h5 --points 1",
                                        "loops a.h5 -o b.h5 --waveform /v --triangle 3",
                                        "loops --bogus a.h5 -o b.h5"};
    for (size_t k = 0; k < sizeof usage / sizeof *usage; k++) {
        if (run(usage[k]) != 2) fail_msg("'%s' is no usage error", usage[k]);
        assert_int_equal(strncmp(err, "reshed-beps", 11), 0);
    }
    snprintf(words, sizeof words, "loops %s --png %s/p --points 20", in, test_temp(""));
    assert_int_equal(run(words), 2);
    snprintf(words, sizeof words, "loops %s --png %s/p --points 1:4", in, test_temp(""));
    assert_int_equal(run(words), 2);
}

/* Reads, analyses and writes with every allocation of ours failing in turn: each failure is
 * reported as such, and nothing leaks (the sanitised run looks). */
static reshed_status whole_way(const char *in, const char *h5, const char *csv, const char *png,
                               reshed_error *e)
{
    rs_responses_source source = {.degrees = -1, .single = RS_FIELD_OFF};
    rs_responses r = {0};
    rs_field_loops l = {.field = RS_FIELD_OFF};
    rs_field_options options = {.by_area = RS_ANSWER_NO};
    rs_metric_choice few;
    rs_loops_options *o = &options.analysis;
    char failed[256];
    rs_loops_defaults(o);
    o->threads = 1;
    o->metric.fit = false;
    assert_true(rs_metric_choose("width_mid,area", &few, failed, sizeof failed));
    reshed_status st = rs_responses_read(in, &source, &r, e);
    if (st != RESHED_OK) {
        assert_null(r.v);
        return st;
    }
    st = rs_responses_unfold(&r, l.field, RS_UNFOLD_MAP, -1, 1, &l.unfolded, e);
    if (st == RESHED_OK) st = rs_field_loops_analyse(&r, &options, &l, e);
    if (st == RESHED_OK) st = rs_results_write_h5(h5, in, &r, o, &l, 1, &few, e);
    if (st == RESHED_OK) st = rs_results_write_csv(csv, &r, &l, 1, &few, e);
    if (st == RESHED_OK && png) st = rs_loop_figures_write(png, &r, &l, NULL, 0, failed, e);
    rs_field_loops_clear(&l);
    rs_responses_clear(&r);
    return st;
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    temp_path in = temp("grid.h5"), h5 = temp("n.h5"), csv = temp("n.csv");
    long failures = 0;
    write_grid(in.text);
    for (long n = 0;; n++) {
        reshed_error e = {0};
        test_alloc_fail_at(n);
        reshed_status st = whole_way(in.text, h5.text, csv.text, NULL, &e);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_ok(st, &e);
            break;
        }
        if (st != RESHED_ENOMEM) fail_msg("allocation %ld gave '%s'", n, reshed_status_text(st));
        assert_true(e.what[0]);
        failures++;
    }
    assert_true(failures > 20);
}

static void help_and_tables(void **state)
{
    (void)state;
    assert_non_null(strstr(run_ok("--help"), "Usage: reshed-beps sho"));
    assert_non_null(strstr(run_ok("--version"), "reshed"));
    assert_non_null(strstr(run_ok("loops --help"), "--unfold METHOD"));
    const char *list = run_ok("loops --list-metrics");
    assert_non_null(strstr(list, "nucleation_neg"));
    assert_non_null(strstr(list, "bglib_nucleation_2"));
    char words[1024];
    temp_path in_path = temp("grid.h5");
    const char *in = in_path.text;
    write_grid(in);
    snprintf(words, sizeof words, "loops %s --csv %s", in, test_temp("s.csv"));
    run_ok(words);
    assert_non_null(strstr(out, "20 off-field loops of 64 steps, 20 to trust"));
    assert_non_null(strstr(out, "median loop: V+ "));
    /* A choice of metrics. */
    snprintf(words, sizeof words, "loops %s --csv %s --metrics width_mid,fit_r2 --quiet", in,
             test_temp("s.csv"));
    run_ok(words);
    rs_csv_table t = {0};
    reshed_error e = {0};
    assert_ok(rs_csv_read(test_temp("s.csv"), &t, &e), &e);
    assert_int_equal(t.columns, 9);
    rs_csv_table_clear(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grid_gives_maps_table_and_figures),
        cmocka_unit_test(figures_for_a_paper),
        cmocka_unit_test(threads_do_not_change_the_table),
        cmocka_unit_test(point_list_of_amplitude_and_phase),
        cmocka_unit_test(amplitude_and_phase_belong_together),
        cmocka_unit_test(author_file_with_both_fields),
        cmocka_unit_test(complex_data_with_axes_for_everything),
        cmocka_unit_test(errors_name_the_file_and_the_fault),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(help_and_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
