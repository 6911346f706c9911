/* Every step of the chain is affine, so each is kept as six numbers with its inverse, computed once
 * from the frame and the device. The inverses are written out rather than computed from a
 * determinant: each has a closed form that loses nothing. */
#include "spm/instrument/coords.h"

#include <math.h>

#include "base/image.h"

rs_coords_frame rs_coords_frame_of(const rs_frame *frame)
{
    return (rs_coords_frame){.cx = frame->cx,
                             .cy = frame->cy,
                             .width = frame->width,
                             .height = frame->height,
                             .angle = frame->angle,
                             .rows = frame->rows,
                             .cols = frame->cols,
                             .rule = RS_PIXEL_CENTRED};
}

rs_device rs_device_metres(void)
{
    return (rs_device){.kind = RS_DEVICE_METRES};
}

rs_device rs_device_normalised(void)
{
    return (rs_device){.kind = RS_DEVICE_NORMALISED, .low = -1, .high = 1};
}

static rs_xy apply(const rs_affine *a, double x, double y)
{
    return (rs_xy){a->xx * x + a->xy * y + a->x0, a->yx * x + a->yy * y + a->y0};
}

/* A scale and a shift per axis, and back. */
static void set_scale(rs_affine *to, rs_affine *back, double sx, double x0, double sy, double y0)
{
    *to = (rs_affine){.xx = sx, .x0 = x0, .yy = sy, .y0 = y0};
    *back = (rs_affine){.xx = 1 / sx, .x0 = -x0 / sx, .yy = 1 / sy, .y0 = -y0 / sy};
}

/* b after a. */
static rs_affine after(const rs_affine *b, const rs_affine *a)
{
    rs_xy origin = apply(b, a->x0, a->y0);
    return (rs_affine){
        .xx = b->xx * a->xx + b->xy * a->yx,
        .xy = b->xx * a->xy + b->xy * a->yy,
        .x0 = origin.x,
        .yx = b->yx * a->xx + b->yy * a->yx,
        .yy = b->yx * a->xy + b->yy * a->yy,
        .y0 = origin.y,
    };
}

/* --------------------------------------------------------------------------------------- checks */

static reshed_status check_frame(const rs_coords_frame *f, reshed_error *err)
{
    int least = f->rule == RS_PIXEL_INCLUSIVE ? 2 : 1;
    if (!(f->width > 0) || !(f->height > 0) || !isfinite(f->width) || !isfinite(f->height))
        return rs_fail(err, RESHED_EINVAL, "size of the scan frame|finite and > 0|%g x %g m",
                       f->width, f->height);
    if (!isfinite(f->cx) || !isfinite(f->cy) || !isfinite(f->angle))
        return rs_fail(err, RESHED_EINVAL,
                       "place of the scan frame|finite numbers|centre %g, %g m, angle %g rad",
                       f->cx, f->cy, f->angle);
    if (f->rows < least || f->cols < least || f->rows > RS_IMAGE_MAX_SIDE ||
        f->cols > RS_IMAGE_MAX_SIDE)
        return rs_fail(err, RESHED_EINVAL, "pixels of the scan frame|%d to %d on each side|%d x %d",
                       least, RS_IMAGE_MAX_SIDE, f->rows, f->cols);
    return RESHED_OK;
}

static bool usable_divisor(double v)
{
    return isfinite(v) && v != 0 && isfinite(1 / v);
}

static reshed_status check_device(const rs_device *d, reshed_error *err)
{
    if (d->kind == RS_DEVICE_NORMALISED &&
        (!isfinite(d->low) || !isfinite(d->high) || !usable_divisor(d->high - d->low)))
        return rs_fail(err, RESHED_EINVAL, "device range|two different numbers|%g to %g", d->low,
                       d->high);
    if (d->kind != RS_DEVICE_VOLTS) return RESHED_OK;
    if (!usable_divisor(d->sensitivity_x) || !usable_divisor(d->sensitivity_y))
        return rs_fail(err, RESHED_EINVAL, "sensor sensitivity|finite and not zero|%g and %g m/V",
                       d->sensitivity_x, d->sensitivity_y);
    if (!isfinite(d->offset_x) || !isfinite(d->offset_y))
        return rs_fail(err, RESHED_EINVAL, "sensor offset|finite|%g and %g V", d->offset_x,
                       d->offset_y);
    return RESHED_OK;
}

/* -------------------------------------------------------------------------------------- setting */

/* The place of pixel 0 and the step between pixels, as fractions of the frame from its -x or -y
 * edge. */
static void place_pixels(rs_pixel_rule rule, int n, double *first, double *step)
{
    switch (rule) {
    case RS_PIXEL_CENTRED:
        *first = 0.5 / n;
        *step = 1.0 / n;
        break;
    case RS_PIXEL_INCLUSIVE:
        *first = 0;
        *step = 1.0 / (n - 1);
        break;
    case RS_PIXEL_HALF_OPEN:
        *first = 0;
        *step = 1.0 / n;
        break;
    }
}

static void set_pixels(rs_coords *c)
{
    const rs_coords_frame *f = &c->frame;
    double first_x = 0, step_x = 1, first_y = 0, step_y = 1;
    place_pixels(f->rule, f->cols, &first_x, &step_x);
    place_pixels(f->rule, f->rows, &first_y, &step_y);
    /* Row r is pixel rows-1-r counted from the bottom. */
    double top = first_y + (f->rows - 1) * step_y;
    set_scale(&c->pixel_to_frame, &c->frame_to_pixel, step_x * f->width, (first_x - 0.5) * f->width,
              -step_y * f->height, (top - 0.5) * f->height);
}

