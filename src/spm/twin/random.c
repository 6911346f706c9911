#include "spm/twin/random.h"

#include "base/numeric.h"
#include "base/random.h"

enum { STREAM_FILM = 201, STREAM_INSTRUMENT };

static rs_twin_range around(rs_random *r, double middle, double spread, double unit)
{
    double f = exp(spread * rs_random_unit(r));
    return (rs_twin_range){middle / f * unit, middle * f * unit};
}

static void draw_stripes(rs_random *r, double px, rs_twin_options *o)
{
    double spacing = rs_random_log(r, 13, 75), ratio = rs_random_log(r, 0.6, 1.7);
    double width = rs_random_log(r, 2.4, 8);
    if (rs_random_chance(r, 0.1)) width = rs_random_log(r, 8, 16);
    if (width > 0.35 * spacing) width = 0.35 * spacing;
    o->angle = 2 * RS_PI * rs_random_unit(r);
    o->spacing[0] = spacing * ratio * px;
    o->spacing[1] = rs_random_chance(r, 0.12) ? 0 : spacing / ratio * px;
    o->run = rs_random_chance(r, 0.3) ? 0 : spacing * rs_random_log(r, 1.5, 8) * px;
    o->stripe_width = around(r, width, 0.6, px);
    double dark = rs_random_between(r, 0.35, 0.95), spread = rs_random_between(r, 0.05, 0.35);
    o->stripe_contrast = (rs_twin_range){fmax(dark - spread, 0.15), fmin(dark + spread, 0.98)};

    o->thin_density = rs_random_log(r, 0.3, 4);
    o->bundle_fraction = rs_random_between(r, 0, 0.7);
    o->thin_width = around(r, rs_random_log(r, 1.9, 4.2), 0.4, px);
    double faint = rs_random_between(r, 0.12, 0.35);
    o->thin_contrast = (rs_twin_range){faint, faint + rs_random_between(r, 0.05, 0.5)};
    o->needle_fraction = rs_random_between(r, 0.3, 1);
    o->inplane_density = rs_random_chance(r, 0.4) ? rs_random_between(r, 0.02, 0.25) : 0;
    o->inplane_width = (rs_twin_range){8 * px, 30 * px};
    double grey = rs_random_between(r, 0.2, 0.5);
    o->inplane_contrast = (rs_twin_range){grey, grey + 0.3};

    o->mixed_tilt = rs_random_between(r, 0, 0.4);
    o->tilt_spread = rs_random_between(r, 0, 0.02);
    o->bend = rs_random_between(r, 0, 1.2) * px;
    o->roughness = rs_random_between(r, 0, 0.8) * px;
    o->wedge = rs_random_between(r, 0, 0.6);
    o->uneven = rs_random_between(r, 0, 0.4);
    o->softness = around(r, rs_random_between(r, 0.7, 2.2), 0.3, px);
    o->asymmetry = rs_random_unit(r);
    o->rim = rs_random_chance(r, 0.5) ? rs_random_between(r, 0, 0.5) : 0;
    o->shadow = rs_random_chance(r, 0.5) ? rs_random_between(r, 0, 0.15) : 0;
}

static void draw_film(rs_random *r, double px, rs_twin_options *o)
{
    o->minus_fraction = rs_random_chance(r, 0.3) ? rs_random_between(r, 0.05, 0.5) : 0;
    o->minus_size = rs_random_log(r, 25, 120) * px;
    o->wall180_width = rs_random_between(r, 0.3, 1.5) * px;
    o->offset = rs_random_chance(r, 0.7) ? rs_random_between(r, 0, 0.3) : 0;

    double area = px * px, some = rs_random_chance(r, 0.8) ? 1 : 0;
    o->clinging = rs_random_unit(r);
    o->curve_density = some * rs_random_log(r, 3e-4, 3e-3) / area;
    o->ring_density = some * rs_random_log(r, 1e-4, 1.5e-3) / area;
    o->spot_density = rs_random_chance(r, 0.4) ? rs_random_log(r, 3e-5, 5e-4) / area : 0;
    o->curve_size = rs_random_log(r, 6, 35) * px;
    o->curve_width = rs_random_log(r, 0.8, 2.8) * px;
    double bright = rs_random_log(r, 0.2, 1.1);
    o->curve_brightness = (rs_twin_range){bright, bright * rs_random_log(r, 1.5, 5)};

    o->halo = rs_random_between(r, 0, 0.6);

    o->slow = rs_random_between(r, 0, 0.12);
    o->slow_size = rs_random_log(r, 8, 90) * px;
    o->texture = rs_random_log(r, 0.012, 0.1);
    o->texture_size = rs_random_log(r, 1.2, 7) * px;
}

