/* reshed-twin: its options, and the files and messages that it leaves. */
#include "support/support.h"

#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "tools/twin/job.h"

static const cli_program program = {"test", ""};

static twin_job small_job(const char *output)
{
    twin_job j = {.program = &program, .output = output, .formats = "h5,npy,png,csv"};
    j.count = 150; /* more than a batch */
    j.height = 20;
    j.width = 24;
    j.seed = 5;
    j.harsh = 1;
    j.quiet = true;
    return j;
}

static bool is_there(const char *prefix, const char *ending)
{
    char path[512];
    snprintf(path, sizeof path, "%s%s", prefix, ending);
    return rs_os_is_file(path);
}

static void a_data_set_is_one_file(void **state)
{
    (void)state;
    twin_job j = small_job(test_temp("set.h5"));
    j.count = 3;
    assert_int_equal(twin_dataset(&j), CLI_OK);
    assert_true(rs_os_is_file(j.output));
    j.output = "/nonexistent/x.h5";
    assert_int_equal(twin_dataset(&j), CLI_FAILED);
}

static void an_image_comes_in_all_formats(void **state)
{
    (void)state;
    static const char *const ending[] = {".h5",          ".npy",       ".png",       "_walls.npy",
                                         "_domains.npy", "_walls.png", "_walls.csv", "_kinds.npy"};
    twin_job j = small_job(test_temp("frame"));
    assert_true(twin_add_setting(&j, "noise=0.05"));
    assert_int_equal(twin_image(&j), CLI_OK);
    for (size_t k = 0; k < sizeof ending / sizeof *ending; k++)
        assert_true(is_there(j.output, ending[k]));
    j.output = test_temp("only");
    j.formats = "npy";
    assert_int_equal(twin_image(&j), CLI_OK);
    assert_true(is_there(j.output, ".npy"));
    assert_false(is_there(j.output, ".h5"));
}

static void every_kind_of_film_can_be_drawn(void **state)
{
    (void)state;
    twin_job j = small_job(test_temp("kind"));
    j.formats = "npy";
    for (int random = 0; random < 2; random++)
        for (int k = 0; k < RS_TWIN_FILMS; k++) {
            j.film = (rs_twin_film)k;
            j.random = random;
            assert_int_equal(twin_image(&j), CLI_OK);
        }
}

static void wrong_words_are_usage_errors(void **state)
{
    (void)state;
    twin_job j = small_job(test_temp("none"));
    assert_false(twin_add_setting(&j, "noise"));
    assert_false(twin_add_setting(&j, "=1"));
    assert_false(twin_add_setting(&j, "no_such=1"));
    assert_false(twin_add_setting(&j, "noise=-1"));
    assert_false(twin_add_setting(&j, "noise=x"));
    assert_int_equal(j.sets, 0);
    assert_true(twin_add_setting(&j, "spacing[1]=0"));
    assert_true(twin_add_setting(&j, "stripe_width.lo=1e-8"));
    j.formats = "h5,jpeg";
    assert_int_equal(twin_image(&j), CLI_USAGE);
    j.formats = "";
    assert_int_equal(twin_image(&j), CLI_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_data_set_is_one_file),
        cmocka_unit_test(an_image_comes_in_all_formats),
        cmocka_unit_test(every_kind_of_film_can_be_drawn),
        cmocka_unit_test(wrong_words_are_usage_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
