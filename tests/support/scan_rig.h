/* scan_rig.h - an acquisition on the twin within a test: instrument, session, network, and answers
 * in place of a person's. */
#ifndef RS_TESTS_SUPPORT_SCAN_RIG_H
#define RS_TESTS_SUPPORT_SCAN_RIG_H

#include "spm/instrument/sim/twin.h"
#include "spm/scan/analyse.h"
#include "support/support.h"

enum { RIG_OPTIONS = 24 };

typedef struct scan_rig scan_rig;
struct scan_rig {
    /* Set before scan_rig_open. */
    rs_scan_settings set;
    const char *weights;
    rs_driver_option option[RIG_OPTIONS];
    int options;
    char path[512];
    /* Set before scan_rig_run; 0, NULL: nothing of the kind. */
    int stop_at_line, stop_at_point; /* interrupts once so many have come */
    int stop_at_ask;   /* the same for questions whether to stop, asked once 64 lines (or none, in a
                          scan that has none) have come */
    int stop_at_news;  /* the same for news of lines, scanned and replayed ones */
    double line_sleep; /* s after each push: a slow network */
    double score, alarm_score;
    double rescan_score; /* once rows have been scanned again; 0: score */
    const rs_flow *steps;
    bool (*confirm)(void *rig, const rs_choice *choice, rs_session_point **points, int *n);
    const rs_helm *helm;                    /* who steers, and is asked for a yes */
    void (*measured)(scan_rig *rig, int k); /* after point k, the tip still there */
    void *ctx;

    rs_instrument *instrument;
    rs_frame frame;
    rs_session *session;
    rs_live *stream; /* borrowed */
    /* Results. */
    rs_outcome outcome;      /* of the region */
    rs_driver_status status; /* of scan_rig_connect, with err */
    reshed_error err;
    int arrived, lost, pauses, points, asked, news;
    int replayed; /* news of lines that the session had */
};

/* 64 x 64 pixels, a small ensemble, short loops, 12 points, a twin without a clock. */
void scan_rig_init(scan_rig *r, const char *name);
void scan_rig_option(scan_rig *r, const char *name, const char *value);

/* Opens the instrument and sets it up; false when it refuses. */
bool scan_rig_connect(scan_rig *r);
/* The same and a new session. */
void scan_rig_open(scan_rig *r);
/* Again, with the session that is there. */
void scan_rig_reopen(scan_rig *r);
/* rs_region_run with the hooks; returns how it ended, as r->outcome has it. */
rs_end scan_rig_run(scan_rig *r);
/* Ends session and driver. */
void scan_rig_close(scan_rig *r);
/* open, run, close, and asserts how it ended. */
void scan_rig_do(scan_rig *r, rs_end expected);
void scan_rig_resume(scan_rig *r, rs_end expected);

/* Number of the session's rows that have this state in that direction. */
int scan_rig_rows(rs_session *s, bool retrace, rs_session_line_state state);
/* A digest of the raw data and the number of every row below `rows`. */
uint64_t scan_rig_digest(rs_session *s, int rows);

/* Opens the session for reading and does everything again from the raw data: the maps and the
 * metrics must have the same bits. chosen: so must the points. */
void scan_rig_check_analysis(const scan_rig *r, bool chosen, rs_session_progress *p);
/* The state of point k of the closed session, and its metric of that name. */
rs_session_point_state scan_rig_point(const scan_rig *r, int k, const char *metric, double *value);

/* Frees what the rigs share. */
int scan_rig_teardown(void **state);

#endif
