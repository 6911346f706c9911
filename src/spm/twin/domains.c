/* domains.c - places the a domains.
 *
 * In the axes of the film's own angle, through-going stripes of both families divide the film into
 * cells; thin stripes, bundles and large in-plane domains live in the cells and mostly end at the
 * stripes that bound them:
 *
 *        |            |  | | |     |
 *     ===+============+==+=+=+=====+===    family 0 runs along u at fixed v,
 *        |    \/      |  | | |     |       family 1 along v at fixed u
 *        |    needle  |  bundle    |
 *     ===+============+============+===
 */
#include "spm/twin/objects.h"

#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"

/* Lines of one family: normal positions of the through-going stripes. */
typedef struct lines {
    int n;
    double *at; /* [n], ascending */
    bool drawn; /* false: only a grid for the thin stripes */
} lines;

typedef struct placer {
    rs_twin_sample *sample;
    double radius;  /* m, the film lies within it */
    double cell[2]; /* m, mean distance of the lines of each family */
    lines line[2];
} placer;

/* ---------------------------------------------------------------------------- shape of a stripe */

twin_edges twin_stripe_edges(const twin_stripe *st, double s)
{
    double shape = 1, strength = 1;
    for (int e = 0; e < 2; e++) {
        if (st->taper[e] <= 0) continue;
        double t = (e ? st->length - s : s) / st->taper[e];
        t = t < 0 ? 0 : t > 1 ? 1 : t;
        /* A needle narrows to less than half its width, then fades: the tip is thinner than the
         * resolution, so its contrast falls while its apparent width stays. */
        double narrow = 0.4 + 0.6 * sqrt(t), fade = t < 0.3 ? t / 0.3 : 1;
        shape = narrow < shape ? narrow : shape;
        strength *= fade;
    }
    double where = s / st->bend_size;
    double centre = st->bend * (double)rs_noise1(st->seed ^ 1, where);
    double wide = 1 + st->wedge * (double)rs_noise1(st->seed ^ 4, 0.6 * where);
    double half = 0.5 * st->width * shape * (wide > 0.35 ? wide : 0.35);
    strength *= 1 - 0.5 * st->uneven * (1 + (double)rs_noise1(st->seed ^ 5, where));
    float patch = 0.5f + 0.5f * rs_noise1(st->seed ^ 6, 2.5 * where);
    double left = half + st->roughness * rs_noise1(st->seed ^ 2, s / st->rough_size);
    double right = half + st->roughness * rs_noise1(st->seed ^ 3, s / st->rough_size);
    left = left < 0.6 * half ? 0.6 * half : left;
    right = right < 0.6 * half ? 0.6 * half : right;
    return (twin_edges){(float)(centre + left), (float)(centre - right), (float)strength, patch};
}

void twin_stripe_span(const twin_stripe *st, double *begin, double *end)
{
    *begin = 0.15 * st->taper[0];
    *end = st->length - 0.15 * st->taper[1];
}

/* ------------------------------------------------------------------------------------ placement */

/* Returns whether a band about normal position `at` touches no stripe of its family. */
static bool is_clear(const placer *p, int family, double at, double width, double from, double to)
{
    for (int i = 0; i < p->sample->stripes; i++) {
        const twin_stripe *o = &p->sample->stripe[i];
        if (o->family != family || o->to < from || o->from > to) continue;
        double room = 0.5 * (width + o->width) + 0.6 * (width < o->width ? width : o->width);
        if (fabs(o->at - at) < room) return false;
    }
    return true;
}

/* Returns whether line `index` of a family has a stripe at position s along it. */
static bool is_drawn(const placer *p, int family, int index, double s)
{
    for (int i = 0; i < p->sample->stripes; i++) {
        const twin_stripe *o = &p->sample->stripe[i];
        if (o->primary == index && o->family == family && o->from <= s && s <= o->to) return true;
    }
    return false;
}

double twin_draw(rs_random *r, rs_twin_range range)
{
    return range.lo < range.hi ? rs_random_log(r, range.lo, range.hi) : range.lo;
}

/* The wide gradients have random numbers of their own: without them a film is what it was. */
static void set_tails(const rs_twin_options *o, twin_stripe *st)
{
    rs_random r = rs_random_at(st->seed, TWIN_STREAM_TAIL, 0);
    for (int side = 0; side < 2; side++) {
        st->tail[side] = (float)(o->tail * (double)st->contrast * rs_random_between(&r, 0.25, 1));
        st->tail_size[side] = o->tail_size * rs_random_log(&r, 0.5, 1.5);
    }
}

