#include "evaluate/bayes.h"

#include <math.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/parallel.h"
#include "base/statistics.h"
#include "evaluate/members.h"
#include "infer/tally.h"

/* Beside those of the tables of shifts, so that no frame serves twice. */
enum { BLOCK_USUAL = 5, BLOCK_SHIFTED };
enum { TIMES = 5 };     /* frames that are timed */
#define LEAST_WALL 1e-3 /* a frame without walls has that share of them */

static const struct {
    const char *effect;
    double strength;
} plan[EVAL_BAYES_SHIFTS] = {{"noise", 0.35},     {"blur", 3},          {"contrast", -1},
                             {"gamma", 3},        {"tip_change", 0.75}, {"line_noise", 0.2},
                             {"second_tip", 0.8}, {"scars", 20}};

/* One method on one frame. */
typedef struct found {
    rs_wall_tally tally;
    double score[EVAL_BAYES_SCORES];
} found;

typedef struct bayes {
    const eval_bayes_options *o;
    eval_net *net; /* [methods] */
    int threads;
    eval_twin twin;
    uint64_t seed; /* of the block at work */
    eval_change change;
    found *found;            /* [frames][methods] */
    reshed_status *status;   /* [frames] */
    reshed_error *error;     /* [frames] */
    double *usual, *shifted; /* [methods][EVAL_BAYES_SCORES][frames], [frames] */
} bayes;

/* ------------------------------------------------------------------------------------- one frame */
static double entropy(double p)
{
    return p > 0 && p < 1 ? -p * log(p) - (1 - p) * log(1 - p) : 0;
}

static void score_maps(const eval_frame *f, const float *mean, const float *variance, double *score)
{
    const size_t n = (size_t)f->scanned * (size_t)f->width;
    double wall = LEAST_WALL * (double)n, sum[EVAL_BAYES_SCORES] = {0};
    for (size_t i = 0; i < n; i++) {
        wall += (double)mean[i];
        sum[EVAL_BAYES_ENTROPY] += entropy((double)mean[i]);
        sum[EVAL_BAYES_VARIANCE] += (double)variance[i];
    }
    for (int k = 0; k < EVAL_BAYES_SCORES; k++) score[k] = sum[k] / wall;
}

static void one_frame(void *ctx, int64_t i, int worker)
{
    bayes *b = ctx;
    const size_t n = (size_t)b->o->size * (size_t)b->o->size;
    reshed_error *err = &b->error[i];
    eval_frame f = {0};
    float *mean = rs_alloc(2 * n, sizeof *mean);
    reshed_status st = mean ? eval_frame_twin(&b->twin, b->seed, i, &b->change, &f, err)
                            : rs_fail_nomem(err, "maps", 2 * n * sizeof *mean);
    for (int m = 0; st == RESHED_OK && m < b->o->methods; m++) {
        found *at = &b->found[i * b->o->methods + m];
        st = eval_net_run(&b->net[m], worker, &f, mean, mean + n, NULL, err);
        if (st != RESHED_OK) break;
        score_maps(&f, mean, mean + n, at->score);
        st = rs_wall_tally_map(mean, f.truth, f.thin, f.height, f.width, true, &at->tally, err);
    }
    b->status[i] = st;
    eval_frame_clear(&f);
    rs_free(mean);
}

/* ------------------------------------------------------------------------------------- one block */
/* Scores of method m; usual: its frames' scores are kept, else compared with those. */
static reshed_status summarise(bayes *b, int m, bool usual, eval_bayes_block *out,
                               reshed_error *err)
{
    const long n = b->o->frames;
    rs_wall_tally sum = {0};
    rs_wall_scores scores;
    reshed_status st = RESHED_OK;
    for (long i = 0; st == RESHED_OK && i < n; i++)
        st = rs_wall_tally_add(&sum, &b->found[i * b->o->methods + m].tally, err);
    if (st == RESHED_OK) {
        rs_wall_tally_scores(&sum, &scores, NULL);
        out->f = scores.f;
        out->best = scores.best;
        out->ece = scores.ece;
    }
    rs_wall_tally_clear(&sum);
    for (int k = 0; st == RESHED_OK && k < EVAL_BAYES_SCORES; k++) {
        double *kept = b->usual + (m * EVAL_BAYES_SCORES + k) * n, *to = usual ? kept : b->shifted;
        for (long i = 0; i < n; i++) to[i] = b->found[i * b->o->methods + m].score[k];
        out->roc[k] = (rs_roc){NAN, NAN, NAN};
        if (usual || (k == EVAL_BAYES_VARIANCE && b->net[m].members == 1)) continue;
        st = rs_roc_area(kept, (size_t)n, b->shifted, (size_t)n, &out->roc[k], err);
    }
    return st;
}

static void drop_found(bayes *b)
{
    for (long i = 0; b->found && i < b->o->frames * b->o->methods; i++) {
        rs_wall_tally_clear(&b->found[i].tally);
        b->found[i] = (found){0};
    }
}

