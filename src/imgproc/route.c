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
 * queue holds the cities whose edges changed since they were last tried. */
#include "imgproc/route.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"

/* ------------------------------------------------------------------------------ cells of points */

/* Points sorted into square cells, about two in each, for finding near ones. */
typedef struct cells {
    const rs_xy *at; /* [n], borrowed */
    int n, nx, ny;
    double x0, y0, size;
    int *start; /* [nx*ny+1]: where a cell's points begin in item */
    int *item;  /* [n] */
} cells;

static int cell_of(double v, double origin, double size, int count)
{
    int i = (int)((v - origin) / size);
    return i < 0 ? 0 : i >= count ? count - 1 : i;
}

static size_t cell_index(const cells *c, rs_xy p)
{
    int x = cell_of(p.x, c->x0, c->size, c->nx), y = cell_of(p.y, c->y0, c->size, c->ny);
    return (size_t)y * (size_t)c->nx + (size_t)x;
}

static void cells_clear(cells *c)
{
    rs_free(c->start);
    rs_free(c->item);
}

static reshed_status cells_init(cells *c, const rs_xy *at, int n, reshed_error *err)
{
    double x1 = at[0].x, y1 = at[0].y;
    *c = (cells){.at = at, .n = n, .x0 = at[0].x, .y0 = at[0].y};
    for (int i = 1; i < n; i++) {
        c->x0 = fmin(c->x0, at[i].x);
        c->y0 = fmin(c->y0, at[i].y);
        x1 = fmax(x1, at[i].x);
        y1 = fmax(y1, at[i].y);
    }
    double w = x1 - c->x0, h = y1 - c->y0, longer = fmax(w, h);
    /* Points on a line have no area: at least n/2 cells along the longer side do then. */
    c->size = fmax(sqrt(w * h * 2 / n), longer * 2 / n);
    if (!(c->size > 0)) c->size = 1;
    c->nx = (int)(w / c->size) + 1;
    c->ny = (int)(h / c->size) + 1;
    size_t count = (size_t)c->nx * (size_t)c->ny;
    c->start = rs_zalloc(count + 2, sizeof *c->start);
    c->item = rs_alloc((size_t)n, sizeof *c->item);
    if (!c->start || !c->item)
        return rs_fail_nomem(err, "cells of points",
                             (count + 2) * sizeof *c->start + (size_t)n * sizeof *c->item);
    /* Counted two places on, so that filling the cells leaves each start where it belongs. */
    for (int i = 0; i < n; i++) c->start[cell_index(c, at[i]) + 2]++;
    for (size_t k = 1; k <= count; k++) c->start[k + 1] += c->start[k];
    for (int i = 0; i < n; i++) c->item[c->start[cell_index(c, at[i]) + 1]++] = i;
    return RESHED_OK;
}

static double distance(rs_xy a, rs_xy b)
{
    double x = a.x - b.x, y = a.y - b.y;
    return sqrt(x * x + y * y);
}

/* Looks at the cells of ring r around cell (cx,cy), 0: that cell itself, and calls
 * offer(ctx, point) for their points. Whether any part of the ring lies on the grid. */
static bool visit_ring(const cells *c, int cx, int cy, int r, void (*offer)(void *ctx, int point),
                       void *ctx)
{
    bool inside = false;
    for (int y = cy - r; y <= cy + r; y++) {
        if (y < 0 || y >= c->ny) continue;
        bool edge = y == cy - r || y == cy + r;
        for (int x = cx - r; x <= cx + r; x += edge || r == 0 ? 1 : 2 * r) {
            if (x < 0 || x >= c->nx) continue;
            inside = true;
            const int *start = c->start + (size_t)y * (size_t)c->nx + (size_t)x;
            for (int k = start[0]; k < start[1]; k++) offer(ctx, c->item[k]);
        }
    }
    return inside;
}

/* ------------------------------------------------------------------------- nearest few neighbours
 */

#define NEAR 8

typedef struct near_list {
    const cells *c;
    int self, count;
    int point[NEAR]; /* nearest first; of equals the lower index */
    double d[NEAR];
} near_list;

