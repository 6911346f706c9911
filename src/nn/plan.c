#include "nn/plan.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/parallel.h"
#include "nn/blas.h"
#include "nn/tables.h"

/* Everything that depends on the image's size. */
typedef struct workspace {
    rs_schedule schedule;
    int members_at_once; /* members in flight; 1 when threads share a member */
    float *rings;        /* [members_at_once][ring_floats] */
    float *zero;         /* a row of zeros */
    float *scratch;      /* [threads][scratch_floats] */
    size_t scratch_floats;
    float *score; /* [members_at_once][score_floats] */
    size_t score_floats;
    rs_tables *tables;     /* [members_at_once] */
    rs_sampling *sampling; /* [scores][W] */
    float *prob;           /* [members][H,W,C] */
    size_t bytes;
} workspace;

struct rs_plan {
    rs_graph graph; /* owned */
    rs_plan_options options;
    rs_kernels kernels;
    bool gemm;
    rs_layer *layer; /* [nodes]; owned */
    int members;
    rs_packed *packed; /* [members]; owned */
    size_t packed_bytes;
    double pack_seconds;
    const rs_probe *probe;   /* NULL: phases are not measured */
    bool (*stop)(void *ctx); /* NULL: never */
    void *stop_ctx;
    workspace ws;
};

/* -------------------------------------------------------------------------------------- packing */

static reshed_status pack_all(rs_plan *p, const rs_model_file *model, rs_model_file *take,
                              reshed_error *err)
{
    const rs_pack_set set = {p->layer, p->gemm, &p->kernels, p->packed};
    const double start = rs_os_monotonic();
    const reshed_status st =
        rs_pack_all(&p->graph, model, take, &set, 1, p->options.threads, &p->packed_bytes, err);
    p->pack_seconds = rs_os_monotonic() - start;
    return st;
}

/* ------------------------------------------------------------------------------------ workspace */

static void workspace_clear(workspace *w)
{
    for (int i = 0; w->tables && i < w->members_at_once; i++) rs_tables_clear(&w->tables[i]);
    rs_free(w->tables);
    rs_schedule_clear(&w->schedule);
    rs_free(w->rings);
    rs_free(w->zero);
    rs_free(w->scratch);
    rs_free(w->score);
    rs_free(w->sampling);
    rs_free(w->prob);
    memset(w, 0, sizeof *w);
}

/* A zeroed block of a*b floats, counted. */
static float *block(workspace *w, size_t a, size_t b)
{
    size_t n;
    if (!rs_mul(a, b, &n)) return NULL;
    float *p = rs_zalloc(n, sizeof *p);
    if (p) w->bytes += n * sizeof *p;
    return p;
}

static size_t round16(size_t n)
{
    return (n + 15) & ~(size_t)15;
}

/* A table of rows for each member in flight. */
static reshed_status make_tables(const rs_plan *p, workspace *w, reshed_error *err)
{
    const rs_schedule *s = &w->schedule;
    const rs_graph *g = &p->graph;
    w->tables = rs_zalloc((size_t)w->members_at_once, sizeof *w->tables);
    if (!w->tables) return rs_fail_nomem(err, "tables of rows", sizeof *w->tables);
    for (int i = 0; i < w->members_at_once; i++) {
        rs_tables *t = &w->tables[i];
        reshed_status st = rs_tables_make(g, s->height, t, err);
        if (st != RESHED_OK) return st;
        rs_tables_rings(t, g, s->height, s->ring, w->rings + (size_t)i * round16(s->ring_floats));
        rs_tables_scores(t, g, s->height, s->width, w->score + (size_t)i * w->score_floats);
        w->bytes += t->bytes;
    }
    return RESHED_OK;
}

