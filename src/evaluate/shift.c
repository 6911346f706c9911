#include "evaluate/shift.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/statistics.h"
#include "evaluate/baselines.h"
#include "evaluate/members.h"
#include "io/weights/weights.h"

#define ALARM_PERCENTILE 98.5 /* leaves room for chance below the 2 % that are promised */

enum { BLOCK_FIT = 1, BLOCK_THRESHOLD, BLOCK_USUAL, BLOCK_SHIFTED };
/* One frame of a block, besides what eval_shift_frame shows of it. */
typedef struct shifted_frame {
    rs_wall_tally tally; /* of the ensemble */
    rs_edge_count baseline[EVAL_SHIFT_BASELINES];
    double mean_variance, score;
    bool scored; /* enough is scanned for a score */
    reshed_status status;
    reshed_error err;
} shifted_frame;

typedef struct shift {
    const eval_shift_options *o;
    void (*news)(void *ctx, const eval_shift_news *n);
    void *ctx;
    eval_net net;
    int threads;
    /* The block at work. */
    uint64_t seed;
    eval_twin twin;
    eval_change change;
    bool tune;       /* every parameter of the baselines */
    bool score_only; /* neither edge scores nor baselines */
    int parameter[EVAL_SHIFT_BASELINES];
    rs_edge_count (*tuning)[EVAL_SHIFT_BASELINES][EVAL_CANNYS]; /* [frames], while tuning */
    shifted_frame *frame;                                       /* [n] */
    eval_shift_frame *seen;                                     /* [n] */
    long n;
    /* Of the usual block: [frames] scores, [RS_OOD_FEATURES,frames]. */
    double *usual, *usual_features;
    double reference; /* edge score of unshifted frames */
} shift;

static rs_model_file *model_of(shift *s)
{
    return &s->net.ensemble->model;
}

/* -------------------------------------------------------------------------------------- a block */

static reshed_status baseline(const eval_frame *f, int which, int k, rs_edge_count *c,
                              reshed_error *err)
{
    switch (which) {
    case EVAL_WITH_BOUNDARY: return eval_boundary(f, f->image, k, c, err);
    case EVAL_WITH_RAW_BOUNDARY: return eval_boundary(f, f->raw, k, c, err);
    default: return eval_canny(f, k, c, err);
    }
}

static int parameters_of(int which)
{
    return which == EVAL_WITH_CANNY ? EVAL_CANNYS : EVAL_BOUNDARIES;
}

static reshed_status baselines(shift *s, int64_t i, const eval_frame *f, shifted_frame *r,
                               reshed_error *err)
{
    reshed_status st = RESHED_OK;
    for (int b = 0; b < EVAL_SHIFT_BASELINES && st == RESHED_OK; b++) {
        if (!s->tune) {
            st = baseline(f, b, s->parameter[b], &r->baseline[b], err);
            continue;
        }
        for (int k = 0; k < parameters_of(b) && st == RESHED_OK; k++)
            st = baseline(f, b, k, &s->tuning[i][b][k], err);
    }
    return st;
}

static reshed_status judge(shift *s, int worker, int64_t i, const eval_frame *f, shifted_frame *r,
                           reshed_error *err)
{
    eval_shift_frame *seen = &s->seen[i];
    const size_t n = (size_t)f->height * (size_t)f->width;
    const size_t scanned = (size_t)f->scanned * (size_t)f->width;
    float *mean = rs_alloc(2 * n, sizeof *mean);
    if (!mean) return rs_fail_nomem(err, "maps", 2 * n * sizeof *mean);
    float *variance = mean + n;
    reshed_status st = eval_net_run(&s->net, worker, f, mean, variance, NULL, err);
    if (st == RESHED_OK) {
        st =
            rs_ood_features(f->image, mean, variance, f->width, 0, f->scanned, seen->features, err);
        r->scored = st == RESHED_OK;
        if (st == RESHED_EUNSUPPORTED && !s->score_only) st = RESHED_OK; /* too little is scanned */
    }
    if (st == RESHED_OK && !s->score_only)
        st = rs_wall_tally_map(mean, f->truth, f->thin, f->height, f->width, false, &r->tally, err);
    for (size_t k = 0; k < scanned && st == RESHED_OK; k++) {
        r->mean_variance += (double)variance[k] / (double)scanned;
        seen->wall_share += (double)(mean[k] > 0.5f) / (double)scanned;
    }
    if (st == RESHED_OK && !s->score_only) st = baselines(s, i, f, r, err);
    rs_free(mean);
    return st;
}

