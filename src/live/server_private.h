/* server_private.h - what the parts of the server share. */
#ifndef RS_LIVE_SERVER_PRIVATE_H
#define RS_LIVE_SERVER_PRIVATE_H

#include <microhttpd.h>

#include "base/thread.h"
#include "live/guard.h"
#include "live/server.h"

#define RS_VIEWER 33 /* a viewer's name of itself, and a NUL */

/* Connections in all, more than viewers, so that whoever watches can still ask; when no more than the spare ones
 * are left, somebody is sent off for each that comes. */
#define RS_SERVER_CONNECTIONS 256
#define RS_SERVER_SPARE 80

/* A connection; inside the lock. */
typedef struct rs_guest {
    int fd;
    bool here, known, sent_off; /* known: has shown a token */
    int64_t since;
} rs_guest;

struct rs_server {
    rs_server_options o;
    rs_guard guard;
    struct MHD_Daemon *daemon;
    int fd; /* that listens, until the daemon has it */
    char url[2][512];

    rs_monitor *lock;
    char holder[RS_VIEWER]; /* of the wheel */
    bool held;
    int holder_streams, streams;
    double holder_left; /* rs_os_monotonic when its last stream closed */
    size_t uploading;   /* bytes of bodies under way */
    rs_guest guest[RS_SERVER_CONNECTIONS];
    int64_t guests; /* that have come */
};

/* A request, from its first line to its answer. */
typedef struct rs_request {
    rs_server *server;
    struct MHD_Connection *connection;
    const char *path;
    rs_right right;
    char viewer[RS_VIEWER];
    bool get;
    char *body; /* of a POST, [room] */
    size_t n, room;
} rs_request;

/* Queues an answer; text (rs_free) is taken over. */
enum MHD_Result rs_answer(rs_request *r, unsigned status, const char *type, char *text, size_t n);
/* {"error": why} */
enum MHD_Result rs_answer_error(rs_request *r, unsigned status, const char *why);
/* With the headers of every answer; takes the response over. */
enum MHD_Result rs_answer_with(rs_request *r, unsigned status, const char *type,
                               struct MHD_Response *response);
/* An argument of the address, NULL: none. */
const char *rs_argument(const rs_request *r, const char *name);

/* GET and POST below /api/. */
enum MHD_Result rs_api_get(rs_request *r);
enum MHD_Result rs_api_post(rs_request *r);
/* How many bytes a body may have; 0: nothing is posted there. */
size_t rs_api_room(const rs_server *s, const char *path);
enum MHD_Result rs_stream_open(rs_request *r);

/* The wheel (daemon.c). True when the viewer has it, or gets it since nobody has. */
bool rs_wheel_try(rs_server *s, const char *viewer);
void rs_wheel_take(rs_server *s, const char *viewer);
rs_board_viewer rs_viewer_of(rs_server *s, rs_right right, const char *viewer);
/* False: too many streams. */
bool rs_viewer_enter(rs_server *s, rs_right right, const char *viewer);
void rs_viewer_leave(rs_server *s, rs_right right, const char *viewer);

#endif
