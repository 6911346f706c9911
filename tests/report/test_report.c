#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/os.h"
#include "report/recipe.h"
#include "report/report.h"
#include "support/io_support.h"
#include "support/report_page.h"
#include "support/report_scene.h"
#include "support/support.h"

/* Large enough for a dozen walls, small enough for the sanitizers. */
static const report_scene small = {.rows = 96,
                                   .cols = 200,
                                   .lines = 96,
                                   .points = 40,
                                   .measured = 36,
                                   .steps = 32,
                                   .sample = "PbTiO3 film",
                                   .event = "tip change"};

static char *report_of(rs_session *s)
{
    reshed_error err = {0};
    char path[512];
    snprintf(path, sizeof path, "%s", test_temp("report.html"));
    assert_ok(rs_report_write(s, path, &err), &err);
    char *page = page_read(path);
    page_check(page);
    return page;
}

static rs_session *session_of(const report_scene *scene, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s", test_temp(name));
    return report_scene_session(scene, path);
}

/* 38 points have a loop, one of them is not to be trusted; no loop without its line, and no script. */
static void every_loop_is_under_its_point(const char *page)
{
    int points = 0, lines = 0, doubtful = 0;
    const char *end = strstr(page, "</svg></div>");
    assert_non_null(end);
    for (const char *at = page; (at = strstr(at, "<g class=\"pt")) != NULL && at < end; points++) {
        const char *close = strstr(at, "</g>"), *path = strstr(at, "<path d=\"M");
        assert_true(close && path && path < close);
        doubtful += memcmp(at, "<g class=\"pt no\"", 16) == 0;
        lines += strchr(path + 10, 'L') < close;
        at = close;
    }
    assert_int_equal(points, 38);
    assert_int_equal(lines, 38);
    assert_int_equal(doubtful, 1);
    page_lacks(page, "<script");
}

