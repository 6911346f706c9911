#include "imgproc/walls/select.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "imgproc/image/distance.h"
#include "imgproc/walls/domains.h"
#include "imgproc/walls/graph/line.h"
#include "imgproc/walls/author_route.h"
#include "imgproc/walls/route.h"

const char *rs_point_kind_name(rs_point_kind kind)
{
    switch (kind) {
    case RS_POINT_WALL: return "wall";
    case RS_POINT_A_DOMAIN: return "a-domain";
    case RS_POINT_C_DOMAIN: return "c-domain";
    case RS_POINT_180_WALL: return "180-wall";
    }
    return "?";
}

void rs_points_clear(rs_points *points)
{
    rs_free(points->p);
    *points = (rs_points){0, NULL};
}

/* Appends all of add[n]. */
static reshed_status append(rs_points *out, const rs_point *add, int n, reshed_error *err)
{
    size_t total = (size_t)out->n + (size_t)n;
    rs_point *grown = rs_regrow(out->p, (size_t)out->n, total, sizeof *grown);
    if (!grown) return rs_fail_nomem(err, "points", total * sizeof *grown);
    if (n) memcpy(grown + out->n, add, (size_t)n * sizeof *add);
    out->p = grown;
    out->n += n;
    return RESHED_OK;
}

static size_t index_of(const rs_grid *grid, rs_pixel p)
{
    return (size_t)p.row * (size_t)grid->width + (size_t)p.col;
}

/* ----------------------------------------------------------------------------------- exclusions */

static reshed_status check_exclusion(const rs_exclusion *e, reshed_error *err)
{
    if (e && !(e->apart >= 0))
        return rs_fail(err, RESHED_EINVAL, "distance between points|at least 0 m|%g", e->apart);
    if (!e || (e->margin >= 0 && !(e->variance && isnan(e->variance_max)))) return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL,
                   "exclusion of points|a margin >= 0 and a variance limit|%g, %g", e->margin,
                   e->variance_max);
}

bool rs_point_is_excluded(const rs_grid *grid, const rs_exclusion *e, rs_pixel p)
{
    if (!e) return false;
    int row = grid->height - 1 - p.row, col = grid->width - 1 - p.col;
    double side = fmin(p.col, col) * grid->dx, end = fmin(p.row, row) * grid->dy;
    /* A margin given as a number of pixels times their size must not lose a row to rounding. */
    if (fmin(side, end) < e->margin * (1 - 1e-12)) return true;
    if (e->row_ok && !e->row_ok[p.row]) return true;
    if (e->skip && e->skip[index_of(grid, p)]) return true;
    return e->variance && !(e->variance[index_of(grid, p)] <= e->variance_max);
}

/* ---------------------------------------------------------------------------------- kept apart */

/* The pixels that are too near to a point for another one. */
typedef struct apart_map {
    const rs_grid *grid;
    double distance; /* 0: none is */
    uint8_t *near;   /* [H,W], or NULL */
} apart_map;

/* The discs of points that are kept apart overlap little, so all of them together take a few passes
 * over the map, however far apart they are. */
static void keep_apart(const apart_map *a, rs_pixel p)
{
    if (!a->near) return;
    const rs_grid *grid = a->grid;
    const int down = (int)fmin(a->distance / grid->dy, grid->height);
    const int across = (int)fmin(a->distance / grid->dx, grid->width);
    const int bottom = rs_min_int(grid->height - 1, p.row + down);
    const int right = rs_min_int(grid->width - 1, p.col + across);
    for (int r = rs_max_int(0, p.row - down); r <= bottom; r++)
        for (int c = rs_max_int(0, p.col - across); c <= right; c++) {
            const rs_pixel q = {r, c};
            /* Two pixels at just the distance must not be too near by rounding. */
            if (rs_pixel_distance(grid, p, q) < a->distance * (1 - 1e-12))
                a->near[index_of(grid, q)] = 1;
        }
}

static bool is_near(const apart_map *a, rs_pixel p)
{
    return a->near && a->near[index_of(a->grid, p)];
}