bool twin_add_stripe(rs_twin_sample *sample, rs_random *r, const twin_planned *w)
{
    const rs_twin_options *o = &sample->opt;
    if (sample->stripes >= TWIN_MAX_STRIPES || w->to - w->from < w->width) return true;
    if (sample->stripes == sample->room) {
        twin_stripe *grown = rs_regrow(sample->stripe, (size_t)sample->stripes,
                                       (size_t)sample->room * 2, sizeof *grown);
        if (!grown) return false;
        sample->stripe = grown;
        sample->room *= 2;
    }
    twin_stripe *st = &sample->stripe[sample->stripes];
    memset(st, 0, sizeof *st);
    double length = w->to - w->from, middle = 0.5 * (w->from + w->to);
    double turn = o->tilt_spread * rs_random_gauss(r);
    /* A long stripe may turn about its middle by no more than takes its ends a few widths off. */
    double most = 3 * (w->width + o->bend) / length;
    turn = turn > most ? most : turn < -most ? -most : turn;
    double axis = o->angle + w->rotate;
    double along = axis + (w->family ? RS_PI / 2 : 0);
    double across = axis + (w->family ? 0 : RS_PI / 2);
    st->ux = cos(along + turn);
    st->uy = sin(along + turn);
    st->x = middle * cos(along) + w->at * cos(across) - 0.5 * length * st->ux;
    st->y = middle * sin(along) + w->at * sin(across) - 0.5 * length * st->uy;
    st->length = length;
    st->width = w->width;
    st->at = w->at;
    st->from = w->from;
    st->to = w->to;
    st->family = w->family;
    st->primary = w->primary;
    st->seed = rs_random_next(r) & ~(uint64_t)7;
    st->contrast = (float)w->contrast;
    st->tilt =
        rs_random_chance(r, o->mixed_tilt) ? -sample->lean[w->family] : sample->lean[w->family];
    /* The wall that dips below the c domain shows as a gradient, the other one as a sharp edge. */
    double soft = twin_draw(r, o->softness), extra = 1 + 3 * o->asymmetry * rs_random_unit(r);
    int inclined = st->tilt > 0 ? 0 : 1;
    st->soft[inclined] = fmin(soft * extra, (0.45 + 0.25 * o->asymmetry) * w->width);
    st->soft[!inclined] = fmin(soft, 0.45 * w->width);
    st->lean = (float)((inclined ? 0.5 : -0.5) * o->asymmetry * rs_random_unit(r));
    st->rim_side = rs_random_chance(r, 0.7) ? !inclined : inclined;
    st->rim = (float)(o->rim * rs_random_unit(r) * w->contrast);
    st->shadow = (float)(o->shadow * rs_random_unit(r) * w->contrast);
    set_tails(o, st);
    st->bend = o->bend * rs_random_between(r, 0.3, 1);
    st->wedge = o->wedge * rs_random_unit(r);
    st->uneven = o->uneven * rs_random_unit(r);
    st->bend_size = 0.35 * sample->wander * rs_random_between(r, 0.5, 1.5);
    st->roughness = fmin(o->roughness * rs_random_between(r, 0.3, 1), 0.25 * w->width);
    st->rough_size = fmax(5 * twin_draw(r, o->softness), 2 * st->roughness);
    for (int e = 0; e < 2; e++) {
        st->end[e] = w->end[e];
        if (w->end[e] == RS_TWIN_END_NEEDLE)
            st->taper[e] = fmin(w->width * rs_random_between(r, 3, 12), 0.5 * length);
    }
    sample->stripes++;
    return true;
}

static rs_twin_end free_end(const placer *p, rs_random *r)
{
    return rs_random_chance(r, p->sample->opt.needle_fraction) ? RS_TWIN_END_NEEDLE
                                                               : RS_TWIN_END_BLUNT;
}

static bool make_lines(placer *p, rs_random *r, int family)
{
    lines *l = &p->line[family];
    double mean = p->cell[family], radius = p->radius;
    int capacity = (int)(2 * radius / (0.3 * mean)) + 3;
    l->at = rs_alloc((size_t)capacity, sizeof *l->at);
    if (!l->at) return false;
    l->drawn = p->sample->opt.spacing[family] > 0;
    for (double at = -radius + mean * rs_random_unit(r); at < radius && l->n < capacity;
         at += 0.3 * mean + rs_random_exponential(r, 0.7 * mean))
        l->at[l->n++] = at;
    return true;
}

/* The line of the other family nearest to s, or -1 when none is within reach. */
static int nearest_line(const lines *l, double s, double reach)
{
    int best = -1;
    for (int i = 0; i < l->n; i++)
        if (fabs(l->at[i] - s) < reach) {
            reach = fabs(l->at[i] - s);
            best = i;
        }
    return best;
}

