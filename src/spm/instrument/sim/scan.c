/* scan.c - frames and lines of the simulated instrument.
 *
 * A scan is a count of lines and a moment of beginning; line i is complete when the clock shows
 *
 *     began + (i + 1) period/lines_per_row  (+ the stall, from the line at which it hangs)
 *
 * so what has been scanned by now, what waits and what is to come are all said by one number, and
 * nothing is stored. A pause moves the end of the count to the end of the row at hand. */
#include "spm/instrument/sim/sim.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "spm/instrument/sim/private.h"

#define BINS_MIN 4
#define BINS_MAX 2048

int sim_lines_per_row(const rs_sim *sim)
{
    return sim->caps.retrace ? 2 : 1;
}

double sim_period(const rs_sim *sim)
{
    double period = 1 / sim->frame.line_rate;
    if (!sim->caps.band_excitation) return period;
    double least = sim_lines_per_row(sim) * sim->frame.cols * sim->be.repeats * sim->be.duration;
    return period > least ? period : least;
}

/* s after the beginning. */
static double line_time(const rs_sim *sim, int line)
{
    const rs_sim_scan *s = &sim->scan;
    return (line + 1) * s->period / sim_lines_per_row(sim) + (line >= s->stall ? s->stall_by : 0);
}

int sim_lines_done(const rs_sim *sim)
{
    const rs_sim_scan *s = &sim->scan;
    if (sim->opt.clock == 0) return s->next;
    double t = rs_sim_now(sim) - s->began, each = s->period / sim_lines_per_row(sim);
    double n = floor(t / each + 1e-9);
    if (n > s->stall) n = fmax(s->stall, floor((t - s->stall_by) / each + 1e-9));
    double all = (double)s->stop * sim_lines_per_row(sim);
    return (int)fmin(fmax(n, 0), all);
}

/* Row of the frame that the scan's k-th row is. */
static int row_of(const rs_sim *sim, int k)
{
    return sim->frame.upward ? sim->scan.first - k : sim->scan.first + k;
}

static void note_rows(rs_sim *sim, int n)
{
    const rs_sim_scan *s = &sim->scan;
    int each = sim_lines_per_row(sim);
    for (int k = 0; k < n; k++)
        for (int dir = 0; dir < each; dir++)
            sim->row_moment[2 * row_of(sim, k) + dir] =
                (rs_sim_moment){s->serial, s->worked + (k + (dir + 0.5) / each) * s->period};
}

void sim_settle(rs_sim *sim, bool abort)
{
    rs_sim_scan *s = &sim->scan;
    int each = sim_lines_per_row(sim);
    if (!s->active) return;
    if (abort) {
        int rows = (sim_lines_done(sim) + each - 1) / each;
        if (rows < s->stop) s->stop = rows;
    } else if (sim_lines_done(sim) < s->stop * each)
        return;
    s->active = false;
    note_rows(sim, s->stop);
    sim->worked = s->worked + s->stop * s->period;
    sim_where(sim, &sim->x, &sim->y);
}

/* --------------------------------------------------------------------------------------- frames */

rs_driver_status rs_sim_set_frame(void *self, const rs_frame *frame, double timeout,
                                  reshed_error *err)
{
    rs_sim *sim = self;
    rs_driver_status st = sim_enter(sim, timeout, err);
    if (st != RS_DRIVER_OK) return st;
    const rs_limits limits = sim_limits(sim);
    sim_settle(sim, false);
    if (sim->scan.active) return sim_refuse(err, "new frame|no scan under way|one");
    if (rs_limits_check_frame(&limits, frame, err) != RESHED_OK) return RS_DRIVER_REFUSED;
    rs_sim_moment *moment = rs_alloc((size_t)frame->rows, 2 * sizeof *moment);
    if (!moment) {
        rs_fail_nomem(err, "a frame", (size_t)frame->rows * 2 * sizeof *moment);
        return RS_DRIVER_REFUSED;
    }
    for (int i = 0; i < 2 * frame->rows; i++) moment[i] = (rs_sim_moment){.serial = -1};
    rs_free(sim->row_moment);
    sim->row_moment = moment;
    sim->frame = *frame;
    sim->frame_new = true;
    sim->scan = (rs_sim_scan){.serial = sim->scan.serial, .stall = INT_MAX};
    return RS_DRIVER_OK;
}

rs_driver_status rs_sim_get_frame(void *self, rs_frame *frame, double timeout, reshed_error *err)
{
    rs_sim *sim = self;
    rs_driver_status st = sim_enter(sim, timeout, err);
    if (st != RS_DRIVER_OK) return st;
    *frame = sim->frame;
    frame->line_rate = 1 / sim_period(sim);
    return RS_DRIVER_OK;
}

