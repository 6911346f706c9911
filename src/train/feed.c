/* Step s of a lane lies in slot s % depth. A lane moves through two numbers: `made`, the first step
 * that nobody has begun, and `taken`, the step that the training thread has or wants next;
 * made <= taken + depth, so a slot is free again once its step is released. */
#include "train/feed.h"

#include <assert.h>

#include "base/alloc.h"
#include "base/thread.h"

typedef enum slot_state { SLOT_EMPTY, SLOT_BUSY, SLOT_READY } slot_state;

typedef struct slot {
    slot_state state;
    rs_batch batch;
    reshed_status status;
    reshed_error err;
} slot;

typedef struct lane {
    int member;
    int64_t taken, made, end;
    slot *slot; /* [depth]; owned */
} lane;

struct rs_feed {
    const rs_batches *batches;
    int lanes, depth, threads;
    lane *lane;         /* [lanes] */
    rs_thread **thread; /* [threads] */
    rs_monitor *monitor;
    bool ending;
};

/* Seconds after which a waiting thread looks again by itself. */
#define LOOK 5

static slot *slot_of(const rs_feed *f, const lane *l, int64_t step)
{
    return &l->slot[step % f->depth];
}

static bool may_make(const rs_feed *f, const lane *l)
{
    return l->made < l->end && l->made < l->taken + f->depth;
}

/* Inside the monitor, which is left while the batch is made. */
static void make_next(rs_feed *f, lane *l)
{
    const int64_t step = l->made++;
    slot *s = slot_of(f, l, step);
    assert(s->state == SLOT_EMPTY);
    s->state = SLOT_BUSY;
    const int member = l->member;
    rs_monitor_leave(f->monitor);
    s->status = rs_batches_make(f->batches, member, step, &s->batch, &s->err);
    rs_monitor_enter(f->monitor);
    s->state = SLOT_READY;
    rs_monitor_notify(f->monitor);
}

/* The lane that has the fewest batches ahead; NULL when all are full. */
static lane *neediest(const rs_feed *f)
{
    lane *found = NULL;
    for (int i = 0; i < f->lanes; i++) {
        lane *l = &f->lane[i];
        if (may_make(f, l) && (!found || l->made - l->taken < found->made - found->taken))
            found = l;
    }
    return found;
}

static void work(void *ctx)
{
    rs_feed *f = ctx;
    rs_monitor_enter(f->monitor);
    while (!f->ending) {
        lane *l = neediest(f);
        if (l)
            make_next(f, l);
        else
            rs_monitor_wait(f->monitor, LOOK);
    }
    rs_monitor_leave(f->monitor);
}

static reshed_status make_lanes(rs_feed *f, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    f->lane = rs_zalloc((size_t)f->lanes, sizeof *f->lane);
    f->thread = rs_zalloc((size_t)f->threads, sizeof(rs_thread *));
    if (!f->lane || !f->thread) return rs_fail_nomem(err, "the queues of batches", sizeof *f->lane);
    for (int i = 0; st == RESHED_OK && i < f->lanes; i++) {
        f->lane[i].slot = rs_zalloc((size_t)f->depth, sizeof *f->lane[i].slot);
        if (!f->lane[i].slot) return rs_fail_nomem(err, "a queue of batches", sizeof(slot));
        for (int k = 0; st == RESHED_OK && k < f->depth; k++)
            st = rs_batch_init(f->batches, &f->lane[i].slot[k].batch, err);
    }
    return st;
}

reshed_status rs_feed_open(const rs_batches *batches, int lanes, int threads, int depth,
                           rs_feed **out, reshed_error *err)
{
    reshed_status st = rs_batches_check(batches, err);
    if (st != RESHED_OK) return st;
    if (lanes < 1 || depth < 1 || threads < 0)
        return rs_fail(err, RESHED_EINVAL, "queues of batches");
    rs_feed *f = rs_zalloc(1, sizeof *f);
    if (!f) return rs_fail_nomem(err, "the queues of batches", sizeof *f);
    *f = (rs_feed){.batches = batches, .lanes = lanes, .depth = depth, .threads = threads};
    st = rs_monitor_make(&f->monitor, err);
    if (st == RESHED_OK) st = make_lanes(f, err);
    for (int i = 0; st == RESHED_OK && i < threads; i++)
        st = rs_thread_start(work, f, &f->thread[i], err);
    if (st == RESHED_OK)
        *out = f;
    else
        rs_feed_close(f);
    return st;
}

void rs_feed_close(rs_feed *f)
{
    if (!f) return;
    if (f->monitor) {
        rs_monitor_enter(f->monitor);
        f->ending = true;
        rs_monitor_notify(f->monitor);
        rs_monitor_leave(f->monitor);
    }
    for (int i = 0; f->thread && i < f->threads; i++) rs_thread_join(f->thread[i]);
    for (int i = 0; f->lane && i < f->lanes; i++) {
        for (int k = 0; f->lane[i].slot && k < f->depth; k++)
            rs_batch_clear(&f->lane[i].slot[k].batch);
        rs_free(f->lane[i].slot);
    }
    rs_free(f->lane);
    rs_free(f->thread);
    rs_monitor_free(f->monitor);
    rs_free(f);
}

void rs_feed_begin(rs_feed *f, int number, int member, int64_t first, int64_t end)
{
    lane *l = &f->lane[number];
    rs_monitor_enter(f->monitor);
    l->end = l->made; /* nothing more is begun, and what is at work ends */
    for (int k = 0; k < f->depth; k++)
        while (l->slot[k].state == SLOT_BUSY) rs_monitor_wait(f->monitor, LOOK);
    for (int k = 0; k < f->depth; k++) l->slot[k].state = SLOT_EMPTY;
    l->member = member;
    l->taken = l->made = first;
    l->end = end;
    rs_monitor_notify(f->monitor);
    rs_monitor_leave(f->monitor);
}

reshed_status rs_feed_take(rs_feed *f, int number, const rs_batch **out, reshed_error *err)
{
    lane *l = &f->lane[number];
    rs_monitor_enter(f->monitor);
    assert(l->taken < l->end);
    slot *s = slot_of(f, l, l->taken);
    if (l->made == l->taken) make_next(f, l);
    while (s->state != SLOT_READY) rs_monitor_wait(f->monitor, LOOK);
    const reshed_status st = s->status;
    if (st != RESHED_OK && err) *err = s->err;
    *out = &s->batch;
    rs_monitor_leave(f->monitor);
    return st;
}

void rs_feed_release(rs_feed *f, int number)
{
    lane *l = &f->lane[number];
    rs_monitor_enter(f->monitor);
    slot *s = slot_of(f, l, l->taken);
    assert(s->state == SLOT_READY);
    s->state = SLOT_EMPTY;
    l->taken++;
    rs_monitor_notify(f->monitor);
    rs_monitor_leave(f->monitor);
}
