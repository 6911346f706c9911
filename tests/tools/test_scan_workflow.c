/* reshed-scan --workflow and --save-settings: a run from a file is the run that was typed, and a file
 * that is wrong starts nothing. */
#include "support/scan_program.h"
#include "support/support.h"

#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "base/text.h"

static void must_contain(const char *text, const char *what)
{
    if (!strstr(text, what)) fail_msg("expected '%s' in: %s", what, text);
}

/* Runs with these arguments, of which %s is the file of that name. */
static const outcome *with(int expected, const char *args, const char *file)
{
    char all[4096];
    snprintf(all, sizeof all, args, file);
    return scan_run_to(expected, all);
}

static void what_is_saved_is_the_same_run(void **state)
{
    (void)state;
    char path[1024], first[1 << 14], all[4096];
    const outcome *o = scan_run_to(
        0, TWIN QUICK "--norm scanned --region 1e-7,0 --set max_bias=9 --set order=raster "
                      "--sample ' PZT; #1 ' --save-settings");
    rs_text_copy(first, sizeof first, o->out);
    must_contain(first, "\nrows = 64\n");
    must_contain(first, "\norder = raster\n");
    must_contain(first, "\nmax_bias = 9\n");
    must_contain(first, "\nsample = \\x20PZT\\x3b #1\\x20\n");
    must_contain(first, "\n2 = choose\n");
    test_write_file(scan_temp(path, "saved.ini"), first, strlen(first));
    o = with(0, TWIN "--workflow %s --save-settings", path);
    assert_string_equal(o->out, first);
    /* What is typed comes before the file, wherever it stands. */
    snprintf(all, sizeof all,
             TWIN "--set rows=32 --region 3e-7,1e-7 --workflow %s --set order=route --norm frame "
                  "--save-settings",
             path);
    o = scan_run_to(0, all);
    must_contain(o->out, "\nrows = 32\n");
    must_contain(o->out, "\norder = route\n");
    must_contain(o->out, "\nnorm = frame\n");
    must_contain(o->out, "\n2 = 3e-07,1e-07\n");
    assert_null(strstr(o->out, "1e-07,0\n"));
    assert_null(strstr(o->out, "\n3 = 3e-07"));
}

static void a_wrong_file_starts_nothing(void **state)
{
    (void)state;
    char path[1024], session[1024], args[4096];
    static const char wrong[] =
        "[settings]\nrows = 64\nvoltge = 3\n[steps]\n1 = survey\n2 = chose\n";
    test_write_file(scan_temp(path, "wrong.ini"), wrong, sizeof wrong - 1);
    scan_temp(session, "wrong.h5");
    snprintf(args, sizeof args, TWIN QUICK "--workflow %s -o %s", path, session);
    const outcome *o = scan_run_to(1, args);
    must_contain(o->err,
                 "wrong.ini: [settings] voltge: setting (expected voltage?, found voltge) at "
                 "line 3");
    must_contain(o->err, "wrong.ini: [steps] 2: step (expected choose?, found chose) at line 6");
    assert_false(rs_os_is_file(session));
    /* Limits are those of the run, too. */
    static const char high[] = "[settings]\nvoltage = 8\n[limits]\nmax_bias = 5\n";
    test_write_file(path, high, sizeof high - 1);
    must_contain(scan_run_to(1, args)->err, "5 V");
    assert_false(rs_os_is_file(session));
    snprintf(args, sizeof args, TWIN "--workflow %s --save-settings", path);
    scan_run_to(1, args);
    /* A driver is typed, and must be the one that the file was made for. */
    static const char driver[] = "[instrument]\ndriver = ./note.so\noption.seed = 7\n";
    test_write_file(path, driver, sizeof driver - 1);
    snprintf(args, sizeof args, "--workflow %s -o %s", path, session);
    scan_run_to(2, args);
    snprintf(args, sizeof args, TWIN QUICK "--workflow %s -o %s", path, session);
    must_contain(scan_run_to(1, args)->err, "--driver ./note.so -d seed=7");
    assert_false(rs_os_is_file(session));
    /* A list of points goes with one choice of points. */
    static const char twice[] =
        "[steps]\n1 = survey\n2 = choose\n3 = loops\n4 = repeat steps=2 times=2\n";
    test_write_file(path, twice, sizeof twice - 1);
    snprintf(args, sizeof args, TWIN QUICK "--workflow %s --confirm -o %s", path, session);
    must_contain(scan_run_to(2, args)->err, "--confirm goes with steps that choose points once");
    snprintf(args, sizeof args, "--analyse %s --workflow %s", session, path);
    scan_run_to(2, args);
}

