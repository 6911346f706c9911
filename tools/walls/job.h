/* job.h - what reshed-walls is asked for, and what it works on. */
#ifndef RS_TOOLS_WALLS_JOB_H
#define RS_TOOLS_WALLS_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/cli/cli.h"
#include "imgproc/walls/select.h"
#include "imgproc/walls/graph.h"
#include "spm/instrument/coords.h"

/* A length from the command line: in pixels, or in metres. */
typedef struct walls_length {
    double value;
    bool metres;
} walls_length;

typedef enum walls_threshold { WALLS_FIXED, WALLS_OTSU, WALLS_DOUBLE } walls_threshold;
typedef enum walls_order { WALLS_ROUTE, WALLS_AUTHOR, WALLS_RASTER } walls_order;

enum { WALLS_CONTROLS = 3 }; /* kinds of control points: a-domain, c-domain, 180-degree wall */

typedef struct walls_request {
    /* What is read; NULL when not given. */
    const char *map, *channel, *variance, *amplitude, *phase, *in_plane, *values, *metric;
    /* What is written. */
    const char *skeleton, *points, *walls, *branches, *pairs, *png, *stats;
    walls_threshold threshold;
    double low, high;     /* low is the only one of WALLS_FIXED */
    double pixel_size[2]; /* metres, 0: from the file */
    rs_pixel_rule rule;
    walls_length spur, min_wall, domain_max, spacing, margin, control_distance, long_wall,
        large_domain;
    double reach, turn, corner, domain_cover; /* angles in radians */
    walls_order order;
    long every;
    double max_variance; /* NAN: no limit */
    long rows[2];        /* first and last row that is final; -1: all */
    bool has_start;
    double start[2]; /* row, column of the tip */
    long control[WALLS_CONTROLS];
    double family_angle;
    long permutations, seed;
    bool json, quiet;
} walls_request;

typedef struct walls_job {
    const cli_program *program;
    const walls_request *request;
    rs_grid grid; /* dx = dy = 1 when the pixel size is unknown */
    bool sized;   /* whether grid is in metres */
    rs_coords coords;
    float *map, *variance, *amplitude, *phase; /* [H,W] owned; only map is always there */
    uint8_t *in_plane;                         /* [H,W] owned, or NULL */
    uint8_t *mask;                             /* [H,W] owned */
    double threshold;                          /* the one used (the high one of WALLS_DOUBLE) */
    long mask_pixels, skeleton_pixels;
    rs_wallgraph graph;
    rs_points points;
    double route_px, route_longest_px;   /* of the points, in the order given */
    double author_px, author_longest_px; /* of the same points by the author's rule */
} walls_job;

/* A length in the grid's units; a physical one needs the pixel size (job->sized). */
double walls_length_of(const walls_job *job, walls_length length);

/* "m" or "px": of lengths in the grid's units. */
const char *walls_unit(const walls_job *job);

void walls_job_clear(walls_job *job);

#endif
