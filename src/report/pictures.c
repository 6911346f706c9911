#include "report/pictures.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/image.h"
#include "imgproc/figures/contour.h"
#include "imgproc/image/skeleton.h"
#include "imgproc/image/threshold.h"
#include "report/overlay.h"
#include "report/save.h"

#define WALL_LEVEL 0.5 /* of the mean: the contour that is drawn */

typedef struct job {
    const char *prefix;
    int h, w;
    rs_render_options options;
    float *amplitude, *mean, *variance; /* [h,w] NaN where unscanned; owned */
    rs_segments fresh;                  /* beside rows that are not final */
} job;

static void job_clear(job *j)
{
    rs_free(j->amplitude);
    rs_free(j->mean);
    rs_free(j->variance);
    rs_segments_clear(&j->fresh);
}

static reshed_status take(const float *map, const uint8_t *state, int h, int w, float **out,
                          reshed_error *err)
{
    size_t n = (size_t)h * (size_t)w, row = (size_t)w;
    if (!(*out = rs_alloc(n, sizeof **out)))
        return rs_fail_nomem(err, "a picture", n * sizeof **out);
    memcpy(*out, map, n * sizeof **out);
    for (int r = 0; state && r < h; r++)
        if (state[r] == RS_SESSION_UNSCANNED)
            for (size_t c = 0; c < row; c++) (*out)[(size_t)r * row + c] = NAN;
    return RESHED_OK;
}

static reshed_status save(const job *j, reshed_status st, const char *name, rs_rgb8 *picture,
                          reshed_error *err)
{
    return rs_report_save_named(st, picture, RS_PNG_RGB8_QUICK, j->prefix, name, err);
}

/* Grey amplitude under layers of its own and the marks of rows that are not final. */
static reshed_status save_over_amplitude(const job *j, const char *name,
                                         const rs_render_layer *layer, int layers,
                                         reshed_error *err)
{
    rs_render_layer all[RS_REPORT_MAX_LAYERS];
    rs_render_options o = j->options;
    rs_rgb8 picture = {0};
    double lo, hi;
    for (int i = 0; i < o.layers; i++) all[i] = o.layer[i];
    for (int i = 0; i < layers; i++) all[o.layers + i] = layer[i];
    o.layer = all;
    o.layers += layers;
    reshed_status st =
        rs_report_robust_range(j->amplitude, (size_t)j->h * (size_t)j->w, &lo, &hi, err);
    if (st == RESHED_OK)
        st = rs_render_map(j->amplitude, j->h, j->w, lo, hi, RS_MAP_GREY, "amplitude", "", &o,
                           &picture, err);
    return save(j, st, name, &picture, err);
}

static reshed_status save_walls(const job *j, reshed_error *err)
{
    size_t n = (size_t)j->h * (size_t)j->w;
    rs_segments contour = {0}, skeleton = {0};
    uint8_t *mask = rs_alloc(n, sizeof *mask);
    reshed_status st = mask ? RESHED_OK : rs_fail_nomem(err, "a picture", n);
    if (st == RESHED_OK) {
        rs_threshold(j->mean, n, WALL_LEVEL, mask);
        st = rs_thin(mask, j->h, j->w, mask, err);
    }
    if (st == RESHED_OK) st = rs_skeleton_segments(mask, j->h, j->w, &skeleton, err);
    if (st == RESHED_OK) st = rs_contour(j->mean, j->h, j->w, WALL_LEVEL, &contour, err);
    if (st == RESHED_OK) {
        const rs_render_layer layer[2] = {rs_report_contour_layer(&contour),
                                          rs_report_skeleton_layer(&skeleton)};
        st = save_over_amplitude(j, "walls", layer, 2, err);
    }
    rs_segments_clear(&contour);
    rs_segments_clear(&skeleton);
    rs_free(mask);
    return st;
}

static reshed_status save_points(const job *j, const rs_session_point *points, int n,
                                 reshed_error *err)
{
    rs_report_marks marks = {0};
    reshed_status st = rs_report_marks_take(points, n, RS_REPORT_MARK_SIZE, &marks, err);
    if (st == RESHED_OK) st = save_over_amplitude(j, "points", marks.layer, marks.layers, err);
    rs_report_marks_clear(&marks);
    return st;
}

static reshed_status save_maps(const job *j, reshed_error *err)
{
    rs_rgb8 picture = {0};
    reshed_status st = save_over_amplitude(j, "amplitude", NULL, 0, err);
    if (st == RESHED_OK) st = rs_render_mean(j->mean, j->h, j->w, &j->options, &picture, err);
    st = save(j, st, "mean", &picture, err);
    if (st == RESHED_OK)
        st = rs_render_variance(j->variance, j->h, j->w, &j->options, &picture, err);
    return save(j, st, "variance", &picture, err);
}

reshed_status rs_report_pictures(const char *prefix, int h, int w, double dx,
                                 const float *amplitude, const float *mean, const float *variance,
                                 const uint8_t *state, const rs_session_point *points, int n,
                                 reshed_error *err)
{
    job j = {.prefix = prefix, .h = h, .w = w};
    if (h < 1 || w < 1 || (size_t)h > RS_IMAGE_MAX_PIXELS / (size_t)w || (points && n < 0))
        return rs_fail(err, RESHED_EINVAL, "size of the pictures|a map and points|%d x %d, %d", h,
                       w, n);
    reshed_status st = take(amplitude, state, h, w, &j.amplitude, err);
    if (st == RESHED_OK) st = take(mean, state, h, w, &j.mean, err);
    if (st == RESHED_OK) st = take(variance, state, h, w, &j.variance, err);
    if (st == RESHED_OK) st = rs_report_fresh_rows(state, h, &j.fresh, err);
    if (st == RESHED_OK) {
        const rs_render_layer fresh = rs_report_fresh_layer(&j.fresh);
        rs_render_options_defaults(&j.options);
        j.options.dx = j.options.dy = dx;
        j.options.layer = &fresh;
        j.options.layers = 1;
        st = save_maps(&j, err);
        if (st == RESHED_OK) st = save_walls(&j, err);
        if (st == RESHED_OK && points) st = save_points(&j, points, n, err);
    }
    job_clear(&j);
    return st;
}
