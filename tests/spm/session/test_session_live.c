/* Readers that look at a session as often as they can while it is written as fast as it goes: a line
 * or a point that is noted has its data, at every look. */
#define _DEFAULT_SOURCE
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os.h"
#include "io/hdf5/h5.h"
#include "spm/session/create.h"
#include "spm/session/file.h"
#include "spm/session/session.h"

enum { ROWS = 100, COLS = 8, BINS = 3, STEPS = 4, POINTS = 150 };

/* The value everywhere in line `row` and in the spectrum of point k of file f. */
static float line_value(int f, int row, bool retrace)
{
    return (float)(1 + f + 2 * row + retrace);
}

static float point_value(int f, int k)
{
    return (float)(1 + f + k);
}

static void fill(float *v, size_t n, float value)
{
    for (size_t i = 0; i < n; i++) v[i] = value;
}

static bool all(const float *v, size_t n, float value)
{
    for (size_t i = 0; i < n; i++)
        if (!(v[i] == value)) return false;
    return true;
}

static void path_of(char *buf, size_t size, const char *stem, int f)
{
    snprintf(buf, size, "%s_%d.h5", stem, f);
}

static rs_session_setup setup_of(void)
{
    static const double frequency[BINS] = {1e5, 2e5, 3e5}, voltage[STEPS] = {0, 1, 0, -1};
    rs_session_setup setup = {
        .start_time = "2026-11-25T10:15:00Z",
        .driver = "none",
        .caps = {.retrace = true, .channels = 1, .band_excitation = true, .bins = BINS},
        .frame = {.rows = ROWS, .cols = COLS, .width = 1e-6, .height = 1e-6, .line_rate = 1},
        .frequency = frequency,
        .spectroscopy = {.voltage = voltage, .steps = STEPS},
        .spectrum_bins = BINS,
        .spectrum_frequency = frequency};
    strcpy(setup.caps.channel[0], "Amplitude");
    strcpy(setup.caps.unit[0], "m");
    return setup;
}

static rs_session *create(const char *path)
{
    const rs_session_setup setup = setup_of();
    reshed_error err = {0};
    rs_session *s = NULL;
    assert_ok(rs_session_create(path, &setup, 1, &s, &err), &err);
    return s;
}

/* Shared by the two processes. */
typedef struct board {
    volatile long looks;
    volatile int at; /* the file that the reader waits for or follows */
    volatile bool wrong;
} board;

/* Lets the reader look once more at the least: it looks while the puts that follow are made. */
static void let_look(const board *b)
{
    const long looks = b->looks;
    const double until = rs_os_monotonic() + 0.5;
    while (b->looks == looks && !b->wrong && rs_os_monotonic() < until) rs_os_sleep(1e-4);
}

