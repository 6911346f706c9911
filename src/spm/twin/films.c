/* films.c - kinds of films. The numbers are those of real frames of PbTiO3 and PZT films as far as
 * these could be measured (docs/twin.md has the table), drawn from ranges about them. */
#include "spm/twin/films.h"

#include <string.h>

#include "base/numeric.h"
#include "base/random.h"

enum { STREAM_KIND = 301, STREAM_OPTIONS, STREAM_EFFECTS };

/* Objects are counted for a frame of 256 x 256 pixels. */
#define FRAME (256.0 * 256.0)

static const char *const names[RS_TWIN_FILMS] = {"pzt",     "pto",     "laminate",
                                                 "relaxor", "defects", "mix"};

const char *rs_twin_film_name(rs_twin_film film)
{
    return names[film];
}

bool rs_twin_film_find(const char *name, rs_twin_film *film)
{
    for (int i = 0; i < RS_TWIN_FILMS; i++)
        if (strcmp(names[i], name) == 0) {
            *film = (rs_twin_film)i;
            return true;
        }
    return false;
}

rs_twin_film rs_twin_film_drawn(rs_twin_film film, uint64_t seed)
{
    static const double share[] = {0.5, 0.22, 0.14, 0.04, 0.1};
    if (film != RS_TWIN_FILM_MIX) return film;
    rs_random r = rs_random_at(seed, STREAM_KIND, 0);
    double u = rs_random_unit(&r);
    int kind = 0;
    while (kind < RS_TWIN_FILM_DEFECTS && u >= share[kind]) u -= share[kind++];
    return (rs_twin_film)kind;
}

static rs_twin_range range(double lo, double hi, double unit)
{
    return (rs_twin_range){lo * unit, hi * unit};
}

/* Without through-going stripes, thin ones and large in-plane ones. */
static void no_stripes(rs_twin_options *o)
{
    o->spacing[0] = o->spacing[1] = 0;
    o->thin_density = o->inplane_density = 0;
}

/* What is beside a stripe of a real film: on either side its darkness fades over some pixels, so
 * that the edge proper, which people mark, lies inside the half height of the whole. */
static void draw_tails(rs_random *r, double most, double px, rs_twin_options *o)
{
    o->tail = rs_random_chance(r, 0.85) ? rs_random_between(r, 0.2, 1) * most : 0;
    o->tail_size = rs_random_log(r, 3, 9) * px;
}

/* The film of rs_twin_randomise, with tails and more that is bright and no wall. */
static void draw_pzt(rs_random *r, double px, rs_twin_options *o)
{
    const double area = px * px;
    draw_tails(r, 1, px, o);
    /* Nobody marks the faintest. */
    o->marked = 0.17;
    if (rs_random_chance(r, 0.5)) o->thin_contrast.lo = rs_random_between(r, 0.05, 0.15);
    o->thin_contrast.hi = fmax(o->thin_contrast.hi, 0.4);
    if (rs_random_chance(r, 0.15)) return;
    o->curve_density = rs_random_log(r, 8e-4, 6e-3) / area;
    o->ring_density = rs_random_log(r, 3e-4, 3e-3) / area;
    o->spot_density = rs_random_log(r, 1e-4, 1e-3) / area;
    o->curve_size = rs_random_log(r, 8, 45) * px;
    o->curve_width = rs_random_log(r, 0.9, 3.4) * px;
    o->curve_brightness = range(0.3, rs_random_log(r, 0.6, 3), 1);
}

