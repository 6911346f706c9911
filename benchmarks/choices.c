#include "benchmarks/choices.h"

#include "base/alloc.h"
#include "base/os.h"
#include "base/statistics.h"
#include "nn/plan.h"

typedef struct work {
    rs_plan *plan, *base;
    const float *image;
    float *mean, *variance;
    double *seconds; /* [3][runs]: of a setting, of the default, and their ratios */
    int runs, members;
} work;

static double once(rs_plan *plan, const work *w)
{
    const double start = rs_os_cpu_seconds();
    rs_plan_run(plan, w->image, w->mean, w->variance, NULL);
    return (rs_os_cpu_seconds() - start) / w->members;
}

static void take_turns(const work *w, bench_choice *c)
{
    double *a = w->seconds, *b = a + w->runs, *ratio = b + w->runs;
    once(w->plan, w);
    once(w->base, w);
    for (int i = 0; i < w->runs; i++) { /* the other one first every second time */
        if (i % 2 == 0) a[i] = once(w->plan, w);
        b[i] = once(w->base, w);
        if (i % 2 != 0) a[i] = once(w->plan, w);
        ratio[i] = b[i] > 0 ? a[i] / b[i] : 1;
    }
    const bench_summary own = bench_summarise(a, w->runs), base = bench_summarise(b, w->runs);
    c->seconds = own.median;
    c->base = base.median;
    c->ratio = bench_summarise(ratio, w->runs).median;
    /* Both the usual and the best runs have to say so: a busy machine shifts either. */
    const double best = base.best > 0 ? own.best / base.best : 1;
    c->wrong = c->choice.pays
                   ? c->ratio > 1 + BENCH_CHOICE_MARGIN && best > 1 + BENCH_CHOICE_MARGIN
                   : c->ratio < 1 - BENCH_CHOICE_MARGIN && best < 1 - BENCH_CHOICE_MARGIN;
}

reshed_status bench_choices(const rs_model_file *model, rs_isa isa, int threads, int size, int runs,
                            const float *image, bench_choice *out, int *n, reshed_error *err)
{
    const rs_capability here = rs_capability_of(isa);
    const size_t values = (size_t)size * (size_t)size * (size_t)model->classes;
    rs_choice choice[RS_CHOICES_MAX];
    const int all = rs_choices(&here, choice);
    work w = {.image = image, .runs = runs, .members = model->members};
    reshed_status st = RESHED_OK;
    *n = 0;
    w.mean = rs_alloc(values, sizeof *w.mean);
    w.variance = rs_alloc(values, sizeof *w.variance);
    w.seconds = rs_alloc(3 * (size_t)runs, sizeof *w.seconds);
    if (!w.mean || !w.variance || !w.seconds)
        st = rs_fail_nomem(err, "the maps", values * sizeof *w.mean);
    for (int i = 0; st == RESHED_OK && i < all; i++) {
        const rs_plan_options o = {.threads = threads,
                                   .isa = choice[i].isa,
                                   .algo = choice[i].algo,
                                   .precision = choice[i].precision};
        out[i] = (bench_choice){.choice = choice[i], .ratio = 1};
        st = rs_plan_create(model, NULL, size, size, &o, i ? &w.plan : &w.base, err);
        if (st != RESHED_OK) break;
        if (i)
            take_turns(&w, &out[i]);
        else
            out[0].seconds = out[0].base = (once(w.base, &w), once(w.base, &w));
        rs_plan_free(w.plan);
        w.plan = NULL;
        *n = i + 1;
    }
    rs_plan_free(w.base);
    rs_free(w.mean);
    rs_free(w.variance);
    rs_free(w.seconds);
    return st;
}
