/* Reduced precision: rounding, the kernels of each instruction set against textbook loops in double
 * precision, whole networks against the oracle. The emulation is tested on every machine, the
 * instructions where they are. */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "support/model.h"
#include "nn/choices.h"
#include "nn/kernels/bf16.h"
#include "nn/plan.h"
#include "support/tolerance.h"

#define GUARD 64
#define GUARD_WORD 0x7fab /* a NaN that no kernel makes */

/* n numbers of NaN between guards. */
static uint16_t *guarded16(size_t n)
{
    uint16_t *p = rs_alloc(n + 2 * GUARD, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n + 2 * GUARD; i++) p[i] = GUARD_WORD;
    return p + GUARD;
}

static void free_guarded16(uint16_t *p, size_t n)
{
    for (int i = 1; i <= GUARD; i++)
        assert_true(p[-i] == GUARD_WORD && p[n + (size_t)i - 1] == GUARD_WORD);
    rs_free(p - GUARD);
}

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

static uint16_t *random_block16(test_rng *r, size_t n)
{
    uint16_t *p = rs_alloc(n, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++) p[i] = rs_to_bf16((float)test_gauss(r));
    return p;
}

static double value(uint16_t h)
{
    return (double)rs_from_bf16(h);
}

static void near(double got, double want, double tolerance, const char *what, rs_isa isa)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%s %s: %.9g instead of %.9g (limit %.3g)", rs_isa_name(isa), what, got, want,
                 tolerance);
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

/* ------------------------------------------------------------------------------------- rounding */

static void rounding_is_to_the_nearest_even(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 0x10000; h++) {
        const float x = rs_from_bf16((uint16_t)h), size = fabsf(x);
        if (isnan(x)) {
            assert_true(isnan(rs_from_bf16(rs_to_bf16(x))));
            continue;
        }
        if (size > 0 && size < 0x1p-126f) { /* a denormal */
            assert_int_equal(rs_to_bf16(x), h & 0x8000);
            continue;
        }
        assert_int_equal(rs_to_bf16(x), h); /* a bf16 is itself */
        if (isinf(x) || size == 0) continue;
        /* Half-way to the next number outwards the even one wins, beside it the nearer one. */
        const uint32_t half = (h << 16) + 0x8000;
        float middle, below, above;
        memcpy(&middle, &half, 4);
        memcpy(&below, &(uint32_t){half - 1}, 4);
        memcpy(&above, &(uint32_t){half + 1}, 4);
        assert_int_equal(rs_to_bf16(middle), h + (h & 1));
        assert_int_equal(rs_to_bf16(below), h);
        assert_int_equal(rs_to_bf16(above), h + 1);
    }
}

static void round_isa(const rs_kernels *k, test_rng *r)
{
    enum { N = 4096 };
    static float x[N];
    for (int i = 0; i < N; i++) { /* all kinds of bits: denormals, infinities and NaN among them */
        uint32_t bits = (uint32_t)test_rand(r);
        if (i % 4 == 0) bits = (bits & 0xffff0000u) | 0x8000; /* ties */
        if (i % 16 == 1) bits &= 0x807fffff;
        if (i % 16 == 2) bits |= 0x7f800000;
        memcpy(&x[i], &bits, sizeof bits);
    }
    for (size_t n = 16; n <= N; n = n < 64 ? n + 16 : n * 4) {
        uint16_t *out = guarded16(n);
        k->round_bf16(x, n, out);
        for (size_t i = 0; i < n; i++)
            if (out[i] != rs_to_bf16(x[i]))
                fail_msg("%s: %a became %04x instead of %04x", rs_isa_name(k->isa), (double)x[i],
                         out[i], rs_to_bf16(x[i]));
        free_guarded16(out, n);
    }
}

static void kernels_round_as_stated(void **state)
{
    (void)state;
    for_each_isa(round_isa);
}

/* ---------------------------------------------------------------------------------- the product */

/* The packed layout as kernels.h states it: w [cout][cin] -> panels of pairs. */
static void pack(const uint16_t *w, int cin, int cout, uint16_t *out)
{
    for (int start = 0; start < cout; start += RS_BF16_NR) {
        const int wide = cout - start < RS_BF16_NR ? RS_LANES : RS_BF16_NR;
        for (int c = 0; c < cin; c += 2)
            for (int n = start; n < start + wide; n++)
                for (int h = 0; h < 2; h++) *out++ = w[n * cin + c + h];
    }
}

