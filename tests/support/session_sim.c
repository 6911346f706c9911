#include "support/session_sim.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

/* A number for each place, no two alike, some negative. */
static float value(int kind, int a, int b, int c)
{
    return (float)(kind * 1000 + a * 100 + b * 10 + c) * (a % 2 ? -0.25F : 0.25F);
}

const rs_session_setup *sim_setup(void)
{
    static const double voltage[SIM_STEPS] = {0, 5, 0, -5};
    static const double frequency[SIM_BINS] = {300e3, 310e3, 320e3};
    static const double spectrum_frequency[SIM_BINS] = {305e3, 315e3, 325e3};
    static const rs_driver_option option[] = {{"noise", "0.1"}, {"seed", "7"}};
    static const rs_driver_option setting[] = {{"alarm-bits", "1 ood"}, {"every", "2"}, {"k", ""}};
    static const rs_session_metric metric[SIM_METRICS] = {{"width_mid", "V"}, {"area", "V^2"}};
    static const rs_session_setup setup = {
        .start_time = "2026-11-25T10:15:00Z",
        .region = "A",
        .sample = "PTO \xc2\xb5m",
        .program = "test 1",
        .driver = "twin",
        .driver_option = option,
        .driver_options = 2,
        .setting = setting,
        .settings = 3,
        .weights = "reshed.h5",
        .weights_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        .norm = "scanned",
        .amplitude_unit = "m",
        .caps = {.instrument = "twin 1",
                 .band_excitation = true,
                 .off_field = true,
                 .retrace = true,
                 .simulated = true,
                 .clock_rate = 100,
                 .bins = SIM_BINS,
                 .channels = SIM_CHANNELS,
                 .channel = {"Amplitude", "Phase"},
                 .unit = {"m", "rad"},
                 .limits = {-1e-5, 1e-5, -2e-5, 2e-5, 10, 3, 1e-3}},
        .frame = {.cx = 1e-6,
                  .cy = -2e-6,
                  .width = 5e-7,
                  .height = 6e-7,
                  .angle = 0.1,
                  .rows = SIM_ROWS,
                  .cols = SIM_COLS,
                  .line_rate = 1},
        .frequency = frequency,
        .be = {310e3, 60e3, 1, 0.5, 4, 1e-3},
        .spectroscopy = {voltage, SIM_STEPS, true, 5e-3, 1e-3, 0, 4e-3, 100},
        .spectrum_bins = SIM_BINS,
        .spectrum_frequency = spectrum_frequency,
        .metric = metric,
        .metrics = SIM_METRICS,
        .patch_rows = SIM_PATCH,
        .patch_cols = SIM_PATCH,
    };
    return &setup;
}

/* --------------------------------------------------------------------------------- empty models */
static void all_nan(float *v, size_t n)
{
    for (size_t i = 0; i < n; i++) v[i] = NAN;
}
#define ALL_NAN(a) all_nan((float *)(void *)(a), sizeof(a) / sizeof(float))

static void empty_loop(sim_loop *l)
{
    ALL_NAN(l->spectra);
    ALL_NAN(l->array);
    for (int i = 0; i < SIM_METRICS; i++) l->metric[i] = NAN;
    l->x = l->y = l->time = NAN;
}

static void empty_model(sim_model *m)
{
    memset(m, 0, sizeof *m);
    for (int d = 0; d < 2; d++)
        for (int r = 0; r < SIM_ROWS; r++)
            m->arrival[d][r] =
                (rs_session_arrival){.order = -1, .frame = -1, .time = NAN, .acquired = NAN};
    for (int r = 0; r < SIM_ROWS; r++)
        m->processed[r] = (rs_session_processed){
            .latency = NAN, .inference = NAN, .lag = -1, .coalesced = -1, .score = NAN};
    ALL_NAN(m->channel);
    ALL_NAN(m->spectra);
    ALL_NAN(m->map);
    for (int k = 0; k < SIM_POINTS; k++) empty_loop(&m->loop[k]);
    for (int k = 0; k < SIM_REFERENCES; k++) empty_loop(&m->reference[k]);
}

