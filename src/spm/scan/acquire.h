/* acquire.h - the scan itself: a thread that fetches lines from a driver and queues them, so that
 * the instrument never waits for what is done with its lines.
 *
 * The queue is bounded. When it is nearly full the scan is paused at the end of a line and goes on
 * once half of the queue is free; what the driver still holds is fetched meanwhile. So a slow
 * reader makes the scan longer but loses nothing. While a thread is at work the driver belongs to
 * it; only halt may be called beside it. */
#ifndef RS_SPM_SCAN_ACQUIRE_H
#define RS_SPM_SCAN_ACQUIRE_H

#include "spm/instrument/instrument.h"
#include "spm/scan/outcome.h"

typedef struct rs_acquire rs_acquire;

typedef struct rs_acquire_options {
    int queue;           /* lines, >= 8 */
    double poll;         /* s: longest single wait for the driver */
    double line_timeout; /* s without any line after which the instrument counts as lost */
} rs_acquire_options;

/* A line, or the news that one will not come. */
typedef struct rs_arrived {
    rs_line line; /* arrays belong to the queue; row and retrace are set for lost ones too */
    bool lost;
    double acquired; /* rs_os_monotonic when it came */
} rs_arrived;

typedef enum rs_acquire_state {
    RS_ACQUIRE_RUNNING,
    RS_ACQUIRE_DONE, /* all rows of the frame have come or are lost; the queue may hold some yet */
    RS_ACQUIRE_STOPPED,
    RS_ACQUIRE_FAILED
} rs_acquire_state;

/* Starts the scan of `frame` (as the driver has it) at first_row and the thread. */
rs_outcome rs_acquire_start(rs_instrument *instrument, const rs_frame *frame, int first_row,
                            const rs_acquire_options *options, rs_acquire **out);

/* The oldest line; waits up to `seconds` for one. NULL: there is none. */
rs_arrived *rs_acquire_take(rs_acquire *a, double seconds);
/* Every line taken has to be given back. */
void rs_acquire_give_back(rs_acquire *a, rs_arrived *line);

/* Returns the state of the thread; *waiting: lines in the queue; *pauses: of the scan, because
 * the queue was full; *outcome: DONE while RUNNING and when DONE, INTERRUPTED when STOPPED, else
 * why it FAILED. Any pointer may be NULL. */
rs_acquire_state rs_acquire_ask(rs_acquire *a, int *waiting, int *pauses, rs_outcome *outcome);

/* Pauses the scan after the line at work, or lets it go on. Lines that the driver has are fetched all the same. */
void rs_acquire_hold(rs_acquire *a, bool hold);
/* True once the scan stands still because of that, and every line that was scanned has been taken. */
bool rs_acquire_is_held(rs_acquire *a);
/* Pauses the scan after the line at work; take what is left in the queue, then rs_acquire_end. */
void rs_acquire_stop(rs_acquire *a);
/* The same, but at once: halts the instrument; the line at work will not come. Lines that are in
 * the queue stay there. */
void rs_acquire_halt(rs_acquire *a);
/* Waits for the thread and frees everything; NULL is fine. */
void rs_acquire_end(rs_acquire *a);

#endif
