/* An acquisition that somebody steers, on the twin: each order, what is refused, and a person who has gone. */
#include "support/scan_rig.h"
#include "base/alloc.h"
#include "base/os.h"
#include "spm/scan/loops.h"
#include "support/session_sim.h"

#include <math.h>
#include <string.h>

enum { FIRST = 16 };

/* An order, given once the condition holds: so many lines have come, points are measured, or points wait for a yes. */
typedef struct line_of {
    rs_order_kind kind;
    int lines, points;
    bool asked;
    int row, index;
    double at, to;
    int place; /* 1, 2, ...: at and to are those of that point of the first list, from 0 */
    bool yes;
    bool refused; /* is to be */
    bool stuck;   /* meanwhile the instrument refuses to move its tip */
    double after; /* s of a pause */
    bool longer;  /* a pause as long as all before it, and so longer than a loop on any machine */
    int news;     /* of lines after which the run is interrupted */
    const char *says;
} line_of;

typedef struct script {
    scan_rig *rig;
    const line_of *line;           /* [n] */
    int n, given, answered, quiet; /* looks that brought no order since the latest answer */
    bool asked, silent;
    int shown, cost;               /* points */
    double until;                  /* that the latest cost said */
    double begun;                  /* of the first look, rs_os_monotonic */
    rs_session_point first[FIRST]; /* list that was shown while points waited for a yes */
    int firsts;
    int loops; /* that the list had when it began */
    int held;  /* lines when the pause was answered */
    rs_helm_phase phase;
} script;

static bool is_due(const script *s, const line_of *l)
{
    return s->answered == s->given && s->rig->arrived >= l->lines && s->rig->points >= l->points &&
           (!l->asked || s->asked);
}

/* Narrows what the instrument may do, or not. */
static void hold_tip(const script *s, bool hold)
{
    reshed_error err = {0};
    rs_limits limits = rs_scan_limits(&s->rig->set);
    if (hold) limits.driver.speed_max = 1e-15;
    assert_ok(rs_instrument_limit(s->rig->instrument, &limits, &err), &err);
}

/* Looks a few times while a pause lasts, whether it does. */
static bool take(void *ctx, double seconds, rs_order *out)
{
    script *s = ctx;
    const line_of *l = &s->line[s->given];
    if (s->begun == 0) s->begun = rs_os_monotonic();
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
    if (l->place) {
        assert_true(l->place <= s->firsts);
        out->at = s->first[l->place - 1].row;
        out->to = s->first[l->place - 1].col;
    }
    if (l->stuck) hold_tip(s, true);
    if (l->after > 0) rs_os_sleep(l->after);
    if (l->longer) rs_os_sleep(rs_os_monotonic() - s->begun);
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
    if (l->stuck) hold_tip(s, false);
    if (l->news) s->rig->stop_at_news = s->rig->news + l->news;
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
    s->shown = n;
    if (s->asked && s->firsts == 0 && n <= FIRST) {
        memcpy(s->first, point, (size_t)n * sizeof *point);
        s->firsts = n;
    }
}

static void take_cost(void *ctx, int count, double seconds, double pulses, double until)
{
    script *s = ctx;
    if (count < 0) return;
    assert_true(isnan(until) || until > s->until || s->cost == 0);
    s->until = until;
    s->cost = count;
    assert_int_equal(count, s->shown);
    assert_true(seconds >= 0 && pulses >= count);
}

static void take_loop(void *ctx, int k, const rs_session_point *point, const rs_session_loop *loop)
{
    script *s = ctx;
    assert_true(k < s->shown && point->state == RS_SESSION_MEASURED && isfinite(loop->metric[0]));
    s->loops++;
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
                     .loop = take_loop,
                     .cost = take_cost,
                     .loops = take_loops};
}

static void begin(scan_rig *r, const char *name)
{
    scan_rig_init(r, name);
    r->set.queue = 8;
    r->set.max_points = 6;
    r->set.drift_every = r->set.reference_every = 0;
}

/* Runs it with these orders; all are given and answered. */
static void steer(scan_rig *r, const line_of *line, int n, double wait_limit, rs_end expected)
{
    script s = {.rig = r, .line = line, .n = n};
    const rs_helm helm = helm_of(&s, wait_limit);
    r->helm = &helm;
    scan_rig_do(r, expected);
    assert_int_equal(s.given, n);
    assert_int_equal(s.answered, n);
    r->helm = NULL;
}

#define STEER(r, line, wait, expected)                                                             \
    steer(r, line, (int)(sizeof(line) / sizeof *(line)), wait, expected)

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
    begin(&r, "steer_pause.h5");
    STEER(&r, orders, 0, RS_END_DONE);
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
    begin(&r, "steer_rescan.h5");
    STEER(&r, orders, 0, RS_END_DONE);
    scan_rig_check_analysis(&r, true, &p);
    assert_int_equal(p.lines, 64);
    assert_int_equal(r.arrived, 64);
    assert_true(session_has_event(r.path, "rows 5 to"));
}

