/* reshed-evaluate itself, and what reshed-infer says of a frame with its weights. */
#define _POSIX_C_SOURCE 200809L /* strdup */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/npy.h"
#include "support/program.h"

static void wrong_usage_exits_with_2(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "expected table, shift or bayes"},
        {"chart", "unknown command 'chart'"},
        {"table a.png", "an image without its walls: 'a.png'"},
        {"shift a.png", "shift takes no images"},
        {"table --store", "go with shift"},
        {"shift --reliability x.png", "--reliability goes with table"},
        {"shift --film wet", "--film: expected random, plain or a kind of film, found 'wet'"},
        {"table --frames 1", "--frames"},
        {"bayes", "no NAME=FILE given"},
        {"bayes -w x.h5 a=b.h5", "--weights does not go with it"},
        {"bayes a.h5", "expected NAME=FILE or NAME:N=FILE, found 'a.h5'"},
        {"bayes a:0=b.h5", "members of NAME:N"},
        {"bayes --store a=b.h5", "go with shift"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const outcome *o = run_program("reshed-evaluate", cases[i][0]);
        assert_int_equal(o->status, 2);
        if (!strstr(o->err, cases[i][1])) fail_msg("%s: %s", cases[i][0], o->err);
    }
}

/* A labelled image made by hand: the baselines find a sharp square, tuned or not, and the same
 * table comes from one thread and from two. */
static void the_table_has_every_method(void **state)
{
    (void)state;
    enum { N = 40 };
    static float image[N * N], walls[N * N];
    char args[2048], picture[512];
    for (int i = 0; i < N * N; i++) {
        int r = i / N, c = i % N, inside = r >= 12 && r < 30 && c >= 10 && c < 28;
        image[i] = inside ? 0 : 1;
        walls[i] = inside && (r == 12 || r == 29 || c == 10 || c == 27);
    }
    const size_t dims[2] = {N, N};
    reshed_error err = {0};
    const char *a = test_temp("square.npy"), *b = test_temp("square_walls.npy");
    assert_ok(rs_npy_write(a, RS_NPY_F4, 2, dims, image, &err), &err);
    assert_ok(rs_npy_write(b, RS_NPY_F4, 2, dims, walls, &err), &err);
    snprintf(picture, sizeof picture, "%s", test_temp("reliability.png"));
    snprintf(args, sizeof args, "table -w %s -n 3 -s 32 -j 1 --json --reliability %s %s %s",
             test_data("tiny_bilinear_ensemble_metadict.tar"), picture, a, b);
    const outcome *o = run_program("reshed-evaluate", args);
    if (o->status != 0) fail_msg("%s", o->err);
    assert_true(rs_os_is_file(picture));
    static const char *const there[] = {"\"method\": \"member 2\"",
                                        "\"method\": \"mean of the members\"",
                                        "\"method\": \"ensemble\"",
                                        "\"method\": \"average of the weights\"",
                                        "\"set\": \"simulated, as trained\"",
                                        "\"set\": \"labelled images, mean\"",
                                        "\"largest_ahead\": "};
    for (size_t i = 0; i < sizeof there / sizeof *there; i++)
        if (!strstr(o->out, there[i])) fail_msg("no %s", there[i]);
    static const char *const perfect[] = {"\"method\": \"boundary tuned, ",
                                          "\"method\": \"Canny tuned, "};
    for (int i = 0; i < 2; i++) {
        const char *row = strstr(o->out, perfect[i]);
        assert_non_null(row);
        assert_true(json_number(row, "edge_f") > 0.93);
    }
    char *first = strdup(o->out);
    args[strcspn(args, "\n")] = '\0';
    char *j = strstr(args, "-j 1");
    j[3] = '2';
    o = run_program("reshed-evaluate", args);
    assert_int_equal(o->status, 0);
    assert_string_equal(o->out, first);
    free(first);
}

/* Fits the score into a copy of the weights; then reshed-infer knows it, and an image unlike any
 * film is an alarm. */
