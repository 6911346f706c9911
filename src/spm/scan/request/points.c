#include "spm/scan/request/points.h"

#include <math.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "io/csv.h"
#include "spm/instrument/coords.h"

#define MOST 1000000

/* Which columns say where a point is. */
typedef struct columns {
    bool pixels; /* row, col; else x, y */
    size_t a, b;
    bool both; /* x and y beside row and col: they must say the same */
    size_t x, y;
} columns;

static reshed_status find_columns(const rs_csv_table *t, columns *c, reshed_error *err)
{
    c->pixels = rs_csv_column(t, "row", &c->a, NULL) == RESHED_OK &&
                rs_csv_column(t, "col", &c->b, NULL) == RESHED_OK;
    c->both = c->pixels && rs_csv_column(t, "x", &c->x, NULL) == RESHED_OK &&
              rs_csv_column(t, "y", &c->y, NULL) == RESHED_OK;
    if (c->pixels) return RESHED_OK;
    reshed_status st = rs_csv_column(t, "x", &c->a, err);
    return st == RESHED_OK ? rs_csv_column(t, "y", &c->b, err) : st;
}

/* A list that was edited in x and y alone would be measured where row and col say, elsewhere. */
static reshed_status check_both(const rs_csv_table *t, const columns *c, size_t i,
                                const rs_coords *coords, const rs_rowcol *rc, reshed_error *err)
{
    rs_xy said;
    rs_rowcol there;
    if (!c->both || !*rs_csv_cell(t, i, c->x) || !*rs_csv_cell(t, i, c->y)) return RESHED_OK;
    reshed_status st = rs_csv_cell_number(t, i, c->x, &said.x, err);
    if (st == RESHED_OK) st = rs_csv_cell_number(t, i, c->y, &said.y, err);
    if (st != RESHED_OK) return st;
    rs_stage_to_pixel(coords, &said, 1, &there);
    if (hypot(there.row - rc->row, there.col - rc->col) <= 0.5) return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL,
                   "point|one place, or only row,col or x,y (x,y: metres on the stage)|row %.6g, "
                   "col %.6g, and x,y at row %.6g, col %.6g|line %zu",
                   rc->row, rc->col, there.row, there.col, t->line[i + 1]);
}

static reshed_status read_point(const rs_csv_table *t, const columns *c, size_t i,
                                const rs_coords *coords, rs_session_point *out, reshed_error *err)
{
    const rs_coords_frame *frame = &coords->frame;
    double u, v;
    rs_rowcol rc;
    rs_xy xy;
    reshed_status st = rs_csv_cell_number(t, i, c->a, &u, err);
    if (st == RESHED_OK) st = rs_csv_cell_number(t, i, c->b, &v, err);
    if (st != RESHED_OK) return st;
    if (c->pixels) {
        rc = (rs_rowcol){u, v};
        rs_pixel_to_stage(coords, &rc, 1, &xy);
        st = check_both(t, c, i, coords, &rc, err);
        if (st != RESHED_OK) return st;
    } else {
        xy = (rs_xy){u, v};
        rs_stage_to_pixel(coords, &xy, 1, &rc);
    }
    *out = rs_session_point_at(rc.row, rc.col, xy.x, xy.y);
    out->target = (int)i;
    if (rc.row >= -0.5 && rc.row <= frame->rows - 0.5 && rc.col >= -0.5 &&
        rc.col <= frame->cols - 0.5)
        return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "point|within the frame|row %g, column %g|line %zu", rc.row,
                   rc.col, t->line[i + 1]);
}

reshed_status rs_points_read(const char *path, const rs_frame *frame, rs_session_point **points,
                             int *n, reshed_error *err)
{
    const rs_coords_frame cf = rs_coords_frame_of(frame);
    const rs_device metres = rs_device_metres();
    rs_csv_table t = {0};
    columns c;
    rs_coords coords;
    rs_session_point *p = NULL;
    reshed_status st = rs_csv_read(path, &t, err);
    if (st != RESHED_OK) return st;
    st = find_columns(&t, &c, err);
    if (st == RESHED_OK) st = rs_coords_init(&coords, &cf, &metres, err);
    if (st == RESHED_OK && t.rows > MOST)
        st = rs_fail(err, RESHED_EINVAL, "points|at most %d|%zu", MOST, t.rows);
    if (st == RESHED_OK && !(p = rs_zalloc(t.rows + 1, sizeof *p)))
        st = rs_fail_nomem(err, "points", t.rows * sizeof *p);
    for (size_t i = 0; st == RESHED_OK && i < t.rows; i++)
        st = read_point(&t, &c, i, &coords, &p[i], err);
    if (st == RESHED_OK) {
        *points = p;
        *n = (int)t.rows;
    } else {
        rs_free(p);
    }
    rs_csv_table_clear(&t);
    return st;
}

