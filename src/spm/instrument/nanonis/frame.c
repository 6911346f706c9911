/* The scan frame of a Nanonis: its place and size, pixels, speed, and the data of one channel.
 *
 * Units: metres as ours; the angle is in degrees and, as the manual says, positive clockwise,
 * ours is in radians counter-clockwise. A line rate of r lines a second (forward and backward)
 * becomes a time of 1/(2r) for each way; the turns come on top of that, so the real rate is a
 * little lower. */

#include "spm/instrument/nanonis/private.h"

#include <math.h>

#include "base/numeric.h"
#include "base/os.h"
#include "base/status.h"

#define POLL 0.02 /* s between two looks at whether a scan runs */

static double angle_sign(const rs_nano *n)
{
    return n->set.counterclockwise ? 1 : -1;
}

/* The four corners within the limits, to a part in a million. */
static bool corners_inside(const rs_driver_limits *l, const rs_frame *f)
{
    const double slack = 1e-6 * fmax(l->x_max - l->x_min, l->y_max - l->y_min);
    const double c = cos(f->angle), s = sin(f->angle);
    for (int k = 0; k < 4; k++) {
        const double u = (k & 1 ? 0.5 : -0.5) * f->width, v = (k & 2 ? 0.5 : -0.5) * f->height;
        const double x = f->cx + c * u - s * v, y = f->cy + s * u + c * v;
        if (!(x >= l->x_min - slack && x <= l->x_max + slack && y >= l->y_min - slack &&
              y <= l->y_max + slack))
            return false;
    }
    return true;
}

static rs_driver_status check_frame(const rs_nano *n, const rs_frame *f, reshed_error *err)
{
    const rs_driver_limits *l = &n->limits;
    if (!(f->width > 0 && f->height > 0 && isfinite(f->angle) && f->line_rate > 0 &&
          isfinite(f->line_rate)))
        return rs_nano_refuse(err, "frame|a width, height and line rate above 0|%g, %g, %g",
                              f->width, f->height, f->line_rate);
    if (!corners_inside(l, f))
        return rs_nano_refuse(
            err, "frame|x from %g to %g and y from %g to %g m|%g by %g m at %g, %g m", l->x_min,
            l->x_max, l->y_min, l->y_max, f->width, f->height, f->cx, f->cy);
    if (f->cols < 16 || f->cols > RS_NANO_MAX_SIDE || f->cols % 16 != 0)
        return rs_nano_refuse(err, "pixels of a line|a multiple of 16, as Nanonis has them|%d",
                              f->cols);
    if (f->rows < 1 || f->rows > RS_NANO_MAX_SIDE)
        return rs_nano_refuse(err, "lines of the frame|1 to %d|%d", RS_NANO_MAX_SIDE, f->rows);
    const double speed = 2 * f->width * f->line_rate;
    if (!(speed <= l->speed_max))
        return rs_nano_refuse(err, "speed of the tip|at most %g m/s|%g m/s", l->speed_max, speed);
    return RS_DRIVER_OK;
}

rs_driver_status rs_nano_stop_scan(rs_nano *n, double deadline, reshed_error *err)
{
    double running;
    rs_driver_status st;
    n->scan.started = n->scan.paused = false;
    n->scan.starting = RS_NANO_IDLE;
    for (bool asked = false;;) {
        st = rs_nano_query(&n->link, "Scan.StatusGet", "", NULL, "I", &running, deadline, err);
        if (st != RS_DRIVER_OK || running == 0) return st;
        if (!asked)
            st = rs_nano_tell(&n->link, "Scan.Action", "HI", (double[]){1, 0}, true, deadline, err);
        if (st != RS_DRIVER_OK) return st;
        asked = true;
        if (rs_os_monotonic() > deadline) {
            rs_fail(err, RESHED_ETIMEOUT, "the scan that was running has not stopped yet");
            return RS_DRIVER_RETRY;
        }
        rs_socket_pause(POLL);
    }
}

