/* What came after a number, as server-sent events. */
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "live/private.h"

/* --------------------------------------------------------------------------------------- events */

/* `id` comes first: an event that was not read to its end does not count. */
static rs_json begin_event(const rs_board *b, int64_t number, const char *name, FILE *out)
{
    fprintf(out, "id: %s-%lld\nevent: %s\ndata: ", b->epoch, (long long)number, name);
    return rs_json_to(out);
}

static void end_event(rs_json *j)
{
    rs_json_end(j); /* ends the line, too */
    fputc('\n', j->stream);
}

static void put_row_events(const rs_board *b, int64_t since, FILE *out)
{
    for (int g = 0; g < GROUPS; g++)
        for (int y = 0, from = -1; y <= b->frame.rows; y++) {
            const bool news = y < b->frame.rows && b->row[g][y] > since;
            if (news && from < 0) from = y;
            if (news || from < 0) continue;
            rs_json j = begin_event(b, since, "rows", out);
            rs_json_object(&j, NULL);
            rs_json_integer(&j, "from", from);
            rs_json_integer(&j, "to", y);
            rs_json_integer(&j, "front", b->scan.row);
            rs_json_string(&j, "maps", g == GROUP_NET ? "net" : "line");
            rs_put_states(b, &j, "states", from, y);
            end_event(&j);
            from = -1;
        }
}

static void put_line_events(const rs_board *b, int64_t since, FILE *out)
{
    int i = b->lines;
    while (i > 0 && b->line[i - 1].number > since) i--;
    for (; i < b->lines; i++) {
        rs_json j = begin_event(b, since, "line", out);
        rs_json_object(&j, NULL);
        rs_json_integer(&j, "row", b->line[i].row);
        rs_json_number(&j, "score", b->line[i].score);
        rs_json_number(&j, "uncertainty", b->line[i].uncertainty);
        end_event(&j);
    }
}

static void put_loop_events(const rs_board *b, int64_t since, FILE *out)
{
    for (int k = 0; k < b->points; k++) {
        const board_point *p = &b->point[k];
        if (p->number <= since) continue;
        rs_json j = begin_event(b, since, "loop", out);
        rs_json_object(&j, NULL);
        rs_json_integer(&j, "index", k);
        rs_json_integer(&j, "state", p->point.state);
        rs_put_values(b->value + (size_t)k * (size_t)b->metrics, b->metrics, p->has_loop, &j);
        end_event(&j);
    }
}

static void put_log_events(const rs_board *b, int64_t since, FILE *out)
{
    for (int i = rs_first_kept(b->logs, RS_BOARD_LOG); i < b->logs; i++) {
        const board_entry *e = &b->log[i % RS_BOARD_LOG];
        if (e->number <= since) continue;
        rs_json j = begin_event(b, since, "log", out);
        rs_put_entry(e, &j);
        fputc('\n', out);
    }
}

static void put_answer_events(const rs_board *b, int64_t since, FILE *out)
{
    for (int i = rs_first_kept(b->answers, RS_BOARD_ANSWERS); i < b->answers; i++) {
        const board_answer *a = &b->answer[i % RS_BOARD_ANSWERS];
        if (a->number <= since) continue;
        rs_json j = begin_event(b, since, "answer", out);
        rs_json_object(&j, NULL);
        rs_json_string(&j, "id", a->id);
        rs_json_bool(&j, "done", a->done);
        rs_json_string(&j, "what", a->what);
        end_event(&j);
    }
}

/* An end that is older than the viewer's first look is told with the others. */
static void put_end_event(const rs_board *b, int64_t since, FILE *out)
{
    if (b->ended <= since) return;
    rs_json j = begin_event(b, since, "end", out);
    rs_json_object(&j, NULL);
    rs_json_string(&j, "text", b->run.text);
    end_event(&j);
}

int64_t rs_board_events(rs_board *b, const rs_board_viewer *viewer, int64_t since, FILE *out)
{
    rs_copied c = {0};
    rs_monitor_enter(b->lock);
    const int64_t now = b->number;
    if (since > now) since = 0;
    /* What comes whole has its entries already; log and lines do so at the start and with a new frame. */
    const bool points = b->section[SECTION_POINTS] <= since,
               lines = since && b->section[SECTION_LINES] <= since,
               log = since && b->section[SECTION_LOG] <= since;
    rs_json j = begin_event(b, since, "state", out);
    rs_json_object(&j, NULL);
    rs_json_integer(&j, "number", now);
    if (since == 0) rs_json_integer(&j, "protocol", 1);
    if (since == 0) rs_json_string(&j, "program", b->program);
    rs_put_viewer(viewer, &j);
    rs_put_changed(b, since ? since : -1, &j, &c);
    /* Events stand after the state: where parts of it are written outside the lock, they wait. */
    const bool waits = c.line || c.point;
    char *rest = NULL;
    size_t n = 0;
    FILE *late = waits ? rs_os_memory_stream(&rest, &n) : out;
    if (!waits) end_event(&j);
    if (late) {
        put_row_events(b, since, late);
        if (lines) put_line_events(b, since, late);
        if (points) put_loop_events(b, since, late);
        if (log) put_log_events(b, since, late);
        if (since) put_answer_events(b, since, late);
        put_end_event(b, since, late);
    }
    rs_monitor_leave(b->lock);
    if (waits) {
        rs_put_copied(&c, &j);
        end_event(&j);
    }
    rs_free_copied(&c);
    if (waits && late) {
        fclose(late);
        if (rest) fwrite(rest, 1, n, out);
        rs_free(rest);
    }
    /* Only now the number counts: a stream that broke before begins again where it was. */
    fprintf(out, "id: %s-%lld\nevent: seen\ndata: %lld\n\n", b->epoch, (long long)now,
            (long long)now);
    return late ? now : since;
}
