/* status.h - errors: the status and the text that a function inside the library fails with.
 *
 *     if (len < need)
 *         return rs_fail(err, RESHED_ECORRUPT, "wave header|at least %zu bytes|%zu bytes", need,
 *                        len);
 *
 * The format holds up to four fields split by '|': what | expected | found | where. No byte inside
 * an argument is a separator. */
#ifndef RS_BASE_STATUS_H
#define RS_BASE_STATUS_H

#include "reshed_base.h"

#if defined(__GNUC__)
#define RS_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define RS_PRINTF(f, a)
#endif

/* Fills *err (which may be NULL) and returns status. Control characters and bytes that are no
 * UTF-8 are escaped (\xNN), so that a hostile file cannot write to the terminal. */
reshed_status rs_fail(reshed_error *err, reshed_status status, const char *format, ...)
    RS_PRINTF(3, 4);

/* The usual allocation failure: "cannot allocate N bytes for WHAT". */
reshed_status rs_fail_nomem(reshed_error *err, const char *what, size_t bytes);

#endif
