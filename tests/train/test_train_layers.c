/* The oracle's backward passes against central differences of its forward passes, layer by layer and as a whole. */
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "nn/kernels/kernels.h"
#include "nn/kernels/ref/grad.h"
#include "nn/kernels/ref/ref.h"
#include "nn/layers.h"
#include "support/model.h"
#include "support/tolerance.h"
#include "support/train_oracle.h"

/* Central differences of a function of order one at steps of 1e-4 in double precision: truncation
 * 1e-8, rounding 1e-12. */
#define TOL_DIFFERENCE 1e-6
#define STEP 1e-4

static double *numbers(test_rng *r, size_t n)
{
    double *p = rs_alloc(n, sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n; i++) p[i] = test_gauss(r);
    return p;
}

/* sum of `by` times what a layer makes of its inputs */
typedef double (*layer_value)(void *ctx);

/* The gradient of value to x[n] against central differences, relative to its largest number. */
static void differences(layer_value value, void *ctx, double *x, size_t n, const double *gradient,
                        const char *what)
{
    double most = 0;
    for (size_t i = 0; i < n; i++) most = fmax(most, fabs(gradient[i]));
    for (size_t i = 0; i < n; i++) {
        const double was = x[i];
        x[i] = was + STEP;
        const double up = value(ctx);
        x[i] = was - STEP;
        const double down = value(ctx);
        x[i] = was;
        if (!(fabs((up - down) / (2 * STEP) - gradient[i]) <= TOL_DIFFERENCE * most))
            fail_msg("%s: the gradient is %.12g, differences say %.12g", what, gradient[i],
                     (up - down) / (2 * STEP));
    }
}

typedef struct layer {
    int cin, cout, h, w, k, n, oh, ow;
    rs_upsampling mode;
    bool of_batch;
    double *in, *weight, *bias, *gamma, *beta, *mean, *var, *by, *out;
    size_t outs;
} layer;

static double weighed(const layer *l)
{
    double s = 0;
    for (size_t i = 0; i < l->outs; i++) s += l->by[i] * l->out[i];
    return s;
}

static double conv_value(void *ctx)
{
    const layer *l = ctx;
    rs_ref_conv(l->in, l->cin, l->h, l->w, l->weight, l->bias, l->cout, l->k, 1, l->out);
    return weighed(l);
}

static void convolution(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    for (int k = 1; k <= 3; k += 2) {
        layer l = {.cin = 2, .cout = 3, .h = 4, .w = 5, .k = k, .outs = 3 * 20};
        const size_t nw = (size_t)(6 * k * k);
        l.in = numbers(&r, 40);
        l.weight = numbers(&r, nw);
        l.bias = numbers(&r, 3);
        l.by = numbers(&r, l.outs);
        l.out = numbers(&r, l.outs);
        double *din = numbers(&r, 40), *dw = rs_zalloc(nw, sizeof *dw);
        double *db = rs_zalloc(3, sizeof *db);
        rs_ref_conv_grad(l.in, 2, 4, 5, l.weight, 3, k, l.by, din, dw, db);
        differences(conv_value, &l, l.in, 40, din, "convolution, input");
        differences(conv_value, &l, l.weight, nw, dw, "convolution, weights");
        differences(conv_value, &l, l.bias, 3, db, "convolution, bias");
        double *all[] = {l.in, l.weight, l.bias, l.by, l.out, din, dw, db};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) rs_free(all[i]);
    }
}

static double norm_value(void *ctx)
{
    const layer *l = ctx;
    if (l->of_batch) rs_ref_batch_statistics(l->in, l->n, 2, 12, l->mean, l->var);
    for (int i = 0; i < l->n; i++)
        rs_ref_batch_norm(l->in + 24 * i, 2, 3, 4, l->gamma, l->beta, l->mean, l->var, RS_BN_EPS,
                          l->out + 24 * i);
    return weighed(l);
}

static void batch_norm(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    for (int of_batch = 0; of_batch < 2; of_batch++) {
        layer l = {.n = 3, .outs = 72, .of_batch = of_batch};
        double mean[2] = {0.3, -0.2}, var[2] = {0.7, 1.4}, dgamma[2], dbeta[2];
        l.mean = mean;
        l.var = var;
        l.in = numbers(&r, 72);
        l.gamma = numbers(&r, 2);
        l.beta = numbers(&r, 2);
        l.by = numbers(&r, 72);
        l.out = numbers(&r, 72);
        double *din = numbers(&r, 72);
        norm_value(&l);
        rs_ref_batch_norm_grad(l.in, 3, 2, 12, l.gamma, mean, var, RS_BN_EPS, of_batch, l.by, din,
                               dgamma, dbeta);
        differences(norm_value, &l, l.in, 72, din, "batch norm, input");
        differences(norm_value, &l, l.gamma, 2, dgamma, "batch norm, scale");
        differences(norm_value, &l, l.beta, 2, dbeta, "batch norm, shift");
        double *all[] = {l.in, l.gamma, l.beta, l.by, l.out, din};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) rs_free(all[i]);
    }
}

static double pool_value(void *ctx)
{
    const layer *l = ctx;
    rs_ref_max_pool(l->in, 2, 5, 7, l->out);
    return weighed(l);
}

static double relu_value(void *ctx)
{
    const layer *l = ctx;
    memcpy(l->out, l->in, l->outs * sizeof *l->out);
    rs_ref_leaky_relu(l->out, l->outs, 0.01);
    return weighed(l);
}

