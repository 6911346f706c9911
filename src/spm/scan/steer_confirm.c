/* Points that wait for a yes, and how a person changes them. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "imgproc/walls/route.h"
#include "spm/scan/measure.h"
#include "spm/scan/steer.h"

/* s between two looks at whether to stop. */
#define LOOK 0.2

#define EDITS                                                                                      \
    (RS_STEER(RS_ORDER_CONFIRM) | RS_STEER(RS_ORDER_REMOVE) | RS_STEER(RS_ORDER_ADD) |             \
     RS_STEER(RS_ORDER_MOVE) | RS_STEER(RS_ORDER_THIN) | RS_STEER(RS_ORDER_ROUTE))

typedef struct edit {
    const rs_scan_context *c;
    const rs_choice *choice;
    const rs_frame *frame;
    rs_session_point **points;
    int *n;
    int most;
    double since, until; /* rs_os_monotonic: of the latest order, and when the wait is over */
} edit;

/* The wait counts from here. */
static void begin_wait(edit *e)
{
    const double limit = e->c->helm->wait_limit;
    e->since = rs_os_monotonic();
    e->until = limit > 0 ? e->since + limit : (double)NAN;
}

/* What the points cost, and how long they wait, to the helm. */
static void show_cost(const edit *e)
{
    const rs_session_setup *setup = rs_session_get_setup(e->c->session);
    const rs_helm *h = e->c->helm;
    const double clock = rs_instrument_caps(e->c->instrument)->clock_rate;
    const rs_durations t = rs_measure_planned(e->c->instrument, e->c->settings, *e->n);
    const double seconds = rs_durations_of_points(&t, e->c->settings, 0, *e->n);
    h->cost(h->ctx, *e->n, isfinite(clock) && clock > 0 ? seconds / clock : 0,
            (double)setup->spectroscopy.steps * *e->n, e->until);
}

static void show(const edit *e)
{
    const rs_helm *h = e->c->helm;
    h->points(h->ctx, *e->points, *e->n);
    show_cost(e);
}

/* Puts *p there, one of the list or a new one. */
static reshed_status put_place(const edit *e, double row, double col, rs_session_point *p,
                               reshed_error *err)
{
    const rs_session_point before = *p;
    reshed_status st = rs_choose_place(e->frame, e->choice, row, col, *e->points, *e->n, p, err);
    if (st != RESHED_OK) return st;
    st = rs_limits_check_place(rs_instrument_limits(e->c->instrument), p->x, p->y, err);
    if (st != RESHED_OK) *p = before;
    return st;
}

static reshed_status add_point(const edit *e, const rs_order *o, reshed_error *err)
{
    rs_session_point p = {.measured_x = NAN, .measured_y = NAN, .time = NAN};
    const int n = *e->n;
    if (n >= e->most)
        return rs_fail(err, RESHED_EINVAL, "points|at most %d by max_points|%d", e->most, n + 1);
    reshed_status st = put_place(e, o->at, o->to, &p, err);
    if (st != RESHED_OK) return st;
    for (int i = 0; i < n; i++)
        p.target = (*e->points)[i].target >= p.target ? (*e->points)[i].target + 1 : p.target;
    rs_session_point *more = rs_alloc((size_t)n + 1, sizeof *more);
    if (!more) return rs_fail_nomem(err, "points", ((size_t)n + 1) * sizeof *more);
    if (n) memcpy(more, *e->points, (size_t)n * sizeof *more);
    more[n] = p;
    rs_free(*e->points);
    *e->points = more;
    *e->n = n + 1;
    return RESHED_OK;
}

static reshed_status check_indices(const edit *e, const rs_order *o, reshed_error *err)
{
    for (int i = 0; i < o->n; i++)
        if (o->index[i] >= *e->n)
            return rs_fail(err, RESHED_EINVAL, "index|below %d|%d", *e->n, o->index[i]);
    return RESHED_OK;
}

static reshed_status remove_points(const edit *e, const rs_order *o, reshed_error *err)
{
    rs_session_point *p = *e->points;
    int kept = 0;
    const reshed_status st = check_indices(e, o, err);
    if (st != RESHED_OK) return st;
    for (int i = 0; i < *e->n; i++) {
        bool leave = false;
        for (int k = 0; k < o->n; k++) leave |= o->index[k] == i;
        if (!leave) p[kept++] = p[i];
    }
    *e->n = kept;
    return RESHED_OK;
}

