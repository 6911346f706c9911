/* shift.c - reshed-evaluate shift: a row for each effect and strength, as it is finished. */
#include "tools/evaluate/job.h"

#include <math.h>

#include "base/json.h"
#include "evaluate/shift.h"

static void print_frames(const eval_shift_news *n)
{
    rs_json j = rs_json_to(stdout);
    for (long i = 0; i < n->frames; i++) {
        rs_json_object(&j, NULL);
        rs_json_string(&j, "effect", n->effect);
        rs_json_number(&j, "strength", n->strength);
        rs_json_integer(&j, "frame", i);
        rs_json_number(&j, "wall_share", n->frame[i].wall_share);
        for (int k = 0; k < RS_OOD_FEATURES; k++)
            rs_json_number(&j, rs_ood_feature_name(k), n->frame[i].features[k]);
        rs_json_end(&j);
    }
}

static void print_row_json(const eval_shift_news *n)
{
    const eval_shift_row *r = &n->row;
    rs_json j = rs_json_to(stdout);
    rs_json_object(&j, NULL);
    rs_json_string(&j, "effect", n->effect);
    rs_json_number(&j, "strength", n->strength);
    rs_json_number(&j, "edge_f", r->f);
    rs_json_number(&j, "boundary_f", r->baseline[EVAL_WITH_BOUNDARY]);
    rs_json_number(&j, "raw_boundary_f", r->baseline[EVAL_WITH_RAW_BOUNDARY]);
    rs_json_number(&j, "canny_f", r->baseline[EVAL_WITH_CANNY]);
    rs_json_number(&j, "mean_variance", r->variance);
    rs_json_number(&j, "ece_near_walls", r->ece);
    rs_json_number(&j, "auroc", r->roc.auroc);
    rs_json_number(&j, "auroc_low", r->roc.low);
    rs_json_number(&j, "auroc_high", r->roc.high);
    rs_json_number(&j, "alarms", r->alarms);
    rs_json_end(&j);
}

static void json_news(const eval_job *j, const eval_shift_news *n)
{
    if (n->stage == EVAL_SHIFT_UNSHIFTED || n->stage == EVAL_SHIFT_SHIFTED) print_row_json(n);
    if (j->features && n->stage != EVAL_SHIFT_UNSHIFTED) print_frames(n);
}

static void print_row_text(const eval_shift_news *n)
{
    const eval_shift_row *r = &n->row;
    printf("%-12s %8.4g  %.3f %+.3f  %.3f %.3f %.3f   %.4f %.3f  %.3f [%.3f,%.3f] %5.1f %%%s\n",
           n->effect, n->strength, r->f, r->change, r->baseline[EVAL_WITH_BOUNDARY],
           r->baseline[EVAL_WITH_RAW_BOUNDARY], r->baseline[EVAL_WITH_CANNY], r->variance, r->ece,
           r->roc.auroc, r->roc.low, r->roc.high, 100 * r->alarms, r->f < 0.7 ? "  F < 0.7" : "");
}

static void text_news(const eval_job *j, const eval_shift_news *n)
{
    switch (n->stage) {
    case EVAL_SHIFT_FIT: break;
    case EVAL_SHIFT_USUAL:
        printf("score: threshold %.3f; %.1f %% false alarms on %ld usual frames; correlation with "
               "the share of walls %+.2f\n",
               n->threshold, 100 * n->alarms, n->frames, n->correlation);
        break;
    case EVAL_SHIFT_UNSHIFTED:
        printf("carried over: boundary at %s of the scaled image, at %s of the amplitude in "
               "units of the c domain; Canny %s\n"
               "effect       strength  edge F change  bound. raw   Canny   variance ECE    AUROC "
               "of the score   alarms\n",
               n->parameter[EVAL_WITH_BOUNDARY], n->parameter[EVAL_WITH_RAW_BOUNDARY],
               n->parameter[EVAL_WITH_CANNY]);
        print_row_text(n);
        break;
    case EVAL_SHIFT_SHIFTED:
        print_row_text(n);
        if (!j->features) break;
        printf("   ");
        for (int k = 0; k < RS_OOD_FEATURES; k++)
            if (!isnan(n->row.separation[k]))
                printf(" %s %.2f", rs_ood_feature_name(k), n->row.separation[k]);
        printf("\n");
        break;
    }
}

static void print_news(void *ctx, const eval_shift_news *n)
{
    const eval_job *const *j = ctx;
    ((*j)->json ? json_news : text_news)(*j, n);
    fflush(stdout);
}

int eval_shift_command(const eval_job *j)
{
    const eval_shift_options o = {.weights = j->weights,
                                  .threads = (int)j->threads,
                                  .frames = j->frames,
                                  .fit = j->fit,
                                  .size = (int)j->size,
                                  .seed = (uint64_t)j->seed,
                                  .harsh = j->harsh,
                                  .plain = j->plain,
                                  .film = j->film,
                                  .store = j->store,
                                  .effect = j->effect,
                                  .separation = j->features && !j->json};
    reshed_error err = {0};
    reshed_status st = eval_shift_run(&o, print_news, &j, &err);
    return st == RESHED_OK ? cli_close(j->program) : cli_fail(j->program, j->weights, &err);
}
