/* The redo journal: random changes of a file, ended or hindered at every call that reaches the
 * disk. */
#define _DEFAULT_SOURCE
#include "support/disk.h"
#include "support/support.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/hdf5/journal.h"

#define ROOM 4096
#define STEPS 24
#define LONGEST 3000 /* the journal is cut back several times */

typedef struct content {
    size_t n;
    uint8_t b[ROOM];
} content;

static rs_journal_id identity(void)
{
    rs_journal_id id = {.offset = 0};
    for (int i = 0; i < 32; i++) id.bytes[i] = (uint8_t)(7 * i + 1);
    return id;
}

/* The file before the first step. */
static content start_content(void)
{
    content c = {.n = 600};
    rs_journal_id id = identity();
    for (size_t i = 0; i < c.n; i++) c.b[i] = (uint8_t)i;
    memcpy(c.b, id.bytes, sizeof id.bytes);
    return c;
}

/* The changes of step k, to the model and, if there is one, to the journal. */
static void do_step(uint64_t seed, int k, content *c, rs_journal *j)
{
    test_rng r = {seed * 1000 + (uint64_t)k};
    int changes = 1 + (int)test_below(&r, 5);
    for (int i = 0; i < changes; i++) {
        uint8_t data[400];
        size_t at = 32 + (size_t)test_below(&r, ROOM - 32 - sizeof data);
        if (test_below(&r, 8) == 0) {
            if (j) assert_true(rs_journal_resize(j, at));
            if (at > c->n) memset(c->b + c->n, 0, at - c->n);
            c->n = at;
            continue;
        }
        size_t n = (size_t)test_below(&r, sizeof data + 1);
        for (size_t b = 0; b < n; b++) data[b] = (uint8_t)test_rand(&r);
        if (j) assert_true(rs_journal_write(j, at, data, n));
        if (n && at > c->n) memset(c->b + c->n, 0, at - c->n);
        memcpy(c->b + at, data, n);
        if (n && at + n > c->n) c->n = at + n;
    }
}

static content content_after(uint64_t seed, int steps)
{
    content c = start_content();
    for (int k = 0; k < steps; k++) do_step(seed, k, &c, NULL);
    return c;
}

static bool file_is(const char *path, const content *c)
{
    static uint8_t b[2 * ROOM];
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t len = fread(b, 1, sizeof b, f);
    fclose(f);
    return len == c->n && memcmp(b, c->b, len) == 0;
}

static void make_file(const char *path, const char *journal)
{
    content c = start_content();
    test_write_file(path, c.b, c.n);
    unlink(journal);
}

/* The message of the child to its parent. */
typedef struct board {
    volatile int done, synced; /* steps */
} board;

static rs_journal_sync when(int k)
{
    return k % 5 == 4 ? RS_JOURNAL_NOW : k % 3 == 1 ? RS_JOURNAL_LATER : RS_JOURNAL_NTH;
}

/* All steps, with commits that must not fail. */
static void run_steps(const char *path, const char *journal, uint64_t seed, int every, board *b)
{
    reshed_error err = {0};
    rs_os_file *f = NULL;
    rs_journal *j = NULL;
    rs_journal_id id = identity();
    uint64_t size;
    content c = start_content();
    assert_ok(rs_os_open(path, RS_OS_UPDATE, &f, &size, &err), &err);
    assert_ok(rs_journal_create(journal, f, size, every, LONGEST, &j, &err), &err);
    rs_journal_identify(j, &id);
    int waiting = 0;
    for (int k = 0; k < STEPS; k++) {
        do_step(seed, k, &c, j);
        assert_ok(rs_journal_commit(j, when(k), &err), &err);
        waiting++;
        if (when(k) == RS_JOURNAL_NOW || (when(k) == RS_JOURNAL_NTH && waiting >= every))
            waiting = 0;
        b->done = k + 1;
        if (!waiting) b->synced = k + 1;
    }
    assert_ok(rs_journal_commit(j, RS_JOURNAL_NOW, &err), &err);
    assert_ok(rs_journal_close(j, &err), &err);
    rs_os_close(f);
}

/* Runs in a child that ends at call n; false when it came to its end. */
static bool dies_at(const char *path, const char *journal, uint64_t seed, int every, long n,
                    disk_fault fault, board *b)
{
    int status = 0;
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        disk_fail_at(n, fault, seed + (uint64_t)n);
        run_steps(path, journal, seed, every, b);
        _exit(0);
    }
    while (waitpid(pid, &status, 0) < 0) continue;
    assert_true(WIFEXITED(status) &&
                (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == DISK_EXIT));
    return WEXITSTATUS(status) == DISK_EXIT;
}

