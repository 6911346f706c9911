#include "live/board.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "live/private.h"

/* Rates of lines are means over about so many. */
#define RATE_LINES 5.0

static const bool net_map[RS_SESSION_MAPS] = {
    [RS_SESSION_MEAN] = true, [RS_SESSION_VARIANCE] = true};

/* --------------------------------------------------------------------------------------- making */

reshed_status rs_board_create(rs_board **out, reshed_error *err)
{
    rs_board *b = rs_zalloc(1, sizeof *b);
    uint8_t bytes[8];
    if (!b) return rs_fail_nomem(err, "a board", sizeof *b);
    reshed_status st = rs_os_random(bytes, sizeof bytes, err);
    if (st == RESHED_OK) st = rs_monitor_make(&b->lock, err);
    if (st != RESHED_OK) {
        rs_free(b);
        return st;
    }
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(b->epoch + 2 * i, 3, "%02x", (unsigned)bytes[i]);
    b->run.begun = rs_os_monotonic();
    b->run.left = b->threshold = b->rate = NAN;
    b->run.ended = NAN;
    b->under_way = -1;
    *out = b;
    return RESHED_OK;
}

static void clear_points(rs_board *b)
{
    rs_free(b->point);
    rs_free(b->value);
    rs_free(b->response);
    b->point = NULL;
    b->value = NULL;
    b->response = NULL;
    b->points = 0;
}

static void clear_frame(rs_board *b)
{
    for (int i = 0; i < RS_SESSION_MAPS; i++) {
        rs_free(b->map[i]);
        b->map[i] = NULL;
    }
    for (int g = 0; g < GROUPS; g++) {
        rs_free(b->row[g]);
        b->row[g] = NULL;
    }
    rs_free(b->state);
    rs_free(b->line);
    rs_free(b->metric);
    rs_free(b->voltage);
    rs_free(b->setting);
    b->state = NULL;
    b->line = NULL;
    b->metric = NULL;
    b->voltage = NULL;
    b->setting = NULL;
    b->lines = b->line_room = b->metrics = b->steps = b->settings = 0;
    clear_points(b);
    b->frame = (rs_frame){0};
    b->scan = (rs_board_scan){.row = -1, .latency = NAN, .score = NAN, .uncertainty = NAN};
    b->fault[0] = '\0';
    b->rate = NAN;
    b->under_way = -1;
    b->loop_seconds = b->loop_left = NAN;
    b->has_cost = b->has_walls = b->has_labels = false;
}

void rs_board_free(rs_board *b)
{
    if (!b) return;
    clear_frame(b);
    rs_monitor_free(b->lock);
    rs_free(b);
}

static void changed(rs_board *b, int section)
{
    b->section[section] = ++b->number;
}

/* Every change is seen at once: the poster does not wait. */
static void leave(rs_board *b)
{
    rs_monitor_notify(b->lock);
    rs_monitor_leave(b->lock);
}

static reshed_status make_frame(rs_board *b, const rs_session_setup *setup)
{
    const size_t h = (size_t)setup->frame.rows, n = h * (size_t)setup->frame.cols;
    bool ok = true;
    for (int i = 0; i < RS_SESSION_MAPS; i++) {
        ok &= (b->map[i] = rs_alloc(n, sizeof(float))) != NULL;
        for (size_t k = 0; b->map[i] && k < n; k++) b->map[i][k] = NAN;
        b->there[i] = i == RS_SESSION_AMPLITUDE || net_map[i] || setup->caps.bins > 0;
    }
    for (int g = 0; g < GROUPS; g++) ok &= (b->row[g] = rs_zalloc(h, sizeof *b->row[g])) != NULL;
    ok &= (b->state = rs_zalloc(h, 1)) != NULL;
    ok &= (b->line = rs_zalloc(h, sizeof *b->line)) != NULL;
    b->line_room = setup->frame.rows;
    b->metrics = setup->spectroscopy.steps > 0 ? setup->metrics : 0;
    b->steps = setup->spectroscopy.steps;
    b->fields = setup->spectroscopy.off_field ? 2 : 1;
    b->settings = setup->settings;
    ok &= (b->metric = rs_zalloc((size_t)b->metrics + 1, sizeof *b->metric)) != NULL;
    ok &= (b->voltage = rs_zalloc((size_t)b->steps + 1, sizeof *b->voltage)) != NULL;
    ok &= (b->setting = rs_zalloc((size_t)b->settings + 1, sizeof *b->setting)) != NULL;
    return ok ? RESHED_OK : RESHED_ENOMEM;
}

