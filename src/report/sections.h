/* sections.h - the sections of a report, each in the file of its name. Each adds its part to the
 * page, or a sentence where the session has nothing for it; failures are the page's. Private to
 * this room. */
#ifndef RS_REPORT_SECTIONS_H
#define RS_REPORT_SECTIONS_H

#include "report/data.h"
#include "report/page.h"

/* Only figures, for papers: the channels, the prediction, the walls with the points. */
void rs_report_map_figures(rs_page *p, const rs_report_data *d);
/* The title, the instrument and its settings, and how far the session got. */
void rs_report_head(rs_page *p, const rs_report_data *d);
/* Maps of the measured channels. */
void rs_report_channels(rs_page *p, const rs_report_data *d);
/* Wall probability, its variance, and the walls over the amplitude. */
void rs_report_prediction(rs_page *p, const rs_report_data *d);
/* The points and the way between them. */
void rs_report_points(rs_page *p, const rs_report_data *d);
/* Of the points: the loop of the one that is pointed at; nothing where there are no loops, or too many for one page. */
void rs_report_pick(rs_page *p, const rs_report_data *d);
/* The averaged loop, maps of the metrics, picked loops, histograms. */
void rs_report_loops(rs_page *p, const rs_report_data *d);
/* Walls one by one and compared. */
void rs_report_walls(rs_page *p, const rs_report_data *d);
void rs_report_drift(rs_page *p, const rs_report_data *d);
void rs_report_events(rs_page *p, const rs_report_data *d);
/* Latency, inference time and lag of the lines. */
void rs_report_timings(rs_page *p, const rs_report_data *d);
/* Settings of the run and options of the driver. */
void rs_report_settings(rs_page *p, const rs_report_data *d);

#endif
