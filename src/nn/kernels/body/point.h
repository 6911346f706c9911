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

void RS_SUFFIX(rs_pool_row)(const float *a, const float *b, int out_pixels, int channels,
                            float *out)
{
    const size_t ch = (size_t)channels;
    for (int p = 0; p < out_pixels; p++, a += 2 * ch, b += 2 * ch, out += ch)
        for (size_t c = 0; c < ch; c += VL)
            vf_store(out + c, vf_max(vf_max(vf_load(a + c), vf_load(a + ch + c)),
                                     vf_max(vf_load(b + c), vf_load(b + ch + c))));
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
