/* The public frame: the same bits as the program, checks at the door, memory. The pipeline itself
 * is tested part by part in tests/infer/test_frame.c. */
#define _POSIX_C_SOURCE 200809L
#include "reshed.h"
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/image.h"
#include "io/gsf.h"
#include "io/npy.h"
#include "support/program.h"

#define BILINEAR "tiny_bilinear_ensemble_metadict.tar" /* one class */
#define NEAREST "tiny_nearest3_ensemble_metadict.tar"  /* three */

enum { H = 41, W = 53, N = H * W };

static reshed_ensemble *load(const char *name)
{
    reshed_ensemble *e = NULL;
    reshed_error err = {0};
    assert_ok(reshed_ensemble_load(test_data(name), &e, &err), &err);
    return e;
}

/* Stripes about 3.5, with noise, some pixels and a line without a value, and a hot one. */
static void draw(float *image)
{
    test_rng r = {test_seed()};
    for (int i = 0; i < N; i++)
        image[i] = 3 + (float)((i % W + i / W / 2) / 6 % 2) + (float)test_uniform(&r, -0.2, 0.2);
    for (int x = 0; x < W; x++) image[12 * W + x] = NAN;
    image[0] = image[30 * W + 5] = NAN;
    image[N - 1] = -INFINITY;
    image[20 * W + 20] = 40;
}

static void assert_map(const char *path, const float *map, size_t n)
{
    rs_npy file;
    reshed_error err = {0};
    assert_ok(rs_npy_read(path, &file, &err), &err);
    assert_int_equal(file.count, n);
    for (size_t i = 0; i < n; i++) assert_true((float)rs_npy_at(&file, i) == map[i]);
    rs_npy_clear(&file);
}

/* A case of reshed-infer, and the same by the library. */
typedef struct like_program {
    const char *ensemble, *args;
    reshed_frame_norm norm;
    reshed_resample resample;
    double pixel;     /* of the image */
    bool bf16, grown; /* grown: on another grid */
} like_program;

static const like_program cases[] = {
    {BILINEAR, "", RESHED_FRAME_MIN_MAX, RESHED_RESAMPLE_AUTO, 0, false, false},
    {BILINEAR, "--norm robust -j 2", RESHED_FRAME_ROBUST, RESHED_RESAMPLE_AUTO, 6e-9, false, false},
    {BILINEAR, "--norm 2.5,4.25 --resample 4", RESHED_FRAME_FIXED, RESHED_RESAMPLE_PIXEL_SIZE, 6e-9,
     false, true},
    {NEAREST, "--norm robust --resample 4", RESHED_FRAME_ROBUST, RESHED_RESAMPLE_PIXEL_SIZE, 6e-9,
     false, true},
    {BILINEAR, "--resample off --precision bf16 --precision-check", RESHED_FRAME_MIN_MAX,
     RESHED_RESAMPLE_OFF, 6e-9, true, false},
};

static void compare(const like_program *c, const float *image, const char *path)
{
    char args[4096], mean[512], var[512];
    snprintf(mean, sizeof mean, "%s", test_temp("mean.npy"));
    snprintf(var, sizeof var, "%s", test_temp("var.npy"));
    snprintf(args, sizeof args, "--json --quiet -w %s --mean %s --var %s %s %s",
             test_data(c->ensemble), mean, var, c->args, path);
    const outcome *o = run_program("reshed-infer", args);
    if (o->status != 0) fail_msg("%s", o->err);

    reshed_ensemble *e = load(c->ensemble);
    reshed_frame *f = NULL;
    reshed_frame_options options;
    reshed_frame_view v;
    reshed_error err = {0};
    reshed_frame_defaults(&options);
    options.norm = c->norm;
    options.lo = 2.5;
    options.hi = 4.25;
    options.resample = c->resample;
    options.pixel_size = 4e-9;
    options.precision = c->bf16 ? RESHED_BF16 : RESHED_FP32;
    options.check_precision = c->bf16;
    assert_ok(reshed_frame_create(e, &options, &f, &err), &err);
    assert_ok(reshed_frame_run(f, image, H, W, c->pixel, c->pixel, &err), &err);
    reshed_frame_get(f, &v);
    assert_true(v.height == H && v.width == W && (v.input_height != H) == c->grown);
    assert_int_equal(*v.resampled != '\0', c->grown);
    assert_map(mean, v.mean, (size_t)N * (size_t)v.classes);
    assert_map(var, v.variance, (size_t)N * (size_t)v.classes);
    assert_true(json_number(o->out, "mean_uncertainty") == v.mean_uncertainty);
    assert_true(json_number(o->out, "wall_fraction") == v.wall_fraction);
    assert_true(json_number(o->out, "members") == v.members);
    assert_true(json_number(o->out, "filled_pixels") == (double)v.filled);
    assert_int_equal(v.checked, c->bf16);
    if (c->bf16) {
        assert_true(json_number(o->out, "bf16_error_mean_max") == v.mean_error.largest);
        assert_true(json_number(o->out, "bf16_error_variance_average") == v.variance_error.average);
    }
    if (c->norm == RESHED_FRAME_FIXED) assert_true(v.lo == 2.5f && v.hi == 4.25f);
    reshed_frame_free(f);
    reshed_ensemble_free(e);
}

