/* reshed-scan --resume: all regions of an acquisition, and the instrument that it finds. */
#define _DEFAULT_SOURCE
#include "support/scan_program.h"
#include "support/support.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include <hdf5.h>

#include "base/os.h"
#include "io/hdf5/h5.h"

#define REGIONS "--region 2e-7,1e-7 --region=-3e-7,2e-7 "
#define ON "--resume --report none " TWIN AGAIN

#define SMALL "--set voltage=0 --set rows=16 --set cols=16 --set width=2e-7 --set height=2e-7 "

/* Paths of the three regions' sessions. */
static void name_three(char path[3][1024], const char *stem)
{
    char name[64];
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, i ? "%s_%d.h5" : "%s.h5", stem, i + 1);
        scan_temp(path[i], name);
    }
}

static void make_regions(const char *first)
{
    char args[4096];
    snprintf(args, sizeof args, TWIN QUICK SMALL "--report none " REGIONS "-o %s", first);
    scan_run_to(0, args);
}

static void check_regions(char path[3][1024])
{
    static const double x[] = {0, 2e-7, -3e-7}, y[] = {0, 1e-7, 2e-7};
    for (int i = 0; i < 3; i++) {
        reshed_error err = {0};
        rs_session *s = NULL;
        char number[8];
        const rs_session_progress p = scan_progress(path[i]);
        assert_true(p.complete && p.lines == 16);
        assert_ok(rs_session_open(path[i], &s, &err), &err);
        const rs_session_setup *setup = rs_session_get_setup(s);
        assert_true(fabs(setup->frame.cx - x[i]) < 1e-15 && fabs(setup->frame.cy - y[i]) < 1e-15);
        snprintf(number, sizeof number, "%d", i + 1);
        assert_string_equal(setup->region, number);
        assert_string_equal(setup->norm, "scanned");
        assert_string_equal(rs_session_setting(s, "regions"), "2e-07,1e-07 -3e-07,2e-07");
        rs_session_finish(s, RESHED_OK, NULL);
    }
}

/* Takes away the end of a complete session: the mark, as if the run had been killed just before. */
static void unfinish(const char *path)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    const hid_t d = H5Dopen2(file, "/Session/complete", H5P_DEFAULT);
    const uint8_t no = 0;
    assert_true(H5Dwrite(d, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, &no) >= 0);
    H5Dclose(d);
    assert_true(H5Fclose(file) >= 0);
}

static void every_region_goes_on(void **state)
{
    (void)state;
    test_not_quick();
    char path[3][1024], args[4096];
    name_three(path, "three");
    make_regions(path[0]);
    check_regions(path);
    /* All is done. */
    snprintf(args, sizeof args, ON "-o %s", path[0]);
    assert_non_null(strstr(scan_run_to(1, args)->err, "complete ones of all regions"));
    /* The second was at its end when the run died, the third not begun. */
    unfinish(path[1]);
    remove(path[2]);
    snprintf(args, sizeof args, "--resume --dry-run " TWIN "-o %s", path[0]);
    assert_non_null(strstr(scan_run_to(0, args)->out, "3, from the 2. on"));
    snprintf(args, sizeof args, ON "--region 2e-7,0 -o %s", path[0]);
    const outcome *o = scan_run_to(1, args);
    assert_non_null(strstr(o->err, "expected 2e-07,1e-07 -3e-07,2e-07, found 2e-07,0"));
    snprintf(args, sizeof args, ON REGIONS "--json -o %s", path[0]);
    o = scan_run_to(0, args);
    assert_non_null(strstr(o->out, "three_2.h5\""));
    assert_non_null(strstr(o->out, "three_3.h5\""));
    check_regions(path);
    /* One that was never begun, alone. */
    remove(path[2]);
    snprintf(args, sizeof args, ON "-o %s", path[0]);
    scan_run_to(0, args);
    check_regions(path);
    /* A later region is named: that one, and those after it; under another name only that one. */
    test_not_quick();
    unfinish(path[1]);
    remove(path[2]);
    snprintf(args, sizeof args, ON "-o %s", path[1]);
    scan_run_to(0, args);
    check_regions(path);
    char moved[1024];
    unfinish(path[1]);
    remove(path[2]);
    assert_int_equal(rename(path[1], scan_temp(moved, "moved.h5")), 0);
    snprintf(args, sizeof args, ON "-o %s", moved);
    scan_run_to(0, args);
    assert_true(scan_progress(moved).complete);
    assert_false(rs_os_is_file(path[1]) || rs_os_is_file(path[2]));
}

/* Points that were typed are one region's: the next one waits for its own yes. */
static void a_list_is_for_one_region(void **state)
{
    (void)state;
    test_not_quick();
    char path[3][1024], args[4096], csv[1024];
    name_three(path, "ask");
    snprintf(args, sizeof args,
             TWIN QUICK "--set max_points=2 --report none --confirm --region 2e-7,1e-7 -o %s",
             path[0]);
    scan_run_to(1, args);
    assert_false(rs_os_is_file(path[1]));
    snprintf(args, sizeof args, ON "--points %s -o %s", scan_temp(csv, "ask_points.csv"), path[0]);
    assert_non_null(strstr(scan_run_to(1, args)->err, "points wait for a yes"));
    assert_int_equal(scan_progress(path[0]).measured, 2);
    rs_session_progress p = scan_progress(path[1]);
    assert_true(p.lines == 64 && p.points == 0);
    snprintf(args, sizeof args, ON "--points %s -o %s", scan_temp(csv, "ask_2_points.csv"),
             path[0]);
    scan_run_to(0, args);
    p = scan_progress(path[1]);
    assert_true(p.complete && p.measured == 2);
}

