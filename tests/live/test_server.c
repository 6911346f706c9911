#define _POSIX_C_SOURCE 200809L /* sockets */
/* The server with raw sockets: who is let in, what is refused, who reads slowly, and requests that are none. */
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/os/socket.h"
#include "base/thread.h"
#include "live/server.h"
#include "support/support.h"

enum { ROWS = 64, COLS = 64 };
/* s that anything may take on a machine that is busy. */
#define PATIENCE 60.0

typedef struct rig {
    rs_board *board;
    rs_mailbox *mailbox;
    rs_labels *labels;
    rs_server *server;
    float *map;
    uint8_t state[ROWS];
    char reply[1 << 16];
} rig;

static rig *make_rig(void)
{
    rig *r = rs_zalloc(1, sizeof *r);
    reshed_error err = {0};
    rs_session_setup setup = {.amplitude_unit = "m"};
    const rs_board_source source = {
        .kind = "scan", .name = "a.h5", .program = "test", .threshold = NAN, .writing = true};
    setup.frame = (rs_frame){.rows = ROWS, .cols = COLS, .width = 1e-6, .height = 1e-6};
    r->map = rs_zalloc((size_t)ROWS * COLS, sizeof *r->map);
    assert_ok(rs_board_create(&r->board, &err), &err);
    assert_ok(rs_board_begin(r->board, &source, &setup, &err), &err);
    assert_ok(rs_mailbox_create(r->board, &r->mailbox, &err), &err);
    assert_ok(rs_labels_create(r->board, test_temp("served.h5"), &r->labels, &err), &err);
    const rs_server_options o = {.board = r->board,
                                 .mailbox = r->mailbox,
                                 .labels = r->labels,
                                 .address = "127.0.0.1",
                                 .patience = 0.05};
    assert_ok(rs_server_start(&o, &r->server, &err), &err);
    return r;
}

static void free_rig(rig *r)
{
    rs_server_stop(r->server);
    rs_labels_free(r->labels);
    rs_mailbox_free(r->mailbox);
    rs_board_free(r->board);
    rs_free(r->map);
    rs_free(r);
}

static void post(rig *r, int k)
{
    const float *map[RS_SESSION_MAPS] = {
        [RS_SESSION_AMPLITUDE] = r->map, [RS_SESSION_MEAN] = r->map};
    for (size_t i = 0; i < (size_t)ROWS * COLS; i++) r->map[i] = (float)k;
    memset(r->state, RS_SESSION_PROVISIONAL, sizeof r->state);
    rs_board_rows(r->board, map, r->state, true);
    const rs_board_scan s = {.row = k % ROWS, .arrived = k + 1, .time = k, .score = NAN};
    rs_board_line(r->board, &s);
}

static rs_socket *connect_to(const rig *r)
{
    rs_socket *s = NULL;
    reshed_error err = {0};
    assert_ok(rs_socket_connect("127.0.0.1", rs_server_port(r->server),
                                rs_os_monotonic() + PATIENCE, &s, &err),
              &err);
    return s;
}

/* Sends it as it is and takes what comes until the server closes; returns the status, 0: none. */
static int send_raw(rig *r, const char *request, size_t n)
{
    rs_socket *s = connect_to(r);
    size_t got = 0;
    const double deadline = rs_os_monotonic() + PATIENCE;
    /* It may be refused and closed before all of it is read. */
    rs_socket_send(s, request, n, deadline, NULL);
    const reshed_status st =
        rs_socket_receive(s, r->reply, sizeof r->reply - 1, &got, deadline, NULL);
    assert_int_not_equal(st, RESHED_ETIMEOUT);
    rs_socket_close(s);
    r->reply[got] = '\0';
    return strncmp(r->reply, "HTTP/1.1 ", 9) == 0 ? atoi(r->reply + 9) : 0;
}

