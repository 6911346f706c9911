/* route.h - in which order to visit points. */
#ifndef RS_IMGPROC_ROUTE_H
#define RS_IMGPROC_ROUTE_H

#include "imgproc/grid.h"

/* The order of the published workflow: from the first point always to the nearest one left, in
 * pixels; of several equally near the one that stands last in the list. Give the points row by row
 * (as NumPy's argwhere lists them) to get the author's route. Every point is visited: the published
 * cell drops all candidates of a tie but one. order[n] is a permutation of 0..n-1. Points must lie
 * within [0,height) x [0,width) and differ. Errors: RESHED_EINVAL, RESHED_ENOMEM. */
reshed_status rs_route_author(const rs_pixel *point, int n, int height, int width, int32_t *order,
                              reshed_error *err);

/* A short open tour: nearest neighbour, then 2-opt and Or-opt moves over the nearest neighbours of
 * each point until none helps. Starts at the point nearest to *start; with start NULL both ends are
 * free. The result depends on the arguments alone. Errors: RESHED_EINVAL for a coordinate that is
 * not finite, RESHED_ENOMEM. */
reshed_status rs_route_short(const rs_xy *at, int n, const rs_xy *start, int32_t *order,
                             reshed_error *err);

/* Length of the tour in the order given (NULL: as listed), and its longest step (may be NULL). */
double rs_route_length(const rs_xy *at, int n, const int32_t *order, double *longest);

#endif
