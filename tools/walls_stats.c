#include "walls_stats.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/distance.h"
#include "imgproc/domains.h"
#include "imgproc/wallfamily.h"
#include "imgproc/wallgap.h"
#include "io/csv.h"

#define NEAR_PIXELS 2 /* a value this near to a wall is on it: positions are never exact */

void walls_stats_clear(walls_stats *stats)
{
    rs_free(stats->wall);
    rs_free(stats->distance);
    *stats = (walls_stats){0};
}

/* Values from the table, and the wall that each lies on. */
typedef struct values {
    int n;
    int *wall;     /* [n] -1: on none */
    double *value; /* [n] */
} values;

static void values_clear(values *v)
{
    rs_free(v->wall);
    rs_free(v->value);
}

reshed_status walls_spread(const rs_wallgraph *g, int32_t *wall_near, reshed_error *err)
{
    size_t n = rs_grid_count(&g->grid);
    int64_t *squared = rs_alloc(n, sizeof *squared);
    if (!squared) return rs_fail_nomem(err, "distances", n * sizeof *squared);
    reshed_status st =
        rs_distance_transform(g->skeleton, g->grid.height, g->grid.width, squared, wall_near, err);
    for (size_t i = 0; i < n && !st; i++)
        wall_near[i] = wall_near[i] >= 0 && squared[i] <= NEAR_PIXELS * NEAR_PIXELS
                           ? g->wall_at[wall_near[i]]
                           : -1;
    rs_free(squared);
    return st;
}

/* An empty cell is a value that was not measured. */
static reshed_status cell(const rs_csv_table *t, size_t row, size_t column, double *out,
                          reshed_error *err)
{
    *out = NAN;
    if (!*rs_csv_cell(t, row, column)) return RESHED_OK;
    return rs_csv_cell_number(t, row, column, out, err);
}

static reshed_status take_values(const walls_job *job, const rs_csv_table *t, values *v,
                                 reshed_error *err)
{
    const rs_grid *grid = &job->grid;
    size_t row_column, col_column, metric, n = rs_grid_count(grid);
    reshed_status st = rs_csv_column(t, "row", &row_column, err);
    if (!st) st = rs_csv_column(t, "col", &col_column, err);
    if (!st) st = rs_csv_column(t, job->request->metric, &metric, err);
    if (st) return st;
    int32_t *wall_near = rs_alloc(n, sizeof *wall_near);
    v->wall = rs_alloc(t->rows, sizeof *v->wall);
    v->value = rs_alloc(t->rows, sizeof *v->value);
    if (!wall_near || !v->wall || !v->value) {
        st = rs_fail_nomem(err, "values", n * 4 + t->rows * 12);
        goto done;
    }
    st = walls_spread(&job->graph, wall_near, err);
    for (size_t i = 0; i < t->rows && !st; i++) {
        double row, col;
        st = cell(t, i, row_column, &row, err);
        if (!st) st = cell(t, i, col_column, &col, err);
        if (!st) st = cell(t, i, metric, &v->value[i], err);
        if (st) break;
        row = floor(row + 0.5);
        col = floor(col + 0.5);
        bool inside = row >= 0 && col >= 0 && row < grid->height && col < grid->width;
        v->wall[i] = inside ? wall_near[(size_t)row * (size_t)grid->width + (size_t)col] : -1;
    }
    v->n = (int)t->rows;
done:
    rs_free(wall_near);
    return st;
}

/* ---------------------------------------------------------------------------------------- tests */

/* Walls of the film, each of one or more walls of the graph: the numbers of all are kept at the
 * first of them. For alternation they are one where they lie on one line (rs_family_pieces), for
 * lengths where one goes on as the other (rs_wall_gaps). */
typedef struct joined {
    int *first;          /* [walls]: the first piece of the wall that a wall belongs to */
    double *sum, *count; /* [walls], at first pieces: values of all pieces, and how many */
    double *length;      /* the same, of all pieces, measured or not */
    int *order, *piece;  /* [walls]: scratch */
} joined;

static void joined_clear(joined *j)
{
    rs_free(j->first);
    rs_free(j->sum);
    rs_free(j->count);
    rs_free(j->length);
    rs_free(j->order);
    rs_free(j->piece);
}

