/* film.h - small films of the twin and drawings of them, for its tests. */
#ifndef RS_TESTS_SUPPORT_FILM_H
#define RS_TESTS_SUPPORT_FILM_H

#include "spm/twin/effects.h"
#include "spm/twin/sample.h"
#include "support/support.h"

enum { FILM_N = 96 }; /* pixels a side */
#define FILM_PX 10e-9 /* m, a pixel */

/* Everything that can be drawn, [FILM_N, FILM_N] each. */
typedef struct film_canvas {
    float amplitude[FILM_N * FILM_N], phase[FILM_N * FILM_N], resonance[FILM_N * FILM_N];
    float q[FILM_N * FILM_N], height[FILM_N * FILM_N];
    uint8_t wall[FILM_N * FILM_N], domain[FILM_N * FILM_N];
} film_canvas;

/* A film with no objects and no texture; the tests add what they look at. */
rs_twin_options film_bare(void);
/* The film of these options (rs_twin_sample_free). */
rs_twin_sample *film_make(const rs_twin_options *o);
/* The middle of a film, all of FILM_N x FILM_N pixels. */
rs_twin_view film_view(void);
/* All channels of a canvas from row `from` on. */
rs_twin_channels film_channels(film_canvas *c, int from);
/* A drawing of that view, NaN before (rs_free). */
film_canvas *film_draw(const rs_twin_options *o);
/* Pixels of that value. */
size_t film_count(const uint8_t *a, size_t n, uint8_t value);
/* A frame with effects of FILM_N x FILM_N pixels, all drawn at random. */
reshed_status film_random_frame(uint64_t seed, double harsh, float *image, uint8_t *wall);

#endif