static void draw_instrument(rs_random *r, double px, double rows, double harsh, rs_twin_effects *fx)
{
    double h = harsh;
    fx->drift_x = h * px * rows * 0.03 * rs_random_gauss(r);
    fx->drift_y = h * px * rows * 0.03 * rs_random_gauss(r);
    fx->jumps = rs_random_chance(r, 0.15) ? h * rs_random_between(r, 0.5, 4) : 0;
    fx->jump_size = rs_random_between(r, 0.3, 2) * px;
    fx->blur = rs_random_chance(r, 0.7) ? h * rs_random_between(r, 0, 1.2) : 0;
    fx->second_tip = rs_random_chance(r, 0.06) ? h * rs_random_between(r, 0.1, 0.4) : 0;
    fx->second_x = 4 * px * rs_random_gauss(r);
    fx->second_y = 4 * px * rs_random_gauss(r);
    fx->tip_change = rs_random_chance(r, 0.1) ? h * rs_random_between(r, 0.1, 0.5) : 0;
    fx->contrast = exp(h * rs_random_between(r, -0.5, 0.3));
    fx->gamma = exp(h * rs_random_between(r, -0.6, 0.5));
    fx->tilt_x = h * 0.2 * rs_random_gauss(r);
    fx->tilt_y = h * 0.2 * rs_random_gauss(r);
    if (fabs(fx->tilt_x) > 1) fx->tilt_x = 1;
    if (fabs(fx->tilt_y) > 1) fx->tilt_y = 1;
    fx->noise = h * rs_random_log(r, 0.004, 0.12);
    fx->line_noise = rs_random_chance(r, 0.5) ? h * rs_random_log(r, 0.003, 0.06) : 0;
    fx->level_jumps = rs_random_chance(r, 0.1) ? h * rs_random_between(r, 0.5, 3) : 0;
    fx->scars = rs_random_chance(r, 0.15) ? h * rs_random_between(r, 0.5, 5) : 0;
    fx->hot_pixels = rs_random_chance(r, 0.2) ? h * rs_random_log(r, 5e-5, 2e-3) : 0;
    fx->scanned = rs_random_chance(r, 0.1 * h) ? rs_random_between(r, 0.3, 1) : 1;
}

uint64_t rs_twin_image_seed(uint64_t set, int64_t i)
{
    return (set << 32) + (uint64_t)i;
}

void rs_twin_randomise(uint64_t seed, int rows, int cols, double want, double harsh,
                       rs_twin_options *opt, rs_twin_effects *fx, double *pixel)
{
    rs_random r = rs_random_at(seed, STREAM_FILM, 0);
    double px = rs_random_log(&r, RS_TWIN_PIXEL_MIN, RS_TWIN_PIXEL_MAX);
    px = want > 0 ? want : px;
    rs_twin_options_defaults(opt);
    rs_twin_effects_defaults(fx);
    /* A margin for drift. */
    opt->width = 1.2 * cols * px;
    opt->height = 1.2 * rows * px;
    opt->seed = rs_random_next(&r);
    fx->seed = rs_random_next(&r);
    draw_stripes(&r, px, opt);
    draw_film(&r, px, opt);
    r = rs_random_at(seed, STREAM_INSTRUMENT, 0);
    draw_instrument(&r, px, rows, harsh, fx);
    /* Stripes fainter than the noise cannot be found: labels of them would only teach to guess. */
    double seen = fmin(1.5 * fx->noise, 0.5);
    opt->thin_contrast.lo = fmax(opt->thin_contrast.lo, seen);
    opt->thin_contrast.hi = fmax(opt->thin_contrast.hi, seen);
    *pixel = px;
}
