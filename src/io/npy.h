/* npy.h - NumPy's array file (.npy, versions 1, 2 and 3): up to four dimensions of plain numbers.
 *
 *     size_t dims[2] = {height, width};
 *     rs_npy_write("mean.npy", RS_NPY_F4, 2, dims, mean, err);
 */
#ifndef RS_IO_NPY_H
#define RS_IO_NPY_H

#include <stddef.h>
#include <stdint.h>

#include "base/image.h"

#define RS_NPY_MAX_DIMS 4
/* Elements of the largest array that is read. */
#define RS_NPY_MAX_COUNT ((size_t)1 << 30)

/* NumPy's name of the type follows the prefix: F4 is a 4-byte float, C8 a pair of them. */
typedef enum rs_npy_type {
    RS_NPY_B1, /* one byte, 0 or 1 */
    RS_NPY_U1,
    RS_NPY_I1,
    RS_NPY_U2,
    RS_NPY_I2,
    RS_NPY_U4,
    RS_NPY_I4,
    RS_NPY_U8,
    RS_NPY_I8,
    RS_NPY_F2,
    RS_NPY_F4,
    RS_NPY_F8,
    RS_NPY_C8,
    RS_NPY_C16
} rs_npy_type;

typedef struct rs_npy {
    rs_npy_type type;
    int ndim; /* 0..RS_NPY_MAX_DIMS */
    size_t dims[RS_NPY_MAX_DIMS];
    size_t count; /* product of dims, 1 when ndim is 0 */
    void *data;   /* count elements, last dimension fastest, native byte order; owned */
} rs_npy;

/* Bytes of one element. */
size_t rs_npy_size(rs_npy_type type);

/* Reads a file, or bytes[len], into *out (rs_npy_clear): either byte order, C or Fortran order.
 * Structured, text and object arrays are RESHED_EUNSUPPORTED; a file of any other length than its
 * header says is RESHED_ECORRUPT. */
reshed_status rs_npy_read(const char *path, rs_npy *out, reshed_error *err);
reshed_status rs_npy_read_mem(const uint8_t *bytes, size_t len, rs_npy *out, reshed_error *err);
void rs_npy_clear(rs_npy *a);

/* Element i of a real array as a double (of a complex one: its real part). */
double rs_npy_at(const rs_npy *a, size_t i);

/* Writes data[product of dims] in C order, little-endian, as version 1.0 with the data at a
 * multiple of 64 bytes. ndim 0..RS_NPY_MAX_DIMS. The _mem form gives the file's bytes (rs_free). */
reshed_status rs_npy_write(const char *path, rs_npy_type type, int ndim, const size_t *dims,
                           const void *data, reshed_error *err);
reshed_status rs_npy_write_mem(rs_npy_type type, int ndim, const size_t *dims, const void *data,
                               uint8_t **bytes, size_t *len, reshed_error *err);

/* A real array of shape (H,W), or a frame of a stack (io/common/stack.h), as an image of unknown scale:
 * its first row is the top. Axes of one element do not count. */
reshed_status rs_npy_to_image(const rs_npy *a, int frame, rs_image *out, reshed_error *err);
reshed_status rs_npy_image_read_mem(const uint8_t *bytes, size_t len, int frame, rs_image *out,
                                    reshed_error *err);

#endif
