#include "tools/walls/work.h"

#include <math.h>

#include "base/alloc.h"
#include "imgproc/figures/render.h"
#include "imgproc/walls/author_route.h"
#include "imgproc/walls/route.h"
#include "imgproc/image/skeleton.h"
#include "imgproc/image/threshold.h"
#include "imgproc/walls/build.h"
#include "imgproc/walls/family.h"
#include "io/npy.h"
#include "io/png.h"

const char *walls_unit(const walls_job *job)
{
    return job->sized ? "m" : "px";
}

double walls_length_of(const walls_job *job, walls_length length)
{
    if (length.metres) return length.value;
    return length.value * sqrt(job->grid.dx) * sqrt(job->grid.dy);
}

void walls_job_clear(walls_job *job)
{
    rs_free(job->map);
    rs_free(job->variance);
    rs_free(job->amplitude);
    rs_free(job->phase);
    rs_free(job->in_plane);
    rs_free(job->mask);
    rs_wallgraph_clear(&job->graph);
    rs_points_clear(&job->points);
}

static bool fail(const walls_job *job, const reshed_error *err)
{
    cli_fail(job->program, job->request->map, err);
    return false;
}

static reshed_status make_mask(walls_job *job, reshed_error *err)
{
    const walls_request *r = job->request;
    size_t n = rs_grid_count(&job->grid);
    reshed_status st = RESHED_OK;
    job->mask = rs_alloc(n, 1);
    if (!job->mask) return rs_fail_nomem(err, "a mask", n);
    job->threshold = r->threshold == WALLS_DOUBLE ? r->high : r->low;
    if (r->threshold == WALLS_OTSU) st = rs_threshold_otsu(job->map, n, &job->threshold, err);
    if (st != RESHED_OK) return st;
    if (r->threshold == WALLS_DOUBLE)
        st = rs_threshold_hysteresis(job->map, job->grid.height, job->grid.width, r->low, r->high,
                                     job->mask, err);
    else
        rs_threshold(job->map, n, job->threshold, job->mask);
    for (size_t i = 0; i < n; i++) job->mask_pixels += job->mask[i];
    return st;
}

bool walls_make_graph(walls_job *job)
{
    const walls_request *r = job->request;
    reshed_error err = {0};
    size_t n = rs_grid_count(&job->grid);
    rs_wallgraph_options o;
    rs_wallgraph_options_defaults(&o);
    o.reach = r->reach;
    o.turn = r->turn;
    o.corner = r->corner;
    o.spur = walls_length_of(job, r->spur);
    o.min_wall = walls_length_of(job, r->min_wall);
    o.domain_max = walls_length_of(job, r->domain_max);
    uint8_t *skeleton = rs_alloc(n, 1);
    reshed_status st = skeleton ? make_mask(job, &err) : rs_fail_nomem(&err, "a skeleton", n);
    if (st == RESHED_OK)
        st = rs_skeletonize(job->mask, job->grid.height, job->grid.width, skeleton, &err);
    const rs_wallgraph_input in = {.grid = job->grid,
                                   .skeleton = skeleton,
                                   .mask = job->mask,
                                   .probability = job->map,
                                   .variance = job->variance,
                                   .amplitude = job->amplitude};
    if (st == RESHED_OK) st = rs_wallgraph_build(&in, &o, &job->graph, &err);
    if (st == RESHED_OK) st = rs_wall_families(&job->graph, r->family_angle, 0, NULL, &err);
    rs_free(skeleton);
    if (st != RESHED_OK) return fail(job, &err);
    for (size_t i = 0; i < n; i++) job->skeleton_pixels += job->graph.skeleton[i];
    return true;
}

/* The rows that are final, as rs_exclusion takes them; *out is owned by the caller. */
static reshed_status final_rows(const walls_job *job, uint8_t **out, reshed_error *err)
{
    const long *rows = job->request->rows;
    if (rows[0] < 0) return RESHED_OK;
    *out = rs_alloc((size_t)job->grid.height, 1);
    if (!*out) return rs_fail_nomem(err, "rows", (size_t)job->grid.height);
    for (int i = 0; i < job->grid.height; i++) (*out)[i] = i >= rows[0] && i <= rows[1];
    return RESHED_OK;
}

static reshed_status add_controls(walls_job *job, double distance, const rs_exclusion *exclude,
                                  reshed_error *err)
{
    const rs_point_kind kind[WALLS_CONTROLS] = {RS_POINT_A_DOMAIN, RS_POINT_C_DOMAIN,
                                                RS_POINT_180_WALL};
    reshed_status st = RESHED_OK;
    for (int k = 0; k < WALLS_CONTROLS && st == RESHED_OK; k++) {
        int before = job->points.n, wanted = (int)job->request->control[k];
        if (!wanted) continue;
        st = rs_select_control(&job->graph, kind[k], wanted, distance, job->phase, exclude,
                               &job->points, err);
        if (st == RESHED_OK && job->points.n - before < wanted)
            cli_warn(job->program, job->request->map, "room for %d of %d %s control points",
                     job->points.n - before, wanted, rs_point_kind_name(kind[k]));
    }
    return st;
}