/* ----------------------------------------------------------------------------------------- puts */
static reshed_status put_line(sim_model *m, rs_session *s, int row, int dir, reshed_error *err)
{
    double acquired = 100 + row + 0.5 * dir;
    if (dir == 0 && row == SIM_LOST_ROW) {
        m->arrival[dir][row] = (rs_session_arrival){.state = RS_SESSION_LOST,
                                                    .order = m->order++,
                                                    .frame = 2,
                                                    .time = NAN,
                                                    .acquired = acquired};
        return s ? rs_session_put_lost_line(s, row, false, 2, acquired, err) : RESHED_OK;
    }
    for (int c = 0; c < SIM_COLS; c++) {
        for (int k = 0; k < SIM_CHANNELS; k++)
            m->channel[dir][row][k][c] = value(1 + dir, row, c, k);
        for (int b = 0; b < SIM_BINS; b++)
            for (int i = 0; i < 2; i++)
                m->spectra[dir][row][c][b][i] = value(3 + dir, row, c, 2 * b + i);
    }
    if (row == 1) m->channel[dir][row][1][2] = NAN;
    m->arrival[dir][row] = (rs_session_arrival){.state = RS_SESSION_ARRIVED,
                                                .nans = row == 1,
                                                .order = m->order++,
                                                .frame = 2,
                                                .time = 7 + row,
                                                .acquired = acquired};
    rs_line line = {.cols = SIM_COLS,
                    .bins = SIM_BINS,
                    .channels = SIM_CHANNELS,
                    .channel = m->channel[dir][row][0],
                    .spectra = m->spectra[dir][row][0][0],
                    .row = row,
                    .retrace = dir,
                    .time = 7 + row,
                    .frame = 2};
    return s ? rs_session_put_line(s, &line, acquired, err) : RESHED_OK;
}

/* The results of a line: the rows up to it are computed anew, as the network's cone does. */
static reshed_status put_results(sim_model *m, rs_session *s, int row, reshed_error *err)
{
    int first = row > 1 ? row - 1 : 0, n = row - first + 1;
    reshed_status st = RESHED_OK;
    for (int k = 0; k < RS_SESSION_MAPS; k++) {
        for (int r = first; r <= row; r++)
            for (int c = 0; c < SIM_COLS; c++) m->map[k][r][c] = value(5 + k, r, c, row - r);
        if (s && st == RESHED_OK)
            st = rs_session_put_map(s, (rs_session_map)k, first, n, m->map[k][first], err);
    }
    for (int r = first; r <= row; r++)
        m->state[r] = r < row ? RS_SESSION_FINAL : RS_SESSION_PROVISIONAL;
    if (s && st == RESHED_OK) st = rs_session_put_states(s, first, n, &m->state[first], err);
    m->processed[row] =
        (rs_session_processed){0.25 * row, 0.125 * row, row, 1, row == 2, row ? NAN : 3};
    if (s && st == RESHED_OK) st = rs_session_put_processed(s, row, &m->processed[row], err);
    return st;
}

static reshed_status put_masks(sim_model *m, rs_session *s, reshed_error *err)
{
    reshed_status st = RESHED_OK;
    for (int k = 0; k < RS_SESSION_MASKS; k++) {
        for (int r = 0; r < SIM_ROWS; r++)
            for (int c = 0; c < SIM_COLS; c++)
                m->mask[k][r][c] = (uint8_t)((r * 3 + c + k) % 4 == 0);
        if (s && st == RESHED_OK)
            st = rs_session_put_mask(s, (rs_session_mask)k, 0, SIM_ROWS, m->mask[k][0], err);
    }
    return st;
}

static reshed_status put_points(sim_model *m, rs_session *s, int first, int n, reshed_error *err)
{
    for (int k = first; k < first + n; k++)
        m->point[k] = (rs_session_point){.row = k + 0.5,
                                         .col = 2 * k,
                                         .x = 1e-7 * k,
                                         .y = -1e-7 * k,
                                         .device_x = 0.1 * k,
                                         .device_y = -0.2 * k,
                                         .measured_x = NAN,
                                         .measured_y = NAN,
                                         .time = NAN,
                                         .target = SIM_POINTS - 1 - k,
                                         .wall = k - 1,
                                         .kind = k};
    m->points = first + n;
    return s ? rs_session_put_points(s, first, n, &m->point[first], err) : RESHED_OK;
}

