#include "spm/twin/objects.h"

#include <float.h>
#include <stddef.h>

#include "base/alloc.h"

reshed_status rs_twin_sample_create(const rs_twin_options *opt, rs_twin_sample **out,
                                    reshed_error *err)
{
    reshed_status st = rs_twin_options_check(opt, err);
    if (st != RESHED_OK) return st;
    rs_twin_sample *sample = rs_zalloc(1, sizeof *sample);
    if (!sample) return rs_fail_nomem(err, "the twin's sample", sizeof *sample);
    sample->opt = *opt;
    st = twin_place_stripes(sample, err);
    if (st == RESHED_OK) st = twin_place_patches(sample, err);
    if (st == RESHED_OK) st = twin_place_features(sample, err);
    if (st == RESHED_OK) st = twin_place_islands(sample, err);
    if (st != RESHED_OK) {
        rs_twin_sample_free(sample);
        return st;
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
    rs_free(sample->mosaic.patch);
    rs_free(sample->island);
    rs_free(sample);
}

int rs_twin_wall_count(const rs_twin_sample *sample)
{
    return 2 * sample->stripes;
}

/* Whether the response changes sign from one side of a stripe to the other along half of it. */
static bool is_mixed(const rs_twin_sample *sample, const twin_stripe *st)
{
    int places = 16, changes = 0;
    for (int i = 0; i < places && twin_has_minus(sample); i++) {
        double s = st->length * (i + 0.5) / places, at[2];
        twin_edges e = twin_stripe_edges(st, s);
        const double n[2] = {(double)e.left + 0.5 * st->width, (double)e.right - 0.5 * st->width};
        for (int k = 0; k < 2; k++)
            at[k] = twin_minus_distance(sample, st->x + s * st->ux - n[k] * st->uy,
                                        st->y + s * st->uy + n[k] * st->ux);
        changes += (at[0] < 0) != (at[1] < 0);
    }
    return 2 * changes > places;
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
        .kind = is_mixed(sample, st) ? RS_TWIN_MIXED : RS_TWIN_FERROELASTIC,
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
    if (twin_has_minus(sample)) {
        double d = twin_minus_distance(sample, x, y);
        point->c = (float)(d / hypot(d, sample->opt.wall180_width));
    }
}

const char *rs_twin_kind_name(rs_twin_kind kind)
{
    switch (kind) {
    case RS_TWIN_NO_WALL: return "none";
    case RS_TWIN_FERROELASTIC: return "ferroelastic";
    case RS_TWIN_180: return "180";
    case RS_TWIN_MIXED: return "mixed";
    }
    return "";
}
