/* session_loops.h - the loops that a session of reshed-scan measured at its points, in its group
 * /BEPS: not main datasets of NSID, whose axes this file therefore adds. */
#ifndef RS_SPECTRA_SESSION_LOOPS_H
#define RS_SPECTRA_SESSION_LOOPS_H

#include <stdbool.h>

#include "io/nsid/nsid.h"

/* Whether the file is such a session with spectroscopy. */
bool rs_session_loops_are(rs_nsid_file *file);

/* Whether channel (NULL: none was named) means these loops: BEPS, points, loops, or a dataset of that
 * group. */
bool rs_session_loops_meant(const char *channel);

/* Reads the spectra of all points: axes Point, Field (1 on, 0 off), Voltage (V), Frequency (Hz).
 * RESHED_EUNSUPPORTED for a session of responses without spectra, or without points. */
reshed_status rs_session_loops_spectra(rs_nsid_file *file, rs_nsid_data *out, reshed_error *err);

/* Reads the responses of all points as amplitude, phase (rad) and flags of the oscillator fits, of
 * the same axes without Frequency. Spectra are fitted again, as the scan did: what is stored of its fits
 * is rounded. flags->data is NULL where there are no spectra. */
reshed_status rs_session_loops_read(rs_nsid_file *file, rs_nsid_data *amplitude,
                                    rs_nsid_data *phase, rs_nsid_data *flags, reshed_error *err);

/* Fails with the name of the session's loops for a channel whose axes are no loop's. */
reshed_status rs_session_loops_refuse(const char *path, reshed_error *err);

#endif