/* Changes one number of the frame, or of the excitation, that the session holds. */
static void set_number(const char *path, const char *group, const char *name, double v)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    const hid_t g = H5Gopen2(file, group, H5P_DEFAULT);
    assert_true(g >= 0 && H5Adelete(g, name) >= 0);
    assert_true(rs_h5_set_number(g, name, v));
    H5Gclose(g);
    assert_true(H5Fclose(file) >= 0);
}

static void another_frame_or_excitation_is_refused(void **state)
{
    (void)state;
    test_not_quick();
    static const struct {
        const char *group, *name;
        double wrong, right;
        const char *says;
    } cases[] = {{"/Session/frame", "cx", 1e-6, 0, "frame"},
                 {"/Session/frame", "width", 3e-7, 2e-7, "frame"},
                 {"/BE Parameters", "duration", 1e-3, 6.4e-4, "excitation"}};
    char path[3][1024], args[4096];
    name_three(path, "frame");
    make_regions(path[0]);
    unfinish(path[0]);
    snprintf(args, sizeof args, ON "-o %s", path[0]);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set_number(path[0], cases[i].group, cases[i].name, cases[i].wrong);
        const outcome *o = scan_run_to(1, args);
        if (!strstr(o->err, cases[i].says)) fail_msg("%s: says %s", cases[i].name, o->err);
        set_number(path[0], cases[i].group, cases[i].name, cases[i].right);
        assert_false(scan_progress(path[0]).complete);
    }
    scan_run_to(0, args);
}

/* Killed before its first line, a session has nothing to analyse, and says so; it can be resumed. */
static void killed_before_its_first_line(void **state)
{
    (void)state;
    char path[1024], args[4096];
    snprintf(args, sizeof args,
             "--driver twin -d seed=7 -d clock=0.001 " QUICK SMALL "--report none -o %s",
             scan_temp(path, "early.h5"));
    const pid_t pid = scan_start(args);
    const double until = rs_os_monotonic() + 60;
    while (!rs_os_is_file(path) && rs_os_monotonic() < until) rs_os_sleep(1e-3);
    kill(pid, SIGKILL);
    scan_wait(pid);
    assert_int_equal(scan_progress(path).lines, 0);
    snprintf(args, sizeof args, "--analyse %s " AGAIN, path);
    const outcome *o = scan_run_to(1, args);
    assert_non_null(strstr(o->err, "early.h5: nothing to analyse"));
    assert_non_null(strstr(o->err, "before its first one"));
}

/* The distance that follows from another setting follows from the session's. */
static void what_follows_from_a_setting_is_the_sessions(void **state)
{
    (void)state;
    char path[1024], args[4096];
    snprintf(args, sizeof args, TWIN QUICK SMALL "--report none --set every=1 -o %s",
             scan_temp(path, "every.h5"));
    scan_run_to(0, args);
    unfinish(path);
    snprintf(args, sizeof args, ON "--set min_distance=2 -o %s", path);
    assert_non_null(strstr(scan_run_to(1, args)->err, "min_distance cannot change"));
    snprintf(args, sizeof args, ON "--set min_distance=auto -o %s", path);
    scan_run_to(0, args);
    assert_true(scan_progress(path).complete);
}

/* A list that was typed: what is at one place is measured once, and what is nearer than a distance that was
 * typed is left out. */
static void a_list_keeps_its_distance(void **state)
{
    (void)state;
    static const struct {
        const char *set;
        int points;
        const char *says;
    } runs[] = {{"--set every=8 ", 3, "2 points left out: nearer than 0.01 pixels"},
                {"--set min_distance=4 ", 2, "3 points left out: nearer than min_distance"}};
    char path[1024], csv[1024], args[4096];
    FILE *f = fopen(scan_temp(csv, "near.csv"), "w");
    assert_non_null(f);
    fputs("row,col\n20,20\n20,23\n20,20\n30,30\n30,30\n", f);
    fclose(f);
    for (int k = 0; k < (test_quick() ? 1 : 2); k++) {
        snprintf(args, sizeof args,
                 TWIN LOUD
                 "--set rows=32 --set cols=48 --set steps=16 "
                 "--set drift_every=0 --set reference_every=0 %s--report none --points %s -o %s",
                 runs[k].set, csv, scan_temp(path, "near.h5"));
        const outcome *o = scan_run_to(0, args);
        assert_int_equal(scan_progress(path).points, runs[k].points);
        if (!strstr(o->err, runs[k].says)) fail_msg("says %s", o->err);
        remove(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_region_goes_on),
        cmocka_unit_test(what_follows_from_a_setting_is_the_sessions),
        cmocka_unit_test(a_list_keeps_its_distance),
        cmocka_unit_test(killed_before_its_first_line),
        cmocka_unit_test(a_list_is_for_one_region),
        cmocka_unit_test(another_frame_or_excitation_is_refused),
    };
    return cmocka_run_group_tests_name("scan_resume", tests, NULL, NULL);
}