static void set_stage(rs_coords *c)
{
    const rs_coords_frame *f = &c->frame;
    double co = cos(f->angle), si = sin(f->angle);
    c->frame_to_stage = (rs_affine){co, -si, f->cx, si, co, f->cy};
    c->stage_to_frame =
        (rs_affine){co, si, -(co * f->cx + si * f->cy), -si, co, si * f->cx - co * f->cy};
}

static void set_device(rs_coords *c)
{
    const rs_device *d = &c->device;
    rs_affine scale, back;
    switch (d->kind) {
    case RS_DEVICE_METRES: set_scale(&c->stage_to_device, &c->device_to_stage, 1, 0, 1, 0); break;
    case RS_DEVICE_NORMALISED:
        /* The instrument turns the frame itself: its numbers run along the frame's own axes. */
        set_scale(&scale, &back, (d->high - d->low) / c->frame.width, (d->high + d->low) / 2,
                  (d->high - d->low) / c->frame.height, (d->high + d->low) / 2);
        c->stage_to_device = after(&scale, &c->stage_to_frame);
        c->device_to_stage = after(&c->frame_to_stage, &back);
        break;
    case RS_DEVICE_VOLTS: {
        bool absolute = d->sign == RS_SIGN_ABSOLUTE;
        double sx = absolute ? fabs(d->sensitivity_x) : d->sensitivity_x;
        double sy = absolute ? fabs(d->sensitivity_y) : d->sensitivity_y;
        set_scale(&c->stage_to_device, &c->device_to_stage, 1 / sx, d->offset_x, 1 / sy,
                  d->offset_y);
        break;
    }
    }
}

reshed_status rs_coords_init(rs_coords *coords, const rs_coords_frame *frame,
                             const rs_device *device, reshed_error *err)
{
    reshed_status st = check_frame(frame, err);
    if (st == RESHED_OK) st = check_device(device, err);
    if (st != RESHED_OK) return st;
    rs_coords c = {.frame = *frame, .device = *device};
    set_pixels(&c);
    set_stage(&c);
    set_device(&c);
    *coords = c;
    return RESHED_OK;
}

/* -------------------------------------------------------------------------------------- mapping */

static void map_xy(const rs_affine *a, const rs_xy *in, size_t n, rs_xy *out)
{
    for (size_t i = 0; i < n; i++) out[i] = apply(a, in[i].x, in[i].y);
}

static void map_from_pixels(const rs_affine *a, const rs_rowcol *in, size_t n, rs_xy *out)
{
    for (size_t i = 0; i < n; i++) out[i] = apply(a, in[i].col, in[i].row);
}

static void map_to_pixels(const rs_affine *a, const rs_xy *in, size_t n, rs_rowcol *out)
{
    for (size_t i = 0; i < n; i++) {
        rs_xy p = apply(a, in[i].x, in[i].y);
        out[i] = (rs_rowcol){.row = p.y, .col = p.x};
    }
}

void rs_pixel_to_frame(const rs_coords *c, const rs_rowcol *in, size_t n, rs_xy *out)
{
    map_from_pixels(&c->pixel_to_frame, in, n, out);
}

void rs_frame_to_pixel(const rs_coords *c, const rs_xy *in, size_t n, rs_rowcol *out)
{
    map_to_pixels(&c->frame_to_pixel, in, n, out);
}

void rs_frame_to_stage(const rs_coords *c, const rs_xy *in, size_t n, rs_xy *out)
{
    map_xy(&c->frame_to_stage, in, n, out);
}

void rs_stage_to_frame(const rs_coords *c, const rs_xy *in, size_t n, rs_xy *out)
{
    map_xy(&c->stage_to_frame, in, n, out);
}

void rs_stage_to_device(const rs_coords *c, const rs_xy *in, size_t n, rs_xy *out)
{
    map_xy(&c->stage_to_device, in, n, out);
}

void rs_device_to_stage(const rs_coords *c, const rs_xy *in, size_t n, rs_xy *out)
{
    map_xy(&c->device_to_stage, in, n, out);
}

void rs_pixel_to_stage(const rs_coords *c, const rs_rowcol *in, size_t n, rs_xy *out)
{
    rs_affine a = after(&c->frame_to_stage, &c->pixel_to_frame);
    map_from_pixels(&a, in, n, out);
}

void rs_stage_to_pixel(const rs_coords *c, const rs_xy *in, size_t n, rs_rowcol *out)
{
    rs_affine a = after(&c->frame_to_pixel, &c->stage_to_frame);
    map_to_pixels(&a, in, n, out);
}

void rs_pixel_to_device(const rs_coords *c, const rs_rowcol *in, size_t n, rs_xy *out)
{
    rs_affine stage = after(&c->frame_to_stage, &c->pixel_to_frame);
    rs_affine a = after(&c->stage_to_device, &stage);
    map_from_pixels(&a, in, n, out);
}

void rs_device_to_pixel(const rs_coords *c, const rs_xy *in, size_t n, rs_rowcol *out)
{
    rs_affine frame = after(&c->stage_to_frame, &c->device_to_stage);
    rs_affine a = after(&c->frame_to_pixel, &frame);
    map_to_pixels(&a, in, n, out);
}

void rs_coords_pixel_size(const rs_coords *c, double *dx, double *dy)
{
    *dx = fabs(c->pixel_to_frame.xx);
    *dy = fabs(c->pixel_to_frame.yy);
}

size_t rs_first_outside(const rs_coords *c, const rs_xy *frame_point, size_t n, double slack)
{
    double x = c->frame.width / 2 + slack, y = c->frame.height / 2 + slack;
    for (size_t i = 0; i < n; i++)
        if (!(fabs(frame_point[i].x) <= x) || !(fabs(frame_point[i].y) <= y)) return i;
    return n;
}
