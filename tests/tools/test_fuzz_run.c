#define _XOPEN_SOURCE 700
/* The script that runs the fuzz targets: what has not been tried must not pass. */
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Returns the script's exit status with a program that acts so when it is run on inputs. */
static int run_with(const char *act)
{
    char script[1024], command[4096], folder[512];
    snprintf(folder, sizeof folder, "%s", test_temp("fuzz"));
    mkdir(folder, 0700);
    snprintf(script, sizeof script, "%s/program", folder);
    snprintf(command, sizeof command,
             "#!/bin/sh\n[ x\"$FUZZ_LISTS\" != xno ] || exit 1\n[ -n \"$RESHED_FUZZ\" ] || { echo "
             "png; exit 0; }\n"
             "[ -z \"$RESHED_FUZZ_SEEDS\" ] || exit 0\n%s\n",
             act);
    FILE *f = fopen(script, "w");
    assert_non_null(f);
    assert_true(fputs(command, f) >= 0 && fclose(f) == 0);
    assert_int_equal(chmod(script, 0700), 0);
    char *run = realpath("tests/fuzz/run.sh", NULL);
    assert_non_null(run);
    snprintf(command, sizeof command, "cd '%s' && sh '%s' ./program 1 >/dev/null 2>&1", folder,
             run);
    free(run);
    const int status = system(command);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void what_was_not_tried_fails(void **state)
{
    (void)state;
    test_not_quick();
#define SEEDS "echo '#4 INITED cov: 1'; "
#define STACK "echo '    #0 0x1 in H5FL_malloc H5FL.c:1'; "
    assert_int_equal(run_with(SEEDS "echo stat::number_of_executed_units: 9"), 0);
    assert_int_equal(run_with(SEEDS "echo stat::number_of_executed_units: 0"), 1);
    assert_int_equal(run_with("exit 0"), 1);
    setenv("FUZZ_LISTS", "no", 1);
    assert_int_equal(run_with("exit 0"), 1);
    unsetenv("FUZZ_LISTS");
    assert_int_equal(run_with("exit 1"), 1);
    assert_int_equal(run_with("kill -9 $$"), 1);
    assert_int_equal(run_with(STACK "echo stat::number_of_executed_units: 2; exit 1"), 1);
    assert_int_equal(run_with(SEEDS STACK "echo stat::number_of_executed_units: 90; exit 1"), 0);
#define DEEP "for k in 0 1 2 3; do echo \"    #$k 0x1 in H5FL_malloc H5FL.c:1\"; done; "
#define OURS "0x1 in rs_h5_has_attr /src/io/hdf5/h5.c:22'; echo stat::number_of_executed_units: 9; "
    assert_int_equal(run_with(SEEDS DEEP "echo '    #4 " OURS "exit 1"), 1);
    assert_int_equal(
        run_with(SEEDS DEEP "echo '    #4 0x1 in H5Aexists'; echo '    #5 " OURS "exit 1"), 0);
    assert_int_equal(run_with(SEEDS "echo '    #0 0x1 in rs_read x.c:1'; "
                                    "echo stat::number_of_executed_units: 90; exit 1"),
                     1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_not_tried_fails)};
    return cmocka_run_group_tests_name("fuzz_run", tests, NULL, NULL);
}
