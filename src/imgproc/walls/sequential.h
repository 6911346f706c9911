/* sequential.h - tests of the walls of a film that are looked at again while points are still being measured, so that
 * the measurement may end early and the chance of a false finding stays what it was.
 *
 * Points come in rounds, one of each wall that the test counts. After a round all values so far are tested. The looks
 * share the error by spending (Lan and DeMets, Biometrika 70 (1983) 659, with the linear function of Kim and
 * DeMets, Biometrika 74 (1987) 149): of the error e at most e s is spent once a share s of the points is
 * measured. The boundaries are not those of a normal statistic but of the permutations themselves: the walls are
 * permuted with all that was measured on them, so each permutation has a value at each look, and as many of
 * them as may be spent cross at each look. Where the walls are exchangeable the one that was measured is any of them, and the
 * chance that it crosses is at most e, for any number of walls, of looks, and any dependence between these. */
#ifndef RS_IMGPROC_WALLS_SEQUENTIAL_H
#define RS_IMGPROC_WALLS_SEQUENTIAL_H

#include <stdbool.h>

#include "imgproc/walls/graph/graph.h"

typedef enum rs_sequential_kind {
    RS_SEQUENTIAL_ALTERNATION, /* neighbours across a family differ more than others: mean
                                  |difference| of successive walls, as rs_alternation.successive */
    RS_SEQUENTIAL_LENGTHS      /* long walls and short ones differ: rank sum, two-sided */
} rs_sequential_kind;

/* Walls of the film, of one piece or several on the map, as tests.h joins them. */
typedef struct rs_wall_units {
    int n;
    int *of;         /* [graph->walls]: the unit of a wall; -1: the test does not count it. Owned */
    uint8_t *longer; /* [n]: not shorter than the median unit. Owned */
} rs_wall_units;

/* The units that the test counts, of walls that are there ([graph->walls]: have points). ALTERNATION: in the order of their places across the first family with
 * at least RS_ALTERNATION_MIN_WALLS of them; n 0: there is none. graph must have its `families`. */
reshed_status rs_wall_units_find(const rs_wallgraph *graph, int families, rs_sequential_kind kind,
                                 const uint8_t *there, rs_wall_units *out, reshed_error *err);
void rs_wall_units_clear(rs_wall_units *u);

/* order[n]: the points in rounds, each with one point of each unit that has any left, the points of a unit
 * spread over it (van der Corput). ALTERNATION: in a round as they came, so that neighbours are there together; LENGTHS: in
 * eight passes over the film, each as they came, so that each eighth of a round is spread over it. Points of no
 * unit (-1) come last. */
reshed_status rs_sequential_order(rs_sequential_kind kind, const int *unit, int n, int *order,
                                  reshed_error *err);

typedef struct rs_sequential {
    int found;    /* the look at which it crosses, from 0; -1: at none */
    double p;     /* of the last look by itself, as if it were the only one */
    double level; /* of the error that may be spent until then */
} rs_sequential;

/* value[looks][n]: means of the units at each look; finite, or for LENGTHS NaN: not measured yet. share[looks] of the points, rising, to 1. longer[n] is for
 * LENGTHS. Errors: RESHED_EINVAL for what is out of range, RESHED_ENOMEM. */
reshed_status rs_sequential_test(rs_sequential_kind kind, const double *value,
                                 const uint8_t *longer, const double *share, int n, int looks,
                                 double error, int permutations, uint64_t seed, rs_sequential *out,
                                 reshed_error *err);

#endif
