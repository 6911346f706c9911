/* file.h - what the parts of the session file share (session*.c only). */
#ifndef RS_SPM_SESSION_FILE_H
#define RS_SPM_SESSION_FILE_H

#include "io/hdf5/h5.h"
#include "io/hdf5/shared.h"
#include "spm/session/session.h"

/* Limits of what is written and, above all, read. */
#define RS_SESSION_MAX_TEXT 4000
#define RS_SESSION_MAX_SIDE 16384
#define RS_SESSION_MAX_BINS 16384
#define RS_SESSION_MAX_STEPS 65536
#define RS_SESSION_MAX_LINE ((uint64_t)1 << 25)    /* values in a line or a spectrum */
#define RS_SESSION_MAX_ENTRIES ((uint64_t)1 << 24) /* points, events, ... */
#define RS_SESSION_MAX_SETTINGS 1024

/* ---------------------------------------------------------------------------------- the datasets
 */
/* What belongs to each spectrum of a series. */
enum {
    SERIES_SPECTRA,
    SERIES_AMPLITUDE,
    SERIES_PHASE,
    SERIES_SHO_AMPLITUDE,
    SERIES_SHO_FREQUENCY,
    SERIES_SHO_Q,
    SERIES_SHO_PHASE,
    SERIES_RESPONSE,
    SERIES_ITEMS
};

/* Every dataset that grows or is written after the session was created. */
typedef enum rs_session_item {
    ITEM_COMPLETE,
    ITEM_CHANNEL_TRACE,
    ITEM_CHANNEL_RETRACE = ITEM_CHANNEL_TRACE + RS_DRIVER_MAX_CHANNELS,
    ITEM_SPECTRA_TRACE = ITEM_CHANNEL_RETRACE + RS_DRIVER_MAX_CHANNELS,
    ITEM_SPECTRA_RETRACE,
    ITEM_ARRIVAL_TRACE,
    ITEM_ARRIVAL_RETRACE,
    ITEM_PROCESSED,
    ITEM_STATES,
    ITEM_MAP,
    ITEM_MASK = ITEM_MAP + RS_SESSION_MAPS,
    ITEM_IMAGE = ITEM_MASK + RS_SESSION_MASKS, /* the author's, of the same maps and masks */
    ITEM_IMAGE_MASK = ITEM_IMAGE + RS_SESSION_MAPS,
    ITEM_POINTS = ITEM_IMAGE_MASK + RS_SESSION_MASKS,
    ITEM_TARGET,
    ITEM_REARANGE,
    ITEM_CONVERT,
    ITEM_MEASURE,
    ITEM_REFERENCES,
    ITEM_SERIES, /* SERIES_ITEMS of points, then of references */
    ITEM_PATCHES = ITEM_SERIES + 2 * SERIES_ITEMS,
    ITEM_PATCH_DATA,
    ITEM_DRIFT,
    ITEM_EVENTS,
    ITEMS
} rs_session_item;

#define ITEM_METRIC ITEMS /* of points, then of references */
#define ALL_ITEMS (ITEMS + 2)

/* What an element is. */
typedef enum rs_session_cell {
    CELL_U8,
    CELL_F32,
    CELL_F64,
    CELL_C32, /* {r, i} of float */
    CELL_ARRIVAL,
    CELL_PROCESSED,
    CELL_POINT,
    CELL_REFERENCE,
    CELL_PATCH,
    CELL_DRIFT,
    CELL_EVENT,
    CELLS
} rs_session_cell;

/* Where the tip was at a reference loop. */
typedef struct rs_session_reference {
    double x, y, time;
    rs_session_point_state state;
} rs_session_reference;

/* The type of a cell in the file or in memory; < 0 on failure. The caller closes it. */
hid_t rs_session_cell_type(rs_session_cell cell, bool memory);
/* One that was never written, in memory; of rs_session_cell_size bytes. */
const void *rs_session_cell_empty(rs_session_cell cell);
size_t rs_session_cell_size(rs_session_cell cell);

typedef struct rs_session_place {
    char path[160]; /* of the dataset; of a main dataset its group's parent and its name */
    char name[64];
    char quantity[64], unit[32]; /* of a main dataset and of an image */
    const char *about;           /* attribute `description`, or NULL */
    rs_session_cell cell;
    bool main;  /* an NSID main dataset: axes x, y (, frequency) */
    bool grows; /* along axis 0, from nothing */
    int ndim;
    hsize_t dims[4], chunk[4];
} rs_session_place;

/* Where an item is; false when a session of this setup does not have it. */
bool rs_session_place_of(const rs_session_setup *setup, int item, rs_session_place *place);

/* ------------------------------------------------------------------------------------ the session
 */
/* Memory that lives as long as the session. */
typedef struct rs_session_block {
    struct rs_session_block *next;
} rs_session_block;

struct rs_session {
    rs_h5_shared *out; /* written, or */
    rs_h5_file *in;    /* read */
    hid_t file;        /* of either */
    char path[4096];
    rs_session_block *kept;
    rs_session_setup setup;
    hid_t item[ALL_ITEMS];   /* < 0: not there */
    hid_t type[CELLS];       /* in memory */
    hsize_t rows[ALL_ITEMS]; /* along axis 0, of those that grow */
    int arrived;             /* order of the next line */
    bool complete, live;
    bool behind; /* a commit failed: the next call tries again first */
};

/* A new block of the session's, NULL when memory is short. */
void *rs_session_keep(rs_session *s, size_t count, size_t size);
/* A session without a file. */
reshed_status rs_session_new(const char *path, rs_session **out, reshed_error *err);
void rs_session_free(rs_session *s);
void rs_session_close_items(rs_session *s);
/* Opens all items of s->file and checks that each is what the setup says. */
reshed_status rs_session_open_items(rs_session *s, reshed_error *err);
/* Writes the block start, size of an item, which there is, or reads it. */
reshed_status rs_session_put_block(rs_session *s, int item, const hsize_t *start,
                                   const hsize_t *size, const void *data, reshed_error *err);
reshed_status rs_session_get_block(rs_session *s, int item, const hsize_t *start,
                                   const hsize_t *size, void *data, reshed_error *err);
/* Rows [first, first + n) of a growing item, all of the other axes; put extends it. */
reshed_status rs_session_put_entries(rs_session *s, int item, hsize_t first, hsize_t n,
                                     const void *data, reshed_error *err);
/* Those beyond the end are filled with the empty cell. */
reshed_status rs_session_get_entries(rs_session *s, int item, hsize_t first, hsize_t n, void *data,
                                     reshed_error *err);
/* What is put later will not be seen before what was put so far. */
reshed_status rs_session_order(rs_session *s, reshed_error *err);
/* Before and after a put. */
reshed_status rs_session_begin_put(rs_session *s, rs_h5_hush *hush, reshed_error *err);
reshed_status rs_session_end_put(rs_session *s, rs_h5_hush hush, bool commit, reshed_status st,
                                 reshed_error *err);

/* The number of values in one entry of an item. */
size_t rs_session_entry_size(const rs_session *s, int item);

/* ------------------------------------------------------------------------------------- the setup
 */
reshed_status rs_session_check_setup(const rs_session_setup *setup, reshed_error *err);
reshed_status rs_session_write_setup(hid_t file, const rs_session_setup *setup, reshed_error *err);
/* Of s->in into s->setup. */
reshed_status rs_session_read_setup(rs_session *s, reshed_error *err);

#endif
