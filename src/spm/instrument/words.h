/* words.h - the options of a driver by their names, and its answers in words. */
#ifndef RS_SPM_INSTRUMENT_WORDS_H
#define RS_SPM_INSTRUMENT_WORDS_H

#include "reshed_driver.h"

/* "ok", "retry", "lost line", "refused", "lost". */
const char *rs_driver_status_text(rs_driver_status status);

/* The last option of that name, or NULL. */
const char *rs_driver_option_find(const rs_driver_option *option, int n, const char *name);

#endif