rs_driver_status rs_sim_set_be(void *self, const rs_be_setup *be, double timeout, reshed_error *err)
{
    rs_sim *sim = self;
    rs_driver_status st = sim_enter(sim, timeout, err);
    if (st != RS_DRIVER_OK) return st;
    const rs_limits limits = sim_limits(sim);
    sim_settle(sim, false);
    if (!sim->caps.band_excitation) return sim_refuse(err, "band excitation is not available");
    if (sim->scan.active || sim->measuring)
        return sim_refuse(err, "new excitation|nothing under way|a scan or a spectrum");
    if (rs_limits_check_be(&limits, be, err) != RESHED_OK) return RS_DRIVER_REFUSED;
    double bins = floor(be->band * be->duration + 0.5) + 1;
    if (!(bins >= BINS_MIN && bins <= BINS_MAX))
        return sim_refuse(err, "bins of the band (band x duration + 1)|%d to %d|%g", BINS_MIN,
                          BINS_MAX, bins);
    double *frequency = rs_alloc((size_t)bins, sizeof *frequency);
    if (!frequency) {
        rs_fail_nomem(err, "the band", (size_t)bins * sizeof *frequency);
        return RS_DRIVER_REFUSED;
    }
    int n = (int)bins;
    for (int i = 0; i < n; i++) frequency[i] = be->centre + (i - 0.5 * (n - 1)) / be->duration;
    rs_free(sim->be_frequency);
    sim->be_frequency = frequency;
    sim->be = *be;
    sim->drive = be->amplitude;
    sim->caps.bins = n;
    return RS_DRIVER_OK;
}

/* ---------------------------------------------------------------------------------------- scans */

rs_driver_status rs_sim_start(void *self, int row, double timeout, reshed_error *err)
{
    rs_sim *sim = self;
    rs_driver_status st = sim_enter(sim, timeout, err);
    if (st != RS_DRIVER_OK) return st;
    int rows = sim->frame.rows, whole = sim->frame.upward ? rows - 1 : 0;
    if (row < 0 || row >= rows)
        return sim_refuse(err, "row of the frame|0 to %d|%d", rows - 1, row);
    sim_settle(sim, !atomic_load(&sim->halted)); /* a running scan gives way to the new one */
    st = sim_ready(sim, "a scan", err);
    if (st != RS_DRIVER_OK) return st;
    if (!sim->engaged) return sim_refuse(err, "a scan|the tip engaged|it is withdrawn");
    if (row == whole || sim->frame_new) sim->frames++;
    sim->frame_new = false;
    int left = sim->frame.upward ? row + 1 : rows - row;
    sim->scan = (rs_sim_scan){.active = true,
                              .serial = sim->scan.serial + 1,
                              .first = row,
                              .rows = left,
                              .stop = left,
                              .period = sim_period(sim),
                              .began = rs_sim_now(sim),
                              .worked = sim->worked,
                              .stall = INT_MAX};
    int hang = (int)sim->opt.stall, k = sim->frame.upward ? row - hang : hang - row;
    if (hang >= 0 && !sim->met_stall && k >= 0 && k < left) {
        sim->scan.stall = k * sim_lines_per_row(sim);
        sim->scan.stall_by = sim->scan.stall_left = sim->opt.stall_seconds;
    }
    return RS_DRIVER_OK;
}

rs_driver_status rs_sim_pause(void *self, double timeout, reshed_error *err)
{
    rs_sim *sim = self;
    rs_driver_status st = sim_enter(sim, timeout, err);
    if (st != RS_DRIVER_OK) return st;
    rs_sim_scan *s = &sim->scan;
    int each = sim_lines_per_row(sim);
    sim_settle(sim, false);
    if (!s->active) return RS_DRIVER_OK;
    if (sim->opt.clock == 0) {
        sim_settle(sim, true);
        return RS_DRIVER_OK;
    }
    int rows = sim_lines_done(sim) / each + 1; /* the one at hand is finished */
    if (rows < s->stop) s->stop = rows;
    st = sim_wait(sim, s->began + line_time(sim, s->stop * each - 1), timeout, err);
    sim_settle(sim, false);
    return st;
}

/* Fills with NaN what was asked for. */
static void spoil_line(rs_line *line)
{
    size_t cols = (size_t)line->cols;
    for (size_t i = 0; line->channel && i < cols * (size_t)line->channels; i++)
        line->channel[i] = NAN;
    for (size_t i = 0; line->spectra && i < 2 * cols * (size_t)line->bins; i++)
        line->spectra[i] = NAN;
}

static rs_driver_status fit_line(const rs_sim *sim, rs_line *line, reshed_error *err)
{
    if (line->cols < sim->frame.cols)
        return sim_refuse(err, "columns of the line|room for %d|%d", sim->frame.cols, line->cols);
    if ((line->spectra || line->frequency) && line->bins < sim->caps.bins)
        return sim_refuse(err, "bins of the line|room for %d|%d", sim->caps.bins, line->bins);
    line->cols = sim->frame.cols;
    if (!line->channel) line->channels = 0;
    if (line->channels > sim->caps.channels) line->channels = sim->caps.channels;
    line->bins = sim->caps.bins;
    return RS_DRIVER_OK;
}

