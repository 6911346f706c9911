/* Whole ensembles through the public interface against what PyTorch computed in double precision:
 * small ones of our own (tests/data, made by training/make_tiny_ensemble.py and
 * make_network_goldens.py) and, where the shared
 * data folder is at hand, three that AtomAI's own trainer wrote. */
#include "reshed.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cpu.h"
#include "io/npy.h"
#include "io/weights/weights.h"
#include "support/model.h"
#include "nn/plan.h"
#include "support/tolerance.h"

static void read_map(const char *path, rs_npy *out)
{
    reshed_error err = {0};
    assert_ok(rs_npy_read(path, out, &err), &err);
}

static double distance(const float *a, const rs_npy *b)
{
    double worst = 0;
    for (size_t i = 0; i < b->count; i++) {
        double d = fabs((double)a[i] - rs_npy_at(b, i));
        if (!(d <= worst)) worst = d;
    }
    return worst;
}

static double average_distance(const float *a, const rs_npy *b)
{
    double sum = 0;
    for (size_t i = 0; i < b->count; i++) sum += fabs((double)a[i] - rs_npy_at(b, i));
    return sum / (double)b->count;
}

/* Reduced precision; m and v are room for the maps. */
static void check_bf16(const reshed_ensemble *ensemble, const float *image, const rs_npy *in,
                       const rs_npy *mean, const rs_npy *var, float *m, float *v)
{
    const reshed_options o = {.size = sizeof o, .threads = 2, .precision = RESHED_BF16};
    reshed_plan *plan = NULL;
    reshed_error err = {0};
    assert_ok(reshed_plan_create(ensemble, (int)in->dims[0], (int)in->dims[1], &o, &plan, &err),
              &err);
    assert_ok(reshed_plan_run(plan, image, m, v, NULL, &err), &err);
    double dm = distance(m, mean), dv = distance(v, var), am = average_distance(m, mean);
    if (!(dm <= TOL_GOLDEN_BF16 && dv <= TOL_GOLDEN_BF16 && am <= TOL_GOLDEN_BF16_AVERAGE))
        fail_msg("bf16: mean off by up to %g, %g on average; variance by up to %g", dm, am, dv);
    reshed_plan_free(plan);
}

static void check(const char *weights, const char *input, const char *mean_path,
                  const char *var_path)
{
    static const double limit[] = {[RESHED_ALGO_AUTO] = TOL_NET_WINOGRAD,
                                   [RESHED_ALGO_WINOGRAD] = TOL_NET_WINOGRAD,
                                   [RESHED_ALGO_DIRECT] = TOL_NET_DIRECT,
                                   [RESHED_ALGO_GEMM] = TOL_NET_GEMM};
    reshed_ensemble *ensemble = NULL;
    reshed_error err = {0};
    rs_npy in, mean, var;
    assert_ok(reshed_ensemble_load(weights, &ensemble, &err), &err);
    read_map(input, &in);
    read_map(mean_path, &mean);
    read_map(var_path, &var);
    float *image = rs_alloc(in.count, sizeof *image);
    float *m = rs_alloc(mean.count, sizeof *m), *v = rs_alloc(mean.count, sizeof *v);
    for (size_t i = 0; i < in.count; i++) image[i] = (float)rs_npy_at(&in, i);
    assert_ok(reshed_normalise(image, in.count, &err), &err);
    for (int a = RESHED_ALGO_AUTO; a <= RESHED_ALGO_GEMM; a++) {
        const reshed_options o = {.size = sizeof o, .threads = 2, .algo = (reshed_algo)a};
        reshed_plan *plan = NULL;
        assert_ok(reshed_plan_create(ensemble, (int)in.dims[0], (int)in.dims[1], &o, &plan, &err),
                  &err);
        assert_ok(reshed_plan_run(plan, image, m, v, NULL, &err), &err);
        double dm = distance(m, &mean), dv = distance(v, &var);
        if (!(dm <= limit[a] && dv <= limit[a]))
            fail_msg("%s on %s, algorithm %d: mean off by %g, variance by %g", weights, input, a,
                     dm, dv);
        reshed_plan_free(plan);
    }
    check_bf16(ensemble, image, &in, &mean, &var, m, v);
    rs_npy_clear(&in);
    rs_npy_clear(&mean);
    rs_npy_clear(&var);
    rs_free(image);
    rs_free(m);
    rs_free(v);
    reshed_ensemble_free(ensemble);
}

static void own_goldens(void **state)
{
    static const char *const ensemble[] = {"tiny_bilinear", "tiny_nearest3"};
    static const char *const size[] = {"29x37", "8x8", "5x7", "4x4"};
    char w[64], in[64], m[64], v[64];
    (void)state;
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 4; k++) {
            snprintf(w, sizeof w, "%s_ensemble_metadict.tar", ensemble[i]);
            snprintf(in, sizeof in, "tiny_input_%s.npy", size[k]);
            snprintf(m, sizeof m, "%s_%s_mean.npy", ensemble[i], size[k]);
            snprintf(v, sizeof v, "%s_%s_var.npy", ensemble[i], size[k]);
            check(test_data(w), test_data(in), test_data(m), test_data(v));
        }
}