/* head: the lines after Host, each with its end. */
static int ask(rig *r, const char *method, const char *path, const char *head, const char *body)
{
    char text[4096];
    snprintf(text, sizeof text,
             "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n%s\r\n%s", method, path,
             rs_server_port(r->server), head, body ? body : "");
    return send_raw(r, text, strlen(text));
}

static int get(rig *r, const char *path, bool steers)
{
    char head[128];
    snprintf(head, sizeof head, "X-Reshed-Token: %s\r\n", rs_server_token(r->server, steers));
    return ask(r, "GET", path, head, NULL);
}

static int post_text(rig *r, const char *path, bool steers, const char *more, const char *body)
{
    char head[512];
    snprintf(head, sizeof head,
             "X-Reshed-Token: %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s",
             rs_server_token(r->server, steers), strlen(body), more);
    return ask(r, "POST", path, head, body);
}

/* ------------------------------------------------------------------------------------ who may what */

static void the_page_has_no_data_and_strict_headers(void **state)
{
    (void)state;
    rig *r = make_rig();
    assert_int_equal(ask(r, "GET", "/", "", NULL), 200);
    assert_non_null(
        strstr(r->reply, "Content-Security-Policy: default-src 'none'; script-src 'self'"));
    assert_non_null(strstr(r->reply, "nosniff"));
    assert_null(strstr(r->reply, "<script>"));
    assert_int_equal(ask(r, "GET", "/live.js", "", NULL), 200);
    assert_int_equal(ask(r, "GET", "/../../etc/passwd", "", NULL), 404);
    assert_int_equal(ask(r, "GET", "/%2e%2e/%2e%2e/etc/passwd", "", NULL), 404);
    assert_int_equal(ask(r, "POST", "/", "Content-Length: 0\r\n", NULL), 405);
    assert_int_equal(ask(r, "DELETE", "/api/state", "", NULL), 405);
    free_rig(r);
}

static void data_need_the_token(void **state)
{
    (void)state;
    rig *r = make_rig();
    char path[128];
    assert_int_equal(ask(r, "GET", "/api/state", "", NULL), 401);
    assert_null(strstr(r->reply, "a.h5"));
    assert_int_equal(ask(r, "GET", "/api/state?token=0123456789abcdef0123456789abcdef", "", NULL),
                     401);
    snprintf(path, sizeof path, "/api/state?token=%s", rs_server_token(r->server, false));
    assert_int_equal(ask(r, "GET", path, "", NULL), 200);
    assert_non_null(strstr(r->reply, "\"may_steer\": false"));
    assert_int_equal(get(r, "/api/state", true), 200);
    assert_non_null(strstr(r->reply, "\"may_steer\": true"));
    assert_int_equal(get(r, "/api/nothing", true), 404);
    assert_int_equal(get(r, "/api/rows?map=amplitude&from=0&count=65", true), 400);
    assert_int_equal(get(r, "/api/rows?map=amplitude&from=-1", true), 400);
    assert_int_equal(get(r, "/api/rows?map=amplitude&from=99999999999999999999", true), 400);
    assert_int_equal(get(r, "/api/rows?map=../../x", true), 404);
    assert_int_equal(get(r, "/api/rows?map=amplitude&from=2&count=3", true), 200);
    assert_non_null(strstr(r->reply, "Content-Length: 768"));
    assert_int_equal(get(r, "/api/loop?index=0", true), 404);
    assert_int_equal(get(r, "/api/labels", true), 404);
    free_rig(r);
}

