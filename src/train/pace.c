/* How long a training takes: parts of it, done by as many members at once as will be. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/parallel.h"
#include "train/start.h"
#include "train/run.h"
#include "train/score.h"

enum { STEP, STATISTICS, JUDGE, PARTS };

typedef struct probe {
    const rs_train_recipe *recipe;
    int times;
    rs_train_pace *pace; /* [threads], and so on */
    reshed_status *status;
    reshed_error *error;
} probe;

/* One member with what its parts need. */
typedef struct bench {
    const rs_train_recipe *r;
    rs_member *m;
    rs_batch batch;
    float *maps; /* [batch,size,size] */
} bench;

/* The scoring of the batch, each piece as a frame. */
static reshed_status judge(bench *b, reshed_error *err)
{
    const int size = b->r->batches.augment.size;
    const size_t n = (size_t)size * (size_t)size;
    rs_picture p = {0};
    reshed_status st = rs_picture_init(&p, size, size, err);
    rs_member_evaluate(b->m, &b->batch, b->maps);
    for (int k = 0; st == RESHED_OK && k < b->batch.n; k++) {
        rs_wall_tally t = {0};
        for (size_t i = 0; i < n; i++) p.wall[i] = b->batch.target[(size_t)k * n + i] > 0.5f;
        st = rs_score_map(&p, b->maps + (size_t)k * n, &t, err);
        rs_wall_tally_clear(&t);
    }
    rs_picture_clear(&p);
    return st;
}

static reshed_status do_part(bench *b, int part, int64_t i, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    if (part != JUDGE) st = rs_batches_make(&b->r->batches, 0, i, &b->batch, err);
    if (st != RESHED_OK) return st;
    if (part == STEP) rs_member_step(b->m, &b->batch, 1e-6);
    if (part == STATISTICS) rs_member_statistics_add(b->m, &b->batch);
    return part == JUDGE ? judge(b, err) : RESHED_OK;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static reshed_status time_parts(const probe *q, bench *b, rs_train_pace *out, reshed_error *err)
{
    double median[PARTS] = {0};
    double *each = rs_alloc((size_t)q->times + 1, sizeof *each);
    reshed_status st =
        each ? RESHED_OK : rs_fail_nomem(err, "times", (size_t)q->times * sizeof *each);
    for (int part = 0; st == RESHED_OK && part < PARTS; part++) {
        if (part == STATISTICS) rs_member_statistics_begin(b->m);
        for (int i = 0; st == RESHED_OK && i <= q->times; i++) {
            const double begin = rs_os_monotonic();
            st = do_part(b, part, i, err);
            each[i] = rs_os_monotonic() - begin;
        }
        if (part == STATISTICS) rs_member_statistics_end(b->m);
        if (st != RESHED_OK) break;
        qsort(each + 1, (size_t)q->times, sizeof *each, by_size);
        median[part] = each[1 + (q->times - 1) / 2];
    }
    *out = (rs_train_pace){median[STEP], median[STATISTICS], median[JUDGE]};
    rs_free(each);
    return st;
}

static void time_member(void *ctx, int64_t i, int worker)
{
    const probe *q = ctx;
    const rs_train_recipe *r = q->recipe;
    const size_t n = (size_t)r->batches.augment.size * (size_t)r->batches.augment.size;
    reshed_error *err = &q->error[i];
    bench b = {.r = r, .maps = rs_alloc((size_t)r->batches.batch * n, sizeof(float))};
    (void)worker;
    reshed_status st =
        b.maps ? RESHED_OK : rs_fail_nomem(err, "maps", (size_t)r->batches.batch * n * 4);
    if (st == RESHED_OK) st = rs_train_member(r, NULL, (int)i, &b.m, err);
    if (st == RESHED_OK) st = rs_batch_init(&r->batches, &b.batch, err);
    if (st == RESHED_OK) st = time_parts(q, &b, &q->pace[i], err);
    rs_batch_clear(&b.batch);
    rs_member_free(b.m);
    rs_free(b.maps);
    q->status[i] = st;
}

reshed_status rs_train_measure(const rs_train_recipe *recipe, int threads, int times,
                               rs_train_pace *out, reshed_error *err)
{
    const size_t n = (size_t)threads;
    probe q = {recipe, times, rs_zalloc(n, sizeof *q.pace), rs_zalloc(n, sizeof *q.status),
               rs_zalloc(n, sizeof *q.error)};
    reshed_status st = q.pace && q.status && q.error
                           ? rs_train_check(recipe, err)
                           : rs_fail_nomem(err, "times", n * sizeof *q.error);
    if (st == RESHED_OK) rs_parallel_for(threads, threads, time_member, &q);
    *out = (rs_train_pace){0};
    for (int i = 0; i < threads && st == RESHED_OK; i++) {
        st = q.status[i];
        if (st != RESHED_OK && err) *err = q.error[i];
        out->step += q.pace[i].step / threads;
        out->statistics += q.pace[i].statistics / threads;
        out->judge += q.pace[i].judge / threads;
    }
    rs_free(q.pace);
    rs_free(q.status);
    rs_free(q.error);
    return st;
}
