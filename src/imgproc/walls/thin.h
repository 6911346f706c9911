/* thin.h - fewer points, of which each wall keeps its share. */
#ifndef RS_IMGPROC_WALLS_THIN_H
#define RS_IMGPROC_WALLS_THIN_H

#include <stdint.h>

#include "base/status.h"

/* Chooses `keep` of n points, 0 < keep < n; kept[n] becomes 1 for these and must be 0 before. Each
 * group (a wall, or a kind of control point as if it were one) keeps its share, at least one point
 * as long as there are that many to keep, the groups with the most points first where not; the
 * points that a group keeps lie evenly in the order of the list. target[n], all different, holds
 * the places in another order; those of the kept points are renumbered 0 ... keep-1. Errors:
 * RESHED_ENOMEM. */
reshed_status rs_thin_shares(const int *group, int *target, int n, int keep, uint8_t *kept,
                             reshed_error *err);

#endif
