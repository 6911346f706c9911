/* reshed-scan itself: its command line, and what happens to a session when it is killed. */
#define _DEFAULT_SOURCE
#include "support/report_page.h"
#include "support/scan_program.h"
#include "support/session_sim.h"
#include "support/support.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/os.h"
#include "io/npy.h"
#include "spm/session/session.h"

/* A finished session: everything is there, and the analysis of the raw data gives the same. */
static void check_complete(const char *path)
{
    char args[2048];
    const rs_session_progress p = scan_progress(path);
    assert_true(p.complete && !p.live);
    assert_int_equal(p.lines, 64);
    assert_int_equal(p.lost, 0);
    assert_true(p.points > 0);
    assert_int_equal(p.measured, p.points);
    snprintf(args, sizeof args, "--analyse %s --json " AGAIN, path);
    const outcome *o = scan_run_to(0, args);
    assert_true(json_number(o->out, "mean_difference") == 0);
    assert_true(json_number(o->out, "variance_difference") == 0);
    assert_true(json_number(o->out, "metric_difference") == 0);
    assert_int_equal(json_number(o->out, "lines"), 64);
}

/* --------------------------------------------------------------------------------- command line */

static void it_says_what_it_can_do(void **state)
{
    (void)state;
    const outcome *o = scan_run_to(0, "--help");
    assert_non_null(strstr(o->out, "--analyse"));
    assert_non_null(strstr(o->out, "Exit status"));
    o = scan_run_to(0, "--list");
    static const char *const words[] = {"max_points=", "driver twin", "driver replay",
                                        "driver nanonis", "disconnect=ROW"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strstr(o->out, words[i])) fail_msg("--list does not name %s", words[i]);
    assert_non_null(strstr(scan_run_to(0, "--version")->out, "reshed-scan"));
}

static void wrong_usage_exits_with_2(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "no -o SESSION.h5 given"},
        {"-o x.h5", "no --driver given"},
        {"--driver twin", "no -o SESSION.h5 given"},
        {"--analyse a.h5 --resume", "--analyse goes alone"},
        {"--resume", "no -o SESSION.h5 given"},
        {"--analyse a.h5 -s rows=64", "--analyse goes alone"},
        {"--analyse a.h5 -d seed=7", "--analyse goes alone"},
        {"--driver twin -o x.h5 --set rows=1", "rows"},
        {"--driver twin -o x.h5 --set nonsense=1", "nonsense"},
        {"--driver twin -o x.h5 --set rows", "expected NAME=VALUE"},
        {"--driver twin -o x.h5 --norm loud", "--norm"},
        {"--driver twin -o x.h5 --region 1", "--region"},
        {"--driver twin -o x.h5 --confirm --points a.csv", "not both"},
        {"--driver twin -o x.h5 more", "unexpected argument 'more'"},
        {"--dry-run", "no --driver given"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const outcome *o = scan_run_to(2, cases[i][0]);
        if (!strstr(o->err, cases[i][1])) fail_msg("%s: says %s", cases[i][0], o->err);
    }
}

