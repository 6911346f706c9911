#include "imgproc/walls/domains.h"

#include <math.h>

#include "base/alloc.h"
#include "base/statistics.h"
#include "imgproc/image/distance.h"

/* ---------------------------------------------------------------------------- between two walls */

/* The outline of a pair's domain: the facing part of one wall, then that of the other backwards. */
static int outline(const rs_wallgraph *g, const rs_wall_pair *pair, rs_pixel *out)
{
    const rs_pixel *a = g->pixel + g->wall[pair->wall[0]].line.first;
    const rs_pixel *b = g->pixel + g->wall[pair->wall[1]].line.first;
    int a0 = pair->from[0], a1 = pair->to[0], b0 = pair->from[1], b1 = pair->to[1], n = 0;
    double same =
        rs_pixel_distance(&g->grid, a[a0], b[b0]) + rs_pixel_distance(&g->grid, a[a1], b[b1]);
    double opposite =
        rs_pixel_distance(&g->grid, a[a0], b[b1]) + rs_pixel_distance(&g->grid, a[a1], b[b0]);
    for (int i = a0; i <= a1; i++) out[n++] = a[i];
    for (int i = 0; i <= b1 - b0; i++) out[n++] = b[opposite < same ? b0 + i : b1 - i];
    return n;
}

/* Fills the polygon p[n] by rows: between the 1st and 2nd, 3rd and 4th, ... crossing of each. */
static void fill(const rs_wallgraph *g, const rs_pixel *p, int n, double *crossing, int32_t label,
                 int32_t *domain)
{
    int top = p[0].row, bottom = p[0].row, width = g->grid.width;
    for (int i = 1; i < n; i++) {
        if (p[i].row < top) top = p[i].row;
        if (p[i].row > bottom) bottom = p[i].row;
    }
    for (int row = top; row <= bottom; row++) {
        int count = 0;
        for (int i = 0; i < n; i++) {
            rs_pixel a = p[i], b = p[(i + 1) % n];
            if ((a.row <= row) == (b.row <= row)) continue;
            crossing[count++] =
                a.col + (double)(b.col - a.col) * (row - a.row) / (double)(b.row - a.row);
        }
        rs_sort(crossing, (size_t)count);
        for (int k = 0; k + 1 < count; k += 2)
            for (int col = (int)ceil(crossing[k]); col <= crossing[k + 1]; col++) {
                size_t i = (size_t)row * (size_t)width + (size_t)col;
                if (!g->skeleton[i] && domain[i] == 0) domain[i] = label;
            }
    }
}

reshed_status rs_pair_domains(const rs_wallgraph *graph, int32_t *domain, reshed_error *err)
{
    size_t longest = 0;
    for (int k = 0; k < graph->pairs; k++) {
        const rs_wall_pair *pair = &graph->pair[k];
        size_t n = (size_t)(pair->to[0] - pair->from[0] + pair->to[1] - pair->from[1]) + 2;
        if (n > longest) longest = n;
    }
    rs_pixel *polygon = rs_alloc(longest, sizeof *polygon);
    double *crossing = rs_alloc(longest, sizeof *crossing);
    reshed_status st = RESHED_OK;
    if (!polygon || !crossing) {
        st = rs_fail_nomem(err, "outlines of domains", longest * 16);
        goto done;
    }
    for (size_t i = 0; i < rs_grid_count(&graph->grid); i++) domain[i] = 0;
    for (int k = 0; k < graph->pairs; k++) {
        int n = outline(graph, &graph->pair[k], polygon);
        fill(graph, polygon, n, crossing, k + 1, domain);
    }
done:
    rs_free(crossing);
    rs_free(polygon);
    return st;
}

/* -------------------------------------------------------------------------------- large regions */

/* Collects the region of mask around pixel i into list and marks it seen; its size. */
static size_t collect(const rs_grid *grid, const uint8_t *mask, uint8_t *seen, uint32_t *list,
                      size_t i)
{
    size_t n = 0, head = 0, width = (size_t)grid->width, last = rs_grid_count(grid) - width;
    seen[i] = 1;
    list[n++] = (uint32_t)i;
    while (head < n) {
        size_t p = list[head++], col = p % width;
        size_t next[4];
        int k = 0;
        if (p >= width) next[k++] = p - width;
        if (p < last) next[k++] = p + width;
        if (col > 0) next[k++] = p - 1;
        if (col + 1 < width) next[k++] = p + 1;
        while (k-- > 0) {
            if (!mask[next[k]] || seen[next[k]]) continue;
            seen[next[k]] = 1;
            list[n++] = (uint32_t)next[k];
        }
    }
    return n;
}

reshed_status rs_large_regions(const rs_grid *grid, const uint8_t *mask, double min_area,
                               uint8_t *large, int *count, reshed_error *err)
{
    reshed_status st = rs_grid_check(grid, err);
    if (st != RESHED_OK) return st;
    if (!(min_area >= 0))
        return rs_fail(err, RESHED_EINVAL, "least area of a region|at least 0 m^2|%g", min_area);
    size_t n = rs_grid_count(grid);
    uint8_t *seen = rs_zalloc(n, 2 * sizeof *seen), *kept = seen ? seen + n : NULL;
    uint32_t *list = rs_alloc(n, sizeof *list);
    int found = 0;
    if (!seen || !list) {
        st = rs_fail_nomem(err, "regions", n * (2 + sizeof *list));
        goto done;
    }
    for (size_t i = 0; i < n; i++) {
        if (!mask[i] || seen[i]) continue;
        size_t size = collect(grid, mask, seen, list, i);
        if ((double)size * grid->dx * grid->dy < min_area * (1 - 1e-12)) continue;
        for (size_t k = 0; k < size; k++) kept[list[k]] = 1;
        found++;
    }
    for (size_t i = 0; i < n; i++) large[i] = kept[i];
    if (count) *count = found;
done:
    rs_free(list);
    rs_free(seen);
    return st;
}

reshed_status rs_wall_distances(const rs_wallgraph *graph, const uint8_t *region, double *distance,
                                reshed_error *err)
{
    const rs_grid *grid = &graph->grid;
    size_t n = rs_grid_count(grid);
    double *from_region = rs_alloc(n, sizeof *from_region);
    if (!from_region) return rs_fail_nomem(err, "distances", n * sizeof *from_region);
    reshed_status st = rs_distance_metres(region, grid->height, grid->width, grid->dx, grid->dy,
                                          from_region, NULL, err);
    for (int w = 0; w < graph->walls && st == RESHED_OK; w++) {
        const rs_wall_line *line = &graph->wall[w].line;
        double sum = 0;
        for (int i = 0; i < line->count; i++) {
            rs_pixel p = graph->pixel[line->first + i];
            sum += from_region[(size_t)p.row * (size_t)grid->width + (size_t)p.col];
        }
        distance[w] = sum / line->count;
    }
    rs_free(from_region);
    return st;
}