static void one_frame(void *ctx, int64_t i, int worker)
{
    shift *s = ctx;
    shifted_frame *r = &s->frame[i];
    eval_frame f = {0};
    r->status = eval_frame_twin(&s->twin, s->seed, i, &s->change, &f, &r->err);
    if (r->status == RESHED_OK) r->status = judge(s, worker, i, &f, r, &r->err);
    if (r->status == RESHED_OK && r->scored && rs_ood_known(&model_of(s)->ood))
        r->status = rs_ood_score(&model_of(s)->ood, s->seen[i].features, &r->score, &r->err);
    eval_frame_clear(&f);
}

static void drop_block(shift *s)
{
    for (long i = 0; s->frame && i < s->n; i++) rs_wall_tally_clear(&s->frame[i].tally);
    rs_free(s->frame);
    rs_free(s->seen);
    s->frame = NULL;
    s->seen = NULL;
    s->n = 0;
}

static reshed_status run_block(shift *s, int block, long n, reshed_error *err)
{
    drop_block(s);
    s->frame = rs_zalloc((size_t)n, sizeof *s->frame);
    s->seen = rs_zalloc((size_t)n, sizeof *s->seen);
    if (!s->frame || !s->seen) {
        drop_block(s);
        return rs_fail_nomem(err, "frames", (size_t)n * sizeof *s->frame);
    }
    s->n = n;
    s->seed = s->o->seed * 10 + (uint64_t)block;
    rs_parallel_for(s->threads, n, one_frame, s);
    for (long i = 0; i < n; i++)
        if (s->frame[i].status != RESHED_OK) {
            if (err) *err = s->frame[i].err;
            return s->frame[i].status;
        }
    return RESHED_OK;
}

static eval_shift_news news_of(const shift *s, eval_shift_stage stage, const char *effect,
                               double strength)
{
    return (eval_shift_news){
        .stage = stage, .effect = effect, .strength = strength, .frames = s->n, .frame = s->seen};
}

/* ---------------------------------------------------------------------------- the score's model */

/* Raises the threshold to what a block of frames asks for. x: room for their scores. */
static reshed_status add_threshold(shift *s, double *x, reshed_error *err)
{
    const long n = s->o->fit;
    rs_model_file *m = model_of(s);
    const reshed_status st = run_block(s, BLOCK_THRESHOLD, n, err);
    if (st != RESHED_OK) return st;
    for (long i = 0; i < n; i++) x[i] = s->frame[i].score;
    rs_sort(x, (size_t)n);
    m->ood_threshold =
        fmax(m->ood_threshold, rs_sorted_quantile(x, (size_t)n, ALARM_PERCENTILE / 100));
    return RESHED_OK;
}

static reshed_status fit_score(shift *s, reshed_error *err)
{
    const long n = s->o->fit;
    rs_model_file *m = model_of(s);
    double *x = rs_alloc((size_t)n * RS_OOD_FEATURES, sizeof *x);
    if (!x) return rs_fail_nomem(err, "features", (size_t)n * RS_OOD_FEATURES * sizeof *x);
    s->score_only = true;
    m->ood = (rs_ood_model){0};
    m->ood_threshold = 0;
    reshed_status st = run_block(s, BLOCK_FIT, n, err);
    if (st == RESHED_OK) {
        const eval_shift_news news = news_of(s, EVAL_SHIFT_FIT, "fit", 0);
        s->news(s->ctx, &news);
    }
    for (long i = 0; i < n && st == RESHED_OK; i++)
        memcpy(x + i * RS_OOD_FEATURES, s->seen[i].features, sizeof s->seen[i].features);
    if (st == RESHED_OK) st = rs_ood_fit(x, (int)n, &m->ood, err);
    if (st == RESHED_OK) st = add_threshold(s, x, err);
    /* Films of the default kind are usual in whichever mix: no more of them than of it may raise the alarm. */
    const rs_twin_film film = s->twin.film;
    s->twin.film = RS_TWIN_FILM_PZT;
    if (st == RESHED_OK && film != s->twin.film) st = add_threshold(s, x, err);
    s->twin.film = film;
    s->score_only = false;
    rs_free(x);
    return st;
}

/* ------------------------------------------------------------------------------------- the rows */

/* Separation of the shifted frames by each feature alone, whichever way it goes. */
static reshed_status separate(const shift *s, double out[RS_OOD_FEATURES], reshed_error *err)
{
    const long m = s->o->frames;
    double *x = rs_alloc((size_t)s->n, sizeof *x);
    if (!x) return rs_fail_nomem(err, "features", (size_t)s->n * sizeof *x);
    for (int k = 0; k < RS_OOD_FEATURES; k++) {
        rs_roc roc;
        for (long i = 0; i < s->n; i++) x[i] = s->seen[i].features[k];
        if (rs_roc_area(s->usual_features + k * m, (size_t)m, x, (size_t)s->n, &roc, NULL) ==
            RESHED_OK)
            out[k] = roc.auroc;
    }
    rs_free(x);
    return RESHED_OK;
}

