#define _GNU_SOURCE /* madvise */
#include "base/os/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

void *rs_os_alloc(size_t bytes)
{
    /* Weights and rings are walked in many streams at once, far more pages of 4 KiB than a TLB
     * holds: large blocks ask for large pages, which saves about a tenth of an inference
     * (docs/speed.md). */
    const size_t huge = (size_t)2 << 20;
    const bool large = bytes >= 2 * huge;
    void *p = NULL;
    if (posix_memalign(&p, large ? huge : 64, bytes) != 0) return NULL;
#ifdef MADV_HUGEPAGE
    if (large) madvise(p, bytes, MADV_HUGEPAGE);
#endif
    return p;
}

void rs_os_free(void *p)
{
    free(p);
}

void rs_os_trim(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
