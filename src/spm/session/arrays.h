/* arrays.h - small datasets of the setup: lists of numbers and of texts. Those without elements are
 * not written. */
#ifndef RS_SPM_SESSION_ARRAYS_H
#define RS_SPM_SESSION_ARRAYS_H

#include <stdbool.h>
#include <stddef.h>

#include "io/hdf5/h5.h"
#include "spm/session/kept.h"

/* Writes v[n] as a dataset of float64; unit NULL: none. */
bool rs_session_write_doubles(hid_t file, const char *group, const char *name, const char *unit,
                              const double *v, int n);
/* Reads n float64 into memory in *kept; *out is NULL when n is 0. */
reshed_status rs_session_read_doubles(rs_h5_file *in, rs_session_block **kept, const char *path,
                                      int n, const double **out, reshed_error *err);
/* Writes n texts of `size` bytes each, v[n][size], which end with a NUL. */
bool rs_session_write_texts(hid_t file, const char *group, const char *name, const char *v,
                            size_t size, int n);
/* Reads n texts of `size` bytes each into v[n][size]; each ends with a NUL. */
reshed_status rs_session_read_texts(rs_h5_file *in, const char *path, char *v, size_t size, int n,
                                    reshed_error *err);
/* Writes n bytes. */
bool rs_session_write_bytes(hid_t file, const char *group, const char *name, const uint8_t *v,
                            int n);

#endif
