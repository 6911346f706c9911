/* reshed-scan --self-test: every call of a driver without a voltage, what came of it in words, and an
 * instrument that is left off with its tip up. */
#include "support/scan_nanonis.h"
#include "support/support.h"

#include <string.h>

static const outcome *self_test(int expected, const char *args)
{
    char text[2048];
    snprintf(text, sizeof text, "--self-test %s", args);
    return scan_run_to(expected, text);
}

/* A row of the table: the call, and what came of it. */
static void says(const outcome *o, const char *call, const char *word)
{
    char row[64];
    snprintf(row, sizeof row, "\n%-18s%-11s", call, word);
    if (!strstr(o->out, row)) fail_msg("no '%s' in: %s", row + 1, o->out);
}

static void the_twin_passes(void **state)
{
    (void)state;
    static const char *const options[] = {"twin -d clock=0", "twin -d clock=0 -d be=0"};
    for (int i = 0; i < 2; i++) {
        const outcome *o = self_test(0, options[i]);
        assert_null(strstr(o->out, "FAILED"));
        says(o, "wait_line", "ok");
        says(o, "run_spectroscopy", "ok");
        says(o, "pulse", "not tried");
        says(o, "move after halt", "ok");
        says(o, "rescue", "none");
    }
}

static void what_fails_is_named(void **state)
{
    (void)state;
    const outcome *o = self_test(1, "twin -d clock=0 -d lose_spectrum=0");
    says(o, "run_spectroscopy", "FAILED");
    assert_non_null(strstr(o->out, "\n1 failed\n"));
    o = self_test(1, "twin -d clock=0 -d disconnect=0");
    says(o, "halt", "FAILED");
    assert_non_null(strstr(self_test(1, "cypher")->out, "twin, replay, nanonis"));
    scan_run_to(2, "--self-test twin -s voltage=1");
    scan_run_to(2, "--self-test twin -o x.h5");
}

static void nanonis(char *args, const char *more)
{
    snprintf(args, 1024,
             "nanonis -d 'channel=LI Demod 1 R' -d ports=%d,%d,%d,%d -d modulator=1 "
             "-d silence=0.4 %s",
             emu_port(nano.emu, 0), emu_port(nano.emu, 1), emu_port(nano.emu, 2),
             emu_port(nano.emu, 3), more);
    emu_lock(nano.emu);
    const float frame[5] = {1e-6f, -2e-6f, 4e-6f, 2e-6f, 17};
    memcpy(nano.emu->frame, frame, sizeof frame);
    nano.emu->z_on = nano.emu->modulated = true;
    nano.emu->largest_step = 0;
    emu_unlock(nano.emu);
}

/* Not one volt comes from it, on any way. */
static void the_nanonis_passes_without_a_volt(void **state)
{
    (void)state;
    char args[1024];
    nanonis(args, "-d retrace=yes");
    const outcome *o = self_test(0, args);
    assert_null(strstr(o->out, "FAILED"));
    says(o, "set_be", "none");
    says(o, "run_spectroscopy", "ok");
    says(o, "rescue", "ok");
    const emulator *e = emu_state(nano.emu);
    assert_true(nano_is_safe(e) && !e->z_on && e->withdrawals >= 3);
    assert_true(e->largest_step == 0 && e->pulses == 0 && e->modulation == 0);
    for (int i = 0; i < 2; i++) assert_true(e->limits[i] == 0);
    for (int i = 0; i < e->mls; i++) assert_true(e->mls_start[i] == 0 && e->mls_end[i] == 0);
}

static void what_a_nanonis_refuses_is_named(void **state)
{
    (void)state;
    test_not_quick();
    static const char *const cases[][2] = {{"Scan.FrameSet", "set_frame"},
                                           {"Bias.Set", "set_bias"},
                                           {"BiasSpectr.Start", "run_spectroscopy"},
                                           {"ZCtrl.Withdraw", "withdraw"},
                                           {"FolMe.XYPosSet", "move_tip"}};
    for (int i = 0; i < 5; i++) {
        char args[1024];
        nanonis(args, "");
        emu_set_fault(nano.emu, EMU_ERROR_VALUES, cases[i][0], 1);
        says(self_test(1, args), cases[i][1], "FAILED");
        nano_wait_safe(true, cases[i][0]);
    }
}

#define T_(f) cmocka_unit_test_setup_teardown(f, nano_setup, nano_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_twin_passes),
        cmocka_unit_test(what_fails_is_named),
        T_(the_nanonis_passes_without_a_volt),
        T_(what_a_nanonis_refuses_is_named),
    };
    return cmocka_run_group_tests_name("scan_selftest", tests, NULL, NULL);
}
