/* options.h - the options of the nanonis driver. */
#ifndef RS_SPM_INSTRUMENT_NANONIS_OPTIONS_H
#define RS_SPM_INSTRUMENT_NANONIS_OPTIONS_H

#include <stdbool.h>

#include "reshed_driver.h"

#define RS_NANO_MAX_PORTS 8

/* Which line is row 0 of the array that Scan.FrameDataGrab gives. */
enum {
    RS_NANO_ORDER_TIME, /* the one that is scanned first */
    RS_NANO_ORDER_TOP,  /* the +y edge */
    RS_NANO_ORDER_BOTTOM
};

typedef struct rs_nano_settings {
    char host[128];
    int port[RS_NANO_MAX_PORTS], ports;
    /* Signals by name: the amplitude, the phase if there is one, others. */
    char signal[RS_DRIVER_MAX_CHANNELS][64];
    int signals;
    bool phase;
    /* Choices: 0 or 1 where nothing else is said. */
    int retrace;
    int order;            /* RS_NANO_ORDER_... */
    int backward_in_time; /* backward rows run from +x to -x */
    int counterclockwise; /* the sign of the frame's angle */
    int slots;            /* channels are numbered by slot, as before R11798 */
    int poll;             /* Scan.WaitEndOfLine is not used */
    int keep_props;       /* Scan.PropsSet is not used */
    int feedback_only;    /* engage switches the Z controller on, without an approach */
    int hold;             /* the Z controller in pulses and spectra: 0 as on the panel, 1, 2 off */
    int modulator;        /* of the lock-in, from 1; 0: none */
    rs_driver_limits limits; /* x and y NaN: from the instrument */
    double ramp;             /* V/s of the bias, 0: in one step */
    double arrive;           /* m: nearer than that is there */
    double silence;          /* s without a word after which the instrument is lost */
} rs_nano_settings;

/* A line each, for --help. */
extern const char rs_nano_options_help[];

/* RESHED_EINVAL for what is unknown, out of range or missing. */
reshed_status rs_nano_options(const rs_driver_option *option, int n, rs_nano_settings *out,
                              reshed_error *err);

#endif
