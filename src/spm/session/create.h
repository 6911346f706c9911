/* create.h - the file of a session before its first line: the setup, and all datasets, empty. */
#ifndef RS_SPM_SESSION_CREATE_H
#define RS_SPM_SESSION_CREATE_H

#include "spm/session/session.h"

/* Makes the file at path, whole or not at all. The setup has passed rs_session_check_setup. */
reshed_status rs_session_create_file(const char *path, const rs_session_setup *setup,
                                     reshed_error *err);

#endif
