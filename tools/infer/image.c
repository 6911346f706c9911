#include "tools/infer/image.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "imgproc/image/fill.h"
#include "infer/judge.h"
#include "imgproc/figures/render.h"
#include "imgproc/image/skeleton.h"
#include "imgproc/image/threshold.h"
#include "io/image_file.h"
#include "io/npy.h"
#include "io/walls_h5.h"
#include "report/reliability.h"
#include "report/save.h"

/* One image on its way. */
typedef struct job {
    infer_engine *engine;
    const infer_request *request;
    const char *path;
    rs_image image;          /* as read, gaps filled */
    rs_resample_plan target; /* the network's grid */
    float *input;            /* [target], what the network sees */
    float *mean, *variance;  /* [H,W,C] on the image's grid; owned */
    float *wall; /* [H,W] wall probability: mean itself, or 1 - first class; owned if C > 1 */
    rs_norm_range range;
} job;

static bool fail(const job *j, const char *path, const reshed_error *err)
{
    cli_fail(j->engine->program, path, err);
    return false;
}

/* ------------------------------------------------------------------------------------ input */

static bool read_input(job *j, infer_result *r)
{
    reshed_error err = {0};
    if (rs_image_read(j->path, j->request->channel, &j->image, &err) != RESHED_OK)
        return fail(j, j->path, &err);
    rs_image *im = &j->image;
    if (im->height < 4 || im->width < 4) {
        rs_fail(&err, RESHED_EUNSUPPORTED, "image size|at least 4 x 4 pixels|%d x %d", im->height,
                im->width);
        return fail(j, j->path, &err);
    }
    if (rs_fill_gaps(im->data, im->height, im->width, &r->filled, &err) != RESHED_OK)
        return fail(j, j->path, &err);
    if (r->filled && !j->request->quiet)
        cli_warn(j->engine->program, j->path,
                 "%zu pixels without a finite value were filled from their neighbours", r->filled);
    r->height = im->height;
    r->width = im->width;
    return true;
}

static bool prepare_input(job *j)
{
    const rs_image *im = &j->image;
    const rs_model_file *m = j->engine->model;
    reshed_error err = {0};
    if (rs_resample_decide(im->height, im->width, im->dx, im->dy, m->pixel_size_min,
                           m->pixel_size_max, &j->request->resample, &j->target, &err) != RESHED_OK)
        return fail(j, j->path, &err);
    const size_t n = (size_t)j->target.height * (size_t)j->target.width;
    j->input = rs_alloc(n, sizeof *j->input);
    if (!j->input) {
        rs_fail_nomem(&err, "the resampled image", n * sizeof *j->input);
        return fail(j, j->path, &err);
    }
    if (!j->target.needed) {
        memcpy(j->input, im->data, n * sizeof *j->input);
        return true;
    }
    if (!j->request->quiet)
        cli_warn(j->engine->program, j->path, "resampled from %d x %d to %d x %d (%s)", im->height,
                 im->width, j->target.height, j->target.width, j->target.reason);
    if (rs_resample(im->data, im->height, im->width, 1, RS_GROW_CATMULL_ROM, j->input,
                    j->target.height, j->target.width, &err) != RESHED_OK)
        return fail(j, j->path, &err);
    return true;
}

static reshed_status normalise(job *j, reshed_error *err)
{
    const size_t n = (size_t)j->target.height * (size_t)j->target.width;
    const infer_request *q = j->request;
    reshed_status st = RESHED_EINTERNAL;
    switch (q->norm) {
    case INFER_FRAME: st = rs_norm_range_frame(j->input, n, &j->range, err); break;
    case INFER_ROBUST: st = rs_norm_range_robust(j->input, n, &j->range, err); break;
    case INFER_RANGE: st = rs_norm_range_fixed(q->lo, q->hi, &j->range, err); break;
    }
    if (st != RESHED_OK) return st;
    return rs_norm_apply(j->input, n, j->range, q->norm != INFER_FRAME, j->input, err);
}

/* -------------------------------------------------------------------------------- inference */

/* Makes the plan, or fits it to the image. */
static reshed_status ready_plan(const job *j, rs_model_file *take, const rs_plan_options *options,
                                rs_plan **plan, reshed_error *err)
{
    const int h = j->target.height, w = j->target.width;
    if (*plan) return rs_plan_resize(*plan, h, w, err);
    return rs_plan_create(j->engine->model, take, h, w, options, plan, err);
}

