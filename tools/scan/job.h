/* job.h - one run of reshed-scan: its files, and what a person sees of it. */
#ifndef RS_TOOLS_SCAN_JOB_H
#define RS_TOOLS_SCAN_JOB_H

#include "tools/scan/options.h"

#include "spm/scan/run.h"

typedef struct scan_live scan_live;

typedef struct scan_job {
    scan_options *o;
    rs_scan_run run;
    char weights[4096];
    char digest[65];  /* of the weights of the region before, when a run begins with a later one */
    int region;       /* the one at work, from 0 */
    bool alone;       /* it is resumed under a name by which the others cannot be found */
    char first[4096]; /* path of the first region's session, when a later one was named */
    char path[4096], report[4096], pictures[4096], points_csv[4096]; /* of the region at work */
    /* for the summary */
    int lines, lost, points, measured, trusted, pauses;
    double score;      /* out of distribution, as rs_survey_news has it; NaN: none */
    const char *fault; /* of the contrast; "": none */
    bool alarm;
    double latency[2]; /* s, the median and the 99th percentile */
    /* for the progress line and the previews */
    double shown, drawn;
    bool tty, line_open;
    scan_live *live; /* NULL: no page is served */
} scan_job;

/* The functions of rs_region_options (news.c); ctx is the job. */
void scan_survey_news(void *ctx, const rs_survey_news *news);
void scan_measure_news(void *ctx, const rs_measure_news *news);
bool scan_confirm(void *ctx, const rs_choice *choice, rs_session_point **points, int *n);

/* Reads the list of points that was typed and keeps them apart: by min_distance when it was given, else
 * only what is at one place. *left_out, *near: how many were left out, and how many of the others are
 * nearer to one another than the recipe would have them. */
reshed_status scan_read_points(const scan_job *j, rs_session_point **points, int *n, int *left_out,
                               int *near, reshed_error *err);

/* Of rs_scan_run: prints it; what is not serious not under --quiet. */
void scan_warn(void *ctx, bool serious, const char *what, const reshed_error *why);

/* Ends the progress line. */
void scan_end_line(scan_job *j);

#endif
