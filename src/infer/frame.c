#include "infer/frame.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/os.h"
#include "imgproc/image/fill.h"
#include "imgproc/image/threshold.h"
#include "infer/judge.h"
#include "infer/turns.h"

#define LEAST_SIDE 4 /* of an image, for the coarsest level to have a pixel */

/* A map that grows with the images. */
typedef struct map {
    float *data; /* owned */
    size_t capacity;
} map;

enum {
    IMAGE, /* gaps filled */
    INPUT, /* normalised, on the network's grid, padded */
    MEAN,
    VARIANCE,
    SMALL_MEAN, /* on the network's grid, when that is not the image's */
    SMALL_VARIANCE,
    PADDED_MEAN, /* the same with padding, when there is any */
    PADDED_VARIANCE,
    FULL_MEAN, /* of the plan `full` */
    FULL_VARIANCE,
    TURNED_INPUT, /* of another turn of the image, to be averaged */
    TURNED_MEAN,
    TURNED_VARIANCE,
    AWAY, /* rs_turn_sums */
    WALL, /* with several classes */
    WALL_VARIANCE,
    MAPS
};

struct rs_frame {
    rs_frame_options options;
    int classes, members;
    int unit; /* sides on the network's grid are multiples of this */
    double pixel_size_min, pixel_size_max, ood_threshold;
    rs_ood_model ood;
    rs_plan *plan, *full; /* full: fp32, for check_precision */

    map map[MAPS];

    int height, width;       /* of the network's grid, padded */
    rs_resample_plan target; /* of the image at work or last done: target.reason is shown */
    rs_frame_view view;      /* zero when there are no results */
};

/* -------------------------------------------------------------------------------------- options */

void rs_frame_defaults(rs_frame_options *o)
{
    *o = (rs_frame_options){.norm = RS_FRAME_MIN_MAX,
                            .hi = 1,
                            .resample = {.mode = RS_RESAMPLE_AUTO},
                            .threshold = RS_THRESHOLD_DEFAULT};
}

reshed_status rs_frame_check(const rs_frame_options *o, reshed_error *err)
{
    rs_norm_range range;
    reshed_status st = rs_engine_check(&o->engine, err);
    if (st != RESHED_OK) return st;
    if (o->norm < RS_FRAME_MIN_MAX || o->norm > RS_FRAME_FIXED)
        return rs_fail(err, RESHED_EINVAL, "norm|a value of reshed_frame_norm|%d", (int)o->norm);
    if (o->norm == RS_FRAME_FIXED && rs_norm_range_fixed(o->lo, o->hi, &range, NULL) != RESHED_OK)
        return rs_fail(err, RESHED_EINVAL, "range|finite, lo < hi|%g to %g", o->lo, o->hi);
    if (o->resample.mode < RS_RESAMPLE_AUTO || o->resample.mode > RS_RESAMPLE_PIXEL_SIZE)
        return rs_fail(err, RESHED_EINVAL, "resampling|a value of reshed_resample|%d",
                       (int)o->resample.mode);
    if (o->resample.mode == RS_RESAMPLE_PIXEL_SIZE &&
        !(o->resample.pixel_size > 0 && isfinite(o->resample.pixel_size)))
        return rs_fail(err, RESHED_EINVAL, "pixel size|metres > 0|%g", o->resample.pixel_size);
    if (!(o->threshold >= 0 && o->threshold <= 1))
        return rs_fail(err, RESHED_EINVAL, "threshold|0 to 1|%g", o->threshold);
    if (o->check_precision && o->engine.precision == RS_FP32)
        return rs_fail(err, RESHED_EINVAL, "precision to be checked|bf16|fp32");
    if (o->average && !rs_turns_known(o->average))
        return rs_fail(err, RESHED_EINVAL, "turns to be averaged|1, 2, 4 or 8|%d", o->average);
    return RESHED_OK;
}

/* ------------------------------------------------------------------------------------- creation */

