#include "spm/twin/options.h"

#include <math.h>
#include <stddef.h>

void rs_twin_options_defaults(rs_twin_options *opt)
{
    *opt = (rs_twin_options){
        .seed = 1,
        .width = 2.1e-6,
        .height = 2.1e-6,
        .angle = 0.26,
        .spacing = {300e-9, 260e-9},
        .run = 1500e-9,
        .stripe_width = {35e-9, 75e-9},
        .stripe_contrast = {0.6, 0.95},
        .thin_density = 1.8,
        .bundle_fraction = 0.3,
        .thin_width = {24e-9, 40e-9},
        .thin_contrast = {0.15, 0.5},
        .needle_fraction = 0.7,
        .mixed_tilt = 0.15,
        .tilt_spread = 0.008,
        .bend = 6e-9,
        .roughness = 3e-9,
        .wedge = 0.3,
        .uneven = 0.3,
        .softness = {10e-9, 18e-9},
        .asymmetry = 0.6,
        .rim = 0.1,
        .shadow = 0.1,
        .tail_size = 50e-9,
        .inplane_density = 0.05,
        .inplane_width = {90e-9, 250e-9},
        .inplane_contrast = {0.25, 0.5},
        .minus_fraction = 0,
        .minus_size = 600e-9,
        .wall180_width = 10e-9,
        .offset = 0.1,
        .clinging = 0.5,
        .curve_density = 18e12,
        .ring_density = 6e12,
        .spot_density = 1e12,
        .curve_size = 120e-9,
        .curve_width = 16e-9,
        .curve_brightness = {0.25, 2.5},
        .halo = 0.3,
        .level = 100e-12,
        .slow = 0.06,
        .slow_size = 400e-9,
        .texture = 0.05,
        .texture_size = 18e-9,
        .resonance = 335e3,
        .resonance_a = -1.5e3,
        .resonance_slow = 500,
        .q = 120,
        .q_a = -0.15,
        .height_roughness = 0.4e-9,
        .tilt = 0.02,
        .patch_stretch = 1,
        .patch_angle = 0,
        .dark = {0.05, 0.2},
        .patch_soft = 10e-9,
        .period = {80e-9, 160e-9},
        .duty = {0.3, 0.5},
        .lamella = {0.2, 0.5},
        .mottle_size = 300e-9,
        .island_size = {80e-9, 300e-9},
        .island_facet = 0.5,
    };
}

#define PLAIN(member, least, most) RS_TWIN_FIELD(rs_twin_options, member, least, most)
#define RANGE(member, least, most) PLAIN(member.lo, least, most), PLAIN(member.hi, least, most)
#define LENGTH_MIN 1e-12
#define LENGTH_MAX 1e-2

