/* reshed-report: the page that reshed-scan writes, and figures for papers. */
#include "support/program.h"
#include "support/support.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "report/report.h"
#include "support/report_scene.h"

static const report_scene scene = {.rows = 48,
                                   .cols = 48,
                                   .lines = 48,
                                   .points = 12,
                                   .measured = 12,
                                   .steps = 16,
                                   .sample = "film",
                                   .event = "an event"};

static void make(char path[512])
{
    snprintf(path, 512, "%s", test_temp("session.h5"));
    remove(path);
    rs_session_finish(report_scene_session(&scene, path), RESHED_OK, NULL);
}

static uint8_t *read_all(const char *path, size_t *len)
{
    uint8_t *data = NULL;
    reshed_error err = {0};
    assert_ok(rs_os_read_file(path, 1 << 26, &data, len, &err), &err);
    return data;
}

static void the_page_is_that_of_the_session(void **state)
{
    (void)state;
    char path[512], args[1200], direct[512];
    size_t n = 0, m = 0;
    rs_session *s = NULL;
    reshed_error err = {0};
    make(path);
    snprintf(direct, sizeof direct, "%s", test_temp("direct.html"));
    assert_ok(rs_session_open(path, &s, &err), &err);
    assert_ok(rs_report_write(s, direct, &err), &err);
    rs_session_finish(s, RESHED_OK, NULL);
    snprintf(args, sizeof args, "--quiet %s", path);
    assert_int_equal(run_program("reshed-report", args)->status, 0);
    uint8_t *a = read_all(direct, &n), *b = read_all(test_temp("session.html"), &m);
    assert_int_equal(n, m);
    assert_memory_equal(a, b, n);
    rs_free(a);
    rs_free(b);
}

static void figures_have_captions(void **state)
{
    (void)state;
    char path[512], folder[512], name[600], args[1400];
    size_t n = 0;
    int lines = 0;
    make(path);
    snprintf(folder, sizeof folder, "%s", test_temp("figures"));
    snprintf(args, sizeof args, "--figures=%s --kind=svg --paper=width=86 %s", folder, path);
    const outcome *o = run_program("reshed-report", args);
    if (o->status != 0) fail_msg("%s", o->err);
    snprintf(name, sizeof name, "%s/captions.txt", folder);
    uint8_t *text = read_all(name, &n);
    for (size_t i = 0; i < n; i++) lines += text[i] == '\n';
    rs_free(text);
    assert_true(lines >= 6); /* channels, maps, loop, metrics, walls, ... */
    for (int i = 1; i <= lines + 1; i++) {
        snprintf(name, sizeof name, "%s/figure_%02d.svg", folder, i);
        assert_int_equal(rs_os_is_file(name), i <= lines);
    }
}

static void wrong_requests_are_refused(void **state)
{
    (void)state;
    char path[512], args[1200];
    make(path);
    snprintf(args, sizeof args, "-o %s %s", path, path);
    assert_int_equal(run_program("reshed-report", args)->status, 2); /* would replace the session */
    snprintf(args, sizeof args, "--kind=svg %s", path);
    assert_int_equal(run_program("reshed-report", args)->status, 2);
    snprintf(args, sizeof args, "--figures=%s --kind=jpg %s", test_temp("x"), path);
    assert_int_equal(run_program("reshed-report", args)->status, 2);
    snprintf(args, sizeof args, "--figures=%s/no/such %s", test_temp("x"), path);
    assert_int_equal(run_program("reshed-report", args)->status, 1);
    snprintf(args, sizeof args, "%s", test_temp("missing.h5"));
    const outcome *o = run_program("reshed-report", args);
    assert_int_equal(o->status, 1);
    assert_non_null(strstr(o->err, "missing.h5"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_page_is_that_of_the_session),
                                       cmocka_unit_test(figures_have_captions),
                                       cmocka_unit_test(wrong_requests_are_refused)};
    return cmocka_run_group_tests_name("report_tool", tests, NULL, NULL);
}
