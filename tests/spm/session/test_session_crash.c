/* The session file and everything that can happen to its writer. A session is continued from a copy
 * of an empty one in a child process, which ends, or is hindered, at some call that reaches the
 * disk; what it was answered is kept in shared memory. */
#define _DEFAULT_SOURCE
#include "support/disk.h"
#include "support/session_sim.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/os.h"
#include "support/io_support.h"

/* Shared by the child and its parent: puts that were answered, and those that were durable then. */
typedef struct board {
    volatile int answered, durable;
    volatile long calls;
} board;

static board *shared_board(void)
{
    board *b = mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(b != MAP_FAILED);
    *b = (board){0};
    return b;
}

/* test_temp's buffers come round again. */
static const char *temp(char *buf, const char *name)
{
    return strcpy(buf, test_temp(name));
}

/* An empty session, as create leaves it before its first put. */
static uint8_t *empty_session(size_t *len)
{
    char path_buf[1024];
    const char *path = temp(path_buf, "empty.h5");
    reshed_error err = {0};
    rs_session *s = NULL;
    sim_remove(path);
    assert_ok(rs_session_create(path, sim_setup(), 1, &s, &err), &err);
    rs_fail(&err, RESHED_ETIMEOUT, "later");
    assert_int_equal(rs_session_finish(s, RESHED_ETIMEOUT, &err), RESHED_ETIMEOUT);
    return test_read_file(path, len);
}

/* Puts [from, end) and finishes. */
static void put_all(rs_session *s, int from, int sync_every, board *b)
{
    static sim_model m;
    reshed_error err = {0};
    int waiting = 0;
    sim_after(&m, from);
    for (int k = from; k < sim_puts(); k++) {
        assert_ok(sim_put(&m, s, k, &err), &err);
        b->answered = k + 1;
        if (!sim_is_durable(k)) continue;
        waiting = waiting + 1 >= sync_every ? 0 : waiting + 1;
        if (!waiting) b->durable = k + 1;
    }
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    b->durable = b->answered = sim_puts();
    b->calls = disk_calls();
}

/* The last durable put among the first n that were answered, plus one. */
static int last_durable(int n)
{
    while (n > 0 && !sim_is_durable(n - 1)) n--;
    return n;
}

/* Continues a copy of `empty` in a child; whether that died. */
static bool run_child(const char *path, const uint8_t *empty, size_t len, int sync_every, long n,
                      disk_fault fault, board *b)
{
    int status = 0;
    sim_remove(path);
    test_write_file(path, empty, len);
    *b = (board){0};
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        reshed_error err = {0};
        rs_session *s = NULL;
        disk_fail_at(n, fault, test_seed() + (uint64_t)n);
        assert_ok(rs_session_resume(path, sync_every, &s, &err), &err);
        put_all(s, 0, sync_every, b);
        _exit(0);
    }
    while (waitpid(pid, &status, 0) < 0) continue;
    if (!WIFEXITED(status) || (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != DISK_EXIT))
        fail_msg("the child at call %ld ended with status %x", n, (unsigned)status);
    return WEXITSTATUS(status) == DISK_EXIT;
}

/* Returns whether HDF5's marks say that no program writes the file. */
static bool is_unmarked(const char *path)
{
    uint8_t head[12];
    size_t got;
    assert_ok(rs_os_read_head(path, head, sizeof head, &got, NULL), NULL);
    return got == sizeof head && head[11] == 0;
}

