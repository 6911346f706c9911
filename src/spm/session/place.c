#include "spm/session/place.h"

#include <stdio.h>
#include <string.h>

/* Bytes that a chunk has at most: what one write of a line or a spectrum touches, and the default
 * size of the library's chunk cache. */
#define CHUNK_BYTES ((size_t)1 << 20)

static void set_path(rs_session_place *p, const char *group, const char *name)
{
    snprintf(p->path, sizeof p->path, "%s", group);
    snprintf(p->name, sizeof p->name, "%s", name);
}

/* Makes the chunk smaller until it has CHUNK_BYTES, the slowest axes first. */
static void limit_chunk(rs_session_place *p)
{
    size_t bytes = rs_session_cell_size(p->cell);
    for (int i = 0; i < p->ndim; i++) bytes *= (size_t)p->chunk[i];
    for (int i = 0; i < p->ndim; i++)
        while (bytes > CHUNK_BYTES && p->chunk[i] > 1) {
            bytes /= (size_t)p->chunk[i];
            p->chunk[i] = (p->chunk[i] + 1) / 2;
            bytes *= (size_t)p->chunk[i];
        }
}

void rs_session_place_main(rs_session_place *p, const rs_session_setup *s, rs_session_cell cell,
                           const char *group, const char *name, int bins, int lines)
{
    p->cell = cell;
    p->main = true;
    set_path(p, group, name);
    for (char *c = p->name; *c; c++) /* as rs_nsid_make_main does */
        if (*c == '-' || *c == '/') *c = '_';
    p->ndim = bins ? 3 : 2;
    p->dims[0] = p->chunk[0] = (hsize_t)s->frame.cols;
    p->dims[1] = (hsize_t)s->frame.rows;
    p->chunk[1] = (hsize_t)(lines < s->frame.rows ? lines : s->frame.rows);
    p->dims[2] = p->chunk[2] = (hsize_t)bins;
    limit_chunk(p);
}

void rs_session_place_image(rs_session_place *p, const rs_session_setup *s, rs_session_cell cell,
                            const char *name)
{
    p->cell = cell;
    p->about = "[row, column]; row 0 is the bottom (-y) edge of the frame";
    set_path(p, "/Images", name);
    p->ndim = 2;
    p->dims[0] = (hsize_t)s->frame.rows;
    p->dims[1] = p->chunk[1] = (hsize_t)s->frame.cols;
    p->chunk[0] = s->frame.rows < 8 ? (hsize_t)s->frame.rows : 8;
}

void rs_session_place_rows(rs_session_place *p, const rs_session_setup *s, rs_session_cell cell,
                           const char *name)
{
    p->cell = cell;
    set_path(p, "/Lines", name);
    p->ndim = 1;
    p->dims[0] = (hsize_t)s->frame.rows;
    p->chunk[0] = s->frame.rows < 64 ? (hsize_t)s->frame.rows : 64;
}

void rs_session_place_growing(rs_session_place *p, rs_session_cell cell, const char *group,
                              const char *name, int chunk, int a, int b, int c)
{
    const int axis[3] = {a, b, c};
    p->cell = cell;
    p->grows = true;
    set_path(p, group, name);
    p->ndim = 1;
    p->chunk[0] = (hsize_t)chunk;
    for (int i = 0; i < 3 && axis[i]; i++) {
        p->dims[p->ndim] = p->chunk[p->ndim] = (hsize_t)axis[i];
        p->ndim++;
    }
    limit_chunk(p);
}

void rs_session_place_single(rs_session_place *p, rs_session_cell cell, const char *group,
                             const char *name)
{
    p->cell = cell;
    set_path(p, group, name);
    p->ndim = 1;
    p->dims[0] = p->chunk[0] = 1;
}

void rs_session_place_unit(rs_session_place *p, const rs_session_setup *s, const char *unit)
{
    const char *amplitude = s->amplitude_unit && s->amplitude_unit[0] ? s->amplitude_unit : "V";
    snprintf(p->unit, sizeof p->unit, "%s", unit ? unit : amplitude);
}
