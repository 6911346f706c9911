/* serve.h - the options of programs that serve the live page. */
#ifndef RS_TOOLS_CLI_SERVE_H
#define RS_TOOLS_CLI_SERVE_H

#include "tools/cli/cli.h"

typedef struct cli_address {
    char host[256]; /* without brackets */
    int port;       /* 0: a free one */
} cli_address;

/* ADDRESS:PORT, ADDRESS, :PORT, PORT or [IPV6]:PORT; NULL: 127.0.0.1 and a free port. False: it has been said what is
 * wrong. */
bool cli_take_address(const cli_program *p, const char *option, const char *text, cli_address *out);
/* Opens the address in the user's browser, by a file that only this user can read, and does not wait for it; a
 * warning where that does not work. */
void cli_open(const cli_program *p, const char *url);

#endif
