#include "base/parallel.h"

#include <omp.h>

#include "base/os.h"

void rs_parallel_for(int threads, int64_t n, void (*fn)(void *ctx, int64_t i, int worker),
                     void *ctx)
{
    if (threads > n) threads = (int)n;
    if (threads <= 1) {
        for (int64_t i = 0; i < n; i++) fn(ctx, i, 0);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (int64_t i = 0; i < n; i++) fn(ctx, i, omp_get_thread_num());
}

int rs_threads_or_all(int threads)
{
    return threads > 0 ? threads : rs_os_processors();
}
