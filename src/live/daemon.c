#include "live/server.h"

#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/os.h"
#include "base/os/socket.h"
#include "base/text.h"
#include "live/server_private.h"
#include "live/web.h"

/* s without a byte from or to a peer: it is closed. An event stream says something more often. */
#define IDLE 5
#define IDLE_STREAM 30
/* s that a peer may leave what was sent without a sign of life: a phone out of reach gives the wheel back. */
#define UNHEARD 20.0
/* Bytes of the lines before a body, and of what is written at once. */
#define HEADERS 32768
/* Bytes of bodies that may be under way together. */
#define UPLOADS ((size_t)128 << 20)
/* s in which viewers can read how it ended. */
#define GOODBYE 1.0
/* s that the wheel waits for a viewer whose stream has closed. */
#define WHEEL_WAITS 10.0

/* ------------------------------------------------------------------------------------ the wheel */

/* Inside the lock. */
static void free_wheel(rs_server *s)
{
    if (s->held && s->holder_streams == 0 && rs_os_monotonic() - s->holder_left > WHEEL_WAITS)
        s->held = false;
}

static void give_wheel(rs_server *s, const char *viewer)
{
    rs_text_copy(s->holder, sizeof s->holder, viewer);
    s->held = true;
    s->holder_streams = 0;
    s->holder_left = rs_os_monotonic();
}

static bool holds(const rs_server *s, const char *viewer)
{
    return s->held && strcmp(s->holder, viewer) == 0;
}

bool rs_wheel_try(rs_server *s, const char *viewer)
{
    rs_monitor_enter(s->lock);
    free_wheel(s);
    if (!s->held) give_wheel(s, viewer);
    const bool has = holds(s, viewer);
    rs_monitor_leave(s->lock);
    return has;
}

void rs_wheel_take(rs_server *s, const char *viewer)
{
    rs_monitor_enter(s->lock);
    if (!holds(s, viewer)) give_wheel(s, viewer);
    rs_monitor_leave(s->lock);
    rs_board_wake(s->o.board);
}

rs_board_viewer rs_viewer_of(rs_server *s, rs_right right, const char *viewer)
{
    rs_monitor_enter(s->lock);
    free_wheel(s);
    const rs_board_viewer v = {.may_steer = right == RS_RIGHT_STEER && s->o.mailbox,
                               .has_wheel =
                                   right == RS_RIGHT_STEER && s->o.mailbox && holds(s, viewer),
                               .others = s->streams > 0 ? s->streams - 1 : 0};
    rs_monitor_leave(s->lock);
    return v;
}

bool rs_viewer_enter(rs_server *s, rs_right right, const char *viewer)
{
    rs_monitor_enter(s->lock);
    const bool room = s->streams < RS_SERVER_VIEWERS;
    free_wheel(s);
    if (room && right == RS_RIGHT_STEER) {
        if (!s->held) give_wheel(s, viewer);
        s->holder_streams += holds(s, viewer);
    }
    s->streams += room;
    rs_monitor_leave(s->lock);
    if (room) rs_board_wake(s->o.board);
    return room;
}

void rs_viewer_leave(rs_server *s, rs_right right, const char *viewer)
{
    rs_monitor_enter(s->lock);
    s->streams--;
    if (right == RS_RIGHT_STEER && holds(s, viewer) && s->holder_streams > 0 &&
        --s->holder_streams == 0)
        s->holder_left = rs_os_monotonic();
    rs_monitor_leave(s->lock);
    rs_board_wake(s->o.board);
}

int rs_server_viewers(rs_server *s)
{
    rs_monitor_enter(s->lock);
    const int n = s->streams;
    rs_monitor_leave(s->lock);
    return n;
}

/* -------------------------------------------------------------------------------------- answers */

static const char *const headers[][2] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
     "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cache-Control", "no-store"}};

