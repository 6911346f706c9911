/* shift.c - reshed-evaluate shift: what changes of the instrument do to the ensemble and to
 * the baselines, and whether the out-of-distribution score notices.
 *
 * Blocks of simulated frames, each of its own seed, so that no frame serves twice:
 *   fit        the score's model: mean and covariance of the features
 *   threshold  the 98.5th percentile of the score there becomes the threshold
 *   usual      what shifted frames are compared with; nothing is fitted to it
 *   shifted    one block for all effects and strengths; its unshifted row is the reference of the
 *              edge scores, and the baselines' parameters are tuned on it */
#include "tools/evaluate/job.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "base/statistics.h"
#include "evaluate/tally.h"
#include "imgproc/image/normalise.h"
#include "infer/judge.h"
#include "evaluate/roc.h"
#include "io/weights/weights.h"

#define ALARM_PERCENTILE 98.5 /* leaves room for chance below the 2 % that are promised */

enum { BLOCK_FIT = 1, BLOCK_THRESHOLD, BLOCK_USUAL, BLOCK_SHIFTED };
enum { WITH_BOUNDARY, WITH_RAW_BOUNDARY, WITH_CANNY, BASELINES };

typedef struct shifted_frame {
    eval_tally tally; /* of the ensemble */
    eval_count baseline[BASELINES];
    double mean_variance, features[RS_OOD_FEATURES], score, wall_share;
    bool scored; /* enough is scanned for a score */
    reshed_status status;
    reshed_error err;
} shifted_frame;

typedef struct shift {
    const eval_job *j;
    eval_net net;
    int threads;
    /* The block at work. */
    uint64_t seed;
    eval_twin twin;
    eval_change change;
    bool tune, plain; /* every parameter of the baselines; no scores at all */
    int parameter[BASELINES];
    eval_count (*tuning)[BASELINES][EVAL_CANNYS]; /* [frames], while tuning */
    shifted_frame *frame;                         /* [n] */
    long n;
    double *usual; /* [frames] scores of the usual block */
    double reference;
} shift;

/* -------------------------------------------------------------------------------------- a block */

static reshed_status baseline(const eval_frame *f, int which, int k, eval_count *c,
                              reshed_error *err)
{
    switch (which) {
    case WITH_BOUNDARY: return eval_boundary(f, f->image, k, c, err);
    case WITH_RAW_BOUNDARY: return eval_boundary(f, f->raw, k, c, err);
    default: return eval_canny(f, k, c, err);
    }
}

static int parameters_of(int which)
{
    return which == WITH_CANNY ? EVAL_CANNYS : EVAL_BOUNDARIES;
}

