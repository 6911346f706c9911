#define _POSIX_C_SOURCE 200809L /* popen */
/* The board: what a viewer finds who comes early, late, or never reads; and orders on their way. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json_read.h"
#include "base/os.h"
#include "live/action.h"
#include "live/guard.h"
#include "live/labels.h"
#include "live/mailbox.h"
#include "support/support.h"

enum { ROWS = 24, COLS = 16 };

static rs_session_setup small_setup(void)
{
    static const rs_session_metric metric[] = {{"width_mid", "V"}, {"area", "V m"}};
    static const double voltage[] = {0, 1, 2, 1};
    rs_session_setup s = {.amplitude_unit = "m", .sample = "<b>\"film\"", .metric = metric};
    s.frame = (rs_frame){.rows = ROWS, .cols = COLS, .width = 2e-6, .height = 3e-6};
    s.spectroscopy = (rs_spectroscopy){.voltage = voltage, .steps = 4};
    s.metrics = 2;
    return s;
}

static rs_board *make_board(void)
{
    rs_board *b = NULL;
    reshed_error err = {0};
    const rs_session_setup setup = small_setup();
    const rs_board_source source = {
        .kind = "scan", .name = "a.h5", .program = "test", .threshold = 1, .writing = true};
    assert_ok(rs_board_create(&b, &err), &err);
    assert_ok(rs_board_begin(b, &source, &setup, &err), &err);
    return b;
}

static char *state_of(rs_board *b, rs_json_doc **doc)
{
    char *text;
    size_t n;
    reshed_error err = {0};
    const rs_board_viewer v = {.may_steer = true};
    FILE *f = rs_os_memory_stream(&text, &n);
    assert_non_null(f);
    rs_board_state(b, &v, f);
    fclose(f);
    assert_ok(rs_json_read(text, n, doc, &err), &err);
    return text;
}

static int64_t events_of(rs_board *b, int64_t since, char **text)
{
    size_t n;
    const rs_board_viewer v = {.may_steer = true};
    FILE *f = rs_os_memory_stream(text, &n);
    assert_non_null(f);
    const int64_t next = rs_board_events(b, &v, since, f);
    fclose(f);
    return next;
}

static int count(const char *text, const char *part)
{
    int n = 0;
    for (; (text = strstr(text, part)); text++) n++;
    return n;
}

static void post_row(rs_board *b, int y, float value, rs_session_row_state state)
{
    static float map[ROWS * COLS];
    static uint8_t states[ROWS];
    const float *maps[RS_SESSION_MAPS] = {[RS_SESSION_AMPLITUDE] = map, [RS_SESSION_MEAN] = map};
    for (int x = 0; x < COLS; x++) map[y * COLS + x] = value;
    states[y] = (uint8_t)state;
    rs_board_rows(b, maps, states, false);
    const rs_board_scan s = {
        .row = y, .arrived = y + 1, .time = y, .uncertainty = 0.5, .score = NAN};
    rs_board_line(b, &s);
}

static void the_state_is_json_with_every_section(void **state)
{
    static const char *const sections[] = {"source", "frame",   "maps",     "run",    "scan",
                                           "rows",   "lines",   "metrics",  "points", "loops",
                                           "walls",  "confirm", "settings", "log",    "labels",
                                           "viewer", "number",  "protocol", "program"};
    (void)state;
    rs_board *b = make_board();
    rs_json_doc *doc = NULL;
    rs_board_log(b, 1.5, RS_SESSION_WARNING, "a \"quoted\"\n</script> \xff text");
    char *text = state_of(b, &doc);
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        assert_non_null(rs_json_member(rs_json_root(doc), sections[i]));
    const rs_json_value *source = rs_json_member(rs_json_root(doc), "source");
    assert_string_equal(rs_json_member(source, "sample")->text, "<b>\"film\"");
    const rs_json_value *log = rs_json_member(rs_json_root(doc), "log");
    assert_int_equal(log->n, 1);
    assert_string_equal(rs_json_member(log->first, "text")->text,
                        "a \"quoted\"\n</script> \xef\xbf\xbd text");
    assert_int_equal(count(text, "\n"), 1); /* an event's data is one line */
    rs_json_free(doc);
    rs_free(text);
    rs_board_free(b);
}

