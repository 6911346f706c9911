/* reshed-view's board of a session that another process is writing: rows, lines and the end as they come. */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json_read.h"
#include "base/os.h"
#include "live/session.h"

enum { ROWS = 8, COLS = 4 };

/* ---------------------------------------------------------------------------------------- the writer */

static void put_row(rs_session *s, int y, float value, double acquired)
{
    float v[COLS];
    reshed_error err = {0};
    for (int x = 0; x < COLS; x++) v[x] = value;
    const rs_line line = {.cols = COLS, .channels = 1, .channel = v, .row = y};
    assert_ok(rs_session_put_line(s, &line, acquired, &err), &err);
    assert_ok(rs_session_put_map(s, RS_SESSION_AMPLITUDE, y, 1, v, &err), &err);
}

/* The network has had the row: its map has this value, too. */
static void put_done(rs_session *s, int y, float value, double latency, uint8_t state)
{
    float v[COLS];
    reshed_error err = {0};
    for (int x = 0; x < COLS; x++) v[x] = value;
    const rs_session_processed p = {.latency = latency, .lag = 0, .coalesced = 1, .score = latency};
    assert_ok(rs_session_put_map(s, RS_SESSION_VARIANCE, y, 1, v, &err), &err);
    assert_ok(rs_session_put_states(s, y, 1, &state, &err), &err);
    assert_ok(rs_session_put_processed(s, y, &p, &err), &err);
}

static rs_session *create(const char *path)
{
    rs_session_setup setup = {
        .start_time = "2026-11-25T10:15:00Z",
        .driver = "none",
        .caps = {.channels = 1},
        .frame = {.rows = ROWS, .cols = COLS, .width = 1e-6, .height = 1e-6, .line_rate = 1}};
    strcpy(setup.caps.channel[0], "Amplitude");
    strcpy(setup.caps.unit[0], "m");
    reshed_error err = {0};
    rs_session *s = NULL;
    assert_ok(rs_session_create(path, &setup, 1, &s, &err), &err);
    return s;
}

/* Says that a step is done, and waits until it was seen. */
static void hand_over(int said, int asked)
{
    char c = 'x';
    if (write(said, &c, 1) != 1 || read(asked, &c, 1) != 1) _exit(3);
}

static void write_session(const char *path, int said, int asked)
{
    reshed_error err = {0};
    rs_session *s = create(path);
    for (int y = 0; y < 4; y++) put_row(s, y, (float)y, 10 + y);
    for (int y = 0; y < 3; y++) put_done(s, y, 0.1F, 0.25, RS_SESSION_FINAL);
    assert_ok(rs_session_commit(s, &err), &err);
    hand_over(said, asked);
    /* Row 1 is scanned again, and final again before anybody looks; row 0 changes with it. */
    put_row(s, 1, 9, 20);
    put_done(s, 1, 0.3F, 0.5, RS_SESSION_PROVISIONAL);
    put_done(s, 1, 0.3F, 0.5, RS_SESSION_FINAL);
    float v[COLS] = {0.7F, 0.7F, 0.7F, 0.7F};
    assert_ok(rs_session_put_map(s, RS_SESSION_VARIANCE, 0, 1, v, &err), &err);
    put_done(s, 3, 0.1F, 0.75, RS_SESSION_FINAL);
    assert_ok(rs_session_commit(s, &err), &err);
    hand_over(said, asked);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    hand_over(said, asked);
}

/* ---------------------------------------------------------------------------------------- the viewer */

static void get_state(rs_board *b, char *out, size_t size)
{
    char *text;
    size_t n;
    const rs_board_viewer v = {0};
    FILE *f = rs_os_memory_stream(&text, &n);
    assert_non_null(f);
    rs_board_state(b, &v, f);
    fclose(f);
    assert_true(n < size);
    memcpy(out, text, n + 1);
    free(text);
}

static void assert_has(rs_board *b, const char *part)
{
    static char text[1 << 16];
    get_state(b, text, sizeof text);
    if (!strstr(text, part)) fail_msg("no %s in %s", part, text);
}

static void assert_row(rs_board *b, int map, int y, float value)
{
    float v[COLS + 1];
    int64_t number;
    for (int x = 0; x <= COLS; x++) v[x] = NAN;
    assert_true(rs_board_read(b, map, ROWS, COLS, y, 1, v, &number));
    for (int x = 0; x < COLS; x++) assert_true(v[x] == value);
    assert_true(isnan(v[COLS]));
}

/* Waits for the writer's step. */
static void await(int said)
{
    char c;
    if (read(said, &c, 1) != 1) fail_msg("the writer has died");
}

static void proceed(int asked)
{
    const char c = 'y';
    assert_int_equal(write(asked, &c, 1), 1);
}

static void look(rs_session_board *v)
{
    reshed_error err = {0};
    assert_ok(rs_session_board_update(v, &err), &err);
}

static void follow(const char *path, int said, int asked)
{
    rs_board *b = NULL;
    rs_session *s = NULL;
    rs_session_board *v = NULL;
    reshed_error err = {0};
    await(said);
    assert_ok(rs_board_create(&b, &err), &err);
    assert_ok(rs_session_open(path, &s, &err), &err);
    assert_ok(rs_session_board_open(b, s, "s.h5", "test", &v, &err), &err);
    assert_true(rs_session_board_live(v));
    assert_has(b, "\"states\": \"22230000\"");
    assert_has(b, "\"row\": 3, \"arrived\": 4");     /* the front */
    assert_has(b, "\"lines\": {\"row\": [0, 1, 2]"); /* row 3 has no score yet */
    assert_row(b, RS_SESSION_AMPLITUDE, 1, 1);
    look(v);
    assert_has(b, "\"lines\": {\"row\": [0, 1, 2]");
    proceed(asked);
    await(said);
    look(v);
    assert_has(b, "\"states\": \"22220000\"");
    assert_has(b, "\"row\": 1, \"arrived\": 4");
    assert_has(b, "\"lines\": {\"row\": [0, 1, 2, 3, 1], \"score\": [0.25, 0.25, 0.25, 0.75, 0.5]");
    assert_has(b, "\"elapsed\": 2"); /* the latest line came after 20 s, whenever the viewer did */
    assert_row(b, RS_SESSION_AMPLITUDE, 1, 9);
    assert_row(b, RS_SESSION_VARIANCE, 1, 0.3F);
    assert_row(b, RS_SESSION_VARIANCE, 0, 0.7F);
    proceed(asked);
    await(said);
    look(v);
    assert_false(rs_session_board_live(v));
    assert_has(b, "\"phase\": \"done\"");
    proceed(asked);
    rs_session_board_free(v);
    rs_board_free(b);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

static void a_session_is_followed(void **state)
{
    (void)state;
    int said[2], asked[2], status;
    const char *path = test_temp("followed.h5");
    remove(path);
    assert_int_equal(pipe(said), 0);
    assert_int_equal(pipe(asked), 0);
    fflush(NULL);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(said[0]);
        close(asked[1]);
        write_session(path, said[1], asked[0]);
        _exit(0);
    }
    close(said[1]);
    close(asked[0]);
    follow(path, said[0], asked[1]);
    close(said[0]);
    close(asked[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_is_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
