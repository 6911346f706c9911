/* session.h - the file of one acquisition: everything that came from the instrument, what was made
 * of it, and what is needed to do it all again without the instrument. docs/formats.md has the
 * layout, durability.c when a line is safe and what a crash leaves.
 *
 *     rs_session *s = NULL;
 *     reshed_status st = rs_session_create("scan.h5", &setup, 1, &s, err);
 *     while (st == RESHED_OK && next_line(&line))
 *         st = rs_session_put_line(s, &line, now, err);   // on the disk when it returns
 *     rs_session_finish(s, st, err);                       // NULL is fine
 *
 * Durability. The functions marked DURABLE return RESHED_OK once what they were given, and all that
 * was put before, will be found again whatever happens to the program (kill -9 at any moment) or,
 * with sync_every 1, to the machine (power). With sync_every N > 1 the file is synced at every N-th
 * of them only: a killed program still loses nothing, a power failure up to N - 1 of them, and
 * other programs see the new data N at a time. The other put functions become durable with the next
 * DURABLE call; rs_session_commit is one.
 *
 * Full disk. RESHED_EIO from a put or commit: what was durable stays so, what was put since is kept
 * in memory. Once there is space again rs_session_commit (or any put, which tries that first) goes
 * on as if nothing had happened. A put that was answered by RESHED_EIO may be made again, or not.
 *
 * Live. While it is written any program may read the file in HDF5's SWMR mode (h5py: File(path,
 * "r", libver="latest", swmr=True), then refresh() of a dataset), and so does rs_session_open.
 * What notes that something is there (lines' arrivals and states of rows, the tables of points,
 * references and patches) changes after what it notes: a reader that refreshes the notes first and
 * the data after them never finds a note without its data. rs_session_open does that: its notes are
 * those of one moment, kept in memory, and the data at least as new. rs_session_refresh takes a new
 * snapshot of the file.
 * Beside it lies PATH.journal, which belongs to it until finish removes it: after a crash keep the
 * two together.
 *
 * Rows are spatial, row 0 at the +y edge; lengths in metres, times in seconds. `time` is the
 * instrument's clock, `acquired` whatever monotonic clock the caller uses: nothing here reads one.
 * The HDF5 library allows one call at a time in a process; so do these functions. */
#ifndef RS_SPM_SESSION_SESSION_H
#define RS_SPM_SESSION_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "reshed_driver.h"

#define RS_SESSION_MAX_METRICS 128

typedef struct rs_session rs_session;

/* A metric of a loop, by name. */
typedef struct rs_session_metric {
    char name[48], unit[24];
} rs_session_metric;

/* The conditions of the acquisition, known before the first line and fixed from then on. Texts may
 * be NULL ("" when read back) and have at most 4000 bytes; names of settings and of driver options
 * are distinct, and come back in alphabetical order. The caller keeps what it points to; in an open
 * session everything is the session's. */
typedef struct rs_session_setup {
    const char *start_time; /* ISO 8601, "2026-11-25T10:15:00Z" */
    const char *region, *sample, *operator_name;
    const char *program;                   /* name and version of what wrote it */
    const char *driver;                    /* its name; caps.instrument says what it drives */
    const rs_driver_option *driver_option; /* [driver_options] */
    int driver_options;
    const rs_driver_option *setting; /* [settings]: every setting of the run by name */
    int settings;
    const char *weights, *weights_sha256; /* file name and 64 hexadecimal digits */
    const char *norm;                     /* as --norm takes it */

    rs_driver_caps caps;     /* channels and their units, bins, retrace, limits, clock_rate ... */
    rs_frame frame;          /* as the instrument has it; rows, cols >= 1 */
    const double *frequency; /* [caps.bins], Hz; lines have spectra when caps.bins > 0 */
    rs_be_setup be;          /* zeros without band excitation */

    /* Spectroscopy; spectroscopy.steps 0: none. fields is 2 when spectroscopy.off_field, else 1. */
    rs_spectroscopy spectroscopy;
    int spectrum_bins;                /* 0: amplitude and phase only */
    const double *spectrum_frequency; /* [spectrum_bins], Hz */
    const char *amplitude_unit;       /* of the amplitude map and of responses; NULL: V */
    const rs_session_metric *metric;  /* [metrics] results of a loop */
    int metrics;

    int patch_rows, patch_cols; /* the largest rescan patch; 0: none */
} rs_session_setup;

