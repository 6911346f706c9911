/* author_route.h - the route of the published workflow, for comparison. */
#ifndef RS_IMGPROC_WALLS_AUTHOR_ROUTE_H
#define RS_IMGPROC_WALLS_AUTHOR_ROUTE_H

#include "imgproc/image/grid.h"

/* Goes from the first point always to the nearest one left, in pixels; of several equally near to
 * the one that stands last in the list. Give the points row by row (as NumPy's argwhere lists them)
 * to get the author's route. Every point is visited: the published cell drops all candidates of a
 * tie but one. order[n] is a permutation of 0..n-1. Points must lie within [0,height) x [0,width)
 * and differ. Errors: RESHED_EINVAL, RESHED_ENOMEM. */
reshed_status rs_route_author(const rs_pixel *point, int n, int height, int width, int32_t *order,
                              reshed_error *err);

#endif
