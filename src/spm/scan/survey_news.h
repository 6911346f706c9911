/* survey_news.h - what a survey tells while lines come, and whom it asks. */
#ifndef RS_SPM_SCAN_SURVEY_NEWS_H
#define RS_SPM_SCAN_SURVEY_NEWS_H

#include "infer/live.h"
#include "spm/session/session.h"

typedef struct rs_survey rs_survey;

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

#endif
