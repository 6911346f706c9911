/* job.h - one run of reshed-scan: ensemble, instrument, sessions, and what a person sees. */
#ifndef RS_TOOLS_SCAN_JOB_H
#define RS_TOOLS_SCAN_JOB_H

#include "tools/scan/options.h"

#include "spm/scan/region.h"

typedef struct scan_job {
    scan_options *o;
    rs_ensemble *ensemble;
    rs_live *stream;
    rs_instrument *instrument; /* NULL under --analyse */
    rs_frame frame;            /* as the instrument has it */
    rs_session *session;
    char weights[4096], digest[65];
    char path[4096], report[4096], pictures[4096], points_csv[4096]; /* of the region at work */
    double time_zero;
    const char *where; /* file that a failure belongs to, or NULL */
    /* for the summary */
    int lines, lost, points, measured, pauses;
    double latency[2]; /* s, the median and the 99th percentile */
    /* for the progress line and the previews */
    double shown, drawn;
    bool tty, line_open;
} scan_job;

/* Whether Ctrl-C or a polite kill has come. */
bool scan_interrupted(void *ctx);
void scan_catch_signals(void);

/* The functions of rs_region_options; ctx is the job. */
void scan_survey_news(void *ctx, const rs_survey_news *news);
void scan_measure_news(void *ctx, const rs_measure_news *news);
bool scan_confirm(void *ctx, const rs_choice *choice, rs_session_point **points, int *n);

/* Ends the progress line. */
void scan_end_line(scan_job *j);

/* Reads points from a CSV with columns row,col or x,y into *points (rs_free). */
reshed_status scan_read_points(const char *path, const rs_frame *frame, rs_session_point **points,
                               int *n, reshed_error *err);
reshed_status scan_write_points(const char *path, const rs_session_point *points, int n,
                                reshed_error *err);

#endif
