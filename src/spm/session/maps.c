/* Result maps: what was made of the lines, row by row, and the state of each row.
 *
 *     /Measurement_000/Results/<map>   main datasets [x][y upwards], float or byte
 *     /Images/<image>                  some of them again as in the paper's files, bottom row first
 *     /Lines/State                     a byte for each row */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "spm/session/durability.h"
#include "spm/session/session.h"

static const struct {
    const char *name, *quantity, *unit; /* unit NULL: the amplitude's */
    const char *image;                  /* name of its image, or NULL */
} maps[RS_SESSION_MAPS] = {
    [RS_SESSION_AMPLITUDE] = {"Amplitude", "Amplitude", NULL, "Raw"},
    [RS_SESSION_FREQUENCY] = {"Frequency", "Resonance frequency", "Hz", NULL},
    [RS_SESSION_Q] = {"Q", "Quality factor", "1", NULL},
    [RS_SESSION_PHASE] = {"Phase", "Phase", "rad", NULL},
    [RS_SESSION_MEAN] = {"Wall_probability", "Wall probability", "1", "Prediction"},
    [RS_SESSION_VARIANCE] = {"Wall_variance", "Variance of the wall probability", "1",
                             "Uncertainty"},
};

static const struct {
    const char *name, *image;
} masks[RS_SESSION_MASKS] = {
    [RS_SESSION_BINARY] = {"Walls", "Binary Object"},
    [RS_SESSION_SKELETON] = {"Skeleton", "Skeletonize Object"},
};

/* --------------------------------------------------------------------------------------- layout */
static bool place_map(const rs_session_setup *s, int map, rs_session_place *p)
{
    rs_session_place_main(p, s, CELL_F32, RS_SESSION_MEASUREMENT "/Results", maps[map].name, 0, 8);
    strcpy(p->quantity, maps[map].quantity);
    rs_session_place_unit(p, s, maps[map].unit);
    return true;
}

static bool place_mask(const rs_session_setup *s, int mask, rs_session_place *p)
{
    rs_session_place_main(p, s, CELL_U8, RS_SESSION_MEASUREMENT "/Results", masks[mask].name, 0, 8);
    strcpy(p->quantity, masks[mask].name);
    rs_session_place_unit(p, s, "1");
    return true;
}

static bool place_image(const rs_session_setup *s, int map, rs_session_place *p)
{
    if (!maps[map].image) return false;
    rs_session_place_image(p, s, CELL_F32, maps[map].image);
    rs_session_place_unit(p, s, maps[map].unit);
    return true;
}

bool rs_session_place_map(const rs_session_setup *s, int item, rs_session_place *p)
{
    if (item == ITEM_STATES) {
        rs_session_place_rows(p, s, CELL_U8, "State");
        p->about = "0 unscanned, 1 provisional, 2 final, 3 stale";
        return true;
    }
    if (item < ITEM_MASK) return place_map(s, item - ITEM_MAP, p);
    if (item < ITEM_IMAGE) return place_mask(s, item - ITEM_MASK, p);
    if (item < ITEM_IMAGE_MASK) return place_image(s, item - ITEM_IMAGE, p);
    rs_session_place_image(p, s, CELL_U8, masks[item - ITEM_IMAGE_MASK].image);
    return true;
}

/* ------------------------------------------------------------------------------- maps and masks */
/* Puts rows of `cell` bytes per pixel into a main dataset, as [x][y upwards], and into its image,
 * if there is one: both have the last row first. */
static reshed_status put_rows(rs_session *s, int item, int image, int row, int rows,
                              const void *data, size_t cell, reshed_error *err)
{
    const size_t n = (size_t)rows, cols = (size_t)s->setup.frame.cols;
    const hsize_t start[2] = {0, rs_session_y_of(s, row + rows - 1)}, size[2] = {cols, n};
    const hsize_t image_start[2] = {start[1], 0}, image_size[2] = {n, cols};
    const char *in = data;
    char *turned = rs_alloc(n * cols, cell);
    if (!turned) return rs_fail_nomem(err, "rows of a map", n * cols * cell);
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < cols; c++)
            memcpy(turned + (c * n + (n - 1 - i)) * cell, in + (i * cols + c) * cell, cell);
    reshed_status st = rs_session_put_block(s, item, start, size, turned, err);
    if (st == RESHED_OK && s->item[image] >= 0) {
        for (size_t i = 0; i < n; i++)
            memcpy(turned + (n - 1 - i) * cols * cell, in + i * cols * cell, cols * cell);
        st = rs_session_put_block(s, image, image_start, image_size, turned, err);
    }
    rs_free(turned);
    return st;
}