static void write_file(const char *path, int f, const board *b)
{
    reshed_error err = {0};
    float channel[COLS], spectra[COLS * BINS * 2], loop[STEPS * BINS * 2];
    rs_session_point point[POINTS];
    rs_session *s = create(path);
    for (int i = 0; i < 2 * ROWS; i++) {
        rs_line line = {.cols = COLS,
                        .bins = BINS,
                        .channels = 1,
                        .channel = channel,
                        .spectra = spectra,
                        .row = i / 2,
                        .retrace = i % 2};
        fill(channel, COLS, line_value(f, i / 2, i % 2));
        fill(spectra, COLS * BINS * 2, line_value(f, i / 2, i % 2));
        assert_ok(rs_session_put_line(s, &line, 0, &err), &err);
        if (i % 16 == 15) let_look(b);
    }
    for (int k = 0; k < POINTS; k++)
        point[k] = (rs_session_point){.row = k % ROWS, .target = k, .wall = -1, .measured_x = NAN};
    assert_ok(rs_session_put_points(s, 0, POINTS, point, &err), &err);
    for (int k = 0; k < POINTS; k++) {
        const rs_spectrum v = {.steps = STEPS,
                               .bins = BINS,
                               .fields = 1,
                               .spectra = loop,
                               .x = point_value(f, k),
                               .y = -point_value(f, k),
                               .time = point_value(f, k)};
        fill(loop, STEPS * BINS * 2, point_value(f, k));
        assert_ok(rs_session_put_spectrum(s, RS_SESSION_POINTS, k, &v, &err), &err);
        if (k % 8 == 7) let_look(b);
    }
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

/* ------------------------------------------------------------------------------------- a reader */
static bool line_is_there(rs_session *s, int f, int row, bool retrace)
{
    float channel[COLS], spectra[COLS * BINS * 2];
    rs_line line = {
        .cols = COLS, .bins = BINS, .channels = 1, .channel = channel, .spectra = spectra};
    rs_session_arrival a;
    reshed_error err = {0};
    if (rs_session_read_line(s, row, retrace, &line, &a, &err) != RESHED_OK) {
        fprintf(stderr, "%s (%s)\n", err.what, err.where);
        return false;
    }
    const float v = line_value(f, row, retrace);
    const bool ok = a.state != RS_SESSION_ARRIVED ||
                    (all(channel, COLS, v) && all(spectra, COLS * BINS * 2, v) && a.order >= 0);
    if (!ok)
        fprintf(stderr, "line %d%s: order %d, %g and %g, not %g\n", row, retrace ? " back" : "",
                a.order, (double)channel[0], (double)spectra[0], (double)v);
    return ok;
}

static bool point_is_there(rs_session *s, int f, int k)
{
    float loop[STEPS * BINS * 2];
    rs_spectrum v = {.steps = STEPS, .bins = BINS, .spectra = loop};
    rs_session_point p;
    reshed_error err = {0};
    reshed_status st = rs_session_read_points(s, k, 1, &p, &err);
    if (st == RESHED_OK && p.state != RS_SESSION_MEASURED) return true;
    if (st == RESHED_OK) st = rs_session_read_spectrum(s, RS_SESSION_POINTS, k, &v, &err);
    if (st != RESHED_OK) {
        fprintf(stderr, "%s (%s)\n", err.what, err.where);
        return false;
    }
    const float value = point_value(f, k);
    const bool ok = p.measured_x == value && p.measured_y == -value && p.time == value &&
                    v.x == value && all(loop, STEPS * BINS * 2, value);
    if (!ok)
        fprintf(stderr, "point %d: at %g, %g at %g s; %g, not %g\n", k, p.measured_x, p.measured_y,
                p.time, (double)loop[0], (double)value);
    return ok;
}

/* Looks at the newest lines and points, and at a few old ones. *complete: nothing will change. */
static bool look(rs_session *s, int f, bool *complete)
{
    rs_session_progress p;
    reshed_error err = {0};
    if (rs_session_get_progress(s, &p, &err) != RESHED_OK) {
        fprintf(stderr, "%s (%s)\n", err.what, err.where);
        return false;
    }
    *complete = p.complete;
    int bad = -1;
    for (int row = p.first_missing - 4; row < p.first_missing + 2; row++)
        for (int dir = 0; dir < 2; dir++)
            if (row >= 0 && row < ROWS && !line_is_there(s, f, row, dir)) bad = row;
    if (bad >= 0) fprintf(stderr, "line %d of %d\n", bad, p.first_missing);
    for (int k = p.first_pending - 4; bad < 0 && k < p.first_pending + 2; k++)
        if (k >= 0 && k < p.points && !point_is_there(s, f, k)) {
            fprintf(stderr, "point %d of %d\n", bad = k, p.first_pending);
        }
    if (bad < 0 && p.points > 0 && !point_is_there(s, f, p.points / 3)) bad = p.points / 3;
    return bad < 0;
}

/* Follows file after file until there is `stop`. */
static void follow(const char *stem, const char *stop, board *b)
{
    char path[1100];
    rs_session *s = NULL;
    for (int f = 0; !rs_os_is_file(stop); f++) {
        bool complete = false;
        b->at = f;
        path_of(path, sizeof path, stem, f);
        while (!rs_os_is_file(path) && !rs_os_is_file(stop)) rs_os_sleep(1e-3);
        while (!complete && !rs_os_is_file(stop)) {
            reshed_error err = {0};
            const bool first = !s;
            const reshed_status st =
                first ? rs_session_open(path, &s, &err) : rs_session_refresh(s, &err);
            if (first && st != RESHED_OK) continue; /* it is just being begun */
            if (st != RESHED_OK || !look(s, f, &complete)) {
                fprintf(stderr, "file %d, look %ld: %s\n", f, b->looks, err.what);
                b->wrong = true;
                return;
            }
            b->looks++;
        }
        rs_session_finish(s, RESHED_OK, NULL);
        s = NULL;
    }
}

static void a_point_is_never_seen_without_its_spectrum(void **state)
{
    (void)state;
    const long wanted = test_tier(10, 60, 100000);
    char stem[1024], stop[1100], path[1100];
    board *b = mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(b != MAP_FAILED);
    *b = (board){0};
    snprintf(stem, sizeof stem, "%s", test_temp("hammer"));
    snprintf(stop, sizeof stop, "%s.stop", stem);
    remove(stop);
    fflush(NULL);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        follow(stem, stop, b);
        _exit(0);
    }
    int f = 0, status = 0;
    for (; b->looks < wanted && !b->wrong; f++) {
        while (b->at < f && !b->wrong) rs_os_sleep(1e-3);
        path_of(path, sizeof path, stem, f);
        write_file(path, f, b);
        if (f > 0) {
            path_of(path, sizeof path, stem, f - 1);
            remove(path);
        }
    }
    test_write_file(stop, "", 0);
    while (waitpid(pid, &status, 0) < 0) continue;
    printf("# %ld looks at %d files\n", b->looks, f);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_false(b->wrong);
    munmap(b, sizeof *b);
}