/* ---------------------------------------------------------------------------------- kept apart */

/* The frame in square cells no smaller than the distance, each with a chain of the points in it: what is
 * too near lies in the cell itself or in one beside it. */
#define MOST_CELLS 512 /* a side */

typedef struct cells {
    double dx, dy, side; /* of a pixel and of a cell, in units of a pixel */
    int rows, cols;
    int32_t *first; /* [rows,cols] 1 + the latest point of a cell, 0: none */
    int32_t *next;  /* [points] 1 + the one before it */
} cells;

static int cell_of(double place, double side, int n)
{
    return rs_min_int(rs_max_int((int)(place / side), 0), n - 1);
}

/* The place of a point in units of a pixel, from the frame's corner. */
static rs_xy place_of(const cells *c, const rs_session_point *p)
{
    return (rs_xy){(p->col + 0.5) * c->dx, (p->row + 0.5) * c->dy};
}

static bool is_near(const cells *c, const rs_session_point *p, int k, double distance)
{
    const rs_xy at = place_of(c, &p[k]);
    const int row = cell_of(at.y, c->side, c->rows), col = cell_of(at.x, c->side, c->cols);
    for (int i = rs_max_int(row - 1, 0); i <= rs_min_int(row + 1, c->rows - 1); i++)
        for (int j = rs_max_int(col - 1, 0); j <= rs_min_int(col + 1, c->cols - 1); j++)
            for (int32_t m = c->first[i * c->cols + j]; m; m = c->next[m - 1]) {
                const rs_xy other = place_of(c, &p[m - 1]);
                if (hypot(at.x - other.x, at.y - other.y) < distance * (1 - 1e-9)) return true;
            }
    return false;
}

reshed_status rs_points_keep_apart(const rs_frame *frame, double distance, rs_session_point *p,
                                   int *n, reshed_error *err)
{
    if (!(distance >= 0) || !isfinite(distance))
        return rs_fail(err, RESHED_EINVAL, "distance of points|a length >= 0|%g", distance);
    if (distance == 0 || *n < 2) return RESHED_OK;
    const double aspect = (frame->width / frame->cols) / (frame->height / frame->rows);
    cells c = {.dx = sqrt(aspect), .dy = 1 / sqrt(aspect)};
    const double width = frame->cols * c.dx, height = frame->rows * c.dy;
    c.side = fmax(distance, fmax(width, height) / MOST_CELLS);
    c.rows = (int)(height / c.side) + 1;
    c.cols = (int)(width / c.side) + 1;
    const size_t count = (size_t)c.rows * (size_t)c.cols;
    c.first = rs_zalloc(count, sizeof *c.first);
    c.next = rs_alloc((size_t)*n, sizeof *c.next);
    reshed_status st = RESHED_OK;
    if (!c.first || !c.next) st = rs_fail_nomem(err, "places of points", count * sizeof *c.first);
    int kept = 0;
    for (int i = 0; st == RESHED_OK && i < *n; i++) {
        const rs_session_point one = p[i];
        p[kept] = one; /* what is looked at lies behind those that are kept */
        if (is_near(&c, p, kept, distance)) continue;
        const rs_xy at = place_of(&c, &one);
        int32_t *first =
            &c.first[cell_of(at.y, c.side, c.rows) * c.cols + cell_of(at.x, c.side, c.cols)];
        p[kept].target = kept;
        c.next[kept] = *first;
        *first = ++kept;
    }
    if (st == RESHED_OK) *n = kept;
    rs_free(c.first);
    rs_free(c.next);
    return st;
}

reshed_status rs_points_write(const char *path, const rs_session_point *p, int n, reshed_error *err)
{
    rs_csv c = {0};
    rs_csv_heading(&c, "row", "");
    rs_csv_heading(&c, "col", "");
    rs_csv_heading(&c, "x", "m");
    rs_csv_heading(&c, "y", "m");
    rs_csv_heading(&c, "wall", "");
    rs_csv_end_row(&c);
    for (int i = 0; i < n; i++) {
        rs_csv_number(&c, p[i].row);
        rs_csv_number(&c, p[i].col);
        rs_csv_number(&c, p[i].x);
        rs_csv_number(&c, p[i].y);
        rs_csv_integer(&c, p[i].wall);
        rs_csv_end_row(&c);
    }
    reshed_status st = rs_csv_save(&c, path, err);
    rs_csv_clear(&c);
    return st;
}
