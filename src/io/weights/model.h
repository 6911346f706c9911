/* model.h - what every weights file must satisfy, whatever its container, and the digest that names
 * its content. */
#ifndef RS_IO_WEIGHTS_MODEL_H
#define RS_IO_WEIGHTS_MODEL_H

#include "base/status.h"
#include "base/tensors.h"

/* Limits of what is read or written; far above any published model. */
#define RS_MODEL_MAX_CLASSES 1024
#define RS_MODEL_MAX_FILTERS 4096
#define RS_MODEL_MAX_BLOCKS 256   /* residual blocks of one level */
#define RS_MODEL_MAX_TENSORS 8192 /* of one member */

/* Returns whether s can be a tensor's name: 1 to 95 printable ASCII characters other than space and
 * '/', not only dots. */
bool rs_tensor_name_ok(const char *s);

/* Checks the fields of m without its members: ranges, known upsampling, finite numbers. */
reshed_status rs_model_fields_check(const rs_model_file *m, reshed_error *err);

/* The same and the members: at least one tensor each, good names that differ, no empty tensor, and
 * the same names, dimensions and types in every member (in any order). Whether these are the
 * tensors of a network is for the graph builder to say. */
reshed_status rs_model_file_check(const rs_model_file *m, reshed_error *err);

/* SHA-256 over what decides the network's output: model, classes, filters, layers, upsampling, and
 * each member's tensors (name, type, shape, values). Neither the container nor the order of the
 * tensors enters, nor what the file says about its training (pixel sizes, threshold), so that a
 * .tar and the HDF5 file made from it have one digest. m must pass rs_model_file_check. Uses all
 * processors; the result does not depend on their number.
 *
 * The message hashed is this text, "\n" after each line, numbers in decimal:
 *   reshed-weights 1 / MODEL / CLASSES FILTERS / LAYER LAYER ... / UPSAMPLING / MEMBERS
 * (and what differs from the usual network: "no batch_norm ", "dropout ", "with_dilation")
 * and the 32-byte digests of the members in order, each over its tensors in the order of strcmp:
 *   NAME TYPE NDIM DIM DIM ... \n, then the values, row-major, little-endian. */
void rs_model_file_digest(const rs_model_file *m, char hex[65]);

#endif
