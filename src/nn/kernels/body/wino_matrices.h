/* wino_matrices.h - the matrices of Winograd's convolution as sums on vectors; see wino.h. */

#define WINO_INLINE static inline __attribute__((always_inline))

/* The points of m=4: sqrt(1/2) and sqrt(2). */
#define WINO4_A 0.70710678118654752f
#define WINO4_B 1.41421356237309505f

/* o = B^T d, m=6 */
WINO_INLINE void bt6(const vf *d, vf *o)
{
    const vf c525 = vf_set1(5.25f), c425 = vf_set1(-4.25f), c25 = vf_set1(-2.5f),
             c125 = vf_set1(-1.25f), c5 = vf_set1(-5.f), c4 = vf_set1(4.f), c2 = vf_set1(2.f),
             c05 = vf_set1(0.5f), c025 = vf_set1(0.25f);
    o[0] = vf_fma(c525, vf_sub(d[4], d[2]), vf_sub(d[0], d[6]));
    o[7] = vf_fma(c525, vf_sub(d[3], d[5]), vf_sub(d[7], d[1]));
    vf e = vf_fma(c425, d[4], vf_add(d[2], d[6])), f = vf_fma(c425, d[3], vf_add(d[1], d[5]));
    o[1] = vf_add(e, f);
    o[2] = vf_sub(e, f);
    e = vf_fma(c125, d[4], vf_fma(c025, d[2], d[6]));
    f = vf_fma(c25, d[3], vf_fma(c05, d[1], vf_mul(c2, d[5])));
    o[3] = vf_add(e, f);
    o[4] = vf_sub(e, f);
    e = vf_fma(c5, d[4], vf_fma(c4, d[2], d[6]));
    f = vf_fma(c25, d[3], vf_fma(c2, d[1], vf_mul(c05, d[5])));
    o[5] = vf_add(e, f);
    o[6] = vf_sub(e, f);
}

/* o = A^T m, m=6 */
WINO_INLINE void at6(const vf *m, vf *o)
{
    const vf c2 = vf_set1(2.f), c4 = vf_set1(4.f), c8 = vf_set1(8.f), c16 = vf_set1(16.f),
             c32 = vf_set1(32.f), h = vf_set1(0.5f), h2 = vf_set1(0.25f), h3 = vf_set1(0.125f),
             h4 = vf_set1(0.0625f), h5 = vf_set1(0.03125f);
    vf a = vf_add(m[1], m[2]), b = vf_sub(m[1], m[2]);
    vf c = vf_add(m[3], m[4]), d = vf_sub(m[3], m[4]);
    vf e = vf_add(m[5], m[6]), f = vf_sub(m[5], m[6]);
    o[0] = vf_add(vf_add(m[0], a), vf_add(c, e));
    o[1] = vf_fma(h, f, vf_fma(c2, d, b));
    o[2] = vf_fma(h2, e, vf_fma(c4, c, a));
    o[3] = vf_fma(h3, f, vf_fma(c8, d, b));
    o[4] = vf_fma(h4, e, vf_fma(c16, c, a));
    o[5] = vf_fma(h5, f, vf_fma(c32, d, vf_add(m[7], b)));
}

/* o = B^T d, m=4 */
WINO_INLINE void bt4(const vf *d, vf *o)
{
    const vf n25 = vf_set1(-2.5f), n2 = vf_set1(-2.f), n05 = vf_set1(-0.5f);
    const vf a = vf_set1(WINO4_A), na = vf_set1(-WINO4_A), b = vf_set1(WINO4_B),
             nb = vf_set1(-WINO4_B);
    o[0] = vf_fma(n25, d[2], vf_add(d[0], d[4]));
    o[5] = vf_fma(n25, d[3], vf_add(d[1], d[5]));
    vf e = vf_fma(n2, d[2], d[4]), f = vf_fma(n2, d[1], d[3]);
    o[1] = vf_fma(a, f, e);
    o[2] = vf_fma(na, f, e);
    e = vf_fma(n05, d[2], d[4]);
    f = vf_fma(n05, d[1], d[3]);
    o[3] = vf_fma(b, f, e);
    o[4] = vf_fma(nb, f, e);
}

/* o = A^T m, m=4 */
WINO_INLINE void at4(const vf *m, vf *o)
{
    const vf ha = vf_set1(WINO4_A), hb = vf_set1(WINO4_B), c2 = vf_set1(2.f), h = vf_set1(0.5f);
    vf a = vf_add(m[1], m[2]), b = vf_sub(m[1], m[2]);
    vf c = vf_add(m[3], m[4]), d = vf_sub(m[3], m[4]);
    o[0] = vf_fma(hb, a, vf_fma(ha, c, m[0]));
    o[1] = vf_add(b, d);
    o[2] = vf_fma(ha, a, vf_mul(hb, c));
    o[3] = vf_fma(h, b, vf_fma(c2, d, m[5]));
}
