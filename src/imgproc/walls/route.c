/* The short tour.
 *
 * An open tour of n points is a closed tour of n+1: a city D that is at distance zero from all
 * others stands between its last and its first point. With D in the tour, 2-opt and Or-opt need no
 * special case for the ends, and may move them. A fixed start is a city that D would lose a lot by
 * leaving.
 *
 *   2-opt:   p-a-b ... c-d   becomes   p-a-c ... b-d      (the part between is turned round)
 *   Or-opt:  p-[a..z]-q ... c-d   becomes   p-q ... c-[a..z]-d  or  c-[z..a]-d,  1 to 3 cities
 *
 * A move that shortens the tour has a new edge shorter than an old one at the same city, so for
 * each city only the few nearest others are tried, and those only while the new edge is shorter. A
 * queue holds the cities whose edges changed since they were last tried.
 *
 * When no move helps any more the tour is kicked: two neighbouring stretches of it change places (a
 * move that 2-opt and Or-opt cannot undo), the neighbourhood is improved again, and the result is
 * kept unless it is longer. A few kicks for each point take away about half of what the tour is too
 * long. Only the places of the tour that changed are put back, so a kick costs little. */
#include "imgproc/walls/route.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/random.h"
#include "imgproc/walls/nearby.h"

typedef struct tour {
    const rs_xy *at;
    int n;        /* points; city n is D, and there are n+1 cities */
    int start;    /* the first point, or -1 */
    double hold;  /* what D loses by leaving the start */
    double slack; /* gains up to this are rounding */
    int *city;    /* [n+1] in tour order, cyclic */
    int *pos;     /* [n+1] the inverse */
    int *near;    /* [n,RS_NEARBY] */
    int *nears;   /* [n] how many */
    int *queue;   /* [n+1] cities to try: a ring buffer */
    int head, queued;
    bool *waits;   /* [n+1] is in the queue */
    double gained; /* by the moves so far */
    int *kept;     /* [n+1] the tour that is kept while a kick is tried */
    int *changed;  /* [n+1] places whose city may differ from kept */
    int changes;   /* how many; more than n+1: any may */
} tour;

static double cost(const tour *t, int a, int b)
{
    if (a < t->n && b < t->n) return rs_xy_distance(t->at[a], t->at[b]);
    return (a == t->n ? b : a) == t->start ? -t->hold : 0;
}

static int step(const tour *t, int a, int by)
{
    int m = t->n + 1, p = t->pos[a] + by;
    return t->city[p < 0 ? p + m : p >= m ? p - m : p];
}

static void try_again(tour *t, int a)
{
    int m = t->n + 1, at = t->head + t->queued;
    if (t->waits[a]) return;
    t->waits[a] = true;
    t->queue[at >= m ? at - m : at] = a;
    t->queued++;
}

static void put(tour *t, int p, int a)
{
    t->city[p] = a;
    t->pos[a] = p;
    if (t->changes <= t->n) t->changed[t->changes] = p;
    if (t->changes <= t->n + 1) t->changes++;
}

static int wrap(int p, int m)
{
    return p >= m ? p - m : p < 0 ? p + m : p;
}

/* Turns round the cities from a to z along the tour, or all the others: the cyclic tour is the
 * same. */
static void turn_round(tour *t, int a, int z)
{
    int m = t->n + 1, i = t->pos[a], j = t->pos[z], count = wrap(j - i, m) + 1;
    if (2 * count > m) {
        i = wrap(t->pos[z] + 1, m);
        j = wrap(t->pos[a] - 1, m);
        count = m - count;
    }
    for (int k = 0; k < count / 2; k++) {
        int first = t->city[i], last = t->city[j];
        put(t, i, last);
        put(t, j, first);
        i = wrap(i + 1, m);
        j = wrap(j - 1, m);
    }
}

/* Puts the `count` (1 to 3) cities that begin at a behind c, which is not one of them, in reverse
 * order when asked. */
static void move_behind(tour *t, int a, int count, int c, bool reverse)
{
    int m = t->n + 1, i = t->pos[a], k = t->pos[c], kept[3], place;
    for (int s = 0; s < count; s++) kept[s] = t->city[wrap(i + s, m)];
    int ahead = wrap(k - wrap(i + count - 1, m), m); /* cities after the segment, up to c */
    int behind = m - count - ahead;                  /* cities from c's successor to the segment */
    if (ahead <= behind) {
        for (int s = 0; s < ahead; s++) put(t, wrap(i + s, m), t->city[wrap(i + count + s, m)]);
        place = wrap(i + ahead, m);
    } else {
        for (int s = 1; s <= behind; s++) put(t, wrap(i + count - s, m), t->city[wrap(i - s, m)]);
        place = wrap(i - behind, m);
    }
    for (int s = 0; s < count; s++) put(t, wrap(place + s, m), kept[reverse ? count - 1 - s : s]);
}