static bool place_line(placer *p, rs_random *r, int family, int index)
{
    const rs_twin_options *o = &p->sample->opt;
    const lines *other = &p->line[!family];
    double far = p->radius, width = twin_draw(r, o->stripe_width);
    double contrast = rs_random_between(r, o->stripe_contrast.lo, o->stripe_contrast.hi);
    double from = -far - (o->run > 0 ? rs_random_exponential(r, 0.5 * o->run) : 0);
    rs_twin_end begin = RS_TWIN_END_FILM;
    while (from < far) {
        twin_planned w = {.family = family, .primary = index, .at = p->line[family].at[index]};
        w.end[0] = begin;
        w.from = from;
        w.to = o->run > 0 ? from + 0.4 * o->run + rs_random_exponential(r, 0.6 * o->run) : far;
        w.end[1] = RS_TWIN_END_FILM;
        if (w.to < far) {
            int at = rs_random_chance(r, 0.65) ? nearest_line(other, w.to, 0.5 * o->run) : -1;
            if (at >= 0) w.to = other->at[at];
            w.end[1] = at >= 0 && other->drawn ? RS_TWIN_END_STRIPE : free_end(p, r);
        }
        /* Pieces of one line are much alike. */
        w.width = width * rs_random_between(r, 0.8, 1.2);
        w.contrast = fmin(contrast * rs_random_between(r, 0.85, 1.1), 1);
        if (is_clear(p, family, w.at, w.width, w.from, w.to) && !twin_add_stripe(p->sample, r, &w))
            return false;
        from = w.to + rs_random_exponential(r, 0.6 * p->cell[!family]) + 2 * w.width;
        int at = rs_random_chance(r, 0.65) ? nearest_line(other, from, p->cell[!family]) : -1;
        if (at >= 0 && other->at[at] > w.to + w.width) from = other->at[at];
        begin = at >= 0 && other->drawn ? RS_TWIN_END_STRIPE : free_end(p, r);
    }
    return true;
}

/* A cell between neighbouring lines. */
typedef struct cell {
    double lo[2], hi[2];        /* m: [f] is the extent across family f, so along family !f */
    int line_lo[2], line_hi[2]; /* the lines that bound it, -1 at the rim of the film */
} cell;

/* Draws the beginning and the end of a thin stripe in its cell. */
static void thin_extent(const placer *p, rs_random *r, const cell *c, twin_planned *w)
{
    int f = w->family, bound[2] = {c->line_lo[!f], c->line_hi[!f]};
    double lo = c->lo[!f], hi = c->hi[!f];
    double kind = rs_random_unit(r);
    bool spans[2] = {kind < 0.8, kind < 0.6 || kind > 0.8};
    if (kind > 0.93) spans[0] = spans[1] = false;
    w->from = spans[0] ? lo : lo + (hi - lo) * rs_random_between(r, 0.1, 0.6);
    w->to = spans[1] ? hi : hi - (hi - lo) * rs_random_between(r, 0.1, 0.6);
    for (int e = 0; e < 2; e++) {
        bool stops =
            spans[e] && p->line[!f].drawn && bound[e] >= 0 && is_drawn(p, !f, bound[e], w->at);
        w->end[e] = stops                      ? RS_TWIN_END_STRIPE
                    : spans[e] && bound[e] < 0 ? RS_TWIN_END_FILM
                                               : free_end(p, r);
    }
}

static bool place_thin(placer *p, rs_random *r, const cell *c)
{
    const rs_twin_options *o = &p->sample->opt;
    double size[2] = {c->hi[1] - c->lo[1], c->hi[0] - c->lo[0]}; /* along each family */
    int f = rs_random_chance(r, 0.5) ? size[1] > size[0] : rs_random_index(r, 2);
    int count = rs_random_chance(r, o->bundle_fraction / 3) ? 2 + rs_random_index(r, 5) : 1;
    double width = twin_draw(r, o->thin_width);
    double contrast = rs_random_between(r, o->thin_contrast.lo, o->thin_contrast.hi);
    double period = width * rs_random_between(r, 2.2, 5);
    double at = rs_random_between(r, c->lo[f], c->hi[f]) - 0.5 * (count - 1) * period;
    twin_planned w = {.family = f, .primary = -1};
    w.at = at;
    thin_extent(p, r, c, &w);
    for (int k = 0; k < count; k++) {
        if (k > 0 && rs_random_chance(r, 0.5)) thin_extent(p, r, c, &w);
        w.at = at + k * period * rs_random_between(r, 0.9, 1.1);
        w.width = width * rs_random_between(r, 0.8, 1.25);
        w.contrast = fmin(contrast * rs_random_between(r, 0.7, 1.3), 1);
        if (w.at < c->lo[f] || w.at > c->hi[f]) continue;
        if (is_clear(p, f, w.at, w.width, w.from, w.to) && !twin_add_stripe(p->sample, r, &w))
            return false;
    }
    return true;
}

