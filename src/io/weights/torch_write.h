/* torch_write.h - an ensemble as AtomAI's *_ensemble_metadict.tar (torch.h says what that is). */
#ifndef RS_IO_WEIGHTS_TORCH_WRITE_H
#define RS_IO_WEIGHTS_TORCH_WRITE_H

#include "base/status.h"
#include "base/tensors.h"

/* Writes m, which must pass rs_model_file_check, for AtomAI's load_ensemble and for torch.load: path
 * holds the old or the new file. Tensors keep names, order, types and bits, so rs_torch_read gives
 * the same ones; what AtomAI's format has no place for (pixel sizes, threshold and model of the
 * score, recipe) is left out. The same model gives the same bytes. */
reshed_status rs_torch_write(const char *path, const rs_model_file *m, reshed_error *err);

#endif
