/* effects.h - the effects of the instrument on a frame of the twin: drift, resolution, tip changes,
 * gain, noise and lines that were never scanned. Each effect has a strength of its own, is off at
 * its neutral value, and draws from its own stream of random numbers, so that switching one on
 * leaves the others' bits alone. */
#ifndef RS_SPM_TWIN_EFFECTS_H
#define RS_SPM_TWIN_EFFECTS_H

#include "base/status.h"
#include "spm/twin/sample.h"

typedef struct rs_twin_effects {
    uint64_t seed;
    /* The tip's place. */
    double drift_x, drift_y; /* m, over the whole frame; creep makes it faster at the start */
    double jumps;            /* mean number of lateral jumps in a frame */
    double jump_size;        /* m, standard deviation of a jump along the line */
    /* The resolution. */
    double tip_radius;         /* m, standard deviation of the tip's Gaussian footprint */
    double second_tip;         /* 0 ... 1, weight of a double tip's image */
    double second_x, second_y; /* m, place of the second tip against the first */
    double blur;               /* pixels, standard deviation: what the electronics add */
    double tip_change;         /* 0 ... 1, strength of one sudden change of the tip in the frame */
    /* The signal. */
    double gain;           /* 1 */
    double contrast;       /* 1: differences from the level are multiplied by it; -1 inverts */
    double gamma;          /* 1: exponent applied to amplitude/level */
    double tilt_x, tilt_y; /* of the level, change of the gain over the frame */
    /* Noise and faults. */
    double noise;       /* of the level: standard deviation in each quadrature */
    double line_noise;  /* of the level: offset of each line, one part of it slow */
    double level_jumps; /* mean number of sudden changes of the gain in a frame */
    double scars;       /* mean number of streaks along a line, for 100 lines */
    double hot_pixels;  /* share of pixels */
    double scanned;     /* 1: share of the lines that are scanned, from the top */
} rs_twin_effects;

/* Every effect by its name, as rs_twin_option_fields. */
const rs_twin_field *rs_twin_effect_fields(int *n);

/* Everything off. */
void rs_twin_effects_defaults(rs_twin_effects *fx);
reshed_status rs_twin_effects_check(const rs_twin_effects *fx, reshed_error *err);

/* Lines of a frame of `rows` that are scanned, at least 1. */
int rs_twin_scanned_rows(const rs_twin_effects *fx, int rows);

/* Fills dx, dy [rows] (m) for a view. */
void rs_twin_drift(const rs_twin_effects *fx, int rows, float *dx, float *dy);

/* Changes a whole frame in place. level: m, the amplitude that the relative strengths refer to.
 * amplitude [rows,cols]; phase likewise or NULL. Rows never scanned become 0. */
reshed_status rs_twin_effects_apply(const rs_twin_effects *fx, int rows, int cols, double pixel_x,
                                    double pixel_y, double level, float *amplitude, float *phase,
                                    reshed_error *err);

/* A whole frame as the instrument gives it: drift, drawing, effects; the truth follows the drift
 * and is empty (wall 0, domain kept) where nothing was scanned. view->dx and dy must be NULL and
 * all rows asked for. out->amplitude must be given. */
reshed_status rs_twin_frame(const rs_twin_sample *sample, double level, const rs_twin_effects *fx,
                            const rs_twin_view *view, const rs_twin_channels *out,
                            reshed_error *err);

#endif