static reshed_status put_skipped(sim_model *m, rs_session *s, int k, reshed_error *err)
{
    m->point[k].state = RS_SESSION_SKIPPED;
    return s ? rs_session_put_points(s, k, 1, &m->point[k], err) : RESHED_OK;
}

static reshed_status put_spectrum(sim_model *m, rs_session *s, rs_session_series series, int k,
                                  reshed_error *err)
{
    sim_loop *l = series == RS_SESSION_POINTS ? &m->loop[k] : &m->reference[k];
    for (int f = 0; f < SIM_FIELDS; f++)
        for (int t = 0; t < SIM_STEPS; t++) {
            for (int b = 0; b < 2 * SIM_BINS; b++)
                l->spectra[f][t][b / 2][b % 2] = value(20 + k + (int)series, f, t, b);
            l->array[0][f][t] = value(30 + k, f, t, (int)series);
            l->array[1][f][t] = value(31 + k, f, t, (int)series);
        }
    l->x = 1e-7 * k + 1e-9;
    l->y = 2e-9;
    l->time = 50 + k;
    if (series == RS_SESSION_POINTS) {
        m->point[k].measured_x = l->x;
        m->point[k].measured_y = l->y;
        m->point[k].time = l->time;
        m->point[k].state = RS_SESSION_MEASURED;
    } else {
        m->references = k + 1;
    }
    rs_spectrum p = {.steps = SIM_STEPS,
                     .bins = SIM_BINS,
                     .fields = SIM_FIELDS,
                     .spectra = l->spectra[0][0][0],
                     .amplitude = l->array[0][0],
                     .phase = l->array[1][0],
                     .x = l->x,
                     .y = l->y,
                     .time = l->time};
    return s ? rs_session_put_spectrum(s, series, k, &p, err) : RESHED_OK;
}

static reshed_status put_loop(sim_model *m, rs_session *s, rs_session_series series, int k,
                              reshed_error *err)
{
    sim_loop *l = series == RS_SESSION_POINTS ? &m->loop[k] : &m->reference[k];
    for (int i = 2; i < 7; i++)
        for (int f = 0; f < SIM_FIELDS; f++)
            for (int t = 0; t < SIM_STEPS; t++) l->array[i][f][t] = value(40 + i, k, f, t);
    for (int i = 0; i < SIM_METRICS; i++) l->metric[i] = k + 0.5 * i;
    rs_session_loop loop = {.amplitude = l->array[2][0],
                            .frequency = l->array[3][0],
                            .q = l->array[4][0],
                            .phase = l->array[5][0],
                            .response = l->array[6][0],
                            .metric = l->metric};
    return s ? rs_session_put_loop(s, series, k, &loop, err) : RESHED_OK;
}

static reshed_status put_patch(sim_model *m, rs_session *s, reshed_error *err)
{
    m->patch[0] = (rs_session_patch){3, 4, 1e-6, 2e-6, 1e-8, 2e-8, 0.1, 2, 3};
    for (int i = 0; i < SIM_PATCH * SIM_PATCH; i++)
        m->patch_data[0][i] = i < 6 ? value(60, i, 0, 0) : 0;
    m->patches = 1;
    return s ? rs_session_put_patch(s, 0, &m->patch[0], m->patch_data[0], err) : RESHED_OK;
}

static reshed_status put_drift(sim_model *m, rs_session *s, reshed_error *err)
{
    m->drift[0] = (rs_session_drift){5, 1e-9, -2e-9, 1e-11, 2e-11, 3e-10, 0};
    m->drifts = 1;
    return s ? rs_session_add_drift(s, &m->drift[0], err) : RESHED_OK;
}

static reshed_status put_event(sim_model *m, rs_session *s, int k, reshed_error *err)
{
    rs_session_event *e = &m->event[m->events++];
    e->time = k;
    e->level = (rs_session_level)(k % 3);
    snprintf(e->text, sizeof e->text, "event %d \xc2\xb0", k);
    return s ? rs_session_add_event(s, e->time, e->level, e->text, err) : RESHED_OK;
}

