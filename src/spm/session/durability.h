/* durability.h - the frame around every put: see durability.c for when what was put is safe.
 *
 *     reshed_status st = check_what_is_given(...);          // before anything is written
 *     if (st == RESHED_OK) st = rs_session_begin_put(s, err);
 *     if (st != RESHED_OK) return st;
 *     st = rs_session_put_block(s, ITEM_..., data, err);     // what is new
 *     if (st == RESHED_OK) st = rs_session_order(s, err);    // before
 *     if (st == RESHED_OK) st = rs_session_put_block(...);   // the note that it is there
 *     return rs_session_end_put(s, true, st, err);           // durable when RESHED_OK */
#ifndef RS_SPM_SESSION_DURABILITY_H
#define RS_SPM_SESSION_DURABILITY_H

#include <stdbool.h>

#include "spm/session/file.h"

/* Opens s->path for writing, as s->out and s->file; what a crash left is put right first. */
reshed_status rs_session_open_journal(rs_session *s, int sync_every, reshed_error *err);

/* Refuses a session that is open for reading; commits first what an earlier commit could not. */
reshed_status rs_session_begin_put(rs_session *s, reshed_error *err);
/* Readers, and whoever opens the file after a crash, see nothing of what is put later without all
 * that was put so far. */
reshed_status rs_session_order(rs_session *s, reshed_error *err);
/* Ends a put that begin_put began. With `durable` and st RESHED_OK it commits. Returns st, or why
 * the commit failed. */
reshed_status rs_session_end_put(rs_session *s, bool durable, reshed_status st, reshed_error *err);

#endif
