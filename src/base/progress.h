/* progress.h - a progress bar on a terminal, plain lines elsewhere. */
#ifndef RS_BASE_PROGRESS_H
#define RS_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

typedef struct rs_progress {
    FILE *stream; /* borrowed; NULL: silent */
    const char *label;
    long done, total;      /* total may be changed on the way, to 0 too: all is done then */
    double started, shown; /* monotonic seconds */
    bool tty, open;
} rs_progress;

/* stream NULL makes every call silent. label must outlive the bar. */
void rs_progress_start(rs_progress *p, FILE *stream, const char *label, long total);
/* Shows `done` of `total`, at most ten times a second on a terminal and every five seconds
 * elsewhere. */
void rs_progress_update(rs_progress *p, long done);
/* Ends the line. */
void rs_progress_finish(rs_progress *p);

#endif
