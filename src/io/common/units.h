/* units.h - lengths in the spellings that files use. */
#ifndef RS_IO_COMMON_UNITS_H
#define RS_IO_COMMON_UNITS_H

/* Metres in one `unit` ("m", "nm", "um", "µm" in either of its code points or in Latin-1, "Å",
 * "Angstrom", ...); 0 when it is not a length. */
double rs_metres_per(const char *unit);

#endif