/* Opens what a crash left, finds at least `least` puts in it, goes on to the end, and compares. */
static void check_survival(const char *path, int least, long n)
{
    reshed_error err = {0};
    rs_session *s = NULL;
    board b = {0};
    assert_ok(rs_session_open(path, &s, &err), &err);
    int found = sim_find(s, least);
    if (found < 0) fail_msg("call %ld: the session is not one of %d or more puts", n, least);
    rs_session_progress p;
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    rs_session_finish(s, RESHED_OK, NULL);
    assert_true(is_unmarked(path));
    if (!p.complete) {
        assert_ok(rs_session_resume(path, 1, &s, &err), &err);
        assert_int_equal(sim_find(s, found), found);
        put_all(s, found, 1, &b);
    }
    assert_ok(rs_session_open(path, &s, &err), &err);
    assert_int_equal(sim_find(s, sim_puts()), sim_puts());
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    assert_true(p.complete && !p.live);
    rs_session_finish(s, RESHED_OK, NULL);
}

/* Opens what a crash left in a child that dies as well, at its n-th call. */
static void die_opening(const char *path, long n, disk_fault fault)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        reshed_error err = {0};
        rs_session *s = NULL;
        disk_fail_at(n, fault, (uint64_t)n);
        _exit(rs_session_open(path, &s, &err) == RESHED_OK ? 0 : 1);
    }
    while (waitpid(pid, &status, 0) < 0) continue;
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == DISK_EXIT);
}

/* A death at every call, or at every `stride`-th and the last. */
static void every_death(disk_fault fault, int sync_every, long stride)
{
    char path_buf[1024];
    const char *path = temp(path_buf, "crash.h5");
    size_t len;
    uint8_t *empty = empty_session(&len);
    board *b = shared_board();
    assert_false(run_child(path, empty, len, sync_every, -1, DISK_FINE, b));
    long calls = b->calls, tried = 0;
    assert_true(calls > sim_puts());
    for (long n = 0; n < calls; n += test_tier(20 * stride, stride, 1), tried++) {
        assert_true(run_child(path, empty, len, sync_every, n, fault, b));
        int least = fault == DISK_POWER_FAILS ? b->durable : last_durable(b->answered);
        die_opening(path, n / stride % 40, fault);
        check_survival(path, least, n);
    }
    printf("# died at %ld of %ld calls (fault %d, sync every %d)\n", tried, calls, (int)fault,
           sync_every);
    munmap(b, sizeof *b);
    rs_free(empty);
}

static void no_line_is_lost_when_the_program_dies(void **state)
{
    (void)state;
    every_death(DISK_DIE, 1, 37);
    every_death(DISK_DIE_HALF, 1, 41);
    every_death(DISK_DIE_HALF, 5, 71);
}

static void no_line_is_lost_when_the_power_fails(void **state)
{
    (void)state;
    every_death(DISK_POWER_FAILS, 1, 43);
    every_death(DISK_POWER_FAILS, 5, 83);
}

/* ------------------------------------------------------------------------------------- creation */
/* While a session is made there is none, or a whole one. */
static void creation_is_all_or_nothing(void **state)
{
    (void)state;
    char path_buf[1024];
    const char *path = temp(path_buf, "created.h5");
    board *b = shared_board();
    for (long n = 0;; n += test_tier(470, 47, 1)) {
        int status = 0;
        sim_remove(path);
        fflush(NULL);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            reshed_error err = {0};
            rs_session *s = NULL;
            disk_fail_at(n, DISK_DIE_HALF, 0);
            assert_ok(rs_session_create(path, sim_setup(), 1, &s, &err), &err);
            put_all(s, 0, 1, b);
            _exit(0);
        }
        while (waitpid(pid, &status, 0) < 0) continue;
        if (rs_os_is_file(path)) {
            check_survival(path, last_durable(b->answered), n);
            if (b->answered > 0) break; /* the rest is what every_death does */
        }
        assert_int_equal(WEXITSTATUS(status), DISK_EXIT);
    }
    munmap(b, sizeof *b);
}