static reshed_status baselines(shift *s, int64_t i, const eval_frame *f, shifted_frame *r,
                               reshed_error *err)
{
    reshed_status st = RESHED_OK;
    for (int b = 0; b < BASELINES && st == RESHED_OK; b++) {
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
    const size_t n = (size_t)f->height * (size_t)f->width;
    const size_t scanned = (size_t)f->scanned * (size_t)f->width;
    float *mean = rs_alloc(2 * n, sizeof *mean), *variance = mean + n;
    if (!mean) return rs_fail_nomem(err, "maps", 2 * n * sizeof *mean);
    reshed_status st = eval_net_run(&s->net, worker, f, mean, variance, NULL, err);
    if (st == RESHED_OK) {
        st = rs_ood_features(f->image, mean, variance, f->width, 0, f->scanned, r->features, err);
        r->scored = st == RESHED_OK;
        if (st == RESHED_EUNSUPPORTED && !s->plain) st = RESHED_OK; /* too little is scanned */
    }
    if (st == RESHED_OK && !s->plain) st = eval_tally_map(f, mean, false, &r->tally, err);
    for (size_t k = 0; k < scanned && st == RESHED_OK; k++) {
        r->mean_variance += (double)variance[k] / (double)scanned;
        r->wall_share += (double)(mean[k] > 0.5f) / (double)scanned;
    }
    if (st == RESHED_OK && !s->plain) st = baselines(s, i, f, r, err);
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
    if (r->status == RESHED_OK && r->scored && rs_ood_known(&s->net.model.ood))
        r->status = rs_ood_score(&s->net.model.ood, r->features, &r->score, &r->err);
    eval_frame_clear(&f);
}

static void drop_block(shift *s)
{
    for (long i = 0; s->frame && i < s->n; i++) eval_tally_clear(&s->frame[i].tally);
    rs_free(s->frame);
    s->frame = NULL;
    s->n = 0;
}

static reshed_status run_block(shift *s, int block, long n, reshed_error *err)
{
    drop_block(s);
    s->frame = rs_zalloc((size_t)n, sizeof *s->frame);
    if (!s->frame) return rs_fail_nomem(err, "frames", (size_t)n * sizeof *s->frame);
    s->n = n;
    s->seed = (uint64_t)s->j->seed * 10 + (uint64_t)block;
    rs_parallel_for(s->threads, n, one_frame, s);
    for (long i = 0; i < n; i++)
        if (s->frame[i].status != RESHED_OK) {
            *err = s->frame[i].err;
            return s->frame[i].status;
        }
    return RESHED_OK;
}

static void print_frames(const shift *s, const char *effect, double value)
{
    for (long i = 0; i < s->n; i++) {
        printf("{\"effect\": \"%s\", \"strength\": %g, \"frame\": %ld, \"wall_share\": %.4f",
               effect, value, i, s->frame[i].wall_share);
        for (int k = 0; k < RS_OOD_FEATURES; k++) {
            printf(", \"%s\": ", rs_ood_feature_name(k));
            cli_json_number(stdout, s->frame[i].features[k]);
        }
        puts("}");
    }
}

/* ---------------------------------------------------------------------------- the score's model */

static reshed_status fit_score(shift *s, reshed_error *err)
{
    const long n = s->j->fit;
    double *x = rs_alloc((size_t)n * RS_OOD_FEATURES, sizeof *x);
    if (!x) return rs_fail_nomem(err, "features", (size_t)n * RS_OOD_FEATURES * sizeof *x);
    s->plain = true;
    s->net.model.ood = (rs_ood_model){0};
    s->net.model.ood_threshold = 0;
    reshed_status st = run_block(s, BLOCK_FIT, n, err);
    if (st == RESHED_OK && s->j->features && s->j->json) print_frames(s, "fit", 0);
    for (long i = 0; i < n && st == RESHED_OK; i++)
        memcpy(x + i * RS_OOD_FEATURES, s->frame[i].features, sizeof s->frame[i].features);
    if (st == RESHED_OK) st = rs_ood_fit(x, (int)n, &s->net.model.ood, err);
    if (st == RESHED_OK) st = run_block(s, BLOCK_THRESHOLD, n, err);
    for (long i = 0; i < n && st == RESHED_OK; i++) x[i] = s->frame[i].score;
    if (st == RESHED_OK) {
        rs_sort(x, (size_t)n);
        s->net.model.ood_threshold = rs_sorted_quantile(x, (size_t)n, ALARM_PERCENTILE / 100);
    }
    s->plain = false;
    rs_free(x);
    return st;
}

/* ------------------------------------------------------------------------------------- printing */

/* Separation of the shifted frames by each feature alone, whichever way it goes. */
static void print_features(const shift *s, const double *usual)
{
    const long m = s->j->frames;
    double *x = rs_alloc((size_t)s->n, sizeof *x);
    printf("   ");
    for (int k = 0; x && k < RS_OOD_FEATURES; k++) {
        rs_roc roc;
        for (long i = 0; i < s->n; i++) x[i] = s->frame[i].features[k];
        if (rs_roc_area(usual + k * m, (size_t)m, x, (size_t)s->n, &roc, NULL) == RESHED_OK)
            printf(" %s %.2f", rs_ood_feature_name(k), roc.auroc);
    }
    printf("\n");
    rs_free(x);
}

typedef struct shift_row {
    double f, baseline[BASELINES], variance, ece, alarms;
    rs_roc roc;
} shift_row;

static reshed_status summarise(shift *s, shift_row *row, reshed_error *err)
{
    eval_tally sum = {0};
    eval_count base[BASELINES] = {{0}};
    rs_calibration c;
    size_t scored = 0;
    reshed_status st = RESHED_OK;
    double *score = rs_alloc((size_t)s->n, sizeof *score);
    if (!score) return rs_fail_nomem(err, "scores", (size_t)s->n * sizeof *score);
    *row = (shift_row){0};
    for (long i = 0; i < s->n && st == RESHED_OK; i++) {
        shifted_frame *r = &s->frame[i];
        for (int b = 0; b < BASELINES; b++) eval_count_add(&base[b], &r->baseline[b]);
        row->variance += r->mean_variance / (double)s->n;
        if (r->scored) {
            row->alarms += r->score > s->net.model.ood_threshold;
            score[scored++] = r->score;
        }
        st = eval_tally_add(&sum, &r->tally, err);
    }
    row->alarms = scored ? row->alarms / (double)scored : NAN;
    row->roc = (rs_roc){NAN, NAN, NAN};
    if (st == RESHED_OK && scored >= 2)
        st = rs_roc_area(s->usual, (size_t)s->j->frames, score, scored, &row->roc, err);
    if (st == RESHED_OK) {
        row->f = eval_count_f(&sum.at[1]);
        for (int b = 0; b < BASELINES; b++) row->baseline[b] = eval_count_f(&base[b]);
        eval_tally_reliability(&sum, &c);
        row->ece = c.ece;
    }
    eval_tally_clear(&sum);
    rs_free(score);
    return st;
}

static void print_row(const shift *s, const char *effect, double value, const shift_row *r)
{
    if (s->j->json) {
        const struct {
            const char *key;
            double v;
        } n[] = {{"strength", value},
                 {"edge_f", r->f},
                 {"boundary_f", r->baseline[WITH_BOUNDARY]},
                 {"raw_boundary_f", r->baseline[WITH_RAW_BOUNDARY]},
                 {"canny_f", r->baseline[WITH_CANNY]},
                 {"mean_variance", r->variance},
                 {"ece_near_walls", r->ece},
                 {"auroc", r->roc.auroc},
                 {"auroc_low", r->roc.low},
                 {"auroc_high", r->roc.high},
                 {"alarms", r->alarms}};
        printf("{\"effect\": \"%s\"", effect);
        for (size_t i = 0; i < sizeof n / sizeof *n; i++) {
            printf(", \"%s\": ", n[i].key);
            cli_json_number(stdout, n[i].v);
        }
        puts("}");
    } else {
        printf("%-12s %8.4g  %.3f %+.3f  %.3f %.3f %.3f   %.4f %.3f  %.3f [%.3f,%.3f] %5.1f %%%s\n",
               effect, value, r->f, r->f - s->reference, r->baseline[WITH_BOUNDARY],
               r->baseline[WITH_RAW_BOUNDARY], r->baseline[WITH_CANNY], r->variance, r->ece,
               r->roc.auroc, r->roc.low, r->roc.high, 100 * r->alarms,
               r->f < 0.7 ? "  F < 0.7" : "");
    }
    fflush(stdout);
}

/* ----------------------------------------------------------------------------------- the report */

/* How the score of usual frames goes with the share of wall pixels: it should not. */
static double wall_correlation(const shift *s)
{
    double mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
    for (long i = 0; i < s->n; i++) {
        mx += s->frame[i].wall_share / (double)s->n;
        my += s->frame[i].score / (double)s->n;
    }
    for (long i = 0; i < s->n; i++) {
        double x = s->frame[i].wall_share - mx, y = s->frame[i].score - my;
        xx += x * x;
        yy += y * y;
        xy += x * y;
    }
    return xy / sqrt(xx * yy);
}

/* The usual block, whose scores are kept, and the shifted block before anything is shifted, on
 * which the baselines are tuned. */
static reshed_status prepare(shift *s, double *features, shift_row *row, reshed_error *err)
{
    const long n = s->j->frames;
    double alarms = 0;
    s->plain = true;
    reshed_status st = run_block(s, BLOCK_USUAL, n, err);
    s->plain = false;
    if (st != RESHED_OK) return st;
    if (s->j->features && s->j->json) print_frames(s, "usual", 0);
    for (long i = 0; i < n; i++) {
        s->usual[i] = s->frame[i].score;
        alarms += (s->frame[i].score > s->net.model.ood_threshold) / (double)n;
        for (int k = 0; k < RS_OOD_FEATURES; k++) features[k * n + i] = s->frame[i].features[k];
    }
    if (!s->j->json)
        printf("score: threshold %.3f; %.1f %% false alarms on %ld usual frames; correlation with "
               "the share of walls %+.2f\n",
               s->net.model.ood_threshold, 100 * alarms, n, wall_correlation(s));
    s->tuning = rs_zalloc((size_t)n, sizeof *s->tuning);
    if (!s->tuning) return rs_fail_nomem(err, "baselines", (size_t)n * sizeof *s->tuning);
    s->tune = true;
    st = run_block(s, BLOCK_SHIFTED, n, err);
    s->tune = false;
    for (int b = 0; b < BASELINES && st == RESHED_OK; b++) {
        eval_count sum[EVAL_CANNYS] = {{0}};
        for (long i = 0; i < n; i++)
            for (int k = 0; k < parameters_of(b); k++) eval_count_add(&sum[k], &s->tuning[i][b][k]);
        s->parameter[b] = eval_best_count(sum, parameters_of(b));
        for (long i = 0; i < n; i++) s->frame[i].baseline[b] = s->tuning[i][b][s->parameter[b]];
    }
    rs_free(s->tuning);
    return st == RESHED_OK ? summarise(s, row, err) : st;
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

/* Whether a comma-separated list (NULL: everything) has the name. */
static bool listed(const char *list, const char *name)
{
    const size_t n = strlen(name);
    for (const char *at = list; at && (at = strstr(at, name)); at += n)
        if ((at == list || at[-1] == ',') && (at[n] == ',' || at[n] == '\0')) return true;
    return list == NULL;
}

static reshed_status report(shift *s, reshed_error *err)
{
    int fields;
    const rs_twin_field *field = rs_twin_effect_fields(&fields);
    const long n = s->j->frames;
    shift_row row;
    double *features = rs_alloc((size_t)n * RS_OOD_FEATURES, sizeof *features);
    if (!features) return rs_fail_nomem(err, "features", (size_t)n * RS_OOD_FEATURES * 8);
    reshed_status st = prepare(s, features, &row, err);
    if (st == RESHED_OK) {
        char what[3][40];
        s->reference = row.f;
        eval_boundary_text(s->parameter[WITH_BOUNDARY], what[0], sizeof what[0]);
        eval_boundary_text(s->parameter[WITH_RAW_BOUNDARY], what[1], sizeof what[1]);
        eval_canny_text(s->parameter[WITH_CANNY], what[2], sizeof what[2]);
        if (!s->j->json)
            printf(
                "carried over: boundary at %s of the scaled image, at %s of the amplitude in "
                "units of the c domain; Canny %s\n"
                "effect       strength  edge F change  bound. raw   Canny   variance ECE    AUROC "
                "of the score   alarms\n",
                what[0], what[1], what[2]);
        print_row(s, "none", 0, &row);
    }
    for (size_t e = 0; e < sizeof plan / sizeof *plan && st == RESHED_OK; e++) {
        if (!listed(s->j->effect, plan[e].effect)) continue;
        for (int k = 0; k < 6 && plan[e].strength[k] != 0 && st == RESHED_OK; k++) {
            s->change = (eval_change){rs_twin_field_find(field, fields, plan[e].effect),
                                      plan[e].strength[k]};
            st = run_block(s, BLOCK_SHIFTED, n, err);
            if (st == RESHED_OK) st = summarise(s, &row, err);
            if (st != RESHED_OK) break;
            print_row(s, plan[e].effect, plan[e].strength[k], &row);
            if (s->j->features && !s->j->json) print_features(s, features);
            if (s->j->features && s->j->json) print_frames(s, plan[e].effect, plan[e].strength[k]);
        }
    }
    rs_free(features);
    return st;
}

/* What is stored goes into reshed's own kind of file. */
static reshed_status check_kind(const eval_job *j, reshed_error *err)
{
    rs_model_file m = {0};
    if (!j->store) return RESHED_OK;
    reshed_status st = rs_weights_read_h5(j->weights, &m, err);
    rs_model_file_clear(&m);
    return st;
}

int eval_shift(const eval_job *j)
{
    shift s = {.j = j, .threads = rs_threads_or_all((int)j->threads)};
    reshed_error err = {0};
    s.twin =
        (eval_twin){.size = (int)j->size, .harsh = j->harsh, .plain = j->plain, .steady = true};
    s.usual = rs_alloc((size_t)j->frames, sizeof *s.usual);
    reshed_status st =
        s.usual ? check_kind(j, &err) : rs_fail_nomem(&err, "scores", (size_t)j->frames * 8);
    if (st == RESHED_OK) st = eval_net_open(j->weights, s.threads, &s.net, &err);
    if (st == RESHED_OK && (j->store || !rs_ood_known(&s.net.model.ood))) st = fit_score(&s, &err);
    if (st == RESHED_OK && j->store) st = rs_weights_write_h5(j->weights, &s.net.model, NULL, &err);
    if (st == RESHED_OK) st = report(&s, &err);
    drop_block(&s);
    rs_free(s.usual);
    eval_net_close(&s.net);
    return st == RESHED_OK ? cli_close(j->program) : cli_fail(j->program, j->weights, &err);
}
