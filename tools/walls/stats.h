/* stats.h - tests of a measured metric with the wall as the unit. */
#ifndef RS_TOOLS_WALLS_STATS_H
#define RS_TOOLS_WALLS_STATS_H

#include "base/json.h"
#include "tools/walls/job.h"

/* Reads the values of the request and tests them: job->tests. false after a message. */
bool walls_run_stats(walls_job *job);

/* Writes the table by wall, when the request names one. false after a message. */
bool walls_write_stats(const walls_job *job);

/* Adds the tests to the open object of --json, as "stats". */
void walls_stats_json(const walls_job *job, rs_json *j);

/* Prints the same in words. */
void walls_stats_text(const walls_job *job);

#endif