static void recover(const char *path, const char *journal)
{
    reshed_error err = {0};
    rs_os_file *f = NULL;
    assert_ok(rs_os_open(path, RS_OS_UPDATE, &f, NULL, &err), &err);
    assert_ok(rs_journal_recover(journal, f, NULL, NULL, &err), &err);
    rs_os_close(f);
    assert_false(rs_os_is_file(journal));
}

static void every_death(disk_fault fault, int every)
{
    const char *path = test_temp("journal.bin"), *journal = test_temp("journal.bin.journal");
    board *b = mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(b != MAP_FAILED);
    int seeds = test_long() ? 20 : 1;
    for (uint64_t seed = test_seed(); seed < test_seed() + (uint64_t)seeds; seed++)
        for (long n = 0;; n += test_tier(7, 1, 1)) {
            make_file(path, journal);
            *b = (board){0};
            bool died = dies_at(path, journal, seed, every, n, fault, b);
            int least = fault == DISK_POWER_FAILS ? b->synced : b->done;
            recover(path, journal);
            bool found = false;
            /* A step that was not answered may be there too, and with it none after. */
            for (int k = least; !found && k <= b->done + 1 && k <= STEPS; k++) {
                content c = content_after(seed, k);
                found = file_is(path, &c);
            }
            if (!found)
                fail_msg("seed %llu, call %ld: not the file after %d or more steps",
                         (unsigned long long)seed, n, least);
            if (!died) {
                assert_int_equal(b->done, STEPS);
                assert_true(n > STEPS);
                break;
            }
        }
    munmap(b, sizeof *b);
}

static void survives_death_at_every_call(void **state)
{
    (void)state;
    every_death(DISK_DIE, 1);
    every_death(DISK_DIE_HALF, 1);
    every_death(DISK_DIE, 4);
}

static void survives_power_failure_at_every_call(void **state)
{
    (void)state;
    every_death(DISK_POWER_FAILS, 1);
    every_death(DISK_POWER_FAILS, 4);
}

/* A second crash, during the repair, changes nothing. */
static void repair_may_be_interrupted(void **state)
{
    (void)state;
    test_not_quick();
    const char *path = test_temp("twice.bin"), *journal = test_temp("twice.bin.journal");
    board *b = mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(b != MAP_FAILED);
    for (long n = 20; n < 40; n += 3)
        for (long m = 0;; m++) {
            int status = 0;
            make_file(path, journal);
            *b = (board){0};
            assert_true(dies_at(path, journal, 5, 1, n, DISK_DIE_HALF, b));
            fflush(NULL);
            pid_t pid = fork();
            if (pid == 0) {
                disk_fail_at(m, m % 2 ? DISK_POWER_FAILS : DISK_DIE_HALF, (uint64_t)m);
                recover(path, journal);
                _exit(0);
            }
            while (waitpid(pid, &status, 0) < 0) continue;
            recover(path, journal);
            content a = content_after(5, b->done), c = content_after(5, b->done + 1);
            assert_true(file_is(path, &a) || file_is(path, &c));
            if (WEXITSTATUS(status) == 0) break;
        }
    munmap(b, sizeof *b);
}

/* The disk fills up at call n and is freed again `later` steps on. */
static void fill_disk(const char *path, const char *journal, long n, int every)
{
    reshed_error err = {0};
    rs_os_file *f = NULL;
    rs_journal *j = NULL;
    rs_journal_id id = identity();
    uint64_t size;
    content c = start_content();
    make_file(path, journal);
    assert_ok(rs_os_open(path, RS_OS_UPDATE, &f, &size, &err), &err);
    assert_ok(rs_journal_create(journal, f, size, every, LONGEST, &j, &err), &err);
    rs_journal_identify(j, &id);
    disk_fail_at(n, DISK_FULL, 0);
    int failed = 0;
    for (int k = 0; k < STEPS; k++) {
        uint8_t seen[ROOM];
        do_step(9, k, &c, j);
        reshed_status st = rs_journal_commit(j, RS_JOURNAL_NTH, &err);
        if (st != RESHED_OK) {
            assert_int_equal(st, RESHED_EIO);
            assert_non_null(strstr(err.what, "No space left"));
            if (++failed == 3) disk_fail_at(0, DISK_FINE, 0);
        }
        /* The owner sees its changes all the time. */
        assert_true(rs_journal_read(j, 0, seen, c.n) && memcmp(seen, c.b, c.n) == 0);
    }
    disk_fail_at(0, DISK_FINE, 0);
    assert_ok(rs_journal_commit(j, RS_JOURNAL_NOW, &err), &err);
    assert_true(rs_journal_clean(j));
    assert_ok(rs_journal_close(j, &err), &err);
    rs_os_close(f);
    assert_true(file_is(path, &c) && !rs_os_is_file(journal));
}

