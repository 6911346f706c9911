/* h5_bare.h - HDF5 files by the library alone, as other programs read and write them. */
#ifndef RS_TESTS_SUPPORT_H5_BARE_H
#define RS_TESTS_SUPPORT_H5_BARE_H

#include <stddef.h>
#include <stdint.h>

#include <hdf5.h>

/* Reads a file of data[len] as h5dump does: every object, every attribute, every dataset of
 * moderate size. For the bare case of run_forked (io_support.h). */
void h5_walk(const uint8_t *data, size_t len);

/* Reads a whole dataset into out, as memory of that type, and its size; fails the test when it cannot. */
void h5_read_set(const char *path, const char *name, hid_t type, void *out, hsize_t dims[3]);

/* An attribute of n texts of variable length. */
void h5_put_texts(hid_t object, const char *name, int n, const char *const *text);

/* An ancillary dataset of USID: v[rows][columns] with n "labels" and "units". */
void h5_put_ancillary(hid_t group, const char *name, int rows, int columns, const double *v,
                      const char *const *labels, const char *const *units, int n);

#endif
