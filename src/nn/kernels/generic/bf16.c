#include "nn/kernels/generic/vec.h"

#include "nn/kernels/body/declare_bf16.h"

#define BF_MR 4
#define BF_NV 2

typedef uint32_t vp __attribute__((vector_size(16)));

static inline vp vp_load(const uint16_t *p)
{
    vp v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline vp vp_set1(const uint16_t *p)
{
    uint32_t x;
    memcpy(&x, p, sizeof x);
    return (vp){x, x, x, x};
}
/* Member 0 or 1 of each pair as floats, whatever the order of bytes. */
static inline vf vp_member(vp a, int member)
{
    const uint16_t one[2] = {1, 0};
    uint32_t low;
    memcpy(&low, one, sizeof low); /* 1 where member 0 is the lower half of the word */
    const vp bits = (low == 1) == (member == 0) ? a << 16 : a & 0xffff0000u;
    vf v;
    memcpy(&v, &bits, sizeof v);
    return v;
}
static inline vf vp_dot(vf s, vp a, vp b)
{
    s = s + vp_member(a, 1) * vp_member(b, 1);
    return s + vp_member(a, 0) * vp_member(b, 0);
}
static inline void vf_store_bf16(uint16_t *p, vf v)
{
    for (int i = 0; i < VL; i++) p[i] = rs_to_bf16(v[i]);
}
static inline void vf_store2_bf16(uint16_t *p, vf v, vf w)
{
    vf_store_bf16(p, v);
    vf_store_bf16(p + VL, w);
}

#include "nn/kernels/body/bf16.h"
