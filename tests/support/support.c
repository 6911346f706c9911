#define _POSIX_C_SOURCE 200809L
#include "support/support.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cpu.h"
#include "base/numeric.h"
#include "base/os.h"

/* ------------------------------------------------------------------------------- random numbers */
uint64_t test_rand(test_rng *r)
{
    return rs_random_next(r);
}

uint64_t test_below(test_rng *r, uint64_t n)
{
    return n ? test_rand(r) % n : 0;
}

double test_uniform(test_rng *r, double lo, double hi)
{
    return rs_random_between(r, lo, hi);
}

double test_gauss(test_rng *r)
{
    double u = 1.0 - test_uniform(r, 0, 1), v = test_uniform(r, 0, 1);
    return sqrt(-2 * log(u)) * cos(2 * RS_PI * v);
}

uint64_t test_seed(void)
{
    const char *s = getenv("RESHED_SEED");
    return s && *s ? strtoull(s, NULL, 0) : 20220613u;
}

static bool is_set(const char *name)
{
    const char *s = getenv(name);
    return s && *s;
}

bool test_long(void)
{
    return is_set("RESHED_LONG");
}

bool test_quick(void)
{
    return !test_long() && is_set("RESHED_QUICK");
}

int test_next_isa(int isa)
{
    do isa++;
    while (isa <= (int)rs_isa_best() && !rs_isa_runs((rs_isa)isa));
    return isa;
}

long test_tier(long quick, long usual, long full)
{
    return test_long() ? full : test_quick() ? quick : usual;
}

void test_not_quick(void)
{
    if (test_quick()) skip();
}

/* ---------------------------------------------------------------------------------- allocations */
static atomic_long alloc_count, fail_in = -1;
static atomic_bool did_fail;

void *__real_rs_os_alloc(size_t bytes);
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t m);
void *__real_realloc(void *p, size_t n);
void *__wrap_rs_os_alloc(size_t bytes);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t m);
void *__wrap_realloc(void *p, size_t n);

static bool refuse(void)
{
    atomic_fetch_add(&alloc_count, 1);
    if (atomic_load(&fail_in) < 0) return false;
    if (atomic_fetch_sub(&fail_in, 1) != 0) return false;
    atomic_store(&did_fail, true);
    return true;
}

void *__wrap_rs_os_alloc(size_t bytes)
{
    if (refuse()) return NULL;
    if (bytes > (size_t)1 << 32) return NULL; /* no test needs 4 GiB in one piece */
    void *p = __real_rs_os_alloc(bytes);
    if (p && bytes <= (size_t)1 << 20) memset(p, 0xA5, bytes); /* nobody may rely on zeros */
    return p;
}
void *__wrap_malloc(size_t n)
{
    return refuse() ? NULL : __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t m)
{
    return refuse() ? NULL : __real_calloc(n, m);
}
void *__wrap_realloc(void *p, size_t n)
{
    return refuse() ? NULL : __real_realloc(p, n);
}

long test_alloc_count(void)
{
    return atomic_load(&alloc_count);
}

void test_alloc_reset(void)
{
    atomic_store(&alloc_count, 0);
}

void test_alloc_fail_at(long n)
{
    atomic_store(&did_fail, false);
    atomic_store(&fail_in, n);
}

bool test_alloc_failed(void)
{
    return atomic_load(&did_fail);
}

/* -------------------------------------------------------------------------------------- readers */
static void check_failure(reshed_status st, const reshed_error *err)
{
    assert_int_equal(err->status, st);
    assert_true(strlen(err->what) > 0);
    for (const char *s = err->what; *s; s++) assert_true((unsigned char)*s >= 0x20);
}

/* Reads from a block of exactly len bytes: the address sanitizer sees an access to the byte after
 * it. */
static reshed_status read_exact(test_reader read, const uint8_t *data, size_t len)
{
    uint8_t *copy = __real_malloc(len ? len : 1);
    assert_non_null(copy);
    if (len) memcpy(copy, data, len);
    reshed_error err = {0};
    reshed_status st = read(copy, len, &err);
    free(copy);
    if (st != RESHED_OK) check_failure(st, &err);
    return st;
}

void test_truncate(test_reader read, const uint8_t *data, size_t len, size_t fail_below)
{
    assert_int_equal(read_exact(read, data, len), RESHED_OK);
    for (size_t n = 0; n < len; n++) {
        reshed_status st = read_exact(read, data, n);
        if (n < fail_below && st == RESHED_OK) fail_msg("a file cut to %zu bytes was read", n);
    }
}

