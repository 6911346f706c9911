/* Runs against instruments that fail at random: replies that are refused, garbled, missing or cut,
 * connections that break, lines and spectra that do not come. Where the instrument still obeys it is
 * safe at the end, and where it is not safe the program says so. */
#define _GNU_SOURCE
#include "support/scan_nanonis.h"
#include "support/support.h"

#include <string.h>
#include <sys/wait.h>

#include "base/os.h"
#include "spm/scan/run.h"

static const char *const commands[] = {
    "*",
    "Bias.Set",
    "Bias.Get",
    "LockIn.ModAmpSet",
    "LockIn.ModOnOffSet",
    "Scan.Action",
    "Scan.StatusGet",
    "Scan.WaitEndOfLine",
    "Scan.FrameSet",
    "Scan.FrameGet",
    "Scan.BufferSet",
    "Scan.BufferGet",
    "Scan.PropsGet",
    "Scan.PropsSet",
    "Scan.SpeedSet",
    "Scan.SpeedGet",
    "Scan.FrameDataGrab",
    "FolMe.SpeedSet",
    "FolMe.XYPosSet",
    "FolMe.XYPosGet",
    "FolMe.Stop",
    "ZCtrl.OnOffGet",
    "ZCtrl.Withdraw",
    "AutoApproach.OnOffSet",
    "Signals.NamesGet",
    "Util.VersionGet",
    "Piezo.RangeGet",
    "BiasSpectr.Open",
    "BiasSpectr.ChsSet",
    "BiasSpectr.PropsSet",
    "BiasSpectr.AdvPropsSet",
    "BiasSpectr.LimitsSet",
    "BiasSpectr.TimingSet",
    "BiasSpectr.MLSModeSet",
    "BiasSpectr.MLSValsSet",
    "BiasSpectr.Start",
    "BiasSpectr.Stop",
};
static const emu_fault faults[] = {EMU_ERROR,         EMU_ERROR_VALUES, EMU_SIZE_HUGE,
                                   EMU_SIZE_NEGATIVE, EMU_SIZE_INNER,   EMU_NAME,
                                   EMU_SILENT,        EMU_CLOSE};
enum { COMMANDS = sizeof commands / sizeof *commands, FAULTS = sizeof faults / sizeof *faults };

typedef struct tally {
    int runs, good, failed, safe, disobeyed, unsafe;
} tally;

/* Judges the emulator's state after a run; what: the case in words. */
static void judge(tally *t, int status, const char *what)
{
    const double until = rs_os_monotonic() + 2;
    const emulator *e = emu_state(nano.emu);
    while (!nano_is_safe(e) && rs_os_monotonic() < until) { /* bytes that it still has to read */
        rs_os_sleep(0.02);
        e = emu_state(nano.emu);
    }
    const bool safe = nano_is_safe(e);
    t->runs++;
    t->safe += safe;
    t->disobeyed += e->disobeyed;
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
        fail_msg("%s: status %#x", what, (unsigned)status);
    t->good += WEXITSTATUS(status) == 0;
    t->failed += WEXITSTATUS(status) == 1;
    if (safe) return;
    t->unsafe++;
    if (!e->disobeyed || WEXITSTATUS(status) == 0)
        fail_msg("%s: exit %d, bias %g, drive %d, scan %d, move %d, spectrum %d", what,
                 WEXITSTATUS(status), (double)e->bias, e->modulated, e->running, e->moving,
                 e->spectrum_running);
}

static void the_nanonis_is_safe_whatever_happens(void **state)
{
    (void)state;
    static const char list[] = "row,col\n5,5\n8,10\n";
    const long n = test_tier(2, 16, 500);
    char points[1024];
    test_rng rng = {.state = test_seed()};
    tally t = {0};
    test_write_file(scan_temp(points, "points.csv"), list, sizeof list - 1);
    for (long k = 0; k < n; k++) {
        char args[4096], path[1024], more[2048], what[256], name[32];
        const char *command = commands[test_below(&rng, COMMANDS)];
        emu_fault fault = faults[test_below(&rng, FAULTS)];
        const int count = test_below(&rng, 2) ? 1 << 20 : 1 + (int)test_below(&rng, 3);
        if (fault == EMU_SILENT && !test_long()) fault = EMU_CLOSE; /* which takes no seconds */
        const bool any = command[0] == '*';
        const int after = (int)test_below(&rng, any ? 120 : test_below(&rng, 2) ? 1 : 24);
        const bool cut = test_below(&rng, 8) == 0; /* the connections break as well */
        const double when = test_uniform(&rng, 0, 1.5);
        snprintf(what, sizeof what, "run %ld (seed %llu): %s, fault %d after %d x %d%s", k,
                 (unsigned long long)test_seed(), command, fault, after, count,
                 cut ? ", connections cut" : "");
        nano_start_anew();
        nano_engage_by_hand();
        emu_lock(nano.emu);
        nano.emu->running = nano.emu->paused = false;
        emu_unlock(nano.emu);
        emu_set_fault_after(nano.emu, fault, command, after, count);
        snprintf(name, sizeof name, "random%ld.h5", k);
        snprintf(more, sizeof more,
                 "--quiet --points %s -s line_timeout=3 -s rows=16 -s cols=16 "
                 "-s drift_every=%d -s patch=16 -s reference_every=0",
                 points, (int)test_below(&rng, 2));
        nano_arguments(args, scan_temp(path, name), more);
        const pid_t pid = scan_start(args);
        if (cut) {
            rs_os_sleep(when);
            emu_disconnect(nano.emu);
        }
        const int status = scan_wait(pid);
        /* One that never got through to the instrument has nothing to make safe. */
        if (emu_count(nano.emu, "Scan.FrameSet") > 0 || WEXITSTATUS(status) == 0)
            judge(&t, status, what);
        remove(path);
    }
    print_message("# %d runs reached the instrument (of %ld), %d ended well, %d with an error; %d "
                  "left it safe, %d that were disobeyed did not\n",
                  t.runs, n, t.good, t.failed, t.safe, t.unsafe);
    assert_true(n < 10 || (t.runs > n / 2 && t.failed > 0)); /* a few may all miss */
}

