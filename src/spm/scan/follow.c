#include "spm/scan/follow.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "spm/scan/acquire.h"
#include "spm/scan/drift/drift.h"

/* Lines of a patch that may wait. */
#define QUEUE 16

/* When the survey's lines were scanned. */
static reshed_status take_times(rs_follower *f, const uint8_t *fresh, reshed_error *err)
{
    const size_t rows = (size_t)f->setup->frame.rows;
    rs_session_arrival *a = rs_alloc(rows, sizeof *a);
    f->row_time = rs_alloc(rows, sizeof *f->row_time);
    reshed_status st = RESHED_OK;
    if (!a || !f->row_time)
        st = rs_fail_nomem(err, "times of lines", rows * sizeof *a);
    else
        st = rs_session_read_arrivals(f->context->session, false, a, err);
    for (size_t r = 0; st == RESHED_OK && r < rows; r++)
        f->row_time[r] = fresh && fresh[r] && a[r].state == RS_SESSION_ARRIVED ? a[r].time : NAN;
    rs_free(a);
    return st;
}

/* The mean of the times of rows [first, first+n) that are known. */
static double time_of_rows(const rs_follower *f, int first, int n)
{
    double sum = 0;
    int k = 0;
    for (int r = first; r < first + n; r++) {
        if (!isfinite(f->row_time[r])) continue;
        sum += f->row_time[r];
        k++;
    }
    return k ? sum / k : NAN;
}

rs_xy rs_follower_shift(const rs_follower *f, double row, double time)
{
    const int rows = f->setup->frame.rows;
    rs_xy s = {f->dx, f->dy};
    if (!isfinite(f->vx) || !isfinite(f->vy)) return s;
    const int r = (int)fmin(fmax(row + 0.5, 0), rows - 1);
    const double since = isfinite(time) ? time - f->patch_time : 0;
    const double later = isfinite(f->row_time[r]) ? f->row_time[r] - f->survey_time : 0;
    const double over = since - later;
    if (!(hypot(f->dx, f->dy) > 3 * f->sigma) && fabs(over) > f->patch_time - f->survey_time)
        return s;
    s.x += f->vx * over;
    s.y += f->vy * over;
    return s;
}

reshed_status rs_follower_init(rs_follower *f, const rs_scan_context *c, const float *survey,
                               const uint8_t *fresh, reshed_error *err)
{
    const rs_session_setup *setup = rs_session_get_setup(c->session);
    const size_t side = (size_t)setup->patch_rows;
    rs_sho_options o;
    rs_session_progress p;
    *f = (rs_follower){.context = c, .setup = setup, .survey = survey};
    rs_sho_options_defaults(&o);
    o.threads = c->threads;
    reshed_status st = rs_session_get_progress(c->session, &p, err);
    if (st == RESHED_OK && setup->caps.bins && side)
        st = rs_line_fit_create(setup->frequency, setup->caps.bins, (int)side, &o, &f->fit, err);
    if (st != RESHED_OK) return st;
    f->patches = p.patches;
    f->patch_time = f->survey_time = f->vx = f->vy = NAN;
    f->patch = rs_zalloc(side * side + 1, sizeof *f->patch);
    if (!f->patch) return rs_fail_nomem(err, "a patch", side * side * sizeof *f->patch);
    return take_times(f, fresh, err);
}

void rs_follower_clear(rs_follower *f)
{
    rs_line_fit_free(f->fit);
    rs_free(f->patch);
    rs_free(f->row_time);
    memset(f, 0, sizeof *f);
}

/* ------------------------------------------------------------------------------------ the patch */

static void take_line(rs_follower *f, const rs_arrived *it)
{
    const int side = f->setup->patch_rows;
    const rs_line *line = &it->line;
    if (it->lost || line->retrace || line->row < 0 || line->row >= side) return;
    float *out = f->patch + (size_t)line->row * (size_t)side;
    f->line_time += line->time;
    f->lines++;
    if (f->fit)
        rs_line_fit_run(f->fit, line->spectra, side, out, NULL, NULL, NULL);
    else
        memcpy(out, line->channel, (size_t)side * sizeof *out);
}

/* Every line that comes, into f->patch. */
static rs_outcome take_lines(rs_follower *f, rs_acquire *a)
{
    rs_outcome o;
    for (;;) {
        rs_arrived *it = rs_acquire_take(a, RS_SCAN_POLL);
        if (it) {
            take_line(f, it);
            rs_acquire_give_back(a, it);
            continue;
        }
        int waiting;
        const bool running = rs_acquire_ask(a, &waiting, NULL, &o) == RS_ACQUIRE_RUNNING;
        if (waiting == 0 && !running) return o;
        if (rs_scan_interrupted(f->context)) rs_acquire_halt(a);
    }
}

/* Scans that part of the frame into f->patch and gives the instrument its old frame again. */
static rs_outcome scan_patch(rs_follower *f, const rs_frame *part)
{
    const rs_scan_context *c = f->context;
    const rs_frame survey = f->setup->frame;
    const rs_acquire_options q = {
        .queue = QUEUE, .poll = RS_SCAN_POLL, .line_timeout = c->settings->line_timeout};
    rs_acquire *a = NULL;
    reshed_error err = {0};
    for (int i = 0; i < part->rows * part->cols; i++) f->patch[i] = NAN;
    f->line_time = f->lines = 0;
    rs_driver_status st = rs_instrument_set_frame(c->instrument, part, RS_SCAN_CALL, &err);
    if (st != RS_DRIVER_OK) return rs_outcome_driver(st, &err);
    rs_outcome o = rs_acquire_start(c->instrument, part, part->upward ? part->rows - 1 : 0, &q, &a);
    if (o.end != RS_END_DONE) return o;
    o = take_lines(f, a);
    rs_acquire_end(a);
    if (!rs_outcome_failed(&o)) rs_instrument_set_frame(c->instrument, &survey, RS_SCAN_CALL, NULL);
    return o;
}

