/* picture.h - labelled pictures to train on: simulated ones, and the user's own frames with the
 * walls that were drawn on them. */
#ifndef RS_TRAIN_PICTURE_H
#define RS_TRAIN_PICTURE_H

#include <stdint.h>

#include "base/status.h"
#include "spm/twin/films.h"

typedef struct rs_picture {
    int height, width;
    float *image;    /* [H,W], from 0 to 1 as the network gets a frame; owned, as the rest */
    uint8_t *wall;   /* [H,W], 1 on walls */
    uint8_t *known;  /* [H,W], 0 where nobody said whether there is a wall */
    float *distance; /* [H,W], pixels to the nearest wall; NULL until rs_picture_distance */
} rs_picture;

/* Allocates a picture of that size, uninitialised but for known (1); sides 4 to RS_IMAGE_MAX_SIDE. */
reshed_status rs_picture_init(rs_picture *p, int height, int width, reshed_error *err);
/* Fine on a zeroed picture. */
void rs_picture_clear(rs_picture *p);
/* Fills p->distance, if it is not there. */
reshed_status rs_picture_distance(rs_picture *p, reshed_error *err);

/* Which frames are simulated: film and instrument are drawn at random, as for `reshed-twin
 * dataset`, but all lines are scanned. */
typedef struct rs_picture_scene {
    rs_twin_film film;
    int size;     /* pixels a side */
    double harsh; /* strength of the instrument's effects: 1 as for the shipped ensemble */
} rs_picture_scene;

/* Frame i of the set of a seed, which is below 2^32. */
reshed_status rs_picture_simulate(const rs_picture_scene *scene, uint64_t set, int64_t i,
                                  rs_picture *out, reshed_error *err);

/* A frame of the user: files of every kind that rs_image_read takes. */
typedef struct rs_picture_files {
    const char *image, *walls;
    const char *unknown; /* what is not 0 there is not known; of the size of the walls; NULL: all is
                            known that the walls' own file does not except (rs_label_read) */
} rs_picture_files;

/* Reads one. The image goes the way of a frame to the network: gaps filled (they count as not
 * known), resampled into the range of pixel sizes trained (metres, 0: unknown), scaled to [0,1].
 * Walls of another size are taken to cover the same frame. RESHED_EINVAL when no wall is drawn or
 * nothing is known. *where is the path that a failure belongs to. */
reshed_status rs_picture_read(const rs_picture_files *files, double trained_min, double trained_max,
                              rs_picture *out, const char **where, reshed_error *err);

#endif
