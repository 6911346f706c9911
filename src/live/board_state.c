/* The board as JSON. What is large is copied under the lock and written outside it. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "live/private.h"

static const char *const phase_word[] = {"starting", "survey", "rescan", "choose",  "confirm",
                                         "loops",    "ending", "done",   "stopped", "failed"};

static const struct {
    const char *name, *title, *unit, *kind;
} map_text[RS_SESSION_MAPS] = {
    [RS_SESSION_AMPLITUDE] = {"amplitude", "Amplitude", NULL, "value"},
    [RS_SESSION_FREQUENCY] = {"frequency", "Resonance frequency", "Hz", "value"},
    [RS_SESSION_Q] = {"q", "Quality factor", "", "value"},
    [RS_SESSION_PHASE] = {"phase", "Phase", "rad", "angle"},
    [RS_SESSION_MEAN] = {"probability", "Wall probability", "", "probability"},
    [RS_SESSION_VARIANCE] = {"variance", "Variance of the members", "", "variance"},
};
static const rs_session_map map_order[RS_SESSION_MAPS] = {
    RS_SESSION_AMPLITUDE, RS_SESSION_PHASE, RS_SESSION_FREQUENCY,
    RS_SESSION_Q,         RS_SESSION_MEAN,  RS_SESSION_VARIANCE};

int rs_board_map_find(const char *name)
{
    for (int i = 0; i < RS_SESSION_MAPS; i++)
        if (strcmp(map_text[i].name, name) == 0) return i;
    return -1;
}

/* --------------------------------------------------------------------- sections, under the lock */

static void put_source(const rs_board *b, rs_json *j)
{
    rs_json_object(j, "source");
    rs_json_string(j, "kind", b->kind);
    rs_json_string(j, "name", b->name);
    rs_json_bool(j, "writing", b->writing);
    rs_json_string(j, "sample", b->sample);
    rs_json_string(j, "started", b->started);
    rs_json_end(j);
}

static void put_frame(const rs_board *b, rs_json *j)
{
    const rs_frame *f = &b->frame;
    if (f->rows <= 0) {
        rs_json_null(j, "frame");
        return;
    }
    rs_json_object(j, "frame");
    rs_json_integer(j, "rows", f->rows);
    rs_json_integer(j, "cols", f->cols);
    rs_json_number(j, "width", f->width);
    rs_json_number(j, "height", f->height);
    rs_json_number(j, "x", f->cx);
    rs_json_number(j, "y", f->cy);
    rs_json_number(j, "angle", f->angle);
    rs_json_number(j, "line_rate", f->line_rate);
    rs_json_bool(j, "upward", f->upward);
    rs_json_end(j);
}

static void put_maps(const rs_board *b, rs_json *j)
{
    rs_json_array(j, "maps");
    for (int i = 0; i < RS_SESSION_MAPS; i++) {
        const rs_session_map m = map_order[i];
        rs_json_object(j, NULL);
        rs_json_string(j, "name", map_text[m].name);
        rs_json_string(j, "title", map_text[m].title);
        rs_json_string(j, "unit", map_text[m].unit ? map_text[m].unit : b->amplitude_unit);
        rs_json_string(j, "kind", map_text[m].kind);
        rs_json_bool(j, "there", b->there[m]);
        rs_json_end(j);
    }
    rs_json_end(j);
}

static void put_run(const rs_board *b, rs_json *j)
{
    const double end = isfinite(b->run.ended) ? b->run.ended : rs_os_monotonic();
    rs_json_object(j, "run");
    rs_json_string(j, "phase", phase_word[b->run.phase]);
    rs_json_bool(j, "paused", b->run.paused);
    rs_json_string(j, "text", b->run.text);
    rs_json_number(j, "elapsed", end - b->run.begun);
    rs_json_number(j, "left", b->run.left);
    rs_json_end(j);
}

static void put_scan(const rs_board *b, rs_json *j)
{
    const rs_board_scan *s = &b->scan;
    rs_json_object(j, "scan");
    rs_json_integer(j, "row", s->row);
    rs_json_integer(j, "arrived", s->arrived);
    rs_json_integer(j, "lost", s->lost);
    rs_json_integer(j, "waiting", s->waiting);
    rs_json_integer(j, "pauses", s->pauses);
    rs_json_number(j, "rate", b->rate);
    rs_json_integer(j, "lag", s->lag);
    rs_json_number(j, "latency", s->latency);
    rs_json_bool(j, "alarm", s->alarm);
    rs_json_string(j, "fault", b->fault);
    rs_json_end(j);
}

/* The rows' states, a digit each. */
void rs_put_states(const rs_board *b, rs_json *j, const char *key, int from, int to)
{
    char *text = rs_alloc((size_t)(to - from) + 1, 1);
    for (int y = from; text && y < to; y++) text[y - from] = (char)('0' + b->state[y] % 10);
    if (text) text[to - from] = '\0';
    rs_json_string(j, key, text ? text : "");
    rs_free(text);
}