static void mac_case(const rs_kernels *k, test_rng *r, int cin, int cout, int pixels, bool biased)
{
    const size_t stride = (size_t)cin + 6, ostride = (size_t)cout + 3;
    const size_t n = (size_t)pixels * ostride;
    uint16_t *in = random_block16(r, (size_t)pixels * stride);
    uint16_t *w = random_block16(r, (size_t)(cin * cout));
    uint16_t *packed = rs_alloc((size_t)(cin * cout), sizeof *packed);
    float *bias = random_block(r, (size_t)cout), *out = guarded(n);
    assert_non_null(packed);
    pack(w, cin, cout, packed);
    const rs_mac_bf16 a = {.in = in,
                           .in_stride = stride,
                           .cin = cin,
                           .cout = cout,
                           .w = packed,
                           .bias = biased ? bias : NULL,
                           .out = out,
                           .out_stride = ostride,
                           .pixels = pixels};
    k->mac_bf16(&a);
    for (int p = 0; p < pixels; p++) {
        for (int o = 0; o < cout; o++) {
            double s = biased ? (double)bias[o] : 0;
            for (int c = 0; c < cin; c++)
                s += value(in[(size_t)p * stride + (size_t)c]) * value(w[o * cin + c]);
            near((double)out[(size_t)p * ostride + (size_t)o], s, TOL_SUM(cin) * sqrt(cin),
                 "product", k->isa);
        }
        for (size_t o = (size_t)cout; o < ostride; o++) /* between the pixels */
            assert_true(isnan(out[(size_t)p * ostride + o]));
    }
    free_guarded(out, n);
    rs_free(in);
    rs_free(w);
    rs_free(packed);
    rs_free(bias);
}

static void mac_isa(const rs_kernels *k, test_rng *r)
{
    for (int pixels = 1; pixels <= 31; pixels++)
        for (int c = 16; c <= 48; c += 16) mac_case(k, r, c, c, pixels, pixels % 2);
    mac_case(k, r, 16, 80, 43, true);
    mac_case(k, r, 64, 128, 45, true);
    mac_case(k, r, 256, 256, 17, false);
}

static void mac_is_a_product(void **state)
{
    (void)state;
    for_each_isa(mac_isa);
}

/* The emulation has the bits of the instruction: products of eight-bit significands are exact, and
 * both round each sum once, the odd member's first. */
static void emulation_has_the_same_bits(void **state)
{
    (void)state;
    enum { C = 64, N = 23 };
    test_rng r = {test_seed()};
    uint16_t *in = random_block16(&r, N * C), *w = random_block16(&r, C * C);
    float *out[2] = {guarded(N * C), guarded(N * C)};
    for (int i = 0; i < 2; i++) {
        rs_kernels k;
        rs_kernels_get(i ? rs_isa_best() : RS_ISA_GENERIC, &k);
        const rs_mac_bf16 a = {.in = in,
                               .in_stride = C,
                               .cin = C,
                               .cout = C,
                               .w = w,
                               .out = out[i],
                               .out_stride = C,
                               .pixels = N};
        k.mac_bf16(&a);
    }
    assert_memory_equal(out[0], out[1], N * C * sizeof(float));
    for (int i = 0; i < 2; i++) free_guarded(out[i], N * C);
    rs_free(in);
    rs_free(w);
    if (!rs_isa_has_bf16(rs_isa_best())) skip(); /* the emulation twice */
}

/* An output pixel's bits must not depend on its neighbours in the call. */
static void mac_alone_isa(const rs_kernels *k, test_rng *r)
{
    enum { C = 48, N = 41 };
    uint16_t *in = random_block16(r, N * C), *w = random_block16(r, C * C);
    float one[C], *all = guarded(N * C);
    rs_mac_bf16 a = {.in = in,
                     .in_stride = C,
                     .cin = C,
                     .cout = C,
                     .w = w,
                     .out = all,
                     .out_stride = C,
                     .pixels = N};
    k->mac_bf16(&a);
    for (int p = 0; p < N; p++) {
        a.in = in + p * C;
        a.out = one;
        a.pixels = 1;
        k->mac_bf16(&a);
        assert_memory_equal(one, all + p * C, sizeof one);
    }
    free_guarded(all, N * C);
    rs_free(in);
    rs_free(w);
}

static void mac_pixels_are_independent(void **state)
{
    (void)state;
    for_each_isa(mac_alone_isa);
}

/* -------------------------------------------------------------------------- the input transform */

