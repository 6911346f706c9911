/* steps.h - the steps of an acquisition in one region, as data: a line of text each.
 *
 *     survey                               the frame's lines, and the map; always the first
 *     rescan rows=40-80                    these rows once more, and the map anew
 *     choose every=10 walls=paired a_domain=4 control_distance=6
 *                                          points on the map, added to those that there are: any
 *                                          setting that decides where points lie, for this step
 *     loops                                a loop at each point that has none
 *     repeat steps=2 until=calm times=5    the steps before once more, so many of them, until the
 *                                          condition holds, that many times in all at most */
#ifndef RS_SPM_SCAN_STEPS_H
#define RS_SPM_SCAN_STEPS_H

#include "spm/scan/choose.h"
#include "spm/scan/request/settings.h"

typedef enum rs_flow_step_kind {
    RS_STEP_SURVEY,
    RS_STEP_RESCAN,
    RS_STEP_CHOOSE,
    RS_STEP_LOOPS,
    RS_STEP_REPEAT,
    RS_STEP_KINDS
} rs_flow_step_kind;

typedef enum rs_flow_step_until {
    RS_STEP_TIMES, /* as often as `times` says */
    RS_STEP_CALM   /* the map gives no alarm */
} rs_flow_step_until;

enum { RS_STEPS_MAX = 32, RS_STEP_RULES = 8, RS_STEP_TEXT = 512, RS_STEPS_TEXT = 3900 };

typedef struct rs_flow_step {
    rs_flow_step_kind kind;
    int first, last; /* RESCAN: rows, both included */
    /* CHOOSE */
    rs_choose_walls walls;
    int a_domain, c_domain;  /* control points, at most */
    double control_distance; /* of them from the walls, pixels */
    struct {
        const rs_scan_field *field;
        double value;
    } rule[RS_STEP_RULES]; /* settings that are other than the run's in this step */
    int rules;
    /* REPEAT */
    int back, times;
    rs_flow_step_until until;
} rs_flow_step;

typedef struct rs_flow {
    rs_flow_step step[RS_STEPS_MAX];
    int n;
} rs_flow;

/* "survey", ... */
const char *rs_flow_step_name(rs_flow_step_kind kind);

/* survey, choose, loops: what is done unless something else is asked for. */
void rs_flow_default(rs_flow *s);

/* One step from its line. RESHED_EINVAL, *out unchanged: with the nearest word for one that is not
 * known. */
reshed_status rs_flow_step_parse(const char *text, rs_flow_step *out, reshed_error *err);
/* Its line, which reads back as the same step; returns buf. */
const char *rs_flow_step_format(char buf[RS_STEP_TEXT], const rs_flow_step *s);

/* All of them with "; " in between, as a session keeps them. Parsing checks them, too. */
const char *rs_flow_format(char buf[RS_STEPS_TEXT], const rs_flow *s);
reshed_status rs_flow_parse(const char *text, rs_flow *out, reshed_error *err);

/* Whether the steps make sense one after the other. On failure *at is the step, from 0. */
reshed_status rs_flow_check(const rs_flow *s, int *at, reshed_error *err);
/* Rows that are scanned again must be the frame's. */
reshed_status rs_flow_check_frame(const rs_flow *s, int rows, reshed_error *err);

/* True when a step has that setting of its own. */
bool rs_flow_has_rule(const rs_flow *s, const char *setting);
/* Takes a setting out of all steps: the run's holds then. */
void rs_flow_drop(rs_flow *s, const char *setting);
/* The latest choice of points, by which the session's walls are; NULL: there is none. */
const rs_flow_step *rs_flow_last_choose(const rs_flow *s);
/* True when points are chosen once at most. */
bool rs_flow_choose_once(const rs_flow *s);

/* The run's settings with those of the step. */
rs_scan_settings rs_flow_step_settings(const rs_scan_settings *run, const rs_flow_step *step);

/* The steps' counter, to be carried on over an interruption. */
typedef struct rs_flow_place {
    int at;    /* the next step, from 0; n: all are done */
    int round; /* of the repeat that comes next, from 1 */
} rs_flow_place;
/* The event that says that the step at *p is over, and the next place. again: a repeat that goes
 * back. */
void rs_flow_mark(const rs_flow *s, rs_flow_place *p, bool again, char *text, size_t room);
/* Takes such an event; any other is passed over. */
void rs_flow_take_mark(const rs_flow *s, rs_flow_place *p, const char *text);

#endif
