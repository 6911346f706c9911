#include "spm/scan/acquire.h"

#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/thread.h"

/* s: the driver's answer to a simple request. */
#define CALL 10.0

struct rs_acquire {
    rs_instrument *instrument;
    rs_frame frame;
    rs_acquire_options options;
    rs_monitor *lock;
    rs_thread *thread;

    /* under the lock */
    rs_arrived *item; /* [queue]; owned */
    rs_arrived **full, **free_;
    int n_full, n_free, pauses;
    bool stop, halted;
    bool hold, holding; /* wanted, and reached */
    rs_acquire_state state;
    rs_outcome outcome;

    /* the thread's own */
    int next_row; /* the next trace row to come */
    int left;     /* lines of the frame still to come */
    double last;  /* when something came */
    bool paused;
};

static void fail(rs_acquire *a, rs_driver_status status, const reshed_error *err)
{
    rs_monitor_enter(a->lock);
    if (a->halted) { /* it was asked for */
        a->state = RS_ACQUIRE_STOPPED;
        a->outcome = rs_outcome_of(RS_END_INTERRUPTED);
    } else {
        a->state = RS_ACQUIRE_FAILED;
        a->outcome = rs_outcome_driver(status, err);
    }
    rs_monitor_notify(a->lock);
    rs_monitor_leave(a->lock);
}

static void end(rs_acquire *a, rs_acquire_state state)
{
    rs_monitor_enter(a->lock);
    a->state = state;
    if (state == RS_ACQUIRE_STOPPED) a->outcome = rs_outcome_of(RS_END_INTERRUPTED);
    rs_monitor_notify(a->lock);
    rs_monitor_leave(a->lock);
}

static void put(rs_acquire *a, rs_arrived *it)
{
    const rs_frame *f = &a->frame;
    it->acquired = a->last = rs_os_monotonic();
    a->left--;
    a->next_row = f->upward ? it->line.row - 1 : it->line.row + 1;
    rs_monitor_enter(a->lock);
    a->full[a->n_full++] = it;
    rs_monitor_notify(a->lock);
    rs_monitor_leave(a->lock);
}

/* An empty line, or NULL when the reader has all of them; *stop: the scan is to end. */
static rs_arrived *get_free(rs_acquire *a, int *room, bool *stop, bool *hold)
{
    rs_arrived *it = NULL;
    rs_monitor_enter(a->lock);
    *room = a->n_free;
    *stop = a->stop;
    *hold = a->hold;
    if (a->n_free > 0) it = a->free_[--a->n_free];
    rs_monitor_leave(a->lock);
    return it;
}

static void return_free(rs_acquire *a, rs_arrived *it)
{
    rs_monitor_enter(a->lock);
    a->free_[a->n_free++] = it;
    rs_monitor_leave(a->lock);
}

/* Waits until half of the queue is free, or for the order to stop; standing, also until nobody holds the scan. */
static bool wait_room(rs_acquire *a, bool standing)
{
    rs_monitor_enter(a->lock);
    while (!a->stop && ((standing && a->hold) || 2 * a->n_free < a->options.queue)) {
        a->holding = standing && a->hold;
        rs_monitor_wait(a->lock, 0.5);
    }
    a->holding = false;
    const bool go_on = !a->stop;
    rs_monitor_leave(a->lock);
    return go_on;
}

static rs_driver_status pause_scan(rs_acquire *a, bool full, reshed_error *err)
{
    if (a->paused) return RS_DRIVER_OK;
    const rs_driver_status st = rs_instrument_pause(a->instrument, CALL, err);
    if (st == RS_DRIVER_OK) {
        a->paused = true;
        rs_monitor_enter(a->lock);
        a->pauses += full;
        rs_monitor_leave(a->lock);
    }
    return st == RS_DRIVER_RETRY ? RS_DRIVER_OK : st;
}

