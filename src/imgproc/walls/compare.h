/* compare.h - the order of given points against the author's. */
#ifndef RS_IMGPROC_WALLS_COMPARE_H
#define RS_IMGPROC_WALLS_COMPARE_H

#include "imgproc/walls/select.h"

/* Lengths of tours, and of their longest steps, in pixels. */
typedef struct rs_route_comparison {
    double length, longest;               /* of the points in the order given */
    double author_length, author_longest; /* of the same places by rs_route_author, each once */
} rs_route_comparison;

/* Points must lie on the grid. Errors: RESHED_EINVAL, RESHED_ENOMEM; *out is then unchanged. */
reshed_status rs_compare_routes(const rs_grid *grid, const rs_points *points,
                                rs_route_comparison *out, reshed_error *err);

#endif
