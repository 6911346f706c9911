#include "imgproc/walls/tests.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "imgproc/image/distance.h"
#include "imgproc/walls/domains.h"
#include "imgproc/walls/family.h"
#include "imgproc/walls/gap.h"
#include "imgproc/walls/graph/line.h"

#define NEAR_PIXELS 2 /* a value this near to a wall is on it: positions are never exact */

void rs_wall_tests_defaults(const rs_grid *grid, rs_wall_tests_options *o)
{
    *o = (rs_wall_tests_options){.family_angle = 10 * RS_DEGREE,
                                 .large_domain = 15 * sqrt(grid->dx) * sqrt(grid->dy),
                                 .permutations = 9999,
                                 .seed = 1};
}

reshed_status rs_wall_tests_check(const rs_wall_tests_options *o, reshed_error *err)
{
    if (!(o->family_angle >= 0 && o->family_angle <= RS_PI / 2))
        return rs_fail(err, RESHED_EINVAL, "angle within a family|0 to %g rad|%g", RS_PI / 2,
                       o->family_angle);
    if (!(o->long_wall >= 0))
        return rs_fail(err, RESHED_EINVAL, "length of a long wall|at least 0|%g", o->long_wall);
    if (!(o->large_domain >= 0))
        return rs_fail(err, RESHED_EINVAL, "side of a large domain|at least 0|%g", o->large_domain);
    if (o->permutations < 1)
        return rs_fail(err, RESHED_EINVAL, "number of permutations|at least 1|%d", o->permutations);
    return RESHED_OK;
}

void rs_wall_tests_clear(rs_wall_tests *tests)
{
    rs_free(tests->wall);
    rs_free(tests->distance);
    *tests = (rs_wall_tests){0};
}

/* wall_near[H,W]: the wall of the nearest skeleton pixel, -1 where none is near. */
static reshed_status spread_walls(const rs_wallgraph *g, int32_t *wall_near, reshed_error *err)
{
    size_t n = rs_grid_count(&g->grid);
    int64_t *squared = rs_alloc(n, sizeof *squared);
    if (!squared) return rs_fail_nomem(err, "distances", n * sizeof *squared);
    reshed_status st =
        rs_distance_transform(g->skeleton, g->grid.height, g->grid.width, squared, wall_near, err);
    for (size_t i = 0; i < n && st == RESHED_OK; i++)
        wall_near[i] = wall_near[i] >= 0 && squared[i] <= NEAR_PIXELS * NEAR_PIXELS
                           ? g->wall_at[wall_near[i]]
                           : -1;
    rs_free(squared);
    return st;
}

