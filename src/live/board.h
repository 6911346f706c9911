/* board.h - the state of a run as viewers see it: one who posts, any number who look.
 *
 *     rs_board *b = NULL;
 *     rs_board_create(&b, err);
 *     rs_board_begin(b, &source, setup, err);               // the poster
 *     rs_board_rows(b, maps, states, 0, rows);
 *     n = rs_board_events(b, &viewer, since, stream);        // a viewer's thread
 *
 * The poster never waits for a viewer: it copies what changed under a lock that no viewer holds for longer than
 * a copy takes. Every change has a number. A viewer keeps the number up to which it has seen and asks for what
 * is newer, so one that comes late finds the latest state and nothing in between, and costs no memory.
 * docs/live-protocol.md has the names and forms; nothing here knows of HTTP. Any function may be called from
 * any thread; the texts and arrays that are given are copied. */
#ifndef RS_LIVE_BOARD_H
#define RS_LIVE_BOARD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "spm/session/session.h"

/* Entries of the log, and answers, that are kept. */
#define RS_BOARD_LOG 200
#define RS_BOARD_ANSWERS 64
#define RS_BOARD_TEXT 256
#define RS_BOARD_ID 65

typedef struct rs_board rs_board;

reshed_status rs_board_create(rs_board **out, reshed_error *err);
/* No other thread may be in a function of it. NULL is fine. */
void rs_board_free(rs_board *b);

/* What is shown. */
typedef struct rs_board_source {
    const char *kind; /* scan, session, image */
    const char *name; /* of the file, without its folder */
    const char *program;
    bool writing;
    double threshold; /* of the score's alarm; NaN: none */
} rs_board_source;
/* A new frame: everything that was posted is forgotten, but for log and answers. */
reshed_status rs_board_begin(rs_board *b, const rs_board_source *source,
                             const rs_session_setup *setup, reshed_error *err);

/* -------------------------------------------------------------------------------------- posting */
typedef enum rs_board_phase {
    RS_BOARD_STARTING = 0,
    RS_BOARD_SURVEY,
    RS_BOARD_RESCAN,
    RS_BOARD_CHOOSE,
    RS_BOARD_CONFIRM,
    RS_BOARD_LOOPS,
    RS_BOARD_ENDING,
    RS_BOARD_DONE,
    RS_BOARD_STOPPED,
    RS_BOARD_FAILED
} rs_board_phase;
/* DONE, STOPPED and FAILED end the run: viewers get the event `end`. text NULL: as it is. */
void rs_board_run(rs_board *b, rs_board_phase phase, bool paused, const char *text);
/* s, NaN: unknown. */
void rs_board_left(rs_board *b, double left);
/* s that the run has taken by now, where it did not begin with the board. */
void rs_board_elapsed(rs_board *b, double seconds);

/* A line that came makes an entry of the lines. */
typedef enum rs_board_entry {
    RS_BOARD_ENTRY_IF_MORE = 0, /* when more lines have arrived than at the last post */
    RS_BOARD_ENTRY,             /* a line that came once more, too */
    RS_BOARD_NO_ENTRY           /* of the front alone */
} rs_board_entry;

typedef struct rs_board_scan {
    int row, arrived, lost, waiting, pauses, lag;
    double latency, score, uncertainty; /* NaN: unknown */
    double time; /* s, when the row came, on any clock; NaN: unknown, and no rate is made of it */
    rs_board_entry entry;
    bool alarm;
    const char *fault;
} rs_board_scan;
void rs_board_line(rs_board *b, const rs_board_scan *scan);

/* Of map[m], [rows,cols] or NULL, and state [rows] (rs_session_row_state): what differs from what was posted
 * becomes news. Rows that are not scanned are passed over; so are final ones that were posted as final, unless all is set. */
void rs_board_rows(rs_board *b, const float *const map[RS_SESSION_MAPS], const uint8_t *state,
                   bool all);
/* All points; what was posted of their loops is forgotten. */
reshed_status rs_board_points(rs_board *b, const rs_session_point *point, int n, reshed_error *err);
/* Point k and its loop; loop NULL: of the state alone. */
void rs_board_loop(rs_board *b, int k, const rs_session_point *point, const rs_session_loop *loop);
/* Point at work, -1: none; s that each takes, and that the rest does. */
void rs_board_loops(rs_board *b, int under_way, double seconds, double left);

typedef struct rs_board_cost {
    int count;
    double seconds, pulses;
    double until; /* rs_os_monotonic, when the wait for a yes ends; NaN: never */
} rs_board_cost;
/* NULL: no points wait. */
void rs_board_confirm(rs_board *b, const rs_board_cost *cost);

/* NaN p: not tested. */
typedef struct rs_board_test {
    double p, effect;
    int walls;
} rs_board_test;
void rs_board_walls(rs_board *b, int walls, int families, const rs_board_test *alternation,
                    const rs_board_test *lengths);

void rs_board_log(rs_board *b, double time, rs_session_level level, const char *text);
/* An action's; seen by all viewers, who know theirs by its id. */
void rs_board_answer(rs_board *b, const char *id, bool done, const char *what);
/* Files of labels that were saved, names without folder, and what to type. */
void rs_board_labels(rs_board *b, const char *label, const char *ignore, const char *command);

/* -------------------------------------------------------------------------------------- looking */
/* One who looks. */
typedef struct rs_board_viewer {
    bool may_steer, has_wheel;
    int others;
} rs_board_viewer;

/* The number of the latest change. */
int64_t rs_board_number(rs_board *b);
/* The number of the state in which the list of points is as it is now. */
int64_t rs_board_points_number(rs_board *b);
/* Of this board, 16 hexadecimal digits: numbers of another are not known here. Borrowed. */
const char *rs_board_epoch(const rs_board *b);
/* Waits until there is a change after `since`, viewers are to look again (rs_board_wake), or the seconds are
 * over. False once the board is closed. */
bool rs_board_wait(rs_board *b, int64_t since, double seconds);
void rs_board_wake(rs_board *b);
/* Ends all waits, for good. */
void rs_board_close(rs_board *b);

/* The whole state as one JSON object. */
void rs_board_state(rs_board *b, const rs_board_viewer *viewer, FILE *out);
/* What came after `since`, as server-sent events; 0: the whole state first. Returns the number to ask with the next
 * time. */
int64_t rs_board_events(rs_board *b, const rs_board_viewer *viewer, int64_t since, FILE *out);

/* Names of the maps that can be asked for; -1: no such. */
int rs_board_map_find(const char *name);
/* Rows and columns of the frame; 0: none yet. */
void rs_board_size(rs_board *b, int *rows, int *cols);
/* Rows [from, from + count) into out, of a frame of that size; false when it has none, or another size. */
bool rs_board_read(rs_board *b, int map, int rows, int cols, int from, int count, float *out,
                   int64_t *number);
/* The loop of point k, or the average of all; false: there is none. */
bool rs_board_loop_json(rs_board *b, int k, FILE *out);
bool rs_board_average_json(rs_board *b, FILE *out);
/* The answer to an action; false: not answered. what [RS_BOARD_TEXT] */
bool rs_board_answered(rs_board *b, const char *id, bool *done, char *what);
bool rs_board_labels_json(rs_board *b, FILE *out);

#endif
