/* contrast.h - whether a frame has anything for a network to see. A frame that is constant (an unplugged
 * or saturated input), clipped at both ends, finer than float32 can hold, or squeezed together by a
 * hot pixel gives maps that mean nothing, and the out-of-distribution score (judge.h) cannot always
 * tell: it needs a model, 24 x 24 pixels and some contrast. */
#ifndef RS_INFER_CONTRAST_H
#define RS_INFER_CONTRAST_H

#include "base/status.h"

typedef enum rs_contrast {
    RS_CONTRAST_SEEN,
    RS_CONTRAST_NONE,    /* every pixel has the same value */
    RS_CONTRAST_ROUNDED, /* fewer than RS_CONTRAST_STEPS float32 numbers between least and largest */
    RS_CONTRAST_SATURATED, /* much of the frame lies at the least and at the largest value */
    RS_CONTRAST_MASK,      /* two values only: a mask, or labels */
    RS_CONTRAST_SQUEEZED   /* a few pixels take most of the range */
} rs_contrast;

#define RS_CONTRAST_STEPS 64
/* Saturated: this share of the pixels at one end; or at both together, with a sixth of it at each; or
 * nearly all at the ends. Recorded frames have less than a tenth. */
#define RS_CONTRAST_ENDS 0.3
#define RS_CONTRAST_NEARLY_ALL 0.98
/* Squeezed: without the outermost 0.5 % of the pixels at either end (one at least, and three times
 * what it became in an input with more pixels than the image), less than this share of the range is
 * left. */
#define RS_CONTRAST_LEFT 0.2

/* Looks at image[height,width] as it came, pixels without a finite value left out, and at
 * input[input_height,input_width], what the network is to see of it: normalised, 0 and 1 being the ends.
 * Rows at the top or bottom of input that are all zero were not scanned and do not count. Without an
 * input (NULL), only NONE and ROUNDED are told. */
reshed_status rs_contrast_look(const float *image, int height, int width, const float *input,
                               int input_height, int input_width, rs_contrast *out,
                               reshed_error *err);

/* For a warning: "every pixel has the same value", ...; "" for RS_CONTRAST_SEEN. */
const char *rs_contrast_text(rs_contrast contrast);

#endif
