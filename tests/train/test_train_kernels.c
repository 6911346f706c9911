/* The kernels of training of every instruction set, one by one, against plain loops in double precision. Outputs
 * that are written are NaN beforehand; all stand between guard bands. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "nn/kernels/kernels.h"
#include "support/tolerance.h"

#define GUARD 64
#define MAX_CHANNELS 96

/* n floats between guards: NaN when r is NULL, else random. */
static float *guarded(test_rng *r, size_t n)
{
    float *p = rs_alloc(n + 2 * GUARD, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n + 2 * GUARD; i++)
        p[i] = i < GUARD || i >= n + GUARD ? -1e30f : r ? (float)test_gauss(r) : NAN;
    return p + GUARD;
}

static void release(float *p, size_t n)
{
    for (int i = 1; i <= GUARD; i++) assert_true(p[-i] == -1e30f && p[n + (size_t)i - 1] == -1e30f);
    rs_free(p - GUARD);
}

static void near(double got, double want, double limit, const char *what, rs_isa isa)
{
    if (!(fabs(got - want) <= limit))
        fail_msg("%s %s: %.9g instead of %.9g (limit %.3g)", rs_isa_name(isa), what, got, want,
                 limit);
}

typedef void (*isa_test)(const rs_kernels *k, test_rng *r);

static void for_each_isa(isa_test test)
{
    for (int isa = RS_ISA_GENERIC; isa <= (int)rs_isa_best(); isa = test_next_isa(isa)) {
        rs_kernels k;
        rs_kernels_get((rs_isa)isa, &k);
        test_rng r = {test_seed()};
        test(&k, &r);
    }
}

/* ---------------------------------------------------------------------------------------- products */

static void outer_case(const rs_kernels *k, test_rng *r, int rows, int cols, int count)
{
    const size_t na = (size_t)(rows * count), nb = (size_t)(cols * count),
                 n = (size_t)(rows * cols);
    float *a = guarded(r, na), *b = guarded(r, nb), *sum = guarded(r, n), *was = guarded(NULL, n);
    memcpy(was, sum, n * sizeof *sum);
    const rs_outer o = {.a = a,
                        .b = b,
                        .a_stride = (size_t)rows,
                        .b_stride = (size_t)cols,
                        .count = count,
                        .rows = rows,
                        .cols = cols,
                        .sum = sum};
    k->grad.outer(&o);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++) {
            double s = (double)was[i * cols + j];
            for (int t = 0; t < count; t++) s += (double)a[t * rows + i] * (double)b[t * cols + j];
            near((double)sum[i * cols + j], s, sqrt(count + 1.) * TOL_SUM(count + 1), "outer",
                 k->isa);
        }
    release(a, na);
    release(b, nb);
    release(sum, n);
    release(was, n);
}

static void outer_isa(const rs_kernels *k, test_rng *r)
{
    static const int rows[] = {1, 3, 8, 16, 17, 24, 64};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int cols = 16; cols <= 64; cols += 16) outer_case(k, r, rows[i], cols, 13);
    outer_case(k, r, 32, 48, 1);
    outer_case(k, r, 32, 48, 0);
}

static void outer(void **state)
{
    (void)state;
    for_each_isa(outer_isa);
}

/* ---------------------------------------------------------------------------- Winograd's transforms */

/* The gradient of a convolution's weights by transforms and outer products of each element, and its
 * output by transformed filters, for one row of tiles. */
