/* reshed-scan at a good end: the tip is left as it was asked, each step is said and recorded, and an
 * end that the instrument cannot reach is refused before anything moves. */
#include "support/scan_program.h"
#include "support/support.h"

#include <stdio.h>
#include <string.h>

#define SMALL "-s rows=32 -s cols=32 "

/* The last words of a session's log. */
static const char *last_event(const char *path)
{
    static rs_session_event e;
    reshed_error err = {0};
    rs_session *s = NULL;
    rs_session_progress p;
    assert_ok(rs_session_open(path, &s, &err), &err);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    assert_true(p.events > 0);
    assert_ok(rs_session_read_events(s, p.events - 1, 1, &e, &err), &err);
    rs_session_finish(s, RESHED_OK, NULL);
    return e.text;
}

/* Scans without loops, which take the longer part of the time. */
static void check_end(int expected, const char *more, const char *left)
{
    char args[4096], path[1024], want[256];
    scan_temp(path, "end.h5");
    remove(path);
    snprintf(args, sizeof args, TWIN QUICK SMALL "--json --report none -o %s %s", path, more);
    const outcome *o = scan_run_to(expected, args);
    snprintf(want, sizeof want, "\"instrument_left\": \"%s\"", left);
    if (!strstr(o->out, want)) fail_msg("%s: %s", more, o->out);
    assert_string_equal(last_event(path), left);
}

static void the_tip_is_left_as_asked(void **state)
{
    (void)state;
    check_end(0, "-s voltage=0", "bias 0 V, drive off, tip withdrawn");
    check_end(0, "-s voltage=0 -s end=leave", "bias 0 V, drive off, tip left on the sample");
    check_end(0, "-s voltage=0 -s end=park -s park_x=1e-7 -s park_y=-2e-7",
              "bias 0 V, drive off, tip withdrawn, tip parked");
}

/* A run that ends with a question to its user leaves the tip, unless it is said otherwise. */
static void a_question_leaves_the_tip(void **state)
{
    (void)state;
    test_not_quick();
    check_end(1, "--confirm", "bias 0 V, drive off, tip left on the sample");
    check_end(1, "--confirm -s end=withdraw", "bias 0 V, drive off, tip withdrawn");
}

/* Between two regions it stays, too: the first session says so. */
static void regions_follow_each_other_on_the_sample(void **state)
{
    (void)state;
    test_not_quick();
    char args[4096], path[1024], second[1024];
    scan_temp(path, "two.h5");
    scan_temp(second, "two_2.h5");
    snprintf(args, sizeof args,
             TWIN QUICK SMALL "-s voltage=0 --region 1e-7,1e-7 --report none -o %s", path);
    scan_run_to(0, args);
    assert_string_equal(last_event(path), "bias 0 V, drive off, tip left on the sample");
    assert_string_equal(last_event(second), "bias 0 V, drive off, tip withdrawn");
}

static void an_end_that_cannot_be_is_refused_first(void **state)
{
    (void)state;
    char args[4096], path[1024];
    snprintf(args, sizeof args, TWIN QUICK "-s end=park -s park_x=1e-3 -o %s",
             scan_temp(path, "none.h5"));
    assert_non_null(strstr(scan_run_to(1, args)->err, "0.001"));
    snprintf(args, sizeof args, TWIN QUICK "-s end=drop -o %s", path);
    assert_non_null(strstr(scan_run_to(2, args)->err, "end"));
    FILE *f = fopen(path, "rb");
    assert_null(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tip_is_left_as_asked),
        cmocka_unit_test(a_question_leaves_the_tip),
        cmocka_unit_test(regions_follow_each_other_on_the_sample),
        cmocka_unit_test(an_end_that_cannot_be_is_refused_first),
    };
    return cmocka_run_group_tests_name("scan_end", tests, NULL, NULL);
}