static reshed_status workspace_make(const rs_plan *p, int height, int width, workspace *out,
                                    reshed_error *err)
{
    workspace w = {0};
    if (height < 4 || width < 4 || height > RS_PLAN_MAX_SIDE || width > RS_PLAN_MAX_SIDE)
        return rs_fail(err, RESHED_EINVAL, "image size|sides from 4 to %d|%d x %d",
                       RS_PLAN_MAX_SIDE, height, width);
    reshed_status st = rs_arch_check_size(&p->graph.arch, height, width, err);
    if (st != RESHED_OK) return st;
    /* Members side by side need no waiting for each other; only with more threads than members does
     * it pay to share one, in steps of a few tasks a thread. */
    const int threads = p->options.threads;
    const bool apart = threads <= p->members;
    w.members_at_once = apart ? threads : 1;
    st = rs_schedule_make(&p->graph, p->layer, height, width, apart ? 1 : 2 * threads, &w.schedule,
                          err);
    if (st != RESHED_OK) return st;
    const rs_schedule *s = &w.schedule;
    const size_t cl = (size_t)p->graph.arch.classes, n = (size_t)height * (size_t)width;
    w.score_floats = rs_tables_scores(NULL, &p->graph, height, width, NULL);
    w.scratch_floats = rs_scratch_floats(&s->scratch);
    w.rings = block(&w, (size_t)w.members_at_once, round16(s->ring_floats));
    w.zero = block(&w, 1, round16(s->zero_floats));
    w.scratch = block(&w, (size_t)p->options.threads, w.scratch_floats);
    w.score = block(&w, (size_t)w.members_at_once, w.score_floats);
    w.prob = block(&w, (size_t)p->members, n * cl);
    const size_t samples = (size_t)p->graph.scores * (size_t)width;
    w.sampling = rs_alloc(samples, sizeof *w.sampling);
    w.bytes += samples * sizeof *w.sampling;
    if (!w.sampling || !w.rings || !w.zero || !w.scratch || !w.score || !w.prob) {
        workspace_clear(&w);
        return rs_fail_nomem(err, "the workspace of an image",
                             (s->ring_floats + w.scratch_floats) * sizeof(float));
    }
    rs_sampling_fill(&p->graph, width, w.sampling);
    if ((st = make_tables(p, &w, err)) != RESHED_OK) {
        workspace_clear(&w);
        return st;
    }
    *out = w;
    return RESHED_OK;
}

reshed_status rs_plan_create(const rs_model_file *model, rs_model_file *take, int height, int width,
                             const rs_plan_options *options, rs_plan **out, reshed_error *err)
{
    rs_plan *p = rs_zalloc(1, sizeof *p);
    if (!p) return rs_fail_nomem(err, "a plan", sizeof *p);
    p->options = *options;
    p->members = model->members;
    p->gemm = options->algo == RS_ALGO_GEMM;
    rs_arch arch;
    reshed_status st = rs_arch_from_file(model, &arch, err);
    if (st == RESHED_OK) st = rs_graph_make(&arch, &p->graph, err);
    if (st != RESHED_OK) goto done;
    rs_kernels_get(options->isa, &p->kernels);
    if (p->gemm) rs_blas_init();
    p->layer = rs_layers_make(&p->graph, options->algo, options->precision);
    if (!p->layer) {
        st = rs_fail_nomem(err, "the layer table", sizeof *p->layer);
        goto done;
    }
    p->packed = rs_zalloc((size_t)p->members, sizeof *p->packed);
    if (!p->packed) {
        st = rs_fail_nomem(err, "a plan", (size_t)p->members * sizeof *p->packed);
        goto done;
    }
    /* The workspace first: it can fail for the caller's reasons, and then no weight has
     * been taken. */
    if ((st = workspace_make(p, height, width, &p->ws, err)) != RESHED_OK) goto done;
    if ((st = pack_all(p, model, take, err)) != RESHED_OK) goto done;
done:
    if (st == RESHED_OK)
        *out = p;
    else
        rs_plan_free(p);
    return st;
}

reshed_status rs_plan_resize(rs_plan *p, int height, int width, reshed_error *err)
{
    workspace w;
    if (p->ws.schedule.height == height && p->ws.schedule.width == width) return RESHED_OK;
    reshed_status st = workspace_make(p, height, width, &w, err);
    if (st != RESHED_OK) return st;
    workspace_clear(&p->ws);
    p->ws = w;
    return RESHED_OK;
}

void rs_plan_free(rs_plan *p)
{
    if (!p) return;
    for (int i = 0; p->packed && i < p->members; i++) rs_packed_clear(&p->packed[i]);
    rs_free(p->packed);
    rs_free(p->layer);
    rs_graph_clear(&p->graph);
    workspace_clear(&p->ws);
    rs_free(p);
}

size_t rs_plan_bytes(const rs_plan *p)
{
    return p->ws.bytes + p->packed_bytes;
}

const rs_schedule *rs_plan_schedule(const rs_plan *p)
{
    return &p->ws.schedule;
}

double rs_plan_pack_seconds(const rs_plan *p)
{
    return p->pack_seconds;
}

const rs_arch *rs_plan_arch(const rs_plan *p)
{
    return &p->graph.arch;
}

const rs_graph *rs_plan_graph(const rs_plan *p)
{
    return &p->graph;
}

void rs_plan_set_probe(rs_plan *p, const rs_probe *probe)
{
    p->probe = probe;
}

/* -------------------------------------------------------------------------------------- running */

typedef struct run {
    rs_plan *plan;
    const float *image;
    float *mean, *variance;
    rs_exec exec;        /* when threads share a member */
    const rs_step *step; /* likewise */
    int member;
    atomic_bool stopped;
} run;

/* Worker 0 is the caller's thread, which alone is asked; the others see what it was told. */
static bool stopped(run *r, int worker)
{
    const rs_plan *p = r->plan;
    if (p->stop && worker == 0 && !r->stopped && p->stop(p->stop_ctx)) r->stopped = true;
    return r->stopped;
}

