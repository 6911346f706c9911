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
    int members;
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

reshed_status rs_score_maps(const rs_model_file *m, const rs_picture *p, int n, int threads,
                            float **maps, reshed_error *err)
{
    const int workers = rs_max_int(1, rs_min_int(rs_threads_or_all(threads), n));
    inference f = {.picture = p, .members = m->members, .maps = maps};
    rs_plan_options options = {.threads = 1};
    memset(maps, 0, (size_t)n * sizeof *maps);
    f.plan = rs_zalloc((size_t)workers, sizeof(rs_plan *));
    f.status = rs_zalloc((size_t)n, sizeof *f.status);
    f.error = rs_zalloc((size_t)n, sizeof *f.error);
    reshed_status st = f.plan && f.status && f.error
                           ? rs_isa_select(&options.isa, err)
                           : rs_fail_nomem(err, "plans", (size_t)workers * sizeof(rs_plan *));
    if (st == RESHED_OK && m->classes != 1)
        st = rs_fail(err, RESHED_EUNSUPPORTED, "classes of the network|1|%d", m->classes);
    for (int i = 0; st == RESHED_OK && i < workers; i++)
        st = rs_plan_create(m, NULL, 64, 64, &options, &f.plan[i], err);
    if (st == RESHED_OK) {
        rs_parallel_for(workers, n, infer, &f);
        st = first_failure(f.status, f.error, n, err);
    }
    for (int i = 0; st != RESHED_OK && i < n; i++) {
        rs_free(maps[i]);
        maps[i] = NULL;
    }
    for (int i = 0; f.plan && i < workers; i++) rs_plan_free(f.plan[i]);
    rs_free(f.plan);
    rs_free(f.status);
    rs_free(f.error);
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
    if (st == RESHED_OK) st = rs_skeletonize(p->wall, p->height, p->width, thin, err);
    for (size_t i = 0; st == RESHED_OK && i < n; i++) known[i] = p->known[i] ? map[i] : 0;
    if (st == RESHED_OK)
        st = rs_wall_tally_map(known, p->wall, thin, p->height, p->width, false, t, err);
    rs_free(known);
    rs_free(thin);
    return st;
}

reshed_status rs_score_ensemble(const rs_model_file *m, const rs_picture *p, int n, int threads,
                                rs_wall_scores *out, reshed_error *err)
{
    rs_wall_tally all = {0}, part = {0};
    float **maps = rs_zalloc((size_t)n, sizeof(float *));
    if (!maps) return rs_fail_nomem(err, "maps", (size_t)n * sizeof(float *));
    reshed_status st = rs_score_maps(m, p, n, threads, maps, err);
    for (int i = 0; st == RESHED_OK && i < n; i++) {
        const size_t pixels = (size_t)p[i].height * (size_t)p[i].width;
        for (size_t k = 0; k < pixels; k++) {
            double sum = 0;
            for (int j = 0; j < m->members; j++) sum += (double)maps[i][(size_t)j * pixels + k];
            maps[i][k] = (float)(sum / m->members);
        }
        st = rs_score_map(&p[i], maps[i], &part, err);
        if (st == RESHED_OK) st = rs_wall_tally_add(&all, &part, err);
    }
    if (st == RESHED_OK) rs_wall_tally_scores(&all, out, NULL);
    rs_wall_tally_clear(&part);
    rs_wall_tally_clear(&all);
    for (int i = 0; i < n; i++) rs_free(maps[i]);
    rs_free(maps);
    return st;
}
