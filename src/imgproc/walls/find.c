#include "imgproc/walls/find.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "imgproc/image/polarity.h"
#include "imgproc/image/skeleton.h"
#include "imgproc/image/threshold.h"
#include "imgproc/walls/graph/build.h"
#include "imgproc/walls/family.h"
#include "imgproc/walls/graph/line.h"
#include "imgproc/walls/marks.h"
#include "imgproc/walls/thin.h"

/* -------------------------------------------------------------------------------------- options */

const char *const rs_find_which_name[RS_FIND_WHICH] = {[RS_FIND_ALL] = "all",
                                                       [RS_FIND_PAIRED] = "paired",
                                                       [RS_FIND_SINGLE] = "single",
                                                       [RS_FIND_LONG] = "long",
                                                       [RS_FIND_SHORT] = "short"};

void rs_find_defaults(rs_find_options *o)
{
    rs_wallgraph_options graph;
    rs_wallgraph_options_defaults(&graph);
    *o = (rs_find_options){
        .low = RS_THRESHOLD_DEFAULT,
        .min_wall = {12, false},
        .reach = graph.reach,
        .turn = graph.turn,
        .corner = graph.corner,
        .family_angle = 10 * RS_DEGREE,
        .every = 8,
        .min_distance = {-1, false},
        .margin = {4, false},
        .max_variance = INFINITY,
        .control_distance = {6, false},
    };
}

/* The number as an int; one that has no room there is one that rs_find_check refuses. */
static int as_int(double value)
{
    return value >= -1 && value <= INT_MAX ? (int)value : -1;
}

bool rs_find_set(rs_find_options *o, const char *name, double value)
{
    static const char *const control[RS_FIND_CONTROLS] = {"control_a", "control_c", "control_180"};
    const struct {
        const char *name;
        rs_length *length;
    } lengths[] = {{"min_distance", &o->min_distance},
                   {"min_wall", &o->min_wall},
                   {"margin", &o->margin},
                   {"control_distance", &o->control_distance}};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        if (strcmp(name, lengths[i].name) == 0) {
            *lengths[i].length = (rs_length){value, false};
            return true;
        }
    for (int k = 0; k < RS_FIND_CONTROLS; k++)
        if (strcmp(name, control[k]) == 0) {
            o->control[k] = as_int(value);
            return true;
        }
    if (strcmp(name, "threshold") == 0)
        o->low = value;
    else if (strcmp(name, "thinning") == 0)
        o->thinning = (rs_find_thinning)as_int(value);
    else if (strcmp(name, "every") == 0)
        o->every = as_int(value);
    else if (strcmp(name, "on_180") == 0)
        o->on_180 = value != 0;
    else if (strcmp(name, "max_points") == 0)
        o->max_points = as_int(value);
    else if (strcmp(name, "order") == 0)
        o->order = (rs_find_order)as_int(value);
    else if (strcmp(name, "walls") == 0)
        o->which = (rs_find_which)as_int(value);
    else
        return false;
    return true;
}

void rs_find_unnamed(rs_find_options *o)
{
    o->thinning = RS_FIND_SKIMAGE;
    o->min_distance.value = 0;
    o->on_180 = true;
}

static rs_wallgraph_options graph_options(const rs_find_options *o, const rs_grid *grid)
{
    rs_wallgraph_options graph;
    rs_wallgraph_options_defaults(&graph);
    graph.spur = rs_length_on(grid, o->spur);
    graph.min_wall = rs_length_on(grid, o->min_wall);
    graph.domain_max = rs_length_on(grid, o->domain_max);
    graph.blunt_ends = graph.near_joints = o->thinning == RS_FIND_KEEP;
    graph.reach = o->reach;
    graph.turn = o->turn;
    graph.corner = o->corner;
    return graph;
}

/* Between the points of a wall. */
static double step_of(const rs_grid *grid, const rs_find_options *o)
{
    const rs_length every = {o->every, false};
    const bool spaced = o->order == RS_FIND_ROUTE && o->spacing.value > 0;
    return rs_length_on(grid, spaced ? o->spacing : every);
}

