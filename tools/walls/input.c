#include "tools/walls/input.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/text.h"
#include "io/image_file.h"
#include "io/walls_read.h"

static bool fail(const walls_job *job, const char *path, const reshed_error *err)
{
    cli_fail(job->program, path, err);
    return false;
}

static void warn(const walls_job *job, const char *path, const char *text)
{
    if (!job->request->quiet) cli_warn(job->program, path, "%s", text);
}

/* A map that cannot be one of probabilities is most likely another channel. */
static void look_at_values(const walls_job *job, const rs_image *im)
{
    const size_t n = (size_t)im->height * (size_t)im->width;
    float lo = INFINITY, hi = -INFINITY;
    char unit[64], text[256];
    for (size_t i = 0; i < n; i++) {
        lo = fminf(lo, im->data[i]);
        hi = fmaxf(hi, im->data[i]);
    }
    if (!(lo < -1e-3f || hi > 255.5f) && !rs_unit_is_physical(im->unit)) return;
    snprintf(text, sizeof text,
             "the values, from %g to %g %s, do not look like probabilities of a wall (--channel "
             "chooses)",
             (double)lo, (double)hi, rs_text_escape(unit, sizeof unit, im->unit));
    warn(job, job->request->map, text);
}

/* Variance and amplitude from the file of the map, where it has them. */
static void read_beside(walls_job *job, const char *path)
{
    const struct {
        rs_quantity quantity;
        float **out;
    } want[] = {{RS_QUANTITY_WALL_VARIANCE, &job->variance},
                {RS_QUANTITY_AMPLITUDE, &job->amplitude}};
    rs_channels list = {0};
    if (rs_image_list(path, &list, NULL) != RESHED_OK) return;
    for (size_t i = 0; list.n > 1 && i < sizeof want / sizeof *want; i++) {
        rs_image image = {0};
        if (rs_channel_default(&list, want[i].quantity, NULL) < 0 ||
            rs_image_read_quantity(path, NULL, want[i].quantity, &image, NULL) != RESHED_OK)
            continue;
        if (image.height == job->grid.height && image.width == job->grid.width)
            *want[i].out = image.data;
        else
            rs_image_clear(&image);
    }
    rs_channels_clear(&list);
}

/* The map's own file: a wall map of reshed-infer, which brings variance and image along, a session,
 * which holds them as channels, or any image. */
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
        memcpy(job->channel, walls.channel, sizeof job->channel);
        return true;
    }
    if (st == RESHED_ENOMEM) return fail(job, path, &err);
    st = rs_image_read_quantity(path, job->request->channel, RS_QUANTITY_WALLS, &image, &err);
    if (st != RESHED_OK) return fail(job, path, &err);
    job->map = image.data;
    job->grid = (rs_grid){image.height, image.width, image.dx, image.dy};
    memcpy(job->channel, image.channel, sizeof job->channel);
    if (image.note[0]) warn(job, path, image.note);
    look_at_values(job, &image);
    read_beside(job, path);
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

/* Replaces *out by another image of the map's size: the channel that was asked for, else that which
 * shows `quantity`; unit (may be NULL) receives its unit. */
static bool read_companion(walls_job *job, const char *path, rs_quantity quantity, float **out,
                           char unit[16])
{
    reshed_error err = {0};
    rs_image image = {0};
    if (!path) return true;
    const char *channel = job->request->channel;
    if ((!channel || rs_image_read(path, channel, &image, &err) != RESHED_OK) &&
        rs_image_read_quantity(path, NULL, quantity, &image, &err) != RESHED_OK)
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
    if (!read_companion(job, job->request->phase, RS_QUANTITY_PHASE, &job->phase, unit))
        return false;
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
    if (!read_companion(job, job->request->in_plane, RS_QUANTITY_WALLS, &image, NULL)) return false;
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
           read_companion(job, job->request->variance, RS_QUANTITY_WALL_VARIANCE, &job->variance,
                          NULL) &&
           read_companion(job, job->request->amplitude, RS_QUANTITY_AMPLITUDE, &job->amplitude,
                          NULL) &&
           read_phase(job) && read_in_plane(job);
}