static void a_failure_names_what_failed(void **state)
{
    (void)state;
    char args[4096], taken[1024];
    static const char *const cases[][2] = {
        {"--driver atom -o x.h5", "atom"},
        {"--driver twin -d colour=red -o x.h5", "colour"},
        {"--driver twin -o x.h5 -w none.h5", "none.h5"},
        {"--resume -o none.h5", "none.h5"},
        {"--analyse none.h5", "none.h5"},
        {TWIN QUICK "-o x.h5 --set x=1e-5", "x"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const outcome *o = scan_run_to(1, cases[i][0]);
        if (!strstr(o->err, cases[i][1])) fail_msg("%s: says %s", cases[i][0], o->err);
        assert_false(rs_os_is_file("x.h5"));
    }
    FILE *f = fopen(scan_temp(taken, "taken.h5"), "wb");
    assert_non_null(f);
    fputs("mine", f);
    fclose(f);
    snprintf(args, sizeof args, TWIN QUICK "-o %s", taken);
    const outcome *o = scan_run_to(1, args);
    assert_non_null(strstr(o->err, "taken.h5"));
    char content[16];
    read_text(taken, content, sizeof content);
    assert_string_equal(content, "mine");
}

static void a_dry_run_makes_nothing(void **state)
{
    (void)state;
    char args[4096], path[1024];
    snprintf(args, sizeof args, TWIN QUICK "--dry-run -o %s --region 1e-7,0",
             scan_temp(path, "dry.h5"));
    const outcome *o = scan_run_to(0, args);
    assert_non_null(strstr(o->out, "64 x 64 pixels"));
    assert_non_null(strstr(o->out, "simulated"));
    assert_non_null(strstr(o->out, "spectroscopy"));
    assert_non_null(strstr(o->out, "regions      2"));
    assert_false(rs_os_is_file(path));
    /* An instrument that is not simulated is not opened: there is none at that address. */
    o = scan_run_to(0, "--driver nanonis -d host=127.0.0.1 -d port=1 --dry-run");
    assert_non_null(strstr(o->out, "without the pulses of band excitation"));
    o = scan_run_to(0, TWIN QUICK "--dry-run");
    assert_null(strstr(o->out, "without the pulses"));
}

/* ----------------------------------------------------------------------------------- whole runs */

static void json_holds_the_contract(void **state)
{
    (void)state;
    char args[4096], path[1024], report[1024];
    snprintf(args, sizeof args, TWIN QUICK "--json -d lose=9 -o %s", scan_temp(path, "json.h5"));
    const outcome *o = scan_run_to(0, args);
    assert_int_equal(json_number(o->out, "lines"), 63);
    assert_int_equal(json_number(o->out, "lost_lines"), 1);
    assert_int_equal(json_number(o->out, "points"), 8);
    const double p50 = json_number(o->out, "latency_ms_p50"),
                 p99 = json_number(o->out, "latency_ms_p99");
    assert_true(p50 >= 0 && p99 >= p50);
    assert_non_null(strstr(o->out, "\"session\": \""));
    assert_non_null(strstr(o->out, "json.h5\""));
    assert_non_null(strstr(o->out, "json.html\""));
    /* The page says the same of them, in three digits. */
    char *page = page_read(scan_temp(report, "json.html"));
    assert_float_equal(1e3 * page_number(page, "Latency, arrival to prediction", 1), p50,
                       5e-3 * p50);
    assert_float_equal(1e3 * page_number(page, "Latency, arrival to prediction", 3), p99,
                       5e-3 * p99);
    rs_free(page);
}

static void points_wait_and_may_be_edited(void **state)
{
    (void)state;
    test_not_quick();
    char args[4096], path[1024], csv[1024], mine[1024];
    scan_temp(path, "ask.h5");
    scan_temp(csv, "ask_points.csv");
    scan_temp(mine, "mine.csv");
    snprintf(args, sizeof args, TWIN QUICK "--report none --confirm -o %s", path);
    const outcome *o = scan_run_to(1, args);
    assert_non_null(strstr(o->err, "8 points wait for a yes"));
    assert_int_equal(scan_progress(path).points, 0);
    assert_true(rs_os_is_file(csv));

    /* The heading and the first three points. */
    FILE *in = fopen(csv, "r"), *out = fopen(mine, "w");
    assert_true(in && out);
    char line[512];
    for (int i = 0; i < 4 && fgets(line, sizeof line, in); i++) fputs(line, out);
    fclose(in);
    fputs("20,oops,0,0,-1\n", out);
    fclose(out);
    snprintf(args, sizeof args, "--resume " TWIN "--report none -o %s --points %s " AGAIN, path,
             mine);
    o = scan_run_to(1, args);
    assert_non_null(strstr(o->err, "mine.csv"));
    assert_non_null(strstr(o->err, "oops"));
    assert_non_null(strstr(o->err, "line 5"));
    assert_int_equal(scan_progress(path).points, 0);

    in = fopen(csv, "r");
    out = fopen(mine, "w");
    assert_true(in && out);
    for (int i = 0; i < 4 && fgets(line, sizeof line, in); i++) fputs(line, out);
    fclose(in);
    fclose(out);
    scan_run_to(0, args);
    assert_int_equal(scan_progress(path).points, 3);
    check_complete(path);
}

/* A list that cannot be read is found before the scan, not after it. */
static void a_broken_list_is_found_before_the_scan(void **state)
{
    (void)state;
    char args[4096], path[1024], csv[1024];
    static const char *const broken[][2] = {{"row,col\n1,2\n3\n", "line 3"},
                                            {"row,col\n1,2\n3,x\n", "line 3"},
                                            {"row,col\n1,2\n3,4000\n", "line 3"},
                                            {"a,b\n1,2\n", "x"}};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        FILE *f = fopen(scan_temp(csv, "broken.csv"), "w");
        assert_non_null(f);
        fputs(broken[i][0], f);
        fclose(f);
        snprintf(args, sizeof args, TWIN QUICK "--report none --points %s -o %s", csv,
                 scan_temp(path, "never.h5"));
        const outcome *o = scan_run_to(1, args);
        if (!strstr(o->err, "broken.csv") || !strstr(o->err, broken[i][1]))
            fail_msg("list %zu: says %s", i, o->err);
        assert_false(rs_os_is_file(path));
    }
}