static reshed_status make_plans(rs_frame *f, const rs_ensemble *e, rs_model_file *take,
                                reshed_error *err)
{
    const int least = rs_max_int(LEAST_SIDE, f->unit);
    rs_plan_options o;
    reshed_status st = rs_engine_plan_options(&f->options.engine, &o, err);
    if (st == RESHED_OK && f->options.check_precision) { /* first: the other takes the weights */
        rs_plan_options full = o;
        full.precision = RS_FP32;
        st = rs_plan_create(&e->model, NULL, least, least, &full, &f->full, err);
    }
    if (st == RESHED_OK) st = rs_plan_create(&e->model, take, least, least, &o, &f->plan, err);
    return st;
}

static reshed_status create(const rs_ensemble *e, rs_model_file *take,
                            const rs_frame_options *options, rs_frame **out, reshed_error *err)
{
    rs_frame_options o;
    rs_frame_defaults(&o);
    if (options) o = *options;
    reshed_status st = rs_ensemble_check_there(e, err);
    if (st == RESHED_OK) st = rs_frame_check(&o, err);
    if (st != RESHED_OK) return st;
    rs_frame *f = rs_zalloc(1, sizeof *f);
    if (!f) return rs_fail_nomem(err, "a frame", sizeof *f);
    f->options = o;
    f->classes = e->arch.classes;
    f->members = e->model.members;
    f->unit = rs_arch_unit(&e->arch);
    f->pixel_size_min = e->model.pixel_size_min;
    f->pixel_size_max = e->model.pixel_size_max;
    f->ood = e->model.ood;
    f->ood_threshold = e->model.ood_threshold;
    st = make_plans(f, e, take, err);
    if (st != RESHED_OK) {
        rs_frame_free(f);
        return st;
    }
    *out = f;
    return RESHED_OK;
}

reshed_status rs_frame_create(const rs_ensemble *e, const rs_frame_options *options, rs_frame **out,
                              reshed_error *err)
{
    return create(e, NULL, options, out, err);
}

reshed_status rs_frame_create_taking(rs_ensemble *e, const rs_frame_options *options,
                                     rs_frame **out, reshed_error *err)
{
    reshed_status st = create(e, &e->model, options, out, err);
    rs_ensemble_note_taken(e);
    return st;
}

void rs_frame_free(rs_frame *f)
{
    if (!f) return;
    rs_plan_free(f->plan);
    rs_plan_free(f->full);
    for (int i = 0; i < MAPS; i++) rs_free(f->map[i].data);
    rs_free(f);
}

/* --------------------------------------------------------------------------- before the network */

/* Room for n floats; what the map held is lost when it grows. */
static reshed_status make_room(map *m, size_t n, reshed_error *err)
{
    if (n <= m->capacity) return RESHED_OK;
    float *data = rs_alloc(n, sizeof *data);
    if (!data) return rs_fail_nomem(err, "a map", n * sizeof *data);
    rs_free(m->data);
    *m = (map){data, n};
    return RESHED_OK;
}

/* Sizes of the image, and of the network's grid. */
typedef struct sizes {
    int height, width;
    size_t image, input; /* pixels */
    size_t grid;         /* of the network's grid without padding */
    bool padded;
} sizes;

static reshed_status make_maps(rs_frame *f, const sizes *z, reshed_error *err)
{
    const size_t c = (size_t)f->classes;
    const size_t small = f->target.needed ? z->grid * c : 0, full = f->full ? z->input * c : 0;
    const size_t padded = z->padded ? z->input * c : 0;
    const size_t wall = c > 1 ? z->image : 0;
    const bool turned = f->options.average > 1;
    const size_t turn = turned ? z->input : 0;
    const size_t n[MAPS] = {
        [IMAGE] = z->image,        [INPUT] = z->input,           [MEAN] = z->image * c,
        [VARIANCE] = z->image * c, [SMALL_MEAN] = small,         [SMALL_VARIANCE] = small,
        [PADDED_MEAN] = padded,    [PADDED_VARIANCE] = padded,   [FULL_MEAN] = full,
        [FULL_VARIANCE] = full,    [TURNED_INPUT] = turn,        [TURNED_MEAN] = turn * c,
        [AWAY] = turn * c,         [TURNED_VARIANCE] = turn * c, [WALL] = wall,
        [WALL_VARIANCE] = wall};
    reshed_status st = RESHED_OK;
    for (int i = 0; i < MAPS && st == RESHED_OK; i++) st = make_room(&f->map[i], n[i], err);
    return st;
}