static void a_viewer_gets_what_is_new_and_no_more(void **state)
{
    (void)state;
    rs_board *b = make_board();
    char *text;
    for (int y = 0; y < 4; y++) post_row(b, y, 1, RS_SESSION_PROVISIONAL);
    int64_t seen = events_of(b, 0, &text);
    assert_non_null(strstr(text, "\"protocol\": 1"));
    assert_non_null(strstr(text, "\"from\": 0, \"to\": 4"));
    rs_free(text);
    /* Nothing. */
    assert_int_equal(events_of(b, seen, &text), seen);
    assert_int_equal(count(text, "event: "), 2); /* who looks, and the number */
    rs_free(text);
    /* A row of the net only, then a line. */
    post_row(b, 4, 2, RS_SESSION_FINAL);
    seen = events_of(b, seen, &text);
    assert_int_equal(count(text, "event: rows"), 2);
    assert_int_equal(count(text, "event: line"), 1);
    assert_int_equal(count(text, "\"from\": 4, \"to\": 5"), 2);
    assert_null(strstr(text, "\"points\""));
    rs_free(text);
    /* A final row stays what it is, unless all are looked at. */
    post_row(b, 4, 3, RS_SESSION_FINAL);
    seen = events_of(b, seen, &text);
    assert_int_equal(count(text, "event: rows"), 0);
    rs_free(text);
    /* One who has never looked sees the end and nothing twice. */
    for (int y = 0; y < ROWS; y++) post_row(b, y, 7, RS_SESSION_FINAL);
    rs_board_run(b, RS_BOARD_DONE, false, "complete");
    events_of(b, 0, &text);
    assert_int_equal(count(text, "event: end"), 1);
    assert_int_equal(count(text, "event: rows"), 2);
    rs_free(text);
    /* A number that is not of this board. */
    events_of(b, INT64_MAX, &text);
    assert_non_null(strstr(text, "\"protocol\": 1"));
    rs_free(text);
    rs_board_free(b);
}

static void loops_come_one_by_one(void **state)
{
    (void)state;
    rs_board *b = make_board();
    rs_session_point p[3] = {{.row = 1, .wall = 2}, {.row = 2}, {.row = 3}};
    float response[4] = {1, 2, 3, NAN};
    double metric[2] = {4.5, NAN};
    const rs_session_loop loop = {.response = response, .metric = metric};
    reshed_error err = {0};
    char *text;
    size_t n;
    assert_ok(rs_board_points(b, p, 3, &err), &err);
    int64_t seen = events_of(b, 0, &text);
    rs_free(text);
    p[1].state = RS_SESSION_MEASURED;
    rs_board_loop(b, 1, &p[1], &loop);
    rs_board_loop(b, 77, &p[1], &loop);
    seen = events_of(b, seen, &text);
    assert_int_equal(count(text, "event: loop"), 1);
    assert_non_null(strstr(text, "{\"index\": 1, \"state\": 1, \"metrics\": [4.5, null]}"));
    assert_non_null(strstr(text, "\"latest\": [1]"));
    rs_free(text);
    FILE *f = rs_os_memory_stream(&text, &n);
    assert_false(rs_board_loop_json(b, 0, f));
    assert_false(rs_board_loop_json(b, -1, f));
    assert_true(rs_board_loop_json(b, 1, f));
    fclose(f);
    assert_non_null(strstr(text, "\"on\": [1, 2, 3, null]"));
    rs_free(text);
    response[0] = 3;
    p[2].state = RS_SESSION_MEASURED;
    rs_board_loop(b, 2, &p[2], &loop);
    f = rs_os_memory_stream(&text, &n);
    assert_true(rs_board_average_json(b, f));
    fclose(f);
    assert_non_null(strstr(text, "\"count\": 2"));
    assert_non_null(strstr(text, "\"on\": [2, 2, 3, null]"));
    rs_free(text);
    rs_board_free(b);
}