double rs_find_min_distance(const rs_grid *grid, const rs_find_options *o)
{
    const rs_length apart = {RS_FIND_APART, false};
    if (o->min_distance.value >= 0) return rs_length_on(grid, o->min_distance);
    return fmin(rs_length_on(grid, apart), step_of(grid, o));
}

static reshed_status check_length(const char *name, rs_length length, reshed_error *err)
{
    if (length.value >= 0 && isfinite(length.value)) return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "%s|a length >= 0|%g", name, length.value);
}

static reshed_status check_choices(const rs_find_options *o, reshed_error *err)
{
    if (o->rule != RS_FIND_ABOVE && o->rule != RS_FIND_OTSU && o->rule != RS_FIND_HYSTERESIS)
        return rs_fail(err, RESHED_EINVAL, "kind of threshold|above, Otsu or hysteresis|%d",
                       (int)o->rule);
    if (o->thinning != RS_FIND_KEEP && o->thinning != RS_FIND_SKIMAGE)
        return rs_fail(err, RESHED_EINVAL, "thinning|keep or skimage|%d", (int)o->thinning);
    if (!isfinite(o->low) || !isfinite(o->high))
        return rs_fail(err, RESHED_EINVAL, "threshold|a finite number|%g",
                       isfinite(o->low) ? o->high : o->low);
    if (o->order != RS_FIND_ROUTE && o->order != RS_FIND_AUTHOR && o->order != RS_FIND_RASTER)
        return rs_fail(err, RESHED_EINVAL, "order of points|route, author or raster|%d",
                       (int)o->order);
    if ((int)o->which < RS_FIND_ALL || o->which > RS_FIND_SHORT)
        return rs_fail(err, RESHED_EINVAL, "walls|all, paired, single, long or short|%d",
                       (int)o->which);
    if (o->max_points < 0)
        return rs_fail(err, RESHED_EINVAL, "number of points|at least 0|%d", o->max_points);
    if (o->every < 1) return rs_fail(err, RESHED_EINVAL, "every|at least 1 pixel|%d", o->every);
    if (isnan(o->max_variance)) return rs_fail(err, RESHED_EINVAL, "largest variance|a number|NaN");
    for (int k = 0; k < RS_FIND_CONTROLS; k++)
        if (o->control[k] < 0)
            return rs_fail(err, RESHED_EINVAL, "control points|at least 0|%d", o->control[k]);
    if (!(o->family_angle >= 0 && o->family_angle <= RS_PI / 2))
        return rs_fail(err, RESHED_EINVAL, "angle within a family|0 to %g rad|%g", RS_PI / 2,
                       o->family_angle);
    return RESHED_OK;
}

reshed_status rs_find_check(const rs_find_options *o, reshed_error *err)
{
    const bool unset = o->min_distance.value < 0; /* false for NaN */
    const struct {
        const char *name;
        rs_length length;
    } list[] = {{"shortest spur", o->spur},
                {"shortest wall", o->min_wall},
                {"widest domain", o->domain_max},
                {"spacing of points", o->spacing},
                {"least distance of points", unset ? (rs_length){0, false} : o->min_distance},
                {"margin", o->margin},
                {"distance of control points", o->control_distance}};
    const rs_grid pixels = {1, 1, 1, 1};
    const rs_wallgraph_options graph = graph_options(o, &pixels);
    reshed_status st = check_choices(o, err);
    for (size_t i = 0; i < sizeof list / sizeof *list && st == RESHED_OK; i++)
        st = check_length(list[i].name, list[i].length, err);
    return st == RESHED_OK ? rs_wallgraph_options_check(&graph, err) : st;
}

static reshed_status check_input(const rs_find_input *in, reshed_error *err)
{
    reshed_status st = rs_grid_check(&in->grid, err);
    if (st == RESHED_OK && !in->map && !in->skeleton)
        st = rs_fail(err, RESHED_EINVAL, "what walls are found in|a map or a skeleton|none");
    if (st == RESHED_OK && in->start && (!isfinite(in->start[0]) || !isfinite(in->start[1])))
        st = rs_fail(err, RESHED_EINVAL, "start of a route|finite|%g, %g", in->start[0],
                     in->start[1]);
    return st;
}

