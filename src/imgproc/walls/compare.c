#include "imgproc/walls/compare.h"

#include "base/alloc.h"
#include "imgproc/walls/author_route.h"
#include "imgproc/walls/route.h"

reshed_status rs_compare_routes(const rs_grid *grid, const rs_points *points,
                                rs_route_comparison *out, reshed_error *err)
{
    const size_t n = (size_t)points->n, count = rs_grid_count(grid), width = (size_t)grid->width;
    rs_route_comparison c;
    int k = 0;
    rs_xy *at = rs_alloc(n, sizeof *at);
    rs_pixel *list = rs_alloc(n, sizeof *list);
    int32_t *order = rs_alloc(n, sizeof *order);
    uint8_t *marked = rs_zalloc(count, 1);
    reshed_status st = RESHED_OK;
    if (!at || !list || !order || !marked) {
        st = rs_fail_nomem(err, "a route", n * 32 + count);
        goto done;
    }
    for (size_t i = 0; i < n; i++) {
        const rs_pixel p = points->p[i].at;
        at[i] = (rs_xy){p.col, -p.row};
        marked[(size_t)p.row * width + (size_t)p.col] = 1;
    }
    c.length = rs_route_length(at, points->n, NULL, &c.longest);
    for (size_t i = 0; i < count; i++) { /* argwhere's order, each place once */
        if (!marked[i]) continue;
        list[k] = (rs_pixel){(int32_t)(i / width), (int32_t)(i % width)};
        at[k] = (rs_xy){list[k].col, -list[k].row};
        k++;
    }
    st = rs_route_author(list, k, grid->height, grid->width, order, err);
    if (st != RESHED_OK) goto done;
    c.author_length = rs_route_length(at, k, order, &c.author_longest);
    *out = c;
done:
    rs_free(marked);
    rs_free(order);
    rs_free(list);
    rs_free(at);
    return st;
}
