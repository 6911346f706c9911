/* options.h - options of programs that were built against this header or against an older one.
 *
 * Every struct of options begins with its own size. Fields are only ever appended, and each
 * addition must make the struct larger (mind the padding at its end); the size that it had before
 * joins the list of those known. */
#ifndef RS_API_OPTIONS_H
#define RS_API_OPTIONS_H

#include <stddef.h>

#include "base/status.h"

/* Fills *out, which holds the defaults of today's struct, from `given` (NULL: nothing), a struct of
 * one of the sizes known[n], the last of which is today's. Any other size is RESHED_EINVAL. what:
 * for the message, "reshed_options". */
reshed_status rs_api_options(const char *what, const void *given, const size_t *known, int n,
                             void *out, reshed_error *err);

#endif
