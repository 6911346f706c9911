/* torch_dict.h - what the pickled object of a torch file says: which network it is, and where its
 * state_dicts are. */
#ifndef RS_IO_WEIGHTS_TORCH_DICT_H
#define RS_IO_WEIGHTS_TORCH_DICT_H

#include "base/status.h"
#include "base/tensors.h"
#include "io/weights/pickle_value.h"

/* A member of the ensemble: names and tensors in turn. Each name is read without its first `prefix`
 * bytes where it begins like name `first` does ("module." of torch's DataParallel). */
typedef struct rs_torch_member {
    const rs_pkl *dict, *first;
    size_t prefix;
} rs_torch_member;

/* The network of root, every field of *m but the members, and its state_dicts: member[*members], at most
 * RS_MODEL_MAX_MEMBERS, in the order of integer keys, else in that of the file. member[] is zeroed.
 *
 * root is the dict of AtomAI's save_model; or a state_dict alone, or several in a dict, list or tuple,
 * also as "state_dict" or "model_state_dict" of a checkpoint: filters, depth and classes then follow
 * from the shapes, and the upsampling, which leaves no trace in them, is taken to be AtomAI's default
 * and marked as assumed. */
reshed_status rs_torch_dict_read(const rs_pkl *root, rs_model_file *m, rs_torch_member *member,
                                 int *members, reshed_error *err);

/* Bytes of the name that are the member's prefix: 0, or member->prefix. */
size_t rs_torch_prefix(const rs_torch_member *member, const rs_pkl *name);

#endif