static void copy_setup(rs_board *b, const rs_session_setup *setup)
{
    b->frame = setup->frame;
    rs_text_copy(b->sample, sizeof b->sample, setup->sample ? setup->sample : "");
    rs_text_copy(b->started, sizeof b->started, setup->start_time ? setup->start_time : "");
    rs_text_copy(b->amplitude_unit, sizeof b->amplitude_unit,
                 setup->amplitude_unit ? setup->amplitude_unit : "V");
    if (b->metrics) memcpy(b->metric, setup->metric, (size_t)b->metrics * sizeof *b->metric);
    if (b->steps)
        memcpy(b->voltage, setup->spectroscopy.voltage, (size_t)b->steps * sizeof *b->voltage);
    for (int i = 0; i < b->settings; i++) {
        rs_text_copy(b->setting[i].name, sizeof b->setting[i].name, setup->setting[i].name);
        rs_text_copy(b->setting[i].value, sizeof b->setting[i].value, setup->setting[i].value);
    }
}

reshed_status rs_board_begin(rs_board *b, const rs_board_source *source,
                             const rs_session_setup *setup, reshed_error *err)
{
    rs_monitor_enter(b->lock);
    clear_frame(b);
    const reshed_status st = make_frame(b, setup);
    if (st == RESHED_OK) {
        copy_setup(b, setup);
        rs_text_copy(b->kind, sizeof b->kind, source->kind);
        rs_text_copy(b->name, sizeof b->name, source->name);
        rs_text_copy(b->program, sizeof b->program, source->program);
        b->writing = source->writing;
        b->threshold = source->threshold;
    } else {
        clear_frame(b);
    }
    for (int i = 0; i < SECTIONS; i++) changed(b, i);
    leave(b);
    if (st == RESHED_OK) return st;
    return rs_fail_nomem(err, "the maps that are shown",
                         (size_t)setup->frame.rows * (size_t)setup->frame.cols * sizeof(float));
}

/* -------------------------------------------------------------------------------------- posting */

void rs_board_run(rs_board *b, rs_board_phase phase, bool paused, const char *text)
{
    rs_monitor_enter(b->lock);
    const bool over = phase >= RS_BOARD_DONE;
    b->run.phase = phase;
    b->run.paused = paused;
    if (text) rs_text_copy(b->run.text, sizeof b->run.text, text);
    const bool resumed = !over && isfinite(b->run.ended); /* an interrupted session goes on */
    if (resumed) b->run.begun += rs_os_monotonic() - b->run.ended;
    b->run.ended = over ? rs_os_monotonic() : (double)NAN;
    if (over || resumed) b->writing = resumed;
    changed(b, SECTION_RUN);
    if (over || resumed) changed(b, SECTION_SOURCE);
    b->ended = over ? ++b->number : 0;
    leave(b);
}

void rs_board_elapsed(rs_board *b, double seconds)
{
    rs_monitor_enter(b->lock);
    b->run.begun = (isfinite(b->run.ended) ? b->run.ended : rs_os_monotonic()) - seconds;
    changed(b, SECTION_RUN);
    leave(b);
}

void rs_board_left(rs_board *b, double left)
{
    rs_monitor_enter(b->lock);
    b->run.left = left;
    changed(b, SECTION_RUN);
    leave(b);
}

static void add_line(rs_board *b, const rs_board_scan *s)
{
    const double now = s->time;
    int came = s->arrived - b->scan.arrived;
    if (s->entry == RS_BOARD_ENTRY && came <= 0) came = 1;
    if (s->arrived <= 0 || came <= 0) return;
    if (b->scan.arrived > 0 && now > b->rate_time) {
        const double rate = came / (now - b->rate_time), w = fmin(came / RATE_LINES, 1);
        b->rate = isfinite(b->rate) ? (1 - w) * b->rate + w * rate : rate;
    }
    b->rate_time = now;
    if (s->entry == RS_BOARD_NO_ENTRY) return;
    if (b->lines == b->line_room) { /* rows that were scanned again: the oldest go */
        memmove(b->line, b->line + 1, (size_t)(b->lines - 1) * sizeof *b->line);
        b->lines--;
    }
    b->line[b->lines++] = (board_line){s->row, s->score, s->uncertainty, ++b->number};
}

