/* films.h - kinds of films by name: what the options of options.h are for each.
 *
 *     rs_twin_film kind;
 *     if (!rs_twin_film_find("pto", &kind)) ...
 *     rs_twin_options_defaults(&opt);
 *     opt.seed = 7;
 *     rs_twin_film_options(kind, 8e-9, &opt);
 *
 * Each seed is another film of its kind. */
#ifndef RS_SPM_TWIN_FILMS_H
#define RS_SPM_TWIN_FILMS_H

#include <stdbool.h>

#include "spm/twin/effects.h"
#include "spm/twin/options.h"

typedef enum rs_twin_film {
    RS_TWIN_FILM_PZT = 0,  /* the default film: dark stripes in two families on bright c domains */
    RS_TWIN_FILM_PTO,      /* PbTiO3: irregular in-plane regions, c- islands with deep outlines,
                              patches of faint narrow stripes */
    RS_TWIN_FILM_LAMINATE, /* grains filled with dense stripes, herring-bone junctions */
    RS_TWIN_FILM_RELAXOR,  /* grains of many levels, speckle of c+ and c-, next to no stripes */
    RS_TWIN_FILM_DEFECTS,  /* stripes among bright ridges, scratches, dust and textured grains */
    RS_TWIN_FILM_MIX,      /* one of these, drawn: what networks are trained on */
    RS_TWIN_FILMS
} rs_twin_film;

/* "pzt", "pto", "laminate", "relaxor", "defects", "mix". */
const char *rs_twin_film_name(rs_twin_film film);
bool rs_twin_film_find(const char *name, rs_twin_film *film);

/* The kind itself, or for the mix the one that the seed draws. */
rs_twin_film rs_twin_film_drawn(rs_twin_film film, uint64_t seed);

/* Sets the options of a film of this kind, drawn by opt->seed, for pixels of px m; size and seed
 * stay. PZT leaves everything as it is. */
void rs_twin_film_options(rs_twin_film film, double px, rs_twin_options *opt);

/* After rs_twin_randomise: changes film and instrument of a random frame of rows x cols pixels to
 * this kind; harsh is as there. PZT leaves everything as it is. */
void rs_twin_film_randomise(rs_twin_film film, int rows, int cols, double px, double harsh,
                            rs_twin_options *opt, rs_twin_effects *fx);

#endif