static void rows_are_read_within_the_frame(void **state)
{
    (void)state;
    rs_board *b = make_board();
    float out[3 * COLS + 2];
    int64_t number;
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) out[i] = NAN;
    post_row(b, 2, 5, RS_SESSION_PROVISIONAL);
    assert_true(rs_board_read(b, RS_SESSION_AMPLITUDE, ROWS, COLS, 2, 1, out + 1, &number));
    assert_true(isnan(out[0]) && isnan(out[COLS + 1]) && out[1] == 5 && out[COLS] == 5);
    assert_false(rs_board_read(b, RS_SESSION_AMPLITUDE, ROWS, COLS, 2, ROWS, out, &number));
    assert_false(rs_board_read(b, RS_SESSION_AMPLITUDE, ROWS + 1, COLS, 2, 1, out, &number));
    assert_false(rs_board_read(b, RS_SESSION_Q, ROWS, COLS, 0, 1, out, &number)); /* has none */
    assert_false(rs_board_read(b, 99, ROWS, COLS, 0, 1, out, &number));
    assert_int_equal(rs_board_map_find("variance"), RS_SESSION_VARIANCE);
    assert_int_equal(rs_board_map_find("../x"), -1);
    rs_board_free(b);
}

static void memory_that_is_short_shows_nothing_wrong(void **state)
{
    (void)state;
    const rs_session_setup setup = small_setup();
    const rs_board_source source = {.kind = "scan", .name = "a", .program = "t", .threshold = 1};
    for (long k = 0; k < 100; k++) {
        rs_board *b = NULL;
        reshed_error err = {0};
        rs_session_point p[2] = {{0}};
        test_alloc_fail_at(k);
        reshed_status st = rs_board_create(&b, &err);
        if (st == RESHED_OK) st = rs_board_begin(b, &source, &setup, &err);
        if (st == RESHED_OK) st = rs_board_points(b, p, 2, &err);
        const bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (failed) assert_int_equal(st, RESHED_ENOMEM);
        if (b && st != RESHED_OK) {
            rs_json_doc *doc = NULL;
            char *text = state_of(b, &doc);
            rs_json_free(doc);
            rs_free(text);
        }
        rs_board_free(b);
        if (!failed) return;
    }
    fail();
}

/* --------------------------------------------------------------------------------------- orders */

static void orders_are_answered_once(void **state)
{
    (void)state;
    rs_board *b = make_board();
    rs_mailbox *m = NULL;
    reshed_error err = {0};
    char what[RS_BOARD_TEXT];
    bool done;
    rs_order *o = rs_zalloc(1, sizeof *o), *got = rs_zalloc(1, sizeof *got);
    assert_ok(rs_mailbox_create(b, &m, &err), &err);
    strcpy(o->id, "one");
    assert_int_equal(rs_mailbox_send(m, o), RS_MAILBOX_PUT);
    assert_int_equal(rs_mailbox_send(m, o), RS_MAILBOX_KNOWN);
    assert_false(rs_mailbox_wait(m, "one", 0, &done, what));
    assert_true(rs_mailbox_take(m, 0, got));
    assert_string_equal(got->id, "one");
    assert_true(rs_mailbox_knows(m, "one")); /* at work */
    assert_int_equal(rs_mailbox_send(m, o), RS_MAILBOX_KNOWN);
    rs_mailbox_answer(m, got, true, "it is done");
    assert_true(rs_mailbox_wait(m, "one", 0, &done, what));
    assert_true(done);
    assert_string_equal(what, "it is done");
    assert_int_equal(rs_mailbox_send(m, o), RS_MAILBOX_KNOWN);
    assert_false(rs_mailbox_take(m, 0, got));
    /* Too many; a stop is heard all the same. */
    for (int k = 0; k < RS_MAILBOX_ROOM; k++) {
        snprintf(o->id, sizeof o->id, "n%d", k);
        assert_int_equal(rs_mailbox_send(m, o), RS_MAILBOX_PUT);
    }
    strcpy(o->id, "late");
    assert_int_equal(rs_mailbox_send(m, o), RS_MAILBOX_FULL);
    assert_false(rs_mailbox_stops(m));
    o->kind = RS_ORDER_STOP;
    strcpy(o->id, "stop");
    assert_int_equal(rs_mailbox_send(m, o), RS_MAILBOX_PUT);
    assert_true(rs_mailbox_stops(m) && rs_mailbox_knows(m, "stop"));
    strcpy(o->id, "stop again");
    assert_int_equal(rs_mailbox_send(m, o), RS_MAILBOX_PUT);
    assert_true(rs_mailbox_wait(m, "stop again", 0, &done, what) && done);
    assert_true(rs_mailbox_take(m, 0, got)); /* before all that wait */
    assert_string_equal(got->id, "stop");
    rs_mailbox_answer(m, got, true, "halted");
    rs_mailbox_close(m);
    assert_true(rs_mailbox_wait(m, "n3", 0, &done, what));
    assert_false(done);
    strcpy(o->id, "after");
    assert_int_equal(rs_mailbox_send(m, o), RS_MAILBOX_CLOSED);
    rs_mailbox_free(m);
    rs_board_free(b);
    rs_free(o);
    rs_free(got);
}