/* Length and longest step in pixels of the points in the order given and by the author's rule. */
static reshed_status compare_routes(walls_job *job, reshed_error *err)
{
    size_t n = (size_t)job->points.n, count = rs_grid_count(&job->grid), k = 0;
    rs_xy *at = rs_alloc(n, sizeof *at);
    rs_pixel *list = rs_alloc(n, sizeof *list);
    int32_t *order = rs_alloc(n, sizeof *order);
    uint8_t *marked = rs_zalloc(count, 1);
    reshed_status st = RESHED_OK;
    if (!at || !list || !order || !marked) {
        st = rs_fail_nomem(err, "a route", n * 32 + count);
        goto done;
    }
    for (size_t i = 0; i < n; i++) {
        rs_pixel p = job->points.p[i].at;
        at[i] = (rs_xy){p.col, -p.row};
        marked[(size_t)p.row * (size_t)job->grid.width + (size_t)p.col] = 1;
    }
    job->route_px = rs_route_length(at, job->points.n, NULL, &job->route_longest_px);
    for (size_t i = 0; i < count; i++) { /* argwhere's order, each place once */
        if (!marked[i]) continue;
        list[k] = (rs_pixel){(int32_t)(i / (size_t)job->grid.width),
                             (int32_t)(i % (size_t)job->grid.width)};
        at[k] = (rs_xy){list[k].col, -list[k].row};
        k++;
    }
    st = rs_route_author(list, (int)k, job->grid.height, job->grid.width, order, err);
    if (st == RESHED_OK)
        job->author_px = rs_route_length(at, (int)k, order, &job->author_longest_px);
done:
    rs_free(marked);
    rs_free(order);
    rs_free(list);
    rs_free(at);
    return st;
}

static reshed_status choose_points(walls_job *job, double spacing, double distance,
                                   const rs_exclusion *exclude, reshed_error *err)
{
    const walls_request *r = job->request;
    reshed_status st;
    if (r->order == WALLS_ROUTE)
        st = rs_select_even(&job->graph, spacing, exclude, &job->points, err);
    else if (r->order == WALLS_AUTHOR)
        st = rs_select_author(&job->graph, (int)r->every, exclude, &job->points, err);
    else
        st = rs_select_raster(&job->graph, (int)r->every, exclude, &job->points, err);
    if (st == RESHED_OK) st = add_controls(job, distance, exclude, err);
    if (st == RESHED_OK && r->order == WALLS_ROUTE) {
        rs_xy start = {r->start[1] * job->grid.dx, -r->start[0] * job->grid.dy};
        st = rs_route_points(&job->grid, r->has_start ? &start : NULL, &job->points, err);
    }
    return st != RESHED_OK ? st : compare_routes(job, err);
}

bool walls_make_points(walls_job *job)
{
    const walls_request *r = job->request;
    reshed_error err = {0};
    uint8_t *rows = NULL;
    walls_length every = {(double)r->every, false};
    double spacing = walls_length_of(job, r->spacing.value > 0 ? r->spacing : every);
    double distance = walls_length_of(job, r->control_distance);
    rs_exclusion exclude = {.margin = walls_length_of(job, r->margin),
                            .variance = isnan(r->max_variance) ? NULL : job->variance,
                            .variance_max = r->max_variance};
    reshed_status st = final_rows(job, &rows, &err);
    exclude.row_ok = rows;
    if (st == RESHED_OK) st = choose_points(job, spacing, distance, &exclude, &err);
    rs_free(rows);
    return st == RESHED_OK || fail(job, &err);
}

bool walls_write_skeleton(const walls_job *job)
{
    const char *path = job->request->skeleton;
    size_t dims[2] = {(size_t)job->grid.height, (size_t)job->grid.width};
    reshed_error err = {0};
    if (!path || rs_npy_write(path, RS_NPY_U1, 2, dims, job->graph.skeleton, &err) == RESHED_OK)
        return true;
    cli_fail(job->program, path, &err);
    return false;
}

bool walls_write_picture(const walls_job *job)
{
    const char *path = job->request->png;
    size_t n = rs_grid_count(&job->grid), points = (size_t)job->points.n;
    reshed_error err = {0};
    rs_rgb8 picture = {0};
    if (!path) return true;
    float *lines = rs_alloc(n, sizeof *lines);
    double *x = rs_alloc(points, 2 * sizeof *x);
    reshed_status st = RESHED_OK;
    if (!lines || !x) {
        st = rs_fail_nomem(&err, "a picture", n * sizeof *lines);
        goto done;
    }
    for (size_t i = 0; i < n; i++) lines[i] = job->graph.skeleton[i];
    for (size_t i = 0; i < points; i++) {
        x[i] = job->points.p[i].at.col;
        x[points + i] = job->points.p[i].at.row;
    }
    rs_render_options o;
    rs_render_options_defaults(&o);
    o.dx = job->sized ? job->grid.dx : 0;
    o.dy = job->sized ? job->grid.dy : 0;
    o.min_width = 1024;
    o.colour_bar = false; /* the red layer is a skeleton: there or not */
    o.x = x;
    o.y = x + points;
    o.points = job->points.n;
    st = rs_render_overlay(job->amplitude ? job->amplitude : job->map, lines, job->grid.height,
                           job->grid.width, &o, &picture, &err);
    if (st == RESHED_OK)
        st = rs_png_write(path, RS_PNG_RGB8, picture.height, picture.width, picture.data, &err);
done:
    rs_rgb8_clear(&picture);
    rs_free(x);
    rs_free(lines);
    if (st == RESHED_OK) return true;
    cli_fail(job->program, path, &err);
    return false;
}