static void other_pages_are_kept_out(void **state)
{
    (void)state;
    rig *r = make_rig();
    char head[256], text[512];
    const char *token = rs_server_token(r->server, true);
    snprintf(head, sizeof head, "X-Reshed-Token: %s\r\nOrigin: http://evil.example\r\n", token);
    assert_int_equal(ask(r, "GET", "/api/state", head, NULL), 403);
    snprintf(head, sizeof head, "X-Reshed-Token: %s\r\nSec-Fetch-Site: cross-site\r\n", token);
    assert_int_equal(ask(r, "GET", "/api/state", head, NULL), 403);
    snprintf(
        text, sizeof text,
        "GET /api/state?token=%s HTTP/1.1\r\nHost: evil.example:%d\r\nConnection: close\r\n\r\n",
        token, rs_server_port(r->server));
    assert_int_equal(send_raw(r, text, strlen(text)), 403);
    snprintf(text, sizeof text,
             "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert_int_equal(send_raw(r, text, strlen(text)), 403);
    /* A link to the page may be clicked anywhere; a page of elsewhere gets neither its files nor data. */
    static const char link[] = "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n";
    assert_int_equal(ask(r, "GET", "/", link, NULL), 200);
    assert_int_equal(ask(r, "GET", "/live.js",
                         "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n", NULL),
                     403);
    snprintf(text, sizeof text, "/api/state?token=%s", token);
    assert_int_equal(ask(r, "GET", text, link, NULL), 403);
    /* A browser that posts says where from. */
    assert_int_equal(post_text(r, "/api/action", true, "Sec-Fetch-Site: same-origin\r\n",
                               "{\"id\": \"t\", \"action\": \"take\"}"),
                     403);
    snprintf(head, sizeof head, "Sec-Fetch-Site: same-origin\r\nOrigin: http://127.0.0.1:%d\r\n",
             rs_server_port(r->server));
    assert_int_equal(
        post_text(r, "/api/action", true, head, "{\"id\": \"t\", \"action\": \"take\"}"), 200);
    free_rig(r);
}

static void only_one_steers(void **state)
{
    static const char pause[] = "{\"id\": \"p\", \"action\": \"pause\"}";
    (void)state;
    rig *r = make_rig();
    char path[128];
    assert_int_equal(post_text(r, "/api/action", false, "", pause), 403);
    snprintf(path, sizeof path, "/api/action?token=%s", rs_server_token(r->server, true));
    assert_int_equal(
        ask(r, "POST", path, "Content-Type: application/json\r\nContent-Length: 2\r\n", "{}"), 401);
    assert_int_equal(post_text(r, "/api/action", true, "X-Reshed-Viewer: a\r\n", "{}"), 400);
    rs_order o;
    assert_false(rs_mailbox_take(r->mailbox, 0, &o));
    /* a gets the wheel with its first action, which nobody carries out; b does not get it. */
    assert_int_equal(post_text(r, "/api/action", true, "X-Reshed-Viewer: a\r\n", pause), 202);
    assert_int_equal(post_text(r, "/api/action", true, "X-Reshed-Viewer: b\r\n", pause), 409);
    assert_true(rs_mailbox_take(r->mailbox, 0, &o));
    assert_string_equal(o.who, "viewer a");
    assert_int_equal(get(r, "/api/action?id=p", false), 202);
    rs_mailbox_answer(r->mailbox, &o, true, "it stands");
    assert_int_equal(get(r, "/api/action?id=p", false), 200);
    assert_int_equal(post_text(r, "/api/action", true, "X-Reshed-Viewer: a\r\n", pause), 200);
    assert_non_null(strstr(r->reply, "it stands"));
    assert_false(rs_mailbox_take(r->mailbox, 0, &o)); /* not twice */
    assert_int_equal(post_text(r, "/api/action", true, "X-Reshed-Viewer: b\r\n",
                               "{\"id\": \"t\", \"action\": \"take\"}"),
                     200);
    assert_int_equal(post_text(r, "/api/action", true, "X-Reshed-Viewer: a\r\n",
                               "{\"id\": \"q\", \"action\": \"go_on\"}"),
                     409);
    /* Whoever may steer may stop, and does not get the wheel by it. */
    assert_int_equal(post_text(r, "/api/action", true, "X-Reshed-Viewer: a\r\n",
                               "{\"id\": \"s\", \"action\": \"stop\"}"),
                     202);
    assert_true(rs_mailbox_stops(r->mailbox));
    assert_int_equal(post_text(r, "/api/action", false, "X-Reshed-Viewer: w\r\n",
                               "{\"id\": \"s2\", \"action\": \"stop\"}"),
                     403);
    assert_int_equal(post_text(r, "/api/action", true, "X-Reshed-Viewer: a\r\n",
                               "{\"id\": \"q2\", \"action\": \"go_on\"}"),
                     409);
    rs_mailbox_close(r->mailbox);
    assert_int_equal(post_text(r, "/api/action", true, "X-Reshed-Viewer: b\r\n",
                               "{\"id\": \"r\", \"action\": \"go_on\"}"),
                     409);
    free_rig(r);
}

static void what_is_long_is_refused(void **state)
{
    (void)state;
    rig *r = make_rig();
    const char *token = rs_server_token(r->server, true);
    char head[256];
    const size_t n = 100000;
    char *text = rs_zalloc(2 * n, 1);
    snprintf(head, sizeof head,
             "X-Reshed-Token: %s\r\nContent-Type: application/json\r\nContent-Length: 65537\r\n",
             token);
    assert_int_equal(ask(r, "POST", "/api/action", head, ""), 413);
    snprintf(head, sizeof head,
             "X-Reshed-Token: %s\r\nContent-Type: application/json\r\nContent-Length: "
             "99999999999999999999999\r\n",
             token);
    assert_int_not_equal(ask(r, "POST", "/api/action", head, ""), 200);
    snprintf(
        head, sizeof head,
        "X-Reshed-Token: %s\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n",
        token);
    assert_int_equal(ask(r, "POST", "/api/action", head, "1\r\n{\r\n0\r\n\r\n"), 411);
    snprintf(head, sizeof head,
             "X-Reshed-Token: %s\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n", token);
    assert_int_equal(ask(r, "POST", "/api/action", head, "{}"), 415);
    /* Of rows, a MiB or one: they are kept until the slowest reader has them. */
    const rs_board_source source = {
        .kind = "scan", .name = "a.h5", .program = "t", .threshold = NAN};
    rs_session_setup setup = {.amplitude_unit = "m"};
    reshed_error err = {0};
    setup.frame = (rs_frame){.rows = 65, .cols = 4096, .width = 1e-6, .height = 1e-6};
    assert_ok(rs_board_begin(r->board, &source, &setup, &err), &err);
    assert_int_equal(get(r, "/api/rows?map=amplitude&from=0", true), 413);
    assert_int_equal(get(r, "/api/rows?map=amplitude&from=0&count=64", true), 200);
    /* A line of headers that does not end. */
    snprintf(text, 2 * n,
             "GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nX-Long: ", rs_server_port(r->server));
    memset(text + strlen(text), 'a', n);
    assert_int_not_equal(send_raw(r, text, strlen(text)), 200);
    assert_int_equal(get(r, "/api/state", true), 200);
    rs_free(text);
    free_rig(r);
}

static void labels_go_there_and_back(void **state)
{
    enum { N = 2 * ROWS * COLS };
    (void)state;
    rig *r = make_rig();
    char *text = rs_zalloc(N + 1024, 1);
    const int n = snprintf(
        text, 1024,
        "POST /api/labels HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\nX-Reshed-Token: "
        "%s\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n",
        rs_server_port(r->server), rs_server_token(r->server, true), N);
    for (int i = 0; i < N; i++) text[n + i] = (char)(i % 3 == 0);
    assert_int_equal(send_raw(r, text, (size_t)n + N), 200);
    assert_non_null(strstr(r->reply, "served-label.png"));
    assert_int_equal(get(r, "/api/labels", false), 200);
    assert_non_null(strstr(r->reply, "Content-Length: 8192"));
    text[n + 7] = 9;
    assert_int_equal(send_raw(r, text, (size_t)n + N), 400);
    text[n + 7] = 0;
    assert_int_equal(post_text(r, "/api/action", true, "X-Reshed-Viewer: b\r\n",
                               "{\"id\": \"t\", \"action\": \"take\"}"),
                     200);
    assert_int_equal(send_raw(r, text, (size_t)n + N), 409); /* b steers */
    rs_free(text);
    free_rig(r);
}

/* ------------------------------------------------------------------------------------ viewers */

/* Peers that connect and say nothing, more than there are places: a stop gets through at once. */
static void who_says_nothing_keeps_nobody_out(void **state)
{
    enum { SILENT = 320 };
    (void)state;
    rig *r = make_rig();
    rs_socket *s[SILENT];
    const double begin = rs_os_monotonic();
    for (int i = 0; i < SILENT; i++) {
        s[i] = connect_to(r);
        if (i % 2) rs_socket_send(s[i], "GET / HT", 8, begin + PATIENCE, NULL);
    }
    assert_int_equal(post_text(r, "/api/action", true, "X-Reshed-Viewer: a\r\n",
                               "{\"id\": \"s\", \"action\": \"stop\"}"),
                     202);
    const double took = rs_os_monotonic() - begin;
    print_message("# a stop behind %d silent peers: %.2f s\n", SILENT, took);
    assert_true(took < 20);
    assert_true(rs_mailbox_stops(r->mailbox));
    for (int i = 0; i < SILENT; i++) rs_socket_close(s[i]);
    free_rig(r);
}

/* Answers end their connections: those that many viewers would keep leave no place for others. */
static void answers_close_their_connections(void **state)
{
    static const char *const path[] = {"/", "/api/state"};
    (void)state;
    rig *r = make_rig();
    for (int i = 0; i < 2; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nX-Reshed-Token: %s\r\n\r\n", path[i],
                 rs_server_port(r->server), rs_server_token(r->server, false));
        const double begin = rs_os_monotonic();
        assert_int_equal(send_raw(r, text, strlen(text)), 200);
        assert_non_null(strstr(r->reply, "Connection: close"));
        print_message("# closed after %.3f s\n", rs_os_monotonic() - begin);
    }
    free_rig(r);
}