static void mutate(test_rng *r, uint8_t *d, size_t *len, size_t room)
{
    static const uint8_t extreme[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff};
    size_t n = *len, at = (size_t)test_below(r, n), span = 1 + (size_t)test_below(r, 16);
    if (n == 0) return;
    if (span > n - at) span = n - at;
    switch (test_below(r, 8)) {
    case 0: d[at] ^= (uint8_t)(1u << test_below(r, 8)); break;
    case 1: d[at] = (uint8_t)test_rand(r); break;
    case 2: d[at] = extreme[test_below(r, sizeof extreme)]; break;
    case 3: memset(d + at, extreme[test_below(r, sizeof extreme)], span); break;
    case 4: /* a nearby value of a 32-bit number */
        if (n - at >= 4) {
            uint32_t v;
            memcpy(&v, d + at, 4);
            v += (uint32_t)test_below(r, 65) - 32u;
            memcpy(d + at, &v, 4);
        }
        break;
    case 5: *len = at; break;
    case 6: /* remove a block */
        memmove(d + at, d + at + span, n - at - span);
        *len = n - span;
        break;
    default: /* double a block */
        if (n + span <= room) {
            memmove(d + at + span, d + at, n - at);
            *len = n + span;
        }
    }
}

/* Most mutants carry one to four changes, at the start of the file more often than elsewhere. out
 * has room for len + 256 bytes. */
static size_t make_mutant(test_rng *r, const uint8_t *data, size_t len, uint8_t *out)
{
    size_t cut = len;
    memcpy(out, data, len);
    for (uint64_t k = 1 + test_below(r, 4); k > 0 && cut > 0; k--) {
        if (test_below(r, 2)) {
            size_t head = cut < 512 ? cut : 512;
            out[test_below(r, head)] ^= (uint8_t)(1u << test_below(r, 8));
        } else {
            mutate(r, out, &cut, len + 256);
        }
    }
    return cut;
}

size_t test_mutant(long i, const uint8_t *data, size_t len, uint8_t *out)
{
    test_rng r = {test_seed() + (uint64_t)i * 0xd1342543de82ef95u};
    return make_mutant(&r, data, len, out);
}

void test_mutate(const char *name, test_reader read, const uint8_t *data, size_t len, long n)
{
    uint64_t seed = test_seed();
    test_rng r = {seed};
    uint8_t *d = __real_malloc(len + 256);
    long ok = 0;
    assert_non_null(d);
    for (long i = 0; i < n; i++)
        ok += read_exact(read, d, make_mutant(&r, data, len, d)) == RESHED_OK;
    free(d);
    printf("# %s: %ld mutations (seed %llu), %ld still read\n", name, n, (unsigned long long)seed,
           ok);
}

long test_mutations(void)
{
    return test_tier(1000, 20000, 1000000);
}

void test_each_alloc(test_reader read, const uint8_t *data, size_t len)
{
    long n = 0;
    for (;; n++) {
        reshed_error err = {0};
        test_alloc_fail_at(n);
        reshed_status st = read(data, len, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) {
            assert_int_equal(st, RESHED_OK);
            break;
        }
        if (st != RESHED_ENOMEM)
            fail_msg("failed allocation %ld gave '%s'", n, reshed_status_text(st));
        check_failure(st, &err);
    }
    assert_true(n > 0);
}

/* ---------------------------------------------------------------------------------------- files */
static char *slot(void)
{
    static char buf[8][512];
    static int k;
    return buf[k++ & 7];
}

const char *test_data(const char *name)
{
    char *s = slot();
    snprintf(s, 512, "tests/data/%s", name);
    return s;
}

const char *test_shared(const char *name)
{
    char *s = slot();
    snprintf(s, 512, "../shared/%s", name);
    if (!rs_os_is_file(s)) skip();
    return s;
}

static char temp_dir[64];

static void remove_temp(void)
{
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf '%s'", temp_dir);
    if (system(cmd) != 0) fprintf(stderr, "cannot remove %s\n", temp_dir);
}

const char *test_temp(const char *name)
{
    if (!temp_dir[0]) {
        strcpy(temp_dir, "/tmp/reshed-test-XXXXXX");
        assert_non_null(mkdtemp(temp_dir));
        atexit(remove_temp);
    }
    char *s = slot();
    snprintf(s, 512, "%s/%s", temp_dir, name);
    return s;
}

uint8_t *test_read_file(const char *path, size_t *len)
{
    uint8_t *data = NULL;
    reshed_error err = {0};
    assert_ok(rs_os_read_file(path, SIZE_MAX, &data, len, &err), &err);
    return data;
}

void test_write_file(const char *path, const void *data, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, n, f) != n || fclose(f) != 0) abort();
}

void test_assert_near(double got, double want, double tolerance, const char *what, const char *file,
                      int line)
{
    if (fabs(got - want) <= tolerance) return;
    print_error("%s is %.17g, not %.17g within %.3g\n", what, got, want, tolerance);
    _fail(file, line);
}

void test_assert_ok(reshed_status st, const reshed_error *err, const char *what, const char *file,
                    int line)
{
    char text[600];
    if (st == RESHED_OK) return;
    print_error("%s: %s\n", what, reshed_error_text(err, text, sizeof text));
    _fail(file, line);
}