/* The driver has no more lines for now. False when the thread is to end. */
static bool after_last(rs_acquire *a, bool stop, const reshed_error *why)
{
    reshed_error err = {0};
    if (stop) {
        end(a, RS_ACQUIRE_STOPPED);
        return false;
    }
    if (!a->paused) { /* it says that the frame is over, but lines are missing */
        fail(a, RS_DRIVER_REFUSED, why);
        return false;
    }
    if (!wait_room(a, true)) return true; /* comes back with stop */
    rs_driver_status st = rs_instrument_start(a->instrument, a->next_row, CALL, &err);
    if (st != RS_DRIVER_OK && st != RS_DRIVER_RETRY) {
        fail(a, st, &err);
        return false;
    }
    if (st == RS_DRIVER_OK) a->paused = false;
    a->last = rs_os_monotonic();
    return true;
}

/* All lines are there: what follows moves the tip, so the scan must have ended. */
static void finish(rs_acquire *a)
{
    reshed_error err = {0};
    const rs_driver_status st = rs_instrument_pause(a->instrument, CALL, &err);
    if (st == RS_DRIVER_OK || st == RS_DRIVER_REFUSED) /* REFUSED: there is nothing to pause */
        end(a, RS_ACQUIRE_DONE);
    else
        fail(a, st, &err);
}

static void run(void *ctx)
{
    rs_acquire *a = ctx;
    a->last = rs_os_monotonic();
    while (a->left > 0) {
        reshed_error err = {0};
        int room;
        bool stop, hold;
        rs_arrived *it = get_free(a, &room, &stop, &hold);
        if (room <= 2 || stop || hold) {
            const rs_driver_status st = pause_scan(a, !stop && !hold, &err);
            if (st != RS_DRIVER_OK) {
                if (it) return_free(a, it);
                fail(a, st, &err);
                return;
            }
        }
        if (!it) {
            wait_room(a, false);
            a->last = rs_os_monotonic(); /* the reader's delay is not the instrument's */
            continue;
        }
        it->lost = false;
        it->line.cols = a->frame.cols;
        it->line.bins = rs_instrument_caps(a->instrument)->bins;
        it->line.channels = rs_instrument_caps(a->instrument)->channels;
        const rs_wait wait = {
            .poll = a->options.poll, .since = a->last, .within = a->options.line_timeout};
        const rs_driver_status st = rs_instrument_next_line(a->instrument, &wait, &it->line, &err);
        if (st == RS_DRIVER_OK || st == RS_DRIVER_LOST_LINE) {
            it->lost = st == RS_DRIVER_LOST_LINE;
            put(a, it);
            continue;
        }
        return_free(a, it);
        if (st == RS_DRIVER_REFUSED) {
            if (!after_last(a, stop, &err)) return;
        } else if (st == RS_DRIVER_RETRY) {
            if (stop && a->paused && rs_os_monotonic() - a->last > 2) {
                end(a, RS_ACQUIRE_STOPPED);
                return;
            }
        } else {
            fail(a, st, &err);
            return;
        }
    }
    finish(a);
}

static reshed_status make_queue(rs_acquire *a, reshed_error *err)
{
    const size_t n = (size_t)a->options.queue, w = (size_t)a->frame.cols;
    const size_t bins = (size_t)rs_instrument_caps(a->instrument)->bins,
                 channels = (size_t)rs_instrument_caps(a->instrument)->channels;
    a->item = rs_zalloc(n, sizeof *a->item);
    a->full = rs_zalloc(n, sizeof *a->full);
    a->free_ = rs_zalloc(n, sizeof *a->free_);
    if (!a->item || !a->full || !a->free_)
        return rs_fail_nomem(err, "a queue", n * sizeof *a->item);
    for (size_t i = 0; i < n; i++) {
        rs_line *l = &a->item[i].line;
        if (channels) l->channel = rs_alloc(channels * w, sizeof *l->channel);
        if (bins) l->spectra = rs_alloc(2 * bins * w, sizeof *l->spectra);
        if (bins) l->frequency = rs_alloc(bins, sizeof *l->frequency);
        if ((channels && !l->channel) || (bins && (!l->spectra || !l->frequency)))
            return rs_fail_nomem(err, "lines on their way",
                                 n * w * (channels + 2 * bins) * sizeof(float));
        a->free_[a->n_free++] = &a->item[i];
    }
    return rs_monitor_make(&a->lock, err);
}

