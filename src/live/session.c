#include "live/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct rs_session_board {
    rs_board *board;
    rs_session *session;
    const rs_session_setup *setup;
    rs_session_progress progress;
    float *map[RS_SESSION_MAPS]; /* [rows,cols] */
    uint8_t *state, *was;        /* [rows] */
    rs_session_arrival *arrival; /* [rows] */
    rs_session_processed *done;  /* [rows] */
    int *order;                  /* [2 rows]: rows as they came; retraces count, too */
    int posted;                  /* lines */
    int points, events;          /* posted */
    uint8_t *loop;               /* [points]: its state when it was posted */
    double variance; /* sum over the rows of the lines that were posted, of their means */
    int variances;
};

void rs_session_board_free(rs_session_board *v)
{
    if (!v) return;
    for (int m = 0; m < RS_SESSION_MAPS; m++) rs_free(v->map[m]);
    rs_free(v->state);
    rs_free(v->was);
    rs_free(v->arrival);
    rs_free(v->done);
    rs_free(v->order);
    rs_free(v->loop);
    rs_free(v);
}

bool rs_session_board_live(const rs_session_board *v)
{
    return v->progress.live && !v->progress.complete;
}

static reshed_status make(rs_session_board *v, reshed_error *err)
{
    const size_t h = (size_t)v->setup->frame.rows, n = h * (size_t)v->setup->frame.cols;
    bool ok = true;
    for (int m = 0; m < RS_SESSION_MAPS; m++) {
        ok &= (v->map[m] = rs_alloc(n, sizeof(float))) != NULL;
        for (size_t i = 0; v->map[m] && i < n; i++) v->map[m][i] = NAN;
    }
    ok &= (v->state = rs_zalloc(h, 1)) != NULL;
    ok &= (v->was = rs_zalloc(h, 1)) != NULL;
    ok &= (v->arrival = rs_zalloc(h, sizeof *v->arrival)) != NULL;
    ok &= (v->done = rs_zalloc(h, sizeof *v->done)) != NULL;
    ok &= (v->order = rs_zalloc(2 * h, sizeof *v->order)) != NULL;
    return ok ? RESHED_OK : rs_fail_nomem(err, "the maps of a session", n * sizeof(float));
}

/* ----------------------------------------------------------------------------------------- rows */

/* A row whose map is final does not change any more, unless it is scanned again, which makes it provisional. */
static bool is_wanted(const rs_session_board *v, int y)
{
    return v->state[y] != v->was[y] || v->state[y] != RS_SESSION_FINAL;
}

/* Rows of which something is there: states are of the network alone. */
static bool is_there(const rs_session_board *v, int y)
{
    return v->state[y] != RS_SESSION_UNSCANNED || v->arrival[y].state == RS_SESSION_ARRIVED;
}

static reshed_status read_rows(rs_session_board *v, reshed_error *err)
{
    const int rows = v->setup->frame.rows;
    reshed_status st = RESHED_OK;
    for (int y = 0, from = 0; st == RESHED_OK && y <= rows; y++) {
        if (y < rows && is_there(v, y) && is_wanted(v, y)) continue;
        for (int m = 0; st == RESHED_OK && m < RS_SESSION_MAPS && y > from; m++)
            st = rs_session_read_map(v->session, (rs_session_map)m, from, y - from,
                                     v->map[m] + (size_t)from * (size_t)v->setup->frame.cols, err);
        from = y + 1;
    }
    return st;
}

static bool has_values(const rs_session_board *v, int map)
{
    const size_t n = (size_t)v->setup->frame.rows * (size_t)v->setup->frame.cols;
    for (size_t i = 0; i < n; i++)
        if (!isnan(v->map[map][i])) return true;
    return false;
}

