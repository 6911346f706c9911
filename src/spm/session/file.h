/* file.h - an open session: its datasets, checked, and blocks of them. What belongs to what is said
 * elsewhere: lines.c, maps.c, points.c, spectra.c and logs.c read and write through here, and
 * durability.h frames what they write. */
#ifndef RS_SPM_SESSION_FILE_H
#define RS_SPM_SESSION_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "io/hdf5/h5.h"
#include "io/hdf5/shared.h"
#include "spm/session/kept.h"
#include "spm/session/layout.h"
#include "spm/session/session.h"

struct rs_session {
    rs_h5_shared *out; /* written, or */
    rs_h5_file *in;    /* read */
    hid_t file;        /* of either */
    char path[4096];
    rs_session_block *kept; /* setup and place */
    rs_session_setup setup;
    rs_session_place *place; /* [ITEMS] */
    hid_t item[ITEMS];       /* < 0: not there */
    hid_t type[CELLS];       /* in memory */
    hsize_t rows[ITEMS];     /* along axis 0, of those that grow */
    int arrived;             /* order of the next line */
    bool complete, live;
    bool held;         /* durable puts wait for the next commit with their sync */
    void *note[ITEMS]; /* of a session that another program writes: open.c; owned */
    bool behind;       /* a commit failed: the next put or commit tries again first */
    rs_h5_hush hush;   /* of the put under way */
};

/* A session without a file. */
reshed_status rs_session_new(const char *path, rs_session **out, reshed_error *err);
/* Closes all but s->out. NULL is fine. */
void rs_session_free(rs_session *s);
/* Opens all items of s->file, which s->setup describes, and checks that each is as it was made. */
reshed_status rs_session_open_items(rs_session *s, reshed_error *err);
void rs_session_close_items(rs_session *s);

/* Writes the block (start, size) of an item that the session has, or reads it. */
reshed_status rs_session_put_block(rs_session *s, int item, const hsize_t *start,
                                   const hsize_t *size, const void *data, reshed_error *err);
reshed_status rs_session_get_block(rs_session *s, int item, const hsize_t *start,
                                   const hsize_t *size, void *data, reshed_error *err);
/* Writes entries [first, first + n) of a growing item, which becomes longer if need be. */
reshed_status rs_session_put_entries(rs_session *s, int item, hsize_t first, hsize_t n,
                                     const void *data, reshed_error *err);
/* Reads them; those beyond the end become the empty cell. */
reshed_status rs_session_get_entries(rs_session *s, int item, hsize_t first, hsize_t n, void *data,
                                     reshed_error *err);
/* Reads entries that must be there; `what` names them in the message. */
reshed_status rs_session_get_table(rs_session *s, int item, int first, int n, void *out,
                                   const char *what, reshed_error *err);

/* RESHED_EINVAL unless rows [row, row + rows) are in the frame. */
reshed_status rs_session_check_rows(const rs_session *s, int row, int rows, reshed_error *err);
/* RESHED_EINVAL unless entries [first, first + n) follow those there without a gap, n >= 1. */
reshed_status rs_session_check_entries(const rs_session *s, int item, int first, int n,
                                       const char *what, reshed_error *err);
/* RESHED_EINVAL unless entries [first, first + n) are there. */
reshed_status rs_session_check_there(const rs_session *s, int item, int first, int n,
                                     const char *what, reshed_error *err);
/* The index of a row along axis 1 of a main dataset, which is y upwards. */
hsize_t rs_session_y_of(const rs_session *s, int row);

#endif