static void put_rows(const rs_board *b, rs_json *j)
{
    rs_json_object(j, "rows");
    rs_put_states(b, j, "states", 0, b->frame.rows);
    rs_json_end(j);
}

static void put_metrics(const rs_board *b, rs_json *j)
{
    rs_json_array(j, "metrics");
    for (int i = 0; i < b->metrics; i++) {
        rs_json_object(j, NULL);
        rs_json_string(j, "name", b->metric[i].name);
        rs_json_string(j, "unit", b->metric[i].unit);
        rs_json_end(j);
    }
    rs_json_end(j);
}

static void put_loops(const rs_board *b, rs_json *j)
{
    enum { LATEST = 8 };
    int latest[LATEST], n = 0;
    for (int k = 0; k < b->points; k++) { /* the LATEST with the largest numbers, newest first */
        if (!b->point[k].has_loop) continue;
        int at = n < LATEST ? n++ : LATEST;
        for (; at > 0 && b->point[latest[at - 1]].number < b->point[k].number; at--)
            if (at < LATEST) latest[at] = latest[at - 1];
        if (at < LATEST) latest[at] = k;
    }
    rs_json_object(j, "loops");
    if (b->under_way >= 0)
        rs_json_integer(j, "under_way", b->under_way);
    else
        rs_json_null(j, "under_way");
    rs_json_array(j, "latest");
    for (int i = 0; i < n; i++) rs_json_integer(j, NULL, latest[i]);
    rs_json_end(j);
    rs_json_number(j, "seconds", b->loop_seconds);
    rs_json_number(j, "left", b->loop_left);
    rs_json_end(j);
}

static void put_test(rs_json *j, const char *key, const rs_board_test *t)
{
    if (!isfinite(t->p)) {
        rs_json_null(j, key);
        return;
    }
    rs_json_object(j, key);
    rs_json_number(j, "p", t->p);
    rs_json_number(j, "effect", t->effect);
    rs_json_integer(j, "walls", t->walls);
    rs_json_end(j);
}

static void put_walls(const rs_board *b, rs_json *j)
{
    if (!b->has_walls) {
        rs_json_null(j, "walls");
        return;
    }
    rs_json_object(j, "walls");
    rs_json_integer(j, "walls", b->walls);
    rs_json_integer(j, "families", b->families);
    put_test(j, "alternation", &b->alternation);
    put_test(j, "lengths", &b->lengths);
    rs_json_end(j);
}

static void put_confirm(const rs_board *b, rs_json *j)
{
    if (!b->has_cost) {
        rs_json_null(j, "confirm");
        return;
    }
    rs_json_object(j, "confirm");
    rs_json_integer(j, "count", b->cost.count);
    rs_json_number(j, "seconds", b->cost.seconds);
    rs_json_number(j, "pulses", b->cost.pulses);
    rs_json_number(j, "left", b->cost.until - rs_os_monotonic());
    rs_json_end(j);
}

static void put_settings(const rs_board *b, rs_json *j)
{
    rs_json_object(j, "settings");
    for (int i = 0; i < b->settings; i++)
        rs_json_string(j, b->setting[i].name, b->setting[i].value);
    rs_json_end(j);
}

void rs_put_entry(const board_entry *e, rs_json *j)
{
    rs_json_object(j, NULL);
    rs_json_integer(j, "number", e->number);
    rs_json_number(j, "time", e->time);
    rs_json_integer(j, "level", e->level);
    rs_json_string(j, "text", e->text);
    rs_json_end(j);
}

int rs_first_kept(int n, int room)
{
    return n > room ? n - room : 0;
}

static void put_log(const rs_board *b, rs_json *j)
{
    rs_json_array(j, "log");
    for (int i = rs_first_kept(b->logs, RS_BOARD_LOG); i < b->logs; i++)
        rs_put_entry(&b->log[i % RS_BOARD_LOG], j);
    rs_json_end(j);
}

static void put_labels(const rs_board *b, rs_json *j, const char *key)
{
    if (!b->has_labels) {
        rs_json_null(j, key);
        return;
    }
    rs_json_object(j, key);
    rs_json_string(j, "label", b->label);
    rs_json_string(j, "ignore", b->ignore);
    rs_json_string(j, "command", b->command);
    rs_json_end(j);
}

void rs_put_viewer(const rs_board_viewer *v, rs_json *j)
{
    rs_json_object(j, "viewer");
    rs_json_bool(j, "may_steer", v->may_steer);
    rs_json_bool(j, "has_wheel", v->has_wheel);
    rs_json_integer(j, "others", v->others);
    rs_json_end(j);
}

/* The small ones, by number of section; NULL: large. */
static void (*const put_section[SECTIONS])(const rs_board *b, rs_json *j) = {
    [SECTION_SOURCE] = put_source,   [SECTION_FRAME] = put_frame,       [SECTION_MAPS] = put_maps,
    [SECTION_RUN] = put_run,         [SECTION_SCAN] = put_scan,         [SECTION_ROWS] = put_rows,
    [SECTION_METRICS] = put_metrics, [SECTION_LOOPS] = put_loops,       [SECTION_WALLS] = put_walls,
    [SECTION_CONFIRM] = put_confirm, [SECTION_SETTINGS] = put_settings, [SECTION_LOG] = put_log};

