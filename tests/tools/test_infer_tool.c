/* reshed-infer itself: reduced precision from the command line. */
#include "support/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/npy.h"
#include "support/program.h"
#include "support/tolerance.h"

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
        {"--precision-check x.png", "--precision-check goes with --precision bf16"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const outcome *o = run(cases[i][0]);
        assert_int_equal(o->status, 2);
        assert_non_null(strstr(o->err, cases[i][1]));
    }
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_usage_exits_with_2),
        cmocka_unit_test(bf16_states_its_error),
    };
    return cmocka_run_group_tests_name("infer_tool", tests, NULL, NULL);
}