static void results_are_those_of_reshed_infer(void **state)
{
    (void)state;
    static float image[N];
    const size_t dims[2] = {H, W};
    rs_image im = {.height = H, .width = W, .data = image, .dx = 6e-9, .dy = 6e-9};
    reshed_error err = {0};
    char npy[512], gsf[512];
    draw(image);
    snprintf(npy, sizeof npy, "%s", test_temp("image.npy"));
    snprintf(gsf, sizeof gsf, "%s", test_temp("image.gsf"));
    assert_ok(rs_npy_write(npy, RS_NPY_F4, 2, dims, image, &err), &err);
    assert_ok(rs_gsf_write(gsf, &im, &err), &err);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        compare(&cases[i], image, cases[i].pixel > 0 ? gsf : npy);
}

/* By what the shipped weights know of frames like those of training. */
static void the_score_is_that_of_reshed_infer(void **state)
{
    (void)state;
    test_not_quick();
    static float image[N];
    const size_t dims[2] = {H, W};
    const char *weights = "weights/reshednet16x10.h5", *npy = test_temp("image.npy");
    char args[2048];
    reshed_error err = {0};
    draw(image);
    assert_ok(rs_npy_write(npy, RS_NPY_F4, 2, dims, image, &err), &err);
    snprintf(args, sizeof args, "--json --quiet -w %s --mean %s %s", weights, test_temp("m.npy"),
             npy);
    const outcome *o = run_program("reshed-infer", args);
    assert_int_equal(o->status, 0);
    reshed_ensemble *e = NULL;
    reshed_frame *f = NULL;
    reshed_frame_view v;
    assert_ok(reshed_ensemble_load(weights, &e, &err), &err);
    assert_ok(reshed_frame_create_taking(e, NULL, &f, &err), &err);
    reshed_ensemble_free(e);
    assert_ok(reshed_frame_run(f, image, H, W, 0, 0, &err), &err);
    reshed_frame_get(f, &v);
    assert_true(json_number(o->out, "ood_score") == v.ood_score);
    assert_int_equal(strstr(o->out, "\"ood\": true") != NULL, v.alarm);
    assert_true(v.ood_threshold > 0 && v.alarm == (v.ood_score > v.ood_threshold));
    reshed_frame_free(f);
}

static void arguments_are_checked(void **state)
{
    (void)state;
    static float image[N];
    reshed_ensemble *e = load(BILINEAR);
    reshed_frame *f = NULL;
    reshed_frame_options o;
    reshed_frame_view v;
    reshed_error err = {0};
    assert_int_equal(reshed_frame_create(NULL, NULL, &f, &err), RESHED_EINVAL);
    assert_int_equal(reshed_frame_create(e, NULL, NULL, &err), RESHED_EINVAL);
    assert_int_equal(reshed_frame_create_taking(NULL, NULL, &f, &err), RESHED_EINVAL);
    reshed_frame_defaults(&o);
    o.threshold = -1;
    assert_int_equal(reshed_frame_check(&o, &err), RESHED_EINVAL);
    assert_string_equal(err.what, "threshold");
    assert_int_equal(reshed_frame_create_taking(e, &o, &f, &err), RESHED_EINVAL);
    assert_null(f);
    assert_ok(reshed_frame_create(e, NULL, &f, &err), &err); /* nothing was taken */
    assert_int_equal(reshed_frame_run(NULL, image, H, W, 0, 0, &err), RESHED_EINVAL);
    assert_int_equal(reshed_frame_run(f, NULL, H, W, 0, 0, &err), RESHED_EINVAL);
    reshed_frame_get(f, &v);
    assert_true(v.mean == NULL && v.height == 0);
    for (int i = 0; i < N; i++) image[i] = NAN;
    assert_int_equal(reshed_frame_run(f, image, H, W, 0, 0, &err), RESHED_EINVAL);
    assert_true(err.status == RESHED_EINVAL && err.what[0]);
    draw(image);
    assert_ok(reshed_frame_run(f, image, H, W, 0, 0, &err), &err);
    reshed_frame_get(f, &v);
    assert_int_equal(v.filled, W + 3);
    for (int i = 0; i < N; i++) assert_true(v.mean[i] >= 0 && v.mean[i] <= 1);
    assert_true(reshed_frame_bytes(f) > 3 * sizeof image);
    reshed_frame_free(f);
    reshed_frame_free(NULL);
    reshed_ensemble_free(e);
}

