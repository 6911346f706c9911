#include "live/mailbox.h"

#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/thread.h"

/* Orders that were taken and not answered: some wait for the end of a line, or of what is computed. */
#define AT_WORK 64

struct rs_mailbox {
    rs_monitor *lock;
    rs_board *board;
    rs_order waiting[RS_MAILBOX_ROOM + 1]; /* oldest first; the last place is a stop's */
    int n;
    char at_work[AT_WORK][RS_BOARD_ID]; /* ids, oldest first */
    int works;
    bool stops, closed;
};

reshed_status rs_mailbox_create(rs_board *board, rs_mailbox **out, reshed_error *err)
{
    rs_mailbox *m = rs_zalloc(1, sizeof *m);
    if (!m) return rs_fail_nomem(err, "a mailbox", sizeof *m);
    m->board = board;
    const reshed_status st = rs_monitor_make(&m->lock, err);
    if (st == RESHED_OK)
        *out = m;
    else
        rs_free(m);
    return st;
}

void rs_mailbox_free(rs_mailbox *m)
{
    if (!m) return;
    rs_monitor_free(m->lock);
    rs_free(m);
}

/* Inside the lock. */
static bool is_under_way(const rs_mailbox *m, const char *id)
{
    bool known = false;
    for (int i = 0; i < m->works; i++) known |= strcmp(m->at_work[i], id) == 0;
    for (int i = 0; i < m->n; i++) known |= strcmp(m->waiting[i].id, id) == 0;
    return known;
}

/* Inside the lock. The first stop goes before the others and has a place of its own, so that it is answered
 * when it is carried out; one after it finds the halt under way. */
static void put_stop(rs_mailbox *m, const rs_order *order)
{
    if (m->stops) {
        rs_board_answer(m->board, order->id, true, "a halt is under way");
        return;
    }
    memmove(m->waiting + 1, m->waiting, (size_t)m->n++ * sizeof *m->waiting);
    m->waiting[0] = *order;
    m->stops = true;
}

rs_mailbox_put rs_mailbox_send(rs_mailbox *m, const rs_order *order)
{
    char what[RS_BOARD_TEXT];
    bool done;
    rs_mailbox_put put = RS_MAILBOX_PUT;
    rs_monitor_enter(m->lock);
    if (is_under_way(m, order->id) || rs_board_answered(m->board, order->id, &done, what))
        put = RS_MAILBOX_KNOWN;
    else if (m->closed)
        put = RS_MAILBOX_CLOSED;
    else if (order->kind == RS_ORDER_STOP)
        put_stop(m, order);
    else if (m->n >= RS_MAILBOX_ROOM)
        put = RS_MAILBOX_FULL;
    else
        m->waiting[m->n++] = *order;
    rs_monitor_notify(m->lock);
    rs_monitor_leave(m->lock);
    return put;
}

bool rs_mailbox_knows(rs_mailbox *m, const char *id)
{
    rs_monitor_enter(m->lock);
    const bool known = is_under_way(m, id);
    rs_monitor_leave(m->lock);
    return known;
}

bool rs_mailbox_wait(rs_mailbox *m, const char *id, double seconds, bool *done, char *what)
{
    const double until = rs_os_monotonic() + seconds;
    bool there;
    rs_monitor_enter(m->lock);
    for (double left = seconds;
         !(there = rs_board_answered(m->board, id, done, what)) && is_under_way(m, id) && left > 0;
         left = until - rs_os_monotonic())
        rs_monitor_wait(m->lock, left);
    rs_monitor_leave(m->lock);
    return there;
}

/* Inside the lock. */
static void end_work(rs_mailbox *m, int i)
{
    memmove(m->at_work[i], m->at_work[i + 1], (size_t)(--m->works - i) * sizeof *m->at_work);
}

bool rs_mailbox_take(rs_mailbox *m, double seconds, rs_order *out)
{
    const double until = rs_os_monotonic() + seconds;
    rs_monitor_enter(m->lock);
    for (double left = seconds; m->n == 0 && left > 0; left = until - rs_os_monotonic())
        rs_monitor_wait(m->lock, left);
    const bool there = m->n > 0;
    if (there) {
        *out = m->waiting[0];
        if (m->works == AT_WORK) end_work(m, 0);
        memcpy(m->at_work[m->works++], out->id, sizeof *m->at_work);
        memmove(m->waiting, m->waiting + 1, (size_t)--m->n * sizeof *m->waiting);
    }
    rs_monitor_leave(m->lock);
    return there;
}

void rs_mailbox_answer(rs_mailbox *m, const rs_order *order, bool done, const char *what)
{
    rs_monitor_enter(m->lock);
    rs_board_answer(m->board, order->id, done, what);
    for (int i = m->works - 1; i >= 0; i--)
        if (strcmp(m->at_work[i], order->id) == 0) end_work(m, i);
    rs_monitor_notify(m->lock);
    rs_monitor_leave(m->lock);
}

bool rs_mailbox_stops(rs_mailbox *m)
{
    rs_monitor_enter(m->lock);
    const bool stops = m->stops;
    rs_monitor_leave(m->lock);
    return stops;
}

void rs_mailbox_close(rs_mailbox *m)
{
    rs_monitor_enter(m->lock);
    m->closed = true;
    for (int i = 0; i < m->n; i++) {
        const bool stop = m->waiting[i].kind == RS_ORDER_STOP && m->stops;
        rs_board_answer(m->board, m->waiting[i].id, stop,
                        stop ? "the run is halted" : "the run is over");
    }
    for (int i = 0; i < m->works; i++)
        rs_board_answer(m->board, m->at_work[i], false, "the run is over");
    m->n = m->works = 0;
    rs_monitor_notify(m->lock);
    rs_monitor_leave(m->lock);
}
