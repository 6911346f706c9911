#include "support/h5_damage.h"

#include <stdlib.h>
#include <string.h>

#include "support/h5_bare.h"
#include "support/io_support.h"

typedef struct damage {
    test_reader read;
    const uint8_t *data;
    uint8_t *mutant; /* [len + 256] */
    size_t len;
} damage;

/* Reads a block of exactly len bytes: the sanitizer sees an access to the byte after it. */
static bool reads_safely(test_reader read, const uint8_t *data, size_t len, reshed_status *st)
{
    reshed_error err = {0};
    uint8_t *exact = malloc(len ? len : 1);
    if (!exact) return false;
    memcpy(exact, data, len);
    *st = read(exact, len, &err);
    free(exact);
    if (*st == RESHED_OK) fork_count();
    return *st == RESHED_OK || (*st != RESHED_EINTERNAL && err.status == *st && err.what[0]);
}

static bool mutant_is_safe(void *ctx, long i)
{
    const damage *d = ctx;
    reshed_status st;
    return reads_safely(d->read, d->mutant, test_mutant(i, d->data, d->len, d->mutant), &st);
}

static bool prefix_fails(void *ctx, long i)
{
    const damage *d = ctx;
    reshed_status st;
    return reads_safely(d->read, d->data, (size_t)i, &st) && st != RESHED_OK;
}

static bool bare_mutant(void *ctx, long i)
{
    const damage *d = ctx;
    h5_walk(d->mutant, test_mutant(i, d->data, d->len, d->mutant));
    return true;
}

static bool bare_prefix(void *ctx, long i)
{
    h5_walk(((const damage *)ctx)->data, (size_t)i);
    return true;
}

static void report(const char *what, const char *how, long n, const forked *f)
{
    printf("# %s: %ld %s (seed %llu), %ld read, %ld ended by a fault or hang of libhdf5 alone\n",
           what, n, how, (unsigned long long)test_seed(), f->passed, f->librarys);
    if (f->wrong || f->ours)
        fail_msg("%s, %s: %ld wrong results, %ld faults; the first is case %ld", what, how,
                 f->wrong, f->ours, f->first_wrong);
}

void h5_survives_mutation(const char *what, test_reader read, const uint8_t *data, size_t len,
                          long n)
{
    damage d = {read, data, malloc(len + 256), len};
    assert_non_null(d.mutant);
    forked f = run_forked(n, mutant_is_safe, bare_mutant, &d);
    free(d.mutant);
    report(what, "mutations", n, &f);
}

void h5_survives_cutting(const char *what, test_reader read, const uint8_t *data, size_t len)
{
    damage d = {read, data, NULL, len};
    forked f = run_forked((long)len, prefix_fails, bare_prefix, &d);
    report(what, "lengths", (long)len, &f);
}
