#include "spm/scan/survey.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/numeric.h"
#include "base/os.h"
#include "infer/judge.h"
#include "spm/scan/survey_steer.h"

/* Lines that go through the network together at most, when it is behind. */
#define COALESCE 32
/* Provisional rows go into the session this often, s; final ones at once. */
#define PROVISIONAL_EVERY 0.5
/* Rows between two scores, and the fewest that can have one. */
#define SCORE_EVERY 8
#define SCORE_ROWS 24
/* Longest wait for a line before the caller is asked again whether to stop, s. */
#define WAIT 0.2

void rs_survey_free(rs_survey *s)
{
    if (!s) return;
    rs_line_fit_free(s->fit);
    for (int i = 0; i < RS_SESSION_MEAN; i++) rs_free(s->map[i]);
    rs_free(s->written);
    rs_free(s->states);
    rs_free(s->fresh);
    rs_free(s->taken);
    rs_free(s);
}

/* The channel of a driver without spectra that is a phase, by its unit; -1: none. */
static int phase_channel(const rs_session_setup *setup, bool *degrees)
{
    for (int i = 1; i < setup->caps.channels; i++) {
        *degrees = strcmp(setup->caps.unit[i], "deg") == 0;
        if (*degrees || strcmp(setup->caps.unit[i], "rad") == 0) return i;
    }
    return -1;
}

reshed_status rs_survey_create(const rs_scan_context *context, rs_live *stream,
                               const rs_survey_options *options, rs_survey **out, reshed_error *err)
{
    rs_survey *s = rs_zalloc(1, sizeof *s);
    if (!s) return rs_fail_nomem(err, "a survey", sizeof *s);
    const rs_session_setup *setup = rs_session_get_setup(context->session);
    const size_t h = (size_t)setup->frame.rows, w = (size_t)setup->frame.cols;
    reshed_status st = RESHED_OK;
    s->context = *context;
    s->session = context->session;
    s->stream = stream;
    s->options = *options;
    s->setup = setup;
    s->rows = setup->frame.rows;
    s->cols = setup->frame.cols;
    s->score = NAN;
    s->latest = s->kept = s->again = -1;
    s->phase = phase_channel(setup, &s->degrees);
    if (setup->caps.bins) {
        rs_sho_options o;
        rs_sho_options_defaults(&o);
        o.threads = context->threads;
        st = rs_line_fit_create(setup->frequency, setup->caps.bins, s->cols, &o, &s->fit, err);
    }
    for (int i = 0; i < RS_SESSION_MEAN; i++) {
        s->map[i] = rs_alloc(h * w, sizeof(float));
        for (size_t k = 0; s->map[i] && k < h * w; k++) s->map[i][k] = NAN;
        if (!s->map[i]) st = RESHED_ENOMEM;
    }
    s->written = rs_zalloc(h, 1);
    s->states = rs_zalloc(h, 1);
    s->fresh = rs_zalloc(h, 1);
    s->taken = rs_zalloc(COALESCE, sizeof *s->taken);
    if (st == RESHED_OK && (!s->written || !s->states || !s->fresh || !s->taken))
        st = RESHED_ENOMEM;
    if (st == RESHED_ENOMEM) rs_fail_nomem(err, "the maps of a survey", h * w * sizeof(float));
    if (st != RESHED_OK) {
        rs_survey_free(s);
        return st;
    }
    rs_live_reset(stream);
    *out = s;
    return RESHED_OK;
}

/* ---------------------------------------------------------------------------- a line's own maps */

/* The amplitude row (the first channel where lines have no spectra) and, from spectra, the other
 * three; without spectra the phase, where there is one. */
static void fit_line(rs_survey *s, const rs_line *line)
{
    const size_t at = (size_t)line->row * (size_t)s->cols, w = (size_t)s->cols;
    float *amplitude = s->map[RS_SESSION_AMPLITUDE] + at;
    if (s->fit)
        rs_line_fit_run(s->fit, line->spectra, s->cols, amplitude,
                        s->map[RS_SESSION_FREQUENCY] + at, s->map[RS_SESSION_Q] + at,
                        s->map[RS_SESSION_PHASE] + at);
    else
        memcpy(amplitude, line->channel, w * sizeof(float));
    if (s->fit || s->phase < 0) return;
    float *phase = s->map[RS_SESSION_PHASE] + at;
    memcpy(phase, line->channel + (size_t)s->phase * w, w * sizeof(float));
    for (size_t i = 0; s->degrees && i < w; i++) phase[i] *= (float)RS_DEGREE;
}

