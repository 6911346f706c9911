#include "spm/scan/choose.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "imgproc/walls/domains.h"
#include "imgproc/walls/tests.h"
#include "imgproc/walls/thin.h"
#include "spm/instrument/coords.h"

void rs_choose_defaults(rs_choose_options *o)
{
    rs_find_options find;
    rs_find_defaults(&find);
    *o = (rs_choose_options){.threshold = find.low,
                             .every = find.every,
                             .min_distance = find.min_distance.value,
                             .min_wall = find.min_wall.value,
                             .margin = find.margin.value,
                             .control_distance = find.control_distance.value,
                             .on_180 = find.on_180,
                             .max_variance = find.max_variance,
                             .family_angle = find.family_angle};
}

static void find_options(const rs_choose_options *o, rs_find_options *find)
{
    rs_find_defaults(find);
    find->low = o->threshold;
    find->thinning = o->thinning;
    find->order = (rs_find_order)o->order;
    find->every = o->every;
    find->min_distance.value = o->min_distance;
    find->min_wall.value = o->min_wall;
    find->margin.value = o->margin;
    find->max_points = o->max_points;
    find->which = (rs_find_which)o->walls;
    find->control[RS_FIND_A_DOMAIN] = o->a_domain;
    find->control[RS_FIND_C_DOMAIN] = o->c_domain;
    find->control_distance.value = o->control_distance;
    find->on_180 = o->on_180;
    find->max_variance = o->max_variance;
    find->family_angle = o->family_angle;
}

reshed_status rs_choose_check(const rs_choose_options *o, reshed_error *err)
{
    rs_find_options find;
    find_options(o, &find);
    return rs_find_check(&find, err);
}

