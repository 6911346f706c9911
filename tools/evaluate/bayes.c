/* bayes.c - reshed-evaluate bayes: a row for each weights file. */
#include "tools/evaluate/job.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "evaluate/bayes.h"

static void print_number(double v)
{
    if (isnan(v))
        printf("      -");
    else
        printf("  %.3f", v);
}

static void print_text(const eval_bayes_row *row, int n)
{
    printf(
        "%-24s members |  usual: F   best     ECE | shifted: F    ECE | AUROC: entropy variance |  "
        "ms a frame\n",
        "method");
    for (int i = 0; i < n; i++) {
        const eval_bayes_row *r = &row[i];
        printf("%-24s %7d    ", r->name, r->members);
        print_number(r->block[0].f);
        print_number(r->block[0].best);
        print_number(r->block[0].ece);
        printf("        ");
        print_number(r->shifted_f);
        print_number(r->shifted_ece);
        printf("         ");
        for (int s = 0; s < EVAL_BAYES_SCORES; s++) print_number(r->auroc[s]);
        printf("   %9.1f\n", 1e3 * r->seconds);
    }
}

static void print_json(const eval_bayes_row *row, int n)
{
    rs_json j = rs_json_to(stdout);
    for (int i = 0; i < n; i++) {
        const eval_bayes_row *r = &row[i];
        rs_json_object(&j, NULL);
        rs_json_string(&j, "method", r->name);
        rs_json_integer(&j, "members", r->members);
        rs_json_number(&j, "edge_f", r->block[0].f);
        rs_json_number(&j, "edge_best_f", r->block[0].best);
        rs_json_number(&j, "ece_near_walls", r->block[0].ece);
        rs_json_number(&j, "shifted_edge_f", r->shifted_f);
        rs_json_number(&j, "shifted_ece_near_walls", r->shifted_ece);
        rs_json_number(&j, "auroc_entropy", r->auroc[EVAL_BAYES_ENTROPY]);
        rs_json_number(&j, "auroc_variance", r->auroc[EVAL_BAYES_VARIANCE]);
        rs_json_number(&j, "frame_seconds", r->seconds);
        rs_json_array(&j, "shifts");
        for (int k = 1; k <= EVAL_BAYES_SHIFTS; k++) {
            const eval_bayes_block *b = &r->block[k];
            rs_json_object(&j, NULL);
            rs_json_string(&j, "effect", b->effect);
            rs_json_number(&j, "strength", b->strength);
            rs_json_number(&j, "edge_f", b->f);
            rs_json_number(&j, "ece_near_walls", b->ece);
            rs_json_number(&j, "auroc_entropy", b->roc[EVAL_BAYES_ENTROPY].auroc);
            rs_json_number(&j, "auroc_variance", b->roc[EVAL_BAYES_VARIANCE].auroc);
            rs_json_end(&j);
        }
        rs_json_end(&j);
        rs_json_end(&j);
    }
}

/* NAME[:N]=FILE; the text is cut into its parts. False after a message. */
static bool parse(const eval_job *j, char *text, eval_bayes_method *m)
{
    char *eq = strchr(text, '='), *colon;
    long members = 0;
    if (!eq || eq == text || !eq[1]) {
        cli_usage_error(j->program, "bayes: expected NAME=FILE or NAME:N=FILE, found '%s'", text);
        return false;
    }
    *eq = '\0';
    colon = strrchr(text, ':');
    if (colon && !cli_int(j->program, "members of NAME:N", colon + 1, 1, 1024, &members))
        return false;
    if (colon) *colon = '\0';
    *m = (eval_bayes_method){text, eq + 1, (int)members};
    return true;
}

int eval_bayes_command(eval_job *j)
{
    const char *where = NULL;
    reshed_error err = {0};
    int status = CLI_OK;
    eval_bayes_method *method = rs_zalloc((size_t)j->pairs, sizeof *method);
    eval_bayes_row *row = rs_zalloc((size_t)j->pairs, sizeof *row);
    reshed_status st =
        method && row ? RESHED_OK : rs_fail_nomem(&err, "rows", (size_t)j->pairs * sizeof *row);
    for (int i = 0; st == RESHED_OK && status == CLI_OK && i < j->pairs; i++)
        if (!parse(j, j->pair[i], &method[i])) status = CLI_USAGE;
    if (st == RESHED_OK && status == CLI_OK) {
        const eval_bayes_options o = {.method = method,
                                      .methods = j->pairs,
                                      .threads = (int)j->threads,
                                      .frames = j->frames,
                                      .size = (int)j->size,
                                      .seed = (uint64_t)j->seed,
                                      .harsh = j->harsh,
                                      .plain = j->plain,
                                      .film = j->film};
        st = eval_bayes_run(&o, row, &where, &err);
        if (st == RESHED_OK) (j->json ? print_json : print_text)(row, j->pairs);
        status = st == RESHED_OK ? cli_close(j->program) : CLI_OK;
    }
    if (st != RESHED_OK) status = cli_fail(j->program, where ? where : "simulated frames", &err);
    rs_free(method);
    rs_free(row);
    return status;
}
