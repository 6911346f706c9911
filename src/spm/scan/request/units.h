/* units.h - units and words of the settings of a scan, for those who show them. */
#ifndef RS_SPM_SCAN_REQUEST_UNITS_H
#define RS_SPM_SCAN_REQUEST_UNITS_H

/* "V", "s", ...; "" for numbers without a unit and for names that are no setting. */
const char *rs_scan_unit(const char *name);
/* The word that a number stands for, such as "continue" for alarm 0; NULL: none. */
const char *rs_scan_word_of(const char *name, const char *value);

#endif