static reshed_status joined_alloc(size_t walls, joined *j, reshed_error *err)
{
    *j = (joined){rs_alloc(walls, sizeof(int)),     rs_zalloc(walls, sizeof(double)),
                  rs_zalloc(walls, sizeof(double)), rs_zalloc(walls, sizeof(double)),
                  rs_alloc(walls, sizeof(int)),     rs_alloc(walls, sizeof(int))};
    if (!j->first || !j->sum || !j->count || !j->length || !j->order || !j->piece)
        return rs_fail_nomem(err, "means by wall", walls * 36);
    return RESHED_OK;
}

/* Once first[] is set. */
static void add_up(const rs_wallgraph *g, const walls_stats *s, joined *j)
{
    const size_t walls = (size_t)g->walls;
    memset(j->sum, 0, walls * sizeof *j->sum);
    memset(j->count, 0, walls * sizeof *j->count);
    memset(j->length, 0, walls * sizeof *j->length);
    for (int w = 0; w < g->walls; w++) j->length[j->first[w]] += g->wall[w].line.length;
    for (int i = 0; i < s->measured; i++) {
        const rs_wall_summary *w = &s->wall[i];
        j->sum[j->first[w->wall]] += w->mean * w->n;
        j->count[j->first[w->wall]] += w->n;
    }
}

static void join_by_place(const rs_wallgraph *g, int families, const walls_stats *s, joined *j)
{
    const double apart = 1.5 * sqrt(g->grid.dx * g->grid.dy);
    for (int w = 0; w < g->walls; w++) j->first[w] = w;
    for (int f = 0; f < families; f++) {
        const int n = rs_family_walls(g, f, j->order);
        rs_family_pieces(g, j->order, n, apart, j->piece);
        for (int i = 0; i < n; i++) j->first[j->order[i]] = j->order[j->piece[i]];
    }
    add_up(g, s, j);
}

static reshed_status join_over_gaps(const rs_wallgraph *g, const walls_stats *s, joined *j,
                                    reshed_error *err)
{
    const double gap = RS_WALL_GAP_PIXELS * sqrt(g->grid.dx * g->grid.dy);
    reshed_status st = rs_wall_gaps(g, gap, j->first, err);
    if (st == RESHED_OK) add_up(g, s, j);
    return st;
}

/* The widest family with enough measured walls. */
static reshed_status test_alternation(const walls_job *job, int families, const joined *j,
                                      walls_stats *s, reshed_error *err)
{
    double *value = rs_alloc((size_t)job->graph.walls, sizeof *value);
    reshed_status st = RESHED_OK;
    if (!value) return rs_fail_nomem(err, "means by wall", (size_t)job->graph.walls * 8);
    for (int f = 0; f < families && !s->has_alternation && !st; f++) {
        int n = rs_family_walls(&job->graph, f, j->order), kept = 0;
        for (int i = 0; i < n; i++) {
            const int w = j->order[i];
            if (j->first[w] == w && j->count[w] > 0) value[kept++] = j->sum[w] / j->count[w];
        }
        if (kept < RS_ALTERNATION_MIN_WALLS) continue;
        st = rs_alternation_test(value, kept, (int)job->request->permutations,
                                 (uint64_t)job->request->seed, &s->alternation, err);
        s->has_alternation = st == RESHED_OK;
        s->family = f;
    }
    rs_free(value);
    return st;
}

static reshed_status test_lengths(const walls_job *job, double limit, const joined *j,
                                  walls_stats *s, reshed_error *err)
{
    const size_t n = (size_t)job->graph.walls;
    double *value = rs_alloc(n, 2 * sizeof *value);
    if (!value) return rs_fail_nomem(err, "means by wall", n * 2 * sizeof *value);
    int longer = 0, shorter = 0;
    for (int w = 0; w < job->graph.walls; w++) {
        if (!(j->count[w] > 0)) continue;
        if (j->length[w] >= limit)
            value[longer++] = j->sum[w] / j->count[w];
        else
            value[n + (size_t)shorter++] = j->sum[w] / j->count[w];
    }
    reshed_status st = RESHED_OK;
    s->limit = limit;
    if (longer && shorter) {
        st = rs_rank_sum_test(value, longer, value + n, shorter, &s->lengths, err);
        s->has_lengths = st == RESHED_OK;
    }
    rs_free(value);
    return st;
}

