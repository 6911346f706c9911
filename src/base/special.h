/* special.h - functions that C's mathematical library lacks. */
#ifndef RS_BASE_SPECIAL_H
#define RS_BASE_SPECIAL_H

/* The inverse of erf to a few units in the last place; +-infinity at +-1, NaN beyond. */
double rs_erfinv(double y);

#endif
