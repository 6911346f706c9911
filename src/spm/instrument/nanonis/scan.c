/* Lines of a running scan.
 *
 * Nanonis fills a frame and gives it away whole. Which lines have become complete is read from the
 * data (nanonis/rows.h); Scan.WaitEndOfLine, where there is one, only says when to look again. The
 * frame lies with the instrument until the next scan, so lines that are asked for late are not
 * lost.
 *
 * A refresh grabs channel 0 both ways; only when that shows a line that can be handed out, the
 * other channels follow. They are grabbed later, so they have that line too. */

#include "spm/instrument/nanonis/private.h"

#include <math.h>
#include <string.h>

#include "base/os.h"
#include "base/status.h"

#define SLICE 0.25 /* s, of one wait for the end of a line: how soon a halt is noticed */
#define POLL 0.02

/* --------------------------------------------------------------------------------- start, pause */

/* Marks what is in the instrument's buffer now as old. */
static rs_driver_status note_old_frame(rs_nano *n, double deadline, reshed_error *err)
{
    rs_nano_scan *s = &n->scan;
    rs_nano_frame frame;
    rs_nano_rows_clear(&s->rows);
    for (int d = 0; d < s->rows.directions; d++) {
        rs_driver_status st = rs_nano_grab(n, 0, d, deadline, &frame, err);
        if (st == RS_DRIVER_REFUSED) continue; /* no frame of this channel yet */
        if (st != RS_DRIVER_OK) return st;
        if (frame.values) rs_nano_rows_put(&s->rows, 0, d, frame.values);
    }
    rs_nano_rows_start(&s->rows);
    return RS_DRIVER_OK;
}

/* Grabs channel 0, from where an interrupted refresh stopped. A frame that runs the other way is
 * not the one that was started: its lines do not count. */
static rs_driver_status refresh_first(rs_nano *n, double deadline, reshed_error *err)
{
    rs_nano_scan *s = &n->scan;
    s->current = false;
    for (; s->step < s->rows.directions; s->step++) {
        rs_nano_frame frame;
        rs_driver_status st = rs_nano_grab(n, 0, s->step, deadline, &frame, err);
        if (st != RS_DRIVER_OK) return st;
        if (frame.values && frame.up == s->rows.up)
            rs_nano_rows_put(&s->rows, 0, s->step, frame.values);
    }
    rs_nano_rows_update(&s->rows);
    return RS_DRIVER_OK;
}

/* After Scan.Action: the scan is on its way once it says so, or once there are lines of it. */
static rs_driver_status wait_until_running(rs_nano *n, double deadline, reshed_error *err)
{
    for (;;) {
        double running;
        rs_driver_status st =
            rs_nano_query(&n->link, "Scan.StatusGet", "", NULL, "I", &running, deadline, err);
        if (st != RS_DRIVER_OK) return st;
        /* Grabbed at once, so that a buffer that was cleared is seen empty. */
        n->scan.step = 0;
        st = refresh_first(n, deadline, err);
        n->scan.step = 0;
        if (st != RS_DRIVER_OK) return st;
        if (running != 0 || n->scan.rows.furthest >= 0) return RS_DRIVER_OK;
        if ((st = rs_nano_check_halted(n, err)) != RS_DRIVER_OK) return st;
        if (rs_os_monotonic() > deadline) {
            rs_fail(err, RESHED_ETIMEOUT, "the scan has not started yet");
            return RS_DRIVER_RETRY;
        }
        rs_socket_pause(POLL);
    }
}

/* A paused scan goes on where it is; what is before `position` is not handed out. */
static rs_driver_status resume(rs_nano *n, int position, double deadline, reshed_error *err)
{
    rs_driver_status st = rs_nano_tell(&n->link, "Scan.Action", "HI",
                                       (double[]){3, n->scan.rows.up}, true, deadline, err);
    if (st != RS_DRIVER_OK) return st;
    n->scan.paused = false;
    if (n->scan.position < position) n->scan.position = position;
    return st;
}

