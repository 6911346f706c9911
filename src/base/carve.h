/* carve.h - one block of memory handed out in pieces: first counted, then given.
 *
 *     rs_carver c = {0};
 *     lay_out(x, &c);                          // counts
 *     c.memory = rs_alloc(c.used, sizeof(float)), c.used = 0;
 *     lay_out(x, &c);                          // the same calls, now with pointers */
#ifndef RS_BASE_CARVE_H
#define RS_BASE_CARVE_H

#include <stddef.h>

typedef struct rs_carver {
    float *memory; /* NULL: pieces are counted only */
    size_t used;   /* floats */
} rs_carver;

/* The next piece, at a multiple of 64 bytes of the block; NULL while only counting. */
static inline float *rs_carve(rs_carver *c, size_t floats)
{
    float *p = c->memory ? c->memory + c->used : NULL;
    c->used += (floats + 15) & ~(size_t)15;
    return p;
}

#endif
