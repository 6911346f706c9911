/* features.c - places the features of PFM frames that are no ferroelastic walls: bright curves with
 * dark cores (walls and islands of 180-degree domains whose neighbourhood responds strongly), round
 * spots, and the 180-degree domains themselves. */
#include "spm/twin/objects.h"

#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"

/* Of features. */
#define KINDS 6

static void profile(rs_random *r, const rs_twin_options *o, twin_feature *f)
{
    double bright = rs_random_log(r, o->curve_brightness.lo, o->curve_brightness.hi);
    double share = rs_random_between(r, 0, 1); /* how unlike the two sides are */
    bool left = rs_random_chance(r, 0.5);
    f->bright[left] = (float)bright;
    f->bright[!left] = (float)(bright * share);
    f->halo = (float)(rs_random_chance(r, 0.4) ? o->halo * bright * rs_random_unit(r) : 0);
    f->core = (float)(rs_random_chance(r, 0.3) ? rs_random_between(r, 0, 0.2)
                                               : rs_random_between(r, 0.2, 0.9));
    f->width = (float)(o->curve_width * rs_random_between(r, 0.6, 1.6));
    f->vary_size = (float)(o->curve_width * rs_random_between(r, 2, 8));
    f->seed = rs_random_next(r);
}

/* Draws a walk whose direction wanders and now and then turns sharply. */
static void make_curve(rs_random *r, const rs_twin_options *o, double x, double y, twin_feature *f)
{
    double length =
        fmin(rs_random_exponential(r, o->curve_size) + 0.2 * o->curve_size, 4 * o->curve_size);
    double step = fmax(length / (TWIN_CURVE_POINTS - 1), 0.7 * o->curve_width);
    double direction = 2 * RS_PI * rs_random_unit(r), turn = rs_random_between(r, 0.04, 0.5);
    f->points = (int)(length / step) + 1;
    if (f->points < 2) f->points = 2;
    if (f->points > TWIN_CURVE_POINTS) f->points = TWIN_CURVE_POINTS;
    for (int i = 0; i < f->points; i++) {
        f->x[i] = (float)x;
        f->y[i] = (float)y;
        x += step * cos(direction);
        y += step * sin(direction);
        direction += turn * rs_random_gauss(r);
        if (rs_random_chance(r, 0.08)) direction += rs_random_between(r, -1.8, 1.8);
    }
    profile(r, o, f);
}

/* Draws a dented ellipse. */
static void make_ring(rs_random *r, const rs_twin_options *o, double x, double y, twin_feature *f)
{
    double radius = fmax(0.5 * o->curve_size * rs_random_log(r, 0.15, 0.7), o->curve_width);
    double stretch = rs_random_log(r, 1, 2.5), turn = 2 * RS_PI * rs_random_unit(r);
    double dent = rs_random_between(r, 0, 0.35), phase = 2 * RS_PI * rs_random_unit(r);
    int lobes = 2 + rs_random_index(r, 3);
    bool open = rs_random_chance(r, 0.4);
    f->points = open ? TWIN_CURVE_POINTS - 4 : TWIN_CURVE_POINTS;
    for (int i = 0; i < f->points; i++) {
        double a = 2 * RS_PI * i / (TWIN_CURVE_POINTS - 1);
        double d = radius * (1 + dent * sin(lobes * a + phase));
        double u = d * cos(a) * sqrt(stretch), v = d * sin(a) / sqrt(stretch);
        f->x[i] = (float)(x + u * cos(turn) - v * sin(turn));
        f->y[i] = (float)(y + u * sin(turn) + v * cos(turn));
    }
    profile(r, o, f);
}

static void make_spot(rs_random *r, const rs_twin_options *o, double x, double y, twin_feature *f)
{
    f->points = 1;
    f->x[0] = (float)x;
    f->y[0] = (float)y;
    f->width = (float)(o->curve_width * rs_random_log(r, 0.7, 3));
    bool dark = rs_random_chance(r, 0.6);
    f->bright[0] = (float)(dark ? -rs_random_between(r, 0.2, 0.9)
                                : rs_random_log(r, o->curve_brightness.lo, o->curve_brightness.hi));
    f->seed = rs_random_next(r);
}

