#include "spm/instrument/nanonis/rows.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "spm/instrument/nanonis/wire.h"

#define PACKET 16
#define MAX_PIXELS ((size_t)1 << 26)

reshed_status rs_nano_rows_size(rs_nano_rows *r, int channels, int directions, int rows, int cols,
                                reshed_error *err)
{
    size_t pixels, values;
    if (rows < 1 || cols < 1 || rows > RS_NANO_MAX_SIDE || cols > RS_NANO_MAX_SIDE ||
        !rs_mul((size_t)rows, (size_t)cols, &pixels) || pixels > MAX_PIXELS)
        return rs_fail(err, RESHED_EINVAL, "size of the frame|at most %zu pixels|%d by %d",
                       MAX_PIXELS, cols, rows);
    values = pixels * (size_t)(channels * directions); /* below 2^31 */
    float *data = rs_alloc(values, sizeof *data);
    float *before = rs_alloc(pixels * (size_t)directions, sizeof *before);
    uint8_t *state = rs_alloc((size_t)rows * (size_t)directions, 1);
    if (!data || !before || !state) {
        rs_free(data);
        rs_free(before);
        rs_free(state);
        return rs_fail_nomem(err, "the frames of a scan", values * sizeof *data);
    }
    rs_nano_rows_free(r);
    r->data = data;
    r->before = before;
    r->state = state;
    r->channels = channels;
    r->directions = directions;
    r->rows = rows;
    r->cols = cols;
    rs_nano_rows_clear(r);
    rs_nano_rows_start(r);
    return RESHED_OK;
}

void rs_nano_rows_free(rs_nano_rows *r)
{
    rs_free(r->data);
    rs_free(r->before);
    rs_free(r->state);
    r->data = r->before = NULL;
    r->state = NULL;
    r->rows = r->cols = 0;
}

static size_t frame_size(const rs_nano_rows *r)
{
    return (size_t)r->rows * (size_t)r->cols;
}

static float *frame_of(const rs_nano_rows *r, int channel, int direction)
{
    return r->data + (size_t)(channel * r->directions + direction) * frame_size(r);
}

void rs_nano_rows_put(rs_nano_rows *r, int channel, int direction, const uint8_t *values)
{
    rs_nano_floats(values, frame_size(r), frame_of(r, channel, direction));
}

void rs_nano_rows_clear(rs_nano_rows *r)
{
    const size_t n = frame_size(r) * (size_t)(r->channels * r->directions);
    for (size_t i = 0; i < n; i++) r->data[i] = NAN;
}

void rs_nano_rows_start(rs_nano_rows *r)
{
    memcpy(r->before, r->data, frame_size(r) * (size_t)r->directions * sizeof *r->before);
    memset(r->state, RS_NANO_EMPTY, (size_t)r->rows * (size_t)r->directions);
    r->furthest = -1;
}

/* Row of the grabbed array that holds line i of the scan. */
static int stored_row(const rs_nano_rows *r, int line)
{
    const bool from_row_0 =
        r->order == RS_NANO_ORDER_TIME || (r->order == RS_NANO_ORDER_BOTTOM) == r->up;
    return from_row_0 ? line : r->rows - 1 - line;
}

/* Pixels of [from,to) that are there and not the old ones; bits are compared, so -0 is not 0. */
static bool any_new(const float *now, const float *before, int from, int to)
{
    for (int i = from; i < to; i++)
        if (!isnan(now[i]) && memcmp(&now[i], &before[i], sizeof *now) != 0) return true;
    return false;
}

static rs_nano_row_state judge(const float *now, float *before, int cols)
{
    const int packet = cols < PACKET ? cols : PACKET;
    bool empty = true, full = true;
    for (int i = 0; i < cols; i++) {
        if (isnan(now[i]))
            full = false;
        else
            empty = false;
    }
    if (empty)
        for (int i = 0; i < cols; i++) before[i] = NAN;
    if (!any_new(now, before, 0, cols)) return RS_NANO_EMPTY;
    return full && any_new(now, before, 0, packet) && any_new(now, before, cols - packet, cols)
               ? RS_NANO_COMPLETE
               : RS_NANO_BEGUN;
}

void rs_nano_rows_update(rs_nano_rows *r)
{
    const int n = r->rows * r->directions;
    r->furthest = -1;
    for (int p = 0; p < n; p++) {
        const size_t at = (size_t)stored_row(r, p / r->directions) * (size_t)r->cols;
        const int d = p % r->directions;
        rs_nano_row_state s =
            judge(frame_of(r, 0, d) + at, r->before + (size_t)d * frame_size(r) + at, r->cols);
        r->state[p] = (uint8_t)s;
        if (s != RS_NANO_EMPTY) r->furthest = p;
    }
}

int rs_nano_rows_row(const rs_nano_rows *r, int position)
{
    const int line = position / r->directions;
    return r->up ? r->rows - 1 - line : line;
}

int rs_nano_rows_position(const rs_nano_rows *r, int row)
{
    return (r->up ? r->rows - 1 - row : row) * r->directions;
}

void rs_nano_rows_line(const rs_nano_rows *r, int channel, int direction, int row, double scale,
                       float *out)
{
    const int line = r->up ? r->rows - 1 - row : row, cols = r->cols;
    const float *p = frame_of(r, channel, direction) + (size_t)stored_row(r, line) * (size_t)cols;
    const bool mirror = direction == 1 && r->backward_mirror;
    for (int i = 0; i < cols; i++) out[i] = (float)(scale * p[mirror ? cols - 1 - i : i]);
}