const rs_twin_field *rs_twin_option_fields(int *n)
{
    static const rs_twin_field fields[] = {
        PLAIN(width, LENGTH_MIN, LENGTH_MAX),
        PLAIN(height, LENGTH_MIN, LENGTH_MAX),
        PLAIN(angle, -1000, 1000),
        PLAIN(spacing[0], 0, LENGTH_MAX),
        PLAIN(spacing[1], 0, LENGTH_MAX),
        PLAIN(run, 0, LENGTH_MAX),
        RANGE(stripe_width, LENGTH_MIN, LENGTH_MAX),
        RANGE(stripe_contrast, 0, 1),
        PLAIN(thin_density, 0, 40),
        PLAIN(bundle_fraction, 0, 1),
        RANGE(thin_width, LENGTH_MIN, LENGTH_MAX),
        RANGE(thin_contrast, 0, 1),
        PLAIN(needle_fraction, 0, 1),
        PLAIN(mixed_tilt, 0, 1),
        PLAIN(tilt_spread, 0, 1),
        PLAIN(bend, 0, LENGTH_MAX),
        PLAIN(roughness, 0, LENGTH_MAX),
        PLAIN(wedge, 0, 1),
        PLAIN(uneven, 0, 1),
        RANGE(softness, LENGTH_MIN, LENGTH_MAX),
        PLAIN(asymmetry, 0, 1),
        PLAIN(rim, 0, 10),
        PLAIN(shadow, 0, 1),
        PLAIN(tail, 0, 1),
        PLAIN(tail_size, LENGTH_MIN, LENGTH_MAX),
        PLAIN(inplane_density, 0, 4),
        RANGE(inplane_width, LENGTH_MIN, LENGTH_MAX),
        RANGE(inplane_contrast, 0, 1),
        PLAIN(minus_fraction, 0, 1),
        PLAIN(minus_size, LENGTH_MIN, LENGTH_MAX),
        PLAIN(wall180_width, LENGTH_MIN, LENGTH_MAX),
        PLAIN(offset, -10, 10),
        PLAIN(clinging, 0, 1),
        PLAIN(curve_density, 0, 1e20),
        PLAIN(ring_density, 0, 1e20),
        PLAIN(spot_density, 0, 1e20),
        PLAIN(curve_size, LENGTH_MIN, LENGTH_MAX),
        PLAIN(curve_width, LENGTH_MIN, LENGTH_MAX),
        RANGE(curve_brightness, 1e-6, 100),
        PLAIN(halo, 0, 1),
        PLAIN(level, 0, 1),
        PLAIN(slow, 0, 1),
        PLAIN(slow_size, LENGTH_MIN, LENGTH_MAX),
        PLAIN(texture, 0, 1),
        PLAIN(texture_size, LENGTH_MIN, LENGTH_MAX),
        PLAIN(resonance, 0, 1e9),
        PLAIN(resonance_a, -1e9, 1e9),
        PLAIN(resonance_slow, 0, 1e9),
        PLAIN(q, 0, 1e6),
        PLAIN(q_a, -1, 10),
        PLAIN(height_roughness, 0, 1e-3),
        PLAIN(tilt, 0, 1),
        PLAIN(patch_size, 0, LENGTH_MAX),
        PLAIN(patch_stretch, 0.1, 20),
        PLAIN(patch_angle, -1000, 1000),
        PLAIN(patch_spread, 0, 3),
        PLAIN(patch_dark, 0, 1),
        RANGE(dark, 0, 1),
        PLAIN(patch_soft, 0, LENGTH_MAX),
        PLAIN(patch_warp, 0, LENGTH_MAX),
        PLAIN(patch_seam, 0, 1),
        PLAIN(patch_texture, 0, 1),
        PLAIN(patch_fill, 0, 1),
        PLAIN(patch_herring, 0, 1),
        RANGE(period, LENGTH_MIN, LENGTH_MAX),
        RANGE(duty, 0.05, 0.95),
        RANGE(lamella, 0, 1),
        PLAIN(patch_gap, 0, 1),
        PLAIN(period_drift, 0, 1),
        PLAIN(mottle, 0, 2),
        PLAIN(mottle_size, LENGTH_MIN, LENGTH_MAX),
        PLAIN(island_density, 0, 1e20),
        RANGE(island_size, LENGTH_MIN, LENGTH_MAX),
        PLAIN(island_facet, 0, 1),
        PLAIN(island_mixed, 0, 1),
        PLAIN(ridge_density, 0, 1e20),
        PLAIN(scratch_density, 0, 1e20),
        PLAIN(dust_density, 0, 1e20),
        PLAIN(visible, 0, 1),
        PLAIN(marked, 0, 1),
        PLAIN(outward, -1e-6, 1e-6),
    };
    *n = sizeof fields / sizeof fields[0];
    return fields;
}

reshed_status rs_twin_options_check(const rs_twin_options *opt, reshed_error *err)
{
    int n;
    const rs_twin_field *fields = rs_twin_option_fields(&n);
    reshed_status st = rs_twin_fields_check(fields, n, opt, "twin option", err);
    if (st != RESHED_OK) return st;
    const rs_twin_range *range[] = {&opt->stripe_width,
                                    &opt->stripe_contrast,
                                    &opt->thin_width,
                                    &opt->thin_contrast,
                                    &opt->softness,
                                    &opt->inplane_width,
                                    &opt->inplane_contrast,
                                    &opt->curve_brightness,
                                    &opt->dark,
                                    &opt->period,
                                    &opt->duty,
                                    &opt->lamella,
                                    &opt->island_size};
    for (size_t i = 0; i < sizeof range / sizeof range[0]; i++)
        if (range[i]->lo > range[i]->hi)
            return rs_fail(err, RESHED_EINVAL, "a range of the twin's options|lo <= hi|%g to %g",
                           range[i]->lo, range[i]->hi);
    /* Lines are placed 0.3 of the spacing apart at least; a film with more of them than this would
     * be a uniform grey. */
    double diagonal = hypot(opt->width, opt->height);
    for (int f = 0; f < 2; f++)
        if (opt->spacing[f] > 0 && diagonal / opt->spacing[f] > 300)
            return rs_fail(err, RESHED_EINVAL,
                           "twin option spacing|0, or %g and more for this film|%g", diagonal / 300,
                           opt->spacing[f]);
    double least = diagonal * fmax(1, 1 / opt->patch_stretch) / 300;
    if (opt->patch_size > 0 && (opt->patch_size < least || opt->period.lo < 0.1 * least))
        return rs_fail(err, RESHED_EINVAL,
                       "twin options patch_size, period.lo|%g, %g and more for this film|%g, %g",
                       least, 0.1 * least, opt->patch_size, opt->period.lo);
    return RESHED_OK;
}
