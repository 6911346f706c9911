/* server.h - a board to browsers: HTTP/1.1 as docs/live-protocol.md has it, by libmicrohttpd.
 *
 *     rs_server_options o = {.board = board, .address = "127.0.0.1"};
 *     rs_server *s = NULL;
 *     st = rs_server_start(&o, &s, err);
 *     printf("%s\n", rs_server_url(s, true));
 *     ...
 *     rs_server_stop(s);    // closes the board, too
 *
 * A thread for each connection, at most RS_SERVER_VIEWERS of them; they share nothing with the poster but the
 * board and the mailbox. What comes in is bounded before it is kept, and no part of a request becomes a path. */
#ifndef RS_LIVE_SERVER_H
#define RS_LIVE_SERVER_H

#include "live/board.h"
#include "live/labels.h"
#include "live/mailbox.h"

#define RS_SERVER_VIEWERS 64
/* Bytes of an action, and of labels in all. */
#define RS_SERVER_ACTION 65536
#define RS_SERVER_LABELS ((size_t)64 << 20)

/* Borrowed until the stop. */
typedef struct rs_server_options {
    rs_board *board;
    rs_mailbox *mailbox; /* NULL: nothing to steer */
    rs_labels *labels;   /* NULL: none are taken */
    const char *address; /* a name or an address, which it is bound to */
    int port;            /* 0: a free one */
    double patience;     /* s that an action's request waits for its answer; 0: 2 */
} rs_server_options;

typedef struct rs_server rs_server;

reshed_status rs_server_start(const rs_server_options *o, rs_server **out, reshed_error *err);
/* NULL is fine. */
void rs_server_stop(rs_server *s);
/* The address of the page with one of the tokens; borrowed. */
const char *rs_server_url(const rs_server *s, bool steers);
int rs_server_port(const rs_server *s);
const char *rs_server_token(const rs_server *s, bool steers);
/* Viewers whose event stream is open. */
int rs_server_viewers(rs_server *s);

#endif