/* Takes the block's tallies. */
static reshed_status summarise(shift *s, eval_shift_row *row, reshed_error *err)
{
    rs_wall_tally sum = {0};
    rs_edge_count base[EVAL_SHIFT_BASELINES] = {{0}};
    rs_wall_scores scores;
    size_t scored = 0;
    reshed_status st = RESHED_OK;
    double *score = rs_alloc((size_t)s->n, sizeof *score);
    if (!score) return rs_fail_nomem(err, "scores", (size_t)s->n * sizeof *score);
    *row = (eval_shift_row){.roc = {NAN, NAN, NAN}};
    for (int k = 0; k < RS_OOD_FEATURES; k++) row->separation[k] = NAN;
    for (long i = 0; i < s->n && st == RESHED_OK; i++) {
        shifted_frame *r = &s->frame[i];
        for (int b = 0; b < EVAL_SHIFT_BASELINES; b++) rs_edge_count_add(&base[b], &r->baseline[b]);
        row->variance += r->mean_variance / (double)s->n;
        if (r->scored) {
            row->alarms += r->score > model_of(s)->ood_threshold;
            score[scored++] = r->score;
        }
        st = rs_wall_tally_add(&sum, &r->tally, err);
    }
    row->alarms = scored ? row->alarms / (double)scored : NAN;
    if (st == RESHED_OK && scored >= 2)
        st = rs_roc_area(s->usual, (size_t)s->o->frames, score, scored, &row->roc, err);
    if (st == RESHED_OK && s->o->separation) st = separate(s, row->separation, err);
    if (st == RESHED_OK) {
        rs_wall_tally_scores(&sum, &scores, NULL);
        row->f = scores.f;
        row->ece = scores.ece;
        for (int b = 0; b < EVAL_SHIFT_BASELINES; b++) row->baseline[b] = rs_edge_count_f(&base[b]);
    }
    rs_wall_tally_clear(&sum);
    rs_free(score);
    return st;
}

/* ----------------------------------------------------------------------------------- the report */

/* Correlation of the score of usual frames with their share of wall pixels. */
static double wall_correlation(const shift *s)
{
    double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
    for (long i = 0; i < s->n; i++) {
        mx += s->seen[i].wall_share / (double)s->n;
        my += s->frame[i].score / (double)s->n;
    }
    for (long i = 0; i < s->n; i++) {
        double x = s->seen[i].wall_share - mx, y = s->frame[i].score - my;
        xx += x * x;
        yy += y * y;
        xy += x * y;
    }
    return xy / sqrt(xx * yy);
}

/* The usual block, whose scores are kept. */
static reshed_status run_usual(shift *s, reshed_error *err)
{
    const long n = s->o->frames;
    s->score_only = true;
    reshed_status st = run_block(s, BLOCK_USUAL, n, err);
    s->score_only = false;
    if (st != RESHED_OK) return st;
    eval_shift_news news = news_of(s, EVAL_SHIFT_USUAL, "usual", 0);
    news.threshold = model_of(s)->ood_threshold;
    for (long i = 0; i < n; i++) {
        s->usual[i] = s->frame[i].score;
        news.alarms += (s->frame[i].score > news.threshold) / (double)n;
        for (int k = 0; k < RS_OOD_FEATURES; k++)
            s->usual_features[k * n + i] = s->seen[i].features[k];
    }
    news.correlation = wall_correlation(s);
    s->news(s->ctx, &news);
    return RESHED_OK;
}

/* Each baseline's best parameter over the block, which keeps the matches of that one. */
static void choose_parameters(shift *s)
{
    for (int b = 0; b < EVAL_SHIFT_BASELINES; b++) {
        rs_edge_count sum[EVAL_CANNYS] = {{0}};
        for (long i = 0; i < s->n; i++)
            for (int k = 0; k < parameters_of(b); k++)
                rs_edge_count_add(&sum[k], &s->tuning[i][b][k]);
        s->parameter[b] = rs_edge_count_best(sum, parameters_of(b));
        for (long i = 0; i < s->n; i++) s->frame[i].baseline[b] = s->tuning[i][b][s->parameter[b]];
    }
}

/* The shifted block before anything is shifted, on which the baselines are tuned. */
static reshed_status run_unshifted(shift *s, reshed_error *err)
{
    const long n = s->o->frames;
    s->tuning = rs_zalloc((size_t)n, sizeof *s->tuning);
    if (!s->tuning) return rs_fail_nomem(err, "baselines", (size_t)n * sizeof *s->tuning);
    s->tune = true;
    reshed_status st = run_block(s, BLOCK_SHIFTED, n, err);
    s->tune = false;
    if (st == RESHED_OK) choose_parameters(s);
    rs_free(s->tuning);
    s->tuning = NULL;
    if (st != RESHED_OK) return st;
    eval_shift_news news = news_of(s, EVAL_SHIFT_UNSHIFTED, "none", 0);
    if ((st = summarise(s, &news.row, err)) != RESHED_OK) return st;
    s->reference = news.row.f;
    for (int b = 0; b < EVAL_SHIFT_BASELINES; b++) {
        char *text = news.parameter[b];
        if (b == EVAL_WITH_CANNY)
            eval_canny_text(s->parameter[b], text, sizeof news.parameter[b]);
        else
            eval_boundary_text(s->parameter[b], text, sizeof news.parameter[b]);
    }
    s->news(s->ctx, &news);
    return RESHED_OK;
}

