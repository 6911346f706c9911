/* tests.h - what the paper asks of the walls of a film, with the wall as the unit: do parallel
 * walls alternate, do long and short ones differ, does the distance from a large in-plane domain
 * matter.
 *
 *     rs_wall_tests_options options;
 *     rs_wall_tests tests;
 *     rs_wall_tests_defaults(&graph.grid, &options);
 *     st = rs_wall_tests_places(&graph, &options, place, NULL, value, n, &tests, err);
 *     if (tests.has_lengths) printf("long against short: p = %g\n", tests.lengths.p);
 *     rs_wall_tests_clear(&tests);
 *
 * A map shows one wall in pieces, so these are joined first: for alternation where they lie on one
 * line (family.h), for the other questions where one goes on as the other (gap.h). stats.h has the tests
 * themselves, findings.h what is to be reported of them. */
#ifndef RS_IMGPROC_WALLS_TESTS_H
#define RS_IMGPROC_WALLS_TESTS_H

#include "imgproc/walls/stats.h"
#include "imgproc/walls/graph/graph.h"
#include "imgproc/walls/select.h"

typedef struct rs_wall_tests_options {
    double family_angle; /* rad, as in rs_wall_families; default 10 degrees */
    double long_wall;    /* least length of a long wall, in the grid's units; 0 (the default): the
                                median of the measured walls */
    double large_domain; /* side of a large in-plane domain, the same; default 15 pixels */
    const uint8_t
        *in_plane;    /* [H,W] 1 where the polarisation lies in the plane; NULL: between pairs
                                of walls */
    int permutations; /* default 9999 */
    uint64_t seed;    /* of the permutations; default 1 */
} rs_wall_tests_options;

/* The defaults, for a graph on this grid. */
void rs_wall_tests_defaults(const rs_grid *grid, rs_wall_tests_options *options);

reshed_status rs_wall_tests_check(const rs_wall_tests_options *options, reshed_error *err);

#define RS_WALL_CONTROLS 3 /* kinds of control points: rs_point_kind from RS_POINT_A_DOMAIN on */

typedef struct rs_wall_tests {
    int points;          /* values that lie on a wall */
    int unmeasured, off; /* places without a value; values on no wall that are no control's */
    int in_family;       /* measured walls of the graph in the family that was tested: more than
                              alternation.walls where several lie on one line */
    int controls[RS_WALL_CONTROLS]; /* values of control points */
    int measured;                   /* walls of the graph with at least one */
    rs_wall_summary *wall;          /* [measured]; owned */
    double *distance;               /* [measured] to the nearest large in-plane domain; owned */
    int domains;                    /* large in-plane domains */
    bool has_alternation, has_lengths, has_trend; /* else there were too few walls for a test */
    bool has_control[RS_WALL_CONTROLS];           /* the same */
    int family;                                   /* that was tested for alternation */
    rs_alternation alternation;
    double limit;         /* between short and long walls, in the grid's units */
    rs_rank_test lengths; /* long walls against short ones */
    rs_trend trend; /* walls joined as for lengths, at the mean distance along all their pieces */
    rs_rank_test control[RS_WALL_CONTROLS]; /* walls, joined the same, against such points */
} rs_wall_tests;

/* A place on the map, in pixels; not whole as a rule. */
typedef struct rs_place {
    double row, col;
} rs_place;

/* wall[n]: the wall that each place lies on, which is that of the nearest skeleton pixel within two
 * pixels; -1: none, also outside the map and for NaN. Errors: RESHED_ENOMEM. */
reshed_status rs_walls_of_places(const rs_wallgraph *graph, const rs_place *place, int n, int *wall,
                                 reshed_error *err);

/* Tests value[n] of points that lie on wall[n] (-1: on none) of the graph, and sets its families.
 * NaN is a value that was not measured. *out is unchanged on failure. Errors: RESHED_EINVAL for bad
 * options or a wall that there is not, RESHED_ENOMEM. */
reshed_status rs_wall_tests_run(rs_wallgraph *graph, const rs_wall_tests_options *options,
                                const int *wall, const double *value, int n, rs_wall_tests *out,
                                reshed_error *err);
/* The same for places instead of walls: rs_walls_of_places, then rs_wall_tests_run. kind [n] of
 * rs_point_kind (NULL: all are on walls): control points lie on no wall, and each kind of them is
 * compared with the walls, a control point being a unit as a wall is. Another number than those is
 * RESHED_EINVAL. */
reshed_status rs_wall_tests_places(rs_wallgraph *graph, const rs_wall_tests_options *options,
                                   const rs_place *place, const int *kind, const double *value,
                                   int n, rs_wall_tests *out, reshed_error *err);
void rs_wall_tests_clear(rs_wall_tests *tests);

#endif