/* rs_session_create, with a pause in its middle: before the lock, or between it and the mark. Then a
 * line, and the end when the file has gone. */
static void begin_slowly(const char *path, const char *journal, bool locked)
{
    const rs_session_setup setup = setup_of();
    rs_session *w = NULL;
    rs_os_file *lock = NULL;
    rs_h5_hush_begin();
    if (rs_session_create_file(path, &setup, NULL) != RESHED_OK) _exit(1);
    if (locked && rs_os_open(path, RS_OS_UPDATE, &lock, NULL, NULL) != RESHED_OK) _exit(1);
    if (locked) test_write_file(journal, "", 0);
    rs_os_sleep(0.3);
    if (locked) remove(journal);
    if (locked) rs_os_close(lock);
    if (rs_session_resume(path, 1, &w, NULL) != RESHED_OK) _exit(2);
    float channel[COLS], spectra[COLS * BINS * 2];
    rs_line line = {
        .cols = COLS, .bins = BINS, .channels = 1, .channel = channel, .spectra = spectra};
    fill(channel, COLS, line_value(0, 0, false));
    fill(spectra, COLS * BINS * 2, line_value(0, 0, false));
    rs_os_sleep(0.1);
    if (rs_session_put_line(w, &line, 0, NULL) != RESHED_OK) _exit(3);
    while (rs_os_is_file(path)) rs_os_sleep(1e-3);
    _exit(0);
}

/* Between the name and the mark of one that is being written a session looks like a finished one
 * without lines, as long as its writer is kept from the processor: whoever opens it then waits, or would
 * read a file that changes as if it did not. */
static void a_session_that_is_just_begun_is_read_as_one_that_grows(void **state)
{
    (void)state;
    test_not_quick();
    for (int locked = 0; locked < 2; locked++) {
        char path[1100], journal[1200];
        reshed_error err = {0};
        snprintf(path, sizeof path, "%s", test_temp(locked ? "locked.h5" : "young.h5"));
        snprintf(journal, sizeof journal, "%s.journal", path);
        fflush(NULL);
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) begin_slowly(path, journal, locked);
        while (!rs_os_is_file(locked ? journal : path)) rs_os_sleep(1e-3);
        rs_session *s = NULL;
        rs_session_progress p;
        assert_ok(rs_session_open(path, &s, &err), &err);
        assert_ok(rs_session_get_progress(s, &p, &err), &err);
        assert_true(p.live);
        assert_true(s->in->io.growing); /* the driver looks at the file's size anew */
        rs_os_sleep(0.3);
        assert_true(line_is_there(s, 0, 0, false)); /* or not yet, but it is no failure */
        rs_session_finish(s, RESHED_OK, NULL);
        remove(path);
        int status;
        while (waitpid(pid, &status, 0) < 0) continue;
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        remove(journal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_point_is_never_seen_without_its_spectrum),
        cmocka_unit_test(a_session_that_is_just_begun_is_read_as_one_that_grows),
    };
    return cmocka_run_group_tests_name("session_live", tests, NULL, NULL);
}
