/* TCP connections: every call ends in time, and a peer that goes is an error, not a signal. */
#define _POSIX_C_SOURCE 200809L
#include "support/support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/os.h"
#include "base/os/socket.h"

#define LATER (rs_os_monotonic() + 60)

static int listener = -1, peer = -1, port;
static rs_socket *s;
static reshed_error err;

static int setup(void **state)
{
    (void)state;
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s = NULL;
    peer = -1;
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&a, sizeof a) != 0 ||
        listen(listener, 1) != 0 || getsockname(listener, (struct sockaddr *)&a, &n) != 0)
        return -1;
    port = ntohs(a.sin_port);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rs_socket_close(s);
    if (peer >= 0) close(peer);
    if (listener >= 0) close(listener);
    return 0;
}

static void connected(void)
{
    assert_ok(rs_socket_connect("127.0.0.1", port, LATER, &s, &err), &err);
    peer = accept(listener, NULL, NULL);
    assert_true(peer >= 0);
}

static void bytes_come_in_pieces(void **state)
{
    (void)state;
    char buf[8] = "";
    size_t got = 0;
    connected();
    assert_ok(rs_socket_send(s, "hello", 5, LATER, &err), &err);
    assert_int_equal(recv(peer, buf, 5, MSG_WAITALL), 5);
    assert_memory_equal(buf, "hello", 5);
    /* Two bytes of five: the call ends, keeps them, and goes on later. */
    assert_int_equal(send(peer, "wo", 2, 0), 2);
    assert_int_equal(rs_socket_receive(s, buf, 5, &got, rs_os_monotonic() + 0.05, &err),
                     RESHED_ETIMEOUT);
    assert_int_equal(got, 2);
    assert_int_equal(send(peer, "rldX", 4, 0), 4);
    assert_ok(rs_socket_receive(s, buf, 5, &got, LATER, &err), &err);
    assert_int_equal(got, 5);
    assert_memory_equal(buf, "world", 5); /* and not a byte more */
    got = 0;
    /* What is there already is taken even after the deadline. */
    assert_ok(rs_socket_receive(s, buf, 1, &got, 0, &err), &err);
    assert_int_equal(buf[0], 'X');
}

static void a_peer_that_does_not_read(void **state)
{
    (void)state;
    const size_t n = (size_t)64 << 20;
    char *big = calloc(n, 1);
    assert_non_null(big);
    connected();
    reshed_status st = rs_socket_send(s, big, n, rs_os_monotonic() + 0.1, &err);
    free(big);
    assert_int_equal(st, RESHED_ETIMEOUT);
}

static void a_peer_that_goes(void **state)
{
    (void)state;
    char buf[8];
    size_t got = 0;
    connected();
    assert_int_equal(send(peer, "abc", 3, 0), 3);
    close(peer);
    peer = -1;
    assert_int_equal(rs_socket_receive(s, buf, 8, &got, LATER, &err), RESHED_EIO);
    assert_int_equal(got, 3);
    reshed_status st = RESHED_OK; /* would be SIGPIPE, which ends the program */
    for (int i = 0; i < 1000 && st == RESHED_OK; i++) {
        st = rs_socket_send(s, "abc", 3, LATER, &err);
        rs_socket_pause(0.001);
    }
    assert_int_equal(st, RESHED_EIO);
}

static void nobody_there(void **state)
{
    (void)state;
    rs_socket *t = NULL;
    close(listener);
    listener = -1;
    assert_int_equal(rs_socket_connect("127.0.0.1", port, LATER, &t, &err), RESHED_EIO);
    assert_int_equal(rs_socket_connect("127.0.0.1", 0, LATER, &t, &err), RESHED_EINVAL);
    assert_int_equal(rs_socket_connect("127.0.0.1", 65536, LATER, &t, &err), RESHED_EINVAL);
    assert_null(t);
    test_alloc_fail_at(0);
    reshed_status st = rs_socket_connect("127.0.0.1", port, LATER, &t, &err);
    test_alloc_fail_at(-1);
    assert_int_equal(st, RESHED_ENOMEM);
    rs_socket_close(NULL);
}

static volatile sig_atomic_t alarms;

static void on_alarm(int signal)
{
    (void)signal;
    alarms++;
    if (alarms == 20 && send(peer, "x", 1, MSG_NOSIGNAL) != 1) abort();
}

/* Signals arrive all the time while it waits; the bytes only with the twentieth. */
static void signals_do_not_end_a_wait(void **state)
{
    (void)state;
    struct sigaction a = {.sa_handler = on_alarm}, old; /* without SA_RESTART */
    struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    char c = 0;
    size_t got = 0;
    connected();
    alarms = 0;
    assert_int_equal(sigaction(SIGALRM, &a, &old), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    reshed_status st = rs_socket_receive(s, &c, 1, &got, LATER, &err);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &old, NULL);
    assert_ok(st, &err);
    assert_int_equal(c, 'x');
    assert_true(alarms >= 20);
}

#define T_(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T_(bytes_come_in_pieces), T_(a_peer_that_does_not_read), T_(a_peer_that_goes),
        T_(nobody_there),         T_(signals_do_not_end_a_wait),
    };
    return cmocka_run_group_tests_name("sockets", tests, NULL, NULL);
}