enum MHD_Result rs_answer_with(rs_request *r, unsigned status, const char *type,
                               struct MHD_Response *response)
{
    if (!response) return MHD_NO;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
    /* Kept open for more requests, the connections of some viewers would leave none for others. */
    if (r->path && strcmp(r->path, "/api/events") != 0)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    const enum MHD_Result ok = MHD_queue_response(r->connection, status, response);
    MHD_destroy_response(response);
    return ok;
}

enum MHD_Result rs_answer(rs_request *r, unsigned status, const char *type, char *text, size_t n)
{
    if (!text) return MHD_NO;
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(n, text, rs_free);
    if (!response) rs_free(text);
    return rs_answer_with(r, status, type, response);
}

enum MHD_Result rs_answer_error(rs_request *r, unsigned status, const char *why)
{
    char *text;
    size_t n;
    FILE *f = rs_os_memory_stream(&text, &n);
    if (!f) return MHD_NO;
    rs_json j = rs_json_to(f);
    rs_json_object(&j, NULL);
    rs_json_string(&j, "error", why);
    rs_json_end(&j);
    fclose(f);
    return rs_answer(r, status, "application/json", text, n);
}

const char *rs_argument(const rs_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

static const char *header(const rs_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

/* --------------------------------------------------------------------------------- connections */

/* Whoever comes when nearly all places are taken gets that of the oldest who has shown no token: peers that
 * connect and say nothing cannot keep a viewer, or a stop, out. */
static bool make_place(rs_server *s)
{
    rs_guest *oldest = NULL;
    int n = 0;
    for (int i = 0; i < RS_SERVER_CONNECTIONS; i++) {
        rs_guest *g = &s->guest[i];
        n += g->here;
        if (g->here && !g->known && !g->sent_off && (!oldest || g->since < oldest->since))
            oldest = g;
    }
    if (n < RS_SERVER_CONNECTIONS - RS_SERVER_SPARE || !oldest) return false;
    oldest->sent_off = true;
    rs_socket_hang_up(oldest->fd);
    return true;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **guest,
                          enum MHD_ConnectionNotificationCode code)
{
    rs_server *s = cls;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    bool full = false;
    rs_monitor_enter(s->lock);
    rs_guest *g = *guest;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (g) g->here = false;
        *guest = NULL;
    } else if (info) {
        full = make_place(s);
        rs_socket_give_up_after(info->connect_fd, UNHEARD);
        for (int i = 0; i < RS_SERVER_CONNECTIONS && !*guest; i++) {
            if (s->guest[i].here) continue;
            s->guest[i] = (rs_guest){.fd = info->connect_fd, .here = true, .since = s->guests++};
            *guest = &s->guest[i];
        }
    }
    rs_monitor_leave(s->lock);
    /* This is the thread that takes peers in: a crowd comes no faster than others can leave. */
    if (full) rs_os_sleep(0.001);
}

/* It has shown a token. */
static void keep_guest(rs_request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    rs_guest *g = info ? info->socket_context : NULL;
    rs_monitor_enter(r->server->lock);
    if (g) g->known = true;
    rs_monitor_leave(r->server->lock);
    if (strcmp(r->path, "/api/events") == 0)
        MHD_set_connection_option(r->connection, MHD_CONNECTION_OPTION_TIMEOUT,
                                  (unsigned)IDLE_STREAM);
}

/* ------------------------------------------------------------------------------------- requests */

static enum MHD_Result answer_file(rs_request *r)
{
    for (const rs_web_file *f = rs_web_files; f->path; f++) {
        if (strcmp(f->path, r->path) != 0) continue;
        return rs_answer_with(r, MHD_HTTP_OK, f->type,
                              MHD_create_response_from_buffer(f->n, (void *)(uintptr_t)f->data,
                                                              MHD_RESPMEM_PERSISTENT));
    }
    return rs_answer_error(r, MHD_HTTP_NOT_FOUND, "nothing there");
}

/* [A-Za-z0-9]{0,32}, else nothing. */
static void take_viewer(rs_request *r, const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    if (name && strlen(name) < sizeof r->viewer && strspn(name, letters) == strlen(name))
        rs_text_copy(r->viewer, sizeof r->viewer, name);
}

/* 0: go on; else the status that it is refused with. The page has no data, so a link to it may be clicked
 * anywhere; what it then asks for comes from itself. A token in the address would be in histories and logs: it is
 * taken only where a browser cannot send a header, which is what reads. */
static unsigned refuse(rs_request *r, bool post, const char **why)
{
    rs_server *s = r->server;
    const char *token = header(r, "X-Reshed-Token");
    const char *mode = header(r, "Sec-Fetch-Mode");
    const bool api = strncmp(r->path, "/api/", 5) == 0,
               visit = !api && !post && mode && strcmp(mode, "navigate") == 0;
    if (!rs_guard_host(&s->guard, header(r, MHD_HTTP_HEADER_HOST)) ||
        (!visit && !rs_guard_origin(&s->guard, post, header(r, MHD_HTTP_HEADER_ORIGIN),
                                    header(r, "Sec-Fetch-Site")))) {
        *why = "Host or Origin is another's";
        return MHD_HTTP_FORBIDDEN;
    }
    if (!api) {
        *why = "only GET";
        return post ? MHD_HTTP_METHOD_NOT_ALLOWED : 0;
    }
    if (!token && !post) token = rs_argument(r, "token");
    r->right = rs_guard_right(&s->guard, token);
    take_viewer(r, post ? header(r, "X-Reshed-Viewer") : rs_argument(r, "viewer"));
    *why = "no token, or a wrong one";
    if (r->right == RS_RIGHT_NONE) return MHD_HTTP_UNAUTHORIZED;
    keep_guest(r);
    *why = "this address only watches";
    return post && r->right != RS_RIGHT_STEER ? MHD_HTTP_FORBIDDEN : 0;
}

/* Room for the body of a POST; 0: there is. */
static unsigned make_room(rs_request *r, const char **why)
{
    rs_server *s = r->server;
    const size_t most = rs_api_room(s, r->path);
    const char *length = header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);
    size_t n = 0;
    *why = "nothing is posted there";
    if (most == 0) return MHD_HTTP_NOT_FOUND;
    *why = "no Content-Length";
    if (!length || header(r, MHD_HTTP_HEADER_TRANSFER_ENCODING)) return MHD_HTTP_LENGTH_REQUIRED;
    for (const char *p = length; *p; p++) {
        if (*p < '0' || *p > '9') return MHD_HTTP_BAD_REQUEST;
        n = 10 * n + (size_t)(*p - '0');
        *why = "too long";
        if (n > most) return MHD_HTTP_CONTENT_TOO_LARGE;
    }
    rs_monitor_enter(s->lock);
    const bool room = s->uploading + n <= UPLOADS;
    if (room) s->uploading += n;
    rs_monitor_leave(s->lock);
    *why = "too much at a time";
    if (!room) return MHD_HTTP_TOO_MANY_REQUESTS;
    r->room = n;
    r->body = rs_alloc(n + 1, 1);
    *why = "no memory";
    return r->body ? 0 : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static enum MHD_Result begin(rs_request *r, const char *method)
{
    const bool post = strcmp(method, MHD_HTTP_METHOD_POST) == 0,
               get = strcmp(method, MHD_HTTP_METHOD_GET) == 0;
    const char *why = "only GET and POST";
    unsigned status = post || get ? refuse(r, post, &why) : MHD_HTTP_METHOD_NOT_ALLOWED;
    if (status == 0 && post) status = make_room(r, &why);
    r->get = get;
    return status ? rs_answer_error(r, status, why) : MHD_YES;
}

/* All of it has come. */
static enum MHD_Result finish(rs_request *r)
{
    if (!r->get) return rs_api_post(r);
    return strncmp(r->path, "/api/", 5) == 0 ? rs_api_get(r) : answer_file(r);
}

/* Called first with the headers, then with pieces of a body, then with nothing left. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
    (void)version;
    rs_request *r = *state;
    if (!r) {
        r = rs_zalloc(1, sizeof *r);
        if (!r) return MHD_NO;
        *state = r;
        r->server = cls;
        r->connection = connection;
        r->path = url;
        return begin(r, method);
    }
    if (*size == 0) return finish(r);
    if (!r->body || *size > r->room - r->n) return MHD_NO; /* a GET has none */
    memcpy(r->body + r->n, data, *size);
    r->n += *size;
    *size = 0;
    return MHD_YES;
}

