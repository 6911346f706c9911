#include "spm/instrument/watch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/os/guard.h"
#include "base/thread.h"
#include "spm/instrument/drivers.h"
#include "spm/instrument/private.h"

#define HALT 10.0  /* s for a halt */
#define OFTEN 0.5  /* s: longest time between two looks */
#define DRAIN 0.05 /* s that a call has which was under way when the instrument was taken over */

struct rs_watch {
    const rs_driver_ops *ops;
    rs_os_library *library;
    const rs_driver_option *option;
    int options;
    rs_watch_told *told;
    void *ctx;
    rs_os_guard *guard; /* NULL: the driver has no rescue */

    rs_instrument *instrument;
    double seconds;
    rs_monitor *lock;
    rs_thread *thread;
    bool stop; /* under the lock */
    atomic_bool alone, told_alone;
};

/* --------------------------------------------------------------------------- the second process */

static void rescue(void *ctx, bool died)
{
    const rs_watch *w = ctx;
    reshed_error err = {0};
    const rs_driver_status st = w->ops->rescue(w->option, w->options, HALT, &err);
    if (w->told)
        w->told(w->ctx,
                died ? "the program has died" : "the program gave no sign of life and was killed",
                st, &err);
}

/* A table may be of a header that had no rescue yet. */
static bool has_rescue(const rs_driver_ops *ops)
{
    return ops->size >= sizeof *ops && ops->rescue;
}

reshed_status rs_watch_start(const char *driver, const rs_driver_option *option, int n,
                             rs_watch_told *told, void *ctx, rs_watch **out, reshed_error *err)
{
    rs_watch *w = rs_zalloc(1, sizeof *w);
    if (!w) return rs_fail_nomem(err, "a watchdog", sizeof *w);
    w->option = option;
    w->options = n;
    w->told = told;
    w->ctx = ctx;
    reshed_status st = rs_driver_find(driver, &w->ops, &w->library, err);
    if (st == RESHED_OK && has_rescue(w->ops)) st = rs_os_guard_start(rescue, w, &w->guard, err);
    if (st == RESHED_OK)
        *out = w;
    else
        rs_watch_end(w);
    return st;
}

void rs_watch_end(rs_watch *w)
{
    if (!w) return;
    rs_watch_detach(w);
    rs_os_guard_end(w->guard);
    rs_os_library_close(w->library);
    rs_free(w);
}

/* ----------------------------------------------------------------------------------- the thread */

static void say(rs_watch *w, rs_guard_word word, double value)
{
    if (w->guard && !rs_os_guard_say(w->guard, word, value)) atomic_store(&w->alone, true);
}

static void hear(void *watch, bool busy)
{
    say(watch, busy ? RS_GUARD_BUSY : RS_GUARD_IDLE, 0);
}

static bool is_stuck(const rs_watch *w)
{
    const rs_instrument *i = w->instrument;
    return atomic_load(&i->busy) && rs_os_monotonic() - atomic_load(&i->alive) > w->seconds;
}

/* Refuses all that acts, lets a call that is under way come to its end, and halts. */
static rs_driver_status take_over(rs_watch *w, bool *again)
{
    rs_instrument *i = w->instrument;
    reshed_error err = {0};
    const double until = rs_os_monotonic() + DRAIN;
    atomic_store(&i->taken, true);
    while (atomic_load(&i->acting) > 0 && rs_os_monotonic() < until) rs_os_sleep(1e-3);
    *again = atomic_load(&i->acting) > 0;
    return rs_instrument_halt(i, HALT, &err);
}

/* True when the thread is to end. */
static bool rest_until(rs_watch *w, double seconds)
{
    rs_monitor_enter(w->lock);
    if (!w->stop) rs_monitor_wait(w->lock, seconds);
    const bool stop = w->stop;
    rs_monitor_leave(w->lock);
    return stop;
}

static void run(void *ctx)
{
    rs_watch *w = ctx;
    const double often = fmin(OFTEN, w->seconds / 8);
    bool again = false; /* a call was under way during the halt: once more after it */
    bool failed = false;
    while (!rest_until(w, often)) {
        rs_instrument *i = w->instrument;
        if (again && atomic_load(&i->acting) == 0)
            failed = take_over(w, &again) != RS_DRIVER_OK;
        else if (!atomic_load(&i->taken) && is_stuck(w))
            failed = take_over(w, &again) != RS_DRIVER_OK;
        if (!failed || !w->guard) /* without a sign the second process tries in its turn */
            say(w, RS_GUARD_SIGN, 0);
        if (failed && !w->guard) failed = take_over(w, &again) != RS_DRIVER_OK;
    }
}

reshed_status rs_watch_attach(rs_watch *w, rs_instrument *i, double seconds, reshed_error *err)
{
    if (!(seconds > 0)) return rs_fail(err, RESHED_EINVAL, "watch|more than 0 s|%g s", seconds);
    w->instrument = i;
    w->seconds = seconds;
    w->stop = false;
    rs_instrument_alive(i);
    say(w, RS_GUARD_PATIENCE, seconds);
    reshed_status st = rs_monitor_make(&w->lock, err);
    if (st == RESHED_OK) st = rs_thread_start(run, w, &w->thread, err);
    if (st != RESHED_OK) {
        rs_watch_detach(w);
        return st;
    }
    i->watch = w;
    i->say = hear;
    if (atomic_load(&i->busy)) hear(w, true);
    return st;
}

bool rs_watch_is_double(rs_watch *w)
{
    return w->guard && !atomic_load(&w->alone);
}

bool rs_watch_take_loss(rs_watch *w)
{
    return w->guard && atomic_load(&w->alone) && !atomic_exchange(&w->told_alone, true);
}

void rs_watch_detach(rs_watch *w)
{
    if (!w || !w->lock) return;
    if (w->thread) {
        rs_monitor_enter(w->lock);
        w->stop = true;
        rs_monitor_notify(w->lock);
        rs_monitor_leave(w->lock);
        rs_thread_join(w->thread);
    }
    if (w->instrument) w->instrument->say = NULL;
    say(w, RS_GUARD_IDLE, 0);
    rs_monitor_free(w->lock);
    w->thread = NULL;
    w->lock = NULL;
    w->instrument = NULL;
}