/* What was not reached keeps its lines, which is told when the scan goes on. */
static void rows_that_were_not_scanned_again_are_told(void **state)
{
    static const line_of orders[] = {{RS_ORDER_RESCAN, .row = 5, .lines = 50, .news = 1}};
    (void)state;
    test_not_quick();
    for (int again = 0; again < 2; again++) {
        scan_rig r;
        begin(&r, again ? "steer_half.h5" : "steer_whole.h5");
        r.set.voltage = 0;
        if (!again) r.stop_at_line = 20;
        if (again)
            STEER(&r, orders, 0, RS_END_INTERRUPTED);
        else
            scan_rig_do(&r, RS_END_INTERRUPTED);
        r.stop_at_news = r.stop_at_line = 0;
        scan_rig_resume(&r, RS_END_DONE);
        assert_int_equal(session_has_event(r.path, "were to be scanned again"), again);
    }
}

static void nobody_is_waited_for_for_ever(void **state)
{
    static const line_of pause[] = {{.kind = RS_ORDER_PAUSE, .lines = 10}};
    static const line_of none[] = {{.kind = RS_ORDER_NOTE, .asked = true}};
    (void)state;
    test_not_quick();
    scan_rig r;
    rs_session_progress p;
    begin(&r, "steer_gone.h5");
    STEER(&r, pause, 0.05, RS_END_INTERRUPTED);
    assert_true(session_has_event(r.path, "nobody said anything"));
    scan_rig_resume(&r, RS_END_DONE);
    scan_rig_check_analysis(&r, true, &p);
    begin(&r, "steer_gone_2.h5");
    STEER(&r, none, 0.05, RS_END_INTERRUPTED);
    assert_true(session_has_event(r.path, "nobody said anything"));
    rs_session *s = NULL;
    reshed_error err = {0};
    assert_ok(rs_session_open(r.path, &s, &err), &err);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    assert_int_equal(p.points, 0);
    rs_session_finish(s, RESHED_OK, NULL);
    scan_rig_resume(&r, RS_END_DONE);
}

/* The session of the rig, closed. */
static rs_session_progress progress_of(const scan_rig *r)
{
    rs_session *s = NULL;
    rs_session_progress p;
    reshed_error err = {0};
    assert_ok(rs_session_open(r->path, &s, &err), &err);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    rs_session_finish(s, RESHED_OK, NULL);
    return p;
}

#define ASKED .asked = true

/* Points are changed before the yes, by the rules that chose them; then a pause in the middle of the
 * list, after which the sample is looked for, and loops that are measured again, or cannot be. */
static void points_are_changed_and_measured(void **state)
{
    static const line_of orders[] = {
        {RS_ORDER_ADD, ASKED, .at = 30, .to = 30, .refused = true, .says = "max_points"},
        {RS_ORDER_REMOVE, ASKED, .index = 1, .says = "5 points"},
        {RS_ORDER_REMOVE, ASKED, .index = 0, .says = "4 points"},
        {RS_ORDER_ADD, ASKED, .at = 1000, .to = 3, .refused = true, .says = "frame"},
        {RS_ORDER_ADD, ASKED, .at = 2, .to = 30, .refused = true, .says = "margin"},
        {RS_ORDER_ADD, ASKED, .place = 3, .refused = true, .says = "from the others"},
        {RS_ORDER_REMOVE, ASKED, .index = 4, .refused = true, .says = "below 4"},
        {RS_ORDER_ADD, ASKED, .place = 1, .says = "5 points"},
        {RS_ORDER_MOVE, ASKED, .index = 4, .place = 2, .says = "5 points"},
        {RS_ORDER_MOVE, ASKED, .index = 4, .place = 3, .refused = true, .says = "others"},
        {RS_ORDER_MOVE, ASKED, .index = 4, .at = -1, .to = 31, .refused = true, .says = "frame"},
        {RS_ORDER_ROUTE, ASKED, .says = "5 points"},
        {RS_ORDER_RESCAN, ASKED, .refused = true, .says = "not possible now"},
        {RS_ORDER_CONFIRM, ASKED, .yes = true, .says = "5 points"},
        {RS_ORDER_AGAIN, .points = 2, .index = 0, .stuck = true, .refused = true,
         .says = "no loop"},
        {RS_ORDER_PAUSE, .points = 2, .says = "paused before point"},
        {RS_ORDER_AGAIN, .index = 0, .refused = true, .says = "go on first"},
        {RS_ORDER_GO_ON, .longer = true, .says = "goes on"},
        {RS_ORDER_AGAIN, .index = 0, .says = "measured again"},
        {RS_ORDER_AGAIN, .index = 4, .refused = true, .says = "not measured yet"},
        {RS_ORDER_AGAIN, .index = 6, .refused = true, .says = "no such"}};
    (void)state;
    scan_rig r;
    rs_session *s = NULL;
    rs_session_progress p;
    reshed_error err = {0};
    begin(&r, "steer_points.h5");
    r.set.drift_every = 5;
    STEER(&r, orders, 3600, RS_END_DONE);
    assert_ok(rs_session_open(r.path, &s, &err), &err);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    assert_int_equal(p.points, 5);
    assert_int_equal(p.measured, 5); /* the loop that did not come has cost none */
    assert_int_equal(p.patches, 2);  /* before the first point, and after the pause */
    for (int k = 0; k < 5; k++) {
        rs_session_point q;
        assert_ok(rs_session_read_points(s, k, 1, &q, &err), &err);
        assert_int_equal(q.state, RS_SESSION_MEASURED);
        assert_true(q.target >= 0 && q.target < 5);
        assert_int_equal(q.kind == RS_POINT_WALL, q.wall >= 0);
    }
    rs_session_finish(s, RESHED_OK, NULL);
    assert_true(session_has_event(r.path, "it stays as it was"));
}

