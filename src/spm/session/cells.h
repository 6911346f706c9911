/* cells.h - the elements of the session file's datasets: numbers, and the rows of its tables. A row
 * is a C structure of session.h in memory; in the file its fields stand packed, little endian,
 * under the same names. */
#ifndef RS_SPM_SESSION_CELLS_H
#define RS_SPM_SESSION_CELLS_H

#include <stdbool.h>
#include <stddef.h>

#include "io/hdf5/h5.h"
#include "spm/session/session.h"

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

/* A row of the table of reference loops: where the tip was, and when. */
typedef struct rs_session_reference {
    double x, y, time;
    rs_session_point_state state;
} rs_session_reference;

/* The type of a cell in the file or in memory; < 0 on failure. The caller closes it. */
hid_t rs_session_cell_type(rs_session_cell cell, bool memory);
/* Bytes of one in memory. */
size_t rs_session_cell_size(rs_session_cell cell);
/* One that was never written, as in memory. */
const void *rs_session_cell_empty(rs_session_cell cell);

#endif
