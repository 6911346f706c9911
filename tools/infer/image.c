#include "tools/infer/image.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "imgproc/figures/render.h"
#include "io/image_file.h"
#include "io/npy.h"
#include "io/phase.h"
#include "io/walls_h5.h"
#include "report/map_figures.h"
#include "report/reliability.h"
#include "report/save.h"
#include "tools/infer/maps.h"

/* One image on its way. */
typedef struct job {
    infer_engine *engine;
    const infer_request *request;
    const char *path;
    rs_image image; /* as read */
    rs_image phase; /* data NULL: none */
    rs_frame_view maps;
    rs_signs signs; /* with phase: mean and wall of maps are its mean */
} job;

static bool fail(const job *j, const char *path, const reshed_error *err)
{
    cli_fail(j->engine->program, path, err);
    return false;
}

static bool infer(job *j)
{
    const rs_image *im = &j->image;
    reshed_error err = {0};
    reshed_status st = rs_image_read_frame(j->path, j->request->channel, RS_QUANTITY_AMPLITUDE,
                                           j->request->of_stack, &j->image, &err);
    if (st != RESHED_OK) return fail(j, j->path, &err);
    if (!j->engine->frame && !j->engine->load(j->engine)) {
        j->engine->failed = true;
        return false;
    }
    st = rs_frame_run(j->engine->frame, im->data, im->height, im->width, im->dx, im->dy, &err);
    if (st != RESHED_OK) return fail(j, j->path, &err);
    rs_frame_get(j->engine->frame, &j->maps);
    return true;
}

/* Goes on without a phase that nobody asked for. */
static bool leave_whole(job *j, const reshed_error *err)
{
    char reason[512];
    rs_image_clear(&j->phase);
    if (!j->request->quiet)
        cli_warn(j->engine->program, j->path,
                 "the walls are not parted by the phase (--phase chooses one): %s",
                 reshed_error_text(err, reason, sizeof reason));
    return true;
}

/* Parts the walls by the phase, where there is one. Maps of several classes stay whole: the classes
 * are what the network was taught. */
static bool part_walls(job *j)
{
    const infer_request *q = j->request;
    const rs_image *im = &j->image;
    reshed_error err = {0};
    if (q->no_phase || (j->maps.classes > 1 && !q->phase)) return true;
    if (j->maps.classes > 1) {
        rs_fail(&err, RESHED_EINVAL, "--phase|an ensemble of one class|%d classes",
                j->maps.classes);
        return fail(j, j->path, &err);
    }
    reshed_status st = rs_phase_read(j->path, q->phase, im->channel,
                                     im->frames > 1 ? im->frame : RS_FRAME_ONLY, &j->phase, &err);
    if (st == RESHED_OK && !j->phase.data) return true;
    if (st == RESHED_OK && (j->phase.height != im->height || j->phase.width != im->width))
        st = rs_fail(&err, RESHED_EINVAL, "size of the phase|%d x %d as the amplitude|%d x %d",
                     im->height, im->width, j->phase.height, j->phase.width);
    if (st != RESHED_OK && st != RESHED_ENOMEM && !q->phase) return leave_whole(j, &err);
    if (st == RESHED_OK)
        st = rs_signs_make(&j->maps, j->phase.data, q->frame.threshold, &j->signs, &err);
    if (st != RESHED_OK) return fail(j, j->path, &err);
    if (j->phase.note[0] && !q->quiet) cli_warn(j->engine->program, j->path, "%s", j->phase.note);
    j->maps.mean = j->maps.wall = j->signs.mean;
    return true;
}

/* Warns of gaps, another grid, and frames unlike those of training. */
static void warn(const job *j)
{
    const rs_frame_view *v = &j->maps;
    const cli_program *program = j->engine->program;
    if (j->request->quiet) return;
    if (j->image.note[0]) cli_warn(program, j->path, "%s", j->image.note);
    if (v->filled)
        cli_warn(program, j->path,
                 "%zu pixels without a finite value were filled from their neighbours", v->filled);
    if (*v->resampled)
        cli_warn(program, j->path, "resampled from %d x %d to %d x %d (%s)", v->height, v->width,
                 v->input_height, v->input_width, v->resampled);
    if (v->contrast != RS_CONTRAST_SEEN)
        cli_warn(program, j->path, "%s (values from %g to %g): do not trust the maps",
                 rs_contrast_text(v->contrast), (double)v->range.lo, (double)v->range.hi);
    else if (v->alarm)
        cli_warn(program, j->path,
                 "unlike the frames that the networks were trained on (score %.2f, usual up to "
                 "%.2f): do not trust the maps",
                 v->ood_score, v->ood_threshold);
}

