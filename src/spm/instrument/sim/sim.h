/* sim.h - an instrument without a microscope: clock, scan, tip, voltages and faults, which the
 * simulated drivers share. A driver adds the source of its lines and spectra:
 *
 *     typedef struct my_driver { rs_sim sim; ... } my_driver;      // rs_sim comes first
 *     ... .start = rs_sim_start, .wait_line = rs_sim_wait_line, ...
 *
 * Time. `clock` is how many instrument seconds pass in a real one. With 0 nothing takes time: the
 * instrument's clock jumps to whatever is waited for. No thread is needed: a line is computed when
 * it is asked for, and what the clock says has been scanned by now waits in the queue. Beside the
 * clock runs the time worked: lines scanned, ways gone and spectra measured, without the pauses
 * between them. What the drivers give depends on that alone, and on the seed, so the same calls
 * give the same bits however slowly they come.
 *
 * Faults, all off by default, are met once each since the instrument was opened. */
#ifndef RS_SPM_INSTRUMENT_SIM_SIM_H
#define RS_SPM_INSTRUMENT_SIM_SIM_H

#include <stdatomic.h>

#include "reshed_driver.h"
#include "spm/twin/sample.h"

/* Options that every simulated driver has; the fields are rs_sim_fields. */
typedef struct rs_sim_options {
    double clock;         /* instrument seconds in a real one, 0: as fast as it goes */
    double queue;         /* lines kept for a late caller, >= 64 */
    double reply_delay;   /* s of real time, delay of every reply */
    double stall;         /* row at which the scan hangs for stall_seconds, -1: none */
    double stall_seconds; /* s */
    double lose;          /* row that will not come, -1: none */
    double nan;           /* row that comes as NaN, -1: none */
    double disconnect;    /* row at which the instrument is lost, -1: none */
    double reconnect;     /* 1: a scan that starts at that row goes on */
    double lose_spectrum; /* number of the spectrum that will not come, -1: none */
    double nan_spectrum;  /* number of the one that comes as NaN, -1: none */
} rs_sim_options;

/* The moment in the instrument's life that a line or spectrum belongs to. */
typedef struct rs_sim_moment {
    int64_t serial; /* of the scan (counts calls of start) or of the spectrum */
    double worked;  /* s, time worked when it was half done */
} rs_sim_moment;

typedef struct rs_sim rs_sim;

/* The source of a driver's lines and spectra. Both fill what is not NULL in *line and *out, whose
 * sizes are already what is to be filled; line->channels is 0 without line->channel. */
typedef struct rs_sim_source {
    /* line->row and line->retrace say which. */
    rs_driver_status (*line)(rs_sim *sim, const rs_sim_moment *when, rs_line *line,
                             reshed_error *err);
    /* At out->x, out->y, with sim->spectroscopy. NULL: none. */
    rs_driver_status (*spectrum)(rs_sim *sim, const rs_sim_moment *when, rs_spectrum *out,
                                 reshed_error *err);
} rs_sim_source;

/* A scan under way or ended. Lines are counted through: a row's trace, then its retrace. */
typedef struct rs_sim_scan {
    bool active;                 /* the tip is scanning */
    bool left;                   /* it has gone elsewhere since */
    int64_t serial;              /* -1: never started */
    int first;                   /* row */
    int rows;                    /* from there to the end of the frame */
    int stop;                    /* rows that will be scanned: rows, or fewer after a pause */
    int next;                    /* line to be delivered */
    double period;               /* s of a row */
    double began;                /* s, instrument's clock */
    double worked;               /* s, time worked at its beginning */
    int stall;                   /* line that is late, and all after it; INT_MAX: none */
    double stall_by, stall_left; /* s; left: of it, without a clock */
} rs_sim_scan;

typedef struct rs_sim_motion {
    bool active;
    double x0, y0, x1, y1, began, seconds;
} rs_sim_motion;

struct rs_sim {
    rs_sim_options opt;
    rs_sim_source source;
    rs_driver_caps caps;
    double origin, now; /* s: real time when it was opened; the clock when opt.clock is 0 */
    double worked;      /* s */
    atomic_bool halted, lost;
    rs_frame frame;
    bool frame_new; /* not scanned yet */
    int64_t frames; /* begun since it was opened */
    rs_be_setup be;
    double *be_frequency; /* [caps.bins], Hz; owned */
    double bias, drive, setpoint, x, y;
    bool engaged;
    rs_sim_scan scan;
    rs_sim_moment *row_moment; /* [frame.rows][2]: when each row's trace and retrace were scanned;
                                  serial -1: never; owned */
    rs_sim_motion motion;
    rs_spectroscopy spectroscopy; /* voltage owned; steps 0: not set */
    bool measuring;
    double measured_at; /* s, clock at the end of the spectrum under way */
    int64_t spectra;    /* begun since it was opened */
    bool met_stall, met_lose, met_nan;
};

