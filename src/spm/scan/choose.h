/* choose.h - from a map of wall probability to the places where loops are measured.
 *
 *     rs_choose_options o;
 *     rs_choice choice = {0};
 *     rs_choose_defaults(&o);
 *     o.max_points = 120;
 *     st = rs_choose(&frame, mean, NULL, states, NULL, &o, &choice, err);
 *     for (int i = 0; i < choice.n; i++) move_to(choice.point[i].x, choice.point[i].y);
 *     rs_choice_clear(&choice);
 *
 * The recipe is that of reshed-walls (imgproc/walls/find.h); here it meets the frame of an
 * instrument. Nothing is chosen in rows that are not final, and walls end where those begin. */
#ifndef RS_SPM_SCAN_CHOOSE_H
#define RS_SPM_SCAN_CHOOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "imgproc/walls/find.h"
#include "reshed_driver.h"
#include "spm/session/session.h"

typedef enum rs_choose_order {
    RS_CHOOSE_ROUTE = RS_FIND_ROUTE,
    RS_CHOOSE_AUTHOR = RS_FIND_AUTHOR,
    RS_CHOOSE_RASTER = RS_FIND_RASTER
} rs_choose_order;

typedef enum rs_choose_walls {
    RS_CHOOSE_ALL = RS_FIND_ALL,
    RS_CHOOSE_PAIRED = RS_FIND_PAIRED,
    RS_CHOOSE_SINGLE = RS_FIND_SINGLE,
    RS_CHOOSE_LONG = RS_FIND_LONG,
    RS_CHOOSE_SHORT = RS_FIND_SHORT
} rs_choose_walls;

/* Lengths in pixels: of sqrt(dx dy) metres where pixels are not square. Defaults: those of
 * rs_find_defaults. */
typedef struct rs_choose_options {
    double threshold;          /* wall where mean > threshold */
    rs_find_thinning thinning; /* default RS_FIND_KEEP */
    int every;                 /* distance of the points along the skeleton, pixels */
    double min_distance;       /* of any two points; default < 0: see rs_find_min_distance */
    double min_wall;           /* shorter walls are left out, of the skeleton too */
    double margin;             /* points stay that far inside the outermost pixels' centres */
    int max_points;            /* 0 (the default): no limit; else thinned by rs_choose_thin */
    rs_choose_order order;
    rs_choose_walls walls;   /* that get points; default all */
    int a_domain, c_domain;  /* control points beside the walls, at most; default 0 */
    double control_distance; /* of them from the skeleton */
    bool on_180;             /* with a phase: points on 180-degree walls as well; default false */
    const float *amplitude, *phase; /* [rows][cols] m, rad, borrowed: tell the kinds of walls; NULL
                                       (the default): not known */
    double max_variance;            /* with a variance map: no point above it; default infinity */
    double family_angle;            /* rad, see walls/family.h */
} rs_choose_options;

void rs_choose_defaults(rs_choose_options *o);
reshed_status rs_choose_check(const rs_choose_options *o, reshed_error *err);

typedef struct rs_choice {
    int rows, cols;
    uint8_t *binary;         /* [rows][cols], 0 or 1; 0 in rows that are not final; owned */
    const uint8_t *skeleton; /* the same, without walls shorter than min_wall: the graph's */
    int walls, families;
    rs_wallgraph graph; /* its wall[walls], longest first: line.length (m), family (-1: none), ...
                           owned */
    int n;
    rs_session_point *point; /* [n], in the order in which to measure; owned */
    /* By which the points were chosen, for those that a person adds or moves. */
    uint8_t *closed; /* [rows][cols] rs_choice_closed; owned */
    bool on_180;
    double apart, control_distance; /* m */
} rs_choice;

/* Why there is no point at a pixel. */
typedef enum rs_choice_closed {
    RS_CHOICE_OPEN,
    RS_CHOICE_EDGE, /* the margin */
    RS_CHOICE_ROW,  /* not final */
    RS_CHOICE_VARIANCE,
    RS_CHOICE_180
} rs_choice_closed;

/* mean, variance [rows][cols] of frame; variance may be NULL. state [rows] of rs_session_row_state:
 * only RS_SESSION_FINAL rows count; NULL: all do. NaN is no wall. tip: stage position (m) to start
 * the route from, or NULL; for RS_CHOOSE_ROUTE only.
 *
 * Points: row, col whole pixels; x, y stage metres through spm/coords.h (frame->angle included);
 * device_x, device_y the same as x, y; measured_* and time NaN; kind rs_point_kind; wall an index
 * of graph.wall (-1: none); state RS_SESSION_PENDING. target, the order of selection: wall by wall
 * and along each (ROUTE, controls last), or row by row as the author's argwhere (AUTHOR, RASTER,
 * controls last).
 * No wall gives n 0 and RESHED_OK. Errors: RESHED_EINVAL, RESHED_ENOMEM; *out is then unchanged. */
reshed_status rs_choose(const rs_frame *frame, const float *mean, const float *variance,
                        const uint8_t *state, const rs_xy *tip, const rs_choose_options *o,
                        rs_choice *out, reshed_error *err);
void rs_choice_clear(rs_choice *c);

/* Sets row, col, x, y, device_x, device_y, kind and wall of a point that a person puts there, on a wall
 * or as a control point of the domain that the place is in. RESHED_EINVAL, *p unchanged: no point
 * would have been chosen there, or it is too near to another of the n points; one that is *p itself is
 * passed over. frame: the choice's. */
reshed_status rs_choose_place(const rs_frame *frame, const rs_choice *c, double row, double col,
                              const rs_session_point *points, int n, rs_session_point *p,
                              reshed_error *err);

/* Leaves `keep` of the n points, in place and in their order, targets renumbered 0 ... keep - 1;
 * returns how many are left (n when keep >= n, 0 when keep <= 0). Each wall (and each kind of
 * control point, as if it were one) keeps its share, at least one point as long as there are that
 * many to keep, the walls with the most points first where not; the points that a wall keeps lie
 * evenly in the order in which it is visited. Errors: RESHED_ENOMEM (points unchanged). */
reshed_status rs_choose_thin(rs_session_point *points, int n, int keep, int *left,
                             reshed_error *err);

#endif