/* ------------------------------------------------------------------------- open, create, finish */
/* Makes a new session at path, which must not exist, nor path.journal. sync_every >= 1. */
reshed_status rs_session_create(const char *path, const rs_session_setup *setup, int sync_every,
                                rs_session **out, reshed_error *err);
/* Continues a session that was interrupted: what its journal holds is brought into the file and the
 * writer's flag is cleared. Fails when another program writes it or when it was finished. */
reshed_status rs_session_resume(const char *path, int sync_every, rs_session **out,
                                reshed_error *err);
/* For reading: a finished session, or one that is being written (as it was at the last commit), or
 * an interrupted one, whose journal is brought into the file first (which must be writable for
 * that). */
reshed_status rs_session_open(const char *path, rs_session **out, reshed_error *err);
/* Goes to the last commit of a session that another program writes. The setup stays as it is. */
reshed_status rs_session_refresh(rs_session *s, reshed_error *err);
/* Ends and frees s. A writer with st RESHED_OK marks the session as complete, and one with another
 * st leaves it to be resumed; both commit. Returns st, or why finishing failed: the session can be
 * resumed then. NULL and readers are fine. */
reshed_status rs_session_finish(rs_session *s, reshed_status st, reshed_error *err);
/* DURABLE; ends a hold. */
reshed_status rs_session_commit(rs_session *s, reshed_error *err);
/* While puts are held the DURABLE ones are safe from a kill only. They become durable, and visible to
 * others, with the next DURABLE put or commit that is not held: many of them for one sync. */
void rs_session_hold(rs_session *s, bool hold);

/* Borrowed until finish. */
const rs_session_setup *rs_session_get_setup(const rs_session *s);
/* A setting by name, NULL when there is none. */
const char *rs_session_setting(const rs_session *s, const char *name);

typedef struct rs_session_progress {
    bool complete;     /* finished with RESHED_OK */
    bool live;         /* read while another program writes it */
    int lines, lost;   /* trace lines that arrived, that will not come */
    int first_missing; /* the first row in scan order with neither; frame.rows when there is none */
    int points, measured;
    int first_pending; /* the first point in state PENDING; `points` when there is none */
    int references, patches, drifts, events;
} rs_session_progress;
reshed_status rs_session_get_progress(rs_session *s, rs_session_progress *out, reshed_error *err);

/* ---------------------------------------------------------------------------------------- lines */
typedef enum rs_session_line_state {
    RS_SESSION_MISSING = 0,
    RS_SESSION_ARRIVED,
    RS_SESSION_LOST
} rs_session_line_state;

/* The record of a line, made when it arrives or is given up. */
typedef struct rs_session_arrival {
    rs_session_line_state state;
    int nans;        /* pixels with a NaN in any channel or bin */
    int order;       /* counts arrivals, lost ones too, from 0; -1: not yet */
    int64_t frame;   /* of the instrument */
    double time;     /* instrument's clock */
    double acquired; /* caller's clock */
} rs_session_arrival;

/* DURABLE. line->cols, bins and channels must be the setup's (0 and NULL for what the setup does
 * not have); a line that is there already is replaced. */
reshed_status rs_session_put_line(rs_session *s, const rs_line *line, double acquired,
                                  reshed_error *err);
/* DURABLE. */
reshed_status rs_session_put_lost_line(rs_session *s, int row, bool retrace, int64_t frame,
                                       double acquired, reshed_error *err);
/* Fills line->channel and line->spectra where not NULL (NaN for a line that did not come), row,
 * retrace, time and frame; *arrival, NULL or what is known of it. */
reshed_status rs_session_read_line(rs_session *s, int row, bool retrace, rs_line *line,
                                   rs_session_arrival *arrival, reshed_error *err);
