/* walls_read.h - reads image_walls.h5 back (walls_h5.h tells what is in it). */
#ifndef RS_IO_WALLS_READ_H
#define RS_IO_WALLS_READ_H

#include "base/status.h"

typedef struct rs_walls_map {
    int height, width;
    int classes;        /* of the network */
    float *mean;        /* [H,W] wall probability; of several classes one minus the first's, which
                         is the background, unless a class was asked for; owned */
    float *variance;    /* [H,W] of that; owned */
    uint8_t *likeliest; /* [H,W] 1 where no class is likelier than the one that was asked for;
                           owned; NULL when none was */
    float *input;       /* [H,W] what the network saw; owned; NULL when the file has none */
    float *phase;       /* [H,W] radians; owned; NULL when the file has none */
    double dx, dy;      /* metres; 0 when unknown */
    double x0, y0;      /* metres: centre of the frame */
    char source[256];   /* name of the image file, "" when not recorded */
    char channel[64];
} rs_walls_map;

/* Reads path, or bytes[len], into *out (rs_walls_map_clear). Errors: RESHED_EUNSUPPORTED for an
 * HDF5 file of another kind, RESHED_ECORRUPT, RESHED_EIO, RESHED_ENOMEM. */
reshed_status rs_walls_read(const char *path, rs_walls_map *out, reshed_error *err);
/* wall: the class whose probability is that of a wall; -1: all but the first. RESHED_EINVAL when
 * there is no such class; of one class it is not looked at. */
reshed_status rs_walls_read_class(const char *path, int wall, rs_walls_map *out, reshed_error *err);
reshed_status rs_walls_read_mem(const uint8_t *bytes, size_t len, rs_walls_map *out,
                                reshed_error *err);
void rs_walls_map_clear(rs_walls_map *map);

#endif
