/* options.h - the description of a film: sizes, densities and profiles of everything in it. */
#ifndef RS_SPM_TWIN_OPTIONS_H
#define RS_SPM_TWIN_OPTIONS_H

#include <stdint.h>

#include "base/status.h"
#include "spm/twin/fields.h"

typedef struct rs_twin_range {
    double lo, hi;
} rs_twin_range;

typedef struct rs_twin_options {
    uint64_t seed;
    double width, height; /* m, of the film that is modelled */
    double angle;         /* rad, direction of family 0 against +x; family 1 is at right angles */

    /* Through-going stripes. */
    double spacing[2];             /* m, mean distance between neighbours of a family; 0: none */
    double run;                    /* m, mean length before a stripe ends; 0: across the film */
    rs_twin_range stripe_width;    /* m, log-uniform */
    rs_twin_range stripe_contrast; /* 0 none ... 1 black */

    /* Thin stripes between them. */
    double thin_density;      /* mean number for an area of spacing[0] x spacing[1] */
    double bundle_fraction;   /* of the thin stripes that come in parallel groups */
    rs_twin_range thin_width; /* m, log-uniform */
    rs_twin_range thin_contrast;
    double needle_fraction; /* of free ends that taper to a point rather than end bluntly */

    /* Shape and profile of every stripe. */
    double mixed_tilt;      /* share of stripes that lean the other way than their family */
    double tilt_spread;     /* rad, standard deviation of a stripe's direction about its family's */
    double bend;            /* m, amplitude of the slow wandering of a stripe */
    double roughness;       /* m, amplitude of the roughness of each edge */
    double wedge;           /* how much the width varies along a stripe, of the width */
    double uneven;          /* how much the darkness varies along a stripe, of the contrast */
    rs_twin_range softness; /* m, half-width of the edge from c to a */
    double asymmetry;       /* 0 ... 1, how much softer one side (the inclined wall) is */
    double rim;             /* brightness of the rim along one side, of the c level */
    double shadow;          /* darkness of the gradient along the other side */
    double tail;            /* darkness, of the contrast, of the wide gradients along both sides */
    double tail_size;       /* m, where they end */

    /* Large in-plane domains. */
    double inplane_density;      /* mean number for an area of spacing[0] x spacing[1] */
    rs_twin_range inplane_width; /* m */
    rs_twin_range inplane_contrast;

    /* 180-degree domains. */
    double minus_fraction; /* of the c domains that point down; 0: none */
    double minus_size;     /* m, mean period of the pattern */
    double wall180_width;  /* m */
    double offset; /* background signal of the instrument, of the c level: c+ and c- differ */

    /* Features that are no walls. */
    double clinging;      /* share of the curves and rings that sit at the edge of a stripe */
    double curve_density; /* per m^2: bright curves with dark cores */
    double ring_density;  /* per m^2: small closed ones */
    double spot_density;  /* per m^2: dark or bright round spots */
    double curve_size;    /* m, mean length */
    double curve_width;   /* m */
    rs_twin_range curve_brightness; /* above the c level, of it */
    double halo; /* brightness of the wide glow around some curves, of the curve's */

    /* The c domain itself. */
    double level;        /* m, amplitude of the c domain */
    double slow;         /* relative amplitude of the slow variation */
    double slow_size;    /* m */
    double texture;      /* relative standard deviation of the fine texture */
    double texture_size; /* m */

    /* Other channels. */
    double resonance;        /* Hz */
    double resonance_a;      /* Hz, shift in the a domains */
    double resonance_slow;   /* Hz, amplitude of the slow variation */
    double q;                /* quality factor */
    double q_a;              /* relative change of it in the a domains */
    double height_roughness; /* m */
    double tilt;             /* rad, of the surface of the a domains */

    /* Patches: the film as a mosaic of convex regions, each with its own brightness, in which
     * stripes of one family may run. Their borders are no walls. */
    double patch_size;     /* m, mean distance of their middles; 0: no patches */
    double patch_stretch;  /* 1: as long as wide; more: bands at patch_angle */
    double patch_angle;    /* rad, of long patches, against family 0 */
    double patch_spread;   /* standard deviation of the logarithm of their brightness */
    double patch_dark;     /* share of in-plane patches, which hardly respond */
    rs_twin_range dark;    /* response of those, of the c level */
    double patch_soft;     /* m, over which neighbours blend */
    double patch_warp;     /* m, by which their borders wander */
    double patch_seam;     /* 0 ... 1, darkness of the seam between neighbours */
    double patch_texture;  /* relative standard deviation of the grain of some of them, at most */
    double patch_fill;     /* share of the bright patches that are filled with stripes */
    double patch_herring;  /* 0 ... 1: the family is drawn for each patch, or alternates */
    rs_twin_range period;  /* m, of a patch's stripes */
    rs_twin_range duty;    /* width of a stripe, of the period */
    rs_twin_range lamella; /* contrast of a patch's stripes */
    double patch_gap;      /* share of a patch's stripes that are left out */
    double period_drift;   /* 0 ... 1: how much the period varies within a patch */
    double mottle;         /* standard deviation of the logarithm of a smooth brightness */
    double mottle_size;    /* m */

    /* Islands of c-: closed, blobs or facetted along the families. */
    double island_density;     /* per m^2 */
    rs_twin_range island_size; /* m, mean diameter */
    double island_facet;       /* share that is facetted */
    double island_mixed;       /* share that has a stripe for one side: a mixed wall */

    /* More that is no wall. */
    double ridge_density;   /* per m^2: folded bright ridges with dark rims */
    double scratch_density; /* per m^2: straight and thin, in any direction */
    double dust_density;    /* per m^2: bright grains with dark rims, or the reverse */

    /* The truth. */
    double visible; /* of the c level: no wall is true where the response beside it is less */
    double marked;  /* contrast: stripes with less are drawn, and no walls of the truth */
    double outward; /* m, by which the walls of the truth lie outside the half height */
} rs_twin_options;

/* Like the labelled PZT films of the literature: a 2 um film, dark stripes 50 to 80 nm wide. */
void rs_twin_options_defaults(rs_twin_options *opt);
/* RESHED_EINVAL names the first option that is out of range or not finite. */
reshed_status rs_twin_options_check(const rs_twin_options *opt, reshed_error *err);
/* Every option but the seed, by name. */
const rs_twin_field *rs_twin_option_fields(int *n);

#endif