/* Of all rows: out[frame.rows]. */
reshed_status rs_session_read_arrivals(rs_session *s, bool retrace, rs_session_arrival *out,
                                       reshed_error *err);

/* The record of a line's way through the network. Negative or NaN: unknown. */
typedef struct rs_session_processed {
    double latency;   /* s from arrival to published prediction */
    double inference; /* s of it in the network */
    int lag;          /* rows between this line and the last final row */
    int coalesced;    /* lines that went through the network together */
    int alarm;        /* 0: none; bits as the caller defines them in its settings */
    double score;     /* out of distribution; NaN: none */
} rs_session_processed;
reshed_status rs_session_put_processed(rs_session *s, int row, const rs_session_processed *p,
                                       reshed_error *err);
reshed_status rs_session_read_processed(rs_session *s, rs_session_processed *out, /* [rows] */
                                        reshed_error *err);

/* ---------------------------------------------------------------------------------- result maps */
typedef enum rs_session_map {
    RS_SESSION_AMPLITUDE = 0, /* SHO fit, or the amplitude channel: what the network sees */
    RS_SESSION_FREQUENCY,     /* Hz */
    RS_SESSION_Q,
    RS_SESSION_PHASE, /* rad */
    RS_SESSION_MEAN,  /* wall probability, 0 ... 1 */
    RS_SESSION_VARIANCE,
    RS_SESSION_MAPS
} rs_session_map;
typedef enum rs_session_mask {
    RS_SESSION_BINARY = 0,
    RS_SESSION_SKELETON,
    RS_SESSION_MASKS
} rs_session_mask;
typedef enum rs_session_row_state {
    RS_SESSION_UNSCANNED = 0,
    RS_SESSION_PROVISIONAL, /* may change with later lines */
    RS_SESSION_FINAL,
    RS_SESSION_STALE /* not yet computed with the newest lines */
} rs_session_row_state;

/* Rows [row, row + rows) of data [rows][frame.cols]. Maps are NaN and masks and states 0 where
 * nothing was put. */
reshed_status rs_session_put_map(rs_session *s, rs_session_map map, int row, int rows,
                                 const float *data, reshed_error *err);
reshed_status rs_session_put_mask(rs_session *s, rs_session_mask mask, int row, int rows,
                                  const uint8_t *data, reshed_error *err);
/* state[rows], of rs_session_row_state. */
reshed_status rs_session_put_states(rs_session *s, int row, int rows, const uint8_t *state,
                                    reshed_error *err);
reshed_status rs_session_read_map(rs_session *s, rs_session_map map, int row, int rows, float *data,
                                  reshed_error *err);
reshed_status rs_session_read_mask(rs_session *s, rs_session_mask mask, int row, int rows,
                                   uint8_t *data, reshed_error *err);
reshed_status rs_session_read_states(rs_session *s, int row, int rows, uint8_t *state,
                                     reshed_error *err);

/* --------------------------------------------------------------------------------------- points */
typedef enum rs_session_point_state {
    RS_SESSION_PENDING = 0,
    RS_SESSION_MEASURED,
    RS_SESSION_POINT_LOST, /* the instrument did not deliver */
    RS_SESSION_SKIPPED     /* refused by the safety check, or out of time */
} rs_session_point_state;

/* Points are numbered in the order in which they are to be measured. */
typedef struct rs_session_point {
    double row, col;               /* pixel, 0 at the centre of the top left one */
    double x, y;                   /* m, stage: where it is in the frame */
    double device_x, device_y;     /* what the driver was asked for, in its units */
    double measured_x, measured_y; /* m, where the tip was; NaN: not measured */
    double time;                   /* instrument's clock at the end; NaN: not measured */
    int target; /* its place in the order of selection; all targets differ, 0 ... points - 1 once
                   all are put */
    int wall;   /* of the wall graph, -1: none */
    int kind;   /* as the selection has it */
    rs_session_point_state state;
} rs_session_point;