static reshed_status ready_plans(job *j, reshed_error *err)
{
    infer_engine *e = j->engine;
    rs_plan_options full = e->options;
    full.precision = RS_FP32;
    if (j->request->check_precision) { /* first: the other one takes the weights */
        reshed_status st = ready_plan(j, NULL, &full, &e->full, err);
        if (st != RESHED_OK) return st;
    }
    return ready_plan(j, e->model, &e->options, &e->plan, err);
}

static infer_error compare(const float *a, const float *b, size_t n)
{
    infer_error e = {0, 0};
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)a[i] - (double)b[i]);
        if (d > e.largest) e.largest = d;
        e.average += d / (double)n;
    }
    return e;
}

/* The error of the maps that reduced precision has given. */
static reshed_status check_precision(const job *j, const float *mean, const float *variance,
                                     infer_result *r, reshed_error *err)
{
    const size_t n =
        (size_t)j->target.height * (size_t)j->target.width * (size_t)j->engine->arch.classes;
    float *full = rs_alloc(2 * n, sizeof *full);
    if (!full) return rs_fail_nomem(err, "the maps", 2 * n * sizeof *full);
    rs_plan_run(j->engine->full, j->input, full, full + n, NULL);
    r->mean_error = compare(mean, full, n);
    r->variance_error = compare(variance, full + n, n);
    r->checked = true;
    rs_free(full);
    return RESHED_OK;
}

/* Is the frame like those of training? Images for which no score can be given (too small, without
 * contrast) go without. */
static void judge_frame(const job *j, const float *mean, const float *variance, infer_result *r)
{
    const rs_model_file *m = j->engine->model;
    double x[RS_OOD_FEATURES];
    if (j->engine->arch.classes != 1 || !rs_ood_known(&m->ood)) return;
    int rows = rs_ood_scanned_rows(j->input, j->target.height, j->target.width);
    if (rs_ood_features(j->input, mean, variance, j->target.width, 0, rows, x, NULL) != RESHED_OK ||
        rs_ood_score(&m->ood, x, &r->ood_score, NULL) != RESHED_OK)
        return;
    r->ood_known = true;
    r->ood = m->ood_threshold > 0 && r->ood_score > m->ood_threshold;
    if (r->ood && !j->request->quiet)
        cli_warn(j->engine->program, j->path,
                 "unlike the frames that the networks were trained on (score %.2f, usual up to "
                 "%.2f): do not trust the maps",
                 r->ood_score, m->ood_threshold);
}

/* The network's maps, still on its own grid. */
static bool run_network(job *j, float *mean, float *variance, infer_result *r)
{
    reshed_error err = {0};
    if (ready_plans(j, &err) != RESHED_OK) return fail(j, j->path, &err);
    const double start = rs_os_monotonic();
    if (normalise(j, &err) != RESHED_OK) return fail(j, j->path, &err);
    rs_plan_run(j->engine->plan, j->input, mean, variance, NULL);
    r->seconds = rs_os_monotonic() - start;
    judge_frame(j, mean, variance, r);
    if (j->request->check_precision && check_precision(j, mean, variance, r, &err) != RESHED_OK)
        return fail(j, j->path, &err);
    return true;
}

static bool infer(job *j, infer_result *r)
{
    const int cl = j->engine->arch.classes, th = j->target.height, tw = j->target.width;
    const int h = j->image.height, w = j->image.width;
    const size_t n = (size_t)h * (size_t)w * (size_t)cl, tn = (size_t)th * (size_t)tw * (size_t)cl;
    reshed_error err = {0};
    float *mean = NULL, *variance = NULL; /* on the network's grid, when that is another */
    bool ok = false;
    j->mean = rs_alloc(n, sizeof *j->mean);
    j->variance = rs_alloc(n, sizeof *j->variance);
    if (j->target.needed) {
        mean = rs_alloc(tn, sizeof *mean);
        variance = rs_alloc(tn, sizeof *variance);
    }
    if (!j->mean || !j->variance || (j->target.needed && (!mean || !variance))) {
        rs_fail_nomem(&err, "the maps", (n + tn) * 2 * sizeof *mean);
        fail(j, j->path, &err);
        goto cleanup;
    }
    if (!j->target.needed) {
        ok = run_network(j, j->mean, j->variance, r);
        goto cleanup;
    }
    if (!run_network(j, mean, variance, r)) goto cleanup;
    if (rs_resample(mean, th, tw, cl, RS_GROW_BILINEAR, j->mean, h, w, &err) != RESHED_OK ||
        rs_resample(variance, th, tw, cl, RS_GROW_BILINEAR, j->variance, h, w, &err) != RESHED_OK) {
        fail(j, j->path, &err);
        goto cleanup;
    }
    ok = true;
cleanup:
    rs_free(mean);
    rs_free(variance);
    return ok;
}

