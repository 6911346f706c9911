/* units.h - lengths in the spellings that files use. */
#ifndef RS_IO_COMMON_UNITS_H
#define RS_IO_COMMON_UNITS_H

#include "base/image.h"

/* Metres in one `unit`; 0 when it is not a length. Symbols ("nm", "um", "µm" in either of its code
 * points or in Latin-1, "Å", ...), also all in capitals, and words in any letter case, of one or
 * several ("Nanometers", "micro-metre", "microns", "Angstroms"); blanks and brackets around them do
 * not count. */
double rs_metres_per(const char *unit);

/* The same, with a note on im when the unit is no known length: `what` ("the x axis") is then of
 * unknown size. "px", "pixels" and the like say so themselves and are not noted. */
double rs_metres_or_note(const char *unit, const char *what, rs_image *im);

#endif