reshed_status rs_walls_of_places(const rs_wallgraph *graph, const rs_place *place, int n, int *wall,
                                 reshed_error *err)
{
    const rs_grid *grid = &graph->grid;
    const size_t pixels = rs_grid_count(grid);
    int32_t *wall_near = rs_alloc(pixels, sizeof *wall_near);
    if (!wall_near) return rs_fail_nomem(err, "walls of places", pixels * sizeof *wall_near);
    reshed_status st = spread_walls(graph, wall_near, err);
    for (int i = 0; i < n && st == RESHED_OK; i++) {
        const double row = floor(place[i].row + 0.5), col = floor(place[i].col + 0.5);
        const bool inside = row >= 0 && col >= 0 && row < grid->height && col < grid->width;
        wall[i] = inside ? wall_near[(size_t)row * (size_t)grid->width + (size_t)col] : -1;
    }
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

/* Adds up what first[] says to belong together. */
static void add_up(const rs_wallgraph *g, const rs_wall_tests *s, joined *j)
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

static void join_by_place(const rs_wallgraph *g, int families, const rs_wall_tests *s, joined *j)
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

static reshed_status join_over_gaps(const rs_wallgraph *g, const rs_wall_tests *s, joined *j,
                                    reshed_error *err)
{
    const double gap = RS_WALL_GAP_PIXELS * sqrt(g->grid.dx * g->grid.dy);
    reshed_status st = rs_wall_gaps(g, gap, j->first, err);
    if (st == RESHED_OK) add_up(g, s, j);
    return st;
}

/* Tests the first family that has enough measured walls: the longest come first. */
static reshed_status test_alternation(const rs_wallgraph *g, const rs_wall_tests_options *o,
                                      int families, const joined *j, rs_wall_tests *s,
                                      reshed_error *err)
{
    double *value = rs_alloc((size_t)g->walls, sizeof *value);
    reshed_status st = RESHED_OK;
    if (!value) return rs_fail_nomem(err, "means by wall", (size_t)g->walls * 8);
    for (int f = 0; f < families && !s->has_alternation && st == RESHED_OK; f++) {
        int n = rs_family_walls(g, f, j->order), kept = 0;
        s->family = f;
        s->in_family = 0;
        for (int i = 0; i < s->measured; i++) s->in_family += g->wall[s->wall[i].wall].family == f;
        for (int i = 0; i < n; i++) {
            const int w = j->order[i];
            if (j->first[w] == w && j->count[w] > 0) value[kept++] = j->sum[w] / j->count[w];
        }
        if (kept < RS_ALTERNATION_MIN_WALLS) continue;
        st = rs_alternation_test(value, kept, o->permutations, o->seed, &s->alternation, err);
        s->has_alternation = st == RESHED_OK;
    }
    if (!s->has_alternation) s->family = s->in_family = 0;
    rs_free(value);
    return st;
}

static reshed_status test_lengths(const rs_wallgraph *g, double limit, const joined *j,
                                  rs_wall_tests *s, reshed_error *err)
{
    const size_t n = (size_t)g->walls;
    double *value = rs_alloc(n, 2 * sizeof *value);
    if (!value) return rs_fail_nomem(err, "means by wall", n * 2 * sizeof *value);
    int longer = 0, shorter = 0;
    for (int w = 0; w < g->walls; w++) {
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

/* Each kind of control points (kind, value [n]) against the walls. */
static reshed_status test_controls(const rs_wallgraph *g, const joined *j, const int *kind,
                                   const double *value, int n, rs_wall_tests *s, reshed_error *err)
{
    const size_t most = (size_t)g->walls + (size_t)n;
    double *on = rs_alloc(most, sizeof *on);
    if (!on) return rs_fail_nomem(err, "control points", most * sizeof *on);
    double *beside = on + g->walls;
    int walls = 0;
    for (int w = 0; w < g->walls; w++)
        if (j->count[w] > 0) on[walls++] = j->sum[w] / j->count[w];
    reshed_status st = RESHED_OK;
    for (int c = 0; c < RS_WALL_CONTROLS && st == RESHED_OK; c++) {
        int k = 0;
        for (int i = 0; i < n; i++)
            if (kind[i] == RS_POINT_A_DOMAIN + c && isfinite(value[i])) beside[k++] = value[i];
        s->controls[c] = k;
        if (!walls || !k) continue;
        st = rs_rank_sum_test(on, walls, beside, k, &s->control[c], err);
        s->has_control[c] = st == RESHED_OK;
    }
    rs_free(on);
    return st;
}

/* The median length of the measured walls, of which half are then long. */
static double middle_length(const rs_wallgraph *g, const rs_wall_tests *s)
{
    /* Walls are numbered from the longest, and summaries come in that order. */
    return s->measured ? g->wall[s->wall[(s->measured - 1) / 2].wall].line.length : 0;
}

/* distance[walls] of each wall of the graph; s->distance of the measured ones. */
static reshed_status find_distances(const rs_wallgraph *g, const rs_wall_tests_options *o,
                                    double *distance, rs_wall_tests *s, reshed_error *err)
{
    const double side = o->large_domain;
    size_t n = rs_grid_count(&g->grid);
    uint8_t *region = rs_alloc(n, sizeof *region);
    int32_t *domain = rs_alloc(n, sizeof *domain);
    reshed_status st = RESHED_OK;
    if (!region || !domain) {
        st = rs_fail_nomem(err, "in-plane domains", n * 5);
        goto done;
    }
    if (o->in_plane) {
        memcpy(region, o->in_plane, n);
    } else {
        st = rs_pair_domains(g, domain, err);
        for (size_t i = 0; i < n && st == RESHED_OK; i++) region[i] = domain[i] > 0;
    }
    if (st == RESHED_OK)
        st = rs_large_regions(&g->grid, region, side * side, region, &s->domains, err);
    if (st == RESHED_OK) st = rs_wall_distances(g, region, distance, err);
    for (int i = 0; i < s->measured && st == RESHED_OK; i++)
        s->distance[i] = distance[s->wall[i].wall];
done:
    rs_free(domain);
    rs_free(region);
    return st;
}

/* The distance of a joined wall is the mean along all its pieces, measured or not, as that of a wall
 * in one piece is. */
static reshed_status test_trend(const rs_wallgraph *g, const rs_wall_tests_options *o,
                                const joined *j, const double *distance, rs_wall_tests *s,
                                reshed_error *err)
{
    const size_t walls = (size_t)g->walls;
    double *along = rs_zalloc(walls, 3 * sizeof *along); /* integral, then what is tested */
    if (!along) return rs_fail_nomem(err, "distances by wall", walls * 3 * sizeof *along);
    double *x = along + walls, *y = x + walls;
    int n = 0;
    for (int w = 0; w < g->walls; w++) along[j->first[w]] += distance[w] * g->wall[w].line.length;
    for (int w = 0; w < g->walls; w++) {
        if (!(j->count[w] > 0)) continue;
        x[n] = j->length[w] > 0 ? along[w] / j->length[w] : distance[w];
        y[n++] = j->sum[w] / j->count[w];
    }
    reshed_status st = RESHED_OK;
    if (n >= 3) st = rs_trend_test(x, y, n, o->permutations, o->seed, &s->trend, err);
    s->has_trend = n >= 3 && st == RESHED_OK;
    rs_free(along);
    return st;
}

/* What is tested: values of n points on walls, and their kinds (NULL: all are on walls). */
typedef struct points {
    const int *wall, *kind;
    const double *value;
    int n;
} points;

static reshed_status test_all(rs_wallgraph *g, const rs_wall_tests_options *o, const points *p,
                              double limit, rs_wall_tests *s, reshed_error *err)
{
    int families = 0;
    joined j = {0};
    double *distance = rs_alloc((size_t)g->walls, sizeof *distance);
    if (!distance)
        return rs_fail_nomem(err, "distances of walls", (size_t)g->walls * sizeof *distance);
    reshed_status st = rs_wall_families(g, o->family_angle, 0, &families, err);
    if (st == RESHED_OK) st = joined_alloc((size_t)g->walls, &j, err);
    if (st == RESHED_OK) join_by_place(g, families, s, &j);
    if (st == RESHED_OK) st = test_alternation(g, o, families, &j, s, err);
    if (st == RESHED_OK) st = join_over_gaps(g, s, &j, err);
    if (st == RESHED_OK) st = test_lengths(g, limit, &j, s, err);
    if (st == RESHED_OK && p->kind) st = test_controls(g, &j, p->kind, p->value, p->n, s, err);
    if (st == RESHED_OK) st = find_distances(g, o, distance, s, err);
    if (st == RESHED_OK && s->domains) st = test_trend(g, o, &j, distance, s, err);
    joined_clear(&j);
    rs_free(distance);
    return st;
}

static void count_points(const points *p, rs_wall_tests *s)
{
    for (int i = 0; i < p->n; i++) {
        const bool control = p->kind && p->kind[i] != RS_POINT_WALL;
        s->unmeasured += !isfinite(p->value[i]);
        s->off += isfinite(p->value[i]) && p->wall[i] < 0 && !control;
    }
    for (int i = 0; i < s->measured; i++) s->points += s->wall[i].n;
}

static reshed_status run(rs_wallgraph *g, const rs_wall_tests_options *o, const points *p,
                         rs_wall_tests *out, reshed_error *err)
{
    double limit = o->long_wall;
    size_t walls = (size_t)g->walls;
    reshed_status st = rs_wall_tests_check(o, err);
    if (st != RESHED_OK) return st;
    rs_wall_tests s = {.wall = rs_alloc(walls, sizeof *s.wall),
                       .distance = rs_alloc(walls, sizeof *s.distance)};
    if (!s.wall || !s.distance)
        st = rs_fail_nomem(err, "summaries by wall", walls * sizeof *s.wall);
    if (st == RESHED_OK)
        st = rs_stats_by_wall(p->wall, p->value, (size_t)p->n, g->walls, s.wall, &s.measured, err);
    if (st == RESHED_OK) count_points(p, &s);
    if (!(limit > 0) && st == RESHED_OK) limit = middle_length(g, &s);
    if (st == RESHED_OK) st = test_all(g, o, p, limit, &s, err);
    if (st == RESHED_OK)
        *out = s;
    else
        rs_wall_tests_clear(&s);
    return st;
}

reshed_status rs_wall_tests_run(rs_wallgraph *g, const rs_wall_tests_options *o, const int *wall,
                                const double *value, int n, rs_wall_tests *out, reshed_error *err)
{
    const points p = {.wall = wall, .value = value, .n = n};
    return run(g, o, &p, out, err);
}

reshed_status rs_wall_tests_places(rs_wallgraph *g, const rs_wall_tests_options *o,
                                   const rs_place *place, const int *kind, const double *value,
                                   int n, rs_wall_tests *out, reshed_error *err)
{
    for (int i = 0; kind && i < n; i++)
        if (kind[i] < RS_POINT_WALL || kind[i] >= RS_POINT_A_DOMAIN + RS_WALL_CONTROLS)
            return rs_fail(err, RESHED_EINVAL, "kind of point %d|0 to %d|%d", i, RS_WALL_CONTROLS,
                           kind[i]);
    int *wall = rs_alloc((size_t)n, sizeof *wall);
    if (!wall) return rs_fail_nomem(err, "the walls of places", (size_t)n * sizeof *wall);
    reshed_status st = rs_walls_of_places(g, place, n, wall, err);
    for (int i = 0; kind && i < n && st == RESHED_OK; i++)
        if (kind[i] != RS_POINT_WALL) wall[i] = -1;
    const points p = {.wall = wall, .kind = kind, .value = value, .n = n};
    if (st == RESHED_OK) st = run(g, o, &p, out, err);
    rs_free(wall);
    return st;
}
