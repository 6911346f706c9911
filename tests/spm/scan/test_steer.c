/* An acquisition that somebody steers, on the twin: each order, what is refused, and a person who has gone. */
#include "support/scan_rig.h"
#include "base/alloc.h"
#include "base/os.h"
#include "spm/scan/loops.h"
#include "support/session_sim.h"

#include <math.h>
#include <string.h>

enum { ORDERS = 16 };

/* An order, given once the condition holds: so many lines have come, points are measured, or points wait for a yes. */
typedef struct line_of {
    rs_order_kind kind;
    int lines, points;
    bool asked;
    int row, index;
    double at, to;
    bool yes;
    bool refused; /* is to be */
    const char *says;
} line_of;

typedef struct script {
    scan_rig *rig;
    const line_of *line;           /* [n] */
    int n, given, answered, quiet; /* looks that brought no order since the latest answer */
    bool asked, silent;
    int shown, cost; /* points */
    int held;        /* lines when the pause was answered */
    rs_helm_phase phase;
} script;

static bool is_due(const script *s, const line_of *l)
{
    return s->answered == s->given && s->rig->arrived >= l->lines && s->rig->points >= l->points &&
           (!l->asked || s->asked);
}

/* Looks a few times while a pause lasts, whether it does. */
static bool take(void *ctx, double seconds, rs_order *out)
{
    script *s = ctx;
    const line_of *l = &s->line[s->given];
    if (s->given == s->n || !is_due(s, l) || (l->kind == RS_ORDER_GO_ON && s->quiet < 5)) {
        s->quiet++;
        rs_os_sleep(seconds < 0.005 ? seconds : 0.005);
        return false;
    }
    memset(out, 0, sizeof *out);
    snprintf(out->id, sizeof out->id, "n%d", s->given++);
    strcpy(out->who, "viewer test");
    strcpy(out->text, "seen");
    out->kind = l->kind;
    out->row = l->row;
    out->n = 1;
    out->index[0] = l->index;
    out->at = l->at;
    out->to = l->to;
    out->yes = l->yes;
    if (l->kind == RS_ORDER_GO_ON && s->held) assert_int_equal(s->rig->arrived, s->held);
    return true;
}

static void answer(void *ctx, const rs_order *o, bool done, const char *what)
{
    script *s = ctx;
    const line_of *l = &s->line[s->answered++];
    if (done == l->refused || (l->says && !strstr(what, l->says)))
        print_error("order %s: %d, %s\n", o->id, done, what);
    assert_true(done != l->refused);
    if (l->says) assert_non_null(strstr(what, l->says));
    s->held = o->kind == RS_ORDER_PAUSE && done ? s->rig->arrived : 0;
    s->quiet = 0;
}

static void phase(void *ctx, rs_helm_phase p, bool paused, const char *text)
{
    script *s = ctx;
    (void)paused;
    (void)text;
    s->phase = p;
    s->asked = p == RS_HELM_CONFIRM;
}

static void take_log(void *ctx, double time, rs_session_level level, const char *text)
{
    (void)ctx;
    (void)level;
    assert_true(time >= 0 && text[0]);
}

static void take_points(void *ctx, const rs_session_point *point, int n)
{
    script *s = ctx;
    (void)point;
    s->shown = n;
}

static void take_cost(void *ctx, int count, double seconds, double pulses, double until)
{
    script *s = ctx;
    (void)until;
    if (count < 0) return;
    s->cost = count;
    assert_int_equal(count, s->shown);
    assert_true(seconds >= 0 && pulses >= count);
}

static void take_loops(void *ctx, int k, double seconds, double left)
{
    (void)ctx;
    (void)k;
    (void)seconds;
    (void)left;
}

static rs_helm helm_of(script *s, double wait_limit)
{
    return (rs_helm){.ctx = s,
                     .wait_limit = wait_limit,
                     .take = take,
                     .answer = answer,
                     .phase = phase,
                     .log = take_log,
                     .points = take_points,
                     .cost = take_cost,
                     .loops = take_loops};
}

/* Runs it with these orders; all are given and answered. */
static void steer(scan_rig *r, const char *name, const line_of *line, int n, double wait_limit,
                  rs_end expected)
{
    script s = {.rig = r, .line = line, .n = n};
    const rs_helm helm = helm_of(&s, wait_limit);
    scan_rig_init(r, name);
    r->set.queue = 8;
    r->set.max_points = 6;
    r->set.drift_every = r->set.reference_every = 0;
    r->helm = &helm;
    scan_rig_do(r, expected);
    assert_int_equal(s.given, n);
    assert_int_equal(s.answered, n);
    r->helm = NULL;
}

#define STEER(r, name, line, wait, expected)                                                       \
    steer(r, name, line, (int)(sizeof(line) / sizeof *(line)), wait, expected)

static void a_pause_holds_the_scan(void **state)
{
    static const line_of orders[] = {
        {.kind = RS_ORDER_GO_ON, .lines = 5, .refused = true, .says = "not paused"},
        {.kind = RS_ORDER_PAUSE, .lines = 10, .says = "paused after row"},
        {.kind = RS_ORDER_PAUSE, .lines = 10, .refused = true, .says = "already"},
        {.kind = RS_ORDER_NOTE, .lines = 10, .says = "noted"},
        {.kind = RS_ORDER_AGAIN, .refused = true, .says = "not possible now"},
        {.kind = RS_ORDER_GO_ON, .says = "goes on"},
        {.kind = RS_ORDER_CONFIRM, .asked = true, .yes = true, .says = "are measured"}};
    (void)state;
    test_not_quick();
    scan_rig r;
    rs_session_progress p;
    STEER(&r, "steer_pause.h5", orders, 0, RS_END_DONE);
    scan_rig_check_analysis(&r, true, &p);
    assert_int_equal(p.lines, 64);
    assert_true(session_has_event(r.path, "viewer test: pause: the scan is paused after row"));
    assert_true(session_has_event(r.path, "viewer test: seen"));
}

