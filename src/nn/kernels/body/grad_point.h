/* grad_point.h - the pixel-wise kernels of training, compiled once per instruction set; see
 * kernels/grad.h. Sums over the pixels of a row are one chain a channel. */

/* Pixel by pixel, as rows lie in memory, with up to POINT_NV vectors of channels at a time, whose
 * coefficients and sums stay in registers. nv is a constant at each call. */
#define POINT_NV (VL == 16 ? 4 : 2)
#define POINT_INLINE static inline __attribute__((always_inline))
#define POINT_ALL(call, channels)                                                                  \
    do {                                                                                           \
        size_t k = 0;                                                                              \
        for (; k + POINT_NV * VL <= (size_t)(channels); k += POINT_NV * VL) call(POINT_NV);        \
        for (; k + 2 * VL <= (size_t)(channels); k += 2 * VL) call(2);                             \
        for (; k < (size_t)(channels); k += VL) call(1);                                           \
    } while (0)

POINT_INLINE void norm_part(const int nv, const float *z, size_t n, size_t ch, size_t k,
                            const float *a, const float *c, const float *res, vf slope, float *out)
{
    vf av[4], cv[4];
#pragma GCC unroll 4
    for (int v = 0; v < nv; v++) {
        av[v] = vf_load(a + k + (size_t)(v * VL));
        cv[v] = vf_load(c + k + (size_t)(v * VL));
    }
    for (size_t i = k; i < n; i += ch)
#pragma GCC unroll 4
        for (int v = 0; v < nv; v++) {
            const size_t at = i + (size_t)(v * VL);
            vf y = vf_fma(av[v], vf_load(z + at), cv[v]);
            if (res) y = vf_add(y, vf_load(res + at));
            vf_store(out + at, vf_max(vf_mul(y, slope), y));
        }
}

void RS_SUFFIX(rs_norm_row)(const float *z, int pixels, int channels, const float *a,
                            const float *c, const float *res, float slope, float *out)
{
    const size_t ch = (size_t)channels, n = (size_t)pixels * ch;
    const vf s = vf_set1(slope);
#define CALL(nv) norm_part(nv, z, n, ch, k, a, c, NULL, s, out)
#define CALL_RES(nv) norm_part(nv, z, n, ch, k, a, c, res, s, out)
    if (res)
        POINT_ALL(CALL_RES, channels);
    else
        POINT_ALL(CALL, channels);
#undef CALL_RES
#undef CALL
}

POINT_INLINE void norm_grad_part(const int nv, const float *d, const float *z, size_t n, size_t ch,
                                 size_t k, const float *a, const float *b, const float *c,
                                 float *out)
{
    vf av[4], bv[4], cv[4];
#pragma GCC unroll 4
    for (int v = 0; v < nv; v++) {
        av[v] = vf_load(a + k + (size_t)(v * VL));
        bv[v] = vf_load(b + k + (size_t)(v * VL));
        cv[v] = vf_load(c + k + (size_t)(v * VL));
    }
    for (size_t i = k; i < n; i += ch)
#pragma GCC unroll 4
        for (int v = 0; v < nv; v++) {
            const size_t at = i + (size_t)(v * VL);
            vf_store(out + at,
                     vf_fma(av[v], vf_load(d + at), vf_fma(bv[v], vf_load(z + at), cv[v])));
        }
}

void RS_SUFFIX(rs_norm_grad_row)(const float *d, const float *z, int pixels, int channels,
                                 const float *a, const float *b, const float *c, float *out)
{
    const size_t ch = (size_t)channels, n = (size_t)pixels * ch;
#define CALL(nv) norm_grad_part(nv, d, z, n, ch, k, a, b, c, out)
    POINT_ALL(CALL, channels);
#undef CALL
}

POINT_INLINE void moments_part(const int nv, const float *x, size_t n, size_t ch, size_t k,
                               const float *shift, float *sum, float *square)
{
    vf mid[4], s[4], q[4];
#pragma GCC unroll 4
    for (int v = 0; v < nv; v++) {
        mid[v] = vf_load(shift + k + (size_t)(v * VL));
        s[v] = vf_load(sum + k + (size_t)(v * VL));
        q[v] = vf_load(square + k + (size_t)(v * VL));
    }
    for (size_t i = k; i < n; i += ch)
#pragma GCC unroll 4
        for (int v = 0; v < nv; v++) {
            const vf y = vf_sub(vf_load(x + i + (size_t)(v * VL)), mid[v]);
            s[v] = vf_add(s[v], y);
            q[v] = vf_fma(y, y, q[v]);
        }
#pragma GCC unroll 4
    for (int v = 0; v < nv; v++) {
        vf_store(sum + k + (size_t)(v * VL), s[v]);
        vf_store(square + k + (size_t)(v * VL), q[v]);
    }
}

void RS_SUFFIX(rs_moments_row)(const float *v, int pixels, int channels, const float *shift,
                               float *sum, float *square)
{
    const size_t ch = (size_t)channels, n = (size_t)pixels * ch;
#define CALL(nv) moments_part(nv, v, n, ch, k, shift, sum, square)
    POINT_ALL(CALL, channels);
#undef CALL
}

void RS_SUFFIX(rs_sum_row)(const float *v, int pixels, int channels, float *sum)
{
    const size_t ch = (size_t)channels;
    for (size_t k = 0; k < ch; k += VL) {
        vf s = vf_load(sum + k);
        for (size_t i = k; i < (size_t)pixels * ch; i += ch) s = vf_add(s, vf_load(v + i));
        vf_store(sum + k, s);
    }
}