static void in_case(const rs_kernels *k, test_rng *r, int channels, int tiles)
{
    const double q = sqrt(2), p = q / 2;
    const double bt[6][6] = {{1, 0, -2.5, 0, 1, 0},  {0, -q, -2, p, 1, 0},   {0, q, -2, -p, 1, 0},
                             {0, -p, -0.5, q, 1, 0}, {0, p, -0.5, -q, 1, 0}, {0, 1, 0, -2.5, 0, 1}};
    const size_t ch = (size_t)channels, row = (size_t)(4 * tiles + 2) * ch;
    const size_t stride = rs_wino_stride_bf16(tiles, channels), n = 36 * stride;
    float *in = random_block(r, 6 * row);
    uint16_t *v = guarded16(n);
    rs_wino_in_bf16 a = {
        .tiles = tiles, .channels = channels, .step = ch, .v = v, .v_stride = stride};
    for (int i = 0; i < 6; i++) a.row[i] = in + (size_t)i * row;
    assert_true(stride >= (size_t)tiles * ch && stride % 64 == 32);
    k->wino_in_bf16(&a);
    for (int f = 0; f < 36; f++) {
        const uint16_t *got = v + (size_t)f * stride;
        for (size_t i = 0; i < (size_t)tiles * ch; i++) {
            const size_t at = i / ch * 4 * ch + i % ch;
            double s = 0, size = 0;
            for (int y = 0; y < 6; y++)
                for (int x = 0; x < 6; x++) {
                    const double t = bt[f / 6][y] * bt[f % 6][x] *
                                     (double)in[(size_t)y * row + (size_t)x * ch + at];
                    s += t;
                    size += fabs(t);
                }
            near(value(got[i]), s, TOL_BF16 * fabs(s) + 2 * 6e-8 * size, "input transform", k->isa);
        }
        for (size_t i = (size_t)tiles * ch; i < stride; i++) assert_int_equal(got[i], GUARD_WORD);
    }
    free_guarded16(v, n);
    rs_free(in);
}

static void in_isa(const rs_kernels *k, test_rng *r)
{
    for (int c = 16; c <= 80; c += 16)
        for (int tiles = 1; tiles <= 5; tiles++) in_case(k, r, c, tiles);
    in_case(k, r, 64, 32); /* the stride that is stretched to spare the cache sets */
}

static void input_transform_is_exact_but_for_rounding(void **state)
{
    (void)state;
    for_each_isa(in_isa);
}

/* ---------------------------------------------------------------------------- a 3x3 convolution */

/* Filters w [c][c][3][3] to U [36] of packed panels. */
static void pack_filters(const float *w, int c, uint16_t *packed)
{
    const double q = sqrt(2);
    const double g[6][3] = {{1, 0, 0},
                            {-q / 3, -1. / 3, -q / 6},
                            {-q / 3, 1. / 3, -q / 6},
                            {q / 6, 1. / 3, q / 3},
                            {q / 6, -1. / 3, q / 3},
                            {0, 0, 1}};
    uint16_t *u = rs_alloc((size_t)(c * c), sizeof *u);
    assert_non_null(u);
    for (int f = 0; f < 36; f++) {
        for (int i = 0; i < c * c; i++) {
            double s = 0;
            for (int t = 0; t < 9; t++)
                s += g[f / 6][t / 3] * g[f % 6][t % 3] * (double)w[i * 9 + t];
            u[i] = rs_to_bf16((float)s);
        }
        pack(u, c, c, packed + (size_t)f * (size_t)(c * c));
    }
    rs_free(u);
}

