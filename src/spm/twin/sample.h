/* sample.h - the digital twin of the sample: a film with ferroelastic a-c domains as a
 * continuous, seeded function of position, drawn into the channels of a PFM frame together with the
 * truth.
 *
 *     rs_twin_options opt;
 *     rs_twin_sample *film = NULL;
 *     rs_twin_options_defaults(&opt);
 *     opt.seed = 7;
 *     rs_twin_sample_create(&opt, &film, &err);
 *     rs_twin_view view = {.width = 2e-6, .height = 2e-6, .rows = 256, .cols = 256,
 *                          .row_end = 256};
 *     rs_twin_channels out = {.amplitude = image, .wall = truth};
 *     rs_twin_render(film, &view, &out, &err);
 *     rs_twin_sample_free(film);
 *
 * The film holds, after what PFM of tetragonal PbTiO3 and PZT films shows:
 *  - c domains (polarisation out of plane, bright) with slow variation and fine texture, up (c+)
 *    and down (c-), separated by 180-degree walls: dark meandering lines that are not ferroelastic;
 *  - a domains (in plane, dark) as long stripes in two orthogonal families: through-going ones,
 *    thin and faint ones that end at them or as needles in the c domain, bundles of parallel ones,
 *    and large in-plane domains;
 *  - bright curved features with dark cores, dark spots and bright spots, which are not walls;
 *  - where asked for, a mosaic of patches that differ in brightness, grain and stripes (patches.c),
 *    closed islands of c- (islands.c), ridges, scratches and dust (defects.c).
 * films.h has kinds of films: settings of these that look like PbTiO3, like laminates, ...
 * A ferroelastic wall is the boundary between a and c: both edges of every stripe. Where stripes
 * cross, the boundary of their union counts, because nothing is seen inside the crossing.
 *
 * Everything random comes from options.seed; equal options give equal bits, whatever the view's row
 * range or the number of threads of the caller. Lengths are metres, x to the right, y up, the
 * origin in the middle of the film. */
#ifndef RS_SPM_TWIN_SAMPLE_H
#define RS_SPM_TWIN_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "spm/twin/options.h"

typedef struct rs_twin_sample rs_twin_sample;

/* Places every object. The sample is immutable afterwards; any number of threads may render it. */
reshed_status rs_twin_sample_create(const rs_twin_options *opt, rs_twin_sample **out,
                                    reshed_error *err);
void rs_twin_sample_free(rs_twin_sample *sample);

/* --------------------------------------------------------------------------------- wall objects */

typedef enum rs_twin_end {
    RS_TWIN_END_NEEDLE = 0, /* tapers to a point in the c domain */
    RS_TWIN_END_BLUNT,      /* ends bluntly in the c domain */
    RS_TWIN_END_STRIPE,     /* runs into a stripe of the other family */
    RS_TWIN_END_FILM        /* leaves the film that is modelled */
} rs_twin_end;

/* What a wall is; also the values of the map `kind`. */
typedef enum rs_twin_kind {
    RS_TWIN_NO_WALL = 0,
    RS_TWIN_FERROELASTIC, /* an edge of an a domain, c domains of one sign on both sides of it */
    RS_TWIN_180,          /* c+ meets c- with no a domain between them */
    RS_TWIN_MIXED         /* an edge of an a domain between c+ and c- */
} rs_twin_kind;
/* "none", "ferroelastic", "180", "mixed". */
const char *rs_twin_kind_name(rs_twin_kind kind);

/* One edge of one a domain. */
typedef struct rs_twin_wall {
    int stripe;        /* number of the a domain; its two walls have the same */
    int family;        /* 0 or 1 */
    int side;          /* +1: to the left of the direction, -1: to the right */
    int tilt;          /* +1: the wall plane dips below the c domain, -1: below the a domain.
                          An a domain is a leaning slab, so its two walls differ, and along a
                          family the sense alternates from wall to wall (but for mixed_tilt) */
    double x[2], y[2]; /* m, the ends, straight between them but for bend and roughness */
    double length;     /* m */
    double angle;      /* rad, direction against +x, in (-pi/2, pi/2] */
    double contrast;   /* 0 ... 1, of its stripe */
    rs_twin_kind kind; /* mixed where that holds for half its length */
    rs_twin_end end[2];
} rs_twin_wall;

int rs_twin_wall_count(const rs_twin_sample *sample);
/* 0 <= i < count. */
void rs_twin_wall_get(const rs_twin_sample *sample, int i, rs_twin_wall *wall);

/* The domains and walls at a point of the film, for the spectroscopy of a simulated tip. */
typedef struct rs_twin_point {
    float a;    /* share of a domain under the tip, 0 ... 1 */
    float wall; /* m, distance to the nearest edge of the nearest stripe; positive inside it */
    int stripe; /* the nearest a domain, -1 when there is none within reach */
    int side;   /* which of its walls is nearer, +1 or -1; 0 without a stripe */
    int tilt;   /* as rs_twin_wall, of that wall */
    float c;    /* +1 in c+, -1 in c-, between them at a 180-degree wall */
} rs_twin_point;
void rs_twin_probe(const rs_twin_sample *sample, double x, double y, rs_twin_point *point);

/* -------------------------------------------------------------------------------------- drawing */

typedef enum rs_twin_class {
    RS_TWIN_A = 0,
    RS_TWIN_CPLUS,
    RS_TWIN_CMINUS,
    RS_TWIN_WALL180 /* the pixels through which a 180-degree wall runs */
} rs_twin_class;

/* A raster frame over the film. Pixel (row, col) has its centre at
 * x = cx + (col + 1/2 - cols/2) width/cols + dx[row], y = cy - (row + 1/2 - rows/2) height/rows +
 * dy[row]. */
typedef struct rs_twin_view {
    double cx, cy, width, height; /* m */
    int rows, cols;
    int row_begin, row_end; /* rows to draw, 0 <= begin < end <= rows */
    const float *dx, *dy;   /* [rows], m: where drift has taken the tip; NULL: nowhere */
} rs_twin_view;

/* [row_end-row_begin, cols] each; NULL where not wanted. */
typedef struct rs_twin_channels {
    float *amplitude; /* m */
    float *phase;     /* rad, (-pi,pi] */
    float *resonance; /* Hz */
    float *q;
    float *height;   /* m */
    uint8_t *wall;   /* 1 on a line one pixel wide at the half-height of every a-c edge */
    uint8_t *domain; /* rs_twin_class */
    uint8_t *kind;   /* rs_twin_kind: as wall, and 180-degree walls outside the a domains */
} rs_twin_channels;

/* Draws the noise-free channels and the truth. A row has the same bits whatever the row range. */
reshed_status rs_twin_render(const rs_twin_sample *sample, const rs_twin_view *view,
                             const rs_twin_channels *out, reshed_error *err);

#endif