/* ------------------------------------------------------------------------------------ the match */

static int clamp(int v, int lo, int hi)
{
    return v < lo ? lo : v > hi ? hi : v;
}

static reshed_status put_patch(rs_follower *f, const rs_frame *part, reshed_error *err)
{
    const rs_session_patch p = {.time = NAN,
                                .acquired = rs_scan_now(f->context),
                                .cx = part->cx,
                                .cy = part->cy,
                                .width = part->width,
                                .height = part->height,
                                .angle = part->angle,
                                .rows = part->rows,
                                .cols = part->cols};
    return rs_session_put_patch(f->context->session, f->patches, &p, f->patch, err);
}

/* The shift of the patch whose corner is at (row0, col0), into f and the session when found. */
static reshed_status match(rs_follower *f, int row0, int col0, rs_drift_shift *shift,
                           reshed_error *err)
{
    const rs_frame *frame = &f->setup->frame;
    const int side = f->setup->patch_rows;
    char text[RS_SESSION_EVENT_TEXT];
    rs_drift_options o;
    rs_drift_defaults(&o);
    o.threads = f->context->threads;
    reshed_status st = rs_drift_match(f->survey, frame->rows, frame->cols, f->patch, side, side,
                                      row0, col0, &o, shift, err);
    if (st != RESHED_OK) return st;
    f->patches++;
    if (!shift->found) {
        snprintf(text, sizeof text, "drift not found: %s", rs_drift_reason_text(shift->reason));
        return rs_scan_log(f->context, RS_SESSION_WARNING, text, err);
    }
    rs_drift_metres(frame, shift->drow, shift->dcol, &f->dx, &f->dy);
    f->patch_time = f->lines ? f->line_time / f->lines : NAN;
    f->survey_time = time_of_rows(f, row0, side);
    f->sigma = rs_drift_sigma_metres(frame, shift);
    const double between = f->patch_time - f->survey_time;
    f->vx = between > 0 ? f->dx / between : NAN;
    f->vy = between > 0 ? f->dy / between : NAN;
    const rs_session_drift d = {.time = f->patch_time,
                                .dx = f->dx,
                                .dy = f->dy,
                                .vx = f->vx,
                                .vy = f->vy,
                                .sigma = f->sigma,
                                .source = f->patches - 1};
    return rs_session_add_drift(f->context->session, &d, err);
}

/* Compares the patch with the survey where the shift says that it belongs. */
static reshed_status compare(rs_follower *f, int row0, int col0, const rs_drift_shift *shift,
                             bool *changed, reshed_error *err)
{
    const rs_frame *frame = &f->setup->frame;
    const int side = f->setup->patch_rows;
    char text[RS_SESSION_EVENT_TEXT];
    rs_contrast_options o;
    rs_contrast contrast = {0};
    rs_contrast_defaults(&o);
    reshed_status st =
        rs_contrast_compare(f->survey, frame->rows, frame->cols, f->patch, side, side, row0, col0,
                            shift->drow, shift->dcol, &o, &contrast, err);
    if (st != RESHED_OK || !contrast.known || !contrast.changed) return st;
    *changed = true;
    snprintf(text, sizeof text,
             "the tip seems changed: gain %.2f, blur %.2f px^2, correlation %.2f", contrast.gain,
             contrast.blur, contrast.correlation);
    return rs_scan_log(f->context, RS_SESSION_WARNING, text, err);
}

rs_outcome rs_follower_look(rs_follower *f, const rs_session_point *at)
{
    const rs_scan_context *c = f->context;
    const rs_frame *frame = &f->setup->frame;
    const int side = f->setup->patch_rows;
    const int row0 = clamp((int)at->row - side / 2, 0, frame->rows - side);
    const int col0 = clamp((int)at->col - side / 2, 0, frame->cols - side);
    const rs_frame part = rs_drift_patch_frame(frame, row0, col0, side, side);
    rs_drift_shift shift = {0};
    reshed_error err = {0};
    bool changed = false;
    const rs_outcome o = scan_patch(f, &part);
    if (o.end == RS_END_INTERRUPTED || rs_scan_interrupted(c))
        return rs_outcome_of(RS_END_INTERRUPTED); /* half a patch says nothing */
    if (o.end == RS_END_LOST) return o;
    if (o.end != RS_END_DONE) {
        char text[RS_SESSION_EVENT_TEXT];
        snprintf(text, sizeof text, "no patch for the drift: %s", o.err.what);
        return rs_outcome_status(rs_scan_log(c, RS_SESSION_WARNING, text, &err), &err);
    }
    reshed_status st = put_patch(f, &part, &err);
    if (st == RESHED_OK) st = match(f, row0, col0, &shift, &err);
    if (st == RESHED_OK && shift.found) st = compare(f, row0, col0, &shift, &changed, &err);
    if (st != RESHED_OK) return rs_outcome_status(st, &err);
    return rs_outcome_of(changed ? RS_END_TIP_CHANGED : RS_END_DONE);
}
