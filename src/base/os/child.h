/* child.h - other programs, the part of os.h that runs them: one that is run to its end, and one
 * that stays and answers line by line.
 *
 *     const char *argv[] = {"bc", NULL};
 *     rs_child *bc = NULL;
 *     if ((st = rs_child_start(argv, &bc, err)) == RESHED_OK &&
 *         (st = rs_child_ask(bc, "6*7", reply, sizeof reply, err)) == RESHED_OK)
 *         puts(reply);
 *     rs_child_end(bc);
 */
#ifndef RS_BASE_OS_CHILD_H
#define RS_BASE_OS_CHILD_H

#include <stddef.h>

#include "base/status.h"

typedef struct rs_child rs_child;

/* Starts argv[0] (looked for in PATH; argv ends with NULL) with its standard input and output
 * connected to this process; its error stream is ours. RESHED_EIO when it cannot be started. */
reshed_status rs_child_start(const char *const *argv, rs_child **out, reshed_error *err);

/* Sends line and a newline, or nothing when line is NULL, and waits for one line, which goes to
 * reply without its newline. RESHED_EIO when the child has ended, RESHED_ECORRUPT when its line
 * does not fit in n bytes. */
reshed_status rs_child_ask(rs_child *child, const char *line, char *reply, size_t n,
                           reshed_error *err);

/* Closes the child's input, which is its sign to end, waits for that, and frees child (NULL is
 * fine). */
void rs_child_end(rs_child *child);

/* Runs argv to its end, its standard output thrown away: RESHED_EIO when it cannot be started or
 * does not exit with 0. */
reshed_status rs_child_run(const char *const *argv, reshed_error *err);

#endif