/* ---------------------------------------------------------------------------------------- walls */

static int count_pixels(const uint8_t *mask, size_t n)
{
    int count = 0;
    for (size_t i = 0; i < n; i++) count += mask[i];
    return count;
}

static reshed_status make_mask(const rs_find_input *in, const rs_find_options *o, rs_found *out,
                               reshed_error *err)
{
    const int h = in->grid.height, w = in->grid.width;
    const size_t n = rs_grid_count(&in->grid);
    reshed_status st = RESHED_OK;
    out->mask = rs_alloc(n, 1);
    if (!out->mask) return rs_fail_nomem(err, "a mask", n);
    out->threshold = o->rule == RS_FIND_HYSTERESIS ? o->high : o->low;
    if (o->rule == RS_FIND_OTSU) st = rs_threshold_otsu(in->map, n, &out->threshold, err);
    if (st != RESHED_OK) return st;
    if (o->rule == RS_FIND_HYSTERESIS)
        st = rs_threshold_hysteresis(in->map, h, w, o->low, o->high, out->mask, err);
    else
        rs_threshold(in->map, n, out->threshold, out->mask);
    for (size_t i = 0; in->sure && i < n && st == RESHED_OK; i++) out->mask[i] |= in->sure[i];
    for (int r = 0; in->wall_rows && r < h && st == RESHED_OK; r++)
        if (!in->wall_rows[r]) memset(out->mask + (size_t)r * (size_t)w, 0, (size_t)w);
    if (st == RESHED_OK) out->mask_pixels = count_pixels(out->mask, n);
    return st;
}

static reshed_status make_graph(const rs_find_input *in, const rs_find_options *o,
                                const uint8_t *skeleton, const uint8_t *mask, rs_found *out,
                                reshed_error *err)
{
    rs_wallgraph_options options = graph_options(o, &in->grid);
    const rs_wallgraph_input graph = {.grid = in->grid,
                                      .skeleton = skeleton,
                                      .mask = mask,
                                      .probability = in->map,
                                      .variance = in->variance,
                                      .amplitude = in->amplitude};
    if (in->skeleton) options.blunt_ends = false; /* lines that are known stay */
    reshed_status st = rs_wallgraph_build(&graph, &options, &out->graph, err);
    if (st == RESHED_OK)
        st = rs_wall_families(&out->graph, o->family_angle, 0, &out->families, err);
    if (st == RESHED_OK)
        out->skeleton_pixels = count_pixels(out->graph.skeleton, rs_grid_count(&in->grid));
    return st;
}

static reshed_status walls_of(const rs_find_input *in, const rs_find_options *o, rs_found *out,
                              reshed_error *err)
{
    if (in->skeleton) return make_graph(in, o, in->skeleton, in->mask, out, err);
    const size_t n = rs_grid_count(&in->grid);
    uint8_t *skeleton = rs_alloc(n, 1);
    if (!skeleton) return rs_fail_nomem(err, "a skeleton", n);
    reshed_status st = make_mask(in, o, out, err);
    if (st == RESHED_OK)
        st = (o->thinning == RS_FIND_SKIMAGE ? rs_skeletonize : rs_thin)(
            out->mask, in->grid.height, in->grid.width, skeleton, err);
    if (st == RESHED_OK) st = make_graph(in, o, skeleton, out->mask, out, err);
    rs_free(skeleton);
    return st;
}

/* ---------------------------------------------------------------------------------------- kinds */

/* The kind that more than half of a wall's pixels have. Of a wall across which the sign changes along
 * more than half, but in two ways, it is the more frequent one. */
