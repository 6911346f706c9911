/* train.c - reshed-train fit and tune. */
#include "tools/train/job.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/os.h"
#include "base/progress.h"
#include "infer/ensemble.h"
#include "io/weights/model.h"
#include "io/weights/weights.h"
#include "report/save.h"
#include "spm/twin/random.h"
#include "train/budget.h"
#include "train/compare.h"
#include "train/run.h"

/* Simulated frames by which an ensemble is compared with what it was. */
#define COMPARED 24

/* ------------------------------------------------------------------------------------ progress */
typedef struct show {
    const char *name;
    rs_progress bar;
    char label[96];
    long *done; /* [members], steps in this run */
    long sum;
} show;

static void news(void *ctx, const rs_train_news *n)
{
    show *s = ctx;
    if (n->resumed) {
        s->done[n->member] = n->step;
        s->bar.total -= n->step;
        return;
    }
    s->sum += n->step - s->done[n->member];
    s->done[n->member] = n->step;
    int k = snprintf(s->label, sizeof s->label, "%s", s->name);
    if (isfinite(n->loss))
        k += snprintf(s->label + k, sizeof s->label - (size_t)k, " loss %.3f", n->loss);
    if (isfinite(n->f)) snprintf(s->label + k, sizeof s->label - (size_t)k, " F %.3f", n->f);
    rs_progress_update(&s->bar, s->sum);
}

/* ------------------------------------------------------------------------------------- results */
typedef struct outcome {
    rs_train_result result;
    rs_train_scores before, after; /* before: of tune */
    double seconds;
} outcome;

/* The mean over the members of their last loss, and of their last F. */
static void last_points(const rs_train_result *r, double *loss, double *f)
{
    const int members = r->model.members;
    *loss = *f = 0;
    for (int m = 0; m < members; m++) {
        double l = NAN, g = NAN;
        for (int i = 0; i < r->curve[m].n; i++) {
            const rs_curve_point *p = &r->curve[m].point[i];
            if (isfinite(p->loss)) l = p->loss;
            if (isfinite(p->f)) g = p->f;
        }
        *loss += l / members;
        *f += g / members;
    }
}

static void print_json(const train_job *j, const outcome *o)
{
    char hex[65];
    double loss, f;
    rs_model_file_digest(&o->result.model, hex);
    last_points(&o->result, &loss, &f);
    rs_json json = rs_json_to(stdout);
    rs_json_object(&json, NULL);
    rs_json_string(&json, "file", j->output);
    rs_json_string(&json, "command", j->tune ? "tune" : "fit");
    rs_json_integer(&json, "members", o->result.model.members);
    rs_json_integer(&json, "steps", j->recipe.rate.steps);
    rs_json_number(&json, "seconds", o->seconds);
    rs_json_number(&json, "loss", loss);
    rs_json_number(&json, "member_f", f);
    rs_json_number(&json, "holdout_f_before", o->before.holdout);
    rs_json_number(&json, "holdout_f", o->after.holdout);
    rs_json_number(&json, "own_f_before", o->before.own);
    rs_json_number(&json, "own_f", o->after.own);
    rs_json_integer(&json, "peak_rss_mib", (int64_t)(rs_os_peak_rss() >> 20));
    rs_json_string(&json, "recipe", o->result.model.recipe);
    rs_json_string(&json, "sha256", hex);
    rs_json_end(&json);
}

static void print_text(const train_job *j, const outcome *o)
{
    printf("%s: %d members, %ld steps each, in %.0f s\n", CLI_TEXT(j->output),
           o->result.model.members, j->recipe.rate.steps, o->seconds);
    if (j->tune) {
        printf("  F on simulated frames   %.3f, before %.3f\n", o->after.holdout,
               o->before.holdout);
        printf("  F on the frames learnt  %.3f, before %.3f\n", o->after.own, o->before.own);
    } else {
        printf("  F on simulated frames   %.3f\n", o->after.holdout);
        if (isfinite(o->after.own)) printf("  F on the frames learnt  %.3f\n", o->after.own);
    }
    printf("  no out-of-distribution score yet: reshed-evaluate shift --weights %s --store\n",
           CLI_TEXT(j->output));
}

static reshed_status save_curve(const train_job *j, const rs_train_result *r, reshed_error *err)
{
    rs_figure *f = NULL;
    if (!j->curve) return RESHED_OK;
    reshed_status st = rs_curve_figure(r->curve, r->model.members, 1000, 420, &f, err);
    return rs_report_save_figure(st, f, j->curve, err);
}

/* ------------------------------------------------------------------------------------ the work */
static reshed_status read_frames(train_job *j, const rs_model_file *start, rs_picture *own,
                                 const char **where, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    const double lo = start ? start->pixel_size_min : RS_TWIN_PIXEL_MIN;
    const double hi = start ? start->pixel_size_max : RS_TWIN_PIXEL_MAX;
    for (int i = 0; st == RESHED_OK && i < j->operands / 2; i++) {
        const rs_picture_files files = {j->operand[2 * i], j->operand[2 * i + 1],
                                        i < j->unknowns ? j->unknown[i] : NULL};
        st = rs_picture_read(&files, lo, hi, &own[i], where, err);
        if (st == RESHED_OK) st = rs_picture_distance(&own[i], err);
    }
    j->recipe.batches.own = own;
    j->recipe.batches.owns = j->operands / 2;
    return st;
}