/* -------------------------------------------------------------------------------------- the twin */

typedef struct stopper {
    int asked, stop_at; /* interrupts at that question; 0: never */
} stopper;

static bool interrupted(void *ctx)
{
    stopper *s = ctx;
    return s->stop_at > 0 && ++s->asked >= s->stop_at;
}

/* Some faults of the twin, each now and then; option[8], text[8]; returns how many options. */
static int draw_faults(test_rng *rng, rs_driver_option *option, char text[][32])
{
    static const char *const kinds[] = {"stall",      "lose",          "nan",
                                        "disconnect", "lose_spectrum", "nan_spectrum"};
    int n = 0;
    option[n++] = (rs_driver_option){"clock", "0"};
    option[n++] = (rs_driver_option){"seed", "7"};
    for (int k = 0; k < 6; k++) {
        if (test_below(rng, 3)) continue;
        snprintf(text[n], sizeof text[n], "%d", (int)test_below(rng, k < 4 ? 16 : 3));
        option[n] = (rs_driver_option){kinds[k], text[n]};
        n++;
    }
    return n;
}

static void run_twin(test_rng *rng, tally *t, long k)
{
    static const char *const given[] = {"rows", "cols", "width", "height"};
    rs_driver_option option[8];
    char text[8][32], path[1024], name[32];
    double v;
    reshed_error err = {0};
    rs_scan_plan plan;
    stopper s = {.stop_at = test_below(rng, 3) ? 0 : 1 + (int)test_below(rng, 40)};
    rs_scan_plan_defaults(&plan);
    plan.driver = "twin";
    plan.option = option;
    plan.options = draw_faults(rng, option, text);
    plan.given = given;
    plan.givens = 4;
    plan.settings.rows = plan.settings.cols = 16;
    plan.settings.width = plan.settings.height = 0.3e-6;
    plan.settings.steps = 16;
    plan.settings.be_repeats = plan.settings.cycles = 1;
    plan.settings.threshold = 0.2;
    plan.settings.margin = plan.settings.min_wall = 0;
    plan.settings.max_points = 2;
    plan.settings.patch = 16;
    plan.settings.end = (double)test_below(rng, 3);
    plan.stream.threads = 1;
    rs_scan_run r = {.plan = &plan, .ctx = &s, .interrupted = interrupted};
    snprintf(name, sizeof name, "twin%ld.h5", k);
    snprintf(path, sizeof path, "%s", test_temp(name));
    assert_ok(rs_scan_run_load_weights(&r, "weights/tiny8x4.h5", &err), &err);
    assert_ok(rs_scan_run_open(&r, &err), &err);
    assert_ok(rs_scan_run_make_stream(&r, &err), &err);
    assert_ok(rs_scan_run_create(&r, path, 0, "2026-11-30T00:00:00Z", &err), &err);
    const rs_outcome end = rs_scan_run_region(&r, &(rs_region_options){.measure_news = NULL});
    const bool failed = r.unsafe || end.end != RS_END_DONE;
    const bool lost =
        rs_instrument_read_signal(r.instrument, "Bias", &v, 1, &err) == RS_DRIVER_LOST;
    t->runs++;
    t->good += !failed;
    t->failed += failed;
    if (lost) {
        t->disobeyed++;
        if (!failed)
            fail_msg("run %ld (seed %llu): lost, and no failure", k,
                     (unsigned long long)test_seed());
    } else {
        rs_line line = {0};
        const bool off =
            v == 0 &&
            rs_instrument_read_signal(r.instrument, "Drive", &v, 1, &err) == RS_DRIVER_OK && v == 0;
        const bool still =
            rs_instrument_wait_line(r.instrument, 0, &line, &err) == RS_DRIVER_REFUSED;
        t->safe += off && still;
        if (!off || !still)
            fail_msg("run %ld (seed %llu): off %d, still %d", k, (unsigned long long)test_seed(),
                     off, still);
    }
    rs_scan_run_close(&r);
    remove(path);
}

static void the_twin_is_safe_whatever_happens(void **state)
{
    (void)state;
    const long n = test_tier(2, 12, 500);
    test_rng rng = {.state = test_seed()};
    tally t = {0};
    for (long k = 0; k < n; k++) run_twin(&rng, &t, k);
    print_message(
        "# %d runs, %d ended well, %d with an error; %d left it safe, in %d it was gone\n", t.runs,
        t.good, t.failed, t.safe, t.disobeyed);
    assert_int_equal(t.safe + t.disobeyed, n);
}

#define T_(f) cmocka_unit_test_setup_teardown(f, nano_setup, nano_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T_(the_nanonis_is_safe_whatever_happens),
        cmocka_unit_test(the_twin_is_safe_whatever_happens),
    };
    return cmocka_run_group_tests_name("scan_random", tests, NULL, NULL);
}