/* The options of rs_sim_options by name, for rs_option_take. */
const rs_twin_field *rs_sim_fields(int *n);
void rs_sim_defaults(rs_sim_options *opt);

/* sim is zeroed. In caps everything but clock_rate and bins is the driver's. The band excitation is
 * 65 bins about `resonance` (Hz), none yet when that is 0. RS_DRIVER_REFUSED for a frame out of
 * caps.limits and when memory is short; rs_sim_clear is then still due. */
rs_driver_status rs_sim_init(rs_sim *sim, const rs_sim_options *opt, const rs_sim_source *source,
                             const rs_driver_caps *caps, const rs_frame *frame, double resonance,
                             reshed_error *err);
void rs_sim_clear(rs_sim *sim);

/* The instrument's clock now, s. */
double rs_sim_now(const rs_sim *sim);
/* Time worked until now, the lines of a running scan included. */
double rs_sim_worked(rs_sim *sim);

/* Functions of the table; self is the driver, which begins with its rs_sim. */
void rs_sim_caps(void *self, rs_driver_caps *caps);
rs_driver_status rs_sim_set_frame(void *self, const rs_frame *frame, double timeout,
                                  reshed_error *err);
rs_driver_status rs_sim_get_frame(void *self, rs_frame *frame, double timeout, reshed_error *err);
rs_driver_status rs_sim_set_be(void *self, const rs_be_setup *be, double timeout,
                               reshed_error *err);
rs_driver_status rs_sim_start(void *self, int row, double timeout, reshed_error *err);
rs_driver_status rs_sim_pause(void *self, double timeout, reshed_error *err);
rs_driver_status rs_sim_wait_line(void *self, double timeout, rs_line *line, reshed_error *err);
rs_driver_status rs_sim_grab_frame(void *self, int channel, bool retrace, float *data,
                                   double timeout, reshed_error *err);
rs_driver_status rs_sim_move_tip(void *self, double x, double y, double speed, double timeout,
                                 reshed_error *err);
rs_driver_status rs_sim_get_tip(void *self, double *x, double *y, double timeout,
                                reshed_error *err);
rs_driver_status rs_sim_set_setpoint(void *self, double value, double timeout, reshed_error *err);
rs_driver_status rs_sim_get_setpoint(void *self, double *value, double timeout, reshed_error *err);
rs_driver_status rs_sim_engage(void *self, double timeout, reshed_error *err);
rs_driver_status rs_sim_withdraw(void *self, double timeout, reshed_error *err);
rs_driver_status rs_sim_set_bias(void *self, double volts, double timeout, reshed_error *err);
rs_driver_status rs_sim_get_bias(void *self, double *volts, double timeout, reshed_error *err);
rs_driver_status rs_sim_pulse(void *self, double volts, double width, double timeout,
                              reshed_error *err);
rs_driver_status rs_sim_set_drive(void *self, double volts, double timeout, reshed_error *err);
rs_driver_status rs_sim_set_spectroscopy(void *self, const rs_spectroscopy *s, double timeout,
                                         reshed_error *err);
rs_driver_status rs_sim_run_spectroscopy(void *self, double timeout, rs_spectrum *out,
                                         reshed_error *err);
double rs_sim_spectroscopy_seconds(void *self);
rs_driver_status rs_sim_read_signal(void *self, const char *name, double *value, double timeout,
                                    reshed_error *err);
rs_driver_status rs_sim_halt(void *self, double timeout, reshed_error *err);

/* -------------------------------------------------------------------------------------- options */

/* One struct of numbers and their names. */
typedef struct rs_option_table {
    const rs_twin_field *field;
    int n;
    void *target;
} rs_option_table;

/* Sets the number that option names, in the first of the tables that has one of its name.
 * RS_DRIVER_REFUSED, with what is expected, for an unknown name, for text that is no number and for
 * a number out of range. "clock" may be "real", which is 1. */
rs_driver_status rs_option_take(const rs_driver_option *option, const rs_option_table *tables,
                                int n_tables, reshed_error *err);

#endif