static rs_scratch scratch_of(const rs_plan *p, int worker)
{
    rs_scratch r = rs_scratch_at(p->ws.scratch + (size_t)worker * p->ws.scratch_floats,
                                 &p->ws.schedule.scratch);
    r.probe = p->probe;
    r.worker = worker;
    return r;
}

static rs_exec exec_of(const rs_plan *p, int member, int slot, const float *image)
{
    const rs_schedule *s = &p->ws.schedule;
    const rs_tables *t = &p->ws.tables[slot];
    rs_exec e = {.graph = &p->graph,
                 .stages = s->stages,
                 .stage = s->stage,
                 .kernels = &p->kernels,
                 .weights = &p->packed[member],
                 .height = s->height,
                 .width = s->width,
                 .gemm = p->gemm,
                 .image = image,
                 .zero = p->ws.zero,
                 .sampling = p->ws.sampling,
                 .rows = t->rows};
    for (int k = 0; k < p->graph.levels; k++)
        e.there[k] = (rs_span){0, rs_level_size(s->height, k)};
    return e;
}

static size_t map_floats(const rs_plan *p)
{
    const rs_schedule *s = &p->ws.schedule;
    return (size_t)s->height * (size_t)s->width * (size_t)p->graph.arch.classes;
}

/* A whole member on one thread. */
static void run_member(void *ctx, int64_t i, int worker)
{
    run *r = ctx;
    const rs_plan *p = r->plan;
    const rs_schedule *s = &p->ws.schedule;
    const rs_exec e = exec_of(p, (int)i, worker, r->image);
    const rs_scratch scratch = scratch_of(p, worker);
    for (int j = 0; j < s->steps && !stopped(r, worker); j++)
        for (int t = 0, n = rs_exec_tasks(&e, &s->step[j]); t < n; t++)
            rs_exec_task(&e, &s->step[j], t, &scratch);
    if (r->stopped) return;
    const size_t row = map_floats(p) / (size_t)s->height;
    float *prob = p->ws.prob + (size_t)i * map_floats(p);
    rs_mark(&scratch, s->stages, RS_PHASE_START);
    for (int y = 0; y < s->height; y++) rs_exec_mix(&e, y, &scratch, prob + (size_t)y * row);
    rs_mark(&scratch, s->stages, RS_PHASE_AFTER);
}

/* One task of one step of the member that all threads share. */
static void run_task(void *ctx, int64_t i, int worker)
{
    const run *r = ctx;
    const rs_scratch scratch = scratch_of(r->plan, worker);
    rs_exec_task(&r->exec, r->step, (int)i, &scratch);
}

static void mix_row(void *ctx, int64_t i, int worker)
{
    const run *r = ctx;
    const rs_plan *p = r->plan;
    const rs_scratch scratch = scratch_of(p, worker);
    const size_t row = map_floats(p) / (size_t)p->ws.schedule.height;
    rs_mark(&scratch, p->ws.schedule.stages, RS_PHASE_START);
    rs_exec_mix(&r->exec, (int)i, &scratch,
                p->ws.prob + (size_t)r->member * map_floats(p) + (size_t)i * row);
    rs_mark(&scratch, p->ws.schedule.stages, RS_PHASE_AFTER);
}

static void moments_row(void *ctx, int64_t row, int worker)
{
    const run *r = ctx;
    const rs_plan *p = r->plan;
    const size_t n = (size_t)p->ws.schedule.width * (size_t)p->graph.arch.classes,
                 at = (size_t)row * n;
    (void)worker;
    rs_moments(p->ws.prob + at, map_floats(p), p->members, n, r->mean + at, r->variance + at);
}

bool rs_plan_run(rs_plan *p, const float *image, float *mean, float *variance, float *members)
{
    const rs_schedule *s = &p->ws.schedule;
    const int threads = p->options.threads;
    run r = {.plan = p, .image = image, .mean = mean, .variance = variance};
    if (p->ws.members_at_once > 1 || threads == 1) {
        rs_parallel_for(threads, p->members, run_member, &r);
    } else {
        for (r.member = 0; r.member < p->members && !r.stopped; r.member++) {
            r.exec = exec_of(p, r.member, 0, image);
            for (int j = 0; j < s->steps && !stopped(&r, 0); j++) {
                r.step = &s->step[j];
                rs_parallel_for(threads, rs_exec_tasks(&r.exec, r.step), run_task, &r);
            }
            if (!r.stopped) rs_parallel_for(threads, s->height, mix_row, &r);
        }
    }
    if (r.stopped) return false;
    rs_parallel_for(threads, s->height, moments_row, &r);
    if (members) memcpy(members, p->ws.prob, (size_t)p->members * map_floats(p) * sizeof *members);
    return true;
}

void rs_plan_set_stop(rs_plan *p, bool (*stop)(void *ctx), void *ctx)
{
    p->stop = stop;
    p->stop_ctx = ctx;
}