/* affine: y is a*s + c, else s. */
POINT_INLINE void mask_part(const int nv, const int affine, const rs_mask_row *m, size_t n,
                            size_t ch, size_t k)
{
    const vf slope = vf_set1(m->slope);
    vf mean[4], a[4], c[4], sum[4], dot[4];
#pragma GCC unroll 4
    for (int v = 0; v < nv; v++) {
        const size_t at = k + (size_t)(v * VL);
        mean[v] = vf_load(m->mean + at);
        sum[v] = vf_load(m->sum + at);
        dot[v] = vf_load(m->dot + at);
        if (affine) {
            a[v] = vf_load(m->a + at);
            c[v] = vf_load(m->c + at);
        }
    }
    for (size_t i = k; i < n; i += ch)
#pragma GCC unroll 4
        for (int v = 0; v < nv; v++) {
            const size_t at = i + (size_t)(v * VL);
            vf y = vf_load(m->s + at), d = vf_load(m->d + at);
            if (affine) y = vf_fma(a[v], y, c[v]);
            d = vf_positive(y, d, vf_mul(d, slope));
            sum[v] = vf_add(sum[v], d);
            dot[v] = vf_fma(d, vf_sub(vf_load(m->z + at), mean[v]), dot[v]);
            vf_store(m->d + at, d);
        }
#pragma GCC unroll 4
    for (int v = 0; v < nv; v++) {
        vf_store(m->sum + k + (size_t)(v * VL), sum[v]);
        vf_store(m->dot + k + (size_t)(v * VL), dot[v]);
    }
}

void RS_SUFFIX(rs_mask_row)(const rs_mask_row *a)
{
    const size_t ch = (size_t)a->channels, n = (size_t)a->pixels * ch;
#define CALL(nv) mask_part(nv, 0, a, n, ch, k)
#define CALL_AFFINE(nv) mask_part(nv, 1, a, n, ch, k)
    if (a->a)
        POINT_ALL(CALL_AFFINE, a->channels);
    else
        POINT_ALL(CALL, a->channels);
#undef CALL_AFFINE
#undef CALL
}

/* Adds x to *to where y >= best, and says what is left of x: x goes to the first of the largest. */
static inline vf take(vf y, vf best, vf x, float *to)
{
    const vf zero = vf_set1(0), less = vf_sub(best, y);
    vf_store(to, vf_add(vf_load(to), vf_positive(less, zero, x)));
    return vf_positive(less, x, zero);
}

void RS_SUFFIX(rs_pool_grad_row)(const float *a, const float *b, const float *d, int out_pixels,
                                 int channels, float *da, float *db)
{
    const size_t ch = (size_t)channels;
    for (int p = 0; p < out_pixels; p++) {
        const size_t at = 2 * (size_t)p * ch;
        for (size_t c = 0; c < ch; c += VL) {
            const size_t i = at + c, j = i + ch;
            const vf a0 = vf_load(a + i), a1 = vf_load(a + j);
            const vf b0 = vf_load(b + i), b1 = vf_load(b + j);
            const vf best = vf_max(vf_max(a0, a1), vf_max(b0, b1));
            vf x = vf_load(d + (size_t)p * ch + c);
            x = take(a0, best, x, da + i);
            x = take(a1, best, x, da + j);
            x = take(b0, best, x, db + i);
            take(b1, best, x, db + j);
        }
    }
}

void RS_SUFFIX(rs_head_grad_row)(const float *in, const float *s, int pixels, int channels,
                                 const float *w, float *dw, float *out)
{
    const size_t ch = (size_t)channels;
    for (size_t k = 0; k < ch; k += VL) {
        const vf wk = vf_load(w + k);
        vf sum = vf_load(dw + k);
        for (size_t p = 0, i = k; p < (size_t)pixels; p++, i += ch) {
            const vf sp = vf_set1(s[p]);
            sum = vf_fma(sp, vf_load(in + i), sum);
            vf_store(out + i, vf_mul(sp, wk));
        }
        vf_store(dw + k, sum);
    }
}

void RS_SUFFIX(rs_adamw_step)(const rs_adamw *a, const float *g, size_t n, float *p, float *m,
                              float *v)
{
    const vf scale = vf_set1(a->scale), b1 = vf_set1(a->beta1), r1 = vf_set1(a->rest1);
    const vf b2 = vf_set1(a->beta2), r2 = vf_set1(a->rest2), keep = vf_set1(a->keep);
    const vf rate = vf_set1(-a->rate), root = vf_set1(a->root), eps = vf_set1(a->epsilon);
    for (size_t i = 0; i < n; i += VL) {
        const vf gi = vf_mul(scale, vf_load(g + i));
        const vf mi = vf_fma(b1, vf_load(m + i), vf_mul(r1, gi));
        const vf vi = vf_fma(b2, vf_load(v + i), vf_mul(vf_mul(r2, gi), gi));
        const vf below = vf_fma(root, vf_sqrt(vi), eps);
        vf_store(m + i, mi);
        vf_store(v + i, vi);
        vf_store(p + i,
                 vf_fma(vf_mul(rate, mi), vf_div(vf_set1(1), below), vf_mul(keep, vf_load(p + i))));
    }
}
