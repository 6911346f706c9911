/* vec.h (avx512bf16) - avx512's vectors, and pairs of bf16. */
#ifndef RS_VEC_BF16_H
#define RS_VEC_BF16_H

#include "nn/kernels/avx512/vec.h"

#include <stdint.h>

#undef RS_SUFFIX
#define RS_SUFFIX(name) name##__avx512bf16
#define BF_MR 14
#define BF_NV 2

typedef __m512i vp;

static inline vp vp_load(const uint16_t *p)
{
    return _mm512_loadu_si512(p);
}
static inline vp vp_set1(const uint16_t *p)
{
    int x;
    __builtin_memcpy(&x, p, sizeof x);
    return _mm512_set1_epi32(x);
}
static inline vf vp_dot(vf s, vp a, vp b)
{
    return _mm512_dpbf16_ps(s, (__m512bh)a, (__m512bh)b);
}
static inline void vf_store_bf16(uint16_t *p, vf v)
{
    _mm256_storeu_si256((__m256i *)(void *)p, (__m256i)_mm512_cvtneps_pbh(v));
}
static inline void vf_store2_bf16(uint16_t *p, vf v, vf w)
{
    _mm512_storeu_si512(p, (__m512i)_mm512_cvtne2ps_pbh(w, v));
}

#endif
