/* report.h - a session on one page for people: the scan, the walls that the network found, the
 * loops measured on them, and what went wrong.
 *
 *     rs_session *s = NULL;
 *     st = rs_session_open("scan.h5", &s, err);
 *     if (st == RESHED_OK) st = rs_report_write(s, "scan.html", err);
 *
 * The page is one HTML file without scripts or anything outside it: pictures lie in it as PNG or
 * SVG, so that it opens offline, prints, and can be sent. Where a session has nothing for a section
 * (spectroscopy, drift ...) the section says so in a sentence. report.c lists the sections. */
#ifndef RS_REPORT_REPORT_H
#define RS_REPORT_REPORT_H

#include "imgproc/figures/plot.h"
#include "spm/session/session.h"

/* Replaces path by the report of s as it is now: finished, interrupted, or being written by this
 * program or another one. The report is a function of the session and nothing else: the same
 * session gives the same bytes. Fails as reading the session does, with RESHED_ENOMEM, or
 * RESHED_EIO; path is then as it was before. */
reshed_status rs_report_write(rs_session *s, const char *path, reshed_error *err);

/* Writes the figures of the report into a folder, which is made when it is not there, each as a file
 * for papers: figure_01, ... with this ending ("pdf", "svg", "png"): the channels; image, walls and
 * uncertainty; walls and points; the averaged loop; maps and histograms of the metrics; picked loops;
 * walls compared. captions.txt says what each shows. *count: how many. Fails as rs_report_write. */
reshed_status rs_report_write_figures(rs_session *s, const char *folder, const char *ending,
                                      const rs_paper *paper, int *count, reshed_error *err);

/* The latency of the session's lines, from a line's arrival to its published prediction, as the
 * report shows it: seconds[n] are the quantiles share[n] (0 to 1), NaN where no line has one. Fails
 * as reading the session does, or with RESHED_ENOMEM. */
reshed_status rs_report_latency(rs_session *s, const double *share, int n, double *seconds,
                                reshed_error *err);

#endif
