#include "tools/walls/input.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "io/image_file.h"
#include "io/walls_read.h"

static bool fail(const walls_job *job, const char *path, const reshed_error *err)
{
    cli_fail(job->program, path, err);
    return false;
}

/* The map's own file: a wall map of reshed-infer, which brings variance and image along, or any
 * image. */
static bool read_map(walls_job *job)
{
    const char *path = job->request->map;
    reshed_error err = {0};
    rs_walls_map walls = {0};
    rs_image image = {0};
    reshed_status st = rs_walls_read(path, &walls, &err);
    if (st == RESHED_OK) {
        job->map = walls.mean;
        job->variance = walls.variance;
        job->amplitude = walls.input;
        job->grid = (rs_grid){walls.height, walls.width, walls.dx, walls.dy};
        return true;
    }
    if (st == RESHED_ENOMEM) return fail(job, path, &err);
    st = rs_image_read(path, job->request->channel, &image, &err);
    if (st != RESHED_OK) return fail(job, path, &err);
    job->map = image.data;
    job->grid = (rs_grid){image.height, image.width, image.dx, image.dy};
    return true;
}

static bool settle_scale(walls_job *job)
{
    const double *given = job->request->pixel_size;
    reshed_error err = {0};
    if (given[0] > 0) {
        job->grid.dx = given[0];
        job->grid.dy = given[1];
    }
    job->sized = job->grid.dx > 0 && job->grid.dy > 0;
    if (!job->sized) job->grid.dx = job->grid.dy = 1;
    rs_coords_frame frame = {.rows = job->grid.height,
                             .cols = job->grid.width,
                             .width = job->grid.width * job->grid.dx,
                             .height = job->grid.height * job->grid.dy,
                             .rule = job->request->rule};
    if (frame.rule == RS_PIXEL_INCLUSIVE) {
        frame.width -= job->grid.dx;
        frame.height -= job->grid.dy;
    }
    rs_device device = rs_device_normalised();
    reshed_status st = rs_grid_check(&job->grid, &err);
    if (st == RESHED_OK) st = rs_coords_init(&job->coords, &frame, &device, &err);
    return st == RESHED_OK || fail(job, job->request->map, &err);
}

/* Replaces *out by another image of the map's size; unit (may be NULL) receives its unit. */
static bool read_companion(walls_job *job, const char *path, float **out, char unit[16])
{
    reshed_error err = {0};
    rs_image image = {0};
    if (!path) return true;
    if (rs_image_read(path, job->request->channel, &image, &err) != RESHED_OK &&
        (!job->request->channel || rs_image_read(path, NULL, &image, &err) != RESHED_OK))
        return fail(job, path, &err);
    if (image.height != job->grid.height || image.width != job->grid.width) {
        rs_fail(&err, RESHED_EINVAL, "size of the image|that of the map, %d x %d|%d x %d",
                job->grid.height, job->grid.width, image.height, image.width);
        rs_image_clear(&image);
        return fail(job, path, &err);
    }
    if (unit) memcpy(unit, image.unit, sizeof image.unit);
    rs_free(*out);
    *out = image.data;
    return true;
}

static bool read_phase(walls_job *job)
{
    char unit[16] = "";
    if (!read_companion(job, job->request->phase, &job->phase, unit)) return false;
    if (job->phase && strcmp(unit, "rad") != 0)
        for (size_t i = 0; i < rs_grid_count(&job->grid); i++) job->phase[i] *= (float)RS_DEGREE;
    return true;
}

static bool read_in_plane(walls_job *job)
{
    float *image = NULL;
    size_t n = rs_grid_count(&job->grid);
    reshed_error err = {0};
    if (!job->request->in_plane) return true;
    if (!read_companion(job, job->request->in_plane, &image, NULL)) return false;
    job->in_plane = rs_alloc(n, 1);
    for (size_t i = 0; job->in_plane && i < n; i++) job->in_plane[i] = image[i] > 0;
    rs_free(image);
    if (job->in_plane) return true;
    rs_fail_nomem(&err, "a mask", n);
    return fail(job, job->request->in_plane, &err);
}

bool walls_read_input(walls_job *job)
{
    return read_map(job) && settle_scale(job) &&
           read_companion(job, job->request->variance, &job->variance, NULL) &&
           read_companion(job, job->request->amplitude, &job->amplitude, NULL) && read_phase(job) &&
           read_in_plane(job);
}
