/* A frame is worked on by one thread; its result is one tally for each method. Afterwards the
 * tallies of a set are joined, and rows are made of them. */
#include "evaluate/table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "evaluate/baselines.h"
#include "evaluate/members.h"

#define SIMULATED 4 /* sets of simulated frames, after the labelled images */

/* The source of a set's frames. */
typedef struct frame_set {
    char name[64];
    bool labelled; /* one image of the user's */
    eval_twin twin;
    bool partial; /* scanned to between 20 and 90 % */
    long n;
    long first; /* of its frames in the list of all */
} frame_set;

/* The result of one frame: a tally for each member, the ensemble and the average network. */
typedef struct frame_result {
    rs_wall_tally *tally; /* [members + 2]; owned */
    rs_edge_count boundary[EVAL_BOUNDARIES], canny[EVAL_CANNYS];
    float ahead; /* largest mean in the rows beyond EVAL_FRONT_ROWS of the front; 0 without */
    reshed_status status;
    reshed_error err;
} frame_result;

typedef struct work {
    const eval_table_options *o;
    eval_net net, average;
    frame_set *set; /* [sets]; the labelled images first */
    int sets;
    long frames;
    frame_result *result; /* [frames] */
    int carried_boundary, carried_canny;
} work;

/* ------------------------------------------------------------------------------------ one frame */

static const frame_set *set_of(const work *t, long i)
{
    int k = 0;
    while (k + 1 < t->sets && t->set[k + 1].first <= i) k++;
    return &t->set[k];
}

static reshed_status make_frame(const work *t, long i, eval_frame *f, reshed_error *err)
{
    const frame_set *s = set_of(t, i);
    const long k = i - s->first;
    if (s->labelled)
        return eval_frame_read(t->o->image[s - t->set], t->o->walls[s - t->set], f, err);
    int n;
    const rs_twin_field *fields = rs_twin_effect_fields(&n);
    eval_change change = {s->partial ? rs_twin_field_find(fields, n, "scanned") : NULL,
                          0.2 + 0.7 * (double)(k % 15) / 14};
    return eval_frame_twin(&s->twin, t->o->seed, k, &change, f, err);
}

static float largest_ahead(const eval_frame *f, const float *mean)
{
    float largest = 0;
    for (int r = f->scanned + EVAL_FRONT_ROWS; r < f->height; r++)
        for (int c = 0; c < f->width; c++)
            largest = fmaxf(largest, mean[(size_t)r * (size_t)f->width + (size_t)c]);
    return largest;
}

static reshed_status tally_map(const eval_frame *f, const float *map, rs_wall_tally *t,
                               reshed_error *err)
{
    return rs_wall_tally_map(map, f->truth, f->thin, f->height, f->width, true, t, err);
}

static reshed_status judge(work *t, int worker, const eval_frame *f, frame_result *r,
                           reshed_error *err)
{
    const int members = t->net.members;
    const size_t n = (size_t)f->height * (size_t)f->width;
    float *mean = rs_alloc(((size_t)members + 3) * n, sizeof *mean);
    if (!mean) return rs_fail_nomem(err, "maps", ((size_t)members + 3) * n * sizeof *mean);
    float *single = mean + n, *variance = single + n, *member = variance + n;
    reshed_status st = eval_net_run(&t->average, worker, f, single, variance, NULL, err);
    if (st == RESHED_OK) st = eval_net_run(&t->net, worker, f, mean, variance, member, err);
    for (int k = 0; k < members && st == RESHED_OK; k++)
        st = tally_map(f, member + (size_t)k * n, &r->tally[k], err);
    if (st == RESHED_OK) st = tally_map(f, mean, &r->tally[members], err);
    if (st == RESHED_OK) st = tally_map(f, single, &r->tally[members + 1], err);
    if (st == RESHED_OK) r->ahead = largest_ahead(f, mean);
    for (int k = 0; k < EVAL_BOUNDARIES && st == RESHED_OK; k++)
        st = eval_boundary(f, f->image, k, &r->boundary[k], err);
    for (int k = 0; k < EVAL_CANNYS && st == RESHED_OK; k++)
        st = eval_canny(f, k, &r->canny[k], err);
    rs_free(mean);
    return st;
}