static void wino_isa(const rs_kernels *k, test_rng *r)
{
    enum { C = 48, TILES = 3, SPAN = 4 * TILES + 2, STRIDE = TILES * C };
    const size_t nx = 6 * SPAN * C, ny = 4 * (SPAN - 2) * C, nf = 36 * STRIDE, nw = 9 * C * C;
    float *x = guarded(r, nx), *dy = guarded(r, ny), *v = guarded(NULL, nf), *d = guarded(NULL, nf);
    float *du = guarded(r, 36 * C * C), *dw = guarded(NULL, nw);
    memset(du, 0, 36 * C * C * sizeof *du);
    rs_wino_in in = {.tiles = TILES, .channels = C, .step = C, .v = v, .v_stride = STRIDE};
    for (int i = 0; i < 6; i++) in.row[i] = x + i * SPAN * C;
    k->wino_in[0](&in);
    rs_wino_grad g = {.tiles = TILES, .channels = C, .d = d, .d_stride = STRIDE};
    for (int i = 0; i < 4; i++) g.row[i] = dy + i * (SPAN - 2) * C;
    k->grad.wino_grad(&g);
    for (int f = 0; f < 36; f++) {
        const rs_outer o = {.a = v + f * STRIDE,
                            .b = d + f * STRIDE,
                            .a_stride = C,
                            .b_stride = C,
                            .count = TILES,
                            .rows = C,
                            .cols = C,
                            .sum = du + f * C * C};
        k->grad.outer(&o);
    }
    k->grad.wino_filter_grad(du, C, C, dw);
    for (int t = 0; t < 9; t++)
        for (int i = 0; i < C; i += 5)
            for (int n = 0; n < C; n += 7) {
                double s = 0;
                for (int y = 0; y < 4; y++)
                    for (int p = 0; p < SPAN - 2; p++)
                        s += (double)x[((y + t / 3) * SPAN + p + t % 3) * C + i] *
                             (double)dy[(y * (SPAN - 2) + p) * C + n];
                near((double)dw[(t * C + i) * C + n], s, 7 * TOL_WINO4(48), "weight gradient",
                     k->isa);
            }
    release(x, nx);
    release(dy, ny);
    release(v, nf);
    release(d, nf);
    release(du, 36 * C * C);
    release(dw, nw);
}

static void weight_gradient_in_winograds_domain(void **state)
{
    (void)state;
    for_each_isa(wino_isa);
}

/* U in mac's layout: the product with a unit vector gives a column back. */
static void filter_isa(const rs_kernels *k, test_rng *r)
{
    enum { CIN = 32, COUT = 48 };
    const double q = sqrt(2);
    const double g4[6][3] = {{1, 0, 0},
                             {-q / 3, -1 / 3., -q / 6},
                             {-q / 3, 1 / 3., -q / 6},
                             {q / 6, 1 / 3., q / 3},
                             {q / 6, -1 / 3., q / 3},
                             {0, 0, 1}};
    const size_t nw = 9 * CIN * COUT, nu = 36 * CIN * COUT;
    float *w = guarded(r, nw), *u = guarded(NULL, nu), out[COUT], unit[CIN] = {0};
    k->grad.wino_filter(w, CIN, COUT, u);
    for (int i = 0; i < CIN; i += 9)
        for (int f = 0; f < 36; f++) {
            unit[i] = 1;
            const rs_mac a = {.in = {unit},
                              .in_stride = CIN,
                              .kh = 1,
                              .kw = 1,
                              .cin = CIN,
                              .cout = COUT,
                              .w = u + f * CIN * COUT,
                              .slope = 1,
                              .out = out,
                              .out_stride = COUT,
                              .pixels = 1};
            k->mac(&a);
            unit[i] = 0;
            for (int n = 0; n < COUT; n++) {
                double s = 0;
                for (int t = 0; t < 9; t++)
                    s += g4[f / 6][t / 3] * g4[f % 6][t % 3] * (double)w[(t * CIN + i) * COUT + n];
                near((double)out[n], s, TOL_SUM(18), "filter", k->isa);
            }
        }
    release(w, nw);
    release(u, nu);
}

static void filters_in_winograds_domain(void **state)
{
    (void)state;
    for_each_isa(filter_isa);
}

/* ------------------------------------------------------------------------------------ pixel by pixel */

