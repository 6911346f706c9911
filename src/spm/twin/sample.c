/* sample.c - options, life and objects of the twin's sample. */
#include "spm/twin/sample.h"

#include <float.h>
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "spm/twin/private.h"

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
    };
}

#define PLAIN(field, least, most)                                                                  \
    {                                                                                              \
#field, offsetof(rs_twin_options, field), least, most                                      \
    }
#define RANGE(field, least, most) PLAIN(field.lo, least, most), PLAIN(field.hi, least, most)
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
    };
    *n = sizeof fields / sizeof fields[0];
    return fields;
}

const rs_twin_field *rs_twin_field_find(const rs_twin_field *fields, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(fields[i].name, name) == 0) return &fields[i];
    return NULL;
}

double rs_twin_field_get(const rs_twin_field *field, const void *options)
{
    double value;
    memcpy(&value, (const char *)options + field->offset, sizeof value);
    return value;
}

void rs_twin_field_set(const rs_twin_field *field, void *options, double value)
{
    memcpy((char *)options + field->offset, &value, sizeof value);
}

reshed_status rs_twin_fields_check(const rs_twin_field *fields, int n, const void *options,
                                   const char *kind, reshed_error *err)
{
    for (int i = 0; i < n; i++) {
        double value = rs_twin_field_get(&fields[i], options);
        if (!(value >= fields[i].lo && value <= fields[i].hi))
            return rs_fail(err, RESHED_EINVAL, "%s %s|%g to %g|%g", kind, fields[i].name,
                           fields[i].lo, fields[i].hi, value);
    }
    return RESHED_OK;
}

reshed_status rs_twin_options_check(const rs_twin_options *opt, reshed_error *err)
{
    int n;
    const rs_twin_field *fields = rs_twin_option_fields(&n);
    reshed_status status = rs_twin_fields_check(fields, n, opt, "twin option", err);
    if (status != RESHED_OK) return status;
    const rs_twin_range *range[] = {
        &opt->stripe_width, &opt->stripe_contrast, &opt->thin_width,       &opt->thin_contrast,
        &opt->softness,     &opt->inplane_width,   &opt->inplane_contrast, &opt->curve_brightness};
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
    return RESHED_OK;
}

reshed_status rs_twin_sample_create(const rs_twin_options *opt, rs_twin_sample **out,
                                    reshed_error *err)
{
    reshed_status status = rs_twin_options_check(opt, err);
    if (status != RESHED_OK) return status;
    rs_twin_sample *sample = rs_zalloc(1, sizeof *sample);
    if (!sample) return rs_fail_nomem(err, "the twin's sample", sizeof *sample);
    sample->opt = *opt;
    status = twin_place_stripes(sample, err);
    if (status == RESHED_OK) status = twin_place_features(sample, err);
    if (status != RESHED_OK) {
        rs_twin_sample_free(sample);
        return status;
    }
    twin_place_minus(sample);
    *out = sample;
    return RESHED_OK;
}

void rs_twin_sample_free(rs_twin_sample *sample)
{
    if (!sample) return;
    rs_free(sample->stripe);
    rs_free(sample->feature);
    rs_free(sample);
}

int rs_twin_wall_count(const rs_twin_sample *sample)
{
    return 2 * sample->stripes;
}

void rs_twin_wall_get(const rs_twin_sample *sample, int i, rs_twin_wall *wall)
{
    const twin_stripe *st = &sample->stripe[i / 2];
    int side = i % 2 ? -1 : 1;
    double span[2], angle = atan2(st->uy, st->ux);
    twin_stripe_span(st, &span[0], &span[1]);
    *wall = (rs_twin_wall){
        .stripe = i / 2,
        .family = st->family,
        .side = side,
        .tilt = side * st->tilt,
        .length = span[1] - span[0],
        .contrast = st->contrast,
        .end = {st->end[0], st->end[1]},
    };
    for (int e = 0; e < 2; e++) {
        double n = 0.5 * side * st->width;
        wall->x[e] = st->x + span[e] * st->ux - n * st->uy;
        wall->y[e] = st->y + span[e] * st->uy + n * st->ux;
    }
    if (angle > acos(0)) angle -= acos(-1);
    if (angle <= -acos(0)) angle += acos(-1);
    wall->angle = angle;
}

void rs_twin_probe(const rs_twin_sample *sample, double x, double y, rs_twin_point *point)
{
    double best = -DBL_MAX;
    *point = (rs_twin_point){.stripe = -1, .wall = -FLT_MAX, .c = 1};
    for (int i = 0; i < sample->stripes; i++) {
        const twin_stripe *st = &sample->stripe[i];
        double dx = x - st->x, dy = y - st->y, begin, end;
        double s = dx * st->ux + dy * st->uy, n = dy * st->ux - dx * st->uy;
        twin_stripe_span(st, &begin, &end);
        twin_edges e = twin_stripe_edges(st, s < begin ? begin : s > end ? end : s);
        double left = e.left - n, right = n - e.right;
        double inside = fmin(fmin(left, right), fmin(s - begin, end - s));
        float a = e.strength * twin_step((float)(left / st->soft[0])) *
                  twin_step((float)(right / st->soft[1]));
        if (s >= 0 && s <= st->length && a > point->a) point->a = a;
        if (inside <= best) continue;
        best = inside;
        point->wall = (float)inside;
        point->stripe = i;
        point->side = left < right ? 1 : -1;
        point->tilt = point->side * st->tilt;
    }
    if (sample->opt.minus_fraction > 0) {
        double d = twin_minus_field(sample, x, y) * twin_minus_scale(sample);
        point->c = (float)(d / hypot(d, sample->opt.wall180_width));
    }
}
