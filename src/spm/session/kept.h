/* kept.h - memory that is given back all at once: what a session's setup points to. */
#ifndef RS_SPM_SESSION_KEPT_H
#define RS_SPM_SESSION_KEPT_H

#include <stddef.h>

/* The blocks that are kept; NULL: none. */
typedef struct rs_session_block {
    struct rs_session_block *next;
} rs_session_block;

/* A new block of count * size zero bytes in the list, aligned as rs_alloc's; NULL when memory is
 * short. Valid until rs_session_drop. */
void *rs_session_keep(rs_session_block **list, size_t count, size_t size);
/* A copy of a text in the list; NULL when memory is short. */
char *rs_session_keep_text(rs_session_block **list, const char *text);
/* Frees all blocks of a list. */
void rs_session_drop(rs_session_block *list);

#endif