/* Everything that an image's size decides. */
static reshed_status fit(rs_frame *f, double dx, double dy, sizes *z, reshed_error *err)
{
    reshed_status st = rs_resample_decide(z->height, z->width, dx, dy, f->pixel_size_min,
                                          f->pixel_size_max, &f->options.resample, &f->target, err);
    if (st != RESHED_OK) return st;
    z->image = (size_t)z->height * (size_t)z->width;
    z->grid = (size_t)f->target.height * (size_t)f->target.width;
    f->height = f->target.height;
    f->width = f->target.width;
    if (f->options.pad) {
        f->height += (f->unit - f->height % f->unit) % f->unit;
        f->width += (f->unit - f->width % f->unit) % f->unit;
    }
    z->padded = f->height != f->target.height || f->width != f->target.width;
    z->input = (size_t)f->height * (size_t)f->width;
    st = rs_plan_resize(f->plan, f->height, f->width, err);
    if (st == RESHED_OK && f->full) st = rs_plan_resize(f->full, f->height, f->width, err);
    return st == RESHED_OK ? make_maps(f, z, err) : st;
}

/* Spreads h rows of w pixels, which lie one after another, over rows of `wide`, zeros between and
 * below. */
static void pad(float *x, int h, int w, int high, int wide)
{
    for (int r = high - 1; r >= 0; r--) {
        float *row = x + (size_t)r * (size_t)wide;
        const int kept = r < h ? w : 0;
        if (kept) memmove(row, x + (size_t)r * (size_t)w, (size_t)w * sizeof *x);
        memset(row + kept, 0, (size_t)(wide - kept) * sizeof *x);
    }
}

/* The image, gaps filled, on the network's grid. */
static reshed_status prepare(rs_frame *f, const float *image, const sizes *z, reshed_error *err)
{
    memcpy(f->map[IMAGE].data, image, z->image * sizeof *image);
    reshed_status st = rs_fill_gaps(f->map[IMAGE].data, z->height, z->width, &f->view.filled, err);
    if (st != RESHED_OK) return st;
    if (f->target.needed)
        st = rs_resample(f->map[IMAGE].data, z->height, z->width, 1, RS_GROW_CATMULL_ROM,
                         f->map[INPUT].data, f->target.height, f->target.width, err);
    else
        memcpy(f->map[INPUT].data, f->map[IMAGE].data, z->image * sizeof *image);
    if (z->padded) pad(f->map[INPUT].data, f->target.height, f->target.width, f->height, f->width);
    return st;
}

static reshed_status normalise(rs_frame *f, size_t n, reshed_error *err)
{
    const rs_frame_options *o = &f->options;
    rs_norm_range *range = &f->view.range;
    float *x = f->map[INPUT].data;
    reshed_status st = RESHED_EINTERNAL;
    switch (o->norm) {
    case RS_FRAME_MIN_MAX: st = rs_norm_range_frame(x, n, range, err); break;
    case RS_FRAME_ROBUST: st = rs_norm_range_robust(x, n, range, err); break;
    case RS_FRAME_FIXED: st = rs_norm_range_fixed(o->lo, o->hi, range, err); break;
    }
    if (st != RESHED_OK) return st;
    return rs_norm_apply(x, n, *range, o->norm != RS_FRAME_MIN_MAX, x, err);
}

/* ----------------------------------------------------------------------------------------- maps */

static rs_frame_error difference(const float *a, const float *b, size_t n)
{
    rs_frame_error e = {0, 0};
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)a[i] - (double)b[i]);
        if (d > e.largest) e.largest = d;
        e.average += d / (double)n;
    }
    return e;
}

static reshed_status cancelled(reshed_error *err)
{
    return rs_fail(err, RESHED_ECANCELLED, "the run was cancelled");
}