static void draw_pto(rs_random *r, double px, rs_twin_options *o)
{
    const double area = FRAME * px * px;
    o->angle = 2 * RS_PI * rs_random_unit(r);
    o->spacing[0] = rs_random_log(r, 50, 160) * px;
    o->spacing[1] = rs_random_chance(r, 0.5) ? 0 : rs_random_log(r, 50, 200) * px;
    o->run = rs_random_log(r, 40, 150) * px;
    o->stripe_width = range(2.4, 5.5, px);
    o->stripe_contrast = range(0.25, 0.75, 1);
    o->thin_density = rs_random_between(r, 0.2, 1.2);
    o->thin_width = range(2, 3.6, px);
    o->thin_contrast = range(0.15, 0.45, 1);
    o->inplane_density = rs_random_chance(r, 0.5) ? rs_random_between(r, 0, 0.3) : 0;
    o->inplane_width = range(10, 40, px);
    o->inplane_contrast = range(0.4, 0.9, 1);
    o->softness = range(1.1, 2.6, px);
    o->bend = rs_random_between(r, 0, 1.5) * px;
    o->roughness = rs_random_between(r, 0, 0.6) * px;
    o->uneven = rs_random_between(r, 0.1, 0.6);
    o->needle_fraction = 0.8;
    draw_tails(r, 0.5, px, o);
    o->period_drift = rs_random_between(r, 0, 0.4);

    o->patch_size = rs_random_log(r, 26, 64) * px;
    o->patch_stretch = rs_random_log(r, 1, 2.2);
    o->patch_angle = RS_PI * rs_random_unit(r);
    o->patch_spread = rs_random_between(r, 0.25, 0.65);
    o->patch_dark = rs_random_between(r, 0.1, 0.4);
    o->dark = range(0.02, 0.18, 1);
    o->patch_soft = rs_random_log(r, 1.5, 16) * px;
    o->patch_warp = rs_random_between(r, 3, 10) * px;
    o->patch_texture = rs_random_between(r, 0, 0.12);
    o->patch_fill = rs_random_between(r, 0.2, 0.7);
    o->patch_herring = 0;
    o->period = range(6, 15, px);
    o->duty = range(0.3, 0.5, 1);
    o->lamella = range(0.14, 0.5, 1);
    o->patch_gap = rs_random_between(r, 0.1, 0.5);
    o->mottle = rs_random_between(r, 0.2, 0.6);
    o->mottle_size = rs_random_log(r, 20, 70) * px;

    o->island_density = rs_random_log(r, 2, 20) / area;
    o->island_size = range(10, 60, px);
    o->island_facet = 0.15;
    o->island_mixed = 0.12;
    o->minus_fraction = rs_random_chance(r, 0.35) ? rs_random_between(r, 0.05, 0.25) : 0;
    o->minus_size = rs_random_log(r, 60, 160) * px;
    o->wall180_width = rs_random_log(r, 1.2, 4) * px;
    o->offset = rs_random_between(r, 0, 0.05);

    o->curve_density = rs_random_between(r, 0, 12) / area;
    o->ring_density = rs_random_between(r, 0, 4) / area;
    o->spot_density = rs_random_between(r, 0, 8) / area;
    o->curve_size = 20 * px;
    o->curve_width = 1.6 * px;
    o->curve_brightness = range(0.2, 0.8, 1);
    o->slow = 0.05;
    o->slow_size = 25 * px;
    o->texture = rs_random_log(r, 0.01, 0.05);
    o->texture_size = rs_random_log(r, 1.5, 5) * px;
    o->visible = 0.12;
}

