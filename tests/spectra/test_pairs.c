/* The choice of what is read as loops: which phase goes with an amplitude, loops before images, what has no
 * sign, and the arrays of a session, which must have one shape. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "io/hdf5/h5.h"
#include "io/nsid/write.h"
#include "spectra/axes.h"
#include "spectra/pairs.h"
#include "spectra/responses.h"
#include "spectra/session_loops.h"
#include "support/h5_bare.h"
#include "support/loop_sim.h"

enum { STEPS = 32, MOST = 8, NX = 3, NY = 2, BINS = 12 };

static double volts[STEPS], bins[BINS];

static int prepare(void **state)
{
    (void)state;
    sim_triangle(STEPS, 8, volts);
    for (int i = 0; i < BINS; i++) bins[i] = 3e5 + 1e3 * i;
    return 0;
}

/* Dataset `name` in group `folder` with these axes; every number is `value`. */
static void add(rs_nsid_writer *w, const char *folder, const char *name, const char *units,
                const rs_nsid_data *axes, double value)
{
    static double data[NX * NY * STEPS];
    rs_nsid_data d = *axes;
    reshed_error err = {0};
    int64_t n = 1;
    for (int i = 0; i < d.ndim; i++) n *= d.dim[i].n;
    for (int64_t i = 0; i < n; i++) data[i] = value;
    d.data = data;
    snprintf(d.name, sizeof d.name, "%s", name);
    snprintf(d.title, sizeof d.title, "%s", name);
    snprintf(d.quantity, sizeof d.quantity, "%s", strstr(name, "ha") ? "Phase" : "Amplitude");
    if (strcmp(name, "PR loops") == 0) strcpy(d.quantity, "Piezoresponse");
    snprintf(d.units, sizeof d.units, "%s", units);
    strcpy(d.data_type, "IMAGE");
    assert_ok(rs_nsid_add(w, folder, &d, RS_NSID_F64, NULL, 0, &err), &err);
}

static rs_nsid_data one_loop(void)
{
    rs_nsid_data d = {.ndim = 1};
    rs_axis_name(&d.dim[0], "Bias", "Bias", "V", "SPECTRAL", STEPS);
    d.dim[0].values = volts;
    return d;
}

static rs_nsid_writer *begin(const char *path)
{
    rs_nsid_writer *w = NULL;
    reshed_error err = {0};
    assert_ok(rs_nsid_create(path, RS_NSID_ATOMIC, &w, &err), &err);
    return w;
}

static void end(rs_nsid_writer *w)
{
    reshed_error err = {0};
    assert_ok(rs_nsid_finish(w, RESHED_OK, &err), &err);
}

static reshed_status read_file(const char *path, const char *channel, rs_responses *r,
                               reshed_error *err)
{
    const rs_responses_source source = {.channel = channel, .degrees = -1, .single = RS_FIELD_OFF};
    return rs_responses_read(path, &source, r, err);
}

/* ----------------------------------------------------------------------------------------- pairs */
/* Datasets "folder/name", written in that order; `phase` of each that is an amplitude, -1: alone,
 * -2: several would do. */
typedef struct sample {
    const char *what;
    const char *name[MOST];
    int phase[MOST];
} sample;

static const sample samples[] = {
    {"the next in order, not the first",
     {"Channel_000/Amplitude", "Channel_001/Phase", "Channel_002/Amplitude", "Channel_003/Phase"},
     {1, 0, 3, 0}},
    {"phases first",
     {"Channel_000/Phase", "Channel_001/Amplitude", "Channel_002/Phase", "Channel_003/Amplitude"},
     {0, 0, 0, 2}},
    {"the same way", {"C/Phase_Trace", "C/Phase_Retrace", "C/Amplitude_Retrace"}, {0, 0, 1}},
    {"the other way alone", {"C/Phase_Trace", "C/Amplitude_Retrace"}, {0, -1}},
    {"a phase of another amplitude", {"C/Amplitude_Up", "C/Amplitude_Down", "C/Phase_Up"}, {2, -1}},
    {"case, blanks, underscores", {"C/PR Amp X", "C/pr_phase_y", "C/prPhaseX"}, {2}},
    {"numbers", {"C/Amp1", "C/LockinPha2", "C/LockinPha1", "C/Amp2"}, {2, 0, 0, 1}},
    {"a number that has no phase", {"C/Amp1", "C/Amp3", "C/Pha1", "C/Pha2"}, {2, -1}},
    {"one phase of another name", {"C/Amp X", "C/Lockin phase"}, {1}},
    {"a folder each", {"A/Amplitude", "A/Phase", "B/Phase", "B/Amplitude"}, {1, 0, 0, 2}},
    {"two of other names", {"C/Amplitude", "C/Phase Up", "C/Phase Down"}, {-2}},
    {"two before", {"C1/Phase", "C2/Phase", "C3/Amplitude"}, {0, 0, -2}},
    {"one of two after", {"C1/Phase", "C2/Amplitude", "C3/Phase"}, {0, 2}},
};

