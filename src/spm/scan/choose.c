#include "spm/scan/choose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/walls/route.h"
#include "imgproc/image/skeleton.h"
#include "imgproc/image/threshold.h"
#include "imgproc/walls/build.h"
#include "imgproc/walls/family.h"
#include "spm/instrument/coords.h"

#define RADIANS_PER_DEGREE (3.14159265358979323846 / 180)

void rs_choose_defaults(rs_choose_options *o)
{
    *o = (rs_choose_options){.threshold = RS_THRESHOLD_DEFAULT,
                             .every = 10,
                             .min_wall = 8,
                             .margin = 4,
                             .control_distance = 6,
                             .max_variance = INFINITY,
                             .family_angle = 10 * RADIANS_PER_DEGREE};
}

reshed_status rs_choose_check(const rs_choose_options *o, reshed_error *err)
{
    if (!isfinite(o->threshold))
        return rs_fail(err, RESHED_EINVAL, "threshold|a finite number|%g", o->threshold);
    if (o->every < 1) return rs_fail(err, RESHED_EINVAL, "every|at least 1 pixel|%d", o->every);
    if (!(o->min_wall >= 0 && isfinite(o->min_wall)) || !(o->margin >= 0 && isfinite(o->margin)) ||
        !(o->control_distance >= 0 && isfinite(o->control_distance)))
        return rs_fail(err, RESHED_EINVAL,
                       "smallest wall, margin, distance of controls|pixels >= 0|%g, %g, %g",
                       o->min_wall, o->margin, o->control_distance);
    if (o->max_points < 0 || o->a_domain < 0 || o->c_domain < 0)
        return rs_fail(err, RESHED_EINVAL, "numbers of points|>= 0|%d, %d, %d", o->max_points,
                       o->a_domain, o->c_domain);
    if (o->order != RS_CHOOSE_ROUTE && o->order != RS_CHOOSE_AUTHOR && o->order != RS_CHOOSE_RASTER)
        return rs_fail(err, RESHED_EINVAL, "order of points|route, author or raster|%d",
                       (int)o->order);
    if (isnan(o->max_variance)) return rs_fail(err, RESHED_EINVAL, "largest variance|a number|NaN");
    return RESHED_OK; /* walls/family.h checks the angle */
}

void rs_choice_clear(rs_choice *c)
{
    rs_free(c->binary);
    rs_free(c->skeleton);
    rs_free(c->point);
    rs_wallgraph_clear(&c->graph);
    memset(c, 0, sizeof *c);
}

/* ------------------------------------------------------------------------------------ one choice
 */
typedef struct chooser {
    const rs_frame *frame;
    const float *mean, *variance;
    const rs_choose_options *o;
    rs_grid grid;
    rs_coords coords;
    double pixel;    /* m, what a length in pixels is a multiple of */
    uint8_t *row_ok; /* [rows]; NULL: all; owned */
    rs_points points;
    int32_t *order;  /* [points.n]: place in the selection of the k-th to be measured; owned */
    int32_t *target; /* [points.n]: of each point of the selection; owned */
} chooser;

static reshed_status set_up(chooser *c, const uint8_t *state, reshed_error *err)
{
    const rs_frame *f = c->frame;
    rs_coords_frame frame = rs_coords_frame_of(f);
    rs_device device = rs_device_metres();
    reshed_status st = rs_choose_check(c->o, err);
    if (st == RESHED_OK) st = rs_coords_init(&c->coords, &frame, &device, err);
    if (st != RESHED_OK) return st;
    c->grid = (rs_grid){.height = f->rows, .width = f->cols};
    rs_coords_pixel_size(&c->coords, &c->grid.dx, &c->grid.dy);
    st = rs_grid_check(&c->grid, err);
    if (st != RESHED_OK) return st;
    c->pixel = sqrt(c->grid.dx) * sqrt(c->grid.dy);
    if (!state) return RESHED_OK;
    c->row_ok = rs_alloc((size_t)f->rows, 1);
    if (!c->row_ok) return rs_fail_nomem(err, "rows", (size_t)f->rows);
    for (int r = 0; r < f->rows; r++) c->row_ok[r] = state[r] == RS_SESSION_FINAL;
    return RESHED_OK;
}