static rs_driver_status send_frame(rs_nano *n, const rs_frame *f, double deadline,
                                   reshed_error *err)
{
    rs_nano_message m;
    const rs_nano_wish acts = {.acts = true};
    rs_driver_status st = rs_nano_tell(
        &n->link, "Scan.FrameSet", "fffff",
        (double[]){f->cx, f->cy, f->width, f->height, angle_sign(n) * f->angle * 180 / RS_PI}, true,
        deadline, err);
    if (st != RS_DRIVER_OK) return st;
    rs_nano_request(&m, "Scan.BufferSet", "i", (double[]){n->channels});
    for (int i = 0; i < n->channels; i++) rs_nano_put(&m, "i", (double[]){n->channel[i].index});
    rs_nano_put(&m, "ii", (double[]){f->cols, f->rows});
    st = rs_nano_ask_numbers(&n->link, &m, &acts, "", NULL, deadline, err);
    if (st != RS_DRIVER_OK) return st;
    const double seconds = 0.5 / f->line_rate, speed = f->width / seconds;
    return rs_nano_tell(&n->link, "Scan.SpeedSet", "ffffHf",
                        (double[]){speed, speed, seconds, seconds, 2, 1}, true, deadline, err);
}

/* Single frames that all run the same way; the operator's names and comments stay. */
static rs_driver_status send_props(rs_nano *n, double deadline, reshed_error *err)
{
    rs_nano_message m;
    rs_nano_reply reply;
    rs_nano_props props;
    rs_nano_request(&m, "Scan.PropsGet", "", NULL);
    rs_driver_status st = rs_nano_ask(&n->link, &m, NULL, deadline, &reply, err);
    if (st == RS_DRIVER_OK) st = rs_nano_judge(&n->link, rs_nano_read_props(&reply, &props, err));
    if (st != RS_DRIVER_OK) return st;
    rs_nano_request(&m, "Scan.PropsSet", "III", (double[]){2, 2, 0});
    rs_nano_put_string(&m, props.series);
    rs_nano_put_string(&m, props.comment);
    rs_nano_put_strings(&m, NULL, 0);
    return rs_nano_ask_numbers(&n->link, &m, NULL, "", NULL, deadline, err);
}

/* Everything but `upward`, which is not a property of the frame in Nanonis. */
static rs_driver_status ask_frame(rs_nano *n, rs_frame *f, double deadline, reshed_error *err)
{
    rs_nano_message m;
    rs_nano_reply reply;
    double v[5], speed[6];
    rs_frame found = {.upward = f->upward};
    rs_driver_status st =
        rs_nano_query(&n->link, "Scan.FrameGet", "", NULL, "fffff", v, deadline, err);
    if (st != RS_DRIVER_OK) return st;
    rs_nano_request(&m, "Scan.BufferGet", "", NULL);
    st = rs_nano_ask(&n->link, &m, NULL, deadline, &reply, err);
    if (st == RS_DRIVER_OK)
        st = rs_nano_judge(&n->link, rs_nano_read_buffer(&reply, &found.cols, &found.rows, err));
    if (st != RS_DRIVER_OK) return st;
    st = rs_nano_query(&n->link, "Scan.SpeedGet", "", NULL, "ffffHf", speed, deadline, err);
    if (st != RS_DRIVER_OK) return st;
    found.cx = v[0];
    found.cy = v[1];
    found.width = v[2];
    found.height = v[3];
    found.angle = angle_sign(n) * v[4] * RS_PI / 180;
    found.line_rate = speed[2] + speed[3] > 0 ? 1 / (speed[2] + speed[3]) : 0;
    *f = found;
    return RS_DRIVER_OK;
}