static void open_stream(rig *r, rs_socket *s, const char *last)
{
    char text[512];
    reshed_error err = {0};
    snprintf(text, sizeof text,
             "GET /api/events?token=%s&viewer=v HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s%s%s\r\n",
             rs_server_token(r->server, true), rs_server_port(r->server),
             last ? "Last-Event-ID: " : "", last ? last : "", last ? "\r\n" : "");
    assert_ok(rs_socket_send(s, text, strlen(text), rs_os_monotonic() + PATIENCE, &err), &err);
}

/* Reads until `part` has come, at most as much as fits. */
static void read_until(rig *r, rs_socket *s, const char *part)
{
    const double deadline = rs_os_monotonic() + PATIENCE;
    size_t got = 0;
    do {
        reshed_error err = {0};
        const size_t before = got;
        const reshed_status st = rs_socket_receive(s, r->reply, got + 1, &got, deadline, &err);
        if (got == before) assert_ok(st, &err);
        r->reply[got] = '\0';
    } while (!strstr(r->reply, part) && got < sizeof r->reply - 2);
    assert_non_null(strstr(r->reply, part));
}

static void a_stream_goes_on_where_it_was(void **state)
{
    (void)state;
    rig *r = make_rig();
    char id[64];
    rs_socket *s = connect_to(r);
    post(r, 0);
    open_stream(r, s, NULL);
    read_until(r, s, "event: seen\n");
    assert_non_null(strstr(r->reply, "\"protocol\": 1"));
    assert_non_null(strstr(r->reply, "\"has_wheel\": true"));
    assert_non_null(strstr(r->reply, "event: rows"));
    rs_board_log(r->board, 1, RS_SESSION_NOTE, "while it looks");
    read_until(r, s, "event: seen\n");
    assert_non_null(strstr(r->reply, "while it looks"));
    rs_board_log(r->board, 1, RS_SESSION_NOTE, "short");
    read_until(r, s, "event: seen\n"); /* nothing of a longer text before it */
    assert_non_null(strstr(r->reply, "short"));
    assert_null(strstr(r->reply, "while it looks"));
    rs_socket_close(s);
    snprintf(id, sizeof id, "%s-%lld", rs_board_epoch(r->board),
             (long long)rs_board_number(r->board));
    rs_board_log(r->board, 2, RS_SESSION_NOTE, "while it was away");
    s = connect_to(r);
    open_stream(r, s, id);
    read_until(r, s, "while it was away");
    assert_null(strstr(r->reply, "while it looks"));
    assert_null(strstr(r->reply, "\"protocol\": 1"));
    rs_socket_close(s);
    s = connect_to(r);
    open_stream(r, s, "0123456789abcdef-7");
    read_until(r, s, "\"protocol\": 1");
    rs_board_run(r->board, RS_BOARD_DONE, false, "complete");
    read_until(r, s, "event: end\n");
    rs_socket_close(s);
    free_rig(r);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Streams that are opened and never read, beside one that is: what is posted goes through at once, and the one that
 * reads finds the latest. */
static void who_does_not_read_costs_nothing(void **state)
{
    enum { LAZY = 8 };
    (void)state;
    rig *r = make_rig();
    rs_socket *lazy[LAZY], *s = connect_to(r);
    const int posts = (int)test_tier(200, 2000, 20000);
    for (int i = 0; i < LAZY; i++) {
        lazy[i] = connect_to(r);
        open_stream(r, lazy[i], NULL);
    }
    double *took = rs_zalloc((size_t)posts, sizeof *took);
    for (int k = 0; k < posts; k++) {
        const double begin = rs_os_monotonic();
        post(r, k);
        took[k] = rs_os_monotonic() - begin;
    }
    qsort(took, (size_t)posts, sizeof *took, by_value);
    const double middle = took[posts / 2], longest = took[posts - 1];
    rs_free(took);
    print_message("# %d posts beside %d streams that nobody reads: %.3f ms, the longest %.1f ms\n",
                  posts, LAZY, 1e3 * middle, 1e3 * longest);
    /* Microseconds, and what a busy machine takes from a thread; a write to such a viewer would wait for ever. */
    assert_true(middle < 0.05 && longest < 5);
    rs_board_log(r->board, 1, RS_SESSION_NOTE, "the last word");
    open_stream(r, s, NULL);
    read_until(r, s, "the last word");
    for (int i = 0; i < LAZY; i++) rs_socket_close(lazy[i]);
    rs_socket_close(s);
    free_rig(r);
}

/* How soon a row is at a viewer, and what twenty who read cost the poster. */
static void twenty_read_along(void **state)
{
    enum { READERS = 20 };
    (void)state;
    test_not_quick();
    rig *r = make_rig();
    rs_socket *s[READERS];
    const int posts = (int)test_tier(1, 20, 200);
    double alone = 0, watched = 0, soon = 0;
    for (int k = 0; k < posts; k++) {
        const double begin = rs_os_monotonic();
        post(r, k);
        alone += rs_os_monotonic() - begin;
    }
    for (int i = 0; i < READERS; i++) {
        s[i] = connect_to(r);
        open_stream(r, s[i], NULL);
        read_until(r, s[i], "event: seen\n");
    }
    for (int k = 0; k < posts; k++) {
        char word[32];
        snprintf(word, sizeof word, "line %d is there", k);
        const double begin = rs_os_monotonic();
        post(r, posts + k);
        watched += rs_os_monotonic() - begin;
        rs_board_log(r->board, k, RS_SESSION_NOTE, word);
        read_until(r, s[0], word);
        soon += rs_os_monotonic() - begin;
        for (int i = 1; i < READERS; i++) read_until(r, s[i], word);
    }
    print_message(
        "# a row is at a viewer after %.1f ms; to post it takes %.3f ms alone, %.3f ms beside %d "
        "viewers\n",
        1e3 * soon / posts, 1e3 * alone / posts, 1e3 * watched / posts, READERS);
    /* Twenty threads and this one on a machine that is busy: a bound against waiting, not a measurement. */
    assert_true(watched / posts < 0.5 && soon / posts < 5);
    for (int i = 0; i < READERS; i++) rs_socket_close(s[i]);
    free_rig(r);
}

static void viewers_are_counted(void **state)
{
    (void)state;
    test_not_quick();
    rig *r = make_rig();
    rs_socket *s[RS_SERVER_VIEWERS];
    for (int i = 0; i < RS_SERVER_VIEWERS; i++) {
        s[i] = connect_to(r);
        open_stream(r, s[i], NULL);
        read_until(r, s[i], "event: seen\n");
    }
    assert_int_equal(rs_server_viewers(r->server), RS_SERVER_VIEWERS);
    assert_int_equal(get(r, "/api/events", false), 503);
    assert_int_equal(get(r, "/api/state", false), 200);
    for (int i = 0; i < RS_SERVER_VIEWERS; i++) rs_socket_close(s[i]);
    free_rig(r);
}

/* --------------------------------------------------------------------------------------- requests */

/* Sends it, says that no more comes, and reads until the server closes or is a stream: it has read all of it then.
 * True when there was an answer. */
static bool send_and_end(const rig *r, const uint8_t *data, size_t n)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)rs_server_port(r->server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char reply[64];
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    /* It may be refused and closed before all of it is read. */
    const bool sent = send(fd, data, n, MSG_NOSIGNAL) == (ssize_t)n;
    shutdown(fd, SHUT_WR);
    const bool answered = recv(fd, reply, sizeof reply, 0) > 0;
    close(fd);
    return sent && answered;
}

