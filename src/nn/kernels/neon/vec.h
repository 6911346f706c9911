/* vec.h (neon) - four lanes, thirty-two registers. */
#ifndef RS_VEC_H
#define RS_VEC_H

#include <arm_neon.h>

#define RS_SUFFIX(name) name##__neon
#define VL 4
/* 24 sums, 4 weights and a broadcast number: 10 loads feed 24 multiply-adds, of which today's cores
 * start two to four a cycle. */
#define MAC_MR 6
#define MAC_NV 4

typedef float32x4_t vf;

static inline vf vf_load(const float *p)
{
    return vld1q_f32(p);
}
static inline void vf_store(float *p, vf v)
{
    vst1q_f32(p, v);
}
static inline vf vf_set1(float x)
{
    return vdupq_n_f32(x);
}
static inline vf vf_fma(vf a, vf b, vf c)
{
    return vfmaq_f32(c, a, b);
}
static inline vf vf_add(vf a, vf b)
{
    return vaddq_f32(a, b);
}
static inline vf vf_sub(vf a, vf b)
{
    return vsubq_f32(a, b);
}
static inline vf vf_mul(vf a, vf b)
{
    return vmulq_f32(a, b);
}
static inline vf vf_div(vf a, vf b)
{
    return vdivq_f32(a, b);
}
/* Nearest integer, ties to even. */
static inline vf vf_round(vf a)
{
    return vrndnq_f32(a);
}
/* a * 2^n for whole n in [-126,127]. */
static inline vf vf_scale2(vf a, vf n)
{
    const int32x4_t bits = vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23);
    return vmulq_f32(a, vreinterpretq_f32_s32(bits));
}
/* The larger; b where either is NaN. vmaxq_f32 would give NaN there. */
static inline vf vf_max(vf a, vf b)
{
    return vbslq_f32(vcgtq_f32(a, b), a, b);
}
/* a where y > 0, else b. */
static inline vf vf_positive(vf y, vf a, vf b)
{
    return vbslq_f32(vcgtzq_f32(y), a, b);
}
static inline vf vf_sqrt(vf a)
{
    return vsqrtq_f32(a);
}
/* Sum of the lanes, pairwise in a fixed order. */
static inline float vf_sum(vf a)
{
    const float32x2_t s = vadd_f32(vget_low_f32(a), vget_high_f32(a));
    return vget_lane_f32(s, 0) + vget_lane_f32(s, 1);
}

#endif
