#include "live/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

typedef struct arrived_row {
    int order, row;
} arrived_row;

struct rs_session_board {
    rs_board *board;
    rs_session *session;
    const rs_session_setup *setup;
    rs_session_progress progress;
    float *map[RS_SESSION_MAPS]; /* [rows,cols] */
    uint8_t *state, *was;        /* [rows] */
    uint8_t *shown;              /* [rows] */
    rs_session_arrival *arrival; /* [rows] */
    int *was_order;              /* [rows]: of the arrival when the maps were read; -1: none */
    rs_session_processed *done, *was_done; /* [rows] */
    bool over;                             /* as posted */
    bool again;                            /* rows were scanned again */
    arrived_row *came;                     /* [rows]: room for those that came since */
    int order;                             /* of the latest line that was posted; -1: none */
    rs_board_scan scan;                    /* as posted */
    int points, events;                    /* posted */
    double event_time, elapsed;            /* of the latest event; as posted */
    uint8_t *loop;                         /* [points]: its state when it was posted */
    double *mean;    /* [rows]: of the variance, as it counts in the sum; NaN: it does not */
    double variance; /* sum of mean */
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
    rs_free(v->shown);
    rs_free(v->was_order);
    rs_free(v->was_done);
    rs_free(v->came);
    rs_free(v->mean);
    rs_free(v->loop);
    rs_free(v);
}

bool rs_session_board_live(const rs_session_board *v)
{
    return v->progress.live && !v->progress.complete;
}

bool rs_session_board_complete(const rs_session_board *v)
{
    return v->progress.complete;
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
    ok &= (v->shown = rs_zalloc(h, 1)) != NULL;
    ok &= (v->was_order = rs_alloc(h, sizeof *v->was_order)) != NULL;
    ok &= (v->was_done = rs_zalloc(h, sizeof *v->was_done)) != NULL;
    ok &= (v->came = rs_zalloc(h, sizeof *v->came)) != NULL;
    ok &= (v->mean = rs_alloc(h, sizeof *v->mean)) != NULL;
    for (size_t y = 0; ok && y < h; y++) {
        v->was_order[y] = -1;
        v->mean[y] = NAN;
    }
    v->order = -1;
    v->scan = (rs_board_scan){.row = -1, .latency = NAN, .score = NAN, .uncertainty = NAN};
    return ok ? RESHED_OK : rs_fail_nomem(err, "the maps of a session", n * sizeof(float));
}

/* ----------------------------------------------------------------------------------------- rows */

static bool differ(double a, double b)
{
    return isnan(a) ? !isnan(b) : a != b;
}

static bool is_processed_anew(const rs_session_board *v, int y)
{
    const rs_session_processed *a = &v->done[y], *b = &v->was_done[y];
    return differ(a->latency, b->latency) || differ(a->inference, b->inference) ||
           differ(a->score, b->score) || a->lag != b->lag;
}

/* A row whose map is final changes only when it is scanned again. That may begin and end between two looks: then
 * only its place among the arrivals tells. */
static bool is_wanted(const rs_session_board *v, int y)
{
    return v->state[y] != v->was[y] || v->state[y] != RS_SESSION_FINAL ||
           v->arrival[y].order != v->was_order[y] || is_processed_anew(v, y);
}

/* Rows of which something is there: states are of the network alone. */
static bool is_there(const rs_session_board *v, int y)
{
    return v->state[y] != RS_SESSION_UNSCANNED || v->arrival[y].state == RS_SESSION_ARRIVED;
}

/* Lines that are scanned again change final rows around them, too, and nothing tells which. Hence after that all
 * are read once more, at each change of the file that finds all of them final. */
static bool is_all_wanted(rs_session_board *v)
{
    bool changed = v->events != v->progress.events || !rs_session_board_live(v);
    bool final = true;
    for (int y = 0; y < v->setup->frame.rows; y++) {
        v->again |= v->was_order[y] >= 0 && v->arrival[y].order != v->was_order[y];
        final &= !is_there(v, y) || v->state[y] == RS_SESSION_FINAL;
        changed |= is_wanted(v, y);
    }
    return v->again && changed && (final || !rs_session_board_live(v));
}