/* Block 0: the usual frames; k: shift k - 1. */
static reshed_status run_block(bayes *b, int k, eval_bayes_row *row, reshed_error *err)
{
    int fields;
    const rs_twin_field *field = rs_twin_effect_fields(&fields);
    b->seed = b->o->seed * 10 + (k == 0 ? BLOCK_USUAL : BLOCK_SHIFTED);
    b->change = (eval_change){0};
    if (k > 0)
        b->change = (eval_change){rs_twin_field_find(field, fields, plan[k - 1].effect),
                                  plan[k - 1].strength};
    drop_found(b);
    rs_parallel_for(b->threads, b->o->frames, one_frame, b);
    for (long i = 0; i < b->o->frames; i++)
        if (b->status[i] != RESHED_OK) {
            if (err) *err = b->error[i];
            return b->status[i];
        }
    reshed_status st = RESHED_OK;
    for (int m = 0; st == RESHED_OK && m < b->o->methods; m++) {
        eval_bayes_block *to = &row[m].block[k];
        to->effect = k ? plan[k - 1].effect : "none";
        to->strength = k ? plan[k - 1].strength : 0;
        st = summarise(b, m, k == 0, to, err);
    }
    return st;
}

/* --------------------------------------------------------------------------------------- summary */
static void average_shifts(eval_bayes_row *r)
{
    for (int k = 1; k <= EVAL_BAYES_SHIFTS; k++) {
        r->shifted_f += r->block[k].f / EVAL_BAYES_SHIFTS;
        r->shifted_ece += r->block[k].ece / EVAL_BAYES_SHIFTS;
        for (int s = 0; s < EVAL_BAYES_SCORES; s++)
            r->auroc[s] += r->block[k].roc[s].auroc / EVAL_BAYES_SHIFTS;
    }
}

/* No other thread is at work: the process's time is the frame's. */
static reshed_status time_frames(bayes *b, eval_bayes_row *row, reshed_error *err)
{
    const size_t n = (size_t)b->o->size * (size_t)b->o->size;
    double taken[TIMES];
    eval_frame f = {0};
    float *mean = rs_alloc(2 * n, sizeof *mean);
    if (!mean) return rs_fail_nomem(err, "maps", 2 * n * sizeof *mean);
    reshed_status st = eval_frame_twin(&b->twin, b->seed, 0, NULL, &f, err);
    for (int m = 0; st == RESHED_OK && m < b->o->methods; m++) {
        for (int i = 0; st == RESHED_OK && i < TIMES; i++) {
            const double begin = rs_os_cpu_seconds();
            st = eval_net_run(&b->net[m], 0, &f, mean, mean + n, NULL, err);
            taken[i] = rs_os_cpu_seconds() - begin;
        }
        rs_sort(taken, TIMES);
        row[m].seconds = taken[TIMES / 2];
    }
    eval_frame_clear(&f);
    rs_free(mean);
    return st;
}

reshed_status eval_bayes_run(const eval_bayes_options *o, eval_bayes_row *row, const char **where,
                             reshed_error *err)
{
    bayes b = {.o = o, .threads = rs_threads_or_all(o->threads)};
    const size_t n = (size_t)o->frames, methods = (size_t)o->methods;
    reshed_status st = RESHED_OK;
    *where = NULL;
    b.twin = (eval_twin){
        .size = o->size, .harsh = o->harsh, .plain = o->plain, .film = o->film, .steady = true};
    b.net = rs_zalloc(methods, sizeof *b.net);
    b.found = rs_zalloc(n * methods, sizeof *b.found);
    b.status = rs_zalloc(n, sizeof *b.status);
    b.error = rs_zalloc(n, sizeof *b.error);
    b.usual = rs_zalloc(n * methods * EVAL_BAYES_SCORES, sizeof *b.usual);
    b.shifted = rs_zalloc(n, sizeof *b.shifted);
    if (!b.net || !b.found || !b.status || !b.error || !b.usual || !b.shifted)
        st = rs_fail_nomem(err, "scores", n * methods * sizeof *b.found);
    for (int m = 0; st == RESHED_OK && m < o->methods; m++) {
        row[m] = (eval_bayes_row){.name = o->method[m].name};
        *where = o->method[m].weights;
        st = eval_net_open_first(o->method[m].weights, o->method[m].members, b.threads, &b.net[m],
                                 err);
        if (st == RESHED_OK) row[m].members = b.net[m].members;
    }
    if (st == RESHED_OK) *where = NULL;
    for (int k = 0; st == RESHED_OK && k <= EVAL_BAYES_SHIFTS; k++) st = run_block(&b, k, row, err);
    if (st == RESHED_OK) st = time_frames(&b, row, err);
    for (int m = 0; st == RESHED_OK && m < o->methods; m++) average_shifts(&row[m]);
    drop_found(&b);
    for (int m = 0; b.net && m < o->methods; m++) eval_net_close(&b.net[m]);
    rs_free(b.net);
    rs_free(b.found);
    rs_free(b.status);
    rs_free(b.error);
    rs_free(b.usual);
    rs_free(b.shifted);
    return st;
}