/* *a (rs_free its map) keeps what is chosen apart from itself and from the points that there are. */
static reshed_status begin_apart(apart_map *a, const rs_grid *grid, const rs_exclusion *e,
                                 const rs_points *there, reshed_error *err)
{
    *a = (apart_map){.grid = grid, .distance = e ? e->apart : 0};
    if (!(a->distance > 0)) return RESHED_OK;
    a->near = rs_zalloc(rs_grid_count(grid), 1);
    if (!a->near) return rs_fail_nomem(err, "a map of points", rs_grid_count(grid));
    for (int i = 0; i < there->n; i++) keep_apart(a, there->p[i].at);
    return RESHED_OK;
}

/* -------------------------------------------------------------------------- the author's choice */

/* The skeleton's pixels in raster order, without excluded ones; *out[*n] is owned by the caller. */
static reshed_status list_skeleton(const rs_wallgraph *g, const rs_exclusion *exclude,
                                   rs_pixel **out, int *n, reshed_error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < rs_grid_count(&g->grid); i++) count += g->skeleton[i];
    rs_pixel *list = rs_alloc(count, sizeof *list);
    if (!list) return rs_fail_nomem(err, "skeleton pixels", count * sizeof *list);
    int kept = 0;
    for (int row = 0; row < g->grid.height; row++)
        for (int col = 0; col < g->grid.width; col++) {
            rs_pixel p = {row, col};
            if (g->skeleton[index_of(&g->grid, p)] && !rs_point_is_excluded(&g->grid, exclude, p))
                list[kept++] = p;
        }
    *out = list;
    *n = kept;
    return RESHED_OK;
}

/* Appends list[order[0]], list[order[every]], ... (order NULL: as listed) but those too near to one
 * before. */
static reshed_status take_every(const rs_wallgraph *g, const rs_exclusion *exclude,
                                const rs_pixel *list, const int32_t *order, int n, int every,
                                rs_points *out, reshed_error *err)
{
    const size_t most = ((size_t)n + (size_t)every - 1) / (size_t)every;
    int taken = 0;
    apart_map apart;
    reshed_status st = begin_apart(&apart, &g->grid, exclude, out, err);
    rs_point *add = rs_alloc(most, sizeof *add);
    if (st == RESHED_OK && !add) st = rs_fail_nomem(err, "points", most * sizeof *add);
    for (size_t k = 0; st == RESHED_OK && k < most; k++) {
        const size_t i = k * (size_t)every;
        const rs_pixel p = list[order ? (size_t)order[i] : i];
        if (is_near(&apart, p)) continue;
        keep_apart(&apart, p);
        add[taken++] =
            (rs_point){.at = p, .kind = RS_POINT_WALL, .wall = g->wall_at[index_of(&g->grid, p)]};
    }
    if (st == RESHED_OK) st = append(out, add, taken, err);
    rs_free(add);
    rs_free(apart.near);
    return st;
}

static reshed_status select_every(const rs_wallgraph *graph, int every, bool route,
                                  const rs_exclusion *exclude, rs_points *out, reshed_error *err)
{
    if (every < 1) return rs_fail(err, RESHED_EINVAL, "step between points|at least 1|%d", every);
    reshed_status st = check_exclusion(exclude, err);
    if (st != RESHED_OK) return st;
    rs_pixel *list = NULL;
    int32_t *order = NULL;
    int n = 0;
    st = list_skeleton(graph, exclude, &list, &n, err);
    if (st != RESHED_OK) goto done;
    if (route) {
        order = rs_alloc((size_t)n, sizeof *order);
        if (!order) {
            st = rs_fail_nomem(err, "a route", (size_t)n * sizeof *order);
            goto done;
        }
        st = rs_route_author(list, n, graph->grid.height, graph->grid.width, order, err);
        if (st != RESHED_OK) goto done;
    }
    st = take_every(graph, exclude, list, order, n, every, out, err);
done:
    rs_free(order);
    rs_free(list);
    return st;
}

reshed_status rs_select_author(const rs_wallgraph *graph, int every, const rs_exclusion *exclude,
                               rs_points *out, reshed_error *err)
{
    return select_every(graph, every, true, exclude, out, err);
}

reshed_status rs_select_raster(const rs_wallgraph *graph, int every, const rs_exclusion *exclude,
                               rs_points *out, reshed_error *err)
{
    return select_every(graph, every, false, exclude, out, err);
}