static void write_sample(const sample *s, const char *path)
{
    const rs_nsid_data axes = one_loop();
    rs_nsid_writer *w = begin(path);
    for (int i = 0; i < MOST && s->name[i]; i++) {
        char folder[64];
        const char *name = strchr(s->name[i], '/') + 1;
        snprintf(folder, sizeof folder, "/M/%.*s", (int)(name - 1 - s->name[i]), s->name[i]);
        const bool phase = strstr(name, "ha") != NULL;
        add(w, folder, name, phase ? "deg" : "V", &axes, phase ? 10 + i : 1 + i);
    }
    end(w);
}

/* The path of a dataset in the file, which is a group of its name around it. */
static const char *path_of(const char *name, char path[160])
{
    char clean[64];
    snprintf(clean, sizeof clean, "%s", strchr(name, '/') + 1);
    snprintf(path, 160, "/M/%s/%s", name, clean);
    return path;
}

/* The response says by its phase which one was taken. */
static void check_loop(const sample *s, int i)
{
    char name[160];
    rs_responses r = {0};
    reshed_error err = {0};
    const reshed_status st = read_file(test_temp("pairs.h5"), path_of(s->name[i], name), &r, &err);
    if (s->phase[i] < 0) {
        if (st != RESHED_EUNSUPPORTED) fail_msg("%s: %s was read", s->what, s->name[i]);
        const bool both = strstr(err.found, " and ") != NULL;
        if (both != (s->phase[i] == -2)) fail_msg("%s: %s", s->what, err.found);
        return;
    }
    if (st != RESHED_OK) fail_msg("%s: %s: %s, %s", s->what, name, err.what, err.found);
    assert_true(r.is_complex && r.steps == STEPS);
    const double degrees = atan2(r.im[RS_FIELD_OFF][0], r.re[RS_FIELD_OFF][0]) * 180 / acos(-1);
    if (fabs(degrees - (10 + s->phase[i])) > 1e-6)
        fail_msg("%s: %s went with %s", s->what, s->name[i], s->name[lrint(degrees) - 10]);
    assert_near(hypot(r.re[RS_FIELD_OFF][0], r.im[RS_FIELD_OFF][0]), 1 + i, 1e-12);
    rs_responses_clear(&r);
}

static void a_phase_goes_with_its_amplitude(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof samples / sizeof *samples; k++) {
        write_sample(&samples[k], test_temp("pairs.h5"));
        for (int i = 0; i < MOST && samples[k].name[i]; i++)
            if (!strstr(strchr(samples[k].name[i], '/'), "ha")) check_loop(&samples[k], i);
    }
}

/* Both that would do are named, without a channel as well; --unsigned and the two by name remain. */
static void a_tie_is_refused(void **state)
{
    (void)state;
    const sample s = {"", {"C1/Phase", "C2/Phase", "C3/Amplitude"}, {0}};
    rs_responses r = {.points = 77};
    reshed_error err = {0};
    write_sample(&s, test_temp("pairs.h5"));
    assert_int_equal(read_file(test_temp("pairs.h5"), NULL, &r, &err), RESHED_EUNSUPPORTED);
    assert_non_null(strstr(err.found, "/M/C1"));
    assert_non_null(strstr(err.found, "/M/C2"));
    assert_non_null(strstr(err.expected, "--phase"));
    assert_int_equal(r.points, 77);
    rs_responses_source source = {.degrees = -1, .unsigned_too = true};
    assert_ok(rs_responses_read(test_temp("pairs.h5"), &source, &r, &err), &err);
    assert_true(!r.is_complex && r.re[RS_FIELD_OFF][0] == 3);
    rs_responses_clear(&r);
    source = (rs_responses_source){
        .degrees = -1, .amplitude = "/M/C3/Amplitude/Amplitude", .phase = "/M/C2/Phase/Phase"};
    assert_ok(rs_responses_read(test_temp("pairs.h5"), &source, &r, &err), &err);
    assert_near(r.im[RS_FIELD_OFF][0], 3 * sin(11 * acos(-1) / 180), 1e-12);
    rs_responses_clear(&r);
}

