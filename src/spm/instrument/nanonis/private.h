/* private.h - what the files of the nanonis driver share: the open driver, and the functions of its
 * table that are not in nanonis/nanonis.c. */
#ifndef RS_SPM_INSTRUMENT_NANONIS_PRIVATE_H
#define RS_SPM_INSTRUMENT_NANONIS_PRIVATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "reshed_driver.h"
#include "spm/instrument/nanonis/link.h"
#include "spm/instrument/nanonis/options.h"
#include "spm/instrument/nanonis/rows.h"
#include "spm/instrument/nanonis/wire.h"

typedef struct rs_nano_channel {
    char name[32], unit[16];
    int index;    /* for the instrument's calls */
    double scale; /* to SI */
} rs_nano_channel;

/* The stage that a start of a scan has reached, so that start() can be called again after RETRY without
 * starting it a second time. */
typedef enum rs_nano_start {
    RS_NANO_IDLE,
    RS_NANO_ASKED, /* Scan.Action was sent, or is about to be */
    RS_NANO_MOVING /* and answered; the scan does not run yet */
} rs_nano_start;

typedef struct rs_nano_scan {
    rs_frame frame; /* as the instrument has it */
    bool known;     /* set_frame has succeeded */
    rs_nano_rows rows;
    rs_nano_start starting;
    int starting_row;
    bool started, paused;
    bool ended;     /* the scan does not run any more, and all that it left has been grabbed */
    int position;   /* of the next line to hand out, see nanonis/rows.h */
    int step;       /* grabs of the current refresh that are done */
    bool current;   /* the other channels are as new as channel 0 */
    bool new_frame; /* set_frame since the last start */
    int64_t frames; /* started so far */
} rs_nano_scan;

typedef struct rs_nano_spectroscopy {
    float *voltage; /* [steps] */
    int steps;      /* 0: none is set */
    double seconds;
    bool running; /* BiasSpectr.Start was sent, its data have not come */
    double x, y;
} rs_nano_spectroscopy;

typedef struct rs_nano {
    rs_nano_settings set;
    char instrument[96];
    rs_driver_limits limits;
    rs_nano_names names; /* of all signals */
    rs_nano_channel channel[RS_DRIVER_MAX_CHANNELS];
    int channels;
    double opened; /* rs_os_monotonic() */

    rs_nano_link link;
    int port; /* of the ports in the options, the one that link has */
    rs_nano_gate gate;
    rs_nano_scan scan;
    rs_nano_spectroscopy spectrum;
    bool no_wait; /* the instrument does not know Scan.WaitEndOfLine */
    bool approaching;
    double move_x, move_y; /* where a move that was not answered yet goes to */
    bool move_owed;

    /* halt's own, for one thread at a time */
    atomic_flag halting;
    rs_nano_link halt_link;
    atomic_bool used_spectroscopy, used_approach;
} rs_nano;

/* Deadline of a call: even a timeout of 0 leaves the time for a question and its answer. */
double rs_nano_deadline(double timeout);

/* Sends a request with numbers for arguments on link; its reply has none. acts: see
 * rs_nano_wish. */
rs_driver_status rs_nano_tell(rs_nano_link *link, const char *name, const char *format,
                              const double *argument, bool acts, double deadline,
                              reshed_error *err);
/* One with numbers in the reply as well; it does not act. */
rs_driver_status rs_nano_query(rs_nano_link *link, const char *name, const char *format,
                               const double *argument, const char *reply_format, double *value,
                               double deadline, reshed_error *err);

/* REFUSED with a text as of rs_fail. */
#define rs_nano_refuse(err, ...) (rs_fail((err), RESHED_EINVAL, __VA_ARGS__), RS_DRIVER_REFUSED)

/* Fills err and gives REFUSED once halt has been called. */
rs_driver_status rs_nano_check_halted(rs_nano *n, reshed_error *err);

/* Index into the names of a signal, whose unit in parentheses may be left out and whose letters may
 * be of either case; -1: there is none, or more than one. */
int rs_nano_find_signal(const rs_nano_names *names, const char *name);

/* nanonis/frame.c */
rs_driver_status rs_nano_set_frame(void *self, const rs_frame *frame, double timeout,
                                   reshed_error *err);
rs_driver_status rs_nano_get_frame(void *self, rs_frame *frame, double timeout, reshed_error *err);
/* Stops a scan that runs, whoever started it, and waits for that. */
rs_driver_status rs_nano_stop_scan(rs_nano *n, double deadline, reshed_error *err);
/* Grabs one frame; its size has been checked. Values borrow from the link. No data at all yet (0
 * rows) gives values NULL. */
rs_driver_status rs_nano_grab(rs_nano *n, int channel, int direction, double deadline,
                              rs_nano_frame *frame, reshed_error *err);

/* nanonis/scan.c */
rs_driver_status rs_nano_start_scan(void *self, int row, double timeout, reshed_error *err);
rs_driver_status rs_nano_pause(void *self, double timeout, reshed_error *err);
rs_driver_status rs_nano_wait_line(void *self, double timeout, rs_line *line, reshed_error *err);
rs_driver_status rs_nano_grab_frame(void *self, int channel, bool retrace, float *data,
                                    double timeout, reshed_error *err);

/* nanonis/tip.c */
rs_driver_status rs_nano_move_tip(void *self, double x, double y, double speed, double timeout,
                                  reshed_error *err);
rs_driver_status rs_nano_get_tip(void *self, double *x, double *y, double timeout,
                                 reshed_error *err);
rs_driver_status rs_nano_set_setpoint(void *self, double value, double timeout, reshed_error *err);
rs_driver_status rs_nano_get_setpoint(void *self, double *value, double timeout, reshed_error *err);
rs_driver_status rs_nano_engage(void *self, double timeout, reshed_error *err);
rs_driver_status rs_nano_withdraw(void *self, double timeout, reshed_error *err);
rs_driver_status rs_nano_set_bias(void *self, double volts, double timeout, reshed_error *err);
rs_driver_status rs_nano_get_bias(void *self, double *volts, double timeout, reshed_error *err);
rs_driver_status rs_nano_pulse(void *self, double volts, double width, double timeout,
                               reshed_error *err);
rs_driver_status rs_nano_set_drive(void *self, double volts, double timeout, reshed_error *err);
/* Takes the bias from where it is to volts. */
rs_driver_status rs_nano_ramp(rs_nano_link *link, double volts, double rate, double deadline,
                              reshed_error *err);

/* nanonis/halt.c */
rs_driver_status rs_nano_halt(void *self, double timeout, reshed_error *err);
rs_driver_status rs_nano_rescue(const rs_driver_option *option, int n, double timeout,
                                reshed_error *err);

/* nanonis/spectrum.c */
rs_driver_status rs_nano_set_spectroscopy(void *self, const rs_spectroscopy *s, double timeout,
                                          reshed_error *err);
rs_driver_status rs_nano_run_spectroscopy(void *self, double timeout, rs_spectrum *out,
                                          reshed_error *err);
double rs_nano_spectroscopy_seconds(void *self);

/* nanonis/nanonis.c: a connection to the first port that answers, of `count` from number `first`
 * on, round the end of the list; *used is its number. */
rs_driver_status rs_nano_connect(rs_nano *n, rs_nano_link *link, int first, int count,
                                 double deadline, int *used, reshed_error *err);

#endif