/* Several are at work at a time: a pause waits for the end of its line while a note is taken. */
static void orders_at_work_are_all_known(void **state)
{
    (void)state;
    rs_board *b = make_board();
    rs_mailbox *m = NULL;
    reshed_error err = {0};
    char what[RS_BOARD_TEXT];
    bool done;
    rs_order *o = rs_zalloc(4, sizeof *o);
    assert_ok(rs_mailbox_create(b, &m, &err), &err);
    for (int k = 0; k < 3; k++) {
        snprintf(o[k].id, sizeof o[k].id, "o%d", k);
        assert_int_equal(rs_mailbox_send(m, &o[k]), RS_MAILBOX_PUT);
        assert_true(rs_mailbox_take(m, 0, &o[3]));
    }
    for (int k = 0; k < 3; k++) {
        assert_true(rs_mailbox_knows(m, o[k].id));
        assert_int_equal(rs_mailbox_send(m, &o[k]), RS_MAILBOX_KNOWN);
        assert_false(rs_mailbox_wait(m, o[k].id, 0, &done, what));
    }
    rs_mailbox_answer(m, &o[1], true, "the second");
    assert_true(rs_mailbox_wait(m, "o1", 0, &done, what) && done);
    assert_true(rs_mailbox_knows(m, "o0") && !rs_mailbox_knows(m, "o1"));
    rs_mailbox_close(m);
    assert_true(rs_mailbox_wait(m, "o0", 0, &done, what) && !done);
    assert_true(rs_mailbox_wait(m, "o2", 0, &done, what) && !done);
    /* More than anybody gives: the oldest are forgotten, nothing is written over. */
    rs_mailbox_free(m);
    assert_ok(rs_mailbox_create(b, &m, &err), &err);
    for (int k = 0; k < 200; k++) {
        snprintf(o[0].id, sizeof o[0].id, "m%d", k);
        assert_int_equal(rs_mailbox_send(m, &o[0]), RS_MAILBOX_PUT);
        assert_true(rs_mailbox_take(m, 0, &o[3]));
    }
    assert_true(rs_mailbox_knows(m, "m199") && !rs_mailbox_knows(m, "m0"));
    rs_mailbox_free(m);
    rs_board_free(b);
    rs_free(o);
}

static rs_order order;

static reshed_status read_action(const char *text, bool *take)
{
    reshed_error err = {0};
    const reshed_status st = rs_action_read(text, strlen(text), &order, take, &err);
    assert_true(st == RESHED_OK || (st == RESHED_EINVAL && err.what[0]));
    return st;
}

