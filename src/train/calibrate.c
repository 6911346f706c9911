#include "train/calibrate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "base/numeric.h"
#include "base/parallel.h"
#include "train/score.h"

/* Probabilities this near to 0 and 1 have lost their logit in float32. */
#define SURE 1e-7

/* Frames whose maps lie in memory together. */
#define CHUNK 64

typedef struct trials {
    const rs_picture *picture; /* [n], of this chunk, as logit */
    int n, members;
    float *logit[CHUNK]; /* [n] of [members,H,W] */
    rs_calibration_trial *trial;
    rs_wall_tally *tally; /* of each trial, over all chunks */
    reshed_status *status;
    reshed_error *error;
} trials;

static void to_logits(float *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double v = fmin(fmax((double)p[i], SURE), 1 - SURE);
        p[i] = (float)log(v / (1 - v));
    }
}

/* The mean of the members' changed probabilities. */
static void mean_map(const float *logit, int members, size_t n, double scale, double shift,
                     float *map)
{
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (int k = 0; k < members; k++)
            sum += 1 / (1 + exp(-scale * (double)logit[(size_t)k * n + i] - shift));
        map[i] = (float)(sum / members);
    }
}

static void try_one(void *ctx, int64_t k, int worker)
{
    const trials *t = ctx;
    const rs_calibration_trial *trial = &t->trial[k];
    reshed_error *err = &t->error[k];
    rs_wall_tally part = {0};
    reshed_status st = RESHED_OK;
    (void)worker;
    for (int i = 0; st == RESHED_OK && i < t->n; i++) {
        const size_t n = (size_t)t->picture[i].height * (size_t)t->picture[i].width;
        float *map = rs_alloc(n, sizeof *map);
        if (!map) st = rs_fail_nomem(err, "a map", n * sizeof *map);
        if (st == RESHED_OK) {
            mean_map(t->logit[i], t->members, n, trial->scale, trial->shift, map);
            st = rs_score_map(&t->picture[i], map, &part, err);
        }
        if (st == RESHED_OK) st = rs_wall_tally_add(&t->tally[k], &part, err);
        rs_free(map);
    }
    rs_wall_tally_clear(&part);
    t->status[k] = st;
}

/* All trials on the pictures of a chunk. */
static reshed_status try_chunk(trials *t, const rs_model_file *m, int count, int threads,
                               reshed_error *err)
{
    reshed_status st = rs_score_maps(m, t->picture, t->n, threads, t->logit, err);
    if (st != RESHED_OK) return st;
    for (int i = 0; i < t->n; i++)
        to_logits(t->logit[i],
                  (size_t)t->members * (size_t)t->picture[i].height * (size_t)t->picture[i].width);
    rs_parallel_for(rs_threads_or_all(threads), count, try_one, t);
    for (int i = 0; i < t->n; i++) rs_free(t->logit[i]);
    for (int k = 0; k < count && st == RESHED_OK; k++) {
        st = t->status[k];
        if (st != RESHED_OK && err) *err = t->error[k];
    }
    return st;
}

reshed_status rs_calibrate(const rs_model_file *m, const rs_picture *p, int n, int threads,
                           const double *scale, int scales, const double *shift, int shifts,
                           double most_error, rs_calibration_trial *trial, int *best,
                           reshed_error *err)
{
    const int count = scales * shifts;
    trials t = {.members = m->members, .trial = trial};
    t.tally = rs_zalloc((size_t)count, sizeof *t.tally);
    t.status = rs_zalloc((size_t)count, sizeof *t.status);
    t.error = rs_zalloc((size_t)count, sizeof *t.error);
    reshed_status st = t.tally && t.status && t.error
                           ? RESHED_OK
                           : rs_fail_nomem(err, "trials", (size_t)count * sizeof *t.error);
    for (int k = 0; st == RESHED_OK && k < count; k++)
        trial[k] = (rs_calibration_trial){.scale = scale[k / shifts], .shift = shift[k % shifts]};
    for (int i = 0; st == RESHED_OK && i < n; i += CHUNK) {
        t.picture = p + i;
        t.n = rs_min_int(CHUNK, n - i);
        st = try_chunk(&t, m, count, threads, err);
    }
    *best = -1;
    for (int k = 0; k < count && st == RESHED_OK; k++) {
        const rs_wall_scores *s = &trial[k].scores;
        rs_wall_tally_scores(&t.tally[k], &trial[k].scores, NULL);
        if (s->ece <= most_error && (*best < 0 || s->f > trial[*best].scores.f)) *best = k;
    }
    for (int k = 0; t.tally && k < count; k++) rs_wall_tally_clear(&t.tally[k]);
    rs_free(t.tally);
    rs_free(t.status);
    rs_free(t.error);
    return st;
}

/* t = scale t + shift. */
static void change(rs_tensor *t, double scale, double shift)
{
    for (size_t i = 0; i < t->count; i++) {
        const float v = (float)(scale * rs_tensor_at(t, i) + shift);
        if (t->dtype == RS_F16)
            ((uint16_t *)t->data)[i] = rs_float_to_half(v);
        else
            ((float *)t->data)[i] = v;
    }
}

static rs_tensor *find(rs_tensors *set, const char *name)
{
    for (int i = 0; i < set->n; i++)
        if (strcmp(set->t[i].name, name) == 0 &&
            (set->t[i].dtype == RS_F32 || set->t[i].dtype == RS_F16))
            return &set->t[i];
    return NULL;
}

/* First: what follows tells of the time before, and how an ensemble that it started from was made
 * stands last. A text that is too long loses its end. */
static void add_to_recipe(rs_model_file *m, double scale, double shift)
{
    char line[2 * RS_NUMBER_TEXT + 40], a[RS_NUMBER_TEXT], b[RS_NUMBER_TEXT];
    const size_t k = (size_t)snprintf(line, sizeof line, "calibrated: scale %s, shift %s\n",
                                      rs_number_format(a, scale), rs_number_format(b, shift));
    const size_t n = strlen(m->recipe), room = sizeof m->recipe - k - 1;
    size_t kept = n < room ? n : room;
    while (kept > 0 && kept < n && ((unsigned char)m->recipe[kept] & 0xc0) == 0x80) kept--;
    memmove(m->recipe + k, m->recipe, kept);
    memcpy(m->recipe, line, k);
    m->recipe[k + kept] = '\0';
}

reshed_status rs_calibrate_apply(rs_model_file *m, double scale, double shift, reshed_error *err)
{
    for (int i = 0; i < m->members; i++)
        if (!find(&m->member[i], "out.weight") || !find(&m->member[i], "out.bias"))
            return rs_fail(err, RESHED_EUNSUPPORTED,
                           "last layer|out.weight and out.bias, float32 or float16|others|member "
                           "%d",
                           i);
    for (int i = 0; i < m->members; i++) {
        change(find(&m->member[i], "out.weight"), scale, 0);
        change(find(&m->member[i], "out.bias"), scale, shift);
    }
    add_to_recipe(m, scale, shift);
    return RESHED_OK;
}