static void draw_laminate(rs_random *r, double px, rs_twin_options *o)
{
    const double area = FRAME * px * px, period = rs_random_log(r, 6, 18);
    const bool herring = rs_random_chance(r, 0.5);
    no_stripes(o);
    o->angle = 2 * RS_PI * rs_random_unit(r);
    if (rs_random_chance(r, 0.25)) {
        o->spacing[0] = rs_random_log(r, 60, 150) * px;
        o->stripe_width = range(0.5 * period, period, px);
        o->stripe_contrast = range(0.4, 0.9, 1);
    }
    o->patch_size = rs_random_log(r, herring ? 26 : 30, herring ? 80 : 100) * px;
    o->patch_stretch = herring ? rs_random_log(r, 2, 8) : rs_random_log(r, 0.6, 2.5);
    o->patch_angle = herring ? 0.25 * RS_PI : RS_PI * rs_random_unit(r);
    o->patch_herring = herring ? 1 : rs_random_unit(r);
    o->patch_spread = rs_random_between(r, 0.1, 0.5);
    o->patch_dark = rs_random_between(r, 0, 0.2);
    o->dark = range(0.03, 0.45, 1);
    o->patch_soft = rs_random_log(r, 0.8, 5) * px;
    o->patch_warp = rs_random_between(r, 0, 2.5) * px;
    o->patch_texture = rs_random_between(r, 0, 0.1);
    o->patch_fill = rs_random_between(r, 0.75, 1);
    o->period = range(period, period * rs_random_between(r, 1, 1.6), px);
    o->duty = range(0.35, 0.55, 1);
    double faint = rs_random_log(r, 0.14, 0.5);
    o->lamella = range(faint, fmin(2 * faint, 0.95), 1);
    o->patch_gap = rs_random_chance(r, 0.4) ? rs_random_between(r, 0, 0.12) : 0;
    o->needle_fraction = herring ? 0 : rs_random_between(r, 0.2, 1);
    o->softness = range(fmax(0.12 * period, 0.8), fmax(0.25 * period, 1), px);
    o->asymmetry = rs_random_unit(r);
    o->bend = rs_random_between(r, 0, 1) * px;
    o->roughness = rs_random_between(r, 0, 0.6) * px;
    o->tilt_spread = rs_random_between(r, 0, 0.05);
    o->uneven = rs_random_between(r, 0.1, 0.5);
    draw_tails(r, 0.6, px, o);
    o->period_drift = rs_random_between(r, 0, 0.6);
    o->mottle = rs_random_between(r, 0.05, 0.45);
    o->mottle_size = rs_random_log(r, 25, 90) * px;

    o->island_density = rs_random_log(r, 0.5, 12) / area;
    o->island_size = range(12, 50, px);
    o->island_facet = 0.8;
    o->island_mixed = 0.5;
    o->wall180_width = rs_random_log(r, 0.5, 1.3) * px;
    o->offset = rs_random_between(r, 0, 0.12);
    o->minus_fraction = 0;

    o->curve_density = rs_random_between(r, 0, 12) / area;
    o->ring_density = rs_random_between(r, 0, 4) / area;
    o->spot_density = rs_random_between(r, 0, 6) / area;
    o->ridge_density = rs_random_between(r, 0, 3) / area;
    o->curve_width = rs_random_log(r, 0.7, 1.6) * px;
    o->curve_size = 15 * px;
    o->slow = 0.05;
    o->slow_size = 25 * px;
    o->texture = rs_random_log(r, 0.02, 0.12);
    o->texture_size = rs_random_log(r, 1.2, 4) * px;
    o->visible = 0.12;
}

static void draw_relaxor(rs_random *r, double px, rs_twin_options *o)
{
    const double area = FRAME * px * px;
    if (rs_random_chance(r, 0.7)) no_stripes(o);
    o->thin_density = 0;
    o->patch_size = rs_random_log(r, 14, 60) * px;
    o->patch_stretch = rs_random_log(r, 0.7, 1.6);
    o->patch_spread = rs_random_between(r, 0.2, 0.6);
    o->patch_dark = rs_random_between(r, 0.1, 0.4);
    o->dark = range(0.08, 0.5, 1);
    o->patch_soft = rs_random_log(r, 0.8, 5) * px;
    o->patch_warp = rs_random_between(r, 1, 6) * px;
    o->patch_seam = rs_random_chance(r, 0.5) ? rs_random_between(r, 0.2, 0.7) : 0;
    o->patch_texture = rs_random_between(r, 0.1, 0.6);
    o->patch_fill = 0;
    o->mottle = rs_random_between(r, 0.1, 0.4);
    o->mottle_size = rs_random_log(r, 10, 60) * px;
    o->minus_fraction = rs_random_between(r, 0.2, 0.5);
    o->minus_size = rs_random_log(r, 9, 40) * px;
    o->wall180_width = rs_random_log(r, 0.6, 1.6) * px;
    o->offset = rs_random_between(r, 0, 0.3);
    o->texture = rs_random_log(r, 0.05, 0.3);
    o->texture_size = rs_random_log(r, 1.5, 6) * px;
    o->curve_density = rs_random_between(r, 0, 20) / area;
    o->spot_density = rs_random_between(r, 0, 40) / area;
    o->curve_width = 1.4 * px;
    o->visible = 0.15;
}

