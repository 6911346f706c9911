/* recipe.h - the film and the instrument of each simulated image of a set, from one seed: the twin
 * as a source of labelled images. frame.h draws one image in every channel, dataset.h many for
 * training. */
#ifndef RS_SPM_LABELLED_RECIPE_H
#define RS_SPM_LABELLED_RECIPE_H

#include <stdbool.h>
#include <stdint.h>

#include "spm/twin/effects.h"
#include "spm/twin/films.h"
#include "spm/twin/options.h"
#include "spm/twin/sample.h"

/* A number of the film, or of the instrument's effects, that is fixed. */
typedef struct rs_labelled_setting {
    const rs_twin_field *field;
    bool effect; /* of the instrument, else of the film */
    double value;
} rs_labelled_setting;

typedef struct rs_labelled_recipe {
    int height, width; /* pixels */
    double pixel;      /* m; 0: 10 nm, or drawn where `random` */
    uint64_t seed;     /* below 2^32 */
    rs_twin_film film; /* 0: the default one */
    bool random;       /* film and instrument are drawn for each image, else the default film and
                          an instrument without fault */
    double harsh;      /* strength of a drawn instrument's effects: 1 as in training */
    const rs_labelled_setting *setting; /* [settings], applied last; borrowed */
    int settings;
    const char *program, *options; /* written into the files: name and version, the request */
} rs_labelled_recipe;

/* One image: what to draw, and from where. */
typedef struct rs_labelled_scene {
    rs_twin_options film;
    rs_twin_effects effects;
    rs_twin_view view; /* the whole image */
    double pixel;      /* m */
} rs_labelled_scene;

/* RESHED_EINVAL when the size or the pixel size cannot be; the twin checks the rest as it draws. */
reshed_status rs_labelled_check(const rs_labelled_recipe *r, reshed_error *err);
/* Finds what NAME is in reshed-twin's --set NAME=VALUE; false when nothing has that name. */
bool rs_labelled_find(const char *name, rs_labelled_setting *out);
/* Image i of the set, a function of the recipe and i alone. */
rs_labelled_scene rs_labelled_draw(const rs_labelled_recipe *r, int64_t i);

#endif
