#include "support/peak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "support/h5_bare.h"
#include "support/io_support.h"

/* False where a peak says nothing: the sanitizers take memory of their own. */
static bool is_measured(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return false;
#else
    return true;
#endif
#else
    return true;
#endif
}

bool peak_is_small(size_t len)
{
    return !is_measured() || rs_os_peak_rss() <= PEAK_MOST(len);
}

/* A number of 1 to 8 bytes, large more often than not, written somewhere. */
static void put_large(test_rng *r, uint8_t *data, size_t len)
{
    static const int sizes[] = {1, 2, 4, 4, 8, 8};
    const int size = sizes[test_below(r, 6)], bit = (int)test_below(r, (uint64_t)size * 8);
    uint64_t v = (uint64_t)1 << bit;
    if (test_below(r, 2)) v = test_below(r, v) + v / 2;
    if (test_below(r, 4) == 0) v = (uint64_t)0 - v;
    if (len < (size_t)size) return;
    size_t at = (size_t)test_below(r, len - (size_t)size + 1);
    if (test_below(r, 2)) at = at / (size_t)size * (size_t)size;
    const bool big = test_below(r, 3) == 0;
    for (int i = 0; i < size; i++)
        data[at + (size_t)(big ? size - 1 - i : i)] = (uint8_t)(v >> (8 * i));
}

typedef struct subject {
    const char *name;
    test_reader read;
    peak_mender mend;
    const uint8_t *data;
    size_t len;
    uint8_t *out; /* [len + 256] */
} subject;

static size_t make_mutant(const subject *s, long i)
{
    test_rng r = {test_seed() ^ (uint64_t)i * 0x9e3779b97f4a7c15u};
    size_t n = s->len;
    if (i % 3 == 0) {
        n = test_mutant(i, s->data, s->len, s->out);
    } else {
        memcpy(s->out, s->data, n);
        for (uint64_t k = 1 + test_below(&r, 3); k > 0; k--) put_large(&r, s->out, n);
    }
    if (s->mend) s->mend(s->out, n);
    return n;
}

static bool stays_small(void *ctx, long i)
{
    const subject *s = ctx;
    reshed_error err = {0};
    const size_t n = make_mutant(s, i);
    if (s->read(s->out, n, &err) == RESHED_OK) fork_count();
    return peak_is_small(s->len);
}

static bool bare_walk(void *ctx, long i)
{
    const subject *s = ctx;
    h5_walk(s->out, make_mutant(s, i));
    return true;
}

bool peak_no_library(void *ctx, long i)
{
    (void)ctx, (void)i;
    return true;
}

void peak_try_mutants(const char *name, test_reader read, peak_mender mend, const uint8_t *data,
                      size_t len, bool hdf5)
{
    subject s = {name, read, mend, data, len, malloc(len + 256)};
    const long n = test_tier(60, 400, 100000);
    assert_non_null(s.out);
    const forked f = run_forked(n, stays_small, hdf5 ? bare_walk : peak_no_library, &s);
    free(s.out);
    printf("# %s: %ld files of %zu bytes, %ld read, %ld ended by the library alone\n", name, n, len,
           f.passed, f.librarys);
    if (f.wrong || f.ours)
        fail_msg("%s: %ld above %zu bytes, %ld ended the process; the first is case %ld", name,
                 f.wrong, PEAK_MOST(len), f.ours, f.first_wrong);
}

/* One file as it is: it must be refused when `st` says so. */
typedef struct whole {
    test_reader read;
    const uint8_t *data;
    size_t len;
    reshed_status st; /* RESHED_OK: read or refused, whatever */
} whole;

static bool whole_stays_small(void *ctx, long i)
{
    const whole *w = ctx;
    reshed_error err = {0};
    (void)i;
    const reshed_status st = w->read(w->data, w->len, &err);
    const bool small = peak_is_small(w->len);
    return (w->st == RESHED_OK || w->st == st) && small;
}

void peak_try_whole(const char *name, test_reader read, const void *data, size_t len,
                    reshed_status expected)
{
    whole w = {read, data, len, expected};
    const forked f = run_forked(1, whole_stays_small, peak_no_library, &w);
    if (f.wrong || f.ours || f.librarys)
        fail_msg("%s: %s", name, f.wrong ? "too much memory, or another result" : "it ended");
}
