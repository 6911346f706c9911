/* analyse.h - everything again from the raw data of a session, without an instrument: segmentation,
 * choice and loops; and whether the same comes out as the session says. */
#ifndef RS_SPM_SCAN_ANALYSE_H
#define RS_SPM_SCAN_ANALYSE_H

#include "imgproc/walls/tests.h"
#include "spm/scan/region.h"

/* Into mean and variance [rows,cols], the choice of points as that step has it (NULL: as the settings have
 * it), and metrics [points][setup->metrics]; any may be NULL. The session is only read. news and score of the survey's options are called. */
rs_outcome rs_analyse(const rs_scan_context *c, rs_live *stream, const rs_survey_options *o,
                      const rs_flow_step *step, float *mean, float *variance, rs_choice *choice,
                      double *metrics);

/* The session's content, and the largest differences of what was found now from it. */
typedef struct rs_analysis {
    rs_session_progress progress;
    int walls;
    int rows;    /* compared: of a complete session all; of another the final ones, because it also
                  holds rows as they were shown then, which later lines would have changed */
    int loops;   /* compared */
    int trusted; /* loops of the session whose flags have no bit of RS_LOOP_BAD */
    double mean, variance, metric; /* NaN: of a value that only one of the two has */
    int families, chosen;          /* of the walls; points that are chosen now */
    double wall_length;            /* m, of all walls */
    const char *tested;            /* the metric of the tests; NULL: no loops */
    rs_wall_tests tests;           /* of it on the walls; owned */
} rs_analysis;
void rs_analysis_clear(rs_analysis *a);

/* *out is filled when the outcome is RS_END_DONE, and unchanged otherwise. */
rs_outcome rs_analyse_compare(const rs_scan_context *c, rs_live *stream, const rs_survey_options *o,
                              const rs_flow_step *step, rs_analysis *out);

#endif
