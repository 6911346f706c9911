/* find_weights.h - which weights file a program uses. */
#ifndef RS_TOOLS_CLI_FIND_WEIGHTS_H
#define RS_TOOLS_CLI_FIND_WEIGHTS_H

#include "tools/cli/cli.h"

/* path[n] = the first of: `option` (the value of --weights, NULL when not given), $RESHED_WEIGHTS,
 * then the shipped ensemble in share/reshed/ of the prefix that the program runs from, in the
 * prefix it was built for, and in weights/ of the source tree around it. False after an error
 * message when there is none. A file that is named but cannot be read is found out when it is read.
 */
bool cli_find_weights(const cli_program *program, const char *option, char *path, size_t n);

#endif
