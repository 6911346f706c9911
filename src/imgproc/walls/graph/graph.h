/* graph.h - the skeleton as objects: nodes, branches, and the walls that they form (build.h).
 *
 * A branch is a run of skeleton pixels between two nodes (ends and junctions). A wall is what a
 * physicist would call one: branches that continue each other through junctions, cut where the line
 * turns sharply (from one habit plane to another, or at the tip of a needle). Two walls that run
 * side by side bound a domain; a 90-degree wall has in-plane (a-) material on one side only, so all
 * pairs that it belongs to lie on that side (there are several when the opposite face is drawn in
 * pieces).
 *
 * Angles are in radians, counterclockwise from +x, with +y up. */
#ifndef RS_IMGPROC_WALLS_GRAPH_H
#define RS_IMGPROC_WALLS_GRAPH_H

#include <stdbool.h>

#include "imgproc/image/grid.h"

typedef struct rs_wallgraph_options {
    double spur;       /* metres: end branches at a junction shorter than this are removed; 0 (the
                          default): none */
    bool blunt_ends;   /* the corners of a wall's blunt end are no walls, and its line ends half its
                          width before it does (prune.h); needs the mask; default false */
    bool near_joints;  /* branches continue each other only when no farther apart than the ends of a
                          bridge, also where many bridges meet (merge.h); default false */
    double min_wall;   /* metres: shorter walls are left out, with their pixels; default 0 */
    double reach;      /* pixels of a branch that tell its direction at a junction; default 10 */
    double turn;       /* largest change of direction of a wall at a junction; default 40 degrees */
    double corner;     /* a wall is cut where it turns by more than this; default 60 degrees */
    double border;     /* pixels: a free end this near the edge of the frame has left the frame
                          rather than ended; default 1.5 */
    double domain_max; /* metres: the widest a-domain looked for; 0 (the default): 24 pixels */
    double domain_cover; /* share of the shorter wall along which the other must be its nearest
                            neighbour; default 0.5 */
} rs_wallgraph_options;

void rs_wallgraph_options_defaults(rs_wallgraph_options *options);
reshed_status rs_wallgraph_options_check(const rs_wallgraph_options *options, reshed_error *err);

/* A run of pixels and what was measured on it. */
typedef struct rs_wall_line {
    int first, count; /* its pixels are graph.pixel[first], ... in order along the line; a ring does
                           not repeat its first */
    double length_px; /* chain length: 1 for a step along an axis, sqrt(2) for a diagonal one */
    double length;    /* metres, along the smoothed line: the chain overstates it by up to 8 % */
    double chord;     /* metres between the first and the last pixel; 0 when closed */
    double orientation; /* of its long axis, in [0,pi); NaN for fewer than two pixels */
    double width; /* metres: area of the mask nearest to the line over its length, away from ends */
    double width_sd;    /* between pieces of seven pixels */
    double probability; /* mean over the pixels, as is variance */
    double variance;
} rs_wall_line;

/* Kinds of walls, told by the phase: those of rs_polarity_kind. */
typedef enum rs_wall_kind {
    RS_WALL_FERROELASTIC = 0,
    RS_WALL_180,
    RS_WALL_MIXED, /* ferroelastic, with c+ and c- on its two sides */
    RS_WALL_KINDS
} rs_wall_kind;

typedef enum rs_node_kind {
    RS_NODE_END,      /* one branch ends here, inside the frame */
    RS_NODE_BORDER,   /* one branch ends here, at the edge of the frame */
    RS_NODE_JUNCTION, /* branches meet, three as a rule */
    RS_NODE_ISOLATED  /* a single pixel, which is a branch of its own */
} rs_node_kind;

typedef struct rs_node {
    rs_node_kind kind;
    double row, col; /* the mean of its pixels */
    int degree;      /* branch ends that meet here */
} rs_node;

typedef struct rs_branch {
    rs_wall_line line;
    int node[2]; /* at the first and last pixel; -1 for a closed line without nodes */
    int wall;    /* -1: in no wall (too short, or a bridge inside a junction) */
} rs_branch;

typedef enum rs_wall_end {
    RS_END_FREE,     /* stops inside the frame */
    RS_END_BORDER,   /* leaves the frame */
    RS_END_JUNCTION, /* runs into another wall */
    RS_END_CORNER,   /* cut at a sharp turn: continues as another wall */
    RS_END_CLOSED    /* a ring */
} rs_wall_end;

typedef struct rs_wall {
    rs_wall_line line;
    rs_wall_end end[2];
    double own_length; /* metres of line.length that no longer wall passes over as well */
    int pair;          /* the best of the pairs it belongs to, or -1 */
    int family;        /* walls of one orientation, see walls/family.h; -1 until that is called */
    double place;      /* metres across the family */
    int kind;          /* rs_wall_kind of most of its pixels; -1: there is no phase */
    double sure;       /* 0 ... 1: that it is of this kind, averaged over its pixels; NaN then */
    bool scan_line;    /* one pixel high along the fast axis, see walls/marks.h */
} rs_wall;

/* Two walls that bound one in-plane domain. */
typedef struct rs_wall_pair {
    int wall[2];
    int from[2], to[2]; /* the pixels of either wall, counted from its first, that face the other */
    double separation, separation_sd; /* metres between the two lines, across them */
    double overlap;                   /* metres along which they face each other */
    double cover;                     /* overlap over the shorter wall's length */
    double contrast; /* mean amplitude between the lines minus that outside, over their sum; NaN
                        without amplitude */
} rs_wall_pair;

typedef struct rs_wallgraph {
    rs_grid grid;
    int nodes, branches, walls, pairs, pixels;
    rs_node *node;      /* [nodes]; these arrays are owned */
    rs_branch *branch;  /* [branches] */
    rs_wall *wall;      /* [walls], longest first */
    rs_wall_pair *pair; /* [pairs] */
    rs_pixel *pixel;    /* [pixels]: the lines of branches and walls */
    uint8_t *skeleton;  /* [H,W] 0 or 1: after removing spurs and short walls */
    int32_t *wall_at;   /* [H,W]: the wall of a skeleton pixel, else -1 */
    int spurs_removed;
} rs_wallgraph;

void rs_wallgraph_clear(rs_wallgraph *graph);

/* Frees the nodes, branches and pixels, and sets these arrays to NULL. */
void rs_wallgraph_clear_lines(rs_wallgraph *graph);

/* The sum of the walls' own lengths: where two walls cross over a short piece, it counts once. */
double rs_wallgraph_length(const rs_wallgraph *graph);
int rs_wallgraph_junctions(const rs_wallgraph *graph);

/* "end", "border", "junction", "isolated"; "free", "border", "junction", "corner", "closed". */
const char *rs_node_kind_name(rs_node_kind kind);
const char *rs_wall_end_name(rs_wall_end end);
/* "ferroelastic", "180", "mixed"; "" for -1. */
const char *rs_wall_kind_name(int kind);

#endif
