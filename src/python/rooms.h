/* rooms.h - what the Python package uses beside reshed.h, as flat functions on arrays: images,
 * walls, spectra, loops, twin, sessions, acquisitions. They are libreshed_rooms.so, which belongs to
 * the package: it is not installed, has no ABI of its own and may change with every commit.
 *
 * The conventions are those of reshed.h: a reshed_status, *err filled, nothing changed on failure;
 * what `_create`, `_open` and `_find` give is freed by the matching `_free`. Declarations here are read by
 * python/assemble.py: no macros in them. Functions are called from several threads, each object by
 * one at a time; those that open files, which HDF5 allows one at a time, say so. */
#ifndef RS_PYTHON_ROOMS_H
#define RS_PYTHON_ROOMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "reshed_driver.h"

/* The checksum of this header and of those that it takes in (the digits of cksum): the package compares
 * it with that of the declarations which it was made of. */
RESHED_API const char *rs_py_headers(void);

/* A number by its name. */
typedef struct rs_py_setting {
    const char *name;
    double value;
} rs_py_setting;

/* ----------------------------------------------------------------------------------------- image */

/* One channel of an image file. */
typedef struct rs_py_image rs_py_image;
typedef struct rs_py_image_view {
    int height, width;
    const float *data;     /* [H,W] */
    double dx, dy, x0, y0; /* m; 0 when unknown */
    double angle;          /* degrees */
    const char *unit, *channel, *note;
} rs_py_image_view;
/* channel NULL: the amplitude; frame -1: the only one. Opens a file. */
RESHED_API reshed_status rs_py_image_open(const char *path, const char *channel, int frame,
                                          rs_py_image **out, reshed_error *err);
RESHED_API void rs_py_image_free(rs_py_image *image);
RESHED_API void rs_py_image_get(const rs_py_image *image, rs_py_image_view *view);

/* in [in_h,in_w] -> out [out_h,out_w], all finite: the mean over the new pixel's area where an axis
 * shrinks, Catmull-Rom where it grows. */
RESHED_API reshed_status rs_py_resize(const float *in, int in_h, int in_w, float *out, int out_h,
                                      int out_w, reshed_error *err);

/* mask [H,W] -> skeleton [H,W]. keep 1: every line is kept; 0: scikit-image's pixels. */
RESHED_API reshed_status rs_py_skeletonize(const uint8_t *mask, int height, int width, int keep,
                                           uint8_t *skeleton, reshed_error *err);

/* Centres of mass of the 4-connected regions of map [H,W,C] above threshold, class by class; with several
 * classes the last one is the background. at [most,3] gets row, column, class (NULL: counted only);
 * *found: how many there are. Those within `edge` pixels of the frame's edge are left out. */
RESHED_API reshed_status rs_py_locate(const float *map, int height, int width, int classes,
                                      double threshold, double edge, double *at, int most,
                                      int *found, reshed_error *err);

/* ----------------------------------------------------------------------------------------- walls */

typedef struct rs_py_wall {
    double length;      /* m; as all lengths in pixels where the pixel size is unknown */
    double length_px;   /* along the chain of pixels */
    double chord;       /* between the ends */
    double orientation; /* rad, of the long axis, in [0,pi) */
    double width, width_sd;
    double probability, variance; /* means over the pixels; NaN without such a map */
    double place;                 /* across the family */
    double sure;                  /* 0 ... 1, that it is of this kind; NaN without a phase */
    int family, pair, kind;       /* -1: none; kind: 0 ferroelastic, 1 of 180 degrees, 2 mixed */
    int end[2];                   /* 0 free, 1 leaves the frame, 2 junction, 3 corner, 4 closed */
    int first, count;             /* its pixels */
} rs_py_wall;

typedef struct rs_py_point {
    int row, col;
    int kind;     /* 0 wall, controls: 1 a domain, 2 c domain, 3 180-degree wall */
    int wall;     /* -1: on none */
    double along; /* from the wall's first pixel */
    int target;   /* its place in the selection */
} rs_py_point;