/* Returns whether a 2-opt move at city a with new neighbour c shortened the tour; side 1: a's
 * successor is given up, -1: its predecessor. */
static bool try_two_opt(tour *t, int a, int c, int side)
{
    int b = step(t, a, side), d = step(t, c, side);
    if (c == b || d == a) return false;
    double gain = cost(t, a, b) + cost(t, c, d) - cost(t, a, c) - cost(t, b, d);
    if (!(gain > t->slack)) return false;
    t->gained += gain;
    if (side > 0)
        turn_round(t, b, c);
    else
        turn_round(t, c, b);
    try_again(t, a);
    try_again(t, b);
    try_again(t, c);
    try_again(t, d);
    return true;
}

/* Returns whether moving a segment that ends in a next to c shortened the tour. The segment runs
 * from a away from its neighbour on `side`. */
static bool try_or_opt(tour *t, int a, int c, int side)
{
    int p = step(t, a, side), z = a;
    for (int count = 1; count <= 3; count++, z = step(t, z, -side)) {
        int q = step(t, z, -side);
        if (z == c || q == p || z == p) return false; /* the segment has reached c, or all */
        double saved = cost(t, p, a) + cost(t, z, q) - cost(t, p, q);
        for (int s = -1; s <= 1; s += 2) {
            int e = step(t, c, s);          /* a comes next to c, z next to e */
            if (e == a || e == z) continue; /* c is at that end of the segment already */
            double gain = saved + cost(t, c, e) - cost(t, c, a) - cost(t, z, e);
            if (!(gain > t->slack)) continue;
            t->gained += gain;
            int first = side < 0 ? a : z; /* of the segment, along the tour */
            int front = s > 0 ? a : z;    /* what must come first in its new place */
            move_behind(t, first, count, s > 0 ? c : e, first != front);
            try_again(t, p);
            try_again(t, q);
            try_again(t, a);
            try_again(t, z);
            try_again(t, c);
            try_again(t, e);
            return true;
        }
    }
    return false;
}

static bool improve_city(tour *t, int a)
{
    if (a == t->n) return false;
    for (int side = -1; side <= 1; side += 2)
        for (int k = -1; k < t->nears[a]; k++) {
            int c =
                k < 0 ? t->n : t->near[(size_t)a * RS_NEARBY + (size_t)k]; /* D is near to all */
            if (k >= 0 && !(cost(t, a, step(t, a, side)) - cost(t, a, c) > t->slack)) break;
            if (try_two_opt(t, a, c, side) || try_or_opt(t, a, c, side)) return true;
        }
    return false;
}

static void improve(tour *t)
{
    int m = t->n + 1;
    while (t->queued) {
        int a = t->queue[t->head];
        t->head = wrap(t->head + 1, m);
        t->queued--;
        t->waits[a] = false;
        while (improve_city(t, a)) continue;
    }
}

/* Makes kept equal to the tour (keep), or the tour to kept. */
static void settle(tour *t, bool keep)
{
    int n = t->changes <= t->n + 1 ? t->changes : t->n + 1;
    bool all = t->changes > t->n + 1;
    t->changes = 0;
    for (int i = 0; i < n; i++) {
        int p = all ? i : t->changed[i];
        if (keep) {
            t->kept[p] = t->city[p];
        } else {
            t->city[p] = t->kept[p];
            t->pos[t->kept[p]] = p;
        }
    }
}

#define KICKS_PER_POINT 3
#define MOST_KICKS 12000 /* about half a second */
#define KICK_REACH 30    /* cities of the longest stretch */

/* Lets the stretches of a and b cities that begin at place p change places. */
static void kick(tour *t, int p, int a, int b)
{
    int m = t->n + 1, stretch[2 * KICK_REACH];
    int end[6] = {wrap(p - 1, m),    p, wrap(p + a - 1, m), wrap(p + a, m), wrap(p + a + b - 1, m),
                  wrap(p + a + b, m)};
    int c[6];
    for (int i = 0; i < 6; i++) c[i] = t->city[end[i]];
    t->gained += cost(t, c[0], c[1]) + cost(t, c[2], c[3]) + cost(t, c[4], c[5]) -
                 cost(t, c[0], c[3]) - cost(t, c[4], c[1]) - cost(t, c[2], c[5]);
    for (int i = 0; i < a + b; i++) stretch[i] = t->city[wrap(p + i, m)];
    for (int i = 0; i < a + b; i++) put(t, wrap(p + i, m), stretch[i < b ? a + i : i - b]);
    for (int i = 0; i < 6; i++) try_again(t, c[i]);
}

static void kick_often(tour *t)
{
    int m = t->n + 1, reach = m / 4 < KICK_REACH ? m / 4 : KICK_REACH;
    rs_random random = {1};
    if (reach < 1) return;
    t->changes = t->n + 2;
    settle(t, true);
    long kicks = t->n < MOST_KICKS / KICKS_PER_POINT ? (long)KICKS_PER_POINT * t->n : MOST_KICKS;
    for (long k = 0; k < kicks; k++) {
        int p = (int)rs_random_below(&random, (uint64_t)m);
        int a = 1 + (int)rs_random_below(&random, (uint64_t)reach);
        int b = 1 + (int)rs_random_below(&random, (uint64_t)reach);
        t->gained = 0;
        kick(t, p, a, b);
        improve(t);
        settle(t, t->gained >= 0);
    }
}