static void type_wall(const rs_wallgraph *g, const rs_polarity *p, rs_wall *wall)
{
    int count[RS_POLARITY_KINDS] = {0};
    double sure = 0;
    const rs_pixel *at = g->pixel + wall->line.first;
    for (int i = 0; i < wall->line.count; i++)
        count[p->kind[(size_t)at[i].row * (size_t)g->grid.width + (size_t)at[i].col]]++;
    const int changed = count[RS_POLARITY_180] + count[RS_POLARITY_MIXED];
    wall->kind = 2 * changed <= wall->line.count                      ? RS_POLARITY_SAME
                 : count[RS_POLARITY_180] >= count[RS_POLARITY_MIXED] ? RS_POLARITY_180
                                                                      : RS_POLARITY_MIXED;
    for (int i = 0; i < wall->line.count; i++) {
        const size_t k = (size_t)at[i].row * (size_t)g->grid.width + (size_t)at[i].col;
        sure += p->kind[k] == wall->kind ? (double)p->sure[k] : 1 - (double)p->sure[k];
    }
    wall->sure = wall->line.count > 0 ? sure / wall->line.count : NAN;
}

_Static_assert((int)RS_WALL_180 == (int)RS_POLARITY_180 &&
                   (int)RS_WALL_MIXED == (int)RS_POLARITY_MIXED &&
                   (int)RS_WALL_KINDS == (int)RS_POLARITY_KINDS,
               "kinds of walls are those of the polarity");

/* False for a map in which nothing was recorded. */
static bool is_recorded(const float *phase, size_t n)
{
    for (size_t i = 0; phase && i < n; i++)
        if (isfinite(phase[i]) && phase[i] != 0) return true;
    return false;
}

static reshed_status type_walls(const rs_find_input *in, rs_found *out, reshed_error *err)
{
    rs_polarity p = {0};
    if (!is_recorded(in->phase, rs_grid_count(&in->grid))) return RESHED_OK;
    reshed_status st = rs_polarity_make(in->strength ? in->strength : in->amplitude, in->phase,
                                        in->grid.height, in->grid.width, &p, err);
    if (st != RESHED_OK) return st;
    for (int w = 0; w < out->graph.walls; w++) {
        type_wall(&out->graph, &p, &out->graph.wall[w]);
        out->kinds[out->graph.wall[w].kind]++;
    }
    out->kind = p.kind;
    p.kind = NULL;
    rs_polarity_clear(&p);
    return RESHED_OK;
}

/* 1 on 180-degree walls, and where they cross others, for the points; *out is the caller's. */
static reshed_status mark_180(const rs_find_input *in, const rs_found *found, uint8_t **out,
                              reshed_error *err)
{
    const size_t n = rs_grid_count(&in->grid);
    *out = rs_alloc(n, 1);
    if (!*out) return rs_fail_nomem(err, "180-degree walls", n);
    for (size_t i = 0; i < n; i++) (*out)[i] = found->kind[i] == RS_POLARITY_180;
    for (int w = 0; w < found->graph.walls; w++) {
        const rs_wall *wall = &found->graph.wall[w];
        const rs_pixel *p = found->graph.pixel + wall->line.first;
        for (int i = 0; wall->kind == RS_POLARITY_180 && i < wall->line.count; i++)
            (*out)[(size_t)p[i].row * (size_t)in->grid.width + (size_t)p[i].col] = 1;
    }
    return RESHED_OK;
}

/* --------------------------------------------------------------------------------------- points */

static reshed_status select_on_walls(const rs_find_input *in, const rs_find_options *o,
                                     const rs_exclusion *exclude, rs_found *out, reshed_error *err)
{
    switch (o->order) {
    case RS_FIND_ROUTE:
        return rs_select_even(&out->graph, step_of(&in->grid, o), exclude, &out->points, err);
    case RS_FIND_AUTHOR: return rs_select_author(&out->graph, o->every, exclude, &out->points, err);
    case RS_FIND_RASTER: break;
    }
    return rs_select_raster(&out->graph, o->every, exclude, &out->points, err);
}

