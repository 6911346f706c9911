/* session_sim.h - a small acquisition with known content, for the tests of the session file. */
#ifndef RS_TESTS_SESSION_SIM_H
#define RS_TESTS_SESSION_SIM_H

#include "spm/session.h"
#include "support.h"

#define SIM_ROWS 7
#define SIM_COLS 5
#define SIM_BINS 3
#define SIM_CHANNELS 2
#define SIM_STEPS 4
#define SIM_METRICS 2
#define SIM_POINTS 4
#define SIM_PATCH 3
#define SIM_LOST_ROW 3 /* this trace line does not come */

/* The setup of it; everything static. */
const rs_session_setup *sim_setup(void);

/* What is put, one step after another: sim_steps() of them in an acquisition from start to end.
 * Each step is one put, durable or not. */
int sim_steps(void);
reshed_status sim_step(rs_session *s, int step, reshed_error *err);
/* Whether the step's put is one of the durable ones. */
bool sim_is_durable(int step);
/* Fails the test unless the session holds what the steps [0, n) put. */
void sim_check(rs_session *s, int n);
/* Where a resumed session has to go on: the number of steps that are in it, which must be a row of
 * steps from 0 on. */
int sim_done(rs_session *s);

#endif
