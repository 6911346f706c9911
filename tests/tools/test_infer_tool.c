/* reshed-infer itself: reduced precision from the command line. */
#define _POSIX_C_SOURCE 200809L
#include "support/support.h"

#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/npy.h"
#include "io/nsid/image.h"
#include "io/nsid/write.h"
#include "io/walls_read.h"
#include "support/program.h"
#include "support/tolerance.h"
#include "support/torch_build.h"

static const outcome *run(const char *args)
{
    return run_program("reshed-infer", args);
}

static void wrong_usage_exits_with_2(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"--precision fp16 x.png", "--precision: expected fp32 or bf16, found 'fp16'"},
        {"--precision bf16 --algo gemm x.png",
         "--precision bf16 goes with --algo auto or winograd"},
        {"--algo direct --precision bf16 x.png", "--precision bf16 goes with --algo"},
        {"--average 3 x.png", "--average: expected 1, 2, 4 or 8, found '3'"},
        {"--precision-check x.png", "--precision-check goes with --precision bf16"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const outcome *o = run(cases[i][0]);
        assert_int_equal(o->status, 2);
        assert_non_null(strstr(o->err, cases[i][1]));
    }
}

/* Results of several folders in one of their own; two that would have one name are refused before any work,
 * and what failed is in the JSON as well. */
static void results_go_into_a_folder(void **state)
{
    static const char *const ending[] = {"_mean.png", "_variance.png", "_overlay.png", "_walls.h5"};
    (void)state;
    char args[8192], there[1024], other[2048], folder[1024], path[2048];
    const char *image = test_data("tiny_input_29x37.npy");
    const char *weights = test_data("tiny_bilinear_ensemble_metadict.tar");
    size_t n = 0;
    snprintf(folder, sizeof folder, "%s", test_temp("maps"));
    snprintf(there, sizeof there, "%s", test_temp("not_there.npy"));
    snprintf(args, sizeof args, "--json --weights %s --out %s %s %s", weights, folder, there,
             image);
    const outcome *o = run(args);
    assert_int_equal(o->status, 1);
    assert_non_null(strstr(o->out, "not_there.npy\", \"failed\": true}"));
    assert_non_null(strstr(o->out, "\"members\": "));
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/tiny_input_29x37%s", folder, ending[i]);
        rs_free(test_read_file(path, &n)); /* fails where there is none */
        assert_true(n > 0);
    }
    snprintf(other, sizeof other, "%s/tiny_input_29x37.npy", folder);
    uint8_t *copy = test_read_file(image, &n);
    test_write_file(other, copy, n);
    rs_free(copy);
    snprintf(args, sizeof args, "--weights %s --out %s %s %s", weights, folder, image, other);
    o = run(args);
    assert_int_equal(o->status, 2);
    assert_non_null(strstr(o->err, "would write the same file"));
    snprintf(args, sizeof args, "--weights %s --out %s/a/b %s", weights, folder, image);
    o = run(args);
    assert_int_equal(o->status, 1);
    assert_non_null(strstr(o->err, "cannot make the folder"));
    snprintf(args, sizeof args, "--out %s --mean m.npy %s", folder, image);
    assert_int_equal(run(args)->status, 2);
}

/* The portable kernels emulate bf16: it would be slower, so it is not run, and one line says so. */
static void bf16_that_does_not_pay_is_not_run(void **state)
{
    (void)state;
    char args[4096];
    const char *files = test_temp("plain.npy");
    setenv("RESHED_ISA", "generic", 1);
    for (int quiet = 0; quiet < 2; quiet++) {
        snprintf(args, sizeof args, "--json --precision bf16 %s --weights %s --mean %s %s",
                 quiet ? "--quiet" : "", test_data("tiny_bilinear_ensemble_metadict.tar"), files,
                 test_data("tiny_input_29x37.npy"));
        const outcome *o = run(args);
        assert_int_equal(o->status, 0);
        assert_non_null(strstr(o->out, "\"precision\": \"fp32\""));
        const char *said = strstr(o->err, "bf16 does not pay on this processor, fp32 is used: ");
        assert_true((said != NULL) == !quiet);
        if (said) assert_string_equal(strchr(said, '\n'), "\n");
    }
    unsetenv("RESHED_ISA");
}