/* All maps [H,W]; NULL: not known. dx, dy: m, 1 when unknown. */
typedef struct rs_py_walls_input {
    int height, width;
    double dx, dy;
    const float *map, *variance, *amplitude, *phase;
    const uint8_t *skeleton;
    const double *start; /* [2] row and column near which the points begin */
} rs_py_walls_input;

typedef struct rs_py_walls rs_py_walls;
typedef struct rs_py_walls_view {
    int walls, pixels, pairs, junctions, families, points;
    double threshold, length;
    const rs_py_wall *wall;   /* [walls] longest first */
    const int32_t *pixel;     /* [pixels,2] row, column: of the walls, in order along each */
    const uint8_t *mask;      /* [H,W]; NULL where a skeleton was given */
    const uint8_t *skeleton;  /* [H,W] */
    const int32_t *wall_at;   /* [H,W] the wall of a skeleton pixel, else -1 */
    const rs_py_point *point; /* [points] in the order in which to measure */
} rs_py_walls_view;
/* setting [n]: options by the names of a scan (threshold, every, min_wall, margin, ...), lengths in
 * pixels. */
RESHED_API reshed_status rs_py_walls_find(const rs_py_walls_input *in, const rs_py_setting *setting,
                                          int n, rs_py_walls **out, reshed_error *err);
RESHED_API void rs_py_walls_free(rs_py_walls *walls);
RESHED_API void rs_py_walls_get(const rs_py_walls *walls, rs_py_walls_view *view);

/* xy [n,2] -> order [n]: a short way through all; start [2] or NULL. *length: of it. */
RESHED_API reshed_status rs_py_route(const double *xy, int n, const double *start, int32_t *order,
                                     double *length, reshed_error *err);

/* --------------------------------------------------------------------------------------- spectra */

typedef struct rs_py_sho {
    double amplitude, frequency, q, phase, peak;
    double amplitude_se, frequency_se, q_se, phase_se, peak_se;
    double r2, noise;
    uint32_t flags, failed;
} rs_py_sho;
typedef struct rs_py_sho_plan rs_py_sho_plan;
/* frequency [bins] Hz. setting: f_min, f_max, q_min, q_max, a_min, a_max, min_r2, unbiased, conjugate,
 * max_passes, threads. */
RESHED_API reshed_status rs_py_sho_create(const double *frequency, int64_t bins,
                                          const rs_py_setting *setting, int n, rs_py_sho_plan **out,
                                          reshed_error *err);
RESHED_API void rs_py_sho_free(rs_py_sho_plan *plan);
/* spectra [n,bins,2] -> fit [n]. */
RESHED_API reshed_status rs_py_sho_run(rs_py_sho_plan *plan, const float *spectra, int64_t n,
                                       rs_py_sho *fit, reshed_error *err);
RESHED_API const char *rs_py_sho_flag_text(uint32_t flag);

/* ----------------------------------------------------------------------------------------- loops */

/* response [points, cycles*steps] in the order of measurement, at v [cycles*steps] V; im NULL: it is
 * signed already. */
typedef struct rs_py_loops_input {
    const double *v, *re, *im;
    int steps, cycles;
    int64_t points;
} rs_py_loops_input;
typedef struct rs_py_loops rs_py_loops;
typedef struct rs_py_loops_view {
    int metrics, cycles;
    int64_t points;
    const double *value;    /* [metrics,points] */
    const double *spread;   /* the same, or NULL */
    const double *error;    /* the same, or NULL */
    const uint32_t *flags;  /* [points] */
    const double *response; /* [points,cycles*steps], signed */
    double reference;       /* rad; NaN */
} rs_py_loops_view;
/* setting: sat_fraction, nucleation, onset_slope, fit, bglib_bounds, branches, keep_spikes, drop_first, orient,
 * remove_slope, outlier, bootstrap, seed, threads; unfold (0 map, 1 area, 2 fixed, 3 BGlib),
 * reference (rad). */