static void a_second_region_has_its_own_file(void **state)
{
    (void)state;
    test_not_quick();
    char args[4096], path[1024], second[1024];
    scan_temp(path, "two.h5");
    scan_temp(second, "two_2.h5");
    snprintf(args, sizeof args, TWIN QUICK "--report none --region 2e-7,1e-7 -o %s", path);
    scan_run_to(0, args);
    check_complete(path);
    check_complete(second);
    reshed_error err = {0};
    rs_session *s = NULL;
    assert_ok(rs_session_open(second, &s, &err), &err);
    assert_true(fabs(rs_session_get_setup(s)->frame.cx - 2e-7) < 1e-15);
    assert_true(fabs(rs_session_get_setup(s)->frame.cy - 1e-7) < 1e-15);
    rs_session_finish(s, RESHED_OK, NULL);
}

/* ---------------------------------------------------------------------------------------- kills */

/* Seconds that an undisturbed run takes now. */
static double run_seconds(void)
{
    char args[4096], path[1024];
    const double t0 = rs_os_monotonic();
    snprintf(args, sizeof args, TWIN QUICK "--report none -o %s", scan_temp(path, "timed.h5"));
    scan_run_to(0, args);
    return rs_os_monotonic() - t0;
}

static void resume_to_the_end(const char *path, const char *driver)
{
    char args[4096];
    snprintf(args, sizeof args, "--resume %s --report none -o %s " AGAIN, driver, path);
    scan_run_to(0, args);
    check_complete(path);
}

static void killed_at_any_moment_it_goes_on(void **state)
{
    (void)state;
    test_not_quick();
    test_rng rng = {test_seed()};
#if defined(__SANITIZE_ADDRESS__)
    const int rounds = 3; /* the program is slow there, too */
#else
    const int rounds = (int)test_tier(1, 10, 200);
#endif
    const double whole = run_seconds();
    int killed = 0, twice = 0, in_lines = 0, in_points = 0;
    for (int i = 0; i < rounds; i++) {
        char args[4096], path[1024], name[32];
        snprintf(name, sizeof name, "kill%d.h5", i);
        snprintf(args, sizeof args, TWIN QUICK "--report none -o %s", scan_temp(path, name));
        for (int again = 0; again < 2; again++) { /* the second kill hits a resumed run */
            const pid_t pid = scan_start(args);
            rs_os_sleep(test_uniform(&rng, 0.05, 1.1) * whole);
            kill(pid, SIGKILL);
            const int status = scan_wait(pid);
            if (!WIFSIGNALED(status)) break; /* it was faster */
            killed++;
            twice += again;
            if (!rs_os_is_file(path)) continue; /* before there was a session */
            snprintf(args, sizeof args, "--resume " TWIN "--report none -o %s " AGAIN, path);
        }
        if (!rs_os_is_file(path)) continue;
        rs_session_progress p = {0};
        rs_session *s = NULL;
        reshed_error err = {0};
        if (rs_session_open(path, &s, &err) == RESHED_OK) {
            assert_ok(rs_session_get_progress(s, &p, &err), &err);
            rs_session_finish(s, RESHED_OK, NULL);
        } else if (!strstr(err.what, "creat")) {
            fail_msg("round %d: %s", i, err.what);
        } else {
            continue;
        }
        in_lines += p.lines > 0 && p.lines < 64;
        in_points += p.points > 0 && !p.complete;
        if (p.complete)
            check_complete(path);
        else
            resume_to_the_end(path, TWIN);
        remove(path);
    }
    printf("# %d rounds, %d kills (%d of a resumed run); %d left lines to scan, %d points\n",
           rounds, killed, twice, in_lines, in_points);
    /* moments are random: only a test that never hits anything is wrong */
    assert_true(killed >= rounds / 4);
    if (rounds >= 10) assert_true(in_lines + in_points >= 1);
}