static void pool_and_activation(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    layer l = {.outs = 12};
    l.in = numbers(&r, 70);
    l.by = numbers(&r, 70);
    l.out = numbers(&r, 70);
    /* far from each other and from zero, where there is no derivative */
    for (int i = 0; i < 70; i++) l.in[i] = (i * 29 % 71 - 35.5) / 10;
    double *din = numbers(&r, 70);
    rs_ref_max_pool_grad(l.in, 2, 5, 7, l.by, din);
    differences(pool_value, &l, l.in, 70, din, "pool");
    l.outs = 70;
    memcpy(din, l.by, 70 * sizeof *din);
    rs_ref_leaky_relu_grad(l.in, 70, 0.01, din);
    differences(relu_value, &l, l.in, 70, din, "activation");
    double *all[] = {l.in, l.by, l.out, din};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) rs_free(all[i]);
}

static double resize_value(void *ctx)
{
    const layer *l = ctx;
    rs_ref_resize(l->in, 2, l->h, l->w, l->mode, l->oh, l->ow, l->out);
    return weighed(l);
}

static void resize(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    for (int mode = RS_BILINEAR; mode <= RS_NEAREST; mode++) {
        layer l = {.h = 4, .w = 5, .oh = 9, .ow = 22, .mode = (rs_upsampling)mode, .outs = 396};
        l.in = numbers(&r, 40);
        l.by = numbers(&r, 396);
        l.out = numbers(&r, 396);
        double *din = numbers(&r, 40);
        rs_ref_resize_grad(l.by, 2, 4, 5, l.mode, 9, 22, din);
        differences(resize_value, &l, l.in, 40, din, "resize");
        double *all[] = {l.in, l.by, l.out, din};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) rs_free(all[i]);
    }
}

static double loss_value(void *ctx)
{
    const layer *l = ctx;
    return rs_ref_wall_loss(l->in, l->by, l->weight, 30, 0.7, 1.3, NULL);
}

static void loss(void **state)
{
    (void)state;
    test_rng r = {test_seed()};
    layer l = {.in = numbers(&r, 30), .by = numbers(&r, 30), .weight = numbers(&r, 30)};
    double d[30];
    for (int i = 0; i < 30; i++) {
        l.by[i] = l.by[i] > 0;
        l.weight[i] = l.weight[i] > -0.5;
    }
    rs_ref_wall_loss(l.in, l.by, l.weight, 30, 0.7, 1.3, d);
    differences(loss_value, &l, l.in, 30, d, "loss");
    rs_free(l.in);
    rs_free(l.by);
    rs_free(l.weight);
}

/* ------------------------------------------------------------------------------ a whole network */

/* The tensors in double precision. */
static void widen(rs_tensors *t)
{
    for (int i = 0; i < t->n; i++) {
        double *v = rs_alloc(t->t[i].count, sizeof *v);
        assert_non_null(v);
        for (size_t k = 0; k < t->t[i].count; k++) v[k] = rs_tensor_at(&t->t[i], k);
        rs_free(t->t[i].data);
        t->t[i].data = v;
        t->t[i].dtype = RS_F64;
    }
}

static void network(void **state)
{
    (void)state;
    enum { H = 16, W = 18, N = 2 };
    const int layers[3] = {1, 2, 1};
    rs_model_file file = {0};
    rs_arch arch;
    float image[N * H * W], target[N * H * W], weight[N * H * W];
    test_rng r = {test_seed()};
    test_model(&file, 1, 2, 1, layers, "bilinear", 3);
    assert_ok(rs_arch_from_file(&file, &arch, NULL), NULL);
    widen(&file.member[0]);
    for (int i = 0; i < N; i++) test_image(image + i * H * W, H, W, (uint64_t)i);
    for (int i = 0; i < N * H * W; i++) {
        target[i] = test_uniform(&r, 0, 1) < 0.2;
        weight[i] = test_uniform(&r, 0, 1) < 0.8;
    }
    const rs_batch batch = {N, H, W, image, target, weight};
    for (int frozen = 0; frozen < 2; frozen++) {
        rs_tensors g = {0};
        test_train_oracle(&arch, &file.member[0], &batch, frozen, &g);
        for (int i = 0; i < g.n; i++) {
            const rs_tensor *d = &g.t[i], *x = rs_tensors_find(&file.member[0], d->name);
            const size_t at = (size_t)test_below(&r, d->count);
            double *v = (double *)x->data + at;
            const double was = *v, step = 1e-6; /* seldom across a kink of an activation */
            *v = was + step;
            const double up = test_train_oracle(&arch, &file.member[0], &batch, frozen, NULL);
            *v = was - step;
            const double down = test_train_oracle(&arch, &file.member[0], &batch, frozen, NULL);
            *v = was;
            const double slope = (up - down) / (2 * step);
            if (!(fabs(slope - rs_tensor_at(d, at)) <= TOL_DIFFERENCE * fmax(fabs(slope), 0.01)))
                fail_msg("%s[%zu]: the gradient is %.9g, differences say %.9g", d->name, at,
                         rs_tensor_at(d, at), slope);
        }
        rs_tensors_clear(&g);
    }
    rs_model_file_clear(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolution),
        cmocka_unit_test(batch_norm),
        cmocka_unit_test(pool_and_activation),
        cmocka_unit_test(resize),
        cmocka_unit_test(loss),
        cmocka_unit_test(network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
