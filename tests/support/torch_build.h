/* torch_build.h - builds small torch ZIP files in memory, right ones and wrong ones. */
#ifndef RS_TESTS_SUPPORT_TORCH_BUILD_H
#define RS_TESTS_SUPPORT_TORCH_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A growing block of bytes; bytes_free it. */
typedef struct bytes {
    uint8_t *p;
    size_t n, room;
} bytes;
void bytes_add(bytes *b, const void *p, size_t n);
void bytes_free(bytes *b);

/* ---------------------------------------------------------------------------------- pickle text */
/* Appends pickle operators. Each character of `text` is one: itself for plain operators (`}`, `s`,
 * `(`, ...), except
 *     %s  a string (const char *)         %i  an integer (long long; LONG1 beyond 32 bits)
 *     %g  a global ("module name")        %b  one byte (int)
 *     T F True and False
 * Blanks are skipped. */
void pickle_add(bytes *b, const char *text, ...);

/* A tensor as torch pickles it: a view of storage `key` of `count` elements of type
 * ("FloatStorage"). */
void pickle_tensor(bytes *b, const char *type, const char *key, long long count, long long offset,
                   int ndim, const long long *dims, const long long *strides);
/* A float tensor [n], the whole of storage key. */
void pickle_vector(bytes *b, const char *key, long long n);

/* The head of a meta dict up to and with the key 'weights', and the end after its value. */
void pickle_meta(bytes *b);
void pickle_end(bytes *b);

/* ------------------------------------------------------------------------------------------ ZIP */
typedef struct zip_part {
    const char *name;
    const void *data;
    size_t n;
    bool deflate;
} zip_part;
bytes zip_build(const zip_part *parts, size_t n);

/* A torch file NAME "t" of this pickle and the storage "0" of `floats` elements 0, 1, 2, ... */
bytes torch_build(const bytes *pickle, size_t floats);

#endif
