#include "imgproc/walls/gap.h"

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "imgproc/walls/graph/line.h"

enum { REACH = 20, LEAST = 4 }; /* pixels: that tell a wall's direction; that it needs for one */

static const double most_turn = 15 * RS_PI / 180;

/* One end of a wall, and where it heads. */
typedef struct tip {
    rs_xy at, out;
    double length; /* m, of its wall */
    bool taken, none;
} tip;

typedef struct candidate {
    int a, b; /* tips: 2*wall + end */
    double cost;
} candidate;

static void find_tips(const rs_wallgraph *g, tip *t)
{
    for (int e = 0; e < 2 * g->walls; e++) {
        const rs_wall *w = &g->wall[e / 2];
        const rs_pixel *p = g->pixel + w->line.first;
        const int last = w->line.count - 1, far = last < REACH ? last : REACH;
        t[e] = (tip){.length = w->line.length};
        t[e].none = last + 1 < LEAST || w->end[e % 2] == RS_END_CLOSED;
        if (t[e].none) continue;
        t[e].at = rs_pixel_xy(&g->grid, p[e % 2 ? last : 0]);
        const rs_xy in = rs_pixel_xy(&g->grid, p[e % 2 ? last - far : far]);
        const double x = t[e].at.x - in.x, y = t[e].at.y - in.y, d = hypot(x, y);
        t[e].none = !(d > 0);
        t[e].out = (rs_xy){x / d, y / d};
    }
}

/* Returns whether b continues a. *cost says how well, less being better: in pixels, a degree of
 * turn counting as a twelfth of one. */
static bool continues(const tip *a, const tip *b, double gap, double pixel, double *cost)
{
    const double x = b->at.x - a->at.x, y = b->at.y - a->at.y, distance = hypot(x, y);
    const double straight = -(a->out.x * b->out.x + a->out.y * b->out.y);
    if (distance > gap || distance > fmin(a->length, b->length) || straight < cos(most_turn))
        return false;
    /* The direction between the two is that of the line through the gap. */
    const double mx = a->out.x - b->out.x, my = a->out.y - b->out.y, m = hypot(mx, my);
    const double along = (x * mx + y * my) / m, beside = fabs(x * my - y * mx) / m;
    if (along < -2 * pixel || beside > 1.5 * pixel + 0.1 * fmax(along, 0)) return false;
    *cost = (beside + 0.3 * distance) / pixel + 5 * acos(fmin(straight, 1));
    return true;
}

static int by_cost(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (x->cost != y->cost) return x->cost < y->cost ? -1 : 1;
    return x->a != y->a ? x->a - y->a : x->b - y->b;
}

/* Lists the candidates in `list`, or only counts them where that is NULL. */
static size_t find_candidates(const tip *t, int tips, double gap, double pixel, candidate *list)
{
    size_t n = 0;
    for (int a = 0; a < tips; a++)
        for (int b = t[a].none ? tips : (a / 2 + 1) * 2; b < tips; b++) {
            double cost;
            if (t[b].none || fabs(t[b].at.x - t[a].at.x) > gap ||
                !continues(&t[a], &t[b], gap, pixel, &cost))
                continue;
            if (list) list[n] = (candidate){a, b, cost};
            n++;
        }
    return n;
}

static int root(int *first, int w)
{
    while (first[w] != w) w = first[w] = first[first[w]];
    return w;
}

reshed_status rs_wall_gaps(const rs_wallgraph *g, double gap, int *first, reshed_error *err)
{
    if (!(gap >= 0 && isfinite(gap)))
        return rs_fail(err, RESHED_EINVAL, "gap in a wall in metres|at least 0|%g", gap);
    const double pixel = sqrt(g->grid.dx) * sqrt(g->grid.dy);
    const int tips = 2 * g->walls;
    tip *t = rs_alloc((size_t)tips, sizeof *t);
    if (!t) return rs_fail_nomem(err, "ends of walls", (size_t)tips * sizeof *t);
    find_tips(g, t);
    const size_t n = find_candidates(t, tips, gap, pixel, NULL);
    candidate *list = rs_alloc(n, sizeof *list);
    if (!list) {
        rs_free(t);
        return rs_fail_nomem(err, "gaps between walls", n * sizeof *list);
    }
    find_candidates(t, tips, gap, pixel, list);
    if (n > 1) qsort(list, n, sizeof *list, by_cost);
    for (int w = 0; w < g->walls; w++) first[w] = w;
    for (size_t i = 0; i < n; i++) {
        const candidate *c = &list[i];
        const int a = root(first, c->a / 2), b = root(first, c->b / 2);
        if (t[c->a].taken || t[c->b].taken || a == b) continue;
        t[c->a].taken = t[c->b].taken = true;
        first[a > b ? a : b] = a < b ? a : b;
    }
    for (int w = 0; w < g->walls; w++) first[w] = root(first, w);
    rs_free(list);
    rs_free(t);
    return RESHED_OK;
}