/* The median length of the measured walls, of which half are then long. */
static double middle_length(const walls_job *job, const walls_stats *s)
{
    /* Walls are numbered from the longest, and summaries come in that order. */
    return s->measured ? job->graph.wall[s->wall[(s->measured - 1) / 2].wall].line.length : 0;
}

static reshed_status find_distances(const walls_job *job, double side, walls_stats *s,
                                    reshed_error *err)
{
    const rs_wallgraph *g = &job->graph;
    size_t n = rs_grid_count(&g->grid);
    uint8_t *region = rs_alloc(n, sizeof *region);
    int32_t *domain = rs_alloc(n, sizeof *domain);
    double *distance = rs_alloc((size_t)g->walls, sizeof *distance);
    reshed_status st = RESHED_OK;
    if (!region || !domain || !distance) {
        st = rs_fail_nomem(err, "in-plane domains", n * 5);
        goto done;
    }
    if (job->in_plane) {
        memcpy(region, job->in_plane, n);
    } else {
        st = rs_pair_domains(g, domain, err);
        for (size_t i = 0; i < n && !st; i++) region[i] = domain[i] > 0;
    }
    if (!st) st = rs_large_regions(&g->grid, region, side * side, region, &s->domains, err);
    if (!st) st = rs_wall_distances(g, region, distance, err);
    for (int i = 0; i < s->measured && !st; i++) s->distance[i] = distance[s->wall[i].wall];
done:
    rs_free(distance);
    rs_free(domain);
    rs_free(region);
    return st;
}

static reshed_status test_trend(const walls_job *job, walls_stats *s, reshed_error *err)
{
    size_t n = (size_t)s->measured;
    double *mean = rs_alloc(n, sizeof *mean);
    if (!mean) return rs_fail_nomem(err, "means by wall", n * sizeof *mean);
    for (size_t i = 0; i < n; i++) mean[i] = s->wall[i].mean;
    reshed_status st =
        rs_trend_test(s->distance, mean, s->measured, (int)job->request->permutations,
                      (uint64_t)job->request->seed, &s->trend, err);
    s->has_trend = st == RESHED_OK;
    rs_free(mean);
    return st;
}

static reshed_status test_all(walls_job *job, double limit, double side, walls_stats *s,
                              reshed_error *err)
{
    int families = 0;
    joined j = {0};
    reshed_status st = rs_wall_families(&job->graph, job->request->family_angle, 0, &families, err);
    const rs_wallgraph *g = &job->graph;
    if (!st) st = joined_alloc((size_t)g->walls, &j, err);
    if (!st) join_by_place(g, families, s, &j);
    if (!st) st = test_alternation(job, families, &j, s, err);
    if (!st) st = join_over_gaps(g, s, &j, err);
    if (!st) st = test_lengths(job, limit, &j, s, err);
    joined_clear(&j);
    if (!st) st = find_distances(job, side, s, err);
    if (!st && s->domains && s->measured >= 3) st = test_trend(job, s, err);
    return st;
}

reshed_status walls_compute_stats(walls_job *job, const int *wall, const double *value, int n,
                                  walls_stats *out, reshed_error *err)
{
    const walls_request *r = job->request;
    double limit = walls_length_of(job, r->long_wall), side = walls_length_of(job, r->large_domain);
    size_t walls = (size_t)job->graph.walls;
    walls_stats s = {.wall = rs_alloc(walls, sizeof *s.wall),
                     .distance = rs_alloc(walls, sizeof *s.distance)};
    reshed_status st = RESHED_OK;
    if (!s.wall || !s.distance)
        st = rs_fail_nomem(err, "summaries by wall", walls * sizeof *s.wall);
    if (!st)
        st = rs_stats_by_wall(wall, value, (size_t)n, job->graph.walls, s.wall, &s.measured, err);
    for (int i = 0; i < s.measured && !st; i++) s.points += s.wall[i].n;
    if (!(limit > 0) && !st) limit = middle_length(job, &s);
    if (!st) st = test_all(job, limit, side, &s, err);
    if (st)
        walls_stats_clear(&s);
    else
        *out = s;
    return st;
}

