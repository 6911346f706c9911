/* reshed-scan and a session file that is not trusted: nothing that it names is loaded, and what is
 * typed binds. */
#include "support/scan_program.h"
#include "support/session_sim.h"
#include "support/support.h"

#include <stdio.h>
#include <string.h>

#include <hdf5.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/os/child.h"
#include "io/hdf5/h5.h"
#include "spm/scan/request/points.h"

#define ON "--resume --report none " AGAIN

/* A session of the twin whose points wait for a yes; with `chosen` they are in it, pending. */
static void make_session(const char *path, bool chosen)
{
    char args[4096], csv[1024];
    reshed_error err = {0};
    rs_session *s = NULL;
    rs_session_point *p = NULL;
    int n;
    snprintf(args, sizeof args, TWIN QUICK "--report none --confirm -o %s", path);
    scan_run_to(1, args);
    if (!chosen) return;
    snprintf(csv, sizeof csv, "%.*s_points.csv", (int)strlen(path) - 3, path);
    assert_ok(rs_session_resume(path, 1, &s, &err), &err);
    assert_ok(rs_points_read(csv, &rs_session_get_setup(s)->frame, &p, &n, &err), &err);
    assert_int_equal(n, 8);
    assert_ok(rs_session_put_points(s, 0, n, p, &err), &err);
    rs_session_finish(s, RESHED_EIO, NULL);
    rs_free(p);
}

/* It fails with words that contain both, and nothing is measured. */
static void refused(const char *path, const char *more, const char *one, const char *other)
{
    char args[4096];
    snprintf(args, sizeof args, ON "%s -o %s", more, path);
    const outcome *o = scan_run_to(1, args);
    if (!strstr(o->err, one) || !strstr(o->err, other))
        fail_msg("%s: says %s (expected %s, %s)", more, o->err, one, other);
    const rs_session_progress p = scan_progress(path);
    assert_true(!p.complete && p.measured == 0 && p.references == 0);
}

/* ---------------------------------------------------------------------------------------- trust */

/* A shared object that leaves a file behind when it is loaded. */
static bool make_note(const char *object, const char *mark)
{
    char source[1024], text[2048];
    reshed_error err = {0};
    snprintf(text, sizeof text,
             "#include <stdio.h>\n"
             "__attribute__((constructor)) static void note(void)\n"
             "{\n    FILE *f = fopen(\"%s\", \"w\");\n    if (f) fclose(f);\n}\n",
             mark);
    scan_temp(source, "note.c");
    assert_ok(rs_os_write_file(source, text, strlen(text), &err), &err);
    const char *const argv[] = {"cc", "-shared", "-fPIC", "-o", object, source, NULL};
    return rs_child_run(argv, &err) == RESHED_OK;
}

static void set_driver(const char *path, const char *driver)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    assert_true(file >= 0);
    const hid_t g = H5Gopen2(file, "/Session", H5P_DEFAULT);
    assert_true(g >= 0 && H5Adelete(g, "driver") >= 0);
    assert_true(rs_h5_set_text(g, "driver", driver));
    H5Gclose(g);
    assert_true(H5Fclose(file) >= 0);
}

static void what_a_session_names_is_not_loaded(void **state)
{
    (void)state;
    char path[1024], object[1024], mark[1024], args[4096], driver[2048];
    scan_temp(path, "trust.h5");
    scan_temp(object, "note.so");
    scan_temp(mark, "loaded");
    if (!make_note(object, mark)) skip();
    make_session(path, true);
    set_driver(path, object);

    static const char *const modes[] = {"--resume -o", "--resume --dry-run -o",
                                        "--resume --driver twin -o",
                                        "--resume --dry-run --driver twin -o", "--analyse"};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        snprintf(args, sizeof args, "%s %s --report none " AGAIN, modes[i], path);
        const outcome *o = run_program("reshed-scan", args);
        if (i == 0 || i == 2) {
            assert_int_equal(o->status, 1);
            assert_non_null(strstr(o->err, "note.so"));
        }
        if (i == 1) assert_non_null(strstr(o->out, "note.so"));
        if (rs_os_is_file(mark)) fail_msg("%s has loaded it", modes[i]);
    }
    /* A dry run does not load what was typed either; in earnest it is loaded. */
    snprintf(driver, sizeof driver, "--driver %s", object);
    snprintf(args, sizeof args, "%s --dry-run", driver);
    scan_run_to(0, args);
    snprintf(args, sizeof args, "--resume --dry-run %s -d clock=0 -d seed=7 -o %s", driver, path);
    scan_run_to(0, args);
    assert_false(rs_os_is_file(mark));
    snprintf(args, sizeof args, "%s -w weights/tiny8x4.h5 -o never.h5", driver);
    scan_run_to(1, args);
    assert_true(rs_os_is_file(mark));
}

