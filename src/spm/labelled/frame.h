/* frame.h - one simulated frame with its truth: five channels, the walls, the domains, and the
 * walls as objects; and its files in the formats that others read.
 *
 *     rs_labelled_frame f = {0};
 *     reshed_status st = rs_labelled_frame_make(&recipe, &f, err);
 *     if (st == RESHED_OK) st = rs_labelled_write_npy(&f, "film", err);
 *     rs_labelled_frame_clear(&f); */
#ifndef RS_SPM_LABELLED_FRAME_H
#define RS_SPM_LABELLED_FRAME_H

#include "base/image.h"
#include "spm/labelled/recipe.h"

enum {
    RS_LABELLED_AMPLITUDE, /* m */
    RS_LABELLED_PHASE,     /* rad */
    RS_LABELLED_RESONANCE, /* Hz */
    RS_LABELLED_Q,
    RS_LABELLED_HEIGHT, /* m */
    RS_LABELLED_CHANNELS
};

typedef struct rs_labelled_frame {
    int height, width;
    double pixel; /* m */
    rs_image channel[RS_LABELLED_CHANNELS];
    uint8_t *wall, *domain, *kind; /* [height, width], as in rs_twin_channels; owned, as the rest */
    rs_twin_sample *film;          /* for the walls as objects */
} rs_labelled_frame;

/* Draws image 0 of a recipe into a zeroed frame; to be cleared on failure too. */
reshed_status rs_labelled_frame_make(const rs_labelled_recipe *r, rs_labelled_frame *out,
                                     reshed_error *err);
/* Fine on a zeroed frame. */
void rs_labelled_frame_clear(rs_labelled_frame *f);

/* Writes PREFIX.h5: NSID, the channels and the maps of the truth; the recipe in words. */
reshed_status rs_labelled_write_h5(const rs_labelled_frame *f, const rs_labelled_recipe *r,
                                   const char *prefix, reshed_error *err);
/* Writes PREFIX.npy, the amplitude; PREFIX_walls.npy, PREFIX_domains.npy, PREFIX_kinds.npy. */
reshed_status rs_labelled_write_npy(const rs_labelled_frame *f, const char *prefix,
                                    reshed_error *err);
/* Writes PREFIX.png, the amplitude in 16 bits, so that noise and faint stripes survive;
 * PREFIX_walls.png, white on black. */
reshed_status rs_labelled_write_png(const rs_labelled_frame *f, const char *prefix,
                                    reshed_error *err);
/* Writes PREFIX_walls.csv: the walls as objects. */
reshed_status rs_labelled_write_csv(const rs_labelled_frame *f, const char *prefix,
                                    reshed_error *err);

#endif
