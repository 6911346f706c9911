/* domains.h - regions of the map: between walls, and by their size. */
#ifndef RS_IMGPROC_WALLS_DOMAINS_H
#define RS_IMGPROC_WALLS_DOMAINS_H

#include "imgproc/walls/graph/graph.h"

/* domain[H,W]: 1 + the index of the pair between whose lines the pixel lies (of the first, where
 * there are several), 0 elsewhere and on the skeleton itself. Errors: RESHED_ENOMEM. */
reshed_status rs_pair_domains(const rs_wallgraph *graph, int32_t *domain, reshed_error *err);

/* large[H,W]: 1 on the connected regions (neighbours along the axes) of mask[H,W] that measure at
 * least min_area square metres; *count (may be NULL) is their number. large may be mask. Errors:
 * RESHED_EINVAL, RESHED_ENOMEM. */
reshed_status rs_large_regions(const rs_grid *grid, const uint8_t *mask, double min_area,
                               uint8_t *large, int *count, reshed_error *err);

/* distance[graph->walls]: metres from each wall to the nearest pixel of region[H,W], averaged over
 * the wall's pixels; infinite when the region is empty. Errors: RESHED_ENOMEM. */
reshed_status rs_wall_distances(const rs_wallgraph *graph, const uint8_t *region, double *distance,
                                reshed_error *err);

#endif
