/* bf16.h - sixteen-bit floats: the upper half of a float, eight bits of significand.
 *
 * Arrays of them hold channels one after another, so that channels 2k and 2k+1 make one 32-bit
 * word, the unit of the dot product
 *
 *     acc = (acc + a[2k+1]*b[2k+1]) + a[2k]*b[2k]
 *
 * in fp32: each product of two eight-bit significands is exact, each sum is rounded once. This is
 * what AVX512_BF16's vdpbf16ps computes, the odd member first, except that it also takes and gives
 * zero for denormals; emulated in plain C it has the same bits. */
#ifndef RS_NN_BF16_H
#define RS_NN_BF16_H

#include <stdint.h>
#include <string.h>

/* The nearest, ties to even; denormals become zero and NaN stays NaN, as in the instruction. */
static inline uint16_t rs_to_bf16(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    const uint32_t size = u & 0x7fffffffu;
    if (size > 0x7f800000u) return (uint16_t)(u >> 16 | 0x40);
    if (size < 0x00800000u) return (uint16_t)(u >> 16 & 0x8000);
    return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

static inline float rs_from_bf16(uint16_t h)
{
    const uint32_t u = (uint32_t)h << 16;
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

#endif