static void offer_near(void *ctx, int point)
{
    near_list *l = ctx;
    if (point == l->self) return;
    double d = distance(l->c->at[l->self], l->c->at[point]);
    int i = l->count < NEAR ? l->count++ : NEAR;
    for (; i > 0 && (d < l->d[i - 1] || (d == l->d[i - 1] && point < l->point[i - 1])); i--) {
        if (i == NEAR) continue;
        l->d[i] = l->d[i - 1];
        l->point[i] = l->point[i - 1];
    }
    if (i == NEAR) return;
    l->d[i] = d;
    l->point[i] = point;
}

static int find_near(const cells *c, int self, int *out)
{
    near_list l = {.c = c, .self = self};
    rs_xy p = c->at[self];
    int cx = cell_of(p.x, c->x0, c->size, c->nx), cy = cell_of(p.y, c->y0, c->size, c->ny);
    for (int r = 0; visit_ring(c, cx, cy, r, offer_near, &l); r++)
        /* A point of the next ring is at least r cells away. */
        if (l.count == NEAR && l.d[NEAR - 1] <= r * c->size) break;
    memcpy(out, l.point, (size_t)l.count * sizeof *out);
    return l.count;
}

typedef struct nearest_left {
    const cells *c;
    const bool *gone;
    rs_xy from;
    int point;
    double d;
} nearest_left;

static void offer_left(void *ctx, int point)
{
    nearest_left *l = ctx;
    if (l->gone[point]) return;
    double d = distance(l->from, l->c->at[point]);
    if (l->point >= 0 && (d > l->d || (d == l->d && point > l->point))) return;
    l->point = point;
    l->d = d;
}

/* The nearest point that is not gone; -1 when all are. */
static int find_left(const cells *c, const bool *gone, rs_xy from)
{
    nearest_left l = {.c = c, .gone = gone, .from = from, .point = -1};
    int cx = cell_of(from.x, c->x0, c->size, c->nx), cy = cell_of(from.y, c->y0, c->size, c->ny);
    for (int r = 0; visit_ring(c, cx, cy, r, offer_left, &l); r++)
        if (l.point >= 0 && l.d <= r * c->size) break;
    return l.point;
}

/* ------------------------------------------------------------------------------------- the tour */

typedef struct tour {
    const rs_xy *at;
    int n;        /* points; city n is D, and there are n+1 cities */
    int start;    /* the first point, or -1 */
    double hold;  /* what D loses by leaving the start */
    double slack; /* gains up to this are rounding */
    int *city;    /* [n+1] in tour order, cyclic */
    int *pos;     /* [n+1] the inverse */
    int *near;    /* [n,NEAR] */
    int *nears;   /* [n] how many */
    int *queue;   /* [n+1] cities to try: a ring buffer */
    int head, queued;
    bool *waits; /* [n+1] is in the queue */
} tour;

static double cost(const tour *t, int a, int b)
{
    if (a < t->n && b < t->n) return distance(t->at[a], t->at[b]);
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

/* Whether a 2-opt move at city a with new neighbour c shortened the tour; side 1: a's successor is
 * given up, -1: its predecessor. */
static bool try_two_opt(tour *t, int a, int c, int side)
{
    int b = step(t, a, side), d = step(t, c, side);
    if (c == b || d == a) return false;
    double gain = cost(t, a, b) + cost(t, c, d) - cost(t, a, c) - cost(t, b, d);
    if (!(gain > t->slack)) return false;
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

/* Whether moving a segment that ends in a next to c shortened the tour. The segment runs from a
 * away from its neighbour on `side`. */
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
            int c = k < 0 ? t->n : t->near[(size_t)a * NEAR + (size_t)k]; /* D is near to all */
            if (k >= 0 && !(cost(t, a, step(t, a, side)) - cost(t, a, c) > t->slack)) break;
            if (try_two_opt(t, a, c, side) || try_or_opt(t, a, c, side)) return true;
        }
    return false;
}