/* -------------------------------------------------------------------------------------- scoring */

static bool score(const job *j, infer_result *r)
{
    const int h = j->maps.height, w = j->maps.width;
    const size_t n = (size_t)h * (size_t)w;
    const char *at = j->request->truth;
    reshed_error err = {0};
    rs_image truth = {0};
    rs_calibration calibration;
    uint8_t *label = NULL;
    reshed_status st = rs_image_read_quantity(at, NULL, RS_QUANTITY_WALLS, &truth, &err);
    if (st == RESHED_OK && (truth.height != h || truth.width != w))
        st = rs_fail(&err, RESHED_EINVAL, "size of the label|%d x %d as the image|%d x %d", h, w,
                     truth.height, truth.width);
    if (st != RESHED_OK) goto done;
    if (!(label = rs_alloc(n, 1))) {
        st = rs_fail_nomem(&err, "scoring", n);
        goto done;
    }
    for (size_t i = 0; i < n; i++) label[i] = truth.data[i] > 0.0f;
    st = rs_wall_scores_of_map(j->maps.wall, label, h, w, &r->scores, &calibration, &err);
    if (st == RESHED_OK && j->request->reliability) {
        at = j->request->reliability;
        st = rs_report_reliability(at, &calibration, NULL, &err);
    }
done:
    r->scored = st == RESHED_OK;
    rs_free(label);
    rs_image_clear(&truth);
    return st == RESHED_OK ? true : fail(j, at, &err);
}

/* -------------------------------------------------------------------------------------- writing */

static bool write_npy(const job *j, const char *path, const float *map)
{
    const size_t dims[3] = {(size_t)j->maps.height, (size_t)j->maps.width, (size_t)j->maps.classes};
    reshed_error err = {0};
    if (rs_npy_write(path, RS_NPY_F4, dims[2] > 1 ? 3 : 2, dims, map, &err) != RESHED_OK)
        return fail(j, path, &err);
    return true;
}

static bool write_wall180(const job *j, const char *path)
{
    const size_t dims[2] = {(size_t)j->maps.height, (size_t)j->maps.width};
    reshed_error err = {0};
    reshed_status st = RESHED_OK;
    if (!j->signs.wall180)
        st = rs_fail(&err, RESHED_EINVAL, "--wall180|a phase channel, which tells such walls|none");
    if (st == RESHED_OK) st = rs_npy_write(path, RS_NPY_F4, 2, dims, j->signs.wall180, &err);
    return st == RESHED_OK || fail(j, st == RESHED_EINVAL ? j->path : path, &err);
}

static bool write_h5(const job *j, const char *path)
{
    static const char *const norm[] = {
        [RS_FRAME_MIN_MAX] = "frame", [RS_FRAME_ROBUST] = "robust", [RS_FRAME_FIXED] = "range"};
    const rs_image *im = &j->image;
    const rs_frame_options *o = &j->request->frame;
    const rs_walls_file f = {.height = im->height,
                             .width = im->width,
                             .classes = j->maps.classes,
                             .mean = j->maps.mean,
                             .variance = j->maps.variance,
                             .input = j->maps.image,
                             .dx = im->dx,
                             .dy = im->dy,
                             .x0 = im->x0,
                             .y0 = im->y0,
                             .lo = (double)j->maps.range.lo,
                             .hi = (double)j->maps.range.hi,
                             .normalisation = norm[o->norm],
                             .precision = rs_precision_name(o->engine.precision),
                             .average = o->average,
                             .weights_checksum = j->engine->digest,
                             .program = j->engine->program->name,
                             .source = rs_path_name(j->path),
                             .channel = im->channel,
                             .phase = j->phase.data,
                             .wall180 = j->signs.wall180,
                             .phase_channel = j->phase.channel};
    reshed_error err = {0};
    if (rs_walls_write(path, &f, &err) != RESHED_OK) return fail(j, path, &err);
    return true;
}

