/* A viewer's event stream: one number, and the text that is on its way. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os.h"
#include "base/text.h"
#include "live/server_private.h"

/* s: the longest silence, and the shortest time between two looks at the board. */
#define SILENCE 5.0
#define PACE 0.04
/* Bytes that the library takes at once. */
#define PIECE 16384
/* Bytes of text whose room is kept for the next: a whole state is larger, and rare. */
#define KEPT ((size_t)64 * 1024)

typedef struct stream {
    rs_server *server;
    rs_right right;
    char viewer[RS_VIEWER];
    int64_t since;
    FILE *out; /* writes text; room of it is valid after fflush */
    char *text;
    size_t room, n, at;
    double last;
    bool over;
} stream;

/* "epoch-number", of this board; 0: from the start. */
static int64_t find_place(const rs_server *s, const char *id)
{
    const char *epoch = rs_board_epoch(s->o.board);
    const size_t n = strlen(epoch);
    int64_t number = 0;
    if (!id || strncmp(id, epoch, n) != 0 || id[n] != '-') return 0;
    for (const char *p = id + n + 1; *p; p++) {
        if (*p < '0' || *p > '9' || number > INT64_MAX / 10 - 10) return 0;
        number = 10 * number + (*p - '0');
    }
    return number;
}

static void forget_text(stream *s)
{
    if (s->out) fclose(s->out);
    rs_free(s->text);
    s->out = NULL;
    s->text = NULL;
}

/* The room for a text, empty. It is used again: a new one for each look, in the threads of many viewers, would
 * leave memory in pieces over a day. */
static FILE *begin_text(stream *s)
{
    if (s->n > KEPT) forget_text(s);
    s->n = s->at = 0;
    if (!s->out)
        s->out = rs_os_memory_stream(&s->text, &s->room);
    else
        rewind(s->out);
    return s->out;
}

/* Fills s->text with what is new, or with a sign of life; with nothing when memory is short. */
static void look(stream *s, bool first)
{
    rs_server *server = s->server;
    rs_board *b = server->o.board;
    FILE *f = begin_text(s);
    if (!first) {
        rs_os_sleep(PACE - (rs_os_monotonic() - s->last));
        s->over = !rs_board_wait(b, s->since, SILENCE);
        if (s->over && rs_board_number(b) <= s->since) return;
    }
    s->last = rs_os_monotonic();
    if (!f) return;
    const rs_board_viewer v = rs_viewer_of(server, s->right, s->viewer);
    if (first) fputs("retry: 1000\n\n", f);
    const int64_t now = rs_board_events(b, &v, s->since, f);
    if (fflush(f) != 0 || ferror(f)) return;
    s->since = now;
    s->n = s->room;
}

static ssize_t read_stream(void *cls, uint64_t position, char *buf, size_t room)
{
    stream *s = cls;
    if (s->at == s->n) {
        if (s->over) return MHD_CONTENT_READER_END_OF_STREAM;
        look(s, position == 0);
        if (s->n == 0) return MHD_CONTENT_READER_END_OF_STREAM;
    }
    const size_t n = s->n - s->at < room ? s->n - s->at : room;
    memcpy(buf, s->text + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

static void close_stream(void *cls)
{
    stream *s = cls;
    rs_viewer_leave(s->server, s->right, s->viewer);
    forget_text(s);
    rs_free(s);
}

enum MHD_Result rs_stream_open(rs_request *r)
{
    const char *last = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Last-Event-ID");
    if (!last) last = rs_argument(r, "last");
    stream *s = rs_zalloc(1, sizeof *s);
    if (!s) return MHD_NO;
    s->server = r->server;
    s->right = r->right;
    s->since = find_place(r->server, last);
    rs_text_copy(s->viewer, sizeof s->viewer, r->viewer);
    if (!rs_viewer_enter(s->server, s->right, s->viewer)) {
        rs_free(s);
        return rs_answer_error(r, MHD_HTTP_SERVICE_UNAVAILABLE, "too many viewers");
    }
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE, read_stream, s, close_stream);
    if (!response) close_stream(s);
    return rs_answer_with(r, MHD_HTTP_OK, "text/event-stream", response);
}
