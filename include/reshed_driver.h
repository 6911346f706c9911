/* reshed_driver.h - what an instrument has to be able to do for reshed, and nothing about how.
 *
 * A driver is a table of functions. The ones in this tree are twin, replay and nanonis; another one
 * may be a shared object that exports
 *
 *     const rs_driver_ops *reshed_driver_ops(uint32_t abi);
 *
 * which answers NULL when it does not know that version of this header (RS_DRIVER_ABI). This header
 * needs only reshed_base.h and is installed as reshed_driver.h.
 *
 * Rules for every function:
 *  - SI units: metres, seconds, volts, hertz, radians. Angles counter-clockwise.
 *  - Rows are spatial: row 0 is the +y edge of the frame, column 0 its -x edge, whichever way the
 *    scan runs; x and y of frames and tip are in the stage's fixed axes, x to the right, y up.
 *  - timeout: seconds after which the call must have come back, with RS_DRIVER_RETRY when what was
 *    asked for has not happened yet. Never infinite.
 *  - err is never NULL; whatever is not RS_DRIVER_OK fills err->status and err->what.
 *  - One call at a time, but halt() may come from another thread at any moment.
 *  - A function that the instrument does not have is NULL; caps says the same in words.
 *  - A driver checks limits itself (caps.limits): it refuses what is outside, and never clamps. */
#ifndef INCLUDE_RESHED_DRIVER_H
#define INCLUDE_RESHED_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reshed_base.h"

#define RS_DRIVER_ABI 1
#define RS_DRIVER_MAX_CHANNELS 16

/* The answer of a driver, by what its caller has to do. */
typedef enum rs_driver_status {
    RS_DRIVER_OK = 0,
    RS_DRIVER_RETRY,     /* not yet: the same call may be made again */
    RS_DRIVER_LOST_LINE, /* this line or this spectrum will not come; the instrument goes on */
    RS_DRIVER_REFUSED,   /* the request is out of range or not supported; nothing was done */
    RS_DRIVER_LOST       /* the instrument does not answer any more: close, maybe open again */
} rs_driver_status;

/* "noise=0.1" becomes {"noise", "0.1"}. */
typedef struct rs_driver_option {
    const char *name, *value;
} rs_driver_option;

typedef struct rs_driver_limits {
    double x_min, x_max, y_min, y_max; /* m, of the stage */
    double bias_max;                   /* V, of |bias| */
    double drive_max;                  /* V, of the AC amplitude */
    double speed_max;                  /* m/s, of the tip */
} rs_driver_limits;

typedef struct rs_driver_caps {
    char instrument[96];  /* for the session file: maker, model, version */
    bool band_excitation; /* lines and spectra come as complex spectra */
    bool off_field;       /* spectroscopy reads at zero bias after each step as well */
    bool retrace;         /* lines come in both directions */
    bool simulated;       /* no sample can come to harm */
    double clock_rate;    /* 1; N when an instrument second takes 1/N of a real one; infinite when
                             nothing takes time */
    int bins;             /* of a spectrum, 0 without band excitation; fixed once set_be has
                             been called */
    int channels;         /* named channels of a line besides the spectra */
    char channel[RS_DRIVER_MAX_CHANNELS][32]; /* "Amplitude", "Phase", ... */
    char unit[RS_DRIVER_MAX_CHANNELS][16];
    rs_driver_limits limits;
} rs_driver_caps;

typedef struct rs_frame {
    double cx, cy;        /* m, centre */
    double width, height; /* m, edge to edge: a pixel is width/cols wide, its value belongs to its
                             centre */
    double angle;         /* rad */
    int rows, cols;
    double line_rate; /* lines (trace and retrace) per second */
    bool upward;      /* the scan runs from the last row to row 0 */
} rs_frame;

/* Band excitation: all bins between the edges of the band are excited at once. */
typedef struct rs_be_setup {
    double centre, band;    /* Hz */
    double amplitude;       /* V */
    double phase_variation; /* -1 ... 1: chirp of the excitation */
    int repeats;
    double duration; /* s, of one pulse: bins are 1/duration apart */
} rs_be_setup;

/* One line as it was delivered. The caller owns the arrays and sets the capacities; NULL where not
 * wanted. They are packed by what was filled in, not by the capacities. Room for fewer columns or
 * bins than there are is REFUSED, and the line waits; of the channels as many come as fit. */
typedef struct rs_line {
    int cols, bins, channels; /* capacities in, what was filled in out */
    float *channel;           /* [channels][cols], as caps.channel; NaN where there is no value */
    float *spectra;           /* [cols][bins][2] (re, im), V */
    double *frequency;        /* [bins], Hz */
    /* filled by the driver */
    int row;
    bool retrace;
    double time;   /* s of the instrument's clock when the line was complete */
    int64_t frame; /* counts frames since open */
} rs_line;

/* Switching spectroscopy at one place: the tip stays while the bias goes through `voltage`. */
typedef struct rs_spectroscopy {
    const double *voltage; /* [steps], V */
    int steps;
    bool off_field;            /* read at zero bias after each step as well */
    double dwell, settle;      /* s, of a step and before a reading */
    double read_bias;          /* V, the "zero" of the off-field reading */
    double on_time, ramp_rate; /* s, of the pulse; V/s, 0: as fast as it goes */
} rs_spectroscopy;

