/* decide.h - a list of points that ends once a test of the walls is decided (setting `until`).
 *
 * The points are measured in rounds, one point of each wall that the test counts; whenever
 * these bring a tenth of them or more (for alternation: at the end of a round) the test looks at all loops so far (imgproc/walls/sequential.h says how the error is held). The
 * list is over when the effect is found, or when all points that the test counts are measured and it is not:
 * the others would tell nothing more. All of it follows from the session alone: a list that is resumed has the same
 * looks. */
#ifndef RS_SPM_SCAN_DECIDE_H
#define RS_SPM_SCAN_DECIDE_H

#include "imgproc/walls/graph/graph.h"
#include "spm/scan/context.h"

typedef struct rs_decide rs_decide;

/* Puts the points in rounds, if the settings ask for a test. graph with its families. */
reshed_status rs_decide_order(const rs_wallgraph *graph, int families,
                              const rs_scan_settings *settings, rs_session_point *points, int n,
                              reshed_error *err);

/* For the points of a session, with its masks; *out is NULL where the settings ask for no test. points are
 * borrowed: their states are looked at again and again. */
reshed_status rs_decide_create(const rs_scan_context *c, const rs_session_point *points, int n,
                               rs_decide **out, reshed_error *err);
void rs_decide_free(rs_decide *d);

/* Before point k is measured (k = n: after the last). *over: the list is, and `why` says so in
 * words; else "". d NULL: never over. */
reshed_status rs_decide_look(rs_decide *d, int k, bool *over, char *why, size_t room,
                             reshed_error *err);

#endif