RESHED_API reshed_status rs_py_loops_find(const rs_py_loops_input *in, const rs_py_setting *setting,
                                          int n, rs_py_loops **out, reshed_error *err);
RESHED_API void rs_py_loops_free(rs_py_loops *loops);
RESHED_API void rs_py_loops_get(const rs_py_loops *loops, rs_py_loops_view *view);
/* Of metric k: its id, unit (R: that of the response), definition; "" beyond the last. */
RESHED_API const char *rs_py_metric_id(int k);
RESHED_API const char *rs_py_metric_unit(int k);
RESHED_API const char *rs_py_metric_text(int k);
RESHED_API int rs_py_metric_in_summary(int k);
/* Name of flag bit k; "" beyond the last. */
RESHED_API const char *rs_py_loop_flag_name(int k);
/* Flags that say that a loop is not to be trusted. */
RESHED_API uint32_t rs_py_loop_bad(void);

/* ------------------------------------------------------------------------------------------ twin */

/* Arrays [H,W]; NULL where not wanted. */
typedef struct rs_py_twin_maps {
    float *amplitude, *phase, *resonance, *q, *height; /* m, rad, Hz, 1, m */
    uint8_t *wall, *domain, *kind;
    double pixel; /* m, of what was drawn; out */
} rs_py_twin_maps;
/* film: "pzt", "pto", ...; pixel 0: 10 nm or drawn; setting: as reshed-twin --set. */
RESHED_API reshed_status rs_py_twin(int height, int width, double pixel, uint64_t seed,
                                    const char *film, int random, double harsh,
                                    const rs_py_setting *setting, int n, rs_py_twin_maps *maps,
                                    reshed_error *err);

/* ---------------------------------------------------------------------------------------- session
 *
 * All of these open files. */

typedef struct rs_py_session rs_py_session;
typedef struct rs_py_session_view {
    int complete, live; /* finished; being written by another program */
    int rows, cols, channels, bins, retrace;
    int lines, lost;
    int points, measured, references, events;
    int fields, steps, spectrum_bins, metrics;
    double cx, cy, width, height, angle, line_rate; /* m, rad, lines/s */
    int upward;
    const char *start_time, *region, *sample, *operator_name, *program, *driver, *instrument;
    const char *weights, *weights_sha256, *norm, *amplitude_unit;
    const double *voltage;            /* [steps] V */
    const double *spectrum_frequency; /* [spectrum_bins] Hz */
    const double *frequency;          /* [bins] Hz, of the lines' spectra */
    int settings;
} rs_py_session_view;

typedef struct rs_py_session_point {
    double row, col, x, y, measured_x, measured_y, time; /* pixels, m, s */
    int target, wall, kind;
    int state; /* 0 pending, 1 measured, 2 lost, 3 skipped */
} rs_py_session_point;

RESHED_API reshed_status rs_py_session_open(const char *path, rs_py_session **out,
                                            reshed_error *err);
RESHED_API void rs_py_session_free(rs_py_session *session);
/* To the last commit of a session that another program writes. */
RESHED_API reshed_status rs_py_session_refresh(rs_py_session *session, reshed_error *err);
RESHED_API reshed_status rs_py_session_get(rs_py_session *session, rs_py_session_view *view,
                                           reshed_error *err);
/* Setting k as texts; name and unit of channel k, of metric k. */
RESHED_API void rs_py_session_setting(const rs_py_session *session, int k, const char **name,
                                      const char **value);
RESHED_API void rs_py_session_channel(const rs_py_session *session, int k, const char **name,
                                      const char **unit);
RESHED_API void rs_py_session_metric(const rs_py_session *session, int k, const char **name,
                                     const char **unit);
