/* regions.h - the regions of one acquisition: their list as a text that every session of it keeps,
 * and the names of their files. */
#ifndef RS_SPM_SCAN_REQUEST_REGIONS_H
#define RS_SPM_SCAN_REQUEST_REGIONS_H

#include "base/number.h"
#include "base/status.h"

/* Further regions, beside the first. */
enum { RS_SCAN_MAX_REGIONS = 64, RS_SCAN_REGIONS_TEXT = RS_SCAN_MAX_REGIONS * 2 * RS_NUMBER_TEXT };

/* "1e-06,0 0,-2e-06" into buf, which is returned: the centres (x, y) m of n further regions; "" for
 * none. Every number reads back as it was. */
const char *rs_regions_format(char buf[RS_SCAN_REGIONS_TEXT], const double *x, const double *y,
                              int n);
/* Reads such a text back into x, y [RS_SCAN_MAX_REGIONS] and *n. RESHED_EINVAL, nothing changed, for
 * another one. */
reshed_status rs_regions_parse(const char *text, double *x, double *y, int *n, reshed_error *err);

/* The session of region k (0: the first, whose path is `first`): scan.h5 -> scan_2.h5, ... into
 * buf[size]. RESHED_EINVAL when it does not fit. */
reshed_status rs_regions_path(char *buf, size_t size, const char *first, int k, reshed_error *err);

#endif
