/* calibrate.c - reshed-train calibrate: scale and shift of the last layer. */
#include "tools/train/job.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/os.h"
#include "infer/ensemble.h"
#include "io/weights/weights.h"
#include "train/calibrate.h"
#include "train/score.h"

/* The frames to choose by: those that tables of the ensemble do not show. */
#define SET 8
#define SIZE 128
#define HARSH 0.5

static void print(const train_job *j, const rs_calibration_trial *trial, int count, int best)
{
    rs_json json = rs_json_to(stdout);
    if (j->json) rs_json_object(&json, NULL);
    if (j->json) rs_json_array(&json, "trials");
    for (int k = 0; k < count; k++) {
        const rs_calibration_trial *t = &trial[k];
        if (j->json) {
            rs_json_object(&json, NULL);
            rs_json_number(&json, "scale", t->scale);
            rs_json_number(&json, "shift", t->shift);
            rs_json_number(&json, "edge_f", t->scores.f);
            rs_json_number(&json, "ece_near_walls", t->scores.ece);
            rs_json_end(&json);
        } else if (!j->quiet) {
            printf("scale %.2f shift %+.2f: F %.4f, calibration error %.4f%s\n", t->scale, t->shift,
                   t->scores.f, t->scores.ece, k == best ? "  <- taken" : "");
        }
    }
    if (!j->json) return;
    rs_json_end(&json);
    rs_json_string(&json, "file", j->output);
    rs_json_number(&json, "scale", trial[best].scale);
    rs_json_number(&json, "shift", trial[best].shift);
    rs_json_end(&json);
}

/* The choice goes into the recipe as well. */
static reshed_status apply(const train_job *j, rs_model_file *m, const rs_calibration_trial *t,
                           reshed_error *err)
{
    const rs_weights_options options = {.fp16 = j->fp16};
    reshed_status st = rs_calibrate_apply(m, t->scale, t->shift, err);
    /* What was known of its score is no longer true. */
    m->ood = (rs_ood_model){0};
    m->ood_threshold = 0;
    return st == RESHED_OK ? rs_weights_write_h5(j->output, m, &options, err) : st;
}

int train_calibrate(const train_job *j)
{
    const int count = j->scales * j->shifts, frames = (int)j->frames, threads = (int)j->threads;
    const rs_picture_scene scene = {j->recipe.batches.scene.film, SIZE, HARSH};
    reshed_error err = {0};
    rs_ensemble *e = NULL;
    rs_picture *p = NULL;
    int best = -1;
    const char *where = j->output;
    rs_calibration_trial *trial = rs_alloc((size_t)count, sizeof *trial);
    reshed_status st = trial ? rs_os_check_output(j->output, &err)
                             : rs_fail_nomem(&err, "trials", (size_t)count * sizeof *trial);
    if (st == RESHED_OK) {
        where = j->weights;
        st = rs_ensemble_load(j->weights, &e, &err);
    }
    if (st == RESHED_OK) st = rs_pictures_simulate(&scene, SET, frames, threads, &p, &err);
    if (st == RESHED_OK)
        st = rs_calibrate(&e->model, p, frames, threads, j->scale, j->scales, j->shift, j->shifts,
                          j->most_error, trial, &best, &err);
    if (st == RESHED_OK && best < 0)
        st = rs_fail(&err, RESHED_EINVAL,
                     "calibration error near walls|at most %g with one of these scales and shifts|"
                     "more with all; --most-error allows more",
                     j->most_error);
    if (st == RESHED_OK) {
        where = j->output;
        st = apply(j, &e->model, &trial[best], &err);
    }
    if (st == RESHED_OK) print(j, trial, count, best);
    rs_pictures_free(p, frames);
    rs_ensemble_free(e);
    rs_free(trial);
    return st == RESHED_OK ? cli_close(j->program) : cli_fail(j->program, where, &err);
}
