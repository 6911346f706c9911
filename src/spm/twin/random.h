/* random.h - draws a film and an instrument at random: the variety that a network is trained on,
 * wider than any one microscope shows. */
#ifndef RS_SPM_TWIN_RANDOM_H
#define RS_SPM_TWIN_RANDOM_H

#include "spm/twin/effects.h"
#include "spm/twin/sample.h"

/* The range of pixel sizes drawn, m. */
#define RS_TWIN_PIXEL_MIN 4e-9
#define RS_TWIN_PIXEL_MAX 24e-9

/* The seed of image i of a set; seeds and i below 2^32 give all different ones. */
uint64_t rs_twin_image_seed(uint64_t set, int64_t i);

/* Options for a frame of rows x cols pixels of *pixel m; want is that size, or 0 to have it drawn
 * too. The seeds in opt and fx are set. harsh scales the strength of the instrument's effects: 0
 * none, 1 training. */
void rs_twin_randomise(uint64_t seed, int rows, int cols, double want, double harsh,
                       rs_twin_options *opt, rs_twin_effects *fx, double *pixel);

#endif