static void short_memory_is_reported(void **state)
{
    (void)state;
    test_not_quick();
    static float image[N];
    reshed_ensemble *e = load(BILINEAR);
    reshed_frame_view v;
    bool failed = true;
    draw(image);
    for (long n = 0; failed; n++) {
        reshed_frame *f = NULL;
        assert_true(n < 1000);
        test_alloc_fail_at(n);
        reshed_status st = reshed_frame_create(e, NULL, &f, NULL);
        if (st == RESHED_OK) st = reshed_frame_run(f, image, H, W, 0, 0, NULL);
        failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        assert_int_equal(st, failed ? RESHED_ENOMEM : RESHED_OK);
        if (f) {
            reshed_frame_get(f, &v);
            assert_int_equal(v.mean != NULL, !failed);
        }
        reshed_frame_free(f);
    }
    reshed_ensemble_free(e);
}

/* The example, compiled against the installed form of the library. */
static void the_example_runs(void **state)
{
    (void)state;
    const char *build = getenv("B"), *san = getenv("SAN"), *cc = getenv("CC");
    if (!build || (san && *san)) skip(); /* run outside make, or built with a sanitizer's runtime */
    static float image[N];
    FILE *file = fopen(test_temp("frame.raw"), "wb");
    assert_non_null(file);
    draw(image);
    assert_int_equal(fwrite(image, sizeof *image, N, file), N);
    assert_int_equal(fclose(file), 0);
    char cmd[2048], text[2048], expected[64];
    for (int k = 0; k < 3; k++) {
        const char *program = test_temp("example_frame");
        if (k == 0)
            snprintf(cmd, sizeof cmd,
                     "%s -std=c11 -Wall -Wextra -Werror -Iinclude examples/frame.c -o %s "
                     "-L%s -lreshed -lm -Wl,-rpath,%s && %s %s",
                     cc && *cc ? cc : "cc", program, build, build, program, test_data(BILINEAR));
        else
            snprintf(cmd, sizeof cmd, "%s %s %s %d %d 2>&1", program, test_data(BILINEAR),
                     test_temp("frame.raw"), k == 2 ? H + 1 : H, W);
        FILE *out = popen(cmd, "r");
        assert_non_null(out);
        text[fread(text, 1, sizeof text - 1, out)] = '\0';
        const int status = pclose(out);
        if (k == 2) { /* the file is too short */
            assert_true(status != 0 && strncmp(text, "usage:", 6) == 0);
            break;
        }
        assert_int_equal(status, 0);
        if (k == 0)
            snprintf(expected, sizeof expected, "128 x 128 pixels, 128 without a value, ");
        else
            snprintf(expected, sizeof expected, "%d x %d pixels, %d without a value, ", H, W,
                     W + 3);
        assert_int_equal(strncmp(text, expected, strlen(expected)), 0);
        assert_non_null(strstr(text, "the members agree most at row "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_those_of_reshed_infer),
        cmocka_unit_test(the_score_is_that_of_reshed_infer),
        cmocka_unit_test(arguments_are_checked),
        cmocka_unit_test(short_memory_is_reported),
        cmocka_unit_test(the_example_runs),
    };
    return cmocka_run_group_tests_name("frame_api", tests, NULL, NULL);
}
