/* point.h - pixel-wise kernels, compiled once per instruction set. */

void RS_SUFFIX(rs_from_one)(const float *x, int pixels, int cout, const float *w, const float *bias,
                            float *out)
{
    for (int p = 0; p < pixels; p++, out += cout) {
        const vf xp = vf_set1(x[p]);
        for (int n = 0; n < cout; n += VL)
            vf_store(out + n, vf_fma(xp, vf_load(w + n), vf_load(bias + n)));
    }
}

void RS_SUFFIX(rs_pool_row)(const float *a, const float *b, size_t stride, int out_pixels,
                            int channels, float *out)
{
    const size_t ch = (size_t)channels;
    for (int p = 0; p < out_pixels; p++, a += 2 * stride, b += 2 * stride, out += ch)
        for (size_t c = 0; c < ch; c += VL)
            vf_store(out + c, vf_max(vf_max(vf_load(a + c), vf_load(a + stride + c)),
                                     vf_max(vf_load(b + c), vf_load(b + stride + c))));
}

/* Pixel p of the row between a and b. */
static inline vf grow_between(const float *a, const float *b, vf t, size_t p)
{
    const vf x = vf_load(a + p);
    return vf_fma(t, vf_sub(vf_load(b + p), x), x);
}

void RS_SUFFIX(rs_grow_row)(const float *a, const float *b, float t, float side, int pixels,
                            int channels, float *out, size_t stride)
{
    const size_t ch = (size_t)channels;
    const vf vt = vf_set1(t), vs = vf_set1(side);
    for (size_t c = 0; c < ch; c += VL) {
        vf here = grow_between(a, b, vt, c), before = here;
        float *to = out + c;
        for (int p = 0; p < pixels; p++, to += 2 * stride) {
            const vf after =
                p + 1 < pixels ? grow_between(a, b, vt, (size_t)(p + 1) * ch + c) : here;
            vf_store(to, vf_fma(vs, vf_sub(before, here), here));
            vf_store(to + stride, vf_fma(vs, vf_sub(after, here), here));
            before = here;
            here = after;
        }
    }
}

void RS_SUFFIX(rs_bend_row)(const float *z, int pixels, int channels, const float *up,
                            const float *down, const float *shift, bool add, float *out,
                            size_t stride)
{
    for (int p = 0; p < pixels; p++, z += channels, out += stride)
        for (int c = 0; c < channels; c += VL) {
            const vf x = vf_load(z + c);
            const vf slope = vf_positive(x, vf_load(up + c), vf_load(down + c));
            vf y = vf_fma(x, slope, vf_load(shift + c));
            if (add) y = vf_add(vf_load(out + c), y);
            vf_store(out + c, y);
        }
}

void RS_SUFFIX(rs_bias_act)(float *v, int pixels, int channels, const float *bias, const float *res,
                            float slope)
{
    const vf s = vf_set1(slope);
    for (int p = 0; p < pixels; p++, v += channels) {
        for (int c = 0; c < channels; c += VL) {
            vf y = vf_add(vf_load(v + c), vf_load(bias + c));
            if (res) y = vf_add(y, vf_load(res + (size_t)p * (size_t)channels + (size_t)c));
            if (slope != 1) y = vf_max(vf_mul(y, s), y);
            vf_store(v + c, y);
        }
    }
}

/* exp(x) for x in [-87,88]: x = n ln 2 + r with |r| <= ln 2 / 2, then a polynomial in r that is
 * within 1e-7 of exp (Cephes' coefficients), times 2^n. ln 2 is split so that n ln 2 is exact. */
static inline vf vf_exp(vf x)
{
    const vf n = vf_round(vf_mul(x, vf_set1(0x1.715476p+0f)));
    vf r = vf_fma(n, vf_set1(-0.693359375f), x);
    r = vf_fma(n, vf_set1(2.12194440e-4f), r);
    vf p = vf_set1(1.9875691500e-4f);
    p = vf_fma(p, r, vf_set1(1.3981999507e-3f));
    p = vf_fma(p, r, vf_set1(8.3334519073e-3f));
    p = vf_fma(p, r, vf_set1(4.1665795894e-2f));
    p = vf_fma(p, r, vf_set1(1.6666665459e-1f));
    p = vf_fma(p, r, vf_set1(0.5f));
    p = vf_fma(p, vf_mul(r, r), vf_add(r, vf_set1(1)));
    return vf_scale2(p, n);
}

/* Beyond 87 in either direction the probability is 0 or 1 to the last bit that matters. */
static inline vf vf_sigmoid(vf x)
{
    const vf limit = vf_set1(87);
    x = vf_sub(vf_set1(0), x);
    x = vf_max(x, vf_sub(vf_set1(0), limit));
    x = vf_sub(vf_set1(0), vf_max(vf_sub(vf_set1(0), x), vf_sub(vf_set1(0), limit)));
    return vf_div(vf_set1(1), vf_add(vf_set1(1), vf_exp(x)));
}

void RS_SUFFIX(rs_sigmoid)(float *v, size_t n)
{
    size_t i = 0;
    for (; i + VL <= n; i += VL) vf_store(v + i, vf_sigmoid(vf_load(v + i)));
    if (i < n) { /* the rest through a full vector, so that no value's bits depend on its place */
        float rest[VL] = {0};
        for (size_t k = i; k < n; k++) rest[k - i] = v[k];
        vf_store(rest, vf_sigmoid(vf_load(rest)));
        for (size_t k = i; k < n; k++) v[k] = rest[k - i];
    }
}

void RS_SUFFIX(rs_head_row)(const float *in, int pixels, int channels, int heads, const float *w,
                            const float *bias, float *out)
{
    for (int p = 0; p < pixels; p++, in += channels) {
        for (int h = 0; h < heads; h++) {
            const float *wh = w + (size_t)h * (size_t)channels;
            vf s = vf_set1(0);
            for (int c = 0; c < channels; c += VL) s = vf_fma(vf_load(in + c), vf_load(wh + c), s);
            out[(size_t)p * (size_t)heads + (size_t)h] = bias[h] + vf_sum(s);
        }
    }
}
