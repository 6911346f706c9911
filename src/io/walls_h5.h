/* walls_h5.h - writes image_walls.h5: the wall map of one image with what is needed to trust it.
 *
 *   /mean, /variance      float32 [H,W] or [H,W,C]
 *   /input                float32 [H,W], the pixels that the network saw
 *   /phase                float32 [H,W] radians, where it parted the walls: /mean is then of
 *                         ferroelastic walls alone, and
 *   /wall180              float32 [H,W] says how sure a 180-degree wall runs through a pixel (0: none)
 *   /members              float32 [N,H,W] or [N,H,W,C], when asked for
 *   attributes of /       format "reshed-walls", format_version 1, program, program_version,
 *                         weights_checksum, normalisation, normalisation_lo, normalisation_hi,
 *                         precision, dx, dy, x0, y0 (metres; dx and dy 0 when unknown), source,
 *                         channel, orientation; with phase phase_channel; average (of how
 *                         many flips and turns the maps are the mean), where there are several
 *
 * Chunks are compressed (shuffle, deflate) and carry a Fletcher32 checksum each. */
#ifndef RS_IO_WALLS_H5_H
#define RS_IO_WALLS_H5_H

#include "base/status.h"

typedef struct rs_walls_file {
    int height, width;
    int classes;                  /* C >= 1; 1: no class axis */
    int members;                  /* N of `member`, 0 when member is NULL */
    const float *mean;            /* [H,W] or [H,W,C] */
    const float *variance;        /* the same shape */
    const float *input;           /* [H,W] */
    const float *member;          /* NULL, or [N,H,W] or [N,H,W,C] */
    double dx, dy, x0, y0;        /* metres */
    double lo, hi;                /* input values that became 0 and 1 */
    const char *normalisation;    /* "frame", "robust", "range" */
    const char *precision;        /* "fp32", "bf16"; NULL: "fp32" */
    int average;                  /* flips and turns, 0 or 1: the image as it is */
    const char *weights_checksum; /* as the weights reader gives it */
    const char *program;          /* "reshed-infer" */
    const char *source;           /* name of the image file, without its folder; may be "" */
    const char *channel;          /* may be "" */
    const float *phase, *wall180; /* [H,W], both or NULL */
    const char *phase_channel;    /* with them */
} rs_walls_file;

/* Replaces path by the new file; it holds the old or the whole new content, never a part. */
reshed_status rs_walls_write(const char *path, const rs_walls_file *f, reshed_error *err);

#endif
