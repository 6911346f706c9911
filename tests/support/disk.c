#define _POSIX_C_SOURCE 200809L
#include "support/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "support/support.h"

reshed_status __real_rs_os_write_at(rs_os_file *f, uint64_t at, const void *buf, size_t n,
                                    reshed_error *err);
reshed_status __real_rs_os_resize(rs_os_file *f, uint64_t size, reshed_error *err);
reshed_status __real_rs_os_sync(rs_os_file *f, reshed_error *err);
void __real_rs_os_close(rs_os_file *f);
reshed_status __wrap_rs_os_write_at(rs_os_file *f, uint64_t at, const void *buf, size_t n,
                                    reshed_error *err);
reshed_status __wrap_rs_os_resize(rs_os_file *f, uint64_t size, reshed_error *err);
reshed_status __wrap_rs_os_sync(rs_os_file *f, reshed_error *err);
void __wrap_rs_os_close(rs_os_file *f);
void __real_rs_os_sync_folder(const char *path);
void __wrap_rs_os_sync_folder(const char *path);

static long calls, syncs, fail_at = -1;
static disk_fault fault;
static test_rng rng;
static bool real_sync;

/* A change that is not on the disk yet: `n` bytes at `at` (a write), or the new size `at`. */
typedef struct change {
    struct change *before;
    rs_os_file *file;
    bool resize;
    uint64_t at, old_size;
    size_t n, old_n;     /* of data and old */
    unsigned char *data; /* what was written */
    unsigned char *old;  /* what was there: the bytes written over, or the ones cut off */
} change;

static change *last;

void disk_fail_at(long n, disk_fault what, uint64_t seed)
{
    calls = syncs = 0;
    fail_at = what == DISK_FINE ? -1 : n;
    fault = what;
    rng.state = seed;
}

long disk_calls(void)
{
    return calls;
}

long disk_syncs(void)
{
    return syncs;
}

void disk_real_sync(bool on)
{
    real_sync = on;
}

/* -------------------------------------------------------------------------------- power failure */
static void remember(rs_os_file *f, bool resize, uint64_t at, const void *data, size_t n)
{
    if (fault != DISK_POWER_FAILS) return;
    change *c = calloc(1, sizeof *c);
    if (!c) abort();
    *c = (change){.before = last, .file = f, .resize = resize, .at = at, .n = n};
    c->old_size = rs_os_size(f);
    if (resize)
        c->old_n = at < c->old_size ? (size_t)(c->old_size - at) : 0;
    else
        c->old_n = n;
    c->data = malloc(n + 1);
    c->old = calloc(c->old_n + 1, 1);
    if (!c->data || !c->old) abort();
    if (n) memcpy(c->data, data, n);
    rs_os_read_at(f, at, c->old, c->old_n);
    last = c;
}

static void forget(rs_os_file *f)
{
    for (change **c = &last; *c;) {
        change *it = *c;
        if (it->file != f) {
            c = &it->before;
            continue;
        }
        *c = it->before;
        free(it->data);
        free(it->old);
        free(it);
    }
}

/* Takes everything back that was not synced, then does any part of it again, in order. */
static void lose(change *c)
{
    if (!c) return;
    uint64_t size = c->old_size;
    uint64_t keep = size > c->at ? size - c->at : 0;
    __real_rs_os_write_at(c->file, c->at, c->old, c->old_n < keep ? c->old_n : (size_t)keep, NULL);
    __real_rs_os_resize(c->file, size, NULL);
    lose(c->before);
    switch (test_below(&rng, 4)) {
    case 0: break;
    case 1: /* a part of it */
        if (!c->resize && c->n) {
            size_t from = (size_t)test_below(&rng, c->n);
            size_t n = 1 + (size_t)test_below(&rng, c->n - from);
            __real_rs_os_write_at(c->file, c->at + from, c->data + from, n, NULL);
        }
        break;
    default:
        if (c->resize)
            __real_rs_os_resize(c->file, c->at, NULL);
        else
            __real_rs_os_write_at(c->file, c->at, c->data, c->n, NULL);
    }
}

/* ------------------------------------------------------------------------------------ the calls */
/* Counts a call and returns its fault. */
static disk_fault next_fault(void)
{
    long n = calls++;
    if (fail_at < 0 || n < fail_at) return DISK_FINE;
    if (fault == DISK_BLOCKS) {
        fail_at = -1;
        rs_os_sleep(DISK_BLOCKED);
        return DISK_FINE;
    }
    if (fault == DISK_POWER_FAILS) lose(last);
    if (fault == DISK_DIE || fault == DISK_POWER_FAILS) _exit(DISK_EXIT);
    return fault;
}

static reshed_status no_space(reshed_error *err)
{
    return rs_fail(err, RESHED_EIO, "cannot write: %s", strerror(ENOSPC));
}

reshed_status __wrap_rs_os_write_at(rs_os_file *f, uint64_t at, const void *buf, size_t n,
                                    reshed_error *err)
{
    disk_fault what = next_fault();
    if (what != DISK_FINE) {
        __real_rs_os_write_at(f, at, buf, n / 2, NULL);
        if (what == DISK_DIE_HALF) _exit(DISK_EXIT);
        return no_space(err);
    }
    remember(f, false, at, buf, n);
    return __real_rs_os_write_at(f, at, buf, n, err);
}

reshed_status __wrap_rs_os_resize(rs_os_file *f, uint64_t size, reshed_error *err)
{
    disk_fault what = next_fault();
    if (what == DISK_DIE_HALF) _exit(DISK_EXIT);
    if (what != DISK_FINE) return no_space(err);
    remember(f, true, size, NULL, 0);
    return __real_rs_os_resize(f, size, err);
}

reshed_status __wrap_rs_os_sync(rs_os_file *f, reshed_error *err)
{
    syncs++;
    disk_fault what = next_fault();
    if (what == DISK_DIE_HALF) _exit(DISK_EXIT);
    if (what != DISK_FINE) return no_space(err);
    forget(f);
    return real_sync ? __real_rs_os_sync(f, err) : RESHED_OK;
}

void __wrap_rs_os_close(rs_os_file *f)
{
    if (f) forget(f);
    __real_rs_os_close(f);
}

void __wrap_rs_os_sync_folder(const char *path)
{
    if (real_sync) __real_rs_os_sync_folder(path);
}
