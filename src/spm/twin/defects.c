/* defects.c - bright things and scratches that are no walls: folded ridges with dark rims,
 * scratches, dust. */
#include "spm/twin/objects.h"

#include "base/numeric.h"

static float brightness(rs_random *r, const rs_twin_options *o)
{
    return (float)rs_random_log(r, o->curve_brightness.lo, o->curve_brightness.hi);
}

/* A long bright line that bends steadily and folds back on itself, its rims dark. */
void twin_make_ridge(rs_random *r, const rs_twin_options *o, double x, double y, twin_feature *f)
{
    double length = o->curve_size * rs_random_log(r, 0.8, 6),
           step = length / (TWIN_CURVE_POINTS - 1);
    double direction = 2 * RS_PI * rs_random_unit(r), bend = 0.25 * rs_random_gauss(r);
    f->points = TWIN_CURVE_POINTS;
    for (int i = 0; i < f->points; i++) {
        f->x[i] = (float)x;
        f->y[i] = (float)y;
        x += step * cos(direction);
        y += step * sin(direction);
        direction += bend + 0.1 * rs_random_gauss(r);
        if (rs_random_chance(r, 0.1)) bend = 0.3 * rs_random_gauss(r);
        if (rs_random_chance(r, 0.06)) direction += rs_random_between(r, -2.6, 2.6);
    }
    for (int k = 0; k < 2; k++) f->bright[k] = (float)-rs_random_between(r, 0.2, 0.8);
    f->core = -brightness(r, o) * 1.5f;
    f->width = (float)(o->curve_width * rs_random_between(r, 0.7, 1.8));
    f->vary_size = (float)(o->curve_width * rs_random_between(r, 3, 15));
    f->seed = rs_random_next(r);
}

/* A straight thin line in any direction: a groove, with or without a bright rim. */
void twin_make_scratch(rs_random *r, const rs_twin_options *o, double x, double y, twin_feature *f)
{
    double length = o->curve_size * rs_random_log(r, 1, 12), a = RS_PI * rs_random_unit(r);
    const bool groove = rs_random_chance(r, 0.7);
    f->points = 2;
    f->x[0] = (float)(x - 0.5 * length * cos(a));
    f->y[0] = (float)(y - 0.5 * length * sin(a));
    f->x[1] = (float)(x + 0.5 * length * cos(a));
    f->y[1] = (float)(y + 0.5 * length * sin(a));
    f->core = groove ? (float)rs_random_between(r, 0.15, 0.6) : -brightness(r, o);
    f->bright[rs_random_index(r, 2)] =
        groove && rs_random_chance(r, 0.5) ? 0.5f * brightness(r, o) : 0;
    f->width = (float)(o->curve_width * rs_random_between(r, 0.3, 0.8));
    f->vary_size = (float)(o->curve_width * rs_random_between(r, 5, 40));
    f->seed = rs_random_next(r);
}

/* A small ring so tight that its middle is filled: a bright grain with a dark rim, or the reverse. */
void twin_make_dust(rs_random *r, const rs_twin_options *o, double x, double y, twin_feature *f)
{
    const double radius = o->curve_width * rs_random_log(r, 0.6, 3);
    const bool bright = rs_random_chance(r, 0.6);
    f->points = 12;
    for (int i = 0; i < f->points; i++) {
        double a = 2 * RS_PI * i / (f->points - 1);
        f->x[i] = (float)(x + radius * cos(a));
        f->y[i] = (float)(y + radius * sin(a));
    }
    /* The ring runs counterclockwise: its left side is inside. */
    f->bright[1] = bright ? (float)-rs_random_between(r, 0.3, 0.8) : brightness(r, o);
    f->bright[0] = bright ? 1.5f * brightness(r, o) : (float)-rs_random_between(r, 0.3, 0.9);
    f->width = (float)(0.7 * radius);
    f->vary_size = (float)(o->curve_width * rs_random_between(r, 2, 8));
    f->seed = rs_random_next(r);
}