static void draw_defects(rs_random *r, double px, rs_twin_options *o)
{
    const double area = FRAME * px * px;
    draw_tails(r, 0.8, px, o);
    o->ridge_density = rs_random_log(r, 1, 16) / area;
    o->scratch_density = rs_random_log(r, 0.5, 8) / area;
    o->dust_density = rs_random_log(r, 1, 30) / area;
    o->curve_density = rs_random_log(r, 20, 150) / area;
    o->ring_density = rs_random_log(r, 5, 60) / area;
    o->spot_density = rs_random_log(r, 2, 40) / area;
    o->curve_size = rs_random_log(r, 10, 40) * px;
    o->curve_width = rs_random_log(r, 0.9, 2.4) * px;
    o->curve_brightness = range(0.2, 2, 1);
    o->clinging = rs_random_unit(r);
    /* Bright grains with a texture of their own, where tuning on real labels takes marks away. */
    o->patch_size = rs_random_log(r, 18, 70) * px;
    o->patch_stretch = rs_random_log(r, 0.7, 1.5);
    o->patch_spread = rs_random_between(r, 0, 0.2);
    o->patch_dark = rs_random_chance(r, 0.3) ? rs_random_between(r, 0, 0.1) : 0;
    o->dark = range(0.3, 0.6, 1);
    o->patch_soft = rs_random_log(r, 2, 12) * px;
    o->patch_warp = rs_random_between(r, 1, 8) * px;
    o->patch_texture = rs_random_between(r, 0.05, 0.3);
    o->patch_fill = 0;
    o->mottle = rs_random_between(r, 0, 0.15);
    o->mottle_size = rs_random_log(r, 15, 60) * px;
    o->visible = 0.1;
}

void rs_twin_film_options(rs_twin_film film, double px, rs_twin_options *opt)
{
    rs_random r = rs_random_at(opt->seed, STREAM_OPTIONS, 0);
    switch (rs_twin_film_drawn(film, opt->seed)) {
    case RS_TWIN_FILM_PTO: draw_pto(&r, px, opt); break;
    case RS_TWIN_FILM_LAMINATE: draw_laminate(&r, px, opt); break;
    case RS_TWIN_FILM_RELAXOR: draw_relaxor(&r, px, opt); break;
    case RS_TWIN_FILM_DEFECTS: draw_defects(&r, px, opt); break;
    case RS_TWIN_FILM_PZT:
    case RS_TWIN_FILM_MIX:
    case RS_TWIN_FILMS: break;
    }
}

/* Raises both ends of a range of contrasts. */
static void at_least(rs_twin_range *contrast, double least)
{
    contrast->lo = fmax(contrast->lo, least);
    contrast->hi = fmax(contrast->hi, least);
}

void rs_twin_film_randomise(rs_twin_film film, int rows, int cols, double px, double harsh,
                            rs_twin_options *opt, rs_twin_effects *fx)
{
    const bool mixed = film == RS_TWIN_FILM_MIX;
    film = rs_twin_film_drawn(film, opt->seed);
    if (film == RS_TWIN_FILM_PZT && mixed) {
        rs_random own = rs_random_at(opt->seed, STREAM_OPTIONS, 0);
        draw_pzt(&own, px, opt);
    }
    if (film == RS_TWIN_FILM_PZT) return;
    opt->width = 1.2 * cols * px;
    opt->height = 1.2 * rows * px;
    rs_twin_film_options(film, px, opt);
    rs_random r = rs_random_at(fx->seed, STREAM_EFFECTS, 0);
    if (film == RS_TWIN_FILM_PTO || film == RS_TWIN_FILM_LAMINATE) {
        /* Gamma would hide the depth of the lines, which is what marks them. */
        fx->gamma = exp(harsh * rs_random_between(&r, -0.3, 0.25));
        fx->contrast = 1;
        fx->noise = harsh * rs_random_log(&r, 0.01, 0.09);
        fx->blur = harsh * rs_random_between(&r, 0, film == RS_TWIN_FILM_PTO ? 1.6 : 0.9);
        fx->line_noise = harsh * rs_random_log(&r, 0.004, 0.06);
    }
    if (film == RS_TWIN_FILM_LAMINATE) {
        fx->level_jumps = rs_random_chance(&r, 0.4) ? harsh * rs_random_between(&r, 0.5, 8) : 0;
        fx->scars = rs_random_chance(&r, 0.4) ? harsh * rs_random_between(&r, 0.5, 4) : 0;
    }
    /* As for every film: what is fainter than the noise only teaches to guess. */
    const double seen = fmin(1.5 * fx->noise, 0.5);
    at_least(&opt->thin_contrast, seen);
    at_least(&opt->stripe_contrast, seen);
    at_least(&opt->lamella, fmin(2 * fx->noise, 0.6));
    opt->visible = fmin(fmax(opt->visible, 2.5 * fx->noise), 0.5);
}