/* Maps and judgement on the network's grid. */
static reshed_status run_network(rs_frame *f, const sizes *z, float *mean, float *variance,
                                 reshed_error *err)
{
    const size_t pixels = z->input;
    rs_frame_view *v = &f->view;
    const int h = f->height, w = f->width;
    const double start = rs_os_monotonic();
    reshed_status st = normalise(f, pixels, err);
    if (st == RESHED_OK)
        st = rs_contrast_look(f->map[IMAGE].data, z->height, z->width, f->map[INPUT].data, h, w,
                              &v->contrast, err);
    if (st != RESHED_OK) return st;
    if (!rs_plan_run(f->plan, f->map[INPUT].data, mean, variance, NULL)) return cancelled(err);
    v->seconds = rs_os_monotonic() - start;
    if (f->full) {
        const size_t n = pixels * (size_t)f->classes;
        if (!rs_plan_run(f->full, f->map[INPUT].data, f->map[FULL_MEAN].data,
                         f->map[FULL_VARIANCE].data, NULL))
            return cancelled(err);
        v->mean_error = difference(mean, f->map[FULL_MEAN].data, n);
        v->variance_error = difference(variance, f->map[FULL_VARIANCE].data, n);
        v->checked = true;
    }
    st = rs_ood_judge(&f->ood, f->classes, f->map[INPUT].data, mean, variance, w, 0,
                      rs_ood_scanned_rows(f->map[INPUT].data, h, w), &v->ood_score, err);
    v->ood_threshold = f->ood_threshold;
    v->alarm = f->ood_threshold > 0 && v->ood_score > f->ood_threshold;
    if (v->contrast == RS_CONTRAST_SEEN) return st;
    v->alarm = true;
    v->ood_score = fmax(v->ood_score, RS_OOD_NO_CONTRAST); /* fmax passes over NaN */
    return st;
}

/* Takes the other turns of the image into the maps of the image itself. */
static reshed_status average_turns(rs_frame *f, float *mean, float *variance, reshed_error *err)
{
    const int h = f->height, w = f->width, c = f->classes, turns = f->options.average;
    const double start = rs_os_monotonic();
    const rs_turn_sums sums = {mean, variance, f->map[AWAY].data};
    float *in = f->map[TURNED_INPUT].data, *m = f->map[TURNED_MEAN].data,
          *v = f->map[TURNED_VARIANCE].data;
    memset(sums.away, 0, (size_t)h * (size_t)w * (size_t)c * sizeof *sums.away);
    for (int k = 1; k < turns; k++) {
        const bool swaps = rs_turn_swaps(k);
        if (swaps != rs_turn_swaps(k - 1)) { /* once: fit() brings it back for the next image */
            const reshed_status st = rs_plan_resize(f->plan, w, h, err);
            if (st != RESHED_OK) return st;
        }
        rs_turn(f->map[INPUT].data, h, w, k, in);
        if (!rs_plan_run(f->plan, in, m, v, NULL)) return cancelled(err);
        rs_turn_add(m, v, h, w, c, k, &sums);
    }
    rs_turn_finish(h, w, c, turns, &sums);
    f->view.seconds += rs_os_monotonic() - start;
    return RESHED_OK;
}

/* run_network, then other turns. */
static reshed_status run_turns(rs_frame *f, const sizes *z, float *mean, float *variance,
                               reshed_error *err)
{
    const reshed_status st = run_network(f, z, mean, variance, err);
    return st == RESHED_OK && f->options.average > 1 ? average_turns(f, mean, variance, err) : st;
}

/* run_turns, without the padding. */
static reshed_status run_cropped(rs_frame *f, const sizes *z, float *mean, float *variance,
                                 reshed_error *err)
{
    if (!z->padded) return run_turns(f, z, mean, variance, err);
    const size_t row = (size_t)f->target.width * (size_t)f->classes,
                 wide = (size_t)f->width * (size_t)f->classes;
    const float *m = f->map[PADDED_MEAN].data, *v = f->map[PADDED_VARIANCE].data;
    const reshed_status st =
        run_turns(f, z, f->map[PADDED_MEAN].data, f->map[PADDED_VARIANCE].data, err);
    for (size_t r = 0; st == RESHED_OK && r < (size_t)f->target.height; r++) {
        memcpy(mean + r * row, m + r * wide, row * sizeof *mean);
        memcpy(variance + r * row, v + r * wide, row * sizeof *variance);
    }
    return st;
}

