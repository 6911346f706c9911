/* watchdog.h - starts the watchdog of a run (spm/instrument/watch.h), and says what it did. */
#ifndef RS_TOOLS_SCAN_WATCHDOG_H
#define RS_TOOLS_SCAN_WATCHDOG_H

#include "tools/scan/job.h"

/* First of all, since it forks: before threads, files and connections. Nothing without a driver, or
 * with watch=0. */
reshed_status scan_start_watch(scan_job *j, reshed_error *err);

#endif
