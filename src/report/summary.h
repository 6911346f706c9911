/* summary.h - the numbers of a report, unrounded: what its page says of walls, loops and tests.
 *
 *     rs_report_summary n;
 *     st = rs_report_summarise(session, &n, err);
 *     if (st == RESHED_OK) printf("%d walls, %d loops to trust\n", n.walls, n.trusted);
 *     rs_report_summary_clear(&n);
 */
#ifndef RS_REPORT_SUMMARY_H
#define RS_REPORT_SUMMARY_H

#include "imgproc/walls/tests.h"
#include "spm/session/session.h"

#define RS_REPORT_METRICS 5

typedef struct rs_report_summary {
    int lines, lost, points, measured, loops, trusted;
    int walls, families;
    double wall_length; /* m; pixels where the frame has no size */
    int metrics;        /* of loops to trust */
    struct {
        char name[64], unit[16];
        int n;
        double median, q1, q3, least, greatest;
    } metric[RS_REPORT_METRICS];
    char tested[64]; /* the metric of the tests; "": none */
    rs_wall_tests tests;
} rs_report_summary;

/* *out is to be cleared also after a failure. Fails as rs_report_write. */
reshed_status rs_report_summarise(rs_session *s, rs_report_summary *out, reshed_error *err);
void rs_report_summary_clear(rs_report_summary *s);

#endif
