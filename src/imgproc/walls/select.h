/* select.h - where to measure: points along the walls, and control points beside them. */
#ifndef RS_IMGPROC_WALLS_SELECT_H
#define RS_IMGPROC_WALLS_SELECT_H

#include "imgproc/walls/graph/graph.h"

typedef enum rs_point_kind {
    RS_POINT_WALL,     /* on a wall of the graph */
    RS_POINT_A_DOMAIN, /* control: inside an in-plane domain */
    RS_POINT_C_DOMAIN, /* control: inside an out-of-plane domain */
    RS_POINT_180_WALL  /* control: on a wall where the phase turns over */
} rs_point_kind;

typedef struct rs_point {
    rs_pixel at;
    rs_point_kind kind;
    int wall;     /* RS_POINT_WALL: index in the graph; A_DOMAIN: index of the pair; else -1 */
    double along; /* RS_POINT_WALL: metres from the wall's first pixel; else 0 */
} rs_point;

typedef struct rs_points {
    int n;
    rs_point *p; /* owned (rs_points_clear) */
} rs_points;

void rs_points_clear(rs_points *points);

/* Keeps points away from places. A zeroed struct excludes nothing. */
typedef struct rs_exclusion {
    double margin;         /* metres from the outermost pixels' centres */
    const uint8_t *row_ok; /* [height], borrowed: rows that are final; NULL: all */
    const float *variance; /* [height,width], borrowed, or NULL */
    const uint8_t *skip;   /* [height,width], borrowed: pixels excluded where it is 1; NULL: none */
    double variance_max;   /* with variance: pixels above it, and NaN, are excluded */
    double apart; /* metres: no point nearer than that to one chosen or to one in *out before */
} rs_exclusion;

/* True for a pixel of the grid where no point may lie; `apart` is not looked at. */
bool rs_point_is_excluded(const rs_grid *grid, const rs_exclusion *e, rs_pixel p);

/* Every `every`-th pixel of the author's route over the skeleton's pixels (starting with the
 * first), excluded ones left out before the route is made. wall is that of graph->wall_at. Appends
 * to *out nothing on failure. Errors: RESHED_EINVAL, RESHED_ENOMEM. */
reshed_status rs_select_author(const rs_wallgraph *graph, int every, const rs_exclusion *exclude,
                               rs_points *out, reshed_error *err);

/* The same choice in raster order: every `every`-th skeleton pixel, row by row. */
reshed_status rs_select_raster(const rs_wallgraph *graph, int every, const rs_exclusion *exclude,
                               rs_points *out, reshed_error *err);

/* Points `spacing` metres apart along each wall (stretched to divide its length evenly, half a step
 * kept free at both ends; one point in the middle of a wall shorter than that), excluded ones left
 * out, in wall order: put them in a route with rs_route_points. Longer walls come first: a point too
 * near to theirs gives way along its wall, by less than half a step, or is left out. */
reshed_status rs_select_even(const rs_wallgraph *graph, double spacing, const rs_exclusion *exclude,
                             rs_points *out, reshed_error *err);

/* Up to `count` control points of one kind, spread as far from each other as they can be, at least
 * `distance` metres from every pixel of the graph's skeleton (from its 90-degree walls, for
 * RS_POINT_180_WALL). phase [H,W] in radians is needed for RS_POINT_180_WALL alone and may be NULL
 * else; NaN pixels take no part. Fewer points are given where there is no room for more. Errors:
 * RESHED_EINVAL, RESHED_ENOMEM. */
reshed_status rs_select_control(const rs_wallgraph *graph, rs_point_kind kind, int count,
                                double distance, const float *phase, const rs_exclusion *exclude,
                                rs_points *out, reshed_error *err);

/* Reorders the points along a short route (rs_route_short), from the one nearest to *start when
 * that is given (metres as rs_pixel_xy). order[points->n] (may be NULL): the place that each of
 * them had before. */
reshed_status rs_route_points(const rs_grid *grid, const rs_xy *start, rs_points *points,
                              int32_t *order, reshed_error *err);

/* "wall", "a-domain", "c-domain", "180-wall" */
const char *rs_point_kind_name(rs_point_kind kind);

#endif