static void a_polite_signal_ends_it_safely(void **state)
{
    (void)state;
    test_not_quick();
    static const int signals[] = {SIGINT, SIGTERM};
    for (int i = 0; i < 2; i++) {
        char args[4096], path[1024], name[32], text[8192];
        snprintf(name, sizeof name, "polite%d.h5", i);
        /* 64 lines in some seconds. */
        snprintf(args, sizeof args, TWIN20 QUICK "--report none -o %s", scan_temp(path, name));
        const pid_t pid = scan_start(args);
        const double until = rs_os_monotonic() + 30;
        while (!rs_os_is_file(path) && rs_os_monotonic() < until) rs_os_sleep(0.02);
        rs_os_sleep(0.4);
        assert_int_equal(kill(pid, signals[i]), 0);
        const int status = scan_wait(pid);
        read_text(scan_temp(args, "err"), text, sizeof text);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 1);
        assert_null(strstr(text, "could not be halted"));
        const rs_session_progress p = scan_progress(path);
        assert_true(!p.complete && !p.live);
        assert_true(p.lines < 64);
        resume_to_the_end(path, TWIN20);
    }
}

/* ---------------------------------------------------------------------------------------- alarm */

/* A file of n x n pixels; kind 0: stripes with noise, 1: constant, 2: stripes clipped above, 3: one hot
 * pixel. */
static void write_frame(const char *path, int n, int kind)
{
    float x[48 * 48];
    const size_t dims[2] = {(size_t)n, (size_t)n};
    test_rng g = {test_seed()};
    reshed_error err = {0};
    for (int i = 0; i < n * n; i++) {
        x[i] = 2e-10f + 1e-10f * (float)((i % n + i / n / 2) / 6 % 2) +
               (float)test_uniform(&g, -3e-11, 3e-11);
        if (kind == 1) x[i] = 3.3e-10f;
        if (kind == 2) x[i] = fminf(x[i], 2.4e-10f);
    }
    if (kind == 3) x[n * n / 3] = 1e-8f;
    assert_ok(rs_npy_write(path, RS_NPY_F4, 2, dims, x, &err), &err);
}

/* With weights that have no model of frames like those of training, and with few rows, too. */
static void a_frame_without_contrast_is_an_alarm(void **state)
{
    (void)state;
    test_not_quick();
    static const char *const told[] = {"", "same value", "saturated", "extreme pixels"};
    char frame[1024], session[1024], args[4096];
    scan_temp(frame, "frame.npy");
    scan_temp(session, "frame.h5");
    for (int kind = 0; kind < 4; kind++)
        for (int n = 16; n <= 48; n += 32) {
            write_frame(frame, n, kind);
            snprintf(
                args, sizeof args,
                "--driver replay -d clock=0 -d file=%s -w weights/tiny8x4.h5 -j 1 --norm frame "
                "--set voltage=0 --pictures none --report none --json -o %s",
                frame, session);
            const outcome *o = run_program("reshed-scan", args);
            assert_int_equal(o->status, 0);
            if (kind == 0) {
                assert_non_null(strstr(o->out, "\"ood\": null"));
                assert_null(strstr(o->out, "\"contrast\""));
                assert_null(strstr(o->err, "do not trust"));
            } else {
                assert_non_null(strstr(o->out, "\"ood\": true"));
                assert_true(json_number(o->out, "ood_score") >= 100);
                assert_non_null(strstr(strstr(o->out, "\"contrast\""), told[kind]));
                assert_non_null(strstr(strstr(o->err, "frame.h5: "), told[kind]));
                assert_true(session_has_event(session, "no contrast to see walls by"));
            }
            remove(session);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_what_it_can_do),
        cmocka_unit_test(wrong_usage_exits_with_2),
        cmocka_unit_test(a_failure_names_what_failed),
        cmocka_unit_test(a_dry_run_makes_nothing),
        cmocka_unit_test(json_holds_the_contract),
        cmocka_unit_test(points_wait_and_may_be_edited),
        cmocka_unit_test(a_broken_list_is_found_before_the_scan),
        cmocka_unit_test(a_second_region_has_its_own_file),
        cmocka_unit_test(a_frame_without_contrast_is_an_alarm),
        cmocka_unit_test(killed_at_any_moment_it_goes_on),
        cmocka_unit_test(a_polite_signal_ends_it_safely),
    };
    return cmocka_run_group_tests_name("scan_tool", tests, NULL, NULL);
}
