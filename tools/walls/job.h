/* job.h - the request to reshed-walls, and what comes of it. */
#ifndef RS_TOOLS_WALLS_JOB_H
#define RS_TOOLS_WALLS_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/cli/cli.h"
#include "imgproc/figures/plot.h"
#include "imgproc/walls/compare.h"
#include "imgproc/walls/find.h"
#include "imgproc/walls/tests.h"
#include "spm/instrument/coords.h"
#include "spm/session/session.h"

/* Whose conventions the coordinates follow, see device.c. */
typedef enum walls_instrument {
    WALLS_ANY = 0,
    WALLS_ASYLUM,
    WALLS_NANONIS,
    WALLS_AECROSCOPY
} walls_instrument;

typedef struct walls_request {
    /* Files to read, and names in them; NULL when not given. */
    char *const *maps; /* [n_maps] as they were typed; `map` is the one at work */
    int n_maps;
    const char *map, *channel, *variance, *amplitude, *phase, *in_plane, *values, *metric,
        *frame_of;
    /* Files to write; NULL: not. */
    const char *skeleton, *points, *walls, *branches, *pairs, *png, *figure, *stats, *gwy, *gsf,
        *iso, *device;
    rs_paper paper; /* of the figure */
    rs_find_options find;
    double pixel_size[2]; /* metres, 0: from the file */
    rs_pixel_rule rule;
    walls_instrument instrument;
    long rows[2]; /* first and last row that is final; -1: all */
    bool has_start;
    double start[2]; /* row, column of the tip */
    rs_length long_wall, large_domain;
    long permutations, seed;
    int wall_class;       /* -1: not given */
    uint64_t typed;       /* options on the command line, by bits (options.c) */
    int of_stack;         /* frame of a stack: RS_FRAME_ONLY, CLI_FRAME_ALL, or its number */
    bool rule_typed;      /* by --pixels: it holds whatever was scanned by us */
    bool threshold_given; /* the values are then what the user says they are */
    bool json, quiet;
} walls_request;

typedef struct walls_job {
    const cli_program *program;
    const walls_request *request;
    rs_session *session; /* that the map is; NULL: it is none */
    rs_grid grid;        /* dx = dy = 1 when the pixel size is unknown */
    bool sized;          /* whether grid is in metres */
    int classes;         /* of the map; 1: it has none */
    int frames;          /* of the stack that the map is from; 0: none */
    char channel[64];    /* the map's, or that from which reshed-infer made it; "" without names */
    rs_coords coords;
    bool tiled; /* the frame is that of a session, whose pixels every driver has tiling it */
    double cx, cy, angle; /* of the frame on the stage, m and rad; 0 where the file does not say */
    float *map, *variance, *amplitude, *phase; /* [H,W] owned; only map is always there */
    uint8_t *in_plane;                         /* [H,W] owned, or NULL */
    uint8_t *likeliest; /* [H,W] where the class that is wall is the likeliest; owned, or NULL */
    int undefined;      /* pixels of the map without a finite value */
    float lo, hi;       /* the least and the largest of the others */
    uint8_t *final;     /* [H] of a session: rows that are; owned */
    rs_found found;
    rs_route_comparison route;
    rs_wall_tests tests; /* when the request names values */
} walls_job;

/* "m" or "px": of lengths in the grid's units. */
const char *walls_unit(const walls_job *job);

void walls_job_clear(walls_job *job);

#endif