static void one_frame(void *ctx, int64_t i, int worker)
{
    work *t = ctx;
    frame_result *r = &t->result[i];
    eval_frame f = {0};
    r->status = make_frame(t, (long)i, &f, &r->err);
    if (r->status == RESHED_OK) r->status = judge(t, worker, &f, r, &r->err);
    eval_frame_clear(&f);
}

/* ----------------------------------------------------------------------------------------- sets */

#define BASELINES 4 /* boundary and Canny, tuned and carried over */

typedef struct set_summary {
    rs_wall_scores *of; /* [methods]; owned */
    rs_edge_count boundary[EVAL_BOUNDARIES], canny[EVAL_CANNYS];
    rs_calibration calibration; /* of the ensemble */
    float ahead;
    long ahead_frames;
} set_summary;

static rs_wall_scores scores_of_count(const rs_edge_count *c)
{
    return (rs_wall_scores){.precision = rs_edge_count_precision(c),
                            .recall = rs_edge_count_recall(c),
                            .f = rs_edge_count_f(c),
                            .strict = NAN,
                            .loose = NAN,
                            .best = NAN,
                            .best_threshold = NAN,
                            .iou = NAN,
                            .ece = NAN};
}

/* a += weight b, of a mean. */
static void accumulate(rs_wall_scores *a, const rs_wall_scores *b, double weight)
{
    a->precision += weight * b->precision;
    a->recall += weight * b->recall;
    a->f += weight * b->f;
    a->strict += weight * b->strict;
    a->loose += weight * b->loose;
    a->best += weight * b->best;
    a->best_threshold += weight * b->best_threshold;
    a->iou += weight * b->iou;
    a->ece += weight * b->ece;
}

static void score_baselines(const work *t, const set_summary *s, rs_wall_scores of[BASELINES],
                            char text[BASELINES][64])
{
    const int k[BASELINES] = {rs_edge_count_best(s->boundary, EVAL_BOUNDARIES), t->carried_boundary,
                              rs_edge_count_best(s->canny, EVAL_CANNYS), t->carried_canny};
    for (int i = 0; i < BASELINES; i++) {
        char what[40];
        of[i] = scores_of_count(i < 2 ? &s->boundary[k[i]] : &s->canny[k[i]]);
        if (i < 2)
            eval_boundary_text(k[i], what, sizeof what);
        else
            eval_canny_text(k[i], what, sizeof what);
        snprintf(text[i], sizeof text[i], "%s %s, %s", i < 2 ? "boundary" : "Canny",
                 i % 2 ? "carried" : "tuned", what);
    }
}

static void sum_baselines(const rs_edge_count *boundary, const rs_edge_count *canny,
                          set_summary *out)
{
    for (int k = 0; k < EVAL_BOUNDARIES; k++) rs_edge_count_add(&out->boundary[k], &boundary[k]);
    for (int k = 0; k < EVAL_CANNYS; k++) rs_edge_count_add(&out->canny[k], &canny[k]);
}

/* Takes the tallies of a set's frames. */
static reshed_status sum_set(work *t, const frame_set *s, set_summary *out, reshed_error *err)
{
    const int methods = t->net.members + 2;
    reshed_status st = RESHED_OK;
    out->of = rs_zalloc((size_t)methods, sizeof *out->of);
    if (!out->of) return rs_fail_nomem(err, "scores", (size_t)methods * sizeof *out->of);
    for (int k = 0; k < methods && st == RESHED_OK; k++) {
        rs_wall_tally sum = {0};
        for (long i = s->first; i < s->first + s->n && st == RESHED_OK; i++)
            st = rs_wall_tally_add(&sum, &t->result[i].tally[k], err);
        if (st == RESHED_OK)
            rs_wall_tally_scores(&sum, &out->of[k], k == t->net.members ? &out->calibration : NULL);
        rs_wall_tally_clear(&sum);
    }
    for (long i = s->first; i < s->first + s->n; i++) {
        const frame_result *r = &t->result[i];
        sum_baselines(r->boundary, r->canny, out);
        out->ahead = fmaxf(out->ahead, r->ahead);
        out->ahead_frames += r->ahead > EVAL_AHEAD;
    }
    return st;
}