static void the_score_is_stored_and_used(void **state)
{
    (void)state;
    test_not_quick();
    enum { N = 48 };
    static float image[N * N];
    char args[4096], weights[512], mean[512];
    snprintf(weights, sizeof weights, "%s", test_temp("scored.h5"));
    snprintf(mean, sizeof mean, "%s", test_temp("mean.npy"));
    snprintf(args, sizeof args, "import --quiet %s -o %s",
             test_data("tiny_bilinear_ensemble_metadict.tar"), weights);
    assert_int_equal(run_program("reshed-weights", args)->status, 0);
    test_rng r = {test_seed()};
    for (int i = 0; i < N * N; i++)
        image[i] = (float)(i / N % 2) + 0.3f * (float)test_gauss(&r); /* every other line */
    const size_t dims[2] = {N, N};
    reshed_error err = {0};
    const char *odd = test_temp("odd.npy");
    assert_ok(rs_npy_write(odd, RS_NPY_F4, 2, dims, image, &err), &err);

    snprintf(args, sizeof args, "--json --weights %s --mean %s %s", weights, mean, odd);
    const outcome *o = run_program("reshed-infer", args);
    assert_int_equal(o->status, 0);
    assert_non_null(strstr(o->out, "\"ood\": null")); /* nothing to judge by yet */

    char shift[1024];
    snprintf(shift, sizeof shift, "shift -w %s -n 4 -s 48 --fit 120 --effect blur --store --json",
             weights);
    o = run_program("reshed-evaluate", shift);
    if (o->status != 0) fail_msg("%s", o->err);
    assert_non_null(strstr(o->out, "{\"effect\": \"none\""));
    assert_non_null(strstr(o->out, "{\"effect\": \"blur\""));
    assert_null(strstr(o->out, "gamma"));

    o = run_program("reshed-infer", args);
    assert_int_equal(o->status, 0);
    assert_non_null(strstr(o->out, "\"ood\": true"));
    assert_true(json_number(o->out, "ood_score") > 2);
    assert_non_null(strstr(o->err, "unlike the frames that the networks were trained on"));
    char text[600];
    snprintf(text, sizeof text, "show --json %s", weights);
    o = run_program("reshed-weights", text);
    assert_true(json_number(o->out, "ood_threshold") > 0.5);

    /* AtomAI's file has no place for it, and is left alone. */
    size_t before, after;
    const char *tar = test_data("tiny_bilinear_ensemble_metadict.tar");
    uint8_t *x = test_read_file(tar, &before);
    snprintf(shift, sizeof shift, "shift -w %s -n 4 -s 48 --fit 120 --store", tar);
    assert_int_equal(run_program("reshed-evaluate", shift)->status, 1);
    uint8_t *y = test_read_file(tar, &after);
    assert_int_equal(before, after);
    assert_memory_equal(x, y, before);
    rs_free(x);
    rs_free(y);
}

static void infer_scores_at_three_tolerances(void **state)
{
    (void)state;
    char args[4096], picture[512];
    snprintf(picture, sizeof picture, "%s", test_temp("diagram.png"));
    const char *image = test_data("tiny_input_29x37.npy");
    snprintf(args, sizeof args, "--json --weights %s --mean %s --truth %s --reliability %s %s",
             test_data("tiny_bilinear_ensemble_metadict.tar"), test_temp("m.npy"), image, picture,
             image);
    const outcome *o = run_program("reshed-infer", args);
    if (o->status != 0) fail_msg("%s", o->err);
    double strict = json_number(o->out, "edge_f_1px"), usual = json_number(o->out, "edge_f"),
           loose = json_number(o->out, "edge_f_2px");
    assert_true(0 <= strict && strict <= usual && usual <= loose && loose <= 1);
    assert_true(rs_os_is_file(picture));
    o = run_program("reshed-infer", "--reliability x.png y.png");
    assert_int_equal(o->status, 2);
    assert_non_null(strstr(o->err, "--reliability goes with --truth"));
}

/* Members of one file and all of it, on the same frames. */
static void methods_stand_side_by_side(void **state)
{
    (void)state;
    char args[2048];
    const char *w = test_data("tiny_bilinear_ensemble_metadict.tar");
    snprintf(args, sizeof args, "bayes -n 4 -s 40 --json one:1=%s all=%s again=%s", w, w, w);
    const outcome *o = run_program("reshed-evaluate", args);
    if (o->status != 0) fail_msg("%s", o->err);
    const char *one = strstr(o->out, "\"one\""), *all = strstr(o->out, "\"all\""),
               *again = strstr(o->out, "\"again\"");
    assert_true(one && all && again);
    assert_true(json_number(one, "members") == 1);
    assert_true(json_number(all, "members") > 1);
    assert_non_null(strstr(one, "\"auroc_variance\": null")); /* nothing to disagree with */
    assert_true(json_number(all, "auroc_variance") >= 0);
    static const char *const same[] = {"edge_f", "ece_near_walls", "shifted_edge_f",
                                       "auroc_entropy", "auroc_variance"};
    for (size_t i = 0; i < 5; i++)
        assert_true(json_number(all, same[i]) == json_number(again, same[i]));
    assert_true(json_number(one, "ece_near_walls") != json_number(all, "ece_near_walls"));
    snprintf(args, sizeof args, "bayes -n 4 -s 40 a:99=%s", w);
    o = run_program("reshed-evaluate", args);
    assert_int_equal(o->status, 1);
    assert_non_null(strstr(o->err, "members (expected at least 99"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_usage_exits_with_2),
        cmocka_unit_test(the_table_has_every_method),
        cmocka_unit_test(the_score_is_stored_and_used),
        cmocka_unit_test(infer_scores_at_three_tolerances),
        cmocka_unit_test(methods_stand_side_by_side),
    };
    return cmocka_run_group_tests_name("eval_tool", tests, NULL, NULL);
}
