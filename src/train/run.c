#include "train/run.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/os.h"
#include "base/parallel.h"
#include "base/thread.h"
#include "io/weights/model.h"
#include "nn/filters.h"
#include "train/checkpoint.h"
#include "train/feed.h"
#include "train/start.h"
#include "train/score.h"

/* Batches in a queue. */
#define AHEAD 3
/* The set of frames by which F is judged in training; the tables of an ensemble take others. */
#define JUDGED_SET 8
#define JUDGED_HARSH 0.5

/* What all members share. */
typedef struct training {
    const rs_train_job *job;
    char words[RS_MODEL_RECIPE];
    rs_feed *feed;
    rs_picture *judged; /* [holdout], as large as a piece */
    rs_monitor *monitor;
    rs_train_result *result;
    reshed_status status; /* the first failure, under the monitor */
    reshed_error error;
} training;

/* One member at work. */
typedef struct work {
    training *t;
    int lane;
    rs_member *m;
    rs_checkpoint at;
    rs_train_news news;
} work;

static const rs_train_recipe *recipe_of(const work *w)
{
    return w->t->job->recipe;
}

/* True once any member has failed. */
static bool has_failed(training *t)
{
    rs_monitor_enter(t->monitor);
    const bool failed = t->status != RESHED_OK;
    rs_monitor_leave(t->monitor);
    return failed;
}

static void tell(work *w)
{
    const rs_train_job *job = w->t->job;
    if (!job->news) return;
    rs_monitor_enter(w->t->monitor);
    job->news(job->ctx, &w->news);
    rs_monitor_leave(w->t->monitor);
}

/* ------------------------------------------------------------------------------------ one member */
/* Its edge score on the frames to judge by, all as one. */
static reshed_status judge(const work *w, double *f, reshed_error *err)
{
    const rs_train_recipe *r = recipe_of(w);
    const size_t n = (size_t)r->batches.augment.size * (size_t)r->batches.augment.size;
    rs_wall_tally all = {0}, part = {0};
    rs_wall_scores scores;
    rs_batch batch = {0};
    float *maps = rs_alloc((size_t)r->batches.batch * n, sizeof *maps);
    reshed_status st = maps ? rs_batch_init(&r->batches, &batch, err)
                            : rs_fail_nomem(err, "maps", (size_t)r->batches.batch * n * 4);
    for (int i = 0; st == RESHED_OK && i < r->holdout; i += r->batches.batch) {
        batch.n = rs_min_int(r->batches.batch, r->holdout - i);
        for (int k = 0; k < batch.n; k++) {
            const rs_picture *p = &w->t->judged[i + k];
            memcpy(batch.image + (size_t)k * n, p->image, n * sizeof(float));
            for (size_t j = 0; j < n; j++) {
                batch.target[(size_t)k * n + j] = p->wall[j];
                batch.weight[(size_t)k * n + j] = 1;
            }
        }
        rs_member_evaluate(w->m, &batch, maps);
        for (int k = 0; st == RESHED_OK && k < batch.n; k++) {
            st = rs_score_map(&w->t->judged[i + k], maps + (size_t)k * n, &part, err);
            if (st == RESHED_OK) st = rs_wall_tally_add(&all, &part, err);
        }
    }
    if (st == RESHED_OK) {
        rs_wall_tally_scores(&all, &scores, NULL);
        *f = scores.f;
    }
    rs_wall_tally_clear(&part);
    rs_wall_tally_clear(&all);
    rs_batch_clear(&batch);
    rs_free(maps);
    return st;
}

static reshed_status save(const work *w, reshed_error *err)
{
    char path[4096];
    const char *folder = w->t->job->folder;
    if (!folder) return RESHED_OK;
    reshed_status st = rs_checkpoint_path(folder, w->at.member, path, sizeof path, err);
    return st == RESHED_OK ? rs_checkpoint_save(path, w->t->words, &w->at, w->m, err) : st;
}

/* A checkpoint has the right recipe, network and checksum by now; its numbers are to fit them. */
static reshed_status check_resumed(const work *w, reshed_error *err)
{
    const rs_checkpoint *c = &w->at;
    const long steps = recipe_of(w)->rate.steps;
    if (c->step > steps || (c->done && c->step != steps))
        return rs_fail(err, RESHED_ECORRUPT, "steps in a checkpoint|%ld at most%s|%ld", steps,
                       c->done ? ", all of them where it is done" : "", (long)c->step);
    if (rs_member_steps(w->m) != c->step)
        return rs_fail(err, RESHED_ECORRUPT, "steps of the member in a checkpoint|%ld|%ld",
                       (long)c->step, rs_member_steps(w->m));
    if (c->losses < 0 || c->losses > c->step || !isfinite(c->loss))
        return rs_fail(err, RESHED_ECORRUPT, "losses in a checkpoint|a sum of 0 to %ld|%g of %ld",
                       (long)c->step, c->loss, (long)c->losses);
    long before = 0;
    for (int i = 0; i < c->curve.n; i++) {
        const long at = c->curve.point[i].step;
        if (at < before || at > c->step)
            return rs_fail(err, RESHED_ECORRUPT, "curve in a checkpoint|steps from %ld to %ld|%ld",
                           before, (long)c->step, at);
        before = at;
    }
    return RESHED_OK;
}

