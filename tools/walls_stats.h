/* walls_stats.h - tests of a measured metric with the wall as the unit. */
#ifndef RS_TOOLS_WALLS_STATS_H
#define RS_TOOLS_WALLS_STATS_H

#include "imgproc/wallstats.h"
#include "walls_job.h"

typedef struct walls_stats {
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
} walls_stats;

/* wall_near[H,W]: the wall of the nearest skeleton pixel, -1 where none is within two pixels. */
reshed_status walls_spread(const rs_wallgraph *graph, int32_t *wall_near, reshed_error *err);

/* Tests value[n] of the points that lie on wall[n] (-1: on none) of job->graph, whose families are
 * set. Of the request permutations, seed, family_angle, long_wall and large_domain are used.
 * Errors: as imgproc/wallstats.h. */
reshed_status walls_compute_stats(walls_job *job, const int *wall, const double *value, int n,
                                  walls_stats *out, reshed_error *err);

/* Reads the values of the request, brings them to the walls of the job's graph and tests them.
 * false after a message. */
bool walls_run_stats(walls_job *job, walls_stats *out);
void walls_stats_clear(walls_stats *stats);

/* Writes the table by wall, when the request names one. false after a message. */
bool walls_write_stats(const walls_job *job, const walls_stats *stats);

/* The object that --json shows under "stats", and the same in words. */
void walls_stats_json(const walls_job *job, const walls_stats *stats);
void walls_stats_text(const walls_job *job, const walls_stats *stats);

#endif