/* A point to be measured at row, col and at x, y on the stage, which the instrument is told as well. */
rs_session_point rs_session_point_at(double row, double col, double x, double y);

/* DURABLE. Points first ... first + n - 1, new ones or again; first <= points so far. */
reshed_status rs_session_put_points(rs_session *s, int first, int n, const rs_session_point *p,
                                    reshed_error *err);
/* p[n] */
reshed_status rs_session_read_points(rs_session *s, int first, int n, rs_session_point *p,
                                     reshed_error *err);

/* Spectra belong to a point, or to the series of reference loops that are measured at one place
 * again and again (numbered from 0; the place is a reference's own). */
typedef enum rs_session_series { RS_SESSION_POINTS = 0, RS_SESSION_REFERENCES } rs_session_series;

/* DURABLE. POINTS: spectrum k of point k, which must exist, and becomes MEASURED at spectrum->x, y
 * and time. REFERENCES: k <= references so far. spectrum->steps, fields and bins must be the
 * setup's; amplitude and phase may be NULL when there are bins. */
reshed_status rs_session_put_spectrum(rs_session *s, rs_session_series series, int k,
                                      const rs_spectrum *spectrum, reshed_error *err);
/* Arrays where not NULL, as in rs_spectrum; NaN for what was not measured. */
reshed_status rs_session_read_spectrum(rs_session *s, rs_session_series series, int k,
                                       rs_spectrum *spectrum, reshed_error *err);

/* The results of one spectrum. Arrays [fields][steps] (NULL: not there, left NaN) and [metrics]. */
typedef struct rs_session_loop {
    float *amplitude, *frequency, *q, *phase; /* of each step's SHO fit */
    float *response;                          /* signed, of the loop */
    double *metric;
} rs_session_loop;
reshed_status rs_session_put_loop(rs_session *s, rs_session_series series, int k,
                                  const rs_session_loop *loop, reshed_error *err);
reshed_status rs_session_read_loop(rs_session *s, rs_session_series series, int k,
                                   rs_session_loop *loop, reshed_error *err);

/* ----------------------------------------------------------------------- patches, drift, events */
/* A part of the frame that was scanned again. */
typedef struct rs_session_patch {
    double time, acquired;
    double cx, cy, width, height, angle; /* as rs_frame */
    int rows, cols;                      /* at most the setup's patch_rows, patch_cols */
} rs_session_patch;
/* DURABLE. Patch k (<= patches so far), amplitude[rows][cols]. */
reshed_status rs_session_put_patch(rs_session *s, int k, const rs_session_patch *p,
                                   const float *amplitude, reshed_error *err);
/* amplitude NULL, or of patch_rows*patch_cols, filled as [p->rows][p->cols]. */
reshed_status rs_session_read_patch(rs_session *s, int k, rs_session_patch *p, float *amplitude,
                                    reshed_error *err);

typedef struct rs_session_drift {
    double time;   /* instrument's clock */
    double dx, dy; /* m, where the sample went since the frame was scanned */
    double vx, vy; /* m/s */
    double sigma;  /* m, standard error of dx and dy */
    int source;    /* patch it comes from, -1: a model or the user */
} rs_session_drift;
reshed_status rs_session_add_drift(rs_session *s, const rs_session_drift *d, reshed_error *err);
reshed_status rs_session_read_drift(rs_session *s, int first, int n, rs_session_drift *d,
                                    reshed_error *err);

#define RS_SESSION_EVENT_TEXT 232
typedef enum rs_session_level {
    RS_SESSION_NOTE = 0,
    RS_SESSION_WARNING,
    RS_SESSION_ERROR
} rs_session_level;
typedef struct rs_session_event {
    double time; /* caller's clock */
    rs_session_level level;
    char text[RS_SESSION_EVENT_TEXT]; /* UTF-8; cut at a whole character */
} rs_session_event;
reshed_status rs_session_add_event(rs_session *s, double time, rs_session_level level,
                                   const char *text, reshed_error *err);
reshed_status rs_session_read_events(rs_session *s, int first, int n, rs_session_event *e,
                                     reshed_error *err);

#endif