/* ------------------------------------------------------------------------------------ the route */

static reshed_status check_places(const rs_xy *at, int n, const rs_xy *start, reshed_error *err)
{
    if (n < 0) return rs_fail(err, RESHED_EINVAL, "points of a route|at least 0|%d", n);
    for (int i = 0; i < n; i++)
        if (!isfinite(at[i].x) || !isfinite(at[i].y))
            return rs_fail(err, RESHED_EINVAL, "place of a point|finite|%g, %g|point %d", at[i].x,
                           at[i].y, i);
    if (start && (!isfinite(start->x) || !isfinite(start->y)))
        return rs_fail(err, RESHED_EINVAL, "start of a route|finite|%g, %g", start->x, start->y);
    return RESHED_OK;
}

static void tour_clear(tour *t)
{
    rs_free(t->city);
    rs_free(t->pos);
    rs_free(t->near);
    rs_free(t->nears);
    rs_free(t->queue);
    rs_free(t->waits);
    rs_free(t->kept);
    rs_free(t->changed);
}

static reshed_status tour_init(tour *t, const rs_xy *at, int n, reshed_error *err)
{
    size_t m = (size_t)n + 1;
    *t = (tour){.at = at, .n = n, .start = -1};
    t->city = rs_alloc(m, sizeof *t->city);
    t->pos = rs_alloc(m, sizeof *t->pos);
    t->near = rs_alloc(m, RS_NEARBY * sizeof *t->near);
    t->nears = rs_alloc(m, sizeof *t->nears);
    t->queue = rs_alloc(m, sizeof *t->queue);
    t->waits = rs_zalloc(m, sizeof *t->waits);
    t->kept = rs_alloc(m, sizeof *t->kept);
    t->changed = rs_alloc(m, sizeof *t->changed);
    if (!t->city || !t->pos || !t->near || !t->nears || !t->queue || !t->waits || !t->kept ||
        !t->changed)
        return rs_fail_nomem(err, "a tour", m * (RS_NEARBY + 6) * sizeof(int));
    return RESHED_OK;
}

/* Goes from `first` always to the nearest point left; D comes last. waits[] serves as the marks. */
static void nearest_neighbour_tour(tour *t, const rs_nearby *c, int first)
{
    int a = first;
    for (int i = 0; i < t->n; i++) {
        put(t, i, a);
        t->waits[a] = true;
        if (i + 1 < t->n) a = rs_nearby_left(c, t->waits, t->at[a]);
    }
    put(t, t->n, t->n);
    memset(t->waits, 0, ((size_t)t->n + 1) * sizeof *t->waits);
}

reshed_status rs_route_short(const rs_xy *at, int n, const rs_xy *start, int32_t *order,
                             reshed_error *err)
{
    reshed_status st = check_places(at, n, start, err);
    if (st != RESHED_OK || n == 0) return st;
    rs_nearby c = {0};
    tour t;
    st = tour_init(&t, at, n, err);
    if (st == RESHED_OK) st = rs_nearby_init(&c, at, n, err);
    if (st != RESHED_OK) goto done;
    for (int i = 0; i < n; i++) t.nears[i] = rs_nearby_list(&c, i, t.near + (size_t)i * RS_NEARBY);
    double extent = fmax(c.nx * c.size, c.ny * c.size);
    t.slack = extent * 1e-10;
    /* A corner of the cloud is the better free end: nothing lies behind it. */
    int first = rs_nearby_left(&c, t.waits, start ? *start : (rs_xy){c.x0, c.y0});
    if (start) {
        t.start = first;
        t.hold = 8 * extent; /* no move gains as much: each has at most three edges */
    }
    nearest_neighbour_tour(&t, &c, first);
    for (int p = 0; p <= n; p++) try_again(&t, t.city[p]);
    improve(&t);
    kick_often(&t);
    int from = t.pos[n], way = 1;
    if (start && step(&t, n, 1) != first) way = -1;
    for (int i = 0, p = from; i < n; i++) {
        p = wrap(p + way, n + 1);
        order[i] = t.city[p];
    }
done:
    rs_nearby_clear(&c);
    tour_clear(&t);
    return st;
}

double rs_route_length(const rs_xy *at, int n, const int32_t *order, double *longest)
{
    double sum = 0, most = 0;
    for (int i = 1; i < n; i++) {
        double d = order ? rs_xy_distance(at[order[i - 1]], at[order[i]])
                         : rs_xy_distance(at[i - 1], at[i]);
        sum += d;
        most = fmax(most, d);
    }
    if (longest) *longest = most;
    return sum;
}
