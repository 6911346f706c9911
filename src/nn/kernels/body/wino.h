/* wino.h - the transforms of Winograd's convolution F(m x m, 3 x 3), compiled once per instruction
 * set.
 *
 * With T = m+2, Y = A^T [ (G g G^T) * (B^T d B) ] A for an input tile d (T x T) and a filter g (3 x
 * 3); the product * is elementwise per tile, and summed over the input channels it is one matrix
 * product per element f = i*T+j. The matrices follow from the interpolation points 0, 1, -1, 2, -2
 * (m=4) and those with 1/2, -1/2 (m=6); Lavin & Gray, arXiv:1509.09308, and the Cook-Toom
 * construction. Even and odd rows of each matrix share their sums, which is what the temporaries
 * below are. */

#define WINO_INLINE static inline __attribute__((always_inline))

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
    const vf c4 = vf_set1(4.f), n4 = vf_set1(-4.f), n5 = vf_set1(-5.f), c2 = vf_set1(2.f);
    o[0] = vf_fma(c4, d[0], vf_fma(n5, d[2], d[4]));
    o[5] = vf_fma(c4, d[1], vf_fma(n5, d[3], d[5]));
    vf e = vf_fma(n4, d[2], d[4]), f = vf_fma(n4, d[1], d[3]);
    o[1] = vf_add(e, f);
    o[2] = vf_sub(e, f);
    e = vf_sub(d[4], d[2]);
    f = vf_mul(c2, vf_sub(d[3], d[1]));
    o[3] = vf_add(e, f);
    o[4] = vf_sub(e, f);
}

/* o = A^T m, m=4 */
WINO_INLINE void at4(const vf *m, vf *o)
{
    const vf c2 = vf_set1(2.f), c4 = vf_set1(4.f), c8 = vf_set1(8.f);
    vf a = vf_add(m[1], m[2]), b = vf_sub(m[1], m[2]);
    vf c = vf_add(m[3], m[4]), d = vf_sub(m[3], m[4]);
    o[0] = vf_add(m[0], vf_add(a, c));
    o[1] = vf_fma(c2, d, b);
    o[2] = vf_fma(c4, c, a);
    o[3] = vf_fma(c8, d, vf_add(m[5], b));
}

/* The input transform of a row of tiles. m and t=m+2 are constants at each call. */
WINO_INLINE void wino_in_tile(const int m, const rs_wino_in *a, void (*bt)(const vf *, vf *),
                              int tile, size_t c)
{
    const int t = m + 2;
    const size_t ch = (size_t)a->channels, at = (size_t)tile * (size_t)m * ch + c;
    float *v = a->v + (size_t)tile * ch + c;
    vf x[8][8], col[8], o[8];
#pragma GCC unroll 6
    for (int j = 0; j < t; j++) {
#pragma GCC unroll 8
        for (int i = 0; i < t; i++) col[i] = vf_load(a->row[i] + at + (size_t)j * ch);
        if (j >= 2) /* columns that the next tile adds */
            for (int i = 0; i < t; i++)
                __builtin_prefetch(a->row[i] + at + (size_t)(j + m) * ch, 0, 3);
        bt(col, o);
#pragma GCC unroll 8
        for (int i = 0; i < t; i++) x[i][j] = o[i];
    }
#pragma GCC unroll 6
    for (int i = 0; i < t; i++) {
        bt(x[i], o);
#pragma GCC unroll 8
        for (int j = 0; j < t; j++) vf_store(v + (size_t)(i * t + j) * a->v_stride, o[j]);
    }
}

/* The input transform of a row of tiles. m is a constant at each call. */
WINO_INLINE void wino_in(const int m, const rs_wino_in *a, void (*bt)(const vf *, vf *))
{
    for (int tile = 0; tile < a->tiles; tile++)
        for (int c = 0; c < a->channels; c += VL) wino_in_tile(m, a, bt, tile, (size_t)c);
}

/* One tile's channels from c on: rows x cols pixels of it lie in the frame. */
WINO_INLINE void wino_out_tile(const int m, const rs_wino_out *a, void (*at)(const vf *, vf *),
                               int tile, size_t c, const int rows, const int cols)
{
    const int t = m + 2;
    const size_t ch = (size_t)a->channels;
    const vf slope = vf_set1(a->slope);
    const float *src = a->prod + (size_t)tile * ch + c;
    const size_t base = (size_t)tile * (size_t)m * ch + c;
    const vf bias = vf_load(a->bias + c);
    vf x[6][8], col[8], o[8];
#pragma GCC unroll 8
    for (int j = 0; j < t; j++) {
#pragma GCC unroll 8
        for (int i = 0; i < t; i++) col[i] = vf_load(src + (size_t)(i * t + j) * a->prod_stride);
        at(col, o);
#pragma GCC unroll 6
        for (int i = 0; i < m; i++) x[i][j] = o[i];
    }
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) {
        at(x[i], o);
#pragma GCC unroll 6
        for (int j = 0; j < cols; j++) {
            const size_t p = base + (size_t)j * ch;
            __builtin_prefetch(a->out[i] + p + (size_t)m * ch, 1, 3);
            vf y = vf_add(o[j], bias);
            if (a->res[0]) {
                __builtin_prefetch(a->res[i] + p + (size_t)m * ch, 0, 3);
                y = vf_add(y, vf_load(a->res[i] + p));
            }
            vf_store(a->out[i] + p, vf_max(vf_mul(y, slope), y));
        }
    }
}

WINO_INLINE void wino_out(const int m, const rs_wino_out *a, void (*at)(const vf *, vf *))
{
    for (int tile = 0; tile < a->tiles; tile++) {
        const int left = a->width - tile * m, cols = left < m ? left : m;
        if (a->rows == m && cols == m)
            for (int c = 0; c < a->channels; c += VL)
                wino_out_tile(m, a, at, tile, (size_t)c, m, m);
        else
            for (int c = 0; c < a->channels; c += VL)
                wino_out_tile(m, a, at, tile, (size_t)c, a->rows, cols);
    }
}

void RS_SUFFIX(rs_wino_in4)(const rs_wino_in *a)
{
    wino_in(4, a, bt4);
}
void RS_SUFFIX(rs_wino_in6)(const rs_wino_in *a)
{
    wino_in(6, a, bt6);
}
void RS_SUFFIX(rs_wino_out4)(const rs_wino_out *a)
{
    wino_out(4, a, at4);
}
void RS_SUFFIX(rs_wino_out6)(const rs_wino_out *a)
{
    wino_out(6, a, at6);
}