static reshed_status find_walls(const chooser *c, rs_choice *out, reshed_error *err)
{
    int h = c->grid.height, w = c->grid.width;
    size_t n = rs_grid_count(&c->grid);
    rs_wallgraph_options o;
    rs_wallgraph_options_defaults(&o);
    o.min_wall = c->o->min_wall * c->pixel;
    out->rows = h;
    out->cols = w;
    out->binary = rs_alloc(n, 1);
    out->skeleton = rs_alloc(n, 1);
    if (!out->binary || !out->skeleton) return rs_fail_nomem(err, "masks", 2 * n);
    rs_threshold(c->mean, n, c->o->threshold, out->binary);
    for (int r = 0; c->row_ok && r < h; r++)
        if (!c->row_ok[r]) memset(out->binary + (size_t)r * (size_t)w, 0, (size_t)w);
    reshed_status st = rs_skeletonize(out->binary, h, w, out->skeleton, err);
    const rs_wallgraph_input in = {.grid = c->grid,
                                   .skeleton = out->skeleton,
                                   .mask = out->binary,
                                   .probability = c->mean,
                                   .variance = c->variance};
    if (st == RESHED_OK) st = rs_wallgraph_build(&in, &o, &out->graph, err);
    if (st == RESHED_OK)
        st = rs_wall_families(&out->graph, c->o->family_angle, 0, &out->families, err);
    if (st != RESHED_OK) return st;
    memcpy(out->skeleton, out->graph.skeleton, n);
    out->walls = out->graph.walls;
    return RESHED_OK;
}

static reshed_status select_points(chooser *c, const rs_wallgraph *graph, reshed_error *err)
{
    const rs_choose_options *o = c->o;
    const rs_exclusion exclude = {.margin = o->margin * fmax(c->grid.dx, c->grid.dy),
                                  .row_ok = c->row_ok,
                                  .variance = isinf(o->max_variance) ? NULL : c->variance,
                                  .variance_max = o->max_variance};
    double distance = o->control_distance * c->pixel;
    reshed_status st;
    if (o->order == RS_CHOOSE_ROUTE)
        st = rs_select_even(graph, o->every * c->pixel, &exclude, &c->points, err);
    else if (o->order == RS_CHOOSE_AUTHOR)
        st = rs_select_author(graph, o->every, &exclude, &c->points, err);
    else
        st = rs_select_raster(graph, o->every, &exclude, &c->points, err);
    if (st == RESHED_OK && o->a_domain)
        st = rs_select_control(graph, RS_POINT_A_DOMAIN, o->a_domain, distance, NULL, &exclude,
                               &c->points, err);
    if (st == RESHED_OK && o->c_domain)
        st = rs_select_control(graph, RS_POINT_C_DOMAIN, o->c_domain, distance, NULL, &exclude,
                               &c->points, err);
    return st;
}

/* Targets are places in the selection, except that the author lists his pixels row by row. */
static reshed_status number_targets(chooser *c, reshed_error *err)
{
    int n = c->points.n, listed = 0;
    for (int i = 0; i < n; i++) c->target[i] = i;
    if (c->o->order != RS_CHOOSE_AUTHOR) return RESHED_OK;
    size_t count = rs_grid_count(&c->grid);
    int32_t *at = rs_zalloc(count, sizeof *at); /* 1 + the wall point of a pixel */
    if (!at) return rs_fail_nomem(err, "places of points", count * sizeof *at);
    for (int i = 0; i < n; i++) {
        rs_pixel p = c->points.p[i].at;
        if (c->points.p[i].kind == RS_POINT_WALL)
            at[(size_t)p.row * (size_t)c->grid.width + (size_t)p.col] = i + 1;
    }
    for (size_t k = 0; k < count; k++)
        if (at[k]) c->target[at[k] - 1] = listed++;
    rs_free(at);
    return RESHED_OK;
}

