/* dataset.h - a data set of simulated images with their walls, for training: io/hdf5/dataset.h has
 * the file. */
#ifndef RS_SPM_LABELLED_DATASET_H
#define RS_SPM_LABELLED_DATASET_H

#include "io/hdf5/dataset.h"
#include "spm/labelled/recipe.h"

/* Called now and then with the number of images that are in the file. */
typedef void rs_labelled_progress(void *ctx, int64_t done);

/* Writes images 0 ... count - 1 of a recipe to path, which is there afterwards whole or not at all.
 * Each is scaled to [0,1] by its scanned rows, as a frame is given to the network (uint8: 0..255);
 * rows never scanned are 0. threads 0: all processors; the file does not depend on them. progress
 * may be NULL. */
reshed_status rs_labelled_dataset(const rs_labelled_recipe *r, int64_t count, rs_dataset_type type,
                                  int threads, const char *path, rs_labelled_progress *progress,
                                  void *ctx, reshed_error *err);

#endif
