/* loops.h - a loop at one place of the sample, from the way there to its metrics in the session;
 * and the same analysis again of the spectra that a session holds. */
#ifndef RS_SPM_SCAN_LOOPS_H
#define RS_SPM_SCAN_LOOPS_H

#include "spectra/loops.h"
#include "spm/scan/context.h"
#include "spm/scan/outcome.h"

/* Room for one spectrum of the session's setup and for the loop that is made of it. */
typedef struct rs_scan_loops {
    const rs_scan_context *context;
    const rs_session_setup *setup;
    rs_loop_analysis *analysis;
    rs_spectrum spectrum; /* the latest; arrays owned */
    rs_session_loop loop; /* what was made of it; arrays owned */
} rs_scan_loops;

/* Also after a failure rs_scan_loops_clear is due. The context is kept. */
reshed_status rs_scan_loops_init(rs_scan_loops *l, const rs_scan_context *c, reshed_error *err);
void rs_scan_loops_clear(rs_scan_loops *l);

/* Moves the tip to stage position (x, y) m and measures l->spectrum there. RETRY: interrupted, and
 * the instrument may be still at it. */
rs_driver_status rs_scan_loops_measure(rs_scan_loops *l, double x, double y, reshed_error *err);
/* Makes l->loop of l->spectrum. *bad: its spectra are (RS_LOOP_BAD_SPECTRA), so that measuring once more
 * may help. */
reshed_status rs_scan_loops_judge(rs_scan_loops *l, bool *bad, reshed_error *err);
/* Makes l->loop of l->spectrum and puts it into the session as number k of the series. */
reshed_status rs_scan_loops_analyse(rs_scan_loops *l, rs_session_series series, int k,
                                    reshed_error *err);

/* Analyses every point's spectrum that the session holds again: metrics [points][setup->metrics],
 * NaN where nothing was measured. The session is only read. */
reshed_status rs_scan_loops_again(const rs_scan_context *c, double *metrics, reshed_error *err);

/* Counts the measured points whose loop has no flag of RS_LOOP_BAD. */
reshed_status rs_scan_loops_trusted(rs_session *s, int *trusted, reshed_error *err);

#endif
