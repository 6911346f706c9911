/* table.c - reshed-evaluate table: every member, the ensemble, the average network and the
 * baselines on simulated hold-outs and on labelled images. */
#include "tools/evaluate/job.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "evaluate/tally.h"
#include "report/reliability.h"

/* Rows below the scan front in which the maps may still respond. */
#define FRONT_ROWS 6

#define SIMULATED 4 /* sets of simulated frames, after the labelled images */

/* Where a set's frames come from. */
typedef struct frame_set {
    char name[64];
    bool labelled; /* one image of the user's */
    eval_twin twin;
    bool partial; /* scanned to between 20 and 90 % */
    long n;
    long first; /* of its frames in the list of all */
} frame_set;

/* What a frame gives: one tally for each member, the ensemble and the average network. */
typedef struct frame_result {
    eval_tally *tally; /* [members + 2]; owned */
    eval_count boundary[EVAL_BOUNDARIES], canny[EVAL_CANNYS];
    float ahead; /* largest mean in the rows beyond FRONT_ROWS of the front; 0 without */
    reshed_status status;
    reshed_error err;
} frame_result;

typedef struct table {
    const eval_job *j;
    eval_net net, average;
    frame_set *set; /* [sets] */
    int sets;
    long frames;
    frame_result *result; /* [frames] */
    int carried_boundary, carried_canny;
} table;

/* ------------------------------------------------------------------------------------ one frame */

static const frame_set *set_of(const table *t, long i)
{
    int k = 0;
    while (k + 1 < t->sets && t->set[k + 1].first <= i) k++;
    return &t->set[k];
}

static reshed_status make_frame(const table *t, long i, eval_frame *f, reshed_error *err)
{
    const frame_set *s = set_of(t, i);
    const long k = i - s->first;
    if (s->labelled) {
        char *const *pair = t->j->pair + 2 * (s - t->set);
        return eval_frame_read(pair[0], pair[1], f, err);
    }
    int n;
    const rs_twin_field *fields = rs_twin_effect_fields(&n);
    eval_change change = {s->partial ? rs_twin_field_find(fields, n, "scanned") : NULL,
                          0.2 + 0.7 * (double)(k % 15) / 14};
    return eval_frame_twin(&s->twin, (uint64_t)t->j->seed, k, &change, f, err);
}

static float largest_ahead(const eval_frame *f, const float *mean)
{
    float largest = 0;
    for (int r = f->scanned + FRONT_ROWS; r < f->height; r++)
        for (int c = 0; c < f->width; c++)
            largest = fmaxf(largest, mean[(size_t)r * (size_t)f->width + (size_t)c]);
    return largest;
}

static reshed_status judge(table *t, int worker, const eval_frame *f, frame_result *r,
                           reshed_error *err)
{
    const int members = t->net.members;
    const size_t n = (size_t)f->height * (size_t)f->width;
    float *mean = rs_alloc(((size_t)members + 3) * n, sizeof *mean), *single = mean + n,
          *variance = single + n, *member = variance + n;
    if (!mean) return rs_fail_nomem(err, "maps", ((size_t)members + 3) * n * sizeof *mean);
    reshed_status st = eval_net_run(&t->average, worker, f, single, variance, NULL, err);
    if (st == RESHED_OK) st = eval_net_run(&t->net, worker, f, mean, variance, member, err);
    for (int k = 0; k < members && st == RESHED_OK; k++)
        st = eval_tally_map(f, member + (size_t)k * n, true, &r->tally[k], err);
    if (st == RESHED_OK) st = eval_tally_map(f, mean, true, &r->tally[members], err);
    if (st == RESHED_OK) st = eval_tally_map(f, single, true, &r->tally[members + 1], err);
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
    table *t = ctx;
    frame_result *r = &t->result[i];
    eval_frame f = {0};
    r->status = make_frame(t, (long)i, &f, &r->err);
    if (r->status == RESHED_OK) r->status = judge(t, worker, &f, r, &r->err);
    eval_frame_clear(&f);
}

/* ------------------------------------------------------------------------------------- printing */

/* Scores of one method on one set; NaN where there is none. */
typedef struct row {
    double precision, recall, f, strict, loose, best, at, iou, ece;
} row;

static const row empty_row = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};

