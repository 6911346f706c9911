/* nsid.h - N-dimensional SPM data in HDF5 as pyNSID lays it out: the types and the reader.
 *
 *     rs_nsid_file *f = NULL;
 *     rs_nsid_data d = {0};
 *     int k;
 *     if (rs_nsid_open("scan.h5", &f, err) == RESHED_OK &&
 *         rs_nsid_find(f, "Amplitude", &k, err) == RESHED_OK &&
 *         rs_nsid_read(f, k, &d, err) == RESHED_OK)
 *         use(d.data, d.dim[0].n, d.dim[1].n);
 *     rs_nsid_data_clear(&d);
 *     rs_nsid_close(f);
 *
 * An NSID "main" dataset carries seven text attributes (quantity, units, main_data_name,
 * pyNSID_version, data_type, modality, source) and one dimension scale for each axis: a 1-D dataset
 * beside it, named by the axis' label, of the axis' length, with the attributes name, quantity,
 * units and dimension_type. Whatever does not meet that (pyNSID's check_if_main) is not listed.
 *
 * The HDF5 library allows one call at a time in a process; so do these functions. */
#ifndef RS_IO_NSID_NSID_H
#define RS_IO_NSID_NSID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "io/common/channel.h"

#define RS_NSID_MAX_DIMS 5
/* The largest number of elements that is read (2 GiB of real, 4 GiB of complex values). */
#define RS_NSID_MAX_COUNT ((uint64_t)1 << 28)

/* One axis. quantity "Position", units "m", type "SPATIAL" (or RECIPROCAL, SPECTRAL, TEMPORAL,
 * CHANNEL, POINT_CLOUD). */
typedef struct rs_nsid_dim {
    char name[64], quantity[64], units[32], type[32];
    int64_t n;
    double *values; /* [n] coordinates in `units`; owned; NULL in a listing */
} rs_nsid_dim;

/* A main dataset. data is row-major, the last axis fastest, in the file's axis order (images: x
 * first, then y; see nsid/image.h for what turns that into an rs_image). */
typedef struct rs_nsid_data {
    char path[256];    /* of the dataset in the file */
    char name[64];     /* attribute main_data_name */
    char title[128];   /* attribute title, "" when there is none */
    char quantity[64]; /* "AmplitudeRetrace" */
    char units[32];
    char data_type[32];            /* IMAGE, SPECTRAL_IMAGE, ... */
    char modality[64], source[64]; /* "generic" when unknown */
    int ndim;                      /* 1..RS_NSID_MAX_DIMS */
    rs_nsid_dim dim[RS_NSID_MAX_DIMS];
    bool is_complex;
    uint64_t count; /* product of dim[].n */
    double *data;   /* [count], or [count][2] as (re, im) when complex; owned; NULL in a listing */
} rs_nsid_data;

/* A dataset of two axes that is no main dataset, and may be an image all the same. */
typedef struct rs_nsid_plain {
    char path[256];
    int64_t frames;        /* of a stack; 1: it is an image */
    int64_t rows, columns; /* of an image as it lies in the file; MATLAB's are turned */
    int axis[3];           /* of the frames (-1: none), rows and columns in the dataset */
    int ndim;
    uint64_t dims[RS_NSID_MAX_DIMS];
    bool usid;   /* a main dataset of USID with one value at each position: rows are positions */
    bool matlab; /* MATLAB's: its first axis are the columns */
    char
        lacks[24]; /* the attribute that keeps it from being an NSID main dataset, "" when all do */
} rs_nsid_plain;

/* A plain (not main) numeric dataset. */
typedef struct rs_nsid_array {
    int ndim; /* 0..RS_NSID_MAX_DIMS */
    uint64_t dims[RS_NSID_MAX_DIMS];
    bool is_complex;
    uint64_t count;
    double *data; /* as in rs_nsid_data; owned */
} rs_nsid_array;

/* The type that numbers are stored as. Complex data become a compound {r, i} of these, as h5py
 * does. */
typedef enum rs_nsid_store { RS_NSID_F64, RS_NSID_F32 } rs_nsid_store;

/* An open file, read only. */
typedef struct rs_nsid_file rs_nsid_file;

/* Opens an HDF5 file and lists its main datasets; having none is not an error here. A file that
 * another process is writing in SWMR mode can be read. */