static void mutated_requests_do_no_harm(void **state)
{
    (void)state;
    rig *r = make_rig();
    const long n = test_tier(200, 2000, 1000000);
    char seed[2][1024];
    uint8_t mutant[1024 + 256];
    long answered = 0;
    snprintf(
        seed[0], sizeof seed[0],
        "GET /api/rows?map=amplitude&from=2&count=3&token=%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
        "Connection: close\r\nOrigin: http://127.0.0.1:%d\r\n\r\n",
        rs_server_token(r->server, false), rs_server_port(r->server), rs_server_port(r->server));
    snprintf(seed[1], sizeof seed[1],
             "POST /api/action HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: "
             "close\r\nX-Reshed-Token: %s\r\n"
             "Content-Type: application/json\r\nContent-Length: 49\r\n\r\n"
             "{\"id\": \"a\", \"action\": \"again\", \"index\": [1, 2, 3]}",
             rs_server_port(r->server), rs_server_token(r->server, true));
    for (long i = 0; i < n; i++) {
        const char *from = seed[i & 1];
        const size_t len = test_mutant(i, (const uint8_t *)from, strlen(from), mutant);
        answered += send_and_end(r, mutant, len);
    }
    print_message("# %ld mutated requests, %ld answered\n", n, answered);
    assert_true(answered > n / 2); /* they did arrive */
    assert_int_equal(get(r, "/api/state", true), 200);
    free_rig(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_has_no_data_and_strict_headers),
        cmocka_unit_test(data_need_the_token),
        cmocka_unit_test(other_pages_are_kept_out),
        cmocka_unit_test(only_one_steers),
        cmocka_unit_test(what_is_long_is_refused),
        cmocka_unit_test(labels_go_there_and_back),
        cmocka_unit_test(who_says_nothing_keeps_nobody_out),
        cmocka_unit_test(answers_close_their_connections),
        cmocka_unit_test(a_stream_goes_on_where_it_was),
        cmocka_unit_test(who_does_not_read_costs_nothing),
        cmocka_unit_test(twenty_read_along),
        cmocka_unit_test(viewers_are_counted),
        cmocka_unit_test(mutated_requests_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
