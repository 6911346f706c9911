/* Switching-spectroscopy waves of Asylum microscopes, built here field by field. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/os.h"
#include "spectra/asylum.h"
#include "spectra/plateaus.h"
#include "spectra/responses.h"
#include "support/io_support.h"
#include "support/loop_sim.h"
#include "support/program.h"

enum { STEPS = 64, MAX_SAMPLES = 8192, COLUMNS = 7 };
#define HEIGHT 1e-10
#define ANGLE (-60.0) /* deg, of the response */

/* A recording. */
typedef struct record {
    int samples, points;
    double bias[MAX_SAMPLES], write[MAX_SAMPLES]; /* V applied, V of the last pulse */
    double noise;                                 /* of the bias */
} record;

/* held samples at each step; rest: with as many at 0 V after it; slow: samples on the way. */
static void stairs(record *r, int cycles, int held, bool rest, int slow, double noise)
{
    double v[STEPS], before = 0;
    sim_triangle(STEPS, 8, v);
    r->samples = 0;
    r->points = 1;
    r->noise = noise;
    for (int k = 0; k < cycles * STEPS; k++)
        for (int half = 0; half <= rest; half++) {
            const double to = half ? 0 : v[k % STEPS];
            for (int i = 0; i < held; i++) {
                const double part = i < slow ? (i + 1.0) / (slow + 1) : 1;
                r->bias[r->samples] = before + part * (to - before);
                r->write[r->samples++] = v[k % STEPS];
            }
            before = to;
        }
}

/* The wave file of it (rs_free): a sample that switches up at 3.45 V and down at -2.54 V. */
static uint8_t *wave(const record *r, const char *const *labels, bool big, size_t *len)
{
    static file_bytes b; /* the header alone */
    const size_t n = (size_t)r->samples, points = (size_t)r->points;
    const size_t data = n * COLUMNS * points * 4, all = 384 + data + 32 * (COLUMNS + 1);
    uint8_t *out = rs_zalloc(all, 1);
    b.n = 0;
    put_uint(&b, 5, 2, big);
    put_uint(&b, 0, 2, big);
    put_uint(&b, 320 + data, 4, big);
    for (int i = 0; i < 7; i++) put_uint(&b, 0, 4, big);
    for (int i = 0; i < 4; i++) put_uint(&b, i == 1 ? 32 * (COLUMNS + 1) : 0, 4, big);
    put_text(&b, "", 24);
    put_uint(&b, n * COLUMNS * points, 4, big);
    put_uint(&b, 2, 2, big);
    put_text(&b, "", 10);
    put_text(&b, "SSPFM000", 32);
    put_text(&b, "", 8);
    const uint64_t dims[4] = {n, COLUMNS, points > 1 ? points : 0, 0};
    for (int i = 0; i < 4; i++) put_uint(&b, dims[i], 4, big);
    for (int i = 0; i < 8; i++) put_double(&b, i == 0 ? 5e-4 : i < 4, big);
    put_text(&b, "m", 4);
    put_text(&b, "s", 4);
    put_text(&b, "", 384 - b.n);
    memcpy(out, b.data, 384);
    uint16_t sum = 0;
    for (int i = 0; i < 384; i += 2)
        sum = (uint16_t)(sum + (big ? out[i] << 8 | out[i + 1] : out[i] | out[i + 1] << 8));
    sum = (uint16_t)-sum;
    out[big ? 3 : 2] = (uint8_t)sum;
    out[big ? 2 : 3] = (uint8_t)(sum >> 8);

    test_rng rng = {test_seed()};
    for (size_t p = 0; p < points; p++) {
        bool up = false;
        for (size_t i = 0; i < n; i++) {
            up = r->write[i] > 3.45 || (up && r->write[i] > -2.54);
            const double value[COLUMNS] = {1e-9,
                                           2e-9,
                                           HEIGHT * (double)(p + 1),
                                           ANGLE + (up ? 0 : 180),
                                           3.5e5,
                                           r->bias[i] + r->noise * test_gauss(&rng),
                                           1e-6};
            for (int c = 0; c < COLUMNS; c++) {
                const float f = (float)value[c];
                uint32_t u;
                memcpy(&u, &f, sizeof u);
                uint8_t *at = out + 384 + 4 * ((p * COLUMNS + (size_t)c) * n + i);
                for (int k = 0; k < 4; k++) at[k] = (uint8_t)(u >> (big ? 24 - 8 * k : 8 * k));
            }
        }
    }
    for (int c = 0; c < COLUMNS; c++)
        snprintf((char *)out + 384 + data + 32 * (size_t)(c + 1), 32, "%s", labels[c]);
    *len = all;
    return out;
}

