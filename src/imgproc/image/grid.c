#include "imgproc/image/grid.h"

#include <math.h>

#include "base/image.h"

reshed_status rs_grid_check(const rs_grid *grid, reshed_error *err)
{
    if (grid->height < 1 || grid->width < 1 || grid->height > RS_IMAGE_MAX_SIDE ||
        grid->width > RS_IMAGE_MAX_SIDE || rs_grid_count(grid) > RS_IMAGE_MAX_PIXELS)
        return rs_fail(err, RESHED_EINVAL,
                       "map size|sides from 1 to %d and at most %zu pixels|%d x %d",
                       RS_IMAGE_MAX_SIDE, RS_IMAGE_MAX_PIXELS, grid->height, grid->width);
    if (!(grid->dx > 0) || !(grid->dy > 0) || !isfinite(grid->dx) || !isfinite(grid->dy))
        return rs_fail(err, RESHED_EINVAL, "pixel size|finite and > 0|%g x %g m", grid->dx,
                       grid->dy);
    return RESHED_OK;
}

size_t rs_grid_count(const rs_grid *grid)
{
    return (size_t)grid->height * (size_t)grid->width;
}

rs_xy rs_pixel_xy(const rs_grid *grid, rs_pixel p)
{
    return (rs_xy){p.col * grid->dx, -p.row * grid->dy};
}

double rs_pixel_distance(const rs_grid *grid, rs_pixel a, rs_pixel b)
{
    return hypot((double)(a.col - b.col) * grid->dx, (double)(a.row - b.row) * grid->dy);
}
