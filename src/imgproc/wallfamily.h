/* wallfamily.h - sets of parallel walls, in the order in which they lie. */
#ifndef RS_IMGPROC_WALLFAMILY_H
#define RS_IMGPROC_WALLFAMILY_H

#include "imgproc/wallgraph.h"

/* Groups the walls of at least min_length metres whose orientation differs by at most `angle`
 * radians from their group's (a mean weighted by length), sets each wall's family, numbered from
 * the one with the greatest total length, and its place: its pixels' mean projected on the family's
 * normal, in metres as rs_pixel_xy. Other walls get family -1. *families (may be NULL) is the
 * number of groups. Errors: RESHED_EINVAL for an angle outside [0, pi/2] or a negative length,
 * RESHED_ENOMEM. */
reshed_status rs_wall_families(rs_wallgraph *graph, double angle, double min_length, int *families,
                               reshed_error *err);

/* wall[graph->walls]: the walls of a family by their place; returns how many there are. */
int rs_family_walls(const rs_wallgraph *graph, int family, int *wall);

#endif