/* ----------------------------------------------------------------------------------------- rows */

static void add_row(eval_table *out, const char *set, const char *method,
                    const rs_wall_scores *scores)
{
    eval_table_row *r = &out->row[out->rows++];
    snprintf(r->set, sizeof r->set, "%s", set);
    snprintf(r->method, sizeof r->method, "%s", method);
    r->scores = *scores;
}

static void add_method(const work *t, eval_table *out, const char *set, int k,
                       const rs_wall_scores *scores)
{
    char text[32];
    snprintf(text, sizeof text, "member %d", k);
    add_row(out, set,
            k < t->net.members    ? text
            : k == t->net.members ? "ensemble"
                                  : "average of the weights",
            scores);
}

static void add_set(const work *t, eval_table *out, const char *name, const set_summary *s)
{
    const int members = t->net.members;
    rs_wall_scores mean = {0}, base[BASELINES];
    char text[BASELINES][64];
    for (int k = 0; k < members; k++) {
        add_method(t, out, name, k, &s->of[k]);
        accumulate(&mean, &s->of[k], 1.0 / members);
    }
    add_row(out, name, "mean of the members", &mean);
    for (int k = members; k < members + 2; k++) add_method(t, out, name, k, &s->of[k]);
    score_baselines(t, s, base, text);
    for (int i = 0; i < BASELINES; i++) add_row(out, name, text[i], &base[i]);
}

/* The plain means over the labelled images, and baselines that are tuned on all of them. */
static void add_labelled(const work *t, eval_table *out, const set_summary *s)
{
    static const char *const baseline[BASELINES] = {"boundary, tuned on each", "boundary, carried",
                                                    "Canny, tuned on each", "Canny, carried"};
    const char *name = "labelled images, mean";
    const int members = t->net.members, n = t->o->labelled;
    rs_wall_scores all = {0}, base[BASELINES] = {{0}}, one[BASELINES];
    char text[BASELINES][64];
    for (int k = 0; k < members + 2; k++) {
        rs_wall_scores mean = {0};
        for (int i = 0; i < n; i++) accumulate(&mean, &s[i].of[k], 1.0 / n);
        if (k < members) accumulate(&all, &mean, 1.0 / members);
        if (k == members) add_row(out, name, "mean of the members", &all);
        add_method(t, out, name, k, &mean);
    }
    set_summary together = {0};
    for (int i = 0; i < n; i++) {
        score_baselines(t, &s[i], one, text);
        for (int k = 0; k < BASELINES; k++) accumulate(&base[k], &one[k], 1.0 / n);
        sum_baselines(s[i].boundary, s[i].canny, &together);
    }
    for (int k = 0; k < BASELINES; k++) add_row(out, name, baseline[k], &base[k]);
    score_baselines(t, &together, one, text);
    add_row(out, "labelled images, as one", text[0], &one[0]);
    add_row(out, "labelled images, as one", text[2], &one[2]);
}

static reshed_status make_rows(work *t, eval_table *out, reshed_error *err)
{
    const int of_a_set = t->net.members + 3 + BASELINES, labelled = t->o->labelled;
    set_summary *s = rs_zalloc((size_t)t->sets, sizeof *s);
    reshed_status st = RESHED_OK;
    out->row = rs_alloc((size_t)((t->sets + 1) * of_a_set + 2), sizeof *out->row);
    if (!s || !out->row) {
        st = rs_fail_nomem(err, "scores", (size_t)t->sets * sizeof *s);
        goto done;
    }
    for (int i = 0; i < t->sets && st == RESHED_OK; i++) st = sum_set(t, &t->set[i], &s[i], err);
    if (st != RESHED_OK) goto done;
    const frame_set *usual = &t->set[labelled], *partial = &t->set[t->sets - 1];
    /* Baselines that are carried over are tuned on the usual simulated frames. */
    t->carried_boundary = rs_edge_count_best(s[labelled].boundary, EVAL_BOUNDARIES);
    t->carried_canny = rs_edge_count_best(s[labelled].canny, EVAL_CANNYS);
    for (int i = 0; i < t->sets; i++) add_set(t, out, t->set[i].name, &s[i]);
    if (labelled) add_labelled(t, out, s);
    snprintf(out->usual, sizeof out->usual, "%s", usual->name);
    out->calibration = s[labelled].calibration;
    snprintf(out->partial, sizeof out->partial, "%s", partial->name);
    out->partial_frames = partial->n;
    out->largest_ahead = s[t->sets - 1].ahead;
    out->frames_ahead = s[t->sets - 1].ahead_frames;
done:
    for (int i = 0; s && i < t->sets; i++) rs_free(s[i].of);
    rs_free(s);
    return st;
}