static row row_of_tally(eval_tally *t)
{
    row r = empty_row;
    rs_calibration c;
    r.precision = eval_count_precision(&t->at[1]);
    r.recall = eval_count_recall(&t->at[1]);
    r.strict = eval_count_f(&t->at[0]);
    r.f = eval_count_f(&t->at[1]);
    r.loose = eval_count_f(&t->at[2]);
    r.best = eval_tally_best(t, &r.at);
    r.iou = t->either ? (double)t->both / (double)t->either : 1;
    eval_tally_reliability(t, &c);
    r.ece = c.ece;
    return r;
}

static row row_of_count(const eval_count *c)
{
    row r = empty_row;
    r.precision = eval_count_precision(c);
    r.recall = eval_count_recall(c);
    r.f = eval_count_f(c);
    return r;
}

static void print_cell(double v, int digits)
{
    if (isnan(v))
        printf("      -");
    else
        printf(" %6.*f", digits, v);
}

static void print_row(const eval_job *j, const char *set, const char *method, const row *r)
{
    const double v[9] = {r->precision, r->recall, r->f,   r->strict, r->loose,
                         r->best,      r->at,     r->iou, r->ece};
    static const char *const key[9] = {"edge_precision",      "edge_recall", "edge_f",
                                       "edge_f_1px",          "edge_f_2px",  "edge_best_f",
                                       "edge_best_threshold", "iou",         "ece_near_walls"};
    if (!j->json) {
        printf("%-22s %-44s", set, method);
        for (int i = 0; i < 9; i++) print_cell(v[i], i == 6 ? 2 : 3);
        putchar('\n');
        return;
    }
    printf("{\"set\": ");
    cli_json_string(stdout, set);
    printf(", \"method\": ");
    cli_json_string(stdout, method);
    for (int i = 0; i < 9; i++) {
        printf(", \"%s\": ", key[i]);
        cli_json_number(stdout, v[i]);
    }
    puts("}");
}

/* a += b, of a mean. */
static void accumulate(row *a, const row *b, double weight)
{
    double *x = (double *)a;
    const double *y = (const double *)b;
    for (size_t i = 0; i < sizeof(row) / sizeof(double); i++) x[i] += weight * y[i];
}

/* ----------------------------------------------------------------------------------------- sets */

#define BASELINES 4 /* boundary and Canny, tuned and carried over */

typedef struct set_summary {
    row *of; /* [methods]; owned */
    eval_count boundary[EVAL_BOUNDARIES], canny[EVAL_CANNYS];
    float ahead;
    long ahead_frames;
} set_summary;

static void baseline_rows(const table *t, const set_summary *s, row of[BASELINES],
                          char text[BASELINES][64])
{
    const int k[BASELINES] = {eval_best_count(s->boundary, EVAL_BOUNDARIES), t->carried_boundary,
                              eval_best_count(s->canny, EVAL_CANNYS), t->carried_canny};
    for (int i = 0; i < BASELINES; i++) {
        char what[40];
        of[i] = row_of_count(i < 2 ? &s->boundary[k[i]] : &s->canny[k[i]]);
        if (i < 2)
            eval_boundary_text(k[i], what, sizeof what);
        else
            eval_canny_text(k[i], what, sizeof what);
        snprintf(text[i], sizeof text[i], "%s %s, %s", i < 2 ? "boundary" : "Canny",
                 i % 2 ? "carried" : "tuned", what);
    }
}

static const char *method_name(const table *t, int k, char *buf, size_t n)
{
    if (k == t->net.members) return "ensemble";
    if (k == t->net.members + 1) return "average of the weights";
    snprintf(buf, n, "member %d", k);
    return buf;
}

