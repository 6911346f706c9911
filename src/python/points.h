/* points.h - a session's point as Python gets it. */
#ifndef RS_PYTHON_POINTS_H
#define RS_PYTHON_POINTS_H

#include "python/rooms.h"
#include "spm/session/session.h"

rs_py_session_point rs_py_flat_point(const rs_session_point *point);

#endif