/* --------------------------------------------------------------------------------- the sequence */
typedef enum put_kind {
    TRACE,
    RETRACE,
    RESULTS,
    EVENT,
    MASKS,
    POINTS,
    MORE_POINTS,
    SPECTRUM,
    LOOP,
    REFERENCE,
    REFERENCE_LOOP,
    PATCH,
    DRIFT,
    SKIP,
    COMMIT
} put_kind;

/* After the lines, each of which is {TRACE, RETRACE, RESULTS}. */
static const struct {
    put_kind kind;
    int k;
} after_lines[] = {
    {EVENT, 0}, {MASKS, 0}, {POINTS, 0},    {REFERENCE, 0},   {REFERENCE_LOOP, 0}, {SPECTRUM, 0},
    {LOOP, 0},  {PATCH, 0}, {DRIFT, 0},     {MORE_POINTS, 0}, {SPECTRUM, 2},       {EVENT, 1},
    {LOOP, 2},  {SKIP, 1},  {REFERENCE, 1}, {EVENT, 2},       {COMMIT, 0},         {EVENT, 3},
    {TRACE, 2}, {EVENT, 4}, {COMMIT, 0},
};
#define LINE_PUTS (3 * SIM_ROWS)

int sim_puts(void)
{
    return LINE_PUTS + (int)(sizeof after_lines / sizeof *after_lines);
}

static put_kind kind_of(int k)
{
    static const put_kind line[] = {TRACE, RETRACE, RESULTS};
    return k < LINE_PUTS ? line[k % 3] : after_lines[k - LINE_PUTS].kind;
}

bool sim_is_durable(int k)
{
    switch (kind_of(k)) {
    case RESULTS:
    case EVENT:
    case MASKS:
    case LOOP:
    case REFERENCE_LOOP:
    case DRIFT: return false;
    default: return true;
    }
}

reshed_status sim_put(sim_model *m, rs_session *s, int k, reshed_error *err)
{
    int i = k < LINE_PUTS ? k / 3 : after_lines[k - LINE_PUTS].k;
    switch (kind_of(k)) {
    case TRACE: return put_line(m, s, i, 0, err);
    case RETRACE: return put_line(m, s, i, 1, err);
    case RESULTS: return put_results(m, s, i, err);
    case EVENT: return put_event(m, s, i, err);
    case MASKS: return put_masks(m, s, err);
    case POINTS: return put_points(m, s, 0, 2, err);
    case MORE_POINTS: return put_points(m, s, 2, 1, err);
    case SPECTRUM: return put_spectrum(m, s, RS_SESSION_POINTS, i, err);
    case LOOP: return put_loop(m, s, RS_SESSION_POINTS, i, err);
    case REFERENCE: return put_spectrum(m, s, RS_SESSION_REFERENCES, i, err);
    case REFERENCE_LOOP: return put_loop(m, s, RS_SESSION_REFERENCES, i, err);
    case PATCH: return put_patch(m, s, err);
    case DRIFT: return put_drift(m, s, err);
    case SKIP: return put_skipped(m, s, i, err);
    case COMMIT: return s ? rs_session_commit(s, err) : RESHED_OK;
    }
    return RESHED_EINTERNAL;
}

void sim_after(sim_model *m, int n)
{
    empty_model(m);
    for (int k = 0; k < n; k++) sim_put(m, NULL, k, NULL);
}

/* -------------------------------------------------------------------------------------- reading */
static void read_loop(rs_session *s, rs_session_series series, int k, sim_loop *l)
{
    reshed_error err = {0};
    rs_spectrum p = {.steps = SIM_STEPS,
                     .bins = SIM_BINS,
                     .spectra = l->spectra[0][0][0],
                     .amplitude = l->array[0][0],
                     .phase = l->array[1][0]};
    rs_session_loop loop = {.amplitude = l->array[2][0],
                            .frequency = l->array[3][0],
                            .q = l->array[4][0],
                            .phase = l->array[5][0],
                            .response = l->array[6][0],
                            .metric = l->metric};
    assert_ok(rs_session_read_spectrum(s, series, k, &p, &err), &err);
    assert_ok(rs_session_read_loop(s, series, k, &loop, &err), &err);
    assert_true(p.steps == SIM_STEPS && p.bins == SIM_BINS && p.fields == SIM_FIELDS);
    l->x = p.x, l->y = p.y, l->time = p.time;
}