/* Sets *again when final rows were read that had been final before. */
static reshed_status read_rows(rs_session_board *v, bool *again, reshed_error *err)
{
    const int rows = v->setup->frame.rows;
    const bool all = is_all_wanted(v);
    reshed_status st = RESHED_OK;
    *again = false;
    for (int y = 0, from = 0; st == RESHED_OK && y <= rows; y++) {
        if (y < rows && is_there(v, y) && (all || is_wanted(v, y))) {
            *again |= v->state[y] == RS_SESSION_FINAL && v->was[y] == RS_SESSION_FINAL;
            continue;
        }
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

static void post_rows(rs_session_board *v, bool again)
{
    const float *map[RS_SESSION_MAPS];
    const size_t rows = (size_t)v->setup->frame.rows;
    for (int m = 0; m < RS_SESSION_MAPS; m++) map[m] = v->map[m];
    if (!v->setup->caps.bins && !has_values(v, RS_SESSION_PHASE)) map[RS_SESSION_PHASE] = NULL;
    for (size_t y = 0; y < rows; y++) {
        v->shown[y] = v->state[y];
        if (v->shown[y] == RS_SESSION_UNSCANNED && is_there(v, (int)y))
            v->shown[y] = RS_SESSION_STALE;
        v->was_order[y] = v->arrival[y].order;
    }
    rs_board_rows(v->board, map, v->shown, again);
    memcpy(v->was, v->state, rows);
    memcpy(v->was_done, v->done, rows * sizeof *v->done);
}

/* ---------------------------------------------------------------------------------------- lines */

static int by_order(const void *a, const void *b)
{
    const int x = ((const arrived_row *)a)->order, y = ((const arrived_row *)b)->order;
    return (x > y) - (x < y);
}

/* Rows that came after those that were posted, in that order, into came; returns how many. *all: rows that came. */
static int sort_arrivals(rs_session_board *v, int *all)
{
    int n = 0;
    *all = 0;
    for (int y = 0; y < v->setup->frame.rows; y++) {
        const rs_session_arrival *a = &v->arrival[y];
        if (a->state != RS_SESSION_ARRIVED) continue;
        ++*all;
        if (a->order > v->order) v->came[n++] = (arrived_row){a->order, y};
    }
    if (n > 0) qsort(v->came, (size_t)n, sizeof *v->came, by_order);
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
    if (isnan(v->mean[y]))
        v->variances++;
    else
        v->variance -= v->mean[y];
    v->mean[y] = sum / (double)n;
    v->variance += v->mean[y];
}

static bool is_processed(const rs_session_board *v, int y)
{
    return v->done[y].latency >= 0;
}

/* Entries of the lines that have come; the uncertainty of each is that of the rows so far, as they are now. What is
 * still on its way through the network is an entry later, with its score, and moves the front at once. */
static void post_lines(rs_session_board *v)
{
    int all;
    const int n = sort_arrivals(v, &all);
    int known = n;
    while (rs_session_board_live(v) && known > 0 && !is_processed(v, v->came[known - 1].row))
        known--;
    for (int k = 0; k < n; k++) {
        const int y = v->came[k].row;
        const rs_session_processed *d = &v->done[y];
        rs_board_scan *s = &v->scan;
        s->row = y;
        s->arrived = all - n + k + 1;
        s->time = v->arrival[y].acquired;
        s->entry = k < known ? RS_BOARD_ENTRY : RS_BOARD_NO_ENTRY;
        if (k < known) {
            add_variance(v, y);
            s->lag = d->lag > 0 ? d->lag : 0;
            s->latency = d->latency >= 0 ? d->latency : NAN;
            s->score = d->score;
            s->alarm = d->alarm > 0;
            s->uncertainty = v->variances ? v->variance / v->variances : NAN;
            v->order = v->came[k].order;
        } else if (k + 1 < n) {
            continue;
        }
        s->lost = v->progress.lost;
        rs_board_line(v->board, s);
    }
    if (n > 0 || v->scan.lost == v->progress.lost) return;
    v->scan.lost = v->progress.lost;
    v->scan.entry = RS_BOARD_NO_ENTRY;
    rs_board_line(v->board, &v->scan);
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
        if (st != RESHED_OK) break;
        rs_board_log(v->board, e.time, e.level, e.text);
        v->event_time = fmax(v->event_time, e.time);
    }
    return st;
}

/* The run's own time, as its records have it: a viewer that comes late shows how long the run took. */
static void post_elapsed(rs_session_board *v)
{
    double latest = v->event_time;
    for (int y = 0; y < v->setup->frame.rows; y++)
        if (v->arrival[y].state != RS_SESSION_MISSING)
            latest = fmax(latest, v->arrival[y].acquired);
    if (latest > v->elapsed) rs_board_elapsed(v->board, v->elapsed = latest);
}

static void post_run(rs_session_board *v)
{
    const rs_session_progress *p = &v->progress;
    post_elapsed(v);
    const bool over = p->complete || !p->live;
    if (over && v->over) return; /* viewers have been told of the end */
    v->over = over;
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
    bool again = false;
    reshed_status st = rs_session_get_progress(v->session, &v->progress, err);
    if (st == RESHED_OK) st = rs_session_read_arrivals(v->session, false, v->arrival, err);
    if (st == RESHED_OK) st = rs_session_read_processed(v->session, v->done, err);
    if (st == RESHED_OK) st = rs_session_read_states(v->session, 0, rows, v->state, err);
    if (st == RESHED_OK) st = read_rows(v, &again, err);
    if (st != RESHED_OK) return st;
    post_rows(v, again);
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