static reshed_status select_points(const rs_find_input *in, const rs_find_options *o, rs_found *out,
                                   reshed_error *err)
{
    rs_exclusion exclude = {.margin = rs_length_on(&in->grid, o->margin),
                            .row_ok = in->point_rows,
                            .variance = isinf(o->max_variance) ? NULL : in->variance,
                            .variance_max = o->max_variance,
                            .apart = rs_find_min_distance(&in->grid, o)};
    const double distance = rs_length_on(&in->grid, o->control_distance);
    uint8_t *skip = NULL;
    reshed_status st = RESHED_OK;
    if (out->kind && !o->on_180) st = mark_180(in, out, &skip, err);
    exclude.skip = skip;
    if (st == RESHED_OK) st = select_on_walls(in, o, &exclude, out, err);
    for (int k = 0; k < RS_FIND_CONTROLS && st == RESHED_OK; k++) {
        const rs_point_kind kind = (rs_point_kind)(RS_POINT_A_DOMAIN + k);
        const int before = out->points.n;
        if (!o->control[k]) continue;
        exclude.skip = kind == RS_POINT_180_WALL ? NULL : skip;
        st = rs_select_control(&out->graph, kind, o->control[k], distance, in->phase, &exclude,
                               &out->points, err);
        out->controls[k] = out->points.n - before;
    }
    rs_free(skip);
    return st;
}

/* The author lists his pixels row by row. target[n] holds 0 ... n-1 before. */
static reshed_status number_by_rows(const rs_grid *grid, const rs_points *points, int32_t *target,
                                    reshed_error *err)
{
    const size_t count = rs_grid_count(grid);
    int32_t listed = 0;
    int32_t *at = rs_zalloc(count, sizeof *at); /* 1 + the wall point of a pixel */
    if (!at) return rs_fail_nomem(err, "places of points", count * sizeof *at);
    for (int i = 0; i < points->n; i++) {
        const rs_pixel p = points->p[i].at;
        if (points->p[i].kind == RS_POINT_WALL)
            at[(size_t)p.row * (size_t)grid->width + (size_t)p.col] = i + 1;
    }
    for (size_t k = 0; k < count; k++)
        if (at[k]) target[at[k] - 1] = listed++;
    rs_free(at);
    return RESHED_OK;
}

static reshed_status put_in_order(const rs_find_input *in, const rs_find_options *o, rs_found *out,
                                  reshed_error *err)
{
    const size_t n = (size_t)out->points.n;
    out->target = rs_alloc(n, sizeof *out->target);
    if (!out->target) return rs_fail_nomem(err, "an order of points", n * sizeof *out->target);
    for (size_t i = 0; i < n; i++) out->target[i] = (int32_t)i;
    if (o->order == RS_FIND_AUTHOR)
        return number_by_rows(&in->grid, &out->points, out->target, err);
    if (o->order != RS_FIND_ROUTE) return RESHED_OK;
    rs_xy start = {0, 0};
    if (in->start) start = (rs_xy){in->start[1] * in->grid.dx, -in->start[0] * in->grid.dy};
    return rs_route_points(&in->grid, in->start ? &start : NULL, &out->points, out->target, err);
}

/* True when points of that wall are wanted. Walls are numbered from the longest. */
static bool is_wanted(const rs_wallgraph *g, int wall, rs_find_which which)
{
    const rs_wall *w = &g->wall[wall];
    const bool longer = w->line.length >= g->wall[(g->walls - 1) / 2].line.length;
    switch (which) {
    case RS_FIND_PAIRED: return w->pair >= 0;
    case RS_FIND_SINGLE: return w->pair < 0;
    case RS_FIND_LONG: return longer;
    case RS_FIND_SHORT: return !longer;
    case RS_FIND_ALL: break;
    }
    return true;
}

