#include "train/score.h"

#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/parallel.h"
#include "imgproc/image/skeleton.h"
#include "nn/plan.h"

/* ------------------------------------------------------------------------------------------ pictures */
typedef struct simulation {
    const rs_picture_scene *scene;
    uint64_t set;
    rs_picture *picture;
    reshed_status *status;
    reshed_error *error;
} simulation;

static void simulate(void *ctx, int64_t i, int worker)
{
    const simulation *s = ctx;
    (void)worker;
    s->status[i] = rs_picture_simulate(s->scene, s->set, i, &s->picture[i], &s->error[i]);
}

/* The first failure of n, in order. */
static reshed_status first_failure(const reshed_status *status, const reshed_error *error, int n,
                                   reshed_error *err)
{
    for (int i = 0; i < n; i++)
        if (status[i] != RESHED_OK) {
            if (err) *err = error[i];
            return status[i];
        }
    return RESHED_OK;
}

reshed_status rs_pictures_simulate(const rs_picture_scene *scene, uint64_t set, int n, int threads,
                                   rs_picture **out, reshed_error *err)
{
    simulation s = {scene, set, rs_zalloc((size_t)n, sizeof *s.picture),
                    rs_zalloc((size_t)n, sizeof *s.status), rs_zalloc((size_t)n, sizeof *s.error)};
    reshed_status st = RESHED_OK;
    if (s.picture && s.status && s.error) {
        rs_parallel_for(rs_threads_or_all(threads), n, simulate, &s);
        st = first_failure(s.status, s.error, n, err);
    } else {
        st = rs_fail_nomem(err, "simulated frames", (size_t)n * sizeof *s.picture);
    }
    rs_free(s.status);
    rs_free(s.error);
    if (st == RESHED_OK)
        *out = s.picture;
    else if (s.picture)
        rs_pictures_free(s.picture, n);
    return st;
}

void rs_pictures_free(rs_picture *p, int n)
{
    for (int i = 0; p && i < n; i++) rs_picture_clear(&p[i]);
    rs_free(p);
}

/* ---------------------------------------------------------------------------------------------- maps */
typedef struct inference {
    const rs_picture *picture;
    int members, workers;
    rs_plan **plan; /* [workers] */
    float **maps;   /* [n] */
    reshed_status *status;
    reshed_error *error;
} inference;

static void infer(void *ctx, int64_t i, int worker)
{
    const inference *f = ctx;
    const rs_picture *p = &f->picture[i];
    const size_t n = (size_t)p->height * (size_t)p->width;
    float *both = rs_alloc(2 * n, sizeof *both);
    f->maps[i] = rs_alloc((size_t)f->members * n, sizeof(float));
    if (both && f->maps[i])
        f->status[i] = rs_plan_resize(f->plan[worker], p->height, p->width, &f->error[i]);
    else
        f->status[i] = rs_fail_nomem(&f->error[i], "maps", (size_t)f->members * n * 4);
    if (f->status[i] == RESHED_OK)
        rs_plan_run(f->plan[worker], p->image, both, both + n, f->maps[i]);
    rs_free(both);
}

/* A plan for each worker; *f is to be closed after a failure too. */
static reshed_status inference_open(inference *f, const rs_model_file *m, const rs_picture *p,
                                    int n, int threads, float **maps, reshed_error *err)
{
    rs_plan_options options = {.threads = 1};
    *f = (inference){.picture = p, .members = m->members, .maps = maps};
    f->workers = rs_max_int(1, rs_min_int(rs_threads_or_all(threads), n));
    f->plan = rs_zalloc((size_t)f->workers, sizeof(rs_plan *));
    f->status = rs_zalloc((size_t)n, sizeof *f->status);
    f->error = rs_zalloc((size_t)n, sizeof *f->error);
    reshed_status st = f->plan && f->status && f->error
                           ? rs_isa_select(&options.isa, err)
                           : rs_fail_nomem(err, "plans", (size_t)f->workers * sizeof(rs_plan *));
    if (st == RESHED_OK && m->classes != 1)
        st = rs_fail(err, RESHED_EUNSUPPORTED, "classes of the network|1|%d", m->classes);
    for (int i = 0; st == RESHED_OK && i < f->workers; i++)
        st = rs_plan_create(m, NULL, 64, 64, &options, &f->plan[i], err);
    return st;
}