static reshed_status put_fits(rs_survey *s, int row, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    for (int i = 0; st == RESHED_OK && i < RS_SESSION_MEAN; i++) {
        if (!s->fit && i != RS_SESSION_AMPLITUDE && !(i == RS_SESSION_PHASE && s->phase >= 0))
            continue;
        st = rs_session_put_map(s->session, (rs_session_map)i, row, 1,
                                s->map[i] + (size_t)row * (size_t)s->cols, err);
    }
    return st;
}

/* ---------------------------------------------------------------------------------- the network */

static uint8_t session_state(const rs_live_view *v, int y)
{
    if (v->state[y] == RS_ROW_UNSCANNED) return RS_SESSION_UNSCANNED;
    if (v->stale[y]) return RS_SESSION_STALE;
    return v->state[y] == RS_ROW_FINAL ? RS_SESSION_FINAL : RS_SESSION_PROVISIONAL;
}

/* Rows [y0,y1) of mean, variance and state. */
static reshed_status put_rows(rs_survey *s, const rs_live_view *v, int y0, int y1,
                              reshed_error *err)
{
    const size_t at = (size_t)y0 * (size_t)s->cols;
    reshed_status st =
        rs_session_put_map(s->session, RS_SESSION_MEAN, y0, y1 - y0, v->mean + at, err);
    if (st == RESHED_OK)
        st =
            rs_session_put_map(s->session, RS_SESSION_VARIANCE, y0, y1 - y0, v->variance + at, err);
    if (st == RESHED_OK) st = rs_session_put_states(s->session, y0, y1 - y0, s->states + y0, err);
    return st;
}

/* Puts what has changed in the map since it was last put. */
static reshed_status put_map(rs_survey *s, bool all, reshed_error *err)
{
    rs_live_view v;
    reshed_status st = RESHED_OK;
    rs_live_get(s->stream, &v);
    all |= rs_scan_now(&s->context) - s->last_written > PROVISIONAL_EVERY;
    if (all) s->last_written = rs_scan_now(&s->context);
    for (int y = 0, from = 0; st == RESHED_OK && y <= s->rows; y++) {
        bool put = false;
        if (y < s->rows) {
            s->states[y] = session_state(&v, y);
            const bool final = s->states[y] == RS_SESSION_FINAL;
            put = final ? !s->written[y] : all && s->states[y] != RS_SESSION_UNSCANNED;
            s->written[y] = final;
        }
        if (put) continue;
        if (y > from) st = put_rows(s, &v, from, y, err);
        from = y + 1;
    }
    return st;
}

/* Scores the final rows every SCORE_EVERY lines, and all of them, however few, at the frame's end.
 * Before that only rows without any contrast are a fault: what is saturated, or squeezed by a few
 * pixels, shows when all has been seen, and its look sorts all pixels. */
static reshed_status look_for_alarm(rs_survey *s, bool end, reshed_error *err)
{
    rs_live_view v;
    if (!end && s->arrived - s->scored < SCORE_EVERY) return RESHED_OK;
    rs_live_get(s->stream, &v);
    int r0 = 0, r1;
    while (r0 < s->rows && (v.state[r0] != RS_ROW_FINAL || v.stale[r0])) r0++;
    for (r1 = r0; r1 < s->rows && v.state[r1] == RS_ROW_FINAL && !v.stale[r1];) r1++;
    if (r1 - r0 < (end ? 1 : SCORE_ROWS)) return RESHED_OK;
    s->scored = s->arrived;
    const size_t first = (size_t)r0 * (size_t)s->cols;
    const reshed_status st =
        rs_contrast_look(s->map[RS_SESSION_AMPLITUDE] + first, r1 - r0, s->cols,
                         end ? v.input + first : NULL, r1 - r0, s->cols, &s->contrast, err);
    if (st != RESHED_OK) return st;
    s->score = s->options.score ? s->options.score(s->options.score_ctx, &v, r0, r1) : (double)NAN;
    s->alarm = s->options.alarm_score > 0 && s->score > s->options.alarm_score;
    if (s->contrast != RS_CONTRAST_SEEN) {
        s->alarm = true;
        s->score = fmax(s->score, RS_OOD_NO_CONTRAST); /* fmax passes over NaN */
    }
    return RESHED_OK;
}

