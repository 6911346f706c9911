/* Scan lines: the channels and spectra as they came, when each arrived, and what became of it.
 *
 *     /Measurement_000/Trace/<channel>, BE_spectra   main datasets [x][y upwards] (, [bin])
 *     /Lines/Trace                                   a row of the table for each line
 *     .../Retrace                                    the same of the way back
 *     /Lines/Processed                               a row for each line */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "spm/session/durability.h"
#include "spm/session/session.h"

static const char *const direction_name[2] = {"Trace", "Retrace"};

static int channels_item(bool retrace)
{
    return retrace ? ITEM_CHANNEL_RETRACE : ITEM_CHANNEL_TRACE;
}

static int spectra_item(bool retrace)
{
    return retrace ? ITEM_SPECTRA_RETRACE : ITEM_SPECTRA_TRACE;
}

static int arrival_item(bool retrace)
{
    return retrace ? ITEM_ARRIVAL_RETRACE : ITEM_ARRIVAL_TRACE;
}

/* --------------------------------------------------------------------------------------- layout */
static bool place_channel(const rs_session_setup *s, int channel, int dir, rs_session_place *p)
{
    char group[64];
    if (channel >= s->caps.channels || (dir && !s->caps.retrace)) return false;
    snprintf(group, sizeof group, RS_SESSION_MEASUREMENT "/%s", direction_name[dir]);
    rs_session_place_main(p, s, CELL_F32, group, s->caps.channel[channel], 0, 8);
    snprintf(p->quantity, sizeof p->quantity, "%s", s->caps.channel[channel]);
    snprintf(p->unit, sizeof p->unit, "%s", s->caps.unit[channel]);
    return true;
}

static bool place_spectra(const rs_session_setup *s, int dir, rs_session_place *p)
{
    char group[64];
    if (s->caps.bins == 0 || (dir && !s->caps.retrace)) return false;
    snprintf(group, sizeof group, RS_SESSION_MEASUREMENT "/%s", direction_name[dir]);
    rs_session_place_main(p, s, CELL_C32, group, "BE_spectra", s->caps.bins, 1);
    strcpy(p->quantity, "Response");
    strcpy(p->unit, "V");
    return true;
}

bool rs_session_place_line(const rs_session_setup *s, int item, rs_session_place *p)
{
    if (item < ITEM_CHANNEL_RETRACE) return place_channel(s, item - ITEM_CHANNEL_TRACE, 0, p);
    if (item < ITEM_SPECTRA_TRACE) return place_channel(s, item - ITEM_CHANNEL_RETRACE, 1, p);
    if (item < ITEM_ARRIVAL_TRACE) return place_spectra(s, item - ITEM_SPECTRA_TRACE, p);
    if (item == ITEM_PROCESSED) {
        rs_session_place_rows(p, s, CELL_PROCESSED, "Processed");
        return true;
    }
    rs_session_place_rows(p, s, CELL_ARRIVAL, direction_name[item - ITEM_ARRIVAL_TRACE]);
    return item == ITEM_ARRIVAL_TRACE || s->caps.retrace;
}

/* -------------------------------------------------------------------------------------- writing */
static reshed_status check_line(const rs_session *s, const rs_line *line, reshed_error *err)
{
    const rs_driver_caps *c = &s->setup.caps;
    if (line->cols != s->setup.frame.cols || line->bins != c->bins ||
        line->channels != c->channels || (c->bins && !line->spectra) ||
        (c->channels && !line->channel) || (line->retrace && !c->retrace))
        return rs_fail(err, RESHED_EINVAL,
                       "line|%d columns, %d bins, %d channels%s|%d columns, %d bins, %d "
                       "channels%s",
                       s->setup.frame.cols, c->bins, c->channels, c->retrace ? "" : ", no retrace",
                       line->cols, line->bins, line->channels, line->retrace ? ", a retrace" : "");
    return rs_session_check_rows(s, line->row, 1, err);
}

