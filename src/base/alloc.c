#include "base/alloc.h"

#include <stdint.h>
#include <string.h>

#include "base/os/memory.h"

bool rs_mul(size_t a, size_t b, size_t *out)
{
    if (a != 0 && b > SIZE_MAX / a) return false;
    *out = a * b;
    return true;
}

void *rs_alloc(size_t count, size_t size)
{
    size_t bytes;
    /* The margin leaves room to round up to the alignment; no object may exceed PTRDIFF_MAX. */
    if (!rs_mul(count, size, &bytes) || bytes > (size_t)PTRDIFF_MAX - 64) return NULL;
    return rs_os_alloc(bytes ? (bytes + 63) & ~(size_t)63 : 64);
}

void *rs_zalloc(size_t count, size_t size)
{
    void *p = rs_alloc(count, size);
    if (p) memset(p, 0, count * size);
    return p;
}

void *rs_regrow(void *p, size_t old_count, size_t new_count, size_t size)
{
    void *q = rs_alloc(new_count, size);
    if (!q) return NULL;
    size_t keep = old_count < new_count ? old_count : new_count;
    if (keep) memcpy(q, p, keep * size);
    rs_free(p);
    return q;
}

void rs_free(void *p)
{
    rs_os_free(p);
}

char *rs_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *p = rs_alloc(n, 1);
    if (p) memcpy(p, s, n);
    return p;
}