static void pairs_without_memory(void **state)
{
    (void)state;
    rs_nsid_file *file = NULL;
    reshed_error err = {0};
    write_sample(&samples[0], test_temp("pairs.h5"));
    assert_ok(rs_nsid_open(test_temp("pairs.h5"), &file, &err), &err);
    for (long k = 0;; k++) {
        rs_pair *pair = NULL;
        test_alloc_fail_at(k);
        const reshed_status st = rs_pairs_find(file, &pair, &err);
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        assert_int_equal(st, failed ? RESHED_ENOMEM : RESHED_OK);
        assert_int_equal(pair == NULL, failed);
        if (failed) continue;
        assert_true(pair[0].phase == 1 && pair[1].phase == -1 && pair[2].phase == 3);
        assert_int_equal(pair[2].rival[0], -1);
        rs_free(pair);
        break;
    }
    rs_nsid_close(file);
}

/* ----------------------------------------------------------------------------- loops before images */
/* Images of amplitude and phase, with loops beside them or not; the loops signed. */
static void loops_come_before_images(void **state)
{
    (void)state;
    rs_nsid_data image = {.ndim = 2}, loops = {.ndim = 3};
    rs_responses r = {0};
    reshed_error err = {0};
    rs_axis_name(&image.dim[0], "X", "X", "m", "SPATIAL", STEPS / 4);
    rs_axis_name(&image.dim[1], "Y", "Y", "m", "SPATIAL", STEPS / 2);
    rs_axis_name(&loops.dim[0], "X", "X", "m", "SPATIAL", NX);
    rs_axis_name(&loops.dim[1], "Y", "Y", "m", "SPATIAL", NY);
    rs_axis_name(&loops.dim[2], "Bias", "Bias", "V", "SPECTRAL", STEPS);
    loops.dim[2].values = volts;
    for (int kind = 0; kind < 3; kind++) { /* loops; a pair of loops; none */
        rs_nsid_writer *w = begin(test_temp("images.h5"));
        add(w, "/M", "PR Amplitude", "V", &image, 1);
        add(w, "/M", "PR Phase", "deg", &image, 20);
        if (kind == 0) add(w, "/M", "PR loops", "V", &loops, -2);
        if (kind == 1) {
            add(w, "/M", "Z Amplitude", "V", &loops, 3);
            add(w, "/M", "Z Phase", "deg", &loops, 30);
        }
        end(w);
        if (kind == 2) { /* Their voltages are nowhere: the pair was taken, and that is said. */
            assert_int_equal(read_file(test_temp("images.h5"), NULL, &r, &err),
                             RESHED_EUNSUPPORTED);
            assert_non_null(strstr(err.where, "Amplitude"));
            continue;
        }
        assert_ok(read_file(test_temp("images.h5"), NULL, &r, &err), &err);
        assert_true(r.points == NX * NY && r.steps == STEPS && r.is_complex == (kind == 1));
        assert_near(r.re[RS_FIELD_OFF][0], kind ? 3 * cos(acos(-1) / 6) : -2, 1e-12);
        rs_responses_clear(&r);
    }
}