/* The error that the program states must be that of its files, and small. */
static void bf16_states_its_error(void **state)
{
    (void)state;
    char args[4096], half[1024], full[1024];
    reshed_error err = {0};
    rs_npy a, b;
    snprintf(half, sizeof half, "%s", test_temp("half.npy"));
    snprintf(full, sizeof full, "%s", test_temp("full.npy"));
    const char *weights = test_data("tiny_bilinear_ensemble_metadict.tar");
    const char *image = test_data("tiny_input_29x37.npy");
    snprintf(args, sizeof args, "--json --weights %s --mean %s %s", weights, full, image);
    const outcome *o = run(args);
    assert_int_equal(o->status, 0);
    assert_non_null(strstr(o->out, "\"precision\": \"fp32\""));
    assert_null(strstr(o->out, "bf16_error"));
    snprintf(args, sizeof args,
             "--json --precision bf16 --precision-check --weights %s --mean %s %s", weights, half,
             image);
    o = run(args);
    assert_int_equal(o->status, 0);
    assert_non_null(strstr(o->out, "\"precision\": \"bf16\""));
    const double stated = json_number(o->out, "bf16_error_mean_max");
    assert_true(json_number(o->out, "bf16_error_mean_average") <= TOL_GOLDEN_BF16_AVERAGE);
    assert_true(json_number(o->out, "bf16_error_variance_max") <= TOL_GOLDEN_BF16);
    assert_true(json_number(o->out, "bf16_error_variance_average") <= TOL_GOLDEN_BF16_AVERAGE);
    assert_ok(rs_npy_read(half, &a, &err), &err);
    assert_ok(rs_npy_read(full, &b, &err), &err);
    assert_int_equal(a.count, 29 * 37);
    double worst = 0;
    for (size_t i = 0; i < a.count; i++)
        worst = fmax(worst, fabs(rs_npy_at(&a, i) - rs_npy_at(&b, i)));
    assert_true(worst > TOL_NET_WINOGRAD && worst <= TOL_GOLDEN_BF16);
    assert_true(fabs(worst - stated) <= 1e-5 * worst); /* printed with fewer digits */
    rs_npy_clear(&a);
    rs_npy_clear(&b);
}

