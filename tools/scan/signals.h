/* signals.h - signals end a scan as Ctrl-C does, the instrument halted and the session closed; and
 * output that is closed harms nothing. */
#ifndef RS_TOOLS_SCAN_SIGNALS_H
#define RS_TOOLS_SCAN_SIGNALS_H

#include <stdbool.h>

/* Call it first: with standard output or error closed, a file opened later would get their number,
 * and with it what is printed. */
void scan_guard_output(void);

/* From then on every signal that would end the program and can be caught is noted only, and
 * scan_interrupted says that one has come. Not so a fault of the program itself (a SEGV that nobody
 * sent), and a hangup that the caller had ignored already (nohup). A pipe that nobody reads and a
 * file at its size limit become errors of the write. */
void scan_catch_signals(void);
/* ctx is not used. */
bool scan_interrupted(void *ctx);

#endif