static int by_value(const void *a, const void *b)
{
    const int32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Leaves the points of the walls that are wanted, and control points, targets renumbered 0 ... */
static reshed_status keep_wanted(const rs_find_options *o, rs_found *out, reshed_error *err)
{
    rs_point *p = out->points.p;
    int n = 0;
    if (o->which == RS_FIND_ALL) return RESHED_OK;
    int32_t *sorted = rs_alloc((size_t)out->points.n, sizeof *sorted);
    if (!sorted) return rs_fail_nomem(err, "targets", (size_t)out->points.n * sizeof *sorted);
    for (int i = 0; i < out->points.n; i++) {
        if (p[i].kind == RS_POINT_WALL && !is_wanted(&out->graph, p[i].wall, o->which)) continue;
        p[n] = p[i];
        out->target[n] = sorted[n] = out->target[i];
        n++;
    }
    out->points.n = n;
    if (n > 0) qsort(sorted, (size_t)n, sizeof *sorted, by_value);
    for (int i = 0; i < n; i++) {
        const int32_t *at = bsearch(&out->target[i], sorted, (size_t)n, sizeof *sorted, by_value);
        out->target[i] = (int32_t)(at - sorted);
    }
    rs_free(sorted);
    return RESHED_OK;
}

/* Keeps max_points of the points, each wall its share. */
static reshed_status thin_points(const rs_find_options *o, rs_found *out, reshed_error *err)
{
    const int n = out->points.n;
    rs_point *p = out->points.p;
    if (o->max_points == 0 || n <= o->max_points) return RESHED_OK;
    int *group = rs_alloc((size_t)n, sizeof *group), *target = rs_alloc((size_t)n, sizeof *target);
    uint8_t *kept = rs_zalloc((size_t)n, 1);
    reshed_status st = RESHED_OK;
    if (!group || !target || !kept) {
        st = rs_fail_nomem(err, "points to be left out", (size_t)n * sizeof *group);
        goto done;
    }
    for (int i = 0; i < n; i++) {
        group[i] = p[i].kind == RS_POINT_WALL ? p[i].wall : -1 - (int)p[i].kind;
        target[i] = out->target[i];
    }
    st = rs_thin_shares(group, target, n, o->max_points, kept, err);
    if (st != RESHED_OK) goto done;
    for (int i = out->points.n = 0; i < n; i++)
        if (kept[i]) {
            p[out->points.n] = p[i];
            out->target[out->points.n++] = target[i];
        }
    memset(out->controls, 0, sizeof out->controls);
    for (int i = 0; i < out->points.n; i++)
        if (p[i].kind != RS_POINT_WALL) out->controls[(int)p[i].kind - RS_POINT_A_DOMAIN]++;
done:
    rs_free(group);
    rs_free(target);
    rs_free(kept);
    return st;
}

/* ---------------------------------------------------------------------------------------- whole */

void rs_found_clear(rs_found *found)
{
    rs_free(found->mask);
    rs_free(found->kind);
    rs_free(found->target);
    rs_wallgraph_clear(&found->graph);
    rs_points_clear(&found->points);
    *found = (rs_found){0};
}

static reshed_status find(const rs_find_input *in, const rs_find_options *o, bool points,
                          rs_found *out, reshed_error *err)
{
    rs_found found = {0};
    reshed_status st = rs_find_check(o, err);
    if (st == RESHED_OK) st = check_input(in, err);
    if (st == RESHED_OK) st = walls_of(in, o, &found, err);
    if (st == RESHED_OK)
        found.scan_lines =
            rs_wall_marks(&found.graph, found.mask ? found.mask : in->mask, in->amplitude);
    if (st == RESHED_OK) st = type_walls(in, &found, err);
    if (st == RESHED_OK && points) st = select_points(in, o, &found, err);
    if (st == RESHED_OK && points) st = put_in_order(in, o, &found, err);
    if (st == RESHED_OK && points) st = keep_wanted(o, &found, err);
    if (st == RESHED_OK && points) st = thin_points(o, &found, err);
    if (st == RESHED_OK)
        *out = found;
    else
        rs_found_clear(&found);
    return st;
}

reshed_status rs_find(const rs_find_input *in, const rs_find_options *options, rs_found *out,
                      reshed_error *err)
{
    return find(in, options, true, out, err);
}

reshed_status rs_find_walls(const rs_find_input *in, const rs_find_options *options, rs_found *out,
                            reshed_error *err)
{
    return find(in, options, false, out, err);
}
