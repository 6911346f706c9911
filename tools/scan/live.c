#include "tools/scan/live.h"

#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "live/server.h"
#include "report/summary.h"
#include "tools/cli/serve.h"

struct scan_live {
    rs_board *board;
    rs_mailbox *mailbox;
    rs_labels *labels;
    rs_server *server;
    rs_helm helm;
    const scan_job *job;
    uint8_t *state;   /* [rows] */
    int arrived;      /* lines, at the latest news */
    int most;         /* the same, at most so far */
    bool again;       /* rows that were final may have other values */
    bool rescan;      /* it is the run's phase */
    double line_rate; /* lines/s of real time; 0: unknown */
};

/* ------------------------------------------------------------------------- of the run's own thread */

static bool take(void *ctx, double seconds, rs_order *out)
{
    scan_live *v = ctx;
    while (rs_mailbox_take(v->mailbox, seconds, out)) {
        const bool of_points = out->kind == RS_ORDER_REMOVE || out->kind == RS_ORDER_MOVE ||
                               out->kind == RS_ORDER_THIN ||
                               (out->kind == RS_ORDER_CONFIRM && out->yes);
        if (!of_points || out->number >= rs_board_points_number(v->board)) return true;
        rs_mailbox_answer(v->mailbox, out, false, "the points have changed since: look again");
        seconds = 0;
    }
    return false;
}

static void answer(void *ctx, const rs_order *o, bool done, const char *what)
{
    const scan_live *v = ctx;
    rs_mailbox_answer(v->mailbox, o, done, what);
}

static void phase(void *ctx, rs_helm_phase p, bool paused, const char *text)
{
    static const rs_board_phase of[] = {RS_BOARD_SURVEY, RS_BOARD_RESCAN, RS_BOARD_CHOOSE,
                                        RS_BOARD_CONFIRM, RS_BOARD_LOOPS};
    scan_live *v = ctx;
    v->rescan = p == RS_HELM_RESCAN;
    v->again |= v->rescan;
    rs_board_run(v->board, of[p], paused, text);
}

static void take_log(void *ctx, double time, rs_session_level level, const char *text)
{
    const scan_live *v = ctx;
    rs_board_log(v->board, time, level, text);
}

/* Loops that the session has already: of an earlier list, or of the run that is resumed. A loop that cannot be read
 * is missing on the page only. */
static void post_loops(const scan_live *v, const rs_session_point *point, int n)
{
    rs_session *session = v->job->run.session;
    const rs_session_setup *setup = rs_session_get_setup(session);
    const size_t values = 2 * (size_t)setup->spectroscopy.steps;
    double metric[RS_SESSION_MAX_METRICS];
    float *response = rs_alloc(values + 1, sizeof *response);
    rs_session_loop loop = {.response = response, .metric = metric};
    for (int k = 0; response && k < n; k++) {
        if (point[k].state != RS_SESSION_MEASURED) continue;
        if (rs_session_read_loop(session, RS_SESSION_POINTS, k, &loop, NULL) == RESHED_OK)
            rs_board_loop(v->board, k, &point[k], &loop);
    }
    rs_free(response);
}

static void take_points(void *ctx, const rs_session_point *point, int n)
{
    const scan_live *v = ctx;
    if (rs_board_points(v->board, point, n, NULL) == RESHED_OK) post_loops(v, point, n);
}

static void take_loop(void *ctx, int k, const rs_session_point *point, const rs_session_loop *loop)
{
    const scan_live *v = ctx;
    rs_board_loop(v->board, k, point, loop);
}

static void take_cost(void *ctx, int count, double seconds, double pulses, double until)
{
    const scan_live *v = ctx;
    const rs_board_cost cost = {count, seconds, pulses, until};
    rs_board_confirm(v->board, count < 0 ? NULL : &cost);
}

static void take_loops(void *ctx, int k, double seconds, double left)
{
    const scan_live *v = ctx;
    rs_board_loops(v->board, k, seconds, left);
    rs_board_left(v->board, left);
}

/* ------------------------------------------------------------------------------- start and end */

