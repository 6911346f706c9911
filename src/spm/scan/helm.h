/* helm.h - between a run and the people who watch it: what a run tells, and the orders that it takes at its boundaries.
 *
 * A run is steered by nobody unless its context has a helm. It asks for orders between two lines, between two loops
 * and while it waits; an order is carried out then, by the thread that does everything else, under the limits of
 * everything else, and is an event of the session. Nothing here waits longer than it is asked to: who has gone
 * leaves a run that goes on, or that waits until its time is over and then ends with bias and drive off. */
#ifndef RS_SPM_SCAN_HELM_H
#define RS_SPM_SCAN_HELM_H

#include <stdbool.h>
#include <stdint.h>

#include "spm/session/session.h"

#define RS_ORDER_INDICES 4096
#define RS_ORDER_TEXT 201

typedef enum rs_order_kind {
    RS_ORDER_PAUSE = 0,
    RS_ORDER_GO_ON,
    RS_ORDER_STOP,
    RS_ORDER_RESCAN,  /* row: lines from there on again */
    RS_ORDER_CONFIRM, /* yes */
    RS_ORDER_REMOVE,  /* index [n] */
    RS_ORDER_ADD,     /* at, to */
    RS_ORDER_MOVE,    /* index[0]; at, to */
    RS_ORDER_THIN,    /* row: how many are kept */
    RS_ORDER_ROUTE,
    RS_ORDER_AGAIN, /* index[0] */
    RS_ORDER_NOTE   /* text */
} rs_order_kind;

typedef struct rs_order {
    rs_order_kind kind;
    char id[65], who[41];
    int row;
    double at, to; /* row and column of a pixel */
    bool yes;
    int64_t number; /* of the state that the indices are of; 0: not said */
    char text[RS_ORDER_TEXT];
    int n;
    int index[RS_ORDER_INDICES];
} rs_order;

/* Where a run is. */
typedef enum rs_helm_phase {
    RS_HELM_SURVEY = 0,
    RS_HELM_RESCAN,
    RS_HELM_CHOOSE,
    RS_HELM_CONFIRM,
    RS_HELM_LOOPS
} rs_helm_phase;

/* The caller's functions; ctx is theirs. None waits but take, and that no longer than asked. */
typedef struct rs_helm {
    void *ctx;
    double
        wait_limit; /* s that a run waits for a person at most, paused or for a yes; 0: for ever */
    bool (*take)(void *ctx, double seconds, rs_order *out);
    void (*answer)(void *ctx, const rs_order *order, bool done, const char *what);
    void (*phase)(void *ctx, rs_helm_phase phase, bool paused, const char *text);
    void (*log)(void *ctx, double time, rs_session_level level, const char *text);
    void (*points)(void *ctx, const rs_session_point *point, int n);
    /* Of a point that was measured before this list began. */
    void (*loop)(void *ctx, int k, const rs_session_point *point, const rs_session_loop *loop);
    /* Of points that wait for a yes, until (rs_os_monotonic; NaN: for ever); count < 0: none wait. */
    void (*cost)(void *ctx, int count, double seconds, double pulses, double until);
    /* Point at work, s of each and of the rest (NaN: unknown). */
    void (*loops)(void *ctx, int k, double seconds, double left);
} rs_helm;

#endif
