/* What is below /api/. */
#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/os.h"
#include "base/text.h"
#include "live/action.h"
#include "live/server_private.h"

/* s that an action waits for its answer. */
#define PATIENCE 2.0
/* Bytes of rows in one answer, or one row: they are kept until the slowest reader has them. */
#define ROWS ((size_t)1 << 20)

/* -------------------------------------------------------------------------------------- reading */

/* A whole number from an argument; false: it is not one. Without it *out stays. */
static bool take_count(const rs_request *r, const char *name, int *out)
{
    const char *text = rs_argument(r, name);
    long v = 0;
    if (!text) return true;
    if (!*text || strlen(text) > 9) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        v = 10 * v + (*text - '0');
    }
    *out = (int)v;
    return true;
}

/* Closes f, whose text is the answer; absent: 404. */
static enum MHD_Result answer_json(rs_request *r, FILE *f, char **text, const size_t *n, bool there)
{
    fclose(f);
    if (there) return rs_answer(r, MHD_HTTP_OK, "application/json", *text, *n);
    rs_free(*text);
    return rs_answer_error(r, MHD_HTTP_NOT_FOUND, "nothing there");
}

static enum MHD_Result get_state(rs_request *r)
{
    char *text;
    size_t n;
    FILE *f = rs_os_memory_stream(&text, &n);
    if (!f) return MHD_NO;
    const rs_board_viewer v = rs_viewer_of(r->server, r->right, r->viewer);
    rs_board_state(r->server->o.board, &v, f);
    return answer_json(r, f, &text, &n, true);
}

static enum MHD_Result get_loop(rs_request *r)
{
    char *text;
    size_t n;
    int k = -1, average = 0;
    if (!take_count(r, "index", &k) || !take_count(r, "average", &average) || (k < 0 && !average))
        return rs_answer_error(r, MHD_HTTP_BAD_REQUEST, "index=N or average=1");
    FILE *f = rs_os_memory_stream(&text, &n);
    if (!f) return MHD_NO;
    const bool there = average ? rs_board_average_json(r->server->o.board, f)
                               : rs_board_loop_json(r->server->o.board, k, f);
    return answer_json(r, f, &text, &n, there);
}

/* Values are stored as they are in memory, turned where that is not little-endian. */
static void to_little_endian(float *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &v[i], 4);
        const uint8_t bytes[4] = {(uint8_t)bits, (uint8_t)(bits >> 8), (uint8_t)(bits >> 16),
                                  (uint8_t)(bits >> 24)};
        memcpy(&v[i], bytes, 4);
    }
}

static enum MHD_Result get_rows(rs_request *r)
{
    rs_board *b = r->server->o.board;
    const char *name = rs_argument(r, "map");
    int rows, cols, from = 0;
    int64_t number;
    char text[24];
    rs_board_size(b, &rows, &cols);
    int count = rows;
    const int map = name ? rs_board_map_find(name) : -1;
    if (map < 0) return rs_answer_error(r, MHD_HTTP_NOT_FOUND, "no such map");
    const bool understood = take_count(r, "from", &from) && from <= rows;
    if (understood && !rs_argument(r, "count")) count = rows - from;
    if (!understood || !take_count(r, "count", &count) || count > rows - from)
        return rs_answer_error(r, MHD_HTTP_BAD_REQUEST, "from and count: rows of the frame");
    const size_t n = (size_t)count * (size_t)cols;
    if (n > ROWS / sizeof(float) && count > 1)
        return rs_answer_error(r, MHD_HTTP_CONTENT_TOO_LARGE, "fewer rows at a time");
    float *v = rs_alloc(n + 1, sizeof *v);
    if (!v) return MHD_NO;
    if (!rs_board_read(b, map, rows, cols, from, count, v, &number)) {
        rs_free(v);
        return rs_answer_error(r, MHD_HTTP_NOT_FOUND, "nothing there");
    }
    to_little_endian(v, n);
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(n * sizeof *v, v, rs_free);
    if (!response) {
        rs_free(v);
        return MHD_NO;
    }
    snprintf(text, sizeof text, "%lld", (long long)number);
    MHD_add_response_header(response, "X-Reshed-Number", text);
    return rs_answer_with(r, MHD_HTTP_OK, "application/octet-stream", response);
}

static enum MHD_Result get_labels(rs_request *r)
{
    int rows, cols;
    uint8_t *both = r->server->o.labels ? rs_labels_get(r->server->o.labels, &rows, &cols) : NULL;
    if (!both) return rs_answer_error(r, MHD_HTTP_NOT_FOUND, "no labels yet");
    return rs_answer(r, MHD_HTTP_OK, "application/octet-stream", (char *)both,
                     2 * (size_t)rows * (size_t)cols);
}

/* --------------------------------------------------------------------------------------- action */

static enum MHD_Result answer_done(rs_request *r, const char *id, bool done, const char *what)
{
    char *text;
    size_t n;
    FILE *f = rs_os_memory_stream(&text, &n);
    if (!f) return MHD_NO;
    rs_json j = rs_json_to(f);
    rs_json_object(&j, NULL);
    rs_json_string(&j, "id", id);
    if (what) rs_json_bool(&j, "done", done);
    if (what)
        rs_json_string(&j, "what", what);
    else
        rs_json_bool(&j, "pending", true);
    rs_json_end(&j);
    fclose(f);
    return rs_answer(r, what ? MHD_HTTP_OK : MHD_HTTP_ACCEPTED, "application/json", text, n);
}

