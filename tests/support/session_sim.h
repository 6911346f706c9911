/* session_sim.h - a small acquisition with known content, for the tests of the session file. */
#ifndef RS_TESTS_SUPPORT_SESSION_SIM_H
#define RS_TESTS_SUPPORT_SESSION_SIM_H

#include "spm/session/session.h"
#include "support/support.h"

enum {
    SIM_ROWS = 6,
    SIM_COLS = 5,
    SIM_BINS = 3,
    SIM_CHANNELS = 2,
    SIM_STEPS = 4, /* of the voltage */
    SIM_FIELDS = 2,
    SIM_METRICS = 2,
    SIM_POINTS = 3,
    SIM_REFERENCES = 2,
    SIM_PATCH = 3,
    SIM_EVENTS = 8,
    SIM_LOST_ROW = 3 /* this trace line does not come */
};

/* One spectrum of a series and what was made of it; NaN where nothing was put. */
typedef struct sim_loop {
    float spectra[SIM_FIELDS][SIM_STEPS][SIM_BINS][2];
    float array[7][SIM_FIELDS][SIM_STEPS]; /* amplitude, phase; of the SHO: amplitude, frequency, Q,
                                              phase; response */
    double metric[SIM_METRICS];
    double x, y, time;
} sim_loop;

/* All that a session holds. */
typedef struct sim_model {
    int points, references, patches, drifts, events, order;
    rs_session_arrival arrival[2][SIM_ROWS];
    float channel[2][SIM_ROWS][SIM_CHANNELS][SIM_COLS];
    float spectra[2][SIM_ROWS][SIM_COLS][SIM_BINS][2];
    rs_session_processed processed[SIM_ROWS];
    float map[RS_SESSION_MAPS][SIM_ROWS][SIM_COLS];
    uint8_t mask[RS_SESSION_MASKS][SIM_ROWS][SIM_COLS];
    uint8_t state[SIM_ROWS];
    rs_session_point point[SIM_POINTS];
    sim_loop loop[SIM_POINTS], reference[SIM_REFERENCES];
    rs_session_patch patch[1];
    float patch_data[1][SIM_PATCH * SIM_PATCH];
    rs_session_drift drift[1];
    rs_session_event event[SIM_EVENTS];
} sim_model;

/* The setup of it; everything static. Band excitation, retrace, off-field spectroscopy. */
const rs_session_setup *sim_setup(void);

/* An acquisition is a row of puts. */
int sim_puts(void);
/* Puts number k into the model and, when s is not NULL, in the session. */
reshed_status sim_put(sim_model *m, rs_session *s, int k, reshed_error *err);
/* Returns whether put k is one of the durable ones. */
bool sim_is_durable(int k);
/* The model after the first n puts. */
void sim_after(sim_model *m, int n);
/* Reads all that a session holds. */
void sim_read(rs_session *s, sim_model *m);
bool sim_equal(const sim_model *a, const sim_model *b);
/* Removes a session and its journal, if there are any. */
void sim_remove(const char *path);
/* A new session at path, open, with the first n puts; m: the model after them. */
rs_session *sim_begin(const char *path, int n, int sync_every, sim_model *m);
/* Asserts that a session holds the first n puts and nothing else. */
void sim_assert_holds(rs_session *s, int n);
/* True when an event's text in the session at path contains this. */
bool session_has_event(const char *path, const char *text);
/* The number of puts that are in the session, at least `least`; -1 when it holds none such. */
int sim_find(rs_session *s, int least);

#endif
