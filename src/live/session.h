/* session.h - a session file on a board: one that is finished, interrupted, or written by another program.
 *
 *     rs_session_board *v = NULL;
 *     st = rs_session_board_open(board, session, "scan.h5", "reshed-view 0.2.0", &v, err);
 *     while (st == RESHED_OK && rs_session_board_live(v) && wait a moment)
 *         st = rs_session_board_update(v, err);
 *
 * All of it in the thread that has the session: viewers never touch the file. */
#ifndef RS_LIVE_SESSION_H
#define RS_LIVE_SESSION_H

#include "live/board.h"

typedef struct rs_session_board rs_session_board;

/* Board and session are borrowed; name is the file's, without folder. Posts what is there. */
reshed_status rs_session_board_open(rs_board *board, rs_session *session, const char *name,
                                    const char *program, rs_session_board **out, reshed_error *err);
/* NULL is fine. */
void rs_session_board_free(rs_session_board *v);
/* Posts what the file has got since: nothing is read again that is final. */
reshed_status rs_session_board_update(rs_session_board *v, reshed_error *err);
/* True while another program writes the session. */
bool rs_session_board_live(const rs_session_board *v);
/* False while it may change: it is written, or was interrupted and may be resumed. */
bool rs_session_board_complete(const rs_session_board *v);

#endif