static void rows_are_scanned_again(void **state)
{
    static const line_of orders[] = {
        {.kind = RS_ORDER_RESCAN, .row = 63, .lines = 5, .refused = true, .says = "not scanned"},
        {.kind = RS_ORDER_RESCAN, .row = 5, .lines = 20, .says = "rows 5 to"},
        {.kind = RS_ORDER_RESCAN, .row = 30, .lines = 50, .says = "rows 30 to"},
        {.kind = RS_ORDER_CONFIRM, .asked = true, .yes = true}};
    (void)state;
    test_not_quick();
    scan_rig r;
    rs_session_progress p;
    STEER(&r, "steer_rescan.h5", orders, 0, RS_END_DONE);
    scan_rig_check_analysis(&r, true, &p);
    assert_int_equal(p.lines, 64);
    assert_int_equal(r.arrived, 64);
    assert_true(session_has_event(r.path, "rows 5 to"));
}

static void nobody_is_waited_for_for_ever(void **state)
{
    static const line_of pause[] = {{.kind = RS_ORDER_PAUSE, .lines = 10}};
    static const line_of none[] = {{.kind = RS_ORDER_NOTE, .asked = true}};
    (void)state;
    test_not_quick();
    scan_rig r;
    rs_session_progress p;
    STEER(&r, "steer_gone.h5", pause, 0.05, RS_END_INTERRUPTED);
    assert_true(session_has_event(r.path, "nobody said anything"));
    scan_rig_resume(&r, RS_END_DONE);
    scan_rig_check_analysis(&r, true, &p);
    STEER(&r, "steer_gone_2.h5", none, 0.05, RS_END_INTERRUPTED);
    assert_true(session_has_event(r.path, "nobody said anything"));
    rs_session *s = NULL;
    reshed_error err = {0};
    assert_ok(rs_session_open(r.path, &s, &err), &err);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    assert_int_equal(p.points, 0);
    rs_session_finish(s, RESHED_OK, NULL);
    scan_rig_resume(&r, RS_END_DONE);
}

static void points_are_changed_before_the_yes(void **state)
{
    static const line_of orders[] = {
        {.kind = RS_ORDER_ADD,
         .asked = true,
         .at = 5,
         .to = 3,
         .refused = true,
         .says = "max_points"},
        {.kind = RS_ORDER_REMOVE, .asked = true, .index = 0, .says = "5 points"},
        {.kind = RS_ORDER_ADD,
         .asked = true,
         .at = 1000,
         .to = 3,
         .refused = true,
         .says = "frame"},
        {.kind = RS_ORDER_ADD,
         .asked = true,
         .at = 1000,
         .to = 3,
         .refused = true,
         .says = "frame"},
        {.kind = RS_ORDER_REMOVE, .asked = true, .index = 5, .refused = true, .says = "below 5"},
        {.kind = RS_ORDER_ADD, .asked = true, .at = 20.5, .to = 30, .says = "6 points"},
        {.kind = RS_ORDER_MOVE,
         .asked = true,
         .index = 5,
         .at = 22.25,
         .to = 31,
         .says = "6 points"},
        {.kind = RS_ORDER_MOVE, .asked = true, .index = 5, .at = -1, .to = 31, .refused = true},
        {.kind = RS_ORDER_ROUTE, .asked = true, .says = "6 points"},
        {.kind = RS_ORDER_RESCAN, .asked = true, .refused = true},
        {.kind = RS_ORDER_CONFIRM, .asked = true, .yes = true, .says = "6 points"},
        {.kind = RS_ORDER_PAUSE, .points = 2, .says = "paused before point"},
        {.kind = RS_ORDER_AGAIN, .points = 2, .index = 0, .says = "measured again"},
        {.kind = RS_ORDER_AGAIN, .index = 5, .refused = true, .says = "not measured yet"},
        {.kind = RS_ORDER_AGAIN, .index = 6, .refused = true, .says = "no such"},
        {.kind = RS_ORDER_GO_ON, .says = "goes on"}};
    (void)state;
    scan_rig r;
    rs_session *s = NULL;
    rs_session_progress p;
    reshed_error err = {0};
    bool found = false;
    STEER(&r, "steer_points.h5", orders, 0, RS_END_DONE);
    assert_ok(rs_session_open(r.path, &s, &err), &err);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    assert_int_equal(p.points, 6);
    assert_int_equal(p.measured, 6);
    for (int k = 0; k < 6; k++) {
        rs_session_point q;
        assert_ok(rs_session_read_points(s, k, 1, &q, &err), &err);
        found |= q.row == 22.25 && q.col == 31;
        assert_true(q.target >= 0 && q.target < 6);
    }
    assert_true(found);
    rs_session_finish(s, RESHED_OK, NULL);
}

static void a_no_measures_nothing(void **state)
{
    static const line_of orders[] = {
        {.kind = RS_ORDER_THIN, .asked = true, .row = 3, .says = "3 points"},
        {.kind = RS_ORDER_CONFIRM, .asked = true}};
    (void)state;
    scan_rig r;
    STEER(&r, "steer_no.h5", orders, 0, RS_END_UNCONFIRMED);
    assert_int_equal(r.points, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_holds_the_scan),
        cmocka_unit_test(rows_are_scanned_again),
        cmocka_unit_test(nobody_is_waited_for_for_ever),
        cmocka_unit_test(points_are_changed_before_the_yes),
        cmocka_unit_test(a_no_measures_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, scan_rig_teardown);
}
