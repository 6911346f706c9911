/* nearby.h - which points of a set are near. */
#ifndef RS_IMGPROC_WALLS_NEARBY_H
#define RS_IMGPROC_WALLS_NEARBY_H

#include <stdbool.h>

#include "imgproc/image/grid.h"

#define RS_NEARBY 8 /* neighbours of a point that rs_nearby_list gives */

/* Points sorted into square cells, about two in each. */
typedef struct rs_nearby {
    const rs_xy *at; /* [n], borrowed */
    int n, nx, ny;
    double x0, y0, size; /* of a cell */
    int *start;          /* [nx*ny+2]: where a cell's points begin in item; owned, as is item */
    int *item;           /* [n] */
} rs_nearby;

/* n >= 1 finite places. Clear with rs_nearby_clear, also after a failure. */
reshed_status rs_nearby_init(rs_nearby *c, const rs_xy *at, int n, reshed_error *err);
void rs_nearby_clear(rs_nearby *c);

/* The up to RS_NEARBY other points nearest to point `self`, nearest first, of equals the lower
 * index first; returns how many. */
int rs_nearby_list(const rs_nearby *c, int self, int out[RS_NEARBY]);

/* The point nearest to `from` whose gone[] is false; -1 when there is none. */
int rs_nearby_left(const rs_nearby *c, const bool *gone, rs_xy from);

double rs_xy_distance(rs_xy a, rs_xy b);

#endif