void rs_choice_clear(rs_choice *c)
{
    rs_free(c->binary);
    rs_free(c->point);
    rs_free(c->closed);
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

static reshed_status put_points(const rs_found *found, const rs_coords *coords, rs_choice *out,
                                reshed_error *err)
{
    out->n = found->points.n;
    out->point = rs_alloc((size_t)out->n, sizeof *out->point);
    if (!out->point) return rs_fail_nomem(err, "points", (size_t)out->n * sizeof *out->point);
    for (int i = 0; i < out->n; i++) {
        const rs_point *p = &found->points.p[i];
        rs_rowcol pixel = {p->at.row, p->at.col};
        rs_xy stage;
        rs_pixel_to_stage(coords, &pixel, 1, &stage);
        rs_session_point *q = &out->point[i];
        *q = rs_session_point_at(pixel.row, pixel.col, stage.x, stage.y);
        q->target = found->target[i];
        q->wall = p->kind == RS_POINT_WALL ? p->wall : -1;
        q->kind = (int)p->kind;
    }
    return RESHED_OK;
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

/* True where points stay away because a 180-degree wall passes. */
static bool is_on_180(const rs_found *found, size_t i)
{
    const int wall = found->graph.wall_at[i];
    return found->kind && (found->kind[i] == RS_WALL_180 ||
                           (wall >= 0 && found->graph.wall[wall].kind == RS_WALL_180));
}

/* Keeps the rules by which points were chosen. */
static reshed_status keep_rules(const rs_find_input *in, const rs_find_options *o,
                                const rs_found *found, rs_choice *out, reshed_error *err)
{
    const rs_grid *grid = &in->grid;
    const size_t n = rs_grid_count(grid);
    const rs_exclusion edge = {.margin = rs_length_on(grid, o->margin)};
    out->on_180 = o->on_180;
    out->apart = rs_find_min_distance(grid, o);
    out->control_distance = rs_length_on(grid, o->control_distance);
    out->closed = rs_alloc(n, 1);
    if (!out->closed) return rs_fail_nomem(err, "places of points", n);
    for (size_t i = 0; i < n; i++) {
        const rs_pixel p = {(int)(i / (size_t)grid->width), (int)(i % (size_t)grid->width)};
        const bool doubtful =
            in->variance && !isinf(o->max_variance) && !(in->variance[i] <= o->max_variance);
        out->closed[i] = rs_point_is_excluded(grid, &edge, p)       ? RS_CHOICE_EDGE
                         : in->point_rows && !in->point_rows[p.row] ? RS_CHOICE_ROW
                         : doubtful                                 ? RS_CHOICE_VARIANCE
                         : !o->on_180 && is_on_180(found, i)        ? RS_CHOICE_180
                                                                    : RS_CHOICE_OPEN;
    }
    return RESHED_OK;
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
    find_options(o, &options);
    in.phase = o->phase;
    in.strength = o->amplitude;
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
    if (st == RESHED_OK) st = put_points(&found, &coords, &choice, err);
    if (st == RESHED_OK) st = keep_rules(&in, &options, &found, &choice, err);
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

/* ------------------------------------------------------------------------------ a person's place */

static reshed_status refuse(const char *what, double row, double col, reshed_error *err)
{
    return rs_fail(err, RESHED_EINVAL, "point|%s|row %g, column %g", what, row, col);
}

/* m from a pixel to the nearest of the skeleton. */
static double from_walls(const rs_choice *c, rs_pixel p)
{
    double least = INFINITY;
    for (int row = 0; row < c->rows; row++)
        for (int col = 0; col < c->cols; col++)
            if (c->skeleton[(size_t)row * (size_t)c->cols + (size_t)col])
                least = fmin(least, rs_pixel_distance(&c->graph.grid, p, (rs_pixel){row, col}));
    return least;
}

/* The kind of a control point in the domain that the pixel is in. */
static reshed_status domain_of(const rs_choice *c, rs_pixel p, int *kind, reshed_error *err)
{
    const size_t n = (size_t)c->rows * (size_t)c->cols;
    int32_t *domain = rs_alloc(n, sizeof *domain);
    if (!domain) return rs_fail_nomem(err, "domains", n * sizeof *domain);
    const reshed_status st = rs_pair_domains(&c->graph, domain, err);
    if (st == RESHED_OK)
        *kind = domain[(size_t)p.row * (size_t)c->cols + (size_t)p.col] > 0 ? RS_POINT_A_DOMAIN
                                                                            : RS_POINT_C_DOMAIN;
    rs_free(domain);
    return st;
}

static reshed_status find_kind(const rs_choice *c, rs_place at, rs_session_point *p,
                               reshed_error *err)
{
    const rs_pixel pixel = {(int)lround(at.row), (int)lround(at.col)};
    p->kind = RS_POINT_WALL;
    p->wall = -1;
    reshed_status st = RESHED_OK;
    if (c->graph.walls > 0) st = rs_walls_of_places(&c->graph, &at, 1, &p->wall, err);
    if (st != RESHED_OK) return st;
    if (p->wall >= 0) {
        const bool turned = c->graph.wall[p->wall].kind == RS_WALL_180 && !c->on_180;
        return turned ? refuse("not on a 180-degree wall", at.row, at.col, err) : RESHED_OK;
    }
    if (from_walls(c, pixel) < c->control_distance * (1 - 1e-12))
        return refuse("on a wall, or as far from all as a control point", at.row, at.col, err);
    return domain_of(c, pixel, &p->kind, err);
}

/* Two points at one place are two lists of pulses there, whatever the least distance is. */
static reshed_status check_apart(const rs_choice *c, const rs_session_point *points, int n,
                                 const rs_session_point *self, const rs_session_point *p,
                                 reshed_error *err)
{
    const rs_grid *grid = &c->graph.grid;
    const double apart = fmax(c->apart, fmin(grid->dx, grid->dy)) * (1 - 1e-9);
    for (int i = 0; i < n; i++)
        if (&points[i] != self && hypot(points[i].x - p->x, points[i].y - p->y) < apart)
            return rs_fail(err, RESHED_EINVAL, "point|at least %g m from the others|%g m", apart,
                           hypot(points[i].x - p->x, points[i].y - p->y));
    return RESHED_OK;
}

reshed_status rs_choose_place(const rs_frame *frame, const rs_choice *c, double row, double col,
                              const rs_session_point *points, int n, rs_session_point *p,
                              reshed_error *err)
{
    static const char *const why[] = {[RS_CHOICE_EDGE] = "within the margin",
                                      [RS_CHOICE_ROW] = "in a row that is final",
                                      [RS_CHOICE_VARIANCE] = "where the map is sure",
                                      [RS_CHOICE_180] = "not on a 180-degree wall"};
    rs_coords coords;
    rs_grid grid;
    rs_session_point made = *p;
    rs_xy xy;
    if (!(row >= 0 && row <= c->rows - 1 && col >= 0 && col <= c->cols - 1))
        return refuse("within the frame", row, col, err);
    const uint8_t closed = c->closed[lround(row) * c->cols + lround(col)];
    if (closed) return refuse(why[closed], row, col, err);
    reshed_status st = place_frame(frame, &grid, &coords, err);
    if (st != RESHED_OK) return st;
    rs_pixel_to_stage(&coords, &(rs_rowcol){row, col}, 1, &xy);
    made.row = row;
    made.col = col;
    made.x = made.device_x = xy.x;
    made.y = made.device_y = xy.y;
    st = find_kind(c, (rs_place){row, col}, &made, err);
    if (st == RESHED_OK) st = check_apart(c, points, n, p, &made, err);
    if (st == RESHED_OK) *p = made;
    return st;
}

/* ------------------------------------------------------------------------------------- thinning */

reshed_status rs_choose_thin(rs_session_point *points, int n, int keep, int *left,
                             reshed_error *err)
{
    if (keep >= n || keep <= 0) {
        *left = keep <= 0 ? 0 : n;
        return RESHED_OK;
    }
    int *group = rs_alloc((size_t)n, sizeof *group), *target = rs_alloc((size_t)n, sizeof *target);
    uint8_t *kept = rs_zalloc((size_t)n, 1);
    reshed_status st = RESHED_OK;
    if (!group || !target || !kept) {
        st = rs_fail_nomem(err, "points to be left out", (size_t)n * sizeof *group);
        goto done;
    }
    for (int i = 0; i < n; i++) {
        group[i] = points[i].wall >= 0 ? points[i].wall : -1 - points[i].kind;
        target[i] = points[i].target;
    }
    st = rs_thin_shares(group, target, n, keep, kept, err);
    if (st != RESHED_OK) goto done;
    int k = 0;
    for (int i = 0; i < n; i++)
        if (kept[i]) {
            points[k] = points[i];
            points[k++].target = target[i];
        }
    *left = k;
done:
    rs_free(kept);
    rs_free(target);
    rs_free(group);
    return st;
}