/* Pixels in which something is not a number. */
static int count_nans(const rs_line *line)
{
    int n = 0;
    for (int c = 0; c < line->cols; c++) {
        bool nan = false;
        for (int k = 0; !nan && k < line->channels; k++)
            nan = isnan(line->channel[(size_t)k * (size_t)line->cols + (size_t)c]);
        const float *spectrum =
            line->spectra ? line->spectra + 2 * (size_t)c * (size_t)line->bins : NULL;
        for (int b = 0; !nan && b < 2 * line->bins; b++) nan = isnan(spectrum[b]);
        n += nan;
    }
    return n;
}

static reshed_status put_arrival(rs_session *s, int row, bool retrace, rs_session_arrival *a,
                                 reshed_error *err)
{
    const hsize_t start = (hsize_t)row, size = 1;
    a->order = s->arrived;
    reshed_status st = rs_session_put_block(s, arrival_item(retrace), &start, &size, a, err);
    if (st == RESHED_OK) s->arrived++;
    return st;
}

/* Puts what the line brought, then the note that it is there. */
static reshed_status put_line(rs_session *s, const rs_line *line, double acquired,
                              reshed_error *err)
{
    const hsize_t start[3] = {0, rs_session_y_of(s, line->row), 0};
    const hsize_t size[3] = {(hsize_t)line->cols, 1, (hsize_t)line->bins};
    reshed_status st = RESHED_OK;
    for (int k = 0; st == RESHED_OK && k < line->channels; k++)
        st = rs_session_put_block(s, channels_item(line->retrace) + k, start, size,
                                  line->channel + (size_t)k * (size_t)line->cols, err);
    if (st == RESHED_OK && line->bins)
        st = rs_session_put_block(s, spectra_item(line->retrace), start, size, line->spectra, err);
    if (st == RESHED_OK) st = rs_session_order(s, err);
    rs_session_arrival a = {.state = RS_SESSION_ARRIVED,
                            .nans = count_nans(line),
                            .frame = line->frame,
                            .time = line->time,
                            .acquired = acquired};
    return st == RESHED_OK ? put_arrival(s, line->row, line->retrace, &a, err) : st;
}

reshed_status rs_session_put_line(rs_session *s, const rs_line *line, double acquired,
                                  reshed_error *err)
{
    reshed_status st = check_line(s, line, err);
    if (st == RESHED_OK) st = rs_session_begin_put(s, err);
    if (st != RESHED_OK) return st;
    return rs_session_end_put(s, true, put_line(s, line, acquired, err), err);
}

reshed_status rs_session_put_lost_line(rs_session *s, int row, bool retrace, int64_t frame,
                                       double acquired, reshed_error *err)
{
    rs_session_arrival a = {
        .state = RS_SESSION_LOST, .frame = frame, .time = NAN, .acquired = acquired};
    reshed_status st = rs_session_check_rows(s, row, 1, err);
    if (st == RESHED_OK && retrace && !s->setup.caps.retrace)
        st = rs_fail(err, RESHED_EINVAL, "line|a trace|a retrace");
    if (st == RESHED_OK) st = rs_session_begin_put(s, err);
    if (st != RESHED_OK) return st;
    return rs_session_end_put(s, true, put_arrival(s, row, retrace, &a, err), err);
}

reshed_status rs_session_put_processed(rs_session *s, int row, const rs_session_processed *p,
                                       reshed_error *err)
{
    const hsize_t start = (hsize_t)row, size = 1;
    reshed_status st = rs_session_check_rows(s, row, 1, err);
    if (st == RESHED_OK) st = rs_session_begin_put(s, err);
    if (st != RESHED_OK) return st;
    st = rs_session_put_block(s, ITEM_PROCESSED, &start, &size, p, err);
    return rs_session_end_put(s, false, st, err);
}

