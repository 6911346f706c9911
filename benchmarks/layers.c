#include "benchmarks/layers.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/os.h"
#include "benchmarks/measure.h"

/* The measurements of one thread: the moment of its last mark, and the sums of [stages+2] rows. */
typedef struct tally {
    double last;
    double (*row)[RS_PHASES];
} tally;

static void mark(void *ctx, int worker, int stage, rs_phase phase)
{
    tally *t = (tally *)ctx + worker;
    const double now = rs_os_thread_seconds();
    if (phase != RS_PHASE_START) t->row[stage + 1][phase] += now - t->last;
    t->last = now;
}

static void describe(bench_layer *l, const rs_stage *s, const rs_graph *g, int i)
{
    const rs_layer *y = &s->layer;
    snprintf(l->name, sizeof l->name, "%s", g->node[i].name);
    l->algo = y->kind == RS_OP_CONV ? rs_conv_algo_name(y->algo) : "";
    if (y->kind == RS_OP_CONV)
        l->weight_bytes = rs_packed_size3(y->algo, y->cin, y->cout) * sizeof(float);
}

reshed_status bench_layers(rs_plan *plan, int members, int threads, const float *image, int runs,
                           bench_layer *out, reshed_error *err)
{
    const rs_schedule *s = rs_plan_schedule(plan);
    const rs_arch *arch = rs_plan_arch(plan);
    const rs_graph *g = rs_plan_graph(plan);
    const size_t pixels = (size_t)s->height * (size_t)s->width, rows = (size_t)s->stages + 2;
    const double share = 1.0 / ((double)members * runs);
    float *mean = rs_alloc(2 * pixels * (size_t)arch->classes, sizeof *mean);
    tally *tallies = rs_zalloc((size_t)threads, sizeof *tallies);
    reshed_status st = RESHED_OK;
    double all = 0;
    for (int i = 0; tallies && i < threads;
         i++) /* a block each: threads do not share cache lines */
        if (!(tallies[i].row = rs_zalloc(rows, sizeof *tallies[i].row))) st = RESHED_ENOMEM;
    if (!mean || !tallies || st != RESHED_OK) {
        st = rs_fail(err, RESHED_ENOMEM, "cannot allocate what measuring layers needs");
        goto done;
    }
    const rs_probe probe = {mark, tallies};
    rs_plan_set_probe(plan, &probe);
    const double start = rs_os_cpu_seconds();
    for (int i = 0; i < runs; i++)
        rs_plan_run(plan, image, mean, mean + pixels * (size_t)arch->classes, NULL);
    const double elapsed = (rs_os_cpu_seconds() - start) * share;
    rs_plan_set_probe(plan, NULL);
    for (size_t i = 0; i < rows; i++) {
        bench_layer l = {.algo = ""};
        if (i == 0) {
            snprintf(l.name, sizeof l.name, "image");
        } else if (i + 1 == rows) {
            snprintf(l.name, sizeof l.name, "mix");
        } else {
            describe(&l, &s->stage[i - 1], g, (int)i - 1);
        }
        l.macs = rs_graph_macs(g, (int)i - 1, s->height, s->width);
        for (int w = 0; w < threads; w++)
            for (int p = 0; p < RS_PHASES; p++) l.phase[p] += tallies[w].row[i][p] * share;
        for (int p = 0; p < RS_PHASES; p++) l.seconds += l.phase[p];
        all += l.seconds;
        out[i] = l;
    }
    out[rows] = (bench_layer){.name = "rest", .algo = "", .seconds = elapsed - all};
done:
    for (int i = 0; tallies && i < threads; i++) rs_free(tallies[i].row);
    rs_free(tallies);
    rs_free(mean);
    return st;
}
