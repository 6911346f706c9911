/* family.h - sets of parallel walls, in the order in which they lie. */
#ifndef RS_IMGPROC_WALLS_FAMILY_H
#define RS_IMGPROC_WALLS_FAMILY_H

#include "imgproc/walls/graph/graph.h"

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

/* A map shows one wall of the film in pieces: cut where another wall crosses, or where it is faint.
 * Given the n walls of a family in the order of rs_family_walls, piece_of[i] becomes the number in
 * that list of the first piece of the wall that wall[i] belongs to (i itself for that one): places
 * less than `apart` metres from one to the next are one wall. Lines of a skeleton that lie side by
 * side are two pixels apart at least, so 1.5 pixels keeps the edges of thin domains separate. */
void rs_family_pieces(const rs_wallgraph *graph, const int *wall, int n, double apart,
                      int *piece_of);

#endif
