/* web.h - the files of the page, which the build puts into the program (tools/embed.sh, web/). */
#ifndef RS_LIVE_WEB_H
#define RS_LIVE_WEB_H

#include <stddef.h>

typedef struct rs_web_file {
    const char *path; /* "/live.js"; the page itself is "/" */
    const char *type;
    const unsigned char *data; /* [n] */
    size_t n;
} rs_web_file;

/* Ends with a path of NULL. */
extern const rs_web_file rs_web_files[];

#endif
