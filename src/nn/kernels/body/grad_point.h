/* grad_point.h - the pixel-wise kernels of training, compiled once per instruction set; see
 * kernels/grad.h. Sums over the pixels of a row are one chain a channel. */

void RS_SUFFIX(rs_norm_row)(const float *z, int pixels, int channels, const float *a,
                            const float *c, const float *res, float slope, float *out)
{
    const size_t ch = (size_t)channels;
    const vf s = vf_set1(slope);
    for (size_t k = 0; k < ch; k += VL) {
        const vf ak = vf_load(a + k), ck = vf_load(c + k);
        for (size_t i = k; i < (size_t)pixels * ch; i += ch) {
            vf y = vf_fma(ak, vf_load(z + i), ck);
            if (res) y = vf_add(y, vf_load(res + i));
            vf_store(out + i, vf_max(vf_mul(y, s), y));
        }
    }
}

void RS_SUFFIX(rs_norm_grad_row)(const float *d, const float *z, int pixels, int channels,
                                 const float *a, const float *b, const float *c, float *out)
{
    const size_t ch = (size_t)channels;
    for (size_t k = 0; k < ch; k += VL) {
        const vf ak = vf_load(a + k), bk = vf_load(b + k), ck = vf_load(c + k);
        for (size_t i = k; i < (size_t)pixels * ch; i += ch)
            vf_store(out + i, vf_fma(ak, vf_load(d + i), vf_fma(bk, vf_load(z + i), ck)));
    }
}

void RS_SUFFIX(rs_moments_row)(const float *v, int pixels, int channels, const float *shift,
                               float *sum, float *square)
{
    const size_t ch = (size_t)channels;
    for (size_t k = 0; k < ch; k += VL) {
        const vf mid = vf_load(shift + k);
        vf s = vf_load(sum + k), q = vf_load(square + k);
        for (size_t i = k; i < (size_t)pixels * ch; i += ch) {
            const vf x = vf_sub(vf_load(v + i), mid);
            s = vf_add(s, x);
            q = vf_fma(x, x, q);
        }
        vf_store(sum + k, s);
        vf_store(square + k, q);
    }
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

void RS_SUFFIX(rs_mask_row)(const rs_mask_row *a)
{
    const size_t ch = (size_t)a->channels;
    const vf slope = vf_set1(a->slope);
    for (size_t k = 0; k < ch; k += VL) {
        const vf mean = vf_load(a->mean + k);
        const vf ak = a->a ? vf_load(a->a + k) : vf_set1(1);
        const vf ck = a->a ? vf_load(a->c + k) : vf_set1(0);
        vf sum = vf_load(a->sum + k), dot = vf_load(a->dot + k);
        for (size_t i = k; i < (size_t)a->pixels * ch; i += ch) {
            const vf y = vf_fma(ak, vf_load(a->s + i), ck);
            vf d = vf_load(a->d + i);
            d = vf_positive(y, d, vf_mul(d, slope));
            sum = vf_add(sum, d);
            dot = vf_fma(d, vf_sub(vf_load(a->z + i), mean), dot);
            vf_store(a->d + i, d);
        }
        vf_store(a->sum + k, sum);
        vf_store(a->dot + k, dot);
    }
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