/* ------------------------------------------------------------------------------------ the whole */

static void name_set(frame_set *s, const char *path)
{
    const char *slash = strrchr(path, '/');
    snprintf(s->name, sizeof s->name, "%s", slash ? slash + 1 : path);
}

static void simulate_set(frame_set *s, const eval_table_options *o, int kind)
{
    static const char *const name[SIMULATED] = {"simulated, usual", "simulated, plain",
                                                "simulated, as trained", "simulated, partial"};
    s->twin = (eval_twin){.size = o->size,
                          .harsh = kind == 2 ? 1 : o->harsh,
                          .film = o->film,
                          .plain = kind == 1 || (o->plain && kind != 2),
                          .steady = kind != 2};
    s->partial = kind == 3;
    snprintf(s->name, sizeof s->name, "%s", name[kind]);
}

static reshed_status list_sets(work *t, reshed_error *err)
{
    const eval_table_options *o = t->o;
    t->sets = o->labelled + SIMULATED;
    t->set = rs_zalloc((size_t)t->sets, sizeof *t->set);
    if (!t->set) return rs_fail_nomem(err, "sets of frames", (size_t)t->sets * sizeof *t->set);
    for (int i = 0; i < t->sets; i++) {
        frame_set *s = &t->set[i];
        s->labelled = i < o->labelled;
        s->first = t->frames;
        s->n = s->labelled ? 1 : o->frames;
        t->frames += s->n;
        if (s->labelled)
            name_set(s, o->image[i]);
        else
            simulate_set(s, o, i - o->labelled);
    }
    t->result = rs_zalloc((size_t)t->frames, sizeof *t->result);
    if (!t->result) return rs_fail_nomem(err, "scores", (size_t)t->frames * sizeof *t->result);
    for (long i = 0; i < t->frames; i++) {
        t->result[i].tally = rs_zalloc((size_t)t->net.members + 2, sizeof(rs_wall_tally));
        if (!t->result[i].tally) return rs_fail_nomem(err, "scores", sizeof(rs_wall_tally));
    }
    return RESHED_OK;
}

static void work_clear(work *t)
{
    for (long i = 0; t->result && i < t->frames; i++) {
        for (int k = 0; t->result[i].tally && k < t->net.members + 2; k++)
            rs_wall_tally_clear(&t->result[i].tally[k]);
        rs_free(t->result[i].tally);
    }
    rs_free(t->result);
    rs_free(t->set);
    eval_net_close(&t->net);
    eval_net_close(&t->average);
}

void eval_table_clear(eval_table *t)
{
    rs_free(t->row);
    *t = (eval_table){0};
}

reshed_status eval_table_make(const eval_table_options *o, eval_table *out, char where[64],
                              reshed_error *err)
{
    work t = {.o = o};
    eval_table made = {0};
    const int threads = rs_threads_or_all(o->threads);
    where[0] = '\0';
    reshed_status st = eval_net_open(o->weights, threads, &t.net, err);
    if (st == RESHED_OK) st = eval_net_average(&t.net, &t.average, err);
    if (st == RESHED_OK) st = list_sets(&t, err);
    if (st == RESHED_OK) rs_parallel_for(threads, t.frames, one_frame, &t);
    for (long i = 0; i < t.frames && st == RESHED_OK; i++)
        if (t.result[i].status != RESHED_OK) {
            st = t.result[i].status;
            if (err) *err = t.result[i].err;
            memcpy(where, set_of(&t, i)->name, 64);
        }
    if (st == RESHED_OK) st = make_rows(&t, &made, err);
    work_clear(&t);
    if (st == RESHED_OK)
        *out = made;
    else
        eval_table_clear(&made);
    return st;
}
