/* route.h - in which order to visit points. */
#ifndef RS_IMGPROC_WALLS_ROUTE_H
#define RS_IMGPROC_WALLS_ROUTE_H

#include "imgproc/image/grid.h"

/* A short open tour: nearest neighbour, then 2-opt and Or-opt moves over the nearest neighbours of
 * each point until none helps, then a few thousand kicks (random exchanges of two stretches, kept
 * when the repaired tour is not longer). Starts at the point nearest to *start; with start NULL
 * both ends are free. The result depends on the arguments alone. Errors: RESHED_EINVAL for a
 * coordinate that is not finite, RESHED_ENOMEM. */
reshed_status rs_route_short(const rs_xy *at, int n, const rs_xy *start, int32_t *order,
                             reshed_error *err);

/* Length of the tour in the order given (NULL: as listed), and its longest step (may be NULL). */
double rs_route_length(const rs_xy *at, int n, const int32_t *order, double *longest);

#endif