static reshed_status train(train_job *j, const rs_model_file *start, const char *folder, outcome *o,
                           reshed_error *err)
{
    const rs_train_recipe *r = &j->recipe;
    show s = {.name = j->program->name, .done = rs_zalloc((size_t)r->members, sizeof *s.done)};
    const rs_train_job job = {.recipe = r,
                              .start = start,
                              .folder = folder,
                              .threads = (int)j->threads,
                              .news = news,
                              .ctx = &s};
    if (!s.done) return rs_fail_nomem(err, "counts", (size_t)r->members * sizeof *s.done);
    snprintf(s.label, sizeof s.label, "%s", s.name);
    rs_progress_start(&s.bar, j->quiet ? NULL : stderr, s.label, r->members * r->rate.steps);
    const double begin = rs_os_monotonic();
    reshed_status st = rs_train_run(&job, &o->result, err);
    o->seconds = rs_os_monotonic() - begin;
    rs_progress_finish(&s.bar);
    rs_free(s.done);
    return st;
}

static reshed_status settle_steps(train_job *j, const char *folder, reshed_error *err)
{
    const rs_batches *b = &j->recipe.batches;
    const rs_train_limit limit = {.minutes = j->minutes,
                                  .threads = (int)j->threads,
                                  .pixels = (j->tune ? 2 : 1) *
                                            rs_train_compared_pixels(COMPARED, b->own, b->owns),
                                  .folder = folder};
    return rs_train_budget(&j->recipe, &limit, err);
}

/* Scores before, training, scores after, files: the weights first. */
static reshed_status do_all(train_job *j, const rs_model_file *start, const char *folder,
                            outcome *o, const char **where, reshed_error *err)
{
    const rs_train_recipe *r = &j->recipe;
    const rs_batches *b = &r->batches;
    const int threads = (int)j->threads;
    const rs_weights_options options = {.fp16 = j->fp16};
    reshed_status st = rs_isa_select(&j->recipe.member.isa, err);
    if (st == RESHED_OK && j->minutes > 0) st = settle_steps(j, folder, err);
    o->before = (rs_train_scores){NAN, NAN};
    if (st == RESHED_OK && start)
        st = rs_train_compare(start, b->scene.film, COMPARED, b->own, b->owns, threads, &o->before,
                              err);
    if (st == RESHED_OK) {
        *where = folder;
        st = train(j, start, folder, o, err);
    }
    if (st == RESHED_OK)
        st = rs_train_compare(&o->result.model, b->scene.film, COMPARED, b->own, b->owns, threads,
                              &o->after, err);
    if (st == RESHED_OK) {
        *where = j->output;
        st = rs_weights_write_h5(j->output, &o->result.model, &options, err);
    }
    if (st == RESHED_OK) {
        *where = j->curve;
        st = save_curve(j, &o->result, err);
    }
    return st;
}

static reshed_status load_start(train_job *j, rs_ensemble **start, reshed_error *err)
{
    if (!j->tune) return RESHED_OK;
    reshed_status st = rs_ensemble_load(j->weights, start, err);
    if (st != RESHED_OK) return st;
    j->recipe.arch = (*start)->arch;
    if (j->members == 0) j->recipe.members = (*start)->model.members;
    return RESHED_OK;
}

/* Whatever would stop the files from being written after hours of work. */
static reshed_status check_outputs(const train_job *j, const char **where, reshed_error *err)
{
    *where = j->output;
    reshed_status st = rs_os_check_output(j->output, err);
    if (st != RESHED_OK || !j->curve) return st;
    *where = j->curve;
    if (!rs_report_figure_path(j->curve))
        return rs_fail(err, RESHED_EINVAL, "kind of the figure|*.png, *.svg or *.pdf|another");
    return rs_os_check_output(j->curve, err);
}

/* The folder of checkpoints, which must not be one of the files to come. */
static reshed_status make_folder(const train_job *j, const char *folder, const char **where,
                                 reshed_error *err)
{
    *where = folder;
    reshed_status st = rs_os_make_folder(folder, err);
    if (st != RESHED_OK) return st;
    st = check_outputs(j, where, err);
    /* They were fine before: this one is new, and one of them. */
    if (st != RESHED_OK) rs_os_clear_folder(folder, "member_");
    if (st == RESHED_OK) *where = folder;
    return st;
}

int train_command(train_job *j)
{
    reshed_error err = {0};
    outcome o = {0};
    rs_ensemble *start = NULL;
    char folder[4096];
    const char *where = j->weights;
    const int owns = j->operands / 2;
    rs_picture *own = rs_zalloc((size_t)owns, sizeof *own);
    const int n =
        snprintf(folder, sizeof folder, "%s%s", j->checkpoints ? j->checkpoints : j->output,
                 j->checkpoints ? "" : ".training");
    reshed_status st = own ? RESHED_OK : rs_fail_nomem(&err, "frames", sizeof *own);
    if (st == RESHED_OK && (n < 0 || (size_t)n >= sizeof folder))
        st = rs_fail(&err, RESHED_EINVAL, "path of checkpoints|fewer than %zu bytes|%d",
                     sizeof folder, n);
    if (st == RESHED_OK) st = check_outputs(j, &where, &err);
    if (st == RESHED_OK) {
        where = j->weights;
        st = load_start(j, &start, &err);
    }
    if (st == RESHED_OK) st = read_frames(j, start ? &start->model : NULL, own, &where, &err);
    if (st == RESHED_OK) st = make_folder(j, folder, &where, &err);
    if (st == RESHED_OK) st = do_all(j, start ? &start->model : NULL, folder, &o, &where, &err);
    if (st == RESHED_OK && !j->checkpoints) rs_os_clear_folder(folder, "member_");
    if (st == RESHED_OK && j->json) print_json(j, &o);
    if (st == RESHED_OK && !j->json && !j->quiet) print_text(j, &o);
    for (int i = 0; own && i < owns; i++) rs_picture_clear(&own[i]);
    rs_free(own);
    rs_ensemble_free(start);
    rs_train_result_clear(&o.result);
    return st == RESHED_OK ? cli_close(j->program) : cli_fail(j->program, where, &err);
}