static reshed_status resume(work *w, reshed_error *err)
{
    char path[4096];
    const char *folder = w->t->job->folder;
    if (!folder) return RESHED_OK;
    reshed_status st = rs_checkpoint_path(folder, w->at.member, path, sizeof path, err);
    if (st != RESHED_OK || !rs_os_is_file(path)) return st;
    st = rs_checkpoint_load(path, w->t->words, &w->at, w->m, err);
    if (st == RESHED_OK) st = check_resumed(w, err);
    w->news.resumed = true;
    if (st == RESHED_OK && w->at.curve.n > 0) {
        const rs_curve_point *last = &w->at.curve.point[w->at.curve.n - 1];
        w->news.loss = last->loss;
        w->news.f = last->f;
    }
    return st;
}

/* A point of the curve after this step, where one is due. */
static reshed_status note(work *w, reshed_error *err)
{
    const rs_train_recipe *r = recipe_of(w);
    const bool last = w->at.step == r->rate.steps;
    const bool judged = r->holdout > 0 && (w->at.step % r->judge == 0 || last);
    if (w->at.step % r->report != 0 && !judged && !last) return RESHED_OK;
    rs_curve_point p = {(long)w->at.step, w->at.loss / (double)rs_max_int(1, (int)w->at.losses),
                        NAN};
    reshed_status st = judged ? judge(w, &p.f, err) : RESHED_OK;
    if (st == RESHED_OK) st = rs_curve_add(&w->at.curve, &p, err);
    w->at.loss = 0;
    w->at.losses = 0;
    w->news.loss = p.loss;
    if (judged) w->news.f = p.f;
    return st;
}

static reshed_status step(work *w, reshed_error *err)
{
    const rs_train_recipe *r = recipe_of(w);
    const rs_batch *batch = NULL;
    reshed_status st = rs_feed_take(w->t->feed, w->lane, &batch, err);
    if (st == RESHED_OK) {
        w->at.loss += rs_member_step(w->m, batch, rs_rate_at(&r->rate, (long)w->at.step));
        w->at.losses++;
        w->at.step++;
    }
    rs_feed_release(w->t->feed, w->lane);
    if (st != RESHED_OK) return st;
    if (!isfinite(w->at.loss))
        return rs_fail(err, RESHED_EINVAL, "loss of member %d|a finite number|%g after step %ld",
                       w->at.member, w->at.loss, (long)w->at.step);
    const bool flat = w->at.step > r->rate.steps - r->rate.flat;
    if (r->average_every > 0 && flat && w->at.step % r->average_every == 0)
        rs_member_average_add(w->m);
    st = note(w, err);
    if (st == RESHED_OK && w->at.step % r->checkpoint == 0) st = save(w, err);
    w->news.step = (long)w->at.step;
    tell(w);
    return st;
}

/* The share of the start that is kept: both networks lie in one valley of the loss, and their mean
 * is often better on images unlike those learnt than either (Wortsman et al., arXiv 2109.01903). */
static reshed_status keep(work *w, reshed_error *err)
{
    const rs_model_file *start = w->t->job->start;
    return rs_member_keep(w->m, &start->member[w->at.member % start->members], recipe_of(w)->keep,
                          err);
}

/* The average becomes the weights, and gets statistics of its own; then what is kept of the start. */
static reshed_status finish(work *w, reshed_error *err)
{
    const rs_train_recipe *r = recipe_of(w);
    reshed_status st = RESHED_OK;
    const long averaged = rs_member_average_finish(w->m);
    if (averaged > 0 && !r->member.frozen && r->statistics > 0) {
        rs_member_statistics_begin(w->m);
        for (long i = 0; st == RESHED_OK && i < r->statistics; i++) {
            const rs_batch *batch = NULL;
            st = rs_feed_take(w->t->feed, w->lane, &batch, err);
            if (st == RESHED_OK) rs_member_statistics_add(w->m, batch);
            rs_feed_release(w->t->feed, w->lane);
        }
        rs_member_statistics_end(w->m);
    }
    if (st == RESHED_OK && r->keep > 0) st = keep(w, err);
    if (st == RESHED_OK && (averaged > 0 || r->keep > 0) && r->holdout > 0) {
        rs_curve_point p = {(long)w->at.step, NAN, NAN};
        st = judge(w, &p.f, err);
        if (st == RESHED_OK) st = rs_curve_add(&w->at.curve, &p, err);
        w->news.f = p.f;
    }
    w->at.done = true;
    return st == RESHED_OK ? save(w, err) : st;
}