reshed_status scan_live_start(scan_job *j, reshed_error *err)
{
    const scan_options *o = j->o;
    if (!o->live) return RESHED_OK;
    scan_live *v = j->live = rs_zalloc(1, sizeof *v);
    if (!v) return rs_fail_nomem(err, "the live page", sizeof *v);
    v->job = j;
    v->helm = (rs_helm){.ctx = v,
                        .wait_limit = o->live_wait,
                        .take = take,
                        .answer = answer,
                        .phase = phase,
                        .log = take_log,
                        .points = take_points,
                        .loop = take_loop,
                        .cost = take_cost,
                        .loops = take_loops};
    reshed_status st = rs_board_create(&v->board, err);
    if (st == RESHED_OK) st = rs_mailbox_create(v->board, &v->mailbox, err);
    if (st == RESHED_OK) st = rs_labels_create(v->board, o->out, &v->labels, err);
    const rs_server_options s = {.board = v->board,
                                 .mailbox = v->mailbox,
                                 .labels = v->labels,
                                 .address = o->live_at.host,
                                 .port = o->live_at.port};
    if (st == RESHED_OK) st = rs_server_start(&s, &v->server, err);
    if (st != RESHED_OK) return st;
    j->run.helm = &v->helm;
    fprintf(stderr, "steer: %s\nwatch: %s\n", rs_server_url(v->server, true),
            rs_server_url(v->server, false));
    fflush(stderr);
    if (o->open) cli_open(&scan_program, rs_server_url(v->server, true));
    return RESHED_OK;
}

reshed_status scan_live_begin(scan_job *j, reshed_error *err)
{
    scan_live *v = j->live;
    if (!v) return RESHED_OK;
    const rs_session_setup *setup = rs_session_get_setup(j->run.session);
    const double threshold = j->run.ensemble->model.ood_threshold;
    const double clock = rs_instrument_caps(j->run.instrument)->clock_rate;
    const rs_board_source source = {.kind = "scan",
                                    .name = rs_path_name(j->path),
                                    .program = j->o->plan.program,
                                    .writing = true,
                                    .threshold = threshold > 0 ? threshold : (double)NAN};
    rs_free(v->state);
    v->state = rs_zalloc((size_t)setup->frame.rows, 1);
    v->arrived = v->most = 0;
    v->again = v->rescan = false;
    v->line_rate = isfinite(clock) ? setup->frame.line_rate * clock : 0;
    if (!v->state) return rs_fail_nomem(err, "the live page", (size_t)setup->frame.rows);
    reshed_status st = rs_labels_begin(v->labels, j->path, err);
    if (st == RESHED_OK) st = rs_board_begin(v->board, &source, setup, err);
    if (st == RESHED_OK) rs_board_run(v->board, RS_BOARD_SURVEY, false, "");
    return st;
}

bool scan_live_stops(const scan_job *j)
{
    return j->live && rs_mailbox_stops(j->live->mailbox);
}

/* Tests of the walls with what has been measured. */
static void test_walls(scan_live *v, rs_session *session)
{
    rs_report_summary n;
    rs_board_test alternation = {.p = NAN}, lengths = {.p = NAN};
    if (rs_report_summarise(session, &n, NULL) == RESHED_OK && n.walls > 0) {
        const rs_wall_tests *t = &n.tests;
        if (*n.tested && t->has_alternation)
            alternation =
                (rs_board_test){t->alternation.p, t->alternation.difference, t->alternation.walls};
        if (*n.tested && t->has_lengths)
            lengths =
                (rs_board_test){t->lengths.p, t->lengths.effect, t->lengths.n[0] + t->lengths.n[1]};
        rs_board_walls(v->board, n.walls, n.families, &alternation, &lengths);
    }
    rs_report_summary_clear(&n);
}

void scan_live_end(scan_job *j, const rs_outcome *o, const char *text, bool last)
{
    scan_live *v = j->live;
    char words[512], all[RS_BOARD_TEXT];
    if (!v || !v->server) return;
    rs_board_confirm(v->board, NULL);
    if (o->end == RS_END_DONE) test_walls(v, j->run.session);
    if (last) rs_mailbox_close(v->mailbox);
    const bool failed = rs_outcome_failed(o);
    snprintf(all, sizeof all, "%s%s%.180s", text, failed ? ": " : "",
             failed ? reshed_error_text(&o->err, words, sizeof words) : "");
    rs_board_left(v->board, 0);
    rs_board_run(v->board,
                 failed                          ? RS_BOARD_FAILED
                 : o->end == RS_END_DONE && last ? RS_BOARD_DONE
                 : o->end == RS_END_DONE         ? RS_BOARD_ENDING
                                                 : RS_BOARD_STOPPED,
                 false, all);
}