rs_driver_status rs_nano_start_scan(void *self, int row, double timeout, reshed_error *err)
{
    rs_nano *n = self;
    rs_nano_scan *s = &n->scan;
    const double deadline = rs_nano_deadline(timeout);
    rs_driver_status st = rs_nano_check_halted(n, err);
    if (st != RS_DRIVER_OK) return st;
    if (!s->known) return rs_nano_refuse(err, "a scan needs set_frame first");
    if (row < 0 || row >= s->rows.rows)
        return rs_nano_refuse(err, "row to start at|0 to %d|%d", s->rows.rows - 1, row);
    const int position = rs_nano_rows_position(&s->rows, row);
    if (s->started && s->paused && s->position < s->rows.rows * s->rows.directions &&
        position > s->position - s->rows.directions)
        return resume(n, position, deadline, err);
    if (s->starting != RS_NANO_IDLE && s->starting_row != row) s->starting = RS_NANO_IDLE;
    if (s->starting == RS_NANO_IDLE) {
        if ((st = rs_nano_stop_scan(n, deadline, err)) != RS_DRIVER_OK) return st;
        if ((st = note_old_frame(n, deadline, err)) != RS_DRIVER_OK) return st;
        s->starting_row = row;
        s->starting = RS_NANO_ASKED;
    }
    if (s->starting == RS_NANO_ASKED) {
        st = rs_nano_tell(&n->link, "Scan.Action", "HI", (double[]){0, s->rows.up}, true, deadline,
                          err);
        if (st == RS_DRIVER_REFUSED) s->starting = RS_NANO_IDLE;
        if (st != RS_DRIVER_OK) return st;
        s->starting = RS_NANO_MOVING;
    }
    if ((st = wait_until_running(n, deadline, err)) != RS_DRIVER_OK) return st;
    s->starting = RS_NANO_IDLE;
    s->started = true;
    s->paused = s->ended = false;
    s->position = position;
    if (position == 0 || s->new_frame) s->frames++;
    s->new_frame = false;
    return RS_DRIVER_OK;
}

rs_driver_status rs_nano_pause(void *self, double timeout, reshed_error *err)
{
    rs_nano *n = self;
    const rs_nano_scan *s = &n->scan;
    if (!s->started) return RS_DRIVER_OK;
    /* All was handed out, but the way back of the last line may still be under way. */
    if (s->position >= s->rows.rows * s->rows.directions)
        return rs_nano_stop_scan(n, rs_nano_deadline(timeout), err);
    rs_driver_status st =
        rs_nano_tell(&n->link, "Scan.Action", "HI", (double[]){2, n->scan.rows.up}, false,
                     rs_nano_deadline(timeout), err);
    if (st == RS_DRIVER_OK) n->scan.paused = true;
    return st;
}

/* ---------------------------------------------------------------------------------------- lines */

/* True when the next line is complete or given up. A line that is not complete is given up once the
 * scan is a whole line further: the two ways of a line may arrive together. */
static bool decided(const rs_nano_scan *s)
{
    return s->ended || s->rows.state[s->position] == RS_NANO_COMPLETE ||
           s->rows.furthest > s->position + s->rows.directions;
}

static rs_driver_status refresh_others(rs_nano *n, double deadline, reshed_error *err)
{
    rs_nano_scan *s = &n->scan;
    const int directions = s->rows.directions;
    for (; s->step < s->rows.channels * directions; s->step++) {
        rs_nano_frame frame;
        const int c = s->step / directions, d = s->step % directions;
        rs_driver_status st = rs_nano_grab(n, c, d, deadline, &frame, err);
        if (st != RS_DRIVER_OK) return st;
        if (frame.values && frame.up == s->rows.up) rs_nano_rows_put(&s->rows, c, d, frame.values);
    }
    s->step = 0;
    s->current = true;
    return RS_DRIVER_OK;
}

static rs_driver_status refresh(rs_nano *n, bool all, double deadline, reshed_error *err)
{
    rs_driver_status st = refresh_first(n, deadline, err);
    if (st != RS_DRIVER_OK) return st;
    if (all || decided(&n->scan)) return refresh_others(n, deadline, err);
    n->scan.step = 0;
    return RS_DRIVER_OK;
}

static rs_driver_status hand_out(rs_nano *n, rs_line *line, reshed_error *err)
{
    rs_nano_scan *s = &n->scan;
    const int p = s->position, d = p % s->rows.directions, row = rs_nano_rows_row(&s->rows, p);
    if (line->channel && line->cols < s->rows.cols)
        return rs_nano_refuse(err, "room for a line|%d pixels|%d", s->rows.cols, line->cols);
    const int channels = line->channels < s->rows.channels ? line->channels : s->rows.channels;
    s->position++;
    line->row = row;
    line->retrace = d == 1;
    line->cols = s->rows.cols;
    line->bins = 0;
    line->channels = line->channel ? channels : 0;
    line->time = rs_os_monotonic() - n->opened;
    line->frame = s->frames - 1;
    if (s->rows.state[p] == RS_NANO_EMPTY) {
        rs_fail(err, RESHED_EIO, "row %d was not scanned, or its data were lost", row);
        return RS_DRIVER_LOST_LINE;
    }
    for (int c = 0; c < line->channels; c++)
        rs_nano_rows_line(&s->rows, c, d, row, n->channel[c].scale,
                          line->channel + (size_t)c * (size_t)s->rows.cols);
    return RS_DRIVER_OK;
}

