/* guard.h - a second process that stands by, the part of os.h for what must still be done when
 * this process cannot do it any more: killed, stopped, out of memory, blocked.
 *
 *     rs_os_guard_start(act, ctx, &g, err);      // while there is one thread
 *     rs_os_guard_say(g, RS_GUARD_PATIENCE, 30);
 *     rs_os_guard_say(g, RS_GUARD_BUSY, 0);      // from here on it watches
 *     rs_os_guard_say(g, RS_GUARD_SIGN, 0);      // again and again
 *     rs_os_guard_say(g, RS_GUARD_IDLE, 0);
 *     rs_os_guard_end(g);
 *
 * While this process is busy, and dies or gives no sign for longer than its patience, the guard
 * kills it (SIGKILL: a stopped or blocked process must not wake up later and go on) and then calls
 * act. The hand-over is one way: act runs when nothing of this process runs any more, or can. */
#ifndef RS_BASE_OS_GUARD_H
#define RS_BASE_OS_GUARD_H

#include <stdbool.h>

#include "base/status.h"

typedef enum rs_guard_word {
    RS_GUARD_SIGN,
    RS_GUARD_BUSY,
    RS_GUARD_IDLE,
    RS_GUARD_PATIENCE /* value: s */
} rs_guard_word;

typedef struct rs_os_guard rs_os_guard;

/* Forks: act and ctx are the guard's copies of what they are now. Call it while this process has
 * one thread and no connection that must end with it. died: the process had ended by itself, or was
 * killed by somebody else. The guard keeps standard error alone, belongs to no terminal, and
 * ignores the signals that end a program. */
reshed_status rs_os_guard_start(void (*act)(void *ctx, bool died), void *ctx, rs_os_guard **out,
                                reshed_error *err);
/* From any thread; never waits. False: the guard is gone, or does not listen. */
bool rs_os_guard_say(rs_os_guard *g, rs_guard_word word, double value);
/* Tells the guard that all is well, waits until it has ended, and frees it. NULL is fine. */
void rs_os_guard_end(rs_os_guard *g);

#endif