/* --------------------------------------------------------------------------------- even spacing */

/* The places of a line's pixels along it, smooth[n] being its curve. */
static void places_along(const rs_xy *smooth, int n, double *along)
{
    for (int i = 0; i < n; i++)
        along[i] =
            i ? along[i - 1] + hypot(smooth[i].x - smooth[i - 1].x, smooth[i].y - smooth[i - 1].y)
              : 0;
}

/* Puts into pick[n] the pixels of a line nearest to places at even distances along it; returns how
 * many. *between: that distance. */
static int pick_evenly(const double *along, int n, double length, bool closed, double spacing,
                       int *pick, double *between)
{
    const double steps = fmax(1, floor(length / spacing + 0.5)), step = length / steps;
    const double first = closed ? 0 : step / 2;
    double next = first;
    int count = 0, k = 0;
    for (int i = 0; i < n && k < steps; i++) {
        const double ahead = i + 1 < n ? along[i + 1] - along[i] : HUGE_VAL;
        /* Every place up to half-way to the next pixel is nearest to this one. */
        bool mine = false;
        for (; k < steps && next <= along[i] + ahead / 2; next = first + ++k * step) mine = true;
        if (mine) pick[count++] = i;
    }
    *between = step;
    return count;
}

/* The pixel nearest to `at` along a line of n pixels, by less than `most`, that is not too near to a
 * point that there is; -1: none. */
static int make_way(const rs_wallgraph *g, const rs_exclusion *exclude, const apart_map *apart,
                    const rs_pixel *p, const double *along, int n, int at, double most)
{
    for (int k = 0; k < n; k++) {
        bool within = false;
        for (int side = 0; side < (k ? 2 : 1); side++) {
            const int i = side ? at - k : at + k;
            if (i < 0 || i >= n || !(fabs(along[i] - along[at]) < most || k == 0)) continue;
            within = true;
            if (!is_near(apart, p[i]) && !rs_point_is_excluded(&g->grid, exclude, p[i])) return i;
        }
        if (!within) break;
    }
    return -1;
}

/* Scratch for one wall's line. */
typedef struct line_room {
    rs_xy *smooth;
    double *along;
    int *pick;
} line_room;

/* Adds the points of wall w to add[]; returns how many. */
static int select_on_wall(const rs_wallgraph *g, int w, double spacing, const rs_exclusion *exclude,
                          const apart_map *apart, const line_room *room, rs_point *add)
{
    const rs_wall_line *line = &g->wall[w].line;
    const rs_pixel *p = g->pixel + line->first;
    const bool closed = g->wall[w].end[0] == RS_END_CLOSED;
    double between;
    int added = 0;
    rs_line_smooth(&g->grid, p, line->count, closed, room->smooth);
    places_along(room->smooth, line->count, room->along);
    const int n =
        pick_evenly(room->along, line->count, line->length, closed, spacing, room->pick, &between);
    for (int i = 0; i < n; i++) {
        if (rs_point_is_excluded(&g->grid, exclude, p[room->pick[i]])) continue;
        const int at =
            make_way(g, exclude, apart, p, room->along, line->count, room->pick[i], between / 2);
        if (at < 0) continue;
        keep_apart(apart, p[at]);
        add[added++] = (rs_point){p[at], RS_POINT_WALL, w, room->along[at]};
    }
    return added;
}

reshed_status rs_select_even(const rs_wallgraph *graph, double spacing, const rs_exclusion *exclude,
                             rs_points *out, reshed_error *err)
{
    if (!(spacing > 0) || !isfinite(spacing))
        return rs_fail(err, RESHED_EINVAL, "spacing of points|finite and > 0 m|%g", spacing);
    reshed_status st = check_exclusion(exclude, err);
    if (st != RESHED_OK) return st;
    size_t longest = 0, all = 0;
    for (int w = 0; w < graph->walls; w++) {
        size_t n = (size_t)graph->wall[w].line.count;
        all += n;
        if (n > longest) longest = n;
    }
    apart_map apart;
    st = begin_apart(&apart, &graph->grid, exclude, out, err);
    line_room room = {.smooth = rs_alloc(longest, sizeof *room.smooth),
                      .along = rs_alloc(longest, sizeof *room.along),
                      .pick = rs_alloc(longest, sizeof *room.pick)};
    rs_point *add = rs_alloc(all, sizeof *add);
    int total = 0;
    if (st == RESHED_OK && (!room.smooth || !room.along || !room.pick || !add))
        st = rs_fail_nomem(err, "points along walls", longest * 28 + all * sizeof *add);
    if (st != RESHED_OK) goto done;
    for (int w = 0; w < graph->walls; w++)
        total += select_on_wall(graph, w, spacing, exclude, &apart, &room, add + total);
    st = append(out, add, total, err);
done:
    rs_free(add);
    rs_free(room.pick);
    rs_free(room.along);
    rs_free(room.smooth);
    rs_free(apart.near);
    return st;
}