static const struct {
    const char *effect;
    double strength[6]; /* up to a 0 */
} plan[] = {
    {"noise", {0.05, 0.1, 0.2, 0.35, 0.5}},
    {"blur", {1, 1.5, 2, 3, 4}},
    {"contrast", {0.5, 0.25, -0.25, -0.5, -1}},
    {"gain", {0.25, 0.5, 2, 4}},
    {"gamma", {0.3, 0.5, 2, 3, 4}},
    {"tip_change", {0.25, 0.5, 0.75, 1}},
    {"line_noise", {0.03, 0.1, 0.2, 0.4}},
    {"level_jumps", {2, 5, 15}},
    {"tilt_x", {0.5, 1, 1.5}},
    {"second_tip", {0.2, 0.5, 0.8}},
    {"scars", {5, 20, 60}},
    {"hot_pixels", {1e-3, 5e-3, 2e-2}},
    {"jumps", {5, 20, 60}},
    {"scanned", {0.75, 0.5, 0.25}},
};

/* True when a comma-separated list (NULL: everything) has the name. */
static bool listed(const char *list, const char *name)
{
    const size_t n = strlen(name);
    for (const char *at = list; at && (at = strstr(at, name)); at += n)
        if ((at == list || at[-1] == ',') && (at[n] == ',' || at[n] == '\0')) return true;
    return list == NULL;
}

static reshed_status run_shifted(shift *s, const char *effect, double strength, reshed_error *err)
{
    int fields;
    const rs_twin_field *field = rs_twin_effect_fields(&fields);
    s->change = (eval_change){rs_twin_field_find(field, fields, effect), strength};
    reshed_status st = run_block(s, BLOCK_SHIFTED, s->o->frames, err);
    if (st != RESHED_OK) return st;
    eval_shift_news news = news_of(s, EVAL_SHIFT_SHIFTED, effect, strength);
    if ((st = summarise(s, &news.row, err)) != RESHED_OK) return st;
    news.row.change = news.row.f - s->reference;
    s->news(s->ctx, &news);
    return RESHED_OK;
}

/* A model of the score can be put into reshed's own kind of file only. */
static reshed_status check_kind(const eval_shift_options *o, reshed_error *err)
{
    rs_model_file m = {0};
    if (!o->store) return RESHED_OK;
    reshed_status st = rs_weights_read_h5(o->weights, &m, err);
    rs_model_file_clear(&m);
    return st;
}

reshed_status eval_shift_run(const eval_shift_options *o,
                             void (*news)(void *ctx, const eval_shift_news *n), void *ctx,
                             reshed_error *err)
{
    shift s = {.o = o, .news = news, .ctx = ctx, .threads = rs_threads_or_all(o->threads)};
    const size_t n = (size_t)o->frames;
    s.twin = (eval_twin){
        .size = o->size, .harsh = o->harsh, .plain = o->plain, .film = o->film, .steady = true};
    s.usual = rs_alloc(n, sizeof *s.usual);
    s.usual_features = rs_alloc(n, RS_OOD_FEATURES * sizeof *s.usual_features);
    reshed_status st =
        s.usual && s.usual_features ? check_kind(o, err) : rs_fail_nomem(err, "scores", n * 8);
    if (st == RESHED_OK) st = eval_net_open(o->weights, s.threads, &s.net, err);
    if (st == RESHED_OK && (o->store || !rs_ood_known(&model_of(&s)->ood))) st = fit_score(&s, err);
    if (st == RESHED_OK && o->store) st = rs_weights_write_h5(o->weights, model_of(&s), NULL, err);
    if (st == RESHED_OK) st = run_usual(&s, err);
    if (st == RESHED_OK) st = run_unshifted(&s, err);
    for (size_t e = 0; e < sizeof plan / sizeof *plan && st == RESHED_OK; e++) {
        if (!listed(o->effect, plan[e].effect)) continue;
        for (int k = 0; k < 6 && plan[e].strength[k] != 0 && st == RESHED_OK; k++)
            st = run_shifted(&s, plan[e].effect, plan[e].strength[k], err);
    }
    drop_block(&s);
    rs_free(s.usual);
    rs_free(s.usual_features);
    eval_net_close(&s.net);
    return st;
}
