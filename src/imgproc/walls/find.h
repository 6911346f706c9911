/* find.h - from a map of wall probability to walls, and to the points to measure on them:
 * threshold, skeleton, graph, families, selection, route.
 *
 *     rs_find_input in = {.grid = {height, width, dx, dy}, .map = mean};
 *     rs_find_options options;
 *     rs_found found;
 *     rs_find_defaults(&options);
 *     options.spacing = (rs_length){20e-9, .metres = true};
 *     st = rs_find(&in, &options, &found, err);
 *     for (int i = 0; i < found.points.n; i++) move_to(found.points.p[i].at);
 *     rs_found_clear(&found);
 *
 * The steps are those of threshold.h, skeleton.h, build.h, family.h, select.h and route.h, which
 * say what their options mean. */
#ifndef RS_IMGPROC_WALLS_FIND_H
#define RS_IMGPROC_WALLS_FIND_H

#include "imgproc/walls/graph/graph.h"
#include "imgproc/walls/length.h"
#include "imgproc/walls/select.h"

typedef enum rs_find_threshold {
    RS_FIND_ABOVE,     /* pixels above `low` are wall */
    RS_FIND_OTSU,      /* pixels above a threshold found from the map */
    RS_FIND_HYSTERESIS /* regions above `low` that reach `high` */
} rs_find_threshold;

typedef enum rs_find_order {
    RS_FIND_ROUTE,  /* evenly along each wall, then a short way through all */
    RS_FIND_AUTHOR, /* every k-th pixel of the author's route over the skeleton */
    RS_FIND_RASTER  /* every k-th skeleton pixel, row by row */
} rs_find_order;

typedef enum rs_find_thinning {
    RS_FIND_KEEP,   /* rs_thin: every line is kept; with blunt_ends and near_joints of
                       rs_wallgraph_options */
    RS_FIND_SKIMAGE /* rs_skeletonize: the pixels of scikit-image, without lines that it loses; the
                       graph as versions before 0.3 made it */
} rs_find_thinning;

typedef enum rs_find_which {
    RS_FIND_ALL,
    RS_FIND_PAIRED, /* edges of an in-plane domain whose other edge was found */
    RS_FIND_SINGLE, /* all others */
    RS_FIND_LONG,   /* at least as long as the median wall of the map */
    RS_FIND_SHORT
} rs_find_which;
#define RS_FIND_WHICH 5
/* Their words: all, paired, single, long, short. */
extern const char *const rs_find_which_name[RS_FIND_WHICH];

/* Kinds of control points: those of rs_point_kind from RS_POINT_A_DOMAIN on. */
enum { RS_FIND_A_DOMAIN, RS_FIND_C_DOMAIN, RS_FIND_180_WALL, RS_FIND_CONTROLS };

/* The defaults given are those of rs_find_defaults: of reshed-walls, of a scan and of its report. */
typedef struct rs_find_options {
    rs_find_threshold rule; /* RS_FIND_ABOVE */
    double low, high;       /* RS_THRESHOLD_DEFAULT, 0 */

    rs_find_thinning thinning; /* RS_FIND_KEEP */

    rs_length spur, min_wall, domain_max; /* as in rs_wallgraph_options; 0, 12 pixels, 0 */
    double reach, turn, corner;           /* the same: pixels, rad; 10, 40 and 60 degrees */
    double family_angle;                  /* rad, as in rs_wall_families; 10 degrees */

    rs_find_which which;           /* walls that get points; RS_FIND_ALL */
    rs_find_order order;           /* RS_FIND_ROUTE */
    int every;                     /* one point for that many pixels of wall; 8 */
    rs_length spacing;             /* RS_FIND_ROUTE: between the points; 0: `every` pixels; 0 */
    rs_length min_distance;        /* no two points nearer to each other, of whatever kind and
                                      order; < 0: see rs_find_min_distance; -1 */
    rs_length margin;              /* no point nearer to the outermost pixels' centres; 4 pixels */
    bool on_180;                   /* with a phase: points on 180-degree walls as well; false */
    double max_variance;           /* no point where the variance is above it; infinity */
    int control[RS_FIND_CONTROLS]; /* control points beside the walls, at most; 0 */
    rs_length control_distance;    /* of them from the skeleton, at least; 6 pixels */
    int max_points;                /* 0 (the default): no limit; else thinned by rs_thin_shares */
} rs_find_options;

