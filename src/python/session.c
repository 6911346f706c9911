#include "python/rooms.h"

#include <string.h>

#include "base/alloc.h"
#include "python/points.h"
#include "spm/session/session.h"

struct rs_py_session {
    rs_session *session;
    float *line; /* [channels,cols], work of rs_py_session_lines */
};

reshed_status rs_py_session_open(const char *path, rs_py_session **out, reshed_error *err)
{
    rs_py_session *p = rs_zalloc(1, sizeof *p);
    if (!p) return rs_fail_nomem(err, "a session", sizeof *p);
    reshed_status st = rs_session_open(path, &p->session, err);
    if (st == RESHED_OK) {
        const rs_session_setup *s = rs_session_get_setup(p->session);
        const size_t n = (size_t)s->caps.channels * (size_t)s->frame.cols;
        p->line = rs_alloc(n, sizeof *p->line);
        if (!p->line) st = rs_fail_nomem(err, "a line", n * sizeof *p->line);
    }
    if (st != RESHED_OK) {
        rs_py_session_free(p);
        return st;
    }
    *out = p;
    return RESHED_OK;
}

void rs_py_session_free(rs_py_session *p)
{
    if (!p) return;
    rs_session_finish(p->session, RESHED_OK, NULL);
    rs_free(p->line);
    rs_free(p);
}

reshed_status rs_py_session_refresh(rs_py_session *p, reshed_error *err)
{
    return rs_session_refresh(p->session, err);
}

static int fields_of(const rs_session_setup *s)
{
    return s->spectroscopy.steps == 0 ? 0 : s->spectroscopy.off_field ? 2 : 1;
}

reshed_status rs_py_session_get(rs_py_session *p, rs_py_session_view *v, reshed_error *err)
{
    const rs_session_setup *s = rs_session_get_setup(p->session);
    const rs_frame *f = &s->frame;
    rs_session_progress g;
    const reshed_status st = rs_session_get_progress(p->session, &g, err);
    if (st != RESHED_OK) return st;
    *v = (rs_py_session_view){.complete = g.complete,
                              .live = g.live,
                              .rows = f->rows,
                              .cols = f->cols,
                              .channels = s->caps.channels,
                              .bins = s->caps.bins,
                              .retrace = s->caps.retrace,
                              .lines = g.lines,
                              .lost = g.lost,
                              .points = g.points,
                              .measured = g.measured,
                              .references = g.references,
                              .events = g.events,
                              .fields = fields_of(s),
                              .steps = s->spectroscopy.steps,
                              .spectrum_bins = s->spectrum_bins,
                              .metrics = s->metrics,
                              .cx = f->cx,
                              .cy = f->cy,
                              .width = f->width,
                              .height = f->height,
                              .angle = f->angle,
                              .line_rate = f->line_rate,
                              .upward = f->upward,
                              .start_time = s->start_time,
                              .region = s->region,
                              .sample = s->sample,
                              .operator_name = s->operator_name,
                              .program = s->program,
                              .driver = s->driver,
                              .instrument = s->caps.instrument,
                              .weights = s->weights,
                              .weights_sha256 = s->weights_sha256,
                              .norm = s->norm,
                              .amplitude_unit = s->amplitude_unit,
                              .voltage = s->spectroscopy.voltage,
                              .spectrum_frequency = s->spectrum_frequency,
                              .frequency = s->frequency,
                              .settings = s->settings};
    return RESHED_OK;
}

void rs_py_session_setting(const rs_py_session *p, int k, const char **name, const char **value)
{
    const rs_session_setup *s = rs_session_get_setup(p->session);
    const bool there = k >= 0 && k < s->settings;
    *name = there ? s->setting[k].name : "";
    *value = there ? s->setting[k].value : "";
}

void rs_py_session_channel(const rs_py_session *p, int k, const char **name, const char **unit)
{
    const rs_session_setup *s = rs_session_get_setup(p->session);
    const bool there = k >= 0 && k < s->caps.channels;
    *name = there ? s->caps.channel[k] : "";
    *unit = there ? s->caps.unit[k] : "";
}

void rs_py_session_metric(const rs_py_session *p, int k, const char **name, const char **unit)
{
    const rs_session_setup *s = rs_session_get_setup(p->session);
    const bool there = k >= 0 && k < s->metrics;
    *name = there ? s->metric[k].name : "";
    *unit = there ? s->metric[k].unit : "";
}