reshed_status rs_nsid_open(const char *path, rs_nsid_file **out, reshed_error *err);
/* The same from bytes[len], which are copied. */
reshed_status rs_nsid_open_mem(const uint8_t *bytes, size_t len, rs_nsid_file **out,
                               reshed_error *err);
/* NULL is fine. */
void rs_nsid_close(rs_nsid_file *file);

/* Returns st, or RESHED_EIO when the disk has not given something since the file was opened, which then looked as if
 * it were not there. For the end of a reading that asked for what may be absent; file may be NULL. */
reshed_status rs_nsid_check(const rs_nsid_file *file, reshed_status st, reshed_error *err);

/* Main datasets, in pyNSID's order (alphabetical, group by group: NSIDReader's Channel_000...). */
int rs_nsid_count(const rs_nsid_file *file);
/* Everything about main dataset k except values and data; borrowed until the file is closed.
 * k in [0, count). */
const rs_nsid_data *rs_nsid_info(const rs_nsid_file *file, int k);
/* The name of dataset k for messages: its title when that tells it apart, else its quantity when that
 * does, else the quantity (or title) and the path of its group, else its path. Borrowed. */
const char *rs_nsid_label(const rs_nsid_file *file, int k);
/* The names of the main datasets, in the same order; borrowed. */
const rs_channels *rs_nsid_channels(const rs_nsid_file *file);
/* The dataset that `channel` names: by title, quantity, dataset or group name or path, else by
 * number (rs_channel_find gives the rule). The failure lists what there is. */
reshed_status rs_nsid_find(const rs_nsid_file *file, const char *channel, int *k,
                           reshed_error *err);
/* Reads main dataset k into *out (rs_nsid_data_clear). */
reshed_status rs_nsid_read(rs_nsid_file *file, int k, rs_nsid_data *out, reshed_error *err);
/* Reads a real one with its values as floats, for half the memory: out->data is NULL, *values is
 * [count] (rs_free). */
reshed_status rs_nsid_read_floats(rs_nsid_file *file, int k, rs_nsid_data *out, float **values,
                                  reshed_error *err);
/* Opens, finds (channel NULL: the first dataset), reads and closes. */
reshed_status rs_nsid_read_channel(const char *path, const char *channel, rs_nsid_data *out,
                                   reshed_error *err);

/* The datasets that may be images: real, of two axes of 8 or more, or a third beside these for the frames of
 * a stack, and no coordinates; and those of USID
 * with one value at each position. In the order of rs_nsid_count's. */
int rs_nsid_plain_count(const rs_nsid_file *file);
/* Borrowed until the file is closed. */
const rs_nsid_plain *rs_nsid_plain_info(const rs_nsid_file *file, int k);
/* Reads a frame (0: of an image) of plain dataset k as floats, rows and columns in the dataset's own order
 * (rs_free). */
reshed_status rs_nsid_plain_read(rs_nsid_file *file, int k, int frame, float **values,
                                 reshed_error *err);

/* Reads the numeric dataset at `path` whole (rs_nsid_array_clear). */
reshed_status rs_nsid_read_array(rs_nsid_file *file, const char *path, rs_nsid_array *out,
                                 reshed_error *err);
/* Reads of a dataset of records the two numbers whose names begin with these words, as pairs
 * (is_complex). */
reshed_status rs_nsid_read_members(rs_nsid_file *file, const char *path, const char *const word[2],
                                   rs_nsid_array *out, reshed_error *err);
/* Returns whether something is at `path`. */
bool rs_nsid_exists(rs_nsid_file *file, const char *path);
/* The scalar attribute `name` of the object at `path` ("/" for the root) as text in buf[n], cut to
 * fit (n <= 4096), or as a number. Text that is a number reads as one, and a number as text. */
reshed_status rs_nsid_get_text(rs_nsid_file *file, const char *path, const char *name, char *buf,
                               size_t n, reshed_error *err);
reshed_status rs_nsid_get_number(rs_nsid_file *file, const char *path, const char *name,
                                 double *out, reshed_error *err);
/* Element k of an attribute that holds n texts; false, and "" in buf[size], when it does not. */
bool rs_nsid_text_at(rs_nsid_file *file, const char *path, const char *name, int k, int n,
                     char *buf, size_t size);

/* Frees data and values and zeroes *d. */
void rs_nsid_data_clear(rs_nsid_data *d);
void rs_nsid_array_clear(rs_nsid_array *a);

#endif