static void on_end(void *cls, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode why)
{
    rs_server *s = cls;
    rs_request *r = *state;
    (void)connection;
    (void)why;
    if (!r) return;
    rs_monitor_enter(s->lock);
    s->uploading -= r->room;
    rs_monitor_leave(s->lock);
    rs_free(r->body);
    rs_free(r);
    *state = NULL;
}

/* ------------------------------------------------------------------------------- start and stop */

/* In a thread without signals, so that the server's threads have none. */
static void start_daemon(void *ctx)
{
    rs_server *s = ctx;
    s->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
                                     MHD_USE_POLL | MHD_USE_ITC,
                                 0, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET,
                                 (MHD_socket)s->fd, MHD_OPTION_CONNECTION_LIMIT,
                                 (unsigned)RS_SERVER_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
                                 (unsigned)IDLE, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                 (size_t)HEADERS, MHD_OPTION_NOTIFY_COMPLETED, on_end, s,
                                 MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_END);
}

static void write_urls(rs_server *s)
{
    const char *a = s->o.address;
    const bool six = strchr(a, ':') != NULL;
    for (int i = 0; i < 2; i++)
        snprintf(s->url[i], sizeof s->url[i], "http://%s%s%s:%d/?token=%s", six ? "[" : "", a,
                 six ? "]" : "", s->guard.port, i ? s->guard.steer : s->guard.watch);
}

