/* selftest.h - goes through a driver's calls without any voltage, and reports: before the first scan
 * with a new driver, a new release of the instrument's software, or a new cable.
 *
 * The limits are set to 0 V first, so that no voltage can get past instrument.c. The tip scans a
 * line or two of the frame that the instrument has, is moved to where it is, and is withdrawn at the
 * end by a halt. */
#ifndef RS_SPM_INSTRUMENT_SELFTEST_H
#define RS_SPM_INSTRUMENT_SELFTEST_H

#include "spm/instrument/instrument.h"

typedef enum rs_selftest_result {
    RS_SELFTEST_OK,
    RS_SELFTEST_MISSING, /* the driver has no such function */
    RS_SELFTEST_LEFT,    /* not tried: what it needs has failed, or it needs a voltage */
    RS_SELFTEST_FAILED
} rs_selftest_result;

/* call: the function of the driver's table, or what was looked at; found: in words. */
typedef void rs_selftest_told(void *ctx, const char *call, rs_selftest_result result,
                              const char *found);

/* Opens the driver, tries its functions, halts and closes it. Returns how many have failed. */
int rs_selftest(const char *driver, const rs_driver_option *option, int n, rs_selftest_told *told,
                void *ctx);

#endif