static void own_goldens_of_other_networks(void **state)
{
    static const char *const ensemble[] = {"tiny_unet",      "tiny_unet_dilated",
                                           "tiny_dilnet",    "tiny_dilnet_plain",
                                           "tiny_segresnet", "tiny_segresnet_plain"};
    char w[64], m[64], v[64];
    (void)state;
    for (int i = 0; i < 6; i++) {
        snprintf(w, sizeof w, "%s_ensemble_metadict.tar", ensemble[i]);
        snprintf(m, sizeof m, "%s_24x40_mean.npy", ensemble[i]);
        snprintf(v, sizeof v, "%s_24x40_var.npy", ensemble[i]);
        check(test_data(w), test_data("tiny_input_24x40.npy"), test_data(m), test_data(v));
    }
}

static void shared_goldens(void **state)
{
    static const char *const ensemble[] = {"reshednet_f4", "reshednet_f8_nearest",
                                           "reshednet_f4_3class"};
    static const char *const input[] = {"crop_7x5", "crop_61x83", "crop_64x64", "front_120x96",
                                        "real_204x205"};
    char w[96], in[96], m[96], v[96];
    (void)state;
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 5; k++) {
            snprintf(w, sizeof w, "golden/%s_ensemble_metadict.tar", ensemble[i]);
            snprintf(in, sizeof in, "golden/input_%s.npy", input[k]);
            snprintf(m, sizeof m, "golden/expect_%s_%s_mean.npy", ensemble[i], input[k]);
            snprintf(v, sizeof v, "golden/expect_%s_%s_var.npy", ensemble[i], input[k]);
            check(test_shared(w), test_shared(in), test_shared(m), test_shared(v));
        }
}

/* AtomAI's other networks. */
static void shared_goldens_of_other_networks(void **state)
{
    static const char *const ensemble[] = {"unet", "dilnet", "segresnet"};
    char w[96], m[96], v[96];
    (void)state;
    for (int i = 0; i < 3; i++) {
        snprintf(w, sizeof w, "golden/%s_ensemble_metadict.tar", ensemble[i]);
        snprintf(m, sizeof m, "golden/expect_%s_y_96x128_mean.npy", ensemble[i]);
        snprintf(v, sizeof v, "golden/expect_%s_y_96x128_var.npy", ensemble[i]);
        check(test_shared(w), test_shared("golden/input_y_96x128.npy"), test_shared(m),
              test_shared(v));
    }
}

/* The shipped, trained weights: real activations are larger and sparser than those of random
 * networks. */
static void shipped_weights_match_the_oracle(void **state)
{
    enum { H = 61, W = 83 };
    static float image[H * W], mean[H * W], variance[H * W];
    static double em[H * W], ev[H * W];
    static const double limit[] = {[RESHED_ALGO_AUTO] = TOL_NET_WINOGRAD,
                                   [RESHED_ALGO_WINOGRAD] = TOL_NET_WINOGRAD,
                                   [RESHED_ALGO_DIRECT] = TOL_NET_DIRECT,
                                   [RESHED_ALGO_GEMM] = TOL_NET_GEMM};
    rs_model_file m;
    reshed_error err = {0};
    (void)state;
    assert_ok(rs_weights_load("weights/tiny8x4.h5", &m, &err), &err);
    test_image(image, H, W, 11);
    assert_ok(reshed_normalise(image, H * W, &err), &err);
    test_oracle(&m, image, H, W, em, ev);
    for (int a = RESHED_ALGO_AUTO; a <= RESHED_ALGO_GEMM; a++) {
        const rs_plan_options o = {.threads = 2, .isa = rs_isa_best(), .algo = (rs_algo)a};
        rs_plan *plan = NULL;
        assert_ok(rs_plan_create(&m, NULL, H, W, &o, &plan, &err), &err);
        rs_plan_run(plan, image, mean, variance, NULL);
        for (int i = 0; i < H * W; i++)
            if (!(fabs((double)mean[i] - em[i]) <= limit[a] &&
                  fabs((double)variance[i] - ev[i]) <= limit[a]))
                fail_msg("algorithm %d, pixel %d: %g and %g instead of %g and %g", a, i,
                         (double)mean[i], (double)variance[i], em[i], ev[i]);
        rs_plan_free(plan);
    }
    rs_model_file_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_goldens),
        cmocka_unit_test(own_goldens_of_other_networks),
        cmocka_unit_test(shared_goldens),
        cmocka_unit_test(shared_goldens_of_other_networks),
        cmocka_unit_test(shipped_weights_match_the_oracle),
    };
    return cmocka_run_group_tests_name("goldens", tests, NULL, NULL);
}