/* -------------------------------------------------------------------------------------- reading */
static reshed_status check_direction(const rs_session *s, bool retrace, reshed_error *err)
{
    if (!retrace || s->setup.caps.retrace) return RESHED_OK;
    return rs_fail(err, RESHED_EINVAL, "direction|trace|retrace, which this session has not");
}

static reshed_status read_arrivals(rs_session *s, bool retrace, int row, int rows,
                                   rs_session_arrival *out, reshed_error *err)
{
    const hsize_t start = (hsize_t)row, size = (hsize_t)rows;
    reshed_status st = rs_session_get_block(s, arrival_item(retrace), &start, &size, out, err);
    for (int i = 0; st == RESHED_OK && i < rows; i++)
        if ((unsigned)out[i].state > RS_SESSION_LOST)
            st = rs_fail(err, RESHED_ECORRUPT, "state of line %d|0 to %d|%u", row + i,
                         RS_SESSION_LOST, (unsigned)out[i].state);
    return st;
}

reshed_status rs_session_read_arrivals(rs_session *s, bool retrace, rs_session_arrival *out,
                                       reshed_error *err)
{
    reshed_status st = check_direction(s, retrace, err);
    if (st != RESHED_OK) return st;
    return read_arrivals(s, retrace, 0, s->setup.frame.rows, out, err);
}

static reshed_status read_line(rs_session *s, int row, bool retrace, rs_line *line,
                               rs_session_arrival *a, reshed_error *err)
{
    const rs_driver_caps *caps = &s->setup.caps;
    const int cols = s->setup.frame.cols;
    const hsize_t start[3] = {0, rs_session_y_of(s, row), 0};
    const hsize_t size[3] = {(hsize_t)cols, 1, (hsize_t)caps->bins};
    reshed_status st = read_arrivals(s, retrace, row, 1, a, err);
    for (int k = 0; st == RESHED_OK && line->channel && k < caps->channels; k++)
        st = rs_session_get_block(s, channels_item(retrace) + k, start, size,
                                  line->channel + (size_t)k * (size_t)cols, err);
    if (st == RESHED_OK && line->spectra && caps->bins)
        st = rs_session_get_block(s, spectra_item(retrace), start, size, line->spectra, err);
    if (st != RESHED_OK) return st;
    if (line->frequency && caps->bins)
        memcpy(line->frequency, s->setup.frequency, (size_t)caps->bins * sizeof *line->frequency);
    line->cols = cols;
    line->bins = caps->bins;
    line->channels = caps->channels;
    line->row = row;
    line->retrace = retrace;
    line->time = a->time;
    line->frame = a->frame;
    return RESHED_OK;
}

reshed_status rs_session_read_line(rs_session *s, int row, bool retrace, rs_line *line,
                                   rs_session_arrival *arrival, reshed_error *err)
{
    const rs_driver_caps *caps = &s->setup.caps;
    const int cols = s->setup.frame.cols;
    rs_session_arrival a;
    reshed_status st = rs_session_check_rows(s, row, 1, err);
    if (st == RESHED_OK) st = check_direction(s, retrace, err);
    if (st != RESHED_OK) return st;
    if ((line->channel && (line->cols < cols || line->channels < caps->channels)) ||
        (line->spectra && (line->cols < cols || line->bins < caps->bins)) ||
        (line->frequency && line->bins < caps->bins))
        return rs_fail(err, RESHED_EINVAL,
                       "room for a line|%d columns, %d bins, %d channels|%d, %d, %d", cols,
                       caps->bins, caps->channels, line->cols, line->bins, line->channels);
    st = read_line(s, row, retrace, line, &a, err);
    if (st == RESHED_OK && arrival) *arrival = a;
    return st;
}

reshed_status rs_session_read_processed(rs_session *s, rs_session_processed *out, reshed_error *err)
{
    const hsize_t start = 0, size = (hsize_t)s->setup.frame.rows;
    return rs_session_get_block(s, ITEM_PROCESSED, &start, &size, out, err);
}