static const char *const usual[COLUMNS] = {"Raw", "Defl", "Amp", "Phase", "Freq", "Bias", "ZSnsr"};

static void write_wave(const char *path, const record *r, const char *const *labels, bool big)
{
    size_t len;
    uint8_t *bytes = wave(r, labels, big, &len);
    test_write_file(path, bytes, len);
    rs_free(bytes);
}

static reshed_status read_wave(const record *r, const char *const *labels, bool big,
                               rs_responses *out, reshed_error *err)
{
    const char *path = test_temp("wave.ibw");
    const rs_responses_source source = {.degrees = -1, .single = RS_FIELD_OFF};
    write_wave(path, r, labels, big);
    return rs_responses_read(path, &source, out, err);
}

/* Where the response of a field turns its sign, and that there is nothing else in it. */
static void check_loop(const rs_responses *r, rs_field field, int steps, double height)
{
    assert_true(r->is_complex && r->has[field]);
    assert_int_equal(r->steps, steps);
    for (int i = 0; i < r->steps * r->cycles; i++) {
        const double along =
            r->re[field][i] * cos(ANGLE * RS_DEGREE) + r->im[field][i] * sin(ANGLE * RS_DEGREE);
        const double v = r->v[i];
        assert_near(hypot(r->re[field][i], r->im[field][i]), height, 1e-6 * height);
        if (v > 3.6) assert_true(along > 0);
        if (v < -2.6) assert_true(along < 0);
    }
}

static void held_steps_are_on_field(void **state)
{
    (void)state;
    static record r;
    for (int kind = 0; kind < 12; kind++) {
        const int held = 4 + kind % 3 * 4, slow = kind % 2, cycles = 1 + kind % 2;
        rs_responses in = {0};
        reshed_error err = {0};
        stairs(&r, cycles, held, false, slow, kind < 6 ? 0 : 0.01);
        assert_ok(read_wave(&r, usual, kind % 4 == 3, &in, &err), &err);
        assert_false(in.has[RS_FIELD_OFF]);
        assert_int_equal(in.cycles, cycles);
        assert_int_equal(in.points, 1);
        assert_string_equal(in.units, "m");
        assert_non_null(strstr(in.note, "on-field"));
        for (int i = 0; i < in.steps * cycles; i++)
            assert_near(in.v[i], r.write[(i + 1) * held - 1], 0.02);
        check_loop(&in, RS_FIELD_ON, STEPS, HEIGHT);
        rs_responses_clear(&in);
    }
}

static void pulses_give_both_fields(void **state)
{
    (void)state;
    static record r;
    for (int kind = 0; kind < 4; kind++) {
        rs_responses in = {0};
        reshed_error err = {0};
        stairs(&r, 1 + kind / 2, 6, true, kind % 2, kind % 2 ? 0.01 : 0);
        assert_ok(read_wave(&r, usual, false, &in, &err), &err);
        assert_true(in.has[RS_FIELD_OFF] && in.has[RS_FIELD_ON]);
        assert_non_null(strstr(in.note, "pulses"));
        /* Pulses of 0 V cannot be told from the rest: a cycle has two of them. */
        assert_true(in.steps >= STEPS - 2);
        assert_int_equal(in.cycles, 1 + kind / 2);
        check_loop(&in, RS_FIELD_OFF, in.steps, HEIGHT);
        rs_responses_clear(&in);
    }
}

static void further_layers_are_points(void **state)
{
    (void)state;
    static record r;
    rs_responses in = {0};
    reshed_error err = {0};
    stairs(&r, 1, 5, false, 0, 0);
    r.points = 3;
    assert_ok(read_wave(&r, usual, false, &in, &err), &err);
    assert_int_equal(in.points, 3);
    for (int p = 0; p < 3; p++)
        assert_near(hypot(in.re[RS_FIELD_ON][p * STEPS], in.im[RS_FIELD_ON][p * STEPS]),
                    HEIGHT * (p + 1), 1e-16);
    rs_responses_clear(&in);
}

