/* table.c - reshed-evaluate table: one row for each method on each set. */
#include "tools/evaluate/job.h"

#include <math.h>

#include "base/alloc.h"
#include "base/json.h"
#include "evaluate/table.h"
#include "report/reliability.h"

#define SCORES 9

static void scores_in_order(const rs_wall_scores *s, double v[SCORES])
{
    const double order[SCORES] = {s->precision, s->recall,         s->f,   s->strict, s->loose,
                                  s->best,      s->best_threshold, s->iou, s->ece};
    for (int i = 0; i < SCORES; i++) v[i] = order[i];
}

static void print_row(const eval_table_row *r)
{
    double v[SCORES];
    scores_in_order(&r->scores, v);
    printf("%-22s %-44s", r->set, r->method);
    for (int i = 0; i < SCORES; i++)
        if (isnan(v[i]))
            printf("      -");
        else
            printf(" %6.*f", i == 6 ? 2 : 3, v[i]);
    putchar('\n');
}

static void print_text(const eval_table *t)
{
    printf("%-22s %-44s   prec    rec      F F(1px) F(2px) best F     at    IoU    ECE\n", "set",
           "method");
    for (int i = 0; i < t->rows; i++) print_row(&t->row[i]);
    printf("part not scanned: largest probability beyond %d rows from the front %.3f, above "
           "%.1f in %ld of %ld frames\n",
           EVAL_FRONT_ROWS, (double)t->largest_ahead, (double)EVAL_AHEAD, t->frames_ahead,
           t->partial_frames);
}

static void print_json(const eval_table *t)
{
    static const char *const key[SCORES] = {"edge_precision",      "edge_recall", "edge_f",
                                            "edge_f_1px",          "edge_f_2px",  "edge_best_f",
                                            "edge_best_threshold", "iou",         "ece_near_walls"};
    rs_json j = rs_json_to(stdout);
    for (int i = 0; i < t->rows; i++) {
        double v[SCORES];
        scores_in_order(&t->row[i].scores, v);
        rs_json_object(&j, NULL);
        rs_json_string(&j, "set", t->row[i].set);
        rs_json_string(&j, "method", t->row[i].method);
        for (int k = 0; k < SCORES; k++) rs_json_number(&j, key[k], v[k]);
        rs_json_end(&j);
    }
    rs_json_object(&j, NULL);
    rs_json_string(&j, "set", t->partial);
    rs_json_number(&j, "largest_ahead", (double)t->largest_ahead);
    rs_json_integer(&j, "frames_ahead", t->frames_ahead);
    rs_json_integer(&j, "frames", t->partial_frames);
    rs_json_end(&j);
}

/* Images and walls alternate on the command line. */
static reshed_status part_pairs(const eval_job *j, const char **image, const char **walls,
                                reshed_error *err)
{
    if (!image || !walls) return rs_fail_nomem(err, "paths", (size_t)j->pairs * sizeof *image);
    for (int i = 0; i < j->pairs; i++) {
        image[i] = j->pair[2 * i];
        walls[i] = j->pair[2 * i + 1];
    }
    return RESHED_OK;
}

int eval_table_command(const eval_job *j)
{
    const char **image = rs_alloc((size_t)j->pairs, sizeof *image);
    const char **walls = rs_alloc((size_t)j->pairs, sizeof *walls);
    const eval_table_options o = {.weights = j->weights,
                                  .threads = (int)j->threads,
                                  .image = image,
                                  .walls = walls,
                                  .labelled = j->pairs,
                                  .frames = j->frames,
                                  .size = (int)j->size,
                                  .seed = (uint64_t)j->seed,
                                  .harsh = j->harsh,
                                  .plain = j->plain,
                                  .film = j->film};
    eval_table t = {0};
    char where[64] = "";
    reshed_error err = {0};
    reshed_status st = part_pairs(j, image, walls, &err);
    if (st == RESHED_OK) st = eval_table_make(&o, &t, where, &err);
    if (st == RESHED_OK && j->reliability)
        st = rs_report_reliability(j->reliability, &t.calibration, t.usual, &err);
    if (st == RESHED_OK) (j->json ? print_json : print_text)(&t);
    eval_table_clear(&t);
    rs_free(image);
    rs_free(walls);
    if (st == RESHED_OK) return cli_close(j->program);
    return cli_fail(j->program, where[0] ? where : j->weights, &err);
}
