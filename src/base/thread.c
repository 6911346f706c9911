#define _POSIX_C_SOURCE 200809L
#include "base/thread.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"

struct rs_thread {
    pthread_t id;
    void (*run)(void *ctx);
    void *ctx;
};

static void *body(void *p)
{
    const rs_thread *t = p;
    t->run(t->ctx);
    return NULL;
}

reshed_status rs_thread_start(void (*run)(void *ctx), void *ctx, rs_thread **out, reshed_error *err)
{
    rs_thread *t = rs_zalloc(1, sizeof *t);
    if (!t) return rs_fail_nomem(err, "a thread", sizeof *t);
    t->run = run;
    t->ctx = ctx;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failed = pthread_create(&t->id, NULL, body, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        rs_free(t);
        return rs_fail(err, RESHED_ENOMEM, "cannot start a thread||%s", strerror(failed));
    }
    *out = t;
    return RESHED_OK;
}

void rs_thread_join(rs_thread *t)
{
    if (!t) return;
    pthread_join(t->id, NULL);
    rs_free(t);
}

struct rs_monitor {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
};

reshed_status rs_monitor_make(rs_monitor **out, reshed_error *err)
{
    rs_monitor *m = rs_zalloc(1, sizeof *m);
    pthread_condattr_t a;
    if (!m) return rs_fail_nomem(err, "a lock", sizeof *m);
    pthread_condattr_init(&a);
    pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    pthread_mutex_init(&m->mutex, NULL);
    pthread_cond_init(&m->changed, &a);
    pthread_condattr_destroy(&a);
    *out = m;
    return RESHED_OK;
}

void rs_monitor_free(rs_monitor *m)
{
    if (!m) return;
    pthread_cond_destroy(&m->changed);
    pthread_mutex_destroy(&m->mutex);
    rs_free(m);
}

void rs_monitor_enter(rs_monitor *m)
{
    pthread_mutex_lock(&m->mutex);
}

void rs_monitor_leave(rs_monitor *m)
{
    pthread_mutex_unlock(&m->mutex);
}

void rs_monitor_wait(rs_monitor *m, double seconds)
{
    struct timespec t;
    if (!(seconds > 0)) return;
    if (seconds > 3600) seconds = 3600;
    clock_gettime(CLOCK_MONOTONIC, &t);
    const double whole = floor(seconds);
    t.tv_sec += (time_t)whole;
    t.tv_nsec += (long)((seconds - whole) * 1e9);
    if (t.tv_nsec >= 1000000000L) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000L;
    }
    pthread_cond_timedwait(&m->changed, &m->mutex, &t);
}

void rs_monitor_notify(rs_monitor *m)
{
    pthread_cond_broadcast(&m->changed);
}