rs_driver_status rs_nano_set_frame(void *self, const rs_frame *frame, double timeout,
                                   reshed_error *err)
{
    rs_nano *n = self;
    const double deadline = rs_nano_deadline(timeout);
    rs_frame found = {.upward = frame->upward};
    rs_driver_status st = rs_nano_check_halted(n, err);
    if (st == RS_DRIVER_OK) st = check_frame(n, frame, err);
    if (st == RS_DRIVER_OK) st = rs_nano_stop_scan(n, deadline, err);
    if (st == RS_DRIVER_OK) n->scan.known = false;
    if (st == RS_DRIVER_OK) st = send_frame(n, frame, deadline, err);
    if (st == RS_DRIVER_OK && !n->set.keep_props) st = send_props(n, deadline, err);
    if (st == RS_DRIVER_OK) st = ask_frame(n, &found, deadline, err);
    if (st != RS_DRIVER_OK) return st;
    rs_nano_rows *rows = &n->scan.rows;
    reshed_status made =
        rs_nano_rows_size(rows, n->channels, n->set.retrace ? 2 : 1, found.rows, found.cols, err);
    if (made != RESHED_OK) return rs_nano_judge(&n->link, made);
    rows->up = frame->upward;
    rows->order = n->set.order;
    rows->backward_mirror = n->set.backward_in_time;
    n->scan.frame = found;
    n->scan.known = n->scan.new_frame = true;
    return RS_DRIVER_OK;
}

rs_driver_status rs_nano_get_frame(void *self, rs_frame *frame, double timeout, reshed_error *err)
{
    rs_nano *n = self;
    rs_frame found = {.upward = n->scan.frame.upward};
    rs_driver_status st = ask_frame(n, &found, rs_nano_deadline(timeout), err);
    if (st == RS_DRIVER_OK) *frame = found;
    return st;
}

/* True when the name in a reply is that of the signal that was asked for: an index that means
 * another signal would otherwise go unnoticed. */
static bool right_channel(const rs_nano *n, int channel, char *name)
{
    const rs_nano_names one = {.n = 1, .name = &name};
    return rs_nano_find_signal(&one, n->set.signal[channel]) == 0;
}

rs_driver_status rs_nano_grab(rs_nano *n, int channel, int direction, double deadline,
                              rs_nano_frame *frame, reshed_error *err)
{
    rs_nano_message m;
    rs_nano_reply reply;
    const size_t pixels = (size_t)n->scan.rows.rows * (size_t)n->scan.rows.cols;
    /* busy: a large frame may take longer to come than a call has time; it is then waited for
     * further. A frame of another size must fit in as well, to be told apart from rubbish. */
    const rs_nano_wish wish = {.limit = ((size_t)1 << 20) + 16 * pixels, .busy = 1};
    rs_nano_request(&m, "Scan.FrameDataGrab", "II",
                    (double[]){n->channel[channel].index, direction == 0});
    rs_driver_status st = rs_nano_ask(&n->link, &m, &wish, deadline, &reply, err);
    if (st == RS_DRIVER_OK) st = rs_nano_judge(&n->link, rs_nano_read_frame(&reply, frame, err));
    if (st != RS_DRIVER_OK) return st;
    if (frame->rows == 0 || frame->cols == 0) {
        frame->values = NULL;
        return RS_DRIVER_OK;
    }
    if (!right_channel(n, channel, frame->channel)) {
        rs_fail(err, RESHED_ECORRUPT, "channel %d (see option index)|%s|%s",
                n->channel[channel].index, n->set.signal[channel], frame->channel);
        return RS_DRIVER_LOST;
    }
    if (frame->rows != n->scan.rows.rows || frame->cols != n->scan.rows.cols) {
        rs_fail(err, RESHED_ECORRUPT,
                "size of the frame, changed at the instrument|%d by %d|%d by %d", n->scan.rows.cols,
                n->scan.rows.rows, frame->cols, frame->rows);
        return RS_DRIVER_LOST;
    }
    return RS_DRIVER_OK;
}
