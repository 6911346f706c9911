/* The session file for other programs: readers that follow the writer, the journal beside the file,
 * NSID and h5py. */
#define _DEFAULT_SOURCE
#include "support/session_sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/nsid/nsid.h"
#include "support/io_support.h"

static void readers_follow_the_writer(void **state)
{
    (void)state;
    test_not_quick();
    static sim_model m;
    char path[1024];
    strcpy(path, test_temp("followed.h5"));
    reshed_error err = {0};
    rs_session *s = sim_begin(path, 0, 1, &m), *r = NULL, *second = NULL;
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
    rs_session *s = sim_begin(path, 0, 1, &m);
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
    int rounds = (int)test_tier(3, 20, 200);
    for (int i = 0; i < rounds; i++)
        for (int k = 0; k < sim_puts(); k++) {
            /* The rounds after the first write the same again; logs would grow. */
            if (i == 0 || k < 3 * SIM_ROWS) assert_ok(sim_put(&m, s, k, &err), &err);
        }
    test_write_file(stop, "", 0);
    while (waitpid(pid, &status, 0) < 0) continue;
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* With sync_every N readers see N durable puts at a time, and the writer everything. */
static void lines_wait_for_the_sync(void **state)
{
    (void)state;
    test_not_quick();
    static sim_model m;
    char path[1024];
    strcpy(path, test_temp("waiting.h5"));
    reshed_error err = {0};
    rs_session *s = sim_begin(path, 0, 4, &m), *r = NULL;
    int durable = 0, seen = 0;
    for (int k = 0; k < 14; k++) {
        assert_ok(sim_put(&m, s, k, &err), &err);
        if (sim_is_durable(k) && ++durable % 4 == 0) seen = k + 1;
        assert_ok(rs_session_open(path, &r, &err), &err);
        assert_int_equal(sim_find(r, 0), seen);
        rs_session_finish(r, RESHED_OK, NULL);
        sim_assert_holds(s, k + 1);
    }
    rs_fail(&err, RESHED_ETIMEOUT, "stop");
    assert_int_equal(rs_session_finish(s, RESHED_ETIMEOUT, &err), RESHED_ETIMEOUT);
    assert_string_equal(err.what, "stop");
    assert_ok(rs_session_resume(path, 1, &s, &err), &err);
    sim_assert_holds(s, 14);
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
    rs_session *s = sim_begin(path, 5, 1, &m);
    uint8_t *b = test_read_file(journal, &len);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    s = NULL;
    /* The session was moved away, its journal stayed. */
    sim_remove(path);
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

/* -------------------------------------------------------------------------------- other readers */
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
    rs_session *s = sim_begin(path, sim_puts(), 1, &m);
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
    test_not_quick();
    have_h5py();
    static sim_model m;
    char path[1024], command[1200];
    strcpy(path, test_temp("live.h5"));
    reshed_error err = {0};
    rs_session *s = sim_begin(path, 1, 1, &m);
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
    /* An opening without SWMR is refused: it would read with a stale view. */
    snprintf(command, sizeof command,
             "/usr/bin/python3 -c 'import h5py; h5py.File(\"%s\", \"r\")' 2>/dev/null", path);
    assert_int_not_equal(system(command), 0);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    assert_int_equal(pclose(python), 0);
    assert_int_equal(system(command), 0);
    snprintf(command, sizeof command, "/usr/bin/python3 tests/read_session.py whole %s", path);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_follow_the_writer),
        cmocka_unit_test(readers_may_look_at_any_moment),
        cmocka_unit_test(lines_wait_for_the_sync),
        cmocka_unit_test(journals_stay_with_their_session),
        cmocka_unit_test(main_datasets_are_listed),
        cmocka_unit_test(h5py_reads_while_it_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