/* The line at hand, when it is due and will come. */
static rs_driver_status await(rs_sim *sim, double timeout, rs_line *line, reshed_error *err)
{
    rs_sim_scan *s = &sim->scan;
    bool overrun =
        sim->opt.clock > 0 && sim_lines_done(sim) - s->next > (int)fmin(sim->opt.queue, INT_MAX);
    bool unplugged = line->row == (int)sim->opt.disconnect &&
                     !(sim->opt.reconnect == 1 && line->row == s->first);
    if (unplugged) {
        atomic_store(&sim->lost, true);
        rs_fail(err, RESHED_EIO, "the instrument does not answer any more");
        return RS_DRIVER_LOST;
    }
    if (sim->opt.clock == 0 && s->next == s->stall && s->stall_left > 0) {
        double spent = fmin(s->stall_left, fmax(timeout, 1e-3));
        s->stall_left -= spent;
        sim->now += spent;
        if (s->stall_left > 0) {
            rs_fail(err, RESHED_ETIMEOUT, "no line in %g s", timeout);
            return RS_DRIVER_RETRY;
        }
    }
    rs_driver_status st = sim_wait(sim, s->began + line_time(sim, s->next), timeout, err);
    if (st != RS_DRIVER_OK) return st;
    if (s->next == s->stall) sim->met_stall = true;
    bool last = s->next % sim_lines_per_row(sim) == sim_lines_per_row(sim) - 1;
    bool lose = line->row == (int)sim->opt.lose && !sim->met_lose;
    if (!lose && !overrun) return RS_DRIVER_OK;
    if (lose && last) sim->met_lose = true;
    s->next++;
    rs_fail(err, RESHED_EIO, overrun ? "a line was not asked for in time" : "a line was lost");
    return RS_DRIVER_LOST_LINE;
}

rs_driver_status rs_sim_wait_line(void *self, double timeout, rs_line *line, reshed_error *err)
{
    rs_sim *sim = self;
    rs_driver_status st = sim_enter(sim, timeout, err);
    if (st != RS_DRIVER_OK) return st;
    rs_sim_scan *s = &sim->scan;
    int each = sim_lines_per_row(sim);
    if (s->serial < 0 || s->period == 0) return sim_refuse(err, "no scan was started");
    if (s->next >= s->stop * each)
        return sim_refuse(err, s->stop < s->rows ? "the scan is paused" : "the frame is complete");
    rs_line out = *line;
    st = fit_line(sim, &out, err);
    if (st != RS_DRIVER_OK) return st;
    int k = s->next / each, dir = s->next % each;
    out.row = line->row = row_of(sim, k);
    out.retrace = line->retrace = dir == 1;
    st = await(sim, timeout, &out, err);
    if (st != RS_DRIVER_OK) {
        sim_settle(sim, false);
        return st;
    }
    rs_sim_moment when = {s->serial, s->worked + (k + (dir + 0.5) / each) * s->period};
    out.time = s->began + line_time(sim, s->next);
    out.frame = sim->frames - 1;
    st = sim->source.line(sim, &when, &out, err);
    if (st != RS_DRIVER_OK) return st;
    if (out.row == (int)sim->opt.nan && !sim->met_nan) {
        spoil_line(&out);
        sim->met_nan = dir == each - 1;
    }
    s->next++;
    sim_settle(sim, false);
    *line = out;
    return RS_DRIVER_OK;
}

rs_driver_status rs_sim_grab_frame(void *self, int channel, bool retrace, float *data,
                                   double timeout, reshed_error *err)
{
    rs_sim *sim = self;
    rs_driver_status st = sim_enter(sim, timeout, err);
    if (st != RS_DRIVER_OK) return st;
    int n = sim->caps.channels;
    sim_settle(sim, false);
    if (channel < 0 || channel >= n) return sim_refuse(err, "channel|0 to %d|%d", n - 1, channel);
    if (retrace && !sim->caps.retrace) return sim_refuse(err, "the retrace is not available");
    if (sim->scan.active) return sim_refuse(err, "a whole frame|no scan under way|one");
    size_t cols = (size_t)sim->frame.cols;
    float *all = rs_alloc((size_t)n, cols * sizeof *all);
    if (!all) {
        rs_fail_nomem(err, "a line", (size_t)n * cols * sizeof *all);
        return RS_DRIVER_REFUSED;
    }
    for (int row = 0; st == RS_DRIVER_OK && row < sim->frame.rows; row++) {
        const rs_sim_moment *when = &sim->row_moment[2 * row + retrace];
        float *out = data + (size_t)row * cols;
        for (size_t c = 0; when->serial < 0 && c < cols; c++) out[c] = NAN;
        if (when->serial < 0) continue;
        rs_line line = {.cols = (int)cols, .channels = n, .channel = all, .row = row};
        line.retrace = retrace;
        st = sim->source.line(sim, when, &line, err);
        if (st == RS_DRIVER_OK) memcpy(out, all + (size_t)channel * cols, cols * sizeof *out);
    }
    rs_free(all);
    return st;
}
