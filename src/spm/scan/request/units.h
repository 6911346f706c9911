/* units.h - units of the settings of a scan, for those who show them. */
#ifndef RS_SPM_SCAN_REQUEST_UNITS_H
#define RS_SPM_SCAN_REQUEST_UNITS_H

/* "V", "s", ...; "" for numbers without a unit and for names that are no setting. */
const char *rs_scan_unit(const char *name);

#endif