static void read_lines(rs_session *s, sim_model *m)
{
    reshed_error err = {0};
    for (int dir = 0; dir < 2; dir++)
        for (int r = 0; r < SIM_ROWS; r++) {
            rs_line line = {.cols = SIM_COLS,
                            .bins = SIM_BINS,
                            .channels = SIM_CHANNELS,
                            .channel = m->channel[dir][r][0],
                            .spectra = m->spectra[dir][r][0][0]};
            rs_session_arrival *a = &m->arrival[dir][r];
            assert_ok(rs_session_read_line(s, r, dir, &line, a, &err), &err);
            assert_true(line.row == r && line.retrace == dir);
            if (a->order >= m->order) m->order = a->order + 1;
        }
    assert_ok(rs_session_read_processed(s, m->processed, &err), &err);
    assert_ok(rs_session_read_states(s, 0, SIM_ROWS, m->state, &err), &err);
    for (int k = 0; k < RS_SESSION_MAPS; k++)
        assert_ok(rs_session_read_map(s, (rs_session_map)k, 0, SIM_ROWS, m->map[k][0], &err), &err);
    for (int k = 0; k < RS_SESSION_MASKS; k++)
        assert_ok(rs_session_read_mask(s, (rs_session_mask)k, 0, SIM_ROWS, m->mask[k][0], &err),
                  &err);
}

void sim_read(rs_session *s, sim_model *m)
{
    reshed_error err = {0};
    rs_session_progress p;
    empty_model(m);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    assert_true(p.points <= SIM_POINTS && p.references <= SIM_REFERENCES && p.patches <= 1 &&
                p.drifts <= 1 && p.events <= SIM_EVENTS);
    m->points = p.points;
    m->references = p.references;
    m->patches = p.patches;
    m->drifts = p.drifts;
    m->events = p.events;
    read_lines(s, m);
    assert_ok(rs_session_read_points(s, 0, p.points, m->point, &err), &err);
    for (int k = 0; k < p.points; k++) read_loop(s, RS_SESSION_POINTS, k, &m->loop[k]);
    for (int k = 0; k < p.references; k++) read_loop(s, RS_SESSION_REFERENCES, k, &m->reference[k]);
    for (int k = 0; k < p.patches; k++)
        assert_ok(rs_session_read_patch(s, k, &m->patch[k], m->patch_data[k], &err), &err);
    for (int i = 6; p.patches && i < SIM_PATCH * SIM_PATCH; i++) m->patch_data[0][i] = 0;
    assert_ok(rs_session_read_drift(s, 0, p.drifts, m->drift, &err), &err);
    assert_ok(rs_session_read_events(s, 0, p.events, m->event, &err), &err);
}

/* ------------------------------------------------------------------------------------ comparing */
static bool same_float(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(a[i] == b[i] || (isnan(a[i]) && isnan(b[i])))) return false;
    return true;
}
#define SAME_FLOATS(f)                                                                             \
    same_float((const float *)(const void *)a->f, (const float *)(const void *)b->f,               \
               sizeof a->f / sizeof(float))

static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static bool same_arrival(const rs_session_arrival *a, const rs_session_arrival *b)
{
    return a->state == b->state && a->nans == b->nans && a->order == b->order &&
           a->frame == b->frame && same(a->time, b->time) && same(a->acquired, b->acquired);
}

static bool same_processed(const rs_session_processed *a, const rs_session_processed *b)
{
    return same(a->latency, b->latency) && same(a->inference, b->inference) && a->lag == b->lag &&
           a->coalesced == b->coalesced && a->alarm == b->alarm && same(a->score, b->score);
}

static bool same_point(const rs_session_point *a, const rs_session_point *b)
{
    return same(a->row, b->row) && same(a->col, b->col) && same(a->x, b->x) && same(a->y, b->y) &&
           same(a->device_x, b->device_x) && same(a->device_y, b->device_y) &&
           same(a->measured_x, b->measured_x) && same(a->measured_y, b->measured_y) &&
           same(a->time, b->time) && a->target == b->target && a->wall == b->wall &&
           a->kind == b->kind && a->state == b->state;
}

