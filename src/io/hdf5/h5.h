/* h5.h - text and number attributes of HDF5 objects, and the checks that a dataset must pass before
 * anything is allocated for it.
 *
 * The HDF5 library trusts a file more than we do, so nothing here lets a file choose a size, a type
 * conversion, a filter or another file: see rs_h5_check_dataset. */
#ifndef RS_IO_HDF5_H5_H
#define RS_IO_HDF5_H5_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "io/hdf5/file.h"
#include "io/hdf5/library.h"

/* Returns whether obj has an attribute of that name. */
bool rs_h5_has_attr(hid_t obj, const char *name);
/* The attribute as text (fixed or variable length, one element), cut to fit buf[n] at a whole
 * character. False when it is absent or something else; buf is then "". n <= 4096. */
bool rs_h5_text(rs_h5_file *f, hid_t obj, const char *name, char *buf, size_t n);
/* The attribute as a number (integer or float, one element). */
bool rs_h5_number(hid_t obj, const char *name, double *out);
/* Element k of an attribute of n texts. */
bool rs_h5_text_at(rs_h5_file *f, hid_t obj, const char *name, int k, int n, char *buf,
                   size_t size);
/* Returns whether the attribute holds n lists of object references, each with one or more. */
bool rs_h5_has_lists(hid_t obj, const char *name, int n);

/* Set a scalar attribute, replacing one of that name. Text is UTF-8 of variable length. */
bool rs_h5_set_text(hid_t obj, const char *name, const char *text);
bool rs_h5_set_number(hid_t obj, const char *name, double value);
bool rs_h5_set_int(hid_t obj, const char *name, int64_t value);

/* A number type that we read: how to store it in memory, and whether it is a complex pair. */
typedef struct rs_h5_shape {
    int ndim; /* 0..H5S_MAX_RANK */
    hsize_t dims[H5S_MAX_RANK];
    uint64_t count;
    bool is_complex;
} rs_h5_shape;

/* Checks that dset is numeric, at most max_count elements and max_ndim axes, stored in this file
 * itself (no external or virtual storage), with the deflate, shuffle and Fletcher32 filters only,
 * and that its size is in proportion to what the file stores. Fills *shape. where: its path. */
reshed_status rs_h5_check_dataset(hid_t dset, uint64_t file_size, int max_ndim, uint64_t max_count,
                                  rs_h5_shape *shape, const char *where, reshed_error *err);

/* Checks in the same way a dataset of records, and reads of each the two numbers whose names begin with
 * these words (in any letter case) as a pair (rs_free); shape->is_complex is true then. */
reshed_status rs_h5_read_members(hid_t dset, uint64_t file_size, int max_ndim, uint64_t max_count,
                                 const char *const word[2], rs_h5_shape *shape, double **out,
                                 const char *where, reshed_error *err);

/* Reads a checked dataset whole into a new block of doubles (pairs when complex; rs_free). */
reshed_status rs_h5_read_doubles(hid_t dset, const rs_h5_shape *shape, double **out,
                                 const char *where, reshed_error *err);

/* The same of real numbers as floats, for half the memory. */
reshed_status rs_h5_read_floats(hid_t dset, const rs_h5_shape *shape, float **out,
                                const char *where, reshed_error *err);

/* Reads a part of a checked dataset of real numbers, count[shape->ndim] elements from start on, as floats
 * (rs_free). */
reshed_status rs_h5_read_part(hid_t dset, const rs_h5_shape *shape, const hsize_t *start,
                              const hsize_t *count, float **out, const char *where,
                              reshed_error *err);

/* The memory type of one element as double, or as a pair of doubles with the members' names of
 * dset's file type; < 0 on failure. The caller closes it. */
hid_t rs_h5_memory_type(hid_t dset, bool is_complex);

#endif
