/* torch.h - reads AtomAI's *_metadict.tar (a torch ZIP file, in spite of its name) without Python.
 *
 * Such a file is a dict: the description of the network, `weights` (one state_dict, or for an
 * ensemble {0: state_dict, 1: ...}) and `optimizer`, which is ignored. Files for other networks
 * than the ResHedNet for segmentation give RESHED_EUNSUPPORTED with the name of what they hold. */
#ifndef RS_IO_WEIGHTS_TORCH_H
#define RS_IO_WEIGHTS_TORCH_H

#include "base/status.h"
#include "base/tensors.h"

/* Returns whether these first bytes of a file are those of a torch file, new (ZIP) or old (bare
 * pickle). */
bool rs_torch_detect(const uint8_t *head, size_t n);

/* Reads data[len] into *out, which the caller frees with rs_model_file_clear. Tensors keep AtomAI's
 * names and the order of the file. Types: half stays RS_F16, float RS_F32, double RS_F64; bfloat16
 * becomes RS_F32, integers and booleans RS_I64, both exactly. The result passes
 * rs_model_file_check. A file may not unfold to more than 12 MiB and twice
 * its size, nor its tensors to more than 12 MiB and three times its size. */
reshed_status rs_torch_read_mem(const void *data, size_t len, rs_model_file *out,
                                reshed_error *err);
reshed_status rs_torch_read(const char *path, rs_model_file *out, reshed_error *err);

#endif
