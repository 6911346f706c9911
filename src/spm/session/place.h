/* place.h - one dataset of a session file: its path, its element and its shape. The functions below
 * fill in one of four kinds of place, which lines.c, maps.c and their like then call by its name;
 * layout.h lists all datasets. */
#ifndef RS_SPM_SESSION_PLACE_H
#define RS_SPM_SESSION_PLACE_H

#include <stdbool.h>

#include "spm/session/cells.h"

/* The group of all NSID main datasets. */
#define RS_SESSION_MEASUREMENT "/Measurement_000"

typedef struct rs_session_place {
    char
        path[160]; /* of its group; of a main dataset the group's parent, as it lies in NAME/NAME */
    char name[64];
    char quantity[64], unit[32]; /* of a main dataset and of an image */
    const char *about;           /* attribute `description`, or NULL */
    rs_session_cell cell;
    bool main;  /* an NSID main dataset: axes x, y (, frequency) */
    bool grows; /* along axis 0, from nothing */
    int ndim;   /* 0: a session of this setup does not have it */
    hsize_t dims[4], chunk[4];
} rs_session_place;

/* A main dataset [x][y upwards] (and [bins] when bins > 0) of which a chunk holds `lines` lines, or
 * fewer when it would be too large. */
void rs_session_place_main(rs_session_place *p, const rs_session_setup *s, rs_session_cell cell,
                           const char *group, const char *name, int bins, int lines);
/* An image in the orientation of the paper's files: [row][col], the last row first. */
void rs_session_place_image(rs_session_place *p, const rs_session_setup *s, rs_session_cell cell,
                            const char *name);
/* One cell for each row of the frame. */
void rs_session_place_rows(rs_session_place *p, const rs_session_setup *s, rs_session_cell cell,
                           const char *name);
/* A dataset that grows, `chunk` entries at a time, of a x b x c cells each (0: no such axis). */
void rs_session_place_growing(rs_session_place *p, rs_session_cell cell, const char *group,
                              const char *name, int chunk, int a, int b, int c);
/* A single cell. */
void rs_session_place_single(rs_session_place *p, rs_session_cell cell, const char *group,
                             const char *name);
/* The unit of a map or of a series of loops; NULL is that of the amplitude. */
void rs_session_place_unit(rs_session_place *p, const rs_session_setup *s, const char *unit);

#endif
