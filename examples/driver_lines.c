/* driver_lines.c - a driver of one's own for reshed-scan, as small as it can be: an instrument that
 * gives the lines of a fixed pattern. Built outside reshed's tree with
 *
 *     cc -shared -fPIC -o lines.so driver_lines.c
 *     reshed-scan --driver ./lines.so -o lines.h5
 *
 * It measures no spectra, so the scan ends with the map.
 * reshed_driver.h, which `make install` puts beside reshed.h, says what each function has to do. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <reshed_driver.h>

typedef struct lines {
    rs_frame frame;
    int row, end; /* the next row to come, and the one after the last */
    double time;  /* s, of a clock that only lines advance */
    int64_t frames;
} lines;

static rs_driver_status refuse(reshed_error *err, const char *what)
{
    err->status = RESHED_EINVAL;
    snprintf(err->what, sizeof err->what, "%s", what);
    return RS_DRIVER_REFUSED;
}

static rs_driver_status lines_open(const rs_driver_option *option, int n, double timeout,
                                   void **self, reshed_error *err)
{
    lines *d = calloc(1, sizeof *d);
    (void)option;
    (void)timeout;
    if (!d || n > 0) {
        free(d);
        return refuse(err, n > 0 ? "this driver has no options" : "no memory");
    }
    d->frame = (rs_frame){
        .width = 1e-6, .height = 1e-6, .rows = 64, .cols = 64, .line_rate = 1, .upward = false};
    d->frames = -1;
    *self = d;
    return RS_DRIVER_OK;
}

static void lines_close(void *self)
{
    free(self);
}

static void lines_caps(void *self, rs_driver_caps *caps)
{
    (void)self;
    *caps = (rs_driver_caps){
        .instrument = "lines by heart",
        .simulated = true,
        .clock_rate = 1,
        .channels = 1,
        .channel = {"Amplitude"},
        .unit = {"m"},
        .limits = {
            .x_min = -5e-6, .x_max = 5e-6, .y_min = -5e-6, .y_max = 5e-6, .speed_max = 1e-4}};
}

static rs_driver_status lines_set_frame(void *self, const rs_frame *frame, double timeout,
                                        reshed_error *err)
{
    lines *d = self;
    (void)timeout;
    if (frame->angle != 0) return refuse(err, "this instrument cannot turn its frame");
    d->frame = *frame;
    d->row = d->end = 0;
    return RS_DRIVER_OK;
}

static rs_driver_status lines_get_frame(void *self, rs_frame *frame, double timeout,
                                        reshed_error *err)
{
    (void)timeout;
    (void)err;
    *frame = ((lines *)self)->frame;
    return RS_DRIVER_OK;
}

static rs_driver_status lines_start(void *self, int row, double timeout, reshed_error *err)
{
    lines *d = self;
    (void)timeout;
    if (row < 0 || row >= d->frame.rows) return refuse(err, "there is no such row");
    d->row = row;
    d->end = d->frame.upward ? -1 : d->frame.rows;
    if (row == (d->frame.upward ? d->frame.rows - 1 : 0)) d->frames++;
    return RS_DRIVER_OK;
}

static rs_driver_status lines_pause(void *self, double timeout, reshed_error *err)
{
    lines *d = self;
    (void)timeout;
    (void)err;
    d->end = d->row;
    return RS_DRIVER_OK;
}

static rs_driver_status lines_wait(void *self, double timeout, rs_line *line, reshed_error *err)
{
    lines *d = self;
    (void)timeout;
    if (d->row == d->end) return refuse(err, "there are no more lines");
    if (line->cols < d->frame.cols) return refuse(err, "the line has no room");
    line->cols = d->frame.cols;
    line->bins = 0;
    line->channels = 1;
    line->row = d->row;
    line->retrace = false;
    line->time = d->time += 1 / d->frame.line_rate;
    line->frame = d->frames;
    for (int c = 0; line->channel && c < line->cols; c++)
        line->channel[c] = (float)(1e-10 * (1 + 0.5 * sin(0.3 * c + 0.1 * d->row)));
    d->row += d->frame.upward ? -1 : 1;
    return RS_DRIVER_OK;
}

static rs_driver_status lines_halt(void *self, double timeout, reshed_error *err)
{
    return lines_pause(self, timeout, err); /* nothing here can come to harm */
}

/* The one name that reshed looks for. */
const rs_driver_ops *reshed_driver_ops(uint32_t abi);
const rs_driver_ops *reshed_driver_ops(uint32_t abi)
{
    static const rs_driver_ops ops = {
        .abi = RS_DRIVER_ABI,
        .size = sizeof ops,
        .name = "lines",
        .help = "(no options)\n",
        .open = lines_open,
        .close = lines_close,
        .caps = lines_caps,
        .set_frame = lines_set_frame,
        .get_frame = lines_get_frame,
        .start = lines_start,
        .pause = lines_pause,
        .wait_line = lines_wait,
        .halt = lines_halt,
    };
    return abi == RS_DRIVER_ABI ? &ops : NULL;
}
