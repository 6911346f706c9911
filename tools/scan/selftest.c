#include "tools/scan/selftest.h"

#include <stdio.h>

#include "spm/instrument/selftest.h"

static void told(void *ctx, const char *call, rs_selftest_result result, const char *found)
{
    static const char *const words[] = {[RS_SELFTEST_OK] = "ok",
                                        [RS_SELFTEST_MISSING] = "none",
                                        [RS_SELFTEST_LEFT] = "not tried",
                                        [RS_SELFTEST_FAILED] = "FAILED"};
    (void)ctx;
    printf("%-18s%-11s%s\n", call, words[result], CLI_TEXT(found));
    fflush(stdout);
}

int scan_self_test(const scan_options *o)
{
    const int failed = rs_selftest(o->self_test, o->plan.option, o->plan.options, told, NULL);
    if (failed)
        printf("%d failed\n", failed);
    else
        printf("all well, as far as it goes without a voltage\n");
    const int status = cli_close(&scan_program);
    return failed ? CLI_FAILED : status;
}
