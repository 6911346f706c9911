#define _POSIX_C_SOURCE 200809L /* setenv, strdup */
/* reshed-scan --live as a program: steered by requests, watched by viewers who do not read, left by who steered. */
#include "support/support.h"
#include "support/scan_program.h"
#include "support/session_sim.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/os.h"
#include "base/os/socket.h"

#define PATIENCE 60.0
#define LIVE TWIN20 QUICK "--live --report none "

/* Where it serves. */
typedef struct page {
    int port;
    char steer[40], watch[40];
} page;

static bool take_url(const char *text, const char *name, int *port, char token[40])
{
    const char *at = strstr(text, name);
    return at && strchr(at, '\n') &&
           sscanf(at + strlen(name), " http://127.0.0.1:%d/?token=%32[0-9a-f]", port, token) == 2;
}

static page find_page(void)
{
    page p = {0};
    char text[4096], path[1024];
    const double until = rs_os_monotonic() + PATIENCE;
    scan_temp(path, "err");
    while (rs_os_monotonic() < until) {
        text[0] = '\0';
        if (rs_os_is_file(path)) read_text(path, text, sizeof text);
        if (take_url(text, "steer:", &p.port, p.steer) &&
            take_url(text, "watch:", &p.port, p.watch))
            return p;
        rs_os_sleep(0.02);
    }
    fail_msg("no address: %s", text);
    return p;
}

static rs_socket *send_request(const page *p, const char *request)
{
    rs_socket *s = NULL;
    const double deadline = rs_os_monotonic() + PATIENCE;
    if (rs_socket_connect("127.0.0.1", p->port, deadline, &s, NULL) != RESHED_OK) return NULL;
    rs_socket_send(s, request, strlen(request), deadline, NULL);
    return s;
}

/* The answer to a request, "" where nobody is there; static. */
static const char *ask(const page *p, const char *request)
{
    static char reply[1 << 17];
    size_t got = 0;
    rs_socket *s = send_request(p, request);
    if (s) rs_socket_receive(s, reply, sizeof reply - 1, &got, rs_os_monotonic() + PATIENCE, NULL);
    rs_socket_close(s);
    reply[got] = '\0';
    return reply;
}

static const char *get_state(const page *p)
{
    char text[512];
    snprintf(text, sizeof text,
             "GET /api/state?token=%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n",
             p->watch, p->port);
    return ask(p, text);
}

static const char *order(const page *p, const char *body)
{
    char text[1024];
    snprintf(
        text, sizeof text,
        "POST /api/action HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\nX-Reshed-Token: "
        "%s\r\n"
        "X-Reshed-Viewer: me\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
        p->port, p->steer, strlen(body), body);
    return ask(p, text);
}

static void wait_for(const page *p, const char *part)
{
    const double until = rs_os_monotonic() + PATIENCE;
    while (!strstr(get_state(p), part)) {
        if (rs_os_monotonic() > until) fail_msg("never: %s", part);
        rs_os_sleep(0.02);
    }
}

static void wait_for_row(const page *p, int row)
{
    const double until = rs_os_monotonic() + PATIENCE;
    for (int now = -1; now < row; rs_os_sleep(0.02)) {
        const char *at = strstr(get_state(p), "\"scan\": {\"row\": ");
        if (at) now = atoi(at + 16);
        if (rs_os_monotonic() > until) fail_msg("never row %d", row);
    }
}

static rs_socket *open_stream(const page *p)
{
    char text[512];
    snprintf(text, sizeof text,
             "GET /api/events?token=%s&viewer=me HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", p->steer,
             p->port);
    return send_request(p, text);
}

static pid_t start(const char *more, const char *session)
{
    char args[4096];
    test_write_file(test_temp("err"), "", 0);
    snprintf(args, sizeof args, "%s%s -o %s", LIVE, more, test_temp(session));
    return scan_start(args);
}