static void driver_and_options_are_typed_again(void **state)
{
    (void)state;
    test_not_quick();
    char path[1024], args[4096];
    scan_temp(path, "again.h5");
    make_session(path, false);
    refused(path, "", "typed again", "--driver twin -d clock=0 -d seed=7");
    refused(path, "--driver replay", "--driver twin -d clock=0 -d seed=7", "--driver replay");
    refused(path, "--driver twin -d clock=0", "-d seed=7", "found --driver twin -d clock=0)");
    refused(path, "--driver twin -d clock=0 -d seed=8", "-d seed=7", "-d seed=8");
    refused(path, TWIN "-d noise=0.1", "-d seed=7,", "-d noise=0.1");
    snprintf(args, sizeof args, "--resume --dry-run -o %s", path);
    assert_non_null(strstr(scan_run_to(0, args)->out, "--driver twin -d clock=0 -d seed=7\n"));
    /* Order and what comes twice do not matter. */
    snprintf(args, sizeof args, ON "--driver twin -d seed=8 -d seed=7 -d clock=0 -o %s", path);
    scan_run_to(0, args);
    assert_true(scan_progress(path).complete);
}

/* --------------------------------------------------------------------------------------- limits */

static void typed_settings_bind_a_resumed_session(void **state)
{
    (void)state;
    test_not_quick();
    char path[1024], args[4096];
    static const char *const cases[][3] = {
        {"-s max_bias=1", "voltage of the spectroscopy", "at most 1 V"},
        {"-s max_bias=1 -s voltage=0.5", "voltage", "expected 8, found 0.5"},
        {"-s voltage=0.5", "voltage", "expected 8, found 0.5"},
        {"-s voltage=0", "voltage", "expected 8, found 0"},
        {"-s steps=64", "steps", "expected 32, found 64"},
        {"-s x=1e-7", "x cannot change", "found 1e-07"},
        {"-s rows=32", "rows", "expected 64, found 32"},
        {"-s line_rate=2", "line_rate", "found 2"},
        {"-s be_amplitude=3", "be_amplitude", "found 3"},
        {"-s max_drive=0.1", "drive", "0 to 0.1 V"},
        {"-s max_speed=1e-9", "speed", "1e-09"},
        {"-s max_points=9", "max_points", "found 9"},
        {"-s every=7", "every", "expected 6, found 7"},
        {"--norm robust", "norm", "found robust"},
        {"--front reflect", "front", "found reflect"},
        {"--sample other", "sample", "found other"},
        {"--confirm", "--confirm", "8 points"},
    };
    scan_temp(path, "bind.h5");
    make_session(path, true);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char more[256];
        snprintf(more, sizeof more, TWIN "%s", cases[i][0]);
        refused(path, more, cases[i][1], cases[i][2]);
        snprintf(args, sizeof args, "--resume --dry-run %s -o %s", cases[i][0], path);
        if (i < 2) scan_run_to(1, args);
    }
    /* Sound changes are applied, and noted. */
    snprintf(args, sizeof args,
             ON TWIN
             "-s max_points=3 -s max_bias=9 -s speed=1e-6 -s voltage=8 -s reference_every=0 "
             "-o %s",
             path);
    scan_run_to(0, args);
    const rs_session_progress p = scan_progress(path);
    assert_true(p.complete && p.points == 8 && p.measured == 3 && p.references == 0);
    assert_true(session_has_event(path, "max_bias=9 (was 0)"));
    assert_true(session_has_event(path, "speed=1e-06 (was 2e-06)"));
    assert_true(session_has_event(path, "max_points=3: 5 points are left out"));
}

/* A list for a session that has points is the same list, or is refused. */
static void a_list_is_not_ignored(void **state)
{
    (void)state;
    test_not_quick();
    char path[1024], csv[1024], other[1024], more[4096];
    static const char text[] = "row,col\n10,10\n20,20\n";
    reshed_error err = {0};
    scan_temp(path, "list.h5");
    scan_temp(csv, "list_points.csv");
    scan_temp(other, "other.csv");
    make_session(path, true);
    assert_ok(rs_os_write_file(other, text, strlen(text), &err), &err);
    snprintf(more, sizeof more, TWIN "--points %s", other);
    refused(path, more, "the same 8", "2 others");
    snprintf(more, sizeof more, TWIN "--points %s -s max_points=4", csv);
    refused(path, more, "at most max_points, 4", "8");
    snprintf(more, sizeof more, ON TWIN "--points %s -o %s", csv, path);
    scan_run_to(0, more);
    assert_int_equal(scan_progress(path).measured, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_session_names_is_not_loaded),
        cmocka_unit_test(driver_and_options_are_typed_again),
        cmocka_unit_test(typed_settings_bind_a_resumed_session),
        cmocka_unit_test(a_list_is_not_ignored),
    };
    return cmocka_run_group_tests_name("scan_trust", tests, NULL, NULL);
}