static void post_rows(rs_session_board *v)
{
    const float *map[RS_SESSION_MAPS];
    for (int m = 0; m < RS_SESSION_MAPS; m++) map[m] = v->map[m];
    if (!v->setup->caps.bins && !has_values(v, RS_SESSION_PHASE)) map[RS_SESSION_PHASE] = NULL;
    uint8_t *shown = v->was; /* holds the states from now on */
    for (int y = 0; y < v->setup->frame.rows; y++) {
        shown[y] = v->state[y];
        if (shown[y] == RS_SESSION_UNSCANNED && is_there(v, y)) shown[y] = RS_SESSION_STALE;
    }
    rs_board_rows(v->board, map, shown, true);
    memcpy(v->was, v->state, (size_t)v->setup->frame.rows);
}

/* ---------------------------------------------------------------------------------------- lines */

/* Rows in the order in which they came; returns how many. */
static int sort_arrivals(rs_session_board *v)
{
    const int rows = v->setup->frame.rows, room = 2 * rows;
    int n = 0;
    for (int k = 0; k < room; k++) v->order[k] = -1;
    for (int y = 0; y < rows; y++) {
        const int k = v->arrival[y].order;
        if (v->arrival[y].state == RS_SESSION_ARRIVED && k >= 0 && k < room) v->order[k] = y;
    }
    for (int k = 0; k < room; k++)
        if (v->order[k] >= 0) v->order[n++] = v->order[k];
    return n;
}

static void add_variance(rs_session_board *v, int y)
{
    const size_t w = (size_t)v->setup->frame.cols;
    const float *row = v->map[RS_SESSION_VARIANCE] + (size_t)y * w;
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < w; i++)
        if (!isnan(row[i])) {
            sum += (double)row[i];
            n++;
        }
    if (n == 0) return;
    v->variance += sum / (double)n;
    v->variances++;
}

/* Entries of the lines that have come; the uncertainty of each is that of the rows so far, as they are now. */
static void post_lines(rs_session_board *v)
{
    const int n = sort_arrivals(v);
    for (int k = v->posted; k < n; k++) {
        const int y = v->order[k];
        const rs_session_processed *d = &v->done[y];
        add_variance(v, y);
        const rs_board_scan s = {
            .row = y,
            .arrived = k + 1,
            .lost = v->progress.lost,
            .lag = d->lag > 0 ? d->lag : 0,
            .latency = d->latency >= 0 ? d->latency : NAN,
            .score = d->score,
            .alarm = d->alarm > 0,
            .uncertainty = v->variances ? v->variance / v->variances : NAN,
            .time = v->arrival[y].acquired,
        };
        rs_board_line(v->board, &s);
    }
    if (n > v->posted) v->posted = n;
}

/* --------------------------------------------------------------------------------------- points */

static reshed_status post_all_points(rs_session_board *v, reshed_error *err)
{
    const int n = v->progress.points;
    rs_session_point *p = rs_alloc((size_t)n + 1, sizeof *p);
    rs_free(v->loop);
    v->points = 0;
    v->loop = rs_zalloc((size_t)n + 1, 1);
    reshed_status st = p && v->loop ? rs_session_read_points(v->session, 0, n, p, err)
                                    : rs_fail_nomem(err, "points", (size_t)n * sizeof *p);
    if (st == RESHED_OK) st = rs_board_points(v->board, p, n, err);
    if (st == RESHED_OK) v->points = n;
    rs_free(p);
    return st;
}

static reshed_status post_loop(rs_session_board *v, int k, rs_session_loop *loop, reshed_error *err)
{
    rs_session_point p;
    reshed_status st = rs_session_read_points(v->session, k, 1, &p, err);
    if (st != RESHED_OK || p.state == v->loop[k]) return st;
    const bool measured = p.state == RS_SESSION_MEASURED;
    if (measured) st = rs_session_read_loop(v->session, RS_SESSION_POINTS, k, loop, err);
    if (st != RESHED_OK) return st;
    const int flags = v->setup->metrics - 1;
    /* The spectrum is there before what is made of it. */
    if (measured && rs_session_board_live(v) && flags >= 0) {
        bool any = false;
        for (int m = 0; m < v->setup->metrics; m++) any |= !isnan(loop->metric[m]);
        if (!any) return st;
    }
    v->loop[k] = (uint8_t)p.state;
    rs_board_loop(v->board, k, &p, measured ? loop : NULL);
    return st;
}

