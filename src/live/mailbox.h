/* mailbox.h - orders on their way from viewers to the run: few, and one at a time.
 *
 * A viewer's thread puts an order and waits a moment for the answer; the run's thread takes the oldest at its
 * next boundary and answers it, then or later. Nothing waits for a viewer. Stop is also a flag, since it does not
 * wait for a boundary; it finds room in a full box. */
#ifndef RS_LIVE_MAILBOX_H
#define RS_LIVE_MAILBOX_H

#include "live/board.h"
#include "spm/scan/helm.h"

/* Orders that wait at most. */
#define RS_MAILBOX_ROOM 16

typedef struct rs_mailbox rs_mailbox;

/* Answers go to the board, borrowed. */
reshed_status rs_mailbox_create(rs_board *board, rs_mailbox **out, reshed_error *err);
void rs_mailbox_free(rs_mailbox *m);

typedef enum rs_mailbox_put {
    RS_MAILBOX_PUT = 0,
    RS_MAILBOX_KNOWN, /* an order of that id was put before */
    RS_MAILBOX_FULL,  /* too many wait */
    RS_MAILBOX_CLOSED /* the run is over */
} rs_mailbox_put;
rs_mailbox_put rs_mailbox_send(rs_mailbox *m, const rs_order *order);
/* Waits for the answer to id for so many seconds; what [RS_BOARD_TEXT]. False: none yet. */
bool rs_mailbox_wait(rs_mailbox *m, const char *id, double seconds, bool *done, char *what);
/* True while the order waits or is at work. */
bool rs_mailbox_knows(rs_mailbox *m, const char *id);

/* The run's side: the oldest order, waiting for one up to so many seconds. */
bool rs_mailbox_take(rs_mailbox *m, double seconds, rs_order *out);
void rs_mailbox_answer(rs_mailbox *m, const rs_order *order, bool done, const char *what);
/* A viewer wants the run to end at once. That order is the next that is taken. */
bool rs_mailbox_stops(rs_mailbox *m);
/* Orders that wait, and later ones, are refused: the run is over. */
void rs_mailbox_close(rs_mailbox *m);

#endif
