#include "spm/scan/choose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "spm/instrument/coords.h"

void rs_choose_defaults(rs_choose_options *o)
{
    rs_find_options find;
    rs_find_defaults_of_scan(&find);
    *o = (rs_choose_options){.threshold = find.low,
                             .every = find.every,
                             .min_distance = find.min_distance.value,
                             .min_wall = find.min_wall.value,
                             .margin = find.margin.value,
                             .control_distance = find.control_distance.value,
                             .max_variance = find.max_variance,
                             .family_angle = find.family_angle};
}

/* Lengths are made metres here, with a pixel's side rounded once: reshed-walls multiplies by one
 * side after the other, and a wall of just the least length would then be in or out by the last
 * bit. A margin is in pixels of the longer side. */
static void find_options(const rs_choose_options *o, const rs_grid *grid, rs_find_options *find)
{
    const double pixel = sqrt(grid->dx) * sqrt(grid->dy);
    rs_find_defaults_of_scan(find);
    find->low = o->threshold;
    find->thinning = o->thinning;
    find->order = (rs_find_order)o->order;
    find->every = o->every;
    find->spacing = (rs_length){o->every * pixel, .metres = true};
    if (!(o->min_distance < 0))
        find->min_distance = (rs_length){o->min_distance * pixel, .metres = true};
    find->min_wall = (rs_length){o->min_wall * pixel, .metres = true};
    find->margin = (rs_length){o->margin * fmax(grid->dx, grid->dy), .metres = true};
    find->control[RS_FIND_A_DOMAIN] = o->a_domain;
    find->control[RS_FIND_C_DOMAIN] = o->c_domain;
    find->control_distance = (rs_length){o->control_distance * pixel, .metres = true};
    find->max_variance = o->max_variance;
    find->family_angle = o->family_angle;
}

reshed_status rs_choose_check(const rs_choose_options *o, reshed_error *err)
{
    const rs_grid pixels = {1, 1, 1, 1};
    rs_find_options find;
    if (o->max_points < 0)
        return rs_fail(err, RESHED_EINVAL, "number of points|at least 0|%d", o->max_points);
    find_options(o, &pixels, &find);
    return rs_find_check(&find, err);
}

void rs_choice_clear(rs_choice *c)
{
    rs_free(c->binary);
    rs_free(c->point);
    rs_wallgraph_clear(&c->graph);
    memset(c, 0, sizeof *c);
}

/* ----------------------------------------------------------------------------------- one choice */

/* The grid of a frame, and where it lies on the stage. */
static reshed_status place_frame(const rs_frame *f, rs_grid *grid, rs_coords *coords,
                                 reshed_error *err)
{
    const rs_coords_frame frame = rs_coords_frame_of(f);
    const rs_device device = rs_device_metres();
    reshed_status st = rs_coords_init(coords, &frame, &device, err);
    if (st != RESHED_OK) return st;
    *grid = (rs_grid){.height = f->rows, .width = f->cols};
    rs_coords_pixel_size(coords, &grid->dx, &grid->dy);
    return rs_grid_check(grid, err);
}

static reshed_status put_points(const rs_found *found, const rs_coords *coords, int max_points,
                                rs_choice *out, reshed_error *err)
{
    out->n = found->points.n;
    out->point = rs_alloc((size_t)out->n, sizeof *out->point);
    if (!out->point) return rs_fail_nomem(err, "points", (size_t)out->n * sizeof *out->point);
    for (int i = 0; i < out->n; i++) {
        const rs_point *p = &found->points.p[i];
        rs_rowcol pixel = {p->at.row, p->at.col};
        rs_xy stage;
        rs_pixel_to_stage(coords, &pixel, 1, &stage);
        out->point[i] = (rs_session_point){.row = pixel.row,
                                           .col = pixel.col,
                                           .x = stage.x,
                                           .y = stage.y,
                                           .device_x = stage.x,
                                           .device_y = stage.y,
                                           .measured_x = NAN,
                                           .measured_y = NAN,
                                           .time = NAN,
                                           .target = found->target[i],
                                           .wall = p->kind == RS_POINT_WALL ? p->wall : -1,
                                           .kind = (int)p->kind,
                                           .state = RS_SESSION_PENDING};
    }
    if (max_points == 0) return RESHED_OK;
    return rs_choose_thin(out->point, out->n, max_points, &out->n, err);
}

/* Hands the walls over to the choice. */
static void take_walls(rs_found *found, rs_choice *out)
{
    out->rows = found->graph.grid.height;
    out->cols = found->graph.grid.width;
    out->binary = found->mask;
    out->graph = found->graph;
    out->skeleton = out->graph.skeleton;
    out->walls = out->graph.walls;
    out->families = found->families;
    found->mask = NULL;
    found->graph = (rs_wallgraph){0};
}

reshed_status rs_choose(const rs_frame *frame, const float *mean, const float *variance,
                        const uint8_t *state, const rs_xy *tip, const rs_choose_options *o,
                        rs_choice *out, reshed_error *err)
{
    rs_find_input in = {.map = mean, .variance = variance};
    rs_find_options options;
    rs_found found = {0};
    rs_choice choice = {0};
    rs_coords coords;
    rs_rowcol tip_pixel;
    uint8_t *final = NULL;
    if (tip && (!isfinite(tip->x) || !isfinite(tip->y)))
        return rs_fail(err, RESHED_EINVAL, "position of the tip|finite|%g, %g", tip->x, tip->y);
    reshed_status st = rs_choose_check(o, err);
    if (st == RESHED_OK) st = place_frame(frame, &in.grid, &coords, err);
    if (st != RESHED_OK) return st;
    find_options(o, &in.grid, &options);
    double start[2];
    if (tip) {
        rs_stage_to_pixel(&coords, tip, 1, &tip_pixel);
        start[0] = tip_pixel.row;
        start[1] = tip_pixel.col;
        in.start = start;
    }
    if (state) {
        final = rs_alloc((size_t)frame->rows, 1);
        if (!final) return rs_fail_nomem(err, "rows", (size_t)frame->rows);
        for (int r = 0; r < frame->rows; r++) final[r] = state[r] == RS_SESSION_FINAL;
        in.wall_rows = in.point_rows = final;
    }
    st = rs_find(&in, &options, &found, err);
    if (st == RESHED_OK) st = put_points(&found, &coords, o->max_points, &choice, err);
    if (st == RESHED_OK) {
        take_walls(&found, &choice);
        *out = choice;
    } else {
        rs_choice_clear(&choice);
    }
    rs_found_clear(&found);
    rs_free(final);
    return st;
}

/* ------------------------------------------------------------------------------------- thinning */

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
