#include "imgproc/walls/nearby.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

static int cell_of(double v, double origin, double size, int count)
{
    int i = (int)((v - origin) / size);
    return i < 0 ? 0 : i >= count ? count - 1 : i;
}

static size_t cell_index(const rs_nearby *c, rs_xy p)
{
    int x = cell_of(p.x, c->x0, c->size, c->nx), y = cell_of(p.y, c->y0, c->size, c->ny);
    return (size_t)y * (size_t)c->nx + (size_t)x;
}

void rs_nearby_clear(rs_nearby *c)
{
    rs_free(c->start);
    rs_free(c->item);
}

reshed_status rs_nearby_init(rs_nearby *c, const rs_xy *at, int n, reshed_error *err)
{
    double x1 = at[0].x, y1 = at[0].y;
    *c = (rs_nearby){.at = at, .n = n, .x0 = at[0].x, .y0 = at[0].y};
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

double rs_xy_distance(rs_xy a, rs_xy b)
{
    double x = a.x - b.x, y = a.y - b.y;
    return sqrt(x * x + y * y);
}

/* Looks at the cells of ring r around cell (cx,cy), 0: that cell itself, and calls
 * offer(ctx, point) for their points. Whether any part of the ring lies on the grid. */
static bool visit_ring(const rs_nearby *c, int cx, int cy, int r,
                       void (*offer)(void *ctx, int point), void *ctx)
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

typedef struct near_list {
    const rs_nearby *c;
    int self, count;
    int point[RS_NEARBY]; /* nearest first; of equals the lower index */
    double d[RS_NEARBY];
} near_list;

static void offer_near(void *ctx, int point)
{
    near_list *l = ctx;
    if (point == l->self) return;
    double d = rs_xy_distance(l->c->at[l->self], l->c->at[point]);
    int i = l->count < RS_NEARBY ? l->count++ : RS_NEARBY;
    for (; i > 0 && (d < l->d[i - 1] || (d == l->d[i - 1] && point < l->point[i - 1])); i--) {
        if (i == RS_NEARBY) continue;
        l->d[i] = l->d[i - 1];
        l->point[i] = l->point[i - 1];
    }
    if (i == RS_NEARBY) return;
    l->d[i] = d;
    l->point[i] = point;
}

int rs_nearby_list(const rs_nearby *c, int self, int out[RS_NEARBY])
{
    near_list l = {.c = c, .self = self};
    rs_xy p = c->at[self];
    int cx = cell_of(p.x, c->x0, c->size, c->nx), cy = cell_of(p.y, c->y0, c->size, c->ny);
    for (int r = 0; visit_ring(c, cx, cy, r, offer_near, &l); r++)
        /* A point of the next ring is at least r cells away. */
        if (l.count == RS_NEARBY && l.d[RS_NEARBY - 1] <= r * c->size) break;
    memcpy(out, l.point, (size_t)l.count * sizeof *out);
    return l.count;
}

typedef struct nearest_left {
    const rs_nearby *c;
    const bool *gone;
    rs_xy from;
    int point;
    double d;
} nearest_left;

static void offer_left(void *ctx, int point)
{
    nearest_left *l = ctx;
    if (l->gone[point]) return;
    double d = rs_xy_distance(l->from, l->c->at[point]);
    if (l->point >= 0 && (d > l->d || (d == l->d && point > l->point))) return;
    l->point = point;
    l->d = d;
}

int rs_nearby_left(const rs_nearby *c, const bool *gone, rs_xy from)
{
    nearest_left l = {.c = c, .gone = gone, .from = from, .point = -1};
    int cx = cell_of(from.x, c->x0, c->size, c->nx), cy = cell_of(from.y, c->y0, c->size, c->ny);
    for (int r = 0; visit_ring(c, cx, cy, r, offer_left, &l); r++)
        if (l.point >= 0 && l.d <= r * c->size) break;
    return l.point;
}