static bool same_loop(const sim_loop *a, const sim_loop *b)
{
    bool ok = SAME_FLOATS(spectra) && SAME_FLOATS(array) && same(a->x, b->x) && same(a->y, b->y) &&
              same(a->time, b->time);
    for (int i = 0; ok && i < SIM_METRICS; i++) ok = same(a->metric[i], b->metric[i]);
    return ok;
}

static bool same_logs(const sim_model *a, const sim_model *b)
{
    bool ok = true;
    for (int i = 0; ok && i < a->events; i++)
        ok = a->event[i].time == b->event[i].time && a->event[i].level == b->event[i].level &&
             strcmp(a->event[i].text, b->event[i].text) == 0;
    return ok && memcmp(a->patch, b->patch, sizeof a->patch) == 0 && SAME_FLOATS(patch_data) &&
           a->drift[0].time == b->drift[0].time && a->drift[0].dx == b->drift[0].dx &&
           a->drift[0].dy == b->drift[0].dy && a->drift[0].vx == b->drift[0].vx &&
           a->drift[0].vy == b->drift[0].vy && a->drift[0].sigma == b->drift[0].sigma &&
           a->drift[0].source == b->drift[0].source;
}

bool sim_equal(const sim_model *a, const sim_model *b)
{
    bool ok = a->points == b->points && a->references == b->references &&
              a->patches == b->patches && a->drifts == b->drifts && a->events == b->events &&
              a->order == b->order && SAME_FLOATS(channel) && SAME_FLOATS(spectra) &&
              SAME_FLOATS(map) && memcmp(a->mask, b->mask, sizeof a->mask) == 0 &&
              memcmp(a->state, b->state, sizeof a->state) == 0;
    for (int i = 0; ok && i < SIM_ROWS; i++)
        ok = same_arrival(&a->arrival[0][i], &b->arrival[0][i]) &&
             same_arrival(&a->arrival[1][i], &b->arrival[1][i]) &&
             same_processed(&a->processed[i], &b->processed[i]);
    for (int i = 0; ok && i < a->points; i++)
        ok = same_point(&a->point[i], &b->point[i]) && same_loop(&a->loop[i], &b->loop[i]);
    for (int i = 0; ok && i < a->references; i++)
        ok = same_loop(&a->reference[i], &b->reference[i]);
    return ok && same_logs(a, b);
}

int sim_find(rs_session *s, int least)
{
    static sim_model there, model;
    sim_read(s, &there);
    sim_after(&model, least);
    for (int n = least; n <= sim_puts(); n++) {
        if (sim_equal(&there, &model)) return n;
        if (n < sim_puts()) sim_put(&model, NULL, n, NULL);
    }
    return -1;
}

void sim_remove(const char *path)
{
    char journal[4096];
    snprintf(journal, sizeof journal, "%s.journal", path);
    remove(path);
    remove(journal);
}

rs_session *sim_begin(const char *path, int n, int sync_every, sim_model *m)
{
    reshed_error err = {0};
    rs_session *s = NULL;
    sim_remove(path);
    assert_ok(rs_session_create(path, sim_setup(), sync_every, &s, &err), &err);
    sim_after(m, 0);
    for (int k = 0; k < n; k++) assert_ok(sim_put(m, s, k, &err), &err);
    return s;
}

void sim_assert_holds(rs_session *s, int n)
{
    sim_model *there = rs_alloc(2, sizeof *there), *model = there + 1;
    assert_non_null(there);
    sim_read(s, there);
    sim_after(model, n);
    assert_true(sim_equal(there, model));
    rs_free(there);
}

bool session_has_event(const char *path, const char *text)
{
    reshed_error err = {0};
    rs_session *s = NULL;
    rs_session_progress p;
    bool found = false;
    assert_ok(rs_session_open(path, &s, &err), &err);
    assert_ok(rs_session_get_progress(s, &p, &err), &err);
    for (int i = 0; i < p.events; i++) {
        rs_session_event e;
        assert_ok(rs_session_read_events(s, i, 1, &e, &err), &err);
        found |= strstr(e.text, text) != NULL;
    }
    rs_session_finish(s, RESHED_OK, NULL);
    return found;
}
