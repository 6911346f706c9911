/* tests.h - the questions that the paper asks of the walls of a film, with the wall as the unit: do
 * parallel walls alternate, do long and short ones differ, does the distance from a large in-plane domain
 * matter. stats.h has the tests themselves. */
#ifndef RS_IMGPROC_WALLS_TESTS_H
#define RS_IMGPROC_WALLS_TESTS_H

#include "imgproc/walls/stats.h"
#include "imgproc/walls/graph.h"

typedef struct rs_wall_tests_options {
    double family_angle; /* rad, as rs_wall_families; default 10 degrees */
    double long_wall;    /* least length of a long wall, in the grid's units; 0 (the default): the
                                median of the measured walls */
    double
        large_domain; /* side of a large in-plane domain, in the grid's units; default 15 pixels */
    const uint8_t
        *in_plane;    /* [H,W] 1 where the polarisation lies in the plane; NULL: between pairs of
                                walls */
    int permutations; /* default 9999 */
    uint64_t seed;    /* of the permutations; default 1 */
} rs_wall_tests_options;

/* The defaults, for a graph on this grid. */
void rs_wall_tests_defaults(const rs_grid *grid, rs_wall_tests_options *o);

typedef struct rs_wall_tests {
    int points;            /* values that lie on a wall */
    int measured;          /* walls with at least one */
    rs_wall_summary *wall; /* [measured]; owned */
    double *distance;      /* [measured] to the nearest large in-plane domain; owned */
    int domains;           /* large in-plane domains */
    bool has_alternation, has_lengths, has_trend;
    int family; /* that was tested for alternation */
    rs_alternation alternation;
    double limit;         /* between short and long walls, in the grid's units */
    rs_rank_test lengths; /* long walls against short ones */
    rs_trend trend;
} rs_wall_tests;

/* wall_near[H,W]: the wall of the nearest skeleton pixel, -1 where none is within two pixels. */
reshed_status rs_wall_spread(const rs_wallgraph *g, int32_t *wall_near, reshed_error *err);

/* Tests value[n] of points that lie on wall[n] (-1: on none) of g, and sets g's families. Errors: as
 * stats.h. */
reshed_status rs_wall_tests_run(rs_wallgraph *g, const rs_wall_tests_options *o, const int *wall,
                                const double *value, int n, rs_wall_tests *out, reshed_error *err);
void rs_wall_tests_clear(rs_wall_tests *tests);

#endif