static void give_news(const rs_survey *s, double latency, bool replayed)
{
    if (!s->options.news) return;
    rs_survey_news n = {.rows = s->rows,
                        .cols = s->cols,
                        .line = s->latest,
                        .arrived = s->arrived,
                        .lost = s->lost,
                        .waiting = s->waiting,
                        .pauses = s->pauses,
                        .latency = latency,
                        .score = s->score,
                        .fault = rs_contrast_text(s->contrast),
                        .alarm = s->alarm,
                        .replayed = replayed,
                        .amplitude = s->map[RS_SESSION_AMPLITUDE]};
    n.has_phase = s->fit || s->phase >= 0;
    for (int i = 0; i < RS_SESSION_MEAN; i++) n.fit[i] = s->map[i];
    rs_live_get(s->stream, &n.map);
    s->options.news(s->context.ctx, &n);
}

double rs_survey_uncertainty(const rs_survey_news *n)
{
    const rs_live_view *v = &n->map;
    const size_t row = (size_t)v->width * (size_t)v->classes;
    double sum = 0;
    size_t values = 0;
    for (int y = 0; y < v->height; y++) {
        if (v->state[y] != RS_ROW_FINAL) continue;
        for (size_t i = 0; i < row; i++) sum += (double)v->variance[(size_t)y * row + i];
        values += row;
    }
    return values ? sum / (double)values : (double)NAN;
}

/* Sends amplitude rows first ... first+n-1, all fitted, through the network. */
static reshed_status push_rows(rs_survey *s, int first, int n, reshed_error *err)
{
    reshed_status st = rs_live_push(
        s->stream, first, n, s->map[RS_SESSION_AMPLITUDE] + (size_t)first * (size_t)s->cols, err);
    return st == RESHED_OK ? look_for_alarm(s, false, err) : st;
}

/* --------------------------------------------------------------------------------------- replay */

static reshed_status make_line(const rs_survey *s, rs_line *line, reshed_error *err)
{
    const size_t w = (size_t)s->cols, bins = (size_t)s->setup->caps.bins,
                 channels = (size_t)s->setup->caps.channels;
    *line = (rs_line){.cols = s->cols, .bins = (int)bins, .channels = (int)channels};
    if (bins) line->spectra = rs_alloc(2 * bins * w, sizeof *line->spectra);
    if (channels) line->channel = rs_alloc(channels * w, sizeof *line->channel);
    if ((bins && !line->spectra) || (channels && !line->channel))
        return rs_fail_nomem(err, "a line", w * (2 * bins + channels) * sizeof(float));
    return RESHED_OK;
}

static reshed_status replay_row(rs_survey *s, int y, bool write, rs_line *line, reshed_error *err)
{
    reshed_status st = rs_session_read_line(s->session, y, false, line, NULL, err);
    if (st == RESHED_OK) fit_line(s, line);
    if (st == RESHED_OK && write) st = put_fits(s, y, err);
    if (st == RESHED_OK) st = push_rows(s, y, 1, err);
    s->arrived++;
    s->latest = y;
    if (st == RESHED_OK) give_news(s, 0, true);
    return st;
}

rs_outcome rs_survey_replay(rs_survey *s, bool write)
{
    rs_survey_arrival *rows = rs_zalloc((size_t)s->rows, sizeof *rows);
    rs_line line = {0};
    reshed_error err = {0};
    reshed_status st = RESHED_OK;
    int n = 0;
    bool stop = false;
    if (!rows) st = rs_fail_nomem(&err, "a replay", (size_t)s->rows * sizeof *rows);
    if (st == RESHED_OK) st = make_line(s, &line, &err);
    if (st == RESHED_OK) st = rs_survey_list_arrivals(s, rows, &n, &err);
    for (int i = 0; st == RESHED_OK && i < n; i++) {
        if ((stop = rs_scan_interrupted(&s->context))) break;
        st = replay_row(s, rows[i].row, write, &line, &err);
    }
    rs_free(line.spectra);
    rs_free(line.channel);
    rs_free(rows);
    return stop ? rs_outcome_of(RS_END_INTERRUPTED) : rs_outcome_status(st, &err);
}

/* ----------------------------------------------------------------------------------------- scan */