/* ------------------------------------------------------------------------------------------ USID */
static void write_usid(const char *path, const char *name, bool folded)
{
    static const char *const xy[2] = {"X", "Y"}, *const um[2] = {"um", "um"};
    static const char *const names[1] = {"DC_Offset"}, *const units[1] = {"V"};
    double data[STEPS], pos[2] = {0, 0};
    for (int i = 0; i < STEPS; i++) data[i] = folded ? fabs(volts[i]) : volts[i];
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t m0 = H5Gcreate2(f, "Measurement_000", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t c0 = H5Gcreate2(m0, "Channel_000", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hsize_t size[2] = {1, STEPS};
    hid_t space = H5Screate_simple(2, size, NULL);
    hid_t set = H5Dcreate2(c0, name, H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    h5_put_ancillary(c0, "Position_Values", 1, 2, pos, xy, um, 2);
    h5_put_ancillary(c0, "Spectroscopic_Values", 1, STEPS, volts, names, units, 1);
    H5Dclose(set), H5Sclose(space), H5Gclose(c0), H5Gclose(m0), H5Fclose(f);
}

static void an_amplitude_of_usid_has_no_sign(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool folded, unsigned_too;
        reshed_status st;
    } cases[] = {{"Amplitude", true, false, RESHED_EUNSUPPORTED},
                 {"SHO_Magnitude", true, false, RESHED_EUNSUPPORTED},
                 {"Amplitude", true, true, RESHED_OK},
                 {"Amplitude", false, false, RESHED_OK},
                 {"Projected_Loops", false, false, RESHED_OK}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        for (int whole = 0; whole < 2; whole++) {
            char channel[96];
            rs_responses r = {0};
            reshed_error err = {0};
            snprintf(channel, sizeof channel, "%s%s", whole ? "/Measurement_000/Channel_000/" : "",
                     cases[k].name);
            const rs_responses_source source = {
                .channel = channel, .degrees = -1, .unsigned_too = cases[k].unsigned_too};
            write_usid(test_temp("usid.h5"), cases[k].name, cases[k].folded);
            const reshed_status st = rs_responses_read(test_temp("usid.h5"), &source, &r, &err);
            if (st != cases[k].st) fail_msg("%s: %d, %s", channel, st, err.what);
            if (st == RESHED_OK)
                assert_near(r.re[RS_FIELD_OFF][1], cases[k].folded ? fabs(volts[1]) : volts[1],
                            1e-12);
            else
                assert_non_null(strstr(err.expected, "--unsigned"));
            rs_responses_clear(&r);
        }
}

/* --------------------------------------------------------------------------------------- sessions */
enum { P = 20, F = 2 };

/* Shapes of one array of a session. */
typedef struct array {
    const char *name;
    int ndim;
    uint64_t dims[4];
} array;

/* Writes pairs {r, i}, which the writer of arrays has not. */
static void put_complex(const char *path, const array *a)
{
    static double data[2 * P * F * STEPS * BINS];
    hsize_t size[4];
    for (int i = 0; i < a->ndim; i++) size[i] = a->dims[i];
    for (size_t i = 0; i < sizeof data / sizeof *data; i++) data[i] = 1;
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), pair = H5Tcreate(H5T_COMPOUND, 16);
    H5Tinsert(pair, "r", 0, H5T_IEEE_F64LE), H5Tinsert(pair, "i", 8, H5T_IEEE_F64LE);
    hid_t space = H5Screate_simple(a->ndim, size, NULL);
    hid_t set = H5Dcreate2(f, a->name, pair, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(set, pair, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    H5Dclose(set), H5Sclose(space), H5Tclose(pair), H5Fclose(f);
}

/* A session with these arrays in place of the usual ones. */
static void write_session(const char *path, bool fitted, const array *other, bool real_spectra)
{
    static double data[2 * P * F * STEPS * BINS];
    const array usual[] = {{"/BEPS/sho_amplitude", 3, {P, F, STEPS}},
                           {"/BEPS/sho_phase", 3, {P, F, STEPS}},
                           {"/BEPS/sho_q", 3, {P, F, STEPS}},
                           {"/BEPS/amplitude", 3, {P, F, STEPS}},
                           {"/BEPS/phase", 3, {P, F, STEPS}}};
    const uint64_t steps = STEPS, n_bins = BINS, one = 1;
    array spectra = {"/BEPS/spectra", 4, {P, F, STEPS, BINS}};
    reshed_error err = {0};
    rs_nsid_writer *w = begin(path);
    for (size_t i = 0; i < sizeof data / sizeof *data; i++) data[i] = 1;
    assert_ok(rs_nsid_group(w, "/Session/settings", &err), &err);
    assert_ok(rs_nsid_put_array(w, "/Points/table", 1, &one, data, RS_NSID_F64, &err), &err);
    assert_ok(rs_nsid_put_array(w, "/BEPS/response", 1, &one, data, RS_NSID_F64, &err), &err);
    assert_ok(rs_nsid_put_array(w, RS_AUTHOR_WAVEFORM, 1, &steps, volts, RS_NSID_F64, &err), &err);
    if (fitted)
        assert_ok(rs_nsid_put_array(w, "/BEPS/frequency", 1, &n_bins, bins, RS_NSID_F64, &err),
                  &err);
    for (int i = fitted ? 0 : 3; i < (fitted ? 3 : 5); i++) {
        const array *a = other && strcmp(other->name, usual[i].name) == 0 ? other : &usual[i];
        assert_ok(rs_nsid_put_array(w, a->name, a->ndim, a->dims, data, RS_NSID_F64, &err), &err);
    }
    if (other && strcmp(other->name, spectra.name) == 0) spectra = *other;
    if (fitted && real_spectra)
        assert_ok(rs_nsid_put_array(w, spectra.name, 4, spectra.dims, data, RS_NSID_F64, &err),
                  &err);
    end(w);
    if (fitted && !real_spectra) put_complex(path, &spectra);
}

static reshed_status read_session(const char *path, uint64_t *count, reshed_error *err)
{
    rs_nsid_file *file = NULL;
    rs_nsid_data d[3];
    memset(d, 0, sizeof d);
    assert_ok(rs_nsid_open(path, &file, err), err);
    assert_true(rs_session_loops_are(file));
    const reshed_status st = rs_session_loops_read(file, &d[0], &d[1], &d[2], err);
    *count = d[0].count;
    for (int i = 0; i < 3; i++) rs_nsid_data_clear(&d[i]);
    rs_nsid_close(file);
    return st;
}

static void arrays_of_a_session_have_one_shape(void **state)
{
    (void)state;
    static const array wrong[] = {
        {"/BEPS/sho_phase", 3, {1, F, STEPS}},     {"/BEPS/sho_phase", 3, {P, 1, STEPS}},
        {"/BEPS/sho_phase", 3, {P + 1, F, STEPS}}, {"/BEPS/sho_q", 3, {1, F, STEPS}},
        {"/BEPS/sho_q", 3, {P * F, 1, STEPS}},     {"/BEPS/spectra", 4, {P * F, 1, STEPS, BINS}},
        {"/BEPS/spectra", 4, {1, F, STEPS, BINS}}, {"/BEPS/sho_amplitude", 3, {1, F, STEPS}},
        {"/BEPS/phase", 3, {1, F, STEPS}},         {"/BEPS/phase", 3, {P, 1, STEPS}},
        {"/BEPS/amplitude", 3, {2, F, STEPS}}};
    const char *path = test_temp("session.h5");
    uint64_t count;
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        const bool fitted = strstr(wrong[k].name, "sho") || wrong[k].ndim == 4;
        const bool amplitude = strstr(wrong[k].name, "amplitude") != NULL;
        rs_responses r = {.points = 77};
        reshed_error err = {0};
        char shape[64];
        write_session(path, fitted, &wrong[k], false);
        assert_int_equal(read_session(path, &count, &err), RESHED_ECORRUPT);
        snprintf(shape, sizeof shape, "(%d,%d,%d)", (int)wrong[k].dims[0], (int)wrong[k].dims[1],
                 (int)wrong[k].dims[2]);
        assert_non_null(strstr(amplitude ? err.expected : err.found, shape));
        if (!amplitude) assert_string_equal(err.where, wrong[k].name);
        assert_non_null(strstr(err.expected, "amplitude"));
        assert_int_equal(read_file(path, NULL, &r, &err), RESHED_ECORRUPT);
        assert_int_equal(r.points, 77);
    }
    for (int fitted = 0; fitted < 2; fitted++) {
        reshed_error err = {0};
        write_session(path, fitted, NULL, false);
        assert_ok(read_session(path, &count, &err), &err);
        assert_int_equal(count, P * F * STEPS);
    }
    reshed_error err = {0};
    write_session(path, true, NULL, true);
    assert_int_equal(read_session(path, &count, &err), RESHED_ECORRUPT);
    assert_string_equal(err.where, "/BEPS/spectra");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_phase_goes_with_its_amplitude),
        cmocka_unit_test(a_tie_is_refused),
        cmocka_unit_test(pairs_without_memory),
        cmocka_unit_test(loops_come_before_images),
        cmocka_unit_test(an_amplitude_of_usid_has_no_sign),
        cmocka_unit_test(arrays_of_a_session_have_one_shape),
    };
    return cmocka_run_group_tests_name("pairs", tests, prepare, NULL);
}