static bool write_picture(const job *j, reshed_status st, rs_rgb8 *picture, const char *prefix,
                          const char *name, reshed_error *err)
{
    st = rs_report_save_named(st, picture, RS_PNG_RGB8, prefix, name, err);
    return st == RESHED_OK ? true : fail(j, prefix, err);
}

static bool write_pictures(const job *j, const char *prefix)
{
    const rs_frame_view *v = &j->maps;
    const int h = v->height, w = v->width;
    reshed_error err = {0};
    rs_render_options o;
    rs_rgb8 picture = {0};
    rs_render_options_defaults(&o);
    o.dx = j->image.dx;
    o.dy = j->image.dy;
    reshed_status st = rs_render_mean(v->wall, h, w, &o, &picture, &err);
    if (!write_picture(j, st, &picture, prefix, "mean", &err)) return false;
    st = rs_render_variance(v->wall_variance, h, w, &o, &picture, &err);
    if (!write_picture(j, st, &picture, prefix, "variance", &err)) return false;
    st = rs_render_overlay(v->image, v->wall, h, w, &o, &picture, &err);
    if (!write_picture(j, st, &picture, prefix, "overlay", &err)) return false;
    if (!j->signs.wall180) return true;
    st = rs_render_overlay(v->image, j->signs.wall180, h, w, &o, &picture, &err);
    return write_picture(j, st, &picture, prefix, "wall180", &err);
}

static bool write_figure(const job *j)
{
    const rs_frame_view *v = &j->maps;
    const rs_mapped in = {.height = v->height,
                          .width = v->width,
                          .dx = j->image.dx,
                          .dy = j->image.dy,
                          .image = v->image,
                          .wall = v->wall,
                          .variance = v->wall_variance,
                          .channel = j->image.channel,
                          .unit = j->image.unit};
    const char *path = j->request->figure;
    rs_figure *f = NULL;
    reshed_error err = {0};
    reshed_status st = rs_mapped_figure(&in, &f, &err);
    if (st == RESHED_OK) rs_figure_paper(f, &j->request->paper);
    st = rs_report_save_figure(st, f, path, &err);
    return st == RESHED_OK ? true : fail(j, path, &err);
}

/* The maps for other programs. */
static bool write_maps(const job *j)
{
    const infer_request *q = j->request;
    const infer_maps m = {&j->image, &j->maps, q->frame.threshold};
    char path[4096 + 32];
    reshed_error err = {0};
    if (q->gwy && infer_write_gwy(q->gwy, &m, &err) != RESHED_OK) return fail(j, q->gwy, &err);
    if (q->iso && infer_write_iso(q->iso, &m, &err) != RESHED_OK) return fail(j, q->iso, &err);
    for (int k = 0; q->gsf && k < INFER_GSF; k++) {
        snprintf(path, sizeof path, "%.4095s%s", q->gsf, infer_gsf_ending[k]);
        if (infer_write_gsf(path, &m, k, &err) != RESHED_OK) return fail(j, path, &err);
    }
    return true;
}

#define WALLS_ENDING "_walls.h5"

/* image.png -> image, in the folder that is asked for, of a stack image_frame007; a leading dot of the name is no extension. */
static bool stem_of(const infer_request *q, const char *path, int frame, char *buf, size_t n)
{
    const int length = q->folder ? snprintf(buf, n, "%s/%s", q->folder, rs_path_name(path))
                                 : snprintf(buf, n, "%s", path);
    if (length >= (int)n - 48) return false;
    const size_t k = rs_path_stem(buf);
    buf[k] = '\0';
    if (frame >= 0) snprintf(buf + k, n - k, "_frame%03d", frame);
    return true;
}

bool infer_image_frames(const cli_program *program, const infer_request *q, const char *path,
                        int *first, int *end)
{
    int frames = 1;
    reshed_error err = {0};
    *first = q->of_stack;
    *end = *first + 1;
    if (q->of_stack != CLI_FRAME_ALL) return true;
    if (rs_image_frames(path, q->channel, RS_QUANTITY_AMPLITUDE, &frames, &err) != RESHED_OK) {
        if (program) cli_fail(program, path, &err);
        return false;
    }
    *first = frames > 1 ? 0 : RS_FRAME_ONLY;
    *end = frames > 1 ? frames : RS_FRAME_ONLY + 1;
    return true;
}

