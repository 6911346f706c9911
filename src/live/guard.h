/* guard.h - who may ask: the tokens, and requests that a foreign page makes a browser send.
 *
 * A page of another site can make the browser of somebody who watches send requests to 127.0.0.1. It does not
 * know the token, and three more things stop it: a Host that is not this server's (a name of the attacker's that
 * was made to point here, DNS rebinding), an Origin that is not this page's, and Sec-Fetch-Site, which browsers
 * set and scripts cannot. */
#ifndef RS_LIVE_GUARD_H
#define RS_LIVE_GUARD_H

#include <stdbool.h>

#include "base/status.h"

#define RS_TOKEN 33 /* 32 hexadecimal digits and a NUL */

typedef struct rs_guard {
    char watch[RS_TOKEN], steer[RS_TOKEN];
    char address[256]; /* as it was asked for */
    int port;
    bool open; /* to other computers: any address in figures may be the Host */
} rs_guard;

typedef enum rs_right { RS_RIGHT_NONE = 0, RS_RIGHT_WATCH, RS_RIGHT_STEER } rs_right;

/* Draws the tokens. */
reshed_status rs_guard_make(rs_guard *g, const char *address, reshed_error *err);

/* token: as it was sent, NULL: none. Takes the same time whatever the token of that length is. */
rs_right rs_guard_right(const rs_guard *g, const char *token);

/* Each NULL where it was not sent. */
bool rs_guard_host(const rs_guard *g, const char *host);
/* A browser that posts says where from; without Sec-Fetch-Site it is no browser of today. */
bool rs_guard_origin(const rs_guard *g, bool post, const char *origin, const char *fetch_site);

#endif