/* A quarter of a line, or a little. */
static double poll_time(const rs_nano *n)
{
    const double rate = n->scan.frame.line_rate, t = rate > 0 ? 0.25 / rate : SLICE;
    return t < 0.005 ? 0.005 : t > SLICE ? SLICE : t;
}

/* Waits until it is worth looking again. */
static rs_driver_status wait_a_little(rs_nano *n, double deadline, reshed_error *err)
{
    const double left = deadline - rs_os_monotonic();
    double t = left / 2 < SLICE ? left / 2 : SLICE, v[4];
    if (left <= 0) {
        rs_fail(err, RESHED_ETIMEOUT, "no new line yet");
        return RS_DRIVER_RETRY;
    }
    if (n->no_wait) {
        t = poll_time(n);
        rs_socket_pause(t < left ? t : left);
        return RS_DRIVER_OK;
    }
    /* Half of what is left: the other half is for the answer. */
    rs_driver_status st = rs_nano_query(&n->link, "Scan.WaitEndOfLine", "i",
                                        (double[]){ceil(t * 1e3)}, "IiHi", v, deadline, err);
    if (st != RS_DRIVER_REFUSED) return st;
    n->no_wait = true;
    return RS_DRIVER_OK;
}

rs_driver_status rs_nano_wait_line(void *self, double timeout, rs_line *line, reshed_error *err)
{
    rs_nano *n = self;
    rs_nano_scan *s = &n->scan;
    const double deadline = rs_nano_deadline(timeout);
    if (!s->started) return rs_nano_refuse(err, "no scan was started");
    for (;;) {
        double running = 1;
        rs_driver_status st = rs_nano_check_halted(n, err);
        if (st != RS_DRIVER_OK) return st;
        if (s->position >= s->rows.rows * s->rows.directions)
            return rs_nano_refuse(err, "the frame is complete");
        if (s->current && decided(s)) return hand_out(n, line, err);
        if ((st = refresh(n, false, deadline, err)) != RS_DRIVER_OK) return st;
        if (decided(s)) continue;
        if (s->paused) return rs_nano_refuse(err, "the scan is paused");
        st = rs_nano_query(&n->link, "Scan.StatusGet", "", NULL, "I", &running, deadline, err);
        if (st == RS_DRIVER_OK && running == 0) {
            /* Takes what came between the refresh and the end. */
            if ((st = refresh(n, true, deadline, err)) == RS_DRIVER_OK) s->ended = true;
        } else if (st == RS_DRIVER_OK) {
            st = wait_a_little(n, deadline, err);
        }
        if (st != RS_DRIVER_OK) return st;
    }
}

rs_driver_status rs_nano_grab_frame(void *self, int channel, bool retrace, float *data,
                                    double timeout, reshed_error *err)
{
    rs_nano *n = self;
    rs_nano_rows *r = &n->scan.rows;
    rs_nano_frame frame;
    const double deadline = rs_nano_deadline(timeout);
    double running;
    if (channel < 0 || channel >= n->channels || (retrace && r->directions < 2))
        return rs_nano_refuse(err, "channel %d%s is not recorded", channel,
                              retrace ? ", retrace," : "");
    if (!n->scan.known) return rs_nano_refuse(err, "no frame was set");
    rs_driver_status st =
        rs_nano_query(&n->link, "Scan.StatusGet", "", NULL, "I", &running, deadline, err);
    if (st != RS_DRIVER_OK) return st;
    if (running != 0) {
        rs_fail(err, RESHED_ETIMEOUT, "the frame is not finished yet");
        return RS_DRIVER_RETRY;
    }
    st = rs_nano_grab(n, channel, retrace, deadline, &frame, err);
    if (st != RS_DRIVER_OK) return st;
    if (!frame.values) return rs_nano_refuse(err, "the instrument has no frame of this channel");
    if (frame.up != r->up)
        return rs_nano_refuse(err, "the instrument's frame was scanned the other way");
    rs_nano_rows_put(r, channel, retrace, frame.values);
    for (int i = 0; i < r->rows; i++)
        rs_nano_rows_line(r, channel, retrace, i, n->channel[channel].scale,
                          data + (size_t)i * (size_t)r->cols);
    return RS_DRIVER_OK;
}