/* -------------------------------------------------------------------------------------- kill -9 */
static void no_line_is_lost_to_kill_9(void **state)
{
    (void)state;
    char path_buf[1024];
    const char *path = temp(path_buf, "killed.h5");
    size_t len;
    uint8_t *empty = empty_session(&len);
    board *b = shared_board();
    test_rng rng = {test_seed()};
    int killed = 0, times = (int)test_tier(1, 12, 500);
    for (int i = 0; i < times; i++) {
        int status = 0, sync_every = i % 3 ? 1 : 4;
        sim_remove(path);
        test_write_file(path, empty, len);
        *b = (board){0};
        fflush(NULL);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            reshed_error err = {0};
            rs_session *s = NULL;
            assert_ok(rs_session_resume(path, sync_every, &s, &err), &err);
            put_all(s, 0, sync_every, b);
            _exit(0);
        }
        /* Wait for some put, then a little. */
        int put = (int)test_below(&rng, (uint64_t)sim_puts());
        while (b->answered < put && waitpid(pid, &status, WNOHANG) == 0) usleep(20);
        usleep((useconds_t)test_below(&rng, 300));
        kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && rs_os_is_locked(path)) continue;
        killed += b->answered < sim_puts();
        check_survival(path, last_durable(b->answered), i);
    }
    printf("# %d of %d killed before their end\n", killed, times);
    munmap(b, sizeof *b);
    rs_free(empty);
}

/* ------------------------------------------------------------------------------------ full disk */
/* Asserts that another program finds `least` to `most` puts in a copy of the files as they are. */
static void check_copy(const char *path, int least, int most, long n)
{
    char copy_buf[1024];
    const char *copy = temp(copy_buf, "copy.h5");
    char from[4096], to[4096];
    reshed_error err = {0};
    rs_session *s = NULL;
    size_t len;
    sim_remove(copy);
    for (int i = 0; i < 2; i++) {
        snprintf(from, sizeof from, "%s%s", path, i ? ".journal" : "");
        snprintf(to, sizeof to, "%s%s", copy, i ? ".journal" : "");
        if (!rs_os_is_file(from)) continue;
        uint8_t *data = test_read_file(from, &len);
        test_write_file(to, data, len);
        rs_free(data);
    }
    assert_ok(rs_session_open(copy, &s, &err), &err);
    int found = sim_find(s, least);
    if (found < 0 || found > most)
        fail_msg("full at call %ld: %d puts found, %d to %d expected", n, found, least, most);
    rs_session_finish(s, RESHED_OK, NULL);
}

static void fill_disk(const char *path, long n)
{
    static sim_model m;
    reshed_error err = {0};
    rs_session *s = NULL;
    assert_ok(rs_session_resume(path, 1, &s, &err), &err);
    sim_after(&m, 0);
    disk_fail_at(n, DISK_FULL, 0);
    int durable = 0;
    for (int k = 0; k < sim_puts(); k++) {
        static sim_model before;
        before = m;
        reshed_status st = sim_put(&m, s, k, &err);
        if (st != RESHED_OK) {
            assert_error(st, RESHED_EIO, &err, "No space left");
            /* Nothing more is taken while the disk is full. */
            st = n % 2 ? sim_put(&before, s, k, &err) : rs_session_commit(s, &err);
            assert_error(st, RESHED_EIO, &err, "No space left");
            disk_fail_at(0, DISK_FINE, 0);
            check_copy(path, durable, k + 1, n);
            assert_ok(rs_session_commit(s, &err), &err);
            check_copy(path, k + 1, k + 1, n);
        }
        if (sim_is_durable(k)) durable = k + 1;
    }
    disk_fail_at(0, DISK_FINE, 0);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    assert_ok(rs_session_open(path, &s, &err), &err);
    assert_int_equal(sim_find(s, sim_puts()), sim_puts());
    rs_session_finish(s, RESHED_OK, NULL);
}

static void waits_for_space_on_the_disk(void **state)
{
    (void)state;
    char path_buf[1024];
    const char *path = temp(path_buf, "full.h5");
    size_t len;
    uint8_t *empty = empty_session(&len);
    board *b = shared_board();
    assert_false(run_child(path, empty, len, 1, -1, DISK_FINE, b));
    for (long n = 0; n < b->calls; n += test_tier(470, 47, 1)) {
        sim_remove(path);
        test_write_file(path, empty, len);
        fill_disk(path, n);
    }
    munmap(b, sizeof *b);
    rs_free(empty);
}

