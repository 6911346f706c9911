/* survey.h - from scan lines to the wall map of one region: each line becomes durable in the
 * session file, then an amplitude row (a fit of its spectra, or the channel that the instrument
 * calls amplitude), then goes through the network, and what came of it is put into the session.
 *
 * Lines come from an instrument (rs_survey_scan) or from the session itself (rs_survey_replay: to
 * go on after an interruption, or to analyse anew). Both ways give the same final map, bit for bit.
 */
#ifndef RS_SPM_SCAN_SURVEY_H
#define RS_SPM_SCAN_SURVEY_H

#include "infer/live.h"
#include "spm/scan/acquire.h"
#include "spectra/lines.h"
#include "spm/session/session.h"

/* How a scan ended. */
typedef enum rs_survey_end {
    RS_SURVEY_COMPLETE,    /* every line came or is lost */
    RS_SURVEY_INTERRUPTED, /* the caller asked for it: the instrument has been halted */
    RS_SURVEY_ALARMED,     /* the out-of-distribution alarm, when it is to stop the scan */
    RS_SURVEY_FAILED
} rs_survey_end;

/* What the caller sees after each push; borrowed for the time of the call. */
typedef struct rs_survey_news {
    int rows, cols;
    int line; /* the latest row */
    int arrived, lost;
    int waiting;    /* lines in the queue */
    int pauses;     /* of the scan because the queue was full */
    double latency; /* s, of the latest line */
    double score;   /* out of distribution, NaN: none yet */
    bool alarm;
    const float *amplitude; /* [rows,cols], NaN where not scanned */
    rs_live_view map;
} rs_survey_news;

typedef struct rs_survey_options {
    int channel; /* of the driver's channels, when lines have no spectra */
    int threads; /* for fits */
    rs_acquire_options queue;
    double time_zero; /* rs_os_monotonic that the session's times count from */
    /* Any may be NULL. */
    void *ctx;
    void (*news)(void *ctx, const rs_survey_news *news);
    bool (*interrupted)(void *ctx);
    /* Score of final rows [row0,row1); NaN: cannot tell. */
    double (*score)(void *ctx, const rs_live_view *map, int row0, int row1);
    double alarm_score; /* above it there is an alarm; 0: never */
    bool stop_at_alarm;
} rs_survey_options;

typedef struct rs_survey rs_survey;

/* session, stream: borrowed; the stream is of the frame's size and is reset. */
reshed_status rs_survey_create(rs_session *session, rs_live *stream,
                               const rs_survey_options *options, rs_survey **out,
                               reshed_error *err);
void rs_survey_free(rs_survey *s);

/* Sends every line that the session holds through fit and network, in the order in which they came.
 * write false: the session is only read. */
reshed_status rs_survey_replay(rs_survey *s, bool write, reshed_error *err);

/* Scans the rows that the session does not have yet; again: the whole frame anew, each line
 * replacing the one that the session has. FAILED: err says why, and *status what the driver meant
 * (RS_DRIVER_OK when it was not the driver). The session holds every line that came.
 */
rs_survey_end rs_survey_scan(rs_survey *s, rs_instrument *instrument, const rs_frame *frame,
                             bool again, rs_driver_status *status, reshed_error *err);

/* Ends the frame: final rows everywhere, maps into the session. */
reshed_status rs_survey_finish(rs_survey *s, bool write, reshed_error *err);

/* [rows,cols], borrowed: the fits. frequency, q, phase are NaN without spectra. */
const float *rs_survey_map(const rs_survey *s, rs_session_map map);
/* Latest score, NaN: none; and whether there was an alarm. */
double rs_survey_score(const rs_survey *s, bool *alarm);
/* Latencies of the lines so far, s: [*n], borrowed. */
const double *rs_survey_latencies(const rs_survey *s, int *n);

#endif