void scan_live_close(scan_job *j)
{
    scan_live *v = j->live;
    if (!v) return;
    if (v->mailbox) rs_mailbox_close(v->mailbox);
    rs_server_stop(v->server);
    rs_labels_free(v->labels);
    rs_mailbox_free(v->mailbox);
    rs_board_free(v->board);
    rs_free(v->state);
    rs_free(v);
    j->live = NULL;
    j->run.helm = NULL;
}

/* ----------------------------------------------------------------------------------------- news */

/* A row's line is there, though the network has not had it. Beyond the front there is none. */
static bool has_come(const scan_live *v, const rs_survey_news *n, int y)
{
    const bool upward = rs_session_get_setup(v->job->run.session)->frame.upward;
    if (upward ? y < n->line : y > n->line) return false;
    const float *row = n->amplitude + (size_t)y * (size_t)n->cols;
    for (int x = 0; x < n->cols; x++)
        if (!isnan(row[x])) return true;
    return false;
}

static void post_rows(scan_live *v, const rs_survey_news *n)
{
    const bool one = n->map.classes == 1;
    const float *map[RS_SESSION_MAPS] = {[RS_SESSION_MEAN] = one ? n->map.mean : NULL,
                                         [RS_SESSION_VARIANCE] = one ? n->map.variance : NULL};
    for (int m = 0; m < RS_SESSION_MEAN; m++) map[m] = n->fit[m];
    if (!n->has_phase) map[RS_SESSION_PHASE] = NULL;
    for (int y = 0; y < n->rows; y++)
        v->state[y] = n->map.state[y] == RS_ROW_UNSCANNED
                          ? (has_come(v, n, y) ? RS_SESSION_STALE : RS_SESSION_UNSCANNED)
                      : n->map.stale[y]                 ? RS_SESSION_STALE
                      : n->map.state[y] == RS_ROW_FINAL ? RS_SESSION_FINAL
                                                        : RS_SESSION_PROVISIONAL;
    v->again |= n->arrived < v->arrived;
    v->arrived = n->arrived;
    rs_board_rows(v->board, map, v->state, v->again);
    /* Until the rows that were scanned again are final and past. */
    const bool past = n->arrived - n->map.lag > v->most || n->arrived + n->lost == n->rows;
    if (!v->rescan && past) v->again = false;
    if (n->arrived > v->most && !v->again) v->most = n->arrived;
}

void scan_live_survey(scan_job *j, const rs_survey_news *n)
{
    scan_live *v = j->live;
    if (!v) return;
    /* Lines of the session that are read once more: they have no latency, and their time is not theirs. */
    const bool replay = n->latency <= 0, known = replay && n->arrived <= v->most;
    post_rows(v, n);
    if (n->replayed) return;
    const rs_board_scan scan = {.row = n->line,
                                .arrived = n->arrived,
                                .lost = n->lost,
                                .waiting = n->waiting,
                                .pauses = n->pauses,
                                .lag = n->map.lag,
                                .latency = n->latency,
                                .score = n->score,
                                .uncertainty = rs_survey_uncertainty(n),
                                .time = replay ? (double)NAN : rs_os_monotonic(),
                                .entry = known    ? RS_BOARD_NO_ENTRY
                                         : replay ? RS_BOARD_ENTRY_IF_MORE
                                                  : RS_BOARD_ENTRY,
                                .alarm = n->alarm,
                                .fault = n->fault};
    rs_board_line(v->board, &scan);
    const int left = n->rows - n->arrived - n->lost;
    rs_board_left(v->board, v->line_rate > 0 ? left / v->line_rate : (double)NAN);
}

void scan_live_measure(scan_job *j, const rs_measure_news *n)
{
    if (j->live) rs_board_loop(j->live->board, n->index, n->point, n->loop);
}

void scan_live_walls(scan_job *j, const rs_choice *choice)
{
    const rs_board_test none = {.p = NAN};
    if (j->live) rs_board_walls(j->live->board, choice->walls, choice->families, &none, &none);
}