/* Meanwhile the scan pauses by itself, once the queue is full. Without news nobody would learn of it,
 * and the failure is returned. */
static reshed_status retry_full_disk(rs_survey *s, reshed_status st, reshed_error *err)
{
    return s->options.news ? rs_scan_wait_for_disk(&s->context, st, err) : st;
}

/* Puts one arrival onto the disk, before anything else is done with it. */
static reshed_status store(rs_survey *s, const rs_arrived *it, reshed_error *err)
{
    const double when = it->acquired - s->context.time_zero;
    reshed_status st;
    if (it->lost)
        st = rs_session_put_lost_line(s->session, it->line.row, it->line.retrace, it->line.frame,
                                      when, err);
    else
        st = rs_session_put_line(s->session, &it->line, when, err);
    st = retry_full_disk(s, st, err);
    if (st == RESHED_OK && !it->line.retrace) s->fresh[it->line.row] = !it->lost;
    return st;
}

static reshed_status publish(rs_survey *s, int first, int n, const double *acquired,
                             double inference, reshed_error *err)
{
    rs_live_view v;
    reshed_status st = put_map(s, false, err);
    const double done = rs_os_monotonic();
    rs_live_get(s->stream, &v);
    for (int i = 0; st == RESHED_OK && i < n; i++) {
        const rs_session_processed p = {.latency = done - acquired[i],
                                        .inference = inference,
                                        .lag = v.lag,
                                        .coalesced = n,
                                        .alarm = s->alarm,
                                        .score = s->score};
        st = rs_session_put_processed(s->session, first + i, &p, err);
    }
    if (st == RESHED_OK) give_news(s, done - acquired[n - 1], false);
    return retry_full_disk(s, st, err);
}

/* The trace rows that arrived together, in their order. */
typedef struct batch {
    int row[COALESCE];
    double acquired[COALESCE];
    int n;
} batch;

/* A trace that the session has already. */
static bool is_kept(const rs_survey *s, const rs_arrived *it)
{
    return !it->line.retrace && it->line.row == s->kept;
}

/* Makes the n lines in s->taken durable, all with one sync; a retrace alone waits for that of the
 * next trace, as nothing is made of it. A kill loses neither. */
static reshed_status store_all(rs_survey *s, int n, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    bool sync = false;
    rs_session_hold(s->session, true);
    for (int i = 0; st == RESHED_OK && i < n; i++) {
        if (is_kept(s, s->taken[i])) continue;
        st = store(s, s->taken[i], err);
        sync |= !s->taken[i]->line.retrace;
    }
    rs_session_hold(s->session, false);
    if (st != RESHED_OK || !sync) return st;
    return retry_full_disk(s, rs_session_commit(s->session, err), err);
}

/* Makes the n lines in s->taken durable, fits the traces among them, and gives all back. */
static reshed_status take_in(rs_survey *s, rs_acquire *a, int n, batch *b, reshed_error *err)
{
    reshed_status st = store_all(s, n, err);
    b->n = 0;
    for (int i = 0; i < n; i++) {
        rs_arrived *it = s->taken[i];
        if (st == RESHED_OK && !it->line.retrace && !is_kept(s, it)) {
            if (it->lost) {
                s->lost++;
            } else {
                fit_line(s, &it->line);
                st = put_fits(s, it->line.row, err);
                b->acquired[b->n] = it->acquired;
                b->row[b->n++] = it->line.row;
                s->arrived++;
                s->latest = it->line.row;
            }
        }
        rs_acquire_give_back(a, it);
    }
    return st;
}

/* All lines that wait: durable, fitted, and those that follow one another through the network
 * together. */
static reshed_status process(rs_survey *s, rs_acquire *a, int n, reshed_error *err)
{
    batch b;
    reshed_status st = take_in(s, a, n, &b, err);
    const int *rows = b.row;
    for (int i = 0; st == RESHED_OK && i < b.n;) {
        double at[COALESCE];
        int k = i + 1;
        const int step = i + 1 < b.n ? rows[i + 1] - rows[i] : 1;
        while (k < b.n && (step == 1 || step == -1) && rows[k] - rows[k - 1] == step) k++;
        const int first = step < 0 && k > i + 1 ? rows[k - 1] : rows[i];
        for (int j = i; j < k; j++) at[rows[j] - first] = b.acquired[j];
        const double start = rs_os_monotonic();
        st = push_rows(s, first, k - i, err);
        if (st == RESHED_OK) st = publish(s, first, k - i, at, rs_os_monotonic() - start, err);
        i = k;
    }
    return st;
}