static reshed_status infer(rs_frame *f, const sizes *z, reshed_error *err)
{
    const int h = f->target.height, w = f->target.width, c = f->classes;
    if (!f->target.needed) return run_cropped(f, z, f->map[MEAN].data, f->map[VARIANCE].data, err);
    reshed_status st = run_cropped(f, z, f->map[SMALL_MEAN].data, f->map[SMALL_VARIANCE].data, err);
    if (st == RESHED_OK)
        st = rs_resample(f->map[SMALL_MEAN].data, h, w, c, RS_GROW_BILINEAR, f->map[MEAN].data,
                         z->height, z->width, err);
    if (st == RESHED_OK)
        st = rs_resample(f->map[SMALL_VARIANCE].data, h, w, c, RS_GROW_BILINEAR,
                         f->map[VARIANCE].data, z->height, z->width, err);
    return st;
}

/* One number a pixel from several classes; the variance of a probability is that of its
 * complement. */
static void join_classes(rs_frame *f, size_t pixels)
{
    const size_t c = (size_t)f->classes;
    for (size_t i = 0; i < pixels; i++) {
        f->map[WALL].data[i] = 1 - f->map[MEAN].data[i * c];
        f->map[WALL_VARIANCE].data[i] = f->map[VARIANCE].data[i * c];
    }
}

static void summarise(rs_frame *f, const sizes *z)
{
    rs_frame_view *v = &f->view;
    const size_t c = (size_t)f->classes, n = z->image;
    double sum = 0;
    size_t walls = 0;
    for (size_t i = 0; i < n * c; i++) sum += v->variance[i];
    for (size_t i = 0; i < n; i++) walls += v->wall[i] > (float)f->options.threshold;
    v->mean_uncertainty = sum / (double)(n * c);
    v->wall_fraction = (double)walls / (double)n;
}

reshed_status rs_frame_run(rs_frame *f, const float *image, int height, int width, double dx,
                           double dy, reshed_error *err)
{
    memset(&f->view, 0, sizeof f->view);
    if (height < LEAST_SIDE || width < LEAST_SIDE)
        return rs_fail(err, RESHED_EUNSUPPORTED, "image size|at least 4 x 4 pixels|%d x %d", height,
                       width);
    sizes z = {.height = height, .width = width};
    reshed_status st = fit(f, dx, dy, &z, err);
    if (st == RESHED_OK) st = prepare(f, image, &z, err);
    if (st == RESHED_OK) st = infer(f, &z, err);
    if (st != RESHED_OK) {
        memset(&f->view, 0, sizeof f->view);
        return st;
    }
    rs_frame_view *v = &f->view;
    v->height = height;
    v->width = width;
    v->classes = f->classes;
    v->members = f->members;
    v->image = f->map[IMAGE].data;
    v->mean = f->map[MEAN].data;
    v->variance = f->map[VARIANCE].data;
    if (f->classes > 1) join_classes(f, z.image);
    v->wall = f->classes > 1 ? f->map[WALL].data : v->mean;
    v->wall_variance = f->classes > 1 ? f->map[WALL_VARIANCE].data : v->variance;
    v->input = f->map[INPUT].data;
    v->input_height = f->height;
    v->input_width = f->width;
    v->resampled = f->target.needed ? f->target.reason : "";
    summarise(f, &z);
    return RESHED_OK;
}

void rs_frame_get(const rs_frame *f, rs_frame_view *view)
{
    *view = f->view;
}

void rs_frame_set_stop(rs_frame *f, bool (*stop)(void *ctx), void *ctx)
{
    rs_plan_set_stop(f->plan, stop, ctx);
    if (f->full) rs_plan_set_stop(f->full, stop, ctx);
}

size_t rs_frame_bytes(const rs_frame *f)
{
    size_t n = sizeof *f + rs_plan_bytes(f->plan) + (f->full ? rs_plan_bytes(f->full) : 0);
    for (int i = 0; i < MAPS; i++) n += f->map[i].capacity * sizeof(float);
    return n;
}
