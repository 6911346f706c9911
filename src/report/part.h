/* part.h - the sections of a report; each adds its part to the page. */
#ifndef RS_REPORT_PART_H
#define RS_REPORT_PART_H

#include "report/page.h"
#include "report/data.h"

/* The title, what was measured with what, and how far it got. (report/head.c) */
void scan_report_head(scan_page *p, const scan_data *d);
/* Channels; wall probability, variance, walls; points. (report/maps.c) */
void scan_report_channels(scan_page *p, const scan_data *d);
void scan_report_prediction(scan_page *p, const scan_data *d);
void scan_report_points(scan_page *p, const scan_data *d);
/* The averaged loop, maps of the metrics, picked loops, histograms. (report/loops.c) */
void scan_report_loops(scan_page *p, const scan_data *d);
/* Walls one by one and compared. (report/walls.c) */
void scan_report_walls(scan_page *p, const scan_data *d);
/* Drift, events, timings, settings. (report/log.c) */
void scan_report_log(scan_page *p, const scan_data *d);

#endif
