#include "spm/instrument/limits.h"

#include <math.h>

#include "base/image.h"

/* Allowed for rounding at a corner, as a share of the stage's range. */
#define ROUNDING 1e-9
/* Voltages of one spectroscopy. */
#define STEPS_MAX (1 << 20)

void rs_limits_none(rs_limits *limits)
{
    *limits = (rs_limits){.driver = {.x_min = -INFINITY,
                                     .x_max = INFINITY,
                                     .y_min = -INFINITY,
                                     .y_max = INFINITY,
                                     .bias_max = INFINITY,
                                     .drive_max = INFINITY,
                                     .speed_max = INFINITY},
                          .step_max = INFINITY};
}

static reshed_status check_limits(const char *whose, const rs_limits *l, reshed_error *err)
{
    const rs_driver_limits *d = &l->driver;
    if (isnan(d->x_min) || isnan(d->x_max) || isnan(d->y_min) || isnan(d->y_max))
        return rs_fail(err, RESHED_EINVAL, "%s limits of the stage|numbers|NaN", whose);
    const struct {
        const char *name;
        double value;
    } most[] = {{"bias", d->bias_max},
                {"drive", d->drive_max},
                {"tip speed", d->speed_max},
                {"time of a step", l->step_max}};
    for (size_t i = 0; i < sizeof most / sizeof most[0]; i++)
        if (!(most[i].value >= 0))
            return rs_fail(err, RESHED_EINVAL, "%s limit of the %s|0 or more|%g", whose,
                           most[i].name, most[i].value);
    return RESHED_OK;
}

reshed_status rs_limits_join(const rs_driver_limits *driver, const rs_limits *user, rs_limits *out,
                             reshed_error *err)
{
    rs_limits own, none;
    rs_limits_none(&own);
    rs_limits_none(&none);
    own.driver = *driver;
    if (!user) user = &none;
    reshed_status st = check_limits("the driver's", &own, err);
    if (st == RESHED_OK) st = check_limits("the user's", user, err);
    if (st != RESHED_OK) return st;
    const rs_driver_limits *a = &own.driver, *b = &user->driver;
    rs_limits both = {.driver = {.x_min = fmax(a->x_min, b->x_min),
                                 .x_max = fmin(a->x_max, b->x_max),
                                 .y_min = fmax(a->y_min, b->y_min),
                                 .y_max = fmin(a->y_max, b->y_max),
                                 .bias_max = fmin(a->bias_max, b->bias_max),
                                 .drive_max = fmin(a->drive_max, b->drive_max),
                                 .speed_max = fmin(a->speed_max, b->speed_max)},
                      .step_max = user->step_max};
    const rs_driver_limits *l = &both.driver;
    if (l->x_min > l->x_max || l->y_min > l->y_max)
        return rs_fail(err, RESHED_EINVAL,
                       "limits of the stage|a place for the tip|x %g to %g m, y %g to %g m",
                       l->x_min, l->x_max, l->y_min, l->y_max);
    *out = both;
    return RESHED_OK;
}

/* --------------------------------------------------------------------------------------- checks */

/* |value| <= most, finite. */
static reshed_status check_size(const char *what, const char *unit, double value, double most,
                                reshed_error *err)
{
    if (isfinite(value) && fabs(value) <= most) return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "%s|at most %g %s|%g %s", what, most, unit, value, unit);
}

/* 0 <= value <= most, finite. */
static reshed_status check_share(const char *what, const char *unit, double value, double most,
                                 reshed_error *err)
{
    if (isfinite(value) && value >= 0 && value <= most) return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "%s|0 to %g %s|%g %s", what, most, unit, value, unit);
}

static reshed_status check_range(const char *what, double value, double lo, double hi,
                                 reshed_error *err)
{
    double slack = isfinite(hi - lo) ? ROUNDING * (hi - lo) : 0;
    if (isfinite(value) && value >= lo - slack && value <= hi + slack) return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "%s|%.9g to %.9g m|%.9g m", what, lo, hi, value);
}

static reshed_status check_point(const rs_limits *l, const char *x_name, const char *y_name,
                                 double x, double y, reshed_error *err)
{
    reshed_status st = check_range(x_name, x, l->driver.x_min, l->driver.x_max, err);
    return st == RESHED_OK ? check_range(y_name, y, l->driver.y_min, l->driver.y_max, err) : st;
}

reshed_status rs_limits_check_place(const rs_limits *l, double x, double y, reshed_error *err)
{
    return check_point(l, "x of the tip", "y of the tip", x, y, err);
}

reshed_status rs_limits_check_speed(const rs_limits *l, double speed, reshed_error *err)
{
    if (!(speed > 0)) return rs_fail(err, RESHED_EINVAL, "tip speed|above 0 m/s|%g", speed);
    return check_size("tip speed", "m/s", speed, l->driver.speed_max, err);
}

reshed_status rs_limits_check_move(const rs_limits *l, double x, double y, double speed,
                                   reshed_error *err)
{
    reshed_status st = rs_limits_check_speed(l, speed, err);
    return st == RESHED_OK ? rs_limits_check_place(l, x, y, err) : st;
}