/* Also a resumed list has not looked for the sample yet. */
static void a_list_that_goes_on_is_looked_for_first(void **state)
{
    static const line_of none[] = {{RS_ORDER_CONFIRM, ASKED, .yes = true}};
    static const line_of again[] = {{RS_ORDER_AGAIN, .lines = 64, .says = "measured again"}};
    (void)state;
    test_not_quick();
    scan_rig r;
    begin(&r, "steer_resumed.h5");
    r.set.drift_every = 50;
    r.stop_at_point = 2;
    STEER(&r, none, 0, RS_END_INTERRUPTED);
    const int before = progress_of(&r).patches;
    assert_int_equal(before, 1);
    r.stop_at_point = 1; /* the loop that is measured again */
    script s = {.rig = &r, .line = again, .n = 1};
    const rs_helm helm = helm_of(&s, 0);
    r.helm = &helm;
    scan_rig_resume(&r, RS_END_INTERRUPTED);
    assert_int_equal(s.answered, 1);
    assert_int_equal(s.loops, 2);
    assert_int_equal(r.replayed, 64);
    assert_int_equal(progress_of(&r).patches, 2);
}

static void a_pause_is_not_of_the_budget(void **state)
{
    static const line_of orders[] = {{RS_ORDER_CONFIRM, ASKED, .yes = true},
                                     {RS_ORDER_PAUSE, .points = 1},
                                     {RS_ORDER_GO_ON, .after = 3.1}};
    (void)state;
    test_not_quick();
    scan_rig r;
    begin(&r, "steer_budget.h5");
    r.set.max_points = 2;
    r.set.budget = 3;
    STEER(&r, orders, 0, RS_END_DONE);
    assert_int_equal(progress_of(&r).measured, 2);
    assert_false(session_has_event(r.path, "out of time"));
}

/* max_points is for all choices of a run together. */
static void a_second_choice_has_what_the_first_left(void **state)
{
    static const line_of orders[] = {
        {RS_ORDER_THIN, ASKED, .row = 2, .says = "2 points"},
        {RS_ORDER_CONFIRM, ASKED, .yes = true},
        {RS_ORDER_ADD, ASKED, .points = 2, .place = 1, .refused = true, .says = "at most 4"},
        {RS_ORDER_REMOVE, ASKED, .says = "3 points"},
        {RS_ORDER_CONFIRM, ASKED, .yes = true}};
    (void)state;
    test_not_quick();
    scan_rig r;
    rs_flow steps;
    reshed_error err = {0};
    assert_ok(rs_flow_parse("survey; choose; loops; choose; loops", &steps, &err), &err);
    begin(&r, "steer_twice.h5");
    r.steps = &steps;
    STEER(&r, orders, 0, RS_END_DONE);
    assert_int_equal(progress_of(&r).measured, 5);
}

static void a_no_measures_nothing(void **state)
{
    static const line_of orders[] = {
        {.kind = RS_ORDER_THIN, .asked = true, .row = 3, .says = "3 points"},
        {.kind = RS_ORDER_CONFIRM, .asked = true}};
    (void)state;
    test_not_quick();
    scan_rig r;
    begin(&r, "steer_no.h5");
    STEER(&r, orders, 0, RS_END_UNCONFIRMED);
    assert_int_equal(r.points, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_holds_the_scan),
        cmocka_unit_test(rows_are_scanned_again),
        cmocka_unit_test(rows_that_were_not_scanned_again_are_told),
        cmocka_unit_test(nobody_is_waited_for_for_ever),
        cmocka_unit_test(points_are_changed_and_measured),
        cmocka_unit_test(a_list_that_goes_on_is_looked_for_first),
        cmocka_unit_test(a_pause_is_not_of_the_budget),
        cmocka_unit_test(a_second_choice_has_what_the_first_left),
        cmocka_unit_test(a_no_measures_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, scan_rig_teardown);
}