static void improve(tour *t)
{
    int m = t->n + 1;
    for (int p = 0; p < m; p++) try_again(t, t->city[p]);
    while (t->queued) {
        int a = t->queue[t->head];
        t->head = wrap(t->head + 1, m);
        t->queued--;
        t->waits[a] = false;
        while (improve_city(t, a)) continue;
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
}

static reshed_status tour_init(tour *t, const rs_xy *at, int n, reshed_error *err)
{
    size_t m = (size_t)n + 1;
    *t = (tour){.at = at, .n = n, .start = -1};
    t->city = rs_alloc(m, sizeof *t->city);
    t->pos = rs_alloc(m, sizeof *t->pos);
    t->near = rs_alloc(m, NEAR * sizeof *t->near);
    t->nears = rs_alloc(m, sizeof *t->nears);
    t->queue = rs_alloc(m, sizeof *t->queue);
    t->waits = rs_zalloc(m, sizeof *t->waits);
    if (!t->city || !t->pos || !t->near || !t->nears || !t->queue || !t->waits)
        return rs_fail_nomem(err, "a tour", m * (NEAR + 4) * sizeof(int));
    return RESHED_OK;
}

/* From `first` always to the nearest point left; D comes last. waits[] serves as the marks. */
static void nearest_neighbour_tour(tour *t, const cells *c, int first)
{
    int a = first;
    for (int i = 0; i < t->n; i++) {
        put(t, i, a);
        t->waits[a] = true;
        if (i + 1 < t->n) a = find_left(c, t->waits, t->at[a]);
    }
    put(t, t->n, t->n);
    memset(t->waits, 0, ((size_t)t->n + 1) * sizeof *t->waits);
}

reshed_status rs_route_short(const rs_xy *at, int n, const rs_xy *start, int32_t *order,
                             reshed_error *err)
{
    reshed_status st = check_places(at, n, start, err);
    if (st || n == 0) return st;
    cells c = {0};
    tour t;
    st = tour_init(&t, at, n, err);
    if (!st) st = cells_init(&c, at, n, err);
    if (st) goto done;
    for (int i = 0; i < n; i++) t.nears[i] = find_near(&c, i, t.near + (size_t)i * NEAR);
    double extent = fmax(c.nx * c.size, c.ny * c.size);
    t.slack = extent * 1e-10;
    /* A corner of the cloud is the better free end: nothing lies behind it. */
    int first = find_left(&c, t.waits, start ? *start : (rs_xy){c.x0, c.y0});
    if (start) {
        t.start = first;
        t.hold = 8 * extent; /* no move gains as much: each has at most three edges */
    }
    nearest_neighbour_tour(&t, &c, first);
    improve(&t);
    int from = t.pos[n], way = 1;
    if (start && step(&t, n, 1) != first) way = -1;
    for (int i = 0, p = from; i < n; i++) {
        p = wrap(p + way, n + 1);
        order[i] = t.city[p];
    }
done:
    cells_clear(&c);
    tour_clear(&t);
    return st;
}

double rs_route_length(const rs_xy *at, int n, const int32_t *order, double *longest)
{
    double sum = 0, most = 0;
    for (int i = 1; i < n; i++) {
        double d = order ? distance(at[order[i - 1]], at[order[i]]) : distance(at[i - 1], at[i]);
        sum += d;
        most = fmax(most, d);
    }
    if (longest) *longest = most;
    return sum;
}

/* --------------------------------------------------------------------------- the author's route */

/* The raster of points still to be visited, and the same points as a list in their given order. */
typedef struct left_over {
    const rs_pixel *point;
    int height, width;
    int32_t *at;          /* [height,width] index of the point there, -1: none, or visited */
    int32_t *next, *prev; /* [n+1] linked list; n is its head */
} left_over;

typedef struct best_point {
    int32_t index;
    int64_t d2;
} best_point;

static void offer_best(best_point *b, int32_t index, int64_t d2)
{
    if (b->index < 0 || d2 < b->d2 || (d2 == b->d2 && index > b->index))
        *b = (best_point){index, d2};
}

static void look_at(const left_over *l, rs_pixel from, int row, int col, best_point *b)
{
    if (row < 0 || row >= l->height || col < 0 || col >= l->width) return;
    int32_t i = l->at[(size_t)row * (size_t)l->width + (size_t)col];
    int64_t dr = row - from.row, dc = col - from.col;
    if (i >= 0) offer_best(b, i, dr * dr + dc * dc);
}

/* Searches square rings of pixels while that is cheap (the next point is nearly always within one
 * or two pixels), then the list. */
static int32_t nearest_point_left(const left_over *l, int n, rs_pixel from)
{
    enum { RINGS = 8 };
    best_point b = {-1, 0};
    for (int r = 1; r <= RINGS; r++) {
        if (b.index >= 0 && b.d2 < (int64_t)r * r) return b.index;
        for (int k = -r; k <= r; k++) {
            look_at(l, from, from.row - r, from.col + k, &b);
            look_at(l, from, from.row + r, from.col + k, &b);
            look_at(l, from, from.row + k, from.col - r, &b);
            look_at(l, from, from.row + k, from.col + r, &b);
        }
    }
    if (b.index >= 0 && b.d2 <= RINGS * RINGS) return b.index;
    for (int32_t i = l->next[n]; i != n; i = l->next[i]) {
        int64_t dr = l->point[i].row - from.row, dc = l->point[i].col - from.col;
        offer_best(&b, i, dr * dr + dc * dc);
    }
    return b.index;
}

static void take_out(left_over *l, int32_t i)
{
    rs_pixel p = l->point[i];
    l->at[(size_t)p.row * (size_t)l->width + (size_t)p.col] = -1;
    l->next[l->prev[i]] = l->next[i];
    l->prev[l->next[i]] = l->prev[i];
}

/* Lists the points and enters them in the raster. */
static reshed_status list_points(left_over *l, int n, reshed_error *err)
{
    size_t area = (size_t)l->height * (size_t)l->width;
    for (size_t k = 0; k < area; k++) l->at[k] = -1;
    for (int32_t i = 0; i <= n; i++) {
        l->next[i] = i == n ? 0 : i + 1;
        l->prev[i] = i == 0 ? n : i - 1;
        if (i == n) break;
        rs_pixel p = l->point[i];
        if (p.row < 0 || p.row >= l->height || p.col < 0 || p.col >= l->width)
            return rs_fail(err, RESHED_EINVAL, "point of a route|within %d x %d|row %d, column %d",
                           l->height, l->width, p.row, p.col);
        int32_t *cell = &l->at[(size_t)p.row * (size_t)l->width + (size_t)p.col];
        if (*cell >= 0)
            return rs_fail(err, RESHED_EINVAL,
                           "points of a route|different pixels|row %d, column %d twice", p.row,
                           p.col);
        *cell = i;
    }
    return RESHED_OK;
}

reshed_status rs_route_author(const rs_pixel *point, int n, int height, int width, int32_t *order,
                              reshed_error *err)
{
    rs_grid grid = {height, width, 1, 1};
    reshed_status st = rs_grid_check(&grid, err);
    if (st) return st;
    if (n < 0) return rs_fail(err, RESHED_EINVAL, "points of a route|at least 0|%d", n);
    size_t area = rs_grid_count(&grid), links = (size_t)n + 1;
    left_over l = {.point = point, .height = height, .width = width};
    l.at = rs_alloc(area, sizeof *l.at);
    l.next = rs_alloc(links, 2 * sizeof *l.next);
    if (!l.at || !l.next) {
        st = rs_fail_nomem(err, "a route", (area + 2 * links) * sizeof *l.at);
        goto done;
    }
    l.prev = l.next + links;
    st = list_points(&l, n, err);
    if (st) goto done;
    int32_t i = 0;
    for (int k = 0; k < n; k++) {
        order[k] = i;
        take_out(&l, i);
        if (k + 1 < n) i = nearest_point_left(&l, n, point[i]);
    }
done:
    rs_free(l.next);
    rs_free(l.at);
    return st;
}