reshed_status rs_py_session_map(rs_py_session *p, int map, float *data, reshed_error *err)
{
    if (map < 0 || map >= RS_SESSION_MAPS)
        return rs_fail(err, RESHED_EINVAL, "map|0 to %d|%d", RS_SESSION_MAPS - 1, map);
    return rs_session_read_map(p->session, (rs_session_map)map, 0,
                               rs_session_get_setup(p->session)->frame.rows, data, err);
}

reshed_status rs_py_session_mask(rs_py_session *p, int mask, uint8_t *data, reshed_error *err)
{
    if (mask < 0 || mask >= RS_SESSION_MASKS)
        return rs_fail(err, RESHED_EINVAL, "mask|0 to %d|%d", RS_SESSION_MASKS - 1, mask);
    return rs_session_read_mask(p->session, (rs_session_mask)mask, 0,
                                rs_session_get_setup(p->session)->frame.rows, data, err);
}

reshed_status rs_py_session_states(rs_py_session *p, uint8_t *state, reshed_error *err)
{
    return rs_session_read_states(p->session, 0, rs_session_get_setup(p->session)->frame.rows,
                                  state, err);
}

reshed_status rs_py_session_lines(rs_py_session *p, int retrace, float *data, reshed_error *err)
{
    const rs_session_setup *s = rs_session_get_setup(p->session);
    const size_t cols = (size_t)s->frame.cols, pixels = cols * (size_t)s->frame.rows;
    if (retrace && !s->caps.retrace)
        return rs_fail(err, RESHED_EINVAL, "retrace|a session that has it|one of trace alone");
    for (int y = 0; y < s->frame.rows; y++) {
        rs_line line = {.cols = s->frame.cols, .channels = s->caps.channels, .channel = p->line};
        const reshed_status st =
            rs_session_read_line(p->session, y, retrace != 0, &line, NULL, err);
        if (st != RESHED_OK) return st;
        for (size_t c = 0; c < (size_t)s->caps.channels; c++)
            memcpy(data + c * pixels + (size_t)y * cols, p->line + c * cols, cols * sizeof *data);
    }
    return RESHED_OK;
}

rs_py_session_point rs_py_flat_point(const rs_session_point *q)
{
    return (rs_py_session_point){.row = q->row,
                                 .col = q->col,
                                 .x = q->x,
                                 .y = q->y,
                                 .measured_x = q->measured_x,
                                 .measured_y = q->measured_y,
                                 .time = q->time,
                                 .target = q->target,
                                 .wall = q->wall,
                                 .kind = q->kind,
                                 .state = (int)q->state};
}

reshed_status rs_py_session_points(rs_py_session *p, rs_py_session_point *point, int room,
                                   int *found, reshed_error *err)
{
    rs_session_progress g;
    reshed_status st = rs_session_get_progress(p->session, &g, err);
    if (st != RESHED_OK) return st;
    *found = g.points;
    if (g.points > room) return RESHED_OK;
    rs_session_point *raw = rs_alloc((size_t)g.points, sizeof *raw);
    if (!raw) return rs_fail_nomem(err, "points", (size_t)g.points * sizeof *raw);
    st = rs_session_read_points(p->session, 0, g.points, raw, err);
    for (int i = 0; st == RESHED_OK && i < g.points; i++) point[i] = rs_py_flat_point(&raw[i]);
    rs_free(raw);
    return st;
}

reshed_status rs_py_session_loop(rs_py_session *p, int k, float *response, double *metric,
                                 reshed_error *err)
{
    rs_session_loop loop = {.response = response, .metric = metric};
    return rs_session_read_loop(p->session, RS_SESSION_POINTS, k, &loop, err);
}

reshed_status rs_py_session_spectrum(rs_py_session *p, int k, float *spectra, reshed_error *err)
{
    const rs_session_setup *s = rs_session_get_setup(p->session);
    rs_spectrum out = {.steps = s->spectroscopy.steps,
                       .bins = s->spectrum_bins,
                       .fields = fields_of(s),
                       .spectra = spectra};
    return rs_session_read_spectrum(p->session, RS_SESSION_POINTS, k, &out, err);
}

reshed_status rs_py_session_event(rs_py_session *p, int k, double *time, int *level, char *text,
                                  reshed_error *err)
{
    rs_session_event e;
    const reshed_status st = rs_session_read_events(p->session, k, 1, &e, err);
    if (st != RESHED_OK) return st;
    *time = e.time;
    *level = (int)e.level;
    memcpy(text, e.text, sizeof e.text);
    return RESHED_OK;
}