/* ------------------------------------------------------------------------------- control points */

/* The axis of the phases: two opposite directions are one axis, so their angles are doubled. */
static double phase_axis(const float *phase, size_t n)
{
    double x = 0, y = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(phase[i])) continue;
        x += cos(2 * (double)phase[i]);
        y += sin(2 * (double)phase[i]);
    }
    return atan2(y, x) / 2;
}

/* +1 or -1: the class of a pixel's phase; 0: neither clearly. */
static int phase_class(const float *phase, const rs_grid *grid, double axis, int row, int col)
{
    if (row < 0 || col < 0 || row >= grid->height || col >= grid->width) return 0;
    double c = cos(phase[index_of(grid, (rs_pixel){row, col})] - axis);
    return c > 0.5 ? 1 : c < -0.5 ? -1 : 0; /* NaN: 0 */
}

/* True where the phase turns over right after this pixel, along a row or a column, and is the same
 * for three pixels on either side: a single odd pixel is no wall. */
static bool phase_turns(const float *phase, const rs_grid *grid, double axis, int row, int col)
{
    int here = phase_class(phase, grid, axis, row, col);
    if (!here) return false;
    for (int down = 0; down < 2; down++) {
        bool turns = true;
        for (int k = -2; k <= 3 && turns; k++)
            turns = phase_class(phase, grid, axis, row + k * down, col + k * !down) ==
                    (k <= 0 ? here : -here);
        if (turns) return true;
    }
    return false;
}

typedef struct place {
    rs_pixel at;
    int pair;
    double apart; /* from the walls at first, then from the nearest point chosen */
} place;

/* The places that a control point of this kind may have; *n of them in list. */
static void list_places(const rs_wallgraph *g, rs_point_kind kind, double distance,
                        const double *from_walls, const int32_t *domain, const float *phase,
                        const rs_exclusion *exclude, const apart_map *apart, place *list, int *n)
{
    const rs_grid *grid = &g->grid;
    double axis = phase ? phase_axis(phase, rs_grid_count(grid)) : 0;
    int count = 0;
    for (int row = 0; row < grid->height; row++)
        for (int col = 0; col < grid->width; col++) {
            rs_pixel p = {row, col};
            size_t i = index_of(grid, p);
            bool fits = kind == RS_POINT_180_WALL ? phase_turns(phase, grid, axis, row, col)
                                                  : (domain[i] > 0) == (kind == RS_POINT_A_DOMAIN);
            if (!fits || g->skeleton[i] || from_walls[i] < distance * (1 - 1e-12)) continue;
            if (rs_point_is_excluded(grid, exclude, p) || is_near(apart, p)) continue;
            list[count++] =
                (place){p, kind == RS_POINT_A_DOMAIN ? domain[i] - 1 : -1, from_walls[i]};
        }
    *n = count;
}

/* Moves up to `count` of the places to the front: first the one farthest from the walls, then
 * always the one farthest from those chosen, while that is not nearer than `least`. Returns how
 * many. */
static int spread(const rs_grid *grid, place *list, int n, int count, double least)
{
    int chosen = 0;
    while (chosen < count && chosen < n) {
        int best = chosen;
        for (int i = chosen + 1; i < n; i++)
            if (list[i].apart > list[best].apart) best = i;
        if (chosen > 0 && list[best].apart < least * (1 - 1e-12)) break;
        place p = list[best];
        list[best] = list[chosen];
        list[chosen++] = p;
        for (int i = chosen; i < n; i++) {
            double d = rs_pixel_distance(grid, list[i].at, p.at);
            if (chosen == 1 || d < list[i].apart) list[i].apart = d;
        }
    }
    return chosen;
}

