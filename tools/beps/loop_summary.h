/* loop_summary.h - the output of `reshed-beps loops` on stdout. */
#ifndef RS_TOOLS_BEPS_LOOP_SUMMARY_H
#define RS_TOOLS_BEPS_LOOP_SUMMARY_H

#include "tools/beps/loop_options.h"

/* One JSON object for n results; seconds for the whole run; work [2*points]. */
void beps_loop_print_json(const beps_loop_settings *s, const rs_responses *in,
                          const rs_field_loops *r, int n, double seconds, double *work);

/* Some lines for one result. */
void beps_loop_print_text(const beps_loop_settings *s, const rs_responses *in,
                          const rs_field_loops *r, double *work);

#endif