void rs_board_line(rs_board *b, const rs_board_scan *scan)
{
    rs_monitor_enter(b->lock);
    if (b->line_room > 0) {
        add_line(b, scan);
        b->scan = *scan;
        b->scan.fault = NULL;
        rs_text_copy(b->fault, sizeof b->fault, scan->fault ? scan->fault : "");
        changed(b, SECTION_SCAN);
    }
    leave(b);
}

/* Copies row y of the maps of one group where they differ; true when one did. */
static bool copy_row(rs_board *b, const float *const map[RS_SESSION_MAPS], int group, int y)
{
    const size_t w = (size_t)b->frame.cols, at = (size_t)y * w;
    bool differs = false;
    for (int m = 0; m < RS_SESSION_MAPS; m++) {
        if (!map[m] || net_map[m] != (group == GROUP_NET)) continue;
        if (memcmp(b->map[m] + at, map[m] + at, w * sizeof(float)) == 0) continue;
        memcpy(b->map[m] + at, map[m] + at, w * sizeof(float));
        differs = true;
    }
    return differs;
}

void rs_board_rows(rs_board *b, const float *const map[RS_SESSION_MAPS], const uint8_t *state,
                   bool all)
{
    rs_monitor_enter(b->lock);
    const int rows = b->state ? b->frame.rows : 0;
    bool late = false;
    for (int m = 0; m < RS_SESSION_MAPS && rows; m++) {
        const bool there = b->there[m] || (map[m] && m == RS_SESSION_PHASE);
        late |= there != b->there[m];
        b->there[m] = there;
    }
    if (late) changed(b, SECTION_MAPS);
    for (int y = 0; y < rows; y++) {
        const bool was_final = b->state[y] == RS_SESSION_FINAL;
        const bool same = b->state[y] == state[y];
        if (same && !all && (state[y] == RS_SESSION_UNSCANNED || was_final)) continue;
        for (int g = 0; g < GROUPS; g++)
            if (copy_row(b, map, g, y) || (g == GROUP_NET && !same)) b->row[g][y] = ++b->number;
        b->state[y] = state[y];
    }
    leave(b);
}

reshed_status rs_board_points(rs_board *b, const rs_session_point *point, int n, reshed_error *err)
{
    rs_monitor_enter(b->lock);
    clear_points(b);
    const size_t k = (size_t)n, m = (size_t)b->metrics, r = (size_t)b->fields * (size_t)b->steps;
    b->point = rs_zalloc(k + 1, sizeof *b->point);
    b->value = rs_alloc(k * m + 1, sizeof *b->value);
    b->response = rs_alloc(k * r + 1, sizeof *b->response);
    const bool ok = b->point && b->value && b->response;
    for (size_t i = 0; ok && i < k; i++) b->point[i].point = point[i];
    for (size_t i = 0; ok && i < k * m; i++) b->value[i] = NAN;
    for (size_t i = 0; ok && i < k * r; i++) b->response[i] = NAN;
    if (ok)
        b->points = n;
    else
        clear_points(b);
    changed(b, SECTION_POINTS);
    changed(b, SECTION_LOOPS);
    leave(b);
    return ok ? RESHED_OK
              : rs_fail_nomem(err, "points that are shown", k * (m + r) * sizeof(double));
}

void rs_board_loop(rs_board *b, int k, const rs_session_point *point, const rs_session_loop *loop)
{
    rs_monitor_enter(b->lock);
    if (k >= 0 && k < b->points) {
        const size_t m = (size_t)b->metrics, r = (size_t)b->fields * (size_t)b->steps;
        board_point *p = &b->point[k];
        p->point = *point;
        p->number = ++b->number;
        p->has_loop = loop != NULL;
        if (loop && loop->metric && m)
            memcpy(b->value + (size_t)k * m, loop->metric, m * sizeof *b->value);
        if (loop && loop->response && r)
            memcpy(b->response + (size_t)k * r, loop->response, r * sizeof *b->response);
        changed(b, SECTION_LOOPS);
    }
    leave(b);
}

void rs_board_loops(rs_board *b, int under_way, double seconds, double left)
{
    rs_monitor_enter(b->lock);
    b->under_way = under_way;
    b->loop_seconds = seconds;
    b->loop_left = left;
    changed(b, SECTION_LOOPS);
    leave(b);
}

