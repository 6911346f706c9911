/* parallel.h - work shared out among threads; those that live on beside others come from thread.h. */
#ifndef RS_BASE_PARALLEL_H
#define RS_BASE_PARALLEL_H

#include <stdint.h>

/* Calls fn(ctx, i, worker) once for every i in [0,n), on up to `threads` threads. worker in
 * [0,threads) names the thread's own scratch. The order of the calls is not fixed, so fn(i) must
 * depend on i alone: that is what makes results independent of the number of threads. Not to be
 * nested. */
void rs_parallel_for(int threads, int64_t n, void (*fn)(void *ctx, int64_t i, int worker),
                     void *ctx);

/* threads, or all processors of this process when threads is 0. */
int rs_threads_or_all(int threads);

#endif