static reshed_status put_in_order(chooser *c, const rs_xy *tip, reshed_error *err)
{
    int n = c->points.n;
    c->order = rs_alloc((size_t)n, sizeof *c->order);
    c->target = rs_alloc((size_t)n, sizeof *c->target);
    if (!c->order || !c->target) return rs_fail_nomem(err, "an order", (size_t)n * 8);
    reshed_status st = number_targets(c, err);
    for (int i = 0; i < n; i++) c->order[i] = i;
    if (st != RESHED_OK || c->o->order != RS_CHOOSE_ROUTE || n == 0) return st;
    rs_xy *at = rs_alloc((size_t)n, sizeof *at), start;
    if (!at) return rs_fail_nomem(err, "a route", (size_t)n * sizeof *at);
    for (int i = 0; i < n; i++) at[i] = rs_pixel_xy(&c->grid, c->points.p[i].at);
    if (tip) {
        rs_rowcol pixel;
        rs_stage_to_pixel(&c->coords, tip, 1, &pixel);
        start = (rs_xy){pixel.col * c->grid.dx, -pixel.row * c->grid.dy};
    }
    st = rs_route_short(at, n, tip ? &start : NULL, c->order, err);
    rs_free(at);
    return st;
}

static reshed_status make_points(const chooser *c, rs_choice *out, reshed_error *err)
{
    out->n = c->points.n;
    out->point = rs_alloc((size_t)out->n, sizeof *out->point);
    if (!out->point) return rs_fail_nomem(err, "points", (size_t)out->n * sizeof *out->point);
    for (int i = 0; i < out->n; i++) {
        const rs_point *p = &c->points.p[c->order[i]];
        rs_rowcol pixel = {p->at.row, p->at.col};
        rs_xy stage;
        rs_pixel_to_stage(&c->coords, &pixel, 1, &stage);
        out->point[i] = (rs_session_point){.row = pixel.row,
                                           .col = pixel.col,
                                           .x = stage.x,
                                           .y = stage.y,
                                           .device_x = stage.x,
                                           .device_y = stage.y,
                                           .measured_x = NAN,
                                           .measured_y = NAN,
                                           .time = NAN,
                                           .target = c->target[c->order[i]],
                                           .wall = p->kind == RS_POINT_WALL ? p->wall : -1,
                                           .kind = (int)p->kind,
                                           .state = RS_SESSION_PENDING};
    }
    if (c->o->max_points == 0) return RESHED_OK;
    return rs_choose_thin(out->point, out->n, c->o->max_points, &out->n, err);
}

reshed_status rs_choose(const rs_frame *frame, const float *mean, const float *variance,
                        const uint8_t *state, const rs_xy *tip, const rs_choose_options *o,
                        rs_choice *out, reshed_error *err)
{
    chooser c = {.frame = frame, .mean = mean, .variance = variance, .o = o};
    rs_choice choice = {0};
    if (tip && (!isfinite(tip->x) || !isfinite(tip->y)))
        return rs_fail(err, RESHED_EINVAL, "position of the tip|finite|%g, %g", tip->x, tip->y);
    reshed_status st = set_up(&c, state, err);
    if (st == RESHED_OK) st = find_walls(&c, &choice, err);
    if (st == RESHED_OK) st = select_points(&c, &choice.graph, err);
    if (st == RESHED_OK) st = put_in_order(&c, tip, err);
    if (st == RESHED_OK) st = make_points(&c, &choice, err);
    rs_points_clear(&c.points);
    rs_free(c.row_ok);
    rs_free(c.order);
    rs_free(c.target);
    if (st == RESHED_OK)
        *out = choice;
    else
        rs_choice_clear(&choice);
    return st;
}

