#include "tools/walls/stats.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/walls/findings.h"
#include "io/csv.h"
#include "report/recipe.h"
#include "tools/cli/wall_tests.h"

/* The rows of the table of values. */
typedef struct values {
    int n;
    rs_place *place;
    int *kind; /* of rs_point_kind */
    double *value;
} values;

static void values_clear(values *v)
{
    rs_free(v->place);
    rs_free(v->kind);
    rs_free(v->value);
}

/* An empty cell is a value that was not measured. */
static reshed_status cell(const rs_csv_table *t, size_t row, size_t column, double *out,
                          reshed_error *err)
{
    *out = NAN;
    if (!*rs_csv_cell(t, row, column)) return RESHED_OK;
    return rs_csv_cell_number(t, row, column, out, err);
}

/* The kind of a point, by the words of the tables; an empty cell is a point on a wall. */
static reshed_status kind_of(const rs_csv_table *t, size_t row, size_t column, int *kind,
                             reshed_error *err)
{
    const char *word = rs_csv_cell(t, row, column);
    char names[128] = "";
    *kind = RS_POINT_WALL;
    if (!*word) return RESHED_OK;
    for (int k = RS_POINT_WALL; k <= RS_POINT_180_WALL; k++) {
        const char *name = rs_point_kind_name((rs_point_kind)k);
        *kind = k;
        if (strcmp(word, name) == 0) return RESHED_OK;
        strcat(strcat(names, k > RS_POINT_WALL ? ", " : ""), name);
    }
    return rs_fail(err, RESHED_EINVAL, "kind of a point|%s, or nothing|%s|line %ld", names, word,
                   (long)t->line[row + 1]);
}

static reshed_status take_values(const rs_csv_table *t, const char *metric, values *v,
                                 reshed_error *err)
{
    size_t row, col, value, trusted, kind;
    const bool kinds = rs_csv_column(t, "kind", &kind, NULL) == RESHED_OK;
    const bool judged = rs_csv_column(t, "trusted", &trusted, NULL) == RESHED_OK;
    reshed_status st = rs_csv_column(t, "row", &row, err);
    if (st == RESHED_OK) st = rs_csv_column(t, "col", &col, err);
    if (st == RESHED_OK) st = rs_csv_column(t, metric, &value, err);
    if (st != RESHED_OK) return st;
    v->n = (int)t->rows;
    v->place = rs_alloc(t->rows, sizeof *v->place);
    v->value = rs_alloc(t->rows, sizeof *v->value);
    v->kind = rs_zalloc(t->rows + 1, sizeof *v->kind);
    if (!v->place || !v->value || !v->kind) return rs_fail_nomem(err, "values", t->rows * 24);
    for (size_t i = 0; i < t->rows && st == RESHED_OK; i++) {
        st = cell(t, i, row, &v->place[i].row, err);
        if (st == RESHED_OK) st = cell(t, i, col, &v->place[i].col, err);
        if (st == RESHED_OK) st = cell(t, i, value, &v->value[i], err);
        if (st == RESHED_OK && kinds) st = kind_of(t, i, kind, &v->kind[i], err);
        if (judged && strcmp(rs_csv_cell(t, i, trusted), "0") == 0) v->value[i] = NAN;
    }
    return st;
}

static reshed_status test_values(walls_job *job, const values *v, reshed_error *err)
{
    const walls_request *r = job->request;
    rs_wall_tests_options o;
    rs_wall_tests_defaults(&job->grid, &o);
    o.family_angle = r->find.family_angle;
    o.long_wall = rs_length_on(&job->grid, r->long_wall);
    o.large_domain = rs_length_on(&job->grid, r->large_domain);
    o.in_plane = job->in_plane;
    o.permutations = (int)r->permutations;
    o.seed = (uint64_t)r->seed;
    return rs_wall_tests_places(&job->found.graph, &o, v->place, v->kind, v->value, v->n,
                                &job->tests, err);
}

bool walls_run_stats(walls_job *job)
{
    const walls_request *r = job->request;
    reshed_error err = {0};
    rs_csv_table table = {0};
    values v = {0};
    reshed_status st;
    if (r->values) {
        st = rs_csv_read(r->values, &table, &err);
        if (st == RESHED_OK) st = take_values(&table, r->metric, &v, &err);
    } else {
        st = rs_report_values(job->session, r->metric, &v.n, &v.place, &v.kind, &v.value, &err);
    }
    if (st == RESHED_OK) st = test_values(job, &v, &err);
    values_clear(&v);
    rs_csv_table_clear(&table);
    if (st != RESHED_OK) cli_fail(job->program, r->values ? r->values : r->map, &err);
    return st == RESHED_OK;
}