rs_outcome rs_acquire_start(rs_instrument *instrument, const rs_frame *frame, int first_row,
                            const rs_acquire_options *options, rs_acquire **out)
{
    rs_acquire *a = rs_zalloc(1, sizeof *a);
    reshed_error err = {0};
    if (!a) return rs_outcome_status(rs_fail_nomem(&err, "a scan", sizeof *a), &err);
    a->instrument = instrument;
    a->frame = *frame;
    a->options = *options;
    a->next_row = first_row;
    a->left = frame->upward ? first_row + 1 : frame->rows - first_row;
    if (rs_instrument_caps(instrument)->retrace) a->left *= 2;
    rs_outcome o = rs_outcome_status(make_queue(a, &err), &err);
    if (o.end == RS_END_DONE)
        o = rs_outcome_driver(rs_instrument_start(instrument, first_row, CALL, &err), &err);
    if (o.end == RS_END_DONE) {
        o = rs_outcome_status(rs_thread_start(run, a, &a->thread, &err), &err);
        if (o.end != RS_END_DONE) rs_instrument_pause(instrument, CALL, NULL);
    }
    if (o.end == RS_END_DONE)
        *out = a;
    else
        rs_acquire_end(a);
    return o;
}

rs_arrived *rs_acquire_take(rs_acquire *a, double seconds)
{
    const double until = rs_os_monotonic() + seconds;
    rs_arrived *it = NULL;
    rs_monitor_enter(a->lock);
    for (double left = seconds; a->n_full == 0 && a->state == RS_ACQUIRE_RUNNING && left > 0;
         left = until - rs_os_monotonic())
        rs_monitor_wait(a->lock, left);
    if (a->n_full > 0) {
        it = a->full[0];
        memmove(a->full, a->full + 1, (size_t)--a->n_full * sizeof *a->full);
    }
    rs_monitor_leave(a->lock);
    return it;
}

void rs_acquire_give_back(rs_acquire *a, rs_arrived *line)
{
    rs_monitor_enter(a->lock);
    a->free_[a->n_free++] = line;
    rs_monitor_notify(a->lock);
    rs_monitor_leave(a->lock);
}

rs_acquire_state rs_acquire_ask(rs_acquire *a, int *waiting, int *pauses, rs_outcome *outcome)
{
    rs_monitor_enter(a->lock);
    const rs_acquire_state state = a->state;
    if (waiting) *waiting = a->n_full;
    if (pauses) *pauses = a->pauses;
    if (outcome) *outcome = a->outcome;
    rs_monitor_leave(a->lock);
    return state;
}

void rs_acquire_stop(rs_acquire *a)
{
    rs_monitor_enter(a->lock);
    a->stop = true;
    rs_monitor_notify(a->lock);
    rs_monitor_leave(a->lock);
}

void rs_acquire_hold(rs_acquire *a, bool hold)
{
    rs_monitor_enter(a->lock);
    a->hold = hold;
    rs_monitor_notify(a->lock);
    rs_monitor_leave(a->lock);
}

bool rs_acquire_is_held(rs_acquire *a)
{
    rs_monitor_enter(a->lock);
    const bool held = a->hold && a->holding && a->n_full == 0;
    rs_monitor_leave(a->lock);
    return held;
}

void rs_acquire_halt(rs_acquire *a)
{
    reshed_error ignored = {0};
    rs_monitor_enter(a->lock);
    const bool again = a->halted;
    a->stop = a->halted = true;
    rs_monitor_notify(a->lock);
    rs_monitor_leave(a->lock);
    if (!again) rs_instrument_halt(a->instrument, CALL, &ignored);
}

void rs_acquire_end(rs_acquire *a)
{
    if (!a) return;
    if (a->thread) {
        rs_acquire_stop(a);
        rs_thread_join(a->thread);
    }
    for (int i = 0; a->item && i < a->options.queue; i++) {
        rs_free(a->item[i].line.channel);
        rs_free(a->item[i].line.spectra);
        rs_free(a->item[i].line.frequency);
    }
    rs_free(a->item);
    rs_free(a->full);
    rs_free(a->free_);
    rs_monitor_free(a->lock);
    rs_free(a);
}