/* -------------------------------------------------------------------------------------- reports */
static void a_finished_session(void **state)
{
    (void)state;
    reshed_error err = {0};
    report_scene scene = small;
    scene.measured = scene.points;
    char path[512], html[512];
    snprintf(path, sizeof path, "%s", test_temp("finished.h5"));
    snprintf(html, sizeof html, "%s", test_temp("finished.html"));
    rs_session *s = report_scene_session(&scene, path);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    assert_ok(rs_session_open(path, &s, &err), &err);
    char *page = report_of(s);
    page_has(page, "<h1>PbTiO3 film, region A</h1>");
    page_has(page, "2026-11-25T10:15:00Z");
    page_has(page, "digital twin 1");
    page_has(page, "2 &#215; 0.96 &#181;m, 200 &#215; 96 pixels of 10.0 nm");
    page_has(page, "reshednet16x10.h5");
    page_has(page, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    page_has(page, "<dt>Normalisation</dt><dd>scanned</dd>");
    page_has(page, "<dt>Lines</dt><dd>95 of 96</dd>");
    page_has(page, "<dt>Lost lines</dt><dd>1 (rows 5)</dd>");
    page_has(page, "<dt>Points</dt><dd>40, 38 measured, 1 lost, 1 skipped</dd>");
    page_has(page, "<dt>Alarms</dt><dd>1 (rows 9)</dd>");
    page_has(page, " of 32 steps from -8 to 8 V, dwell ");
    page_has(page, "Averaged off-field loop of 37 of 38 measured points; width ");
    page_has(page, "1 of 38 loops");
    page_has(page, "Loop width (width_mid)");
    page_has(page, "Positive nucleation bias (nucleation_pos)");
    page_has(page, "from the smallest (A) to the largest (E)");
    page_has(page, "Neighbouring parallel walls differ</td>");
    page_has(page, "Long walls against short ones</td>");
    page_has(page, "Hodges-Lehmann shift</td>");
    page_has(page, "are parallel (family 1); those that lie on one line");
    page_has(page, "beside it the mean on field of the same points");
    page_has(page, "Left out: 2 points without a loop, 1 with one that is not to be trusted, 0 ");
    page_has(page, "measured (38)");
    page_has(page, "<td>200.0</td><td>24.0 nm</td>"); /* drift */
    page_has(page, "1 error, 1 warning");
    page_has(page, "row 5 was not delivered by the instrument");
    page_has(page, "<td>301.5</td><td class=\"t\">error</td><td class=\"t\">tip change</td>");
    page_has(page, "At most 2 lines went through the network together");
    page_lacks(page, "not finished");
    page_lacks(page, "being recorded");
    /* four channels, mean, variance, walls, points twice, five metrics, picked loops, numbered walls */
    assert_int_equal(page_pictures(page), 16);
    every_loop_is_under_its_point(page);
    /* The same session, the same bytes. */
    assert_ok(rs_report_write(s, html, &err), &err);
    char *again = page_read(html);
    assert_string_equal(page, again);
    rs_free(again);
    rs_free(page);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

/* The median of the width in the table is that of the session's values, and the wall table counts
 * each point once. */
static void numbers_are_the_sessions(void **state)
{
    (void)state;
    reshed_error err = {0};
    rs_session *s = session_of(&small, "numbers.h5");
    char *page = report_of(s), want[64];
    double width[64], metric[16];
    int n = 0, counted = 0;
    for (int k = 0; k < small.measured; k++) {
        rs_session_loop loop = {.metric = metric};
        rs_session_point p;
        assert_ok(rs_session_read_points(s, k, 1, &p, &err), &err);
        if (p.state != RS_SESSION_MEASURED) continue;
        assert_ok(rs_session_read_loop(s, RS_SESSION_POINTS, k, &loop, &err), &err);
        if (metric[0] == 0) width[n++] = metric[1];
    }
    for (int i = 1; i < n; i++)
        for (int j = i; j > 0 && width[j] < width[j - 1]; j--) {
            double swap = width[j];
            width[j] = width[j - 1];
            width[j - 1] = swap;
        }
    double median = (width[(n - 1) / 2] + width[n / 2]) / 2;
    snprintf(want, sizeof want, "(width_mid)</td><td>%d</td><td>%.3f V</td>", n, median);
    page_has(page, want);
    snprintf(want, sizeof want, "<td>%.3f V</td><td>%.3f V</td></tr>", width[0], width[n - 1]);
    page_has(page, want);
    const char *table = strstr(page, "<th>Loop width, mean");
    assert_non_null(table);
    for (const char *p = table; (p = strstr(p, "&#176;</td><td>")) != NULL; p++) {
        int family, points;
        assert_int_equal(sscanf(p, "&#176;</td><td>%d</td><td>%d</td>", &family, &points), 2);
        counted += points;
    }
    snprintf(want, sizeof want, "<p>Loop width: %d values on ", counted);
    page_has(page, want);
    assert_int_equal(counted, n); /* all were put on walls */
    rs_free(page);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

/* What a program prints of the latency is what the page shows. */
static void latencies_are_those_of_the_page(void **state)
{
    (void)state;
    static const double share[4] = {0.5, 0.9, 0.99, 1};
    reshed_error err = {0};
    double seconds[4], numbers[4] = {0};
    rs_session *s = session_of(&small, "latency.h5");
    char *page = report_of(s);
    test_alloc_reset();
    assert_ok(rs_report_latency(s, share, 4, seconds, &err), &err);
    long total = test_alloc_count();
    assert_true(seconds[0] > 0.08 && seconds[0] < seconds[2] && seconds[2] < seconds[3]);
    assert_int_equal((int)page_number(page, "Latency, arrival to prediction", 0), small.lines - 1);
    for (int i = 0; i < 4; i++)
        assert_float_equal(page_number(page, "Latency, arrival to prediction", 1 + i), seconds[i],
                           5e-3 * seconds[i]); /* three digits */
    for (long n = 0; n < total; n++) {
        test_alloc_fail_at(n);
        assert_int_equal(rs_report_latency(s, share, 4, numbers, &err), RESHED_ENOMEM);
        test_alloc_fail_at(-1);
        assert_true(isnan(numbers[0]) && isnan(numbers[3]));
    }
    rs_free(page);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
    report_scene none = small;
    none.lines = none.points = none.steps = 0;
    s = session_of(&none, "no_latency.h5");
    assert_ok(rs_report_latency(s, share, 4, numbers, &err), &err);
    for (int i = 0; i < 4; i++) assert_true(isnan(numbers[i]));
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

static void half_a_session(void **state)
{
    (void)state;
    reshed_error err = {0};
    report_scene scene = small;
    scene.lines = 48;
    scene.points = 0;
    rs_session *s = session_of(&scene, "half.h5");
    char *page = report_of(s);
    page_has(page, "This session is not finished");
    page_has(page, "47 of 96 lines");
    page_has(page, "36 final, 12 may still change");
    page_has(page, "48 not scanned");
    page_has(page, "No points have been chosen yet");
    page_has(page, "No loop has been analysed yet");
    page_lacks(page, "Maps over the walls");
    assert_int_equal(page_pictures(page), 8);
    rs_free(page);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

static void an_empty_session(void **state)
{
    (void)state;
    reshed_error err = {0};
    report_scene scene = small;
    scene.lines = scene.points = scene.steps = 0;
    rs_session *s = session_of(&scene, "empty.h5");
    char *page = report_of(s);
    page_has(page, "No line has been processed yet");
    page_has(page, "There is no prediction yet");
    page_has(page, "this session has no spectroscopy");
    page_has(page, "No skeleton has been recorded");
    page_has(page, "No timings have been recorded");
    assert_int_equal(page_pictures(page), 0);
    rs_free(page);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

/* Points are chosen, none is measured. */
static void points_before_loops(void **state)
{
    (void)state;
    reshed_error err = {0};
    report_scene scene = small;
    scene.measured = 0;
    rs_session *s = session_of(&scene, "pending.h5");
    char *page = report_of(s);
    page_has(page, "pending (40)");
    page_lacks(page, "measured (");
    page_has(page, "No loop has been analysed yet");
    page_has(page, "none of them has a measured loop yet");
    rs_free(page);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

/* Another program writes the session while this one reads it. */
static void a_live_session(void **state)
{
    (void)state;
    test_not_quick();
    reshed_error err = {0};
    report_scene scene = small;
    scene.lines = 60;
    char path[512], html[512];
    snprintf(path, sizeof path, "%s", test_temp("live.h5"));
    snprintf(html, sizeof html, "%s", test_temp("live.html"));
    rs_session *writer = report_scene_session(&scene, path);
    pid_t child = fork();
    if (child == 0) {
        rs_session *s = NULL;
        bool good = rs_session_open(path, &s, &err) == RESHED_OK &&
                    rs_report_write(s, html, &err) == RESHED_OK &&
                    rs_session_finish(s, RESHED_OK, &err) == RESHED_OK;
        if (!good) print_error("%s\n", err.what);
        _exit(good ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    char *page = page_read(html);
    page_check(page);
    page_has(page, "This session is being recorded");
    page_has(page, "59 of 96 lines");
    rs_free(page);
    assert_ok(rs_session_finish(writer, RESHED_OK, &err), &err);
}

static void hostile_texts(void **state)
{
    (void)state;
    reshed_error err = {0};
    report_scene scene = small;
    scene.lines = 20;
    scene.points = 0;
    scene.sample = "</title><script>alert(1)</script> & \"x\" 'y' \xff\xc0\x80 \xc2\xb5m";
    scene.event = "<img src=x onerror=1>\x01\x1b[31m \xed\xa0\x80";
    rs_session *s = session_of(&scene, "hostile.h5");
    char *page = report_of(s);
    page_lacks(page, "<script");
    page_lacks(page, "<img src=x");
    page_lacks(page, "\x1b");
    page_has(page, "&#60;/title&#62;&#60;script&#62;alert(1)&#60;/script&#62; &#38; &#34;x&#34; "
                   "&#39;y&#39; ");
    page_has(page, " \xc2\xb5m");
    page_has(page, "&#60;img src=x onerror=1&#62;\xef\xbf\xbd\xef\xbf\xbd[31m");
    page_has(page, "&#60;b&#62;&#38;&#34;&#39;"); /* a setting */
    rs_free(page);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

/* ------------------------------------------------------------------------------------- failures */
/* Lets all of the early allocations fail and a sample of the rest: each try draws up to that
 * point. */
static void each_allocation_fails(void **state)
{
    (void)state;
    test_not_quick();
    reshed_error err = {0};
    report_scene scene = {.rows = 48,
                          .cols = 64,
                          .lines = 48,
                          .points = 12,
                          .measured = 10,
                          .steps = 16,
                          .sample = "s",
                          .event = "e"};
    rs_session *s = session_of(&scene, "alloc.h5");
    char html[512];
    snprintf(html, sizeof html, "%s", test_temp("alloc.html"));
    test_alloc_reset();
    assert_ok(rs_report_write(s, html, &err), &err);
    long total = test_alloc_count(), tried = 0;
    char *whole = page_read(html);
    test_rng g = {test_seed()};
    for (long n = 0; n < total;) {
        test_alloc_fail_at(n);
        reshed_status st = rs_report_write(s, html, &err);
        bool failed = test_alloc_failed();
        test_alloc_fail_at(-1);
        if (!failed) break;
        if (st != RESHED_ENOMEM) fail_msg("allocation %ld of %ld: status %d", n, total, st);
        tried++;
        n += n < 60        ? 1
             : test_long() ? 1 + (long)test_below(&g, 5)
                           : 1 + (long)test_below(&g, (uint64_t)total / 12);
    }
    char *after = page_read(html);
    assert_string_equal(whole, after); /* untouched */
    print_message("# report: %ld of %ld allocations made to fail\n", tried, total);
    rs_free(whole);
    rs_free(after);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

static bool report_on_full_disk(rs_session *s, const char *html)
{
    reshed_error err = {0};
    limit_file_size(2000);
    return rs_report_write(s, html, &err) == RESHED_EIO && err.what[0];
}

static void a_full_disk_leaves_no_half_file(void **state)
{
    (void)state;
    reshed_error err = {0};
    report_scene scene = small;
    scene.lines = scene.points = scene.steps = 0;
    rs_session *s = session_of(&scene, "full.h5");
    char html[512];
    snprintf(html, sizeof html, "%s", test_temp("full.html"));
    for (int old = 0; old < 2; old++) {
        if (old) assert_ok(rs_os_write_file(html, "old", 3, &err), &err);
        pid_t child = fork();
        if (child == 0) _exit(report_on_full_disk(s, html) ? 0 : 1);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_int_equal(rs_os_is_file(html), old);
        assert_int_equal(files_beside(html, ".tmp"), 0);
    }
    char *page = page_read(html);
    assert_string_equal(page, "old");
    rs_free(page);
    assert_int_equal(rs_report_write(s, "no/such/folder/report.html", &err), RESHED_EIO);
    assert_ok(rs_session_finish(s, RESHED_OK, &err), &err);
}

/* What a scan's latest choice had of its own comes before the run's settings. */
static void the_recipe_is_that_of_the_latest_choice(void **state)
{
    (void)state;
    static const rs_driver_option setting[] = {
        {"workflow", "survey; choose every=9; loops; choose walls=long every=4 min_wall=5.5 "
                     "a_domain=3 c_domain=2 control_distance=7; loops; repeat steps=2 until=calm "
                     "times=2"},
        {"every", "6"},
        {"thinning", "0"},
        {"threshold", "0.3"}};
    const rs_session_setup setup = {.setting = setting, .settings = 4};
    const rs_session_setup plain = {.setting = setting + 1, .settings = 3};
    rs_find_options o;
    rs_report_recipe(&setup, &o);
    assert_true(o.every == 4 && o.min_wall.value == 5.5 && o.low == 0.3);
    assert_true(o.control[RS_FIND_A_DOMAIN] == 3 && o.control[RS_FIND_C_DOMAIN] == 2);
    assert_true(o.control_distance.value == 7 && o.thinning == RS_FIND_KEEP);
    rs_report_recipe(&plain, &o);
    assert_true(o.every == 6 && o.control[RS_FIND_A_DOMAIN] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_recipe_is_that_of_the_latest_choice),
        cmocka_unit_test(a_finished_session),
        cmocka_unit_test(numbers_are_the_sessions),
        cmocka_unit_test(half_a_session),
        cmocka_unit_test(an_empty_session),
        cmocka_unit_test(points_before_loops),
        cmocka_unit_test(a_live_session),
        cmocka_unit_test(hostile_texts),
        cmocka_unit_test(each_allocation_fails),
        cmocka_unit_test(a_full_disk_leaves_no_half_file),
        cmocka_unit_test(latencies_are_those_of_the_page),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
