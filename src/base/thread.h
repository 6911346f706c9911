/* thread.h - threads that go on beside the others: that wait for an instrument, that make what is wanted next.
 * Work that is shared out and waited for goes to parallel.h. */
#ifndef RS_BASE_THREAD_H
#define RS_BASE_THREAD_H

#include <stdbool.h>

#include "base/status.h"

typedef struct rs_thread rs_thread;
/* Runs run(ctx) beside the caller, with all signals blocked: they are the main thread's. */
reshed_status rs_thread_start(void (*run)(void *ctx), void *ctx, rs_thread **out,
                              reshed_error *err);
/* Waits for it to end and frees it; NULL is fine. */
void rs_thread_join(rs_thread *t);

/* A lock, and waiting for a change of what it guards. */
typedef struct rs_monitor rs_monitor;
reshed_status rs_monitor_make(rs_monitor **out, reshed_error *err);
void rs_monitor_free(rs_monitor *m);
void rs_monitor_enter(rs_monitor *m);
void rs_monitor_leave(rs_monitor *m);
/* Inside: lets others in until one calls rs_monitor_notify or the seconds are over; may return
 * early, so look again. */
void rs_monitor_wait(rs_monitor *m, double seconds);
void rs_monitor_notify(rs_monitor *m);

#endif