static void conv_isa(const rs_kernels *k, test_rng *r)
{
    enum { C = 48, TILES = 5, W = 4 * TILES };
    const size_t row = (W + 2) * C, stride = rs_wino_stride_bf16(TILES, C);
    const size_t mstride = rs_wino_stride(TILES, C);
    float *in = random_block(r, 6 * row), *w = random_block(r, 9 * C * C);
    float *bias = random_block(r, C), *m = guarded(36 * mstride), *out = guarded(4 * W * C);
    uint16_t *u = rs_alloc(36 * C * C, sizeof *u), *v = guarded16(36 * stride);
    assert_non_null(u);
    pack_filters(w, C, u);
    rs_wino_in_bf16 wi = {.tiles = TILES, .channels = C, .step = C, .v = v, .v_stride = stride};
    for (int i = 0; i < 6; i++) wi.row[i] = in + (size_t)i * row;
    k->wino_in_bf16(&wi);
    for (int f = 0; f < 36; f++) {
        const rs_mac_bf16 a = {.in = v + (size_t)f * stride,
                               .in_stride = C,
                               .cin = C,
                               .cout = C,
                               .w = u + (size_t)f * C * C,
                               .out = m + (size_t)f * mstride,
                               .out_stride = C,
                               .pixels = TILES};
        k->mac_bf16(&a);
    }
    rs_wino_out wo = {.prod = m,
                      .prod_stride = mstride,
                      .tiles = TILES,
                      .channels = C,
                      .bias = bias,
                      .slope = 1,
                      .rows = 4,
                      .width = W,
                      .step = C};
    for (int i = 0; i < 4; i++) wo.out[i] = out + (size_t)(i * W) * C;
    k->wino_out[0](&wo);
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < W; x++)
            for (int o = 0; o < C; o++) {
                double s = (double)bias[o];
                for (int c = 0; c < C; c++)
                    for (int t = 0; t < 9; t++)
                        s += (double)w[(o * C + c) * 9 + t] *
                             (double)in[(size_t)(y + t / 3) * row + (size_t)((x + t % 3) * C + c)];
                near((double)out[(y * W + x) * C + o], s, TOL_WINO4_BF16 * sqrt(9.0 * C),
                     "convolution", k->isa);
            }
    free_guarded(m, 36 * mstride);
    free_guarded(out, 4 * W * C);
    free_guarded16(v, 36 * stride);
    rs_free(in);
    rs_free(w);
    rs_free(bias);
    rs_free(u);
}

static void winograd_in_bf16_is_a_convolution(void **state)
{
    (void)state;
    for_each_isa(conv_isa);
}

/* ------------------------------------------------------------------------------- whole networks */

static const int paper_layers[3] = {3, 4, 5}, short_layers[3] = {1, 2, 1};

typedef struct shape {
    int filters, classes, members, h, w;
    const int *layers;
    const char *upsampling;
} shape;

static const shape shapes[] = {
    {4, 1, 3, 4, 4, paper_layers, "bilinear"},    {4, 3, 2, 13, 29, paper_layers, "bilinear"},
    {8, 1, 2, 31, 23, short_layers, "nearest"},   {16, 2, 2, 50, 47, short_layers, "nearest"},
    {16, 1, 2, 61, 83, paper_layers, "bilinear"}, {20, 1, 1, 17, 18, short_layers, "bilinear"},
    {32, 1, 2, 26, 37, short_layers, "bilinear"}, {64, 1, 1, 27, 30, short_layers, "bilinear"},
};

static rs_plan *make_plan(rs_model_file *m, int h, int w, rs_precision precision, rs_isa isa,
                          int threads)
{
    rs_plan *plan = NULL;
    reshed_error err = {0};
    const rs_plan_options o = {.threads = threads, .isa = isa, .precision = precision};
    assert_ok(rs_plan_create(m, NULL, h, w, &o, &plan, &err), &err);
    return plan;
}

/* Largest and average distance between a map and the oracle's. */
static void distance(const float *a, const double *b, size_t n, double *worst, double *average)
{
    *worst = *average = 0;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - b[i]);
        if (!(d <= *worst)) *worst = d; /* NaN gets through */
        *average += d / (double)n;
    }
}

static void check_shape(const shape *s, rs_isa isa)
{
    rs_model_file m;
    const size_t n = (size_t)s->h * (size_t)s->w * (size_t)s->classes;
    double worst[2], average[2];
    test_model(&m, s->members, s->filters, s->classes, s->layers, s->upsampling, test_seed());
    float *image = rs_alloc((size_t)s->h * (size_t)s->w, sizeof *image);
    float *mean = guarded(n), *variance = guarded(n);
    double *em = rs_alloc(n, sizeof *em), *ev = rs_alloc(n, sizeof *ev);
    test_image(image, s->h, s->w, 7);
    test_oracle(&m, image, s->h, s->w, em, ev);
    rs_plan *plan = make_plan(&m, s->h, s->w, RS_BF16, isa, 2);
    rs_plan_run(plan, image, mean, variance, NULL);
    distance(mean, em, n, &worst[0], &average[0]);
    distance(variance, ev, n, &worst[1], &average[1]);
    if (!(worst[0] <= TOL_NET_BF16 && average[0] <= TOL_NET_BF16_AVERAGE &&
          worst[1] <= TOL_NET_BF16 && average[1] <= TOL_NET_BF16_AVERAGE))
        fail_msg("%d filters, %d x %d, %s: mean off by up to %g, %g on average; variance %g, %g",
                 s->filters, s->h, s->w, rs_isa_name(isa), worst[0], average[0], worst[1],
                 average[1]);
    assert_true(worst[0] > TOL_NET_WINOGRAD); /* it is another precision than fp32 */
    rs_plan_free(plan);
    free_guarded(mean, n);
    free_guarded(variance, n);
    rs_free(image);
    rs_free(em);
    rs_free(ev);
    rs_model_file_clear(&m);
}

