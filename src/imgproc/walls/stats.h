/* stats.h - tests in which the wall, and not the point measured on it, is the unit: points on one
 * wall are not independent. All random choices come from the seed given. */
#ifndef RS_IMGPROC_WALLS_STATS_H
#define RS_IMGPROC_WALLS_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* A metric over the points of one wall. */
typedef struct rs_wall_summary {
    int wall;
    int n;           /* finite values */
    double mean, sd; /* sd over n-1; NaN for n < 2 */
    double sem;      /* sd/sqrt(n), as if the points were independent */
    double median, min, max;
} rs_wall_summary;

/* Summaries of the walls 0..walls-1 that have at least one finite value, in wall order:
 * out[walls], *count of them are filled. wall[n], value[n]: values with wall < 0, or NaN, are left
 * out. Errors: RESHED_EINVAL for a wall >= walls, RESHED_ENOMEM. */
reshed_status rs_stats_by_wall(const int *wall, const double *value, size_t n, int walls,
                               rs_wall_summary *out, int *count, reshed_error *err);

#define RS_ALTERNATION_MIN_WALLS 10

typedef struct rs_alternation {
    int walls;
    double difference;   /* mean of walls 0, 2, 4, ... minus mean of walls 1, 3, 5, ... */
    double p;            /* two-sided: permutations with at least this |difference| */
    double successive;   /* mean |value[i+1] - value[i]|: does not need every wall to be measured */
    double p_successive; /* one-sided: permutations with at least this much */
    double autocorrelation; /* between neighbours: -1 for strict alternation, about 0 for none */
    double chance; /* mean |difference| of any two walls, which `successive` is without order */
    double lo, hi; /* 95 % confidence interval of successive - chance */
    double least;  /* smallest p_successive that so many permutations can give */
} rs_alternation;

/* Tests whether a metric alternates from wall to wall across a family of parallel walls. value[n]:
 * one number per wall (its mean), in the order in which the walls lie. The walls are permuted
 * `permutations` times. Errors: RESHED_EINVAL for fewer than RS_ALTERNATION_MIN_WALLS walls, a
 * value that is not finite, permutations < 1; RESHED_ENOMEM. */
reshed_status rs_alternation_test(const double *value, int n, int permutations, uint64_t seed,
                                  rs_alternation *out, reshed_error *err);

typedef struct rs_rank_test {
    int n[2];
    double median[2];
    double u;      /* pairs (a,b) with a > b, plus half the ties */
    double p;      /* two-sided */
    double effect; /* u/(n0*n1): chance that a value of the first group exceeds one of the second */
    double shift;  /* Hodges-Lehmann: the median of all differences a - b */
    double lo, hi; /* 95 % confidence interval of the shift (Moses); NaN where so few values have
                      none */
    int exact;     /* 1: p is from the exact distribution given the ties; 0: normal, with tie and
                      continuity correction */
    double least;  /* smallest p that groups of these sizes can give (without ties) */
} rs_rank_test;

/* Mann-Whitney rank-sum test of a[na] against b[nb], one number per wall. Exact up to
 * RS_RANK_EXACT_MAX values in all, ties included. Errors: RESHED_EINVAL when a group is empty or
 * a value is not finite, RESHED_ENOMEM. */
#define RS_RANK_EXACT_MAX 60
reshed_status rs_rank_sum_test(const double *a, int na, const double *b, int nb, rs_rank_test *out,
                               reshed_error *err);

typedef struct rs_trend {
    int n;
    double rho;    /* Spearman's, ties at their mean rank; NaN when x or y is constant */
    double p;      /* two-sided; NaN then */
    double lo, hi; /* 95 % confidence interval of rho (Fisher, Bonett and Wright); NaN for n < 5 */
    int exact;     /* 1: all n! orders were counted (n <= 8); 0: `permutations` random ones */
    double least;  /* smallest p that so many walls, or permutations, can give (without ties) */
} rs_trend;

/* Tests whether y rises or falls with x, one pair per wall. Errors: RESHED_EINVAL for n < 3, a
 * value that is not finite, permutations < 1; RESHED_ENOMEM. */
reshed_status rs_trend_test(const double *x, const double *y, int n, int permutations,
                            uint64_t seed, rs_trend *out, reshed_error *err);

#endif
