/* private.h - what a board holds. */
#ifndef RS_LIVE_PRIVATE_H
#define RS_LIVE_PRIVATE_H

#include "base/json.h"
#include "base/thread.h"
#include "live/board.h"

enum {
    SECTION_SOURCE,
    SECTION_FRAME,
    SECTION_MAPS,
    SECTION_RUN,
    SECTION_SCAN,
    SECTION_ROWS,
    SECTION_LINES,
    SECTION_METRICS,
    SECTION_POINTS,
    SECTION_LOOPS,
    SECTION_WALLS,
    SECTION_CONFIRM,
    SECTION_SETTINGS,
    SECTION_LOG,
    SECTION_LABELS,
    SECTIONS
};

/* Maps of the lines themselves, and of the network: they change at different times. */
enum { GROUP_LINE, GROUP_NET, GROUPS };

typedef struct board_line {
    int row;
    double score, uncertainty;
    int64_t number;
} board_line;

typedef struct board_entry {
    int64_t number;
    double time;
    rs_session_level level;
    char text[RS_BOARD_TEXT];
} board_entry;

typedef struct board_answer {
    int64_t number;
    char id[RS_BOARD_ID], what[RS_BOARD_TEXT];
    bool done;
} board_answer;

/* A point and its loop. */
typedef struct board_point {
    rs_session_point point;
    int64_t number; /* of its latest loop; 0: none since the points were posted */
    bool has_loop;
} board_point;

typedef struct board_setting {
    char name[48], value[96];
} board_setting;

typedef struct board_run {
    rs_board_phase phase;
    bool paused;
    char text[RS_BOARD_TEXT];
    double begun, ended, left; /* rs_os_monotonic; s */
} board_run;

struct rs_board {
    rs_monitor *lock;
    char epoch[17];
    bool closed;
    int wakes;
    int64_t number;
    int64_t section[SECTIONS]; /* when each changed */

    /* the frame */
    char kind[16], name[256], program[64], sample[256], started[32], amplitude_unit[24];
    bool writing;
    double threshold;
    rs_frame frame;
    bool there[RS_SESSION_MAPS];
    float *map[RS_SESSION_MAPS]; /* [rows,cols] */
    uint8_t *state;              /* [rows] */
    int64_t *row[GROUPS];        /* [rows]: when it changed */

    board_run run;
    rs_board_scan scan;
    char fault[RS_BOARD_TEXT];
    double rate, rate_time; /* lines/s; when the latest came */
    board_line *line;       /* [room] */
    int lines, line_room;

    rs_session_metric *metric; /* [metrics] */
    int metrics;
    double *voltage; /* [steps] */
    int steps, fields;
    board_point *point; /* [points] */
    int points;
    double *value;   /* [points][metrics] */
    float *response; /* [points][fields][steps] */
    int under_way;
    double loop_seconds, loop_left;

    bool has_cost, has_walls, has_labels;
    rs_board_cost cost;
    int walls, families;
    rs_board_test alternation, lengths;
    char label[256], ignore[256], command[2048];
    board_setting *setting; /* [settings] */
    int settings;

    board_entry log[RS_BOARD_LOG]; /* a ring: entry k is log[k % RS_BOARD_LOG] */
    int logs;
    board_answer answer[RS_BOARD_ANSWERS]; /* likewise */
    int answers;
    int64_t ended; /* number of the end; 0: it goes on */
};

/* ------------------------------------------------------------------------- as JSON (board_state.c) */

/* Large sections, copied under the lock to be written outside it. */
typedef struct rs_copied {
    board_line *line;
    int lines;
    double threshold;
    board_point *point;
    int points, metrics;
    double *value;
} rs_copied;

/* Inside the lock: small sections that changed after since, into the open object, and copies of the large ones. */
void rs_put_changed(rs_board *b, int64_t since, rs_json *j, rs_copied *c);
/* Outside it: the large ones. */
void rs_put_copied(const rs_copied *c, rs_json *j);
void rs_free_copied(rs_copied *c);
void rs_put_viewer(const rs_board_viewer *v, rs_json *j);
void rs_put_entry(const board_entry *e, rs_json *j);
/* Digits of rows [from, to). */
void rs_put_states(const rs_board *b, rs_json *j, const char *key, int from, int to);
/* As "metrics", null when they are not there. */
void rs_put_values(const double *value, int n, bool there, rs_json *j);
/* The oldest entry of a ring in which n were put. */
int rs_first_kept(int n, int room);

#endif
