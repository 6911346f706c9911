/* Points: where spectra are to be measured, and what became of each.
 *
 *     /Points/table       a row for each point, in the order of measurement
 *     /Coordinates/...    x, y of each once more, as in the paper's files */
#include <math.h>
#include <string.h>

#include "spm/session/durability.h"
#include "spm/session/limits.h"
#include "spm/session/session.h"

bool rs_session_place_point(const rs_session_setup *s, int item, rs_session_place *p)
{
    static const char *const name[] = {"Target", "Rearange", "Convert", "Measure"};
    static const char *const about[] = {
        "x, y in the order of selection", "x, y in the order of measurement",
        "what the driver was asked for, in its units", "x, y where the tip was"};
    (void)s;
    if (item == ITEM_POINTS) {
        rs_session_place_growing(p, CELL_POINT, "/Points", "table", 64, 0, 0, 0);
        return true;
    }
    const int k = item - ITEM_TARGET;
    rs_session_place_growing(p, CELL_F64, "/Coordinates", name[k], 64, 2, 0, 0);
    p->about = about[k];
    if (item != ITEM_CONVERT) strcpy(p->unit, "m");
    return true;
}

static reshed_status check_state(int number, const rs_session_point *p, reshed_status wrong,
                                 reshed_error *err)
{
    if ((unsigned)p->state <= RS_SESSION_SKIPPED) return RESHED_OK;
    return rs_fail(err, wrong, "state of point %d|0 to %d|%u", number, RS_SESSION_SKIPPED,
                   (unsigned)p->state);
}

static reshed_status check_points(const rs_session *s, int first, int n, const rs_session_point *p,
                                  reshed_error *err)
{
    reshed_status st = rs_session_check_entries(s, ITEM_POINTS, first, n, "points", err);
    for (int i = 0; st == RESHED_OK && i < n; i++) {
        if (p[i].target < 0 || (uint64_t)p[i].target >= RS_SESSION_MAX_ENTRIES)
            st = rs_fail(err, RESHED_EINVAL, "target of point %d|0 or more|%d", first + i,
                         p[i].target);
        else
            st = check_state(first + i, &p[i], RESHED_EINVAL, err);
    }
    return st;
}

/* Puts the coordinates, then the table. */
static reshed_status put_points(rs_session *s, int first, int n, const rs_session_point *p,
                                reshed_error *err)
{
    reshed_status st = RESHED_OK;
    for (int i = 0; st == RESHED_OK && i < n; i++) {
        const struct {
            int item, entry;
            double xy[2];
        } put[] = {{ITEM_TARGET, p[i].target, {p[i].x, p[i].y}},
                   {ITEM_REARANGE, first + i, {p[i].x, p[i].y}},
                   {ITEM_CONVERT, first + i, {p[i].device_x, p[i].device_y}},
                   {ITEM_MEASURE, first + i, {p[i].measured_x, p[i].measured_y}}};
        for (int k = 0; st == RESHED_OK && k < 4; k++)
            st = rs_session_put_entries(s, put[k].item, (hsize_t)put[k].entry, 1, put[k].xy, err);
    }
    if (st != RESHED_OK) return st;
    return rs_session_put_entries(s, ITEM_POINTS, (hsize_t)first, (hsize_t)n, p, err);
}

rs_session_point rs_session_point_at(double row, double col, double x, double y)
{
    return (rs_session_point){.row = row,
                              .col = col,
                              .x = x,
                              .y = y,
                              .device_x = x,
                              .device_y = y,
                              .measured_x = NAN,
                              .measured_y = NAN,
                              .time = NAN,
                              .wall = -1};
}

reshed_status rs_session_put_points(rs_session *s, int first, int n, const rs_session_point *p,
                                    reshed_error *err)
{
    reshed_status st = check_points(s, first, n, p, err);
    if (st == RESHED_OK) st = rs_session_begin_put(s, err);
    if (st != RESHED_OK) return st;
    return rs_session_end_put(s, true, put_points(s, first, n, p, err), err);
}

reshed_status rs_session_read_points(rs_session *s, int first, int n, rs_session_point *p,
                                     reshed_error *err)
{
    reshed_status st = rs_session_get_table(s, ITEM_POINTS, first, n, p, "points", err);
    for (int i = 0; st == RESHED_OK && i < n; i++)
        st = check_state(first + i, &p[i], RESHED_ECORRUPT, err);
    return st;
}
