#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, setitimer */
#include "forked.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

/* Lies in memory that parent and children share. */
typedef struct ledger {
    long at; /* the case in hand */
    long passed, wrong, first_wrong;
} ledger;

typedef struct job {
    test_reader read;
    forked_bare bare;
    const uint8_t *data;
    size_t len;
    bool mutate;     /* else truncate */
    uint8_t *buffer; /* of the case in hand; room for 256 bytes more than len */
    ledger *book;
} job;

/* Case i: its bytes in job->buffer; returns their number. Depends on nothing but the seed and i. */
static size_t make_case(const job *j, long i)
{
    static const uint8_t extreme[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff};
    test_rng r = {test_seed() + 0x9e3779b97f4a7c15u * (uint64_t)i};
    uint8_t *d = j->buffer;
    size_t len = j->mutate ? j->len : (size_t)i;
    memcpy(d, j->data, len);
    if (!j->mutate) return len;
    for (uint64_t k = 1 + test_below(&r, 4); k > 0 && len > 0; k--) {
        /* The head of a file is denser in structure than the rest. */
        size_t at = test_below(&r, 3) ? test_below(&r, len) : test_below(&r, len < 512 ? len : 512);
        size_t span = 1 + test_below(&r, 16);
        if (span > len - at) span = len - at;
        switch (test_below(&r, 7)) {
        case 0:
        case 1: d[at] ^= (uint8_t)(1u << test_below(&r, 8)); break;
        case 2: d[at] = extreme[test_below(&r, sizeof extreme)]; break;
        case 3: memset(d + at, extreme[test_below(&r, sizeof extreme)], span); break;
        case 4: d[at] = (uint8_t)(d[at] + test_below(&r, 9) - 4); break;
        case 5:
            memmove(d + at, d + at + span, len - at - span);
            len -= span;
            break;
        default:
            if (len + span <= j->len + 256) {
                memmove(d + at + span, d + at, len - at);
                len += span;
            }
        }
    }
    return len;
}

/* A child of ours: quiet, bounded in memory, and mortal, for cmocka catches the signals of faults
 * to go on with the next test. It must end by _exit. */
static void become_child(void)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGABRT};
    int null = open("/dev/null", O_WRONLY);
    if (null >= 0) {
        dup2(null, 1);
        dup2(null, 2);
    }
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) signal(faults[i], SIG_DFL);
#ifndef SANITIZED
    struct rlimit limit = {(rlim_t)4 << 30, (rlim_t)4 << 30};
    setrlimit(RLIMIT_AS, &limit);
#endif
}

/* Processor time, of which one case takes about a millisecond: a busy machine makes no hang. */
static void allow_seconds(double s)
{
#ifdef SANITIZED
    s *= 2;
#endif
    struct itimerval t = {
        .it_value = {.tv_sec = (time_t)s, .tv_usec = (suseconds_t)(1e6 * (s - (double)(time_t)s))}};
    setitimer(ITIMER_PROF, &t, NULL);
}

static void run_case(const job *j, long i)
{
    j->book->at = i;
    size_t len = make_case(j, i);
    reshed_error err = {0};
    reshed_status st = j->read(j->buffer, len, &err);
    bool good = st == RESHED_OK ? j->mutate : err.status == st && err.what[0];
    j->book->passed += st == RESHED_OK;
    if (!good && j->book->wrong++ == 0) j->book->first_wrong = i;
}

enum what { READ_MANY, READ_ONE, BARE };

/* In a child: the cases from i on, or case i alone with more time, or the bare library on it.
 * Whether the child ended as it should. */
static bool child_survives(const job *j, enum what what, long i, long n)
{
    int status = 1;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        become_child();
        for (; what == READ_MANY && i < n; i++) {
            allow_seconds(0.5);
            run_case(j, i);
        }
        if (what != READ_MANY) allow_seconds(what == BARE ? 1 : 10);
        if (what == READ_ONE) run_case(j, i);
        if (what == BARE) j->bare(j->buffer, make_case(j, i));
        _exit(0);
    }
    assert_true(child > 0);
    while (waitpid(child, &status, 0) < 0) continue;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void run_forked(const char *name, job *j, long n)
{
    long ours = 0, librarys = 0, first = -1, i = 0;
    j->buffer = malloc(j->len + 256);
    j->book =
        mmap(NULL, sizeof *j->book, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_non_null(j->buffer);
    assert_true(j->book != MAP_FAILED);
    while (i < n && !child_survives(j, READ_MANY, i, n)) {
        i = j->book->at;
        if (!child_survives(j, BARE, i, n))
            librarys++;
        else if (!child_survives(j, READ_ONE, i, n) && ours++ == 0)
            first = i;
        i++;
    }
    printf(
        "# %s: %ld %s (seed %llu), %ld read, %ld ended by a fault or hang of the library alone\n",
        name, n, j->mutate ? "mutations" : "prefixes", (unsigned long long)test_seed(),
        j->book->passed, librarys);
    ledger book = *j->book;
    munmap(j->book, sizeof *j->book);
    free(j->buffer);
    if (ours) fail_msg("%s: %ld faults of our own, the first in case %ld", name, ours, first);
    if (book.wrong)
        fail_msg("%s: %ld wrong results, the first in case %ld", name, book.wrong,
                 book.first_wrong);
}

void forked_mutate(const char *name, test_reader read, forked_bare bare, const uint8_t *data,
                   size_t len, long n)
{
    job j = {.read = read, .bare = bare, .data = data, .len = len, .mutate = true};
#ifdef SANITIZED
    n /= 2; /* opening an HDF5 file takes four times as long under a sanitizer */
#endif
    run_forked(name, &j, n);
}

void forked_truncate(const char *name, test_reader read, forked_bare bare, const uint8_t *data,
                     size_t len)
{
    job j = {.read = read, .bare = bare, .data = data, .len = len, .mutate = false};
    run_forked(name, &j, (long)len);
}