/* One number a pixel for pictures and scores: with several classes the first is the background, as
 * in AtomAI's label maps, and everything else is wall. */
static bool wall_map(job *j, infer_result *r)
{
    const int cl = j->engine->arch.classes;
    const size_t n = (size_t)j->image.height * (size_t)j->image.width;
    double sum = 0;
    size_t walls = 0;
    j->wall = j->mean;
    if (cl > 1) {
        reshed_error err = {0};
        j->wall = rs_alloc(n, sizeof *j->wall);
        if (!j->wall) {
            rs_fail_nomem(&err, "a map", n * sizeof *j->wall);
            return fail(j, j->path, &err);
        }
        for (size_t i = 0; i < n; i++) j->wall[i] = 1 - j->mean[i * (size_t)cl];
    }
    for (size_t i = 0; i < n * (size_t)cl; i++) sum += j->variance[i];
    for (size_t i = 0; i < n; i++) walls += j->wall[i] > (float)RS_THRESHOLD_DEFAULT;
    r->mean_uncertainty = sum / (double)(n * (size_t)cl);
    r->wall_fraction = (double)walls / (double)n;
    return true;
}

/* ---------------------------------------------------------------------------------- scoring */

static bool score(job *j, infer_result *r)
{
    const int h = j->image.height, w = j->image.width;
    const size_t n = (size_t)h * (size_t)w;
    reshed_error err = {0};
    rs_image truth = {0};
    uint8_t *label = NULL, *thin = NULL, *mask = NULL, *line = NULL;
    bool ok = false;
    const char *at = j->request->truth;
    reshed_status st = rs_image_read(at, NULL, &truth, &err);
    if (st == RESHED_OK && (truth.height != h || truth.width != w))
        st = rs_fail(&err, RESHED_EINVAL, "size of the label|%d x %d as the image|%d x %d", h, w,
                     truth.height, truth.width);
    if (st != RESHED_OK) goto done;
    label = rs_alloc(n, 1);
    thin = rs_alloc(n, 1);
    mask = rs_alloc(n, 1);
    line = rs_alloc(n, 1);
    if (!label || !thin || !mask || !line) {
        st = rs_fail_nomem(&err, "scoring", 4 * n);
        goto done;
    }
    for (size_t i = 0; i < n; i++) label[i] = truth.data[i] > 0.0f;
    if ((st = rs_skeletonize(label, h, w, thin, &err)) != RESHED_OK) goto done;
    r->best_f = -1;
    for (int k = 1; k < 20; k++) {
        const double t = 0.05 * k;
        rs_edge_score s;
        rs_threshold(j->wall, n, t, mask);
        if ((st = rs_skeletonize(mask, h, w, line, &err)) != RESHED_OK) goto done;
        st = rs_score_edges(line, thin, h, w, RS_SCORE_RADIUS, &s, &err);
        if (st != RESHED_OK) goto done;
        if (s.f > r->best_f) {
            r->best_f = s.f;
            r->best_threshold = t;
        }
        if (k != 10) continue;
        r->edge = s;
        r->iou = rs_score_iou(mask, label, n);
        st = rs_score_edges(line, thin, h, w, 1, &r->edge_strict, &err);
        if (st == RESHED_OK) st = rs_score_edges(line, thin, h, w, 2, &r->edge_loose, &err);
        if (st != RESHED_OK) goto done;
        st = rs_score_calibration(j->wall, mask, label, h, w, RS_SCORE_NEAR, &r->calibration, &err);
        if (st != RESHED_OK) goto done;
    }
    if (j->request->reliability) {
        at = j->request->reliability;
        st = rs_report_reliability(at, &r->calibration, NULL, &err);
        if (st != RESHED_OK) goto done;
    }
    r->scored = ok = true;
done:
    if (st != RESHED_OK) fail(j, at, &err);
    rs_free(label);
    rs_free(thin);
    rs_free(mask);
    rs_free(line);
    rs_image_clear(&truth);
    return ok;
}

/* ---------------------------------------------------------------------------------- writing */