/* Whoever paused it is gone: the run ends with the instrument halted, and can go on. */
static void a_pause_is_not_for_ever(void **state)
{
    (void)state;
    test_not_quick();
    const pid_t pid = start("--set voltage=0 --live-wait 0.5", "paused.h5");
    const page p = find_page();
    rs_socket *stream = open_stream(&p);
    wait_for_row(&p, 3);
    order(&p, "{\"id\": \"1\", \"action\": \"pause\"}");
    rs_socket_close(stream);
    const int status = scan_wait(pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    char path[1024];
    assert_true(session_has_event(scan_temp(path, "paused.h5"), "halted: bias 0 V, drive off"));
    const rs_session_progress g = scan_progress(path);
    assert_true(!g.complete && g.lines > 3 && g.lines < 64);
}

/* In every phase: while lines come, while they come again, in a pause, while points wait for a yes, while loops
 * are measured. */
static void stop_halts(void **state)
{
    static const struct {
        const char *more;
        const char *first, *until; /* an order before, and what the state says then; NULL: none */
    } at[] = {
        {"", NULL, NULL},
        {"", "{\"id\": \"0\", \"action\": \"rescan_from\", \"row\": 1}", NULL},
        {"", "{\"id\": \"0\", \"action\": \"pause\"}", "\"paused\": true"},
        {" --confirm", NULL, "\"phase\": \"confirm\""},
        {" --set cycles=16", NULL, "\"phase\": \"loops\""},
    };
    (void)state;
    test_not_quick();
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        char path[1024], name[32];
        snprintf(name, sizeof name, "stopped%zu.h5", i);
        const pid_t pid = start(at[i].more, name);
        const page p = find_page();
        wait_for_row(&p, 2);
        if (at[i].first) assert_non_null(strstr(order(&p, at[i].first), "\"id\": \"0\""));
        if (at[i].until) wait_for(&p, at[i].until);
        order(&p, "{\"id\": \"1\", \"action\": \"stop\"}");
        const int status = scan_wait(pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
        scan_temp(path, name);
        assert_true(session_has_event(path, "halted: bias 0 V, drive off"));
        assert_false(scan_progress(path).complete);
    }
}

/* Points are changed and confirmed on the page, beside viewers who open the stream and never read; who steers leaves
 * while loops are measured. No line is lost, and the run ends as it should. */
static void points_wait_on_the_page(void **state)
{
    enum { LAZY = 8 };
    (void)state;
    test_not_quick();
    rs_socket *lazy[LAZY];
    char path[1024];
    const pid_t pid = start("--confirm --set min_distance=0", "confirm.h5");
    const page p = find_page();
    rs_socket *stream = open_stream(&p);
    for (int i = 0; i < LAZY; i++) lazy[i] = open_stream(&p);
    wait_for(&p, "\"phase\": \"confirm\"");
    assert_non_null(
        strstr(order(&p, "{\"id\": \"1\", \"action\": \"points\", \"edit\": \"thin\", \"keep\": 2, "
                         "\"number\": 1000000}"),
               "2 points now"));
    assert_non_null(
        strstr(order(&p, "{\"id\": \"2\", \"action\": \"points\", \"edit\": \"remove\", "
                         "\"index\": [0], \"number\": 1}"),
               "changed since"));
    assert_non_null(
        strstr(order(&p, "{\"id\": \"3\", \"action\": \"confirm\", \"yes\": true, \"number\": 1}"),
               "changed since"));
    assert_non_null(strstr(order(&p, "{\"id\": \"4\", \"action\": \"confirm\", \"yes\": true, "
                                     "\"number\": 1000000}"),
                           "are measured"));
    rs_socket_close(stream);
    const int status = scan_wait(pid);
    for (int i = 0; i < LAZY; i++) rs_socket_close(lazy[i]);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    const rs_session_progress g = scan_progress(scan_temp(path, "confirm.h5"));
    assert_true(g.complete && g.lines == 64 && g.lost == 0 && g.points == 2 && g.measured == 2);
    assert_true(session_has_event(path, "viewer me: confirm: 2 points are measured"));
}

/* An instrument that does not answer, and then is gone: who watches is told the end. */
static void a_start_that_fails_is_told(void **state)
{
    (void)state;
    test_not_quick();
    static char reply[1 << 16];
    reshed_error err = {0};
    char args[4096];
    int fd = -1, port = 0;
    size_t got = 0, n;
    assert_ok(rs_socket_listen("127.0.0.1", 0, &fd, &port, &err), &err);
    test_write_file(test_temp("err"), "", 0);
    snprintf(args, sizeof args,
             QUICK "--live --report none --driver nanonis -d host=127.0.0.1 -d port=%d -o %s", port,
             test_temp("never.h5"));
    const pid_t pid = scan_start(args);
    const page p = find_page();
    rs_socket *s = open_stream(&p);
    const double until = rs_os_monotonic() + PATIENCE;
    do {
        n = got;
        rs_socket_receive(s, reply, got + 1, &got, until, &err);
        reply[got] = '\0';
    } while (got > n && !strstr(reply, "event: seen"));
    rs_socket_unlisten(fd);
    rs_socket_receive(s, reply, sizeof reply - 1, &got, until, NULL);
    reply[got] = '\0';
    rs_socket_close(s);
    const int status = scan_wait(pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    assert_non_null(strstr(reply, "event: end"));
    assert_non_null(strstr(reply, "\"phase\": \"failed\""));
}

/* A browser that stays in the foreground holds nothing up, and no argument has the token. */
static void the_browser_is_opened_beside_the_scan(void **state)
{
    (void)state;
    test_not_quick();
    static const char browser[] = "#!/bin/sh\n"
                                  "dir=${0%/*}\n"
                                  "cat \"$1\" > \"$dir/opened\"\n"
                                  "ls -ld \"${1%/*}\" > \"$dir/folder\"\n"
                                  "echo \"$*\" > \"$dir/words\"\n"
                                  "while [ -e \"$dir/words\" ]; do sleep 0.2; done\n";
    char path[1024], text[4096], *old = getenv("PATH");
    scan_temp(path, "xdg-open");
    test_write_file(path, browser, sizeof browser - 1);
    assert_int_equal(chmod(path, 0700), 0);
    *strrchr(path, '/') = '\0';
    snprintf(text, sizeof text, "%s:%s", path, old);
    char *kept = strdup(old);
    setenv("PATH", text, 1);
    const pid_t pid = start("--open", "opened.h5");
    setenv("PATH", kept, 1);
    free(kept);
    const page p = find_page();
    wait_for_row(&p, 2); /* while the browser is there */
    const double until = rs_os_monotonic() + PATIENCE;
    scan_temp(path, "words");
    while (!rs_os_is_file(path) && rs_os_monotonic() < until) rs_os_sleep(0.02);
    read_text(path, text, sizeof text);
    assert_null(strstr(text, p.steer));
    read_text(test_temp("opened"), text, sizeof text);
    assert_non_null(strstr(text, p.steer));
    read_text(test_temp("folder"), text, sizeof text);
    assert_int_equal(strncmp(text, "drwx------", 10), 0);
    remove(path);
    order(&p, "{\"id\": \"1\", \"action\": \"stop\"}");
    const int status = scan_wait(pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

static void without_live_nothing_is_served(void **state)
{
    (void)state;
    char text[4096];
    const outcome *o = run_program("reshed-scan", "--open --driver twin -o x.h5");
    assert_int_equal(o->status, 2);
    o = run_program("reshed-scan", "--driver twin -o x.h5 --live=host:99999");
    assert_int_equal(o->status, 2);
    o = run_program("reshed-view", "");
    assert_int_equal(o->status, 2);
    snprintf(text, sizeof text, "%s", test_temp("none.h5"));
    o = run_program("reshed-view", text);
    assert_int_equal(o->status, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_is_not_for_ever),
        cmocka_unit_test(stop_halts),
        cmocka_unit_test(points_wait_on_the_page),
        cmocka_unit_test(a_start_that_fails_is_told),
        cmocka_unit_test(the_browser_is_opened_beside_the_scan),
        cmocka_unit_test(without_live_nothing_is_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