static void inference_close(inference *f)
{
    for (int i = 0; f->plan && i < f->workers; i++) rs_plan_free(f->plan[i]);
    rs_free(f->plan);
    rs_free(f->status);
    rs_free(f->error);
}

reshed_status rs_score_maps(const rs_model_file *m, const rs_picture *p, int n, int threads,
                            float **maps, reshed_error *err)
{
    inference f;
    memset(maps, 0, (size_t)n * sizeof *maps);
    reshed_status st = inference_open(&f, m, p, n, threads, maps, err);
    if (st == RESHED_OK) {
        rs_parallel_for(f.workers, n, infer, &f);
        st = first_failure(f.status, f.error, n, err);
    }
    for (int i = 0; st != RESHED_OK && i < n; i++) {
        rs_free(maps[i]);
        maps[i] = NULL;
    }
    inference_close(&f);
    return st;
}

/* -------------------------------------------------------------------------------------------- scores */
reshed_status rs_score_map(const rs_picture *p, const float *map, rs_wall_tally *t,
                           reshed_error *err)
{
    const size_t n = (size_t)p->height * (size_t)p->width;
    float *known = rs_alloc(n, sizeof *known);
    uint8_t *thin = rs_alloc(n, 1);
    reshed_status st =
        known && thin ? RESHED_OK : rs_fail_nomem(err, "a map to score", n * sizeof *known);
    /* Not rs_skeletonize: it loses drawn diagonals of two pixels. */
    if (st == RESHED_OK) st = rs_thin(p->wall, p->height, p->width, thin, err);
    for (size_t i = 0; st == RESHED_OK && i < n; i++) known[i] = p->known[i] ? map[i] : 0;
    if (st == RESHED_OK)
        st = rs_wall_tally_map(known, p->wall, thin, p->height, p->width, false, t, err);
    rs_free(known);
    rs_free(thin);
    return st;
}

/* Pictures are judged one by one, so that no more maps lie in memory than there are workers. */
typedef struct judging {
    inference f;          /* maps of a picture are there while it is judged */
    rs_wall_tally *tally; /* [n] */
} judging;

static void judge(void *ctx, int64_t i, int worker)
{
    judging *j = ctx;
    inference *f = &j->f;
    const rs_picture *p = &f->picture[i];
    const size_t pixels = (size_t)p->height * (size_t)p->width;
    infer(f, i, worker);
    float *map = f->maps[i];
    for (size_t k = 0; f->status[i] == RESHED_OK && k < pixels; k++) {
        double sum = 0;
        for (int m = 0; m < f->members; m++) sum += (double)map[(size_t)m * pixels + k];
        map[k] = (float)(sum / f->members);
    }
    if (f->status[i] == RESHED_OK) f->status[i] = rs_score_map(p, map, &j->tally[i], &f->error[i]);
    rs_free(map);
    f->maps[i] = NULL;
}

reshed_status rs_score_ensemble(const rs_model_file *m, const rs_picture *p, int n, int threads,
                                rs_wall_scores *out, reshed_error *err)
{
    rs_wall_tally all = {0};
    judging j = {.tally = rs_zalloc((size_t)n, sizeof *j.tally)};
    float **maps = rs_zalloc((size_t)n, sizeof(float *));
    reshed_status st = j.tally && maps ? inference_open(&j.f, m, p, n, threads, maps, err)
                                       : rs_fail_nomem(err, "maps", (size_t)n * sizeof *j.tally);
    if (st == RESHED_OK) {
        rs_parallel_for(j.f.workers, n, judge, &j);
        st = first_failure(j.f.status, j.f.error, n, err);
    }
    for (int i = 0; st == RESHED_OK && i < n; i++) st = rs_wall_tally_add(&all, &j.tally[i], err);
    if (st == RESHED_OK) rs_wall_tally_scores(&all, out, NULL);
    for (int i = 0; j.tally && i < n; i++) rs_wall_tally_clear(&j.tally[i]);
    rs_wall_tally_clear(&all);
    inference_close(&j.f);
    rs_free(j.tally);
    rs_free(maps);
    return st;
}