static bool write_npy(const job *j, const char *path, const float *map)
{
    const size_t dims[3] = {(size_t)j->image.height, (size_t)j->image.width,
                            (size_t)j->engine->arch.classes};
    reshed_error err = {0};
    if (rs_npy_write(path, RS_NPY_F4, dims[2] > 1 ? 3 : 2, dims, map, &err) != RESHED_OK)
        return fail(j, path, &err);
    return true;
}

static bool write_h5(const job *j, const char *path)
{
    static const char *const norm[] = {"frame", "robust", "range"};
    const rs_image *im = &j->image;
    const char *slash = strrchr(j->path, '/');
    const rs_walls_file f = {.height = im->height,
                             .width = im->width,
                             .classes = j->engine->arch.classes,
                             .mean = j->mean,
                             .variance = j->variance,
                             .input = im->data,
                             .dx = im->dx,
                             .dy = im->dy,
                             .x0 = im->x0,
                             .y0 = im->y0,
                             .lo = (double)j->range.lo,
                             .hi = (double)j->range.hi,
                             .normalisation = norm[j->request->norm],
                             .precision = infer_precision_name(j->engine->options.precision),
                             .weights_checksum = j->engine->digest,
                             .program = j->engine->program->name,
                             .source = slash ? slash + 1 : j->path,
                             .channel = im->channel};
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
    const rs_image *im = &j->image;
    const int h = im->height, w = im->width, cl = j->engine->arch.classes;
    const size_t n = (size_t)h * (size_t)w;
    reshed_error err = {0};
    rs_render_options o;
    rs_rgb8 picture = {0};
    rs_render_options_defaults(&o);
    o.dx = im->dx;
    o.dy = im->dy;
    reshed_status st = rs_render_mean(j->wall, h, w, &o, &picture, &err);
    if (!write_picture(j, st, &picture, prefix, "mean", &err)) return false;
    float *v = j->variance;
    if (cl > 1) { /* variance of the wall probability is that of its complement, the first class */
        if (!(v = rs_alloc(n, sizeof *v))) {
            rs_fail_nomem(&err, "a map", n * sizeof *v);
            return fail(j, prefix, &err);
        }
        for (size_t i = 0; i < n; i++) v[i] = j->variance[i * (size_t)cl];
    }
    st = rs_render_variance(v, h, w, &o, &picture, &err);
    if (v != j->variance) rs_free(v);
    if (!write_picture(j, st, &picture, prefix, "variance", &err)) return false;
    st = rs_render_overlay(im->data, j->wall, h, w, &o, &picture, &err);
    return write_picture(j, st, &picture, prefix, "overlay", &err);
}

/* image.png -> image; a leading dot of the name is no extension. */
static bool stem_of(const job *j, char *buf, size_t n)
{
    if (snprintf(buf, n, "%s", j->path) >= (int)n - 32) {
        reshed_error err = {0};
        rs_fail(&err, RESHED_EINVAL, "path too long|at most %zu bytes|%zu", n - 32,
                strlen(j->path));
        return fail(j, j->path, &err);
    }
    char *slash = strrchr(buf, '/'), *dot = strrchr(buf, '.');
    if (dot && dot != buf && dot != slash + 1 && (!slash || dot > slash)) *dot = '\0';
    return true;
}

static bool write_outputs(const job *j)
{
    const infer_request *q = j->request;
    char stem[4096], h5[4096 + 16];
    if (!stem_of(j, stem, sizeof stem)) return false;
    snprintf(h5, sizeof h5, "%s_walls.h5", stem);
    if (q->mean && !write_npy(j, q->mean, j->mean)) return false;
    if (q->variance && !write_npy(j, q->variance, j->variance)) return false;
    if ((q->h5 || q->defaults) && !write_h5(j, q->h5 ? q->h5 : h5)) return false;
    if (q->png || q->defaults) return write_pictures(j, q->png ? q->png : stem);
    return true;
}

const char *infer_precision_name(rs_precision precision)
{
    return precision == RS_BF16 ? "bf16" : "fp32";
}

bool infer_image(infer_engine *engine, const infer_request *request, const char *path,
                 infer_result *result)
{
    job j = {.engine = engine, .request = request, .path = path};
    memset(result, 0, sizeof *result);
    bool ok = read_input(&j, result) && prepare_input(&j) && infer(&j, result) &&
              wall_map(&j, result) && (!request->truth || score(&j, result)) && write_outputs(&j);
    if (j.wall != j.mean) rs_free(j.wall);
    rs_image_clear(&j.image);
    rs_free(j.input);
    rs_free(j.mean);
    rs_free(j.variance);
    return ok;
}
