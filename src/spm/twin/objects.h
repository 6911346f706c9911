/* objects.h - the film's objects as they are placed: stripes, features and 180-degree domains.
 * Private to this room. */
#ifndef RS_SPM_TWIN_OBJECTS_H
#define RS_SPM_TWIN_OBJECTS_H

#include <stdbool.h>

#include "spm/twin/lattice.h"
#include "spm/twin/sample.h"

/* Streams of random numbers; each object or field draws from its own. */
enum {
    TWIN_STREAM_PRIMARY = 1,
    TWIN_STREAM_CELL,
    TWIN_STREAM_STRIPE,
    TWIN_STREAM_CURVE,
    TWIN_STREAM_RING,
    TWIN_STREAM_SPOT,
    TWIN_STREAM_MINUS,
    TWIN_STREAM_SLOW,
    TWIN_STREAM_TEXTURE,
    TWIN_STREAM_RESONANCE,
    TWIN_STREAM_HEIGHT,
    TWIN_STREAM_PATCH,
    TWIN_STREAM_LAMELLA,
    TWIN_STREAM_MOTTLE,
    TWIN_STREAM_ISLAND,
    TWIN_STREAM_RIDGE,
    TWIN_STREAM_SCRATCH,
    TWIN_STREAM_DUST,
    TWIN_STREAM_TAIL
};

/* Direction of the instrument's background signal in the complex plane, against the response of c+:
 * the two are not in phase, so the amplitude at a 180-degree wall falls, but not to zero. */
#define TWIN_BACKGROUND_RE 0.6
#define TWIN_BACKGROUND_IM 0.8

/* More objects than this are not placed, whatever the options ask for. */
#define TWIN_MAX_STRIPES 8000
#define TWIN_MAX_FEATURES 20000

/* One a domain: a band along a straight line, its edges wandering about it. Side 0 is to the left
 * of the direction (normal coordinate n > 0), side 1 to the right. */
typedef struct twin_stripe {
    double x, y;                  /* m, start */
    double ux, uy;                /* direction, a unit vector */
    double length;                /* m */
    double width;                 /* m, between the half-heights */
    double taper[2];              /* m, length of the needle at each end, 0 when blunt */
    double soft[2];               /* m, half-width of each edge */
    double bend, roughness;       /* m */
    double wedge, uneven;         /* relative */
    double bend_size, rough_size; /* m, their lengths along the stripe */
    float contrast;               /* darkness in the middle */
    float lean;                   /* by how much side 0 is darker than the mean, of the contrast */
    float rim, shadow;            /* outside: rim along rim_side, shadow along the other */
    float tail[2];                /* darkness of the wide gradients outside */
    double tail_size[2];          /* m */
    int rim_side;
    int family, tilt;
    rs_twin_end end[2];
    uint64_t seed;
    double at, from, to; /* m, in the family's own axes: normal position and extent, for placing */
    int primary;         /* number of the through-going line it belongs to, -1: a thin one */
} twin_stripe;

/* Half-height edges of a stripe at position s along it. */
typedef struct twin_edges {
    float left, right; /* m, n of the two edges, left > right */
    float strength;    /* 0 ... 1, fading to 0 at the tip of a needle */
    float patch;       /* 0 ... 1, brightness of the rim here */
} twin_edges;

twin_edges twin_stripe_edges(const twin_stripe *st, double s);
/* Ends of the wall along the stripe, m: needles count from half strength. */
void twin_stripe_span(const twin_stripe *st, double *begin, double *end);

#define TWIN_CURVE_POINTS 24

/* A bright curved feature or a round spot (one point). */
typedef struct twin_feature {
    int points;                                       /* >= 1 */
    float x[TWIN_CURVE_POINTS], y[TWIN_CURVE_POINTS]; /* m */
    float width;                                      /* m, of the core */
    float bright[2]; /* of the ridges on the two sides, of the c level; spots: bright[0], signed */
    float halo;      /* of the glow, of the c level */
    float core;      /* darkness of the core, 0 ... 1 */
    float vary_size; /* m, along which the brightness varies */
    uint64_t seed;
} twin_feature;

/* A patch of the mosaic (patches.c): what is nearest to its middle in the mosaic's own coordinates,
 * in which the middles are about 1 apart. */