static bool place_inplane(placer *p, rs_random *r, const cell *c)
{
    const rs_twin_options *o = &p->sample->opt;
    int f = rs_random_index(r, 2);
    twin_planned w = {.family = f, .primary = -1};
    w.width = fmin(twin_draw(r, o->inplane_width), 0.8 * (c->hi[f] - c->lo[f]));
    w.contrast = rs_random_between(r, o->inplane_contrast.lo, o->inplane_contrast.hi);
    w.at = rs_random_between(r, c->lo[f] + 0.55 * w.width, c->hi[f] - 0.55 * w.width);
    thin_extent(p, r, c, &w);
    if (w.end[0] == RS_TWIN_END_NEEDLE) w.end[0] = RS_TWIN_END_BLUNT;
    if (w.end[1] == RS_TWIN_END_NEEDLE) w.end[1] = RS_TWIN_END_BLUNT;
    return !is_clear(p, f, w.at, w.width, w.from, w.to) || twin_add_stripe(p->sample, r, &w);
}

static bool fill_cell(placer *p, const cell *c, int64_t index)
{
    const rs_twin_options *o = &p->sample->opt;
    rs_random r = rs_random_at(o->seed, TWIN_STREAM_CELL, (uint64_t)index);
    double share = (c->hi[0] - c->lo[0]) * (c->hi[1] - c->lo[1]) / (p->cell[0] * p->cell[1]);
    int large = rs_random_poisson(&r, fmin(o->inplane_density * share, 4));
    int thin = rs_random_poisson(&r, fmin(o->thin_density * share, 40));
    for (int k = 0; k < large; k++)
        if (!place_inplane(p, &r, c)) return false;
    for (int k = 0; k < thin; k++)
        if (!place_thin(p, &r, c)) return false;
    return true;
}

static cell make_cell(const placer *p, int i, int j)
{
    cell c;
    int index[2] = {i, j};
    for (int f = 0; f < 2; f++) {
        const lines *l = &p->line[f];
        c.line_lo[f] = index[f] - 1;
        c.line_hi[f] = index[f] < l->n ? index[f] : -1;
        c.lo[f] = index[f] > 0 ? l->at[index[f] - 1] : -p->radius;
        c.hi[f] = index[f] < l->n ? l->at[index[f]] : p->radius;
    }
    return c;
}

/* The film is a rectangle in a circle: cells wholly outside it are not filled. */
static bool meets_film(const rs_twin_options *o, const cell *c)
{
    double v = 0.5 * (c->lo[0] + c->hi[0]), u = 0.5 * (c->lo[1] + c->hi[1]);
    double reach = 0.5 * hypot(c->hi[0] - c->lo[0], c->hi[1] - c->lo[1]);
    double x = u * cos(o->angle) - v * sin(o->angle), y = u * sin(o->angle) + v * cos(o->angle);
    return fabs(x) <= 0.5 * o->width + reach && fabs(y) <= 0.5 * o->height + reach;
}

reshed_status twin_place_stripes(rs_twin_sample *sample, reshed_error *err)
{
    const rs_twin_options *o = &sample->opt;
    placer p = {.sample = sample};
    sample->room = 64;
    reshed_status st = RESHED_ENOMEM;
    p.radius = 0.5 * hypot(o->width, o->height);
    for (int f = 0; f < 2; f++) {
        double fallback = o->spacing[!f] > 0 ? o->spacing[!f] : 0.25 * p.radius;
        p.cell[f] = o->spacing[f] > 0 ? o->spacing[f] : fallback;
    }
    sample->wander = p.cell[0] + p.cell[1];
    sample->stripe = rs_alloc((size_t)sample->room, sizeof *sample->stripe);
    if (!sample->stripe) goto done;
    for (int f = 0; f < 2; f++) {
        rs_random r = rs_random_at(o->seed, TWIN_STREAM_PRIMARY, (uint64_t)f);
        sample->lean[f] = rs_random_chance(&r, 0.5) ? 1 : -1;
        if (!make_lines(&p, &r, f)) goto done;
    }
    for (int f = 0; f < 2; f++)
        for (int i = 0; p.line[f].drawn && i < p.line[f].n; i++) {
            rs_random r = rs_random_at(o->seed, TWIN_STREAM_STRIPE, (uint64_t)(2 * i + f));
            if (!place_line(&p, &r, f, i)) goto done;
        }
    for (int i = 0; i <= p.line[0].n; i++)
        for (int j = 0; j <= p.line[1].n; j++) {
            cell c = make_cell(&p, i, j);
            if (meets_film(o, &c) && !fill_cell(&p, &c, (int64_t)i * 65536 + j)) goto done;
        }
    st = RESHED_OK;
done:
    rs_free(p.line[0].at);
    rs_free(p.line[1].at);
    return st == RESHED_OK ? st
                           : rs_fail_nomem(err, "the a domains of the twin",
                                           (size_t)sample->room * sizeof *sample->stripe);
}