/* Forgets the frame, in memory: the session keeps its lines until others replace them. */
static void forget_frame(rs_survey *s)
{
    const size_t n = (size_t)s->rows * (size_t)s->cols;
    rs_live_reset(s->stream);
    for (int i = 0; i < RS_SESSION_MEAN; i++)
        for (size_t k = 0; k < n; k++) s->map[i][k] = NAN;
    memset(s->written, 0, (size_t)s->rows);
    s->arrived = s->lost = s->scored = 0;
    s->latest = -1;
    s->score = NAN;
    s->contrast = RS_CONTRAST_SEEN;
    s->alarm = false;
}

/* Processes lines until the scan has come to its end. */
static rs_outcome follow_scan(rs_survey *s, rs_acquire *a)
{
    bool interrupted = false, alarmed = false;
    for (;;) {
        reshed_error err = {0};
        rs_outcome o;
        int n = 0;
        interrupted |= rs_scan_interrupted(&s->context);
        alarmed |= s->alarm && s->context.settings->alarm == RS_SCAN_ALARM_STOP;
        interrupted |= !rs_survey_heed_helm(s, a);
        if (interrupted) rs_acquire_halt(a);
        if (alarmed) rs_acquire_stop(a);
        while (n < COALESCE && (s->taken[n] = rs_acquire_take(a, n ? 0 : WAIT))) n++;
        if (n > 0) {
            rs_acquire_ask(a, &s->waiting, &s->pauses, NULL);
            const reshed_status st = process(s, a, n, &err);
            if (st != RESHED_OK) return rs_outcome_status(st, &err);
            continue;
        }
        const rs_acquire_state state = rs_acquire_ask(a, &n, NULL, &o);
        if (n > 0 || state == RS_ACQUIRE_RUNNING) continue;
        const bool stopped = state == RS_ACQUIRE_STOPPED && !interrupted;
        if (stopped) return rs_outcome_of(alarmed ? RS_END_ALARMED : RS_END_DONE);
        return o;
    }
}

static rs_outcome start(rs_survey *s, int row, rs_acquire **a)
{
    const rs_scan_settings *set = s->context.settings;
    const rs_acquire_options queue = {
        .queue = (int)set->queue, .poll = RS_SCAN_POLL, .line_timeout = set->line_timeout};
    return rs_acquire_start(s->context.instrument, &s->setup->frame, row, &queue, a);
}

static rs_outcome scan_from(rs_survey *s, int row)
{
    rs_acquire *a = NULL;
    rs_outcome o = start(s, row, &a);
    if (o.end != RS_END_DONE) return o;
    o = follow_scan(s, a);
    rs_survey_release(s, a);
    rs_acquire_end(a);
    s->kept = -1;
    return o;
}

rs_outcome rs_survey_scan(rs_survey *s, bool anew)
{
    const rs_frame *frame = &s->setup->frame;
    rs_session_progress p;
    reshed_error err = {0};
    const reshed_status st = rs_session_get_progress(s->session, &p, &err);
    if (st != RESHED_OK) return rs_outcome_status(st, &err);
    int first = p.first_missing;
    if (anew) {
        forget_frame(s);
        first = frame->upward ? s->rows - 1 : 0;
    }
    if (!anew && p.points == 0) {
        reshed_status found = rs_survey_note_older(s, &err);
        if (found == RESHED_OK && frame->rows > 1 && s->setup->caps.retrace)
            found = rs_survey_find_gap(s, &first, &err);
        if (found != RESHED_OK) return rs_outcome_status(found, &err);
    }
    if (first < 0 || first >= s->rows) return rs_outcome_of(RS_END_DONE);
    rs_outcome o = scan_from(s, first);
    bool mixed = false;
    while (o.end == RS_END_DONE && s->again >= 0) {
        const int row = s->again, latest = s->latest;
        o = rs_outcome_status(rs_survey_forget_rows(s, &err), &err);
        s->again = -1;
        mixed = true;
        rs_steer_answer(&s->context, &s->rescan, o.end == RS_END_DONE,
                        "rows %d to %d are scanned again", row, latest);
        if (o.end == RS_END_DONE) o = scan_from(s, row);
    }
    if (s->again >= 0) rs_steer_answer(&s->context, &s->rescan, false, "the scan has ended");
    s->again = -1;
    if (o.end != RS_END_DONE || !mixed) return o;
    /* The range that the network saw is that of lines which are gone: the map is made of those that are there. */
    forget_frame(s);
    return rs_survey_replay(s, true);
}

