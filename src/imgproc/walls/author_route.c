#include "imgproc/walls/author_route.h"

#include "base/alloc.h"

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
    if (st != RESHED_OK) return st;
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
    if (st != RESHED_OK) goto done;
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
