/* open.h - what reshed-scan opens before it works: weights, instrument, stream, session. */
#ifndef RS_TOOLS_SCAN_OPEN_H
#define RS_TOOLS_SCAN_OPEN_H

#include "tools/scan/job.h"

#define SCAN_CALL 10.0 /* s: a driver's answer to a simple request */

/* The session's settings into o. */
reshed_status scan_settings_from_session(const rs_session *s, scan_options *o, reshed_error *err);

/* The ensemble that the options name, else `wanted` (NULL: the shipped one). */
reshed_status scan_load_weights(scan_job *j, const char *wanted, reshed_error *err);

/* err's status, set from what the driver meant if it did not set one itself. */
reshed_status scan_driver_failed(rs_driver_status st, reshed_error *err);

/* Opens the instrument, sets frame and band excitation, and checks all that would be refused later.
 */
reshed_status scan_open_driver(scan_job *j, const char *name, const rs_driver_option *option, int n,
                               reshed_error *err);

/* Takes the weights out of the ensemble. */
reshed_status scan_make_stream(scan_job *j, int rows, int cols, reshed_error *err);

/* SESSION.h5 -> SESSION and what is made of it. */
void scan_name_files(scan_job *j, const char *path);

/* j->path must be named, the instrument open. region counts from 0. */
reshed_status scan_create_session(scan_job *j, int region, reshed_error *err);
/* Opens the session, its weights and its instrument. */
reshed_status scan_resume_session(scan_job *j, reshed_error *err);

#endif
