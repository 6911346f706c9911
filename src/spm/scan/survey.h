/* survey.h - from scan lines to the wall map of one region: each line becomes durable in the
 * session file, then an amplitude row (a fit of its spectra, or the channel that the instrument
 * calls amplitude), then goes through the network, and what came of it is put into the session.
 *
 * Lines come from an instrument (rs_survey_scan) or from the session itself (rs_survey_replay: to
 * go on after an interruption, or to analyse anew). Both ways give the same final map, bit for
 * bit. */
#ifndef RS_SPM_SCAN_SURVEY_H
#define RS_SPM_SCAN_SURVEY_H

#include "infer/live.h"
#include "spectra/lines.h"
#include "spm/scan/context.h"
#include "spm/scan/outcome.h"

/* State of the survey after each push; borrowed for the time of the call. */
typedef struct rs_survey_news {
    int rows, cols;
    int line; /* the latest row */
    int arrived, lost;
    int waiting;            /* lines in the queue */
    int pauses;             /* of the scan because the queue was full */
    double latency;         /* s, of the latest line */
    double score;           /* out of distribution, NaN: none yet */
    const char *fault;      /* of the contrast, in words; "": none */
    bool alarm, replayed;   /* replayed: a line that the session had */
    const float *amplitude; /* [rows,cols], NaN where not scanned */
    const float
        *fit[RS_SESSION_MEAN]; /* the same of each map of the lines; amplitude is one of them */
    bool has_phase;
    rs_live_view map;
} rs_survey_news;

/* Any may be NULL; news gets the context's ctx. */
typedef struct rs_survey_options {
    /* Without it a full disk ends the survey at once, as nobody would learn of it. */
    void (*news)(void *ctx, const rs_survey_news *news);
    /* Score of final rows [row0,row1); NaN: cannot tell. */
    double (*score)(void *score_ctx, const rs_live_view *map, int row0, int row1);
    void *score_ctx;
    double alarm_score; /* above it there is an alarm; 0: never. Rows without contrast
                           (infer/contrast.h) are an alarm all the same */
} rs_survey_options;

/* Mean variance over the final rows; NaN: there is none. */
double rs_survey_uncertainty(const rs_survey_news *n);

typedef struct rs_survey rs_survey;

/* context: copied, and what it points to borrowed, as the stream is, which has the frame's size and
 * is reset. */
reshed_status rs_survey_create(const rs_scan_context *context, rs_live *stream,
                               const rs_survey_options *options, rs_survey **out,
                               reshed_error *err);
void rs_survey_free(rs_survey *s);

/* Sends every line that the session holds through fit and network, in the order in which they came.
 * write false: the session is only read. */
rs_outcome rs_survey_replay(rs_survey *s, bool write);

/* Heeds the helm between two lines: pauses, goes on, scans again from a row that it has come by.
 * Scans the rows of the session's frame that it does not have yet, and the latest row again when its
 * retrace is missing (its trace stays as it is); anew: all of them, each line
 * replacing the one that the session has. DONE: every line came or is lost; ALARMED: out of
 * distribution, and the settings say to stop then. Whatever the end, the session holds every line
 * that came. */
rs_outcome rs_survey_scan(rs_survey *s, bool anew);

/* Scans rows first ... last of a frame that is complete once more, each line replacing the one that the
 * session has, and makes the map anew from all lines. A line that is lost leaves the one before it, which is noted; when none came that is a failure. DONE:
 * also when the next rows came, too, before the scan stopped. Whatever the end, the session holds a line
 * of every row that it had one of. */
rs_outcome rs_survey_rescan(rs_survey *s, int first, int last);

/* Ends the frame: final rows everywhere, maps into the session. */
rs_outcome rs_survey_finish(rs_survey *s, bool write);

/* [rows], borrowed: 1 where the session's trace is one that this survey scanned, so that its time is on the
 * clock that the instrument has now. */
const uint8_t *rs_survey_fresh(const rs_survey *s);

/* [rows,cols], borrowed. frequency, q, phase are NaN without spectra. */
const float *rs_survey_map(const rs_survey *s, rs_session_map map);
/* Returns the latest score, NaN: none, RS_OOD_NO_CONTRAST at least with a fault of the contrast;
 * *alarm: it is above alarm_score, or there is such a fault. */
double rs_survey_score(const rs_survey *s, bool *alarm);
/* That fault in words; "": none. */
const char *rs_survey_fault(const rs_survey *s);

#endif