/* --------------------------------------------------------------------------- sections, copied */

static void copy_lines(const rs_board *b, rs_copied *c)
{
    c->threshold = b->threshold;
    c->line = rs_alloc((size_t)b->lines + 1, sizeof *c->line);
    if (!c->line) return;
    if (b->lines) memcpy(c->line, b->line, (size_t)b->lines * sizeof *c->line);
    c->lines = b->lines;
}

static void copy_points(const rs_board *b, rs_copied *c)
{
    const size_t n = (size_t)b->points, m = (size_t)b->metrics;
    c->point = rs_alloc(n + 1, sizeof *c->point);
    c->value = rs_alloc(n * m + 1, sizeof *c->value);
    if (!c->point || !c->value) return;
    if (n) memcpy(c->point, b->point, n * sizeof *c->point);
    if (n > 0 && m > 0) memcpy(c->value, b->value, n * m * sizeof *c->value);
    c->points = b->points;
    c->metrics = b->metrics;
}

void rs_free_copied(rs_copied *c)
{
    rs_free(c->line);
    rs_free(c->point);
    rs_free(c->value);
}

static void put_lines(const rs_copied *c, rs_json *j)
{
    rs_json_object(j, "lines");
    rs_json_array(j, "row");
    for (int i = 0; i < c->lines; i++) rs_json_integer(j, NULL, c->line[i].row);
    rs_json_end(j);
    rs_json_array(j, "score");
    for (int i = 0; i < c->lines; i++) rs_json_number(j, NULL, c->line[i].score);
    rs_json_end(j);
    rs_json_array(j, "uncertainty");
    for (int i = 0; i < c->lines; i++) rs_json_number(j, NULL, c->line[i].uncertainty);
    rs_json_end(j);
    rs_json_number(j, "threshold", c->threshold);
    rs_json_end(j);
}

void rs_put_values(const double *value, int n, bool there, rs_json *j)
{
    if (!there) {
        rs_json_null(j, "metrics");
        return;
    }
    rs_json_array(j, "metrics");
    for (int i = 0; i < n; i++) rs_json_number(j, NULL, value[i]);
    rs_json_end(j);
}

static void put_points(const rs_copied *c, rs_json *j)
{
    int measured = 0;
    rs_json_object(j, "points");
    rs_json_array(j, "list");
    for (int k = 0; k < c->points; k++) {
        const board_point *p = &c->point[k];
        rs_json_object(j, NULL);
        rs_json_integer(j, "index", k);
        rs_json_number(j, "row", p->point.row);
        rs_json_number(j, "col", p->point.col);
        rs_json_integer(j, "state", p->point.state);
        rs_json_integer(j, "wall", p->point.wall);
        rs_put_values(c->value + (size_t)k * (size_t)c->metrics, c->metrics, p->has_loop, j);
        rs_json_end(j);
        measured += p->point.state == RS_SESSION_MEASURED;
    }
    rs_json_end(j);
    rs_json_integer(j, "measured", measured);
    rs_json_end(j);
}

/* ---------------------------------------------------------------------------------------- state */

/* Small sections that changed after since into out, and copies of the large ones. */
void rs_put_changed(rs_board *b, int64_t since, rs_json *j, rs_copied *c)
{
    for (int i = 0; i < SECTIONS; i++) {
        if (b->section[i] <= since) continue;
        if (put_section[i])
            put_section[i](b, j);
        else if (i == SECTION_LABELS)
            put_labels(b, j, "labels");
        else if (i == SECTION_LINES)
            copy_lines(b, c);
        else
            copy_points(b, c);
    }
}

void rs_put_copied(const rs_copied *c, rs_json *j)
{
    if (c->line) put_lines(c, j);
    if (c->point) put_points(c, j);
}

void rs_board_state(rs_board *b, const rs_board_viewer *viewer, FILE *out)
{
    rs_copied c = {0};
    rs_json j = rs_json_to(out);
    rs_json_object(&j, NULL);
    rs_json_integer(&j, "protocol", 1);
    rs_monitor_enter(b->lock);
    rs_json_integer(&j, "number", b->number);
    rs_json_string(&j, "program", b->program);
    rs_put_viewer(viewer, &j);
    rs_put_changed(b, -1, &j, &c);
    rs_monitor_leave(b->lock);
    rs_put_copied(&c, &j);
    rs_json_end(&j);
    rs_free_copied(&c);
}

bool rs_board_labels_json(rs_board *b, FILE *out)
{
    rs_json j = rs_json_to(out);
    rs_monitor_enter(b->lock);
    const bool there = b->has_labels;
    if (there) put_labels(b, &j, NULL);
    rs_monitor_leave(b->lock);
    return there;
}
