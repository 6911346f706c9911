/* weights.h - reshed's own weights file (HDF5), and the front door for every kind of weights file.
 *
 * Layout, format_version 1 (ResHedNet) or 2 (AtomAI's other networks, whose description says more):
 *
 *   / attributes   format "reshed-weights", format_version, model, nb_classes, nb_filters,
 *                  layers[levels], upsampling, n_members; optional pixel_size_min, pixel_size_max
 *                  (metres), ood_threshold, and the model of the out-of-distribution score:
 *                  ood_version, ood_frames, ood_centre[n], ood_whiten[n,n] (float64); optional
 *                  recipe: how it was trained, lines of text
 *                  with version 2: batch_norm, dropout, with_dilation (0 or 1)
 *   /member_000/NAME, /member_001/NAME, ...   one dataset for each tensor, in the model's order
 *
 * Datasets are little-endian float16, float32, float64 or int64, chunked, with the Fletcher32
 * checksum and no other filter. A tensor without dimensions (num_batches_tracked) is a scalar
 * dataset: HDF5 cannot chunk those, hence cannot checksum them as datasets, but in the file version
 * written here their eight bytes lie in the object header, which carries a checksum of its own. */
#ifndef RS_IO_WEIGHTS_WEIGHTS_H
#define RS_IO_WEIGHTS_WEIGHTS_H

#include "base/status.h"
#include "base/tensors.h"

/* Reads any weights file, found out by its first bytes: reshed's HDF5 or AtomAI's *_metadict.tar.
 * *out is freed with rs_model_file_clear and passes rs_model_file_check. */
reshed_status rs_weights_load(const char *path, rs_model_file *out, reshed_error *err);

/* Reads the HDF5 file. Nothing is allocated for a tensor before its stored size is known to be that
 * of its shape, and all together are known to fit in the file. */
reshed_status rs_weights_read_h5(const char *path, rs_model_file *out, reshed_error *err);
/* The same from data[len]. */
reshed_status rs_weights_read_h5_mem(const void *data, size_t len, rs_model_file *out,
                                     reshed_error *err);

typedef struct rs_weights_options {
    bool fp16; /* store float32 tensors of two or more dimensions (the convolutions) as float16 */
} rs_weights_options;

/* Writes m, which must pass rs_model_file_check, to path: a temporary file is renamed, so that path
 * holds the old or the new file. options may be NULL. The same model gives the same bytes. With
 * fp16, biases and batch-norm statistics stay float32: they are few, and variances span more than
 * half precision does; a value that half precision cannot hold is RESHED_EUNSUPPORTED. */
reshed_status rs_weights_write_h5(const char *path, const rs_model_file *m,
                                  const rs_weights_options *options, reshed_error *err);

#endif