static reshed_status sum_set(table *t, const frame_set *s, set_summary *out, reshed_error *err)
{
    const int methods = t->net.members + 2;
    reshed_status st = RESHED_OK;
    memset(out, 0, sizeof *out);
    out->of = rs_zalloc((size_t)methods, sizeof *out->of);
    if (!out->of) return rs_fail_nomem(err, "scores", (size_t)methods * sizeof *out->of);
    for (int k = 0; k < methods && st == RESHED_OK; k++) {
        eval_tally sum = {0};
        for (long i = s->first; i < s->first + s->n && st == RESHED_OK; i++)
            st = eval_tally_add(&sum, &t->result[i].tally[k], err);
        if (st == RESHED_OK) out->of[k] = row_of_tally(&sum);
        if (st == RESHED_OK && k == t->net.members && s == &t->set[t->j->pairs] &&
            t->j->reliability) {
            rs_calibration c;
            eval_tally_reliability(&sum, &c);
            st = rs_report_reliability(t->j->reliability, &c, s->name, err);
        }
        eval_tally_clear(&sum);
    }
    for (long i = s->first; i < s->first + s->n; i++) {
        const frame_result *r = &t->result[i];
        for (int k = 0; k < EVAL_BOUNDARIES; k++)
            eval_count_add(&out->boundary[k], &r->boundary[k]);
        for (int k = 0; k < EVAL_CANNYS; k++) eval_count_add(&out->canny[k], &r->canny[k]);
        out->ahead = fmaxf(out->ahead, r->ahead);
        out->ahead_frames += r->ahead > 0.3f;
    }
    return st;
}

static void print_set(const table *t, const char *name, const set_summary *s)
{
    const int members = t->net.members;
    row mean = {0}, base[BASELINES];
    char text[BASELINES][64], buf[32];
    for (int k = 0; k < members; k++) {
        print_row(t->j, name, method_name(t, k, buf, sizeof buf), &s->of[k]);
        accumulate(&mean, &s->of[k], 1.0 / members);
    }
    print_row(t->j, name, "mean of the members", &mean);
    for (int k = members; k < members + 2; k++)
        print_row(t->j, name, method_name(t, k, buf, sizeof buf), &s->of[k]);
    baseline_rows(t, s, base, text);
    for (int i = 0; i < BASELINES; i++) print_row(t->j, name, text[i], &base[i]);
}

/* The plain means over the labelled images. */
static void print_labelled(const table *t, const set_summary *s)
{
    static const char *const baseline[BASELINES] = {"boundary, tuned on each", "boundary, carried",
                                                    "Canny, tuned on each", "Canny, carried"};
    const char *name = "labelled images, mean";
    const int members = t->net.members, n = t->j->pairs;
    row all = {0}, base[BASELINES] = {{0}};
    char buf[32];
    for (int k = 0; k < members + 2; k++) {
        row mean = {0};
        for (int i = 0; i < n; i++) accumulate(&mean, &s[i].of[k], 1.0 / n);
        if (k < members) accumulate(&all, &mean, 1.0 / members);
        if (k == members) print_row(t->j, name, "mean of the members", &all);
        print_row(t->j, name, method_name(t, k, buf, sizeof buf), &mean);
    }
    set_summary together;
    memset(&together, 0, sizeof together);
    for (int i = 0; i < n; i++) {
        row one[BASELINES];
        char text[BASELINES][64];
        baseline_rows(t, &s[i], one, text);
        for (int k = 0; k < BASELINES; k++) accumulate(&base[k], &one[k], 1.0 / n);
        for (int k = 0; k < EVAL_BOUNDARIES; k++)
            eval_count_add(&together.boundary[k], &s[i].boundary[k]);
        for (int k = 0; k < EVAL_CANNYS; k++) eval_count_add(&together.canny[k], &s[i].canny[k]);
    }
    for (int k = 0; k < BASELINES; k++) print_row(t->j, name, baseline[k], &base[k]);
    row one[BASELINES];
    char text[BASELINES][64];
    baseline_rows(t, &together, one, text);
    print_row(t->j, "labelled images, as one", text[0], &one[0]);
    print_row(t->j, "labelled images, as one", text[2], &one[2]);
}

