/* run.h - an acquisition from a plan to its end: ensemble, instrument, stream and sessions, opened
 * in an order in which whatever would be refused later is refused first.
 *
 *     rs_scan_run run = {.plan = &plan, .time_zero = rs_os_monotonic()};
 *     st = rs_scan_run_load_weights(&run, "weights.h5", &err);
 *     if (st == RESHED_OK) st = rs_scan_run_open(&run, &err);
 *     if (st == RESHED_OK) st = rs_scan_run_make_stream(&run, &err);
 *     if (st == RESHED_OK) st = rs_scan_run_create(&run, "scan.h5", 0, "2026-11-25T...", &err);
 *     if (st == RESHED_OK) outcome = rs_scan_run_region(&run, &options);
 *     rs_session_finish(...);
 *     rs_scan_run_close(&run);
 *
 * To go on with a session: rs_scan_run_resume, weights, rs_scan_run_open_again, stream, region, and
 * for the next region's session the first and the third of these again. The driver is the plan's,
 * never one that the session names. To analyse one again: rs_scan_run_read, weights, stream, rs_scan_run_analyse. */
#ifndef RS_SPM_SCAN_RUN_H
#define RS_SPM_SCAN_RUN_H

#include "infer/ensemble.h"
#include "spm/instrument/watch.h"
#include "spm/scan/analyse.h"
#include "spm/scan/plan.h"

typedef struct rs_scan_run {
    /* Set by the caller, everything else zero; borrowed. */
    rs_scan_plan *plan; /* its settings become the instrument's where they were not given, and a
                           session's when one is resumed or read */
    bool more;          /* another region follows: the tip stays where it is at the end of one */
    double time_zero;   /* rs_os_monotonic that sessions' times count from */
    void *ctx;          /* of the functions here and in rs_region_options */
    bool (*interrupted)(void *ctx); /* NULL: never */
    rs_watch *watch;                /* of the plan's driver, started by the caller; NULL: none */
    const rs_helm *helm;            /* who watches and steers; NULL: nobody */
    /* NULL: none. serious: the instrument may not be safe. */
    void (*warn)(void *ctx, bool serious, const char *what, const reshed_error *why);

    /* Opened by the functions below; owned. */
    rs_ensemble *ensemble;
    rs_instrument *instrument;
    rs_live *stream;
    rs_live_options streaming; /* what it was made with */
    rs_session *session;       /* the caller finishes it and sets it to NULL */
    const char *weights;       /* path, borrowed */
    char digest[65];           /* of the weights */
    rs_frame frame;            /* as the instrument, or the session that is read, has it */
    bool resumed;
    bool unsafe;        /* a step of some end, or its halt, has failed: the run is a failure */
    char left[256];     /* how the instrument was left at the latest end, step by step */
    char changes[1024]; /* settings that a resumed run has otherwise than the session; "" */
    char kept[3][4004]; /* the plan's norm, sample and operator once they are a session's */
    double *voltages;   /* the same of settings.list; owned */
    const char *where;  /* the file that the latest failure belongs to, borrowed; NULL: none */
} rs_scan_run;

reshed_status rs_scan_run_load_weights(rs_scan_run *r, const char *path, reshed_error *err);

/* Opens the plan's instrument, has it watched (settings.watch), sets frame and band excitation, and checks all that would be refused
 * later: other regions, speed, voltages. An instrument without spectroscopy is a warning, and no
 * failure unless the plan asks for a voltage. */
reshed_status rs_scan_run_open(rs_scan_run *r, reshed_error *err);
/* Takes the weights out of the ensemble; of the frame's size. */
reshed_status rs_scan_run_make_stream(rs_scan_run *r, reshed_error *err);
/* A new session for region 0, 1, ...; start_time as rs_session_setup. */
reshed_status rs_scan_run_create(rs_scan_run *r, const char *path, int region,
                                 const char *start_time, reshed_error *err);

/* Opens a session to go on with it and takes its settings, as resume.h has it; refuses another
 * driver or options than the session's, and a plan that its own limits do not allow.
 * setup->weights names the weights. */
reshed_status rs_scan_run_resume(rs_scan_run *r, const char *path, reshed_error *err);
/* The same for a look only: the session is opened for reading, and the plan may have no driver.
 * Nothing of the plan or of r belongs to the session afterwards. */
reshed_status rs_scan_run_preview(rs_scan_run *r, const char *path, reshed_error *err);
/* Opens the plan's instrument for the session that is resumed, or, when it is open already, sets it
 * up for it; refuses another one than the session's (resume.h). Writes into the session's log which
 * settings are others now. The weights must be loaded, and be the session's; a stream that is there
 * must be one for it. */
reshed_status rs_scan_run_open_again(rs_scan_run *r, reshed_error *err);

/* Sets frame and excitation for another region, whose centre is (x, y) m. */
reshed_status rs_scan_run_move(rs_scan_run *r, double x, double y, reshed_error *err);

/* rs_region_run with the ensemble's out-of-distribution score; o->survey.score is ignored. Then the
 * steps of rest.h as the settings have it; where points wait for a yes the tip stays on the sample
 * unless the plan was given an end. After anything but DONE and UNCONFIRMED, or when a step failed,
 * the instrument has been halted. `left` and the session's log say how it was left; a warning says
 * what failed of that, and `unsafe` is set. */
rs_outcome rs_scan_run_region(rs_scan_run *r, const rs_region_options *o);
/* No more motion, drive off, bias zero; nothing without an instrument. */
void rs_scan_run_halt(rs_scan_run *r);

/* Opens a session for reading and takes its settings and frame. */
reshed_status rs_scan_run_read(rs_scan_run *r, const char *path, reshed_error *err);
/* rs_analyse_compare of that session. */
rs_outcome rs_scan_run_analyse(rs_scan_run *r, rs_analysis *out);

/* Closes and frees what is open; a session that is still there can be resumed. */
void rs_scan_run_close(rs_scan_run *r);

#endif
