/* reshed-scan killed where it hurts: among lines, between a trace and its retrace, in the list of
 * points, in a later region. Nothing that another program has seen in the session is lost, and the
 * resumed run comes to the same end as one that was not disturbed. */
#define _DEFAULT_SOURCE
#include "support/scan_program.h"
#include "support/support.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/os.h"

/* 64 lines, 1.3 s: long enough to be seen between a trace and its retrace. */
#define TWIN50 "--driver twin -d clock=50 -d seed=7 "

enum { ROWS = 64, POINTS = 8 };

/* The aim of a kill. */
typedef enum aim { AT_A_LINE, AT_A_GAP, AT_A_POINT, AT_A_REGION, AIMS } aim;

/* A reader's findings in a session. */
typedef struct seen {
    bool any;
    rs_session_progress p;
    rs_session_arrival line[2][ROWS];
    rs_session_point point[POINTS];
} seen;

static void see(const char *path, seen *out)
{
    rs_session *s = NULL;
    seen n = {.any = true};
    if (!rs_os_is_file(path) || rs_session_open(path, &s, NULL) != RESHED_OK) return;
    bool ok = rs_session_get_progress(s, &n.p, NULL) == RESHED_OK && n.p.points <= POINTS;
    for (int dir = 0; ok && dir < 2; dir++)
        ok = rs_session_read_arrivals(s, dir, n.line[dir], NULL) == RESHED_OK;
    if (ok) ok = rs_session_read_points(s, 0, n.p.points, n.point, NULL) == RESHED_OK;
    rs_session_finish(s, RESHED_OK, NULL);
    if (ok) *out = n;
}

/* Returns true when the session has come to the aim of the kill. */
static bool is_there(const seen *s, aim at, int line, int point)
{
    if (!s->any) return false;
    switch (at) {
    case AT_A_LINE: return s->p.lines >= line;
    case AT_A_GAP:
        for (int r = line; r < ROWS; r++)
            if (s->line[0][r].state == RS_SESSION_ARRIVED &&
                s->line[1][r].state == RS_SESSION_MISSING)
                return true;
        return false;
    case AT_A_POINT: return s->p.points > 0 && s->p.measured >= point;
    default: return s->p.lines >= line || s->p.points > 0;
    }
}

/* Asserts that everything seen before is still there. */
static void check_kept(const seen *before, const seen *after)
{
    if (!before->any) return;
    assert_true(after->any);
    for (int dir = 0; dir < 2; dir++)
        for (int r = 0; r < ROWS; r++) {
            const rs_session_arrival *a = &before->line[dir][r], *b = &after->line[dir][r];
            if (a->state == RS_SESSION_MISSING) continue;
            if (a->state != b->state || a->order != b->order || a->time != b->time)
                fail_msg("line %d %s is another", r, dir ? "back" : "there");
        }
    assert_true(before->p.points == 0 || before->p.points == after->p.points);
    for (int k = 0; k < before->p.points; k++) {
        const rs_session_point *a = &before->point[k], *b = &after->point[k];
        assert_true(a->x == b->x && a->y == b->y);
        if (a->state != RS_SESSION_MEASURED) continue;
        assert_true(b->state == RS_SESSION_MEASURED && a->time == b->time &&
                    a->measured_x == b->measured_x);
    }
}

/* round, status: of the run that was killed, for a failure's text. */
static void check_end(const char *path, int round, int status)
{
    char args[4096], text[2048], err[1024];
    seen s = {0};
    see(path, &s);
    if (!(s.any && s.p.complete && s.p.lines == ROWS && s.p.lost == 0)) {
        read_text(scan_temp(err, "err"), text, sizeof text);
        fail_msg("round %d, status %#x: %s%s, %d lines, %d lost, %d of %d points; %s", round,
                 (unsigned)status, s.any ? "" : "not readable, ",
                 s.p.complete ? "complete" : "open", s.p.lines, s.p.lost, s.p.measured, s.p.points,
                 text);
    }
    for (int r = 0; r < ROWS; r++) assert_int_equal(s.line[1][r].state, RS_SESSION_ARRIVED);
    assert_int_equal(s.p.measured, s.p.points);
    snprintf(args, sizeof args, "--analyse %s --json " AGAIN, path);
    const outcome *o = scan_run_to(0, args);
    assert_true(json_number(o->out, "mean_difference") == 0);
    assert_true(json_number(o->out, "variance_difference") == 0);
    assert_true(json_number(o->out, "metric_difference") == 0);
}

static void killed_where_it_hurts_it_goes_on(void **state)
{
    (void)state;
    test_not_quick();
    test_rng rng = {test_seed()};
    const int rounds = (int)test_tier(1, 3, 300);
    int hit[AIMS] = {0}, gaps = 0;
    for (int i = 0; i < rounds; i++) {
        const aim at = (aim)(i % AIMS);
        const int line = (int)test_below(&rng, ROWS - 1), point = (int)test_below(&rng, POINTS);
        const double more = test_uniform(&rng, 0, 4e-3);
        char args[4096], path[2][1024], name[32];
        seen before[2] = {{0}}, after[2] = {{0}};
        const char *driver = at == AT_A_GAP || at == AT_A_POINT ? TWIN50 : TWIN;
        const char *more_regions = at == AT_A_REGION ? "--region 2e-7,1e-7 " : "";
        for (int r = 0; r < 2; r++) {
            snprintf(name, sizeof name, r ? "aimed%d_2.h5" : "aimed%d.h5", i);
            scan_temp(path[r], name);
        }
        const int of = at == AT_A_REGION;
        snprintf(args, sizeof args, "%s" QUICK "--report none %s-o %s", driver, more_regions,
                 path[0]);
        const pid_t pid = scan_start(args);
        int status = 0;
        bool over = false;
        while (!over && !is_there(&before[of], at, line, point)) {
            over = waitpid(pid, &status, WNOHANG) == pid;
            see(path[of], &before[of]);
        }
        rs_os_sleep(more);
        if (!over) {
            kill(pid, SIGKILL);
            status = scan_wait(pid);
        }
        if (WIFSIGNALED(status)) hit[at]++;
        for (int r = 0; r <= of; r++) {
            see(path[r], &after[r]);
            check_kept(&before[r], &after[r]);
            const int last = after[r].p.lines - 1;
            gaps += last >= 0 && after[r].line[0][last].state == RS_SESSION_ARRIVED &&
                    after[r].line[1][last].state == RS_SESSION_MISSING;
        }
        if (WIFSIGNALED(status) && !(after[of].any && after[of].p.complete && of == 1)) {
            snprintf(args, sizeof args, "--resume %s --report none -o %s " AGAIN, driver, path[0]);
            if (!after[0].p.complete || of) scan_run_to(0, args);
        }
        for (int r = 0; r <= of; r++) {
            seen end = {0};
            see(path[r], &end);
            check_kept(&after[r], &end);
            check_end(path[r], i, status);
            remove(path[r]);
        }
    }
    printf("# %d rounds; killed at a line %d, a gap %d, a point %d, a region %d; %d left a row "
           "without "
           "its retrace\n",
           rounds, hit[AT_A_LINE], hit[AT_A_GAP], hit[AT_A_POINT], hit[AT_A_REGION], gaps);
    assert_true(hit[AT_A_LINE] + hit[AT_A_GAP] + hit[AT_A_POINT] + hit[AT_A_REGION] >= rounds / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(killed_where_it_hurts_it_goes_on)};
    return cmocka_run_group_tests_name("scan_kills", tests, NULL, NULL);
}
