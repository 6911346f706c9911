/* layout.h - names and types of reshed's weights file, for its reader and its writer. */
#ifndef RS_IO_WEIGHTS_LAYOUT_H
#define RS_IO_WEIGHTS_LAYOUT_H

#include "base/tensors.h"
#include "io/hdf5/h5.h"

#define RS_WEIGHTS_FORMAT "reshed-weights"
/* Of files with a ResHedNet, and of those whose network leaves more to say. */
#define RS_WEIGHTS_VERSION 1
#define RS_WEIGHTS_VERSION_FLAGS 2

/* Room for "member_" and any int. */
#define RS_WEIGHTS_GROUP 24

/* The HDF5 types of tensor elements. Made once per file, since HDF5 has no half precision of its
 * own. */
typedef struct rs_weights_types {
    hid_t half_file, half_memory; /* owned */
} rs_weights_types;

/* False when HDF5 refuses; types need closing in both cases. */
bool rs_weights_types_open(rs_weights_types *types);
void rs_weights_types_close(rs_weights_types *types);

/* The type of dtype in the file (little-endian) and in memory (native); borrowed. */
hid_t rs_weights_file_type(const rs_weights_types *types, rs_dtype dtype);
hid_t rs_weights_memory_type(const rs_weights_types *types, rs_dtype dtype);

#endif