static reshed_status print_table(table *t, reshed_error *err)
{
    set_summary *s = rs_zalloc((size_t)t->sets, sizeof *s);
    if (!s) return rs_fail_nomem(err, "scores", (size_t)t->sets * sizeof *s);
    reshed_status st = RESHED_OK;
    for (int i = 0; i < t->sets && st == RESHED_OK; i++) st = sum_set(t, &t->set[i], &s[i], err);
    if (st != RESHED_OK) goto done;
    /* What is carried over is tuned on the usual simulated frames. */
    t->carried_boundary = eval_best_count(s[t->j->pairs].boundary, EVAL_BOUNDARIES);
    t->carried_canny = eval_best_count(s[t->j->pairs].canny, EVAL_CANNYS);
    if (!t->j->json)
        printf("%-22s %-44s   prec    rec      F F(1px) F(2px) best F     at    IoU    ECE\n",
               "set", "method");
    for (int i = 0; i < t->sets; i++) print_set(t, t->set[i].name, &s[i]);
    if (t->j->pairs) print_labelled(t, s);
    const set_summary *partial = &s[t->sets - 1];
    const frame_set *p = &t->set[t->sets - 1];
    if (!t->j->json)
        printf("part not scanned: largest probability beyond %d rows from the front %.3f, above "
               "0.3 in %ld of %ld frames\n",
               FRONT_ROWS, (double)partial->ahead, partial->ahead_frames, p->n);
    else
        printf("{\"set\": \"%s\", \"largest_ahead\": %.4f, \"frames_ahead\": %ld, \"frames\": "
               "%ld}\n",
               p->name, (double)partial->ahead, partial->ahead_frames, p->n);
done:
    for (int i = 0; i < t->sets; i++) rs_free(s[i].of);
    rs_free(s);
    return st;
}

/* ------------------------------------------------------------------------------------ the whole */

static reshed_status list_sets(table *t, reshed_error *err)
{
    const eval_job *j = t->j;
    t->sets = j->pairs + SIMULATED;
    t->set = rs_zalloc((size_t)t->sets, sizeof *t->set);
    if (!t->set) return rs_fail_nomem(err, "sets of frames", (size_t)t->sets * sizeof *t->set);
    for (int i = 0; i < t->sets; i++) {
        frame_set *s = &t->set[i];
        s->labelled = i < j->pairs;
        s->first = t->frames;
        s->n = s->labelled ? 1 : j->frames;
        t->frames += s->n;
        if (s->labelled) {
            const char *slash = strrchr(j->pair[2 * i], '/');
            snprintf(s->name, sizeof s->name, "%s", slash ? slash + 1 : j->pair[2 * i]);
            continue;
        }
        const int kind = i - j->pairs;
        static const char *const name[SIMULATED] = {"simulated, usual", "simulated, plain",
                                                    "simulated, as trained", "simulated, partial"};
        s->twin = (eval_twin){.size = (int)j->size,
                              .harsh = kind == 2 ? 1 : j->harsh,
                              .plain = kind == 1 || (j->plain && kind != 2),
                              .steady = kind != 2};
        s->partial = kind == 3;
        snprintf(s->name, sizeof s->name, "%s", name[kind]);
    }
    t->result = rs_zalloc((size_t)t->frames, sizeof *t->result);
    if (!t->result) return rs_fail_nomem(err, "scores", (size_t)t->frames * sizeof *t->result);
    for (long i = 0; i < t->frames; i++) {
        t->result[i].tally = rs_zalloc((size_t)t->net.members + 2, sizeof(eval_tally));
        if (!t->result[i].tally) return rs_fail_nomem(err, "scores", sizeof(eval_tally));
    }
    return RESHED_OK;
}

static void table_clear(table *t)
{
    for (long i = 0; t->result && i < t->frames; i++) {
        for (int k = 0; t->result[i].tally && k < t->net.members + 2; k++)
            eval_tally_clear(&t->result[i].tally[k]);
        rs_free(t->result[i].tally);
    }
    rs_free(t->result);
    rs_free(t->set);
    eval_net_close(&t->net);
    eval_net_close(&t->average);
}

int eval_table(const eval_job *j)
{
    table t = {.j = j};
    reshed_error err = {0};
    const char *path = j->weights;
    const int threads = rs_threads_or_all((int)j->threads);
    reshed_status st = eval_net_open(j->weights, threads, &t.net, &err);
    if (st == RESHED_OK) st = eval_net_average(&t.net, &t.average, &err);
    if (st == RESHED_OK) st = list_sets(&t, &err);
    if (st == RESHED_OK) rs_parallel_for(threads, t.frames, one_frame, &t);
    for (long i = 0; i < t.frames && st == RESHED_OK; i++)
        if (t.result[i].status != RESHED_OK) {
            st = t.result[i].status;
            err = t.result[i].err;
            path = set_of(&t, i)->name;
        }
    if (st == RESHED_OK) st = print_table(&t, &err);
    table_clear(&t);
    return st == RESHED_OK ? cli_close(j->program) : cli_fail(j->program, path, &err);
}