static void frame_files(const infer_request *q, const char *path, int frame, cli_files *files)
{
    static const char *const picture[] = {"_mean.png", "_variance.png", "_overlay.png",
                                          "_wall180.png"};
    const int pictures = q->no_phase ? 3 : 4;
    char stem[4096];
    const bool named = stem_of(q, path, frame, stem, sizeof stem); /* infer_image fails without */
    cli_files_output(files, q->mean, "--mean");
    cli_files_output(files, q->variance, "--var");
    cli_files_output(files, q->wall180, "--wall180");
    cli_files_output(files, q->h5, "--h5");
    cli_files_output(files, q->reliability, "--reliability");
    cli_files_output(files, q->figure, "--figure");
    cli_files_output(files, q->gwy, "--gwy");
    cli_files_output(files, q->iso, "--iso");
    for (int i = 0; q->gsf && i < INFER_GSF; i++)
        cli_files_output_named(files, q->gsf, infer_gsf_ending[i], "--gsf");
    if (q->defaults && named) cli_files_output_named(files, stem, WALLS_ENDING, path);
    for (int i = 0; i < pictures && (q->png || (q->defaults && named)); i++)
        cli_files_output_named(files, q->png ? q->png : stem, picture[i], q->png ? "--png" : path);
}

void infer_image_files(const infer_request *q, const char *path, cli_files *files)
{
    int first, end;
    cli_files_input(files, path);
    if (!infer_image_frames(NULL, q, path, &first, &end)) return; /* it fails again, with words */
    for (int k = first; k < end; k++) frame_files(q, path, k, files);
}

static bool write_outputs(const job *j)
{
    const infer_request *q = j->request;
    char stem[4096], h5[4096 + 16];
    if (!stem_of(q, j->path, q->of_stack, stem, sizeof stem)) {
        reshed_error err = {0};
        rs_fail(&err, RESHED_EINVAL, "path too long|at most %zu bytes|%zu", sizeof stem - 48,
                strlen(j->path));
        return fail(j, j->path, &err);
    }
    snprintf(h5, sizeof h5, "%s%s", stem, WALLS_ENDING);
    if (q->mean && !write_npy(j, q->mean, j->maps.mean)) return false;
    if (q->variance && !write_npy(j, q->variance, j->maps.variance)) return false;
    if (q->wall180 && !write_wall180(j, q->wall180)) return false;
    if ((q->h5 || q->defaults) && !write_h5(j, q->h5 ? q->h5 : h5)) return false;
    if (q->figure && !write_figure(j)) return false;
    if (!write_maps(j)) return false;
    if (q->png || q->defaults) return write_pictures(j, q->png ? q->png : stem);
    return true;
}

bool infer_image(infer_engine *engine, const infer_request *request, const char *path,
                 infer_result *result)
{
    job j = {.engine = engine, .request = request, .path = path};
    memset(result, 0, sizeof *result);
    bool ok = infer(&j);
    if (ok) {
        warn(&j);
        result->view = j.maps;
        ok = part_walls(&j);
    }
    if (ok) {
        const bool parted = j.signs.mean != NULL;
        if (parted) memcpy(result->phase, j.phase.channel, sizeof result->phase);
        result->wall_fraction = parted ? j.signs.wall_fraction : j.maps.wall_fraction;
        result->wall180_fraction = parted ? j.signs.wall180_fraction : NAN;
        memcpy(result->channel, j.image.channel, sizeof result->channel);
        result->dx = j.image.dx;
        result->dy = j.image.dy;
        result->number = j.image.frame;
        result->frames = j.image.frames;
        result->angle = j.image.angle;
        memcpy(result->scan, j.image.scan, sizeof result->scan);
        memcpy(result->note, j.image.note, sizeof result->note);
        ok = (!request->truth || score(&j, result)) && write_outputs(&j);
    }
    rs_image_clear(&j.image);
    rs_image_clear(&j.phase);
    rs_signs_clear(&j.signs);
    return ok;
}