static void networks_match_the_oracle(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i += (size_t)test_tier(3, 1, 1))
        for (int isa = RS_ISA_GENERIC; isa <= (int)rs_isa_best(); isa = test_next_isa(isa))
            check_shape(&shapes[i], (rs_isa)isa);
}

static void same_bits_for_any_thread_count(void **state)
{
    (void)state;
    const rs_plan_options o = {.isa = rs_isa_best(), .precision = RS_BF16};
    rs_model_file m;
    test_model(&m, 3, 16, 1, short_layers, "bilinear", 3);
    test_any_thread_count(&m, 45, 70, &o);
    rs_model_file_clear(&m);
}

static void run_allocates_nothing_and_plans_are_smaller(void **state)
{
    (void)state;
    enum { H = 33, W = 34 };
    static float image[H * W], mean[H * W], variance[H * W];
    rs_model_file m;
    test_model(&m, 2, 32, 1, short_layers, "bilinear", 3);
    test_image(image, H, W, 5);
    rs_plan *plan = make_plan(&m, H, W, RS_BF16, rs_isa_best(), 2);
    rs_plan *full = make_plan(&m, H, W, RS_FP32, rs_isa_best(), 2);
    test_alloc_reset();
    rs_plan_run(plan, image, mean, variance, NULL);
    assert_int_equal(test_alloc_count(), 0);
    assert_true(rs_plan_bytes(plan) < rs_plan_bytes(full));
    /* Half of F(4x4,3x3) in fp32, which a 128-channel layer's 36 numbers a pair would be. */
    assert_int_equal(2 * rs_packed_size3(RS_CONV_WINO4_BF16, 128, 128),
                     rs_packed_size3(RS_CONV_WINO4, 128, 128));
    rs_plan_free(plan);
    rs_plan_free(full);
    rs_model_file_clear(&m);
}

/* Processors that are not this one. */
static void it_is_used_where_it_pays(void **state)
{
    (void)state;
    static const struct {
        rs_capability c;
        bool pays;
    } a[] = {
        {{RS_ISA_AVX512, true, RS_CPU_AMD}, true},
        {{RS_ISA_AVX512, true, RS_CPU_INTEL}, false},
        {{RS_ISA_AVX512, true, RS_CPU_OTHER}, false},
        {{RS_ISA_AVX512, false, RS_CPU_AMD}, false},
        {{RS_ISA_AVX2, false, RS_CPU_INTEL}, false},
        {{RS_ISA_NEON, false, RS_CPU_OTHER}, false},
        {{RS_ISA_GENERIC, false, RS_CPU_OTHER}, false},
    };
    for (size_t i = 0; i < sizeof a / sizeof *a; i++) {
        const rs_choice c = rs_choice_bf16(&a[i].c);
        assert_int_equal(c.pays, a[i].pays);
        assert_true(c.isa == a[i].c.isa && c.precision == RS_BF16 && *c.reason);
    }
    /* The default leads, each setting comes once, and none is of another machine. */
    const rs_capability here = rs_capability_of(rs_isa_best());
    rs_choice all[RS_CHOICES_MAX];
    const int n = rs_choices(&here, all);
    assert_true(n >= 4 && all[0].pays && all[0].isa == rs_isa_best() &&
                all[0].precision == RS_FP32);
    for (int i = 0; i < n; i++) {
        assert_true(rs_isa_runs(all[i].isa));
        for (int k = 0; k < i; k++)
            assert_false(all[i].isa == all[k].isa && all[i].algo == all[k].algo &&
                         all[i].precision == all[k].precision);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_used_where_it_pays),
        cmocka_unit_test(rounding_is_to_the_nearest_even),
        cmocka_unit_test(kernels_round_as_stated),
        cmocka_unit_test(mac_is_a_product),
        cmocka_unit_test(emulation_has_the_same_bits),
        cmocka_unit_test(mac_pixels_are_independent),
        cmocka_unit_test(input_transform_is_exact_but_for_rounding),
        cmocka_unit_test(winograd_in_bf16_is_a_convolution),
        cmocka_unit_test(networks_match_the_oracle),
        cmocka_unit_test(same_bits_for_any_thread_count),
        cmocka_unit_test(run_allocates_nothing_and_plans_are_smaller),
    };
    return cmocka_run_group_tests_name("bf16", tests, NULL, NULL);
}