static void actions_are_read_strictly(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"id\": \"a\"}",
        "{\"id\": \"\", \"action\": \"pause\"}",
        "{\"id\": \"a b\", \"action\": \"pause\"}",
        "{\"id\": \"a\", \"action\": \"halt\"}",
        "{\"id\": 1, \"action\": \"pause\"}",
        "{\"id\": \"a\", \"action\": \"rescan_from\"}",
        "{\"id\": \"a\", \"action\": \"rescan_from\", \"row\": -1}",
        "{\"id\": \"a\", \"action\": \"rescan_from\", \"row\": 1.5}",
        "{\"id\": \"a\", \"action\": \"rescan_from\", \"row\": 1e300}",
        "{\"id\": \"a\", \"action\": \"points\", \"edit\": \"remove\", \"index\": []}",
        "{\"id\": \"a\", \"action\": \"points\", \"edit\": \"add\", \"row\": 1}",
        "{\"id\": \"a\", \"action\": \"again\", \"index\": [1, 2]}",
        "{\"id\": \"a\", \"action\": \"confirm\", \"yes\": 1}",
        "{\"id\": \"a\", \"action\": \"confirm\", \"yes\": true}",
        "{\"id\": \"a\", \"action\": \"confirm\", \"yes\": true, \"number\": 0}",
        "{\"id\": \"a\", \"action\": \"points\", \"edit\": \"remove\", \"index\": [3]}",
        "{\"id\": \"a\", \"action\": \"points\", \"edit\": \"move\", \"index\": 3, \"row\": 1}",
        ("{\"id\": \"a\", \"action\": \"points\", \"edit\": \"move\", \"index\": 3, \"row\": 1, "
         "\"col\": 1}"),
        "{\"id\": \"a\", \"action\": \"points\", \"edit\": \"thin\", \"keep\": 3}",
        "{\"id\": \"a\", \"action\": \"note\", \"text\": \"\"}"};
    (void)state;
    bool take;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(read_action(bad[i], &take), RESHED_EINVAL);
    assert_int_equal(read_action("{\"id\": \"a\", \"action\": \"take\"}", &take), RESHED_OK);
    assert_true(take);
    assert_int_equal(read_action("{\"id\": \"a\", \"action\": \"confirm\", \"yes\": false}", &take),
                     RESHED_OK); /* a no is for any list */
    assert_int_equal(read_action("{\"action\": \"points\", \"id\": \"x\", \"edit\": \"remove\", "
                                 "\"index\": [3, 0], \"number\": 17}",
                                 &take),
                     RESHED_OK);
    assert_int_equal(order.kind, RS_ORDER_REMOVE);
    assert_true(order.n == 2 && order.index[0] == 3 && order.number == 17 && !take);
}

static reshed_status fuzz_action(const uint8_t *data, size_t len, reshed_error *err)
{
    bool take;
    return rs_action_read((const char *)data, len, &order, &take, err);
}

static void mutated_actions_do_no_harm(void **state)
{
    static const char text[] =
        "{\"id\": \"a1\", \"action\": \"points\", \"edit\": \"move\", "
        "\"index\": [4], \"number\": 5, \"row\": 12.5e0, \"col\": -3, \"more\": "
        "[{\"x\": null}, true, \"\\u00e4\\ud83d\\ude00\\n\"]}";
    (void)state;
    test_truncate(fuzz_action, (const uint8_t *)text, sizeof text - 1, sizeof text - 1);
    test_mutate("actions", fuzz_action, (const uint8_t *)text, sizeof text - 1, test_mutations());
    test_each_alloc(fuzz_action, (const uint8_t *)text, sizeof text - 1);
}

/* ---------------------------------------------------------------------------- tokens and labels */

