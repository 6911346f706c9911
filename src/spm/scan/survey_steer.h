/* survey_steer.h - what a survey holds, and what its orders do to it: for survey.c and survey_steer.c. */
#ifndef RS_SPM_SCAN_SURVEY_STEER_H
#define RS_SPM_SCAN_SURVEY_STEER_H

#include "infer/contrast.h"
#include "spectra/lines.h"
#include "spm/scan/acquire.h"
#include "spm/scan/steer.h"
#include "spm/scan/survey_news.h"

struct rs_survey {
    rs_scan_context context;
    rs_session *session; /* the context's */
    rs_live *stream;
    rs_survey_options options;
    const rs_session_setup *setup; /* the session's */
    int rows, cols;
    rs_line_fit *fit;            /* NULL without spectra */
    float *map[RS_SESSION_MEAN]; /* amplitude, frequency, Q, phase: [rows,cols] */
    uint8_t *written;            /* [rows]: the final row is in the session */
    uint8_t *states;             /* [rows] */
    uint8_t *fresh;              /* [rows]: the trace was scanned by this survey */
    rs_arrived **taken;          /* [COALESCE] */
    int arrived, lost, latest, pauses, waiting, scored;
    int phase;    /* channel of a driver without spectra; -1: none */
    bool degrees; /* of it */
    int kept;     /* row whose trace the session has while its retrace is scanned again; -1: none */
    double score, last_written;
    rs_contrast contrast;
    bool alarm;

    /* what the helm wants */
    bool held, pausing; /* the scan is to stand still; the order for that is not answered yet */
    double held_since;
    int again; /* row from which the scan begins once more; -1: none */
    rs_order pause, rescan;
};

/* Between two lines. False: a pause has lasted too long. */
bool rs_survey_heed_helm(rs_survey *s, rs_acquire *a);
/* Ends a pause; an order for it that is not carried out yet is answered. */
void rs_survey_release(rs_survey *s, rs_acquire *a);

typedef struct rs_survey_arrival {
    int order, row;
} rs_survey_arrival;

/* The rows that arrived, in the order in which they came, into rows [s->rows]; *n of them. */
reshed_status rs_survey_list_arrivals(rs_survey *s, rs_survey_arrival *rows, int *n,
                                      reshed_error *err);
/* The rows from s->again on count as not scanned: their lines stay until others replace them. */
reshed_status rs_survey_forget_rows(rs_survey *s, reshed_error *err);
/* Takes *first, the first missing row, one back when that row's trace came and its retrace did not:
 * an interruption between the two is closed by scanning the row again. The trace stays. */
reshed_status rs_survey_find_gap(rs_survey *s, int *first, reshed_error *err);
/* Logs rows that are of an earlier scan than those before them: some were to be scanned again, and were not. */
reshed_status rs_survey_note_older(const rs_survey *s, reshed_error *err);
/* Logs that so many of the lines that were scanned again are lost; a failure when all are. */
rs_outcome rs_survey_note_lost(const rs_survey *s, int lost, int of);

#endif
