/* The session file: what is put is found again, by us and by others. */
#define _DEFAULT_SOURCE
#include "support/session_sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/hdf5/h5.h"
#include "io/nsid/nsid.h"
#include "support/io_support.h"

static void remove_session(const char *path)
{
    char journal[4096];
    snprintf(journal, sizeof journal, "%s.journal", path);
    remove(path);
    remove(journal);
}

static void put_file(const char *path, const void *data, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, n, f) != n || fclose(f) != 0) abort();
}

/* A session with the first n puts, still open. */
static rs_session *begin(const char *path, int n, int sync_every, sim_model *m)
{
    reshed_error err = {0};
    rs_session *s = NULL;
    remove_session(path);
    assert_ok(rs_session_create(path, sim_setup(), sync_every, &s, &err), &err);
    sim_after(m, 0);
    for (int k = 0; k < n; k++) assert_ok(sim_put(m, s, k, &err), &err);
    return s;
}

static void assert_holds(rs_session *s, int n)
{
    sim_model *there = rs_alloc(2, sizeof *there), *model = there + 1;
    assert_non_null(there);
    sim_read(s, there);
    sim_after(model, n);
    assert_true(sim_equal(there, model));
    rs_free(there);
}

static void what_is_put_is_found(void **state)
{
    (void)state;
    static sim_model m;
    char path[1024], journal[1100];
    strcpy(path, test_temp("all.h5"));
    reshed_error err = {0};
    rs_session *s = begin(path, sim_puts(), 1, &m);
    snprintf(journal, sizeof journal, "%s.journal", path);
    assert_holds(s, sim_puts());
    assert_true(rs_os_is_file(journal));
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    assert_false(rs_os_is_file(journal));
    assert_int_equal(files_beside(path, ".tmp"), 0);
    s = NULL;
    assert_ok(rs_session_open(path, &s, &err), &err);
    assert_holds(s, sim_puts());
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

/* ------------------------------------------------------------------------------------- the setup
 */
static void the_setup_comes_back(void **state)
{
    (void)state;
    static sim_model m;
    char path[1024];
    strcpy(path, test_temp("setup.h5"));
    reshed_error err = {0};
    rs_session *s = begin(path, 0, 1, &m);
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
    remove_session(path);
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
    remove_session(path);
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
    remove_session(path);
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
    rs_session *s = begin(path, 0, 1, &m);
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
    assert_holds(s, 0);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    assert_ok(rs_session_open(path, &s, &err), &err);
    assert_holds(s, 0);
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
    rs_session *s = begin(path, 0, 1, &m);
    rs_session_event e;
    for (int i = 0; i < 150; i++) strcat(text, "\xc2\xb0");
    assert_ok(rs_session_add_event(s, 1, RS_SESSION_NOTE, text, &err), &err);
    assert_ok(rs_session_read_events(s, 0, 1, &e, &err), &err);
    assert_int_equal(strlen(e.text), (RS_SESSION_EVENT_TEXT - 1) / 2 * 2);
    assert_int_equal(rs_session_read_events(s, 1, 1, &e, &err), RESHED_EINVAL);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

/* ------------------------------------------------------------------------------- several programs
 */
static void readers_follow_the_writer(void **state)
{
    (void)state;
    static sim_model m;
    char path[1024];
    strcpy(path, test_temp("followed.h5"));
    reshed_error err = {0};
    rs_session *s = begin(path, 0, 1, &m), *r = NULL, *second = NULL;
    rs_session_progress p;
    assert_ok(rs_session_open(path, &r, &err), &err);
    int found = 0;
    for (int k = 0; k < sim_puts(); k++) {
        assert_ok(sim_put(&m, s, k, &err), &err);
        assert_ok(rs_session_refresh(r, &err), &err);
        if (sim_is_durable(k)) found = k + 1;
        assert_int_equal(sim_find(r, found), found);
        assert_ok(rs_session_get_progress(r, &p, &err), &err);
        assert_true(p.live && !p.complete);
    }
    assert_string_equal(rs_session_get_setup(r)->sample, sim_setup()->sample);
    assert_error(rs_session_resume(path, 1, &second, &err), RESHED_EIO, &err, "one in use");
    assert_error(rs_session_create(path, sim_setup(), 1, &second, &err), RESHED_EIO, &err,
                 "existing file");
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    assert_ok(rs_session_refresh(r, &err), &err);
    assert_ok(rs_session_get_progress(r, &p, &err), &err);
    assert_true(!p.live && p.complete);
    assert_int_equal(rs_session_finish(r, RESHED_ETIMEOUT, NULL), RESHED_ETIMEOUT);
    assert_null(second);
}

/* A reader in another process that looks at any moment can read, and finds the data of all lines
 * and points that it is told of, at the first look or, rarely, when it opens the file again. */
static bool look_around(const char *path, const sim_model *all)
{
    static sim_model there;
    reshed_error err = {0};
    rs_session *s = NULL;
    rs_session_progress p;
    if (rs_session_open(path, &s, &err) != RESHED_OK) return false;
    bool ok = rs_session_get_progress(s, &p, &err) == RESHED_OK;
    for (int dir = 0; ok && dir < 2; dir++)
        for (int r = 0; ok && r < SIM_ROWS; r++) {
            rs_line line = {.cols = SIM_COLS,
                            .bins = SIM_BINS,
                            .channels = SIM_CHANNELS,
                            .channel = there.channel[dir][r][0],
                            .spectra = there.spectra[dir][r][0][0]};
            rs_session_arrival a;
            ok = rs_session_read_line(s, r, dir, &line, &a, &err) == RESHED_OK;
            /* A line that is noted after it was read is for the next look. */
            if (ok && a.state == RS_SESSION_ARRIVED)
                ok = memcmp(there.spectra[dir][r], all->spectra[dir][r],
                            sizeof there.spectra[dir][r]) == 0;
        }
    for (int k = 0; ok && k < p.points; k++) {
        rs_session_point point;
        rs_spectrum v = {
            .steps = SIM_STEPS, .bins = SIM_BINS, .spectra = there.loop[k].spectra[0][0][0]};
        ok = rs_session_read_points(s, k, 1, &point, &err) == RESHED_OK &&
             rs_session_read_spectrum(s, RS_SESSION_POINTS, k, &v, &err) == RESHED_OK;
        if (ok && point.state == RS_SESSION_MEASURED)
            ok = memcmp(there.loop[k].spectra, all->loop[k].spectra,
                        sizeof there.loop[k].spectra) == 0;
    }
    rs_session_finish(s, RESHED_OK, NULL);
    return ok;
}

static void readers_may_look_at_any_moment(void **state)
{
    (void)state;
    static sim_model m, all;
    char path[1024], stop[1024];
    reshed_error err = {0};
    int status = 0;
    strcpy(path, test_temp("looked.h5"));
    strcpy(stop, test_temp("looked.stop"));
    sim_after(&all, sim_puts());
    remove(stop);
    rs_session *s = begin(path, 0, 1, &m);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int looks = 0;
        while (!rs_os_is_file(stop) || looks < 5) {
            /* A look can fall into the middle of a commit; the next ones do not. */
            bool found = false;
            for (int again = 0; again < 4 && !found; again++) found = look_around(path, &all);
            if (!found) _exit(1);
            looks++;
        }
        _exit(0);
    }
    int rounds = test_long() ? 200 : 20;
    for (int i = 0; i < rounds; i++)
        for (int k = 0; k < sim_puts(); k++) {
            /* The rounds after the first write the same again; logs would grow. */
            if (i == 0 || k < 3 * SIM_ROWS) assert_ok(sim_put(&m, s, k, &err), &err);
        }
    put_file(stop, "", 0);
    while (waitpid(pid, &status, 0) < 0) continue;
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* With sync_every N readers see N durable puts at a time, and the writer everything. */
static void lines_wait_for_the_sync(void **state)
{
    (void)state;
    static sim_model m;
    char path[1024];
    strcpy(path, test_temp("waiting.h5"));
    reshed_error err = {0};
    rs_session *s = begin(path, 0, 4, &m), *r = NULL;
    int durable = 0, seen = 0;
    for (int k = 0; k < 14; k++) {
        assert_ok(sim_put(&m, s, k, &err), &err);
        if (sim_is_durable(k) && ++durable % 4 == 0) seen = k + 1;
        assert_ok(rs_session_open(path, &r, &err), &err);
        assert_int_equal(sim_find(r, 0), seen);
        rs_session_finish(r, RESHED_OK, NULL);
        assert_holds(s, k + 1);
    }
    rs_fail(&err, RESHED_ETIMEOUT, "stop");
    assert_int_equal(rs_session_finish(s, RESHED_ETIMEOUT, &err), RESHED_ETIMEOUT);
    assert_string_equal(err.what, "stop");
    assert_ok(rs_session_resume(path, 1, &s, &err), &err);
    assert_holds(s, 14);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

static void journals_stay_with_their_session(void **state)
{
    (void)state;
    static sim_model m;
    char path[1024], journal[1100];
    size_t len;
    strcpy(path, test_temp("moved.h5"));
    snprintf(journal, sizeof journal, "%s.journal", path);
    reshed_error err = {0};
    rs_session *s = begin(path, 5, 1, &m);
    uint8_t *b = test_read_file(journal, &len);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    s = NULL;
    /* The session was moved away, its journal stayed. */
    remove_session(path);
    assert_ok(rs_os_write_file(journal, b, len, &err), &err);
    assert_error(rs_session_create(path, sim_setup(), 1, &s, &err), RESHED_EIO, &err, "journal");
    assert_false(rs_os_is_file(path));
    /* Another session took its place. */
    rs_session_setup other = *sim_setup();
    other.start_time = "2026-11-25T10:15:01Z";
    remove(journal);
    assert_ok(rs_session_create(path, &other, 1, &s, &err), &err);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    s = NULL;
    assert_ok(rs_os_write_file(journal, b, len, &err), &err);
    assert_error(rs_session_open(path, &s, &err), RESHED_ECORRUPT, &err, "another file");
    assert_null(s);
    assert_true(rs_os_is_file(journal));
    remove(journal);
    assert_ok(rs_session_open(path, &s, &err), &err);
    rs_session_finish(s, RESHED_OK, NULL);
    rs_free(b);
}

/* ---------------------------------------------------------------------------------- other readers
 */
static void main_datasets_are_listed(void **state)
{
    (void)state;
    static sim_model m;
    char path[1024];
    strcpy(path, test_temp("nsid.h5"));
    reshed_error err = {0};
    rs_nsid_file *f = NULL;
    rs_nsid_data d = {0};
    int k;
    rs_session *s = begin(path, sim_puts(), 1, &m);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    assert_ok(rs_nsid_open(path, &f, &err), &err);
    assert_int_equal(rs_nsid_count(f), 2 * 2 + 2 + RS_SESSION_MAPS + RS_SESSION_MASKS);
    assert_ok(rs_nsid_find(f, "Results Wall_probability", &k, &err), &err);
    assert_ok(rs_nsid_read(f, k, &d, &err), &err);
    assert_true(d.ndim == 2 && d.dim[0].n == SIM_COLS && d.dim[1].n == SIM_ROWS);
    for (int x = 0; x < SIM_COLS; x++)
        for (int y = 0; y < SIM_ROWS; y++)
            assert_true(d.data[x * SIM_ROWS + y] ==
                        (double)m.map[RS_SESSION_MEAN][SIM_ROWS - 1 - y][x]);
    rs_nsid_data_clear(&d);
    assert_ok(rs_nsid_find(f, "Results Amplitude", &k, &err), &err);
    assert_string_equal(rs_nsid_info(f, k)->units, "m");
    assert_ok(rs_nsid_find(f, "Trace BE_spectra", &k, &err), &err);
    assert_ok(rs_nsid_read(f, k, &d, &err), &err);
    assert_true(d.ndim == 3 && d.is_complex && d.dim[2].n == SIM_BINS);
    assert_true(d.dim[2].values[1] == sim_setup()->frequency[1]);
    /* column 4, row 1, bin 2, imaginary */
    assert_true(d.data[2 * ((4 * SIM_ROWS + SIM_ROWS - 1 - 1) * SIM_BINS + 2) + 1] ==
                (double)m.spectra[0][1][4][2][1]);
    rs_nsid_data_clear(&d);
    rs_nsid_close(f);
}

static void have_h5py(void)
{
    if (system("/usr/bin/python3 -c 'import h5py' 2>/dev/null") != 0) skip();
}

/* Asks the reader, and waits for its answer. */
static void ask(FILE *python, const char *path, const sim_model *m, const rs_session_progress *p,
                int row)
{
    char ack[1100];
    const float *v = m->spectra[0][row][3][1];
    snprintf(ack, sizeof ack, "%s.ack", path);
    remove(ack);
    fprintf(python, "%d %d %d %d 3 %d 1 %.9g %.9g\n", p->lines, p->lost, p->points, p->events, row,
            (double)v[0], (double)v[1]);
    fflush(python);
    double end = rs_os_monotonic() + 60;
    while (!rs_os_is_file(ack) && rs_os_monotonic() < end) continue;
    assert_true(rs_os_is_file(ack));
    remove(ack);
}

static void h5py_reads_while_it_is_written(void **state)
{
    (void)state;
    have_h5py();
    static sim_model m;
    char path[1024], command[1200];
    strcpy(path, test_temp("live.h5"));
    reshed_error err = {0};
    rs_session *s = begin(path, 1, 1, &m);
    rs_session_progress p;
    snprintf(command, sizeof command, "/usr/bin/python3 tests/read_session.py live %s", path);
    FILE *python = popen(command, "w");
    assert_non_null(python);
    for (int k = 1; k < sim_puts(); k++) {
        assert_ok(sim_put(&m, s, k, &err), &err);
        if (!sim_is_durable(k)) continue;
        assert_ok(rs_session_get_progress(s, &p, &err), &err);
        ask(python, path, &m, &p, k / 3 < SIM_LOST_ROW ? k / 3 : 0);
    }
    /* Who does not say SWMR stays outside, or would read with a stale view. */
    snprintf(command, sizeof command,
             "/usr/bin/python3 -c 'import h5py; h5py.File(\"%s\", \"r\")' 2>/dev/null", path);
    assert_int_not_equal(system(command), 0);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    assert_int_equal(pclose(python), 0);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "/usr/bin/python3 tests/read_session.py whole %s", path);
    assert_int_equal(system(command), 0);
}

/* --------------------------------------------------------------------------------- damaged files
 */
typedef struct damage {
    uint8_t *data;
    size_t len;
    long cuts; /* places to cut at */
    char path[1024];
} damage;

/* Reads everything that a session says it has. */
static bool read_all(const char *path, bool *opened)
{
    reshed_error err = {0};
    rs_session *s = NULL;
    rs_session_progress p;
    *opened = false;
    reshed_status st = rs_session_open(path, &s, &err);
    if (st != RESHED_OK) return s == NULL && err.status == st && err.what[0];
    *opened = true;
    const rs_session_setup *u = rs_session_get_setup(s);
    bool ok = u->frame.rows >= 1 && u->frame.cols >= 1 && u->caps.bins >= 0 && u->sample != NULL;
    size_t cols = (size_t)u->frame.cols, bins = (size_t)u->caps.bins;
    size_t channels = (size_t)u->caps.channels;
    float *v = rs_alloc(cols * (channels + 2 * bins + 1), sizeof *v);
    if (ok && v && rs_session_get_progress(s, &p, &err) == RESHED_OK) {
        rs_line line = {.cols = u->frame.cols,
                        .bins = u->caps.bins,
                        .channels = u->caps.channels,
                        .channel = v,
                        .spectra = v + cols * channels};
        for (int r = 0; r < u->frame.rows && r < 64; r++) {
            rs_session_read_line(s, r, false, &line, NULL, &err);
            for (int k = 0; k < RS_SESSION_MAPS; k++)
                rs_session_read_map(s, (rs_session_map)k, r, 1, v, &err);
        }
        for (int k = 0; k < p.points && k < 64; k++) {
            rs_session_point point;
            double metric[RS_SESSION_MAX_METRICS];
            rs_session_loop loop = {.metric = metric};
            rs_session_read_points(s, k, 1, &point, &err);
            rs_session_read_loop(s, RS_SESSION_POINTS, k, &loop, &err);
        }
        for (int k = 0; k < p.events && k < 64; k++) {
            rs_session_event e;
            if (rs_session_read_events(s, k, 1, &e, &err) == RESHED_OK)
                ok = ok && memchr(e.text, 0, sizeof e.text) != NULL;
        }
    }
    rs_free(v);
    rs_session_finish(s, RESHED_OK, NULL);
    return ok;
}

static bool mutant_is_safe(void *ctx, long i)
{
    damage *d = ctx;
    bool opened;
    uint8_t *copy = rs_alloc(d->len + 256, 1);
    put_file(d->path, copy, test_mutant(i, d->data, d->len, copy));
    rs_free(copy);
    bool ok = read_all(d->path, &opened);
    if (opened) fork_count();
    return ok;
}

/* The library alone. */
static herr_t look(hid_t id, const char *name, const H5O_info_t *info, void *ctx)
{
    (void)info, (void)ctx;
    hid_t o = H5Oopen(id, name, H5P_DEFAULT);
    if (o < 0) return 0;
    for (int k = 0, n = H5Aget_num_attrs(o); k < n; k++) {
        hid_t a = H5Aopen_by_idx(o, ".", H5_INDEX_NAME, H5_ITER_INC, (hsize_t)k, H5P_DEFAULT,
                                 H5P_DEFAULT);
        if (a >= 0) H5Aclose(a);
    }
    if (H5Iget_type(o) == H5I_DATASET) {
        hid_t t = H5Dget_type(o), s = H5Dget_space(o), p = H5Dget_create_plist(o);
        if (s >= 0 && t >= 0 && H5Sget_simple_extent_npoints(s) < 4096 &&
            H5Tget_class(t) != H5T_VLEN && H5Tget_size(t) < 4096) {
            void *v = malloc(4096 * 4096);
            if (v) H5Dread(o, t, H5S_ALL, H5S_ALL, H5P_DEFAULT, v);
            free(v);
        }
        if (t >= 0) H5Tclose(t);
        if (s >= 0) H5Sclose(s);
        if (p >= 0) H5Pclose(p);
    }
    H5Oclose(o);
    return 0;
}

static bool bare_mutant(void *ctx, long i)
{
    damage *d = ctx;
    uint8_t *copy = malloc(d->len + 256);
    put_file(d->path, copy, test_mutant(i, d->data, d->len, copy));
    free(copy);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t f = H5Fopen(d->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (f < 0) return true;
    H5Ovisit2(f, H5_INDEX_NAME, H5_ITER_INC, look, NULL, H5O_INFO_BASIC);
    H5Fclose(f);
    return true;
}

static bool prefix_fails(void *ctx, long i)
{
    damage *d = ctx;
    bool opened;
    put_file(d->path, d->data, d->len * (size_t)i / (size_t)d->cuts);
    return read_all(d->path, &opened) && !opened;
}

static bool bare_nothing(void *ctx, long i)
{
    (void)ctx, (void)i;
    return true;
}

static void take_session(damage *d, int puts)
{
    static sim_model m;
    char path[1024];
    strcpy(path, test_temp("damage.h5"));
    strcpy(d->path, test_temp("mutant.h5"));
    reshed_error err = {0};
    rs_session *s = begin(path, puts, 1, &m);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    d->data = test_read_file(path, &d->len);
}

static void damaged_files_do_no_harm(void **state)
{
    (void)state;
    damage d;
    take_session(&d, sim_puts());
    long n = test_h5_mutations() / 40;
    d.cuts = test_long() ? 2000 : 100;
    forked f = run_forked(n, mutant_is_safe, bare_mutant, &d);
    printf("# session: %ld damaged files (seed %llu), %ld read, %ld end the library itself\n", n,
           (unsigned long long)test_seed(), f.passed, f.librarys);
    if (f.wrong || f.ours)
        fail_msg("%ld wrong, %ld died, first %ld", f.wrong, f.ours, f.first_wrong);
    f = run_forked(d.cuts, prefix_fails, bare_nothing, &d);
    if (f.wrong || f.ours)
        fail_msg("cut: %ld wrong, %ld died, first %ld", f.wrong, f.ours, f.first_wrong);
    rs_free(d.data);
}

/* Each allocation of a session that is opened, continued and closed fails in turn. */
static bool alloc_is_survived(void *ctx, long i)
{
    damage *d = ctx;
    static sim_model m;
    reshed_error err = {0};
    rs_session *s = NULL;
    put_file(d->path, d->data, d->len);
    int done = 0;
    test_alloc_fail_at(i);
    reshed_status st = rs_session_resume(d->path, 1, &s, &err);
    if (st == RESHED_OK) {
        sim_after(&m, 0);
        for (int k = 0; k < 12 && st == RESHED_OK; k++) {
            st = sim_put(&m, s, k, &err);
            if (st == RESHED_OK && sim_is_durable(k)) done = k + 1;
        }
        rs_session_finish(s, RESHED_ETIMEOUT, NULL);
    }
    bool failed = test_alloc_failed();
    test_alloc_fail_at(-1);
    if (failed && st == RESHED_OK) fork_count(); /* the library did without */
    s = NULL;
    if (rs_session_open(d->path, &s, &err) != RESHED_OK) return false;
    static sim_model there;
    sim_read(s, &there);
    rs_session_finish(s, RESHED_OK, NULL);
    for (int k = 0; k < done; k++) {
        /* All lines that were answered are there. */
        if (k / 3 == SIM_LOST_ROW || k % 3 == 2) continue;
        if (there.arrival[k % 3][k / 3].state != RS_SESSION_ARRIVED ||
            memcmp(there.spectra[k % 3][k / 3], m.spectra[k % 3][k / 3],
                   sizeof there.spectra[0][0]) != 0)
            return false;
    }
    return true;
}

static void short_memory_does_no_harm(void **state)
{
    (void)state;
    damage d;
    static sim_model m;
    char path[1024];
    strcpy(path, test_temp("short.h5"));
    strcpy(d.path, test_temp("shorter.h5"));
    reshed_error err = {0};
    rs_session *s = begin(path, 0, 1, &m);
    assert_int_equal(rs_session_finish(s, RESHED_ETIMEOUT, &err), RESHED_ETIMEOUT);
    d.data = test_read_file(path, &d.len);
    put_file(d.path, d.data, d.len);
    test_alloc_reset();
    assert_ok(rs_session_resume(d.path, 1, &s, &err), &err);
    sim_after(&m, 0);
    for (int k = 0; k < 12; k++) assert_ok(sim_put(&m, s, k, &err), &err);
    rs_session_finish(s, RESHED_ETIMEOUT, NULL);
    long n = test_alloc_count();
    forked f = run_forked(n, alloc_is_survived, bare_nothing, &d);
    printf("# session: %ld allocations failed in turn\n", n);
    if (f.wrong || f.ours)
        fail_msg("%ld wrong, %ld died, first %ld", f.wrong, f.ours, f.first_wrong);
    rs_free(d.data);
}

static void refuses_other_files(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_session *s = NULL;
    assert_int_equal(rs_session_open(test_temp("nothing.h5"), &s, &err), RESHED_EIO);
    assert_int_equal(rs_session_resume(test_temp("nothing.h5"), 1, &s, &err), RESHED_EIO);
    assert_error(rs_session_open(test_data("nsid_h5py.h5"), &s, &err), RESHED_ECORRUPT, &err,
                 "not a session");
    assert_null(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_found),
        cmocka_unit_test(the_setup_comes_back),
        cmocka_unit_test(the_smallest_session),
        cmocka_unit_test(wide_lines),
        cmocka_unit_test(refuses_wrong_setups),
        cmocka_unit_test(refuses_wrong_puts),
        cmocka_unit_test(events_are_cut),
        cmocka_unit_test(readers_follow_the_writer),
        cmocka_unit_test(readers_may_look_at_any_moment),
        cmocka_unit_test(lines_wait_for_the_sync),
        cmocka_unit_test(journals_stay_with_their_session),
        cmocka_unit_test(main_datasets_are_listed),
        cmocka_unit_test(h5py_reads_while_it_is_written),
        cmocka_unit_test(damaged_files_do_no_harm),
        cmocka_unit_test(short_memory_does_no_harm),
        cmocka_unit_test(refuses_other_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
