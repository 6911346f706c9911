/* private.h - what the files of the simulated instrument share. */
#ifndef RS_SPM_INSTRUMENT_SIM_PRIVATE_H
#define RS_SPM_INSTRUMENT_SIM_PRIVATE_H

#include "spm/instrument/limits.h"
#include "spm/instrument/sim/sim.h"

/* How every call begins: the delay of slow replies, a connection that is lost, and what a halt from
 * another thread left to be done. */
rs_driver_status sim_enter(rs_sim *sim, double timeout, reshed_error *err);
/* Nothing was done; the fields are those of rs_fail. */
#define sim_refuse(err, ...) (rs_fail((err), RESHED_EINVAL, __VA_ARGS__), RS_DRIVER_REFUSED)
/* The limits as limits.h wants them. */
rs_limits sim_limits(const rs_sim *sim);
/* Refuses unless the tip is engaged and nothing else goes on. */
rs_driver_status sim_ready(rs_sim *sim, const char *what, reshed_error *err);
/* Until the instrument's clock shows `when`: OK, RETRY after timeout, REFUSED by a halt. */
rs_driver_status sim_wait(rs_sim *sim, double when, double timeout, reshed_error *err);

/* Lines that the clock says are scanned. */
int sim_lines_done(const rs_sim *sim);
int sim_lines_per_row(const rs_sim *sim);
/* s of a row: what was asked for, or as long as the excitation needs. */
double sim_period(const rs_sim *sim);
/* Takes note of a scan that has come to its end; with `abort` ends it after the row at hand. */
void sim_settle(rs_sim *sim, bool abort);
/* Where the tip is now. */
void sim_where(rs_sim *sim, double *x, double *y);
/* Stops a motion where it is. */
void sim_stop_motion(rs_sim *sim);

#endif
