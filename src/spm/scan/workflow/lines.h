/* lines.h - the lines NAME = VALUE of an INI text, each with its section and its number.
 *
 * The grammar is libinih's: [section], NAME = VALUE or NAME: VALUE, comments from # or ; at the
 * start of a line and from " ;" within it. On top of it, since it joins and cuts without a word:
 *  - \xNN in a value stands for a byte, \\ for a backslash, and nothing else may follow one;
 *  - a value that ends with a single backslash goes on in the next line, which is indented; any other
 *    indented line is refused (libinih takes it for more of the value before it);
 *  - a name once in a section; lines of at most 190 bytes, 4096 of them with a value; no NUL. */
#ifndef RS_SPM_SCAN_WORKFLOW_LINES_H
#define RS_SPM_SCAN_WORKFLOW_LINES_H

#include <stddef.h>

#include "base/status.h"

enum { RS_INI_LINE = 190, RS_INI_BYTES = 1 << 20, RS_INI_LINES = 4096 };

typedef struct rs_ini_line {
    const char *section, *name, *value; /* "" for lines before the first section */
    int line;                           /* from 1 */
} rs_ini_line;

typedef struct rs_ini {
    rs_ini_line *at; /* [n]; owned, and what they point to */
    int n, room;
} rs_ini;

/* out is zeroed or cleared before, and unchanged on failure. RESHED_EINVAL at the first line that is
 * wrong, which err says, RESHED_ENOMEM. */
reshed_status rs_ini_parse(const char *text, size_t n, rs_ini *out, reshed_error *err);
void rs_ini_clear(rs_ini *ini);

#endif