static void waits_for_space(void **state)
{
    (void)state;
    const char *path = test_temp("full.bin"), *journal = test_temp("full.bin.journal");
    for (long n = 0; n < 150; n++)
        for (int every = 1; every < 4; every += 2) fill_disk(path, journal, n, every);
}

/* A journal of two steps that was left behind, beside the file that has them. */
static void leave_journal(const char *path, const char *journal)
{
    make_file(path, journal);
    reshed_error err = {0};
    rs_os_file *f = NULL;
    rs_journal *j = NULL;
    rs_journal_id id = identity();
    content c = start_content();
    assert_ok(rs_os_open(path, RS_OS_UPDATE, &f, NULL, &err), &err);
    assert_ok(rs_journal_create(journal, f, c.n, 1, 1 << 20, &j, &err), &err);
    rs_journal_identify(j, &id);
    for (int k = 0; k < 2; k++) {
        do_step(1, k, &c, j);
        assert_ok(rs_journal_commit(j, RS_JOURNAL_NTH, &err), &err);
    }
    rs_journal_abandon(j);
    rs_os_close(f);
}

static void refuses_a_journal_of_another_file(void **state)
{
    (void)state;
    const char *path = test_temp("mine.bin"), *journal = test_temp("mine.bin.journal");
    reshed_error err = {0};
    rs_os_file *f = NULL;
    leave_journal(path, journal);
    content other = start_content();
    other.b[5] ^= 1;
    test_write_file(path, other.b, other.n);
    assert_ok(rs_os_open(path, RS_OS_UPDATE, &f, NULL, &err), &err);
    assert_int_equal(rs_journal_recover(journal, f, NULL, NULL, &err), RESHED_ECORRUPT);
    assert_non_null(strstr(err.what, "another file"));
    rs_os_close(f);
    assert_true(file_is(path, &other) && rs_os_is_file(journal));
    assert_int_equal(rs_journal_create(journal, NULL, 0, 0, 1, &(rs_journal *){0}, &err),
                     RESHED_EINVAL);
}

/* ----------------------------------------------------------------------------- damaged journals */
/* A journal that a crash left, and the file as its first step finds it. */
static reshed_status read_journal(const uint8_t *data, size_t len, reshed_error *err)
{
    const char *path = test_temp("damaged.bin"), *journal = test_temp("damaged.bin.journal");
    rs_os_file *f = NULL;
    content c = start_content();
    test_write_file(path, c.b, c.n);
    test_write_file(journal, data, len);
    reshed_status st = rs_os_open(path, RS_OS_UPDATE, &f, NULL, err);
    if (st != RESHED_OK) return st;
    st = rs_journal_recover(journal, f, NULL, NULL, err);
    rs_os_close(f);
    /* Nobody reads of a damaged journal more than whole steps. */
    bool found = st != RESHED_OK;
    for (int k = 0; !found && k <= 2; k++) {
        content after = content_after(1, k);
        found = file_is(path, &after);
    }
    assert_true(found);
    return st;
}

static void damaged_journals_do_no_harm(void **state)
{
    (void)state;
    size_t len;
    const char *journal = test_temp("left.bin.journal");
    leave_journal(test_temp("left.bin"), journal);
    uint8_t *b = test_read_file(journal, &len);
    test_truncate(read_journal, b, len, 0);
    test_mutate("journal", read_journal, b, len, test_mutations() / 20);
    test_each_alloc(read_journal, b, len);
    rs_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_death_at_every_call),
        cmocka_unit_test(survives_power_failure_at_every_call),
        cmocka_unit_test(repair_may_be_interrupted),
        cmocka_unit_test(waits_for_space),
        cmocka_unit_test(refuses_a_journal_of_another_file),
        cmocka_unit_test(damaged_journals_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