reshed_status rs_limits_check_frame(const rs_limits *l, const rs_frame *f, reshed_error *err)
{
    if (!(isfinite(f->width) && f->width > 0 && isfinite(f->height) && f->height > 0))
        return rs_fail(err, RESHED_EINVAL, "size of the frame|above 0 m|%g x %g m", f->width,
                       f->height);
    if (!isfinite(f->angle))
        return rs_fail(err, RESHED_EINVAL, "angle of the frame|a number|%g", f->angle);
    if (f->rows < 1 || f->cols < 1 || f->rows > RS_IMAGE_MAX_SIDE || f->cols > RS_IMAGE_MAX_SIDE ||
        (size_t)f->rows * (size_t)f->cols > RS_IMAGE_MAX_PIXELS)
        return rs_fail(err, RESHED_EINVAL, "pixels of the frame|1 to %d a side|%d x %d",
                       RS_IMAGE_MAX_SIDE, f->rows, f->cols);
    if (!(isfinite(f->line_rate) && f->line_rate > 0))
        return rs_fail(err, RESHED_EINVAL, "line rate|above 0 Hz|%g", f->line_rate);
    double c = cos(f->angle), n = sin(f->angle);
    for (int corner = 0; corner < 4; corner++) {
        double u = corner & 1 ? 0.5 * f->width : -0.5 * f->width;
        double v = corner & 2 ? 0.5 * f->height : -0.5 * f->height;
        reshed_status st =
            check_point(l, "x of a corner of the frame", "y of a corner of the frame",
                        f->cx + c * u - n * v, f->cy + n * u + c * v, err);
        if (st != RESHED_OK) return st;
    }
    return check_size("tip speed along a line", "m/s", 2 * f->width * f->line_rate,
                      l->driver.speed_max, err);
}

reshed_status rs_limits_check_bias(const rs_limits *l, double volts, reshed_error *err)
{
    return check_size("bias", "V", volts, l->driver.bias_max, err);
}

reshed_status rs_limits_check_drive(const rs_limits *l, double volts, reshed_error *err)
{
    return check_share("drive", "V", volts, l->driver.drive_max, err);
}

reshed_status rs_limits_check_be(const rs_limits *l, const rs_be_setup *be, reshed_error *err)
{
    if (!(isfinite(be->centre) && isfinite(be->band) && be->band > 0 &&
          be->centre > 0.5 * be->band))
        return rs_fail(err, RESHED_EINVAL, "excitation band|above 0 Hz|%g Hz about %g Hz", be->band,
                       be->centre);
    if (!(fabs(be->phase_variation) <= 1))
        return rs_fail(err, RESHED_EINVAL, "phase variation|-1 to 1|%g", be->phase_variation);
    if (be->repeats < 1)
        return rs_fail(err, RESHED_EINVAL, "repeats of the excitation|1 or more|%d", be->repeats);
    if (!(isfinite(be->duration) && be->duration > 0))
        return rs_fail(err, RESHED_EINVAL, "duration of a pulse|above 0 s|%g", be->duration);
    return rs_limits_check_drive(l, be->amplitude, err);
}

reshed_status rs_limits_check_pulse(const rs_limits *l, double volts, double width,
                                    reshed_error *err)
{
    reshed_status st = check_size("voltage of a pulse", "V", volts, l->driver.bias_max, err);
    return st == RESHED_OK ? check_share("width of a pulse", "s", width, l->step_max, err) : st;
}

reshed_status rs_limits_check_spectroscopy(const rs_limits *l, const rs_spectroscopy *p,
                                           reshed_error *err)
{
    if (p->steps < 1 || p->steps > STEPS_MAX || !p->voltage)
        return rs_fail(err, RESHED_EINVAL, "steps of the spectroscopy|1 to %d|%d", STEPS_MAX,
                       p->voltage ? p->steps : 0);
    for (int i = 0; i < p->steps; i++)
        if (!(fabs(p->voltage[i]) <= l->driver.bias_max && isfinite(p->voltage[i])))
            return rs_fail(err, RESHED_EINVAL,
                           "voltage of the spectroscopy|at most %g V|%g V|step "
                           "%d",
                           l->driver.bias_max, p->voltage[i], i);
    reshed_status st =
        check_size("bias of the reading", "V", p->read_bias, l->driver.bias_max, err);
    const struct {
        const char *name;
        double value;
    } time[] = {{"dwell of a step", p->dwell},
                {"settling of a step", p->settle},
                {"pulse of a step", p->on_time},
                {"dwell and settling of a step", p->dwell + p->settle}};
    for (size_t i = 0; st == RESHED_OK && i < sizeof time / sizeof time[0]; i++)
        st = check_share(time[i].name, "s", time[i].value, l->step_max, err);
    if (st == RESHED_OK && !(isfinite(p->ramp_rate) && p->ramp_rate >= 0))
        st = rs_fail(err, RESHED_EINVAL, "ramp of the voltage|0 V/s or more|%g", p->ramp_rate);
    return st;
}