/* Map 0 amplitude, 1 frequency, 2 q, 3 phase, 4 mean, 5 variance: data [rows,cols]. */
RESHED_API reshed_status rs_py_session_map(rs_py_session *session, int map, float *data,
                                           reshed_error *err);
/* Mask 0 walls, 1 skeleton. */
RESHED_API reshed_status rs_py_session_mask(rs_py_session *session, int mask, uint8_t *data,
                                            reshed_error *err);
/* state [rows]: 0 unscanned, 1 provisional, 2 final, 3 stale. */
RESHED_API reshed_status rs_py_session_states(rs_py_session *session, uint8_t *state,
                                              reshed_error *err);
/* data [channels,rows,cols]; NaN for lines that did not come. */
RESHED_API reshed_status rs_py_session_lines(rs_py_session *session, int retrace, float *data,
                                             reshed_error *err);
/* point [room]; *found: how many there are by now. Where that is more than room, nothing is written. */
RESHED_API reshed_status rs_py_session_points(rs_py_session *session, rs_py_session_point *point,
                                              int room, int *found, reshed_error *err);
/* The loop of point k: response [fields,steps], metric [metrics]; and its spectra
 * [fields,steps,spectrum_bins,2]. */
RESHED_API reshed_status rs_py_session_loop(rs_py_session *session, int k, float *response,
                                            double *metric, reshed_error *err);
RESHED_API reshed_status rs_py_session_spectrum(rs_py_session *session, int k, float *spectra,
                                                reshed_error *err);
/* Event k: s on the caller's clock, 0 note, 1 warning, 2 error. text [232] */
RESHED_API reshed_status rs_py_session_event(rs_py_session *session, int k, double *time,
                                             int *level, char *text, reshed_error *err);

/* -------------------------------------------------------------------------------------------- run
 *
 * reshed-scan's own loop, of one region, with a driver that is given as a table. */

typedef struct rs_py_scan {
    const char *weights, *out;      /* paths */
    const char *start_time;         /* ISO 8601 */
    const char *driver;             /* its name */
    const rs_driver_ops *table;     /* NULL: twin or replay, by that name */
    const rs_driver_option *option; /* [options] of the driver */
    int options;
    const rs_driver_option *setting; /* [settings] as -s NAME=VALUE */
    int settings;
    const char *norm, *sample, *operator_name; /* NULL: not said */
    int threads, resume;
    void *ctx; /* of the functions; any of them may be NULL */
    /* Asked between steps, a few times a second, by the thread that called. */
    int (*interrupted)(void *ctx);
    void (*warn)(void *ctx, int serious, const char *text);
    /* mean, variance, amplitude [rows,cols], state [rows] are borrowed for the call. */
    void (*line)(void *ctx, int row, int arrived, int lost, int rows, int cols,
                 const float *amplitude, const float *mean, const float *variance,
                 const uint8_t *state, double score, int alarm);
    void (*point)(void *ctx, int done, int of, double left);
    /* 0: the points are not to be measured. */
    int (*confirm)(void *ctx, const rs_py_session_point *point, int n);
} rs_py_scan;

typedef struct rs_py_scan_end {
    int end;    /* 0 done, 1 interrupted, 2 unconfirmed, 3 alarmed, 4 tip changed, 5 out of time,
                      6 refused, 7 lost, 8 disk, 9 failed */
    int unsafe; /* a step of the end, or the halt, has failed */
    char left[256];  /* how the instrument was left, step by step */
    char where[512]; /* the file that a failure belongs to */
} rs_py_scan_end;

/* Fails when nothing could be begun, and with an end that is a failure; *end is filled in both cases.
 * Whatever the end but 0 and 2, the instrument has been halted. */
RESHED_API reshed_status rs_py_scan_run(const rs_py_scan *scan, rs_py_scan_end *end,
                                        reshed_error *err);

#endif
