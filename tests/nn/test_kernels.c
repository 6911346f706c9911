/* Every kernel of every instruction set against textbook loops in double precision. Outputs are
 * filled with NaN beforehand and stand between guard bands. */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "nn/blas.h"
#include "nn/kernels/ref/ref.h"
#include "nn/layers.h"
#include "nn/schedule.h"
#include "support/tolerance.h"

#define GUARD 64

/* n floats of NaN between guards of a bit pattern that no kernel makes. */
static float *guarded(size_t n)
{
    float *p = rs_alloc(n + 2 * GUARD, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n + 2 * GUARD; i++) p[i] = i < GUARD || i >= n + GUARD ? -1e30f : NAN;
    return p + GUARD;
}

static void free_guarded(float *p, size_t n)
{
    for (int i = 1; i <= GUARD; i++) assert_true(p[-i] == -1e30f && p[n + (size_t)i - 1] == -1e30f);
    rs_free(p - GUARD);
}

static float *random_block(test_rng *r, size_t n)
{
    float *p = rs_alloc(n, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++) p[i] = (float)test_gauss(r);
    return p;
}

static void near(double got, double want, double scale, double tolerance, const char *what,
                 rs_isa isa)
{
    if (!(fabs(got - want) <= tolerance * scale))
        fail_msg("%s %s: %.9g instead of %.9g (limit %.3g)", rs_isa_name(isa), what, got, want,
                 tolerance * scale);
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

/* ------------------------------------------------------------- 3x3 convolutions, all algorithms */

/* A network of one 3x3 layer would do, but the packing is per member: pack a 1-1-1 network's c1. */
static void conv_case(const rs_kernels *k, test_rng *r, int channels, int width)
{
    const int c = rs_pad_channels(channels);
    const size_t ch = (size_t)c;
    float *w = random_block(r, 9 * ch * ch), *bias = random_block(r, ch);
    float *in = rs_zalloc(3 * (size_t)(width + 2) * ch, sizeof *in);
    float *res = random_block(r, (size_t)width * ch), *out = guarded((size_t)width * ch);
    for (int y = 0; y < 3; y++)
        for (size_t i = ch; i < (size_t)(width + 1) * ch; i++)
            in[(size_t)y * (size_t)(width + 2) * ch + i] = (float)test_gauss(r);
    /* mac's layout: panels of nr channels */
    float *packed = rs_alloc(9 * ch * ch, sizeof *packed);
    for (int n = 0; n < c; n++)
        for (int t = 0; t < 9; t++)
            for (int i = 0; i < c; i++) {
                int nr = k->nr <= c - n / k->nr * k->nr ? k->nr : 16;
                int start = n / k->nr * k->nr;
                packed[(size_t)start * 9 * ch + ((size_t)t * ch + (size_t)i) * (size_t)nr +
                       (size_t)(n - start)] = w[((size_t)n * ch + (size_t)i) * 9 + (size_t)t];
            }
    rs_mac a = {.in = {in, in + (size_t)(width + 2) * ch, in + 2 * (size_t)(width + 2) * ch},
                .in_stride = ch,
                .tap_stride = ch,
                .kh = 3,
                .kw = 3,
                .cin = c,
                .cout = c,
                .w = packed,
                .bias = bias,
                .res = res,
                .res_stride = ch,
                .slope = 0.01f,
                .out = out,
                .out_stride = ch,
                .pixels = width};
    k->mac(&a);
    for (int x = 0; x < width; x++)
        for (int n = 0; n < c; n++) {
            double s = (double)bias[n] + (double)res[(size_t)x * ch + (size_t)n];
            for (int t = 0; t < 9; t++)
                for (int i = 0; i < c; i++)
                    s += (double)w[((size_t)n * ch + (size_t)i) * 9 + (size_t)t] *
                         (double)
                             in[((size_t)(t / 3) * (size_t)(width + 2) + (size_t)(x + t % 3)) * ch +
                                (size_t)i];
            near((double)out[(size_t)x * ch + (size_t)n], s < 0 ? 0.01 * s : s, sqrt(9.0 * c),
                 TOL_SUM(9 * c), "direct 3x3", k->isa);
        }
    free_guarded(out, (size_t)width * ch);
    rs_free(w);
    rs_free(bias);
    rs_free(in);
    rs_free(res);
    rs_free(packed);
}

static void mac_isa(const rs_kernels *k, test_rng *r)
{
    static const int width[] = {1, 2, 3, 5, 6, 7, 13, 14, 15, 27, 28, 29, 31};
    for (size_t i = 0; i < sizeof width / sizeof *width; i++)
        for (int c = 16; c <= 48; c += 16) conv_case(k, r, c, width[i]);
    conv_case(k, r, 128, 17);
}

static void mac_is_a_convolution(void **state)
{
    (void)state;
    for_each_isa(mac_isa);
}

/* An output pixel's bits must not depend on its neighbours in the call. */
static void mac_rows_isa(const rs_kernels *k, test_rng *r)
{
    enum { C = 32, N = 41 };
    float *in = random_block(r, N * C), *w = random_block(r, C * C);
    float one[C], *all = guarded(N * C);
    rs_mac a = {.in = {in},
                .in_stride = C,
                .kh = 1,
                .kw = 1,
                .cin = C,
                .cout = C,
                .w = w,
                .slope = 1,
                .out = all,
                .out_stride = C,
                .pixels = N};
    k->mac(&a);
    for (int p = 0; p < N; p++) {
        a.in[0] = in + p * C;
        a.out = one;
        a.pixels = 1;
        k->mac(&a);
        assert_memory_equal(one, all + p * C, sizeof one);
    }
    free_guarded(all, N * C);
    rs_free(in);
    rs_free(w);
}

static void mac_pixels_are_independent(void **state)
{
    (void)state;
    for_each_isa(mac_rows_isa);
}

/* ------------------------------------------------------------------------ Winograd's transforms */

/* One channel block, identity products: out = A^T[(G g G^T) * (B^T d B)]A must be the
 * convolution. */
static void wino_case(const rs_kernels *k, test_rng *r, int m, int tiles, int rows, int width)
{
    const double q = sqrt(2);
    const double g4[6][3] = {{1, 0, 0},
                             {-q / 3, -1 / 3., -q / 6},
                             {-q / 3, 1 / 3., -q / 6},
                             {q / 6, 1 / 3., q / 3},
                             {q / 6, -1 / 3., q / 3},
                             {0, 0, 1}};
    static const double g6[8][3] = {{1, 0, 0},
                                    {-2 / 9., -2 / 9., -2 / 9.},
                                    {-2 / 9., 2 / 9., -2 / 9.},
                                    {1 / 90., 1 / 45., 2 / 45.},
                                    {1 / 90., -1 / 45., 2 / 45.},
                                    {32 / 45., 16 / 45., 8 / 45.},
                                    {32 / 45., -16 / 45., 8 / 45.},
                                    {0, 0, 1}};
    enum { C = 16 };
    const int t = m + 2, span = tiles * m + 2;
    const double(*g)[3] = m == 4 ? g4 : g6;
    const size_t stride = rs_wino_stride(tiles, C), n = (size_t)(t * t) * stride;
    float *in = random_block(r, (size_t)(t * span) * C), *v = guarded(n),
          *bias = random_block(r, C);
    float *res = random_block(r, (size_t)(m * width) * C), *out = guarded((size_t)(m * width) * C);
    double f[3][3];
    for (int i = 0; i < 9; i++) f[i / 3][i % 3] = test_gauss(r);
    rs_wino_in wi = {.tiles = tiles, .channels = C, .step = C, .v = v, .v_stride = stride};
    for (int i = 0; i < t; i++) wi.row[i] = in + (size_t)(i * span) * C;
    k->wino_in[m == 6](&wi);
    for (int i = 0; i < t; i++)
        for (int j = 0; j < t; j++) {
            double u = 0;
            for (int a = 0; a < 3; a++)
                for (int b = 0; b < 3; b++) u += g[i][a] * f[a][b] * g[j][b];
            float *e = v + (size_t)(i * t + j) * stride;
            for (int x = 0; x < tiles * C; x++) e[x] = (float)(u * (double)e[x]);
        }
    rs_wino_out wo = {.prod = v,
                      .prod_stride = stride,
                      .tiles = tiles,
                      .channels = C,
                      .bias = bias,
                      .slope = 0.01f,
                      .rows = rows,
                      .width = width,
                      .res_step = C,
                      .step = C};
    for (int i = 0; i < rows; i++) {
        wo.res[i] = res + (size_t)(i * width) * C;
        wo.out[i] = out + (size_t)(i * width) * C;
    }
    k->wino_out[m == 6](&wo);
    for (int y = 0; y < m; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < C; c++) {
                double got = (double)out[(size_t)(y * width + x) * C + (size_t)c];
                if (y >= rows) { /* rows beyond the frame are not written */
                    assert_true(isnan(got));
                    continue;
                }
                double s = (double)bias[c] + (double)res[(size_t)(y * width + x) * C + (size_t)c];
                for (int a = 0; a < 3; a++)
                    for (int b = 0; b < 3; b++)
                        s += f[a][b] * (double)in[(size_t)((y + a) * span + x + b) * C + (size_t)c];
                near(got, s < 0 ? 0.01 * s : s, 4, m == 4 ? TOL_WINO4(9) : TOL_WINO6(9), "Winograd",
                     k->isa);
            }
    free_guarded(v, n);
    free_guarded(out, (size_t)(m * width) * C);
    rs_free(in);
    rs_free(bias);
    rs_free(res);
}

static void wino_isa(const rs_kernels *k, test_rng *r)
{
    for (int m = 4; m <= 6; m += 2) {
        for (int rows = 1; rows <= m; rows++) wino_case(k, r, m, 2, rows, 2 * m - 1);
        wino_case(k, r, m, 1, m, 1);
        wino_case(k, r, m, 64, m,
                  64 * m); /* the stride that is stretched to spare the cache sets */
        wino_case(k, r, m, 7, m, 7 * m - m + 1);
    }
}

static void winograd_is_a_convolution(void **state)
{
    (void)state;
    for_each_isa(wino_isa);
}

/* --------------------------------------------------------------------------- pixel-wise kernels */

/* A row of twice the pixels, in a place that is wider than its channels. */
static void grow_case(const rs_kernels *k, test_rng *r, int px, int c, float t, float side)
{
    const int stride = c + 16;
    const size_t n = (size_t)px * (size_t)c;
    float *a = random_block(r, n), *b = random_block(r, n);
    float *out = guarded(2 * (size_t)px * (size_t)stride);
    k->grow_row(a, b, t, side, px, c, out, (size_t)stride);
    for (int x = 0; x < 2 * px; x++) {
        int other = x % 2 ? x / 2 + 1 : x / 2 - 1;
        if (other < 0 || other == px) other = x / 2;
        for (int i = 0; i < c; i++) {
            const int at = x / 2 * c + i, of = other * c + i;
            const double here = (double)a[at] + (double)t * ((double)b[at] - (double)a[at]);
            const double there = (double)a[of] + (double)t * ((double)b[of] - (double)a[of]);
            near((double)out[x * stride + i], here + (double)side * (there - here), 2, TOL_SUM(4),
                 "grow_row", k->isa);
        }
        for (int i = c; i < stride; i++) assert_true(isnan(out[x * stride + i]));
    }
    free_guarded(out, 2 * (size_t)px * (size_t)stride);
    rs_free(a);
    rs_free(b);
}

static void bend_case(const rs_kernels *k, test_rng *r, int px, int c, bool add)
{
    const int stride = c + 16;
    const size_t n = (size_t)px * (size_t)c;
    float *z = random_block(r, n), *slope = random_block(r, 3 * (size_t)c);
    float *out = guarded((size_t)px * (size_t)stride);
    for (int p = 0; add && p < px; p++)
        for (int i = 0; i < c; i++) out[p * stride + i] = z[p * c + i] - 1;
    k->bend_row(z, px, c, slope, slope + c, slope + 2 * c, add, out, (size_t)stride);
    for (int p = 0; p < px; p++) {
        for (int i = 0; i < c; i++) {
            const double v = (double)z[p * c + i];
            const double bent =
                v * (double)(v > 0 ? slope[i] : slope[c + i]) + (double)slope[2 * c + i];
            near((double)out[p * stride + i], bent + (add ? (double)(z[p * c + i] - 1) : 0), 3,
                 TOL_SUM(3), "bend_row", k->isa);
        }
        for (int i = c; i < stride; i++) assert_true(isnan(out[p * stride + i]));
    }
    free_guarded(out, (size_t)px * (size_t)stride);
    rs_free(z);
    rs_free(slope);
}

static void point_case(const rs_kernels *k, test_rng *r, int px, int c)
{
    const size_t n = (size_t)px * (size_t)c;
    float *a = random_block(r, 2 * n), *b = random_block(r, 2 * n),
          *w = random_block(r, 3 * (size_t)c);
    float *bias = random_block(r, (size_t)c), *out = guarded(n), *head = guarded(3 * (size_t)px);
    k->pool_row(a, b, (size_t)c, px, c, out);
    for (int p = 0; p < px; p++)
        for (int i = 0; i < c; i++) {
            const size_t s = (size_t)(2 * p * c + i), t = s + (size_t)c;
            float want = fmaxf(fmaxf(a[s], a[t]), fmaxf(b[s], b[t]));
            assert_true(out[p * c + i] == want);
        }
    k->from_one(a, px, c, w, bias, out);
    for (int p = 0; p < px; p++)
        for (int i = 0; i < c; i++)
            near((double)out[p * c + i], (double)a[p] * (double)w[i] + (double)bias[i], 1,
                 TOL_SUM(2), "from_one", k->isa);
    k->head_row(a, px, c, 3, w, bias, head);
    for (int p = 0; p < px; p++)
        for (int h = 0; h < 3; h++) {
            double s = (double)bias[h];
            for (int i = 0; i < c; i++) s += (double)a[p * c + i] * (double)w[h * c + i];
            near((double)head[p * 3 + h], s, sqrt(c), TOL_SUM(c), "head", k->isa);
        }
    for (int with_res = 0; with_res < 2; with_res++) {
        memcpy(out, a, n * sizeof *out);
        k->bias_act(out, px, c, bias, with_res ? b : NULL, 0.01f);
        for (int p = 0; p < px; p++)
            for (int i = 0; i < c; i++) {
                double s =
                    (double)a[p * c + i] + (double)bias[i] + (with_res ? (double)b[p * c + i] : 0);
                near((double)out[p * c + i], s < 0 ? 0.01 * s : s, 2, TOL_SUM(2), "bias_act",
                     k->isa);
            }
    }
    free_guarded(out, n);
    free_guarded(head, 3 * (size_t)px);
    rs_free(a);
    rs_free(b);
    rs_free(w);
    rs_free(bias);
}

static void sigmoid_isa(const rs_kernels *k, test_rng *r)
{
    enum { N = 4003 };
    float *v = guarded(N), *w = random_block(r, N);
    for (int i = 0; i < N; i++) w[i] = (float)(i < 20 ? (i - 10) * 40 : 12 * w[i]);
    memcpy(v, w, N * sizeof *v);
    k->sigmoid(v, N);
    for (int i = 0; i < N; i++) {
        double want = 1 / (1 + exp(-(double)w[i]));
        near((double)v[i], want, 1, 1.5e-7, "sigmoid", k->isa);
        float one = w[i];
        k->sigmoid(&one, 1);
        assert_memory_equal(&one, &v[i], sizeof one); /* bits do not depend on the place */
    }
    free_guarded(v, N);
    rs_free(w);
}

static void sigmoid_is_exact_enough(void **state)
{
    (void)state;
    for_each_isa(sigmoid_isa);
}

static void point_isa(const rs_kernels *k, test_rng *r)
{
    static const int px[] = {1, 2, 7, 64};
    for (int i = 0; i < 4; i++)
        for (int c = 16; c <= 64; c += 16) {
            point_case(k, r, px[i], c);
            grow_case(k, r, px[i], c, 0.25f, 0.25f);
            grow_case(k, r, px[i], c, 0, 0);
            bend_case(k, r, px[i], c, false);
            bend_case(k, r, px[i], c, true);
        }
}

static void pixelwise_kernels(void **state)
{
    (void)state;
    for_each_isa(point_isa);
}

static void sgemm_is_a_product(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    static const int shape[][3] = {{1, 1, 1}, {3, 5, 7}, {17, 16, 144}, {64, 32, 33}, {101, 64, 9}};
    for (size_t i = 0; i < sizeof shape / sizeof *shape; i++) {
        const int m = shape[i][0], n = shape[i][1], d = shape[i][2];
        float *a = random_block(&r, (size_t)(m * d)), *b = random_block(&r, (size_t)(d * n));
        float *out = guarded((size_t)(m * n));
        rs_blas_init();
        rs_sgemm(m, n, d, a, d, b, n, out, n);
        for (int y = 0; y < m; y++)
            for (int x = 0; x < n; x++) {
                double s = 0;
                for (int l = 0; l < d; l++) s += (double)a[y * d + l] * (double)b[l * n + x];
                near((double)out[y * n + x], s, sqrt(d), TOL_SUM(d), "sgemm", RS_ISA_GENERIC);
            }
        free_guarded(out, (size_t)(m * n));
        rs_free(a);
        rs_free(b);
    }
}

/* The oracle itself, on a case small enough to do by hand. */
static void oracle_by_hand(void **state)
{
    (void)state;
    const double in[4] = {1, 2, 3, 4}, w[9] = {0, 0, 0, 0, 1, 1, 0, 1, 0}, bias[1] = {0.5};
    double out[4];
    rs_ref_conv(in, 1, 2, 2, w, bias, 1, 3, 1, out);
    assert_true(out[0] == 0.5 + 1 + 2 + 3 && out[1] == 0.5 + 2 + 4 && out[2] == 0.5 + 3 + 4 &&
                out[3] == 0.5 + 4);
    double up[16];
    rs_ref_resize(in, 1, 2, 2, RS_BILINEAR, 4, 4, up);
    assert_true(up[0] == 1 && up[1] == 1.25 && up[2] == 1.75 && up[3] == 2 && up[5] == 1.75);
    rs_ref_resize(in, 1, 2, 2, RS_NEAREST, 4, 4, up);
    assert_true(up[1] == 1 && up[2] == 2 && up[7] == 2 && up[8] == 3);
    double p[3] = {0, 0, log(2)};
    rs_ref_probability(p, 3, 1);
    assert_true(fabs(p[2] - 0.5) < TOL_ROUNDING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oracle_by_hand),
        cmocka_unit_test(mac_is_a_convolution),
        cmocka_unit_test(mac_pixels_are_independent),
        cmocka_unit_test(winograd_is_a_convolution),
        cmocka_unit_test(pixelwise_kernels),
        cmocka_unit_test(sigmoid_is_exact_enough),
        cmocka_unit_test(sgemm_is_a_product),
    };
    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
