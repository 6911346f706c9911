/* settings.h - every number that decides what an acquisition does, by name: what the command
 * line sets, the session keeps, and a later analysis or a resumed run reads back. SI units. */
#ifndef RS_SPM_SCAN_REQUEST_SETTINGS_H
#define RS_SPM_SCAN_REQUEST_SETTINGS_H

#include "reshed_driver.h"
#include "spm/instrument/instrument.h"
#include "spm/instrument/rest.h"

typedef enum rs_scan_alarm {
    RS_SCAN_ALARM_CONTINUE = 0, /* noted only: points are measured all the same */
    RS_SCAN_ALARM_RESCAN,       /* the region is scanned once more, then as STOP */
    RS_SCAN_ALARM_STOP          /* no point is chosen */
} rs_scan_alarm;

typedef enum rs_scan_shape {
    RS_SCAN_TRIANGLE = 0, /* up first */
    RS_SCAN_INVERSE,      /* the same, down first */
    RS_SCAN_LIST          /* settings.list */
} rs_scan_shape;

typedef enum rs_scan_until {
    RS_SCAN_END = 0,     /* the whole list */
    RS_SCAN_ALTERNATION, /* a test whether walls alternate is decided */
    RS_SCAN_LENGTHS      /* the same for long and short walls */
} rs_scan_until;

/* All are doubles, so that one table serves them; whole numbers where that makes sense. */
typedef struct rs_scan_settings {
    /* the frame */
    double x, y, width, height, angle; /* m, rad: centre and size */
    double rows, cols, line_rate;
    double upward; /* 0, 1 */
    /* band excitation; be_band 0: the driver's channels instead */
    double be_centre, be_band, be_amplitude, be_duration, be_repeats, be_phase_variation;
    /* spectroscopy: a bipolar triangle, or a list; voltage, its largest, 0: none */
    double shape; /* rs_scan_shape */
    double voltage, steps, cycles, dwell, settle, off_field, read_bias;
    double drop_first; /* of several cycles, the first */
    /* points */
    double thinning; /* of the wall mask: 0 keep, 1 skimage */
    double threshold, every, min_wall, margin, max_points;
    double min_distance; /* of any two points; < 0: as the recipe has it (walls/find.h) */
    double on_180;       /* with a phase, 1: points on 180-degree walls as well */
    double order;        /* 0 route, 1 author, 2 raster */
    double budget;       /* s for the points, 0: as long as it takes */
    double until, error; /* rs_scan_until: where the list may end (decide.h), and the chance of a
                            false finding */
    /* the tip */
    double speed;
    double drift_every, patch; /* points between two looks at the drift, 0: never; pixels a side */
    double reference_every;  /* points between two measurements of the reference point, 0: never */
    double reference_change; /* relative change of its loop's width or area that pauses the list */
    /* decisions */
    double alarm;
    double line_timeout, queue, sync_every; /* s; lines; lines */
    double end, park_x, park_y;             /* rs_tip_end, at the good end of a run; m */
    double watch;                           /* s, of the watchdog (instrument/watch.h) */
    double disk_wait;                       /* s that a disk may refuse data until the run ends */
    /* limits beside the driver's own; 0: only those */
    double max_bias, max_drive, max_speed, max_step;
    /* The voltages of RS_SCAN_LIST, all cycles; borrowed. They are scaled to `voltage`. */
    const double *list;
    int listed;
} rs_scan_settings;

/* A 2 um frame of 256 x 256 at 1 line/s, band excitation, 64 steps to 8 V. */
void rs_scan_settings_defaults(rs_scan_settings *s);

/* Sets what sessions of older programs do not name to what those programs did. */
void rs_scan_settings_unnamed(rs_scan_settings *s);

/* Puts the value that is meant where a setting stands for one. */
void rs_scan_settings_settle(rs_scan_settings *s);

/* One setting by its name. */
typedef struct rs_scan_field {
    const char *name, *unit, *help;
    size_t offset;
    double lo, hi;
    bool whole;
} rs_scan_field;
const rs_scan_field *rs_scan_fields(int *n);
const rs_scan_field *rs_scan_field_find(const char *name);
double rs_scan_get(const rs_scan_settings *s, const rs_scan_field *f);

/* value: a number, for order, alarm, end and others also a word. RESHED_EINVAL: no such setting, not a number,
 * or out of range. */
reshed_status rs_scan_set(rs_scan_settings *s, const char *name, const char *value,
                          reshed_error *err);

/* The settings as requests to a driver. voltage must hold rs_scan_steps(s) values. */
rs_frame rs_scan_frame(const rs_scan_settings *s);
rs_be_setup rs_scan_be(const rs_scan_settings *s);
int rs_scan_steps(const rs_scan_settings *s); /* of all cycles; 0 without spectroscopy */
reshed_status rs_scan_waveform(const rs_scan_settings *s, double *voltage, reshed_error *err);
/* Takes n voltages, borrowed, as the waveform: shape, voltage, steps and, where they repeat, cycles
 * become theirs. RESHED_EINVAL, nothing changed, for what is no waveform. */
reshed_status rs_scan_set_list(rs_scan_settings *s, const double *voltage, int n,
                               reshed_error *err);
/* The word that a setting's number stands for, NULL: there is none. */
const char *rs_scan_word(const rs_scan_field *f, double value);
rs_spectroscopy rs_scan_spectroscopy(const rs_scan_settings *s, const double *voltage);
rs_rest rs_scan_rest(const rs_scan_settings *s);
rs_limits rs_scan_limits(const rs_scan_settings *s);

#endif