reshed_status rs_server_start(const rs_server_options *o, rs_server **out, reshed_error *err)
{
    rs_server *s = rs_zalloc(1, sizeof *s);
    rs_thread *starter = NULL;
    if (!s) return rs_fail_nomem(err, "a server", sizeof *s);
    s->o = *o;
    s->fd = -1;
    reshed_status st = rs_guard_make(&s->guard, o->address, err);
    if (st == RESHED_OK) st = rs_monitor_make(&s->lock, err);
    if (st == RESHED_OK)
        st = rs_socket_listen(s->guard.address, o->port, &s->fd, &s->guard.port, err);
    if (st == RESHED_OK) st = rs_thread_start(start_daemon, s, &starter, err);
    rs_thread_join(starter);
    if (st == RESHED_OK && !s->daemon)
        st = rs_fail(err, RESHED_EIO, "cannot serve at %s port %d", o->address, s->guard.port);
    if (st == RESHED_OK) {
        s->o.address = s->guard.address;
        write_urls(s);
        *out = s;
        return st;
    }
    rs_socket_unlisten(s->fd);
    rs_monitor_free(s->lock);
    rs_free(s);
    return st;
}

void rs_server_stop(rs_server *s)
{
    if (!s) return;
    const double until = rs_os_monotonic() + GOODBYE;
    rs_board_close(s->o.board);
    while (rs_server_viewers(s) > 0 && rs_os_monotonic() < until) rs_os_sleep(0.01);
    MHD_stop_daemon(s->daemon);
    rs_monitor_free(s->lock);
    rs_free(s);
}

const char *rs_server_url(const rs_server *s, bool steers)
{
    return s->url[steers];
}

int rs_server_port(const rs_server *s)
{
    return s->guard.port;
}

const char *rs_server_token(const rs_server *s, bool steers)
{
    return steers ? s->guard.steer : s->guard.watch;
}