/* Moves (x,y) to the edge of some stripe within the film; it stays where none is found soon. */
static void cling(const rs_twin_sample *sample, rs_random *r, double *x, double *y)
{
    const rs_twin_options *o = &sample->opt;
    for (int k = 0; k < 8; k++) {
        const twin_stripe *st = &sample->stripe[rs_random_index(r, sample->stripes)];
        double s = st->length * rs_random_unit(r);
        twin_edges e = twin_stripe_edges(st, s);
        double off = o->curve_width * rs_random_between(r, 0, 3);
        double n = rs_random_chance(r, 0.5) ? (double)e.left + off : (double)e.right - off;
        double u = st->x + s * st->ux - n * st->uy, v = st->y + s * st->uy + n * st->ux;
        if (fabs(u) > 0.5 * o->width || fabs(v) > 0.5 * o->height) continue;
        *x = u;
        *y = v;
        return;
    }
}

reshed_status twin_place_features(rs_twin_sample *sample, reshed_error *err)
{
    const rs_twin_options *o = &sample->opt;
    const struct {
        twin_maker *make;
        double density;
        uint64_t stream;
    } kind[KINDS] = {{make_curve, o->curve_density, TWIN_STREAM_CURVE},
                     {make_ring, o->ring_density, TWIN_STREAM_RING},
                     {make_spot, o->spot_density, TWIN_STREAM_SPOT},
                     {twin_make_ridge, o->ridge_density, TWIN_STREAM_RIDGE},
                     {twin_make_scratch, o->scratch_density, TWIN_STREAM_SCRATCH},
                     {twin_make_dust, o->dust_density, TWIN_STREAM_DUST}};
    int count[KINDS], total = 0;
    for (int k = 0; k < KINDS; k++) {
        rs_random r = rs_random_at(o->seed, kind[k].stream, UINT64_MAX);
        count[k] = rs_random_poisson(&r, fmin(kind[k].density * o->width * o->height, 1e5));
        if (count[k] > TWIN_MAX_FEATURES / 3) count[k] = TWIN_MAX_FEATURES / 3;
        total += count[k];
    }
    sample->feature = rs_zalloc((size_t)total, sizeof *sample->feature);
    if (!sample->feature)
        return rs_fail_nomem(err, "the features of the twin",
                             (size_t)total * sizeof *sample->feature);
    for (int k = 0; k < KINDS; k++)
        for (int i = 0; i < count[k]; i++) {
            rs_random r = rs_random_at(o->seed, kind[k].stream, (uint64_t)i);
            double x = (rs_random_unit(&r) - 0.5) * o->width,
                   y = (rs_random_unit(&r) - 0.5) * o->height;
            if (k < 2 && sample->stripes > 0 && rs_random_chance(&r, o->clinging))
                cling(sample, &r, &x, &y);
            kind[k].make(&r, o, x, y, &sample->feature[sample->features++]);
        }
    return RESHED_OK;
}

/* A sum of plane waves of one wavelength is close to a Gaussian field, whose level sets meander
 * like 180-degree walls do. Unit variance, so the level for a given share follows from the normal
 * distribution; its inverse is found by bisection. */
void twin_place_minus(rs_twin_sample *sample)
{
    const rs_twin_options *o = &sample->opt;
    rs_random r = rs_random_at(o->seed, TWIN_STREAM_MINUS, 0);
    for (int i = 0; i < TWIN_WAVES; i++) {
        double k = 2 * RS_PI / o->minus_size * rs_random_between(&r, 0.75, 1.25);
        double a = 2 * RS_PI * rs_random_unit(&r);
        sample->wave_kx[i] = k * cos(a);
        sample->wave_ky[i] = k * sin(a);
        sample->wave_phase[i] = 2 * RS_PI * rs_random_unit(&r);
    }
    double lo = -8, hi = 8;
    for (int i = 0; i < 60; i++) {
        double mid = 0.5 * (lo + hi);
        *(0.5 * erfc(-mid / sqrt(2)) < o->minus_fraction ? &lo : &hi) = mid;
    }
    sample->wave_level = 0.5 * (lo + hi);
}

double twin_minus_field(const rs_twin_sample *sample, double x, double y)
{
    double sum = 0;
    for (int i = 0; i < TWIN_WAVES; i++)
        sum += cos(sample->wave_kx[i] * x + sample->wave_ky[i] * y + sample->wave_phase[i]);
    return sum * sqrt(2.0 / TWIN_WAVES) - sample->wave_level;
}

double twin_minus_scale(const rs_twin_sample *sample)
{
    /* The gradient of such a field is k/sqrt(2) in each direction. */
    return sample->opt.minus_size / (2 * RS_PI);
}
