/* alloc.h - the one allocator of the project: 64-byte aligned, sizes checked for overflow.
 *
 * All memory of the library comes from here, so that the tests can count every allocation and make
 * each one fail in turn (they wrap rs_os_alloc at link time). */
#ifndef RS_BASE_ALLOC_H
#define RS_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__GNUC__)
#define RS_ALLOC_SIZE __attribute__((malloc, alloc_size(1, 2), warn_unused_result))
#else
#define RS_ALLOC_SIZE
#endif

/* count*size bytes, uninitialised; NULL when the product overflows or memory is short. A request of
 * zero bytes gives a valid pointer. Free with rs_free. */
void *rs_alloc(size_t count, size_t size) RS_ALLOC_SIZE;

/* The same, filled with zeros. */
void *rs_zalloc(size_t count, size_t size) RS_ALLOC_SIZE;

/* A new block of new_count elements holding the first old_count elements of p, which is freed; on
 * failure NULL, and p stays valid. p may be NULL when old_count is 0. */
void *rs_regrow(void *p, size_t old_count, size_t new_count, size_t size);

/* p may be NULL. */
void rs_free(void *p);

/* A copy of the NUL-terminated s, freed with rs_free; NULL when memory is short. */
char *rs_strdup(const char *s);

/* *out = a*b; false (and *out unchanged) when that overflows. */
bool rs_mul(size_t a, size_t b, size_t *out);

#endif