static void a_ramp_is_a_step_for_each_sample(void **state)
{
    (void)state;
    double bias[256];
    rs_plateaus p = {0};
    reshed_error err = {0};
    sim_triangle(256, 8, bias);
    assert_ok(rs_plateaus_find(bias, 256, &p, &err), &err);
    assert_int_equal(p.n, 256);
    for (int i = 0; i < 256; i++) assert_near(p.v[i], bias[i], 0);
    rs_plateaus_clear(&p);
    for (int i = 0; i < 256; i++) bias[i] = 1;
    assert_ok(rs_plateaus_find(bias, 256, &p, &err), &err);
    assert_int_equal(p.n, 1);
    assert_int_equal(p.end[0], 256);
    rs_plateaus_clear(&p);
    assert_ok(rs_plateaus_find(bias, 1, &p, &err), &err);
    assert_int_equal(p.n, 1);
    rs_plateaus_clear(&p);
    assert_int_equal(rs_plateaus_find(bias, 0, &p, &err), RESHED_EINVAL);
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    static record r;
    static const char *const none[COLUMNS] = {"Raw", "Defl", "Amp", "Phase", "Freq", "X", "ZSnsr"};
    static const char *const dart[COLUMNS] = {"Raw",  "Defl", "Amp1", "Phase1",
                                              "Amp2", "Bias", "Phas2"};
    rs_responses in = {0};
    reshed_error err = {0};
    stairs(&r, 1, 5, false, 0, 0);
    assert_error(read_wave(&r, none, false, &in, &err), RESHED_EUNSUPPORTED, &err,
                 "Raw, Defl, Amp, Phase");
    assert_ok(read_wave(&r, dart, false, &in, &err), &err);
    assert_non_null(strstr(in.path, "Amp1, Phase1 over Bias"));
    rs_responses_clear(&in);
    r.bias[7] = NAN;
    assert_error(read_wave(&r, usual, false, &in, &err), RESHED_ECORRUPT, &err, "sample 7");
    for (int i = 0; i < r.samples; i++) r.bias[i] = 0;
    rs_responses_source source = {.degrees = -1};
    reshed_status st = read_wave(&r, usual, false, &in, &err);
    if (st == RESHED_OK) { /* one step, which no loop is made of */
        assert_int_equal(in.steps, 1);
        rs_responses_clear(&in);
    }
    source.amplitude = "Amp9";
    source.phase = "Phase";
    assert_error(rs_responses_read(test_temp("wave.ibw"), &source, &in, &err), RESHED_EINVAL, &err,
                 "ZSnsr");
    source = (rs_responses_source){.degrees = -1, .waveform = "/v"};
    assert_error(rs_responses_read(test_temp("wave.ibw"), &source, &in, &err), RESHED_EUNSUPPORTED,
                 &err, "HDF5");
}

static reshed_status read_bytes(const uint8_t *bytes, size_t len, reshed_error *err)
{
    rs_ibw w;
    rs_nsid_data d = {0};
    reshed_status st = rs_ibw_open_mem(bytes, len, &w, err);
    if (st == RESHED_OK) st = rs_asylum_loops(&w, NULL, NULL, -1, &d, err);
    rs_nsid_data_clear(&d);
    return st;
}

static void damaged_waves_are_refused(void **state)
{
    (void)state;
    static record r;
    size_t len;
    stairs(&r, 1, 2, false, 0, 0);
    uint8_t *bytes = wave(&r, usual, false, &len);
    test_mutate("asylum wave", read_bytes, bytes, len, test_mutations() / 10);
    test_each_alloc(read_bytes, bytes, len);
    rs_free(bytes);
}

static void the_program_reads_waves(void **state)
{
    (void)state;
    static record r;
    char args[512];
    stairs(&r, 2, 5, true, 1, 0.01);
    write_wave(test_temp("pulsed.ibw"), &r, usual, false);
    snprintf(args, sizeof args, "loops %s --json", test_temp("pulsed.ibw"));
    const outcome *o = run_program("reshed-beps", args);
    if (o->status != 0) fail_msg("%s", o->err);
    assert_non_null(strstr(o->out, "\"field\": \"off-field\""));
    assert_near(json_number(o->out, "trusted"), 1, 0);
    const char *median = strstr(o->out, "\"median_loop\"");
    assert_near(json_number(median, "v_plus_mid"), 3.45, 0.26);
    assert_near(json_number(median, "v_minus_mid"), -2.54, 0.26);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_steps_are_on_field),
        cmocka_unit_test(pulses_give_both_fields),
        cmocka_unit_test(further_layers_are_points),
        cmocka_unit_test(a_ramp_is_a_step_for_each_sample),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(damaged_waves_are_refused),
        cmocka_unit_test(the_program_reads_waves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
