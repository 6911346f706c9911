/* scan_program.h - reshed-scan as a program, for the suites that run it: its usual arguments, a run
 * that goes on beside the test, and what it left. */
#ifndef RS_TESTS_SUPPORT_SCAN_PROGRAM_H
#define RS_TESTS_SUPPORT_SCAN_PROGRAM_H

#include <sys/types.h>

#include "spm/session/session.h"
#include "support/program.h"

/* Small and quick: 64 x 64 pixels, a small ensemble, 8 short loops. */
#define LOUD                                                                                       \
    "-w weights/tiny8x4.h5 -j 1 --pictures none --set rows=64 --set cols=64 --set width=0.9e-6 "   \
    "--set height=0.9e-6 --set be_repeats=1 --set steps=32 --set cycles=1 --set drop_first=0 "     \
    "--set threshold=0.4 --set every=6 --set min_wall=8 --set max_points=8 --set patch=24 "        \
    "--set drift_every=4 --set reference_every=4 "
#define QUICK LOUD "--quiet "
#define TWIN "--driver twin -d clock=0 -d seed=7 "
#define TWIN20 "--driver twin -d clock=20 -d seed=7 " /* 64 lines in some seconds */
/* To go on with such a session, or to analyse it. */
#define AGAIN "-w weights/tiny8x4.h5 -j 1 --pictures none --quiet "

/* A path of the test's folder that stays: into buf[1024], which is returned. */
const char *scan_temp(char *buf, const char *name);

/* Starts it with these arguments (shell syntax, redirections after the usual ones to "out" and
 * "err" of the test's folder); skips the test without the program. */
pid_t scan_start(const char *args);
/* The status of its end, as waitpid has it. */
int scan_wait(pid_t pid);
/* Runs it to its end; fails the test with another exit status. */
const outcome *scan_run_to(int expected, const char *args);

/* Of a session that no program has open. */
rs_session_progress scan_progress(const char *path);

#endif