void rs_board_confirm(rs_board *b, const rs_board_cost *cost)
{
    rs_monitor_enter(b->lock);
    b->has_cost = cost != NULL;
    if (cost) b->cost = *cost;
    changed(b, SECTION_CONFIRM);
    leave(b);
}

void rs_board_walls(rs_board *b, int walls, int families, const rs_board_test *alternation,
                    const rs_board_test *lengths)
{
    rs_monitor_enter(b->lock);
    b->has_walls = true;
    b->walls = walls;
    b->families = families;
    b->alternation = *alternation;
    b->lengths = *lengths;
    changed(b, SECTION_WALLS);
    leave(b);
}

void rs_board_log(rs_board *b, double time, rs_session_level level, const char *text)
{
    rs_monitor_enter(b->lock);
    board_entry *e = &b->log[b->logs++ % RS_BOARD_LOG];
    e->number = ++b->number;
    e->time = time;
    e->level = level;
    rs_text_copy(e->text, sizeof e->text, text);
    leave(b);
}

void rs_board_answer(rs_board *b, const char *id, bool done, const char *what)
{
    rs_monitor_enter(b->lock);
    board_answer *a = &b->answer[b->answers++ % RS_BOARD_ANSWERS];
    a->number = ++b->number;
    a->done = done;
    rs_text_copy(a->id, sizeof a->id, id);
    rs_text_copy(a->what, sizeof a->what, what);
    leave(b);
}

void rs_board_labels(rs_board *b, const char *label, const char *ignore, const char *command)
{
    rs_monitor_enter(b->lock);
    b->has_labels = true;
    rs_text_copy(b->label, sizeof b->label, label);
    rs_text_copy(b->ignore, sizeof b->ignore, ignore);
    rs_text_copy(b->command, sizeof b->command, command);
    changed(b, SECTION_LABELS);
    leave(b);
}

/* -------------------------------------------------------------------------------------- looking */

int64_t rs_board_number(rs_board *b)
{
    rs_monitor_enter(b->lock);
    const int64_t n = b->number;
    rs_monitor_leave(b->lock);
    return n;
}

int64_t rs_board_points_number(rs_board *b)
{
    rs_monitor_enter(b->lock);
    const int64_t n = b->section[SECTION_POINTS];
    rs_monitor_leave(b->lock);
    return n;
}

const char *rs_board_epoch(const rs_board *b)
{
    return b->epoch;
}

bool rs_board_wait(rs_board *b, int64_t since, double seconds)
{
    const double until = rs_os_monotonic() + seconds;
    rs_monitor_enter(b->lock);
    const int wakes = b->wakes;
    for (double left = seconds; !b->closed && b->number <= since && b->wakes == wakes && left > 0;
         left = until - rs_os_monotonic())
        rs_monitor_wait(b->lock, left);
    const bool open = !b->closed;
    rs_monitor_leave(b->lock);
    return open;
}

void rs_board_wake(rs_board *b)
{
    rs_monitor_enter(b->lock);
    b->wakes++;
    leave(b);
}

void rs_board_close(rs_board *b)
{
    rs_monitor_enter(b->lock);
    b->closed = true;
    leave(b);
}

void rs_board_size(rs_board *b, int *rows, int *cols)
{
    rs_monitor_enter(b->lock);
    *rows = b->frame.rows;
    *cols = b->frame.cols;
    rs_monitor_leave(b->lock);
}

bool rs_board_read(rs_board *b, int map, int rows, int cols, int from, int count, float *out,
                   int64_t *number)
{
    rs_monitor_enter(b->lock);
    const bool ok = map >= 0 && map < RS_SESSION_MAPS && rows > 0 && b->frame.rows == rows &&
                    b->frame.cols == cols && b->there[map] && from >= 0 && count >= 0 &&
                    count <= rows - from;
    if (ok)
        memcpy(out, b->map[map] + (size_t)from * (size_t)cols,
               (size_t)count * (size_t)cols * sizeof *out);
    *number = b->number;
    rs_monitor_leave(b->lock);
    return ok;
}

bool rs_board_answered(rs_board *b, const char *id, bool *done, char *what)
{
    bool found = false;
    rs_monitor_enter(b->lock);
    for (int i = 0; i < RS_BOARD_ANSWERS && i < b->answers; i++) {
        if (strcmp(b->answer[i].id, id) != 0) continue;
        *done = b->answer[i].done;
        memcpy(what, b->answer[i].what, RS_BOARD_TEXT);
        found = true;
    }
    rs_monitor_leave(b->lock);
    return found;
}