void rs_find_defaults(rs_find_options *options);

/* Sets one option by the name of the setting in which a scan and its session keep it (threshold,
 * thinning, every, min_distance, min_wall, margin, max_points, order, walls, control_a, control_c,
 * control_180, control_distance, on_180), lengths in pixels. A value that no option can have becomes one
 * that rs_find_check refuses. False: none of these. */
bool rs_find_set(rs_find_options *options, const char *name, double value);

/* Sets what sessions of versions before 0.3, which do not name it, were made with. */
void rs_find_unnamed(rs_find_options *options);

reshed_status rs_find_check(const rs_find_options *options, reshed_error *err);

/* The least distance of two points, in the grid's units: min_distance; where that is not given,
 * RS_FIND_APART pixels, which two walls side by side are apart, or the step between the points of a
 * wall where that is less. */
#define RS_FIND_APART 2
double rs_find_min_distance(const rs_grid *grid, const rs_find_options *options);

/* All maps are [height,width] and borrowed; NULL: not known. */
typedef struct rs_find_input {
    rs_grid grid;
    const float *map;          /* wall probability; NaN is no wall. NULL only with a skeleton */
    const uint8_t *sure;       /* wall where it is 1, whatever the threshold; NULL: nowhere */
    const float *variance;     /* of the map: for the walls' means, and for max_variance */
    const float *amplitude;    /* for pairs of walls */
    const float *phase;        /* rad: tells the kinds of walls (image/polarity.h); needed for
                                  control points on 180-degree walls; one that is 0 or not finite
                                  throughout counts as none */
    const float *strength;     /* amplitude that goes with the phase; NULL: `amplitude` */
    const uint8_t *skeleton;   /* the lines, where they are known: nothing is then thresholded */
    const uint8_t *mask;       /* with skeleton: what was thinned */
    const uint8_t *wall_rows;  /* [height] walls end at rows where it is 0; NULL: nowhere */
    const uint8_t *point_rows; /* [height] no points in rows where it is 0; NULL: in all */
    const double *start; /* [2] row and column that RS_FIND_ROUTE begins near; NULL: anywhere */
} rs_find_input;

typedef struct rs_found {
    double threshold; /* that was used: the one found, or the high one of RS_FIND_HYSTERESIS */
    uint8_t *mask;    /* [H,W] 0 or 1; owned; NULL where a skeleton was given */
    int mask_pixels, skeleton_pixels;
    rs_wallgraph graph; /* with families; owned */
    int families;
    rs_points points; /* in the order in which to measure; owned */
    int32_t *target;  /* [points.n] their places in the selection: wall by wall and along each
                         (RS_FIND_ROUTE), or row by row; control points last. Owned */
    uint8_t *kind;    /* [H,W] rs_wall_kind of a wall there; owned; NULL without a phase */
    int scan_lines;   /* walls that may be lines of the scan (marks.h) */
    int kinds[RS_WALL_KINDS];       /* walls of each; 0 without a phase */
    int controls[RS_FIND_CONTROLS]; /* how many there was room for */
} rs_found;

/* Fills *out (rs_found_clear), which is unchanged on failure. No wall is no error. Errors:
 * RESHED_EINVAL, RESHED_ENOMEM. */
reshed_status rs_find(const rs_find_input *in, const rs_find_options *options, rs_found *out,
                      reshed_error *err);

/* The walls alone: out->points is empty. */
reshed_status rs_find_walls(const rs_find_input *in, const rs_find_options *options, rs_found *out,
                            reshed_error *err);
void rs_found_clear(rs_found *found);

#endif