static reshed_status post_points(rs_session_board *v, reshed_error *err)
{
    const size_t steps = (size_t)v->setup->spectroscopy.steps * 2;
    double metric[RS_SESSION_MAX_METRICS];
    reshed_status st = RESHED_OK;
    if (v->progress.points != v->points) st = post_all_points(v, err);
    if (st != RESHED_OK || steps == 0) return st;
    float *response = rs_alloc(steps, sizeof *response);
    if (!response) return rs_fail_nomem(err, "a loop", steps * sizeof *response);
    rs_session_loop loop = {.response = response, .metric = metric};
    for (int k = 0; st == RESHED_OK && k < v->points; k++)
        if (v->loop[k] == RS_SESSION_PENDING) st = post_loop(v, k, &loop, err);
    rs_free(response);
    return st;
}

/* ------------------------------------------------------------------------------------ all of it */

static reshed_status post_events(rs_session_board *v, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    for (; st == RESHED_OK && v->events < v->progress.events; v->events++) {
        rs_session_event e;
        st = rs_session_read_events(v->session, v->events, 1, &e, err);
        if (st == RESHED_OK) rs_board_log(v->board, e.time, e.level, e.text);
    }
    return st;
}

static void post_run(const rs_session_board *v)
{
    const rs_session_progress *p = &v->progress;
    if (p->complete)
        rs_board_run(v->board, RS_BOARD_DONE, false, "complete");
    else if (!p->live)
        rs_board_run(v->board, RS_BOARD_STOPPED, false, "interrupted: it can be resumed");
    else if (p->points > 0)
        rs_board_run(v->board, RS_BOARD_LOOPS, false, "another program measures");
    else
        rs_board_run(v->board, RS_BOARD_SURVEY, false, "another program scans");
}

static reshed_status post(rs_session_board *v, reshed_error *err)
{
    const int rows = v->setup->frame.rows;
    reshed_status st = rs_session_get_progress(v->session, &v->progress, err);
    if (st == RESHED_OK) st = rs_session_read_arrivals(v->session, false, v->arrival, err);
    if (st == RESHED_OK) st = rs_session_read_processed(v->session, v->done, err);
    if (st == RESHED_OK) st = rs_session_read_states(v->session, 0, rows, v->state, err);
    if (st == RESHED_OK) st = read_rows(v, err);
    if (st != RESHED_OK) return st;
    post_rows(v);
    post_lines(v);
    st = post_points(v, err);
    if (st == RESHED_OK) st = post_events(v, err);
    if (st == RESHED_OK) post_run(v);
    return st;
}

reshed_status rs_session_board_open(rs_board *board, rs_session *session, const char *name,
                                    const char *program, rs_session_board **out, reshed_error *err)
{
    rs_session_board *v = rs_zalloc(1, sizeof *v);
    if (!v) return rs_fail_nomem(err, "a session's board", sizeof *v);
    v->board = board;
    v->session = session;
    v->setup = rs_session_get_setup(session);
    reshed_status st = rs_session_get_progress(session, &v->progress, err);
    const rs_board_source source = {.kind = "session",
                                    .name = name,
                                    .program = program,
                                    .writing = rs_session_board_live(v),
                                    .threshold = NAN};
    if (st == RESHED_OK) st = make(v, err);
    if (st == RESHED_OK) st = rs_board_begin(board, &source, v->setup, err);
    if (st == RESHED_OK) st = post(v, err);
    if (st == RESHED_OK)
        *out = v;
    else
        rs_session_board_free(v);
    return st;
}

reshed_status rs_session_board_update(rs_session_board *v, reshed_error *err)
{
    const reshed_status st = rs_session_refresh(v->session, err);
    return st == RESHED_OK ? post(v, err) : st;
}
