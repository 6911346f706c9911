/* polarity.h - where the piezoresponse changes sign: 180-degree walls from amplitude and phase.
 *
 *     rs_polarity p = {0};
 *     st = rs_polarity_make(amplitude, phase, H, W, &p, err);
 *     if (p.kind[i] == RS_POLARITY_180) ...
 *     rs_polarity_clear(&p);
 *
 * The phase of a lock-in is circular, has an offset nobody knows, and is noise where there is no
 * response. So it is used through the signed response s = A cos(phi - axis) alone:
 *
 *   1. axis: the direction of c+ and c-, half the angle of the sum of w exp(2i phi), in which the two
 *      add up; weights w = A, cut at the median, so that no bright spot decides.
 *   2. noise of s: from second differences along rows and columns, the larger one.
 *   3. s is smoothed by 1.2 pixels. A sign change counts where s reaches four standard deviations of
 *      its noise on both sides, within four pixels: the flanks decide, not the line itself, where
 *      the amplitude is next to nothing. And next to nothing it must be: where s passes zero because
 *      the phase turns slowly at full amplitude, there is no wall.
 *   4. Half the width of what is dark about the change tells what it is: of a 180-degree wall it is
 *      that of the tip; from RS_POLARITY_MIXED_HALF on, an a domain lies between c+ and c-, and its
 *      edges are mixed walls. An a domain narrower than twice that, between c+ and c-, looks the
 *      same as a wide 180-degree wall in both channels, and is taken for one. */
#ifndef RS_IMGPROC_IMAGE_POLARITY_H
#define RS_IMGPROC_IMAGE_POLARITY_H

#include <stdint.h>

#include "base/status.h"

/* Pixels from a sign change within which a line is the wall there, or one of its flanks. */
#define RS_POLARITY_REACH 4.0
/* Pixels: half the width of an a domain that is told from a 180-degree wall. */
#define RS_POLARITY_MIXED_HALF 4.0

/* What a wall at a pixel would be. */
typedef enum rs_polarity_kind {
    RS_POLARITY_SAME = 0, /* one sign on both sides: a ferroelastic wall, if there is a wall */
    RS_POLARITY_180,      /* at a 180-degree wall */
    RS_POLARITY_MIXED,    /* at the edge of an a domain across which the sign changes */
    RS_POLARITY_KINDS
} rs_polarity_kind;
/* "ferroelastic", "180", "mixed": of a wall there. */
const char *rs_polarity_name(rs_polarity_kind kind);

typedef struct rs_polarity {
    int height, width;
    double axis;          /* rad, in (-pi/2, pi/2] */
    double concentration; /* 0 ... 1: how far the phases keep to the axis */
    double noise;         /* standard deviation of the smoothed response */
    float *response;      /* [H,W] the smoothed s, in the amplitude's unit, most of it positive */
    uint8_t *line;        /* [H,W] 1 along the 180-degree walls, one or two pixels wide */
    int32_t *nearest;     /* [H,W] index of the nearest pixel of a line; -1: there is none */
    uint8_t *kind;        /* [H,W] rs_polarity_kind */
    float *sure;          /* [H,W] 0.5 ... 1: of the kind; near 0.5 where nothing responds */
} rs_polarity;            /* the arrays are owned */

/* amplitude [H,W] >= 0, or NULL for 1 everywhere; phase [H,W] in radians. Pixels that are not finite
 * count as no response. A phase of one value only has no sign changes, which is no error. *out is
 * unchanged on failure. Errors: RESHED_EINVAL (a size), RESHED_ENOMEM. */
reshed_status rs_polarity_make(const float *amplitude, const float *phase, int height, int width,
                               rs_polarity *out, reshed_error *err);
void rs_polarity_clear(rs_polarity *p);

/* part[H,W] = walls[H,W], a map of wall probability without the 180-degree walls: 0 where kind is
 * RS_POLARITY_180 and the map's ridge runs along the sign change. A ridge that crosses one is another
 * wall and stays, but for RS_POLARITY_CROSSING pixels on either side. Errors: RESHED_ENOMEM. */
#define RS_POLARITY_CROSSING 1.5
reshed_status rs_polarity_part(const rs_polarity *p, const float *walls, float *part,
                               reshed_error *err);

#endif
