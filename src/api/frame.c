/* frame.c - the public frame: infer/frame.h under its public names, with every argument checked at
 * the door. */
#include "reshed.h"

#include <limits.h>
#include <stddef.h>

#include "api/options.h"
#include "api/private.h"
#include "base/alloc.h"
#include "infer/frame.h"

_Static_assert((int)RESHED_FRAME_FIXED == (int)RS_FRAME_FIXED &&
                   (int)RESHED_RESAMPLE_PIXEL_SIZE == (int)RS_RESAMPLE_PIXEL_SIZE,
               "the public values are those of infer/frame.h");

struct reshed_frame {
    rs_frame *frame;
    rs_cancel cancel;
};

static rs_frame_options inner_options(const reshed_frame_options *o)
{
    return (rs_frame_options){.engine = {.threads = o->threads,
                                         .algo = (rs_algo)o->algo,
                                         .precision = (rs_precision)o->precision},
                              .norm = (rs_frame_norm)o->norm,
                              .lo = o->lo,
                              .hi = o->hi,
                              .resample = {(rs_resample_mode)o->resample, o->pixel_size},
                              .threshold = o->threshold,
                              .check_precision = o->check_precision != 0,
                              .pad = o->pad != 0,
                              .average = o->average <= INT_MAX ? (int)o->average : -1};
}

void reshed_frame_defaults(reshed_frame_options *o)
{
    rs_frame_options in;
    rs_frame_defaults(&in);
    *o = (reshed_frame_options){.size = sizeof *o,
                                .threads = in.engine.threads,
                                .algo = (reshed_algo)in.engine.algo,
                                .precision = (reshed_precision)in.engine.precision,
                                .check_precision = in.check_precision,
                                .norm = (reshed_frame_norm)in.norm,
                                .lo = in.lo,
                                .hi = in.hi,
                                .resample = (reshed_resample)in.resample.mode,
                                .pixel_size = in.resample.pixel_size,
                                .threshold = in.threshold,
                                .pad = in.pad,
                                .average = (size_t)in.average};
}

/* The options as infer/ has them, checked. */
static reshed_status take_options(const reshed_frame_options *options, rs_frame_options *out,
                                  reshed_error *err)
{
    static const size_t known[] = {offsetof(reshed_frame_options, pad),
                                   offsetof(reshed_frame_options, average),
                                   sizeof(reshed_frame_options)};
    reshed_frame_options o;
    reshed_frame_defaults(&o);
    reshed_status st = rs_api_options("reshed_frame", options, known, 3, &o, err);
    if (st != RESHED_OK) return st;
    *out = inner_options(&o);
    return rs_frame_check(out, err);
}

reshed_status reshed_frame_check(const reshed_frame_options *options, reshed_error *err)
{
    rs_frame_options in;
    if (!options) return rs_fail(err, RESHED_EINVAL, "options|not NULL|NULL");
    return take_options(options, &in, err);
}

typedef reshed_status create_fn(rs_ensemble *, const rs_frame_options *, rs_frame **,
                                reshed_error *);

static reshed_status create_sharing(rs_ensemble *e, const rs_frame_options *o, rs_frame **out,
                                    reshed_error *err)
{
    return rs_frame_create(e, o, out, err);
}

static reshed_status create(create_fn *make, rs_ensemble *e, const reshed_frame_options *options,
                            reshed_frame **out, reshed_error *err)
{
    rs_frame_options in;
    if (!e || !out) return rs_fail(err, RESHED_EINVAL, "ensemble and result|not NULL|NULL");
    reshed_status st = take_options(options, &in, err);
    if (st != RESHED_OK) return st;
    reshed_frame *f = rs_zalloc(1, sizeof *f);
    if (!f) return rs_fail_nomem(err, "a frame", sizeof *f);
    st = make(e, &in, &f->frame, err);
    if (st != RESHED_OK) {
        rs_free(f);
        return st;
    }
    *out = f;
    return RESHED_OK;
}

reshed_status reshed_frame_create(const reshed_ensemble *e, const reshed_frame_options *options,
                                  reshed_frame **out, reshed_error *err)
{
    return create(create_sharing, e ? e->inner : NULL, options, out, err);
}

reshed_status reshed_frame_create_taking(reshed_ensemble *e, const reshed_frame_options *options,
                                         reshed_frame **out, reshed_error *err)
{
    return create(rs_frame_create_taking, e ? e->inner : NULL, options, out, err);
}

void reshed_frame_free(reshed_frame *f)
{
    if (!f) return;
    rs_frame_free(f->frame);
    rs_free(f);
}

reshed_status reshed_frame_run(reshed_frame *f, const float *image, int height, int width,
                               double dx, double dy, reshed_error *err)
{
    if (!f || !image) return rs_fail(err, RESHED_EINVAL, "frame and image|not NULL|NULL");
    return rs_frame_run(f->frame, image, height, width, dx, dy, err);
}

void reshed_frame_set_cancel(reshed_frame *f, int (*cancel)(void *ctx), void *ctx)
{
    f->cancel = (rs_cancel){cancel, ctx, 0};
    rs_frame_set_stop(f->frame, cancel ? rs_cancel_asked : NULL, &f->cancel);
}

void reshed_frame_get(const reshed_frame *f, reshed_frame_view *v)
{
    rs_frame_view in;
    rs_frame_get(f->frame, &in);
    *v = (reshed_frame_view){
        .height = in.height,
        .width = in.width,
        .classes = in.classes,
        .members = in.members,
        .image = in.image,
        .mean = in.mean,
        .variance = in.variance,
        .wall = in.wall,
        .wall_variance = in.wall_variance,
        .input = in.input,
        .input_height = in.input_height,
        .input_width = in.input_width,
        .resampled = in.resampled,
        .lo = in.range.lo,
        .hi = in.range.hi,
        .filled = in.filled,
        .mean_uncertainty = in.mean_uncertainty,
        .wall_fraction = in.wall_fraction,
        .ood_score = in.ood_score,
        .ood_threshold = in.ood_threshold,
        .alarm = in.alarm,
        .checked = in.checked,
        .mean_error = {in.mean_error.largest, in.mean_error.average},
        .variance_error = {in.variance_error.largest, in.variance_error.average},
        .seconds = in.seconds};
}

size_t reshed_frame_bytes(const reshed_frame *f)
{
    return rs_frame_bytes(f->frame) + sizeof *f;
}