static reshed_status train_member(work *w, reshed_error *err)
{
    const rs_train_job *job = w->t->job;
    const rs_train_recipe *r = job->recipe;
    reshed_status st = rs_train_member(r, job->start, w->at.member, &w->m, err);
    if (st == RESHED_OK) st = resume(w, err);
    if (st != RESHED_OK) return st;
    w->news.step = (long)w->at.step;
    if (w->news.resumed) tell(w);
    w->news.resumed = false;
    if (!w->at.done) {
        rs_feed_begin(w->t->feed, w->lane, w->at.member, w->at.step, r->rate.steps + r->statistics);
        while (st == RESHED_OK && w->at.step < r->rate.steps && !has_failed(w->t))
            st = step(w, err);
        if (st == RESHED_OK && !has_failed(w->t)) st = finish(w, err);
    }
    tell(w);
    if (st == RESHED_OK)
        st = rs_member_tensors(w->m, &w->t->result->model.member[w->at.member], err);
    return st;
}

static void run_member(void *ctx, int64_t i, int worker)
{
    training *t = ctx;
    reshed_error err = {0};
    work w = {.t = t, .lane = worker, .at = {.member = (int)i}};
    w.news = (rs_train_news){
        .member = (int)i, .steps = t->job->recipe->rate.steps, .loss = NAN, .f = NAN};
    if (has_failed(t)) return;
    const reshed_status st = train_member(&w, &err);
    rs_member_free(w.m);
    t->result->curve[i] = w.at.curve;
    rs_monitor_enter(t->monitor);
    if (st != RESHED_OK && t->status == RESHED_OK) {
        t->status = st;
        t->error = err;
    }
    rs_monitor_leave(t->monitor);
}

/* ------------------------------------------------------------------------------------ all members */
static reshed_status prepare(training *t, int threads, reshed_error *err)
{
    const rs_train_job *job = t->job;
    const rs_train_recipe *r = job->recipe;
    char hex[65];
    if (job->start) rs_model_file_digest(job->start, hex);
    if (!rs_train_describe(r, job->start ? hex : NULL, t->words, sizeof t->words))
        return rs_fail(err, RESHED_EINTERNAL, "recipe of a training|%d bytes|more",
                       RS_MODEL_RECIPE);
    reshed_status st = rs_train_model(r, job->start, t->words, &t->result->model, err);
    t->result->curve = rs_zalloc((size_t)r->members, sizeof *t->result->curve);
    if (st == RESHED_OK && !t->result->curve)
        st = rs_fail_nomem(err, "curves", (size_t)r->members * sizeof *t->result->curve);
    if (st == RESHED_OK) st = rs_monitor_make(&t->monitor, err);
    const rs_picture_scene scene = {r->batches.scene.film, r->batches.augment.size, JUDGED_HARSH};
    if (st == RESHED_OK && r->holdout > 0)
        st = rs_pictures_simulate(&scene, JUDGED_SET, r->holdout, threads, &t->judged, err);
    /* A thread that only makes batches for two that learn; one alone makes its own. */
    const int makers = threads / 2;
    if (st == RESHED_OK) st = rs_feed_open(&r->batches, threads, makers, AHEAD, &t->feed, err);
    return st;
}

static reshed_status check_job(const rs_train_job *job, reshed_error *err)
{
    const rs_train_recipe *r = job->recipe;
    reshed_status st = rs_train_check(r, err);
    if (st == RESHED_OK && r->tune != (job->start != NULL))
        st = rs_fail(err, RESHED_EINVAL, "weights to start from|%s|%s", r->tune ? "some" : "none",
                     r->tune ? "none" : "some");
    if (st == RESHED_OK && job->start) st = rs_model_file_check(job->start, err);
    if (st == RESHED_OK && job->start) st = rs_net_check(job->start, err);
    return st;
}

reshed_status rs_train_run(const rs_train_job *job, rs_train_result *out, reshed_error *err)
{
    reshed_status st = check_job(job, err);
    if (st != RESHED_OK) return st;
    rs_train_result result = {0};
    training *t = rs_zalloc(1, sizeof *t);
    if (!t) return rs_fail_nomem(err, "a training", sizeof *t);
    t->job = job;
    t->result = &result;
    const int threads = rs_min_int(rs_threads_or_all(job->threads), job->recipe->members);
    st = prepare(t, threads, err);
    if (st == RESHED_OK) {
        rs_parallel_for(threads, job->recipe->members, run_member, t);
        st = t->status;
        if (st != RESHED_OK && err) *err = t->error;
    }
    rs_feed_close(t->feed);
    rs_pictures_free(t->judged, job->recipe->holdout);
    rs_monitor_free(t->monitor);
    rs_free(t);
    if (st == RESHED_OK)
        *out = result;
    else
        rs_train_result_clear(&result);
    return st;
}

void rs_train_result_clear(rs_train_result *r)
{
    for (int i = 0; r->curve && i < r->model.members; i++) rs_curve_clear(&r->curve[i]);
    rs_free(r->curve);
    rs_model_file_clear(&r->model);
    *r = (rs_train_result){0};
}
