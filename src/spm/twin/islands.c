/* islands.c - closed 180-degree domains: blobs, facetted ones along the families, and ones that
 * have an a domain for one side, whose edges are mixed walls. */
#include "spm/twin/canvas.h"

#include "base/alloc.h"
#include "base/numeric.h"

#define TWIN_MAX_ISLANDS 3000

bool twin_has_minus(const rs_twin_sample *sample)
{
    return sample->opt.minus_fraction > 0 || sample->islands > 0;
}

double twin_island_distance(const twin_island *island, double x, double y)
{
    const double dx = x - island->x, dy = y - island->y;
    const double u = dx * island->c + dy * island->s, v = dy * island->c - dx * island->s;
    const double along = fmin(fmax(u / island->a, -1), 1);
    const double b = island->b * (1 - island->taper * 0.5 * (1 + along));
    const double round = fmin(island->round, b);
    const double qu = fabs(u) - island->a + round, qv = fabs(v) - b + round;
    double d = hypot(fmax(qu, 0), fmax(qv, 0)) + fmin(fmax(qu, qv), 0) - round;
    if (island->lobe[0] > 0) {
        const double turn = atan2(v, u);
        for (int k = 0; k < 3; k++)
            d += island->lobe[k] * sin((k < 2 ? k + 2 : 5) * turn + island->turn[k]);
    }
    return d;
}

double twin_minus_distance(const rs_twin_sample *sample, double x, double y)
{
    double d = 1;
    if (sample->opt.minus_fraction > 0)
        d = twin_minus_field(sample, x, y) * twin_minus_scale(sample);
    for (int i = 0; i < sample->islands; i++)
        d = fmin(d, twin_island_distance(&sample->island[i], x, y));
    return d;
}

/* Puts an island beside a stripe, so that its outline runs inside the stripe for a while; false
 * when no stripe is found soon. */
static bool beside_stripe(const rs_twin_sample *sample, rs_random *r, double size, twin_island *out)
{
    for (int k = 0; k < 12 && sample->stripes > 0; k++) {
        const twin_stripe *st = &sample->stripe[rs_random_index(r, sample->stripes)];
        const double s = st->length * rs_random_between(r, 0.3, 0.7);
        const double side = rs_random_chance(r, 0.5) ? 1 : -1;
        const twin_edges e = twin_stripe_edges(st, s);
        const double a = fmin(0.5 * size * rs_random_log(r, 0.8, 2.5), 0.5 * st->length);
        const double b = fmax(0.5 * size * rs_random_log(r, 0.5, 1), 2 * st->width);
        const double n = 0.5 * ((double)e.left + (double)e.right) + side * b;
        const double x = st->x + s * st->ux - n * st->uy, y = st->y + s * st->uy + n * st->ux;
        if (a < 2 * st->width) continue;
        if (fabs(x) > 0.5 * sample->opt.width || fabs(y) > 0.5 * sample->opt.height) continue;
        *out = (twin_island){.x = x, .y = y, .c = st->ux, .s = st->uy, .a = a, .b = b};
        out->round = fmin(a, b) * rs_random_between(r, 0.2, 0.8);
        return true;
    }
    return false;
}

static void make_island(const rs_twin_sample *sample, rs_random *r, twin_island *out)
{
    const rs_twin_options *o = &sample->opt;
    const double size = twin_draw(r, o->island_size), ratio = rs_random_log(r, 0.4, 2.5);
    const double x = (rs_random_unit(r) - 0.5) * o->width,
                 y = (rs_random_unit(r) - 0.5) * o->height;
    const bool facet = rs_random_chance(r, o->island_facet),
               mixed = rs_random_chance(r, o->island_mixed);
    double angle = 2 * RS_PI * rs_random_unit(r);
    if (facet)
        angle =
            o->angle + 0.5 * RS_PI * rs_random_index(r, 2) + o->tilt_spread * rs_random_gauss(r);
    *out = (twin_island){.x = x, .y = y, .c = cos(angle), .s = sin(angle)};
    out->a = 0.5 * size * sqrt(ratio);
    out->b = 0.5 * size / sqrt(ratio);
    const double least = fmin(out->a, out->b);
    out->round = least * (facet ? rs_random_between(r, 0.15, 0.6) : 1);
    out->taper = rs_random_chance(r, 0.7) ? rs_random_between(r, 0, 0.8) : 0;
    for (int k = 0; k < 3; k++) {
        out->lobe[k] = least * (facet ? 0.14 : 0.3) * rs_random_unit(r) / (k + 1);
        out->turn[k] = 2 * RS_PI * rs_random_unit(r);
    }
    if (mixed) beside_stripe(sample, r, size, out);
}

reshed_status twin_place_islands(rs_twin_sample *sample, reshed_error *err)
{
    const rs_twin_options *o = &sample->opt;
    rs_random r = rs_random_at(o->seed, TWIN_STREAM_ISLAND, UINT64_MAX);
    int n = rs_random_poisson(&r, fmin(o->island_density * o->width * o->height, 1e5));
    n = n < TWIN_MAX_ISLANDS ? n : TWIN_MAX_ISLANDS;
    if (n == 0) return RESHED_OK;
    sample->island = rs_zalloc((size_t)n, sizeof *sample->island);
    if (!sample->island)
        return rs_fail_nomem(err, "the islands of the twin", (size_t)n * sizeof *sample->island);
    for (int i = 0; i < n; i++) {
        r = rs_random_at(o->seed, TWIN_STREAM_ISLAND, (uint64_t)i);
        make_island(sample, &r, &sample->island[i]);
    }
    sample->islands = n;
    return RESHED_OK;
}

void twin_paint_islands(twin_canvas *cv, const rs_twin_sample *sample)
{
    const double pixel = fmin(cv->px, cv->py);
    /* Farther out the response is whole to within half a percent. */
    const double reach = 12 * sample->opt.wall180_width + 8 * pixel;
    for (int i = 0; i < sample->islands; i++) {
        const twin_island *is = &sample->island[i];
        const double radius = hypot(is->a, is->b) * 1.3 + reach;
        for (int r = 0; r < cv->rows; r++) {
            const double y = twin_row_y(cv, r), x = twin_row_x(cv, r), up = y - is->y;
            if (fabs(up) > radius) continue;
            const double half = sqrt(radius * radius - up * up);
            const double first = fmax(ceil((is->x - half - x) / cv->px), 0);
            const double last = fmin(floor((is->x + half - x) / cv->px), cv->cols - 1);
            float *row = cv->minus + (size_t)r * (size_t)cv->cols;
            for (int c = (int)first; c <= last; c++) {
                float d = (float)(twin_island_distance(is, x + c * cv->px, y) / pixel);
                if (d < row[c]) row[c] = d;
            }
        }
    }
}
