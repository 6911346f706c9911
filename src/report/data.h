/* data.h - reads from a session, at one moment, all that its report shows. Private to this room. */
#ifndef RS_REPORT_DATA_H
#define RS_REPORT_DATA_H

#include <stdbool.h>

#include "beps/flags.h"
#include "spm/session/session.h"

/* The metrics of the paper's maps. A session may hold a metric by one of several names: the first
 * name that it has counts. */
typedef enum rs_report_role {
    RS_REPORT_WIDTH,
    RS_REPORT_COERCIVE,
    RS_REPORT_AREA,
    RS_REPORT_NUCLEATION_NEG,
    RS_REPORT_NUCLEATION_POS,
    RS_REPORT_ROLES
} rs_report_role;

typedef struct rs_report_data {
    rs_session *session;
    const rs_session_setup *setup;
    rs_session_progress progress;
    int rows, cols;
    double dx, dy; /* m */
    float *map[RS_SESSION_MAPS];
    bool has_map[RS_SESSION_MAPS]; /* some value of it is finite */
    uint8_t *mask[RS_SESSION_MASKS];
    bool has_mask[RS_SESSION_MASKS]; /* some pixel of it is set */
    uint8_t *state;                  /* [rows] */
    int final_rows, fresh_rows;      /* rows FINAL; PROVISIONAL or STALE */
    rs_session_arrival *arrival;     /* [rows], trace */
    rs_session_processed *processed; /* [rows] */
    int alarms;                      /* rows with one */
    rs_session_point *point;         /* [points] */
    int of_state[4];                 /* points in each rs_session_point_state */
    rs_session_drift *drift;         /* [drifts] */
    rs_session_event *event;         /* [events] */

    /* Loops, on the off-field readings where there are any. */
    int steps, field;
    int first;                 /* cycles left out at the start: 0 or 1 */
    int period;                /* steps of one cycle */
    int role[RS_REPORT_ROLES]; /* index in setup->metric, -1: none */
    double *metric;   /* [metrics][points], NaN where there is none or the loop is not trusted */
    double *response; /* [points][steps]: mean of the other cycles; NaN where there is none */
    double *on_field; /* the same on field, beside off-field loops; NULL where those are all */
    bool *loop;       /* [points]: the point has a response */
    bool *trusted;    /* [points]: and its metric "flags" has no bit of RS_LOOP_BAD */
    int loops, trusted_loops;
    int of_flag[RS_LOOP_FLAGS]; /* loops that have it; of RS_LOOP_BAD alone */
    const char *response_unit;
} rs_report_data;

/* Reads all of it. *d is to be cleared also after a failure. */
reshed_status rs_report_data_read(rs_session *s, rs_report_data *d, reshed_error *err);
void rs_report_data_clear(rs_report_data *d);

/* Returns a metric's values [points], NULL when the session does not have it; its unit, "" for
 * plain numbers; and its name for people. */
const double *rs_report_metric(const rs_report_data *d, rs_report_role role);
const char *rs_report_unit(const rs_report_data *d, rs_report_role role);
const char *rs_report_role_name(rs_report_role role);
/* Returns the unit of the amplitude that the network sees: volts of a fit, else the channel's. */
const char *rs_report_amplitude_unit(const rs_report_data *d);

#endif