bool walls_run_stats(walls_job *job, walls_stats *out)
{
    const walls_request *r = job->request;
    reshed_error err = {0};
    rs_csv_table table = {0};
    values v = {0};
    *out = (walls_stats){0};
    reshed_status st = rs_csv_read(r->values, &table, &err);
    if (!st) st = take_values(job, &table, &v, &err);
    if (!st) st = walls_compute_stats(job, v.wall, v.value, v.n, out, &err);
    values_clear(&v);
    rs_csv_table_clear(&table);
    if (st == RESHED_OK) return true;
    cli_fail(job->program, r->values, &err);
    return false;
}

/* --------------------------------------------------------------------------------------- output */

bool walls_write_stats(const walls_job *job, const walls_stats *s)
{
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
        const rs_wall *wall = &job->graph.wall[w->wall];
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

static void number(const char *key, double v)
{
    printf(", \"%s\": ", key);
    cli_json_number(stdout, v);
}

void walls_stats_json(const walls_job *job, const walls_stats *s)
{
    printf("{\"metric\": ");
    cli_json_string(stdout, job->request->metric);
    printf(", \"points\": %d, \"walls\": %d", s->points, s->measured);
    printf(", \"alternation\": ");
    if (s->has_alternation) {
        printf("{\"family\": %d, \"walls\": %d", s->family, s->alternation.walls);
        number("difference", s->alternation.difference);
        number("p", s->alternation.p);
        number("successive", s->alternation.successive);
        number("p_successive", s->alternation.p_successive);
        number("autocorrelation", s->alternation.autocorrelation);
        printf("}");
    } else {
        printf("null");
    }
    printf(", \"long_short\": ");
    if (s->has_lengths) {
        printf("{\"long\": %d, \"short\": %d", s->lengths.n[0], s->lengths.n[1]);
        number("limit", s->limit);
        number("median_long", s->lengths.median[0]);
        number("median_short", s->lengths.median[1]);
        number("shift", s->lengths.shift);
        number("u", s->lengths.u);
        number("effect", s->lengths.effect);
        number("p", s->lengths.p);
        printf(", \"exact\": %s}", s->lengths.exact ? "true" : "false");
    } else {
        printf("null");
    }
    printf(", \"domain_distance\": ");
    if (s->has_trend) {
        printf("{\"domains\": %d, \"walls\": %d", s->domains, s->trend.n);
        number("rho", s->trend.rho);
        number("p", s->trend.p);
        printf("}");
    } else {
        printf("null");
    }
    printf("}");
}

void walls_stats_text(const walls_job *job, const walls_stats *s)
{
    const char *metric = job->request->metric, *unit = walls_unit(job);
    printf("%s: %d values on %d walls\n", metric, s->points, s->measured);
    if (s->has_alternation)
        printf("  alternation over %d parallel walls: difference %.4g, p = %.3g; between "
               "neighbours %.4g, p = %.3g\n",
               s->alternation.walls, s->alternation.difference, s->alternation.p,
               s->alternation.successive, s->alternation.p_successive);
    else
        printf("  alternation: not tested (no family of %d parallel walls measured)\n",
               RS_ALTERNATION_MIN_WALLS);
    if (s->has_lengths)
        printf("  long walls (%d, from %.3g %s) against short (%d): medians %.4g and %.4g, shift "
               "%.4g, p = %.3g (%s)\n",
               s->lengths.n[0], s->limit, unit, s->lengths.n[1], s->lengths.median[0],
               s->lengths.median[1], s->lengths.shift, s->lengths.p,
               s->lengths.exact ? "exact" : "normal");
    else
        printf("  long against short walls: not tested (all on one side of %.3g %s)\n", s->limit,
               unit);
    if (s->has_trend)
        printf("  with the distance from %d large in-plane domains: Spearman %.3f, p = %.3g\n",
               s->domains, s->trend.rho, s->trend.p);
    else
        printf("  with the distance from large in-plane domains: not tested (%d domains)\n",
               s->domains);
}