/* The readings of one spectroscopy. Arrays as in rs_line. Without band excitation `spectra`
 * stays empty (bins 0) and amplitude and phase are filled. */
typedef struct rs_spectrum {
    int steps, bins;   /* capacities in, what was filled in out */
    int fields;        /* 1: on field only; 2: on field and off field */
    float *spectra;    /* [fields][steps][bins][2], V; field 0 is on field */
    double *frequency; /* [bins], Hz */
    float *amplitude;  /* [fields][steps], m or V */
    float *phase;      /* [fields][steps], rad */
    double x, y;       /* m, where the tip was */
    double time;       /* s of the instrument's clock at the end */
} rs_spectrum;

typedef struct rs_driver_ops {
    uint32_t abi; /* RS_DRIVER_ABI */
    size_t size;  /* sizeof(rs_driver_ops) of the header that it was built with: what a newer header
                     has at the end is then not asked for */
    const char *name;
    const char *help; /* its options, a line each, for --help */

    /* Options that the driver does not know are RS_DRIVER_REFUSED. */
    rs_driver_status (*open)(const rs_driver_option *option, int n, double timeout, void **self,
                             reshed_error *err);
    void (*close)(void *self);
    void (*caps)(void *self, rs_driver_caps *caps);

    /* Scanning. get_frame tells the frame that the instrument then has. */
    rs_driver_status (*set_frame)(void *self, const rs_frame *frame, double timeout,
                                  reshed_error *err);
    rs_driver_status (*get_frame)(void *self, rs_frame *frame, double timeout, reshed_error *err);
    rs_driver_status (*set_be)(void *self, const rs_be_setup *be, double timeout,
                               reshed_error *err);
    /* Begins a frame at `row` (the first of the scan's direction for a whole frame). */
    rs_driver_status (*start)(void *self, int row, double timeout, reshed_error *err);
    /* Stops after the line that is being scanned; start(next row) goes on. After the last line, and
     * where no scan runs, it sees to it that the tip is not scanning any more. */
    rs_driver_status (*pause)(void *self, double timeout, reshed_error *err);
    /* The next line, in the order in which they were scanned: a row's trace, then its retrace.
     * RETRY: none yet. LOST_LINE: line->row and line->retrace say which one will not come. After
     * the last line of a frame, or the last before a pause: REFUSED. A driver keeps lines that were
     * not asked for yet, at least 64 of them. */
    rs_driver_status (*wait_line)(void *self, double timeout, rs_line *line, reshed_error *err);
    /* A finished frame of one channel: data [rows,cols]. */
    rs_driver_status (*grab_frame)(void *self, int channel, bool retrace, float *data,
                                   double timeout, reshed_error *err);

    /* The tip. move_tip: RETRY while it is on its way; the same call then waits for the same
     * motion. */
    rs_driver_status (*move_tip)(void *self, double x, double y, double speed, double timeout,
                                 reshed_error *err);
    rs_driver_status (*get_tip)(void *self, double *x, double *y, double timeout,
                                reshed_error *err);
    rs_driver_status (*set_setpoint)(void *self, double value, double timeout, reshed_error *err);
    rs_driver_status (*get_setpoint)(void *self, double *value, double timeout, reshed_error *err);
    rs_driver_status (*engage)(void *self, double timeout, reshed_error *err);
    rs_driver_status (*withdraw)(void *self, double timeout, reshed_error *err);

    /* Voltages. drive: amplitude of the AC excitation, 0 switches it off. */
    rs_driver_status (*set_bias)(void *self, double volts, double timeout, reshed_error *err);
    rs_driver_status (*get_bias)(void *self, double *volts, double timeout, reshed_error *err);
    rs_driver_status (*pulse)(void *self, double volts, double width, double timeout,
                              reshed_error *err);
    rs_driver_status (*set_drive)(void *self, double volts, double timeout, reshed_error *err);

    /* Spectroscopy where the tip is. run: RETRY while it is under way; the same call then waits for
     * the same spectrum. */
    rs_driver_status (*set_spectroscopy)(void *self, const rs_spectroscopy *s, double timeout,
                                         reshed_error *err);
    rs_driver_status (*run_spectroscopy)(void *self, double timeout, rs_spectrum *out,
                                         reshed_error *err);
    /* Seconds of real time that one will take. */
    double (*spectroscopy_seconds)(void *self);

    /* A signal by its name. */
    rs_driver_status (*read_signal)(void *self, const char *name, double *value, double timeout,
                                    reshed_error *err);

    /* At once, from any thread: bias to zero and drive off first, before anything is read from the
     * instrument, then no more motion, tip withdrawn or left where it is if there is no other way.
     * An answer that does not come keeps no other step from being sent. Must work after a failure
     * of any other call, and twice. Afterwards whatever acts is REFUSED until engage. */
    rs_driver_status (*halt)(void *self, double timeout, reshed_error *err);

    /* May be NULL, or missing from a table of before 0.3. Halts the instrument from a second
     * process, over a connection of its own and without open: the program that had it open, with
     * the same options, is dead or stopped. Nothing of that program's memory is to be relied on.
     * NULL where the instrument ends with the program. */
    rs_driver_status (*rescue)(const rs_driver_option *option, int n, double timeout,
                               reshed_error *err);
} rs_driver_ops;

/* The function that a shared object exports. */
typedef const rs_driver_ops *rs_driver_entry(uint32_t abi);

#endif
