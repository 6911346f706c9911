/* dataset.h - writes training data: images and labels in one HDF5 file.
 *
 *     /images      [N,H,W] uint8, float16 or float32
 *     /labels      [N,H,W] uint8, deflated
 *     /pixel_size  [N] float64, metres
 *     attributes of the root: format "reshed-dataset", format_version 1, program, seed (uint64),
 *     options (text)
 *
 *     rs_dataset *d = NULL;
 *     reshed_status st = rs_dataset_create("train.h5", &info, &d, err);
 *     for (...) if (st == RESHED_OK) st = rs_dataset_write(d, first, count, im, la, px, err);
 *     st = rs_dataset_finish(d, st, err);
 */
#ifndef RS_IO_HDF5_DATASET_H
#define RS_IO_HDF5_DATASET_H

#include <stdint.h>

#include "base/status.h"

typedef enum rs_dataset_type { RS_DATASET_U8, RS_DATASET_F16, RS_DATASET_F32 } rs_dataset_type;

typedef struct rs_dataset_info {
    int64_t count;
    int height, width;
    rs_dataset_type type;
    uint64_t seed;
    const char *program; /* name and version of what made it */
    const char *options;
} rs_dataset_info;

typedef struct rs_dataset rs_dataset;

/* Bytes of one pixel; "uint8", "float16", "float32". */
size_t rs_dataset_pixel_bytes(rs_dataset_type type);
const char *rs_dataset_type_name(rs_dataset_type type);

/* Opens a file beside `path`, which finish renames to it. */
reshed_status rs_dataset_create(const char *path, const rs_dataset_info *info, rs_dataset **out,
                                reshed_error *err);
/* Writes items [first,first+count): images [count,H,W] of the file's type (float16 as uint16),
 * labels [count,H,W], pixel_size [count]. */
reshed_status rs_dataset_write(rs_dataset *d, int64_t first, int64_t count, const void *images,
                               const uint8_t *labels, const double *pixel_size, reshed_error *err);
/* Ends the writing and frees d (NULL is fine): commits when st is RESHED_OK, else removes what was
 * written. Returns st, or why committing failed. */
reshed_status rs_dataset_finish(rs_dataset *d, reshed_status st, reshed_error *err);

#endif