/* Rows first ... last again, and no network: the map is made when all are there. */
static rs_outcome take_again(rs_survey *s, rs_acquire *a, int last, int *lost)
{
    const bool upward = s->setup->frame.upward;
    bool enough = false, interrupted = false;
    for (;;) {
        reshed_error err = {0};
        rs_outcome o;
        int n;
        interrupted |= rs_scan_interrupted(&s->context);
        if (interrupted) rs_acquire_halt(a);
        rs_steer_next(&s->context, 0, 0, &s->pause); /* notes; nothing else here */
        rs_arrived *it = rs_acquire_take(a, WAIT);
        if (it) {
            const int row = it->line.row;
            reshed_status st = RESHED_OK;
            *lost += it->lost && !enough && !it->line.retrace;
            if (!it->lost && !enough) {
                st = store(s, it, &err);
                if (st == RESHED_OK && !it->line.retrace) {
                    fit_line(s, &it->line);
                    st = put_fits(s, row, &err);
                    s->latest = row;
                    s->arrived++;
                }
            }
            const bool over = it->line.retrace || !s->setup->caps.retrace;
            enough |=
                upward ? row < last || (row == last && over) : row > last || (row == last && over);
            rs_acquire_give_back(a, it);
            if (st != RESHED_OK) return rs_outcome_status(st, &err);
            if (s->latest == row) give_news(s, 0, false);
            if (enough) rs_acquire_stop(a);
            continue;
        }
        const rs_acquire_state state = rs_acquire_ask(a, &n, NULL, &o);
        if (n > 0 || state == RS_ACQUIRE_RUNNING) continue;
        if (state == RS_ACQUIRE_STOPPED && enough && !interrupted)
            return rs_outcome_of(RS_END_DONE);
        return o;
    }
}

rs_outcome rs_survey_rescan(rs_survey *s, int first, int last)
{
    const bool upward = s->setup->frame.upward;
    rs_acquire *a = NULL;
    int lost = 0;
    rs_outcome o = start(s, upward ? last : first, &a);
    if (o.end != RS_END_DONE) return o;
    s->arrived -= last - first + 1; /* for the progress that is shown */
    o = take_again(s, a, upward ? first : last, &lost);
    rs_acquire_end(a);
    if (o.end == RS_END_DONE && lost > 0) o = rs_survey_note_lost(s, lost, last - first + 1);
    if (o.end != RS_END_DONE) return o;
    forget_frame(s);
    o = rs_survey_replay(s, true);
    return o.end == RS_END_DONE ? rs_survey_finish(s, true) : o;
}

rs_outcome rs_survey_finish(rs_survey *s, bool write)
{
    reshed_error err = {0};
    reshed_status st = rs_live_finish(s->stream, &err);
    if (st == RESHED_EINVAL)
        st = rs_fail(&err, st,
                     "lines of the session|enough for one row of the network's coarsest "
                     "map|%d",
                     s->arrived);
    if (st == RESHED_OK) {
        st = look_for_alarm(s, true, &err);
        memset(s->written, 0, (size_t)s->rows);
    }
    if (st == RESHED_OK && write) st = put_map(s, true, &err);
    if (st == RESHED_OK) give_news(s, 0, false);
    return rs_outcome_status(st, &err);
}

const uint8_t *rs_survey_fresh(const rs_survey *s)
{
    return s->fresh;
}

const float *rs_survey_map(const rs_survey *s, rs_session_map map)
{
    rs_live_view v;
    if (map < RS_SESSION_MEAN) return s->map[map];
    rs_live_get(s->stream, &v);
    return map == RS_SESSION_MEAN ? v.mean : v.variance;
}

double rs_survey_score(const rs_survey *s, bool *alarm)
{
    if (alarm) *alarm = s->alarm;
    return s->score;
}

const char *rs_survey_fault(const rs_survey *s)
{
    return rs_contrast_text(s->contrast);
}
