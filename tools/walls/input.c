#include "tools/walls/input.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/text.h"
#include "io/classes.h"
#include "io/image_file.h"
#include "io/phase.h"
#include "io/walls_read.h"
#include "report/recipe.h"
#include "tools/walls/options.h"

static bool fail(const walls_job *job, const char *path, const reshed_error *err)
{
    cli_fail(job->program, path, err);
    return false;
}

static void warn(const walls_job *job, const char *path, const char *text)
{
    if (!job->request->quiet) cli_warn(job->program, path, "%s", text);
}

/* True for values that a probability can have, and for masks: two values, the lower one 0. */
static bool may_be_walls(const float *v, size_t n, float lo, float hi)
{
    if (lo >= -1e-3f && hi <= 1 + 1e-3f) return true;
    for (size_t i = 0; i < n; i++)
        if (v[i] != 0 && v[i] != hi && isfinite(v[i])) return false;
    return true;
}

/* A map that cannot be one of probabilities is most likely another channel. A threshold that was
 * given is one of its values, and the default is not. */
static bool look_at_values(const walls_job *job, const char *unit, bool labels)
{
    const walls_request *r = job->request;
    const size_t n = rs_grid_count(&job->grid);
    float lo = INFINITY, hi = -INFINITY;
    char shown[64] = "", escaped[48];
    reshed_error err = {0};
    if (*unit) snprintf(shown, sizeof shown, " %s", rs_text_escape(escaped, sizeof escaped, unit));
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(job->map[i])) continue;
        lo = fminf(lo, job->map[i]);
        hi = fmaxf(hi, job->map[i]);
    }
    if (labels || (may_be_walls(job->map, n, lo, hi) && !rs_unit_is_physical(unit))) return true;
    if (r->threshold_given) {
        if (!r->quiet)
            cli_warn(job->program, r->map,
                     "the values, from %g to %g%s, do not look like probabilities of a wall",
                     (double)lo, (double)hi, shown);
        return true;
    }
    rs_fail(&err, RESHED_EINVAL,
            "values of the map|probabilities of a wall, 0 to 1 (--channel chooses; --threshold, in "
            "their unit, takes others)|%g to %g%s",
            (double)lo, (double)hi, shown);
    return fail(job, r->map, &err);
}

/* Says which class is not wall where nobody chose. */
static void warn_of_classes(const walls_job *job)
{
    if (job->classes > 1 && job->request->wall_class < 0 && !job->request->quiet)
        cli_warn(job->program, job->request->map,
                 "%d classes: all but the first are taken as wall (--class chooses one)",
                 job->classes);
}

/* A map of one layer that holds numbers of classes. *labels: it does, more than a mask. */
static bool settle_labels(walls_job *job, bool *labels)
{
    bool present[RS_CLASSES_LABELS];
    const size_t n = rs_grid_count(&job->grid);
    reshed_error err = {0};
    const int most = rs_classes_labels(job->map, n, present);
    *labels = most > 1;
    if (job->request->wall_class >= 0) {
        if (rs_classes_mark(job->map, n, job->request->wall_class, &err) != RESHED_OK)
            return fail(job, job->request->map, &err);
        job->classes = most + 1;
    } else if (*labels && !job->request->quiet) {
        cli_warn(job->program, job->request->map,
                 "the values look like classes 0 to %d (--class chooses the one that is wall)",
                 most);
    }
    return true;
}

/* Variance, amplitude and phase of a session, as its scan took them. */
static void read_of_session(walls_job *job)
{
    static const rs_session_map map[3] = {RS_SESSION_VARIANCE, RS_SESSION_AMPLITUDE,
                                          RS_SESSION_PHASE};
    float **out[3] = {&job->variance, &job->amplitude, &job->phase};
    for (int i = 0; i < 3; i++) {
        float *values = rs_alloc(rs_grid_count(&job->grid), sizeof *values);
        if (values && rs_session_read_map(job->session, map[i], 0, job->grid.height, values,
                                          NULL) == RESHED_OK) {
            *out[i] = values;
            continue;
        }
        rs_free(values);
    }
}

