/* The session file: what is put is found again. */
#include "support/session_sim.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "spm/session/layout.h"
#include "support/io_support.h"

static void what_is_put_is_found(void **state)
{
    (void)state;
    static sim_model m;
    char path[1024], journal[1100];
    strcpy(path, test_temp("all.h5"));
    reshed_error err = {0};
    rs_session *s = sim_begin(path, sim_puts(), 1, &m);
    snprintf(journal, sizeof journal, "%s.journal", path);
    sim_assert_holds(s, sim_puts());
    assert_true(rs_os_is_file(journal));
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    assert_false(rs_os_is_file(journal));
    assert_int_equal(files_beside(path, ".tmp"), 0);
    s = NULL;
    assert_ok(rs_session_open(path, &s, &err), &err);
    sim_assert_holds(s, sim_puts());
    rs_session_progress p;
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    assert_true(p.complete && !p.live && p.lines == SIM_ROWS - 1 && p.lost == 1);
    assert_true(p.first_missing == SIM_ROWS && p.points == 3 && p.measured == 2);
    assert_int_equal(p.first_pending, 3);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    s = NULL;
    assert_error(rs_session_resume(path, 1, &s, &err), RESHED_EINVAL, &err, "complete");
    assert_null(s);
}

/* ------------------------------------------------------------------------------------ the setup */
static void the_setup_comes_back(void **state)
{
    (void)state;
    static sim_model m;
    char path[1024];
    strcpy(path, test_temp("setup.h5"));
    reshed_error err = {0};
    rs_session *s = sim_begin(path, 0, 1, &m);
    const rs_session_setup *a = sim_setup(), *b = rs_session_get_setup(s);
    assert_string_equal(a->start_time, b->start_time);
    assert_string_equal(a->sample, b->sample);
    assert_string_equal(b->operator_name, ""); /* NULL */
    assert_string_equal(a->weights_sha256, b->weights_sha256);
    assert_string_equal(a->norm, b->norm);
    assert_string_equal(a->amplitude_unit, b->amplitude_unit);
    assert_string_equal(a->driver, b->driver);
    assert_true(b->driver_options == 2 && b->settings == 3);
    assert_string_equal(b->driver_option[1].name, "seed");
    assert_string_equal(b->driver_option[1].value, "7");
    assert_string_equal(rs_session_setting(s, "alarm-bits"), "1 ood");
    assert_string_equal(rs_session_setting(s, "k"), "");
    assert_null(rs_session_setting(s, "no"));
    assert_memory_equal(&a->frame, &b->frame, sizeof a->frame);
    assert_memory_equal(&a->be, &b->be, sizeof a->be);
    assert_memory_equal(&a->caps.limits, &b->caps.limits, sizeof a->caps.limits);
    assert_true(b->caps.clock_rate == 100 && b->caps.simulated && b->caps.retrace &&
                b->caps.band_excitation && b->caps.off_field);
    assert_string_equal(b->caps.instrument, "twin 1");
    assert_string_equal(b->caps.channel[1], "Phase");
    assert_string_equal(b->caps.unit[1], "rad");
    assert_memory_equal(a->frequency, b->frequency, SIM_BINS * sizeof(double));
    assert_memory_equal(a->spectrum_frequency, b->spectrum_frequency, SIM_BINS * sizeof(double));
    assert_memory_equal(a->spectroscopy.voltage, b->spectroscopy.voltage,
                        SIM_STEPS * sizeof(double));
    assert_true(b->spectroscopy.ramp_rate == 100 && b->spectroscopy.on_time == 4e-3);
    assert_memory_equal(a->metric, b->metric, SIM_METRICS * sizeof *a->metric);
    assert_true(b->patch_rows == SIM_PATCH && b->patch_cols == SIM_PATCH);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

/* The least that there is: one channel, no band excitation, no spectroscopy, one pixel. */
static void the_smallest_session(void **state)
{
    (void)state;
    char path[1024];
    strcpy(path, test_temp("small.h5"));
    reshed_error err = {0};
    rs_session *s = NULL;
    const rs_session_setup setup = {.caps = {.channels = 1, .channel = {"Amp-1/x"}},
                                    .frame = {.rows = 1, .cols = 1}};
    float v = 3, back = 0;
    rs_line line = {.cols = 1, .channels = 1, .channel = &v};
    rs_session_progress p;
    sim_remove(path);
    assert_ok(rs_session_create(path, &setup, 1, &s, &err), &err);
    assert_ok(rs_session_put_line(s, &line, 0, &err), &err);
    rs_session_point point = {0};
    assert_ok(rs_session_put_points(s, 0, 1, &point, &err), &err);
    rs_spectrum none = {0};
    assert_error(rs_session_put_spectrum(s, RS_SESSION_POINTS, 0, &none, &err), RESHED_EINVAL, &err,
                 "spectroscopy");
    assert_int_equal(
        rs_session_put_patch(s, 0, &(rs_session_patch){.rows = 1, .cols = 1}, &v, &err),
        RESHED_EINVAL);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    s = NULL;
    assert_ok(rs_session_open(path, &s, &err), &err);
    rs_line in = {.cols = 1, .channels = 1, .channel = &back};
    assert_ok(rs_session_read_line(s, 0, false, &in, NULL, &err), &err);
    assert_true(back == 3);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    assert_true(p.complete && p.lines == 1 && p.points == 1 && p.first_pending == 0);
    rs_session_finish(s, RESHED_OK, NULL);
}

/* Lines and spectra of more than a chunk. */
static void wide_lines(void **state)
{
    (void)state;
    enum { COLS = 700, BINS = 300 };
    char path[1024];
    strcpy(path, test_temp("wide.h5"));
    reshed_error err = {0};
    rs_session *s = NULL;
    double frequency[BINS];
    const size_t n = (size_t)COLS * BINS * 2;
    float *v = rs_alloc(2 * n, sizeof *v), *back = v + n;
    assert_non_null(v);
    for (int i = 0; i < BINS; i++) frequency[i] = i;
    for (size_t i = 0; i < n; i++) v[i] = (float)i;
    const rs_session_setup setup = {
        .caps = {.bins = BINS}, .frequency = frequency, .frame = {.rows = 2, .cols = COLS}};
    rs_line line = {.cols = COLS, .bins = BINS, .spectra = v, .row = 1};
    sim_remove(path);
    assert_ok(rs_session_create(path, &setup, 1, &s, &err), &err);
    assert_ok(rs_session_put_line(s, &line, 0, &err), &err);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    assert_ok(rs_session_open(path, &s, &err), &err);
    line.spectra = back;
    assert_ok(rs_session_read_line(s, 1, false, &line, NULL, &err), &err);
    assert_memory_equal(v, back, n * sizeof *v);
    line.bins = BINS - 1;
    assert_int_equal(rs_session_read_line(s, 1, false, &line, NULL, &err), RESHED_EINVAL);
    rs_session_finish(s, RESHED_OK, NULL);
    rs_free(v);
}

/* In sessions with much and with little, the datasets have paths of their own, and no chunk is
 * larger than the library's cache or than its dataset. */
static void datasets_have_their_places(void **state)
{
    (void)state;
    const rs_session_setup small = {.caps = {.channels = 1, .channel = {"A"}},
                                    .frame = {.rows = 1, .cols = 1}};
    rs_session_setup large = *sim_setup();
    large.frame.rows = large.frame.cols = 16384;
    large.spectroscopy.steps = 65536;
    const rs_session_setup *const setup[] = {&small, sim_setup(), &large};
    const int datasets[] = {26, 52, 52};
    static rs_session_place place[ITEMS];
    for (int k = 0; k < 3; k++) {
        int there = 0;
        memset(place, 0xff, sizeof place);
        rs_session_lay_out(setup[k], place);
        for (int i = 0; i < ITEMS; i++) {
            const rs_session_place *p = &place[i];
            size_t bytes = rs_session_cell_size(p->cell);
            if (p->ndim == 0) continue;
            there++;
            for (int a = 0; a < p->ndim; a++) {
                assert_true(p->chunk[a] >= 1);
                assert_true((a == 0 && p->grows) || p->chunk[a] <= p->dims[a]);
                bytes *= (size_t)p->chunk[a];
            }
            assert_true(bytes <= (size_t)1 << 20);
            for (int j = 0; j < i; j++)
                assert_false(place[j].ndim && strcmp(place[j].path, p->path) == 0 &&
                             strcmp(place[j].name, p->name) == 0);
        }
        assert_int_equal(there, datasets[k]);
    }
}

static void refuses_wrong_setups(void **state)
{
    (void)state;
    char path[1024];
    strcpy(path, test_temp("wrong.h5"));
    reshed_error err = {0};
    rs_session *s = NULL;
    rs_session_setup p;
    char *text = malloc(4002);
    const rs_driver_option twice[] = {{"a", "1"}, {"a", "2"}}, unnamed[] = {{"", "1"}};
    memset(text, 'a', 4001);
    text[4001] = '\0';
    sim_remove(path);
#define REFUSED(change, part)                                                                      \
    p = *sim_setup();                                                                              \
    change;                                                                                        \
    assert_error(rs_session_create(path, &p, 1, &s, &err), RESHED_EINVAL, &err, part)
    REFUSED(p.frame.rows = 0, "rows");
    REFUSED(p.frame.cols = 20000, "cols");
    REFUSED(p.caps.bins = -1, "bins");
    REFUSED((p.frame.cols = 16384, p.caps.bins = 16384), "values of a line");
    REFUSED(p.frequency = NULL, "frequencies");
    REFUSED(p.patch_cols = 0, "patch");
    REFUSED(p.metrics = 129, "metric_count");
    REFUSED(strcpy(p.caps.channel[1], "Amplitude"), "unlike channel 0");
    REFUSED(strcpy(p.caps.channel[1], ""), "name of channel 1");
    REFUSED(strcpy(p.caps.channel[1], "x"), "name of channel 1");
    REFUSED((p.setting = twice, p.settings = 2), "twice");
    REFUSED((p.driver_option = unnamed, p.driver_options = 1), "name among");
    REFUSED(p.sample = text, "sample");
#undef REFUSED
    assert_error(rs_session_create(path, sim_setup(), 0, &s, &err), RESHED_EINVAL, &err, "syncs");
    assert_null(s);
    assert_false(rs_os_is_file(path));
    assert_int_equal(files_beside(path, ".tmp"), 0);
    free(text);
}

static void refuses_wrong_puts(void **state)
{
    (void)state;
    static sim_model m;
    char path[1024];
    strcpy(path, test_temp("puts.h5"));
    reshed_error err = {0};
    rs_session *s = sim_begin(path, 0, 1, &m);
    float v[SIM_CHANNELS * SIM_COLS] = {0}, spectra[SIM_COLS * SIM_BINS * 2] = {0};
    uint8_t states[2] = {0, 4};
    const rs_line good = {.cols = SIM_COLS,
                          .bins = SIM_BINS,
                          .channels = SIM_CHANNELS,
                          .channel = v,
                          .spectra = spectra};
    rs_line line;
#define REFUSED(change)                                                                            \
    line = good;                                                                                   \
    change;                                                                                        \
    assert_int_equal(rs_session_put_line(s, &line, 0, &err), RESHED_EINVAL)
    REFUSED(line.cols--);
    REFUSED(line.bins++);
    REFUSED(line.channels = 1);
    REFUSED(line.channel = NULL);
    REFUSED(line.spectra = NULL);
    REFUSED(line.row = SIM_ROWS);
    REFUSED(line.row = -1);
#undef REFUSED
    assert_int_equal(rs_session_put_map(s, RS_SESSION_MEAN, 5, 2, v, &err), RESHED_EINVAL);
    assert_int_equal(rs_session_put_map(s, RS_SESSION_MEAN, 0, 0, v, &err), RESHED_EINVAL);
    assert_error(rs_session_put_states(s, 0, 2, states, &err), RESHED_EINVAL, &err, "row 1");
    rs_session_point p = {.target = -1};
    assert_error(rs_session_put_points(s, 0, 1, &p, &err), RESHED_EINVAL, &err, "target");
    p = (rs_session_point){.state = (rs_session_point_state)4};
    assert_error(rs_session_put_points(s, 0, 1, &p, &err), RESHED_EINVAL, &err, "state");
    p = (rs_session_point){0};
    assert_error(rs_session_put_points(s, 1, 1, &p, &err), RESHED_EINVAL, &err, "points");
    rs_spectrum none = {.steps = SIM_STEPS, .bins = SIM_BINS, .fields = SIM_FIELDS};
    assert_error(rs_session_put_spectrum(s, RS_SESSION_POINTS, 0, &none, &err), RESHED_EINVAL, &err,
                 "points");
    assert_error(rs_session_put_spectrum(s, RS_SESSION_REFERENCES, 0, &none, &err), RESHED_EINVAL,
                 &err, "spectrum");
    assert_error(rs_session_add_event(s, 0, (rs_session_level)3, "", &err), RESHED_EINVAL, &err,
                 "level");
    sim_assert_holds(s, 0);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    assert_ok(rs_session_open(path, &s, &err), &err);
    sim_assert_holds(s, 0);
    assert_error(rs_session_put_line(s, &good, 0, &err), RESHED_EINVAL, &err, "reading only");
    assert_error(rs_session_add_event(s, 0, RS_SESSION_NOTE, "", &err), RESHED_EINVAL, &err,
                 "reading only");
    rs_session_finish(s, RESHED_OK, NULL);
}

/* Too long texts of events are cut between characters. */
static void events_are_cut(void **state)
{
    (void)state;
    static sim_model m;
    char path[1024], text[400] = "";
    strcpy(path, test_temp("events.h5"));
    reshed_error err = {0};
    rs_session *s = sim_begin(path, 0, 1, &m);
    rs_session_event e;
    for (int i = 0; i < 150; i++) strcat(text, "\xc2\xb0");
    assert_ok(rs_session_add_event(s, 1, RS_SESSION_NOTE, text, &err), &err);
    assert_ok(rs_session_read_events(s, 0, 1, &e, &err), &err);
    assert_int_equal(strlen(e.text), (RS_SESSION_EVENT_TEXT - 1) / 2 * 2);
    assert_int_equal(rs_session_read_events(s, 1, 1, &e, &err), RESHED_EINVAL);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_found),       cmocka_unit_test(the_setup_comes_back),
        cmocka_unit_test(the_smallest_session),       cmocka_unit_test(wide_lines),
        cmocka_unit_test(datasets_have_their_places), cmocka_unit_test(refuses_wrong_setups),
        cmocka_unit_test(refuses_wrong_puts),         cmocka_unit_test(events_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