static void assert_same_settings(const char *one, const char *other)
{
    rs_session *a = NULL, *b = NULL;
    reshed_error err = {0};
    assert_ok(rs_session_open(one, &a, &err), &err);
    assert_ok(rs_session_open(other, &b, &err), &err);
    const rs_session_setup *x = rs_session_get_setup(a), *y = rs_session_get_setup(b);
    assert_int_equal(x->settings, y->settings);
    for (int i = 0; i < x->settings; i++) {
        assert_string_equal(x->setting[i].name, y->setting[i].name);
        assert_string_equal(x->setting[i].value, y->setting[i].value);
    }
    assert_string_equal(x->sample, y->sample);
    assert_memory_equal(&x->frame, &y->frame, sizeof x->frame);
    assert_int_equal(x->spectroscopy.steps, y->spectroscopy.steps);
    assert_memory_equal(x->spectroscopy.voltage, y->spectroscopy.voltage,
                        (size_t)x->spectroscopy.steps * sizeof(double));
    rs_session_progress p, q;
    assert_ok(rs_session_get_progress(a, &p, &err), &err);
    assert_ok(rs_session_get_progress(b, &q, &err), &err);
    assert_true(p.complete && q.complete && p.measured > 0 && q.measured > 0);
    rs_session_finish(a, RESHED_OK, NULL);
    rs_session_finish(b, RESHED_OK, NULL);
}

static void a_run_from_a_file_is_the_run_that_was_typed(void **state)
{
    (void)state;
    char ini[1024], typed[1024], read[1024], args[4096], text[1 << 14];
    test_not_quick();
    scan_temp(typed, "typed.h5");
    scan_temp(read, "read.h5");
    snprintf(args, sizeof args, TWIN QUICK "--set voltage=5 --sample film --report none -o %s",
             typed);
    scan_run_to(0, args);
    const outcome *o = scan_run_to(0, TWIN QUICK "--set voltage=5 --sample film --save-settings");
    rs_text_copy(text, sizeof text, o->out);
    test_write_file(scan_temp(ini, "run.ini"), text, strlen(text));
    snprintf(args, sizeof args,
             TWIN "-j 1 --pictures none --quiet --report none --workflow %s -o %s", ini, read);
    scan_run_to(0, args);
    assert_same_settings(typed, read);
    snprintf(args, sizeof args, AGAIN "--report none --analyse %s", read);
    scan_run_to(0, args);
}

static void a_list_and_steps_are_kept_in_the_session(void **state)
{
    (void)state;
    char ini[1024], path[1024], args[4096];
    static const char flow[] =
        "[waveform]\nvoltages = 0 2 4 6 4 2 0 -2 -4 -6 -4 -2\n[steps]\n1 = survey\n"
        "2 = choose max_points=3\n3 = loops\n4 = repeat steps=2 times=2\n";
    test_not_quick();
    test_write_file(scan_temp(ini, "list.ini"), flow, sizeof flow - 1);
    scan_temp(path, "list.h5");
    snprintf(args, sizeof args,
             TWIN "-w weights/tiny8x4.h5 -j 1 --pictures none --quiet --report none --workflow %s "
                  "--set rows=64 --set cols=64 --set width=0.9e-6 --set height=0.9e-6 --set "
                  "be_repeats=1 --set min_wall=8 --set threshold=0.4 --set every=6 --set "
                  "drift_every=0 -o %s",
             ini, path);
    scan_run_to(0, args);
    rs_session *s = NULL;
    reshed_error err = {0};
    assert_ok(rs_session_open(path, &s, &err), &err);
    const rs_spectroscopy *loop = &rs_session_get_setup(s)->spectroscopy;
    assert_int_equal(loop->steps, 12);
    assert_true(loop->voltage[3] == 6 && loop->voltage[9] == -6);
    assert_string_equal(rs_session_setting(s, "workflow"),
                        "survey; choose max_points=3; loops; repeat steps=2 until=times times=2");
    rs_session_finish(s, RESHED_OK, NULL);
    assert_int_equal(scan_progress(path).measured, 6);
    snprintf(args, sizeof args, AGAIN "--report none --analyse %s", path);
    scan_run_to(0, args);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_saved_is_the_same_run),
        cmocka_unit_test(a_wrong_file_starts_nothing),
        cmocka_unit_test(a_run_from_a_file_is_the_run_that_was_typed),
        cmocka_unit_test(a_list_and_steps_are_kept_in_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
