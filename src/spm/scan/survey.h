/* survey.h - from scan lines to the wall map of one region: each line becomes durable in the
 * session file, then an amplitude row (a fit of its spectra, or the channel that the instrument
 * calls amplitude), then goes through the network, and what came of it is put into the session.
 *
 * Lines come from an instrument (rs_survey_scan) or from the session itself (rs_survey_replay: to
 * go on after an interruption, or to analyse anew). Both ways give the same final map, bit for
 * bit. */
#ifndef RS_SPM_SCAN_SURVEY_H
#define RS_SPM_SCAN_SURVEY_H

#include "spectra/lines.h"
#include "spm/scan/context.h"
#include "spm/scan/outcome.h"
#include "spm/scan/survey_news.h"

/* Mean variance over the final rows; NaN: there is none. */
double rs_survey_uncertainty(const rs_survey_news *n);

/* context: copied, and what it points to borrowed, as the stream is, which has the frame's size and
 * is reset. */
reshed_status rs_survey_create(const rs_scan_context *context, rs_live *stream,
                               const rs_survey_options *options, rs_survey **out,
                               reshed_error *err);
void rs_survey_free(rs_survey *s);

/* Sends every line that the session holds through fit and network, in the order in which they came.
 * write false: the session is only read. */
rs_outcome rs_survey_replay(rs_survey *s, bool write);

/* Heeds the helm between two lines: pauses, goes on, scans again from a row that it has come by.
 * Scans the rows of the session's frame that it does not have yet, and the latest row again when its
 * retrace is missing (its trace stays as it is); anew: all of them, each line
 * replacing the one that the session has. DONE: every line came or is lost; ALARMED: out of
 * distribution, and the settings say to stop then. Whatever the end, the session holds every line
 * that came. */
rs_outcome rs_survey_scan(rs_survey *s, bool anew);

/* Scans rows first ... last of a frame that is complete once more, each line replacing the one that the
 * session has, and makes the map anew from all lines. A line that is lost leaves the one before it, which is noted; when none came that is a failure. DONE:
 * also when the next rows came, too, before the scan stopped. Whatever the end, the session holds a line
 * of every row that it had one of. */
rs_outcome rs_survey_rescan(rs_survey *s, int first, int last);

/* Ends the frame: final rows everywhere, maps into the session. */
rs_outcome rs_survey_finish(rs_survey *s, bool write);

/* [rows], borrowed: 1 where the session's trace is one that this survey scanned, so that its time is on the
 * clock that the instrument has now. */
const uint8_t *rs_survey_fresh(const rs_survey *s);

/* [rows,cols], borrowed. frequency, q, phase are NaN without spectra. */
const float *rs_survey_map(const rs_survey *s, rs_session_map map);
/* Returns the latest score, NaN: none, RS_OOD_NO_CONTRAST at least with a fault of the contrast;
 * *alarm: it is above alarm_score, or there is such a fault. */
double rs_survey_score(const rs_survey *s, bool *alarm);
/* That fault in words; "": none. */
const char *rs_survey_fault(const rs_survey *s);

#endif