static reshed_status check_control(rs_point_kind kind, int count, double distance,
                                   const float *phase, reshed_error *err)
{
    if (kind == RS_POINT_WALL)
        return rs_fail(err, RESHED_EINVAL, "kind of control point|beside the walls|on a wall");
    if (count < 0) return rs_fail(err, RESHED_EINVAL, "control points|at least 0|%d", count);
    if (!(distance >= 0))
        return rs_fail(err, RESHED_EINVAL, "distance from the walls|at least 0 m|%g", distance);
    if (kind == RS_POINT_180_WALL && !phase)
        return rs_fail(err, RESHED_EINVAL, "points on 180-degree walls|a phase map|none");
    return RESHED_OK;
}

reshed_status rs_select_control(const rs_wallgraph *graph, rs_point_kind kind, int count,
                                double distance, const float *phase, const rs_exclusion *exclude,
                                rs_points *out, reshed_error *err)
{
    reshed_status st = check_control(kind, count, distance, phase, err);
    if (st == RESHED_OK) st = check_exclusion(exclude, err);
    if (st != RESHED_OK) return st;
    size_t n = rs_grid_count(&graph->grid);
    double *from_walls = rs_alloc(n, sizeof *from_walls);
    int32_t *domain = rs_alloc(n, sizeof *domain);
    place *list = rs_alloc(n, sizeof *list);
    rs_point *add = NULL;
    int places = 0, chosen = 0;
    apart_map apart;
    st = begin_apart(&apart, &graph->grid, exclude, out, err);
    if (st == RESHED_OK && (!from_walls || !domain || !list))
        st = rs_fail_nomem(err, "control points", n * (12 + sizeof *list));
    if (st != RESHED_OK) goto done;
    const rs_grid *grid = &graph->grid;
    st = rs_distance_metres(graph->skeleton, grid->height, grid->width, grid->dx, grid->dy,
                            from_walls, NULL, err);
    if (st == RESHED_OK) st = rs_pair_domains(graph, domain, err);
    if (st != RESHED_OK) goto done;
    list_places(graph, kind, distance, from_walls, domain, phase, exclude, &apart, list, &places);
    chosen = spread(&graph->grid, list, places, count, apart.distance);
    add = rs_alloc((size_t)chosen, sizeof *add);
    if (!add) {
        st = rs_fail_nomem(err, "control points", (size_t)chosen * sizeof *add);
        goto done;
    }
    for (int i = 0; i < chosen; i++) add[i] = (rs_point){list[i].at, kind, list[i].pair, 0};
    st = append(out, add, chosen, err);
done:
    rs_free(add);
    rs_free(list);
    rs_free(domain);
    rs_free(from_walls);
    rs_free(apart.near);
    return st;
}

/* ---------------------------------------------------------------------------------------- route */

reshed_status rs_route_points(const rs_grid *grid, const rs_xy *start, rs_points *points,
                              int32_t *order, reshed_error *err)
{
    size_t n = (size_t)points->n;
    rs_xy *at = rs_alloc(n, sizeof *at);
    int32_t *visit = rs_alloc(n, sizeof *visit);
    rs_point *sorted = rs_alloc(n, sizeof *sorted);
    reshed_status st = RESHED_OK;
    if (!at || !visit || !sorted) {
        st = rs_fail_nomem(err, "a route", n * (sizeof *at + sizeof *visit + sizeof *sorted));
        goto done;
    }
    for (size_t i = 0; i < n; i++) at[i] = rs_pixel_xy(grid, points->p[i].at);
    st = rs_route_short(at, points->n, start, visit, err);
    if (st != RESHED_OK) goto done;
    for (size_t i = 0; i < n; i++) sorted[i] = points->p[visit[i]];
    if (n) memcpy(points->p, sorted, n * sizeof *sorted);
    if (n && order) memcpy(order, visit, n * sizeof *order);
done:
    rs_free(sorted);
    rs_free(visit);
    rs_free(at);
    return st;
}
