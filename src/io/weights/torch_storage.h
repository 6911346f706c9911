/* torch_storage.h - the storages of a torch ZIP file: flat arrays in members ARCHIVE/data/KEY, and
 * the tensors that view them. */
#ifndef RS_IO_WEIGHTS_TORCH_STORAGE_H
#define RS_IO_WEIGHTS_TORCH_STORAGE_H

#include "base/status.h"
#include "base/tensors.h"
#include "io/weights/pickle_value.h"
#include "io/weights/zip.h"

/* The type of a storage's elements; NULL-terminated names as torch spells them. */
typedef struct rs_torch_type {
    const char *name; /* "FloatStorage" */
    int size;         /* bytes of an element in the file */
    rs_dtype to;      /* what it is read as */
} rs_torch_type;

/* A tensor as the pickle describes it. Checked: with n elements in the storage, every element that
 * offset, dims and strides can reach is below n. */
typedef struct rs_torch_view {
    const rs_pkl *name; /* string */
    size_t skip;        /* bytes of it that are not part of the tensor's name */
    int member;
    const rs_torch_type *type;
    const rs_pkl *key;      /* string: which storage */
    uint64_t storage_count; /* elements of the storage, as the pickle says */
    uint64_t offset, count; /* first element, number of elements */
    int ndim;
    int64_t dims[RS_TENSOR_MAX_DIMS], strides[RS_TENSOR_MAX_DIMS]; /* in elements */
} rs_torch_view;

/* Reads the value of a state_dict: _rebuild_tensor_v2(storage, offset, size, stride, ...), perhaps
 * inside _rebuild_parameter(...). name and member are for the messages and are copied into *out. */
reshed_status rs_torch_view_parse(const rs_pkl *v, const rs_pkl *name, int member,
                                  rs_torch_view *out, reshed_error *err);

/* Reads the elements of views[n], appending each as a tensor to set[view.member]. prefix is the
 * archive's top folder; big: the storages are big-endian. A storage is unpacked once, and freed
 * after its last use. */
reshed_status rs_torch_load_views(rs_zip *zip, const char *prefix, bool big,
                                  const rs_torch_view *views, size_t n, rs_tensors *set,
                                  reshed_error *err);

#endif