/* A finish on a full disk fails, and leaves what can be resumed. */
static void finish_on_a_full_disk(void **state)
{
    (void)state;
    char path_buf[1024];
    const char *path = temp(path_buf, "unfinished.h5");
    size_t len;
    uint8_t *empty = empty_session(&len);
    static sim_model m;
    for (long n = 0;; n++) {
        reshed_error err = {0};
        rs_session *s = NULL;
        sim_remove(path);
        test_write_file(path, empty, len);
        assert_ok(rs_session_resume(path, 1, &s, &err), &err);
        sim_after(&m, 0);
        for (int k = 0; k < 10; k++) assert_ok(sim_put(&m, s, k, &err), &err);
        disk_fail_at(n, DISK_FULL, 0);
        reshed_status st = rs_session_finish(s, RESHED_OK, &err);
        disk_fail_at(0, DISK_FINE, 0);
        s = NULL;
        rs_session_progress p;
        assert_ok(rs_session_open(path, &s, &err), &err);
        assert_int_equal(sim_find(s, 10), 10);
        assert_ok(rs_session_get_progress(s, &p, &err), &err);
        rs_session_finish(s, RESHED_OK, NULL);
        if (st == RESHED_OK) {
            assert_true(p.complete && n > 3);
            break;
        }
        assert_error(st, RESHED_EIO, &err, "No space left");
    }
    rs_free(empty);
}

/* A session that cannot be opened for writing stays what it was; one that cannot be made is not
 * there. */
static void opening_on_a_full_disk(void **state)
{
    (void)state;
    char path_buf[1024], journal[1100];
    const char *path = temp(path_buf, "unopened.h5");
    snprintf(journal, sizeof journal, "%s.journal", path);
    size_t len;
    uint8_t *empty = empty_session(&len);
    reshed_status st;
    reshed_error err = {0};
    long n = 0;
    do {
        rs_session *s = NULL;
        sim_remove(path);
        test_write_file(path, empty, len);
        disk_fail_at(n, DISK_FULL, 0);
        st = rs_session_resume(path, 1, &s, &err);
        disk_fail_at(0, DISK_FINE, 0);
        if (st == RESHED_OK) {
            rs_session_finish(s, RESHED_ETIMEOUT, NULL);
        } else {
            assert_error(st, RESHED_EIO, &err, "No space left");
            assert_null(s);
        }
        check_survival(path, 0, n);
        n += test_tier(5, 1, 1);
    } while (st != RESHED_OK);
    assert_true(n > 3);
    n = 0;
    const int others = files_beside(path, ".tmp"); /* of programs that died */
    do {
        rs_session *s = NULL;
        sim_remove(path);
        disk_fail_at(n, DISK_FULL, 0);
        st = rs_session_create(path, sim_setup(), 1, &s, &err);
        disk_fail_at(0, DISK_FINE, 0);
        if (st != RESHED_OK) {
            assert_error(st, RESHED_EIO, &err, "No space left");
            assert_true(s == NULL && !rs_os_is_file(path) && !rs_os_is_file(journal));
        } else {
            assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
        }
        n += test_tier(70, 7, 1);
    } while (st != RESHED_OK);
    assert_int_equal(files_beside(path, ".tmp"), others);
    rs_free(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_line_is_lost_when_the_program_dies),
        cmocka_unit_test(no_line_is_lost_when_the_power_fails),
        cmocka_unit_test(creation_is_all_or_nothing),
        cmocka_unit_test(no_line_is_lost_to_kill_9),
        cmocka_unit_test(waits_for_space_on_the_disk),
        cmocka_unit_test(finish_on_a_full_disk),
        cmocka_unit_test(opening_on_a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