/* What was averaged is said where the maps are, and nowhere else. */
static void averages_turns(void **state)
{
    (void)state;
    char args[4096], path[1024];
    reshed_error err = {0};
    rs_npy map[2];
    for (int k = 0; k < 2; k++) {
        snprintf(path, sizeof path, "%s", test_temp(k ? "turned.npy" : "plain.npy"));
        snprintf(args, sizeof args, "--json %s --weights %s --mean %s --h5 %s %s",
                 k ? "--average 8" : "", test_data("tiny_bilinear_ensemble_metadict.tar"), path,
                 test_temp("turned.h5"), test_data("tiny_input_29x37.npy"));
        const outcome *o = run(args);
        assert_int_equal(o->status, 0);
        assert_int_equal(strstr(o->out, "\"average\": 8") != NULL, k);
        assert_ok(rs_npy_read(path, &map[k], &err), &err);
        hid_t file = H5Fopen(test_temp("turned.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
        assert_int_equal(H5Aexists(file, "average") > 0, k);
        H5Fclose(file);
    }
    double worst = 0;
    for (size_t i = 0; i < map[0].count; i++)
        worst = fmax(worst, fabs(rs_npy_at(&map[0], i) - rs_npy_at(&map[1], i)));
    assert_true(worst > 1e-3 && worst < 1);
    for (int k = 0; k < 2; k++) rs_npy_clear(&map[k]);
}

/* The channel by its meaning, said wherever the result is. */
static void says_which_channel_it_took(void **state)
{
    (void)state;
    static const char *const quantity[] = {"Height", "PFM amp", "Magnitude"};
    char args[4096], path[1024], h5[1024];
    reshed_error err = {0};
    snprintf(path, sizeof path, "%s", test_temp("three.h5"));
    snprintf(h5, sizeof h5, "%s", test_temp("three_walls.h5"));
    for (int without = 0; without < 2; without++) {
        rs_nsid_writer *w = NULL;
        test_rng r = {test_seed()};
        assert_ok(rs_nsid_create(path, RS_NSID_ATOMIC, &w, &err), &err);
        for (int k = 0; k < 3; k++) {
            rs_image im;
            rs_nsid_data d;
            assert_ok(rs_image_init(&im, 32, 32, &err), &err);
            for (int i = 0; i < 32 * 32; i++) im.data[i] = (float)test_uniform(&r, 0, 1);
            strcpy(im.channel, without && k ? "Phase" : quantity[k]);
            assert_ok(rs_nsid_from_image(&im, &d, &err), &err);
            snprintf(args, sizeof args, "/Measurement_000/Channel_%03d", k);
            assert_ok(rs_nsid_add(w, args, &d, RS_NSID_F32, NULL, 0, &err), &err);
            rs_nsid_data_clear(&d);
            rs_image_clear(&im);
        }
        assert_ok(rs_nsid_finish(w, RESHED_OK, &err), &err);
        const char *weights = test_data("tiny_bilinear_ensemble_metadict.tar");
        snprintf(args, sizeof args, "--weights %s --h5 %s %s", weights, h5, path);
        const outcome *o = run(args);
        if (without) {
            assert_int_equal(o->status, 1);
            assert_non_null(strstr(o->err, "none of these channels is known as an amplitude: "
                                           "Height, Phase"));
            assert_non_null(strstr(o->err, "--channel"));
            continue;
        }
        assert_int_equal(o->status, 0);
        assert_non_null(strstr(o->out, "32 x 32, channel PFM amp, "));
        assert_non_null(strstr(o->err, "the first of 2 that show an amplitude (1 PFM amp, 2 "
                                       "Magnitude); --channel chooses"));
        rs_walls_map m = {0};
        assert_ok(rs_walls_read(h5, &m, &err), &err);
        assert_string_equal(m.channel, "PFM amp");
        rs_walls_map_clear(&m);
        snprintf(args, sizeof args, "--json -c magni --weights %s --h5 %s %s", weights, h5, path);
        o = run(args);
        assert_int_equal(o->status, 0);
        assert_non_null(strstr(o->out, "\"channel\": \"Magnitude\""));
        assert_null(strstr(o->err, "the first of"));
    }
}

/* A film of c+ and c-: the walls are parted by the phase unless it is off, and where they are left
 * alone the maps keep their bits. */
static void the_phase_parts_the_walls(void **state)
{
    (void)state;
    enum { SIDE = 48 };
    char args[4096], path[1024], with[1024], without[1024], lines[1024];
    const char *weights = test_data("tiny_bilinear_ensemble_metadict.tar");
    reshed_error err = {0};
    rs_nsid_writer *w = NULL;
    rs_npy a, b, c;
    snprintf(path, sizeof path, "%s", test_temp("signs.h5"));
    snprintf(with, sizeof with, "%s", test_temp("with.npy"));
    snprintf(without, sizeof without, "%s", test_temp("without.npy"));
    snprintf(lines, sizeof lines, "%s", test_temp("lines.npy"));
    assert_ok(rs_nsid_create(path, RS_NSID_ATOMIC, &w, &err), &err);
    for (int k = 0; k < 2; k++) {
        rs_image im;
        rs_nsid_data d;
        assert_ok(rs_image_init(&im, SIDE, SIDE, &err), &err);
        for (int i = 0; i < SIDE * SIDE; i++) {
            const double s = tanh(0.8 * (i % SIDE - 20.5));
            im.data[i] = k ? (s > 0 ? 170.0f : -10.0f) : (float)fabs(s);
        }
        strcpy(im.channel, k ? "Phase" : "Amplitude");
        strcpy(im.unit, k ? "deg" : "m");
        assert_ok(rs_nsid_from_image(&im, &d, &err), &err);
        snprintf(args, sizeof args, "/Measurement_000/Channel_%03d", k);
        assert_ok(rs_nsid_add(w, args, &d, RS_NSID_F32, NULL, 0, &err), &err);
        rs_nsid_data_clear(&d);
        rs_image_clear(&im);
    }
    assert_ok(rs_nsid_finish(w, RESHED_OK, &err), &err);
    snprintf(args, sizeof args, "--json --weights %s --mean %s --wall180 %s %s", weights, with,
             lines, path);
    const outcome *o = run(args);
    assert_int_equal(o->status, 0);
    assert_non_null(strstr(o->out, "\"phase\": \"Phase\""));
    assert_true(json_number(o->out, "wall180_fraction") > 0.01);
    snprintf(args, sizeof args, "--json --phase off --weights %s --mean %s %s", weights, without,
             path);
    o = run(args);
    assert_int_equal(o->status, 0);
    assert_null(strstr(o->out, "\"phase\""));
    assert_ok(rs_npy_read(with, &a, &err), &err);
    assert_ok(rs_npy_read(without, &b, &err), &err);
    assert_ok(rs_npy_read(lines, &c, &err), &err);
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        const int from = abs((int)(i % SIDE) - 20);
        if (from <= 1) assert_true(rs_npy_at(&a, i) == 0);
        if (from > 6) assert_true(rs_npy_at(&a, i) == rs_npy_at(&b, i));
        if (from > 2) assert_true(rs_npy_at(&c, i) == 0);
    }
    rs_npy_clear(&a);
    rs_npy_clear(&b);
    rs_npy_clear(&c);
    snprintf(args, sizeof args, "--phase off --wall180 %s %s", lines, path);
    assert_int_equal(run(args)->status, 2);
    snprintf(args, sizeof args, "--phase Amplit --weights %s --mean %s %s", weights, with, path);
    assert_int_equal(run(args)->status, 0);
    snprintf(args, sizeof args, "--phase nothing --weights %s --mean %s %s", weights, with, path);
    assert_int_equal(run(args)->status, 1);
}

/* A NPZ of an amplitude and a phase with so many frames (0: an image) and columns. */
static void write_pair(const char *path, size_t frames, size_t phase_frames, size_t phase_width)
{
    enum { SIDE = 32, MOST = 3 };
    static float v[MOST * SIDE * SIDE];
    reshed_error err = {0};
    zip_part part[2] = {{.name = "amplitude.npy"}, {.name = "phase.npy"}};
    uint8_t *npy[2];
    for (int k = 0; k < 2; k++) {
        const size_t n = k ? phase_frames : frames, width = k ? phase_width : SIDE;
        const size_t dims[3] = {n, SIDE, width};
        for (size_t i = 0; i < MOST * SIDE * SIDE; i++) {
            const double s = tanh(0.8 * ((double)(i % SIDE) - 15.5));
            v[i] = k ? (s > 0 ? 170.0f : -10.0f) : (float)fabs(s);
        }
        assert_ok(rs_npy_write_mem(RS_NPY_F4, n ? 3 : 2, n ? dims : dims + 1, v, &npy[k],
                                   &part[k].n, &err),
                  &err);
        part[k].data = npy[k];
    }
    bytes zip = zip_build(part, 2);
    assert_ok(rs_os_write_file(path, zip.p, zip.n, &err), &err);
    bytes_free(&zip);
    for (int k = 0; k < 2; k++) rs_free(npy[k]);
}

/* A phase that is there but does not fit is left out with a warning, unless it was asked for; one image of it
 * stands for all frames. */
static void a_phase_that_does_not_fit_is_left_out(void **state)
{
    (void)state;
    static const struct {
        size_t frames, phase_frames, phase_width;
        bool fits;
    } cases[] = {
        {0, 0, 32, true},  {2, 0, 32, true},  {2, 2, 32, true},
        {0, 2, 32, false}, {3, 2, 32, false}, {0, 0, 16, false},
    };
    char args[4096], path[1024];
    snprintf(path, sizeof path, "%s", test_temp("pair.npz"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const bool stack = cases[i].frames > 0;
        write_pair(path, cases[i].frames, cases[i].phase_frames, cases[i].phase_width);
        for (int asked = 0; asked < 2; asked++) {
            snprintf(args, sizeof args, "--json %s --weights %s --mean %s %s %s",
                     asked ? "--phase phase" : "", test_data("tiny_bilinear_ensemble_metadict.tar"),
                     test_temp("pair.npy"),
                     stack ? cases[i].frames == 3 ? "--frame=2" : "--frame=1" : "", path);
            const outcome *o = run(args);
            if (o->status != (asked && !cases[i].fits))
                fail_msg("case %zu, asked %d: exit %d: %s", i, asked, o->status, o->err);
            if (o->status == 0)
                assert_true((strstr(o->out, "\"phase\": \"phase\"") != NULL) == cases[i].fits);
            if (!asked)
                assert_true((strstr(o->err, "not parted by the phase") != NULL) != cases[i].fits);
        }
    }
}

/* An input that is unplugged, or saturated, must not pass for a film without walls. */
static void alarms_without_contrast(void **state)
{
    (void)state;
    char args[4096], path[1024];
    float data[16 * 16];
    const size_t dims[2] = {16, 16};
    reshed_error err = {0};
    snprintf(path, sizeof path, "%s", test_temp("flat.npy"));
    for (int hot = 0; hot < 2; hot++) {
        for (int i = 0; i < 16 * 16; i++) data[i] = 3.3e-10f;
        for (int i = 0; hot && i < 16 * 16; i++) data[i] = (float)(i % 5) * 1e-10f;
        if (hot) data[77] = 1e-7f;
        assert_ok(rs_npy_write(path, RS_NPY_F4, 2, dims, data, &err), &err);
        snprintf(args, sizeof args, "--json --weights %s --mean %s %s",
                 test_data("tiny_bilinear_ensemble_metadict.tar"), test_temp("m.npy"), path);
        const outcome *o = run(args);
        assert_int_equal(o->status, 0);
        assert_true(json_number(o->out, "ood_score") >= 100);
        assert_non_null(strstr(o->out, "\"ood\": true"));
        assert_non_null(strstr(o->err, hot ? "a few extreme pixels" : "every pixel has the same"));
        assert_non_null(strstr(o->err, "do not trust the maps"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_usage_exits_with_2),
        cmocka_unit_test(results_go_into_a_folder),
        cmocka_unit_test(bf16_that_does_not_pay_is_not_run),
        cmocka_unit_test(bf16_states_its_error),
        cmocka_unit_test(averages_turns),
        cmocka_unit_test(says_which_channel_it_took),
        cmocka_unit_test(the_phase_parts_the_walls),
        cmocka_unit_test(a_phase_that_does_not_fit_is_left_out),
        cmocka_unit_test(alarms_without_contrast),
    };
    return cmocka_run_group_tests_name("infer_tool", tests, NULL, NULL);
}