/* Variance and amplitude from the file of the map, where it has them. */
static void read_beside(walls_job *job, const char *path)
{
    const rs_frame *frame = job->session ? &rs_session_get_setup(job->session)->frame : NULL;
    if (frame && frame->rows == job->grid.height && frame->cols == job->grid.width) {
        read_of_session(job);
        return;
    }
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

static reshed_status mark_likeliest(walls_job *job, const rs_classes *c, reshed_error *err)
{
    const size_t n = (size_t)c->height * (size_t)c->width;
    job->likeliest = rs_alloc(n, 1);
    if (!job->likeliest) return rs_fail_nomem(err, "a map of classes", n);
    rs_classes_likeliest(c, job->request->wall_class, job->likeliest);
    return RESHED_OK;
}

/* A NPY array with a layer for each class. *found: the file is one. */
static bool read_classes(walls_job *job, bool *found)
{
    const walls_request *r = job->request;
    reshed_error err = {0};
    rs_classes c = {0};
    reshed_status st = rs_classes_read(r->map, &c, &err);
    *found = st != RESHED_OK || c.classes > 0;
    if (st == RESHED_OK && !*found) return true;
    if (st == RESHED_OK && !c.whole && r->wall_class < 0)
        st = rs_fail(&err, RESHED_EINVAL,
                     "array of %d layers|classes whose probabilities add up to 1, --class=N for "
                     "the layer that is wall, or --frame=N or all for a stack|other values",
                     c.classes);
    if (st == RESHED_OK) st = rs_classes_take(&c, r->wall_class, &job->map, &err);
    if (st == RESHED_OK && c.whole && r->wall_class >= 0) st = mark_likeliest(job, &c, &err);
    if (st == RESHED_OK) {
        job->grid = (rs_grid){.height = c.height, .width = c.width};
        job->classes = c.classes;
        for (size_t i = 0; r->wall_class < 0 && i < rs_grid_count(&job->grid); i++)
            job->map[i] = 1 - job->map[i];
    }
    rs_classes_clear(&c);
    return st == RESHED_OK || fail(job, r->map, &err);
}

/* The map's own file: a wall map of reshed-infer, which brings variance and image along, a session,
 * which holds them as channels, or any image. */
static bool read_map(walls_job *job)
{
    const char *path = job->request->map;
    reshed_error err = {0};
    rs_walls_map walls = {0};
    rs_image image = {0};
    bool layers, labels;
    reshed_status st = rs_walls_read_class(path, job->request->wall_class, &walls, &err);
    if (st == RESHED_OK) {
        job->classes = walls.classes;
        job->map = walls.mean;
        job->variance = walls.variance;
        job->amplitude = walls.input;
        job->likeliest = walls.likeliest;
        job->phase = walls.phase;
        job->grid = (rs_grid){walls.height, walls.width, walls.dx, walls.dy};
        memcpy(job->channel, walls.channel, sizeof job->channel);
        if (walls.classes == 1 && job->request->wall_class >= 0)
            return settle_labels(job, &labels); /* which fails: these are probabilities */
        warn_of_classes(job);
        return true;
    }
    if (st == RESHED_ENOMEM || st == RESHED_EINVAL) return fail(job, path, &err);
    layers = false; /* a frame that is asked for is no class */
    if (job->request->of_stack == RS_FRAME_ONLY && !read_classes(job, &layers)) return false;
    if (layers) {
        warn_of_classes(job);
        return look_at_values(job, "", false);
    }
    st = rs_image_read_frame(path, job->request->channel, RS_QUANTITY_WALLS, job->request->of_stack,
                             &image, &err);
    if (st != RESHED_OK) return fail(job, path, &err);
    job->frames = image.frames;
    job->map = image.data;
    job->classes = 1;
    job->grid = (rs_grid){image.height, image.width, image.dx, image.dy};
    job->cx = image.x0;
    job->cy = image.y0;
    job->angle = image.angle * RS_DEGREE;
    memcpy(job->channel, image.channel, sizeof job->channel);
    if (image.note[0]) warn(job, path, image.note);
    read_beside(job, path);
    return settle_labels(job, &labels) && look_at_values(job, image.unit, labels);
}

/* Where a session's frame lies. */
static void frame_of_session(walls_job *job, const rs_session *s)
{
    const rs_frame *f = &rs_session_get_setup(s)->frame;
    job->cx = f->cx;
    job->cy = f->cy;
    job->angle = f->angle;
    job->tiled = true;
}

static rs_pixel_rule rule_of(const walls_job *job)
{
    const walls_request *r = job->request;
    return job->tiled && !r->rule_typed ? RS_PIXEL_CENTRED : r->rule;
}

/* Of another file, for a map that does not say: its place, and its size where that is not known. */
static bool read_frame_of(walls_job *job)
{
    const char *path = job->request->frame_of;
    reshed_error err = {0};
    rs_session *s = NULL;
    rs_image im = {0};
    double width, height; /* from edge to edge */
    if (!path) return true;
    if (rs_session_open(path, &s, NULL) == RESHED_OK) {
        const rs_frame *f = &rs_session_get_setup(s)->frame;
        frame_of_session(job, s);
        width = f->width;
        height = f->height;
        rs_session_finish(s, RESHED_OK, NULL);
    } else if (rs_image_read(path, NULL, &im, &err) == RESHED_OK ||
               rs_image_read(path, "0", &im, &err) == RESHED_OK) {
        job->cx = im.x0;
        job->cy = im.y0;
        job->angle = im.angle * RS_DEGREE;
        const int ends = rule_of(job) == RS_PIXEL_INCLUSIVE; /* its outer pixels lie on the edges */
        width = (im.width - ends) * im.dx;
        height = (im.height - ends) * im.dy;
        rs_image_clear(&im);
    } else {
        return fail(job, path, &err);
    }
    if (!(job->grid.dx > 0) && width > 0 && height > 0) {
        const int ends = rule_of(job) == RS_PIXEL_INCLUSIVE;
        job->grid.dx = width / fmax(job->grid.width - ends, 1);
        job->grid.dy = height / fmax(job->grid.height - ends, 1);
    }
    return true;
}

static bool settle_scale(walls_job *job)
{
    const double *given = job->request->pixel_size;
    reshed_error err = {0};
    if (job->session) frame_of_session(job, job->session);
    if (!read_frame_of(job)) return false;
    if (given[0] > 0) {
        job->grid.dx = given[0];
        job->grid.dy = given[1];
    }
    job->sized = job->grid.dx > 0 && job->grid.dy > 0;
    if (!job->sized) job->grid.dx = job->grid.dy = 1;
    if (!job->sized) job->cx = job->cy = 0; /* pixels are no metres */
    rs_coords_frame frame = {.cx = job->cx,
                             .cy = job->cy,
                             .angle = job->angle,
                             .rows = job->grid.height,
                             .cols = job->grid.width,
                             .width = job->grid.width * job->grid.dx,
                             .height = job->grid.height * job->grid.dy,
                             .rule = rule_of(job)};
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
    int frame = job->frames > 1 ? job->request->of_stack : RS_FRAME_ONLY, frames = 1;
    /* The same frame of a stack; an image stands for all. */
    if (frame >= 0 && rs_image_frames(path, NULL, quantity, &frames, &err) != RESHED_OK)
        return fail(job, path, &err);
    if (frames <= 1) frame = RS_FRAME_ONLY;
    if ((!channel ||
         rs_image_read_frame(path, channel, quantity, frame, &image, &err) != RESHED_OK) &&
        rs_image_read_frame(path, NULL, quantity, frame, &image, &err) != RESHED_OK)
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

/* The variance of the class that is wall, where its array has a layer for each. */
static bool read_variance(walls_job *job)
{
    const char *path = job->request->variance;
    reshed_error err = {0};
    rs_classes c = {0};
    float *map = NULL;
    if (!path) return true;
    reshed_status st = job->frames > 1 ? RESHED_OK : rs_classes_read(path, &c, &err);
    if (st == RESHED_OK && c.classes == 0)
        return read_companion(job, path, RS_QUANTITY_WALL_VARIANCE, &job->variance, NULL);
    if (st == RESHED_OK) st = rs_classes_match(&c, job->grid.height, job->grid.width, &err);
    if (st == RESHED_OK) st = rs_classes_take(&c, job->request->wall_class, &map, &err);
    rs_classes_clear(&c);
    if (st != RESHED_OK) return fail(job, path, &err);
    rs_free(job->variance);
    job->variance = map;
    return true;
}

static bool read_phase(walls_job *job)
{
    const char *path = job->request->phase;
    rs_image image = {.height = job->grid.height, .width = job->grid.width};
    if (!read_companion(job, path, RS_QUANTITY_PHASE, &job->phase, image.unit)) return false;
    if (!path) return true;
    image.data = job->phase;
    rs_phase_to_radians(&image);
    if (image.note[0]) warn(job, path, image.note);
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

/* A pixel without a finite value is no wall, which is said; a map of nothing else is none. */
static bool look_for_gaps(walls_job *job)
{
    const size_t n = rs_grid_count(&job->grid);
    reshed_error err = {0};
    job->lo = INFINITY;
    job->hi = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(job->map[i])) {
            job->map[i] = NAN;
            job->undefined++;
            continue;
        }
        job->lo = fminf(job->lo, job->map[i]);
        job->hi = fmaxf(job->hi, job->map[i]);
    }
    if ((size_t)job->undefined == n) {
        rs_fail(&err, RESHED_EINVAL, "values of the map|probabilities of a wall|no finite value");
        return fail(job, job->request->map, &err);
    }
    if (job->undefined && !job->request->quiet)
        cli_warn(job->program, job->request->map,
                 "%d of %zu pixels have no finite value and are taken as no wall", job->undefined,
                 n);
    return true;
}

/* A session's walls are those of its own scan: its settings, and its final rows. */
bool walls_open_session(walls_job *job, walls_request *r)
{
    reshed_error err = {0};
    rs_find_options recipe;
    const reshed_status opened = rs_session_open(r->map, &job->session, NULL);
    if (opened != RESHED_OK) return true;
    const rs_session_setup *setup = rs_session_get_setup(job->session);
    rs_report_recipe(setup, &recipe);
    walls_take_recipe(r, &recipe);
    job->final = rs_alloc((size_t)setup->frame.rows, 1);
    if (!job->final) {
        rs_fail_nomem(&err, "rows", (size_t)setup->frame.rows);
        return fail(job, r->map, &err);
    }
    if (rs_report_final_rows(job->session, job->final, &err) == RESHED_OK) return true;
    return fail(job, r->map, &err);
}

bool walls_read_input(walls_job *job)
{
    return read_map(job) && look_for_gaps(job) && settle_scale(job) && read_variance(job) &&
           read_companion(job, job->request->amplitude, RS_QUANTITY_AMPLITUDE, &job->amplitude,
                          NULL) &&
           read_phase(job) && read_in_plane(job);
}