static void norm_case(const rs_kernels *k, test_rng *r, int px, int c)
{
    const size_t n = (size_t)(px * c), ch = (size_t)c;
    float *z = guarded(r, n), *d = guarded(r, n), *out = guarded(NULL, n);
    float *a = guarded(r, ch), *b = guarded(r, ch), *e = guarded(r, ch);
    float *sum = guarded(r, ch), *dot = guarded(r, ch), was[2][MAX_CHANNELS];
    for (int res = 0; res < 2; res++) {
        k->grad.norm_row(z, px, c, a, e, res ? d : NULL, 0.01f, out);
        for (size_t i = 0; i < n; i++) {
            const double y =
                (double)a[i % ch] * (double)z[i] + (double)e[i % ch] + (res ? (double)d[i] : 0);
            near((double)out[i], y < 0 ? 0.01 * y : y, 4 * TOL_SUM(3), "norm_row", k->isa);
        }
    }
    k->grad.norm_grad_row(d, z, px, c, a, b, e, out);
    for (size_t i = 0; i < n; i++)
        near((double)out[i],
             (double)a[i % ch] * (double)d[i] + (double)b[i % ch] * (double)z[i] +
                 (double)e[i % ch],
             4 * TOL_SUM(3), "norm_grad_row", k->isa);
    for (int pass = 0; pass < 4; pass++) { /* moments, sums, mask with and without a and c */
        double want[2][MAX_CHANNELS];
        memcpy(was[0], sum, ch * sizeof *sum);
        memcpy(was[1], dot, ch * sizeof *dot);
        for (size_t i = 0; i < ch; i++) {
            want[0][i] = (double)was[0][i];
            want[1][i] = (double)was[1][i];
        }
        memcpy(out, d, n * sizeof *out);
        const rs_mask_row m = {.d = out,
                               .s = z,
                               .a = pass == 3 ? a : NULL,
                               .c = e,
                               .z = z,
                               .mean = b,
                               .slope = 0.01f,
                               .pixels = px,
                               .channels = c,
                               .sum = sum,
                               .dot = dot};
        if (pass == 0) k->grad.moments_row(z, px, c, b, sum, dot);
        if (pass == 1) k->grad.sum_row(z, px, c, sum);
        if (pass >= 2) k->grad.mask_row(&m);
        for (size_t i = 0; i < n; i++) {
            const size_t j = i % ch;
            const double zi = (double)z[i], off = zi - (double)b[j];
            const double y = pass == 3 ? (double)a[j] * zi + (double)e[j] : zi;
            const double di = (double)d[i] * (y > 0 ? 1 : 0.01);
            if (pass >= 2) near((double)out[i], di, TOL_SUM(1), "mask_row", k->isa);
            want[0][j] += pass == 0 ? off : pass == 1 ? zi : di;
            want[1][j] += pass == 0 ? off * off : pass == 1 ? 0 : di * off;
        }
        for (size_t i = 0; i < ch; i++) {
            near((double)sum[i], want[0][i], 8 * px * TOL_SUM(px), "sums", k->isa);
            near((double)dot[i], want[1][i], 8 * px * TOL_SUM(px), "sums of products", k->isa);
        }
    }
    release(z, n);
    release(d, n);
    release(out, n);
    float *rest[] = {a, b, e, sum, dot};
    for (int i = 0; i < 5; i++) release(rest[i], ch);
}

static void norm_isa(const rs_kernels *k, test_rng *r)
{
    for (int c = 16; c <= MAX_CHANNELS; c += 16) norm_case(k, r, 7, c);
    norm_case(k, r, 1, 32);
}

static void normalisation_and_activation(void **state)
{
    (void)state;
    for_each_isa(norm_isa);
}