/* -------------------------------------------------------------------------------------- thinning
 */
/* A point with the group that it stands for: a wall, or a kind of control point (negative). */
typedef struct member {
    int group, place;
} member;

typedef struct group {
    int first, count; /* of the members sorted by group and place */
    int quota, rest;  /* rest: numerator of what rounding down has cost it */
} group;

static int by_group(const void *a, const void *b)
{
    const member *x = a, *y = b;
    if (x->group != y->group) return x->group < y->group ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static int by_count(const void *a, const void *b)
{
    const group *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

static int by_rest(const void *a, const void *b)
{
    const group *x = a, *y = b;
    if (x->rest != y->rest) return x->rest > y->rest ? -1 : 1;
    return by_count(a, b);
}

static int make_groups(const rs_session_point *p, int n, member *m, group *g)
{
    int groups = 0;
    for (int i = 0; i < n; i++) m[i] = (member){p[i].wall >= 0 ? p[i].wall : -1 - p[i].kind, i};
    qsort(m, (size_t)n, sizeof *m, by_group);
    for (int i = 0; i < n; i++) {
        if (i == 0 || m[i].group != m[i - 1].group) g[groups++] = (group){.first = i};
        g[groups - 1].count++;
    }
    return groups;
}

/* One for each group, and of what is left to keep a share in proportion to what is left of it. */
static void share_out(group *g, int groups, int n, int keep)
{
    if (keep <= groups) {
        qsort(g, (size_t)groups, sizeof *g, by_count);
        for (int k = 0; k < groups; k++) g[k].quota = k < keep;
        return;
    }
    int64_t free_places = keep - groups, others = n - groups, given = 0;
    for (int k = 0; k < groups; k++) {
        int64_t part = free_places * (g[k].count - 1);
        g[k].quota = 1 + (int)(part / others);
        g[k].rest = (int)(part % others);
        given += g[k].quota;
    }
    qsort(g, (size_t)groups, sizeof *g, by_rest);
    for (int k = 0; k < keep - given; k++) g[k].quota++;
}

static int by_value(const void *a, const void *b)
{
    const int *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

reshed_status rs_choose_thin(rs_session_point *points, int n, int keep, int *left,
                             reshed_error *err)
{
    int k = 0;
    if (keep >= n || keep <= 0) {
        *left = keep <= 0 ? 0 : n;
        return RESHED_OK;
    }
    member *m = rs_alloc((size_t)n, sizeof *m);
    group *g = rs_alloc((size_t)n, sizeof *g);
    uint8_t *kept = rs_zalloc((size_t)n, 1);
    int *target = rs_alloc((size_t)keep, sizeof *target);
    reshed_status st = RESHED_OK;
    if (!m || !g || !kept || !target) {
        st = rs_fail_nomem(err, "points to be left out", (size_t)n * (sizeof *m + sizeof *g));
        goto done;
    }
    int groups = make_groups(points, n, m, g);
    share_out(g, groups, n, keep);
    for (int i = 0; i < groups; i++)
        for (int j = 0; j < g[i].quota; j++) {
            int64_t at = (int64_t)(2 * j + 1) * g[i].count / (2 * (int64_t)g[i].quota);
            kept[m[g[i].first + (int)at].place] = 1;
        }
    for (int i = 0; i < n; i++)
        if (kept[i]) points[k++] = points[i];
    for (int i = 0; i < k; i++) target[i] = points[i].target;
    qsort(target, (size_t)k, sizeof *target, by_value);
    for (int i = 0; i < k; i++) {
        int *at = bsearch(&points[i].target, target, (size_t)k, sizeof *target, by_value);
        points[i].target = (int)(at - target);
    }
    *left = k;
done:
    rs_free(target);
    rs_free(kept);
    rs_free(g);
    rs_free(m);
    return st;
}