/* --------------------------------------------------------------------------------------- output */

bool walls_write_stats(const walls_job *job)
{
    const rs_wall_tests *s = &job->tests;
    const char *path = job->request->stats, *unit = walls_unit(job);
    rs_csv c = {0};
    reshed_error err = {0};
    if (!path) return true;
    const char *const heading[][2] = {{"wall", ""},   {"values", ""},  {"mean", ""},
                                      {"sd", ""},     {"sem", ""},     {"median", ""},
                                      {"min", ""},    {"max", ""},     {"length", unit},
                                      {"family", ""}, {"place", unit}, {"domain distance", unit}};
    for (size_t i = 0; i < sizeof heading / sizeof *heading; i++)
        rs_csv_heading(&c, heading[i][0], heading[i][1]);
    rs_csv_end_row(&c);
    for (int i = 0; i < s->measured; i++) {
        const rs_wall_summary *w = &s->wall[i];
        const rs_wall *wall = &job->found.graph.wall[w->wall];
        rs_csv_integer(&c, w->wall);
        rs_csv_integer(&c, w->n);
        const double number[] = {w->mean, w->sd,  w->sem,           w->median,
                                 w->min,  w->max, wall->line.length};
        for (size_t k = 0; k < sizeof number / sizeof *number; k++) rs_csv_number(&c, number[k]);
        rs_csv_integer(&c, wall->family);
        rs_csv_number(&c, wall->place);
        rs_csv_number(&c, s->distance[i]);
        rs_csv_end_row(&c);
    }
    reshed_status st = rs_csv_save(&c, path, &err);
    rs_csv_clear(&c);
    if (st == RESHED_OK) return true;
    cli_fail(job->program, path, &err);
    return false;
}

void walls_stats_json(const walls_job *job, rs_json *j)
{
    cli_wall_tests_json(j, job->request->metric, &job->tests);
}

void walls_stats_text(const walls_job *job)
{
    const rs_wall_tests *s = &job->tests;
    const char *metric = job->request->metric, *unit = walls_unit(job);
    printf("%s: %d values on %d walls", CLI_TEXT(metric), s->points, s->measured);
    printf("; left out: %d without a value to trust, %d on no wall\n", s->unmeasured, s->off);
    rs_finding f[RS_FINDINGS];
    int few;
    const int n = rs_wall_findings(s, f, &few);
    for (int i = 0; i < n; i++) {
        printf("  %s: p = %.3g", f[i].title, f[i].p);
        if (n > 1) printf(", %.3g corrected for %d tests (Holm)", f[i].p_holm, n);
        printf(" (%s); %s %.4g", f[i].test, f[i].estimator, f[i].estimate);
        if (isfinite(f[i].lo)) printf(", 95 %% from %.4g to %.4g", f[i].lo, f[i].hi);
        if (!f[i].plain && isfinite(f[i].effect))
            printf("; %s %.2f", f[i].effect_name, f[i].effect);
        printf("; %d walls", f[i].walls);
        if (f[i].controls) printf(", %d control points", f[i].controls);
        printf("\n");
    }
    for (int i = n; i < n + few; i++) {
        printf("  %s: not tested, no p of so few could be %g or less (%d walls", f[i].title,
               RS_FINDING_LEVEL, f[i].walls);
        if (f[i].controls) printf(", %d control points", f[i].controls);
        printf(")\n");
    }
    if (s->has_alternation)
        printf("  alternation: of %d measured walls %d are parallel (family %d), on %d lines\n",
               s->measured, s->in_family, s->family + 1, s->alternation.walls);
    else
        printf("  alternation: not tested (no family of %d parallel walls measured)\n",
               RS_ALTERNATION_MIN_WALLS);
    if (s->has_lengths)
        printf("  lengths: %d measured walls are %d when joined over gaps; long ones (%d) from "
               "%.3g %s\n",
               s->measured, s->lengths.n[0] + s->lengths.n[1], s->lengths.n[0], s->limit, unit);
    else
        printf("  long against short walls: not tested (all on one side of %.3g %s)\n", s->limit,
               unit);
    if (!s->has_trend)
        printf("  with the distance from large in-plane domains: not tested (%d domains)\n",
               s->domains);
}
