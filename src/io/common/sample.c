#include "io/common/sample.h"

#include <string.h>

#include "base/tensors.h"

size_t rs_sample_size(rs_sample type)
{
    switch (type) {
    case RS_SAMPLE_U8:
    case RS_SAMPLE_I8: return 1;
    case RS_SAMPLE_U16:
    case RS_SAMPLE_I16:
    case RS_SAMPLE_F16: return 2;
    case RS_SAMPLE_U32:
    case RS_SAMPLE_I32:
    case RS_SAMPLE_F32: return 4;
    case RS_SAMPLE_U64:
    case RS_SAMPLE_I64:
    case RS_SAMPLE_F64: return 8;
    }
    return 0;
}

/* The bits of one number, whatever the order of its bytes. */
static uint64_t bits(const uint8_t *p, size_t size, bool big)
{
    uint64_t v = 0;
    for (size_t i = 0; i < size; i++) v |= (uint64_t)p[big ? size - 1 - i : i] << (8 * i);
    return v;
}

static double value(rs_sample type, uint64_t v)
{
    uint32_t u = (uint32_t)v;
    float f;
    double d;
    switch (type) {
    case RS_SAMPLE_U8:
    case RS_SAMPLE_U16:
    case RS_SAMPLE_U32:
    case RS_SAMPLE_U64: return (double)v;
    case RS_SAMPLE_I8: return (double)(int8_t)v;
    case RS_SAMPLE_I16: return (double)(int16_t)v;
    case RS_SAMPLE_I32: return (double)(int32_t)v;
    case RS_SAMPLE_I64: return (double)(int64_t)v;
    case RS_SAMPLE_F16: return rs_half_to_float((uint16_t)v);
    case RS_SAMPLE_F32: memcpy(&f, &u, sizeof f); return f;
    case RS_SAMPLE_F64: memcpy(&d, &v, sizeof d); return d;
    }
    return 0;
}

void rs_sample_to_float(rs_sample type, bool big_endian, const uint8_t *src, size_t n, float *dst)
{
    size_t size = rs_sample_size(type);
    for (size_t i = 0; i < n; i++)
        dst[i] = (float)value(type, bits(src + i * size, size, big_endian));
}

void rs_sample_to_double(rs_sample type, bool big_endian, const uint8_t *src, size_t n, double *dst)
{
    size_t size = rs_sample_size(type);
    for (size_t i = 0; i < n; i++) dst[i] = value(type, bits(src + i * size, size, big_endian));
}

void rs_sample_native(size_t size, bool big_endian, const uint8_t *src, size_t n, void *dst)
{
    uint8_t *to = dst;
    const uint16_t one = 1;
    bool host_big = *(const uint8_t *)&one == 0;
    if (host_big == big_endian || size == 1) {
        if (n) memcpy(to, src, n * size);
        return;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < size; k++) to[i * size + k] = src[i * size + size - 1 - k];
}

void rs_put_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

void rs_put_u32(uint8_t *p, uint32_t v)
{
    rs_put_u16(p, (uint16_t)v);
    rs_put_u16(p + 2, (uint16_t)(v >> 16));
}

void rs_put_f32(uint8_t *p, float v)
{
    uint32_t u;
    memcpy(&u, &v, sizeof u);
    rs_put_u32(p, u);
}