static enum MHD_Result get_action(rs_request *r)
{
    char what[RS_BOARD_TEXT];
    bool done;
    const char *id = rs_argument(r, "id");
    if (!id) return rs_answer_error(r, MHD_HTTP_BAD_REQUEST, "id=...");
    if (rs_board_answered(r->server->o.board, id, &done, what))
        return answer_done(r, id, done, what);
    if (r->server->o.mailbox && rs_mailbox_knows(r->server->o.mailbox, id))
        return answer_done(r, id, false, NULL);
    return rs_answer_error(r, MHD_HTTP_NOT_FOUND, "no such action");
}

static enum MHD_Result send_order(rs_request *r, const rs_order *o)
{
    rs_mailbox *m = r->server->o.mailbox;
    char what[RS_BOARD_TEXT];
    bool done;
    switch (rs_mailbox_send(m, o)) {
    case RS_MAILBOX_FULL:
        return rs_answer_error(r, MHD_HTTP_TOO_MANY_REQUESTS, "too many actions wait");
    case RS_MAILBOX_CLOSED: return rs_answer_error(r, MHD_HTTP_CONFLICT, "the run is over");
    case RS_MAILBOX_PUT:
    case RS_MAILBOX_KNOWN: break;
    }
    const bool there = rs_mailbox_wait(
        m, o->id, r->server->o.patience > 0 ? r->server->o.patience : PATIENCE, &done, what);
    return answer_done(r, o->id, there && done, there ? what : NULL);
}

static enum MHD_Result post_action(rs_request *r)
{
    reshed_error err = {0};
    char text[512];
    bool take = false;
    enum MHD_Result ok;
    rs_order *o = rs_zalloc(1, sizeof *o);
    if (!o) return MHD_NO;
    if (rs_action_read(r->body, r->n, o, &take, &err) != RESHED_OK) {
        ok = rs_answer_error(r, MHD_HTTP_BAD_REQUEST, reshed_error_text(&err, text, sizeof text));
    } else if (!r->server->o.mailbox) {
        ok = rs_answer_error(r, MHD_HTTP_CONFLICT,
                             "nothing to steer: this is no run of this program");
    } else if (take) {
        rs_wheel_take(r->server, r->viewer);
        ok = answer_done(r, o->id, true, "this viewer steers");
    } else if (o->kind != RS_ORDER_STOP && !rs_wheel_try(r->server, r->viewer)) {
        /* A halt is always safe, and whoever sees the need may not be the one who steers. */
        ok = rs_answer_error(r, MHD_HTTP_CONFLICT, "another viewer steers");
    } else {
        snprintf(o->who, sizeof o->who, "viewer %s", *r->viewer ? r->viewer : "without a name");
        ok = send_order(r, o);
    }
    rs_free(o);
    return ok;
}

/* --------------------------------------------------------------------------------------- labels */

static enum MHD_Result post_labels(rs_request *r)
{
    rs_server *s = r->server;
    reshed_error err = {0};
    char why[512], *text;
    int rows, cols;
    size_t n;
    if (!s->o.labels) return rs_answer_error(r, MHD_HTTP_CONFLICT, "no labels are taken here");
    if (s->o.mailbox && !rs_wheel_try(s, r->viewer))
        return rs_answer_error(r, MHD_HTTP_CONFLICT, "another viewer steers");
    rs_board_size(s->o.board, &rows, &cols);
    const size_t px = (size_t)rows * (size_t)cols;
    if (px == 0 || r->n != 2 * px)
        return rs_answer_error(r, MHD_HTTP_BAD_REQUEST, "two rasters of the frame's size");
    const uint8_t *both = (const uint8_t *)r->body;
    const reshed_status st = rs_labels_save(s->o.labels, rows, cols, both, both + px, &err);
    if (st != RESHED_OK)
        return rs_answer_error(
            r, st == RESHED_EINVAL ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_INTERNAL_SERVER_ERROR,
            reshed_error_text(&err, why, sizeof why));
    FILE *f = rs_os_memory_stream(&text, &n);
    if (!f) return MHD_NO;
    return answer_json(r, f, &text, &n, rs_board_labels_json(s->o.board, f));
}

/* -------------------------------------------------------------------------------------- routing */

size_t rs_api_room(const rs_server *s, const char *path)
{
    int rows, cols;
    if (strcmp(path, "/api/action") == 0) return RS_SERVER_ACTION;
    if (strcmp(path, "/api/labels") != 0) return 0;
    rs_board_size(s->o.board, &rows, &cols);
    const size_t n = 2 * (size_t)rows * (size_t)cols;
    return n == 0 || n > RS_SERVER_LABELS ? 1 : n;
}

enum MHD_Result rs_api_get(rs_request *r)
{
    static const struct {
        const char *path;
        enum MHD_Result (*get)(rs_request *r);
    } table[] = {{"/api/state", get_state},   {"/api/events", rs_stream_open},
                 {"/api/rows", get_rows},     {"/api/loop", get_loop},
                 {"/api/action", get_action}, {"/api/labels", get_labels}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].path, r->path) == 0) return table[i].get(r);
    return rs_answer_error(r, MHD_HTTP_NOT_FOUND, "nothing there");
}

enum MHD_Result rs_api_post(rs_request *r)
{
    const bool action = strcmp(r->path, "/api/action") == 0;
    const char *type = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
                                                   MHD_HTTP_HEADER_CONTENT_TYPE),
               *want = action ? "application/json" : "application/octet-stream";
    if (!type || !rs_text_begins(type, want) ||
        (type[strlen(want)] != '\0' && type[strlen(want)] != ';'))
        return rs_answer_error(r, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, want);
    if (r->n != r->room) return rs_answer_error(r, MHD_HTTP_BAD_REQUEST, "the body is cut");
    return action ? post_action(r) : post_labels(r);
}