static reshed_status get_rows(rs_session *s, int item, int row, int rows, void *data, size_t cell,
                              reshed_error *err)
{
    const size_t n = (size_t)rows, cols = (size_t)s->setup.frame.cols;
    reshed_status st = rs_session_check_rows(s, row, rows, err);
    if (st != RESHED_OK) return st;
    const hsize_t start[2] = {0, rs_session_y_of(s, row + rows - 1)}, size[2] = {cols, n};
    char *out = data, *turned = rs_alloc(n * cols, cell);
    if (!turned) return rs_fail_nomem(err, "rows of a map", n * cols * cell);
    st = rs_session_get_block(s, item, start, size, turned, err);
    for (size_t i = 0; st == RESHED_OK && i < n; i++)
        for (size_t c = 0; c < cols; c++)
            memcpy(out + (i * cols + c) * cell, turned + (c * n + (n - 1 - i)) * cell, cell);
    rs_free(turned);
    return st;
}

reshed_status rs_session_put_map(rs_session *s, rs_session_map map, int row, int rows,
                                 const float *data, reshed_error *err)
{
    const int item = ITEM_MAP + (int)map, image = ITEM_IMAGE + (int)map;
    reshed_status st = rs_session_check_rows(s, row, rows, err);
    if (st == RESHED_OK) st = rs_session_begin_put(s, err);
    if (st != RESHED_OK) return st;
    st = put_rows(s, item, image, row, rows, data, sizeof *data, err);
    return rs_session_end_put(s, false, st, err);
}

reshed_status rs_session_read_map(rs_session *s, rs_session_map map, int row, int rows, float *data,
                                  reshed_error *err)
{
    return get_rows(s, ITEM_MAP + (int)map, row, rows, data, sizeof *data, err);
}

reshed_status rs_session_put_mask(rs_session *s, rs_session_mask mask, int row, int rows,
                                  const uint8_t *data, reshed_error *err)
{
    const int item = ITEM_MASK + (int)mask, image = ITEM_IMAGE_MASK + (int)mask;
    reshed_status st = rs_session_check_rows(s, row, rows, err);
    if (st == RESHED_OK) st = rs_session_begin_put(s, err);
    if (st != RESHED_OK) return st;
    st = put_rows(s, item, image, row, rows, data, 1, err);
    return rs_session_end_put(s, false, st, err);
}

reshed_status rs_session_read_mask(rs_session *s, rs_session_mask mask, int row, int rows,
                                   uint8_t *data, reshed_error *err)
{
    return get_rows(s, ITEM_MASK + (int)mask, row, rows, data, 1, err);
}

/* ------------------------------------------------------------------------------- states of rows */
static reshed_status check_states(int row, int rows, const uint8_t *state, reshed_status wrong,
                                  reshed_error *err)
{
    for (int i = 0; i < rows; i++)
        if (state[i] > RS_SESSION_STALE)
            return rs_fail(err, wrong, "state of row %d|0 to %d|%d", row + i, RS_SESSION_STALE,
                           state[i]);
    return RESHED_OK;
}

reshed_status rs_session_put_states(rs_session *s, int row, int rows, const uint8_t *state,
                                    reshed_error *err)
{
    const hsize_t start = (hsize_t)row, size = (hsize_t)rows;
    reshed_status st = rs_session_check_rows(s, row, rows, err);
    if (st == RESHED_OK) st = check_states(row, rows, state, RESHED_EINVAL, err);
    if (st == RESHED_OK) st = rs_session_begin_put(s, err);
    if (st != RESHED_OK) return st;
    st = rs_session_order(s, err); /* the maps that were put before */
    if (st == RESHED_OK) st = rs_session_put_block(s, ITEM_STATES, &start, &size, state, err);
    return rs_session_end_put(s, false, st, err);
}

reshed_status rs_session_read_states(rs_session *s, int row, int rows, uint8_t *state,
                                     reshed_error *err)
{
    const hsize_t start = (hsize_t)row, size = (hsize_t)rows;
    reshed_status st = rs_session_check_rows(s, row, rows, err);
    if (st == RESHED_OK) st = rs_session_get_block(s, ITEM_STATES, &start, &size, state, err);
    return st == RESHED_OK ? check_states(row, rows, state, RESHED_ECORRUPT, err) : st;
}
