/* setup.h - the setup of a session in its file: attributes and small datasets that are written when
 * it is created and never again. */
#ifndef RS_SPM_SESSION_SETUP_H
#define RS_SPM_SESSION_SETUP_H

#include "io/hdf5/h5.h"
#include "spm/session/kept.h"
#include "spm/session/session.h"

/* A digest that no other session has: the name of the file for its journal. */
#define RS_SESSION_IDENTITY "/Session/identity"

/* RESHED_EINVAL says which part of the setup cannot be. */
reshed_status rs_session_check_setup(const rs_session_setup *setup, reshed_error *err);
/* Writes a setup that was checked into a new file. */
reshed_status rs_session_write_setup(hid_t file, const rs_session_setup *setup, reshed_error *err);
/* Reads it into *setup, zeros before; what it points to is kept in *kept, even on failure. */
reshed_status rs_session_read_setup(rs_h5_file *in, rs_session_block **kept,
                                    rs_session_setup *setup, reshed_error *err);

#endif
