#include "tools/walls/work.h"

#include <math.h>

#include "base/alloc.h"
#include "imgproc/figures/render.h"
#include "io/npy.h"
#include "report/map_figures.h"
#include "report/save.h"

const char *walls_unit(const walls_job *job)
{
    return job->sized ? "m" : "px";
}

void walls_job_clear(walls_job *job)
{
    rs_free(job->map);
    rs_free(job->variance);
    rs_free(job->amplitude);
    rs_free(job->phase);
    rs_free(job->in_plane);
    rs_free(job->likeliest);
    rs_found_clear(&job->found);
    rs_wall_tests_clear(&job->tests);
    rs_free(job->final);
    rs_session_finish(job->session, RESHED_OK, NULL);
}

/* The rows that are final, [height]; *out is owned by the caller, NULL when all are. */
static reshed_status final_rows(const walls_job *job, uint8_t **out, reshed_error *err)
{
    const long *rows = job->request->rows;
    if (rows[0] < 0) return RESHED_OK;
    *out = rs_alloc((size_t)job->grid.height, 1);
    if (!*out) return rs_fail_nomem(err, "rows", (size_t)job->grid.height);
    for (int i = 0; i < job->grid.height; i++) (*out)[i] = i >= rows[0] && i <= rows[1];
    return RESHED_OK;
}

static void warn_of_controls(const walls_job *job)
{
    for (int k = 0; k < RS_FIND_CONTROLS; k++) {
        const int wanted = job->request->find.control[k], got = job->found.controls[k];
        if (got < wanted)
            cli_warn(job->program, job->request->map, "room for %d of %d %s control points", got,
                     wanted, rs_point_kind_name((rs_point_kind)(RS_POINT_A_DOMAIN + k)));
    }
}

static void warn_of_nothing(const walls_job *job)
{
    if (job->found.mask_pixels > 0 || job->request->quiet) return;
    cli_warn(job->program, job->request->map, "no pixel is above %.3g (values from %.3g to %.3g)",
             job->found.threshold, (double)job->lo, (double)job->hi);
}

bool walls_find(walls_job *job)
{
    const walls_request *r = job->request;
    reshed_error err = {0};
    uint8_t *rows = NULL;
    reshed_status st = final_rows(job, &rows, &err);
    const rs_find_input in = {.grid = job->grid,
                              .map = job->map,
                              .sure = r->threshold_given ? NULL : job->likeliest,
                              .variance = job->variance,
                              .amplitude = job->amplitude,
                              .phase = job->phase,
                              .wall_rows = job->final,
                              .point_rows = rows ? rows : job->final,
                              .start = r->has_start ? r->start : NULL};
    if (st == RESHED_OK) st = rs_find(&in, &r->find, &job->found, &err);
    if (st == RESHED_OK) warn_of_nothing(job);
    if (st == RESHED_OK) warn_of_controls(job);
    if (st == RESHED_OK) st = rs_compare_routes(&job->grid, &job->found.points, &job->route, &err);
    rs_free(rows);
    if (st != RESHED_OK) cli_fail(job->program, r->map, &err);
    return st == RESHED_OK;
}

bool walls_write_skeleton(const walls_job *job)
{
    const char *path = job->request->skeleton;
    size_t dims[2] = {(size_t)job->grid.height, (size_t)job->grid.width};
    reshed_error err = {0};
    if (!path ||
        rs_npy_write(path, RS_NPY_U1, 2, dims, job->found.graph.skeleton, &err) == RESHED_OK)
        return true;
    cli_fail(job->program, path, &err);
    return false;
}

bool walls_write_picture(const walls_job *job)
{
    const char *path = job->request->png;
    size_t n = rs_grid_count(&job->grid), points = (size_t)job->found.points.n;
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
    for (size_t i = 0; i < n; i++) lines[i] = job->found.graph.skeleton[i];
    for (size_t i = 0; i < points; i++) {
        x[i] = job->found.points.p[i].at.col;
        x[points + i] = job->found.points.p[i].at.row;
    }
    rs_render_options o;
    rs_render_options_defaults(&o);
    o.dx = job->sized ? job->grid.dx : 0;
    o.dy = job->sized ? job->grid.dy : 0;
    o.min_width = 1024;
    o.colour_bar = false; /* the red layer is a skeleton: there or not */
    o.x = x;
    o.y = x + points;
    o.points = job->found.points.n;
    st = rs_render_overlay(job->amplitude ? job->amplitude : job->map, lines, job->grid.height,
                           job->grid.width, &o, &picture, &err);
    st = rs_report_save(st, &picture, RS_PNG_RGB8, path, &err);
done:
    rs_free(x);
    rs_free(lines);
    if (st == RESHED_OK) return true;
    cli_fail(job->program, path, &err);
    return false;
}

bool walls_write_figure(const walls_job *job)
{
    const char *path = job->request->figure;
    const rs_mapped in = {.height = job->grid.height,
                          .width = job->grid.width,
                          .dx = job->sized ? job->grid.dx : 0,
                          .dy = job->sized ? job->grid.dy : 0,
                          .image = job->amplitude,
                          .wall = job->map,
                          .channel = job->channel};
    rs_figure *f = NULL;
    reshed_error err = {0};
    if (!path) return true;
    reshed_status st = rs_walls_figure(&in, &job->found, &f, &err);
    if (st == RESHED_OK) rs_figure_paper(f, &job->request->paper);
    if (rs_report_save_figure(st, f, path, &err) == RESHED_OK) return true;
    cli_fail(job->program, path, &err);
    return false;
}