static void only_the_own_page_is_let_in(void **state)
{
    (void)state;
    rs_guard g, h;
    reshed_error err = {0};
    char other[RS_TOKEN];
    assert_ok(rs_guard_make(&g, "127.0.0.1", &err), &err);
    assert_ok(rs_guard_make(&h, "0.0.0.0", &err), &err);
    g.port = h.port = 8080;
    assert_string_not_equal(g.watch, g.steer);
    assert_string_not_equal(g.watch, h.watch);
    assert_int_equal(rs_guard_right(&g, g.watch), RS_RIGHT_WATCH);
    assert_int_equal(rs_guard_right(&g, g.steer), RS_RIGHT_STEER);
    for (size_t i = 0; i < RS_TOKEN - 1; i++) {
        memcpy(other, g.steer, sizeof other);
        other[i] = other[i] == '0' ? '1' : '0';
        assert_int_equal(rs_guard_right(&g, other), RS_RIGHT_NONE);
    }
    assert_int_equal(rs_guard_right(&g, NULL), RS_RIGHT_NONE);
    assert_int_equal(rs_guard_right(&g, ""), RS_RIGHT_NONE);
    assert_true(rs_guard_host(&g, "127.0.0.1:8080") && rs_guard_host(&g, "LOCALHOST:8080"));
    assert_true(rs_guard_host(&g, "[::1]:8080"));
    assert_false(rs_guard_host(&g, NULL) || rs_guard_host(&g, "") ||
                 rs_guard_host(&g, "127.0.0.1") || rs_guard_host(&g, "127.0.0.1:80") ||
                 rs_guard_host(&g, "evil.example:8080") || rs_guard_host(&g, "192.168.1.2:8080") ||
                 rs_guard_host(&g, "localhost.evil.example:8080"));
    assert_true(rs_guard_host(&h, "192.168.1.2:8080") && rs_guard_host(&h, "[fe80::1]:8080"));
    assert_false(rs_guard_host(&h, "evil.example:8080") || rs_guard_host(&h, ":8080"));
    for (int post = 0; post < 2; post++) {
        assert_true(rs_guard_origin(&g, post, NULL, NULL));
        assert_true(rs_guard_origin(&g, post, "http://localhost:8080", "same-origin"));
        assert_false(rs_guard_origin(&g, post, "null", NULL) ||
                     rs_guard_origin(&g, post, NULL, "cross-site") ||
                     rs_guard_origin(&g, post, "http://evil.example:8080", NULL) ||
                     rs_guard_origin(&g, post, "https://localhost:8080", NULL) ||
                     rs_guard_origin(&g, post, "http://localhost:8081", "same-origin"));
        assert_int_equal(rs_guard_origin(&g, post, NULL, "none"), !post);
        assert_int_equal(rs_guard_origin(&g, post, NULL, "same-origin"), !post);
    }
}

/* What a shell makes of the command that goes with names like these. */
static void the_command_is_what_tune_takes(void **state)
{
    static const char *const names[] = {"thin.h5", "my film's \"$HOME\" `id`.h5", "-x.h5"};
    (void)state;
    rs_board *b = make_board();
    reshed_error err = {0};
    const uint8_t mask[ROWS * COLS] = {1};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        rs_labels *l = NULL;
        rs_json_doc *doc = NULL;
        char *text = NULL, said[4096], want[4096], stem[64];
        size_t n;
        snprintf(stem, sizeof stem, "%s%.*s", *names[i] == '-' ? "./" : "",
                 (int)strlen(names[i]) - 3, names[i]);
        assert_ok(rs_labels_create(b, test_temp(names[i]), &l, &err), &err);
        assert_ok(rs_labels_save(l, ROWS, COLS, mask, mask, &err), &err);
        FILE *f = rs_os_memory_stream(&text, &n);
        assert_true(rs_board_labels_json(b, f));
        fclose(f);
        assert_ok(rs_json_read(text, n, &doc, &err), &err);
        snprintf(said, sizeof said, "reshed-train() { printf '<%%s>' \"$@\"; }; %s",
                 rs_json_member(rs_json_root(doc), "command")->text);
        /* A function's name may not have a minus in every shell. */
        for (char *at = said; (at = strstr(at, "reshed-train"));) at[6] = '_';
        snprintf(want, sizeof want,
                 "<tune><%s.h5><%s-label.png><--unknown><%s-ignore.png><-o><%s-tuned.h5>", stem,
                 stem, stem, stem);
        FILE *shell = popen(said, "r");
        char got[4096] = "";
        assert_non_null(shell);
        assert_non_null(fgets(got, sizeof got, shell));
        assert_int_equal(pclose(shell), 0);
        assert_string_equal(got, want);
        rs_json_free(doc);
        rs_free(text);
        rs_labels_free(l);
    }
    rs_board_free(b);
}

