/* live.h - the live page of a scan: what the run tells goes onto a board, and orders from there to the run. */
#ifndef RS_TOOLS_SCAN_LIVE_H
#define RS_TOOLS_SCAN_LIVE_H

#include "tools/scan/job.h"

/* Serves, and prints the addresses; nothing without --live. Threads have begun when it returns: call it after
 * scan_start_watch, which forks. */
reshed_status scan_live_start(scan_job *j, reshed_error *err);
/* A region whose session is open. */
reshed_status scan_live_begin(scan_job *j, reshed_error *err);
void scan_live_survey(scan_job *j, const rs_survey_news *n);
void scan_live_measure(scan_job *j, const rs_measure_news *n);
void scan_live_walls(scan_job *j, const rs_choice *choice);
/* How the region ended; last: no other follows. The session is still open, unless the end came before it. */
void scan_live_end(scan_job *j, const rs_outcome *o, const char *text, bool last);
/* A viewer wants the run to end. */
bool scan_live_stops(const scan_job *j);
/* Once viewers have had a moment to read the end; nothing when there is no server. */
void scan_live_close(scan_job *j);

#endif
