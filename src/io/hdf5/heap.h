/* heap.h - variable-length values of an HDF5 file, read without the library.
 *
 * HDF5 keeps the characters of a variable-length text, and the elements of a variable-length list,
 * in "global heap collections", and in their place a reference: length, address of the collection,
 * index in it. libhdf5 1.10 follows such references without checking them, so one wrong byte in a
 * file ends the process: of the 12,500 damaged files of tests/io/test_io_nsid.c 45 did that, all
 * but one of them here. So this file gets the reference through the library and follows it by
 * itself.
 *
 *   collection   'GCOL', version 1, 3 zeros, u64 size of all of it
 *   object       u16 index (0: free space, the last one), u16 uses, u32 zero, u64 size, data padded
 *                to a multiple of 8 */
#ifndef RS_IO_HDF5_HEAP_H
#define RS_IO_HDF5_HEAP_H

#include "io/hdf5/file.h"

/* The reference that an element of variable length is in the file. */
typedef struct rs_h5_vlen {
    uint32_t length; /* elements: characters of a text */
    uint64_t collection;
    uint32_t index;
} rs_h5_vlen;

/* The n <= H5S_MAX_RANK references of an open attribute whose type has a variable length. */
bool rs_h5_vlen_read(hid_t attr, int n, rs_h5_vlen *refs);

/* The first *n bytes of what ref refers to, into buf[room]; *n = min(length * element, room). False
 * when the reference is to nothing of that size. */
bool rs_h5_heap_read(rs_h5_file *f, const rs_h5_vlen *ref, size_t element, void *buf, size_t room,
                     size_t *n);

#endif
