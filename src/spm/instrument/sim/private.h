/* private.h - what the files of the simulated instrument share. */
#ifndef RS_SPM_INSTRUMENT_SIM_PRIVATE_H
#define RS_SPM_INSTRUMENT_SIM_PRIVATE_H

#include "spm/instrument/limits.h"
#include "spm/instrument/sim/sim.h"

/* Begins every call: waits as slow replies do, fails when the connection is lost, and carries out
 * what a halt from another thread asked for. */
rs_driver_status sim_enter(rs_sim *sim, double timeout, reshed_error *err);
/* RS_DRIVER_REFUSED, with err as by rs_fail. */
#define sim_refuse(err, ...) (rs_fail((err), RESHED_EINVAL, __VA_ARGS__), RS_DRIVER_REFUSED)
/* The limits of its capabilities, for the checks of limits.h. */
rs_limits sim_limits(const rs_sim *sim);
/* Refuses unless the tip is engaged and nothing else goes on. */
rs_driver_status sim_ready(rs_sim *sim, const char *what, reshed_error *err);
/* Waits until the instrument's clock shows `when`: OK, RETRY after timeout, REFUSED by a halt. */
rs_driver_status sim_wait(rs_sim *sim, double when, double timeout, reshed_error *err);

/* Number of lines that are scanned by the clock. */
int sim_lines_done(const rs_sim *sim);
int sim_lines_per_row(const rs_sim *sim);
/* s of a row: what was asked for, or as long as the excitation needs. */
double sim_period(const rs_sim *sim);
/* Takes note of a scan that has come to its end; with `abort` ends it after the row at hand. */
void sim_settle(rs_sim *sim, bool abort);
/* Gives the tip's position now. */
void sim_where(rs_sim *sim, double *x, double *y);
/* Stops a motion where it is. */
void sim_stop_motion(rs_sim *sim);

#endif