static reshed_status move_point(const edit *e, const rs_order *o, reshed_error *err)
{
    const reshed_status st = check_indices(e, o, err);
    if (st != RESHED_OK) return st;
    return put_place(e, o->at, o->to, &(*e->points)[o->index[0]], err);
}

/* The shortest way that is found, from the point that is first now. */
static reshed_status route(const edit *e, reshed_error *err)
{
    const size_t n = (size_t)*e->n;
    rs_session_point *p = *e->points, *was = rs_alloc(n + 1, sizeof *was);
    rs_xy *at = rs_alloc(n + 1, sizeof *at);
    int32_t *order = rs_alloc(n + 1, sizeof *order);
    reshed_status st = was && at && order ? RESHED_OK : rs_fail_nomem(err, "a route", n);
    for (size_t i = 0; st == RESHED_OK && i < n; i++) at[i] = (rs_xy){p[i].x, p[i].y};
    if (st == RESHED_OK && n > 1) st = rs_route_short(at, *e->n, &at[0], order, err);
    if (st == RESHED_OK && n > 1) {
        memcpy(was, p, n * sizeof *p);
        for (size_t i = 0; i < n; i++) p[i] = was[order[i]];
    }
    rs_free(was);
    rs_free(at);
    rs_free(order);
    return st;
}

static reshed_status carry_out(const edit *e, const rs_order *o, reshed_error *err)
{
    switch (o->kind) {
    case RS_ORDER_ADD: return add_point(e, o, err);
    case RS_ORDER_REMOVE: return remove_points(e, o, err);
    case RS_ORDER_MOVE: return move_point(e, o, err);
    case RS_ORDER_THIN: return rs_choose_thin(*e->points, *e->n, o->row, e->n, err);
    default: return route(e, err);
    }
}

/* Targets 0 ... n - 1, in the order of those that there are. */
static reshed_status number_targets(const edit *e, reshed_error *err)
{
    const int n = *e->n;
    rs_session_point *p = *e->points;
    int *rank = rs_zalloc((size_t)n + 1, sizeof *rank);
    if (!rank) return rs_fail_nomem(err, "points", (size_t)n * sizeof *rank);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++) rank[i] += p[k].target < p[i].target;
    for (int i = 0; i < n; i++) p[i].target = rank[i];
    rs_free(rank);
    return RESHED_OK;
}

/* True when the wait is over, with *out. */
static bool heed(edit *e, const rs_order *o, rs_outcome *out)
{
    reshed_error err = {0};
    char text[512];
    begin_wait(e);
    if (o->kind == RS_ORDER_CONFIRM) {
        const reshed_status st = o->yes ? number_targets(e, &err) : RESHED_OK;
        if (o->yes)
            rs_steer_answer(e->c, o, true, "%d points are measured", *e->n);
        else
            rs_steer_answer(e->c, o, true, "no point is measured");
        *out = !o->yes ? rs_outcome_of(RS_END_UNCONFIRMED) : rs_outcome_status(st, &err);
        return true;
    }
    if (carry_out(e, o, &err) == RESHED_OK) {
        show(e);
        rs_steer_answer(e->c, o, true, "%d points now", *e->n);
    } else {
        show_cost(e);
        rs_steer_answer(e->c, o, false, "%s", reshed_error_text(&err, text, sizeof text));
    }
    return false;
}

rs_outcome rs_steer_confirm(const rs_scan_context *c, const rs_choice *choice, int most,
                            rs_session_point **points, int *n)
{
    const rs_frame *frame = &rs_session_get_setup(c->session)->frame;
    edit e = {.c = c, .choice = choice, .frame = frame, .points = points, .n = n, .most = most};
    rs_outcome out = rs_outcome_of(RS_END_INTERRUPTED);
    bool over = false;
    rs_order *o = rs_zalloc(1, sizeof *o);
    reshed_error err = {0};
    if (!o) return rs_outcome_status(rs_fail_nomem(&err, "an order", sizeof *o), &err);
    rs_steer_phase(c, RS_HELM_CONFIRM, false, "points wait for a yes");
    begin_wait(&e);
    show(&e);
    while (!over && !rs_scan_interrupted(c) && !rs_steer_is_late(c, e.since, "points waited"))
        if (rs_steer_next(c, EDITS, LOOK, o)) over = heed(&e, o, &out);
    c->helm->cost(c->helm->ctx, -1, 0, 0, NAN);
    rs_free(o);
    return out;
}