static void pool_isa(const rs_kernels *k, test_rng *r)
{
    enum { PX = 5, C = 32 };
    const size_t n = 2 * PX * C;
    float *in[2] = {guarded(r, n), guarded(r, n)}, *to[2] = {guarded(r, n), guarded(r, n)};
    float *d = guarded(r, PX * C), *was[2] = {guarded(NULL, n), guarded(NULL, n)};
    for (int y = 0; y < 2; y++) {
        for (size_t i = 0; i < n; i++) in[y][i] = floorf(2 * in[y][i]); /* many are equal */
        memcpy(was[y], to[y], n * sizeof **was);
    }
    k->grad.pool_grad_row(in[0], in[1], d, PX, C, to[0], to[1]);
    for (int p = 0; p < PX; p++)
        for (int c = 0; c < C; c++) {
            int best = 0;
            for (int i = 1; i < 4; i++)
                if (in[i / 2][(2 * p + i % 2) * C + c] > in[best / 2][(2 * p + best % 2) * C + c])
                    best = i;
            for (int i = 0; i < 4; i++) {
                const int at = (2 * p + i % 2) * C + c;
                assert_true(to[i / 2][at] == was[i / 2][at] + (i == best ? d[p * C + c] : 0));
            }
        }
    for (int y = 0; y < 2; y++) {
        release(in[y], n);
        release(to[y], n);
        release(was[y], n);
    }
    release(d, PX * C);
}

static void pool_gives_to_the_first_maximum(void **state)
{
    (void)state;
    for_each_isa(pool_isa);
}

static void head_isa(const rs_kernels *k, test_rng *r)
{
    enum { PX = 9, C = 48 };
    float *in = guarded(r, PX * C), *s = guarded(r, PX), *w = guarded(r, C), *dw = guarded(r, C);
    float *out = guarded(NULL, PX * C), was[C];
    memcpy(was, dw, sizeof was);
    k->grad.head_grad_row(in, s, PX, C, w, dw, out);
    for (int c = 0; c < C; c++) {
        double sum = (double)was[c];
        for (int p = 0; p < PX; p++) {
            sum += (double)s[p] * (double)in[p * C + c];
            assert_true(out[p * C + c] == s[p] * w[c]);
        }
        near((double)dw[c], sum, 4 * TOL_SUM(PX), "head", k->isa);
    }
    release(in, PX * C);
    release(s, PX);
    release(w, C);
    release(dw, C);
    release(out, PX * C);
}

static void heads(void **state)
{
    (void)state;
    for_each_isa(head_isa);
}

static void adamw_isa(const rs_kernels *k, test_rng *r)
{
    enum { N = 48 };
    float *g = guarded(r, N), *p = guarded(r, N), *m = guarded(r, N), *v = guarded(r, N);
    float p0[N], m0[N], v0[N];
    for (int i = 0; i < N; i++) v[i] = fabsf(v[i]);
    g[3] = m[3] = v[3] = 0; /* nothing learnt yet: no division by zero */
    memcpy(p0, p, sizeof p0);
    memcpy(m0, m, sizeof m0);
    memcpy(v0, v, sizeof v0);
    const rs_adamw a = {0.5f, 0.9f, 0.1f, 0.999f, 0.001f, 0.99f, 0.01f, 3, 1e-8f};
    k->grad.adamw(&a, g, N, p, m, v);
    for (int i = 0; i < N; i++) {
        const double gi = 0.5 * (double)g[i], mi = 0.9 * (double)m0[i] + 0.1 * gi;
        const double vi = 0.999 * (double)v0[i] + 0.001 * gi * gi;
        const double pi = 0.99 * (double)p0[i] - 0.01 * mi / (3 * sqrt(vi) + 1e-8);
        near((double)m[i], mi, TOL_FLOAT * (1 + fabs(mi)), "first moment", k->isa);
        near((double)v[i], vi, TOL_FLOAT * (1 + vi), "second moment", k->isa);
        near((double)p[i], pi, TOL_FLOAT * (1 + fabs(pi)), "AdamW", k->isa);
    }
    release(g, N);
    release(p, N);
    release(m, N);
    release(v, N);
}

static void adamw(void **state)
{
    (void)state;
    for_each_isa(adamw_isa);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outer),
        cmocka_unit_test(weight_gradient_in_winograds_domain),
        cmocka_unit_test(filters_in_winograds_domain),
        cmocka_unit_test(normalisation_and_activation),
        cmocka_unit_test(pool_gives_to_the_first_maximum),
        cmocka_unit_test(heads),
        cmocka_unit_test(adamw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
