/* cursor.h - a bounded read position in a block of bytes. Every binary reader takes its fields
 * through it: no access can leave [base, end), and one check after a group of reads is enough,
 * because a cursor that ran over the end stays failed and yields zeros. */
#ifndef RS_BASE_CURSOR_H
#define RS_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct rs_cursor {
    const uint8_t *base; /* borrowed */
    size_t size;
    size_t pos;     /* <= size */
    bool big;       /* multi-byte numbers are big-endian */
    bool overrun;   /* some read did not fit */
    size_t need_at; /* offset one past the first read that did not fit */
} rs_cursor;

/* Little-endian numbers at p, where their place is known to be inside. */
static inline uint32_t rs_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t rs_le64(const uint8_t *p)
{
    return rs_le32(p) | (uint64_t)rs_le32(p + 4) << 32;
}

static inline rs_cursor rs_cursor_make(const void *base, size_t size, bool big_endian)
{
    rs_cursor c = {.base = base, .size = size, .big = big_endian};
    return c;
}

static inline size_t rs_cursor_left(const rs_cursor *c)
{
    return c->size - c->pos;
}

/* The next n bytes (borrowed), or NULL past the end. */
static inline const uint8_t *rs_take(rs_cursor *c, size_t n)
{
    if (c->overrun || n > c->size - c->pos) {
        if (!c->overrun) c->need_at = n > SIZE_MAX - c->pos ? SIZE_MAX : c->pos + n;
        c->overrun = true;
        return NULL;
    }
    const uint8_t *p = c->base + c->pos;
    c->pos += n;
    return p;
}

/* Moves to an absolute offset. */
static inline void rs_seek(rs_cursor *c, size_t pos)
{
    if (pos > c->size) {
        if (!c->overrun) c->need_at = pos;
        c->overrun = true;
    } else {
        c->pos = pos;
    }
}

/* An unsigned number of n <= 8 bytes. */
static inline uint64_t rs_take_uint(rs_cursor *c, int n)
{
    const uint8_t *p = rs_take(c, (size_t)n);
    uint64_t v = 0;
    if (!p) return 0;
    for (int i = 0; i < n; i++) v |= (uint64_t)p[c->big ? n - 1 - i : i] << (8 * i);
    return v;
}

static inline uint8_t rs_u8(rs_cursor *c)
{
    return (uint8_t)rs_take_uint(c, 1);
}
static inline uint16_t rs_u16(rs_cursor *c)
{
    return (uint16_t)rs_take_uint(c, 2);
}
static inline int16_t rs_i16(rs_cursor *c)
{
    return (int16_t)rs_take_uint(c, 2);
}
static inline uint32_t rs_u32(rs_cursor *c)
{
    return (uint32_t)rs_take_uint(c, 4);
}
static inline int32_t rs_i32(rs_cursor *c)
{
    return (int32_t)rs_take_uint(c, 4);
}
static inline uint64_t rs_u64(rs_cursor *c)
{
    return rs_take_uint(c, 8);
}
static inline float rs_f32(rs_cursor *c)
{
    uint32_t u = rs_u32(c);
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}
static inline double rs_f64(rs_cursor *c)
{
    uint64_t u = rs_u64(c);
    double f;
    memcpy(&f, &u, sizeof f);
    return f;
}

#endif