/* A second region: its labels are its own, and what was whole before is told once. */
static void another_frame_begins_anew(void **state)
{
    (void)state;
    rs_board *b = make_board();
    rs_labels *l = NULL;
    reshed_error err = {0};
    const uint8_t mask[ROWS * COLS] = {1};
    const rs_session_setup setup = small_setup();
    const rs_board_source source = {.kind = "scan", .name = "b.h5", .program = "t", .threshold = 1};
    int rows, cols;
    char *text;
    assert_ok(rs_labels_create(b, test_temp("first.h5"), &l, &err), &err);
    assert_ok(rs_labels_save(l, ROWS, COLS, mask, mask, &err), &err);
    rs_board_log(b, 1, RS_SESSION_NOTE, "of the first");
    post_row(b, 3, 1, RS_SESSION_FINAL);
    int64_t seen = events_of(b, 0, &text);
    rs_free(text);
    assert_ok(rs_labels_begin(l, test_temp("second.h5"), &err), &err);
    assert_ok(rs_board_begin(b, &source, &setup, &err), &err);
    assert_null(rs_labels_get(l, &rows, &cols));
    post_row(b, 4, 1, RS_SESSION_FINAL);
    rs_board_log(b, 1, RS_SESSION_NOTE, "of the second");
    seen = events_of(b, seen, &text);
    assert_non_null(strstr(text, "\"labels\": null"));
    assert_int_equal(count(text, "of the first"), 1);
    assert_int_equal(count(text, "of the second"), 1); /* in the section, and not as an event */
    assert_non_null(strstr(text, "\"lines\": {\"row\": [4]"));
    assert_int_equal(count(text, "event: line"), 0);
    rs_free(text);
    post_row(b, 5, 1, RS_SESSION_FINAL);
    events_of(b, seen, &text);
    assert_int_equal(count(text, "event: line"), 1);
    rs_free(text);
    assert_ok(rs_labels_save(l, ROWS, COLS, mask, mask, &err), &err);
    assert_true(rs_os_is_file(test_temp("second-label.png")));
    rs_labels_free(l);
    rs_board_free(b);
}

static void labels_are_saved_beside_the_session(void **state)
{
    (void)state;
    rs_board *b = make_board();
    rs_labels *l = NULL;
    reshed_error err = {0};
    uint8_t label[ROWS * COLS] = {1, 0, 1}, ignore[ROWS * COLS] = {0};
    char path[1024];
    int rows, cols;
    strcpy(path, test_temp("film.h5"));
    assert_ok(rs_labels_create(b, path, &l, &err), &err);
    assert_null(rs_labels_get(l, &rows, &cols));
    assert_ok(rs_labels_save(l, ROWS, COLS, label, ignore, &err), &err);
    assert_ok(rs_labels_save(l, ROWS, COLS, label, ignore, &err), &err);
    assert_true(rs_os_is_file(test_temp("film-label.png")));
    assert_true(rs_os_is_file(test_temp("film-ignore-2.png")));
    uint8_t *both = rs_labels_get(l, &rows, &cols);
    assert_true(both && rows == ROWS && cols == COLS);
    assert_memory_equal(both, label, sizeof label);
    rs_free(both);
    label[5] = 2;
    assert_int_equal(rs_labels_save(l, ROWS, COLS, label, ignore, &err), RESHED_EINVAL);
    assert_int_equal(rs_labels_save(l, COLS, ROWS, ignore, ignore, &err), RESHED_EINVAL);
    rs_labels_free(l);
    rs_board_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_state_is_json_with_every_section),
        cmocka_unit_test(a_viewer_gets_what_is_new_and_no_more),
        cmocka_unit_test(loops_come_one_by_one),
        cmocka_unit_test(rows_are_read_within_the_frame),
        cmocka_unit_test(memory_that_is_short_shows_nothing_wrong),
        cmocka_unit_test(orders_are_answered_once),
        cmocka_unit_test(orders_at_work_are_all_known),
        cmocka_unit_test(actions_are_read_strictly),
        cmocka_unit_test(mutated_actions_do_no_harm),
        cmocka_unit_test(only_the_own_page_is_let_in),
        cmocka_unit_test(labels_are_saved_beside_the_session),
        cmocka_unit_test(the_command_is_what_tune_takes),
        cmocka_unit_test(another_frame_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
