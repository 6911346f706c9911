/* sample.c - reshed-train sample: networks of one training, or of one chain. */
#include "tools/train/job.h"

#include <stdio.h>

#include "base/json.h"
#include "base/os.h"
#include "base/progress.h"
#include "io/weights/weights.h"
#include "spm/twin/films.h"
#include "train/compare.h"

#define COMPARED 24 /* simulated frames to score by, as after fit */

typedef struct show {
    const char *name;
    rs_progress bar;
    char label[96];
} show;

static void news(void *ctx, const rs_sample_news *n)
{
    show *s = ctx;
    snprintf(s->label, sizeof s->label, "%s loss %.3f, samples %d", s->name, n->loss, n->samples);
    rs_progress_update(&s->bar, n->step);
}

static void print(const train_job *j, const rs_model_file *m, double f, double seconds)
{
    if (!j->json) {
        if (j->quiet) return;
        printf("%s: %d samples in %.0f s\n  F on simulated frames   %.3f\n", CLI_TEXT(j->output),
               m->members, seconds, f);
        return;
    }
    rs_json json = rs_json_to(stdout);
    rs_json_object(&json, NULL);
    rs_json_string(&json, "file", j->output);
    rs_json_string(&json, "command", "sample");
    rs_json_integer(&json, "members", m->members);
    rs_json_integer(&json, "steps", j->sampling.recipe.rate.steps);
    rs_json_number(&json, "seconds", seconds);
    rs_json_number(&json, "holdout_f", f);
    rs_json_string(&json, "recipe", m->recipe);
    rs_json_end(&json);
}

int train_sample(const train_job *j)
{
    rs_sampling sampling = j->sampling;
    const rs_weights_options options = {.fp16 = j->fp16};
    reshed_error err = {0};
    rs_model_file m = {0};
    rs_train_scores scores = {0};
    show s = {.name = j->program->name};
    double seconds = 0;
    reshed_status st = rs_os_check_output(j->output, &err);
    if (st == RESHED_OK) st = rs_isa_select(&sampling.recipe.member.isa, &err);
    if (st == RESHED_OK) {
        snprintf(s.label, sizeof s.label, "%s", s.name);
        rs_progress_start(&s.bar, j->quiet ? NULL : stderr, s.label, sampling.recipe.rate.steps);
        const double begin = rs_os_monotonic();
        st = rs_sample_run(&sampling, j->threads == 1 ? 0 : 1, news, &s, &m, &err);
        seconds = rs_os_monotonic() - begin;
        rs_progress_finish(&s.bar);
    }
    if (st == RESHED_OK) st = rs_weights_write_h5(j->output, &m, &options, &err);
    if (st == RESHED_OK)
        st = rs_train_compare(&m, sampling.recipe.batches.scene.film, COMPARED, NULL, 0,
                              (int)j->threads, &scores, &err);
    if (st == RESHED_OK) print(j, &m, scores.holdout, seconds);
    rs_model_file_clear(&m);
    return st == RESHED_OK ? cli_close(j->program) : cli_fail(j->program, j->output, &err);
}