typedef struct twin_patch {
    float u, v;
    float bright;  /* of the c level */
    float texture; /* relative standard deviation */
    int family;    /* of its stripes, -1: none */
} twin_patch;

typedef struct twin_mosaic {
    double uu, uv, vu, vv;  /* 1/m: u = uu x + uv y, v = vu x + vv y */
    int first[2], count[2]; /* cells along u and v */
    twin_patch *patch;      /* [count[1], count[0]]; NULL: no mosaic */
} twin_mosaic;

/* A closed 180-degree domain: a rectangle with round corners, one end narrower, its outline
 * wandering. */
typedef struct twin_island {
    double x, y, c, s; /* m; direction of its long axis */
    double a, b;       /* m, half length and half width */
    double round;      /* m, radius of the corners */
    double taper;      /* 0 ... 1 */
    double lobe[3], turn[3];
} twin_island;

/* 180-degree domains: the sign of a sum of plane waves of one period and random directions. */
#define TWIN_WAVES 14

struct rs_twin_sample {
    rs_twin_options opt;
    int stripes, features;
    twin_stripe *stripe;   /* [stripes] */
    twin_feature *feature; /* [features] */
    double wave_kx[TWIN_WAVES], wave_ky[TWIN_WAVES], wave_phase[TWIN_WAVES];
    double wave_level; /* c- where the sum is below it */
    twin_mosaic mosaic;
    int islands;
    twin_island *island; /* [islands] */
    /* For placing stripes. */
    int room;      /* of stripe[] */
    int lean[2];   /* the usual lean of each family */
    double wander; /* m, the mean length over which stripes bend */
};

/* A stripe that is to be placed. */
typedef struct twin_planned {
    int family, primary;
    double rotate;       /* rad, of the family's axes about the film's middle */
    double at, from, to; /* m, in the family's axes */
    double width;
    double contrast;
    rs_twin_end end[2];
} twin_planned;

/* Adds it; false when memory ran out. One shorter than wide is left out, as are those above
 * TWIN_MAX_STRIPES. */
bool twin_add_stripe(rs_twin_sample *sample, rs_random *r, const twin_planned *w);
/* Log-uniform in a range. */
double twin_draw(rs_random *r, rs_twin_range range);

/* Fill sample->stripe, ->feature, ->mosaic and ->island from sample->opt, in this order; patches
 * add stripes. */
reshed_status twin_place_stripes(rs_twin_sample *sample, reshed_error *err);
reshed_status twin_place_patches(rs_twin_sample *sample, reshed_error *err);
reshed_status twin_place_features(rs_twin_sample *sample, reshed_error *err);
void twin_place_minus(rs_twin_sample *sample);
reshed_status twin_place_islands(rs_twin_sample *sample, reshed_error *err);

/* Draw one object that is no wall about (x,y): features.c, defects.c. */
typedef void twin_maker(rs_random *r, const rs_twin_options *o, double x, double y,
                        twin_feature *f);
void twin_make_ridge(rs_random *r, const rs_twin_options *o, double x, double y, twin_feature *f);
void twin_make_scratch(rs_random *r, const rs_twin_options *o, double x, double y, twin_feature *f);
void twin_make_dust(rs_random *r, const rs_twin_options *o, double x, double y, twin_feature *f);

/* Whether there are 180-degree walls at all. */
bool twin_has_minus(const rs_twin_sample *sample);
/* The sum of waves at (x,y), normalised to unit variance, less the level; and m per unit of it. */
double twin_minus_field(const rs_twin_sample *sample, double x, double y);
double twin_minus_scale(const rs_twin_sample *sample);
/* m, from (x,y) to the outline of an island, < 0 inside it. */
double twin_island_distance(const twin_island *island, double x, double y);
/* m, about how far the nearest 180-degree wall is, < 0 in c-. */
double twin_minus_distance(const rs_twin_sample *sample, double x, double y);

/* 0 outside (t <= -1), 1 inside (t >= 1), one half at t = 0. */
static inline float twin_step(float t)
{
    t = t < -1 ? -1 : t > 1 ? 1 : t;
    return 0.5f + t * (0.75f - 0.25f * t * t);
}

#endif
