/* vec.h (generic) - four lanes through the compiler's vector extension: SSE2, NEON or plain
 * code. */
#ifndef RS_VEC_H
#define RS_VEC_H

#include <math.h>
#include <string.h>

#define RS_SUFFIX(name) name##__generic
#define VL 4
#define MAC_MR 4
#define MAC_NV 2

typedef float vf __attribute__((vector_size(16)));

static inline vf vf_load(const float *p)
{
    vf v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline void vf_store(float *p, vf v)
{
    memcpy(p, &v, sizeof v);
}
static inline vf vf_set1(float x)
{
    return (vf){x, x, x, x};
}
/* Not fused: baseline x86-64 has no FMA, and a library call per lane would be far too slow. */
static inline vf vf_fma(vf a, vf b, vf c)
{
    return a * b + c;
}
static inline vf vf_add(vf a, vf b)
{
    return a + b;
}
static inline vf vf_sub(vf a, vf b)
{
    return a - b;
}
static inline vf vf_mul(vf a, vf b)
{
    return a * b;
}
static inline vf vf_div(vf a, vf b)
{
    return a / b;
}
/* Nearest integer, ties to even, for |a| < 2^22: the addition leaves no bits for a fraction. */
static inline vf vf_round(vf a)
{
    const vf magic = vf_set1(0x1.8p23f);
    return (a + magic) - magic;
}
/* a * 2^n for whole n in [-126,127]. */
static inline vf vf_scale2(vf a, vf n)
{
    typedef int vi __attribute__((vector_size(16)));
    vi bits = (__builtin_convertvector(n, vi) + 127) << 23;
    vf scale;
    memcpy(&scale, &bits, sizeof scale);
    return a * scale;
}
/* The larger; b where either is NaN, as the x86 instruction. */
static inline vf vf_max(vf a, vf b)
{
    return (vf){a[0] > b[0] ? a[0] : b[0], a[1] > b[1] ? a[1] : b[1], a[2] > b[2] ? a[2] : b[2],
                a[3] > b[3] ? a[3] : b[3]};
}
/* a where y > 0, else b. */
static inline vf vf_positive(vf y, vf a, vf b)
{
    return (vf){y[0] > 0 ? a[0] : b[0], y[1] > 0 ? a[1] : b[1], y[2] > 0 ? a[2] : b[2],
                y[3] > 0 ? a[3] : b[3]};
}
static inline vf vf_sqrt(vf a)
{
    return (vf){sqrtf(a[0]), sqrtf(a[1]), sqrtf(a[2]), sqrtf(a[3])};
}
/* Sum of the lanes, pairwise in a fixed order. */
static inline float vf_sum(vf a)
{
    return (a[0] + a[2]) + (a[1] + a[3]);
}

#endif
